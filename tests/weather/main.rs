//! Whole calls through foul weather: the engine's own binary, by io_uring and by epoll, between
//! telephones whose sound goes through a relay that loses, doubles and delays it.
//!
//! Without `HOTLINE_NO_URING` a machine that refuses io_uring fails here.

#[path = "../engine/mod.rs"]
mod engine;
mod lines;
mod relay;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use engine::{Engine, data_dir};
use hotline::io::recorder::{SealKeys, samples};
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::{Answers, Dial, Phone, PhoneEvent, listen};
use hotline::switchboard::fact::{Party, Sound};
use hotline::telemetry::CallRecord;
use lines::Lines;
use relay::{Shared, Tally, Way, Weather};

const CALLER: &str = "13800000077";
const CLERK_HZ: f64 = 1_000.0;
const CALLER_HZ: f64 = 440.0;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn prompt(id: &str) -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts").join(format!("{id}.wav"));
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

fn tone(hertz: f64) -> Arc<[i16]> {
    (0..8_000)
        .map(|n| (6_000.0 * (f64::from(n) / 8_000.0 * hertz * std::f64::consts::TAU).sin()) as i16)
        .collect()
}

/// The level of a tone in each tenth of a second; -14.7 dB is all of it.
fn levels(sound: &[i16], hertz: f64) -> Vec<f64> {
    sound.chunks_exact(800).map(|part| listen::tone_level(part, hertz)).collect()
}

/// Tenths of a second in which a tone is to be heard.
fn heard_tenths(sound: &[i16], hertz: f64) -> usize {
    levels(sound, hertz).into_iter().filter(|level| *level > -21.0).count()
}

/// The record of the one call, once it is closed and its recording whole.
fn the_record(engine: &Engine, lines: &mut Lines) -> CallRecord {
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let settled = || {
        let calls = reader.calls(&CallQuery { most: 10, ..CallQuery::default() }).unwrap();
        calls.into_iter().find(|record| record.cause.is_some() && record.recording.is_some())
    };
    lines.until("one closed record with its recording", secs(20), |_| settled().is_some());
    settled().unwrap()
}

/// What was counted on our side is what the weather did, but for packets at the very ends.
fn assert_agrees(who: &str, sound: &Sound, sky: &Shared) {
    let Tally { taken, lost, doubled } = sky.tally(Way::Out);
    assert!(lost * 100 > taken * 2 && lost * 100 < taken * 9, "{who}: about 5 %: {lost} of {taken}");
    assert!(sound.lost.abs_diff(lost) <= 4, "{who}: {lost} lost, {sound:?}");
    assert!(sound.duplicate.abs_diff(doubled) <= 4, "{who}: {doubled} doubled, {sound:?}");
    let came = taken - lost + doubled;
    assert!(sound.received.abs_diff(came) <= 20, "{who}: {came} came, {sound:?}");
    // Of two delays of up to 30 ms the mean difference is 10 ms.
    assert!((5_000..20_000).contains(&sound.jitter_us), "{who}: {sound:?}");
    assert!(sound.gap_max_ms >= 40, "{who}: {sound:?}");
    assert_eq!(sound.refused, 0, "{who}");
    assert!((300..=430).contains(&sound.mos_x100), "{who}: {sound:?}");
    assert_eq!((sound.mute_ms, sound.unheard_ms), (0, 0), "{who}");
    let out = sound.outbound.unwrap_or_else(|| panic!("{who} reports: {sound:?}"));
    let Tally { taken, lost, .. } = sky.tally(Way::In);
    let (told, truth) = (out.missed().unwrap(), lost as f64 / taken as f64);
    // The last report may be five seconds old, and packets under way are missing in it.
    assert!((told - truth).abs() < 0.03, "{who}: {truth} lost, {out:?}");
    assert!((3_000..25_000).contains(&out.jitter_us), "{who}: {out:?}");
    assert!((300..=430).contains(&out.mos_x100) && out.nonsense == 0, "{who}: {out:?}");
    // There and back, 20 to 50 ms each, and what the tick takes.
    assert!((30_000..250_000).contains(&sound.round_trip_us), "{who}: {sound:?}");
}

