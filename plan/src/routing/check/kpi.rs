//! `[kpi]`: figures that make sense, calls left out that there are, and a name for a formula that is not the usual one.

use std::time::Duration;

use super::super::diagnostic::Spot;
use super::super::kpi::{ANSWER_RATE, ANSWER_WITHIN, Clock, SHORT_ABANDON, USUAL_VERSION};
use super::super::nearest::nearest;
use super::super::source::{Problems, Said};
use super::super::tables::kpi::{ExcludeTable, ExclusionWord, KpiLineTable, KpiTable};
use super::super::tables::{Field, RoutingTable};
use super::super::values::out_of_range;
use super::references::{Seen, exists, named_twice, names};

/// Nobody promises to answer later than within an hour.
const WITHIN_MAX: Duration = Duration::from_secs(3_600);
/// The longest name of a formula, in characters: it stands in the head of every table.
const VERSION_MAX: usize = 64;

/// All rules of `[kpi]`.
pub fn kpi(table: &RoutingTable, problems: &mut Problems) {
    let Some(kpi) = &table.kpi else { return };
    figures(kpi, problems);
    named(kpi, problems);
    flattered(&kpi.short_abandon, kpi.answer_within.as_ref().map(|said| said.value), problems);
    lines(table, kpi, problems);
    excluded(table, kpi, problems);
}

fn figures(kpi: &KpiTable, problems: &mut Problems) {
    let within = kpi.lines.iter().map(|own| &own.answer_within).chain([&kpi.answer_within]);
    for said in within.flatten().filter(|said| said.value.is_zero() || said.value > WITHIN_MAX) {
        out_of_range(&said.spot, "\"1ms\"–\"1h\"", problems);
    }
    let short = kpi.lines.iter().map(|own| &own.short_abandon).chain([&kpi.short_abandon]);
    for said in short.flatten().filter(|said| said.value > WITHIN_MAX) {
        out_of_range(&said.spot, "\"0s\"–\"1h\"", problems); // None at all: everybody who gives up counts.
    }
    let rates = kpi.lines.iter().map(|own| &own.answer_rate).chain([&kpi.answer_rate]);
    for said in rates.flatten().filter(|said| !(1..=100).contains(&said.value)) {
        out_of_range(&said.spot, "1–100", problems);
    }
    let versions = kpi.lines.iter().map(|own| &own.version).chain([&kpi.version]);
    for said in versions.flatten().filter(|said| !is_name(&said.value)) {
        problems
            .error(
                "E1502",
                &said.spot,
                format!("{} 应为一行文字，最多 {VERSION_MAX} 个字", said.spot.key),
                format!("{} wants one line of at most {VERSION_MAX} characters", said.spot.key),
            )
            .effect(
                "它写在每张报表的表头和 CSV 的每一行里，会把它们弄乱",
                "it stands at the head of each report and in each line of CSV, and would break them",
            )
            .remedy(
                "写短些，如 version = \"濮阳 2026-1\"",
                "make it short, like version = \"Puyang 2026-1\"",
            );
    }
}

fn is_name(version: &str) -> bool {
    version.chars().count() <= VERSION_MAX && !version.chars().any(char::is_control)
}

/// A formula that is not the usual one has a name of its own.
fn named(kpi: &KpiTable, problems: &mut Problems) {
    let KpiTable { spot, says_version, version, answer_within, answer_rate, short_abandon, clock, .. } = kpi;
    let is_changed = differs(answer_within, answer_rate, short_abandon, clock) || leaves_out_others(kpi);
    if is_changed && is_usual(version) {
        let at = version.as_ref().filter(|_| *says_version).map_or(spot, |said| &said.spot);
        unnamed(at, problems);
    }
}

