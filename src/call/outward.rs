//! Calls whose first leg is not a citizen's who came to us: a clerk's own, where the clerk dials, and the
//! house's own, where we call somebody first (a clerk by click, a citizen after a case) and the flow begins
//! when they answer.
//!
//! On the house's own calls we are UAC on the first leg. From its answer on it is a leg like any other; up
//! to then it is CANCELled where another call would be refused.

use std::net::IpAddr;
use std::time::Duration;

use super::leg::Leg;
use super::negotiate::{Disagreement, KeySeed, Taste, Terms};
use super::{Call, Callee, Command, Doing, Ending, Input, Setup, Stage, Timer, Told};
use crate::id::{LegId, SeatId, TrunkId};
use crate::media::order::PortSlot;
use crate::sip::Clearing;
use crate::sip::sdp::Sdp;
use crate::time::Now;

/// A pair that no leg has.
const NO_SLOT: PortSlot = PortSlot(u32::MAX);

/// The first leg, as one that the house calls.
pub(super) struct First {
    callee: Callee,
    ring: Duration,
    /// A port was given and the INVITE is out.
    invited: bool,
}

impl Call {
    /// Begins a clerk's own call, whose INVITE came from the seat's telephone.
    pub fn of_clerk(setup: Setup, seat: SeatId, now: Now) -> Result<Call, Disagreement> {
        let caller = Call::taking(&setup)?;
        Ok(Call::begin(setup, caller, (Some(seat), None), now))
    }

    /// Begins a call of the house's own: calls `first`, who rings no longer than `ring`, and runs the flow
    /// with them. Nobody is rung before the opening record is on disk, or its bound is over.
    ///
    /// Of `setup`, what is said of the caller's leg is not used: it is found out as for any leg of ours.
    pub fn outward(setup: Setup, first: Callee, ring: Duration, now: Now) -> Call {
        let nowhere = IpAddr::from([0; 4]);
        let terms = Terms::of_callee(&setup.plan, &first);
        let leg = Leg::new(LegId::caller(setup.id), NO_SLOT, (nowhere, nowhere), setup.session, terms);
        let clerk = match &first {
            Callee::Seat(seat) => Some(seat.clone()),
            Callee::Peer { .. } => None,
        };
        Call::begin(setup, leg, (clerk, Some(First { callee: first, ring, invited: false })), now)
    }

    /// Whether the house called the first leg.
    pub fn begun_by_us(&self) -> bool {
        self.first.is_some()
    }

    /// The first step: an INVITE that came is acted on at once, ours waits for the record.
    pub(super) fn set_out(&mut self, now: Now) {
        if self.first.is_none() {
            return self.advance(now);
        }
        self.doing = Doing::AwaitingRecord;
        self.timers.set(Timer::Record, now.mono + self.plan.limits.durable_wait);
    }

    /// The record is there, or its bound is over: now they may ring.
    pub(super) fn call_first(&mut self, now: Now) {
        let Some(first) = &self.first else { return };
        let callee = first.callee.clone();
        self.timers.set(Timer::Ring, now.mono + first.ring);
        self.doing = Doing::CallingFirst;
        self.tell_first(|trunk, number| Told::PeerDialled { trunk, number });
        self.push(Command::WantPort { leg: self.caller.id, callee });
    }

    /// Takes what concerns the first leg while it is called; gives back everything else.
    pub(super) fn first_told(&mut self, input: Input, now: Now) -> Option<Input> {
        let id = self.caller.id;
        if self.first.is_none() || self.stage != Stage::Ringing {
            return Some(input);
        }
        match input {
            Input::Port { leg, slot, peer, ours, keys } if leg == id => {
                self.first_port(slot, (peer, ours), keys.as_ref(), now);
            }
            Input::Routed { leg, trunk, peer, .. } if leg == id => self.first_routed(trunk, peer),
            Input::Progressed { leg, sdp } if leg == id => {
                // Not heard before the answer; but the 2xx after a reliable response may have no
                // description of its own (RFC 3262 §5).
                let _ = sdp.map(|sdp| self.caller.take_early(&sdp));
            }
            Input::Answered { leg, sdp } if leg == id => self.first_answered(sdp.as_deref(), now),
            Input::Refused { leg, status } if leg == id => {
                self.stage = Stage::Gone;
                self.first_failed(status, now);
            }
            other => return Some(other),
        }
        None
    }

