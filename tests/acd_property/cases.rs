//! What callers and clerks may rely on, case by case.

use hotline::acd::event::{AwayWhy, Decision, Joining, OfferEnd, Overflow, SeatState};
use hotline::id::CallId;
use hotline::time::Instant;

use crate::floor::{Floor, announce, call, joining, offer, plan_of, queue, secs, withdraw};

fn overflow(call: CallId, why: Overflow, waited_s: u64) -> Decision {
    Decision::Overflow { call, queue: "main".into(), why, waited: secs(waited_s) }
}

fn away(since: Instant, for_s: Option<u64>) -> SeatState {
    SeatState::Away { since, until: for_s.map(|s| since + secs(s)), why: AwayWhy::Unanswered }
}

#[test]
fn a_caller_and_a_free_seat_meet_at_once_whoever_comes_second() {
    let mut floor = Floor::with_desks(&["1001", "1002"]);
    let first = floor.calls(1);
    assert_eq!(floor.decisions(), [offer(first, "1001", secs(0))]);
    let second = floor.calls(2);
    assert_eq!(floor.decisions(), [offer(second, "1002", secs(0))]);
    let third = floor.calls(3);
    assert_eq!(floor.decisions(), [announce(third, 2, None)]);
    assert!(floor.answers(first, "1001"));
    floor.pass(secs(10));
    floor.acd.seat_left(&"1001".into(), first, floor.now);
    floor.pass(secs(9));
    assert_eq!(floor.decisions(), [], "the clerk finishes the case");
    floor.pass(secs(1));
    // The second caller's offer lapsed in the same instant; 1002 is away, and that caller was first.
    assert_eq!(floor.decisions(), [withdraw(second, "1002"), offer(second, "1001", secs(20)),]);
}

#[test]
fn whom_a_seat_has_rung_for_in_vain_does_not_come_before_who_is_in_front() {
    let mut floor = Floor::with_desks(&["1001", "1002"]);
    let (patient, served) = (floor.calls(1), floor.calls(2));
    assert!(floor.answers(served, "1002"));
    floor.pass(secs(9));
    floor.acd.seat_left(&"1002".into(), served, floor.now);
    floor.enters(Joining { priority: 1_000, ..joining(call(3), "main") });
    // 1002's case is over a second before 1001 has rung long enough, and the house is late to see either.
    floor.now += secs(11);
    floor.acd.handle_timeout(floor.now);
    floor.acd.check().expect("everything is as it must be");
    assert_eq!(floor.rung_for(call(3)).as_deref(), Some("1002"));
    assert_eq!(floor.rung_for(patient), None);
}

#[test]
fn an_offer_left_ringing_moves_to_the_next_seat_and_the_seat_rests() {
    let mut floor = Floor::with_desks(&["1001", "1002"]);
    let caller = floor.calls(1);
    floor.pass(secs(20));
    assert_eq!(
        floor.decisions(),
        [offer(caller, "1001", secs(0)), withdraw(caller, "1001"), offer(caller, "1002", secs(20)),]
    );
    assert_eq!(floor.state("1001"), away(floor.now, Some(60)));
    assert!(!floor.answers(caller, "1001"), "it picked up too late");
    assert!(floor.answers(caller, "1002"));
    floor.pass(secs(59));
    assert!(matches!(floor.state("1001"), SeatState::Away { .. }));
    floor.pass(secs(1));
    assert_eq!(floor.state("1001"), SeatState::Ready { since: floor.now });
}

#[test]
fn a_seat_without_an_away_time_rests_until_its_next_register() {
    let mut patient = queue("main");
    patient.away = None;
    let mut floor = Floor::new(&[patient], &[("1001", "", "main")]);
    floor.registers("1001");
    floor.calls(1);
    floor.pass(secs(20));
    let since = floor.now;
    floor.pass(secs(9));
    assert_eq!(floor.state("1001"), away(since, None));
    floor.decisions();
    floor.registers("1001");
    assert_eq!(floor.decisions(), [offer(call(1), "1001", secs(29))]);
}

