//! Callers who gave up, the list of them, and the calls back.

use hotline::id::CallId;
use hotline::phone::{Answers, Dial};
use hotline::routing::Plan;
use hotline::routing::afterwards::Missed;
use hotline::switchboard::fact::{Fact, OutwardPurpose, What};
use hotline::switchboard::missed::MissedView;
use hotline::switchboard::request::{Refusal, Reply, Request};
use hotline::switchboard::{Input, fact::Cause};

use crate::case_outward::{ask, begun, calls_out, far_end};
use crate::city::{City, secs};
use crate::clerk::Who;
use crate::seed::in_a_city_with;

const CITIZEN: &str = "13800000000";

fn lists_missed(plan: &mut Plan) {
    calls_out(plan);
    plan.missed =
        Missed { enabled: true, after: secs(10), keep: secs(3_600), tries: 2, again_after: secs(600) };
}

fn call_back(city: &mut City, missed: CallId, seat: &str) -> Result<Reply, Refusal> {
    ask(city, Request::CallBack { missed, seat: seat.into() })
}

/// The citizen dials and hangs up after so long.
fn gives_up(city: &mut City, citizen: Who, after: u64) {
    city.dials(citizen, "12345");
    city.run_for(secs(after));
    city.hangs_up(citizen);
    assert!(city.run_until(secs(10), |city| city.board.calls().is_empty()));
    city.run_for(secs(1));
}

fn the_one(city: &City) -> MissedView {
    let mut list = city.board.missed();
    assert_eq!(list.len(), 1, "{list:?}");
    list.remove(0)
}

fn settled(city: &City, call: CallId) -> Vec<&'static str> {
    let outcome = |fact: &Fact| match &fact.what {
        What::CallbackSettled { outcome } => Some(outcome.word()),
        _ => None,
    };
    city.store.facts[&call].iter().filter_map(outcome).collect()
}

/// A house that was closed and opened again, told what its predecessor wrote.
fn after_a_restart(city: &mut City) -> Vec<MissedView> {
    let mut facts: Vec<Fact> = city.store.facts.values().flatten().cloned().collect();
    facts.sort_by_key(|fact| (fact.at, fact.call, fact.sequence));
    let dice = city.dice.split();
    let now = city.now();
    let mut board = crate::house::open(city.plan.clone(), city.address, dice, now);
    board.handle_input(Input::RestoreMissed { facts }, now);
    board.missed()
}

#[test]
fn who_gave_up_is_listed_once_and_called_back_by_a_clerk_and_is_settled() {
    in_a_city_with(lists_missed, |city| {
        let citizen = far_end(city, Answers::After(secs(2)));
        gives_up(city, citizen, 5);
        assert!(city.board.missed().is_empty(), "sooner than it is meant");
        gives_up(city, citizen, 15);
        gives_up(city, citizen, 12);
        let listed = the_one(city);
        assert_eq!((listed.number.as_str(), listed.count, listed.tries), (CITIZEN, 2, 0));
        assert!(listed.first_at < listed.last_at);
        assert_eq!(listed.call, city.record_of(citizen).call);
        assert_eq!(after_a_restart(city), std::slice::from_ref(&listed));

        let clerk = city.seat("1001").answers_after(secs(1));
        let call = begun(call_back(city, listed.call, "1001"));
        assert_eq!(the_one(city).trying, Some(call));
        let other = city.seat("1002").answers_after(secs(1));
        assert_eq!(call_back(city, listed.call, "1002"), Err(Refusal::Engaged), "one at a time");
        let joined = |city: &City| city.hears(clerk, citizen) && city.hears(citizen, clerk);
        assert!(city.run_until(secs(10), joined));
        assert!(city.board.missed().is_empty());
        city.hangs_up(clerk);
        city.run_for(secs(3));
        assert_eq!(settled(city, call), ["answered"]);
        let facts = &city.store.facts[&call];
        let told = What::Outward {
            purpose: OutwardPurpose::Missed,
            seat: Some("1001".into()),
            number: CITIZEN.into(),
            of: Some(listed.call),
        };
        assert_eq!(facts[1].what, told);
        assert_eq!(call_back(city, listed.call, "1002"), Err(Refusal::NoSuchCall));
        assert!(after_a_restart(city).is_empty() && city.look_at(other).is_idle());
    });
}

