//! Changing the description of a call under way: re-INVITE, ours and theirs (RFC 3261 §14).

use std::time::Duration;

use bytes::Bytes;

use super::content::{self, Content};
use super::endpoint::{Endpoint, Source, User};
use super::event::{EndCause, Event, SessionId};
use super::message::Message;
use super::method::Method;
use super::refresh;
use super::sdp::Sdp;
use super::session::{Due, Farewell, OFFER_TRIES_MAX, Offer, Phase};
use super::tags::from_tag;
use super::transaction::{InviteServer, Key, Machine, PATIENCE};
use super::transport::Transport;
use super::writing::reply_to;
use crate::time::Now;

impl Endpoint {
    /// Offers a new description in the dialog: `OfferTaken` or `OfferRefused` follows. While another
    /// offer is under way it waits for its turn; the last one given counts. Before the 2xx it goes by
    /// UPDATE where the first offer is answered and the peer takes one, else it waits for the 2xx.
    pub fn reinvite(&mut self, id: SessionId, sdp: &Sdp, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        match session.phase {
            Phase::Leaving { .. } => return,
            Phase::Incoming { .. } | Phase::Calling { .. } | Phase::Accepted { .. } | Phase::Confirmed => {
                session.next_offer = Some(sdp.write());
            }
        }
        self.offer_next(id, now);
    }

    /// Sends the offer that waits, if nothing is in its way.
    pub(super) fn offer_next(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        if session.next_offer.is_none() || !matches!(session.offer, Offer::Idle) {
            return;
        }
        let stands = matches!(session.phase, Phase::Confirmed);
        if !stands && !self.may_update_early(id) {
            return;
        }
        let Some(sdp) = self.sessions.get_mut(&id).and_then(|session| session.next_offer.take()) else {
            return;
        };
        match stands {
            true => self.send_reinvite(id, sdp, 0, false, now),
            false => self.send_update(id, Some(sdp), 0, now),
        }
    }

    /// Our re-INVITE. `refresh`: it describes what was described last.
    pub(super) fn send_reinvite(&mut self, id: SessionId, sdp: Bytes, tries: u8, refresh: bool, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let trunk = session.dialog.trunk.clone();
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
        // Nothing rings here, so there is nothing to be told reliably.
        let draft = session.terms.again(draft);
        let draft = match &session.refresh {
            Some(refresh) => refresh.ask(draft),
            None => draft,
        };
        let draft = self.vouch(draft, trunk.as_ref(), &Method::Invite);
        let bytes = draft.body("application/sdp", &sdp).finish();
        let tx = self.send_invite(id, true, pinned, key, way, bytes, now);
        if let Some(session) = self.sessions.get_mut(&id) {
            let lapses = Some(now.mono + PATIENCE);
            session.offer = Offer::Ours { sdp, tries, tx: Some(tx), lapses, refresh };
        }
        self.wake(id);
    }

    /// 2xx to our re-INVITE; its ACK is out.
    pub(super) fn handle_offer_taken(&mut self, id: SessionId, response: &Message, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let (Phase::Confirmed, Offer::Ours { sdp, refresh, tx: Some(_), .. }) =
            (&session.phase, &session.offer)
        else {
            return;
        };
        let (sdp, refresh) = (sdp.clone(), *refresh);
        session.offer = Offer::Idle;
        session.take_terms(response, Some(&sdp), now.mono);
        if !refresh {
            self.tell(Event::OfferTaken { session: id, sdp: content::sdp_of(response) });
        }
        self.offer_next(id, now);
        self.wake(id);
    }

