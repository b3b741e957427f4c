//! Whole calls over connections, through the engine's own binary.

use std::net::{TcpListener, UdpSocket};

use hotline::sip::Method;
use hotline::sip::digest::{self, Algorithm, Challenge, Credentials, Qop};

use crate::authority::{Authority, dir};
use crate::client::{Client, PATIENCE, SDP, field, reply};
use crate::engine::Engine;

/// Calls that end before anybody answers are for load tools only.
const FOR_TOOLS: (&str, &str) = ("purpose = \"live\"", "purpose = \"bench\"");
const CALL_MAX: (&str, &str) = ("call_max = \"4h\"", "call_max = \"2s\"");

#[test]
fn a_call_over_tcp_is_answered_and_our_bye_comes_by_the_callers_connection() {
    let listen = "\"127.0.0.1:0\", \"tcp:127.0.0.1:0\", \"tcp:[::1]:0\"";
    let engine = Engine::start(dir("tcp"), listen, &[FOR_TOOLS, CALL_MAX], &[]);
    let listens = engine.process.listens("tcp");
    assert_eq!(listens.iter().map(|at| at.is_ipv6()).collect::<Vec<_>>(), [false, true]);
    for at in listens {
        let mut caller = Client::tcp(at);
        let to = caller.call("12345");
        let bye = caller.until("BYE ");
        assert!(field(&bye, "Via").unwrap().starts_with(&format!("SIP/2.0/TCP {at}")), "{bye}");
        assert_eq!(field(&bye, "From").unwrap(), to, "in the dialog");
        caller.accept(&bye, "");
        // And one that the caller ends.
        let to = caller.call("12345");
        let bye = caller.request("BYE", &to, 2, "", "");
        caller.send(bye);
        caller.until("200 OK");
    }
}

/// The plan's `[tls]` over `dir`.
fn tls(more: &str) -> String {
    format!("[tls]\ncertificate = \"own.pem\"\nkey = \"own.key\"\n{more}\n[limits]\n")
}

#[test]
fn a_call_over_tls_is_answered_and_new_certificates_are_shown_after_a_signal() {
    let dir = dir("tls");
    let ours = Authority::new("ours");
    ours.sign(&dir, "own", &["hotline.example"]);
    let authority = ours.write(&dir, "ca.pem");
    let next = Authority::new("next");
    let next_authority = next.write(&dir, "next.pem");
    let plan = tls("");
    let engine = Engine::start(
        dir.clone(),
        "\"127.0.0.1:0\", \"tls:127.0.0.1:0\"",
        &[FOR_TOOLS, CALL_MAX, ("[limits]\n", &plan)],
        &[],
    );
    let at = engine.at("tls");
    let mut caller = Client::tls(at, "hotline.example", &authority, None).unwrap();
    caller.call("12345");
    let bye = caller.until("BYE ");
    assert!(field(&bye, "Via").unwrap().starts_with(&format!("SIP/2.0/TLS {at}")), "{bye}");
    caller.accept(&bye, "");
    assert!(Client::tls(at, "hotline.example", &next_authority, None).is_err(), "another's authority");

    // A faulty file changes nothing.
    let key = std::fs::read(dir.join("own.key")).unwrap();
    std::fs::write(dir.join("own.key"), "no key").unwrap();
    engine.process.reload().unwrap();
    let ends = std::time::Instant::now() + PATIENCE;
    while !engine.log().contains("certificates stay as they are") {
        assert!(std::time::Instant::now() < ends, "{}", engine.log());
    }
    assert!(Client::tls(at, "hotline.example", &authority, None).is_ok());
    std::fs::write(dir.join("own.key"), key).unwrap();

    next.sign(&dir, "own", &["hotline.example"]);
    engine.process.reload().unwrap();
    let ends = std::time::Instant::now() + PATIENCE;
    while Client::tls(at, "hotline.example", &next_authority, None).is_err() {
        assert!(std::time::Instant::now() < ends, "the new certificate is shown: {}", engine.log());
    }
    assert!(Client::tls(at, "hotline.example", &authority, None).is_err(), "and the old one is not");
    // Connections that stand go on.
    let to = caller.call("12345");
    let bye = caller.request("BYE", &to, 2, "", "");
    caller.send(bye);
    caller.until("200 OK");
}

#[test]
fn with_mutual_tls_a_carrier_is_known_by_its_certificate_and_others_are_shut_out() {
    let dir = dir("mutual");
    let (ours, carriers, strangers) =
        (Authority::new("ours"), Authority::new("carriers"), Authority::new("strangers"));
    ours.sign(&dir, "own", &["hotline.example"]);
    let authority = ours.write(&dir, "ca.pem");
    carriers.write(&dir, "carriers.pem");
    let carrier = carriers.sign(&dir, "carrier", &["sbc.carrier.example"]);
    let other = carriers.sign(&dir, "other", &["other.example"]);
    let forged = strangers.sign(&dir, "forged", &["sbc.carrier.example"]);
    let plan = tls("client_ca = \"carriers.pem\"\n");
    // Known by its certificate alone: its address would say nothing.
    let sources = ("sources = [\"127.0.0.0/8\", \"::1/128\"]", "certificate = \"sbc.carrier.example\"");
    let listen = "\"127.0.0.1:0\", \"tls:127.0.0.1:0\"";
    let engine =
        Engine::start(dir.clone(), listen, &[FOR_TOOLS, CALL_MAX, ("[limits]\n", &plan), sources], &[]);
    let at = engine.at("tls");
    let go = |own| Client::tls(at, "hotline.example", &authority, own);
    assert!(go(None).is_err(), "no certificate");
    assert!(go(Some(&forged)).is_err(), "signed by a stranger");
    let mut known = go(Some(&carrier)).unwrap();
    let to = known.call("12345");
    let bye = known.request("BYE", &to, 2, "", "");
    known.send(bye);
    known.until("200 OK");
    let mut unknown = go(Some(&other)).unwrap();
    let invite = unknown.request("INVITE", "<sip:12345@h>", 1, "", SDP);
    unknown.send(invite);
    unknown.until("403 ");
}