#[test]
fn who_does_not_answer_is_tried_again_later_and_given_up_after_the_last_try() {
    in_a_city_with(lists_missed, |city| {
        let citizen = far_end(city, Answers::Busy);
        gives_up(city, citizen, 15);
        let missed = the_one(city).call;
        let clerk = city.seat("1001").answers_after(secs(1));
        let first = begun(call_back(city, missed, "1001"));
        city.run_for(secs(8));
        let listed = the_one(city);
        assert_eq!((listed.tries, listed.trying), (1, None));
        assert_eq!(call_back(city, missed, "1001"), Err(Refusal::TooSoon));
        let again = after_a_restart(city);
        assert_eq!((again[0].tries, again[0].next_at), (1, listed.next_at));
        city.run_for(secs(600));
        let second = begun(call_back(city, missed, "1001"));
        city.run_for(secs(8));
        assert!(city.board.missed().is_empty());
        assert_eq!((settled(city, first), settled(city, second)), (vec![], vec!["unanswered"]));
        assert!(after_a_restart(city).is_empty() && city.look_at(clerk).is_idle());
    });
}

#[test]
fn a_clerk_who_does_not_pick_up_has_not_tried() {
    in_a_city_with(lists_missed, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        gives_up(city, citizen, 15);
        let missed = the_one(city).call;
        city.seat("1001").rejects();
        begun(call_back(city, missed, "1001"));
        city.run_for(secs(2));
        let listed = the_one(city);
        assert_eq!((listed.tries, listed.next_at, listed.trying), (0, None, None));
        let clerk = city.seat("1002").answers_after(secs(1));
        begun(call_back(city, missed, "1002"));
        assert!(city.run_until(secs(9), |city| city.hears(clerk, citizen)));
        city.hangs_up(clerk);
        city.run_for(secs(2));
    });
}

#[test]
fn who_talks_with_a_clerk_since_is_settled_by_that_call() {
    in_a_city_with(lists_missed, |city| {
        let citizen = far_end(city, Answers::Never);
        gives_up(city, citizen, 15);
        assert_eq!(city.board.missed().len(), 1);
        let clerk = city.seat("1001").answers_after(secs(1));
        city.dials(citizen, "12345");
        assert!(city.run_until(secs(40), |city| city.talks_to(citizen) == Some(clerk)));
        assert!(city.board.missed().is_empty());
        city.hangs_up(citizen);
        city.run_for(secs(3));
        assert_eq!(settled(city, city.record_of(citizen).call), ["answered_since"]);
        assert!(after_a_restart(city).is_empty());
    });
}

#[test]
fn who_overflows_to_a_ticket_is_listed_and_a_withheld_number_is_not() {
    in_a_city_with(lists_missed, |city| {
        let citizen = far_end(city, Answers::Never);
        city.dials(citizen, "12345");
        city.run_for(secs(1));
        assert!(city.run_until(secs(90), |city| city.board.calls().is_empty()), "no seat: a ticket");
        city.run_for(secs(1));
        assert_eq!(city.record_of(citizen).cause, Some(Cause::Completed));
        let mut dial = hotline::phone::Dial::to("12345");
        dial.from_user = Some("anonymous".into());
        city.dials_with(citizen, dial);
        city.run_for(secs(15));
        city.hangs_up(citizen);
        city.run_for(secs(3));
        let numbers: Vec<String> = city.board.missed().into_iter().map(|listed| listed.number).collect();
        assert_eq!(numbers, [CITIZEN]);
        city.run_for(secs(3_600));
        assert!(city.board.missed().is_empty(), "kept for an hour");
    });
}

#[test]
fn nobody_is_called_back_by_an_emergencys_number_and_no_refusal_has_a_number() {
    in_a_city_with(lists_missed, |city| {
        let far = far_end(city, Answers::Never);
        let clerk = city.seat("1001").never_answers();
        for number in ["110", "0014155550100"] {
            let dial = Dial { from_user: Some(number.into()), ..Dial::to("12345") };
            city.dials_with(far, dial);
            city.run_for(secs(30));
            city.hangs_up(far);
            assert!(city.run_until(secs(30), |city| city.board.calls().is_empty()));
            city.run_for(secs(90)); // Seats that did not answer are back.
            let missed = city.board.missed().into_iter().find(|missed| missed.number == number);
            let call = missed.unwrap_or_else(|| panic!("{:?}", city.board.missed())).call;
            city.signs_in(clerk);
            match call_back(city, call, "1001") {
                Err(Refusal::NotInPlan(shown)) => assert!(!shown.contains(number), "{shown}"),
                other => panic!("{number}: {other:?}"),
            }
        }
    });
}
