//! All free seats ring; the first to pick up has the caller, and the others ring until the bridge stands.

use hotline::acd::event::{AwayWhy, Decision, OfferEnd, Overflow, SeatState};
use hotline::id::CallId;
use hotline::routing::queueing::{Queueing, Strategy};

use crate::floor::{Desk, Floor, call, offer, secs, withdraw};

const DESKS: [Desk; 4] =
    [("1001", "", "main"), ("1002", "", "main"), ("1003", "", "main"), ("1004", "", "night")];

fn rules() -> Queueing {
    Queueing { strategy: Strategy::RingAll, ..Queueing::default() }
}

/// 1001 to 1003 ring for caller 1.
fn ringing() -> (Floor, CallId) {
    let mut floor = Floor::ruled(&DESKS, rules());
    let caller = floor.calls(1);
    (floor, caller)
}

#[test]
fn every_free_seat_that_may_take_the_caller_rings() {
    let (mut floor, caller) = ringing();
    let all = ["1001", "1002", "1003"];
    assert_eq!(floor.decisions(), all.map(|seat| offer(caller, seat, secs(0))));
    let second = floor.calls(2);
    assert_eq!(floor.all_rung_for(second), [""; 0], "all are taken");
    floor.pass(secs(20));
    assert!(floor.all_rung_for(caller).is_empty(), "it rang out everywhere");
    assert_eq!(floor.acd.position(caller), Some(1));
}

#[test]
fn no_more_ring_than_a_call_has_room_for_and_the_next_rings_when_one_does_not() {
    let names: Vec<&str> = (2_000..2_040).map(|n: u32| &*n.to_string().leak()).collect();
    let desks: Vec<Desk> = names.iter().map(|name| (*name, "", "main")).collect();
    let mut floor = Floor::ruled(&desks, rules());
    let caller = floor.calls(1);
    assert_eq!(floor.all_rung_for(caller), names[..32]);
    floor.acd.offer_failed(caller, &"2003".into(), OfferEnd::Rejected, floor.now);
    let rung = floor.all_rung_for(caller);
    assert!(rung.len() == 32 && rung.contains(&"2032".to_owned()) && !rung.contains(&"2003".to_owned()));
    let next = floor.calls(2);
    assert_eq!(floor.all_rung_for(next).len(), 7, "those that are left");
    assert!(floor.answers(caller, "2032"));
    floor.acd.bridged(caller, floor.now);
    assert_eq!(floor.acd.check(), Ok(()));
    assert_eq!(floor.all_rung_for(next).len(), 32);
}

#[test]
fn the_first_wins_and_the_others_ring_until_the_bridge_stands() {
    let (mut floor, caller) = ringing();
    floor.decisions();
    assert!(floor.answers(caller, "1002"));
    assert_eq!(floor.decisions(), []);
    assert_eq!(floor.all_rung_for(caller), ["1001", "1003"]);
    assert_eq!(floor.acd.position(caller), Some(1), "nothing is lost yet");
    floor.acd.bridged(caller, floor.now);
    assert_eq!(floor.decisions(), [withdraw(caller, "1001"), withdraw(caller, "1003")]);
    assert!(matches!(floor.state("1001"), SeatState::Ready { .. }));
    assert_eq!(floor.acd.position(caller), None);
    floor.acd.bridged(caller, floor.now);
    assert_eq!(floor.decisions(), [], "twice is once");
}

#[test]
fn who_comes_second_hears_no_and_is_free() {
    let (mut floor, caller) = ringing();
    assert!(floor.answers(caller, "1002"));
    assert!(!floor.answers(caller, "1003"));
    assert!(matches!(floor.state("1003"), SeatState::Ready { .. }));
    assert_eq!(floor.all_rung_for(caller), ["1001"]);
    assert!(!floor.answers(caller, "1001"));
    assert_eq!(floor.acd.position(caller), None, "with nobody left to fall back upon the place is no use");
    assert!(matches!(floor.state("1002"), SeatState::Talking { .. }));
    floor.decisions();
}

