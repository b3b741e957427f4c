//! URIs: sip, sips, tel, and any other scheme as opaque text (RFC 3261 §19.1, RFC 3966).
//!
//! Escapes are left as they came; [`Uri::user_decoded`] takes them off for comparing.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use super::scan::{self, Params};

/// A URI, borrowed from the text it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// `sip`, `sips`, `tel`, …, as written.
    pub scheme: &'a [u8],
    /// User part with its escapes; for `tel:` the number; `None` where there is no `@`.
    pub user: Option<&'a [u8]>,
    /// What follows the colon in the user part.
    pub password: Option<&'a [u8]>,
    /// Host, IPv6 without its brackets. Empty for `tel:`; all but the scheme for unknown schemes.
    pub host: &'a [u8],
    /// Port, if one is given.
    pub port: Option<u16>,
    /// Parameters with the semicolon in front, or nothing.
    pub params: &'a [u8],
    /// Headers after the question mark, without it.
    pub headers: Option<&'a [u8]>,
}

/// Why text is no URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// No `scheme:` in front.
    #[error("URI has no scheme")]
    Scheme,
    /// A blank, control byte or angle bracket inside.
    #[error("URI has a byte that cannot be in one")]
    Byte,
    /// No host, or an unclosed bracket.
    #[error("URI has no good host")]
    Host,
    /// Not a number up to 65535.
    #[error("URI has a bad port")]
    Port,
}

impl<'a> Uri<'a> {
    /// Reads a bare URI, without angle brackets.
    pub fn parse(text: &'a [u8]) -> Result<Uri<'a>, UriError> {
        if text.iter().any(|&byte| byte <= b' ' || matches!(byte, 0x7f | b'<' | b'>' | b'"')) {
            return Err(UriError::Byte);
        }
        let colon = memchr::memchr(b':', text).ok_or(UriError::Scheme)?;
        let (scheme, rest) = (&text[..colon], &text[colon + 1..]);
        let scheme_is_good = scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !scheme_is_good {
            return Err(UriError::Scheme);
        }
        let mut uri =
            Uri { scheme, user: None, password: None, host: rest, port: None, params: b"", headers: None };
        if uri.is_sip() {
            uri.read_sip(rest)?;
        } else if uri.is_tel() {
            let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
            if end == 0 {
                return Err(UriError::Host);
            }
            uri.user = Some(&rest[..end]);
            uri.host = b"";
            uri.params = &rest[end..];
        } else if rest.is_empty() {
            return Err(UriError::Host);
        }
        Ok(uri)
    }

    fn read_sip(&mut self, rest: &'a [u8]) -> Result<(), UriError> {
        // An unescaped `@` can only end the user part, which may hold `;` and `?` (RFC 3261 §25.1).
        let place = match memchr::memchr(b'@', rest) {
            Some(at) => {
                let user = &rest[..at];
                match memchr::memchr(b':', user) {
                    Some(colon) => {
                        self.user = Some(&user[..colon]);
                        self.password = Some(&user[colon + 1..]);
                    }
                    None => self.user = Some(user),
                }
                &rest[at + 1..]
            }
            None => rest,
        };
        let place = match memchr::memchr(b'?', place) {
            Some(mark) => {
                self.headers = Some(&place[mark + 1..]);
                &place[..mark]
            }
            None => place,
        };
        let place = match memchr::memchr(b';', place) {
            Some(semicolon) => {
                self.params = &place[semicolon..];
                &place[..semicolon]
            }
            None => place,
        };
        let (host, port) = host_port(place).ok_or(UriError::Host)?;
        self.host = host;
        self.port = match port {
            Some(port) => Some(scan::port(port).ok_or(UriError::Port)?),
            None => None,
        };
        Ok(())
    }

    /// Whether the scheme is `sip` or `sips`.
    pub fn is_sip(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"sip") || self.scheme.eq_ignore_ascii_case(b"sips")
    }

    /// Whether the scheme is `tel`.
    pub fn is_tel(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"tel")
    }

    /// The parameters, in order.
    pub fn params(&self) -> Params<'a> {
        Params::of(self.params)
    }

    /// One parameter by name. `Some(None)`: there, without a value.
    pub fn param(&self, name: &str) -> Option<Option<&'a [u8]>> {
        self.params().find(name)
    }

    /// The host as an address, where it is one.
    pub fn host_ip(&self) -> Option<IpAddr> {
        ip(self.host)
    }

    /// The user part with its escapes taken off; empty where there is none.
    pub fn user_decoded(&self) -> Cow<'a, [u8]> {
        unescape(self.user.unwrap_or_default())
    }

    /// Whether both name the same user: escapes do not count, case does (RFC 3261 §19.1.4).
    pub fn same_user(&self, other: &Uri<'_>) -> bool {
        self.user.is_some() == other.user.is_some() && self.user_decoded() == other.user_decoded()
    }
}

