//! Which calls a department's feed is told of, and what of their events may leave: what is not named does not.
//!
//! The events are those that ticket offices get. A feed numbers what falls to it from 1 without holes, so that the far
//! side can say what it lacks, and once a day its totals say what there was. Storing and sending are for `io`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::event::{EventBody, EventRef, OPENED, StoredEvent};
use super::words::{ObjectKind, TransferStep};
use crate::id::{CallId, Dice, LineId};
use crate::time::Timestamp;

/// `dataschema` of every event of a feed: the `$id` of `contract/hotline-feed.schema.json`.
pub const FEED_SCHEMA: &str = "urn:hotline:feed:1";

/// `type` of the event that tells a day's totals.
pub const TOTALS: &str = "hotline.feed.totals.v1";

/// `type` of the event by which somebody is put through to a department.
const TRANSFER: &str = "hotline.call.transfer.v1";

/// Fields that say who a caller is, or let somebody find it out; `text` is what a clerk wrote in free words. Of a confidential caller's call they do not leave,
/// whatever a feed's `fields` says.
pub const IDENTIFYING: [&str; 14] = [
    "caller",
    "dialled",
    "digit",
    "file",
    "history",
    "incident",
    "message",
    "number",
    "of",
    "text",
    "tickets",
    "to",
    "transcript",
    "values",
];

/// Never leaves by a feed: whoever has the pick-up code (提取码) is taken for the caller.
pub const NEVER: &str = "code";

/// What of the envelope (CloudEvents 1.0 §3) goes as it is.
const ENVELOPE: [&str; 8] =
    ["specversion", "id", "source", "type", "subject", "time", "sequence", "datacontenttype"];

/// Which calls fall into a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Calls to these lines, and those put through to their expert seats or sub-centers.
    pub lines: BTreeSet<LineId>,
    /// Calls put through to these departments.
    pub departments: BTreeSet<LineId>,
    /// Calls put through to the expert seats of these lines, and no others of theirs.
    pub experts: BTreeSet<LineId>,
}

impl Scope {
    /// Whether an event of this type may bring its call into any feed: others need not be read.
    pub fn may_take(kind: &str) -> bool {
        kind == OPENED || kind == TRANSFER
    }

    /// Whether this brings its call into the feed. What was declined, nobody was asked to take.
    pub fn takes(&self, body: &EventBody) -> bool {
        match body {
            EventBody::Opened { line, .. } => self.lines.contains(line),
            EventBody::Transfer { step: TransferStep::Declined, .. } => false,
            EventBody::Transfer { object_kind: Some(kind), object: Some(object), .. } => {
                let object = LineId::from(object.as_str());
                match kind {
                    ObjectKind::SubCenter => self.lines.contains(&object),
                    ObjectKind::ExpertGroup => self.lines.contains(&object) || self.experts.contains(&object),
                    ObjectKind::Department => self.departments.contains(&object),
                    ObjectKind::Emergency | ObjectKind::Peer | ObjectKind::Seat => false,
                }
            }
            _ => false,
        }
    }
}

/// How an event leaves by one feed.
#[derive(Clone, Copy, Debug)]
pub struct Sharing<'a> {
    /// The feed's name.
    pub feed: &'a str,
    /// The event's place in it, from 1.
    pub place: u64,
    /// Fields of `data` that may leave.
    pub fields: &'a BTreeSet<String>,
    /// Its caller wants to be known to nobody.
    pub is_confidential: bool,
}

impl Sharing<'_> {
    fn allows(&self, field: &str) -> bool {
        field != NEVER
            && self.fields.contains(field)
            && !(self.is_confidential && IDENTIFYING.contains(&field))
    }

    /// The document that leaves, of the one that is kept; `None`: that is none of ours.
    pub fn document(&self, kept: &str) -> Option<String> {
        let Value::Object(mut kept) = serde_json::from_str(kept).ok()? else { return None };
        let Some(Value::Object(data)) = kept.remove("data") else { return None };
        let is_totals = kept.get("type").and_then(Value::as_str) == Some(TOTALS);
        let may_leave = |field: &str| is_totals || field == "schema_version" || self.allows(field);
        let data: Map<String, Value> = data.into_iter().filter(|(field, _)| may_leave(field)).collect();
        let mut told: Map<String, Value> =
            kept.into_iter().filter(|(name, _)| ENVELOPE.contains(&name.as_str())).collect();
        told.insert("dataschema".into(), FEED_SCHEMA.into());
        told.insert("feed".into(), self.feed.into());
        told.insert("feedplace".into(), format!("{:012}", self.place).into());
        told.insert("data".into(), data.into());
        Some(Value::Object(told).to_string())
    }
}

