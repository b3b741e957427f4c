//! What is turned away, and with which status.

use std::time::Duration;

use hotline::sip::digest::Algorithm;
use hotline::sip::event::*;
use hotline::sip::{Method, Name};

use crate::wire::*;

#[test]
#[allow(clippy::type_complexity, reason = "a table")]
fn refusals_row_by_row() {
    let call = Call::new("a");
    let invite = call.invite(OFFER);
    let line =
        |line: &str| invite.replace("Max-Forwards: 70\r\n", &format!("Max-Forwards: 70\r\n{line}\r\n"));
    let method = |method: &str| call.text(method, 1, "m", "");
    use TurnedAway::*;
    let rows: Vec<(&str, String, &str, TurnedAway, Option<(Name, &str)>)> = vec![
        ("strange method", method("DANCE"), "501", Unsupported, None),
        (
            "known method",
            method("PUBLISH"),
            "405",
            Unsupported,
            Some((
                Name::Allow,
                "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, REFER, SUBSCRIBE, NOTIFY",
            )),
        ),
        ("SUBSCRIBE to what we do not tell", method("SUBSCRIBE"), "489", OutOfDialog, None),
        ("NOTIFY of what nobody wanted", method("NOTIFY"), "489", OutOfDialog, None),
        ("REFER to nobody's call", method("REFER"), "603", OutOfDialog, None),
        ("INFO to nobody", method("INFO"), "481", OutOfDialog, None),
        ("BYE to nobody", method("BYE"), "481", OutOfDialog, None),
        ("PRACK to nobody", method("PRACK"), "481", OutOfDialog, None),
        ("UPDATE to nobody", method("UPDATE"), "481", OutOfDialog, None),
        ("CANCEL of nothing", method("CANCEL"), "481", OutOfDialog, None),
        ("extension", line("Require: 100rel, fish"), "420", Unsupported, Some((Name::Unsupported, "fish"))),
        (
            "media type",
            invite.replace("application/sdp", "text/plain"),
            "415",
            Unsupported,
            Some((Name::Accept, "application/sdp, multipart/mixed, multipart/alternative")),
        ),
        ("encoding", line("Content-Encoding: gzip"), "415", Unsupported, None),
        ("scheme", invite.replace("INVITE sip:", "INVITE urn:"), "416", Unsupported, None),
        ("hops", invite.replace("Max-Forwards: 70", "Max-Forwards: 0"), "483", BadRequest, None),
        ("version", invite.replace("192.0.2.1 SIP/2.0", "192.0.2.1 SIP/7.0"), "505", Unsupported, None),
        ("size", format!("{invite}{}", "x".repeat(70_000)), "513", BadRequest, None),
        ("no From", invite.replace("From:", "Frum:"), "400", BadRequest, None),
        ("CSeq of another", invite.replace("1 INVITE", "1 BYE"), "400", BadRequest, None),
        ("no description", invite.replace("v=0", "z=0"), "400", BadRequest, None),
        (
            "unknown dialog",
            invite.replace("To: <sip:12345@192.0.2.1>", "To: <sip:12345@192.0.2.1>;tag=ffffffffffffffff"),
            "481",
            OutOfDialog,
            None,
        ),
    ];
    for (what, text, status, why, header) in rows {
        let mut wire = Wire::new();
        wire.hear(CARRIER, &text);
        let answer = wire.next_sent();
        assert_eq!(name(&answer), status, "{what}");
        assert_eq!(wire.turned_away(), why, "{what}");
        if let Some((header, value)) = header {
            assert_eq!(head(&answer, header), value, "{what}");
        }
        assert_eq!(wire.endpoint.counts(), Counts::default(), "{what}: no memory for refusals");
        wire.hear(CARRIER, &text);
        assert_eq!(wire.next_sent(), answer, "{what}: the same again");
        wire.events.clear();
        wire.hear(CARRIER, call.ack_refusal(&answer));
        if what == "unknown dialog" {
            assert_eq!(wire.turned_away(), OutOfDialog, "its ACK is as unknown");
        }
        wire.quiet();
    }
}

#[test]
fn what_cannot_be_answered_is_dropped_and_counted() {
    let mut wire = Wire::new();
    for text in ["hello", "GET / HTTP/1.1\r\n\r\n", "ACK sip:a@b SIP/2.0\r\n\r\n"] {
        wire.hear(STRANGER, text);
        assert_eq!(wire.turned_away(), TurnedAway::Malformed, "{text}");
    }
    wire.hear(STRANGER, "\r\n\r\n");
    wire.hear(STRANGER, "");
    wire.quiet();
}

