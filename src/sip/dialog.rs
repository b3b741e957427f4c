//! One dialog: who talks to whom, by which way, and with which numbers (RFC 3261 §12).
//!
//! What is said in it is for `uas`, `uac` and `offers`. Texts are copies of their own: a slice would
//! keep a whole datagram alive for as long as the call lasts.

use std::net::SocketAddr;

use super::build::Draft;
use super::event::SessionId;
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::name_addr::NameAddr;
use super::tags::{tag_of, to_tag};
use super::transport::{Hop, Rank, Transport};
use super::uac::Thread;
use super::uri::Uri;
use super::uuids::Uuids;
use super::wire_ref::WireRef;
use crate::id::TrunkId;

/// Most Record-Route entries that are kept; with more the peer is spoken to as if there were none.
const ROUTES_MAX: usize = 16;

/// Sent in each request of ours.
pub(super) const MAX_FORWARDS: u64 = 70;

/// Our side of it.
#[derive(Debug)]
pub(super) struct Dialog {
    call_id: Box<[u8]>,
    /// Our From in requests, tag included.
    local: Box<[u8]>,
    /// Our To in requests, tag included.
    remote: Box<[u8]>,
    remote_tag: Box<[u8]>,
    /// The peer's Contact: Request-URI of our requests.
    target: Box<[u8]>,
    /// Route headers of our requests, in order.
    routes: Vec<Box<[u8]>>,
    local_seq: u32,
    /// Highest CSeq that the peer used; 0 before its first request.
    remote_seq: u32,
    /// The listener that it runs over.
    pub(super) listener: usize,
    /// Where the peer is known to be.
    pub(super) peer: SocketAddr,
    /// Whether all requests go to `peer`, whatever Contact says: a seat behind NAT, or a connection
    /// that is used again while it lives.
    pinned: bool,
    /// The trunk that it runs by: it counts there, and proves itself with its account.
    pub(super) trunk: Option<TrunkId>,
    /// Session-ID.
    pub(super) uuids: Uuids,
}

impl Dialog {
    /// The callee's side of `invite`, whose To gets our tag.
    pub(super) fn of_invite(
        invite: &Message,
        id: SessionId,
        listener: usize,
        peer: SocketAddr,
        pinned: bool,
    ) -> Self {
        let mut local = invite.header(Name::To).unwrap_or_default().to_vec();
        local.extend_from_slice(b";tag=");
        local.extend_from_slice(tag_of(id).as_bytes());
        let remote = invite.header(Name::From).unwrap_or_default();
        let tag = invite.from().ok().and_then(|from| from.tag().map(Box::from));
        let mut dialog = Dialog {
            call_id: invite.call_id().unwrap_or_default().into(),
            local: local.into(),
            remote: remote.into(),
            remote_tag: tag.unwrap_or_default(),
            target: match invite.from() {
                Ok(from) if is_target(&from) => from.uri().into(),
                _ => format!("sip:{peer}").into_bytes().into(),
            },
            routes: routes(invite, false),
            local_seq: 0,
            remote_seq: invite.cseq().map_or(0, |cseq| cseq.number),
            listener,
            peer,
            pinned,
            trunk: None,
            uuids: Uuids::of_own(invite),
        };
        dialog.refresh_target(invite);
        dialog
    }

    /// The caller's side of `invite`, our own, before any answer.
    pub(super) fn of_own_invite(invite: &Message, listener: usize, peer: SocketAddr, pinned: bool) -> Self {
        Dialog {
            call_id: invite.call_id().unwrap_or_default().into(),
            local: invite.header(Name::From).unwrap_or_default().into(),
            remote: invite.header(Name::To).unwrap_or_default().into(),
            remote_tag: Box::default(),
            target: invite.request_uri().unwrap_or_default().into(),
            routes: invite.values(Name::Route).map(Box::from).collect(),
            local_seq: invite.cseq().map_or(1, |cseq| cseq.number),
            remote_seq: 0,
            listener,
            peer,
            pinned,
            trunk: None,
            uuids: Uuids::of_own(invite),
        }
    }

    /// Takes over what a 2xx to our INVITE says: tag, route set and target (RFC 3261 §12.1.2).
    pub(super) fn settle(&mut self, response: &Message) {
        self.remote = response.header(Name::To).unwrap_or_default().into();
        self.remote_tag = to_tag(response);
        self.routes = routes(response, true);
        self.refresh_target(response);
    }

