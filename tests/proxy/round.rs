//! Calls that come back to where they were: by a proxy, or by a neighbour that sends them on.

use std::net::SocketAddr;

use hotline::switchboard::fact::Cause;

use crate::city::{City, WHEN};
use crate::engine::{Engine, data_dir};
use crate::kamailio::{Script, free_ports};
use crate::phone::{Phone, fields};
use crate::plan::engine_on_plan;
use crate::records::{closed_calls, tickets};
use crate::sipp::{OFFER, Scenario, free_port};

#[test]
fn a_proxy_that_sends_our_own_invite_back_gets_482_and_the_caller_falls_to_12345() {
    let city = City::with_trunk(
        "proxy-spiral",
        &[],
        |proxy| format!("target = \"{proxy}\""),
        |script, engine| script.outward(&[engine.sip]),
    );
    let log = Scenario::of("answered").sdp(OFFER).with("pause", "300").run(&city.engine, "12366");
    assert!(log.answer_to("INVITE").text.starts_with("SIP/2.0 200 "));
    city.proxy.until_it_says("answered 482 to INVITE");
    let [record] = closed_calls(&city.engine, 1).try_into().unwrap();
    assert_eq!((record.peer.as_deref(), record.cause), (None, Some(Cause::CallerHungUp)));
    assert!(record.ticket_left.is_some());
    assert_eq!(tickets(&city.engine).len(), 1);
}

/// Two engines, and the way from the first to the second in the hands of `between`; the second's leads
/// back.
fn two(name: &str, between: impl Fn(SocketAddr) -> SocketAddr) -> [Engine; 2] {
    let back = free_port();
    let way = format!("sub-12366={back}");
    let figures = ["--http", "127.0.0.1:0"];
    let there =
        engine_on_plan(&format!("{name}-there"), WHEN, &[], &[&["--trunk", &way], &figures[..]].concat());
    let way = format!("sub-12366={}", between(there.sip));
    let listen = back.to_string();
    let more = [&["--listen", &listen, "--trunk", &way], &figures[..]].concat();
    [engine_on_plan(&format!("{name}-here"), WHEN, &[], &more), there]
}

/// Both are idle again, after so many calls each, and answer the next caller.
fn serve(engines: &[Engine; 2], calls: [usize; 2]) {
    for (engine, calls) in engines.iter().zip(calls) {
        engine.until("hotline_calls_active", "0");
        assert_eq!(closed_calls(engine, calls).len(), calls);
        let log = Scenario::of("answered").sdp(OFFER).with("pause", "300").run(engine, "12345");
        assert!(log.answer_to("INVITE").text.starts_with("SIP/2.0 200 "));
        assert_eq!(closed_calls(engine, calls + 1).len(), calls + 1);
    }
}

#[test]
fn two_engines_that_send_12366_to_one_another_end_it_in_one_round_and_serve_the_next_call() {
    let engines = two("round", |there| there);
    let log = Scenario::of("answered").sdp(OFFER).with("pause", "300").run(&engines[0], "12366");
    assert!(log.answer_to("INVITE").text.starts_with("SIP/2.0 200 "));
    // The second is told 482 by the first, and has the caller wait for its own 12345.
    serve(&engines, [1, 1]);
    let there = &closed_calls(&engines[1], 2)[1];
    assert_eq!((there.line.as_str(), there.peer.as_deref()), ("12366", None));
    assert_eq!(there.ticket_left.as_deref(), Some("sub_center_unanswered"));
}

#[test]
fn where_a_box_between_them_hides_who_is_calling_the_hops_run_out() {
    let name = "round-hops";
    let dir = data_dir(name);
    std::fs::create_dir_all(&dir).unwrap();
    let [at] = free_ports();
    let proxy = std::cell::OnceCell::new();
    let engines = two(name, |there| {
        let script = Script::new(at, there, &[there]).without_session_id();
        let _ = proxy.set(script.start(&dir));
        at
    });
    let caller = Scenario::of("answered").sdp(OFFER).with("pause", "300").with("hops", "6");
    let log = caller.run(&engines[0], "12366");
    assert!(log.answer_to("INVITE").text.starts_with("SIP/2.0 200 "));
    // 6 to the first, 4 to the second, 3 to the first again, 1 to the second, 0 to the first: 483.
    serve(&engines, [2, 2]);
    let _ = std::fs::remove_dir_all(&dir);
}

const CALLER: &str = "00112233445566778899aabbccddeeff";

/// The center calls the engine for the caller that the engine has called it for.
fn calls_back(center: &Phone, engine: &Engine, number: &str, branch: &str) {
    let request = format!(
        "INVITE sip:{number}@h SIP/2.0\nFrom: <sip:13800000044@127.0.0.1>;tag={branch}\nTo: <sip:{number}@h>\n\
         Call-ID: {branch}\nCSeq: 1 INVITE\nMax-Forwards: 70\n\
         Session-ID: {CALLER};remote=00000000000000000000000000000000"
    );
    center.send(engine.sip, branch, &request, &center.sdp());
}

#[test]
fn a_caller_who_comes_back_to_the_line_he_is_put_through_from_gets_482_and_only_there_and_then() {
    let mut center = Phone::new("center");
    let trunk = format!("sub-12366={}", center.at());
    let engine = engine_on_plan("round-session-id", WHEN, &[], &["--trunk", &trunk]);
    let citizen = Scenario::of("answered").sdp(OFFER).with("pause", "3000");
    let session = format!("Session-ID: {CALLER};remote=00000000000000000000000000000000");
    let citizen = citizen.with("hops", &format!("70\n    {session}")).start(&engine, "12366");
    let invite = center.until("INVITE sip:12366@");
    assert!(fields(&invite, "Session-ID")[0].starts_with(CALLER), "{invite}");
    center.answer(&invite, "180 Ringing", &[], "");
    calls_back(&center, &engine, "12366", "same");
    center.until("SIP/2.0 482");
    calls_back(&center, &engine, "12345", "other");
    center.until("SIP/2.0 200");

    center.answer(&invite, "200 OK", &[], &center.sdp());
    center.until("ACK ");
    calls_back(&center, &engine, "12366", "later");
    let again = center.until("INVITE sip:12366@");
    center.answer(&again, "486 Busy Here", &[], "");
    drop(citizen);
}
