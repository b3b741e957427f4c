//! What is recorded of a call whose caller is in a conference.

use hotline::media::order::{Audience, Order, Rights};
use hotline::phone::Codec as Law;
use hotline::time::Timestamp;

use super::{FULL, ROOM, hall, join, stranger, talk, voices};
use crate::stage::{BEGUN_S, HEARD, Peer, level};

/// The prompt that the hall plays.
const PROMPT: f64 = 3_450.0;

/// The tones left and right of the last tenth of a second recorded.
fn last(stage: &crate::stage::Stage, call: hotline::id::CallId, peers: &[Peer]) -> (u32, u32) {
    let reel = &stage.reels.0[&call];
    let end = reel.left.len();
    (voices(&reel.left[end - 800..], peers), voices(&reel.right[end - 800..], peers))
}

#[test]
fn the_caller_is_left_and_all_that_the_caller_may_hear_is_right() {
    for laws in [[Law::Pcma; 4], [Law::Pcma, Law::Pcmu, Law::Pcma, Law::Pcmu]] {
        let (mut stage, mut peers) = hall(&laws);
        let (caller, clerk) = (stage.leg(0), stage.leg(1));
        stage.record();
        let only = |leg| Rights { hears: true, heard_by: Audience::Only(leg) };
        let muted = Rights { hears: true, heard_by: Audience::Nobody };
        let held = Rights { hears: false, heard_by: Audience::Nobody };
        let deaf = Rights { hears: false, heard_by: Audience::Everyone };
        // Rights of caller, clerk, supervisor and a fourth; who is on the right.
        let rows: [(&str, [Rights; 4], u32); 7] = [
            ("all talk", [FULL; 4], 0b1110),
            ("a whisper to the clerk is not the caller's", [FULL, FULL, only(clerk), FULL], 0b1010),
            ("a whisper to the caller is", [FULL, FULL, only(caller), muted], 0b0110),
            ("who listens in is not heard", [FULL, FULL, muted, muted], 0b0010),
            ("the only one heard", [FULL, muted, muted, FULL], 0b1000),
            ("a held caller's recording goes on", [held, FULL, only(clerk), FULL], 0b1010),
            ("others that hear nothing are heard", [FULL, deaf, deaf, deaf], 0b1110),
        ];
        for (what, rights, right) in rows {
            for (leg, rights) in (0..).zip(rights) {
                join(&mut stage, leg, rights);
            }
            talk(&mut stage, &mut peers, 25);
            assert_eq!(last(&stage, stage.call, &peers), (0b0001, right), "{what}");
        }
        // A prompt takes the place of the conference.
        stage.play(0, &[0], true, 1);
        talk(&mut stage, &mut peers, 15);
        assert_eq!(last(&stage, stage.call, &peers), (0b0001, 0), "a prompt");
        let reel = &stage.reels.0[&stage.call];
        assert!(level(&reel.right[reel.right.len() - 800..], PROMPT) > HEARD);
        join(&mut stage, 0, FULL);
        talk(&mut stage, &mut peers, 15);
        assert_eq!(last(&stage, stage.call, &peers).1, 0b1110, "back");
        stage.order(Order::StopRecord { call: stage.call });
        let frames = stage.reels.0[&stage.call].left.len() / 160;
        assert_eq!(frames, 7 * 25 + 2 * 15, "20 ms is 20 ms");
    }
}

#[test]
fn a_caller_held_by_its_telephone_is_recorded_on_and_a_lone_voice_as_it_is() {
    let (mut stage, mut peers) = hall(&[Law::Pcma; 3]);
    peers[2].tone = None;
    stage.record();
    (0..2).for_each(|leg| join(&mut stage, leg, FULL));
    talk(&mut stage, &mut peers, 25);
    assert_eq!(last(&stage, stage.call, &peers), (0b01, 0b10));
    let flow = hotline::media::order::Flow::Inactive;
    let config = hotline::media::LegConfig { flow, ..peers[0].config() };
    stage.order(Order::Change { leg: stage.leg(0), config: Box::new(config) });
    talk(&mut stage, &mut peers, 60);
    assert_eq!(last(&stage, stage.call, &peers), (0, 0b10));
}

#[test]
fn two_calls_of_one_room_are_recorded_each_from_its_callers_side() {
    let (mut stage, mut peers) = hall(&[Law::Pcma; 3]);
    // The third peer's leg belongs to another call, and to the room's group.
    stage.close(2);
    let other = stranger(2);
    let config = Box::new(peers[2].config());
    let begun = Timestamp::from_second(BEGUN_S).unwrap();
    // Told to be recorded before its caller is there: the recording goes with its caller's group.
    stage.order(Order::Record { call: other.call, caller: other, begun, tracks: false });
    stage.order(Order::Open { leg: other, config });
    stage.record();
    (0..2).for_each(|leg| join(&mut stage, leg, FULL));
    stage.order(Order::Join { leg: other, conference: ROOM, rights: FULL });
    talk(&mut stage, &mut peers, 40);
    assert_eq!(last(&stage, stage.call, &peers), (0b001, 0b110));
    assert_eq!(last(&stage, other.call, &peers), (0b100, 0b011));
    for call in [stage.call, other.call] {
        stage.order(Order::StopRecord { call });
        let reel = &stage.reels.0[&call];
        assert_eq!((reel.left.len(), reel.lost), (40 * 160, Some(0)));
    }
    assert_eq!(stage.engine.recordings(), 0);
}
