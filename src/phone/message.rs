//! SIP messages by way of rsip: reading, the few fields we look at, and building.
//!
//! rsip knows fourteen methods, no compact names and no folded lines; a request with another
//! method is still read here, so that it can be answered with 501.

use std::net::{IpAddr, SocketAddr};

use rsip::headers::{ContentLength, ContentType};
use rsip::prelude::*;
use rsip::{Header, Headers, Method, Param, Request, Response, SipMessage, StatusCode, Uri, Version};

/// The methods that we answer with more than 405.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, REFER";
/// What we call ourselves.
pub(super) const USER_AGENT: &str = concat!("hotline-phone/", env!("CARGO_PKG_VERSION"));
/// The port of a URI that names none.
const SIP_PORT: u16 = 5060;

/// One datagram, read.
pub(super) enum Message {
    /// A request with a method that rsip knows.
    Request(Request),
    /// A request with some other method, its method field being meaningless.
    Unknown(Request),
    /// A response.
    Response(Response),
}

/// Reads a datagram; `None` where nothing can be made of it, keep-alives included.
pub(super) fn read(bytes: &[u8]) -> Option<Message> {
    match SipMessage::try_from(bytes) {
        Ok(SipMessage::Request(mut request)) => {
            cut_body(&request.headers, &mut request.body)?;
            Some(Message::Request(request))
        }
        Ok(SipMessage::Response(mut response)) => {
            cut_body(&response.headers, &mut response.body)?;
            Some(Message::Response(response))
        }
        Err(_) => read_unknown(bytes).map(Message::Unknown),
    }
}

/// Reads a request in spite of its method, under a method that rsip knows.
fn read_unknown(bytes: &[u8]) -> Option<Request> {
    let end = bytes.iter().position(|byte| *byte == b' ')?;
    let method = std::str::from_utf8(&bytes[..end]).ok()?;
    if method.is_empty() || method.contains('/') || method.parse::<Method>().is_ok() {
        return None;
    }
    let known = [b"OPTIONS", &bytes[end..]].concat();
    Request::try_from(known.as_slice()).ok()
}

/// Holds the body to its Content-Length (RFC 3261 §18.3); `None` where it is too short for it.
fn cut_body(headers: &Headers, body: &mut Vec<u8>) -> Option<()> {
    let length = headers.iter().find_map(|header| match header {
        Header::ContentLength(length) => Some(length.value().trim().parse::<usize>()),
        _ => None,
    });
    match length {
        None => Some(()),
        Some(Ok(length)) if length <= body.len() => {
            body.truncate(length);
            Some(())
        }
        Some(_) => None,
    }
}

/// The value of Call-ID.
pub(super) fn call_id(message: &impl HeadersExt) -> Option<&str> {
    message.call_id_header().ok().map(|header| header.value().trim())
}

/// Number and method word of CSeq.
pub(super) fn cseq(message: &impl HeadersExt) -> Option<(u32, &str)> {
    let (number, method) = message.cseq_header().ok()?.value().trim().split_once(' ')?;
    Some((number.parse().ok()?, method.trim()))
}

/// The whole From header.
pub(super) fn from(message: &impl HeadersExt) -> Option<&str> {
    message.from_header().ok().map(UntypedHeader::value)
}

/// The whole To header.
pub(super) fn to(message: &impl HeadersExt) -> Option<&str> {
    message.to_header().ok().map(UntypedHeader::value)
}

/// The tag in From.
pub(super) fn from_tag(message: &impl HeadersExt) -> Option<String> {
    message.from_header().ok()?.typed().ok()?.tag().map(ToString::to_string)
}

/// The tag in To.
pub(super) fn to_tag(message: &impl HeadersExt) -> Option<String> {
    message.to_header().ok()?.typed().ok()?.tag().map(ToString::to_string)
}

/// The branch of the topmost Via, and where that Via says it was sent from.
pub(super) fn via(message: &impl HeadersExt) -> Option<(String, String)> {
    let via = message.via_header().ok()?.typed().ok()?;
    let branch = via.branch()?.to_string();
    Some((branch, via.uri.host_with_port.to_string()))
}

/// The URI of the first Contact.
pub(super) fn contact(message: &impl HeadersExt) -> Option<Uri> {
    uri_within(message.contact_header().ok()?.value())
}

/// The URI in angle brackets, or the whole of `text` up to its first parameter without them.
pub(super) fn uri_within(text: &str) -> Option<Uri> {
    let inner = match text.split_once('<') {
        Some((_, rest)) => rest.split_once('>')?.0,
        None => text.split(';').next()?.trim(),
    };
    Uri::try_from(inner).ok()
}

/// All Record-Route entries, in order, each in angle brackets.
pub(super) fn record_routes(headers: &Headers) -> Vec<String> {
    let mut routes = Vec::new();
    for header in headers.iter() {
        if let Header::RecordRoute(route) = header {
            match route.typed() {
                Ok(typed) => routes.extend(typed.uris().iter().map(ToString::to_string)),
                Err(_) => routes.push(route.value().to_owned()),
            }
        }
    }
    routes
}

