//! Which of the free seats gets the caller, strategy by strategy; and nothing but the seed decides.

use std::collections::BTreeMap;

use hotline::routing::queueing::{Queueing, Strategy};

use crate::floor::{Desk, Floor, call, main_rules, plan_of, queue, secs};

const DESKS: [Desk; 4] =
    [("1001", "", "main"), ("1002", "", "main"), ("1003", "", "main"), ("1004", "", "main")];

fn floor(strategy: Strategy) -> Floor {
    Floor::shaped(&DESKS, |plan| {
        main_rules(plan, Queueing { strategy, ..Queueing::default() });
        for (id, order) in [("1001", 3), ("1002", 1), ("1003", 2), ("1004", 1)] {
            plan.seats.get_mut(id).expect("a seat").order = order;
        }
    })
}

/// Callers come one after the other and each is served at once: by whom.
fn served_by(floor: &mut Floor, callers: std::ops::Range<u64>) -> Vec<String> {
    let mut seats = Vec::new();
    for n in callers {
        let caller = floor.calls(n);
        let seat = floor.rung_for(caller).expect("all are free");
        floor.serves(caller, &seat);
        floor.pass(secs(1));
        seats.push(seat);
    }
    seats
}

#[test]
fn each_strategy_finds_its_seats_in_its_own_order() {
    // 1003 is idle longest at first: the others were served before.
    let table = [
        (Strategy::LongestIdle, ["1003", "1004", "1001", "1002", "1003", "1004"]),
        (Strategy::RoundRobin, ["1003", "1004", "1001", "1002", "1003", "1004"]),
        (Strategy::TopDown, ["1002", "1002", "1002", "1002", "1002", "1002"]),
        (Strategy::FewestCalls, ["1003", "1004", "1001", "1002", "1003", "1004"]),
    ];
    for (strategy, expected) in table {
        let mut floor = floor(strategy);
        for (n, seat) in [(91, "1001"), (92, "1002")] {
            let caller = floor.calls(n);
            if floor.rung_for(caller).as_deref() != Some(seat) {
                assert!(floor.acd.pull(caller, &seat.into(), floor.now));
            }
            floor.serves(caller, seat);
            floor.pass(secs(1));
        }
        assert_eq!(served_by(&mut floor, 1..7), expected, "{strategy:?}");
    }
}

#[test]
fn round_robin_goes_on_behind_the_last_and_passes_over_who_is_busy() {
    let mut floor = floor(Strategy::RoundRobin);
    let talks = floor.calls(1);
    assert!(floor.answers(talks, "1001"));
    let second = floor.calls(2);
    assert_eq!(floor.rung_for(second).as_deref(), Some("1002"));
    floor.acd.leave(second, floor.now);
    assert_eq!(
        served_by(&mut floor, 3..7),
        ["1003", "1004", "1002", "1003"],
        "1002 was offered the last one"
    );
}

#[test]
fn the_fewest_calls_are_counted_from_signing_in() {
    let mut floor = floor(Strategy::FewestCalls);
    assert_eq!(served_by(&mut floor, 1..5), ["1001", "1002", "1003", "1004"]);
    floor.acd.seat_unregistered(&"1003".into(), floor.now);
    floor.registers("1003");
    assert_eq!(served_by(&mut floor, 5..8), ["1003", "1001", "1002"], "idle longest among those with as few");
    floor.registers("1004"); // A refresh forgets nothing.
    assert_eq!(served_by(&mut floor, 8..10), ["1004", "1003"]);
}

#[test]
fn from_top_to_bottom_equal_orders_go_by_number_and_the_last_comes_when_all_others_are_busy() {
    let mut floor = floor(Strategy::TopDown);
    let rung: Vec<_> = (1..5)
        .map(|n| {
            let caller = floor.calls(n);
            let seat = floor.rung_for(caller).expect("one is free");
            assert!(floor.answers(caller, &seat));
            seat
        })
        .collect();
    assert_eq!(rung, ["1002", "1004", "1003", "1001"]);
}

#[test]
fn chance_is_fair_and_falls_the_same_way_for_the_same_seed() {
    let shift = |seed| {
        let mut queue = queue("main");
        queue.rules.strategy = Strategy::Random;
        let mut floor = Floor::of(&plan_of(&[queue], &DESKS), seed);
        DESKS.iter().for_each(|(id, _, _)| floor.registers(id));
        served_by(&mut floor, 1..401)
    };
    assert_eq!(shift(7), shift(7));
    assert_ne!(shift(7), shift(8));
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    shift(7).into_iter().for_each(|seat| *counts.entry(seat).or_default() += 1);
    assert_eq!(counts.len(), 4);
    assert!(counts.values().all(|count| (60..140).contains(count)), "{counts:?}");
}

#[test]
fn many_seats_that_become_free_at_once_are_given_out_by_the_same_rules() {
    // A plan gives these seats to the queue in which callers wait: all are paired by one decision.
    let idle: Vec<Desk> = DESKS.iter().map(|(id, skills, _)| (*id, *skills, "")).collect();
    let table = [
        (Strategy::LongestIdle, ["1004", "1003", "1002"]),
        (Strategy::RoundRobin, ["1001", "1002", "1003"]),
        (Strategy::FewestCalls, ["1004", "1003", "1002"]),
        (Strategy::TopDown, ["1002", "1004", "1003"]),
    ];
    for (strategy, expected) in table {
        let mut plan = plan_of(&[queue("main")], &idle);
        let mut floor = Floor::of(&plan, 1);
        for id in ["1004", "1003", "1002", "1001"] {
            floor.registers(id);
            floor.pass(secs(1));
        }
        (1..4).for_each(|n| {
            floor.calls(n);
        });
        main_rules(&mut plan, Queueing { strategy, ..Queueing::default() });
        for (id, order) in [("1001", 3), ("1002", 1), ("1003", 2), ("1004", 1)] {
            let seat = plan.seats.get_mut(id).expect("a seat");
            (seat.order, seat.queues) = (order, vec!["main".into()]);
        }
        floor.follows(&plan);
        let rung: Vec<_> = (1..4).map(|n| floor.rung_for(call(n)).expect("four are free")).collect();
        assert_eq!(rung, expected, "{strategy:?}");
        floor.decisions();
    }
}
