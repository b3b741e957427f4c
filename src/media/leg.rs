//! One leg's sound: what it takes in, what it hears, and what is known of its peer.
//!
//! Which other leg it hears, and when it is served, is for [`super::engine`] to say.

use super::bank::SoundBank;
use super::codec::{FRAME_BYTES_MAX, Voice};
use super::comfort::Comfort;
use super::conceal::SEAM;
use super::conference::{Mixed, Place};
use super::decoder::Decoder;
use super::dtmf::{Presser, Presses};
use super::encoder::Encoder;
use super::g711;
use super::latch::Latch;
use super::mos::{Measured, mos_x100};
use super::order::{Codec, FRAME_SAMPLES, Flow, LegConfig, LegFigures, PortSlot};
use super::packer::{Packer, Packet};
use super::player::Player;
use super::reception::Reception;
use super::rtcp::Reports;
use super::rtp::{FRAME_PACKET_BYTES, HEADER_BYTES, Header, PACKET_MAX, write};
use super::sender::Sender;
use super::srtp::Cipher;
use super::tones::Tones;
use super::watch::Watch;
use super::wire::{Frame, SocketKey, Wire};
use crate::id::{Dice, LegId};
use crate::time::Instant;

/// Delay of our own path and a typical telephone's, one way, milliseconds, for the E-model.
const USUAL_DELAY_MS: f64 = 40.0;

/// Two G.722 coders that hear the same sound for so long are in one state, as good as: 0.6 s.
const TUNING_FRAMES: u8 = 30;

/// What a leg hears.
#[derive(Debug)]
pub(super) enum Hears {
    /// Nothing is sent.
    Nothing,
    /// Prompts.
    Sounds(Player),
    /// Another leg.
    Leg(PortSlot),
    /// The others in a conference.
    Conference(Place),
}

/// One leg.
pub(super) struct Leg {
    pub(super) id: LegId,
    pub(super) config: LegConfig,
    pub(super) hears: Hears,
    pub(super) latch: Latch,
    /// Keys, where packets are ciphered.
    pub(super) cipher: Option<Box<Cipher>>,
    pub(super) reception: Reception,
    pub(super) sender: Sender,
    /// What makes payloads of sound for codecs other than G.711, once it is needed.
    encoder: Option<Box<Encoder>>,
    /// Where packets of another length than 20 ms are sent.
    packer: Option<Box<Packer>>,
    /// How long the peer's own packets are.
    pub(super) length: Length,
    /// The payload type and law before a renegotiation, until the peer uses the new ones.
    former: Option<(u8, Codec)>,
    pub(super) reports: Reports,
    pub(super) presses: Presses,
    pub(super) presser: Presser,
    /// Where keys come as tones, and are pressed as tones.
    pub(super) tones: Option<Box<Tones>>,
    /// Its call is recorded.
    pub(super) recorded: bool,
    /// Packets go straight to the leg that hears it.
    pub(super) relayed: bool,
    /// Somebody hears its sound decoded, or listens for keys in it.
    pub(super) decoded: bool,
    /// Nobody does any more; unless somebody does again before its next turn, its decoder stops there.
    pub(super) stops: bool,
    /// Another leg heard it until a moment ago.
    pub(super) left: Option<Left>,
    /// It was in a conference, where its sound was decoded. It stays so: to pass packets on again would
    /// leave out what is held in the decoder's buffer.
    pub(super) mixed_before: bool,
    /// So many frames more are coded anew before packets go straight.
    tuning: u8,
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
    /// In a conference: what is to be sent in this tick.
    pub(super) mixed: Mixed,
}

/// Only other lengths than a frame's are gathered or parted.
fn packer(config: &LegConfig) -> Option<Box<Packer>> {
    let frame_units = config.codec.clock() / 50;
    let frame_bytes = match config.codec {
        Codec::Opus => 2 * FRAME_BYTES_MAX, // Sound at 16 kHz: it is coded when it leaves.
        codec => codec.unit_bytes().unwrap_or(1) * FRAME_SAMPLES,
    };
    (config.packet_ms != 20).then(|| Box::new(Packer::new(config.packet_ms, frame_bytes, frame_units)))
}

