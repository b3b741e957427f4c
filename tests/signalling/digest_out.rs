//! Proof of who we are, towards trunks that ask for it.

use hotline::sip::digest::{self, Algorithm, Challenge, Credentials};
use hotline::sip::event::*;
use hotline::sip::{Message, Name};

use crate::trunks::*;
use crate::wire::*;

const PASSWORD: &str = "pa:ss \"word\\";
const USER: &str = "hotline-city";

/// `one` asks whom it knows as `hotline-city`.
pub fn with_account() -> Config {
    let mut config = two_trunks();
    config.trunks[0].account =
        Some(TrunkAccount { user: USER.into(), realm: None, password: PASSWORD.to_owned().into() });
    config
}

/// The challenge lines that go into a 401 or 407.
pub struct Ask<'a> {
    pub status: u16,
    pub realm: &'a str,
    pub nonce: &'a str,
    pub algorithms: &'a [Algorithm],
    pub qop: bool,
    pub stale: bool,
}

impl Default for Ask<'_> {
    fn default() -> Self {
        Ask { status: 401, realm: "r1", nonce: "n1", algorithms: &[Algorithm::Md5], qop: true, stale: false }
    }
}

impl Ask<'_> {
    pub fn of(&self, request: &Message) -> Vec<u8> {
        let name = if self.status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        let lines = self.algorithms.iter().map(|algorithm| {
            let challenge = Challenge {
                realm: self.realm.as_bytes().into(),
                nonce: self.nonce.as_bytes().into(),
                opaque: Some(b"op\"aque"[..].into()),
                algorithm: *algorithm,
                qop_auth: self.qop,
                stale: self.stale,
            };
            format!("{name}: {}\r\n", String::from_utf8(challenge.to_value()).unwrap())
        });
        with_lines(&answer(request, self.status, "ask", ""), &lines.collect::<String>())
    }
}

/// The proofs of a request that are right: (realm, nonce, algorithm, nc). One that is wrong fails.
pub fn proofs(request: &Message) -> Vec<(String, String, Algorithm, u32)> {
    let mut found = Vec::new();
    for name in [Name::ProxyAuthorization, Name::Authorization] {
        for value in request.headers(name) {
            let said = Credentials::parse(value).unwrap();
            assert_eq!(&*said.username, USER.as_bytes());
            assert_eq!(Some(&*said.uri), request.request_uri(), "RFC 3261 §22.4: the Request-URI");
            assert_eq!(said.opaque.as_deref(), Some(&b"op\"aque"[..]));
            let ha1 = digest::ha1(said.algorithm, USER.as_bytes(), &said.realm, PASSWORD.as_bytes());
            assert!(said.verify(&ha1, request.method().unwrap()), "{request:?}");
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let nc = said.qop.as_ref().map_or(0, |qop| qop.nc);
            found.push((text(&said.realm), text(&said.nonce), said.algorithm, nc));
        }
    }
    found
}

pub fn proof(realm: &str, nonce: &str, algorithm: Algorithm, nc: u32) -> (String, String, Algorithm, u32) {
    (realm.into(), nonce.into(), algorithm, nc)
}

fn only_one() -> Invite {
    let Target::Trunk(routes) = to_both().target else { unreachable!("it is one") };
    Invite { target: Target::Trunk(routes[..1].to_vec()), ..to_both() }
}

fn calling(wire: &mut Wire) -> (SessionId, Message) {
    let session = wire.endpoint.invite(only_one(), wire.now).unwrap();
    wire.drain();
    (session, wire.next_sent())
}

/// Asks for proof of the request and takes what comes: the ACK, for an INVITE, is taken off.
pub fn asked(wire: &mut Wire, ask: &Ask<'_>, request: &Message) -> Message {
    wire.hear(ONE_A, ask.of(request));
    if name(request) == "INVITE" {
        let ack = wire.next_sent();
        assert_eq!(name(&ack), "ACK");
        assert_eq!(head(&ack, Name::Via), head(request, Name::Via));
    }
    let again = wire.next_sent();
    assert_eq!(name(&again), name(request));
    assert_eq!(head(&again, Name::CallId), head(request, Name::CallId));
    assert_eq!(head(&again, Name::From), head(request, Name::From));
    assert_ne!(head(&again, Name::Via), head(request, Name::Via));
    assert_eq!(again.request_uri(), request.request_uri());
    assert_eq!(again.body(), request.body());
    let (old, new) = (request.cseq().unwrap().number, again.cseq().unwrap().number);
    assert!(new > old, "CSeq rises: {old} then {new}");
    again
}

