//! A caller who left the offer to us and takes provisional answers reliably: ours goes out before
//! the answer, and its PRACK brings theirs (RFC 3262 §5).

use super::negotiate::Taste;
use super::{Call, Command, Doing, Ending, Stage};
use crate::id::LegId;
use crate::media::Order;
use crate::sip::sdp::Sdp;
use crate::time::Now;

impl Call {
    /// Offers sound before the answer. Says whether it can: [`Call::agreed`] follows.
    pub(super) fn offer_early(&mut self) -> bool {
        let may = self.reliable && self.stage == Stage::Ringing && self.caller.described().is_none();
        if may {
            self.caller.offering = true;
            let local = self.caller.local(&self.plan);
            let sdp = self.caller.make_offer(local, Taste::default());
            self.push(Command::Progress { status: 183, sdp: Some(sdp) });
        }
        may
    }

    /// The PRACK for our early offer is here, with the answer.
    pub(super) fn agreed(&mut self, leg: LegId, sdp: Option<&Sdp>, now: Now) {
        if leg != self.caller.id || !self.caller.offering {
            return;
        }
        if self.stage != Stage::Ringing {
            // The flow was faster: our 200 waited for this PRACK, which is as good as its ACK.
            return self.confirmed(leg, sdp, now);
        }
        self.caller.offering = false;
        if sdp.is_none_or(|sdp| self.caller.take_answer(sdp).is_err()) {
            return self.end(Ending::Refused(488), now);
        }
        self.tune(leg);
        match &self.doing {
            Doing::AwaitingPrack { prompt } => {
                let prompt = prompt.clone();
                self.doing = Doing::Stepping;
                self.announce(&[prompt]);
                if self.doing == Doing::Stepping {
                    self.advance(now);
                }
            }
            Doing::Dialling => {
                if let Some(other) = self.other.as_ref().filter(|other| other.leg.is_open()) {
                    self.push(Command::Sound(Order::Bridge { a: leg, b: other.leg.id }));
                }
            }
            _ => {}
        }
    }
}
