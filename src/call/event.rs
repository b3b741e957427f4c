//! What a call is told and what it wants: the wall between one call and the rest of the house.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bot::{BotEnd, BotLine, BotSaid};
use super::negotiate::{Disagreement, KeySeed};
use crate::id::{BotId, CallId, LegId, LookUpId, QueueId, ScriptId, SeatId, TrunkId};
use crate::media::Order;
use crate::media::order::{LegFigures, PortSlot};
use crate::routing::people::Role;
use crate::routing::plan::TicketReason;
use crate::routing::reach::Reached;
use crate::routing::watching::Watching;
use crate::sip::Clearing;
use crate::sip::sdp::Sdp;

/// Something that happened to this call.
#[derive(Clone, Debug)]
pub enum Input {
    /// The opening record is on disk (`false`: the store said that it could not).
    Recorded { durable: bool },
    /// The answer to [`Command::WantPort`], with the address that will signal for the leg and ours
    /// towards it;
    /// `None`: the range is used up, or there is no way to the callee. `keys`, where every way there is
    /// over TLS.
    Port { leg: LegId, slot: Option<PortSlot>, peer: IpAddr, ours: IpAddr, keys: Option<KeySeed> },
    /// Our INVITE goes by this trunk now, whose peer signals from there, and asks for another number, where
    /// whoever was called has named one.
    Routed { leg: LegId, trunk: TrunkId, peer: IpAddr, number: Option<String> },
    /// 101–199 to our INVITE.
    Progressed { leg: LegId, sdp: Option<Arc<Sdp>> },
    /// 2xx to our INVITE.
    Answered { leg: LegId, sdp: Option<Arc<Sdp>> },
    /// Our INVITE failed.
    Refused { leg: LegId, status: u16 },
    /// The caller's CANCEL.
    Cancelled,
    /// The caller's or a re-INVITE's ACK, with the answer where we made the offer.
    Confirmed { leg: LegId, sdp: Option<Arc<Sdp>> },
    /// The PRACK for our early offer, with the answer.
    Agreed { leg: LegId, sdp: Option<Arc<Sdp>> },
    /// re-INVITE; without an offer we make one.
    Reoffered { leg: LegId, offer: Option<Arc<Sdp>> },
    /// The dialog is over; `vanished`: nobody said so, the peer is just gone.
    Ended { leg: LegId, vanished: bool },
    /// The peer answered a probe, or was heard again.
    Alive { leg: LegId },
    /// No RTP and no RTCP for the leg's bound.
    Silent { leg: LegId },
    /// What is missing in the sound of a bridge, and that it is back.
    Missing { leg: LegId, what: Missing },
    /// A key was pressed.
    Digit { leg: LegId, digit: char },
    /// A key was told by signalling (INFO); the same press may come by sound too.
    DigitTold { leg: LegId, digit: char },
    /// These keys were not pressed by signalling: the peer takes none so.
    KeysRefused { leg: LegId, keys: String },
    /// REFER: the leg's peer wants the caller put through to `target`, a URI at a host of ours.
    /// `attended`: to whom it talks with in a call of its own, or the status that says why not. Wants
    /// [`Command::AcceptRefer`] or [`Command::RefuseRefer`].
    Referred { leg: LegId, refer: u32, target: String, attended: Option<Result<Partner, u16>> },
    /// The dialog that [`Command::Adopt`] asked for is this leg's, and was described so last; its port
    /// follows.
    Adopted { leg: LegId, described: Sdp },
    /// None of the seats that [`Command::WantSeat`] asked for is free.
    NoSeat,
    /// An INVITE takes the place of the leg's dialog (RFC 3891). Wants [`Command::TakeOver`] or
    /// [`Command::RefuseTakeOver`]. `peer` will signal for the leg; `keys`, where it does so over TLS.
    Replaced { leg: LegId, offer: Option<Arc<Sdp>>, peer: IpAddr, keys: Option<KeySeed> },
    /// What was played under this mark is through.
    Played { leg: LegId, mark: u32 },
    /// The leg's sound is closed: its figures.
    SoundClosed { leg: LegId, figures: Box<LegFigures> },
    /// The engine lost this leg's sound by a fault of ours.
    SoundFailed { leg: LegId },
    /// The queue chose a seat, or several, one after another; its screen data is in the outbox.
    RingSeat { seat: SeatId, waited: Duration },
    /// The offer lapsed.
    WithdrawSeat { seat: SeatId },
    /// Where the caller stands.
    Position { ahead: u32, expected_wait: Option<Duration> },
    /// The queue's rule sends the caller on.
    Overflowed { waited: Duration },
    /// Guests are in the call's conference ([`super::conference_of`]), or none are any more. With guests two
    /// who talk are members of it, too; without, they are a bridge.
    Watched { watched: bool },
    /// The caller may hang up and keep the place, by this key; to be offered after so long.
    MayKeepPlace { after: Duration, key: char },
    /// The answer to [`Command::KeepPlace`].
    PlaceKept { kept: bool },
    /// Somebody wants the recording paused, or to go on.
    PauseRecording { pause: bool, by: String },
    /// An observer wants to listen to this call. Wants [`Command::ObserverMayHear`].
    Observed,
    /// This call listens to that one from now on; `None`: to none.
    Beside { beside: Option<Beside> },
    /// And in this way.
    WatchAs { how: Watching },
    /// The caller called only just now: a word and a ticket instead of the queue, unless it is urgent.
    /// Comes too late for who waits already.
    CoolDown,
    /// Whether the caller is asked for a grade after the clerk has left.
    Survey { wanted: bool },
    /// The answer to [`Command::LookUp`] of that number.
    LookedUp { asked: u32, said: LookedUp },
    /// The answer to [`Command::Relay`].
    RelayJudged { may: bool },
    /// What the program of that talk does, or what becomes of it; see [`Command::TalkWithBot`].
    Bot { talk: u32, said: BotSaid },
    /// End now, whatever is going on.
    End { cause: EndWhy },
}

