//! Sound that is passed on from leg to leg as it is: where that can be, and the caller's answer, which
//! waits for what the other leg speaks.
//!
//! G.729 is never decoded here. It can be agreed on where a peer is dialled before the caller is
//! answered and the call is not recorded: a sub-center of a city that does not record, a load tool's
//! line. Whoever may yet have to be spoken to has a codec of ours, too: a caller with G.729 alone could
//! not be told that nobody answers there, and is refused.

use super::leg::Leg;
use super::negotiate::{self, G729, Local, Taste};
use super::{Call, Doing, Stage};
use crate::media::order::Codec;

impl Call {
    /// What the other leg is offered first: what the caller has, so that packets can be relayed.
    pub(super) fn taste_for_other(&self) -> Taste {
        let mut taste = self.caller.taste();
        let before_the_answer = self.stage == Stage::Ringing && self.doing == Doing::Dialling;
        // Only a peer is dialled; whoever else is called may have to be spoken to.
        let spoken_to = !before_the_answer;
        taste.g729 = G729::between(self.caller.offers_g729(), self.record, spoken_to);
        if taste.g729 != G729::No && self.caller.prefers_g729() {
            taste.codec = Some(Codec::G729);
        }
        taste
    }

    /// The caller's answer is about to go out: it is made anew with what the other leg speaks.
    pub(super) fn settle_caller(&mut self) {
        let spoken = self.other.as_ref().filter(|other| other.leg.is_agreed()).map(|other| other.leg.taste());
        let local = self.caller.local(&self.plan);
        self.caller.settle(spoken, local);
    }
}

impl Leg {
    /// Whether its sound is passed on and never decoded: it hears nothing of ours.
    pub(super) fn is_passed_on(&self) -> bool {
        self.codec() == Some(Codec::G729)
    }

    /// Whether an offer that is not answered yet has G.729, and then whether with Annex B.
    fn offers_g729(&self) -> Option<bool> {
        let offer = self.unsent.as_ref().filter(|_| self.terms.codecs.contains(&Codec::G729))?;
        negotiate::offers_g729(offer)
    }

    /// Whether the operator would rather have G.729 than what was chosen for now.
    fn prefers_g729(&self) -> bool {
        let place = |wanted| self.terms.codecs.iter().position(|codec| *codec == wanted);
        let chosen = self.codec().and_then(place);
        place(Codec::G729).is_some_and(|own| chosen.is_none_or(|chosen| own < chosen))
    }

    fn settle(&mut self, other: Option<Taste>, local: Local) {
        let (Some(offer), Some(taste)) = (self.unsent.take(), other) else { return };
        let chosen_for_now = (self.described.take(), self.agreed.take());
        if self.take_offer(&offer, local, taste).is_err() {
            (self.described, self.agreed) = chosen_for_now;
        }
    }
}
