//! How long recordings are kept, and which of them are secret: `keep` and `secret` of `[recording]`, and
//! `[[recording_class]]`.
//!
//! No law and no notice that this engine knows of fixes the term, so the city says it; the engine only counts. Days are
//! those of the city's calendar: a recording is kept for so many whole days behind the day on which its call ended, and
//! is due at the midnight after them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::diagnostic::{Spot, Text};
use super::read::{Node, Reader, Value};
use super::shape::Form;
use super::source::{Problems, Said};
use super::written::Written;
use crate::id::LineId;

/// Longer than an archive of recordings has ever been kept: a slip of the hand.
const DAYS_MAX: u32 = 36_500;

/// A whole number of days, 1 to 36,500: `"1095d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Days(pub u32);

impl Days {
    /// `1095d`; `None`: not so written, or out of range.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('d')?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let days = digits.then(|| number.parse().ok()).flatten()?;
        (1..=DAYS_MAX).contains(&days).then_some(Days(days))
    }
}

impl std::fmt::Display for Days {
    fn fmt(&self, into: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(into, "{}d", self.0)
    }
}

impl Value for Days {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let found = node.value.as_str().and_then(Days::parse);
        if !node.value.is_str() {
            problems.refuse("天数（如 \"1095d\"）", "a number of days, like \"1095d\"");
        }
        if found.is_none() {
            problems
                .error(
                    "E1402",
                    &node.spot,
                    format!("{} 应为整天数，1 到 {DAYS_MAX}", node.spot.key),
                    format!("{} wants a whole number of days, 1 to {DAYS_MAX}", node.spot.key),
                )
                .effect(
                    "录音删得太早，投诉和质检无据可查；留得太久，超出了收集它的目的",
                    "recordings would be gone too soon for a complaint, or be kept for longer than they are there for",
                )
                .remedy(
                    "整数加单位 d，如三年写 \"1095d\"",
                    "a whole number and d, like \"1095d\" for three years",
                );
        }
        found
    }

    fn form() -> Form {
        Form::pattern("^[0-9]+d$")
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Text(self.to_string()))
    }
}

/// `[[recording_class]]` as it is written.
#[derive(Debug)]
pub(super) struct ClassTable {
    /// The table.
    pub(super) spot: Spot,
    /// `name`.
    pub(super) name: Option<Said<String>>,
    /// `keep`.
    pub(super) keep: Option<Said<Days>>,
    /// `lines`.
    pub(super) lines: Option<Said<Vec<Said<String>>>>,
    /// `codes`.
    pub(super) codes: Option<Said<Vec<Said<String>>>>,
}

impl ClassTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unnamed = Text::new(
            "台账说不出录音是按哪一类删除的",
            "the ledger could not say by which class a recording was removed",
        );
        let termless =
            Text::new("这一类录音不知道该留多久", "nobody could say how long its recordings are kept");
        ClassTable {
            spot: reader.spot.clone(),
            name: reader.required("name", unnamed),
            keep: reader.required("keep", termless),
            lines: reader.or("lines", Vec::new()),
            codes: reader.or("codes", Vec::new()),
        }
    }

    fn plan(&self) -> Option<RecordingClass> {
        let list = |said: &Option<Said<Vec<Said<String>>>>| {
            Some(said.as_ref()?.value.iter().map(|own| own.value.clone()).collect::<Vec<String>>())
        };
        Some(RecordingClass {
            name: self.name.as_ref()?.value.clone(),
            keep: self.keep.as_ref()?.value,
            lines: list(&self.lines)?.iter().map(|line| LineId::from(line.as_str())).collect(),
            codes: list(&self.codes)?,
        })
    }
}

/// How long recordings are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Those of no class; `None`: nothing is ever removed.
    pub keep: Option<Days>,
    /// Terms of their own, in the order of the file.
    pub classes: Vec<RecordingClass>,
}

/// `[[recording_class]]`: recordings with a term of their own. A call of one of its lines, where it names any, and of
/// one of its codes, where it names any, belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingClass {
    /// In the ledger.
    pub name: String,
    /// Its term.
    pub keep: Days,
    /// Of these lines; empty: of any.
    pub lines: Vec<LineId>,
    /// Of one of these codes of `[disposition]`; empty: of any and of none.
    pub codes: Vec<String>,
}

/// A call's term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term<'a> {
    /// Days behind the day on which the call ended.
    pub keep: Days,
    /// The class that gives it; `None`: `[recording] keep`.
    pub class: Option<&'a str>,
}

impl Retention {
    /// What the file says; `None` where a class is not whole.
    pub(super) fn plan(keep: Option<Days>, classes: &[ClassTable]) -> Option<Self> {
        Some(Retention { keep, classes: classes.iter().map(ClassTable::plan).collect::<Option<_>>()? })
    }