#[test]
fn a_challenge_is_answered_row_by_row() {
    use Algorithm::{Md5, Sha256};
    let rows: [(u16, &[Algorithm], bool, Algorithm, u32); 7] = [
        (401, &[Md5], true, Md5, 1),
        (407, &[Md5], true, Md5, 1),
        (401, &[Sha256], true, Sha256, 1),
        (401, &[Sha256, Md5], true, Sha256, 1),
        (407, &[Md5, Sha256], true, Sha256, 1),
        (401, &[Md5], false, Md5, 0),
        (407, &[Sha256], false, Sha256, 0),
    ];
    for (status, algorithms, qop, algorithm, nc) in rows {
        let mut wire = Wire::with(with_account());
        let (_, invite) = calling(&mut wire);
        assert_eq!(proofs(&invite), []);
        let again = asked(&mut wire, &Ask { status, algorithms, qop, ..Ask::default() }, &invite);
        assert_eq!(proofs(&again), [proof("r1", "n1", algorithm, nc)], "{status} {algorithms:?}");
        let name = if status == 407 { Name::ProxyAuthorization } else { Name::Authorization };
        assert_eq!(again.headers(name).count(), 1);
        wire.quiet();
        wire.hear(ONE_A, answer(&again, 200, "t", OFFER));
        let ack = wire.next_sent();
        assert_eq!(head(&ack, Name::CSeq), "2 ACK");
        assert_eq!(ack.header(name), again.header(name), "the ACK says what its INVITE said (§22.1)");
        assert!(matches!(wire.event(), Event::Answered { .. }));
        wire.quiet();
    }
}

#[test]
fn a_wrong_password_is_said_twice_at_most() {
    let mut wire = Wire::with(with_account());
    let (_, invite) = calling(&mut wire);
    let again = asked(&mut wire, &Ask::default(), &invite);
    wire.hear(ONE_A, Ask { nonce: "n2", ..Ask::default() }.of(&again));
    assert_eq!(wire.said(), ["ACK"]);
    assert!(matches!(wire.event(), Event::Refused { status: 401, .. }));
    wire.quiet();
    assert_eq!(failures(&trunk_now(&wire, "one")), [(WayFailed::Credentials, 1)]);
    // The next call begins anew: what was refused is not said unasked.
    let (_, invite) = calling(&mut wire);
    assert_eq!(proofs(&invite), []);
}

#[test]
fn a_trunk_that_does_not_take_our_word_is_left_for_another() {
    let mut wire = Wire::with(with_account());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let invite = wire.next_sent();
    let proved = asked(&mut wire, &Ask::default(), &invite);
    wire.hear(ONE_A, Ask { nonce: "n2", ..Ask::default() }.of(&proved));
    assert_eq!(name(&wire.next_sent()), "ACK");
    assert_eq!(wire.sent.front().unwrap().0.to_string(), TWO, "its other hop would say the same");
    let (_, invite) = next_invite_to(&mut wire, TWO);
    assert_eq!(proofs(&invite), []);
    wire.hear(TWO, answer(&invite, 200, "t", OFFER));
    assert!(wire.events.iter().any(|event| matches!(event, Event::Answered { .. })));
    assert_eq!(failures(&trunk_now(&wire, "one")), [(WayFailed::Credentials, 1)]);
}

#[test]
fn a_stale_nonce_is_answered_once_more_and_no_oftener() {
    let mut wire = Wire::with(with_account());
    let (_, invite) = calling(&mut wire);
    let second = asked(&mut wire, &Ask::default(), &invite);
    let third = asked(&mut wire, &Ask { nonce: "n2", stale: true, ..Ask::default() }, &second);
    assert_eq!(proofs(&third), [proof("r1", "n2", Algorithm::Md5, 1)]);
    wire.hear(ONE_A, Ask { nonce: "n3", stale: true, ..Ask::default() }.of(&third));
    assert_eq!(wire.said(), ["ACK"]);
    assert!(matches!(wire.event(), Event::Refused { status: 401, .. }));
    wire.quiet();
}

