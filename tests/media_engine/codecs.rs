//! Legs of different codecs that hear one another, prompts and recordings, each in its own.
//!
//! Handsets code and decode by the house's own coders; `tests/codecs.rs` holds those against others'.

use hotline::media::codec::{g722, l16};
use hotline::media::order::{Codec, Fact, LegConfig, Order};
use hotline::media::{SocketKey, g711};
use hotline::phone::Codec as Law;
use hotline::phone::listen::{find, tone_level};

use crate::packets::Rtp;
use crate::stage::{Peer, Stage, assert_one_stream, level, prompt};

#[cfg(feature = "opus")]
const CODECS: &[Codec] = &[Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::L16, Codec::Opus];
#[cfg(not(feature = "opus"))]
const CODECS: &[Codec] = &[Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::L16];
/// What a tone of 8,000 has, decibels below a full one.
const LEVEL: f64 = -12.25;
/// What another codec's noise leaves of a tone that nobody whistles.
const NOISE: f64 = -45.0;

fn is_wide(codec: Codec) -> bool {
    matches!(codec, Codec::G722 | Codec::Opus)
}

fn payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => 8,
        Codec::Pcmu => 0,
        Codec::G722 => 9,
        Codec::L16 => 97,
        Codec::Opus => 111,
        Codec::G729 => 18,
    }
}

/// A telephone that speaks any codec.
struct Handset {
    peer: Peer,
    codec: Codec,
    hertz: Option<f64>,
    said: usize,
    coder: g722::Encoder,
    decoder: g722::Decoder,
    #[cfg(feature = "opus")]
    opus: (hotline::media::codec::opus::Encoder, hotline::media::codec::opus::Decoder),
}

impl Handset {
    fn at(index: u16, codec: Codec) -> Handset {
        Handset {
            peer: Peer::at(index, Law::Pcma),
            codec,
            hertz: None,
            said: 0,
            coder: g722::Encoder::default(),
            decoder: g722::Decoder::default(),
            #[cfg(feature = "opus")]
            opus: (
                hotline::media::codec::opus::Encoder::new().unwrap(),
                hotline::media::codec::opus::Decoder::new().unwrap(),
            ),
        }
    }

    fn join(stage: &mut Stage, index: u16, codec: Codec, packet_ms: u16) -> Handset {
        let handset = Handset::at(index, codec);
        let config = Box::new(LegConfig { packet_ms, ..handset.config() });
        stage.order(Order::Open { leg: stage.leg(index), config });
        handset
    }

    fn config(&self) -> LegConfig {
        let payload_type = payload_type(self.codec);
        LegConfig { codec: self.codec, payload_type, payload_type_in: payload_type, ..self.peer.config() }
    }

    fn rate(&self) -> usize {
        if is_wide(self.codec) { 16_000 } else { 8_000 }
    }

    /// The next packet of its tone; silence where there is none.
    fn next(&mut self, ms: usize) -> Rtp {
        let rate = self.rate();
        let hertz = self.hertz.unwrap_or(0.0);
        let sound: Vec<i16> = (self.said..self.said + ms * rate / 1_000)
            .map(|n| (8_000.0 * (n as f64 / rate as f64 * hertz * std::f64::consts::TAU).sin()) as i16)
            .collect();
        self.said += sound.len();
        self.code(&sound)
    }

    /// A packet of this sound, at the handset's own rate.
    fn code(&mut self, sound: &[i16]) -> Rtp {
        let mut payload = vec![0; 1_500];
        let length = match self.codec {
            Codec::Pcma | Codec::Pcmu => {
                g711::encode(self.codec.law().unwrap(), sound, &mut payload);
                sound.len()
            }
            Codec::L16 => l16::encode(sound, &mut payload),
            Codec::G722 => {
                self.coder.encode(sound, &mut payload);
                sound.len() / 2
            }
            #[cfg(feature = "opus")]
            Codec::Opus => self.opus.0.encode(sound, &mut payload),
            _ => panic!("no handset speaks {:?}", self.codec),
        };
        payload.truncate(length);
        let units = sound.len() * self.codec.clock() as usize / self.rate();
        let packet = Rtp {
            marker: false,
            payload_type: payload_type(self.codec),
            sequence: self.peer.sequence,
            timestamp: self.peer.timestamp,
            ssrc: self.peer.ssrc,
            payload,
        };
        self.peer.sequence = self.peer.sequence.wrapping_add(1);
        self.peer.timestamp = self.peer.timestamp.wrapping_add(units as u32);
        packet
    }

