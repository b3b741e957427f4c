//! The hours that matter to a line, and the instants of a year at which any of them begins or ends.
//!
//! Between two of those instants nothing changes, so a year is looked at as a few thousand stretches of time,
//! not as samples: a hole of one minute is found like one of a day.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::id::ScriptId;
use crate::routing::people::Hours;
use crate::routing::plan::{Line, Plan};
use crate::routing::script::{Act, Condition, Target};
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

/// The leap year of many lines: lines that keep the same hours have one between them, which is worked out once.
#[derive(Debug, Default)]
pub struct LeapYears<'a>(Vec<(Vec<&'a Hours>, Vec<State>)>);

impl<'a> LeapYears<'a> {
    /// The states that `line` is in, in the order of their first instants.
    pub fn states(&mut self, plan: &'a Plan, line: &'a Line) -> &[State] {
        let hours = plan.hours_of(line);
        let place = match self.0.iter().position(|(known, _)| *known == hours) {
            Some(place) => place,
            None => {
                let states = plan.calendar(line, LEAP_YEAR).states;
                self.0.push((hours, states));
                self.0.len() - 1
            }
        };
        &self.0[place].1
    }

    /// How many were worked out.
    pub fn worked_out(&self) -> usize {
        self.0.len()
    }
}

impl Plan {
    /// The year of `line`, by the city's clock. Empty where the clock leaves the calendar.
    pub fn calendar(&self, line: &Line, year: i16) -> Calendar {
        let hours = self.hours_of(line);
        let zone = &self.city.time_zone;
        let points = points(&hours, zone, year);
        let mut seen: Vec<Vec<bool>> = Vec::new();
        let mut calendar = Calendar::default();
        for pair in points.windows(2) {
            let (from, until) = (pair[0], pair[1]);
            let open: Vec<bool> = hours.iter().map(|own| own.are_open(from, zone)).collect();
            let total = Duration::try_from(until.duration_since(from)).unwrap_or_default();
            let state = match seen.iter().position(|known| *known == open) {
                Some(state) => state,
                None => {
                    seen.push(open);
                    calendar.states.push(State { at: from, total: Duration::ZERO });
                    seen.len() - 1
                }
            };
            calendar.states[state].total += total;
            calendar.stretches.push(Stretch { from, until, state });
        }
        calendar
    }

    /// All hours on which the treatment of a call to `line` depends, each once.
    fn hours_of<'a>(&'a self, line: &'a Line) -> Vec<&'a Hours> {
        let mut found: Vec<&Hours> = Vec::new();
        let mut add = |hours: &'a Hours| {
            if !hours.0.is_empty() && !found.contains(&hours) {
                found.push(hours);
            }
        };
        if let Some(peer) = line.mode.peer() {
            add(&peer.hours);
        }
        let mut seen: BTreeSet<&ScriptId> = BTreeSet::new();
        let mut open: Vec<&ScriptId> = line.script.iter().collect();
        while let Some(id) = open.pop() {
            let Some(script) = self.scripts.get(id).filter(|_| seen.insert(id)) else { continue };
            for act in &script.acts {
                open.extend(act.leads_to());
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
        }
        found
    }
}

/// The year's first instant, every instant at which one of `hours` can begin or end, and the first instant of the
/// next year; in order.
///
/// Between two of them the day, its weekday and each comparison with a band's edge stay what they are. Where a
/// clock is put back, an edge comes twice; where it is put forward, the change itself is such an instant.
fn points(hours: &[&Hours], zone: &TimeZone, year: i16) -> Vec<Timestamp> {
    let (Ok(first), Ok(last)) = (Date::new(year, 1, 1), Date::new(year.saturating_add(1), 1, 1)) else {
        return Vec::new();
    };
    let midnight = |day: Date| day.to_zoned_datetime(zone.clone()).ok().map(|zoned| zoned.timestamp());
    let (Some(begins), Some(ends)) = (midnight(first), midnight(last)) else { return Vec::new() };
    let mut points = BTreeSet::from([begins, ends]);
    if !hours.is_empty() {
        let edges: BTreeSet<Time> = hours
            .iter()
            .flat_map(|own| &own.0)
            .flat_map(|band| [band.from, band.to])
            .chain([Time::midnight()])
            .collect();
        for day in first.series(jiff::Span::new().days(1)).take_while(|day| *day < last) {
            points.extend(edges.iter().flat_map(|edge| both(day.to_datetime(*edge), zone)));
        }
        points.extend(zone.following(begins).map(|change| change.timestamp()).take_while(|at| *at < ends));
    }
    points.into_iter().filter(|at| (begins..=ends).contains(at)).collect()
}

/// When a clock shows this: once, twice in an hour that is repeated, and just behind one that is left out.
fn both(shown: DateTime, zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
    let shown = zone.to_ambiguous_timestamp(shown);
    [shown.earlier().ok(), shown.later().ok()].into_iter().flatten()
}
