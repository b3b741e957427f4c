//! Whoever is on a call beside its first leg: who talks, who rings, who is asked in.

use std::net::IpAddr;
use std::time::Duration;

use super::leg::Leg;
use super::negotiate::Terms;
use super::{Call, Callee, Command, Stage, Timer, Told};
use crate::id::{LegId, SeatId, TrunkId};
use crate::media::Order;
use crate::media::order::PortSlot;
use crate::sip::Clearing;
use crate::time::{Instant, Now};

/// A leg that we called, and who is behind it.
pub(super) struct Other {
    pub(super) leg: Leg,
    pub(super) callee: Callee,
    pub(super) answered: bool,
    /// Its answer was told: a seat is busy with this call until it leaves.
    pub(super) joined: bool,
    /// Since when it talks with somebody.
    pub(super) met: Option<Instant>,
    /// How long the caller had waited when it began to ring.
    pub(super) waited: Duration,
    pub(super) rings_since: Instant,
    /// A port was given and the INVITE is out.
    pub(super) invited: bool,
    /// Its dialog stood before, as another call's: it is offered to, and not called.
    pub(super) adopted: bool,
    /// The clerk who began the call, which was turned round: no queue knows of it.
    pub(super) began: bool,
    /// It was rung for the caller by a number that an adapter gave: a stranger to the house.
    pub(super) relayed: bool,
}

impl Other {
    /// Whether this is the leg of a peer, and which.
    pub(super) fn peer(&self) -> Option<(TrunkId, String)> {
        match &self.callee {
            Callee::Peer { trunk, number } => Some((trunk.clone(), number.clone())),
            Callee::Seat(_) => None,
        }
    }

    /// Whether this is a seat's, and whose.
    pub(super) fn seat(&self) -> Option<&SeatId> {
        match &self.callee {
            Callee::Seat(seat) => Some(seat),
            Callee::Peer { .. } => None,
        }
    }
}

impl Call {
    /// The leg of the clerk who serves, once they have answered: whose keys are codes, and whose wishes
    /// count.
    pub fn clerk_leg(&self) -> Option<LegId> {
        if self.clerk.is_some() {
            return (self.stage == Stage::Answered).then_some(self.caller.id);
        }
        self.other.as_ref().filter(|other| other.joined && other.seat().is_some()).map(|other| other.leg.id)
    }

    /// The leg of the citizen who is served.
    pub fn served_leg(&self) -> LegId {
        let called = self.other.as_ref().filter(|_| self.clerk.is_some());
        called.map_or(self.caller.id, |called| called.leg.id)
    }

    /// The clerk who serves.
    pub fn clerk(&self) -> Option<&SeatId> {
        if self.clerk.is_some() {
            return self.clerk.as_ref().filter(|_| self.stage == Stage::Answered);
        }
        self.other.as_ref().filter(|other| other.joined)?.seat()
    }

    /// Seats that this call rings or talks with, and whether it talks with them. A clerk whose own call it is
    /// was called by nobody.
    pub fn seats_called(&self) -> impl Iterator<Item = (&SeatId, bool)> {
        self.parties().filter(|party| !party.began).filter_map(|party| Some((party.seat()?, party.joined)))
    }

    /// Port pairs of its legs that the media engine does not know yet.
    pub fn ports_in_hand(&self) -> usize {
        let first = !self.is_over() && !self.caller.is_open() && self.first_has_port();
        let parties = self.parties().filter(|party| party.invited && !party.leg.is_open());
        parties.count() + usize::from(first) + usize::from(self.holds_bots_port())
    }

    /// A clerk or expert of ours on the call.
    pub(super) fn seat_there(&self, seat: &SeatId) -> Option<&Other> {
        self.parties().find(|party| party.joined && party.seat() == Some(seat))
    }

    fn parties(&self) -> impl Iterator<Item = &Other> {
        let third = self.third.as_ref().and_then(|third| third.party.as_ref());
        self.other.iter().chain(third).chain(&self.ringing)
    }

