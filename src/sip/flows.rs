//! Connections as signalling sees them: which are there, whom their certificates name, and what
//! follows when one is lost (RFC 3261 §18; RFC 5626 for the idea that a binding is its flow).
//!
//! A flow is a listener and the far end's address; making and closing connections is `io`'s. Here is
//! also what goes over a stream only because it is too long for a datagram (RFC 3261 §18.1.1).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::dialog::Dialog;
use super::endpoint::{Endpoint, Source, User};
use super::event::SessionId;
use super::hunt::Lost;
use super::message::Message;
use super::transaction::{InviteClient, Machine, NonInviteClient};
use super::transport::{Hop, Rank, Transport};
use super::via::PORT;
use crate::time::{Instant, Now};

/// A longer request goes over a stream where it can (RFC 3261 §18.1.1).
const DATAGRAM_MAX: usize = 1_300;
/// Connections that are kept account of; dialogs over one beyond go by Contact and routes.
const FLOWS_MAX: usize = 65_536;
/// Far ends that took no connection for what was too long, and for how long they are not asked
/// again.
const DEAF_MAX: usize = 256;
const DEAF_FOR: Duration = Duration::from_secs(60);

/// The connections that are there.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// Names of the far end's verified certificate by connection.
    open: BTreeMap<(usize, SocketAddr), Box<[Box<str>]>>,
    deaf: BTreeMap<SocketAddr, Instant>,
}

impl Flows {
    pub(super) fn is_open(&self, listener: usize, peer: SocketAddr) -> bool {
        self.open.contains_key(&(listener, peer))
    }

    /// What the certificate of whoever is at the far end says; empty where it gave none.
    pub(super) fn names(&self, from: Source) -> &[Box<str>] {
        self.open.get(&(from.listener, from.peer)).map_or(&[], |names| names)
    }

    fn is_deaf(&self, peer: SocketAddr, now: Instant) -> bool {
        self.deaf.get(&peer).is_some_and(|until| now < *until)
    }

    fn note_deaf(&mut self, peer: SocketAddr, now: Instant) {
        self.deaf.retain(|_, until| now < *until);
        if self.deaf.len() < DEAF_MAX {
            self.deaf.insert(peer, now + DEAF_FOR);
        }
    }
}

impl Endpoint {
    /// A connection is made, by either side; to be told before its first message. `names` are the
    /// subjectAltName DNS names of the far end's certificate, verified.
    pub fn flow_opened(&mut self, listener: usize, peer: SocketAddr, names: Vec<String>) {
        if self.is_stream(listener) && self.flows.open.len() < FLOWS_MAX {
            let names = names.into_iter().map(String::into_boxed_str).collect();
            self.flows.open.insert((listener, peer), names);
        }
    }

    /// A connection is closed, or could not be made. Who registered over it is not there any more;
    /// requests that nobody answered yet fail as if there were no way there (RFC 3261 §8.1.3.1);
    /// dialogs look for another way when they have something to say.
    pub fn flow_closed(&mut self, listener: usize, peer: SocketAddr, now: Now) {
        self.flows.open.remove(&(listener, peer));
        self.registrar.forget_aside(listener, peer);
        for seat in self.registrar.seats_on(listener, peer) {
            self.unbind(seat);
        }
        for tx in self.table.clients_on(listener, peer) {
            if !self.lower(tx, now) {
                self.fail(tx, now);
            }
        }
        self.hop_unreachable(peer, now);
    }

    /// Whether a listener's messages go by connections.
    pub(super) fn is_stream(&self, listener: usize) -> bool {
        self.config.listeners.get(listener).is_some_and(|listener| listener.transport.is_reliable())
    }

