//! Keys as tones, for telephones that have no telephone-events: heard in what they say, and played to
//! them. The tones are made, and looked for, by code of the tests' own.

use hotline::id::Dice;
use hotline::media::order::{Fact, LegConfig, Order};
use hotline::phone::Codec as Law;
use hotline::phone::listen::tone_level;

use crate::packets::Event;
use crate::stage::{EVENTS, HEARD, Peer, Stage, assert_one_stream, level, prompt, tone};

const KEYS: &str = "123A456B789C*0#D";
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
/// Amplitude of a sine at 0 dBm0.
const DBM0: f64 = 22_827.0;

fn hertz(key: char) -> [f64; 2] {
    let at = KEYS.find(key).unwrap();
    [ROWS[at / 4], COLUMNS[at % 4]]
}

/// A key of `ms`, its tones at those levels in dBm0, followed by a pause.
fn press(key: char, ms: usize, pause_ms: usize, levels: [f64; 2]) -> Vec<i16> {
    let mut sound = vec![0; (ms + pause_ms) * 8];
    for (n, sample) in sound[..ms * 8].iter_mut().enumerate() {
        let wave = |(hertz, level): (f64, f64)| {
            let amplitude = DBM0 * 10_f64.powf(level / 20.0);
            amplitude * (n as f64 / 8_000.0 * hertz * std::f64::consts::TAU).sin()
        };
        *sample = hertz(key).into_iter().zip(levels).map(wave).sum::<f64>() as i16;
    }
    sound
}

/// Keys that the house heard of leg `index`.
fn digits(stage: &Stage, index: u16) -> String {
    let digit = |fact: &Fact| match fact {
        Fact::Digit { leg, digit } if leg.index == index => Some(*digit),
        _ => None,
    };
    stage.facts.iter().filter_map(digit).collect()
}

/// Opens a leg whose telephone has no telephone-events.
fn join(stage: &mut Stage, index: u16, law: Law) -> Peer {
    let peer = Peer::at(index, law);
    let config = LegConfig { dtmf: None, ..peer.config() };
    stage.order(Order::Open { leg: stage.leg(index), config: Box::new(config) });
    peer
}

/// The peer says `sound`; each packet goes through `way`, `false` for one that is lost.
fn say(stage: &mut Stage, peer: &mut Peer, sound: &[i16], mut way: impl FnMut() -> bool) {
    for frame in sound.chunks(160) {
        let mut codes: Vec<u8> = frame.iter().map(|sample| peer.law.encode(*sample)).collect();
        codes.resize(160, peer.law.encode(0));
        let packet = peer.next_with(codes);
        if way() {
            peer.send(stage, &packet);
        }
        (0..4).for_each(|_| stage.tick());
    }
}

#[test]
fn all_keys_are_heard_at_all_levels_of_both_laws_though_nobody_listens_to_the_leg() {
    for law in [Law::Pcma, Law::Pcmu] {
        for levels in [[-3.0, -3.0], [-9.0, -9.0], [-25.0, -25.0], [-4.0, -10.0], [-24.0, -18.0]] {
            let mut stage = Stage::new(&[]);
            let mut caller = join(&mut stage, 0, law);
            let sound: Vec<i16> = KEYS.chars().flat_map(|key| press(key, 50, 50, levels)).collect();
            say(&mut stage, &mut caller, &[sound.clone(), sound, vec![0; 1_600]].concat(), || true);
            assert_eq!(digits(&stage, 0), KEYS.repeat(2), "{} {levels:?}", law.name());
            assert!(stage.take_for(&caller).is_empty());
        }
    }
}

#[test]
fn keys_are_heard_in_noise_of_fifteen_decibels_below() {
    let mut dice = Dice::seeded(11);
    for level in [-6.0, -15.0, -25.0] {
        let mut stage = Stage::new(&[]);
        let mut caller = join(&mut stage, 0, Law::Pcma);
        let rms = DBM0 * 10_f64.powf((level - 15.0) / 20.0);
        let mut sound: Vec<i16> = KEYS.chars().flat_map(|key| press(key, 60, 60, [level; 2])).collect();
        for sample in &mut sound {
            let bell = (0..12).map(|_| f64::from(dice.next_u32()) / f64::from(u32::MAX)).sum::<f64>() - 6.0;
            *sample = (f64::from(*sample) + rms * bell) as i16;
        }
        say(&mut stage, &mut caller, &[sound, vec![0; 1_600]].concat(), || true);
        assert_eq!(digits(&stage, 0), KEYS, "{level} dBm0");
    }
}

