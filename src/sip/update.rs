//! UPDATE (RFC 3311), theirs and ours: a new description or only a sign of life, in dialogs that
//! stand and in early ones.

use bytes::Bytes;

use super::build::Draft;
use super::content::{self, Content};
use super::endpoint::{Endpoint, Source, User};
use super::event::{Event, SessionId, TurnedAway};
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::refresh::{self, MIN_SE_S};
use super::reliable::Described;
use super::session::{OFFER_TRIES_MAX, Offer, Phase};
use super::tags::from_tag;
use super::writing::ALLOW;
use crate::time::Now;

impl Endpoint {
    /// Their UPDATE (RFC 3311 §5.2).
    pub(super) fn handle_update(
        &mut self,
        id: SessionId,
        request: Message,
        key: super::transaction::Key,
        from: Source,
        now: Now,
    ) {
        let offer = match content::content(&request) {
            Content::Nothing => None,
            Content::Sdp(sdp) => Some(sdp),
            Content::Unsupported => return self.refuse_in_dialog(id, &request, key, from, 415, now),
            Content::Bad => return self.refuse_in_dialog(id, &request, key, from, 400, now),
        };
        let status = match refresh::is_too_brief(&request) {
            true => 422,
            false => self.judge_update(id, &request, offer.is_some()),
        };
        if status != 0 {
            return self.refuse_in_dialog(id, &request, key, from, status, now);
        }
        let tag = from_tag(&request);
        if let Some(early) = self.early_of(id, Some(&tag)) {
            early.dialog.refresh_target(&request);
        } else if let Some(session) = self.sessions.get_mut(&id) {
            session.dialog.refresh_target(&request);
        }
        if offer.is_some() {
            return self.take_offer(id, request, key, from, offer, now);
        }
        let draft = self.update_answer(id, &request, from, None, now);
        self.serve(&request, key, from, 200, draft.finish(), User::Nobody, now);
        self.wake(id);
    }

    /// With which status an UPDATE is refused; 0: it is not.
    fn judge_update(&mut self, id: SessionId, request: &Message, offers: bool) -> u16 {
        let settled = self.early_of(id, Some(&from_tag(request))).is_some_and(|early| early.settled);
        let Some(session) = self.sessions.get(&id) else {
            return 481;
        };
        match (&session.phase, &session.offer) {
            (Phase::Leaving { .. }, _) => 481,
            // One UPDATE after the other; an offer waits for the answer to the one before it.
            (_, Offer::Theirs { request: first, .. })
                if offers || first.method() == Some(&Method::Update) =>
            {
                500
            }
            _ if !offers => 0,
            (_, Offer::Ours { .. }) => 491,
            (_, Offer::Accepted { ok }) if ok.answer_due => 491,
            (Phase::Incoming { .. }, _) => match session.reliable.as_ref().map(|reliable| reliable.described)
            {
                Some(Described::Done) => 0,
                Some(Described::Offered) => 491,
                Some(Described::Not) | None => 500,
            },
            (Phase::Accepted { ok, .. }, _) if ok.answer_due => 491,
            (Phase::Calling { .. }, _) if !settled => 491,
            _ => 0,
        }
    }

    /// 200 to an UPDATE, and what it means for the session timer.
    pub(super) fn update_answer(
        &mut self,
        id: SessionId,
        request: &Message,
        from: Source,
        described: Option<Bytes>,
        now: Now,
    ) -> Draft {
        let own = self.sessions.get(&id).map(|session| session.terms).unwrap_or_default();
        let draft = self.answer_draft(request, from, 200, id).header("Supported", own.supported());
        let ours = own.interval_s(&self.config);
        let Some(session) = self.sessions.get_mut(&id) else {
            return draft;
        };
        // PRACK refreshes nothing, and before the 2xx there is no timer.
        let stands = matches!(session.phase, Phase::Accepted { .. } | Phase::Confirmed);
        if request.method() != Some(&Method::Update) || !stands {
            return draft;
        }
        let terms = refresh::terms(request, session.timer(), ours).filter(|_| own.timer);
        session.keep_terms(terms, request, described, now.mono);
        match terms {
            Some(terms) => terms.write(draft),
            None => draft,
        }
    }

    /// Refuses a request in a dialog, with what its status wants to be told beside.
    pub(super) fn refuse_in_dialog(
        &mut self,
        id: SessionId,
        request: &Message,
        key: super::transaction::Key,
        from: Source,
        status: u16,
        now: Now,
    ) {
        let draft = self.answer_draft(request, from, status, id);
        let draft = match status {
            // RFC 3311 §5.2, RFC 3261 §14.2.
            500 => draft.header("Retry-After", self.dice.below(11).to_string()),
            415 => draft.header("Accept", "application/sdp"),
            422 => draft.header_number(Name::MinSe, u64::from(MIN_SE_S)),
            _ => draft,
        };
        self.serve(request, key, from, status, draft.finish(), User::Nobody, now);
        match status {
            481 | 491 => {}
            400 | 422 => self.turn_away(from, TurnedAway::BadRequest),
            415 => self.turn_away(from, TurnedAway::Unsupported),
            _ => self.turn_away(from, TurnedAway::OutOfDialog),
        }
    }