/// A bridge that a leg was in until a moment ago: whoever heard it there hears it go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    /// Turns for which that is so.
    pub(super) turns: u8,
    /// Its packets were passed on.
    pub(super) relayed: bool,
}

/// Orders that belong together may be carried out in two turns.
const LEFT_TURNS: u8 = 2;

impl Left {
    pub(super) fn bridge(relayed: bool) -> Self {
        Left { turns: LEFT_TURNS, relayed }
    }
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

impl Leg {
    pub(super) fn new(id: LegId, config: LegConfig, dice: &mut Dice, now: Instant) -> Self {
        let clock = config.codec.clock();
        let mut sender = Sender::new(dice, now);
        if config.srtp.is_some() {
            sender.begin_early();
        }
        let mut leg = Leg {
            latch: Latch::new(config.remote, config.signalling_peer),
            cipher: Leg::cipher(&config),
            packer: packer(&config),
            encoder: None,
            id,
            config,
            hears: Hears::Nothing,
            reception: Reception::default(),
            sender,
            length: Length::default(),
            former: None,
            reports: Reports::new(dice, now),
            presses: Presses::default(),
            presser: Presser::default(),
            tones: None,
            recorded: false,
            relayed: false,
            decoded: false,
            stops: false,
            left: None,
            mixed_before: false,
            tuning: TUNING_FRAMES,
            decoder: None,
            heard_at: now,
            watch: Watch::new(now),
            ssrc_parted: false,
            silence_told: false,
            refused: 0,
            given: [0; FRAME_SAMPLES],
            mixed: Mixed::Nothing,
        };
        let ssrc = leg.sender.ssrc();
        leg.set_clock(clock, ssrc, now);
        leg
    }

    /// A renegotiation: SSRC, numbers and clock go on; the source is found anew if the address moved.
    /// A codec of another clock is sent from another SSRC, `ssrc`.
    pub(super) fn change(&mut self, config: LegConfig, ssrc: u32, now: Instant, wire: &mut impl Wire) {
        self.heard_at = now;
        self.silence_told = false;
        if self.config == config {
            return; // A session that is refreshed as it is.
        }
        self.send_rest(wire);
        let locked = self.latch.locked();
        if config.new_peer {
            self.latch.succeed(config.remote, config.signalling_peer);
            self.former = None;
            if let Some(decoder) = &mut self.decoder {
                decoder.reset();
                decoder.comfort = Comfort::default();
            }
        } else {
            // An address that says hold (RFC 3264 §8.4) is none to move to.
            let held = config.remote.ip().is_unspecified();
            if !held && !self.latch.expects(config.remote, config.signalling_peer) {
                self.latch = Latch::new(config.remote, config.signalling_peer);
            }
            self.keep_former(&config);
        }
        if self.latch.locked() != locked {
            wire.lock(self.config.slot, self.latch.locked());
        }
        if let Some(decoder) = &mut self.decoder {
            decoder.change(config.codec);
        }
        let codec_changed = self.config.codec != config.codec;
        if codec_changed {
            self.encoder = None;
            self.length = Length::default();
            self.set_clock(config.codec.clock(), ssrc, now);
        }
        if codec_changed || self.config.packet_ms != config.packet_ms {
            self.packer = packer(&config);
        }
        self.rekey(&config);
        self.config = config;
    }

