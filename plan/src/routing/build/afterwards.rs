//! After the call: codes, call backs, questions, and how somebody outside is called.

use super::super::afterwards::{Calling, Code, Disposition, FollowUp, Immediate, Missed};
use super::super::people_values::Named;
use super::super::tables::afterwards::{CallingTable, DispositionTable, ImmediateTable, MissedTable};
use super::super::tables::{Field, RoutingTable};
use super::{calendar, list, text, value};
use crate::id::{LineId, TrunkId};

pub(super) fn disposition(table: Option<&DispositionTable>) -> Option<Disposition> {
    let Some(table) = table else { return Some(Disposition::default()) };
    Some(Disposition {
        fields: codes(&table.fields)?,
        types: codes(&table.types)?,
        not_accepted: codes(&table.not_accepted)?,
        unsurveyed: codes(&table.unsurveyed)?,
        immediate: table.immediate.iter().map(immediate).collect::<Option<_>>()?,
    })
}

fn immediate(table: &ImmediateTable) -> Option<Immediate> {
    Some(Immediate {
        code: value(&table.code)?,
        to: text(&table.to).map(LineId::from),
        within: value(&table.within)?,
    })
}

fn codes(said: &Field<Named>) -> Option<Vec<Code>> {
    let entries = value(said)?.0;
    Some(entries.into_iter().map(|(code, name)| Code { code: code.value, name: name.value }).collect())
}

pub(super) fn missed(table: Option<&MissedTable>) -> Option<Missed> {
    let Some(table) = table else { return Some(Missed::default()) };
    Some(Missed {
        enabled: value(&table.enabled)?,
        after: value(&table.after)?,
        keep: value(&table.keep)?,
        tries: value(&table.tries)?,
        again_after: value(&table.again_after)?,
    })
}

pub(super) fn follow_up(whole: &RoutingTable) -> Option<FollowUp> {
    let Some(table) = &whole.follow_up else { return Some(FollowUp::default()) };
    Some(FollowUp {
        enabled: value(&table.enabled)?,
        percent: value(&table.percent)?,
        hours: calendar::hours(&table.hours, whole)?,
        tries: value(&table.tries)?,
        again_after: value(&table.again_after)?,
        at_once: value(&table.at_once)?,
    })
}

pub(super) fn calling(table: &CallingTable) -> Option<Calling> {
    Some(Calling {
        prefix: value(&table.prefix)?.0,
        allowed: list(&table.allowed, |beginning| beginning.0.clone())?,
        trunk: TrunkId::from(text(&table.trunk)?),
        line: LineId::from(text(&table.line)?),
        ring: value(&table.ring)?,
    })
}
