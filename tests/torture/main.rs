//! The torture messages of RFC 4475: what each earns, and whether the odd ones are read for what they mean.
//! What the endpoint answers is in `answers`; the IPv6 messages of RFC 5118 are in `ipv6`.

mod answers;
mod ipv6;
mod table;

use std::net::SocketAddr;
use std::path::PathBuf;

use bytes::Bytes;
use hotline::sip::{Contacts, Draft, Message, Method, Name, ParseError, Uri, sdp::Sdp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Earns {
    /// Read, and fit to be acted upon. Where the RFC wants a status for what only the endpoint can
    /// know (its methods, extensions, media types, users), that status stands in a comment.
    Accepted,
    /// This status, from the message layer alone.
    Status(u16),
    /// Nothing: a response that is dropped.
    Silence,
}

use Earns::{Accepted, Silence, Status};

/// Every message by its section in RFC 4475, at the message layer.
const TABLE: [(&str, Earns); 49] = [
    // 3.1.1 Valid messages
    ("wsinv", Accepted),
    ("intmeth", Accepted), // 405 or 501
    ("esc01", Accepted),
    ("escnull", Accepted),
    ("esc02", Accepted), // 405 or 501: the escaped name is another method than REGISTER
    ("lwsdisp", Accepted),
    ("longreq", Accepted),
    ("dblreq", Accepted),
    ("semiuri", Accepted),
    ("transports", Accepted),
    ("mpart01", Accepted),
    ("unreason", Accepted),
    ("noreason", Accepted),
    // 3.1.2 Invalid messages
    ("badinv01", Status(400)),
    ("clerr", Status(400)),
    ("ncl", Status(400)),
    ("scalar02", Status(400)),
    ("scalarlg", Silence),
    ("quotbal", Status(400)),
    ("ltgtruri", Status(400)),
    ("lwsruri", Status(400)),
    ("lwsstart", Status(400)),
    ("trws", Status(400)),
    ("escruri", Status(400)),
    ("baddate", Accepted), // 400 or leniency: a Date in EST harms no call
    ("regbadct", Status(400)),
    ("badaspec", Status(400)),
    ("baddn", Accepted), // 400 or leniency: read as if the name were quoted
    ("badvers", Status(505)),
    ("mismatch01", Status(400)),
    ("mismatch02", Status(400)), // or 501
    ("bigcode", Silence),
    // 3.2 Transaction layer semantics
    ("badbranch", Status(400)),
    // 3.3 Application layer semantics
    ("insuf", Status(400)),
    ("unkscm", Status(416)),
    ("novelsc", Status(416)),
    ("unksm2", Accepted),   // 404 or 416 by the registrar
    ("bext01", Accepted),   // 420
    ("invut", Accepted),    // 415
    ("regaut01", Accepted), // 401
    ("multi01", Status(400)),
    ("mcl01", Status(400)),
    ("bcast", Silence), // two Via values: not for us
    ("zeromf", Accepted),
    ("cparam01", Accepted),
    ("cparam02", Accepted),
    ("regescrt", Accepted),
    ("sdp01", Accepted), // 406
    // 3.4 Backward compatibility
    ("inv2543", Accepted),
];

/// One of the files, by its name.
pub fn load(name: &str) -> Bytes {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/torture").join(format!("{name}.dat"));
    let mut bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    if name == "baddn" {
        bytes.extend_from_slice(b"\r\n");
    }
    Bytes::from(bytes)
}

fn read(name: &str) -> Message {
    Message::parse(load(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn judge(name: &str) -> Earns {
    match Message::parse(load(name)) {
        Err(ParseError::Ignored { .. }) => Silence,
        Err(ParseError::Refused { fault, .. }) => Status(fault.status),
        Ok(message) => match message.check() {
            Ok(()) => Accepted,
            Err(fault) if message.is_request() => Status(fault.status),
            Err(_) => Silence,
        },
    }
}

#[test]
fn every_message_earns_what_the_rfc_asks() {
    let wrong: Vec<_> = TABLE
        .iter()
        .map(|&(name, wanted)| (name, wanted, judge(name)))
        .filter(|(_, wanted, got)| wanted != got)
        .collect();
    assert_eq!(wrong, [], "(message, wanted, got)");
}

#[test]
fn the_table_names_every_file() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".dat").map(str::to_owned)
        })
        .collect();
    let mut rows: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    files.sort();
    rows.sort();
    assert_eq!(files, rows);
}

