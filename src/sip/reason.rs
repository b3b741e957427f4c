//! Reason: why a session ends, in the words of SIP and of the telephone network (RFC 3326, RFC 6432).

use super::message::Message;
use super::name::Name;
use super::scan::{self, Params};

/// Longest text that is kept of a peer's reason, bytes.
const TEXT_MAX: usize = 128;
/// Most values that are read of one message.
const VALUES_MAX: usize = 8;

/// Why we end a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clearing {
    /// Whoever talked is through.
    #[default]
    Normal,
    /// Somebody else has the call: a telephone that rang shows no missed call (RFC 3326 §3.1).
    Elsewhere,
    /// Another dialog took this one's place (RFC 3891 §3).
    Replaced,
    /// Nobody answered in time.
    NoAnswer,
    /// It gave no sign of life any more.
    Vanished,
    /// Longer than allowed.
    TooLong,
    /// The house is closing, or a fault of ours.
    OutOfOrder,
}

impl Clearing {
    /// Value of the header (Q.850 table 1; RFC 3326 §2).
    pub fn value(self) -> &'static str {
        match self {
            Clearing::Normal => "Q.850;cause=16;text=\"Normal call clearing\"",
            Clearing::Elsewhere => "SIP;cause=200;text=\"Call completed elsewhere\"",
            Clearing::Replaced => "SIP;cause=200;text=\"Replaced\"",
            Clearing::NoAnswer => "Q.850;cause=19;text=\"No answer from user\"",
            Clearing::Vanished => "Q.850;cause=27;text=\"Destination out of order\"",
            Clearing::TooLong => "Q.850;cause=31;text=\"Normal, unspecified\"",
            Clearing::OutOfOrder => "Q.850;cause=41;text=\"Temporary failure\"",
        }
    }
}

/// Value of the header in a refusal of ours (RFC 6432 §2; causes by RFC 3398 §8.2.6.1); `None` where
/// the telephone network has no word of its own for it.
pub fn of_refusal(status: u16) -> Option<&'static str> {
    Some(match status {
        404 | 604 => "Q.850;cause=1;text=\"Unallocated number\"",
        486 | 600 => "Q.850;cause=17;text=\"User busy\"",
        408 | 480 => "Q.850;cause=18;text=\"No user responding\"",
        403 | 603 => "Q.850;cause=21;text=\"Call rejected\"",
        410 => "Q.850;cause=22;text=\"Number changed\"",
        482 | 483 => "Q.850;cause=25;text=\"Exchange routing error\"",
        484 => "Q.850;cause=28;text=\"Invalid number format\"",
        500 => "Q.850;cause=41;text=\"Temporary failure\"",
        503 => "Q.850;cause=42;text=\"Switching equipment congestion\"",
        _ => return None,
    })
}

/// What a peer said of why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// Q.850 cause, 1–127.
    pub q850: Option<u8>,
    /// SIP status.
    pub sip: Option<u16>,
    /// Its words, the first that were given; without control characters, at most 128 bytes.
    pub text: String,
}

impl Reason {
    /// What the Reason headers of a message say; `None` where they say nothing that we understand.
    pub fn of(message: &Message) -> Option<Reason> {
        let mut reason = Reason::default();
        for value in message.values(Name::Reason).take(VALUES_MAX) {
            let end = memchr::memchr(b';', value).unwrap_or(value.len());
            let (protocol, params) = (scan::trim_end(&value[..end]), Params::of(&value[end..]));
            let cause = params.clone().find("cause").flatten().and_then(scan::number);
            if protocol.eq_ignore_ascii_case(b"Q.850") {
                let cause = cause.and_then(|cause| u8::try_from(cause).ok()).filter(|cause| *cause < 128);
                reason.q850 = reason.q850.or(cause);
            } else if protocol.eq_ignore_ascii_case(b"SIP") {
                let status = cause.and_then(|cause| u16::try_from(cause).ok());
                reason.sip = reason.sip.or(status.filter(|status| (100..700).contains(status)));
            } else {
                continue;
            }
            if reason.text.is_empty() {
                let text = params.find("text").flatten().unwrap_or_default();
                reason.text = plain(&scan::unquote(text));
            }
        }
        (reason.q850.is_some() || reason.sip.is_some()).then_some(reason)
    }
}

fn plain(text: &[u8]) -> String {
    let mut kept = String::new();
    for letter in String::from_utf8_lossy(text).chars().filter(|letter| !letter.is_control()) {
        if kept.len() + letter.len_utf8() > TEXT_MAX {
            break;
        }
        kept.push(letter);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(lines: &str) -> Option<Reason> {
        let text = format!(
            "BYE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:b@h>;tag=1\r\nTo: <sip:a@h>;tag=2\r\n\
             Call-ID: x\r\nCSeq: 1 BYE\r\n{lines}\r\n"
        );
        Reason::of(&Message::parse(text.into()).unwrap())
    }

    #[test]
    fn a_reason_is_read_row_by_row() {
        for (lines, q850, sip, text) in [
            ("Reason: Q.850;cause=16;text=\"Terminated\"\r\n", Some(16), None, "Terminated"),
            ("Reason: q.850 ; cause = 17\r\n", Some(17), None, ""),
            ("Reason: SIP;cause=200;text=\"a, b; c\", Q.850;cause=19\r\n", Some(19), Some(200), "a, b; c"),
            ("Reason: Q.850;cause=16\r\nReason: SIP;cause=487\r\n", Some(16), Some(487), ""),
            ("Reason: Q.850;cause=16, Q.850;cause=31\r\n", Some(16), None, ""),
            ("Reason: Q.850;cause=300, SIP;cause=600\r\n", None, Some(600), ""),
        ] {
            let found = reason(lines).unwrap_or_else(|| panic!("{lines}"));
            assert_eq!((found.q850, found.sip, &*found.text), (q850, sip, text), "{lines}");
        }
        for lines in ["", "Reason: Preemption;cause=1\r\n", "Reason: Q.850\r\n", "Reason: Q.850;cause=x\r\n"]
        {
            assert_eq!(reason(lines), None, "{lines}");
        }
        let long = reason(&format!("Reason: SIP;cause=500;text=\"{}\"\r\n", "闲".repeat(200))).unwrap();
        assert!(long.text.len() <= TEXT_MAX);
    }
}
