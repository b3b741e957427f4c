//! A seat rings: answered, rung out, refused, given up.

use hotline::acd::event::{OfferEnd, SeatState};
use hotline::phone::PhoneEvent;
use hotline::switchboard::What;

use crate::city::{millis, secs};
use crate::clerk::Deed;
use crate::desk::has;
use crate::seed::in_a_city;

#[test]
fn a_caller_is_greeted_queued_and_talks_with_a_clerk_until_one_of_them_hangs_up() {
    in_a_city(|city| {
        let clerk = city.seat("1001").talks_for(secs(8)).answers_after(secs(2));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(20), |city| city.talks_to(caller) == Some(clerk)));
        city.run_for(secs(5)); // Both hear the seat's number first.
        assert!(city.hears(caller, clerk), "the caller hears the clerk");
        assert!(city.hears(clerk, caller), "the clerk hears the caller");
        assert!(city.run_until(secs(10), |city| city.state_of(caller) == Some("survey")));
        city.run_for(secs(3));
        city.presses(caller, "2");
        assert!(city.run_until(secs(20), |city| city.call_of(caller).is_none()));
        city.run_for(secs(1));

        for prompt in ["greeting", "gonghao", "survey", "survey_thanks"] {
            assert!(city.heard(caller, prompt), "{prompt}");
        }
        assert!(!city.heard(caller, "transition"));
        let record = city.record_of(caller);
        assert_eq!((record.seat, record.grade), (Some("1001".into()), Some(2)));
        assert!(
            (4_000..8_000).contains(&record.talked_ms),
            "the number is said first: {} ms",
            record.talked_ms
        );
        assert!(record.recording.is_some() && !record.undurable);
    });
}

#[test]
fn a_caller_who_gives_up_while_a_seat_rings_frees_it_within_100_ms() {
    in_a_city(|city| {
        let clerk = city.seat("1001").never_answers();
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(20), |city| {
            city.saw(clerk, |event| matches!(event, PhoneEvent::IncomingCall { .. }))
        }));
        city.run_for(secs(3));
        let hung_up = city.mono;
        city.hangs_up(caller);
        let gone = |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { .. });
        assert!(city.run_until(secs(5), |city| city.saw(clerk, gone)));
        let heard = city.saw_at(clerk, gone).unwrap().since(hung_up);
        assert!(
            heard <= millis(100),
            "{heard:?} after the caller hung up, two ways through the network included"
        );
        assert!(matches!(city.seat_state(clerk), SeatState::Ready { .. }), "it is not the clerk's fault");
        city.run_for(secs(1));
        let call = city.record_of(caller).call;
        let ended = |what: &What| matches!(what, What::OfferEnded { why: OfferEnd::CallerGone, .. });
        assert!(has(&city.store.facts[&call], ended));
    });
}

#[test]
fn a_seat_that_lets_it_ring_out_is_away_until_its_next_register_and_the_next_one_rings() {
    in_a_city(|city| {
        let deaf = city.seat("1001").never_answers();
        let next = city.seat("1002").answers_after(secs(2));
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(secs(15));
        assert!(matches!(city.seat_state(deaf), SeatState::Offered { .. }), "longest idle");
        city.run_for(secs(15)); // 5 s greeting, 20 s ringing, 2 s until the next one answers.
        assert_eq!(city.talks_to(caller), Some(next));
        assert!(matches!(city.seat_state(deaf), SeatState::Away { .. }));
        city.signs_in(deaf);
        assert!(matches!(city.seat_state(deaf), SeatState::Ready { .. }));
        city.hangs_up(caller);
    });
}

#[test]
fn a_seat_that_rings_out_comes_back_after_the_time_that_the_plan_gives() {
    in_a_city(|city| {
        let clerk = city.seat("1001").never_answers();
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(secs(30));
        let SeatState::Away { until: Some(until), .. } = city.seat_state(clerk) else {
            panic!("{:?}", city.seat_state(clerk));
        };
        assert!(until.since(city.mono) <= secs(180));
        city.hangs_up(caller);
        let back =
            city.run_until(secs(200), |city| matches!(city.seat_state(clerk), SeatState::Ready { .. }));
        assert!(back);
    });
}

#[test]
fn a_seat_that_rejects_is_passed_over_at_once() {
    in_a_city(|city| {
        let busy = city.seat("1001").rejects();
        let next = city.seat("1002").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(10), |city| city.talks_to(caller) == Some(next)));
        assert!(matches!(city.seat_state(busy), SeatState::Away { .. }));
        city.hangs_up(caller);
        city.run_for(secs(2));
        let facts = &city.store.facts[&city.record_of(caller).call];
        assert!(has(facts, |what| matches!(what, What::OfferEnded { why: OfferEnd::Rejected, .. })));
    });
}

#[test]
fn a_seat_that_goes_dead_while_it_rings_costs_the_caller_one_ringing_time() {
    in_a_city(|city| {
        let dead = city.seat("1001").vanishes_ringing(secs(1));
        let next = city.seat("1002").answers_after(secs(2));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(next)));
        assert!(matches!(city.seat_state(dead), SeatState::Away { .. }));
        city.hangs_up(caller);
    });
}

#[test]
fn a_dead_seat_that_never_rings_is_passed_over_after_four_seconds() {
    in_a_city(|city| {
        let dead = city.seat("1001").answers_after(secs(1));
        let next = city.seat("1002").answers_after(secs(1));
        city.vanishes(dead);
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(12), |city| city.talks_to(caller) == Some(next)));
        assert!(matches!(city.seat_state(dead), SeatState::Away { until: None, .. }));
        city.hangs_up(caller);
    });
}

#[test]
fn a_seat_that_answers_an_offer_which_has_just_lapsed_is_let_go_and_the_caller_keeps_the_place() {
    in_a_city(|city| {
        // The answer is on its way while the ringing time runs out.
        let late = city.seat("1001").answers_after(millis(19_995));
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(secs(40));
        assert_eq!(city.talks_to(caller), None);
        assert_eq!(city.state_of(caller), Some("waiting"));
        assert!(city.look_at(late).is_idle(), "the clerk's phone is free again");
        assert!(matches!(city.seat_state(late), SeatState::Away { .. }));
        let second = city.seat("1002").answers_after(secs(1));
        assert!(city.run_until(secs(5), |city| city.talks_to(caller) == Some(second)));
        city.later(secs(4), caller, Deed::HangUp);
        city.run_for(secs(10));
        assert_eq!(city.record_of(caller).seat, Some("1002".into()));
    });
}
