//! An engine, its clock, and the peers around it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hotline::id::{CallId, Dice, LegId};
use hotline::media::order::{
    Codec, Fact, Flow, Group, LegConfig, LegFigures, Order, PortSlot, SoundId, Watches,
};
use hotline::media::{Channel, Engine, Frame, SocketKey, SoundBank, Tape, Wire};
use hotline::phone::Codec as Law;
use hotline::phone::listen::tone_level;
use hotline::time::{Instant, Now, Timestamp};

use crate::packets::Rtp;

/// telephone-event, out and in.
pub const EVENTS: (u8, u8) = (101, 101);
/// The moment at which every stage begins.
pub const BEGUN_S: i64 = 1_630_458_000;

/// A packet that left the engine.
#[derive(Clone, Debug)]
pub struct Left {
    pub at: Instant,
    pub from: SocketKey,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

#[derive(Default)]
pub struct Air {
    now: Instant,
    pub left: Vec<Left>,
    /// Whoever sends from this pair meets a fault of the house.
    pub faulty: Option<PortSlot>,
}

impl Wire for Air {
    fn send(&mut self, socket: SocketKey, to: SocketAddr, packet: &[u8]) {
        assert_ne!(self.faulty, Some(socket.slot), "a fault, as told");
        self.left.push(Left { at: self.now, from: socket, to, bytes: packet.to_vec() });
    }
}

/// Both sides of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reel {
    pub left: Vec<i16>,
    pub right: Vec<i16>,
    /// Once it has ended: frames lost.
    pub lost: Option<u64>,
}

#[derive(Default)]
pub struct Reels(pub BTreeMap<CallId, Reel>);

impl Tape for Reels {
    fn begin(&mut self, call: CallId, begun: Timestamp) {
        assert_eq!(begun, Timestamp::from_second(BEGUN_S).unwrap());
        assert!(self.0.insert(call, Reel::default()).is_none(), "begun twice");
    }

    fn frame(&mut self, call: CallId, left: &Frame, right: &Frame) -> bool {
        let reel = self.0.get_mut(&call).expect("begun");
        reel.left.extend(left);
        reel.right.extend(right);
        true
    }

    fn end(&mut self, call: CallId, lost_frames: u64) {
        let before = self.0.get_mut(&call).expect("begun").lost.replace(lost_frames);
        assert_eq!(before, None, "ended twice");
    }
}

/// The call of every stage.
fn the_call() -> CallId {
    CallId::draw(1_630_458_000_000, &mut Dice::seeded(8))
}

pub struct Stage {
    pub engine: Engine,

    pub air: Air,
    pub reels: Reels,
    pub call: CallId,
    pub facts: Vec<Fact>,
    mono: Instant,
    ticks: u64,
}

impl Stage {
    pub fn new(sounds: &[&[i16]]) -> Stage {
        let bank = SoundBank::new(sounds.iter().map(|sound| Arc::from(*sound)));
        Stage {
            engine: Engine::new(bank, Dice::seeded(7)),
            air: Air::default(),
            reels: Reels::default(),
            call: the_call(),
            facts: Vec::new(),
            mono: Instant::from_millis(1_000),
            ticks: 0,
        }
    }

    pub fn now(&self) -> Now {
        let since = self.mono.since(Instant::from_millis(1_000));
        let wall = Timestamp::from_second(BEGUN_S).unwrap() + since;
        Now { mono: self.mono, wall }
    }

    pub fn leg(&self, index: u16) -> LegId {
        LegId { call: self.call, index }
    }

    pub fn order(&mut self, order: Order) {
        let now = self.now();
        self.air.now = now.mono;
        self.engine.handle_order(order, now, &mut self.air, &mut self.reels);
        self.drain();
    }

    /// A packet from anywhere to one of the engine's sockets.
    pub fn arrive(&mut self, socket: SocketKey, from: SocketAddr, packet: &[u8]) {
        self.air.now = self.mono;
        self.engine.handle_packet(socket, from, &mut packet.to_vec(), self.mono, &mut self.air);
        self.drain();
    }

