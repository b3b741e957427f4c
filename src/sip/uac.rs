//! Calls that go out: our INVITE, its forks, CANCEL, and hanging up (RFC 3261 §13.2, §9.1, §15).
//!
//! What must outlive a session to settle late answers (a fork's ACK, a CANCEL that waits for a
//! provisional response) stays with the INVITE's transaction.

use std::net::SocketAddr;

use bytes::Bytes;

use super::build::Draft;
use super::dialog::{Dialog, MAX_FORWARDS, ack_for_refusal, cancel_for, tag_of, to_tag};
use super::door;
use super::endpoint::{Endpoint, Source, User, host_of, role};
use super::event::{EndCause, Event, Invite, NoWay, SessionId, Target, TurnedAway};
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::session::{Farewell, Phase, Session};
use super::transaction::{InviteClient, Key, Machine};
use crate::time::Now;

/// Most answers of one INVITE that are settled; a fork beyond is left to its own time-out.
const FORKS_MAX: usize = 8;

/// Names of headers that the endpoint writes itself: none of them is taken from above.
const OURS: [Name; 10] = [
    Name::Via,
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::Contact,
    Name::Route,
    Name::ContentLength,
    Name::ContentType,
    Name::RecordRoute,
];

/// What our INVITE's transaction knows.
#[derive(Debug)]
pub(super) struct Inviting {
    pub(super) session: SessionId,
    /// A re-INVITE.
    pub(super) again: bool,
    pinned: bool,
    cancel: Cancel,
    /// 2xx that have their ACK, by To tag.
    acked: Vec<Acked>,
}

#[derive(Debug)]
enum Cancel {
    No,
    /// As soon as a provisional response is here.
    Wanted(Farewell),
    Sent,
}

#[derive(Debug)]
struct Acked {
    tag: Box<[u8]>,
    ack: Bytes,
    peer: SocketAddr,
}

/// Where an INVITE goes.
struct Way {
    uri: Vec<u8>,
    to: String,
    source: Source,
    pinned: bool,
}

impl Endpoint {
    /// Sends an INVITE. What comes of it is told by events; exactly one of `Refused` and `Ended` is
    /// the last of them.
    pub fn invite(&mut self, invite: Invite, now: Now) -> Result<SessionId, NoWay> {
        let way = self.way(&invite.target)?;
        if self.is_full() {
            return Err(NoWay::Full);
        }
        let id = self.draw_session();
        let (via, key) = self.branch(way.source.listener, &Method::Invite);
        let host = host_of(&self.config, way.source.listener);
        let withheld = invite.from_user.is_empty();
        let from = match withheld {
            true => "sip:anonymous@anonymous.invalid".to_owned(),
            false => format!("sip:{}@{host}", escape(&invite.from_user)),
        };
        let from = format!("{}<{from}>;tag={}", quote(&invite.from_display), tag_of(id));
        let call_id = format!("{}{}@{host}", self.dice.hex(16), self.dice.hex(16));
        let own_hops = invite
            .headers
            .iter()
            .any(|(name, _)| Name::of(name.as_bytes()) == Name::MaxForwards);
        let mut draft = Draft::request(&Method::Invite, &way.uri).header("Via", &via);
        if !own_hops {
            draft = draft.header_number(Name::MaxForwards, MAX_FORWARDS);
        }
        draft = draft
            .header("From", from)
            .header("To", &way.to)
            .header("Call-ID", call_id)
            .header("CSeq", "1 INVITE");
        draft = self
            .sign(draft, way.source.listener)
            .header("Allow", super::endpoint::ALLOW);
        if withheld {
            draft = draft.header("Privacy", "id");
        }
        for (name, value) in &invite.headers {
            if !OURS.contains(&Name::of(name.as_bytes())) {
                draft = draft.header(name, value);
            }
        }
        let bytes = draft
            .body("application/sdp", &invite.offer.write())
            .finish();
        let Ok(message) = Message::parse(bytes.clone()) else {
            return Err(NoWay::NoTarget);
        };
        let dialog =
            Dialog::of_own_invite(&message, way.source.listener, way.source.peer, way.pinned);
        let tx = self.send_invite(id, false, way.pinned, key, way.source, bytes, now);
        let lapses =
            Some(now.mono + invite.connect_timeout).filter(|_| !invite.connect_timeout.is_zero());
        self.sessions.insert(
            id,
            Session::new(
                dialog,
                Phase::Calling {
                    tx,
                    lapses,
                    hung_up: false,
                },
                true,
            ),
        );
        self.wake(id);
        Ok(id)
    }

