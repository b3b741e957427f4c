//! The seats that a queue has against those that it needs.

use serde::Serialize;

use super::erlang::Load;
use crate::routing::plan::{Plan, Queue};
use crate::routing::queueing::Staffing;

/// A queue with `staffing`: what it needs, and what it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Need {
    /// Its name.
    pub queue: String,
    /// Seats that would be taken at once in the mean.
    pub erlangs: f64,
    /// The fewest seats that keep the promise; `None`: more than can be counted.
    pub needed: Option<u32>,
    /// Seats that serve it, whether they serve others as well or not.
    pub there: u32,
    /// The share of callers, of a hundred, whom those seats take in time.
    pub reached_percent: f64,
    /// The wait that is promised, seconds.
    pub within_s: f64,
    /// To so many of a hundred callers.
    pub percent: u8,
}

impl Need {
    /// Whether the seats suffice.
    pub fn is_met(&self) -> bool {
        self.needed.is_some_and(|needed| self.there >= needed)
    }
}

impl Plan {
    /// Each queue that says what it is staffed for, in the order of names.
    pub fn staffing(&self) -> Vec<Need> {
        let said = self.queues.values().filter_map(|queue| Some((queue, queue.rules.staffing?)));
        said.map(|(queue, staffing)| self.need(queue, staffing)).collect()
    }

    fn need(&self, queue: &Queue, staffing: Staffing) -> Need {
        let load = Load { calls_per_hour: staffing.calls_per_hour, taken: staffing.talk + queue.wrap_up };
        let serves =
            self.seats.values().filter(|seat| seat.role.takes_callers() && seat.queues.contains(&queue.id));
        let there = u32::try_from(serves.count()).unwrap_or(u32::MAX);
        Need {
            queue: queue.id.to_string(),
            erlangs: load.erlangs(),
            needed: load.seats_for(f64::from(staffing.percent) / 100.0, staffing.within),
            there,
            reached_percent: 100.0 * load.within(there, staffing.within),
            within_s: staffing.within.as_secs_f64(),
            percent: staffing.percent,
        }
    }
}
