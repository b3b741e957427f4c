//! Whose sound is believed: RTP bleed and injection get nothing, NAT works (DESIGN section 2).

use std::net::SocketAddr;

use hotline::media::SocketKey;
use hotline::media::order::{Fact, LegConfig, Order};
use hotline::phone::Codec as Law;

use crate::stage::{HEARD, Peer, Stage, UNHEARD, level};

const STRANGER: &str = "198.51.100.9:4000";
const SHRIEK: f64 = 2_000.0;

/// A stranger who knows everything but the peer's address.
fn stranger() -> Peer {
    let mut stranger = Peer::at(0, Law::Pcma);
    stranger.address = STRANGER.parse().unwrap();
    (stranger.ssrc, stranger.tone) = (0xbad, Some(SHRIEK));
    stranger
}

fn refused(stage: &Stage) -> Vec<SocketAddr> {
    let source = |fact: &Fact| match fact {
        Fact::StrangerRefused { source, .. } => Some(*source),
        _ => None,
    };
    stage.facts.iter().filter_map(source).collect()
}

fn latched(stage: &Stage) -> Vec<SocketAddr> {
    let source = |fact: &Fact| match fact {
        Fact::Latched { leg, source } if leg.index == 0 => Some(*source),
        _ => None,
    };
    stage.facts.iter().filter_map(source).collect()
}

#[test]
fn a_stranger_who_speaks_first_faster_or_later_is_never_heard_and_hears_nothing() {
    for other in [Law::Pcma, Law::Pcmu] {
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
        let mut clerk = Peer::join(&mut stage, 1, other);
        stage.bridge(0, 1);
        (caller.tone, clerk.tone) = (Some(440.0), Some(1_000.0));
        let mut thief = stranger();
        // First.
        stage.frames(50, &mut [&mut thief, &mut clerk]);
        // Faster: three packets for each of the caller's, with the caller's own numbers too.
        for _ in 0..50 {
            (0..3).for_each(|_| thief.speak(&mut stage));
            let mut forged = caller.next();
            caller.send(&mut stage, &forged);
            forged.payload.fill(0x2a);
            thief.send(&mut stage, &forged);
            clerk.speak(&mut stage);
            (0..4).for_each(|_| stage.tick());
        }
        // Later: the caller pauses.
        stage.frames(100, &mut [&mut thief, &mut clerk]);
        stage.frames(20, &mut [&mut caller, &mut clerk]);

        assert!(stage.air.left.iter().all(|left| left.to != thief.address), "he was sent something");
        let clerk_heard = clerk.hears(&stage.take_for(&clerk));
        assert!(level(&clerk_heard, 440.0) > HEARD);
        assert!(level(&clerk_heard, SHRIEK) < UNHEARD);
        assert!(level(&caller.hears(&stage.take_for(&caller)), 1_000.0) > HEARD);
        assert_eq!(latched(&stage), [caller.address]);
        assert_eq!(refused(&stage), [thief.address], "told once");
        let figures = stage.close(0);
        assert_eq!(figures.refused, 50 + 200 + 100, "and counted each time");
        assert_eq!((figures.received, figures.lost), (70, 0));
    }
}

