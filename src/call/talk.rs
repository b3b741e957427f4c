//! Two people on one call: the seat's number first, then the bridge, hold, and who leaves when.

use std::net::IpAddr;
use std::time::Duration;

use super::negotiate::KeySeed;
use super::{Call, Command, Doing, Ending, GREETING_MAX, SEATS_LOST_MAX, Stage, Timer, Told};
use crate::id::{LegId, SeatId};
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
        if self.is_bots(leg) {
            return self.bot_port(slot, now);
        }
        let taste = self.taste_for_other();
        let plan = self.plan.clone();
        match (self.party_mut(leg), slot) {
            (Some(party), Some(slot)) if !party.invited => {
                party.leg.slot = slot;
                (party.leg.peer, party.leg.ip) = (peer, ours);
                if !party.leg.signals_by(keys) {
                    // Its sound has to be encrypted, and its keys would be told in the clear.
                    self.push(Command::FreePort { slot });
                    return self.other_refused(leg, 488, now);
                }
                party.invited = true;
                let local = party.leg.local(&plan);
                // The caller's codec first, in packets as long: what is equal can be relayed.
                let offer = party.leg.make_offer(local, taste);
                let callee = party.callee.clone();
                let adopted = party.adopted;
                self.push(match adopted {
                    true => Command::Reoffer { leg, offer },
                    false => Command::Invite { leg, callee, offer },
                });
            }
            (Some(_), None) => self.other_refused(leg, 503, now),
            (_, Some(slot)) => self.push(Command::FreePort { slot }),
            (_, None) => {}
        }
    }

    pub(super) fn other_is(&self, leg: LegId) -> bool {
        self.other.as_ref().is_some_and(|other| other.leg.id == leg)
    }

    /// Whoever we called picked up.
    pub(super) fn other_answered(&mut self, leg: LegId, sdp: Option<&Sdp>, now: Now) {
        let Some(party) = self.party_mut(leg).filter(|party| !party.answered) else { return };
        if party.leg.take_final(sdp).is_err() {
            // An answer that we cannot take ends that leg (RFC 3261 §13.2.2.4), as if it had refused.
            return self.other_refused(leg, 488, now);
        }
        party.answered = true;
        let waited = party.waited + now.mono.since(party.rings_since);
        self.tune(leg);
        if self.third_is(leg) {
            self.third_answered(waited, now);
        } else if self.other_is(leg) {
            self.peer_answered(now);
        } else if self.doing == Doing::Queueing {
            self.first_picked_up(leg, now);
        }
    }

    /// A seat that is `other` now picked up.
    pub(super) fn seat_answered(&mut self, seat: SeatId, waited: Duration, now: Now) {
        if let Some(other) = &mut self.other {
            other.joined = true;
        }
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
        let Some(other) = &mut self.other else { return };
        other.met.get_or_insert(now.mono);
        let (leg, is_seat) = (other.leg.id, other.seat().is_some());
        self.clerk_talked |= is_seat;
        self.forget_keys();
        self.doing = Doing::Talking;
        // What was heard before the answer was no talk: from here on what is missing in it is told.
        self.ears.forget(self.caller.id);
        self.ears.forget(leg);
        self.arrange(now);
        self.give_notice(now);
        if is_seat {
            self.push(Command::Bridged);
        }
    }

    /// re-INVITE: hold, resume, another address, another codec. One that says what the last one said
    /// is answered, and the sound goes on untouched.
    pub(super) fn reoffered(&mut self, id: LegId, offer: Option<&Sdp>, now: Now) {
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
                    self.arrange(now);
                }
            }
            // The session goes on as it was (RFC 3261 §14.2).
            (Err(why), _) => self.push(Command::RefuseDescription { leg: id, why }),
            (Ok(_), None) => self.push(Command::RefuseOffer { leg: id, status: 488 }),
        }
    }

    /// Our INVITE failed: a seat's place goes to the next, a peer's flow goes on.
    pub(super) fn other_refused(&mut self, leg: LegId, status: u16, now: Now) {
        if self.third_is(leg) {
            self.third_not_reached(status, now);
        } else if let Some(other) = self.other.take_if(|other| other.leg.id == leg) {
            let peer = other.peer();
            self.drop_other(other, false, now);
            if let Some((trunk, number)) = peer {
                self.peer_failed(trunk, number, status, now);
            }
        } else {
            self.ringing_failed(leg, status, now);
        }
    }

    /// Somebody whom we called is gone; the caller is not.
    pub(super) fn party_left(&mut self, leg: LegId, vanished: bool, now: Now) {
        match self.party(leg).map(|party| party.answered) {
            None => {}
            Some(false) => self.other_refused(leg, 480, now),
            Some(true) if self.third_is(leg) => self.third_left(vanished, now),
            Some(true) if self.other_is(leg) => self.other_left(vanished, now),
            Some(true) => self.ringing_failed(leg, 480, now), // One in reserve.
        }
    }

    /// The clerk or peer who talked is gone.
    pub(super) fn other_left(&mut self, vanished: bool, now: Now) {
        match &self.doing {
            _ if self.goes_on_alone() => {
                if let Some(other) = self.other.take() {
                    self.drop_other(other, vanished, now);
                }
                return self.end(Ending::OtherHungUp, now);
            }
            // As many telephones do after the 202 to their REFER: the transfer goes on.
            Doing::Transferring => {
                if let Some(asker) = self.other.take() {
                    self.drop_other(asker, vanished, now);
                }
                return;
            }
            Doing::Talking if self.third.is_some() => return self.asker_leaves(vanished, now),
            _ => {}
        }
        let Some(other) = self.other.take() else { return };
        self.timers.cancel(Timer::Introduction);
        self.timers.cancel(Timer::Hold);
        self.held = false;
        let (met, peer, began) = (other.met.is_some(), other.peer(), other.began);
        self.drop_other(other, vanished, now);
        if began {
            // As if it were on the first leg still.
            return self.end(if vanished { Ending::CallerVanished } else { Ending::CallerHungUp }, now);
        }
        if let (Some((trunk, number)), Stage::Ringing) = (&peer, self.stage) {
            // It picked up and left before the record let us answer: nobody has talked yet.
            return self.peer_failed(trunk.clone(), number.clone(), 480, now);
        }
        self.hush();
        if self.stage != Stage::Answered || peer.is_some() && !self.clerk_talked {
            return self.end(Ending::OtherHungUp, now);
        }
        if !met && !self.ringing.is_empty() {
            return self.others_ring_on(now);
        }
        // Whoever has not been spoken with is owed a person, not a question about one.
        let lost = peer.is_none() && (vanished || !met);
        match (lost, self.queue.clone()) {
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
