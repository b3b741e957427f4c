//! Prompts on their way to the caller.

use hotline::media::g711;
use hotline::media::order::{Fact, Order};
use hotline::phone::Codec as Law;

use crate::packets::Rtp;
use crate::stage::{Peer, Stage, assert_one_stream, prompt, tone};

fn codes(packets: &[Rtp]) -> Vec<u8> {
    packets.iter().flat_map(|packet| packet.payload.clone()).collect()
}

/// A sound as G.711 has it, filled up to whole frames with silence.
fn coded(law: Law, sound: &[i16]) -> Vec<u8> {
    let (coder, silence) = match law {
        Law::Pcma => (g711::Law::A, 0xd5),
        Law::Pcmu => (g711::Law::Mu, 0xff),
    };
    let mut codes = vec![silence; sound.len().next_multiple_of(160)];
    g711::encode(coder, sound, &mut codes);
    codes
}

/// The codes are the nearest ones, by the peer's own tables. µ-law knows 14 of the 16 bits: what it
/// leaves out may go either way.
fn assert_nearest(law: Law, codes: &[u8], sound: &[i16]) {
    for (code, sample) in codes.iter().zip(sound) {
        let off = |code: u8| (i32::from(law.decode(code)) - i32::from(*sample)).abs();
        assert!(off(*code) <= off(law.encode(*sample)) + 8, "{sample} became {code:#x}");
    }
}

#[test]
fn a_prompt_leaves_byte_for_byte_as_its_file_every_twenty_milliseconds() {
    for law in [Law::Pcma, Law::Pcmu] {
        let sound = prompt("greeting");
        let mut stage = Stage::new(&[&sound]);
        let peer = Peer::join(&mut stage, 0, law);
        stage.play(0, &[0], false, 42);
        let frames = sound.len().div_ceil(160);
        stage.frames(frames, &mut []);
        let times: Vec<_> = stage.air.left.iter().filter(|left| left.bytes.len() == 172).collect();
        assert!(times.windows(2).all(|pair| pair[1].at.since(pair[0].at).as_millis() == 20));
        let packets = stage.take_for(&peer);
        assert_eq!(packets.len(), frames);
        assert!(codes(&packets) == coded(law, &sound), "{}", law.name());
        assert_nearest(law, &codes(&packets), &sound);
        assert_one_stream(&packets);
        assert!(packets.windows(2).all(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp) == 160));
        let marked: Vec<bool> = packets.iter().map(|packet| packet.marker).collect();
        assert!(marked[0] && !marked[1..].contains(&true), "the talkspurt's first is marked");
        assert!(packets.iter().all(|packet| packet.payload_type == law.payload_type()));
        assert_eq!(stage.facts, [Fact::Played { leg: stage.leg(0), mark: 42 }]);
        stage.frames(10, &mut []);
        assert_eq!(stage.take_for(&peer), [], "after it nothing is sent");
    }
}

#[test]
fn two_prompts_follow_one_another_without_a_sample_between() {
    let (first, second) = (prompt("greeting"), tone(1_001, 700.0));
    let first = &first[..50 * 160 + 77];
    let mut stage = Stage::new(&[first, &second]);
    let peer = Peer::join(&mut stage, 0, Law::Pcma);
    stage.play(0, &[0, 1, 0], false, 1);
    stage.frames(600, &mut []);
    let packets = stage.take_for(&peer);
    let whole = [first, &second, first].concat();
    assert!(codes(&packets) == coded(Law::Pcma, &whole));
    assert_eq!(stage.facts, [Fact::Played { leg: stage.leg(0), mark: 1 }]);
}

#[test]
fn a_prompt_that_is_replaced_is_never_through_and_music_never_ends() {
    let (speech, music) = (tone(8_000, 500.0), tone(400, 900.0));
    let mut stage = Stage::new(&[&speech, &music]);
    let peer = Peer::join(&mut stage, 0, Law::Pcmu);
    stage.play(0, &[0], false, 1);
    stage.frames(10, &mut []);
    stage.play(0, &[1], true, 2);
    stage.frames(100, &mut []);
    let packets = stage.take_for(&peer);
    assert_one_stream(&packets);
    assert_eq!(packets.len(), 110);
    let rounds: Vec<i16> = music.iter().copied().cycle().take(16_000).collect();
    assert!(codes(&packets[10..]) == coded(Law::Pcmu, &rounds), "the music begins anew without a gap");
    stage.order(Order::Quiet { leg: stage.leg(0) });
    stage.frames(10, &mut []);
    assert_eq!(stage.take_for(&peer), []);
    assert_eq!(stage.facts, []);
}

#[test]
fn a_late_tick_makes_up_for_what_it_missed_and_no_sound_is_left_out() {
    let sound = prompt("greeting");
    // The thread is held up for 5 to 40 ms: its phases come late, then on time.
    for ticks in 1..=8 {
        let mut stage = Stage::new(&[&sound]);
        let peer = Peer::join(&mut stage, 0, Law::Pcma);
        stage.play(0, &[0], false, 1);
        stage.frames(20, &mut []);
        stage.late(ticks);
        stage.frames(sound.len() / 160, &mut []);
        let packets = stage.take_for(&peer);
        assert!(codes(&packets) == coded(Law::Pcma, &sound));
        assert_one_stream(&packets);
        let hole = |pair: &[Rtp]| pair[1].timestamp.wrapping_sub(pair[0].timestamp) != 160;
        assert!(!packets.windows(2).any(hole), "no hole in time after {ticks} ticks");
    }
}
