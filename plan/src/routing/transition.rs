//! The months after cut-over: when they begin, when they end, and where an instant lies.
//!
//! What is done in each phase is for [`flow`](super::flow) to say.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

use super::plan::{Afterwards, Transition};
use crate::id::PromptId;
use crate::time::Timestamp;

/// From the first instant of the transition to the first instant after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// 00:00 of the first day on the city's clock: inside.
    pub start: Timestamp,
    /// 00:00 of the first day that is outside again.
    pub end: Timestamp,
}

/// Where an instant lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The number has not been merged yet.
    Before,
    /// The prompt is heard.
    Inside,
    /// The months are over.
    After,
}

impl Transition {
    /// An empty period, always over: for a file without merged lines.
    pub(super) fn none() -> Self {
        Transition {
            start: Date::constant(1970, 1, 1),
            months: 0,
            prompt: PromptId::from(""),
            early_media: false,
            afterwards: Afterwards::Connect,
        }
    }

    /// The period on the clock of `zone`; `None` where it leaves the calendar (year 9999).
    ///
    /// The period ends at 00:00 of the same day of the month, so many months on: from 2021-08-01
    /// three months last through 2021-10-31. Where that month lacks the day, the period lasts
    /// through the month's last day: from 2021-11-30 three months last through 2022-02-28. So the
    /// months are never cut short.
    pub fn window(&self, zone: &TimeZone) -> Option<Window> {
        Some(Window {
            start: midnight(self.start, zone)?,
            end: midnight(first_day_after(self.start, self.months)?, zone)?,
        })
    }

    /// Where `at` lies. A period that leaves the calendar, which the check refuses, never ends.
    pub fn phase(&self, at: Timestamp, zone: &TimeZone) -> Phase {
        match self.window(zone) {
            Some(window) if at < window.start => Phase::Before,
            Some(window) if at >= window.end => Phase::After,
            _ => Phase::Inside,
        }
    }
}

/// The first day behind the months.
pub(super) fn first_day_after(start: Date, months: u8) -> Option<Date> {
    let months: Span = i32::from(months).months();
    let same_day = start.checked_add(months).ok()?;
    if same_day.day() == start.day() {
        Some(same_day)
    } else {
        same_day.tomorrow().ok() // The calendar went back to the month's last day, which still counts.
    }
}

