//! What one phone hears: packets put in their place by RTP timestamp, and counted.
//!
//! Nothing is played out, so nothing is late: a packet that arrives out of order still finds its
//! place. Silence fills the gaps.

use std::time::Duration;

use super::g711::Codec;
use super::order::{Order, Place};
use crate::time::Instant;

/// A step in timestamps beyond what the clock allows, by this much, begins anew: 10 s of samples.
const DRIFT_MAX: i64 = 80_000;

/// What was received and sent in one call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoundCount {
    /// RTP packets sent, events included.
    pub sent: u64,
    /// RTP packets received, duplicates included.
    pub received: u64,
    /// Packets missing by sequence number.
    pub lost: u64,
    /// Packets that came after one with a higher number.
    pub out_of_order: u64,
    /// Packets that came again.
    pub duplicates: u64,
    /// Packets with a payload type that was not agreed.
    pub wrong_payload_type: u64,
    /// Packets from another address than the other side's description names.
    pub strangers: u64,
    /// Datagrams that are no RTP.
    pub garbage: u64,
    /// Times that the source changed.
    pub ssrc_changes: u64,
    /// Longest time between two packets, milliseconds.
    pub max_gap_ms: u64,
    /// From the answer to the first packet after it; `None` before that.
    pub first_delay: Option<Duration>,
    /// Smoothed jitter (RFC 3550 §6.4.1), samples of 1/8 ms.
    pub jitter: f64,
    /// RTCP packets sent.
    pub rtcp_sent: u64,
    /// RTCP packets received; those in one datagram count singly.
    pub rtcp_received: u64,
}

/// One source.
#[derive(Debug)]
struct Stream {
    ssrc: u32,
    order: Order,
    /// The timestamp that belongs at `base_at` in the recording.
    base: u32,
    base_at: i64,
    /// Arrival minus timestamp, for the jitter.
    transit: Option<i64>,
}

/// What a report block says of a source (RFC 3550 §6.4.1).
pub(super) struct Reception {
    /// Whose packets.
    pub ssrc: u32,
    /// Packets missing so far.
    pub lost: u64,
    /// The highest number, extended.
    pub highest: u32,
}

/// The ear of a phone.
#[derive(Debug)]
pub(super) struct Recorder {
    heard: Vec<i16>,
    max: usize,
    stream: Option<Stream>,
    lost_before: u64,
    first_at: Option<Instant>,
    last_at: Option<Instant>,
    answered_at: Option<Instant>,
    /// The received half of the counters.
    pub count: SoundCount,
}

/// The numbers in an RTP header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// Source.
    pub ssrc: u32,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp.
    pub timestamp: u32,
}

impl Recorder {
    /// Keeps at most `max` samples.
    pub(super) fn new(max: usize) -> Self {
        Recorder {
            heard: Vec::new(),
            max,
            stream: None,
            lost_before: 0,
            first_at: None,
            last_at: None,
            answered_at: None,
            count: SoundCount::default(),
        }
    }

    /// The sound so far, from the first packet on.
    pub(super) fn heard(&self) -> &[i16] {
        &self.heard
    }

    /// When the first packet came: where `heard` begins.
    pub(super) fn began(&self) -> Option<Instant> {
        self.first_at
    }

    /// The call was answered: the first delay counts from now.
    pub(super) fn answered(&mut self, now: Instant) {
        self.answered_at = Some(now);
    }

    /// The state of the present source.
    pub(super) fn reception(&self) -> Option<Reception> {
        let stream = self.stream.as_ref()?;
        Some(Reception { ssrc: stream.ssrc, lost: stream.order.lost(), highest: stream.order.highest() })
    }

    /// Takes the sequence number of a packet; `false` for a duplicate.
    pub(super) fn note(&mut self, numbers: Numbers, now: Instant) -> bool {
        self.note_arrival(now);
        let known = self.stream.as_ref().is_some_and(|stream| stream.continues(numbers));
        if !known {
            self.begin_stream(numbers, now);
        }
        let Some(stream) = &mut self.stream else {
            return false;
        };
        let place = if known { stream.order.place(numbers.sequence) } else { Place::Next };
        match place {
            Place::Next => {}
            Place::Behind => self.count.out_of_order += 1,
            Place::Again => self.count.duplicates += 1,
        }
        self.count.lost = self.lost_before + stream.order.lost();
        place != Place::Again
    }

    fn note_arrival(&mut self, now: Instant) {
        self.count.received += 1;
        self.first_at.get_or_insert(now);
        if let Some(last) = self.last_at.replace(now) {
            self.count.max_gap_ms = self.count.max_gap_ms.max(now.since(last).as_millis() as u64);
        }
        if let (Some(answered), None) = (self.answered_at, self.count.first_delay) {
            self.count.first_delay = Some(now.since(answered));
        }
    }

