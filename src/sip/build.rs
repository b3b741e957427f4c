//! Messages that we send: a builder that writes straight into one buffer.
//!
//! What goes into a message is for transactions, dialogs and the endpoint to say. Whatever value
//! they pass on, no line can be injected: CR, LF and NUL become blanks.

use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};

use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::via::Via;

/// Buffer that holds most messages without growing, bytes.
const USUAL_LEN: usize = 1024;

/// A message in the making: start line first, then headers in the order they are given.
#[derive(Clone, Debug)]
pub struct Draft {
    out: BytesMut,
    body: Option<(Bytes, Bytes)>,
}

impl Draft {
    /// A request, so far only its request line. Blanks and control bytes in `uri` are dropped.
    pub fn request(method: &Method, uri: &[u8]) -> Draft {
        let mut draft = Draft::empty();
        draft.out.put_slice(method.as_bytes());
        draft.out.put_u8(b' ');
        draft.out.extend(uri.iter().filter(|&&byte| byte > b' ' && byte != 0x7f));
        draft.out.put_slice(b" SIP/2.0\r\n");
        draft
    }

    /// An answer to `request`, which came from `source` (RFC 3261 §8.2.6.2).
    ///
    /// Copies every Via (the topmost told where it came from, RFC 3261 §18.2.1 and RFC 3581 §4),
    /// From, To with `to_tag` where it has none, Call-ID and CSeq; Timestamp into 100; Record-Route
    /// into 101–299 (RFC 3261 §12.1.1).
    pub fn response(request: &Message, source: SocketAddr, status: u16, to_tag: Option<&str>) -> Draft {
        Draft::response_saying(request, source, status, reason_phrase(status), to_tag)
    }

    /// The same with a reason phrase of one's own.
    pub fn response_saying(
        request: &Message,
        source: SocketAddr,
        status: u16,
        reason: &str,
        to_tag: Option<&str>,
    ) -> Draft {
        let mut draft = Draft::empty();
        draft.out.put_slice(b"SIP/2.0 ");
        draft.number(u64::from(status));
        draft.out.put_u8(b' ');
        draft.clean(reason.as_bytes());
        draft.out.put_slice(b"\r\n");
        draft.copy_vias(request, source);
        let mut draft = draft.copy(request, Name::From);
        draft.copy_to(request, to_tag);
        let mut draft = draft.copy(request, Name::CallId).copy(request, Name::CSeq);
        if status == 100 {
            draft = draft.copy(request, Name::Timestamp);
        } else if status < 300 {
            draft = draft.copy(request, Name::RecordRoute);
        }
        draft
    }

    fn empty() -> Draft {
        Draft { out: BytesMut::with_capacity(USUAL_LEN), body: None }
    }

    /// Adds a line. CR, LF and NUL in the value become blanks; a byte that no name may hold is left
    /// out of the name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Draft {
        let token = |byte: &u8| super::scan::is_token(&[*byte]);
        self.out.extend(name.bytes().filter(token));
        self.value(value.as_ref());
        self
    }

    /// Adds a line whose value is a number.
    pub fn header_number(mut self, name: Name, value: u64) -> Draft {
        self.out.put_slice(name.as_str().as_bytes());
        self.out.put_slice(b": ");
        self.number(value);
        self.out.put_slice(b"\r\n");
        self
    }

    /// Copies every line of this header from another message, verbatim but for folds.
    pub fn copy(mut self, from: &Message, name: Name) -> Draft {
        for value in from.headers(name) {
            self.out.put_slice(name.as_str().as_bytes());
            self.value(value);
        }
        self
    }

    /// Gives the message a body; the last one given counts.
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Draft {
        let content_type = Bytes::copy_from_slice(content_type.as_bytes());
        self.body = Some((content_type, Bytes::copy_from_slice(body)));
        self
    }

    /// The whole message, Content-Length included.
    pub fn finish(mut self) -> Bytes {
        let (content_type, body) = self.body.take().unwrap_or_default();
        if !content_type.is_empty() {
            self.out.put_slice(b"Content-Type");
            self.value(&content_type);
        }
        self.out.put_slice(b"Content-Length: ");
        self.number(body.len() as u64);
        self.out.put_slice(b"\r\n\r\n");
        self.out.put_slice(&body);
        self.out.freeze()
    }

    fn value(&mut self, value: &[u8]) {
        self.out.put_slice(b": ");
        self.clean(value);
        self.out.put_slice(b"\r\n");
    }

    /// Writes `text` with the bytes that would end a line blanked.
    fn clean(&mut self, text: &[u8]) {
        let start = self.out.len();
        self.out.put_slice(text);
        let mut at = start;
        while let Some(found) = memchr::memchr3(b'\r', b'\n', 0, &self.out[at..]) {
            self.out[at + found] = b' ';
            at += found + 1;
        }
    }

    fn number(&mut self, mut value: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.out.put_slice(&digits[at..]);
    }

    fn copy_vias(&mut self, request: &Message, source: SocketAddr) {
        let mut top = request.via().ok();
        for (index, value) in request.headers(Name::Via).enumerate() {
            self.out.put_slice(b"Via");
            match top.take_if(|_| index == 0) {
                Some(via) => {
                    self.out.put_slice(b": ");
                    self.top_via(&via, source);
                    // What stands behind the topmost value on the same line goes along.
                    let rest = super::scan::find_outside(value, b',');
                    self.clean(rest.map_or(&b""[..], |comma| &value[comma..]));
                    self.out.put_slice(b"\r\n");
                }
                None => self.value(value),
            }
        }
    }

    fn top_via(&mut self, via: &Via, source: SocketAddr) {
        let rport = via.rport().is_some();
        self.clean(via.front());
        for (name, value) in via.params() {
            if name.eq_ignore_ascii_case(b"received") || name.eq_ignore_ascii_case(b"rport") {
                continue;
            }
            self.out.put_u8(b';');
            self.clean(name);
            if let Some(value) = value {
                self.out.put_u8(b'=');
                self.clean(value);
            }
        }
        if rport || via.host_ip() != Some(source.ip()) {
            self.out.put_slice(b";received=");
            self.out.put_slice(source.ip().to_string().as_bytes());
        }
        if rport {
            self.out.put_slice(b";rport=");
            self.number(u64::from(source.port()));
        }
    }

    fn copy_to(&mut self, request: &Message, to_tag: Option<&str>) {
        let Some(value) = request.header(Name::To) else {
            return;
        };
        let has_tag = request.to().is_ok_and(|to| to.tag().is_some());
        self.out.put_slice(b"To: ");
        self.clean(value);
        if let Some(tag) = to_tag.filter(|_| !has_tag) {
            self.out.put_slice(b";tag=");
            self.clean(tag.as_bytes());
        }
        self.out.put_slice(b"\r\n");
    }
}

/// The usual words for a status (RFC 3261 §21 and the IANA registry); a class's own for others.
#[expect(clippy::match_overlapping_arm, reason = "each class ends with its own words")]
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        100..=199 => "Progress",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        200..=299 => "OK",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        300..=399 => "Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        429 => "Provide Referrer Identity",
        433 => "Anonymity Disallowed",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        400..=499 => "Request Failure",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        580 => "Precondition Failure",
        500..=599 => "Server Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        _ => "Global Failure",
    }
}
