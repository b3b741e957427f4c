//! SIPp calls: answered calls, their descriptions, and how they end.

use std::net::UdpSocket;
use std::time::Duration;

use hotline::switchboard::fact::Cause;

use crate::engine::Engine;
use crate::records::{calls, closed_calls, tickets};
use crate::sipp::{OFFER, Scenario};

const WHEN: &str = "2021-12-01T09:00:00+08:00";

/// An engine whose sub-center 12366 never says a word: whoever calls it hears it ring.
pub fn with_a_silent_sub_center(name: &str) -> (Engine, UdpSocket) {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let trunk = format!("sub-12366={}", silent.local_addr().unwrap());
    (Engine::start_with(name, WHEN, &["--trunk", &trunk]), silent)
}

#[test]
fn thirty_callers_are_answered_and_each_leaves_one_record_and_one_ticket() {
    let engine = Engine::start("sipp-uac", WHEN);
    let scenario = Scenario::of("answered").sdp(OFFER).with("pause", "1500");
    scenario.arguments(&["-m", "30", "-r", "10"]).run(&engine, "12345");
    let calls = closed_calls(&engine, 30);
    assert_eq!(calls.len(), 30);
    assert!(calls.iter().all(|record| record.cause == Some(Cause::CallerHungUp) && !record.undurable));
    assert_eq!(tickets(&engine).len(), 30);
}

#[test]
fn each_offer_has_the_answer_that_its_streams_and_codecs_allow() {
    let engine = Engine::start("sipp-offers", WHEN);
    let offer =
        |streams: &str| format!("v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n{streams}");
    // The streams offered, the formats of the audio answered, further lines of the answer.
    let rows: [(&str, &str, &[&str]); 6] = [
        ("m=audio 18000 RTP/AVP 0 8", " 8", &["a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=sendrecv"]),
        ("m=audio 18000 RTP/AVP 0", " 0", &["a=rtpmap:0 PCMU/8000", "a=ptime:20"]),
        (
            "m=audio 18000 RTP/AVP 0 96\na=rtpmap:96 telephone-event/8000",
            " 0 96",
            &["a=rtpmap:96 telephone-event/8000", "a=fmtp:96 0-15"],
        ),
        (
            "m=audio 18000 RTP/AVP 18 97\na=rtpmap:97 PCMA/8000\na=ptime:30",
            " 97",
            &["a=rtpmap:97 PCMA/8000", "a=ptime:30"],
        ),
        (
            "m=video 18002 RTP/AVP 99\na=rtpmap:99 H264/90000\nm=audio 18000 RTP/AVP 8",
            " 8",
            &["m=video 0 RTP/AVP 99"],
        ),
        ("m=audio 18000 RTP/AVP 8\na=sendonly", " 8", &["a=recvonly"]),
    ];
    for (streams, formats, lines) in rows {
        let scenario = Scenario::of("answered").sdp(&offer(streams)).with("pause", "100");
        let log = scenario.run(&engine, "12345");
        let ok = log.answer_to("INVITE");
        let audio = ok.line("m=audio ");
        let (port, answered) = audio["m=audio ".len()..].split_once(" RTP/AVP").unwrap();
        let port: u16 = port.parse().unwrap();
        assert!((20_000..30_000).contains(&port) && port.is_multiple_of(2), "{audio}");
        assert_eq!(answered, formats, "{streams}");
        for line in lines {
            assert!(ok.has(line), "{streams}: no {line} in {}", ok.text);
        }
        assert_eq!(ok.header("Content-Type"), Some("application/sdp"));
        let offered = streams.lines().filter(|line| line.starts_with("m=")).count();
        let media = ok.text.lines().filter(|line| line.starts_with("m=")).count();
        assert_eq!(media, offered, "as many streams as offered (RFC 3264 §6)");
    }
}

