//! Jitter buffer: one leg's packets in, one 20 ms frame per tick out, in order.
//!
//! A ring of codes laid out by RTP timestamp, one for each unit of an 8 kHz clock (a byte of G.711 or
//! G.722, a sample of L16), so that packets of any length come out as frames. It holds at most `RING`
//! of them; what is too late or too early for it is dropped and counted. How long to hold them back is
//! measured in [`super::delay`], who hears which packet is decided before ([`super::reception`]); holes
//! are filled after ([`super::conceal`]). Opus has packets of its own kind: [`super::slots`].

use super::delay::{Delay, TARGET_MAX, later};
use super::g711::{self, Law};
use super::order::FRAME_SAMPLES;
use crate::time::Instant;

/// Samples that the ring holds: 512 ms.
const RING: usize = 4_096;
const FRAME: u32 = FRAME_SAMPLES as u32;
/// After so many packets in a row that were too late or too early, their clock is believed.
const STRIKES_MAX: u8 = 4;
/// Nothing newer for so long: the next packet begins anew. 1 s.
const IDLE: u32 = 8_000;
/// A frame with no code louder than this may be left out or doubled unheard: about -36 dBov.
const FAINT: u8 = 32;
/// The same, of linear samples.
pub const FAINT_LINEAR: u16 = 528;

/// Which of a frame's samples are there: bit n of word n / 64.
pub type Presence = [u64; 3];

/// What a tick got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// All 160 codes.
    Whole,
    /// Some; the others are to be made up.
    Part(Presence),
    /// None, and there should be: to be made up.
    Hole,
    /// Nothing is to be heard: the source pauses, or has not begun.
    Quiet,
}

/// See the file's own words. Timestamps are RTP's, in samples, wrapping.
pub struct Jitter<U = u8> {
    codes: [U; RING],
    present: [u64; RING / 64],
    /// The next sample to be played; the ring covers `RING` samples from here.
    play: u32,
    /// One past the newest sample that came.
    newest: u32,
    /// From here on nothing is missed until something comes: a pause was announced.
    rest_at: Option<u32>,
    /// The longest packet of this source so far, in samples.
    longest: u32,
    running: bool,
    /// The next source is heard without delay.
    at_once: bool,
    strikes: u8,
    delay: Delay,
    late: u64,
    early: u64,
}

impl<U: Copy + Default> Default for Jitter<U> {
    fn default() -> Self {
        Jitter {
            codes: [U::default(); RING],
            present: [0; RING / 64],
            play: 0,
            newest: 0,
            rest_at: None,
            longest: 0,
            running: false,
            at_once: false,
            strikes: 0,
            delay: Delay::new(8_000),
            late: 0,
            early: 0,
        }
    }
}

impl Jitter<u8> {
    /// What is held was said in one law and will be taken in the other: the codec was renegotiated.
    pub fn recode(&mut self, from: Law, to: Law) {
        g711::recode(from, to, &mut self.codes);
    }

    /// Takes the frame due `now` into `codes`; absent ones become silence.
    pub fn take(&mut self, law: Law, codes: &mut [u8; FRAME_SAMPLES], now: Instant) -> Taken {
        self.take_units(g711::silence(law), |code| g711::loudness(law, code) <= FAINT, codes, now)
    }
}

impl<U: Copy + Default> Jitter<U> {
    /// Forgets all sound and the source's clock: a new source begins. Counts go on.
    pub fn reset(&mut self) {
        self.running = false;
        self.at_once = false;
        self.present = [0; RING / 64];
    }

    /// A stream that was heard already goes on here: its first packet is not held back, or there would be
    /// a gap. The delay is made up for when that is not heard.
    pub fn begin_at_once(&mut self) {
        self.at_once = !self.running;
    }

