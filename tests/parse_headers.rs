//! Header by header against rsip: what both read, both read alike.
//!
//! Values are made as carriers and phones make them, then damaged. Where the two parsers differ and we
//! hold to the RFC, the difference is listed by name ([`known`]) and counted: a list that swallowed
//! everything would fail. The cases are the same in each run.

use std::collections::BTreeMap;

use bytes::Bytes;
use hotline::sip::digest::{Challenge, Credentials};
use hotline::sip::{Message, Name, NameAddr, Uri, Via};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rsip::Param;
use rsip::headers::UntypedHeader;
use rsip::prelude::ToTypedHeader;

/// What a value says: one entry for each part, in order.
type Facts = Vec<(&'static str, String)>;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A parameter as both tell it. rsip writes names of its own in lower case, and transports and methods
/// in upper case.
fn param(name: &str, value: Option<&str>) -> String {
    let name = name.to_ascii_lowercase();
    match value {
        Some(value) if matches!(name.as_str(), "transport" | "method") => {
            format!("{name}={}", value.to_ascii_uppercase())
        }
        Some(value) => format!("{name}={value}"),
        None => name,
    }
}

mod ours {
    use super::*;

    fn params<'a>(
        what: &'static str,
        params: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
        facts: &mut Facts,
    ) {
        for (name, value) in params {
            facts.push((what, param(&text(name), value.map(text).as_deref())));
        }
    }

    fn uri(uri: &Uri<'_>, facts: &mut Facts) {
        facts.push(("scheme", text(uri.scheme).to_ascii_lowercase()));
        facts.extend(uri.user.map(|user| ("user", text(user))));
        facts.extend(uri.password.map(|password| ("password", text(password))));
        facts.push(("host", text(uri.host)));
        facts.extend(uri.port.map(|port| ("port", port.to_string())));
        params("uri parameter", uri.params(), facts);
    }

    pub fn address(value: &NameAddr) -> Option<Facts> {
        let mut facts = Facts::new();
        if !value.display().is_empty() {
            facts.push(("display", text(&value.display())));
        }
        let parsed = value.parse_uri().ok().filter(|uri| uri.is_sip())?;
        uri(&parsed, &mut facts);
        params("parameter", value.params(), &mut facts);
        Some(facts)
    }

    pub fn via(via: &Via) -> Facts {
        let mut facts =
            vec![("transport", text(via.transport()).to_ascii_uppercase()), ("host", text(via.host()))];
        facts.extend(via.port().map(|port| ("port", port.to_string())));
        params("parameter", via.params(), &mut facts);
        facts
    }

    /// Reads `value` as the header `kind` of a message.
    pub fn read(kind: Kind, value: &str) -> Option<Facts> {
        let head = format!("OPTIONS sip:h SIP/2.0\r\n{}: {value}\r\n\r\n", kind.name());
        let message = Message::parse(Bytes::from(head)).ok()?;
        let number = |value: Option<u32>| Some(vec![("number", value?.to_string())]);
        match kind {
            Kind::From => address(&message.from().ok()?),
            Kind::To => address(&message.to().ok()?),
            Kind::Contact => match message.values(Name::Contact).count() {
                1 => address(&message.contact().ok()??),
                _ => None, // rsip reads one Contact a line.
            },
            Kind::Route | Kind::RecordRoute => {
                let name = if kind == Kind::Route { Name::Route } else { Name::RecordRoute };
                let each: Option<Vec<Facts>> = message.addresses(name).ok()?.iter().map(address).collect();
                each.map(|each| each.concat())
            }
            Kind::Via => match message.vias().count() {
                1 => message.via().ok().as_ref().map(via),
                _ => None, // rsip reads one Via a line.
            },
            Kind::CSeq => {
                let cseq = message.cseq().ok()?;
                Some(vec![("number", cseq.number.to_string()), ("method", cseq.method.to_string())])
            }
            Kind::MaxForwards => number(message.max_forwards().ok()?.map(u32::from)),
            Kind::Expires => number(message.expires().ok()?),
            Kind::ContentType => Some(vec![("type", text(message.content_type()?).to_ascii_lowercase())]),
            Kind::Authorization => {
                let given = Credentials::parse(message.header(Name::Authorization)?).ok()?;
                let mut facts = vec![
                    ("username", text(&given.username)),
                    ("realm", text(&given.realm)),
                    ("nonce", text(&given.nonce)),
                    ("response", text(&given.response)),
                    ("algorithm", format!("{:?}", given.algorithm)),
                ];
                if let Some(qop) = &given.qop {
                    facts.push(("nc", qop.nc.to_string()));
                    facts.push(("cnonce", text(&qop.cnonce)));
                }
                facts.extend(given.opaque.map(|opaque| ("opaque", text(&opaque))));
                Some(facts)
            }
            Kind::WwwAuthenticate => {
                let asked = Challenge::parse(message.header(Name::WwwAuthenticate)?).ok()?;
                let mut facts = vec![
                    ("realm", text(&asked.realm)),
                    ("nonce", text(&asked.nonce)),
                    ("algorithm", format!("{:?}", asked.algorithm)),
                    ("stale", asked.stale.to_string()),
                ];
                facts.extend(asked.opaque.map(|opaque| ("opaque", text(&opaque))));
                Some(facts)
            }
        }
    }
}

