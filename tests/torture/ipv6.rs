//! The IPv6 torture messages of RFC 5118: how each is read, and what the endpoint answers.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use hotline::sip::event::Event;
use hotline::sip::sdp::Sdp;
use hotline::sip::{Message, ParseError, Uri};

use crate::load;
use crate::table::Table;

const PEER: &str = "[2001:db8::99]:5999";

/// Section, message, statuses sent.
const ANSWERS: [(&str, &str, &[u16]); 12] = [
    ("4.1", "ipv6-good", &[401]),
    ("4.2", "ipv6-bad", &[400]),
    ("4.3", "port-ambiguous", &[401]),
    ("4.4", "port-unambiguous", &[401]),
    ("4.5", "via-received-param-with-delim", &[481]),
    ("4.5", "via-received-param-no-delim", &[200]),
    // As printed it promises 268 bytes and has 251: RFC 3261 §18.3. `sound` mends it.
    ("4.6", "ipv6-in-sdp", &[400]),
    ("4.7", "mult-ip-in-header", &[481]),
    ("4.8", "mult-ip-in-sdp", &[100]),
    ("4.9", "ipv4-mapped-ipv6", &[100]),
    ("4.10", "ipv6-bug-abnf-3-colons", &[200]),
    ("4.10", "ipv6-correct-abnf-2-colons", &[200]),
];

fn raw(name: &str) -> Bytes {
    load(&format!("ipv6/{name}"))
}

