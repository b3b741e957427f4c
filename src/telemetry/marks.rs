//! What a call is besides its sound and its minutes: who calls, how urgent it is, what it was about, who
//! listened, and which call it follows from. A fold over its facts.

use serde::{Deserialize, Serialize};

use crate::id::{CallId, QueueId, SeatId};
use crate::switchboard::fact::{CallbackOutcome, HandOn, OutwardPurpose, PriorityWhy, Subject, What};
use crate::switchboard::request::{ArticleUse, Disposed, Flag, Watching};

/// Reasons for its priority kept of one call; later ones stay in the facts only.
pub const PRIORITIES_MAX: usize = 8;
/// Flags, and watchers, kept of one call; later ones stay in the facts only.
pub const MARKS_MAX: usize = 16;

/// Why a caller goes before others, or behind them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priority {
    /// Points; 0 is everybody's.
    pub priority: i16,
    /// Why.
    pub why: PriorityWhy,
}

/// What is known of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// How often they called lately.
    pub calls: u32,
    /// Who knows them.
    pub seat: Option<SeatId>,
    /// Their tickets under way.
    pub tickets: Vec<String>,
}

/// A call that the house began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outward {
    /// Why.
    pub purpose: OutwardPurpose,
    /// The seat that it is for.
    pub seat: Option<SeatId>,
    /// Who is called.
    pub number: String,
    /// The call that it follows from.
    pub of: Option<CallId>,
}

/// Somebody listened. Times are milliseconds since the opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchTime {
    /// Who.
    pub seat: SeatId,
    /// In which way.
    pub how: Watching,
    /// Since.
    pub from_ms: u64,
    /// `None`: still.
    pub until_ms: Option<u64>,
}

/// A mark and who set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flagged {
    /// Which.
    pub flag: Flag,
    /// By whom.
    pub by: String,
}

/// A place in a queue that was kept for somebody who hung up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Where.
    pub queue: QueueId,
    /// Callers in front of it.
    pub ahead: u32,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// In order; the last one holds. At most [`PRIORITIES_MAX`], the last of which is kept.
    pub priorities: Vec<Priority>,
    /// What is known of the caller.
    pub recognised: Option<Recognised>,
    /// `Some`: the house began it.
    pub outward: Option<Outward>,
    /// The caller is called back when their place is due.
    pub callback: Option<Kept>,
    /// How that, or a missed call, was settled.
    pub callback_outcome: Option<CallbackOutcome>,
    /// What it was about: as it was said last.
    pub disposed: Option<Disposed>,
    /// Whether it was handed on at once, where it is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handed_on: Option<HandOn>,
    /// At most [`MARKS_MAX`], each flag once.
    pub flags: Vec<Flagged>,
    /// At most [`MARKS_MAX`]; who changes how they listen is in it twice.
    pub watchers: Vec<WatchTime>,
    /// Articles of the knowledge base that were used, at most [`MARKS_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub articles: Vec<ArticleUse>,
    /// Why the grade was bad: the digit.
    pub survey_reason: Option<u8>,
}

impl Marks {
    pub(super) fn apply(&mut self, at_ms: u64, what: &What) {
        match what {
            What::Prioritised { priority, why } => {
                if self.priorities.len() >= PRIORITIES_MAX {
                    self.priorities.pop();
                }
                self.priorities.push(Priority { priority: *priority, why: why.clone() });
            }
            What::Recognised { calls, seat, tickets } => {
                let (seat, tickets) = (seat.clone(), tickets.clone());
                self.recognised = Some(Recognised { calls: *calls, seat, tickets });
            }
            What::Outward { purpose, seat, number, of } => {
                self.outward =
                    Some(Outward { purpose: *purpose, seat: seat.clone(), number: number.clone(), of: *of });
            }
            What::CallbackKept { queue, ahead } => {
                self.callback = Some(Kept { queue: queue.clone(), ahead: *ahead });
            }
            What::CallbackSettled { outcome } => self.callback_outcome = Some(*outcome),
            What::Disposed(disposed) => {
                let code = disposed.immediate.as_ref().map(|own| &own.code);
                self.handed_on.take_if(|told| code != Some(&told.code)); // It was another matter.
                self.disposed = Some(disposed.clone());
            }
            What::HandOn(told) => self.handed_on = Some(told.clone()),
            What::ArticleUsed(used) => {
                // The last word on an article counts.
                self.articles.retain(|known| known.article != used.article);
                if self.articles.len() < MARKS_MAX {
                    self.articles.push(used.clone());
                }
            }
            What::Flagged { flag, by } => {
                let known = self.flags.iter().any(|flagged| flagged.flag == *flag);
                if !known && self.flags.len() < MARKS_MAX {
                    self.flags.push(Flagged { flag: *flag, by: by.clone() });
                }
            }
            What::Watched { seat, how } => {
                self.unwatched(at_ms, |watch| watch.seat == *seat);
                if self.watchers.len() < MARKS_MAX {
                    let (seat, how) = (seat.clone(), *how);
                    self.watchers.push(WatchTime { seat, how, from_ms: at_ms, until_ms: None });
                }
            }
            What::Unwatched { seat } => self.unwatched(at_ms, |watch| watch.seat == *seat),
            What::SurveyReason { digit, subject: Subject::Talk, .. } => self.survey_reason = Some(*digit),
            What::Closed { .. } => self.unwatched(at_ms, |_| true),
            _ => {}
        }
    }

    fn unwatched(&mut self, at_ms: u64, is_it: impl Fn(&WatchTime) -> bool) {
        for watch in self.watchers.iter_mut().filter(|watch| watch.until_ms.is_none() && is_it(watch)) {
            watch.until_ms = Some(at_ms);
        }
    }

    /// Whether the caller wants to be known to nobody.
    pub fn is_confidential(&self) -> bool {
        self.flags.iter().any(|flagged| flagged.flag == Flag::Confidential)
    }

    /// Of a matter that is to be handed on at once: whether that is late; inner `None`: it is not handed on yet, and not
    /// overdue.
    pub fn hand_on(&self) -> Option<Option<bool>> {
        self.disposed.as_ref()?.immediate.as_ref()?;
        Some(self.handed_on.as_ref().map(|told| told.late))
    }

    /// Whether an article settled the matter at once (直办).
    pub fn is_settled(&self) -> bool {
        self.articles.iter().any(|used| used.settled)
    }

    /// Points of priority as they stood last.
    pub fn priority(&self) -> i16 {
        self.priorities.last().map_or(0, |last| last.priority)
    }
}