    /// Whose leg this is, of those that we called.
    pub(super) fn party(&self, leg: LegId) -> Option<&Other> {
        self.parties().find(|party| party.leg.id == leg)
    }

    pub(super) fn party_mut(&mut self, leg: LegId) -> Option<&mut Other> {
        let third = self.third.as_mut().and_then(|third| third.party.as_mut());
        let mut parties = self.other.iter_mut().chain(third).chain(&mut self.ringing);
        parties.find(|party| party.leg.id == leg)
    }

    /// Whether this leg's dialog stands.
    pub(super) fn is_established(&self, leg: LegId) -> bool {
        match leg == self.caller.id {
            true => self.stage == Stage::Answered,
            false => self.party(leg).is_some_and(|party| party.answered),
        }
    }

    /// A leg of ours to be; its port is asked for.
    pub(super) fn call_out(&mut self, callee: Callee, waited: Duration, now: Instant) -> Other {
        let party = self.leg_to(callee, waited, now);
        self.push(Command::WantPort { leg: party.leg.id, callee: party.callee.clone() });
        party
    }

    /// The name of a leg to be.
    pub(super) fn leg_id(&mut self) -> LegId {
        let index = self.legs_born;
        self.legs_born = index.wrapping_add(1).max(1);
        LegId { call: self.id, index }
    }

    /// A leg of ours to be.
    pub(super) fn leg_to(&mut self, callee: Callee, waited: Duration, now: Instant) -> Other {
        let id = self.leg_id();
        let session = self.session.wrapping_add(u64::from(id.index));
        // Known when its port is.
        let nowhere = IpAddr::from([0; 4]);
        let terms = Terms::of_callee(&self.plan, &callee);
        let leg = Leg::new(id, PortSlot(u32::MAX), (nowhere, nowhere), session, terms);
        Other {
            leg,
            callee,
            answered: false,
            joined: false,
            met: None,
            waited,
            rings_since: now,
            invited: false,
            adopted: false,
            began: false,
            relayed: false,
        }
    }

    /// Lets go of a leg: hangs up, closes its sound, gives its port back.
    pub(super) fn drop_other(&mut self, other: Other, vanished: bool, now: Now) {
        let why = if vanished { Clearing::Vanished } else { Clearing::Normal };
        self.drop_other_for(why, other, vanished, now);
    }

    /// The same, for a reason of its own.
    pub(super) fn drop_other_for(&mut self, why: Clearing, other: Other, vanished: bool, now: Now) {
        if other.invited || other.adopted {
            self.push(Command::HangUp { leg: other.leg.id, why });
        }
        self.let_go(other, vanished, now);
    }

    /// The same, but for its dialog, which is over or goes on elsewhere.
    pub(super) fn let_go(&mut self, other: Other, vanished: bool, now: Now) {
        let leg = other.leg.id;
        self.timers.cancel(Timer::Probe(leg.index));
        self.timers.cancel(Timer::Words(leg.index));
        self.noticed.retain(|told| *told != leg);
        if other.leg.is_open() {
            self.push(Command::Sound(Order::Close { leg }));
            if !other.began {
                self.await_figures(leg, &other.callee); // The first leg's are the call's.
            }
        } else if other.invited {
            self.push(Command::FreePort { slot: other.leg.slot });
        }
        // A seat's talk is with the caller, and over when the caller has left.
        let until = self.left.filter(|_| other.seat().is_some()).map_or(now.mono, |left| left.at);
        let talked = other.met.map(|met| until.since(met));
        match (other.callee, talked) {
            (Callee::Seat(seat), talked) if other.joined => {
                let talked = talked.unwrap_or_default();
                self.tell(Told::SeatLeft { seat: seat.clone(), talked, vanished });
                self.push(Command::SeatLeft { seat, vanished });
            }
            (Callee::Peer { trunk, number }, Some(talked)) => {
                self.tell(Told::PeerLeft { trunk, number, talked });
            }
            (Callee::Seat(_), _) | (Callee::Peer { .. }, None) => {}
        }
    }
}