    /// What it hears of `packets`, at its own rate.
    fn hears(&mut self, packets: &[Rtp]) -> Vec<i16> {
        let mut sound = vec![];
        for packet in packets.iter().filter(|packet| packet.payload_type == payload_type(self.codec)) {
            let mut samples = vec![0; 2_000];
            let count = match self.codec {
                Codec::Pcma | Codec::Pcmu => {
                    g711::decode(self.codec.law().unwrap(), &packet.payload, &mut samples);
                    packet.payload.len()
                }
                Codec::L16 => l16::decode(&packet.payload, &mut samples),
                Codec::G722 => {
                    self.decoder.decode(&packet.payload, &mut samples);
                    packet.payload.len() * 2
                }
                #[cfg(feature = "opus")]
                Codec::Opus => self.opus.1.decode(&packet.payload, &mut samples),
                _ => panic!("no handset hears {:?}", self.codec),
            };
            sound.extend(&samples[..count]);
        }
        sound
    }

    /// How loud a tone is in what it hears, once its partner is tuned in: the best tenth and the worst.
    fn levels(&self, sound: &[i16], hertz: f64) -> (f64, f64) {
        let rate = self.rate();
        let tenths = sound[rate * 9 / 10..].chunks_exact(rate / 10);
        let levels = tenths.map(|tenth| tone_level(tenth, hertz * 8_000.0 / rate as f64));
        levels.fold((-200.0, 0.0), |(best, worst), next| (next.max(best), next.min(worst)))
    }

    fn assert_hears(&self, what: &str, sound: &[i16], hertz: f64) {
        let (best, worst) = self.levels(sound, hertz);
        let even = (best - LEVEL).abs() < 1.0 && (worst - LEVEL).abs() < 1.0;
        assert!(even, "{what}: {hertz} Hz at {worst} to {best} dB, not {LEVEL}");
    }

    fn assert_hears_not(&self, what: &str, sound: &[i16], hertz: f64) {
        let (best, _) = self.levels(sound, hertz);
        assert!(best < NOISE, "{what}: {hertz} Hz at {best} dB");
    }

    fn send(&self, stage: &mut Stage, packet: &Rtp) {
        stage.arrive(SocketKey::rtp(self.peer.slot), self.peer.address, &packet.write());
    }
}

/// So much time passes; each handset sends packets of its length, each when its last sample was spoken.
fn speak(stage: &mut Stage, ms: usize, speakers: &mut [(&mut Handset, usize)]) {
    for now in (5..=ms).step_by(5) {
        stage.tick();
        for (handset, packet_ms) in speakers.iter_mut() {
            if now % *packet_ms == 0 {
                let packet = handset.next(*packet_ms);
                handset.send(stage, &packet);
            }
        }
    }
}

fn pairs() -> impl Iterator<Item = (Codec, Codec)> {
    CODECS.iter().flat_map(|one| CODECS.iter().map(move |other| (*one, *other)))
}

#[test]
fn telephones_of_any_two_codecs_hear_one_another_as_loud_as_they_speak() {
    for recorded in [false, true] {
        for (one, other) in pairs() {
            let what = format!("{one:?} and {other:?}, recorded: {recorded}");
            let mut stage = Stage::new(&[]);
            let mut caller = Handset::join(&mut stage, 0, one, 20);
            let mut clerk = Handset::join(&mut stage, 1, other, 20);
            (caller.hertz, clerk.hertz) = (Some(1_000.0), Some(700.0));
            if recorded {
                stage.record();
            }
            stage.bridge(0, 1);
            speak(&mut stage, 2_000, &mut [(&mut caller, 20), (&mut clerk, 20)]);
            for (handset, hears, not) in [(&mut clerk, 1_000.0, 700.0), (&mut caller, 700.0, 1_000.0)] {
                let packets = stage.take_for(&handset.peer);
                assert_one_stream(&packets);
                assert!(packets.len() >= 94, "{what}: {} packets", packets.len());
                let step = packets[60].timestamp.wrapping_sub(packets[59].timestamp);
                assert_eq!(step, handset.codec.clock() / 50, "{what}: RTP's clock");
                let sound = handset.hears(&packets);
                handset.assert_hears(&what, &sound, hears);
                handset.assert_hears_not(&what, &sound, not);
            }
            if recorded {
                let reel = &stage.reels.0[&stage.call];
                for (side, hears, not) in [(&reel.left, 1_000.0, 700.0), (&reel.right, 700.0, 1_000.0)] {
                    assert!((level(side, hears) - LEVEL).abs() < 1.0, "{what}: the recording");
                    assert!(level(&side[4_000..], not) < NOISE, "{what}: the recording");
                }
            }
        }
    }
}

