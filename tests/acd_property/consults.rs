//! Several seats with one call, seats asked into calls that are in no queue, and callers who are pulled.

use hotline::acd::event::{Decision, OfferEnd, Purpose, SeatState};
use hotline::id::{CallId, SeatId};
use hotline::routing::people::Role;
use hotline::routing::queueing::{Queueing, Strategy};

use crate::floor::{Desk, Floor, call, offer, secs, withdraw};

/// 1001 talks with the caller; 1002 and the expert 2001 are free.
fn talking() -> (Floor, CallId) {
    let desks: [Desk; 3] = [("1001", "", "main"), ("1002", "", "main"), ("2001", "tax:9", "")];
    let mut floor = Floor::shaped(&desks, |plan| {
        let expert = plan.seats.get_mut("2001").expect("a seat");
        (expert.role, expert.wrap_up) = (Role::Expert, Some(secs(30)));
    });
    let caller = floor.calls(1);
    assert!(floor.answers(caller, "1001"));
    floor.pass(secs(5));
    floor.decisions();
    (floor, caller)
}

fn asks_in(floor: &mut Floor, caller: CallId, seat: &str, beside: bool) -> bool {
    floor.acd.transfer_to(caller, &[seat.into()], beside, Some(secs(7)), floor.now)
}

fn talks_with(floor: &Floor, seat: &str, caller: CallId) -> bool {
    matches!(floor.state(seat), SeatState::Talking { call, .. } if call == caller)
}

#[test]
fn who_is_asked_in_talks_beside_the_clerk_and_each_leaves_by_itself() {
    let (mut floor, caller) = talking();
    assert!(asks_in(&mut floor, caller, "2001", true));
    let (seat, waited): (SeatId, _) = ("2001".into(), secs(0));
    assert_eq!(
        floor.decisions(),
        [Decision::Offer { call: caller, seat, waited, purpose: Purpose::Consult }]
    );
    assert!(floor.answers(caller, "2001"));
    assert!(talks_with(&floor, "1001", caller) && talks_with(&floor, "2001", caller));
    floor.acd.seat_left(&"2001".into(), caller, floor.now);
    assert_eq!(floor.state("2001"), SeatState::WrapUp { call: caller, ends_at: floor.now + secs(30) });
    assert!(talks_with(&floor, "1001", caller), "the clerk goes on");
    floor.acd.seat_left(&"1001".into(), caller, floor.now);
    assert_eq!(floor.state("1001"), SeatState::WrapUp { call: caller, ends_at: floor.now + secs(10) });
}

#[test]
fn a_word_beside_says_nothing_of_how_long_callers_keep_a_seat() {
    let (mut floor, caller) = talking();
    assert!(asks_in(&mut floor, caller, "2001", true) && floor.answers(caller, "2001"));
    floor.pass(secs(35));
    floor.acd.seat_left(&"2001".into(), caller, floor.now);
    let guess = |floor: &Floor| floor.acd.queues(floor.now)[0].expected_wait;
    assert_eq!(guess(&floor), None);
    floor.acd.seat_left(&"1001".into(), caller, floor.now);
    assert_eq!(guess(&floor), Some(secs(50) / 2), "40 s and the wrap-up, and two clerks are there");
}

#[test]
fn a_caller_who_leaves_leaves_them_all_and_a_telephone_that_vanishes_only_itself() {
    let (mut floor, caller) = talking();
    assert!(asks_in(&mut floor, caller, "2001", true) && floor.answers(caller, "2001"));
    assert!(asks_in(&mut floor, caller, "1002", true) && floor.answers(caller, "1002"));
    floor.acd.seat_vanished(&"1001".into(), floor.now);
    assert!(talks_with(&floor, "1002", caller) && talks_with(&floor, "2001", caller));
    floor.acd.leave(caller, floor.now);
    for seat in ["1002", "2001"] {
        assert!(matches!(floor.state(seat), SeatState::WrapUp { .. }), "{seat}");
    }
    floor.decisions();
}

#[test]
fn of_several_who_talk_nobody_is_through_before_they_say_so() {
    let (mut floor, caller) = talking();
    assert!(asks_in(&mut floor, caller, "2001", true) && floor.answers(caller, "2001"));
    assert!(asks_in(&mut floor, caller, "1002", false) && floor.answers(caller, "1002"));
    assert!(["1001", "1002", "2001"].iter().all(|seat| talks_with(&floor, seat, caller)));
    floor.acd.seat_left(&"1001".into(), caller, floor.now);
    assert!(talks_with(&floor, "2001", caller));
}