#[test]
fn every_refusal_can_be_written_and_read_back() {
    let source: SocketAddr = "192.0.2.99:5999".parse().unwrap();
    let mut refused = 0;
    for (name, _) in TABLE {
        let (message, status) = match Message::parse(load(name)) {
            Err(ParseError::Refused { message, fault }) => (message, fault.status),
            Ok(message) if message.is_request() => match message.check() {
                Err(fault) => (message, fault.status),
                Ok(()) => continue,
            },
            _ => continue,
        };
        refused += 1;
        let answer = Draft::response(&message, source, status, Some("us")).finish();
        let answer = Message::parse(answer).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(answer.status(), Some(status), "{name}");
        assert_eq!(answer.body(), b"", "{name}");
        for copied in [Name::CallId, Name::CSeq, Name::From] {
            let (ours, theirs) = (answer.headers(copied), message.headers(copied));
            assert!(ours.eq(theirs), "{name}: {}", copied.as_str());
        }
        if let Ok(via) = answer.via() {
            assert_eq!(via.received(), Some(source.ip()), "{name}");
            assert_eq!(via.branch(), message.via().unwrap().branch(), "{name}");
        }
    }
    assert_eq!(refused, TABLE.iter().filter(|(_, earns)| matches!(earns, Status(_))).count());
}

#[test]
fn wsinv_is_read_through_its_blanks_and_folds() {
    let message = read("wsinv");
    assert_eq!(message.method(), Some(&Method::Invite));
    assert_eq!(message.max_forwards(), Ok(Some(68)));
    let cseq = message.cseq().unwrap();
    assert_eq!((cseq.number, cseq.method), (9, Method::Invite));
    assert_eq!(message.call_id(), Some(&b"wsinv.ndaksdj@192.0.2.1"[..]));
    assert_eq!(message.header(Name::Subject), Some(&b""[..]));

    let to = message.to().unwrap();
    assert_eq!(to.uri(), b"sip:vivekg@chair-dnrc.example.com");
    assert_eq!(to.tag(), Some(&b"1918181833n"[..]));
    let from = message.from().unwrap();
    assert_eq!(&*from.display(), b"J Rosenberg \\\"");
    assert_eq!(from.tag(), Some(&b"98asjd8"[..]));

    let vias: Vec<_> = message.vias().map(Result::unwrap).collect();
    let shown: Vec<_> = vias.iter().map(|via| (via.transport(), via.host(), via.branch().unwrap())).collect();
    assert_eq!(
        shown,
        [
            (&b"UDP"[..], &b"192.0.2.2"[..], &b"390skdjuw"[..]),
            (b"TCP", b"spindle.example.com", b"z9hG4bK9ikj8"),
            (b"UDP", b"192.168.255.111", b"z9hG4bK30239"),
        ]
    );
    let contact = message.contact().unwrap().unwrap();
    assert_eq!(&*contact.display(), b"Quoted string \"\"");
    assert_eq!(contact.param("newparam"), Some(Some(&b"newvalue"[..])));
    assert_eq!(contact.param("secondparam"), Some(None));
    assert_eq!(contact.q(), Some(330));
    let route = &message.addresses(Name::Route).unwrap()[0];
    let route = route.parse_uri().unwrap();
    assert_eq!(route.param("lr"), Some(None));
    assert_eq!(route.param("unknownwith"), Some(Some(&b"value"[..])));
    assert_eq!(
        message.header_named("newfangledheader"),
        Some(&b"newfangled value   continued newfangled value"[..])
    );
    assert_eq!(message.body().len(), 150);
    // What came in goes out: the index works on a copy where it has to unfold.
    assert_eq!(message.raw(), &load("wsinv").slice(..message.raw().len()));
}