mod theirs {
    use super::*;
    use rsip::headers::auth::{Algorithm, AuthQop};
    use rsip::typed::MediaType;

    fn params(what: &'static str, params: &[Param], facts: &mut Facts) {
        for each in params {
            let written = each.to_string();
            let written = written.trim_start_matches(';');
            // Between two semicolons there is nothing.
            if written.is_empty() {
                continue;
            }
            let (name, value) = match written.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (written, None),
            };
            facts.push((what, param(name, value)));
        }
    }

    fn uri(uri: &rsip::Uri, facts: &mut Facts) {
        facts.extend(uri.scheme.as_ref().map(|scheme| ("scheme", scheme.to_string().to_ascii_lowercase())));
        if let Some(auth) = &uri.auth {
            facts.push(("user", auth.user.clone()));
            facts.extend(auth.password.clone().map(|password| ("password", password)));
        }
        facts.push(("host", uri.host().to_string()));
        facts.extend(uri.port().map(|port| ("port", port.to_string())));
        params("uri parameter", &uri.params, facts);
    }

    fn address(display: Option<&str>, of: &rsip::Uri, with: &[Param]) -> Facts {
        let mut facts = Facts::new();
        // The quotes are still around it.
        let bare = |text: &str| text.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
        let display = display.map(|display| bare(display).unwrap_or(display.to_owned()));
        facts.extend(display.filter(|display| !display.is_empty()).map(|display| ("display", display)));
        uri(of, &mut facts);
        params("parameter", with, &mut facts);
        facts
    }

    fn algorithm(of: Option<Algorithm>) -> String {
        match of {
            None | Some(Algorithm::Md5) => "Md5".to_owned(),
            Some(Algorithm::Sha256) => "Sha256".to_owned(),
            Some(other) => format!("{other:?}"),
        }
    }

    pub fn read(kind: Kind, value: &str) -> Option<Facts> {
        use rsip::headers;
        let number = |value: Result<u32, _>| value.ok().map(|value: u32| vec![("number", value.to_string())]);
        let list = |uris: &[rsip::UriWithParams]| {
            uris.iter().flat_map(|each| address(None, &each.uri, &each.params)).collect()
        };
        match kind {
            Kind::From => {
                let from = headers::From::new(value).typed().ok()?;
                Some(address(from.display_name.as_deref(), &from.uri, &from.params))
            }
            Kind::To => {
                let to = headers::To::new(value).typed().ok()?;
                Some(address(to.display_name.as_deref(), &to.uri, &to.params))
            }
            Kind::Contact => {
                let contact = headers::Contact::new(value).typed().ok()?;
                Some(address(contact.display_name.as_deref(), &contact.uri, &contact.params))
            }
            Kind::Route => headers::Route::new(value).typed().ok().map(|route| list(route.uris())),
            Kind::RecordRoute => {
                headers::RecordRoute::new(value).typed().ok().map(|route| list(route.uris()))
            }
            Kind::Via => {
                let via = headers::Via::new(value).typed().ok()?;
                let mut facts = vec![
                    ("transport", via.transport.to_string().to_ascii_uppercase()),
                    ("host", via.uri.host().to_string()),
                ];
                facts.extend(via.uri.port().map(|port| ("port", port.to_string())));
                params("parameter", &via.params, &mut facts);
                Some(facts)
            }
            Kind::CSeq => {
                let cseq = headers::CSeq::new(value).typed().ok()?;
                Some(vec![("number", cseq.seq.to_string()), ("method", cseq.method.to_string())])
            }
            Kind::MaxForwards => number(headers::MaxForwards::new(value).num()),
            Kind::Expires => number(headers::Expires::new(value).seconds()),
            Kind::ContentType => {
                let kind = headers::ContentType::new(value).typed().ok()?.0;
                let written = match &kind {
                    MediaType::Sdp(_) => "application/sdp".to_owned(),
                    other => other.to_string().split(';').next().unwrap_or_default().to_owned(),
                };
                Some(vec![("type", written.to_ascii_lowercase())])
            }
            Kind::Authorization => {
                let given = headers::Authorization::new(value).typed().ok()?;
                let mut facts = vec![
                    ("username", given.username),
                    ("realm", given.realm),
                    ("nonce", given.nonce),
                    ("response", given.response),
                    ("algorithm", algorithm(given.algorithm)),
                ];
                if let Some(AuthQop::Auth { cnonce, nc }) = given.qop {
                    facts.push(("nc", nc.to_string()));
                    facts.push(("cnonce", cnonce));
                }
                facts.extend(given.opaque.map(|opaque| ("opaque", opaque)));
                Some(facts)
            }
            Kind::WwwAuthenticate => {
                let asked = headers::WwwAuthenticate::new(value).typed().ok()?;
                let stale = asked.stale.is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
                let mut facts = vec![
                    ("realm", asked.realm),
                    ("nonce", asked.nonce),
                    ("algorithm", algorithm(asked.algorithm)),
                    ("stale", stale.to_string()),
                ];
                facts.extend(asked.opaque.map(|opaque| ("opaque", opaque)));
                Some(facts)
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    From,
    To,
    Contact,
    Route,
    RecordRoute,
    Via,
    CSeq,
    MaxForwards,
    Expires,
    ContentType,
    Authorization,
    WwwAuthenticate,
}

const KINDS: [Kind; 12] = [
    Kind::From,
    Kind::To,
    Kind::Contact,
    Kind::Route,
    Kind::RecordRoute,
    Kind::Via,
    Kind::CSeq,
    Kind::MaxForwards,
    Kind::Expires,
    Kind::ContentType,
    Kind::Authorization,
    Kind::WwwAuthenticate,
];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::From => "From",
            Kind::To => "To",
            Kind::Contact => "Contact",
            Kind::Route => "Route",
            Kind::RecordRoute => "Record-Route",
            Kind::Via => "Via",
            Kind::CSeq => "CSeq",
            Kind::MaxForwards => "Max-Forwards",
            Kind::Expires => "Expires",
            Kind::ContentType => "Content-Type",
            Kind::Authorization => "Authorization",
            Kind::WwwAuthenticate => "WWW-Authenticate",
        }
    }

    fn values(self) -> BoxedStrategy<String> {
        match self {
            Kind::From | Kind::To => (display(), uri(), header_params("tag")).prop_map(bracketed).boxed(),
            Kind::Contact => prop_oneof![
                (display(), uri(), header_params("expires")).prop_map(bracketed),
                (plain_uri(), header_params("q")).prop_map(|(uri, params)| format!("{uri}{params}")),
            ]
            .boxed(),
            Kind::Route | Kind::RecordRoute => {
                let entry =
                    (uri(), header_params("x")).prop_map(|(uri, params)| format!("<{uri};lr>{params}"));
                prop::collection::vec(entry, 1..4).prop_map(|all| all.join(", ")).boxed()
            }
            Kind::Via => {
                let transport = prop::sample::select(vec!["UDP", "TCP", "TLS", "WS"]);
                (transport, host(), port(), header_params("branch"))
                    .prop_map(|(transport, host, port, params)| {
                        format!("SIP/2.0/{transport} {host}{port}{params}")
                    })
                    .boxed()
            }
            Kind::CSeq => {
                ("[0-9]{1,9}", method()).prop_map(|(number, method)| format!("{number} {method}")).boxed()
            }
            Kind::MaxForwards => "[0-9]{1,2}".boxed(),
            Kind::Expires => "[0-9]{1,10}".boxed(),
            Kind::ContentType => prop::sample::select(vec![
                "application/sdp",
                "application/SDP",
                "text/plain",
                "application/dtmf-relay",
                "message/sipfrag;version=2.0",
                "multipart/mixed;boundary=x",
                "application/sdp; charset=utf-8",
            ])
            .prop_map(str::to_owned)
            .boxed(),
            Kind::Authorization => {
                let opaque = prop_oneof![
                    Just(String::new()),
                    "[a-z0-9]{1,8}".prop_map(|text| format!(", opaque=\"{text}\""))
                ];
                let qop = prop_oneof![
                    Just(String::new()),
                    ("[a-f0-9]{4,8}", 1u8..9)
                        .prop_map(|(cnonce, nc)| format!(", cnonce=\"{cnonce}\", qop=auth, nc=0000000{nc}")),
                ];
                ("[a-z0-9]{1,8}", "[a-z.]{1,12}", "[a-f0-9]{4,20}", "[a-f0-9]{32}", algorithm(), opaque, qop)
                    .prop_map(|(user, realm, nonce, response, algorithm, opaque, qop)| {
                        format!(
                            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"sip:{realm}\", \
                             response=\"{response}\"{algorithm}{opaque}{qop}"
                        )
                    })
                    .boxed()
            }
            Kind::WwwAuthenticate => {
                let more = prop::sample::select(vec![
                    "",
                    ", stale=TRUE",
                    ", stale=false",
                    ", qop=\"auth\"",
                    ", opaque=\"x\"",
                ]);
                ("[a-z. ]{1,12}", "[a-f0-9]{4,20}", algorithm(), more)
                    .prop_map(|(realm, nonce, algorithm, more)| {
                        format!("Digest realm=\"{realm}\", nonce=\"{nonce}\"{algorithm}{more}")
                    })
                    .boxed()
            }
        }
    }
}