    /// A new source, or an old one that begins anew: it is put where the clock says it belongs.
    fn begin_stream(&mut self, numbers: Numbers, now: Instant) {
        if let Some(old) = self.stream.take() {
            self.lost_before += old.order.lost();
            if old.ssrc != numbers.ssrc {
                self.count.ssrc_changes += 1;
            }
        }
        self.stream = Some(Stream {
            ssrc: numbers.ssrc,
            order: Order::begin(numbers.sequence),
            base: numbers.timestamp,
            base_at: self.samples_since_first(now),
            transit: None,
        });
    }

    fn samples_since_first(&self, now: Instant) -> i64 {
        let elapsed = self.first_at.map_or(Duration::ZERO, |first| now.since(first));
        (elapsed.as_micros() / 125) as i64
    }

    /// Decodes a packet into its place.
    pub(super) fn record(&mut self, numbers: Numbers, codec: Codec, payload: &[u8], now: Instant) {
        let expected = self.samples_since_first(now);
        let Some(stream) = &mut self.stream else {
            return;
        };
        let mut at = stream.base_at + i64::from(numbers.timestamp.wrapping_sub(stream.base) as i32);
        if (at - expected).abs() > DRIFT_MAX {
            stream.base = numbers.timestamp;
            stream.base_at = expected;
            stream.transit = None;
            at = expected;
        }
        let transit = expected - at;
        if let Some(before) = stream.transit.replace(transit) {
            self.count.jitter += ((transit - before).abs() as f64 - self.count.jitter) / 16.0;
        }
        let Ok(at) = usize::try_from(at) else { return };
        let end = (at + payload.len()).min(self.max);
        if at >= end {
            return;
        }
        if self.heard.len() < end {
            self.heard.resize(end, 0);
        }
        for (sample, byte) in self.heard[at..end].iter_mut().zip(payload) {
            *sample = codec.decode(*byte);
        }
    }
}

impl Stream {
    fn continues(&self, numbers: Numbers) -> bool {
        self.ssrc == numbers.ssrc && self.order.continues(numbers.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(1_000 + ms)
    }

    fn feed(recorder: &mut Recorder, ssrc: u32, index: u16, ms: u64) {
        let numbers = Numbers {
            ssrc,
            sequence: index.wrapping_add(65_534),
            timestamp: u32::from(index).wrapping_mul(160).wrapping_sub(320),
        };
        if recorder.note(numbers, at(ms)) {
            let value = Codec::Pcma.encode(1_000 * (index % 30) as i16);
            recorder.record(numbers, Codec::Pcma, &[value; 160], at(ms));
        }
    }

    #[test]
    fn packets_find_their_place_across_the_wrap_and_out_of_order() {
        let mut recorder = Recorder::new(8_000);
        recorder.answered(at(0));
        for (index, ms) in [(0, 30), (1, 50), (4, 110), (3, 115), (3, 116), (6, 150)] {
            feed(&mut recorder, 7, index, ms);
        }
        let count = recorder.count;
        assert_eq!((count.received, count.lost, count.out_of_order, count.duplicates), (6, 2, 1, 1));
        assert_eq!((count.max_gap_ms, count.first_delay), (60, Some(Duration::from_millis(30))));
        let heard: Vec<i16> = recorder.heard().chunks(160).map(|frame| frame[80]).collect();
        assert_eq!(heard.len(), 7);
        for (index, value) in heard.iter().enumerate() {
            let expected = if index == 2 || index == 5 {
                0
            } else {
                Codec::Pcma.decode(Codec::Pcma.encode(1_000 * (index % 30) as i16))
            };
            assert_eq!(*value, expected, "frame {index}");
        }
    }

    #[test]
    fn a_new_source_goes_where_the_clock_puts_it() {
        let mut recorder = Recorder::new(80_000);
        feed(&mut recorder, 7, 0, 0);
        feed(&mut recorder, 7, 1, 20);
        feed(&mut recorder, 8, 900, 500);
        assert_eq!((recorder.count.ssrc_changes, recorder.count.lost), (1, 0));
        assert_eq!(recorder.heard().len(), 4_160);
        assert_eq!(recorder.began(), Some(at(0)));
    }

    #[test]
    fn the_recording_ends_at_its_bound_and_the_counting_does_not() {
        let mut recorder = Recorder::new(200);
        for index in 0..50 {
            feed(&mut recorder, 7, index, u64::from(index) * 20);
        }
        assert_eq!((recorder.heard().len(), recorder.count.received), (200, 50));
    }
}