/// What an adapter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookedUp {
    /// Values by their names; at most [`VALUES_MAX`](crate::routing::script::VALUES_MAX) are kept.
    Found(BTreeMap<String, String>),
    /// Nothing by that.
    Missing,
    /// This caller asked in vain too often.
    Locked,
    /// It is down, or too slow.
    Failed,
}

impl LookedUp {
    /// The same in one word.
    pub fn answer(&self) -> Answer {
        match self {
            LookedUp::Found(_) => Answer::Found,
            LookedUp::Missing => Answer::Missing,
            LookedUp::Locked => Answer::Locked,
            LookedUp::Failed => Answer::Failed,
        }
    }
}

/// What came of a question to an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Values.
    Found,
    /// Nothing by that.
    Missing,
    /// It was not asked: this caller asked in vain too often.
    Locked,
    /// It is down, or too slow.
    Failed,
}

impl Answer {
    /// As records and figures write it.
    pub fn word(self) -> &'static str {
        match self {
            Answer::Found => "found",
            Answer::Missing => "missing",
            Answer::Locked => "locked",
            Answer::Failed => "failed",
        }
    }
}

/// Beside whom somebody sits who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The call that is listened to.
    pub call: CallId,
    /// The clerk's leg of it, whom whispers are for.
    pub clerk: LegId,
    /// The role of the clerk's seat.
    pub of: Role,
    /// How, to begin with.
    pub how: Watching,
}

/// What is missing in a leg's sound while it is bridged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Its packets hold no sound.
    Sound,
    /// It sends none, and the other side does.
    Packets,
    /// Nothing any more.
    Nothing,
}

/// With whom a clerk talks in a call of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partner {
    /// That call's leg to them.
    pub leg: LegId,
    /// Who they are.
    pub callee: Callee,
}

/// Whose sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// The caller's.
    Caller,
    /// Whom we called.
    Callee(Callee),
}

/// Why the house ends a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndWhy {
    /// The drain's grace is over.
    Drained,
    /// A fault of ours, caught.
    Failed,
    /// Whom it was begun for has gone, or is served elsewhere.
    Withdrawn,
}

/// Where an outgoing leg goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callee {
    /// A clerk's telephone.
    Seat(SeatId),
    /// Somebody behind a trunk.
    Peer { trunk: TrunkId, number: String },
}

/// Why a flow rang nobody for a caller whom an adapter was to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotRelayed {
    /// No adapter has said the value.
    Unknown,
    /// It is no number that may be called so.
    NotAllowed,
}

impl NotRelayed {
    /// As records and the log write it.
    pub fn word(self) -> &'static str {
        match self {
            NotRelayed::Unknown => "unknown",
            NotRelayed::NotAllowed => "not_allowed",
        }
    }
}

/// What a caller's grade is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The talk that was had, and so whoever had it with the caller.
    #[default]
    Talk,
    /// What a flow did for the caller, before anybody talked with them.
    Flow,
}

impl Subject {
    /// As facts leave it out.
    pub fn is_talk(&self) -> bool {
        *self == Subject::Talk
    }
}