fn read(name: &str) -> Message {
    Message::parse(raw(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// With the Content-Length that its body has.
fn sound(name: &str) -> Message {
    let text = String::from_utf8(raw(name).to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let lines = head.split("\r\n").filter(|line| !line.starts_with("Content-Length"));
    let head = lines.collect::<Vec<_>>().join("\r\n");
    let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    Message::parse(Bytes::from(text)).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn every_message_gets_the_answer_that_its_section_asks_for() {
    for (section, name, statuses) in ANSWERS {
        let mut table = Table::new(&[]);
        table.hear(PEER, raw(name));
        assert_eq!(table.statuses(), statuses, "{section} {name}");
        for (to, answer) in &table.sent {
            // RFC 5118 §4.5: we write no brackets in `received`, whatever stood there.
            let via = answer.via().unwrap();
            assert_eq!(via.param("received"), Some(Some(&b"2001:db8::99"[..])), "{name}");
            assert_eq!(to.ip(), ip("2001:db8::99"), "{name}");
        }
        let invited = table.events.iter().any(|event| matches!(event, Event::Invited(_)));
        assert_eq!(invited, *statuses == [100], "{section} {name}");
    }
}

#[test]
fn the_table_names_every_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/torture/ipv6");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut files: Vec<_> =
        files.filter_map(|name| Some(name.to_str()?.strip_suffix(".dat")?.to_owned())).collect();
    files.sort();
    let mut rows: Vec<_> = ANSWERS.iter().map(|(_, name, _)| name.to_string()).collect();
    rows.sort();
    assert_eq!(files, rows);
}

#[test]
fn a_port_stands_behind_the_brackets_and_what_is_inside_is_the_address() {
    for (section, name, host, port) in [
        ("4.1", "ipv6-good", "2001:db8::10", None),
        ("4.3", "port-ambiguous", "2001:db8::10:5070", None),
        ("4.4", "port-unambiguous", "2001:db8::10", Some(5070)),
        ("4.6", "mult-ip-in-sdp", "2001:db8::10", None),
        ("4.10", "ipv6-correct-abnf-2-colons", "2001:db8::192.0.2.1", None),
        // One colon too many, as the grammar of RFC 3261 had it: the same address.
        ("4.10", "ipv6-bug-abnf-3-colons", "2001:db8::192.0.2.1", None),
    ] {
        let message = read(name);
        let uri = Uri::parse(message.request_uri().unwrap()).unwrap();
        assert_eq!((uri.host_ip(), uri.port), (Some(ip(host)), port), "{section} {name}");
    }
    // RFC 5118 §4.2: without brackets it is no URI.
    assert!(Uri::parse(read("ipv6-bad").request_uri().unwrap()).is_err());
    let contact = read("ipv6-good").contact().unwrap().unwrap();
    assert_eq!(contact.parse_uri().unwrap().host_ip(), Some(ip("2001:db8::1")));
}

#[test]
fn received_is_read_with_brackets_and_without() {
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        let via = read(name).via().unwrap();
        assert_eq!(via.host_ip(), Some(ip("2001:db8::9:1")), "{name}");
        assert_eq!(via.received(), Some(ip("2001:db8::9:255")), "{name}");
    }
}

#[test]
fn every_hop_keeps_the_family_that_it_speaks() {
    let vias: Vec<_> = read("mult-ip-in-header").vias().map(Result::unwrap).collect();
    let shown: Vec<_> = vias.iter().map(|via| (via.host_ip(), via.port(), via.received())).collect();
    assert_eq!(
        shown,
        [
            (Some(ip("2001:db8::9:1")), Some(6050), None),
            (Some(ip("192.0.2.1")), None, None),
            (Some(ip("2001:db8::9:255")), None, Some(ip("192.0.2.200"))),
        ]
    );
    // The answer carries all of them back, those below the first to the byte.
    let mut table = Table::new(&[]);
    table.hear(PEER, raw("mult-ip-in-header"));
    let (to, answer) = table.sent.pop().unwrap();
    let theirs: Vec<_> = vias.iter().skip(1).map(|via| via.as_bytes().to_vec()).collect();
    let ours: Vec<_> = answer.vias().skip(1).map(|via| via.unwrap().as_bytes().to_vec()).collect();
    assert_eq!(ours, theirs);
    // No rport: to the source's address, at the port of sent-by (RFC 3261 §18.2.2).
    assert_eq!(to, "[2001:db8::99]:6050".parse::<SocketAddr>().unwrap());
}

#[test]
fn a_body_shorter_than_promised_is_refused_and_the_mended_one_is_read() {
    let Err(ParseError::Refused { fault, .. }) = Message::parse(raw("ipv6-in-sdp")) else {
        panic!("the printed message promises more than it has");
    };
    assert_eq!(fault.status, 400);
    let message = sound("ipv6-in-sdp");
    let sdp = Sdp::parse(message.body()).unwrap();
    assert_eq!(sdp.media.len(), 2);
    let mut table = Table::new(&[]);
    table.hear(PEER, message.raw().clone());
    let Some(Event::Invited(invited)) = table.events.pop() else { panic!("{:?}", table.events) };
    assert_eq!(*invited.offer.unwrap(), sdp);
    assert_eq!(invited.peer, PEER.parse().unwrap());
}

#[test]
fn addresses_of_both_families_stand_in_one_description() {
    let sdp = Sdp::parse(sound("mult-ip-in-sdp").body()).unwrap();
    let addresses: Vec<_> = sdp.media.iter().map(|media| sdp.address_of(media)).collect();
    assert_eq!(addresses, [Some(ip("192.0.2.1")), Some(ip("2001:db8::1"))]);
    // As printed it is cut short by its Content-Length, within the line that gives video its name.
    let cut = Sdp::parse(read("mult-ip-in-sdp").body()).unwrap();
    assert_eq!((cut.media.len(), cut.media[0].clone()), (2, sdp.media[0].clone()));
}

#[test]
fn an_ipv4_address_in_ipv6_clothes_is_an_ipv4_address() {
    let message = sound("ipv4-mapped-ipv6");
    let vias: Vec<_> = message.vias().map(|via| via.unwrap().host_ip()).collect();
    assert_eq!(vias, [Some(ip("::ffff:192.0.2.10")), Some(ip("::ffff:192.0.2.2"))]);
    // Sound is sent by IPv4: no router passes on a mapped address (RFC 5118 §4.9).
    let sdp = Sdp::parse(message.body()).unwrap();
    assert_eq!(sdp.connection, Some(ip("192.0.2.2")));
    // A peer heard through a socket for both families is the same as through one for IPv4.
    let mut table = Table::new(&[]);
    table.hear("[::ffff:192.0.2.10]:19823", message.raw().clone());
    assert_eq!(table.statuses(), [100]);
    let via = table.sent[0].1.via().unwrap();
    assert_eq!((via.received(), via.port()), (None, Some(19823)), "{via:?}");
}
