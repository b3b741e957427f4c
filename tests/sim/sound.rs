//! The media thread in the city: the engine ticked every five milliseconds while legs are open.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use hotline::id::{CallId, Dice, LegId};
use hotline::media::order::PortSlot;
use hotline::media::{Channel, Engine, Fact, Frame, Order, SocketKey, SoundBank, Tape, Wire};
use hotline::time::{Instant, Now, Timestamp};

/// Between two ticks.
const PERIOD: Duration = Duration::from_millis(5);
const PHASES: u64 = 4;
/// Datagrams that a socket holds.
const SOCKET_MAX: usize = 256;

type Inbox = VecDeque<(SocketAddr, Vec<u8>)>;

pub struct SoundRoom {
    engine: Engine,
    orders: VecDeque<Order>,
    sockets: BTreeMap<(u32, bool), Inbox>,
    /// Whose pair each one is.
    legs: BTreeMap<u32, LegId>,
    /// To which pair each telephone sent last.
    sends_to: BTreeMap<std::net::IpAddr, u32>,
    /// From which pairs sound went to each telephone, and when last.
    sent_from: BTreeMap<std::net::IpAddr, BTreeMap<u32, Instant>>,
    tick: u64,
    next: Option<Instant>,
    tape: Reel,
    out: Post,
    first_port: u16,
    ip: std::net::IpAddr,
}

#[derive(Default)]
struct Post(Vec<(SocketKey, SocketAddr, Vec<u8>)>);

impl Wire for Post {
    fn send(&mut self, socket: SocketKey, to: SocketAddr, packet: &[u8]) {
        self.0.push((socket, to, packet.to_vec()));
    }
}

/// What is kept of a recording that runs, samples of both sides: its last second.
const KEPT: usize = 8_000;

/// Recordings as their lengths, and what came last of those that run.
#[derive(Default)]
struct Reel {
    running: BTreeMap<CallId, u64>,
    last: BTreeMap<CallId, VecDeque<[i16; 2]>>,
    whole: Vec<(CallId, u64, u64)>,
}

impl Tape for Reel {
    fn begin(&mut self, call: CallId, _begun: Timestamp) {
        self.running.insert(call, 0);
    }

    fn frame(&mut self, call: CallId, left: &Frame, right: &Frame) -> bool {
        *self.running.entry(call).or_default() += left.len() as u64;
        let last = self.last.entry(call).or_default();
        last.extend(left.iter().zip(right).map(|(left, right)| [*left, *right]));
        last.drain(..last.len().saturating_sub(KEPT));
        true
    }

    fn end(&mut self, call: CallId, lost_frames: u64) {
        self.last.remove(&call);
        if let Some(samples) = self.running.remove(&call) {
            self.whole.push((call, samples, lost_frames));
        }
    }
}

/// What came of a tick.
#[derive(Default)]
pub struct Ticked {
    pub facts: Vec<Fact>,
    /// From, to, packet.
    pub sent: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
    /// Recordings that the disk has still to take: call, samples, lost frames.
    pub recorded: Vec<(CallId, u64, u64)>,
}

impl SoundRoom {
    pub fn new(bank: SoundBank, dice: Dice, ip: std::net::IpAddr, first_port: u16) -> Self {
        SoundRoom {
            engine: Engine::new(bank, dice),
            orders: VecDeque::new(),
            sockets: BTreeMap::new(),
            legs: BTreeMap::new(),
            sends_to: BTreeMap::new(),
            sent_from: BTreeMap::new(),
            tick: 0,
            next: None,
            tape: Reel::default(),
            out: Post::default(),
            first_port,
            ip,
        }
    }

    pub fn legs(&self) -> usize {
        self.engine.legs()
    }

    /// Legs that the engine has yet to open.
    pub fn legs_to_come(&self) -> usize {
        self.orders.iter().filter(|order| matches!(order, Order::Open { .. })).count()
    }

    /// The last second of a recording that runs: its left, and its right.
    pub fn last_recorded(&self, call: CallId) -> [Vec<i16>; 2] {
        let last = self.tape.last.get(&call);
        [0, 1].map(|side| last.into_iter().flatten().map(|both| both[side]).collect())
    }

