//! The seats that a queue has against those that it needs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use serde::Serialize;

use super::erlang::Load;
use super::hours::{LEAP_YEAR, points};
use crate::routing::hours::Hours;
use crate::routing::plan::{Plan, Queue};
use crate::routing::queueing::Staffing;
use crate::time::Timestamp;

/// A queue with `staffing`, or several that share seats: what they need, and what they have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Need {
    /// Its name; of several `a + b`.
    pub queue: String,
    /// The names.
    pub queues: Vec<String>,
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

/// What is asked of seats, and whose they are.
struct Asked<'a> {
    queue: &'a Queue,
    staffing: &'a Staffing,
    load: Load,
}

/// Seats of which each is there when the others are, and serves the same queues of those that are looked at.
struct Shift<'a> {
    hours: &'a Hours,
    serves: Vec<bool>,
    seats: u32,
}

impl Plan {
    /// Each queue that says what it is staffed for, in the order of names; behind them those that share seats, together:
    /// a seat that talks to a caller of one queue takes none of another meanwhile.
    pub fn staffing(&self) -> Vec<Need> {
        let said = self.queues.values().filter_map(|queue| Some((queue, queue.rules.staffing.as_ref()?)));
        let asked: Vec<Asked<'_>> = said.map(|(queue, staffing)| self.load_of(queue, staffing)).collect();
        let alone = asked
            .iter()
            .map(std::slice::from_ref)
            .filter_map(|one| self.need(&one.iter().collect::<Vec<_>>()));
        let pools = self.pools(&asked).into_iter().filter_map(|pool| self.need(&pool));
        alone.chain(pools).collect()
    }

