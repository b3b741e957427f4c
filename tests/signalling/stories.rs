//! Random stories: a far end that answers anything with anything, asks for anything in any dialog, and
//! repeats itself; connections that come and go; plans that change; orders from above at any time.
//!
//! Whatever is told, each session ends once and nothing follows its end; each request of ours has a
//! number and a branch of its own; theirs have one final answer; and when all is over nothing is left.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use hotline::id::Dice;
use hotline::sip::event::*;
use hotline::sip::{Message, Method, Name, Transport};
use hotline::time::Instant;

use crate::digest_out::{Ask, with_account};
use crate::trunks::{ONE_A, ONE_B, TWO, with_lines};
use crate::wire::*;

const UDP: usize = 0;
const TCP: usize = 1;
/// Longest that anything lives on after everybody has hung up: an ACK waited for, a BYE, and on top
/// the subscription of a REFER.
const LONGEST: Duration = Duration::from_secs(32 + 32 + 180);

struct Story {
    wire: Wire,
    dice: Dice,
    plan: Config,
    /// Requests of ours, with their way.
    asked: Vec<(usize, SocketAddr, Message)>,
    /// Dialogs as the far end sees them.
    dialogs: Vec<Call>,
    /// What the far end has said by datagram, and when.
    heard: Vec<(Instant, Packet)>,
    live: BTreeSet<SessionId>,
    over: BTreeSet<SessionId>,
    refers: Vec<(SessionId, u32)>,
    /// Final answers of ours by request.
    finals: HashMap<String, Vec<u8>>,
    /// Highest CSeq of ours by dialog, with its branch.
    numbers: BTreeMap<String, (u32, String)>,
    drawn: u64,
}

fn plan() -> Config {
    let mut plan = with_account();
    let face = &plan.listeners[0];
    plan.listeners.push(ListenerConfig { transport: Transport::Tcp, ..face.clone() });
    plan.trunks[0].calls_max = 4;
    plan.trunks[0].hops[1].transport = Transport::Tcp;
    plan.trunks[1].calls_per_second = 3;
    plan
}

/// Whom an event is about, and whether it is the last.
fn about(event: &Event) -> Option<(SessionId, bool)> {
    match event {
        Event::Invited(invited) => Some((invited.session, false)),
        Event::Referred(referred) => Some((referred.session, false)),
        Event::Refused { session, .. } | Event::Cancelled { session } | Event::Ended { session, .. } => {
            Some((*session, true))
        }
        Event::InviteSent { session, .. }
        | Event::Progressed { session, .. }
        | Event::Answered { session, .. }
        | Event::Confirmed { session, .. }
        | Event::Agreed { session, .. }
        | Event::Reoffered { session, .. }
        | Event::OfferTaken { session, .. }
        | Event::OfferRefused { session, .. }
        | Event::Alive { session }
        | Event::Digit { session, .. }
        | Event::KeysRefused { session, .. }
        | Event::ReasonGiven { session, .. }
        | Event::Routed { session, .. } => Some((*session, false)),
        Event::Registered { .. }
        | Event::Unregistered { .. }
        | Event::TurnedAway { .. }
        | Event::PasswordWrong { .. }
        | Event::TrunkHealth { .. }
        | Event::TrunkRegistered { .. } => None,
    }
}

impl Story {
    fn new(seed: u64) -> Story {
        Story {
            wire: Wire::with(plan()),
            dice: Dice::seeded(seed),
            plan: plan(),
            asked: Vec::new(),
            dialogs: Vec::new(),
            heard: Vec::new(),
            live: BTreeSet::new(),
            over: BTreeSet::new(),
            refers: Vec::new(),
            finals: HashMap::new(),
            numbers: BTreeMap::new(),
            drawn: 0,
        }
    }

