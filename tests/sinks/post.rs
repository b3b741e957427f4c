//! An outbox with a real adapter on a real clock: what `io` does for the house, for one sink.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant as SystemInstant};

use hotline::id::{CallId, Dice};
use hotline::io::ticket_sink::TicketSink;
use hotline::tickets::event::{ClosedBy, EventBody, EventRef, Outcome, StoredEvent, source, stored};
use hotline::tickets::outbox::{Outbox, OutboxOutput};
use hotline::time::{Instant, Timestamp};
use tokio::sync::mpsc;

pub fn call(n: u64) -> CallId {
    CallId::draw(1_630_458_000_000 + n, &mut Dice::seeded(n))
}

pub fn event(n: u64, sequence: u32, body: &EventBody) -> StoredEvent {
    stored(call(n), sequence, Timestamp::from_second(1_630_458_000).unwrap(), body, &source("test"))
}

/// A whole call: opened, answered, a key, closed.
pub fn story(n: u64) -> Vec<StoredEvent> {
    let opened = EventBody::Opened {
        ticket: format!("210901{n:05}"),
        line: "12345".into(),
        line_name: "政务服务便民热线".into(),
        dialled: "12345".into(),
        caller: "13800000042".into(),
        trunk: "carrier".into(),
        plan: "00".into(),
        shifted_clock: true,
        wire_ref: "\"w\" \\ 线".into(),
        kind: None,
    };
    let closed = EventBody::Closed {
        cause: ClosedBy::CallerHungUp,
        status: None,
        lasted_ms: 2_000,
        answered_ms: Some(1_000),
    };
    let bodies =
        [opened, EventBody::Answered { durable: true }, EventBody::DigitPressed { digit: '5' }, closed];
    (1..).zip(&bodies).map(|(sequence, body)| event(n, sequence, body)).collect()
}

/// One try, begun and ended.
#[derive(Clone, Debug)]
pub struct Try {
    pub event: EventRef,
    pub begun: SystemInstant,
    pub ended: Option<SystemInstant>,
    pub outcome: Option<Outcome>,
}

/// Which try, and how it ended.
type End = (usize, Outcome);

pub struct Post {
    outbox: Outbox,
    adapter: Arc<dyn TicketSink>,
    clock: SystemInstant,
    owed: BTreeMap<EventRef, StoredEvent>,
    pub tries: Vec<Try>,
    pub settled: Vec<EventRef>,
    pub dead: Vec<(EventRef, String)>,
    end: mpsc::UnboundedSender<End>,
    ended: mpsc::UnboundedReceiver<End>,
}

impl Post {
    /// `timeout` for one try.
    pub fn new(adapter: Arc<dyn TicketSink>, timeout: Duration) -> Post {
        let (end, ended) = mpsc::unbounded_channel();
        Post {
            outbox: Outbox::new(timeout, Dice::seeded(3)),
            adapter,
            clock: SystemInstant::now(),
            owed: BTreeMap::new(),
            tries: Vec::new(),
            settled: Vec::new(),
            dead: Vec::new(),
            end,
            ended,
        }
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(self.clock.elapsed().as_nanos() as u64)
    }

    pub fn owe(&mut self, events: impl IntoIterator<Item = StoredEvent>) {
        for event in events {
            self.owed.insert(event.event, event.clone());
            let now = self.now();
            self.outbox.put(event, now);
        }
    }

    /// Turns the outbox until `done`.
    pub async fn until(&mut self, what: &str, patience: Duration, done: impl Fn(&Post) -> bool) {
        let deadline = SystemInstant::now() + patience;
        while !done(self) {
            self.carry_out();
            let due = self.outbox.poll_timeout().map(|at| at.since(self.now()));
            let left = deadline.saturating_duration_since(SystemInstant::now());
            let wait = due.unwrap_or(left).min(left);
            if let Ok(Some((index, outcome))) = tokio::time::timeout(wait, self.ended.recv()).await {
                self.tries[index].ended = Some(SystemInstant::now());
                self.tries[index].outcome = Some(outcome.clone());
                let (event, now) = (self.tries[index].event, self.now());
                self.outbox.handle_outcome(event, outcome, now);
            }
            let now = self.now();
            self.outbox.handle_timeout(now);
            self.carry_out();
            assert!(SystemInstant::now() < deadline, "{what}: not within {patience:?}; {:?}", self.tries);
        }
    }

    /// Until nothing is owed any more.
    pub async fn until_empty(&mut self, patience: Duration) {
        self.until("an empty outbox", patience, |post| post.owed.is_empty() && post.outbox.is_empty()).await;
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.outbox.poll_output() {
            match output {
                OutboxOutput::Deliver { event, timeout } => {
                    let index = self.tries.len();
                    let begun = SystemInstant::now();
                    self.tries.push(Try { event: event.event, begun, ended: None, outcome: None });
                    let (adapter, end) = (Arc::clone(&self.adapter), self.end.clone());
                    tokio::spawn(async move {
                        let tried = tokio::time::timeout(timeout, adapter.deliver(&event)).await;
                        let outcome = tried.unwrap_or_else(|_| Outcome::Retry("timed out".into()));
                        let _ = end.send((index, outcome));
                    });
                }
                OutboxOutput::Settled(event) => {
                    assert!(self.owed.remove(&event).is_some(), "{event:?} settled twice");
                    self.settled.push(event);
                }
                OutboxOutput::DeadLetter { event, why } => {
                    assert!(self.owed.remove(&event).is_some(), "{event:?} set aside twice");
                    self.dead.push((event, why));
                }
                OutboxOutput::Load { after, most } => {
                    let rest = self.owed.values().filter(|event| Some(event.event) > after);
                    let page = rest.take(most).cloned().collect();
                    let now = self.now();
                    self.outbox.restore(page, now);
                }
            }
        }
    }

    /// At most one try a second once the sink has failed, until one is answered.
    pub fn assert_patient(&self) {
        let Some(down) = self.tries.iter().position(|one| is_failure(one.outcome.as_ref())) else { return };
        let mut down_since = self.tries[down].ended.unwrap();
        for one in &self.tries[down + 1..] {
            if one.begun < down_since {
                continue; // Under way when the sink went down.
            }
            let rest = one.begun - down_since;
            assert!(rest >= Duration::from_millis(999), "{rest:?} after a failure: {:?}", self.tries);
            match is_failure(one.outcome.as_ref()) {
                true => down_since = one.ended.unwrap(),
                false => return,
            }
        }
    }

    /// Events of a call are settled or set aside in their order, each once.
    pub fn assert_in_order(&self, calls: impl IntoIterator<Item = u64>) {
        let ends: BTreeSet<EventRef> =
            self.settled.iter().copied().chain(self.dead.iter().map(|(event, _)| *event)).collect();
        for n in calls {
            let of_call = |event: &&EventRef| event.call == call(n);
            let settled: Vec<u32> = self.settled.iter().filter(of_call).map(|event| event.sequence).collect();
            assert!(settled.is_sorted(), "call {n}: {settled:?}");
            assert_eq!(ends.iter().filter(of_call).count(), 4, "call {n}");
        }
    }
}

pub fn is_failure(outcome: Option<&Outcome>) -> bool {
    matches!(outcome, Some(Outcome::Retry(_) | Outcome::RetryAfter(..)))
}
