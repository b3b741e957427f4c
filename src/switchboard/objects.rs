//! Who a call reaches beyond its caller: whose each leg is, and what the plan calls whoever it is put
//! through to. Facts carry both, so that figures and other centers' data can be joined to them.

use std::collections::VecDeque;

use super::fact::{Object, ObjectKind, What};
use super::{Switchboard, transfers};
use crate::call::{Callee, TransferKind, TransferStep};
use crate::id::{CallId, LegId, LineId, SeatId};
use crate::routing::Plan;
use crate::routing::plan::Peer;
use crate::routing::reach::Reached;
use crate::time::{Instant, Now};

/// Legs of one call whose callees are known; the oldest is forgotten beyond this.
const LEGS_MAX: usize = 64;

/// Delays not yet taken by whoever measures; later ones are left out.
const DELAYS_MAX: usize = 4_096;

/// Whom a call has called, newest last, and how soon its caller was offered to a seat.
#[derive(Default)]
pub(super) struct Called {
    legs: VecDeque<(u16, Callee)>,
    /// In a queue since then, and not offered to a seat yet.
    waits_since: Option<Instant>,
    /// That seat is to ring, which might have rung since then.
    due: Option<(SeatId, Instant)>,
}

impl Called {
    fn leg_of(&self, is_it: impl Fn(&Callee) -> bool) -> Option<u16> {
        self.legs.iter().rev().find(|(_, callee)| is_it(callee)).map(|(leg, _)| *leg)
    }

    /// The last leg to this seat.
    pub(super) fn leg_of_seat(&self, seat: &SeatId) -> Option<u16> {
        self.leg_of(|callee| matches!(callee, Callee::Seat(called) if called == seat))
    }

    /// The last leg to this number; by which trunk it went in the end is for signalling to say.
    pub(super) fn leg_of_peer(&self, number: &str) -> Option<u16> {
        self.leg_of(|callee| matches!(callee, Callee::Peer { number: called, .. } if called == number))
    }

    /// The caller waits from now on.
    pub(super) fn waits(&mut self, now: Now) {
        self.waits_since = Some(now.mono);
    }
}

/// What `to` of a transfer is in the plan. It is a number of the plan, a seat, or, where the transfer was
/// declined, whatever was asked for.
pub(super) fn object_of(plan: &Plan, to: &str) -> Option<Object> {
    if let Some(reached) = plan.reach(to) {
        return object_reached(plan, &reached);
    }
    // A peer's own number, where that is not the one by which it is reached.
    plan.peer_of(to).and_then(|peer| object_reached(plan, &Reached::Peer(peer.clone())))
}

/// What it is in the plan that a call has reached. A peer is known by its way, trunk and number: numbers of several
/// may be the same there, each by a trunk of its own, as 12345 is in each county.
fn object_reached(plan: &Plan, reached: &Reached) -> Option<Object> {
    let object = |kind, id: &str| Some(Object { kind, id: id.to_owned() });
    let of_peer = |peer: &Peer| {
        let named = |peers: &std::collections::BTreeMap<LineId, Peer>| {
            peers.iter().find(|(_, known)| *known == peer).map(|(id, _)| id.clone())
        };
        let sub_center = || {
            let mut lines = plan.lines.values();
            lines.find(|line| line.mode.peer() == Some(peer)).map(|line| line.number.clone())
        };
        named(&plan.emergency)
            .map(|id| (ObjectKind::Emergency, id))
            .or_else(|| named(&plan.departments).map(|id| (ObjectKind::Department, id)))
            .or_else(|| plan.peers.of_way(peer).map(|own| (ObjectKind::Peer, own.org.as_str().into())))
            .or_else(|| sub_center().map(|id| (ObjectKind::SubCenter, id)))
            .and_then(|(kind, id)| object(kind, id.as_str()))
    };
    match reached {
        Reached::Peer(peer) => of_peer(peer),
        Reached::Seat(seat) => object(ObjectKind::Seat, seat.as_str()),
        Reached::Group(group) => object(ObjectKind::ExpertGroup, group.number.as_str()),
    }
}

impl Switchboard {
    /// A leg of ours is called.
    pub(super) fn leg_called(&mut self, leg: LegId, callee: &Callee, now: Now) {
        let Some(entry) = self.calls.get_mut(&leg.call) else { return };
        let called = &mut entry.called;
        if called.legs.len() >= LEGS_MAX {
            called.legs.pop_front();
        }
        called.legs.push_back((leg.index, callee.clone()));
        if let Callee::Seat(seat) = callee
            && let Some((_, since)) = called.due.take_if(|(due, _)| due == seat)
            && self.offer_delays.len() < DELAYS_MAX
        {
            self.offer_delays.push(now.mono.since(since));
        }
    }

    /// A transfer's step as a fact, with what the house knows of its target.
    pub(super) fn transfer_fact(
        &self,
        call: CallId,
        to: String,
        whom: Option<&Reached>,
        (kind, step): (TransferKind, TransferStep),
    ) -> What {
        let begun = !matches!(step, TransferStep::Requested | TransferStep::Declined(_));
        let plan = self.plan_of(call).unwrap_or(&self.plan); // The one that it was reached by.
        let known = match whom {
            Some(reached) => object_reached(plan, reached),
            None => object_of(plan, &to),
        };
        let called = self.calls.get(&call).map(|entry| &entry.called).filter(|_| begun);
        let of_group = |called: &Called| {
            let group = plan.experts.get(to.as_str())?;
            called.leg_of(|callee| matches!(callee, Callee::Seat(seat) if group.seats.contains(seat)))
        };
        let found = called.and_then(|called| match known.as_ref().map(|object| object.kind) {
            Some(ObjectKind::ExpertGroup) => of_group(called),
            Some(ObjectKind::Seat) => called.leg_of_seat(&SeatId::from(to.as_str())),
            _ => called.leg_of_peer(&to),
        });
        let mut fact = transfers::step_fact(to, kind, step);
        if let What::Transfer { leg, object, .. } = &mut fact {
            (*leg, *object) = (found, known);
        }
        fact
    }

    /// The queue found this seat for this caller. The first time, and where nothing stood between the two
    /// but time, it is measured how long after both were there the seat is called.
    pub(super) fn mind_delay(&mut self, call: CallId, seat: &SeatId) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        let Some(waits_since) = entry.called.waits_since.take() else { return };
        let knows = |seat: &crate::routing::plan::Seat| {
            entry.skills.iter().all(|wanted| seat.skills.iter().any(|known| known.satisfies(wanted)))
        };
        let fits = entry.sticky.is_none() && self.plan.seats.get(seat).is_some_and(knows);
        if let Some(free_since) = self.free_since.get(seat).filter(|_| fits) {
            entry.called.due = Some((seat.clone(), waits_since.max(*free_since)));
        }
    }

    /// How long after seat and caller were both there seats were called, since this was last asked.
    pub fn take_offer_delays(&mut self) -> Vec<std::time::Duration> {
        std::mem::take(&mut self.offer_delays)
    }
}
