//! Two endpoints that call one another over a network that loses, doubles and delays.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use hotline::id::Dice;
use hotline::sip::endpoint::Endpoint;
use hotline::sip::event::*;
use hotline::sip::sdp::Sdp;
use hotline::sip::{Message, Name, Transport};
use hotline::time::{Instant, Now, Timestamp};

use crate::wire::{self, OFFER};

/// Usual time on the way.
pub const WAY: Duration = Duration::from_millis(20);

/// Who: the caller, or the one who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Caller,
    Callee,
}

/// What the network does with one message: when its copies arrive, counted from when it was sent.
pub type Fate = Box<dyn FnMut(usize) -> Vec<Duration>>;

/// What a side does by itself.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    Ring,
    EarlyMedia,
    Answer,
    Refuse,
    Offer,
    HangUp,
}

pub struct Pair {
    sides: [Endpoint; 2],
    pub now: Now,
    fate: Fate,
    on_the_way: BTreeMap<(Instant, u64), (Side, Packet)>,
    planned: BTreeMap<(Instant, u64), (Side, Deed)>,
    drawn: u64,
    /// Messages sent so far.
    pub sent: usize,
    pub sessions: [Option<SessionId>; 2],
    /// What happened, without fields.
    pub told: [Vec<String>; 2],
    /// Final answers by request and answering tag.
    finals: HashMap<String, Message>,
    /// Of `o=`: no two descriptions are the same.
    version: u64,
    /// Whether offers are taken.
    pub takes_offers: bool,
}

fn address(side: Side) -> &'static str {
    match side {
        Side::Caller => "192.0.2.1",
        Side::Callee => "192.0.2.2",
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Caller => Side::Callee,
        Side::Callee => Side::Caller,
    }
}

fn config(side: Side) -> Config {
    let far = address(other(side));
    Config {
        listeners: vec![ListenerConfig {
            transport: Transport::Udp,
            bind: "0.0.0.0:5060".parse().unwrap(),
            advertise: address(side).parse().unwrap(),
        }],
        trunks: vec![TrunkConfig {
            sources: vec![(far.parse().unwrap(), 32)],
            hops: vec![wire::hop(&format!("{far}:5060"))],
            ..TrunkConfig::named("far".into())
        }],
        ..wire::config()
    }
}

impl Pair {
    pub fn new(seed: u64, fate: Fate) -> Pair {
        let now =
            Now { mono: Instant::from_millis(1_000), wall: Timestamp::from_second(1_700_000_000).unwrap() };
        let endpoint = |side, seed| Endpoint::new(config(side), Dice::seeded(seed), now);
        Pair {
            sides: [endpoint(Side::Caller, seed), endpoint(Side::Callee, seed ^ 0x5bd1)],
            now,
            fate,
            on_the_way: BTreeMap::new(),
            planned: BTreeMap::new(),
            drawn: 0,
            sent: 0,
            sessions: [None, None],
            told: [Vec::new(), Vec::new()],
            finals: HashMap::new(),
            version: 1,
            takes_offers: true,
        }
    }

    pub fn endpoint(&mut self, side: Side) -> &mut Endpoint {
        &mut self.sides[side as usize]
    }

    /// The caller calls.
    pub fn call(&mut self) {
        let invite = Invite {
            target: wire::by_trunk("far", "12345", "13800000000"),
            connect_timeout: Duration::from_secs(40),
            ..wire::to_carrier()
        };
        let now = self.now;
        let session = self.endpoint(Side::Caller).invite(invite, now).unwrap();
        self.sessions[0] = Some(session);
        self.drain();
    }

    /// Plans a deed for so long from now.
    pub fn plan(&mut self, side: Side, after: Duration, deed: Deed) {
        self.drawn += 1;
        self.planned.insert((self.now.mono + after, self.drawn), (side, deed));
    }

    fn described(&mut self) -> Sdp {
        self.version += 1;
        let mut sdp = Sdp::parse(OFFER.as_bytes()).unwrap();
        sdp.origin.1 = self.version;
        sdp
    }

    fn perform(&mut self, side: Side, deed: Deed) {
        let Some(session) = self.sessions[side as usize] else { return };
        let (now, sdp) = (self.now, self.described());
        let endpoint = self.endpoint(side);
        match deed {
            Deed::Ring => endpoint.progress(session, 180, None, now),
            Deed::EarlyMedia => endpoint.progress(session, 183, Some(&sdp), now),
            Deed::Answer => endpoint.answer(session, &sdp, now),
            Deed::Refuse => endpoint.refuse(session, 486, None, now),
            Deed::Offer => endpoint.reinvite(session, &sdp, now),
            Deed::HangUp => endpoint.hang_up(session, None, now),
        }
    }

