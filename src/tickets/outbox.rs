//! What one sink is owed, and when to try to deliver it: at least once, in order per call.
//!
//! - One event of a call is under way at a time, and events of [`Pace::at_once`] calls at once.
//! - A try that failed makes its call rest: [`Pace::first`], then twice as long each time up to [`Pace::longest`],
//!   with jitter, or as long as the sink asks for. It also makes the sink count as down: from then on there is one try at a time, after
//!   the same growing rests, until one is answered.
//! - When the sink is back, turns go to the oldest call and to the one with the latest news, so
//!   that a flood of old events does not hold up new ones.
//! - An event that the sink refuses is a dead letter; the next of its call follows.
//! - At most [`EVENTS_MAX`] events are in memory. All are on disk before they come here; what does
//!   not fit is left there and read back when there is room.
//!
//! Storing and sending are for `io`. Its store must answer a [`OutboxOutput::Load`] after every
//! write that was handed to it before, and each [`OutboxOutput::Load`] with one
//! [`Outbox::restore`], empty where nothing is left.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::id::{CallId, Dice};
use crate::time::{Instant, Timestamp};

use super::backlog::Backlog;
use super::event::{CLOSED, EventRef, Outcome, StoredEvent};

/// Most tries under way at once, where nobody says otherwise.
pub const IN_FLIGHT_MAX: usize = 8;

/// Tries beyond that, for events that a seat waits for.
pub const URGENT_LANES: usize = 4;

/// Most events in memory; further ones stay on disk until there is room.
pub const EVENTS_MAX: usize = 4096;

/// Events are read back while there are no more than this in memory: the rest is room for new ones.
const REFILL_BELOW: usize = EVENTS_MAX / 2;

/// Events read back at a time.
pub const LOAD_MOST: usize = 256;

/// Calls under way of which we know that nothing is left on disk; for further ones it is assumed
/// that something is.
const LIVE_MAX: usize = 65_536;

/// First rest after a failure, where nobody says otherwise.
const REST_MIN: Duration = Duration::from_secs(1);

/// Longest rest, where nobody says otherwise.
const REST_MAX: Duration = Duration::from_secs(60);

/// A try whose outcome has not come so long after its time-out counts as failed.
const OUTCOME_GRACE: Duration = Duration::from_secs(5);

/// How a sink is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Rest after a failure, which doubles with each further one.
    pub first: Duration,
    /// Longest rest.
    pub longest: Duration,
    /// Most tries under way at once.
    pub at_once: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { first: REST_MIN, longest: REST_MAX, at_once: IN_FLIGHT_MAX }
    }
}

/// What the outbox wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxOutput {
    /// Try once; answered by [`Outbox::handle_outcome`].
    Deliver {
        /// What.
        event: StoredEvent,
        /// Longest time for the try.
        timeout: Duration,
    },
    /// The sink has it: strike it off on disk.
    Settled(EventRef),
    /// The sink refused it: set it aside on disk.
    DeadLetter {
        /// Which.
        event: EventRef,
        /// The sink's words.
        why: String,
    },
    /// Read at most so many events that are owed, in order of call and sequence, from the one
    /// after this on; answered by [`Outbox::restore`].
    Load {
        /// `None`: from the first.
        after: Option<EventRef>,
        /// At most.
        most: usize,
    },
}

/// The outbox of one sink.
pub struct Outbox {
    backlog: Backlog,
    sink: Sink,
    /// Tries under way, and when their outcome is overdue.
    in_flight: BTreeMap<EventRef, Instant>,
    disk: Disk,
    /// Calls under way of which nothing is on disk only.
    live: BTreeSet<CallId>,
    timeout: Duration,
    pace: Pace,
    dice: Dice,
    outputs: VecDeque<OutboxOutput>,
}

#[derive(Debug)]
enum Sink {
    Up,
    Down {
        since: Instant,
        /// Tries that failed since then.
        failures: u32,
        /// When the next may begin.
        next_at: Instant,
        /// The one under way.
        probe: Option<EventRef>,
    },
}

/// What is owed and not in memory.
#[derive(Debug)]
enum Disk {
    /// Nothing.
    Empty,
    /// Maybe something, and all of it after this event.
    More { after: Option<EventRef>, loading: Option<Loading> },
}

/// What happens between a load and its answer, which does not know of it.
#[derive(Debug, Default)]
struct Loading {
    /// Owed no more.
    settled: BTreeSet<EventRef>,
    /// Left on disk: all of it after this event.
    left_after: Option<EventRef>,
}

impl Outbox {
    /// An outbox that begins with reading back what is owed. `timeout` bounds one try.
    pub fn new(timeout: Duration, dice: Dice) -> Self {
        Outbox::paced(timeout, Pace::default(), dice)
    }

    /// The same at a pace of somebody's choice.
    pub fn paced(timeout: Duration, pace: Pace, dice: Dice) -> Self {
        let mut outbox = Outbox {
            backlog: Backlog::default(),
            sink: Sink::Up,
            in_flight: BTreeMap::new(),
            disk: Disk::More { after: None, loading: None },
            live: BTreeSet::new(),
            timeout,
            pace,
            dice,
            outputs: VecDeque::new(),
        };
        outbox.refill();
        outbox
    }

