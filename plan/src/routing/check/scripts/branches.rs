//! Branches: each case asks for something, and some call takes it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time};

use super::super::super::build;
use super::super::super::diagnostic::{Diagnostic, Spot};
use super::super::super::hours::{Hours, Span};
use super::super::super::script::{Case, Condition};
use super::super::super::source::{Problems, Said};
use super::super::super::tables::RoutingTable;
use super::super::super::tables::script::{ActTable, BranchTable, CaseTable, FlowTable};
use super::graph::{Graph, Place};

/// Each case asks for something that can be so, and that no case before it takes.
pub fn conditions(table: &RoutingTable, problems: &mut Problems) {
    for act in table.flows.iter().flat_map(FlowTable::acts) {
        let ActTable::Branch(branch) = act else { continue };
        if branch.cases.is_empty() {
            caseless(&branch.spot, problems);
        }
        for (place, case) in branch.cases.iter().enumerate() {
            if case.bare {
                bare(case, problems);
            } else if !empty(case, problems) && !closed(case, table, problems) {
                taken(branch, place, table, problems);
            }
        }
    }
}

fn caseless(spot: &Spot, problems: &mut Problems) {
    problems
        .error("E1024", spot, "分支里没有情形", "a branch without a case")
        .effect("所有来电走同一条路，分支没有用处", "every call would go the same way")
        .remedy(
            "写上情形，如 { value = \"type\", is = [\"1\"], to = \"…\" }，或改用 go",
            "give it cases, like { value = \"type\", is = [\"1\"], to = \"…\" }, or use go",
        );
}

fn bare(case: &CaseTable, problems: &mut Problems) {
    problems
        .error("E1024", &case.spot, "这个情形没有条件", "a case that asks for nothing")
        .effect("来电都走这里，后面的情形轮不到", "every call would take it, and none the cases behind it")
        .remedy(
            "写上 line、caller、inside、outside 或 value 之一；其余的来电用 otherwise",
            "give one of line, caller, inside, outside or value; for all other calls there is otherwise",
        );
}

/// Notes a case that no call takes.
fn never<'p>(spot: &Spot, zh: &str, en: &str, problems: &'p mut Problems) -> &'p mut Diagnostic {
    problems
        .error("E1023", spot, format!("没有来电走这个情形: {zh}"), format!("no call takes this case: {en}"))
        .effect(
            "写在这里的意图不会生效，而没有人会察觉",
            "what it was meant for would not happen, and nobody would notice",
        )
        .remedy("改正条件，或删去这个情形", "correct what it asks for, or remove the case")
}

/// A list of which nothing can be one.
fn empty(case: &CaseTable, problems: &mut Problems) -> bool {
    fn spot<T>(said: &Option<Said<Vec<T>>>) -> Option<&Spot> {
        said.as_ref().filter(|said| said.value.is_empty()).map(|said| &said.spot)
    }
    for (spot, key) in [(spot(&case.line), "line"), (spot(&case.caller), "caller")] {
        let Some(spot) = spot else { continue };
        never(spot, &format!("{key} 是空的"), &format!("{key} is empty"), problems);
        return true;
    }
    false
}

/// Hours that are over whenever they begin.
fn closed(case: &CaseTable, table: &RoutingTable, problems: &mut Problems) -> bool {
    let Some(built) = build::script::case(case, table) else { return false };
    let minutes = open_minutes(&built, &special_days([&built]));
    if minutes.is_none_or(|minutes| minutes.contains(&true)) {
        return false;
    }
    let Some(spot) = case.outside.spot.as_ref().or(case.inside.spot.as_ref()) else { return false };
    never(spot, "一周之中没有这样的时刻", "no minute of the week is like that", problems);
    true
}

