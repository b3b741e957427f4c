//! Who of those who wait is next: skills with levels, widening, priority, ageing, several queues a seat, and
//! the clerk who knows the caller.

use hotline::acd::event::{Decision, Joining, Overflow, SeatState};
use hotline::id::CallId;
use hotline::routing::people::Role;
use hotline::routing::queueing::{Queueing, Widening};

use crate::floor::{Desk, Floor, announce, call, joining, knows, main_rules, offer, secs};

fn asks(n: u64, skills: &str) -> Joining {
    Joining { skills: knows(skills), ..joining(call(n), "main") }
}

fn urgent(n: u64, priority: i16) -> Joining {
    Joining { priority, ..joining(call(n), "main") }
}

/// Everybody in line, by how they are offered a seat that serves one after the other.
fn order_of_service(floor: &mut Floor, seat: &str) -> Vec<CallId> {
    let mut order = Vec::new();
    while let SeatState::Offered { call, .. } = floor.state(seat) {
        floor.serves(call, seat);
        order.push(call);
    }
    floor.decisions();
    order
}

#[test]
fn a_clerk_takes_what_is_asked_for_at_this_level_or_below_row_by_row() {
    let table = [
        ("", "", true),
        ("", "tax", false),
        ("tax:3", "tax:3", true),
        ("tax:5", "tax:3", true),
        ("tax:2", "tax:3", false),
        ("tax:9 language/en:4", "language/en:4 tax:1", true),
        ("tax:9 language/en:3", "language/en:4 tax:1", false),
        ("tax:9", "tax:1 law:1", false),
    ];
    for (known, asked, fits) in table {
        let mut floor = Floor::ruled(&[("1001", known, "main")], Queueing::default());
        floor.enters(asks(1, asked));
        assert_eq!(floor.rung_for(call(1)).is_some(), fits, "{known:?} for {asked:?}");
    }
}

#[test]
fn who_waits_longer_asks_for_less() {
    let widen = vec![Widening { after: secs(10), levels: 2 }, Widening { after: secs(25), levels: 4 }];
    let desks: [Desk; 3] = [("1001", "tax:3", "main"), ("1002", "", "main"), ("1003", "tax:9", "night")];
    let mut floor = Floor::ruled(&desks, Queueing { widen, ..Queueing::default() });
    floor.acd.seat_unregistered(&"1002".into(), floor.now);
    floor.enters(asks(1, "tax:5"));
    floor.enters(asks(2, "tax:4"));
    assert_eq!(floor.decisions(), [announce(call(1), 0, None), announce(call(2), 1, None)]);
    floor.pass(secs(9));
    assert_eq!(floor.decisions(), []);
    floor.pass(secs(1));
    assert_eq!(floor.decisions(), [offer(call(1), "1001", secs(10))], "5 − 2 is 3, and the first is first");
    assert!(floor.answers(call(1), "1001"));
    floor.registers("1002");
    floor.pass(secs(14));
    assert_eq!(floor.rung_for(call(2)), None, "4 − 2 is 2 still");
    floor.pass(secs(1));
    assert_eq!(floor.rung_for(call(2)).as_deref(), Some("1002"), "4 − 4: nothing is asked for any more");
}

#[test]
fn a_step_that_came_while_a_seat_rang_counts_for_the_next_one() {
    let widen = vec![Widening { after: secs(5), levels: 9 }];
    let desks: [Desk; 2] = [("1001", "law:5", "main"), ("1002", "", "main")];
    let mut floor = Floor::ruled(&desks, Queueing { widen, ..Queueing::default() });
    floor.enters(asks(1, "law:5"));
    floor.decisions();
    floor.pass(secs(20));
    assert_eq!(floor.rung_for(call(1)).as_deref(), Some("1002"));
}

#[test]
fn a_caller_nobody_could_help_is_staffed_once_less_is_asked() {
    let widen = vec![Widening { after: secs(20), levels: 9 }];
    let mut floor = Floor::ruled(&[("1001", "", "main")], Queueing { widen, ..Queueing::default() });
    let talks = floor.calls(9);
    assert!(floor.answers(talks, "1001"));
    floor.enters(asks(1, "law"));
    floor.decisions();
    floor.pass(secs(200));
    let sent_on = |decision: &Decision| matches!(decision, Decision::Overflow { .. });
    assert!(!floor.decisions().iter().any(sent_on), "no_seat_wait of 30 s is not for who has a clerk");
}