fn a_call_in_foul_weather(io: &str, seed: u64) {
    let engine = Engine::start_with(&format!("weather-{io}"), "2021-09-01T09:00:00+08:00", &["--io", io]);
    let mut lines = Lines::new();
    let password = engine.password("1001");
    let (seat, seat_sky) = lines.plug_in("1001", engine.sip, seed, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
        config.answers = Answers::After(Duration::from_millis(300));
    });
    let (caller, caller_sky) = lines.plug_in(CALLER, engine.sip, seed + 1, |_| {});
    for sky in [&seat_sky, &caller_sky] {
        sky.set(Way::Out, Weather::FOUL);
        sky.set(Way::In, Weather::FOUL);
    }
    lines.order(seat, Phone::register);
    lines.until("registration", secs(10), |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Registered { .. }))
    });
    lines.order(caller, |phone, now| phone.dial(Dial::to("12336"), now)).unwrap();
    lines.until("the clerk's answer", secs(60), |lines| {
        lines.saw(seat, |event| *event == PhoneEvent::Answered)
    });
    lines.run_for(secs(4)); // The clerk's number is heard by both.
    let begun = [caller, seat].map(|line| lines.phone(line).heard().len());
    lines.order(caller, |phone, now| phone.play(tone(CALLER_HZ), true, now));
    lines.order(seat, |phone, now| phone.play(tone(CLERK_HZ), true, now));
    lines.run_for(secs(10));
    let talk = [caller, seat].map(|line| lines.phone(line).heard().to_vec());
    lines.order(caller, |phone, now| phone.press("13579", now));
    lines.run_for(secs(3));
    lines.order(seat, Phone::hang_up);
    lines.run_for(secs(2)); // The survey is being asked.
    lines.order(caller, |phone, now| phone.press("2", now));
    lines.until("the end", secs(30), |lines| {
        lines.saw(caller, |event| matches!(event, PhoneEvent::Ended { .. }))
    });

    // Each prompt is found in its turn, and another one is not taken for it.
    let heard = lines.phone(caller).heard().to_vec();
    let mut from = 0;
    for id in ["transition", "greeting"] {
        let found = listen::find_in_pieces(&prompt(id), &heard, from).unwrap();
        assert!(found.score > 0.7, "{id} by {io}: {found:?}");
        from = found.at_sample;
    }
    let other = listen::find_in_pieces(&prompt("sub_center_unanswered"), &heard, 0);
    assert!(other.is_none_or(|found| found.score < 0.5), "{other:?}");

    // Ten seconds of talk: nine of them and more are heard, in both directions, of the other's tone only.
    for (index, (own, others)) in [(CALLER_HZ, CLERK_HZ), (CLERK_HZ, CALLER_HZ)].into_iter().enumerate() {
        let part = &talk[index][begun[index].min(talk[index].len())..];
        let tenths = heard_tenths(part, others);
        assert!(tenths >= 85, "{others} Hz: {tenths} of 100 tenths by {io}: {:?}", levels(part, others));
        assert!(heard_tenths(part, own) == 0, "nobody hears himself");
    }

    let record = the_record(&engine, &mut lines);
    assert_eq!(record.digits, "135792", "each key once, by {io}");
    assert_eq!(record.grade, Some(2));
    assert!(record.one_way.is_empty() && record.mute.is_empty(), "{record:?}");
    let file = record.recording.as_ref().unwrap();
    let (both, channels) = samples(&engine.data.join(file), &SealKeys::beside(&engine.data)).unwrap();
    assert_eq!(channels, 2);
    let side = |first: usize| -> Vec<i16> { both.iter().skip(first).step_by(2).copied().collect() };
    for (name, side, hertz) in [("left", side(0), CALLER_HZ), ("right", side(1), CLERK_HZ)] {
        let tenths = heard_tenths(&side, hertz);
        assert!(tenths >= 90, "{name}: {tenths} tenths of {hertz} Hz by {io}");
    }
    let kept = listen::find_in_pieces(&prompt("transition"), &side(1), 0).unwrap();
    assert!(kept.score > 0.95, "the recording has it as it was said: {kept:?}");

    assert_agrees("caller", record.sound.as_ref().unwrap(), &caller_sky);
    let [seat_leg] = &record.legs[..] else { panic!("one other leg: {:?}", record.legs) };
    assert_eq!(seat_leg.party, Party::Seat { seat: "1001".into() });
    assert_agrees("seat", &seat_leg.sound, &seat_sky);
}