#[test]
fn a_telephone_behind_nat_is_found_by_its_packets_and_nobody_else_is() {
    let mut stage = Stage::new(&[]);
    let mut inside = Peer::at(0, Law::Pcma);
    inside.tone = Some(440.0);
    // What its SDP says is its private address; the signalling came from the router's.
    let router: SocketAddr = "192.0.2.1:61000".parse().unwrap();
    let config = LegConfig { signalling_peer: router.ip(), ..inside.config() };
    stage.order(Order::Open { leg: stage.leg(0), config: Box::new(config.clone()) });
    let mut clerk = Peer::join(&mut stage, 1, Law::Pcma);
    clerk.tone = Some(1_000.0);
    stage.bridge(0, 1);
    stage.frames(5, &mut [&mut clerk]);
    assert_eq!(stage.take_for(&inside).len(), 5, "until then the signalled address is believed");

    // Somebody behind the same router sprays packets that do not hang together.
    for n in 0..40 {
        let mut packet = inside.next();
        packet.sequence = packet.sequence.wrapping_mul(7);
        let from = SocketAddr::new(router.ip(), 50_000 + n % 3);
        stage.arrive(SocketKey::rtp(inside.slot), from, &packet.write());
    }
    assert_eq!(latched(&stage), []);
    let private = inside.address;
    inside.address = router;
    for n in 1..=10 {
        inside.speak(&mut stage);
        assert_eq!(latched(&stage), if n < 4 { vec![] } else { vec![router] }, "after {n} packets");
    }
    stage.take_for(&clerk);
    stage.frames(20, &mut [&mut inside, &mut clerk]);
    assert_eq!(stage.take_for(&inside).len(), 20, "sound goes where it comes from");
    assert!(level(&clerk.hears(&stage.take_for(&clerk)), 440.0) > HEARD);
    assert!(stage.air.left.iter().all(|left| left.to != private), "nothing more to the private one");

    // Locked: another port of the router, and the signalled address itself, are strangers now.
    for from in [SocketAddr::new(router.ip(), 61_002), private] {
        let mut late = stranger();
        late.address = from;
        stage.frames(10, &mut [&mut late]);
    }
    assert!(level(&clerk.hears(&stage.take_for(&clerk)), SHRIEK) < UNHEARD);
    assert_eq!((latched(&stage), refused(&stage).len()), (vec![router], 1));

    // A renegotiation of the same addresses keeps the lock.
    stage.order(Order::Change { leg: stage.leg(0), config: Box::new(config) });
    stage.frames(3, &mut [&mut clerk]);
    assert_eq!(stage.take_for(&inside).len(), 3);
}

#[test]
fn reports_of_strangers_change_nothing() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    stage.frames(10, &mut [&mut caller]);
    let thief = stranger();
    thief.report(&mut stage, &[0x80, 201, 0, 1, 0, 0, 11, 173]);
    thief.report(&mut stage, b"not a report");
    caller.report(&mut stage, b"nor this one");
    assert_eq!(stage.close(0).refused, 3);
}

#[test]
fn another_port_of_the_callers_own_host_cannot_outshout_him() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    let mut clerk = Peer::join(&mut stage, 1, Law::Pcma);
    stage.bridge(0, 1);
    (caller.tone, clerk.tone) = (Some(440.0), Some(1_000.0));
    // Somebody behind the same address, with the caller's own SSRC, from the caller's first packet on.
    let mut neighbour = stranger();
    neighbour.address = SocketAddr::new(caller.address.ip(), caller.address.port() + 2);
    neighbour.ssrc = caller.ssrc;
    for _ in 0..100 {
        caller.speak(&mut stage);
        (0..20).for_each(|_| neighbour.speak(&mut stage));
        clerk.speak(&mut stage);
        (0..4).for_each(|_| stage.tick());
    }
    assert_eq!(latched(&stage), [caller.address]);
    assert_eq!(refused(&stage), [neighbour.address]);
    assert!(stage.air.left.iter().all(|left| left.to != neighbour.address), "he was sent something");
    let heard = clerk.hears(&stage.take_for(&clerk));
    assert!(level(&heard, 440.0) > HEARD && level(&heard, SHRIEK) < UNHEARD);
}

#[test]
fn a_peer_that_sends_by_our_own_ssrc_makes_ours_another_and_sound_goes_on() {
    for other in [Law::Pcma, Law::Pcmu] {
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
        let mut clerk = Peer::join(&mut stage, 1, other);
        stage.bridge(0, 1);
        (caller.tone, clerk.tone) = (Some(440.0), Some(1_000.0));
        stage.frames(50, &mut [&mut caller, &mut clerk]);
        let before = stage.take_for(&caller);
        let ours = before[0].ssrc;
        stage.take_for(&clerk);
        caller.ssrc = ours;
        stage.frames(50, &mut [&mut caller, &mut clerk]);
        let after = stage.take_for(&caller);
        let parted = after.last().unwrap().ssrc;
        assert_ne!(parted, ours, "RFC 3550 8.2");
        assert!(level(&caller.hears(&after), 1_000.0) > HEARD);
        assert!(level(&clerk.hears(&stage.take_for(&clerk)), 440.0) > HEARD);
        // Who sends back whatever he hears would make us change for ever: once is enough.
        caller.ssrc = parted;
        stage.frames(50, &mut [&mut caller, &mut clerk]);
        assert!(stage.take_for(&caller).iter().all(|packet| packet.ssrc == parted));
        assert!(level(&clerk.hears(&stage.take_for(&clerk)), 440.0) > HEARD);
    }
}
