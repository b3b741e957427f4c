//! What one leg sends: one SSRC whose numbers and clock go on whatever it hears, be it prompts,
//! frames of a bridge, relayed packets or key presses.
//!
//! The clock is the house's own, in the codec's units from a random start, so silence needs no accounts.

use super::reception::units;
use super::rtp::Header;
use crate::id::Dice;
use crate::time::Instant;

/// The clock of all codecs but Opus.
const NARROW: u32 = 8_000;

/// Numbers of an outgoing stream.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    ssrc: u32,
    /// Units of a second: 8,000 or 48,000.
    clock: u32,
    /// Sequence number of the next packet.
    next: u16,
    /// Sequence numbers used so far, those of relayed losses among them.
    span: u64,
    clock_offset: u32,
    /// Timestamp of the last frame of sound.
    last: u32,
    relay: Option<Relay>,
    passed: Option<Passed>,
    packets: u64,
    octets: u64,
    reported: u64,
}

/// How a relayed source's numbers become ours.
#[derive(Clone, Copy, Debug)]
struct Relay {
    ssrc: u32,
    /// The source's first packet of this stint; earlier ones would meet numbers already used.
    first: u16,
    sequence_offset: u16,
    timestamp_offset: u32,
}

/// A telephone-event passed on from a decoded bridge: its timestamp there and here.
#[derive(Clone, Copy, Debug)]
struct Passed {
    theirs: u32,
    ours: u32,
}

impl Sender {
    /// A stream that has not begun.
    pub fn new(dice: &mut Dice, now: Instant) -> Self {
        let clock_offset = dice.next_u32();
        Sender {
            ssrc: dice.next_u32(),
            clock: NARROW,
            next: dice.next_u32() as u16,
            span: 0,
            clock_offset,
            // Two frames ago, so that the first packet counts as the beginning of a talkspurt.
            last: clock_offset.wrapping_add(units(now, NARROW)).wrapping_sub(2 * NARROW / 50),
            relay: None,
            passed: None,
            packets: 0,
            octets: 0,
            reported: 0,
        }
    }

    /// Numbers begin in their lower half, so that whoever misses the first packets cannot miss a wrap
    /// with them (RFC 3711 §3.3.1 counts wraps).
    pub fn begin_early(&mut self) {
        self.next &= 0x7fff;
    }

    /// The codec has another clock from now on: another SSRC, for reports tell one clock of a source
    /// (RFC 7160 §4.1). Numbers go on.
    pub fn set_clock(&mut self, clock: u32, ssrc: u32, now: Instant) {
        self.clock = clock;
        self.ssrc = ssrc;
        (self.relay, self.passed) = (None, None);
        self.last = units(now, clock).wrapping_add(self.clock_offset).wrapping_sub(2 * self.frame_units());
    }

    /// Units of the clock in a second.
    pub fn clock(&self) -> u32 {
        self.clock
    }

    /// Units of a frame of 20 ms.
    fn frame_units(&self) -> u32 {
        self.clock / 50
    }

    /// The header of the frame due `now`; a talkspurt's first is marked.
    pub fn frame(&mut self, payload_type: u8, now: Instant) -> Header {
        let (timestamp, marker) = self.place(now);
        self.header(marker, payload_type, timestamp)
    }

    /// The place of the frame due `now`, timestamp and marker, where a packet gathers several: its
    /// [`Sender::header`] follows when it leaves.
    pub fn place(&mut self, now: Instant) -> (u32, bool) {
        self.relay = None;
        let timestamp = self.position(now);
        let marker = timestamp.wrapping_sub(self.last) > self.frame_units() || self.packets == 0;
        self.last = timestamp;
        (timestamp, marker)
    }

    /// The header of a telephone-event of ours, or passed on from a bridge that decodes.
    pub fn event(&mut self, payload_type: u8, timestamp: u32, marker: bool) -> Header {
        self.relay = None;
        self.header(marker, payload_type, timestamp)
    }

    /// The timestamp here of an event whose timestamp at its source is `theirs`.
    pub fn event_timestamp(&mut self, theirs: u32, now: Instant) -> u32 {
        match self.passed {
            Some(passed) if passed.theirs == theirs => passed.ours,
            _ => {
                let ours = self.position(now);
                self.passed = Some(Passed { theirs, ours });
                ours
            }
        }
    }

