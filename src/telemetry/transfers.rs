//! Whom a caller was to be put through to, and who was rung for the caller: folds over a call's facts.
//!
//! Times are milliseconds since the opening.

use serde::{Deserialize, Serialize};

use crate::acd::event::{OfferEnd, Purpose};
use crate::id::{SeatId, TrunkId};
use crate::switchboard::fact::{AFTER_HOURS, Object, Party, TransferKind, What};

pub use crate::switchboard::fact::TransferStep as Step;

/// Transfers kept of one call; later ones are counted only.
pub const TRANSFERS_MAX: usize = 16;
/// Steps kept of one transfer.
pub const STEPS_MAX: usize = 16;
/// Rings kept of one call; later ones are counted only.
pub const RINGS_MAX: usize = 64;

/// A step and when it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTime {
    /// Which.
    pub step: Step,
    /// When.
    pub at_ms: u64,
}

/// One transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferTime {
    /// Number or seat.
    pub to: String,
    /// How.
    pub kind: TransferKind,
    /// What the target is in the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// Index of the target's leg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<u16>,
    /// In order; at most [`STEPS_MAX`], the last of which is kept.
    pub steps: Vec<StepTime>,
    /// SIP status of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// What became of a transfer, as the target sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It picked up after so long, milliseconds.
    Accepted(u64),
    /// It rang out.
    Unanswered,
    /// The caller, or who asked, did not wait for it.
    Withdrawn,
    /// It was engaged, or refused.
    Refused,
    /// There was no way to it.
    Unreachable,
    /// Nobody was there at this hour.
    AfterHours,
    /// It was not begun for another reason: not a matter of the target's.
    Declined,
    /// It is under way.
    Open,
}

impl TransferTime {
    /// When a step was first taken.
    pub fn at(&self, step: Step) -> Option<u64> {
        self.steps.iter().find(|taken| taken.step == step).map(|taken| taken.at_ms)
    }

    /// How it stands, or ended.
    pub fn outcome(&self) -> Option<Step> {
        self.steps.last().map(|taken| taken.step)
    }

    /// What became of it. Who was consulted has picked up, whatever followed.
    pub fn taken(&self) -> Taken {
        let asked = self.steps.first().map_or(0, |first| first.at_ms);
        let talks = |step: &Step| matches!(step, Step::Consulting | Step::Merged | Step::Accepted);
        if let Some(answered) = self.steps.iter().find(|taken| talks(&taken.step)) {
            return Taken::Accepted(answered.at_ms.saturating_sub(asked));
        }
        match (self.outcome(), self.status) {
            (Some(Step::Declined), Some(AFTER_HOURS)) => Taken::AfterHours,
            (Some(Step::Declined), _) => Taken::Declined,
            (Some(Step::Failed), status) => refusal(status.unwrap_or(0)),
            (Some(Step::Returned), _) => Taken::Withdrawn,
            _ => Taken::Open,
        }
    }

    fn step(&mut self, step: Step, at_ms: u64) {
        let taken = StepTime { step, at_ms };
        if self.steps.len() < STEPS_MAX {
            self.steps.push(taken);
        } else if let Some(last) = self.steps.last_mut() {
            *last = taken;
        }
    }
}

/// Why somebody did not pick up, by SIP status; 0 for our own time-out.
fn refusal(status: u16) -> Taken {
    match status {
        0 | 408 | 480 => Taken::Unanswered,
        487 => Taken::Withdrawn,
        486 | 600 | 603 => Taken::Refused,
        _ => Taken::Unreachable,
    }
}

/// Somebody was rung for the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// Whom.
    #[serde(flatten)]
    pub party: Party,
    /// Why.
    pub purpose: Purpose,
    /// Since when.
    pub at_ms: u64,
    /// Until when; `None`: it rings.
    pub ended_ms: Option<u64>,
    /// How it ended.
    pub outcome: Option<RingEnd>,
}

/// How a ringing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingEnd {
    /// Picked up.
    Answered,
    /// Rang out.
    NoAnswer,
    /// Engaged, or refused.
    Rejected,
    /// Could not be reached.
    Unreachable,
    /// The caller left first.
    CallerGone,
}

