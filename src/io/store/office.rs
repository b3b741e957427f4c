//! The embedded ticket office: ticket events folded into one row per ticket.
//!
//! At least once in, exactly once kept: an event that is not newer than the last one folded into
//! its ticket changes nothing.

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::read::{self, parse_call, parse_time};
use super::schema::StoreError;
use super::write::{arrival, set_aside};
use crate::id::CallId;
use crate::tickets::event::{self, CLOSED, EventBody, Graded, StoredEvent};
use crate::tickets::story::Story;
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
    /// `data` of its events, the later over the earlier (RFC 7396). What may happen more than once is in
    /// lists: `parties`, `transfers`, `bots`, `flags`; what would hide another event's field has a name of its own:
    /// `disposition`, `survey_reason`, `priority`, `recognised`, `outward`, `callback`.
    pub data: Value,
}

/// Events that were owed, folded in one transaction.
const OWED_AT_ONCE: usize = 1_024;

/// Folds what the embedded office is owed, in order, until nothing is left.
pub(super) fn fold_owed(db: &mut Connection, sink: &str) -> Result<(), StoreError> {
    loop {
        let change = db.transaction()?;
        let owed = read::owed(&change, sink, None, OWED_AT_ONCE)?;
        for event in &owed {
            if let Err(why) = fold(&change, event)? {
                let Some(arrival) = arrival(&change, event.event)? else { continue };
                set_aside(&change, sink, arrival, &why)?;
            }
        }
        for event in &owed {
            change
                .prepare_cached("DELETE FROM owed WHERE sink = ? AND call = ? AND sequence = ?")?
                .execute(params![sink, event.event.call.to_string(), event.event.sequence])?;
        }
        change.commit()?;
        if owed.len() < OWED_AT_ONCE {
            return Ok(());
        }
    }
}

/// Folds one event into its ticket. An event without a JSON object is refused with the reason, and so is what
/// can never be written: it would take its fact with it.
pub(super) fn fold(db: &Connection, event: &StoredEvent) -> Result<Result<(), String>, StoreError> {
    match fold_into_ticket(db, event) {
        Err(error) if !error.is_environment() => Ok(Err(error.to_string())),
        told => told,
    }
}

