//! What a decision costs on a very bad day: 2,000 callers wait, of 28 lines with skills of their own, three
//! priorities and ageing, for 500 clerks.
//!
//! Everything at once first, then one event after the other. What is decided is asserted before it is timed.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use hotline::acd::Acd;
use hotline::acd::event::{Change, Decision, Joining, SeatState};
use hotline::id::{CallId, Dice, SeatId};
use hotline::routing::Plan;
use hotline::routing::plan::Seat;
use hotline::routing::queueing::{Known, Strategy};
use hotline::time::Instant;

#[allow(dead_code, reason = "a bench uses a part of it")]
#[path = "../tests/acd_property/floor.rs"]
mod floor;

use floor::{call, joining as anybody, plan_of, queue, secs};

const CALLERS: u64 = 2_000;
const SEATS: usize = 500;
const SKILLS: u64 = 28;

fn seat(n: usize) -> SeatId {
    format!("{}", 1_000 + n).as_str().into()
}

fn known(skill: u64, level: u8) -> Known {
    Known { skill: format!("line/{skill}").as_str().into(), level }
}

/// Each clerk knows four of the lines' matters, and every third one all of them.
fn plan(strategy: Strategy) -> Plan {
    let mut plan = plan_of(&[queue("main"), queue("night")], &[("1000", "", "main night")]);
    let one = plan.seats["1000"].clone();
    plan.seats = (0..SEATS).map(|n| (seat(n), Seat { id: seat(n), ..one.clone() })).collect();
    for (n, seat) in plan.seats.values_mut().enumerate() {
        let n = n as u64;
        let matters = if n.is_multiple_of(3) { SKILLS } else { 4 };
        seat.skills = (0..matters).map(|m| known((n + m * 7) % SKILLS, 1 + (n % 9) as u8)).collect();
        seat.order = (n * 31 % 97) as u16;
    }
    for queue in plan.queues.values_mut() {
        queue.rules.strategy = strategy;
        queue.rules.ageing = Some(secs(60));
        (queue.wrap_up, queue.wait_max, queue.no_seat_wait) = (secs(20), secs(3_600), secs(3_600));
        (queue.length_max, queue.announce_every) = (10_000, secs(3_600));
    }
    plan
}

fn joining(n: u64) -> Joining {
    Joining {
        skills: if n.is_multiple_of(5) { Vec::new() } else { vec![known(n % SKILLS, 1 + (n % 3) as u8)] },
        priority: [0, 0, 0, 1, 5][(n % 5) as usize],
        ..anybody(call(n), if n.is_multiple_of(4) { "night" } else { "main" })
    }
}

fn drain(acd: &mut Acd) -> usize {
    let mut offers = 0;
    while let Some(decision) = acd.poll_output() {
        offers += usize::from(matches!(decision, Decision::Offer { .. }));
    }
    offers
}

/// All clerks have just begun to wrap up, to the same instant, and everybody waits for one of them.
fn crowd(strategy: Strategy) -> (Acd, Instant) {
    let mut acd = Acd::new(&plan(strategy), Dice::seeded(1));
    let mut now = Instant::from_millis(1_000);
    for n in 0..SEATS {
        acd.seat_registered(&seat(n), now);
        acd.resume_talk(call(1_000_000 + n as u64), &seat(n), "main".into(), now);
    }
    for n in 0..CALLERS {
        now += Duration::from_millis(20);
        acd.join(joining(n), now);
    }
    for n in 0..SEATS {
        acd.seat_left(&seat(n), call(1_000_000 + n as u64), now);
    }
    drain(&mut acd);
    let wrapped_up = now + secs(20);
    (acd, wrapped_up)
}

/// The same, and every clerk talks.
fn busy(strategy: Strategy) -> (Acd, Instant) {
    let (mut acd, now) = crowd(strategy);
    acd.handle_timeout(now);
    drain(&mut acd);
    let rung: Vec<(SeatId, CallId)> = acd
        .seats()
        .filter_map(|(id, state)| match state {
            SeatState::Offered { call, .. } => Some((id.clone(), *call)),
            _ => None,
        })
        .collect();
    for (id, call) in &rung {
        assert!(acd.offer_answered(*call, id, now));
    }
    for n in 0..rung.len() as u64 {
        acd.join(joining(CALLERS + n), now);
    }
    drain(&mut acd);
    (acd, now)
}