#[test]
fn a_higher_priority_goes_first_whatever_the_wait() {
    let mut floor = Floor::ruled(&[("1001", "", "main")], Queueing { priority: 5, ..Queueing::default() });
    floor.acd.seat_unregistered(&"1001".into(), floor.now);
    floor.enters(urgent(1, 0));
    floor.pass(secs(20));
    floor.enters(urgent(2, 1));
    floor.enters(urgent(3, -1));
    floor.enters(urgent(4, 1));
    assert_eq!(floor.acd.position(call(4)), Some(2));
    floor.enters(Joining { first: true, ..urgent(5, 0) });
    floor.registers("1001");
    let order = [call(2), call(4), call(5), call(1), call(3)];
    assert_eq!(order_of_service(&mut floor, "1001"), order, "who returns is first of those like it");
}

#[test]
fn a_long_wait_overtakes_where_it_is_worth_something() {
    let rules = Queueing { ageing: Some(secs(10)), ..Queueing::default() };
    let mut floor = Floor::ruled(&[("1001", "", "main")], rules);
    floor.acd.seat_unregistered(&"1001".into(), floor.now);
    floor.enters(urgent(1, 0));
    floor.pass(secs(19));
    floor.enters(urgent(2, 2)); // As if it had joined one second before the first.
    floor.pass(secs(2));
    floor.enters(urgent(3, 2)); // One second after it.
    floor.enters(Joining { first: true, ..urgent(4, 0) });
    floor.registers("1001");
    assert_eq!(order_of_service(&mut floor, "1001"), [call(2), call(4), call(1), call(3)]);
}

#[test]
fn a_seat_of_several_queues_takes_the_highest_priority_of_all_and_then_the_longest_wait() {
    let mut floor = Floor::shaped(&[("1001", "", "main night")], |plan| {
        main_rules(plan, Queueing { ageing: Some(secs(10)), ..Queueing::default() });
        plan.queues.get_mut("night").expect("a queue").rules.priority = 1;
    });
    floor.acd.seat_unregistered(&"1001".into(), floor.now);
    floor.joins(call(1), "main", &[], false);
    floor.pass(secs(8));
    floor.joins(call(2), "main", &[], false);
    floor.joins(call(3), "night", &[], false);
    floor.pass(secs(3));
    floor.joins(call(4), "night", &[], false);
    assert_eq!((floor.acd.position(call(1)), floor.acd.position(call(3))), (Some(1), Some(1)));
    // By now the first has gained 1.1 points; `night` has 1 each; the second has 0.3.
    floor.registers("1001");
    assert_eq!(order_of_service(&mut floor, "1001"), [call(1), call(3), call(4), call(2)]);
}

#[test]
fn a_new_plan_orders_those_who_wait_anew() {
    let desks: [Desk; 1] = [("1001", "", "main")];
    let mut floor = Floor::ruled(&desks, Queueing { ageing: Some(secs(10)), ..Queueing::default() });
    floor.acd.seat_unregistered(&"1001".into(), floor.now);
    floor.enters(urgent(1, 0));
    floor.pass(secs(25));
    floor.enters(urgent(2, 2));
    assert_eq!(floor.acd.position(call(2)), Some(2));
    let plan = crate::floor::plan_of(&[crate::floor::queue("main")], &desks);
    floor.follows(&plan);
    assert_eq!(floor.acd.position(call(2)), Some(1), "without ageing the priority is all");
    floor.decisions();
}

/// 1001 knows caller 1, who comes while both are busy; the queue waits 30 s for who is known.
fn known_to_1001() -> Floor {
    let desks: [Desk; 2] = [("1001", "tax", "main"), ("1002", "tax", "main")];
    let mut floor = Floor::ruled(&desks, Queueing { sticky_wait: Some(secs(30)), ..Queueing::default() });
    for (n, seat) in [(8, "1001"), (9, "1002")] {
        let caller = floor.calls(n);
        assert!(floor.answers(caller, seat));
    }
    floor.enters(Joining { sticky: Some("1001".into()), ..asks(1, "tax") });
    floor.decisions();
    floor
}

#[test]
fn a_caller_waits_for_the_clerk_who_knows_them() {
    let mut floor = known_to_1001();
    floor.acd.leave(call(9), floor.now);
    floor.pass(secs(10));
    assert_eq!(floor.rung_for(call(1)), None, "1002 is free");
    floor.acd.leave(call(8), floor.now);
    floor.pass(secs(10));
    assert_eq!(floor.rung_for(call(1)).as_deref(), Some("1001"));
    let mut floor = Floor::ruled(
        &[("1001", "", "main"), ("1002", "", "main")],
        Queueing { sticky_wait: Some(secs(30)), ..Queueing::default() },
    );
    floor.enters(Joining { sticky: Some("1002".into()), ..asks(1, "") });
    assert_eq!(floor.rung_for(call(1)).as_deref(), Some("1002"), "1001 is idle longer");
}

