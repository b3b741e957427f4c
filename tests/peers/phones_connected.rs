//! baresip over connections: what a seat registered over is what it is rung by (RFC 5626 §5.3), and
//! where that is gone, so is the seat.

use std::time::Duration;

use hotline::switchboard::fact::Cause;

use crate::authority::Authority;
use crate::baresip::{Baresip, Over};
use crate::engine::{Engine, data_dir};
use crate::phones::{CALLER_HZ, SEAT_HZ, the_only_call, tone_parts};
use crate::plan::engine_on_plan;

const TLS: (&str, &str) =
    ("[limits]\n", "[tls]\ncertificate = \"own.pem\"\nkey = \"own.key\"\nclient_ca = \"ca.pem\"\n[limits]\n");

/// An engine with a listener of each kind, and a way to it over TLS: who connects must show a
/// certificate.
fn engine(name: &str) -> (Engine, Over) {
    engine_with(name, &[])
}

/// The same with further edits of the plan.
pub fn engine_with(name: &str, edits: &[(&str, &str)]) -> (Engine, Over) {
    let data = data_dir(name);
    std::fs::create_dir_all(&data).unwrap();
    let ours = Authority::new("ours");
    ours.write(&data, "ca.pem");
    ours.sign(&data, "own", &["127.0.0.1"]);
    let desk = ours.sign(&data, "desk", &["desk.example"]);
    let certificate = data.join("both.pem");
    let both = [desk.certificate, desk.key].map(|file| std::fs::read_to_string(file).unwrap()).concat();
    std::fs::write(&certificate, both).unwrap();
    let more = ["--listen", "tcp:127.0.0.1:0", "--listen", "tls:127.0.0.1:0", "--http", "127.0.0.1:0"];
    let edits = [&[TLS], edits].concat();
    (engine_on_plan(name, "2021-12-01T09:00:00+08:00", &edits, &more), Over::Tls { certificate })
}

/// A caller over TLS talks with a seat that registered over `over`, and the seat's telephone dies.
fn talks(engine: &Engine, tls: &Over, over: &Over) {
    let secs = Duration::from_secs;
    let mut seat = Baresip::seat(engine, over, "1001", SEAT_HZ);
    engine.until("hotline_sip_table_rows{table=\"bindings\"}", "1");
    engine.until("hotline_sip_connections", "1");
    let mut caller = Baresip::caller(engine, tls, "13800000047", "12345", CALLER_HZ);
    seat.until_it_says("Call established", secs(30));
    caller.until_it_hears("the clerk's tone", secs(20), |heard| tone_parts(heard, SEAT_HZ) >= 5);
    seat.until_it_hears("the caller's tone", secs(10), |heard| tone_parts(heard, CALLER_HZ) >= 5);
    // The caller's and the seat's own: neither INVITE nor ACK made another.
    engine.until("hotline_sip_connections", "2");
    caller.command("hangup");
    seat.until_it_says("terminated", secs(5));
    caller.until_it_says("terminated", secs(5));
    let record = the_only_call(engine);
    assert_eq!((record.line.as_str(), record.caller.as_str()), ("12345", "13800000047"));
    assert_eq!(record.seat.as_ref().map(|seat| seat.as_str()), Some("1001"));
    assert_eq!(record.cause, Some(Cause::CallerHungUp));

    drop((seat, caller));
    engine.until("hotline_sip_connections", "0");
    engine.until("hotline_sip_table_rows{table=\"bindings\"}", "0");
    engine.until("hotline_seats{state=\"signed_out\"}", "12"); // All that the shipped plan has.
}

#[test]
fn a_caller_over_tls_talks_with_a_seat_over_tcp_that_is_signed_out_with_its_connection() {
    let (engine, tls) = engine("baresip-tcp");
    talks(&engine, &tls, &Over::Tcp);
}

#[test]
fn a_caller_over_tls_talks_with_a_seat_over_tls_that_is_signed_out_with_its_connection() {
    let (engine, tls) = engine("baresip-tls");
    talks(&engine, &tls, &tls);
}
