//! How sessions end: hanging up in each state, the peer's BYE, and peers that have vanished
//! (RFC 3261 §9, §15).

use super::build::Draft;
use super::dialog::cancel_for;
use super::endpoint::{Endpoint, Source, User, role};
use super::event::{EndCause, Event, SessionId};
use super::message::Message;
use super::method::Method;
use super::reason::Reason;
use super::session::{Farewell, Offer, Phase, Session};
use super::tags::tag_of;
use super::transaction::{Key, Machine};
use super::uac::Cancel;
use crate::time::Now;

impl Endpoint {
    /// Ends a session in the way its state wants: 480, CANCEL, or BYE after the ACK (RFC 3261 §15).
    /// `reason` is the value of a Reason header (RFC 3326). [`Event::Ended`] tells when it is through.
    pub fn hang_up(&mut self, id: SessionId, reason: Option<&'static str>, now: Now) {
        let farewell = Farewell { reason };
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        match &mut session.phase {
            Phase::Incoming { .. } => self.refuse(id, 480, None, now),
            Phase::Accepted { hang_up, .. } => *hang_up = Some(farewell),
            Phase::Calling { hung_up, lapses, .. } => {
                if !std::mem::replace(hung_up, true) {
                    *lapses = None;
                    self.cancel_invite(id, farewell, now);
                    self.wake(id);
                }
            }
            Phase::Confirmed => self.bye(id, Some(EndCause::HungUp), &farewell, now),
            Phase::Leaving { .. } => {}
        }
    }

