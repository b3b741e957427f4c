//! Blind transfer: whoever talks with the caller asks by REFER that somebody else do (RFC 3515,
//! RFC 5589 §5).
//!
//! The one who asked waits in silence until the target answers, and has the caller back if it does
//! not; having hung up meanwhile, it has not stopped the transfer, and a caller whom nobody takes
//! then goes back to the head of the queue. An attended transfer (a target that is a dialog) needs
//! calls of clerks' own and is declined.

use std::time::Duration;

use super::leg::{Leg, Other};
use super::{Call, Callee, Command, Doing, Timer, Told, TransferKind, TransferStep};
use crate::id::{LegId, SeatId};
use crate::media::Order;
use crate::routing::plan::Peer;
use crate::routing::reach::Reached;
use crate::time::{Instant, Now};

/// Declined transfers that are told of one call: whoever asks on and on fills no disk.
const DECLINED_MAX: u8 = 8;

/// One transfer, from its REFER to what became of it.
pub(super) struct Transfer {
    /// Who asked, until it hangs up.
    referrer: Option<Other>,
    leg: LegId,
    refer: u32,
    /// Where to, as the plan calls it.
    to: Reached,
    /// Since when the two had talked.
    talking_since: Instant,
    /// The referrer knows that it rings.
    rang: bool,
}

impl Transfer {
    /// The leg that waits.
    pub(super) fn referrer(&mut self) -> Option<&mut Leg> {
        self.referrer.as_mut().map(|other| &mut other.leg)
    }

    fn name(&self) -> String {
        match &self.to {
            Reached::Peer(peer) => peer.number.clone(),
            Reached::Seat(seat) => seat.to_string(),
            Reached::Group(group) => group.number.to_string(),
        }
    }
}

impl Call {
    pub(super) fn referred(&mut self, leg: LegId, refer: u32, target: String, attended: bool, now: Now) {
        let decline = |status| Command::RefuseRefer { leg, refer, status };
        if self.transfer.is_some() {
            return self.push(decline(491)); // One at a time.
        }
        let talks = self.other.as_ref().is_some_and(|other| other.leg.id == leg);
        let Doing::Talking { since } = self.doing else {
            return self.push(decline(if talks { 491 } else { 603 }));
        };
        // A caller is served here, and puts nobody through; nobody has two calls to join.
        let status = match self.plan.reach(&target) {
            _ if !talks || attended => 603,
            // Nothing that is only passed on goes on with anybody else: he may have no G.729.
            _ if self.caller.is_passed_on() => 603,
            Some(Reached::Seat(seat)) if self.is_with(&seat) => 603,
            Some(to) => return self.begin_transfer(to, refer, since, now),
            None => 403,
        };
        if self.declined < DECLINED_MAX {
            self.declined += 1;
            self.tell(Told::Transfer {
                to: target,
                kind: TransferKind::Blind,
                step: TransferStep::Declined(status),
            });
        }
        self.push(decline(status));
    }

    fn is_with(&self, seat: &SeatId) -> bool {
        self.other.as_ref().is_some_and(|other| matches!(&other.callee, Callee::Seat(with) if with == seat))
    }

    fn begin_transfer(&mut self, to: Reached, refer: u32, since: Instant, now: Now) {
        let Some(referrer) = self.other.take() else { return };
        let leg = referrer.leg.id;
        self.timers.cancel(Timer::ProbeOther);
        self.holding = (false, false);
        self.put_through = false;
        self.doing = Doing::Transferring;
        self.push(Command::AcceptRefer { leg, refer });
        self.push(Command::Sound(Order::Part { a: self.caller.id, b: leg }));
        if self.say(self.caller.id, &["transfer_wait".into()]).is_none() {
            self.play_ringback();
        }
        let transfer = Transfer {
            referrer: Some(referrer),
            leg,
            refer,
            to: to.clone(),
            talking_since: since,
            rang: false,
        };
        self.tell(Told::Transfer {
            to: transfer.name(),
            kind: TransferKind::Blind,
            step: TransferStep::Requested,
        });
        self.transfer = Some(transfer);
        match to {
            Reached::Peer(Peer { trunk, number, ring, .. }) => {
                self.timers.set(Timer::Ring, now.mono + ring);
                self.tell(Told::PeerDialled { trunk: trunk.clone(), number: number.clone() });
                self.call_out(Callee::Peer { trunk, number }, Duration::ZERO, now.mono);
            }
            Reached::Seat(seat) => self.push(Command::WantSeat { seats: vec![seat], beside: false }),
            Reached::Group(group) => {
                self.push(Command::WantSeat { seats: group.seats.clone(), beside: false });
            }
        }
    }

