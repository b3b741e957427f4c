//! One seat as the queues see it: where it stands and whom it may serve.
//!
//! Its telephone, its registration and its name are for others.

use std::time::Duration;

use crate::acd::event::{AwayWhy, SeatState};
use crate::id::QueueId;
use crate::routing;
use crate::routing::people::Role;
use crate::routing::queueing::Known;
use crate::time::Instant;

use super::need::Need;
use super::queue::Queue;

/// A seat.
#[derive(Debug)]
pub(super) struct Seat {
    /// Its place among all seats of the plan, for sets of seats.
    pub(super) number: usize,
    pub(super) role: Role,
    /// Queues it serves.
    pub(super) queues: Vec<QueueId>,
    /// Queues of earlier plans that it serves on, for calls of those plans.
    pub(super) old_queues: Vec<QueueId>,
    /// What its clerk can do.
    pub(super) skills: Vec<Known>,
    pub(super) order: u16,
    /// Instead of the queue's.
    pub(super) wrap_up: Option<Duration>,
    /// Where it stands.
    pub(super) state: SeatState,
    /// When it last became free. Outlives an offer, so that a caller who gives up while the seat
    /// rings does not cost the clerk the place among the idle.
    pub(super) idle_since: Instant,
    /// When its last conversation ended.
    pub(super) talked_until: Instant,
    /// Conversations since it signed in.
    pub(super) talks: u32,
    /// Its telephone is registered. A conversation outlives that.
    pub(super) registered: bool,
    /// The plan has it no more: it is forgotten once its conversation is over.
    pub(super) dropped: bool,
    /// What somebody said: in force, or as soon as what is under way is over.
    pub(super) absence: Option<Absence>,
}

/// Away by somebody's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Absence {
    pub(super) why: AwayWhy,
    pub(super) lasts: Lasts,
}

/// How long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasts {
    /// Until somebody says otherwise.
    Open,
    /// For so long, once it has begun.
    For(Duration),
    /// It has.
    Until(Instant),
}

impl Absence {
    /// It begins now, unless it has begun: when it ends.
    pub(super) fn begin(&mut self, now: Instant) -> Option<Instant> {
        if let Lasts::For(span) = self.lasts {
            self.lasts = Lasts::Until(now + span);
        }
        match self.lasts {
            Lasts::Until(end) => Some(end),
            Lasts::Open | Lasts::For(_) => None,
        }
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        matches!(self.lasts, Lasts::Until(end) if end <= now)
    }

    /// Not before then.
    pub(super) fn stretch(&mut self, now: Instant, end: Instant) {
        self.lasts = match self.lasts {
            Lasts::Open => Lasts::Open,
            Lasts::For(span) => Lasts::For(span.max(end.since(now))),
            Lasts::Until(standing) => Lasts::Until(standing.max(end)),
        };
    }
}

impl Seat {
    pub(super) fn new(planned: &routing::plan::Seat) -> Self {
        let mut seat = Seat {
            number: 0,
            role: planned.role,
            queues: Vec::new(),
            old_queues: Vec::new(),
            skills: Vec::new(),
            order: 0,
            wrap_up: None,
            state: SeatState::SignedOut,
            idle_since: Instant::ZERO,
            talked_until: Instant::ZERO,
            talks: 0,
            registered: false,
            dropped: false,
            absence: None,
        };
        seat.take_over(planned);
        seat
    }

    /// Serves as the plan has it from now on.
    pub(super) fn take_over(&mut self, planned: &routing::plan::Seat) {
        self.role = planned.role;
        self.queues.clone_from(&planned.queues);
        self.skills.clone_from(&planned.skills);
        self.order = planned.order;
        self.wrap_up = planned.wrap_up;
    }

    /// Whether its clerk may take such a caller, now or later.
    pub(super) fn serves(&self, need: &Need, queue: &Queue) -> bool {
        let knows = |wanted: &Known| self.skills.iter().any(|known| known.satisfies(wanted));
        self.serves_queue(queue, !need.skills.is_empty()) && need.skills.iter().all(knows)
    }

    /// Whether its clerk takes callers of this queue: clerks of theirs, experts of none those who ask for
    /// something that they know, and whoever else a surge calls for.
    pub(super) fn serves_queue(&self, queue: &Queue, asks_something: bool) -> bool {
        if self.dropped {
            return false;
        }
        let id = &queue.planned.id;
        let is_theirs = self.queues.contains(id) || self.old_queues.contains(id);
        let by_role = match self.role {
            Role::Clerk | Role::Leader => is_theirs,
            Role::Expert => is_theirs || (self.queues.is_empty() && asks_something),
            Role::Observer | Role::Trainee | Role::Supervisor | Role::Admin => false,
        };
        let surge = || queue.rules().surge.as_ref().filter(|_| queue.surging);
        by_role || surge().is_some_and(|surge| surge.roles.contains(&self.role))
    }
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