#[test]
fn intmeth_keeps_its_strange_bytes() {
    let message = read("intmeth");
    let method = message.method().unwrap();
    assert_eq!(method.as_bytes(), b"!interesting-Method0123456789_*+`.%indeed'~");
    assert_eq!(message.cseq().unwrap().method, *method);
    let uri = Uri::parse(message.request_uri().unwrap()).unwrap();
    assert_eq!(uri.user, Some(&b"1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"[..]));
    assert_eq!(uri.password, Some(&b"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"[..]));
    assert_eq!(uri.host, b"example.com");
    assert_eq!(&*message.to().unwrap().display(), b"BEL:\x07 NUL:\x00 DEL:\x7f");
    let from = message.from().unwrap();
    assert_eq!(&*from.display(), b"token1~` token2'+_ token3*%!.-");
    assert_eq!(from.tag(), Some(&b"_token~1'+`*%!-."[..]));
    assert_eq!(message.via().unwrap().cookie_branch(), Some(&b"z9hG4bK-.!%66*_+`'~"[..]));
    assert_eq!(message.header_named("extensionHeader-!.%*+_`'~"), Some("\u{feff}大停電".as_bytes()));
}

#[test]
fn escapes_stay_as_they_came_and_are_taken_off_for_comparing_only() {
    let message = read("esc01");
    let uri = Uri::parse(message.request_uri().unwrap()).unwrap();
    assert_eq!(uri.user, Some(&b"sips%3Auser%40example.com"[..]));
    assert_eq!(&*uri.user_decoded(), b"sips:user@example.com");
    assert_eq!(uri.host, b"example.net");
    let to = message.to().unwrap();
    assert!(to.parse_uri().unwrap().same_user(&Uri::parse(b"sip:user@x").unwrap()));
    let contact = message.contact().unwrap().unwrap();
    let contact = contact.parse_uri().unwrap();
    assert_eq!(contact.user, Some(&b"cal%6Cer"[..]));
    assert_eq!(contact.param("%6C%72"), Some(None));
    assert_eq!(contact.param("lr"), None);
    assert_eq!(contact.param("n%61me"), Some(Some(&b"v%61lue%25%34%31"[..])));

    let message = read("escnull");
    assert_eq!(&*message.to().unwrap().parse_uri().unwrap().user_decoded(), b"null-\0-null");
    let Contacts::List(contacts) = message.contacts().unwrap() else {
        panic!("escnull has no star");
    };
    let users: Vec<_> =
        contacts.iter().map(|contact| contact.parse_uri().unwrap().user_decoded().into_owned()).collect();
    assert_eq!(users, [&b"\0"[..], b"\0\0"]);
}

#[test]
fn esc02_escapes_name_neither_a_method_nor_a_header() {
    let message = read("esc02");
    assert_eq!(message.method().unwrap().as_bytes(), b"RE%47IST%45R");
    assert_eq!(&*message.to().unwrap().display(), b"%Z%45");
    assert_eq!(message.via().unwrap().branch(), Some(&b"z9hG4bK209%fzsnel234"[..]));
    assert_eq!(message.values(Name::Contact).count(), 2);
    assert!(message.header_named("C%6Fntact").is_some());
}

#[test]
fn dblreq_is_its_first_message_only() {
    let message = read("dblreq");
    assert_eq!(message.method(), Some(&Method::Register));
    assert_eq!(message.call_id(), Some(&b"dblreq.0ha0isndaksdj99sdfafnl3lk233412"[..]));
    assert_eq!(message.body(), b"");
    assert!(message.raw().ends_with(b"Content-Length: 0\r\n\r\n"));
}

