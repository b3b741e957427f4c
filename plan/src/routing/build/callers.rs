//! Callers who are known.

use jiff::tz::TimeZone;

use super::super::callers::{ByCaller, CallerAct, CallerPolicy, Callers, Lane};
use super::super::plan::City;
use super::super::queueing::Known;
use super::super::tables::RoutingTable;
use super::super::tables::callers::{ActWord, LaneTable, PolicyTable};
use super::{list, text, value};
use crate::id::{LineId, TrunkId};

pub(super) fn callers(table: &RoutingTable, city: &City) -> Option<Callers> {
    let mut callers = match &table.callers {
        Some(own) => Callers {
            repeat_within: value(&own.repeat_within)?,
            urgent_key: own.urgent_key.as_ref().map(|said| said.value.0),
            urgent_priority: value(&own.urgent_priority)?,
            center_priority: value(&own.center_priority)?,
            lanes: Vec::new(),
            policies: ByCaller::default(),
        },
        None => Callers::default(),
    };
    callers.lanes = table.lanes.iter().map(|own| lane(own, city)).collect::<Option<_>>()?;
    for own in &table.policies {
        let policy = policy(own, &city.time_zone)?;
        callers.policies.insert(city, text(&own.caller)?, policy);
    }
    Some(callers)
}

fn lane(table: &LaneTable, city: &City) -> Option<Lane> {
    let callers = &table.callers.as_ref()?.value;
    Some(Lane {
        name: value(&table.name)?,
        lines: list(&table.lines, |line| LineId::from(line.as_str()))?,
        trunks: list(&table.trunks, |trunk| TrunkId::from(trunk.as_str()))?,
        callers: ByCaller::among(city, callers.iter().map(|caller| caller.value.as_str())),
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
