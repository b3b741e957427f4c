//! The small grammar that header values share: blanks, tokens, quoted strings, lists, parameters.
//!
//! Works on slices whose folds are already blanked; what a value means is for its own file.

use std::borrow::Cow;
use std::ops::Range;

/// A stretch of a value, as offsets from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// First byte.
    pub at: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The stretch that `part`, a subslice of `whole`, takes up; empty where it is not one.
    pub(super) fn of(whole: &[u8], part: &[u8]) -> Span {
        let offset = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        if offset > whole.len() || part.len() > whole.len() - offset {
            return Span::default();
        }
        Span { at: offset as u32, end: (offset + part.len()) as u32 }
    }

    /// As a range for slicing.
    pub(super) fn range(self) -> Range<usize> {
        self.at as usize..self.end as usize
    }

    /// The bytes it stands for.
    pub(super) fn get(self, whole: &[u8]) -> &[u8] {
        whole.get(self.range()).unwrap_or_default()
    }
}

/// Blank inside a header: SP, HT, or what is left of a fold.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Drops blanks on both sides.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    trim_start(trim_end(text))
}

/// Drops blanks in front.
pub(super) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text {
        if !is_blank(*first) {
            break;
        }
        text = rest;
    }
    text
}

/// Drops blanks behind.
pub(super) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text {
        if !is_blank(*last) {
            break;
        }
        text = rest;
    }
    text
}

/// Bytes of a token, RFC 3261 §25.1.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let more = b"-.!%*_+`'~";
    let mut index = 0;
    while index < more.len() {
        table[more[index] as usize] = true;
        index += 1;
    }
    table
};

/// Whether `text` is a token: at least one byte, all from the token set.
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| TOKEN[byte as usize])
}

/// How many of the first bytes a token may hold (RFC 3261 §25.1).
pub(super) fn token_len(text: &[u8]) -> usize {
    text.iter().position(|&byte| !TOKEN[byte as usize]).unwrap_or(text.len())
}

/// Reads a decimal number; a value above `u64::MAX` stays there. `None` for anything but digits.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |sum, &byte| {
        byte.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    })
}

/// Reads a port, 0 to 65535.
pub(super) fn port(text: &[u8]) -> Option<u16> {
    number(text).and_then(|value| u16::try_from(value).ok())
}

/// Length of the quoted string at the start of `text`, quotes included; `None` when it never closes.
pub(super) fn quoted_len(text: &[u8]) -> Option<usize> {
    let mut index = 1;
    loop {
        index += memchr::memchr2(b'"', b'\\', text.get(index..)?)?;
        if text[index] == b'"' {
            return Some(index + 1);
        }
        index += 2;
    }
}

/// Takes the quotes and backslashes off; text without quotes comes back as it is.
pub(super) fn unquote(text: &[u8]) -> Cow<'_, [u8]> {
    let [b'"', inner @ .., b'"'] = text else {
        return Cow::Borrowed(text);
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => plain.extend(bytes.next()),
            _ => plain.push(byte),
        }
    }
    Cow::Owned(plain)
}

/// Where the first of `stops` stands outside quotes and angle brackets.
///
/// A quote that never closes hides the rest: the value then is one piece, and its reader refuses it.
pub(super) fn find_outside(text: &[u8], stop: u8) -> Option<usize> {
    // Most values have no `stop` at all, and a vector search knows that at once.
    memchr::memchr(stop, text)?;
    let mut index = 0;
    let mut in_angle = false;
    while let Some(&byte) = text.get(index) {
        match byte {
            b'"' if !in_angle => index += quoted_len(&text[index..])? - 1,
            b'<' => in_angle = true,
            b'>' => in_angle = false,
            _ if byte == stop && !in_angle => return Some(index),
            _ => {}
        }
        index += 1;
    }
    None
}

/// The items of a comma-separated list, trimmed; empty ones are passed over.
pub struct Items<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Items<'a> {
    /// Items of one header line's value.
    pub(super) fn of(value: &'a [u8]) -> Items<'a> {
        Items { rest: Some(value) }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let rest = self.rest.take()?;
            let item = match find_outside(rest, b',') {
                Some(comma) => {
                    self.rest = Some(&rest[comma + 1..]);
                    &rest[..comma]
                }
                None => rest,
            };
            let item = trim(item);
            if !item.is_empty() {
                return Some(item);
            }
        }
    }
}

