//! Tags of dialogs (RFC 3261 §19.3): ours are session ids, theirs are whatever they say.

use super::event::SessionId;
use super::message::Message;

/// The To tag of a message; empty where there is none.
pub(super) fn to_tag(message: &Message) -> Box<[u8]> {
    message.to().ok().and_then(|to| to.tag().map(Box::from)).unwrap_or_default()
}

/// The From tag of a message; empty where there is none.
pub(super) fn from_tag(request: &Message) -> Box<[u8]> {
    request.from().ok().and_then(|from| from.tag().map(Box::from)).unwrap_or_default()
}

/// Our tag in the dialog of a session.
pub(super) fn tag_of(id: SessionId) -> String {
    hex(&id.0.to_be_bytes())
}

/// Lower-case hexadecimal: written several times per call, so without the formatter's detours.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

/// The session that a tag of ours belongs to.
pub(super) fn session_of(tag: &[u8]) -> Option<SessionId> {
    let text = std::str::from_utf8(tag).ok().filter(|text| text.len() == 16)?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(text, 16).ok().map(SessionId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_ours_names_its_session() {
        let id = SessionId(0x0123_4567_89ab_cdef);
        assert_eq!(session_of(tag_of(id).as_bytes()), Some(id));
        assert_eq!(session_of(b"x123456789abcdef0"), None);
        assert_eq!(session_of(b"+123456789abcdef"), None);
    }
}
