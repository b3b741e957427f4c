//! The hours that matter to a line, and the instants of a year at which any of them begins or ends.
//!
//! Between two of those instants nothing changes, so a year is looked at as a few thousand stretches of time,
//! not as samples: a hole of one minute is found like one of a day.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::id::{QueueId, ScriptId};
use crate::routing::holidays;
use crate::routing::hours::{Hours, instants};
use crate::routing::in_use::InUse;
use crate::routing::plan::{Line, Plan};
use crate::routing::script::{Act, Condition, Script, Target};
use crate::time::Timestamp;

/// The leap year that is looked at: 8,784 hours.
pub const LEAP_YEAR: i16 = 2028;

/// Stretches of a year in which a line does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The first instant of the first such stretch.
    pub at: Timestamp,
    /// All of them together.
    pub total: Duration,
    /// How much more of it special days of calendars bring in the other years that they know.
    pub special: Duration,
}

/// One stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant behind it.
    pub until: Timestamp,
    /// Which of the states holds.
    pub state: usize,
}

/// A year of a line: each stretch in order, and what differs between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// In the order of their first instants.
    pub states: Vec<State>,
    /// Without gaps from the year's first instant to its last.
    pub stretches: Vec<Stretch>,
}

/// The leap year of many lines: lines that keep the same hours on the same days have one between them, which is worked out once.
#[derive(Debug, Default)]
pub struct LeapYears<'a>(Vec<(Vec<&'a Hours>, &'a InUse, Vec<State>)>);

impl<'a> LeapYears<'a> {
    /// The states that `line` is in, in the order of their first instants.
    pub fn states(&mut self, plan: &'a Plan, line: &'a Line) -> &[State] {
        let hours = plan.hours_and_shifts_of(line);
        let alike =
            |(known, days, _): &(Vec<&Hours>, &InUse, Vec<State>)| *known == hours && **days == line.in_use;
        let place = match self.0.iter().position(alike) {
            Some(place) => place,
            None => {
                let states = plan.calendar(line, LEAP_YEAR).states;
                self.0.push((hours, &line.in_use, states));
                self.0.len() - 1
            }
        };
        &self.0[place].2
    }

    /// How many were worked out.
    pub fn worked_out(&self) -> usize {
        self.0.len()
    }
}

impl Plan {
    /// The year of `line`, by the city's clock. Empty where the clock leaves the calendar.
    ///
    /// The leap year stands for every year. A special day of a calendar is one of its own: where it lies outside of the days
    /// on which the number is ours, nothing is owed to anybody on it, and it is left out.
    pub fn calendar(&self, line: &Line, year: i16) -> Calendar {
        let hours = self.hours_and_shifts_of(line);
        let zone = &self.city.time_zone;
        let mut seen: Vec<Vec<bool>> = Vec::new();
        let mut calendar = Calendar::default();
        let mut look = |from: Timestamp, until: Timestamp, of_the_year: bool| {
            let open: Vec<bool> = hours.iter().map(|own| own.are_open(from, zone)).collect();
            let total = Duration::try_from(until.duration_since(from)).unwrap_or_default();
            let state = match seen.iter().position(|known| *known == open) {
                Some(state) => state,
                None => {
                    seen.push(open);
                    let state = State { at: from, total: Duration::ZERO, special: Duration::ZERO };
                    calendar.states.push(state);
                    seen.len() - 1
                }
            };
            if of_the_year {
                calendar.states[state].total += total;
                calendar.stretches.push(Stretch { from, until, state });
            } else {
                calendar.states[state].special += total;
            }
        };
        let (of_the_year, special) = points(&hours, zone, year);
        let outside = self.special_days_outside(line, &hours);
        let owed = |pair: &&[Timestamp]| !outside.contains(&zone.to_datetime(pair[0]).date());
        of_the_year.windows(2).filter(owed).for_each(|pair| look(pair[0], pair[1], true));
        let special = special.iter().flat_map(|day| day.windows(2));
        special.filter(owed).for_each(|pair| look(pair[0], pair[1], false));
        calendar
    }

    /// Special days of calendars on which the number of `line` is not ours.
    fn special_days_outside(&self, line: &Line, hours: &[&Hours]) -> BTreeSet<Date> {
        if line.in_use.is_always() {
            return BTreeSet::new();
        }
        let special = hours.iter().flat_map(|own| own.special_days());
        special.filter(|day| !line.in_use.holds_on(*day)).collect()
    }

