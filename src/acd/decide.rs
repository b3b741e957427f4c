//! The decision itself: who gets whom, and nothing else.
//!
//! Callers are served in order, and each gets one of the free seats that may take it by its queue's
//! strategy; ties go by the seat's number, so that a shift can be replayed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::id::{CallId, Dice, SeatId};
use crate::routing::queueing::Strategy;
use crate::time::Instant;

use super::acd::Acd;
use super::seat::Seat;

/// A seat that is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Free {
    pub(super) seat: SeatId,
    /// In sets of seats.
    pub(super) number: usize,
    /// From top to bottom.
    pub(super) order: u16,
    /// Conversations since it signed in.
    pub(super) talks: u32,
}

impl Free {
    pub(super) fn new(id: &SeatId, seat: &Seat) -> Self {
        Free { seat: id.clone(), number: seat.number, order: seat.order, talks: seat.talks }
    }
}

/// The seats that one caller gets of those that are free for it, which come longest idle first. `last` was
/// the last to get one of the queue; where all ring, there is `room` for so many.
pub(super) fn choose<'a>(
    strategy: Strategy,
    mut free: impl Iterator<Item = &'a Free>,
    last: Option<&SeatId>,
    room: usize,
    dice: &mut Dice,
) -> Vec<&'a Free> {
    let one = match strategy {
        Strategy::LongestIdle => free.next(),
        Strategy::RoundRobin => {
            let is_before = |seat: &SeatId| last.is_some_and(|last| seat <= last);
            free.min_by_key(|free| (is_before(&free.seat), &free.seat))
        }
        Strategy::FewestCalls => free.min_by_key(|free| free.talks),
        Strategy::TopDown => free.min_by_key(|free| (free.order, &free.seat)),
        Strategy::Random => {
            let all: Vec<&Free> = free.collect();
            let drawn = usize::try_from(dice.below(all.len() as u64)).unwrap_or(0);
            all.get(drawn).copied()
        }
        Strategy::RingAll => return free.take(room).collect(),
    };
    one.into_iter().collect()
}

impl Acd {
    /// A caller has become available, or asks for less.
    pub(super) fn pair_caller(&mut self, call: CallId, now: Instant) {
        let Some(waiting) = self.waiting.get(&call).filter(|waiting| waiting.is_open()) else {
            return;
        };
        let Some(queue) = self.queues.get(&waiting.queue) else { return };
        let serving = &self.needs.row(waiting.need).serving;
        let free = self.ready.values().filter(|free| serving.has(free.number));
        let strategy = queue.strategy_for(waiting);
        let chosen = choose(strategy, free, queue.last_offered.as_ref(), waiting.room(), &mut self.dice);
        let seats: Vec<SeatId> = chosen.into_iter().map(|free| free.seat.clone()).collect();
        for seat in seats {
            self.offer(call, seat, now);
        }
    }

    /// A seat has become free.
    pub(super) fn pair_seat(&mut self, id: &SeatId, number: usize, now: Instant) {
        let served = self.needs.rows().filter(|(_, row)| row.serving.has(number));
        if let Some((_, call)) = served.filter_map(|(_, row)| row.head(now)).min() {
            self.offer(call, id.clone(), now);
        }
    }

    /// Many have become available at once.
    pub(super) fn pair_everyone(&mut self, now: Instant) {
        for (call, seat) in self.decide(now) {
            self.offer(call, seat, now);
        }
    }

    /// Each need's first caller is on a heap; one whose need no free seat serves takes all behind it off.
    fn decide(&mut self, now: Instant) -> Vec<(CallId, SeatId)> {
        let mut pairs = Vec::new();
        let mut lines: Vec<_> = self.needs.rows().map(|(_, row)| row.open.iter()).collect();
        let mut heads = BinaryHeap::new();
        let mut advance = |need: usize, heads: &mut BinaryHeap<_>| {
            if let Some((place, call)) = lines.get_mut(need).and_then(Iterator::next) {
                heads.push(Reverse((place.standing(self.needs.row(need).ageing, now), *call, need)));
            }
        };
        (0..self.needs.rows().count()).for_each(|need| advance(need, &mut heads));
        let mut last: BTreeMap<&crate::id::QueueId, &SeatId> = BTreeMap::new();
        let mut left: Vec<&Free> = self.ready.values().collect();
        while let Some(Reverse((_, call, need))) = heads.pop() {
            let row = self.needs.row(need);
            let (Some(queue), Some(waiting)) = (self.queues.get(&row.need.queue), self.waiting.get(&call))
            else {
                continue;
            };
            let free = left.iter().copied().filter(|free| row.serving.has(free.number));
            let before = last.get(&row.need.queue).copied().or(queue.last_offered.as_ref());
            let chosen = choose(queue.strategy_for(waiting), free, before, waiting.room(), &mut self.dice);
            if let Some(seat) = chosen.last() {
                last.insert(&row.need.queue, &seat.seat);
                advance(need, &mut heads);
            }
            for free in chosen {
                left.retain(|other| other.number != free.number);
                pairs.push((call, free.seat.clone()));
            }
            if left.is_empty() {
                break;
            }
        }
        pairs
    }
}
