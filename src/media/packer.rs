//! Frames of 20 ms made into packets of the length that the peer asked for (`a=ptime`), or parted.
//!
//! Only legs that want another length than 20 ms have one. A packet leaves when it is full and its
//! time has come, so that 10 and 30 ms leave evenly though frames come every 20 ms; what is left of
//! a sound that ends leaves as a shorter packet, which every receiver of G.711 takes (RFC 3551 §4.2).

use std::time::Duration;

use super::order::FRAME_SAMPLES;
use crate::time::Instant;

/// Longest packet that we send: 60 ms.
pub const PACKET_MS_MAX: u16 = 60;
/// Codes of the longest packet.
pub const CODES_MAX: usize = PACKET_MS_MAX as usize * 8;
/// Codes that are held: a packet that waits for its time, and the frame that comes meanwhile.
const HELD_MAX: usize = CODES_MAX + FRAME_SAMPLES;
/// A tick that is so much too early for a packet is on time.
const SLACK: Duration = Duration::from_millis(4);
/// Whoever is later than this no longer makes up for it.
const LATE_MAX: Duration = Duration::from_millis(60);

/// See the file's own words.
#[derive(Debug)]
pub struct Packer {
    codes: [u8; HELD_MAX],
    held: usize,
    /// Codes of a packet.
    size: usize,
    /// Of the first code held.
    timestamp: u32,
    marker: bool,
    /// When the next packet's time comes; `None`: as soon as it is full.
    due: Option<Instant>,
    /// A frame came since the last [`Packer::end_turn`].
    fed: bool,
}

/// One packet's sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// The first of a talkspurt.
    pub marker: bool,
    /// Of the first code.
    pub timestamp: u32,
    codes: [u8; CODES_MAX],
    length: usize,
}

impl Packet {
    /// What it carries.
    pub fn codes(&self) -> &[u8] {
        &self.codes[..self.length]
    }
}

impl Packer {
    /// Makes packets of `packet_ms`, at least 10 and at most [`PACKET_MS_MAX`].
    pub fn new(packet_ms: u16) -> Self {
        let size = usize::from(packet_ms.clamp(10, PACKET_MS_MAX)) * 8;
        Packer { codes: [0; HELD_MAX], held: 0, size, timestamp: 0, marker: false, due: None, fed: false }
    }

    /// Whether a frame that begins at `timestamp` goes on from what is held; else that must leave first.
    pub fn joins(&self, timestamp: u32) -> bool {
        self.held == 0 || timestamp == self.timestamp.wrapping_add(self.held as u32)
    }

    /// Takes a frame that joins; there is room for it once [`Packer::take`] has given all that is ready.
    pub fn add(&mut self, timestamp: u32, marker: bool, frame: &[u8; FRAME_SAMPLES]) {
        self.fed = true;
        if self.held == 0 {
            (self.timestamp, self.marker) = (timestamp, marker);
        }
        let end = (self.held + FRAME_SAMPLES).min(HELD_MAX);
        self.codes[self.held..end].copy_from_slice(&frame[..end - self.held]);
        self.held = end;
    }

    /// The next packet that is full and whose time has come, or that must make room.
    pub fn take(&mut self, now: Instant) -> Option<Packet> {
        let crowded = self.held + FRAME_SAMPLES > HELD_MAX;
        let in_time = self.due.is_none_or(|due| now + SLACK >= due);
        if self.held < self.size || !(in_time || crowded) {
            return None;
        }
        let due = self.due.filter(|due| now.since(*due) <= LATE_MAX).unwrap_or(now);
        self.due = Some(due + Duration::from_millis(self.size as u64 / 8));
        Some(self.cut(self.size))
    }

    /// What is held leaves at once, in packets that need not be full: sound ends, or goes on elsewhere.
    pub fn rest(&mut self) -> Option<Packet> {
        self.due = None;
        (self.held > 0).then(|| self.cut(self.size.min(self.held)))
    }

