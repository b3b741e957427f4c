//! A bridge becomes a conference when somebody begins to listen, and a bridge again after: the two who
//! talk hear no gap and no click.

use hotline::media::order::{Audience, Group, LegConfig, Order, Rights, SoundId};
use hotline::phone::Codec as Law;

use super::{FULL, ROOM, forget, hall, heard, join, refusals, stranger, talk};
use crate::packets::Rtp;
use crate::stage::{HEARD, Peer, Stage, assert_one_stream, level};

const UNHEARD: Rights = Rights { hears: true, heard_by: Audience::Nobody };
/// Not a whole number of periods in a frame.
const TONES: [f64; 2] = [210.0, 290.0];
const LOUD: f64 = 8_000.0;

/// Two who are bridged, and a supervisor's leg, of another call and of the same group.
fn watched(laws: [Law; 2], recorded: bool) -> (Stage, Vec<Peer>) {
    let (mut stage, mut peers) = hall(&[laws[0], laws[1], Law::Pcma]);
    for (peer, tone) in peers.iter_mut().zip([Some(TONES[0]), Some(TONES[1]), Some(370.0)]) {
        (peer.tone, peer.loud) = (tone, LOUD);
    }
    stage.close(2);
    let config: Box<LegConfig> = Box::new(peers[2].config());
    stage.order(Order::Open { leg: stranger(2), config });
    if recorded {
        stage.record();
    }
    stage.bridge(0, 1);
    talk(&mut stage, &mut peers, 50);
    forget(&mut stage, &peers);
    (stage, peers)
}

fn watch(stage: &mut Stage, rights: Rights) {
    stage.order(Order::Join { leg: stranger(2), conference: ROOM, rights });
    (0..2).for_each(|leg| join(stage, leg, FULL));
}

fn unwatch(stage: &mut Stage) {
    stage.order(Order::Leave { leg: stranger(2) });
    stage.bridge(0, 1);
}

/// Where the listener's clock has room for frames that no packet came for: how many.
fn gaps(packets: &[Rtp]) -> Vec<u32> {
    let step = |pair: &[Rtp]| pair[1].timestamp.wrapping_sub(pair[0].timestamp) / 160;
    packets
        .windows(2)
        .map(step)
        .filter(|frames| *frames != 1)
        .map(|frames| frames.saturating_sub(1))
        .collect()
}

fn largest_step(sound: &[i16]) -> i32 {
    sound.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap_or(0)
}

#[test]
fn beginning_and_ending_to_listen_is_heard_by_neither_of_the_two() {
    let (a, mu) = (Law::Pcma, Law::Pcmu);
    for (laws, recorded) in [([a, a], true), ([a, mu], true), ([a, mu], false), ([a, a], false)] {
        for n in 0..16 {
            let what = format!("{laws:?}, recorded {recorded}, {n}");
            let (mut stage, mut peers) = watched(laws, recorded);
            for _ in 0..3 {
                talk(&mut stage, &mut peers, 7 + n);
                peers.iter_mut().for_each(|peer| peer.speak(&mut stage));
                (0..n % 4).for_each(|_| stage.tick());
                watch(&mut stage, UNHEARD);
                (n % 4..4).for_each(|_| stage.tick());
                talk(&mut stage, &mut peers, 20);
                peers.iter_mut().for_each(|peer| peer.speak(&mut stage));
                (0..(n + 1) % 4).for_each(|_| stage.tick());
                unwatch(&mut stage);
                ((n + 1) % 4..4).for_each(|_| stage.tick());
                talk(&mut stage, &mut peers, 20);
            }
            for (peer, tone) in [(&peers[0], TONES[1]), (&peers[1], TONES[0])] {
                let packets = stage.take_for(peer);
                assert_one_stream(&packets);
                let sound = peer.hears(&packets);
                assert!(level(&sound, tone) > HEARD, "{what}");
                let (gaps, step) = (gaps(&packets), largest_step(&sound));
                // What was passed on as it came is decoded from then on, which takes a frame at most, once.
                let passed_on = !recorded && laws[0].payload_type() == laws[1].payload_type();
                assert_eq!(gaps, vec![1; usize::from(passed_on)], "{what}");
                let own = (2.0 * LOUD * (std::f64::consts::PI * tone / 8_000.0).sin()) as i32;
                assert!(step <= own + 400, "{what}: a step of {step} where the tone's own is {own}");
            }
        }
    }
}

#[test]
fn a_leg_goes_over_to_another_group_with_its_stream_and_hears_who_is_there() {
    for to in [0_u64, 1, 2, 3] {
        let (mut stage, mut peers) = hall(&[Law::Pcma; 3]);
        let here = peers[0].config().group;
        let group = Group(here.0.wrapping_add(to));
        // The third is alone in another group, with a prompt.
        stage.close(2);
        let config = Box::new(LegConfig { group, ..peers[2].config() });
        let leg = stranger(2);
        stage.order(Order::Open { leg, config });
        stage.order(Order::Play { leg, sounds: [SoundId(0)].into(), repeat: true, mark: 0 });
        (0..2).for_each(|leg| join(&mut stage, leg, FULL));
        talk(&mut stage, &mut peers, 20);
        stage.order(Order::Move { leg, group: here });
        stage.order(Order::Join { leg, conference: ROOM, rights: UNHEARD });
        assert_eq!(refusals(&stage), []);
        talk(&mut stage, &mut peers, 20);
        let packets = stage.take_for(&peers[2]);
        assert_one_stream(&packets);
        assert!(packets.len() >= 37, "{to}: {}", packets.len());
        assert_eq!(heard(&mut stage, &mut peers), [0b010, 0b001, 0b011], "{to}");
        stage.order(Order::Join { leg, conference: ROOM, rights: FULL });
        talk(&mut stage, &mut peers, 2);
        assert_eq!(heard(&mut stage, &mut peers), [0b110, 0b101, 0b011], "{to}");
        // And back, where it is alone again.
        stage.order(Order::Move { leg, group });
        talk(&mut stage, &mut peers, 2);
        assert_eq!(heard(&mut stage, &mut peers), [0b010, 0b001, 0], "{to}");
        assert_eq!(stage.engine.legs(), 3);
        stage.order(Order::Close { leg });
        assert_eq!(stage.engine.legs(), 2);
        stage.order(Order::Move { leg, group: here });
        assert_eq!(stage.engine.legs(), 2, "who is gone goes nowhere");
    }
}