    /// The peer's new Contact, from a re-INVITE or its 2xx (RFC 3261 §12.2). One that is no SIP URI
    /// changes nothing: it becomes a Request-URI (§8.1.1.8, §12.1.1).
    pub(super) fn refresh_target(&mut self, message: &Message) {
        self.uuids.learn(message);
        if let Ok(Some(contact)) = message.contact()
            && is_target(&contact)
        {
            self.target = contact.uri().into();
        }
    }

    /// Whether a request with this Call-ID and From tag belongs here. Before our INVITE is answered
    /// any tag does: each fork has its own.
    pub(super) fn owns(&self, request: &Message) -> bool {
        request.call_id() == Some(&*self.call_id)
            && (self.remote_tag.is_empty()
                || request
                    .from()
                    .ok()
                    .and_then(|from| from.tag().map(|tag| *tag == *self.remote_tag))
                    .unwrap_or(false))
    }

    /// The far end's tag; empty before our INVITE is answered.
    pub(super) fn remote_tag(&self) -> &[u8] {
        &self.remote_tag
    }

    /// Whether the dialog has this Call-ID.
    /// What traces know it by.
    pub(super) fn wire_ref(&self) -> WireRef {
        WireRef::of_call_id(&self.call_id)
    }

    pub(super) fn has_call_id(&self, call_id: &[u8]) -> bool {
        *self.call_id == *call_id
    }

    /// Whether it has this Call-ID and this tag of the peer's (RFC 3891 §3).
    pub(super) fn is(&self, call_id: &[u8], remote_tag: &[u8]) -> bool {
        *self.call_id == *call_id && *self.remote_tag == *remote_tag
    }

    /// Takes the CSeq of a request in the dialog; `false` where it is not above the last one.
    pub(super) fn accept_seq(&mut self, number: u32) -> bool {
        let fresh = number > self.remote_seq;
        if fresh {
            self.remote_seq = number;
        }
        fresh
    }

    /// What another INVITE of ours in place of one that was not answered has in common with it.
    pub(super) fn thread(&mut self) -> Thread {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // A refusal's tag is not for the next one (RFC 3261 §8.1.3.4).
        let to = self
            .remote
            .iter()
            .position(|byte| *byte == b'>')
            .map_or(&self.remote[..], |end| &self.remote[..=end]);
        let (call_id, from, to) = (text(&self.call_id), text(&self.local), text(to));
        Thread { call_id, from, to, seq: self.next_seq() }
    }

    /// Its Call-ID.
    pub(super) fn call_id(&self) -> &[u8] {
        &self.call_id
    }

    /// Whether all requests go where the peer was heard from.
    pub(super) fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// The connection that all requests went by is gone: from now on Contact and routes count.
    pub(super) fn unpin(&mut self) {
        self.pinned = false;
    }

    /// CSeq for our next request.
    pub(super) fn next_seq(&mut self) -> u32 {
        self.local_seq += 1;
        self.local_seq
    }

    /// CSeq for a request in place of one with `before`.
    pub(super) fn next_seq_after(&mut self, before: u32) -> u32 {
        self.local_seq = self.local_seq.max(before);
        self.next_seq()
    }

    /// A request of ours so far without Contact and body (RFC 3261 §12.2.1.1).
    pub(super) fn draft(&self, method: &Method, seq: u32, via: &str) -> Draft {
        let strict = self.routes.first().filter(|route| !is_loose(route));
        let uri = match strict {
            Some(route) => uri_of(route),
            None => self.target.to_vec(),
        };
        let mut draft =
            Draft::request(method, &uri).header("Via", via).header_number(Name::MaxForwards, MAX_FORWARDS);
        for route in self.routes.iter().skip(usize::from(strict.is_some())) {
            draft = draft.header("Route", route);
        }
        if strict.is_some() {
            draft = draft.header("Route", [b"<", &*self.target, b">"].concat());
        }
        draft
            .header("From", &self.local)
            .header("To", &self.remote)
            .header("Call-ID", &self.call_id)
            .header("CSeq", format!("{seq} {method}"))
            .header("Session-ID", self.uuids.value())
    }

    /// Where our requests go: first route or Contact where these are numeric, else to where the
    /// peer was heard from.
    pub(super) fn destination(&self) -> SocketAddr {
        if self.pinned {
            return self.peer;
        }
        self.next_hop().map_or(self.peer, |hop| hop.addr)
    }

    /// The first route or else the Contact, where it is numeric (RFC 3263 §4).
    pub(super) fn next_hop(&self) -> Option<Hop> {
        match self.routes.first() {
            Some(route) => numeric(&uri_of(route)),
            None => numeric(&self.target),
        }
    }
}

