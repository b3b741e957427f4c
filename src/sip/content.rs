//! What a message describes: its body, or the part of it that is a description (RFC 3261 §8.2.3, RFC 5621).

use std::sync::Arc;

use super::message::Message;
use super::multipart;
use super::name::Name;
use super::sdp::Sdp;

/// What a body is worth.
#[derive(Debug)]
pub(super) enum Content {
    /// There is none, or one that may be passed over.
    Nothing,
    /// A description.
    Sdp(Arc<Sdp>),
    /// Not something that we read: 415.
    Unsupported,
    /// It says to be a description and is none: 400.
    Bad,
}

/// Reads a message's body (RFC 3261 §8.2.3), or of a body of several parts the description
/// (RFC 5621): a part that must be understood and is not ours makes it unsupported.
pub(super) fn content(message: &Message) -> Content {
    if message.body().is_empty() {
        return Content::Nothing;
    }
    if let Some(parts) = parts(message) {
        return match parts {
            None => Content::Bad,
            Some(parts) if parts.has_unknown && !is_optional(message) => Content::Unsupported,
            Some(parts) => parts.sdp.map_or(Content::Nothing, described),
        };
    }
    let encoded = is_encoded(message);
    let is_sdp = message.content_type().is_none_or(|kind| kind.eq_ignore_ascii_case(b"application/sdp"));
    if encoded || !is_sdp {
        return if is_optional(message) { Content::Nothing } else { Content::Unsupported };
    }
    described(message.body())
}

/// The parts of a body that has several; `None` inside: it is not what it says to be.
fn parts(message: &Message) -> Option<Option<multipart::Parts<'_>>> {
    if !message.content_type().is_some_and(multipart::is_multipart) {
        return None;
    }
    let kind = message.header(Name::ContentType).unwrap_or_default();
    let encoded = is_encoded(message);
    Some(if encoded {
        Some(multipart::Parts { sdp: None, has_unknown: true })
    } else {
        multipart::read(kind, message.body())
    })
}

fn is_encoded(message: &Message) -> bool {
    message.values(Name::ContentEncoding).any(|coding| !coding.eq_ignore_ascii_case(b"identity"))
}

fn is_optional(message: &Message) -> bool {
    message.header(Name::ContentDisposition).is_some_and(multipart::is_optional)
}

fn described(body: &[u8]) -> Content {
    match Sdp::parse(body) {
        Ok(sdp) => Content::Sdp(Arc::new(sdp)),
        Err(_) => Content::Bad,
    }
}

/// Whether an INVITE lets its answer carry a description: 406 where its Accept leaves none (RFC 3261
/// §20.1, RFC 4475 §3.3.15). No Accept means that it does, an empty one that nothing may come.
pub(super) fn accepts_sdp(invite: &Message) -> bool {
    if invite.header(Name::Accept).is_none() {
        return true;
    }
    invite.values(Name::Accept).any(|range| {
        let end = memchr::memchr(b';', range).unwrap_or(range.len());
        let range = range[..end].trim_ascii();
        [&b"application/sdp"[..], b"application/*", b"*/*"].iter().any(|sdp| range.eq_ignore_ascii_case(sdp))
    })
}

/// Whether a message has a body, or a part of one, that says to be a description.
pub(super) fn has_sdp(message: &Message) -> bool {
    match parts(message) {
        Some(parts) => parts.is_some_and(|parts| parts.sdp.is_some()),
        None => {
            !message.body().is_empty()
                && message.content_type().is_none_or(|kind| kind.eq_ignore_ascii_case(b"application/sdp"))
        }
    }
}

/// The description in a response or an ACK, or nothing where it has none that can be read. Neither
/// can be refused, so other parts are passed over whatever they ask.
pub(super) fn sdp_of(message: &Message) -> Option<Arc<Sdp>> {
    let content = match parts(message) {
        Some(parts) => parts?.sdp.map_or(Content::Nothing, described),
        None => content(message),
    };
    match content {
        Content::Sdp(sdp) => Some(sdp),
        Content::Nothing | Content::Unsupported | Content::Bad => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(more: &str) -> Message {
        let text = format!("INVITE sip:12345@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n{more}\r\n");
        Message::parse(text.into()).unwrap()
    }

    #[test]
    fn an_accept_without_descriptions_is_told_from_one_with_them() {
        let rows = [
            ("", true),
            ("Accept: application/sdp\r\n", true),
            ("Accept: text/html, Application/SDP ;q=0.5\r\n", true),
            ("Accept: text/html\r\nAccept: application/*\r\n", true),
            ("Accept: */*\r\n", true),
            ("Accept: text/html, application/sdpx\r\n", false),
            ("Accept:\r\n", false),
        ];
        for (lines, wanted) in rows {
            assert_eq!(accepts_sdp(&invite(lines)), wanted, "{lines}");
        }
    }
}
