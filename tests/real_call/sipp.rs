//! Real peers: SIPp against the engine's own binary. `tools/test` installs SIPp (Debian: sip-tester).

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::switchboard::fact::Cause;

use crate::engine::Engine;

/// Runs SIPp with its own or a scenario of ours; what it printed comes back if it failed.
fn sipp(engine: &Engine, arguments: &[&str]) -> Result<(), String> {
    let out = Command::new("sipp")
        .args(["-i", "127.0.0.1", "-nostdin", "-timeout", "60s"])
        .args(arguments)
        .arg(engine.sip.to_string())
        .current_dir(&engine.data)
        .output()
        .expect("SIPp is installed (tools/test does it)");
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    if out.status.success() { Ok(()) } else { Err(text) }
}

fn closed_calls(engine: &Engine, wanted: usize) -> Vec<hotline::telemetry::CallRecord> {
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let began = Instant::now();
    loop {
        let query = CallQuery { most: 1_000, ..CallQuery::default() };
        let calls = reader.calls(&query).unwrap();
        if calls.iter().filter(|record| record.cause.is_some()).count() >= wanted {
            return calls;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{wanted} closed calls wanted: {calls:?}");
    }
}

#[test]
fn thirty_callers_are_answered_and_each_leaves_one_record_and_one_ticket() {
    let engine = Engine::start("sipp-uac", "2021-12-01T09:00:00+08:00");
    let run = sipp(&engine, &["-sn", "uac", "-s", "12345", "-m", "30", "-r", "10", "-d", "1500"]);
    run.unwrap_or_else(|text| panic!("{text}"));
    let calls = closed_calls(&engine, 30);
    assert_eq!(calls.len(), 30);
    assert!(calls.iter().all(|record| record.cause == Some(Cause::CallerHungUp) && !record.undurable));
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    assert_eq!(reader.tickets(1_000).unwrap().len(), 30);
}

#[test]
fn a_caller_who_cancels_gets_487_and_a_record() {
    // A sub-center that never says a word: the caller hears it ring.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let trunk = format!("sub-12366={}", silent.local_addr().unwrap());
    let engine = Engine::start_with("sipp-cancel", "2021-12-01T09:00:00+08:00", &["--trunk", &trunk]);
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp/cancel.xml");
    let run = sipp(&engine, &["-sf", scenario.to_str().unwrap(), "-s", "12366", "-m", "5", "-r", "5"]);
    run.unwrap_or_else(|text| panic!("{text}"));
    let calls = closed_calls(&engine, 5);
    assert!(calls.iter().all(|record| record.cause == Some(Cause::CallerCancelled)), "{calls:?}");
    assert!(calls.iter().all(|record| record.answered_at.is_none()));
}

#[test]
fn numbers_that_are_not_ours_are_not_served() {
    let engine = Engine::start("sipp-404", "2021-12-01T09:00:00+08:00");
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp/refused.xml");
    for number in ["110", "119", "0086119", "16812345", "12344"] {
        let run = sipp(&engine, &["-sf", scenario.to_str().unwrap(), "-s", number, "-m", "1"]);
        run.unwrap_or_else(|text| panic!("{number}: {text}"));
    }
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    assert_eq!(reader.calls(&CallQuery { most: 10, ..CallQuery::default() }).unwrap(), []);
}

#[test]
fn noise_gets_silence_and_the_engine_goes_on() {
    let engine = Engine::start("noise", "2021-12-01T09:00:00+08:00");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    for noise in
        [&b"\0\0\0\0"[..], b"INVITE", b"GET / HTTP/1.1\r\n\r\n", &[0xff; 1_400], b"SIP/2.0 200 OK\r\n\r\n"]
    {
        socket.send_to(noise, engine.sip).unwrap();
    }
    let local = socket.local_addr().unwrap();
    let options = format!(
        "OPTIONS sip:12345@{0} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKnoise;rport\r\n\
         From: <sip:a@{local}>;tag=1\r\nTo: <sip:12345@{0}>\r\nCall-ID: noise\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        engine.sip
    );
    socket.send_to(options.as_bytes(), engine.sip).unwrap();
    let mut room = [0; 2_048];
    let (length, _) = socket.recv_from(&mut room).expect("an answer to the one good request");
    assert!(room[..length].starts_with(b"SIP/2.0 200 "), "{}", String::from_utf8_lossy(&room[..length]));
}