fn everything(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("2,000 wait and 500 seats become free at once");
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(secs(2));
    for strategy in [Strategy::LongestIdle, Strategy::FewestCalls] {
        let (mut acd, now) = crowd(strategy);
        acd.handle_timeout(now);
        assert_eq!(drain(&mut acd), SEATS, "every clerk rings");
        acd.check().expect("everything is as it must be");
        group.bench_function(format!("{strategy:?}"), |bench| {
            bench.iter_batched_ref(
                || crowd(strategy),
                |(acd, now)| acd.handle_timeout(black_box(*now)),
                BatchSize::PerIteration,
            );
        });
    }
    // A plan gives all of them other queues, callers and seats are sorted anew, and one decision pairs all.
    let idle = || {
        let mut plan = plan(Strategy::LongestIdle);
        plan.seats.values_mut().for_each(|seat| seat.queues.clear());
        let mut acd = Acd::new(&plan, Dice::seeded(1));
        let now = Instant::from_millis(1_000);
        (0..SEATS).for_each(|n| acd.seat_registered(&seat(n), now));
        (0..CALLERS).for_each(|n| acd.join(joining(n), now));
        drain(&mut acd);
        (acd, now)
    };
    let wanted = plan(Strategy::LongestIdle);
    let (mut acd, now) = idle();
    acd.plan_changed(&wanted, &BTreeSet::new(), now);
    assert_eq!(drain(&mut acd), SEATS, "every clerk rings");
    group.bench_function("by a new plan, everybody sorted anew", |bench| {
        bench.iter_batched_ref(
            idle,
            |(acd, now)| acd.plan_changed(black_box(&wanted), &BTreeSet::new(), *now),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn one_by_one(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("2,000 wait for 500 busy seats");
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(secs(1));
    let (mut acd, now) = busy(Strategy::LongestIdle);
    acd.check().expect("everything is as it must be");
    let seats: Vec<SeatId> = (0..SEATS).map(seat).collect();
    let last = Cell::new(10_000);
    let next = || {
        last.set(last.get() + 1);
        (joining(last.get()), seats[last.get() as usize % SEATS].clone())
    };
    // Round and round: a clerk is through, rings for the next caller, and another one joins.
    group.bench_function("a seat becomes free, rings, picks up, and a caller joins", |bench| {
        let round = |(joining, id): (Joining, SeatId)| {
            let Some(SeatState::Talking { call, .. }) = acd.seat(&id) else { panic!("{id} talks") };
            let call = *call;
            acd.seat_left(&id, call, now);
            acd.change(&id, Change::Ready, now).expect("it wraps up");
            let Some(SeatState::Offered { call, .. }) = acd.seat(&id) else { panic!("{id} rings") };
            let call = *call;
            assert!(acd.offer_answered(call, &id, now));
            acd.join(joining, now);
            drain(&mut acd)
        };
        bench.iter_batched(next, round, BatchSize::SmallInput);
    });
    acd.check().expect("everything is as it must be");
    group.bench_function("a caller joins and leaves", |bench| {
        let round = |(joining, _): (Joining, SeatId)| {
            let call = joining.call;
            acd.join(joining, now);
            acd.leave(call, now);
            drain(&mut acd)
        };
        bench.iter_batched(next, round, BatchSize::SmallInput);
    });
    // Where the next one stands depends on how often was measured so far.
    let deep = (0..1_000).find_map(|_| {
        let (stays, _) = next();
        let call = stays.call;
        acd.join(stays, now);
        acd.position(call).is_some_and(|position| position > 100).then_some(call)
    });
    let call = deep.expect("a caller with a hundred in front");
    group.bench_function("where a caller stands", |bench| {
        bench.iter(|| acd.position(black_box(call)));
    });
    group.bench_function("a seat's telephone is lost and found, it rings, and a caller joins", |bench| {
        let round = |(joining, id): (Joining, SeatId)| {
            acd.seat_vanished(&id, now);
            acd.seat_registered(&id, now);
            let Some(SeatState::Offered { call, .. }) = acd.seat(&id) else { panic!("{id} rings") };
            let call = *call;
            assert!(acd.offer_answered(call, &id, now));
            acd.join(joining, now);
            drain(&mut acd)
        };
        bench.iter_batched(next, round, BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, everything, one_by_one);
criterion_main!(benches);