#[test]
fn what_is_above_four_kilohertz_goes_from_wide_to_wide_and_folds_into_no_telephone() {
    for recorded in [false, true] {
        for (one, other) in pairs().filter(|(one, _)| is_wide(*one)) {
            let what = format!("{one:?} to {other:?}, recorded: {recorded}");
            let mut stage = Stage::new(&[]);
            let mut caller = Handset::join(&mut stage, 0, one, 20);
            let mut clerk = Handset::join(&mut stage, 1, other, 20);
            caller.hertz = Some(5_000.0);
            if recorded {
                stage.record();
            }
            stage.bridge(0, 1);
            speak(&mut stage, 2_000, &mut [(&mut caller, 20)]);
            let packets = stage.take_for(&clerk.peer);
            let sound = clerk.hears(&packets);
            if is_wide(other) {
                clerk.assert_hears(&what, &sound, 5_000.0);
            }
            clerk.assert_hears_not(&what, &sound, 3_000.0);
            if recorded {
                let left = &stage.reels.0[&stage.call].left;
                assert!(level(&left[4_000..], 3_000.0) < NOISE, "{what}: the recording");
            }
        }
    }
}

#[test]
fn telephones_of_any_codec_and_packet_time_hear_one_another_whole() {
    for (one, other) in pairs().filter(|(one, other)| one != other || is_wide(*one)) {
        for ms in [10, 20, 30, 40, 50, 60] {
            let what = format!("{one:?} to {other:?} of {ms} ms");
            let mut stage = Stage::new(&[]);
            // The one speaks in packets of another length than it is sent.
            let spoken = if ms == 20 { 60 } else { 20 };
            let mut caller = Handset::join(&mut stage, 0, one, 20);
            let mut clerk = Handset::join(&mut stage, 1, other, ms);
            caller.hertz = Some(1_000.0);
            stage.bridge(0, 1);
            speak(&mut stage, 1_800, &mut [(&mut caller, spoken)]);
            let packets = stage.take_for(&clerk.peer);
            assert_one_stream(&packets);
            if one != other {
                let step = packets[20].timestamp.wrapping_sub(packets[19].timestamp);
                assert_eq!(step, u32::from(ms) * clerk.codec.clock() / 1_000, "{what}");
            }
            let sound = clerk.hears(&packets);
            assert!(sound.len() >= clerk.rate() * 15 / 10, "{what}: {} samples", sound.len());
            clerk.assert_hears(&what, &sound, 1_000.0);
        }
    }
}

#[test]
fn a_codec_that_is_renegotiated_during_a_call_goes_on_with_the_sound() {
    for (one, other) in pairs() {
        let what = format!("{one:?} becomes {other:?}");
        let mut stage = Stage::new(&[]);
        let mut caller = Handset::join(&mut stage, 0, one, 20);
        let mut clerk = Handset::join(&mut stage, 1, Codec::Pcma, 20);
        (caller.hertz, clerk.hertz) = (Some(1_000.0), Some(700.0));
        stage.bridge(0, 1);
        speak(&mut stage, 400, &mut [(&mut caller, 20), (&mut clerk, 20)]);
        let before = stage.take_for(&caller.peer);
        stage.take_for(&clerk.peer);
        let mut changed = Handset::at(0, other);
        (changed.peer.sequence, changed.peer.timestamp) = (caller.peer.sequence, caller.peer.timestamp);
        changed.hertz = caller.hertz;
        stage.order(Order::Change { leg: stage.leg(0), config: Box::new(changed.config()) });
        speak(&mut stage, 1_200, &mut [(&mut changed, 20), (&mut clerk, 20)]);
        let heard = stage.take_for(&clerk.peer);
        assert_one_stream(&heard);
        let sound = clerk.hears(&heard);
        clerk.assert_hears(&what, &sound, 1_000.0);
        let after = stage.take_for(&changed.peer);
        assert_one_stream(&after);
        // RFC 7160: one clock to a source.
        let same_clock = one.clock() == other.clock();
        assert_eq!(after[0].ssrc == before[0].ssrc, same_clock, "{what}");
        assert_eq!(after[0].sequence, before.last().unwrap().sequence.wrapping_add(1), "{what}");
        let sound = changed.hears(&after);
        changed.assert_hears(&what, &sound, 700.0);
    }
}