    /// A relayed packet's header as it leaves; `None` for stragglers of before this stint.
    pub fn relay(&mut self, from: &Header, payload_type: u8, now: Instant) -> Option<Header> {
        let (relay, begins) = self.mapped(from, now);
        let age = from.sequence.wrapping_sub(relay.first);
        if age > u16::MAX / 2 {
            return None;
        }
        let sequence = from.sequence.wrapping_add(relay.sequence_offset);
        let timestamp = from.timestamp.wrapping_add(relay.timestamp_offset);
        let ahead = sequence.wrapping_sub(self.next);
        if ahead < u16::MAX / 2 {
            self.next = sequence.wrapping_add(1);
            self.span += u64::from(ahead) + 1;
        }
        if timestamp.wrapping_sub(self.last) as i32 > 0 {
            self.last = timestamp;
        }
        self.packets += 1;
        Some(Header { marker: from.marker || begins, payload_type, sequence, timestamp, ssrc: self.ssrc })
    }

    /// A packet of the relayed source that does not go out leaves no gap in our numbers.
    pub fn leave_out(&mut self, from: &Header) {
        if let Some(relay) = self.relay.as_mut().filter(|relay| relay.ssrc == from.ssrc) {
            relay.sequence_offset = relay.sequence_offset.wrapping_sub(1);
        }
    }

    fn mapped(&mut self, from: &Header, now: Instant) -> (Relay, bool) {
        if let Some(relay) = &mut self.relay
            && relay.ssrc == from.ssrc
        {
            let timestamp = from.timestamp.wrapping_add(relay.timestamp_offset);
            let due = units(now, self.clock).wrapping_add(self.clock_offset);
            // One whose clock leaves ours by more than a second is mapped anew.
            if (timestamp.wrapping_sub(due) as i32).unsigned_abs() <= self.clock {
                // The first number moves along, so that it never seems to lie ahead.
                if from.sequence.wrapping_sub(relay.first) > 0x4000
                    && from.sequence.wrapping_sub(relay.first) < 0x8000
                {
                    relay.first = from.sequence.wrapping_sub(0x2000);
                }
                return (*relay, false);
            }
        }
        let relay = Relay {
            ssrc: from.ssrc,
            first: from.sequence,
            sequence_offset: self.next.wrapping_sub(from.sequence),
            timestamp_offset: self.position(now).wrapping_sub(from.timestamp),
        };
        self.relay = Some(relay);
        (relay, true)
    }

    /// The clock `now`, but always after what was sent: a relayed source may have run ahead.
    pub fn position(&self, now: Instant) -> u32 {
        let clock = units(now, self.clock).wrapping_add(self.clock_offset);
        let least = self.last.wrapping_add(self.frame_units());
        // A tick that is late by less than half a frame is no pause: a stream without gaps counts frames.
        match clock.wrapping_sub(least) as i32 >= self.frame_units() as i32 / 2 {
            true => clock,
            false => least,
        }
    }

