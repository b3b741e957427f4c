//! The command that shows the whole way of a test's call.

use super::super::plan::DialledFrom;
use super::super::tables::case::CaseTable;
use super::super::written;
use super::{Answer, Call, CaseSeats, Given, NONE, Open, What};

/// The routing file that every command takes where none is named.
const USUAL_CONFIG: &str = "routing.toml";
/// Things that a test does not say and its way hangs on, at most.
const UNSAID_MAX: usize = 8;

/// A test as it was run.
pub(super) struct Run<'a> {
    pub case: &'a CaseTable,
    pub call: &'a Call<'a>,
    pub given: &'a Given<'a>,
    /// The routing file, as it was named.
    pub config: &'a str,
}

/// Words of a shell's command.
struct Words(Vec<String>);

impl Words {
    fn option(&mut self, name: &str, value: &str) {
        self.0.extend([format!("--{name}"), quoted(value)]);
    }

    fn switch(&mut self, name: &str, said: Option<bool>) {
        if let Some(said) = said {
            self.option(name, if said { "true" } else { "false" });
        }
    }
}

impl Run<'_> {
    /// `hotline explain` of the same call, as a shell takes it.
    pub fn command(&self) -> String {
        let mut words = Words(vec!["hotline".to_owned(), "explain".to_owned()]);
        if self.config != USUAL_CONFIG {
            words.option("config", self.config);
        }
        words.option("from", self.case.from.as_ref().map_or("", |said| &said.value));
        words.option("to", self.case.to.as_ref().map_or("", |said| &said.value));
        for (place, number) in &self.call.dialled.0 {
            match place {
                DialledFrom::HistoryInfo => words.option("history-info", number),
                DialledFrom::Diversion => words.option("diversion", number),
                DialledFrom::PCalledPartyId => words.option("p-called-party-id", number),
                DialledFrom::RequestUri | DialledFrom::To => {}
            }
        }
        if self.case.trunk.is_some() {
            words.option("trunk", self.call.trunk.id.as_str());
        }
        if let Some(at) = &self.case.at {
            words.option("at", &at.value.0.to_string());
        }
        self.situation(&mut words);
        words.0.join(" ")
    }

    /// What the test says of the caller and the house, and what it means by not saying what its way hangs on.
    fn situation(&self, words: &mut Words) {
        let given = spelled_out(self.call, self.given);
        if let Some(keys) = given.keys {
            words.option("keys", keys);
        }
        match given.seats {
            Some(CaseSeats::Some) => words.option("seats", "some"),
            Some(CaseSeats::None) => words.option("seats", NONE),
            Some(CaseSeats::Busy) => words.option("seats", "busy"),
            Some(CaseSeats::Full) => words.option("seats", "full"),
            None => {}
        }
        if let Some(waiting) = given.waiting {
            words.option("waiting", &waiting.to_string());
        }
        if let Some(guess) = given.expected_wait {
            words.option("expected-wait", &guess.map_or_else(|| NONE.to_owned(), written::duration));
        }
        words.switch("surge", given.surge);
        words.switch("answered", given.answered);
        words.switch("just-called", given.just_called);
        words.switch("message", given.leaves_message);
        for (of, answer) in &given.answers {
            match answer {
                Answer::Missing => words.option("answer", &format!("{of}=missing")),
                Answer::Failed => words.option("answer", &format!("{of}=failed")),
                Answer::Values(values) => {
                    let said = values.iter().filter_map(|(name, said)| Some((name, (*said)?)));
                    let said: Vec<String> = said.map(|(name, said)| format!("{of}.{name}={said}")).collect();
                    match said.is_empty() {
                        true => words.option("answer", &format!("{of}=found")),
                        false => said.iter().for_each(|said| words.option("answer", said)),
                    }
                }
            }
        }
        given.notices.iter().flatten().for_each(|name| words.option("notice", name));
    }
}

/// What is as usual, said only as far as the way hangs on it.
fn spelled_out<'a>(call: &Call<'_>, given: &Given<'a>) -> Given<'a> {
    let mut given = Given { as_usual: false, ..given.clone() };
    given.seats = given.seats.filter(|seats| *seats != CaseSeats::Some);
    given.keys = given.keys.filter(|keys| !keys.is_empty());
    given.just_called = given.just_called.filter(|just| *just);
    given.leaves_message = given.leaves_message.filter(|leaves| !leaves);
    for _ in 0..UNSAID_MAX {
        match call.walk(&given).open {
            Some(Open::Seats) => given.seats = Some(CaseSeats::Some),
            Some(Open::Surge) => given.surge = Some(false),
            Some(Open::JustCalled) => given.just_called = Some(false),
            Some(Open::Keys) => given.keys = Some(""),
            Some(Open::Message) => given.leaves_message = Some(true),
            Some(Open::Answered) => {
                let usual = call.walk(&Given { as_usual: true, ..given.clone() });
                given.answered = usual.passed.iter().find_map(|passed| match passed.what {
                    What::Rang { answered } => Some(answered),
                    _ => None,
                });
            }
            Some(Open::Answer(_) | Open::Value { .. } | Open::Guess { .. } | Open::Told) | None => break,
        }
    }
    given
}

/// One argument of a shell's command (POSIX XCU §2.2.2).
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@+,%=".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_each_argument_for_one() {
        for (word, wanted) in [
            ("12345", "12345"),
            ("2026-07-01T01:00:00Z", "2026-07-01T01:00:00Z"),
            ("plans/a.toml", "plans/a.toml"),
            ("tel:+86-393-12345", "tel:+86-393-12345"),
            ("sip:12345@192.0.2.10;user=phone", "'sip:12345@192.0.2.10;user=phone'"),
            ("my plan.toml", "'my plan.toml'"),
            ("it's", "'it'\\''s'"),
            ("$(reboot)", "'$(reboot)'"),
            ("电信", "'电信'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), wanted);
        }
    }
}
