//! A law, numbers or a telephone that change in mid-call: sound goes on both ways, and is never noise.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use hotline::media::order::{Codec, Flow, LegConfig, Order};
use hotline::phone::Codec as Law;
use hotline::phone::listen::rms;

use crate::packets::Rtp;
use crate::stage::{HEARD, Peer, Stage, UNHEARD, assert_one_stream, level};

const CALLER: f64 = 440.0;
const CLERK: f64 = 1_000.0;

fn talking(one: Law, other: Law, recorded: bool) -> (Stage, Peer, Peer) {
    let mut stage = Stage::new(&[]);
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

fn change(stage: &mut Stage, index: u16, config: LegConfig) {
    stage.order(Order::Change { leg: stage.leg(index), config: Box::new(config) });
}

/// The tone and nothing louder than two laws' own noise: a law taken for the other roars.
fn assert_clean(what: &str, sound: &[i16], hertz: f64) {
    for (n, tenth) in sound.chunks_exact(800).enumerate() {
        assert!(level(tenth, hertz) > HEARD, "{what}: broken in tenth {n}");
        let loud = rms(tenth);
        assert!((loud - 8_000.0 / 2.0_f64.sqrt()).abs() < 400.0, "{what}: noise in tenth {n}: {loud}");
    }
}

/// RFC 3264 §8.3: the clerk's telephone goes over to the other law, and back. Until it has our answer
/// it speaks as before.
#[test]
fn a_law_that_changes_in_mid_call_is_heard_without_a_break() {
    for recorded in [false, true] {
        let (mut stage, mut caller, mut clerk) = talking(Law::Pcma, Law::Pcma, recorded);
        for (law, codec) in [(Law::Pcmu, Codec::Pcmu), (Law::Pcma, Codec::Pcma), (Law::Pcmu, Codec::Pcmu)] {
            let (number, old) = (law.payload_type(), clerk.payload_type);
            let config = LegConfig { codec, payload_type: number, payload_type_in: number, ..clerk.config() };
            change(&mut stage, 1, config);
            for peer in [&caller, &clerk] {
                stage.take_for(peer);
            }
            // Five more packets in the old law.
            assert_ne!(number, old);
            stage.frames(5, &mut [&mut caller, &mut clerk]);
            (clerk.law, clerk.payload_type) = (law, number);
            stage.frames(100, &mut [&mut caller, &mut clerk]);
            let heard = stage.take_for(&caller);
            assert_one_stream(&heard);
            assert!(heard.len() >= 100, "{}", heard.len());
            assert_clean("the caller hears", &caller.hears(&heard), CLERK);
            let heard = stage.take_for(&clerk);
            assert_one_stream(&heard);
            assert!(heard.iter().all(|packet| packet.payload_type == number), "new from the first on");
            assert_clean("the clerk hears", &clerk.hears(&heard), CALLER);
        }
        let figures = stage.close(1);
        assert_eq!((figures.refused, figures.late), (0, 0));
        if recorded {
            let right = &stage.reels.0[&stage.call].right;
            assert_clean("the recording", &right[8_000..right.len() - 1_600], CLERK);
        }
    }
}

/// RFC 3264 §8.3.2: other numbers for the same law; the old ones are taken until the new ones come.
#[test]
fn numbers_that_change_in_mid_call_cost_nothing() {
    let (mut stage, mut caller, mut clerk) = talking(Law::Pcma, Law::Pcma, false);
    stage.take_for(&caller);
    change(&mut stage, 1, LegConfig { payload_type: 97, payload_type_in: 98, ..clerk.config() });
    stage.frames(3, &mut [&mut caller, &mut clerk]);
    clerk.payload_type = 98;
    stage.frames(20, &mut [&mut caller, &mut clerk]);
    assert_eq!(stage.take_for(&caller).len(), 23, "none is left out");
    let heard = stage.take_for(&clerk);
    assert!(heard[heard.len() - 23..].iter().all(|packet| packet.payload_type == 97));
    clerk.payload_type = 8;
    stage.frames(5, &mut [&mut clerk]);
    assert_eq!(stage.take_for(&caller), [], "once the new number came, the old one is nobody's");
    assert_eq!(stage.close(1).refused, 5);
}

/// RFC 3264 §5.1: whoever answered with two codecs may change between them without a word.
#[test]
fn a_telephone_with_two_codecs_in_its_answer_may_use_either() {
    for other in [Law::Pcma, Law::Pcmu] {
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, other);
        let mut clerk = Peer::at(1, Law::Pcma);
        let config = LegConfig { other_in: Some((0, Codec::Pcmu)), ..clerk.config() };
        stage.order(Order::Open { leg: stage.leg(1), config: Box::new(config) });
        (caller.tone, clerk.tone) = (Some(CALLER), Some(CLERK));
        stage.bridge(0, 1);
        stage.frames(20, &mut [&mut caller, &mut clerk]);
        stage.take_for(&caller);
        for law in [Law::Pcma, Law::Pcmu, Law::Pcma, Law::Pcmu] {
            (clerk.law, clerk.payload_type) = (law, law.payload_type());
            stage.frames(25, &mut [&mut caller, &mut clerk]);
        }
        let heard = stage.take_for(&caller);
        assert_eq!(heard.len(), 100);
        assert_clean("either law", &caller.hears(&heard), CLERK);
    }
}

