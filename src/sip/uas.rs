//! Calls that come in: INVITE to final answer, its ACK, and CANCEL (RFC 3261 §13.3, §9.2).

use super::auth::Verdict;
use super::build::Draft;
use super::dialog::{Dialog, session_of, to_tag};
use super::door::{self, Content, Visitor};
use super::endpoint::{Endpoint, Source, User};
use super::endpoint_requests::is_stateless_tag;
use super::event::{EndCause, Event, Gate, Invited, Origin, SessionId, TurnedAway};
use super::message::Message;
use super::sdp::Sdp;
use super::session::{Due, Farewell, Phase, RING_AGAIN, Repeat, Session};
use super::transaction::{InviteServer, Key, Machine};
use super::wire_ref::WireRef;
use super::writing::reply_to;
use crate::time::Now;

impl Endpoint {
    /// 101–199 to their INVITE, with early media where `sdp` is given.
    pub fn progress(&mut self, id: SessionId, status: u16, sdp: Option<&Sdp>, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Phase::Incoming { tx, request, ring_again } = &mut session.phase else {
            return;
        };
        if !(101..=199).contains(&status) {
            return;
        }
        *ring_again = Some(now.mono + RING_AGAIN);
        let (tx, request) = (*tx, request.clone());
        self.answer_invite(id, tx, &request, status, sdp, now);
        self.wake(id);
    }

