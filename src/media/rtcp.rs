//! RTCP (RFC 3550 §6): reports with CNAME out, the peer's reports in, round trip, BYE.
//!
//! Figures come from [`super::reception`] and [`super::sender`]; when a report is due is kept here.

use super::feedback::Feedback;
use super::reception::Block;
use super::sender::Sender;
use crate::id::Dice;
use crate::time::{Instant, Now, Timestamp};
use std::time::Duration;

/// Room for SR with one block, SDES and BYE.
pub const REPORT_MAX: usize = 28 + 24 + 32 + 8;
/// Mean interval between reports; each is drawn from half to one and a half of it (§6.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// A longer round trip is a fault in somebody's clock.
const ROUND_TRIP_MAX_US: u64 = 10_000_000;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
/// Seconds from 1900 to 1970.
const NTP_UNIX: u64 = 2_208_988_800;

/// The wall clock as of one moment, carried on by the monotonic one: it never jumps.
#[derive(Clone, Copy, Debug)]
pub struct NtpClock(Now);

impl NtpClock {
    /// A clock that is right at `now`.
    pub fn new(now: Now) -> Self {
        NtpClock(now)
    }

    /// NTP time: seconds since 1900 in 32.32 bits.
    pub fn at(&self, now: Instant) -> u64 {
        let since = i128::try_from(now.since(self.0.mono).as_nanos()).unwrap_or(0);
        let unix_nanos = (Timestamp::as_nanosecond(self.0.wall) + since).max(0) as u128;
        let seconds = (unix_nanos / 1_000_000_000) as u64 + NTP_UNIX;
        let part = ((unix_nanos % 1_000_000_000) << 32) / 1_000_000_000;
        seconds << 32 | part as u64
    }
}

/// What one leg knows of reports.
#[derive(Clone, Copy, Debug)]
pub struct Reports {
    cname: u64,
    due_at: Instant,
    /// The middle of the last SR's NTP time, and when it came.
    last_sender_report: Option<(u32, Instant)>,
    round_trip_us: u32,
    /// What the peer says of our stream.
    feedback: Feedback,
}

/// What goes into a report.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// Our SSRC.
    pub ssrc: u32,
    /// RTP clock, packets, octets, if we have sent since the last report.
    pub sent: Option<(u32, u32, u32)>,
    /// What we heard.
    pub block: Option<Block>,
    /// The stream ends.
    pub bye: bool,
}

impl Reports {
    /// Reports of a leg that begins `now`.
    pub fn new(dice: &mut Dice, now: Instant) -> Self {
        let mut reports = Reports {
            cname: dice.next_u64(),
            due_at: now,
            last_sender_report: None,
            round_trip_us: 0,
            feedback: Feedback::default(),
        };
        reports.set_next(dice, now);
        reports
    }

    /// When the next report is due.
    pub fn due_at(&self) -> Instant {
        self.due_at
    }

    /// Draws when the next report is due.
    pub fn set_next(&mut self, dice: &mut Dice, now: Instant) {
        let spread = dice.below(INTERVAL.as_nanos() as u64);
        self.due_at = now + INTERVAL / 2 + Duration::from_nanos(spread);
    }

    /// The last round trip measured, in microseconds; 0: none.
    pub fn round_trip_us(&self) -> u32 {
        self.round_trip_us
    }

    /// What the peer said of our stream.
    pub fn feedback(&self) -> &Feedback {
        &self.feedback
    }