    /// Takes a packet's codes that arrived `now`; not a duplicate.
    pub fn put(&mut self, timestamp: u32, codes: &[U], now: Instant) {
        let codes = &codes[..codes.len().min(RING / 2)];
        let end = timestamp.wrapping_add(codes.len() as u32);
        let arrival = self.delay.units(now);
        let transit = arrival.wrapping_sub(timestamp);
        let at_once = std::mem::take(&mut self.at_once);
        if !self.running || self.delay.jumped(transit) {
            self.restart(timestamp, transit, arrival);
            if at_once {
                (self.play, self.newest) = (timestamp, timestamp);
            }
        }
        self.delay.measure(transit, arrival);
        if later(end, self.play) <= 0 || later(end, self.play) > RING as i32 {
            self.strikes += 1;
            if self.strikes < STRIKES_MAX {
                match later(end, self.play) > 0 {
                    true => self.early += 1,
                    false => self.late += 1,
                }
                return;
            }
            self.restart(timestamp, transit, arrival);
        }
        self.strikes = 0;
        if !at_once && later(self.newest, self.play) <= 0 && self.rests_at(self.play) {
            self.begin_talkspurt(timestamp, arrival);
        }
        // A source that goes over to longer packets sends each of them later: that is made room for at
        // once, so that nothing is left out.
        if codes.len() as u32 > self.longest {
            self.longest = codes.len() as u32;
            if later(self.play, timestamp) > 0 {
                self.play = timestamp;
            }
        }
        let skipped = later(self.play, timestamp).max(0) as usize;
        self.lay(timestamp.wrapping_add(skipped as u32), &codes[skipped..]);
        if later(end, self.newest) > 0 {
            self.newest = end;
        }
    }

    /// The source says that it pauses from `timestamp` on (comfort noise, a telephone-event).
    pub fn rest(&mut self, timestamp: u32) {
        self.rest_at = Some(timestamp);
    }

    /// Takes the frame due `now` into `codes`; absent ones become `silence`. A frame all of whose codes
    /// are `faint` may be left out or come later.
    pub fn take_units(
        &mut self,
        silence: U,
        faint: impl Fn(U) -> bool,
        codes: &mut [U; FRAME_SAMPLES],
        now: Instant,
    ) -> Taken {
        if !self.running {
            return Taken::Quiet;
        }
        if later(self.play, self.newest) > IDLE as i32 {
            self.reset();
            return Taken::Quiet;
        }
        let ahead = later(self.delay.want(self.delay.units(now)), self.play);
        if ahead > TARGET_MAX as i32 {
            self.drop_until(self.play.wrapping_add(ahead as u32)); // After a stall of ours.
        } else if ahead >= 480 || ahead >= 240 && self.is_faint(&faint) {
            self.drop_until(self.play.wrapping_add(FRAME));
        } else if ahead <= -320 || ahead <= -120 && self.is_faint(&faint) {
            return self.hole();
        }
        self.lift(silence, codes)
    }

    /// The delay aimed at, in samples.
    pub fn target(&self) -> u32 {
        self.delay.target()
    }

    /// Packets that came too late, and too early, to be heard.
    pub fn misses(&self) -> (u64, u64) {
        (self.late, self.early)
    }

    fn restart(&mut self, timestamp: u32, transit: u32, arrival: u32) {
        self.present = [0; RING / 64];
        self.running = true;
        self.longest = 0;
        self.strikes = 0;
        self.delay.restart(transit, arrival);
        self.play = timestamp.wrapping_sub(self.target());
        self.newest = self.play;
        self.rest_at = Some(self.play);
    }

    /// The buffer is empty and the source paused: the delay can be set right unheard.
    fn begin_talkspurt(&mut self, timestamp: u32, arrival: u32) {
        self.play = self.delay.want(arrival);
        // A packet that is later than all before it is still to be heard.
        if later(timestamp, self.play) < 0 {
            self.play = timestamp;
        }
        self.newest = self.play;
        self.rest_at = Some(self.play);
    }

    fn rests_at(&self, timestamp: u32) -> bool {
        self.rest_at.is_some_and(|rest| later(timestamp.wrapping_add(FRAME), rest) > 0)
    }

    fn hole(&self) -> Taken {
        match self.rests_at(self.play) {
            true => Taken::Quiet,
            false => Taken::Hole,
        }
    }

    /// Whether nothing would be missed if the next frame were left out or came later.
    fn is_faint(&self, faint: &impl Fn(U) -> bool) -> bool {
        (0..FRAME).all(|n| {
            let at = self.play.wrapping_add(n) as usize % RING;
            self.present[at / 64] >> (at % 64) & 1 == 0 || faint(self.codes[at])
        })
    }

    fn drop_until(&mut self, timestamp: u32) {
        let mut left = timestamp.wrapping_sub(self.play).min(RING as u32);
        while left > 0 {
            let step = left.min(FRAME);
            let mut at = self.play;
            runs(&mut at, step, |word, mask, _| self.present[word] &= !mask);
            self.play = at;
            left -= step;
        }
        self.play = timestamp;
    }

    fn lay(&mut self, timestamp: u32, codes: &[U]) {
        let start = timestamp as usize % RING;
        let first = codes.len().min(RING - start);
        self.codes[start..start + first].copy_from_slice(&codes[..first]);
        self.codes[..codes.len() - first].copy_from_slice(&codes[first..]);
        let mut at = timestamp;
        runs(&mut at, codes.len() as u32, |word, mask, _| {
            self.present[word] |= mask;
        });
    }

