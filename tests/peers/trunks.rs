//! SIPp as the far end of trunks: it asks for proof, sends our calls elsewhere, is out of order, or is
//! where we register.

use std::net::{SocketAddr, UdpSocket};

use hotline::phone::digest::{Algorithm, Challenge, response};
use hotline::switchboard::fact::Cause;

use crate::engine::{Engine, data_dir};
use crate::plan::engine_on_plan;
use crate::records::closed_calls;
use crate::sipp::{Log, Logged, OFFER, Scenario};
use crate::sub_center::{desk, falls_to_12345};

const WHEN: &str = "2021-12-01T09:00:00+08:00";
/// Long enough for a busy machine.
const PATIENT: (&str, &str) = ("connect_timeout = \"1s\"", "connect_timeout = \"10s\"");
/// Stands in the table of the trunk to 12366 and nowhere else.
const TAX: &str = "# 同时通话数。Calls at once.";
/// The trunk to 12366 leads to somebody: a drill would not be sent on by anybody. Whoever it leads to waits
/// for an INVITE and must not be asked by OPTIONS, of which the first comes at any moment.
const REAL: (&str, &str) = (
    "# 演练：不通向任何真实对端。A drill: leads to nobody real.\ndrill = true",
    "drill = false\nprobe = false",
);
const PASSWORD: &str = "correct horse battery staple";

/// An engine with an account at 12366.
fn with_account(name: &str, at: SocketAddr, more: &str) -> Engine {
    let secrets = data_dir(name).join("secrets");
    std::fs::create_dir_all(&secrets).unwrap();
    std::fs::write(secrets.join("tax"), PASSWORD).unwrap();
    let account =
        format!("account = {{ user = \"8639312345\", password = {{ file = \"secrets/tax\" }} }}{more}");
    let edits = [PATIENT, (TAX, &account)];
    engine_on_plan(name, WHEN, &edits, &["--trunk", &format!("sub-12366={at}")])
}

/// One parameter of a digest.
fn param<'a>(value: &'a str, name: &str) -> &'a str {
    let params = value.split_once(' ').expect("a scheme").1.split(',');
    let mut found = params.filter_map(|param| param.trim().split_once('='));
    let found = found.find(|(found, _)| *found == name).unwrap_or_else(|| panic!("no {name} in {value}"));
    found.1.trim_matches('"')
}

/// The request proves the account, by this use of this nonce.
fn proves(request: &Logged, header: &str, algorithm: Algorithm, nonce: &str, nc: u32) {
    let value = request.header(header).unwrap_or_else(|| panic!("no {header} in {}", request.text));
    assert_eq!((param(value, "username"), param(value, "realm")), ("8639312345", "tax"), "{value}");
    assert_eq!((param(value, "nonce"), param(value, "nc")), (nonce, &*format!("{nc:08x}")), "{value}");
    let mut line = request.text.split(' ');
    let (method, uri) = (line.next().unwrap(), line.next().unwrap());
    assert_eq!(param(value, "uri"), uri, "RFC 7616 §3.4: what the request says");
    let challenge = Challenge {
        realm: "tax".into(),
        nonce: nonce.into(),
        opaque: None,
        algorithm,
        qop_auth: true,
        stale: false,
    };
    let wanted =
        response(&challenge, "8639312345", PASSWORD, method, uri, Some((nc, param(value, "cnonce"))));
    assert_eq!(param(value, "response"), wanted, "{value}");
    assert!(!request.text.contains("correct horse"));
}

#[test]
fn a_sub_center_that_asks_for_proof_gets_it_whether_as_server_or_as_proxy() {
    std::thread::scope(|both| {
        both.spawn(|| asks_for_proof("401", "WWW-Authenticate", "Authorization"));
        both.spawn(|| asks_for_proof("407", "Proxy-Authenticate", "Proxy-Authorization"));
    });
}

