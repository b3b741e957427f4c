//! What chance brings to a shift: plans with all kinds of rules, callers, and people who change their minds.

use std::time::Duration;

use hotline::acd::event::{Change, Joining};
use hotline::id::{CallId, Dice};
use hotline::routing::Plan;
use hotline::routing::people::Role;
use hotline::routing::queueing::{CallbackOffer, Queueing, Strategy, Surge, Widening};

use crate::floor::{Desk, joining, knows, plan_of, queue, secs};

pub const DESKS: [Desk; 7] = [
    ("1001", "", "main"),
    ("1002", "tax:2", "main"),
    ("1003", "tax:5 law:3", "main night"),
    ("1004", "law:5", "night"),
    ("1005", "", "main night"),
    ("2001", "tax:9 law:9", ""),
    ("3001", "tax law", ""),
];

/// One of a few.
pub fn pick<T: Clone>(of: &[T], dice: &mut Dice) -> T {
    of[dice.below(of.len() as u64) as usize].clone()
}

fn sometimes<T>(dice: &mut Dice, value: impl FnOnce(&mut Dice) -> T) -> Option<T> {
    (dice.below(3) == 0).then(|| value(dice))
}

fn some_rules(dice: &mut Dice) -> Queueing {
    use Strategy::*;
    Queueing {
        strategy: pick(
            &[LongestIdle, LongestIdle, RoundRobin, FewestCalls, TopDown, Random, RingAll, RingAll],
            dice,
        ),
        widen: match dice.below(3) {
            0 => vec![
                Widening { after: secs(dice.below(10)), levels: 2 },
                Widening { after: secs(20), levels: 9 },
            ],
            _ => Vec::new(),
        },
        priority: dice.below(3) as i16 - 1,
        ageing: sometimes(dice, |dice| secs(dice.below(30))),
        expected_wait_max: sometimes(dice, |dice| secs(dice.below(100))),
        shed: match dice.below(3) {
            0 => vec![(2, 0), (4, 1)],
            _ => Vec::new(),
        },
        sticky_wait: sometimes(dice, |dice| secs(dice.below(30))),
        surge: sometimes(dice, |dice| Surge {
            from: 3 + dice.below(3) as u32,
            until: dice.below(6) as u32,
            greeting: None,
            roles: pick(&[vec![Role::Supervisor], vec![Role::Supervisor, Role::Expert], vec![]], dice),
            callback: true,
        }),
        callback: (dice.below(4) != 0).then(|| CallbackOffer {
            after: secs(0),
            key: '1',
            tries: 3,
            again_after: secs(10),
            keep: secs(dice.below(120)),
        }),
        staffing: None,
    }
}

pub fn some_plan(dice: &mut Dice) -> Plan {
    let mut desks: Vec<Desk> = DESKS.to_vec();
    let mut queues = vec![queue("main"), queue("night")];
    if dice.below(2) == 0 {
        desks.remove(dice.below(7) as usize);
    }
    if dice.below(6) == 0 {
        queues.pop();
    }
    for queue in &mut queues {
        queue.wrap_up = secs(dice.below(20));
        queue.ring = secs(dice.below(30));
        queue.away = (dice.below(2) == 0).then(|| secs(dice.below(60)));
        queue.wait_max = secs(dice.below(200));
        queue.no_seat_wait = secs(dice.below(60));
        queue.length_max = dice.below(9) as u32;
        queue.announce_every = secs(dice.below(40));
        queue.rules = some_rules(dice);
    }
    let mut plan = plan_of(&queues, &desks);
    plan.work.wrap_up_max = secs(25);
    for (id, seat) in &mut plan.seats {
        seat.role = match id.as_str() {
            "2001" => Role::Expert,
            "3001" => Role::Supervisor,
            _ => Role::Clerk,
        };
        seat.order = dice.below(3) as u16;
        seat.wrap_up = (dice.below(4) == 0).then(|| secs(dice.below(10)));
    }
    plan
}

pub fn some_caller(call: CallId, dice: &mut Dice) -> Joining {
    let queue = pick(&["main", "main", "night", "gone"], dice);
    Joining {
        skills: knows(pick(&["", "", "tax", "law:4", "tax:3", "tax:9 law:9", "music:5"], dice)),
        first: dice.below(8) == 0,
        priority: pick(&[0, 0, 0, 1, 2, -1, i16::MAX, i16::MIN], dice),
        sticky: (dice.below(4) == 0).then(|| pick(&DESKS, dice).0.into()),
        ..joining(call, queue)
    }
}

pub fn some_change(dice: &mut Dice) -> Change {
    match dice.below(8) {
        0..=3 => Change::Ready,
        4 => Change::Away { reason: pick(&["lunch", "training"], dice).into() },
        5 => Change::MoreWrapUp(secs(dice.below(20))),
        6 => Change::Rest(secs(dice.below(40))),
        _ => Change::ForceAway,
    }
}

/// A few seconds.
pub fn a_while(dice: &mut Dice) -> Duration {
    Duration::from_millis(dice.below(8_000))
}