    /// Writes a compound packet; gives its length.
    pub fn write(&self, own: &Own, clock: &NtpClock, now: Instant, packet: &mut [u8; REPORT_MAX]) -> usize {
        let mut out = Writer { packet, at: 0 };
        let blocks = u8::from(own.block.is_some());
        let start = match own.sent {
            Some((rtp_clock, packets, octets)) => {
                let start = out.begin(blocks, SENDER_REPORT, own.ssrc);
                let ntp = clock.at(now);
                for word in [(ntp >> 32) as u32, ntp as u32, rtp_clock, packets, octets] {
                    out.word(word);
                }
                start
            }
            None => out.begin(blocks, RECEIVER_REPORT, own.ssrc),
        };
        if let Some(block) = own.block {
            let (last, delay) = match self.last_sender_report {
                Some((middle, at)) => (middle, sixteenths(now.since(at))),
                None => (0, 0),
            };
            out.word(block.ssrc);
            out.word(u32::from(block.fraction_lost) << 24 | block.lost & 0xff_ffff);
            for word in [block.highest, block.jitter, last, delay] {
                out.word(word);
            }
        }
        out.finish(start);
        let start = out.begin(1, DESCRIPTION, own.ssrc);
        out.bytes(&[1, 16]); // CNAME of 16 letters: random, as RFC 7022 asks.
        for nibble in (0..16).rev() {
            let digit = (self.cname >> (nibble * 4) & 0xf) as usize;
            out.bytes(&b"0123456789abcdef"[digit..=digit]);
        }
        out.bytes(&[0; 2]); // The end of the chunk, and up to the next word.
        out.finish(start);
        if own.bye {
            let start = out.begin(1, GOODBYE, own.ssrc);
            out.finish(start);
        }
        out.at
    }

    /// Takes the peer's compound packet; `None` where it is not one. `ours` is the stream that it hears,
    /// `rate` that stream's clock, hertz.
    pub fn take(
        &mut self,
        packet: &[u8],
        ours: &Sender,
        rate: u32,
        clock: &NtpClock,
        now: Instant,
    ) -> Option<()> {
        let mut rest = packet;
        let mut first = true;
        while !rest.is_empty() {
            let [flags, kind, high, low, ..] = *rest else {
                return None;
            };
            let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
            if flags >> 6 != 2 || length > rest.len() {
                return None;
            }
            // A compound packet begins with a report (RFC 3550 A.2).
            if first && !matches!(kind, SENDER_REPORT | RECEIVER_REPORT) {
                return None;
            }
            first = false;
            let body = &rest[..length];
            let blocks_at = match kind {
                SENDER_REPORT if length >= 28 => {
                    self.last_sender_report = Some((word(body, 10)?, now));
                    28
                }
                RECEIVER_REPORT if length >= 8 => 8,
                SENDER_REPORT | RECEIVER_REPORT => return None,
                _ => length,
            };
            let blocks = body[blocks_at..].chunks_exact(24);
            for block in blocks.take(usize::from(flags & 0x1f)) {
                if word(block, 0) == Some(ours.ssrc()) {
                    self.measure(word(block, 16)?, word(block, 20)?, clock, now);
                    let (lost, highest, jitter) = (word(block, 4)?, word(block, 8)?, word(block, 12)?);
                    self.feedback.take(lost, ours.expected_by(highest), jitter, rate);
                }
            }
            rest = &rest[length..];
        }
        (!first).then_some(())
    }

    /// Round trip: now, less when our report left, less how long the peer kept it (§6.4.1).
    fn measure(&mut self, last: u32, delay: u32, clock: &NtpClock, now: Instant) {
        if last == 0 {
            return;
        }
        let middle = (clock.at(now) >> 16) as u32;
        let round_trip = middle.wrapping_sub(last).wrapping_sub(delay);
        let micros = (u64::from(round_trip) * 1_000_000) >> 16;
        if micros <= ROUND_TRIP_MAX_US {
            self.round_trip_us = (micros as u32).max(1);
        }
    }
}

/// A span in 1/65536 s.
fn sixteenths(span: Duration) -> u32 {
    (span.as_nanos() * 65_536 / 1_000_000_000) as u32
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// Writes packets into a buffer that holds all that is ever written.
struct Writer<'a> {
    packet: &'a mut [u8; REPORT_MAX],
    at: usize,
}

