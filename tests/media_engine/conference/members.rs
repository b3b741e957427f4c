//! Who is a member, and what goes out to him.

use hotline::media::SocketKey;
use hotline::media::conference::PARTIES_MAX;
use hotline::media::order::{Audience, ConferenceId, Fact, Group, LegConfig, Order, Refusal, Rights};
use hotline::phone::Codec as Law;

use super::{FULL, ROOM, forget, hall, heard, join, leave, refusals, stranger, talk, voices};
use crate::packets::Event;
use crate::stage::{EVENTS, HEARD, Peer, Stage, assert_one_stream, level};

#[test]
fn each_of_three_hears_the_two_others_and_nobody_himself_whatever_their_codecs() {
    let (a, mu) = (Law::Pcma, Law::Pcmu);
    for laws in [[a, a, a], [a, mu, a], [mu, mu, a]] {
        let (mut stage, mut peers) = hall(&laws);
        (0..3).for_each(|leg| join(&mut stage, leg, FULL));
        talk(&mut stage, &mut peers, 20);
        assert_eq!(heard(&mut stage, &mut peers), [0b110, 0b101, 0b011]);
        talk(&mut stage, &mut peers, 50);
        for peer in &peers {
            let packets = stage.take_for(peer);
            assert_one_stream(&packets);
            assert_eq!(packets.len(), 50, "one for each frame");
        }
    }
}

#[test]
fn members_come_and_go_and_a_conference_of_nobody_is_over() {
    let (mut stage, mut peers) = hall(&[Law::Pcma; 5]);
    let full = |members: u32| move |n: u16| if members >> n & 1 == 1 { members & !(1 << n) } else { 0 };
    let mut dice = hotline::id::Dice::seeded(11);
    let mut members = 0_u32;
    for _ in 0..40 {
        let leg = dice.below(5) as u16;
        match members >> leg & 1 {
            0 => join(&mut stage, leg, FULL),
            _ => leave(&mut stage, leg),
        }
        members ^= 1 << leg;
        assert_eq!(stage.engine.conferences(), usize::from(members != 0));
        talk(&mut stage, &mut peers, 8);
        let wanted: Vec<u32> = (0..5).map(full(members)).collect();
        assert_eq!(heard(&mut stage, &mut peers), wanted, "{members:05b}");
    }
    // All other ways out of it.
    (0..5).for_each(|leg| join(&mut stage, leg, FULL));
    stage.play(0, &[0], false, 1);
    stage.order(Order::Quiet { leg: stage.leg(1) });
    stage.bridge(2, 3);
    talk(&mut stage, &mut peers, 15);
    assert_eq!(heard(&mut stage, &mut peers), [0, 0, 0b01000, 0b00100, 0]);
    assert_eq!(stage.engine.conferences(), 1);
    stage.close(4);
    assert_eq!(stage.engine.conferences(), 0);
    // After its prompt a leg comes back.
    talk(&mut stage, &mut peers, 100);
    assert!(stage.facts.iter().any(|fact| matches!(fact, Fact::Played { mark: 1, .. })));
    (0..4).for_each(|leg| join(&mut stage, leg, FULL));
    talk(&mut stage, &mut peers, 15);
    assert_eq!(heard(&mut stage, &mut peers), [0b1110, 0b1101, 0b1011, 0b0111, 0]);
}

#[test]
fn one_conference_does_not_hear_another_and_a_leg_is_in_one_only() {
    let (mut stage, mut peers) = hall(&[Law::Pcma; 4]);
    let other = ConferenceId(8);
    for (leg, conference) in [(0, ROOM), (1, ROOM), (2, other), (3, other)] {
        stage.order(Order::Join { leg: stage.leg(leg), conference, rights: FULL });
    }
    talk(&mut stage, &mut peers, 15);
    assert_eq!(heard(&mut stage, &mut peers), [0b0010, 0b0001, 0b1000, 0b0100]);
    stage.order(Order::Join { leg: stage.leg(1), conference: other, rights: FULL });
    talk(&mut stage, &mut peers, 15);
    assert_eq!(heard(&mut stage, &mut peers), [0, 0b1100, 0b1010, 0b0110]);
    assert_eq!(stage.engine.conferences(), 2);
}

