//! RTP packets (RFC 3550 §5.1): read with all that a header may hold, written with only what we use.
//!
//! What payload types mean is for the leg; order and loss are counted in [`super::reception`].

use rtp_rs::{RtpPacketBuilder, RtpReader};

use super::order::FRAME_SAMPLES;

/// Shortest packet: the fixed header.
pub const HEADER_BYTES: usize = 12;
/// Longest packet that we take in or send: one Ethernet frame's worth.
pub const PACKET_MAX: usize = 1_472;
/// A packet of one frame of G.711.
pub const FRAME_PACKET_BYTES: usize = HEADER_BYTES + FRAME_SAMPLES;

/// The fixed header's fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Beginning of a talkspurt, or of a telephone-event.
    pub marker: bool,
    /// 0..=127.
    pub payload_type: u8,
    /// Wraps at 2^16.
    pub sequence: u16,
    /// Samples at 8 kHz, wraps at 2^32.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

/// Reads a packet; `None` for runts, other versions, and CSRC lists, extensions or padding longer
/// than the packet. The payload comes without them.
pub fn parse(packet: &[u8]) -> Option<(Header, &[u8])> {
    if packet.len() > PACKET_MAX {
        return None;
    }
    let reader = RtpReader::new(packet).ok()?;
    let header = Header {
        marker: reader.mark(),
        payload_type: reader.payload_type(),
        sequence: reader.sequence_number().into(),
        timestamp: reader.timestamp(),
        ssrc: reader.ssrc(),
    };
    Some((header, reader.payload()))
}

/// Where in `packet` a `payload` lies that [`parse`] found there.
pub fn range(packet: &[u8], payload: &[u8]) -> std::ops::Range<usize> {
    let start = (payload.as_ptr() as usize).saturating_sub(packet.as_ptr() as usize).min(packet.len());
    start..(start + payload.len()).min(packet.len())
}

/// Writes a packet of `header` and `payload`; gives its length, 0 where it does not fit.
pub fn write(header: Header, payload: &[u8], packet: &mut [u8]) -> usize {
    RtpPacketBuilder::new()
        .marked(header.marker)
        .payload_type(header.payload_type)
        .sequence(header.sequence.into())
        .timestamp(header.timestamp)
        .ssrc(header.ssrc)
        .payload(payload)
        .build_into(packet)
        .unwrap_or(0)
}

/// Rewrites the fields of a packet that [`parse`] took; the rest stays as it is.
pub fn rewrite(packet: &mut [u8], header: Header) {
    if packet.len() < HEADER_BYTES {
        return;
    }
    packet[1] = u8::from(header.marker) << 7 | header.payload_type & 0x7f;
    packet[2..4].copy_from_slice(&header.sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&header.timestamp.to_be_bytes());
    packet[8..12].copy_from_slice(&header.ssrc.to_be_bytes());
}

/// Whether a packet on an RTP socket with rtcp-mux is RTCP (RFC 5761 §4): types 192..=223.
pub fn is_rtcp(packet: &[u8]) -> bool {
    packet.len() >= 2 && (192..=223).contains(&packet[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header =
        Header { marker: true, payload_type: 8, sequence: 0xfffe, timestamp: 0xdead_beef, ssrc: 0x0102_0304 };

    #[test]
    fn what_is_written_can_be_read() {
        let mut packet = [0; FRAME_PACKET_BYTES];
        let length = write(HEADER, &[0xd5; FRAME_SAMPLES], &mut packet);
        assert_eq!(length, FRAME_PACKET_BYTES);
        assert_eq!(parse(&packet), Some((HEADER, &[0xd5; 160][..])));
        assert_eq!(write(HEADER, &[0; 161], &mut packet), 0, "does not fit");
        let other = Header { marker: false, payload_type: 101, sequence: 1, timestamp: 2, ssrc: 3 };
        rewrite(&mut packet, other);
        assert_eq!(parse(&packet).map(|(header, _)| header), Some(other));
    }

    #[test]
    fn extras_are_stepped_over_and_faulty_packets_refused() {
        let mut full = vec![0xb1, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        full.extend([9, 9, 9, 9]); // One CSRC.
        full.extend([0xbe, 0xde, 0, 1, 5, 5, 5, 5]); // An extension of one word.
        full.extend([1, 2, 3, 0, 2]); // Payload, two bytes of padding.
        let (header, payload) = parse(&full).expect("whole");
        assert_eq!((header.sequence, payload), (1, &[1, 2, 3][..]));

        let rows: [(&str, Vec<u8>); 7] = [
            ("empty", vec![]),
            ("runt", full[..11].to_vec()),
            ("cut in the CSRC list", full[..14].to_vec()),
            ("cut in the extension", full[..20].to_vec()),
            ("version 1", [&[0x40], &full[1..]].concat()),
            ("padding of 0", [&full[..28], &[0]].concat()),
            ("padding beyond the packet", [&full[..28], &[200]].concat()),
        ];
        for (what, packet) in rows {
            assert_eq!(parse(&packet), None, "{what}");
        }
        assert_eq!(parse(&[0x80; PACKET_MAX + 1]), None, "giant");
    }

    #[test]
    fn reports_are_told_from_sound_by_their_type() {
        assert!(is_rtcp(&[0x80, 200, 0, 6]));
        assert!(is_rtcp(&[0x81, 201, 0, 7]));
        assert!(!is_rtcp(&[0x80, 8]));
        assert!(!is_rtcp(&[0x80, 0x80 | 101]));
        assert!(!is_rtcp(&[0x80]));
    }
}
