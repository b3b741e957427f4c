//! What we write into each message: who we are, where we are, and by which branch to answer.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::build::Draft;
use super::dialog::Dialog;
use super::endpoint::{Endpoint, Source, User, role};
use super::event::{Config, ListenerConfig, SessionId};
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::session::Farewell;
use super::tags::{hex, tag_of};
use super::transaction::{Key, Machine, NonInviteClient};
use super::transport::Transport;
use super::via::PORT;
use crate::time::Now;

/// What we serve, for Allow.
pub(super) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, REFER, SUBSCRIBE, NOTIFY";

/// What a listener calls itself.
#[derive(Debug)]
pub(super) struct Face {
    /// What it says.
    pub(super) addr: SocketAddr,
    /// Via up to its parameters: protocol, transport, `host:port`.
    pub(super) via: String,
    /// Value of Contact.
    pub(super) contact: String,
}

impl Face {
    /// Whether a Via's sent-by names us: `host` without brackets.
    pub(super) fn is_at(&self, host: &[u8], port: Option<u16>) -> bool {
        let named = std::str::from_utf8(host).ok().and_then(|host| host.parse::<IpAddr>().ok());
        named == Some(self.addr.ip()) && port.unwrap_or(PORT) == self.addr.port()
    }
}

impl Endpoint {
    /// Sends a request of ours other than INVITE and ACK.
    pub(super) fn request(&mut self, user: User, key: Key, from: Source, bytes: Bytes, now: Now) {
        let (from, bytes, lifted) = self.lift(from, bytes, now);
        let machine = Machine::NonInviteClient(NonInviteClient::new(bytes, now.mono));
        let tx = self.table.insert(key, None, (machine, user, from.listener, from.peer));
        self.mark_lifted(tx, lifted);
        self.run(tx, now);
    }

    /// A request of ours in a dialog, sent by a transaction of its own.
    pub(super) fn say(
        &mut self,
        dialog: &mut Dialog,
        method: &Method,
        user: User,
        farewell: Option<&Farewell>,
        now: Now,
    ) {
        let finish = |mut draft: Draft| {
            if let Some(reason) = farewell.and_then(|farewell| farewell.reason.as_ref()) {
                draft = draft.header("Reason", reason);
            }
            if *method == Method::Options {
                draft = draft.header("Accept", super::multipart::ACCEPT);
            }
            draft
        };
        self.ask(dialog, method, user, finish, now);
    }

    /// The same, with what `finish` adds.
    pub(super) fn ask(
        &mut self,
        dialog: &mut Dialog,
        method: &Method,
        user: User,
        finish: impl FnOnce(Draft) -> Draft,
        now: Now,
    ) {
        self.aim(dialog);
        let (via, key) = self.branch(dialog.listener, method);
        let seq = dialog.next_seq();
        let draft = dialog.draft(method, seq, &via);
        let draft = match method {
            // They refresh the target, and so say where we are (RFC 3311 §5.1, RFC 6665 §4.4.1).
            Method::Update | Method::Notify => self.sign(draft, dialog.listener),
            _ => self.name(draft, "User-Agent"),
        };
        let draft = finish(draft);
        let draft = self.vouch(draft, dialog.trunk.as_ref(), method);
        let way = Source { listener: dialog.listener, peer: dialog.destination() };
        self.request(user, key, way, draft.finish(), now);
    }

    /// A new branch: the Via value that carries it, and the key that its answers are found by.
    pub(super) fn branch(&mut self, listener: usize, method: &Method) -> (String, Key) {
        let branch = format!("z9hG4bK{}", hex(&self.dice.next_u64().to_be_bytes()));
        let key = self.keys.of(role::CLIENT, &[branch.as_bytes(), method.as_bytes()]);
        let via = self.faces.get(listener).map_or("SIP/2.0/UDP invalid", |face| &*face.via);
        (format!("{via};branch={branch};rport"), key)
    }

    /// Contact, and who we are.
    pub(super) fn sign(&self, draft: Draft, listener: usize) -> Draft {
        let contact = self.faces.get(listener).map_or("", |face| &*face.contact);
        self.name(draft.header("Contact", contact), "User-Agent")
    }

    /// Who we are, in `header`.
    pub(super) fn name(&self, draft: Draft, header: &str) -> Draft {
        match &*self.config.product {
            "" => draft,
            product => draft.header(header, product),
        }
    }

    /// Session-ID in an answer of a session's (RFC 7989 §6).
    pub(super) fn mark(&self, draft: Draft, id: SessionId) -> Draft {
        match self.sessions.get(&id) {
            Some(session) => draft.header("Session-ID", session.dialog.uuids.value()),
            None => draft,
        }
    }

    /// An answer of a session to `request`, so far without body.
    pub(super) fn answer_draft(&self, request: &Message, from: Source, status: u16, id: SessionId) -> Draft {
        let draft = self.mark(Draft::response(request, from.peer, status, Some(&tag_of(id))), id);
        let draft = match status {
            101..=299 => {
                let contact = self.faces.get(from.listener).map_or("", |face| &*face.contact);
                draft.header("Contact", contact).header("Allow", ALLOW)
            }
            _ => draft,
        };
        self.name(draft, "Server")
    }
}

/// What a listener calls itself.
pub(super) fn face(listener: &ListenerConfig) -> Face {
    let addr = SocketAddr::new(listener.advertise, listener.bind.port());
    let transport = listener.transport;
    // RFC 3263 §4.1 takes UDP for a numeric host that says nothing else.
    let contact = match transport {
        Transport::Udp => format!("<sip:{addr}>"),
        Transport::Tcp | Transport::Tls => format!("<sip:{addr};transport={}>", transport.uri_name()),
    };
    Face { addr, contact, via: format!("SIP/2.0/{} {addr}", transport.via_name()) }
}

/// The URI scheme and host that name us to a peer when the plan gives no domain.
pub(super) fn host_of(config: &Config, listener: usize) -> String {
    let ip = config.listeners.get(listener).map(|listener| listener.advertise);
    match (ip, &*config.domain) {
        (Some(IpAddr::V6(ip)), "") => format!("[{ip}]"),
        (Some(IpAddr::V4(ip)), "") => ip.to_string(),
        (_, domain) => domain.to_owned(),
    }
}

/// Where answers to a request go (RFC 3261 §18.2.2, RFC 3581 §4).
pub(super) fn reply_to(request: &Message, from: Source) -> Source {
    let peer = request.via().map_or(from.peer, |via| via.reply_address(from.peer));
    Source { listener: from.listener, peer }
}

/// The text of `name` as a string of ours; bytes that are not UTF-8 are replaced.
pub(super) fn text(request: &Message, name: Name) -> String {
    String::from_utf8_lossy(request.header(name).unwrap_or_default()).into_owned()
}
