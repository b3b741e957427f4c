//! What came from one source: order, loss, jitter and gaps in figures (RFC 3550 A.1, A.3, A.8).
//!
//! Keeps no sound. A new SSRC begins anew; its predecessor's figures stay in the sum.

use super::order::LegFigures;
use super::rtp::Header;
use crate::time::Instant;

/// A jump further ahead than this is believed only when a second packet confirms it (RFC 3550 A.1).
const DROPOUT_MAX: u16 = 3_000;
/// How far back a packet may be and still be told from a repeat; older ones are strays.
const WINDOW: u16 = 64;

/// What a packet is in the order of its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// The next in order, or one that fills a gap.
    New,
    /// The first of a new source or after a restart: nothing before it counts for it.
    First,
    /// Came before.
    Duplicate,
    /// Far out of order: not to be heard.
    Stray,
}

/// One receiver's figures. Times in units of the codec's clock where not said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Reception {
    /// Units a second.
    clock: u32,
    source: Option<Source>,
    /// Sums of sources that are over.
    past: Past,
    last_at: Option<Instant>,
    gap_max_ms: u32,
    /// Of the jitter at each packet, microseconds.
    jitter_sum: u64,
    received: u64,
    duplicate: u64,
}

impl Default for Reception {
    fn default() -> Self {
        Reception {
            clock: 8_000,
            source: None,
            past: Past::default(),
            last_at: None,
            gap_max_ms: 0,
            jitter_sum: 0,
            received: 0,
            duplicate: 0,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Past {
    expected: u64,
    unique: u64,
    bursts: u64,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    base: u32,
    /// Highest sequence number, cycles above bit 16.
    highest: u32,
    /// Bit n: `highest - n` came.
    window: u64,
    unique: u64,
    bursts: u64,
    /// After a wild jump: the number that would confirm it.
    confirm: Option<u16>,
    transit: u32,
    /// 16 times the jitter, as in RFC 3550 A.8.
    jitter: u32,
    reported_expected: u64,
    reported_unique: u64,
}

impl Source {
    fn new(header: &Header, transit: u32) -> Self {
        let first = 0x1_0000 | u32::from(header.sequence);
        Source {
            ssrc: header.ssrc,
            base: first,
            highest: first,
            window: 1,
            unique: 1,
            bursts: 0,
            confirm: None,
            transit,
            jitter: 0,
            reported_expected: 0,
            reported_unique: 0,
        }
    }

    fn expected(&self) -> u64 {
        u64::from(self.highest.wrapping_sub(self.base)) + 1
    }

    fn place(&mut self, sequence: u16) -> Seen {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        if ahead != 0 && ahead < DROPOUT_MAX {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
            self.window = match ahead {
                64.. => 1,
                _ => self.window << ahead | 1,
            };
            self.bursts += u64::from(ahead > 1);
            self.unique += 1;
            self.confirm = None;
            return Seen::New;
        }
        let behind = (self.highest as u16).wrapping_sub(sequence);
        if behind < WINDOW {
            let bit = 1 << behind;
            if self.window & bit != 0 {
                return Seen::Duplicate;
            }
            // Before the first packet there is nothing that we wait for.
            if u32::from(behind) > self.highest.wrapping_sub(self.base) {
                return Seen::Stray;
            }
            self.window |= bit;
            self.unique += 1;
            return Seen::New;
        }
        if self.confirm == Some(sequence) {
            return Seen::First;
        }
        self.confirm = Some(sequence.wrapping_add(1));
        Seen::Stray
    }
}

/// One reception report block's figures (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// The source reported on.
    pub ssrc: u32,
    /// Of 256, since the last report.
    pub fraction_lost: u8,
    /// Since the beginning, 24 bits.
    pub lost: u32,
    /// Extended highest sequence number.
    pub highest: u32,
    /// In units of the codec's clock.
    pub jitter: u32,
}

impl Reception {
    /// From now on timestamps count `clock` units a second. Jitter measured by another clock is
    /// told in the new one's units.
    pub fn set_clock(&mut self, clock: u32) {
        if clock == self.clock {
            return;
        }
        if let Some(source) = &mut self.source {
            let jitter = u64::from(source.jitter) * u64::from(clock) / u64::from(self.clock);
            source.jitter = u32::try_from(jitter).unwrap_or(u32::MAX);
        }
        self.clock = clock;
    }

    /// Takes the header of a believed packet that arrived `now`. `audio` says whether its timestamp
    /// runs with the clock: telephone-events' do not and leave the jitter alone.
    pub fn take(&mut self, header: &Header, audio: bool, now: Instant) -> Seen {
        self.received += 1;
        if let Some(last) = self.last_at.replace(now) {
            let gap_ms = u32::try_from(now.since(last).as_millis()).unwrap_or(u32::MAX);
            self.gap_max_ms = self.gap_max_ms.max(gap_ms);
        }
        let transit = units(now, self.clock).wrapping_sub(header.timestamp);
        let seen = match &mut self.source {
            Some(source) if source.ssrc == header.ssrc => source.place(header.sequence),
            _ => Seen::First,
        };
        match seen {
            Seen::First => {
                self.retire();
                self.source = Some(Source::new(header, transit));
            }
            Seen::New if audio => self.measure(transit),
            Seen::Duplicate => self.duplicate += 1,
            Seen::New | Seen::Stray => {}
        }
        seen
    }

    fn measure(&mut self, transit: u32) {
        let Some(source) = &mut self.source else {
            return;
        };
        let moved = transit.wrapping_sub(source.transit) as i32;
        source.transit = transit;
        // A second and more is the source's clock jumping, not the network.
        if moved.unsigned_abs() < self.clock {
            source.jitter =
                source.jitter.wrapping_add(moved.unsigned_abs()).wrapping_sub((source.jitter + 8) >> 4);
        }
        self.jitter_sum += u64::from(source.jitter >> 4) * 1_000_000 / u64::from(self.clock);
    }

    fn retire(&mut self) {
        if let Some(source) = self.source.take() {
            self.past.expected += source.expected();
            self.past.unique += source.unique;
            self.past.bursts += source.bursts;
        }
    }

    /// When the last packet came.
    pub fn last_at(&self) -> Option<Instant> {
        self.last_at
    }

    /// The interarrival jitter now, in units of the clock.
    #[cfg(test)]
    pub fn jitter(&self) -> u32 {
        self.source.map_or(0, |source| source.jitter >> 4)
    }

    /// The report block due now; the next one's fraction counts from here.
    pub fn report(&mut self) -> Option<Block> {
        let source = self.source.as_mut()?;
        let expected = source.expected();
        let due = expected - source.reported_expected;
        let came = source.unique - source.reported_unique;
        source.reported_expected = expected;
        source.reported_unique = source.unique;
        let missing = due.saturating_sub(came);
        Some(Block {
            ssrc: source.ssrc,
            fraction_lost: (missing * 256).checked_div(due).map_or(0, |part| part.min(255) as u8),
            lost: expected.saturating_sub(source.unique).min(0x7f_ffff) as u32,
            highest: source.highest.wrapping_sub(0x1_0000),
            jitter: source.jitter >> 4,
        })
    }

    /// Adds what was counted here to `figures`; gives the bursts that the losses came in.
    pub fn figures(&self, figures: &mut LegFigures) -> u64 {
        let mut sum = self.past;
        if let Some(source) = &self.source {
            sum.expected += source.expected();
            sum.unique += source.unique;
            sum.bursts += source.bursts;
        }
        figures.received = self.received;
        figures.duplicate = self.duplicate;
        figures.lost = sum.expected.saturating_sub(sum.unique);
        figures.gap_max_ms = self.gap_max_ms;
        let mean = self.jitter_sum / sum.unique.max(1);
        figures.jitter_us = u32::try_from(mean).unwrap_or(u32::MAX);
        sum.bursts
    }
}

/// The moment by a clock of `clock` units a second, a multiple of 8,000; wraps.
pub fn units(now: Instant, clock: u32) -> u32 {
    (now.as_nanos() * u64::from(clock / 8_000) / 125_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 8, sequence, timestamp, ssrc: 1 }
    }

    fn take(reception: &mut Reception, sequence: u16, at_ms: u64) -> Seen {
        let timestamp = u32::from(sequence) * 160;
        reception.take(&header(sequence, timestamp), true, Instant::from_millis(at_ms))
    }

    #[test]
    fn order_is_judged_across_the_wrap() {
        let mut reception = Reception::default();
        let rows = [
            (65_533, Seen::First),
            (65_535, Seen::New),
            (65_534, Seen::New),
            (65_534, Seen::Duplicate),
            (1, Seen::New),
            (0, Seen::New),
            (65_535, Seen::Duplicate),
            (65_000, Seen::Stray),
            (2, Seen::New),
        ];
        for (sequence, seen) in rows {
            assert_eq!(take(&mut reception, sequence, 0), seen, "{sequence}");
        }
        let mut figures = LegFigures::default();
        reception.figures(&mut figures);
        assert_eq!((figures.lost, figures.duplicate, figures.received), (0, 2, 9));
        assert_eq!(reception.report().map(|block| block.highest), Some(0x1_0002));
    }

    #[test]
    fn a_wild_jump_needs_a_witness() {
        let mut reception = Reception::default();
        take(&mut reception, 100, 0);
        assert_eq!(take(&mut reception, 20_000, 0), Seen::Stray);
        assert_eq!(take(&mut reception, 101, 0), Seen::New);
        assert_eq!(take(&mut reception, 20_000, 0), Seen::Stray);
        assert_eq!(take(&mut reception, 20_001, 0), Seen::First);
    }

    #[test]
    fn loss_is_told_as_a_part_of_256_and_in_bursts() {
        let mut reception = Reception::default();
        for sequence in (0..100).filter(|n| !matches!(n, 10..=14 | 50)) {
            take(&mut reception, sequence, u64::from(sequence) * 20);
        }
        let block = reception.report().expect("a source");
        assert_eq!((block.lost, block.fraction_lost), (6, 15));
        take(&mut reception, 100, 2_000);
        let block = reception.report().expect("a source");
        assert_eq!((block.lost, block.fraction_lost), (6, 0));
        let mut figures = LegFigures::default();
        assert_eq!(reception.figures(&mut figures), 2);
        assert_eq!((figures.lost, figures.gap_max_ms), (6, 120));
    }

    #[test]
    fn jitter_follows_the_rfc() {
        let mut reception = Reception::default();
        // Every other packet 5 ms (40 samples) late: D is 40 each time, J tends to 40.
        for sequence in 0..500_u16 {
            let late = u64::from(sequence % 2) * 5;
            take(&mut reception, sequence, u64::from(sequence) * 20 + late);
        }
        assert!((38..=41).contains(&reception.jitter()), "{}", reception.jitter());
    }

    #[test]
    fn a_new_source_keeps_the_old_ones_losses() {
        let mut reception = Reception::default();
        take(&mut reception, 1, 0);
        take(&mut reception, 4, 60);
        let mut other = header(9_000, 0);
        other.ssrc = 2;
        assert_eq!(reception.take(&other, true, Instant::ZERO), Seen::First);
        let mut figures = LegFigures::default();
        reception.figures(&mut figures);
        assert_eq!(figures.lost, 2);
    }
}
