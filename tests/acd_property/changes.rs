//! What clerks and supervisors say of seats.

use hotline::acd::event::{AwayWhy, Change, OfferEnd, SeatState, Unchanged};
use hotline::id::CallId;
use hotline::time::Instant;

use crate::floor::{Floor, call, secs};

fn lunch() -> Change {
    Change::Away { reason: "lunch".into() }
}

fn says(floor: &mut Floor, change: Change) -> Result<(), Unchanged> {
    floor.acd.change(&"1001".into(), change, floor.now)
}

fn away(why: AwayWhy, since: Instant, until: Option<Instant>) -> SeatState {
    SeatState::Away { since, until, why }
}

fn said(since: Instant) -> SeatState {
    away(AwayWhy::Said("lunch".into()), since, None)
}

/// 1001 talks with caller 1.
fn talking() -> (Floor, CallId) {
    let mut floor = Floor::with_desks(&["1001"]);
    let caller = floor.calls(1);
    assert!(floor.answers(caller, "1001"));
    floor.pass(secs(5));
    (floor, caller)
}

/// 1001 wraps up after caller 1, for 10 s.
fn wrapping_up() -> (Floor, CallId) {
    let (mut floor, caller) = talking();
    floor.acd.leave(caller, floor.now);
    (floor, caller)
}

#[test]
fn a_free_seat_is_away_at_once_and_back_by_its_clerks_word_alone() {
    let mut floor = Floor::with_desks(&["1001"]);
    says(&mut floor, lunch()).expect("it may");
    let since = floor.now;
    assert_eq!(floor.state("1001"), said(since));
    floor.pass(secs(3));
    floor.registers("1001");
    says(&mut floor, lunch()).expect("it may");
    assert_eq!(floor.state("1001"), said(since), "neither a refresh nor the same word again changes it");
    floor.acd.seat_unregistered(&"1001".into(), floor.now);
    assert_eq!(floor.state("1001"), SeatState::SignedOut);
    floor.registers("1001");
    assert_eq!(floor.state("1001"), said(floor.now), "a telephone that restarts is not back from lunch");
    let caller = floor.calls(1);
    assert_eq!(floor.rung_for(caller), None);
    says(&mut floor, Change::Ready).expect("it may");
    assert_eq!(floor.rung_for(caller).as_deref(), Some("1001"));
    says(&mut floor, Change::Ready).expect("nothing is to be done");
}

#[test]
fn while_it_rings_or_talks_the_word_waits_for_the_end_row_by_row() {
    type Ends = fn(&mut Floor, CallId);
    let table: [Ends; 5] = [
        |floor, caller| floor.acd.leave(caller, floor.now),
        |floor, _| floor.pass(secs(20)),
        |floor, caller| floor.acd.offer_failed(caller, &"1001".into(), OfferEnd::Rejected, floor.now),
        |floor, caller| {
            assert!(floor.answers(caller, "1001"));
            floor.acd.seat_left(&"1001".into(), caller, floor.now);
        },
        |floor, caller| {
            assert!(floor.answers(caller, "1001"));
            floor.acd.leave(caller, floor.now);
        },
    ];
    for ends in table {
        let mut floor = Floor::with_desks(&["1001"]);
        let caller = floor.calls(1);
        says(&mut floor, lunch()).expect("it may");
        assert!(matches!(floor.state("1001"), SeatState::Offered { .. }));
        ends(&mut floor, caller);
        assert_eq!(floor.state("1001"), said(floor.now));
        floor.registers("1001");
        assert_eq!(floor.state("1001"), said(floor.now), "a REGISTER is no word");
        floor.decisions();
    }
    let (mut floor, caller) = talking();
    says(&mut floor, lunch()).expect("it may");
    says(&mut floor, Change::Ready).expect("it may");
    floor.acd.leave(caller, floor.now);
    assert!(matches!(floor.state("1001"), SeatState::WrapUp { .. }), "taken back in time");
}

#[test]
fn a_wrap_up_ends_by_its_clerks_word_or_is_longer_up_to_the_plans_bound() {
    let (mut floor, _) = wrapping_up();
    says(&mut floor, Change::Ready).expect("it may");
    assert_eq!(floor.state("1001"), SeatState::Ready { since: floor.now });
    let (mut floor, caller) = wrapping_up();
    let talked_until = floor.now;
    floor.pass(secs(9));
    says(&mut floor, Change::MoreWrapUp(secs(60))).expect("it may");
    let ends = |s| SeatState::WrapUp { call: caller, ends_at: talked_until + secs(s) };
    assert_eq!(floor.state("1001"), ends(70));
    says(&mut floor, Change::MoreWrapUp(secs(3_600))).expect("a part of it");
    assert_eq!(floor.state("1001"), ends(900), "a quarter of an hour is the plan's bound");
    assert_eq!(says(&mut floor, Change::MoreWrapUp(secs(1))), Err(Unchanged::TooLong));
    floor.pass(secs(891));
    assert_eq!(floor.state("1001"), SeatState::Ready { since: floor.now });
    assert_eq!(says(&mut floor, Change::MoreWrapUp(secs(1))), Err(Unchanged::NoWrapUp));
}

#[test]
fn a_seats_own_wrap_up_is_instead_of_the_queues() {
    let mut floor = Floor::shaped(&[("1001", "", "main"), ("1002", "", "main")], |plan| {
        plan.seats.get_mut("1001").expect("a seat").wrap_up = Some(secs(77));
        plan.seats.get_mut("1002").expect("a seat").wrap_up = Some(secs(0));
    });
    let (first, second) = (floor.calls(1), floor.calls(2));
    assert!(floor.answers(first, "1001") && floor.answers(second, "1002"));
    floor.acd.leave(first, floor.now);
    floor.acd.leave(second, floor.now);
    assert_eq!(floor.state("1001"), SeatState::WrapUp { call: first, ends_at: floor.now + secs(77) });
    assert_eq!(floor.state("1002"), SeatState::Ready { since: floor.now });
}

