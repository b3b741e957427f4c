//! Copies for a collector: HEP version 3 over UDP, one datagram a message, never waited for.
//!
//! Chunks of vendor 0, as the HEP3 specification (rev. 36) numbers them: what went where and when, the
//! message, and our call's id as correlation id where it is known.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::{Seen, Tie, alike};
use crate::id::CallId;
use crate::sip::{Transport, WireRef};

/// Legs whose call is remembered; the oldest is forgotten first.
const LEGS_MAX: usize = 65_536;
/// A datagram holds no more.
const DATAGRAM_MAX: usize = 65_507;

/// The way to one collector.
pub(super) struct Copies {
    to: SocketAddr,
    capture_id: u32,
    socket: UdpSocket,
    calls: HashMap<WireRef, CallId>,
    order: VecDeque<WireRef>,
    out: Vec<u8>,
}

impl Copies {
    pub(super) fn open(to: SocketAddr, capture_id: u32) -> std::io::Result<Self> {
        let any: IpAddr =
            if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0))?;
        socket.set_nonblocking(true)?;
        Ok(Copies { to, capture_id, socket, calls: HashMap::new(), order: VecDeque::new(), out: Vec::new() })
    }

    pub(super) fn goes_to(&self, to: SocketAddr, capture_id: u32) -> bool {
        (self.to, self.capture_id) == (to, capture_id)
    }

    pub(super) fn tie(&mut self, tie: &Tie) {
        if self.calls.insert(tie.wire_ref, tie.call).is_none() {
            self.order.push_back(tie.wire_ref);
        }
        if self.order.len() > LEGS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.calls.remove(&oldest);
        }
    }

    /// Sends a copy; `bytes` is the message with its secrets covered. `false`: it is lost.
    pub(super) fn send(&mut self, seen: &Seen, bytes: &[u8]) -> bool {
        let call = WireRef::of_message(bytes).and_then(|wire_ref| self.calls.get(&wire_ref)).copied();
        self.out.clear();
        encode(&mut self.out, seen, bytes, self.capture_id, call);
        self.out.len() <= DATAGRAM_MAX && self.socket.send_to(&self.out, self.to).is_ok()
    }
}

fn encode(out: &mut Vec<u8>, seen: &Seen, bytes: &[u8], capture_id: u32, call: Option<CallId>) {
    let (local, peer) = alike(seen.local, seen.peer);
    let (from, to) = if seen.sent { (local, peer) } else { (peer, local) };
    out.extend_from_slice(b"HEP3\0\0");
    chunk(out, 1, &[if from.is_ipv4() { 2 } else { 10 }]); // AF_INET, AF_INET6 of Linux.
    chunk(out, 2, &[if seen.transport == Transport::Udp { 17 } else { 6 }]); // IP protocol numbers.
    for (place, at) in [(0, from), (1, to)] {
        match at.ip() {
            IpAddr::V4(ip) => chunk(out, 3 + place, &ip.octets()),
            IpAddr::V6(ip) => chunk(out, 5 + place, &ip.octets()),
        }
    }
    chunk(out, 7, &from.port().to_be_bytes());
    chunk(out, 8, &to.port().to_be_bytes());
    let seconds = u32::try_from(seen.at_us.div_euclid(1_000_000)).unwrap_or(0);
    chunk(out, 9, &seconds.to_be_bytes());
    let micros = u32::try_from(seen.at_us.rem_euclid(1_000_000)).unwrap_or(0);
    chunk(out, 10, &micros.to_be_bytes());
    chunk(out, 11, &[1]); // SIP.
    chunk(out, 12, &capture_id.to_be_bytes());
    if let Some(call) = call {
        chunk(out, 17, call.to_string().as_bytes());
    }
    chunk(out, 15, bytes);
    let length = u16::try_from(out.len()).unwrap_or(u16::MAX); // A longer one is not sent.
    out[4..6].copy_from_slice(&length.to_be_bytes());
}

/// Vendor 0, the type, the length of all of it, the value.
fn chunk(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend([0, 0]);
    out.extend(kind.to_be_bytes());
    out.extend(u16::try_from(value.len() + 6).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn a_copy_says_all_that_the_specification_numbers() {
        let seen = Seen {
            at_us: 1_500_000_000_000_007,
            sent: true,
            transport: Transport::Tcp,
            local: "[2001:db8::1]:5060".parse().unwrap(),
            peer: "[2001:db8::2]:5062".parse().unwrap(),
            bytes: Bytes::new(),
        };
        let call = CallId::parse("017bb000-0000-7000-8000-000000000000").unwrap();
        let mut out = Vec::new();
        encode(&mut out, &seen, b"BYE", 0x0102_0304, Some(call));
        let mut expected = b"HEP3\x00\xa8".to_vec();
        expected.extend(b"\0\0\0\x01\0\x07\x0a\0\0\0\x02\0\x07\x06");
        expected.extend(b"\0\0\0\x05\0\x16\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01");
        expected.extend(b"\0\0\0\x06\0\x16\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02");
        expected.extend(b"\0\0\0\x07\0\x08\x13\xc4\0\0\0\x08\0\x08\x13\xc6");
        expected.extend(b"\0\0\0\x09\0\x0a\x59\x68\x2f\x00\0\0\0\x0a\0\x0a\0\0\0\x07");
        expected.extend(b"\0\0\0\x0b\0\x07\x01\0\0\0\x0c\0\x0a\x01\x02\x03\x04");
        expected.extend(b"\0\0\0\x11\0\x2a017bb000-0000-7000-8000-000000000000");
        expected.extend(b"\0\0\0\x0f\0\x09BYE");
        assert_eq!(out, expected);
    }

    #[test]
    fn what_is_too_long_for_a_datagram_is_lost_and_legs_are_forgotten_in_time() {
        let here: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let mut copies = Copies::open(here, 0).unwrap();
        let seen = Seen {
            at_us: 0,
            sent: true,
            transport: Transport::Tcp,
            local: here,
            peer: here,
            bytes: Bytes::new(),
        };
        assert!(!copies.send(&seen, &[b'x'; 65_536]));
        let call = CallId::parse("017bb000-0000-7000-8000-000000000000").unwrap();
        for leg in 0..LEGS_MAX as u64 + 5 {
            let party = crate::sip::event::Origin::Seat("1".into());
            copies.tie(&Tie { at_us: 0, call, party, wire_ref: WireRef::from_bits(leg) });
        }
        assert_eq!((copies.calls.len(), copies.order.len()), (LEGS_MAX, LEGS_MAX));
        assert!(!copies.calls.contains_key(&WireRef::from_bits(4)));
    }
}
