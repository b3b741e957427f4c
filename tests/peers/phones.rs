//! Two baresip telephones, caller and seat, with real sound both ways.

use std::path::Path;
use std::time::Duration;

use hotline::io::recorder::{SealKeys, samples};
use hotline::phone::listen;
use hotline::switchboard::fact::Cause;
use hotline::telemetry::CallRecord;

use crate::baresip::{Baresip, Over};
use crate::engine::Engine;
use crate::plan::engine_on_plan;
use crate::records::{recorded_calls, tickets};

pub const CALLER_HZ: f32 = 440.0;
pub const SEAT_HZ: f32 = 1_000.0;
/// A fifth of a second.
const PART: usize = 1_600;

/// How many fifths of a second of `sound` are this tone and little else, about as loud as it was sent.
pub fn tone_parts(sound: &[i16], hertz: f32) -> usize {
    sound.chunks_exact(PART).filter(|part| is_tone(part, hertz)).count()
}

fn is_tone(part: &[i16], hertz: f32) -> bool {
    let level = |hertz: f32| listen::tone_level(part, f64::from(hertz));
    let other = if hertz == CALLER_HZ { SEAT_HZ } else { CALLER_HZ };
    level(hertz) > -18.0 && level(hertz) > level(other) + 12.0
}

fn last_second(sound: &[i16]) -> &[i16] {
    &sound[sound.len().saturating_sub(5 * PART)..]
}

fn prompt(id: &str) -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts").join(format!("{id}.wav"));
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

/// The prompts stand in `sound`, one behind the other; says where the last one begins.
fn prompts_in_order(sound: &[i16], ids: &[&str]) -> usize {
    let mut from = 0;
    for id in ids {
        let found = listen::find_in_pieces(&prompt(id), sound, from).filter(|found| found.score > 0.8);
        from = found.unwrap_or_else(|| panic!("{id} is not to be heard after sample {from}")).at_sample;
    }
    from
}

/// Left and right of the engine's own recording.
fn recording(engine: &Engine, record: &CallRecord) -> [Vec<i16>; 2] {
    let path = engine.data.join(record.recording.as_ref().expect("a recording"));
    let (both, channels) = samples(&path, &SealKeys::beside(&engine.data)).unwrap();
    assert_eq!(channels, 2);
    [0, 1].map(|first| both.iter().skip(first).step_by(2).copied().collect())
}

pub fn the_only_call(engine: &Engine) -> CallRecord {
    let calls = recorded_calls(engine, 1);
    let [record] = calls.as_slice() else { panic!("one call, one record: {calls:?}") };
    assert_eq!(tickets(engine).len(), 1, "one call, one ticket");
    assert_eq!(tickets(engine)[0].number, record.ticket);
    record.clone()
}

#[test]
fn a_caller_of_a_merged_number_talks_with_a_clerk_holds_resumes_and_hangs_up() {
    let engine = Engine::start("baresip-caller", "2021-09-01T09:00:00+08:00");
    let secs = Duration::from_secs;
    let mut seat = Baresip::seat(&engine, &Over::Udp, "1001", SEAT_HZ);
    let mut caller = Baresip::caller(&engine, &Over::Udp, "13800000047", "12336", CALLER_HZ);
    seat.until_it_says("Call established", secs(30));
    caller.until_it_hears("the clerk's tone", secs(20), |heard| tone_parts(heard, SEAT_HZ) >= 10);
    seat.until_it_hears("the caller's tone", secs(10), |heard| tone_parts(heard, CALLER_HZ) >= 10);

    caller.command("hold");
    seat.until_it_hears("music instead of the caller", secs(10), |heard| {
        tone_parts(last_second(heard), CALLER_HZ) == 0
            && listen::find(&prompt("hold_music")[..PART * 2], heard, 0)
                .is_some_and(|found| found.score > 0.8)
    });
    caller.command("resume");
    seat.until_it_hears("the caller again", secs(10), |heard| tone_parts(last_second(heard), CALLER_HZ) >= 4);
    caller.until_it_hears("the clerk again", secs(10), |heard| tone_parts(last_second(heard), SEAT_HZ) >= 4);

    caller.command("hangup");
    seat.until_it_says("terminated", secs(5));
    caller.until_it_says("terminated", secs(5));

    let heard = caller.heard();
    let last = prompts_in_order(&heard, &["transition", "greeting", "wei_nin_fuwu"]);
    assert_eq!(tone_parts(&heard[..last], SEAT_HZ), 0, "the clerk is heard after the greeting only");
    let record = the_only_call(&engine);
    assert_eq!((record.line.as_str(), record.caller.as_str()), ("12336", "13800000047"));
    assert_eq!(record.seat.as_ref().map(|seat| seat.as_str()), Some("1001"));
    assert_eq!((record.cause, record.grade), (Some(Cause::CallerHungUp), None));
    let [left, right] = recording(&engine, &record);
    assert!(tone_parts(&left, CALLER_HZ) >= 10, "the caller is on the left");
    assert_eq!(tone_parts(&left, SEAT_HZ), 0, "and the clerk is not");
    assert!(tone_parts(&right, SEAT_HZ) >= 10, "the clerk is on the right");
    assert_eq!(tone_parts(&right, CALLER_HZ), 0, "and the caller is not");
    prompts_in_order(&right, &["transition", "greeting", "wei_nin_fuwu"]);
}

#[test]
fn when_the_clerk_hangs_up_the_caller_is_asked_for_a_grade_and_then_let_go() {
    let edits = [("wait = \"8s\"", "wait = \"1s\""), ("tries = 2", "tries = 1")];
    let engine = engine_on_plan("baresip-seat", "2021-12-01T09:00:00+08:00", &edits, &[]);
    let secs = Duration::from_secs;
    let mut seat = Baresip::seat(&engine, &Over::Udp, "1002", SEAT_HZ);
    let mut caller = Baresip::caller(&engine, &Over::Udp, "13800000048", "12345", CALLER_HZ);
    seat.until_it_says("Call established", secs(30));
    caller.until_it_hears("the clerk's tone", secs(20), |heard| tone_parts(heard, SEAT_HZ) >= 5);
    seat.until_it_hears("the caller's tone", secs(10), |heard| tone_parts(heard, CALLER_HZ) >= 5);
    seat.command("hangup");
    seat.until_it_says("terminated", secs(5));
    caller.until_it_says("session closed", secs(30));

    let heard = caller.heard();
    prompts_in_order(&heard, &["greeting", "wei_nin_fuwu", "survey"]);
    assert!(listen::find_in_pieces(&prompt("transition"), &heard, 0).is_none_or(|found| found.score < 0.5));
    let record = the_only_call(&engine);
    assert_eq!((record.line.as_str(), record.caller.as_str()), ("12345", "13800000048"));
    assert_eq!(record.seat.as_ref().map(|seat| seat.as_str()), Some("1002"));
    assert_eq!((record.cause, record.grade), (Some(Cause::Completed), None));
    let [left, right] = recording(&engine, &record);
    assert!(tone_parts(&left, CALLER_HZ) >= 5 && tone_parts(&right, SEAT_HZ) >= 5);
    prompts_in_order(&right, &["greeting", "wei_nin_fuwu", "survey"]);
}
