//! What is missing in the sound of a bridge: a microphone that says nothing, and audio that goes one
//! way only. Told, never acted on: who is only silent is no fault of ours.
//!
//! A *mute* leg sends packets, and not one that was looked at holds more than [`FLOOR`]. Telephones'
//! own noise is above that; one that sends silence while its user listens is told only after as long as
//! `watches.mute`. An *unheard* leg sends nothing while the other side's packets come, both may speak
//! (hold, music and what is on hold by its address are not bridged or have another [`Flow`]), and its
//! last packet was not comfort noise, which announces a pause.
//!
//! Looking costs a relay next to nothing: one packet in [`EVERY`] is looked at, up to the first sound.

use std::time::Duration;

use super::engine::Engine;
use super::g711::{self, Law};
use super::leg::{Hears, Leg};
use super::order::{Codec, Fact, Flow, PortSlot};
use crate::time::Instant;

/// Samples no louder than this, of 32,768, are silence: -62 dB.
const FLOOR: i16 = 24;
/// One relayed packet in so many is looked at: a power of two.
const EVERY: u16 = 16;
/// One decoded frame in so many is looked at: 80 ms.
const FRAMES: u8 = 4;
/// What is missing is looked for in every so manyth turn of a phase: 640 ms.
const TURNS: u32 = 32;
/// A side whose packets come has sent one within this.
const COMES: Duration = Duration::from_secs(1);

/// What is known of one leg's sound while another hears it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    /// When the bridge began, or went on after a hold.
    began_at: Instant,
    /// The last packet of comfort noise.
    noise_at: Option<Instant>,
    /// The last sound, or when it began to be missed.
    sound_at: Instant,
    /// Frames decoded, for looking at some.
    frames: u8,
    mute: bool,
    unheard: bool,
    /// Sums of what was told and is over.
    spent_mute: Duration,
    spent_unheard: Duration,
    /// How long what is told now has lasted.
    runs: Duration,
}

impl Watch {
    pub(super) fn new(now: Instant) -> Self {
        Watch {
            began_at: now,
            noise_at: None,
            sound_at: now,
            frames: 0,
            mute: false,
            unheard: false,
            spent_mute: Duration::ZERO,
            spent_unheard: Duration::ZERO,
            runs: Duration::ZERO,
        }
    }

    /// A bridge begins, or goes on after a hold: everything is missed anew.
    pub(super) fn begin(&mut self, now: Instant) {
        self.settle();
        (self.began_at, self.sound_at) = (now, now);
    }

    /// The peer says that a pause begins: until its next packet nothing is missed.
    pub(super) fn noise(&mut self, now: Instant) {
        self.noise_at = Some(now);
    }

    /// Looks at some of the packets that are passed on as they are. What cannot be judged without
    /// decoding passes for sound.
    pub(super) fn glance(&mut self, codec: Codec, sequence: u16, codes: &[u8], now: Instant) {
        if !sequence.is_multiple_of(EVERY) {
            return;
        }
        if codec.law().is_none_or(|law| codes.iter().any(|code| is_sound(law, *code))) {
            self.sound_at = now;
        }
    }

    /// Looks at some of the frames that are decoded.
    pub(super) fn listen(&mut self, pcm: &[i16], now: Instant) {
        self.frames = self.frames.wrapping_add(1);
        if !self.frames.is_multiple_of(FRAMES) {
            return;
        }
        if pcm.iter().any(|sample| sample.unsigned_abs() > FLOOR.unsigned_abs()) {
            self.sound_at = now;
        }
    }

    /// Milliseconds of packets without sound, and without packets, as far as they were told.
    pub(super) fn spent(mut self) -> (u32, u32) {
        self.settle();
        let millis = |span: Duration| u32::try_from(span.as_millis()).unwrap_or(u32::MAX);
        (millis(self.spent_mute), millis(self.spent_unheard))
    }

    /// What was told is over.
    fn settle(&mut self) -> bool {
        let (mute, unheard) = (std::mem::take(&mut self.mute), std::mem::take(&mut self.unheard));
        let runs = std::mem::take(&mut self.runs);
        self.spent_mute += if mute { runs } else { Duration::ZERO };
        self.spent_unheard += if unheard { runs } else { Duration::ZERO };
        mute || unheard
    }
}

/// Whether a code is louder than [`FLOOR`].
fn is_sound(law: Law, code: u8) -> bool {
    // The law's own scale: A-law's second step is ±24, µ-law's fourth.
    let floor = match law {
        Law::A => 1,
        Law::Mu => 3,
    };
    g711::loudness(law, code) > floor
}

