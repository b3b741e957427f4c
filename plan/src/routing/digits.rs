//! A short text in place: numbers are looked up without asking for memory.

use super::rewrite::DIGITS_MAX;

/// At most [`DIGITS_MAX`] characters of a number and its `+`.
#[derive(Clone, Copy)]
pub(super) struct Digits {
    bytes: [u8; DIGITS_MAX],
    length: usize,
}

impl Digits {
    pub(super) const NONE: Digits = Digits { bytes: [0; DIGITS_MAX], length: 0 };

    /// All of `parts`, one behind the other; `None`: they are too long together.
    #[inline]
    pub(super) fn of(parts: &[&str]) -> Option<Digits> {
        let mut whole = Digits::NONE;
        for part in parts {
            let end = whole.length.checked_add(part.len())?;
            whole.bytes.get_mut(whole.length..end)?.copy_from_slice(part.as_bytes());
            whole.length = end;
        }
        Some(whole)
    }

    /// The digits of a number without visual separators (RFC 3966 §5.1.1), behind a `+` that stands first.
    #[inline]
    pub(super) fn without_separators(number: &str) -> Option<Digits> {
        let mut digits = Digits::NONE;
        for byte in number.bytes() {
            match byte {
                b'-' | b'.' | b'(' | b')' => {}
                b'0'..=b'9' => digits.push(byte)?,
                b'+' if digits.length == 0 => digits.push(byte)?,
                _ => return None,
            }
        }
        (!matches!(digits.as_str(), "" | "+")).then_some(digits)
    }

    #[inline]
    fn push(&mut self, byte: u8) -> Option<()> {
        *self.bytes.get_mut(self.length)? = byte;
        self.length += 1;
        Some(())
    }

    #[inline]
    pub(super) fn as_str(&self) -> &str {
        // Whole texts went in, so a whole text comes out.
        self.bytes.get(..self.length).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_left_out_and_a_plus_stands_first_or_it_is_no_number() {
        let longest = "1".repeat(DIGITS_MAX);
        for (number, expected) in [
            ("0393-12345", Some("039312345")),
            ("(+86).393", Some("+86393")),
            ("12345", Some("12345")),
            (longest.as_str(), Some(longest.as_str())),
            (&format!("{longest}1"), None),
            ("1+2", None),
            ("++1", None),
            ("+", None),
            ("-", None),
            ("", None),
            ("12345#", None),
            ("１２３", None),
        ] {
            let found = Digits::without_separators(number);
            assert_eq!(found.as_ref().map(Digits::as_str), expected, "{number}");
        }
    }

    #[test]
    fn parts_are_joined_as_far_as_there_is_room() {
        assert_eq!(Digits::of(&["+", "86", "", "393"]).as_ref().map(Digits::as_str), Some("+86393"));
        assert_eq!(Digits::of(&["热线"]).as_ref().map(Digits::as_str), Some("热线"));
        let full = "1".repeat(DIGITS_MAX);
        assert!(Digits::of(&[&full]).is_some() && Digits::of(&[&full, "1"]).is_none());
    }
}
