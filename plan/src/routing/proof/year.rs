//! A leap year of a line, hour by hour: whom its callers come to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::hours::LeapYears;
use super::outcome::{Outcome, Why};
use crate::id::QueueId;
use crate::routing::plan::{Line, Plan};
use crate::time::Timestamp;

/// Seconds of an hour.
const HOUR: u64 = 3_600;

/// What a year brings to who calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Year {
    /// With a person.
    pub person: Duration,
    /// With a ticket only.
    pub ticket: Duration,
    /// Of that, where no seat of the queue is on shift: for how long, and when that is first.
    pub off_shift: BTreeMap<QueueId, (Duration, Timestamp)>,
    /// With nobody.
    pub nobody: Duration,
    /// With nobody on special days that calendars have in other years.
    pub nobody_special: Duration,
    /// When it fails first, and why.
    pub first: Option<(Timestamp, Why)>,
}

impl Year {
    /// Whole hours of the year: 8,784 of a leap year.
    pub fn hours(&self) -> u64 {
        (self.person + self.ticket + self.nobody).as_secs() / HOUR
    }

    /// Whole hours in which somebody or a ticket is reached for all of the hour's length together.
    pub fn reached(&self) -> u64 {
        (self.person + self.ticket).as_secs() / HOUR
    }

    /// Whether it never fails.
    pub fn is_whole(&self) -> bool {
        self.nobody.is_zero() && self.nobody_special.is_zero()
    }

    /// Whether it fails at every hour alike.
    pub fn is_empty(&self) -> bool {
        self.person.is_zero() && self.ticket.is_zero()
    }
}

impl Plan {
    /// The year of `line`'s callers, from each instant at which something can change to the next; in the worst of the
    /// phases of its transition.
    pub fn year(&self, line: &Line) -> Year {
        self.year_of(line, &mut LeapYears::default())
    }

    /// The same, where other lines are looked at as well.
    pub fn year_of<'a>(&'a self, line: &'a Line, years: &mut LeapYears<'a>) -> Year {
        let mut year = Year::default();
        // In the order of their first instants, so that the first that fails is the first of the year.
        let phases = self.phases(line);
        for state in years.states(self, line) {
            let outcomes = phases.iter().map(|phase| self.outcome_in(line, state.at, *phase));
            match outcomes.max().unwrap_or(Outcome::Person) {
                Outcome::Person => year.person += state.total,
                Outcome::OffShift(queue) => {
                    year.ticket += state.total;
                    let (total, _) = year.off_shift.entry(queue).or_insert((Duration::ZERO, state.at));
                    *total += state.total + state.special;
                }
                Outcome::Ticket => year.ticket += state.total,
                Outcome::Nobody(why) => {
                    year.nobody += state.total;
                    year.nobody_special += state.special;
                    year.first.get_or_insert((state.at, why));
                }
            }
        }
        year
    }
}
