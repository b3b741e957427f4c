//! Bodies of several parts (RFC 2046 §5.1, RFC 5621): the description among what gateways add, ISUP
//! mostly (RFC 3204).
//!
//! One description is looked for; what is optional beside it is passed over, and what is required and
//! not ours is told, for the request to be refused (RFC 5621 §7.2). Slices of the message only.

use super::scan::{self, Params};

/// What bodies we read, for Accept.
pub(super) const ACCEPT: &str = "application/sdp, multipart/mixed, multipart/alternative";

/// Most parts of one body, those of nested ones included.
const PARTS_MAX: usize = 16;
/// Bodies of several parts inside one another, at most.
const DEPTH_MAX: usize = 3;
/// Longest boundary (RFC 2046 §5.1.1).
const BOUNDARY_MAX: usize = 70;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// The body of the description.
    pub(super) sdp: Option<&'a [u8]>,
    /// A part that must be understood is none of ours.
    pub(super) has_unknown: bool,
}

/// Whether a media type is one of several parts.
pub(super) fn is_multipart(kind: &[u8]) -> bool {
    kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case(b"multipart/"))
}

/// Whether Content-Disposition says that a body may be passed over (RFC 3261 §20.11).
pub(super) fn is_optional(disposition: &[u8]) -> bool {
    let handling = param(disposition, "handling");
    handling.is_some_and(|handling| scan::unquote(handling).eq_ignore_ascii_case(b"optional"))
}

/// Reads a body whose Content-Type is `kind`, parameters and all. `None`: it is not what it says to
/// be, or has more parts than anybody needs.
pub(super) fn read<'a>(kind: &[u8], body: &'a [u8]) -> Option<Parts<'a>> {
    let mut left = PARTS_MAX;
    read_level(kind, body, 1, &mut left)
}

fn read_level<'a>(kind: &[u8], body: &'a [u8], depth: usize, left: &mut usize) -> Option<Parts<'a>> {
    let boundary = scan::unquote(param(kind, "boundary")?);
    if boundary.is_empty() || boundary.len() > BOUNDARY_MAX {
        return None;
    }
    let mut found = Parts::default();
    let alternatives = essence(kind).eq_ignore_ascii_case(b"multipart/alternative");
    for part in Split::of(body, &boundary)? {
        *left = left.checked_sub(1)?;
        let part = Part::read(part);
        let inner = if part.is_sdp() {
            Parts { sdp: Some(part.body), has_unknown: false }
        } else if is_multipart(part.kind) && depth < DEPTH_MAX {
            read_level(part.kind, part.body, depth + 1, left)?
        } else {
            Parts { sdp: None, has_unknown: true }
        };
        if alternatives {
            // The last that is understood is the best (RFC 2046 §5.1.4).
            found.sdp = inner.sdp.or(found.sdp);
        } else {
            found.sdp = found.sdp.or(inner.sdp);
            found.has_unknown |= inner.has_unknown && !is_optional(part.disposition);
        }
    }
    found.has_unknown |= alternatives && found.sdp.is_none();
    Some(found)
}

/// A media type without its parameters.
fn essence(kind: &[u8]) -> &[u8] {
    scan::trim(kind.split(|byte| *byte == b';').next().unwrap_or_default())
}

fn param<'a>(value: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let start = memchr::memchr(b';', value)?;
    Params::of(&value[start..]).find(name).flatten()
}

/// One part: the headers that matter here, as they stand, and its body.
#[derive(Debug, Default)]
struct Part<'a> {
    kind: &'a [u8],
    disposition: &'a [u8],
    encoding: &'a [u8],
    body: &'a [u8],
}

