//! The published words of ticket events: what their fields may say beside numbers and names.

use serde::{Deserialize, Serialize};

use crate::id::LineId;
use crate::time::Timestamp;

/// Calls that are nobody's case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// In a meeting room: the line names it.
    Meeting,
    /// A clerk or the house calls somebody.
    Outward,
    /// A clerk's own, such as one that listens to others.
    Own,
}

/// A line of a talk with a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidLine {
    /// Who said it.
    pub who: Speaker,
    /// What.
    pub text: String,
    /// When, milliseconds from the talk's beginning.
    pub at_ms: u64,
}

/// What a grade is for, where it is not for the talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Graded {
    /// What the caller did by themselves, before anybody talked with them.
    Flow,
}

/// Who speaks in such a talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The caller.
    Caller,
    /// The program.
    Bot,
}

/// Which way a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Out of the house.
    Out,
}

/// Why a seat is to ring, if not for a caller in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferPurpose {
    /// Somebody puts the caller through to it.
    Transfer,
    /// It is asked into a call whose clerk stays.
    Consult,
    /// A caller who hung up and kept the place is called back.
    Callback,
}

/// How a third party comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// Who asked has no word with it first.
    Blind,
    /// Who asked talks with it first, inside this call.
    Consult,
    /// Who asked talked with it first, in a call of its own.
    Attended,
}

/// How far a transfer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferStep {
    /// Asked for, and begun.
    Requested,
    /// Asked for, and not begun.
    Declined,
    /// It rings there.
    Ringing,
    /// The third party talks with who asked; the caller hears music.
    Consulting,
    /// All three talk.
    Merged,
    /// Who asked has left, and the others go on.
    Left,
    /// The third party has left; the caller is with who asked again.
    Returned,
    /// Caller and target talk.
    Accepted,
    /// The target did not take the caller.
    Failed,
}

/// What somebody beyond the city's own desks is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A line whose seats are kept elsewhere.
    SubCenter,
    /// The expert seats of a line.
    ExpertGroup,
    /// A department that clerks ask into calls.
    Department,
    /// Another platform of the hotline, by its organisation code.
    Peer,
    /// 110, 119, 120, 122.
    Emergency,
    /// A seat.
    Seat,
}

/// As what a call is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Its clerk was abused.
    Abusive,
    /// The caller wants to be known to nobody.
    Confidential,
    /// Somebody's life or safety.
    Urgent,
}

/// What is to be handed on at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Immediate {
    /// The code for which it is.
    pub code: String,
    /// Whom the clerk asks into the call; left out: the ticket hands it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<LineId>,
    /// Later is late.
    pub due_at: Timestamp,
}

/// A part of a call's recording, milliseconds from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSpan {
    /// Its first.
    pub from_ms: u64,
    /// Its end.
    pub to_ms: u64,
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
