//! Real calls through the whole house: the engine's own binary, telephones over real UDP on
//! loopback, the clock set inside the transition months. Telephones are our own; for others' see
//! `tests/peers`.

#[path = "../engine/mod.rs"]
mod engine;
mod line;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant as SystemInstant};

use engine::Engine;
use hotline::io::recorder::{SealKeys, samples};
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::{Answers, Dial, Phone, PhoneEvent, listen};
use hotline::switchboard::fact::Cause;
use line::Lines;

fn prompt(id: &str) -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts").join(format!("{id}.wav"));
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

fn tone(hertz: f32) -> Arc<[i16]> {
    (0..8_000)
        .map(|n| (6_000.0 * (n as f32 / 8_000.0 * hertz * std::f32::consts::TAU).sin()) as i16)
        .collect()
}

#[test]
fn a_caller_of_a_merged_number_hears_the_transition_talks_to_a_clerk_and_grades_the_call() {
    let engine = Engine::start("real-call", "2021-09-01T09:00:00+08:00");
    let mut lines = Lines::new();
    let secs = Duration::from_secs;
    let password = engine.password("1001");
    let seat = lines.plug_in("1001", engine.sip, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
        config.answers = Answers::After(Duration::from_millis(300));
    });
    let caller = lines.plug_in("13800000042", engine.sip, |_| {});
    lines.order(seat, Phone::register);
    lines.until("registration", secs(5), |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Registered { .. }))
    });
    let (high, low) = (tone(1_000.0), tone(440.0));
    lines.order(caller, |phone, now| phone.dial(Dial::to("12336"), now)).unwrap();
    lines.until("the clerk's answer", secs(40), |lines| {
        lines.saw(seat, |event| *event == PhoneEvent::Answered)
    });
    lines.order(caller, |phone, now| phone.play(low, true, now));
    lines.order(seat, |phone, now| phone.play(high, true, now));
    lines.run_for(secs(8));
    let seat_heard = lines.phone(seat).heard().to_vec();
    lines.order(seat, Phone::hang_up);
    lines.run_for(secs(2)); // The survey is being asked.
    lines.order(caller, |phone, now| phone.press("2", now));
    lines.until("the end", secs(20), |lines| {
        lines.saw(caller, |event| matches!(event, PhoneEvent::Ended { .. }))
    });

    let heard = lines.phone(caller).heard().to_vec();
    let mut from = 0;
    for id in ["transition", "greeting", "wei_nin_fuwu", "survey_thanks"] {
        let found = listen::find_in_pieces(&prompt(id), &heard, from).filter(|found| found.score > 0.8);
        from = found.unwrap_or_else(|| panic!("{id} was not heard after sample {from}")).at_sample;
    }
    let level = |sound: &[i16], hertz: f32| {
        let best = sound.chunks_exact(1_600).map(|part| listen::tone_level(part, hertz.into()) as f64);
        best.fold(f64::MIN, f64::max)
    };
    assert!(level(&heard, 1_000.0) > level(&prompt("greeting"), 1_000.0) + 6.0, "the caller heard the clerk");
    assert!(level(&seat_heard, 440.0) > -25.0, "the clerk heard the caller: {}", level(&seat_heard, 440.0));

    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let settled = || {
        let calls = reader.calls(&CallQuery { most: 10, ..CallQuery::default() }).unwrap();
        calls.into_iter().find(|record| record.cause.is_some() && record.recording.is_some())
    };
    let mut record = None;
    let began = SystemInstant::now();
    while record.is_none() && began.elapsed() < secs(10) {
        record = settled();
    }
    let record = record.expect("one closed record with its recording");
    assert_eq!((record.line.as_str(), record.caller.as_str()), ("12336", "13800000042"));
    assert_eq!(record.seat.as_ref().map(|seat| seat.as_str()), Some("1001"));
    assert_eq!(record.grade, Some(2));
    assert!(!record.undurable && record.shifted_clock);
    let keys = SealKeys::beside(&engine.data);
    let (both, channels) = samples(&engine.data.join(record.recording.unwrap()), &keys).unwrap();
    assert_eq!(channels, 2);
    let side = |first: usize| -> Vec<i16> { both.iter().skip(first).step_by(2).copied().collect() };
    assert!(level(&side(0), 440.0) > -25.0, "the caller is on the left");
    assert!(
        listen::find_in_pieces(&prompt("transition"), &side(1), 0).is_some_and(|found| found.score > 0.8)
    );
    assert_eq!(reader.tickets(10).unwrap().len(), 1, "one call, one ticket");
}

#[test]
fn a_call_that_the_process_died_under_is_closed_and_its_recording_plays() {
    let when = "2021-12-01T09:00:00+08:00";
    let mut engine = Engine::start("crash", when);
    let mut lines = Lines::new();
    let caller = lines.plug_in("13800000043", engine.sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the answer", Duration::from_secs(5), |lines| {
        lines.saw(caller, |event| *event == PhoneEvent::Answered)
    });
    lines.run_for(Duration::from_secs(6)); // A while in the queue.
    engine.kill_and_restart(when);

    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let calls = reader.calls(&CallQuery { most: 10, ..CallQuery::default() }).unwrap();
    let [record] = calls.as_slice() else { panic!("one call, one record: {calls:?}") };
    assert_eq!((record.cause, record.caller.as_str()), (Some(Cause::Crash), "13800000043"));
    let file = record.recording.as_ref().expect("the recording was repaired");
    let (both, _) = samples(&engine.data.join(file), &SealKeys::beside(&engine.data)).unwrap();
    assert!(both.len() / 2 >= 4 * 8_000, "at most two of six seconds are lost: {}", both.len() / 2);
}
