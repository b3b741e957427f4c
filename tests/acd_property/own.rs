//! Clerks who are in a call of their own: nobody is offered to them, and nothing else changes.

use hotline::acd::event::{OfferEnd, SeatState};

use crate::floor::{Floor, offer, secs};

fn is_away(floor: &Floor) -> bool {
    matches!(floor.state("1001"), SeatState::Away { until: None, .. })
}

#[test]
fn a_clerk_in_a_call_of_its_own_is_offered_nobody_until_it_is_over() {
    let mut floor = Floor::with_desks(&["1001"]);
    floor.acd.seat_engaged(&"1001".into(), floor.now);
    floor.acd.seat_engaged(&"1001".into(), floor.now);
    let caller = floor.calls(1);
    floor.pass(secs(5));
    floor.registers("1001");
    assert!(is_away(&floor), "a refresh of its registration says nothing of its call");
    floor.acd.seat_disengaged(&"1001".into(), floor.now);
    assert_eq!(floor.rung_for(caller), None, "one of two is over");
    floor.decisions();
    floor.acd.seat_disengaged(&"1001".into(), floor.now);
    let wanted = offer(caller, "1001", secs(5));
    assert_eq!(floor.decisions(), [wanted]);
}

#[test]
fn what_rings_or_talks_already_is_not_disturbed_and_the_seat_is_set_aside_after_it() {
    let mut floor = Floor::with_desks(&["1001"]);
    let caller = floor.calls(1);
    floor.acd.seat_engaged(&"1001".into(), floor.now);
    assert!(matches!(floor.state("1001"), SeatState::Offered { .. }));
    assert!(floor.answers(caller, "1001"));
    floor.acd.seat_left(&"1001".into(), caller, floor.now);
    floor.pass(secs(60));
    assert!(is_away(&floor), "its wrap-up is over");
    floor.acd.seat_disengaged(&"1001".into(), floor.now);
    assert_eq!(floor.state("1001"), SeatState::Ready { since: floor.now });
}

#[test]
fn a_seat_that_is_away_for_another_reason_stays_so_after_its_own_call() {
    let mut floor = Floor::with_desks(&["1001"]);
    let caller = floor.calls(1);
    floor.acd.seat_engaged(&"1001".into(), floor.now);
    floor.acd.offer_failed(caller, &"1001".into(), OfferEnd::Unreachable, floor.now);
    floor.acd.seat_disengaged(&"1001".into(), floor.now);
    assert!(is_away(&floor), "until its next REGISTER");
    floor.registers("1001");
    assert_eq!(floor.rung_for(caller).as_deref(), Some("1001"));
}
