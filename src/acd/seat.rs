//! One seat as the queues see it: where it stands and whom it may serve.
//!
//! Its telephone, its registration and its name are for others.

use crate::acd::event::SeatState;
use crate::acd::queue::Waiting;
use crate::id::{QueueId, SeatId};
use crate::routing;
use crate::routing::queueing::Known;
use crate::time::Instant;

use super::decide::Free;

/// A seat.
#[derive(Debug)]
pub(super) struct Seat {
    /// Queues it serves; none once the plan has dropped it.
    pub(super) queues: Vec<QueueId>,
    /// What its clerk can do.
    pub(super) skills: Vec<Known>,
    /// Where it stands.
    pub(super) state: SeatState,
    /// When it last became free. Outlives an offer, so that a caller who gives up while the seat
    /// rings does not cost the clerk the place among the idle.
    pub(super) idle_since: Instant,
    /// Away only because its clerk is in a call of its own.
    pub(super) set_aside: bool,
}

impl Seat {
    pub(super) fn new(planned: &routing::plan::Seat) -> Self {
        Seat {
            queues: planned.queues.clone(),
            skills: planned.skills.clone(),
            state: SeatState::SignedOut,
            idle_since: Instant::ZERO,
            set_aside: false,
        }
    }

    /// Whether its clerk may take this caller, now or later.
    pub(super) fn serves(&self, waiting: &Waiting) -> bool {
        serves(&self.queues, &self.skills, waiting)
    }

    /// The seat as [`super::decide`] wants it, if it is free.
    pub(super) fn free<'a>(&'a self, id: &'a SeatId) -> Option<Free<'a>> {
        match self.state {
            SeatState::Ready { since } => {
                Some(Free { seat: id, since, queues: &self.queues, skills: &self.skills })
            }
            SeatState::SignedOut
            | SeatState::Offered { .. }
            | SeatState::Talking { .. }
            | SeatState::WrapUp { .. }
            | SeatState::Away { .. } => None,
        }
    }
}

/// Whether a seat with these queues and skills may take the caller.
pub(super) fn serves(queues: &[QueueId], skills: &[Known], waiting: &Waiting) -> bool {
    queues.contains(&waiting.queue)
        && waiting.skills.iter().all(|wanted| skills.iter().any(|known| known.satisfies(wanted)))
}

impl SeatState {
    /// Whether a clerk works at the seat: free, ringing, talking or finishing a case.
    pub fn is_working(&self) -> bool {
        match self {
            SeatState::Ready { .. }
            | SeatState::Offered { .. }
            | SeatState::Talking { .. }
            | SeatState::WrapUp { .. } => true,
            SeatState::SignedOut | SeatState::Away { .. } => false,
        }
    }

    /// When the state ends by itself.
    pub(super) fn ends_at(&self) -> Option<Instant> {
        match self {
            SeatState::Offered { lapses_at, .. } => Some(*lapses_at),
            SeatState::WrapUp { ends_at, .. } => Some(*ends_at),
            SeatState::Away { until, .. } => *until,
            SeatState::SignedOut | SeatState::Ready { .. } | SeatState::Talking { .. } => None,
        }
    }
}