    pub fn recordings(&self) -> usize {
        self.engine.recordings()
    }

    pub fn order(&mut self, order: Order, now: Instant) {
        self.orders.push_back(order);
        self.next.get_or_insert_with(|| {
            // The clock of the ticks goes on while nobody listens.
            let period = PERIOD.as_nanos() as u64;
            self.tick = now.as_nanos() / period + 1;
            Instant::from_nanos(self.tick * period)
        });
    }

    pub fn receive(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let above = to.port().saturating_sub(self.first_port);
        self.sends_to.insert(from.ip(), u32::from(above / 2));
        let inbox = self.sockets.entry((u32::from(above / 2), above % 2 == 1)).or_default();
        if inbox.len() < SOCKET_MAX {
            inbox.push_back((from, bytes));
        }
    }

    /// The leg to which the telephone at this address sends.
    pub fn leg_of(&self, telephone: std::net::IpAddr) -> Option<LegId> {
        self.legs.get(self.sends_to.get(&telephone)?).copied()
    }

    /// Calls whose sound went to this address within so long: more than one where a telephone has left a call, and
    /// the house has yet to learn of it.
    pub fn calls_to(
        &self,
        telephone: std::net::IpAddr,
        now: Instant,
        within: Duration,
    ) -> impl Iterator<Item = CallId> {
        let pairs = self.sent_from.get(&telephone).into_iter().flatten();
        let lately = pairs.filter(move |(_, at)| now.since(**at) < within);
        lately.filter_map(|(pair, _)| self.legs.get(pair)).map(|leg| leg.call)
    }

    pub fn next(&self) -> Option<Instant> {
        self.next
    }

    pub fn turn(&mut self, now: Now) -> Ticked {
        let phase = (self.tick % PHASES) as u8;
        if self.engine.legs() == 0 {
            // The thread of the house ticks on without legs: none of its phases is late then.
            (0..PHASES as u8).for_each(|phase| {
                self.engine.tick(phase, now.mono, &mut self.out, &mut self.tape);
            });
        }
        while let Some(order) = self.orders.pop_front() {
            if let Order::Open { leg, config, .. } = &order {
                self.legs.insert(config.slot.0, *leg);
                // A pair that is lent anew begins without what came for others.
                self.sockets.remove(&(config.slot.0, false));
                self.sockets.remove(&(config.slot.0, true));
            }
            self.engine.handle_order(order, now, &mut self.out, &mut self.tape);
        }
        let due: Vec<PortSlot> = self.engine.due(phase).to_vec();
        for slot in due {
            for kind in [Channel::Rtp, Channel::Rtcp] {
                let socket = SocketKey { slot, kind };
                let Some(inbox) = self.sockets.get_mut(&(slot.0, kind == Channel::Rtcp)) else { continue };
                for (from, mut packet) in std::mem::take(inbox) {
                    self.engine.handle_packet(socket, from, &mut packet, now.mono, &mut self.out);
                }
            }
        }
        self.engine.tick(phase, now.mono, &mut self.out, &mut self.tape);
        for (socket, to, _) in self.out.0.iter().filter(|(socket, ..)| socket.kind == Channel::Rtp) {
            self.sent_from.entry(to.ip()).or_default().insert(socket.slot.0, now.mono);
        }
        self.tick += 1;
        let goes_on = self.engine.legs() > 0 || self.engine.recordings() > 0;
        self.next = goes_on.then(|| now.mono + PERIOD);
        Ticked {
            facts: std::iter::from_fn(|| self.engine.poll_output()).collect(),
            sent: std::mem::take(&mut self.out.0).into_iter().map(|it| self.addressed(it)).collect(),
            recorded: std::mem::take(&mut self.tape.whole),
        }
    }

    fn addressed(&self, sent: (SocketKey, SocketAddr, Vec<u8>)) -> (SocketAddr, SocketAddr, Vec<u8>) {
        let (socket, to, bytes) = sent;
        let odd = u16::from(socket.kind == Channel::Rtcp);
        let port = self.first_port + 2 * socket.slot.0 as u16 + odd;
        (SocketAddr::new(self.ip, port), to, bytes)
    }
}