    /// The term of a call to `line` that was said to be about `codes`: the longest of its classes, of two that are as
    /// long the first; without any, that of all others. `None`: it is never removed.
    pub fn term(&self, line: &LineId, codes: &[&str]) -> Option<Term<'_>> {
        let others = self.keep?;
        let mut longest: Option<&RecordingClass> = None;
        for class in self.classes.iter().filter(|class| class.has(line, codes)) {
            if longest.is_none_or(|before| before.keep < class.keep) {
                longest = Some(class);
            }
        }
        Some(match longest {
            Some(class) => Term { keep: class.keep, class: Some(&class.name) },
            None => Term { keep: others, class: None },
        })
    }

    /// The shortest term that a call to `line` may have, whatever it was about. `None`: it is never removed.
    pub fn shortest_of(&self, line: &LineId) -> Option<Days> {
        let others = self.keep?;
        let of_line =
            || self.classes.iter().filter(|class| class.lines.is_empty() || class.lines.contains(line));
        // A class that asks for no code holds for certain, and of several the longest counts.
        let certain = of_line().filter(|class| class.codes.is_empty()).map(|class| class.keep).max();
        Some(certain.unwrap_or_else(|| of_line().map(|class| class.keep).fold(others, Days::min)))
    }

    /// The shortest term that there is: what is younger need not be looked at.
    pub fn shortest(&self) -> Option<Days> {
        let own = self.keep?;
        Some(self.classes.iter().map(|class| class.keep).fold(own, Days::min))
    }
}

impl RecordingClass {
    fn has(&self, line: &LineId, codes: &[&str]) -> bool {
        let of_line = self.lines.is_empty() || self.lines.contains(line);
        let of_code = self.codes.is_empty() || self.codes.iter().any(|own| codes.contains(&own.as_str()));
        of_line && of_code
    }
}

impl Days {
    /// The first day on which what ended at `ended` is due, by the clock of `zone`; `None`: beyond the calendar.
    pub fn due(self, ended: Timestamp, zone: &TimeZone) -> Option<Date> {
        zone.to_datetime(ended).date().checked_add(i64::from(self.0).checked_add(1)?.days()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    fn class(name: &str, keep: u32, lines: &[&str], codes: &[&str]) -> RecordingClass {
        RecordingClass {
            name: name.into(),
            keep: Days(keep),
            lines: lines.iter().map(|line| LineId::from(*line)).collect(),
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        }
    }

    #[test]
    fn days_are_a_whole_number_and_a_letter() {
        for (text, days) in [
            ("1d", Some(1)),
            ("1095d", Some(1_095)),
            ("36500d", Some(36_500)),
            ("36501d", None),
            ("0d", None),
            ("-1d", None),
            ("+1d", None),
            ("1.5d", None),
            ("d", None),
            ("1095", None),
            ("1095 d", None),
            ("26280h", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(Days::parse(text), days.map(Days), "{text}");
        }
    }

    #[test]
    fn three_years_are_kept_to_their_last_midnight_across_leap_days_and_the_zone() {
        for (ended, days, due) in [
            // The last instant of a day, and the first of the next.
            ("2023-11-26T23:59:59+08:00", 1_095, "2026-11-26"),
            ("2023-11-27T00:00:00+08:00", 1_095, "2026-11-27"),
            // The city's day, not Greenwich's.
            ("2023-11-26T16:00:00Z", 1_095, "2026-11-27"),
            ("2024-02-28T12:00:00+08:00", 1, "2024-03-01"),
            ("2024-02-29T12:00:00+08:00", 1, "2024-03-02"),
            ("2024-02-29T12:00:00+08:00", 365, "2025-03-01"),
            ("2023-02-28T12:00:00+08:00", 1, "2023-03-02"),
            ("2025-12-31T23:59:59.999+08:00", 1, "2026-01-02"),
        ] {
            let due_on = Days(days).due(ended.parse().unwrap(), &zone());
            assert_eq!(due_on, Some(due.parse().unwrap()), "{ended} {days}");
        }
        assert_eq!(Days(36_500).due(Timestamp::MAX, &zone()), None);
    }

    #[test]
    fn of_several_classes_the_longest_counts_and_without_one_the_term_of_all_others() {
        let retention = Retention {
            keep: Some(Days(1_095)),
            classes: vec![
                class("咨询", 90, &[], &["consultation"]),
                class("税务", 3_650, &["12366"], &[]),
                class("税务举报", 3_650, &["12366"], &["report"]),
            ],
        };
        let term = |line: &str, codes: &[&str]| {
            let found = retention.term(&LineId::from(line), codes).unwrap();
            (found.keep.0, found.class.map(str::to_owned))
        };
        assert_eq!(term("12345", &[]), (1_095, None));
        assert_eq!(term("12345", &["report"]), (1_095, None), "both of what a class asks for");
        assert_eq!(
            term("12345", &["economy", "consultation"]),
            (90, Some("咨询".into())),
            "shorter than others"
        );
        assert_eq!(term("12366", &["consultation"]), (3_650, Some("税务".into())));
        assert_eq!(term("12366", &["report"]), (3_650, Some("税务".into())), "as long: the first");
        assert_eq!(retention.shortest(), Some(Days(90)));
        let shortest = |line: &str| retention.shortest_of(&LineId::from(line));
        assert_eq!((shortest("12345"), shortest("12366")), (Some(Days(90)), Some(Days(3_650))));
        let never = Retention { keep: None, ..retention.clone() };
        assert_eq!(never.shortest_of(&LineId::from("12345")), None);
        assert_eq!((never.term(&LineId::from("12345"), &[]), never.shortest()), (None, None));
    }
}
