//! What comes of our requests: progress, answers, forks and refusals (RFC 3261 §13.2.2).

use std::time::Duration;

use bytes::Bytes;

use super::dialog::{Dialog, ack_for_refusal, to_tag};
use super::door;
use super::endpoint::{Endpoint, Source, User, role};
use super::event::{EndCause, Event, SessionId, TurnedAway};
use super::message::Message;
use super::method::Method;
use super::session::{Farewell, Phase};
use super::transaction::Machine;
use super::uac::Acked;
use crate::time::Now;

/// Most answers of one INVITE that are settled; a fork beyond is left to its own time-out.
const FORKS_MAX: usize = 8;

/// How long a re-INVITE that has had a provisional answer waits for the next one or a final one:
/// Timer C's three minutes (RFC 3261 §16.6).
const REINVITE_MAX: Duration = Duration::from_secs(180);

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
        match &mut entry.machine {
            Machine::InviteClient(machine) => {
                let ack = |invite: &Bytes| match Message::parse(invite.clone()) {
                    Ok(invite) => ack_for_refusal(&invite, response),
                    Err(_) => Bytes::new(),
                };
                machine.handle_response(status, ack, now.mono);
            }
            Machine::NonInviteClient(machine) => machine.handle_response(status, now.mono),
            Machine::InviteServer(_) | Machine::NonInviteServer(_) => return,
        }
        if !self.run(tx, now) {
            return;
        }
        match self.table.get_mut(tx).map(|entry| &entry.user) {
            Some(User::Inviting(inviting)) => {
                let (id, again) = (inviting.session, inviting.again);
                match status {
                    ..=199 => self.handle_provisional(tx, id, again, status, response, now),
                    200..=299 => self.handle_accepted(tx, response, now),
                    _ if again => self.handle_offer_refused(id, status, now),
                    _ => self.end_invite(id, status),
                }
            }
            Some(User::Bye(id)) if status >= 200 => {
                let id = *id;
                self.finish(id);
            }
            Some(User::Probe(id)) if status >= 200 => {
                let id = *id;
                self.handle_probed(id, status, now);
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
        if again
            && let Some(Machine::InviteClient(machine)) =
                self.table.get_mut(tx).map(|entry| &mut entry.machine)
        {
            // It must not outlive its call for want of an answer.
            machine.expect_final(now.mono + REINVITE_MAX);
            self.run(tx, now);
        }
        let Some(session) = self.sessions.get_mut(&id).filter(|_| !again) else {
            return;
        };
        let Phase::Calling { lapses, hung_up, .. } = &mut session.phase else {
            return;
        };
        let heard_first = lapses.take().is_some();
        if status > 100 && !*hung_up {
            self.tell(Event::Progressed { session: id, status, sdp: door::sdp_of(response) });
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
        let (listener, peer) = (entry.listener, entry.peer);
        let (Machine::InviteClient(machine), User::Inviting(inviting)) = (&entry.machine, &mut entry.user)
        else {
            return;
        };
        let tag = to_tag(response);
        if let Some(acked) = inviting.acked.iter().find(|acked| acked.tag == tag) {
            let (peer, ack) = (acked.peer, acked.ack.clone());
            return self.send(listener, peer, ack);
        }
        if inviting.acked.len() == FORKS_MAX {
            return;
        }
        let Ok(invite) = Message::parse(machine.stored().clone()) else {
            return;
        };
        let (id, again, pinned) = (inviting.session, inviting.again, inviting.pinned);
        let mut dialog = match self.sessions.get_mut(&id) {
            // A re-INVITE only refreshes the target of the dialog that there is.
            Some(session) if again => {
                session.dialog.refresh_target(response);
                None
            }
            _ => {
                let mut dialog = Dialog::of_own_invite(&invite, listener, peer, pinned);
                match again {
                    true => dialog.refresh_target(response),
                    false => dialog.settle(response),
                }
                Some(dialog)
            }
        };
        let seq = invite.cseq().map_or(1, |cseq| cseq.number);
        let (via, _) = self.branch(listener, &Method::Ack);
        let used = match (&dialog, self.sessions.get(&id)) {
            (Some(dialog), _) => dialog,
            (None, Some(session)) => &session.dialog,
            (None, None) => return,
        };
        let ack = self.name(used.draft(&Method::Ack, seq, &via), "User-Agent").finish();
        let to = used.destination();
        self.send(listener, to, ack.clone());
        if let Some(entry) = self.table.get_mut(tx)
            && let User::Inviting(inviting) = &mut entry.user
        {
            inviting.acked.push(Acked { tag, ack, peer: to });
        }
        match (again, dialog.take()) {
            (true, _) => self.handle_offer_taken(id, response, now),
            (false, Some(dialog)) => self.adopt(id, dialog, response, now),
            (false, None) => {}
        }
    }

    /// Gives an answered dialog to its session, or releases it where the session has one or is gone.
    fn adopt(&mut self, id: SessionId, mut dialog: Dialog, response: &Message, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return self.say(&mut dialog, &Method::Bye, User::Nobody, None, now);
        };
        let Phase::Calling { hung_up, .. } = session.phase else {
            return self.say(&mut dialog, &Method::Bye, User::Nobody, None, now);
        };
        session.dialog = dialog;
        session.phase = Phase::Confirmed;
        self.wake(id);
        if hung_up {
            // It crossed our CANCEL.
            return self.bye(id, Some(EndCause::HungUp), &Farewell::default(), now);
        }
        self.tell(Event::Answered { session: id, sdp: door::sdp_of(response) });
    }
}