    pub(super) fn play_ringback(&mut self) {
        self.play_for_ever(&"ringback".into());
    }

    /// Whether a transfer to this seat is under way.
    pub(super) fn awaits(&self, seat: &SeatId) -> bool {
        self.transfer.as_ref().is_some_and(|transfer| match &transfer.to {
            Reached::Seat(awaited) => awaited == seat,
            Reached::Group(group) => group.seats.contains(seat),
            Reached::Peer(_) => false,
        })
    }

    /// Whether a transfer to any seat is.
    pub(super) fn wants_seat(&self) -> bool {
        self.transfer.as_ref().is_some_and(|transfer| !matches!(transfer.to, Reached::Peer(_)))
    }

    pub(super) fn seat_not_free(&mut self, now: Now) {
        if self.other.is_none() && self.wants_seat() {
            self.transfer_failed(486, now);
        }
    }

    /// The target said that it rings.
    pub(super) fn transfer_rings(&mut self, status: u16) {
        let Some(transfer) = &mut self.transfer else { return };
        let (leg, refer, to) = (transfer.leg, transfer.refer, transfer.name());
        let news = !std::mem::replace(&mut transfer.rang, true);
        self.push(Command::NotifyRefer { leg, refer, status });
        if news {
            self.tell(Told::Transfer { to, kind: TransferKind::Blind, step: TransferStep::Ringing });
        }
    }

    /// The target answered: whoever asked is told first, and then let go.
    pub(super) fn finish_transfer(&mut self, transfer: Transfer, now: Now) {
        self.put_through = !matches!(transfer.to, Reached::Peer(_));
        self.tell(Told::Transfer {
            to: transfer.name(),
            kind: TransferKind::Blind,
            step: TransferStep::Accepted,
        });
        self.push(Command::NotifyRefer { leg: transfer.leg, refer: transfer.refer, status: 200 });
        if let Some(referrer) = transfer.referrer {
            self.drop_other(referrer, now.mono.since(transfer.talking_since), false);
        }
    }

    /// The target did not take the caller; its leg is dropped. No transfer under way: nothing.
    pub(super) fn transfer_failed(&mut self, status: u16, now: Now) {
        let Some(transfer) = self.transfer.take() else { return };
        self.timers.cancel(Timer::Ring);
        let status = if (300..=699).contains(&status) { status } else { 408 };
        self.tell(Told::Transfer {
            to: transfer.name(),
            kind: TransferKind::Blind,
            step: TransferStep::Failed(status),
        });
        self.push(Command::NotifyRefer { leg: transfer.leg, refer: transfer.refer, status });
        if let Some(referrer) = transfer.referrer {
            let (a, b) = (self.caller.id, referrer.leg.id);
            self.other = Some(referrer);
            self.doing = Doing::Talking { since: transfer.talking_since };
            self.push(Command::Sound(Order::Bridge { a, b }));
            return self.mind_holding();
        }
        match self.queue.clone() {
            Some(queue) => {
                self.push(Command::Sound(Order::Quiet { leg: self.caller.id }));
                self.join_queue(queue, true);
                self.say(self.caller.id, &["seat_lost".into()]);
            }
            // A sub-center passed the caller on and left: as if it had not answered.
            None => self.advance(now),
        }
    }

    /// Who asked has hung up, as many telephones do after the 202: the transfer goes on.
    pub(super) fn referrer_left(&mut self, leg: LegId, vanished: bool, now: Now) {
        let Some(transfer) = self.transfer.as_mut().filter(|transfer| transfer.leg == leg) else { return };
        let talked = now.mono.since(transfer.talking_since);
        if let Some(referrer) = transfer.referrer.take() {
            self.drop_other(referrer, talked, vanished);
        }
    }

    /// The call ends in the middle of it.
    pub(super) fn give_up_transfer(&mut self, now: Now) {
        let Some(transfer) = self.transfer.take() else { return };
        self.tell(Told::Transfer {
            to: transfer.name(),
            kind: TransferKind::Blind,
            step: TransferStep::Failed(487),
        });
        self.push(Command::NotifyRefer { leg: transfer.leg, refer: transfer.refer, status: 487 });
        if let Some(referrer) = transfer.referrer {
            self.drop_other(referrer, now.mono.since(transfer.talking_since), false);
        }
    }
}
