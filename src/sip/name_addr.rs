//! An address with its display name and parameters: From, To, Contact, Route (RFC 3261 §20.10).

use std::borrow::Cow;

use bytes::Bytes;

use super::scan::{self, Params, Span};
use super::uri::{Uri, UriError};

/// One name-addr or addr-spec with its header parameters, its text kept verbatim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    text: Bytes,
    display: Span,
    uri: Span,
    params: Span,
    tag: Option<Span>,
}

impl NameAddr {
    /// Reads one value. Display names may hold any bytes, quoted or not; a URI without brackets
    /// ends at the first semicolon and may hold no `?` (RFC 3261 §20).
    pub fn parse(text: Bytes) -> Result<NameAddr, &'static str> {
        let (display, uri, params) = split(&text)?;
        let odd = |&byte: &u8| byte <= b' ' || matches!(byte, b'<' | b'>' | 0x7f);
        if uri.iter().any(odd) || !has_scheme(uri) {
            return Err("no good URI");
        }
        if !Params::of(params).are_sound() {
            return Err("bad parameters");
        }
        let tag = match Params::of(params).find("tag") {
            // Nobody can tell a dialog by it.
            Some(None | Some(b"")) => return Err("tag is empty"),
            tag => tag.flatten().map(|tag| Span::of(&text, tag)),
        };
        let (display, uri) = (Span::of(&text, display), Span::of(&text, uri));
        let params = Span::of(&text, params);
        Ok(NameAddr { display, uri, params, tag, text })
    }

    /// The whole value, verbatim but for folds.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// Display name without quotes and backslashes; empty where there is none.
    pub fn display(&self) -> Cow<'_, [u8]> {
        scan::unquote(self.display.get(&self.text))
    }

    /// The URI as it came.
    pub fn uri(&self) -> &[u8] {
        self.uri.get(&self.text)
    }

    /// The URI as bytes of its own, sharing the buffer.
    pub fn uri_bytes(&self) -> Bytes {
        self.text.slice(self.uri.range())
    }

    /// The URI taken apart.
    pub fn parse_uri(&self) -> Result<Uri<'_>, UriError> {
        Uri::parse(self.uri())
    }

    /// The `tag` parameter.
    pub fn tag(&self) -> Option<&[u8]> {
        self.tag.map(|tag| tag.get(&self.text))
    }

    /// One header parameter by name. `Some(None)`: there, without a value.
    pub fn param(&self, name: &str) -> Option<Option<&[u8]>> {
        self.params().find(name)
    }

    /// The header parameters, in order (not those of the URI).
    pub fn params(&self) -> Params<'_> {
        Params::of(self.params.get(&self.text))
    }

    /// `expires` in seconds; one too large for 32 bits counts as the largest, a faulty one as
    /// absent (RFC 3261 §20.10).
    pub fn expires(&self) -> Option<u32> {
        let value = scan::number(self.param("expires")??)?;
        Some(u32::try_from(value).unwrap_or(u32::MAX))
    }

    /// `q` in thousandths, 0 to 1000; a faulty one counts as absent.
    pub fn q(&self) -> Option<u16> {
        let value = self.param("q")??;
        let dot = memchr::memchr(b'.', value).unwrap_or(value.len());
        let whole = scan::number(&value[..dot])?;
        let digits = value.get(dot + 1..).unwrap_or_default();
        if digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let scale = [0, 100, 10, 1][digits.len()];
        let sum = whole.checked_mul(1000)? + scan::number(digits).unwrap_or(0) * scale;
        (sum <= 1000).then_some(sum as u16)
    }
}

/// What Contact says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    /// `*`: all bindings (RFC 3261 §10.2.2).
    Star,
    /// The addresses, in order; may be none.
    List(Vec<NameAddr>),
}

/// Display name, URI and parameters of `text`.
#[allow(clippy::type_complexity)]
fn split(text: &[u8]) -> Result<(&[u8], &[u8], &[u8]), &'static str> {
    let start = scan::trim_start(text);
    let (display, rest) = if start.first() == Some(&b'"') {
        let len = scan::quoted_len(start).ok_or("quote is not closed")?;
        let rest = scan::trim_start(&start[len..]);
        if rest.first() != Some(&b'<') {
            return Err("no URI after the display name");
        }
        (&start[..len], rest)
    } else {
        let Some(open) = find_open(start) else {
            let end = memchr::memchr(b';', start).unwrap_or(start.len());
            let uri = scan::trim_end(&start[..end]);
            if memchr::memchr2(b'?', b',', uri).is_some() {
                return Err("URI wants brackets");
            }
            return Ok((b"", uri, &start[end..]));
        };
        (scan::trim_end(&start[..open]), &start[open..])
    };
    let close = memchr::memchr(b'>', rest).ok_or("bracket is not closed")?;
    Ok((display, &rest[1..close], &rest[close + 1..]))
}

