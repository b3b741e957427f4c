//! `[[calendar]]`: the hours of an ordinary week, and the days on which it is otherwise: public holidays, workdays
//! made up for them (调休), days with hours of their own.
//!
//! A calendar says when people work. It never closes a line: what a caller gets while nobody works is for the line,
//! its queue and its flow to say, and is proved to be a person or a ticket.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::diagnostic::Text;
use super::hours::{Band, Hours, Span};
use crate::time::Timestamp;

/// Calendars by their names.
pub type Calendars = BTreeMap<String, std::sync::Arc<Calendar>>;

/// One of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Its name: `office`.
    pub name: String,
    /// An ordinary week.
    pub weekly: Vec<Band>,
    /// Days that are not as their weekday says.
    pub days: BTreeMap<Date, Day>,
    /// Years whose public holidays are known; empty where the calendar has none of them.
    pub years: BTreeSet<i16>,
}

/// A day that is not as its weekday says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// What holds instead.
    pub works: Works,
    /// Why: 国庆节.
    pub name: String,
    /// The notice that says so, where it is not the file.
    pub source: Option<String>,
}

/// When people work on such a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Works {
    /// As on this day of the week: a workday made up.
    As(Weekday),
    /// At these hours; without any: not at all.
    During(Vec<Span>),
}

impl Day {
    /// What it is, in words.
    pub fn words(&self) -> Text {
        let name = &self.name;
        let (zh, en) = match &self.works {
            Works::As(day) => {
                let (zh, en) = weekday_words(*day);
                (format!("{name}调休上班（按{zh}）"), format!("a workday made up for {name}, as {en}"))
            }
            Works::During(spans) if spans.is_empty() => (format!("{name}放假"), format!("a holiday, {name}")),
            Works::During(spans) => {
                let spans: Vec<String> = spans.iter().map(Span::to_string).collect();
                (
                    format!("{name}，当天 {}", spans.join("、")),
                    format!("{name}, on that day {}", spans.join(", ")),
                )
            }
        };
        match &self.source {
            Some(source) => Text::new(format!("{zh}，{source}"), format!("{en}, {source}")),
            None => Text::new(zh, en),
        }
    }
}

/// 周一, Mon.
pub fn weekday_words(day: Weekday) -> (&'static str, &'static str) {
    match day {
        Weekday::Monday => ("周一", "Mon"),
        Weekday::Tuesday => ("周二", "Tue"),
        Weekday::Wednesday => ("周三", "Wed"),
        Weekday::Thursday => ("周四", "Thu"),
        Weekday::Friday => ("周五", "Fri"),
        Weekday::Saturday => ("周六", "Sat"),
        Weekday::Sunday => ("周日", "Sun"),
    }
}

impl Hours {
    /// Which day of which calendar decides at `at`, and when that changes; `None` for hours without a calendar.
    pub fn decided(&self, at: Timestamp, zone: &TimeZone) -> Option<Text> {
        let calendar = self.calendar.as_ref()?;
        let day = zone.to_datetime(at).date();
        let why = match calendar.days.get(&day) {
            Some(own) => own.words(),
            None => {
                let (zh, en) = weekday_words(day.weekday());
                Text::new(format!("平常的{zh}"), format!("an ordinary {en}"))
            }
        };
        let (zh, en) = match self.next_change(at, zone) {
            Some(change) => {
                let until = change.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
                match self.are_open(at, zone) {
                    true => (format!("，到 {until}"), format!(", until {until}")),
                    false => (format!("，{until} 起有人"), format!(", there from {until}")),
                }
            }
            None => (String::new(), String::new()),
        };
        let name = &calendar.name;
        Some(Text::new(format!("日历 {name}: {}{zh}", why.zh), format!("calendar {name}: {}{en}", why.en)))
    }
}

/// A day of a month, for people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// The day.
    pub day: Date,
    /// Its weekday.
    pub weekday: Text,
    /// When people work on it.
    pub hours: Vec<String>,
    /// Why it is not as its weekday says; `None`: it is.
    pub why: Option<Text>,
}

impl Calendar {
    /// The days of the month in which `day` lies.
    pub fn month(self: &std::sync::Arc<Self>, day: Date) -> Vec<Listed> {
        let hours = Hours::by(self.clone());
        let days = day.first_of_month().series(1.day()).take_while(|own| *own <= day.last_of_month());
        days.map(|day| {
            let (zh, en) = weekday_words(day.weekday());
            Listed {
                day,
                weekday: Text::new(zh, en),
                hours: hours.on(day).map(|span| span.to_string()).collect(),
                why: self.days.get(&day).map(Day::words),
            }
        })
        .collect()
    }
}
