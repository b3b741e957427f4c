//! What signalling costs in CPU, without sockets: one transaction, one answered call, one bridged call.
//!
//! Messages of the peers are made beforehand where they can be; what is measured is the endpoint
//! with its parsing, its transactions and its timers, and a little cutting of tags from its answers.

#[path = "line/mod.rs"]
mod line;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use hotline::io::clock::Clock;
use hotline::io::trace::Tracer;
use hotline::routing::trace::Trace;
use hotline::sip::Transport;
use hotline::sip::event::{ListenerConfig, Packet};

use line::{Line, OFFER, PEER, request};

fn signalling(criterion: &mut Criterion) {
    let mut line = Line::new();
    let (session, call) = line.call_in();
    let tag = line.answer(session, call);
    let mut seq = 1;
    criterion.bench_function("one transaction: OPTIONS in a dialog and its 200", |bench| {
        bench.iter(|| {
            line.next_call();
            seq += 1;
            line.hear(request("OPTIONS", call, seq, &tag, ""));
            assert!(!line.drain("SIP/2.0 200").0.is_empty());
        });
    });
    let mut line = Line::new();
    criterion.bench_function("one answered call: INVITE 180 200 ACK BYE 200", |bench| {
        bench.iter(|| line.round());
    });
    let mut line = Line::new();
    criterion.bench_function("one bridged call through the endpoint", |bench| {
        bench.iter(|| line.bridged_round());
    });
}

/// What the control loop pays to have the seven messages of an answered call traced; the thread that
/// writes them is not part of it.
fn trace(criterion: &mut Criterion) {
    let data = std::env::temp_dir().join(format!("hotline-bench-trace-{}", std::process::id()));
    std::fs::create_dir_all(&data).unwrap();
    let face = ListenerConfig {
        transport: Transport::Udp,
        bind: "127.0.0.1:5060".parse().unwrap(),
        advertise: "127.0.0.1".parse().unwrap(),
    };
    let mut tracer = Tracer::start(data.clone(), Trace::default(), &[face], Clock::system()).unwrap();
    let invite = format!("INVITE sip:12345@127.0.0.1 SIP/2.0\r\nCall-ID: a\r\n\r\n{OFFER}");
    let packet = Packet { listener: 0, peer: PEER.parse().unwrap(), bytes: Bytes::from(invite) };
    criterion.bench_function("seven messages traced, in four turns", |bench| {
        bench.iter(|| {
            for message in 0..7 {
                tracer.sent(&packet);
                if message % 2 == 0 {
                    tracer.hand_over();
                }
            }
        });
    });
    println!("kept, refused, …: {:?}", tracer.totals());
    drop(tracer);
    std::fs::remove_dir_all(data).unwrap();
}

criterion_group!(benches, signalling, trace);
criterion_main!(benches);