/// Where a URI leads whose host is numeric: without a word on it over UDP, `sips` over TLS
/// (RFC 3263 §4.1).
fn numeric(uri: &[u8]) -> Option<Hop> {
    let uri = Uri::parse(uri).ok().filter(Uri::is_sip)?;
    let secure = uri.scheme.eq_ignore_ascii_case(b"sips");
    let transport = match uri.param("transport").flatten().and_then(Transport::of) {
        _ if secure => Transport::Tls,
        said => said.unwrap_or_default(),
    };
    let addr = SocketAddr::new(uri.host_ip()?, uri.port.unwrap_or(transport.default_port()));
    (!addr.ip().is_unspecified() && addr.port() != 0).then_some(Hop {
        transport,
        addr,
        name: None,
        rank: Rank::default(),
    })
}

fn routes(message: &Message, reversed: bool) -> Vec<Box<[u8]>> {
    let mut routes: Vec<Box<[u8]>> =
        message.values(Name::RecordRoute).take(ROUTES_MAX + 1).map(Box::from).collect();
    if routes.len() > ROUTES_MAX {
        routes.clear();
    }
    if reversed {
        routes.reverse();
    }
    routes
}

fn uri_of(route: &[u8]) -> Vec<u8> {
    NameAddr::parse(bytes::Bytes::copy_from_slice(route))
        .map(|route| route.uri().to_vec())
        .unwrap_or_default()
}

fn is_loose(route: &[u8]) -> bool {
    Uri::parse(&uri_of(route)).is_ok_and(|uri| uri.param("lr").is_some())
}

/// The ACK for a refusal of `invite` (RFC 3261 §17.1.1.3).
pub(super) fn ack_for_refusal(invite: &Message, refusal: &Message) -> bytes::Bytes {
    let seq = invite.cseq().map_or(1, |cseq| cseq.number);
    Draft::request(&Method::Ack, invite.request_uri().unwrap_or_default())
        .copy(invite, Name::Via)
        .header_number(Name::MaxForwards, MAX_FORWARDS)
        .copy(invite, Name::Route)
        .copy(invite, Name::From)
        .copy(refusal, Name::To)
        .copy(invite, Name::CallId)
        .header("CSeq", format!("{seq} ACK"))
        .copy_named(invite, "Session-ID")
        .finish()
}

/// The CANCEL for `invite` (RFC 3261 §9.1): same branch, so that the peer can match it.
pub(super) fn cancel_for(invite: &Message, reason: Option<&str>) -> bytes::Bytes {
    let seq = invite.cseq().map_or(1, |cseq| cseq.number);
    let mut draft = Draft::request(&Method::Cancel, invite.request_uri().unwrap_or_default())
        .copy(invite, Name::Via)
        .header_number(Name::MaxForwards, MAX_FORWARDS)
        .copy(invite, Name::Route)
        .copy(invite, Name::From)
        .copy(invite, Name::To)
        .copy(invite, Name::CallId)
        .header("CSeq", format!("{seq} CANCEL"))
        .copy_named(invite, "Session-ID");
    if let Some(reason) = reason {
        draft = draft.header("Reason", reason);
    }
    draft.finish()
}

