//! What ties a trace to a call without showing its Call-ID: the first 64 bits of its SHA-256.
//!
//! The reference is found in whatever bytes went over the wire, so that a trace can hold messages that
//! nobody could read otherwise; a Call-ID itself never leaves this room.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Stands for one Call-ID, outside of signalling.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WireRef(u64);

impl WireRef {
    pub(super) fn of_call_id(call_id: &[u8]) -> Self {
        let sum = Sha256::digest(call_id);
        WireRef(u64::from_be_bytes(sum[..8].try_into().expect("a SHA-256 has 32 bytes")))
    }

    /// Of the message in these bytes; `None` where its head names no Call-ID. The head is looked at
    /// as lines only (RFC 3261 §7.3.1: compact name, blanks before the colon, a value on the next
    /// line), since a message that cannot be answered is traced as well.
    pub fn of_message(bytes: &[u8]) -> Option<Self> {
        // Line ends before the start line are none of the message's own (RFC 3261 §7.5).
        let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut lines = lines.skip_while(|line| line.is_empty()).skip(1).peekable();
        while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let name = line[..colon].trim_ascii_end();
            if !name.eq_ignore_ascii_case(b"Call-ID") && !name.eq_ignore_ascii_case(b"i") {
                continue;
            }
            let mut value = line[colon + 1..].trim_ascii();
            if value.is_empty()
                && let Some(next) = lines.next_if(|next| next.starts_with(b" ") || next.starts_with(b"\t"))
            {
                value = next.trim_ascii();
            }
            return (!value.is_empty()).then(|| WireRef::of_call_id(value));
        }
        None
    }

    /// Reads what [`fmt::Display`] writes: 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u64::from_str_radix(text, 16).ok().map(WireRef))?
    }

    /// The bare number, for files.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// From [`WireRef::to_bits`].
    pub fn from_bits(bits: u64) -> Self {
        WireRef(bits)
    }
}

impl fmt::Display for WireRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for WireRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_its_call_id_in_each_way_of_writing_it() {
        let expected = WireRef::parse("ca978112ca1bbdca"); // SHA-256 of "a".
        assert!(expected.is_some());
        for head in ["Call-ID: a", "call-id : a ", "i:a", "CALL-ID:\r\n a", "Via: x\r\nCall-ID:\ta"] {
            let text = format!("OPTIONS sip:x SIP/2.0\r\n{head}\r\nCSeq: 1 OPTIONS\r\n\r\n");
            assert_eq!(WireRef::of_message(text.as_bytes()), expected, "{head:?}");
            assert_eq!(WireRef::of_message(format!("\r\n\r\n{text}").as_bytes()), expected, "{head:?}");
        }
        for odd in ["", "Call-ID: a", "BYE x\r\n\r\nCall-ID: a\r\n", "BYE x\r\nCall-ID:\r\nVia: a\r\n\r\n"] {
            assert_eq!(WireRef::of_message(odd.as_bytes()), None, "{odd:?}");
        }
    }

    #[test]
    fn a_reference_survives_being_written() {
        let wire_ref = WireRef::of_call_id(b"another");
        assert_eq!(WireRef::parse(&wire_ref.to_string()), Some(wire_ref));
        assert_eq!(WireRef::from_bits(wire_ref.to_bits()), wire_ref);
        assert_eq!(WireRef::parse("+a978112ca1bbdca"), None);
    }
}
