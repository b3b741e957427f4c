//! A SIP message as an index over the bytes it came in (RFC 3261 §7).
//!
//! Nothing is decoded here but the start line, the header names and Content-Length; the readers of
//! single headers are in `header`, the judgement of a whole request is in `check`. Bytes need not
//! be UTF-8. A folded line is read through a copy of the head in which each fold is blanked, so
//! that every value is one slice, and [`Message::raw`] stays as it came.

use std::fmt;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use super::fault::{Fault, ParseError};
use super::header::Front;
use super::method::Method;
use super::name::Name;
use super::scan::{self, Items, Span};

/// Longest message, bytes: a longer request earns 513.
pub const MESSAGE_MAX: usize = 64 * 1024;

/// Most header lines: a request with more earns 513.
pub const HEADERS_MAX: usize = 256;

/// Room for this many header lines is made at once.
const HEADERS_USUAL: usize = 24;

/// One message. Cloning it shares the buffer and the index.
#[derive(Clone)]
pub struct Message(Arc<Index>);

#[derive(Debug)]
struct Index {
    raw: Bytes,
    /// `raw` with its folds blanked, where there are some.
    unfolded: Option<Bytes>,
    start: Start,
    lines: Vec<Line>,
    body_at: usize,
    /// Empty only while the message is being read.
    front: Option<Front>,
}

#[derive(Clone, Debug)]
enum Start {
    Request { method: Method, uri: Span },
    Response { status: u16, reason: Span },
}

/// One header line, continuations included.
#[derive(Clone, Copy, Debug)]
struct Line {
    name: Name,
    label: Span,
    value: Span,
}

/// What the walk over the header lines found.
struct Head {
    lines: Vec<Line>,
    /// Where the body begins.
    end: usize,
    folded: bool,
    fault: Option<Fault>,
}

impl Message {
    /// Reads one datagram.
    ///
    /// Blank lines in front are skipped; bytes after the body that Content-Length tells are cut
    /// off; without Content-Length the body goes to the end. LF alone ends a line too.
    pub fn parse(mut raw: Bytes) -> Result<Message, ParseError> {
        let blank = raw.iter().take_while(|&&byte| matches!(byte, b'\r' | b'\n')).count();
        raw.advance(blank);
        let mut fault = None;
        if raw.len() > MESSAGE_MAX {
            raw.truncate(MESSAGE_MAX);
            fault = Some(TOO_LARGE);
        }
        let line_end = memchr::memchr(b'\n', &raw).ok_or(ParseError::Ignored { why: "no line ends" })?;
        let line = raw[..line_end].strip_suffix(b"\r").unwrap_or(&raw[..line_end]);
        let (start, start_fault) = read_start(&raw, line)?;
        let head = read_head(&raw, line_end + 1);
        let fault = fault.or(start_fault).or(head.fault);
        Message::assemble(raw, start, head, fault)
    }

    fn assemble(raw: Bytes, start: Start, head: Head, fault: Option<Fault>) -> Result<Message, ParseError> {
        let mut index = Index {
            unfolded: head.folded.then(|| unfold(&raw, &head)),
            raw,
            start,
            lines: head.lines,
            body_at: head.end,
            front: None,
        };
        let fault = fault.or_else(|| index.cut_body().err());
        let mut message = Message(Arc::new(index));
        let front = Front::read(&message);
        if let Some(index) = Arc::get_mut(&mut message.0) {
            index.front = Some(front);
        }
        match fault {
            None => Ok(message),
            Some(fault) if message.is_request() => Err(ParseError::Refused { message, fault }),
            Some(fault) => Err(ParseError::Ignored { why: fault.why }),
        }
    }

