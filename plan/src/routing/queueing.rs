//! How a queue finds a seat: the rules of `[[queue]]` beyond its times.

use std::time::Duration;

use super::hours::Hours;
use super::people::Role;
use crate::id::{PromptId, Skill};

/// Seats that ring for one caller at a time where all do; the next one rings as soon as one of them does not.
pub const RINGING_MAX: usize = 32;

/// What a clerk knows, and how well; or what a caller's clerk must know, and how well at least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    /// What. A language or dialect is a skill like others: `language/en`.
    pub skill: Skill,
    /// 1 … 9; more is better.
    pub level: u8,
}

impl Known {
    /// A skill at the lowest level.
    pub fn some(skill: impl Into<Skill>) -> Self {
        Known { skill: skill.into(), level: 1 }
    }

    /// Whether who knows this knows what is wanted.
    pub fn satisfies(&self, wanted: &Known) -> bool {
        self.skill == wanted.skill && self.level >= wanted.level
    }
}

/// Who of the free seats that may take a caller gets the call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The one that was idle longest.
    #[default]
    LongestIdle,
    /// The one after the last that was offered a call of this queue, by number.
    RoundRobin,
    /// The one with the fewest conversations since it signed in.
    FewestCalls,
    /// The first by [`Seat::order`](super::plan::Seat), then by number.
    TopDown,
    /// Any.
    Random,
    /// All of them; the first to pick up has it, and the others ring until the bridge stands.
    RingAll,
}

/// After so long, less is asked of the seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Widening {
    /// From joining on.
    pub after: Duration,
    /// By how many levels less each skill is asked for, instead of what the caller's line asks; a skill
    /// that would be asked for at level 0 is not asked for.
    pub levels: u8,
}

/// More callers than usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surge {
    /// Begins with so many waiting.
    pub from: u32,
    /// Ends with so few.
    pub until: u32,
    /// Said instead of the greeting; `None`: nothing is.
    pub greeting: Option<PromptId>,
    /// Seats of these roles serve the queue, too, while it lasts.
    pub roles: Vec<Role>,
    /// Whether callers are offered a call back at once.
    pub callback: bool,
}

/// A place in the queue may be kept by somebody who hangs up: the house calls back when it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackOffer {
    /// Offered after this wait.
    pub after: Duration,
    /// The key that takes it.
    pub key: char,
    /// Tries to reach the caller, one at a time.
    pub tries: u8,
    /// Between two tries.
    pub again_after: Duration,
    /// For how long the place is kept at most.
    pub keep: Duration,
}

/// What the queue is staffed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staffing {
    /// Calls that come in the busiest hour.
    pub calls_per_hour: u32,
    /// Mean length of a talk, without the wrap-up.
    pub talk: Duration,
    /// The wait that is promised.
    pub within: Duration,
    /// To so many of a hundred callers.
    pub percent: u8,
    /// When so many call: at other hours fewer seats do.
    pub hours: Hours,
}

/// The rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queueing {
    /// Which seat.
    pub strategy: Strategy,
    /// Steps by which less is asked of the seat, soonest first.
    pub widen: Vec<Widening>,
    /// Added to each caller's own priority.
    pub priority: i16,
    /// A caller who waits gains one point of priority in this time; `None`: never.
    pub ageing: Option<Duration>,
    /// Who would wait longer than this by the guess overflows at once.
    pub expected_wait_max: Option<Duration>,
    /// With so many waiting, callers below this priority overflow at once: `(waiting, priority)`, fewest
    /// waiting first.
    pub shed: Vec<(u32, i16)>,
    /// For so long a caller whom one clerk knows waits for that clerk, if it works.
    pub sticky_wait: Option<Duration>,
    /// When there are too many.
    pub surge: Option<Surge>,
    /// Whether and when a call back is offered.
    pub callback: Option<CallbackOffer>,
    /// How many calls its seats are there for; `None`: nobody has said.
    pub staffing: Option<Staffing>,
}
