//! Another dialog takes the place of a leg's (RFC 3891): the leg, its port and its part of the
//! recording stay; who signals for it and where its sound goes are new.

use std::net::IpAddr;

use super::negotiate::KeySeed;
use super::{Call, Command, Stage, Told};
use crate::id::LegId;
use crate::sip::sdp::Sdp;

impl Call {
    pub(super) fn replaced(&mut self, id: LegId, offer: Option<&Sdp>, peer: IpAddr, keys: Option<&KeySeed>) {
        let established = match &self.other {
            _ if id == self.caller.id => self.stage == Stage::Answered,
            Some(other) if other.leg.id == id => other.answered,
            _ => false, // Who has asked for a transfer waits for its end where it is.
        };
        let plan = self.plan.clone();
        let Some(leg) = self.leg_mut(id).filter(|leg| established && !leg.offering) else {
            return self.push(Command::RefuseTakeOver { leg: id, status: 481 });
        };
        let local = leg.local(&plan);
        let Ok(sdp) = leg.take_over(offer, local, peer, keys) else {
            return self.push(Command::RefuseTakeOver { leg: id, status: 488 });
        };
        leg.offering = offer.is_none(); // Then its sound follows with the ACK.
        let probe = self.probe_timer(id);
        self.timers.cancel(probe);
        self.push(Command::TakeOver { leg: id, sdp });
        self.tell(Told::Replaced { leg: id.index });
        if offer.is_some() {
            self.tune(id);
            self.mind_holding();
        }
    }
}
