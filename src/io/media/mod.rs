//! Media threads: one clock each, a shard of the legs each, packets moved in batches at the tick.
//!
//! What a packet means is for [`crate::media::Engine`]; this room receives, ticks and sends. The
//! control thread holds the [`MediaHandle`]: orders go in by a bounded ring, facts come back by one.

pub mod epoll;
pub mod handle;
pub mod outbox;
pub mod sockets;
mod spread;
pub mod thread;
pub mod uring;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use handle::{MediaConfig, MediaHandle};
pub use outbox::Outbox;
pub use sockets::{PortPair, PortRange, needed_files, needed_pairs, raise_file_limit};

use crate::media::SocketKey;
use crate::media::order::PortSlot;

/// Room for one received packet: an Ethernet frame's worth. A larger one is dropped and counted.
pub const PACKET_ROOM: usize = 1_500;

/// How packets are moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ShellChoice {
    /// io_uring where the kernel lets us, epoll elsewhere.
    #[default]
    Auto,
    /// io_uring or no start.
    Uring,
    /// epoll.
    Epoll,
}

/// Takes one received packet, which it may change in place.
pub type Hear<'a> = &'a mut dyn FnMut(SocketKey, SocketAddr, &mut [u8]);

/// The system's side of a tick. Nothing here blocks.
pub trait Shell {
    /// For the log: `io_uring` or `epoll`.
    fn name(&self) -> &'static str;

    /// A leg opens on `pair`: its sockets are read from now on.
    fn adopt(&mut self, pair: &Arc<PortPair>) -> io::Result<()>;

    /// The leg of `slot` is gone; another thread may have the pair next.
    fn release(&mut self, slot: PortSlot);

    /// Hands over what has arrived for the RTP sockets of `due`, and for the RTCP sockets of
    /// `due_rtcp`; a shell that learns of readiness for nothing may hand over that of others too.
    /// An error means that this shell is of no more use.
    fn receive(&mut self, due: &[PortSlot], due_rtcp: &[PortSlot], hear: Hear) -> io::Result<()>;

    /// Sends what the outbox holds, and empties it. An error as with [`Shell::receive`].
    fn send(&mut self, outbox: &mut Outbox) -> io::Result<()>;
}

/// What the media threads and the handle count, for metrics and alarms.
#[derive(Debug, Default)]
pub struct MediaFigures {
    /// Ticks served.
    pub ticks: AtomicU64,
    /// Ticks that began more than one period late.
    pub late_ticks: AtomicU64,
    /// Ticks left out after falling too far behind.
    pub skipped_ticks: AtomicU64,
    /// Packets in.
    pub received: AtomicU64,
    /// Packets out.
    pub sent: AtomicU64,
    /// Packets larger than [`PACKET_ROOM`], dropped.
    pub oversize: AtomicU64,
    /// Packets that the kernel would not take.
    pub send_failed: AtomicU64,
    /// Packets for which the outbox had no room.
    pub outbox_full: AtomicU64,
    /// Orders that had to wait outside a full ring.
    pub orders_held: AtomicU64,
    /// Orders refused because too many waited already: an alarm.
    pub orders_refused: AtomicU64,
    /// Times a fact had to wait for room in its ring.
    pub facts_held: AtomicU64,
    /// Faults caught in a tick: an alarm.
    pub faults: AtomicU64,
}

impl MediaFigures {
    /// Adds to one of the figures.
    fn add(figure: &AtomicU64, count: u64) {
        if count > 0 {
            figure.fetch_add(count, Ordering::Relaxed);
        }
    }
}

