//! Between a clerk's two calls: whom an attended transfer joins the caller with, and their dialog on its way
//! from the one call to the other.

use super::{Output, Switchboard, What};
use crate::acd::event::Purpose;
use crate::call::{Callee, Input, Partner};
use crate::id::{CallId, LegId, SeatId};
use crate::sip::SessionId;
use crate::time::Now;

impl Switchboard {
    /// With whom the clerk of `leg` talks in the call of their own whose dialog `dialog` is; or with which
    /// status the transfer is refused: 481 where nobody is there (RFC 3891 §3), 603 where it is not for this
    /// clerk to give.
    pub(super) fn partner_of(&self, leg: LegId, dialog: SessionId) -> Result<Partner, u16> {
        let caller = self.calls.get(&leg.call).ok_or(481_u16)?;
        let clerk = caller.call.clerk().filter(|_| caller.call.clerk_leg() == Some(leg)).ok_or(603_u16)?;
        let own = self.sessions.get(&dialog).ok_or(481_u16)?;
        let entry = self.calls.get(&own.call).ok_or(481_u16)?;
        let is_own = own.call != leg.call && *own == LegId::caller(own.call);
        if !is_own || entry.outward.is_none() || entry.call.first_clerk() != Some(clerk) {
            return Err(603);
        }
        entry.call.partner().ok_or(481)
    }

    /// The dialog of another call's leg becomes this leg's; the other call is over with that.
    pub(super) fn adopt(&mut self, leg: LegId, callee: Callee, from: LegId, now: Now) {
        let refused = self.not_handed_on(leg.call, &callee);
        if refused.is_some() || self.try_adopt(leg, &callee, from, now).is_none() {
            self.tell_call(leg.call, Input::Refused { leg, status: refused.unwrap_or(481) });
        }
    }

    fn try_adopt(&mut self, leg: LegId, callee: &Callee, from: LegId, now: Now) -> Option<()> {
        if let Callee::Seat(seat) = callee {
            let (seat, history) = (seat.clone(), self.calls.get(&leg.call)?.screen());
            let what = What::SeatOffered { seat, waited_ms: 0, history, purpose: Purpose::Transfer };
            self.record(leg.call, what, now); // Its screen is told whom it is to have.
        }
        let mut given = None;
        self.step(from.call, now, |call| given = call.give_away(from, now));
        let given = given?;
        self.comes_along(leg.call, from.call);
        let session = self.legs.remove(&from)?;
        self.sessions.insert(session, leg);
        self.legs.insert(leg, session);
        self.leg_called(leg, callee, now);
        let (listener, party, wire_ref) = self.endpoint.dialog_of(session)?;
        if let Some(party) = party {
            self.outputs.push_back(Output::OnWire { call: leg.call, party, wire_ref });
        }
        let (slot, keys) = (self.ports.lend(), self.keys_over(listener));
        self.tell_call(leg.call, Input::Adopted { leg, described: given.described });
        self.tell_call(leg.call, Input::Port { leg, slot, peer: given.peer, ours: given.ours, keys });
        Some(())
    }

    /// A seat that was set aside for the one call is so for the other.
    fn comes_along(&mut self, call: CallId, from: CallId) {
        let outward = self.calls.get_mut(&from).and_then(|entry| entry.outward.as_mut());
        let colleague = outward.and_then(|outward| outward.colleague.take());
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.along.joining = colleague;
        }
    }

    /// Whether the seat that picked up is one that came so: it was offered to nobody, and talks from now on.
    pub(super) fn joins(&mut self, call: CallId, seat: &SeatId, now: Now) -> bool {
        let is_it = |entry: &super::Entry| entry.along.joining.as_ref() == Some(seat);
        if !self.calls.get(&call).is_some_and(is_it) {
            return false;
        }
        // Else it stays set aside as long as the call lasts.
        if self.acd.seat_joins(call, seat, now.mono) {
            self.joins_not(call, seat, now);
        }
        true
    }

    /// It is set aside no longer.
    pub(super) fn joins_not(&mut self, call: CallId, seat: &SeatId, now: Now) {
        let entry = self.calls.get_mut(&call);
        if entry.is_some_and(|entry| entry.along.joining.take_if(|joining| joining == seat).is_some()) {
            self.acd.seat_disengaged(seat, None, now.mono);
        }
    }
}
