//! The one stream of facts: call records, metrics, tickets and figures are all folds over it.

mod hand_on;
mod seat;
mod sound;
mod transfer;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd::event::{OfferEnd, Overflow, Purpose};
use crate::id::{BotId, CallId, LineId, LookUpId, QueueId, ScriptId, SeatId, TrunkId};
use crate::routing::watching::Watching;
use crate::switchboard::request::{ArticleFault, ArticleUse, Disposed, Flag};
use crate::time::{Instant, Timestamp};

pub use crate::call::{Answer, BotEnd, BotLine, NotRelayed, Subject, Voice};
pub use hand_on::{HandOn, HandOnBy};
pub use seat::{SeatFact, SeatIs};
pub use sound::{Outbound, Sound};
pub use transfer::{AFTER_HOURS, Object, ObjectKind, TransferKind, TransferStep};
pub use words::{CallbackOutcome, OutwardPurpose, PriorityWhy};

/// Something that happened on one call. `sequence` begins at 1 and has no holes.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Whose.
    pub call: CallId,
    /// Order inside the call.
    pub sequence: u32,
    /// Wall clock when it happened.
    pub at: Timestamp,
    /// Monotonic clock when it happened: durations are differences of these.
    pub mono: Instant,
    /// What.
    pub what: What,
}