/// The shell of `choice`, with `slots` pairs at most.
pub fn open_shell(
    choice: ShellChoice,
    slots: u32,
    figures: &Arc<MediaFigures>,
) -> io::Result<Box<dyn Shell>> {
    let uring = || uring::UringShell::new(slots, Arc::clone(figures));
    Ok(match choice {
        ShellChoice::Uring => Box::new(uring()?),
        ShellChoice::Epoll => Box::new(epoll::EpollShell::new(Arc::clone(figures))?),
        ShellChoice::Auto => match uring() {
            Ok(shell) => Box::new(shell),
            Err(error) => {
                tracing::info!(%error, "io_uring is not to be had, media falls back to epoll");
                Box::new(epoll::EpollShell::new(Arc::clone(figures))?)
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

    use super::*;
    use crate::media::{Channel, Wire};

    /// What a shell heard: the socket, where from, and what.
    type Heard = Vec<(SocketKey, SocketAddr, Vec<u8>)>;

    struct Bench {
        shell: Box<dyn Shell>,
        range: PortRange,
        slots: Vec<PortSlot>,
        figures: Arc<MediaFigures>,
    }

    impl Bench {
        /// Two pairs, adopted. `None` only where the machine is said to have no io_uring.
        fn new(choice: ShellChoice, bind: IpAddr, ports: (u16, u16)) -> Option<Bench> {
            let figures = Arc::new(MediaFigures::default());
            let mut range = PortRange::new(bind, ports.0, ports.1);
            if choice == ShellChoice::Uring && std::env::var_os("HOTLINE_NO_URING").is_some() {
                return None;
            }
            let mut shell = open_shell(choice, range.slots(), &figures).unwrap();
            let slots = range.open(2);
            for slot in &slots {
                shell.adopt(range.pair(*slot).unwrap()).unwrap();
            }
            Some(Bench { shell, range, slots, figures })
        }

        fn receive(&mut self, due_rtcp: &[PortSlot]) -> Heard {
            let mut heard = Heard::new();
            let mut hear = |key, from, packet: &mut [u8]| heard.push((key, from, packet.to_vec()));
            self.shell.receive(&self.slots.clone(), due_rtcp, &mut hear).unwrap();
            heard
        }

        fn address(&self, slot: PortSlot, channel: Channel) -> SocketAddr {
            let pair = self.range.pair(slot).unwrap();
            pair.socket(channel).local_addr().unwrap()
        }
    }

    /// A peer that gives up rather than hang the test.
    fn client() -> UdpSocket {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        socket
    }

    fn both(ports: u16, check: impl Fn(Bench)) {
        let here = Ipv4Addr::LOCALHOST.into();
        for (choice, first) in [(ShellChoice::Uring, ports), (ShellChoice::Epoll, ports + 40)] {
            if let Some(bench) = Bench::new(choice, here, (first, first + 39)) {
                check(bench);
            }
        }
    }

    #[test]
    fn packets_are_heard_on_their_sockets_with_their_senders() {
        both(13_100, |mut bench| {
            let client = client();
            let [a, b] = [bench.slots[0], bench.slots[1]];
            let to_rtp = bench.address(a, Channel::Rtp);
            client.send_to(b"sound", to_rtp).unwrap();
            let to_rtcp = bench.address(b, Channel::Rtcp);
            client.send_to(b"report", to_rtcp).unwrap();
            let mut heard = bench.receive(&[a, b]);
            heard.sort_by_key(|(key, ..)| key.slot);
            let from = client.local_addr().unwrap();
            let sound = (SocketKey::rtp(a), from, b"sound".to_vec());
            let report = (SocketKey::rtcp(b), from, b"report".to_vec());
            assert_eq!(heard, [sound, report], "by {}", bench.shell.name());
            assert_eq!(bench.receive(&[a, b]), [], "each is heard once");
        });
    }

    #[test]
    fn a_burst_is_heard_in_order_within_a_few_ticks() {
        both(13_200, |mut bench| {
            let client = client();
            let to = bench.address(bench.slots[0], Channel::Rtp);
            for number in 0..20u8 {
                client.send_to(&[number], to).unwrap();
            }
            let mut heard = Vec::new();
            for _ in 0..20 {
                heard.extend(bench.receive(&[]).into_iter().map(|(.., packet)| packet[0]));
            }
            assert_eq!(heard, (0..20).collect::<Vec<u8>>(), "by {}", bench.shell.name());
        });
    }

    #[test]
    fn an_oversize_packet_is_dropped_and_counted() {
        both(13_300, |mut bench| {
            let client = client();
            let to = bench.address(bench.slots[0], Channel::Rtp);
            client.send_to(&[1; PACKET_ROOM + 1], to).unwrap();
            client.send_to(&[2; PACKET_ROOM], to).unwrap();
            let heard: Heard = (0..4).flat_map(|_| bench.receive(&[])).collect();
            assert_eq!(heard.len(), 1);
            assert_eq!(heard[0].2, [2; PACKET_ROOM]);
            assert_eq!(bench.figures.oversize.load(Ordering::Relaxed), 1);
        });
    }

    #[test]
    fn the_outbox_leaves_by_the_sockets_that_it_names() {
        both(13_400, |mut bench| {
            // One client each: a socket's room for what nobody has read yet is some 250 packets.
            let [sound_client, report_client] = [client(), client()];
            let mut outbox = Outbox::default();
            let [a, b] = [bench.slots[0], bench.slots[1]];
            // More than one batch of the ring, and one socket that nobody opened.
            for number in 0..150u8 {
                outbox.send(SocketKey::rtp(a), sound_client.local_addr().unwrap(), &[number]);
                outbox.send(SocketKey::rtcp(b), report_client.local_addr().unwrap(), &[number, number]);
            }
            outbox.send(SocketKey::rtp(PortSlot(19)), sound_client.local_addr().unwrap(), b"nobody's");
            bench.shell.send(&mut outbox).unwrap();
            assert!(outbox.parcels().is_empty());
            for number in 0..150u8 {
                let mut buffer = [0; 8];
                let (len, from) = sound_client.recv_from(&mut buffer).unwrap();
                assert_eq!((len, buffer[0]), (1, number), "by {}", bench.shell.name());
                assert_eq!(from, bench.address(a, Channel::Rtp));
                let (len, from) = report_client.recv_from(&mut buffer).unwrap();
                assert_eq!((len, buffer[1]), (2, number));
                assert_eq!(from, bench.address(b, Channel::Rtcp));
            }
            let figures = &bench.figures;
            assert_eq!(figures.sent.load(Ordering::Relaxed), 300);
            assert_eq!(figures.send_failed.load(Ordering::Relaxed), 1);
        });
    }

    #[test]
    fn a_locked_source_is_heard_and_spoken_to_and_strangers_are_still_seen() {
        both(13_700, |mut bench| {
            let [source, stranger] = [client(), client()];
            let [at_source, at_stranger] = [&source, &stranger].map(|it| it.local_addr().unwrap());
            let slot = bench.slots[0];
            let to = bench.address(slot, Channel::Rtp);
            let mut outbox = Outbox::default();
            source.send_to(b"before", to).unwrap();
            outbox.lock(slot, Some(at_source));
            outbox.send(SocketKey::rtp(slot), at_source, b"back");
            outbox.send(SocketKey::rtp(slot), at_stranger, b"elsewhere");
            bench.shell.send(&mut outbox).unwrap();
            source.send_to(b"after", to).unwrap();
            stranger.send_to(b"strange", to).unwrap();
            let mut heard: Heard = (0..4).flat_map(|_| bench.receive(&[])).collect();
            heard.sort_by(|a, b| a.2.cmp(&b.2));
            let wanted = [("after", at_source), ("before", at_source), ("strange", at_stranger)];
            let wanted = wanted.map(|(said, from)| (SocketKey::rtp(slot), from, said.as_bytes().to_vec()));
            assert_eq!(heard, wanted, "by {}", bench.shell.name());
            for (client, said) in [(&source, "back"), (&stranger, "elsewhere")] {
                let mut buffer = [0; 16];
                let (len, from) = client.recv_from(&mut buffer).unwrap();
                assert_eq!((&buffer[..len], from), (said.as_bytes(), to));
            }
            for source in [Some(at_stranger), None] {
                outbox.lock(slot, source);
                bench.shell.send(&mut outbox).unwrap();
                stranger.send_to(b"now", to).unwrap();
                assert_eq!(bench.receive(&[]).len(), 1, "{source:?} by {}", bench.shell.name());
            }
            outbox.lock(slot, Some(at_source));
            bench.shell.send(&mut outbox).unwrap();
            bench.shell.release(slot);
            let pair = Arc::clone(bench.range.pair(slot).unwrap());
            bench.shell.adopt(&pair).unwrap();
            source.send_to(b"next leg", to).unwrap();
            assert_eq!(bench.receive(&[]).len(), 1, "by the open socket alone: {}", bench.shell.name());
        });
    }

    #[test]
    fn a_shell_that_takes_over_hears_a_locked_source() {
        both(13_800, |mut bench| {
            let source = client();
            let slot = bench.slots[0];
            let to = bench.address(slot, Channel::Rtp);
            let mut outbox = Outbox::default();
            outbox.lock(slot, Some(source.local_addr().unwrap()));
            bench.shell.send(&mut outbox).unwrap();
            let pair = Arc::clone(bench.range.pair(slot).unwrap());
            let mut next = open_shell(ShellChoice::Epoll, bench.range.slots(), &bench.figures).unwrap();
            thread::hand_over(&mut *bench.shell, &mut *next, [&pair].into_iter());
            std::mem::forget(std::mem::replace(&mut bench.shell, next));
            source.send_to(b"sound", to).unwrap();
            assert_eq!(bench.receive(&[]).len(), 1);
            // Nor does what is left of the first one stand in the way of the next leg from there.
            bench.shell.release(slot);
            bench.shell.adopt(&pair).unwrap();
            source.send_to(b"next leg", to).unwrap();
            assert_eq!(bench.receive(&[]).len(), 1);
        });
    }

    #[test]
    fn an_ipv6_socket_speaks_ipv4_too() {
        for (choice, first) in [(ShellChoice::Uring, 13_500), (ShellChoice::Epoll, 13_540)] {
            let any = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            let Some(mut bench) = Bench::new(choice, any, (first, first + 39)) else {
                continue;
            };
            let client = client();
            let slot = bench.slots[0];
            let port = bench.address(slot, Channel::Rtp).port();
            client.send_to(b"four", (Ipv4Addr::LOCALHOST, port)).unwrap();
            let heard = bench.receive(&[]);
            assert_eq!(heard.len(), 1);
            assert_eq!(heard[0].1, client.local_addr().unwrap());
            let mut outbox = Outbox::default();
            outbox.send(SocketKey::rtp(slot), heard[0].1, b"back");
            bench.shell.send(&mut outbox).unwrap();
            let mut buffer = [0; 8];
            assert_eq!(client.recv(&mut buffer).unwrap(), 4);
        }
    }

    #[test]
    fn a_released_pair_can_be_had_again_without_what_came_between() {
        both(13_600, |mut bench| {
            let client = client();
            let slot = bench.slots[0];
            let to = bench.address(slot, Channel::Rtp);
            bench.shell.release(slot);
            client.send_to(b"stale", to).unwrap();
            let pair = Arc::clone(bench.range.pair(slot).unwrap());
            bench.shell.adopt(&pair).unwrap();
            client.send_to(b"fresh", to).unwrap();
            let heard = bench.receive(&[]);
            assert_eq!(heard.len(), 1, "by {}", bench.shell.name());
            assert_eq!(heard[0].2, b"fresh");
        });
    }
}
