//! The seats that a queue has against those that it needs.

use serde::Serialize;

use super::erlang::Load;
use super::hours::{LEAP_YEAR, points};
use crate::routing::hours::Hours;
use crate::routing::plan::{Plan, Queue};
use crate::routing::queueing::Staffing;
use crate::time::Timestamp;

/// A queue with `staffing`: what it needs, and what it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Need {
    /// Its name.
    pub queue: String,
    /// Seats that would be taken at once in the mean.
    pub erlangs: f64,
    /// The fewest seats that keep the promise; `None`: more than can be counted.
    pub needed: Option<u32>,
    /// Seats that serve it, whether they serve others as well or not; where they have shifts, the fewest that are
    /// there at any time at which so many call.
    pub there: u32,
    /// When that is first, where it is not always.
    pub fewest_at: Option<Timestamp>,
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
        let said = self.queues.values().filter_map(|queue| Some((queue, queue.rules.staffing.as_ref()?)));
        said.map(|(queue, staffing)| self.need(queue, staffing)).collect()
    }

    fn need(&self, queue: &Queue, staffing: &Staffing) -> Need {
        let load = Load { calls_per_hour: staffing.calls_per_hour, taken: staffing.talk + queue.wrap_up };
        let (there, fewest_at) = self.fewest(queue, &staffing.hours);
        Need {
            queue: queue.id.to_string(),
            erlangs: load.erlangs(),
            needed: load.seats_for(f64::from(staffing.percent) / 100.0, staffing.within),
            there,
            fewest_at,
            reached_percent: 100.0 * load.within(there, staffing.within),
            within_s: staffing.within.as_secs_f64(),
            percent: staffing.percent,
        }
    }
    /// The fewest seats of a queue that are there while `hours` are open, through a leap year and the special days of
    /// calendars; and when that is first, where their number changes.
    fn fewest(&self, queue: &Queue, hours: &Hours) -> (u32, Option<Timestamp>) {
        // A shift has many seats: each is looked at once.
        let mut shifts: Vec<(&Hours, u32)> = Vec::new();
        for seat in self.seats_of(&queue.id) {
            match shifts.iter_mut().find(|(own, _)| **own == seat.hours) {
                Some((_, seats)) => *seats += 1,
                None => shifts.push((&seat.hours, 1)),
            }
        }
        let all = shifts.iter().map(|(_, seats)| seats).sum();
        if shifts.iter().all(|(own, _)| own.are_always()) {
            return (all, None);
        }
        let zone = &self.city.time_zone;
        let known: Vec<&Hours> = shifts.iter().map(|(own, _)| *own).chain([hours]).collect();
        let (year, special) = points(&known, zone, LEAP_YEAR);
        let stretches = [year].into_iter().chain(special);
        let begins = stretches.flat_map(|mut points| {
            points.pop(); // What lies behind the last is not looked at.
            points
        });
        let there = |at: Timestamp| {
            let open = shifts.iter().filter(|(own, _)| own.are_open(at, zone));
            open.map(|(_, seats)| seats).sum::<u32>()
        };
        let counts = begins.filter(|at| hours.are_open(*at, zone)).map(|at| (there(at), at));
        match counts.min_by_key(|(seats, _)| *seats) {
            Some((seats, at)) if seats < all => (seats, Some(at)),
            _ => (all, None),
        }
    }
}
