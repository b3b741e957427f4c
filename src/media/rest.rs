//! Legs that need not be served in each turn: nothing is decoded of them, and what they hear comes
//! by relay or not at all.
//!
//! A turn touches a dozen cold lines of a leg's memory, which was a twelfth of what a relayed call
//! cost. Their silence is watched for, and their reports leave, in every [`REST_TURNS`]th turn.

use super::engine::Engine;
use super::leg::Hears;
use super::order::PortSlot;

/// Turns of 20 ms from one to the next in which a resting leg is served: 80 ms.
const REST_TURNS: u32 = 4;

impl Engine {
    /// Whether `slot` may be passed over in this `turn` of its phase.
    pub(super) fn rests(&self, slot: PortSlot, turn: u32) -> bool {
        self.resting.get(slot.0 as usize).is_some_and(|resting| *resting)
            && !turn.wrapping_add(slot.0).is_multiple_of(REST_TURNS)
    }

    /// Something changed: it is served in each turn until it is seen to rest.
    pub(super) fn wake(&mut self, slot: PortSlot) {
        if let Some(resting) = self.resting.get_mut(slot.0 as usize) {
            *resting = false;
        }
    }

    /// After its turn: whether it rests from now on.
    pub(super) fn see_whether_it_rests(&mut self, slot: PortSlot) {
        let rests = self.leg(slot).is_some_and(|leg| {
            let nothing_comes = match leg.hears {
                Hears::Nothing => true,
                Hears::Leg(partner) => self.leg(partner).is_none_or(|partner| partner.relayed),
                Hears::Sounds(_) | Hears::Conference(_) => false,
            };
            nothing_comes && !leg.decoded && !leg.recorded && !leg.has_more_to_send()
        });
        if let Some(resting) = self.resting.get_mut(slot.0 as usize) {
            *resting = rests;
        }
    }
}