#[test]
fn a_proxy_and_a_server_may_both_ask() {
    let mut wire = Wire::with(with_account());
    let (_, invite) = calling(&mut wire);
    let second = asked(&mut wire, &Ask { status: 407, realm: "proxy", ..Ask::default() }, &invite);
    let third = asked(&mut wire, &Ask { realm: "server", nonce: "s", ..Ask::default() }, &second);
    let both = [proof("proxy", "n1", Algorithm::Md5, 2), proof("server", "s", Algorithm::Md5, 1)];
    assert_eq!(proofs(&third), both);
}

#[test]
fn servers_that_ask_for_ever_end_the_call() {
    let mut wire = Wire::with(with_account());
    let (_, mut invite) = calling(&mut wire);
    let mut asked = 0;
    loop {
        let realm = format!("realm {asked}");
        wire.hear(ONE_A, Ask { realm: &realm, ..Ask::default() }.of(&invite));
        assert_eq!(name(&wire.next_sent()), "ACK");
        match wire.sent.pop_front() {
            Some((_, again)) => invite = again,
            None => break,
        }
        asked += 1;
        assert!(asked < 10);
    }
    assert_eq!(asked, 4);
    assert!(matches!(wire.event(), Event::Refused { status: 401, .. }));
}

#[test]
fn only_the_realm_of_the_plan_is_answered() {
    for (realm, answered) in [("r1", true), ("evil.example", false)] {
        let mut config = with_account();
        config.trunks[0].account.as_mut().unwrap().realm = Some("r1".into());
        let mut wire = Wire::with(config);
        let (_, invite) = calling(&mut wire);
        wire.hear(ONE_A, Ask { realm, ..Ask::default() }.of(&invite));
        let said = wire.said();
        assert_eq!(said == ["ACK", "INVITE"], answered, "{realm}: {said:?}");
    }
}

