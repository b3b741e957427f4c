//! The values by which a routing file speaks of people and of their time.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use super::people::Role;
use super::queueing::{Known, Strategy};
use super::read::{Node, Value, read_table, wrong_type};
use super::shape::Form;
use super::source::{Problems, Said};
use super::values::{malformed, one_of, out_of_range, text, written_as};
use super::written::Written;

/// What the skill of a language begins with: `language/en`.
pub const LANGUAGE: &str = "language/";

/// The lowest and the highest level of a skill.
pub const LEVELS: (u8, u8) = (1, 9);

impl Value for Role {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        one_of(node, &ROLES, problems)
    }

    fn written(&self) -> Option<Written> {
        written_as(self, &ROLES)
    }
}

impl Role {
    /// As the file says it.
    pub fn word(self) -> &'static str {
        ROLES.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| word)
    }
}

/// Roles as the file says them.
const ROLES: [(&str, Role); 7] = [
    ("clerk", Role::Clerk),
    ("expert", Role::Expert),
    ("leader", Role::Leader),
    ("observer", Role::Observer),
    ("trainee", Role::Trainee),
    ("supervisor", Role::Supervisor),
    ("admin", Role::Admin),
];

/// A role as the file says it.
pub fn role_word(role: Role) -> &'static str {
    ROLES.iter().find(|(_, other)| *other == role).map_or("", |(word, _)| word)
}

impl Value for Strategy {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        one_of(node, &STRATEGIES, problems)
    }

    fn written(&self) -> Option<Written> {
        written_as(self, &STRATEGIES)
    }
}

/// Strategies as the file says them.
const STRATEGIES: [(&str, Strategy); 6] = [
    ("longest_idle", Strategy::LongestIdle),
    ("round_robin", Strategy::RoundRobin),
    ("fewest_calls", Strategy::FewestCalls),
    ("top_down", Strategy::TopDown),
    ("random", Strategy::Random),
    ("ring_all", Strategy::RingAll),
];

impl Value for Known {
    /// `"law"`, or `{ skill = "law", level = 3 }`.
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(table) = node.value.as_table() else {
            let (zh, en) = (
                "技能（如 \"law\" 或 { skill = \"law\", level = 3 }）",
                "a skill like \"law\" or { skill = \"law\", level = 3 }",
            );
            if !node.value.is_str() {
                wrong_type(node, zh, en, problems);
                return None;
            }
            return String::read(node, problems).map(|skill| Known::some(skill.as_str()));
        };
        let nameless =
            super::diagnostic::Text::new("不知道要的是哪一项技能", "nobody could say which skill is meant");
        let (skill, level) = read_table(table, node.spot.clone(), problems, |reader| {
            let skill = reader.required::<String>("skill", nameless);
            let level = reader.or::<u8>("level", LEVELS.0);
            let level = level.filter(|said| {
                let fits = (LEVELS.0..=LEVELS.1).contains(&said.value);
                if !fits {
                    out_of_range(&said.spot, &format!("{}–{}", LEVELS.0, LEVELS.1), reader.problems);
                }
                fits
            });
            (skill, level)
        });
        Some(Known { skill: skill?.value.as_str().into(), level: level?.value })
    }

    fn form() -> Form {
        String::form()
    }
}

/// A key of a telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(pub char);

impl Value for Key {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = ("一个数字键（如 \"1\"）", "a single digit in quotes, like \"1\"");
        let said = text(node, zh, en, problems)?;
        let mut letters = said.chars();
        match (letters.next(), letters.next()) {
            (Some(key), None) if key.is_ascii_digit() => Some(Key(key)),
            _ => {
                malformed("E0117", node, zh, en, problems).effect(
                    "话机上没有这样的键，谁也按不出来",
                    "no telephone has such a key, and nobody could press it",
                );
                None
            }
        }
    }

    fn form() -> Form {
        Form::pattern("^[0-9]$")
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Text(self.0.to_string()))
    }
}

/// The beginning of numbers; empty for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning(pub String);

impl Value for Beginning {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) =
            ("号码的开头（数字，如 \"0393\"）", "the beginning of numbers in digits, like \"0393\"");
        let said = text(node, zh, en, problems)?;
        if said.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Beginning(said.to_owned()));
        }
        malformed("E0121", node, zh, en, problems).effect(
            "没有号码以它开头，本该能呼叫的号码都会被拒绝",
            "no number begins like that, and numbers that should be called would be refused",
        );
        None
    }

    fn form() -> Form {
        Form::pattern("^[0-9]*$")
    }
}

/// What is dialled in front of a code; empty for no codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(pub String);

/// Longer beginnings nobody remembers.
const PREFIX_MAX: usize = 4;