fn bracketed((display, uri, params): (String, String, String)) -> String {
    format!("{display}<{uri}>{params}")
}

fn algorithm() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", ", algorithm=MD5", ", algorithm=SHA-256", ", algorithm=md5"])
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "INFO", "UPDATE", "PRACK", "REFER",
    ])
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        (1u8..255, any::<u8>(), any::<u8>(), 1u8..255).prop_map(|(a, b, c, d)| format!("{a}.{b}.{c}.{d}")),
        "[a-z][a-z0-9-]{0,8}\\.example\\.(com|net)",
        "[A-Z][a-z0-9]{0,8}",
    ]
}

fn port() -> impl Strategy<Value = String> {
    proptest::option::of(1u16..).prop_map(|port| port.map(|port| format!(":{port}")).unwrap_or_default())
}

fn display() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Za-z]{1,9} ",
        "\"[A-Za-z0-9 .'-]{1,16}\" ",
        "\"[a-z]{1,4}[,;<>@:=][a-z]{1,4}\" "
    ]
}

fn plain_uri() -> impl Strategy<Value = String> {
    let user = prop_oneof![
        Just(String::new()),
        "[a-z0-9+._-]{1,12}@",
        "[a-z0-9]{1,6}:[a-z0-9]{1,6}@",
        "%[0-7][0-9a-f][a-z]{1,3}@",
    ];
    (prop::sample::select(vec!["sip", "sips", "SIP"]), user, host(), port())
        .prop_map(|(scheme, user, host, port)| format!("{scheme}:{user}{host}{port}"))
}

