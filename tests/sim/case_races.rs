//! Messages that cross, are lost, or come when nobody waits for them any more.

use hotline::acd::event::SeatState;
use hotline::phone::PhoneEvent;
use hotline::switchboard::fact::Cause;

use crate::city::{City, millis, secs};
use crate::clerk::{Deed, Who};
use crate::seed::{in_a_city, in_a_city_with};

fn answered(event: &PhoneEvent) -> bool {
    matches!(event, PhoneEvent::Answered)
}

fn is_ready(city: &City, clerk: Who) -> bool {
    matches!(city.seat_state(clerk), SeatState::Ready { .. })
}

#[test]
fn a_cancel_that_crosses_our_200_ends_the_call_all_the_same_whichever_comes_first() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        let mut causes = Vec::new();
        for after in 0..60 {
            // Our 200 leaves 13 ms after the INVITE, on average; a hang-up each millisecond around it.
            city.dials(caller, "12345");
            city.later_in_this_call(millis(after), caller, Deed::HangUp);
            assert!(city.run_until(secs(3), |city| city.look_at(caller).is_idle()), "after {after} ms");
            city.run_for(secs(2));
            causes.push(city.record_of(caller).cause.expect("an end"));
        }
        assert!(causes.contains(&Cause::CallerHungUp));
        assert!(causes.iter().all(|cause| matches!(cause, Cause::CallerHungUp | Cause::CallerCancelled)));
        assert_eq!(city.records_of(caller).len(), 60);
    });
}

#[test]
fn a_cancel_that_comes_before_our_200_is_answered_487() {
    in_a_city(|city| {
        city.disk_is(crate::desk::Disk::Takes(millis(200)));
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(millis(100));
        city.hangs_up(caller);
        city.run_for(secs(2));
        assert_eq!(city.record_of(caller).cause, Some(Cause::CallerCancelled));
        assert_eq!(city.said(city.address, "487 INVITE"), 1);
        assert_eq!(city.said(city.address, "200 INVITE"), 0);
    });
}

#[test]
fn a_caller_who_hangs_up_in_the_moment_when_the_clerk_answers_leaves_nobody_alone_on_the_line() {
    in_a_city_with(
        |plan| plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(1)),
        |city| {
            let clerk = city.seat("1001").answers_after(secs(1));
            let caller = city.phone("13800000001").waits();
            for shift in 0..50 {
                city.dials(caller, "12345");
                let rings = |city: &City| matches!(city.seat_state(clerk), SeatState::Offered { .. });
                assert!(city.run_until(secs(10), rings));
                // The clerk's 200 leaves 1 s after the ringing came.
                city.later_in_this_call(millis(985 + shift), caller, Deed::HangUp);
                city.run_for(secs(3));
                assert!(city.call_of(caller).is_none(), "the call is over, shift {shift}");
                assert!(city.look_at(clerk).is_idle(), "the clerk's phone is free, shift {shift}");
                assert!(is_ready(city, clerk), "shift {shift}: {:?}", city.seat_state(clerk));
            }
        },
    );
}

#[test]
fn a_200_without_an_ack_is_repeated_for_32_s_and_then_hung_up() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        let from = city.look_at(caller).sip;
        city.net.loses("ACK", from, u32::MAX);
        city.dials(caller, "12345");
        city.run_for(secs(31));
        assert_eq!(city.said(city.address, "BYE"), 0);
        city.run_for(secs(2));
        // RFC 3261 §13.3.1.4: 0, 0.5, 1.5, 3.5, 7.5 and each 4 s more.
        assert_eq!(city.said(city.address, "200 INVITE"), 11);
        assert_eq!(city.said(city.address, "BYE"), 1);
        assert!(city.look_at(caller).is_idle());
        city.run_for(secs(1));
        assert_eq!(city.record_of(caller).cause, Some(Cause::CallerVanished));
    });
}

#[test]
fn an_ack_that_is_lost_once_costs_nothing() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").waits();
        let (outside, desk) = (city.look_at(caller).sip, city.address);
        city.net.loses("ACK", outside, 1);
        city.net.loses("ACK", desk, 1); // Ours for the clerk's 200.
        city.dials(caller, "12345");
        city.run_for(secs(15));
        assert_eq!(city.talks_to(caller), Some(clerk));
        assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
        city.hangs_up(caller);
        city.run_for(secs(1));
        assert_eq!(city.record_of(caller).cause, Some(Cause::CallerHungUp));
    });
}

#[test]
fn a_caller_whose_bye_never_comes_is_found_out_by_silence_and_the_seat_is_free_within_20_s() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(secs(15));
        assert_eq!(city.talks_to(caller), Some(clerk));
        let from = city.look_at(caller).sip;
        city.net.loses("BYE", from, u32::MAX);
        city.hangs_up(caller);
        assert!(city.run_until(secs(20), |city| city.talks_to(caller).is_none()), "within 20 s");
        city.run_for(secs(3));
        assert!(city.look_at(clerk).is_idle());
        assert_eq!(city.record_of(caller).cause, Some(Cause::CallerVanished));
    });
}