    /// Names of hops at `addr` as the plan has them: what a TLS certificate from there must say.
    pub fn names_at(&self, addr: SocketAddr) -> Vec<std::sync::Arc<str>> {
        let hops = self.config.trunks.iter().flat_map(|trunk| &trunk.hops);
        let mut names: Vec<_> =
            hops.filter(|hop| hop.addr == addr).filter_map(|hop| hop.name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// A request of ours whose connection is lost fails at once.
    fn fail(&mut self, tx: usize, now: Now) {
        let Some(entry) = self.table.get_mut(tx) else {
            return;
        };
        let failed = match (&mut entry.machine, &entry.user) {
            (Machine::InviteClient(machine), User::Inviting(inviting)) => {
                let failed = machine.handle_unreachable() && !inviting.given_up;
                failed.then_some((inviting.session, inviting.again))
            }
            (Machine::NonInviteClient(machine), _) => {
                machine.handle_unreachable();
                None
            }
            _ => return,
        };
        self.run(tx, now);
        match failed {
            Some((id, true)) => self.handle_offer_refused(id, 503, None, now),
            Some((id, false)) => self.lose_way(id, Lost::Unreachable, None, now),
            None => {}
        }
    }

    /// Chooses the way of a dialog's next request: by its connection while that lives, else as the
    /// first route or the Contact says, with its transport (RFC 3261 §12.2.1.1, RFC 3263 §4.1).
    pub(super) fn aim(&self, dialog: &mut Dialog) {
        if !self.config.listeners.iter().any(|listener| listener.transport.is_reliable()) {
            return; // There is one kind of way.
        }
        if dialog.is_pinned() {
            if !self.is_stream(dialog.listener) || self.flows.is_open(dialog.listener, dialog.peer) {
                return;
            }
            dialog.unpin();
        }
        let Some(hop) = dialog.next_hop() else {
            return;
        };
        let has = |listener: usize| self.config.listeners.get(listener).map(|known| known.transport);
        if has(dialog.listener) != Some(hop.transport)
            && let Some(listener) = self.listener_for(&hop)
        {
            dialog.listener = listener;
        }
    }

    /// The same for a session's dialog; says by which listener it goes.
    pub(super) fn aim_session(&mut self, id: SessionId) -> Option<usize> {
        let mut session = self.sessions.remove(&id)?;
        self.aim(&mut session.dialog);
        let listener = session.dialog.listener;
        self.sessions.insert(id, session);
        Some(listener)
    }

    /// An answer is due whose request came by a connection that is lost: it goes where sent-by says
    /// (RFC 3261 §18.2.2).
    pub(super) fn mind_lost_flow(&mut self, tx: usize, request: &Message) {
        let Some((listener, peer)) = self.table.get_mut(tx).map(|entry| (entry.listener, entry.peer)) else {
            return;
        };
        if !self.is_stream(listener) || self.flows.is_open(listener, peer) {
            return;
        }
        if let Ok(via) = request.via()
            && let Some(entry) = self.table.get_mut(tx)
        {
            entry.peer.set_port(via.port().unwrap_or(PORT));
        }
    }

    /// Takes a request that is too long for a datagram to a stream, its Via with it, where there is a
    /// listener for one and the far end is not known to have none (RFC 3261 §18.1.1). What goes to a
    /// registered flow stays on it (RFC 5626 §5.3). The last of the three: whence it was taken.
    pub(super) fn lift(&self, way: Source, bytes: Bytes, now: Now) -> (Source, Bytes, Option<usize>) {
        if bytes.len() <= DATAGRAM_MAX || self.is_stream(way.listener) {
            return (way, bytes, None);
        }
        let stays = self.flows.is_deaf(way.peer, now.mono)
            || !self.registrar.seats_on(way.listener, way.peer).is_empty();
        let hop = Hop { transport: Transport::Tcp, addr: way.peer, name: None, rank: Rank::default() };
        match self.listener_for(&hop).filter(|_| !stays) {
            Some(listener) => {
                let bytes = self.revia(&bytes, way.listener, listener);
                (Source { listener, peer: way.peer }, bytes, Some(way.listener))
            }
            None => (way, bytes, None),
        }
    }

    pub(super) fn mark_lifted(&mut self, tx: usize, lifted: Option<usize>) {
        if let Some(entry) = self.table.get_mut(tx).filter(|_| lifted.is_some()) {
            entry.lifted = lifted;
        }
    }

    /// The far end takes no connections: what was too long goes by datagram after all
    /// (RFC 3261 §18.1.1). `false` where it was not sent over a stream for its length, or is answered.
    fn lower(&mut self, tx: usize, now: Now) -> bool {
        let Some(entry) = self.table.get_mut(tx) else {
            return false;
        };
        let Some(home) = entry.lifted.filter(|_| entry.machine.is_calling()) else {
            return false;
        };
        let (over, peer, stored) = (entry.listener, entry.peer, entry.machine.stored().clone());
        let is_invite = matches!(entry.machine, Machine::InviteClient(_));
        self.flows.note_deaf(peer, now.mono);
        let bytes = self.revia(&stored, over, home);
        let machine = match is_invite {
            true => Machine::InviteClient(InviteClient::new(bytes, now.mono)),
            false => Machine::NonInviteClient(NonInviteClient::new(bytes, now.mono)),
        };
        self.table.restart(tx, home, machine);
        self.run(tx, now);
        true
    }

    /// A request with the Via of one listener changed to that of another, its branch kept.
    fn revia(&self, bytes: &Bytes, from: usize, to: usize) -> Bytes {
        let (Some(from), Some(to)) = (self.faces.get(from), self.faces.get(to)) else {
            return bytes.clone();
        };
        let Some(at) = memchr::memmem::find(bytes, from.via.as_bytes()) else {
            return bytes.clone();
        };
        [&bytes[..at], to.via.as_bytes(), &bytes[at + from.via.len()..]].concat().into()
    }
}
