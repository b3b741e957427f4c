//! Two legs that hear one another.

use hotline::id::Dice;
use hotline::media::SocketKey;
use hotline::media::order::Order;
use hotline::phone::Codec as Law;

use crate::stage::{HEARD, Peer, Stage, UNHEARD, assert_one_stream, level};

#[test]
fn equal_codecs_are_relayed_as_they_come_payload_untouched() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    let mut clerk = Peer::at(1, Law::Pcma);
    clerk.payload_type = 96; // Negotiated so on that side.
    stage.order(Order::Open { leg: stage.leg(1), config: Box::new(clerk.config()) });
    stage.bridge(0, 1);
    let mut dice = Dice::seeded(5);
    let mut said = Vec::new();
    for n in 0..100 {
        // Any bytes and lengths: 10, 20 and 30 ms, and once 60.
        let mut payload = vec![0; if n == 50 { 480 } else { [80, 160, 240][n % 3] }];
        dice.fill(&mut payload);
        let packet = caller.next_with(payload);
        let before = stage.air.left.len();
        caller.send(&mut stage, &packet);
        assert_eq!(stage.air.left.len(), before + 1, "it leaves before the next tick");
        said.push(packet);
        (0..4).for_each(|_| stage.tick());
    }
    let heard = stage.take_for(&clerk);
    assert_one_stream(&heard);
    assert_eq!(heard.len(), said.len());
    for (said, heard) in said.iter().zip(&heard) {
        assert_eq!(heard.payload, said.payload);
        assert_eq!(heard.payload_type, 96);
        assert_ne!(heard.ssrc, said.ssrc, "the stream is ours");
    }
    let moved = |packets: &[crate::packets::Rtp]| {
        packets.last().unwrap().timestamp.wrapping_sub(packets[0].timestamp)
    };
    assert_eq!(moved(&heard), moved(&said), "the clock of the source goes through");
    assert_eq!(stage.take_for(&caller), [], "nobody hears himself");
    clerk.tone = Some(1_000.0);
    stage.frames(10, &mut [&mut clerk]);
    assert_eq!(stage.take_for(&caller).len(), 10, "and the other way");
}

#[test]
fn a_relay_adds_no_packet_of_its_own_and_keeps_the_order_and_the_losses_of_the_source() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcmu);
    let clerk = Peer::join(&mut stage, 1, Law::Pcmu);
    stage.bridge(0, 1);
    caller.tone = Some(440.0);
    stage.frames(20, &mut [&mut caller]);
    let first = stage.take_for(&clerk);
    assert_one_stream(&first);
    let [a, lost, b, c] = std::array::from_fn(|_| caller.next());
    for packet in [&a, &c, &b, &b, &c] {
        caller.send(&mut stage, packet);
    }
    drop(lost);
    let heard = stage.take_for(&clerk);
    let last = first.last().unwrap();
    let steps: Vec<u16> = heard.iter().map(|packet| packet.sequence.wrapping_sub(last.sequence)).collect();
    assert_eq!(steps, [1, 4, 3], "the hole stays a hole, a repeat goes nowhere");
    assert!(heard.iter().all(|packet| {
        let frames = u32::from(packet.sequence.wrapping_sub(last.sequence));
        packet.timestamp.wrapping_sub(last.timestamp) == frames * 160
    }));
}