/// RFC 3264 §8.4: `c=0.0.0.0` holds. Neither sound nor reports leave for it, and the same telephone is
/// heard at once when it resumes.
#[test]
fn a_telephone_that_holds_by_its_address_is_sent_nothing() {
    let (mut stage, mut caller, mut clerk) = talking(Law::Pcma, Law::Pcma, false);
    stage.air.left.clear();
    let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), clerk.address.port());
    let held = LegConfig { remote: nowhere, remote_rtcp: nowhere, flow: Flow::RecvOnly, ..clerk.config() };
    change(&mut stage, 1, held);
    stage.frames(1_000, &mut [&mut caller, &mut clerk]);
    let sent: Vec<_> = stage.air.left.iter().filter(|left| left.from.slot == clerk.slot).collect();
    assert!(sent.is_empty(), "20 s of nothing: {sent:?}");
    change(&mut stage, 1, clerk.config());
    stage.air.left.clear();
    stage.frames(20, &mut [&mut caller, &mut clerk]);
    assert_eq!(stage.take_for(&caller).len(), 20);
    assert_eq!(stage.take_for(&clerk).len(), 20);
}

/// A call that forked, both telephones behind one gateway: the second takes the first one's place.
#[test]
fn a_telephone_that_lost_a_fork_is_heard_no_more_though_it_talks_on() {
    for other in [Law::Pcma, Law::Pcmu] {
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, other);
        let mut loser = Peer::join(&mut stage, 1, Law::Pcma);
        (caller.tone, loser.tone) = (Some(CALLER), Some(1_500.0));
        stage.bridge(0, 1);
        stage.frames(50, &mut [&mut caller, &mut loser]);
        assert!(level(&caller.hears(&stage.take_for(&caller)), 1_500.0) > HEARD);
        let mut winner = Peer::at(1, Law::Pcma);
        winner.address.set_port(loser.address.port() + 10);
        (winner.tone, winner.ssrc) = (Some(CLERK), 0x7777);
        change(&mut stage, 1, LegConfig { new_peer: true, ..winner.config() });
        // The loser alone, then both.
        stage.frames(20, &mut [&mut caller, &mut loser]);
        let silent: Vec<Rtp> = stage.take_for(&caller);
        assert!(level(&caller.hears(&silent), 1_500.0) < UNHEARD, "{} packets", silent.len());
        stage.frames(50, &mut [&mut caller, &mut loser, &mut winner]);
        let heard = caller.hears(&stage.take_for(&caller));
        assert!(level(&heard, CLERK) > HEARD && level(&heard, 1_500.0) < UNHEARD);
        assert!(!stage.take_for(&winner).is_empty(), "and hears the caller");
        assert_eq!(stage.close(1).refused, 70);
    }
}