#[test]
fn what_cannot_be_answered_is_a_refusal() {
    let no_digest = |request: &Message| {
        with_lines(&answer(request, 401, "a", ""), "WWW-Authenticate: Basic realm=\"r\"\r\n")
    };
    let only_int = |request: &Message| {
        let line = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"\r\n";
        with_lines(&answer(request, 401, "a", ""), line)
    };
    let nothing = |request: &Message| answer(request, 407, "a", "");
    type Answer<'a> = &'a dyn Fn(&Message) -> Vec<u8>;
    let asks: [Answer<'_>; 3] = [&no_digest, &only_int, &nothing];
    for ask in asks {
        let mut wire = Wire::with(with_account());
        let (_, invite) = calling(&mut wire);
        wire.hear(ONE_A, ask(&invite));
        assert_eq!(wire.said(), ["ACK"]);
        assert!(matches!(wire.event(), Event::Refused { status: 401 | 407, .. }));
        wire.quiet();
    }
    // And where we have no account at all.
    let mut wire = Wire::with(two_trunks());
    let (_, invite) = calling(&mut wire);
    wire.hear(ONE_A, Ask::default().of(&invite));
    assert_eq!(wire.said(), ["ACK"]);
    assert!(matches!(wire.event(), Event::Refused { status: 401, .. }));
}

#[test]
fn a_challenge_after_180_is_answered_and_a_late_200_to_nothing_is_not_mixed_up() {
    let mut wire = Wire::with(with_account());
    let (session, invite) = calling(&mut wire);
    wire.hear(ONE_A, answer(&invite, 100, "", ""));
    wire.hear(ONE_A, answer(&invite, 180, "t", ""));
    assert!(matches!(wire.event(), Event::Progressed { .. }));
    let again = asked(&mut wire, &Ask { status: 407, ..Ask::default() }, &invite);
    wire.hear(ONE_A, Ask { status: 407, ..Ask::default() }.of(&invite));
    assert_eq!(wire.said(), ["ACK"], "repeated, it is acknowledged and nothing else");
    wire.hear(ONE_A, answer(&again, 180, "t", ""));
    assert!(matches!(wire.event(), Event::Progressed { .. }));
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    let cancel = wire.next_sent();
    assert_eq!(head(&cancel, Name::Via), head(&again, Name::Via), "the INVITE with proof is taken back");
    assert_eq!(head(&cancel, Name::CSeq), "2 CANCEL");
    wire.hear(ONE_A, answer(&cancel, 200, "t", ""));
    wire.hear(ONE_A, answer(&again, 487, "t", ""));
    assert_eq!(wire.said(), ["ACK"]);
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
    wire.run_for(secs(33));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_challenge_that_crosses_our_cancel_is_the_end() {
    for heard in [true, false] {
        let mut wire = Wire::with(with_account());
        let (session, invite) = calling(&mut wire);
        if heard {
            wire.hear(ONE_A, answer(&invite, 100, "", ""));
        }
        wire.endpoint.hang_up(session, None, wire.now);
        wire.drain();
        assert_eq!(wire.said(), if heard { vec!["CANCEL"] } else { vec![] });
        wire.hear(ONE_A, Ask::default().of(&invite));
        assert_eq!(wire.said(), ["ACK"], "no INVITE goes out for a caller who has left");
        assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
        wire.quiet();
    }
}

#[test]
fn a_challenged_cancel_is_not_sent_again() {
    let mut wire = Wire::with(with_account());
    let (session, invite) = calling(&mut wire);
    wire.hear(ONE_A, answer(&invite, 180, "t", ""));
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    let cancel = wire.next_sent();
    wire.hear(ONE_A, Ask::default().of(&cancel));
    assert_eq!(wire.said(), [""; 0]);
}

#[test]
fn later_requests_prove_themselves_unasked_with_a_rising_count() {
    let mut wire = Wire::with(with_account());
    let (session, invite) = calling(&mut wire);
    let again = asked(&mut wire, &Ask::default(), &invite);
    wire.hear(ONE_A, answer(&again, 200, "t", OFFER));
    wire.sent.clear();
    wire.endpoint.probe(session, wire.now);
    wire.drain();
    let options = wire.next_sent();
    assert_eq!(proofs(&options), [proof("r1", "n1", Algorithm::Md5, 2)]);
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let reinvite = wire.next_sent();
    assert_eq!(proofs(&reinvite), [proof("r1", "n1", Algorithm::Md5, 3)]);
    let (_, second) = calling(&mut wire);
    assert_eq!(proofs(&second), [proof("r1", "n1", Algorithm::Md5, 4)]);
    // An old nonce is forgiven though nobody says that it is stale.
    let again = asked(&mut wire, &Ask { nonce: "n2", ..Ask::default() }, &second);
    assert_eq!(proofs(&again), [proof("r1", "n2", Algorithm::Md5, 1)]);
}

#[test]
fn requests_in_a_dialog_are_proved_when_asked_row_by_row() {
    for method in ["OPTIONS", "INVITE", "BYE"] {
        for status in [401, 407] {
            let mut wire = Wire::with(with_account());
            let (session, invite) = calling(&mut wire);
            wire.hear(ONE_A, answer(&invite, 200, "t", OFFER));
            wire.sent.clear();
            wire.events.clear();
            match method {
                "OPTIONS" => wire.endpoint.probe(session, wire.now),
                "INVITE" => wire.endpoint.reinvite(session, &sdp(), wire.now),
                _ => wire.endpoint.hang_up(session, None, wire.now),
            }
            wire.drain();
            let request = wire.next_sent();
            assert_eq!(name(&request), method);
            let again = asked(&mut wire, &Ask { status, ..Ask::default() }, &request);
            assert_eq!(proofs(&again), [proof("r1", "n1", Algorithm::Md5, 1)]);
            wire.quiet();
            wire.hear(ONE_A, answer(&again, 200, "t", if method == "INVITE" { OFFER } else { "" }));
            match (method, wire.event()) {
                ("OPTIONS", Event::Alive { .. })
                | ("INVITE", Event::OfferTaken { .. })
                | ("BYE", Event::Ended { cause: EndCause::HungUp, .. }) => {}
                (_, other) => panic!("{method}: {other:?}"),
            }
            if method != "BYE" {
                wire.sent.clear();
                wire.endpoint.hang_up(session, None, wire.now);
                wire.drain();
                let bye = wire.next_sent();
                assert!(bye.cseq().unwrap().number > again.cseq().unwrap().number, "CSeq goes on from there");
            }
        }
    }
}

#[test]
fn a_reinvite_refused_for_a_wrong_password_leaves_the_call_as_it_was() {
    let mut wire = Wire::with(with_account());
    let (session, invite) = calling(&mut wire);
    wire.hear(ONE_A, answer(&invite, 200, "t", OFFER));
    wire.sent.clear();
    wire.events.clear();
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let request = wire.next_sent();
    let again = asked(&mut wire, &Ask::default(), &request);
    wire.hear(ONE_A, Ask { nonce: "n2", ..Ask::default() }.of(&again));
    assert_eq!(wire.said(), ["ACK"]);
    assert!(matches!(wire.event(), Event::OfferRefused { status: 401, .. }));
    assert_eq!(wire.endpoint.counts().dialogs, 1);
}

#[test]
fn the_bye_for_a_fork_that_nobody_wants_is_proved_too() {
    let mut wire = Wire::with(with_account());
    let (_, invite) = calling(&mut wire);
    let fork = |tag: &str| {
        let text = String::from_utf8(answer(&invite, 200, tag, OFFER)).unwrap();
        text.replace("callee@192.0.2.10:5060", "callee@192.0.2.11:5060")
    };
    wire.hear(ONE_A, fork("t1"));
    wire.hear(ONE_A, fork("t2"));
    let bye = wire.sent.pop_back().unwrap().1;
    assert_eq!(name(&bye), "BYE");
    wire.sent.clear();
    let again = asked(&mut wire, &Ask::default(), &bye);
    assert_eq!(proofs(&again).len(), 1);
    assert_eq!(head(&again, Name::To), head(&bye, Name::To));
}

#[test]
fn the_bye_for_a_fork_of_a_proved_call_is_proved_unasked() {
    let mut wire = Wire::with(with_account());
    let (_, invite) = calling(&mut wire);
    asked(&mut wire, &Ask::default(), &invite);
    let (_, second) = calling(&mut wire);
    assert_eq!(proofs(&second), [proof("r1", "n1", Algorithm::Md5, 2)]);
    wire.hear(ONE_A, answer(&second, 200, "t1", OFFER));
    wire.hear(ONE_A, answer(&second, 200, "t2", OFFER));
    let bye = wire.sent.pop_back().unwrap().1;
    assert_eq!(name(&bye), "BYE");
    assert_eq!(proofs(&bye), [proof("r1", "n1", Algorithm::Md5, 3)]);
}

#[test]
fn silence_after_a_proved_invite_goes_on_to_the_next_way() {
    let mut wire = Wire::with(with_account());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let invite = wire.next_sent();
    asked(&mut wire, &Ask::default(), &invite);
    wire.run_for(secs(2));
    let (_, next) = next_invite_to(&mut wire, ONE_B);
    assert_eq!(proofs(&next).len(), 1, "the same trunk is told at once");
    wire.run_for(secs(2));
    let (_, next) = next_invite_to(&mut wire, TWO);
    assert_eq!(proofs(&next), [], "another one is told nothing");
}

#[test]
fn a_password_is_nowhere_to_be_read() {
    let config = with_account();
    let shown = format!("{config:?}");
    assert!(shown.contains(USER) && !shown.contains("pa:ss"), "{shown}");
}

#[test]
fn challenges_that_share_a_header_line_are_each_understood() {
    for (line, wanted) in [
        (
            "Digest realm=\"r1\", nonce=\"n1\", opaque=\"op\\\"aque\", qop=\"auth\", algorithm=MD5, \
             Digest realm=\"r1\", nonce=\"n2\", opaque=\"op\\\"aque\", qop=\"auth\", algorithm=SHA-256",
            vec![proof("r1", "n2", Algorithm::Sha256, 1)],
        ),
        (
            "Basic realm=\"r1\", Digest realm=\"r1\", nonce=\"n1\", opaque=\"op\\\"aque\", qop=\"auth\"",
            vec![proof("r1", "n1", Algorithm::Md5, 1)],
        ),
        (
            "Digest realm=\"r1\", nonce=\"n1\", opaque=\"op\\\"aque\", Basic realm=\"r1\", \
             Digest realm=\"r2\", opaque=\"op\\\"aque\", nonce=\"n2\"",
            vec![proof("r1", "n1", Algorithm::Md5, 0), proof("r2", "n2", Algorithm::Md5, 0)],
        ),
    ] {
        let mut wire = Wire::with(with_account());
        let (_, invite) = calling(&mut wire);
        let line = format!("WWW-Authenticate: {line}\r\n");
        wire.hear(ONE_A, with_lines(&answer(&invite, 401, "ask", ""), &line));
        assert_eq!(name(&wire.next_sent()), "ACK");
        assert_eq!(proofs(&wire.next_sent()), wanted, "{line}");
    }
}
