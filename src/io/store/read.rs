//! What is read: at start, for screens and sinks, and by look-up commands beside a running engine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::office::{self, Ticket};
use super::schema::{self, StoreError};
use super::write::LedgerRow;
use crate::id::{CallId, LineId, SeatId};
use crate::sip::event::Binding;
use crate::switchboard::fact::{Fact, What};
use crate::switchboard::port::Earlier;
use crate::telemetry::CallRecord;
use crate::tickets::event::{EventRef, StoredEvent};
use crate::time::{Instant, Timestamp};

/// A read-only connection; many may stand beside a running engine.
pub struct Reader {
    pub(super) db: Connection,
    /// The directory that it is in.
    pub(super) data: PathBuf,
}

/// What a caller of [`Reader::calls`] wants to see.
#[derive(Clone, Debug, Default)]
pub struct CallQuery {
    /// Calls to this line only.
    pub line: Option<String>,
    /// Calls of this caller only.
    pub caller: Option<String>,
    /// The call of this ticket only.
    pub ticket: Option<String>,
    /// Calls that go on only.
    pub open: bool,
    /// The newest so many; 0: none.
    pub most: usize,
}

impl CallQuery {
    fn wants(&self, record: &CallRecord) -> bool {
        self.line.as_ref().is_none_or(|line| *line == *record.line.as_str())
            && self.caller.as_ref().is_none_or(|caller| *caller == record.caller)
            && self.ticket.as_ref().is_none_or(|ticket| *ticket == record.ticket)
            && !(self.open && record.is_closed())
    }
}

/// What a sink owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Events.
    pub events: usize,
    /// When the oldest happened.
    pub oldest: Option<Timestamp>,
}

/// An event that a sink refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Whose.
    pub sink: String,
    /// What.
    pub event: StoredEvent,
    /// What the sink said.
    pub why: String,
}

/// `IN` and a limit in the text: SQLite plans an `=` beside an `ORDER BY`, and a limit, by the values
/// that are bound, and would prepare a cached statement anew for each caller.
const HISTORY: &str = "SELECT opened_at, line, ticket, seat, grade, cause FROM calls
     WHERE caller IN (?) AND id <> ? ORDER BY arrival DESC LIMIT {most}";

/// Calls of one caller that [`Reader::earlier`] looks at.
const EARLIER_MAX: usize = 200;
/// Open tickets that a screen shows.
const TICKETS_MAX: usize = 5;

/// See [`HISTORY`]. A ticket that the embedded office has is open while its call is, and where it was left
/// for somebody to take up.
const EARLIER: &str = "SELECT c.opened_at, c.lasted_ms, c.seat,
         (SELECT t.number FROM tickets t WHERE t.call = c.id
             AND (t.state = 'open' OR json_extract(t.data, '$.reason') IS NOT NULL))
     FROM calls c WHERE c.caller IN (?) AND c.id <> ? ORDER BY c.arrival DESC LIMIT {most}";