    fn set_clock(&mut self, clock: u32, ssrc: u32, now: Instant) {
        self.reception.set_clock(clock);
        if self.sender.clock() != clock {
            self.sender.set_clock(clock, ssrc, now);
        }
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

    /// Whether what comes for this leg can go to `partner` as it is: one codec, and packets as long as
    /// each was asked for, unless this one's are known to be others. Packets that say themselves how
    /// long they are every receiver takes (RFC 7587 §4.2).
    pub(super) fn is_alike(&self, partner: &Leg) -> bool {
        let one_codec = self.config.codec == partner.config.codec;
        // A G.722 decoder that comes to a stream under way screams for a tenth of a second.
        let in_tune = self.tuning == 0 || self.config.codec != Codec::G722;
        one_codec
            && in_tune
            && !self.mixed_before
            && (self.config.codec.unit_bytes().is_none()
                || self.config.packet_ms == partner.config.packet_ms
                    && self.length.suits(partner.config.packet_ms))
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
        if std::mem::take(&mut self.stops)
            && let Some(decoder) = &mut self.decoder
        {
            decoder.stop();
        }
        if let Some(decoder) = self.decoder.as_mut().filter(|_| self.decoded) {
            decoder.step(now);
            if decoder.sounds {
                self.watch.listen(&decoder.pcm.0, now);
            }
        }
    }

    /// Whether it says anything in this tick that may be heard.
    pub(super) fn speaks(&self) -> bool {
        self.may_hear() && self.decoder.as_ref().is_some_and(|decoder| decoder.sounds)
    }

    /// The end of what it said, if it ends here.
    pub(super) fn tail(&self) -> Option<[i16; SEAM]> {
        self.decoder.as_ref().filter(|decoder| decoder.sounds).map(|decoder| decoder.tail())
    }

    /// What this leg says in this tick; `None`: nothing.
    pub(super) fn said(&self) -> Option<Voice<'_>> {
        let decoder = self.decoder.as_ref().filter(|decoder| decoder.sounds && self.may_hear())?;
        Some(decoder.voice())
    }

    /// Sound will have to be coded for this leg: what that takes is allocated now.
    pub(super) fn ready_encoder(&mut self) {
        if self.encoder.is_none() && self.config.codec.law().is_none() {
            self.encoder = Some(Box::new(Encoder::new(self.config.codec)));
        }
    }

    /// A packet of another telephone goes out as it is.
    pub(super) fn note_relayed(&mut self, payload: &[u8]) {
        if let Some(encoder) = &mut self.encoder {
            encoder.note_relayed(payload);
        }
    }

    /// One more frame of it was coded anew for a listener. Whether the listener's decoder can follow
    /// this leg's own codes from now on: told once.
    pub(super) fn is_tuned_in(&mut self) -> bool {
        let tuned = self.config.codec == Codec::G722 && self.tuning == 1;
        self.tuning = self.tuning.saturating_sub(1);
        tuned
    }

    /// Another listener, or another coder on this leg's own side.
    pub(super) fn tune_anew(&mut self) {
        self.tuning = TUNING_FRAMES;
    }

    /// Sends one frame of sound, unless the peer wants none or a digit is being pressed.
    pub(super) fn speak(&mut self, voice: &Voice<'_>, now: Instant, wire: &mut impl Wire) {
        if !self.may_send() {
            return;
        }
        if let Some(law) = self.config.codec.law() {
            match voice.codes {
                Some((codec, codes)) if codec == self.config.codec => self.send_frame(codes, now, wire),
                _ => {
                    let mut codes = [0; FRAME_SAMPLES];
                    g711::encode(law, voice.narrow, &mut codes);
                    self.send_frame(&codes, now, wire);
                }
            }
            return;
        }
        self.ready_encoder();
        let mut bytes = [0; 2 * FRAME_BYTES_MAX];
        let length = self.encoder.as_mut().map_or(0, |encoder| encoder.frame(voice, &mut bytes));
        if length > 0 {
            self.send_frame(&bytes[..length], now, wire);
        }
    }

    /// The next frame of prompts: sent, and kept for the recording. Gives the mark when they are through.
    pub(super) fn play(&mut self, bank: &SoundBank, now: Instant, wire: &mut impl Wire) -> Option<u32> {
        let Hears::Sounds(player) = &mut self.hears else { return None };
        let mut codes = [0; FRAME_SAMPLES];
        let mut live = false;
        let sounds = if self.config.codec.law().is_some() {
            let linear = self.recorded.then_some(&mut self.given);
            player.frame(bank, self.config.codec, &mut codes, linear)
        } else {
            live = self.config.codec.is_decodable();
            live && player.linear_frame(bank, &mut self.given)
        };
        let through = match sounds {
            // Nothing of it can be played: it is through at once.
            false if !live => player.mark(),
            _ => player.through(),
        };
        if through.is_some() || !sounds {
            self.hears = Hears::Nothing;
        }
        if sounds && live {
            let given = self.given;
            self.speak(&Voice::narrow(&given), now, wire);
        } else if sounds {
            self.send_frame(&codes, now, wire);
        }
        through
    }

