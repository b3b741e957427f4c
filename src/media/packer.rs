//! Frames of 20 ms made into packets of the length that the peer asked for (`a=ptime`), or parted.
//!
//! Only legs that want another length than 20 ms have one. What it holds is bytes: codes, or for Opus
//! the sound that will be coded. A packet leaves when it is full and its
//! time has come, so that 10 and 30 ms leave evenly though frames come every 20 ms; what is left of
//! a sound that ends leaves as a shorter packet, which every receiver of G.711 takes (RFC 3551 §4.2).

use std::time::Duration;

use crate::time::Instant;

/// Longest packet that we send: 60 ms.
pub const PACKET_MS_MAX: u16 = 60;
/// Bytes of the longest packet: linear sound at 16 kHz, which Opus is made of when it leaves.
pub const BYTES_MAX: usize = PACKET_MS_MAX as usize * 32;
/// A tick that is so much too early for a packet is on time.
const SLACK: Duration = Duration::from_millis(4);
/// Whoever is later than this no longer makes up for it.
const LATE_MAX: Duration = Duration::from_millis(60);

/// See the file's own words.
#[derive(Debug)]
pub struct Packer {
    /// Room for a packet that waits for its time, and the frame that comes meanwhile.
    bytes: Box<[u8]>,
    held: usize,
    /// Bytes of a packet.
    size: usize,
    packet_ms: u64,
    /// Bytes of a frame, and how many units of the clock they are.
    frame: (usize, u32),
    /// Of the first byte held.
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
    /// Of the first byte.
    pub timestamp: u32,
    bytes: [u8; BYTES_MAX],
    length: usize,
}

impl Packet {
    /// What it carries.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Packer {
    /// Makes packets of `packet_ms`, at least 10 and at most [`PACKET_MS_MAX`], of frames that have
    /// `frame_bytes` (at most 32 for each millisecond) and last `frame_units` of the clock.
    pub fn new(packet_ms: u16, frame_bytes: usize, frame_units: u32) -> Self {
        let packet_ms = packet_ms.clamp(10, PACKET_MS_MAX);
        let size = (usize::from(packet_ms) * frame_bytes / 20).min(BYTES_MAX);
        Packer {
            bytes: vec![0; size + frame_bytes].into_boxed_slice(),
            held: 0,
            size,
            packet_ms: u64::from(packet_ms),
            frame: (frame_bytes, frame_units),
            timestamp: 0,
            marker: false,
            due: None,
            fed: false,
        }
    }

    fn units(&self, bytes: usize) -> u32 {
        (bytes as u64 * u64::from(self.frame.1) / self.frame.0 as u64) as u32
    }

    /// Whether a frame that begins at `timestamp` goes on from what is held; else that must leave first.
    pub fn joins(&self, timestamp: u32) -> bool {
        self.held == 0 || timestamp == self.timestamp.wrapping_add(self.units(self.held))
    }

    /// Takes a frame that joins; there is room for it once [`Packer::take`] has given all that is ready.
    pub fn add(&mut self, timestamp: u32, marker: bool, frame: &[u8]) {
        self.fed = true;
        if self.held == 0 {
            (self.timestamp, self.marker) = (timestamp, marker);
        }
        let end = (self.held + frame.len()).min(self.bytes.len());
        self.bytes[self.held..end].copy_from_slice(&frame[..end - self.held]);
        self.held = end;
    }

    /// The next packet that is full and whose time has come, or that must make room.
    pub fn take(&mut self, now: Instant) -> Option<Packet> {
        let crowded = self.held + self.frame.0 > self.bytes.len();
        let in_time = self.due.is_none_or(|due| now + SLACK >= due);
        if self.held < self.size || !(in_time || crowded) {
            return None;
        }
        let due = self.due.filter(|due| now.since(*due) <= LATE_MAX).unwrap_or(now);
        self.due = Some(due + Duration::from_millis(self.packet_ms));
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
            bytes: [0; BYTES_MAX],
            length,
        };
        packet.bytes[..length].copy_from_slice(&self.bytes[..length]);
        self.bytes.copy_within(length..self.held, 0);
        self.held -= length;
        self.timestamp = self.timestamp.wrapping_add(self.units(length));
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::order::FRAME_SAMPLES;