/// Whether one of these is not as the standard has it. What is said wrongly has an error of its own.
fn differs(
    answer_within: &Field<Duration>,
    answer_rate: &Field<u8>,
    short_abandon: &Field<Duration>,
    clock: &Field<Clock>,
) -> bool {
    answer_within.as_ref().is_some_and(|said| said.value != ANSWER_WITHIN)
        || answer_rate.as_ref().is_some_and(|said| said.value != ANSWER_RATE)
        || short_abandon.as_ref().is_some_and(|said| said.value != SHORT_ABANDON)
        || clock.as_ref().is_some_and(|said| said.value != Clock::Queue)
}

/// Whether other calls are left out than by default, which may be said aloud.
fn leaves_out_others(kpi: &KpiTable) -> bool {
    kpi.exclude.as_ref().is_some_and(|ExcludeTable { answer, satisfaction, transfer }| {
        let is_usual = |words: &[Said<ExclusionWord>]| {
            matches!(words, [Said { value: ExclusionWord::ShortAbandon, .. }])
        };
        answer.as_ref().is_some_and(|said| !is_usual(&said.value))
            || [satisfaction, transfer].into_iter().flatten().any(|said| !said.value.is_empty())
    })
}

fn is_usual(version: &Field<String>) -> bool {
    version.as_ref().is_none_or(|said| said.value == USUAL_VERSION)
}

fn unnamed(at: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E1503",
            at,
            format!("口径改了，名称却仍是“{USUAL_VERSION}”"),
            format!("the formula is changed, and still called \"{USUAL_VERSION}\""),
        )
        .effect(
            "新旧报表同名不同口径，放在一起比较的人看不出来",
            "reports by two formulas would bear one name, and whoever compares them could not tell",
        )
        .remedy(
            "给它起个名称，如 version = \"濮阳 2026-1\"，以后每改一次换一个",
            "give it a name, like version = \"Puyang 2026-1\", and another each time that it changes",
        );
}

/// A line's formula has the city's name where it has none of its own: the standard's is for neither, where the line wants
/// something else.
fn named_of_line(own: &KpiLineTable, kpi: &KpiTable, problems: &mut Problems) {
    let KpiLineTable { spot, version, answer_within, answer_rate, short_abandon, clock, .. } = own;
    let Some(said) = version else {
        // What the city has changed under the standard's name is noted there.
        if differs(answer_within, answer_rate, short_abandon, clock) && is_usual(&kpi.version) {
            unnamed(spot, problems);
        }
        return;
    };
    fn or<'t, T>(own: &'t Field<T>, usual: &'t Field<T>) -> &'t Field<T> {
        if own.is_some() { own } else { usual }
    }
    let is_changed = differs(
        or(answer_within, &kpi.answer_within),
        or(answer_rate, &kpi.answer_rate),
        or(short_abandon, &kpi.short_abandon),
        or(clock, &kpi.clock),
    );
    if (is_changed || leaves_out_others(kpi)) && is_usual(version) {
        unnamed(&said.spot, problems);
    }
}

/// Who waited longer than was promised, and is left out for having given up "at once".
fn flattered(short: &Field<Duration>, within: Option<Duration>, problems: &mut Problems) {
    // No time at all is out of range already.
    let is_longer = |short: Duration| within.is_some_and(|within| !within.is_zero() && short > within);
    let Some(said) = short.as_ref().filter(|said| is_longer(said.value)) else { return };
    problems
        .warning(
            "W1501",
            &said.spot,
            format!("{} 比 answer_within 还长", said.spot.key),
            format!("{} is longer than answer_within", said.spot.key),
        )
        .effect(
            "等过了承诺时限才放弃的来电人也不计入，接通率会偏高",
            "callers who waited for longer than was promised and gave up would not count: the answer rate would flatter",
        )
        .remedy("写得比 answer_within 短，如 \"5s\"", "make it shorter than answer_within, like \"5s\"");
}

