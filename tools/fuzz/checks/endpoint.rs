//! A row of packets, orders and waits for one endpoint with a trunk and a seat: every table keeps its
//! bound, whatever is sent can be read, and when all is over nothing is left.
//!
//! The input is text: steps parted by lines of `%%`. The first line of a step is its order (see
//! [`Table::step`]), what follows is the packet, in which `{tag}` and its kin stand for what the
//! endpoint itself said last, so that an input can be a whole call.

use std::time::Duration;

use bytes::Bytes;
use hotline::id::Dice;
use hotline::sip::digest::{self, Algorithm, Challenge, Credentials, Qop};
use hotline::sip::event::*;
use hotline::sip::sdp::Sdp;
use hotline::sip::{Endpoint, Hop, Message, Method, Name, Transport};
use hotline::time::{Instant, Now, Timestamp};

const CARRIER: &str = "192.0.2.10:5060";
const DESK: &str = "203.0.113.7:5070";
const STRANGER: &str = "198.51.100.66:5060";

const OFFER: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n";

const STEPS_MAX: usize = 64;
/// Longest that one wait may be.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// Longer than any timer of a finished transaction, session or binding.
const AFTERWARDS: Duration = Duration::from_secs(1_200);
/// Most that one stimulus may set off.
const OUTPUTS_MAX: usize = 64;

const LIMITS: Limits = Limits { sessions_max: 4, transactions_max: 16 };

pub fn check(data: &[u8]) {
    let mut table = Table::new();
    for step in split(data).take(STEPS_MAX) {
        table.step(step);
        table.hold_bounds();
    }
    table.end();
}

