//! Who and what is turned away, and how: statuses of RFC 3261, and nothing for strangers.

use hotline::switchboard::fact::Cause;

use crate::engine::Engine;
use crate::plan::engine_on_plan;
use crate::records::{calls, closed_calls};
use crate::sipp::{OFFER, Scenario};

const WHEN: &str = "2021-12-01T09:00:00+08:00";
/// The shipped plan trusts all of loopback; here only one address of it.
const ONE_CARRIER: (&str, &str) =
    ("sources = [\"127.0.0.0/8\", \"::1/128\"]", "sources = [\"127.0.0.1/32\"]");

fn refused(status: u16) -> Scenario {
    Scenario::of("refused").with("status", &status.to_string())
}

fn request(method: &str, status: u16) -> Scenario {
    Scenario::of("request").with("method", method).with("status", &status.to_string())
}

#[test]
fn numbers_that_are_not_ours_are_not_served() {
    let engine = Engine::start("sipp-404", WHEN);
    for number in ["110", "119", "0086119", "16812345", "12344", "037112345", "13800000001", "+85212345"] {
        refused(404).run(&engine, number);
    }
    assert_eq!(calls(&engine), []);
}

#[test]
fn the_engine_relays_to_nobody_outside() {
    let engine = Engine::start("sipp-relay", WHEN);
    let elsewhere = [
        "sip:13800000001@198.51.100.1:5060",
        "sip:alice@example.com",
        "sip:1001@hotline.puyang",
        "sip:110@198.51.100.1",
        "tel:+8613800000001",
        "sip:198.51.100.1",
    ];
    for uri in elsewhere {
        // With a Route to somewhere else, too: it is not followed.
        let scenario = refused(404).with("uri", uri).headers(&["Route: <sip:198.51.100.1;lr>"]);
        let log = scenario.run(&engine, "16812345");
        assert!(log.received("SIP/2.0 2").is_empty(), "{uri}");
    }
    assert_eq!(calls(&engine), []);
}

#[test]
fn an_invite_that_cannot_be_served_gets_the_status_that_the_rfc_names() {
    let engine = Engine::start("sipp-statuses", WHEN);
    let long = format!("X-Long: {}", "a".repeat(1_000));
    let log = refused(420).headers(&["Require: 100rel, coffee"]).run(&engine, "12345");
    assert_eq!(log.last("SIP/2.0 420").header("Unsupported"), Some("coffee"));
    let log = refused(415).headers(&["Content-Type: text/plain"]).with("body", "hello").run(&engine, "12345");
    assert_eq!(
        log.last("SIP/2.0 415").header("Accept"),
        Some("application/sdp, multipart/mixed, multipart/alternative")
    );
    refused(415)
        .headers(&["Content-Type: application/sdp", "Content-Encoding: gzip"])
        .with("body", OFFER)
        .run(&engine, "12345");
    refused(400).sdp("v=0\nthis is no description").run(&engine, "12345");
    refused(483).with("hops", "0").run(&engine, "12345");
    refused(416).with("uri", "urn:service:sos").run(&engine, "12345");
    refused(416).with("uri", "mailto:12345@hotline.puyang").run(&engine, "12345");
    refused(400).with("uri", "sip:12345@[remote_ip]?Replaces=x").run(&engine, "12345");
    refused(400).with("hops", "many").run(&engine, "12345");
    refused(400).headers(&["Contact: <<sip:broken>"]).run(&engine, "12345");
    refused(400).headers(&["CSeq: 2 INVITE"]).run(&engine, "12345");
    refused(404).headers(&[&long]).run(&engine, "16812345");
    assert_eq!(calls(&engine), [], "none of them was a call");
}

#[test]
fn requests_outside_of_any_dialog_get_the_status_that_the_rfc_names() {
    let engine = Engine::start("sipp-requests", WHEN);
    let log = request("OPTIONS", 200).run(&engine, "12345");
    let ok = log.last("SIP/2.0 200");
    let accept =
        "application/sdp, multipart/mixed, multipart/alternative, application/dtmf-relay, application/dtmf";
    assert_eq!(ok.header("Accept"), Some(accept));
    assert!(ok.header("Allow").is_some_and(|allow| allow.contains("INVITE")), "{}", ok.text);
    assert!(ok.header("To").is_some_and(|to| to.contains(";tag=")), "{}", ok.text);
    let log = request("OPTIONS", 420).headers(&["Require: coffee"]).run(&engine, "12345");
    assert_eq!(log.last("SIP/2.0 420").header("Unsupported"), Some("coffee"));
    for (method, status) in [
        ("MESSAGE", 405),
        ("SUBSCRIBE", 489),
        ("NOTIFY", 489),
        ("REFER", 603),
        ("PUBLISH", 405),
        ("INFO", 481),
        ("UPDATE", 481),
        ("PRACK", 481),
        ("BREW", 501),
        ("invite", 501),
        ("BYE", 481),
        ("CANCEL", 481),
    ] {
        let log = request(method, status).run(&engine, "12345");
        if matches!(status, 405 | 501) {
            let allow = log.answer_to(method).header("Allow").unwrap_or_default().to_owned();
            assert!(allow.contains("INVITE") && !allow.contains(method), "{method}: {allow}");
        }
    }
    assert_eq!(calls(&engine), []);
}

