//! SIPp writes its messages as the RFC allows and few do: they mean the same; and as it does not
//! allow: they get their status.

use std::net::UdpSocket;
use std::time::Duration;

use hotline::switchboard::fact::Cause;

use crate::engine::Engine;
use crate::records::{calls, closed_calls};
use crate::sipp::{Log, OFFER, Scenario};

const WHEN: &str = "2021-12-01T09:00:00+08:00";

/// A caller of 12345 by this scenario, who is answered and hangs up.
fn answered(name: &str, scenario: Scenario) -> Log {
    let engine = Engine::start(name, WHEN);
    let log = scenario.run(&engine, "12345");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!((record.cause, record.caller.as_str()), (Some(Cause::CallerHungUp), "13800000044"));
    log
}

#[test]
fn compact_names_mean_what_long_ones_mean() {
    let log = answered("form-compact", Scenario::of("compact").with("body", OFFER));
    assert!(log.answer_to("INVITE").line("m=audio ").ends_with(" RTP/AVP 8 101"));
}

#[test]
fn a_header_may_go_over_several_lines() {
    let log = answered("form-folded", Scenario::of("folded").with("body", OFFER));
    let invite = &log.sent("INVITE")[0];
    assert!(invite.has("  caller\"") && invite.has("  INVITE"), "SIPp did fold: {}", invite.text);
}

#[test]
fn every_via_comes_back_in_order() {
    let log = answered("form-vias", Scenario::of("two_ways").sdp(OFFER));
    let ok = log.answer_to("INVITE");
    let vias: Vec<&str> = ok
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("Via:"))
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    assert_eq!(vias.len(), 3, "{}", ok.text);
    assert!(vias[0].contains(";received=127.0.0.1"), "{vias:?}");
    assert_eq!(
        vias[1..],
        ["SIP/2.0/UDP 192.0.2.1:5061;branch=z9hG4bKinner", "SIP/2.0/TCP carrier.example;branch=z9hG4bKfirst"]
    );
}

#[test]
fn without_rport_answers_go_to_the_port_that_via_names() {
    let log = answered("form-no-rport", Scenario::of("without_rport").sdp(OFFER));
    for answer in log.received("SIP/2.0 ") {
        assert!(!answer.header("Via").unwrap().contains("rport"), "{}", answer.text);
    }
    // SIPp sends from the port that it names. This one names another socket's.
    let engine = Engine::start("form-via-port", WHEN);
    let [speaks, hears] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    hears.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let named = hears.local_addr().unwrap();
    let options = format!(
        "OPTIONS sip:12345@{} SIP/2.0\r\nVia: SIP/2.0/UDP {named};branch=z9hG4bKport\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:12345@h>\r\nCall-ID: port\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        engine.sip
    );
    speaks.send_to(options.as_bytes(), engine.sip).unwrap();
    let mut room = [0; 2_000];
    let length = hears.recv(&mut room).expect("the answer comes where Via says");
    assert!(room[..length].starts_with(b"SIP/2.0 200 "), "{}", String::from_utf8_lossy(&room[..length]));
}

#[test]
fn with_rport_answers_come_back_whatever_via_names() {
    let log = answered("form-nat", Scenario::of("other_port").sdp(OFFER));
    let via = log.answer_to("INVITE").header("Via").unwrap().to_owned();
    let contact = log.sent("INVITE")[0].header("Contact").unwrap().to_owned();
    let port = contact.rsplit(':').next().unwrap().trim_end_matches('>');
    assert!(via.starts_with("SIP/2.0/UDP 192.0.2.77:9;"), "{via}");
    assert!(via.contains(";received=127.0.0.1") && via.contains(&format!(";rport={port}")), "{via}");
}

#[test]
fn without_a_length_the_body_ends_with_the_datagram() {
    let log = answered("form-no-length", Scenario::of("without_length").with("body", OFFER));
    assert!(log.answer_to("INVITE").line("m=audio ").ends_with(" RTP/AVP 8 101"), "the offer was read");
}

#[test]
fn what_lies_beyond_the_length_is_not_part_of_the_message() {
    let log = answered("form-beyond", Scenario::of("length_below"));
    let offered = log.answer_to("INVITE").line("m=audio ").to_owned();
    assert!(offered.ends_with(" RTP/AVP 8 0 101"), "no offer came, so it is ours to make: {offered}");
}

#[test]
fn a_length_that_is_not_there_or_none_gets_400() {
    let engine = Engine::start("form-length", WHEN);
    for length in ["5000", "4294967296", "-1", "many"] {
        Scenario::of("length").with("body", OFFER).with("length", length).run(&engine, "12345");
    }
    assert_eq!(calls(&engine), []);
}

#[test]
fn another_version_gets_505() {
    let engine = Engine::start("form-version", WHEN);
    for version in ["SIP/3.0", "SIP/7.1"] {
        Scenario::of("other_version").with("version", version).run(&engine, "12345");
    }
    assert_eq!(calls(&engine), []);
}

#[test]
fn an_invite_of_almost_64_kib_is_a_call_like_any_other() {
    let pad = format!("X-Pad: {}", "p".repeat(1_000));
    let pads: Vec<&str> = std::iter::repeat_n(&*pad, 58).collect();
    let mut lines = vec!["Content-Type: application/sdp"];
    lines.extend(pads);
    let scenario = Scenario::of("answered").headers(&lines).with("body", OFFER).with("pause", "100");
    answered("form-large", scenario);
}
