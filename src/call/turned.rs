//! A clerk's own call turned round, once somebody else is wanted in it: the clerk is on its first leg, and the
//! citizen whom they called on the other. From then on the citizen is where a caller is, and the clerk where
//! a clerk is, so that whoever is asked in, joins and leaves does so by the same rules as on any call.
//!
//! What is told of the call goes on as it began: its first leg's sound is the call's, the citizen is one who
//! was called, and who hung up first is named as on a call that was never turned.

use super::leg::Leg;
use super::party::Other;
use super::{Call, Callee, Doing, Told};
use crate::id::{LegId, SeatId};
use crate::time::{Instant, Now};

/// Of a call that was turned round.
pub(super) struct Turned {
    /// Who is served, as they were called.
    pub(super) callee: Callee,
    /// Since when they talk with somebody.
    met: Option<Instant>,
}

impl Call {
    /// The clerk who began this call, and is on it still.
    pub fn first_clerk(&self) -> Option<&SeatId> {
        let turned = || self.other.as_ref().filter(|other| other.began)?.seat();
        self.clerk.as_ref().or_else(turned)
    }

    /// Turns a clerk's own call round, where the two talk; any other stays as it is.
    pub(super) fn turn_round(&mut self) {
        let talks = self.doing == Doing::Talking && self.clerk.is_some();
        let Some(other) = self.other.take_if(|other| talks && other.answered) else { return };
        let Some(seat) = self.clerk.take() else { return };
        let Other { leg, callee, met, rings_since, .. } = other;
        let clerk = std::mem::replace(&mut self.caller, leg);
        self.turned = Some(Turned { callee, met });
        self.other =
            Some(Other { began: true, ..Call::on_the_line(clerk, Callee::Seat(seat), met, rings_since) });
        self.steps.clear(); // What the clerk would have heard, had nobody answered.
    }

    /// The other way round again.
    pub(super) fn turn_back(&mut self) {
        let Some(clerk) = self.other.take_if(|other| other.began) else { return };
        self.clerk = clerk.seat().cloned();
        let leg = std::mem::replace(&mut self.caller, clerk.leg);
        if let Some(Turned { callee, met }) = self.turned.take() {
            self.other = Some(Call::on_the_line(leg, callee, met, clerk.rings_since));
        }
    }

    /// Somebody who has picked up, as a party.
    fn on_the_line(leg: Leg, callee: Callee, met: Option<Instant>, rings_since: Instant) -> Other {
        Other {
            leg,
            callee,
            answered: true,
            joined: true,
            met,
            waited: Default::default(),
            rings_since,
            invited: true,
            adopted: false,
            began: false,
            relayed: false,
        }
    }

    /// Whether the clerk who began the call is on this leg, the first, and has not been turned round.
    pub(super) fn is_first_clerks(&self, leg: LegId) -> bool {
        self.clerk.is_some() && leg == self.caller.id
    }

    /// Whom the clerk's own call was to, with who is served in the caller's place: they leave now.
    pub(super) fn tell_served_left(&mut self, now: Now) {
        let Some(turned) = &self.turned else { return };
        let (callee, met) = (turned.callee.clone(), turned.met);
        if self.caller.is_open() {
            self.await_figures(self.caller.id, &callee);
        }
        if let (Callee::Peer { trunk, number }, Some(met)) = (callee, met) {
            self.tell(Told::PeerLeft { trunk, number, talked: now.mono.since(met) });
        }
    }
}