/// What a feed was told in a span of its places: enough to prove that nothing is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// The last whole day, by the city's clock.
    pub day: String,
    /// First place that is counted here: behind the last one of the totals before.
    pub first_place: u64,
    /// Last place; less than the first where there was nothing.
    pub last_place: u64,
    /// Events.
    pub events: u64,
    /// Events by their `type`.
    pub by_type: BTreeMap<String, u64>,
    /// SHA-256 over the events' ids in the order of their places, a line feed behind each; lower-case hexadecimal.
    pub sha256: String,
}

/// Counts events, one after another in the order of their places.
#[derive(Clone, Debug, Default)]
pub struct Count {
    by_type: BTreeMap<String, u64>,
    events: u64,
    sum: Sha256,
}

impl Count {
    /// One more.
    pub fn add(&mut self, id: &str, kind: &str) {
        self.events += 1;
        *self.by_type.entry(kind.to_owned()).or_default() += 1;
        self.sum.update(id.as_bytes());
        self.sum.update(b"\n");
    }

    /// The totals of a day, of all places behind `after`.
    pub fn totals(self, day: String, after: u64) -> Totals {
        let sha256 = self.sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Totals {
            day,
            first_place: after + 1,
            last_place: after + self.events,
            events: self.events,
            by_type: self.by_type,
            sha256,
        }
    }
}

