//! A short tone to all who talk when a third party joins them, or when one of three leaves, where the plan
//! wants that. It is said to each of them like anything else: they hear it out, and then one another again.

use super::keys::WORDS_MAX;
use super::third::Standing;
use super::{Call, Timer};
use crate::id::LegId;
use crate::time::Now;

impl Call {
    /// Whether three talk.
    pub(super) fn are_three(&self) -> bool {
        self.third.as_ref().is_some_and(|third| third.standing == Standing::Merged)
    }

    /// The third has joined the two.
    pub(super) fn chime_join(&mut self, now: Now) {
        self.chime(self.plan.three_way.tones.of_joining(), now);
    }

    /// One of three has left the others.
    pub(super) fn chime_leave(&mut self, now: Now) {
        self.chime(self.plan.three_way.tones.of_leaving(), now);
    }

    /// Before [`Call::arrange`], so that nobody is joined for the moment before the tone. Who is told something
    /// already, or cannot be, is left alone.
    fn chime(&mut self, tone: Option<&'static str>, now: Now) {
        let Some(tone) = tone else { return };
        for leg in self.listeners() {
            if self.say(leg, &[tone.into()]).is_some() {
                self.timers.set(Timer::Words(leg.index), now.mono + WORDS_MAX);
            }
        }
    }

    /// Legs of all who are on the call and can be told something now.
    fn listeners(&self) -> Vec<LegId> {
        let third = self.third.as_ref().and_then(|third| third.party.as_ref()).filter(|_| self.are_three());
        let parties = self.other.iter().chain(third).map(|party| &party.leg);
        let caller = Some(&self.caller).filter(|_| !self.goes_on_alone());
        let all = caller.into_iter().chain(parties);
        let free = all.filter(|leg| leg.is_open() && !leg.is_holding() && !leg.is_passed_on());
        free.map(|leg| leg.id).filter(|leg| !self.is_told(*leg)).collect()
    }
}
