//! Calls that the last run left open: closed with the cause `crash`, once.

use std::collections::HashMap;

use super::Opening;
use super::places;
use super::read;
use super::schema::StoreError;
use super::write::Writes;
use crate::id::CallId;
use crate::switchboard::fact::{Cause, Fact, Party, What, millis};
use crate::switchboard::port::StoreJob;
use crate::telemetry::CallRecord;
use crate::telemetry::parties::PartyTime;
use crate::tickets::event::StoredEvent;
use crate::time::Timestamp;

/// A recording that was made playable again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Its file, as a record names it.
    pub file: String,
    /// What is left of it, milliseconds.
    pub duration_ms: u64,
}

/// Gives every call without an end its last facts: its repaired recording, that whoever talked is gone,
/// with the minutes that are known, then `Closed` with the cause `crash`; and a repaired recording to a call that had ended but not been told of it.
/// `events` makes the ticket events of a fact, given the record with that fact applied.
/// All in one transaction. Returns the facts that were added.
pub fn close_crashed(
    opening: &mut Opening,
    now: Timestamp,
    repaired: &HashMap<CallId, Repaired>,
    mut events: impl FnMut(&CallRecord, &Fact) -> Vec<StoredEvent>,
) -> Result<Vec<Fact>, StoreError> {
    let mut calls = read::rowless_calls(&opening.db)?;
    let mut others: Vec<CallId> = repaired.keys().filter(|call| !calls.contains(call)).copied().collect();
    others.sort_unstable();
    calls.extend(others);
    let mut added = Vec::new();
    let mut house = places::last(&opening.db)?;
    let mut writes = Writes::new(opening.sinks.clone(), opening.codes.clone());
    let change = opening.db.transaction()?;
    for call in calls {
        let Some(mut record) = CallRecord::fold(&read::facts(&change, call)?) else {
            continue; // A recording without a record: the file stays, nobody is named by it.
        };
        for fact in last_facts(&record, now, repaired.get(&call)) {
            record.apply(&fact);
            let events = events(&record, &fact);
            added.push(fact.clone());
            house += 1;
            writes.job(&change, &StoreJob::Fact { house, fact, events })?;
        }
        writes.want_row(call);
    }
    writes.rows(&change)?;
    change.commit()?;
    Ok(added)
}

/// What the record lacks.
fn last_facts(record: &CallRecord, now: Timestamp, repaired: Option<&Repaired>) -> Vec<Fact> {
    let mut whats = Vec::new();
    if let Some(repaired) = repaired
        && record.recording.is_none()
    {
        whats.push(What::Recorded {
            file: repaired.file.clone(),
            duration_ms: repaired.duration_ms,
            lost_frames: 0,
        });
    }
    if !record.is_closed() {
        // The monotonic clock of the dead process: what it last saw is what is known.
        let known = |since| millis(record.last_mono.since(since));
        whats.extend(record.times.present().filter_map(gone));
        whats.push(What::Closed {
            cause: Cause::Crash,
            lasted_ms: known(record.opened_mono),
            answered_ms: record.answered_mono.map(known),
            sound: None,
            reason: None,
        });
    }
    let facts = whats.into_iter().zip(record.sequence + 1..);
    facts
        .map(|(what, sequence)| Fact { call: record.call, sequence, at: now, mono: record.last_mono, what })
        .collect()
}

/// That somebody was there when the process died.
fn gone(stay: &PartyTime) -> Option<What> {
    let talked_ms = stay.talked_ms;
    Some(match stay.party.clone() {
        Party::Caller => return None,
        Party::Seat { seat } => What::SeatLeft { seat, talked_ms, vanished: false },
        Party::Peer { trunk, number } => What::PeerLeft { trunk, number, talked_ms },
    })
}