#[test]
fn thirty_two_are_members_and_the_next_is_told_off_and_hears_nothing() {
    let (mut stage, mut peers) = hall(&[Law::Pcma; PARTIES_MAX + 1]);
    (0..33).for_each(|leg| join(&mut stage, leg, FULL));
    assert_eq!(refusals(&stage), [(32, Refusal::Full)]);
    talk(&mut stage, &mut peers, 15);
    forget(&mut stage, &peers);
    talk(&mut stage, &mut peers, 5);
    assert_eq!(stage.take_for(&peers[32]), []);
    // One goes, and there is room.
    leave(&mut stage, 4);
    join(&mut stage, 32, FULL);
    join(&mut stage, 4, FULL);
    assert_eq!(refusals(&stage), [(32, Refusal::Full), (4, Refusal::Full)]);
    join(&mut stage, 0, Rights { hears: true, heard_by: Audience::Nobody });
    assert_eq!(refusals(&stage).len(), 2, "a member may change its rights in a full one");
}

#[test]
fn legs_of_several_calls_meet_in_one_room_if_they_are_of_one_group() {
    let (mut stage, mut peers) = hall(&[Law::Pcma; 2]);
    let room = peers[0].config().group;
    for (index, group) in [(2, room), (3, Group(room.0 + 1))] {
        let mut peer = Peer::at(index, Law::Pcma);
        peer.tone = Some(super::tone_of(index));
        peer.loud = 6_000.0;
        let config = Box::new(LegConfig { group, ..peer.config() });
        stage.order(Order::Open { leg: stranger(index), config });
        peers.push(peer);
    }
    join(&mut stage, 0, FULL);
    join(&mut stage, 1, FULL);
    for index in [2, 3] {
        stage.order(Order::Join { leg: stranger(index), conference: ROOM, rights: FULL });
    }
    assert_eq!(refusals(&stage), [(3, Refusal::OtherGroup)]);
    talk(&mut stage, &mut peers, 15);
    assert_eq!(heard(&mut stage, &mut peers), [0b0110, 0b0101, 0b0011, 0]);
    // A renegotiation does not move a leg out of its group.
    let moved = LegConfig { group: Group(room.0 + 2), packet_ms: 30, ..peers[1].config() };
    stage.order(Order::Change { leg: stage.leg(1), config: Box::new(moved) });
    talk(&mut stage, &mut peers, 15);
    assert_eq!(heard(&mut stage, &mut peers), [0b0110, 0b0101, 0b0011, 0]);
}

#[test]
fn where_one_speaks_its_codes_go_on_as_they_are_and_where_none_does_nothing_is_sent() {
    let laws = [Law::Pcma, Law::Pcma, Law::Pcmu, Law::Pcma];
    let (mut stage, mut peers) = hall(&laws);
    (0..4).for_each(|leg| join(&mut stage, leg, FULL));
    stage.frames(20, &mut []);
    assert!(stage.air.left.iter().all(|left| left.from.kind != SocketKey::rtp(left.from.slot).kind));
    let mut dice = hotline::id::Dice::seeded(3);
    let mut said = Vec::new();
    for _ in 0..60 {
        let mut payload = vec![0; 160];
        dice.fill(&mut payload);
        let packet = peers[1].next_with(payload);
        peers[1].send(&mut stage, &packet);
        said.push(packet.payload);
        (0..4).for_each(|_| stage.tick());
    }
    assert_eq!(stage.take_for(&peers[1]), []);
    for listener in [0, 3] {
        let heard: Vec<Vec<u8>> =
            stage.take_for(&peers[listener]).into_iter().map(|packet| packet.payload).collect();
        let last = heard.last().unwrap();
        let offset = said.iter().position(|payload| payload == last).expect("as it was said");
        assert!(heard.len() > 50 && heard.ends_with(&said[offset - 50..=offset]), "code by code");
    }
    assert!(stage.take_for(&peers[2]).iter().all(|packet| packet.payload_type == 0));
    // The same through a whisper, and not while another is heard too.
    let whisper = Rights { hears: true, heard_by: Audience::Only(stage.leg(3)) };
    join(&mut stage, 1, whisper);
    peers[1].tone = Some(super::tone_of(1));
    talk(&mut stage, &mut peers[1..2], 20);
    assert_eq!(stage.take_for(&peers[0]).len(), 1, "what fades");
    assert_eq!(voices(&peers[3].hears(&stage.take_for(&peers[3])[15..]), &peers), 0b10);
    talk(&mut stage, &mut peers, 20);
    assert_eq!(heard(&mut stage, &mut peers), [0b1100, 0b1101, 0b1001, 0b0111]);
}

#[test]
fn those_who_shout_together_are_cut_off_cleanly() {
    let (mut stage, mut peers) = hall(&[Law::Pcma; 3]);
    for peer in &mut peers {
        peer.tone = Some(210.0);
        peer.loud = 30_000.0;
    }
    (0..3).for_each(|leg| join(&mut stage, leg, FULL));
    talk(&mut stage, &mut peers, 20);
    forget(&mut stage, &peers);
    talk(&mut stage, &mut peers, 50);
    for peer in &peers {
        let sound = peer.hears(&stage.take_for(peer));
        assert!(sound.iter().filter(|sample| sample.abs() > 32_000).count() > sound.len() / 2);
        let step = sound.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max();
        // Twice the tone's own largest step, and the coarse end of A-law; a wrap would be 65,000.
        assert!(step.unwrap() < 2 * 4_950 + 1_100, "{step:?}");
    }
}