#[test]
fn a_twentieth_of_the_packets_may_be_lost_and_no_key_is_lost_or_doubled() {
    for seed in 0..12 {
        let mut dice = Dice::seeded(seed);
        let mut stage = Stage::new(&[]);
        let mut caller = join(&mut stage, 0, if seed % 2 == 0 { Law::Pcma } else { Law::Pcmu });
        let sound: Vec<i16> = KEYS.chars().flat_map(|key| press(key, 120, 100, [-10.0, -8.0])).collect();
        let sound = [vec![0; 1_600], sound, vec![0; 3_200]].concat();
        // Two in a row would be a burst, not a twentieth.
        let mut before = true;
        say(&mut stage, &mut caller, &sound, || {
            before = !before || dice.below(20) != 0;
            before
        });
        assert_eq!(digits(&stage, 0), KEYS, "seed {seed}");
    }
}

#[test]
fn what_is_too_short_or_off_its_frequency_is_no_key() {
    let mut stage = Stage::new(&[]);
    let mut caller = join(&mut stage, 0, Law::Pcma);
    let short: Vec<i16> = KEYS.chars().flat_map(|key| press(key, 20, 67, [-9.0; 2])).collect();
    say(&mut stage, &mut caller, &short, || true);
    for key in KEYS.chars() {
        for off in [0.965, 1.035] {
            let [row, column] = hertz(key);
            let both = tone(800, row * off).into_iter().zip(tone(800, column));
            let sound: Vec<i16> = both.map(|(a, b)| a / 2 + b / 2).collect();
            say(&mut stage, &mut caller, &[sound, vec![0; 800]].concat(), || true);
        }
    }
    assert_eq!(digits(&stage, 0), "");
}

#[test]
fn neither_speech_nor_noise_presses_a_key() {
    let mut stage = Stage::new(&[]);
    let mut caller = join(&mut stage, 0, Law::Pcma);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts");
    let mut seconds = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "wav") {
            let sound = prompt(path.file_stem().unwrap().to_str().unwrap());
            seconds += sound.len() / 8_000;
            say(&mut stage, &mut caller, &sound, || true);
            assert_eq!(digits(&stage, 0), "", "{}", path.display());
        }
    }
    assert!(seconds > 60, "{seconds} s of speech");
    let mut dice = Dice::seeded(4);
    // Noise, and voices: pulses through three resonances that glide, at pitches that glide.
    let noise: Vec<i16> = (0..160_000).map(|_| dice.next_u32() as i16 / 4).collect();
    say(&mut stage, &mut caller, &noise, || true);
    assert_eq!(digits(&stage, 0), "", "noise");
    let mut voice = Vec::new();
    let (mut phase, mut pitch, mut past) = (0.0_f64, 120.0, [[0.0_f64; 2]; 3]);
    let mut formants = [700.0, 1_200.0, 2_500.0];
    for n in 0..480_000 {
        if n % 800 == 0 {
            pitch = 80.0 + dice.below(240) as f64;
            formants = [250.0 + dice.below(700) as f64, 900.0 + dice.below(900) as f64, 2_500.0];
        }
        phase += pitch / 8_000.0;
        let pulse = if phase >= 1.0 { 3_000.0 } else { 0.0 };
        phase = phase.fract();
        let mut sum = 0.0;
        for (past, formant) in past.iter_mut().zip(formants) {
            let next =
                pulse + 1.9 * (formant / 8_000.0 * std::f64::consts::TAU).cos() * past[0] - 0.9 * past[1];
            *past = [next, past[0]];
            sum += next;
        }
        voice.push(sum.clamp(-30_000.0, 30_000.0) as i16);
    }
    say(&mut stage, &mut caller, &voice, || true);
    assert_eq!(digits(&stage, 0), "");
}

