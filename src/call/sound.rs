//! What is known of how a call sounded: the figures of each leg, and what was missing while two talked.

use super::{Call, Callee, Missing, Side, Told};
use crate::id::LegId;
use crate::media::order::LegFigures;

/// Legs whose figures are waited for at a time; they come within milliseconds.
const PARTED_MAX: usize = 16;

impl Call {
    /// Something is missing in a leg's sound. Only while two talk is that a fault: what is early, on
    /// hold or hears music is not.
    pub(super) fn sound_missing(&mut self, leg: LegId, what: Missing) {
        if !self.is_heard(leg) {
            return;
        }
        let side = match (self.party(leg), &self.turned) {
            _ if leg == LegId::caller(self.id) => Side::Caller,
            (None, Some(turned)) if leg == self.caller.id => Side::Callee(turned.callee.clone()),
            (Some(party), _) => Side::Callee(party.callee.clone()),
            (None, _) => return,
        };
        self.tell(Told::Missing { leg: leg.index, side, what });
    }

    /// Whether figures of a leg that was closed are still on their way.
    pub(super) fn figures_are_due(&self) -> bool {
        !self.parted.is_empty() || self.first_sound.is_none()
    }

    /// A leg is let go of: its last figures are on their way.
    pub(super) fn await_figures(&mut self, leg: LegId, callee: &Callee) {
        if self.parted.len() < PARTED_MAX {
            self.parted.push((leg, callee.clone()));
        }
    }

    /// The figures of a leg, for the record: of the first one, for its end.
    pub(super) fn leg_closed(&mut self, leg: LegId, sound: LegFigures) {
        if leg == LegId::caller(self.id) {
            self.first_sound = Some(sound);
            return;
        }
        if let Some(at) = self.parted.iter().position(|(parted, _)| *parted == leg) {
            let (_, callee) = self.parted.swap_remove(at);
            self.tell(Told::LegClosed { leg: leg.index, callee, sound });
        }
    }
}
