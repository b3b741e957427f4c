//! What the engine's database says of the calls that peers made.
#![allow(dead_code, reason = "each test target uses a part of it")]

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use hotline::io::store::{CallQuery, FILE, Reader, Ticket};
use hotline::switchboard::fact::What;
use hotline::telemetry::CallRecord;

use crate::engine::Engine;

fn reader(engine: &Engine) -> Reader {
    Reader::open(&engine.data.join(FILE)).unwrap()
}

/// All calls, newest first.
pub fn calls(engine: &Engine) -> Vec<CallRecord> {
    reader(engine).calls(&CallQuery { most: 1_000, ..CallQuery::default() }).unwrap()
}

/// All calls as soon as so many are closed.
pub fn closed_calls(engine: &Engine, wanted: usize) -> Vec<CallRecord> {
    settled_calls(engine, wanted, |record| record.cause.is_some())
}

/// All calls as soon as so many are closed, and their recordings whole.
pub fn recorded_calls(engine: &Engine, wanted: usize) -> Vec<CallRecord> {
    settled_calls(engine, wanted, |record| record.cause.is_some() && record.recording.is_some())
}

fn settled_calls(engine: &Engine, wanted: usize, settled: impl Fn(&CallRecord) -> bool) -> Vec<CallRecord> {
    let ends = Instant::now() + Duration::from_secs(10);
    // A socket that nobody writes to is the nap between two looks.
    let nap = UdpSocket::bind("127.0.0.1:0").unwrap();
    nap.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    loop {
        let calls = calls(engine);
        if calls.iter().filter(|record| settled(record)).count() >= wanted {
            return calls;
        }
        assert!(Instant::now() < ends, "{wanted} closed calls wanted: {calls:?}");
        let _ = nap.recv(&mut [0]);
    }
}

/// All tickets of the embedded office.
pub fn tickets(engine: &Engine) -> Vec<Ticket> {
    reader(engine).tickets(1_000).unwrap()
}

/// What happened on a call, in order.
pub fn facts(engine: &Engine, record: &CallRecord) -> Vec<What> {
    reader(engine).facts(record.call).unwrap().into_iter().map(|fact| fact.what).collect()
}
