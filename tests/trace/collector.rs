//! A collector of the test's own, which takes HEP3 apart by its numbers.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;

use crate::engine::Engine;
use crate::talk::{CALLER, engine, talk};

/// Chunks of vendor 0 by type.
type Chunks = BTreeMap<u16, Vec<u8>>;

fn decode(datagram: &[u8]) -> Chunks {
    assert_eq!(&datagram[..4], b"HEP3");
    let number = |at: usize| u16::from_be_bytes([datagram[at], datagram[at + 1]]);
    assert_eq!(usize::from(number(4)), datagram.len());
    let (mut chunks, mut at) = (Chunks::new(), 6);
    while at < datagram.len() {
        let (vendor, kind, length) = (number(at), number(at + 2), usize::from(number(at + 4)));
        assert_eq!(vendor, 0);
        assert!(length >= 6 && at + length <= datagram.len(), "chunk {kind} of {length}");
        let twice = chunks.insert(kind, datagram[at + 6..at + length].to_vec());
        assert!(twice.is_none(), "chunk {kind} came twice");
        at += length;
    }
    chunks
}

fn copies(socket: &UdpSocket, enough: impl Fn(&[Chunks]) -> bool) -> Vec<Chunks> {
    let mut room = vec![0; 65_536];
    let mut copies = Vec::new();
    while !enough(&copies) {
        let length = socket.recv(&mut room).unwrap_or_else(|error| panic!("{error}: {copies:?}"));
        copies.push(decode(&room[..length]));
    }
    copies
}

fn text(chunks: &Chunks) -> &str {
    std::str::from_utf8(&chunks[&15]).unwrap()
}

#[test]
fn each_message_is_copied_to_the_collector_with_every_chunk_that_says_what_it_was() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let trace = format!("hep = \"{}\"\ncapture_id = 2021", socket.local_addr().unwrap());
    let engine: Engine = engine("trace-hep", &trace, &[]);
    let record = talk(&engine);
    let of_call =
        |chunks: &&Chunks| chunks.get(&17).is_some_and(|id| *id == record.call.to_string().as_bytes());
    let ends = |copies: &[Chunks]| {
        let byes = copies.iter().filter(of_call).filter(|chunks| text(chunks).contains(" BYE\r\n"));
        byes.count() == 4
    };
    let copies = copies(&socket, ends);
    let numbers: Vec<u16> = vec![1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 15];
    let local: IpAddr = Ipv4Addr::LOCALHOST.into();
    let mut both = [0, 0];
    for chunks in &copies {
        let known: Vec<u16> = chunks.keys().copied().filter(|kind| *kind != 17).collect();
        assert_eq!(known, numbers);
        assert_eq!((&*chunks[&1], &*chunks[&2], &*chunks[&11]), (&[2][..], &[17][..], &[1][..]));
        for kind in [3, 4] {
            assert_eq!(IpAddr::from(<[u8; 4]>::try_from(&*chunks[&kind]).unwrap()), local);
        }
        let port = |kind: u16| u16::from_be_bytes(chunks[&kind][..].try_into().unwrap());
        let whole = |kind: u16| u32::from_be_bytes(chunks[&kind][..].try_into().unwrap());
        assert!((port(7) == engine.sip.port()) != (port(8) == engine.sip.port()));
        both[usize::from(port(7) == engine.sip.port())] += 1;
        // The engine's own clock, which stands at 2021-12-01 09:00 in Puyang at its start.
        assert!((1_638_320_400..1_638_320_520).contains(&whole(9)), "{}", whole(9));
        assert!(whole(10) < 1_000_000);
        assert_eq!(whole(12), 2021);
        assert!(!text(chunks).contains("response=\""), "{}", text(chunks));
    }
    assert!(both[0] >= 7 && both[1] >= 7, "both ways: {both:?}");
    let of_call: Vec<&Chunks> = copies.iter().filter(of_call).collect();
    assert!(text(of_call[0]).starts_with("INVITE sip:12345@"), "{}", text(of_call[0]));
    assert!(text(of_call[0]).contains(CALLER), "a collector inside the house gets what it needs");
    assert!(of_call.iter().any(|chunks| text(chunks).starts_with("INVITE sip:1001@")), "the seat's leg too");
    let others: Vec<&Chunks> = copies.iter().filter(|chunks| !chunks.contains_key(&17)).collect();
    assert!(others.iter().all(|chunks| text(chunks).contains(" REGISTER\r\n")), "{others:?}");
    assert!(others.iter().any(|chunks| text(chunks).contains("Authorization: Digest ****")));
}

#[test]
fn what_is_switched_off_is_neither_kept_nor_copied() {
    let engine = engine("trace-off", "enabled = false", &[]);
    let folder = engine.data.join("trace");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let request = format!(
        "OPTIONS sip:{0} SIP/2.0\r\nVia: SIP/2.0/UDP {1};branch=z9hG4bKoff;rport\r\nFrom: <sip:x@{1}>;tag=1\r\n\
         To: <sip:{0}>\r\nCall-ID: off\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        engine.sip,
        socket.local_addr().unwrap()
    );
    let mut room = [0; 2_000];
    for _ in 0..2 {
        socket.send_to(request.as_bytes(), engine.sip).unwrap();
        let length = socket.recv(&mut room).unwrap();
        assert!(room[..length].starts_with(b"SIP/2.0 200"));
    }
    let json = crate::talk::stdout(&crate::talk::hotline(&engine.data, &["records"]));
    assert_eq!(json, "", "there was no call");
    assert!(!folder.exists(), "nothing was written");
}