fn fold_into_ticket(db: &Connection, event: &StoredEvent) -> Result<Result<(), String>, StoreError> {
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
    let told = event::read(&event.json).ok().map(|read| read.body);
    let removed = matches!(told, Some(EventBody::RecordingRemoved { .. }));
    // Its place is behind whatever may still be told of the call.
    let sequence = match &standing {
        Some(ticket) if removed => ticket.sequence,
        None if removed => return Ok(Ok(())), // Of a call that this office was never told of.
        _ => event.event.sequence,
    };
    let number = standing
        .as_ref()
        .map(|ticket| ticket.number.clone())
        .or_else(|| news.get("ticket").and_then(Value::as_str).map(str::to_owned))
        .unwrap_or_else(|| call.clone());
    let opened_at = standing.as_ref().map_or(event.at, |ticket| ticket.opened_at);
    // A recording may follow the end of its call, and does not open it again.
    let was_closed = standing.as_ref().is_some_and(|ticket| ticket.state == "closed");
    let mut data = standing.map_or_else(|| Value::Object(Map::new()), |ticket| ticket.data);
    let own = told.as_ref().and_then(|told| patch(event.at, told, &news));
    merge(&mut data, &own.unwrap_or_else(|| news.clone()));
    if let Some(told) = &told {
        keep_story(&mut data, event.at, told);
    }
    // A call of another kind is kept for who wants to know of it, and is nobody's case to take up.
    let may_be_none = matches!(told, Some(EventBody::Opened { .. }) | None);
    let no_case = may_be_none && news.get("kind").is_some();
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
        sequence,
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

/// What an event changes of a ticket's data, where that is not simply its own; empty: its lists say it.
fn patch(at: Timestamp, told: &EventBody, news: &Value) -> Option<Value> {
    Some(match told {
        EventBody::Transfer { .. }
        | EventBody::Held { .. }
        | EventBody::PeerLeft { .. }
        | EventBody::BotTalked { .. }
        | EventBody::ArticleUsed { .. }
        | EventBody::ArticleFaulty { .. }
        | EventBody::Flagged { .. } => Value::Object(Map::new()),
        EventBody::Disposed { .. } => json!({ "disposition": without_version(news) }),
        EventBody::Prioritised { priority, why } => json!({ "priority": priority, "priority_why": why }),
        EventBody::Ordered { .. } => without(news, "code"), // The caller's own: whoever knows it passes for them.
        EventBody::Recognised { .. } => json!({ "recognised": without_version(news) }),
        EventBody::Outward { .. } => json!({ "outward": without_version(news) }),
        EventBody::CallbackKept { .. } | EventBody::CallbackSettled { .. } => {
            json!({ "callback": without_version(news) })
        }
        EventBody::RecordingRemoved { class } => {
            json!({ "recording_removed": { "at": at.to_string(), "class": class } })
        }
        EventBody::Surveyed { grade, reason, subject: Some(Graded::Flow) } => match reason {
            Some(reason) => json!({ "flow_grade": grade, "flow_survey_reason": reason }),
            None => json!({ "flow_grade": grade }),
        },
        EventBody::Surveyed { grade, reason: Some(reason), subject: None } => {
            json!({ "grade": grade, "survey_reason": reason })
        }
        _ => return None,
    })
}

/// The fields but for the contract's own.
fn without_version(news: &Value) -> Value {
    without(news, "schema_version")
}

fn without(news: &Value, field: &str) -> Value {
    let mut fields = news.clone();
    if let Value::Object(fields) = &mut fields {
        fields.remove(field);
    }
    fields
}

/// Brings the lists up to date, and the reason: a failed transfer is one, where there is no other.
fn keep_story(data: &mut Value, at: Timestamp, told: &EventBody) {
    let mut story: Story = serde_json::from_value(data.clone()).unwrap_or_default();
    let before = story.transfer_reason.clone();
    if !story.apply(at, told) {
        return;
    }
    if story.transfer_reason != before {
        let reason = data.get("reason").and_then(Value::as_str);
        if reason.map(str::to_owned) == before {
            merge(data, &json!({ "reason": story.transfer_reason }));
        }
        merge(data, &json!({ "transfer_reason": story.transfer_reason }));
    }
    // No map with keys that are not strings, no float: it cannot fail.
    merge(data, &serde_json::to_value(&story).unwrap_or_default());
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
    use crate::tickets::event::{
        CallKind, ClosedBy, Direction, Flag, ObjectKind, SaidLine, Speaker, TransferKind, TransferStep,
        stored,
    };

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

    /// An office of one ticket, and what becomes of it.
    struct Desk {
        db: Connection,
        path: std::path::PathBuf,
        call: CallId,
        sequence: u32,
    }

    impl Desk {
        fn new(name: &str) -> Desk {
            let path = std::env::temp_dir().join(format!("hotline-office-{name}-{}.db", std::process::id()));
            let db = schema::open(&path).unwrap();
            Desk { db, path, call: CallId::draw(1, &mut Dice::seeded(3)), sequence: 0 }
        }

        fn told(&mut self, body: &EventBody) -> Ticket {
            self.sequence += 1;
            let at = Timestamp::from_second(self.sequence.into()).unwrap();
            let event = stored(self.call, self.sequence, at, body, "/hotline/n");
            for _ in 0..2 {
                assert_eq!(fold(&self.db, &event).unwrap(), Ok(()));
            }
            by_call(&self.db, &self.call.to_string()).unwrap().unwrap()
        }
    }

    impl Drop for Desk {
        fn drop(&mut self) {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", self.path.display()));
            }
        }
    }

    fn opened() -> EventBody {
        EventBody::Opened {
            ticket: "21090100001".into(),
            line: "12345".into(),
            line_name: "政务服务便民热线".into(),
            dialled: "12345".into(),
            caller: "1".into(),
            trunk: "carrier".into(),
            plan: "00".into(),
            shifted_clock: false,
            wire_ref: String::new(),
            kind: None,
        }
    }

    fn transfer(step: TransferStep, status: Option<u16>, leg: Option<u16>) -> EventBody {
        EventBody::Transfer {
            kind: TransferKind::Consult,
            to: "12366".into(),
            step,
            status,
            leg,
            object_kind: Some(ObjectKind::SubCenter),
            object: Some("12366".into()),
            scope: None,
            area: None,
        }
    }

    #[test]
    fn a_ticket_lists_who_talked_and_a_failed_transfer_is_its_reason_until_one_succeeds() {
        let mut desk = Desk::new("lists");
        desk.told(&opened());
        desk.told(&EventBody::SeatAnswered { seat: "1001".into(), waited_ms: 5, leg: Some(1) });
        desk.told(&transfer(TransferStep::Requested, None, None));
        let failed = desk.told(&transfer(TransferStep::Failed, Some(486), Some(2)));
        assert_eq!(failed.data["reason"], "transfer_failed/sub_center/12366/486");
        assert_eq!((failed.state.as_str(), &failed.data["to"]), ("open", &Value::Null), "steps hide nothing");
        desk.told(&transfer(TransferStep::Requested, None, None));
        desk.told(&EventBody::PeerAnswered { trunk: "sub".into(), number: "12366".into(), leg: Some(3) });
        let merged = desk.told(&transfer(TransferStep::Merged, None, Some(3)));
        assert_eq!((merged.data.get("reason"), merged.data.get("transfer_reason")), (None, None));
        desk.told(&EventBody::SeatLeft { seat: "1001".into(), talked_ms: 7_000, vanished: false });
        let left = EventBody::PeerLeft { trunk: "sub".into(), number: "12366".into(), talked_ms: 3_000 };
        let data = desk.told(&left).data;
        assert_eq!(
            data["parties"],
            json!([
                {"party": "seat", "seat": "1001", "leg": 1, "joined_at": "1970-01-01T00:00:02Z",
                 "left_at": "1970-01-01T00:00:08Z", "talked_ms": 7_000},
                {"party": "peer", "trunk": "sub", "number": "12366", "leg": 3,
                 "joined_at": "1970-01-01T00:00:06Z", "left_at": "1970-01-01T00:00:09Z", "talked_ms": 3_000},
            ])
        );
        let transfers = data["transfers"].as_array().unwrap();
        assert_eq!((transfers.len(), &transfers[0]["status"]), (2, &json!(486)));
        assert_eq!((&transfers[1]["step"], &transfers[1]["leg"]), (&json!("merged"), &json!(3)));

        // A ticket that was left has its reason already.
        desk.told(&EventBody::TicketLeft { ticket: "21090100001".into(), reason: "overflow".into() });
        let data = desk.told(&transfer(TransferStep::Failed, Some(408), None)).data;
        assert_eq!(data["reason"], "overflow");
        assert_eq!(data["transfer_reason"], "transfer_failed/sub_center/12366/408");
    }

    #[test]
    fn what_a_call_was_about_and_why_a_grade_was_bad_have_places_of_their_own() {
        let mut desk = Desk::new("about");
        desk.told(&opened());
        desk.told(&EventBody::Recognised { calls: 2, seat: None, tickets: vec!["21083000017".into()] });
        desk.told(&EventBody::Prioritised { priority: 1_000, why: "urgent".into() });
        desk.told(&EventBody::CallbackKept { queue: "main".into(), ahead: 2 });
        let flow = Some(Graded::Flow);
        desk.told(&EventBody::Surveyed { grade: 4, reason: None, subject: flow });
        let data = desk.told(&EventBody::Surveyed { grade: 4, reason: Some(2), subject: flow }).data;
        assert_eq!((&data["flow_grade"], &data["flow_survey_reason"]), (&json!(4), &json!(2)));
        assert_eq!((data.get("grade"), data.get("survey_reason"), data.get("subject")), (None, None, None));
        desk.told(&EventBody::Surveyed { grade: 5, reason: None, subject: None });
        desk.told(&EventBody::Surveyed { grade: 5, reason: Some(3), subject: None });
        for flag in [Flag::Abusive, Flag::Urgent, Flag::Abusive] {
            desk.told(&EventBody::Flagged { flag, by: "1001".into() });
        }
        let disposed = |field: Option<&str>, not_accepted: Option<&str>| EventBody::Disposed {
            field: field.map(str::to_owned),
            matter: Some("complaint".into()),
            not_accepted: not_accepted.map(str::to_owned),
            secret: false,
            unsurveyed: true,
            by: "1001".into(),
            immediate: None,
        };
        desk.told(&disposed(Some("market"), None));
        desk.told(&disposed(None, Some("litigation")));
        let ticket = desk.told(&EventBody::CallbackSettled { outcome: "answered".into() });
        let data = &ticket.data;
        assert_eq!(ticket.state, "open");
        assert_eq!(
            (&data["grade"], &data["survey_reason"], data.get("reason")),
            (&json!(5), &json!(3), None)
        );
        assert_eq!(data["flags"], json!(["abusive", "urgent"]));
        assert_eq!((&data["priority"], &data["priority_why"]), (&json!(1_000), &json!("urgent")));
        assert_eq!(data["recognised"]["tickets"], json!(["21083000017"]));
        assert_eq!(data["callback"], json!({"queue": "main", "ahead": 2, "outcome": "answered"}));
        // The later one holds, and nothing is left of the earlier.
        let (matter, not_accepted) = ("complaint", "litigation");
        let about = json!({"matter": matter, "not_accepted": not_accepted, "secret": false, "unsurveyed": true,
                           "by": "1001"});
        assert_eq!(data["disposition"], about);
    }

    #[test]
    fn articles_that_were_told_are_in_the_ticket_by_the_last_word_and_what_is_wrong_with_one_is_not() {
        let mut desk = Desk::new("articles");
        let before = desk.told(&opened()).data;
        let used = |article: &str, version: &str, settled| EventBody::ArticleUsed {
            article: article.into(),
            version: version.into(),
            owner: "o".into(),
            settled,
            by: "1001".into(),
        };
        desk.told(&used("a", "1", false));
        desk.told(&used("b", "3", false));
        desk.told(&used("a", "2", true));
        let mut data = desk
            .told(&EventBody::ArticleFaulty {
                article: "a".into(),
                version: "2".into(),
                text: "x".into(),
                by: "1001".into(),
            })
            .data;
        let articles = data.as_object_mut().and_then(|data| data.remove("articles"));
        let told = json!([
            {"article": "b", "version": "3", "settled": false},
            {"article": "a", "version": "2", "settled": true},
        ]);
        assert_eq!((articles, data), (Some(told), before), "and no other field of the ticket's own");
    }

    #[test]
    fn what_a_program_and_the_caller_said_is_in_the_ticket_talk_by_talk_and_bounded() {
        let mut desk = Desk::new("bot");
        desk.told(&opened());
        let line = |who, text: &str, at_ms| SaidLine { who, text: text.into(), at_ms };
        let talk = |outcome: &str, transcript| EventBody::BotTalked {
            bot: "assistant".into(),
            outcome: outcome.into(),
            took_ms: 9_000,
            transcript,
            cut: 0,
        };
        let said = vec![line(Speaker::Bot, "您好", 0), line(Speaker::Caller, "路灯坏了", 2_100)];
        desk.told(&talk("person", said));
        let data = desk.told(&talk("closed", Vec::new())).data;
        assert_eq!(
            data["bots"][0]["transcript"][1],
            json!({"who": "caller", "text": "路灯坏了", "at_ms": 2_100})
        );
        assert_eq!(
            (&data["bots"][0]["outcome"], &data["bots"][1]["outcome"]),
            (&json!("person"), &json!("closed"))
        );
        assert_eq!((data.get("outcome"), data.get("transcript")), (None, None));
        let data = (0..9).map(|_| desk.told(&talk("done", Vec::new())).data).last().unwrap();
        assert_eq!(data["bots"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn a_call_that_went_out_says_for_whom_and_opens_no_case() {
        for (kind, state) in [(Some(CallKind::Outward), "closed"), (None, "open")] {
            let mut desk = Desk::new(state);
            let mut begun = opened();
            if let EventBody::Opened { kind: of_call, .. } = &mut begun {
                *of_call = kind;
            }
            assert_eq!(desk.told(&begun).state, state);
            let outward = EventBody::Outward {
                direction: Direction::Out,
                purpose: "click".into(),
                seat: Some("1001".into()),
                number: "13800000000".into(),
                of: None,
            };
            let ticket = desk.told(&outward);
            assert_eq!((ticket.state.as_str(), &ticket.data["outward"]["purpose"]), (state, &json!("click")));
            assert_eq!(desk.told(&EventBody::Answered { durable: true }).state, state);
        }
    }

    #[test]
    fn a_merge_replaces_values_deepens_objects_and_removes_nulls() {
        let mut into = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": 4});
        merge(&mut into, &json!({"a": 9, "b": {"c": null, "f": 5}, "g": {"h": 1}}));
        assert_eq!(into, json!({"a": 9, "b": {"d": 3, "f": 5}, "e": 4, "g": {"h": 1}}));
    }
}