/// The event that tells them. Its name follows from feed and day: made twice, it is one event.
pub fn totals_event(feed: &str, totals: &Totals, source: &str, at: Timestamp) -> StoredEvent {
    let key = Sha256::new_with_prefix(feed).chain_update([0]).chain_update(&totals.day).finalize();
    let unix_ms = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let event = EventRef { call: CallId::draw(unix_ms, &mut Dice::keyed(key.into())), sequence: 1 };
    let mut data = serde_json::to_value(totals).unwrap_or_default();
    data["schema_version"] = 1.into();
    let document = serde_json::json!({
        "specversion": "1.0",
        "id": format!("{}/1", event.call),
        "source": source,
        "type": TOTALS,
        "subject": event.call.to_string(),
        "time": at.to_string(),
        "sequence": format!("{:010}", event.sequence),
        "datacontenttype": "application/json",
        "dataschema": FEED_SCHEMA,
        "data": data,
    });
    StoredEvent { event, kind: TOTALS.into(), at, json: document.to_string().into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tickets::event::{TransferKind, source, stored};

    fn opened(line: &str) -> EventBody {
        EventBody::Opened {
            ticket: "21090100001".into(),
            line: line.into(),
            line_name: "司法热线".into(),
            dialled: line.into(),
            caller: "13800000042".into(),
            trunk: "carrier".into(),
            plan: "00".into(),
            shifted_clock: false,
            wire_ref: "w".into(),
            kind: None,
        }
    }

    fn told(body: &EventBody, fields: &[&str], is_confidential: bool) -> Value {
        let call = CallId::draw(1_000, &mut Dice::seeded(1));
        let kept = stored(call, 1, Timestamp::UNIX_EPOCH, body, &source("a"));
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let sharing = Sharing { feed: "justice", place: 7, fields: &fields, is_confidential };
        serde_json::from_str(&sharing.document(&kept.json).unwrap()).unwrap()
    }

    #[test]
    fn what_is_not_named_does_not_leave() {
        let none = told(&opened("12348"), &[], false);
        assert_eq!(none["data"], serde_json::json!({ "schema_version": 1 }));
        assert_eq!(
            (none["feed"].as_str(), none["feedplace"].as_str()),
            (Some("justice"), Some("000000000007"))
        );
        assert_eq!(none["type"], "hotline.call.opened.v1");
        let some = told(&opened("12348"), &["ticket", "line", "code"], false);
        let wanted = serde_json::json!({ "schema_version": 1, "ticket": "21090100001", "line": "12348" });
        assert_eq!(some["data"], wanted);
    }

    #[test]
    fn a_confidential_caller_is_told_to_nobody_whatever_is_named() {
        let named = ["caller", "dialled", "ticket"];
        assert_eq!(told(&opened("12348"), &named, false)["data"]["caller"], "13800000042");
        let kept = told(&opened("12348"), &named, true);
        assert_eq!(kept["data"], serde_json::json!({ "schema_version": 1, "ticket": "21090100001" }));
        let (article, version) = ("rs-0002".to_owned(), "1".to_owned());
        let text = "老王在13800000042等答复".to_owned();
        let faulty = EventBody::ArticleFaulty { article, version, text, by: "1001".into() };
        assert_eq!(told(&faulty, &["text"], true)["data"], serde_json::json!({ "schema_version": 1 }));
    }

    #[test]
    fn a_pick_up_code_never_leaves() {
        let ordered = EventBody::Ordered {
            ticket: "1".into(),
            category: "road".into(),
            values: BTreeMap::new(),
            message: None,
            code: Some("482913".into()),
        };
        let told = told(&ordered, &["code", "category"], false);
        assert_eq!(told["data"], serde_json::json!({ "schema_version": 1, "category": "road" }));
    }

    #[test]
    fn calls_fall_into_a_feed_by_their_line_or_by_whom_they_are_put_through_to() {
        let scope = Scope {
            lines: ["12348".into()].into(),
            departments: ["03931234567".into()].into(),
            experts: ["12345".into()].into(),
        };
        let transfer = |object_kind, object: &str, step| EventBody::Transfer {
            kind: TransferKind::Consult,
            to: "x".into(),
            step,
            status: None,
            leg: None,
            object_kind: Some(object_kind),
            object: Some(object.into()),
            scope: None,
            area: None,
        };
        let rows = [
            (opened("12348"), true),
            (opened("12345"), false),
            (transfer(ObjectKind::ExpertGroup, "12348", TransferStep::Requested), true),
            (transfer(ObjectKind::ExpertGroup, "12345", TransferStep::Requested), true),
            (transfer(ObjectKind::ExpertGroup, "12366", TransferStep::Requested), false),
            (transfer(ObjectKind::SubCenter, "12348", TransferStep::Requested), true),
            (transfer(ObjectKind::SubCenter, "12345", TransferStep::Requested), false),
            (transfer(ObjectKind::SubCenter, "12366", TransferStep::Requested), false),
            (transfer(ObjectKind::Department, "03931234567", TransferStep::Requested), true),
            (transfer(ObjectKind::Department, "03931234567", TransferStep::Declined), false),
            (transfer(ObjectKind::Seat, "12348", TransferStep::Accepted), false),
            (EventBody::Answered { durable: true }, false),
        ];
        for (body, wanted) in rows {
            assert_eq!(scope.takes(&body), wanted, "{body:?}");
            assert!(!wanted || Scope::may_take(body.kind()), "{body:?}");
        }
    }

    #[test]
    fn totals_count_by_type_and_sum_the_ids_in_order() {
        let mut count = Count::default();
        count.add("a/1", "x");
        count.add("a/2", "y");
        count.add("b/1", "x");
        let totals = count.totals("2026-11-26".into(), 4);
        assert_eq!((totals.first_place, totals.last_place, totals.events), (5, 7, 3));
        assert_eq!(totals.by_type, BTreeMap::from([("x".to_owned(), 2), ("y".to_owned(), 1)]));
        // printf 'a/1\na/2\nb/1\n' | sha256sum
        let wanted: String =
            Sha256::digest(b"a/1\na/2\nb/1\n").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(totals.sha256, wanted);
        let at = Timestamp::UNIX_EPOCH;
        let event = totals_event("justice", &totals, "/hotline/a", at);
        assert_eq!(event, totals_event("justice", &totals, "/hotline/a", at), "made twice, it is one");
        assert_ne!(event.event, totals_event("tax", &totals, "/hotline/a", at).event);
        let nothing = Count::default().totals("2026-11-26".into(), 7);
        assert_eq!((nothing.first_place, nothing.last_place, nothing.events), (8, 7, 0));
    }
}
