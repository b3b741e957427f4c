//! baresip with G.722: on both legs, and on one of them only.

use std::time::Duration;

use hotline::switchboard::fact::Cause;

use crate::baresip::{Baresip, Over, Speech};
use crate::phones::{CALLER_HZ, SEAT_HZ, the_only_call, tone_parts};
use crate::plan::engine_on_plan;

const WIDE: Speech = Speech { codecs: "G722/16000/1", encryption: None };
/// Of the carrier's trunk, which comes first in the shipped plan, and of all seats.
const LISTED: [(&str, &str); 2] = [
    ("# 同时通话数，来去合计。", "codecs = [\"G722\", \"PCMA\"]\n# 同时通话数，来去合计。"),
    ("#[seat_sound]\n", "[seat_sound]\ncodecs = [\"G722\", \"PCMA\"]\n"),
];

/// A caller and a clerk hear one another, the one or the other by G.722.
fn talk(name: &str, speech: [&Speech; 2]) {
    let secs = Duration::from_secs;
    let engine = engine_on_plan(name, "2021-12-01T09:00:00+08:00", &LISTED, &[]);
    let mut seat = Baresip::seat_with(speech[1], &engine, &Over::Udp, "1001", SEAT_HZ);
    let called = ("13800000047", "12345");
    let mut caller = Baresip::caller_with(speech[0], &engine, &Over::Udp, called, CALLER_HZ);
    for (phone, speech) in [(&mut seat, speech[1]), (&mut caller, speech[0])] {
        let codec = if speech.codecs == WIDE.codecs { "G722" } else { "PCMA" };
        phone.until_it_says(&format!("Set audio encoder: {codec} "), secs(30));
    }
    caller.until_it_hears("the clerk's tone", secs(20), |heard| tone_parts(heard, SEAT_HZ) >= 10);
    seat.until_it_hears("the caller's tone", secs(10), |heard| tone_parts(heard, CALLER_HZ) >= 10);
    caller.command("hangup");
    seat.until_it_says("terminated", secs(5));
    caller.until_it_says("terminated", secs(5));
    assert_eq!(the_only_call(&engine).cause, Some(Cause::CallerHungUp));
}

#[test]
fn a_caller_and_a_clerk_with_g722_hear_one_another() {
    talk("wide-both", [&WIDE, &WIDE]);
}

#[test]
fn a_caller_with_g722_and_a_clerk_with_g711_hear_one_another() {
    talk("wide-caller", [&WIDE, &Speech::PLAIN]);
}

#[test]
fn a_caller_with_g711_and_a_clerk_with_g722_hear_one_another() {
    talk("wide-seat", [&Speech::PLAIN, &WIDE]);
}
