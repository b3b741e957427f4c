//! Calls that go out: our INVITE, its way, and what its transaction remembers (RFC 3261 §13.2.1).
//!
//! What must outlive a session to settle late answers (a fork's ACK, a CANCEL that waits for a
//! provisional response) stays with the INVITE's transaction.

use std::borrow::Cow;
use std::net::SocketAddr;

use bytes::Bytes;

use super::build::Draft;
use super::dialog::{Dialog, MAX_FORWARDS};
use super::early::Early;
use super::endpoint::{Endpoint, Source, User};
use super::event::{EndCause, Event, Invite, NoWay, Origin, Route, SessionId, Target, TrunkConfig, WayTo};
use super::hunt::{Lost, Step};
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::session::{Farewell, Phase, Session};
use super::tags::tag_of;
use super::transaction::{InviteClient, Key, Machine};
use super::transport::Hop;
use super::wire_ref::WireRef;
use super::writing::host_of;
use crate::id::{SeatId, TrunkId};
use crate::time::Now;

/// Names of headers that the endpoint writes itself: none of them is taken from above.
const OURS: [Name; 14] = [
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
    Name::Supported,
    Name::Require,
    Name::SessionExpires,
    Name::MinSe,
];

/// What our INVITE's transaction knows.
#[derive(Debug)]
pub(super) struct Inviting {
    pub(super) session: SessionId,
    /// The trunk that it goes by.
    pub(super) trunk: Option<TrunkId>,
    /// Another attempt has taken its place: whatever still comes of it is released.
    pub(super) given_up: bool,
    /// A re-INVITE.
    pub(super) again: bool,
    pub(super) pinned: bool,
    pub(super) cancel: Cancel,
    /// 2xx that have their ACK, by To tag.
    pub(super) acked: Vec<Acked>,
    /// Places that ring, the newest last.
    pub(super) early: Vec<Early>,
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
    pub(super) listener: usize,
    pub(super) peer: SocketAddr,
}

/// Where an INVITE goes.
pub(super) struct Way<'a> {
    pub(super) uri: Vec<u8>,
    to: String,
    /// The caller's number, where the way wants its own.
    from_user: Option<&'a str>,
    /// Host of From, where the way wants its own.
    from_host: Option<String>,
    source: Source,
    pinned: bool,
    trunk: Option<TrunkId>,
    /// The call goes on in an earlier attempt's thread.
    pub(super) thread: Option<Thread>,
}

/// What requests of one call have in common, and the CSeq of the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thread {
    pub(super) call_id: String,
    /// With our tag.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) seq: u32,
}

impl<'a> Way<'a> {
    /// By a trunk's hop, as `step` names it.
    pub(super) fn by_trunk(trunk: &TrunkConfig, route: &'a Route, step: &Step, listener: usize) -> Way<'a> {
        let peer = step.hop.addr;
        let host: &dyn std::fmt::Display = if trunk.domain.is_empty() { &peer } else { &trunk.domain };
        let uri = match &*escape(&route.user) {
            "" => format!("sip:{host}"),
            user => format!("sip:{user}@{host}"),
        };
        let to = format!("<{uri}>");
        let mut uri = step.redirected.as_ref().map_or_else(|| uri.into_bytes(), |uri| uri.to_vec());
        if step.hop.transport.is_reliable() && step.redirected.is_none() {
            uri.extend_from_slice(b";transport=");
            uri.extend_from_slice(step.hop.transport.uri_name().as_bytes());
        }
        Way {
            to,
            uri,
            from_user: Some(&route.from_user),
            from_host: (!trunk.domain.is_empty()).then(|| trunk.domain.clone()),
            source: Source { listener, peer },
            pinned: step.hop.transport.is_reliable(),
            trunk: Some(trunk.trunk.clone()),
            thread: None,
        }
    }
}

impl Endpoint {
    /// Sends an INVITE. What comes of it is told by events; exactly one of `Refused` and `Ended` is
    /// the last of them.
    pub fn invite(&mut self, invite: Invite, now: Now) -> Result<SessionId, NoWay> {
        // Help in an emergency is above any limit of ours.
        if self.is_full() && !invite.emergency {
            return Err(NoWay::Full);
        }
        let seat = match &invite.target {
            Target::Trunk(_) => return self.hunt(invite, now),
            Target::Seat(seat) => seat,
        };
        let way = self.way_to_seat(seat)?;
        let id = self.draw_session();
        self.send_call(id, &invite, &way, now).map(|()| id)
    }

