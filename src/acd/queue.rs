//! One queue: the rules that the operator wrote, and its line.
//!
//! Who is next for which seat is decided in `decide`; how long it may take is guessed in `wait`.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::acd::event::Overflow;
use crate::acd::place::{Place, Rank};
use crate::acd::wait::Handling;
use crate::id::{CallId, LineId, QueueId, SeatId};
use crate::routing;
use crate::routing::queueing::{Queueing, Strategy};
use crate::time::Instant;

use super::waiting::{Presence, Stage, Waiting};

/// Shortest ringing, away time and gap between announcements, whatever the plan says: each is a
/// timer that sets itself anew, and must not do so within one instant.
pub(super) const RULE_MIN: Duration = Duration::from_secs(1);

/// A queue.
#[derive(Debug)]
pub(super) struct Queue {
    /// As the plan has it, or had it.
    pub(super) planned: routing::plan::Queue,
    /// Dropped by the plan: kept for those who wait in it, and for calls of an earlier plan.
    pub(super) dropped: bool,
    /// Numbers that lead to it, or did when it was dropped.
    pub(super) lines: BTreeSet<LineId>,
    /// Where it is dropped: the queues that its numbers lead to now.
    pub(super) heirs: BTreeSet<QueueId>,
    /// Who is in it, the next one first: those who are being offered and those whose place is kept, too.
    pub(super) line: VecDeque<(Place, CallId)>,
    /// How long a seat is busy with one of its callers.
    pub(super) handling: Handling,
    /// The last seat that was offered one of its callers.
    pub(super) last_offered: Option<SeatId>,
    /// More callers than usual.
    pub(super) surging: bool,
    /// Somebody's word about that, instead of the rule.
    pub(super) word: Option<bool>,
}

impl Queue {
    pub(super) fn new(planned: &routing::plan::Queue) -> Self {
        Queue {
            planned: planned.clone(),
            dropped: false,
            lines: BTreeSet::new(),
            heirs: BTreeSet::new(),
            line: VecDeque::new(),
            handling: Handling::default(),
            last_offered: None,
            surging: false,
            word: None,
        }
    }

    /// How it finds a seat.
    pub(super) fn rules(&self) -> &Queueing {
        &self.planned.rules
    }

    /// Callers in it.
    pub(super) fn length(&self) -> u32 {
        u32::try_from(self.line.len()).unwrap_or(u32::MAX)
    }

    /// How many are in front of this place.
    pub(super) fn ahead(&self, place: Place) -> u32 {
        let ahead = self.line.partition_point(|(other, _)| *other < place);
        u32::try_from(ahead).unwrap_or(u32::MAX)
    }

    pub(super) fn put_in(&mut self, place: Place, call: CallId) {
        let index = self.line.partition_point(|(other, _)| *other < place);
        self.line.insert(index, (place, call));
    }

    /// The rank of who goes before all others of this priority.
    pub(super) fn first_of(&self, priority: i32, as_of: Instant, order: u64) -> Rank {
        let ageing = self.rules().ageing;
        let alike = self.line.iter().filter(|(place, _)| place.is_of(priority, ageing));
        let as_of = alike.map(|(place, _)| place.as_of()).fold(as_of, Instant::min);
        Rank { priority, as_of, behind: false, order }
    }

    pub(super) fn take_out(&mut self, place: Place) {
        if let Ok(index) = self.line.binary_search_by(|(other, _)| other.cmp(&place)) {
            self.line.remove(index);
        }
    }

    /// Whether the next one of this priority overflows, unless a seat is free for it.
    pub(super) fn turns_away(&self, priority: i32) -> Option<Overflow> {
        let length = self.length();
        if length >= self.planned.length_max {
            return Some(Overflow::Full);
        }
        let reached = self.rules().shed.iter().filter(|(waiting, _)| length >= *waiting);
        let (_, least) = reached.max_by_key(|(waiting, _)| *waiting)?;
        (priority < i32::from(*least)).then_some(Overflow::Shed)
    }

    /// Whether more callers than usual wait, by somebody's word or by the rule: it begins with many, and
    /// does not end before there are few.
    pub(super) fn is_crowded(&self) -> bool {
        let by_rule = || {
            let Some(surge) = &self.rules().surge else { return false };
            let length = self.length();
            length >= surge.from || (self.surging && length > surge.until)
        };
        !self.dropped && self.word.unwrap_or_else(by_rule)
    }

    /// Whether all free seats ring for the caller. Who kept a place is called back by one.
    pub(super) fn rings_all(&self, waiting: &Waiting) -> bool {
        self.rules().strategy == Strategy::RingAll && !waiting.is_kept()
    }

    /// Which seat the caller gets.
    pub(super) fn strategy_for(&self, waiting: &Waiting) -> Strategy {
        match self.rules().strategy {
            Strategy::RingAll if waiting.is_kept() => Strategy::LongestIdle,
            strategy => strategy,
        }
    }

    /// When something is to be done about the caller.
    pub(super) fn next_for(&self, waiting: &Waiting) -> Option<Instant> {
        let asks_less = self.widens_at(waiting).into_iter().chain(waiting.bound_until());
        let others = match (&waiting.stage, &waiting.presence) {
            (Stage::Open, Presence::Here { announce_at, unstaffed_since }) => [
                Some(self.wait_ends(waiting)),
                Some(*announce_at),
                unstaffed_since.map(|since| since + self.planned.no_seat_wait),
            ],
            (Stage::Ringing { all: true, .. }, _) => [Some(self.wait_ends(waiting)), None, None],
            (Stage::Open, Presence::Kept { until }) => [Some(*until), None, None],
            (Stage::PassedOver { until: again_at }, Presence::Kept { until }) => {
                return Some(*again_at.min(until));
            }
            (Stage::PickedUp { by: None, .. }, Presence::Kept { until }) => return Some(*until),
            (Stage::PassedOver { .. }, Presence::Here { .. })
            | (Stage::Ringing { all: false, .. } | Stage::PickedUp { .. }, _) => return None,
        };
        others.into_iter().flatten().chain(asks_less).min()
    }

    /// Steps of widening that a wait of this length has come to.
    pub(super) fn steps_by(&self, waited: Duration) -> usize {
        self.rules().widen.iter().take_while(|step| step.after <= waited).count()
    }

    fn widens_at(&self, waiting: &Waiting) -> Option<Instant> {
        Some(waiting.since + self.rules().widen.get(waiting.steps)?.after)
    }

    /// When the caller has waited long enough, seats or no seats.
    pub(super) fn wait_ends(&self, waiting: &Waiting) -> Instant {
        match waiting.presence {
            Presence::Here { .. } => waiting.since + self.planned.wait_max,
            Presence::Kept { until } => until,
        }
    }

    /// How long one seat rings.
    pub(super) fn ring(&self) -> Duration {
        self.planned.ring.max(RULE_MIN)
    }

    /// Until when a seat rests that did not take a call; `None`: until its next REGISTER.
    pub(super) fn away_until(&self, now: Instant) -> Option<Instant> {
        Some(now + self.planned.away?.max(RULE_MIN))
    }

    /// Between two announcements.
    pub(super) fn announce_every(&self) -> Duration {
        self.planned.announce_every.max(RULE_MIN)
    }
}
