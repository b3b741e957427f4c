//! What boards, figures and the console see of queues and seats.

use std::time::Duration;

use crate::acd::event::SeatState;
use crate::id::{CallId, QueueId, SeatId};
use crate::time::Instant;

use super::acd::{Acd, Phase};
use super::line::count;
use super::queue::Queue;

/// One queue for boards and figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    /// Which.
    pub queue: QueueId,
    /// Callers in it, those for whom a seat rings too.
    pub waiting: u32,
    /// Those for whom a seat rings.
    pub ringing: u32,
    /// The longest wait of them.
    pub longest_wait: Option<Duration>,
    /// Seats that serve it and where a clerk works.
    pub working: u32,
    /// Those of them that are free.
    pub free: u32,
    /// The guess for who joins now; `None` where there is nothing to go by.
    pub expected_wait: Option<Duration>,
}

impl Acd {
    /// All seats by their numbers.
    pub fn seats(&self) -> impl Iterator<Item = (&SeatId, &SeatState)> {
        self.seats.iter().map(|(id, seat)| (id, &seat.state))
    }

    /// Where one seat stands.
    pub fn seat(&self, id: &SeatId) -> Option<&SeatState> {
        self.seats.get(id).map(|seat| &seat.state)
    }

    /// All queues by their names.
    pub fn queues(&self, now: Instant) -> Vec<QueueView> {
        let view = |(id, queue): (&QueueId, &Queue)| {
            let mut inside = self.line.values().filter(|waiting| waiting.queue == *id);
            let serving = self.seats.values().filter(|seat| seat.queues.contains(id));
            let working = count(serving.clone().filter(|seat| seat.state.is_working()));
            QueueView {
                queue: id.clone(),
                waiting: queue.length,
                ringing: count(inside.clone().filter(|waiting| waiting.offered_to.is_some())),
                longest_wait: inside.by_ref().map(|waiting| now.since(waiting.place.since)).max(),
                working,
                free: count(serving.filter(|seat| matches!(seat.state, SeatState::Ready { .. }))),
                expected_wait: queue.handling.expected_wait(queue.length, working),
            }
        };
        self.queues.iter().map(view).collect()
    }

    /// Where a caller stands in the queue, 1 for the next one; `None` who does not wait.
    pub fn position(&self, call: CallId) -> Option<u32> {
        match self.calls.get(&call)? {
            Phase::InLine(place) => Some(self.ahead(*place) + 1),
            Phase::Talking(_) => None,
        }
    }
}
