//! One queue and the callers in it: places, and the rules that the operator wrote.
//!
//! Who is next for which seat is decided in `decide`; how long it may take is guessed in `wait`.

use std::time::Duration;

use crate::acd::wait::Handling;
use crate::id::{CallId, QueueId, SeatId};
use crate::routing;
use crate::routing::queueing::Known;
use crate::time::Instant;

/// Shortest ringing, away time and gap between announcements, whatever the plan says: each is a
/// timer that sets itself anew, and must not do so within one instant.
pub(super) const RULE_MIN: Duration = Duration::from_secs(1);

/// A place in the line of all who wait, in any queue. Smaller is nearer to a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// False for a caller whose seat vanished: before all others.
    pub behind: bool,
    /// When the wait began.
    pub since: Instant,
    /// Order of joining among those who came at once.
    pub order: u64,
}

/// A caller in a queue, until a seat answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Whose call.
    pub call: CallId,
    /// Where.
    pub queue: QueueId,
    /// What the seat must know.
    pub skills: Vec<Known>,
    /// Kept while a seat rings.
    pub place: Place,
    /// When to say next where the caller stands.
    pub announce_at: Instant,
    /// Since when no clerk works who could take this caller; `None`: there is one.
    pub unstaffed_since: Option<Instant>,
    /// The seat that rings for the caller.
    pub offered_to: Option<SeatId>,
}

/// A queue.
#[derive(Debug)]
pub(super) struct Queue {
    /// As the plan has it, or had it.
    pub(super) rules: routing::plan::Queue,
    /// Dropped by the plan; those who wait in it stay, nobody joins.
    pub(super) dropped: bool,
    /// Callers in it, those who are being offered too.
    pub(super) length: u32,
    /// How long a seat is busy with one of its callers.
    pub(super) handling: Handling,
}

impl Queue {
    pub(super) fn new(rules: &routing::plan::Queue) -> Self {
        Queue { rules: rules.clone(), dropped: false, length: 0, handling: Handling::default() }
    }

    /// Whether the next one overflows.
    pub(super) fn is_full(&self) -> bool {
        self.length >= self.rules.length_max
    }

    /// When something is to be done about the caller; `None` while a seat rings.
    pub(super) fn next_for(&self, waiting: &Waiting) -> Option<Instant> {
        if waiting.offered_to.is_some() {
            return None;
        }
        let mut at = waiting.announce_at.min(self.wait_ends(waiting));
        if let Some(end) = self.unstaffed_wait_ends(waiting) {
            at = at.min(end);
        }
        Some(at)
    }

    /// When the caller has waited long enough, seats or no seats.
    pub(super) fn wait_ends(&self, waiting: &Waiting) -> Instant {
        waiting.place.since + self.rules.wait_max
    }

    /// When the caller has waited long enough for a clerk to sign in, if none has.
    pub(super) fn unstaffed_wait_ends(&self, waiting: &Waiting) -> Option<Instant> {
        Some(waiting.unstaffed_since? + self.rules.no_seat_wait)
    }

    /// How long one seat rings.
    pub(super) fn ring(&self) -> Duration {
        self.rules.ring.max(RULE_MIN)
    }

    /// Until when a seat rests that did not take a call; `None`: until its next REGISTER.
    pub(super) fn away_until(&self, now: Instant) -> Option<Instant> {
        Some(now + self.rules.away?.max(RULE_MIN))
    }

    /// Between two announcements.
    pub(super) fn announce_every(&self) -> Duration {
        self.rules.announce_every.max(RULE_MIN)
    }
}