    fn below(&mut self, end: usize) -> usize {
        self.dice.below(end as u64) as usize
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        if all.is_empty() {
            return None;
        }
        let place = self.below(all.len());
        Some(all[place].clone())
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn drain(&mut self) {
        while let Some(output) = self.wire.endpoint.poll_output() {
            match output {
                Output::Send(packet) => self.sent(packet),
                Output::Event(event) => self.told(event),
                Output::SaveBinding { .. } => unreachable!("nobody registers"),
            }
        }
    }

    fn told(&mut self, event: Event) {
        let Some((session, last)) = about(&event) else { return };
        assert!(!self.over.contains(&session), "after its end: {event:?}");
        match event {
            Event::Invited(_) => assert!(self.live.insert(session), "begun twice"),
            Event::Referred(referred) => self.refers.push((session, referred.refer)),
            _ => assert!(self.live.contains(&session), "before its beginning: {event:?}"),
        }
        if last {
            self.live.remove(&session);
            self.over.insert(session);
        }
    }

    fn sent(&mut self, packet: Packet) {
        let message = Message::parse(packet.bytes.clone()).expect("what we send can be read");
        let Some(status) = message.status() else {
            self.numbered(&message);
            return self.asked.push((packet.listener, packet.peer, message));
        };
        let cseq = head(&message, Name::CSeq);
        // Refusals at the door are without memory, and a door may have opened meanwhile.
        if (200..300).contains(&status) && !cseq.contains("CANCEL") {
            let key = format!("{}|{}|{cseq}", head(&message, Name::Via), head(&message, Name::From));
            if let Some(first) = self.finals.insert(key, packet.bytes.to_vec()) {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                assert_eq!(text(&first), text(&packet.bytes), "answered twice, and not the same");
            }
        }
        let (id, to) = (head(&message, Name::CallId), head(&message, Name::To));
        if (101..300).contains(&status)
            && let Some(call) = self.dialogs.iter_mut().find(|call| call.id == id)
        {
            call.to = to;
            if message.header(Name::Rseq).is_some() {
                call.more = format!("RAck: {} {cseq}\r\n", head(&message, Name::Rseq));
            }
        }
    }

    /// Each new request of a dialog has a higher number than the last one.
    fn numbered(&mut self, request: &Message) {
        if matches!(request.method(), Some(Method::Ack | Method::Cancel)) {
            return;
        }
        let branch = head(request, Name::Via);
        let branch = branch.split("branch=").nth(1).unwrap_or_default().to_owned();
        let number = request.cseq().unwrap().number;
        let parts = [Name::CallId, Name::From, Name::To].map(|name| head(request, name));
        let key = parts.join("|");
        match self.numbers.get(&key) {
            Some((last, with)) if *last > number || *last == number && *with != branch => {
                // A repetition of an earlier one.
                let repeated = self.asked.iter().any(|(_, _, known)| known.raw() == request.raw());
                assert!(repeated, "{number} after {last}: {request:?}");
            }
            _ => _ = self.numbers.insert(key, (number, branch)),
        }
    }

    fn hear(&mut self, listener: usize, peer: SocketAddr, text: Vec<u8>) {
        let text = match listener {
            TCP => String::from_utf8(text).unwrap().replace("SIP/2.0/UDP", "SIP/2.0/TCP").into_bytes(),
            _ => text,
        };
        let packet = Packet { listener, peer, bytes: Bytes::from(text) };
        if listener == UDP {
            self.heard.push((self.wire.now.mono, packet.clone()));
        }
        self.wire.endpoint.handle_packet(packet, self.wire.now);
        self.drain();
    }

    fn a_way(&mut self) -> (usize, SocketAddr) {
        let listener = if self.one_in(4) { TCP } else { UDP };
        (listener, self.one_of(&[ONE_A, ONE_B]).unwrap().parse().unwrap())
    }

    fn calls_us(&mut self) {
        self.drawn += 1;
        let mut call = Call::new(&format!("in{}", self.drawn));
        let replaced = self.one_of(&self.dialogs.clone()).filter(|_| self.dice.below(4) == 0);
        if let Some(Call { id, from, to, .. }) = replaced {
            let tag = |address: &str| address.split(";tag=").nth(1).unwrap_or("0").to_owned();
            call.more = format!("Replaces: {id};to-tag={};from-tag={}\r\n", tag(&to), tag(&from));
        }
        for line in ["Supported: 100rel, timer\r\n", "Session-Expires: 90\r\n", "Allow: INVITE, UPDATE\r\n"] {
            if self.one_in(2) {
                call.more.push_str(line);
            }
        }
        let offer = if self.one_in(4) { "" } else { OFFER };
        let invite = call.invite(offer);
        call.more.clear();
        self.dialogs.push(call);
        let (listener, peer) = self.a_way();
        self.hear(listener, peer, invite.into_bytes());
    }

    fn we_call(&mut self) {
        let mut invite = crate::trunks::to_both();
        invite.emergency = self.one_in(5);
        if let Ok(session) = self.wire.endpoint.invite(invite, self.wire.now) {
            assert!(self.live.insert(session), "begun twice");
        }
        self.drain();
    }

    fn answers(&mut self) {
        let Some((listener, peer, request)) = self.one_of(&self.asked.clone()) else { return };
        let tag = self.one_of(&["t1", "t2", ""]).unwrap();
        let invite = request.method() == Some(&Method::Invite);
        let status = match invite {
            true => self.one_of(&[100, 180, 183, 183, 199, 200, 200, 302, 401, 422, 486, 491, 503, 408]),
            false => self.one_of(&[200, 200, 200, 401, 491, 500, 481, 408, 422]),
        };
        let status = status.unwrap();
        let body = if self.one_in(3) { "" } else { OFFER };
        let body = if invite || request.method() == Some(&Method::Update) { body } else { "" };
        let text = match status {
            401 => {
                let nonce = self.one_of(&["n1", "n2", "n3"]).unwrap();
                Ask { nonce, stale: self.one_in(2), ..Ask::default() }.of(&request)
            }
            302 => {
                let text = String::from_utf8(answer(&request, 302, tag, "")).unwrap();
                text.replace("sip:callee@192.0.2.10:5060", "sip:200@one.example").into_bytes()
            }
            _ => {
                let mut lines = String::new();
                if status == 183 && self.one_in(2) {
                    let rseq = 1 + self.below(3);
                    lines = format!("Require: 100rel\r\nRSeq: {rseq}\r\nAllow: INVITE, UPDATE\r\n");
                }
                if matches!(status, 200 | 422) && self.one_in(2) {
                    lines.push_str("Session-Expires: 90;refresher=uac\r\nMin-SE: 3600\r\n");
                }
                if status == 503 && self.one_in(3) {
                    lines.push_str("Retry-After: 5\r\nReason: Q.850;cause=38\r\n");
                }
                with_lines(&answer(&request, status, tag, body), &lines)
            }
        };
        let (id, to) = (head(&request, Name::CallId), head(&request, Name::To));
        if invite && !tag.is_empty() && (101..300).contains(&status) && !to.contains(";tag=") {
            let (from, to) = (format!("{to};tag={tag}"), head(&request, Name::From));
            if !self.dialogs.iter().any(|call| call.id == id && call.from == from) {
                self.dialogs.push(Call { id, from, to, ..Call::new("x") });
            }
        }
        self.hear(listener, peer, text);
    }

    fn says(&mut self) {
        if self.dialogs.is_empty() {
            return;
        }
        let place = self.below(self.dialogs.len());
        let methods = [
            "ACK",
            "ACK",
            "ACK",
            "PRACK",
            "UPDATE",
            "INVITE",
            "INFO",
            "REFER",
            "REFER",
            "SUBSCRIBE",
            "NOTIFY",
            "OPTIONS",
            "BYE",
            "CANCEL",
        ];
        let method = self.one_of(&methods).unwrap();
        let body = if self.one_in(2) { "" } else { OFFER };
        let target = self.one_of(&["12366@192.0.2.1", "1@evil.example"]).unwrap();
        let call = &mut self.dialogs[place];
        let kept = call.more.clone();
        match method {
            "REFER" => call.more = format!("Refer-To: <sip:{target}>\r\n"),
            "SUBSCRIBE" => call.more = "Event: refer\r\nExpires: 0\r\n".into(),
            _ => {}
        }
        let text = match method {
            "ACK" => call.ack_with(body),
            "CANCEL" => call.cancel(),
            "INFO" => {
                call.request("INFO", "Signal=5\r\n").replace("application/sdp", "application/dtmf-relay")
            }
            "UPDATE" | "INVITE" | "PRACK" => call.request(method, body),
            _ => call.request(method, ""),
        };
        call.more = kept;
        let (listener, peer) = self.a_way();
        self.hear(listener, peer, text.into_bytes());
    }

    fn orders(&mut self) {
        let live: Vec<SessionId> = self.live.iter().copied().collect();
        let Some(session) = self.one_of(&live) else { return };
        let (now, which) = (self.wire.now, self.below(14));
        let refer = self.one_of(&self.refers.clone());
        let other = self.one_of(&live).unwrap();
        let endpoint = &mut self.wire.endpoint;
        match (which, refer) {
            (0, _) => endpoint.progress(session, 180, None, now),
            (1, _) => endpoint.progress(session, 183, Some(&sdp()), now),
            (2 | 3, _) => endpoint.answer(session, &sdp(), now),
            (4, _) => endpoint.refuse(session, 486, Some(5), now),
            (5, _) => endpoint.hang_up(session, Some("Q.850;cause=16"), now),
            (6, _) => endpoint.reinvite(session, &sdp(), now),
            (7, _) => endpoint.probe(session, now),
            (8 | 9, _) => endpoint.answer_offer(session, &sdp(), now),
            (10, _) => endpoint.refuse_offer(session, 488, now),
            (11, Some((session, refer))) => endpoint.accept_refer(session, refer, now),
            (12, Some((session, refer))) => endpoint.notify_refer(session, refer, 180, now),
            (13, Some((session, refer))) => endpoint.notify_refer(session, refer, 200, now),
            _ => endpoint.join(session, other),
        }
        self.drain();
    }

    fn disturbs(&mut self) {
        let now = self.wire.now;
        let peer: SocketAddr = self.one_of(&[ONE_A, ONE_B, TWO]).unwrap().parse().unwrap();
        match self.below(5) {
            0 => self.wire.endpoint.flow_opened(TCP, peer, Vec::new()),
            1 => self.wire.endpoint.flow_closed(TCP, peer, now),
            2 => self.wire.endpoint.unreachable(peer, now),
            3 => {
                let trunks = if self.one_in(2) { Vec::new() } else { plan().trunks };
                self.plan = Config { trunks, ..plan() };
                self.wire.endpoint.configure(self.plan.clone(), now);
            }
            _ => {
                self.heard.retain(|(at, _)| now.mono.since(*at) < Duration::from_secs(20));
                if let Some((_, packet)) = self.one_of(&self.heard.clone()) {
                    self.wire.endpoint.handle_packet(packet, now);
                }
            }
        }
        self.drain();
    }

    fn waits(&mut self, span: Duration) {
        let end = self.wire.now.mono + span;
        while let Some(due) = self.wire.endpoint.poll_timeout().filter(|due| *due <= end) {
            self.wire.turn_to(due.max(self.wire.now.mono));
            self.wire.endpoint.handle_timeout(self.wire.now);
            self.drain();
        }
        self.wire.turn_to(end);
    }

    fn goes_on(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.below(20) {
                0 | 1 => self.calls_us(),
                2 | 3 => self.we_call(),
                4..=9 => self.answers(),
                10..=13 => self.says(),
                14..=18 => self.orders(),
                _ => self.disturbs(),
            }
            if self.one_in(2) {
                let longest = self.one_of(&[20, 600, 3_000, 40_000]).unwrap();
                let span = Duration::from_millis(self.dice.below(longest));
                self.waits(span);
            }
        }
    }

    /// Everybody hangs up, and nobody says anything any more.
    fn ends(&mut self) {
        self.wire.endpoint.configure(plan(), self.wire.now);
        for session in self.live.clone() {
            self.wire.endpoint.hang_up(session, None, self.wire.now);
        }
        self.drain();
        self.waits(LONGEST);
        assert!(self.live.is_empty(), "never ended: {:?}", self.live);
        assert_eq!(self.wire.endpoint.counts(), Counts::default());
        let calls = self.wire.endpoint.trunks(self.wire.now).iter().map(|trunk| trunk.calls).sum::<u32>();
        assert_eq!(calls, 0, "places at trunks");
        assert_eq!(self.wire.endpoint.poll_timeout(), None, "timers");
    }
}

#[test]
fn after_any_story_nothing_is_left_and_nothing_was_told_behind_an_end() {
    let number = |name: &str, usual| {
        std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(usual)
    };
    let base = number("SIGNALLING_SEED", 20_260_101);
    for seed in base..base + number("SIGNALLING_SEEDS", 400) {
        println!("seed {seed}");
        let mut story = Story::new(seed);
        story.goes_on(120);
        story.ends();
    }
}
