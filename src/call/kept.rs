//! A caller's place in the queue is kept while they hang up: offered after a while, taken by a key.
//!
//! Whether there is anybody to call back, and a place to keep, is for the switchboard and the queue to say.

use std::time::Duration;

use super::{Call, Command, Doing, Timer};
use crate::time::Now;

/// While a seat rings nothing is offered: afterwards, perhaps.
const AGAIN: Duration = Duration::from_secs(10);
/// Said while the caller waits.
const OFFER: &str = "callback_offer";
/// Said to who took it; then we hang up.
const KEPT: &str = "callback_kept";

/// The offer to one caller in this wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// What takes it.
    key: char,
    /// The caller knows of it.
    said: bool,
}

impl Call {
    /// The queue keeps places for those who press `key`, offered after so long.
    pub(super) fn may_keep_place(&mut self, after: Duration, key: char, now: Now) {
        if self.doing == Doing::Queueing {
            self.keeping = Some(Offer { key, said: false });
            self.timers.set(Timer::KeepOffer, now.mono + after);
        }
    }

    pub(super) fn offer_to_keep(&mut self, now: Now) {
        if self.doing != Doing::Queueing || self.keeping.is_none() {
            return;
        }
        if self.is_rung_for() {
            return self.timers.set(Timer::KeepOffer, now.mono + AGAIN);
        }
        // Without the words nobody knows what the key does.
        let said = self.say(self.caller.id, &[OFFER.into()]).is_some();
        if let Some(offer) = &mut self.keeping {
            offer.said = said;
        }
    }

    /// A key while waiting. One who is about to be answered keeps no place.
    pub(super) fn waiting_pressed(&mut self, digit: char) {
        let taken = self.keeping.is_some_and(|offer| offer.said && offer.key == digit);
        if taken && !self.is_rung_for() {
            self.push(Command::KeepPlace);
        }
    }

    /// The place is kept, and the queue goes on with it; or it is not, and the caller waits on.
    pub(super) fn place_kept(&mut self, kept: bool, now: Now) {
        if self.doing == Doing::Queueing && kept {
            self.keeping = None;
            self.part_with(KEPT, now);
        }
    }

    /// Whether seats ring for the caller, or one is about to talk with them.
    fn is_rung_for(&self) -> bool {
        self.other.is_some() || !self.ringing.is_empty()
    }
}
