//! Keys of legs without telephone-events: heard in their sound, and pressed on them as tones in place
//! of sound.
//!
//! Tones that such a leg says are sound like any other to whoever hears it, and told as a fact besides;
//! they are not made into events, or a peer that hears sound and events would count them twice. Events
//! of its partner are no sound, so they are pressed on it as tones.

use super::codec::Voice;
use super::engine::Engine;
use super::inband::{Ear, Press};
use super::leg::Leg;
use super::order::{FRAME_SAMPLES, Fact, PortSlot};
use super::wire::Wire;
use crate::time::Instant;

/// Frames after a press of ours in which nothing is heard: what comes back of it is no key. 200 ms.
const DEAF_FRAMES: u8 = 10;

/// One leg's keys as tones.
#[derive(Debug, Default)]
pub(super) struct Tones {
    ear: Ear,
    deaf: u8,
    press: Option<Press>,
}

impl Engine {
    /// Listens to what a leg said in this tick.
    pub(super) fn hear_tones(&mut self, slot: PortSlot) {
        let Some(leg) = self.leg_mut(slot) else { return };
        let (Some(tones), Some(decoder)) = (&mut leg.tones, &leg.decoder) else { return };
        let digit = tones.ear.hear(&decoder.pcm.0);
        if tones.deaf > 0 {
            tones.deaf -= 1;
        } else if let Some(digit) = digit {
            let leg = leg.id;
            self.facts.push_back(Fact::Digit { leg, digit });
        }
    }
}

impl Leg {
    /// Whether keys come as tones, and can be heard: the sound must be one that is decoded here.
    pub(super) fn wants_tones(&self) -> bool {
        self.config.dtmf.is_none() && self.config.codec.is_decodable() && !self.config.keys_told
    }

    /// Begins to listen, or stops, as was negotiated.
    pub(super) fn mind_tones(&mut self) {
        match self.wants_tones() {
            true => {
                self.tones.get_or_insert_default();
                self.presser.reserve();
            }
            false => self.tones = None,
        }
    }

    /// A key of the partner, which came as an event, begins: it is pressed on this leg.
    pub(super) fn press_in_place_of_event(&mut self, digit: Option<char>) {
        if let Some(digit) = digit.filter(|_| self.tones.is_some() && self.may_send()) {
            self.presser.press(digit.encode_utf8(&mut [0; 4]));
        }
    }

    /// Whether tones take the place of sound, or are about to.
    pub(super) fn is_pressing_tones(&self) -> bool {
        self.tones.as_ref().is_some_and(|tones| tones.press.is_some() || !self.presser.is_empty())
    }

    /// Presses on with tones; `true` while they take the place of sound.
    pub(super) fn press_tones(&mut self, now: Instant, wire: &mut impl Wire) -> bool {
        let Some(tones) = &mut self.tones else { return false };
        let mut frame = [0; FRAME_SAMPLES];
        loop {
            let press = match &mut tones.press {
                Some(press) => press,
                none => match self.presser.next() {
                    Some(digit) => match Press::new(digit) {
                        Some(press) => none.insert(press),
                        None => continue,
                    },
                    None => return false,
                },
            };
            if press.frame(&mut frame) {
                break;
            }
            tones.press = None;
        }
        tones.deaf = DEAF_FRAMES;
        self.given = frame;
        self.speak(&Voice::narrow(&frame), now, wire);
        true
    }
}
