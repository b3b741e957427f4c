//! One message in words, and a whole trace as JSON or as it went over the wire.

use std::fmt::Write as _;

use super::read::{Message, Party, Trace};
use crate::sip::event::Origin;
use crate::sip::{self, Name};
use crate::time::Timestamp;

impl Party {
    /// `中继 trunk carrier`, or the bare address.
    pub fn label(&self) -> String {
        match &self.name {
            Some(Origin::Trunk(trunk)) => format!("中继 trunk {trunk}"),
            Some(Origin::Seat(seat)) => format!("座席 seat {seat}"),
            None => self.at.to_string(),
        }
    }
}

/// What one line can say of a message.
pub(super) struct Words {
    /// `INVITE 12345`, `180 Ringing`.
    pub(super) what: String,
    /// `1 INVITE`.
    pub(super) cseq: String,
    /// `SDP`, or nothing.
    pub(super) sdp: &'static str,
}

impl Message {
    pub(super) fn words(&self) -> Words {
        // A request that is refused as it stands can still be read.
        let message = match sip::Message::parse(self.bytes.clone()) {
            Ok(message) => message,
            Err(sip::ParseError::Refused { message, .. }) => message,
            Err(sip::ParseError::Ignored { .. }) => {
                return Words { what: self.first_line(), cseq: String::new(), sdp: "" };
            }
        };
        let what = match (message.method(), message.status()) {
            (Some(method), _) => match message.request_uri().and_then(user_of) {
                Some(user) => format!("{} {}", text(method.as_bytes()), text(user)),
                None => text(method.as_bytes()),
            },
            (None, Some(status)) => format!("{status} {}", text(message.reason())),
            (None, None) => self.first_line(),
        };
        let sdp = message.header(Name::ContentType).is_some_and(|kind| {
            kind.len() >= 15
                && kind[..15].eq_ignore_ascii_case(b"application/sdp")
                && !message.body().is_empty()
        });
        let cseq = message.header(Name::CSeq).map(text).unwrap_or_default();
        Words { what, cseq, sdp: if sdp { "SDP" } else { "" } }
    }

    fn first_line(&self) -> String {
        text(self.bytes.split(|byte| *byte == b'\n').next().unwrap_or_default())
    }
}

/// Text that can be shown on a terminal: nothing in it moves a cursor.
fn text(bytes: &[u8]) -> String {
    let shown = |letter: char| if letter.is_control() { ' ' } else { letter };
    String::from_utf8_lossy(bytes).trim().chars().map(shown).collect()
}

/// The user part of a Request-URI, without its scheme.
fn user_of(uri: &[u8]) -> Option<&[u8]> {
    let rest = &uri[memchr::memchr(b':', uri)? + 1..];
    match memchr::memchr(b'@', rest) {
        Some(at) => Some(&rest[..at]),
        None => uri.starts_with(b"tel:").then_some(rest),
    }
}

/// As records say times.
pub(super) fn time(at_us: i64) -> String {
    Timestamp::from_microsecond(at_us).map_or_else(|_| at_us.to_string(), |at| format!("{at:.6}"))
}

impl Trace {
    /// For programs: one object with a list of messages.
    pub fn to_json(&self) -> serde_json::Value {
        let messages = self.messages.iter().map(|message| {
            let words = message.words();
            let (from, to) = message.ends(&self.parties);
            serde_json::json!({
                "at": time(message.at_us),
                "direction": if message.sent { "out" } else { "in" },
                "transport": message.transport.via_name(),
                "from": from,
                "to": to,
                "party": self.parties.get(message.party).map(Party::label),
                "what": words.what,
                "cseq": words.cseq,
                "sdp": !words.sdp.is_empty(),
                "repeated": message.again,
                "text": String::from_utf8_lossy(&message.bytes),
            })
        });
        serde_json::json!({
            "call": self.call,
            "messages": messages.collect::<Vec<_>>(),
            "left_out": self.left_out,
        })
    }

    /// Each message as it went over the wire, under a line that says when and between whom.
    pub fn to_raw(&self) -> String {
        let mut out = String::new();
        for message in &self.messages {
            let (from, to) = message.ends(&self.parties);
            let transport = message.transport.via_name();
            let again = if message.again { " 重发/again" } else { "" };
            let _ = writeln!(out, "--- {} {transport} {from} → {to}{again}", time(message.at_us));
            for line in String::from_utf8_lossy(&message.bytes).lines() {
                let shown =
                    |letter: char| if letter.is_control() && letter != '\t' { '\u{fffd}' } else { letter };
                let _ = writeln!(out, "{}", line.chars().map(shown).collect::<String>());
            }
        }
        out
    }
}
