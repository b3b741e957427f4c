//! How the house stands when a call comes, and what its caller does, as far as somebody has said it; and what the way
//! of a call hangs on of which nobody has.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::diagnostic::Text;

/// `seats` of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseSeats {
    /// A clerk takes the caller.
    Some,
    /// Nobody is signed in.
    None,
    /// All are busy until the longest wait is over.
    Busy,
    /// The queue is full.
    Full,
}

/// How the house stands when the call comes, and what the caller does.
#[derive(Debug, Clone, Default)]
pub struct Given<'a> {
    /// Its clerks.
    pub seats: Option<CaseSeats>,
    /// So many wait already, and no seat is free.
    pub waiting: Option<u32>,
    /// How long the caller's wait is guessed to be; `Some(None)`: there is nothing to guess by.
    pub expected_wait: Option<Option<Duration>>,
    /// Whether the queue has a surge, by somebody's word.
    pub surge: Option<bool>,
    /// Whether the far side of a trunk picks up.
    pub answered: Option<bool>,
    /// Whether the caller's last call ended a moment ago.
    pub just_called: Option<bool>,
    /// What the caller presses, each key as soon as it means something, and nothing else.
    pub keys: Option<&'a str>,
    /// Whether the caller, asked to, leaves a message.
    pub leaves_message: Option<bool>,
    /// Hot notices that stand for the line, by their names, in order.
    pub notices: Option<Vec<&'a str>>,
    /// What look-ups and bots say, by their names.
    pub answers: BTreeMap<&'a str, Answer<'a>>,
    /// What is not said is as in a test that does not say it; else the way ends where it hangs on that.
    pub as_usual: bool,
}

/// What a look-up or a bot says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Nothing is found.
    Missing,
    /// It cannot be had.
    Failed,
    /// These values; `None`: one that it can say, and of which nobody has said anything.
    Values(BTreeMap<&'a str, Option<&'a str>>),
}

/// What the fate of a call hangs on, and nobody has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// What this look-up or bot says.
    Answer(String),
    /// Which value this look-up or bot says.
    Value {
        /// Whose.
        of: String,
        /// Its name.
        value: String,
    },
    /// Whether the wait is guessed to be longer than the queue's bound.
    Guess {
        /// The bound.
        most: Duration,
    },
    /// The wait that is guessed: it is told.
    Told,
    /// Whether a clerk is there and free.
    Seats,
    /// Whether the queue has a surge.
    Surge,
    /// Whether somebody picks up.
    Answered,
    /// Whether the caller's last call ended a moment ago.
    JustCalled,
    /// What the caller presses.
    Keys,
    /// Whether the caller leaves a message.
    Message,
}

impl Open {
    /// What it is, in words; the Chinese ones stand right behind 取决于.
    pub fn words(&self) -> Text {
        match self {
            Open::Answer(of) => Text::new(format!(" {of} 答什么"), format!("what {of} says")),
            Open::Value { of, value } => {
                Text::new(format!(" {of} 所答的 {value}"), format!("the {value} that {of} says"))
            }
            Open::Guess { .. } | Open::Told => {
                Text::new("预计要等多久", "how long the wait is guessed to be")
            }
            Open::Seats => Text::new("座席是否有人、是否空闲", "whether a clerk is there and free"),
            Open::Surge => Text::new("队列是否在高峰", "whether the queue has a surge"),
            Open::Answered => Text::new("对方是否接听", "whether somebody picks up there"),
            Open::JustCalled => {
                Text::new("来电人上次通话是否刚结束", "whether the caller's last call ended a moment ago")
            }
            Open::Keys => Text::new("来电人按什么键", "what the caller presses"),
            Open::Message => Text::new("来电人是否留言", "whether the caller leaves a message"),
        }
    }

    /// How a test says it.
    pub(super) fn example(&self) -> String {
        match self {
            Open::Answer(of) => format!("answers = {{ {of} = {{ … }} }}"),
            Open::Value { of, value } => format!("answers = {{ {of} = {{ {value} = \"…\" }} }}"),
            Open::Guess { .. } | Open::Told => "expected_wait = \"…\"".to_owned(),
            Open::Seats => "seats = \"…\"".to_owned(),
            Open::Surge => "surge = …".to_owned(),
            Open::Answered => "answered = …".to_owned(),
            Open::JustCalled => "just_called = …".to_owned(),
            Open::Keys => "keys = \"…\"".to_owned(),
            Open::Message => "message = …".to_owned(),
        }
    }

    /// How `hotline explain` is told.
    pub fn option(&self) -> String {
        match self {
            Open::Answer(of) => format!("--answer {of}=missing|failed|found"),
            Open::Value { of, value } => format!("--answer {of}.{value}=…"),
            Open::Guess { .. } | Open::Told => "--expected-wait …".to_owned(),
            Open::Seats => "--seats some|none|busy|full, --waiting …".to_owned(),
            Open::Surge => "--surge true|false".to_owned(),
            Open::Answered => "--answered true|false".to_owned(),
            Open::JustCalled => "--just-called true|false".to_owned(),
            Open::Keys => "--keys …".to_owned(),
            Open::Message => "--message true|false".to_owned(),
        }
    }
}