    /// The message as it came, without blank lines in front and excess behind.
    pub fn raw(&self) -> &Bytes {
        &self.0.raw
    }

    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        matches!(self.0.start, Start::Request { .. })
    }

    /// Method of a request.
    pub fn method(&self) -> Option<&Method> {
        match &self.0.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// Request-URI, verbatim.
    pub fn request_uri(&self) -> Option<&[u8]> {
        match &self.0.start {
            Start::Request { uri, .. } => Some(uri.get(self.text())),
            Start::Response { .. } => None,
        }
    }

    /// Status of a response, 100–699.
    pub fn status(&self) -> Option<u16> {
        match self.0.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }

    /// Reason phrase of a response; empty for a request.
    pub fn reason(&self) -> &[u8] {
        match &self.0.start {
            Start::Request { .. } => b"",
            Start::Response { reason, .. } => reason.get(self.text()),
        }
    }

    /// Value of the first line with this name, trimmed, folds blanked.
    pub fn header(&self, name: Name) -> Option<&[u8]> {
        self.headers(name).next()
    }

    /// The same as bytes that share the buffer.
    pub fn header_bytes(&self, name: Name) -> Option<Bytes> {
        self.header(name).map(|value| self.share(value))
    }

    /// Values of all lines with this name, in order.
    pub fn headers(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        let index = &*self.0;
        index.lines.iter().filter(move |line| line.name == name).map(|line| line.value.get(index.text()))
    }

    /// Items of all comma-separated lines with this name, in order.
    pub fn values(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.headers(name).flat_map(Items::of)
    }

    /// Value of the first line with this name, for names outside [`Name`]; case does not count.
    pub fn header_named(&self, name: &str) -> Option<&[u8]> {
        self.lines()
            .find(|(_, label, _)| label.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, _, value)| value)
    }

    /// Every header line in order: what it is, its name as written, its value.
    pub fn lines(&self) -> impl Iterator<Item = (Name, &[u8], &[u8])> {
        let index = &*self.0;
        index.lines.iter().map(|line| {
            let (label, value) = (line.label.get(index.text()), line.value.get(index.text()));
            (line.name, label, value)
        })
    }

    /// The body, cut to Content-Length; empty where there is none.
    pub fn body(&self) -> &[u8] {
        &self.raw()[self.0.body_at..]
    }

    /// The body as bytes that share the buffer.
    pub fn body_bytes(&self) -> Bytes {
        self.raw().slice(self.0.body_at..)
    }

    /// `part`, a piece of one of our values, as bytes of its own.
    pub(super) fn share(&self, part: &[u8]) -> Bytes {
        self.text().slice_ref(part)
    }

    /// What was read at once.
    pub(super) fn front(&self) -> Option<&Front> {
        self.0.front.as_ref()
    }

    /// The buffer that all values are pieces of.
    pub(super) fn text(&self) -> &Bytes {
        self.0.text()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?})", String::from_utf8_lossy(self.raw()))
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Message) -> bool {
        self.raw() == other.raw()
    }
}

impl Eq for Message {}

const TOO_LARGE: Fault = Fault { status: 513, why: "Message Too Large" };

const BAD_VERSION: Fault = Fault { status: 505, why: "Version Not Supported" };

impl Index {
    fn text(&self) -> &Bytes {
        self.unfolded.as_ref().unwrap_or(&self.raw)
    }

    /// Cuts the body to Content-Length (RFC 3261 §18.3).
    fn cut_body(&mut self) -> Result<(), Fault> {
        let mut told: Option<u64> = None;
        for line in &self.lines {
            if line.name != Name::ContentLength {
                continue;
            }
            let length =
                scan::number(line.value.get(self.text())).ok_or(Fault::bad_request("Bad Content-Length"))?;
            if told.is_some_and(|before| before != length) {
                return Err(Fault::bad_request("Content-Length Contradicts Itself"));
            }
            told = Some(length);
        }
        let there = self.raw.len() - self.body_at;
        let Some(told) = told else {
            return Ok(());
        };
        match usize::try_from(told) {
            Ok(length) if length <= there => {
                self.raw.truncate(self.body_at + length);
                Ok(())
            }
            _ => Err(Fault::bad_request("Body Shorter Than Content-Length")),
        }
    }
}