/// A G.722 decoder follows its coder; one that meets the codes of another coder screams.
#[test]
fn whoever_begins_anew_in_a_bridge_of_g722_is_not_passed_on_before_it_is_tuned_in() {
    for what in ["another source", "another telephone", "another codec", "a key as tones"] {
        let before = if what == "another codec" { Codec::Pcma } else { Codec::G722 };
        let mut stage = Stage::new(&[]);
        let mut caller = Handset::join(&mut stage, 0, before, 20);
        let mut clerk = Handset::at(1, Codec::G722);
        let config = LegConfig { dtmf: None, ..clerk.config() };
        stage.order(Order::Open { leg: stage.leg(1), config: Box::new(config) });
        (caller.hertz, clerk.hertz) = (Some(1_000.0), Some(700.0));
        stage.bridge(0, 1);
        speak(&mut stage, 1_600, &mut [(&mut caller, 20), (&mut clerk, 20)]);
        let heard = stage.take_for(&caller.peer);
        caller.hears(&heard);
        let mut anew = Handset::at(0, Codec::G722);
        (anew.peer.sequence, anew.peer.timestamp) = (caller.peer.sequence, caller.peer.timestamp);
        match what {
            "another source" => {
                anew.peer.ssrc = 0x7777;
                std::mem::swap(&mut anew.decoder, &mut caller.decoder);
            }
            "another telephone" => {
                anew.peer.address.set_port(caller.peer.address.port() + 10);
                anew.peer.ssrc = 0x7777;
                let config = LegConfig { new_peer: true, ..anew.config() };
                stage.order(Order::Change { leg: stage.leg(0), config: Box::new(config) });
            }
            "another codec" => {
                stage.order(Order::Change { leg: stage.leg(0), config: Box::new(anew.config()) });
            }
            _ => {
                std::mem::swap(&mut anew, &mut caller);
                stage.order(Order::SendDigits { leg: stage.leg(1), digits: "1".into() });
            }
        }
        anew.hertz = Some(1_000.0);
        speak(&mut stage, 1_600, &mut [(&mut anew, 20), (&mut clerk, 20)]);
        let packets = stage.take_for(&clerk.peer);
        assert_one_stream(&packets);
        let sound = clerk.hears(&packets);
        let said = if what == "a key as tones" { 15_400 } else { 8_000 };
        assert_no_click(&format!("{what}, the clerk"), &sound, said);
        clerk.assert_hears(what, &sound[sound.len() / 2..], 1_000.0);
        let packets = stage.take_for(&anew.peer);
        let sound = anew.hears(&packets);
        let (at, loudest) = sound.iter().enumerate().max_by_key(|(_, it)| it.unsigned_abs()).unwrap();
        // Where its decoder was in tune with us and goes over to the clerk's own codes there is a step of a
        // millisecond in the sound: at most twice as loud, and no scream.
        println!("{what}, the caller: {loudest} at {} ms", at / 16);
        assert!(loudest.unsigned_abs() < 18_000, "{what}, the caller: {loudest}");
        // In the end it is passed on as it comes.
        let (last, next) = (anew.next(20), stage.take_for(&clerk.peer));
        assert_eq!(next.len(), 0);
        anew.send(&mut stage, &last);
        assert_eq!(stage.take_for(&clerk.peer).first().map(|it| &it.payload), Some(&last.payload), "{what}");
    }
}

#[test]
fn what_came_too_late_is_still_counted_when_the_codec_has_changed() {
    let mut stage = Stage::new(&[]);
    let mut caller = Handset::join(&mut stage, 0, Codec::Pcma, 20);
    Handset::join(&mut stage, 1, Codec::L16, 20);
    stage.bridge(0, 1);
    speak(&mut stage, 400, &mut [(&mut caller, 20)]);
    let late = caller.next(20);
    speak(&mut stage, 400, &mut [(&mut caller, 20)]);
    caller.send(&mut stage, &late);
    let changed = Handset::at(0, Codec::G722);
    stage.order(Order::Change { leg: stage.leg(0), config: Box::new(changed.config()) });
    assert_eq!(stage.close(0).late, 1);
}

