//! Which option tags we know (RFC 3261 §19.2): one list, for Supported, Require and 420.

use super::message::Message;
use super::name::Name;

/// Provisional answers that are acknowledged, RFC 3262.
pub(super) const RELIABLE: &str = "100rel";
/// Session timers, RFC 4028.
pub(super) const TIMER: &str = "timer";

/// Every tag that works, for Supported. What stands here is served in both roles.
pub(super) const SUPPORTED: &str = "100rel, timer, replaces, norefersub";

/// What `request` requires and we do not know, for Unsupported (RFC 3261 §8.2.2.3); `None`: nothing.
pub(super) fn unsupported(request: &Message) -> Option<String> {
    let known = |tag: &[u8]| {
        SUPPORTED.split(',').any(|known| known.trim_start().as_bytes().eq_ignore_ascii_case(tag))
    };
    let mut strange = request.values(Name::Require).filter(|tag| !known(tag)).peekable();
    strange.peek()?;
    let strange: Vec<&[u8]> = strange.collect();
    Some(String::from_utf8_lossy(&strange.join(&b", "[..])).into_owned())
}

/// Whether the sender of `message` takes part in the extension `tag`.
pub(super) fn supports(message: &Message, tag: &str) -> bool {
    message.lists(Name::Supported, tag) || message.lists(Name::Require, tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_strange_is_named() {
        let rows = [
            ("", None),
            ("Require: 100rel\r\n", None),
            ("Require: Timer, 100REL\r\n", None),
            ("Require: 100rel, fish\r\n", Some("fish")),
            ("Require: fish\r\nRequire: timer, bicycle\r\n", Some("fish, bicycle")),
            ("Supported: fish\r\n", None),
        ];
        for (lines, wanted) in rows {
            let text = format!("INVITE sip:12345@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n{lines}\r\n");
            let request = Message::parse(text.into()).unwrap();
            assert_eq!(unsupported(&request).as_deref(), wanted, "{lines}");
        }
    }
}
