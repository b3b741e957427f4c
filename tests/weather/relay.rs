//! A relay of datagrams between a telephone and the world: some are lost, doubled or late, so that they
//! overtake one another, by a seed that is printed. It runs on the telephones' own mover, which wakes it
//! when the next datagram is due: nothing sleeps.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use hotline::id::Dice;
use hotline::io::packets::{Channel, Outgoing, Party};
use hotline::phone::{Phone, PhoneEvent};
use hotline::time::{Instant, Now};

/// What RTP packets meet on one way. Shares in per mille.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Each takes at least so long.
    pub delay: Duration,
    /// And up to so much longer.
    pub jitter: Duration,
    /// So many are lost.
    pub lost: u64,
    /// So many come twice.
    pub doubled: u64,
}

impl Weather {
    /// As if there were no relay.
    pub const FAIR: Weather = Weather { delay: Duration::ZERO, jitter: Duration::ZERO, lost: 0, doubled: 0 };
    /// 5 % lost, 1 % doubled, 30 ms of jitter: packets of 20 ms overtake one another.
    pub const FOUL: Weather = Weather {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(30),
        lost: 50,
        doubled: 10,
    };
    /// Nothing comes through.
    pub const NONE: Weather = Weather { lost: 1_000, ..Weather::FAIR };
}

/// What became of the RTP packets of one way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub taken: u64,
    pub lost: u64,
    pub doubled: u64,
}

/// Which way a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the telephone to the world.
    Out,
    /// From the world to the telephone.
    In,
}

/// What telephone, relay and test share.
#[derive(Default)]
pub struct Shared {
    /// Where the telephone sends to: RTP, RTCP.
    far: [Cell<Option<SocketAddr>>; 2],
    weather: RefCell<[Option<Weather>; 2]>,
    tally: RefCell<[Tally; 2]>,
}

impl Shared {
    /// From now on.
    pub fn set(&self, way: Way, weather: Weather) {
        self.weather.borrow_mut()[way as usize] = Some(weather);
    }

    /// RTP so far.
    pub fn tally(&self, way: Way) -> Tally {
        self.tally.borrow()[way as usize]
    }
}

fn place(channel: Channel) -> Option<usize> {
    match channel {
        Channel::Sip => None,
        Channel::Rtp => Some(0),
        Channel::Rtcp => Some(1),
    }
}

/// The relay itself; its sockets are what the world takes for the telephone's.
pub struct Relay {
    shared: Rc<Shared>,
    /// The telephone's own addresses: RTP, RTCP.
    near: [SocketAddr; 2],
    dice: Dice,
    held: BTreeMap<(Instant, u64), (Channel, SocketAddr, Vec<u8>)>,
    taken: u64,
    outputs: VecDeque<Outgoing<PhoneEvent>>,
}

impl Relay {
    pub fn new(shared: Rc<Shared>, near: [SocketAddr; 2], seed: u64) -> Relay {
        println!("weather by seed {seed}");
        Relay {
            shared,
            near,
            dice: Dice::seeded(seed),
            held: BTreeMap::new(),
            taken: 0,
            outputs: VecDeque::new(),
        }
    }

    fn take(&mut self, at: Channel, from: SocketAddr, bytes: &[u8], now: Instant) {
        let Some(place) = place(at) else { return };
        let way = if from == self.near[place] { Way::Out } else { Way::In };
        let to = match way {
            Way::In => self.near[place],
            Way::Out => match self.shared.far[place].get() {
                Some(far) => far,
                None => return,
            },
        };
        let weather = self.shared.weather.borrow()[way as usize].unwrap_or(Weather::FAIR);
        let (mut lost, mut doubled) = (false, false);
        if at == Channel::Rtp {
            lost = self.dice.below(1_000) < weather.lost;
            doubled = !lost && self.dice.below(1_000) < weather.doubled;
            let tally = &mut self.shared.tally.borrow_mut()[way as usize];
            tally.taken += 1;
            tally.lost += u64::from(lost);
            tally.doubled += u64::from(doubled);
        }
        for _ in 0..u8::from(!lost) + u8::from(doubled) {
            let more = self.dice.below(weather.jitter.as_micros() as u64 + 1);
            self.taken += 1;
            let due = now + weather.delay + Duration::from_micros(more);
            self.held.insert((due, self.taken), (at, to, bytes.to_vec()));
        }
    }

    fn let_go(&mut self, now: Instant) {
        while let Some(first) = self.held.first_entry().filter(|first| first.key().0 <= now) {
            let (by, to, bytes) = first.remove();
            self.outputs.push_back(Outgoing::Packet { by, to, bytes });
        }
    }
}

/// A telephone behind a relay, or the relay.
pub enum Someone {
    Phone { phone: Box<Phone>, shared: Rc<Shared>, relay: [SocketAddr; 2] },
    Relay(Box<Relay>),
}

impl Party for Someone {
    type Event = PhoneEvent;

    fn handle_packet(&mut self, at: Channel, from: SocketAddr, bytes: &[u8], now: Now) {
        match self {
            Someone::Phone { phone, shared, .. } => {
                // As if it came straight from the world.
                let from = place(at).and_then(|place| shared.far[place].get()).unwrap_or(from);
                Party::handle_packet(&mut **phone, at, from, bytes, now);
            }
            Someone::Relay(relay) => {
                relay.take(at, from, bytes, now.mono);
                relay.let_go(now.mono);
            }
        }
    }

    fn handle_timeout(&mut self, now: Now) {
        match self {
            Someone::Phone { phone, .. } => Party::handle_timeout(&mut **phone, now),
            Someone::Relay(relay) => relay.let_go(now.mono),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Someone::Phone { phone, .. } => Party::poll_timeout(&**phone),
            Someone::Relay(relay) => relay.held.first_key_value().map(|((due, _), _)| *due),
        }
    }

    fn poll_output(&mut self) -> Option<Outgoing<PhoneEvent>> {
        match self {
            Someone::Phone { phone, shared, relay } => {
                Party::poll_output(&mut **phone).map(|output| match output {
                    Outgoing::Packet { by, to, bytes } => match place(by) {
                        Some(place) => {
                            shared.far[place].set(Some(to));
                            Outgoing::Packet { by, to: relay[place], bytes }
                        }
                        None => Outgoing::Packet { by, to, bytes },
                    },
                    told => told,
                })
            }
            Someone::Relay(relay) => relay.outputs.pop_front(),
        }
    }
}