#[test]
fn one_packet_of_twenty_that_is_lost_takes_no_loudness() {
    for (one, other) in pairs().filter(|(one, other)| one != other) {
        let what = format!("{one:?} to {other:?}");
        let mut stage = Stage::new(&[]);
        let mut caller = Handset::join(&mut stage, 0, one, 20);
        let mut clerk = Handset::join(&mut stage, 1, other, 20);
        caller.hertz = Some(400.0);
        stage.bridge(0, 1);
        for n in 0..200 {
            let packet = caller.next(20);
            if n % 20 != 13 {
                caller.send(&mut stage, &packet);
            }
            (0..4).for_each(|_| stage.tick());
        }
        let packets = stage.take_for(&clerk.peer);
        assert_one_stream(&packets);
        assert!(packets.len() >= 194, "{what}: {} packets of 200", packets.len());
        let sound = clerk.hears(&packets);
        let (_, worst) = clerk.levels(&sound, 400.0);
        assert!(worst > LEVEL - 4.0, "{what}: {worst} dB in a tenth of a second with a loss");
        let frame = clerk.rate() / 50;
        let rms = |part: &[i16]| {
            (part.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / part.len() as f64).sqrt()
        };
        let least = sound[clerk.rate() / 2..].chunks_exact(frame).map(rms).fold(f64::MAX, f64::min);
        // Opus's own concealment is the softer one.
        let part = if one == Codec::Opus { 0.3 } else { 0.5 };
        assert!(least > 8_000.0 / 2.0_f64.sqrt() * part, "{what}: a frame of {least}");
        assert_eq!(stage.close(0).lost, 10, "{what}");
    }
}

#[test]
fn prompts_are_heard_in_every_codec_and_packet_time() {
    let speech = prompt("greeting");
    for codec in CODECS {
        for ms in [20, 30, 60] {
            let what = format!("{codec:?} of {ms} ms");
            let mut stage = Stage::new(&[&speech[..16_000]]);
            let mut caller = Handset::join(&mut stage, 0, *codec, ms);
            stage.play(0, &[0], false, 9);
            speak(&mut stage, 2_400, &mut []);
            let packets = stage.take_for(&caller.peer);
            assert_one_stream(&packets);
            let mut sound = caller.hears(&packets);
            if is_wide(*codec) {
                sound = sound.iter().step_by(2).copied().collect(); // It has nothing above 4 kHz.
            }
            let found = find(&speech[..14_000], &sound, 0).expect("sound");
            assert!(found.score > 0.9 && found.at_sample < 400, "{what}: {found:?}");
            assert!(stage.facts.iter().any(|fact| matches!(fact, Fact::Played { mark: 9, .. })), "{what}");
        }
    }
}

#[test]
fn prompts_of_g722_that_follow_one_another_or_cut_in_do_not_click() {
    let ids = ["ticket_number", "digit_1", "digit_5", "digit_0", "thousand", "liang", "hold_music"];
    let sounds: Vec<Vec<i16>> = ids.iter().map(|id| prompt(id)).collect();
    let mut slices: Vec<&[i16]> = sounds.iter().map(|sound| &sound[..sound.len().min(16_000)]).collect();
    let loud = crate::stage::tone(8_000, 440.0);
    slices.push(&loud);
    let mut stage = Stage::new(&slices);
    let mut caller = Handset::join(&mut stage, 0, Codec::G722, 20);
    stage.play(0, &[0, 1, 2, 3, 4, 5, 6, 6], false, 1);
    speak(&mut stage, 12_000, &mut []);
    let packets = stage.take_for(&caller.peer);
    let sound = caller.hears(&packets);
    let wanted: Vec<i16> = [0, 1, 2, 3, 4, 5, 6, 6].iter().flat_map(|n| slices[*n].to_vec()).collect();
    let wide = hotline::media::resample::double_all(&wanted);
    // The codec's own filters are 22 samples late.
    let error = |from: usize, length: usize| {
        let got = sound[from + 22..].iter().take(length);
        got.zip(&wide[from..]).map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs()).max().unwrap_or(0)
    };
    let mut seam = 0;
    for (place, n) in [0, 1, 2, 3, 4, 5, 6, 6].iter().enumerate().take(7) {
        seam += slices[*n].len() * 2;
        let there = error(seam - 40, 200);
        let usual = error(seam + 800, 1_600).max(error(seam - 2_000, 1_600));
        println!("seam {place}: {there} beside {usual}");
        assert!(there < 2 * usual + 1_000, "seam {place}: off by {there}, elsewhere by {usual}");
    }

    // A loud tone is cut by a prompt, by a bridge, and by the tone again.
    let mut clerk = Handset::join(&mut stage, 1, Codec::Pcma, 20);
    stage.play(0, &[7], true, 2);
    speak(&mut stage, 500, &mut []);
    stage.play(0, &[0], false, 3);
    speak(&mut stage, 600, &mut []);
    stage.play(0, &[7], true, 2);
    speak(&mut stage, 510, &mut []);
    stage.bridge(0, 1);
    speak(&mut stage, 500, &mut [(&mut clerk, 20)]);
    stage.play(0, &[7], true, 2);
    speak(&mut stage, 500, &mut []);
    let packets = stage.take_for(&caller.peer);
    let sound = caller.hears(&packets);
    let speech = slices[0].iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert_no_click("cut in", &sound, speech.max(8_000));
}