#[test]
fn a_clerk_whose_bye_never_comes_is_found_out_by_silence_and_the_caller_gets_the_next_clerk() {
    in_a_city(|city| {
        let first = city.seat("1001").answers_after(secs(1));
        let next = city.seat("1002").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(secs(15));
        assert_eq!(city.talks_to(caller), Some(first));
        let from = city.look_at(first).sip;
        city.net.loses("BYE", from, u32::MAX);
        city.hangs_up(first);
        assert!(city.run_until(secs(22), |city| city.talks_to(caller) == Some(next)));
        city.hangs_up(caller);
    });
}

#[test]
fn a_bye_of_ours_that_is_lost_is_sent_again() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(secs(15));
        let desk = city.address;
        city.net.loses("BYE", desk, 3);
        city.hangs_up(caller);
        city.run_for(secs(5));
        assert!(city.look_at(clerk).is_idle());
        assert_eq!(city.said(desk, "BYE"), 4); // 0, 0.5, 1.5, 3.5 s
    });
}

#[test]
fn a_bye_that_crosses_our_answer_to_a_reinvite_ends_the_call() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").waits();
        for gap in [0, 3, 9, 11, 15, 19, 21, 25] {
            city.dials(caller, "12345");
            assert!(city.run_until(secs(50), |city| city.talks_to(caller) == Some(clerk)));
            city.run_for(secs(5));
            city.order(caller, |phone, now| phone.hold(now));
            city.later_in_this_call(millis(gap), caller, Deed::HangUp);
            city.run_for(secs(2));
            assert!(city.call_of(caller).is_none(), "{gap} ms after the re-INVITE");
            assert!(city.look_at(clerk).is_idle());
            assert_eq!(city.record_of(caller).cause, Some(Cause::CallerHungUp));
        }
    });
}

#[test]
fn two_byes_that_cross_end_the_call_once() {
    in_a_city_with(
        |plan| {
            plan.survey.enabled = false;
            plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(1));
        },
        |city| {
            let clerk = city.seat("1001").answers_after(secs(1));
            let caller = city.phone("13800000001").waits();
            for gap in 0..25 {
                city.dials(caller, "12345");
                assert!(city.run_until(secs(10), |city| city.talks_to(caller) == Some(clerk)));
                city.run_for(secs(4));
                // The clerk's BYE makes us send one to the caller, whose own is on its way.
                city.hangs_up(clerk);
                city.later_in_this_call(millis(gap), caller, Deed::HangUp);
                city.run_for(secs(2));
                assert!(city.look_at(caller).is_idle() && city.look_at(clerk).is_idle());
                assert!(city.call_of(caller).is_none(), "{gap} ms apart");
                assert!(is_ready(city, clerk));
            }
            assert_eq!(city.records_of(caller).len(), 25);
        },
    );
}

#[test]
fn an_invite_and_all_its_answers_may_be_lost_a_few_times() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").waits();
        let (outside, seat, desk) = (city.look_at(caller).sip, city.look_at(clerk).sip, city.address);
        city.net.loses("INVITE", outside, 2);
        city.net.loses("200 INVITE", desk, 2);
        city.net.loses("INVITE", desk, 2);
        city.net.loses("200 INVITE", seat, 2);
        city.dials(caller, "12345");
        assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(clerk)));
        city.run_for(secs(8));
        assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
        assert!(city.saw(caller, answered));
        city.hangs_up(caller);
    });
}

#[test]
fn a_bye_that_overtakes_the_ack_ends_the_call() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        let from = city.look_at(caller).sip;
        city.net.holds("ACK", from, millis(400));
        city.dials(caller, "12345");
        city.run_for(millis(200));
        city.hangs_up(caller);
        city.run_for(secs(2));
        assert!(city.call_of(caller).is_none());
        assert_eq!(city.record_of(caller).cause, Some(Cause::CallerHungUp));
    });
}

#[test]
fn an_answer_of_the_clerk_that_comes_after_the_ringing_was_given_up_is_released() {
    in_a_city(|city| {
        let first = city.seat("1001").answers_after(secs(1));
        let next = city.seat("1002").answers_after(secs(1));
        let seat = city.look_at(first).sip;
        city.net.loses("200 INVITE", seat, 8); // The ninth comes 23.5 s after the first (RFC 3261 §13.3.1.4).
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(next)));
        assert!(!city.look_at(first).is_idle(), "its clerk thinks that somebody is there");
        city.run_for(secs(8));
        assert!(city.look_at(first).is_idle(), "ACK and BYE let the clerk go");
        assert!(city.hears(caller, next) && city.hears(next, caller));
        city.hangs_up(caller);
    });
}

#[test]
fn a_reinvite_without_an_answer_of_ours_in_time_is_asked_again_and_the_talk_goes_on() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(12), |city| city.talks_to(caller) == Some(clerk)));
        city.run_for(secs(5));
        let (outside, desk) = (city.look_at(caller).sip, city.address);
        city.net.loses("re-INVITE", outside, 2);
        city.net.loses("200 INVITE", desk, 2);
        city.order(caller, |phone, now| phone.hold(now));
        city.run_for(secs(10));
        assert!(city.saw(caller, |event| matches!(event, PhoneEvent::Renegotiated { status: Some(200) })));
        assert!(city.heard(clerk, "hold_music"));
        city.order(caller, |phone, now| phone.resume(now));
        city.run_for(secs(2));
        assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
        city.hangs_up(caller);
    });
}
