//! Hours: bands that are some time long, a calendar that is there, and lines that no hours close.

use super::super::diagnostic::Spot;
use super::super::people_values::Clock;
use super::super::source::{Problems, Said};
use super::super::tables::calendar::{BandTable, HoursTable, SpanTable};
use super::super::tables::{ModeWord, NumberTable, RoutingTable};
use super::{misplaced, references};

/// Each `hours` names a calendar that is there, or has bands that are not empty and do not overlap.
pub fn bands(table: &RoutingTable, problems: &mut Problems) {
    let names = references::names(table.calendars.iter().map(|calendar| &calendar.name));
    for hours in table.all_hours() {
        if let Some(name) = &hours.calendar {
            if let Some(noted) = references::exists("E1301", name, &names, ("日历", "calendar"), problems) {
                noted.effect(
                    "引擎不知道何时有人，方案不会启用",
                    "nobody could say when somebody is there: the plan is not used",
                );
            }
        } else if let Some(spot) = hours.spot.as_ref().filter(|_| hours.bands.is_empty()) {
            empty(spot, problems);
        }
        apart(&hours.bands, problems);
    }
}

/// Bands of a week that are not empty and do not overlap.
pub fn apart(bands: &[Said<BandTable>], problems: &mut Problems) {
    let share_a_day = |one: &BandTable, other: &BandTable| {
        let (Some(days), Some(others)) = (&one.days, &other.days) else { return false };
        days.value.0.iter().any(|day| others.value.0.contains(day))
    };
    each_apart(bands, |band| &band.span, share_a_day, problems);
}

/// The same of the parts of one day.
pub fn spans_apart(spans: &[Said<SpanTable>], problems: &mut Problems) {
    each_apart(spans, |span| span, |_, _| true, problems);
}

fn each_apart<T>(
    all: &[Said<T>],
    span: impl Fn(&T) -> &SpanTable,
    share_a_day: impl Fn(&T, &T) -> bool,
    problems: &mut Problems,
) {
    fn ends(span: &SpanTable) -> Option<(Clock, Clock)> {
        Some((span.from.as_ref()?.value, span.to.as_ref()?.value))
    }
    for (place, said) in all.iter().enumerate() {
        let own = span(&said.value);
        let Some((from, to)) = ends(own) else { continue };
        if from >= to {
            own.to.iter().for_each(|to| empty(&to.spot, problems));
            continue;
        }
        let overlaps = |earlier: &&Said<T>| {
            share_a_day(&earlier.value, &said.value)
                && ends(span(&earlier.value)).is_some_and(|(its_from, its_to)| from < its_to && its_from < to)
        };
        if let Some(earlier) = all[..place].iter().find(overlaps) {
            problems
                .error("E0412", &said.spot, "时段与前面的重叠", "this band overlaps with an earlier one")
                .effect(
                    "不知道哪一个才对，改其中一个时另一个仍然生效",
                    "nobody could say which of them is meant, and a change to one would leave the other in force",
                )
                .remedy("让各时段互不重叠，或合并成一个", "keep them apart, or make one band of them")
                .related(&earlier.spot, "前面的", "the earlier one");
        }
    }
}

fn empty(spot: &Spot, problems: &mut Problems) {
    problems
        .error("E0413", spot, "时段是空的", "these hours are empty")
        .effect("写成这样等于永远没有人，或者永远有人，谁也说不准", "it could mean that nobody is ever there, or always somebody")
        .remedy(
            "from 要早于 to，跨过午夜的分两段写；全天有人就删去 hours",
            "from comes before to, and hours over midnight are two bands; where somebody is always there, remove hours",
        );
}

/// Only department seats have hours, and no calendar closes a line; a sub-center is always there.
pub fn of_lines(table: &RoutingTable, problems: &mut Problems) {
    for line in &table.numbers {
        let HoursTable { spot: Some(spot), calendar, .. } = &line.hours else { continue };
        let Some(mode) = &line.mode else { continue };
        let kept = mode.value == ModeWord::Dual && line.is_elsewhere();
        match mode.value {
            _ if kept => {}
            ModeWord::Bench => misplaced(spot, super::lines::mode_name(mode.value), problems),
            _ if calendar.is_some() => never_closed(line, spot, problems),
            ModeWord::SubCenter => not_always(spot, problems),
            ModeWord::Primary | ModeWord::Merged | ModeWord::Dual => {
                misplaced(spot, super::lines::mode_name(mode.value), problems);
            }
        }
    }
}

fn never_closed(line: &NumberTable, spot: &Spot, problems: &mut Problems) {
    let number = line.number.as_ref().map_or("", |said| said.value.as_str());
    problems
        .error(
            "E1305",
            spot,
            format!("{number} 全年 7×24 小时受理，不能挂日历"),
            format!("{number} is there at all hours of the year: no calendar is put on it"),
        )
        .effect(
            "节假日来电的市民会被拒之门外；方案要求“7×24小时”服务",
            "citizens who call on a holiday would be turned away; the notice asks for service at all hours",
        )
        .remedy(
            "删去这一行；日历写在 [[seat]]、[[expert_group]]、[[department]] 上，或用流程的 branch 按日历分路",
            "remove the line; calendars go to [[seat]], [[expert_group]] and [[department]], and branch in a flow may go by one",
        );
}

fn not_always(spot: &Spot, problems: &mut Problems) {
    problems
        .warning("W0111", spot, "分中心不是全天有人", "a sub-center that is not always there")
        .effect(
            "方案要求分中心 7×24 小时服务；这些时间之外来电直接进 12345",
            "the notice asks sub-centers for service at all hours; outside of these its callers go to 12345 at once",
        )
        .remedy("与分中心商定全天值守后删去 hours", "remove hours once the sub-center is there at all hours");
}