fn split(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.windows(4).position(|part| part == b"\n%%\n");
        rest = end.map(|end| &text[end + 4..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

struct Table {
    endpoint: Endpoint,
    now: Now,
    sdp: Sdp,
    sessions: Vec<SessionId>,
    said: Said,
}

/// What the endpoint said last, for the placeholders.
#[derive(Default)]
struct Said {
    tag: Vec<u8>,
    via: Vec<u8>,
    from: Vec<u8>,
    call_id: Vec<u8>,
    cseq: Vec<u8>,
    proof: Vec<u8>,
}

impl Table {
    fn new() -> Table {
        let ha1 = |algorithm| digest::ha1(algorithm, b"1001", b"hotline.example", b"secret");
        let carrier = TrunkConfig {
            sources: vec![("192.0.2.0".parse().expect("an address"), 24)],
            hops: vec![Hop {
                transport: Transport::Udp,
                addr: CARRIER.parse().expect("an address"),
                name: None,
                rank: Default::default(),
            }],
            trust_identity: true,
            ..TrunkConfig::named("carrier".into())
        };
        #[allow(clippy::needless_update, reason = "what a plan may say besides is as it is by default")]
        let config = Config {
            listeners: vec![ListenerConfig {
                transport: Transport::Udp,
                bind: "192.0.2.1:5060".parse().expect("an address"),
                advertise: "192.0.2.1".parse().expect("an address"),
            }],
            domain: "hotline.example".into(),
            seats: vec![SeatAccount {
                seat: "1001".into(),
                ha1_md5: ha1(Algorithm::Md5),
                ha1_sha256: ha1(Algorithm::Sha256),
            }],
            trunks: vec![carrier],
            register_min_s: 60,
            register_max_s: 600,
            product: "hotline".into(),
            limits: LIMITS,
            ..Config::default()
        };
        let wall = Timestamp::from_second(1_700_000_000).expect("a time");
        let now = Now { mono: Instant::from_millis(1_000), wall };
        Table {
            endpoint: Endpoint::new(config, Dice::seeded(3), now),
            now,
            sdp: Sdp::parse(OFFER).expect("a description"),
            sessions: Vec::new(),
            said: Said::default(),
        }
    }

    /// One step, by the first letter of its order; the number behind it says which session (the
    /// newest first), which status, or how many milliseconds.
    fn step(&mut self, step: &[u8]) {
        let line = step.iter().position(|byte| *byte == b'\n').unwrap_or(step.len());
        let (order, packet) = (&step[..line], step.get(line + 1..).unwrap_or_default());
        let Some((&letter, number)) = order.split_first() else { return };
        let number =
            std::str::from_utf8(number).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0u64);
        let newest =
            self.sessions.iter().rev().nth(number as usize % 4).copied().unwrap_or(SessionId(number));
        let (endpoint, now) = (&mut self.endpoint, self.now);
        match letter {
            b'c' => return self.hear(CARRIER, packet),
            b'd' => return self.hear(DESK, packet),
            b's' => return self.hear(STRANGER, packet),
            b't' => return self.run_for(Duration::from_millis(number).min(WAIT_MAX)),
            b'p' => endpoint.progress(newest, 183, Some(&self.sdp), now),
            b'a' => endpoint.answer(newest, &self.sdp, now),
            b'r' => endpoint.refuse(newest, 486, None, now),
            b'h' => endpoint.hang_up(newest, None, now),
            b'o' => endpoint.reinvite(newest, &self.sdp, now),
            b'y' => endpoint.answer_offer(newest, &self.sdp, now),
            b'n' => endpoint.refuse_offer(newest, 488, now),
            b'q' => endpoint.probe(newest, now),
            b'u' => endpoint.unreachable(CARRIER.parse().expect("an address"), now),
            b'i' => return self.invite(number),
            _ => return,
        }
        self.drain();
    }

    fn invite(&mut self, to: u64) {
        let target = match to {
            0 => Target::Seat("1001".into()),
            _ => Target::Trunk(vec![Route {
                trunk: "carrier".into(),
                user: to.to_string(),
                from_user: "12345".into(),
                priority: 1,
                weight: 1,
            }]),
        };
        let invite = Invite {
            target,
            from_user: "13800000000".into(),
            from_display: String::new(),
            offer: self.sdp.clone().into(),
            headers: Vec::new(),
            connect_timeout: Duration::from_secs(4),
            emergency: false,
            redirects: hotline::sip::event::Redirects::Any,
            along: hotline::sip::Along::default(),
        };
        self.sessions.extend(self.endpoint.invite(invite, self.now));
        self.drain();
    }

    fn hear(&mut self, peer: &str, packet: &[u8]) {
        let bytes = Bytes::from(self.said.fill(packet));
        self.endpoint
            .handle_packet(Packet { listener: 0, peer: peer.parse().expect("an address"), bytes }, self.now);
        self.drain();
    }

    fn run_for(&mut self, span: Duration) {
        let end = self.now.mono + span;
        let mut wakes = 0;
        while let Some(due) = self.endpoint.poll_timeout().filter(|due| *due <= end) {
            self.turn_to(due.max(self.now.mono));
            self.endpoint.handle_timeout(self.now);
            self.drain();
            wakes += 1;
            assert!(wakes < 100_000, "the endpoint wakes without end");
        }
        self.turn_to(end);
    }

    fn turn_to(&mut self, mono: Instant) {
        let passed = mono.since(self.now.mono).as_millis() as i64;
        let wall = Timestamp::from_millisecond(self.now.wall.as_millisecond() + passed).expect("a time");
        self.now = Now { mono, wall };
    }

    fn drain(&mut self) {
        let mut outputs = 0;
        while let Some(output) = self.endpoint.poll_output() {
            outputs += 1;
            assert!(outputs <= OUTPUTS_MAX, "one stimulus sets off too much");
            match output {
                Output::Send(packet) => {
                    let message = Message::parse(packet.bytes).expect("what we send can be read");
                    assert!(is_sound(&message), "{message:?}");
                    self.said.learn(&message);
                }
                Output::Event(Event::Invited(invited)) => self.sessions.push(invited.session),
                _ => {}
            }
        }
    }

    fn hold_bounds(&self) {
        let counts = self.endpoint.counts();
        assert!(counts.sessions <= LIMITS.sessions_max, "{counts:?}");
        // What a session that was let in still needs (its BYE, its re-INVITE) is not refused.
        assert!(counts.transactions <= LIMITS.transactions_max + 4 * LIMITS.sessions_max, "{counts:?}");
        assert!(counts.bindings <= 1, "{counts:?}");
    }

    /// Everyone hangs up, and time passes.
    fn end(&mut self) {
        for id in std::mem::take(&mut self.sessions) {
            self.endpoint.refuse(id, 480, None, self.now);
            self.endpoint.hang_up(id, None, self.now);
            self.drain();
        }
        self.run_for(AFTERWARDS);
        assert_eq!(self.endpoint.counts(), Counts::default(), "nothing is left");
    }
}

impl Said {
    fn learn(&mut self, message: &Message) {
        let value = |name| message.header(name).unwrap_or_default().to_vec();
        match message.method() {
            // An ACK is answered by nobody.
            Some(Method::Ack) => {}
            Some(_) => {
                (self.via, self.from, self.cseq) = (value(Name::Via), value(Name::From), value(Name::CSeq));
                self.call_id = value(Name::CallId);
            }
            None => {
                let tag = message.to().ok().and_then(|to| to.tag().map(<[u8]>::to_vec));
                self.tag = tag.unwrap_or_default();
                if let Some(challenge) = message.header(Name::WwwAuthenticate) {
                    self.proof = prove(challenge).unwrap_or_default();
                }
            }
        }
    }

    fn fill(&self, packet: &[u8]) -> Vec<u8> {
        let words: [(&[u8], &[u8]); 6] = [
            (b"{tag}", &self.tag),
            (b"{via}", &self.via),
            (b"{from}", &self.from),
            (b"{callid}", &self.call_id),
            (b"{cseq}", &self.cseq),
            (b"{proof}", &self.proof),
        ];
        let mut out = Vec::with_capacity(packet.len());
        let mut rest = packet;
        while let Some(&byte) = rest.first() {
            match words.iter().find(|(word, _)| rest.starts_with(word)) {
                Some((word, said)) => {
                    out.extend_from_slice(said);
                    rest = &rest[word.len()..];
                }
                None => {
                    out.push(byte);
                    rest = &rest[1..];
                }
            }
        }
        out
    }
}

/// Whether a message is one to send. A refusal gives faulty headers back as they came, and an answer
/// has as many Vias as its request had.
fn is_sound(message: &Message) -> bool {
    match message.status() {
        None => message.check().is_ok(),
        Some(400..) => true,
        Some(_) => {
            message.via().is_ok() && message.from().is_ok() && message.to().is_ok() && message.cseq().is_ok()
        }
    }
}

/// The seat's Authorization for a REGISTER.
fn prove(challenge: &[u8]) -> Option<Vec<u8>> {
    let Challenge { algorithm, nonce, realm, .. } = Challenge::parse(challenge).ok()?;
    let ha1 = digest::ha1(algorithm, b"1001", b"hotline.example", b"secret");
    let qop = Qop { nc: 1, cnonce: b"c0ffee"[..].into() };
    let uri = b"sip:hotline.example";
    let proof = digest::response(algorithm, &ha1, &Method::Register, uri, &nonce, Some(&qop));
    let credentials = Credentials {
        username: b"1001"[..].into(),
        realm,
        nonce,
        uri: uri[..].into(),
        response: proof.as_bytes().into(),
        algorithm,
        qop: Some(qop),
        opaque: None,
    };
    Some(credentials.to_value())
}
