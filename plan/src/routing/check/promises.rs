//! What is promised: figures that make sense, ways that do not hang on one trunk, and nothing written for nobody.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::plan::{Transport, TrunkTarget};
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::super::values::out_of_range;

/// Calls of an hour at most: more than a country's hotline has.
const CALLS_PER_HOUR_MAX: u32 = 1_000_000;
/// No talk, and no promised wait, is longer.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Figures of `[human_first]` and of `staffing`.
pub fn figures(table: &RoutingTable, problems: &mut Problems) {
    let first = table.human_first.as_ref();
    let bounds = first.and_then(|own| own.time_max.as_ref());
    let staffing = || table.queues.iter().filter_map(|queue| queue.rules.staffing.as_ref());
    let talks = staffing().filter_map(|own| own.talk.as_ref());
    for said in bounds.into_iter().chain(talks) {
        if said.value.is_zero() || said.value > DAY {
            out_of_range(&said.spot, "\"1ms\"–\"24h\"", problems);
        }
    }
    for said in staffing().filter_map(|own| own.calls_per_hour.as_ref()) {
        if !(1..=CALLS_PER_HOUR_MAX).contains(&said.value) {
            out_of_range(&said.spot, &format!("1–{CALLS_PER_HOUR_MAX}"), problems);
        }
    }
    let targets = || staffing().filter_map(|own| own.target.as_ref());
    for said in targets().filter_map(|own| own.within.as_ref()).filter(|said| said.value > DAY) {
        out_of_range(&said.spot, "\"0s\"–\"24h\"", problems);
    }
    for said in targets().filter_map(|own| own.percent.as_ref()) {
        if !(1..=99).contains(&said.value) {
            out_of_range(&said.spot, "1–99", problems); // No number of seats keeps a promise to all.
        }
    }
}

/// An emergency number does not hang on one address of one trunk.
pub fn single_ways(table: &RoutingTable, problems: &mut Problems) {
    if !table.is_live() {
        return;
    }
    let mut noted: BTreeSet<&str> = BTreeSet::new();
    for said in table.emergencies.iter().filter_map(|peer| peer.trunk.as_ref()) {
        let name = said.value.as_str();
        let trunk = table.trunks.iter().find(|trunk| is_called(&trunk.name, name));
        let group = table.groups.iter().find(|group| is_called(&group.name, name));
        let single = match (trunk, group) {
            (Some(trunk), _) => {
                let drill = trunk.drill.as_ref().is_some_and(|said| said.value); // Has its own warning.
                !drill && trunk.target.as_ref().is_some_and(|said| one_address(&said.value.0))
            }
            (None, Some(group)) => group.trunks.as_ref().is_some_and(|said| said.value.len() == 1),
            (None, None) => false, // Has an error of its own.
        };
        if !single || !noted.insert(name) {
            continue;
        }
        problems
            .warning(
                "W1102",
                &said.spot,
                format!("紧急热线只有一条路：中继 \"{name}\""),
                format!("the trunk \"{name}\" is the only way to an emergency number"),
            )
            .effect(
                "这条中继断了，座席就转不到紧急热线，可能危及生命",
                "when it is down, no clerk can put a caller through, which can cost a life",
            )
            .remedy(
                "给 target 写两个地址，或用 [[trunk_group]] 加一条备用中继（如运营商）",
                "give target two addresses, or make a [[trunk_group]] with a second trunk, the carrier's for one",
            );
    }
}

/// A host's name may stand for several machines.
fn one_address(targets: &[Said<TrunkTarget>]) -> bool {
    matches!(targets, [target] if target.value.ip().is_some())
}

fn is_called(own: &Option<Said<String>>, name: &str) -> bool {
    own.as_ref().is_some_and(|own| own.value == name)
}

/// Certificates that nothing shows or asks for are probably a slip: a listener was meant to speak TLS.
pub fn unused(table: &RoutingTable, problems: &mut Problems) {
    let Some(tls) = &table.tls else { return };
    let mut listen = table.network.iter().filter_map(|network| network.listen.as_ref());
    let listens =
        listen.any(|said| said.value.iter().any(|listener| listener.value.transport == Transport::Tls));
    let targets = table.trunks.iter().filter_map(|trunk| trunk.target.as_ref());
    let calls = targets.flat_map(|said| &said.value.0).any(|target| target.value.is_tls());
    let said = [&tls.certificate, &tls.key, &tls.client_ca, &tls.roots];
    let Some(first) = said.into_iter().flatten().next().filter(|_| !listens && !calls) else { return };
    problems
        .warning(
            "W1104",
            &first.spot,
            "写了证书，却没有 tls 监听，也没有走 TLS 的中继",
            "there are certificates, but nothing listens by TLS, and no trunk is called by it",
        )
        .effect("以为信令已经加密，其实没有", "signalling is believed to be encrypted, and is not")
        .remedy(
            "在 listen 里加 \"tls:…\"，或把 target 写成 \"sips:…\"；用不上就删去 [tls]",
            "add \"tls:…\" to listen, or write target as \"sips:…\"; where it is not needed, remove [tls]",
        );
}
