//! Held and muted: who hears what, and nobody more.

use hotline::media::order::{Flow, LegConfig, Order};
use hotline::phone::Codec as Law;

use crate::stage::{HEARD, Peer, Stage, UNHEARD, assert_one_stream, level, tone};

const CALLER: f64 = 440.0;
const CLERK: f64 = 1_000.0;
const MUSIC: f64 = 1_500.0;

fn talking(one: Law, other: Law, recorded: bool) -> (Stage, Peer, Peer) {
    let music = tone(16_000, MUSIC);
    let mut stage = Stage::new(&[&music]);
    let mut caller = Peer::join(&mut stage, 0, one);
    let mut clerk = Peer::join(&mut stage, 1, other);
    if recorded {
        stage.record();
    }
    (caller.tone, clerk.tone) = (Some(CALLER), Some(CLERK));
    stage.bridge(0, 1);
    stage.frames(50, &mut [&mut caller, &mut clerk]);
    (stage, caller, clerk)
}

/// Relayed, turned into one another, and decoded for the recorder.
const WAYS: [(Law, Law, bool); 3] =
    [(Law::Pcma, Law::Pcma, false), (Law::Pcma, Law::Pcmu, false), (Law::Pcmu, Law::Pcmu, true)];

#[test]
fn a_caller_on_hold_hears_music_only_and_the_clerk_hears_nothing() {
    for (one, other, recorded) in WAYS {
        let (mut stage, mut caller, mut clerk) = talking(one, other, recorded);
        let before = caller.hears(&stage.take_for(&caller));
        assert!(level(&before, CLERK) > HEARD && level(&before, MUSIC) < UNHEARD);
        assert!(level(&clerk.hears(&stage.take_for(&clerk)), CALLER) > HEARD);

        stage.play(0, &[0], true, 1);
        stage.frames(100, &mut [&mut caller, &mut clerk]);
        let held = stage.take_for(&caller);
        assert_eq!(held.len(), 100);
        let held = caller.hears(&held);
        assert!(level(&held, MUSIC) > HEARD);
        assert!(level(&held, CLERK) < UNHEARD, "the clerk is heard on hold");
        assert!(level(&held, CALLER) < UNHEARD);
        assert_eq!(stage.take_for(&clerk), [], "the caller is heard on hold");

        stage.bridge(0, 1);
        stage.frames(50, &mut [&mut caller, &mut clerk]);
        let after = caller.hears(&stage.take_for(&caller));
        assert!(level(&after, CLERK) > HEARD && level(&after, MUSIC) < UNHEARD);
        let clerk_hears = clerk.hears(&stage.take_for(&clerk));
        assert!(level(&clerk_hears, CALLER) > HEARD && level(&clerk_hears, MUSIC) < UNHEARD);
    }
}

#[test]
fn a_direction_that_was_negotiated_away_carries_nothing_and_the_other_goes_on() {
    // What the clerk's leg may do (RFC 3264 §5.1, from our side), whether the caller hears the clerk,
    // and whether the clerk hears the caller.
    let rows = [
        (Flow::SendRecv, true, true),
        (Flow::RecvOnly, true, false),
        (Flow::SendOnly, false, true),
        (Flow::Inactive, false, false),
    ];
    for (one, other, recorded) in WAYS {
        let (mut stage, mut caller, mut clerk) = talking(one, other, recorded);
        for (flow, from_clerk, to_clerk) in rows {
            let config = Box::new(LegConfig { flow, ..clerk.config() });
            stage.order(Order::Change { leg: stage.leg(1), config });
            // What was on its way is let through.
            stage.frames(15, &mut [&mut caller, &mut clerk]);
            stage.take_for(&caller);
            stage.take_for(&clerk);
            stage.frames(50, &mut [&mut caller, &mut clerk]);
            let hears =
                |peer: &Peer, sound: &[i16]| level(sound, if peer.slot.0 == 0 { CLERK } else { CALLER });
            let caller_heard = caller.hears(&stage.take_for(&caller));
            let clerk_got = stage.take_for(&clerk);
            assert_eq!(hears(&caller, &caller_heard) > HEARD, from_clerk, "{flow:?} {recorded}");
            assert!(from_clerk || hears(&caller, &caller_heard) < UNHEARD, "{flow:?} {recorded}");
            assert_eq!(hears(&clerk, &clerk.hears(&clerk_got)) > HEARD, to_clerk, "{flow:?} {recorded}");
            assert!(to_clerk || clerk_got.is_empty(), "{flow:?} {recorded}: sent all the same");
        }
    }
}

#[test]
fn a_renegotiation_keeps_the_stream_and_may_change_codec_and_address() {
    let (mut stage, mut caller, mut clerk) = talking(Law::Pcma, Law::Pcma, false);
    let first = stage.take_for(&clerk);
    let mut moved = Peer::at(1, Law::Pcmu);
    moved.address.set_port(6_000);
    (moved.sequence, moved.timestamp, moved.ssrc) = (clerk.sequence, clerk.timestamp, clerk.ssrc);
    moved.tone = Some(CLERK);
    stage.order(Order::Change { leg: stage.leg(1), config: Box::new(moved.config()) });
    stage.take_for(&caller);
    stage.frames(50, &mut [&mut caller, &mut moved]);
    assert_eq!(stage.take_for(&clerk), [], "nothing more to the old address");
    let second = stage.take_for(&moved);
    assert_one_stream(&[first, second.clone()].concat());
    assert!(level(&moved.hears(&second), CALLER) > HEARD);
    assert!(level(&caller.hears(&stage.take_for(&caller)), CLERK) > HEARD);
    // The old address is a stranger's now; what was made up for the silence has faded.
    stage.frames(15, &mut []);
    stage.take_for(&caller);
    stage.frames(20, &mut [&mut clerk]);
    assert!(level(&caller.hears(&stage.take_for(&caller)), CLERK) < UNHEARD);
}