impl Reader {
    /// Opens the database of a running or stopped engine.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let data = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        Ok(Reader { db: schema::open_read_only(path)?, data })
    }

    /// Records of calls, newest first.
    pub fn calls(&self, query: &CallQuery) -> Result<Vec<CallRecord>, StoreError> {
        // One view of both tables: a call that ends meanwhile is in neither or both of two.
        let view = self.db.unchecked_transaction()?;
        let mut found = Vec::new();
        for (arrival, call) in rowless(&view)? {
            found.extend(
                CallRecord::fold(&facts(&view, call)?)
                    .filter(|record| query.wants(record))
                    .map(|record| (arrival, record)),
            );
        }
        let mut select = view.prepare_cached(
            "SELECT arrival, id FROM calls WHERE (?1 IS NULL OR line = ?1) AND (?2 IS NULL OR caller = ?2)
                 AND (?3 IS NULL OR ticket = ?3) AND NOT ?4
             ORDER BY arrival DESC LIMIT ?5",
        )?;
        let most = i64::try_from(query.most).unwrap_or(i64::MAX);
        let rows = select
            .query_map(params![query.line, query.caller, query.ticket, query.open, most], arrival_and_id)?
            .collect::<Result<Vec<_>, _>>()?;
        for (arrival, id) in rows {
            found.extend(CallRecord::fold(&facts(&view, parse_call(&id)?)?).map(|record| (arrival, record)));
        }
        found.sort_by_key(|(arrival, _)| std::cmp::Reverse(*arrival));
        found.truncate(query.most);
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    /// Records of the calls that opened at `from` or later and before `until`, in order of their ids.
    ///
    /// An id begins with the wall clock's millisecond at its birth, so it is found without another index.
    pub fn calls_opened(&self, from: Timestamp, until: Timestamp) -> Result<Vec<CallRecord>, StoreError> {
        let mut found = Vec::new();
        self.each_opened(from, until, |record| found.push(record))?;
        Ok(found)
    }

    /// The same, one after another.
    pub fn each_opened(
        &self,
        from: Timestamp,
        until: Timestamp,
        mut each: impl FnMut(CallRecord),
    ) -> Result<(), StoreError> {
        let view = self.db.unchecked_transaction()?;
        let mut select = view.prepare_cached(
            "SELECT id FROM calls WHERE id >= ?1 AND id < ?2
             UNION SELECT call FROM opened WHERE call >= ?1 AND call < ?2 ORDER BY 1",
        )?;
        let (first, last) = (from.as_millisecond() - BIRTH_SLACK_MS, until.as_millisecond() + BIRTH_SLACK_MS);
        let ids = select.query_map([id_from(first), id_from(last)], |row| row.get::<_, String>(0))?;
        for id in ids {
            let record = CallRecord::fold(&facts(&view, parse_call(&id?)?)?);
            record.filter(|record| from <= record.opened_at && record.opened_at < until).map(&mut each);
        }
        Ok(())
    }

    /// One call's record.
    pub fn call(&self, call: CallId) -> Result<Option<CallRecord>, StoreError> {
        Ok(CallRecord::fold(&facts(&self.db, call)?))
    }

    /// The line of a call that is over, and when it ended: from its row, without its facts. `None`: it goes on, or its
    /// row is yet to be written.
    pub fn ended(&self, call: CallId) -> Result<Option<(LineId, Timestamp)>, StoreError> {
        let mut select = self.db.prepare_cached(
            "SELECT line, opened_at, lasted_ms FROM calls WHERE id = ? AND cause IS NOT NULL AND lasted_ms IS NOT NULL",
        )?;
        let mut rows = select.query([call.to_string()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let lasted = Duration::from_millis(u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0));
        let ended = parse_time(&row.get::<_, String>(1)?)?.checked_add(lasted).unwrap_or(Timestamp::MAX);
        Ok(Some((LineId::from(row.get::<_, String>(0)?.as_str()), ended)))
    }

    /// One call's facts, in order.
    pub fn facts(&self, call: CallId) -> Result<Vec<Fact>, StoreError> {
        facts(&self.db, call)
    }

    /// Tickets of the embedded office, newest first.
    pub fn tickets(&self, most: usize) -> Result<Vec<Ticket>, StoreError> {
        office::tickets(&self.db, most)
    }

    /// One ticket of the embedded office.
    pub fn ticket(&self, number: &str) -> Result<Option<Ticket>, StoreError> {
        office::ticket(&self.db, number)
    }

    /// Entries of the ledger, newest first, from before number `before`.
    pub fn ledger(&self, before: Option<u64>, most: usize) -> Result<Vec<LedgerRow>, StoreError> {
        ledger(&self.db, before, most)
    }

    /// What the sink is still owed, in order of call and sequence, after an event.
    pub fn owed(
        &self,
        sink: &str,
        after: Option<EventRef>,
        most: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        owed(&self.db, sink, after, most)
    }

    /// How much the sink owes and since when.
    pub fn owed_figures(&self, sink: &str) -> Result<Owed, StoreError> {
        let mut select = self.db.prepare_cached(
            "SELECT count(*), (SELECT at FROM events WHERE arrival =
                 (SELECT min(event) FROM owed WHERE sink = ?1))
             FROM owed WHERE sink = ?1",
        )?;
        let (events, oldest) =
            select.query_row([sink], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?)))?;
        Ok(Owed {
            events: usize::try_from(events).unwrap_or(0),
            oldest: oldest.as_deref().map(parse_time).transpose()?,
        })
    }

    /// Events that sinks refused, oldest first.
    pub fn dead_letters(&self, most: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let mut select = self.db.prepare_cached(
            "SELECT call, sequence, kind, e.at, e.json, sink, why FROM dead_letters d
             JOIN events e ON e.arrival = d.event ORDER BY d.event LIMIT ?",
        )?;
        let mut rows = select.query([i64::try_from(most).unwrap_or(i64::MAX)])?;
        let mut letters = Vec::new();
        while let Some(row) = rows.next()? {
            letters.push(DeadLetter { event: event(row)?, sink: row.get(5)?, why: row.get(6)? });
        }
        Ok(letters)
    }

    /// The caller's last calls before `call`, newest first, one line of text each. A withheld
    /// number has no history.
    pub fn history(&self, caller: &str, call: CallId, most: usize) -> Result<Vec<String>, StoreError> {
        if caller.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = self.db.prepare_cached(&HISTORY.replace("{most}", &most.to_string()))?;
        let rows = select.query_map(params![caller, call.to_string()], history_line)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Reader {
    /// What follows from the caller's calls before `call`: of those since `since`, how many, who talked with
    /// the caller last, and what is open; and when the last one that a clerk took ended. Calls beyond the
    /// newest [`EARLIER_MAX`] count for nothing.
    pub fn earlier(&self, caller: &str, call: CallId, since: Timestamp) -> Result<Earlier, StoreError> {
        let mut earlier = Earlier::default();
        if caller.is_empty() {
            return Ok(earlier);
        }
        let mut select = self.db.prepare_cached(&EARLIER.replace("{most}", &EARLIER_MAX.to_string()))?;
        let mut rows = select.query(params![caller, call.to_string()])?;
        while let Some(row) = rows.next()? {
            let opened_at = parse_time(&row.get::<_, String>(0)?)?;
            let lasted = u64::try_from(row.get::<_, Option<i64>>(1)?.unwrap_or(0)).unwrap_or(0);
            let seat: Option<String> = row.get(2)?;
            if seat.is_some() && earlier.last_ended.is_none() {
                earlier.last_ended = opened_at.checked_add(Duration::from_millis(lasted)).ok();
            }
            if opened_at < since {
                continue;
            }
            earlier.calls += 1;
            if earlier.seat.is_none() {
                earlier.seat = seat.map(|seat| SeatId::from(seat.as_str()));
            }
            if earlier.tickets.len() < TICKETS_MAX {
                earlier.tickets.extend(row.get::<_, Option<String>>(3)?);
            }
        }
        Ok(earlier)
    }
}

/// A call is born a moment before it opens.
const BIRTH_SLACK_MS: i64 = 60_000;

/// What the ids of calls that are born at this millisecond or later are not less than (RFC 9562 §5.7).
pub(super) fn id_from(unix_ms: i64) -> String {
    let hex = format!("{:012x}", u64::try_from(unix_ms).unwrap_or(0) & 0xffff_ffff_ffff);
    format!("{}-{}", &hex[..8], &hex[8..])
}

fn history_line(row: &Row<'_>) -> rusqlite::Result<String> {
    let text = |index| row.get::<_, String>(index);
    let mut line = format!("{} {} ticket {}", text(0)?, text(1)?, text(2)?);
    if let Some(seat) = row.get::<_, Option<String>>(3)? {
        line.push_str(&format!(" seat {seat}"));
    }
    if let Some(grade) = row.get::<_, Option<u8>>(4)? {
        line.push_str(&format!(" grade {grade}"));
    }
    let cause = row.get::<_, Option<String>>(5)?;
    line.push(' ');
    line.push_str(cause.as_deref().unwrap_or("open"));
    Ok(line)
}

pub(super) fn facts(db: &Connection, call: CallId) -> Result<Vec<Fact>, StoreError> {
    let mut select =
        db.prepare_cached("SELECT sequence, at, mono_ns, json FROM facts WHERE call = ? ORDER BY sequence")?;
    let mut rows = select.query([call.to_string()])?;
    let mut facts = Vec::new();
    while let Some(row) = rows.next()? {
        facts.push(fact(row, call)?);
    }
    Ok(facts)
}

/// Of a row that begins with `sequence, at, mono_ns, json`.
pub(super) fn fact(row: &Row<'_>, call: CallId) -> Result<Fact, StoreError> {
    let json: String = row.get(3)?;
    let what: What = serde_json::from_str(&json)
        .map_err(|error| StoreError::Row { table: "facts", what: format!("call {call}: {error}") })?;
    Ok(Fact {
        call,
        sequence: row.get(0)?,
        at: parse_time(&row.get::<_, String>(1)?)?,
        mono: Instant::from_nanos(u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0)),
        what,
    })
}

