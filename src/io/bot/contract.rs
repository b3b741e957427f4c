//! What engine and program write one another in text frames: `contract/bot.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::{BotLine, BotSaid, Voice};
use crate::io::look_up::values;
use crate::routing::script::VALUE_CHARS_MAX;

/// `schema_version` of [`ToBot::Start`].
pub const SCHEMA_VERSION: u32 = 1;

/// What the program is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToBot<'a> {
    /// First of all: who calls, and how the sound is written.
    Start {
        /// Of all that is told.
        schema_version: u32,
        /// As in ticket events.
        call: &'a str,
        /// The ticket's number.
        ticket: &'a str,
        /// The line that was dialled.
        line: &'a str,
        /// As the notice prints it.
        line_name: &'a str,
        /// The line's language or dialect, where it has one of its own.
        language: Option<&'a str>,
        /// Masked unless the plan shows it; empty: withheld.
        caller: &'a str,
        /// Of each binary frame, both ways.
        sound: Format,
    },
    /// The caller pressed a key.
    Dtmf {
        /// `1`–`9`, `*`, `#`, `A`–`D`: 0 is a person, and is told to nobody.
        digit: char,
        /// Milliseconds from `start`.
        at_ms: u64,
    },
    /// Last of all: the talk is over.
    Stop {
        /// How it ended, in a word.
        reason: &'a str,
        /// Milliseconds from `start`.
        at_ms: u64,
    },
}

/// How sound is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Format {
    /// Sixteen bits, signed, the low byte first.
    pub encoding: &'static str,
    /// Samples a second: 8000 or 16000.
    pub rate: u32,
    /// One.
    pub channels: u8,
    /// Milliseconds of a frame.
    pub frame_ms: u8,
}

impl Format {
    /// At this rate.
    pub fn at(rate: u32) -> Self {
        Format { encoding: "pcm_s16le", rate, channels: 1, frame_ms: 20 }
    }

    /// Bytes of a frame.
    pub fn frame_bytes(self) -> usize {
        2 * self.rate as usize * usize::from(self.frame_ms) / 1_000
    }
}

/// What the program tells.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromBot {
    /// Something was said.
    Transcript {
        /// By whom.
        who: Voice,
        /// What.
        text: String,
        /// Milliseconds from `start`; `None`: now.
        #[serde(default)]
        at_ms: Option<u64>,
    },
    /// It has done what it is for.
    Done {
        /// How, in a word.
        #[serde(default)]
        outcome: Option<String>,
        /// What it found out.
        #[serde(default)]
        values: Map<String, Value>,
    },
    /// The caller wants a person.
    Person,
    /// What it has said and is not heard yet is not to be heard.
    Hush,
    /// Something of a later version.
    #[serde(other)]
    Other,
}

impl FromBot {
    /// Reads a text frame; `None`: it is none of the contract.
    pub fn read(text: &str) -> Option<FromBot> {
        serde_json::from_str(text).ok()
    }
}

/// A line as it is kept; `None`: there is nothing in it. What a terminal would take for orders is in none.
pub fn line(who: Voice, text: &str, at_ms: u64) -> Option<BotLine> {
    let text = plain(text);
    (!text.is_empty()).then_some(BotLine { who, text, at_ms })
}

/// What the call is told of a program that is done.
pub fn done(outcome: Option<&str>, found: Map<String, Value>) -> BotSaid {
    let values: BTreeMap<String, String> =
        values(found).into_iter().map(|(name, text)| (name, plain(&text))).collect();
    let outcome = outcome.map(plain).filter(|word| !word.is_empty());
    BotSaid::Done { outcome: outcome.filter(|word| word.chars().count() <= VALUE_CHARS_MAX), values }
}

fn plain(text: &str) -> String {
    crate::io::plain::plain(text).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_as_the_contract_has_it() {
        let start = ToBot::Start {
            schema_version: SCHEMA_VERSION,
            call: "c",
            ticket: "21090100001",
            line: "12345",
            line_name: "政务服务便民热线",
            language: None,
            caller: "138******42",
            sound: Format::at(16_000),
        };
        let written = serde_json::to_value(&start).expect("an object");
        let expected = serde_json::json!({
            "type": "start", "schema_version": 1, "call": "c", "ticket": "21090100001", "line": "12345",
            "line_name": "政务服务便民热线", "language": null, "caller": "138******42",
            "sound": { "encoding": "pcm_s16le", "rate": 16_000, "channels": 1, "frame_ms": 20 },
        });
        assert_eq!(written, expected);
        assert_eq!((Format::at(8_000).frame_bytes(), Format::at(16_000).frame_bytes()), (320, 640));
        let stop = serde_json::to_value(ToBot::Stop { reason: "key", at_ms: 7 }).expect("an object");
        assert_eq!(stop, serde_json::json!({ "type": "stop", "reason": "key", "at_ms": 7 }));
    }

    #[test]
    fn what_is_read_is_of_the_contract_or_of_a_later_version_or_nothing_row_by_row() {
        let said = |who, text: &str, at_ms| FromBot::Transcript { who, text: text.into(), at_ms };
        let none = Map::new;
        for (text, read) in [
            (
                r#"{"type":"transcript","who":"caller","text":"好","at_ms":5}"#,
                Some(said(Voice::Caller, "好", Some(5))),
            ),
            (r#"{"type":"transcript","who":"bot","text":"好","more":1}"#, Some(said(Voice::Bot, "好", None))),
            (r#"{"type":"person"}"#, Some(FromBot::Person)),
            (r#"{"type":"hush"}"#, Some(FromBot::Hush)),
            (r#"{"type":"done"}"#, Some(FromBot::Done { outcome: None, values: none() })),
            (
                r#"{"type":"done","outcome":"ok","values":{}}"#,
                Some(FromBot::Done { outcome: Some("ok".into()), values: none() }),
            ),
            (r#"{"type":"smile","wide":true}"#, Some(FromBot::Other)),
            (r#"{"type":"transcript","who":"nobody","text":"x"}"#, None),
            (r#"{"type":"transcript","who":"bot"}"#, None),
            (r#"{"type":"done","values":[1]}"#, None),
            (r#"{}"#, None),
            (r#"[]"#, None),
            ("", None),
            ("hello", None),
        ] {
            assert_eq!(FromBot::read(text), read, "{text}");
        }
    }

    #[test]
    fn nothing_that_a_terminal_would_take_for_orders_is_kept() {
        assert_eq!(line(Voice::Bot, " 好\u{1b}[2J\n的\u{7} ", 1).expect("words").text, "好 [2J 的");
        assert_eq!(line(Voice::Bot, "\n \u{1b}", 1), None);
        let found = serde_json::json!({ "a": "x\ny", "b": 2, "c": [1] });
        let Value::Object(found) = found else { unreachable!("written above") };
        let values = BTreeMap::from([("a".to_owned(), "x y".to_owned()), ("b".to_owned(), "2".to_owned())]);
        assert_eq!(done(Some("ok\n"), found), BotSaid::Done { outcome: Some("ok".into()), values });
        assert_eq!(
            done(Some(&"x".repeat(VALUE_CHARS_MAX + 1)), Map::new()),
            BotSaid::Done { outcome: None, values: BTreeMap::new() }
        );
    }
}