    fn drain(&mut self) {
        for side in [Side::Caller, Side::Callee] {
            while let Some(output) = self.endpoint(side).poll_output() {
                match output {
                    Output::Send(packet) => self.post(side, packet),
                    Output::Event(Event::InviteSent { .. }) => {}
                    Output::Event(event) => self.told(side, event),
                    Output::SaveBinding { .. } => unreachable!("nobody registers"),
                }
            }
        }
    }

    fn post(&mut self, from: Side, packet: Packet) {
        let message = Message::parse(packet.bytes.clone()).expect("what we send can be read");
        assert!(message.check().is_ok(), "{message:?}");
        self.never_twice(&message);
        assert_eq!(packet.peer.ip().to_string(), address(other(from)));
        let arrivals = (self.fate)(self.sent);
        self.sent += 1;
        for after in arrivals {
            self.drawn += 1;
            let peer = format!("{}:5060", address(from)).parse().unwrap();
            let packet = Packet { peer, ..packet.clone() };
            self.on_the_way.insert((self.now.mono + after, self.drawn), (other(from), packet));
        }
    }

    /// One request has one final answer, whatever happens to it on the way. CANCEL is answered
    /// without memory.
    fn never_twice(&mut self, message: &Message) {
        if message.status().is_none_or(|status| status < 200)
            || wire::head(message, Name::CSeq).contains("CANCEL")
        {
            return;
        }
        let key = [Name::Via, Name::CallId, Name::CSeq, Name::From].map(|name| wire::head(message, name));
        if let Some(first) = self.finals.insert(key.join("|"), message.clone()) {
            assert_eq!(&first, message, "answered twice, and not the same");
        }
    }

    fn told(&mut self, side: Side, event: Event) {
        let text = format!("{event:?}");
        let text = text.split([' ', '(']).next().unwrap_or_default().to_owned();
        match event {
            Event::Invited(invited) => {
                assert!(self.sessions[side as usize].is_none(), "one call rings once");
                self.sessions[side as usize] = Some(invited.session);
            }
            Event::Reoffered { session, .. } => {
                let (now, sdp) = (self.now, self.described());
                match self.takes_offers {
                    true => self.endpoint(side).answer_offer(session, &sdp, now),
                    false => self.endpoint(side).refuse_offer(session, 488, now),
                }
            }
            Event::Ended { cause, .. } => {
                return self.told[side as usize].push(format!("Ended {cause:?}"));
            }
            Event::TurnedAway { .. } => return,
            _ => {}
        }
        self.told[side as usize].push(text);
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.now.mono + span;
        loop {
            let arrives = self.on_the_way.keys().next().map(|(at, _)| *at);
            let planned = self.planned.keys().next().map(|(at, _)| *at);
            let due = self.sides.iter_mut().filter_map(Endpoint::poll_timeout).min();
            let Some(next) = [arrives, planned, due].into_iter().flatten().min().filter(|at| *at <= end)
            else {
                break;
            };
            self.turn_to(next.max(self.now.mono));
            let now = self.now;
            if arrives == Some(next) {
                if let Some((_, (side, packet))) = self.on_the_way.pop_first() {
                    self.endpoint(side).handle_packet(packet, now);
                }
            } else if planned == Some(next) {
                if let Some((_, (side, deed))) = self.planned.pop_first() {
                    self.perform(side, deed);
                }
            } else {
                for side in [Side::Caller, Side::Callee] {
                    self.endpoint(side).handle_timeout(now);
                }
            }
            self.drain();
        }
        self.turn_to(end);
    }

    fn turn_to(&mut self, mono: Instant) {
        let passed = jiff::SignedDuration::from_nanos(mono.since(self.now.mono).as_nanos() as i64);
        self.now = Now { mono, wall: self.now.wall.checked_add(passed).unwrap() };
    }

    /// How often a side was told that it is over.
    pub fn ends(&self, side: Side) -> usize {
        let last =
            |told: &&String| told.starts_with("Ended") || ["Refused", "Cancelled"].contains(&told.as_str());
        self.told[side as usize].iter().filter(last).count()
    }

    /// Both have nothing left, and were told so once.
    pub fn assert_settled(&mut self, what: &str) {
        for side in [Side::Caller, Side::Callee] {
            assert_eq!(self.endpoint(side).counts(), Counts::default(), "{what}: {side:?} {:?}", self.told);
            let ends = usize::from(self.sessions[side as usize].is_some());
            assert_eq!(self.ends(side), ends, "{what}: {side:?} {:?}", self.told);
        }
    }
}
