//! Attended transfer: the clerk holds the caller, talks with somebody in a call of their own, and joins the
//! two by REFER with Replaces (RFC 5589 §7, RFC 3891).
//!
//! Both of the clerk's calls end here, so nobody is called anew: the partner's dialog becomes a leg of the
//! caller's call, and is told by re-INVITE where the sound is from now on. The clerk's own call is over with
//! that; of the caller it is as with any other third party that is asked for and picks up, or does not.

use std::net::IpAddr;
use std::time::Duration;

use super::arrange::Ear;
use super::third::Third;
use super::{Call, Callee, Command, Doing, Ending, Other, Partner, Timer, Told, TransferStep};
use crate::id::LegId;
use crate::routing::meeting::SEATS;
use crate::routing::plan::Peer;
use crate::routing::reach::Reached;
use crate::sip::sdp::Sdp;
use crate::time::Now;

/// A telephone that is on the line answers a re-INVITE at once; so long is waited for it.
const ADOPTION_MAX: Duration = Duration::from_secs(10);

/// What the next call has to know of a leg that was given away.
#[derive(Clone, Debug)]
pub struct GivenAway {
    /// Our last description of it.
    pub described: Sdp,
    /// Where its signalling comes from.
    pub peer: IpAddr,
    /// Our address towards it.
    pub ours: IpAddr,
}

/// The clerk's own call.
impl Call {
    /// With whom the clerk talks whose own call this is. `None`: it is nobody's, or nobody is there.
    pub fn partner(&self) -> Option<Partner> {
        self.first_clerk().filter(|_| self.doing == Doing::Talking && self.third.is_none())?;
        let other = self.other.as_ref().filter(|other| other.answered && other.joined)?;
        let (leg, callee) = match &self.turned {
            Some(turned) => (self.caller.id, &turned.callee),
            None => (other.leg.id, &other.callee),
        };
        let Callee::Peer { trunk, number } = callee else { return None };
        let callee = match trunk.as_str() {
            SEATS => Callee::Seat(number.as_str().into()),
            _ => callee.clone(),
        };
        Some(Partner { leg, callee })
    }

    /// Lets the partner's leg go, whose dialog goes on in another call, and ends this one.
    pub fn give_away(&mut self, leg: LegId, now: Now) -> Option<GivenAway> {
        self.partner().filter(|partner| partner.leg == leg)?;
        self.turn_back();
        let given = {
            let leg = &self.other.as_ref()?.leg;
            GivenAway { described: leg.described().cloned()?, peer: leg.peer, ours: leg.ip }
        };
        let other = self.other.take()?;
        self.let_go(other, false, now);
        self.end(Ending::Completed, now);
        Some(given)
    }
}

/// The caller's call.
impl Call {
    /// The clerk wants the caller joined with this partner.
    pub(super) fn join_partner(&mut self, partner: Partner, referral: (LegId, u32), now: Now) {
        let (leg, refer) = referral;
        self.push(Command::AcceptRefer { leg, refer });
        self.put_through = false;
        self.held = false;
        self.doing = Doing::Transferring;
        self.arrange(now);
        if !matches!(self.ears.of(self.caller.id), Ear::Loop(_)) {
            self.play_music(); // No words: they would be cut short.
        }
        let Partner { leg: from, callee } = partner;
        let party = Other { adopted: true, ..self.leg_to(callee.clone(), Duration::ZERO, now.mono) };
        let adopt = Command::Adopt { leg: party.leg.id, callee: callee.clone(), from };
        let third = Third::adopted(self.reached(&callee), referral, party);
        self.tell(third.told(TransferStep::Requested));
        if let Callee::Peer { trunk, number } = callee {
            self.tell(Told::PeerDialled { trunk, number });
        }
        self.timers.set(Timer::Ring, now.mono + ADOPTION_MAX);
        self.push(adopt);
        self.third = Some(third);
        self.arrange(now);
    }

    /// The plan's own peer, where it is one: a failure has its own reason then.
    fn reached(&self, callee: &Callee) -> Reached {
        let (trunk, number) = match callee {
            Callee::Seat(seat) => return Reached::Seat(seat.clone()),
            Callee::Peer { trunk, number } => (trunk, number),
        };
        Reached::Peer(self.plan.peer_by(trunk, number).cloned().unwrap_or_else(|| Peer {
            trunk: trunk.clone(),
            number: number.clone(),
            ring: ADOPTION_MAX,
            drill: false,
            hours: Default::default(),
        }))
    }

    /// The partner's dialog is a leg of ours.
    pub(super) fn dialog_adopted(&mut self, leg: LegId, described: Sdp) {
        if let Some(party) = self.party_mut(leg).filter(|party| party.adopted && !party.invited) {
            party.leg.take_up(described);
        }
    }
}
