//! What becomes of a request before anyone serves it: matching, screening, and answers that need no
//! memory (RFC 3261 §8.2).
//!
//! Refusals at the door are stateless (§8.2.7): the same request gets the same answer again, and
//! strangers cannot fill a table.

use super::build::Draft;
use super::endpoint::{Endpoint, FULL_RETRY_S, Source, User, role};
use super::event::{Gate, SessionId, TurnedAway};
use super::extensions;
use super::fault::Fault;
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::tags::{from_tag, hex, session_of, to_tag};
use super::transaction::{InviteServer, Key, Machine, NonInviteServer};
use super::writing::{ALLOW, reply_to};
use crate::time::Now;

impl Endpoint {
    /// A sound request.
    pub(super) fn handle_request(&mut self, request: Message, from: Source, now: Now) {
        let Some(method) = request.method().cloned() else {
            return;
        };
        let key = self.server_key(&request, &method);
        match method {
            Method::Ack => return self.handle_ack(&request, key, from, now),
            Method::Cancel => return self.handle_cancel(&request, from, now),
            _ => {}
        }
        if let Some(tx) = self.table.find(key) {
            if let Some(entry) = self.table.get_mut(tx) {
                entry.machine.handle_repeat();
            }
            self.run(tx, now);
            return;
        }
        if !to_tag(&request).is_empty() {
            return self.handle_in_dialog(request, &method, key, from, now);
        }
        match method {
            Method::Invite | Method::Register | Method::Options => {}
            Method::Bye | Method::Info | Method::Prack | Method::Update => {
                return self.refuse_plainly(&request, from, 481, &[], TurnedAway::OutOfDialog);
            }
            Method::Subscribe | Method::Notify => {
                let status = Endpoint::status_of_stray(&request);
                let allow = [("Allow-Events", "refer")];
                return self.refuse_plainly(&request, from, status, &allow, TurnedAway::OutOfDialog);
            }
            // A call is only ever transferred in its own dialog.
            Method::Refer => {
                return self.refuse_plainly(&request, from, 603, &[], TurnedAway::OutOfDialog);
            }
            Method::Other(_) => {
                return self.refuse_plainly(
                    &request,
                    from,
                    501,
                    &[("Allow", ALLOW)],
                    TurnedAway::Unsupported,
                );
            }
            _ => {
                return self.refuse_plainly(
                    &request,
                    from,
                    405,
                    &[("Allow", ALLOW)],
                    TurnedAway::Unsupported,
                );
            }
        }
        if self.refuse_extensions(&request, from) {
            return;
        }
        match method {
            Method::Invite => self.handle_invite(request, key, from, now),
            Method::Register => self.handle_register(&request, key, from, now),
            _ => self.handle_options(&request, from),
        }
    }

    /// What retransmissions of a request have in common, its ACK and CANCEL included
    /// (RFC 3261 §17.2.3).
    pub(super) fn server_key(&self, request: &Message, method: &Method) -> Key {
        let method = match method {
            Method::Ack | Method::Cancel => &Method::Invite,
            other => other,
        };
        let via = request.via().ok();
        if let Some(via) = &via
            && let Some(branch) = via.cookie_branch()
        {
            let port = via.port().unwrap_or(0).to_be_bytes();
            return self.keys.of(role::SERVER, &[branch, via.host(), &port, method.as_bytes()]);
        }
        // RFC 2543: no branch to go by. The To tag is left out, as the ACK has one and the INVITE
        // has none.
        let from = request.from().ok();
        let tag = from.as_ref().and_then(|from| from.tag()).unwrap_or_default();
        let seq = request.cseq().map_or(0, |cseq| cseq.number).to_be_bytes();
        let parts: [&[u8]; 6] = [
            request.request_uri().unwrap_or_default(),
            tag,
            request.call_id().unwrap_or_default(),
            &seq,
            via.as_ref().map_or(b"", |via| via.as_bytes()),
            method.as_bytes(),
        ];
        self.keys.of(role::OLD_SERVER, &parts)
    }

    /// What an INVITE has in common with a copy of itself that came by another way.
    pub(super) fn merge_key(&self, request: &Message) -> Key {
        let from = request.from().ok();
        let tag = from.as_ref().and_then(|from| from.tag()).unwrap_or_default();
        let seq = request.cseq().map_or(0, |cseq| cseq.number).to_be_bytes();
        self.keys.of(role::MERGE, &[request.call_id().unwrap_or_default(), tag, &seq])
    }

