//! What no peer should send, over real UDP: garbage, RFC 4475's torture messages, races of two
//! datagrams. The engine answers what can be answered, and serves the next caller as before.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use hotline::switchboard::fact::Cause;

use crate::engine::Engine;
use crate::records::{calls, closed_calls};
use crate::sipp::{OFFER, Scenario};

const WHEN: &str = "2021-12-01T09:00:00+08:00";

/// A socket that says so when nothing comes.
fn socket(at: impl std::net::ToSocketAddrs) -> UdpSocket {
    let socket = UdpSocket::bind(at).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

fn request(method: &str, engine: &Engine, from: SocketAddr, number: &str, id: &str) -> String {
    format!(
        "{method} sip:{number}@{0} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{id};rport\r\n\
         From: <sip:13800000049@{from}>;tag=1\r\nTo: <sip:{number}@{0}>\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:13800000049@{from}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        engine.sip
    )
}

/// Asks with OPTIONS; whatever came before it has been dealt with when its 200 is here.
fn still_serves(engine: &Engine, after: &str) {
    let socket = socket("127.0.0.1:0");
    let id = format!("after-{after}");
    let options = request("OPTIONS", engine, socket.local_addr().unwrap(), "12345", &id);
    socket.send_to(options.as_bytes(), engine.sip).unwrap();
    let mut room = [0; 4_096];
    let (length, _) = socket.recv_from(&mut room).unwrap_or_else(|error| panic!("after {after}: {error}"));
    let answer = String::from_utf8_lossy(&room[..length]);
    assert!(answer.starts_with("SIP/2.0 200 ") && answer.contains(&id), "after {after}: {answer}");
}

#[test]
fn noise_gets_silence_and_the_engine_goes_on() {
    let engine = Engine::start("noise", WHEN);
    let noisy = socket("127.0.0.1:0");
    noisy.set_nonblocking(true).unwrap();
    let long = [b'a'; 65_000];
    let rows: [&[u8]; 12] = [
        b"\0\0\0\0",
        b"\r\n\r\n",
        b"INVITE",
        b"GET / HTTP/1.1\r\n\r\n",
        &[0xff; 1_400],
        &long,
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n",
        b"INVITE sip:12345@h SIP/2.0\r\n\r\n",
        b"ACK sip:12345@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: x\r\nCSeq: 1 ACK\r\n\r\n",
        b"\x80\x08\x00\x01\x00\x00\x00\xa0\x12\x34\x56\x78RTP on the wrong port",
        b"",
    ];
    for (index, noise) in rows.iter().enumerate() {
        noisy.send_to(noise, engine.sip).unwrap();
        still_serves(&engine, &format!("noise-{index}"));
        let mut room = [0; 2_048];
        let answer = noisy
            .recv_from(&mut room)
            .map(|(length, _)| String::from_utf8_lossy(&room[..length]).into_owned());
        assert!(answer.is_err(), "noise {index} earns silence, not {answer:?}");
    }
}

#[test]
fn a_request_without_what_each_must_have_gets_400() {
    let engine = Engine::start("faulty", WHEN);
    let socket = socket("127.0.0.1:0");
    let good = request("INVITE", &engine, socket.local_addr().unwrap(), "12345", "faulty");
    let rows = [
        ("From: <", "X-From: <"),
        ("To: <", "X-To: <"),
        ("Call-ID: ", "X-Call: "),
        ("CSeq: ", "X-Seq: "),
        ("CSeq: 1 INVITE", "CSeq: 1 BYE"),
        ("CSeq: 1 ", "CSeq: 4294967296 "),
        ("CSeq: 1 ", "CSeq: -1 "),
        ("Max-Forwards: 70", "Max-Forwards: 300"),
        ("Content-Length: 0", "Content-Length: 9"),
        ("Content-Length: 0", "Content-Length: -1"),
        ("SIP/2.0\r\nVia", "SIP/2.0 \r\nVia"),
    ];
    for (from, to) in rows {
        assert!(good.contains(from), "{from}");
        socket.send_to(good.replacen(from, to, 1).as_bytes(), engine.sip).unwrap();
        let mut room = [0; 4_096];
        let (length, _) = socket.recv_from(&mut room).unwrap_or_else(|error| panic!("{to}: {error}"));
        let answer = String::from_utf8_lossy(&room[..length]);
        assert!(answer.starts_with("SIP/2.0 400 "), "{to}: {answer}");
    }
    socket.send_to(good.replacen("SIP/2.0\r\n", "SIP/7.0\r\n", 1).as_bytes(), engine.sip).unwrap();
    let mut room = [0; 4_096];
    let (length, _) = socket.recv_from(&mut room).unwrap();
    assert!(room[..length].starts_with(b"SIP/2.0 505 "), "{}", String::from_utf8_lossy(&room[..length]));
    assert_eq!(calls(&engine), []);
}

#[test]
fn a_cancel_on_the_heels_of_its_invite_is_heard() {
    let silent = socket("127.0.0.1:0");
    let trunk = format!("sub-12366={}", silent.local_addr().unwrap());
    let engine = Engine::start_with("heels", WHEN, &["--trunk", &trunk]);
    let socket = socket("127.0.0.1:0");
    let at = socket.local_addr().unwrap();
    for round in 0..5 {
        let id = format!("heels{round}");
        socket.send_to(request("INVITE", &engine, at, "12366", &id).as_bytes(), engine.sip).unwrap();
        socket.send_to(request("CANCEL", &engine, at, "12366", &id).as_bytes(), engine.sip).unwrap();
        let mut room = [0; 4_096];
        let mut heard = Vec::new();
        while !heard.contains(&"487 INVITE".to_owned()) {
            let (length, _) =
                socket.recv_from(&mut room).unwrap_or_else(|error| panic!("{error}: {heard:?}"));
            let answer = String::from_utf8_lossy(&room[..length]);
            let method = if answer.contains("CSeq: 1 CANCEL") { "CANCEL" } else { "INVITE" };
            heard.push(format!("{} {method}", &answer[8..11]));
        }
        assert!(heard.contains(&"200 CANCEL".to_owned()), "{heard:?}");
        assert!(!heard.contains(&"200 INVITE".to_owned()), "{heard:?}");
    }
    assert!(closed_calls(&engine, 5).iter().all(|record| record.cause == Some(Cause::CallerCancelled)));
}

/// What RFC 4475 wants of an element that is asked, by section 3 there; several statuses where it
/// leaves the choice, 0 for silence. Where a message is sound, it is about users, methods and
/// schemes of another house, and 404 or 481 is ours to say. Messages for other transports and
/// responses are only sent, to see what becomes of them.
const EARNS: [(&str, &[u16]); 29] = [
    ("intmeth", &[405, 501]),
    ("esc02", &[405, 501]),
    ("badinv01", &[400]),
    ("ncl", &[400]),
    ("scalar02", &[400]),
    ("clerr", &[400]),
    ("quotbal", &[400]),
    ("ltgtruri", &[400]),
    ("lwsruri", &[400]),
    ("lwsstart", &[400]),
    ("trws", &[400]),
    ("escruri", &[400]),
    ("regbadct", &[400]),
    ("badaspec", &[400]),
    ("badvers", &[505]),
    ("mismatch01", &[400]),
    ("mismatch02", &[400, 501]),
    ("badbranch", &[400]),
    ("insuf", &[400]),
    ("unkscm", &[416]),
    ("novelsc", &[416]),
    ("unksm2", &[401, 404, 416]),
    ("bext01", &[420]),
    ("invut", &[415]),
    ("regaut01", &[401]),
    ("multi01", &[400]),
    ("mcl01", &[400]),
    ("zeromf", &[200, 483]),
    ("scalarlg", &[0]),
];

#[test]
fn the_torture_messages_earn_what_the_rfc_says_and_callers_are_served_after_each() {
    let engine = Engine::start("torture", WHEN);
    // Answers go to the port that Via names, and most name none: 5060. Addresses of loopback that
    // are this process's own have it free, one for each message: an address used again may still
    // be held by a telephone that another test is starting, until its exec closes what it inherited.
    let [.., high, low] = std::process::id().to_be_bytes();
    let home = |message: u8| IpAddr::V4(Ipv4Addr::new(127, 200u8.wrapping_add(high & 31), low, message));
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let mut names: Vec<String> = std::fs::read_dir(&dir)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".dat").map(str::to_owned))
        .collect();
    names.sort();
    assert_eq!(names.len(), 49, "all of the RFC");
    let mut wrong = Vec::new();
    for (message, name) in (1..).zip(&names) {
        let mut bytes = std::fs::read(dir.join(format!("{name}.dat"))).unwrap();
        if name == "baddn" {
            bytes.extend_from_slice(b"\r\n"); // Archived without its closing line.
        }
        let ears = socket((home(message), port_of(&bytes)));
        ears.send_to(&bytes, engine.sip).unwrap();
        still_serves(&engine, name);
        let Some((_, wanted)) = EARNS.iter().find(|(row, _)| row == name) else { continue };
        // Its answer, if any, went out before the one to OPTIONS.
        ears.set_nonblocking(true).unwrap();
        let mut room = [0; 8_192];
        let status = match ears.recv_from(&mut room) {
            Ok((length, _)) => String::from_utf8_lossy(&room[..length])[8..11].parse().unwrap(),
            Err(_) => 0,
        };
        if !wanted.contains(&status) {
            wrong.push(format!("{name} earned {status}, not one of {wanted:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(EARNS.iter().filter(|(row, _)| names.iter().any(|name| name == row)).count(), EARNS.len());
    let began = Instant::now();
    Scenario::of("answered").sdp(OFFER).with("pause", "100").run(&engine, "12345");
    assert!(began.elapsed() < Duration::from_secs(20));
    let open = closed_calls(&engine, 1);
    assert!(open.iter().any(|record| record.cause == Some(Cause::CallerHungUp)), "{open:?}");
}

/// The port of the topmost Via, where answers are heard.
fn port_of(message: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(message).to_ascii_lowercase();
    let via = text.lines().find(|line| line.starts_with("via") || line.starts_with("v:")).unwrap_or_default();
    let host = via.split(';').next().unwrap_or_default();
    let port = host.rsplit(':').next().and_then(|port| port.trim().parse().ok());
    port.filter(|port| *port > 1_024).unwrap_or(5_060)
}
