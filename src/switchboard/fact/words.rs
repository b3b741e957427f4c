//! Words for why a caller goes before others, why the house calls somebody, and what came of it.

use serde::{Deserialize, Serialize};

/// Before the name of a lane.
const LANE: &str = "lane/";
/// Before the code of a platform.
const PEER: &str = "peer/";

/// Why a caller goes before others, or behind them. In facts one word: `lane/elderly`, `urgent`, ….
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PriorityWhy {
    /// A lane of the plan, by its name.
    Lane(String),
    /// Another platform hands the call over, by its organisation code.
    Peer(String),
    /// An emergency center calls.
    EmergencyCenter,
    /// The caller, or somebody, says so.
    Urgent,
    /// A policy about this caller.
    Policy,
}

impl std::fmt::Display for PriorityWhy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PriorityWhy::Lane(name) => write!(f, "{LANE}{name}"),
            PriorityWhy::Peer(org) => write!(f, "{PEER}{org}"),
            PriorityWhy::EmergencyCenter => f.write_str("emergency_center"),
            PriorityWhy::Urgent => f.write_str("urgent"),
            PriorityWhy::Policy => f.write_str("policy"),
        }
    }
}

impl From<PriorityWhy> for String {
    fn from(why: PriorityWhy) -> Self {
        why.to_string()
    }
}

impl TryFrom<String> for PriorityWhy {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        match word.as_str() {
            "emergency_center" => Ok(PriorityWhy::EmergencyCenter),
            "urgent" => Ok(PriorityWhy::Urgent),
            "policy" => Ok(PriorityWhy::Policy),
            _ => match (word.strip_prefix(LANE), word.strip_prefix(PEER)) {
                (Some(name), _) => Ok(PriorityWhy::Lane(name.to_owned())),
                (None, Some(org)) => Ok(PriorityWhy::Peer(org.to_owned())),
                (None, None) => Err(UnknownWord(word)),
            },
        }
    }
}

/// A word of a fact that says nothing.
#[derive(Debug, thiserror::Error)]
#[error("no reason for a priority: {0}")]
pub struct UnknownWord(String);

/// Why the house or a clerk calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutwardPurpose {
    /// A clerk dialled.
    Clerk,
    /// A clerk, or a program for it, clicked.
    Click,
    /// A caller whose place in the queue is due.
    Callback,
    /// A caller on the list of missed calls is called back.
    Missed,
    /// A citizen is asked whether they were helped.
    FollowUp,
}

impl OutwardPurpose {
    /// As facts, events and figures write it.
    pub fn word(self) -> &'static str {
        match self {
            OutwardPurpose::Clerk => "clerk",
            OutwardPurpose::Click => "click",
            OutwardPurpose::Callback => "callback",
            OutwardPurpose::Missed => "missed",
            OutwardPurpose::FollowUp => "follow_up",
        }
    }
}

/// What came of a place that was kept, or of a missed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackOutcome {
    /// They were called back, and answered.
    Answered,
    /// They were called back as often as is done, and did not answer.
    Unanswered,
    /// They have talked with somebody since, by another call.
    AnsweredSince,
    /// The place was given up before they could be called.
    Expired,
}

impl CallbackOutcome {
    /// As facts, events and figures write it.
    pub fn word(self) -> &'static str {
        match self {
            CallbackOutcome::Answered => "answered",
            CallbackOutcome::Unanswered => "unanswered",
            CallbackOutcome::AnsweredSince => "answered_since",
            CallbackOutcome::Expired => "expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::watching::Watching;

    /// They stand in stored records and are read by others.
    #[test]
    fn words_are_written_and_read_as_they_always_were() {
        let written = |word: &dyn Fn() -> serde_json::Value, wanted: &str| assert_eq!(word(), wanted);
        for (why, wanted) in [
            (PriorityWhy::Lane("elderly".into()), "lane/elderly"),
            (PriorityWhy::Peer("410922".into()), "peer/410922"),
            (PriorityWhy::EmergencyCenter, "emergency_center"),
            (PriorityWhy::Urgent, "urgent"),
            (PriorityWhy::Policy, "policy"),
        ] {
            written(&|| serde_json::to_value(&why).expect("a word"), wanted);
            assert_eq!(serde_json::from_value::<PriorityWhy>(wanted.into()).expect("a word"), why);
        }
        assert!(serde_json::from_value::<PriorityWhy>("no such reason".into()).is_err());
        use OutwardPurpose::{Callback, Clerk, Click, FollowUp, Missed};
        for purpose in [Clerk, Click, Callback, Missed, FollowUp] {
            written(&|| serde_json::to_value(purpose).expect("a word"), purpose.word());
        }
        use CallbackOutcome::{Answered, AnsweredSince, Expired, Unanswered};
        for outcome in [Answered, Unanswered, AnsweredSince, Expired] {
            written(&|| serde_json::to_value(outcome).expect("a word"), outcome.word());
        }
        for how in [Watching::Listen, Watching::Whisper, Watching::Barge] {
            written(&|| serde_json::to_value(how).expect("a word"), how.word());
        }
    }
}
