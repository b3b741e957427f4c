//! Callers who are known.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::super::callers::{CallerAct, CallerPolicy, Callers, Lane};
use super::super::queueing::Known;
use super::super::tables::RoutingTable;
use super::super::tables::callers::{ActWord, LaneTable, PolicyTable};
use super::{list, text, value};
use crate::id::{LineId, TrunkId};

pub(super) fn callers(table: &RoutingTable, zone: &TimeZone) -> Option<Callers> {
    let mut callers = match &table.callers {
        Some(own) => Callers {
            repeat_within: value(&own.repeat_within)?,
            urgent_key: own.urgent_key.as_ref().map(|said| said.value.0),
            urgent_priority: value(&own.urgent_priority)?,
            center_priority: value(&own.center_priority)?,
            lanes: Vec::new(),
            policies: BTreeMap::new(),
        },
        None => Callers::default(),
    };
    callers.lanes = table.lanes.iter().map(lane).collect::<Option<_>>()?;
    let policies = table.policies.iter().map(|own| policy(own, zone));
    let policies = policies.map(|policy| policy.map(|policy| (policy.caller.clone(), policy)));
    callers.policies = policies.collect::<Option<_>>()?;
    Some(callers)
}

fn lane(table: &LaneTable) -> Option<Lane> {
    Some(Lane {
        name: value(&table.name)?,
        lines: list(&table.lines, |line| LineId::from(line.as_str()))?,
        trunks: list(&table.trunks, |trunk| TrunkId::from(trunk.as_str()))?,
        callers: list(&table.callers, String::clone)?.into_iter().collect(),
        priority: value(&table.priority)?,
        skills: list(&table.skills, Known::clone)?,
        straight: value(&table.straight)?,
    })
}

fn policy(table: &PolicyTable, zone: &TimeZone) -> Option<CallerPolicy> {
    Some(CallerPolicy {
        caller: text(&table.caller)?.to_owned(),
        act: match value(&table.act)? {
            ActWord::Behind => CallerAct::Behind(value(&table.by)?),
            ActWord::To => CallerAct::To(list(&table.skills, Known::clone)?),
            ActWord::CoolDown => CallerAct::CoolDown(value(&table.pause)?),
            ActWord::Confidential => CallerAct::Confidential,
        },
        reason: value(&table.reason)?,
        approver: value(&table.approver)?,
        until: value(&table.until)?.end(zone)?,
    })
}