#[test]
fn digits_are_played_to_a_telephone_without_events_in_place_of_sound() {
    for (law, packet_ms) in [(Law::Pcma, 20), (Law::Pcmu, 20), (Law::Pcma, 30)] {
        let music = tone(80_000, 440.0);
        let mut stage = Stage::new(&[&music]);
        let caller = Peer::at(0, law);
        let config = LegConfig { dtmf: None, packet_ms, ..caller.config() };
        stage.order(Order::Open { leg: stage.leg(0), config: Box::new(config) });
        stage.record();
        stage.play(0, &[0], false, 1);
        stage.frames(10, &mut []);
        stage.order(Order::SendDigits { leg: stage.leg(0), digits: format!("{KEYS}x5") });
        stage.frames(10 * 17 + 20, &mut []);
        let packets = stage.take_for(&caller);
        assert_one_stream(&packets);
        let heard = caller.hears(&packets);
        let recorded = stage.reels.0[&stage.call].right.clone();
        for sound in [&heard, &recorded] {
            let begins = sound.chunks_exact(160).position(|frame| tone_level(frame, 440.0) < -20.0).unwrap();
            assert!((9..12).contains(&begins), "{begins}");
            for (n, key) in (KEYS.to_owned() + "5").chars().enumerate() {
                let [on, off] = [0, 1].map(|half| {
                    let start = begins * 160 + n * 1_600 + half * 800;
                    &sound[start..start + 800]
                });
                for hertz in hertz(key) {
                    // Below a full sine at 3.14 dBm0: -10 and -9 dBm0.
                    let level = tone_level(&on[40..760], hertz);
                    assert!((-14.5..-11.0).contains(&level), "{key} {hertz} Hz at {level}");
                }
                assert!(tone_level(&on[40..760], 440.0) < -40.0, "in place of sound");
                assert!(off.iter().all(|sample| sample.abs() <= 8), "a pause of 100 ms");
            }
            assert!(level(&sound[begins * 160 + 17 * 1_600..], 440.0) > HEARD, "then it goes on");
        }
    }
}

#[test]
fn a_key_that_comes_as_an_event_is_played_to_a_partner_without_events() {
    for other in [Law::Pcma, Law::Pcmu] {
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
        let mut clerk = join(&mut stage, 1, other);
        stage.bridge(0, 1);
        caller.tone = Some(440.0);
        stage.frames(20, &mut [&mut caller, &mut clerk]);
        let before = stage.take_for(&clerk);
        let timestamp = caller.timestamp;
        for n in 1..=7_u16 {
            let event = Event { code: 11, end: n >= 5, duration: n.min(5) * 160 };
            let mut packet = caller.next_with(event.write());
            (packet.timestamp, packet.payload_type, packet.marker) = (timestamp, EVENTS.1, n == 1);
            caller.send(&mut stage, &packet);
            clerk.speak(&mut stage);
            (0..4).for_each(|_| stage.tick());
        }
        caller.timestamp = timestamp.wrapping_add(7 * 160);
        stage.frames(30, &mut [&mut caller, &mut clerk]);
        let after = stage.take_for(&clerk);
        assert_one_stream(&[before, after.clone()].concat());
        let heard = clerk.hears(&after);
        for hertz in hertz('#') {
            let loud = heard.chunks_exact(160).filter(|frame| tone_level(frame, hertz) > -14.5).count();
            assert!((4..=5).contains(&loud), "{}: {hertz} Hz for {loud} frames", other.name());
        }
        assert!(level(&heard[heard.len() - 1_600..], 440.0) > HEARD, "then the caller again");
        assert_eq!((digits(&stage, 0), digits(&stage, 1)), ("#".into(), "".into()));
    }
}

