//! The disk and the ticket office: what is written, what is owed, what was taken, and their moods.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use hotline::id::{CallId, SeatId};
use hotline::switchboard::fact::SeatFact;
use hotline::switchboard::port::Earlier;
use hotline::switchboard::{Fact, StoreJob, What};
use hotline::telemetry::CallRecord;
use hotline::tickets::event::{EventRef, Outcome, StoredEvent};
use hotline::time::{Instant, Timestamp};

/// How the disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// A commit takes so long.
    Takes(Duration),
    /// Every commit fails; what is to be written waits.
    Fails,
}

/// How the ticket office is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Office {
    /// Takes everything within so long.
    Open(Duration),
    /// Nobody at the door: refused at once.
    Down,
    /// Takes the connection and says nothing.
    Hangs,
    /// Takes the event, and its answer is lost.
    Mumbles,
}

/// What was fsynced.
pub struct Store {
    pub disk: Disk,
    /// Batches on their way, oldest first.
    pub waiting: VecDeque<(u64, Vec<StoreJob>)>,
    pub facts: BTreeMap<CallId, Vec<Fact>>,
    owed: BTreeMap<(usize, EventRef), StoredEvent>,
    pub dead: Vec<(usize, EventRef, String)>,
    /// What came to the embedded office, and is not in the books yet.
    pub folded: Vec<StoredEvent>,
    bindings: BTreeSet<SeatId>,
    /// Of the ledger's entries: who, to what, why.
    pub accesses: Vec<(String, String, String)>,
    /// What seats became.
    pub seats: Vec<SeatFact>,
    /// How long a reader takes for a caller's earlier calls.
    pub look_up: Duration,
}

impl Store {
    pub fn new() -> Self {
        Store {
            disk: Disk::Takes(Duration::from_millis(3)),
            waiting: VecDeque::new(),
            facts: BTreeMap::new(),
            owed: BTreeMap::new(),
            dead: Vec::new(),
            folded: Vec::new(),
            bindings: BTreeSet::new(),
            accesses: Vec::new(),
            seats: Vec::new(),
            look_up: Duration::from_millis(2),
        }
    }

    /// Writes all that waits, up to `token`.
    pub fn commit(&mut self, token: u64, embedded: &[bool]) {
        while let Some((_, jobs)) = self.waiting.pop_front_if(|(waits, _)| *waits <= token) {
            for job in jobs {
                self.write(job, embedded);
            }
        }
    }

    fn write(&mut self, job: StoreJob, embedded: &[bool]) {
        match job {
            StoreJob::Fact { fact, events, .. } => {
                let facts = self.facts.entry(fact.call).or_default();
                let due = facts.len() as u32 + 1;
                assert_eq!(fact.sequence, due, "no hole and no fact twice: {:?} after {facts:?}", fact.what);
                facts.push(fact);
                for event in events {
                    for (sink, embedded) in embedded.iter().enumerate() {
                        if *embedded {
                            self.folded.push(event.clone());
                        } else {
                            self.owed.insert((sink, event.event), event.clone());
                        }
                    }
                }
            }
            StoreJob::Settled { sink, event } => {
                let owed = self.owed.remove(&(sink, event));
                assert!(owed.is_some(), "{event:?} is settled once, and only what is owed");
            }
            StoreJob::DeadLetter { sink, event, why } => {
                self.owed.remove(&(sink, event));
                self.dead.push((sink, event, why));
            }
            StoreJob::Access { actor, subject, reason, .. } => self.accesses.push((actor, subject, reason)),
            StoreJob::Binding { seat, binding: Some(_) } => drop(self.bindings.insert(seat)),
            StoreJob::Binding { seat, binding: None } => drop(self.bindings.remove(&seat)),
            StoreJob::Seat { fact, .. } => {
                assert_eq!(fact.sequence, self.seats.len() as u64 + 1, "no hole and no change twice");
                self.seats.push(fact);
            }
        }
    }

    pub fn owed(&self, sink: usize, after: Option<EventRef>, most: usize) -> Vec<StoredEvent> {
        let mine = self.owed.iter().filter(|((owing, event), _)| *owing == sink && Some(*event) > after);
        mine.take(most).map(|(_, event)| event.clone()).collect()
    }

    pub fn owes(&self) -> usize {
        self.owed.len()
    }

    pub fn records(&self) -> Vec<CallRecord> {
        self.facts.values().filter_map(CallRecord::fold).collect()
    }

    /// What follows from a caller's earlier calls.
    pub fn earlier(&self, caller: &str, but: CallId, since: Timestamp) -> Earlier {
        let mut known = self.records();
        known.retain(|record| record.caller == caller && record.call != but && record.is_closed());
        known.sort_by_key(|record| std::cmp::Reverse(record.opened_mono));
        let ended = known
            .iter()
            .find(|record| record.seat.is_some())
            .map(|record| record.opened_at + Duration::from_millis(record.lasted_ms.unwrap_or(0)));
        known.retain(|record| record.opened_at >= since);
        Earlier {
            calls: known.len() as u32,
            seat: known.iter().find_map(|record| record.seat.clone()),
            tickets: known.iter().filter(|r| r.ticket_left.is_some()).map(|r| r.ticket.clone()).collect(),
            last_ended: ended,
        }
    }

    /// Earlier calls of a caller, for the screen.
    pub fn history(&self, caller: &str, but: CallId) -> Vec<String> {
        let mut known = self.records();
        known.retain(|record| record.caller == caller && record.call != but);
        known.iter().rev().take(5).map(|record| format!("{} {}", record.opened_at, record.line)).collect()
    }
}

/// The office's own books.
pub struct Books {
    pub mood: Office,
    /// Deliveries as they came: when, which.
    pub came: Vec<(Instant, EventRef)>,
    known: BTreeSet<EventRef>,
    /// In the order of first delivery.
    pub taken: Vec<StoredEvent>,
}

impl Books {
    pub fn new() -> Self {
        Books {
            mood: Office::Open(Duration::from_millis(5)),
            came: Vec::new(),
            known: BTreeSet::new(),
            taken: Vec::new(),
        }
    }

    /// One try: how long it takes and how it ends.
    pub fn deliver(&mut self, event: &StoredEvent, timeout: Duration, now: Instant) -> (Duration, Outcome) {
        match self.mood {
            Office::Open(span) => {
                self.take(event, now);
                (span, Outcome::Taken)
            }
            Office::Down => (Duration::from_millis(1), Outcome::Retry("connection refused".into())),
            Office::Hangs => (timeout, Outcome::Retry("timed out".into())),
            Office::Mumbles => {
                self.take(event, now);
                (timeout, Outcome::Retry("timed out".into()))
            }
        }
    }

    fn take(&mut self, event: &StoredEvent, now: Instant) {
        self.came.push((now, event.event));
        if self.known.insert(event.event) {
            self.taken.push(event.clone());
        }
    }
}

/// Whether a call's facts contain this one.
pub fn has(facts: &[Fact], wanted: impl Fn(&What) -> bool) -> bool {
    facts.iter().any(|fact| wanted(&fact.what))
}
