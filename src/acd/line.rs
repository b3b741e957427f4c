//! Those who wait: announcements, overflows, what is asked for them, and whether a clerk works who could
//! help them.

use crate::acd::event::{Decision, Overflow};
use crate::id::{CallId, QueueId};
use crate::time::Instant;

use super::acd::{Acd, Wake};
use super::need::Need;
use super::waiting::{Presence, Stage};

impl Acd {
    pub(super) fn wake_caller(&mut self, call: CallId) {
        if let Some(waiting) = self.waiting.get(&call)
            && let Some(queue) = self.queues.get(&waiting.queue)
        {
            self.agenda.set(&Wake::Caller(call), queue.next_for(waiting));
        }
    }

    pub(super) fn caller_due(&mut self, call: CallId, now: Instant) {
        self.try_again(call, now);
        if self.ask_anew(call, now) {
            self.pair_caller(call, now);
        }
        let Some(waiting) = self.waiting.get(&call) else { return };
        let Some(queue) = self.queues.get(&waiting.queue) else { return };
        let waited_too_long = queue.wait_ends(waiting) <= now;
        match (&waiting.stage, &waiting.presence) {
            (Stage::Open, Presence::Here { announce_at, unstaffed_since }) => {
                let no_seat = unstaffed_since.is_some_and(|since| since + queue.planned.no_seat_wait <= now);
                if no_seat {
                    return self.overflow(call, Overflow::NoSeat, now);
                } else if waited_too_long {
                    return self.overflow(call, Overflow::WaitedTooLong, now);
                } else if *announce_at <= now {
                    self.announce(call, now);
                }
            }
            (
                Stage::Open | Stage::PassedOver { .. } | Stage::PickedUp { by: None, .. },
                Presence::Kept { .. },
            ) if waited_too_long => {
                return self.expire(call, now);
            }
            (Stage::Ringing { all: true, .. }, _) if waited_too_long => self.ring_no_more(call),
            _ => {}
        }
        self.wake_caller(call);
    }

    /// Seats that become free ring no more for a caller who has waited too long; those that do, to the end.
    fn ring_no_more(&mut self, call: CallId) {
        if let Some(waiting) = self.waiting.get_mut(&call)
            && let Stage::Ringing { all, .. } = &mut waiting.stage
        {
            *all = false;
            self.needs.row_mut(waiting.need).open.remove(&waiting.place);
        }
    }

    pub(super) fn announce(&mut self, call: CallId, now: Instant) {
        self.announce_later(call, now);
        let Some(waiting) = self.waiting.get(&call) else { return };
        let Some(queue) = self.queues.get(&waiting.queue) else { return };
        let ahead = queue.ahead(waiting.place);
        let expected_wait = self.expected_wait(waiting);
        self.outputs.push_back(Decision::Announce { call, ahead, expected_wait });
    }

    /// Says nothing now; the next announcement is an interval away.
    pub(super) fn announce_later(&mut self, call: CallId, now: Instant) {
        if let Some(waiting) = self.waiting.get_mut(&call)
            && let Some(queue) = self.queues.get(&waiting.queue)
            && let Presence::Here { announce_at, .. } = &mut waiting.presence
        {
            *announce_at = now + queue.announce_every();
        }
    }

    pub(super) fn overflow(&mut self, call: CallId, why: Overflow, now: Instant) {
        if let Some(waiting) = self.take_out(call) {
            self.overflowed(call, waiting.queue, why, now.since(waiting.since));
        }
    }

    pub(super) fn has_waited_too_long(&self, call: CallId, now: Instant) -> bool {
        let ends = |call| {
            let waiting = self.waiting.get(call)?;
            Some(self.queues.get(&waiting.queue)?.wait_ends(waiting))
        };
        ends(&call).is_some_and(|end| end <= now)
    }

    pub(super) fn is_offered(&self, call: CallId) -> bool {
        self.waiting.get(&call).is_some_and(|waiting| matches!(waiting.stage, Stage::Ringing { .. }))
    }