    /// Sends one INVITE of a session; an earlier attempt of it is over.
    pub(super) fn send_call(
        &mut self,
        id: SessionId,
        invite: &Invite,
        way: &Way<'_>,
        now: Now,
    ) -> Result<(), NoWay> {
        let from_user = way.from_user.unwrap_or(&invite.from_user);
        let (via, key) = self.branch(way.source.listener, &Method::Invite);
        let ours = host_of(&self.config, way.source.listener);
        let host = way.from_host.as_ref().unwrap_or(&ours);
        let withheld = from_user.is_empty();
        let from = match withheld {
            true => "sip:anonymous@anonymous.invalid".to_owned(),
            false => format!("sip:{}@{host}", escape(from_user)),
        };
        let from = format!("{}<{from}>;tag={}", quote(&invite.from_display), tag_of(id));
        let id_of_its_own;
        let (call_id, from, to, seq) = match &way.thread {
            Some(Thread { call_id, from, to, seq }) => (call_id, from, to, *seq),
            None => {
                id_of_its_own = format!("{}{}@{ours}", self.dice.hex(16), self.dice.hex(16));
                (&id_of_its_own, &from, &way.to, 1)
            }
        };
        let own_hops = invite.headers.iter().any(|(name, _)| Name::of(name.as_bytes()) == Name::MaxForwards);
        let mut draft = Draft::request(&Method::Invite, &way.uri).header("Via", &via);
        if !own_hops {
            draft = draft.header_number(Name::MaxForwards, MAX_FORWARDS);
        }
        draft = draft
            .header("From", from)
            .header("To", to)
            .header("Call-ID", call_id)
            .header("CSeq", format!("{seq} INVITE"));
        draft = self.sign(draft, way.source.listener).header("Allow", super::writing::ALLOW);
        let trunk = way.trunk.as_ref().and_then(|trunk| self.trunk(trunk));
        let terms = trunk.map(|trunk| trunk.terms).unwrap_or_default();
        draft = terms.ask(draft, &self.config);
        draft = self.carry(draft, id, invite, trunk, (from_user, host, &way.uri));
        for (name, value) in &invite.headers {
            if !OURS.contains(&Name::of(name.as_bytes())) {
                draft = draft.header(name, value);
            }
        }
        draft = self.vouch(draft, way.trunk.as_ref(), &Method::Invite);
        let bytes = draft.body("application/sdp", &invite.offer.write()).finish();
        let Ok(message) = Message::parse(bytes.clone()) else {
            return Err(NoWay::NoTarget);
        };
        let mut dialog = Dialog::of_own_invite(&message, way.source.listener, way.source.peer, way.pinned);
        dialog.trunk.clone_from(&way.trunk);
        // What the rooms above wanted to describe still waits for whoever answers.
        let next_offer = self.sessions.get_mut(&id).and_then(Session::unanswered_offer);
        self.forget(id, now);
        let tx = self.send_invite(id, false, way.pinned, key, way.source, bytes, now);
        self.goes_by(tx, way.trunk.as_ref());
        let asked = Some(now.mono + invite.connect_timeout).filter(|_| !invite.connect_timeout.is_zero());
        let lapses = match &way.trunk {
            Some(trunk) => self.lapses(id, trunk, now).or(asked),
            None => asked,
        };
        if let Some(trunk) = &way.trunk {
            self.trunks.enter(trunk);
        }
        let party = match (&way.trunk, &invite.target) {
            (Some(trunk), _) => Some(Origin::Trunk(trunk.clone())),
            (None, Target::Seat(seat)) => Some(Origin::Seat(seat.clone())),
            (None, Target::Trunk(_)) => None,
        };
        if let (Some(to), Some(call_id)) = (party.clone(), message.call_id()) {
            self.tell(Event::InviteSent { session: id, to, wire_ref: WireRef::of_call_id(call_id) });
        }
        let phase = Phase::Calling { tx, lapses, hung_up: false };
        self.ways_out.begin(id, dialog.uuids.local);
        self.sessions.insert(id, Session { party, terms, next_offer, ..Session::new(dialog, phase, true) });
        self.wake(id);
        Ok(())
    }