impl Value for Prefix {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) =
            ("前缀（至多四位，如 \"8\" 或 \"*3\"）", "a beginning of up to four keys, like \"8\" or \"*3\"");
        let said = text(node, zh, en, problems)?;
        let key = |byte: u8| byte.is_ascii_digit() || byte == b'*' || byte == b'#';
        if said.bytes().all(key) && said.len() <= PREFIX_MAX {
            return Some(Prefix(said.to_owned()));
        }
        malformed("E0122", node, zh, en, problems).effect("话机拨不出来", "no telephone could dial it");
        None
    }

    fn form() -> Form {
        Form::pattern("^[0-9*#]{0,4}$")
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Text(self.0.clone()))
    }
}

/// Days of the week: `mon-fri`, `sat,sun`, `daily`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days(pub Vec<Weekday>);

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Value for Days {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "星期（如 \"mon-fri\"、\"sat,sun\" 或 \"daily\"）",
            "days of the week like \"mon-fri\", \"sat,sun\" or \"daily\"",
        );
        let found = days(text(node, zh, en, problems)?);
        if found.is_none() {
            malformed("E0118", node, zh, en, problems)
                .effect("谁也不知道哪几天有人", "nobody could say on which days somebody is there");
        }
        found.map(Days)
    }

    fn form() -> Form {
        Form::pattern(concat!(
            r"^(daily|\s*(mon|tue|wed|thu|fri|sat|sun)\s*(-\s*(mon|tue|wed|thu|fri|sat|sun)\s*)?",
            r"(,\s*(mon|tue|wed|thu|fri|sat|sun)\s*(-\s*(mon|tue|wed|thu|fri|sat|sun)\s*)?)*)$"
        ))
    }
}

impl Value for Weekday {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        one_of(node, &DAYS, problems)
    }

    fn written(&self) -> Option<Written> {
        written_as(self, &DAYS)
    }
}

fn days(said: &str) -> Option<Vec<Weekday>> {
    if said == "daily" {
        return Some(DAYS.map(|(_, day)| day).to_vec());
    }
    let place = |word: &str| DAYS.iter().position(|(name, _)| *name == word.trim());
    let mut days = Vec::new();
    for part in said.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (place(first)?, place(last)?);
        let length = (last + DAYS.len() - first) % DAYS.len(); // `sat-mon` goes over the week's end.
        days.extend((first..=first + length).map(|day| DAYS[day % DAYS.len()].1));
    }
    Some(days)
}

/// A minute of the day; `24:00` is its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock(pub u16);

impl Clock {
    /// The day's end.
    pub const END: Clock = Clock(24 * 60);

    /// 00:00 for the day's end.
    pub fn time(self) -> Time {
        let (hour, minute) = (i8::try_from(self.0 / 60 % 24), i8::try_from(self.0 % 60));
        Time::new(hour.unwrap_or(0), minute.unwrap_or(0), 0, 0).unwrap_or_default()
    }
}

impl Value for Clock {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "时刻（如 \"08:30\"，一天的末尾写 \"24:00\"）",
            "a time like \"08:30\", the day's end as \"24:00\"",
        );
        let found = clock(text(node, zh, en, problems)?);
        if found.is_none() {
            malformed("E0119", node, zh, en, problems)
                .effect("谁也不知道几点有人", "nobody could say at what time somebody is there");
        }
        found
    }

    fn form() -> Form {
        Form::pattern("^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")
    }
}

fn clock(said: &str) -> Option<Clock> {
    let (hour, minute) = said.split_once(':')?;
    let digits =
        |part: &str| (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then_some(());
    digits(hour).and(digits(minute))?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let clock = Clock(hour * 60 + minute);
    (minute < 60 && clock <= Clock::END).then_some(clock)
}

/// Until when something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// An instant with its zone, RFC 3339.
    Instant(Timestamp),
    /// A time on the city's clock.
    Local(DateTime),
    /// Through this day by the city's clock.
    Through(Date),
}

impl Until {
    /// The first instant at which it holds no more; `None` where that leaves the calendar.
    pub fn end(self, zone: &TimeZone) -> Option<Timestamp> {
        let local = match self {
            Until::Instant(at) => return Some(at),
            Until::Local(at) => at,
            Until::Through(day) => day.tomorrow().ok()?.to_datetime(Time::midnight()),
        };
        zone.to_timestamp(local).ok()
    }
}