    /// Five milliseconds pass, and the phase that is due is served.
    pub fn tick(&mut self) {
        self.mono += Duration::from_millis(5);
        self.ticks += 1;
        self.air.now = self.mono;
        let phase = (self.ticks % 4) as u8;
        self.engine.tick(phase, self.mono, &mut self.air, &mut self.reels);
        self.drain();
    }

    /// So many ticks pass without being served: the thread was held up.
    pub fn late(&mut self, ticks: u64) {
        self.mono += Duration::from_millis(5 * ticks);
        self.ticks += ticks;
    }

    /// So many frames of 20 ms; `peers` speak at the beginning of each.
    pub fn frames(&mut self, count: usize, peers: &mut [&mut Peer]) {
        for _ in 0..count {
            for peer in peers.iter_mut() {
                peer.speak(self);
            }
            (0..4).for_each(|_| self.tick());
        }
    }

    fn drain(&mut self) {
        self.facts.extend(std::iter::from_fn(|| self.engine.poll_output()));
    }

    pub fn play(&mut self, leg: u16, sounds: &[u32], repeat: bool, mark: u32) {
        let sounds = sounds.iter().map(|sound| SoundId(*sound)).collect();
        self.order(Order::Play { leg: self.leg(leg), sounds, repeat, mark });
    }

    pub fn bridge(&mut self, a: u16, b: u16) {
        self.order(Order::Bridge { a: self.leg(a), b: self.leg(b) });
    }

    pub fn record(&mut self) {
        let begun = Timestamp::from_second(BEGUN_S).unwrap();
        self.order(Order::Record { call: self.call, caller: self.leg(0), begun, tracks: false });
    }

    /// Closes a leg; its figures.
    pub fn close(&mut self, leg: u16) -> LegFigures {
        let id = self.leg(leg);
        self.order(Order::Close { leg: id });
        let Some(Fact::Closed { leg, slot, figures }) = self.facts.last() else {
            panic!("closed: {:?}", self.facts);
        };
        assert_eq!((*leg, *slot), (id, PortSlot(u32::from(id.index))));
        **figures
    }

    /// Everything that has left for `peer`'s RTP address since the last call.
    pub fn take_for(&mut self, peer: &Peer) -> Vec<Rtp> {
        let mut taken = Vec::new();
        self.air.left.retain(|left| {
            let for_it = left.to == peer.address && left.from == SocketKey::rtp(peer.slot);
            if for_it {
                taken.push(Rtp::read(&left.bytes));
            }
            !for_it
        });
        taken
    }
}

/// A telephone's sound: where it is, and how its stream runs.
pub struct Peer {
    pub slot: PortSlot,
    pub address: SocketAddr,
    pub law: Law,
    pub payload_type: u8,
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    /// What it says; silence where there is none.
    pub tone: Option<f64>,
    /// How loud: the tone's amplitude.
    pub loud: f64,
    said: usize,
}

impl Peer {
    /// Opens a leg of the stage's call for a new peer.
    pub fn join(stage: &mut Stage, index: u16, law: Law) -> Peer {
        let peer = Peer::at(index, law);
        let config = Box::new(peer.config());
        stage.order(Order::Open { leg: stage.leg(index), config });
        peer
    }

    pub fn at(index: u16, law: Law) -> Peer {
        let n = u32::from(index);
        Peer {
            slot: PortSlot(n),
            address: SocketAddr::new(IpAddr::from([10, 0, 0, 5 + index as u8]), 4_000 + 100 * index),
            law,
            payload_type: law.payload_type(),
            ssrc: 0x1000 + n,
            sequence: 65_000_u16.wrapping_add(index * 7),
            timestamp: 0xffff_f000 + n * 33,
            tone: None,
            loud: 8_000.0,
            said: 0,
        }
    }

