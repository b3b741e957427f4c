//! Between the house and ticket offices: outboxes say what to try, the outside says what came of it.

use super::{Output, StoreJob, Switchboard};
use crate::tickets::event::{EventRef, Outcome};
use crate::tickets::outbox::OutboxOutput;
use crate::time::Now;

impl Switchboard {
    /// One try came to its end.
    pub(super) fn delivered(&mut self, sink: usize, event: EventRef, outcome: Outcome, now: Now) {
        if let Some(outbox) = self.outboxes.get_mut(sink) {
            outbox.handle_outcome(event, outcome, now.mono);
        }
        self.screen_tried(event, now);
    }

    /// Carries out what the outboxes want.
    pub(super) fn post(&mut self) {
        for (sink, outbox) in self.outboxes.iter_mut().enumerate() {
            while let Some(output) = outbox.poll_output() {
                match output {
                    OutboxOutput::Deliver { event, timeout, awaited } => {
                        self.outputs.push_back(Output::Deliver { sink, event, timeout, awaited });
                    }
                    OutboxOutput::Settled(event) => self.records.push(StoreJob::Settled { sink, event }),
                    OutboxOutput::DeadLetter { event, why } => {
                        tracing::warn!(sink, call = %event.call, why, "a ticket office refused an event for good");
                        self.records.push(StoreJob::DeadLetter { sink, event, why });
                    }
                    OutboxOutput::Load { after, most } => self.records.load(sink, after, most),
                }
            }
        }
    }
}