/// A sub-center that asks by this status and header, and is answered by the other.
fn asks_for_proof(status: &str, asks: &str, answers: &str) {
    let name = format!("trunk-{status}");
    let challenge = format!("{asks}: Digest realm=\"tax\",nonce=\"n1\",qop=\"auth\",algorithm=MD5");
    let scenario = Scenario::of("sub_challenges").with("status", status).with("challenge", &challenge);
    let (at, desk) = desk(&name, scenario);
    let engine = with_account(&name, at, "");
    Scenario::of("let_be").sdp(OFFER).with("pause", "600").run(&engine, "12366");
    let log = desk.finish();
    let [asked, proved] = log.received("INVITE").try_into().unwrap();
    assert!(asked.header(answers).is_none());
    assert_eq!(
        (asked.header("Call-ID"), asked.header("From")),
        (proved.header("Call-ID"), proved.header("From"))
    );
    assert_eq!(proved.header("CSeq"), Some("2 INVITE"));
    proves(proved, answers, Algorithm::Md5, "n1", 1);
    // An ACK cannot be asked: it says what its INVITE did (RFC 3261 §22.1).
    let [_, ack] = log.received("ACK").try_into().unwrap();
    assert_eq!(ack.header(answers), proved.header(answers));
    proves(log.last("BYE"), answers, Algorithm::Md5, "n1", 2);
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
}

#[test]
fn a_proof_that_is_not_taken_is_not_tried_again() {
    let (at, desk) = desk("trunk-no-proof", Scenario::of("sub_challenges_again"));
    let engine = with_account("trunk-no-proof", at, "");
    falls_to_12345(&engine);
    assert_eq!(desk.finish().received("INVITE").len(), 2);
}

#[test]
fn a_trunk_is_registered_at_with_proof_and_for_as_long_as_its_registrar_wants() {
    let (at, registrar) = desk("trunk-register", Scenario::of("registrar"));
    let _engine = with_account("trunk-register", at, "\nregister = \"10min\"");
    let log = registrar.finish();
    let asked = log.received("REGISTER");
    let expires: Vec<_> = asked.iter().map(|request| request.header("Expires").unwrap()).collect();
    assert_eq!(expires, ["600", "600", "1200", "1200"], "423 says the least (RFC 3261 §10.2.8)");
    let seqs: Vec<_> = asked.iter().map(|request| request.header("CSeq").unwrap()).collect();
    assert_eq!(seqs, ["1 REGISTER", "2 REGISTER", "3 REGISTER", "4 REGISTER"]);
    assert!(asked.iter().all(|request| request.header("Call-ID") == asked[0].header("Call-ID")));
    assert!(
        asked
            .iter()
            .all(|request| request.header("Contact").unwrap().starts_with("<sip:8639312345@127.0.0.1:"))
    );
    assert!(asked[0].header("Authorization").is_none());
    for (request, nc) in asked[1..].iter().zip(1..) {
        proves(request, "Authorization", Algorithm::Sha256, "first", nc);
    }
    assert!(asked[3].at - asked[2].at >= 4.5, "a brief grant is refreshed before its end, not at once");
}

fn says(status: &str, lines: &str) -> Scenario {
    Scenario::of("sub_refuses_saying").with("status", status).with("lines", lines)
}

/// Talks with whoever 12366 leads to, and hangs up: the engine's call of this number.
fn talks(engine: &Engine, number: usize) {
    Scenario::of("let_be").sdp(OFFER).with("pause", "600").run(engine, "12366");
    for record in closed_calls(engine, number) {
        assert_eq!((record.cause, record.ticket_left.as_deref()), (Some(Cause::CallerHungUp), None));
    }
}

#[test]
fn a_302_to_another_place_of_the_trunk_is_followed_within_the_call() {
    let name = "trunk-302";
    let (there, second) = desk(name, Scenario::of("sub_answers"));
    let (here, first) =
        desk(name, says("302", &format!("Contact: <sip:night@{there}>;q=0.9, <sip:day@{there}>;q=0.1")));
    let engine = engine_on_plan(name, WHEN, &[PATIENT, REAL], &["--trunk", &format!("sub-12366={here}")]);
    talks(&engine, 1);
    let (first, second) = (first.finish(), second.finish());
    let (sent, followed) = (first.received("INVITE")[0], second.received("INVITE")[0]);
    assert!(followed.text.starts_with(&format!("INVITE sip:night@{there} SIP/2.0")), "{}", followed.text);
    // RFC 3261 §8.1.3.4: the same To, From and Call-ID, the next CSeq.
    for header in ["To", "From", "Call-ID"] {
        assert_eq!(sent.header(header), followed.header(header));
    }
    assert_eq!(followed.header("CSeq"), Some("2 INVITE"));
}