/// What happened. Stored as JSON with the field `fact` as its tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum What {
    /// An INVITE was let in.
    Opened {
        /// The dialled line.
        line: LineId,
        /// The number, as dialled.
        dialled: String,
        /// The caller's number; empty: withheld.
        caller: String,
        /// The trunk it came by; `seats`: a clerk's own call.
        trunk: TrunkId,
        /// The ticket's number: digits only.
        ticket: String,
        /// Digest of the plan in force.
        plan: String,
        /// Whether the wall clock is shifted (`--clock`).
        shifted_clock: bool,
        /// Opaque wire reference.
        wire_ref: String,
        /// The meeting room that was dialled; `None`: a citizen's call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<Room>,
    },
    /// 200 is out.
    Answered {
        /// Whether the opening record was on disk by then.
        durable: bool,
    },
    /// A prompt was played to the caller, by its id.
    Announced { prompt: String },
    /// The caller pressed a key.
    DigitPressed { digit: char },
    /// The caller waits.
    Queued { queue: QueueId },
    /// A seat is to ring: screen data.
    SeatOffered {
        seat: SeatId,
        waited_ms: u64,
        history: Vec<String>,
        /// Why it is to ring.
        #[serde(default)]
        purpose: Purpose,
    },
    /// That seat did not take the call.
    OfferEnded { seat: SeatId, why: OfferEnd },
    /// A seat picked up.
    SeatAnswered {
        seat: SeatId,
        waited_ms: u64,
        /// Index of its leg.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leg: Option<u16>,
    },
    /// Whoever picked up is no clerk: `expert`, `leader` (a city leader's answering day), `supervisor`, ….
    SeatRole { seat: SeatId, role: String },
    /// The clerk is gone; the caller may still be there.
    SeatLeft { seat: SeatId, talked_ms: u64, vanished: bool },
    /// The queue's rule sent the caller on.
    Overflowed { queue: QueueId, why: Overflow, waited_ms: u64 },
    /// A peer behind a trunk is called.
    PeerDialled { trunk: TrunkId, number: String },
    /// It answered.
    PeerAnswered {
        trunk: TrunkId,
        number: String,
        /// Index of its leg.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leg: Option<u16>,
    },
    /// It did not: SIP status, 0 for our own time-out.
    PeerFailed { trunk: TrunkId, number: String, status: u16 },
    /// Who talks with the caller asked for a transfer: how far it has come.
    Transfer {
        /// Number or seat.
        to: String,
        /// How. The first transfers that were ever told of were all blind, and did not say so.
        #[serde(default)]
        kind: TransferKind,
        /// How far.
        step: TransferStep,
        /// SIP status of a refusal. Of `declined`, [`AFTER_HOURS`] where nobody is there at this hour.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Index of the target's leg, once there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leg: Option<u16>,
        /// What the target is in the plan; `None`: nobody of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<Object>,
    },
    /// Who talks with the caller leaves them with music, or is back.
    Held {
        /// The leg's index.
        leg: u16,
        /// Whether it holds now.
        holds: bool,
    },
    /// A peer is gone after this talk.
    PeerLeft { trunk: TrunkId, number: String, talked_ms: u64 },
    /// The caller goes before others, or behind them.
    Prioritised {
        /// Points of priority; 0 is everybody's.
        priority: i16,
        /// Why.
        why: PriorityWhy,
    },
    /// An emergency center calls: the incident's id, where it gave one, and its own number.
    FromCenter {
        center: TrunkId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<String>,
        caller: String,
    },
    /// Another platform of the hotline hands the call over.
    FromPeer {
        /// Its number in the plan.
        peer: LineId,
        /// Its organisation code.
        org: String,
        /// Its name.
        name: String,
        /// What it says of itself, where its trunk is trusted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organization: Option<String>,
        /// How often platforms have handed the call on, this time included.
        handed_on: u8,
    },
    /// The caller is known: how often they called lately, who knows them, and their tickets under way.
    Recognised {
        calls: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seat: Option<SeatId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tickets: Vec<String>,
    },
    /// Somebody listens, in this way.
    Watched { seat: SeatId, how: Watching },
    /// And does not any more.
    Unwatched { seat: SeatId },
    /// The house began this call.
    Outward {
        /// Why.
        purpose: OutwardPurpose,
        /// The seat that it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seat: Option<SeatId>,
        /// Who is called.
        number: String,
        /// The call that it follows from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<CallId>,
    },
    /// The caller may hang up and is called back when the place in the queue is due.
    CallbackKept { queue: QueueId, ahead: u32 },
    /// A kept place, or a missed call, is settled.
    CallbackSettled { outcome: CallbackOutcome },
    /// What it was about.
    Disposed(Disposed),
    /// What was to be handed on at once was, or is late.
    HandOn(HandOn),
    /// An article of the knowledge base was used.
    ArticleUsed(ArticleUse),
    /// A clerk found an article wrong.
    ArticleFaulty(ArticleFault),
    /// It is marked.
    Flagged { flag: Flag, by: String },
    /// The caller has left, and the clerk who talked with them goes on with whom they had asked in.
    CallerLeft {
        /// How.
        cause: Cause,
        /// Why, in the caller's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Given>,
    },
    /// Another dialog took the place of a leg's (RFC 3891).
    LegReplaced { leg: u16 },
    /// The caller is in its room, where now so many are.
    RoomJoined { members: u32 },
    /// The caller has left it, after so long, and so many stay.
    RoomLeft { members: u32, stayed_ms: u64 },
    /// Two talk, and something is missing in what one of them says; or it is there again.
    SoundMissing {
        /// The leg's index.
        leg: u16,
        /// Who is not heard.
        party: Party,
        /// What.
        missing: Missing,
    },
    /// The sound of a leg of ours to somebody is over.
    LegClosed {
        /// Its index.
        leg: u16,
        /// Who it was.
        party: Party,
        /// In figures.
        sound: Sound,
    },
    /// A ticket is left for an office, for this reason.
    TicketLeft { reason: String },
    /// The caller began one of the operator's flows.
    ScriptBegun { script: ScriptId },
    /// A flow was to say a value that cannot be said in that way: the caller went on to a person.
    ValueUnread {
        /// Its name.
        value: String,
    },
    /// A flow asked an adapter.
    LookedUp {
        source: LookUpId,
        /// What came of it.
        answer: Answer,
        took_ms: u64,
        /// About what it was asked with a code in vain: a digest, by which the same is known again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
    /// A flow was to ring somebody by what an adapter said, and rang nobody.
    NotRelayed {
        /// The value's name.
        name: String,
        why: NotRelayed,
        /// As much of the number as a log may show; empty where there is none.
        number: String,
    },
    /// A flow was to ring somebody whose number an adapter gave, and did not: it was rung too often of late, or
    /// somebody was for this caller. The number as far as a log may show it.
    RelayDeclined { number: String },
    /// A program talked with the caller, or was to.
    BotTalked {
        bot: BotId,
        /// How that ended.
        end: BotEnd,
        /// From when it was asked for.
        took_ms: u64,
        /// What was said, in order, as the program told it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<BotLine>,
        /// Lines that were not kept whole, or not at all.
        #[serde(default)]
        cut: u32,
    },
    /// The caller left a message: where it stands in the call's recording.
    MessageLeft { name: String, from_ms: u64, to_ms: u64 },
    /// The caller ordered the ticket: 自助下单.
    Ordered {
        category: String,
        /// What is known of it, by name.
        values: BTreeMap<String, String>,
        /// Where the message that belongs to it stands in the recording.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Span>,
        /// The pick-up code (提取码), by which its progress is asked for: written down nowhere, the store keeps
        /// a digest of it.
        #[serde(default, skip_serializing)]
        code: Option<String>,
    },
    /// 好差评: 1 (very satisfied) … 5 (very dissatisfied).
    Surveyed {
        grade: u8,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Subject::is_talk")]
        subject: Subject,
    },
    /// Why the grade was bad: the digit that was pressed.
    SurveyReason {
        digit: u8,
        /// That grade.
        #[serde(default)]
        grade: u8,
        /// What that is for.
        #[serde(default, skip_serializing_if = "Subject::is_talk")]
        subject: Subject,
    },
    /// Somebody paused the recording: it holds silence from here on.
    RecordingPaused { by: String },
    /// Sound is recorded again.
    RecordingResumed { by: String },
    /// The recording's file is whole.
    Recorded { file: String, duration_ms: u64, lost_frames: u64 },
    /// The last leg is gone.
    Closed {
        /// Why.
        cause: Cause,
        /// From `Opened`, monotonic.
        lasted_ms: u64,
        /// From `Answered`; `None`: never answered.
        answered_ms: Option<u64>,
        /// Sound of the caller's leg.
        sound: Option<Sound>,
        /// Why, in the words of who hung up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Given>,
    },
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The caller hung up after the answer.
    CallerHungUp,
    /// The caller gave up before the answer (CANCEL).
    CallerCancelled,
    /// The flow came to its end: we hung up.
    Completed,
    /// The clerk or peer hung up and nothing followed.
    OtherHungUp,
    /// The caller's phone vanished: no ACK, no sound, no OPTIONS.
    CallerVanished,
    /// Refused, by SIP status.
    Refused(u16),
    /// Ended by the end of the drain's grace.
    Drained,
    /// Longer than `limits.call_max`.
    TooLong,
    /// A fault of ours, caught.
    Failed,
    /// The process died; closed at the next start.
    Crash,
}