    fn first_port(
        &mut self,
        slot: Option<PortSlot>,
        (peer, ours): (IpAddr, IpAddr),
        keys: Option<&KeySeed>,
        now: Now,
    ) {
        let Some(slot) = slot else { return self.first_failed(503, now) };
        let Some(first) = self.first.as_mut().filter(|first| !first.invited) else {
            return self.push(Command::FreePort { slot });
        };
        self.caller.slot = slot;
        (self.caller.peer, self.caller.ip) = (peer, ours);
        if !self.caller.signals_by(keys) {
            // Its sound has to be encrypted, and its keys would be told in the clear.
            return self.first_failed(488, now);
        }
        first.invited = true;
        let callee = first.callee.clone();
        let local = self.caller.local(&self.plan);
        let offer = self.caller.make_offer(local, Taste::default());
        self.push(Command::Invite { leg: self.caller.id, callee, offer });
    }

    /// See [`Call::other_routed`]. Whoever is called so is sent on to no other number.
    fn first_routed(&mut self, by: TrunkId, peer: IpAddr) {
        self.caller.peer = peer;
        let Some(First { callee: Callee::Peer { trunk, .. }, .. }) = &mut self.first else { return };
        if *trunk != by {
            *trunk = by;
            self.tell_first(|trunk, number| Told::PeerDialled { trunk, number });
        }
    }

    /// They picked up: the flow begins.
    fn first_answered(&mut self, sdp: Option<&Sdp>, now: Now) {
        self.timers.cancel(Timer::Ring);
        if self.caller.take_final(sdp).is_err() {
            // An answer that we cannot take (RFC 3261 §13.2.2.4): its dialog stands, and is ended.
            return self.first_failed(488, now);
        }
        self.stage = Stage::Answered;
        self.tell_first(|trunk, number| Told::PeerAnswered { trunk, number });
        self.tell(Told::Answered { durable: self.written.unwrap_or(false) });
        self.open_caller(now);
        self.advance(now);
    }

    /// They rang long enough.
    pub(super) fn first_rang_out(&mut self, now: Now) {
        self.first_failed(408, now);
    }

    fn first_failed(&mut self, status: u16, now: Now) {
        self.tell_first(|trunk, number| Told::PeerFailed { trunk, number, status });
        self.end(Ending::Refused(status), now);
    }

    fn tell_first(&mut self, told: impl FnOnce(TrunkId, String) -> Told) {
        if let Some(First { callee: Callee::Peer { trunk, number }, .. }) = &self.first {
            let told = told(trunk.clone(), number.clone());
            self.tell(told);
        }
    }

    /// The call ends before its first leg is answered: what was asked of them is taken back, or, where they
    /// called us, refused.
    pub(super) fn turn_away_first(&mut self, cause: Ending) {
        match &self.first {
            None => {
                let status = match cause {
                    Ending::Refused(status) => status,
                    Ending::Drained | Ending::Failed => 503,
                    _ => 480,
                };
                self.push(Command::Refuse { status });
            }
            Some(first) if first.invited => {
                let why = match cause {
                    Ending::Refused(408) => Clearing::NoAnswer,
                    other => other.clearing(),
                };
                self.push(Command::HangUp { leg: self.caller.id, why });
            }
            Some(_) => {}
        }
    }

    /// Whether the first leg has a pair of ports, its sound open or not.
    pub(super) fn first_has_port(&self) -> bool {
        self.caller.slot != NO_SLOT
    }

    /// Whether the far side's refusal is the end of the call, for who dialled it: a clerk's telephone shows
    /// why, and nobody is there to tell anything else.
    pub(super) fn passes_refusal_on(&self) -> bool {
        self.clerk.is_some() && self.stage == Stage::Ringing && self.steps.is_empty()
    }
}

/// A refusal as it is passed on to whoever dialled. What was meant for us alone is not theirs: a challenge,
/// a way that leads nowhere, our own time-out (0).
pub(super) fn passed_on(status: u16) -> u16 {
    match status {
        400 | 401 | 407 | 415 | 420 | 482 | 483 | 488 => 503,
        400..=699 => status,
        _ => 480,
    }
}