/// Whether requests can be sent to this address.
fn is_target(address: &NameAddr) -> bool {
    address.parse_uri().is_ok_and(|uri| uri.is_sip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message::parse(bytes::Bytes::from(text.replace('\n', "\r\n"))).unwrap()
    }

    fn invite(more: &str) -> Message {
        message(&format!(
            "INVITE sip:12345@192.0.2.9 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n\
             From: <sip:13800000000@192.0.2.1>;tag=theirs\nTo: <sip:12345@192.0.2.9>\n\
             Call-ID: one\nCSeq: 7 INVITE\n{more}\n"
        ))
    }

    fn peer() -> SocketAddr {
        "198.51.100.1:5062".parse().unwrap()
    }

    fn bye(dialog: &Dialog) -> String {
        let bytes = dialog.draft(&Method::Bye, 1, "SIP/2.0/UDP h;branch=z9hG4bKx").finish();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn requests_go_to_the_numeric_contact_and_else_to_where_the_peer_was_heard() {
        let rows = [
            ("Contact: <sip:a@192.0.2.7:5070>\n", false, "192.0.2.7:5070"),
            ("Contact: <sip:a@192.0.2.7>\n", false, "192.0.2.7:5060"),
            ("Contact: <sip:a@pbx.invalid>\n", false, "198.51.100.1:5062"),
            ("Contact: <sip:a@10.0.0.5:5070>\n", true, "198.51.100.1:5062"),
            ("Contact: <sip:a@0.0.0.0>\n", false, "198.51.100.1:5062"),
            ("Contact: <sip:a@192.0.2.7;transport=tls>\n", false, "192.0.2.7:5061"),
            ("Contact: <sips:a@192.0.2.7>\n", false, "192.0.2.7:5061"),
            ("Contact: <sip:a@192.0.2.7>\nRecord-Route: <sip:192.0.2.8;lr>\n", false, "192.0.2.8:5060"),
        ];
        for (contact, pinned, wanted) in rows {
            let dialog = Dialog::of_invite(&invite(contact), SessionId(1), 0, peer(), pinned);
            assert_eq!(dialog.destination(), wanted.parse().unwrap(), "{contact}");
        }
    }

    #[test]
    fn only_a_sip_uri_becomes_a_target() {
        for (from, contact, wanted) in [
            ("<sip:1@a>", "<sip:2@b;x>", "sip:2@b;x"),
            ("<sip:1@a>", "<sip:\"2@b>", "sip:1@a"),
            ("<sip:1@a>", "<tel:2>", "sip:1@a"),
            ("<tel:1>", "<isbn:2>", "sip:198.51.100.1:5062"),
        ] {
            let text = invite(&format!("Contact: {contact}\n"));
            let text = String::from_utf8(text.raw().to_vec()).unwrap().replace("\r\n", "\n");
            let invite = message(&text.replace("<sip:13800000000@192.0.2.1>", from));
            let dialog = Dialog::of_invite(&invite, SessionId(1), 0, peer(), false);
            assert!(bye(&dialog).starts_with(&format!("BYE {wanted} SIP/2.0\r\n")), "{from} {contact}");
        }
    }

    #[test]
    fn the_route_set_is_in_order_for_the_callee_and_reversed_for_the_caller() {
        let both = "Contact: <sip:a@192.0.2.7>\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\n";
        let callee = Dialog::of_invite(&invite(both), SessionId(1), 0, peer(), false);
        let text = bye(&callee);
        assert!(text.starts_with("BYE sip:a@192.0.2.7 SIP/2.0\r\n"), "{text}");
        assert!(text.contains("Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n"), "{text}");
        let own = invite("");
        let mut caller = Dialog::of_own_invite(&own, 0, peer(), false);
        caller.settle(&message(&format!(
            "SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\n\
             To: <sip:c@d>;tag=2\nCall-ID: one\nCSeq: 7 INVITE\n{both}\n"
        )));
        let text = bye(&caller);
        assert!(text.contains("Route: <sip:p2;lr>\r\nRoute: <sip:p1;lr>\r\n"), "{text}");
        assert!(text.contains("To: <sip:c@d>;tag=2\r\n"), "{text}");
    }

    #[test]
    fn a_strict_router_gets_the_request_uri() {
        let more = "Contact: <sip:a@192.0.2.7>\nRecord-Route: <sip:192.0.2.8>, <sip:p2;lr>\n";
        let dialog = Dialog::of_invite(&invite(more), SessionId(1), 0, peer(), false);
        let text = bye(&dialog);
        assert!(text.starts_with("BYE sip:192.0.2.8 SIP/2.0\r\n"), "{text}");
        assert!(text.contains("Route: <sip:p2;lr>\r\nRoute: <sip:a@192.0.2.7>\r\n"), "{text}");
    }

    #[test]
    fn the_transport_of_the_next_hop_is_what_its_uri_says() {
        let rows = [
            ("sip:a@192.0.2.7", Some(Transport::Udp)),
            ("sip:a@192.0.2.7;transport=TCP", Some(Transport::Tcp)),
            ("sip:a@[2001:db8::7];transport=tls", Some(Transport::Tls)),
            ("sips:a@192.0.2.7;transport=tcp", Some(Transport::Tls)),
            ("sip:a@192.0.2.7;transport=sctp", Some(Transport::Udp)),
            ("sip:a@pbx.example;transport=tcp", None),
            ("tel:12345", None),
        ];
        for (uri, wanted) in rows {
            assert_eq!(numeric(uri.as_bytes()).map(|hop| hop.transport), wanted, "{uri}");
        }
    }

    #[test]
    fn cseq_must_rise() {
        let mut dialog = Dialog::of_invite(&invite(""), SessionId(1), 0, peer(), false);
        assert!(!dialog.accept_seq(7) && !dialog.accept_seq(6));
        assert!(dialog.accept_seq(9) && !dialog.accept_seq(8));
    }
}