    /// The leg's turn is over. Whether sound has ended: no frame came in this turn, and some is left.
    pub fn end_turn(&mut self) -> bool {
        !std::mem::take(&mut self.fed) && self.held > 0
    }

    fn cut(&mut self, length: usize) -> Packet {
        let mut packet = Packet {
            marker: std::mem::take(&mut self.marker),
            timestamp: self.timestamp,
            codes: [0; CODES_MAX],
            length,
        };
        packet.codes[..length].copy_from_slice(&self.codes[..length]);
        self.codes.copy_within(length..self.held, 0);
        self.held -= length;
        self.timestamp = self.timestamp.wrapping_add(length as u32);
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(1_000 + ms)
    }

    /// A frame each 20 ms and a look each 10: when packets leave, ms, and what they are.
    fn run(packet_ms: u16, frames: u64) -> Vec<(u64, Packet)> {
        let mut packer = Packer::new(packet_ms);
        let mut left = Vec::new();
        for half in 0..frames * 2 {
            if half % 2 == 0 {
                let n = half / 2;
                let timestamp = 0_u32.wrapping_sub(500).wrapping_add(n as u32 * 160);
                assert!(packer.joins(timestamp));
                packer.add(timestamp, n == 0, &[n as u8; FRAME_SAMPLES]);
            }
            left.extend(std::iter::from_fn(|| packer.take(at(half * 10))).map(|packet| (half * 10, packet)));
        }
        left.extend(std::iter::from_fn(|| packer.rest()).map(|packet| (frames * 20, packet)));
        left
    }

    #[test]
    fn packets_of_each_length_leave_evenly_and_carry_every_code_in_order() {
        for packet_ms in [10, 20, 30, 40, 50, 60] {
            let left = run(packet_ms, 60);
            let whole: Vec<u8> = left.iter().flat_map(|(_, packet)| packet.codes().to_vec()).collect();
            let wanted: Vec<u8> = (0..60).flat_map(|n| [n; FRAME_SAMPLES]).collect();
            assert_eq!(whole, wanted, "{packet_ms} ms");
            let full = 1_200 / usize::from(packet_ms) - 1;
            for pair in left[..full].windows(2) {
                assert_eq!(pair[1].0 - pair[0].0, u64::from(packet_ms), "{packet_ms} ms apart");
                assert_eq!(pair[0].1.codes().len(), usize::from(packet_ms) * 8);
                let step = pair[1].1.timestamp.wrapping_sub(pair[0].1.timestamp);
                assert_eq!(step, u32::from(packet_ms) * 8);
            }
            let marked: Vec<_> = left.iter().map(|(_, packet)| packet.marker).collect();
            assert!(marked[0] && !marked[1..].contains(&true), "only the talkspurt's first");
        }
    }

    #[test]
    fn a_sound_that_ends_leaves_what_is_held_as_a_shorter_packet() {
        let mut packer = Packer::new(60);
        packer.add(0, true, &[1; FRAME_SAMPLES]);
        assert_eq!(packer.take(at(0)), None);
        assert!(!packer.end_turn(), "a frame came");
        assert!(packer.end_turn(), "none came");
        let rest = packer.rest().expect("one frame is held");
        assert_eq!((rest.codes().len(), rest.marker, rest.timestamp), (160, true, 0));
        assert_eq!((packer.rest(), packer.end_turn()), (None, false));
        assert!(packer.joins(77_777), "the next begins where it likes");
    }

    #[test]
    fn frames_of_a_late_tick_are_made_up_for_and_never_more_is_held_than_fits() {
        for packet_ms in [10, 30, 60] {
            let mut packer = Packer::new(packet_ms);
            let mut codes = 0;
            for n in 0..300_u32 {
                // Three frames at each third tick.
                let now = at(u64::from(n / 3) * 60);
                packer.add(n * 160, n == 0, &[0; FRAME_SAMPLES]);
                while let Some(packet) = packer.take(now) {
                    codes += packet.codes().len();
                }
            }
            assert_eq!(codes + packer.held, 300 * FRAME_SAMPLES, "{packet_ms} ms");
        }
    }
}