#[test]
fn if_the_first_ones_answer_comes_to_nothing_the_others_are_ringing_still() {
    type Fails = fn(&mut Floor, CallId);
    let table: [(Fails, AwayWhy); 3] = [
        (
            |floor, caller| {
                floor.acd.offer_failed(caller, &"1002".into(), OfferEnd::Unreachable, floor.now);
            },
            AwayWhy::Unanswered,
        ),
        (
            |floor, caller| floor.acd.offer_failed(caller, &"1002".into(), OfferEnd::Rejected, floor.now),
            AwayWhy::Unanswered,
        ),
        (|floor, _| floor.acd.seat_vanished(&"1002".into(), floor.now), AwayWhy::Vanished),
    ];
    for (fails, why) in table {
        let (mut floor, caller) = ringing();
        assert!(floor.answers(caller, "1002"));
        floor.decisions();
        fails(&mut floor, caller);
        assert_eq!(floor.decisions(), []);
        assert!(matches!(floor.state("1002"), SeatState::Away { why: is, .. } if is == why));
        assert_eq!(floor.all_rung_for(caller), ["1001", "1003"]);
        assert!(floor.answers(caller, "1001"));
    }
    let (mut floor, caller) = ringing();
    assert!(floor.answers(caller, "1002"));
    floor.acd.seat_left(&"1002".into(), caller, floor.now);
    assert!(matches!(floor.state("1002"), SeatState::WrapUp { .. }));
    assert!(floor.answers(caller, "1003"));
    floor.decisions();
}

#[test]
fn a_seat_that_becomes_free_rings_too_for_the_first_in_line() {
    let mut floor = Floor::ruled(&DESKS, rules());
    let talks = floor.calls(1);
    assert!(floor.answers(talks, "1001"));
    floor.acd.bridged(talks, floor.now);
    let caller = floor.calls(2);
    let behind = floor.calls(3);
    floor.decisions();
    floor.pass(secs(3));
    floor.acd.leave(talks, floor.now);
    floor.pass(secs(10));
    assert_eq!(floor.decisions(), [offer(caller, "1001", secs(13))]);
    // One lapses after another: the caller is rung for all the while and hears no announcement.
    floor.pass(secs(7));
    assert_eq!(floor.decisions(), [withdraw(caller, "1002"), withdraw(caller, "1003")]);
    assert_eq!(floor.all_rung_for(caller), ["1001"]);
    assert!(floor.all_rung_for(behind).is_empty());
    floor.pass(secs(13));
    let rang_out = floor.decisions();
    assert!(rang_out.contains(&withdraw(caller, "1001")));
    assert!(
        rang_out
            .iter()
            .any(|decision| matches!(decision, Decision::Announce { call, .. } if *call == caller))
    );
}

#[test]
fn a_caller_who_leaves_ends_all_ringing() {
    let (mut floor, caller) = ringing();
    floor.decisions();
    floor.acd.leave(caller, floor.now);
    let all = ["1001", "1002", "1003"];
    assert_eq!(floor.decisions(), all.map(|seat| withdraw(caller, seat)));
    let (mut floor, caller) = ringing();
    assert!(floor.answers(caller, "1001"));
    floor.decisions();
    floor.acd.leave(caller, floor.now);
    assert_eq!(floor.decisions(), [withdraw(caller, "1002"), withdraw(caller, "1003")]);
    assert!(matches!(floor.state("1001"), SeatState::WrapUp { .. }));
}

#[test]
fn the_longest_wait_ends_it_though_seats_come_and_go_all_the_while() {
    let mut floor = Floor::shaped(&DESKS, |plan| {
        let main = plan.queues.get_mut("main").expect("a queue");
        (main.rules, main.wait_max, main.away) = (rules(), secs(50), Some(secs(5)));
    });
    floor.acd.seat_unregistered(&"1002".into(), floor.now);
    floor.acd.seat_unregistered(&"1003".into(), floor.now);
    let caller = floor.calls(1);
    floor.pass(secs(10));
    floor.registers("1002"); // From now on there is always one that rings.
    floor.pass(secs(100));
    let decided = floor.decisions();
    let last = decided.last().expect("an end");
    assert!(
        matches!(last, Decision::Overflow { call, why: Overflow::WaitedTooLong, waited, .. }
            if *call == caller && *waited >= secs(50) && *waited < secs(75)),
        "{last:?}"
    );
    assert_eq!(call(1), caller);
}