    /// Takes in the answer to a load: events that are owed, in order; none where the disk has no
    /// more.
    pub fn restore(&mut self, events: Vec<StoredEvent>, now: Instant) {
        let loaded = match &mut self.disk {
            Disk::Empty => Loading::default(),
            Disk::More { loading, .. } => loading.take().unwrap_or_default(),
        };
        let mut after = match self.disk {
            Disk::Empty => None,
            Disk::More { after, .. } => after,
        };
        let found_none = events.is_empty();
        for event in events {
            if self.backlog.len() >= EVENTS_MAX {
                break; // The next load begins here.
            }
            after = after.max(Some(event.event));
            if !loaded.settled.contains(&event.event) {
                self.backlog.put_back(event);
            }
        }
        self.disk = match loaded.left_after {
            None if found_none => Disk::Empty,
            left => Disk::More { after: left.map_or(after, |left| after.min(Some(left))), loading: None },
        };
        self.advance(now);
    }

    /// Takes in an event that is on disk, or on its way there in front of all later writes.
    pub fn put(&mut self, event: StoredEvent, now: Instant) {
        self.take_in(event, false);
        self.advance(now);
    }

    /// The same for screen data that a seat waits for. True where a try is under way or about to
    /// be: the seat waits for its outcome, for a bounded time. False where
    /// it need not wait: the sink is down, or earlier events of the call are held up.
    pub fn put_urgent(&mut self, event: StoredEvent, now: Instant) -> bool {
        let call = event.event.call;
        let taken = self.take_in(event, true);
        self.advance(now);
        taken && matches!(self.sink, Sink::Up) && !self.backlog.is_resting(call)
    }

    /// Events that are on disk were not put here, all of them from `first` on: they are read back.
    pub fn left_on_disk(&mut self, first: EventRef) {
        // Whose they are is not known: any call may have some.
        self.live.clear();
        self.leave_on_disk(first);
        self.refill();
    }

    /// Takes in how a try ended. An outcome that comes late still counts, unless it is a failure.
    pub fn handle_outcome(&mut self, event: EventRef, outcome: Outcome, now: Instant) {
        let was_under_way = self.in_flight.remove(&event).is_some();
        match outcome {
            Outcome::Taken => {
                if self.settle(event) {
                    self.outputs.push_back(OutboxOutput::Settled(event));
                }
                self.sink = Sink::Up;
            }
            Outcome::Refused(why) => {
                if self.settle(event) {
                    self.outputs.push_back(OutboxOutput::DeadLetter { event, why });
                }
                self.sink = Sink::Up;
            }
            Outcome::Retry(_) if was_under_way => self.failed(event, Duration::ZERO, now),
            Outcome::RetryAfter(_, wait) if was_under_way => self.failed(event, wait, now),
            Outcome::Retry(_) | Outcome::RetryAfter(..) => {}
        }
        self.advance(now);
    }

    /// A try failed, and the event is older than the sink's events are kept for: it is set aside. The sink rests as
    /// after any failure, so that a flood of old events does not become a flood of tries.
    pub fn give_up(&mut self, event: EventRef, why: String, now: Instant) {
        if self.in_flight.remove(&event).is_some() {
            self.failed(event, Duration::ZERO, now);
        }
        if self.settle(event) {
            self.outputs.push_back(OutboxOutput::DeadLetter { event, why });
        }
        self.advance(now);
    }

    /// When an event that is owed happened; `None`: it is not in memory.
    pub fn happened_at(&self, event: EventRef) -> Option<Timestamp> {
        self.backlog.at_of(event)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let overdue: Vec<EventRef> = self
            .in_flight
            .iter()
            .filter(|(_, lapses_at)| **lapses_at <= now)
            .map(|(event, _)| *event)
            .collect();
        for event in overdue {
            self.in_flight.remove(&event);
            self.failed(event, Duration::ZERO, now);
        }
        self.advance(now);
    }

