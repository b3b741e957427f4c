//! What boards, figures and the console see of queues and seats.

use std::time::Duration;

use crate::acd::event::SeatState;
use crate::id::{CallId, QueueId, SeatId};
use crate::time::Instant;

use super::acd::Acd;
use super::queue::Queue;

/// One queue for boards and figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    /// Which.
    pub queue: QueueId,
    /// Callers in it who listen, those for whom a seat rings too.
    pub waiting: u32,
    /// Those for whom a seat rings.
    pub ringing: u32,
    /// Places of callers who hung up and are called back.
    pub kept: u32,
    /// The longest wait of those who listen.
    pub longest_wait: Option<Duration>,
    /// Seats that serve it and where a clerk works.
    pub working: u32,
    /// Those of them that are free.
    pub free: u32,
    /// The guess for who joins now; `None` where there is nothing to go by.
    pub expected_wait: Option<Duration>,
    /// Whether it has more callers than usual.
    pub surging: bool,
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

    /// All queues by their names; of those that the plan has no more, where somebody waits.
    pub fn queues(&self, now: Instant) -> Vec<QueueView> {
        let shown = self.queues.iter().filter(|(_, queue)| !queue.dropped || !queue.line.is_empty());
        shown.map(|(id, queue)| self.view(id, queue, now)).collect()
    }

    /// Whether the plan has seats that take callers of this queue, at work or not.
    pub fn is_served(&self, queue: &QueueId) -> bool {
        let queue = self.queues.get(queue);
        queue.is_some_and(|queue| self.seats.values().any(|seat| seat.serves_queue(queue, false)))
    }

    fn view(&self, id: &QueueId, queue: &Queue, now: Instant) -> QueueView {
        let inside = || queue.line.iter().filter_map(|(_, call)| self.waiting.get(call));
        let here = || inside().filter(|waiting| !waiting.is_kept());
        let serving = || self.seats.values().filter(|seat| seat.serves_queue(queue, false));
        let working = count(serving().filter(|seat| seat.state.is_working()));
        QueueView {
            queue: id.clone(),
            waiting: count(here()),
            ringing: count(here().filter(|waiting| !waiting.stage.ringing().is_empty())),
            kept: count(inside().filter(|waiting| waiting.is_kept())),
            longest_wait: here().map(|waiting| now.since(waiting.since)).max(),
            working,
            free: count(serving().filter(|seat| matches!(seat.state, SeatState::Ready { .. }))),
            expected_wait: queue.handling.expected_wait(queue.length(), working),
            surging: queue.surging,
        }
    }

    /// Where a caller stands in the queue, 1 for the next one; `None` who does not wait. Kept places count.
    pub fn position(&self, call: CallId) -> Option<u32> {
        let waiting = self.waiting.get(&call)?;
        Some(self.queues.get(&waiting.queue)?.ahead(waiting.place) + 1)
    }
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
