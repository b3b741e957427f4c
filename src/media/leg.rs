//! One leg's sound: what it takes in, what it hears, and what is known of its peer.
//!
//! Which other leg it hears, and when it is served, is for [`super::engine`] to say.

use super::bank::SoundBank;
use super::conceal::Conceal;
use super::dtmf::{Presser, Presses};
use super::g711;
use super::jitter::{Jitter, Taken};
use super::latch::Latch;
use super::mos::{Measured, mos_x100};
use super::order::{Codec, FRAME_SAMPLES, Flow, LegConfig, LegFigures, PortSlot};
use super::packer::{CODES_MAX, Packer, Packet};
use super::player::Player;
use super::reception::Reception;
use super::rtcp::Reports;
use super::rtp::{FRAME_PACKET_BYTES, HEADER_BYTES, Header, write};
use super::sender::Sender;
use super::watch::Watch;
use super::wire::{Frame, SocketKey, Wire};
use crate::id::{Dice, LegId};
use crate::time::Instant;

/// Delay of our own path and a typical telephone's, one way, milliseconds, for the E-model.
const USUAL_DELAY_MS: f64 = 40.0;

/// What a leg hears.
#[derive(Debug)]
pub(super) enum Hears {
    /// Nothing is sent.
    Nothing,
    /// Prompts.
    Sounds(Player),
    /// Another leg.
    Leg(PortSlot),
}

/// One leg.
pub(super) struct Leg {
    pub(super) id: LegId,
    pub(super) config: LegConfig,
    pub(super) hears: Hears,
    pub(super) latch: Latch,
    pub(super) reception: Reception,
    pub(super) sender: Sender,
    /// Where packets of another length than 20 ms are sent.
    packer: Option<Box<Packer>>,
    /// How long the peer's own packets are.
    pub(super) length: Length,
    /// The payload type and law before a renegotiation, until the peer uses the new ones.
    former: Option<(u8, Codec)>,
    pub(super) reports: Reports,
    pub(super) presses: Presses,
    pub(super) presser: Presser,
    /// Its call is recorded.
    pub(super) recorded: bool,
    /// Packets go straight to the leg that hears it.
    pub(super) relayed: bool,
    /// Sound is decoded at the tick.
    pub(super) decoder: Option<Box<Decoder>>,
    pub(super) heard_at: Instant,
    pub(super) watch: Watch,
    /// Its SSRC was changed once, since the peer's was the same.
    pub(super) ssrc_parted: bool,
    pub(super) silence_told: bool,
    pub(super) refused: u64,
    /// What it was sent in this tick, for the recording.
    pub(super) given: Frame,
}

/// Only other lengths than a frame's are gathered or parted.
fn packer(config: &LegConfig) -> Option<Box<Packer>> {
    (config.packet_ms != 20).then(|| Box::new(Packer::new(config.packet_ms)))
}

/// Packets of one length in a row after which that length is the peer's.
const STEADY: u8 = 8;

/// How long a peer's packets are, whatever was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Length {
    steady: u16,
    last: u16,
    run: u8,
}

impl Length {
    /// Takes the length of a payload, in samples. Whether the steady length is another than before.
    pub(super) fn note(&mut self, samples: usize) -> bool {
        let samples = samples as u16;
        if samples == self.steady {
            self.run = 0;
            return false;
        }
        self.run = if samples == self.last { self.run + 1 } else { 1 };
        self.last = samples;
        if self.run < STEADY {
            return false;
        }
        (self.steady, self.run) = (samples, 0);
        true
    }

    /// Whether the peer is not known to send anything but `packet_ms`.
    pub(super) fn suits(&self, packet_ms: u16) -> bool {
        self.steady == 0 || self.steady == packet_ms * 8
    }
}

/// What turns packets into frames.
#[derive(Default)]
pub(super) struct Decoder {
    pub(super) jitter: Jitter,
    conceal: Conceal,
    /// This tick's frame.
    pub(super) pcm: Quiet,
    /// Its codes, if the frame is whole as it came.
    codes: Option<[u8; FRAME_SAMPLES]>,
    /// Something is to be heard.
    pub(super) sounds: bool,
}

/// A frame that begins silent.
pub(super) struct Quiet(pub(super) Frame);

impl Default for Quiet {
    fn default() -> Self {
        Quiet([0; FRAME_SAMPLES])
    }
}

impl Leg {
    pub(super) fn new(id: LegId, config: LegConfig, dice: &mut Dice, now: Instant) -> Self {
        Leg {
            latch: Latch::new(config.remote, config.signalling_peer),
            packer: packer(&config),
            id,
            config,
            hears: Hears::Nothing,
            reception: Reception::default(),
            sender: Sender::new(dice, now),
            length: Length::default(),
            former: None,
            reports: Reports::new(dice, now),
            presses: Presses::default(),
            presser: Presser::default(),
            recorded: false,
            relayed: false,
            decoder: None,
            heard_at: now,
            watch: Watch::new(now),
            ssrc_parted: false,
            silence_told: false,
            refused: 0,
            given: [0; FRAME_SAMPLES],
        }
    }

