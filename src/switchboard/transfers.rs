//! Transfers and replaced dialogs between signalling and calls, and what goes along with a call.

use std::sync::Arc;
use std::time::Duration;

use super::fact::{self, Given};
use super::{Output, Switchboard, What};
use crate::call::{Callee, Command, Ending, Input, TransferKind, TransferStep};
use crate::id::{CallId, LegId, LineId, SeatId};
use crate::sip::event::{Invited, Referred};
use crate::sip::{self, Carried, Clearing, Forwarded, Reason, SessionId, WireRef};
use crate::time::Now;

/// What a call's entry keeps of it.
#[derive(Default)]
pub(super) struct Along {
    /// From the caller's INVITE.
    carried: Option<Arc<Carried>>,
    /// REFERs that want an answer, or whose last NOTIFY is still to come. Their session may be over.
    referrals: Vec<Referral>,
    /// The session that wants to take the place of this leg's.
    replacing: Option<(LegId, SessionId)>,
    /// The last Reason of a peer.
    reason: Option<(LegId, Reason)>,
    /// A seat that comes to it from a call of its own, and is set aside until it is there.
    pub(super) joining: Option<SeatId>,
}

struct Referral {
    leg: LegId,
    refer: u32,
    session: SessionId,
    referred_by: Option<String>,
}

impl Along {
    pub(super) fn of_caller(carried: Option<Arc<Carried>>) -> Self {
        Along { carried, ..Along::default() }
    }

    /// For an INVITE of the call.
    pub(super) fn of(
        &self,
        call: CallId,
        line: &LineId,
        callee: &Callee,
        beside: Option<SessionId>,
    ) -> sip::Along {
        let referral = self.referrals.first();
        let forwarded = match callee {
            Callee::Seat(_) => None,
            Callee::Peer { .. } => {
                let cause = if referral.is_some() { 480 } else { 302 };
                Some(Forwarded { line: line.to_string(), cause })
            }
        };
        let referred_by = referral.and_then(|referral| referral.referred_by.clone());
        let (carried, call) = (self.carried.clone(), Some(call));
        sip::Along { carried, beside, call, forwarded, referred_by, signature: None }
    }

    /// What whoever hung up gave as its reason.
    pub(super) fn reason_for(&mut self, cause: Ending) -> Option<Given> {
        let (leg, reason) = self.reason.take()?;
        let ended_it = match cause {
            Ending::CallerHungUp | Ending::CallerCancelled => leg.index == 0,
            Ending::OtherHungUp => leg.index != 0,
            Ending::Completed
            | Ending::CallerVanished
            | Ending::Refused(_)
            | Ending::Drained
            | Ending::TooLong
            | Ending::Failed => false,
        };
        ended_it.then_some(Given { q850: reason.q850, sip: reason.sip, text: reason.text })
    }

    /// A leg has ended: what another one gave as its reason matters no more.
    pub(super) fn leg_ended(&mut self, ended: LegId) {
        self.reason.take_if(|(leg, _)| *leg != ended);
    }

    fn take(&mut self, leg: LegId, refer: u32) -> Option<Referral> {
        let place = self.referrals.iter().position(|known| known.leg == leg && known.refer == refer)?;
        Some(self.referrals.remove(place))
    }

    fn session(&self, leg: LegId, refer: u32) -> Option<SessionId> {
        let mut known = self.referrals.iter();
        known.find(|known| known.leg == leg && known.refer == refer).map(|known| known.session)
    }
}

/// A transfer's step as a fact, without what only the house knows of its target.
pub(super) fn step_fact(to: String, kind: TransferKind, step: TransferStep) -> What {
    let (step, status) = match step {
        TransferStep::Requested => (fact::TransferStep::Requested, None),
        TransferStep::Declined(status) => (fact::TransferStep::Declined, Some(status)),
        TransferStep::Ringing => (fact::TransferStep::Ringing, None),
        TransferStep::Consulting => (fact::TransferStep::Consulting, None),
        TransferStep::Merged => (fact::TransferStep::Merged, None),
        TransferStep::Left => (fact::TransferStep::Left, None),
        TransferStep::Returned => (fact::TransferStep::Returned, None),
        TransferStep::Accepted => (fact::TransferStep::Accepted, None),
        TransferStep::Failed(status) => (fact::TransferStep::Failed, Some(status)),
    };
    What::Transfer { to, kind, step, status, leg: None, object: None }
}

