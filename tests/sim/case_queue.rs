//! Who waits, for how long, and what is said meanwhile.

use hotline::acd::event::{OfferEnd, Overflow, SeatState};
use hotline::phone::Answers;
use hotline::routing::Plan;
use hotline::routing::queueing::Strategy;
use hotline::switchboard::What;

use crate::city::{City, millis, secs};
use crate::clerk::Who;
use crate::seed::{in_a_city, in_a_city_with};

fn closed(city: &City, caller: Who) -> bool {
    city.call_of(caller).is_none()
}

#[test]
fn where_nobody_is_signed_in_the_caller_gets_a_word_and_a_ticket_after_the_configured_wait() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(secs(24));
        assert_eq!(city.state_of(caller), Some("waiting"), "5 s greeting and 20 s without a seat");
        city.run_for(secs(2));
        assert_eq!(city.state_of(caller), Some("prompt"));
        assert!(city.run_until(secs(40), |city| closed(city, caller)), "never music for ever");
        city.run_for(secs(1));
        assert!(city.heard(caller, "no_seat") && city.heard(caller, "ticket_number"));
        let record = city.record_of(caller);
        assert_eq!(record.overflow, Some(Overflow::NoSeat));
        assert_eq!(record.ticket_left.as_deref(), Some("overflow"));
        assert!((19_900..20_200).contains(&record.waited_ms), "{}", record.waited_ms);
    });
}

#[test]
fn a_clerk_who_signs_in_gets_whoever_has_waited_longest() {
    in_a_city(|city| {
        let first = city.phone("13800000001").dials("12345");
        city.run_for(secs(2));
        let second = city.phone("13800000002").dials("12348");
        city.run_for(secs(8));
        let clerk = city.seat("1001").answers_after(secs(1));
        assert!(city.run_until(secs(3), |city| city.talks_to(first) == Some(clerk)));
        assert_eq!(city.state_of(second), Some("waiting"));
        city.hangs_up(first);
        city.hangs_up(second);
    });
}

#[test]
fn callers_are_served_in_the_order_in_which_they_came() {
    in_a_city_with(
        |plan| plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(2)),
        |city| {
            let clerk = city.seat("1001").talks_for(secs(6)).answers_after(secs(1));
            let callers: Vec<Who> = ["12345", "12315", "12369", "12345", "12328"]
                .iter()
                .enumerate()
                .map(|(n, number)| {
                    let caller = city.phone(&format!("1380000000{n}")).dials(number);
                    city.run_for(millis(300));
                    caller
                })
                .collect();
            for caller in &callers {
                assert!(city.run_until(secs(30), |city| city.talks_to(*caller) == Some(clerk)), "{caller:?}");
            }
            city.run_for(secs(30));
            let waits: Vec<u64> = callers.iter().map(|caller| city.record_of(*caller).waited_ms).collect();
            assert!(waits.is_sorted(), "{waits:?}");
        },
    );
}

#[test]
fn who_waits_hears_position_and_expected_wait_at_intervals() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        // One conversation, so that there is something to go by.
        let earlier = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(10), |city| city.talks_to(earlier) == Some(clerk)));
        city.run_for(secs(20));
        city.hangs_up(earlier);
        assert!(city.run_until(secs(40), |city| matches!(city.seat_state(clerk), SeatState::Ready { .. })));

        let talks = city.phone("13800000002").dials("12345");
        assert!(city.run_until(secs(10), |city| city.talks_to(talks) == Some(clerk)));
        let next = city.phone("13800000003").dials("12345");
        city.run_for(secs(1));
        let last = city.phone("13800000004").dials("12345");
        city.run_for(secs(75));
        for caller in [next, last] {
            let at: Vec<_> = [0, 30, 60]
                .iter()
                .map(|from| city.heard_after(caller, "queue_hold_on", secs(*from)).expect("each half minute"))
                .collect();
            let gap = at[2] - at[1];
            assert!((millis(29_900)..millis(30_100)).contains(&gap), "{at:?}");
            assert!(city.heard(caller, "queue_wait_before"));
            assert!(city.heard(caller, "hold_music"));
        }
        assert!(city.heard(next, "queue_next") && !city.heard(next, "queue_ahead_after"));
        assert!(city.heard(last, "queue_ahead_after") && !city.heard(last, "queue_next"));
        for caller in [talks, next, last] {
            city.hangs_up(caller);
        }
    });
}

#[test]
fn after_the_longest_wait_a_ticket_is_left_though_clerks_are_busy() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let talks = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(10), |city| city.talks_to(talks) == Some(clerk)));
        let waits = city.phone("13800000002").dials("12336");
        city.run_for(secs(310));
        assert_eq!(city.state_of(waits), Some("waiting"), "9.6 s and 4.9 s of prompts first");
        assert!(city.run_until(secs(60), |city| closed(city, waits)));
        city.run_for(secs(1));
        let record = city.record_of(waits);
        assert_eq!(record.overflow, Some(Overflow::WaitedTooLong));
        assert_eq!(record.ticket_left.as_deref(), Some("overflow"));
        city.hangs_up(talks);
    });
}

