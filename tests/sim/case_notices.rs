//! Hot notices, judged by what callers hear: when, on which lines, and that a key passes over them.

use std::sync::Arc;
use std::time::Duration;

use hotline::routing::Plan;
use hotline::routing::script::{Act, Menu, Script};
use hotline::switchboard::notices::HotNotice;
use hotline::switchboard::{Input, What};

use crate::city::{City, millis, secs};
use crate::clerk::Who;
use crate::house;
use crate::seed::{in_a_city, in_a_city_with};

/// Prompts that no call here says otherwise; notices say what they say.
const SAID: &str = "after_hours";
const SAID_TOO: &str = "cool_down";

/// Inserted now, says a prompt on these lines from then on for so long.
fn inserts(city: &mut City, id: u64, says: &str, lines: &[&str], after: Duration, lasts: Duration) {
    let now = city.now().wall;
    let notice = HotNotice {
        id,
        text: String::new(),
        prompt: Some(says.into()),
        lines: lines.iter().map(|line| (*line).into()).collect(),
        start: now + after,
        end: now + after + lasts,
        approver: "office".into(),
        reason: "typhoon".into(),
        by: "wang".into(),
        at: now,
    };
    let (_, sound) = house::sounds().into_iter().find(|(id, _)| id.as_str() == says).expect("a prompt");
    city.tell(Input::NoticeAdded { notice: Box::new(notice), sound });
}

/// Calls, listens for so long, hangs up; whether the notice was heard.
fn hears_notice(city: &mut City, caller: Who, number: &str) -> bool {
    city.dials(caller, number);
    city.run_for(secs(20));
    let heard = city.heard(caller, SAID);
    assert!(city.heard(caller, "greeting"), "{number}");
    city.hangs_up(caller);
    city.run_for(secs(1));
    heard
}

/// Names of what the caller was told in the last call, in order, and where the wait began.
fn told(city: &City, caller: Who) -> Vec<String> {
    let record = city.record_of(caller);
    let facts = city.store.facts.get(&record.call).into_iter().flatten();
    let word = |what: &What| match what {
        What::Announced { prompt } => Some(prompt.clone()),
        What::Queued { queue } => Some(format!("queue {queue}")),
        _ => None,
    };
    facts.filter_map(|fact| word(&fact.what)).collect()
}

#[test]
fn who_calls_after_it_was_inserted_hears_it_between_the_greeting_and_the_queue() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(millis(500));
        let before = city.phone("13800000001").dials("12345");
        city.run_for(secs(1));
        inserts(city, 7, SAID, &[], secs(0), secs(3_600));
        assert!(city.run_until(secs(20), |city| city.talks_to(before) == Some(clerk)));
        assert!(!city.heard(before, SAID), "a call that came before goes on as it began");
        city.hangs_up(before);
        city.run_for(secs(60)); // The wrap-up.

        let caller = city.phone("13800000002").dials("12345");
        assert!(city.run_until(secs(40), |city| city.talks_to(caller) == Some(clerk)));
        let (greeting, notice) = (city.heard_at(caller, "greeting"), city.heard_at(caller, SAID));
        assert!(greeting.is_some() && greeting < notice, "{greeting:?} {notice:?}");
        city.hangs_up(caller);
        city.run_for(secs(2));
        assert_eq!(told(city, caller)[..3], ["greeting", "notice/7", "queue main"]);
    });
}

#[test]
fn it_begins_and_ends_by_itself_by_the_citys_clock() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        city.net.sip.delay = millis(0);
        city.clock_says("2021-09-01T09:00:00+08:00");
        inserts(city, 1, SAID, &[], secs(3_600), secs(3_600));
        for (at, heard) in [
            ("2021-09-01T09:59:59+08:00", false),
            ("2021-09-01T10:00:00+08:00", true),
            ("2021-09-01T10:59:59+08:00", true),
            ("2021-09-01T11:00:00+08:00", false),
        ] {
            city.clock_says(at);
            assert_eq!(hears_notice(city, caller, "12345"), heard, "{at}");
        }
        let now = city.now().wall;
        assert_eq!(city.board.notices(now).count(), 0);
        assert_eq!(city.board.take_unheard(now), [], "somebody may hear it still");
        city.clock_says("2021-09-01T11:10:00+08:00");
        let now = city.now().wall;
        assert_eq!(city.board.take_unheard(now).len(), 1);
        assert_eq!(city.board.take_unheard(now), []);
    });
}