/// Nothing is louder than what was said.
fn assert_no_click(what: &str, sound: &[i16], said: u16) {
    let loudest = sound.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!(loudest < said + 2_500, "{what}: a click of {loudest} where nothing is louder than {said}");
}

/// Music, then the clerk's own codes, a recording that begins, and music again: the caller's decoder
/// meets three coders, each in the state that its own sound left it in.
#[test]
fn sound_of_g722_does_not_click_where_a_relay_begins_and_ends() {
    let music = crate::stage::tone(8_000, 440.0);
    let mut stage = Stage::new(&[&music]);
    let mut caller = Handset::join(&mut stage, 0, Codec::G722, 20);
    let mut clerk = Handset::join(&mut stage, 1, Codec::G722, 20);
    clerk.hertz = Some(1_900.0);
    stage.play(0, &[0], true, 1);
    speak(&mut stage, 1_000, &mut [(&mut clerk, 20)]);
    stage.bridge(0, 1);
    speak(&mut stage, 2_000, &mut [(&mut clerk, 20)]);
    let before = stage.air.left.len();
    let packet = clerk.next(20);
    clerk.send(&mut stage, &packet);
    assert_eq!(stage.air.left.len(), before + 1, "it leaves as it comes");
    assert!(stage.air.left[before].bytes.ends_with(&packet.payload), "untouched");
    speak(&mut stage, 1_000, &mut [(&mut clerk, 20)]);
    stage.record();
    speak(&mut stage, 1_000, &mut [(&mut clerk, 20)]);
    stage.play(0, &[0], true, 1);
    speak(&mut stage, 1_000, &mut [(&mut clerk, 20)]);
    let packets = stage.take_for(&caller.peer);
    assert_one_stream(&packets);
    let sound = caller.hears(&packets);
    assert_no_click("a relay", &sound, 8_000);
    let (heard, _) = caller.levels(&sound, 1_900.0);
    assert!((heard - LEVEL).abs() < 1.0, "the clerk at {heard} dB");
}

#[test]
fn g729_goes_from_telephone_to_telephone_and_nowhere_else() {
    let mut stage = Stage::new(&[&[1_000; 800]]);
    let caller = Handset::join(&mut stage, 0, Codec::G729, 20);
    let clerk = Handset::join(&mut stage, 1, Codec::G729, 40);
    let mut other = Handset::join(&mut stage, 2, Codec::Pcma, 20);
    other.hertz = Some(700.0);
    let packet = |n: u16| Rtp {
        marker: false,
        payload_type: 18,
        sequence: n,
        timestamp: u32::from(n) * 160,
        ssrc: 7,
        payload: vec![n as u8; 20],
    };
    stage.record(); // A recording does not end the sound of those who are recorded.
    stage.bridge(0, 1);
    for n in 0..50 {
        caller.send(&mut stage, &packet(n));
        (0..4).for_each(|_| stage.tick());
    }
    let heard = stage.take_for(&clerk.peer);
    assert_one_stream(&heard);
    assert_eq!(heard.len(), 50);
    assert!((0..50).all(|n| heard[n].payload == [n as u8; 20]), "as it came");

    stage.bridge(0, 2);
    for n in 50..100 {
        caller.send(&mut stage, &packet(n));
        let said = other.next(20);
        other.send(&mut stage, &said);
        (0..4).for_each(|_| stage.tick());
    }
    assert_eq!(stage.take_for(&other.peer), [], "nothing can be made of it");
    assert_eq!(stage.take_for(&caller.peer), [], "nor can it be made");
    stage.play(0, &[0], false, 5);
    speak(&mut stage, 200, &mut []);
    assert_eq!(stage.take_for(&caller.peer), []);
    assert!(stage.facts.iter().any(|fact| matches!(fact, Fact::Played { mark: 5, .. })), "the call goes on");
    assert_eq!(stage.close(0).refused, 50, "each that would have to be decoded is counted");
}