    /// A renegotiation: SSRC, numbers and clock go on; the source is found anew if the address moved.
    pub(super) fn change(&mut self, config: LegConfig, now: Instant, wire: &mut impl Wire) {
        self.heard_at = now;
        self.silence_told = false;
        if self.config == config {
            return; // A session that is refreshed as it is.
        }
        self.send_rest(wire);
        if config.new_peer {
            self.latch.succeed(config.remote, config.signalling_peer);
            self.former = None;
            if let Some(decoder) = &mut self.decoder {
                decoder.jitter.reset();
            }
        } else {
            // An address that says hold (RFC 3264 §8.4) is none to move to.
            let held = config.remote.ip().is_unspecified();
            if !held && !self.latch.expects(config.remote, config.signalling_peer) {
                self.latch = Latch::new(config.remote, config.signalling_peer);
            }
            self.keep_former(&config);
        }
        let (before, after) = (self.config.codec, config.codec);
        if let Some(decoder) = self.decoder.as_mut().filter(|_| before != after) {
            match (before.law(), after.law()) {
                (Some(before), Some(after)) => decoder.jitter.recode(before, after),
                _ => decoder.jitter.reset(),
            }
            decoder.codes = None;
        }
        if self.config.packet_ms != config.packet_ms {
            self.packer = packer(&config);
        }
        self.config = config;
    }

    /// Until our answer is there the peer goes on as before (RFC 3264 §8.3.2), with other numbers or
    /// another law than the new ones.
    fn keep_former(&mut self, config: &LegConfig) {
        let before = (self.config.payload_type_in, self.config.codec);
        let after = (config.payload_type_in, config.codec);
        let taken = after.0 == before.0 || config.dtmf.is_some_and(|(_, events)| events == before.0);
        if taken {
            self.former = self.former.filter(|_| before == after);
        } else {
            self.former = Some(before);
        }
    }

    /// The law of a payload type that the peer may use beside the agreed one, or that was its own
    /// before a renegotiation.
    pub(super) fn other_law(&self, payload_type: u8) -> Option<Codec> {
        let known = [self.config.other_in, self.former];
        known.into_iter().flatten().find(|(number, _)| *number == payload_type).map(|(_, codec)| codec)
    }

    /// The peer speaks as was agreed last.
    pub(super) fn forget_former(&mut self) {
        self.former = None;
    }

    /// Whether what comes for this leg can go to `partner` as it is: one law, and packets as long as
    /// each was asked for, unless this one's are known to be others.
    pub(super) fn is_alike(&self, partner: &Leg) -> bool {
        self.config.codec == partner.config.codec
            && self.config.packet_ms == partner.config.packet_ms
            && self.length.suits(partner.config.packet_ms)
    }

    pub(super) fn may_send(&self) -> bool {
        matches!(self.config.flow, Flow::SendRecv | Flow::SendOnly)
    }

    pub(super) fn may_hear(&self) -> bool {
        matches!(self.config.flow, Flow::SendRecv | Flow::RecvOnly)
    }

    pub(super) fn rtp(&self) -> SocketKey {
        SocketKey::rtp(self.config.slot)
    }

    /// Decodes the frame that is due.
    pub(super) fn decode(&mut self, now: Instant) {
        let (Some(decoder), Some(law)) = (&mut self.decoder, self.config.codec.law()) else { return };
        let mut codes = [0; FRAME_SAMPLES];
        let taken = decoder.jitter.take(law, &mut codes, now);
        let pcm = &mut decoder.pcm.0;
        g711::decode(law, &codes, pcm);
        decoder.codes = None;
        decoder.sounds = true;
        match taken {
            Taken::Whole => {
                let before = *pcm;
                decoder.conceal.hear(pcm);
                decoder.codes = (before == *pcm).then_some(codes);
            }
            Taken::Part(present) => decoder.conceal.mend(pcm, &present),
            Taken::Hole => decoder.conceal.fill(pcm),
            Taken::Quiet => {
                decoder.conceal.rest(pcm);
                decoder.sounds = false;
            }
        }
        if decoder.sounds {
            self.watch.listen(pcm, now);
        }
    }

    /// What this leg says in this tick, in `codec`'s codes; `None`: nothing.
    pub(super) fn said(&self, codec: super::order::Codec) -> Option<([u8; FRAME_SAMPLES], &Frame)> {
        let decoder = self.decoder.as_ref().filter(|decoder| decoder.sounds && self.may_hear())?;
        let codes = match decoder.codes {
            Some(codes) if codec == self.config.codec => codes,
            _ => {
                let mut codes = [0; FRAME_SAMPLES];
                g711::encode(codec.law()?, &decoder.pcm.0, &mut codes);
                codes
            }
        };
        Some((codes, &decoder.pcm.0))
    }

