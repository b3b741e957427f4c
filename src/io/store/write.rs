//! What one write is in SQL. Every write may be done twice: the second changes nothing.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use super::cases;
use super::codes::{self, CodeKey};
use super::feeds;
use super::office;
use super::read;
use super::schema::StoreError;
use super::seats;
use crate::id::{CallId, SeatId};
use crate::ledger::{self, Action, Chain};
use crate::sip::event::Binding;
use crate::switchboard::fact::{Fact, What};
use crate::switchboard::port::StoreJob;
use crate::telemetry::CallRecord;
use crate::tickets::event::{EventRef, ORDERED, StoredEvent};
use crate::tickets::sharing::Scope;
use crate::time::Timestamp;

/// Closed calls whose records are kept at hand for a late fact (the recording's).
const CLOSED_KEPT: usize = 1_024;
/// Records at hand; beyond it a call's record is folded from its facts again when it is needed.
const RECORDS_MAX: usize = 16_384;

/// Ledger entries that are compared with one that may have been written before.
const ENTRIES_LOOKED_AT: usize = 64;

/// Calls that are over wait so long, or until there are [`ROWS_MAX`] of them, for their rows: those of
/// many calls share the pages that each of them would have written.
const ROWS_EVERY: Duration = Duration::from_millis(500);
/// See [`ROWS_EVERY`].
const ROWS_MAX: usize = 1_024;

/// Applies writes inside the transaction that its owner holds open.
pub(super) struct Writes {
    sinks: Vec<Owing>,
    records: HashMap<CallId, CallRecord>,
    /// Closed calls among `records`, oldest first.
    closed: VecDeque<CallId>,
    /// Place of the last call that opened; `None`: not read yet.
    last_arrival: Option<i64>,
    /// Places of those among `records` that have no row yet.
    arrivals: HashMap<CallId, i64>,
    /// Calls that are over, or had a fact after their end, and want a row. What a transaction that
    /// was rolled back said of them is seen again in their facts.
    rowless: BTreeSet<CallId>,
    /// Calls whose rows are in the transaction that is open.
    written: Vec<CallId>,
    /// When their rows are due.
    rows_due: Option<Instant>,
    /// Of the transaction that is open.
    folded: Folded,
    /// The first event that each feed is owed by it, and each sink that the switchboard does not know to be owed more.
    fed: BTreeMap<usize, EventRef>,
    codes: CodeKey,
}

/// A sink, in the plan's order.
#[derive(Clone)]
pub(super) struct Owing {
    /// An event is owed under its sink's name, so that a plan with sinks in another order owes the same.
    pub(super) name: Arc<str>,
    /// It is the embedded office: nothing is owed to it, its tickets are written with the facts.
    pub(super) embedded: bool,
    /// It is a feed, and owed what falls into this.
    pub(super) scope: Option<Scope>,
}

/// Events that came to the embedded office with their facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// In their tickets.
    pub taken: u64,
    /// Set aside as dead letters.
    pub refused: u64,
}

impl Writes {
    pub(super) fn new(sinks: Vec<Owing>, codes: CodeKey) -> Self {
        Writes {
            sinks,
            codes,
            folded: Folded::default(),
            fed: BTreeMap::new(),
            records: HashMap::new(),
            closed: VecDeque::new(),
            last_arrival: None,
            arrivals: HashMap::new(),
            written: Vec::new(),
            rowless: BTreeSet::new(),
            rows_due: None,
        }
    }

    /// What was folded since the last commit is void: the transaction was rolled back.
    pub(super) fn forget(&mut self) {
        self.folded = Folded::default();
        self.fed.clear();
        self.records.clear();
        self.closed.clear();
        self.last_arrival = None;
        self.arrivals.clear();
        self.written.clear();
        if !self.rowless.is_empty() {
            self.rows_due.get_or_insert_with(|| Instant::now() + ROWS_EVERY);
        }
    }

