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
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::{Answers, Dial, PhoneEvent, listen};
use hotline::switchboard::fact::Cause;
use line::{Clock, Line};

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
    let clock = Clock(SystemInstant::now());
    let secs = Duration::from_secs;
    let password = engine.password("1001");
    let mut seat = Line::plug_in("1001", engine.sip, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
        config.answers = Answers::After(Duration::from_millis(300));
    });
    let mut caller = Line::plug_in("13800000042", engine.sip, |_| {});
    seat.phone.register(clock.now());
    clock.until("registration", &mut [&mut seat], secs(5), |lines| {
        lines[0].saw(|event| matches!(event, PhoneEvent::Registered { .. }))
    });
    let (high, low) = (tone(1_000.0), tone(440.0));
    caller.phone.dial(Dial::to("12336"), clock.now()).unwrap();
    clock.until("the clerk's answer", &mut [&mut caller, &mut seat], secs(40), |lines| {
        lines[1].saw(|event| matches!(event, PhoneEvent::Answered))
    });
    caller.phone.play(low, true, clock.now());
    seat.phone.play(high, true, clock.now());
    let talked = clock.now().mono + secs(8);
    clock.until("talk", &mut [&mut caller, &mut seat], secs(12), |_| clock.now().mono >= talked);
    let seat_heard = seat.phone.heard().to_vec();
    seat.phone.hang_up(clock.now());
    let asked = clock.now().mono + secs(2);
    clock.until("the survey", &mut [&mut caller, &mut seat], secs(6), |_| clock.now().mono >= asked);
    caller.phone.press("2", clock.now());
    clock.until("the end", &mut [&mut caller, &mut seat], secs(20), |lines| {
        lines[0].saw(|event| matches!(event, PhoneEvent::Ended { .. }))
    });

    let heard = caller.phone.heard().to_vec();
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
    let recording = hound::WavReader::open(engine.data.join(record.recording.unwrap())).unwrap();
    assert_eq!((recording.spec().channels, recording.spec().sample_rate), (2, 8_000));
    let both: Vec<i16> = recording.into_samples::<i16>().map(Result::unwrap).collect();
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
    let clock = Clock(SystemInstant::now());
    let mut caller = Line::plug_in("13800000043", engine.sip, |_| {});
    caller.phone.dial(Dial::to("12345"), clock.now()).unwrap();
    clock.until("the answer", &mut [&mut caller], Duration::from_secs(5), |lines| {
        lines[0].saw(|event| matches!(event, PhoneEvent::Answered))
    });
    let cut = clock.now().mono + Duration::from_secs(6);
    clock.until("a while in the queue", &mut [&mut caller], Duration::from_secs(9), |lines| {
        let _ = lines;
        clock.now().mono >= cut
    });
    engine.kill_and_restart(when);

    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let calls = reader.calls(&CallQuery { most: 10, ..CallQuery::default() }).unwrap();
    let [record] = calls.as_slice() else { panic!("one call, one record: {calls:?}") };
    assert_eq!((record.cause, record.caller.as_str()), (Some(Cause::Crash), "13800000043"));
    let file = record.recording.as_ref().expect("the recording was repaired");
    let recording = hound::WavReader::open(engine.data.join(file)).unwrap();
    assert!(
        recording.duration() >= 4 * 8_000,
        "at most two of six seconds are lost: {}",
        recording.duration()
    );
}
