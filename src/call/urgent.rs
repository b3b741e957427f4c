//! What changes the way to a person: a caller who says by key that it is urgent, and a policy by which
//! the next call soon after one gets a word and a ticket instead.

use super::{Call, Doing, Told};
use crate::id::QueueId;
use crate::routing::plan::{Step, TicketReason};
use crate::time::Now;

/// Said instead of the queue to who called only just now.
const COOL_DOWN: &str = "cool_down";

impl Call {
    /// The caller pressed the key that says so: whatever is still to be said in front of the queue is not
    /// said. Once in a call, and until a clerk answers; `false`: it means nothing here.
    pub(super) fn says_urgent(&mut self, now: Now) -> bool {
        let ahead = self.steps.iter().position(|step| matches!(step, Step::Queue(_)));
        let before_a_clerk = match self.doing {
            Doing::Queueing => true,
            // Behind the queue, with a ticket: whoever was sent on can go back to it.
            Doing::Playing { .. } | Doing::Notifying { .. } => ahead.is_some() || self.queue.is_some(),
            Doing::Stepping
            | Doing::AwaitingRecord
            | Doing::AwaitingAck
            | Doing::AwaitingPrack { .. }
            | Doing::Serving(_)
            | Doing::Dialling => ahead.is_some(),
            Doing::Lingering
            | Doing::CallingFirst
            | Doing::Watching(_)
            | Doing::Transferring
            | Doing::Introducing { .. }
            | Doing::Talking
            | Doing::Meeting(_)
            | Doing::Asking(_)
            | Doing::Parting { .. }
            | Doing::Ended { .. }
            | Doing::Over => false,
        };
        if self.urgent || !before_a_clerk {
            return false;
        }
        self.urgent = true;
        self.tell(Told::Urgent);
        if let Some(ahead) = ahead {
            let behind = self.steps.split_off(ahead);
            self.steps.retain(|step| {
                let is_word = matches!(step, Step::Play(_) | Step::PlayEarly(_) | Step::HotNotice(_));
                !is_word && !matches!(step, Step::Script(_))
            });
            self.steps.extend(behind);
        }
        if self.service.is_begun() {
            self.go_to_person(now);
            return true;
        }
        match (&self.doing, ahead, self.queue.clone()) {
            (Doing::Playing { .. } | Doing::Notifying { .. }, Some(_), _) => self.advance(now),
            (Doing::Playing { .. }, None, Some(queue)) => self.queue_again(queue),
            _ => {}
        }
        true
    }

    /// Behind the queue there is what was there before.
    fn queue_again(&mut self, queue: QueueId) {
        self.only_behind(&queue);
        self.join_queue(queue, false);
    }

    /// The step to a queue: past it, where a policy says so and the caller does not say that it is urgent.
    pub(super) fn queue_up(&mut self, queue: QueueId, now: Now) {
        if !self.cools_down || self.urgent {
            return self.join_queue(queue, false);
        }
        self.queue = Some(queue);
        let word = self.sounds.contains_key(COOL_DOWN);
        for step in &mut self.steps {
            if let Step::Ticket { prompt, reason } = step {
                *reason = TicketReason::CoolDown;
                if word {
                    *prompt = COOL_DOWN.into();
                }
            }
        }
        self.go_on_unserved(now);
    }
}
