//! A caller in a queue, until a clerk talks with them: what they need, and how far it has come.

use crate::acd::place::{Place, Rank};
use crate::id::{QueueId, SeatId};
use crate::routing::queueing::{Known, RINGING_MAX};
use crate::time::Instant;

use super::need::Need;
use super::queue::Queue;

/// A caller in a queue.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) queue: QueueId,
    /// What the clerk must know, as the line asks.
    pub(super) skills: Vec<Known>,
    /// The caller's own.
    pub(super) priority: i16,
    pub(super) rank: Rank,
    /// Kept until a clerk talks with the caller.
    pub(super) place: Place,
    pub(super) since: Instant,
    /// The clerk who knows the caller, and until when nobody else will do.
    pub(super) bound: Option<(SeatId, Instant)>,
    /// How often less was asked by now.
    pub(super) steps: usize,
    /// What is asked by now, by its row.
    pub(super) need: usize,
    pub(super) presence: Presence,
    pub(super) stage: Stage,
}

/// Whether the caller is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// And listens.
    Here {
        /// When to say next where the caller stands.
        announce_at: Instant,
        /// Since when no clerk works who could take this caller; `None`: there is one.
        unstaffed_since: Option<Instant>,
    },
    /// Hung up, and is called back.
    Kept {
        /// The place is given up then.
        until: Instant,
    },
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Is next for a seat.
    Open,
    /// Seats ring.
    Ringing {
        /// Which; never none.
        seats: Vec<SeatId>,
        /// And each that becomes free.
        all: bool,
    },
    /// One has picked up, and nobody knows yet whether the two will talk: until the bridge stands, or the
    /// caller who kept the place is reached.
    PickedUp {
        /// Where the place is kept, it may have left before the caller was reached (`None`).
        by: Option<SeatId>,
        /// Others that ring all the while; never none, unless the place is kept.
        ringing: Vec<SeatId>,
    },
    /// Was called back in vain.
    PassedOver {
        /// And is tried again then.
        until: Instant,
    },
}

impl Stage {
    /// The seats that ring.
    pub(super) fn ringing(&self) -> &[SeatId] {
        match self {
            Stage::Ringing { seats, .. } => seats,
            Stage::PickedUp { ringing, .. } => ringing,
            Stage::Open | Stage::PassedOver { .. } => &[],
        }
    }
}

impl Waiting {
    pub(super) fn is_kept(&self) -> bool {
        matches!(self.presence, Presence::Kept { .. })
    }

    /// Whether a free seat may be offered.
    pub(super) fn is_open(&self) -> bool {
        match self.stage {
            Stage::Open => true,
            Stage::Ringing { all: true, .. } => self.room() > 0,
            Stage::Ringing { all: false, .. } | Stage::PickedUp { .. } | Stage::PassedOver { .. } => false,
        }
    }

    /// How many more seats may ring.
    pub(super) fn room(&self) -> usize {
        RINGING_MAX.saturating_sub(self.stage.ringing().len())
    }

    pub(super) fn bound_until(&self) -> Option<Instant> {
        self.bound.as_ref().map(|(_, until)| *until)
    }

    /// What is asked of a seat after the steps that were taken.
    pub(super) fn need(&self, queue: &Queue) -> Need {
        let less = self.steps.checked_sub(1).and_then(|step| queue.rules().widen.get(step));
        let less = less.map_or(0, |step| step.levels);
        let asked = self.skills.iter().filter(|known| less == 0 || known.level > less);
        let mut skills: Vec<Known> = asked
            .map(|known| Known { skill: known.skill.clone(), level: known.level.saturating_sub(less) })
            .collect();
        skills.sort();
        Need { queue: self.queue.clone(), skills, only: self.bound.as_ref().map(|(seat, _)| seat.clone()) }
    }
}