    fn way(&self, target: &Target) -> Result<Way, NoWay> {
        match target {
            Target::Seat(seat) => {
                let binding = self.registrar.binding(seat).ok_or(NoWay::NotRegistered)?;
                Ok(Way {
                    uri: binding.contact.as_bytes().to_vec(),
                    to: format!(
                        "<sip:{}@{}>",
                        escape(seat.as_str()),
                        host_of(&self.config, binding.listener)
                    ),
                    source: Source {
                        listener: binding.listener,
                        peer: binding.flow,
                    },
                    pinned: true,
                })
            }
            Target::Trunk { trunk, user } => {
                let trunk = self
                    .config
                    .trunks
                    .iter()
                    .find(|known| known.trunk == *trunk)
                    .ok_or(NoWay::NoTarget)?;
                let peer = trunk.target.ok_or(NoWay::NoTarget)?;
                let listener = self.listener_for(peer).ok_or(NoWay::NoTarget)?;
                let uri = match &*escape(user) {
                    "" => format!("sip:{peer}"),
                    user => format!("sip:{user}@{peer}"),
                };
                Ok(Way {
                    to: format!("<{uri}>"),
                    uri: uri.into_bytes(),
                    source: Source { listener, peer },
                    pinned: false,
                })
            }
        }
    }

