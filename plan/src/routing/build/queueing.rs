//! The rules of a queue.

use super::super::kpi::{ANSWER_RATE, ANSWER_WITHIN};
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

/// No number of seats keeps a promise to all.
const PERCENT_MAX: u8 = 99;

/// What the target does not say is as `[kpi]` wants it: unsaid there as well, 95 % of the calls within 15 s.
fn staffing(table: &StaffingTable, whole: &RoutingTable) -> Option<Staffing> {
    let said = table.target.as_ref();
    let kpi = whole.kpi.as_ref();
    let within = said.and_then(|target| value(&target.within));
    let within = within.or_else(|| value(&kpi?.answer_within)).unwrap_or(ANSWER_WITHIN);
    let percent = said.and_then(|target| value(&target.percent));
    let percent = percent.or_else(|| value(&kpi?.answer_rate)).unwrap_or(ANSWER_RATE).min(PERCENT_MAX);
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