    /// 420 where something is required that we do not know (RFC 3261 §8.2.2.3).
    fn refuse_extensions(&mut self, request: &Message, from: Source) -> bool {
        let Some(unsupported) = extensions::unsupported(request) else {
            return false;
        };
        self.refuse_plainly(request, from, 420, &[("Unsupported", &unsupported)], TurnedAway::Unsupported);
        true
    }

    /// OPTIONS outside a dialog: what we can do (RFC 3261 §11.2), answered without memory.
    fn handle_options(&mut self, request: &Message, from: Source) {
        if let Gate::Draining { retry_after_s } = self.gate {
            return self.refuse_for(request, from, 503, retry_after_s, TurnedAway::Draining);
        }
        let tag = self.stateless_tag(request);
        let draft = Draft::response(request, from.peer, 200, Some(&tag));
        let bytes = self.name(abilities(draft), "Server").finish();
        let way = reply_to(request, from);
        self.send(way.listener, way.peer, bytes);
    }

    /// A request in a dialog, by its To tag.
    fn handle_in_dialog(&mut self, request: Message, method: &Method, key: Key, from: Source, now: Now) {
        let id = session_of(&to_tag(&request));
        let seq = request.cseq().map_or(0, |cseq| cseq.number);
        let session = id.and_then(|id| self.sessions.get_mut(&id).map(|session| (id, session)));
        let Some((id, session)) = session.filter(|(_, session)| session.dialog.owns(&request)) else {
            return self.refuse_plainly(&request, from, 481, &[], TurnedAway::OutOfDialog);
        };
        if *method == Method::Prack {
            session.dialog.accept_seq(seq);
            return self.handle_prack(id, request, key, from, now);
        }
        // Before our INVITE is answered each place that rings counts for itself.
        let calling = matches!(session.phase, super::session::Phase::Calling { .. });
        let mut accepted = !calling && session.dialog.accept_seq(seq);
        if calling {
            let early = self.early_of(id, Some(&from_tag(&request)));
            accepted = early.is_none_or(|early| early.dialog.accept_seq(seq));
        }
        if !accepted {
            return self.refuse_plainly(&request, from, 500, &[], TurnedAway::OutOfDialog);
        }
        if self.refuse_extensions(&request, from) {
            return;
        }
        match method {
            Method::Bye => self.handle_bye(id, &request, key, from, now),
            Method::Invite => self.handle_reinvite(id, request, key, from, now),
            Method::Update => self.handle_update(id, request, key, from, now),
            Method::Info => self.handle_info(id, &request, key, from, now),
            Method::Refer => self.handle_refer(id, request, key, from, now),
            Method::Subscribe => self.handle_subscribe(id, &request, key, from, now),
            Method::Notify => {
                let status = Endpoint::status_of_stray(&request);
                let draft = self.answer_draft(&request, from, status, id).header("Allow-Events", "refer");
                self.serve(&request, key, from, status, draft.finish(), User::Nobody, now);
                self.turn_away(from, TurnedAway::OutOfDialog);
            }
            Method::Options => {
                let bytes = abilities(self.answer_draft(&request, from, 200, id)).finish();
                self.serve(&request, key, from, 200, bytes, User::Nobody, now);
            }
            other => {
                let status = if matches!(other, Method::Other(_)) { 501 } else { 405 };
                let bytes = self.answer_draft(&request, from, status, id).header("Allow", ALLOW).finish();
                self.serve(&request, key, from, status, bytes, User::Nobody, now);
                self.turn_away(from, TurnedAway::Unsupported);
            }
        }
    }

    /// Answers a request at once with final `bytes`, kept for its retransmissions where there is room.
    #[allow(clippy::too_many_arguments, reason = "a request, its answer and its surroundings")]
    pub(super) fn serve(
        &mut self,
        request: &Message,
        key: Key,
        from: Source,
        status: u16,
        bytes: bytes::Bytes,
        user: User,
        now: Now,
    ) {
        let way = reply_to(request, from);
        if self.table.len() >= self.config.limits.transactions_max {
            return self.send(way.listener, way.peer, bytes);
        }
        let machine = match request.method() {
            Some(Method::Invite) => Machine::InviteServer(InviteServer::new(bytes::Bytes::new())),
            _ => Machine::NonInviteServer(NonInviteServer::new()),
        };
        let tx = self.table.insert(key, None, (machine, user, way.listener, way.peer));
        self.respond(tx, status, bytes, now);
    }