#[test]
fn who_does_not_pick_up_rings_as_long_as_was_asked_and_the_clerk_goes_on() {
    let (mut floor, caller) = talking();
    assert!(asks_in(&mut floor, caller, "2001", true));
    assert!(!asks_in(&mut floor, caller, "1002", true), "one at a time");
    floor.decisions();
    floor.pass(secs(7));
    assert_eq!(floor.decisions(), [withdraw(caller, "2001")]);
    assert!(talks_with(&floor, "1001", caller));
    assert!(asks_in(&mut floor, caller, "1002", true));
    floor.decisions();
    floor.acd.offer_failed(caller, &"1002".into(), OfferEnd::CallerGone, floor.now);
    assert!(matches!(floor.state("1002"), SeatState::Ready { .. }), "taken back: it rings for the next");
    let withdrawn = |decision: &Decision| matches!(decision, Decision::Withdraw { .. });
    assert!(!floor.decisions().iter().any(withdrawn), "whoever took it back is not told to");
    assert!(talks_with(&floor, "1001", caller));
}

#[test]
fn a_call_that_is_with_nobody_of_ours_is_offered_by_its_last_queues_rules_or_the_first_ones() {
    let stranger = call(50);
    let (mut floor, caller) = talking();
    floor.acd.seat_left(&"1001".into(), caller, floor.now);
    assert!(floor.acd.transfer_to(caller, &["1002".into()], false, None, floor.now));
    assert!(
        matches!(floor.state("1002"), SeatState::Offered { lapses_at, .. } if lapses_at == floor.now + secs(20))
    );
    assert!(floor.answers(caller, "1002"));
    assert!(asks_in(&mut floor, stranger, "2001", true), "a caller who talks with a sub-center");
    assert!(floor.answers(stranger, "2001"));
    floor.acd.leave(stranger, floor.now);
    assert_eq!(floor.state("2001"), SeatState::WrapUp { call: stranger, ends_at: floor.now + secs(30) });
    let mut floor = Floor::new(&[], &[("1001", "", "")]);
    floor.registers("1001");
    assert!(!asks_in(&mut floor, stranger, "1001", false), "no queue has rules for it");
}

#[test]
fn a_machine_built_anew_takes_up_each_seat_of_a_call() {
    let (mut floor, _) = talking();
    floor.acd.resume_talk(call(2), &"1002".into(), "main".into(), floor.now);
    floor.acd.resume_talk(call(2), &"2001".into(), "main".into(), floor.now);
    floor.acd.resume_talk(call(3), &"2001".into(), "main".into(), floor.now);
    assert!(talks_with(&floor, "1002", call(2)) && talks_with(&floor, "2001", call(2)));
    floor.acd.seat_left(&"1002".into(), call(2), floor.now);
    assert!(talks_with(&floor, "2001", call(2)));
    floor.decisions();
}

#[test]
fn a_caller_is_pulled_to_a_seat_whatever_it_serves() {
    let (mut floor, _) = talking();
    let waits = floor.calls(2);
    let behind = floor.calls(3);
    assert_eq!(floor.rung_for(waits).as_deref(), Some("1002"));
    floor.decisions();
    assert!(floor.acd.pull(behind, &"2001".into(), floor.now));
    assert_eq!(floor.decisions(), [offer(behind, "2001", secs(0))]);
    assert!(!floor.acd.pull(waits, &"2001".into(), floor.now), "it rings already");
    floor.acd.leave(behind, floor.now);
    floor.decisions();
    // What rang for the caller rings no more, and is there for the next.
    let next = floor.calls(4);
    floor.decisions();
    assert!(floor.acd.pull(waits, &"2001".into(), floor.now));
    assert_eq!(
        floor.decisions(),
        [withdraw(waits, "1002"), offer(waits, "2001", secs(0)), offer(next, "1002", secs(0))]
    );
    floor.acd.offer_failed(waits, &"2001".into(), OfferEnd::Rejected, floor.now);
    assert_eq!(floor.acd.position(waits), Some(1), "the place was not lost");
    assert!(
        !floor.acd.pull(call(77), &"1002".into(), floor.now)
            && !floor.acd.pull(call(1), &"1002".into(), floor.now)
    );
}

#[test]
fn a_caller_who_is_pulled_from_many_ringing_seats_rings_at_the_one() {
    let desks: [Desk; 3] = [("1001", "", "main"), ("1002", "", "main"), ("3001", "", "")];
    let mut floor = Floor::ruled(&desks, Queueing { strategy: Strategy::RingAll, ..Queueing::default() });
    let caller = floor.calls(1);
    floor.decisions();
    assert!(floor.acd.pull(caller, &"3001".into(), floor.now));
    assert_eq!(floor.all_rung_for(caller), ["3001"]);
    floor.pass(secs(20));
    assert_eq!(floor.all_rung_for(caller), ["1001", "1002"], "it did not take the caller: all ring again");
}
