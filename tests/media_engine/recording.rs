//! Who is on which side of a recording, in every phase of a call.

use hotline::media::order::{Flow, LegConfig, Order};
use hotline::phone::Codec as Law;

use crate::stage::{HEARD, Peer, Reel, Stage, UNHEARD, level, tone};

const CALLER: f64 = 440.0;
const CLERK: f64 = 1_000.0;
const SPEECH: f64 = 700.0;
const MUSIC: f64 = 1_500.0;
const SECOND: f64 = 2_000.0;

/// Frames of one phase, and those at its beginning in which the last one may still sound.
const PHASE: usize = 60;
const TAIL: usize = 15;

/// One phase of a recording without its beginning.
fn phase(reel: &Reel, n: usize) -> (&[i16], &[i16]) {
    let part = (n * PHASE + TAIL) * 160..(n + 1) * PHASE * 160;
    (&reel.left[part.clone()], &reel.right[part])
}

/// The tones of `wanted` are in there, and no other.
fn assert_only(what: &str, sound: &[i16], wanted: &[f64]) {
    for hertz in [CALLER, CLERK, SPEECH, MUSIC, SECOND] {
        let level = level(sound, hertz);
        match wanted.contains(&hertz) {
            true => assert!(level > HEARD, "{what}: {hertz} Hz is missing ({level} dB)"),
            false => assert!(level < UNHEARD, "{what}: {hertz} Hz is there ({level} dB)"),
        }
    }
}

#[test]
fn the_caller_is_left_and_what_the_caller_hears_is_right_in_every_phase() {
    for (one, other) in [(Law::Pcma, Law::Pcma), (Law::Pcmu, Law::Pcma)] {
        let (speech, music) = (tone(8_000, SPEECH), tone(8_000, MUSIC));
        let mut stage = Stage::new(&[&speech, &music]);
        let mut caller = Peer::join(&mut stage, 0, one);
        caller.tone = Some(CALLER);
        stage.record();
        stage.play(0, &[0], true, 1);
        stage.frames(PHASE, &mut [&mut caller]);
        // A clerk comes, and a leg that was opened after the order takes part.
        let mut clerk = Peer::join(&mut stage, 1, other);
        clerk.tone = Some(CLERK);
        stage.bridge(0, 1);
        stage.frames(PHASE, &mut [&mut caller, &mut clerk]);
        stage.play(0, &[1], true, 2);
        stage.frames(PHASE, &mut [&mut caller, &mut clerk]);
        // Back, and the caller's telephone is muted by a renegotiation.
        stage.bridge(0, 1);
        let muted = LegConfig { flow: Flow::SendOnly, ..caller.config() };
        stage.order(Order::Change { leg: stage.leg(0), config: Box::new(muted) });
        stage.frames(PHASE, &mut [&mut caller, &mut clerk]);
        let loud = Box::new(caller.config());
        stage.order(Order::Change { leg: stage.leg(0), config: loud });
        // Transferred to a second clerk; the recording goes on.
        stage.close(1);
        let mut second = Peer::join(&mut stage, 2, one);
        second.tone = Some(SECOND);
        stage.bridge(0, 2);
        stage.frames(PHASE, &mut [&mut caller, &mut second]);
        // The clerk is gone, the caller grades the call and says nothing.
        stage.close(2);
        stage.play(0, &[0], true, 3);
        caller.tone = None;
        stage.frames(PHASE, &mut [&mut caller]);
        stage.order(Order::StopRecord { call: stage.call });

        let reel = &stage.reels.0[&stage.call];
        assert_eq!(reel.lost, Some(0));
        assert_eq!((reel.left.len(), reel.right.len()), (6 * PHASE * 160, 6 * PHASE * 160), "20 ms is 20 ms");
        let rows: [(&str, &[f64], &[f64]); 6] = [
            ("prompt", &[CALLER], &[SPEECH]),
            ("bridge", &[CALLER], &[CLERK]),
            ("hold", &[CALLER], &[MUSIC]),
            ("muted", &[], &[CLERK]),
            ("transferred", &[CALLER], &[SECOND]),
            ("survey", &[], &[SPEECH]),
        ];
        for (n, (what, left, right)) in rows.into_iter().enumerate() {
            let (was_left, was_right) = phase(reel, n);
            assert_only(&format!("{what}, left"), was_left, left);
            assert_only(&format!("{what}, right"), was_right, right);
        }
    }
}

#[test]
fn a_recording_changes_nothing_of_what_is_heard_and_ends_when_told() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    let mut clerk = Peer::join(&mut stage, 1, Law::Pcma);
    (caller.tone, clerk.tone) = (Some(CALLER), Some(CLERK));
    stage.bridge(0, 1);
    stage.frames(PHASE, &mut [&mut caller, &mut clerk]);
    stage.record();
    assert_eq!(stage.engine.recordings(), 1);
    stage.frames(PHASE, &mut [&mut caller, &mut clerk]);
    stage.order(Order::StopRecord { call: stage.call });
    assert_eq!(stage.engine.recordings(), 0);
    stage.frames(PHASE, &mut [&mut caller, &mut clerk]);
    let reel = &stage.reels.0[&stage.call];
    assert_eq!((reel.left.len(), reel.lost), (PHASE * 160, Some(0)));
    for (peer, hears) in [(&caller, CLERK), (&clerk, CALLER)] {
        let packets = stage.take_for(peer);
        crate::stage::assert_one_stream(&packets);
        assert!(packets.len() >= 3 * PHASE - 3, "{}", packets.len());
        assert_only("heard", &peer.hears(&packets)[3_200..], &[hears]);
    }
}

#[test]
fn a_caller_who_is_gone_leaves_silence_until_the_recording_is_closed() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    caller.tone = Some(CALLER);
    stage.record();
    stage.frames(PHASE, &mut [&mut caller]);
    stage.close(0);
    stage.frames(PHASE, &mut []);
    stage.order(Order::StopRecord { call: stage.call });
    let reel = &stage.reels.0[&stage.call];
    assert_eq!(reel.left.len(), 2 * PHASE * 160);
    assert_only("before", phase(reel, 0).0, &[CALLER]);
    assert!(reel.left[PHASE * 160..].iter().chain(&reel.right).all(|sample| *sample == 0));
}

#[test]
fn ticks_that_were_left_out_are_silence_at_their_own_place() {
    let mut stage = Stage::new(&[&[3_000; 160]]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    stage.record();
    stage.play(0, &[0], true, 1);
    stage.frames(PHASE, &mut [&mut caller]);
    stage.late(40); // 200 ms: beyond what one tick makes up for.
    stage.frames(PHASE, &mut [&mut caller]);
    stage.order(Order::StopRecord { call: stage.call });
    let reel = &stage.reels.0[&stage.call];
    assert_eq!(reel.right.len(), (2 * PHASE + 10) * 160, "the file is as long as the call");
    let silent = reel.right.chunks_exact(160).filter(|frame| frame.iter().all(|sample| *sample == 0)).count();
    assert_eq!(Some(silent as u64), reel.lost, "what is lost is told");
}
