//! Between the house and ticket offices: outboxes say what to try, the outside says what came of it.

use super::screens::Place;
use super::{Output, StoreJob, Switchboard};
use crate::routing::Plan;
use crate::routing::plan::Sink;
use crate::tickets::event::{EventRef, Outcome, StoredEvent};
use crate::tickets::outbox::{OutboxOutput, Pace};
use crate::time::Now;

/// As the plan has it.
pub(super) fn pace(sink: &Sink) -> Pace {
    let own = &sink.pace;
    Pace { first: own.first, longest: own.longest, at_once: usize::from(own.at_once) }
}

/// Begins why an event was set aside that nobody refused.
pub const UNDELIVERED: &str = "undelivered for longer than it is kept";

fn signed(span: std::time::Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(span).unwrap_or(jiff::SignedDuration::MAX)
}

/// Of the house's outboxes those of sinks, with their places. Feeds hear from the store what falls to them: that goes by
/// what a call has come to.
pub(super) fn of_sinks<O: IntoIterator>(
    outboxes: impl IntoIterator<Item = O>,
    plan: &Plan,
) -> impl Iterator<Item = (usize, O::Item)> {
    let sinks = outboxes.into_iter().take(plan.sinks.len()).enumerate();
    sinks.flat_map(|(place, outbox)| outbox.into_iter().map(move |own| (place, own)))
}

impl Switchboard {
    /// An event is on disk: outboxes have it delivered, a seat that waits for it may not have to wait for them.
    pub(super) fn post_event(&mut self, event: &StoredEvent, now: Now) {
        let handed_on = self.hand_ons.on_disk(event.event, now);
        self.handed_on(event.event.call, handed_on, now);
        let sinks = of_sinks(&mut self.outboxes, &self.plan);
        if self.hand_ons.awaits(event.event) {
            return sinks.for_each(|(_, outbox)| {
                outbox.put_urgent(event.clone(), now.mono);
            });
        }
        if !self.screens.awaits(event.event) {
            return sinks.for_each(|(_, outbox)| outbox.put(event.clone(), now.mono));
        }
        let mut tried = vec![Place::Disk];
        for (sink, outbox) in sinks {
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
        let keep = self.plan.outlets().nth(sink).and_then(|sink| sink.pace.keep);
        let handed_on = self.hand_ons.tried(sink, event, &outcome, now);
        self.handed_on(event.call, handed_on, now);
        if let Some(Some(outbox)) = self.outboxes.get_mut(sink) {
            let is_old = |at| keep.is_some_and(|keep| now.wall.duration_since(at) > signed(keep));
            match outcome {
                Outcome::Retry(why) | Outcome::RetryAfter(why, _)
                    if outbox.happened_at(event).is_some_and(is_old) =>
                {
                    outbox.give_up(event, format!("{UNDELIVERED}: {why}"), now.mono);
                }
                outcome => outbox.handle_outcome(event, outcome, now.mono),
            }
        }
        self.screen_tried(event, Place::Sink(sink), now);
    }

    /// More is owed than was told here.
    pub(super) fn owed(&mut self, sink: usize, first: EventRef, now: Now) {
        if let Some(Some(outbox)) = self.outboxes.get_mut(sink) {
            outbox.left_on_disk(first);
            outbox.handle_timeout(now.mono);
        }
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
                        let name = self.plan.outlets().nth(sink).map_or("", |sink| sink.name.as_str());
                        tracing::warn!(
                            sink = name,
                            call = %event.call,
                            why,
                            "工单系统 {name} 不再收这个事件，已放入死信：hotline tickets --dead 可查、可重发 / the sink {name} is \
                             given this event no more; it is a dead letter, to be seen and sent again by hotline \
                             tickets --dead"
                        );
                        self.records.push(StoreJob::DeadLetter { sink, event, why });
                    }
                    OutboxOutput::Load { after, most } => self.records.load(sink, after, most),
                }
            }
        }
    }
}
