//! What comes of our requests: progress, answers, forks and refusals (RFC 3261 §13.2.2).

use std::sync::Arc;

use bytes::Bytes;

use super::content;
use super::dialog::{Dialog, ack_for_refusal};
use super::endpoint::{Endpoint, Source, User, role};
use super::event::{EndCause, Event, SessionId, TurnedAway};
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::sdp::Sdp;
use super::session::{Farewell, Offer, Phase};
use super::tags::to_tag;
use super::transaction::Machine;
use super::uac::Acked;
use crate::time::Now;

/// Most answers of one INVITE that are settled; a fork beyond is left to its own time-out.
pub(super) const FORKS_MAX: usize = 8;

impl Endpoint {
    /// A sound response.
    pub(super) fn handle_response(&mut self, response: &Message, from: Source, now: Now) {
        let (Ok(via), Ok(cseq), Some(status)) = (response.via(), response.cseq(), response.status()) else {
            return;
        };
        let branch = via.branch().unwrap_or_default();
        let key = self.keys.of(role::CLIENT, &[branch, cseq.method.as_bytes()]);
        let Some(tx) = self.table.find(key) else {
            return self.turn_away(from, TurnedAway::OutOfDialog);
        };
        let Some(entry) = self.table.get_mut(tx) else {
            return;
        };
        // Its bytes give way to the ACK's, and are wanted for another try.
        let asks = matches!(status, 401 | 407 | 422);
        let asked = match &mut entry.machine {
            Machine::InviteClient(machine) => {
                let asked = asks.then(|| machine.stored().clone());
                let ack = |invite: &Bytes| match Message::parse(invite.clone()) {
                    Ok(invite) => ack_for_refusal(&invite, response),
                    Err(_) => Bytes::new(),
                };
                machine.handle_response(status, ack, now.mono);
                asked
            }
            Machine::NonInviteClient(machine) => {
                let asked = asks.then(|| machine.stored().clone());
                machine.handle_response(status, now.mono);
                asked
            }
            Machine::InviteServer(_) | Machine::NonInviteServer(_) => return,
        };
        if !self.run(tx, now) {
            return;
        }
        if let Some(Ok(request)) = asked.map(Message::parse) {
            let tried = match status {
                422 => self.ask_longer(tx, &request, response, now),
                _ => self.answer_challenge(tx, &request, response, now),
            };
            if tried {
                return;
            }
        }
        match self.table.get_mut(tx).map(|entry| &entry.user) {
            Some(User::Inviting(inviting)) => {
                let (id, again) = (inviting.session, inviting.again);
                match status {
                    ..=199 if inviting.given_up => self.cancel_if_wanted(tx, now),
                    300.. if inviting.given_up => {}
                    ..=199 => self.handle_provisional(tx, id, again, status, response, now),
                    200..=299 => self.handle_accepted(tx, response, now),
                    _ if again => self.handle_offer_refused(id, status, Some(response), now),
                    _ => self.way_refused(id, status, response, now),
                }
            }
            Some(User::Bye(id)) if status >= 200 => {
                let id = *id;
                self.finish(id, now);
            }
            Some(User::Probe(id)) if status >= 200 => {
                let id = *id;
                self.handle_probed(id, status, now);
            }
            Some(User::Registering(trunk)) if status >= 200 => {
                let trunk = trunk.as_ref().clone();
                self.handle_registered(&trunk, status, response, now);
            }
            Some(User::Proving(proving)) if status >= 200 => {
                let proving = proving.as_ref().clone();
                self.handle_proved(&proving, status, now);
            }
            Some(User::Update { session, offers, tag }) if status >= 200 => {
                let (id, offers, tag) = (*session, *offers, tag.clone());
                self.handle_updated(id, offers, &tag, Some(response), now);
            }
            Some(User::Pressing(id)) if status >= 200 => {
                let id = *id;
                self.handle_pressed(id, Some(status), now);
            }
            Some(User::Notify(id, refer)) if matches!(status, 408 | 481) => {
                let (id, refer) = (*id, *refer);
                self.unsubscribed(id, refer);
            }
            _ => {}
        }
    }

