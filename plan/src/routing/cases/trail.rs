//! What a caller came through on the way, one thing after the other: what `hotline explain` tells of.

use super::super::plan::Step;
use super::super::script::When;
use crate::id::{PromptId, QueueId, ScriptId};

/// Something that the caller came through.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed {
    /// What.
    pub what: What,
    /// Keys that the caller pressed in it.
    pub keys: String,
}

/// What a caller comes through.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A step of the call's own.
    Step(Step),
    /// An act of a flow.
    Act {
        /// Whose.
        script: ScriptId,
        /// Its place there, from 0.
        place: usize,
        /// The way that the call took from it; `None`: that hangs on something.
        when: Option<When>,
    },
    /// A hot notice that a flow tells.
    Notice(PromptId),
    /// What came of ringing at a peer's.
    Rang {
        /// Somebody picked up.
        answered: bool,
    },
    /// What came of the step to a queue.
    Waited {
        /// The queue.
        queue: QueueId,
        /// What.
        how: Waited,
    },
}

/// What comes of the step to a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// A clerk is free, and takes the caller.
    Taken,
    /// No clerk is free; the caller waits, until one takes them.
    TakenLater,
    /// So many wait that no more are let in.
    Full,
    /// So many wait that whoever stands below this priority is not let in.
    Shed {
        /// The priority.
        below: i16,
    },
    /// The wait is guessed to be too long.
    TooLong,
    /// Nobody is signed in.
    NobodyThere,
    /// Nobody was free in time.
    WaitedOut,
    /// The turn is kept for a caller who hangs up.
    Kept,
    /// The caller called only just now, and a policy is about that.
    CoolsDown,
}