    /// The listener to reach `peer` from: of its family, and on loopback if and only if it is.
    fn listener_for(&self, peer: SocketAddr) -> Option<usize> {
        let listeners = || {
            self.config
                .listeners
                .iter()
                .enumerate()
                .filter(|(_, listener)| listener.bind.is_ipv4() == peer.is_ipv4())
        };
        listeners()
            .find(|(_, listener)| {
                let ip = listener.bind.ip();
                ip.is_unspecified() || ip.is_loopback() == peer.ip().is_loopback()
            })
            .or_else(|| listeners().next())
            .map(|(index, _)| index)
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "a transaction and its surroundings"
    )]
    pub(super) fn send_invite(
        &mut self,
        session: SessionId,
        again: bool,
        pinned: bool,
        key: Key,
        way: Source,
        bytes: Bytes,
        now: Now,
    ) -> usize {
        let inviting = Inviting {
            session,
            again,
            pinned,
            cancel: Cancel::No,
            acked: Vec::new(),
        };
        let machine = Machine::InviteClient(InviteClient::new(bytes, now.mono));
        let user = User::Inviting(Box::new(inviting));
        let tx = self
            .table
            .insert(key, None, (machine, user, way.listener, way.peer));
        self.run(tx, now);
        tx
    }

    /// Ends a session in the way its state wants: 480, CANCEL, or BYE after the ACK (RFC 3261 §15).
    /// `reason` is the value of a Reason header (RFC 3326). [`Event::Ended`] tells when it is through.
    pub fn hang_up(&mut self, id: SessionId, reason: Option<&str>, now: Now) {
        let farewell = Farewell {
            reason: reason.map(str::to_owned),
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        match &mut session.phase {
            Phase::Incoming { .. } => self.refuse(id, 480, None, now),
            Phase::Accepted { hang_up, .. } => *hang_up = Some(farewell),
            Phase::Calling {
                hung_up, lapses, ..
            } => {
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

    fn cancel_if_wanted(&mut self, tx: usize, now: Now) {
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
        let bytes = cancel_for(&invite, farewell.reason.as_deref());
        inviting.cancel = Cancel::Sent;
        let branch = invite.via().ok();
        let branch = branch
            .as_ref()
            .and_then(|via| via.branch())
            .unwrap_or_default();
        let key = self
            .keys
            .of(role::CLIENT, &[branch, Method::Cancel.as_bytes()]);
        self.request(User::Nobody, key, Source { listener, peer }, bytes, now);
        self.run(tx, now);
    }

    /// An ICMP error came from `peer`: INVITEs to it that nobody has answered fail at once.
    pub fn unreachable(&mut self, peer: SocketAddr, now: Now) {
        for tx in self.table.invites_to(peer) {
            let Some(entry) = self.table.get_mut(tx) else {
                continue;
            };
            let User::Inviting(inviting) = &entry.user else {
                continue;
            };
            let (id, again) = (inviting.session, inviting.again);
            let Machine::InviteClient(machine) = &mut entry.machine else {
                continue;
            };
            if !again && machine.handle_unreachable() {
                self.run(tx, now);
                self.end_invite(id, 503);
            }
        }
    }

    /// Our INVITE has failed for good.
    pub(super) fn end_invite(&mut self, id: SessionId, status: u16) {
        let Some(Phase::Calling { hung_up, .. }) =
            self.sessions.get(&id).map(|session| &session.phase)
        else {
            return;
        };
        let event = match hung_up {
            true => Event::Ended {
                session: id,
                cause: EndCause::HungUp,
            },
            false => Event::Refused {
                session: id,
                status,
            },
        };
        self.forget(id);
        self.tell(event);
    }

    /// A sound response.
    pub(super) fn handle_response(&mut self, response: &Message, from: Source, now: Now) {
        let (Ok(via), Ok(cseq), Some(status)) =
            (response.via(), response.cseq(), response.status())
        else {
            return;
        };
        let branch = via.branch().unwrap_or_default();
        let key = self
            .keys
            .of(role::CLIENT, &[branch, cseq.method.as_bytes()]);
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
        let Some(session) = self.sessions.get_mut(&id).filter(|_| !again) else {
            return;
        };
        let Phase::Calling {
            lapses, hung_up, ..
        } = &mut session.phase
        else {
            return;
        };
        let heard_first = lapses.take().is_some();
        if status > 100 && !*hung_up {
            self.tell(Event::Progressed {
                session: id,
                status,
                sdp: door::sdp_of(response),
            });
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
        let (Machine::InviteClient(machine), User::Inviting(inviting)) =
            (&entry.machine, &mut entry.user)
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
                dialog.settle(response);
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
        let ack = self
            .name(used.draft(&Method::Ack, seq, &via), "User-Agent")
            .finish();
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
        self.tell(Event::Answered {
            session: id,
            sdp: door::sdp_of(response),
        });
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
        self.say(
            &mut session.dialog,
            &Method::Options,
            User::Probe(id),
            None,
            now,
        );
        self.sessions.insert(id, session);
    }

    fn handle_probed(&mut self, id: SessionId, status: u16, now: Now) {
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
}

/// A user part with everything escaped that is not plain (RFC 3261 §25.1).
fn escape(user: &str) -> String {
    let mut text = String::with_capacity(user.len());
    for byte in user.bytes() {
        match byte {
            b'0'..=b'9'
            | b'a'..=b'z'
            | b'A'..=b'Z'
            | b'-'
            | b'_'
            | b'.'
            | b'!'
            | b'~'
            | b'*'
            | b'\''
            | b'('
            | b')'
            | b'+' => text.push(byte as char),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// A display name with its quotes and a blank behind; nothing for an empty one.
fn quote(display: &str) -> String {
    if display.is_empty() {
        return String::new();
    }
    let mut text = String::from("\"");
    for letter in display.chars().filter(|letter| !letter.is_control()) {
        if matches!(letter, '"' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push_str("\" ");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_above_breaks_out_of_its_place() {
        assert_eq!(escape("+86139;lr@h>"), "+86139%3Blr%40h%3E");
        assert_eq!(quote("a\"b\\c\r\nVia: x"), "\"a\\\"b\\\\cVia: x\" ");
        assert_eq!(quote(""), "");
    }
}
