//! An endpoint on a table: raw messages in, raw messages and events out, the clock in the hand.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use hotline::id::Dice;
use hotline::sip::digest::{self, Algorithm, Credentials, Qop};
use hotline::sip::endpoint::Endpoint;
use hotline::sip::event::*;
use hotline::sip::sdp::Sdp;
use hotline::sip::{Along, Hop, Message, Method, Name, Transport, WireRef};
use hotline::time::{Instant, Now, Timestamp};

pub const DOMAIN: &str = "hotline.example";
pub const CARRIER: &str = "192.0.2.10:5060";
pub const DESK: &str = "203.0.113.7:5070";
pub const STRANGER: &str = "198.51.100.66:5060";
pub const SEED: u64 = 20_211_130;

pub const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n";
pub const HOLD: &str = "v=0\r\no=- 1 2 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\na=sendonly\r\n";

pub struct Wire {
    pub endpoint: Endpoint,
    pub now: Now,
    pub sent: VecDeque<(SocketAddr, Message)>,
    pub events: VecDeque<Event>,
    pub saved: Vec<(String, Option<Binding>)>,
    /// INVITEs of ours that are out: to whom, and their references.
    pub on_wire: Vec<(Origin, WireRef)>,
}

pub fn sdp() -> Sdp {
    Sdp::parse(OFFER.as_bytes()).unwrap()
}

/// Over UDP.
pub fn hop(addr: &str) -> Hop {
    Hop { transport: Transport::Udp, addr: addr.parse().unwrap(), name: None, rank: Default::default() }
}

/// To a number behind one trunk.
pub fn by_trunk(trunk: &str, user: &str, from_user: &str) -> Target {
    Target::Trunk(vec![Route {
        trunk: trunk.into(),
        user: user.into(),
        from_user: from_user.into(),
        priority: 1,
        weight: 1,
    }])
}

pub fn config() -> Config {
    let hash = |algorithm| digest::ha1(algorithm, b"1001", DOMAIN.as_bytes(), b"secret");
    let trunk = |name: &str, source: &str, target: Option<&str>| TrunkConfig {
        sources: vec![(source.parse().unwrap(), 24)],
        hops: target.map(hop).into_iter().collect(),
        trust_identity: true,
        ..TrunkConfig::named(name.into())
    };
    Config {
        listeners: vec![ListenerConfig {
            transport: Transport::Udp,
            bind: "0.0.0.0:5060".parse().unwrap(),
            advertise: "192.0.2.1".parse().unwrap(),
        }],
        domain: DOMAIN.into(),
        seats: vec![SeatAccount {
            seat: "1001".into(),
            ha1_md5: hash(Algorithm::Md5),
            ha1_sha256: hash(Algorithm::Sha256),
        }],
        trunks: vec![trunk("carrier", "192.0.2.0", Some(CARRIER)), trunk("deaf", "192.0.3.0", None)],
        register_min_s: 60,
        register_max_s: 600,
        session_expires_s: 0,
        product: "hotline".into(),
        limits: Limits::default(),
        brakes: Brakes::default(),
    }
}

impl Wire {
    pub fn new() -> Self {
        Wire::with(config())
    }

