//! Sound that is missing while two talk: microphones that say nothing, audio that goes one way only.

use std::time::Duration;

use hotline::media::order::{Codec, Fact, Flow, LegConfig, LegFigures, Order, Watches};
use hotline::phone::Codec as Law;

use crate::stage::{Peer, Stage};

const MUTE: Duration = Duration::from_secs(5);
const ONE_WAY: Duration = Duration::from_secs(3);
/// Frames of a second.
const SECOND: usize = 50;

fn watched(peer: &Peer) -> LegConfig {
    LegConfig { watches: Watches { mute: MUTE, one_way: ONE_WAY }, ..peer.config() }
}

/// A caller and a clerk who talk.
fn talking(one: Law, other: Law, recorded: bool) -> (Stage, Peer, Peer) {
    let mut stage = Stage::new(&[&[2_000; 8_000]]);
    let (mut caller, mut clerk) = (Peer::at(0, one), Peer::at(1, other));
    for (index, peer) in [(0, &caller), (1, &clerk)] {
        stage.order(Order::Open { leg: stage.leg(index), config: Box::new(watched(peer)) });
    }
    if recorded {
        stage.record();
    }
    (caller.tone, clerk.tone) = (Some(440.0), Some(1_000.0));
    stage.bridge(0, 1);
    stage.frames(2 * SECOND, &mut [&mut caller, &mut clerk]);
    assert_eq!(told(&mut stage), []);
    (stage, caller, clerk)
}

/// What was told since the last call, with the leg's index.
fn told(stage: &mut Stage) -> Vec<(&'static str, u16)> {
    let word = |fact: Fact| match fact {
        Fact::Mute { leg } => Some(("mute", leg.index)),
        Fact::Unheard { leg } => Some(("unheard", leg.index)),
        Fact::SoundBack { leg } => Some(("back", leg.index)),
        _ => None,
    };
    stage.facts.drain(..).filter_map(word).collect()
}

/// Relayed, turned into one another, and decoded for the recorder.
const WAYS: [(Law, Law, bool); 4] = [
    (Law::Pcma, Law::Pcma, false),
    (Law::Pcmu, Law::Pcmu, false),
    (Law::Pcma, Law::Pcmu, false),
    (Law::Pcma, Law::Pcma, true),
];

fn near(ms: u32, seconds: u64) -> bool {
    u64::from(ms).abs_diff(seconds * 1_000) <= 1_500
}

#[test]
fn a_microphone_that_says_nothing_is_told_once_until_it_speaks() {
    for (one, other, recorded) in WAYS {
        let (mut stage, mut caller, mut clerk) = talking(one, other, recorded);
        caller.tone = None;
        stage.frames(4 * SECOND, &mut [&mut caller, &mut clerk]);
        assert_eq!(told(&mut stage), [], "a listener");
        stage.frames(8 * SECOND, &mut [&mut caller, &mut clerk]);
        assert_eq!(told(&mut stage), [("mute", 0)], "{one:?} {other:?} {recorded}");
        caller.tone = Some(440.0);
        stage.frames(2 * SECOND, &mut [&mut caller, &mut clerk]);
        assert_eq!(told(&mut stage), [("back", 0)]);
        caller.tone = None;
        stage.frames(8 * SECOND, &mut [&mut caller, &mut clerk]);
        assert_eq!(told(&mut stage), [("mute", 0)], "and once again");
        let LegFigures { mute_ms, unheard_ms, .. } = stage.close(0);
        assert!(near(mute_ms, 12 + 8) && unheard_ms == 0, "{mute_ms}");
        assert_eq!(stage.close(1).mute_ms, 0);
    }
}

#[test]
fn a_faint_line_noise_and_a_few_words_are_no_mute_microphone() {
    for (one, other, recorded) in WAYS {
        let (mut stage, mut caller, mut clerk) = talking(one, other, recorded);
        // A room's noise: 30 dB below speech, now and then a peak of 60.
        for n in 0..20 * SECOND {
            let codes = (0..160).map(|at| caller.law.encode(if (n + at) % 40 == 0 { 60 } else { 8 }));
            let packet = caller.next_with(codes.collect());
            caller.send(&mut stage, &packet);
            clerk.speak(&mut stage);
            (0..4).for_each(|_| stage.tick());
        }
        // "Hm", half a second long, each four seconds.
        for _ in 0..5 {
            caller.tone = None;
            stage.frames(4 * SECOND - 25, &mut [&mut caller, &mut clerk]);
            caller.tone = Some(200.0);
            stage.frames(25, &mut [&mut caller, &mut clerk]);
        }
        assert_eq!(told(&mut stage), [], "{one:?} {other:?} {recorded}");
    }
}