#[test]
fn a_refused_or_unreachable_seat_passes_the_caller_on_in_place() {
    let mut floor = Floor::with_desks(&["1001", "1002", "1003"]);
    let caller = floor.calls(1);
    let now = floor.now;
    floor.acd.offer_failed(caller, &"1001".into(), OfferEnd::Rejected, now);
    assert_eq!(floor.rung_for(caller).as_deref(), Some("1002"));
    floor.acd.offer_failed(caller, &"1002".into(), OfferEnd::Unreachable, now);
    assert_eq!(floor.rung_for(caller).as_deref(), Some("1003"));
    assert_eq!(floor.state("1001"), away(now, Some(60)));
    assert_eq!(floor.state("1002"), away(now, None));
    assert_eq!(floor.acd.position(caller), Some(1));
    // A straggler about a seat that rings no more changes nothing.
    floor.acd.offer_failed(caller, &"1001".into(), OfferEnd::Unreachable, now);
    assert_eq!(floor.state("1001"), away(now, Some(60)));
}

#[test]
fn a_caller_who_gives_up_under_a_ringing_seat_costs_the_clerk_nothing() {
    let mut floor = Floor::with_desks(&["1001", "1002"]);
    let SeatState::Ready { since } = floor.state("1001") else {
        panic!("1001 is free");
    };
    let caller = floor.calls(1);
    floor.pass(secs(5));
    floor.decisions();
    floor.acd.leave(caller, floor.now);
    assert_eq!(floor.decisions(), [withdraw(caller, "1001")]);
    assert_eq!(floor.state("1001"), SeatState::Ready { since });
    let next = floor.calls(2);
    assert_eq!(floor.rung_for(next).as_deref(), Some("1001"));
}

#[test]
fn a_seat_freed_by_a_caller_who_gave_up_rings_for_the_next_at_once() {
    let mut floor = Floor::with_desks(&["1001"]);
    let first = floor.calls(1);
    let second = floor.calls(2);
    floor.decisions();
    floor.acd.leave(first, floor.now);
    assert_eq!(floor.decisions(), [withdraw(first, "1001"), offer(second, "1001", secs(0))]);
}

#[test]
fn callers_hear_where_they_stand_and_how_long_it_may_take() {
    let mut floor = Floor::with_desks(&["1001"]);
    let first = floor.calls(1);
    floor.answers(first, "1001");
    floor.decisions();
    let second = floor.calls(2);
    let third = floor.calls(3);
    assert_eq!(floor.decisions(), [announce(second, 0, None), announce(third, 1, None)]);
    floor.pass(secs(25));
    assert_eq!(floor.decisions(), [announce(second, 0, None), announce(third, 1, None)]);
    floor.pass(secs(5));
    floor.acd.seat_left(&"1001".into(), first, floor.now); // Busy for 30 s and 10 s of wrap-up.
    floor.pass(secs(10));
    assert_eq!(floor.decisions(), [offer(second, "1001", secs(40))]);
    floor.answers(second, "1001");
    floor.pass(secs(10));
    assert_eq!(floor.decisions(), [announce(third, 0, Some(secs(40)))]);
}

#[test]
fn nobody_hears_an_announcement_over_a_ringing_seat() {
    let mut slow = queue("main");
    slow.ring = secs(60);
    let mut floor = Floor::new(&[slow], &[("1001", "", "main")]);
    floor.registers("1001");
    let caller = floor.calls(1);
    floor.pass(secs(59));
    assert_eq!(floor.decisions(), [offer(caller, "1001", secs(0))]);
    floor.pass(secs(1));
    assert_eq!(
        floor.decisions(),
        [withdraw(caller, "1001"), announce(caller, 0, None)],
        "the one that was due is made up for"
    );
}

#[test]
fn without_a_clerk_the_wait_ends_early() {
    let mut floor = Floor::with_desks(&[]);
    let caller = floor.calls(1);
    floor.pass(secs(30));
    assert_eq!(
        floor.decisions(),
        [announce(caller, 0, None), announce(caller, 0, None), overflow(caller, Overflow::NoSeat, 30),]
    );
    assert_eq!(floor.acd.poll_timeout(), None);
}

#[test]
fn a_clerk_who_signs_in_or_out_meanwhile_starts_the_early_end_anew() {
    let mut floor = Floor::new(&[queue("main")], &[("1001", "", "main"), ("1002", "tax", "main")]);
    let caller = call(1);
    floor.joins(caller, "main", &["tax"], false);
    floor.registers("1001"); // Cannot help this caller.
    floor.pass(secs(20));
    floor.registers("1002");
    assert_eq!(floor.rung_for(caller).as_deref(), Some("1002"));
    floor.acd.seat_unregistered(&"1002".into(), floor.now);
    floor.decisions();
    floor.pass(secs(29));
    assert_eq!(floor.acd.position(caller), Some(1));
    floor.pass(secs(1));
    let decided = floor.decisions();
    assert_eq!(decided.last(), Some(&overflow(caller, Overflow::NoSeat, 50)));
}