#[test]
fn but_not_for_ever_and_not_for_one_who_goes() {
    type Happens = fn(&mut Floor);
    let table: [(&str, u64, Happens); 4] = [
        ("the time is over", 30, |floor| floor.pass(secs(30))),
        ("it signs out after its talk", 10, |floor| {
            floor.acd.seat_unregistered(&"1001".into(), floor.now);
            floor.acd.leave(call(8), floor.now);
        }),
        ("its telephone is gone", 10, |floor| floor.acd.seat_vanished(&"1001".into(), floor.now)),
        ("it goes for lunch", 10, |floor| {
            let away = hotline::acd::event::Change::Away { reason: "lunch".into() };
            floor.acd.change(&"1001".into(), away, floor.now).expect("it may");
            floor.acd.leave(call(8), floor.now);
        }),
    ];
    for (what, _, happens) in table {
        let mut floor = known_to_1001();
        floor.acd.leave(call(9), floor.now);
        floor.pass(secs(10));
        assert_eq!(floor.rung_for(call(1)), None);
        happens(&mut floor);
        assert_eq!(floor.rung_for(call(1)).as_deref(), Some("1002"), "{what}");
        floor.decisions();
    }
}

#[test]
fn a_clerk_who_is_not_there_or_may_not_help_is_not_waited_for() {
    let desks: [Desk; 3] = [("1001", "", "main"), ("1002", "", "night"), ("1003", "tax", "main")];
    let rules = || Queueing { sticky_wait: Some(secs(30)), ..Queueing::default() };
    for (known, asked) in [("1001", "tax"), ("1002", ""), ("9999", "")] {
        let mut floor = Floor::ruled(&desks, rules());
        floor.enters(Joining { sticky: Some(known.into()), ..asks(1, asked) });
        assert!(floor.rung_for(call(1)).is_some(), "{known} is no reason to wait");
    }
    let mut floor = Floor::ruled(&desks, rules());
    floor.acd.seat_unregistered(&"1001".into(), floor.now);
    floor.enters(Joining { sticky: Some("1001".into()), ..asks(1, "") });
    assert_eq!(floor.rung_for(call(1)).as_deref(), Some("1003"));
}

#[test]
fn only_those_who_are_there_for_callers_are_offered_them_row_by_row() {
    let table = [
        (Role::Clerk, "main", "", true),
        (Role::Clerk, "", "tax", false),
        (Role::Leader, "main", "", true),
        (Role::Expert, "main", "", true),
        (Role::Expert, "night", "tax", false),
        (Role::Expert, "", "tax", true),
        (Role::Expert, "", "", false),
        (Role::Observer, "main", "", false),
        (Role::Trainee, "main", "", false),
        (Role::Supervisor, "main", "tax", false),
    ];
    for (role, queues, asked, offered) in table {
        let mut floor = Floor::shaped(&[("1001", "tax:5", queues)], |plan| {
            plan.seats.get_mut("1001").expect("a seat").role = role;
        });
        floor.enters(asks(1, asked));
        assert_eq!(floor.rung_for(call(1)).is_some(), offered, "{role:?} of {queues:?} for {asked:?}");
    }
}

#[test]
fn who_returns_keeps_the_earlier_place_among_those_who_return() {
    let desks: [Desk; 2] = [("1001", "", "main"), ("1002", "", "main")];
    let mut floor = Floor::ruled(&desks, Queueing::default());
    for n in [1, 2] {
        let caller = floor.calls(n);
        let seat = floor.rung_for(caller).expect("one is free");
        assert!(floor.answers(caller, &seat));
        floor.pass(secs(1));
    }
    floor.acd.seat_vanished(&"1002".into(), floor.now);
    floor.enters(Joining { first: true, ..urgent(2, 0) });
    floor.acd.seat_vanished(&"1001".into(), floor.now);
    floor.enters(Joining { first: true, ..urgent(1, 0) });
    assert_eq!((floor.acd.position(call(1)), floor.acd.position(call(2))), (Some(1), Some(2)));
    floor.pass(secs(30));
    let sent_on = floor.decisions().into_iter().filter_map(|decision| match decision {
        Decision::Overflow { why, waited, .. } => Some((why, waited)),
        _ => None,
    });
    let expected = [(Overflow::NoSeat, secs(30)), (Overflow::NoSeat, secs(30))];
    assert_eq!(sent_on.collect::<Vec<_>>(), expected, "the wait itself begins anew");
}
