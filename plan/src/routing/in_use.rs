//! From which day a number is one of ours, through which, and by which other numbers it is dialled meanwhile.
//!
//! Before its first day a number is nobody's here, like any that is not in the file. Behind its last it is cancelled:
//! its callers are refused as those of a merged number are whose `afterwards = "release"` (410, RFC 3261 §21.4.11).
//! A day begins and ends at midnight by the city's clock.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::by_number::ByNumber;
use super::plan::{Line, Plan};
use super::transition::midnight;
use crate::id::LineId;
use crate::time::Timestamp;

/// `from` and `until` of a number; neither: always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InUse {
    /// The first day on which calls are taken.
    pub from: Option<Date>,
    /// The last.
    pub until: Option<Date>,
    begins: Option<Timestamp>,
    ends: Option<Timestamp>,
}

/// Where an instant lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The number is not ours yet.
    NotYet,
    /// It is.
    InUse,
    /// It was, and is cancelled.
    Over,
}

/// Another number by which a line is dialled: an old local one, or one that a carrier puts in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Its shortest form.
    pub number: LineId,
    /// The last day on which it leads to the line; `None`: as long as the line's own number does.
    pub until: Option<Date>,
}

/// The line behind an alias, as it is found by the number that was dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The line's own number.
    pub line: LineId,
    ends: Option<Timestamp>,
}

/// The first instant behind the last day; `None` where that leaves the calendar (9999-12-31), or there is none.
fn end(until: Option<Date>, zone: &TimeZone) -> Option<Timestamp> {
    midnight(until?.tomorrow().ok()?, zone)
}

impl InUse {
    /// Days on the clock of `zone`.
    pub fn new(from: Option<Date>, until: Option<Date>, zone: &TimeZone) -> Self {
        InUse { from, until, begins: from.and_then(|day| midnight(day, zone)), ends: end(until, zone) }
    }

    /// Where `at` lies: the first day's first instant is inside, and the last day's last is.
    #[inline]
    pub fn standing(&self, at: Timestamp) -> Standing {
        if self.begins.is_some_and(|begins| at < begins) {
            Standing::NotYet
        } else if self.ends.is_some_and(|ends| at >= ends) {
            Standing::Over
        } else {
            Standing::InUse
        }
    }

    /// Whether a day is one of its own.
    pub fn holds_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| day >= from) && self.until.is_none_or(|until| day <= until)
    }

    /// Whether nothing is said of days.
    pub fn is_always(&self) -> bool {
        self.from.is_none() && self.until.is_none()
    }
}

impl Behind {
    /// Whether the alias leads to the line at `at`.
    #[inline]
    fn leads(&self, at: Timestamp) -> bool {
        self.ends.is_none_or(|ends| at < ends)
    }
}

/// The aliases of all lines, by their numbers.
pub(super) fn aliases(lines: &ByNumber<Line>, zone: &TimeZone) -> ByNumber<Behind> {
    let of_line = |line: &Line| {
        let behind = |alias: &Alias| Behind { line: line.number.clone(), ends: end(alias.until, zone) };
        line.aliases.iter().map(|alias| (alias.number.clone(), behind(alias))).collect::<Vec<_>>()
    };
    lines.values().flat_map(of_line).collect()
}

impl Plan {
    /// Finds lines by the aliases that they have now: for who makes or changes a plan by hand.
    pub fn index_aliases(&mut self) {
        self.aliases = aliases(&self.lines, &self.city.time_zone);
    }

    /// The line of this number, its own or an alias of it, at whatever time: whose number it is, not who is called.
    #[inline]
    pub fn line_of(&self, number: &str) -> Option<&Line> {
        self.lines.get(number).or_else(|| self.lines.get(&self.aliases.get(number)?.line))
    }

    /// The line that somebody comes to who dials this number at `at`. A cancelled line is found: it refuses.
    #[inline]
    pub(super) fn line_at(&self, number: &str, at: Timestamp) -> Option<&Line> {
        let line = match self.lines.get(number) {
            Some(line) => line,
            None => {
                let behind = self.aliases.get(number).filter(|behind| behind.leads(at))?;
                self.lines.get(&behind.line)?
            }
        };
        (line.in_use.standing(at) != Standing::NotYet).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_use(from: Option<&str>, until: Option<&str>, zone: &str) -> InUse {
        let day = |text: Option<&str>| text.map(|text| text.parse().expect("a day"));
        InUse::new(day(from), day(until), &TimeZone::get(zone).expect("a zone"))
    }

    #[test]
    fn days_begin_and_end_at_midnight_by_the_citys_clock() {
        let days = in_use(Some("2026-07-01"), Some("2026-12-31"), "Asia/Shanghai");
        for (at, expected) in [
            ("2026-06-30T23:59:59.999999999+08:00", Standing::NotYet),
            ("2026-06-30T16:00:00Z", Standing::InUse),
            ("2026-07-01T00:00:00+08:00", Standing::InUse),
            ("2026-12-31T23:59:59.999999999+08:00", Standing::InUse),
            ("2026-12-31T16:00:00Z", Standing::Over),
            ("2027-01-01T00:00:00+08:00", Standing::Over),
        ] {
            assert_eq!(days.standing(at.parse().expect("an instant")), expected, "{at}");
        }
        // One day alone, and where the clock has no midnight: the first instant of that day counts.
        let one = in_use(Some("2018-11-04"), Some("2018-11-04"), "America/Sao_Paulo");
        for (at, expected) in [
            ("2018-11-04T02:59:59Z", Standing::NotYet),
            ("2018-11-04T03:00:00Z", Standing::InUse),
            ("2018-11-05T01:59:59Z", Standing::InUse),
            ("2018-11-05T02:00:00Z", Standing::Over),
        ] {
            assert_eq!(one.standing(at.parse().expect("an instant")), expected, "{at}");
        }
    }

    #[test]
    fn without_days_and_at_the_end_of_the_calendar_it_is_never_over() {
        let last = "9999-12-30T00:00:00Z".parse().expect("an instant");
        for days in [InUse::default(), in_use(None, Some("9999-12-31"), "Asia/Shanghai")] {
            assert_eq!(days.standing(last), Standing::InUse);
        }
        let days = in_use(Some("2026-07-01"), None, "Asia/Shanghai");
        assert!(!days.is_always() && !days.holds_on("2026-06-30".parse().expect("a day")));
        assert!(days.holds_on("2026-07-01".parse().expect("a day")));
    }
}
