//! Conferences: who hears whom, from the first that joins to the last that leaves.

mod bridged;
mod clicks;
mod members;
mod recorded;
mod rights;

use hotline::id::{CallId, Dice, LegId};
use hotline::media::order::{ConferenceId, Fact, Order, Refusal, Rights};
use hotline::phone::Codec as Law;

use crate::stage::{Peer, Stage, level};

const ROOM: ConferenceId = ConferenceId(7);
const FULL: Rights = Rights::FULL;

/// A stage with so many peers, each a leg of its own, with a tone of its own, and nobody in a room yet.
fn hall(laws: &[Law]) -> (Stage, Vec<Peer>) {
    let mut stage = Stage::new(&[&crate::stage::tone(16_000, 3_450.0)]);
    let peers = laws.iter().zip(0..).map(|(law, index)| {
        let mut peer = Peer::join(&mut stage, index, *law);
        peer.tone = Some(tone_of(index));
        // So many at once may not reach the end of the scale.
        peer.loud = if laws.len() > 4 { 700.0 } else { 6_000.0 };
        peer
    });
    let peers = peers.collect();
    (stage, peers)
}

/// The tone of the `n`-th party.
fn tone_of(n: u16) -> f64 {
    200.0 + 100.0 * f64::from(n)
}

fn join(stage: &mut Stage, leg: u16, rights: Rights) {
    stage.order(Order::Join { leg: stage.leg(leg), conference: ROOM, rights });
}

fn leave(stage: &mut Stage, leg: u16) {
    stage.order(Order::Leave { leg: stage.leg(leg) });
}

/// So many frames in which all speak.
fn talk(stage: &mut Stage, peers: &mut [Peer], frames: usize) {
    let mut peers: Vec<&mut Peer> = peers.iter_mut().collect();
    stage.frames(frames, &mut peers);
}

/// What arrived for a peer is forgotten.
fn forget(stage: &mut Stage, peers: &[Peer]) {
    peers.iter().for_each(|peer| drop(stage.take_for(peer)));
}

/// Whose tones are in a sound: bit n for the n-th party's. A tone is there or not, nothing between.
fn voices(sound: &[i16], peers: &[Peer]) -> u32 {
    let mut voices = 0;
    for (n, peer) in (0..).zip(peers) {
        let full = 20.0 * (peer.loud / 32_768.0).log10();
        let level = level(sound, tone_of(n));
        let heard = level > full - 3.0;
        assert!(heard || level < full - 14.0, "{n}: {level} dB of {full}");
        voices |= u32::from(heard) << n;
    }
    voices
}

/// What each hears in the next tenth of a second.
fn heard(stage: &mut Stage, peers: &mut [Peer]) -> Vec<u32> {
    forget(stage, peers);
    talk(stage, peers, 5);
    let sounds: Vec<Vec<i16>> = peers.iter().map(|peer| peer.hears(&stage.take_for(peer))).collect();
    sounds.iter().map(|sound| voices(sound, peers)).collect()
}

/// A leg of another call.
fn stranger(index: u16) -> LegId {
    LegId { call: CallId::draw(1_630_458_000_001, &mut Dice::seeded(99)), index }
}

fn refusals(stage: &Stage) -> Vec<(u16, Refusal)> {
    let refusal = |fact: &Fact| match fact {
        Fact::NotJoined { leg, conference: ROOM, why } => Some((leg.index, *why)),
        _ => None,
    };
    stage.facts.iter().filter_map(refusal).collect()
}