impl<'a> Part<'a> {
    fn read(bytes: &'a [u8]) -> Part<'a> {
        let mut part = Part::default();
        let mut rest = bytes;
        loop {
            let line = header_line(rest);
            rest = &rest[line.len()..];
            if scan::trim(line).is_empty() {
                break; // Headers are over, or there were none.
            }
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let (name, value) = (scan::trim(&line[..colon]), scan::trim(&line[colon + 1..]));
            for (known, place) in [
                ("Content-Type", &mut part.kind),
                ("Content-Disposition", &mut part.disposition),
                ("Content-Transfer-Encoding", &mut part.encoding),
            ] {
                if name.eq_ignore_ascii_case(known.as_bytes()) {
                    *place = value;
                }
            }
        }
        part.body = rest;
        part
    }

    /// A description of this session, as it is: neither encoded, nor one for early media (RFC 3959).
    fn is_sdp(&self) -> bool {
        let as_it_is = ["", "7bit", "8bit", "binary"];
        essence(self.kind).eq_ignore_ascii_case(b"application/sdp")
            && as_it_is.iter().any(|known| self.encoding.eq_ignore_ascii_case(known.as_bytes()))
            && matches!(essence(self.disposition).to_ascii_lowercase().as_slice(), b"" | b"session")
    }
}

/// The next header line with its end and its folds; empty at the end.
fn header_line(text: &[u8]) -> &[u8] {
    let mut end = 0;
    loop {
        end = match memchr::memchr(b'\n', &text[end..]) {
            Some(found) => end + found + 1,
            None => return text,
        };
        let folded = matches!(text.get(end), Some(b' ' | b'\t'));
        if !folded || scan::trim(&text[..end]).is_empty() {
            return &text[..end];
        }
    }
}

/// The parts between delimiter lines. What stands before the first and after the last is nobody's.
struct Split<'a, 'b> {
    rest: Option<&'a [u8]>,
    boundary: &'b [u8],
}

impl<'a, 'b> Split<'a, 'b> {
    /// `None`: no delimiter at all.
    fn of(body: &'a [u8], boundary: &'b [u8]) -> Option<Self> {
        let (_, rest, closes) = delimiter(body, boundary)?;
        Some(Split { rest: (!closes).then_some(rest), boundary })
    }
}

impl<'a> Iterator for Split<'a, '_> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let Some((part, after, closes)) = delimiter(rest, self.boundary) else {
            return Some(rest); // Cut off before its end: what came is read.
        };
        self.rest = (!closes).then_some(after);
        Some(part)
    }
}

