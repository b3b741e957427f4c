//! Where one message ends in a stream and the next begins (RFC 3261 §7.5, §18.3; RFC 5626 §4.4.1).
//!
//! Bytes in as they come, whole messages out; what a message says is for `message` to read. One
//! framer serves one connection in one direction. It remembers how far it has looked, so that a
//! sender of single bytes costs no more than one of whole segments, and what it makes of a stream
//! does not depend on where the stream was cut.
//!
//! A message without Content-Length is a fault here: RFC 3261 §18.3 and §20.14 have it always
//! present over a stream, and without it a body would be read as the next request. Once the place
//! of the next message is in doubt the stream is broken for good: the request is answered if it
//! can be (400, or 513 for its size), then the connection is closed.

use bytes::{Buf, Bytes, BytesMut};

use super::fault::{Fault, ParseError};
use super::message::{MESSAGE_MAX, Message, TOO_LARGE};
use super::name::Name;
use super::scan;
use super::start::is_start_line;

/// Longest start line and headers, bytes: a longer request earns 513.
pub const HEAD_MAX: usize = 32 * 1024;

/// Most bytes that wait for [`Framer::next`]. An owner that drains after each push of up to
/// three times [`MESSAGE_MAX`] never meets it.
const UNREAD_MAX: usize = 4 * MESSAGE_MAX;

/// An emptied buffer that grew beyond this is given back, so that an idle connection costs little.
const KEPT_MAX: usize = 4 * 1024;

/// How much a peer may send before its message is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Start line and headers, with the empty line, bytes.
    pub head_max: usize,
    /// The whole message, bytes.
    pub message_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { head_max: HEAD_MAX, message_max: MESSAGE_MAX }
    }
}

/// What came out of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One message, from its start line to the end of its body, to the byte.
    Message(Bytes),
    /// CRLF CRLF between messages: wants one CRLF back (RFC 5626 §4.4.1).
    Ping,
    /// CRLF, after [`Framer::pinged`]: the peer is there.
    Pong,
    /// Nobody can say where the next message begins: close the connection. Nothing follows.
    Broken(Broken),
}

/// How a stream broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What there is of the head of the message in question; empty where it is not SIP at all.
    pub head: Bytes,
    /// What is wrong: 400, or 513 for size.
    pub fault: Fault,
}

impl Broken {
    /// The request to be refused with [`Broken::fault`] before the connection is closed, if it is
    /// one and as far as it can be read. A response and what is not SIP earn silence.
    pub fn request(&self) -> Option<Message> {
        match Message::parse(self.head.clone()) {
            Ok(message) | Err(ParseError::Refused { message, .. }) => Some(message),
            Err(ParseError::Ignored { .. }) => None,
        }
        .filter(Message::is_request)
    }
}

/// One direction of one connection.
#[derive(Debug, Default)]
pub struct Framer {
    limits: Limits,
    buffer: BytesMut,
    state: State,
    /// Pings of ours that want their CRLF.
    pongs_due: u8,
    /// A push found no room.
    overrun: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The buffer begins between two messages. `half`: one CRLF of a ping is read.
    Between {
        half: bool,
    },
    /// It begins with a start line. No line ends in `line_at..looked`; lines before are whole.
    Head {
        line_at: usize,
        looked: usize,
    },
    /// The head is whole, and the message ends at `end`.
    Body {
        end: usize,
    },
    Broken,
}

impl Default for State {
    fn default() -> Self {
        State::Between { half: false }
    }
}

impl Framer {
    /// For a connection on which nothing was read.
    pub fn new(limits: Limits) -> Self {
        Framer { limits, ..Framer::default() }
    }