fn lines(table: &RoutingTable, kpi: &KpiTable, problems: &mut Problems) {
    let lines = names(table.numbers.iter().map(|line| &line.number));
    let mut seen = Seen::default();
    for own in &kpi.lines {
        let KpiLineTable { spot, number, version, answer_within, answer_rate, short_abandon, clock } = own;
        if let Some(number) = number {
            exists("E0306", number, &lines, ("号码", "number"), problems);
            if let Some(earlier) = seen.before(number) {
                named_twice(number, earlier, ("口径", "formulas"), problems);
            }
        }
        let says =
            answer_within.is_some() || answer_rate.is_some() || short_abandon.is_some() || clock.is_some();
        if !says && version.is_none() {
            problems
                .warning("W1502", spot, "没有写任何自己的口径", "nothing of its own is said here")
                .effect("该号码仍按全市的口径考核", "the line is judged by the city's formula all the same")
                .remedy(
                    "写上它自己的，如 answer_within = \"30s\"，或删去它",
                    "say it, like answer_within = \"30s\", or remove it",
                );
        }
        let within = answer_within.as_ref().or(kpi.answer_within.as_ref()).map(|said| said.value);
        flattered(short_abandon, within, problems);
        named_of_line(own, kpi, problems);
    }
}

fn excluded(table: &RoutingTable, kpi: &KpiTable, problems: &mut Problems) {
    let Some(exclude) = &kpi.exclude else { return };
    let lines = names(table.numbers.iter().map(|line| &line.number));
    let trunks = names(table.trunks.iter().map(|trunk| &trunk.name));
    let codes: Vec<&str> = table
        .disposition
        .iter()
        .flat_map(|own| own.tables())
        .flat_map(|said| &said.value.0)
        .map(|(code, _)| code.value.as_str())
        .collect();
    for said in exclude.words() {
        match &said.value {
            ExclusionWord::ShortAbandon | ExclusionWord::Drill => {}
            ExclusionWord::Line(name) => known(said, name, &lines, problems),
            ExclusionWord::Code(name) => known(said, name, &codes, problems),
            ExclusionWord::Trunk(name) => known(said, name, &trunks, problems),
        }
    }
    let drills = table.trunks.iter().any(|trunk| trunk.drill.as_ref().is_some_and(|said| said.value));
    for said in exclude.words().filter(|said| said.value == ExclusionWord::Drill && !drills) {
        unknown(said, "drill", None, problems);
    }
    for said in [&exclude.satisfaction, &exclude.transfer].into_iter().flatten().flat_map(|said| &said.value)
    {
        if said.value == ExclusionWord::ShortAbandon {
            problems
                .error(
                    "E1505",
                    &said.spot,
                    "短时放弃的来电没有评价，也没有转接",
                    "a caller who gave up at once gave no grade and was transferred to nobody",
                )
                .effect(
                    "写在这里的意图不会生效，而没有人会察觉",
                    "what it was meant to say would not happen, and nobody would notice",
                )
                .remedy("把它写进 answer", "write it into answer");
        }
    }
}

fn known(said: &Said<ExclusionWord>, name: &str, names: &[&str], problems: &mut Problems) {
    if !names.contains(&name) {
        unknown(said, name, nearest(name, names.iter().copied()), problems);
    }
}

fn unknown(said: &Said<ExclusionWord>, name: &str, near: Option<&str>, problems: &mut Problems) {
    problems
        .error(
            "E1504",
            &said.spot,
            format!("方案里没有 \"{name}\"，没有来电可除外"),
            format!("the plan has no \"{name}\": there are no calls to leave out"),
        )
        .effect(
            "该除外的来电会计入指标，报表与口径不符",
            "calls that should be left out would count, and reports would not be by their formula",
        )
        .remedy(
            "改为方案里有的号码、代码或中继（drill 要有 drill = true 的中继），或删去它",
            "name a number, a code or a trunk that the plan has (drill wants a trunk with drill = true), or remove it",
        )
        .nearest(near);
}
