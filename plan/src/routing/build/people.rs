//! Seats, experts, departments, what clerks may do, and who asks by HTTP.

use std::sync::Arc;

use super::super::peers::{Peers, Platform};
use super::super::people::{ApiToken, AwayReason, ExpertGroup, ThreeWay, Work};
use super::super::people_values::LANGUAGE;
use super::super::plan::{Peer, Seat};
use super::super::queueing::Known;
use super::super::tables::peers::PeerTable;
use super::super::tables::people::{DepartmentTable, ExpertGroupTable, ThreeWayTable, WorkTable};
use super::super::tables::token::TokenTable;
use super::super::tables::{RoutingTable, SeatTable};
use super::{calendar, is_drill, list, text, value};
use crate::id::{LineId, PromptId, QueueId, SeatId, TrunkId};

/// A language is a skill at the lowest level.
pub(super) fn seat(table: &SeatTable, whole: &RoutingTable) -> Option<Seat> {
    let mut skills = list(&table.skills, Known::clone)?;
    let languages = list(&table.languages, |name| Known::some(format!("{LANGUAGE}{name}").as_str()))?;
    skills.extend(languages);
    Some(Seat {
        id: SeatId::from(text(&table.id)?),
        name: value(&table.name)?,
        role: value(&table.role)?,
        skills,
        queues: list(&table.queues, |queue| QueueId::from(queue.as_str()))?,
        order: value(&table.order)?,
        wrap_up: value(&table.wrap_up),
        secret: value(&table.secret)?,
        hours: calendar::hours(&table.hours, whole)?,
        sound: table.sound.plan(whole.seat_sound.as_ref()),
    })
}

pub(super) fn group(table: &ExpertGroupTable, whole: &RoutingTable) -> Option<Arc<ExpertGroup>> {
    Some(Arc::new(ExpertGroup {
        number: LineId::from(text(&table.number)?),
        name: value(&table.name)?,
        department: value(&table.department)?,
        seats: list(&table.seats, |seat| SeatId::from(seat.as_str()))?,
        hours: calendar::hours(&table.hours, whole)?,
        accept: value(&table.accept)?,
    }))
}

pub(super) fn department(own: &DepartmentTable, table: &RoutingTable) -> Option<(LineId, Peer)> {
    let number = text(&own.number)?;
    let trunk = text(&own.trunk)?;
    let peer = Peer {
        trunk: TrunkId::from(trunk),
        number: text(&own.dial).unwrap_or(number).to_owned(),
        ring: value(&own.ring)?,
        drill: is_drill(trunk, table),
        hours: calendar::hours(&own.hours, table)?,
    };
    Some((LineId::from(number), peer))
}

pub(super) fn peers(table: &RoutingTable) -> Option<Peers> {
    let platform = |own: &PeerTable| {
        let (number, peer) = department(&own.way, table)?;
        Some(Platform {
            number,
            name: value(&own.way.name)?,
            org: value(&own.org)?,
            parent: value(&own.parent),
            peer,
            hands_over: value(&own.hands_over)?,
            priority: value(&own.priority)?,
            hops_max: value(&own.hops_max)?,
        })
    };
    Some(Peers::new(table.peers.iter().map(platform).collect::<Option<Vec<_>>>()?))
}

pub(super) fn three_way(table: Option<&ThreeWayTable>) -> Option<ThreeWay> {
    let Some(table) = table else { return Some(ThreeWay::default()) };
    let keys = value(&table.keys)?.0;
    Some(ThreeWay {
        keys: keys
            .into_iter()
            .filter_map(|(key, target)| Some((key.value.chars().next()?, target.value)))
            .collect(),
        hold_max: value(&table.hold_max)?,
        failed_prompt: PromptId::from(text(&table.failed_prompt)?),
        tones: value(&table.tones)?,
        clerk_leaves: value(&table.clerk_leaves)?,
        caller_leaves: value(&table.caller_leaves)?,
        third_leaves: value(&table.third_leaves)?,
    })
}

pub(super) fn work(table: Option<&WorkTable>) -> Option<Work> {
    let Some(table) = table else { return Some(Work::default()) };
    let reason = |away: &super::super::tables::people::AwayTable| {
        Some(AwayReason { digit: value(&away.digit)?.0, name: value(&away.name)?, most: value(&away.most) })
    };
    Some(Work {
        away: table.away.iter().map(reason).collect::<Option<_>>()?,
        wrap_up_max: value(&table.wrap_up_max)?,
        rest: value(&table.rest)?,
        prefix: value(&table.prefix)?.0,
        watch_prefix: value(&table.watch_prefix)?.0,
        observer_prompt: text(&table.observer_prompt).map(PromptId::from),
    })
}

pub(super) fn token(table: &TokenTable) -> Option<ApiToken> {
    Some(ApiToken {
        name: value(&table.name)?,
        role: value(&table.role)?,
        seat: text(&table.seat).map(SeatId::from),
        secret: value(&table.secret)?,
    })
}