    /// Whether an offer of ours may go by UPDATE before there is a 2xx.
    pub(super) fn may_update_early(&mut self, id: SessionId) -> bool {
        let Some(session) = self.sessions.get(&id) else {
            return false;
        };
        match &session.phase {
            Phase::Incoming { .. } => session.reliable.as_ref().is_some_and(|reliable| {
                reliable.updates
                    && reliable.described == Described::Done
                    && reliable.answer.is_none()
                    && reliable.poll_timeout().is_none()
            }),
            Phase::Calling { hung_up: false, .. } => {
                self.early_of(id, None).is_some_and(|early| early.settled && early.updates)
            }
            _ => false,
        }
    }

    /// Our UPDATE: with an offer, or without one to show that we are there.
    pub(super) fn send_update(&mut self, id: SessionId, sdp: Option<Bytes>, tries: u8, now: Now) {
        let Some(mut session) = self.sessions.remove(&id) else {
            return;
        };
        let offers = sdp.is_some();
        let refresh = session.refresh.as_ref();
        let own = session.terms;
        let finish = |draft: Draft| {
            let draft = own.again(draft.header("Allow", ALLOW));
            let draft = match refresh {
                Some(refresh) => refresh.ask(draft),
                None => draft,
            };
            match &sdp {
                Some(sdp) => draft.body("application/sdp", sdp),
                None => draft,
            }
        };
        match session.phase {
            Phase::Calling { tx, .. } => {
                let early = match self.table.get_mut(tx).map(|entry| &mut entry.user) {
                    Some(User::Inviting(inviting)) => inviting.early.pop(),
                    _ => None,
                };
                if let Some(mut early) = early {
                    let user = User::Update { session: id, offers, tag: early.tag.clone() };
                    early.offering = offers;
                    self.ask(&mut early.dialog, &Method::Update, user, finish, now);
                    if let Some(User::Inviting(inviting)) =
                        self.table.get_mut(tx).map(|entry| &mut entry.user)
                    {
                        inviting.early.push(early);
                    }
                }
            }
            _ => {
                let user = User::Update { session: id, offers, tag: session.dialog.remote_tag().into() };
                self.ask(&mut session.dialog, &Method::Update, user, finish, now);
            }
        }
        if let Some(sdp) = sdp {
            session.offer = Offer::Ours { sdp, tries, tx: None, lapses: None, refresh: false };
        }
        self.sessions.insert(id, session);
        self.wake(id);
    }

    /// What came of our UPDATE to the far end with this tag; `None`: nothing.
    pub(super) fn handle_updated(
        &mut self,
        id: SessionId,
        offers: bool,
        tag: &[u8],
        answer: Option<&Message>,
        now: Now,
    ) {
        let status = answer.and_then(Message::status).unwrap_or(408);
        let wait = self.glare_wait(id);
        let early = self.early_of(id, Some(tag));
        let rings = early.is_some();
        if let Some(early) = early {
            early.offering = false;
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let stands = matches!(session.phase, Phase::Confirmed);
        // A fork that was not the one to answer has nothing to say any more, nor has a place of an
        // attempt that was given up.
        let stray = match session.phase {
            Phase::Confirmed => session.dialog.remote_tag() != tag,
            Phase::Calling { .. } => !rings,
            Phase::Incoming { .. } | Phase::Accepted { .. } | Phase::Leaving { .. } => false,
        };
        if matches!(session.phase, Phase::Leaving { .. }) || stray {
            return;
        }
        if stands && matches!(status, 408 | 481) {
            return self.lose(id, now);
        }
        let described = match &session.offer {
            Offer::Ours { sdp, tries, tx: None, .. } if offers => Some((sdp.clone(), *tries)),
            _ if offers => return,
            _ => None,
        };
        if let (200..=299, Some(answer)) = (status, answer) {
            if stands {
                session.dialog.refresh_target(answer);
                session.take_terms(answer, described.as_ref().map(|(sdp, _)| &**sdp), now.mono);
            }
            if offers {
                session.offer = Offer::Idle;
            }
            let sdp = content::sdp_of(answer);
            if let Some(early) = self.early_of(id, Some(tag)) {
                early.dialog.refresh_target(answer);
                early.sdp = sdp.clone().or(early.sdp.take());
            }
            if offers {
                self.tell(Event::OfferTaken { session: id, sdp });
            }
        } else if let Some((sdp, tries)) = described {
            // 500 with Retry-After: an offer of theirs was in the way (RFC 3311 §5.3).
            let again = status == 491
                || status == 500 && answer.is_some_and(|answer| answer.header(Name::RetryAfter).is_some());
            if again && tries < OFFER_TRIES_MAX {
                session.offer = Offer::Backoff { at: now.mono + wait, sdp, tries: tries + 1 };
            } else {
                session.offer = Offer::Idle;
                self.tell(Event::OfferRefused { session: id, status });
            }
        } else if let Some(answer) = answer {
            self.handle_refresh_refused(id, status, Some(answer), now);
        }
        self.go_on_answering(id, now);
        self.offer_next(id, now);
        self.wake(id);
    }
}
