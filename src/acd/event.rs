//! What the queues are told and what they decide: the wall between `acd` and `switchboard`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{CallId, LineId, QueueId, SeatId};
use crate::routing::queueing::Known;
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
    pub skills: Vec<Known>,
    /// To the head of its priority: a caller whose seat vanished keeps the earlier place.
    pub first: bool,
    /// Higher goes first, whatever the wait; 0 is everybody's. The queue's own is added to it. Where waiting
    /// is worth something, a long wait overtakes.
    pub priority: i16,
    /// The clerk who knows the caller, and is waited for as long as the queue's rule says.
    pub sticky: Option<SeatId>,
}

/// What a clerk, a supervisor or a program wants a seat to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Free; ends a wrap-up, a rest or an absence.
    Ready,
    /// Gone for a reason. In a conversation or while it rings: as soon as that is over.
    Away {
        /// By its name in the plan.
        reason: String,
    },
    /// The case needs longer, by so much, and up to the plan's bound.
    MoreWrapUp(Duration),
    /// For so long no call: after one that its clerk flagged as abusive.
    Rest(Duration),
    /// Another's word that the seat is away until its clerk, or somebody, says otherwise.
    ForceAway,
}

/// Why a seat does not become what somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// The plan has no such seat.
    NoSuchSeat,
    /// Its telephone is not registered.
    SignedOut,
    /// It has nothing to wrap up.
    NoWrapUp,
    /// Longer than a wrap-up may be.
    TooLong,
}

/// Why a seat is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwayWhy {
    /// It let a call ring out, rejected it, or could not be reached.
    Unanswered,
    /// Its telephone gave no sign of life.
    Vanished,
    /// Its clerk is in a call of its own.
    OwnCall,
    /// Its clerk said so, by this name.
    Said(String),
    /// A rest after an abusive call.
    Rest,
    /// A supervisor said so.
    Forced,
}

/// Why a seat is to ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For a caller in a queue.
    Caller,
    /// For a caller whom somebody puts through to it.
    Transfer,
    /// To be asked into a call whose clerk stays.
    Consult,
    /// For a caller who hung up and kept the place: the house calls back when the seat has picked up.
    Callback,
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
        /// Why.
        purpose: Purpose,
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
    /// A place that was kept for who hung up is given up: nobody was free, or nobody answered, for as
    /// long as the queue keeps it.
    PlaceExpired {
        /// Whose place.
        call: CallId,
        /// Where.
        queue: QueueId,
        /// Since the caller joined.
        waited: Duration,
    },
    /// A queue has more callers than usual, or has not any more.
    SurgeChanged {
        /// Which.
        queue: QueueId,
        /// Whether it lasts.
        on: bool,
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
    /// Offered nobody, for one of the reasons.
    Away {
        /// Since then.
        since: Instant,
        /// `None`: until its next REGISTER, its own call's end, or somebody's word, as the reason has it.
        until: Option<Instant>,
        /// Why.
        why: AwayWhy,
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
    /// Longer to wait, by the guess, than the queue lets anybody.
    ExpectedWait,
    /// So many wait that callers of this priority are not let in.
    Shed,
}
