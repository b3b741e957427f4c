//! What we do not know goes through us as it came: headers, methods, URI schemes and parameters.
//!
//! The relay here does what dialogs and the call legs do: reads a message, builds one of its own by
//! [`Draft`], and copies what it was given.

use std::net::SocketAddr;

use bytes::Bytes;
use hotline::sip::{Draft, Message, Method, Name, NameAddr, Uri};
use proptest::prelude::*;

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z][A-Za-z0-9.!%*_+`'~-]{0,14}"
}

/// A header value of any bytes but those that end lines: GBK, control bytes and quotes that never
/// close among them.
fn opaque() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("ends a line", |byte| !matches!(byte, b'\r' | b'\n' | 0));
    prop::collection::vec(byte, 0..40).prop_map(|bytes| bytes.trim_ascii().to_vec())
}

fn params() -> impl Strategy<Value = String> {
    let value = prop_oneof!["=[A-Za-z0-9.!%*_+`'~-]{1,8}", "=\"[a-z ;,<>=@]{0,8}\"", Just(String::new())];
    let name = token().prop_filter("it has a meaning", |name| {
        !["tag", "branch", "received", "rport"].iter().any(|known| name.eq_ignore_ascii_case(known))
    });
    prop::collection::vec((name, value), 0..4)
        .prop_map(|all| all.iter().map(|(name, value)| format!(";{name}{value}")).collect())
}

fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        ("[a-z0-9%][a-z0-9+.;?&=$,/-]{0,9}", "[a-z]{1,8}\\.example", "(;[a-z-]{1,6}(=[a-z0-9%]{1,6})?){0,3}")
            .prop_map(|(user, host, params)| format!("sip:{user}@{host}{params}")),
        "tel:\\+86[0-9]{3,12};phone-context=[a-z.]{1,9}",
        "urn:service:[a-z.]{1,12}",
        "[a-z][a-z0-9+.-]{1,8}:[A-Za-z0-9/?:@%#&=.-]{1,20}",
    ]
}

/// Unknown names only: what has a meaning is rewritten by those who give it one.
fn strange_name() -> impl Strategy<Value = String> {
    token().prop_filter("it is known", |name| Name::of(name.as_bytes()) == Name::Other)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

prop_compose! {
    fn request()(
        method in token(),
        uri in uri(),
        (from, from_params, to, to_params) in (uri(), params(), uri(), params()),
        (via_params, routes) in (params(), prop::collection::vec((uri(), params()), 0..3)),
        strange in prop::collection::vec((strange_name(), opaque()), 0..8),
        body in prop::collection::vec(any::<u8>(), 0..60),
    ) -> Vec<u8> {
        let mut out = format!(
            "{method} {uri} SIP/2.0\r\nv: SIP/2.0/XYZ h{via_params};branch=z9hG4bKx\r\n\
             f: \"x\" <{from}>;tag=1{from_params}\r\nTo:<{to}>{to_params}\r\ni: x\r\nCSeq: 1 {method}\r\n"
        ).into_bytes();
        for (uri, params) in &routes {
            out.extend_from_slice(format!("Record-Route: <{uri}>{params}\r\n").as_bytes());
        }
        for (name, value) in &strange {
            out.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        out.extend_from_slice(&body);
        out
    }
}

/// What a leg towards somebody else makes of `message`: our own Via, theirs for the rest.
fn relay(message: &Message) -> Message {
    let method = message.method().expect("a request");
    let mut draft = Draft::request(method, message.request_uri().expect("a request"));
    draft = draft.header("Via", "SIP/2.0/UDP us;branch=z9hG4bKours");
    for name in [Name::From, Name::To, Name::CallId, Name::CSeq, Name::RecordRoute] {
        draft = draft.copy(message, name);
    }
    for (_, label, value) in message.lines().filter(|(name, ..)| *name == Name::Other) {
        draft = draft.header(std::str::from_utf8(label).expect("a token"), value);
    }
    let out = draft.body("application/x-any", message.body()).finish();
    Message::parse(out).expect("what we write, we read")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_unknown_leaves_as_it_came(bytes in request()) {
        let message = Message::parse(Bytes::from(bytes.clone())).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&message.raw()[..], &bytes[..], "and is kept to the byte");
        let relayed = relay(&message);
        prop_assert_eq!(relayed.method(), message.method());
        prop_assert_eq!(text(relayed.request_uri().unwrap()), expected_uri(message.request_uri().unwrap()));
        for name in [Name::From, Name::To, Name::CallId, Name::CSeq, Name::RecordRoute] {
            prop_assert!(relayed.headers(name).eq(message.headers(name)), "{}", name.as_str());
        }
        let strange = |message: &Message| {
            let lines = message.lines().filter(|(name, ..)| *name == Name::Other);
            lines.map(|(_, label, value)| (label.to_vec(), value.to_vec())).collect::<Vec<_>>()
        };
        prop_assert_eq!(strange(&relayed), strange(&message));
        prop_assert_eq!(relayed.body(), message.body());
        // Once more changes nothing more.
        prop_assert_eq!(relay(&relayed), relayed);
    }

    #[test]
    fn an_answer_gives_back_what_it_does_not_know(bytes in request()) {
        let message = Message::parse(Bytes::from(bytes)).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let source: SocketAddr = "203.0.113.5:5062".parse().unwrap();
        let answer = Message::parse(Draft::response(&message, source, 200, Some("us")).finish()).unwrap();
        for name in [Name::From, Name::CallId, Name::CSeq, Name::RecordRoute] {
            prop_assert!(answer.headers(name).eq(message.headers(name)), "{}", name.as_str());
        }
        let (to, wanted) = (answer.to().unwrap(), message.to().unwrap());
        prop_assert_eq!((to.uri(), to.tag()), (wanted.uri(), Some(&b"us"[..])));
        prop_assert!(to.params().zip(wanted.params()).all(|(ours, theirs)| ours == theirs));
        let (via, wanted) = (answer.via().unwrap(), message.via().unwrap());
        prop_assert_eq!(via.transport(), b"XYZ");
        prop_assert!(via.params().take(wanted.params().count()).eq(wanted.params()));
    }

    #[test]
    fn an_address_keeps_every_byte_of_what_it_holds(uri in uri(), params in params()) {
        let text = format!("<{uri}>{params}");
        let address = NameAddr::parse(Bytes::from(text.clone())).map_err(TestCaseError::fail)?;
        prop_assert_eq!(address.as_bytes(), text.as_bytes());
        prop_assert_eq!(address.uri(), uri.as_bytes());
        let again: Vec<u8> = address.params().flat_map(|(name, value)| match value {
            Some(value) => [b";", name, b"=", value].concat(),
            None => [b";", name].concat(),
        }).collect();
        prop_assert_eq!(again, params.into_bytes());
    }
}

/// A Request-URI has no headers (RFC 3261 §19.1.1); all else stays.
fn expected_uri(uri: &[u8]) -> String {
    match Uri::parse(uri) {
        Ok(Uri { headers: Some(headers), .. }) => text(&uri[..uri.len() - headers.len() - 1]),
        _ => text(uri),
    }
}

#[test]
fn a_method_that_nobody_knows_is_named_as_it_came() {
    let name = b"!odd.Method~";
    let request = Draft::request(&Method::of(name), b"odd:thing").finish();
    let message = Message::parse(request).unwrap();
    assert_eq!(message.method().unwrap().as_bytes(), name);
    assert_eq!(message.request_uri(), Some(&b"odd:thing"[..]));
}