    /// The next packet's header.
    pub fn header(&mut self, marker: bool, payload_type: u8, timestamp: u32) -> Header {
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        self.span += 1;
        self.packets += 1;
        Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc }
    }

    /// Counts a payload that was sent.
    pub fn count(&mut self, payload_bytes: usize) {
        self.octets += payload_bytes as u64;
    }

    /// Our SSRC.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// RTP packets sent.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// How many packets should have come to a peer whose highest sequence number is `highest`, however
    /// it counts the wraps; `None` for a number that we have not sent.
    pub fn expected_by(&self, highest: u32) -> Option<u64> {
        let behind = u64::from(self.next.wrapping_sub(1).wrapping_sub(highest as u16));
        self.span.checked_sub(behind).filter(|expected| *expected > 0)
    }

    /// The peer sends by our own SSRC: ours is another from now on (RFC 3550 §8.2).
    pub fn change_ssrc(&mut self, dice: &mut Dice) {
        self.ssrc = dice.next_u32();
    }

    /// For a sender report: the clock now, packets and octets; `None` if nothing was sent since
    /// the last one.
    pub fn report(&mut self, now: Instant) -> Option<(u32, u32, u32)> {
        if self.packets == self.reported {
            return None;
        }
        self.reported = self.packets;
        let clock = units(now, self.clock).wrapping_add(self.clock_offset);
        Some((clock, self.packets as u32, self.octets as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn theirs(sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 8, sequence, timestamp, ssrc: 77 }
    }

    #[test]
    fn numbers_go_on_through_frames_relay_pause_and_events() {
        let mut sender = Sender::new(&mut Dice::seeded(1), at(0));
        let mut sent = vec![];
        (0..5).for_each(|n| sent.push(sender.frame(8, at(n * 20))));
        for n in 5..10_u16 {
            let header = theirs(65_530_u16.wrapping_add(n), u32::from(n) * 160);
            sent.extend(sender.relay(&header, 8, at(u64::from(n) * 20)));
        }
        let start = sender.position(at(200));
        (0..3).for_each(|n| sent.push(sender.event(101, start, n == 0)));
        (20..25).for_each(|n| sent.push(sender.frame(8, at(n * 20))));
        for pair in sent.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
            let moved = pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32;
            assert!((0..=1_600).contains(&moved), "{moved}");
            assert_eq!(pair[1].ssrc, pair[0].ssrc);
        }
        let marked: Vec<_> =
            sent.iter().enumerate().filter(|(_, header)| header.marker).map(|(n, _)| n).collect();
        assert_eq!(marked, [0, 5, 10, 13]);
        let clock = sent[13].timestamp.wrapping_sub(sent[0].timestamp);
        assert_eq!(clock, 20 * 160, "the clock ran through the pause");
    }

    #[test]
    fn a_relayed_loss_stays_a_loss_and_a_straggler_of_before_is_dropped() {
        let mut sender = Sender::new(&mut Dice::seeded(2), at(0));
        let first = sender.relay(&theirs(10, 1_600), 8, at(0)).expect("relayed");
        let third = sender.relay(&theirs(12, 1_920), 8, at(40)).expect("relayed");
        let second = sender.relay(&theirs(11, 1_760), 8, at(41)).expect("relayed");
        assert_eq!(third.sequence.wrapping_sub(first.sequence), 2);
        assert_eq!(second.sequence.wrapping_sub(first.sequence), 1);
        assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 160);
        assert_eq!(sender.relay(&theirs(9, 1_440), 8, at(42)), None);
        sender.leave_out(&theirs(13, 2_080));
        let next = sender.relay(&theirs(14, 2_240), 8, at(80)).expect("relayed");
        assert_eq!(next.sequence.wrapping_sub(third.sequence), 1);
    }

    #[test]
    fn a_relayed_clock_that_jumps_is_mapped_anew() {
        let mut sender = Sender::new(&mut Dice::seeded(3), at(0));
        let before = sender.relay(&theirs(10, 1_600), 8, at(0)).expect("relayed");
        let after = sender.relay(&theirs(11, 900_000_000), 8, at(20)).expect("relayed");
        assert_eq!(after.timestamp.wrapping_sub(before.timestamp), 160);
        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
        assert!(after.marker);
    }

    #[test]
    fn another_clock_is_another_source_whose_numbers_go_on() {
        let mut sender = Sender::new(&mut Dice::seeded(5), at(0));
        let narrow = sender.frame(8, at(0));
        sender.set_clock(48_000, 99, at(20));
        let first = sender.frame(111, at(20));
        let second = sender.frame(111, at(40));
        assert_eq!((first.ssrc, second.ssrc), (99, 99));
        assert_eq!(first.sequence, narrow.sequence.wrapping_add(1));
        assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 960);
        assert!(first.marker && !second.marker);
        let (clock, ..) = sender.report(at(60)).expect("something was sent");
        assert_eq!(clock.wrapping_sub(second.timestamp), 960);
    }

    #[test]
    fn a_long_relay_never_takes_a_packet_for_a_straggler() {
        let mut sender = Sender::new(&mut Dice::seeded(4), at(0));
        for n in 0..200_000_u64 {
            let header = theirs(n as u16, (n * 160) as u32);
            assert!(sender.relay(&header, 8, at(n * 20)).is_some(), "{n}");
        }
    }
}