#[test]
fn audio_that_goes_one_way_only_is_told_with_its_side() {
    for (one, other, recorded) in WAYS {
        let (mut stage, mut caller, mut clerk) = talking(one, other, recorded);
        stage.frames(2 * SECOND, &mut [&mut caller]);
        assert_eq!(told(&mut stage), [], "a gap");
        stage.frames(4 * SECOND, &mut [&mut caller]);
        assert_eq!(told(&mut stage), [("unheard", 1)], "{one:?} {other:?} {recorded}");
        // Now nobody is heard: that is told by `Silent`, if at all; the clerk goes on missing.
        stage.frames(6 * SECOND, &mut []);
        assert_eq!(told(&mut stage), []);
        stage.frames(2 * SECOND, &mut [&mut caller, &mut clerk]);
        assert_eq!(told(&mut stage), [("back", 1)]);
        let LegFigures { mute_ms, unheard_ms, .. } = stage.close(1);
        assert!(near(unheard_ms, 12) && mute_ms == 0, "{unheard_ms}");
    }
}

#[test]
fn a_side_that_was_never_heard_is_told_too() {
    let mut stage = Stage::new(&[]);
    let (mut caller, clerk) = (Peer::at(0, Law::Pcma), Peer::at(1, Law::Pcma));
    for (index, peer) in [(0, &caller), (1, &clerk)] {
        stage.order(Order::Open { leg: stage.leg(index), config: Box::new(watched(peer)) });
    }
    caller.tone = Some(440.0);
    stage.bridge(0, 1);
    stage.frames(5 * SECOND, &mut [&mut caller]);
    assert_eq!(told(&mut stage), [("unheard", 1)]);
}

#[test]
fn holds_music_announced_pauses_and_no_bounds_are_never_told() {
    let (mut stage, mut caller, mut clerk) = talking(Law::Pcma, Law::Pcma, false);
    // Held by what was agreed: the clerk sends nothing, rightly.
    for flow in [Flow::RecvOnly, Flow::SendOnly, Flow::Inactive] {
        let config = LegConfig { flow, ..watched(&clerk) };
        stage.order(Order::Change { leg: stage.leg(1), config: Box::new(config) });
        stage.frames(8 * SECOND, &mut [&mut caller]);
        assert_eq!(told(&mut stage), [], "{flow:?}");
    }
    // By an address that is none.
    let nowhere = "0.0.0.0:9".parse().unwrap();
    let config = LegConfig { remote: nowhere, remote_rtcp: nowhere, ..watched(&clerk) };
    stage.order(Order::Change { leg: stage.leg(1), config: Box::new(config) });
    stage.frames(8 * SECOND, &mut [&mut caller]);
    assert_eq!(told(&mut stage), [], "an address of zeros");
    stage.order(Order::Change { leg: stage.leg(1), config: Box::new(watched(&clerk)) });
    // Music.
    stage.play(0, &[0], true, 1);
    caller.tone = None;
    stage.frames(8 * SECOND, &mut [&mut caller]);
    assert_eq!(told(&mut stage), [], "music");
    // And back: everything is missed anew, from here on.
    stage.bridge(0, 1);
    stage.frames(2 * SECOND, &mut [&mut caller]);
    assert_eq!(told(&mut stage), []);
    // The clerk says that there is a pause (RFC 3389), and the caller speaks on.
    caller.tone = Some(440.0);
    clerk.speak(&mut stage);
    let mut noise = clerk.next_with(vec![60]);
    noise.payload_type = 13;
    clerk.send(&mut stage, &noise);
    stage.frames(8 * SECOND, &mut [&mut caller]);
    assert_eq!(told(&mut stage), [], "a pause that was announced");
    clerk.speak(&mut stage);
    stage.frames(8 * SECOND, &mut [&mut caller]);
    assert_eq!(told(&mut stage), [("unheard", 1)], "it spoke again, and then no more");

    let mut stage = Stage::new(&[]);
    let (mut caller, _clerk) = (Peer::join(&mut stage, 0, Law::Pcma), Peer::join(&mut stage, 1, Law::Pcma));
    stage.bridge(0, 1);
    stage.frames(40 * SECOND, &mut [&mut caller]);
    assert_eq!(told(&mut stage), [], "without bounds");
}

#[test]
fn what_cannot_be_judged_without_decoding_passes_for_sound() {
    let mut stage = Stage::new(&[]);
    let (mut caller, mut clerk) = (Peer::at(0, Law::Pcma), Peer::at(1, Law::Pcma));
    for (index, peer) in [(0, &mut caller), (1, &mut clerk)] {
        peer.payload_type = 9;
        let config = LegConfig { codec: Codec::G722, ..watched(peer) };
        stage.order(Order::Open { leg: stage.leg(index), config: Box::new(config) });
    }
    stage.bridge(0, 1);
    for _ in 0..10 * SECOND {
        for peer in [&mut caller, &mut clerk] {
            let packet = peer.next_with(vec![0; 160]);
            peer.send(&mut stage, &packet);
        }
        (0..4).for_each(|_| stage.tick());
    }
    assert_eq!(told(&mut stage), []);
    let figures = stage.close(0);
    assert_eq!((figures.codec, figures.mute_ms), (Some(Codec::G722), 0));
}
