//! Too many callers: overflow by the guess, shedding, and surges.

use hotline::acd::event::{Decision, Joining, Overflow, SeatState};
use hotline::id::CallId;
use hotline::routing::people::Role;
use hotline::routing::queueing::{Queueing, Surge};

use crate::floor::{Desk, Floor, announce, call, joining, main_rules, offer, plan_of, queue, secs};

fn overflow(call: CallId, why: Overflow) -> Decision {
    Decision::Overflow { call, queue: "main".into(), why, waited: secs(0) }
}

fn surge_changed(on: bool) -> Decision {
    Decision::SurgeChanged { queue: "main".into(), on }
}

#[test]
fn who_would_wait_too_long_by_the_guess_overflows_at_once_and_nobody_afterwards() {
    let rules = Queueing { expected_wait_max: Some(secs(100)), ..Queueing::default() };
    let mut floor = Floor::ruled(&[("1001", "", "main")], rules);
    let taught = floor.calls(1);
    assert!(floor.answers(taught, "1001"));
    floor.pass(secs(40));
    floor.acd.leave(taught, floor.now); // 40 s of talk and 10 s of wrap-up.
    let talks = floor.calls(2);
    floor.pass(secs(10));
    assert!(floor.answers(talks, "1001"));
    floor.decisions();
    for n in 3..5 {
        floor.calls(n);
    }
    let expected = [announce(call(3), 0, Some(secs(50))), announce(call(4), 1, Some(secs(100)))];
    assert_eq!(floor.decisions(), expected);
    floor.calls(5);
    assert_eq!(floor.decisions(), [overflow(call(5), Overflow::ExpectedWait)]);
    floor.joins(call(6), "main", &[], true);
    assert_eq!(floor.acd.position(call(6)), Some(1), "who returns is not turned away");
    floor.pass(secs(30));
    assert_eq!(floor.acd.position(call(4)), Some(3), "nor who waits already");
}

#[test]
fn with_many_waiting_those_of_low_priority_are_not_let_in_row_by_row() {
    let shed = vec![(2, 0), (4, 3)];
    let table = [
        (0, -5, None),
        (1, -5, None),
        (2, -1, Some(Overflow::Shed)),
        (2, 0, None),
        (4, 2, Some(Overflow::Shed)),
        (4, 3, None),
        (5, 99, Some(Overflow::Full)),
    ];
    for (waiting, priority, turned_away) in table {
        let mut floor = Floor::ruled(&[], Queueing { shed: shed.clone(), ..Queueing::default() });
        for n in 0..waiting {
            floor.enters(Joining { priority: 9, ..joining(call(n), "main") });
        }
        floor.decisions();
        floor.enters(Joining { priority, ..joining(call(50), "main") });
        let decided = floor.decisions();
        match turned_away {
            Some(why) => assert_eq!(decided, [overflow(call(50), why)], "{waiting}, {priority}"),
            None => {
                assert_eq!(floor.acd.position(call(50)), Some(waiting as u32 + 1), "{waiting}, {priority}")
            }
        }
    }
    let mut floor = Floor::ruled(&[("1001", "law", "main")], Queueing { shed, ..Queueing::default() });
    for n in 0..3 {
        floor.joins(call(n), "main", &["tax"], false);
    }
    floor.enters(Joining { priority: -9, ..joining(call(50), "main") });
    assert_eq!(floor.rung_for(call(50)).as_deref(), Some("1001"), "for whom a clerk is free, there is room");
}

fn surge() -> Surge {
    Surge { from: 3, until: 1, greeting: None, roles: vec![Role::Supervisor], callback: false }
}

/// Nobody serves `main` but two supervisors while a surge lasts; one clerk serves `night`.
fn crowded(surge: Option<Surge>) -> Floor {
    let desks: [Desk; 3] = [("1001", "", "night"), ("3001", "", "night"), ("3002", "law", "")];
    Floor::shaped(&desks, |plan| {
        main_rules(plan, Queueing { surge, ..Queueing::default() });
        for id in ["3001", "3002"] {
            plan.seats.get_mut(id).expect("a seat").role = Role::Supervisor;
        }
    })
}