/// The `;name=value` parameters of a value, in order; the value keeps its quotes.
#[derive(Clone)]
pub struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Params<'a> {
    /// Parameters from the first semicolon on.
    pub(super) fn of(text: &'a [u8]) -> Params<'a> {
        Params { rest: text }
    }

    /// The raw text of the next parameter, trimmed.
    fn next_raw(&mut self) -> Option<&'a [u8]> {
        let start = trim_start(self.rest);
        let [b';', rest @ ..] = start else {
            return None;
        };
        let end = param_end(rest);
        self.rest = &rest[end..];
        Some(trim(&rest[..end]))
    }

    /// Whether every parameter has a name, quotes close, and nothing else stands between them.
    /// One semicolon too many at the very end is let pass.
    pub(super) fn are_sound(mut self) -> bool {
        while let Some(raw) = self.next_raw() {
            if raw.is_empty() {
                return trim(self.rest).is_empty();
            }
            let (name, value) = split_param(raw);
            if name.is_empty() || !is_plain(name) || value.is_some_and(|value| !value_is_sound(value)) {
                return false;
            }
        }
        trim(self.rest).is_empty()
    }

    /// Looks one up; names are compared without case. `Some(None)`: there, without a value.
    pub(super) fn find(self, name: &str) -> Option<Option<&'a [u8]>> {
        let mut params = self;
        params.find_map(|(found, value)| found.eq_ignore_ascii_case(name.as_bytes()).then_some(value))
    }
}

/// Length of a parameter: up to the next semicolon outside quotes.
fn param_end(text: &[u8]) -> usize {
    let mut index = 0;
    while let Some(found) = memchr::memchr2(b';', b'"', &text[index..]) {
        index += found;
        if text[index] == b';' {
            return index;
        }
        match quoted_len(&text[index..]) {
            Some(len) => index += len,
            None => return text.len(),
        }
    }
    text.len()
}

fn split_param(raw: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'=', raw) {
        Some(equals) => (trim_end(&raw[..equals]), Some(trim_start(&raw[equals + 1..]))),
        None => (raw, None),
    }
}

/// A value that opens a quote closes it at its end.
fn value_is_sound(value: &[u8]) -> bool {
    match value.first() {
        Some(b'"') => quoted_len(value) == Some(value.len()),
        _ => is_plain(value),
    }
}

/// Neither a quote nor, outside of quotes, a control byte: NUL would leave us as a blank.
fn is_plain(text: &[u8]) -> bool {
    !text.iter().any(|&byte| byte == b'"' || (byte.is_ascii_control() && !is_blank(byte)))
}

impl<'a> Iterator for Params<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let raw = self.next_raw()?;
            if !raw.is_empty() {
                return Some(split_param(raw));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<&str> {
        Items::of(text.as_bytes()).map(|item| std::str::from_utf8(item).unwrap()).collect()
    }

    #[test]
    fn a_comma_in_quotes_or_brackets_does_not_end_an_item() {
        assert_eq!(
            items(r#""Doe, J; <x>" <sip:a,b@h>;q=1 , <sip:c@h>,, "a\",b" <sip:d@h>"#),
            [r#""Doe, J; <x>" <sip:a,b@h>;q=1"#, "<sip:c@h>", r#""a\",b" <sip:d@h>"#]
        );
        assert_eq!(items(" , ,"), Vec::<&str>::new());
        assert_eq!(items("\"open, a"), ["\"open, a"]);
    }

    #[test]
    fn parameters_keep_quoted_separators_and_blanks_around_the_equals_sign_go() {
        let params = Params::of(b" ; x=\"a;b,c\" ;\tlr; branch = z9 ;");
        assert!(params.clone().are_sound());
        let found: Vec<_> = params.clone().collect();
        assert_eq!(found, [(&b"x"[..], Some(&b"\"a;b,c\""[..])), (b"lr", None), (b"branch", Some(b"z9"))]);
        assert_eq!(params.clone().find("LR"), Some(None));
        assert_eq!(params.find("y"), None);
    }

    #[test]
    fn unsound_parameters_are_told() {
        for text in
            [";;", ";=1", ";a;;b", "junk;a", ";a=\"open", ";a=x\"y", ";a\"", ";\"a\"=b", ";a=\0", ";\x7f"]
        {
            assert!(!Params::of(text.as_bytes()).are_sound(), "{text}");
        }
        for text in ["", ";a", ";a;", ";a=", ";a = \"b\\\"c\" "] {
            assert!(Params::of(text.as_bytes()).are_sound(), "{text}");
        }
    }

    #[test]
    fn quotes_and_backslashes_come_off() {
        assert_eq!(&*unquote(br#""a\"b\\""#), br#"a"b\"#);
        assert_eq!(&*unquote(b"\"plain\""), b"plain");
        assert_eq!(&*unquote(b"\""), b"\"");
        assert_eq!(quoted_len(b"\"open\\"), None);
    }

    #[test]
    fn numbers_are_digits_only_and_never_wrap() {
        assert_eq!(number(b"0068"), Some(68));
        assert_eq!(number(b"99999999999999999999999"), Some(u64::MAX));
        assert_eq!(number(b"-1"), None);
        assert_eq!(number(b""), None);
        assert_eq!(port(b"65536"), None);
    }
}
