//! Tests of the file that can fail: each with a name, a way that calls come by, and something to expect; and who
//! answers in them.

use super::super::cases::never;
use super::super::proof::NOTICES_HEARD_MAX;
use super::super::script::{TICKET_STATE, TICKET_STATES};
use super::super::source::{Problems, Said};
use super::super::tables::case::{AnswerSaid, CaseTable};
use super::super::tables::look_up::{LookUpTable, says};
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
        answers(case, table, problems);
        notices(case, problems);
        if let Some(expect) = case.expect.as_ref().filter(|expect| expect.is_empty) {
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

/// So many stand on a line at most, and each once.
fn notices(case: &CaseTable, problems: &mut Problems) {
    let Some(said) = &case.notices else { return };
    let names = said.value.iter().map(|one| Some(one.clone()));
    let names: Vec<_> = names.collect();
    references::once(names.iter(), ("公告", "notice"), problems);
    if said.value.len() > NOTICES_HEARD_MAX as usize {
        never(
            &said.spot,
            (
                format!("一个号码同时最多播 {NOTICES_HEARD_MAX} 条临时公告"),
                format!("{NOTICES_HEARD_MAX} hot notices stand for a line at a time at most"),
            ),
            ("删去多余的公告", "remove some of them"),
            problems,
        );
    }
}

/// Whom a test lets answer is there, and says what it can say.
fn answers(case: &CaseTable, table: &RoutingTable, problems: &mut Problems) {
    let look_ups = references::names(table.look_ups.iter().map(|own| &own.name));
    let bots = references::names(table.bots.iter().map(|own| &own.name));
    let known = [&look_ups[..], &bots[..]].concat();
    for (of, said) in case.answers.iter().flat_map(|said| &said.value.0) {
        let unknown = references::exists("E1007", of, &known, ("查询或语音助手", "look-up or bot"), problems);
        if let Some(unknown) = unknown {
            unknown.effect("测试里的回答用不上", "what the test lets it say would be heard by nobody");
            continue;
        }
        let can = says(table, &of.value).unwrap_or_default();
        let AnswerSaid::Values(values) = said else { continue };
        for (name, _) in values.0.iter().filter(|(name, _)| !can.contains(&name.value.as_str())) {
            never(
                &name.spot,
                (
                    format!("{} 不会说 {}", of.value, name.value),
                    format!("{} does not say {}", of.value, name.value),
                ),
                ("改正名称，或把它写进 says", "correct the name, or add it to says"),
                problems,
            );
        }
        let is_it = |own: &&LookUpTable| own.name.as_ref().is_some_and(|name| name.value == of.value);
        if table.look_ups.iter().find(is_it).is_some_and(LookUpTable::is_of_tickets) {
            states(&values.0, problems);
        }
    }
}

/// The tickets of a test are in a state that tickets have.
fn states(values: &[(Said<String>, Said<String>)], problems: &mut Problems) {
    let said = values.iter().filter(|(name, _)| name.value == TICKET_STATE).map(|(_, said)| said);
    for said in said.filter(|said| !TICKET_STATES.contains(&said.value.as_str())) {
        let states = TICKET_STATES.join(", ");
        never(
            &said.spot,
            (
                format!("工单没有 {} 这个状态", said.value),
                format!("no ticket is in the state {}", said.value),
            ),
            (&format!("写其中之一: {states}"), &format!("write one of these: {states}")),
            problems,
        );
    }
}