#[test]
fn it_is_heard_on_its_lines_and_until_somebody_ends_it_and_a_reload_leaves_it_alone() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        inserts(city, 1, SAID, &["12336", "12366"], secs(0), secs(3_600));
        assert!(hears_notice(city, caller, "12336"));
        assert!(!hears_notice(city, caller, "12345"), "another line");
        city.reloads(|plan| plan.transition.months = 0);
        assert!(hears_notice(city, caller, "12336"));
        city.tell(Input::NoticeEnded { id: 1 });
        assert!(!hears_notice(city, caller, "12336"));
    });
}

#[test]
fn a_key_passes_over_all_notices_to_the_queue() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(millis(500));
        inserts(city, 1, SAID, &[], secs(0), secs(3_600));
        inserts(city, 2, SAID_TOO, &[], secs(0), secs(3_600));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(20), |city| city.heard_at(caller, "greeting").is_some()));
        let announced = |city: &City| {
            let call = city.call_of(caller).expect("it goes on");
            let facts = city.store.facts.get(&call).into_iter().flatten();
            let notice = |what: &What| matches!(what, What::Announced { prompt } if prompt == "notice/1");
            facts.filter(|fact| notice(&fact.what)).count() == 1
        };
        assert!(city.run_until(secs(20), announced));
        city.presses(caller, "1");
        assert!(city.run_until(secs(3), |city| city.talks_to(caller) == Some(clerk)), "before it is through");
        city.run_for(secs(8)); // They hear the seat's number first.
        assert!(city.hears(caller, clerk));
        city.hangs_up(caller);
        city.run_for(secs(2));
        assert_eq!(told(city, caller)[..3], ["greeting", "notice/1", "queue main"]);
    });
}

#[test]
fn an_emergency_center_is_told_nothing() {
    let center = |plan: &mut hotline::routing::Plan| {
        let carrier = plan.trunks.values_mut().next().expect("a trunk");
        carrier.emergency_center = true;
    };
    in_a_city_with(center, |city| {
        inserts(city, 1, SAID, &[], secs(0), secs(3_600));
        let caller = city.phone("110").dials("12345");
        city.run_for(secs(15));
        assert!(!city.heard(caller, SAID));
        assert_eq!(city.state_of(caller), Some("waiting"));
        city.hangs_up(caller);
    });
}

#[test]
fn a_center_that_is_called_first_rings_when_the_caller_has_heard_it() {
    in_a_city(|city| {
        city.net.sip.delay = millis(5);
        inserts(city, 3, SAID, &["12366"], secs(0), secs(3_600));
        let caller = city.phone("13800000003").dials("12366");
        let dialled = |city: &City| city.state_of(caller) == Some("dialling");
        assert!(city.run_until(secs(20), dialled), "{}", city.story());
        assert!(city.heard(caller, SAID), "before anybody answers");
        city.run_for(secs(90)); // Nobody answers there.
        city.hangs_up(caller);
        city.run_for(secs(2));
        let told = told(city, caller);
        assert_eq!(told[0], "notice/3");
        assert_eq!(told.iter().filter(|word| *word == "notice/3").count(), 1, "once: {told:?}");
    });
}

#[test]
fn a_flow_greets_before_it_is_told_and_takes_the_key_that_cuts_it_short() {
    let in_flow = |plan: &mut Plan| {
        let menu = Menu {
            prompt: "transfer_wait".into(),
            keys: [('1', "one".into())].into(),
            wait: secs(5),
            tries: 2,
        };
        for (id, acts) in [
            ("main", vec![Act::Play("greeting".into()), Act::Menu(menu)]),
            ("one", vec![Act::Play("goodbye".into()), Act::HangUp]),
        ] {
            plan.scripts.insert(id.into(), Arc::new(Script { id: id.into(), acts }));
        }
        plan.lines.get_mut("12345").expect("shipped").script = Some("main".into());
    };
    in_a_city_with(in_flow, |city| {
        inserts(city, 4, SAID, &[], secs(0), secs(3_600));
        let caller = city.phone("13800000004").dials("12345");
        let announced = |city: &City| {
            let facts =
                city.call_of(caller).and_then(|call| city.store.facts.get(&call)).into_iter().flatten();
            let notice = |what: &What| matches!(what, What::Announced { prompt } if prompt == "notice/4");
            facts.filter(|fact| notice(&fact.what)).count() == 1
        };
        assert!(city.run_until(secs(20), announced), "{}", city.story());
        city.presses(caller, "1");
        city.run_for(secs(10));
        let greeting = city.heard_at(caller, "greeting");
        assert!(greeting.is_some() && city.heard(caller, "goodbye"), "{}", city.story());
        assert_eq!(told(city, caller), ["greeting", "notice/4", "transfer_wait", "goodbye"]);
    });
}
