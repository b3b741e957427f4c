//! Between the house and ticket offices: outboxes say what to try, the outside says what came of it.

use super::screens::Place;
use super::{Output, StoreJob, Switchboard};
use crate::tickets::event::{EventRef, Outcome, StoredEvent};
use crate::tickets::outbox::OutboxOutput;
use crate::time::Now;

impl Switchboard {
    /// An event is on disk: outboxes have it delivered, a seat that waits for it may not have to wait for them.
    pub(super) fn post_event(&mut self, event: &StoredEvent, now: Now) {
        let handed_on = self.hand_ons.on_disk(event.event, now);
        self.handed_on(event.event.call, handed_on, now);
        if self.hand_ons.awaits(event.event) {
            return self.outboxes.iter_mut().flatten().for_each(|outbox| {
                outbox.put_urgent(event.clone(), now.mono);
            });
        }
        if !self.screens.awaits(event.event) {
            return self.outboxes.iter_mut().flatten().for_each(|outbox| outbox.put(event.clone(), now.mono));
        }
        let mut tried = vec![Place::Disk];
        for (sink, outbox) in self.outboxes.iter_mut().enumerate() {
            let Some(outbox) = outbox else { continue };
            if !outbox.put_urgent(event.clone(), now.mono) {
                tried.push(Place::Sink(sink)); // It is known to be down.
            }
        }
        for place in tried {
            self.screen_tried(event.event, place, now);
        }
    }

    /// One try came to its end.
    pub(super) fn delivered(&mut self, sink: usize, event: EventRef, outcome: Outcome, now: Now) {
        let handed_on = self.hand_ons.tried(sink, event, &outcome, now);
        self.handed_on(event.call, handed_on, now);
        if let Some(Some(outbox)) = self.outboxes.get_mut(sink) {
            outbox.handle_outcome(event, outcome, now.mono);
        }
        self.screen_tried(event, Place::Sink(sink), now);
    }

    /// Carries out what the outboxes want.
    pub(super) fn post(&mut self) {
        for (sink, outbox) in self.outboxes.iter_mut().enumerate() {
            let Some(outbox) = outbox else { continue };
            while let Some(output) = outbox.poll_output() {
                match output {
                    OutboxOutput::Deliver { event, timeout } => {
                        self.outputs.push_back(Output::Deliver { sink, event, timeout });
                    }
                    OutboxOutput::Settled(event) => self.records.push(StoreJob::Settled { sink, event }),
                    OutboxOutput::DeadLetter { event, why } => {
                        let name = self.plan.sinks.get(sink).map_or("", |sink| sink.name.as_str());
                        tracing::warn!(
                            sink = name,
                            call = %event.call,
                            why,
                            "a ticket office refused an event for good"
                        );
                        self.records.push(StoreJob::DeadLetter { sink, event, why });
                    }
                    OutboxOutput::Load { after, most } => self.records.load(sink, after, most),
                }
            }
        }
    }
}
