//! Ticket events as they are kept and sent (CloudEvents 1.0, structured mode, JSON).
//!
//! The published contract is `contract/`; a change here that it does not allow is a new version of
//! the event's type. Which fact of a call makes which event is for `switchboard` to say.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{CallId, LineId, QueueId, SeatId, TrunkId};
use crate::time::Timestamp;

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

/// What an event tells: `type` and `data` of the CloudEvent, but for `schema_version`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum EventBody {
    /// A call was let in. Always the first event of its call.
    #[serde(rename = "hotline.call.opened.v1")]
    Opened {
        /// The ticket's number.
        ticket: String,
        /// The dialled line.
        line: LineId,
        /// As the notice prints it.
        line_name: String,
        /// The number, as dialled.
        dialled: String,
        /// The caller's number; empty: withheld.
        caller: String,
        /// The trunk it came by.
        trunk: TrunkId,
        /// Digest of the plan in force.
        plan: String,
        /// Whether the wall clock was shifted (`--clock`): a trial, not a case.
        shifted_clock: bool,
        /// Opaque; matches the call to a trace of its signalling.
        wire_ref: String,
        /// What kind of call it is; `None`: a citizen's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<CallKind>,
    },
    /// The caller was answered.
    #[serde(rename = "hotline.call.answered.v1")]
    Answered {
        /// Whether the opening record was on disk by then.
        durable: bool,
    },
    /// The caller pressed a key.
    #[serde(rename = "hotline.call.digit_pressed.v1")]
    DigitPressed {
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digit: char,
    },
    /// The caller waits.
    #[serde(rename = "hotline.call.queued.v1")]
    Queued {
        /// Where.
        queue: QueueId,
    },
    /// The queue's rule sent the caller on.
    #[serde(rename = "hotline.call.overflowed.v1")]
    Overflowed {
        /// From where.
        queue: QueueId,
        /// By which rule.
        why: OverflowRule,
        /// Milliseconds.
        waited_ms: u64,
    },
    /// A seat is to ring: what its clerk's screen shows.
    #[serde(rename = "hotline.seat.offered.v1")]
    SeatOffered {
        /// Which.
        seat: SeatId,
        /// The ticket's number.
        ticket: String,
        /// The dialled line.
        line: LineId,
        /// As the notice prints it.
        line_name: String,
        /// The caller's number; empty: withheld.
        caller: String,
        /// Milliseconds.
        waited_ms: u64,
        /// What is known of earlier calls, newest first.
        history: Vec<String>,
    },
    /// That seat did not take the call.
    #[serde(rename = "hotline.seat.offer_ended.v1")]
    OfferEnded {
        /// Which.
        seat: SeatId,
        /// Why.
        why: Unanswered,
    },
    /// A seat picked up.
    #[serde(rename = "hotline.seat.answered.v1")]
    SeatAnswered {
        /// Which.
        seat: SeatId,
        /// Milliseconds.
        waited_ms: u64,
    },
    /// The clerk is gone; the caller may still be there.
    #[serde(rename = "hotline.seat.left.v1")]
    SeatLeft {
        /// Which.
        seat: SeatId,
        /// Milliseconds.
        talked_ms: u64,
        /// Its telephone gave no sign of life any more.
        vanished: bool,
    },
    /// A sub-center or another peer answered.
    #[serde(rename = "hotline.peer.answered.v1")]
    PeerAnswered {
        /// The way there.
        trunk: TrunkId,
        /// The number called.
        number: String,
    },
    /// It did not.
    #[serde(rename = "hotline.peer.failed.v1")]
    PeerFailed {
        /// The way there.
        trunk: TrunkId,
        /// The number called.
        number: String,
        /// SIP status; 0: our own time-out.
        status: u16,
    },
    /// A case is left for an office to take up: no clerk has spoken with the caller.
    #[serde(rename = "hotline.ticket.left.v1")]
    TicketLeft {
        /// The ticket's number.
        ticket: String,
        /// `overflow`, `sub_center_unanswered`, ….
        reason: String,
    },
    /// 好差评.
    #[serde(rename = "hotline.call.surveyed.v1")]
    Surveyed {
        /// 1 (very satisfied) … 5 (very dissatisfied).
        grade: u8,
    },
    /// The recording's file is whole.
    #[serde(rename = "hotline.recording.stored.v1")]
    RecordingStored {
        /// Its name under the recordings' directory.
        file: String,
        /// Milliseconds.
        duration_ms: u64,
        /// Frames that the disk was too slow for.
        lost_frames: u64,
    },
    /// The call is over.
    #[serde(rename = "hotline.call.closed.v1")]
    Closed {
        /// Why.
        cause: ClosedBy,
        /// SIP status where `cause` is `refused`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// From the opening, monotonic, milliseconds.
        lasted_ms: u64,
        /// From the answer; `None`: never answered.
        answered_ms: Option<u64>,
    },
}

/// Calls that are nobody's case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// In a meeting room: the line names it.
    Meeting,
    /// A clerk or the house calls somebody.
    Outward,
}

/// Which rule of the queue sent a caller on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverflowRule {
    /// The longest wait is over.
    WaitedTooLong,
    /// No seat was signed in.
    NoSeat,
    /// Too many wait.
    Full,
    /// Longer to wait, by the guess, than the queue lets anybody.
    ExpectedWait,
    /// So many wait that callers of this priority are not let in.
    Shed,
}

/// Why a seat did not take a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// Rang out.
    NoAnswer,
    /// Refused.
    Rejected,
    /// Could not be reached.
    Unreachable,
    /// The caller left first.
    CallerGone,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// The caller hung up after the answer.
    CallerHungUp,
    /// The caller gave up before the answer.
    CallerCancelled,
    /// The flow came to its end.
    Completed,
    /// The clerk or peer hung up and nothing followed.
    OtherHungUp,
    /// The caller's telephone gave no sign of life any more.
    CallerVanished,
    /// Refused, with a SIP status.
    Refused,
    /// Ended when the house was shut down.
    Drained,
    /// Longer than the bound.
    TooLong,
    /// A fault of the house.
    Failed,
    /// The house died; closed at its next start.
    Crash,
}

impl EventBody {
    /// `type` of the CloudEvent.
    pub fn kind(&self) -> &'static str {
        match self {
            EventBody::Opened { .. } => "hotline.call.opened.v1",
            EventBody::Answered { .. } => "hotline.call.answered.v1",
            EventBody::DigitPressed { .. } => "hotline.call.digit_pressed.v1",
            EventBody::Queued { .. } => "hotline.call.queued.v1",
            EventBody::Overflowed { .. } => "hotline.call.overflowed.v1",
            EventBody::SeatOffered { .. } => "hotline.seat.offered.v1",
            EventBody::OfferEnded { .. } => "hotline.seat.offer_ended.v1",
            EventBody::SeatAnswered { .. } => "hotline.seat.answered.v1",
            EventBody::SeatLeft { .. } => "hotline.seat.left.v1",
            EventBody::PeerAnswered { .. } => "hotline.peer.answered.v1",
            EventBody::PeerFailed { .. } => "hotline.peer.failed.v1",
            EventBody::TicketLeft { .. } => "hotline.ticket.left.v1",
            EventBody::Surveyed { .. } => "hotline.call.surveyed.v1",
            EventBody::RecordingStored { .. } => "hotline.recording.stored.v1",
            EventBody::Closed { .. } => CLOSED,
        }
    }
}

/// `type` of the event that ends a call's life; only a recording may follow it.
pub const CLOSED: &str = "hotline.call.closed.v1";

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
