//! Connections: transactions, dialogs and bindings over them, and what follows when one is lost.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use hotline::sip::digest::Algorithm;
use hotline::sip::event::*;
use hotline::sip::{Message, Method, Name, Packet, Transport};

use crate::wire::*;

const UDP: usize = 0;
const TCP: usize = 1;
const TLS: usize = 2;
/// Where the carrier's connection comes from.
const FAR: &str = "192.0.2.10:40001";

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// An endpoint that listens to all three, and its carrier is reached by `transport`.
fn wire(transport: Transport) -> Wire {
    let mut config = config();
    for (transport, port) in [(Transport::Tcp, 5060), (Transport::Tls, 5061)] {
        let face = &config.listeners[0];
        let bind = SocketAddr::new(face.bind.ip(), port);
        config.listeners.push(ListenerConfig { transport, bind, advertise: face.advertise });
    }
    config.trunks[0].hops[0].transport = transport;
    config.trunks[1].certificate = Some("sbc.carrier.example".into());
    Wire::with(config)
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// What is said over one connection, heard with what is answered by which listener.
fn hear(wire: &mut Wire, listener: usize, peer: &str, text: impl AsRef<[u8]>) -> Vec<Packet> {
    let packet = Packet { listener, peer: at(peer), bytes: Bytes::copy_from_slice(text.as_ref()) };
    wire.endpoint.handle_packet(packet, wire.now);
    packets(wire)
}

fn packets(wire: &mut Wire) -> Vec<Packet> {
    let mut sent = Vec::new();
    while let Some(output) = wire.endpoint.poll_output() {
        match output {
            Output::Send(packet) => sent.push(packet),
            Output::Event(Event::InviteSent { .. }) => {}
            Output::Event(event) => wire.events.push_back(event),
            Output::SaveBinding { seat, binding } => wire.saved.push((seat.to_string(), binding)),
        }
    }
    sent
}

fn read(packet: &Packet) -> Message {
    Message::parse(packet.bytes.clone()).unwrap()
}

fn said(packets: &[Packet]) -> Vec<(String, usize, SocketAddr)> {
    packets.iter().map(|packet| (name(&read(packet)), packet.listener, packet.peer)).collect()
}

fn over(text: &str, transport: &str) -> String {
    text.replace("SIP/2.0/UDP", &format!("SIP/2.0/{transport}"))
}

/// A carrier's call over TCP up to the ACK.
fn talking(wire: &mut Wire, contact: &str) -> (SessionId, Call) {
    let mut call = Call::new("a");
    wire.endpoint.flow_opened(TCP, at(FAR), Vec::new());
    let invite = over(&call.invite(OFFER), "TCP").replace("sip:carrier@192.0.2.10:5060", contact);
    let trying = hear(wire, TCP, FAR, invite);
    assert_eq!(said(&trying), [("100".into(), TCP, at(FAR))], "by the connection, not to sent-by");
    let session = wire.invited().session;
    wire.endpoint.answer(session, &sdp(), wire.now);
    let ok = packets(wire);
    assert_eq!(said(&ok), [("200".into(), TCP, at(FAR))]);
    assert_eq!(head(&read(&ok[0]), Name::Contact), "<sip:192.0.2.1:5060;transport=tcp>");
    call.learn(&read(&ok[0]));
    hear(wire, TCP, FAR, over(&call.ack(), "TCP"));
    assert!(matches!(wire.event(), Event::Confirmed { .. }));
    (session, call)
}

#[test]
fn a_bye_goes_by_the_callers_connection_while_it_lives_and_else_where_the_contact_says() {
    let rows = [
        (true, "sip:carrier@192.0.2.10:5060", (TCP, FAR), "SIP/2.0/TCP 192.0.2.1:5060"),
        (false, "sip:carrier@192.0.2.10:5070;transport=tcp", (TCP, "192.0.2.10:5070"), "SIP/2.0/TCP"),
        (
            false,
            "sip:carrier@192.0.2.10;transport=tls",
            (TLS, "192.0.2.10:5061"),
            "SIP/2.0/TLS 192.0.2.1:5061",
        ),
        (false, "sip:carrier@192.0.2.10:5070", (UDP, "192.0.2.10:5070"), "SIP/2.0/UDP"),
        (false, "sip:carrier@pbx.invalid", (TCP, FAR), "SIP/2.0/TCP"),
    ];
    for (lives, contact, (listener, to), via) in rows {
        let mut wire = wire(Transport::Udp);
        let (session, _) = talking(&mut wire, contact);
        if !lives {
            wire.endpoint.flow_closed(TCP, at(FAR), wire.now);
        }
        wire.endpoint.hang_up(session, None, wire.now);
        let bye = packets(&mut wire);
        assert_eq!(said(&bye), [("BYE".into(), listener, at(to))], "{contact}");
        assert!(head(&read(&bye[0]), Name::Via).starts_with(via), "{contact}");
    }
}

#[test]
fn what_is_answered_over_a_connection_leaves_nothing_behind() {
    let mut wire = wire(Transport::Udp);
    let (_, mut call) = talking(&mut wire, "sip:carrier@192.0.2.10:5060");
    let ok = hear(&mut wire, TCP, FAR, over(&call.request("BYE", ""), "TCP"));
    assert_eq!(said(&ok), [("200".into(), TCP, at(FAR))]);
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Bye, .. }));
    wire.run_for(Duration::ZERO);
    let left = wire.endpoint.counts();
    assert_eq!((left.sessions, left.transactions), (0, 1), "J is zero; the 2xx to the INVITE has its L");
    wire.run_for(secs(33));
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn an_invite_over_a_stream_goes_out_once_and_fails_at_once_with_its_connection() {
    let mut wire = wire(Transport::Tcp);
    let session = wire.endpoint.invite(to_carrier(), wire.now).unwrap();
    let invite = packets(&mut wire);
    assert_eq!(said(&invite), [("INVITE".into(), TCP, at(CARRIER))]);
    let text = read(&invite[0]);
    assert_eq!(text.request_uri(), Some(&b"sip:4420000@192.0.2.10:5060;transport=tcp"[..]));
    assert!(head(&text, Name::Via).starts_with("SIP/2.0/TCP 192.0.2.1:5060;branch="));
    assert_eq!(head(&text, Name::Contact), "<sip:192.0.2.1:5060;transport=tcp>");
    wire.run_for(secs(3));
    wire.quiet();
    wire.endpoint.flow_closed(TCP, at(CARRIER), wire.now);
    wire.drain();
    assert!(matches!(wire.event(), Event::Refused { session: whom, status: 503 } if whom == session));
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_connection_that_is_lost_behind_the_first_answer_ends_no_call() {
    let mut wire = wire(Transport::Tcp);
    wire.endpoint.invite(to_carrier(), wire.now).unwrap();
    let invite = read(&packets(&mut wire)[0]);
    wire.endpoint.flow_opened(TCP, at(CARRIER), Vec::new());
    hear(&mut wire, TCP, CARRIER, answer(&invite, 180, "t1", ""));
    assert!(matches!(wire.event(), Event::Progressed { status: 180, .. }));
    wire.endpoint.flow_closed(TCP, at(CARRIER), wire.now);
    wire.drain();
    wire.quiet();
    // The answer comes by a connection of theirs (RFC 3261 §18.2.2); the ACK finds its way by Contact.
    wire.endpoint.flow_opened(TCP, at(FAR), Vec::new());
    let ack = hear(&mut wire, TCP, FAR, answer(&invite, 200, "t1", OFFER));
    assert_eq!(said(&ack), [("ACK".into(), UDP, at(CARRIER))]);
    assert!(matches!(wire.event(), Event::Answered { .. }));
}

#[test]
fn a_bye_that_its_connection_took_along_ends_the_session() {
    let mut wire = wire(Transport::Udp);
    let (session, _) = talking(&mut wire, "sip:carrier@192.0.2.10:5060");
    wire.endpoint.hang_up(session, None, wire.now);
    assert_eq!(said(&packets(&mut wire)).len(), 1);
    wire.endpoint.flow_closed(TCP, at(FAR), wire.now);
    wire.drain();
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
}

#[test]
fn an_answer_whose_connection_is_lost_goes_where_sent_by_says() {
    let mut wire = wire(Transport::Udp);
    wire.endpoint.flow_opened(TCP, at(FAR), Vec::new());
    hear(&mut wire, TCP, FAR, over(&Call::new("a").invite(OFFER), "TCP"));
    let session = wire.invited().session;
    wire.endpoint.flow_closed(TCP, at(FAR), wire.now);
    wire.endpoint.answer(session, &sdp(), wire.now);
    assert_eq!(said(&packets(&mut wire)), [("200".into(), TCP, at("192.0.2.10:5060"))]);
}

/// A desk that registers over TCP.
fn registered(wire: &mut Wire, from: &str, cseq: u32) {
    let lines = "Contact: <sip:1001@10.0.0.7:5070;transport=tcp>\r\n";
    wire.endpoint.flow_opened(TCP, at(from), Vec::new());
    let challenge = hear(wire, TCP, from, over(&register(cseq, lines, ""), "TCP"));
    assert_eq!(said(&challenge), [("401".into(), TCP, at(from))]);
    let uri = "sip:hotline.example";
    let proof = prove(&read(&challenge[0]), Algorithm::Sha256, "secret", Method::Register, uri, 1);
    let ok = hear(wire, TCP, from, over(&register(cseq + 1, lines, &proof), "TCP"));
    assert_eq!(said(&ok), [("200".into(), TCP, at(from))]);
    assert!(matches!(wire.event(), Event::Registered { .. }));
}

#[test]
fn a_seat_is_rung_by_the_connection_that_it_registered_over_and_is_gone_with_it() {
    let mut wire = wire(Transport::Udp);
    registered(&mut wire, DESK, 1);
    let mut ring = to_carrier();
    ring.target = Target::Seat("1001".into());
    wire.endpoint.invite(ring.clone(), wire.now).unwrap();
    let invite = packets(&mut wire);
    assert_eq!(said(&invite), [("INVITE".into(), TCP, at(DESK))]);
    wire.saved.clear();
    wire.endpoint.flow_closed(TCP, at(DESK), wire.now);
    wire.drain();
    assert!(matches!(wire.event(), Event::Unregistered { .. }));
    assert!(matches!(wire.event(), Event::Refused { status: 503, .. }), "it was being rung");
    assert_eq!(wire.saved, [("1001".into(), None)]);
    assert_eq!(wire.endpoint.invite(ring, wire.now), Err(NoWay::NotRegistered));
}

#[test]
fn a_seat_that_has_registered_anew_is_not_lost_with_its_old_connection() {
    let mut wire = wire(Transport::Udp);
    registered(&mut wire, DESK, 1);
    registered(&mut wire, "203.0.113.7:5071", 3);
    wire.endpoint.flow_closed(TCP, at(DESK), wire.now);
    wire.drain();
    wire.quiet();
    assert!(wire.endpoint.is_registered(&"1001".into()));
}

#[test]
fn a_binding_over_a_connection_does_not_outlive_the_process() {
    let mut old = wire(Transport::Udp);
    registered(&mut old, DESK, 1);
    let (_, binding) = old.saved.pop().unwrap();
    let mut wire = wire(Transport::Udp);
    wire.endpoint.restore_binding("1001".into(), binding.unwrap(), wire.now);
    wire.drain();
    wire.quiet();
    assert_eq!(wire.saved, [("1001".into(), None)]);
}

#[test]
fn a_trunk_is_known_by_the_name_in_its_certificate() {
    let mut wire = wire(Transport::Udp);
    let flow = "198.51.100.66:40001";
    let invite = over(&Call::new("a").invite(OFFER), "TLS");
    wire.endpoint.flow_opened(TLS, at(flow), vec!["other.example".into()]);
    assert_eq!(said(&hear(&mut wire, TLS, flow, &invite)), [("403".into(), TLS, at(flow))]);
    assert_eq!(wire.turned_away(), TurnedAway::UnknownSource);
    wire.endpoint.flow_closed(TLS, at(flow), wire.now);
    wire.endpoint.flow_opened(TLS, at(flow), vec!["SBC.carrier.example".into()]);
    assert_eq!(said(&hear(&mut wire, TLS, flow, &invite)), [("100".into(), TLS, at(flow))]);
    assert_eq!(wire.invited().from, Origin::Trunk("deaf".into()));
    // A name belongs to its connection and to no other, nor to whoever comes after it.
    wire.endpoint.flow_closed(TLS, at(flow), wire.now);
    wire.endpoint.flow_opened(TLS, at(flow), Vec::new());
    let again = over(&Call::new("b").invite(OFFER), "TLS");
    assert_eq!(said(&hear(&mut wire, TLS, flow, &again)), [("403".into(), TLS, at(flow))]);
}

fn long() -> Invite {
    let mut invite = to_carrier();
    invite.headers.push(("X-Long", "x".repeat(1_000)));
    invite
}

#[test]
fn a_request_over_1300_bytes_goes_by_tcp_and_its_answers_and_dialog_are_the_same() {
    let mut wire = wire(Transport::Udp);
    let session = wire.endpoint.invite(long(), wire.now).unwrap();
    let sent = packets(&mut wire);
    assert_eq!(said(&sent), [("INVITE".into(), TCP, at(CARRIER))]);
    assert!(sent[0].bytes.len() > 1_300);
    let invite = read(&sent[0]);
    assert!(head(&invite, Name::Via).starts_with("SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK"));
    assert_eq!(head(&invite, Name::Contact), "<sip:192.0.2.1:5060>");
    wire.endpoint.flow_opened(TCP, at(CARRIER), Vec::new());
    let ack = hear(&mut wire, TCP, CARRIER, answer(&invite, 200, "t1", OFFER));
    assert_eq!(said(&ack), [("ACK".into(), UDP, at(CARRIER))], "short enough for a datagram");
    assert!(matches!(wire.event(), Event::Answered { .. }));
    wire.endpoint.hang_up(session, None, wire.now);
    assert_eq!(said(&packets(&mut wire)), [("BYE".into(), UDP, at(CARRIER))]);
}

#[test]
fn where_tcp_is_refused_a_long_request_goes_by_udp_after_all_and_so_does_the_next() {
    let mut wire = wire(Transport::Udp);
    wire.endpoint.invite(long(), wire.now).unwrap();
    let by_tcp = read(&packets(&mut wire)[0]);
    wire.endpoint.flow_closed(TCP, at(CARRIER), wire.now);
    let sent = packets(&mut wire);
    assert_eq!(said(&sent), [("INVITE".into(), UDP, at(CARRIER))]);
    let by_udp = read(&sent[0]);
    let wanted = head(&by_tcp, Name::Via).replace("SIP/2.0/TCP", "SIP/2.0/UDP");
    assert_eq!(head(&by_udp, Name::Via), wanted, "the same branch");
    wire.run_for(Duration::from_millis(600));
    assert_eq!(wire.said(), ["INVITE"], "repeated, as over any datagram");
    hear(&mut wire, UDP, CARRIER, answer(&by_udp, 180, "t1", ""));
    assert!(matches!(wire.event(), Event::Progressed { status: 180, .. }));
    wire.endpoint.invite(long(), wire.now).unwrap();
    assert_eq!(said(&packets(&mut wire)), [("INVITE".into(), UDP, at(CARRIER))], "known for a while");
    wire.run_for(secs(61));
    wire.events.clear();
    wire.endpoint.invite(long(), wire.now).unwrap();
    assert_eq!(said(&packets(&mut wire)), [("INVITE".into(), TCP, at(CARRIER))], "and asked again");
}

#[test]
fn a_long_request_stays_with_datagrams_where_there_is_no_tcp_or_the_seats_flow_is_one() {
    let mut plain = Wire::new();
    plain.endpoint.invite(long(), plain.now).unwrap();
    assert!(head(&read(&packets(&mut plain)[0]), Name::Via).starts_with("SIP/2.0/UDP"));
    let mut wire = wire(Transport::Udp);
    wire.register(1, "Contact: <sip:1001@10.0.0.7:5070>\r\n");
    let mut ring = long();
    ring.target = Target::Seat("1001".into());
    wire.endpoint.invite(ring, wire.now).unwrap();
    assert_eq!(said(&packets(&mut wire)), [("INVITE".into(), UDP, at(DESK))], "RFC 5626 §5.3");
}

#[test]
fn what_refreshes_the_target_says_the_listener_that_it_goes_by() {
    let mut wire = wire(Transport::Udp);
    let (session, mut call) = talking(&mut wire, "sip:carrier@192.0.2.10:5070");
    wire.endpoint.flow_closed(TCP, at(FAR), wire.now);
    call.more = "Refer-To: <sip:12366@192.0.2.1>\r\n".into();
    hear(&mut wire, UDP, CARRIER, call.request("REFER", ""));
    let refer = match wire.event() {
        Event::Referred(referred) => referred.refer,
        other => panic!("{other:?}"),
    };
    wire.endpoint.accept_refer(session, refer, wire.now);
    let sent = packets(&mut wire);
    assert_eq!(said(&sent)[1], ("NOTIFY".into(), UDP, at("192.0.2.10:5070")));
    let notify = read(&sent[1]);
    assert_eq!(head(&notify, Name::Contact), "<sip:192.0.2.1:5060>");
    assert!(head(&notify, Name::Via).starts_with("SIP/2.0/UDP "));
}