    /// Where requests to `target` would go now; a call that takes another way is told by
    /// [`Event::Routed`].
    pub fn way_to(&self, target: &Target) -> Option<WayTo> {
        match target {
            Target::Seat(seat) => {
                let source = self.way_to_seat(seat).ok()?.source;
                Some(WayTo { peer: source.peer, listener: source.listener })
            }
            Target::Trunk(routes) => {
                let hops = |route: &Route| self.trunk(&route.trunk)?.hops.first();
                // One that leads nowhere yet is no reason not to try the others.
                let hop = routes.iter().find_map(hops)?;
                Some(WayTo { peer: hop.addr, listener: self.listener_for(hop)? })
            }
        }
    }

    fn way_to_seat(&self, seat: &SeatId) -> Result<Way<'static>, NoWay> {
        let binding = self.registrar.binding(seat).ok_or(NoWay::NotRegistered)?;
        Ok(Way {
            uri: binding.contact.as_bytes().to_vec(),
            to: format!("<sip:{}@{}>", escape(seat.as_str()), host_of(&self.config, binding.listener)),
            from_user: None,
            from_host: None,
            source: Source { listener: binding.listener, peer: binding.flow },
            pinned: true,
            trunk: None,
            thread: None,
        })
    }

    /// The listener to reach a hop from: of its transport and family, and on loopback if and only if
    /// it is.
    pub(super) fn listener_for(&self, hop: &Hop) -> Option<usize> {
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
        let (way, bytes, lifted) = self.lift(way, bytes, now);
        let inviting = Inviting {
            session,
            trunk: self.sessions.get(&session).and_then(|session| session.dialog.trunk.clone()),
            given_up: false,
            again,
            pinned,
            cancel: Cancel::No,
            acked: Vec::new(),
            early: Vec::new(),
        };
        let machine = Machine::InviteClient(InviteClient::new(bytes, now.mono));
        let user = User::Inviting(Box::new(inviting));
        let tx = self.table.insert(key, None, (machine, user, way.listener, way.peer));
        self.mark_lifted(tx, lifted);
        self.run(tx, now);
        tx
    }

    /// Says by which trunk an INVITE of ours goes.
    pub(super) fn goes_by(&mut self, tx: usize, trunk: Option<&TrunkId>) {
        if let Some(entry) = self.table.get_mut(tx)
            && let User::Inviting(inviting) = &mut entry.user
        {
            inviting.trunk = trunk.cloned();
        }
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
            let (id, again, given_up) = (inviting.session, inviting.again, inviting.given_up);
            let Machine::InviteClient(machine) = &mut entry.machine else {
                continue;
            };
            if !again && machine.handle_unreachable() {
                self.run(tx, now);
                if !given_up {
                    self.lose_way(id, Lost::Unreachable, None, now);
                }
            }
        }
        self.hop_unreachable(peer, now);
    }

    /// Our INVITE has failed for good, by `refusal` where there was one.
    pub(super) fn end_invite(&mut self, id: SessionId, status: u16, refusal: Option<&Message>, now: Now) {
        let Some(Phase::Calling { hung_up, .. }) = self.sessions.get(&id).map(|session| &session.phase)
        else {
            return;
        };
        let event = match hung_up {
            true => Event::Ended { session: id, cause: EndCause::HungUp },
            false => Event::Refused { session: id, status },
        };
        if let Some(refusal) = refusal {
            self.tell_reason(id, refusal);
        }
        self.forget(id, now);
        self.tell(event);
    }
}

/// A user part with everything escaped that is not plain (RFC 3261 §25.1).
pub(super) fn escape(user: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()+".contains(&byte);
    if user.bytes().all(is_plain) {
        return user.into();
    }
    let mut text = String::with_capacity(user.len() + 8);
    for byte in user.bytes() {
        match is_plain(byte) {
            true => text.push(byte as char),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text.into()
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
