//! Telephones that are gone without a word: nobody is left on the line with the dead.

use hotline::acd::event::SeatState;
use hotline::switchboard::What;
use hotline::switchboard::fact::Cause;

use crate::city::{City, secs};
use crate::clerk::Who;
use crate::desk::has;
use crate::seed::in_a_city;

/// A caller and a clerk who talk.
fn talking(city: &mut City) -> (Who, Who) {
    let clerk = city.seat("1001").answers_after(secs(1));
    let caller = city.phone("13800000001").dials("12345");
    assert!(city.run_until(secs(12), |city| city.talks_to(caller) == Some(clerk)));
    city.run_for(secs(5));
    (caller, clerk)
}

fn is_talking(city: &City, clerk: Who) -> bool {
    matches!(city.seat_state(clerk), SeatState::Talking { .. })
}

#[test]
fn a_caller_who_vanishes_leaves_the_seat_free_within_20_s() {
    in_a_city(|city| {
        let (caller, clerk) = talking(city);
        city.vanishes(caller);
        assert!(city.run_until(secs(20), |city| !is_talking(city, clerk)));
        city.run_for(secs(1));
        assert!(city.look_at(clerk).is_idle(), "the clerk's phone is hung up");
        assert!(matches!(city.seat_state(clerk), SeatState::WrapUp { .. }));
        city.run_for(secs(3));
        assert_eq!(city.record_of(caller).cause, Some(Cause::CallerVanished));
    });
}

#[test]
fn a_clerk_who_vanishes_costs_the_caller_20_s_a_word_and_no_place_in_the_queue() {
    in_a_city(|city| {
        let (caller, clerk) = talking(city);
        let second = city.phone("13800000002").dials("12345");
        city.run_for(secs(10));
        assert_eq!(city.state_of(second), Some("waiting"));
        city.vanishes(clerk);
        assert!(city.run_until(secs(20), |city| !is_talking(city, clerk)));
        assert!(matches!(city.seat_state(clerk), SeatState::Away { until: None, .. }));
        city.run_for(secs(7));
        assert!(city.heard(caller, "seat_lost"));
        assert_eq!(city.state_of(caller), Some("waiting"));

        let next = city.seat("1002").answers_after(secs(1));
        assert!(city.run_until(secs(5), |city| city.talks_to(caller) == Some(next)), "before the other one");
        city.run_for(secs(5));
        assert!(city.hears(caller, next) && city.hears(next, caller));
        city.hangs_up(caller);
        city.hangs_up(second);
        city.run_for(secs(3));
        let facts = &city.store.facts[&city.record_of(caller).call];
        assert!(has(facts, |what| matches!(what, What::SeatLeft { vanished: true, .. })));
        assert_eq!(city.record_of(caller).seat, Some("1002".into()));
    });
}

#[test]
fn a_clerk_who_comes_back_after_vanishing_is_rung_again() {
    in_a_city(|city| {
        let (caller, clerk) = talking(city);
        city.vanishes(clerk);
        assert!(city.run_until(secs(20), |city| !is_talking(city, clerk)));
        city.gets_a_new_phone(clerk);
        city.signs_in(clerk);
        assert!(city.run_until(secs(10), |city| city.talks_to(caller) == Some(clerk)));
        city.run_for(secs(5));
        assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
        city.hangs_up(caller);
    });
}

#[test]
fn a_clerk_who_vanishes_while_holding_does_not_leave_the_caller_with_music_for_ever() {
    in_a_city(|city| {
        let (caller, clerk) = talking(city);
        city.order(clerk, |phone, now| phone.hold(now));
        city.run_for(secs(3));
        assert!(!city.hears(caller, clerk));
        city.vanishes(clerk);
        assert!(city.run_until(secs(20), |city| !is_talking(city, clerk)), "within 20 s");
        city.hangs_up(caller);
    });
}

#[test]
fn a_caller_who_vanishes_while_holding_leaves_the_seat_free_within_20_s() {
    in_a_city(|city| {
        let (caller, clerk) = talking(city);
        city.order(caller, |phone, now| phone.hold(now));
        city.run_for(secs(3));
        city.vanishes(caller);
        assert!(city.run_until(secs(20), |city| !is_talking(city, clerk)));
    });
}

#[test]
fn a_hold_of_five_minutes_ends_by_the_clerks_wish_and_not_before() {
    in_a_city(|city| {
        let (caller, clerk) = talking(city);
        city.order(clerk, |phone, now| phone.hold(now));
        city.run_for(secs(300));
        assert!(is_talking(city, clerk) && city.talks_to(caller) == Some(clerk));
        city.order(clerk, |phone, now| phone.resume(now));
        city.run_for(secs(1));
        assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
        city.hangs_up(caller);
    });
}

#[test]
fn a_caller_who_vanishes_in_the_queue_is_forgotten_within_20_s() {
    in_a_city(|city| {
        let clerk = city.seat("1001").never_answers();
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(secs(7));
        city.vanishes(caller);
        assert!(city.run_until(secs(20), |city| city.call_of(caller).is_none()));
        city.run_for(secs(2));
        assert!(city.look_at(clerk).is_idle(), "nobody rings for the dead");
    });
}

#[test]
fn a_caller_who_vanishes_before_the_answer_is_forgotten_in_time() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").dials("12345");
        city.vanishes(caller);
        city.run_for(secs(36));
        assert!(city.call_of(caller).is_none());
        city.run_for(secs(2));
        assert_eq!(city.record_of(caller).cause, Some(Cause::CallerVanished));
    });
}

#[test]
fn two_phones_that_send_nothing_when_nobody_speaks_are_left_in_peace() {
    in_a_city(|city| {
        // Neither sound nor reports: only OPTIONS can tell that they are there.
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").waits();
        for who in [clerk, caller] {
            city.falls_silent(who);
        }
        city.dials(caller, "12345");
        assert!(city.run_until(secs(12), |city| city.talks_to(caller) == Some(clerk)));
        city.run_for(secs(120));
        assert_eq!(city.talks_to(caller), Some(clerk));
        assert!(city.said(city.address, "OPTIONS") > 4);
        city.hangs_up(caller);
    });
}
