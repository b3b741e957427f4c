//! Descriptions with keys in them are for signalling over TLS, whichever way a call may go (RFC 4568 §7).

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hotline::sip::event::*;
use hotline::sip::sdp::{CryptoLine, Sdp};
use hotline::sip::transport::Transport;
use hotline::sip::{Message, Output, Packet};

use crate::wire::*;

const UDP: usize = 0;
const TLS: usize = 1;
const OTHER: &str = "198.51.100.20:5060";

/// A carrier that is reached over TLS and, failing that, in the clear; and another one in the clear.
fn wire() -> Wire {
    let mut config = config();
    let face = config.listeners[0].clone();
    let bind = SocketAddr::new(face.bind.ip(), 5_061);
    config.listeners.push(ListenerConfig { transport: Transport::Tls, bind, advertise: face.advertise });
    let mut tls = hop("192.0.2.10:5061");
    tls.transport = Transport::Tls;
    config.trunks[0].hops.insert(0, tls);
    config.trunks[1].hops.push(hop(OTHER));
    Wire::with(config)
}

fn offer(keys: bool) -> Arc<Sdp> {
    let mut sdp = sdp();
    sdp.media[0].crypto.extend(keys.then(|| CryptoLine::of(1, "AES_CM_128_HMAC_SHA1_80", &[7; 30])));
    Arc::new(sdp)
}

fn hear(wire: &mut Wire, listener: usize, text: impl AsRef<[u8]>) -> Vec<(usize, Message)> {
    let bytes = Bytes::copy_from_slice(text.as_ref());
    let packet = Packet { listener, peer: "192.0.2.10:5061".parse().unwrap(), bytes };
    wire.endpoint.handle_packet(packet, wire.now);
    said(wire)
}

/// By which listener what is said.
fn said(wire: &mut Wire) -> Vec<(usize, Message)> {
    let mut sent = Vec::new();
    while let Some(output) = wire.endpoint.poll_output() {
        match output {
            Output::Send(packet) => sent.push((packet.listener, Message::parse(packet.bytes).unwrap())),
            Output::Event(event) => wire.events.push_back(event),
            Output::SaveBinding { .. } => {}
        }
    }
    sent
}

fn invites(sent: &[(usize, Message)]) -> Vec<usize> {
    sent.iter().filter(|(_, message)| name(message) == "INVITE").map(|(listener, _)| *listener).collect()
}

fn refused(wire: &mut Wire) -> Option<u16> {
    wire.events.drain(..).find_map(|event| match event {
        Event::Refused { status, .. } => Some(status),
        _ => None,
    })
}

#[test]
fn an_invite_with_keys_goes_by_tls_and_by_no_other_way() {
    for keys in [false, true] {
        let mut wire = wire();
        wire.endpoint.invite(Invite { offer: offer(keys), ..to_carrier() }, wire.now).unwrap();
        let sent = said(&mut wire);
        assert_eq!(invites(&sent), [TLS], "keys {keys}");
        let next = hear(&mut wire, TLS, answer(&sent[0].1, 503, "t", ""));
        assert_eq!(invites(&next), if keys { vec![] } else { vec![UDP] }, "keys {keys}: the next way");
        assert_eq!(refused(&mut wire), keys.then_some(503), "keys {keys}");
    }
}

#[test]
fn a_302_does_not_lead_keys_into_the_clear() {
    for keys in [false, true] {
        let mut wire = wire();
        wire.endpoint.invite(Invite { offer: offer(keys), ..to_carrier() }, wire.now).unwrap();
        let sent = said(&mut wire);
        let text = String::from_utf8(answer(&sent[0].1, 302, "t", "")).unwrap();
        let moved = text.replace("<sip:callee@192.0.2.10:5060>", "<sip:callee@198.51.100.20>");
        let next = hear(&mut wire, TLS, moved);
        assert_eq!(invites(&next), if keys { vec![] } else { vec![UDP] }, "keys {keys}");
        assert_eq!(refused(&mut wire).is_some(), keys);
    }
}

#[test]
fn an_offer_in_the_clear_for_a_dialog_over_tls_is_not_taken() {
    let mut wire = wire();
    let mut call = Call::new("secure");
    hear(&mut wire, TLS, call.invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.answer(session, &offer(true), wire.now);
    let ok = said(&mut wire).pop().unwrap().1;
    call.learn(&ok);
    hear(&mut wire, TLS, call.ack());
    wire.events.clear();
    for method in ["INVITE", "UPDATE"] {
        let answers = hear(&mut wire, UDP, call.request(method, OFFER));
        let (by, refusal) = answers.last().unwrap();
        assert_eq!((*by, name(refusal).as_str()), (UDP, "488"), "{method}");
        assert!(refusal.body().is_empty(), "no key is told: {refusal:?}");
        if method == "INVITE" {
            hear(&mut wire, UDP, call.ack_refusal(refusal));
        }
        assert!(
            !wire.events.iter().any(|event| matches!(event, Event::Reoffered { .. })),
            "{:?}",
            wire.events
        );
    }
    hear(&mut wire, TLS, call.request("INVITE", HOLD));
    assert!(wire.events.iter().any(|event| matches!(event, Event::Reoffered { .. })), "{:?}", wire.events);
}