/// Whether both directions were agreed on, and nobody holds by its address (RFC 3264 §8.4).
fn is_open(leg: &Leg) -> bool {
    leg.config.flow == Flow::SendRecv && !leg.config.remote.ip().is_unspecified()
}

impl Leg {
    /// When its last believed packet of this bridge came.
    fn last_packet(&self) -> Option<Instant> {
        self.reception.last_at().filter(|at| *at > self.watch.began_at)
    }
}

impl Engine {
    /// A turn of all legs of `phase` in what is missed of them: nothing in most turns.
    pub(super) fn watch_sound(&mut self, phase: usize, now: Instant) {
        if !self.turns[phase].is_multiple_of(TURNS) {
            return;
        }
        let mut index = 0;
        while let Some(slot) = self.serve.list(phase).get(index).copied() {
            index += 1;
            self.look_for_missing(slot, now);
        }
    }

    fn look_for_missing(&mut self, slot: PortSlot, now: Instant) {
        let Some(leg) = self.leg(slot) else { return };
        let partner = match leg.hears {
            Hears::Leg(partner) => self.leg(partner),
            _ => None,
        };
        let Some(partner) = partner.filter(|partner| is_open(leg) && is_open(partner)) else {
            if let Some(leg) = self.leg_mut(slot) {
                leg.watch.begin(now);
            }
            return;
        };
        let partner_comes = partner.last_packet().is_some_and(|at| now.since(at) < COMES);
        let last = leg.last_packet();
        let Some(leg) = self.leg_mut(slot) else { return };
        let (watches, id) = (leg.config.watches, leg.id);
        let watch = &mut leg.watch;
        let no_packets = now.since(last.unwrap_or(watch.began_at));
        let comes = last.is_some() && no_packets < COMES;
        let rests = last.is_some() && last == watch.noise_at;
        if rests || !comes && !watch.mute {
            // A pause is no fault, and silence without packets another one.
            watch.sound_at = now;
        }
        let no_sound = now.since(watch.sound_at);
        let long = |bound: Duration, span: Duration| !bound.is_zero() && span >= bound;
        let mute = comes && long(watches.mute, no_sound);
        // Once told it goes on until packets come, whatever becomes of the other side.
        let unheard =
            !comes && !rests && long(watches.one_way, no_packets) && (partner_comes || watch.unheard);
        let goes_on = (mute, unheard) == (watch.mute, watch.unheard);
        if !goes_on {
            watch.settle();
            (watch.mute, watch.unheard) = (mute, unheard);
        }
        watch.runs = match (mute, unheard) {
            (true, _) => no_sound,
            (false, true) => no_packets,
            (false, false) => Duration::ZERO,
        };
        if goes_on {
            return;
        }
        self.facts.push_back(match (mute, unheard) {
            (true, _) => Fact::Mute { leg: id },
            (false, true) => Fact::Unheard { leg: id },
            (false, false) => Fact::SoundBack { leg: id },
        });
    }

    /// The peer sends by our SSRC: ours becomes another, once, so that reports tell who is meant (RFC
    /// 3550 §8.2). A peer that follows sends back what it hears, which is no collision.
    pub(super) fn part_ssrc(&mut self, slot: PortSlot) {
        let Some(leg) = self.legs.get_mut(slot.0 as usize).and_then(|leg| leg.as_deref_mut()) else { return };
        if !std::mem::replace(&mut leg.ssrc_parted, true) {
            leg.sender.change_ssrc(&mut self.dice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_laws_draw_the_line_at_the_same_level() {
        for law in [Law::A, Law::Mu] {
            for code in 0..=255 {
                let loud = g711::decode_sample(law, code).unsigned_abs() > FLOOR.unsigned_abs();
                assert_eq!(is_sound(law, code), loud, "{law:?} {code:#x}");
            }
        }
    }

    #[test]
    fn one_packet_in_sixteen_is_looked_at() {
        let at = Instant::from_millis;
        let mut watch = Watch::new(at(0));
        for sequence in 1..16 {
            watch.glance(Codec::Pcma, sequence, &[0x80; 160], at(1_000));
        }
        assert_eq!(watch.sound_at, at(0));
        watch.glance(Codec::Pcma, 16, &[0xd5; 160], at(1_000));
        assert_eq!(watch.sound_at, at(0), "silence");
        watch.glance(Codec::Pcma, 32, &[0x80; 160], at(2_000));
        assert_eq!(watch.sound_at, at(2_000));
        watch.glance(Codec::G729, 48, &[0; 20], at(3_000));
        assert_eq!(watch.sound_at, at(3_000), "nobody can tell");
    }
}