    pub fn with(config: Config) -> Self {
        println!("seed {SEED}");
        let now =
            Now { mono: Instant::from_millis(1_000), wall: Timestamp::from_second(1_700_000_000).unwrap() };
        Wire {
            endpoint: Endpoint::new(config, Dice::seeded(SEED), now),
            now,
            sent: VecDeque::new(),
            events: VecDeque::new(),
            saved: Vec::new(),
            on_wire: Vec::new(),
        }
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send(packet) => {
                    let message = Message::parse(packet.bytes).expect("what we send can be read");
                    // An answer to what has no From can have none either.
                    // A request that came by a proxy has its Via too.
                    let proxied = message.status().is_some() && message.vias().nth(1).is_some();
                    let faulty = message.status() == Some(400) || proxied;
                    assert!(faulty || message.check().is_ok(), "{message:?}");
                    self.sent.push_back((packet.peer, message));
                }
                Output::Event(Event::InviteSent { to, wire_ref, .. }) => self.on_wire.push((to, wire_ref)),
                Output::Event(event) => self.events.push_back(event),
                Output::SaveBinding { seat, binding } => self.saved.push((seat.to_string(), binding)),
            }
        }
    }

    pub fn hear(&mut self, peer: &str, text: impl AsRef<[u8]>) {
        let packet =
            Packet { listener: 0, peer: peer.parse().unwrap(), bytes: Bytes::copy_from_slice(text.as_ref()) };
        self.endpoint.handle_packet(packet, self.now);
        self.drain();
    }

    /// Lets time pass, waking the endpoint exactly when it asks for it.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.now.mono + span;
        while let Some(due) = self.endpoint.poll_timeout().filter(|due| *due <= end) {
            self.turn_to(due.max(self.now.mono));
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
        self.turn_to(end);
    }

    pub fn turn_to(&mut self, mono: Instant) {
        let passed = jiff::SignedDuration::from_nanos(mono.since(self.now.mono).as_nanos() as i64);
        self.now = Now { mono, wall: self.now.wall.checked_add(passed).unwrap() };
    }

    pub fn next_sent(&mut self) -> Message {
        self.sent.pop_front().expect("something was sent").1
    }

    /// The next messages by status or method, all of them.
    pub fn said(&mut self) -> Vec<String> {
        self.sent.drain(..).map(|(_, message)| name(&message)).collect()
    }

    pub fn event(&mut self) -> Event {
        self.events.pop_front().expect("something happened")
    }

    pub fn quiet(&self) {
        assert!(self.sent.is_empty(), "{:?}", self.sent);
        assert!(self.events.is_empty(), "{:?}", self.events);
    }

    /// Nothing was said, and one message was counted.
    pub fn quiet_but_for(&mut self, why: TurnedAway) {
        assert_eq!(self.turned_away(), why);
        self.quiet();
    }

    /// What an operator is told of a wrong password beside it is for who asks for that.
    pub fn turned_away(&mut self) -> TurnedAway {
        match self.event() {
            Event::TurnedAway { why, .. } => why,
            Event::PasswordWrong { .. } => self.turned_away(),
            other => panic!("{other:?}"),
        }
    }

    pub fn invited(&mut self) -> Invited {
        match self.event() {
            Event::Invited(invited) => *invited,
            other => panic!("{other:?}"),
        }
    }

    /// A carrier's call up to the ACK; the call is as the carrier sees it.
    pub fn talking(&mut self) -> (SessionId, Call) {
        let mut call = Call::new("a");
        self.hear(CARRIER, call.invite(OFFER));
        let session = self.invited().session;
        self.endpoint.answer(session, &sdp(), self.now);
        self.drain();
        assert_eq!(name(&self.next_sent()), "100");
        call.learn(&self.next_sent());
        self.hear(CARRIER, call.ack());
        assert!(matches!(self.event(), Event::Confirmed { .. }));
        self.quiet();
        (session, call)
    }

    /// A call of ours to the carrier up to the ACK.
    pub fn calling_talks(&mut self) -> (SessionId, Message) {
        let (session, invite) = self.calling();
        self.hear(CARRIER, answer(&invite, 200, "t1", OFFER));
        assert_eq!(self.said(), ["ACK"]);
        assert!(matches!(self.event(), Event::Answered { .. }));
        (session, invite)
    }

    pub fn calling(&mut self) -> (SessionId, Message) {
        let session = self.endpoint.invite(to_carrier(), self.now).unwrap();
        self.drain();
        (session, self.next_sent())
    }

    pub fn register(&mut self, cseq: u32, lines: &str) -> Vec<String> {
        self.hear(DESK, register(cseq, lines, ""));
        let challenge = self.next_sent();
        assert_eq!(name(&challenge), "401");
        let proof =
            prove(&challenge, Algorithm::Sha256, "secret", Method::Register, "sip:hotline.example", 1);
        self.hear(DESK, register(cseq + 1, lines, &proof));
        self.said()
    }
}

pub fn to_carrier() -> Invite {
    Invite {
        target: by_trunk("carrier", "4420000", "13800000000"),
        from_user: "13800000000".into(),
        from_display: String::new(),
        offer: sdp().into(),
        headers: vec![("X-Line", "12345".into())],
        connect_timeout: Duration::from_secs(4),
        emergency: false,
        redirects: Redirects::Any,
        along: Along::default(),
    }
}

/// `INVITE`, or `180`.
pub fn name(message: &Message) -> String {
    match (message.method(), message.status()) {
        (Some(method), _) => method.to_string(),
        (None, status) => status.unwrap().to_string(),
    }
}

pub fn head(message: &Message, name: Name) -> String {
    String::from_utf8(message.header(name).unwrap_or_default().to_vec()).unwrap()
}