    /// The next frame of prompts: sent, and kept for the recording. Gives the mark when they are through.
    pub(super) fn play(&mut self, bank: &SoundBank, now: Instant, wire: &mut impl Wire) -> Option<u32> {
        let Hears::Sounds(player) = &mut self.hears else { return None };
        let mut codes = [0; FRAME_SAMPLES];
        let linear = self.recorded.then_some(&mut self.given);
        let sounds = player.frame(bank, self.config.codec, &mut codes, linear);
        let through = player.through();
        if through.is_some() || !sounds {
            self.hears = Hears::Nothing;
        }
        if sounds {
            self.send_frame(&codes, now, wire);
        }
        through
    }

    /// Sends one frame of codes, unless the peer wants none or a digit is being pressed.
    pub(super) fn send_frame(&mut self, codes: &[u8; FRAME_SAMPLES], now: Instant, wire: &mut impl Wire) {
        if !self.may_send() {
            return;
        }
        if self.packer.is_some() {
            return self.gather_frame(codes, now, wire);
        }
        let header = self.sender.frame(self.config.payload_type, now);
        self.send(header, codes, wire);
    }

    fn gather_frame(&mut self, codes: &[u8; FRAME_SAMPLES], now: Instant, wire: &mut impl Wire) {
        let (timestamp, marker) = self.sender.place(now);
        if self.packer.as_ref().is_some_and(|packer| !packer.joins(timestamp)) {
            self.send_rest(wire);
        }
        if let Some(packer) = &mut self.packer {
            packer.add(timestamp, marker, codes);
        }
        self.send_ready(now, wire);
    }

    /// Packets that were gathered and whose time has come.
    pub(super) fn send_ready(&mut self, now: Instant, wire: &mut impl Wire) {
        while let Some(packet) = self.packer.as_mut().and_then(|packer| packer.take(now)) {
            self.send_gathered(&packet, wire);
        }
    }

    /// What was gathered leaves before anything else does.
    pub(super) fn send_rest(&mut self, wire: &mut impl Wire) {
        while let Some(packet) = self.packer.as_mut().and_then(|packer| packer.rest()) {
            self.send_gathered(&packet, wire);
        }
    }

    /// The leg's turn is over; a sound that has ended leaves nothing behind.
    pub(super) fn end_turn(&mut self, wire: &mut impl Wire) {
        if self.packer.as_mut().is_some_and(|packer| packer.end_turn()) {
            self.send_rest(wire);
        }
    }

    fn send_gathered(&mut self, gathered: &Packet, wire: &mut impl Wire) {
        if !self.may_send() {
            return;
        }
        let header = self.sender.header(gathered.marker, self.config.payload_type, gathered.timestamp);
        let mut packet = [0; HEADER_BYTES + CODES_MAX];
        let length = write(header, gathered.codes(), &mut packet);
        self.sender.count(gathered.codes().len());
        wire.send(self.rtp(), self.latch.destination(), &packet[..length]);
    }

    pub(super) fn send(&mut self, header: Header, payload: &[u8], wire: &mut impl Wire) {
        let mut packet = [0; FRAME_PACKET_BYTES];
        let length = write(header, payload, &mut packet);
        self.sender.count(payload.len());
        wire.send(self.rtp(), self.latch.destination(), &packet[..length]);
    }

    /// Presses on; `true` while a digit is under way, which takes the place of sound.
    pub(super) fn press(&mut self, now: Instant, wire: &mut impl Wire) -> bool {
        let Some((payload_type, _)) = self.config.dtmf else { return false };
        let Some(sent) = self.presser.step(self.sender.position(now)) else { return false };
        self.send_rest(wire);
        if let Some((event, timestamp, marker)) = sent.packet.filter(|_| self.may_send()) {
            let header = self.sender.event(payload_type, timestamp, marker);
            self.send(header, &event.write(), wire);
        }
        true
    }

    pub(super) fn figures(&self) -> LegFigures {
        let mut figures =
            LegFigures { sent: self.sender.packets(), refused: self.refused, ..LegFigures::default() };
        let bursts = self.reception.figures(&mut figures);
        let target = self.decoder.as_ref().map_or(0, |decoder| {
            figures.late = decoder.jitter.misses().0;
            decoder.jitter.target()
        });
        let codec = self.config.codec;
        figures.codec = Some(codec);
        (figures.mute_ms, figures.unheard_ms) = self.watch.spent();
        figures.round_trip_us = self.reports.round_trip_us();
        let way_ms = USUAL_DELAY_MS + f64::from(figures.round_trip_us) / 2_000.0;
        figures.outbound = self.reports.feedback().outbound(codec, way_ms);
        figures.mos_x100 = mos_x100(Measured {
            codec,
            expected: figures.received.saturating_sub(figures.duplicate) + figures.lost,
            missed: figures.lost + figures.late,
            bursts,
            delay_ms: way_ms + f64::from(target) / 8.0,
        });
        figures
    }
}
