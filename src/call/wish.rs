//! What people want of a call under way: a clerk's key codes, and the API.

use crate::id::{QueueId, SeatId};

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Ask a third party in: the caller hears music, the clerk waits for them and speaks with them. A
    /// number of the plan or a seat, as [`Plan::reach`](crate::routing::Plan::reach) reads it.
    Consult {
        /// Whom.
        to: String,
    },
    /// All three talk.
    Merge,
    /// The clerk leaves; the caller and the third party go on. Before the third party has picked up: the
    /// caller is put through to it, and the clerk waits for nothing.
    Leave,
    /// The third party is let go; clerk and caller talk.
    Return,
    /// The caller is left with music.
    Hold,
    /// And is talked with again.
    Resume,
    /// The caller goes back to a queue, ahead of others.
    Requeue {
        /// Which; `None`: where it waited, or the line's.
        queue: Option<QueueId>,
    },
    /// The call goes to this seat, whose clerk takes over from whoever talks, or from the queue.
    TakeOver {
        /// Which.
        seat: SeatId,
    },
    /// The call is ended.
    End,
}

/// Why a call does not do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwilling {
    /// Nobody talks with the caller now.
    NotTalking,
    /// There is a third party, or one is on the way.
    ThirdThere,
    /// There is no third party, or it has not picked up.
    NoThird,
    /// The plan has nobody of that name for this.
    Unreachable,
    /// Nobody is there at this hour.
    AfterHours,
    /// The caller's sound is only passed on: nobody can be mixed in.
    PassedOn,
    /// It is over.
    Over,
}
