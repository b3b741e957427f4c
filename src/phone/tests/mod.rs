//! A network in a test: phones, a scripted desk, one clock, seeded loss.

mod against_registrar;
mod against_script;
mod between_phones;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::time::Timestamp;

/// One way through the network.
const DELAY: Duration = Duration::from_millis(10);
/// 2021-09-01T00:00:00Z.
const EPOCH_S: i64 = 1_630_454_400;

/// Where the scripted desk is reached.
fn desk() -> SocketAddr {
    "192.0.2.1:5060".parse().unwrap()
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What the desk says to a message, if anything.
type Script = Box<dyn FnMut(&str) -> Option<String>>;

/// The network and all that hangs on it.
struct Net {
    mono: Instant,
    dice: Dice,
    phones: Vec<Phone>,
    wire: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Vec<u8>)>,
    sent: u64,
    /// Share of datagrams that are lost, percent.
    lossy: u64,
    events: Vec<(usize, PhoneEvent)>,
    /// SIP that reached the desk, with its destination.
    heard: Vec<(SocketAddr, String)>,
    /// Answers what reaches the desk.
    answer: Option<Script>,
}

impl Net {
    fn new(seed: u64) -> Self {
        println!("seed {seed}");
        Net {
            mono: Instant::from_millis(1_000),
            dice: Dice::seeded(seed),
            phones: Vec::new(),
            wire: BTreeMap::new(),
            sent: 0,
            lossy: 0,
            events: Vec::new(),
            heard: Vec::new(),
            answer: None,
        }
    }

    /// Two phones, each the other's server.
    fn pair(seed: u64) -> Self {
        let mut net = Net::new(seed);
        for (user, server) in [("wang", "192.0.2.11:5060"), ("1001", "192.0.2.10:5060")] {
            net.plug(user, server.parse().unwrap(), |_| {});
        }
        net
    }

    /// Plugs in a phone at the next address: 192.0.2.10 and up.
    fn plug(&mut self, user: &str, server: SocketAddr, set: impl FnOnce(&mut PhoneConfig)) -> usize {
        let at = |port: u16| SocketAddr::new([192, 0, 2, 10 + self.phones.len() as u8].into(), port);
        let mut config = PhoneConfig::new(user, at(5060), at(4000), server);
        config.domain = "city.example".into();
        set(&mut config);
        self.phones.push(Phone::new(config, self.dice.split()));
        self.phones.len() - 1
    }

    fn set(&mut self, phone: usize, set: impl FnOnce(&mut PhoneConfig)) {
        set(&mut self.phones[phone].config);
    }

    fn now(&self) -> Now {
        let wall = Timestamp::from_second(EPOCH_S).unwrap() + self.mono.since(Instant::ZERO);
        Now { mono: self.mono, wall }
    }

    /// Gives a phone an order.
    fn order<T>(&mut self, phone: usize, order: impl FnOnce(&mut Phone, Now) -> T) -> T {
        let now = self.now();
        let done = order(&mut self.phones[phone], now);
        self.collect(phone);
        done
    }

    fn dial(&mut self, phone: usize, to: &str) {
        self.order(phone, |phone, now| phone.dial(Dial::to(to), now)).unwrap();
    }

    fn collect(&mut self, phone: usize) {
        let config = self.phones[phone].config.clone();
        let above = SocketAddr::new(config.rtp.ip(), config.rtp.port() + 1);
        while let Some(output) = self.phones[phone].poll_output() {
            match output {
                Output::Sip { to, bytes } => self.post(config.sip, to, bytes),
                Output::Rtp { to, bytes } => self.post(config.rtp, to, bytes),
                Output::Rtcp { to, bytes } => self.post(above, to, bytes),
                Output::Event(event) => self.events.push((phone, event)),
            }
        }
    }

    fn post(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        self.sent += 1;
        if self.dice.below(100) >= self.lossy {
            self.wire.insert((self.mono + DELAY, self.sent), (from, to, bytes));
        }
    }

    /// Sends SIP from the desk to a phone.
    fn say(&mut self, phone: usize, text: &str) {
        let to = self.phones[phone].config.sip;
        self.post(desk(), to, text.as_bytes().to_vec());
    }

    /// Lets time pass, event by event.
    fn run_for(&mut self, span: Duration) {
        let end = self.mono + span;
        loop {
            let timer = self.phones.iter().filter_map(Phone::poll_timeout).min();
            let packet = self.wire.keys().next().map(|(at, _)| *at);
            let Some(next) = timer.into_iter().chain(packet).min().filter(|next| *next <= end) else {
                break;
            };
            self.mono = self.mono.max(next);
            if let Some(key) = self.wire.keys().next().copied().filter(|(at, _)| *at <= self.mono) {
                let (from, to, bytes) = self.wire.remove(&key).unwrap();
                self.deliver(from, to, &bytes);
            } else {
                for phone in 0..self.phones.len() {
                    if self.phones[phone].poll_timeout().is_some_and(|at| at <= self.mono) {
                        self.order(phone, |phone, now| phone.handle_timeout(now));
                    }
                }
            }
        }
        self.mono = end;
    }

    fn deliver(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let phone = self.phones.iter().position(|phone| phone.config.sip.ip() == to.ip());
        match phone {
            Some(phone) if to.port() == 5060 => {
                self.order(phone, |phone, now| phone.handle_sip(from, bytes, now))
            }
            Some(phone) => self.order(phone, |phone, now| phone.handle_rtp(from, bytes, now)),
            None if to.port() >= 5060 => {
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                let answer = self.answer.as_mut().and_then(|answer| answer(&text));
                self.heard.push((to, text));
                if let Some(answer) = answer {
                    self.post(to, from, answer.into_bytes());
                }
            }
            None => {}
        }
    }

    /// What a phone has told since this was last asked.
    fn told(&mut self, phone: usize) -> Vec<PhoneEvent> {
        let (told, rest) = std::mem::take(&mut self.events).into_iter().partition(|(who, _)| *who == phone);
        self.events = rest;
        let told: Vec<(usize, PhoneEvent)> = told;
        told.into_iter().map(|(_, event)| event).collect()
    }

    /// What the desk has heard since this was last asked, by first line.
    fn desk_heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.heard).into_iter().map(|(_, text)| text).collect()
    }

    fn state(&self, phone: usize) -> PhoneState {
        self.phones[phone].state()
    }
}

/// The value of a header in a message text.
fn header<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("")
}

/// The method or status of a message text.
fn kind(text: &str) -> &str {
    let mut words = text.split(' ');
    match words.next() {
        Some("SIP/2.0") => words.next().unwrap_or(""),
        word => word.unwrap_or(""),
    }
}

fn kinds(texts: &[String]) -> Vec<&str> {
    texts.iter().map(|text| kind(text)).collect()
}

/// An answer to a request, written out by hand.
fn answer_to(request: &str, status: u16, tag: &str, extra: &str, body: &str) -> String {
    let mut text = format!("SIP/2.0 {status} Whatever\r\n");
    for line in request.lines().take_while(|line| !line.is_empty()) {
        if line.starts_with("Via:")
            || line.starts_with("From:")
            || line.starts_with("Call-ID:")
            || line.starts_with("CSeq:")
        {
            text += &format!("{line}\r\n");
        }
        if line.starts_with("To:") {
            let tag =
                if line.contains(";tag=") || tag.is_empty() { String::new() } else { format!(";tag={tag}") };
            text += &format!("{line}{tag}\r\n");
        }
    }
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    text + extra + kind + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

/// A description of the desk's.
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n\
    a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";
