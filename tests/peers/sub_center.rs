//! SIPp as a sub-center that the engine calls by its trunk, and as the citizen who calls it.

use std::net::{SocketAddr, UdpSocket};

use hotline::switchboard::fact::Cause;

use crate::engine::{Engine, data_dir};
use crate::plan::engine_on_plan;
use crate::records::{closed_calls, tickets};
use crate::sipp::{Log, OFFER, Running, Scenario, free_port};

const WHEN: &str = "2021-12-01T09:00:00+08:00";
const RINGS_SHORTLY: (&str, &str) = ("ring = \"25s\"", "ring = \"2s\"");

pub fn engine(name: &str, at: SocketAddr) -> Engine {
    let trunk = format!("sub-12366={at}");
    engine_on_plan(name, WHEN, &[RINGS_SHORTLY], &["--trunk", &trunk])
}

/// The sub-center's desk, which is there before the engine calls.
pub fn desk(name: &str, scenario: Scenario) -> (SocketAddr, Running) {
    // Beside the engine's data, and gone with it.
    let dir = data_dir(name);
    let at = free_port();
    let running = scenario.listen(&dir, at);
    (at, running)
}

#[test]
fn a_sub_center_that_answers_after_ringing_talks_with_the_caller_and_is_released_with_him() {
    let (at, desk) = desk("sub-answers", Scenario::of("sub_answers"));
    let engine = engine("sub-answers", at);
    Scenario::of("answered").sdp(OFFER).with("pause", "800").run(&engine, "12366");
    let log = desk.finish();
    let invite = &log.received("INVITE")[0];
    assert!(invite.text.starts_with(&format!("INVITE sip:12366@{at} SIP/2.0")), "{}", invite.text);
    assert!(invite.header("From").is_some_and(|from| from.contains("<sip:13800000044@")), "{}", invite.text);
    assert!(invite.line("m=audio ").ends_with(" RTP/AVP 8 0 101"), "{}", invite.text);
    assert!(invite.has("a=ptime:20"), "{}", invite.text);
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
    assert_eq!((record.cause, record.ticket_left), (Some(Cause::CallerHungUp), None));
}

#[test]
fn what_a_sub_center_says_before_its_answer_reaches_the_caller_as_early_media() {
    let (at, desk) = desk("sub-early", Scenario::of("sub_early"));
    let engine = engine("sub-early", at);
    let early = Scenario::of("answered_early").sdp(OFFER).run(&engine, "12366");
    let (progress, ok) = (early.last("SIP/2.0 183"), early.answer_to("INVITE"));
    assert_eq!(progress.line("m=audio "), ok.line("m=audio "));
    assert_eq!(progress.header("To"), ok.header("To"), "one dialog");
    let invite = desk.finish().received("INVITE")[0].header("Max-Forwards").map(str::to_owned);
    assert_eq!(invite.as_deref(), Some("69"), "one hop less than the caller's, or loops never end");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
}

#[test]
fn a_sub_center_that_refuses_or_is_not_there_leaves_the_caller_to_12345_with_a_ticket() {
    std::thread::scope(|all| {
        for status in ["486", "503", "603"] {
            all.spawn(move || {
                let name = format!("sub-{status}");
                let (at, desk) = desk(&name, Scenario::of("sub_refuses").with("status", status));
                let engine = engine(&name, at);
                falls_to_12345(&engine);
                desk.finish();
            });
        }
    });
    // Nobody listens there: ICMP says so at once, long before the trunk's time-out. A socket that is
    // connected elsewhere keeps the port from others and takes nothing from the engine.
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap();
    nobody.connect("127.0.0.1:9").unwrap();
    let engine = engine("sub-icmp", nobody.local_addr().unwrap());
    let log = falls_to_12345(&engine);
    let waited = log.answer_to("INVITE").at - log.received("SIP/2.0 100")[0].at;
    assert!(waited < 0.9, "not by the connect time-out of 1 s: {waited}");
}

#[test]
fn a_sub_center_that_rings_for_too_long_is_cancelled_and_the_caller_falls_to_12345() {
    let (at, desk) = desk("sub-rings", Scenario::of("sub_rings"));
    let engine = engine("sub-rings", at);
    falls_to_12345(&engine);
    let log = desk.finish();
    let rang = log.received("CANCEL")[0].at - log.received("INVITE")[0].at;
    assert!(rang >= 1.9, "the plan's 2 s: {rang}");
}

