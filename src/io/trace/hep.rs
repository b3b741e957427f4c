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