    /// 300–699 to our re-INVITE.
    pub(super) fn handle_offer_refused(
        &mut self,
        id: SessionId,
        status: u16,
        refusal: Option<&Message>,
        now: Now,
    ) {
        let wait = self.glare_wait(id);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let offer = std::mem::replace(&mut session.offer, Offer::Idle);
        let Offer::Ours { sdp, tries, tx: Some(_), refresh, .. } = offer else {
            session.offer = offer;
            return;
        };
        match status {
            408 | 481 => return self.lose(id, now),
            _ if refresh => self.handle_refresh_refused(id, status, refusal, now),
            491 if tries < OFFER_TRIES_MAX => {
                session.offer = Offer::Backoff { at: now.mono + wait, sdp, tries: tries + 1 };
            }
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
    pub(super) fn glare_wait(&mut self, id: SessionId) -> Duration {
        let ours = self.sessions.get(&id).is_some_and(|session| session.is_caller);
        let steps = if ours { 210 + self.dice.below(191) } else { self.dice.below(201) };
        Duration::from_millis(steps * 10)
    }

    /// Whether a request comes in the clear though its dialog is over TLS: an offer in it is not taken,
    /// for it and our answer may have keys (RFC 4568 §7).
    pub(super) fn comes_in_the_clear(&self, id: SessionId, from: Source) -> bool {
        let is_tls = |listener: usize| {
            self.config.listeners.get(listener).is_some_and(|own| own.transport == Transport::Tls)
        };
        self.sessions
            .get(&id)
            .is_some_and(|session| is_tls(session.dialog.listener) && !is_tls(from.listener))
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
            // It has answered, its 2xx was lost: our INVITE is still in progress.
            (Phase::Calling { .. }, _) => 491,
            (Phase::Leaving { .. }, _) => 481,
            _ if self.comes_in_the_clear(id, from) => 488,
            _ if refresh::is_too_brief(&request) => 422,
            (Phase::Confirmed, Offer::Idle | Offer::Backoff { .. } | Offer::Accepted { .. }) => 0,
        };
        if status != 0 {
            return self.refuse_in_dialog(id, &request, key, from, status, now);
        }
        let offer = match content::content(&request) {
            Content::Nothing => None,
            Content::Sdp(sdp) => Some(sdp),
            Content::Unsupported => return self.refuse_in_dialog(id, &request, key, from, 415, now),
            Content::Bad => return self.refuse_in_dialog(id, &request, key, from, 400, now),
        };
        if self.table.len() >= self.config.limits.transactions_max {
            return self.refuse_in_dialog(id, &request, key, from, 500, now);
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
        if request.method() != Some(&Method::Invite) {
            return self.answer_update(id, tx, &request, sdp.write(), now);
        }
        let Some(ok) = self.answer_invite(id, tx, &request, 200, Some(sdp.write()), now) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.offer = Offer::Accepted { ok };
        }
        self.wake(id);
    }

    /// 300–699 to their re-INVITE; the dialog goes on as it was (RFC 3261 §14.2).
    pub fn refuse_offer(&mut self, id: SessionId, status: u16, now: Now) {
        self.refuse_offer_saying(id, status, &[], now);
    }

    pub(super) fn refuse_offer_saying(
        &mut self,
        id: SessionId,
        status: u16,
        more: &[(&str, &str)],
        now: Now,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Offer::Theirs { tx, request } = &session.offer else {
            return;
        };
        let (tx, request) = (*tx, request.clone());
        session.offer = Offer::Idle;
        let status = if (300..=699).contains(&status) { status } else { 488 };
        self.respond_for(id, tx, &request, status, more, now);
        self.go_on_answering(id, now);
        self.offer_next(id, now);
        self.wake(id);
    }

    /// 200 with the answer to the offer in their UPDATE or PRACK.
    fn answer_update(&mut self, id: SessionId, tx: usize, request: &Message, sdp: Bytes, now: Now) {
        let Some(entry) = self.table.get_mut(tx) else {
            return;
        };
        let from = Source { listener: entry.listener, peer: entry.peer };
        let draft = self.update_answer(id, request, from, Some(sdp.clone()), now);
        self.respond(tx, 200, draft.body("application/sdp", &sdp).finish(), now);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.offer = Offer::Idle;
        }
        if let Some(early) = self.early_of(id, Some(&from_tag(request))) {
            early.sdp = content::sdp_of(request);
        }
        self.go_on_answering(id, now);
        self.offer_next(id, now);
        self.wake(id);
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
            self.tell(Event::Confirmed { session: id, sdp: content::sdp_of(ack) });
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
            Offer::Backoff { at, sdp, tries } if *at <= now.mono => {
                let (sdp, tries) = (std::mem::take(sdp), *tries);
                session.offer = Offer::Idle;
                let stands = matches!(session.phase, Phase::Confirmed);
                if session.next_offer.is_some() || !stands && !self.may_update_early(id) {
                    if let Some(session) = self.sessions.get_mut(&id) {
                        session.next_offer.get_or_insert(sdp);
                    }
                    self.offer_next(id, now);
                } else if stands {
                    self.send_reinvite(id, sdp, tries, false, now);
                } else {
                    self.send_update(id, Some(sdp), tries, now);
                }
            }
            // Rung and never answered: taken back, so that the next one has its turn (RFC 3261 §9.1).
            Offer::Ours { lapses, tx: Some(tx), .. } if lapses.is_some_and(|at| at <= now.mono) => {
                *lapses = None;
                let tx = *tx;
                self.cancel_offer_of_ours(tx, now);
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
