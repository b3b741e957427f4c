//! Calls that came in: provisional and final answers, ACK, and CANCEL (RFC 3261 §13.3, §9.2). How they are
//! let in is in `admission`.

use bytes::Bytes;

use super::build::Draft;
use super::content;
use super::endpoint::{Endpoint, Source, User};
use super::endpoint_requests::is_stateless_tag;
use super::event::{EndCause, Event, SessionId, TurnedAway};
use super::hunt::Lost;
use super::message::Message;
use super::reason;
use super::refresh;
use super::reliable::Described;
use super::sdp::Sdp;
use super::session::{Due, Phase, RING_AGAIN, Repeat};
use super::tags::{session_of, to_tag};
use super::transaction::{Key, Machine};
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
        if session.terms.goes_reliably(request, sdp.is_some()) {
            self.progress_reliably(id, status, sdp.map(Sdp::write), now);
            return self.wake(id);
        }
        // An offer must not get lost (RFC 3261 §13.2.1), and what is settled is not said again.
        let sdp = sdp.filter(|_| content::has_sdp(request) && session.reliable.is_none());
        let (tx, request) = (*tx, request.clone());
        self.answer_invite(id, tx, &request, status, sdp.map(Sdp::write), now);
        self.wake(id);
    }

    /// 200 to their INVITE: `sdp` answers its offer, or is the offer where it had none. Repeated until
    /// the ACK is here ([`Event::Confirmed`]). It waits for the PRACK of a provisional answer that
    /// described the sound, and then does not describe it again (RFC 3262 §3, §5).
    pub fn answer(&mut self, id: SessionId, sdp: &Sdp, now: Now) {
        if !self.hold_answer(id, sdp) {
            self.accept(id, sdp.write(), now);
        }
    }

    pub(super) fn accept(&mut self, id: SessionId, sdp: Bytes, now: Now) {
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
        let wait = retry_after.map(|seconds| seconds.to_string());
        self.refuse_invite_saying(id, status, wait.as_deref().map(|wait| ("Retry-After", wait)), now)
    }

    /// The same, with one more header.
    pub(super) fn refuse_invite_saying(
        &mut self,
        id: SessionId,
        status: u16,
        more: Option<(&str, &str)>,
        now: Now,
    ) -> bool {
        let Some(session) = self.sessions.get(&id) else {
            return false;
        };
        let Phase::Incoming { tx, request, .. } = &session.phase else {
            return false;
        };
        let (tx, request) = (*tx, request.clone());
        let reason = reason::of_refusal(status).map(|reason| ("Reason", reason));
        let extra: [(&str, &str); 2] = [more, reason].map(Option::unwrap_or_default);
        let extra: &[(&str, &str)] = match (more, reason) {
            (Some(_), Some(_)) => &extra,
            (Some(_), None) => &extra[..1],
            (None, Some(_)) => &extra[1..],
            (None, None) => &[],
        };
        self.respond_for(id, tx, &request, status, extra, now);
        self.forget(id, now);
        true
    }

    /// A response with a description, by the INVITE's transaction. Returns what is to be repeated.
    pub(super) fn answer_invite(
        &mut self,
        id: SessionId,
        tx: usize,
        request: &Message,
        status: u16,
        sdp: Option<Bytes>,
        now: Now,
    ) -> Option<Repeat> {
        self.mind_lost_flow(tx, request);
        let entry = self.table.get_mut(tx)?;
        let from = Source { listener: entry.listener, peer: entry.peer };
        let mut draft = self.answer_draft(request, from, status, id);
        let mut settled = false;
        if (200..300).contains(&status) {
            let own = self.sessions.get(&id).map(|session| session.terms).unwrap_or_default();
            draft = draft.header("Supported", own.supported());
            let ours = own.interval_s(&self.config);
            if let Some(session) = self.sessions.get_mut(&id) {
                let terms = refresh::terms(request, session.timer(), ours).filter(|_| own.timer);
                let described = terms.and_then(|_| sdp.clone());
                session.keep_terms(terms, request, described, now.mono);
                draft = match terms {
                    Some(terms) => terms.write(draft),
                    None => draft,
                };
                settled = matches!(session.phase, Phase::Incoming { .. })
                    && session.reliable.as_ref().is_some_and(|early| early.described == Described::Done);
            }
        }
        if let Some(sdp) = sdp.filter(|_| !settled) {
            draft = draft.body("application/sdp", &sdp);
        }
        let bytes = draft.finish();
        self.respond(tx, status, bytes.clone(), now);
        let seq = request.cseq().map_or(0, |cseq| cseq.number);
        Some(Repeat::new(bytes, seq, !content::has_sdp(request) && !settled, from.peer, now.mono))
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
                let sdp = if ok.answer_due { content::sdp_of(ack) } else { None };
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
        // It comes by the way that the INVITE came (§9.1), so from the same address: whoever else has
        // seen the branch may not end the call with it.
        let way = reply_to(cancel, from);
        let found = self
            .table
            .find(key)
            .filter(|tx| self.table.get_mut(*tx).is_some_and(|entry| entry.peer.ip() == way.peer.ip()));
        let Some(tx) = found else {
            return self.refuse_plainly(cancel, from, 481, &[], TurnedAway::OutOfDialog);
        };
        let invited = match self.table.get_mut(tx).map(|entry| &entry.user) {
            Some(User::Invited(id)) => Some(*id),
            _ => None,
        };
        let tag = invited.map_or_else(|| self.stateless_tag(cancel), super::tags::tag_of);
        let draft = Draft::response(cancel, from.peer, 200, Some(&tag));
        let bytes = self.name(draft, "Server").finish();
        self.send(way.listener, way.peer, bytes);
        if let Some(id) = invited {
            let event = self.cancelled(id);
            if self.sessions.get(&id).is_some_and(|session| matches!(session.phase, Phase::Incoming { .. })) {
                self.tell_reason(id, cancel);
            }
            if self.refuse_invite(id, 487, None, now) {
                self.tell(event);
            } else {
                self.cancel_offer(id, tx, now);
            }
        }
    }

    /// What their giving up before our 2xx means: where it waited for a PRACK, the rooms above have
    /// answered already, and to them the call is over as any other.
    pub(super) fn cancelled(&self, id: SessionId) -> Event {
        let answered = self.sessions.get(&id).and_then(|session| session.reliable.as_ref());
        match answered.is_some_and(|reliable| reliable.answer.is_some()) {
            true => Event::Ended { session: id, cause: EndCause::Bye },
            false => Event::Cancelled { session: id },
        }
    }

    /// A session's own timer.
    pub(super) fn handle_session_timeout(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return self.handle_subscription_timeout(id, now);
        };
        let listener = session.dialog.listener;
        match &mut session.phase {
            Phase::Incoming { ring_again, .. } if ring_again.is_some_and(|at| at <= now.mono) => {
                *ring_again = Some(now.mono + RING_AGAIN);
                self.ring_again(id, now);
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
            Phase::Calling { lapses, .. } if lapses.is_some_and(|at| at <= now.mono) => {
                *lapses = None;
                self.lose_way(id, Lost::Silent, None, now);
            }
            Phase::Incoming { .. } | Phase::Calling { .. } | Phase::Confirmed | Phase::Leaving { .. } => {}
        }
        self.handle_reliable_timeout(id, now);
        self.handle_offer_timeout(id, now);
        self.handle_refresh_timeout(id, now);
        self.handle_subscription_timeout(id, now);
        self.wake(id);
    }
}