    /// Has a call get its row if it is over, though no fact comes for it.
    pub(super) fn want_row(&mut self, call: CallId) {
        self.rowless.insert(call);
        self.rows_due.get_or_insert_with(|| Instant::now() + ROWS_EVERY);
    }

    /// When [`Writes::rows`] is wanted.
    pub(super) fn rows_due(&self) -> Option<Instant> {
        if self.rowless.len() >= ROWS_MAX { Some(Instant::now()) } else { self.rows_due }
    }

    pub(super) fn job(&mut self, db: &Connection, job: &StoreJob) -> Result<(), StoreError> {
        match job {
            StoreJob::Fact { house, fact, events } => {
                self.fact(db, *house, fact)?;
                events.iter().try_for_each(|event| self.event(db, event))
            }
            StoreJob::Settled { sink, event } => self.settled(db, *sink, *event),
            StoreJob::DeadLetter { sink, event, why } => self.dead_letter(db, *sink, *event, why),
            StoreJob::Access { at, actor, action, subject, reason } => {
                let same = |entry: &ledger::Entry| {
                    (entry.at, &entry.actor, &entry.action) == (*at, actor, action)
                        && (&entry.subject, &entry.reason) == (subject, reason)
                };
                if is_in_ledger(db, same)? {
                    return Ok(());
                }
                append_ledger(db, |last| LedgerRow::after(last, *at, actor, action.clone(), subject, reason))
                    .map(drop)
            }
            StoreJob::Binding { seat, binding } => write_binding(db, seat, binding.as_ref()),
            StoreJob::Seat { house, fact } => seats::enter(db, *house, fact),
        }
    }

    /// Writes the rows of all calls that are over.
    pub(super) fn rows(&mut self, db: &Connection) -> Result<(), StoreError> {
        // Kept until the commit: whoever rolls back has them all again.
        for call in &self.rowless {
            let (folded, arrival);
            let record = match self.records.get(call) {
                Some(record) => {
                    arrival = self.arrivals.get(call).copied();
                    record
                }
                None => {
                    folded = CallRecord::fold(&read::facts(db, *call)?);
                    let Some(record) = &folded else { continue };
                    arrival = find_arrival(db, *call)?;
                    record
                }
            };
            if record.is_closed() {
                write_call(db, record, arrival)?;
                self.written.push(*call);
            }
        }
        Ok(())
    }

    /// A transaction is on disk; `rows`: those were in it. What the embedded office made of its events.
    pub(super) fn committed(&mut self, rows: bool) -> Folded {
        if rows {
            self.rowless.clear();
            self.rows_due = None;
        }
        for call in self.written.drain(..) {
            self.arrivals.remove(&call);
        }
        while self.closed.len() > CLOSED_KEPT {
            if let Some(call) = self.closed.pop_front() {
                self.records.remove(&call);
            }
        }
        if self.records.len() > RECORDS_MAX {
            self.records.clear();
            self.closed.clear();
            self.arrivals.clear();
        }
        std::mem::take(&mut self.folded)
    }

    /// What feeds, and sinks beside the switchboard, are owed by the transaction that is on disk now, each from its first event on.
    pub(super) fn take_fed(&mut self) -> Vec<(usize, EventRef)> {
        std::mem::take(&mut self.fed).into_iter().collect()
    }

