//! A leg goes over to another group: to another phase, and perhaps to another thread's engine.
//!
//! It takes along all that its peer would notice: its stream's numbers, the source it believes, its
//! keys. It leaves what it heard; whom it is to hear at its new place is ordered there.

use super::engine::Engine;
use super::leg::{Hears, Leg};
use super::order::{Group, PortSlot};
use super::roster::phase_of;
use super::wire::Wire;
use crate::id::LegId;

/// A leg between two places.
pub struct Departed(Box<Leg>);

impl Departed {
    /// Which.
    pub fn leg(&self) -> LegId {
        self.0.id
    }

    /// Its sockets.
    pub fn slot(&self) -> PortSlot {
        self.0.config.slot
    }
}

impl std::fmt::Debug for Departed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Departed({})", self.0.id)
    }
}

impl Engine {
    /// Takes a leg out. `None`: it is gone.
    pub fn depart(&mut self, leg: LegId) -> Option<Departed> {
        let slot = self.slot_of(leg)?;
        self.hear(leg, Hears::Nothing);
        let mut leg = self.remove(slot)?;
        leg.recorded = false;
        Some(Departed(leg))
    }

    /// Takes in a leg, from this engine or another. Should its place be taken, it is lost: the
    /// switchboard lends a slot once.
    pub fn arrive(&mut self, departed: Departed, group: Group, wire: &mut impl Wire) {
        let Departed(mut leg) = departed;
        let (id, slot, place) = (leg.id, leg.config.slot, leg.config.slot.0 as usize);
        self.make_room(place);
        if self.legs[place].is_some() || self.slots.contains_key(&id) {
            return;
        }
        leg.config.group = group;
        if let Some(source) = leg.latch.locked() {
            wire.lock(slot, Some(source));
        }
        self.legs[place] = Some(leg);
        self.slots.insert(id, slot);
        let phase = phase_of(group);
        self.serve.add(slot, phase);
        self.read.add(slot, phase);
        self.mark_halves(slot);
        self.settle(slot);
    }
}
