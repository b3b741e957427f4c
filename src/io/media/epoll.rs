//! The tick by epoll and plain calls: asked without waiting, then one receive per ready socket.
//!
//! Level-triggered, so what is left of a burst is ready again five milliseconds later, and no
//! socket is ever read in vain.
#![allow(unsafe_code)]

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::sockets::{Direct, PortPair, direct_index, key_at, table_index};
use super::{Hear, MediaFigures, Outbox, PACKET_ROOM, Shell};
use crate::media::SocketKey;
use crate::media::order::PortSlot;

/// Ready sockets taken up in one tick; the kernel lists the others first the next time.
const READY_MAX: usize = 4_096;

/// See the module's own words.
pub struct EpollShell {
    epoll: OwnedFd,
    pairs: Vec<Option<Held>>,
    ready: Vec<libc::epoll_event>,
    buffer: Box<[u8; PACKET_ROOM + 1]>,
    figures: Arc<MediaFigures>,
}

/// A leg's sockets.
struct Held {
    pair: Arc<PortPair>,
    direct: Option<Arc<Direct>>,
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

    fn held(&self, slot: PortSlot) -> Option<&Held> {
        self.pairs.get(slot.0 as usize)?.as_ref()
    }

    /// Listens by the socket of a locked source, or by the open one alone.
    fn lock(&mut self, slot: PortSlot, source: Option<SocketAddr>) {
        let Some(Some(held)) = self.pairs.get_mut(slot.0 as usize) else { return };
        let before = held.direct.take();
        held.direct = match held.pair.connect(source) {
            Ok(direct) => direct,
            Err(error) => {
                tracing::debug!(%error, slot = slot.0, "a source goes on by the open socket");
                None
            }
        };
        let after = held.direct.clone();
        if let Some(before) = before {
            let _ = self.control(libc::EPOLL_CTL_DEL, before.socket.as_raw_fd(), 0); // It closes anyway.
        }
        let heard = after.is_none_or(|direct| {
            self.control(libc::EPOLL_CTL_ADD, direct.socket.as_raw_fd(), direct_index(slot)).is_ok()
        });
        if !heard {
            self.lock(slot, None);
        }
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
            self.pairs.resize_with(place + 1, || None);
        }
        let direct = pair.direct();
        if let Some(direct) = &direct {
            self.control(libc::EPOLL_CTL_ADD, direct.socket.as_raw_fd(), direct_index(pair.slot))?;
        }
        self.pairs[place] = Some(Held { pair: Arc::clone(pair), direct });
        Ok(())
    }

    fn release(&mut self, slot: PortSlot) {
        self.lock(slot, None);
        let Some(held) = self.pairs.get_mut(slot.0 as usize).and_then(|held| held.take()) else {
            return;
        };
        for descriptor in held.pair.descriptors() {
            // It was added and is open still; if that were not so, nothing is left to take out.
            let _ = self.control(libc::EPOLL_CTL_DEL, descriptor, 0);
        }
    }

    fn receive(&mut self, _due: &[PortSlot], _due_rtcp: &[PortSlot], hear: Hear) -> io::Result<()> {
        let (mut received, mut oversize) = (0, 0);
        for place in 0..self.ask() {
            let event = self.ready[place]; // A copy: the struct is packed.
            let (key, is_direct) = key_at(event.u64 as usize);
            let Some(Some(held)) = self.pairs.get(key.slot.0 as usize) else {
                continue;
            };
            // An error is an ICMP echo of something we sent, taken off the socket by this call.
            let came = match held.direct.as_ref().filter(|_| is_direct) {
                Some(direct) => direct.socket.recv(&mut *self.buffer).map(|len| (len, direct.source)),
                None => held.pair.socket(key.kind).recv_from(&mut *self.buffer),
            };
            let Ok((len, from)) = came else { continue };
            if len > PACKET_ROOM {
                oversize += 1;
                continue;
            }
            received += 1;
            let from = SocketAddr::new(from.ip().to_canonical(), from.port());
            hear(key, from, &mut self.buffer[..len]);
        }
        MediaFigures::add(&self.figures.received, received);
        MediaFigures::add(&self.figures.oversize, oversize);
        Ok(())
    }

    fn send(&mut self, outbox: &mut Outbox) -> io::Result<()> {
        for (slot, source) in outbox.take_locks() {
            self.lock(slot, source);
        }
        let (mut sent, mut failed) = (0, 0);
        for parcel in outbox.parcels() {
            let done = self.held(parcel.socket.slot).is_some_and(|held| {
                let packet = outbox.bytes(parcel);
                if let Some(direct) = held.direct.as_ref().filter(|direct| direct.carries(parcel)) {
                    return direct.socket.send(packet).is_ok();
                }
                let socket = held.pair.socket(parcel.socket.kind);
                let (address, len) = super::sockets::RawAddress::encode(parcel.to, held.pair.is_v6());
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
