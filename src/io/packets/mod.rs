//! The packet mover: one or many machines without sockets of their own, run on real UDP sockets.
//!
//! All of them share one thread and one poll, which sleeps in the kernel until a datagram comes, a
//! machine is due, or somebody rings the bell. What a machine says and means is its own affair.

pub mod batch;
mod poll;
mod sockets;
pub mod stamp;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub use poll::{Bell, Poll};
pub use sockets::{Channel, Sockets};

use super::clock::Clock;
use crate::id::Dice;
use crate::time::{Agenda, Instant, Now};

/// Datagrams taken from one socket before the others have their turn.
const BURST: usize = 64;
/// No datagram is longer.
const ROOM: usize = 65_536;

/// A machine that lives on three sockets.
pub trait Party {
    /// What it tells its owner.
    type Event;

    /// A datagram arrived.
    fn handle_packet(&mut self, at: Channel, from: SocketAddr, bytes: &[u8], now: Now);
    /// Time passed.
    fn handle_timeout(&mut self, now: Now);
    /// When it next wants to be woken.
    fn poll_timeout(&self) -> Option<Instant>;
    /// What it wants done next.
    fn poll_output(&mut self) -> Option<Outgoing<Self::Event>>;
}

/// What a machine wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Outgoing<E> {
    /// A datagram leaves by one of its sockets.
    Packet {
        /// Which.
        by: Channel,
        /// Whereto.
        to: SocketAddr,
        /// The datagram.
        bytes: Vec<u8>,
    },
    /// Something for its owner.
    Event(E),
}

/// Which of the machines: their places, in the order of their coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartyKey(usize);

/// Machines with their sockets.
pub struct Mover<P: Party> {
    poll: Poll,
    clock: Clock,
    dice: Dice,
    seats: Vec<(P, Sockets)>,
    agenda: Agenda<PartyKey>,
    events: VecDeque<(PartyKey, P::Event)>,
    ready: Vec<u64>,
    room: Box<[u8]>,
    rung: bool,
}

impl<P: Party> Mover<P> {
    /// A mover with nobody on it.
    pub fn new() -> io::Result<Self> {
        let mut key = [0; 32];
        rand::RngCore::fill_bytes(&mut rand::rng(), &mut key);
        Ok(Mover {
            poll: Poll::new()?,
            clock: Clock::system(),
            dice: Dice::keyed(key),
            seats: Vec::new(),
            agenda: Agenda::default(),
            events: VecDeque::new(),
            ready: Vec::new(),
            room: vec![0; ROOM].into_boxed_slice(),
            rung: false,
        })
    }

    /// Dice for a machine that is about to be added.
    pub fn dice(&mut self) -> Dice {
        self.dice.split()
    }

    /// The clock that all machines here go by.
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// Ends a [`Mover::turn`] from another thread.
    pub fn bell(&self) -> io::Result<Bell> {
        self.poll.bell()
    }

    /// Whether the bell was rung since this was last asked.
    pub fn take_ring(&mut self) -> bool {
        std::mem::take(&mut self.rung)
    }

    /// Puts a machine on its sockets.
    pub fn add(&mut self, party: P, sockets: Sockets) -> io::Result<PartyKey> {
        let key = PartyKey(self.seats.len());
        for channel in Channel::ALL {
            self.poll.add(sockets.socket(channel), tag(key, channel))?;
        }
        self.seats.push((party, sockets));
        self.settle(key);
        Ok(key)
    }

    /// A machine, to be looked at.
    pub fn party(&self, key: PartyKey) -> &P {
        &self.seats[key.0].0
    }

    /// Gives a machine an order, and carries out what it wants then.
    pub fn order<R>(&mut self, key: PartyKey, act: impl FnOnce(&mut P, Now) -> R) -> R {
        let now = self.clock.now();
        let done = act(&mut self.seats[key.0].0, now);
        self.settle(key);
        done
    }

    /// The next thing that a machine told.
    pub fn poll_event(&mut self) -> Option<(PartyKey, P::Event)> {
        self.events.pop_front()
    }

    /// Sleeps until something is there or due, at most until `until`, and deals with it.
    pub fn turn(&mut self, until: Instant) -> io::Result<()> {
        let due = self.agenda.next().map_or(until, |at| at.min(until));
        let wait = if self.events.is_empty() { self.clock.until(due) } else { Duration::ZERO };
        let mut ready = std::mem::take(&mut self.ready);
        self.rung |= self.poll.wait(wait, &mut ready)?;
        for tag in ready.drain(..) {
            self.receive(tag);
        }
        self.ready = ready;
        let now = self.clock.now();
        for _ in 0..self.seats.len() {
            let Some(key) = self.agenda.take_due(now.mono) else { break };
            self.seats[key.0].0.handle_timeout(now);
            self.settle(key);
        }
        Ok(())
    }

    fn receive(&mut self, tag: u64) {
        let (key, channel) = untag(tag);
        let Some((party, sockets)) = self.seats.get_mut(key.0) else { return };
        for _ in 0..BURST {
            match sockets.socket(channel).recv_from(&mut self.room) {
                Ok((length, from)) => {
                    party.handle_packet(channel, from, &self.room[..length], self.clock.now());
                }
                // Nothing left; or an ICMP echo of something sent, taken off the socket by this call.
                Err(_) => break,
            }
        }
        self.settle(key);
    }