impl Value for Until {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "日期或时刻（如 2026-12-31 或 2026-12-31T18:00:00+08:00）",
            "a date or an instant like 2026-12-31 or 2026-12-31T18:00:00+08:00",
        );
        let said = match node.value.as_datetime() {
            Some(found) => found.to_string(),
            None => text(node, zh, en, problems)?.to_owned(),
        };
        let found = until(&said);
        if found.is_none() {
            malformed("E0120", node, zh, en, problems).effect(
                "谁也不知道它何时失效，可能一直对这位市民生效",
                "nobody could say when it ends, and it might hold against this citizen for ever",
            );
        }
        found
    }

    fn form() -> Form {
        Form::pattern("^[-+]?[0-9]{4,6}-?[0-9]{2}-?[0-9]{2}([Tt ].*)?$")
    }
}

fn until(said: &str) -> Option<Until> {
    if let Ok(at) = said.parse::<Timestamp>() {
        return Some(Until::Instant(at));
    }
    if said.len() == "2026-12-31".len() {
        return said.parse().ok().map(Until::Through);
    }
    said.parse().ok().map(Until::Local)
}

/// A table of names and texts that the operator chooses, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named(pub Vec<(Said<String>, Said<String>)>);

impl Value for Named {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(table) = node.value.as_table() else {
            wrong_type(node, "表（如 { a = \"…\" }）", "a table like { a = \"…\" }", problems);
            return None;
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let read = |(key, value): (&toml::Spanned<_>, &toml::Spanned<toml::de::DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            let place = |span| super::diagnostic::Spot {
                file: node.spot.file,
                span,
                key: format!("{}.{name}", node.spot.key),
            };
            let inner = Node { value: value.get_ref(), spot: place(value.span()) };
            let text = String::read(&inner, problems)?;
            let name = Said { value: name.clone().into_owned(), spot: place(key.span()) };
            Some((name, Said { value: text, spot: inner.spot }))
        };
        let entries: Vec<Option<_>> = entries.into_iter().map(read).collect();
        entries.into_iter().collect::<Option<_>>().map(Named)
    }

    fn form() -> Form {
        Form { each: String::form().pattern, ..Form::default() }
    }

    fn written(&self) -> Option<Written> {
        let entries =
            self.0.iter().map(|(name, text)| (name.value.clone(), Written::Text(text.value.clone())));
        Some(Written::Table(entries.collect()))
    }
}

/// The same by the keys of a telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByKey(pub Vec<(Said<String>, Said<String>)>);

impl Value for ByKey {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        Named::read(node, problems).map(|Named(entries)| ByKey(entries))
    }

    fn form() -> Form {
        Form { names: Some("^[0-9*#]$"), ..Named::form() }
    }

    fn written(&self) -> Option<Written> {
        Named(self.0.clone()).written()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_words_ranges_and_lists_over_the_weeks_end() {
        use Weekday::*;
        for (said, expected) in [
            ("mon-fri", Some(vec![Monday, Tuesday, Wednesday, Thursday, Friday])),
            ("sat,sun", Some(vec![Saturday, Sunday])),
            ("sat-mon", Some(vec![Saturday, Sunday, Monday])),
            ("wed", Some(vec![Wednesday])),
            ("mon-tue, fri", Some(vec![Monday, Tuesday, Friday])),
            ("daily", Some(DAYS.map(|(_, day)| day).to_vec())),
            ("", None),
            ("Mon", None),
            ("monday", None),
            ("mon-", None),
            ("1-5", None),
        ] {
            assert_eq!(days(said), expected, "{said:?}");
        }
    }

    #[test]
    fn times_are_minutes_and_the_day_ends_at_24() {
        for (said, expected) in [
            ("08:30", Some(510)),
            ("00:00", Some(0)),
            ("23:59", Some(1_439)),
            ("24:00", Some(1_440)),
            ("24:01", None),
            ("8:30", None),
            ("08:60", None),
            ("08:30:00", None),
            ("+8:30", None),
            ("", None),
        ] {
            assert_eq!(clock(said), expected.map(Clock), "{said:?}");
        }
        assert_eq!(Clock::END.time(), Time::midnight());
        assert_eq!(Clock(510).time(), Time::constant(8, 30, 0, 0));
    }

    #[test]
    fn a_day_counts_to_its_end_by_the_citys_clock() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for (said, expected) in [
            ("2026-12-31", Some("2027-01-01T00:00:00+08:00")),
            ("2026-12-31T18:00:00", Some("2026-12-31T18:00:00+08:00")),
            ("2026-12-31T18:00:00Z", Some("2026-12-31T18:00:00Z")),
            ("2026-12-31T18:00:00+09:00", Some("2026-12-31T09:00:00Z")),
            ("2026-02-30", None),
            ("forever", None),
            ("", None),
        ] {
            let end = until(said).and_then(|until| until.end(&zone));
            assert_eq!(end, expected.map(|at| at.parse().unwrap()), "{said:?}");
        }
    }
}