/// What the call wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Whoever is about to be called by this number and the caller are shown nothing of one another, and the
    /// number is in no fact; within a time it is called so often at most, and for this caller: [`Input::RelayJudged`]
    /// follows.
    Relay { number: String, most: u8, within: Duration },
    /// A port pair for a leg that is about to be called.
    WantPort { leg: LegId, callee: Callee },
    /// A port pair whose sound was never opened.
    FreePort { slot: PortSlot },
    /// 1xx to the caller.
    Progress { status: u16, sdp: Option<Sdp> },
    /// 200 to the caller.
    Answer { sdp: Sdp },
    /// A final refusal to the caller.
    Refuse { status: u16 },
    /// INVITE.
    Invite { leg: LegId, callee: Callee, offer: Sdp },
    /// The dialog of another call's leg, `from`, becomes this leg's: [`Input::Adopted`] and [`Input::Port`]
    /// follow, or [`Input::Refused`].
    Adopt { leg: LegId, callee: Callee, from: LegId },
    /// re-INVITE in a dialog that was adopted: [`Input::Answered`] or [`Input::Refused`] follows.
    Reoffer { leg: LegId, offer: Sdp },
    /// CANCEL or BYE, as the leg's state asks, with its Reason.
    HangUp { leg: LegId, why: Clearing },
    /// 200 to a re-INVITE.
    AnswerOffer { leg: LegId, sdp: Sdp },
    /// A refusal of a re-INVITE; the dialog lives on.
    RefuseOffer { leg: LegId, status: u16 },
    /// The same, by 488: its description is one that we cannot take.
    RefuseDescription { leg: LegId, why: Disagreement },
    /// 202 to a REFER.
    AcceptRefer { leg: LegId, refer: u32 },
    /// A refusal of a REFER.
    RefuseRefer { leg: LegId, refer: u32, status: u16 },
    /// NOTIFY to who referred: what its target said. Final ones are the last.
    NotifyRefer { leg: LegId, refer: u32, status: u16 },
    /// Offer the call to one of these seats, though the caller is with another one:
    /// [`Input::RingSeat`] or [`Input::NoSeat`] follows. `beside`: who is with the caller stays.
    /// `ring`: for so long, where it is not as long as the queue has it.
    WantSeat { seats: Vec<SeatId>, beside: bool, ring: Option<Duration> },
    /// 200 to the INVITE that takes the leg's dialog's place, whose own end is then to be told.
    TakeOver { leg: LegId, sdp: Sdp },
    /// A refusal of that INVITE; the leg goes on as it was.
    RefuseTakeOver { leg: LegId, status: u16 },
    /// In-dialog OPTIONS: is the peer there?
    Probe { leg: LegId },
    /// Keys to be pressed on the peer by signalling (INFO).
    Press { leg: LegId, keys: String },
    /// To the media engine.
    Sound(Order),
    /// Wait for a seat; `first`: at the head, with the place the caller had.
    JoinQueue { queue: QueueId, first: bool },
    /// The caller is gone or served; a seat that rings is free again.
    LeaveQueue,
    /// The caller wants to be called back when the place is due: [`Input::PlaceKept`] follows.
    KeepPlace,
    /// The seat picked up.
    SeatAnswered { seat: SeatId },
    /// A seat and the caller hear one another from now on: whoever else rings for the caller may stop.
    Bridged,
    /// The seat did not take the call: status, 0 for our own time-out.
    OfferFailed { seat: SeatId, status: u16 },
    /// The seat's talk is over.
    SeatLeft { seat: SeatId, vanished: bool },
    /// This call can listen to others from now on.
    Watching,
    /// It listens to that one, so; `None`: no more.
    Watch { call: CallId, how: Option<Watching> },
    /// Whoever listens wants that call for their own seat, which is free when this call is over.
    TakeWatched { call: CallId },
    /// All who talk know that observers hear them.
    ObserverMayHear,
    /// Somebody has joined who does not: observers hear nothing from now on, and may ask again.
    ObserverMayNotHear,
    /// Asks an adapter by these values: [`Input::LookedUp`] with this number follows, in the source's time-out.
    LookUp { asked: u32, source: LookUpId, by: BTreeMap<String, String> },
    /// A program is to talk with the caller: [`Input::Port`] for its leg follows, and then [`Input::Bot`] of this
    /// number, until [`Command::LeaveBot`].
    TalkWithBot { talk: u32, leg: LegId, bot: BotId },
    /// The caller pressed this key, which is the program's.
    TellBot { talk: u32, digit: char },
    /// That talk is over, as far as the call goes.
    LeaveBot { talk: u32, end: BotEnd },
    /// A fact for the record.
    Tell(Told),
    /// The call is over, all legs are gone: forget it.
    Over,
}