    /// Sends one frame of codes (for Opus: of sound as its encoder gathers it), unless the peer wants none.
    pub(super) fn send_frame(&mut self, codes: &[u8], now: Instant, wire: &mut impl Wire) {
        if !self.may_send() {
            return;
        }
        if self.packer.is_some() {
            return self.gather_frame(codes, now, wire);
        }
        let header = self.sender.frame(self.config.payload_type, now);
        match self.encoder.is_some() {
            false => self.send(header, codes, wire),
            true => self.send_coded(header, codes, wire),
        }
    }

    /// Sends what an encoder made.
    fn send_coded(&mut self, header: Header, bytes: &[u8], wire: &mut impl Wire) {
        if self.config.codec != Codec::Opus && bytes.len() <= FRAME_SAMPLES {
            return self.send(header, bytes, wire); // A smaller room is quicker to clear.
        }
        let mut coded = [0; PACKET_MAX - HEADER_BYTES];
        let payload = match self.encoder.as_mut().and_then(|encoder| encoder.packet(bytes, &mut coded)) {
            Some(length) => &coded[..length],
            None => bytes,
        };
        let mut packet = [0; PACKET_MAX];
        let length = write(header, payload, &mut packet);
        self.sender.count(payload.len());
        self.transmit(&packet[..length], wire);
    }

    fn gather_frame(&mut self, codes: &[u8], now: Instant, wire: &mut impl Wire) {
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
        if let Some(left) = &mut self.left {
            left.turns -= 1;
            self.left.take_if(|left| left.turns == 0);
        }
        if self.packer.as_mut().is_some_and(|packer| packer.end_turn()) {
            self.send_rest(wire);
        }
    }

    fn send_gathered(&mut self, gathered: &Packet, wire: &mut impl Wire) {
        if !self.may_send() {
            return;
        }
        let header = self.sender.header(gathered.marker, self.config.payload_type, gathered.timestamp);
        self.send_coded(header, gathered.bytes(), wire);
    }

    pub(super) fn send(&mut self, header: Header, payload: &[u8], wire: &mut impl Wire) {
        let mut packet = [0; FRAME_PACKET_BYTES];
        let length = write(header, payload, &mut packet);
        self.sender.count(payload.len());
        self.transmit(&packet[..length], wire);
    }

    /// Whether packets wait for their time, or keys to be pressed.
    pub(super) fn has_more_to_send(&self) -> bool {
        self.packer.is_some() || !self.presser.is_empty() || self.is_pressing_tones()
    }

    /// Presses on; `true` while a digit is under way, which takes the place of sound.
    pub(super) fn press(&mut self, now: Instant, wire: &mut impl Wire) -> bool {
        let Some((payload_type, _)) = self.config.dtmf else { return self.press_tones(now, wire) };
        let Some(sent) = self.presser.step(self.sender.position(now)) else { return false };
        self.send_rest(wire);
        if let Some((event, timestamp, marker)) = sent.packet.filter(|_| self.may_send()) {
            let header = self.sender.event(payload_type, timestamp, marker);
            let event = event.rescaled(8_000, self.config.codec.clock());
            self.send(header, &event.write(), wire);
        }
        true
    }

    pub(super) fn figures(&self) -> LegFigures {
        let mut figures =
            LegFigures { sent: self.sender.packets(), refused: self.refused, ..LegFigures::default() };
        let bursts = self.reception.figures(&mut figures);
        let target = self.decoder.as_ref().map_or(0, |decoder| {
            figures.late = decoder.misses().0;
            decoder.target()
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
