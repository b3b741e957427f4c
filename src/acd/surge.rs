//! More callers than usual: a surge calls seats of other roles to a queue while it lasts.

use crate::acd::event::Decision;
use crate::id::QueueId;
use crate::time::Instant;

use super::acd::Acd;

impl Acd {
    /// A surge begins or ends by somebody's word; `None`: by the queue's own rule again. False where there
    /// is no such queue.
    pub fn set_surge(&mut self, id: &QueueId, on: Option<bool>, now: Instant) -> bool {
        let Some(queue) = self.queues.get_mut(id).filter(|queue| !queue.dropped) else { return false };
        queue.word = on;
        self.settle(now);
        true
    }

    /// Whether the queue has more callers than usual.
    pub fn is_surging(&self, id: &QueueId) -> bool {
        self.queues.get(id).is_some_and(|queue| queue.surging)
    }

    pub(super) fn mind_surges(&mut self, now: Instant) {
        let turned = self.queues.iter().filter(|(_, queue)| queue.is_crowded() != queue.surging);
        let turned: Vec<QueueId> = turned.map(|(id, _)| id.clone()).collect();
        for id in turned {
            let Some(queue) = self.queues.get_mut(&id) else { continue };
            queue.surging = !queue.surging;
            let on = queue.surging;
            self.outputs.push_back(Decision::SurgeChanged { queue: id.clone(), on });
            let needs = self.needs.serve_anew(&id, &self.seats, self.queues.get(&id));
            self.staff(&needs, now);
            self.unbind_orphans(now);
            if on {
                self.pair_everyone(now);
            }
        }
    }
}
