//! What the queues are told and what they decide: the wall between `acd` and `switchboard`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{CallId, LineId, QueueId, SeatId, Skill};
use crate::time::Instant;

/// A caller who wants to wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Joining {
    /// Whose call.
    pub call: CallId,
    /// Where.
    pub queue: QueueId,
    /// The line that was dialled: seats see it.
    pub line: LineId,
    /// What the seat must know.
    pub skills: Vec<Skill>,
    /// To the head of the queue: a caller whose seat vanished keeps the earlier place.
    pub first: bool,
}

/// What is decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Ring this seat for this caller.
    Offer { call: CallId, seat: SeatId, waited: Duration },
    /// Stop ringing it: the offer lapsed.
    Withdraw { call: CallId, seat: SeatId },
    /// Tell the caller where they stand.
    Announce { call: CallId, ahead: u32, expected_wait: Option<Duration> },
    /// The caller leaves the queue by its rule.
    Overflow { call: CallId, queue: QueueId, why: Overflow, waited: Duration },
    /// For boards and figures.
    SeatChanged { seat: SeatId, state: SeatState },
}

/// Where one seat stands. Wrap-up is the time a clerk needs to finish the case after the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeatState {
    /// Not registered.
    SignedOut,
    /// Free.
    Ready { since: Instant },
    /// Ringing.
    Offered { call: CallId, lapses_at: Instant },
    /// With a caller.
    Talking { call: CallId, since: Instant },
    /// Finishing the case.
    WrapUp { call: CallId, ends_at: Instant },
    /// Let a call ring out; back at its next REGISTER or at `until`.
    Away { since: Instant, until: Option<Instant> },
}

/// Why an offer ended without a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    /// Rang out.
    NoAnswer,
    /// 486, 603, ….
    Rejected,
    /// Could not be reached, or 408/480/503.
    Unreachable,
    /// The caller left first.
    CallerGone,
}

/// Why a caller left the queue without a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// Longer than `wait_max`.
    WaitedTooLong,
    /// No seat signed in for `no_seat_wait`.
    NoSeat,
    /// `length_max` reached.
    Full,
}
