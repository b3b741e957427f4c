//! Citizens are called later and asked whether they were helped.

use hotline::id::TrunkId;
use hotline::phone::{Answers, PhoneEvent};
use hotline::routing::Plan;
use hotline::routing::afterwards::FollowUp;
use hotline::routing::people::{Band, Hours};
use hotline::switchboard::fact::{Cause, Fact, OutwardPurpose};
use hotline::switchboard::{Input, What};
use hotline::telemetry::CallRecord;

use crate::case_outward::{calls_out, far_end};
use crate::city::{City, secs};
use crate::clerk::Who;
use crate::desk::has;
use crate::seed::in_a_city_with;

const CITIZEN: &str = "13800000000";

/// Nobody is asked in the call itself.
fn asks_later(plan: &mut Plan) {
    calls_out(plan);
    plan.survey.enabled = false;
    plan.follow_up = FollowUp {
        enabled: true,
        percent: 100,
        hours: Hours::default(),
        tries: 2,
        again_after: secs(3_600),
        at_once: 1,
    };
}

/// The citizen talks with a clerk, who is off for the rest of the day.
fn talks(city: &mut City, citizen: Who) {
    let clerk = city.seat("1001").answers_after(secs(1));
    city.dials(citizen, "12345");
    assert!(city.run_until(secs(40), |city| city.talks_to(citizen) == Some(clerk)));
    city.run_for(secs(8));
    city.hangs_up(citizen);
    city.run_for(secs(3));
    city.signs_out(clerk);
}

fn rung(city: &City, who: Who) -> usize {
    let events = city.look_at(who).events.iter();
    events.filter(|(_, event)| matches!(event, PhoneEvent::IncomingCall { .. })).count()
}

fn asked(city: &City) -> Vec<CallRecord> {
    let mut records = city.store.records();
    records.retain(|record| record.trunk == TrunkId::from("house"));
    records
}

/// How many a house that was closed and opened again has yet to ask.
fn after_a_restart(city: &mut City) -> usize {
    let mut facts: Vec<Fact> = city.store.facts.values().flatten().cloned().collect();
    facts.sort_by_key(|fact| (fact.at, fact.call, fact.sequence));
    let (dice, now) = (city.dice.split(), city.now());
    let mut board = crate::house::open(city.plan.clone(), city.address, dice, now);
    board.handle_input(Input::RestoreFollowUps { facts }, now);
    board.follow_ups().0
}

#[test]
fn a_citizen_is_called_later_asked_and_the_grade_is_on_the_call_that_asked() {
    in_a_city_with(asks_later, |city| {
        let citizen = far_end(city, Answers::After(secs(2)));
        talks(city, citizen);
        let of = city.record_of(citizen).call;
        assert_eq!((city.board.follow_ups().0, after_a_restart(city)), (1, 1));
        city.run_for(secs(29 * 60));
        assert_eq!(rung(city, citizen), 0, "not at once");
        assert!(city.run_until(secs(120), |city| rung(city, citizen) == 1));
        assert_eq!(city.board.follow_ups().0, 1);
        city.run_for(secs(15));
        assert!(city.heard(citizen, "survey"));
        city.presses(citizen, "2");
        assert!(city.run_until(secs(30), |city| city.look_at(citizen).is_idle()));
        city.run_for(secs(2));
        assert!(city.heard(citizen, "survey_thanks"));
        let record = asked(city).remove(0);
        assert_eq!((record.line.as_str(), record.caller.as_str()), ("12345", CITIZEN));
        assert_eq!((record.grade, record.cause), (Some(2), Some(Cause::Completed)));
        assert_eq!(record.peer.as_deref(), Some("outward/13800000000"));
        let told = What::Outward {
            purpose: OutwardPurpose::FollowUp,
            seat: None,
            number: CITIZEN.into(),
            of: Some(of),
        };
        assert!(has(&city.store.facts[&record.call], |what| *what == told));
        assert_eq!((city.board.follow_ups(), after_a_restart(city)), ((0, 0), 0));
        city.run_for(secs(2 * 3_600));
        assert_eq!(rung(city, citizen), 1, "once is enough");
    });
}

#[test]
fn who_does_not_answer_is_tried_again_and_then_left_in_peace() {
    in_a_city_with(asks_later, |city| {
        let citizen = far_end(city, Answers::Never);
        talks(city, citizen);
        city.run_for(secs(32 * 60));
        assert_eq!((rung(city, citizen), after_a_restart(city)), (1, 1));
        assert!(city.look_at(citizen).is_idle(), "rung no longer than the plan says");
        city.run_for(secs(3_600));
        assert_eq!((rung(city, citizen), city.board.follow_ups().0, after_a_restart(city)), (2, 0, 0));
        assert!(asked(city).iter().all(|record| record.cause == Some(Cause::Refused(408))));
        city.run_for(secs(3 * 3_600));
        assert_eq!(rung(city, citizen), 2);
    });
}

#[test]
fn nobody_is_called_out_of_hours_nor_while_they_are_on_the_line() {
    let in_the_afternoon = |plan: &mut Plan| {
        asks_later(plan);
        let days = vec![jiff::civil::Weekday::Wednesday];
        let (from, to) = (jiff::civil::time(14, 0, 0, 0), jiff::civil::time(18, 0, 0, 0));
        plan.follow_up.hours = Hours::weekly(vec![Band { days, from, to }]);
    };
    in_a_city_with(in_the_afternoon, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        talks(city, citizen); // At nine on a Wednesday.
        city.run_for(secs(4 * 3_600));
        assert_eq!(rung(city, citizen), 0);
        city.run_for(secs(50 * 60));
        city.dials(citizen, "12345");
        city.run_for(secs(15));
        let other = city.seat("1002").answers_after(secs(1));
        assert!(city.run_until(secs(40), |city| city.talks_to(citizen) == Some(other)));
        city.run_for(secs(15 * 60));
        assert_eq!(rung(city, citizen), 0, "the line is in use");
        city.hangs_up(citizen);
        assert!(city.run_until(secs(90), |city| rung(city, citizen) == 1));
        city.hangs_up(citizen);
        city.run_for(secs(5));
    });
}

#[test]
fn who_gave_a_grade_or_is_not_among_the_chosen_is_not_asked() {
    let none = |plan: &mut Plan| {
        asks_later(plan);
        plan.follow_up.percent = 0;
    };
    in_a_city_with(none, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        talks(city, citizen);
        assert_eq!(city.board.follow_ups(), (0, 0));
    });
    let at_once = |plan: &mut Plan| {
        asks_later(plan);
        plan.survey.enabled = true;
    };
    in_a_city_with(at_once, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        let clerk = city.seat("1001").talks_for(secs(8)).answers_after(secs(1));
        city.dials(citizen, "12345");
        assert!(city.run_until(secs(60), |city| city.state_of(citizen) == Some("survey")));
        city.run_for(secs(2));
        city.presses(citizen, "1");
        city.run_for(secs(20));
        assert!(city.look_at(citizen).is_idle() && city.record_of(citizen).grade == Some(1));
        assert_eq!((city.board.follow_ups().0, after_a_restart(city)), (0, 0));
        assert!(city.look_at(clerk).is_idle());
    });
}
