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
    Offer {
        /// Who waits.
        call: CallId,
        /// Who is to ring.
        seat: SeatId,
        /// Since the caller joined.
        waited: Duration,
    },
    /// Stop ringing it: the offer lapsed, or the caller or the seat is gone.
    Withdraw {
        /// For whom it rang.
        call: CallId,
        /// Who rings.
        seat: SeatId,
    },
    /// Tell the caller where they stand.
    Announce {
        /// Who waits.
        call: CallId,
        /// Callers of the same queue in front.
        ahead: u32,
        /// A guess; `None` where there is nothing to go by.
        expected_wait: Option<Duration>,
    },
    /// The caller leaves the queue by its rule.
    Overflow {
        /// Who waited.
        call: CallId,
        /// Where.
        queue: QueueId,
        /// By which rule.
        why: Overflow,
        /// Since the caller joined.
        waited: Duration,
    },
    /// For boards and figures.
    SeatChanged {
        /// Which.
        seat: SeatId,
        /// Where it stands now.
        state: SeatState,
    },
}

/// Where one seat stands. Wrap-up is the time a clerk needs to finish the case after the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeatState {
    /// Not registered.
    SignedOut,
    /// Free.
    Ready {
        /// Idle since then.
        since: Instant,
    },
    /// Ringing.
    Offered {
        /// For whom.
        call: CallId,
        /// When it has rung long enough.
        lapses_at: Instant,
    },
    /// With a caller.
    Talking {
        /// With whom.
        call: CallId,
        /// Since the seat picked up.
        since: Instant,
    },
    /// Finishing the case.
    WrapUp {
        /// Whose case.
        call: CallId,
        /// When the seat is free again.
        ends_at: Instant,
    },
    /// Did not take a call, or its telephone vanished; back at its next REGISTER or at `until`.
    Away {
        /// Since then.
        since: Instant,
        /// `None`: until its next REGISTER.
        until: Option<Instant>,
    },
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