    /// A call takes a seat for the talk and for the wrap-up, which is the seat's own where it has one: their mean, as calls
    /// come to all of them.
    fn load_of<'a>(&'a self, queue: &'a Queue, staffing: &'a Staffing) -> Asked<'a> {
        let (mut seats, mut wrap_up) = (0_u32, Duration::ZERO);
        for seat in self.seats_of(&queue.id) {
            seats += 1;
            wrap_up += seat.wrap_up.unwrap_or(queue.wrap_up);
        }
        let mean = wrap_up.checked_div(seats).unwrap_or(queue.wrap_up);
        let load = Load { calls_per_hour: staffing.calls_per_hour, taken: staffing.talk + mean };
        Asked { queue, staffing, load }
    }

    /// Queues that share seats, each with those that share with it, directly or by others; those that share none are left
    /// out.
    fn pools<'a, 'q>(&self, asked: &'q [Asked<'a>]) -> Vec<Vec<&'q Asked<'a>>> {
        // Of which pool each is: at first of its own.
        let mut pool: Vec<usize> = (0..asked.len()).collect();
        for seat in self.seats.values().filter(|seat| seat.role.takes_callers()) {
            let mut served = (0..asked.len()).filter(|place| seat.queues.contains(&asked[*place].queue.id));
            let Some(first) = served.next() else { continue };
            for other in served {
                let (into, from) = (pool[first].min(pool[other]), pool[first].max(pool[other]));
                pool.iter_mut().filter(|own| **own == from).for_each(|own| *own = into);
            }
        }
        let members =
            |own: usize| asked.iter().zip(&pool).filter(move |(_, of)| **of == own).map(|(one, _)| one);
        let pools = (0..asked.len()).map(|own| members(own).collect::<Vec<_>>());
        pools.filter(|members| members.len() > 1).collect()
    }

    /// What these queues need together, and have, when it suffices least: at an hour at which callers of several of them
    /// come, where there are several.
    fn need(&self, asked: &[&Asked<'_>]) -> Option<Need> {
        let shifts = self.shared_shifts(asked);
        let mut worst: Option<Need> = None;
        for (open, (there, at)) in self.fewest(asked, &shifts) {
            let open: Vec<&Asked<'_>> =
                asked.iter().zip(open).filter(|(_, open)| *open).map(|(one, _)| *one).collect();
            if open.len() < asked.len().min(2) {
                continue; // One by itself has a need of its own.
            }
            let need = together(&open, there, at)?;
            if worst.as_ref().is_none_or(|worst| need.reached_percent < worst.reached_percent) {
                worst = Some(need);
            }
        }
        worst
    }

    /// The seats of these queues. A shift has many seats: each is looked at once.
    fn shared_shifts(&self, asked: &[&Asked<'_>]) -> Vec<Shift<'_>> {
        let mut shifts: Vec<Shift<'_>> = Vec::new();
        for seat in self.seats.values().filter(|seat| seat.role.takes_callers()) {
            let serves: Vec<bool> = asked.iter().map(|own| seat.queues.contains(&own.queue.id)).collect();
            if !serves.contains(&true) {
                continue;
            }
            match shifts.iter_mut().find(|own| *own.hours == seat.hours && own.serves == serves) {
                Some(own) => own.seats += 1,
                None => shifts.push(Shift { hours: &seat.hours, serves, seats: 1 }),
            }
        }
        shifts
    }

    /// For each set of the queues that are staffed for the same hours: the fewest seats that are there then, through a leap
    /// year and the special days of calendars; and when that is first, where their number changes.
    fn fewest(
        &self,
        asked: &[&Asked<'_>],
        shifts: &[Shift<'_>],
    ) -> BTreeMap<Vec<bool>, (u32, Option<Timestamp>)> {
        let count = |open: &[bool], at: Option<Timestamp>| -> u32 {
            let helps = |own: &&Shift<'_>| own.serves.iter().zip(open).any(|(serves, open)| *serves && *open);
            let is_there =
                |own: &&Shift<'_>| at.is_none_or(|at| own.hours.are_open(at, &self.city.time_zone));
            shifts.iter().filter(helps).filter(is_there).map(|own| own.seats).sum()
        };
        let mut known: Vec<&Hours> = shifts.iter().map(|own| own.hours).collect();
        known.extend(asked.iter().map(|own| &own.staffing.hours));
        if known.iter().all(|own| own.are_always()) {
            let all = vec![true; asked.len()];
            let there = count(&all, None);
            return BTreeMap::from([(all, (there, None))]);
        }
        let (year, special) = points(&known, &self.city.time_zone, LEAP_YEAR);
        let begins = [year].into_iter().chain(special).flat_map(|mut points| {
            points.pop(); // What lies behind the last is not looked at.
            points
        });
        let mut fewest: BTreeMap<Vec<bool>, (u32, Option<Timestamp>)> = BTreeMap::new();
        for at in begins {
            let open: Vec<bool> =
                asked.iter().map(|own| own.staffing.hours.are_open(at, &self.city.time_zone)).collect();
            if !open.contains(&true) {
                continue;
            }
            let (there, all) = (count(&open, Some(at)), count(&open, None));
            let when = (there < all).then_some(at);
            match fewest.entry(open) {
                Entry::Vacant(free) => drop(free.insert((there, when))),
                Entry::Occupied(mut known) if there < known.get().0 => drop(known.insert((there, when))),
                Entry::Occupied(_) => {}
            }
        }
        if fewest.is_empty() {
            // Hours that never come: the seats are what they are.
            let all = vec![true; asked.len()];
            let there = count(&all, None);
            fewest.insert(all, (there, None));
        }
        fewest
    }
}

/// Of several promises the least is asked for: where not even that is kept, none is.
fn together(asked: &[&Asked<'_>], there: u32, fewest_at: Option<Timestamp>) -> Option<Need> {
    let within = asked.iter().map(|own| own.staffing.within).max()?;
    let percent = asked.iter().map(|own| own.staffing.percent).min()?;
    let calls = asked.iter().fold(0_u32, |calls, own| calls.saturating_add(own.load.calls_per_hour));
    let erlangs: f64 = asked.iter().map(|own| own.load.erlangs()).sum();
    let taken = match (asked, calls) {
        ([one], _) => one.load.taken,
        (_, 0) => Duration::ZERO,
        _ => Duration::try_from_secs_f64(erlangs * 3_600.0 / f64::from(calls)).ok()?,
    };
    let load = Load { calls_per_hour: calls, taken };
    let names: Vec<String> = asked.iter().map(|own| own.queue.id.to_string()).collect();
    Some(Need {
        queue: names.join(" + "),
        queues: names,
        erlangs: load.erlangs(),
        needed: load.seats_for(f64::from(percent) / 100.0, within),
        there,
        fewest_at,
        reached_percent: 100.0 * load.within(there, within),
        within_s: within.as_secs_f64(),
        percent,
    })
}