fn uri() -> impl Strategy<Value = String> {
    let params = prop::sample::select(vec![
        ";transport=tcp",
        ";transport=UDP",
        ";user=phone",
        ";ttl=5",
        ";maddr=192.0.2.1",
        ";method=INVITE",
        ";ob",
        ";x-y=z1",
        ";lr",
        ";lr=on",
    ]);
    (plain_uri(), prop::collection::vec(params, 0..3))
        .prop_map(|(uri, params)| format!("{uri}{}", params.concat()))
}

/// Header parameters, one of them often `name`.
fn header_params(name: &'static str) -> impl Strategy<Value = String> {
    let named = prop_oneof![
        "[A-Za-z0-9-]{1,12}".prop_map(move |value| format!(";{name}={value}")),
        (0u32..4_000).prop_map(move |value| format!(";{name}={value}")),
    ];
    let other = prop::sample::select(vec![
        ";rport",
        ";ob",
        ";isfocus",
        ";cause=302",
        ";reg-id=1",
        ";privacy=off",
        ";q=0.7",
        ";received=192.0.2.4",
        ";index=1.1",
        ";reason=unconditional",
        ";x=\"a b\"",
        ";+sip.instance=\"<urn:uuid:0>\"",
        ";alias",
    ]);
    (proptest::option::of(named), prop::collection::vec(other, 0..3))
        .prop_map(|(named, others)| format!("{}{}", named.unwrap_or_default(), others.concat()))
}

