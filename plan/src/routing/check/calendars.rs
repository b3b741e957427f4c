//! Calendars that somebody goes by and that are open some time; public holidays that no list says twice, and that are
//! known for the year to come.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};

use super::super::calendar::Works;
use super::super::diagnostic::{Diagnostic, Spot};
use super::super::holidays::{self, DAYS_MAX, Holiday};
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::super::tables::calendar::{CalendarTable, HolidayTable};
use super::{hours, references};
use crate::time::Timestamp;

/// What is wrong with calendars at one time and not at another.
pub const UNFILLED: &str = "W1304";

/// What a list says of a day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    Holiday,
    Worked,
}

/// Days that lists have spoken of: which way, by whose name, and where in the file.
type Spoken<'a> = BTreeMap<Date, (Listed, &'a str, Option<&'a Spot>)>;

/// Holidays of some length, and no day of which two lists say two things, or one thing twice.
pub fn holidays(table: &RoutingTable, problems: &mut Problems) {
    // By whose word a day is free stands nowhere in the file: the notice is told.
    let named = |own: &Holiday| format!("{}，{}", own.name, own.source.as_deref().unwrap_or_default());
    let names: Vec<String> = holidays::shipped().iter().map(named).collect();
    let mut spoken: Spoken<'_> = BTreeMap::new();
    for (holiday, name) in holidays::shipped().iter().zip(&names) {
        spoken.extend(holiday.days().map(|day| (day, (Listed::Holiday, name.as_str(), None))));
        spoken.extend(holiday.worked.iter().map(|day| (*day, (Listed::Worked, name.as_str(), None))));
    }
    for own in &table.holidays {
        let (Some(name), Some(from)) = (&own.name, &own.from) else { continue };
        let Some(holiday) = Holiday::of(own, None) else {
            unsound(own, problems);
            continue;
        };
        let days: Vec<Date> = holiday.days().collect();
        once(Listed::Holiday, &days, &name.value, &from.spot, &mut spoken, problems);
        for day in own.worked.iter().flat_map(|said| &said.value) {
            if !matches!(day.value.weekday(), Weekday::Saturday | Weekday::Sunday) {
                workday_anyway(day, problems);
            }
            once(Listed::Worked, &[day.value], &name.value, &day.spot, &mut spoken, problems);
        }
    }
}

fn unsound(own: &HolidayTable, problems: &mut Problems) {
    let Some(until) = &own.until else { return };
    problems
        .error(
            "E1303",
            &until.spot,
            format!("假期的末日要在首日之后，且不超过 {DAYS_MAX} 天"),
            format!("a holiday ends after it begins, and is no longer than {DAYS_MAX} days"),
        )
        .effect(
            "谁也不知道哪几天放假，专家和部门该不该请得到",
            "nobody could say which days are meant, and whether experts and departments are to be asked on them",
        )
        .remedy("改正年份或日期", "correct the year or the day");
}

/// Notes, once, that a list has spoken of one of these days already; remembers what it says of them.
fn once<'a>(
    listed: Listed,
    days: &[Date],
    name: &'a str,
    spot: &'a Spot,
    spoken: &mut Spoken<'a>,
    problems: &mut Problems,
) {
    let known = days.iter().filter_map(|day| spoken.get(day).map(|before| (*day, *before)));
    let known: Vec<_> = known.collect();
    let otherwise = known.iter().find(|(_, (other, ..))| *other != listed);
    if let Some((day, (other, by, at))) = otherwise.or(known.first()).copied() {
        let noted = match other == listed {
            true => twice(day, by, spot, problems),
            false => both(day, by, spot, problems),
        };
        if let Some(at) = at {
            noted.related(at, "另一处", "the other");
        }
    }
    spoken.extend(days.iter().map(|day| (*day, (listed, name, Some(spot)))));
}

fn both<'p>(day: Date, by: &str, spot: &Spot, problems: &'p mut Problems) -> &'p mut Diagnostic {
    problems
        .error(
            "E1302",
            spot,
            format!("{day} 既是放假，又是调休上班（{by}）"),
            format!("{day} is a holiday and a workday that is made up at once ({by})"),
        )
        .effect(
            "这一天专家和部门在不在，谁也说不准",
            "nobody could say whether experts and departments are there on that day",
        )
        .remedy(
            "删去其中一处；某个日历另有安排的，写在它的 special 里",
            "remove one of the two; where one calendar differs, say so in its special",
        )
}