    /// Drains a machine to the end and notes when it wants to be woken.
    fn settle(&mut self, key: PartyKey) {
        let (party, sockets) = &mut self.seats[key.0];
        while let Some(output) = party.poll_output() {
            match output {
                // What the kernel does not take now is lost, as on any network.
                Outgoing::Packet { by, to, bytes } => drop(sockets.socket(by).send_to(&bytes, to)),
                Outgoing::Event(event) => self.events.push_back((key, event)),
            }
        }
        self.agenda.set(&key, party.poll_timeout());
    }
}

fn tag(key: PartyKey, channel: Channel) -> u64 {
    key.0 as u64 * Channel::ALL.len() as u64 + channel as u64
}

fn untag(tag: u64) -> (PartyKey, Channel) {
    let channels = Channel::ALL.len() as u64;
    (PartyKey((tag / channels) as usize), Channel::ALL[(tag % channels) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends back what it hears, a tenth of a second later, and tells how often.
    #[derive(Default)]
    struct Echo {
        held: Vec<(Channel, SocketAddr, Vec<u8>, Instant)>,
        outputs: VecDeque<Outgoing<usize>>,
        heard: usize,
    }

    impl Party for Echo {
        type Event = usize;

        fn handle_packet(&mut self, at: Channel, from: SocketAddr, bytes: &[u8], now: Now) {
            self.held.push((at, from, bytes.to_vec(), now.mono + Duration::from_millis(100)));
        }

        fn handle_timeout(&mut self, now: Now) {
            for (by, to, bytes, _) in self.held.extract_if(.., |held| held.3 <= now.mono) {
                self.heard += 1;
                self.outputs.push_back(Outgoing::Packet { by, to, bytes });
                self.outputs.push_back(Outgoing::Event(self.heard));
            }
        }

        fn poll_timeout(&self) -> Option<Instant> {
            self.held.iter().map(|held| held.3).min()
        }

        fn poll_output(&mut self) -> Option<Outgoing<usize>> {
            self.outputs.pop_front()
        }
    }

    fn loopback() -> Sockets {
        Sockets::open([127, 0, 0, 1].into()).unwrap()
    }

    #[test]
    fn each_party_hears_what_comes_to_its_own_sockets_and_is_woken_when_it_is_due() {
        let mut mover = Mover::<Echo>::new().unwrap();
        let keys: Vec<PartyKey> = (0..60).map(|_| mover.add(Echo::default(), loopback()).unwrap()).collect();
        let outside = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        outside.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        for key in &keys {
            for channel in Channel::ALL {
                let to = mover.seats[key.0].1.address(channel).unwrap();
                outside.send_to(format!("{} {channel:?}", key.0).as_bytes(), to).unwrap();
            }
        }
        let begun = mover.now().mono;
        let mut told = vec![0; keys.len()];
        while told.iter().sum::<usize>() < keys.len() * Channel::ALL.len() {
            mover.turn(begun + Duration::from_secs(10)).unwrap();
            assert!(mover.now().mono < begun + Duration::from_secs(10), "{told:?}");
            while let Some((key, _)) = mover.poll_event() {
                told[key.0] += 1;
            }
        }
        assert!(mover.now().mono >= begun + Duration::from_millis(99), "woken when due, not before");
        assert_eq!(told, vec![Channel::ALL.len(); keys.len()]);
        let mut room = [0; 64];
        for _ in 0..keys.len() * Channel::ALL.len() {
            let (length, from) = outside.recv_from(&mut room).unwrap();
            let text = std::str::from_utf8(&room[..length]).unwrap();
            let at = |channel| mover.seats[told_by(text)].1.address(channel).unwrap();
            assert!(
                Channel::ALL
                    .into_iter()
                    .any(|channel| { at(channel) == from && text.ends_with(&format!("{channel:?}")) })
            );
        }
    }

    fn told_by(text: &str) -> usize {
        text.split(' ').next().unwrap().parse().unwrap()
    }

    #[test]
    fn the_bell_ends_a_turn_and_is_heard_once() {
        let mut mover = Mover::<Echo>::new().unwrap();
        let bell = mover.bell().unwrap();
        let ringer = std::thread::spawn(move || bell.ring());
        let bound = mover.now().mono + Duration::from_secs(20);
        while !mover.take_ring() {
            mover.turn(bound).unwrap();
            assert!(mover.now().mono < bound);
        }
        ringer.join().unwrap();
        assert!(!mover.take_ring());
    }

    #[test]
    fn a_turn_without_anything_ends_at_its_bound() {
        let mut mover = Mover::<Echo>::new().unwrap();
        mover.add(Echo::default(), loopback()).unwrap();
        let bound = mover.now().mono + Duration::from_millis(30);
        mover.turn(bound).unwrap();
        assert!(mover.now().mono >= bound);
        assert_eq!(mover.poll_event(), None);
    }
}
