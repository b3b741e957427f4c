//! Conferences in the engine: orders about them, and their turn in the tick.
//!
//! Who is a member and what each hears is [`super::conference`]'s.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::conference::Mixed;
use super::engine::Engine;
use super::leg::Hears;
use super::order::{ConferenceId, Fact, Rights};
use crate::id::LegId;

impl Engine {
    /// A leg becomes a member, in place of what it heard, or has other rights from now on.
    pub(super) fn join(&mut self, id: LegId, conference: ConferenceId, rights: Rights) {
        let Some(slot) = self.slot_of(id) else { return };
        if let Some(Hears::Conference(place)) = self.leg(slot).map(|leg| &leg.hears)
            && self.conferences.is_at(conference, *place)
        {
            let place = *place;
            return self.conferences.change(place, slot, rights);
        }
        self.hear(id, Hears::Nothing);
        let Some(leg) = self.legs.get_mut(slot.0 as usize).and_then(|leg| leg.as_deref_mut()) else { return };
        match self.conferences.join(conference, leg, rights) {
            Ok(place) => {
                leg.hears = Hears::Conference(place);
                leg.mixed = Mixed::Nothing; // Until the tick.
                let was_relayed = leg.left.is_some_and(|left| left.relayed);
                self.settle(slot);
                let leg = self.leg_mut(slot).filter(|_| was_relayed);
                if let Some(decoder) = leg.and_then(|leg| leg.decoder.as_mut()) {
                    decoder.go_on();
                }
            }
            Err(why) => self.facts.push_back(Fact::NotJoined { leg: id, conference, why }),
        }
    }

    /// All conferences of the phase; a fault at one member's turn costs that member.
    pub(super) fn mix(&mut self, phase: usize) {
        let mut index = 0;
        while let Some(place) = self.conferences.due(phase).get(index).copied() {
            let Engine { conferences, legs, .. } = self;
            if catch_unwind(AssertUnwindSafe(|| conferences.mix(place, legs))).is_ok() {
                index += 1;
                continue;
            }
            match self.conferences.take_at_hand().filter(|slot| self.leg(*slot).is_some()) {
                Some(slot) => self.fail(slot), // And again without it: it has left.
                None => index += 1,
            }
        }
    }

    /// How many conferences have members.
    pub fn conferences(&self) -> usize {
        self.conferences.len()
    }
}