fn twice<'p>(day: Date, by: &str, spot: &Spot, problems: &'p mut Problems) -> &'p mut Diagnostic {
    problems
        .warning(
            "W1302",
            spot,
            format!("{day} 已经在 {by} 里写过了"),
            format!("{day} has been said already, with {by}"),
        )
        .effect("改其中一处时，另一处仍然生效", "a change to one of the two would leave the other in force")
        .remedy(
            "只留一处；引擎自带的年份不必再写",
            "keep one; years that come with the engine need not be said",
        )
}

fn workday_anyway(day: &Said<Date>, problems: &mut Problems) {
    let date = day.value;
    problems
        .warning(
            "W1301",
            &day.spot,
            format!("{date} 本来就是工作日，不必调休"),
            format!("{date} is a workday anyway, and is not made up"),
        )
        .effect(
            "多半写错了日期，真正调休的那一天仍按休息算",
            "the date is probably wrong, and the day that is made up counts as free",
        )
        .remedy("按放假通知改正日期", "correct it by the notice");
}

/// Calendars with a name of their own, bands that make sense, and some hour at which they are open.
pub fn calendars(table: &RoutingTable, problems: &mut Problems) {
    references::once(table.calendars.iter().map(|own| &own.name), ("日历", "calendar"), problems);
    for own in &table.calendars {
        let weekly = own.weekly.iter().flat_map(|said| &said.value).count();
        own.weekly.iter().for_each(|said| hours::apart(&said.value, problems));
        let mut days: BTreeMap<Date, &Spot> = BTreeMap::new();
        for special in &own.special {
            special.hours.iter().for_each(|said| hours::spans_apart(&said.value, problems));
            let Some(day) = &special.day else { continue };
            if let Some(earlier) = days.insert(day.value, &day.spot) {
                special_twice(day, earlier, problems);
            }
        }
        let opens = own.special.iter().flat_map(|special| &special.hours).any(|said| !said.value.is_empty());
        match &own.weekly {
            Some(said) if weekly == 0 && !opens => never_open(&said.spot, problems),
            _ => made_up_for_nothing(own, table, problems),
        }
    }
}

fn special_twice(day: &Said<Date>, earlier: &Spot, problems: &mut Problems) {
    let date = day.value;
    problems
        .error(
            "E1306",
            &day.spot,
            format!("{date} 在 special 里写了两次"),
            format!("{date} stands twice among the special days"),
        )
        .effect("不知道这一天以哪一处为准", "nobody could say which of them is meant")
        .remedy("合并成一处，一天可以写几个时段", "make one of them: a day may have several bands")
        .related(earlier, "前面的", "the earlier one");
}

fn never_open(spot: &Spot, problems: &mut Problems) {
    problems
        .error("E1304", spot, "这个日历没有一刻是工作时间", "this calendar is never open")
        .effect(
            "用它的专家、部门永远请不到，座席排不出班",
            "experts and departments who go by it could never be asked, and no seat would have a shift",
        )
        .remedy("在 weekly 里写上时段", "give weekly some bands");
}

/// Workdays are made up, and nobody works on the weekday that they count as.
fn made_up_for_nothing(own: &CalendarTable, table: &RoutingTable, problems: &mut Problems) {
    let (Some(name), Some(worked_as)) = (&own.name, &own.worked_as) else { return };
    let Some(calendar) = table.calendars().get(&name.value).filter(|calendar| !calendar.weekly.is_empty())
    else {
        return;
    };
    let makes_up = calendar.days.values().any(|day| matches!(day.works, Works::As(_)));
    if !makes_up || calendar.weekly.iter().any(|band| band.days.contains(&worked_as.value)) {
        return;
    }
    problems
        .warning(
            "W1305",
            &worked_as.spot,
            "调休上班日按一个没有时段的星期算，等于休息",
            "workdays that are made up count as a weekday without hours: nobody works on them",
        )
        .effect(
            "调休上班的周六、周日，座席请不到这里的人",
            "on the Saturdays and Sundays that are worked, clerks could ask nobody here",
        )
        .remedy(
            "把 worked_as 改为 weekly 里有时段的一天，如 \"tue\"",
            "let worked_as be a day that weekly has hours for, like \"tue\"",
        );
}