    fn lift(&mut self, silence: U, codes: &mut [U; FRAME_SAMPLES]) -> Taken {
        let start = self.play as usize % RING;
        let first = FRAME_SAMPLES.min(RING - start);
        codes[..first].copy_from_slice(&self.codes[start..start + first]);
        codes[first..].copy_from_slice(&self.codes[..FRAME_SAMPLES - first]);
        let mut presence: Presence = [0; 3];
        let mut at = self.play;
        runs(&mut at, FRAME, |word, mask, offset| {
            let bits = (self.present[word] & mask) >> mask.trailing_zeros();
            let (place, shift) = (offset as usize / 64, offset % 64);
            presence[place] |= bits << shift;
            if shift > 0 && place + 1 < presence.len() {
                presence[place + 1] |= bits >> (64 - shift);
            }
            self.present[word] &= !mask;
        });
        let count: u32 = presence.iter().map(|word| word.count_ones()).sum();
        let taken = match count {
            FRAME => Taken::Whole,
            0 => self.hole(),
            _ => Taken::Part(presence),
        };
        if count > 0 && self.rests_at(self.play) {
            self.rest_at = None;
        }
        if let Taken::Part(_) = taken {
            for (n, code) in codes.iter_mut().enumerate() {
                if presence[n / 64] >> (n % 64) & 1 == 0 {
                    *code = silence;
                }
            }
        }
        self.play = self.play.wrapping_add(FRAME);
        taken
    }
}