/// The packets of one press of 100 ms.
fn press(peer: &mut Peer, code: u8, n: u16) -> crate::packets::Rtp {
    let event = Event { code, end: n >= 5, duration: n.min(5) * 160 };
    let timestamp = peer.timestamp.wrapping_sub(u32::from(n - 1) * 160);
    let mut packet = peer.next_with(event.write());
    peer.timestamp = packet.timestamp.wrapping_add(160);
    (packet.timestamp, packet.payload_type, packet.marker) = (timestamp, EVENTS.1, n == 1);
    packet
}

#[test]
fn a_key_pressed_by_a_member_is_told_and_makes_no_sound_for_the_others() {
    let (mut stage, mut peers) = hall(&[Law::Pcma; 3]);
    // It is cut off anywhere: not a whole number of its periods fits into a frame.
    (peers[0].tone, peers[1].tone) = (Some(210.0), None);
    (0..3).for_each(|leg| join(&mut stage, leg, FULL));
    talk(&mut stage, &mut peers, 20);
    forget(&mut stage, &peers);
    for code in [5, 11] {
        for n in 1..=7 {
            let packet = press(&mut peers[0], code, n);
            peers[0].send(&mut stage, &packet);
            talk(&mut stage, &mut peers[1..], 1);
        }
        talk(&mut stage, &mut peers, 20);
    }
    let digits: String = stage
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Digit { leg, digit } if leg.index == 0 => Some(*digit),
            _ => None,
        })
        .collect();
    assert_eq!(digits, "5#");
    // The tones' own largest steps: 989 for 210 Hz and 1,880 for 400 Hz at 6,000.
    for (peer, own) in [(1, 989 + 1_880), (2, 989)] {
        let packets = stage.take_for(&peers[peer]);
        assert!(packets.iter().all(|packet| packet.payload_type == 8), "no event goes on");
        let sound = peers[peer].hears(&packets);
        assert!(level(&sound, 210.0) > HEARD - 3.0);
        let step = sound.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max();
        assert!(step.unwrap() < own + 1_000, "and no click: {step:?}");
    }
}

#[test]
fn a_fault_at_a_members_turn_costs_that_leg_and_the_others_talk_on() {
    let (mut stage, mut peers) = hall(&[Law::Pcma; 4]);
    (0..4).for_each(|leg| join(&mut stage, leg, FULL));
    talk(&mut stage, &mut peers, 20);
    assert_eq!(heard(&mut stage, &mut peers), [0b1110, 0b1101, 0b1011, 0b0111]);
    stage.air.faulty = Some(peers[1].slot);
    talk(&mut stage, &mut peers, 1);
    stage.air.faulty = None;
    let fault = stage.leg(1);
    assert!(stage.facts.contains(&Fact::Failed { leg: fault }));
    assert_eq!(stage.engine.legs(), 3);
    talk(&mut stage, &mut peers, 5);
    assert_eq!(heard(&mut stage, &mut peers), [0b1100, 0, 0b1001, 0b0101]);
    let failed = stage.facts.iter().filter(|fact| matches!(fact, Fact::Failed { .. })).count();
    assert_eq!(failed, 1);
}

#[test]
fn a_members_sockets_are_read_in_each_round_though_it_says_nothing() {
    let (mut stage, peers) = hall(&[Law::Pcma; 2]);
    join(&mut stage, 0, FULL);
    stage.frames(30, &mut []);
    let now = stage.now().mono;
    let idle = |stage: &Stage, peer: &Peer| stage.engine.is_idle(peer.slot, now);
    assert!(!idle(&stage, &peers[0]) && idle(&stage, &peers[1]));
    leave(&mut stage, 0);
    assert!(idle(&stage, &peers[0]));
}

#[test]
fn orders_about_legs_that_are_gone_or_in_no_conference_change_nothing() {
    let mut stage = Stage::new(&[]);
    join(&mut stage, 5, FULL);
    leave(&mut stage, 5);
    let peer = Peer::join(&mut stage, 0, Law::Pcma);
    leave(&mut stage, 0);
    assert_eq!((stage.engine.conferences(), refusals(&stage)), (0, vec![]));
    join(&mut stage, 0, FULL);
    stage.frames(10, &mut []);
    assert_eq!(stage.take_for(&peer), [], "alone there is nothing to hear");
    stage.close(0);
    assert_eq!(stage.engine.conferences(), 0);
}
