//! A new plan: queues and seats keep their state and callers, and serve by the new rules.
//!
//! A queue that the new plan has no more is kept for those who wait in it, and for calls under way whose own
//! plan has it: they may come to it yet. Its seats go on serving it, and with them those of the queues that
//! the new plan gives its numbers.

use std::collections::BTreeSet;

use crate::acd::event::{Decision, SeatState};
use crate::id::{QueueId, SeatId};
use crate::routing::{self, Plan};
use crate::time::Instant;

use super::acd::Acd;
use super::decide::Free;
use super::need::Needs;
use super::queue::Queue;
use super::seat::Seat;
use super::waiting::{Presence, Stage};

impl Acd {
    /// Takes over a plan. `still`: queues of the plans of calls under way.
    pub fn plan_changed(&mut self, plan: &Plan, still: &BTreeSet<QueueId>, now: Instant) {
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
        self.lines_changed(plan);
        let outputs = &mut self.outputs;
        self.queues.retain(|id, queue| {
            let stays = !queue.dropped || !queue.line.is_empty() || still.contains(id);
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

    /// Which numbers lead to each queue. What led to one that is dropped leads to its heirs now.
    fn lines_changed(&mut self, plan: &Plan) {
        for queue in self.queues.values_mut() {
            if queue.dropped {
                let leads = |line| plan.lines.get(line)?.mode.queue().cloned();
                queue.heirs = queue.lines.iter().filter_map(leads).collect();
            } else {
                queue.lines.clear();
                queue.heirs.clear();
            }
        }
        for line in plan.lines.values() {
            if let Some(queue) = line.mode.queue().and_then(|queue| self.queues.get_mut(queue)) {
                queue.lines.insert(line.number.clone());
            }
        }
    }

    /// Queues that are kept for calls of an earlier plan, and that a seat serves because it served them
    /// `before`, or serves an heir of theirs.
    fn old_queues(&self, before: &[QueueId], planned: &routing::plan::Seat) -> Vec<QueueId> {
        let serves = |id: &QueueId, queue: &Queue| {
            before.contains(id) || planned.queues.iter().any(|queue_of| queue.heirs.contains(queue_of))
        };
        let dropped = self.queues.iter().filter(|(_, queue)| queue.dropped);
        dropped.filter(|(id, queue)| serves(id, queue)).map(|(id, _)| id.clone()).collect()
    }

    /// Seats that the plan has no more.
    fn seats_changed(&mut self, plan: &Plan) -> Vec<SeatId> {
        let mut dropped = Vec::new();
        for (id, seat) in self.seats.iter_mut().filter(|(id, _)| !plan.seats.contains_key(*id)) {
            seat.dropped = true;
            dropped.push(id.clone());
        }
        for (id, planned) in &plan.seats {
            let before = self.seats.get(id).map(|seat| [&*seat.queues, &*seat.old_queues].concat());
            let old_queues = self.old_queues(&before.unwrap_or_default(), planned);
            let seat = self.seats.entry(id.clone()).or_insert_with(|| Seat::new(planned));
            seat.take_over(planned);
            seat.old_queues = old_queues;
            // Dropped and taken back during one conversation: its phone registers anew.
            seat.registered &= !seat.dropped;
            seat.dropped = false;
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