/// Reads an IP address from bytes.
///
/// The grammar of RFC 3261 puts one colon too many before an IPv4 tail, `2001:db8:::192.0.2.1`; it
/// is passed over (RFC 5118 §4.10).
pub(super) fn ip(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().or_else(|| {
        let (front, tail) = text.split_once(":::")?;
        tail.parse::<Ipv4Addr>().ok()?;
        format!("{front}::{tail}").parse().ok()
    })
}

/// A SIP URI as a Request-URI may have it: without headers (RFC 3261 §19.1.1). Others as they are.
pub(super) fn without_headers(text: &[u8]) -> &[u8] {
    if memchr::memchr(b'?', text).is_none() {
        return text;
    }
    match Uri::parse(text) {
        Ok(Uri { headers: Some(headers), .. }) => &text[..text.len() - headers.len() - 1],
        _ => text,
    }
}

/// Takes `host[:port]` apart; IPv6 loses its brackets. `None` for an empty host or an open bracket.
pub(super) fn host_port(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let (host, rest) = match text {
        [b'[', inner @ ..] => {
            let close = memchr::memchr(b']', inner)?;
            // Brackets hold an IPv6 address and nothing else.
            ip(&inner[..close]).filter(IpAddr::is_ipv6)?;
            (&inner[..close], scan::trim_start(&inner[close + 1..]))
        }
        _ => {
            let end = memchr::memchr(b':', text).unwrap_or(text.len());
            (scan::trim_end(&text[..end]), &text[end..])
        }
    };
    if host.is_empty() {
        return None;
    }
    match rest {
        [] => Some((host, None)),
        [b':', port @ ..] => Some((host, Some(scan::trim(port)))),
        _ => None,
    }
}

/// Takes `%xx` off; what is no good escape stays.
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let digit = |byte: Option<&u8>| byte.and_then(|&byte| (byte as char).to_digit(16));
    let mut plain = Vec::with_capacity(text.len());
    let mut index = 0;
    while let Some(&byte) = text.get(index) {
        let pair =
            (byte == b'%').then(|| digit(text.get(index + 1)).zip(digit(text.get(index + 2)))).flatten();
        match pair {
            Some((high, low)) => {
                plain.push((high * 16 + low) as u8);
                index += 3;
            }
            None => {
                plain.push(byte);
                index += 1;
            }
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri<'_> {
        Uri::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_sip_uri_comes_apart() {
        let parsed = uri("sip:a%40b:pw@[2001:db8::1]:5070;lr;transport=udp?Replaces=x%3By");
        assert_eq!(parsed.user, Some(&b"a%40b"[..]));
        assert_eq!(&*parsed.user_decoded(), b"a@b");
        assert_eq!(parsed.password, Some(&b"pw"[..]));
        assert_eq!(parsed.host_ip(), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(parsed.port, Some(5070));
        assert_eq!(parsed.param("LR"), Some(None));
        assert_eq!(parsed.param("transport"), Some(Some(&b"udp"[..])));
        assert_eq!(parsed.headers, Some(&b"Replaces=x%3By"[..]));
        assert_eq!(uri("sips:h").host, b"h");
        assert_eq!(uri("sip:h").user, None);
    }

    #[test]
    fn a_user_may_hold_semicolons_and_question_marks() {
        let parsed = uri("sip:user;par=u%40example.net@example.com");
        assert_eq!(parsed.user, Some(&b"user;par=u%40example.net"[..]));
        assert_eq!(parsed.host, b"example.com");
        assert_eq!(parsed.params, b"");
    }

    #[test]
    fn telephone_numbers_and_unknown_schemes_are_kept() {
        let tel = uri("tel:+8639312345;phone-context=+86");
        assert_eq!(tel.user, Some(&b"+8639312345"[..]));
        assert_eq!(tel.param("phone-context"), Some(Some(&b"+86"[..])));
        assert_eq!(uri("urn:service:sos").host, b"service:sos");
    }

    #[test]
    fn what_is_no_uri_is_refused_with_its_reason() {
        for (text, error) in [
            ("", UriError::Scheme),
            ("example.com", UriError::Scheme),
            ("1a:b", UriError::Scheme),
            ("<sip:a@h>", UriError::Byte),
            ("sip:a b@h", UriError::Byte),
            ("sip:", UriError::Host),
            ("sip:a@", UriError::Host),
            ("sip:a@[::1", UriError::Host),
            ("sip:a@[junk]", UriError::Host),
            ("sip:a@[2001:db8:::1]", UriError::Host),
            ("sip:a@[192.0.2.1]", UriError::Host),
            ("sip:a@h:", UriError::Port),
            ("sip:a@h:65536", UriError::Port),
            ("tel:", UriError::Host),
        ] {
            assert_eq!(Uri::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    #[test]
    fn users_are_the_same_when_only_their_escapes_differ() {
        assert!(uri("sip:%6a@a").same_user(&uri("sip:j@b")));
        assert!(!uri("sip:J@a").same_user(&uri("sip:j@a")));
        assert!(!uri("sip:a").same_user(&uri("sip:@a")));
        assert_eq!(&*unescape(b"%zz%4"), b"%zz%4");
    }
}
