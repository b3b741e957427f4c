//! One seeded network: each datagram takes its time, some are lost, doubled or overtaken.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use hotline::id::Dice;
use hotline::time::Instant;

/// What a kind of datagrams meets on its way. Shares in percent.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Each datagram takes at least so long.
    pub delay: Duration,
    /// And up to so much longer; more than the gap between two of them lets one overtake the other.
    pub jitter: Duration,
    /// So many are lost.
    pub lost: u64,
    /// So many come twice.
    pub doubled: u64,
    /// So many take four times the delay.
    pub held_up: u64,
}

impl Weather {
    /// 10 ms and nothing else.
    pub const FAIR: Weather =
        Weather { delay: Duration::from_millis(10), jitter: Duration::ZERO, lost: 0, doubled: 0, held_up: 0 };
    /// F12 of the faults: 10 % loss, 2 % doubled, 5 % overtaken, 50 ms give or take 20.
    pub const FOUL: Weather = Weather {
        delay: Duration::from_millis(30),
        jitter: Duration::from_millis(40),
        lost: 10,
        doubled: 2,
        held_up: 5,
    };
}

/// Which socket a datagram is for, besides its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sip,
    Sound,
}

/// A datagram.
#[derive(Clone, Debug)]
pub struct Letter {
    pub kind: Kind,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

/// What is done to the next SIP messages of one name, besides the weather.
#[derive(Debug)]
struct Mishap {
    name: String,
    from: SocketAddr,
    left: u32,
    held: Option<Duration>,
}

/// SIP messages: when, from, to, name.
pub type Log = Vec<(Instant, SocketAddr, SocketAddr, String)>;

pub struct Network {
    pub sip: Weather,
    pub sound: Weather,
    dice: Dice,
    under_way: BTreeMap<(Instant, u64), Letter>,
    posted: u64,
    mishaps: Vec<Mishap>,
    /// FNV-1a over everything that was posted, and when.
    pub trace: u64,
    /// What was posted so far.
    pub log: Log,
    /// SIP messages are kept as they are.
    pub taps: bool,
    pub tapped: Vec<Letter>,
}

impl Network {
    pub fn new(dice: Dice) -> Self {
        Network {
            sip: Weather::FAIR,
            sound: Weather::FAIR,
            dice,
            under_way: BTreeMap::new(),
            posted: 0,
            mishaps: Vec::new(),
            trace: 0xcbf2_9ce4_8422_2325,
            log: Vec::new(),
            taps: false,
            tapped: Vec::new(),
        }
    }

    /// The next `count` messages of this name from there are lost.
    pub fn loses(&mut self, name: &str, from: SocketAddr, count: u32) {
        self.mishaps.push(Mishap { name: name.into(), from, left: count, held: None });
    }

    /// The next message of this name from there takes so much longer.
    pub fn holds(&mut self, name: &str, from: SocketAddr, held: Duration) {
        self.mishaps.push(Mishap { name: name.into(), from, left: 1, held: Some(held) });
    }

    pub fn post(&mut self, letter: Letter, now: Instant) {
        self.note(&now.as_nanos().to_be_bytes());
        self.note(&letter.to.port().to_be_bytes());
        self.note(&letter.bytes);
        let weather = match letter.kind {
            Kind::Sip => self.sip,
            Kind::Sound => self.sound,
        };
        let mut held = Duration::ZERO;
        if letter.kind == Kind::Sip {
            if self.taps {
                self.tapped.push(letter.clone());
            }
            let name = name(&letter.bytes);
            let met = self
                .mishaps
                .iter_mut()
                .find(|mishap| mishap.left > 0 && mishap.from == letter.from && mishap.name == name);
            self.log.push((now, letter.from, letter.to, name));
            if let Some(mishap) = met {
                mishap.left -= 1;
                match mishap.held {
                    None => return,
                    Some(span) => held = span,
                }
            }
        }
        if self.falls(weather.doubled) {
            self.send(letter.clone(), weather, held, now);
        }
        if !self.falls(weather.lost) {
            self.send(letter, weather, held, now);
        }
    }

    fn falls(&mut self, percent: u64) -> bool {
        percent > 0 && self.dice.below(100) < percent
    }

    fn send(&mut self, letter: Letter, weather: Weather, held: Duration, now: Instant) {
        let mut delay = weather.delay + held;
        if !weather.jitter.is_zero() {
            delay += Duration::from_micros(self.dice.below(weather.jitter.as_micros() as u64));
        }
        if self.falls(weather.held_up) {
            delay += 3 * weather.delay;
        }
        self.posted += 1;
        self.under_way.insert((now + delay, self.posted), letter);
    }

    pub fn next(&self) -> Option<Instant> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    pub fn take_due(&mut self, now: Instant) -> Option<Letter> {
        let entry = self.under_way.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    pub fn note(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// `INVITE`, `re-INVITE` for one inside a dialog, or status and method: `200 INVITE`.
pub fn name(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("");
    let mut words = text.split(' ');
    let first = words.next().unwrap_or("");
    if first == "SIP/2.0" {
        let method = header("CSeq: ").rsplit(' ').next().unwrap_or("").to_owned();
        return format!("{} {method}", words.next().unwrap_or(""));
    }
    let again = if first == "INVITE" && header("To: ").contains(";tag=") { "re-" } else { "" };
    format!("{again}{first}")
}

/// What follows `name` on its line.
pub fn header(bytes: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").to_owned()
}