/// An answer to one of the endpoint's requests.
pub fn answer(request: &Message, status: u16, tag: &str, body: &str) -> Vec<u8> {
    let to = head(request, Name::To);
    let tag = if to.contains(";tag=") || tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status} X\r\nVia: {}\r\nFrom: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: <sip:callee@192.0.2.10:5060>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        head(request, Name::Via),
        head(request, Name::From),
        head(request, Name::CallId),
        head(request, Name::CSeq),
        body.len(),
    )
    .into_bytes()
}

/// A call that the carrier makes, as text.
#[derive(Clone)]
pub struct Call {
    pub id: String,
    pub from: String,
    pub to: String,
    pub uri: String,
    pub seq: u32,
    pub more: String,
}

impl Call {
    pub fn new(id: &str) -> Call {
        Call {
            id: id.into(),
            from: "<sip:13800000000@192.0.2.10>;tag=their".into(),
            to: "<sip:12345@192.0.2.1>".into(),
            uri: "sip:12345@192.0.2.1".into(),
            seq: 1,
            more: String::new(),
        }
    }

    pub fn learn(&mut self, response: &Message) {
        assert_eq!(name(response), "200");
        self.to = head(response, Name::To);
    }

    pub fn text(&self, method: &str, seq: u32, branch: &str, body: &str) -> String {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK{}{branch}\r\nMax-Forwards: 70\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {seq} {method}\r\nContact: <sip:carrier@192.0.2.10:5060>\r\n\
             {}{kind}Content-Length: {}\r\n\r\n{body}",
            self.uri,
            self.id,
            self.from,
            self.to,
            self.id,
            self.more,
            body.len(),
        )
    }

    pub fn invite(&self, body: &str) -> String {
        self.text("INVITE", self.seq, &format!("i{}", self.seq), body)
    }

    pub fn cancel(&self) -> String {
        self.text("CANCEL", self.seq, &format!("i{}", self.seq), "")
    }

    pub fn ack(&self) -> String {
        self.ack_with("")
    }

    pub fn ack_with(&self, body: &str) -> String {
        self.text("ACK", self.seq, &format!("a{}", self.seq), body)
    }

    /// The ACK for a refusal: same branch as the INVITE.
    pub fn ack_refusal(&self, refusal: &Message) -> String {
        let mut call = self.clone();
        call.to = head(refusal, Name::To);
        call.text("ACK", self.seq, &format!("i{}", self.seq), "")
    }

    pub fn request(&mut self, method: &str, body: &str) -> String {
        self.seq += 1;
        self.text(method, self.seq, &format!("i{}", self.seq), body)
    }
}

pub fn register(cseq: u32, lines: &str, authorization: &str) -> String {
    format!(
        "REGISTER sip:hotline.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.7:5070;branch=z9hG4bKr{cseq};rport\r\n\
         From: <sip:1001@hotline.example>;tag=r\r\nTo: <sip:1001@hotline.example>\r\nCall-ID: reg\r\n\
         CSeq: {cseq} REGISTER\r\n{lines}{authorization}Content-Length: 0\r\n\r\n"
    )
}

/// The Authorization line for a challenge.
pub fn prove(
    challenge: &Message,
    algorithm: Algorithm,
    password: &str,
    method: Method,
    uri: &str,
    nc: u32,
) -> String {
    let values: Vec<Vec<u8>> = challenge.headers(Name::WwwAuthenticate).map(<[u8]>::to_vec).collect();
    let challenges: Vec<_> = values.iter().map(|value| digest::Challenge::parse(value).unwrap()).collect();
    let found = challenges.iter().find(|challenge| challenge.algorithm == algorithm).unwrap();
    let ha1 = digest::ha1(algorithm, b"1001", DOMAIN.as_bytes(), password.as_bytes());
    let qop = Qop { nc, cnonce: b"c0ffee"[..].into() };
    let proof = digest::response(algorithm, &ha1, &method, uri.as_bytes(), &found.nonce, Some(&qop));
    let credentials = Credentials {
        username: b"1001"[..].into(),
        realm: found.realm.clone(),
        nonce: found.nonce.clone(),
        uri: uri.as_bytes().into(),
        response: proof.as_bytes().into(),
        algorithm,
        qop: Some(qop),
        opaque: None,
    };
    format!("Authorization: {}\r\n", String::from_utf8(credentials.to_value()).unwrap())
}
