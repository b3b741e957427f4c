//! INFO: keys that a telephone tells by signalling (RFC 6086; the bodies are older than it).
//!
//! Whether the same press came by sound too is for `call` to say.

use super::endpoint::{Endpoint, Source, User};
use super::event::{Event, SessionId, TurnedAway};
use super::message::Message;
use super::session::{Phase, Session};
use super::transaction::Key;
use crate::time::Now;

/// What we read in an INFO.
pub(super) const ACCEPT: &str = "application/dtmf-relay, application/dtmf";

/// What an INFO says.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// Nothing, or what may be passed over.
    Nothing,
    Digit(char),
    /// A refusal.
    Refused(u16),
}

impl Endpoint {
    /// INFO in a dialog.
    pub(super) fn handle_info(&mut self, id: SessionId, info: &Message, key: Key, from: Source, now: Now) {
        let leaving = |session: &Session| matches!(session.phase, Phase::Leaving { .. });
        if self.sessions.get(&id).is_some_and(leaving) {
            // Its end may have been told already: nothing follows that.
            return self.refuse_in_dialog(id, info, key, from, 481, now);
        }
        let told = read(info);
        let status = if let Told::Refused(status) = told { status } else { 200 };
        let mut draft = self.answer_draft(info, from, status, id);
        match status {
            415 => draft = draft.header("Accept", ACCEPT),
            // RFC 6086 §4.2.2: with the packages that we do want, which are none.
            469 => draft = draft.header("Recv-Info", ""),
            _ => {}
        }
        self.serve(info, key, from, status, draft.finish(), User::Nobody, now);
        match told {
            Told::Digit(digit) => self.tell(Event::Digit { session: id, digit }),
            Told::Nothing => {}
            Told::Refused(400) => self.turn_away(from, TurnedAway::BadRequest),
            Told::Refused(_) => self.turn_away(from, TurnedAway::Unsupported),
        }
    }
}

fn read(info: &Message) -> Told {
    if info.header_named("Info-Package").is_some_and(|package| !package.is_empty()) {
        return Told::Refused(469);
    }
    if info.body().is_empty() {
        return Told::Nothing; // A sign of life (RFC 2976 §2.2).
    }
    let kind = info.content_type().unwrap_or_default();
    let signal = if kind.eq_ignore_ascii_case(b"application/dtmf-relay") {
        match field(info.body(), b"signal") {
            Some(signal) => signal,
            None => return Told::Refused(400),
        }
    } else if kind.eq_ignore_ascii_case(b"application/dtmf") {
        field(info.body(), b"signal").unwrap_or(info.body().trim_ascii())
    } else {
        let disposition = info.header(super::name::Name::ContentDisposition).unwrap_or_default();
        let optional = disposition.to_ascii_lowercase().windows(17).any(|part| part == b"handling=optional");
        return if optional { Told::Nothing } else { Told::Refused(415) };
    };
    key_of(signal)
}

/// The value of a `Name=value` line.
fn field<'a>(body: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    body.split(|byte| matches!(byte, b'\r' | b'\n')).find_map(|line| {
        let equals = memchr::memchr(b'=', line)?;
        let (name, value) = (line[..equals].trim_ascii(), line[equals + 1..].trim_ascii());
        name.eq_ignore_ascii_case(wanted).then_some(value)
    })
}

/// A key by its sign, or by its number in RFC 4733, as gateways write it too. A hook flash is no key.
fn key_of(signal: &[u8]) -> Told {
    match signal {
        [key @ (b'0'..=b'9' | b'*' | b'#' | b'A'..=b'D' | b'a'..=b'd')] => {
            Told::Digit(key.to_ascii_uppercase() as char)
        }
        b"10" => Told::Digit('*'),
        b"11" => Told::Digit('#'),
        [b'1', last @ b'2'..=b'5'] => Told::Digit((last - b'2' + b'A') as char),
        b"16" | b"!" => Told::Nothing,
        flash if [&b"hf"[..], b"flash"].iter().any(|word| flash.eq_ignore_ascii_case(word)) => Told::Nothing,
        _ => Told::Refused(400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_many_spellings() {
        for (signal, wanted) in [
            ("5", Told::Digit('5')),
            ("*", Told::Digit('*')),
            ("d", Told::Digit('D')),
            ("10", Told::Digit('*')),
            ("11", Told::Digit('#')),
            ("12", Told::Digit('A')),
            ("15", Told::Digit('D')),
            ("16", Told::Nothing),
            ("Flash", Told::Nothing),
            ("17", Told::Refused(400)),
            ("55", Told::Refused(400)),
            ("", Told::Refused(400)),
            ("\u{ff15}", Told::Refused(400)),
        ] {
            assert_eq!(key_of(signal.as_bytes()), wanted, "{signal}");
        }
        assert_eq!(field(b"Duration=160\r\n Signal = 7 \r\n", b"signal"), Some(&b"7"[..]));
    }
}