/// The calls to others that were made for one caller.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Reached {
    /// Transfers, in order; at most [`TRANSFERS_MAX`].
    pub transfers: Vec<TransferTime>,
    /// Transfers beyond those.
    #[serde(skip_serializing_if = "is_zero")]
    pub transfers_more: u32,
    /// Who was rung, in order; at most [`RINGS_MAX`].
    pub rings: Vec<Ring>,
    /// Rings beyond those.
    #[serde(skip_serializing_if = "is_zero")]
    pub rings_more: u32,
    /// The transfer that is under way rings peers for this.
    #[serde(skip)]
    purpose: Purpose,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Reached {
    pub(super) fn apply(&mut self, at_ms: u64, what: &What) {
        match what {
            What::Transfer { to, kind, step, status, leg, object } => {
                let (kind, step) = (*kind, *step);
                self.purpose = match (step, kind) {
                    (Step::Requested, TransferKind::Consult) => Purpose::Consult,
                    (Step::Requested, _) => Purpose::Transfer,
                    (Step::Accepted | Step::Failed | Step::Returned, _) => Purpose::Caller,
                    _ => self.purpose,
                };
                if let Some(transfer) = self.transfer_of(to, kind, step) {
                    transfer.step(step, at_ms);
                    transfer.leg = leg.or(transfer.leg);
                    transfer.status = status.or(transfer.status);
                    if transfer.object.is_none() {
                        transfer.object.clone_from(object);
                    }
                }
            }
            What::SeatOffered { seat, purpose, .. } => {
                self.ring(Party::Seat { seat: seat.clone() }, *purpose, at_ms);
            }
            What::PeerDialled { trunk, number } => {
                self.ring(peer(trunk, number), self.purpose, at_ms);
            }
            What::OfferEnded { seat, why } => {
                let end = match why {
                    OfferEnd::NoAnswer => RingEnd::NoAnswer,
                    OfferEnd::Rejected => RingEnd::Rejected,
                    OfferEnd::Unreachable => RingEnd::Unreachable,
                    OfferEnd::CallerGone => RingEnd::CallerGone,
                };
                self.rang(|party| is_seat(party, seat), end, at_ms);
            }
            What::SeatAnswered { seat, .. } => {
                self.rang(|party| is_seat(party, seat), RingEnd::Answered, at_ms)
            }
            What::PeerAnswered { number, .. } => {
                self.rang(|party| is_number(party, number), RingEnd::Answered, at_ms);
            }
            What::PeerFailed { number, status, .. } => {
                let end = match refusal(*status) {
                    Taken::Refused => RingEnd::Rejected,
                    Taken::Unanswered => RingEnd::NoAnswer,
                    Taken::Withdrawn => RingEnd::CallerGone,
                    _ => RingEnd::Unreachable,
                };
                self.rang(|party| is_number(party, number), end, at_ms);
            }
            What::Closed { .. } => self.rang_until_the_end(at_ms),
            _ => {}
        }
    }

    /// The transfer that a step is of: a new one where it is the first.
    fn transfer_of(&mut self, to: &str, kind: TransferKind, step: Step) -> Option<&mut TransferTime> {
        let first = matches!(step, Step::Requested | Step::Declined);
        let known = self.transfers.iter().rposition(|transfer| transfer.to == to).filter(|_| !first);
        if let Some(at) = known {
            return self.transfers.get_mut(at);
        }
        if self.transfers.len() >= TRANSFERS_MAX {
            self.transfers_more = self.transfers_more.saturating_add(u32::from(first));
            return None;
        }
        self.transfers.push(TransferTime {
            to: to.to_owned(),
            kind,
            object: None,
            leg: None,
            steps: Vec::new(),
            status: None,
        });
        self.transfers.last_mut()
    }

    fn ring(&mut self, party: Party, purpose: Purpose, at_ms: u64) {
        if self.rings.len() < RINGS_MAX {
            self.rings.push(Ring { party, purpose, at_ms, ended_ms: None, outcome: None });
        } else {
            self.rings_more = self.rings_more.saturating_add(1);
        }
    }

    fn rang(&mut self, is_it: impl Fn(&Party) -> bool, end: RingEnd, at_ms: u64) {
        let ringing = |ring: &&mut Ring| ring.ended_ms.is_none() && is_it(&ring.party);
        if let Some(ring) = self.rings.iter_mut().rev().find(ringing) {
            (ring.ended_ms, ring.outcome) = (Some(at_ms), Some(end));
        }
    }

    fn rang_until_the_end(&mut self, at_ms: u64) {
        for ring in self.rings.iter_mut().filter(|ring| ring.ended_ms.is_none()) {
            (ring.ended_ms, ring.outcome) = (Some(at_ms), Some(RingEnd::CallerGone));
        }
    }
}

fn peer(trunk: &TrunkId, number: &str) -> Party {
    Party::Peer { trunk: trunk.clone(), number: number.to_owned() }
}

fn is_seat(party: &Party, seat: &SeatId) -> bool {
    matches!(party, Party::Seat { seat: rung } if rung == seat)
}

fn is_number(party: &Party, number: &str) -> bool {
    matches!(party, Party::Peer { number: rung, .. } if rung == number)
}
