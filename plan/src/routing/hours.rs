//! When somebody is there: bands of each week, or a calendar with its holidays, by the city's clock.
//!
//! A band ends with its day; who is there over midnight has two. So a night before a holiday is the ordinary
//! day's, and the morning after it the holiday's.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use super::calendar::{Calendar, Works};
use crate::time::Timestamp;

/// So far ahead a change is looked for.
const DAYS_AHEAD: usize = 400;

/// When somebody is there. Without bands and without a calendar: always.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hours {
    /// Bands of each week; empty where a calendar says them.
    pub bands: Vec<Band>,
    /// `hours = "office"`.
    pub calendar: Option<Arc<Calendar>>,
}

/// From `from` up to and without `to` on these days of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// Days of the week.
    pub days: Vec<Weekday>,
    /// First minute.
    pub from: Time,
    /// The first that is out of it; 00:00 is the day's end.
    pub to: Time,
}

/// A part of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First minute.
    pub from: Time,
    /// The first that is out of it; 00:00 is the day's end.
    pub to: Time,
}

impl Span {
    fn holds(self, time: Time) -> bool {
        time >= self.from && (self.to == Time::midnight() || time < self.to)
    }
}

impl fmt::Display for Span {
    /// `08:30–12:00`.
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = if self.to == Time::midnight() { 24 } else { self.to.hour() };
        write!(into, "{:02}:{:02}–{to:02}:{:02}", self.from.hour(), self.from.minute(), self.to.minute())
    }
}

impl Band {
    /// What it is on any of its days.
    pub fn span(&self) -> Span {
        Span { from: self.from, to: self.to }
    }
}

impl fmt::Debug for Hours {
    /// A calendar by its name: whoever compares plans is told of its days where they are written.
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.calendar {
            Some(calendar) => into.debug_tuple("Calendar").field(&calendar.name).finish(),
            None => into.debug_tuple("Hours").field(&self.bands).finish(),
        }
    }
}

impl Hours {
    /// The same each week; always, where there is no band.
    pub fn weekly(bands: Vec<Band>) -> Self {
        Hours { bands, calendar: None }
    }

    /// As a calendar has it.
    pub fn by(calendar: Arc<Calendar>) -> Self {
        Hours { bands: Vec::new(), calendar: Some(calendar) }
    }

    /// Whether somebody is there at any hour of any day.
    pub fn are_always(&self) -> bool {
        self.bands.is_empty() && self.calendar.is_none()
    }

    /// Whether somebody is there at `at`.
    pub fn are_open(&self, at: Timestamp, zone: &TimeZone) -> bool {
        if self.are_always() {
            return true;
        }
        let local = zone.to_datetime(at);
        self.on(local.date()).any(|span| span.holds(local.time()))
    }

    /// The first instant after `at` at which somebody comes or goes; `None` where that is more than
    /// [`DAYS_AHEAD`] days away, or never.
    pub fn next_change(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if self.are_always() {
            return None;
        }
        let today = zone.to_datetime(at).date();
        let days = today.series(1.day()).take(DAYS_AHEAD);
        let edges = self.edges();
        let shown = days.flat_map(|day| edges.iter().map(move |edge| day.to_datetime(*edge)));
        let mut ahead: BTreeSet<Timestamp> = shown.flat_map(|shown| instants(shown, zone)).collect();
        let last = ahead.last().copied().unwrap_or(at);
        ahead.extend(zone.following(at).map(|change| change.timestamp()).take_while(|change| *change < last));
        let now = self.are_open(at, zone);
        ahead.range(at..).find(|instant| **instant > at && self.are_open(**instant, zone) != now).copied()
    }

    /// When somebody is there on a day; nothing of hours that are always.
    pub fn on(&self, day: Date) -> impl Iterator<Item = Span> {
        let works = self.calendar.as_ref().and_then(|calendar| calendar.days.get(&day)).map(|own| &own.works);
        let (weekday, spans): (_, &[Span]) = match works {
            None => (Some(day.weekday()), &[]),
            Some(Works::As(weekday)) => (Some(*weekday), &[]),
            Some(Works::During(spans)) => (None, spans),
        };
        let bands =
            self.each_week().iter().filter(move |band| weekday.is_some_and(|day| band.days.contains(&day)));
        bands.map(Band::span).chain(spans.iter().copied())
    }

    /// The bands of an ordinary week.
    pub fn each_week(&self) -> &[Band] {
        self.calendar.as_ref().map_or(&self.bands, |calendar| &calendar.weekly)
    }

    /// Days that are not as their weekday says.
    pub fn special_days(&self) -> impl Iterator<Item = Date> {
        self.calendar.iter().flat_map(|calendar| calendar.days.keys().copied())
    }

    /// Every time of a day at which somebody may come or go, midnight among them.
    pub fn edges(&self) -> BTreeSet<Time> {
        let days = self.calendar.iter().flat_map(|calendar| calendar.days.values());
        let special = days.flat_map(|day| match &day.works {
            Works::During(spans) => spans.as_slice(),
            Works::As(_) => &[],
        });
        let spans = self.each_week().iter().map(Band::span).chain(special.copied());
        spans.flat_map(|span| [span.from, span.to]).chain([Time::midnight()]).collect()
    }
}

/// When a clock shows this: once, twice in an hour that is repeated, and just behind one that is left out.
pub(super) fn instants(shown: DateTime, zone: &TimeZone) -> impl Iterator<Item = Timestamp> + use<> {
    let shown = zone.to_ambiguous_timestamp(shown);
    [shown.earlier().ok(), shown.later().ok()].into_iter().flatten()
}

#[cfg(test)]
#[path = "hours_test.rs"]
mod tests;
