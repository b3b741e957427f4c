//! Calls that go out: our INVITE, its way, and what its transaction remembers (RFC 3261 §13.2.1).
//!
//! What must outlive a session to settle late answers (a fork's ACK, a CANCEL that waits for a
//! provisional response) stays with the INVITE's transaction.

use std::net::SocketAddr;

use bytes::Bytes;

use super::build::Draft;
use super::dialog::{Dialog, MAX_FORWARDS, tag_of};
use super::endpoint::{Endpoint, Source, User};
use super::event::{EndCause, Event, Invite, NoWay, Origin, SessionId, Target};
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::session::{Farewell, Phase, Session};
use super::transaction::{InviteClient, Key, Machine};
use super::transport::Hop;
use super::wire_ref::WireRef;
use super::writing::host_of;
use crate::time::Now;

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
    pub(super) pinned: bool,
    pub(super) cancel: Cancel,
    /// 2xx that have their ACK, by To tag.
    pub(super) acked: Vec<Acked>,
}

/// Where taking it back stands.
#[derive(Debug)]
pub(super) enum Cancel {
    No,
    /// As soon as a provisional response is here.
    Wanted(Farewell),
    Sent,
}

/// A 2xx that has its ACK.
#[derive(Debug)]
pub(super) struct Acked {
    pub(super) tag: Box<[u8]>,
    pub(super) ack: Bytes,
    pub(super) peer: SocketAddr,
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
        let from_user = match &invite.target {
            Target::Trunk(routes) => routes.first().map_or("", |route| &*route.from_user),
            Target::Seat(_) => &*invite.from_user,
        };
        if self.is_full() {
            return Err(NoWay::Full);
        }
        let id = self.draw_session();
        let (via, key) = self.branch(way.source.listener, &Method::Invite);
        let host = host_of(&self.config, way.source.listener);
        let withheld = from_user.is_empty();
        let from = match withheld {
            true => "sip:anonymous@anonymous.invalid".to_owned(),
            false => format!("sip:{}@{host}", escape(from_user)),
        };
        let from = format!("{}<{from}>;tag={}", quote(&invite.from_display), tag_of(id));
        let call_id = format!("{}{}@{host}", self.dice.hex(16), self.dice.hex(16));
        let own_hops = invite.headers.iter().any(|(name, _)| Name::of(name.as_bytes()) == Name::MaxForwards);
        let mut draft = Draft::request(&Method::Invite, &way.uri).header("Via", &via);
        if !own_hops {
            draft = draft.header_number(Name::MaxForwards, MAX_FORWARDS);
        }
        draft = draft
            .header("From", from)
            .header("To", &way.to)
            .header("Call-ID", call_id)
            .header("CSeq", "1 INVITE");
        draft = self.sign(draft, way.source.listener).header("Allow", super::writing::ALLOW);
        if withheld {
            draft = draft.header("Privacy", "id");
        }
        for (name, value) in &invite.headers {
            if !OURS.contains(&Name::of(name.as_bytes())) {
                draft = draft.header(name, value);
            }
        }
        let bytes = draft.body("application/sdp", &invite.offer.write()).finish();
        let Ok(message) = Message::parse(bytes.clone()) else {
            return Err(NoWay::NoTarget);
        };
        let dialog = Dialog::of_own_invite(&message, way.source.listener, way.source.peer, way.pinned);
        let tx = self.send_invite(id, false, way.pinned, key, way.source, bytes, now);
        let lapses = Some(now.mono + invite.connect_timeout).filter(|_| !invite.connect_timeout.is_zero());
        self.sessions.insert(id, Session::new(dialog, Phase::Calling { tx, lapses, hung_up: false }, true));
        let to = match invite.target {
            Target::Seat(seat) => Some(Origin::Seat(seat)),
            Target::Trunk(routes) => routes.into_iter().next().map(|route| Origin::Trunk(route.trunk)),
        };
        if let (Some(to), Some(call_id)) = (to, message.call_id()) {
            self.tell(Event::InviteSent { session: id, to, wire_ref: WireRef::of_call_id(call_id) });
        }
        self.wake(id);
        Ok(id)
    }

    /// Where requests to `target` would go now.
    pub fn way_to(&self, target: &Target) -> Option<SocketAddr> {
        self.way(target).ok().map(|way| way.source.peer)
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
                    source: Source { listener: binding.listener, peer: binding.flow },
                    pinned: true,
                })
            }
            Target::Trunk(routes) => {
                let route = routes.first().ok_or(NoWay::NoTarget)?;
                let trunk = self.config.trunks.iter().find(|known| known.trunk == route.trunk);
                let hop = trunk.and_then(|trunk| trunk.hops.first()).ok_or(NoWay::NoTarget)?;
                let listener = self.listener_for(hop).ok_or(NoWay::NoTarget)?;
                let peer = hop.addr;
                let uri = match &*escape(&route.user) {
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

    /// The listener to reach a hop from: of its transport and family, and on loopback if and only if
    /// it is.
    fn listener_for(&self, hop: &Hop) -> Option<usize> {
        let peer = hop.addr;
        let listeners = || {
            self.config
                .listeners
                .iter()
                .enumerate()
                .filter(|(_, listener)| listener.transport == hop.transport)
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

    #[allow(clippy::too_many_arguments, reason = "a transaction and its surroundings")]
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
        let inviting = Inviting { session, again, pinned, cancel: Cancel::No, acked: Vec::new() };
        let machine = Machine::InviteClient(InviteClient::new(bytes, now.mono));
        let user = User::Inviting(Box::new(inviting));
        let tx = self.table.insert(key, None, (machine, user, way.listener, way.peer));
        self.run(tx, now);
        tx
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
        let Some(Phase::Calling { hung_up, .. }) = self.sessions.get(&id).map(|session| &session.phase)
        else {
            return;
        };
        let event = match hung_up {
            true => Event::Ended { session: id, cause: EndCause::HungUp },
            false => Event::Refused { session: id, status },
        };
        self.forget(id);
        self.tell(event);
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