/// The value of a header that rsip has no name for.
pub(super) fn other<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find_map(|header| match header {
        Header::Other(other, value) if other.eq_ignore_ascii_case(name) => Some(value.as_str()),
        _ => None,
    })
}

/// The `cause` of a Reason header for protocol SIP (RFC 3326).
pub(super) fn reason(headers: &Headers) -> Option<u16> {
    let value = other(headers, "Reason")?;
    if !value.trim_start().get(..3)?.eq_ignore_ascii_case("SIP") {
        return None;
    }
    let (_, rest) = value.split_once("cause=")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Retry-After in seconds.
pub(super) fn retry_after(headers: &Headers) -> Option<u32> {
    headers.iter().find_map(|header| match header {
        Header::RetryAfter(value) => {
            value.value().trim().split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        }
        _ => None,
    })
}

/// Headers for the user's eyes: name and value of each that carries no part of the protocol.
pub(super) fn for_the_user(request: &Request) -> Vec<(String, String)> {
    let mut list = vec![(":uri".to_owned(), request.uri.to_string())];
    for header in request.headers.iter() {
        match header {
            Header::Via(_)
            | Header::From(_)
            | Header::To(_)
            | Header::CallId(_)
            | Header::CSeq(_)
            | Header::MaxForwards(_) => {}
            header => {
                if let Some((name, value)) = header.to_string().split_once(": ") {
                    list.push((name.to_owned(), value.to_owned()));
                }
            }
        }
    }
    list
}

/// The address that a URI names, if it names one in numbers.
pub(super) fn address(uri: &Uri) -> Option<SocketAddr> {
    let host = &uri.host_with_port;
    let ip: IpAddr = host.host.to_string().parse().ok()?;
    let port = match &host.port {
        Some(port) => port.to_string().parse().ok()?,
        None => SIP_PORT,
    };
    Some(SocketAddr::new(ip, port))
}

/// A body with its type.
pub(super) struct Body<'a> {
    /// Content-Type.
    pub kind: &'a str,
    /// The text.
    pub text: &'a str,
}

impl<'a> Body<'a> {
    /// A session description.
    pub(super) fn sdp(text: &'a str) -> Self {
        Body { kind: "application/sdp", text }
    }
}

fn finish(headers: &mut Vec<Header>, body: Option<Body<'_>>) -> Vec<u8> {
    let text = body.as_ref().map_or("", |body| body.text);
    if let Some(body) = &body {
        headers.push(Header::ContentType(ContentType::new(body.kind)));
    }
    headers.push(Header::ContentLength(ContentLength::from(text.len() as u32)));
    text.as_bytes().to_vec()
}

/// A request.
pub(super) fn request(method: Method, uri: Uri, mut headers: Vec<Header>, body: Option<Body<'_>>) -> Request {
    let body = finish(&mut headers, body);
    Request { method, uri, version: Version::V2, headers: headers.into(), body }
}

/// A response to `request`: its Via (completed by RFC 3581), From, To, Call-ID, CSeq and
/// Record-Route, then `headers`.
pub(super) fn response(
    request: &Request,
    source: SocketAddr,
    status: u16,
    tag: Option<&str>,
    headers: Vec<Header>,
    body: Option<Body<'_>>,
) -> Response {
    let mut list = Vec::new();
    let mut top = true;
    for header in request.headers.iter() {
        match header {
            Header::Via(via) => {
                let value = if top { completed_via(via.value(), source) } else { via.value().to_owned() };
                list.push(Header::Via(rsip::headers::Via::new(value)));
                top = false;
            }
            Header::To(to) => {
                let tagged = match tag {
                    Some(tag) if to_tag(request).is_none() => format!("{};tag={tag}", to.value()),
                    _ => to.value().to_owned(),
                };
                list.push(Header::To(rsip::headers::To::new(tagged)));
            }
            Header::From(_) | Header::CallId(_) | Header::CSeq(_) => list.push(header.clone()),
            Header::RecordRoute(_) if (101..300).contains(&status) => list.push(header.clone()),
            _ => {}
        }
    }
    list.extend(headers);
    let body = finish(&mut list, body);
    let status_code = StatusCode::Other(status, phrase(status).to_owned());
    Response { status_code, version: Version::V2, headers: list.into(), body }
}

/// The topmost Via with `received` and `rport` filled in; other Vias on the same line are kept.
fn completed_via(value: &str, source: SocketAddr) -> String {
    let (top, rest) = value.split_once(',').map_or((value, None), |(top, rest)| (top, Some(rest)));
    let Ok(mut via) = rsip::headers::Via::new(top.trim()).typed() else {
        return value.to_owned();
    };
    let mut wants_port = false;
    for param in &mut via.params {
        if let Param::Other(name, port) = param
            && name.to_string().eq_ignore_ascii_case("rport")
        {
            *port = Some(source.port().to_string().into());
            wants_port = true;
        }
    }
    if wants_port || via.uri.host_with_port.host.to_string() != source.ip().to_string() {
        via.params.retain(|param| !matches!(param, Param::Received(_)));
        via.params.push(Param::Received(source.ip().to_string().into()));
    }
    match rest {
        Some(rest) => format!("{via},{rest}"),
        None => via.to_string(),
    }
}