#[test]
fn a_rest_begins_after_the_call_and_ends_by_itself() {
    let (mut floor, caller) = talking();
    says(&mut floor, Change::Rest(secs(60))).expect("it may");
    floor.pass(secs(30));
    floor.acd.leave(caller, floor.now);
    let until = floor.now + secs(60);
    assert_eq!(floor.state("1001"), away(AwayWhy::Rest, floor.now, Some(until)));
    floor.registers("1001");
    assert!(matches!(floor.state("1001"), SeatState::Away { .. }));
    floor.pass(secs(60));
    assert_eq!(floor.state("1001"), SeatState::Ready { since: until });
    // The case has its time all the same.
    let (mut floor, _) = wrapping_up();
    let until = floor.now + secs(10);
    says(&mut floor, Change::Rest(secs(1))).expect("it may");
    assert_eq!(floor.state("1001"), away(AwayWhy::Rest, floor.now, Some(until)));
    let (mut floor, caller) = talking();
    says(&mut floor, Change::Rest(secs(1))).expect("it may");
    floor.acd.leave(caller, floor.now);
    assert_eq!(floor.state("1001"), away(AwayWhy::Rest, floor.now, Some(floor.now + secs(10))));
    // Who is at lunch stays there.
    let mut floor = Floor::with_desks(&["1001"]);
    says(&mut floor, lunch()).expect("it may");
    says(&mut floor, Change::Rest(secs(1))).expect("it does no harm");
    assert_eq!(floor.state("1001"), said(floor.now));
}

#[test]
fn a_supervisors_word_sends_away_and_anybodys_brings_back() {
    let mut floor = Floor::with_desks(&["1001"]);
    says(&mut floor, Change::ForceAway).expect("it may");
    assert_eq!(floor.state("1001"), away(AwayWhy::Forced, floor.now, None));
    floor.registers("1001");
    assert_eq!(floor.state("1001"), away(AwayWhy::Forced, floor.now, None));
    says(&mut floor, Change::Ready).expect("it may");
    assert_eq!(floor.state("1001"), SeatState::Ready { since: floor.now });
}

#[test]
fn a_seat_that_did_not_answer_is_back_by_word_or_by_register() {
    for by_word in [true, false] {
        let mut floor = Floor::with_desks(&["1001"]);
        let caller = floor.calls(1);
        floor.acd.offer_failed(caller, &"1001".into(), OfferEnd::Unreachable, floor.now);
        floor.acd.leave(caller, floor.now);
        assert_eq!(floor.state("1001"), away(AwayWhy::Unanswered, floor.now, None));
        if by_word {
            says(&mut floor, Change::Ready).expect("it may");
        } else {
            floor.registers("1001");
        }
        assert_eq!(floor.state("1001"), SeatState::Ready { since: floor.now });
    }
}

#[test]
fn a_vanished_telephone_comes_back_to_what_its_clerk_said() {
    let mut floor = Floor::with_desks(&["1001"]);
    floor.acd.seat_vanished(&"1001".into(), floor.now);
    let since = floor.now;
    says(&mut floor, lunch()).expect("it may");
    assert_eq!(floor.state("1001"), away(AwayWhy::Vanished, since, None), "first it comes back");
    floor.pass(secs(5));
    floor.registers("1001");
    assert_eq!(floor.state("1001"), said(floor.now));
}

#[test]
fn an_own_call_and_a_word_do_not_end_one_another() {
    let id = "1001".into();
    let mut floor = Floor::with_desks(&["1001"]);
    floor.acd.seat_engaged(&id, floor.now);
    assert_eq!(floor.state("1001"), away(AwayWhy::OwnCall, floor.now, None));
    says(&mut floor, Change::Ready).expect("once it is over");
    assert_eq!(floor.state("1001"), away(AwayWhy::OwnCall, floor.now, None));
    says(&mut floor, lunch()).expect("it may");
    assert_eq!(floor.state("1001"), said(floor.now));
    floor.acd.seat_disengaged(&id, None, floor.now);
    assert_eq!(floor.state("1001"), said(floor.now), "what was before is again");
    floor.acd.seat_engaged(&id, floor.now);
    says(&mut floor, Change::Ready).expect("it may");
    assert_eq!(floor.state("1001"), away(AwayWhy::OwnCall, floor.now, None));
    floor.acd.seat_disengaged(&id, None, floor.now);
    assert_eq!(floor.state("1001"), SeatState::Ready { since: floor.now });
}

#[test]
fn nobody_changes_what_is_not_there() {
    let mut floor = Floor::new(&[crate::floor::queue("main")], &[("1001", "", "main")]);
    assert_eq!(says(&mut floor, lunch()), Err(Unchanged::SignedOut));
    assert_eq!(floor.acd.change(&"9999".into(), Change::Ready, floor.now), Err(Unchanged::NoSuchSeat));
    floor.registers("1001");
    assert_eq!(says(&mut floor, Change::MoreWrapUp(secs(1))), Err(Unchanged::NoWrapUp));
    floor.acd.resume_talk(call(1), &"1001".into(), "main".into(), floor.now);
    let plan = crate::floor::plan_of(&[crate::floor::queue("main")], &[]);
    floor.follows(&plan);
    assert_eq!(says(&mut floor, Change::Ready), Err(Unchanged::NoSuchSeat), "it only finishes its talk");
}