    /// Takes what was read. Drain [`Framer::next`] after each push: bytes over the bound break the
    /// stream, and those behind a break are dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.state == State::Broken || self.overrun {
            return;
        }
        if self.buffer.len() + bytes.len() > UNREAD_MAX.max(self.limits.message_max) {
            self.overrun = true;
            return;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// We sent CRLF CRLF: the next lone CRLF answers it. Without this a lone CRLF says nothing, as
    /// it may stand before any start line (RFC 3261 §7.5).
    pub fn pinged(&mut self) {
        self.pongs_due = self.pongs_due.saturating_add(1);
    }

    /// Whether part of a message is here and the rest is not, once [`Framer::next`] is drained: what
    /// a slow sender is given a limit for.
    pub fn begun(&self) -> bool {
        matches!(self.state, State::Head { .. } | State::Body { .. })
    }

    /// Whether the stream is beyond mending.
    pub fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// Skips to the next start line; tells what CRLFs on the way there mean.
    fn between(&mut self, half: bool) -> Option<Frame> {
        let mut half = half;
        loop {
            match self.buffer[..] {
                [b'\r', b'\n', ..] => {
                    self.buffer.advance(2);
                    let frame = if self.pongs_due > 0 {
                        self.pongs_due -= 1;
                        Some(Frame::Pong)
                    } else {
                        half = !half;
                        (!half).then_some(Frame::Ping)
                    };
                    self.state = State::Between { half };
                    if frame.is_some() {
                        return frame;
                    }
                }
                [] | [b'\r'] => return None,
                // A line end of the sloppy sort. It pings nobody.
                [b'\n', ..] => self.buffer.advance(1),
                [first, ..] if scan::is_token(&[first]) => {
                    self.state = State::Head { line_at: 0, looked: 0 };
                    return None;
                }
                // TLS on the wrong port, or a stream out of step.
                [..] => return Some(self.fail(0, NOT_SIP)),
            }
        }
    }

    /// Looks for the empty line, from where it last stopped.
    fn head(&mut self, mut line_at: usize, mut looked: usize) -> Option<Frame> {
        let reach = self.buffer.len().min(self.limits.head_max);
        while let Some(found) = memchr::memchr(b'\n', &self.buffer[looked..reach]) {
            let end = looked + found;
            let line = self.buffer[line_at..end].strip_suffix(b"\r").unwrap_or(&self.buffer[line_at..end]);
            if line_at == 0 && !is_start_line(line) {
                return Some(self.fail(0, NOT_SIP));
            }
            (line_at, looked) = (end + 1, end + 1);
            if line.is_empty() {
                return self.measure(line_at);
            }
        }
        if reach < self.buffer.len() || reach == self.limits.head_max {
            return Some(self.fail(reach, HEAD_TOO_LARGE));
        }
        self.state = State::Head { line_at, looked: reach };
        None
    }

    /// Finds the end of the message whose head ends at `head_end`.
    fn measure(&mut self, head_end: usize) -> Option<Frame> {
        let room = self.limits.message_max.saturating_sub(head_end);
        let fault = match content_length(&self.buffer[..head_end]) {
            Err(fault) => fault,
            Ok(None) => NO_LENGTH,
            Ok(Some(length)) => match usize::try_from(length) {
                Ok(length) if length <= room => {
                    self.state = State::Body { end: head_end + length };
                    return None;
                }
                _ => TOO_LARGE,
            },
        };
        Some(self.fail(head_end, fault))
    }

    /// The message that ends at `end`, if it is all here.
    fn body(&mut self, end: usize) -> Option<Frame> {
        if self.buffer.len() < end {
            return None;
        }
        // A copy of its own size: a message that is kept must not keep its neighbours' memory too.
        let message = Bytes::copy_from_slice(&self.buffer[..end]);
        self.buffer.advance(end);
        self.state = State::default();
        Some(Frame::Message(message))
    }

    fn fail(&mut self, head_end: usize, fault: Fault) -> Frame {
        let head = Bytes::copy_from_slice(&self.buffer[..head_end]);
        self.buffer = BytesMut::new();
        self.state = State::Broken;
        Frame::Broken(Broken { head, fault })
    }
}

impl Iterator for Framer {
    type Item = Frame;

    /// The next frame; `None` until more is pushed.
    fn next(&mut self) -> Option<Frame> {
        loop {
            let before = self.state;
            let frame = match before {
                State::Between { half } => self.between(half),
                State::Head { line_at, looked } => self.head(line_at, looked),
                State::Body { end } => self.body(end),
                State::Broken => return None,
            };
            if frame.is_some() {
                return frame;
            }
            if std::mem::discriminant(&before) == std::mem::discriminant(&self.state) {
                break;
            }
        }
        if self.overrun {
            return Some(self.fail(0, TOO_LARGE));
        }
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_MAX {
            self.buffer = BytesMut::new();
        }
        None
    }
}

const NOT_SIP: Fault = Fault::bad_request("Not SIP");
const NO_LENGTH: Fault = Fault::bad_request("Missing Content-Length");
const HEAD_TOO_LARGE: Fault = Fault { status: 513, why: "Headers Too Large" };

/// What the Content-Length lines of a head say, by its full name or as `l`.
fn content_length(head: &[u8]) -> Result<Option<u64>, Fault> {
    let mut told = None;
    let mut at = memchr::memchr(b'\n', head).map_or(head.len(), |end| end + 1);
    while at < head.len() {
        let mut end = line_end(head, at);
        if matches!(head[at], b'l' | b'L' | b'c' | b'C')
            && let Some(colon) = head[at..end].iter().position(|&byte| byte == b':')
            && Name::of(scan::trim_end(&head[at..at + colon])) == Name::ContentLength
        {
            // A value may go on in the next line (RFC 3261 §7.3.1).
            while matches!(head.get(end), Some(b' ' | b'\t')) {
                end = line_end(head, end);
            }
            let value = scan::trim(&head[at + colon + 1..end]);
            let length = scan::number(value).ok_or(Fault::bad_request("Bad Content-Length"))?;
            if told.is_some_and(|before| before != length) {
                return Err(Fault::bad_request("Content-Length Contradicts Itself"));
            }
            told = Some(length);
        }
        at = end;
    }
    Ok(told)
}

/// One past the end of the line that begins at `at`.
fn line_end(head: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &head[at..]).map_or(head.len(), |end| at + end + 1)
}

#[cfg(test)]
#[path = "framing_test.rs"]
mod tests;
