//! Media threads: one clock each, a shard of the legs each, packets moved in batches at the tick.
//!
//! What a packet means is for [`crate::media::Engine`]; this room receives, ticks and sends. The
//! control thread holds the [`MediaHandle`]: orders go in by a bounded ring, facts come back by one.

pub mod epoll;
pub mod handle;
pub mod outbox;
pub mod sockets;
pub mod thread;
pub mod uring;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use handle::{MediaConfig, MediaHandle};
pub use outbox::Outbox;
pub use sockets::{PortPair, PortRange, needed_files, raise_file_limit};

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
