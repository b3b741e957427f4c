//! An endpoint with its far ends, without sockets: calls in and bridged calls as benches make them.
#![allow(dead_code, reason = "each bench uses a part of it")]

use std::time::Duration;

use bytes::Bytes;
use hotline::id::Dice;
use hotline::sip::endpoint::Endpoint;
use hotline::sip::event::{
    Config, Event, Invite, ListenerConfig, Output, Packet, Route, SessionId, Target, TrunkConfig,
};
use hotline::sip::sdp::Sdp;
use hotline::sip::{Hop, Transport};
use hotline::time::{Instant, Now, Timestamp};

pub const PEER: &str = "127.0.0.1:5080";
pub const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

pub struct Line {
    pub endpoint: Endpoint,
    pub now: Now,
    calls: u64,
    sdp: Sdp,
}

impl Line {
    pub fn new() -> Line {
        let now = Now { mono: Instant::ZERO, wall: Timestamp::UNIX_EPOCH };
        let config = Config {
            listeners: vec![ListenerConfig {
                transport: Transport::Udp,
                bind: "127.0.0.1:5060".parse().unwrap(),
                advertise: "127.0.0.1".parse().unwrap(),
            }],
            trunks: vec![TrunkConfig {
                sources: vec![("127.0.0.0".parse().unwrap(), 8)],
                hops: vec![Hop {
                    transport: Transport::Udp,
                    addr: PEER.parse().unwrap(),
                    name: None,
                    rank: Default::default(),
                }],
                trust_identity: true,
                ..TrunkConfig::named("carrier".into())
            }],
            product: "hotline/0.1".into(),
            ..Config::default()
        };
        let sdp = Sdp::parse(OFFER.as_bytes()).unwrap();
        Line { endpoint: Endpoint::new(config, Dice::seeded(1), now), now, calls: 0, sdp }
    }

    /// 1,000 calls a second: what lingers from 32 s of them is part of the cost.
    pub fn next_call(&mut self) -> u64 {
        self.calls += 1;
        self.now.mono += Duration::from_millis(1);
        self.endpoint.handle_timeout(self.now);
        self.calls
    }

    pub fn hear(&mut self, bytes: impl Into<Bytes>) {
        let packet = Packet { listener: 0, peer: PEER.parse().unwrap(), bytes: bytes.into() };
        self.endpoint.handle_packet(packet, self.now);
    }

    /// Drains; the last message sent that starts with `start`, and the session of the last event.
    pub fn drain(&mut self, start: &str) -> (Bytes, Option<SessionId>) {
        let (mut sent, mut session) = (Bytes::new(), None);
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send(packet) if packet.bytes.starts_with(start.as_bytes()) => sent = packet.bytes,
                Output::Event(Event::Invited(invited)) => session = Some(invited.session),
                Output::Send(_) | Output::Event(_) | Output::SaveBinding { .. } => {}
            }
        }
        (sent, session)
    }

    pub fn call_in(&mut self) -> (SessionId, u64) {
        let call = self.next_call();
        self.hear(request("INVITE", call, 1, "", OFFER));
        let (_, session) = self.drain("SIP/2.0 100");
        let session = session.expect("the call is let in");
        self.endpoint.progress(session, 180, None, self.now);
        (session, call)
    }

    pub fn answer(&mut self, session: SessionId, call: u64) -> String {
        self.endpoint.answer(session, &self.sdp, self.now);
        let (ok, _) = self.drain("SIP/2.0 200");
        let tag = tag_of(&ok);
        self.hear(request("ACK", call, 1, &tag, ""));
        tag
    }

    pub fn round(&mut self) {
        let (session, call) = self.call_in();
        let tag = self.answer(session, call);
        self.hear(request("BYE", call, 2, &tag, ""));
        let (bye, _) = self.drain("SIP/2.0 200");
        assert!(!bye.is_empty());
    }

    /// A call of ours to the carrier that it answers.
    pub fn call_out(&mut self) -> SessionId {
        let invite = Invite {
            target: Target::Trunk(vec![Route {
                trunk: "carrier".into(),
                user: "4420000".into(),
                from_user: "13800000000".into(),
                priority: 1,
                weight: 1,
            }]),
            from_user: "13800000000".into(),
            from_display: String::new(),
            offer: self.sdp.clone().into(),
            headers: Vec::new(),
            connect_timeout: Duration::from_secs(4),
            emergency: false,
            redirects: hotline::sip::event::Redirects::Any,
            along: hotline::sip::Along::default(),
        };
        let other = self.endpoint.invite(invite, self.now).expect("there is a way");
        let (invite, _) = self.drain("INVITE");
        self.hear(response(&invite, 180, ""));
        self.hear(response(&invite, 200, OFFER));
        self.drain("ACK");
        other
    }

    pub fn bridged_round(&mut self) {
        let (session, call) = self.call_in();
        let other = self.call_out();
        let tag = self.answer(session, call);
        self.hear(request("BYE", call, 2, &tag, ""));
        self.endpoint.hang_up(other, None, self.now);
        let (bye, _) = self.drain("BYE");
        self.hear(response(&bye, 200, ""));
        self.drain("BYE");
        assert_eq!(self.endpoint.counts().sessions, 0);
    }
}

pub fn request(method: &str, call: u64, seq: u32, tag: &str, body: &str) -> String {
    let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:12345@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK-{call}-{method};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:13800000000@127.0.0.1:5080>;tag=t{call}\r\nTo: <sip:12345@127.0.0.1:5060>{tag}\r\n\
         Call-ID: {call}-9341@127.0.0.1\r\nCSeq: {seq} {method}\r\nContact: <sip:13800000000@127.0.0.1:5080>\r\n\
         {kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn lines<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}

fn tag_of(message: &Bytes) -> String {
    let text = std::str::from_utf8(message).unwrap();
    lines(text, "To: ").split_once(";tag=").unwrap().1.to_owned()
}

pub fn response(request: &Bytes, status: u16, body: &str) -> String {
    let text = std::str::from_utf8(request).unwrap();
    let to = lines(text, "To: ");
    let tag = if to.contains(";tag=") { "" } else { ";tag=callee" };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status} X\r\nVia: {}\r\nFrom: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: <sip:callee@127.0.0.1:5080>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        lines(text, "Via: "),
        lines(text, "From: "),
        lines(text, "Call-ID: "),
        lines(text, "CSeq: "),
        body.len()
    )
}