/// Up to two bytes of a value replaced, left out or doubled.
fn damaged(value: &str, damage: &[(prop::sample::Index, u8, u8)]) -> String {
    let mut bytes = value.as_bytes().to_vec();
    for (place, how, with) in damage {
        if bytes.is_empty() {
            break;
        }
        let place = place.index(bytes.len());
        match how {
            0 => drop(bytes.remove(place)),
            1 => bytes.insert(place, *with),
            _ => bytes[place] = *with,
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// The value without blanks around its separators, quoted strings apart.
fn squeezed(value: &str) -> String {
    let mut out = String::new();
    for (place, part) in value.split('"').enumerate() {
        let mut part = part.to_owned();
        for separator in [";", "=", ",", ":"].iter().filter(|_| place % 2 == 0) {
            for loose in [format!(" {separator}"), format!("{separator} ")] {
                while part.contains(&loose) {
                    part = part.replace(&loose, separator);
                }
            }
        }
        out.push_str(if place > 0 { "\"" } else { "" });
        out.push_str(&part);
    }
    out
}

/// Whether this is `name=token` or `name="quoted"`, blanks around it left out.
fn is_field(text: &str) -> bool {
    let Some((name, value)) = text.trim().split_once('=') else { return false };
    let plain =
        |text: &str| !text.is_empty() && !text.contains([' ', '"', ']', '[', '(', '<', '>', ':', '@']);
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    plain(name) && inner.map_or(plain(value), |inner| !inner.contains('"'))
}

/// Why a difference is as it should be; `None`: it is not.
fn known(kind: Kind, value: &str, ours: &Facts, theirs: &Facts) -> Option<&'static str> {
    let token =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte));
    let odd = |(what, text): &(&str, String)| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        what.ends_with("parameter") && !(token(name) && token(value))
    };
    let digest = matches!(kind, Kind::Authorization | Kind::WwwAuthenticate);
    if value.matches('"').count() % 2 == 1 {
        return Some(
            "a quote that does not close: what is left of the value can be read in more than one way",
        );
    }
    if value.contains('\\') {
        return Some("rsip leaves the backslashes in a quoted string (RFC 3261 §25.1, quoted-pair)");
    }
    if digest && value.replace(' ', "").contains(",,") {
        return Some(
            "rsip reads nothing behind an empty item of a list (RFC 3261 §7.3.1 lets none be, we pass over it)",
        );
    }
    if theirs.iter().any(|(what, text)| *what == "host" && text.contains('@')) {
        return Some("rsip takes a user of marks for part of the host (RFC 3261 §25.1, unreserved)");
    }
    if ours.iter().any(|(what, text)| matches!(*what, "user" | "password") && text.contains([';', '?'])) {
        return Some("rsip ends a user at a semicolon (RFC 3261 §25.1, user-unreserved)");
    }
    if theirs.iter().any(|(what, text)| *what == "host" && text.contains('?')) {
        return Some("rsip knows no headers of a URI (RFC 3261 §19.1.1)");
    }
    if !digest && ours.iter().any(|(what, text)| what.ends_with("parameter") && text.contains('"')) {
        return Some("rsip empties a quoted parameter and may drop what follows (RFC 3261 §25.1, gen-value)");
    }
    if ours.iter().any(odd) {
        return Some("rsip ends a parameter at a byte that no token holds; we keep it for whoever knows it");
    }
    if ours.iter().any(|(what, text)| *what == "display" && text.contains(['<', '>'])) {
        return Some("rsip looks for the URI inside the quoted name (RFC 3261 §25.1, display-name)");
    }
    if !digest && value.starts_with(',') {
        return Some("an empty item in front of a list: rsip takes the comma for part of the name");
    }
    if digest && value.contains('<') {
        return Some(
            "a bracket that does not close: commas inside of it part nothing for us (RFC 3261 §20.10)",
        );
    }
    if theirs::read(kind, &squeezed(value)).as_ref() == Some(ours) {
        return Some(
            "rsip trips over blanks around a separator (RFC 3261 §25.1: SEMI, EQUAL, COMMA and COLON may have some)",
        );
    }
    if digest && !value.trim_start_matches("Digest ").split(',').all(is_field) {
        return Some(
            "a field that is neither a token nor quoted, or has a comma inside: its end can be told in more than one way",
        );
    }
    if kind == Kind::CSeq && ours[1].1.eq_ignore_ascii_case(&theirs[1].1) {
        return Some("rsip mends the case of a method, which counts (RFC 3261 §7.1)");
    }
    if kind == Kind::ContentType && value.contains(" ;") {
        return Some("rsip keeps the blank before a semicolon (RFC 3261 §25.1, SEMI)");
    }
    None
}