#[test]
fn an_offer_with_nothing_for_us_gets_488_and_no_call() {
    let engine = Engine::start("sipp-488", WHEN);
    let rows = [
        "m=audio 18000 RTP/AVP 18\na=rtpmap:18 G729/8000",
        "m=audio 18000 RTP/AVP 97\na=rtpmap:97 PCMA/16000",
        "m=audio 18000 RTP/SAVP 8",
        "m=video 18000 RTP/AVP 99\na=rtpmap:99 H264/90000",
        "m=audio 0 RTP/AVP 8",
    ];
    for streams in rows {
        let offer = format!("v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n{streams}");
        Scenario::of("refused").with("status", "488").sdp(&offer).run(&engine, "12345");
    }
    assert_eq!(calls(&engine), []);
}

#[test]
fn answers_go_to_where_the_request_came_from() {
    let engine = Engine::start("sipp-rport", WHEN);
    let log = Scenario::of("answered").sdp(OFFER).with("pause", "100").run(&engine, "12345");
    let invite = &log.sent("INVITE")[0];
    let at = invite.header("Via").unwrap().split([' ', ';']).nth(1).unwrap();
    let port = at.rsplit(':').next().unwrap();
    for answer in log.received("SIP/2.0 ") {
        let via = answer.header("Via").unwrap();
        assert!(via.contains(";received=127.0.0.1"), "{via}");
        assert!(via.contains(&format!(";rport={port}")), "{via}");
    }
    let ok = log.answer_to("INVITE");
    let contact = ok.header("Contact").expect("requests in the dialog need it");
    assert_eq!(contact, format!("<sip:{}>", engine.sip));
    let tag = |start: &str| {
        let to = log.last(start).header("To").unwrap().to_owned();
        to.split_once(";tag=").expect("a tag").1.to_owned()
    };
    assert_eq!(tag("SIP/2.0 180"), tag("SIP/2.0 200"), "one dialog");
}

#[test]
fn a_late_offer_is_made_by_the_engine_and_answered_in_the_ack() {
    let engine = Engine::start("sipp-late", WHEN);
    let log = Scenario::of("late_offer").sdp(OFFER).with("pause", "700").run(&engine, "12345");
    let ok = log.answer_to("INVITE");
    assert!(ok.line("m=audio ").ends_with(" RTP/AVP 8 0 101"), "{}", ok.text);
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
    assert!(
        record.sound.as_ref().is_some_and(|sound| sound.sent >= 20),
        "the greeting went out: {:?}",
        record.sound
    );
}

#[test]
fn an_ack_without_the_answer_to_a_late_offer_ends_the_call() {
    let engine = Engine::start("sipp-late-none", WHEN);
    Scenario::of("let_go").with("patience", "5000").run(&engine, "12345");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::Refused(488)));
}

#[test]
fn hold_is_answered_in_kind_and_an_impossible_offer_leaves_the_call_as_it_was() {
    let engine = Engine::start("sipp-hold", WHEN);
    let log = Scenario::of("hold").run(&engine, "12345");
    let answers: Vec<_> = log
        .received("SIP/2.0 ")
        .into_iter()
        .filter(|answer| answer.header("CSeq").is_some_and(|cseq| cseq.ends_with(" INVITE")))
        .filter(|answer| !answer.text.starts_with("SIP/2.0 1"))
        .collect();
    let ways = ["a=sendrecv", "a=recvonly", "a=inactive", "a=recvonly", "", "a=sendrecv", "a=sendrecv"];
    assert_eq!(answers.len(), ways.len());
    let mut origins = Vec::new();
    for (answer, way) in answers.iter().zip(ways) {
        if way.is_empty() {
            assert!(answer.text.starts_with("SIP/2.0 488"), "{}", answer.text);
            continue;
        }
        assert!(answer.has(way), "{way}: {}", answer.text);
        let origin = answer.line("o=").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        origins.push((origin[1].clone(), origin[2].parse::<u64>().unwrap()));
    }
    // RFC 3264 §8: one session, and a version that grows by one with each change.
    for pair in origins.windows(2) {
        assert_eq!(pair[0].0, pair[1].0, "{origins:?}");
        assert!(pair[1].1 == pair[0].1 || pair[1].1 == pair[0].1 + 1, "{origins:?}");
    }
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}

