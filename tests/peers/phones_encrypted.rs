//! baresip over TLS with SRTP: encrypted on one leg, in the clear on the other, heard on both.

use std::time::Duration;

use hotline::switchboard::fact::Cause;

use crate::baresip::{Baresip, Over, Speech};
use crate::engine::Engine;
use crate::phones::{CALLER_HZ, SEAT_HZ, the_only_call, tone_parts};
use crate::phones_connected::engine_with;

const MANDATORY: Speech = Speech { codecs: "PCMA,PCMU", encryption: Some("srtp-mand") };
const OPTIONAL: Speech = Speech { codecs: "PCMA,PCMU", encryption: Some("srtp") };
const GCM: &str = "SRTP is Enabled (cryptosuite=AEAD_AES_256_GCM)";
/// What baresip itself offers.
const SHA80: &str = "SRTP is Enabled (cryptosuite=AES_CM_128_HMAC_SHA1_80)";

/// Both hear one another, and the caller hangs up.
fn talk(engine: &Engine, mut seat: Baresip, mut caller: Baresip) {
    let secs = Duration::from_secs;
    caller.until_it_hears("the clerk's tone", secs(20), |heard| tone_parts(heard, SEAT_HZ) >= 10);
    seat.until_it_hears("the caller's tone", secs(10), |heard| tone_parts(heard, CALLER_HZ) >= 10);
    caller.command("hangup");
    seat.until_it_says("terminated", secs(5));
    caller.until_it_says("terminated", secs(5));
    let record = the_only_call(engine);
    assert_eq!(record.seat.as_ref().map(|seat| seat.as_str()), Some("1001"));
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}

#[test]
fn a_caller_in_the_clear_talks_with_a_seat_that_insists_on_encryption() {
    let required = ("#[seat_sound]\n", "[seat_sound]\nsrtp = \"required\"\n");
    let (engine, tls) = engine_with("srtp-seat", &[required]);
    let mut seat = Baresip::seat_with(&MANDATORY, &engine, &tls, "1001", SEAT_HZ);
    let caller = Baresip::caller(&engine, &Over::Udp, "13800000047", "12345", CALLER_HZ);
    seat.until_it_says(GCM, Duration::from_secs(30));
    talk(&engine, seat, caller);
}

#[test]
fn a_caller_who_insists_on_encryption_talks_with_a_seat_in_the_clear() {
    let (engine, tls) = engine_with("srtp-caller", &[]);
    let seat = Baresip::seat(&engine, &Over::Udp, "1001", SEAT_HZ);
    let called = ("13800000047", "12345");
    let mut caller = Baresip::caller_with(&MANDATORY, &engine, &tls, called, CALLER_HZ);
    caller.until_it_says(SHA80, Duration::from_secs(30));
    talk(&engine, seat, caller);
}

/// RFC 8643: neither insists, and both legs are encrypted, each by a suite and keys of its own.
#[test]
fn where_neither_side_insists_both_are_encrypted_all_the_same() {
    let (engine, tls) = engine_with("srtp-both", &[]);
    let mut seat = Baresip::seat_with(&OPTIONAL, &engine, &tls, "1001", SEAT_HZ);
    let mut caller = Baresip::caller_with(&OPTIONAL, &engine, &tls, ("13800000047", "12345"), CALLER_HZ);
    caller.until_it_says(SHA80, Duration::from_secs(30));
    seat.until_it_says(GCM, Duration::from_secs(30));
    talk(&engine, seat, caller);
}
