//! Two people on one call: the seat's number first, then the bridge, hold, and who leaves when.

use std::net::IpAddr;
use std::time::Duration;

use super::leg::Other;
use super::negotiate::KeySeed;
use super::{Call, Callee, Command, Doing, Ending, GREETING_MAX, SEATS_LOST_MAX, Stage, Timer, Told};
use crate::id::{LegId, SeatId};
use crate::media::Order;
use crate::media::order::PortSlot;
use crate::routing::plan::{SeatGreeting, Step};
use crate::routing::speech;
use crate::sip::sdp::Sdp;
use crate::time::Now;

impl Call {
    /// The INVITE can leave: its description has a port.
    pub(super) fn port_given(
        &mut self,
        leg: LegId,
        slot: Option<PortSlot>,
        (peer, ours): (IpAddr, IpAddr),
        keys: Option<&KeySeed>,
        now: Now,
    ) {
        let taste = self.taste_for_other();
        match (&mut self.other, slot) {
            (Some(other), Some(slot)) if other.leg.id == leg && !other.invited => {
                other.leg.slot = slot;
                (other.leg.peer, other.leg.ip) = (peer, ours);
                if !other.leg.signals_by(keys) {
                    // Its sound has to be encrypted, and its keys would be told in the clear.
                    self.push(Command::FreePort { slot });
                    return self.other_refused(leg, 488, now);
                }
                other.invited = true;
                let local = other.leg.local(&self.plan);
                // The caller's codec first, in packets as long: what is equal can be relayed.
                let offer = other.leg.make_offer(local, taste);
                let callee = other.callee.clone();
                self.push(Command::Invite { leg, callee, offer });
            }
            (Some(other), None) if other.leg.id == leg => self.other_refused(leg, 503, now),
            (_, Some(slot)) => self.push(Command::FreePort { slot }),
            (_, None) => {}
        }
    }

    fn other_is(&self, leg: LegId) -> bool {
        self.other.as_ref().is_some_and(|other| other.leg.id == leg)
    }

    /// Whoever we called picked up.
    pub(super) fn other_answered(&mut self, leg: LegId, sdp: Option<&Sdp>, now: Now) {
        let Some(other) = self.other.as_mut().filter(|other| other.leg.id == leg) else { return };
        other.answered = true;
        let agreed = other.leg.take_final(sdp).is_ok();
        let callee = other.callee.clone();
        let waited = other.waited + now.mono.since(other.rings_since);
        if !agreed {
            // An answer that we cannot take ends that leg (RFC 3261 §13.2.2.4), as if it had refused.
            if let Some(other) = &mut self.other {
                other.answered = false;
            }
            return self.other_refused(leg, 488, now);
        }
        self.tune(leg);
        if let Some(transfer) = self.transfer.take() {
            self.finish_transfer(transfer, now);
        }
        match callee {
            Callee::Seat(seat) => self.seat_answered(seat, waited, now),
            Callee::Peer { .. } => self.peer_answered(now),
        }
    }

    fn seat_answered(&mut self, seat: SeatId, waited: Duration, now: Now) {
        self.push(Command::SeatAnswered { seat: seat.clone() });
        self.tell(Told::SeatAnswered { seat: seat.clone(), waited });
        let words = match self.plan.seat_greeting {
            SeatGreeting::Both => speech::seat_greeting(&seat),
            SeatGreeting::Silent => Vec::new(),
        };
        let seat_leg = self.other.as_ref().map(|other| other.leg.id);
        let caller = self.say(self.caller.id, &words);
        let seat = seat_leg.and_then(|leg| self.say(leg, &words));
        if caller.is_none() && seat.is_none() {
            return self.introduced(now);
        }
        self.timers.set(Timer::Introduction, now.mono + GREETING_MAX);
        self.doing = Doing::Introducing { caller, seat };
    }

    /// Both know who talks; now they do.
    pub(super) fn introduced(&mut self, now: Now) {
        self.timers.cancel(Timer::Introduction);
        self.bridge(now);
    }

    pub(super) fn bridge(&mut self, now: Now) {
        if self.other.is_none() {
            return;
        }
        self.doing = Doing::Talking { since: now.mono };
        self.notice_broken();
        self.connect_two();
        self.mind_holding();
        self.give_notice(now);
    }

