//! The rules of a queue.

use std::time::Duration;

use super::super::queueing::{CallbackOffer, Queueing, Staffing, Surge, Widening};
use super::super::tables::RoutingTable;
use super::super::tables::proof::StaffingTable;
use super::super::tables::queueing::{CallbackTable, RulesTable, SurgeTable};
use super::{calendar, list, text, value};
use crate::id::PromptId;

pub(super) fn rules(table: &RulesTable, whole: &RoutingTable) -> Option<Queueing> {
    let widen = table
        .widen
        .iter()
        .map(|step| Some(Widening { after: value(&step.after)?, levels: value(&step.levels)? }));
    let shed = table.shed.iter().map(|step| Some((value(&step.waiting)?, value(&step.below)?)));
    Some(Queueing {
        strategy: value(&table.strategy)?,
        widen: widen.collect::<Option<_>>()?,
        priority: value(&table.priority)?,
        ageing: value(&table.ageing),
        expected_wait_max: value(&table.expected_wait_max),
        shed: shed.collect::<Option<_>>()?,
        sticky_wait: value(&table.sticky_wait),
        surge: match &table.surge {
            Some(own) => Some(surge(own)?),
            None => None,
        },
        callback: match &table.callback {
            Some(own) => Some(callback(own)?),
            None => None,
        },
        staffing: match &table.staffing {
            Some(own) => Some(staffing(own, whole)?),
            None => None,
        },
    })
}

/// GB/T 33358 where the target is not said: 95 % of the calls within 15 s.
fn staffing(table: &StaffingTable, whole: &RoutingTable) -> Option<Staffing> {
    let (within, percent) = match &table.target {
        Some(target) => (value(&target.within)?, value(&target.percent)?),
        None => (Duration::from_secs(15), 95),
    };
    Some(Staffing {
        calls_per_hour: value(&table.calls_per_hour)?,
        talk: value(&table.talk)?,
        within,
        percent,
        hours: calendar::hours(&table.hours, whole)?,
    })
}

fn surge(table: &SurgeTable) -> Option<Surge> {
    Some(Surge {
        from: value(&table.from)?,
        until: value(&table.until)?,
        greeting: text(&table.greeting).map(PromptId::from),
        roles: list(&table.roles, |role| *role)?,
        callback: value(&table.callback)?,
    })
}

fn callback(table: &CallbackTable) -> Option<CallbackOffer> {
    Some(CallbackOffer {
        after: value(&table.after)?,
        key: value(&table.key)?.0,
        tries: value(&table.tries)?,
        again_after: value(&table.again_after)?,
        keep: value(&table.keep)?,
    })
}
