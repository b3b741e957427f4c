//! The city's key figures over a span of time: pure folds over call records, with their formulas.
//!
//! A call belongs to the span in which it opened, with all that came of it, also after its end. All clocks are
//! monotonic; the wall clock only says to which day a call belongs. Whoever serves callers is measured by
//! the same figures ([`Service`]): seats of our own, experts, sub-centers, departments and emergency peers.
//! What is counted of calls ([`Calls`]) adds up: the sum over lines, or over queues, is the total.
//!
//! How waits are judged is the plan's `[kpi]`: thresholds, from when on, what does not count. Each call is judged by the
//! formula of its line, wherever it is counted.
//!
//! Meetings, and calls that the house or a clerk began, are nobody's call for help: they are not among the
//! calls, but what seats and peers did in them is theirs, and a missed caller who was reached by one is.

mod calls;
mod judged;
pub mod rolling;
mod service;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::acd::event::Purpose;
use crate::id::{CallId, LineId, QueueId, SeatId};
use crate::routing::kpi::Kpi as Rules;
use crate::switchboard::fact::{Object, ObjectKind, Party};
use crate::telemetry::CallRecord;
use crate::telemetry::parties::PartyTime;
use crate::telemetry::transfers::{Taken, TransferTime};

use calls::part;
pub use calls::{Answers, Calls, Satisfaction};
use judged::Judged;
pub use service::{Service, Spread};

/// Trunk of calls that clerks' telephones make.
const SEATS: &str = "seats";

/// Who was asked for a transfer, where the plan knew nobody of that name.
pub const UNKNOWN: &str = "unknown";

/// The figures of a span.
#[derive(Clone, Debug, Default)]
pub struct Kpi {
    /// All calls.
    pub total: Calls,
    /// By the dialled line.
    pub lines: BTreeMap<LineId, Calls>,
    /// By the queue in which a caller waited first; calls that waited in none have an empty name.
    pub queues: BTreeMap<String, Calls>,
    /// Seats of our own.
    pub seats: BTreeMap<SeatId, Service>,
    /// Those whom callers were put through to, or whose line they dialled, `sub_center/12366`.
    pub targets: BTreeMap<String, Service>,
    /// Transfers by how they were made: `blind`, `consult`, `attended`.
    pub transfers: BTreeMap<String, Transfers>,
    /// Callers who called more than once within the span; who withholds their number is not known.
    pub repeat_callers: u64,
    /// Their calls beyond the first.
    pub repeat_calls: u64,
    /// Calls that the house or a clerk began, by purpose; `own`: dialled to a line of ours.
    pub outward: BTreeMap<String, u64>,
}

/// Transfers of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfers {
    /// Asked for, and begun.
    pub requested: u64,
    /// Picked up.
    pub accepted: u64,
    /// Begun, and not picked up.
    pub failed: u64,
    /// Begun, and not waited for.
    pub withdrawn: u64,
    /// Asked for, and not begun.
    pub declined: u64,
}