#[test]
fn a_key_that_comes_as_tones_goes_on_as_sound_and_is_told_once() {
    for other in [Law::Pcma, Law::Pcmu] {
        let mut stage = Stage::new(&[]);
        let mut caller = join(&mut stage, 0, Law::Pcma);
        let clerk = Peer::join(&mut stage, 1, other);
        stage.bridge(0, 1);
        let sound: Vec<i16> = "39".chars().flat_map(|key| press(key, 100, 100, [-9.0; 2])).collect();
        say(&mut stage, &mut caller, &[vec![0; 1_600], sound, vec![0; 3_200]].concat(), || true);
        let packets = stage.take_for(&clerk);
        assert_one_stream(&packets);
        assert!(packets.iter().all(|packet| packet.payload_type == clerk.payload_type), "no events");
        let heard = clerk.hears(&packets);
        for hertz in [697.0, 852.0, 1_477.0] {
            assert!(level(&heard, hertz) > -16.0, "{} {hertz} Hz", other.name());
        }
        assert_eq!((digits(&stage, 0), digits(&stage, 1)), ("39".into(), "".into()));
    }
}

#[test]
fn what_comes_back_of_tones_that_the_house_plays_is_no_key() {
    let mut stage = Stage::new(&[]);
    let mut caller = join(&mut stage, 0, Law::Pcma);
    stage.order(Order::SendDigits { leg: stage.leg(0), digits: "123".into() });
    let mut echo = vec![0_i16; 480];
    for _ in 0..60 {
        let heard = stage.take_for(&caller);
        let heard = caller.hears(&heard);
        echo.extend(if heard.is_empty() {
            vec![0; 160]
        } else {
            heard.iter().map(|sample| sample / 4).collect()
        });
        let frame: Vec<i16> = echo.drain(..160).collect();
        say(&mut stage, &mut caller, &frame, || true);
    }
    assert_eq!(digits(&stage, 0), "");
    say(&mut stage, &mut caller, &[press('7', 80, 80, [-9.0; 2]), vec![0; 800]].concat(), || true);
    assert_eq!(digits(&stage, 0), "7", "it listens again");
}

#[test]
fn a_renegotiation_takes_tones_and_events_in_turn() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    let press = |stage: &mut Stage, caller: &mut Peer| {
        say(stage, caller, &[press('4', 80, 80, [-9.0; 2]), vec![0; 800]].concat(), || true);
    };
    press(&mut stage, &mut caller);
    assert_eq!(digits(&stage, 0), "", "who has events sends them");
    for dtmf in [None, Some(EVENTS), None] {
        let config = LegConfig { dtmf, ..caller.config() };
        stage.order(Order::Change { leg: stage.leg(0), config: Box::new(config) });
        press(&mut stage, &mut caller);
    }
    assert_eq!(digits(&stage, 0), "44");
}

#[test]
fn a_leg_that_is_told_keys_by_signalling_has_no_tones_of_them_and_its_own_count_for_none() {
    for keys_told in [true, false] {
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
        let mut menu = Peer::at(1, Law::Pcma);
        let config = LegConfig { dtmf: None, keys_told, ..menu.config() };
        stage.order(Order::Open { leg: stage.leg(1), config: Box::new(config) });
        stage.bridge(0, 1);
        let timestamp = caller.timestamp;
        for n in 1..=7_u16 {
            let event = Event { code: 11, end: n >= 5, duration: n.min(5) * 160 };
            let mut packet = caller.next_with(event.write());
            (packet.timestamp, packet.payload_type, packet.marker) = (timestamp, EVENTS.1, n == 1);
            caller.send(&mut stage, &packet);
            (0..4).for_each(|_| stage.tick());
        }
        (0..120).for_each(|_| stage.tick());
        let heard = menu.hears(&stage.take_for(&menu));
        let tones = heard.chunks_exact(160).filter(|frame| tone_level(frame, hertz('#')[0]) > -20.0).count();
        assert_eq!(tones == 0, keys_told, "{tones} frames of a tone");
        assert_eq!(digits(&stage, 0), "#", "and the house hears it");
        let said = [vec![0; 800], press('5', 100, 100, [-9.0; 2]), vec![0; 1_600]].concat();
        say(&mut stage, &mut menu, &said, || true);
        assert_eq!(digits(&stage, 1), if keys_told { "" } else { "5" });
    }
}
