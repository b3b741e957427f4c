//! Tests of the file that can fail: each with a name, a way that calls come by, and something to expect.

use super::super::source::Problems;
use super::super::tables::case::{CaseTable, ExpectTable};
use super::super::tables::{RoutingTable, TrunkTable};
use super::references;

/// Names once, trunks that exist, expectations at all.
pub fn cases(table: &RoutingTable, problems: &mut Problems) {
    references::once(table.cases.iter().map(|case| &case.name), ("测试", "test"), problems);
    let names: Vec<&str> =
        table.trunks.iter().filter_map(|trunk| Some(trunk.name.as_ref()?.value.as_str())).collect();
    for case in &table.cases {
        if let Some(said) = &case.trunk {
            references::exists("E0303", said, &names, ("中继", "trunk"), problems);
        }
        comes(case, table, problems);
        if let Some(expect) = case.expect.as_ref().filter(|expect| expects_nothing(expect)) {
            problems
                .error("E1203", &expect.spot, "测试没有写明期望什么", "the test expects nothing")
                .effect(
                    "它永远通过，方案改坏了也没有人知道",
                    "it would always pass, and nobody would know when the plan is spoilt",
                )
                .remedy(
                    "写明至少一项，如 expect = { queue = \"main\" }",
                    "say one thing at least, like expect = { queue = \"main\" }",
                );
        }
    }
}

/// A trunk that only leads outward brings no call.
fn comes(case: &CaseTable, table: &RoutingTable, problems: &mut Problems) {
    let inward = |trunk: &TrunkTable| {
        trunk.sources.as_ref().is_none_or(|said| !said.value.is_empty()) || trunk.certificate.is_some()
    };
    let spot = match &case.trunk {
        Some(said) => {
            let named =
                |trunk: &&TrunkTable| trunk.name.as_ref().is_some_and(|name| name.value == said.value);
            match table.trunks.iter().find(named) {
                Some(trunk) if !inward(trunk) => &said.spot,
                _ => return, // Or there is none, which was noted.
            }
        }
        None if table.trunks.iter().any(inward) => return,
        None => &case.spot,
    };
    problems
        .error("E1204", spot, "没有来电会从这条中继来", "no call ever comes by this trunk")
        .effect("测试的是不会发生的事", "the test would be about something that never happens")
        .remedy("写一条有 sources 或 certificate 的中继", "name a trunk that has sources or a certificate");
}

fn expects_nothing(expect: &ExpectTable) -> bool {
    let names = [
        &expect.line,
        &expect.prompt,
        &expect.flow,
        &expect.queue,
        &expect.target,
        &expect.ticket,
        &expect.lane,
        &expect.policy,
        &expect.meeting,
    ];
    let lists = [&expect.hears, &expect.by];
    let switches = [&expect.survey, &expect.recorded, &expect.experts];
    names.iter().all(|said| said.is_none())
        && lists.iter().all(|said| said.is_none())
        && switches.iter().all(|said| said.is_none())
        && expect.refused.is_none()
        && expect.priority.is_none()
}
