//! The first line of a message: a request line or a status line (RFC 3261 §7.1, §7.2).

use bytes::Bytes;

use super::fault::{Fault, ParseError};
use super::method::Method;
use super::scan::{self, Span};

/// What the first line says.
#[derive(Clone, Debug)]
pub(super) enum Start {
    Request { method: Method, uri: Span },
    Response { status: u16, reason: Span },
}

const BAD_VERSION: Fault = Fault { status: 505, why: "Version Not Supported" };

/// Reads a request line or a status line. `line` is the first line of `raw`, without its end.
pub(super) fn read_start(raw: &Bytes, line: &[u8]) -> Result<(Start, Option<Fault>), ParseError> {
    let ignored = |why| ParseError::Ignored { why };
    let space = memchr::memchr(b' ', line).ok_or(ignored("not a SIP start line"))?;
    let (first, rest) = (&line[..space], &line[space + 1..]);
    if is_version(first) {
        if !first.eq_ignore_ascii_case(b"SIP/2.0") {
            return Err(ignored("response of another version"));
        }
        let (code, reason) = match rest {
            [a, b, c, b' ', reason @ ..] => ([*a, *b, *c], reason),
            // The blank before an empty reason is often forgotten.
            [a, b, c] => ([*a, *b, *c], &rest[3..]),
            _ => return Err(ignored("status is not three digits")),
        };
        let status = scan::number(&code)
            .filter(|status| (100..700).contains(status))
            .ok_or(ignored("status is out of range"))?;
        let reason = Span::of(raw, reason);
        let status = status as u16;
        return Ok((Start::Response { status, reason }, None));
    }
    let trimmed = scan::trim_end(rest);
    let space = memchr::memrchr(b' ', trimmed).ok_or(ignored("not a SIP start line"))?;
    let (uri, version) = (&trimmed[..space], &trimmed[space + 1..]);
    if !is_version(version) || !scan::is_token(first) {
        return Err(ignored("not a SIP start line"));
    }
    // A bare CR counts as a blank here.
    let blanks = trimmed.len() != rest.len() || uri.iter().any(|&byte| scan::is_blank(byte));
    let fault = if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        Some(BAD_VERSION)
    } else if blanks || uri.is_empty() {
        Some(Fault::bad_request("Bad Request Line"))
    } else {
        None
    };
    let method = Method::of_shared(raw, first);
    let uri = Span::of(raw, scan::trim(uri));
    Ok((Start::Request { method, uri }, fault))
}

fn is_version(text: &[u8]) -> bool {
    text.len() > 4 && text[..4].eq_ignore_ascii_case(b"SIP/")
}

/// Whether a line could be a start line of any version: anything else is not worth waiting for.
pub(super) fn is_start_line(line: &[u8]) -> bool {
    let line = scan::trim_end(line);
    let last = memchr::memrchr(b' ', line).map_or(line, |blank| &line[blank + 1..]);
    is_version(line) || is_version(last)
}