#[test]
fn a_call_in_foul_weather_is_understood_by_all_by_epoll() {
    a_call_in_foul_weather("epoll", 4_001);
}

#[test]
fn a_call_in_foul_weather_is_understood_by_all_by_io_uring() {
    if std::env::var_os("HOTLINE_NO_URING").is_none() {
        a_call_in_foul_weather("uring", 4_101);
    }
}

#[test]
fn a_clerk_who_is_not_heard_and_a_caller_who_says_nothing_are_in_the_record_and_the_figures() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut plan = std::fs::read_to_string(home.join("routing.toml")).unwrap();
    for (shipped, here) in [
        ("prompts = \"prompts/prompts.toml\"", format!("prompts = {:?}", home.join("prompts/prompts.toml"))),
        ("mute_max = \"20s\"", "mute_max = \"4s\"".into()),
        ("one_way_max = \"10s\"", "one_way_max = \"3s\"".into()),
    ] {
        assert!(plan.contains(shipped), "{shipped}");
        plan = plan.replace(shipped, &here);
    }
    let data = data_dir("one-way");
    std::fs::create_dir_all(&data).unwrap();
    let config = data.join("routing.toml");
    std::fs::write(&config, plan).unwrap();
    let more = ["--config", config.to_str().unwrap(), "--http", "127.0.0.1:0"];
    let engine = Engine::start_with("one-way", "2021-12-01T09:00:00+08:00", &more);
    let mut lines = Lines::new();
    let password = engine.password("1001");
    let (seat, seat_sky) = lines.plug_in("1001", engine.sip, 1, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
        config.answers = Answers::After(Duration::from_millis(300));
    });
    let (caller, _) = lines.plug_in(CALLER, engine.sip, 2, |_| {});
    lines.order(seat, Phone::register);
    lines.until("registration", secs(10), |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Registered { .. }))
    });
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the clerk's answer", secs(60), |lines| {
        lines.saw(seat, |event| *event == PhoneEvent::Answered)
    });
    // The clerk speaks and is heard; the caller's telephone sends silence.
    lines.order(seat, |phone, now| phone.play(tone(CLERK_HZ), true, now));
    lines.run_for(secs(10));
    // A firewall closes: the clerk's sound does not arrive any more, its reports do.
    seat_sky.set(Way::Out, Weather::NONE);
    lines.run_for(secs(6));
    seat_sky.set(Way::Out, Weather::FAIR);
    lines.run_for(secs(2));
    lines.order(caller, Phone::hang_up);
    let record = the_record(&engine, &mut lines);
    let clerk = Party::Seat { seat: "1001".into() };
    assert_eq!((&record.one_way[..], &record.mute[..]), (&[clerk][..], &[Party::Caller][..]));
    let sound = record.sound.as_ref().unwrap();
    assert!(sound.mute_ms >= 4_000 && sound.unheard_ms == 0, "{sound:?}");
    let [leg] = &record.legs[..] else { panic!("{:?}", record.legs) };
    assert!((4_000..9_000).contains(&leg.sound.unheard_ms) && leg.sound.mute_ms == 0, "{leg:?}");
    engine.until("hotline_sound_missing_total{what=\"one_way\",party=\"seat\"}", "1");
    engine.until("hotline_sound_missing_total{what=\"mute\",party=\"caller\"}", "1");
    engine.until("hotline_leg_mos_count{side=\"seat\",trunk=\"\",direction=\"in\"}", "1");
    let shown = Command::new(env!("CARGO_BIN_EXE_hotline"))
        .args(["records", "--data"])
        .arg(&engine.data)
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    for word in ["sound[caller]=PCMA,mos=", "sound[seat/1001]=PCMA,mos=", ",unheard=", ",mute="] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    assert!(shown.contains(" one_way=seat/1001 mute=caller"), "{shown}");
}
