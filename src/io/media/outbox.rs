//! The packets of one tick on their way out, copied into one stretch of memory and sent together.

use std::net::SocketAddr;

use crate::media::order::PortSlot;
use crate::media::{SocketKey, Wire};

/// Packets of one tick; more are dropped and counted. Ten times what one thread carries.
pub const PACKETS_MAX: usize = 8_192;
/// Sources locked in one tick; those beyond go on by the open socket.
const LOCKS_MAX: usize = 1_024;
/// Bytes of one tick.
const BYTES_MAX: usize = PACKETS_MAX * 256;

/// One packet's place.
#[derive(Clone, Copy, Debug)]
pub struct Parcel {
    /// From.
    pub socket: SocketKey,
    /// To.
    pub to: SocketAddr,
    start: u32,
    len: u32,
}

/// See the module's own words.
#[derive(Debug)]
pub struct Outbox {
    parcels: Vec<Parcel>,
    bytes: Vec<u8>,
    locks: Vec<(PortSlot, Option<SocketAddr>)>,
    dropped: u64,
}

impl Default for Outbox {
    fn default() -> Self {
        // Reserved whole, so that no packet ever waits for memory; pages are touched as they are used.
        Outbox {
            parcels: Vec::with_capacity(PACKETS_MAX),
            bytes: Vec::with_capacity(BYTES_MAX),
            locks: Vec::with_capacity(LOCKS_MAX),
            dropped: 0,
        }
    }
}

impl Outbox {
    /// What is to be sent, in order.
    pub fn parcels(&self) -> &[Parcel] {
        &self.parcels
    }

    /// The packet of `parcel`.
    pub fn bytes(&self, parcel: &Parcel) -> &[u8] {
        &self.bytes[parcel.start as usize..(parcel.start + parcel.len) as usize]
    }

    /// Sources that were locked or set free since the last call, in order; heeded before the packets
    /// that are here now are sent.
    pub fn take_locks(&mut self) -> std::vec::Drain<'_, (PortSlot, Option<SocketAddr>)> {
        self.locks.drain(..)
    }

    /// Forgets all packets.
    pub fn clear(&mut self) {
        self.parcels.clear();
        self.bytes.clear();
    }

    /// Packets dropped for want of room since last asked.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }
}

impl Wire for Outbox {
    fn send(&mut self, socket: SocketKey, to: SocketAddr, packet: &[u8]) {
        if self.parcels.len() == PACKETS_MAX || self.bytes.len() + packet.len() > BYTES_MAX {
            self.dropped += 1;
            return;
        }
        self.parcels.push(Parcel { socket, to, start: self.bytes.len() as u32, len: packet.len() as u32 });
        self.bytes.extend_from_slice(packet);
    }

    fn lock(&mut self, slot: PortSlot, source: Option<SocketAddr>) {
        // What is set free must be; that a source is locked may be left out.
        if source.is_none() || self.locks.len() < LOCKS_MAX {
            self.locks.push((slot, source));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_outbox_drops_counts_and_never_grows() {
        let mut outbox = Outbox::default();
        let (packets, bytes) = (outbox.parcels.capacity(), outbox.bytes.capacity());
        let to = "192.0.2.1:4000".parse().unwrap();
        for number in 0..=PACKETS_MAX {
            outbox.send(SocketKey::rtp(PortSlot(1)), to, &[number as u8; 200]);
        }
        assert_eq!(outbox.take_dropped(), 1);
        assert_eq!(outbox.take_dropped(), 0);
        let last = outbox.parcels()[PACKETS_MAX - 1];
        assert_eq!(outbox.bytes(&last), [(PACKETS_MAX - 1) as u8; 200]);
        outbox.clear();
        for _ in 0..BYTES_MAX / 1_400 + 1 {
            outbox.send(SocketKey::rtp(PortSlot(1)), to, &[0; 1_400]);
        }
        assert_eq!(outbox.take_dropped(), 1);
        assert_eq!(outbox.parcels.capacity(), packets);
        assert_eq!(outbox.bytes.capacity(), bytes);
    }
}