impl Writer<'_> {
    fn begin(&mut self, count: u8, kind: u8, ssrc: u32) -> usize {
        let start = self.at;
        self.bytes(&[0x80 | count, kind, 0, 0]);
        self.word(ssrc);
        start
    }

    fn word(&mut self, word: u32) {
        self.bytes(&word.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.packet[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn finish(&mut self, start: usize) {
        let words = ((self.at - start) / 4 - 1) as u16;
        self.packet[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> NtpClock {
        NtpClock::new(Now {
            mono: Instant::ZERO,
            wall: Timestamp::from_second(1_627_776_000).expect("in range"),
        })
    }

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    /// A stream that has sent one packet.
    fn sender(seed: u64) -> Sender {
        let mut sender = Sender::new(&mut Dice::seeded(seed), at(0));
        sender.frame(8, at(0));
        sender
    }

    fn own(ssrc: u32, heard: u32) -> Own {
        Own {
            ssrc,
            sent: Some((1, 2, 3)),
            block: Some(Block { ssrc: heard, fraction_lost: 7, lost: 9, highest: 0x1_0005, jitter: 11 }),
            bye: false,
        }
    }

    #[test]
    fn a_round_trip_is_measured_between_two() {
        let mut dice = Dice::seeded(1);
        let mut ours = Reports::new(&mut dice, at(0));
        let mut theirs = Reports::new(&mut dice, at(0));
        let (us, them) = (sender(1), sender(2));
        let [one, two] = [us.ssrc(), them.ssrc()];
        let mut packet = [0; REPORT_MAX];
        let length = ours.write(&own(one, two), &clock(), at(1_000), &mut packet);
        assert_eq!(theirs.take(&packet[..length], &them, 8_000, &clock(), at(1_030)), Some(()));
        let length = theirs.write(&own(two, one), &clock(), at(3_000), &mut packet);
        assert_eq!(ours.take(&packet[..length], &us, 8_000, &clock(), at(3_045)), Some(()));
        let measured = ours.round_trip_us();
        assert!((74_900..75_100).contains(&measured), "{measured}");
        assert_eq!(theirs.round_trip_us(), 0, "our report came before theirs");
    }

    #[test]
    fn a_compound_packet_is_laid_out_by_the_rfc() {
        let mut dice = Dice::seeded(1);
        let reports = Reports::new(&mut dice, at(0));
        let mut packet = [0; REPORT_MAX];
        let mut own = own(0x0a0b_0c0d, 5);
        own.bye = true;
        let length = reports.write(&own, &clock(), at(500), &mut packet);
        assert_eq!(length, 52 + 28 + 8);
        assert_eq!(packet[..8], [0x81, 200, 0, 12, 0x0a, 0x0b, 0x0c, 0x0d]);
        let ntp = (1_627_776_000 + NTP_UNIX) << 32 | 0x8000_0000;
        assert_eq!(packet[8..16], ntp.to_be_bytes());
        assert_eq!(packet[28..36], [0, 0, 0, 5, 7, 0, 0, 9]);
        assert_eq!(packet[52..62], [0x81, 202, 0, 6, 0x0a, 0x0b, 0x0c, 0x0d, 1, 16]);
        assert_eq!(packet[80..88], [0x81, 203, 0, 1, 0x0a, 0x0b, 0x0c, 0x0d]);
        own.sent = None;
        let length = reports.write(&own, &clock(), at(500), &mut packet);
        assert_eq!((packet[1], packet[3], length), (201, 7, 32 + 28 + 8));
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let mut reports = Reports::new(&mut Dice::seeded(1), at(0));
        let rows: [(&str, &[u8]); 6] = [
            ("empty", &[]),
            ("runt", &[0x80, 201, 0]),
            ("cut", &[0x80, 201, 0, 2, 0, 0, 0, 1]),
            ("version", &[0x40, 201, 0, 1, 0, 0, 0, 1]),
            ("no report first", &[0x81, 203, 0, 1, 0, 0, 0, 1]),
            ("a sender report without its figures", &[0x80, 200, 0, 1, 0, 0, 0, 1]),
        ];
        for (what, packet) in rows {
            assert_eq!(reports.take(packet, &sender(1), 8_000, &clock(), at(0)), None, "{what}");
        }
        let blocks_promised = [0x9f, 201, 0, 1, 0, 0, 0, 1];
        assert_eq!(reports.take(&blocks_promised, &sender(1), 8_000, &clock(), at(0)), Some(()));
    }

    #[test]
    fn reports_are_spread_about_five_seconds() {
        let mut dice = Dice::seeded(3);
        let mut reports = Reports::new(&mut dice, at(0));
        let mut now = at(0);
        for _ in 0..200 {
            reports.set_next(&mut dice, now);
            let wait = reports.due_at().since(now);
            assert!((2_500..=7_500).contains(&wait.as_millis()), "{wait:?}");
            now = reports.due_at();
        }
        let mean = now.since(at(0)) / 200;
        assert!((4_700..5_300).contains(&mean.as_millis()), "{mean:?}");
    }
}
