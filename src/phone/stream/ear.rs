//! What one telephone hears: counted and timed; kept only where its sound will be judged.

use std::net::SocketAddr;
use std::time::Duration;

use rtp_rs::RtpReader;

use super::mos::mos;
use crate::phone::g711::Codec;
use crate::phone::order::{Order, Place};
use crate::time::Instant;

/// A packet that comes so much later than the fastest of its stream is too late to be played: three
/// packets, as much as a usual jitter buffer holds.
const LATE: Duration = Duration::from_millis(60);
/// A pause in the timestamps of this length is a new beginning, not a late packet, samples.
const PAUSE: u32 = 8_000;
/// What lies between mouth and ear beside the network: a packet's own length and a buffer of twice
/// the jitter, milliseconds.
const PACKET_MS: f64 = 20.0;

/// What an ear counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EarCount {
    /// RTP packets, duplicates included.
    pub received: u64,
    /// Packets missing by sequence number.
    pub lost: u64,
    /// Packets that should have come.
    pub expected: u64,
    /// Packets that came after one with a higher number.
    pub out_of_order: u64,
    /// Packets that came again.
    pub duplicates: u64,
    /// Packets too late to be played.
    pub late: u64,
    /// Packets with a payload type that was not agreed, telephone events included.
    pub other_payload: u64,
    /// Packets from another address than agreed.
    pub strangers: u64,
    /// Datagrams that are neither RTP nor RTCP.
    pub garbage: u64,
    /// Times that the source changed.
    pub ssrc_changes: u64,
    /// Longest time between two packets of one talkspurt.
    pub gap_max: Duration,
}

/// What a packet tells beside the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The very first.
    First,
    /// So long after the one before, within one talkspurt of one source.
    After(Duration),
    /// The first of a new talkspurt or source.
    Anew,
    /// Not of the sound: a duplicate, RTCP, garbage.
    Nothing,
}

/// The part of what is heard that is kept, in octets as they came.
#[derive(Debug)]
pub struct Kept {
    octets: Vec<u8>,
    /// Where the next octet goes, once `octets` is full.
    next: usize,
    /// The last so many are kept, rather than the first.
    last: bool,
    codec: Codec,
}

impl Kept {
    /// Room for the first `samples`.
    pub fn first(samples: usize, codec: Codec) -> Self {
        Kept { octets: Vec::with_capacity(samples), next: 0, last: false, codec }
    }

    /// Room for the last `samples`.
    pub fn last(samples: usize, codec: Codec) -> Self {
        Kept { last: true, ..Kept::first(samples, codec) }
    }

    fn push(&mut self, octets: &[u8]) {
        let room = self.octets.capacity() - self.octets.len();
        let (fits, rest) = octets.split_at(octets.len().min(room));
        self.octets.extend_from_slice(fits);
        if !self.last || self.octets.is_empty() {
            return;
        }
        for octet in rest {
            self.octets[self.next] = *octet;
            self.next = (self.next + 1) % self.octets.len();
        }
    }

    /// The samples, 8 kHz, in the order in which they came.
    pub fn samples(&self) -> Vec<i16> {
        let (end, begin) = self.octets.split_at(self.next);
        begin.iter().chain(end).map(|octet| self.codec.decode(*octet)).collect()
    }
}

#[derive(Debug)]
struct Source {
    ssrc: u32,
    order: Order,
    last_at: Instant,
    last_timestamp: u32,
    /// How long packets are under way, against the first one; negative where faster. Nanoseconds.
    transit: i64,
    fastest: i64,
    /// Smoothed (RFC 3550 §6.4.1), nanoseconds.
    jitter: f64,
}

/// The ear of one telephone in one call.
#[derive(Debug)]
pub struct Ear {
    payload_type: u8,
    from: SocketAddr,
    source: Option<Source>,
    /// Of sources before this one, or before the counting.
    lost_before: u64,
    expected_before: u64,
    kept: Option<Kept>,
    count: EarCount,
}

impl Ear {
    /// Listens for sound of this payload type from this address. `kept`: see there.
    pub fn new(payload_type: u8, from: SocketAddr, kept: Option<Kept>) -> Self {
        Ear {
            payload_type,
            from,
            source: None,
            lost_before: 0,
            expected_before: 0,
            kept,
            count: EarCount::default(),
        }
    }

    /// The other side moved, or changed the codec.
    pub fn agree_anew(&mut self, payload_type: u8, from: SocketAddr) {
        (self.payload_type, self.from) = (payload_type, from);
    }

