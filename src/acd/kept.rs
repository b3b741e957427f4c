//! Places that are kept for callers who hung up: when it is their turn, a seat is offered them like others,
//! and the house calls back once it has picked up.

use crate::acd::event::{Decision, Joining};
use crate::id::{CallId, LineId, QueueId};
use crate::time::Instant;

use super::acd::Acd;
use super::queue::Queue;
use super::waiting::{Presence, Stage, Waiting};

impl Acd {
    /// The caller hangs up and is called back; the place stays what it is, for as long as the queue's
    /// `callback` rule keeps it. False where the queue has no such rule, nobody waits, or a clerk has just
    /// picked up. Seats that ring ring no more for the caller's telephone.
    ///
    /// A seat's offer is for [`Purpose::Callback`](crate::acd::event::Purpose::Callback) then. Once it has
    /// picked up an attempt is under way, and no other begins until [`Acd::bridged`],
    /// [`Acd::callback_failed`] or [`Acd::leave`] ends it.
    pub fn keep_place(&mut self, call: CallId, now: Instant) -> bool {
        let Some(waiting) = self.waiting.get_mut(&call) else { return false };
        let rule = self.queues.get(&waiting.queue).and_then(|queue| queue.rules().callback.as_ref());
        let Some(rule) = rule.filter(|_| !waiting.is_kept()) else { return false };
        let rang = match &waiting.stage {
            Stage::PickedUp { .. } => return false,
            Stage::Open | Stage::PassedOver { .. } => Vec::new(),
            Stage::Ringing { seats, .. } => seats.clone(),
        };
        waiting.presence = Presence::Kept { until: now + rule.keep };
        waiting.stage = Stage::Open;
        self.needs.row_mut(waiting.need).open.insert(waiting.place, call);
        self.let_go(call, &rang, now);
        self.pair_caller(call, now);
        self.wake_caller(call);
        self.settle(now);
        true
    }

    /// Keeps a place again that was kept before a restart, `until` then: the caller has waited since `since`.
    /// False where the queue is not there, or the caller is.
    pub fn restore_place(&mut self, joining: Joining, since: Instant, until: Instant, now: Instant) -> bool {
        let call = joining.call;
        let queue = self.queues.get(&joining.queue).filter(|queue| !queue.dropped);
        let Some(queue) = queue.filter(|_| !self.waiting.contains_key(&call)) else { return false };
        let priority = i32::from(joining.priority) + i32::from(queue.rules().priority);
        self.stand(joining, priority, since, now);
        if let Some(waiting) = self.waiting.get_mut(&call) {
            waiting.presence = Presence::Kept { until };
        }
        self.pair_caller(call, now);
        self.wake_caller(call);
        self.settle(now);
        true
    }

    /// A kept place goes to another queue, before all others of its priority there, for as long as it was to be
    /// kept. False where that queue is not there, or a seat rings for the place or has picked up.
    pub fn move_place(&mut self, call: CallId, queue: &QueueId, line: LineId, now: Instant) -> bool {
        let Some(rules) = self.queues.get(queue).filter(|queue| !queue.dropped).map(Queue::rules) else {
            return false;
        };
        let own = i32::from(rules.priority);
        let idle = |waiting: &Waiting| {
            waiting.is_kept() && matches!(waiting.stage, Stage::Open | Stage::PassedOver { .. })
        };
        if !self.waiting.get(&call).is_some_and(idle) {
            return false;
        }
        let Some(Waiting { presence, stage, skills, priority, since, .. }) = self.take_out(call) else {
            return false;
        };
        let joining =
            Joining { call, queue: queue.clone(), line, skills, first: true, priority, sticky: None };
        self.stand(joining, i32::from(priority) + own, since, now);
        if let Some(waiting) = self.waiting.get_mut(&call) {
            waiting.presence = presence;
            if let Stage::PassedOver { .. } = stage {
                waiting.stage = stage;
                self.needs.row_mut(waiting.need).open.remove(&waiting.place);
            }
        }
        self.pair_caller(call, now);
        self.wake_caller(call);
        self.settle(now);
        true
    }

    /// Whether the caller hung up and has the place still.
    pub fn is_kept(&self, call: CallId) -> bool {
        self.waiting.get(&call).is_some_and(|waiting| waiting.is_kept())
    }

    /// An attempt to call back came to nothing: the place stays where it is and is passed over until then,
    /// or is given up (`None`). The seat that had picked up is told of by [`Acd::seat_left`], before or
    /// after.
    pub fn callback_failed(&mut self, call: CallId, again_at: Option<Instant>, now: Instant) {
        let Some(waiting) = self.waiting.get_mut(&call) else { return };
        let Presence::Kept { until: kept_until } = waiting.presence else { return };
        let rang = waiting.stage.ringing().to_vec();
        self.needs.row_mut(waiting.need).open.remove(&waiting.place);
        self.withdraw_all(call, &rang);
        match again_at {
            None => {
                self.take_out(call);
            }
            Some(_) if kept_until <= now => self.expire(call, now),
            Some(until) => {
                self.pass_over(call, until);
                self.try_again(call, now);
                self.wake_caller(call);
            }
        }
        self.release_all(&rang, now);
        self.settle(now);
    }

    fn pass_over(&mut self, call: CallId, until: Instant) {
        if let Some(waiting) = self.waiting.get_mut(&call) {
            waiting.stage = Stage::PassedOver { until };
        }
    }

    /// A place that was passed over is in turn again, if it is time.
    pub(super) fn try_again(&mut self, call: CallId, now: Instant) {
        let Some(waiting) = self.waiting.get_mut(&call) else { return };
        let Stage::PassedOver { until } = waiting.stage else { return };
        if until <= now {
            waiting.stage = Stage::Open;
            self.needs.row_mut(waiting.need).open.insert(waiting.place, call);
            self.ask_anew(call, now);
            self.pair_caller(call, now);
        }
    }

    /// The place is kept no longer.
    pub(super) fn expire(&mut self, call: CallId, now: Instant) {
        if let Some(waiting) = self.take_out(call) {
            let waited = now.since(waiting.since);
            self.outputs.push_back(Decision::PlaceExpired { call, queue: waiting.queue, waited });
        }
    }
}