/// The days of calendars that are not as their weekday says.
fn special_days<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Vec<Date> {
    let conditions = cases.into_iter().flat_map(|case| &case.when);
    let hours = conditions.filter_map(|condition| match condition {
        Condition::Inside(hours) | Condition::Outside(hours) => Some(hours),
        Condition::Line(_) | Condition::Caller(_) | Condition::Value { .. } => None,
    });
    hours.flat_map(Hours::special_days).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Minutes of an ordinary week, and of each of these days, in which a case may be so; `None` where it does not go by
/// hours.
fn open_minutes(case: &Case, days: &[Date]) -> Option<Vec<bool>> {
    let mut open = None;
    for condition in &case.when {
        let (hours, inside) = match condition {
            Condition::Inside(hours) => (hours, true),
            Condition::Outside(hours) => (hours, false),
            Condition::Line(_) | Condition::Caller(_) | Condition::Value { .. } => continue,
        };
        let minutes = minutes(hours, days);
        let open: &mut Vec<bool> = open.get_or_insert_with(|| vec![true; minutes.len()]);
        open.iter_mut().zip(minutes).for_each(|(open, there)| *open &= there == inside);
    }
    open
}

const DAY: usize = 24 * 60;

/// The minutes of a week from Monday on and of each day, and whether somebody is there.
fn minutes(hours: &Hours, days: &[Date]) -> Vec<bool> {
    let mut there = vec![hours.are_always(); (7 + days.len()) * DAY];
    let mut fill = |day: usize, span: Span| {
        let minute = |time: Time| time.hour() as usize * 60 + time.minute() as usize;
        let from = minute(span.from);
        let to = if span.to == Time::midnight() { DAY } else { minute(span.to).max(from) };
        there[day * DAY + from..day * DAY + to].fill(true);
    };
    for band in hours.each_week() {
        band.days.iter().for_each(|day| fill(day.to_monday_zero_offset() as usize, band.span()));
    }
    for (place, day) in days.iter().enumerate() {
        hours.on(*day).for_each(|span| fill(7 + place, span));
    }
    there
}

/// A case of which every call is taken by an earlier one.
fn taken(branch: &BranchTable, place: usize, table: &RoutingTable, problems: &mut Problems) {
    let case = &branch.cases[place];
    let Some(built) = build::script::case(case, table) else { return };
    let earlier = branch.cases[..place].iter().find(|earlier| {
        // Of what is said wrongly nobody knows whom it was meant to take.
        let whole = !earlier.bare && !problems.any_error_in(&earlier.spot);
        let before = build::script::case(earlier, table).filter(|_| whole);
        before.is_some_and(|before| {
            let days = special_days([&before, &built]);
            before.when.iter().all(|wanted| follows(wanted, &built, &days))
        })
    });
    let Some(earlier) = earlier else { return };
    never(&case.spot, "前面的情形已经包括", "one before it takes them all", problems).related(
        &earlier.spot,
        "前面的",
        "the one before",
    );
}

/// Whether a condition is so whenever a case is.
fn follows(wanted: &Condition, case: &Case, days: &[Date]) -> bool {
    let all = |hours: &Hours, inside: bool| {
        let there = minutes(hours, days);
        let open = open_minutes(case, days).unwrap_or_else(|| vec![true; there.len()]);
        open.iter().zip(there).all(|(open, there)| !open || there == inside)
    };
    match wanted {
        Condition::Inside(hours) => all(hours, true),
        Condition::Outside(hours) => all(hours, false),
        Condition::Line(lines) => case
            .when
            .iter()
            .any(|own| matches!(own, Condition::Line(own) if own.iter().all(|line| lines.contains(line)))),
        Condition::Caller(beginnings) => case.when.iter().any(|own| {
            let one = |own: &String| beginnings.iter().any(|beginning| own.starts_with(beginning.as_str()));
            matches!(own, Condition::Caller(own) if own.iter().all(one))
        }),
        Condition::Value { name, is } => case.when.iter().any(|own| {
            let Condition::Value { name: own_name, is: own } = own else { return false };
            own_name == name && (is.is_empty() || !own.is_empty() && own.iter().all(|word| is.contains(word)))
        }),
    }
}

/// Cases by the dialled line are for lines whose calls come there.
pub fn lines(graph: &Graph<'_>, problems: &mut Problems) {
    let by_line = |place: &Place| match graph.written(*place) {
        Some(ActTable::Branch(branch)) => branch.cases.iter().any(|case| case.line.is_some()),
        _ => false,
    };
    let places: Vec<Place> = graph.places().filter(by_line).collect();
    if places.is_empty() {
        return; // Nothing to walk for.
    }
    let mut entries: BTreeMap<Place, Vec<&str>> = BTreeMap::new();
    for (line, entry) in graph.entries() {
        entries.entry(entry).or_default().extend(line.number.as_ref().map(|said| said.value.as_str()));
    }
    let reached: Vec<_> = entries.into_iter().map(|(entry, lines)| (lines, graph.reached([entry]))).collect();
    for place in places {
        let Some(ActTable::Branch(branch)) = graph.written(place) else { continue };
        let here: Vec<&str> = reached
            .iter()
            .filter(|(_, places)| places.contains(&place))
            .flat_map(|(lines, _)| lines.iter().copied())
            .collect();
        if here.is_empty() {
            continue; // Of a flow that is not used.
        }
        for said in branch.cases.iter().filter_map(|case| case.line.as_ref()) {
            let known = |line: &str| {
                let mut numbers = graph.table.numbers.iter().filter_map(|own| own.number.as_ref());
                numbers.any(|number| number.value == line)
            };
            // One that is not there has an error of its own.
            if said.value.iter().any(|line| here.contains(&line.value.as_str()) || !known(&line.value)) {
                continue;
            }
            if said.value.is_empty() {
                continue;
            }
            let lines = here.join(", ");
            never(
                &said.spot,
                &format!("走到这里的只有 {lines} 的来电"),
                &format!("only calls to {lines} come here"),
                problems,
            );
        }
    }
}
