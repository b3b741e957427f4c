//! What a call and a program that talks with its caller tell one another, and what is kept of their talk.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Lines of one talk that are kept; the first ones, for a caller says early what it is about.
pub const LINES_MAX: usize = 200;
/// Characters of one line.
pub const LINE_CHARS_MAX: usize = 500;
/// Characters of all lines together.
pub const TRANSCRIPT_CHARS_MAX: usize = 8_000;

/// What the program does, or what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BotSaid {
    /// It is there: its sound goes to and comes from this address, as RTP.
    There {
        /// L16 at 8 kHz, RTCP on the same port.
        at: SocketAddr,
    },
    /// Something was said, as it heard or spoke it.
    Line(BotLine),
    /// It has done what it is for.
    Done {
        /// How, in a word of its own.
        outcome: Option<String>,
        /// What it found out, by name.
        values: BTreeMap<String, String>,
    },
    /// The caller wants a person, or needs one.
    Person,
    /// There is no more talk with it.
    Ended(BotEnd),
}

/// A line of a talk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotLine {
    /// Who said it.
    pub who: Voice,
    /// What.
    pub text: String,
    /// When, milliseconds from the talk's beginning.
    pub at_ms: u64,
}

/// Who speaks in a talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// The caller.
    Caller,
    /// The program.
    Bot,
}

/// How a talk with a program ended. All but [`BotEnd::Done`] lead to a person, or nowhere where the caller is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BotEnd {
    /// It said so.
    Done,
    /// It wants a person for the caller.
    Person,
    /// The caller pressed the key for a person.
    Key,
    /// The longest talk is over.
    TimedOut,
    /// It was not there in time.
    NoAnswer,
    /// Nobody listens there, its name leads nowhere, or it is not who its certificate should name.
    Unreachable,
    /// Whoever listens there does not want to talk: another status than 101, or no WebSocket.
    Refused,
    /// It said nothing for too long, neither in sound nor in words.
    Silent,
    /// It sent what is none of the contract.
    Malformed,
    /// It sent a frame that is longer than may be.
    Oversized,
    /// It sent more than can be heard or kept.
    Flooded,
    /// It did not take what the caller says.
    Slow,
    /// It hung up.
    Closed,
    /// As many talk with programs as may.
    Busy,
    /// There is no way for the sound: no port, or a telephone whose sound is only passed on.
    NoSound,
    /// The caller hung up.
    CallerLeft,
    /// The house ends the call: a drain's grace is over, or the longest call.
    CallEnded,
}

impl BotEnd {
    /// As records, figures and the program are told it.
    pub fn word(self) -> &'static str {
        match self {
            BotEnd::Done => "done",
            BotEnd::Person => "person",
            BotEnd::Key => "key",
            BotEnd::TimedOut => "timed_out",
            BotEnd::NoAnswer => "no_answer",
            BotEnd::Unreachable => "unreachable",
            BotEnd::Refused => "refused",
            BotEnd::Silent => "silent",
            BotEnd::Malformed => "malformed",
            BotEnd::Oversized => "oversized",
            BotEnd::Flooded => "flooded",
            BotEnd::Slow => "slow",
            BotEnd::Closed => "closed",
            BotEnd::Busy => "busy",
            BotEnd::NoSound => "no_sound",
            BotEnd::CallerLeft => "caller_left",
            BotEnd::CallEnded => "call_ended",
        }
    }
}

/// What is kept of a talk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Transcript {
    pub(super) lines: Vec<BotLine>,
    chars: usize,
    /// Lines that were not kept, or not whole.
    pub(super) cut: u32,
}

impl Transcript {
    /// Keeps a line, as much of it as there is room for.
    pub(super) fn push(&mut self, mut line: BotLine) {
        let room = LINE_CHARS_MAX.min(TRANSCRIPT_CHARS_MAX - self.chars);
        if self.lines.len() >= LINES_MAX || room == 0 {
            self.cut = self.cut.saturating_add(1);
            return;
        }
        if let Some((end, _)) = line.text.char_indices().nth(room) {
            line.text.truncate(end);
            self.cut = self.cut.saturating_add(1);
        }
        self.chars += line.text.chars().count();
        self.lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(chars: usize) -> BotLine {
        BotLine { who: Voice::Caller, text: "话".repeat(chars), at_ms: 0 }
    }

    #[test]
    fn a_transcript_keeps_its_first_lines_and_as_much_of_each_as_may_be() {
        let mut many = Transcript::default();
        (0..LINES_MAX + 3).for_each(|_| many.push(line(1)));
        assert_eq!((many.lines.len(), many.cut), (LINES_MAX, 3));

        let mut long = Transcript::default();
        (0..100).for_each(|_| long.push(line(LINE_CHARS_MAX + 1)));
        let kept: usize = long.lines.iter().map(|line| line.text.chars().count()).sum();
        assert_eq!((kept, long.cut), (TRANSCRIPT_CHARS_MAX, 100));
        assert!(long.lines.iter().all(|line| line.text.chars().count() == LINE_CHARS_MAX));
    }

    #[test]
    fn an_end_has_one_word_wherever_it_is_told() {
        for end in [BotEnd::Done, BotEnd::TimedOut, BotEnd::NoSound, BotEnd::CallerLeft, BotEnd::CallEnded] {
            assert_eq!(serde_json::to_value(end).expect("a word"), end.word());
        }
    }
}