    /// Hands a response to a server transaction.
    pub(super) fn respond(&mut self, tx: usize, status: u16, bytes: bytes::Bytes, now: Now) {
        if let Some(entry) = self.table.get_mut(tx) {
            entry.machine.respond(status, bytes, now.mono);
            self.run(tx, now);
        }
    }

    /// An answer of a session, by its transaction.
    pub(super) fn respond_for(
        &mut self,
        id: SessionId,
        tx: usize,
        request: &Message,
        status: u16,
        extra: &[(&str, &str)],
        now: Now,
    ) {
        self.mind_lost_flow(tx, request);
        let Some(entry) = self.table.get_mut(tx) else {
            return;
        };
        let from = Source { listener: entry.listener, peer: entry.peer };
        let mut draft = self.answer_draft(request, from, status, id);
        for (name, value) in extra {
            draft = draft.header(name, value);
        }
        self.respond(tx, status, draft.finish(), now);
    }

    /// Answers what could not be read or must not be acted upon.
    pub(super) fn refuse_fault(&mut self, message: &Message, from: Source, fault: Fault) {
        let why = match fault.status {
            416 | 505 => TurnedAway::Unsupported,
            _ => TurnedAway::BadRequest,
        };
        // A Via that cannot be read is given back as it came, to where the request came from.
        let answerable = message.header(Name::Via).is_some() && message.method() != Some(&Method::Ack);
        if !answerable {
            return self.turn_away(from, TurnedAway::Malformed);
        }
        let tag = self.stateless_tag(message);
        // The usual words for a status of its own, the particular ones for a plain 400.
        let draft = Draft::response_saying(message, from.peer, fault.status, fault.why, Some(&tag));
        self.send_refusal(message, from, draft, why);
    }

    /// Answers without memory (RFC 3261 §8.2.7).
    pub(super) fn refuse_plainly(
        &mut self,
        request: &Message,
        from: Source,
        status: u16,
        extra: &[(&str, &str)],
        why: TurnedAway,
    ) {
        let tag = self.stateless_tag(request);
        let mut draft = Draft::response(request, from.peer, status, Some(&tag));
        for (name, value) in extra {
            draft = draft.header(name, value);
        }
        self.send_refusal(request, from, draft, why);
    }

    /// The same with Retry-After, seconds.
    pub(super) fn refuse_for(
        &mut self,
        request: &Message,
        from: Source,
        status: u16,
        retry_after_s: u32,
        why: TurnedAway,
    ) {
        let wait = retry_after_s.to_string();
        self.refuse_plainly(request, from, status, &[("Retry-After", &wait)], why);
    }

    /// 503: a table is full.
    pub(super) fn refuse_full(&mut self, request: &Message, from: Source) {
        self.refuse_for(request, from, 503, FULL_RETRY_S, TurnedAway::Full);
    }

    fn send_refusal(&mut self, request: &Message, from: Source, draft: Draft, why: TurnedAway) {
        let draft = match super::uuids::echo(request) {
            Some(value) => draft.header("Session-ID", value),
            None => draft,
        };
        let bytes = self.name(draft, "Server").finish();
        let way = reply_to(request, from);
        self.send(way.listener, way.peer, bytes);
        self.turn_away(from, why);
    }

    /// The To tag of answers without memory: the same for each retransmission, and never a session's.
    pub(super) fn stateless_tag(&self, request: &Message) -> String {
        let via = request.headers(Name::Via).next().unwrap_or_default();
        let call_id = request.call_id().unwrap_or_default();
        let sum = self.keys.short(role::STATELESS_TAG, &[via, call_id]);
        format!("x{}", hex(&sum.to_be_bytes()))
    }
}

/// Whether a To tag is from one of our answers without memory.
pub(super) fn is_stateless_tag(tag: &[u8]) -> bool {
    tag.len() == 17 && tag.first() == Some(&b'x')
}

fn abilities(draft: Draft) -> Draft {
    draft
        .header("Allow", ALLOW)
        .header("Accept", [super::multipart::ACCEPT, super::info::ACCEPT].join(", "))
        .header("Accept-Encoding", "identity")
        .header("Supported", extensions::SUPPORTED)
}
