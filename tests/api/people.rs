//! Seats, queues, calls and missed callers as people see them; numbers as far as they need them.

use hotline::switchboard::fact::{Cause, What};
use serde_json::{Value, json};

use crate::client::get;
use crate::document::is_valid;
use crate::fixture::{CALLER, OWNER, ROLES, Served, call, plan, story, token, until};

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
    let answered = |seat: &str| vec![What::SeatAnswered { seat: seat.into(), waited_ms: 10 }];
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
fn callers_who_gave_up_waiting_are_listed_and_others_are_not() {
    let served = Served::open("missed");
    let queued = || What::Queued { queue: "main".into() };
    let seat = || What::SeatAnswered { seat: "1001".into(), waited_ms: 10 };
    served.write(story(call(1), vec![queued()], Cause::CallerHungUp));
    served.write(story(call(2), vec![queued(), seat()], Cause::CallerHungUp));
    served.write(story(call(3), vec![], Cause::CallerHungUp));
    served.write(story(call(4), vec![queued()], Cause::Completed));
    served.write(story(call(5), vec![queued()], Cause::CallerVanished));
    // Rows of calls follow their facts a little later.
    until("their rows", || served.reader().abandoned(9).unwrap().len() == 2);
    for (role, shown) in [("supervisor", CALLER), ("clerk", "138******42")] {
        let missed = get(served.at, "/v1/missed", &token(role)).json();
        assert_eq!(each("MissedView", &missed), 2);
        let calls: Vec<_> = missed.as_array().unwrap().iter().map(|one| one["call"].clone()).collect();
        assert_eq!(calls, [json!(call(5).to_string()), json!(call(1).to_string())], "newest first");
        let first = &missed[1];
        let expected = (&json!("main"), &json!(shown), &json!(41_000));
        assert_eq!((&first["queue"], &first["caller"], &first["lasted_ms"]), expected);
    }
}
