//! Clerks who are in a call of their own: nobody is offered to them, and nothing else changes.

use hotline::acd::event::{Change, OfferEnd, SeatState};

use crate::floor::{Floor, call, offer, secs};

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
    floor.acd.seat_disengaged(&"1001".into(), None, floor.now);
    assert_eq!(floor.rung_for(caller), None, "one of two is over");
    floor.decisions();
    floor.acd.seat_disengaged(&"1001".into(), None, floor.now);
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
    floor.acd.seat_disengaged(&"1001".into(), None, floor.now);
    assert_eq!(floor.state("1001"), SeatState::Ready { since: floor.now });
}

#[test]
fn a_seat_that_is_away_for_another_reason_stays_so_after_its_own_call() {
    let mut floor = Floor::with_desks(&["1001"]);
    let caller = floor.calls(1);
    floor.acd.seat_engaged(&"1001".into(), floor.now);
    floor.acd.offer_failed(caller, &"1001".into(), OfferEnd::Unreachable, floor.now);
    floor.acd.seat_disengaged(&"1001".into(), None, floor.now);
    assert!(is_away(&floor), "until its next REGISTER");
    floor.registers("1001");
    assert_eq!(floor.rung_for(caller).as_deref(), Some("1001"));
}

/// A caller who called out like that finishes the case like any other, and is offered nobody meanwhile.
#[test]
fn who_talked_in_a_call_of_its_own_finishes_that_case_before_the_next_caller() {
    let mut floor = Floor::with_desks(&["1001"]);
    let caller = floor.calls(1);
    floor.acd.leave(caller, floor.now);
    let desk = "1001".into();
    floor.acd.seat_engaged(&desk, floor.now);
    floor.acd.seat_engaged(&desk, floor.now);
    let caller = floor.calls(2);
    floor.acd.seat_disengaged(&desk, Some(call(77)), floor.now);
    floor.pass(secs(5));
    assert!(is_away(&floor), "its other call goes on");
    floor.acd.seat_disengaged(&desk, None, floor.now);
    let ends_at = floor.now + secs(10);
    assert_eq!(floor.state("1001"), SeatState::WrapUp { call: call(77), ends_at });
    floor.acd.change(&desk, Change::MoreWrapUp(secs(5)), floor.now).expect("it wraps up");
    floor.pass(secs(14));
    assert_eq!(floor.rung_for(caller), None);
    floor.pass(secs(1));
    assert_eq!(floor.rung_for(caller).as_deref(), Some("1001"));
}

#[test]
fn the_wrap_up_is_the_seats_own_or_its_queues_and_a_seat_without_a_queue_has_none() {
    let desks = [("1001", "", "night main"), ("1002", "", "main"), ("1003", "", "")];
    let mut floor = Floor::shaped(&desks, |plan| {
        plan.queues.get_mut("night").expect("a queue").wrap_up = secs(40);
        for seat in ["1002", "1003"] {
            plan.seats.get_mut(seat).expect("a seat").wrap_up = Some(secs(7));
        }
    });
    for (desk, wrap_up) in [("1001", Some(40)), ("1002", Some(7)), ("1003", None)] {
        let id = desk.into();
        floor.acd.seat_engaged(&id, floor.now);
        floor.acd.seat_disengaged(&id, Some(call(77)), floor.now);
        let wanted = match wrap_up {
            Some(wrap_up) => SeatState::WrapUp { call: call(77), ends_at: floor.now + secs(wrap_up) },
            None => SeatState::Ready { since: floor.now },
        };
        assert_eq!(floor.state(desk), wanted, "{desk}");
    }
    // Who said that they are away goes then, and a case before it is not cut short by one behind it.
    let desk = "1002".into();
    floor.acd.seat_engaged(&desk, floor.now);
    floor.pass(secs(6));
    floor.acd.change(&desk, Change::MoreWrapUp(secs(60)), floor.now).expect("it wraps up");
    let ends_at = floor.now + secs(61);
    floor.acd.seat_disengaged(&desk, Some(call(78)), floor.now);
    assert_eq!(floor.state("1002"), SeatState::WrapUp { call: call(78), ends_at });
    let desk = "1001".into();
    floor.acd.seat_engaged(&desk, floor.now);
    floor.acd.change(&desk, Change::Away { reason: "lunch".into() }, floor.now).expect("it is known");
    floor.acd.seat_disengaged(&desk, Some(call(79)), floor.now);
    assert!(is_away(&floor), "{:?}", floor.state("1001"));
}

/// A supervisor whom a surge calls to the queue takes over the call that they listened to.
#[test]
fn a_seat_that_is_spoken_for_is_offered_to_nobody_who_waits() {
    let desk = "1001".into();
    let engaged = || {
        let mut floor = Floor::with_desks(&["1001"]);
        floor.acd.seat_engaged(&desk, floor.now);
        let waits = floor.calls(1);
        floor.decisions();
        floor.acd.seat_spoken_for(&desk, floor.now);
        (floor, waits)
    };
    let (mut floor, waits) = engaged();
    let other = call(77);
    let now = floor.now;
    assert!(floor.acd.transfer_to(other, std::slice::from_ref(&desk), false, None, now));
    floor.acd.seat_unclaimed(&desk, now);
    assert_eq!(floor.rung_for(other).as_deref(), Some("1001"));
    assert_eq!(floor.rung_for(waits), None);
    let (mut floor, waits) = engaged();
    floor.acd.seat_unclaimed(&desk, floor.now);
    assert_eq!(floor.rung_for(waits).as_deref(), Some("1001"), "nobody took it");
    floor.decisions();
}