/// Facts of one call in its own words; `switchboard` turns them into the house's.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// 200 is out.
    Answered { durable: bool },
    /// A prompt began.
    Announced { prompt: String },
    /// The caller pressed a key.
    DigitPressed { digit: char },
    /// The caller said by key that it is urgent.
    Urgent,
    /// The caller waits.
    Queued { queue: QueueId },
    /// A seat picked up after this wait.
    SeatAnswered { seat: SeatId, waited: Duration },
    /// The seat is gone after this talk.
    SeatLeft { seat: SeatId, talked: Duration, vanished: bool },
    /// A peer is called.
    PeerDialled { trunk: TrunkId, number: String },
    /// It answered.
    PeerAnswered { trunk: TrunkId, number: String },
    /// It did not: status, 0 for our own time-out.
    PeerFailed { trunk: TrunkId, number: String, status: u16 },
    /// The caller is to be put through to somebody else, by who talks with them.
    /// `whom`: as the call's plan has them, where it has; several may be dialled by one number.
    Transfer { to: String, kind: TransferKind, step: TransferStep, whom: Option<Box<Reached>> },
    /// Somebody (by its leg's index) leaves the caller with music, and is back.
    Held { leg: u16, holds: bool },
    /// The peer is gone after this talk.
    PeerLeft { trunk: TrunkId, number: String, talked: Duration },
    /// Why that grade was bad: the digit.
    SurveyReason { digit: u8, grade: u8, subject: Subject },
    /// The caller has left, in this way; whoever talked with them goes on with somebody else.
    CallerLeft { cause: Ending },
    /// Another dialog took the place of this leg's (by its index).
    Replaced { leg: u16 },
    /// The caller is in its line's room.
    RoomJoined,
    /// And out of it, after so long.
    RoomLeft { stayed: Duration },
    /// A ticket is left.
    TicketLeft { reason: TicketReason },
    /// A flow of the operator's began.
    ScriptBegun { script: ScriptId },
    /// A flow was to say the value of this name, and it cannot be said in that way.
    ValueUnread { value: String },
    /// An adapter was asked, and said so after so long; or it was not, or did not.
    LookedUp { source: LookUpId, answer: Answer, took: Duration },
    /// A flow was to ring somebody for the caller by the value of this name, and rang nobody: why, and the number,
    /// where there is one.
    NotRelayed { name: String, why: NotRelayed, number: String },
    /// A flow was to ring this number for the caller, which is called too often.
    RelayDeclined { number: String },
    /// A program talked with the caller, or was to: how that ended, how long it took from when it was asked for, what
    /// was said, and how many lines were not kept whole.
    BotTalked { bot: BotId, end: BotEnd, took: Duration, lines: Vec<BotLine>, cut: u32 },
    /// The caller left a message; from when to when in the call's recording.
    MessageLeft { name: String, from: Duration, to: Duration },
    /// The caller ordered a ticket: what it is about, what is known of it, where in the recording the message that
    /// belongs to it stands, and the code that its progress is asked by.
    Ordered {
        category: String,
        values: BTreeMap<String, String>,
        message: Option<(Duration, Duration)>,
        code: Option<String>,
    },
    /// 1 … 5.
    Surveyed { grade: u8, subject: Subject },
    /// Somebody paused the recording.
    RecordingPaused { by: String },
    /// It goes on.
    RecordingResumed { by: String },
    /// Two talk, and this is missing in what one of them (by its leg's index) says.
    Missing { leg: u16, side: Side, what: Missing },
    /// The sound of a leg of ours to somebody is closed.
    LegClosed { leg: u16, callee: Callee, sound: LegFigures },
    /// The end.
    Closed { cause: Ending, sound: Option<LegFigures> },
}

/// How a third party comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// Who asked has no word with it first (RFC 5589 §5).
    #[default]
    Blind,
    /// Who asked talks with it first, inside this call.
    Consult,
    /// Who asked talked with it first, in a call of its own (RFC 5589 §7).
    Attended,
}

impl TransferKind {
    /// As records and events write it.
    pub fn word(self) -> &'static str {
        match self {
            TransferKind::Blind => "blind",
            TransferKind::Consult => "consult",
            TransferKind::Attended => "attended",
        }
    }
}

/// How far a transfer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferStep {
    /// Asked for, and begun.
    Requested,
    /// Asked for, and not begun, with this status.
    Declined(u16),
    /// The third party talks with who asked, and the caller hears music.
    Consulting,
    /// All three talk.
    Merged,
    /// Who asked has left; the caller and the third party go on.
    Left,
    /// The third party has left, or was let go; the caller is with who asked again.
    Returned,
    /// It rings there.
    Ringing,
    /// Caller and target talk.
    Accepted,
    /// The target did not take it: status, 408 for our own time-out.
    Failed(u16),
}

/// How the call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The caller hung up after the answer.
    CallerHungUp,
    /// CANCEL.
    CallerCancelled,
    /// The flow came to its end.
    Completed,
    /// Clerk or peer hung up and nothing followed.
    OtherHungUp,
    /// The caller's phone is just gone.
    CallerVanished,
    /// Refused with this status.
    Refused(u16),
    /// The drain's grace is over.
    Drained,
    /// Longer than allowed.
    TooLong,
    /// A fault of ours.
    Failed,
}
