//! RTP of many telephones at once: received and sent in batches, stamped by the kernel.
//!
//! For who measures: each telephone has a pair of ports of its own, and is served in its turn, not
//! when a packet comes; the stamp tells when that was. What a packet says is its owner's affair.

mod plain;
mod uring;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::stamp::{self, Stamp};
use crate::io::media::{PortPair, PortRange, ShellChoice};
use crate::media::order::PortSlot;
use plain::Plain;
use uring::Uring;

/// Packets per enter of the ring.
const BATCH: usize = 256;
/// Octets of a packet that is sent: a header and 60 ms of sound.
pub const SENT_MAX: usize = 12 + 480;
/// Octets of a packet that is received; of a longer one the rest is cut off.
pub const RECEIVED_MAX: usize = 1_500;
/// Packets taken from one telephone in one turn; the rest waits for its next.
const BURST_MAX: u8 = 8;
/// Each so many turns a telephone is read until nothing is left.
const LOOK_EVERY: u8 = 8;

/// One telephone's pair of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port(u32);

impl Port {
    /// Its place in a table: pairs are numbered from 0 in the order of the range.
    pub fn place(self) -> usize {
        self.0 as usize
    }
}

/// Takes one packet: whose, from whom, when, and what.
pub type Hear<'a> = &'a mut dyn FnMut(Port, SocketAddr, Stamp, &[u8]);

enum Way {
    Uring(Box<Uring>),
    Plain(Box<Plain>),
}

/// One packet on its way out.
struct Letter {
    port: Port,
    to: SocketAddr,
    length: usize,
    bytes: [u8; SENT_MAX],
}

/// How often a telephone is read in one turn.
#[derive(Clone, Copy, Default)]
struct Habit {
    turns: u8,
    /// The last turn found more than one packet.
    eager: bool,
}

/// See the module's own words.
pub struct Batch {
    ports: PortRange,
    habits: Vec<Habit>,
    letters: Box<[Letter]>,
    written: usize,
    refused: u64,
    way: Way,
}

impl Batch {
    /// Ports `first..=last` at `ip`, none of them open yet. `Auto` takes plain calls where there is no
    /// io_uring.
    pub fn new(ip: IpAddr, (first, last): (u16, u16), choice: ShellChoice) -> io::Result<Self> {
        let ports = PortRange::new(ip, first, last);
        let way = match choice {
            ShellChoice::Epoll => Way::Plain(Box::default()),
            ShellChoice::Uring => Way::Uring(Box::new(Uring::new(ports.slots())?)),
            ShellChoice::Auto => match Uring::new(ports.slots()) {
                Ok(uring) => Way::Uring(Box::new(uring)),
                Err(_) => Way::Plain(Box::default()),
            },
        };
        let nobody = SocketAddr::from(([0; 4], 0));
        let letter = || Letter { port: Port(0), to: nobody, length: 0, bytes: [0; SENT_MAX] };
        let letters = std::iter::repeat_with(letter).take(BATCH).collect();
        Ok(Batch { ports, habits: Vec::new(), letters, written: 0, refused: 0, way })
    }

