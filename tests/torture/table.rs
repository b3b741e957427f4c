//! An endpoint that the messages are put before: everyone is a trunk.

use std::net::SocketAddr;

use bytes::Bytes;
use hotline::id::Dice;
use hotline::sip::digest::{self, Algorithm, Challenge, Credentials, Qop};
use hotline::sip::event::*;
use hotline::sip::{Endpoint, Message, Name, Transport};
use hotline::time::{Instant, Now, Timestamp};

pub const DOMAIN: &str = "example.com";
const PASSWORD: &[u8] = b"secret";

pub struct Table {
    pub endpoint: Endpoint,
    pub now: Now,
    pub sent: Vec<(SocketAddr, Message)>,
    pub events: Vec<Event>,
    pub saved: Vec<Binding>,
}

impl Table {
    pub fn new(seats: &[&str]) -> Table {
        let seat = |user: &str| SeatAccount {
            seat: user.into(),
            ha1_md5: digest::ha1(Algorithm::Md5, user.as_bytes(), DOMAIN.as_bytes(), PASSWORD),
            ha1_sha256: digest::ha1(Algorithm::Sha256, user.as_bytes(), DOMAIN.as_bytes(), PASSWORD),
        };
        let config = Config {
            listeners: vec![ListenerConfig {
                transport: Transport::Udp,
                bind: "[2001:db8::10]:5060".parse().unwrap(),
                advertise: "2001:db8::10".parse().unwrap(),
            }],
            domain: DOMAIN.into(),
            seats: seats.iter().copied().map(seat).collect(),
            trunks: vec![TrunkConfig {
                sources: vec![("0.0.0.0".parse().unwrap(), 0), ("::".parse().unwrap(), 0)],
                ..TrunkConfig::named("everyone".into())
            }],
            register_min_s: 60,
            register_max_s: 600,
            product: "hotline".into(),
            ..Config::default()
        };
        let now =
            Now { mono: Instant::from_millis(1_000), wall: Timestamp::from_second(1_700_000_000).unwrap() };
        Table {
            endpoint: Endpoint::new(config, Dice::seeded(4475), now),
            now,
            sent: Vec::new(),
            events: Vec::new(),
            saved: Vec::new(),
        }
    }

    pub fn hear(&mut self, peer: &str, bytes: Bytes) {
        let packet = Packet { listener: 0, peer: peer.parse().unwrap(), bytes };
        self.endpoint.handle_packet(packet, self.now);
        self.drain();
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send(packet) => {
                    let message = Message::parse(packet.bytes).expect("what we send can be read");
                    self.sent.push((packet.peer, message));
                }
                Output::Event(event) => self.events.push(event),
                Output::SaveBinding { binding, .. } => self.saved.extend(binding),
            }
        }
    }

    /// The statuses sent so far.
    pub fn statuses(&self) -> Vec<u16> {
        self.sent.iter().filter_map(|(_, message)| message.status()).collect()
    }

    /// Sends a REGISTER again with proof that it is `user`'s; returns the answer.
    pub fn prove(&mut self, peer: &str, request: &Message, user: &[u8]) -> Message {
        let challenge = &self.sent.last().expect("a challenge").1;
        let value = challenge.header(Name::WwwAuthenticate).expect("a challenge");
        let Challenge { algorithm, nonce, realm, .. } = Challenge::parse(value).unwrap();
        let (method, uri) = (request.method().unwrap(), request.request_uri().unwrap());
        let ha1 = digest::ha1(algorithm, user, DOMAIN.as_bytes(), PASSWORD);
        let qop = Qop { nc: 1, cnonce: b"c0ffee"[..].into() };
        let proof = digest::response(algorithm, &ha1, method, uri, &nonce, Some(&qop));
        let credentials = Credentials {
            username: user.into(),
            realm,
            nonce,
            uri: uri.into(),
            response: proof.as_bytes().into(),
            algorithm,
            qop: Some(qop),
            opaque: None,
        };
        let raw = request.raw();
        let line_end = raw.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let with = [&raw[..line_end], b"Authorization: ", &credentials.to_value(), b"\r\n", &raw[line_end..]];
        self.hear(peer, Bytes::from(with.concat()));
        self.sent.last().unwrap().1.clone()
    }
}