/// Calendars that nobody goes by, and holidays of which no calendar takes notice, are probably a slip.
pub fn unused(table: &RoutingTable, problems: &mut Problems) {
    let named: BTreeSet<&str> = table
        .all_hours()
        .filter_map(|hours| hours.calendar.as_ref())
        .map(|said| said.value.as_str())
        .collect();
    for name in table.calendars.iter().filter_map(|own| own.name.as_ref()) {
        if !named.contains(name.value.as_str()) {
            problems
                .warning(
                    UNUSED,
                    &name.spot,
                    format!("没有人用日历 \"{}\"", name.value),
                    format!("nobody goes by the calendar \"{}\"", name.value),
                )
                .effect("写在这里的节假日不起作用", "the holidays that it has make no difference")
                .remedy(
                    format!("在专家组、部门、座席或流程里写 hours = \"{}\"，或删去它", name.value),
                    format!(
                        "say hours = \"{}\" of experts, departments, seats or in a flow, or remove it",
                        name.value
                    ),
                );
        }
    }
    if table.calendars.iter().any(CalendarTable::has_holidays) {
        return;
    }
    for name in table.holidays.iter().take(1).filter_map(|own| own.name.as_ref()) {
        problems
            .warning(
                UNUSED,
                &name.spot,
                "没有日历采用公共节假日",
                "no calendar takes notice of public holidays",
            )
            .effect("写在这里的假期不起作用", "the holiday makes no difference")
            .remedy(
                "加一个 [[calendar]]，或删去 public_holidays = false",
                "add a [[calendar]], or remove public_holidays = false",
            );
    }
}

const UNUSED: &str = "W1303";

/// Public holidays are known for this year, and from December on for the next.
pub fn filled(table: &RoutingTable, now: Timestamp, problems: &mut Problems) {
    let zone = table.city.as_ref().and_then(|city| city.time_zone.as_ref());
    let Some(zone) = zone else { return };
    let today = zone.value.to_datetime(now).date();
    let all = table.public_holidays();
    let known = holidays::years(&all);
    let is_filled = |year: &i16| known.get(year).is_some_and(Vec::is_empty);
    let wanted = [Some(today.year()), (today.month() == 12).then(|| today.year() + 1)];
    let Some(year) = wanted.into_iter().flatten().find(|year| !is_filled(year)) else { return };
    let years: Vec<String> = known.keys().filter(|year| is_filled(year)).map(i16::to_string).collect();
    let years = years.join(", ");
    let lacking = known
        .get(&year)
        .map(|lacking| [0, 1].map(|at| lacking.iter().map(|own| own[at]).collect::<Vec<_>>()));
    let [zh, en] = match lacking {
        Some([zh, en]) => [
            format!("日历里 {year} 年的节假日不全，缺: {}", zh.join("、")),
            format!("calendars do not have all public holidays of {year}: without {}", en.join(", ")),
        ],
        None => [
            format!("日历还没有 {year} 年的节假日和调休，已有: {years}"),
            format!("calendars do not have the public holidays of {year} yet; known are {years}"),
        ],
    };
    let named = |own: &&CalendarTable| own.has_holidays();
    let Some(name) = table.calendars.iter().find(named).and_then(|own| own.name.as_ref()) else { return };
    problems
        .warning(
            UNFILLED,
            &name.spot,
            zh,
            en,
        )
        .effect(
            format!("{year} 年放假的日子按平常算，座席会去请不在的专家，调休的周末又请不到"),
            format!("holidays of {year} count as ordinary days: clerks would ring experts who are away, and could not ask those who make up a workday"),
        )
        .remedy(
            format!("国务院办公厅一般在 11 月公布；按通知写 [[holiday]]（可另存一个文件，用 include 引入），如 name = \"元旦\"，from = {year}-01-01"),
            format!("the notice comes in November; write it as [[holiday]], perhaps in a file of its own by include, like name = \"元旦\" and from = {year}-01-01"),
        );
}
