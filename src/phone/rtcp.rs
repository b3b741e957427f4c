//! RTCP: our sender report with SDES, and as much of theirs as counting needs (RFC 3550 §6).

use std::time::Duration;

use super::recorder::Reception;
use crate::time::{Instant, Timestamp};

/// Seconds from 1900 to 1970.
const NTP_EPOCH: i64 = 2_208_988_800;
const SENDER_REPORT: u8 = 200;
const DESCRIPTION: u8 = 202;

/// The last sender report that we heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Heard {
    /// The middle 32 bits of its NTP time.
    middle: u32,
    at: Instant,
}

/// What a sender report says.
pub(super) struct SenderReport<'a> {
    /// Our source.
    pub ssrc: u32,
    /// Wall clock.
    pub wall: Timestamp,
    /// RTP time now.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub octets: u32,
    /// Canonical name, at most 255 bytes.
    pub cname: &'a str,
    /// Whom we hear.
    pub reception: Option<Reception>,
    /// Jitter of what we hear, samples.
    pub jitter: u32,
    /// Their last report.
    pub heard: Option<&'a Heard>,
}

impl SenderReport<'_> {
    /// The compound packet: SR, then SDES with CNAME.
    pub(super) fn bytes(&self, now: Instant) -> Vec<u8> {
        let blocks = u8::from(self.reception.is_some());
        let mut bytes = vec![0x80 | blocks, SENDER_REPORT, 0, 6 + 6 * blocks];
        let seconds = (self.wall.as_second() + NTP_EPOCH) as u32;
        let fraction = (((self.wall.subsec_nanosecond().unsigned_abs() as u64) << 32) / 1_000_000_000) as u32;
        for word in [self.ssrc, seconds, fraction, self.timestamp, self.packets, self.octets] {
            bytes.extend(word.to_be_bytes());
        }
        if let Some(reception) = &self.reception {
            self.push_block(&mut bytes, reception, now);
        }
        self.push_description(&mut bytes);
        bytes
    }

    fn push_block(&self, bytes: &mut Vec<u8>, reception: &Reception, now: Instant) {
        let lost = reception.lost.min(0x7f_ffff) as u32; // 24 bits with a sign; the fraction is left 0.
        let delay = self.heard.map_or(Duration::ZERO, |heard| now.since(heard.at));
        let delay = (delay.as_micros() * 65_536 / 1_000_000) as u32;
        let middle = self.heard.map_or(0, |heard| heard.middle);
        for word in [reception.ssrc, lost, reception.highest, self.jitter, middle, delay] {
            bytes.extend(word.to_be_bytes());
        }
    }

    fn push_description(&self, bytes: &mut Vec<u8>) {
        let cname = &self.cname.as_bytes()[..self.cname.len().min(255)];
        let mut chunk = self.ssrc.to_be_bytes().to_vec();
        chunk.extend([1, cname.len() as u8]);
        chunk.extend(cname);
        chunk.push(0);
        chunk.resize(chunk.len().next_multiple_of(4), 0);
        bytes.extend([0x81, DESCRIPTION, 0, (chunk.len() / 4) as u8]);
        bytes.extend(chunk);
    }
}

/// Counts the packets in a compound, and finds the sender report in it.
pub(super) fn read(mut bytes: &[u8], now: Instant) -> (u64, Option<Heard>) {
    let mut packets = 0;
    let mut heard = None;
    while let [version, kind, high, low, ..] = *bytes {
        let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        if version >> 6 != 2 || length > bytes.len() {
            break;
        }
        packets += 1;
        if kind == SENDER_REPORT
            && let Some(middle) = bytes[..length].get(10..14)
        {
            heard = Some(Heard {
                middle: u32::from_be_bytes([middle[0], middle[1], middle[2], middle[3]]),
                at: now,
            });
        }
        bytes = &bytes[length..];
    }
    (packets, heard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_whole_compound_and_is_counted_as_two() {
        let now = Instant::from_millis(9_000);
        let report = SenderReport {
            ssrc: 7,
            wall: Timestamp::from_millisecond(500).unwrap(),
            timestamp: 1,
            packets: 2,
            octets: 320,
            cname: "1001@192.0.2.9",
            reception: Some(Reception { ssrc: 8, lost: 3, highest: 70_000 }),
            jitter: 4,
            heard: Some(&Heard { middle: 0xabcd, at: Instant::from_millis(8_000) }),
        };
        let bytes = report.bytes(now);
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(
            &bytes[8..16],
            &[0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0],
            "NTP time of 1970-01-01 and a half second"
        );
        assert_eq!(&bytes[48..52], &65_536u32.to_be_bytes(), "one second since their report");
        assert_eq!(read(&bytes, now), (2, Some(Heard { middle: 0x7e80_8000, at: now })));
        for end in 0..bytes.len() {
            read(&bytes[..end], now); // Cut short anywhere, it is read without harm.
        }
    }
}