    /// Counts from now on, what was counted so far forgotten.
    pub fn count_anew(&mut self) {
        self.count = EarCount::default();
        (self.lost_before, self.expected_before) = (0, 0);
        if let Some(source) = &mut self.source {
            source.order.begin_anew();
            source.fastest = source.transit;
        }
    }

    /// The counters.
    pub fn count(&self) -> EarCount {
        let source = self.source.as_ref().map(|source| source.order);
        EarCount {
            lost: self.lost_before + source.map_or(0, |order| order.lost()),
            expected: self.expected_before + source.map_or(0, |order| order.expected()),
            ..self.count
        }
    }

    /// Smoothed jitter of the present source (RFC 3550 §6.4.1).
    pub fn jitter(&self) -> Duration {
        Duration::from_nanos(self.source.as_ref().map_or(0.0, |source| source.jitter) as u64)
    }

    /// The estimate by what came and what did not; `None` where nothing came.
    pub fn mos(&self) -> Option<f64> {
        let count = self.count();
        if count.received == 0 {
            return None;
        }
        let missed = (count.lost + count.late) as f64 / count.expected.max(1) as f64;
        let jitter_ms = self.jitter().as_secs_f64() * 1e3;
        Some(mos(missed, PACKET_MS + 2.0 * jitter_ms))
    }

    /// Keeps from now on, in place of what was kept.
    pub fn keep(&mut self, kept: Kept) {
        self.kept = Some(kept);
    }

    /// What was kept.
    pub fn take_kept(&mut self) -> Option<Kept> {
        self.kept.take()
    }

    /// A datagram that arrived at `at`.
    pub fn handle_packet(&mut self, from: SocketAddr, bytes: &[u8], at: Instant) -> Heard {
        // RTCP types fall where RTP payload types cannot be (RFC 5761 §4).
        if bytes.get(1).is_some_and(|kind| (192..=223).contains(kind)) {
            return Heard::Nothing;
        }
        let Ok(packet) = RtpReader::new(bytes) else {
            self.count.garbage += 1;
            return Heard::Nothing;
        };
        self.count.received += 1;
        self.count.strangers += u64::from(from != self.from);
        let sequence = u16::from(packet.sequence_number());
        let (ssrc, timestamp) = (packet.ssrc(), packet.timestamp());
        let sound = packet.payload_type() == self.payload_type;
        self.count.other_payload += u64::from(!sound);
        let heard = match &mut self.source {
            Some(source) if source.ssrc == ssrc && source.order.continues(sequence) => {
                match source.order.place(sequence) {
                    Place::Again => {
                        self.count.duplicates += 1;
                        return Heard::Nothing;
                    }
                    Place::Behind => self.count.out_of_order += 1,
                    Place::Next => {}
                }
                source.follow(timestamp, packet.mark() || !sound, at, &mut self.count)
            }
            other => {
                let first = other.is_none();
                if let Some(old) = other.take() {
                    self.lost_before += old.order.lost();
                    self.expected_before += old.order.expected();
                    self.count.ssrc_changes += u64::from(old.ssrc != ssrc);
                }
                *other = Some(Source {
                    ssrc,
                    order: Order::begin(sequence),
                    last_at: at,
                    last_timestamp: timestamp,
                    transit: 0,
                    fastest: 0,
                    jitter: 0.0,
                });
                if first { Heard::First } else { Heard::Anew }
            }
        };
        if let (true, Some(kept)) = (sound, &mut self.kept) {
            kept.push(packet.payload());
        }
        heard
    }
}

