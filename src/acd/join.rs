//! Joining a queue and leaving it.

use std::time::Duration;

use crate::acd::event::{Joining, Overflow};
use crate::acd::place::Rank;
use crate::id::{CallId, SeatId};
use crate::time::Instant;

use super::acd::Acd;
use super::queue::Queue;
use super::waiting::{Presence, Stage, Waiting};

impl Acd {
    /// A caller wants to wait. Ends in an offer, an announcement or an overflow at once.
    pub fn join(&mut self, joining: Joining, now: Instant) {
        let (call, first) = (joining.call, joining.first);
        if self.waiting.contains_key(&call) {
            return;
        }
        self.give_up_transfer(call, now);
        self.end_talks(call, now);
        let Some(queue) = self.queues.get(&joining.queue) else {
            self.overflowed(call, joining.queue, Overflow::NoSeat, Duration::ZERO);
            return self.settle(now);
        };
        let priority = i32::from(joining.priority) + i32::from(queue.rules().priority);
        let turned_away = queue.turns_away(priority).filter(|_| !first);
        self.stand(joining, priority, now, now);
        self.pair_caller(call, now);
        if !self.is_offered(call) {
            // This one may be one too many for a usual day, and those whom a surge calls for be free.
            self.mind_surges(now);
        }
        if self.is_offered(call) {
            self.wake_caller(call);
        } else if let Some(why) = turned_away.or_else(|| self.would_wait_too_long(call).filter(|_| !first)) {
            self.overflow(call, why, now);
        } else {
            if first {
                self.announce_later(call, now);
            } else {
                self.announce(call, now);
            }
            self.wake_caller(call);
        }
        self.settle(now);
    }

    /// Takes a place in the line, in which the caller waits since then.
    pub(super) fn stand(&mut self, joining: Joining, priority: i32, since: Instant, now: Instant) {
        let call = joining.call;
        let earlier = self.earlier.remove(&call).filter(|_| joining.first);
        self.joined += 1;
        let (as_of, order) = earlier.map_or((since, self.joined), |earlier| (earlier.as_of, earlier.order));
        let Some(queue) = self.queues.get_mut(&joining.queue) else { return };
        let rank = match joining.first {
            true => queue.first_of(priority, as_of, order),
            false => Rank { priority, as_of, behind: true, order },
        };
        let place = rank.place(queue.rules().ageing);
        let mut waiting = Waiting {
            bound: None,
            steps: queue.steps_by(now.since(since)),
            need: 0,
            presence: Presence::Here { announce_at: now, unstaffed_since: None },
            stage: Stage::Open,
            queue: joining.queue,
            skills: joining.skills,
            priority: joining.priority,
            rank,
            place,
            since,
        };
        if let (Some(seat), Some(wait)) = (joining.sticky, queue.rules().sticky_wait)
            && !wait.is_zero()
            && self
                .seats
                .get(&seat)
                .is_some_and(|known| known.state.is_working() && known.serves(&waiting.need(queue), queue))
        {
            waiting.bound = Some((seat, now + wait));
        }
        waiting.need = self.needs.enter(waiting.need(queue), &self.seats, Some(queue));
        let row = self.needs.row_mut(waiting.need);
        row.open.insert(place, call);
        if row.working == 0 {
            waiting.presence = Presence::Here { announce_at: now, unstaffed_since: Some(now) };
        }
        queue.put_in(place, call);
        self.waiting.insert(call, waiting);
    }

    /// Who waits goes before all others of this priority from now on, the caller's own; the queue's is added
    /// to it. Nothing else begins anew: the wait counts on, and a seat that rings goes on ringing. If nobody
    /// picks up there, the caller is where the new place is. Nobody is waited for in particular any more.
    /// False where the call is in no line.
    pub fn reprioritise(&mut self, call: CallId, priority: i16, now: Instant) -> bool {
        let Some(waiting) = self.waiting.get_mut(&call) else { return false };
        let Some(queue) = self.queues.get_mut(&waiting.queue) else { return false };
        queue.take_out(waiting.place);
        self.needs.row_mut(waiting.need).open.remove(&waiting.place);
        waiting.priority = priority;
        let priority = i32::from(priority) + i32::from(queue.rules().priority);
        waiting.rank = queue.first_of(priority, waiting.rank.as_of, waiting.rank.order);
        waiting.place = waiting.rank.place(queue.rules().ageing);
        queue.put_in(waiting.place, call);
        if waiting.is_open() {
            self.needs.row_mut(waiting.need).open.insert(waiting.place, call);
        }
        if waiting.bound.take().is_some() {
            let need = waiting.need(queue);
            self.need_instead(call, need, now);
            self.pair_caller(call, now);
        }
        self.wake_caller(call);
        self.settle(now);
        true
    }

    fn would_wait_too_long(&self, call: CallId) -> Option<Overflow> {
        let waiting = self.waiting.get(&call)?;
        let most = self.queues.get(&waiting.queue)?.rules().expected_wait_max?;
        (self.expected_wait(waiting)? > most).then_some(Overflow::ExpectedWait)
    }

    /// By the guess.
    pub(super) fn expected_wait(&self, waiting: &Waiting) -> Option<Duration> {
        let queue = self.queues.get(&waiting.queue)?;
        queue.handling.expected_wait(queue.ahead(waiting.place), self.needs.row(waiting.need).working)
    }

    /// The caller is gone: from the line, from under ringing seats, or from a conversation. So is a place
    /// that was kept.
    pub fn leave(&mut self, call: CallId, now: Instant) {
        self.give_up_transfer(call, now);
        if let Some(waiting) = self.take_out(call) {
            self.let_go(call, waiting.stage.ringing(), now);
        }
        self.end_talks(call, now);
        self.earlier.remove(&call);
        self.settle(now);
    }

    /// Seats that ring for the caller are free as if they had not.
    pub(super) fn let_go(&mut self, call: CallId, seats: &[SeatId], now: Instant) {
        self.withdraw_all(call, seats);
        self.release_all(seats, now);
    }

    pub(super) fn withdraw_all(&mut self, call: CallId, seats: &[SeatId]) {
        for seat in seats {
            self.withdraw(call, seat);
        }
    }

    pub(super) fn release_all(&mut self, seats: &[SeatId], now: Instant) {
        for seat in seats {
            self.release_idle(seat, now);
        }
    }

    pub(super) fn take_out(&mut self, call: CallId) -> Option<Waiting> {
        let waiting = self.waiting.remove(&call)?;
        self.agenda.set(&super::acd::Wake::Caller(call), None);
        self.needs.exit(waiting.need, waiting.place);
        if let Some(queue) = self.queues.get_mut(&waiting.queue) {
            queue.take_out(waiting.place);
        }
        Some(waiting)
    }

    /// Who waits, queue by queue, in order.
    pub(super) fn calls_in_line(&self) -> Vec<CallId> {
        let line = |queue: &Queue| queue.line.iter().map(|(_, call)| *call).collect::<Vec<_>>();
        self.queues.values().flat_map(line).collect()
    }
}