    /// When [`Outbox::handle_timeout`] is next wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next_try = match self.sink {
            Sink::Up => self.backlog.next_wake(),
            Sink::Down { probe: Some(_), .. } => None,
            Sink::Down { next_at, .. } if self.backlog.has_ready() => Some(next_at),
            Sink::Down { next_at, .. } => self.backlog.next_wake().map(|at| at.max(next_at)),
        };
        let overdue = self.in_flight.values().min().copied();
        [next_try, overdue].into_iter().flatten().min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<OutboxOutput> {
        self.outputs.pop_front()
    }

    /// Events in memory.
    pub fn len(&self) -> usize {
        self.backlog.len()
    }

    /// Whether nothing is owed, in memory or on disk.
    pub fn is_empty(&self) -> bool {
        self.backlog.len() == 0 && !self.has_more_on_disk()
    }

    /// Whether events are owed, or may be, that are on disk only.
    pub fn has_more_on_disk(&self) -> bool {
        matches!(self.disk, Disk::More { .. })
    }

    /// When the oldest event in memory happened. Looks at each call: for figures, not for each turn.
    pub fn oldest_at(&self) -> Option<Timestamp> {
        self.backlog.oldest_at()
    }

    /// Since when the sink has taken nothing; `None` where it is well.
    pub fn down_since(&self) -> Option<Instant> {
        match self.sink {
            Sink::Up => None,
            Sink::Down { since, .. } => Some(since),
        }
    }

    /// Into memory or not; false where it stays on disk.
    fn take_in(&mut self, event: StoredEvent, urgent: bool) -> bool {
        let EventRef { call, sequence } = event.event;
        let fits = self.backlog.len() < EVENTS_MAX && !self.may_have_left_behind(event.event);
        if fits && sequence == 1 && self.live.len() < LIVE_MAX {
            self.live.insert(call);
        }
        if !fits || *event.kind == *CLOSED {
            self.live.remove(&call);
        }
        if fits {
            self.backlog.put(event, urgent);
        } else {
            self.leave_on_disk(event.event);
        }
        fits
    }

    /// Whether an earlier event of the call may be on disk only: then this one must wait behind it.
    fn may_have_left_behind(&self, event: EventRef) -> bool {
        match self.disk {
            Disk::Empty => false,
            Disk::More { after, .. } => {
                let all_read = after.is_some_and(|after| event.call < after.call);
                !all_read && event.sequence > 1 && !self.live.contains(&event.call)
            }
        }
    }

    fn leave_on_disk(&mut self, event: EventRef) {
        let before = EventRef { sequence: event.sequence.saturating_sub(1), ..event };
        match &mut self.disk {
            Disk::Empty => {
                self.disk = Disk::More { after: Some(before), loading: None };
            }
            Disk::More { after, loading } => {
                *after = (*after).min(Some(before));
                if let Some(loading) = loading {
                    let left = loading.left_after.map_or(before, |left| left.min(before));
                    loading.left_after = Some(left);
                }
            }
        }
    }

    /// False where it is not in memory (any more).
    fn settle(&mut self, event: EventRef) -> bool {
        if let Disk::More { loading: Some(loading), .. } = &mut self.disk {
            loading.settled.insert(event);
        }
        self.backlog.remove(event).is_some()
    }

    /// `asked`: the rest that the sink wants, which is kept up to the longest of our own.
    fn failed(&mut self, event: EventRef, asked: Duration, now: Instant) {
        let asked = asked.min(self.pace.longest);
        let own_failures = self.backlog.count_failure(event.call);
        let until = now + self.rest_after(own_failures).max(asked);
        self.backlog.rest(event.call, until);
        let next = match self.sink {
            Sink::Up => Some((now, 1)),
            Sink::Down { since, failures, probe: Some(probe), .. } if probe == event => {
                Some((since, failures.saturating_add(1)))
            }
            Sink::Down { .. } => None, // It began before the sink went down.
        };
        if let Some((since, failures)) = next {
            let next_at = now + self.rest_after(failures).max(asked);
            self.sink = Sink::Down { since, failures, next_at, probe: None };
        }
    }

    /// The first rest after the first failure, twice as long after each further one up to the longest; up to a
    /// quarter is taken off by the dice, but never below the first.
    fn rest_after(&mut self, failures: u32) -> Duration {
        let Pace { first, longest, .. } = self.pace;
        let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(16));
        let most = doubled.min(longest);
        let quarter = u64::try_from(most.as_millis() / 4).unwrap_or(0);
        let off = Duration::from_millis(self.dice.below(quarter + 1));
        most.saturating_sub(off).max(first.min(longest))
    }

    /// Sends what may be sent and reads back what there is room for.
    fn advance(&mut self, now: Instant) {
        self.backlog.wake(now);
        match self.sink {
            Sink::Up => {
                while self.in_flight.len() < self.pace.at_once + URGENT_LANES
                    && let Some(event) = self.backlog.pick_urgent()
                {
                    self.send(event, now);
                }
                while self.in_flight.len() < self.pace.at_once
                    && let Some(event) = self.backlog.pick()
                {
                    self.send(event, now);
                }
            }
            Sink::Down { next_at, probe: None, since, failures } if next_at <= now => {
                if let Some(event) = self.backlog.pick() {
                    self.sink = Sink::Down { since, failures, next_at, probe: Some(event.event) };
                    self.send(event, now);
                }
            }
            Sink::Down { .. } => {}
        }
        self.refill();
    }

    fn send(&mut self, event: StoredEvent, now: Instant) {
        let lapses_at = now + self.timeout + OUTCOME_GRACE;
        self.in_flight.insert(event.event, lapses_at);
        self.outputs.push_back(OutboxOutput::Deliver { event, timeout: self.timeout });
    }

    fn refill(&mut self) {
        if self.backlog.len() > REFILL_BELOW {
            return;
        }
        if let Disk::More { after, loading: loading @ None } = &mut self.disk {
            *loading = Some(Loading::default());
            self.outputs.push_back(OutboxOutput::Load { after: *after, most: LOAD_MOST });
        }
    }
}