/// Visits the words of the presence map that cover `length` samples from `at`, with a mask and the
/// offset of its lowest bit; moves `at` to the end.
fn runs(at: &mut u32, length: u32, mut visit: impl FnMut(usize, u64, u32)) {
    let mut offset = 0;
    while offset < length {
        let place = *at as usize % RING;
        let bit = (place % 64) as u32;
        let count = (64 - bit).min(length - offset);
        visit(place / 64, (u64::MAX >> (64 - count)) << bit, offset);
        *at = at.wrapping_add(count);
        offset += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;
    use crate::media::delay::TARGET_MIN;

    const LAW: Law = Law::A;

    /// Loud codes that tell their timestamp.
    fn code(timestamp: u32) -> u8 {
        0xa0 | (timestamp / 80 % 16) as u8
    }

    fn codes(timestamp: u32, length: u32) -> Vec<u8> {
        (0..length).map(|n| code(timestamp.wrapping_add(n))).collect()
    }

    fn ms(at: u64) -> Instant {
        Instant::from_millis(1_000 + at)
    }

    struct Run {
        jitter: Jitter,
        frames: Vec<Taken>,
        heard: Vec<u8>,
    }

    /// Packets as (arrival ms, timestamp, samples), a tick each 20 ms from 0.
    fn run(packets: &[(u64, u32, u32)], ticks: u64) -> Run {
        let mut jitter = Jitter::default();
        let mut packets = packets.to_vec();
        packets.sort_by_key(|packet| packet.0);
        let mut next = packets.into_iter().peekable();
        let (mut frames, mut heard) = (vec![], vec![]);
        for tick in 0..ticks {
            while let Some((at, timestamp, length)) = next.next_if(|packet| packet.0 <= tick * 20) {
                jitter.put(timestamp, &codes(timestamp, length), ms(at));
            }
            let mut frame = [0; FRAME_SAMPLES];
            let taken = jitter.take(LAW, &mut frame, ms(tick * 20));
            if taken == Taken::Whole {
                heard.extend(frame);
            }
            frames.push(taken);
        }
        Run { jitter, frames, heard }
    }

    #[test]
    fn an_even_stream_of_any_packet_length_comes_out_whole_across_the_wrap() {
        for packet_ms in [10, 20, 30, 40, 60_u64] {
            let first = 0_u32.wrapping_sub(3_000);
            let length = packet_ms as u32 * 8;
            let packets: Vec<_> = (0..1_200 / packet_ms)
                .map(|n| (n * packet_ms, first.wrapping_add(n as u32 * length), length))
                .collect();
            let run = run(&packets, 58);
            let begin = run.frames.iter().position(|taken| *taken == Taken::Whole);
            assert!(begin.is_some_and(|n| n <= 4), "{packet_ms} ms: {begin:?}");
            let holes = run.frames.iter().filter(|taken| **taken == Taken::Hole);
            // 60 ms packets are first met with too little delay, then no more.
            assert!(holes.count() <= 3, "{packet_ms} ms");
            let wanted: Vec<u8> = codes(first, run.heard.len() as u32);
            assert_eq!(run.heard, wanted, "{packet_ms} ms");
        }
    }

    #[test]
    fn reordered_packets_are_put_right_and_late_ones_counted() {
        let mut packets: Vec<_> = (0..100).map(|n| (n * 20, n as u32 * 160, 160)).collect();
        packets[30].0 += 25; // Later than the least delay.
        // Two change places on the way, both in time.
        packets[50] = (1_014, 51 * 160, 160);
        packets[51] = (1_015, 50 * 160, 160);
        packets[60].0 += 500;
        let run = run(&packets, 100);
        assert_eq!(run.jitter.misses(), (2, 0));
        let missed = run.frames.iter().filter(|taken| **taken == Taken::Hole).count();
        assert!((1..=4).contains(&missed), "{missed}");
    }

    #[test]
    fn delay_grows_with_jitter_and_shrinks_when_it_is_over() {
        let seed = 11;
        println!("seed {seed}");
        let mut dice = Dice::seeded(seed);
        let rough: Vec<_> = (0..500).map(|n| (n * 20 + dice.below(80), n as u32 * 160, 160)).collect();
        let first = run(&rough, 500);
        let holes = |run: &Run, from: usize| {
            run.frames[from..].iter().filter(|taken| **taken != Taken::Whole).count()
        };
        assert!((500..=700).contains(&first.jitter.target()), "{}", first.jitter.target());
        assert!(holes(&first, 50) <= 5, "{}", holes(&first, 50));
        let calm: Vec<_> = (500..3_000).map(|n| (n * 20, n as u32 * 160, 160)).collect();
        let both = run(&[rough, calm].concat(), 3_000);
        assert_eq!(both.jitter.target(), TARGET_MIN);
        assert!(both.jitter.newest.wrapping_sub(both.jitter.play) <= 3 * 160);
    }

    #[test]
    fn a_clock_set_anew_is_followed_at_once() {
        let mut packets: Vec<_> = (0..50).map(|n| (n * 20, n as u32 * 160, 160)).collect();
        packets.extend((50..100).map(|n| (n * 20, 3_000_000_000 + n as u32 * 160, 160)));
        let run = run(&packets, 100);
        let whole = run.frames.iter().filter(|taken| **taken == Taken::Whole);
        assert!(whole.count() >= 96);
        assert!(!run.frames.contains(&Taken::Hole));
    }

    #[test]
    fn a_small_shift_of_the_clock_costs_a_few_packets() {
        for shift in [-3_000_i32, 3_000, 7_000] {
            let mut packets: Vec<_> = (0..50).map(|n| (n * 20, 100_000 + n as u32 * 160, 160)).collect();
            packets.extend(
                (50..100).map(|n| (n * 20, (100_000 + n as u32 * 160).wrapping_add_signed(shift), 160)),
            );
            let run = run(&packets, 100);
            let whole = run.frames.iter().filter(|taken| **taken == Taken::Whole);
            assert!(whole.count() >= 80, "{shift}");
        }
    }

    #[test]
    fn a_pause_that_was_announced_is_no_hole() {
        let mut jitter = Jitter::default();
        let mut frame = [0; FRAME_SAMPLES];
        let mut seen = vec![];
        for tick in 0..60_u64 {
            match tick {
                0..10 | 40.. => jitter.put(tick as u32 * 160, &codes(tick as u32 * 160, 160), ms(tick * 20)),
                10 => jitter.rest(1_600),
                _ => {}
            }
            seen.push(jitter.take(LAW, &mut frame, ms(tick * 20)));
        }
        assert!(!seen.contains(&Taken::Hole), "{seen:?}");
        assert_eq!(seen.iter().filter(|taken| **taken == Taken::Whole).count(), 10 + 19);
    }

    #[test]
    fn the_ring_is_bounded_whatever_comes() {
        let seed = 5;
        println!("seed {seed}");
        let mut dice = Dice::seeded(seed);
        let mut jitter = Jitter::default();
        let mut frame = [0; FRAME_SAMPLES];
        for step in 0..20_000_u64 {
            let length = dice.below(1_460) as usize;
            let timestamp = match dice.below(3) {
                0 => dice.next_u32(),
                _ => (step * 40) as u32,
            };
            jitter.put(timestamp, &vec![0xd5; length], ms(step * 5));
            jitter.take(LAW, &mut frame, ms(step * 5));
        }
        let (late, early) = jitter.misses();
        assert!(late + early > 0);
    }
}
