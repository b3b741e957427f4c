//! Places of callers who hung up and are called back.

use hotline::acd::event::{Decision, OfferEnd, Purpose, SeatState};
use hotline::id::CallId;
use hotline::routing::queueing::{CallbackOffer, Queueing, Strategy};
use std::time::Duration;

use crate::floor::{Desk, Floor, call, offer, secs, withdraw};

const DESKS: [Desk; 2] = [("1001", "", "main"), ("1002", "", "main")];

fn rules() -> Queueing {
    let (after, key, tries, again_after, keep) = (secs(0), '1', 3, secs(60), secs(600));
    let callback = Some(CallbackOffer { after, key, tries, again_after, keep });
    Queueing { callback, ..Queueing::default() }
}

/// Both clerks talk; callers 1, 2 and 3 wait, and the second has hung up.
fn kept(strategy: Strategy) -> Floor {
    let mut floor = Floor::ruled(&DESKS, Queueing { strategy, ..rules() });
    for (n, seat) in [(8, "1001"), (9, "1002")] {
        let caller = floor.calls(n);
        let rung = floor.all_rung_for(caller);
        assert!(rung.iter().any(|rung| rung == seat) && floor.answers(caller, seat));
        floor.acd.bridged(caller, floor.now);
    }
    (1..4).for_each(|n| {
        floor.calls(n);
    });
    assert!(floor.acd.keep_place(call(2), floor.now));
    floor.decisions();
    floor
}

fn call_back(call: CallId, seat: &str, waited: Duration) -> Decision {
    Decision::Offer { call, seat: seat.into(), waited, purpose: Purpose::Callback }
}

fn expired(call: CallId, waited_s: u64) -> Decision {
    Decision::PlaceExpired { call, queue: "main".into(), waited: secs(waited_s) }
}

/// A clerk is through with whoever it is, and free.
fn frees(floor: &mut Floor, caller: CallId, seat: &str) {
    floor.acd.seat_left(&seat.into(), caller, floor.now);
    floor.acd.change(&seat.into(), hotline::acd::event::Change::Ready, floor.now).expect("wrapped up");
}

#[test]
fn the_place_stays_in_line_and_is_offered_when_it_is_its_turn() {
    let mut floor = kept(Strategy::LongestIdle);
    assert!(floor.acd.is_kept(call(2)) && !floor.acd.is_kept(call(1)));
    assert_eq!(floor.acd.position(call(3)), Some(3), "it counts for those behind");
    let view = &floor.acd.queues(floor.now)[0];
    assert_eq!((view.waiting, view.kept), (2, 1));
    frees(&mut floor, call(8), "1001");
    assert_eq!(floor.decisions(), [offer(call(1), "1001", secs(0))]);
    floor.pass(secs(5));
    frees(&mut floor, call(9), "1002");
    assert_eq!(floor.decisions(), [call_back(call(2), "1002", secs(5))]);
    assert!(floor.answers(call(2), "1002"));
    assert_eq!(floor.acd.position(call(3)), Some(3), "until the caller is reached");
    floor.acd.bridged(call(2), floor.now);
    assert_eq!((floor.acd.position(call(2)), floor.acd.position(call(3))), (None, Some(2)));
    assert!(matches!(floor.state("1002"), SeatState::Talking { call: with, .. } if with == call(2)));
}

#[test]
fn it_hears_no_announcement_and_overflows_by_no_rule_of_those_who_listen() {
    let mut floor = kept(Strategy::LongestIdle);
    floor.acd.leave(call(1), floor.now);
    floor.acd.leave(call(3), floor.now);
    floor.acd.seat_vanished(&"1001".into(), floor.now);
    floor.acd.seat_vanished(&"1002".into(), floor.now);
    floor.pass(secs(599));
    assert_eq!(floor.decisions(), [], "wait_max is 300 s and no_seat_wait 30 s");
    floor.pass(secs(1));
    assert_eq!(floor.decisions(), [expired(call(2), 600)]);
    assert!(!floor.acd.is_kept(call(2)));
}

#[test]
fn a_caller_who_was_not_reached_is_passed_over_and_tried_again_in_the_same_place() {
    let mut floor = kept(Strategy::LongestIdle);
    frees(&mut floor, call(8), "1001");
    frees(&mut floor, call(9), "1002");
    assert!(floor.answers(call(1), "1001") && floor.answers(call(2), "1002"));
    floor.decisions();
    floor.acd.callback_failed(call(2), Some(floor.now + secs(60)), floor.now);
    assert_eq!(floor.decisions(), []);
    frees(&mut floor, call(2), "1002");
    assert_eq!(floor.decisions(), [offer(call(3), "1002", secs(0))], "the next one is not held up");
    assert!(floor.answers(call(3), "1002"));
    let fourth = floor.calls(4);
    assert_eq!((floor.acd.position(call(2)), floor.acd.position(fourth)), (Some(1), Some(2)));
    floor.pass(secs(60));
    frees(&mut floor, call(3), "1002");
    let decided = floor.decisions();
    assert_eq!(decided.last(), Some(&call_back(call(2), "1002", secs(60))), "before the fourth");
    assert!(floor.answers(call(2), "1002"));
    floor.acd.callback_failed(call(2), None, floor.now);
    assert_eq!(floor.acd.position(fourth), Some(1), "given up");
}