/// Calls without a row, in order of arrival: those that go on, and those that have just ended.
pub(super) fn rowless_calls(db: &Connection) -> Result<Vec<CallId>, StoreError> {
    Ok(rowless(db)?.into_iter().map(|(_, call)| call).collect())
}

fn rowless(db: &Connection) -> Result<Vec<(i64, CallId)>, StoreError> {
    let mut select = db.prepare_cached("SELECT arrival, call FROM opened ORDER BY arrival")?;
    let rows = select.query_map([], arrival_and_id)?.collect::<Result<Vec<_>, _>>()?;
    rows.into_iter().map(|(arrival, id)| Ok((arrival, parse_call(&id)?))).collect()
}

fn arrival_and_id(row: &Row<'_>) -> rusqlite::Result<(i64, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

pub(super) fn bindings(db: &Connection) -> Result<Vec<(SeatId, Binding)>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT seat, contact, flow, listener, expires_at, call_id, cseq FROM bindings ORDER BY seat",
    )?;
    let mut rows = select.query([])?;
    let mut bindings = Vec::new();
    while let Some(row) = rows.next()? {
        let seat = SeatId::from(row.get::<_, String>(0)?.as_str());
        let flow: String = row.get(2)?;
        let flow: SocketAddr = flow.parse().map_err(|_| StoreError::Row {
            table: "bindings",
            what: format!("seat {seat}: flow {flow:?} is no address"),
        })?;
        let binding = Binding {
            contact: row.get(1)?,
            flow,
            listener: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            expires_at: parse_time(&row.get::<_, String>(4)?)?,
            call_id: row.get(5)?,
            cseq: row.get(6)?,
        };
        bindings.push((seat, binding));
    }
    Ok(bindings)
}