/// Where a response to `request` goes (RFC 3261 §18.2.2, RFC 3581 §4).
pub(super) fn response_to(request: &Request, source: SocketAddr) -> SocketAddr {
    let Ok(Ok(via)) = request.via_header().map(ToTypedHeader::typed) else {
        return source;
    };
    let rport = via.params.iter().any(
        |param| matches!(param, Param::Other(name, _) if name.to_string().eq_ignore_ascii_case("rport")),
    );
    if rport {
        return source;
    }
    let port = via.uri.host_with_port.port.as_ref().and_then(|port| port.to_string().parse().ok());
    SocketAddr::new(source.ip(), port.unwrap_or(SIP_PORT))
}

/// The usual words for a status.
fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        420 => "Bad Extension",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        603 => "Decline",
        _ => match status / 100 {
            1 => "Progress",
            2 => "Success",
            3 => "Redirection",
            4 => "Client Error",
            5 => "Server Error",
            _ => "Global Failure",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:1001@192.0.2.9:5060 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.1:5080;rport;branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\n\
        Record-Route: <sip:192.0.2.1;lr>,<sip:192.0.2.2:5070;lr>\r\n\
        From: \"Wang\" <sip:13800000000@example.cn>;tag=abc\r\n\
        To: <sip:1001@example.cn>\r\nCall-ID: x@y\r\nCSeq: 7 INVITE\r\n\
        Contact: <sip:b@192.0.2.1:5080;transport=udp>;+sip.instance=\"<urn:uuid:0>\"\r\n\
        X-Line: 12345\r\nReason: SIP;cause=480;text=\"gone\"\r\nContent-Length: 4\r\n\r\nbodyrest";

    fn invite() -> Request {
        match read(INVITE.as_bytes()) {
            Some(Message::Request(request)) => request,
            _ => panic!("not read"),
        }
    }

    #[test]
    fn fields_are_found_where_they_stand() {
        let request = invite();
        assert_eq!(call_id(&request), Some("x@y"));
        assert_eq!(cseq(&request), Some((7, "INVITE")));
        assert_eq!((from_tag(&request).as_deref(), to_tag(&request)), (Some("abc"), None));
        assert_eq!(via(&request), Some(("z9hG4bK1".into(), "192.0.2.1:5080".into())));
        assert_eq!(record_routes(&request.headers), ["<sip:192.0.2.1;lr>", "<sip:192.0.2.2:5070;lr>"]);
        assert_eq!(contact(&request).and_then(|uri| address(&uri)), "192.0.2.1:5080".parse().ok());
        assert_eq!(reason(&request.headers), Some(480));
        assert_eq!(request.body, b"body");
        let shown = for_the_user(&request);
        assert!(shown.contains(&(":uri".into(), "sip:1001@192.0.2.9:5060".into())), "{shown:?}");
        assert!(shown.contains(&("X-Line".into(), "12345".into())), "{shown:?}");
    }

    #[test]
    fn a_response_carries_the_vias_back_with_the_source_filled_in() {
        let source = "198.51.100.7:4000".parse().unwrap();
        let request = invite();
        let text = response(&request, source, 180, Some("mine"), Vec::new(), None).to_string();
        assert!(text.starts_with("SIP/2.0 180 Ringing\r\n"), "{text}");
        assert!(
            text.contains(
                "rport=4000;branch=z9hG4bK1;received=198.51.100.7, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0"
            ),
            "{text}"
        );
        assert!(text.contains("To: <sip:1001@example.cn>;tag=mine\r\n"), "{text}");
        assert!(text.contains("Record-Route: ") && text.ends_with("Content-Length: 0\r\n\r\n"), "{text}");
        assert_eq!(response_to(&request, source), source);
    }

    #[test]
    fn without_rport_the_response_goes_to_the_port_in_the_via() {
        let text = INVITE.replace(";rport", "");
        let Some(Message::Request(request)) = read(text.as_bytes()) else { panic!("not read") };
        assert_eq!(
            response_to(&request, "198.51.100.7:4000".parse().unwrap()),
            "198.51.100.7:5080".parse().unwrap()
        );
    }

    #[test]
    fn odd_datagrams_are_told_apart() {
        let strange = INVITE.replace("INVITE", "FETCH");
        assert!(matches!(read(strange.as_bytes()), Some(Message::Unknown(_))));
        for junk in [&b"\r\n\r\n"[..], b"", b"hello", b"INVITE sip:a SIP/2.0\r\n", &[0xff; 40]] {
            assert!(read(junk).is_none());
        }
        let short = INVITE.replace("Content-Length: 4", "Content-Length: 400");
        assert!(read(short.as_bytes()).is_none());
    }
}