    fn handle_provisional(
        &mut self,
        tx: usize,
        id: SessionId,
        again: bool,
        status: u16,
        response: &Message,
        now: Now,
    ) {
        self.cancel_if_wanted(tx, now);
        if again {
            return;
        }
        let heard = match status {
            100 => None,
            _ => self.hear_early(tx, status, response, now),
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Phase::Calling { lapses, hung_up, .. } = &mut session.phase else {
            return;
        };
        let heard_first = lapses.take().is_some();
        session.rang |= status > 100;
        if let Some(sdp) = heard.filter(|_| !*hung_up) {
            self.tell(Event::Progressed { session: id, status, sdp });
        }
        if heard_first {
            self.wake(id);
        }
    }

    /// A 2xx to our INVITE: each has its ACK, the same again for the same tag; one makes the session,
    /// the others are released (RFC 3261 §13.2.2.4).
    fn handle_accepted(&mut self, tx: usize, response: &Message, now: Now) {
        let Some(entry) = self.table.get_mut(tx) else {
            return;
        };
        let (listener, peer, lifted) = (entry.listener, entry.peer, entry.lifted);
        let (Machine::InviteClient(machine), User::Inviting(inviting)) = (&entry.machine, &mut entry.user)
        else {
            return;
        };
        let tag = to_tag(response);
        if let Some(acked) = inviting.acked.iter().find(|acked| acked.tag == tag) {
            let (listener, peer, ack) = (acked.listener, acked.peer, acked.ack.clone());
            return self.send(listener, peer, ack);
        }
        if inviting.acked.len() == FORKS_MAX {
            return;
        }
        let Ok(invite) = Message::parse(machine.stored().clone()) else {
            return;
        };
        let (id, again, pinned) = (inviting.session, inviting.again, inviting.pinned);
        let (trunk, given_up) = (inviting.trunk.clone(), inviting.given_up);
        // What rang there before has used up CSeqs, and may have described the sound.
        let early = inviting.early.iter().position(|early| early.tag == tag);
        let early = early.map(|index| inviting.early.remove(index));
        let offering = early.as_ref().is_some_and(|early| early.offering);
        let (rang, described) = early.map_or((None, None), |early| {
            (Some(early.dialog), early.sdp.filter(|_| early.settled || !content::has_sdp(response)))
        });
        let mut dialog = match self.sessions.get_mut(&id) {
            // A re-INVITE only refreshes the target of the dialog that there is.
            Some(session) if again => {
                session.dialog.refresh_target(response);
                None
            }
            _ => {
                // Where its length alone took the INVITE over a stream, the dialog stays with datagrams.
                let home = lifted.unwrap_or(listener);
                let own = || Dialog::of_own_invite(&invite, home, peer, pinned);
                let mut dialog = rang.unwrap_or_else(own);
                dialog.trunk = trunk;
                match again {
                    true => dialog.refresh_target(response),
                    false => dialog.settle(response),
                }
                Some(dialog)
            }
        };
        let seq = invite.cseq().map_or(1, |cseq| cseq.number);
        let listener = match &mut dialog {
            Some(dialog) => {
                self.aim(dialog);
                dialog.listener
            }
            None => self.aim_session(id).unwrap_or(listener),
        };
        let (via, _) = self.branch(listener, &Method::Ack);
        let used = match (&dialog, self.sessions.get(&id)) {
            (Some(dialog), _) => dialog,
            (None, Some(session)) => &session.dialog,
            (None, None) => return,
        };
        let ack = self.name(used.draft(&Method::Ack, seq, &via), "User-Agent");
        // An ACK cannot be asked for proof: it carries what its INVITE did (RFC 3261 §22.1).
        let ack = ack.copy(&invite, Name::Authorization).copy(&invite, Name::ProxyAuthorization).finish();
        let to = used.destination();
        self.send(listener, to, ack.clone());
        if let Some(entry) = self.table.get_mut(tx)
            && let User::Inviting(inviting) = &mut entry.user
        {
            inviting.acked.push(Acked { tag, ack, listener, peer: to });
        }
        match (again, dialog.take()) {
            (true, _) => self.handle_offer_taken(id, response, now),
            (false, Some(mut dialog)) if given_up => {
                self.say(&mut dialog, &Method::Bye, User::Nobody, None, now);
            }
            (false, Some(dialog)) => {
                let sdp = described.or_else(|| content::sdp_of(response));
                self.adopt(id, dialog, sdp, now);
                self.begin_timer(id, response, invite.body(), offering, now);
            }
            (false, None) => {}
        }
    }

    /// Gives an answered dialog to its session, or releases it where the session has one or is gone.
    fn adopt(&mut self, id: SessionId, mut dialog: Dialog, sdp: Option<Arc<Sdp>>, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return self.say(&mut dialog, &Method::Bye, User::Nobody, None, now);
        };
        let Phase::Calling { hung_up, .. } = session.phase else {
            return self.say(&mut dialog, &Method::Bye, User::Nobody, None, now);
        };
        session.dialog = dialog;
        session.phase = Phase::Confirmed;
        self.ways_out.end(id);
        self.wake(id);
        self.way_carried(id);
        if hung_up {
            // It crossed our CANCEL.
            return self.bye(id, Some(EndCause::HungUp), &Farewell::default(), now);
        }
        self.tell(Event::Answered { session: id, sdp });
    }
    /// What follows for a session whose INVITE has just been answered: its timer, and offers of ours
    /// that waited. `offering`: one is out to this very place.
    fn begin_timer(&mut self, id: SessionId, response: &Message, described: &[u8], offering: bool, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if !matches!(session.phase, Phase::Confirmed) || session.dialog.remote_tag() != &*to_tag(response) {
            return;
        }
        session.take_terms(response, Some(described), now.mono);
        if !offering && let Offer::Ours { sdp, .. } = &mut session.offer {
            // It went to a place that did not answer.
            let sdp = std::mem::take(sdp);
            session.offer = Offer::Idle;
            session.next_offer.get_or_insert(sdp);
        }
        self.offer_next(id, now);
        self.wake(id);
    }
}
