//! Another dialog takes the place of a leg's (RFC 3891): the leg, its port and its part of the
//! recording stay; who signals for it and where its sound goes are new.

use std::net::IpAddr;

use super::negotiate::KeySeed;
use super::{Call, Command, Doing, Timer, Told};
use crate::id::LegId;
use crate::sip::sdp::Sdp;
use crate::time::Now;

impl Call {
    pub(super) fn replaced(
        &mut self,
        id: LegId,
        offer: Option<&Sdp>,
        peer: IpAddr,
        keys: Option<&KeySeed>,
        now: Now,
    ) {
        // Who has asked for a transfer waits for its end where it is.
        let waits = self.doing == Doing::Transferring && self.other_is(id);
        let established = self.is_established(id) && !waits;
        let plan = self.plan.clone();
        let Some(leg) = self.leg_mut(id).filter(|leg| established && !leg.offering) else {
            return self.push(Command::RefuseTakeOver { leg: id, status: 481 });
        };
        let local = leg.local(&plan);
        let Ok(sdp) = leg.take_over(offer, local, peer, keys) else {
            return self.push(Command::RefuseTakeOver { leg: id, status: 488 });
        };
        leg.offering = offer.is_none(); // Then its sound follows with the ACK.
        self.timers.cancel(Timer::Probe(id.index));
        self.push(Command::TakeOver { leg: id, sdp });
        self.tell(Told::Replaced { leg: id.index });
        if offer.is_some() {
            self.tune(id);
            self.arrange(now);
        }
    }
}