/// The first instant of `day`; where a clock change swallows midnight, the first one after it.
pub(super) fn midnight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    day.to_zoned_datetime(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shanghai() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    fn transition(start: &str, months: u8) -> Transition {
        Transition { start: start.parse().unwrap(), months, ..Transition::none() }
    }

    #[test]
    fn months_are_calendar_months_and_never_cut_short() {
        for (start, months, first, end) in [
            ("2021-08-01", 3, "2021-08-01T00:00:00+08:00", "2021-11-01T00:00:00+08:00"),
            ("2021-08-15", 3, "2021-08-15T00:00:00+08:00", "2021-11-15T00:00:00+08:00"),
            ("2021-11-30", 3, "2021-11-30T00:00:00+08:00", "2022-03-01T00:00:00+08:00"),
            ("2023-11-30", 3, "2023-11-30T00:00:00+08:00", "2024-03-01T00:00:00+08:00"),
            ("2023-11-29", 3, "2023-11-29T00:00:00+08:00", "2024-02-29T00:00:00+08:00"),
            ("2021-08-31", 3, "2021-08-31T00:00:00+08:00", "2021-12-01T00:00:00+08:00"),
            ("2021-12-31", 1, "2021-12-31T00:00:00+08:00", "2022-01-31T00:00:00+08:00"),
            ("2021-12-01", 12, "2021-12-01T00:00:00+08:00", "2022-12-01T00:00:00+08:00"),
            ("2021-08-01", 0, "2021-08-01T00:00:00+08:00", "2021-08-01T00:00:00+08:00"),
            // From a 31st: months of 30 days, of 28, of 29.
            ("2021-03-31", 1, "2021-03-31T00:00:00+08:00", "2021-05-01T00:00:00+08:00"),
            ("2022-01-31", 1, "2022-01-31T00:00:00+08:00", "2022-03-01T00:00:00+08:00"),
            ("2024-01-31", 1, "2024-01-31T00:00:00+08:00", "2024-03-01T00:00:00+08:00"),
            ("2021-10-31", 3, "2021-10-31T00:00:00+08:00", "2022-01-31T00:00:00+08:00"),
            ("2021-05-31", 3, "2021-05-31T00:00:00+08:00", "2021-08-31T00:00:00+08:00"),
            // From the end of February: three months on, its day, and not the month's last.
            ("2022-02-28", 3, "2022-02-28T00:00:00+08:00", "2022-05-28T00:00:00+08:00"),
            ("2024-02-29", 3, "2024-02-29T00:00:00+08:00", "2024-05-29T00:00:00+08:00"),
            ("2024-02-29", 12, "2024-02-29T00:00:00+08:00", "2025-03-01T00:00:00+08:00"),
            ("2024-02-29", 48, "2024-02-29T00:00:00+08:00", "2028-02-29T00:00:00+08:00"),
            ("2000-01-30", 1, "2000-01-30T00:00:00+08:00", "2000-03-01T00:00:00+08:00"),
            ("1999-12-31", 2, "1999-12-31T00:00:00+08:00", "2000-03-01T00:00:00+08:00"),
        ] {
            assert_eq!(
                transition(start, months).window(&shanghai()),
                Some(Window { start: first.parse().unwrap(), end: end.parse().unwrap() }),
                "{start} and {months} months"
            );
        }
        assert_eq!(transition("9999-11-01", 3).window(&shanghai()), None);
    }

    #[test]
    fn the_edges_belong_to_the_day_that_begins_there() {
        let summer = transition("2021-08-01", 3);
        for (at, phase) in [
            ("2021-07-31T23:59:59.999999999+08:00", Phase::Before),
            ("2021-08-01T00:00:00+08:00", Phase::Inside),
            ("2021-07-31T16:00:00Z", Phase::Inside),
            ("2021-10-31T23:59:59.999999999+08:00", Phase::Inside),
            ("2021-11-01T00:00:00+08:00", Phase::After),
        ] {
            assert_eq!(summer.phase(at.parse().unwrap(), &shanghai()), phase, "{at}");
        }
    }

    #[test]
    fn months_last_through_days_of_23_and_25_hours() {
        let zone = TimeZone::get("America/New_York").unwrap();
        for (start, months, first, end) in [
            // Ends on the day on which the clock is put forward, and back: at its first instant.
            ("2026-02-08", 1, "2026-02-08T00:00:00-05:00", "2026-03-08T00:00:00-05:00"),
            ("2026-10-01", 1, "2026-10-01T00:00:00-04:00", "2026-11-01T00:00:00-04:00"),
            // The day after it: an hour sooner, and an hour later.
            ("2026-02-09", 1, "2026-02-09T00:00:00-05:00", "2026-03-09T00:00:00-04:00"),
            ("2026-10-02", 1, "2026-10-02T00:00:00-04:00", "2026-11-02T00:00:00-05:00"),
        ] {
            let window = transition(start, months).window(&zone);
            assert_eq!(
                window,
                Some(Window { start: first.parse().unwrap(), end: end.parse().unwrap() }),
                "{start}"
            );
        }
        let autumn = transition("2026-10-01", 1);
        for (at, phase) in [
            ("2026-10-31T23:59:59.999999999-04:00", Phase::Inside),
            ("2026-11-01T00:00:00-04:00", Phase::After),
            ("2026-11-01T01:30:00-04:00", Phase::After),
            ("2026-11-01T01:30:00-05:00", Phase::After),
        ] {
            assert_eq!(autumn.phase(at.parse().unwrap(), &zone), phase, "{at}");
        }
    }

    #[test]
    fn a_clock_that_jumps_is_believed_as_it_is_read() {
        let summer = transition("2021-08-01", 3);
        // In the order in which it is read: over the end, back again, over both edges, and to the end's instant.
        for (at, phase) in [
            ("2021-10-31T23:59:59+08:00", Phase::Inside),
            ("2021-11-01T00:00:05+08:00", Phase::After),
            ("2021-10-31T23:59:58+08:00", Phase::Inside),
            ("2021-07-31T23:59:59+08:00", Phase::Before),
            ("2022-08-01T00:00:00+08:00", Phase::After),
            ("2021-11-01T00:00:00+08:00", Phase::After),
            ("1970-01-01T00:00:00Z", Phase::Before),
        ] {
            assert_eq!(summer.phase(at.parse().unwrap(), &shanghai()), phase, "{at}");
        }
    }

    #[test]
    fn a_midnight_that_the_clock_skips_is_the_first_instant_after_it() {
        let zone = TimeZone::get("America/Sao_Paulo").unwrap(); // 2017-10-15 began at 01:00.
        let window = transition("2017-10-15", 1).window(&zone).unwrap();
        assert_eq!(window.start, "2017-10-15T01:00:00-02:00".parse().unwrap());
    }
}