impl Kpi {
    /// The figures of these calls, by these rules, whichever were in force when they came.
    ///
    /// A missed call counts as called back where it was settled so; where a call that follows from it, and
    /// in which whoever was called picked up, is among these; or where the caller was answered later.
    pub fn fold<'a>(records: impl IntoIterator<Item = &'a CallRecord>, rules: &Rules) -> Kpi {
        let records: Vec<&CallRecord> = records.into_iter().collect();
        let followed: HashSet<CallId> = records
            .iter()
            .filter(|record| record.peer.is_some())
            .filter_map(|record| record.marks.outward.as_ref()?.of)
            .collect();
        let mut answered: HashMap<&str, CallId> = HashMap::new();
        for record in records.iter().filter(|record| is_answered(record)) {
            let last = answered.entry(&record.caller).or_insert(record.call);
            *last = record.call.max(*last);
        }
        let mut kpi = Kpi::default();
        let mut callers: HashMap<&str, u64> = HashMap::new();
        for record in records {
            kpi.served(record, rules);
            if let Some(purpose) = began_by_us(record) {
                *kpi.outward.entry(purpose.to_owned()).or_default() += 1;
            } else if record.room.is_none() {
                let later = answered.get(record.caller.as_str()).is_some_and(|last| *last > record.call);
                let called_back = later || followed.contains(&record.call);
                kpi.called(record, called_back, rules);
                if !record.caller.is_empty() {
                    *callers.entry(&record.caller).or_default() += 1;
                }
            }
        }
        for calls in callers.into_values().filter(|calls| *calls > 1) {
            kpi.repeat_callers += 1;
            kpi.repeat_calls += calls - 1;
        }
        kpi.finish();
        kpi
    }

    fn called(&mut self, record: &CallRecord, called_back: bool, rules: &Rules) {
        let judged = Judged::of(record, rules);
        let queue = record.first_queue.as_ref().map_or_else(String::new, QueueId::to_string);
        let line = self.lines.entry(record.line.clone()).or_default();
        let queue = self.queues.entry(queue).or_default();
        for calls in [&mut self.total, line, queue] {
            calls.take(record, called_back, judged);
        }
    }

    /// What seats and others did for the caller.
    fn served(&mut self, record: &CallRecord, rules: &Rules) {
        for ring in &record.reached.rings {
            let took_ms = ring.ended_ms.unwrap_or(ring.at_ms).saturating_sub(ring.at_ms);
            match &ring.party {
                Party::Seat { seat } => self.seat(seat).rang(ring.outcome, took_ms),
                // Called by the line's own flow; a transfer's target is counted by its transfer.
                Party::Peer { .. } if ring.purpose == Purpose::Caller && began_by_us(record).is_none() => {
                    self.target(&sub_center(record)).rang(ring.outcome, took_ms);
                }
                Party::Peer { .. } | Party::Caller => {}
            }
        }
        for transfer in &record.reached.transfers {
            self.transferred(transfer);
        }
        for stay in &record.times.parties {
            self.stayed(record, stay);
        }
        if let (Some(grade), Some(seat)) = (record.grade, &record.seat) {
            let unsurveyed = Judged::of(record, rules).unsurveyed;
            self.seat(seat).satisfaction.take(grade, unsurveyed);
        }
    }

    fn transferred(&mut self, transfer: &TransferTime) {
        let taken = transfer.taken();
        let kind = self.transfers.entry(transfer.kind.word().to_owned()).or_default();
        kind.requested += u64::from(!matches!(taken, Taken::AfterHours | Taken::Declined));
        match taken {
            Taken::Accepted(_) => kind.accepted += 1,
            Taken::Unanswered | Taken::Refused | Taken::Unreachable => kind.failed += 1,
            Taken::AfterHours | Taken::Declined => kind.declined += 1,
            Taken::Withdrawn => kind.withdrawn += 1,
            Taken::Open => {}
        }
        let target = transfer.object.as_ref().map_or_else(|| UNKNOWN.to_owned(), Object::to_string);
        self.target(&target).transferred(taken);
    }

    fn stayed(&mut self, record: &CallRecord, stay: &PartyTime) {
        match (&stay.party, own_seat(record)) {
            (Party::Seat { seat }, _) | (Party::Caller, Some(seat)) => self.seat(seat).stayed(stay),
            _ => {}
        }
        match (&stay.object, &stay.party) {
            (Some(object), _) => self.target(&object.to_string()).stayed(stay),
            (None, Party::Peer { .. }) if began_by_us(record).is_none() => {
                self.target(&sub_center(record)).stayed(stay);
            }
            (None, _) => {}
        }
    }

    fn seat(&mut self, seat: &SeatId) -> &mut Service {
        self.seats.entry(seat.clone()).or_default()
    }

    fn target(&mut self, target: &str) -> &mut Service {
        self.targets.entry(target.to_owned()).or_default()
    }

    fn finish(&mut self) {
        let calls = self.lines.values_mut().chain(self.queues.values_mut()).chain([&mut self.total]);
        calls.for_each(|calls| calls.waits.sort());
        self.seats.values_mut().chain(self.targets.values_mut()).for_each(|service| service.pick_up.sort());
    }

    /// The figures of lines put together by whom they belong to, as `owner` knows it.
    pub fn by_owner(&self, owner: impl Fn(&LineId) -> Option<String>) -> BTreeMap<String, Calls> {
        let mut owners: BTreeMap<String, Calls> = BTreeMap::new();
        for (line, calls) in &self.lines {
            owners.entry(owner(line).unwrap_or_else(|| UNKNOWN.to_owned())).or_default().add(calls);
        }
        owners.values_mut().for_each(|calls| calls.waits.sort());
        owners
    }
}

/// Whether a caller who is known by a number was answered.
fn is_answered(record: &CallRecord) -> bool {
    record.person_ms.is_some() && !record.caller.is_empty() && began_by_us(record).is_none()
}

/// The purpose of a call that no citizen began.
fn began_by_us(record: &CallRecord) -> Option<&str> {
    match &record.marks.outward {
        Some(outward) => Some(outward.purpose.word()),
        None if record.room.is_none() && record.trunk.as_str() == SEATS => Some("own"),
        None => None,
    }
}

/// The seat whose telephone is the first leg of a call that it is for.
fn own_seat(record: &CallRecord) -> Option<&SeatId> {
    let seat = record.marks.outward.as_ref()?.seat.as_ref()?;
    let joined = |stay: &PartyTime| matches!(&stay.party, Party::Seat { seat: there } if there == seat);
    (!record.times.parties.iter().any(joined)).then_some(seat)
}

/// Whoever the line's own flow calls.
fn sub_center(record: &CallRecord) -> String {
    Object { kind: ObjectKind::SubCenter, id: record.line.to_string() }.to_string()
}

#[cfg(test)]
#[path = "kpi_test.rs"]
mod tests;