/// The next delimiter line of `text`: what is before it, less the line end that is the delimiter's,
/// what is after it, and whether it is the last.
fn delimiter<'a>(text: &'a [u8], boundary: &[u8]) -> Option<(&'a [u8], &'a [u8], bool)> {
    let mut at = 0;
    loop {
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |found| at + found + 1);
        let line = text[at..end].strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary));
        if let Some(tail) = line {
            let closes = tail.starts_with(b"--");
            if scan::trim(if closes { &tail[2..] } else { tail }).is_empty() {
                let before = &text[..at];
                let before = before.strip_suffix(b"\n").unwrap_or(before);
                let before = before.strip_suffix(b"\r").unwrap_or(before);
                return Some((before, &text[end..], closes));
            }
        }
        if end == text.len() {
            return None;
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "Content-Type: application/sdp\r\n\r\nv=0\r\n";
    const ISUP: &str = "Content-Type: application/isup;version=itu-t92+\r\n\
        Content-Disposition: signal;\r\n handling=Optional\r\n\r\n\x01\x00\r\n--\x7f\r\n";
    const STRICT: &str = "Content-Type: application/isup\r\n\r\n\x01\x00";
    const MIXED: &[u8] = b"multipart/mixed;boundary=x-1";

    fn body(parts: &[&str]) -> String {
        let parts: String = parts.iter().map(|part| format!("\r\n--x-1\r\n{part}")).collect();
        format!("to whom it may concern{parts}\r\n--x-1--\r\nthe end")
    }

    /// The description, and whether a part must be understood that is none of ours.
    type Found = (Option<String>, bool);

    fn found(kind: &[u8], body: &str) -> Option<Found> {
        let parts = read(kind, body.as_bytes())?;
        Some((parts.sdp.map(|sdp| String::from_utf8_lossy(sdp).into_owned()), parts.has_unknown))
    }

    #[test]
    fn the_description_is_found_among_others_row_by_row() {
        let sdp = || Some("v=0\r\n".to_owned());
        let early =
            SDP.replace("\r\n\r\n", "\r\nContent-Disposition: early-session;handling=optional\r\n\r\n");
        let base64 = SDP.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        let rows: [(&str, Vec<&str>, Found); 9] = [
            ("alone", vec![SDP], (sdp(), false)),
            ("before ISUP that is optional", vec![SDP, ISUP], (sdp(), false)),
            ("behind it", vec![ISUP, SDP], (sdp(), false)),
            ("with ISUP that must be read", vec![SDP, STRICT], (sdp(), true)),
            ("ISUP alone", vec![ISUP], (None, false)),
            ("two: the first", vec![SDP, "Content-Type: application/sdp\r\n\r\nv=1"], (sdp(), false)),
            ("one for early media beside", vec![&early, SDP], (sdp(), false)),
            ("encoded", vec![&base64], (None, true)),
            ("no headers: text", vec!["\r\nhello"], (None, true)),
        ];
        for (what, parts, wanted) in rows {
            assert_eq!(found(MIXED, &body(&parts)), Some(wanted), "{what}");
        }
    }

    #[test]
    fn boundaries_row_by_row() {
        let sdp = Some((Some("v=0".to_owned()), false));
        let part = "Content-Type: application/sdp\r\n\r\nv=0";
        let rows: [(&[u8], String, bool); 11] = [
            (b"multipart/mixed; boundary=\"x-1\"", body(&[part]), true),
            (b"Multipart/Mixed ; charset=x ; Boundary = x-1", body(&[part]), true),
            (MIXED, format!("--x-1\r\n{part}\r\n--x-1--"), true),
            (MIXED, format!("--x-1  \r\n{part}\r\n--x-1-- \r\n"), true),
            (MIXED, format!("--x-1\n{}\n--x-1--\n", part.replace("\r\n", "\n")), true),
            (MIXED, format!("--x-1\r\n{part}"), true),
            (MIXED, format!("--x-11\r\n{part}\r\n--x-1--"), false),
            (b"multipart/mixed", body(&[part]), false),
            (b"multipart/mixed;boundary=", body(&[part]), false),
            (b"multipart/mixed;boundary=y", body(&[part]), false),
            (MIXED, String::new(), false),
        ];
        for (kind, body, good) in rows {
            let found = found(kind, &body);
            let is_found = found == sdp;
            assert_eq!(is_found, good, "{} {body:?}: {found:?}", String::from_utf8_lossy(kind));
            assert!(good || found.is_none_or(|(sdp, _)| sdp.is_none()));
        }
        let long = format!("multipart/mixed;boundary={}", "x".repeat(BOUNDARY_MAX + 1));
        assert_eq!(found(long.as_bytes(), &body(&[part])), None);
    }

    #[test]
    fn parts_inside_parts_are_read_to_a_bound() {
        let inside =
            |kind: &str, parts: &str| format!("Content-Type: {kind};boundary=i\r\n\r\n{parts}--i--\r\n");
        let two = "--i\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--i\r\nContent-Type: application/sdp\r\n\r\nv=2\r\n";
        let mixed = found(MIXED, &body(&[&inside("multipart/mixed", two)]));
        assert_eq!(mixed, Some((Some("v=0".into()), false)));
        let best = found(MIXED, &body(&[&inside("multipart/alternative", two)]));
        assert_eq!(best, Some((Some("v=2".into()), false)), "the last of alternatives");
        let neither = "--i\r\nContent-Type: text/plain\r\n\r\nhello\r\n";
        let none = found(MIXED, &body(&[&inside("multipart/alternative", neither), SDP]));
        assert_eq!(none, Some((Some("v=0\r\n".into()), true)), "alternatives without ours");
        assert!(found(MIXED, &body(&[SDP; PARTS_MAX])).is_some());
        assert_eq!(found(MIXED, &body(&[SDP; PARTS_MAX + 1])), None);
        let mut deep = SDP.to_owned();
        for level in 0..200 {
            deep = format!(
                "Content-Type: multipart/mixed;boundary=b{level}\r\n\r\n--b{level}\r\n{deep}\r\n--b{level}--\r\n"
            );
        }
        assert_eq!(found(MIXED, &body(&[&deep])), Some((None, true)), "too deep is not looked into");
    }
}
