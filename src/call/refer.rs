//! Transfer by REFER: whoever talks with the caller asks that somebody else do (RFC 3515, RFC 5589).
//!
//! The one who asked waits in silence until the target answers, and has the caller back if it does
//! not; having hung up meanwhile, it has not stopped the transfer, and a caller whom nobody takes
//! then goes back to the head of the queue. Nobody is put through to help in an emergency unheard: who
//! asks for that speaks with it first. A target that the clerk has on a call of their own is
//! [`attended`](super::attended)'s.

use super::third::{Standing, Third};
use super::{Call, Callee, Command, Doing, Other, Partner, Told, TransferKind, TransferStep};
use crate::id::{LegId, SeatId};
use crate::routing::reach::Reached;
use crate::time::Now;

/// Declined transfers that are told of one call: whoever asks on and on fills no disk.
const DECLINED_MAX: u8 = 8;

impl Call {
    pub(super) fn referred(
        &mut self,
        leg: LegId,
        refer: u32,
        target: String,
        attended: Option<Result<Partner, u16>>,
        now: Now,
    ) {
        let decline = |status| Command::RefuseRefer { leg, refer, status };
        if self.third.is_some() {
            return self.push(decline(491)); // One at a time.
        }
        if self.is_first_clerks(leg) {
            self.turn_round();
        }
        let talks = self.other.as_ref().is_some_and(|other| other.leg.id == leg);
        if self.doing != Doing::Talking {
            return self.push(decline(if talks { 491 } else { 603 }));
        }
        let kind = if attended.is_some() { TransferKind::Attended } else { TransferKind::Blind };
        let status = match (attended, self.plan.reach(&target)) {
            // A caller is served here, and puts nobody through.
            // Whom a clerk has called is no clerk.
            _ if !talks || self.clerk.is_some() => 603,
            // Nor does anybody else on whom the plan puts no trust.
            _ if !self.other.as_ref().is_some_and(|other| self.may_refer(other)) => 603,
            // Nothing that is only passed on goes on with anybody else: he may have no G.729.
            _ if self.caller.is_passed_on() => 603,
            (Some(Ok(partner)), _) => return self.join_partner(partner, (leg, refer), now),
            (Some(Err(status)), _) => status,
            (None, Some(Reached::Seat(seat))) if self.is_with(&seat) => 603,
            (None, Some(to)) if !self.is_open(&to, now) => 480,
            (None, Some(to)) => return self.accept_refer(to, (leg, refer), now),
            (None, None) => 403,
        };
        if self.declined < DECLINED_MAX {
            self.declined += 1;
            self.tell(Told::Transfer { to: target, kind, step: TransferStep::Declined(status), whom: None });
        }
        self.push(decline(status));
    }

    /// Whether who talks with the caller may put them through: a clerk or an expert of ours, and whom the plan
    /// itself names as a peer. Whoever was rung by a number that an adapter gave (the owner of a car), or came
    /// by a clerk's own call, is a stranger: a transfer of theirs would be in the caller's name, at our cost,
    /// to our seats and to 110 (RFC 3515 §5.1).
    fn may_refer(&self, other: &Other) -> bool {
        !other.relayed
            && match &other.callee {
                Callee::Seat(_) => true,
                Callee::Peer { number, .. } => self.plan.peer_of(number).is_some(),
            }
    }

    pub(super) fn is_with(&self, seat: &SeatId) -> bool {
        self.other.as_ref().is_some_and(|other| other.seat() == Some(seat))
    }

    fn accept_refer(&mut self, to: Reached, referral: (LegId, u32), now: Now) {
        let (leg, refer) = referral;
        self.push(Command::AcceptRefer { leg, refer });
        if self.keeps_clerk(&to) {
            let third = Third::new(to, TransferKind::Consult, Standing::Asked, Some(referral));
            return self.ask_third(third, now);
        }
        self.put_through = false;
        self.held = false;
        self.doing = Doing::Transferring;
        self.arrange(now);
        self.say_transferring();
        let third = Third::new(to, TransferKind::Blind, Standing::Asked, Some(referral));
        self.ask_third(third, now);
    }
}