    /// The next place in the order in which calls came.
    fn next_arrival(&mut self, db: &Connection) -> Result<i64, StoreError> {
        let last = match self.last_arrival {
            Some(last) => last,
            None => db.query_row(
                "SELECT max(coalesce((SELECT max(arrival) FROM opened), 0),
                     coalesce((SELECT max(arrival) FROM calls), 0))",
                [],
                |row| row.get(0),
            )?,
        };
        Ok(*self.last_arrival.insert(last + 1))
    }

    fn fact(&mut self, db: &Connection, house: u64, fact: &Fact) -> Result<(), StoreError> {
        let json = serde_json::to_string(&fact.what)
            .map_err(|error| StoreError::Row { table: "facts", what: error.to_string() })?;
        let mut insert = db.prepare_cached(
            "INSERT OR IGNORE INTO facts (call, sequence, at, mono_ns, json, house) VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        let new = insert.execute(params![
            fact.call.to_string(),
            fact.sequence,
            fact.at.to_string(),
            i64::try_from(fact.mono.as_nanos()).unwrap_or(i64::MAX),
            json,
            signed(house),
        ])?;
        if new > 0 && fact.sequence == 1 {
            let arrival = self.next_arrival(db)?;
            db.prepare_cached("INSERT INTO opened (arrival, call) VALUES (?, ?)")?
                .execute(params![arrival, fact.call.to_string()])?;
            self.arrivals.insert(fact.call, arrival);
        }
        let record = match self.records.entry(fact.call) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) if fact.sequence == 1 => place.insert(CallRecord::new(fact.call)),
            Entry::Vacant(place) => {
                self.arrivals.extend(find_arrival(db, fact.call)?.map(|arrival| (fact.call, arrival)));
                let folded = CallRecord::fold(&read::facts(db, fact.call)?);
                place.insert(folded.unwrap_or_else(|| CallRecord::new(fact.call)))
            }
        };
        record.apply(fact);
        if let What::Ordered { code, .. } = &fact.what
            && !record.ticket.is_empty()
        {
            let code = code.as_ref().map(|code| self.codes.digest(&record.ticket, code));
            cases::ordered(db, &record.ticket, fact.call, record.opened_at, code.as_deref())?;
        }
        if record.is_closed() {
            self.closed.push_back(fact.call);
            self.want_row(fact.call);
        }
        Ok(())
    }

    fn event(&mut self, db: &Connection, event: &StoredEvent) -> Result<(), StoreError> {
        if self.sinks.is_empty() {
            return Ok(()); // Owed to nobody; the fact itself is kept.
        }
        let mut insert = db.prepare_cached(
            "INSERT OR IGNORE INTO events (call, sequence, kind, at, json) VALUES (?, ?, ?, ?, ?)",
        )?;
        let new = insert.execute(params![
            event.event.call.to_string(),
            event.event.sequence,
            &*event.kind,
            event.at.to_string(),
            &*event.json,
        ])?;
        if new == 0 {
            return Ok(()); // Written before: what was settled since is not owed again.
        }
        let arrival = db.last_insert_rowid();
        let mut owe = db
            .prepare_cached("INSERT OR IGNORE INTO owed (sink, call, sequence, event) VALUES (?, ?, ?, ?)")?;
        for (feed, first) in feeds::owe(db, &self.sinks, event, arrival)? {
            let known = self.fed.entry(feed).or_insert(first);
            *known = first.min(*known);
        }
        for sink in self.sinks.iter().filter(|sink| !sink.embedded && sink.scope.is_none()) {
            owe.execute(params![&*sink.name, event.event.call.to_string(), event.event.sequence, arrival])?;
        }
        for sink in self.sinks.iter().filter(|sink| sink.embedded) {
            match office::fold(db, event)? {
                Ok(()) => self.folded.taken += 1,
                Err(why) => {
                    tracing::warn!(call = %event.event.call, why, "the embedded office refused an event");
                    set_aside(db, &sink.name, arrival, &why)?;
                    self.folded.refused += 1;
                }
            }
        }
        if *event.kind == *ORDERED { codes::forget(db, arrival, self.names()) } else { Ok(()) }
    }

    /// An event that the switchboard knows nothing of: it is told which sinks and feeds are owed more by it.
    pub(super) fn event_aside(&mut self, db: &Connection, event: &StoredEvent) -> Result<(), StoreError> {
        self.event(db, event)?;
        let sinks = self.sinks.iter().enumerate();
        for (place, _) in sinks.filter(|(_, sink)| !sink.embedded && sink.scope.is_none()) {
            let first = self.fed.entry(place).or_insert(event.event);
            *first = event.event.min(*first);
        }
        Ok(())
    }

    /// Of those that are told codes: feeds never are.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.sinks.iter().filter(|sink| sink.scope.is_none()).map(|sink| &*sink.name)
    }

    /// The sink has it: neither is it owed any more, nor a letter that was sent again.
    fn settled(&self, db: &Connection, sink: usize, event: EventRef) -> Result<(), StoreError> {
        let Some(to) = self.sinks.get(sink) else {
            return Ok(());
        };
        db.prepare_cached(
            "DELETE FROM dead_letters
             WHERE sink = ? AND event = (SELECT arrival FROM events WHERE call = ? AND sequence = ?)",
        )?
        .execute(params![&*to.name, event.call.to_string(), event.sequence])?;
        self.owe_no_more(db, &to.name, event)
    }

    fn owe_no_more(&self, db: &Connection, sink: &str, event: EventRef) -> Result<(), StoreError> {
        db.prepare_cached("DELETE FROM owed WHERE sink = ? AND call = ? AND sequence = ?")?
            .execute(params![sink, event.call.to_string(), event.sequence])?;
        let mut ordered =
            db.prepare_cached("SELECT arrival FROM events WHERE call = ? AND sequence = ? AND kind = ?")?;
        let key = params![event.call.to_string(), event.sequence, ORDERED];
        match ordered.query_row(key, |row| row.get(0)).optional()? {
            Some(arrival) => codes::forget(db, arrival, self.names()),
            None => Ok(()),
        }
    }

    fn dead_letter(
        &self,
        db: &Connection,
        sink: usize,
        event: EventRef,
        why: &str,
    ) -> Result<(), StoreError> {
        let (Some(to), Some(arrival)) = (self.sinks.get(sink), arrival(db, event)?) else {
            return Ok(());
        };
        set_aside(db, &to.name, arrival, why)?;
        self.owe_no_more(db, &to.name, event)
    }
}