#[test]
fn a_stranger_is_refused_without_memory() {
    let mut wire = Wire::new();
    wire.hear(STRANGER, Call::new("a").invite(OFFER));
    assert_eq!(wire.said(), ["403"]);
    assert_eq!(wire.turned_away(), TurnedAway::UnknownSource);
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_copy_of_an_invite_that_came_by_another_way_gets_482() {
    let mut wire = Wire::new();
    let call = Call::new("a");
    wire.hear(CARRIER, call.invite(OFFER));
    wire.invited();
    wire.hear(CARRIER, call.text("INVITE", 1, "other", OFFER));
    assert_eq!(wire.said(), ["100", "482"]);
    assert_eq!(wire.endpoint.counts().sessions, 1);
}

#[test]
fn an_old_peer_without_branches_is_understood() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    let old = |text: String| {
        text.split_once(";branch=")
            .map(|(head, rest)| format!("{head}\r\n{}", rest.split_once("\r\n").unwrap().1))
            .unwrap()
    };
    wire.hear(CARRIER, old(call.invite(OFFER)));
    let session = wire.invited().session;
    wire.hear(CARRIER, old(call.invite(OFFER)));
    assert_eq!(wire.said(), ["100", "100"]);
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    call.learn(&wire.next_sent());
    wire.hear(CARRIER, old(call.ack()));
    assert!(matches!(wire.event(), Event::Confirmed { .. }));
}

#[test]
fn full_tables_mean_503_for_new_calls_and_nothing_for_old_ones() {
    let mut small = config();
    small.limits = Limits { sessions_max: 2, transactions_max: 2 };
    let mut wire = Wire::with(small);
    let (_, mut call) = wire.talking();
    wire.hear(CARRIER, Call::new("b").invite(OFFER));
    wire.invited();
    wire.sent.clear();
    wire.hear(CARRIER, Call::new("c").invite(OFFER));
    let busy = wire.next_sent();
    assert_eq!((name(&busy), head(&busy, Name::RetryAfter)), ("503".into(), "30".into()));
    assert_eq!(wire.turned_away(), TurnedAway::Full);
    wire.hear(CARRIER, call.request("BYE", ""));
    assert_eq!(wire.said(), ["200"]);
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Bye, .. }));
    assert!(wire.endpoint.counts().transactions <= 2);
}

#[test]
fn the_gate_stops_new_calls_only() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    wire.endpoint.set_gate(Gate::Draining { retry_after_s: 60 });
    wire.hear(CARRIER, Call::new("b").invite(OFFER));
    assert_eq!(wire.said(), ["503"]);
    assert_eq!(wire.turned_away(), TurnedAway::Draining);
    wire.hear(CARRIER, Call::new("o").text("OPTIONS", 1, "o", ""));
    assert_eq!(wire.said(), ["503"]);
    wire.events.clear();
    still_serves_what_stands(&mut wire, session, &mut call);
    wire.endpoint.set_gate(Gate::Open);
    wire.events.clear();
    wire.hear(CARRIER, Call::new("c").invite(OFFER));
    wire.invited();
}

fn still_serves_what_stands(wire: &mut Wire, session: SessionId, call: &mut Call) {
    wire.hear(CARRIER, call.request("INVITE", HOLD));
    wire.event();
    wire.endpoint.answer_offer(session, &sdp(), wire.now);
    wire.drain();
    assert_eq!(wire.said(), ["100", "200"]);
    assert_eq!(wire.register(1, "Contact: <sip:1001@10.0.0.7:5070>\r\n"), ["200"]);
}

#[test]
fn overload_refuses_callers_before_seats_and_emergency_centers_and_nothing_that_stands() {
    let mut config = config();
    config.trunks.push(TrunkConfig {
        sources: vec![("192.0.4.0".parse().unwrap(), 24)],
        emergency: true,
        ..TrunkConfig::named("center".into())
    });
    let mut wire = Wire::with(config);
    let (session, mut call) = wire.talking();
    assert_eq!(wire.endpoint.admitted_per_mille(), 1_000);
    // A second and a half in which everything has waited for longer than it may.
    for _ in 0..150 {
        wire.run_for(Duration::from_millis(10));
        wire.endpoint.handle_wait(Duration::from_millis(120), false, wire.now);
    }
    wire.sent.clear();
    wire.events.clear();
    assert_eq!(wire.endpoint.admitted_per_mille(), 10);
    // Twenty calls in a tenth of a second are let in from everyone.
    let mut said = Vec::new();
    for number in 0..50 {
        wire.hear(CARRIER, Call::new(&format!("flood-{number}")).invite(OFFER));
        let answer = wire.next_sent();
        if name(&answer) == "503" {
            assert_eq!(head(&answer, Name::RetryAfter), "2");
            assert_eq!(wire.turned_away(), TurnedAway::Overloaded);
        }
        said.push(name(&answer));
        wire.events.clear();
        wire.sent.clear();
    }
    assert_eq!(said[..20], ["100"; 20]);
    assert_eq!(said[20..], ["503"; 30]);
    wire.hear("192.0.3.7:5060", Call::new("now-and-then").invite(OFFER));
    assert_eq!(wire.said(), ["100"], "the other trunk's caller");
    wire.events.clear();
    let mut let_in = 0;
    for number in 0..10 {
        wire.hear("192.0.4.7:5060", Call::new(&format!("center-{number}")).invite(OFFER));
        let_in += usize::from(wire.said() == ["100"]);
        wire.events.clear();
    }
    assert_eq!(let_in, 5, "at the very worst an emergency center has every other call let in");
    still_serves_what_stands(&mut wire, session, &mut call);
    // The queue is gone.
    for _ in 0..300 {
        wire.run_for(Duration::from_millis(10));
        wire.endpoint.handle_wait(Duration::ZERO, false, wire.now);
    }
    wire.sent.clear();
    wire.events.clear();
    wire.hear(CARRIER, Call::new("c").invite(OFFER));
    wire.invited();
}