#[test]
fn a_full_queue_sends_the_next_caller_on_with_a_ticket() {
    in_a_city_with(
        |plan| plan.queues.values_mut().for_each(|queue| queue.length_max = 2),
        |city| {
            let clerk = city.seat("1001").answers_after(secs(1));
            let talks = city.phone("13800000001").dials("12345");
            assert!(city.run_until(secs(10), |city| city.talks_to(talks) == Some(clerk)));
            let waiting =
                [city.phone("13800000002").dials("12345"), city.phone("13800000003").dials("12345")];
            city.run_for(secs(8));
            let one_more = city.phone("13800000004").dials("12345");
            city.run_for(secs(30));
            assert!(closed(city, one_more));
            assert_eq!(city.record_of(one_more).overflow, Some(Overflow::Full));
            assert!(waiting.iter().all(|caller| city.state_of(*caller) == Some("waiting")));
            for caller in waiting.into_iter().chain([talks]) {
                city.hangs_up(caller);
            }
        },
    );
}

#[test]
fn a_caller_who_gives_up_hands_the_ringing_seat_to_the_next_one_without_blame_for_the_clerk() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(4));
        let first = city.phone("13800000001").dials("12345");
        city.run_for(millis(500));
        let second = city.phone("13800000002").dials("12345");
        assert!(city.run_until(secs(10), |city| city.state_of(second) == Some("waiting")));
        city.hangs_up(first);
        assert!(city.run_until(secs(8), |city| city.talks_to(second) == Some(clerk)));
        city.hangs_up(second);
    });
}

#[test]
fn a_cancel_that_is_lost_blames_no_clerk_for_the_next_call_that_comes_too_soon() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(4));
        let first = city.phone("13800000001").dials("12345");
        city.run_for(millis(500));
        let second = city.phone("13800000002").dials("12345");
        assert!(city.run_until(secs(10), |city| city.state_of(second) == Some("waiting")));
        let desk = city.address;
        city.net.loses("CANCEL", desk, 1);
        city.hangs_up(first); // The phone still rings for the first caller when the seat is free again.
        assert!(city.run_until(secs(8), |city| city.talks_to(second) == Some(clerk)));
        assert_eq!(city.record_of(second).offers, 1);
        city.hangs_up(second);
    });
}

#[test]
fn a_bye_that_is_lost_blames_no_clerk_who_takes_calls_without_a_pause() {
    in_a_city_with(
        |plan| plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(0)),
        |city| {
            let clerk = city.seat("1001").answers_after(secs(1));
            let first = city.phone("13800000001").dials("12345");
            assert!(city.run_until(secs(10), |city| city.talks_to(first) == Some(clerk)));
            let second = city.phone("13800000002").dials("12345");
            assert!(city.run_until(secs(10), |city| city.state_of(second) == Some("waiting")));
            let desk = city.address;
            city.net.loses("BYE", desk, 1);
            city.hangs_up(first);
            assert!(city.run_until(secs(4), |city| city.talks_to(second) == Some(clerk)));
            assert_eq!(city.record_of(second).offers, 1);
            city.hangs_up(second);
        },
    );
}

#[test]
fn of_seats_that_ring_together_those_that_are_not_needed_have_missed_nothing() {
    let decided = |plan: &mut Plan| {
        plan.queues.get_mut("main").expect("the shipped queue").rules.strategy = Strategy::RingAll;
    };
    in_a_city_with(decided, |city| {
        let slow = city.seat("1001").answers_after(secs(9));
        let quick = city.seat("1002").answers_after(secs(2));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(30), |city| city.hears(caller, quick) && city.hears(quick, caller)));
        assert!(matches!(city.seat_state(slow), SeatState::Ready { .. }));
        city.hangs_up(caller);
        city.run_for(secs(3));
        let told = &city.store.facts[&city.record_of(caller).call];
        let ended = told.iter().filter_map(|fact| match &fact.what {
            What::OfferEnded { seat, why } => Some((seat.as_str(), *why)),
            _ => None,
        });
        assert_eq!(ended.collect::<Vec<_>>(), [("1001", OfferEnd::CallerGone)]);
    });
}

/// Its telephone is held back until it is done with the call before: a caller whom another seat has by then
/// is not gone for that.
#[test]
fn where_all_ring_a_seat_that_comes_late_is_free_and_the_first_talks_on() {
    let all_ring = |plan: &mut Plan| {
        plan.queues.get_mut("main").expect("shipped").rules.strategy = Strategy::RingAll;
    };
    in_a_city_with(all_ring, |city| {
        let clerks = ["1001", "1002"].map(|seat| city.seat(seat).never_answers());
        let first = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(20), |city| city.state_of(first) == Some("ringing")));
        let next = city.phone("13800000002").dials("12345");
        assert!(city.run_until(secs(20), |city| city.state_of(next) == Some("waiting")));
        for clerk in clerks {
            city.telephone(clerk).phone.set_answers(Answers::After(millis(100)));
        }
        let desk = city.address;
        city.net.loses("CANCEL", desk, 1);
        city.hangs_up(first);
        assert!(city.run_until(secs(5), |city| city.talks_to(next).is_some()));
        let taker = city.talks_to(next);
        city.run_for(secs(12));
        assert_eq!(city.talks_to(next), taker, "as it was");
        let other = clerks.into_iter().find(|clerk| Some(*clerk) != taker).expect("two");
        assert!(matches!(city.seat_state(other), SeatState::Ready { .. }), "{:?}", city.seat_state(other));
        city.hangs_up(next);
        city.run_for(secs(2));
    });
}