#[test]
fn different_codecs_are_turned_into_one_another() {
    for (one, other) in [(Law::Pcma, Law::Pcmu), (Law::Pcmu, Law::Pcma)] {
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, one);
        let mut clerk = Peer::join(&mut stage, 1, other);
        (caller.tone, clerk.tone) = (Some(440.0), Some(1_000.0));
        stage.bridge(0, 1);
        stage.frames(100, &mut [&mut caller, &mut clerk]);
        for (peer, hears, not) in [(&caller, 1_000.0, 440.0), (&clerk, 440.0, 1_000.0)] {
            let packets = stage.take_for(peer);
            assert_one_stream(&packets);
            assert!(packets.len() >= 95, "{} frames of 100", packets.len());
            assert!(packets.iter().all(|packet| packet.payload.len() == 160));
            assert!(packets.iter().all(|packet| packet.payload_type == peer.law.payload_type()));
            let sound = peer.hears(&packets);
            assert!(level(&sound, hears) > HEARD && level(&sound, not) < UNHEARD);
            // What is there beside the tone is no more than two laws' own noise.
            let settled = &sound[1_600..];
            let whole = hotline::phone::listen::rms(settled);
            assert!((whole - 8_000.0 / 2.0_f64.sqrt()).abs() < 350.0, "{whole}");
        }
    }
}

#[test]
fn one_stream_goes_on_from_prompt_to_bridge_to_music_and_back() {
    for (one, other) in [(Law::Pcma, Law::Pcma), (Law::Pcma, Law::Pcmu)] {
        let (speech, music) = (vec![900; 8_000], vec![-700; 4_000]);
        let mut stage = Stage::new(&[&speech, &music]);
        let mut caller = Peer::join(&mut stage, 0, one);
        let mut clerk = Peer::join(&mut stage, 1, other);
        (caller.tone, clerk.tone) = (Some(440.0), Some(1_000.0));
        let begun = stage.now().mono;
        stage.play(0, &[0], false, 1);
        stage.frames(50, &mut [&mut caller]);
        stage.bridge(0, 1);
        stage.frames(50, &mut [&mut caller, &mut clerk]);
        stage.play(0, &[1], true, 2);
        stage.frames(50, &mut [&mut caller, &mut clerk]);
        stage.bridge(0, 1);
        stage.frames(50, &mut [&mut caller, &mut clerk]);
        // The clerk is replaced by another, whose stream has nothing to do with the first.
        stage.order(Order::Close { leg: stage.leg(1) });
        let mut second = Peer::join(&mut stage, 2, other);
        second.tone = Some(1_500.0);
        stage.bridge(0, 2);
        stage.frames(50, &mut [&mut caller, &mut second]);
        let elapsed = stage.now().mono.since(begun).as_millis() as u32 * 8;

        let packets = stage.take_for(&caller);
        assert_one_stream(&packets);
        assert!((240..=252).contains(&packets.len()), "{}", packets.len());
        let moved = packets.last().unwrap().timestamp.wrapping_sub(packets[0].timestamp);
        assert!(moved.abs_diff(elapsed) <= 640, "our clock: {moved} of {elapsed} samples");
        let starts = packets.iter().filter(|packet| packet.marker).count();
        assert!((1..=6).contains(&starts), "{starts} talkspurts");
        assert!(level(&caller.hears(&packets), 1_500.0) > HEARD);
    }
}

#[test]
fn a_leg_that_leaves_takes_its_sound_along_and_the_other_hears_nothing() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    let mut clerk = Peer::join(&mut stage, 1, Law::Pcma);
    stage.bridge(0, 1);
    stage.frames(20, &mut [&mut caller, &mut clerk]);
    stage.order(Order::Part { a: stage.leg(0), b: stage.leg(1) });
    stage.take_for(&caller);
    stage.take_for(&clerk);
    stage.frames(20, &mut [&mut caller, &mut clerk]);
    assert_eq!((stage.take_for(&caller).len(), stage.take_for(&clerk).len()), (0, 0));
    stage.bridge(0, 1);
    stage.close(1);
    assert_eq!(stage.engine.legs(), 1);
    stage.take_for(&caller);
    clerk.speak(&mut stage);
    stage.arrive(SocketKey::rtp(clerk.slot), caller.address, &caller.next().write());
    stage.frames(20, &mut [&mut caller]);
    assert_eq!(stage.take_for(&caller), [], "packets for a leg that is gone go nowhere");
}
