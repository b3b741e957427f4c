//! What no plan can do without, in words that can be pasted: whoever begins with an empty file is told by one check
//! all that it takes to answer a call.

use super::diagnostic::Spot;
use super::source::{Problems, Said};
use super::tables::RoutingTable;

/// The smallest plan that serves, a part to each empty line.
const PLAN: &str = include_str!("starter.toml");
/// The queue in it.
const QUEUE: &str = "\"main\"";
/// What is to be done with the parts, as a comment that may be pasted with them.
const HEADING: &str =
    "# 还缺下面这些：贴进文件，再改成贵市的 / what is still lacking: paste it, and make it your city's\n";
/// Where the version belongs.
const AT_THE_TOP: &str = "# 写在最前面 / at the top of the file\n";

/// The parts that a file lacks, in an order in which they may stand; `None`: it has them all, or what it lacks is no
/// whole part.
pub(super) fn lacking(table: &RoutingTable, problems: &Problems) -> Option<String> {
    let top = |code: &str, key: &str| problems.has(code, &Spot { key: key.to_owned(), ..table.spot.clone() });
    let serves = table.is_live();
    let lacks = |part: &str| match part {
        "schema" | "city" | "network" => top("E0102", part),
        "recording" => top("E0404", "recording.enabled"),
        "seat_greeting" => top("E0404", "seat_greeting.spoken"),
        "trunk" => table.trunks.is_empty() && top("E0636", part),
        "queue" => serves && table.queues.is_empty(),
        "seat" => serves && table.seats.is_empty(),
        "number" => top("E0204", part),
        "ticket_sink" => top("E0701", part),
        _ => false,
    };
    let parts: Vec<&str> = parts().filter(|(name, _)| lacks(name)).map(|(_, text)| text).collect();
    let first = *parts.first()?;
    let heading =
        if first.starts_with("schema") { format!("{HEADING}{AT_THE_TOP}") } else { HEADING.to_owned() };
    let queue = queue(table).map_or_else(|| QUEUE.to_owned(), |said| format!("{:?}", said.value));
    Some(format!("{heading}{}\n", parts.join("\n\n").replace(QUEUE, &queue)))
}

/// Each part by its name.
fn parts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let name = |part: &'static str| {
        let end = part.trim_start_matches('[').find([' ', ']']).unwrap_or(0);
        &part.trim_start_matches('[')[..end]
    };
    PLAN.trim_end().split("\n\n").map(move |part| (name(part), part))
}

/// Where callers wait: the queue that there is, else the one that a number or a seat speaks of.
fn queue(table: &RoutingTable) -> Option<&Said<String>> {
    let there = table.queues.iter().find_map(|queue| queue.name.as_ref());
    let waited = || table.numbers.iter().find_map(|number| number.queue.as_ref());
    let served = || table.seats.iter().find_map(|seat| seat.queues.as_ref()?.value.first());
    there.or_else(waited).or_else(served)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::diagnostic::Severity;
    use crate::routing::fixture_test::judged;

    /// What stands there with what it lacks.
    fn completed(text: &str) -> String {
        let lacking = judged(text).report.lacking.expect("something is lacking");
        match lacking.contains(AT_THE_TOP) {
            true => format!("{lacking}\n{text}"),
            false => format!("{text}\n{lacking}"),
        }
    }

    #[test]
    fn an_empty_file_and_what_it_lacks_are_a_plan_that_lacks_nothing() {
        let outcome = judged(&completed(""));
        assert!(outcome.plan.is_some(), "{}", outcome.report.render(false));
        assert_eq!(outcome.report.lacking, None);
        assert_eq!(judged("").report.count(Severity::Error), 8, "{}", judged("").report.render(false));
        let codes: Vec<&str> = outcome.report.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, ["W0101"], "loopback is for trying out");
    }

    #[test]
    fn whichever_parts_are_there_the_others_are_told_and_fit() {
        let all: Vec<(&str, &str)> = parts().collect();
        assert_eq!(all.len(), 10);
        // Those that speak of one another, two by two; the others by themselves.
        let related = |at: &usize| ["queue", "seat", "number"].contains(&all[*at].0);
        for first in 0..all.len() {
            for second in
                (first..all.len()).filter(|second| first == *second || related(&first) && related(second))
            {
                let there = all.iter().enumerate().filter(|(at, _)| *at != first && *at != second);
                let text: Vec<&str> = there.map(|(_, (_, part))| *part).collect();
                let whole = completed(&text.join("\n\n").replace(QUEUE, "\"hall\""));
                let outcome = judged(&whole);
                let names = (all[first].0, all[second].0);
                assert!(outcome.plan.is_some(), "{names:?}:\n{whole}\n{}", outcome.report.render(false));
            }
        }
    }

    #[test]
    fn what_is_there_and_wrong_is_not_told_to_be_lacking() {
        let wrong = PLAN.replace("area_code = \"0393\"", "").replace("enabled = true", "");
        let outcome = judged(&wrong);
        assert_eq!(outcome.report.count(Severity::Error), 2, "{}", outcome.report.render(false));
        assert_eq!(outcome.report.lacking, None);
    }
}
