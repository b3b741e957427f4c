//! A SIP message as an index over the bytes it came in (RFC 3261 §7).
//!
//! Nothing is decoded here but the start line, the header names and Content-Length; the readers of
//! single headers are in `header`, the judgement of a whole request is in `check`. Bytes need not
//! be UTF-8. A folded line is read through a copy of the head in which each fold is blanked, so
//! that every value is one slice, and [`Message::raw`] stays as it came.

use std::fmt;
use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::fault::{Fault, ParseError};
use super::head::{Lines, read_head, unfold};
use super::header::Front;
use super::method::Method;
use super::name::Name;
use super::scan::{self, Items};
use super::start::{Start, read_start};

/// Longest message, bytes: a longer request earns 513.
pub const MESSAGE_MAX: usize = 64 * 1024;

pub(super) const TOO_LARGE: Fault = Fault { status: 513, why: "Message Too Large" };

/// One message. Cloning it shares the buffer and the index.
#[derive(Clone)]
pub struct Message(Arc<Index>);

#[derive(Debug)]
struct Index {
    raw: Bytes,
    /// `raw` with its folds blanked, where there are some.
    unfolded: Option<Bytes>,
    start: Start,
    lines: Lines,
    body_at: usize,
    /// Empty only while the message is being read.
    front: Option<Front>,
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
        let mut message = Message(Arc::new(Index {
            body_at: raw.len(),
            raw,
            unfolded: None,
            start,
            lines: Lines::default(),
            front: None,
        }));
        if let Some(index) = Arc::get_mut(&mut message.0) {
            let head_fault = index.read_head(line_end + 1);
            fault = fault.or(start_fault).or(head_fault).or_else(|| index.cut_body().err());
        }
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
        index
            .lines
            .as_slice()
            .iter()
            .filter(move |line| line.name == name)
            .map(|line| line.value.get(index.text()))
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
        index.lines.as_slice().iter().map(|line| {
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

impl Index {
    fn text(&self) -> &Bytes {
        self.unfolded.as_ref().unwrap_or(&self.raw)
    }

    /// Finds the header lines in place, so that a message of usual size is one allocation.
    fn read_head(&mut self, at: usize) -> Option<Fault> {
        let head = read_head(&self.raw, at, &mut self.lines);
        self.unfolded = head.folded.then(|| unfold(&self.raw, head.end, &self.lines));
        self.body_at = head.end;
        head.fault
    }

    /// Cuts the body to Content-Length (RFC 3261 §18.3).
    fn cut_body(&mut self) -> Result<(), Fault> {
        let mut told: Option<u64> = None;
        for line in self.lines.as_slice() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::head::HEADERS_MAX;

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
