//! Changing the description of a call under way: re-INVITE, ours and theirs (RFC 3261 §14).

use std::time::Duration;

use bytes::Bytes;

use super::door::{self, Content};
use super::endpoint::{Endpoint, Source, User};
use super::event::{EndCause, Event, SessionId, TurnedAway};
use super::message::Message;
use super::method::Method;
use super::sdp::Sdp;
use super::session::{Due, Farewell, Offer, Phase};
use super::transaction::{InviteServer, Key, Machine};
use super::writing::reply_to;
use crate::time::Now;

impl Endpoint {
    /// Offers a new description in the dialog: `OfferTaken` or `OfferRefused` follows. While another
    /// offer is under way it waits for its turn; the last one given counts.
    pub fn reinvite(&mut self, id: SessionId, sdp: &Sdp, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        match session.phase {
            Phase::Accepted { .. } | Phase::Confirmed => session.next_offer = Some(sdp.write()),
            Phase::Incoming { .. } | Phase::Calling { .. } | Phase::Leaving { .. } => return,
        }
        self.offer_next(id, now);
    }

    /// Sends the offer that waits, if nothing is in its way.
    pub(super) fn offer_next(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if !matches!((&session.phase, &session.offer), (Phase::Confirmed, Offer::Idle)) {
            return;
        }
        let Some(sdp) = session.next_offer.take() else {
            return;
        };
        let trunk = session.trunk.clone();
        let seq = session.dialog.next_seq();
        self.aim_session(id);
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let (listener, pinned) = (session.dialog.listener, session.dialog.is_pinned());
        let (via, key) = self.branch(listener, &Method::Invite);
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let way = Source { listener, peer: session.dialog.destination() };
        let draft = session.dialog.draft(&Method::Invite, seq, &via);
        let draft = self.sign(draft, listener).header("Allow", super::writing::ALLOW);
        let draft = self.vouch(draft, trunk.as_ref(), &Method::Invite);
        let bytes = draft.body("application/sdp", &sdp).finish();
        self.send_invite(id, true, pinned, key, way, bytes, now);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.offer = Offer::Ours { sdp };
        }
    }

    /// 2xx to our re-INVITE; its ACK is out.
    pub(super) fn handle_offer_taken(&mut self, id: SessionId, response: &Message, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if !matches!((&session.phase, &session.offer), (Phase::Confirmed, Offer::Ours { .. })) {
            return;
        }
        session.offer = Offer::Idle;
        self.tell(Event::OfferTaken { session: id, sdp: door::sdp_of(response) });
        self.offer_next(id, now);
    }

    /// 300–699 to our re-INVITE.
    pub(super) fn handle_offer_refused(&mut self, id: SessionId, status: u16, now: Now) {
        let wait = self.glare_wait(id);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let offer = std::mem::replace(&mut session.offer, Offer::Idle);
        let Offer::Ours { sdp } = offer else {
            session.offer = offer;
            return;
        };
        match status {
            408 | 481 => return self.lose(id, now),
            491 => session.offer = Offer::Backoff { at: now.mono + wait, sdp },
            _ => self.tell(Event::OfferRefused { session: id, status }),
        }
        self.offer_next(id, now);
        self.wake(id);
    }

    /// No answer at all to our re-INVITE: the peer is gone (RFC 3261 §12.2.1.2).
    pub(super) fn give_up_offer(&mut self, id: SessionId, now: Now) {
        self.lose(id, now);
    }

    /// How long to stand back after 491: in steps of 10 ms, 2.1–4 s for whose Call-ID it is, else up
    /// to 2 s (RFC 3261 §14.1).
    fn glare_wait(&mut self, id: SessionId) -> Duration {
        let ours = self.sessions.get(&id).is_some_and(|session| session.is_caller);
        let steps = if ours { 210 + self.dice.below(191) } else { self.dice.below(201) };
        Duration::from_millis(steps * 10)
    }

    /// Their re-INVITE.
    pub(super) fn handle_reinvite(
        &mut self,
        id: SessionId,
        request: Message,
        key: Key,
        from: Source,
        now: Now,
    ) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let status = match (&session.phase, &session.offer) {
            (Phase::Incoming { .. }, _) | (Phase::Confirmed, Offer::Theirs { .. }) => 500,
            // The ACK for our 2xx may be on its way behind this.
            (Phase::Accepted { .. }, _) | (Phase::Confirmed, Offer::Ours { .. }) => 491,
            (Phase::Confirmed, Offer::Accepted { ok }) if ok.answer_due => 491,
            (Phase::Calling { .. } | Phase::Leaving { .. }, _) => 481,
            (Phase::Confirmed, Offer::Idle | Offer::Backoff { .. } | Offer::Accepted { .. }) => 0,
        };
        if status != 0 {
            return self.refuse_reinvite(id, &request, key, from, status, now);
        }
        let offer = match door::content(&request) {
            Content::Nothing => None,
            Content::Sdp(sdp) => Some(sdp),
            Content::Unsupported => return self.refuse_reinvite(id, &request, key, from, 415, now),
            Content::Bad => return self.refuse_reinvite(id, &request, key, from, 400, now),
        };
        if self.table.len() >= self.config.limits.transactions_max {
            return self.refuse_reinvite(id, &request, key, from, 500, now);
        }
        let way = reply_to(&request, from);
        let trying =
            self.name(super::build::Draft::response(&request, from.peer, 100, None), "Server").finish();
        let machine = Machine::InviteServer(InviteServer::new(trying));
        let tx = self.table.insert(key, None, (machine, User::Invited(id), way.listener, way.peer));
        self.run(tx, now);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.dialog.refresh_target(&request);
        // Ours stands back behind theirs and goes out when theirs is settled.
        if let Offer::Backoff { sdp, .. } =
            std::mem::replace(&mut session.offer, Offer::Theirs { tx, request })
        {
            session.next_offer.get_or_insert(sdp);
        }
        self.wake(id);
        self.tell(Event::Reoffered { session: id, offer });
    }

    fn refuse_reinvite(
        &mut self,
        id: SessionId,
        request: &Message,
        key: Key,
        from: Source,
        status: u16,
        now: Now,
    ) {
        let mut draft = self.answer_draft(request, from, status, id);
        if status == 500 {
            draft = draft.header("Retry-After", self.dice.below(11).to_string());
        } else if status == 415 {
            draft = draft.header("Accept", super::multipart::ACCEPT);
        }
        self.serve(request, key, from, status, draft.finish(), User::Nobody, now);
        if status != 491 {
            self.turn_away(from, TurnedAway::OutOfDialog);
        }
    }

    /// 200 to their re-INVITE: `sdp` answers its offer, or is the offer where it had none (then
    /// `Confirmed` brings the answer).
    pub fn answer_offer(&mut self, id: SessionId, sdp: &Sdp, now: Now) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let Offer::Theirs { tx, request } = &session.offer else {
            return;
        };
        let (tx, request) = (*tx, request.clone());
        let Some(ok) = self.answer_invite(id, tx, &request, 200, Some(sdp), now) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.offer = Offer::Accepted { ok };
        }
        self.wake(id);
    }

    /// 300–699 to their re-INVITE; the dialog goes on as it was (RFC 3261 §14.2).
    pub fn refuse_offer(&mut self, id: SessionId, status: u16, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Offer::Theirs { tx, request } = &session.offer else {
            return;
        };
        let (tx, request) = (*tx, request.clone());
        session.offer = Offer::Idle;
        let status = if (300..=699).contains(&status) { status } else { 488 };
        self.respond_for(id, tx, &request, status, &[], now);
        self.offer_next(id, now);
    }

    /// CANCEL for their re-INVITE.
    pub(super) fn cancel_offer(&mut self, id: SessionId, cancelled: usize, now: Now) {
        let theirs = matches!(
            self.sessions.get(&id).map(|session| &session.offer),
            Some(Offer::Theirs { tx, .. }) if *tx == cancelled
        );
        if theirs {
            self.refuse_offer(id, 487, now);
        }
    }

    /// The ACK for our 2xx to their re-INVITE.
    pub(super) fn handle_offer_ack(&mut self, id: SessionId, seq: u32, ack: &Message, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Offer::Accepted { ok } = &session.offer else {
            return;
        };
        if ok.seq != seq {
            return;
        }
        let answer_due = ok.answer_due;
        session.offer = Offer::Idle;
        if answer_due {
            self.tell(Event::Confirmed { session: id, sdp: door::sdp_of(ack) });
        }
        self.offer_next(id, now);
    }

    /// The timers of an offer: 2xx repeated until its ACK, ours tried again after 491.
    pub(super) fn handle_offer_timeout(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let listener = session.dialog.listener;
        match &mut session.offer {
            Offer::Backoff { at, sdp } if *at <= now.mono => {
                let sdp: Bytes = std::mem::take(sdp);
                session.offer = Offer::Idle;
                session.next_offer.get_or_insert(sdp);
                self.offer_next(id, now);
            }
            Offer::Accepted { ok } => match ok.handle_timeout(now.mono) {
                Due::Nothing => {}
                Due::Send => {
                    let (peer, bytes) = (ok.peer, ok.bytes.clone());
                    self.send(listener, peer, bytes);
                }
                Due::GiveUp => {
                    self.tell(Event::Ended { session: id, cause: EndCause::NoAck });
                    self.bye(id, None, &Farewell::default(), now);
                }
            },
            Offer::Idle | Offer::Ours { .. } | Offer::Backoff { .. } | Offer::Theirs { .. } => {}
        }
    }
}