    /// CANCELs a session's INVITE, now or after its first provisional response.
    pub(super) fn cancel_invite(&mut self, id: SessionId, farewell: Farewell, now: Now) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let Phase::Calling { tx, .. } = session.phase else {
            return;
        };
        if let Some(entry) = self.table.get_mut(tx)
            && let User::Inviting(inviting) = &mut entry.user
            && matches!(inviting.cancel, Cancel::No)
        {
            inviting.cancel = Cancel::Wanted(farewell);
            self.cancel_if_wanted(tx, now);
        }
    }

    /// CANCELs a re-INVITE of ours that was heard and is not answered.
    pub(super) fn cancel_offer_of_ours(&mut self, tx: usize, now: Now) {
        if let Some(entry) = self.table.get_mut(tx)
            && let User::Inviting(inviting) = &mut entry.user
        {
            inviting.cancel = Cancel::Wanted(Farewell::default());
            self.cancel_if_wanted(tx, now);
        }
    }

    pub(super) fn cancel_if_wanted(&mut self, tx: usize, now: Now) {
        let Some(entry) = self.table.get_mut(tx) else {
            return;
        };
        let (listener, peer) = (entry.listener, entry.peer);
        let (Machine::InviteClient(machine), User::Inviting(inviting)) =
            (&mut entry.machine, &mut entry.user)
        else {
            return;
        };
        let Cancel::Wanted(farewell) = &inviting.cancel else {
            return;
        };
        let Ok(invite) = Message::parse(machine.stored().clone()) else {
            return;
        };
        if !machine.handle_cancel(now.mono) {
            return;
        }
        let bytes = cancel_for(&invite, farewell.reason);
        inviting.cancel = Cancel::Sent;
        let branch = invite.via().ok();
        let branch = branch.as_ref().and_then(|via| via.branch()).unwrap_or_default();
        let key = self.keys.of(role::CLIENT, &[branch, Method::Cancel.as_bytes()]);
        self.request(User::Nobody, key, Source { listener, peer }, bytes, now);
        self.run(tx, now);
    }

    /// BYE in a dialog: 200 in every state, and the session is over (RFC 3261 §15.1.2).
    pub(super) fn handle_bye(&mut self, id: SessionId, bye: &Message, key: Key, from: Source, now: Now) {
        let bytes = self.answer_draft_bare(bye, from, id).finish();
        self.serve(bye, key, from, 200, bytes, User::Nobody, now);
        self.tell_reason(id, bye);
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let event = match &session.phase {
            Phase::Incoming { .. } => {
                let event = self.cancelled(id);
                self.refuse_invite(id, 487, None, now);
                event
            }
            Phase::Accepted { hang_up: Some(_), .. } => Event::Ended { session: id, cause: EndCause::HungUp },
            Phase::Accepted { hang_up: None, .. } | Phase::Confirmed => {
                Event::Ended { session: id, cause: EndCause::Bye }
            }
            Phase::Calling { hung_up, .. } => {
                // It answered and left before its answer was here. Whatever comes of the INVITE now
                // is released by its transaction.
                let cause = if *hung_up { EndCause::HungUp } else { EndCause::Bye };
                self.cancel_invite(id, Farewell::default(), now);
                Event::Ended { session: id, cause }
            }
            // Both hung up at once: our own BYE ends the session when it is through.
            Phase::Leaving { .. } => return,
        };
        if let Some(session) = self.forget(id, now) {
            self.leave_orphan(id, session);
        }
        self.tell(event);
    }

    /// Why the peer ends a session, where it says so (RFC 3326): told before the end itself.
    pub(super) fn tell_reason(&mut self, id: SessionId, message: &Message) {
        let live =
            self.sessions.get(&id).is_some_and(|session| !matches!(session.phase, Phase::Leaving { .. }));
        if let Some(reason) = live.then(|| Reason::of(message)).flatten() {
            self.tell(Event::ReasonGiven { session: id, reason });
        }
    }

    fn answer_draft_bare(&self, request: &Message, from: Source, id: SessionId) -> Draft {
        let draft = Draft::response(request, from.peer, 200, Some(&tag_of(id)));
        self.name(self.mark(draft, id), "Server")
    }

    /// Sends the BYE of a session that stands. `cause` is told at the end; `None`: told already.
    pub(super) fn bye(&mut self, id: SessionId, cause: Option<EndCause>, farewell: &Farewell, now: Now) {
        let Some(mut session) = self.sessions.remove(&id) else {
            return;
        };
        self.drop_offer(&mut session, now);
        session.phase = Phase::Leaving { cause };
        self.say(&mut session.dialog, &Method::Bye, User::Bye(id), Some(farewell), now);
        self.sessions.insert(id, session);
        self.wake(id);
    }

    /// Takes back what a session has under way beside its phase, before it ends.
    pub(super) fn drop_offer(&mut self, session: &mut Session, now: Now) {
        session.next_offer = None;
        self.drop_refers(session, now);
        let offer = std::mem::replace(&mut session.offer, Offer::Idle);
        if let Offer::Ours { tx: Some(tx), .. } = offer {
            // Heard and never answered, it would stay in the table for ever.
            self.cancel_offer_of_ours(tx, now);
        } else if let Offer::Theirs { tx, request } = offer
            && let Some(entry) = self.table.get_mut(tx)
        {
            // RFC 3261 §15.1.2: what is pending gets 487. Their To carries our tag already.
            let peer = entry.peer;
            let bytes = self.name(Draft::response(&request, peer, 487, None), "Server").finish();
            self.respond(tx, 487, bytes, now);
        }
    }

    /// Asks the peer in the dialog whether it is there: `Alive`, or `Ended` with `Gone`.
    pub fn probe(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        if session.probing || !matches!(session.phase, Phase::Confirmed) {
            return;
        }
        let Some(mut session) = self.sessions.remove(&id) else {
            return;
        };
        session.probing = true;
        self.say(&mut session.dialog, &Method::Options, User::Probe(id), None, now);
        self.sessions.insert(id, session);
    }

    pub(super) fn handle_probed(&mut self, id: SessionId, status: u16, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.probing = false;
        if !matches!(session.phase, Phase::Confirmed) {
            return;
        }
        match status {
            408 | 481 => self.lose(id, now),
            _ => self.tell(Event::Alive { session: id }),
        }
    }

    /// The peer has vanished: BYE in case it is only deaf, and the end told at once.
    pub(super) fn lose(&mut self, id: SessionId, now: Now) {
        if matches!(self.sessions.get(&id), Some(session) if matches!(session.phase, Phase::Confirmed)) {
            self.tell(Event::Ended { session: id, cause: EndCause::Gone });
            self.bye(id, None, &Farewell::default(), now);
        }
    }

    /// The BYE of ours is through: the session is over.
    pub(super) fn finish(&mut self, id: SessionId, now: Now) {
        if let Some(session) = self.sessions.get(&id)
            && let Phase::Leaving { cause } = session.phase
        {
            if let Some(cause) = cause {
                self.tell(Event::Ended { session: id, cause });
            }
            self.forget(id, now);
        }
    }
}