pub(super) fn last_ticket(db: &Connection) -> Result<Option<String>, StoreError> {
    let newest = |sql| db.query_row(sql, [], arrival_and_id).optional();
    let row = newest("SELECT arrival, ticket FROM calls ORDER BY arrival DESC LIMIT 1")?;
    let rowless = newest("SELECT arrival, call FROM opened ORDER BY arrival DESC LIMIT 1")?;
    match rowless {
        Some((arrival, call)) if row.as_ref().is_none_or(|(before, _)| *before < arrival) => {
            let record = CallRecord::fold(&facts(db, parse_call(&call)?)?);
            Ok(record.map(|record| record.ticket))
        }
        _ => Ok(row.map(|(_, ticket)| ticket)),
    }
}

pub(super) fn owed(
    db: &Connection,
    sink: &str,
    after: Option<EventRef>,
    most: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    // The empty text sorts before every id.
    let (call, sequence) =
        after.map_or_else(|| (String::new(), 0), |event| (event.call.to_string(), event.sequence));
    let mut select = db.prepare_cached(
        "SELECT e.call, e.sequence, kind, at, json FROM owed o JOIN events e ON arrival = event
         WHERE sink = ?1 AND (o.call, o.sequence) > (?2, ?3) ORDER BY o.call, o.sequence LIMIT ?4",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = select.query(params![sink, call, sequence, most])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(event(row)?);
    }
    Ok(events)
}

pub(super) fn ledger(
    db: &Connection,
    before: Option<u64>,
    most: usize,
) -> Result<Vec<LedgerRow>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT number, at, json, hash FROM ledger WHERE ?1 IS NULL OR number < ?1
         ORDER BY number DESC LIMIT ?2",
    )?;
    let before = before.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let mut rows = select.query(params![before, i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(LedgerRow {
            number: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
            at: parse_time(&row.get::<_, String>(1)?)?,
            json: row.get(2)?,
            hash: row.get(3)?,
        });
    }
    Ok(entries)
}

pub(super) fn event(row: &Row<'_>) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        event: EventRef { call: parse_call(&row.get::<_, String>(0)?)?, sequence: row.get(1)? },
        kind: Arc::from(row.get::<_, String>(2)?),
        at: parse_time(&row.get::<_, String>(3)?)?,
        json: Arc::from(row.get::<_, String>(4)?),
    })
}

pub(super) fn parse_call(text: &str) -> Result<CallId, StoreError> {
    CallId::parse(text)
        .ok_or_else(|| StoreError::Row { table: "calls", what: format!("{text:?} is no call id") })
}

pub(super) fn parse_time(text: &str) -> Result<Timestamp, StoreError> {
    text.parse()
        .map_err(|error| StoreError::Row { table: "facts", what: format!("{text:?} is no time: {error}") })
}

/// Age of a time as of `now`; zero for one that lies ahead.
pub fn age(since: Option<Timestamp>, now: Timestamp) -> Duration {
    let Some(since) = since else {
        return Duration::ZERO;
    };
    Duration::try_from(now.duration_since(since)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::id::Dice;

    #[test]
    fn callers_are_looked_up_without_preparing_the_question_anew() {
        let path = std::env::temp_dir().join(format!("hotline-read-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        drop(super::super::schema::open(&path).unwrap());
        let reader = Reader::open(&path).unwrap();
        let call = CallId::draw(1, &mut Dice::seeded(1));
        for number in 0..10 {
            assert_eq!(reader.history(&format!("1380000000{number}"), call, 5).unwrap(), [""; 0]);
        }
        let again = reader.db.prepare_cached(&HISTORY.replace("{most}", "5")).unwrap();
        assert!(again.get_status(StatementStatus::Run) >= 10, "it is the statement that was asked");
        assert_eq!(again.get_status(StatementStatus::RePrepare), 0);
        std::fs::remove_file(&path).unwrap();
    }
}