impl Switchboard {
    pub(super) fn referred(&mut self, referred: Referred, now: Now) {
        let Referred { session, refer, target, replaces, referred_by } = referred;
        let leg = self.sessions.get(&session).copied();
        let Some(leg) = leg.filter(|leg| self.calls.contains_key(&leg.call)) else {
            return self.endpoint.refuse_refer(session, refer, 481, now);
        };
        let attended = replaces.map(|dialog| self.partner_of(leg, dialog));
        if let Some(entry) = self.calls.get_mut(&leg.call) {
            entry.along.referrals.push(Referral { leg, refer, session, referred_by });
        }
        self.tell_call(leg.call, Input::Referred { leg, refer, target, attended });
    }

    pub(super) fn reason_given(&mut self, session: SessionId, reason: Reason) {
        if let Some(leg) = self.sessions.get(&session).copied()
            && let Some(entry) = self.calls.get_mut(&leg.call)
        {
            tracing::debug!(%leg, ?reason, "reason given");
            entry.along.reason = Some((leg, reason));
        }
    }

    /// A session is over: its leg's reason, if it gave one, is the last.
    pub(super) fn reason_stands(&mut self, session: SessionId) {
        if let Some(leg) = self.sessions.get(&session).copied()
            && let Some(entry) = self.calls.get_mut(&leg.call)
        {
            entry.along.leg_ended(leg);
        }
    }

    /// An INVITE that takes the place of a dialog: its leg is asked.
    pub(super) fn replaced(&mut self, old: SessionId, invited: &Invited, now: Now) {
        let leg = self.sessions.get(&old).copied();
        let Some((leg, entry)) = leg.and_then(|leg| Some((leg, self.calls.get_mut(&leg.call)?))) else {
            return self.endpoint.refuse(invited.session, 481, None, now);
        };
        if entry.along.replacing.is_some() {
            return self.endpoint.refuse(invited.session, 491, None, now);
        }
        entry.along.replacing = Some((leg, invited.session));
        if let Some(wire_ref) = WireRef::parse(&invited.wire_ref) {
            let (call, party) = (leg.call, invited.from.clone());
            self.outputs.push_back(Output::OnWire { call, party, wire_ref });
        }
        let keys = self.keys_over(invited.listener);
        let input = Input::Replaced { leg, offer: invited.offer.clone(), peer: invited.peer.ip(), keys };
        self.tell_call(leg.call, input);
    }

    pub(super) fn carry_out_transfer(&mut self, id: CallId, command: Command, now: Now) {
        let Some(entry) = self.calls.get_mut(&id) else { return };
        let along = &mut entry.along;
        match command {
            Command::AcceptRefer { leg, refer } => {
                if let Some(session) = along.session(leg, refer) {
                    self.endpoint.accept_refer(session, refer, now);
                }
            }
            Command::RefuseRefer { leg, refer, status } => {
                if let Some(referral) = along.take(leg, refer) {
                    self.endpoint.refuse_refer(referral.session, refer, status, now);
                }
            }
            Command::NotifyRefer { leg, refer, status } => {
                if let Some(session) = along.session(leg, refer) {
                    self.endpoint.notify_refer(session, refer, status, now);
                }
                if status >= 200 {
                    along.take(leg, refer);
                }
            }
            Command::WantSeat { seats, beside, ring } => self.want_seat(id, &seats, (beside, ring), now),
            Command::TakeOver { leg, sdp } => {
                if let Some((_, new)) = along.replacing.take_if(|(replaced, _)| *replaced == leg) {
                    if let Some(old) = self.legs.get(&leg).copied() {
                        self.endpoint.succeed(old, new);
                    }
                    self.endpoint.answer(new, &sdp, now);
                    self.change_session(leg, new, now);
                }
            }
            Command::RefuseTakeOver { leg, status } => {
                if let Some((_, new)) = along.replacing.take_if(|(replaced, _)| *replaced == leg) {
                    self.endpoint.refuse(new, status, None, now);
                }
            }
            _ => {}
        }
    }

    fn want_seat(
        &mut self,
        id: CallId,
        seats: &[SeatId],
        (beside, ring): (bool, Option<Duration>),
        now: Now,
    ) {
        // A caller who still waits is pulled from the queue; one who talks is put through.
        let pulled = seats.iter().any(|seat| self.acd.pull(id, seat, now.mono));
        if !pulled && !self.acd.transfer_to(id, seats, beside, ring, now.mono) {
            self.tell_call(id, Input::NoSeat);
        }
    }

    /// The leg is spoken with by another session from now on; the old one ends.
    fn change_session(&mut self, leg: LegId, new: SessionId, now: Now) {
        self.sessions.insert(new, leg);
        if let Some(old) = self.legs.insert(leg, new) {
            self.sessions.remove(&old);
            self.screens.session_changed(old, new);
            self.endpoint.hang_up(old, Some(Clearing::Replaced.value()), now);
        }
    }
}