#[test]
fn both_parsers_read_each_header_alike() {
    const CASES: usize = 1000;
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let harm = prop::collection::vec(
        (any::<prop::sample::Index>(), 0u8..3, prop::sample::select(b"aZ09.-;=,:@<>\" %?[]\\(/".to_vec())),
        0..3,
    );
    let mut unknown = Vec::new();
    for kind in KINDS {
        let values = kind.values();
        let (mut both, mut excused) = (0, BTreeMap::new());
        for case in 0..CASES {
            let value = values.new_tree(&mut runner).unwrap().current();
            let harm = harm.new_tree(&mut runner).unwrap().current();
            // Every second one is left as it was made, and is one that we read.
            let whole = case % 2 == 0;
            let value = if whole { value } else { damaged(&value, &harm) };
            let value = value.trim();
            let ours = ours::read(kind, value);
            assert!(ours.is_some() || !whole, "{kind:?}: {value}");
            let (Some(ours), Some(theirs)) = (ours, theirs::read(kind, value)) else { continue };
            both += 1;
            if ours == theirs {
                continue;
            }
            match known(kind, value, &ours, &theirs) {
                Some(why) => *excused.entry(why).or_insert(0) += 1,
                None => unknown.push(format!("{kind:?}: {value}\n  ours   {ours:?}\n  theirs {theirs:?}")),
            }
        }
        println!("{kind:?}: both read {both} of {CASES}");
        for (why, count) in &excused {
            println!("  {count:4} {why}");
        }
        let excused: usize = excused.values().sum();
        assert!(both >= CASES / 2, "{kind:?}: both read {both} of {CASES} only");
        assert!(excused * 3 <= both, "{kind:?}: {excused} of {both} are excused");
    }
    assert!(unknown.is_empty(), "{} differences:\n{}", unknown.len(), unknown.join("\n"));
}
