//! Whoever serves callers, by the same figures for all: a seat, an expert group, a sub-center.

use super::calls::{Satisfaction, part};
use crate::telemetry::parties::PartyTime;
use crate::telemetry::transfers::{RingEnd, Taken};

/// What one of those who serve callers was asked, and did.
///
/// Each offer is one of accepted, unanswered, refused, unreachable, withdrawn or open. What was not offered
/// (`after_hours`, `declined`) is counted beside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    /// Rung, or asked for by a transfer that was begun.
    pub offered: u64,
    /// Picked up.
    pub accepted: u64,
    /// Rang out.
    pub unanswered: u64,
    /// Engaged, or refused.
    pub refused: u64,
    /// Could not be reached.
    pub unreachable: u64,
    /// The caller left before.
    pub withdrawn: u64,
    /// Rings still.
    pub open: u64,
    /// Asked for when nobody was there.
    pub after_hours: u64,
    /// Asked for, and not begun for another reason.
    pub declined: u64,
    /// From the ringing, or the asking, to the pick-up.
    pub pick_up: Spread,
    /// Conversations: stays on a call.
    pub handled: u64,
    /// With callers, milliseconds.
    pub talked_ms: u64,
    /// Held, or waiting for a transfer.
    pub held_ms: u64,
    /// With others than the caller.
    pub consulted_ms: u64,
    /// Grades of callers whom it talked with last; of seats only.
    pub satisfaction: Satisfaction,
}

impl Service {
    pub(super) fn rang(&mut self, end: Option<RingEnd>, took_ms: u64) {
        self.offered += 1;
        match end {
            Some(RingEnd::Answered) => {
                self.accepted += 1;
                self.pick_up.add(took_ms);
            }
            Some(RingEnd::NoAnswer) => self.unanswered += 1,
            Some(RingEnd::Rejected) => self.refused += 1,
            Some(RingEnd::Unreachable) => self.unreachable += 1,
            Some(RingEnd::CallerGone) => self.withdrawn += 1,
            None => self.open += 1,
        }
    }

    pub(super) fn transferred(&mut self, taken: Taken) {
        match taken {
            Taken::Accepted(took_ms) => self.rang(Some(RingEnd::Answered), took_ms),
            Taken::Unanswered => self.rang(Some(RingEnd::NoAnswer), 0),
            Taken::Refused => self.rang(Some(RingEnd::Rejected), 0),
            Taken::Unreachable => self.rang(Some(RingEnd::Unreachable), 0),
            Taken::Withdrawn => self.rang(Some(RingEnd::CallerGone), 0),
            Taken::Open => self.rang(None, 0),
            Taken::AfterHours => self.after_hours += 1,
            Taken::Declined => self.declined += 1,
        }
    }

    pub(super) fn stayed(&mut self, stay: &PartyTime) {
        self.handled += 1;
        self.talked_ms += stay.talked_ms;
        self.held_ms += stay.held_ms;
        self.consulted_ms += stay.consulted_ms;
    }

    /// 应答率: accepted / (offered − withdrawn − open).
    pub fn accept_rate(&self) -> Option<f64> {
        part(self.accepted, self.offered - self.withdrawn - self.open)
    }

    /// Mean talk of a conversation, milliseconds.
    pub fn talk_mean_ms(&self) -> Option<u64> {
        self.talked_ms.checked_div(self.handled)
    }
}

/// Spans of time, milliseconds: their mean and percentiles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread(Vec<u64>);

impl Spread {
    pub(super) fn add(&mut self, span_ms: u64) {
        self.0.push(span_ms);
    }

    pub(super) fn append(&mut self, other: &Spread) {
        self.0.extend(&other.0);
    }

    pub(super) fn sort(&mut self) {
        self.0.sort_unstable();
    }

    /// Sum / number, rounded down.
    pub fn mean_ms(&self) -> Option<u64> {
        self.0.iter().sum::<u64>().checked_div(self.0.len() as u64)
    }

    /// Nearest rank: the least span that so many of a hundred do not exceed.
    pub fn percentile_ms(&self, percent: u8) -> Option<u64> {
        let rank = (self.0.len() * usize::from(percent.min(100))).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied()
    }

    /// The longest.
    pub fn max_ms(&self) -> Option<u64> {
        self.0.last().copied()
    }
}
