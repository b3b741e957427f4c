//! The one stream of facts: call records, metrics, tickets and figures are all folds over it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd::event::{AwayWhy, OfferEnd, Overflow, Purpose, SeatState};
use crate::id::{CallId, LineId, QueueId, SeatId, TrunkId};
use crate::switchboard::request::{Disposed, Flag};
use crate::time::{Instant, Timestamp};

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
        /// `blind`, `consult`, `attended`.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        kind: String,
        /// `requested`, `declined`, `ringing`, `accepted`, `failed`; of a consultation also `consulting`,
        /// `merged`, `left` (who asked, and the others go on), `returned` (the caller, to who asked).
        step: String,
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
        /// `lane/elderly`, `emergency_center`, `urgent`, `policy`, `returned`.
        why: String,
    },
    /// An emergency center calls: the incident's id, where it gave one, and its own number.
    FromCenter {
        center: TrunkId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<String>,
        caller: String,
    },
    /// The caller is known: how often they called lately, who knows them, and their tickets under way.
    Recognised {
        calls: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seat: Option<SeatId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tickets: Vec<String>,
    },
    /// Somebody listens, in this way: `listen`, `whisper`, `barge`.
    Watched { seat: SeatId, how: String },
    /// And does not any more.
    Unwatched { seat: SeatId },
    /// The house began this call.
    Outward {
        /// `clerk`, `click`, `callback`, `missed`, `follow_up`.
        purpose: String,
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
    /// A kept place, or a missed call, is settled: `answered`, `unanswered`, `answered_since`, `expired`.
    CallbackSettled { outcome: String },
    /// What it was about.
    Disposed(Disposed),
    /// It is marked.
    Flagged { flag: Flag, by: String },
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
    /// 好差评: 1 (very satisfied) … 5 (very dissatisfied).
    Surveyed { grade: u8 },
    /// Why the grade was bad: the digit that was pressed.
    SurveyReason {
        digit: u8,
        /// That grade.
        #[serde(default)]
        grade: u8,
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

/// A seat became something. All that is known of a shift is a fold over these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatFact {
    /// Order among the facts of all seats of this process, from 1.
    pub sequence: u64,
    /// Which.
    pub seat: SeatId,
    /// Wall clock when it happened.
    pub at: Timestamp,
    /// Monotonic clock when it happened: durations are differences of these.
    pub mono: Instant,
    /// What it is now.
    pub state: SeatIs,
    /// Why it is away: `unanswered`, `vanished`, `own_call`, `rest`, `forced`, or `said/lunch`; why it is
    /// signed out: `start` of the house, or its `stop`. Empty where there is nothing to say.
    pub why: String,
    /// For whom it rings, with whom it talks, or whose case it finishes.
    pub call: Option<CallId>,
    /// Who said so; `None`: it came about.
    pub by: Option<String>,
}

/// What a seat is, in one word: as boards say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatIs {
    /// Not registered.
    SignedOut,
    /// Free.
    Ready,
    /// Ringing.
    Offered,
    /// With a caller.
    Talking,
    /// Finishing the case.
    WrapUp,
    /// Not there for callers.
    Away,
}

impl SeatIs {
    /// All of them.
    pub const ALL: [SeatIs; 6] =
        [SeatIs::SignedOut, SeatIs::Ready, SeatIs::Offered, SeatIs::Talking, SeatIs::WrapUp, SeatIs::Away];

    /// As boards and the store write it.
    pub fn word(self) -> &'static str {
        match self {
            SeatIs::SignedOut => "signed_out",
            SeatIs::Ready => "ready",
            SeatIs::Offered => "offered",
            SeatIs::Talking => "talking",
            SeatIs::WrapUp => "wrap_up",
            SeatIs::Away => "away",
        }
    }

    /// The other way round.
    pub fn parse(word: &str) -> Option<Self> {
        SeatIs::ALL.into_iter().find(|state| state.word() == word)
    }

    /// A seat's state in one word, why it is away, and whose call it is about.
    pub fn of(state: &SeatState) -> (Self, String, Option<CallId>) {
        match state {
            SeatState::SignedOut => (SeatIs::SignedOut, String::new(), None),
            SeatState::Ready { .. } => (SeatIs::Ready, String::new(), None),
            SeatState::Offered { call, .. } => (SeatIs::Offered, String::new(), Some(*call)),
            SeatState::Talking { call, .. } => (SeatIs::Talking, String::new(), Some(*call)),
            SeatState::WrapUp { call, .. } => (SeatIs::WrapUp, String::new(), Some(*call)),
            SeatState::Away { why, .. } => (SeatIs::Away, away_word(why), None),
        }
    }
}