    /// What the caller's wait asks for by now; true where that is not what was asked before.
    pub(super) fn ask_anew(&mut self, call: CallId, now: Instant) -> bool {
        let Some(waiting) = self.waiting.get_mut(&call) else { return false };
        let Some(queue) = self.queues.get(&waiting.queue) else { return false };
        let steps = queue.steps_by(now.since(waiting.since));
        let freed = waiting.bound.take_if(|(_, until)| *until <= now).is_some();
        if !freed && steps == waiting.steps {
            return false;
        }
        waiting.steps = steps;
        let need = waiting.need(queue);
        self.need_instead(call, need, now);
        true
    }

    pub(super) fn need_instead(&mut self, call: CallId, need: Need, now: Instant) {
        let Some(waiting) = self.waiting.get_mut(&call) else { return };
        let queue = self.queues.get(&waiting.queue);
        let new = self.needs.enter(need, &self.seats, queue);
        self.needs.exit(std::mem::replace(&mut waiting.need, new), waiting.place);
        let is_open = waiting.is_open();
        let row = self.needs.row_mut(new);
        if is_open {
            row.open.insert(waiting.place, call);
        }
        let staffed = row.working > 0;
        if row.need.only.is_some() && !staffed {
            self.orphans.insert(new);
        }
        if let Presence::Here { unstaffed_since, .. } = &mut waiting.presence {
            *unstaffed_since = if staffed { None } else { unstaffed_since.or(Some(now)) };
        }
    }

    pub(super) fn unbind_orphans(&mut self, now: Instant) {
        while let Some(need) = self.orphans.pop_first() {
            self.unbind_all(need, now);
        }
    }

    /// The one seat that these callers would have works no more, or may not serve them: anyone will do.
    fn unbind_all(&mut self, need: usize, now: Instant) {
        if self.needs.row(need).working > 0 {
            return; // Somebody else's need by now, or the seat is back.
        }
        let queue = self.queues.get(&self.needs.row(need).need.queue);
        let line = queue.into_iter().flat_map(|queue| &queue.line);
        let bound = |call: &CallId| {
            self.waiting.get(call).is_some_and(|waiting| waiting.need == need && waiting.bound.is_some())
        };
        let calls: Vec<CallId> = line.map(|(_, call)| *call).filter(bound).collect();
        for call in calls {
            let Some(waiting) = self.waiting.get_mut(&call) else { continue };
            let Some(queue) = self.queues.get(&waiting.queue) else { continue };
            waiting.bound = None;
            let need = waiting.need(queue);
            self.need_instead(call, need, now);
            self.pair_caller(call, now);
            self.wake_caller(call);
        }
    }

    /// Clerks came or went: those who have these needs (in order) have a prospect now, or have none any
    /// more.
    pub(super) fn staff(&mut self, needs: &[usize], now: Instant) {
        if needs.is_empty() {
            return;
        }
        let mut turned = Vec::new();
        let queues = self.queues.iter();
        let of = |id: &QueueId| needs.iter().any(|need| self.needs.row(*need).need.queue == *id);
        for (_, queue) in queues.filter(|(id, _)| of(id)) {
            for (_, call) in &queue.line {
                let Some(waiting) = self.waiting.get_mut(call) else { continue };
                if needs.binary_search(&waiting.need).is_err() {
                    continue;
                }
                let staffed = self.needs.row(waiting.need).working > 0;
                if let Presence::Here { unstaffed_since, .. } = &mut waiting.presence
                    && staffed == unstaffed_since.is_some()
                {
                    *unstaffed_since = (!staffed).then_some(now);
                    turned.push(*call);
                }
            }
        }
        for call in turned {
            self.wake_caller(call);
        }
        for need in needs {
            let row = self.needs.row(*need);
            if row.need.only.is_some() && row.callers > 0 && row.working == 0 {
                self.orphans.insert(*need);
            }
        }
    }
}
