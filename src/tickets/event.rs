//! Ticket events as they are kept and sent (CloudEvents 1.0, structured mode, JSON).
//!
//! The published contract is `contract/`; a change here that it does not allow is a new version of
//! the event's type. Which fact of a call makes which event is for `switchboard` to say.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::id::CallId;
use crate::time::Timestamp;

pub use super::body::{CLOSED, EventBody, OPENED, ORDERED};
pub use super::words::{
    CallKind, ClosedBy, Direction, Flag, Graded, Immediate, MessageSpan, ObjectKind, OfferPurpose,
    OverflowRule, SaidLine, Speaker, TransferKind, TransferStep, Unanswered,
};

/// Sequence of the event that tells of a recording's removal, years after the call: behind all that is ever told of it, as no
/// fact of the call makes it. It fits 32 bits with a sign, by which far sides may count.
pub const REMOVED_SEQUENCE: u32 = 0x7fff_ffff;

/// `schema_version` in the data of every event.
pub const SCHEMA_VERSION: u32 = 1;

/// `dataschema` of every event: the `$id` of `contract/hotline-events.schema.json`.
pub const DATA_SCHEMA: &str = "urn:hotline:events:1";

/// Names an event: call and sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventRef {
    /// Whose.
    pub call: CallId,
    /// Order inside the call.
    pub sequence: u32,
}

/// An event as it is kept and sent: a CloudEvents 1.0 JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its name.
    pub event: EventRef,
    /// `type` of the CloudEvent.
    pub kind: Arc<str>,
    /// When it happened.
    pub at: Timestamp,
    /// The whole document.
    pub json: Arc<str>,
}

/// How one try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The sink has it.
    Taken,
    /// Try again later: refused connection, time-out, 5xx, 429.
    Retry(String),
    /// The same, and the sink has said when: after so long, not before.
    RetryAfter(String, Duration),
    /// Never: 400 and its kin.
    Refused(String),
}

/// `source` of all events of one node: `/hotline/<node>`. Characters that a URI path has no place
/// for are percent-encoded (RFC 3986 §3.3).
pub fn source(node: &str) -> String {
    let mut source = String::from("/hotline/");
    for byte in node.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            source.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(source, "%{byte:02X}");
        }
    }
    source
}

/// Makes the document that is kept and sent. `source` comes from [`source`].
pub fn stored(call: CallId, sequence: u32, at: Timestamp, body: &EventBody, source: &str) -> StoredEvent {
    let kind = body.kind();
    // `{"type":…,"data":{…}}`: no map with keys that are not strings, no float, so it cannot fail;
    // and every body has a field, so `data` is never empty.
    let body = serde_json::to_string(body).unwrap_or_default();
    let fields = body.find(DATA_OPENS).map_or("}}", |at| &body[at + DATA_OPENS.len()..]);
    let mut json = String::with_capacity(body.len() + 384);
    // The fields written here need no escaping: ids, digits, our own names and a percent-encoded path.
    let _ = write!(
        json,
        "{{\"specversion\":\"1.0\",\"id\":\"{call}/{sequence}\",\"source\":\"{source}\",\
         \"type\":\"{kind}\",\"subject\":\"{call}\",\"time\":\"{at}\",\
         \"sequence\":\"{sequence:010}\",\"datacontenttype\":\"application/json\",\
         \"dataschema\":\"{DATA_SCHEMA}\",\
         {DATA_OPENS}\"schema_version\":{SCHEMA_VERSION},{fields}"
    );
    StoredEvent { event: EventRef { call, sequence }, kind: kind.into(), at, json: json.into() }
}

/// How `data` begins, in what serde writes and in what we write.
const DATA_OPENS: &str = "\"data\":{";

/// An event read back from its document.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadEvent {
    /// Its name.
    pub event: EventRef,
    /// When it happened.
    pub at: Timestamp,
    /// What it tells.
    pub body: EventBody,
}

/// Why a document is not an event of ours.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not JSON, a field is missing, or the type is unknown.
    #[error("not a ticket event: {0}")]
    Malformed(#[from] serde_json::Error),
    /// `subject` is not a call.
    #[error("subject {0:?} is not a call's id")]
    Subject(String),
    /// `sequence` is not a number.
    #[error("sequence {0:?} is not a number")]
    Sequence(String),
}

/// Reads a document that [`stored`] made, here or in an older or newer version: unknown fields are
/// passed over.
pub fn read(json: &str) -> Result<ReadEvent, EventError> {
    #[derive(Deserialize)]
    struct Envelope {
        subject: String,
        time: Timestamp,
        sequence: String,
        #[serde(flatten)]
        body: EventBody,
    }
    let envelope: Envelope = serde_json::from_str(json)?;
    let Some(call) = CallId::parse(&envelope.subject) else {
        return Err(EventError::Subject(envelope.subject));
    };
    let Ok(sequence) = envelope.sequence.parse() else {
        return Err(EventError::Sequence(envelope.sequence));
    };
    Ok(ReadEvent { event: EventRef { call, sequence }, at: envelope.time, body: envelope.body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;

    #[test]
    fn an_event_read_back_is_the_event_that_was_kept() {
        let call = CallId::draw(1_000, &mut Dice::seeded(1));
        let at: Timestamp = "2021-09-01T01:00:00.5Z".parse().unwrap();
        let body = EventBody::Queued { queue: "say \"data\":{ and \\".into() };
        let kept = stored(call, 7, at, &body, &source("puyang 1"));
        assert_eq!(&*kept.kind, "hotline.call.queued.v1");
        let read = read(&kept.json).unwrap();
        assert_eq!((read.event, read.at, read.body), (kept.event, at, body));
        let document: serde_json::Value = serde_json::from_str(&kept.json).unwrap();
        assert_eq!(document["id"], format!("{call}/7"));
        assert_eq!(document["source"], "/hotline/puyang%201");
        assert_eq!(document["time"], "2021-09-01T01:00:00.5Z");
        assert_eq!(document["data"]["schema_version"], 1);
    }

    #[test]
    fn what_is_no_event_is_said_to_be_none() {
        assert!(matches!(read("{}"), Err(EventError::Malformed(_))));
        let call = CallId::draw(1_000, &mut Dice::seeded(1));
        let kept =
            stored(call, 1, Timestamp::UNIX_EPOCH, &EventBody::Answered { durable: true }, "/hotline/a");
        let strange = kept.json.replace(&format!("\"subject\":\"{call}\""), "\"subject\":\"x\"");
        assert!(matches!(read(&strange), Err(EventError::Subject(_))));
    }
}
