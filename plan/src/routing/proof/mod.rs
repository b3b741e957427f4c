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

use super::plan::{LineMode, Plan, Prompt};
use crate::id::PromptId;

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

impl LineMode {
    /// Whether somebody must be reached at every hour of the year: 12345, dual numbers and sub-centers.
    pub fn is_always_there(&self) -> bool {
        match self {
            LineMode::Primary { .. }
            | LineMode::Dual { .. }
            | LineMode::Retained { .. }
            | LineMode::SubCenter { .. } => true,
            LineMode::Merged { .. } | LineMode::Bench(_) | LineMode::Meeting(_) | LineMode::Watch { .. } => {
                false
            }
        }
    }
}

impl Plan {
    /// How long a prompt is heard.
    fn length(&self, prompt: &PromptId) -> Duration {
        self.prompts.get(prompt).map_or(Duration::ZERO, Prompt::length)
    }
}
