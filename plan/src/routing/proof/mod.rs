//! What the plan will do to callers, worked out before any has called: whether each hour of a year has a
//! person or a ticket for them, how long and by how many keys they come to a person, whether flows lead
//! round in circles, and whether the seats suffice.
//!
//! Proofs are made on the [`Plan`], which is what calls run on; what the file's author is told of them is for
//! [`check`](super::check) to say.

pub mod circles;
pub mod erlang;
pub mod hours;
pub mod outcome;
pub mod staffing;
pub mod worst;
pub mod year;

use std::time::Duration;

use super::plan::{Afterwards, Line, LineMode, Plan, Prompt};
use super::transition::Phase;
use crate::id::PromptId;

/// Hot notices in force at a time on one line: nobody has to hear more in front of a person.
pub const NOTICES_HEARD_MAX: u32 = 3;
/// The longest of them.
pub const NOTICE_LENGTH_MAX: Duration = Duration::from_secs(15);
/// What they can add to the time until a person. Somebody inserts them while all goes on, and any key passes them
/// over: they are told of beside what is proved, and bounded by themselves.
pub const NOTICES_MAX: Duration = NOTICE_LENGTH_MAX.saturating_mul(NOTICES_HEARD_MAX);

/// `[human_first]`: how soon a person is due on every line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HumanFirst {
    /// Until a caller who presses nothing waits for a clerk, at the longest: words, ringing at a department that
    /// does not answer, questions asked again. The wait in the queue is not among it: see
    /// [`staffing`].
    pub time_max: Duration,
    /// Choices and entries of digits on any way to a person.
    pub presses_max: u8,
}

impl Default for HumanFirst {
    fn default() -> Self {
        HumanFirst { time_max: Duration::from_secs(60), presses_max: 4 }
    }
}

impl Plan {
    /// The phases of the transition in which callers of `line` are owed a person: all of them, but that behind the
    /// months where `afterwards = "release"` has them refused. A line without a transition has one.
    pub(super) fn phases(&self, line: &Line) -> &'static [Phase] {
        match (&line.mode, self.transition_of(line).afterwards) {
            (LineMode::Merged { .. }, Afterwards::Release(_)) => &[Phase::Before, Phase::Inside],
            (LineMode::Merged { .. }, Afterwards::Connect) => &[Phase::Before, Phase::Inside, Phase::After],
            _ => &[Phase::After],
        }
    }

    /// How long a prompt is heard by callers of `line`: its variant in the line's language, where there is one.
    pub(super) fn length(&self, prompt: &PromptId, line: &Line) -> Duration {
        let own = line.language.as_ref().and_then(|own| self.prompts.get(&prompt.in_language(own)));
        own.or_else(|| self.prompts.get(prompt)).map_or(Duration::ZERO, Prompt::length)
    }
}