/// A sink will never take this event. One that was sent again is told of by the latest reason.
pub(super) fn set_aside(db: &Connection, sink: &str, arrival: i64, why: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO dead_letters (sink, event, at, why)
         SELECT ?1, ?2, at, ?3 FROM events WHERE arrival = ?2
         ON CONFLICT (sink, event) DO UPDATE SET why = excluded.why",
    )?
    .execute(params![sink, arrival, why])?;
    Ok(())
}

/// The event's place in the order of arrival.
pub(super) fn arrival(db: &Connection, event: EventRef) -> Result<Option<i64>, StoreError> {
    let mut find = db.prepare_cached("SELECT arrival FROM events WHERE call = ? AND sequence = ?")?;
    let found =
        find.query_row(params![event.call.to_string(), event.sequence], |row| row.get(0)).optional()?;
    Ok(found)
}

/// The row of a call that is over takes the place that it had among those that were open; a fact after
/// its end changes what is there.
fn write_call(db: &Connection, record: &CallRecord, arrival: Option<i64>) -> Result<(), StoreError> {
    let mut upsert = db.prepare_cached(
        "INSERT INTO calls (id, ticket, line, dialled, caller, trunk, opened_at, answered_at,
             queue, seat, waited_ms, talked_ms, grade, cause, lasted_ms, recording, recording_ms,
             recording_lost, undurable, shifted_clock, wire_ref, arrival)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
             ?19, ?20, ?21, ?22)
         ON CONFLICT (id) DO UPDATE SET answered_at = ?8, queue = ?9, seat = ?10, waited_ms = ?11,
             talked_ms = ?12, grade = ?13, cause = ?14, lasted_ms = ?15, recording = ?16,
             recording_ms = ?17, recording_lost = ?18, undurable = ?19",
    )?;
    upsert.execute(params![
        record.call.to_string(),
        record.ticket,
        record.line.as_str(),
        record.dialled,
        record.caller,
        record.trunk.as_str(),
        record.opened_at.to_string(),
        record.answered_at.map(|at| at.to_string()),
        record.queue.as_ref().map(|queue| queue.as_str()),
        record.seat.as_ref().map(|seat| seat.as_str()),
        signed(record.waited_ms),
        signed(record.talked_ms),
        record.grade,
        record.cause.map(cause_text),
        record.lasted_ms.map(signed),
        record.recording,
        record.recording_ms.map(signed),
        signed(record.recording_lost),
        record.undurable,
        record.shifted_clock,
        record.wire_ref,
        arrival,
    ])?;
    if let Some(arrival) = arrival {
        db.prepare_cached("DELETE FROM opened WHERE arrival = ?")?.execute([arrival])?;
    }
    Ok(())
}

