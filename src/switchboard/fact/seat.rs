//! What seats became.

use serde::{Deserialize, Serialize};

use crate::acd::event::{AwayWhy, SeatState};
use crate::id::{CallId, SeatId};
use crate::time::{Instant, Timestamp};

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