fn away_word(why: &AwayWhy) -> String {
    match why {
        AwayWhy::Unanswered => "unanswered".into(),
        AwayWhy::Vanished => "vanished".into(),
        AwayWhy::OwnCall => "own_call".into(),
        AwayWhy::Said(reason) => format!("said/{reason}"),
        AwayWhy::Rest => "rest".into(),
        AwayWhy::Forced => "forced".into(),
    }
}

/// With this status a transfer is declined for which nobody is there at this hour.
pub const AFTER_HOURS: u16 = 480;

/// Who takes part in the city's calls beside its own desks: what figures are kept by, and what a center
/// that sends the data of its own half of a call joins them by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Which: its number in our own form, `12366`, or the seat.
    pub id: String,
}

/// What an [`Object`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// 分中心: a line whose number and seats are kept elsewhere.
    SubCenter,
    /// 专家座席 of a line.
    ExpertGroup,
    /// A department that clerks ask into a call.
    Department,
    /// 110, 119, 120, 122.
    Emergency,
    /// A seat of our own.
    Seat,
}

impl ObjectKind {
    /// All of them, in the order of their words.
    pub const ALL: [ObjectKind; 5] = [
        ObjectKind::SubCenter,
        ObjectKind::ExpertGroup,
        ObjectKind::Department,
        ObjectKind::Emergency,
        ObjectKind::Seat,
    ];

    /// In records and events.
    pub fn word(self) -> &'static str {
        match self {
            ObjectKind::SubCenter => "sub_center",
            ObjectKind::ExpertGroup => "expert_group",
            ObjectKind::Department => "department",
            ObjectKind::Emergency => "emergency",
            ObjectKind::Seat => "seat",
        }
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.word(), self.id)
    }
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

/// A leg in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Sound {
    /// What it was coded in, as SDP writes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub codec: String,
    /// RTP packets in.
    pub received: u64,
    /// RTP packets out.
    pub sent: u64,
    /// Lost on the way in.
    pub lost: u64,
    /// Came too late to be heard.
    pub late: u64,
    /// Came twice.
    pub duplicate: u64,
    /// From strangers, or malformed.
    pub refused: u64,
    /// Microseconds.
    pub jitter_us: u32,
    /// Longest time between two packets, milliseconds.
    pub gap_max_ms: u32,
    /// By RTCP, microseconds; 0: not known.
    pub round_trip_us: u32,
    /// E-model × 100; 0: nothing was heard.
    pub mos_x100: u16,
    /// In bridges, milliseconds of packets without a sound, as far as they were told.
    pub mute_ms: u32,
    /// In bridges, milliseconds without packets, as far as they were told.
    pub unheard_ms: u32,
    /// What the other end's own reports say of what it got from us; `None`: it sent none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound: Option<Outbound>,
}

/// The way out in figures, as who hears it reports them (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Outbound {
    /// Packets that should have come there.
    pub expected: u64,
    /// Of those, lost.
    pub lost: u64,
    /// Microseconds.
    pub jitter_us: u32,
    /// E-model × 100.
    pub mos_x100: u16,
    /// Reports that could not be true.
    pub nonsense: u32,
}

impl Sound {
    /// Of what should have been heard, the part that was not: 0 to 1. `None`: nothing should have.
    pub fn missed(&self) -> Option<f64> {
        let expected = self.received.saturating_sub(self.duplicate) + self.lost;
        part(self.lost + self.late, expected)
    }
}

impl Outbound {
    /// Of what should have come there, the part that did not: 0 to 1. `None`: nothing should have.
    pub fn missed(&self) -> Option<f64> {
        part(self.lost, self.expected)
    }
}

fn part(missed: u64, expected: u64) -> Option<f64> {
    (expected > 0).then(|| missed.min(expected) as f64 / expected as f64)
}

/// Whole milliseconds, for records.
pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