#[test]
fn a_surge_begins_with_many_and_does_not_end_before_there_are_few() {
    let mut floor = crowded(Some(surge()));
    let (first, second) = (floor.calls(1), floor.calls(2));
    assert!(!floor.acd.is_surging(&"main".into()));
    floor.decisions();
    let third = floor.calls(3);
    let begun = [surge_changed(true), offer(first, "3001", secs(0)), offer(second, "3002", secs(0))];
    assert_eq!(floor.decisions(), [&begun[..], &[announce(third, 2, None)]].concat());
    assert!(floor.answers(first, "3001"));
    assert!(floor.acd.is_surging(&"main".into()), "two wait still");
    assert!(floor.answers(second, "3002"));
    assert_eq!(floor.decisions(), [surge_changed(false)]);
    floor.acd.leave(second, floor.now);
    floor.pass(secs(10));
    assert_eq!(floor.rung_for(third), None, "it is over for 3002, too");
    assert!(matches!(floor.state("3002"), SeatState::Ready { .. }));
    floor.pass(secs(30));
    let sent_on =
        Decision::Overflow { call: third, queue: "main".into(), why: Overflow::NoSeat, waited: secs(30) };
    assert!(floor.decisions().contains(&sent_on), "nobody is there for the third from the surge's end on");
}

#[test]
fn a_surges_seats_have_the_skills_that_are_asked_for() {
    let mut floor = crowded(Some(surge()));
    for n in 1..4 {
        floor.joins(call(n), "main", &["law"], false);
    }
    assert_eq!(floor.rung_for(call(1)).as_deref(), Some("3002"));
    assert_eq!(floor.rung_for(call(2)), None);
}

#[test]
fn whoever_would_be_one_too_many_is_helped_by_the_surge_that_begins() {
    let mut floor = Floor::shaped(&[("3001", "", ""), ("3002", "", ""), ("3003", "", "")], |plan| {
        plan.queues.get_mut("main").expect("a queue").length_max = 2;
        main_rules(plan, Queueing { surge: Some(surge()), ..Queueing::default() });
        plan.seats.values_mut().for_each(|seat| seat.role = Role::Supervisor);
    });
    (1..4).for_each(|n| {
        floor.calls(n);
    });
    assert_eq!(floor.rung_for(call(3)).as_deref(), Some("3003"));
}

#[test]
fn a_word_begins_or_ends_a_surge_until_it_is_taken_back() {
    let mut floor = crowded(Some(surge()));
    let main = "main".into();
    let caller = floor.calls(1);
    floor.decisions();
    assert!(floor.acd.set_surge(&main, Some(true), floor.now));
    assert_eq!(floor.decisions(), [surge_changed(true), offer(caller, "3001", secs(0))]);
    floor.acd.leave(caller, floor.now);
    assert!(floor.acd.is_surging(&main), "however few wait");
    assert!(floor.acd.set_surge(&main, None, floor.now));
    assert!(!floor.acd.is_surging(&main));
    assert!(floor.acd.set_surge(&main, Some(false), floor.now));
    (1..5).for_each(|n| {
        floor.calls(n);
    });
    assert!(!floor.acd.is_surging(&main), "however many wait");
    assert!(floor.acd.set_surge(&main, None, floor.now));
    assert!(floor.acd.is_surging(&main));
    assert!(!floor.acd.set_surge(&"gone".into(), Some(true), floor.now));
    let view = &floor.acd.queues(floor.now)[0];
    assert_eq!((view.surging, view.working, view.ringing), (true, 2, 2));
}

#[test]
fn a_plan_that_drops_the_queue_or_its_rule_ends_the_surge() {
    let mut floor = crowded(Some(surge()));
    (1..4).for_each(|n| {
        floor.calls(n);
    });
    floor.decisions();
    let desks: [Desk; 1] = [("1001", "", "night")];
    floor.follows(&plan_of(&[queue("main"), queue("night")], &desks));
    assert!(floor.decisions().contains(&surge_changed(false)));
    floor.acd.set_surge(&"main".into(), Some(true), floor.now);
    (1..4).for_each(|n| floor.acd.leave(call(n), floor.now));
    floor.decisions();
    floor.follows(&plan_of(&[queue("night")], &desks));
    assert_eq!(floor.decisions(), [surge_changed(false)]);
}
