//! One datagram: no reader panics, what is read is written and read again the same, and a request's
//! answer says what its RFC wants copied.

use std::net::SocketAddr;

use bytes::Bytes;
use hotline::sip::digest::{Challenge, Credentials};
use hotline::sip::{Contacts, Draft, Message, Name, NameAddr, ParseError, Uri};

pub fn check(data: &[u8]) {
    let (message, sound) = match Message::parse(Bytes::copy_from_slice(data)) {
        Ok(message) => {
            same_when_written(&message);
            let sound = message.check().is_ok();
            (message, sound)
        }
        Err(ParseError::Refused { message, fault }) => {
            assert!(message.is_request() && (400..600).contains(&fault.status));
            let _ = message.check();
            (message, false)
        }
        Err(ParseError::Ignored { .. }) => return,
    };
    read_everything(&message);
    if message.is_request() {
        answer(&message, sound);
    }
}

/// The message with each line on one line and nothing around it.
fn write(message: &Message) -> Vec<u8> {
    let mut out = match (message.method(), message.status()) {
        (Some(method), _) => {
            let uri = message.request_uri().unwrap_or_default();
            [method.as_bytes(), b" ", uri, b" SIP/2.0\r\n"].concat()
        }
        (None, status) => {
            let status = status.unwrap_or_default().to_string();
            [b"SIP/2.0 ", status.as_bytes(), b" ", message.reason(), b"\r\n"].concat()
        }
    };
    for (_, label, value) in message.lines() {
        out.extend_from_slice(&[label, b": ", value, b"\r\n"].concat());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(message.body());
    out
}

fn same_when_written(message: &Message) {
    let again = Message::parse(Bytes::from(write(message))).expect("what was read is written sound");
    assert_eq!(again.method(), message.method());
    assert_eq!(again.request_uri(), message.request_uri());
    assert_eq!((again.status(), again.reason()), (message.status(), message.reason()));
    assert!(again.lines().eq(message.lines()));
    assert_eq!(again.body(), message.body());
    assert_eq!(again.check(), message.check());
    // And what came in can be read as it came.
    assert_eq!(Message::parse(message.raw().clone()).expect("it was read once"), *message);
}

fn read_everything(message: &Message) {
    for (name, label, value) in message.lines() {
        assert!(label.is_empty() || name == Name::Other || Name::of(label) == name);
        assert!(!value.iter().any(|byte| matches!(byte, b'\n')), "folds are blanked");
        assert!(message.values(name).count() <= value.len().max(data_len(message)));
        if let Ok(credentials) = Credentials::parse(value) {
            let written = credentials.to_value();
            let again = Credentials::parse(&written).expect("what we write, we read");
            assert_eq!(again.response, credentials.response);
            assert_eq!((again.username, again.nonce), (credentials.username, credentials.nonce));
        }
        let _ = Challenge::parse(value);
        if let Ok(address) = NameAddr::parse(Bytes::copy_from_slice(value)) {
            read_address(&address);
        }
    }
    for via in message.vias().flatten() {
        assert!(!via.host().is_empty());
        let _ = (via.rport(), via.received(), via.maddr(), via.cookie_branch(), via.params().count());
    }
    if let Ok(Contacts::List(contacts)) = message.contacts() {
        contacts.iter().for_each(read_address);
    }
    let _ = (message.expires(), message.max_forwards(), message.content_type(), message.cseq());
    if let Some(uri) = message.request_uri() {
        read_uri(uri);
    }
}

fn data_len(message: &Message) -> usize {
    message.raw().len()
}

fn read_address(address: &NameAddr) {
    let _ = (address.display(), address.expires(), address.q());
    read_uri(address.uri());
    // The URI in brackets with the same parameters is the same address.
    let params = address.params().fold(Vec::new(), |mut out, (name, value)| {
        out.push(b';');
        out.extend_from_slice(name);
        if let Some(value) = value {
            out.push(b'=');
            out.extend_from_slice(value);
        }
        out
    });
    let text = [b"<", address.uri(), b">", &params].concat();
    let again = NameAddr::parse(Bytes::from(text.clone()))
        .unwrap_or_else(|why| panic!("{why}: {:?} of {address:?}", String::from_utf8_lossy(&text)));
    assert_eq!((again.uri(), again.tag(), again.q()), (address.uri(), address.tag(), address.q()));
}

/// A URI put together from its parts comes apart into the same.
fn read_uri(text: &[u8]) {
    let Ok(uri) = Uri::parse(text) else { return };
    let mut out = [uri.scheme, b":"].concat();
    if uri.is_sip() {
        if let Some(user) = uri.user {
            out.extend_from_slice(user);
            if let Some(password) = uri.password {
                out.push(b':');
                out.extend_from_slice(password);
            }
            out.push(b'@');
        }
        let six = uri.host.contains(&b':');
        out.extend_from_slice(if six { b"[" } else { b"" });
        out.extend_from_slice(uri.host);
        out.extend_from_slice(if six { b"]" } else { b"" });
        if let Some(port) = uri.port {
            out.extend_from_slice(format!(":{port}").as_bytes());
        }
    } else {
        out.extend_from_slice(uri.user.unwrap_or_default());
        out.extend_from_slice(uri.host);
    }
    out.extend_from_slice(uri.params);
    if let Some(headers) = uri.headers {
        out.push(b'?');
        out.extend_from_slice(headers);
    }
    assert_eq!(Uri::parse(&out), Ok(uri));
    let _ = (uri.user_decoded(), uri.host_ip(), uri.params().count());
}

/// Whatever the request was, its answer can be read, and carries back what it must.
fn answer(request: &Message, sound: bool) {
    let source: SocketAddr = "203.0.113.5:5062".parse().expect("an address");
    let bytes = Draft::response(request, source, 200, Some("ours")).header("X-Echo", request.body()).finish();
    let answer = Message::parse(bytes).expect("what we write, we read");
    for name in [Name::From, Name::CallId, Name::CSeq] {
        assert!(clean(answer.headers(name)).eq(clean(request.headers(name))));
    }
    assert_eq!(answer.headers(Name::Via).count(), request.headers(Name::Via).count());
    assert_eq!(answer.body(), b"");
    if sound {
        let (ours, theirs) = (answer.via().expect("Via"), request.via().expect("Via"));
        assert_eq!(
            (ours.host(), ours.port(), ours.branch()),
            (theirs.host(), theirs.port(), theirs.branch())
        );
        assert_eq!(ours.received(), Some(source.ip()), "{answer:?} to {request:?}");
        let below =
            |message: &Message| message.values(Name::Via).skip(1).map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert!(
            clean(below(&answer).iter().map(Vec::as_slice))
                .eq(clean(below(request).iter().map(Vec::as_slice)))
        );
        let to = request.to().expect("To");
        let tag = to.tag().unwrap_or(b"ours");
        let answered = answer.to().unwrap_or_else(|error| panic!("{error}: {answer:?}"));
        assert_eq!(answered.tag(), Some(tag));
    }
}

/// As values are written: NUL, which ends a line for some, is blanked.
fn clean<'a>(values: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = Vec<u8>> {
    values.map(|value| {
        let blanked: Vec<u8> =
            value.iter().map(|&byte| if matches!(byte, 0 | b'\r') { b' ' } else { byte }).collect();
        blanked.trim_ascii().to_vec()
    })
}
