//! Seats, queues, calls and missed callers as people see them; numbers as far as they need them.

use hotline::call::{BotEnd, BotLine, Voice};
use hotline::switchboard::Input;
use hotline::switchboard::fact::{Cause, What};
use hotline::switchboard::request::Flag;
use hotline::time::Timestamp;
use serde_json::{Value, json};

use crate::client::get;
use crate::document::is_valid;
use crate::fixture::{CALLER, OWNER, ROLES, Served, call, plan, story, token};

fn each(schema: &str, list: &Value) -> usize {
    let list = list.as_array().expect("a list");
    list.iter().for_each(|one| is_valid(schema, one));
    list.len()
}

#[test]
fn seats_and_queues_are_those_of_the_plan() {
    let (served, plan) = (Served::open("seats"), plan());
    let seats = get(served.at, "/v1/seats", OWNER).json();
    assert_eq!(each("SeatView", &seats), plan.seats.len());
    let one = get(served.at, "/v1/seats/1001", &token("trainee")).json();
    assert_eq!(one, seats.as_array().unwrap().iter().find(|seat| seat["seat"] == "1001").unwrap().clone());
    assert_eq!((&one["state"], &one["role"]), (&json!("signed_out"), &json!("clerk")));
    let queues = get(served.at, "/v1/queues", OWNER).json();
    assert_eq!(each("QueueView", &queues), plan.queues.len());
    assert_eq!(get(served.at, "/v1/calls", OWNER).json(), json!([]));
}

#[test]
fn a_call_that_is_over_shows_its_number_to_who_led_and_who_talked() {
    let served = Served::open("over");
    let answered = |seat: &str| vec![What::SeatAnswered { seat: seat.into(), waited_ms: 10, leg: None }];
    served.write(story(call(1), answered("1001"), Cause::Completed));
    served.write(story(call(2), answered("1002"), Cause::Completed));
    for (role, _) in ROLES {
        let leads = ["admin", "supervisor"].contains(&role);
        let watches = ["observer", "trainee"].contains(&role);
        for (id, own) in [(call(1), true), (call(2), false)] {
            let detail = get(served.at, &format!("/v1/calls/{id}"), &token(role)).json();
            is_valid("CallDetail", &detail);
            let sees = leads || own && !watches;
            let shown = if sees { CALLER } else { "138******42" };
            assert_eq!(detail["record"]["caller"], shown, "{role}, own {own}");
            assert_eq!(detail["record"]["cause"], "completed");
            assert_eq!(detail["now"], Value::Null);
            assert_eq!(detail.to_string().contains(CALLER), sees);
        }
    }
}

#[test]
fn callers_who_are_owed_a_call_back_are_listed_by_the_call_to_ask_for_it_by() {
    let served = Served::open("missed");
    let mut facts = story(call(1), vec![What::Queued { queue: "main".into() }], Cause::CallerHungUp);
    facts.extend(story(call(2), vec![What::Queued { queue: "main".into() }], Cause::CallerHungUp));
    facts.iter_mut().for_each(|fact| fact.at = Timestamp::now());
    served.tell(Input::RestoreMissed { facts });
    for (role, shown) in [("supervisor", CALLER), ("clerk", "138******42")] {
        let missed = get(served.at, "/v1/missed", &token(role)).json();
        assert_eq!(each("MissedView", &missed), 1, "one caller: {missed}");
        let (listed, second) = (&missed[0], json!(call(2).to_string()));
        assert_eq!(
            (&listed["call"], &listed["caller"], &listed["count"]),
            (&second, &json!(shown), &json!(2))
        );
    }
}

#[test]
fn nobody_reads_a_pick_up_code_not_even_who_leads() {
    let served = Served::open("codes");
    let code = Some("471199".to_owned());
    let ordered =
        What::Ordered { category: "投诉举报".into(), values: Default::default(), message: None, code };
    served.write(story(call(1), vec![ordered], Cause::Completed));
    for (role, _) in ROLES {
        for asked in ["/v1/facts?limit=100".to_owned(), format!("/v1/facts?limit=100&call={}", call(1))] {
            let page = get(served.at, &asked, &token(role)).json();
            let facts = page["facts"].as_array().expect("a page");
            let own: Vec<&Value> = facts.iter().filter(|fact| fact["kind"] == "ordered").collect();
            assert_eq!((own.len(), own[0]["data"].get("code")), (1, None), "{role} {asked}");
            assert!(!page.to_string().contains("471199"), "{role} {asked}");
        }
    }
}

#[test]
fn what_was_said_in_words_is_for_who_leads_and_who_is_on_that_call() {
    let served = Served::open("words");
    let said = || {
        let line =
            BotLine { who: Voice::Caller, text: "我叫王小明，住建设路 5 号".into(), at_ms: 10 };
        let values = [("street".to_owned(), "建设路 5 号".to_owned())].into();
        vec![
            What::BotTalked {
                bot: "assistant".into(),
                end: BotEnd::Person,
                took_ms: 900,
                lines: vec![line],
                cut: 0,
            },
            What::Ordered { category: "投诉".into(), values, message: None, code: None },
        ]
    };
    let came = |seat: &str| What::SeatAnswered { seat: seat.into(), waited_ms: 10, leg: None };
    let with = |what| [said(), vec![what]].concat();
    served.write(story(call(1), with(came("1001")), Cause::Completed));
    served.write(story(call(2), with(came("1002")), Cause::Completed));
    let confidential = What::Flagged { flag: Flag::Confidential, by: "1001".into() };
    served.write(story(call(3), [with(came("1001")), vec![confidential]].concat(), Cause::Completed));
    for (role, _) in ROLES {
        let leads = ["admin", "supervisor"].contains(&role);
        let watches = ["observer", "trainee"].contains(&role);
        for (id, own) in [(1, true), (2, false), (3, false)] {
            let page = format!("/v1/facts?limit=100&call={}", call(id));
            let page = get(served.at, &page, &token(role)).json().to_string();
            assert_eq!(page.contains("建设路"), leads || own && !watches, "{role} {id}: {page}");
            assert_eq!(page.contains("王小明"), leads || own && !watches, "{role} {id}: {page}");
        }
    }
}
