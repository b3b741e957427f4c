//! A clerk puts a caller through to another seat.

use hotline::acd::event::{AwayWhy, Change, Decision, OfferEnd, Purpose, SeatState};
use hotline::id::{CallId, SeatId};

use crate::floor::{Floor, secs, withdraw};

/// 1001 talks with the caller, 1002 is free.
fn talking() -> (Floor, CallId) {
    let mut floor = Floor::with_desks(&["1001", "1002"]);
    let caller = floor.calls(1);
    assert!(floor.answers(caller, "1001"));
    floor.pass(secs(5));
    floor.decisions();
    (floor, caller)
}

fn put_through(floor: &mut Floor, caller: CallId) -> bool {
    floor.acd.transfer_to(caller, &["1002".into()], false, None, floor.now)
}

#[test]
fn the_other_seat_alone_is_offered_the_caller_and_the_clerk_wraps_up_when_it_answers() {
    let (mut floor, caller) = talking();
    assert!(put_through(&mut floor, caller));
    let rings =
        Decision::Offer { call: caller, seat: "1002".into(), waited: secs(0), purpose: Purpose::Transfer };
    assert_eq!(floor.decisions(), [rings]);
    assert!(matches!(floor.state("1001"), SeatState::Talking { .. }), "until then the clerk has the caller");
    assert!(floor.answers(caller, "1002"));
    assert!(matches!(floor.state("1001"), SeatState::WrapUp { .. }));
    assert_eq!(floor.state("1002"), SeatState::Talking { call: caller, since: floor.now });
    floor.acd.seat_left(&"1001".into(), caller, floor.now);
    assert!(
        matches!(floor.state("1002"), SeatState::Talking { .. }),
        "the clerk's leaving is not the other's"
    );
    floor.acd.seat_left(&"1002".into(), caller, floor.now);
    assert!(matches!(floor.state("1002"), SeatState::WrapUp { .. }));
}

#[test]
fn a_seat_that_is_not_free_is_not_rung() {
    let (mut floor, caller) = talking();
    floor.calls(2);
    floor.decisions();
    assert!(!put_through(&mut floor, caller), "it rings for another");
    let (mut floor, caller) = talking();
    assert!(!floor.acd.transfer_to(caller, &["9999".into()], false, None, floor.now));
    floor.acd.seat_unregistered(&"1002".into(), floor.now);
    assert!(!put_through(&mut floor, caller));
    let (mut floor, caller) = talking();
    assert!(put_through(&mut floor, caller) && !put_through(&mut floor, caller), "once at a time");
    let (mut floor, caller) = talking();
    floor.answers(caller, "1001");
    let waiting = floor.calls(2);
    let behind = floor.calls(3);
    assert!(!put_through(&mut floor, waiting) && !put_through(&mut floor, behind), "who waits is pulled");
}

#[test]
fn an_offer_that_fails_leaves_the_clerk_with_the_caller_row_by_row() {
    let other: SeatId = "1002".into();
    let (mut floor, caller) = talking();
    put_through(&mut floor, caller);
    floor.decisions();
    floor.pass(secs(20));
    assert_eq!(floor.decisions(), [withdraw(caller, "1002")], "it lapsed, and nobody else is offered it");
    assert_eq!(
        floor.state("1002"),
        SeatState::Away { since: floor.now, until: Some(floor.now + secs(60)), why: AwayWhy::Unanswered }
    );
    assert!(!floor.answers(caller, "1002"), "too late");
    assert!(matches!(floor.state("1001"), SeatState::Talking { .. }));
    for (why, rests) in [(OfferEnd::Rejected, Some(60)), (OfferEnd::Unreachable, None)] {
        let (mut floor, caller) = talking();
        put_through(&mut floor, caller);
        floor.acd.offer_failed(caller, &other, why, floor.now);
        let until = rests.map(|rests| floor.now + secs(rests));
        assert_eq!(
            floor.state("1002"),
            SeatState::Away { since: floor.now, until, why: AwayWhy::Unanswered }
        );
        assert!(matches!(floor.state("1001"), SeatState::Talking { .. }));
    }
}

#[test]
fn a_caller_who_leaves_frees_both_and_a_clerk_who_leaves_only_themselves() {
    let (mut floor, caller) = talking();
    put_through(&mut floor, caller);
    floor.decisions();
    floor.acd.leave(caller, floor.now);
    assert_eq!(floor.decisions(), [withdraw(caller, "1002")]);
    assert!(matches!(floor.state("1002"), SeatState::Ready { .. }), "as if it had not rung");
    assert!(matches!(floor.state("1001"), SeatState::WrapUp { .. }));
    let (mut floor, caller) = talking();
    put_through(&mut floor, caller);
    floor.acd.seat_left(&"1001".into(), caller, floor.now);
    assert!(matches!(floor.state("1002"), SeatState::Offered { .. }));
    assert!(floor.answers(caller, "1002"));
}

#[test]
fn a_long_calls_earlier_place_is_not_forgotten_for_calls_that_are_over() {
    let mut floor = Floor::with_desks(&["1001", "1002", "1003"]);
    let (first, second) = (floor.calls(1), floor.calls(2));
    assert!(floor.answers(first, "1001") && floor.answers(second, "1002"));
    for n in 3..4_200 {
        let passing = floor.calls(n);
        floor.serves(passing, "1003");
        floor.acd.call_over(passing);
    }
    floor.acd.seat_engaged(&"1003".into(), floor.now);
    for returns in [second, first] {
        floor.joins(returns, "main", &[], true);
    }
    floor.acd.change(&"1001".into(), Change::Ready, floor.now).expect("its wrap-up is over");
    assert_eq!(floor.rung_for(first).as_deref(), Some("1001"), "it was first");
}
