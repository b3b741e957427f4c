//! The tick by epoll and plain calls: asked without waiting, then one receive per ready socket.
//!
//! Level-triggered, so what is left of a burst is ready again five milliseconds later, and no
//! socket is ever read in vain.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::sockets::{PortPair, key_at, table_index};
use super::{Hear, MediaFigures, Outbox, PACKET_ROOM, Shell};
use crate::media::SocketKey;
use crate::media::order::PortSlot;

/// Ready sockets taken up in one tick; the kernel lists the others first the next time.
const READY_MAX: usize = 4_096;

/// See the module's own words.
pub struct EpollShell {
    epoll: OwnedFd,
    pairs: Vec<Option<Arc<PortPair>>>,
    ready: Vec<libc::epoll_event>,
    buffer: Box<[u8; PACKET_ROOM + 1]>,
    figures: Arc<MediaFigures>,
}

impl EpollShell {
    /// A shell without sockets.
    pub fn new(figures: Arc<MediaFigures>) -> io::Result<Self> {
        // SAFETY: takes a plain number; a descriptor that is not negative is new and ours alone.
        let epoll = unsafe {
            let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if epoll < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(epoll)
        };
        Ok(EpollShell {
            epoll,
            pairs: Vec::new(),
            ready: vec![libc::epoll_event { events: 0, u64: 0 }; READY_MAX],
            buffer: Box::new([0; PACKET_ROOM + 1]),
            figures,
        })
    }

    fn control(&self, operation: i32, descriptor: RawFd, index: usize) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: index as u64 };
        // SAFETY: `event` outlives the call, and the kernel checks the descriptors.
        let done = unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), operation, descriptor, &mut event) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn ask(&mut self) -> usize {
        // SAFETY: the kernel writes at most `READY_MAX` events into the buffer of that many.
        let count =
            unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), self.ready.as_mut_ptr(), READY_MAX as i32, 0) };
        usize::try_from(count).unwrap_or(0) // Interrupted: they are asked again at the next tick.
    }

    fn pair(&self, slot: PortSlot) -> Option<&Arc<PortPair>> {
        self.pairs.get(slot.0 as usize)?.as_ref()
    }
}

impl Shell for EpollShell {
    fn name(&self) -> &'static str {
        "epoll"
    }

    fn adopt(&mut self, pair: &Arc<PortPair>) -> io::Result<()> {
        self.release(pair.slot);
        pair.drain();
        let rtp = table_index(SocketKey::rtp(pair.slot));
        for (offset, descriptor) in pair.descriptors().into_iter().enumerate() {
            self.control(libc::EPOLL_CTL_ADD, descriptor, rtp + offset)?;
        }
        let place = pair.slot.0 as usize;
        if self.pairs.len() <= place {
            self.pairs.resize(place + 1, None);
        }
        self.pairs[place] = Some(Arc::clone(pair));
        Ok(())
    }

    fn release(&mut self, slot: PortSlot) {
        let Some(pair) = self.pairs.get_mut(slot.0 as usize).and_then(|pair| pair.take()) else {
            return;
        };
        for descriptor in pair.descriptors() {
            // It was added and is open still; if that were not so, nothing is left to take out.
            let _ = self.control(libc::EPOLL_CTL_DEL, descriptor, 0);
        }
    }

    fn receive(&mut self, _due: &[PortSlot], _due_rtcp: &[PortSlot], hear: Hear) -> io::Result<()> {
        let (mut received, mut oversize) = (0, 0);
        for place in 0..self.ask() {
            let event = self.ready[place]; // A copy: the struct is packed.
            let key = key_at(event.u64 as usize);
            let Some(pair) = self.pairs.get(key.slot.0 as usize).and_then(|pair| pair.as_ref()) else {
                continue;
            };
            // An error is an ICMP echo of something we sent, taken off the socket by this call.
            let Ok((len, from)) = pair.socket(key.kind).recv_from(&mut *self.buffer) else {
                continue;
            };
            if len > PACKET_ROOM {
                oversize += 1;
                continue;
            }
            received += 1;
            let from = std::net::SocketAddr::new(from.ip().to_canonical(), from.port());
            hear(key, from, &mut self.buffer[..len]);
        }
        MediaFigures::add(&self.figures.received, received);
        MediaFigures::add(&self.figures.oversize, oversize);
        Ok(())
    }

    fn send(&mut self, outbox: &mut Outbox) -> io::Result<()> {
        let (mut sent, mut failed) = (0, 0);
        for parcel in outbox.parcels() {
            let done = self.pair(parcel.socket.slot).is_some_and(|pair| {
                let socket = pair.socket(parcel.socket.kind);
                let (address, len) = super::sockets::RawAddress::encode(parcel.to, pair.is_v6());
                let packet = outbox.bytes(parcel);
                // SAFETY: packet and address outlive the call, with the lengths given.
                let done = unsafe {
                    libc::sendto(
                        socket.as_raw_fd(),
                        packet.as_ptr().cast(),
                        packet.len(),
                        libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
                        (&raw const address).cast(),
                        len,
                    )
                };
                done >= 0
            });
            if done {
                sent += 1;
            } else {
                failed += 1;
            }
        }
        outbox.clear();
        MediaFigures::add(&self.figures.sent, sent);
        MediaFigures::add(&self.figures.send_failed, failed);
        Ok(())
    }
}