#[test]
fn a_wait_ends_at_its_longest_but_never_under_a_ringing_seat() {
    let mut short = queue("main");
    short.wait_max = secs(50);
    short.no_seat_wait = secs(600);
    let mut floor = Floor::new(&[short], &[("1001", "", "main")]);
    let patient = floor.calls(1);
    let other = floor.calls(2);
    floor.pass(secs(40));
    floor.registers("1001");
    floor.decisions();
    floor.pass(secs(19));
    let decided = floor.decisions();
    assert!(decided.contains(&overflow(other, Overflow::WaitedTooLong, 50)));
    assert_eq!(floor.rung_for(patient).as_deref(), Some("1001"));
    floor.pass(secs(1));
    assert_eq!(
        floor.decisions(),
        [withdraw(patient, "1001"), overflow(patient, Overflow::WaitedTooLong, 60),]
    );
}

#[test]
fn seats_that_rest_briefly_do_not_pass_a_caller_round_for_ever() {
    let mut restless = queue("main");
    restless.away = Some(secs(5));
    restless.wait_max = secs(70);
    let desks = [("1001", "", "main"), ("1002", "", "main")];
    let mut floor = Floor::new(&[restless], &desks);
    floor.registers("1001");
    floor.registers("1002");
    let caller = floor.calls(1);
    floor.pass(secs(80));
    let decided = floor.decisions();
    let last = decided.last();
    assert_eq!(last, Some(&overflow(caller, Overflow::WaitedTooLong, 80)));
    let rang = |decision: &&Decision| matches!(decision, Decision::Offer { .. });
    assert_eq!(decided.iter().filter(rang).count(), 4);
}

#[test]
fn a_full_queue_turns_away_all_but_those_who_return_and_those_a_seat_is_free_for() {
    let mut floor = Floor::new(&[queue("main")], &[("1001", "", "main"), ("1002", "tax", "main")]);
    floor.registers("1001");
    for n in 1..=5 {
        floor.joins(call(n), "main", &["law"], false);
    }
    floor.decisions();
    floor.joins(call(6), "main", &["law"], false);
    assert_eq!(floor.decisions(), [overflow(call(6), Overflow::Full, 0)]);
    floor.joins(call(7), "main", &["law"], true);
    // Why the caller is back is told by the call; where the caller stands, only an interval later.
    assert_eq!((floor.decisions(), floor.acd.position(call(7))), (vec![], Some(1)));
    floor.joins(call(8), "main", &[], false);
    assert_eq!(floor.decisions(), [offer(call(8), "1001", secs(0))]);
    assert_eq!(floor.acd.position(call(1)), Some(2));
}

#[test]
fn a_caller_whose_seat_vanished_comes_back_to_the_head() {
    let mut floor = Floor::with_desks(&["1001"]);
    let caller = floor.calls(1);
    floor.answers(caller, "1001");
    let other = floor.calls(2);
    floor.acd.seat_vanished(&"1001".into(), floor.now);
    assert_eq!(
        floor.state("1001"),
        SeatState::Away { since: floor.now, until: None, why: AwayWhy::Vanished }
    );
    floor.joins(caller, "main", &[], true);
    assert_eq!(floor.acd.position(caller), Some(1));
    assert_eq!(floor.acd.position(other), Some(2));
    floor.registers("1001");
    assert_eq!(floor.rung_for(caller).as_deref(), Some("1001"));
}

#[test]
fn a_refreshed_registration_changes_nothing_and_an_ended_one_waits_for_the_talk() {
    let mut floor = Floor::with_desks(&["1001"]);
    let before = floor.state("1001");
    floor.registers("1001");
    assert_eq!(floor.state("1001"), before);
    let caller = floor.calls(1);
    floor.answers(caller, "1001");
    let talking = floor.state("1001");
    floor.acd.seat_unregistered(&"1001".into(), floor.now);
    assert_eq!(floor.state("1001"), talking);
    floor.acd.seat_left(&"1001".into(), caller, floor.now);
    assert_eq!(floor.state("1001"), SeatState::SignedOut);
}

#[test]
fn a_conversation_that_the_caller_ends_is_told_twice_and_wrapped_up_once() {
    let mut floor = Floor::with_desks(&["1001"]);
    let caller = floor.calls(1);
    floor.answers(caller, "1001");
    floor.pass(secs(5));
    floor.acd.leave(caller, floor.now);
    let wrap_up = SeatState::WrapUp { call: caller, ends_at: floor.now + secs(10) };
    floor.pass(secs(1));
    floor.acd.seat_left(&"1001".into(), caller, floor.now);
    assert_eq!(floor.state("1001"), wrap_up);
}