/// The place of a call that has no row yet.
fn find_arrival(db: &Connection, call: CallId) -> Result<Option<i64>, StoreError> {
    let mut find = db.prepare_cached("SELECT arrival FROM opened WHERE call = ?")?;
    Ok(find.query_row([call.to_string()], |row| row.get(0)).optional()?)
}

/// `completed`, or `refused 486`.
fn cause_text(cause: crate::switchboard::fact::Cause) -> String {
    match serde_json::to_value(cause) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(named)) => {
            named.iter().map(|(name, value)| format!("{name} {value}")).collect()
        }
        _ => format!("{cause:?}"),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn write_binding(db: &Connection, seat: &SeatId, binding: Option<&Binding>) -> Result<(), StoreError> {
    let Some(binding) = binding else {
        db.prepare_cached("DELETE FROM bindings WHERE seat = ?")?.execute([seat.as_str()])?;
        return Ok(());
    };
    let mut replace = db.prepare_cached(
        "INSERT OR REPLACE INTO bindings (seat, contact, flow, listener, expires_at, call_id, cseq)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    replace.execute(params![
        seat.as_str(),
        binding.contact,
        binding.flow.to_string(),
        i64::try_from(binding.listener).unwrap_or(0),
        binding.expires_at.to_string(),
        binding.call_id,
        binding.cseq,
    ])?;
    Ok(())
}

/// The last entry of the chain: its number, text and hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// From 1, without holes.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The entry, as the ledger wrote it.
    pub json: String,
    /// Its hash, which the next one names.
    pub hash: String,
}

impl LedgerRow {
    /// The entry after `last`, or the first.
    pub fn after(
        last: Option<&LedgerRow>,
        at: Timestamp,
        actor: &str,
        action: Action,
        subject: &str,
        reason: &str,
    ) -> LedgerRow {
        let mut chain = match last.and_then(|row| serde_json::from_str::<ledger::Entry>(&row.json).ok()) {
            Some(entry) => Chain::resume(&entry),
            None => Chain::begin(),
        };
        let entry = chain.append(at, actor, action, subject, reason);
        LedgerRow {
            number: entry.number,
            at,
            // An entry holds strings and numbers only: it always serialises.
            json: serde_json::to_string(&entry).unwrap_or_default(),
            hash: entry.hash,
        }
    }
}

/// Whether one of the last entries is like this: what is written twice comes within a few batches.
fn is_in_ledger(db: &Connection, like: impl Fn(&ledger::Entry) -> bool) -> Result<bool, StoreError> {
    let rows = read::ledger(db, None, ENTRIES_LOOKED_AT)?;
    Ok(rows.iter().filter_map(|row| serde_json::from_str(&row.json).ok()).any(|entry| like(&entry)))
}

/// Appends what `make` makes of the last entry.
pub(super) fn append_ledger(
    db: &Connection,
    make: impl FnOnce(Option<&LedgerRow>) -> LedgerRow,
) -> Result<LedgerRow, StoreError> {
    let last = read::ledger(db, None, 1)?.pop();
    let row = make(last.as_ref());
    db.prepare_cached("INSERT INTO ledger (number, at, json, hash) VALUES (?, ?, ?, ?)")?
        .execute(params![signed(row.number), row.at.to_string(), row.json, row.hash])?;
    Ok(row)
}
