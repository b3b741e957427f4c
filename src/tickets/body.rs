//! What ticket events tell: `type` and `data` of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words::{
    CallKind, ClosedBy, Direction, Flag, Graded, Immediate, MessageSpan, ObjectKind, OfferPurpose,
    OverflowRule, SaidLine, TransferKind, TransferStep, Unanswered,
};
use crate::id::{BotId, CallId, LineId, QueueId, SeatId, TrunkId};

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
    /// An emergency center calls.
    #[serde(rename = "hotline.call.from_center.v1")]
    FromCenter {
        /// The trunk that it came by.
        center: TrunkId,
        /// Its incident's id; empty: it gave none.
        incident: String,
        /// The center's own number.
        caller: String,
    },
    /// Another platform of the hotline hands the call over.
    #[serde(rename = "hotline.call.from_peer.v1")]
    FromPeer {
        /// Its number in the plan.
        peer: LineId,
        /// Its organisation code.
        org: String,
        /// Its name.
        name: String,
        /// What it says of itself; empty: nothing, or its trunk is not trusted.
        organization: String,
        /// How often platforms have handed the call on, this time included.
        handed_on: u8,
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
        /// Why it is to ring; `None`: for a caller in a queue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purpose: Option<OfferPurpose>,
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
        /// Index of its leg.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leg: Option<u16>,
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
        /// Index of its leg.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leg: Option<u16>,
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
    /// It is gone.
    #[serde(rename = "hotline.peer.left.v1")]
    PeerLeft {
        /// The way there.
        trunk: TrunkId,
        /// The number called.
        number: String,
        /// Milliseconds.
        talked_ms: u64,
    },
    /// Who talks with the caller wants somebody else to: how far it has come.
    #[serde(rename = "hotline.call.transfer.v1")]
    Transfer {
        /// How.
        kind: TransferKind,
        /// Number or seat; of one that was declined, whatever was asked for.
        to: String,
        /// How far.
        step: TransferStep,
        /// SIP status of a refusal.
        status: Option<u16>,
        /// Index of the target's leg, once there is one.
        leg: Option<u16>,
        /// What the target is in the plan; `None`: nobody of it.
        object_kind: Option<ObjectKind>,
        /// Which: its number in our own form, or the seat.
        object: Option<String>,
        /// Of an emergency center that is asked for (`requested`): what it takes, for the clerk to read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
        /// And where it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        area: Option<String>,
    },
    /// Somebody left the others with music, or is back.
    #[serde(rename = "hotline.call.held.v1")]
    Held {
        /// Index of the leg; 0: the caller's.
        leg: u16,
        /// Whether it holds now.
        holds: bool,
    },
    /// The caller has left; the clerk and whom they asked in go on.
    #[serde(rename = "hotline.call.caller_left.v1")]
    CallerLeft {
        /// How.
        cause: ClosedBy,
    },
    /// The caller goes before others, or behind them.
    #[serde(rename = "hotline.call.prioritised.v1")]
    Prioritised {
        /// Points; 0 is everybody's.
        priority: i16,
        /// `lane/elderly`, `urgent`, ….
        why: String,
    },
    /// The caller is known.
    #[serde(rename = "hotline.call.recognised.v1")]
    Recognised {
        /// How often they called lately.
        calls: u32,
        /// Who knows them.
        seat: Option<SeatId>,
        /// Numbers of their tickets under way.
        tickets: Vec<String>,
    },
    /// The house began this call.
    #[serde(rename = "hotline.call.outward.v1")]
    Outward {
        /// Always `out`.
        direction: Direction,
        /// `clerk`, `click`, `callback`, `missed`, `follow_up`.
        purpose: String,
        /// The seat that it is for.
        seat: Option<SeatId>,
        /// Who is called.
        number: String,
        /// The call that it follows from.
        of: Option<CallId>,
    },
    /// The caller may hang up and is called back when the place is due.
    #[serde(rename = "hotline.callback.kept.v1")]
    CallbackKept {
        /// Where.
        queue: QueueId,
        /// Callers in front.
        ahead: u32,
    },
    /// A kept place, or a missed call, is settled.
    #[serde(rename = "hotline.callback.settled.v1")]
    CallbackSettled {
        /// `answered`, `unanswered`, `answered_since`, `expired`.
        outcome: String,
    },
    /// What the call was about; a later one takes the place of an earlier.
    #[serde(rename = "hotline.ticket.disposed.v1")]
    Disposed {
        /// One of the plan's fields.
        field: Option<String>,
        /// One of its types.
        matter: Option<String>,
        /// Why it is not accepted.
        not_accepted: Option<String>,
        /// The matter is secret.
        secret: bool,
        /// Satisfaction is not chased.
        unsurveyed: bool,
        /// By whom.
        by: String,
        /// It is to be handed on at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        immediate: Option<Immediate>,
    },
    /// An article of the knowledge base was used; there may be several.
    #[serde(rename = "hotline.kb.used.v1")]
    ArticleUsed {
        /// Its id.
        article: String,
        /// Which wording of it was told.
        version: String,
        /// 责任单位; empty where the base could not be asked.
        owner: String,
        /// It settled the matter at once.
        settled: bool,
        /// By whom.
        by: String,
    },
    /// A clerk found an article wrong: for whoever looks after it.
    #[serde(rename = "hotline.kb.error_reported.v1")]
    ArticleFaulty {
        /// Its id.
        article: String,
        /// Which wording of it.
        version: String,
        /// What is wrong, in the clerk's words.
        text: String,
        /// By whom.
        by: String,
    },
    /// The call is marked.
    #[serde(rename = "hotline.call.flagged.v1")]
    Flagged {
        /// As what.
        flag: Flag,
        /// By whom.
        by: String,
    },
    /// A case is left for an office to take up: no clerk has spoken with the caller.
    #[serde(rename = "hotline.ticket.left.v1")]
    TicketLeft {
        /// The ticket's number.
        ticket: String,
        /// `overflow`, `sub_center_unanswered`, ….
        reason: String,
    },
    /// The caller left a message by themselves: this span of the recording.
    #[serde(rename = "hotline.message.left.v1")]
    MessageLeft {
        /// Its name in the flow.
        name: String,
        /// Milliseconds from the recording's beginning.
        from_ms: u64,
        /// See `from_ms`.
        to_ms: u64,
    },
    /// A program (智能客服) talked with the caller, or was to.
    #[serde(rename = "hotline.bot.talked.v1")]
    BotTalked {
        /// Which, by its name in the plan.
        bot: BotId,
        /// How that ended: `done`, `person`, `key`, `timed_out`, `closed`, ….
        outcome: String,
        /// Milliseconds from when it was asked for.
        took_ms: u64,
        /// What was said, in order, as the program told it; a bounded number of lines.
        transcript: Vec<SaidLine>,
        /// Lines that were not kept whole, or not at all.
        cut: u32,
    },
    /// The caller ordered the ticket by themselves (自助下单).
    #[serde(rename = "hotline.ticket.ordered.v1")]
    Ordered {
        /// The ticket's number.
        ticket: String,
        /// What it is about.
        category: String,
        /// What is known of it, by name; a message's value is its span, `12.4-58.0`, seconds.
        values: BTreeMap<String, String>,
        /// The message that belongs to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<MessageSpan>,
        /// The pick-up code (提取码) that the caller was told, for whoever answers how far it is; `None`: none was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// 好差评.
    #[serde(rename = "hotline.call.surveyed.v1")]
    Surveyed {
        /// 1 (very satisfied) … 5 (very dissatisfied).
        grade: u8,
        /// Why it was bad, by the digit: told again with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<u8>,
        /// What the grade is for; `None`: the talk with whoever talked last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<Graded>,
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
    /// The recording's term is over, and it was removed.
    #[serde(rename = "hotline.recording.removed.v1")]
    RecordingRemoved {
        /// The class whose term it was; `None`: that of all others.
        class: Option<String>,
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

impl EventBody {
    /// `type` of the CloudEvent.
    pub fn kind(&self) -> &'static str {
        match self {
            EventBody::Opened { .. } => OPENED,
            EventBody::Answered { .. } => "hotline.call.answered.v1",
            EventBody::DigitPressed { .. } => "hotline.call.digit_pressed.v1",
            EventBody::Queued { .. } => "hotline.call.queued.v1",
            EventBody::FromCenter { .. } => "hotline.call.from_center.v1",
            EventBody::FromPeer { .. } => "hotline.call.from_peer.v1",
            EventBody::Overflowed { .. } => "hotline.call.overflowed.v1",
            EventBody::SeatOffered { .. } => "hotline.seat.offered.v1",
            EventBody::OfferEnded { .. } => "hotline.seat.offer_ended.v1",
            EventBody::SeatAnswered { .. } => "hotline.seat.answered.v1",
            EventBody::SeatLeft { .. } => "hotline.seat.left.v1",
            EventBody::PeerAnswered { .. } => "hotline.peer.answered.v1",
            EventBody::PeerFailed { .. } => "hotline.peer.failed.v1",
            EventBody::PeerLeft { .. } => "hotline.peer.left.v1",
            EventBody::Transfer { .. } => "hotline.call.transfer.v1",
            EventBody::Held { .. } => "hotline.call.held.v1",
            EventBody::CallerLeft { .. } => "hotline.call.caller_left.v1",
            EventBody::Prioritised { .. } => "hotline.call.prioritised.v1",
            EventBody::Recognised { .. } => "hotline.call.recognised.v1",
            EventBody::Outward { .. } => "hotline.call.outward.v1",
            EventBody::CallbackKept { .. } => "hotline.callback.kept.v1",
            EventBody::CallbackSettled { .. } => "hotline.callback.settled.v1",
            EventBody::Disposed { .. } => "hotline.ticket.disposed.v1",
            EventBody::ArticleUsed { .. } => "hotline.kb.used.v1",
            EventBody::ArticleFaulty { .. } => "hotline.kb.error_reported.v1",
            EventBody::Flagged { .. } => "hotline.call.flagged.v1",
            EventBody::TicketLeft { .. } => "hotline.ticket.left.v1",
            EventBody::MessageLeft { .. } => "hotline.message.left.v1",
            EventBody::BotTalked { .. } => "hotline.bot.talked.v1",
            EventBody::Ordered { .. } => ORDERED,
            EventBody::Surveyed { .. } => "hotline.call.surveyed.v1",
            EventBody::RecordingStored { .. } => "hotline.recording.stored.v1",
            EventBody::RecordingRemoved { .. } => "hotline.recording.removed.v1",
            EventBody::Closed { .. } => CLOSED,
        }
    }
}

/// `type` of the event that every call begins with.
pub const OPENED: &str = "hotline.call.opened.v1";

/// `type` of the event by which a caller orders the ticket; it tells the pick-up code.
pub const ORDERED: &str = "hotline.ticket.ordered.v1";

/// `type` of the event that ends a call's life; only a recording may follow it.
pub const CLOSED: &str = "hotline.call.closed.v1";