    /// The same, and the shifts of seats on which it depends whether somebody is there.
    fn hours_and_shifts_of<'a>(&'a self, line: &'a Line) -> Vec<&'a Hours> {
        let mut found = self.hours_of(line);
        let in_flows = self.scripts_of(line).into_iter().flat_map(|script| &script.acts);
        let in_flows = in_flows.filter_map(|act| match act {
            Act::Queue(queue) => Some(queue),
            _ => None,
        });
        let queues: BTreeSet<&QueueId> = line.mode.queue().into_iter().chain(in_flows).collect();
        for shift in queues.into_iter().flat_map(|queue| self.shifts(queue)) {
            if !found.contains(&shift) {
                found.push(shift);
            }
        }
        found
    }

    /// The flows that callers of `line` can come through.
    fn scripts_of<'a>(&'a self, line: &'a Line) -> Vec<&'a Script> {
        let mut seen: BTreeSet<&ScriptId> = BTreeSet::new();
        let mut open: Vec<&ScriptId> = line.script.iter().collect();
        let mut found: Vec<&Script> = Vec::new();
        while let Some(id) = open.pop() {
            let Some(script) = self.scripts.get(id).filter(|_| seen.insert(id)) else { continue };
            open.extend(script.acts.iter().flat_map(Act::leads_to));
            found.push(script);
        }
        found
    }

    /// All hours on which the treatment of a call to `line` depends, each once.
    pub(in crate::routing) fn hours_of<'a>(&'a self, line: &'a Line) -> Vec<&'a Hours> {
        let mut found: Vec<&Hours> = Vec::new();
        let mut add = |hours: &'a Hours| {
            if !hours.are_always() && !found.contains(&hours) {
                found.push(hours);
            }
        };
        if let Some(peer) = line.mode.peer() {
            add(&peer.hours);
        }
        for act in self.scripts_of(line).into_iter().flat_map(|script| &script.acts) {
            match act {
                Act::Branch(branch) => {
                    for condition in branch.cases.iter().flat_map(|case| &case.when) {
                        if let Condition::Inside(hours) | Condition::Outside(hours) = condition {
                            add(hours);
                        }
                    }
                }
                Act::Transfer(transfer) => {
                    if let Target::Peer(peer) = &transfer.to {
                        add(&peer.hours);
                    }
                }
                _ => {}
            }
        }
        found
    }
}

/// The year's first instant, every instant at which one of `hours` can begin or end, and the first instant of the
/// next year; in order. And the same of each special day that a calendar has in other years that are not over: holidays
/// are known for years that are not leap years, and what they bring together is proved on those days.
///
/// Between two of them the day, its weekday and each comparison with a band's edge stay what they are. Where a
/// clock is put back, an edge comes twice; where it is put forward, the change itself is such an instant.
pub(super) fn points(hours: &[&Hours], zone: &TimeZone, year: i16) -> (Vec<Timestamp>, Vec<Vec<Timestamp>>) {
    let (Ok(first), Ok(last)) = (Date::new(year, 1, 1), Date::new(year.saturating_add(1), 1, 1)) else {
        return (Vec::new(), Vec::new());
    };
    let edges: BTreeSet<Time> = hours.iter().flat_map(|own| own.edges()).collect();
    let special: BTreeSet<Date> = hours.iter().flat_map(|own| own.special_days()).collect();
    let others = special.into_iter().filter(|day| day.year() != year && day.year() >= holidays::newest());
    let others = others.filter_map(|day| Some(between(day, day.tomorrow().ok()?, &edges, zone)));
    (between(first, last, &edges, zone), others.collect())
}

/// From the first instant of a day to that of another.
fn between(first: Date, last: Date, edges: &BTreeSet<Time>, zone: &TimeZone) -> Vec<Timestamp> {
    let midnight = |day: Date| day.to_zoned_datetime(zone.clone()).ok().map(|zoned| zoned.timestamp());
    let (Some(begins), Some(ends)) = (midnight(first), midnight(last)) else { return Vec::new() };
    let mut points = BTreeSet::from([begins, ends]);
    if !edges.is_empty() {
        for day in first.series(jiff::Span::new().days(1)).take_while(|day| *day < last) {
            points.extend(edges.iter().flat_map(|edge| instants(day.to_datetime(*edge), zone)));
        }
        points.extend(zone.following(begins).map(|change| change.timestamp()).take_while(|at| *at < ends));
    }
    points.into_iter().filter(|at| (begins..=ends).contains(at)).collect()
}