fn register(desk: &mut Client, password: &str) {
    let register = |desk: &Client, seq: u32, proof: &str| {
        desk.request("REGISTER", "<sip:1001@hotline.puyang>", seq, &format!("Expires: 600\r\n{proof}"), "")
            .replace("sip:13800000042@", "sip:1001@")
            .replace(&format!("REGISTER sip:12345@{}", desk.there), "REGISTER sip:hotline.puyang")
    };
    let first = register(desk, 1, "");
    desk.send(first);
    let refused = desk.until("401 ");
    let values = refused.lines().filter_map(|line| line.strip_prefix("WWW-Authenticate: "));
    let challenge = values
        .map(|value| Challenge::parse(value.as_bytes()).unwrap())
        .find(|challenge| challenge.algorithm == Algorithm::Sha256)
        .unwrap();
    let uri = b"sip:hotline.puyang";
    let ha1 = digest::ha1(Algorithm::Sha256, b"1001", b"hotline.puyang", password.as_bytes());
    let qop = Qop { nc: 1, cnonce: b"c0ffee"[..].into() };
    let proof =
        digest::response(Algorithm::Sha256, &ha1, &Method::Register, uri, &challenge.nonce, Some(&qop));
    let credentials = Credentials {
        username: b"1001"[..].into(),
        realm: challenge.realm.clone(),
        nonce: challenge.nonce.clone(),
        uri: uri[..].into(),
        response: proof.as_bytes().into(),
        algorithm: Algorithm::Sha256,
        qop: Some(qop),
        opaque: None,
    };
    let line = format!("Authorization: {}\r\n", String::from_utf8(credentials.to_value()).unwrap());
    let second = register(desk, 2, &line);
    desk.send(second);
    desk.until("200 ");
}

#[test]
fn a_seat_over_tcp_is_rung_on_its_connection_and_signed_out_with_it() {
    let engine = Engine::start(dir("seat"), "\"127.0.0.1:0\", \"tcp:127.0.0.1:0\"", &[], &[]);
    let password = std::fs::read_to_string(engine.dir.join("secrets/seat-1001")).unwrap();
    let bindings = "hotline_sip_table_rows{table=\"bindings\"}";
    let mut desk = Client::tcp(engine.at("tcp"));
    register(&mut desk, password.trim());
    engine.until(bindings, "1");
    let mut caller = Client::tcp(engine.at("tcp"));
    let to = caller.call("12345");
    let invite = desk.until("INVITE ");
    assert!(field(&invite, "Via").unwrap().starts_with("SIP/2.0/TCP "), "{invite}");
    desk.accept(&invite, SDP);
    desk.until("ACK ");
    // The caller leaves: the clerk's BYE comes by the desk's own connection.
    let bye = caller.request("BYE", &to, 2, "", "");
    caller.send(bye);
    let bye = desk.until("BYE ");
    desk.accept(&bye, "");
    drop(desk);
    engine.until(bindings, "0");
    engine.until("hotline_seats{state=\"signed_out\"}", "12"); // All that the shipped plan has.
}

/// A port of both kinds that nobody has.
fn both() -> (UdpSocket, TcpListener) {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
            udp.set_read_timeout(Some(PATIENCE)).unwrap();
            return (udp, tcp);
        }
    }
}

#[test]
fn an_invite_over_1300_bytes_goes_by_tcp_and_by_udp_after_all_where_that_is_refused() {
    let (udp, tcp) = both();
    let trunk = format!("sub-12366={}", udp.local_addr().unwrap());
    let long = format!("name = \"{}\"", "全国税务系统统一电话".repeat(50));
    let edits = [("name = \"全国税务系统统一电话\"", &*long)];
    let listen = "\"127.0.0.1:0\", \"tcp:127.0.0.1:0\"";
    let engine = Engine::start(dir("long"), listen, &edits, &["--trunk", &trunk]);
    let mut caller = Client::tcp(engine.at("tcp"));
    let dial = |caller: &mut Client, from: &str| {
        let invite = caller.request("INVITE", "<sip:12366@h>", 1, "", SDP);
        caller.send(
            invite
                .replace("sip:12345@", "sip:12366@")
                .replace("Call-ID: ", &format!("Call-ID: {from}"))
                .replace("z9hG4bK", &format!("z9hG4bK{from}")),
        );
    };
    dial(&mut caller, "a");
    let mut center = Client::over(tcp.accept().unwrap().0);
    let invite = center.until("INVITE ");
    assert!(invite.len() > 1_300 && field(&invite, "Via").unwrap().starts_with("SIP/2.0/TCP "), "{invite}");
    let busy = reply(&invite, "486 Busy Here", "sip:h", "");
    center.send(busy);
    center.until("ACK ");
    drop((center, tcp));

    dial(&mut caller, "b");
    let mut room = [0; 65_536];
    let (count, from) = udp.recv_from(&mut room).unwrap();
    let invite = String::from_utf8_lossy(&room[..count]).into_owned();
    assert!(invite.starts_with("INVITE ") && count > 1_300, "{invite}");
    assert!(field(&invite, "Via").unwrap().starts_with("SIP/2.0/UDP "), "{invite}");
    udp.send_to(reply(&invite, "486 Busy Here", "sip:h", "").as_bytes(), from).unwrap();
    let (count, _) = udp.recv_from(&mut room).unwrap();
    assert!(room[..count].starts_with(b"ACK "));
}