/// Digits are pressed by the clock of the codec that they stand between (RFC 4733 §2.2).
#[cfg(feature = "opus")]
#[test]
fn keys_pass_between_clocks() {
    use crate::packets::Event;
    let mut stage = Stage::new(&[]);
    let mut caller = Handset::join(&mut stage, 0, Codec::Opus, 20);
    let mut clerk = Handset::join(&mut stage, 1, Codec::Pcma, 20);
    stage.bridge(0, 1);
    speak(&mut stage, 400, &mut [(&mut caller, 20), (&mut clerk, 20)]);
    stage.take_for(&clerk.peer);
    let timestamp = caller.peer.timestamp;
    for n in 1..=5_u16 {
        let event = Event { code: 7, end: n >= 4, duration: n.min(4) * 960 };
        let mut packet = caller.next(20);
        (packet.payload, packet.payload_type) = (event.write(), 101);
        (packet.timestamp, packet.marker) = (timestamp, n == 1);
        caller.send(&mut stage, &packet);
        (0..4).for_each(|_| stage.tick());
    }
    let events: Vec<Event> = stage
        .take_for(&clerk.peer)
        .iter()
        .filter(|packet| packet.payload_type == 101)
        .map(|packet| Event::read(&packet.payload))
        .collect();
    assert_eq!(events.iter().map(|event| event.duration).collect::<Vec<_>>(), [160, 320, 480, 640, 640]);
    let digits = stage.facts.iter().filter(|fact| matches!(fact, Fact::Digit { digit: '7', .. }));
    assert_eq!(digits.count(), 1);

    stage.take_for(&caller.peer);
    stage.order(Order::SendDigits { leg: stage.leg(0), digits: "3".into() });
    speak(&mut stage, 300, &mut []);
    let pressed = stage.take_for(&caller.peer);
    let durations: Vec<u16> = pressed
        .iter()
        .filter(|packet| packet.payload_type == 101)
        .map(|packet| Event::read(&packet.payload).duration)
        .collect();
    assert_eq!(durations, [960, 1_920, 2_880, 3_840, 4_800, 4_800, 4_800]);
}

#[cfg(feature = "opus")]
#[test]
fn opus_of_any_packet_length_is_heard_and_what_is_none_is_counted() {
    for ms in [10, 20, 30, 40, 50, 60] {
        let mut stage = Stage::new(&[]);
        let mut caller = Handset::join(&mut stage, 0, Codec::Opus, 20);
        let mut clerk = Handset::join(&mut stage, 1, Codec::L16, 20);
        caller.hertz = Some(1_000.0);
        stage.bridge(0, 1);
        speak(&mut stage, 1_800, &mut [(&mut caller, ms)]);
        let packets = stage.take_for(&clerk.peer);
        let sound = clerk.hears(&packets);
        clerk.assert_hears(&format!("{ms} ms"), &sound, 1_000.0);
        let mut packet = caller.next(20);
        for payload in [vec![0xff], vec![0; 1_300]] {
            packet.payload = payload;
            packet.sequence = packet.sequence.wrapping_add(1);
            caller.send(&mut stage, &packet);
        }
        let figures = stage.close(0);
        assert_eq!(
            (figures.refused, figures.lost),
            (2, 1),
            "{ms} ms: the packet that we kept is the one lost"
        );
        assert!(figures.jitter_us < 1_000 * ms as u32, "{ms} ms: {} µs", figures.jitter_us);
    }
}