    pub fn config(&self) -> LegConfig {
        let codec = if self.law.payload_type() == 8 { Codec::Pcma } else { Codec::Pcmu };
        LegConfig {
            slot: self.slot,
            group: Group::of_call(the_call()),
            codec,
            payload_type: self.payload_type,
            payload_type_in: self.payload_type,
            other_in: None,
            dtmf: Some(EVENTS),
            remote: self.address,
            remote_rtcp: SocketAddr::new(self.address.ip(), self.address.port() + 1),
            rtcp_mux: false,
            packet_ms: 20,
            new_peer: false,
            signalling_peer: self.address.ip(),
            flow: Flow::SendRecv,
            srtp: None,
            silence_max: Duration::ZERO,
            watches: Watches::default(),
            keys_told: false,
        }
    }

    /// The next 20 ms as a packet; the stream goes on.
    pub fn next(&mut self) -> Rtp {
        self.next_of(20)
    }

    /// The next packet, so many milliseconds long.
    pub fn next_of(&mut self, ms: usize) -> Rtp {
        let hertz = self.tone.unwrap_or(0.0);
        let samples = ms * 8;
        let payload = (self.said..self.said + samples)
            .map(|n| {
                let sample = self.loud * (n as f64 / 8_000.0 * hertz * std::f64::consts::TAU).sin();
                self.law.encode(sample as i16)
            })
            .collect();
        self.said += samples;
        self.next_with(payload)
    }

    pub fn next_with(&mut self, payload: Vec<u8>) -> Rtp {
        let samples = payload.len() as u32;
        let packet = Rtp {
            marker: false,
            payload_type: self.payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            payload,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(samples);
        packet
    }

    pub fn speak(&mut self, stage: &mut Stage) {
        let packet = self.next();
        self.send(stage, &packet);
    }

    pub fn send(&self, stage: &mut Stage, packet: &Rtp) {
        stage.arrive(SocketKey::rtp(self.slot), self.address, &packet.write());
    }

    pub fn report(&self, stage: &mut Stage, packet: &[u8]) {
        let from = SocketAddr::new(self.address.ip(), self.address.port() + 1);
        stage.arrive(SocketKey { slot: self.slot, kind: Channel::Rtcp }, from, packet);
    }

    /// What the peer hears of packets, in the order that they came.
    pub fn hears(&self, packets: &[Rtp]) -> Vec<i16> {
        let sound = packets.iter().filter(|packet| packet.payload_type == self.payload_type);
        sound.flat_map(|packet| packet.payload.iter().map(|code| self.law.decode(*code))).collect()
    }
}

/// One stream, whatever it carries: one SSRC, numbers without a hole, a clock that runs with ours.
pub fn assert_one_stream(packets: &[Rtp]) {
    for pair in packets.windows(2) {
        assert_eq!(pair[1].ssrc, pair[0].ssrc);
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "{:?}", &pair[1]);
        let moved = pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32;
        assert!(moved >= 0, "the clock went back by {}", -moved);
    }
}

/// Whether a tone is in there, and how loud: dB below a full sine, the best of its tenths of a second.
pub fn level(sound: &[i16], hertz: f64) -> f64 {
    sound.chunks_exact(800).map(|part| tone_level(part, hertz)).fold(-200.0, f64::max)
}

/// A tone of 8,000 is at -12 dB; what is 40 dB below it is nobody's.
pub const HEARD: f64 = -15.0;
pub const UNHEARD: f64 = -52.0;

/// A prompt of the house, sample by sample.
pub fn prompt(id: &str) -> Vec<i16> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts").join(format!("{id}.wav"));
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

/// So many samples of a tone.
pub fn tone(samples: usize, hertz: f64) -> Vec<i16> {
    (0..samples)
        .map(|n| (8_000.0 * (n as f64 / 8_000.0 * hertz * std::f64::consts::TAU).sin()) as i16)
        .collect()
}
