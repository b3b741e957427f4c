//! Figures of people's tables: no wait without an end, no try too many, no priority that drowns the others.

use std::time::Duration;

use super::super::source::{Problems, Said};
use super::super::tables::{Field, RoutingTable};
use super::super::values::out_of_range;

/// Priorities that an operator gives: far from where sums of them would end.
const PRIORITY_MAX: i16 = 9_999;
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// What is remembered of a caller, and kept on a list: no longer than a year.
const YEAR: Duration = Duration::from_secs(366 * 24 * 3_600);

/// Durations, tries, shares and priorities.
pub fn figures(table: &RoutingTable, problems: &mut Problems) {
    for said in waits(table).into_iter().flatten() {
        if said.value.is_zero() || said.value > DAY {
            out_of_range(&said.spot, "\"1ms\"–\"24h\"", problems);
        }
    }
    for said in rests(table).into_iter().flatten().filter(|said| said.value > DAY) {
        out_of_range(&said.spot, "\"0s\"–\"24h\"", problems);
    }
    for said in memories(table).into_iter().flatten().filter(|said| said.value > YEAR) {
        out_of_range(&said.spot, "\"0s\"–\"8784h\"", problems);
    }
    for said in priorities(table).into_iter().flatten() {
        if said.value.unsigned_abs() > PRIORITY_MAX.unsigned_abs() {
            out_of_range(&said.spot, &format!("-{PRIORITY_MAX}–{PRIORITY_MAX}"), problems);
        }
    }
    counts(table, problems);
}

/// More than nothing, and at most a day.
fn waits(table: &RoutingTable) -> Vec<&Field<Duration>> {
    let mut waits = Vec::new();
    for rules in table.queues.iter().map(|queue| &queue.rules) {
        waits.extend([&rules.ageing, &rules.expected_wait_max, &rules.sticky_wait]);
        waits.extend(rules.widen.iter().map(|step| &step.after));
        waits.extend(rules.callback.iter().flat_map(|own| [&own.after, &own.again_after, &own.keep]));
    }
    waits.extend(table.experts.iter().map(|group| &group.accept));
    waits.extend(table.asked().map(|department| &department.ring));
    waits.extend(table.three_way.iter().map(|three_way| &three_way.hold_max));
    waits.extend(table.work.iter().map(|work| &work.wrap_up_max));
    waits.extend(table.work.iter().flat_map(|work| &work.away).map(|reason| &reason.most));
    waits.extend(table.calling.iter().map(|calling| &calling.ring));
    waits.extend(table.policies.iter().map(|policy| &policy.pause));
    waits.extend(table.missed.iter().map(|missed| &missed.again_after));
    waits.extend(table.disposition.iter().flat_map(|own| &own.immediate).map(|own| &own.within));
    waits.extend(table.follow_up.iter().map(|follow_up| &follow_up.again_after));
    waits
}

/// Nothing at all is a choice.
fn rests(table: &RoutingTable) -> Vec<&Field<Duration>> {
    let mut rests: Vec<&Field<Duration>> = table.seats.iter().map(|seat| &seat.wrap_up).collect();
    rests.extend(table.work.iter().map(|work| &work.rest));
    rests.extend(table.missed.iter().map(|missed| &missed.after));
    rests
}

fn memories(table: &RoutingTable) -> Vec<&Field<Duration>> {
    let callers = table.callers.iter().map(|callers| &callers.repeat_within);
    callers.chain(table.missed.iter().map(|missed| &missed.keep)).collect()
}

fn priorities(table: &RoutingTable) -> Vec<&Field<i16>> {
    let mut all: Vec<&Field<i16>> = table.queues.iter().map(|queue| &queue.rules.priority).collect();
    all.extend(table.queues.iter().flat_map(|queue| &queue.rules.shed).map(|step| &step.below));
    all.extend(table.lanes.iter().map(|lane| &lane.priority));
    all.extend(table.peers.iter().map(|peer| &peer.priority));
    all.extend(table.callers.iter().flat_map(|own| [&own.urgent_priority, &own.center_priority]));
    all
}

fn counts(table: &RoutingTable, problems: &mut Problems) {
    let callbacks = table.queues.iter().filter_map(|queue| queue.rules.callback.as_ref());
    let tries = callbacks.map(|own| &own.tries).chain(table.missed.iter().map(|own| &own.tries));
    let tries = tries.chain(table.follow_up.iter().map(|own| &own.tries));
    for said in tries.flatten().filter(|said| !(1..=5).contains(&said.value)) {
        out_of_range(&said.spot, "1–5", problems);
    }
    let behind = table.policies.iter().filter_map(|policy| policy.by.as_ref());
    for said in behind.filter(|said| !(1..=PRIORITY_MAX).contains(&said.value)) {
        out_of_range(&said.spot, &format!("1–{PRIORITY_MAX}"), problems);
    }
    let steps = table.queues.iter().flat_map(|queue| &queue.rules.widen);
    for said in steps.filter_map(|step| step.levels.as_ref()).filter(|said| said.value > 9) {
        out_of_range(&said.spot, "1–9", problems);
    }
    let Some(follow_up) = &table.follow_up else { return };
    let beyond = |said: &&Said<u8>| !(1..=100).contains(&said.value);
    if let Some(said) = follow_up.percent.as_ref().filter(beyond) {
        out_of_range(&said.spot, "1–100", problems);
    }
    if let Some(said) = follow_up.at_once.as_ref().filter(|said| !(1..=1_000).contains(&said.value)) {
        out_of_range(&said.spot, "1–1000", problems);
    }
}