/// A part of a call's recording, milliseconds from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Its first.
    pub from_ms: u64,
    /// Its end.
    pub to_ms: u64,
}

/// A room of a meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// The kind of line: `94xxxxxx`. There are few of these, and very many rooms.
    pub meeting: LineId,
    /// Its own digits.
    pub number: String,
}

/// A Reason that a peer gave (RFC 3326).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Given {
    /// Q.850 cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q850: Option<u8>,
    /// SIP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip: Option<u16>,
    /// Its words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// Somebody on a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "party", rename_all = "snake_case")]
pub enum Party {
    /// Who called.
    Caller,
    /// A clerk.
    Seat {
        /// Which.
        seat: SeatId,
    },
    /// Somebody behind a trunk.
    Peer {
        /// The trunk.
        trunk: TrunkId,
        /// The number.
        number: String,
    },
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Party::Caller => f.write_str("caller"),
            Party::Seat { seat } => write!(f, "seat/{seat}"),
            Party::Peer { trunk, number } => write!(f, "{trunk}/{number}"),
        }
    }
}

/// What is missing in somebody's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Packets come without a sound in them: a dead or muted microphone.
    Sound,
    /// No packets come, though the other side's do: one-way audio.
    Packets,
    /// Nothing any more.
    Nothing,
}

/// Whole milliseconds, for records.
pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