#[test]
fn a_strangers_flood_is_not_even_read_and_a_trunks_is() {
    let mut wire = Wire::new();
    let flood = "203.0.113.66:5060";
    for number in 0..2_000 {
        wire.hear(flood, Call::new(&format!("s{number}")).invite(OFFER));
        assert_eq!(wire.said(), ["403"]);
        assert_eq!(wire.turned_away(), TurnedAway::UnknownSource);
    }
    wire.hear(flood, Call::new("more").invite(OFFER));
    wire.quiet_but_for(TurnedAway::Flooding);
    for number in 0..3_000 {
        wire.hear(CARRIER, Call::new(&format!("t{number}")).text("OPTIONS", 1, "o", ""));
        assert_eq!(wire.said(), ["200"]);
    }
    wire.run_for(Duration::from_millis(10));
    wire.hear(flood, Call::new("later").invite(OFFER));
    assert_eq!(wire.said(), ["403"]);
}

#[test]
fn a_seat_must_prove_itself_even_from_a_trunks_address() {
    let mut wire = Wire::new();
    let mut call = Call::new("s");
    call.from = "<sip:1001@hotline.example>;tag=s".into();
    wire.hear(CARRIER, call.invite(OFFER));
    let challenge = wire.next_sent();
    assert_eq!(name(&challenge), "401");
    let first = challenge.headers(Name::WwwAuthenticate).next().unwrap();
    assert!(String::from_utf8_lossy(first).contains("SHA-256"), "the stronger one first");
    wire.quiet();
    wire.hear(CARRIER, call.ack_refusal(&challenge));
    call.seq = 2;
    call.more = prove(&challenge, Algorithm::Md5, "secret", Method::Invite, &call.uri, 1);
    wire.hear(CARRIER, call.invite(OFFER));
    let invited = wire.invited();
    assert_eq!((invited.from, invited.caller.as_str()), (Origin::Seat("1001".into()), "1001"));
    let mut replay = call.clone();
    replay.id = "replayed".into();
    wire.sent.clear();
    wire.hear(CARRIER, replay.invite(OFFER));
    let again = wire.next_sent();
    assert_eq!(name(&again), "401");
    assert!(head(&again, Name::WwwAuthenticate).contains("stale=true"));
    wire.quiet();
}

#[test]
fn what_a_trunk_says_about_the_caller_is_read() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    call.more = "P-Asserted-Identity: <tel:+8613900000000>\r\nDiversion: <sip:12336@192.0.2.10>;reason=unconditional\r\n".into();
    wire.hear(CARRIER, call.invite(OFFER));
    let invited = wire.invited();
    assert_eq!(invited.caller, "+8613900000000");
    assert_eq!(invited.dialled.diversion, ["sip:12336@192.0.2.10"]);
    assert_eq!(invited.dialled.request_uri, "sip:12345@192.0.2.1");
}

#[test]
fn outputs_are_the_same_for_the_same_seed() {
    let run = || {
        let mut wire = Wire::new();
        let (session, _) = wire.talking();
        wire.endpoint.hang_up(session, None, wire.now);
        wire.run_for(Duration::from_secs(3));
        wire.sent.iter().map(|(_, message)| message.raw().clone()).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn a_request_whose_via_cannot_be_read_is_answered_where_it_came_from() {
    // RFC 4475 §3.1.2.1 and §3.1.2.16 want 400 and 505 for such.
    let rows = [
        ("SIP/2.0", "SIP/2.0/UDP 192.0.2.15;;,;,,", "400"),
        ("SIP/7.0", "SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw", "505"),
        ("SIP/2.0", "rubbish", "400"),
    ];
    for (version, via, wanted) in rows {
        let mut wire = Wire::new();
        let text = Call::new("a").invite(OFFER);
        let text = text.replacen("SIP/2.0", version, 1);
        let own = text.lines().find(|line| line.starts_with("Via: ")).unwrap().to_owned();
        let text = text.replace(&own, &format!("Via: {via}"));
        let packet = Packet { listener: 0, peer: CARRIER.parse().unwrap(), bytes: bytes::Bytes::from(text) };
        wire.endpoint.handle_packet(packet, wire.now);
        let Some(Output::Send(answer)) = wire.endpoint.poll_output() else { panic!("{via}: no answer") };
        assert_eq!(answer.peer, CARRIER.parse().unwrap());
        let answer = String::from_utf8(answer.bytes.to_vec()).unwrap();
        assert!(answer.starts_with(&format!("SIP/2.0 {wanted} ")), "{via}: {answer}");
        assert!(answer.contains(&format!("\r\nVia: {via}\r\n")), "as it came: {answer}");
    }
}