#[test]
fn odd_addresses_are_read_for_what_they_mean() {
    let uri = read("semiuri");
    assert_eq!(uri.values(Name::Accept).count(), 6);
    let uri = Uri::parse(uri.request_uri().unwrap()).unwrap();
    assert_eq!(&*uri.user_decoded(), b"user;par=u@example.net");
    assert_eq!(uri.host, b"example.com");

    let from = read("lwsdisp").from().unwrap();
    assert_eq!((&*from.display(), from.uri()), (&b"caller"[..], &b"sip:caller@example.com"[..]));
    let from = read("baddn").from().unwrap();
    assert_eq!(&*from.display(), b"Bell, Alexander");
    assert_eq!(from.tag(), Some(&b"43"[..]));

    // The same parameter: of the header, then of the URI (RFC 4475 §3.3.10, §3.3.11).
    let outside = read("cparam01").contact().unwrap().unwrap();
    assert_eq!(outside.param("unknownparam"), Some(None));
    assert_eq!(outside.uri(), b"sip:+19725552222@gw1.example.net");
    let inside = read("cparam02").contact().unwrap().unwrap();
    assert_eq!(inside.param("unknownparam"), None);
    assert_eq!(inside.parse_uri().unwrap().param("unknownparam"), Some(None));
    let contact = read("regescrt").contact().unwrap().unwrap();
    assert_eq!(contact.parse_uri().unwrap().headers, Some(&b"Route=%3Csip:sip.example.com%3E"[..]));
    assert_eq!(read("unksm2").to().unwrap().uri(), b"isbn:2983792873");
}

#[test]
fn every_transport_in_a_via_is_kept() {
    let message = read("transports");
    let transports: Vec<_> = message.vias().map(|via| via.unwrap().transport().to_vec()).collect();
    assert_eq!(transports, [&b"UDP"[..], b"SCTP", b"TLS", b"UNKNOWN", b"TCP"]);
}

#[test]
fn mpart01_has_its_binary_body_to_the_byte() {
    let message = read("mpart01");
    assert_eq!(message.content_length(), Ok(Some(553)));
    assert_eq!(message.body().len(), 553);
    assert_eq!(message.content_type(), Some(&b"multipart/mixed"[..]));
    assert!(message.body().starts_with(b"--7a9cbec02ceef655\r\n"));
    assert!(message.body().ends_with(b"--7a9cbec02ceef655--\r\n"));
    assert_eq!(message.via().unwrap().rport(), Some(None));
}

#[test]
fn long_and_strange_start_lines_are_kept() {
    let message = read("longreq");
    assert_eq!(message.values(Name::Via).count(), 34);
    assert_eq!(message.from().unwrap().tag().unwrap().len(), 155);
    let message = read("unreason");
    assert_eq!(message.status(), Some(200));
    let reason = std::str::from_utf8(message.reason()).unwrap();
    assert!(reason.starts_with("= 2**3 * 5**2 но сто девяносто девять"), "{reason}");
    let message = read("noreason");
    assert_eq!((message.status(), message.reason()), (Some(100), &b""[..]));
}

#[test]
fn an_rfc_2543_request_needs_no_branch_and_no_length() {
    let message = read("inv2543");
    assert_eq!(message.via().unwrap().branch(), None);
    assert_eq!(message.content_length(), Ok(None));
    let sdp = Sdp::parse(message.body()).unwrap();
    assert_eq!(sdp.media[0].port, 49217);
}

#[test]
fn numbers_out_of_range_do_no_harm() {
    let message = read("scalar02");
    assert!(message.cseq().is_err());
    assert!(message.max_forwards().is_err());
    assert_eq!(message.expires(), Ok(Some(u32::MAX)));
    assert_eq!(message.contact().unwrap().unwrap().expires(), Some(u32::MAX));
    assert_eq!(read("zeromf").max_forwards(), Ok(Some(0)));
}

#[test]
fn bodies_of_the_calls_are_readable_descriptions() {
    for name in ["wsinv", "esc01", "baddate", "sdp01", "unreason"] {
        let sdp = Sdp::parse(read(name).body()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(sdp.media[0].formats, ["0", "12"], "{name}");
        assert_eq!(sdp.media[1].kind, "video", "{name}");
    }
}