#[cfg(feature = "opus")]
#[test]
fn reports_of_an_opus_leg_count_its_own_clock() {
    let mut stage = Stage::new(&[]);
    let mut caller = Handset::join(&mut stage, 0, Codec::Opus, 20);
    let mut clerk = Handset::join(&mut stage, 1, Codec::G722, 20);
    stage.bridge(0, 1);
    speak(&mut stage, 9_000, &mut [(&mut caller, 20), (&mut clerk, 20)]);
    let to = SocketKey { slot: caller.peer.slot, kind: hotline::media::Channel::Rtcp };
    let clock_of = |bytes: &[u8]| {
        (crate::packets::word(bytes, 8), crate::packets::word(bytes, 12), crate::packets::word(bytes, 16))
    };
    let reports: Vec<_> =
        stage.air.left.iter().filter(|left| left.from == to && left.bytes[1] == 200).collect();
    assert!(!reports.is_empty(), "one in 7.5 seconds");
    let sound = stage.air.left.iter().find(|left| left.from == SocketKey::rtp(caller.peer.slot)).unwrap();
    let (_, _, clock) = clock_of(&reports[0].bytes);
    let apart = reports[0].at.since(sound.at);
    let units = clock.wrapping_sub(Rtp::read(&sound.bytes).timestamp);
    let wanted = (apart.as_secs_f64() * 48_000.0) as u32;
    assert!(units.abs_diff(wanted) < 2_000, "{units} units in {apart:?}");
}

/// The way of a call to which a clerk adds a third party: two talk, the clerk asks aside while the caller
/// hears music, all three talk, and the two who stay.
#[test]
fn three_of_any_codecs_go_from_bridge_to_bridge_to_conference_and_back() {
    const THREE: [Codec; 3] = [Codec::Pcma, Codec::Pcmu, Codec::G722];
    let tones = [1_000.0, 700.0, 1_600.0];
    let triples = THREE.iter().flat_map(|a| THREE.iter().flat_map(move |b| THREE.map(|c| [*a, *b, c])));
    for codecs in triples {
        let mut stage = Stage::new(&[&crate::stage::tone(8_000, 440.0)]);
        let mut all: Vec<Handset> =
            codecs.iter().zip(0..).map(|(codec, n)| Handset::join(&mut stage, n, *codec, 20)).collect();
        all.iter_mut().zip(tones).for_each(|(handset, hertz)| handset.hertz = Some(hertz));
        stage.record();
        let conference = hotline::media::order::ConferenceId(1);
        let rights = hotline::media::order::Rights::FULL;
        let together: [&[usize]; 4] = [&[0, 1], &[1, 2], &[0, 1, 2], &[0, 2]];
        for (step, talk) in together.iter().enumerate() {
            let what = format!("{codecs:?}, {talk:?} together");
            match step {
                0 => stage.bridge(0, 1),
                1 => {
                    stage.order(Order::Part { a: stage.leg(0), b: stage.leg(1) });
                    stage.play(0, &[0], true, 0);
                    stage.bridge(1, 2);
                }
                2 => {
                    stage.order(Order::Part { a: stage.leg(1), b: stage.leg(2) });
                    for n in 0..3 {
                        stage.order(Order::Join { leg: stage.leg(n), conference, rights });
                    }
                }
                _ => {
                    stage.close(1);
                    stage.bridge(0, 2);
                }
            }
            for listening in [false, true] {
                let mut speakers: Vec<_> = all.iter_mut().map(|handset| (handset, 20)).collect();
                speak(&mut stage, if listening { 1_400 } else { 300 }, &mut speakers);
                for (n, handset) in all.iter_mut().enumerate() {
                    // Decoded from the first packet on, as telephones do.
                    let packets = stage.take_for(&handset.peer);
                    let sound = handset.hears(&packets);
                    if !listening || step == 3 && n == 1 {
                        continue;
                    }
                    assert_eq!(sound.is_empty(), !talk.contains(&n) && step != 1, "{what}: {n}");
                    for (other, hertz) in tones.into_iter().enumerate().filter(|_| !sound.is_empty()) {
                        match other != n && talk.contains(&n) && talk.contains(&other) {
                            true => handset.assert_hears(&what, &sound, hertz),
                            false => handset.assert_hears_not(&what, &sound, hertz),
                        }
                    }
                }
            }
        }
        let reel = &stage.reels.0[&stage.call];
        let frames = reel.left.len() / 160;
        assert!((4 * 85 - 2..=4 * 85).contains(&frames), "whole: {frames} of {} frames", 4 * 85);
    }
}
