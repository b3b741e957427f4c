//! The embedded ticket office: ticket events folded into one row per ticket.
//!
//! At least once in, exactly once kept: an event that is not newer than the last one folded into
//! its ticket changes nothing.

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::{Map, Value};

use super::read::{parse_call, parse_time};
use super::schema::StoreError;
use crate::id::CallId;
use crate::tickets::event::{CLOSED, StoredEvent};
use crate::time::Timestamp;

/// A ticket as the embedded office knows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ticket {
    /// Digits only.
    pub number: String,
    /// Whose call.
    pub call: CallId,
    /// Sequence of the last event.
    pub sequence: u32,
    /// `open` or `closed`.
    pub state: String,
    /// `type` of the last event.
    pub kind: String,
    /// When its first event happened.
    pub opened_at: Timestamp,
    /// When its last event happened.
    pub updated_at: Timestamp,
    /// `data` of its events, the later over the earlier (RFC 7396).
    pub data: Value,
}

/// Folds one event into its ticket. An event without a JSON object is refused with the reason.
pub(super) fn fold(db: &Connection, event: &StoredEvent) -> Result<Result<(), String>, StoreError> {
    let document: Value = match serde_json::from_str(&event.json) {
        Ok(Value::Object(document)) => Value::Object(document),
        Ok(_) => return Ok(Err("the event is no JSON object".to_owned())),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let call = event.event.call.to_string();
    let standing = by_call(db, &call)?;
    if standing.as_ref().is_some_and(|ticket| ticket.sequence >= event.event.sequence) {
        return Ok(Ok(()));
    }
    let news = document.get("data").cloned().unwrap_or(Value::Null);
    let number = standing
        .as_ref()
        .map(|ticket| ticket.number.clone())
        .or_else(|| news.get("ticket").and_then(Value::as_str).map(str::to_owned))
        .unwrap_or_else(|| call.clone());
    let opened_at = standing.as_ref().map_or(event.at, |ticket| ticket.opened_at);
    // A recording may follow the end of its call, and does not open it again.
    let was_closed = standing.as_ref().is_some_and(|ticket| ticket.state == "closed");
    let mut data = standing.map_or_else(|| Value::Object(Map::new()), |ticket| ticket.data);
    merge(&mut data, &news);
    // A call of another kind is kept for who wants to know of it, and is nobody's case to take up.
    let no_case = news.get("kind").is_some();
    let closed = was_closed || no_case || *event.kind == *CLOSED;
    let state = if closed { "closed" } else { "open" };
    let mut upsert = db.prepare_cached(
        "INSERT INTO tickets (number, call, sequence, state, kind, opened_at, updated_at, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (call) DO UPDATE SET sequence = ?3, state = ?4, kind = ?5, updated_at = ?7, data = ?8",
    )?;
    let written = upsert.execute(params![
        number,
        call,
        event.event.sequence,
        state,
        &*event.kind,
        opened_at.to_string(),
        event.at.to_string(),
        data.to_string(),
    ]);
    match written {
        Ok(_) => Ok(Ok(())),
        Err(rusqlite::Error::SqliteFailure(failure, _)) if failure.code == ErrorCode::ConstraintViolation => {
            Ok(Err(format!("ticket {number} is another call's")))
        }
        Err(error) => Err(error.into()),
    }
}

/// JSON merge patch (RFC 7396).
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Value::Object(into) = into else { return };
    for (key, value) in patch {
        match value {
            Value::Null => {
                into.remove(key);
            }
            Value::Object(_) => merge(into.entry(key.clone()).or_insert(Value::Null), value),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

const COLUMNS: &str = "number, call, sequence, state, kind, opened_at, updated_at, data";

fn by_call(db: &Connection, call: &str) -> Result<Option<Ticket>, StoreError> {
    one(db, &format!("SELECT {COLUMNS} FROM tickets WHERE call = ?"), call)
}

pub(super) fn ticket(db: &Connection, number: &str) -> Result<Option<Ticket>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM tickets WHERE number = ?");
    one(db, &sql, number)
}

fn one(db: &Connection, sql: &str, key: &str) -> Result<Option<Ticket>, StoreError> {
    let mut select = db.prepare_cached(sql)?;
    let found = select.query_row([key], |row| Ok(read(row))).optional()?;
    found.transpose()
}

/// Newest first.
pub(super) fn tickets(db: &Connection, most: usize) -> Result<Vec<Ticket>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM tickets ORDER BY call DESC LIMIT ?");
    let mut select = db.prepare_cached(&sql)?;
    let mut rows = select.query([i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut tickets = Vec::new();
    while let Some(row) = rows.next()? {
        tickets.push(read(row)?);
    }
    Ok(tickets)
}

fn read(row: &Row<'_>) -> Result<Ticket, StoreError> {
    let data: String = row.get(7)?;
    Ok(Ticket {
        number: row.get(0)?,
        call: parse_call(&row.get::<_, String>(1)?)?,
        sequence: row.get(2)?,
        state: row.get(3)?,
        kind: row.get(4)?,
        opened_at: parse_time(&row.get::<_, String>(5)?)?,
        updated_at: parse_time(&row.get::<_, String>(6)?)?,
        data: serde_json::from_str(&data)
            .map_err(|error| StoreError::Row { table: "tickets", what: error.to_string() })?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;
    use crate::id::Dice;
    use crate::tickets::event::{CallKind, ClosedBy, EventBody, stored};
    use serde_json::json;

    #[test]
    fn a_ticket_is_closed_when_its_call_is_and_stays_so_when_the_recording_follows() {
        let path = std::env::temp_dir().join(format!("hotline-office-{}.db", std::process::id()));
        let db = schema::open(&path).unwrap();
        let call = CallId::draw(1, &mut Dice::seeded(7));
        let closed = EventBody::Closed {
            cause: ClosedBy::Completed,
            status: None,
            lasted_ms: 9_000,
            answered_ms: Some(8_000),
        };
        let kept = EventBody::RecordingStored { file: "a.wav".into(), duration_ms: 8_000, lost_frames: 0 };
        let happened =
            [(EventBody::Answered { durable: true }, "open"), (closed, "closed"), (kept, "closed")];
        for (sequence, (body, state)) in (1..).zip(happened) {
            let event = stored(call, sequence, Timestamp::UNIX_EPOCH, &body, "/hotline/n");
            assert_eq!(fold(&db, &event).unwrap(), Ok(()));
            let ticket = by_call(&db, &call.to_string()).unwrap().unwrap();
            assert_eq!((ticket.state.as_str(), &*ticket.kind), (state, body.kind()));
        }
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
    }

    #[test]
    fn a_meetings_call_is_kept_and_is_nobodys_case_from_the_start() {
        let path = std::env::temp_dir().join(format!("hotline-office-m-{}.db", std::process::id()));
        let db = schema::open(&path).unwrap();
        let opened = |kind| EventBody::Opened {
            ticket: format!("2109010000{}", u8::from(kind == Some(CallKind::Meeting))),
            line: "94000001".into(),
            line_name: "内部会议".into(),
            dialled: "94000001".into(),
            caller: "1001".into(),
            trunk: "seats".into(),
            plan: "00".into(),
            shifted_clock: false,
            wire_ref: String::new(),
            kind,
        };
        for (kind, states) in [(Some(CallKind::Meeting), ["closed"; 2]), (None, ["open"; 2])] {
            let call = CallId::draw(1, &mut Dice::seeded(states[0].len() as u64));
            let bodies = [opened(kind), EventBody::Answered { durable: true }];
            for (sequence, (body, state)) in (1..).zip(bodies.iter().zip(states)) {
                let event = stored(call, sequence, Timestamp::UNIX_EPOCH, body, "/hotline/n");
                assert_eq!(fold(&db, &event).unwrap(), Ok(()));
                assert_eq!(by_call(&db, &call.to_string()).unwrap().unwrap().state, state, "{kind:?}");
            }
        }
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
    }

    #[test]
    fn a_merge_replaces_values_deepens_objects_and_removes_nulls() {
        let mut into = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": 4});
        merge(&mut into, &json!({"a": 9, "b": {"c": null, "f": 5}, "g": {"h": 1}}));
        assert_eq!(into, json!({"a": 9, "b": {"d": 3, "f": 5}, "e": 4, "g": {"h": 1}}));
    }
}