    /// re-INVITE: hold, resume, another address, another codec. One that says what the last one said
    /// is answered, and the sound goes on untouched.
    pub(super) fn reoffered(&mut self, id: LegId, offer: Option<&Sdp>) {
        let plan = self.plan.clone();
        let Some(leg) = self.leg_mut(id) else {
            return self.push(Command::RefuseOffer { leg: id, status: 481 });
        };
        let (local, taste) = (leg.local(&plan), leg.taste());
        let Some(offer) = offer else {
            leg.offering = true;
            let sdp = leg.make_offer(local, taste);
            return self.push(Command::AnswerOffer { leg: id, sdp });
        };
        match (leg.take_offer(offer, local, taste), leg.described().cloned()) {
            (Ok(changes), Some(sdp)) => {
                leg.unsent = None;
                self.push(Command::AnswerOffer { leg: id, sdp });
                if changes {
                    self.tune(id);
                    self.mind_holding();
                }
            }
            // The session goes on as it was (RFC 3261 §14.2).
            (Err(why), _) => self.push(Command::RefuseDescription { leg: id, why }),
            (Ok(_), None) => self.push(Command::RefuseOffer { leg: id, status: 488 }),
        }
    }

    /// While one of two who talk holds, the other hears music and nothing leaks.
    pub(super) fn mind_holding(&mut self) {
        let Doing::Talking { .. } = self.doing else {
            self.mind_watcher();
            return self.mind_member();
        };
        let Some(other) = &self.other else { return };
        let (a, b) = (self.caller.id, other.leg.id);
        let holding = (self.caller.is_holding(), other.leg.is_holding());
        if std::mem::replace(&mut self.holding, holding) == holding {
            return;
        }
        self.notice_broken();
        let Some(other) = &self.other else { return };
        let waits = match holding {
            (false, false) => return self.connect_two(),
            (true, true) => None,
            (true, false) => Some(b),
            (false, true) => Some(a),
        };
        let waits = waits.filter(|_| !other.leg.is_passed_on()); // Music is not spoken in G.729.
        self.push(Command::Sound(Order::Part { a, b }));
        if let (Some(leg), Some(music)) = (waits, self.music()) {
            self.loop_to(leg, &music);
        }
    }

    /// Our INVITE failed: a seat's place goes to the next, a peer's flow goes on.
    pub(super) fn other_refused(&mut self, leg: LegId, status: u16, now: Now) {
        if !self.other_is(leg) {
            return;
        }
        let Some(other) = self.other.take() else { return };
        let callee = other.callee.clone();
        self.drop_other(other, Duration::ZERO, false);
        self.not_reached(callee, status, now);
    }

    fn not_reached(&mut self, callee: Callee, status: u16, now: Now) {
        match callee {
            Callee::Seat(seat) => {
                self.push(Command::OfferFailed { seat, status });
                self.transfer_failed(status, now);
            }
            Callee::Peer { trunk, number } => self.peer_failed(trunk, number, status, now),
        }
    }

    /// The clerk or peer is gone; the caller is not.
    pub(super) fn other_left(&mut self, vanished: bool, now: Now) {
        let Some(other) = self.other.take() else { return };
        self.timers.cancel(Timer::ProbeOther);
        self.timers.cancel(Timer::Introduction);
        self.holding = (false, false);
        if !other.answered {
            let callee = other.callee.clone();
            self.drop_other(other, Duration::ZERO, false);
            return self.not_reached(callee, 480, now);
        }
        let (met, talked) = match self.doing {
            Doing::Talking { since } => (true, now.mono.since(since)),
            _ => (false, Duration::ZERO),
        };
        let peer = other.peer();
        let was_seat = peer.is_none();
        self.drop_other(other, talked, vanished);
        if let (Some((trunk, number)), Stage::Ringing) = (peer, self.stage) {
            // It picked up and left before the record let us answer: nobody has talked yet.
            return self.peer_failed(trunk, number, 480, now);
        }
        self.push(Command::Sound(Order::Quiet { leg: self.caller.id }));
        if !was_seat || self.stage != Stage::Answered {
            return self.end(Ending::OtherHungUp, now);
        }
        // Whoever has not been spoken with is owed a person, not a question about one.
        match (vanished || !met, self.queue.clone()) {
            (true, Some(_)) if self.seats_lost >= SEATS_LOST_MAX => {
                // Whatever is wrong with those telephones, the caller does not go round for ever.
                self.go_on_unserved(now);
            }
            (true, Some(queue)) => {
                self.seats_lost += 1;
                self.join_queue(queue, true);
                self.say(self.caller.id, &["seat_lost".into()]);
            }
            _ if self.steps.front() == Some(&Step::Survey) => {
                self.steps.truncate(1);
                self.advance(now);
            }
            _ => self.end(Ending::OtherHungUp, now),
        }
    }
}

impl Other {
    /// Whether this is the leg of a peer, and which.
    pub(super) fn peer(&self) -> Option<(crate::id::TrunkId, String)> {
        match &self.callee {
            Callee::Peer { trunk, number } => Some((trunk.clone(), number.clone())),
            Callee::Seat(_) => None,
        }
    }
}