#[test]
fn a_new_plan_keeps_callers_and_conversations() {
    let mut floor = Floor::with_desks(&["1001", "1002", "1003"]);
    let talking = floor.calls(1);
    floor.answers(talking, "1001");
    let rung = floor.calls(2);
    let mut brisk = queue("main");
    brisk.wrap_up = secs(1);
    floor.decisions();
    // 1001 talks and goes; 1002 rings and goes; 1003 stays; 1004 is new.
    let plan = plan_of(&[brisk], &[("1003", "", "main"), ("1004", "", "main")]);
    floor.follows(&plan);
    assert_eq!(floor.decisions(), [withdraw(rung, "1002"), offer(rung, "1003", secs(0))]);
    assert!(floor.acd.seat(&"1002".into()).is_none());
    assert_eq!(floor.state("1004"), SeatState::SignedOut);
    assert!(matches!(floor.state("1001"), SeatState::Talking { .. }));
    floor.acd.seat_left(&"1001".into(), talking, floor.now);
    assert!(floor.acd.seat(&"1001".into()).is_none());
}

#[test]
fn a_new_plan_keeps_places_and_lets_a_clerk_go_who_only_finishes_a_case() {
    let mut floor = Floor::with_desks(&["1001", "1002"]);
    let (first, second) = (floor.calls(1), floor.calls(2));
    floor.answers(first, "1001");
    floor.answers(second, "1002");
    let (third, fourth) = (floor.calls(3), floor.calls(4));
    floor.pass(secs(5));
    floor.acd.seat_left(&"1001".into(), first, floor.now);
    assert!(matches!(floor.state("1001"), SeatState::WrapUp { .. }));
    // 1001 is gone; 1002 talks on, and others wait as they did.
    floor.follows(&plan_of(&[queue("main")], &[("1002", "", "main")]));
    assert!(floor.acd.seat(&"1001".into()).is_none());
    assert!(matches!(floor.state("1002"), SeatState::Talking { .. }));
    assert_eq!((floor.acd.position(third), floor.acd.position(fourth)), (Some(1), Some(2)));
    floor.pass(secs(2));
    floor.acd.seat_left(&"1002".into(), second, floor.now);
    floor.decisions();
    floor.pass(secs(10));
    assert_eq!(
        floor.decisions().first(),
        Some(&offer(third, "1002", secs(17))),
        "it has waited all the time"
    );
    assert_eq!(floor.acd.position(fourth), Some(2));
}

#[test]
fn a_caller_for_whom_the_only_seat_rang_waits_on_when_the_plan_drops_it() {
    let mut floor = Floor::with_desks(&["1001"]);
    let caller = floor.calls(1);
    floor.pass(secs(3));
    floor.decisions();
    floor.follows(&plan_of(&[queue("main")], &[("1002", "", "main")]));
    assert_eq!(floor.decisions().first(), Some(&withdraw(caller, "1001")));
    assert_eq!(floor.acd.position(caller), Some(1));
    floor.registers("1002");
    assert_eq!(floor.decisions(), [offer(caller, "1002", secs(3))]);
}

#[test]
fn boards_show_the_queue_as_it_is() {
    let mut floor = Floor::with_desks(&["1001", "1002"]);
    floor.calls(1);
    floor.answers(call(1), "1001");
    floor.calls(2);
    floor.pass(secs(3));
    floor.calls(3);
    floor.pass(secs(4));
    let [view] = &floor.acd.queues(floor.now)[..] else {
        panic!("one queue");
    };
    assert_eq!((view.waiting, view.ringing), (2, 1));
    assert_eq!(view.longest_wait, Some(secs(7)));
    assert_eq!((view.working, view.free), (2, 0));
}

#[test]
fn a_machine_built_anew_from_live_calls_books_nobody_twice() {
    let mut floor = Floor::with_desks(&["1001", "1002"]);
    floor.acd.resume_talk(call(1), &"1001".into(), "main".into(), floor.now);
    floor.calls(2);
    assert_eq!(floor.rung_for(call(2)).as_deref(), Some("1002"));
    floor.acd.resume_talk(call(3), &"1002".into(), "main".into(), floor.now);
    assert_eq!(floor.rung_for(call(2)).as_deref(), Some("1002"));
    floor.acd.leave(call(1), floor.now);
    assert!(matches!(floor.state("1001"), SeatState::WrapUp { .. }));
}
