//! A new plan: queues and seats keep their state and callers, and serve by the new rules.

use crate::acd::event::{Decision, SeatState};
use crate::id::SeatId;
use crate::routing::Plan;
use crate::time::Instant;

use super::acd::Acd;
use super::decide::Free;
use super::need::Needs;
use super::queue::Queue;
use super::seat::Seat;
use super::waiting::{Presence, Stage};

impl Acd {
    /// Takes over a plan.
    pub fn plan_changed(&mut self, plan: &Plan, now: Instant) {
        self.wrap_up_max = plan.work.wrap_up_max;
        for queue in self.queues.values_mut() {
            queue.dropped = true;
        }
        for (id, planned) in &plan.queues {
            match self.queues.get_mut(id) {
                Some(queue) => {
                    queue.planned = planned.clone();
                    queue.dropped = false;
                }
                None => {
                    self.queues.insert(id.clone(), Queue::new(planned));
                }
            }
        }
        let outputs = &mut self.outputs;
        self.queues.retain(|id, queue| {
            let stays = !queue.dropped || !queue.line.is_empty();
            if !stays && queue.surging {
                outputs.push_back(Decision::SurgeChanged { queue: id.clone(), on: false });
            }
            stays
        });
        // All seats serve by the new plan before the first caller is paired by it.
        let dropped = self.seats_changed(plan);
        self.stand_anew(now);
        for id in dropped {
            if let Some(SeatState::Talking { .. }) = self.seat(&id) {
                continue; // To the end of its conversation.
            }
            self.sign_out(&id, now);
            self.seats.remove(&id);
        }
        self.settle(now);
        self.pair_everyone(now);
        for call in self.calls_in_line() {
            self.wake_caller(call);
        }
    }

    /// Seats that the plan has no more.
    fn seats_changed(&mut self, plan: &Plan) -> Vec<SeatId> {
        let mut dropped = Vec::new();
        for (id, seat) in &mut self.seats {
            match plan.seats.get(id) {
                Some(planned) => {
                    seat.take_over(planned);
                    // Dropped and taken back during one conversation: its phone registers anew.
                    seat.registered &= !seat.dropped;
                    seat.dropped = false;
                }
                None => {
                    seat.dropped = true;
                    dropped.push(id.clone());
                }
            }
        }
        for (id, planned) in &plan.seats {
            if !self.seats.contains_key(id) {
                self.seats.insert(id.clone(), Seat::new(planned));
            }
        }
        self.ready.clear();
        for (number, (id, seat)) in self.seats.iter_mut().enumerate() {
            seat.number = number;
            if let SeatState::Ready { since } = seat.state {
                self.ready.insert((since, number), Free::new(id, seat));
            }
        }
        dropped
    }

    /// All lines anew: by the queues' new rules, those who stand in them keep what they have waited.
    fn stand_anew(&mut self, now: Instant) {
        self.needs = Needs::default();
        self.orphans.clear();
        for (id, queue) in &mut self.queues {
            for (place, call) in &mut queue.line {
                if let Some(waiting) = self.waiting.get_mut(call) {
                    waiting.rank.priority =
                        i32::from(waiting.priority) + i32::from(queue.planned.rules.priority);
                    waiting.place = waiting.rank.place(queue.planned.rules.ageing);
                    *place = waiting.place;
                }
            }
            queue.line.make_contiguous().sort_unstable();
            for (_, call) in &queue.line {
                let Some(waiting) = self.waiting.get_mut(call) else { continue };
                debug_assert_eq!(waiting.queue, *id);
                waiting.steps = queue.steps_by(now.since(waiting.since));
                let rings_all = queue.rings_all(waiting);
                if let Stage::Ringing { all, .. } = &mut waiting.stage {
                    *all &= rings_all;
                }
                waiting.need = self.needs.enter(waiting.need(queue), &self.seats, Some(queue));
                let row = self.needs.row_mut(waiting.need);
                if waiting.is_open() {
                    row.open.insert(waiting.place, *call);
                }
                if row.need.only.is_some() && row.working == 0 {
                    self.orphans.insert(waiting.need);
                }
                let staffed = row.working > 0;
                if let Presence::Here { unstaffed_since, .. } = &mut waiting.presence {
                    *unstaffed_since = if staffed { None } else { unstaffed_since.or(Some(now)) };
                }
            }
        }
    }
}
