//! Messages that we send: a builder that writes straight into one buffer.
//!
//! What goes into a message is for transactions, dialogs and the endpoint to say. Whatever value
//! they pass on, no line can be injected: CR, LF and NUL become blanks.

use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};

use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::scan::{Span, trim_start};
use super::uri::without_headers;
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
    /// A request, so far only its request line. Blanks and control bytes in `uri` are dropped, and so
    /// are its headers: a Contact may have some, a Request-URI must not (RFC 3261 §19.1.1).
    pub fn request(method: &Method, uri: &[u8]) -> Draft {
        let mut draft = Draft::empty();
        let uri = without_headers(uri);
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

    /// The Request-URI of a request in the making.
    pub(super) fn uri(&self) -> &[u8] {
        self.out[..].split(|byte| *byte == b' ').nth(1).unwrap_or_default()
    }

    /// Copies the first line of this name, where there is one.
    pub fn copy_named(self, from: &Message, name: &str) -> Draft {
        match from.header_named(name) {
            Some(value) => self.header(name, value),
            None => self,
        }
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
        for value in request.headers(Name::Via) {
            self.out.put_slice(b"Via");
            // The topmost stands in the first line, but for empty ones.
            let place =
                top.as_ref().map(|via| Span::of(value, via.as_bytes())).filter(|place| place.at < place.end);
            match place.and_then(|place| top.take().map(|via| (place, via))) {
                Some((place, via)) => {
                    self.out.put_slice(b": ");
                    self.top_via(&via, source);
                    // What stands behind the topmost value on the same line goes along.
                    self.clean(trim_start(&value[place.range().end..]));
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
        let tag = to_tag.filter(|_| !has_tag);
        // One semicolon too many at the end is let pass in what we read; ours would make it two.
        let loose = |byte: &u8| *byte == b';' || byte.is_ascii_whitespace();
        let end = value.iter().rposition(|byte| !loose(byte)).map_or(0, |last| last + 1);
        self.clean(if tag.is_some() { &value[..end] } else { value });
        if let Some(tag) = tag {
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

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "198.51.100.7:40000";

    fn request(via: &str) -> Message {
        let text = format!(
            "INVITE sip:12345@h SIP/2.0\r\n{via}\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n\
             Record-Route: <sip:p3;lr>\r\nFrom: \"\u{5f20}\" <sip:a@h>;tag=1\r\nTo: <sip:12345@h>\r\n\
             i: x@y\r\nCSeq: 7 INVITE\r\nTimestamp: 54\r\n\r\n"
        );
        Message::parse(Bytes::from(text)).unwrap()
    }

    fn respond(request: &Message, status: u16, tag: Option<&str>) -> String {
        let bytes = Draft::response(request, SOURCE.parse().unwrap(), status, tag).finish();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn an_answer_copies_what_the_rfc_wants_in_it() {
        let request = request("Via: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bKx");
        assert_eq!(
            respond(&request, 180, Some("us")),
            "SIP/2.0 180 Ringing\r\n\
             Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;received=198.51.100.7;rport=40000\r\n\
             From: \"\u{5f20}\" <sip:a@h>;tag=1\r\nTo: <sip:12345@h>;tag=us\r\nCall-ID: x@y\r\n\
             CSeq: 7 INVITE\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n\
             Record-Route: <sip:p3;lr>\r\nContent-Length: 0\r\n\r\n"
        );
        let trying = respond(&request, 100, None);
        assert!(trying.contains("\r\nTimestamp: 54\r\n"), "{trying}");
        assert!(!trying.contains("Record-Route"), "{trying}");
        assert!(trying.contains("\r\nTo: <sip:12345@h>\r\n"), "{trying}");
        let text = String::from_utf8(request.raw().to_vec())
            .unwrap()
            .replace("To: <sip:12345@h>", "To: <sip:12345@h> ; ");
        let answer = respond(&Message::parse(Bytes::from(text)).unwrap(), 180, Some("us"));
        assert!(answer.contains("\r\nTo: <sip:12345@h>;tag=us\r\n"), "{answer}");
        let busy = respond(&request, 486, Some("us"));
        assert!(!busy.contains("Record-Route") && !busy.contains("Timestamp"), "{busy}");
    }

    #[test]
    fn the_topmost_via_is_told_where_it_came_from() {
        for (via, wanted) in [
            (
                "Via: SIP/2.0/UDP 198.51.100.7:5062;branch=a",
                "Via: SIP/2.0/UDP 198.51.100.7:5062;branch=a\r\n",
            ),
            (
                "Via: SIP/2.0/UDP host.example;branch=a",
                "Via: SIP/2.0/UDP host.example;branch=a;received=198.51.100.7\r\n",
            ),
            (
                "Via: SIP/2.0/UDP h;received=1.1.1.1;rport=9;x=\"a;b\"",
                "Via: SIP/2.0/UDP h;x=\"a;b\";received=198.51.100.7;rport=40000\r\n",
            ),
            (
                "v: SIP/2.0/UDP h;branch=a , SIP/2.0/TCP b;branch=c\r\nVia: SIP/2.0/UDP d;rport",
                "Via: SIP/2.0/UDP h;branch=a;received=198.51.100.7, SIP/2.0/TCP b;branch=c\r\nVia: SIP/2.0/UDP d;rport\r\n",
            ),
            ("Via: junk", "Via: junk\r\n"),
            (
                "Via: , SIP/2.0/UDP a ,, SIP/2.0/UDP b",
                "Via: SIP/2.0/UDP a;received=198.51.100.7,, SIP/2.0/UDP b\r\n",
            ),
            ("Via:\r\nVia: SIP/2.0/UDP a", "Via: \r\nVia: SIP/2.0/UDP a;received=198.51.100.7\r\n"),
        ] {
            let answer = respond(&request(via), 200, None);
            assert!(answer.contains(&format!("OK\r\n{wanted}From")), "{via}\n{answer}");
        }
        let six = Draft::response(
            &request("Via: SIP/2.0/UDP h;rport"),
            "[2001:db8::7]:5060".parse().unwrap(),
            200,
            None,
        );
        let six = Message::parse(six.finish()).unwrap();
        assert_eq!(six.via().unwrap().received(), Some("2001:db8::7".parse().unwrap()));
    }

    #[test]
    fn a_tag_that_is_there_stays_alone() {
        let text = respond(&request("Via: SIP/2.0/UDP h"), 200, Some("us"));
        let answered = text.replacen("SIP/2.0 200 OK", "BYE sip:a@h SIP/2.0", 1);
        let bye = Message::parse(Bytes::from(answered)).unwrap();
        let answer = respond(&bye, 200, Some("other"));
        assert!(answer.contains("To: <sip:12345@h>;tag=us\r\n"), "{answer}");
    }

    #[test]
    fn no_value_can_begin_a_line() {
        let bytes = Draft::request(&Method::Invite, b"sip:a@h SIP/2.0\r\nEvil: 1")
            .header("Sub\r\nject:", "a\r\nEvil: 1\0\n\n")
            .header("P-Name", [0xd5, 0xc5])
            .header_number(Name::MaxForwards, 70)
            .body("text/plain\r\nEvil: 1", b"b\r\n\r\nc")
            .finish();
        let message = Message::parse(bytes).unwrap();
        assert_eq!(message.header_named("Evil"), None);
        assert_eq!(message.request_uri(), Some(&b"sip:a@hSIP/2.0Evil:1"[..]));
        assert_eq!(message.header(Name::Subject), Some(&b"a  Evil: 1"[..]));
        assert_eq!(message.header_named("P-Name"), Some(&[0xd5, 0xc5][..]));
        assert_eq!(message.max_forwards(), Ok(Some(70)));
        assert_eq!(message.content_length(), Ok(Some(6)));
        assert_eq!(message.body(), b"b\r\n\r\nc");
        assert_eq!(message.lines().count(), 5);
    }

    #[test]
    fn a_request_uri_has_no_headers() {
        for (uri, wanted) in [
            ("sip:a@h;lr?Route=%3Csip:b%3E", "sip:a@h;lr"),
            ("SIPS:h?x=y", "SIPS:h"),
            ("sip:a?b;c@h", "sip:a?b;c@h"), // There it is part of the user.
            ("sip:a?b@h?c", "sip:a?b@h"),
            ("urn:a?b", "urn:a?b"),
        ] {
            let request = Draft::request(&Method::Options, uri.as_bytes()).finish();
            assert!(request.starts_with(format!("OPTIONS {wanted} SIP/2.0\r\n").as_bytes()), "{uri}");
        }
    }

    #[test]
    fn every_status_has_words() {
        assert_eq!(reason_phrase(481), "Call/Transaction Does Not Exist");
        for status in 100..700 {
            assert!(!reason_phrase(status).is_empty());
        }
        assert_eq!(reason_phrase(299), "OK");
        assert_eq!(reason_phrase(699), "Global Failure");
    }
}
