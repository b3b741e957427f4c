//! How far an office is with a ticket (办理进度), as its caller may ask: few words, which prompts stand for.

use serde::{Deserialize, Serialize};

/// Where an office is with a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// 已受理: it is there, and nobody has said more of it.
    Open,
    /// 已派单: whoever is to settle it has it.
    Assigned,
    /// 办理中: they are at it.
    InHand,
    /// 已答复: the caller was answered.
    Answered,
    /// 已办结: it is settled.
    Done,
    /// 不予受理: it is not the office's to settle.
    Refused,
}

impl Progress {
    /// All of them, in the order in which a ticket comes through them.
    pub const ALL: [Progress; 6] = [
        Progress::Open,
        Progress::Assigned,
        Progress::InHand,
        Progress::Answered,
        Progress::Done,
        Progress::Refused,
    ];

    /// In records, in look-ups and on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Progress::Open => "open",
            Progress::Assigned => "assigned",
            Progress::InHand => "in_hand",
            Progress::Answered => "answered",
            Progress::Done => "done",
            Progress::Refused => "refused",
        }
    }

    /// What [`Progress::word`] wrote.
    pub fn parse(word: &str) -> Option<Self> {
        Progress::ALL.into_iter().find(|progress| progress.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_are_checked_against_these_words() {
        assert_eq!(Progress::ALL.map(Progress::word), crate::routing::script::TICKET_STATES);
    }

    #[test]
    fn each_word_is_read_as_what_it_was_written_for_and_as_serde_has_it() {
        for progress in Progress::ALL {
            assert_eq!(Progress::parse(progress.word()), Some(progress));
            assert_eq!(serde_json::to_value(progress).unwrap(), progress.word());
        }
        assert_eq!(Progress::parse("Done"), None);
    }
}