    fn narrow(packet_ms: u16) -> Packer {
        Packer::new(packet_ms, FRAME_SAMPLES, 160)
    }

    fn at(ms: u64) -> Instant {
        Instant::from_millis(1_000 + ms)
    }

    /// A frame each 20 ms and a look each 10: when packets leave, ms, and what they are.
    fn run(packet_ms: u16, frames: u64) -> Vec<(u64, Packet)> {
        let mut packer = narrow(packet_ms);
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
            let whole: Vec<u8> = left.iter().flat_map(|(_, packet)| packet.bytes().to_vec()).collect();
            let wanted: Vec<u8> = (0..60).flat_map(|n| [n; FRAME_SAMPLES]).collect();
            assert_eq!(whole, wanted, "{packet_ms} ms");
            let full = 1_200 / usize::from(packet_ms) - 1;
            for pair in left[..full].windows(2) {
                assert_eq!(pair[1].0 - pair[0].0, u64::from(packet_ms), "{packet_ms} ms apart");
                assert_eq!(pair[0].1.bytes().len(), usize::from(packet_ms) * 8);
                let step = pair[1].1.timestamp.wrapping_sub(pair[0].1.timestamp);
                assert_eq!(step, u32::from(packet_ms) * 8);
            }
            let marked: Vec<_> = left.iter().map(|(_, packet)| packet.marker).collect();
            assert!(marked[0] && !marked[1..].contains(&true), "only the talkspurt's first");
        }
    }

    #[test]
    fn a_sound_that_ends_leaves_what_is_held_as_a_shorter_packet() {
        let mut packer = narrow(60);
        packer.add(0, true, &[1; FRAME_SAMPLES]);
        assert_eq!(packer.take(at(0)), None);
        assert!(!packer.end_turn(), "a frame came");
        assert!(packer.end_turn(), "none came");
        let rest = packer.rest().expect("one frame is held");
        assert_eq!((rest.bytes().len(), rest.marker, rest.timestamp), (160, true, 0));
        assert_eq!((packer.rest(), packer.end_turn()), (None, false));
        assert!(packer.joins(77_777), "the next begins where it likes");
    }

    #[test]
    fn timestamps_count_the_clock_whatever_a_frame_takes() {
        // L16: two bytes a unit; wide linear sound for Opus: 640 bytes are 960 units.
        for (frame_bytes, frame_units) in [(320, 160), (640, 960)] {
            let mut packer = Packer::new(30, frame_bytes, frame_units);
            let mut left = vec![];
            for n in 0..6 {
                assert!(packer.joins(n * frame_units));
                packer.add(n * frame_units, n == 0, &vec![n as u8; frame_bytes]);
                left.extend(std::iter::from_fn(|| packer.take(at(1_000_000))));
            }
            left.extend(std::iter::from_fn(|| packer.rest()));
            assert_eq!(left.len(), 4);
            for (n, packet) in left.iter().enumerate() {
                assert_eq!(packet.timestamp, n as u32 * frame_units * 3 / 2);
                assert_eq!(packet.bytes().len(), frame_bytes * 3 / 2);
            }
        }
    }

    #[test]
    fn frames_of_a_late_tick_are_made_up_for_and_never_more_is_held_than_fits() {
        for packet_ms in [10, 30, 60] {
            let mut packer = narrow(packet_ms);
            let mut codes = 0;
            for n in 0..300_u32 {
                // Three frames at each third tick.
                let now = at(u64::from(n / 3) * 60);
                packer.add(n * 160, n == 0, &[0; FRAME_SAMPLES]);
                while let Some(packet) = packer.take(now) {
                    codes += packet.bytes().len();
                }
            }
            assert_eq!(codes + packer.held, 300 * FRAME_SAMPLES, "{packet_ms} ms");
        }
    }
}