#[test]
fn an_answer_that_crosses_our_cancel_is_acknowledged_and_released_with_bye() {
    let (at, desk) = desk("sub-crosses", Scenario::of("sub_crosses"));
    let engine = engine("sub-crosses", at);
    falls_to_12345(&engine);
    let log = desk.finish();
    for method in ["INVITE", "CANCEL", "ACK", "BYE"] {
        assert_eq!(log.received(method).len(), 1, "{method}");
    }
}

#[test]
fn a_caller_who_cancels_takes_the_ringing_sub_center_with_him() {
    let (at, desk) = desk("sub-cancelled", Scenario::of("sub_rings"));
    let engine = engine("sub-cancelled", at);
    Scenario::of("cancel").run(&engine, "12366");
    desk.finish();
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerCancelled));
}

#[test]
fn a_sub_center_that_vanishes_while_talking_is_found_out_and_the_call_ended() {
    let name = "sub-vanishes";
    let (at, desk) = desk(name, Scenario::of("sub_vanishes"));
    let trunk = format!("sub-12366={at}");
    let silence = ("silence_max = \"12s\"", "silence_max = \"2s\"");
    let engine = engine_on_plan(name, WHEN, &[silence], &["--trunk", &trunk]);
    // The caller is silent too, but answers OPTIONS, so it is the sub-center that is missed.
    let caller = Scenario::of("let_go_alive").sdp(OFFER).start(&engine, "12366");
    desk.finish();
    let log = caller.finish();
    assert!(!log.received("OPTIONS").is_empty(), "the caller was asked too");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!((record.cause, record.peer.as_deref()), (Some(Cause::OtherHungUp), Some("sub-12366/12366")));
}

/// Keys go there by INFO.
const BY_INFO: (&str, &str) = ("name = \"sub-12366\"\n", "name = \"sub-12366\"\ndtmf = \"info\"\n");

#[test]
fn a_callers_keys_reach_a_sub_centers_menu_by_info_one_answered_before_the_next() {
    let name = "sub-info";
    let (at, desk) = desk(name, Scenario::of("sub_takes_keys"));
    let trunk = format!("sub-12366={at}");
    let engine = engine_on_plan(name, WHEN, &[BY_INFO], &["--trunk", &trunk]);
    Scenario::of("presses").sdp(OFFER).with("pause", "800").run(&engine, "12366");
    let log = desk.finish();
    assert!(log.received("INVITE")[0].line("m=audio ").ends_with(" RTP/AVP 8 0"), "no events are offered");
    let keys = log.received("INFO");
    let said: Vec<&str> = keys.iter().map(|info| info.line("Signal=")).collect();
    assert_eq!(said, ["Signal=4", "Signal=2"]);
    assert_eq!(keys[0].header("Content-Type"), Some("application/dtmf-relay"));
    assert_eq!(keys[0].header("Info-Package"), None, "RFC 6086 §4.2.1");
}

#[test]
fn a_sub_center_that_takes_no_info_is_asked_once_counted_and_talks_on() {
    let name = "sub-no-info";
    let (at, desk) = desk(name, Scenario::of("sub_takes_no_keys"));
    let trunk = format!("sub-12366={at}");
    let engine = engine_on_plan(name, WHEN, &[BY_INFO], &["--trunk", &trunk, "--http", "127.0.0.1:0"]);
    Scenario::of("presses").sdp(OFFER).with("pause", "800").run(&engine, "12366");
    assert_eq!(desk.finish().received("INFO").len(), 1, "the second key is a tone");
    engine.until("hotline_trunk_keys_refused_total{trunk=\"sub-12366\"}", "1");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!((record.cause, record.peer.as_deref()), (Some(Cause::CallerHungUp), Some("sub-12366/12366")));
}

/// Calls 12366, is answered by 12345 instead, and hangs up while the words are said.
pub fn falls_to_12345(engine: &Engine) -> Log {
    let log = Scenario::of("answered").sdp(OFFER).with("pause", "600").run(engine, "12366");
    let [record] = closed_calls(engine, 1).try_into().unwrap();
    assert_eq!((record.line.as_str(), record.cause), ("12366", Some(Cause::CallerHungUp)));
    assert_eq!((record.peer, record.ticket_left.as_deref()), (None, Some("sub_center_unanswered")));
    assert_eq!(tickets(engine).len(), 1, "one call, one ticket");
    log
}