    /// `io_uring` or `recvmsg`.
    pub fn name(&self) -> &'static str {
        match self.way {
            Way::Uring(_) => "io_uring",
            Way::Plain(_) => "recvmsg",
        }
    }

    /// Opens one more pair.
    pub fn open(&mut self) -> io::Result<Port> {
        let slot = *self.ports.open(1).first().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let port = Port(slot.0);
        let pair = self.pair(port)?;
        stamp::enable(&pair.rtp)?;
        if let Way::Uring(uring) = &mut self.way {
            let descriptor = std::os::fd::AsRawFd::as_raw_fd(&pair.rtp);
            uring.adopt(port, descriptor);
        }
        if self.habits.len() <= port.place() {
            self.habits.resize(port.place() + 1, Habit::default());
        }
        Ok(port)
    }

    fn pair(&self, port: Port) -> io::Result<Arc<PortPair>> {
        self.ports.pair(PortSlot(port.0)).cloned().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Where its RTP arrives.
    pub fn address(&self, port: Port) -> io::Result<SocketAddr> {
        self.pair(port)?.rtp.local_addr()
    }

    /// Throws away what came for the last call.
    pub fn drain(&self, port: Port) {
        if let Ok(pair) = self.pair(port) {
            pair.drain();
        }
    }

    /// Hands over what has come for `ports`: about a packet each, and more where more is waiting.
    pub fn receive(&mut self, ports: &[Port], hear: Hear) -> io::Result<()> {
        match &mut self.way {
            Way::Uring(uring) => uring.receive(ports, &mut self.habits, hear),
            Way::Plain(plain) => plain.receive(ports, &self.ports, &mut self.habits, hear),
        }
    }

    /// Writes a packet, which leaves with the next [`Batch::flush`] at the latest. `write` fills in the
    /// room and says how much of it.
    pub fn send(
        &mut self,
        port: Port,
        to: SocketAddr,
        write: impl FnOnce(&mut [u8; SENT_MAX]) -> usize,
    ) -> io::Result<()> {
        let letter = &mut self.letters[self.written];
        (letter.port, letter.to) = (port, to);
        letter.length = write(&mut letter.bytes).min(SENT_MAX);
        self.written += 1;
        if self.written == BATCH { self.flush() } else { Ok(()) }
    }

    /// Everything written leaves.
    pub fn flush(&mut self) -> io::Result<()> {
        let letters = &self.letters[..std::mem::take(&mut self.written)];
        if letters.is_empty() {
            return Ok(());
        }
        self.refused += match &mut self.way {
            Way::Uring(uring) => uring.send(letters)?,
            Way::Plain(_) => plain::send(letters, &self.ports),
        };
        Ok(())
    }

    /// Packets that the kernel would not take.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

impl Habit {
    /// Reads to try in this turn.
    fn ask(&mut self) -> u8 {
        self.turns = self.turns.wrapping_add(1);
        if self.eager || self.turns.is_multiple_of(LOOK_EVERY) { BURST_MAX } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(check: impl Fn(Batch)) {
        for (choice, first) in [(ShellChoice::Uring, 13_700), (ShellChoice::Epoll, 13_800)] {
            if choice == ShellChoice::Uring && std::env::var_os("HOTLINE_NO_URING").is_some() {
                continue;
            }
            check(Batch::new([127, 0, 0, 1].into(), (first, first + 99), choice).unwrap());
        }
    }

    #[test]
    fn packets_between_telephones_arrive_once_in_order_and_stamped() {
        both(|mut batch| {
            let ports = [batch.open().unwrap(), batch.open().unwrap()];
            let [a, b] = ports.map(|port| batch.address(port).unwrap());
            for number in 0..300_u16 {
                let write = |room: &mut [u8; SENT_MAX]| {
                    room[..2].copy_from_slice(&number.to_be_bytes());
                    2
                };
                batch.send(ports[0], b, write).unwrap();
                batch.flush().unwrap();
                batch.send(ports[1], a, write).unwrap();
                batch.flush().unwrap();
            }
            let mut heard = [Vec::new(), Vec::new()];
            for _ in 0..100 {
                let mut hear = |port: Port, from, at: Stamp, packet: &[u8]| {
                    let me = usize::from(port == ports[1]);
                    assert_eq!(from, [b, a][me]);
                    assert_ne!(at, Stamp(None));
                    heard[me].push(u16::from_be_bytes([packet[0], packet[1]]));
                };
                batch.receive(&ports, &mut hear).unwrap();
            }
            let most: Vec<u16> = (0..heard[0].len() as u16).collect();
            // A socket's room may be less than 300 packets; what it took comes in order.
            assert!(heard[0].len() >= 100, "{}", heard[0].len());
            assert_eq!(heard[0], most, "by {}", batch.name());
            assert_eq!(heard[1].len(), heard[0].len());
        });
    }

    #[test]
    fn what_was_drained_is_not_heard() {
        both(|mut batch| {
            let (ear, mouth) = (batch.open().unwrap(), batch.open().unwrap());
            let to = batch.address(ear).unwrap();
            for _ in 0..3 {
                batch.send(mouth, to, |_| 20).unwrap();
            }
            batch.flush().unwrap();
            batch.drain(ear);
            batch.receive(&[ear], &mut |_, _, _, _| panic!("by nobody")).unwrap();
            assert_eq!(batch.refused(), 0);
        });
    }
}
