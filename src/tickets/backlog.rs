//! The events that a sink is owed and that are in memory: in order per call, one of a call at a time.
//!
//! When to send, and whether the sink is well, is for [`super::outbox`].

use std::collections::{BTreeMap, BTreeSet};

use crate::id::CallId;
use crate::time::{Instant, Timestamp};

use super::event::{EventRef, StoredEvent};

/// All calls that something is owed of.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    piles: BTreeMap<CallId, Pile>,
    events: usize,
    /// Calls whose first event may be sent, by birth.
    ready: BTreeSet<CallId>,
    /// The same calls by their latest news.
    ready_by_news: BTreeSet<(u64, CallId)>,
    /// Those of them that a seat waits for.
    ready_urgent: BTreeSet<CallId>,
    resting: BTreeSet<(Instant, CallId)>,
    arrivals: u64,
    /// The turn goes from the oldest call to the one with the latest news and back, so that neither
    /// a flood of old events nor one of new ones makes the other wait.
    latest_is_next: bool,
}

/// The events of one call.
#[derive(Debug)]
struct Pile {
    events: BTreeMap<u32, StoredEvent>,
    /// When its latest event came, as a count of arrivals; 0: it was read back from disk.
    news: u64,
    /// A seat waits for events up to this one.
    urgent_to: Option<u32>,
    /// Failed tries of the first event.
    failures: u32,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Ready,
    Sent,
    Resting { until: Instant },
}

impl Backlog {
    /// How many events there are.
    pub(super) fn len(&self) -> usize {
        self.events
    }

    /// When the oldest of them happened.
    pub(super) fn oldest_at(&self) -> Option<Timestamp> {
        let firsts = self.piles.values().filter_map(|pile| pile.events.values().next());
        firsts.map(|event| event.at).min()
    }

    /// When this one happened; `None`: it is not among them.
    pub(super) fn at_of(&self, event: EventRef) -> Option<Timestamp> {
        Some(self.piles.get(&event.call)?.events.get(&event.sequence)?.at)
    }

    /// Takes in an event that has just happened.
    pub(super) fn put(&mut self, event: StoredEvent, urgent: bool) {
        self.arrivals += 1;
        self.insert(event, self.arrivals, urgent);
    }

    /// Takes in an event read back from disk; one that is here already changes nothing.
    pub(super) fn put_back(&mut self, event: StoredEvent) {
        self.insert(event, 0, false);
    }

    fn insert(&mut self, event: StoredEvent, news: u64, urgent: bool) {
        let EventRef { call, sequence } = event.event;
        self.unlist(call);
        let pile = self.piles.entry(call).or_insert_with(|| Pile {
            events: BTreeMap::new(),
            news,
            urgent_to: None,
            failures: 0,
            step: Step::Ready,
        });
        pile.news = pile.news.max(news);
        if urgent {
            pile.urgent_to = pile.urgent_to.max(Some(sequence));
        }
        if pile.events.insert(sequence, event).is_none() {
            self.events += 1;
        }
        self.list(call);
    }

    /// The next event to send, if any may be: from the oldest call and the latest in turn.
    pub(super) fn pick(&mut self) -> Option<StoredEvent> {
        let call = if self.latest_is_next {
            self.ready_by_news.last().map(|(_, call)| *call)
        } else {
            self.ready.first().copied()
        };
        self.latest_is_next = !self.latest_is_next;
        self.take(call?)
    }

    /// The next event that a seat waits for.
    pub(super) fn pick_urgent(&mut self) -> Option<StoredEvent> {
        let call = *self.ready_urgent.first()?;
        self.take(call)
    }

    fn take(&mut self, call: CallId) -> Option<StoredEvent> {
        self.unlist(call);
        let pile = self.piles.get_mut(&call)?;
        pile.step = Step::Sent;
        pile.events.values().next().cloned()
    }

    /// Whether any event may be sent.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The event is owed no more; the next of its call may be sent.
    pub(super) fn remove(&mut self, event: EventRef) -> Option<StoredEvent> {
        let EventRef { call, sequence } = event;
        let pile = self.piles.get_mut(&call)?;
        let removed = pile.events.remove(&sequence)?;
        self.events -= 1;
        self.unlist(call);
        let pile = self.piles.get_mut(&call)?;
        if pile.events.is_empty() {
            self.piles.remove(&call);
            return Some(removed);
        }
        pile.urgent_to = pile.urgent_to.filter(|to| *to > sequence);
        pile.failures = 0;
        pile.step = Step::Ready;
        self.list(call);
        Some(removed)
    }

    /// Tries of the call's first event that have failed, this one counted.
    pub(super) fn count_failure(&mut self, call: CallId) -> u32 {
        self.piles.get_mut(&call).map_or(0, |pile| {
            pile.failures = pile.failures.saturating_add(1);
            pile.failures
        })
    }

    /// The call is left alone for a while.
    pub(super) fn rest(&mut self, call: CallId, until: Instant) {
        self.unlist(call);
        if let Some(pile) = self.piles.get_mut(&call) {
            pile.step = Step::Resting { until };
        }
        self.list(call);
    }

    /// Calls that have rested may be sent again.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some((until, call)) = self.resting.first().copied()
            && until <= now
        {
            self.unlist(call);
            if let Some(pile) = self.piles.get_mut(&call) {
                pile.step = Step::Ready;
            }
            self.list(call);
        }
    }

    /// When the next call has rested.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.resting.first().map(|(until, _)| *until)
    }

    /// Whether a call's events may go out as soon as there is room for a try.
    pub(super) fn is_resting(&self, call: CallId) -> bool {
        self.piles.get(&call).is_some_and(|pile| matches!(pile.step, Step::Resting { .. }))
    }

    /// Takes a call off the lists, before it changes.
    fn unlist(&mut self, call: CallId) {
        let Some(pile) = self.piles.get(&call) else {
            return;
        };
        match pile.step {
            Step::Ready => {
                self.ready.remove(&call);
                self.ready_by_news.remove(&(pile.news, call));
                self.ready_urgent.remove(&call);
            }
            Step::Sent => {}
            Step::Resting { until } => {
                self.resting.remove(&(until, call));
            }
        }
    }

    /// Puts it on again, afterwards.
    fn list(&mut self, call: CallId) {
        let Some(pile) = self.piles.get(&call) else {
            return;
        };
        match pile.step {
            Step::Ready => {
                self.ready.insert(call);
                self.ready_by_news.insert((pile.news, call));
                if pile.urgent_to.is_some() {
                    self.ready_urgent.insert(call);
                }
            }
            Step::Sent => {}
            Step::Resting { until } => {
                self.resting.insert((until, call));
            }
        }
    }
}