/// Where the bracket around the URI opens. One inside quotes is a parameter's, as in
/// `sip:a@h;+sip.instance="<urn:uuid:0>"`; a quote that never closes is part of a name.
fn find_open(text: &[u8]) -> Option<usize> {
    let mut index = 0;
    loop {
        let found = index + memchr::memchr2(b'<', b'"', &text[index..])?;
        if text[found] == b'<' {
            return Some(found);
        }
        index = match scan::quoted_len(&text[found..]) {
            Some(len) => found + len,
            None => found + 1,
        };
    }
}

/// Whether `uri` begins like `scheme:x`. More than this is asked for where a URI is used.
fn has_scheme(uri: &[u8]) -> bool {
    let colon = memchr::memchr(b':', uri).unwrap_or(0);
    let scheme = &uri[..colon];
    uri.len() > colon + 1
        && scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &'static [u8]) -> NameAddr {
        NameAddr::parse(Bytes::from_static(text)).unwrap_or_else(|why| panic!("{text:?}: {why}"))
    }

    #[test]
    fn display_uri_and_tag_are_told_apart() {
        for (text, display, uri, tag) in [
            (&b"sip:a@h;tag=1"[..], &b""[..], &b"sip:a@h"[..], Some(&b"1"[..])),
            (b"<sip:a@h;tag=uri>", b"", b"sip:a@h;tag=uri", None),
            (br#""Doe, J; <x>;tag=no" <sip:a@h> ; tag = 2"#, b"Doe, J; <x>;tag=no", b"sip:a@h", Some(b"2")),
            (br#""a\"b"<tel:+4930123456>"#, b"a\"b", b"tel:+4930123456", None),
            (b"caller<sip:a@h>;tag=3", b"caller", b"sip:a@h", Some(b"3")),
            (b"Bell, Alexander <sip:a@h>;tag=43", b"Bell, Alexander", b"sip:a@h", Some(b"43")),
            (b"\xd5\xc5\xc8\xfd <sip:a@h>", b"\xd5\xc5\xc8\xfd", b"sip:a@h", None),
            (b"sip:a@h ;   tag    = 4n", b"", b"sip:a@h", Some(b"4n")),
            (b"sip:a@h;+sip.instance=\"<urn:uuid:0>\";tag=5", b"", b"sip:a@h", Some(b"5")),
            (b"5\" disk <sip:a@h>;tag=6", b"5\" disk", b"sip:a@h", Some(b"6")),
        ] {
            let parsed = addr(text);
            assert_eq!(&*parsed.display(), display);
            assert_eq!(parsed.uri(), uri);
            assert_eq!(parsed.tag(), tag);
            assert_eq!(parsed.as_bytes(), text);
        }
    }

    #[test]
    fn expires_and_q_are_numbers() {
        let parsed = addr(b"<sip:a@h>;expires=280297596632815;q=0.33");
        assert_eq!(parsed.expires(), Some(u32::MAX));
        assert_eq!(parsed.q(), Some(330));
        for (text, q) in [
            (&b"<sip:a@h>;q=1"[..], Some(1000)),
            (b"<sip:a@h>;q=0.7", Some(700)),
            (b"<sip:a@h>;q=1.001", None),
            (b"<sip:a@h>;q=.5", None),
            (b"<sip:a@h>;q", None),
        ] {
            assert_eq!(addr(text).q(), q, "{text:?}");
        }
        assert_eq!(addr(b"<sip:a@h>;expires=soon").expires(), None);
    }

    #[test]
    fn broken_addresses_are_refused() {
        for text in [
            &b""[..],
            b"\"Mr. J. User <sip:j@h>",
            b"\"x\" sip:a@h",
            b"<sip:a@h",
            b"< sip:a@h >",
            b"<>",
            b"<anonymous>",
            b"sip:a@h?Route=x",
            b"<sip:a@h>;;;;",
            b"<sip:a@h> junk",
            b"sip:a@h>;tag=1",
            b"<sip:a@h>;tag",
            b"<sip:a@h>;tag=",
            b"<<sip:a@h>>",
            b"<sip:a\0@h>",
            b"*",
        ] {
            assert!(NameAddr::parse(Bytes::copy_from_slice(text)).is_err(), "{text:?}");
        }
    }
}
