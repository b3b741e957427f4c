//! A telephone that sends comfort noise in place of silence (RFC 3389).

use hotline::phone::Codec as Law;

use crate::stage::{HEARD, Peer, Stage, assert_one_stream, level};

/// Mean level, dB below overload.
fn loudness(sound: &[i16]) -> f64 {
    let square: f64 = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    20.0 * ((square / sound.len() as f64).sqrt() / 32_768.0).log10()
}

/// The caller pauses for 40 frames, having said how loud its room is.
fn pause(stage: &mut Stage, caller: &mut Peer, clerk: &mut Peer, level: u8) {
    let timestamp = caller.timestamp;
    let mut packet = caller.next_with(vec![level]);
    (packet.payload_type, packet.timestamp) = (13, timestamp);
    caller.send(stage, &packet);
    stage.frames(40, &mut [clerk]);
    caller.timestamp = timestamp.wrapping_add(40 * 160);
}

#[test]
fn a_pause_is_heard_as_quiet_noise_where_sound_is_decoded_and_ends_with_the_next_word() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    let mut clerk = Peer::join(&mut stage, 1, Law::Pcmu);
    stage.bridge(0, 1);
    stage.record();
    caller.tone = Some(440.0);
    let mut all = Vec::new();
    // A caller may not deafen the clerk by what it calls noise.
    for (named, wanted) in [(50, -50.0), (60, -60.0), (5, -40.0)] {
        stage.frames(20, &mut [&mut caller, &mut clerk]);
        all.extend(stage.take_for(&clerk));
        let before = stage.reels.0[&stage.call].left.len();
        pause(&mut stage, &mut caller, &mut clerk, named);
        let noise = stage.take_for(&clerk);
        assert!((39..=41).contains(&noise.len()), "one stream without a hole: {}", noise.len());
        let heard = clerk.hears(&noise);
        let heard = loudness(&heard[10 * 160..]);
        assert!((heard - wanted).abs() < 1.5, "-{named} dB was named, {heard} heard");
        let recorded = loudness(&stage.reels.0[&stage.call].left[before + 10 * 160..]);
        assert!((recorded - wanted).abs() < 1.5, "{recorded} recorded");
        all.extend(noise);
    }
    stage.frames(20, &mut [&mut caller, &mut clerk]);
    let words = stage.take_for(&clerk);
    let heard = clerk.hears(&words);
    assert!(level(&heard[5 * 160..], 440.0) > HEARD);
    all.extend(words);
    assert_one_stream(&all);
    // A pause that it does not speak of is silence, as before.
    stage.frames(20, &mut [&mut clerk]);
    let silence = stage.take_for(&clerk);
    let heard = clerk.hears(&silence[silence.len().min(12)..]);
    assert!(heard.iter().all(|sample| *sample == 0), "no noise without a word of it");
    let figures = stage.close(0);
    assert_eq!((figures.lost, figures.refused), (0, 0));
}

#[test]
fn a_relay_leaves_the_pause_a_pause_and_adds_no_packet() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    let mut clerk = Peer::join(&mut stage, 1, Law::Pcma);
    stage.bridge(0, 1);
    stage.frames(20, &mut [&mut caller, &mut clerk]);
    assert_eq!(stage.take_for(&clerk).len(), 20);
    pause(&mut stage, &mut caller, &mut clerk, 50);
    assert_eq!(stage.take_for(&clerk), []);
    assert_eq!(stage.take_for(&caller).len(), 60, "the other way goes on");
}
