//! Keys: heard once per press whatever becomes of its packets, and pressed on whoever listens.

use hotline::id::Dice;
use hotline::media::order::{Fact, LegConfig, Order};
use hotline::phone::Codec as Law;

use crate::packets::{Event, Rtp};
use crate::stage::{EVENTS, Peer, Stage, assert_one_stream};

/// The packets of one press of 100 ms: five updates, the last an end that is told three times.
fn press(peer: &mut Peer, code: u8) -> Vec<Rtp> {
    let timestamp = peer.timestamp;
    let packets = (1..=7_u16).map(|n| {
        let event = Event { code, end: n >= 5, duration: n.min(5) * 160 };
        let mut packet = peer.next_with(event.write());
        (packet.timestamp, packet.payload_type, packet.marker) = (timestamp, EVENTS.1, n == 1);
        packet
    });
    let packets = packets.collect();
    peer.timestamp = timestamp.wrapping_add(7 * 160);
    packets
}

fn digits(stage: &Stage) -> String {
    let digit = |fact: &Fact| match fact {
        Fact::Digit { leg, digit } if leg.index == 0 => Some(*digit),
        _ => None,
    };
    stage.facts.iter().filter_map(digit).collect()
}

#[test]
fn a_press_is_heard_once_whichever_of_its_packets_arrive() {
    // All ways to lose some of the seven and not all.
    for kept in 1..128_u32 {
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
        stage.frames(5, &mut [&mut caller]);
        for code in [5, 5, 11] {
            let packets = press(&mut caller, code);
            for (n, packet) in packets.iter().enumerate() {
                if kept >> n & 1 == 1 {
                    caller.send(&mut stage, packet);
                }
                (0..4).for_each(|_| stage.tick());
            }
            stage.frames(5, &mut [&mut caller]);
        }
        assert_eq!(digits(&stage), "55#", "kept {kept:07b}");
    }
}

#[test]
fn repeats_and_packets_out_of_order_press_nothing_again() {
    for seed in 0..200 {
        let mut dice = Dice::seeded(seed);
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, Law::Pcmu);
        stage.frames(5, &mut [&mut caller]);
        for code in [1, 1, 0] {
            let mut packets = press(&mut caller, code);
            for _ in 0..dice.below(6) {
                let again = packets[dice.below(packets.len() as u64) as usize].clone();
                packets.push(again);
            }
            for n in (1..packets.len()).rev() {
                packets.swap(n, dice.below(n as u64 + 1) as usize);
            }
            for packet in &packets {
                caller.send(&mut stage, packet);
                stage.tick();
            }
            // The network may hold one back until the next key is pressed.
            stage.frames(3, &mut [&mut caller]);
        }
        assert_eq!(digits(&stage), "110", "seed {seed}");
    }
}

#[test]
fn every_key_is_a_digit_and_a_hook_flash_is_none() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    for code in 0..=16 {
        for packet in press(&mut caller, code) {
            caller.send(&mut stage, &packet);
        }
        stage.frames(2, &mut [&mut caller]);
    }
    assert_eq!(digits(&stage), "0123456789*#ABCD");
}

/// What arrived of presses: per timestamp the events in order, and whether the first is marked.
fn arrived(packets: &[Rtp], payload_type: u8) -> Vec<(bool, Vec<Event>)> {
    let mut presses: Vec<(u32, bool, Vec<Event>)> = Vec::new();
    for packet in packets.iter().filter(|packet| packet.payload_type == payload_type) {
        let event = Event::read(&packet.payload);
        match presses.last_mut().filter(|(timestamp, ..)| *timestamp == packet.timestamp) {
            Some((_, _, events)) => {
                assert!(!packet.marker, "only the first of a press is marked");
                events.push(event);
            }
            None => presses.push((packet.timestamp, packet.marker, vec![event])),
        }
    }
    presses.into_iter().map(|(_, marked, events)| (marked, events)).collect()
}

#[test]
fn a_key_pressed_in_a_bridge_reaches_the_other_side_as_it_was_pressed() {
    for (other, recorded) in [(Law::Pcma, false), (Law::Pcmu, false), (Law::Pcma, true)] {
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
        let clerk = Peer::at(1, other);
        let config = LegConfig { dtmf: Some((96, 97)), ..clerk.config() };
        stage.order(Order::Open { leg: stage.leg(1), config: Box::new(config) });
        if recorded {
            stage.record();
        }
        stage.bridge(0, 1);
        stage.frames(20, &mut [&mut caller]);
        let mut sent = Vec::new();
        for code in [7, 7, 10] {
            let packets = press(&mut caller, code);
            sent.push(packets.iter().map(|packet| Event::read(&packet.payload)).collect::<Vec<_>>());
            for packet in &packets {
                caller.send(&mut stage, packet);
                (0..4).for_each(|_| stage.tick());
            }
            stage.frames(5, &mut [&mut caller]);
        }
        let packets = stage.take_for(&clerk);
        assert_one_stream(&packets);
        let wanted: Vec<(bool, Vec<Event>)> = sent.into_iter().map(|events| (true, events)).collect();
        assert_eq!(arrived(&packets, 96), wanted, "{} recorded {recorded}", other.name());
        assert_eq!(digits(&stage), "77*", "and the house hears it too");
        assert!(packets.iter().filter(|packet| packet.payload_type == clerk.payload_type).count() >= 30);
    }
}

#[test]
fn keys_that_the_house_presses_last_a_tenth_of_a_second_and_end_three_times() {
    let mut stage = Stage::new(&[]);
    let clerk = Peer::join(&mut stage, 0, Law::Pcma);
    stage.order(Order::SendDigits { leg: stage.leg(0), digits: "1*x1".into() });
    stage.frames(40, &mut []);
    let packets = stage.take_for(&clerk);
    assert_one_stream(&packets);
    let presses = arrived(&packets, EVENTS.0);
    let told = |code: u8| -> (bool, Vec<Event>) {
        let event = |n: u16| Event { code, end: n >= 5, duration: n.min(5) * 160 };
        (true, (1..=7).map(event).collect())
    };
    assert_eq!(presses, [told(1), told(10), told(1)], "what is no key is left out");
}

#[test]
fn a_leg_without_telephone_events_is_not_pressed_on() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    let clerk = Peer::at(1, Law::Pcma);
    let config = LegConfig { dtmf: None, ..clerk.config() };
    stage.order(Order::Open { leg: stage.leg(1), config: Box::new(config) });
    stage.bridge(0, 1);
    stage.frames(5, &mut [&mut caller]);
    for packet in press(&mut caller, 3) {
        caller.send(&mut stage, &packet);
    }
    stage.frames(5, &mut [&mut caller]);
    let packets = stage.take_for(&clerk);
    assert_one_stream(&packets);
    assert_eq!(packets.len(), 10, "sound only, and no hole where the key was");
    assert_eq!(digits(&stage), "3");
}