#[test]
fn an_attempts_seat_may_leave_before_or_after_the_word_of_it() {
    for seat_first in [true, false] {
        let mut floor = kept(Strategy::LongestIdle);
        floor.acd.leave(call(1), floor.now);
        floor.acd.leave(call(3), floor.now);
        frees(&mut floor, call(8), "1001");
        assert!(floor.answers(call(2), "1001"));
        floor.acd.leave(call(9), floor.now);
        floor.decisions();
        if seat_first {
            floor.acd.seat_left(&"1001".into(), call(2), floor.now);
            floor.pass(secs(20));
            assert_eq!(floor.decisions(), [], "one attempt at a time, though two seats are free");
            floor.acd.callback_failed(call(2), Some(floor.now), floor.now);
        } else {
            floor.pass(secs(20));
            floor.acd.callback_failed(call(2), Some(floor.now), floor.now);
            floor.acd.seat_left(&"1001".into(), call(2), floor.now);
        }
        let decided = floor.decisions();
        assert!(matches!(&decided[..], [Decision::Offer { purpose: Purpose::Callback, .. }]), "{decided:?}");
    }
}

#[test]
fn an_attempt_of_which_nobody_tells_ends_with_the_place() {
    let mut floor = kept(Strategy::LongestIdle);
    frees(&mut floor, call(8), "1001");
    floor.acd.leave(call(1), floor.now);
    assert!(floor.answers(call(2), "1001"));
    floor.acd.seat_left(&"1001".into(), call(2), floor.now);
    floor.acd.leave(call(3), floor.now);
    floor.decisions();
    floor.pass(secs(600));
    assert_eq!(floor.decisions(), [expired(call(2), 600)]);
    let mut floor = kept(Strategy::LongestIdle);
    frees(&mut floor, call(8), "1001");
    floor.acd.leave(call(1), floor.now);
    floor.acd.leave(call(3), floor.now);
    assert!(floor.answers(call(2), "1001"));
    floor.pass(secs(700));
    assert!(floor.acd.is_kept(call(2)), "the clerk is at it");
    floor.acd.callback_failed(call(2), Some(floor.now), floor.now);
    assert!(floor.decisions().contains(&expired(call(2), 700)));
}

#[test]
fn a_seat_that_does_not_take_it_passes_it_on_and_all_ring_for_nobody_who_hung_up() {
    let mut floor = kept(Strategy::RingAll);
    floor.acd.leave(call(1), floor.now);
    floor.acd.leave(call(3), floor.now);
    frees(&mut floor, call(8), "1001");
    frees(&mut floor, call(9), "1002");
    assert_eq!(floor.decisions(), [call_back(call(2), "1001", secs(0))], "one at a time");
    floor.acd.offer_failed(call(2), &"1001".into(), OfferEnd::Rejected, floor.now);
    assert_eq!(floor.decisions(), [call_back(call(2), "1002", secs(0))]);
    assert!(floor.answers(call(2), "1002"));
    floor.acd.offer_failed(call(2), &"1002".into(), OfferEnd::Unreachable, floor.now);
    assert_eq!(floor.acd.position(call(2)), Some(1), "whose answer came to nothing has reached nobody");
    floor.registers("1001");
    assert_eq!(floor.decisions(), [call_back(call(2), "1001", secs(0))]);
}

#[test]
fn a_caller_who_hangs_up_under_ringing_seats_is_called_back_by_one() {
    let mut floor = Floor::ruled(&DESKS, Queueing { strategy: Strategy::RingAll, ..rules() });
    let caller = floor.calls(1);
    floor.decisions();
    assert!(floor.acd.keep_place(caller, floor.now));
    let expected = [withdraw(caller, "1001"), withdraw(caller, "1002"), call_back(caller, "1001", secs(0))];
    assert_eq!(floor.decisions(), expected);
    assert!(!floor.acd.keep_place(caller, floor.now), "once");
    floor.acd.leave(caller, floor.now);
    assert_eq!(floor.decisions(), [withdraw(caller, "1001")]);
}

#[test]
fn no_place_is_kept_without_a_rule_or_for_who_does_not_wait() {
    let mut floor = Floor::with_desks(&["1001"]);
    let talks = floor.calls(1);
    assert!(floor.answers(talks, "1001"));
    let waits = floor.calls(2);
    assert!(!floor.acd.keep_place(waits, floor.now), "the queue has no rule for it");
    let mut floor = kept(Strategy::RingAll);
    assert!(!floor.acd.keep_place(call(8), floor.now), "who talks has no place");
    assert!(!floor.acd.keep_place(call(77), floor.now));
    frees(&mut floor, call(8), "1001");
    floor.registers("1001");
    frees(&mut floor, call(9), "1002");
    assert_eq!(floor.all_rung_for(call(1)), ["1001", "1002"]);
    assert!(floor.answers(call(1), "1001"));
    assert!(!floor.acd.keep_place(call(1), floor.now), "a clerk has just picked up");
    floor.acd.callback_failed(call(1), None, floor.now);
    assert_eq!(floor.acd.position(call(1)), Some(1), "nobody was to be called back");
}