#[test]
fn a_302_to_a_stranger_is_a_refusal() {
    let name = "trunk-302-away";
    let stranger = UdpSocket::bind("127.0.0.9:0").unwrap();
    let away = stranger.local_addr().unwrap();
    let lines = format!("Contact: <sip:premium@{away}>, <sip:premium@127.0.0.1;maddr=127.0.0.9>");
    let (here, first) = desk(name, says("302", &lines));
    let engine = engine_on_plan(name, WHEN, &[PATIENT, REAL], &["--trunk", &format!("sub-12366={here}")]);
    falls_to_12345(&engine);
    first.finish();
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.recv(&mut [0; 2_000]).is_err(), "nothing went there");
}

/// An engine whose 12366 is behind a group: the tax office's own trunk first, another one then.
fn with_group(name: &str, own: SocketAddr, spare: SocketAddr) -> Engine {
    let group = "[[trunk_group]]\nname = \"tax\"\ntrunks = [{ trunk = \"sub-12366\", priority = 1 }, \
                 { trunk = \"sub-12313\", priority = 2 }]\n\n[[queue]]";
    let edits = [PATIENT, ("[[queue]]", group), ("trunk = \"sub-12366\"\n", "trunk = \"tax\"\n")];
    let trunks = [format!("sub-12366={own}"), format!("sub-12313={spare}")];
    engine_on_plan(name, WHEN, &edits, &["--trunk", &trunks[0], "--trunk", &trunks[1]])
}

#[test]
fn a_503_sends_the_call_to_the_groups_next_trunk_and_later_ones_as_long_as_it_says() {
    let name = "trunk-503";
    let (own, first) = desk(name, says("503", "Retry-After: 120"));
    let (spare, second) = desk(name, Scenario::of("sub_answers").arguments(&["-m", "2"]));
    let engine = with_group(name, own, spare);
    talks(&engine, 1);
    let first = first.finish();
    // Whoever would ask it again asks this.
    let again = UdpSocket::bind(own).unwrap();
    talks(&engine, 2);
    let second = second.finish();
    again.set_nonblocking(true).unwrap();
    assert!(again.recv(&mut [0; 2_000]).is_err(), "it rests");
    assert_eq!((first.received("INVITE").len(), second.received("INVITE").len()), (1, 2));
    let ids = |log: &Log| log.received("INVITE")[0].header("Call-ID").map(str::to_owned);
    assert_ne!(ids(&first), ids(&second), "a call of its own");
}

#[test]
fn a_486_speaks_for_the_callee_and_no_other_trunk_is_tried() {
    let name = "trunk-486";
    let (own, first) = desk(name, Scenario::of("sub_refuses").with("status", "486"));
    let spare = UdpSocket::bind("127.0.0.1:0").unwrap();
    let engine = with_group(name, own, spare.local_addr().unwrap());
    falls_to_12345(&engine);
    first.finish();
    spare.set_nonblocking(true).unwrap();
    assert!(spare.recv(&mut [0; 2_000]).is_err(), "nothing went there");
}

#[test]
fn a_hop_that_is_silent_is_given_up_for_the_next_one() {
    let name = "trunk-silent";
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (at, desk) = desk(name, Scenario::of("sub_answers"));
    let hops = format!("target = [\"{}\", \"{at}\"]\n# 多久没有动静", silent.local_addr().unwrap());
    let engine = engine_on_plan(name, WHEN, &[("target = \"127.0.0.1:9\"\n# 多久没有动静", &hops)], &[]);
    talks(&engine, 1);
    let log = desk.finish();
    let mut room = [0; 4_000];
    silent.set_nonblocking(true).unwrap();
    let mut asked = 0;
    while let Ok(length) = silent.recv(&mut room) {
        assert!(room[..length].starts_with(b"INVITE "), "{}", String::from_utf8_lossy(&room[..length]));
        let ours = format!("Call-ID: {}", log.received("INVITE")[0].header("Call-ID").unwrap());
        assert!(!String::from_utf8_lossy(&room[..length]).contains(&ours), "another call, another Call-ID");
        asked += 1;
    }
    assert!(asked >= 1, "it was asked first");
}