/// Reads a request line or a status line. `line` is the first line of `raw`, without its end.
fn read_start(raw: &Bytes, line: &[u8]) -> Result<(Start, Option<Fault>), ParseError> {
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

/// Walks the header lines of `raw` from `at` to the empty line.
fn read_head(raw: &[u8], mut at: usize) -> Head {
    let mut head =
        Head { lines: Vec::with_capacity(HEADERS_USUAL), end: raw.len(), folded: false, fault: None };
    let (first, mut line_ends) = (at, 0);
    loop {
        let Some(line_len) = memchr::memchr(b'\n', &raw[at..]) else {
            head.fault.get_or_insert(Fault::bad_request("Header Has No End"));
            return head;
        };
        let line = &raw[at..at + line_len];
        line_ends += usize::from(line.last() == Some(&b'\r'));
        match line {
            [] | [b'\r'] => {
                head.end = at + line_len + 1;
                // A CR alone ends a line for some who may read what we pass on.
                if memchr::memchr_iter(b'\r', &raw[first..head.end]).count() != line_ends {
                    head.fault.get_or_insert(Fault::bad_request("Bare CR In Header"));
                }
                return head;
            }
            [b' ' | b'\t', ..] => head.continue_line(raw, line),
            _ if head.lines.len() == HEADERS_MAX => head.fault = Some(TOO_LARGE),
            _ => head.add_line(raw, line),
        }
        at += line_len + 1;
    }
}

impl Head {
    fn add_line(&mut self, raw: &[u8], line: &[u8]) {
        // Names are short: a plain walk beats setting up a vector search.
        let colon = line.iter().position(|&byte| byte == b':');
        let label = scan::trim_end(&line[..colon.unwrap_or(0)]);
        let Some(colon) = colon.filter(|_| scan::is_token(label)) else {
            // It stays in place under no name, so that its continuations go with it.
            self.fault.get_or_insert(Fault::bad_request("Bad Header Line"));
            self.lines.push(Line {
                name: Name::Other,
                label: Span::default(),
                value: Span::of(raw, scan::trim(line)),
            });
            return;
        };
        self.lines.push(Line {
            name: Name::of(label),
            label: Span::of(raw, label),
            value: Span::of(raw, scan::trim(&line[colon + 1..])),
        });
    }

    fn continue_line(&mut self, raw: &[u8], line: &[u8]) {
        let more = scan::trim(line);
        let Some(last) = self.lines.last_mut() else {
            self.fault.get_or_insert(Fault::bad_request("Bad Header Line"));
            return;
        };
        if more.is_empty() || self.fault == Some(TOO_LARGE) {
            return;
        }
        let more = Span::of(raw, more);
        if last.value.at == last.value.end {
            last.value = more;
        } else {
            last.value.end = more.end;
            self.folded = true;
        }
    }
}

/// A copy of `raw` with CR and LF inside header values blanked (RFC 3261 §7.3.1).
fn unfold(raw: &[u8], head: &Head) -> Bytes {
    let mut text = BytesMut::from(&raw[..head.end]);
    for line in &head.lines {
        for byte in &mut text[line.value.range()] {
            if matches!(*byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
    }
    text.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static [u8]) -> Result<Message, ParseError> {
        Message::parse(Bytes::from_static(text))
    }

    fn read(text: &'static [u8]) -> Message {
        parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn fault(bytes: impl Into<Bytes>) -> Fault {
        match Message::parse(bytes.into()) {
            Err(ParseError::Refused { fault, .. }) => fault,
            other => panic!("wanted a refusal, got {other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_by_full_and_compact_names() {
        let message = read(
            b"BYE sip:a@h SIP/2.0\r\nv: SIP/2.0/UDP h\r\nf: <sip:b@h>;tag=1\r\nT: <sip:a@h>\r\n\
              i : x@y\r\nCSEQ: 2 BYE\r\nl: 3\r\n\r\nabcdef",
        );
        assert_eq!(message.method(), Some(&Method::Bye));
        assert_eq!(message.request_uri(), Some(&b"sip:a@h"[..]));
        assert_eq!((message.status(), message.reason()), (None, &b""[..]));
        assert_eq!(message.call_id(), Some(&b"x@y"[..]));
        assert_eq!(message.from().unwrap().tag(), Some(&b"1"[..]));
        assert_eq!(message.body(), b"abc");
        assert!(message.raw().ends_with(b"\r\n\r\nabc"));
        assert_eq!(message.header_named("call-id"), None);
        assert_eq!(message.header_named("I"), Some(&b"x@y"[..]));
    }

    #[test]
    fn a_response_is_read_with_and_without_its_words() {
        let message = read(b"SIP/2.0 486 Busy Here\r\nX: y\r\n\r\n");
        assert_eq!(message.status(), Some(486));
        assert_eq!(message.reason(), b"Busy Here");
        assert_eq!(message.method(), None);
        for text in [&b"SIP/2.0 180\r\n\r\n"[..], b"SIP/2.0 180 \r\n\r\n"] {
            let message = Message::parse(Bytes::from_static(text)).unwrap();
            assert_eq!((message.status(), message.reason()), (Some(180), &b""[..]));
        }
    }

    #[test]
    fn line_ends_may_be_lf_alone_and_blank_lines_may_come_first() {
        let message = read(b"\r\n\r\n\nOPTIONS sip:h SIP/2.0\nSubject: a\n  b\nX:\n\nbody\n");
        assert_eq!(message.header(Name::Subject), Some(&b"a   b"[..]));
        assert_eq!(message.header_named("x"), Some(&b""[..]));
        assert_eq!(message.body(), b"body\n");
        assert!(message.raw().starts_with(b"OPTIONS"));
    }

    #[test]
    fn a_fold_is_blanked_for_reading_and_kept_in_the_raw_bytes() {
        let text = b"OPTIONS sip:h SIP/2.0\r\nSubject:\r\n one\r\n\t two\r\nRoute: <sip:a>,\r\n \
            <sip:b>\r\nl: 1\r\n\r\n\r";
        let message = read(text);
        assert_eq!(message.header(Name::Subject), Some(&b"one  \t two"[..]));
        let routes: Vec<_> = message.values(Name::Route).collect();
        assert_eq!(routes, [&b"<sip:a>"[..], b"<sip:b>"]);
        assert_eq!(&message.raw()[..], text);
        assert_eq!(message.body(), b"\r");
    }

    #[test]
    fn bytes_that_are_not_utf8_survive() {
        let message = read(
            b"INVITE sip:h SIP/2.0\r\nFrom: \"\xd5\xc5\xc8\xfd\" <sip:a@h>;tag=1\r\n\
            X: \xff\xfe\r\nCall-ID: after\r\n\r\n\x00\xff",
        );
        assert_eq!(&*message.from().unwrap().display(), b"\xd5\xc5\xc8\xfd");
        assert_eq!(message.header_named("X"), Some(&b"\xff\xfe"[..]));
        assert_eq!(message.call_id(), Some(&b"after"[..]));
        assert_eq!(message.body(), b"\x00\xff");
    }

    #[test]
    fn lists_go_on_over_lines_and_lines_stay_apart() {
        let message = read(
            b"SIP/2.0 200 OK\r\nContact: \"a,b\" <sip:1>, <sip:2>\r\nX: 1\r\n\
            m: <sip:3>\r\n\r\n",
        );
        assert_eq!(message.headers(Name::Contact).count(), 2);
        let items: Vec<_> = message.values(Name::Contact).collect();
        assert_eq!(items, [&b"\"a,b\" <sip:1>"[..], b"<sip:2>", b"<sip:3>"]);
        let labels: Vec<_> = message.lines().map(|(_, label, _)| label).collect();
        assert_eq!(labels, [&b"Contact"[..], b"X", b"m"]);
    }

    #[test]
    fn what_is_not_sip_earns_silence() {
        for text in [
            &b""[..],
            b"\r\n\r\n",
            b"\0\0\0\0",
            b"GET / HTTP/1.1\r\n\r\n",
            b"INVITE sip:a@h\r\n\r\n",
            b"INVITE\r\n\r\n",
            b"IN(VITE sip:a@h SIP/2.0\r\n\r\n",
            b"SIP/2.0 99 Low\r\n\r\n",
            b"SIP/2.0 700 High\r\n\r\n",
            b"SIP/2.0 2000 Long\r\n\r\n",
            b"SIP/3.0 200 OK\r\n\r\n",
            b"SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nabc",
            b"SIP/2.0 200 OK\r\nX: never ends\r\n",
        ] {
            let result = Message::parse(Bytes::from_static(text));
            assert!(matches!(result, Err(ParseError::Ignored { .. })), "{text:?}");
        }
    }

    #[test]
    fn a_faulty_request_is_refused_with_what_could_be_read() {
        for (text, status) in [
            (&b"OPTIONS sip:h SIP/7.0\r\nCall-ID: x\r\n\r\n"[..], 505),
            (b"OPTIONS  sip:h SIP/2.0\r\nCall-ID: x\r\n\r\n", 400),
            (b"OPTIONS sip:h SIP/2.0 \r\nCall-ID: x\r\n\r\n", 400),
            (b"OPTIONS sip:h SIP/2.0\r\n folded: first\r\nCall-ID: x\r\n\r\n", 400),
            (b"OPTIONS sip:h SIP/2.0\r\nno colon\r\nCall-ID: x\r\n\r\n", 400),
            (b"OPTIONS sip:h SIP/2.0\r\na b: c\r\nCall-ID: x\r\n\r\n", 400),
            (b"OPTIONS sip:h SIP/2.0\r\nX: a\rY: b\r\nCall-ID: x\r\n\r\n", 400),
            (b"OPTIONS sip:h SIP/2.0\r\nCall-ID: x\r\n", 400),
            (b"OPTIONS sip:h SIP/2.0\r\nCall-ID: x\r\nl: 1\r\n\r\n", 400),
            (b"OPTIONS sip:h SIP/2.0\r\nCall-ID: x\r\nl: -1\r\n\r\n", 400),
            (b"OPTIONS sip:h SIP/2.0\r\nCall-ID: x\r\nl: 0\r\nl: 1\r\n\r\na", 400),
            (b"OPTIONS sip:h SIP/2.0\r\nCall-ID: x\r\nl: 99999999999999999999999\r\n\r\n", 400),
        ] {
            match Message::parse(Bytes::from_static(text)) {
                Err(ParseError::Refused { message, fault }) => {
                    assert_eq!(fault.status, status, "{text:?}");
                    assert_eq!(message.call_id(), Some(&b"x"[..]), "{text:?}");
                }
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn too_long_a_message_and_too_many_headers_earn_513() {
        let mut long = b"INVITE sip:h SIP/2.0\r\nCall-ID: x\r\n\r\n".to_vec();
        long.resize(MESSAGE_MAX, b'a');
        assert!(Message::parse(Bytes::from(long.clone())).is_ok());
        long.push(b'a');
        assert_eq!(fault(long).status, 513);

        let with = |count: usize| {
            let lines = "X: y\r\n".repeat(count);
            Bytes::from(format!("INVITE sip:h SIP/2.0\r\n{lines}\r\n"))
        };
        assert!(Message::parse(with(HEADERS_MAX)).is_ok());
        assert_eq!(fault(with(HEADERS_MAX + 1)).status, 513);
    }
}