#[test]
fn a_caller_from_an_address_that_is_no_trunks_is_refused_and_leaves_nothing() {
    let engine = engine_on_plan("sipp-stranger", WHEN, &[ONE_CARRIER], &[]);
    for source in ["127.0.0.2", "127.9.9.9"] {
        refused(403).sdp(OFFER).arguments(&["-i", source]).run(&engine, "12345");
    }
    assert_eq!(calls(&engine), []);
    Scenario::of("answered").sdp(OFFER).with("pause", "100").run(&engine, "12345");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}

#[test]
fn whoever_says_to_be_a_seat_must_prove_it_wherever_it_calls_from() {
    let engine = engine_on_plan("sipp-seat", WHEN, &[ONE_CARRIER], &[]);
    for source in ["127.0.0.1", "127.0.0.2"] {
        for from in ["<sip:1001@hotline.puyang>", "\"desk\" <sip:1001@127.0.0.1>"] {
            let scenario = refused(401).with("from", from).sdp(OFFER).arguments(&["-i", source]);
            let log = scenario.run(&engine, "12345");
            let challenge = log.last("SIP/2.0 401").header("WWW-Authenticate").unwrap().to_owned();
            assert!(challenge.contains("realm=\"hotline.puyang\""), "{challenge}");
        }
    }
    assert_eq!(calls(&engine), []);
}

#[test]
fn a_seat_signs_in_refreshes_and_signs_out_with_a_phone_that_knows_md5_only() {
    let engine = Engine::start("sipp-register", WHEN);
    let scenario = Scenario::of("register").with("user", "1003").with("password", &engine.password("1003"));
    // SIPp's proof is for its peer's address unless it is told what it registers with.
    let log = scenario.arguments(&["-auth_uri", "hotline.puyang"]).run(&engine, "1003");
    assert_eq!(log.last("SIP/2.0 423").header("Min-Expires"), Some("60"));
    let oks: Vec<_> = log.received("SIP/2.0 200").iter().map(|ok| ok.header("Contact")).collect();
    let [bound, asked, gone, asked_again] = oks.as_slice() else { panic!("{oks:?}") };
    for contact in [bound, asked] {
        let contact = contact.expect("the binding");
        let (uri, left) = contact.split_once(">;expires=").expect("its time");
        assert!(uri.starts_with("<sip:seat@127.0.0.1:"), "{contact}");
        assert!((110..=120).contains(&left.parse::<u32>().unwrap()), "{contact}");
    }
    assert_eq!((gone, asked_again), (&None, &None));
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_alike() {
    let engine = Engine::start("sipp-guess", WHEN);
    let answers: Vec<Vec<String>> = ["1003", "1999"]
        .iter()
        .map(|user| {
            let log = Scenario::of("register_wrong")
                .with("user", user)
                .with("password", "guess")
                .run(&engine, user);
            log.received("SIP/2.0 ").iter().map(|answer| shape(&answer.text, user)).collect()
        })
        .collect();
    assert_eq!(answers[0].len(), 3);
    assert_eq!(answers[0], answers[1]);
}

/// A message without what differs between any two.
fn shape(text: &str, user: &str) -> String {
    let mut lines = Vec::new();
    for line in text.replace(user, "user").lines() {
        let name = line.split(':').next().unwrap_or_default();
        let kept = match name {
            "Via" | "Call-ID" | "To" => name.to_owned(),
            "WWW-Authenticate" => {
                let (before, rest) = line.split_once("nonce=\"").expect("a nonce");
                let (nonce, after) = rest.split_once('"').unwrap();
                format!("{before}{}{after}", nonce.len())
            }
            _ => line.to_owned(),
        };
        lines.push(kept);
    }
    lines.join("\n")
}