    /// 200 to their INVITE: `sdp` answers its offer, or is the offer where it had none. Repeated until
    /// the ACK is here ([`Event::Confirmed`]).
    pub fn answer(&mut self, id: SessionId, sdp: &Sdp, now: Now) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let Phase::Incoming { tx, request, .. } = &session.phase else {
            return;
        };
        let (tx, request) = (*tx, request.clone());
        let Some(ok) = self.answer_invite(id, tx, &request, 200, Some(sdp), now) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.phase = Phase::Accepted { ok, hang_up: None };
        }
        self.wake(id);
    }

    /// 300–699 to their INVITE, with Retry-After in seconds where given. [`Event::Ended`] follows at
    /// once; the transaction sees to the ACK.
    pub fn refuse(&mut self, id: SessionId, status: u16, retry_after: Option<u32>, now: Now) {
        let status = if (300..=699).contains(&status) { status } else { 480 };
        if self.refuse_invite(id, status, retry_after, now) {
            self.tell(Event::Ended { session: id, cause: EndCause::HungUp });
        }
    }

    /// Sends the final refusal and forgets the session, telling nobody.
    pub(super) fn refuse_invite(
        &mut self,
        id: SessionId,
        status: u16,
        retry_after: Option<u32>,
        now: Now,
    ) -> bool {
        let Some(session) = self.sessions.get(&id) else {
            return false;
        };
        let Phase::Incoming { tx, request, .. } = &session.phase else {
            return false;
        };
        let (tx, request) = (*tx, request.clone());
        let wait = retry_after.map(|seconds| seconds.to_string());
        let extra = wait.as_deref().map(|wait| ("Retry-After", wait));
        self.respond_for(id, tx, &request, status, extra.as_slice(), now);
        self.forget(id);
        true
    }

    /// A response with a description, by the INVITE's transaction. Returns what is to be repeated.
    pub(super) fn answer_invite(
        &mut self,
        id: SessionId,
        tx: usize,
        request: &Message,
        status: u16,
        sdp: Option<&Sdp>,
        now: Now,
    ) -> Option<Repeat> {
        let entry = self.table.get_mut(tx)?;
        let from = Source { listener: entry.listener, peer: entry.peer };
        let mut draft = self.answer_draft(request, from, status, id);
        if (200..300).contains(&status) {
            draft = draft.header("Supported", "");
        }
        if let Some(sdp) = sdp {
            draft = draft.body("application/sdp", &sdp.write());
        }
        let bytes = draft.finish();
        self.respond(tx, status, bytes.clone(), now);
        let seq = request.cseq().map_or(0, |cseq| cseq.number);
        Some(Repeat::new(bytes, seq, !door::has_sdp(request), from.peer, now.mono))
    }

    /// A new INVITE: the door, then a session of its own.
    pub(super) fn handle_invite(&mut self, request: Message, key: Key, from: Source, now: Now) {
        let merge = self.merge_key(&request);
        if self.table.is_merged(merge) {
            return self.refuse_plainly(&request, from, 482, &[], TurnedAway::OutOfDialog);
        }
        if matches!(request.max_forwards(), Ok(Some(0))) {
            return self.refuse_plainly(&request, from, 483, &[], TurnedAway::BadRequest);
        }
        let Some((origin, trusted)) = self.admit(&request, from, now) else {
            return;
        };
        let offer = match door::content(&request) {
            Content::Nothing => None,
            Content::Sdp(sdp) => Some(sdp),
            Content::Unsupported => {
                let accept = [("Accept", "application/sdp"), ("Accept-Encoding", "identity")];
                return self.refuse_plainly(&request, from, 415, &accept, TurnedAway::Unsupported);
            }
            Content::Bad => {
                return self.refuse_plainly(&request, from, 400, &[], TurnedAway::BadRequest);
            }
        };
        let id = self.draw_session();
        let way = reply_to(&request, from);
        let trying = self.name(Draft::response(&request, from.peer, 100, None), "Server").finish();
        let machine = Machine::InviteServer(InviteServer::new(trying));
        let tx = self.table.insert(key, Some(merge), (machine, User::Invited(id), way.listener, way.peer));
        self.run(tx, now);
        let pinned = matches!(origin, Origin::Seat(_));
        let dialog = Dialog::of_invite(&request, id, from.listener, from.peer, pinned);
        let invited = Invited {
            session: id,
            caller: door::caller(&request, &origin, trusted),
            from: origin,
            dialled: door::dialled(&request),
            offer,
            peer: from.peer,
            listener: from.listener,
            wire_ref: WireRef::of_call_id(request.call_id().unwrap_or_default()).to_string(),
        };
        let phase = Phase::Incoming { tx, request, ring_again: None };
        self.sessions.insert(id, Session::new(dialog, phase, false));
        self.tell(Event::Invited(Box::new(invited)));
    }

    /// Who calls, if they may; otherwise they have their answer. Cheap looks come first.
    fn admit(&mut self, request: &Message, from: Source, now: Now) -> Option<(Origin, bool)> {
        let (guard, registrar) = (&self.guard, &self.registrar);
        let visitor =
            self.door.who(request, from.peer, |user| guard.knows(user).then(|| registrar.flow(user)));
        if visitor == Visitor::Stranger {
            self.refuse_plainly(request, from, 403, &[], TurnedAway::UnknownSource);
            return None;
        }
        match self.gate {
            Gate::Open => {}
            Gate::Draining { retry_after_s } => {
                self.refuse_for(request, from, 503, retry_after_s, TurnedAway::Draining);
                return None;
            }
            Gate::Overloaded { retry_after_s } => {
                self.refuse_for(request, from, 503, retry_after_s, TurnedAway::Full);
                return None;
            }
        }
        if self.is_full() {
            self.refuse_full(request, from);
            return None;
        }
        match visitor {
            Visitor::Stranger => None,
            Visitor::Trunk(place) => {
                let trunk = self.door.trunk(place)?;
                Some((Origin::Trunk(trunk.trunk.clone()), trunk.trust_identity))
            }
            Visitor::Seat(seat) => match self.guard.check(request, from.peer.ip(), now.mono) {
                Verdict::Good(proved) if proved == seat => Some((Origin::Seat(seat), false)),
                Verdict::Good(_) | Verdict::Braked => {
                    self.refuse_plainly(request, from, 403, &[], TurnedAway::BadCredentials);
                    None
                }
                Verdict::Challenge { stale } => {
                    self.challenge(request, from, stale, None, now);
                    None
                }
                Verdict::Wrong => {
                    self.challenge(request, from, false, Some(TurnedAway::BadCredentials), now);
                    None
                }
            },
        }
    }

    /// ACK: for a refusal by its transaction, for a 2xx by its dialog (RFC 3261 §17.1.1.3, §13.2.2.4).
    pub(super) fn handle_ack(&mut self, ack: &Message, key: Key, from: Source, now: Now) {
        if let Some(tx) = self.table.find(key)
            && let Some(entry) = self.table.get_mut(tx)
        {
            if let Machine::InviteServer(machine) = &mut entry.machine {
                machine.handle_ack(now.mono);
            }
            // A peer that sends the ACK for a 2xx with the INVITE's branch is understood too.
            if !self.run(tx, now) {
                return;
            }
        }
        let tag = to_tag(ack);
        let seq = ack.cseq().map_or(0, |cseq| cseq.number);
        let session = session_of(&tag).and_then(|id| self.sessions.get_mut(&id).map(|session| (id, session)));
        let Some((id, session)) = session.filter(|(_, session)| session.dialog.owns(ack)) else {
            if !is_stateless_tag(&tag) {
                self.turn_away(from, TurnedAway::OutOfDialog);
            }
            return;
        };
        match &session.phase {
            Phase::Accepted { ok, hang_up } if ok.seq == seq => {
                let sdp = if ok.answer_due { door::sdp_of(ack) } else { None };
                let hang_up = hang_up.clone();
                session.phase = Phase::Confirmed;
                match hang_up {
                    Some(farewell) => self.bye(id, Some(EndCause::HungUp), &farewell, now),
                    None => {
                        self.tell(Event::Confirmed { session: id, sdp });
                        self.offer_next(id, now);
                    }
                }
            }
            Phase::Confirmed => self.handle_offer_ack(id, seq, ack, now),
            // Repeated, or for a session that is being left.
            Phase::Incoming { .. }
            | Phase::Accepted { .. }
            | Phase::Calling { .. }
            | Phase::Leaving { .. } => {}
        }
        self.wake(id);
    }

    /// CANCEL: always answered; it acts on an INVITE without a final answer (RFC 3261 §9.2).
    pub(super) fn handle_cancel(&mut self, cancel: &Message, from: Source, now: Now) {
        let key = self.server_key(cancel, &super::method::Method::Cancel);
        let Some(tx) = self.table.find(key) else {
            return self.refuse_plainly(cancel, from, 481, &[], TurnedAway::OutOfDialog);
        };
        let invited = match self.table.get_mut(tx).map(|entry| &entry.user) {
            Some(User::Invited(id)) => Some(*id),
            _ => None,
        };
        let tag = invited.map_or_else(|| self.stateless_tag(cancel), super::dialog::tag_of);
        let draft = Draft::response(cancel, from.peer, 200, Some(&tag));
        let bytes = self.name(draft, "Server").finish();
        let way = reply_to(cancel, from);
        self.send(way.listener, way.peer, bytes);
        if let Some(id) = invited {
            if self.refuse_invite(id, 487, None, now) {
                self.tell(Event::Cancelled { session: id });
            } else {
                self.cancel_offer(id, tx, now);
            }
        }
    }

    /// A session's own timer.
    pub(super) fn handle_session_timeout(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let listener = session.dialog.listener;
        match &mut session.phase {
            Phase::Incoming { tx, ring_again, .. } if ring_again.is_some_and(|at| at <= now.mono) => {
                *ring_again = Some(now.mono + RING_AGAIN);
                let tx = *tx;
                if let Some(entry) = self.table.get_mut(tx) {
                    entry.machine.handle_repeat();
                    self.run(tx, now);
                }
            }
            Phase::Accepted { ok, hang_up } => match ok.handle_timeout(now.mono) {
                Due::Nothing => {}
                Due::Send => {
                    let (peer, bytes) = (ok.peer, ok.bytes.clone());
                    self.send(listener, peer, bytes);
                }
                Due::GiveUp => {
                    let farewell = hang_up.clone();
                    let cause = farewell.as_ref().map_or(EndCause::NoAck, |_| EndCause::HungUp);
                    self.tell(Event::Ended { session: id, cause });
                    self.bye(id, None, &farewell.unwrap_or_default(), now);
                }
            },
            Phase::Calling { lapses, hung_up, .. } if lapses.is_some_and(|at| at <= now.mono) => {
                *lapses = None;
                let cause = *hung_up;
                self.cancel_invite(id, Farewell::default(), now);
                self.end_invite(id, if cause { 487 } else { 408 });
            }
            Phase::Incoming { .. } | Phase::Calling { .. } | Phase::Confirmed | Phase::Leaving { .. } => {}
        }
        self.handle_offer_timeout(id, now);
        self.wake(id);
    }
}
