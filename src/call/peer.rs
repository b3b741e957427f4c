//! A call out to somebody behind a trunk: a sub-center, or a bench's target.

use std::net::IpAddr;
use std::time::Duration;

use super::outward::passed_on;
use super::{Call, Callee, Command, Doing, Ending, Stage, Timer, Told};
use crate::id::{LegId, PromptId, TrunkId};
use crate::media::Order;
use crate::routing::plan::{Peer, Step, TicketReason};
use crate::sip::Clearing;
use crate::sip::sdp::Sdp;
use crate::time::Now;

impl Call {
    pub(super) fn dial(&mut self, peer: Peer, ticket: bool, words: Option<PromptId>, now: Now) {
        self.on_failure = (ticket, words);
        self.timers.set(Timer::Ring, now.mono + peer.ring);
        self.tell(Told::PeerDialled { trunk: peer.trunk.clone(), number: peer.number.clone() });
        self.doing = Doing::Dialling;
        // Whoever was told something before has our sound in their ear, and hears no ringing of their own.
        if self.stage == Stage::Answered || self.caller.is_open() {
            self.play_for_ever(&"ringback".into());
        }
        let callee = Callee::Peer { trunk: peer.trunk, number: peer.number };
        self.other = Some(self.call_out(callee, Duration::ZERO, now.mono));
    }

    /// The INVITE goes by another trunk than it was given, or to another of its hops: what is said of
    /// the peer from now on names that one, and sound is believed from there. A number that the peer named
    /// instead of its own is told as one that was dialled; to the call it is the same peer.
    pub(super) fn other_routed(&mut self, leg: LegId, (by, moved): (TrunkId, Option<String>), peer: IpAddr) {
        let Some(party) = self.party_mut(leg) else { return };
        party.leg.peer = peer;
        let Callee::Peer { trunk, number } = &mut party.callee else { return };
        if *trunk != by || moved.is_some() {
            let number = moved.unwrap_or_else(|| number.clone());
            trunk.clone_from(&by);
            self.tell(Told::PeerDialled { trunk: by, number });
        }
    }

    /// It rings over there. A peer's own early sound (its menu, its ringing) reaches a caller who
    /// is not answered yet as early media of ours (RFC 3960 §3.2: the gateway model).
    pub(super) fn other_progressed(&mut self, leg: LegId, sdp: Option<&Sdp>, now: Now) {
        if self.third_is(leg) {
            return self.third_progressed(sdp, now);
        }
        let dialled = self.doing == Doing::Dialling && self.other_is(leg);
        let Some(other) = self.party_mut(leg) else { return };
        // Kept of a seat, too: the 2xx after a reliable response has no description (RFC 3262 §5).
        let heard = sdp.map(|sdp| other.leg.take_early(sdp));
        if !dialled {
            return;
        }
        // What can only be passed on would bind the caller to it, and the next telephone of a fork, or we
        // ourselves if nobody answers, may have to be heard: that sound begins with the answer.
        let (passed_on, heard_already) = (other.leg.is_passed_on(), other.leg.is_open());
        let Some(heard) = heard.filter(|_| !passed_on) else {
            if self.stage == Stage::Ringing && !heard_already {
                self.push(Command::Progress { status: 180, sdp: None });
            }
            return;
        };
        if !heard.is_ok_and(|changes| changes) {
            return;
        }
        self.tune(leg);
        if heard_already {
            return;
        }
        self.settle_caller();
        match (self.stage, self.caller.described().cloned()) {
            (Stage::Ringing, Some(described)) => {
                self.push(Command::Progress { status: 183, sdp: Some(described) });
                self.tune(self.caller.id);
            }
            (Stage::Answered, _) => {}
            _ => {
                self.offer_early(); // Its PRACK makes the bridge.
                return;
            }
        }
        self.push(Command::Sound(Order::Bridge { a: self.caller.id, b: leg }));
    }

    pub(super) fn peer_answered(&mut self, now: Now) {
        self.timers.cancel(Timer::Ring);
        if let Some(other) = &mut self.other {
            other.joined = true;
        }
        if self.service.is_begun() {
            self.service.leave();
            self.service.message = None; // It can be said to them.
        }
        if let Some((trunk, number)) = self.other.as_ref().and_then(super::Other::peer) {
            self.tell(Told::PeerAnswered { trunk, number });
        }
        match (self.stage, self.written) {
            (Stage::Ringing, None) => {
                self.timers.set(Timer::Record, now.mono + self.plan.limits.durable_wait)
            }
            _ => self.join_answered_peer(now),
        }
    }

    /// The peer has answered and the record is written, or its bound is over: now the caller is answered.
    pub(super) fn join_answered_peer(&mut self, now: Now) {
        if !self.other.as_ref().is_some_and(|other| other.answered) {
            return;
        }
        self.answer_caller(self.written.unwrap_or(false), now);
        if self.caller.offering {
            return; // The ACK brings the caller's address; `caller_can_hear` follows.
        }
        self.bridge(now);
    }

    /// A caller with a late offer can hear at last.
    pub(super) fn caller_can_hear(&mut self, now: Now) {
        if self.doing == Doing::Dialling && self.other.as_ref().is_some_and(|other| other.answered) {
            self.bridge(now);
        }
    }

    /// Who rings for no longer: a third party, or who was dialled.
    pub(super) fn rang_out(&mut self, now: Now) {
        if self.third.as_ref().is_some_and(|third| !third.is_there()) {
            return self.third_not_reached(0, now);
        }
        if let Some(other) = self.other.take_if(|other| !other.answered) {
            let peer = other.peer();
            self.drop_other_for(Clearing::NoAnswer, other, false, now);
            if let Some((trunk, number)) = peer {
                self.peer_failed(trunk, number, 0, now);
            }
        }
    }

    /// Nobody there: the flow goes on, with a ticket and a word where the plan wants them.
    pub(super) fn peer_failed(&mut self, trunk: TrunkId, number: String, status: u16, now: Now) {
        self.timers.cancel(Timer::Ring);
        self.timers.cancel(Timer::Record);
        self.tell(Told::PeerFailed { trunk, number, status });
        if self.service.is_begun() {
            return self.not_reached(now);
        }
        let (ticket, words) = std::mem::take(&mut self.on_failure);
        if ticket {
            self.tell(Told::TicketLeft { reason: TicketReason::SubCenterUnanswered });
        }
        if let Some(words) = words {
            self.steps.push_front(Step::Play(words));
            self.steps.push_front(Step::Answer);
        }
        if self.passes_refusal_on() {
            return self.end(Ending::Refused(passed_on(status)), now);
        }
        self.advance(now);
    }
}