impl Source {
    fn follow(&mut self, timestamp: u32, begins: bool, at: Instant, count: &mut EarCount) -> Heard {
        let step = timestamp.wrapping_sub(self.last_timestamp) as i32;
        let arrived = at.as_nanos() as i64 - self.last_at.as_nanos() as i64;
        (self.last_at, self.last_timestamp) = (at, timestamp);
        if begins || step.unsigned_abs() > PAUSE {
            // A talkspurt: its clock may have run on elsewhere, and a pause before it is meant.
            (self.transit, self.fastest) = (0, 0);
            return Heard::Anew;
        }
        let change = arrived - i64::from(step) * 125_000;
        self.transit += change;
        self.jitter += (change.unsigned_abs() as f64 - self.jitter) / 16.0;
        self.fastest = self.fastest.min(self.transit);
        if self.transit - self.fastest > LATE.as_nanos() as i64 {
            count.late += 1;
        }
        let gap = Duration::from_nanos(arrived.max(0) as u64);
        count.gap_max = count.gap_max.max(gap);
        Heard::After(gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;
    use crate::phone::stream::{Loop, Voice};

    const THERE: ([u8; 4], u16) = ([192, 0, 2, 1], 4_000);

    fn ms(ms: u64) -> Instant {
        Instant::from_millis(10_000 + ms)
    }

    /// Packets of one source, each after its turn.
    fn packets(count: usize, payload_type: u8) -> Vec<Vec<u8>> {
        let samples: Vec<i16> = (0..1_600).map(|n| (n % 160) * 100).collect();
        let mut voice = Voice::new(payload_type, Loop::new(&samples, Codec::Pcma), &mut Dice::seeded(5));
        let mut packet = || {
            let mut room = [0; 172];
            voice.write(&mut room);
            room.to_vec()
        };
        (0..count).map(|_| packet()).collect()
    }

    fn ear(kept: Option<Kept>) -> Ear {
        Ear::new(8, THERE.into(), kept)
    }

    #[test]
    fn what_is_lost_late_doubled_or_out_of_order_is_told_apart() {
        let mut ear = ear(None);
        let packets = packets(40, 8);
        let mut gaps = Vec::new();
        for (number, packet) in packets.iter().enumerate() {
            let due = 20 * number as u64;
            let times: &[u64] = match number {
                7 => &[],              // Lost.
                9 => &[due + 21],      // After the next one.
                15 => &[due, due + 1], // Doubled.
                30 => &[due + 90],     // Too late.
                _ => &[due],
            };
            for at in times {
                gaps.push((*at, packet));
            }
        }
        gaps.sort_by_key(|(at, _)| *at);
        for (at, packet) in gaps {
            ear.handle_packet(THERE.into(), packet, ms(at));
        }
        let count = ear.count();
        assert_eq!((count.received, count.expected, count.lost), (40, 40, 1));
        assert_eq!((count.out_of_order, count.duplicates, count.late), (2, 1, 1));
        assert_eq!((count.gap_max, count.strangers), (Duration::from_millis(40), 0));
        let mos = ear.mos().unwrap();
        assert!((3.8..4.2).contains(&mos), "two of forty: {mos}");
    }

    #[test]
    fn a_steady_stream_is_as_good_as_it_gets_and_a_silent_one_is_none() {
        let mut ear = ear(None);
        assert_eq!(ear.mos(), None);
        for (number, packet) in packets(50, 8).iter().enumerate() {
            let heard = ear.handle_packet(THERE.into(), packet, ms(20 * number as u64));
            let expected = if number == 0 { Heard::First } else { Heard::After(Duration::from_millis(20)) };
            assert_eq!(heard, expected);
        }
        assert!(ear.mos().unwrap() > 4.4 && ear.jitter().is_zero());
    }

    #[test]
    fn counting_anew_forgets_the_warm_up() {
        let mut ear = ear(None);
        let packets = packets(20, 8);
        for number in [0, 1, 5, 6, 7, 8, 10] {
            if number == 6 {
                assert_eq!(ear.count().lost, 3);
                ear.count_anew();
            }
            ear.handle_packet(THERE.into(), &packets[number], ms(20 * number as u64));
        }
        let count = ear.count();
        assert_eq!((count.received, count.expected, count.lost), (4, 5, 1));
    }

    #[test]
    fn strangers_garbage_reports_and_other_payloads_are_counted_for_what_they_are() {
        let mut ear = ear(None);
        let stranger = ([192, 0, 2, 9], 4_000).into();
        assert_eq!(ear.handle_packet(THERE.into(), b"x", ms(0)), Heard::Nothing);
        assert_eq!(ear.handle_packet(THERE.into(), &[0x80, 200, 0, 0], ms(0)), Heard::Nothing);
        assert_eq!(ear.handle_packet(stranger, &packets(1, 8)[0], ms(0)), Heard::First);
        assert_eq!(ear.handle_packet(THERE.into(), &packets(1, 101)[0], ms(20)), Heard::Nothing, "again");
        let count = ear.count();
        assert_eq!((count.garbage, count.strangers, count.received, count.other_payload), (1, 1, 2, 1));
    }

    #[test]
    fn of_the_sound_the_first_or_the_last_is_kept() {
        let packets = packets(10, 8);
        let heard = |kept| {
            let mut ear = ear(Some(kept));
            for (number, packet) in packets.iter().enumerate() {
                ear.handle_packet(THERE.into(), packet, ms(20 * number as u64));
            }
            ear.take_kept().unwrap().samples()
        };
        let whole = heard(Kept::first(8_000, Codec::Pcma));
        assert_eq!(whole.len(), 1_600);
        assert_eq!(heard(Kept::first(500, Codec::Pcma)), whole[..500]);
        assert_eq!(heard(Kept::last(500, Codec::Pcma)), whole[1_100..]);
    }
}
