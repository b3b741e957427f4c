//! Those who wait: announcements, overflows, and whether a clerk works who could help them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::acd::event::{Decision, Overflow};
use crate::id::{CallId, QueueId, SeatId};
use crate::time::Instant;

use super::acd::{Acd, Phase, Wake};
use super::queue::{Place, Waiting};
use super::seat::Seat;

impl Acd {
    pub(super) fn take_out(&mut self, place: Place) -> Option<Waiting> {
        let waiting = self.line.remove(&place)?;
        self.agenda.set(&Wake::Caller(waiting.call), None);
        if let Some(queue) = self.queues.get_mut(&waiting.queue) {
            queue.length = queue.length.saturating_sub(1);
        }
        Some(waiting)
    }

    pub(super) fn wake_caller(&mut self, place: Place) {
        if let Some(waiting) = self.line.get(&place)
            && let Some(queue) = self.queues.get(&waiting.queue)
        {
            let at = queue.next_for(waiting);
            self.agenda.set(&Wake::Caller(waiting.call), at);
        }
    }

    pub(super) fn caller_due(&mut self, call: CallId, now: Instant) {
        let Some(Phase::InLine(place)) = self.calls.get(&call) else {
            return;
        };
        let place = *place;
        let Some(waiting) = self.line.get(&place) else {
            return;
        };
        let Some(queue) = self.queues.get(&waiting.queue) else {
            return;
        };
        if waiting.offered_to.is_some() {
            return;
        }
        let unstaffed_wait_ends = queue.unstaffed_wait_ends(waiting);
        if unstaffed_wait_ends.is_some_and(|end| end <= now) {
            self.overflow(place, Overflow::NoSeat, now);
        } else if queue.wait_ends(waiting) <= now {
            self.overflow(place, Overflow::WaitedTooLong, now);
        } else {
            if waiting.announce_at <= now {
                self.announce(place, now);
            }
            self.wake_caller(place);
        }
    }

    pub(super) fn announce(&mut self, place: Place, now: Instant) {
        let ahead = self.ahead(place);
        let Some(waiting) = self.line.get_mut(&place) else {
            return;
        };
        let Some(queue) = self.queues.get(&waiting.queue) else {
            return;
        };
        waiting.announce_at = now + queue.announce_every();
        let working = self.seats.values().filter(|seat| seat.state.is_working() && seat.serves(waiting));
        let expected_wait = queue.handling.expected_wait(ahead, count(working));
        self.outputs.push_back(Decision::Announce { call: waiting.call, ahead, expected_wait });
    }

    /// Says nothing now; the next announcement is an interval away.
    pub(super) fn announce_later(&mut self, place: Place, now: Instant) {
        if let Some(waiting) = self.line.get_mut(&place)
            && let Some(queue) = self.queues.get(&waiting.queue)
        {
            waiting.announce_at = now + queue.announce_every();
        }
    }

    pub(super) fn overflow(&mut self, place: Place, why: Overflow, now: Instant) {
        if let Some(waiting) = self.take_out(place) {
            self.calls.remove(&waiting.call);
            let waited = now.since(place.since);
            self.overflowed(waiting.call, waiting.queue, why, waited);
        }
    }

    pub(super) fn overflowed(&mut self, call: CallId, queue: QueueId, why: Overflow, waited: Duration) {
        self.outputs.push_back(Decision::Overflow { call, queue, why, waited });
    }

    pub(super) fn has_waited_too_long(&self, place: Place, now: Instant) -> bool {
        let rules = |waiting: &Waiting| {
            let queue = self.queues.get(&waiting.queue)?;
            Some(queue.wait_ends(waiting) <= now)
        };
        self.line.get(&place).and_then(rules).unwrap_or(false)
    }

    pub(super) fn is_offered(&self, place: Place) -> bool {
        self.line.get(&place).is_some_and(|waiting| waiting.offered_to.is_some())
    }

    /// How many of the same queue are in front.
    pub(super) fn ahead(&self, place: Place) -> u32 {
        let Some(own) = self.line.get(&place) else {
            return 0;
        };
        count(self.line.range(..place).filter(|(_, other)| other.queue == own.queue))
    }

    pub(super) fn places(&self) -> Vec<Place> {
        self.line.keys().copied().collect()
    }

    /// A clerk came or went: some callers have a prospect now, or have none any more.
    pub(super) fn staff_callers_of(&mut self, id: &SeatId, now: Instant) {
        let Some(seat) = self.seats.get(id) else {
            return;
        };
        let mut changed = Vec::new();
        for (place, waiting) in &mut self.line {
            if !seat.serves(waiting) {
                continue;
            }
            let unstaffed_since = if seat.state.is_working() || is_staffed(&self.seats, waiting) {
                None
            } else {
                waiting.unstaffed_since.or(Some(now))
            };
            if unstaffed_since != waiting.unstaffed_since {
                waiting.unstaffed_since = unstaffed_since;
                changed.push(*place);
            }
        }
        for place in changed {
            self.wake_caller(place);
        }
    }

    pub(super) fn staff_everyone(&mut self, now: Instant) {
        for waiting in self.line.values_mut() {
            waiting.unstaffed_since =
                if is_staffed(&self.seats, waiting) { None } else { waiting.unstaffed_since.or(Some(now)) };
        }
    }
}

/// Whether a clerk works who could take the caller, now or later.
pub(super) fn is_staffed(seats: &BTreeMap<SeatId, Seat>, waiting: &Waiting) -> bool {
    seats.values().any(|seat| seat.state.is_working() && seat.serves(waiting))
}

pub(super) fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
