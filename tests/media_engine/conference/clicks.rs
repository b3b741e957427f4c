//! Whoever begins or ends to be heard does so softly: by the largest step between two samples.

use hotline::media::LegConfig;
use hotline::media::order::{Audience, Flow, Order, Rights};
use hotline::phone::Codec as Law;

use super::{FULL, forget, hall, join, leave, talk};
use crate::stage::{Peer, Stage};

/// Not a whole number of its periods fits into a frame: it is cut off anywhere.
const SPEAKER: f64 = 210.0;
const BESIDE: f64 = 130.0;
const LOUD: f64 = 8_000.0;

/// A tone's own largest step, with what A-law, the fade over 40 samples and a pitch that is a
/// little off add to it. Sound cut off at its loudest would step by 8,000.
fn softest(tones: &[f64]) -> i32 {
    let own: f64 =
        tones.iter().map(|hertz| 2.0 * LOUD * (std::f64::consts::PI * hertz / 8_000.0).sin()).sum();
    own as i32 + 1_000
}

fn largest_step(sound: &[i16]) -> i32 {
    sound.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap_or(0)
}

/// A listener, one who speaks and comes and goes, and one who may speak beside.
fn trio(beside: bool) -> (Stage, Vec<Peer>) {
    let (mut stage, mut peers) = hall(&[Law::Pcma; 3]);
    for (peer, tone) in peers.iter_mut().zip([None, Some(SPEAKER), beside.then_some(BESIDE)]) {
        (peer.tone, peer.loud) = (tone, LOUD);
    }
    (0..3).for_each(|leg| join(&mut stage, leg, FULL));
    talk(&mut stage, &mut peers, 20);
    forget(&mut stage, &peers);
    (stage, peers)
}

/// The speaker is taken out and brought back by two orders, twelve times; what the listener hears.
fn assert_soft(what: &str, mut out: impl FnMut(&mut Stage, &mut Peer), mut back: impl FnMut(&mut Stage)) {
    for beside in [false, true] {
        let (mut stage, mut peers) = trio(beside);
        let bound = softest(if beside { &[SPEAKER, BESIDE] } else { &[SPEAKER] });
        for n in 0..12 {
            // At all phases of the tone, and at all ticks of the frame.
            talk(&mut stage, &mut peers, 7 + n);
            peers.iter_mut().for_each(|peer| peer.speak(&mut stage));
            (0..n % 4).for_each(|_| stage.tick());
            out(&mut stage, &mut peers[1]);
            (n % 4..4).for_each(|_| stage.tick());
            talk(&mut stage, &mut peers, 6);
            back(&mut stage);
            talk(&mut stage, &mut peers, 9);
        }
        let sound = peers[0].hears(&stage.take_for(&peers[0]));
        assert!(sound.len() > 12 * 10 * 160);
        assert!(crate::stage::level(&sound, SPEAKER) > crate::stage::HEARD, "{what}");
        let step = largest_step(&sound);
        assert!(step <= bound, "{what}, beside another {beside}: a step of {step}, at most {bound}");
        let least = if beside { 1_318 } else { 0 };
        assert!(step >= least, "{what}: the measure measures");
    }
}

#[test]
fn who_leaves_and_comes_back_does_not_click() {
    assert_soft("left", |stage, _| leave(stage, 1), |stage| join(stage, 1, FULL));
}

#[test]
fn who_is_played_a_prompt_and_comes_back_does_not_click() {
    assert_soft("played to", |stage, _| stage.play(1, &[0], true, 1), |stage| join(stage, 1, FULL));
}

#[test]
fn who_hangs_up_and_calls_again_does_not_click() {
    assert_soft(
        "closed",
        |stage, peer| {
            stage.close(1);
            let config = Box::new(peer.config());
            stage.order(Order::Open { leg: stage.leg(1), config });
        },
        |stage| join(stage, 1, FULL),
    );
}

#[test]
fn who_is_muted_held_or_whispers_does_not_click() {
    let muted = Rights { hears: true, heard_by: Audience::Nobody };
    assert_soft("muted", move |stage, _| join(stage, 1, muted), |stage| join(stage, 1, FULL));
    assert_soft(
        "whispering to another",
        |stage, _| {
            let heard_by = Audience::Only(stage.leg(2));
            join(stage, 1, Rights { hears: true, heard_by });
        },
        |stage| join(stage, 1, FULL),
    );
    assert_soft(
        "whispering to the listener",
        |stage, _| {
            let heard_by = Audience::Only(stage.leg(0));
            join(stage, 1, Rights { hears: true, heard_by });
        },
        |stage| join(stage, 1, FULL),
    );
    let held = Rights { hears: false, heard_by: Audience::Everyone };
    assert_soft("the listener is held", move |stage, _| join(stage, 0, held), |stage| join(stage, 0, FULL));
}

#[test]
fn who_holds_by_its_own_sdp_does_not_click() {
    for (what, leg, flow) in [("the speaker", 1, Flow::SendOnly), ("both ways", 1, Flow::Inactive)] {
        let change = move |stage: &mut Stage, flow| {
            let config = LegConfig { flow, ..Peer::at(leg, Law::Pcma).config() };
            stage.order(Order::Change { leg: stage.leg(leg), config: Box::new(config) });
        };
        assert_soft(what, |stage, _| change(stage, flow), |stage| change(stage, Flow::SendRecv));
    }
}

#[test]
fn who_leaves_and_comes_back_between_two_ticks_is_heard_on_without_a_click() {
    assert_soft(
        "left and back",
        |stage, _| {
            leave(stage, 1);
            join(stage, 1, FULL);
            leave(stage, 1);
            join(stage, 1, FULL);
        },
        |_| {},
    );
}

#[test]
fn who_begins_to_speak_and_falls_silent_does_not_click() {
    // Packets that end without a word are a loss: their sound goes on, and fades.
    for beside in [false, true] {
        let (mut stage, mut peers) = trio(beside);
        for n in 0..6 {
            talk(&mut stage, &mut peers, 11 + n);
            let [listener, _, other] = &mut peers[..] else { unreachable!() };
            stage.frames(70, &mut [listener, other]);
        }
        let sound = peers[0].hears(&stage.take_for(&peers[0]));
        let bound = softest(if beside { &[SPEAKER, BESIDE] } else { &[SPEAKER] });
        let step = largest_step(&sound);
        assert!(step <= bound, "a step of {step}, at most {bound}");
    }
}
