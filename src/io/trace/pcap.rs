//! A trace as a capture file that packet analysers read: Ethernet, IPv4 or IPv6, UDP or TCP around
//! each message, with true checksums.
//!
//! What was in TLS is in TCP here, as it was before and after. Ethernet addresses are made up; TCP has
//! no handshake, and its sequence numbers count what is in the trace.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use super::read::Trace;
use crate::sip::Transport;

/// Payload of one TCP segment; also below what one datagram holds.
const SEGMENT_MAX: usize = 60_000;
/// The longest frame of a capture.
const SNAP: u32 = 262_144;
const ETHERNET: u32 = 1;
const UDP: u8 = 17;
const TCP: u8 = 6;
/// Locally administered.
const MAC: [u8; 5] = [0x02, 0, 0, 0, 0];

impl Trace {
    /// Writes the capture (libpcap format 2.4, microseconds).
    pub fn write_pcap(&self, out: &mut impl Write) -> io::Result<()> {
        let mut head = Vec::new();
        head.extend(0xa1b2_c3d4_u32.to_le_bytes());
        head.extend(2_u16.to_le_bytes());
        head.extend(4_u16.to_le_bytes());
        head.extend([0; 8]);
        head.extend(SNAP.to_le_bytes());
        head.extend(ETHERNET.to_le_bytes());
        out.write_all(&head)?;
        let mut streams: HashMap<(SocketAddr, SocketAddr), u32> = HashMap::new();
        for (index, message) in self.messages.iter().enumerate() {
            let (from, to) = message.ends(&self.parties);
            let number = index as u16; // Identification wraps, as it does on the wire.
            if message.transport == Transport::Udp {
                let frame = frame(from, to, UDP, &udp(from, to, &message.bytes), number);
                put(out, message.at_us, &frame)?;
                continue;
            }
            for part in message.bytes.chunks(SEGMENT_MAX) {
                let acknowledged = *streams.entry((to, from)).or_insert(1);
                let sequence = streams.entry((from, to)).or_insert(1);
                let segment = tcp(from, to, *sequence, acknowledged, part);
                *sequence = sequence.wrapping_add(part.len() as u32);
                put(out, message.at_us, &frame(from, to, TCP, &segment, number))?;
            }
        }
        Ok(())
    }
}

fn put(out: &mut impl Write, at_us: i64, frame: &[u8]) -> io::Result<()> {
    let mut head = Vec::with_capacity(16);
    head.extend(u32::try_from(at_us.div_euclid(1_000_000)).unwrap_or(0).to_le_bytes());
    head.extend(u32::try_from(at_us.rem_euclid(1_000_000)).unwrap_or(0).to_le_bytes());
    let length = u32::try_from(frame.len()).unwrap_or(SNAP);
    head.extend(length.to_le_bytes());
    head.extend(length.to_le_bytes());
    out.write_all(&head)?;
    out.write_all(frame)
}

/// RFC 768.
fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let payload = &payload[..payload.len().min(65_507)]; // No datagram was longer.
    let mut segment = Vec::with_capacity(8 + payload.len());
    segment.extend(from.port().to_be_bytes());
    segment.extend(to.port().to_be_bytes());
    segment.extend(((8 + payload.len()) as u16).to_be_bytes());
    segment.extend([0, 0]);
    segment.extend_from_slice(payload);
    // Zero says that there is none: all ones say the same number.
    let sum = match checksum(from, to, UDP, &segment) {
        0 => 0xffff,
        sum => sum,
    };
    segment[6..8].copy_from_slice(&sum.to_be_bytes());
    segment
}

/// RFC 9293 §3.1, with PSH and ACK.
fn tcp(from: SocketAddr, to: SocketAddr, sequence: u32, acknowledged: u32, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::with_capacity(20 + payload.len());
    segment.extend(from.port().to_be_bytes());
    segment.extend(to.port().to_be_bytes());
    segment.extend(sequence.to_be_bytes());
    segment.extend(acknowledged.to_be_bytes());
    segment.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend_from_slice(payload);
    let sum = checksum(from, to, TCP, &segment);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    segment
}

fn frame(from: SocketAddr, to: SocketAddr, protocol: u8, segment: &[u8], number: u16) -> Vec<u8> {
    let mut frame = Vec::with_capacity(54 + segment.len());
    // The last byte tells the two directions of most dialogs apart.
    for end in [to, from] {
        frame.extend(MAC);
        frame.push(end.port().to_be_bytes()[1]);
    }
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            frame.extend([0x08, 0x00]);
            let start = frame.len();
            frame.extend([0x45, 0]);
            frame.extend(((20 + segment.len()) as u16).to_be_bytes());
            frame.extend(number.to_be_bytes());
            frame.extend([0x40, 0, 64, protocol, 0, 0]); // RFC 791: not to be fragmented, 64 hops.
            frame.extend(from.octets());
            frame.extend(to.octets());
            let sum = fold(sum(&frame[start..]));
            frame[start + 10..start + 12].copy_from_slice(&sum.to_be_bytes());
        }
        (from, to) => {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend((segment.len() as u16).to_be_bytes());
            frame.extend([protocol, 64]); // RFC 8200.
            frame.extend(octets(from));
            frame.extend(octets(to));
        }
    }
    frame.extend_from_slice(segment);
    frame
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// Over the pseudo-header and the segment, whose own field is zero (RFC 768, RFC 8200 §8.1).
fn checksum(from: SocketAddr, to: SocketAddr, protocol: u8, segment: &[u8]) -> u16 {
    let length = segment.len() as u32;
    let about = u32::from(protocol) + (length >> 16) + (length & 0xffff);
    fold(sum(&octets(from.ip())) + sum(&octets(to.ip())) + about + sum(segment))
}

fn sum(bytes: &[u8]) -> u32 {
    let pairs =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)));
    pairs.fold(0, |sum, pair| {
        let sum = sum + pair;
        (sum & 0xffff) + (sum >> 16)
    })
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