#[test]
fn callers_who_cancel_while_it_rings_get_487_and_a_record() {
    let (engine, _silent) = with_a_silent_sub_center("sipp-cancel");
    Scenario::of("cancel").arguments(&["-m", "5", "-r", "5"]).run(&engine, "12366");
    let calls = closed_calls(&engine, 5);
    assert_eq!(calls.len(), 5);
    assert!(calls.iter().all(|record| record.cause == Some(Cause::CallerCancelled)), "{calls:?}");
    assert!(calls.iter().all(|record| record.answered_at.is_none()));
}

#[test]
fn a_cancel_that_comes_too_late_changes_nothing() {
    let engine = Engine::start("sipp-late-cancel", WHEN);
    let log = Scenario::of("cancel_too_late").sdp(OFFER).run(&engine, "12345");
    assert!(log.received("SIP/2.0 487").is_empty());
    assert!(log.answer_to("CANCEL").text.starts_with("SIP/2.0 200"));
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}

#[test]
fn a_repeated_invite_is_one_call_and_gets_the_same_answer() {
    let (engine, _silent) = with_a_silent_sub_center("sipp-again");
    let log = Scenario::of("repeated_invite").arguments(&["-nr"]).run(&engine, "12366");
    let ringing = log.received("SIP/2.0 180");
    assert_eq!(ringing.len(), 3);
    assert!(ringing.iter().all(|again| again.text == ringing[0].text), "byte for byte");
    assert_eq!(closed_calls(&engine, 1).len(), 1);
}

#[test]
fn the_same_invite_by_another_way_is_refused_with_482() {
    let (engine, _silent) = with_a_silent_sub_center("sipp-merged");
    Scenario::of("merged").run(&engine, "12366");
    assert_eq!(closed_calls(&engine, 1).len(), 1);
}

pub fn a_call_whose_ack_is_lost_hears_200_for_32_s_and_then_bye() {
    let engine = Engine::start("sipp-lost-ack", WHEN);
    let scenario = Scenario::of("lost_ack").sdp(OFFER).within(Duration::from_secs(45));
    let log = scenario.run(&engine, "12345");
    let oks = log.received("SIP/2.0 200");
    // After 0.5, 1.5, 3.5 s and then every 4 s (RFC 3261 §13.3.1.4): 11 in 32 s.
    assert_eq!(oks.len(), 11);
    assert!(oks.iter().all(|ok| ok.text == oks[0].text), "byte for byte");
    let until_bye = log.last("BYE").at - oks[0].at;
    assert!(until_bye >= 31.9, "{until_bye}");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerVanished));
}

#[test]
fn what_goes_astray_in_a_dialog_gets_its_status_and_the_call_stands_until_its_bye() {
    let engine = Engine::start("sipp-strays", WHEN);
    let log = Scenario::of("strays").sdp(OFFER).arguments(&["-nr"]).run(&engine, "12345");
    assert_eq!(log.last("SIP/2.0 420").header("Unsupported"), Some("tea"));
    for status in ["405", "501"] {
        let allow = log.last(&format!("SIP/2.0 {status}")).header("Allow").map(str::to_owned);
        assert!(allow.is_some_and(|allow| allow.contains("INVITE") && allow.contains("BYE")), "{status}");
    }
    let byes: Vec<_> =
        log.received("SIP/2.0 200").into_iter().filter(|ok| ok.header("CSeq") == Some("16 BYE")).collect();
    assert_eq!(byes.len(), 2);
    assert_eq!(byes[0].text, byes[1].text, "the repeated BYE is answered by the same bytes");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}
