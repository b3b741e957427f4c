//! From 8 to 16 kHz and back, frame by frame, by one half-band filter of 63 taps.
//!
//! Flat within 0.1 dB to 3.4 kHz, 60 dB down from 4.5 kHz on, linear in phase; a sound is 1.9 ms
//! late for it (2 ms the other way). Each second tap of a half-band filter is zero but the middle one: a sample costs 16
//! multiplications.

use super::codec::{WIDE_SAMPLES, WideFrame};
use super::order::FRAME_SAMPLES;
use super::wire::Frame;

/// Taps that are not zero, without the middle one; half of them, for the filter is symmetric.
const HALF: usize = 16;
/// Samples at 8 kHz before a frame that its first output needs.
const PAST: usize = 2 * HALF - 1;
/// Where the middle tap stands.
const MIDDLE: usize = HALF - 1;

/// The outer half of the taps, the outermost first: their sum is a quarter.
static TAPS: [f32; HALF] = taps();

/// A sinc under a Kaiser window (beta 5.65: 60 dB).
const fn taps() -> [f32; HALF] {
    const BETA: f64 = 5.65;
    let mut taps = [0.0; HALF];
    let mut sum = 0.0;
    let mut n = 0;
    while n < HALF {
        let distance = 2 * (HALF - n) - 1;
        let place = distance as f64 / (2 * HALF) as f64;
        // The sine of an odd number of right angles.
        let sign = if distance % 4 == 1 { 1.0 } else { -1.0 };
        taps[n] = sign / distance as f64 * bessel(BETA * BETA * (1.0 - place * place));
        sum += taps[n];
        n += 1;
    }
    let mut scaled = [0.0; HALF];
    n = 0;
    while n < HALF {
        scaled[n] = (taps[n] / sum / 4.0) as f32;
        n += 1;
    }
    scaled
}

/// The modified Bessel function of order 0 of the root of `square`.
const fn bessel(square: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    let mut n = 1;
    while n < 30 {
        term *= square / (4 * n * n) as f64;
        sum += term;
        n += 1;
    }
    sum
}

/// Samples of one phase, with those before the frame.
#[derive(Clone, Debug)]
struct Phase([f32; PAST + FRAME_SAMPLES]);

impl Phase {
    const SILENT: Phase = Phase([0.0; PAST + FRAME_SAMPLES]);

    fn frame(&mut self) -> &mut [f32] {
        self.0.copy_within(FRAME_SAMPLES.., 0);
        &mut self.0[PAST..]
    }

    /// The filter's outer taps over each sample and those before it. Tap by tap over the whole frame,
    /// which is what vector instructions like.
    fn filter(&self, gain: f32) -> [f32; FRAME_SAMPLES] {
        let mut sums = [0.0; FRAME_SAMPLES];
        for (n, tap) in TAPS.iter().enumerate() {
            let early = &self.0[n..n + FRAME_SAMPLES];
            let late = &self.0[PAST - n..PAST - n + FRAME_SAMPLES];
            for ((sum, early), late) in sums.iter_mut().zip(early).zip(late) {
                *sum += tap * gain * (early + late);
            }
        }
        sums
    }
}

/// The nearest sample; a filter may overshoot what sixteen bits hold.
fn rounded(sample: f32) -> i16 {
    (sample + 32_768.5) as i32 as i16 ^ i16::MIN
}

/// 16 kHz to 8 kHz.
#[derive(Clone, Debug)]
pub struct Halver {
    even: Phase,
    odd: Phase,
}

impl Default for Halver {
    fn default() -> Self {
        Halver { even: Phase::SILENT, odd: Phase::SILENT }
    }
}

impl Halver {
    /// The next frame.
    pub fn halve(&mut self, wide: &WideFrame, narrow: &mut Frame) {
        let (even, odd) = (self.even.frame(), self.odd.frame());
        let (pairs, _) = wide.as_chunks::<2>();
        for ((even, odd), pair) in even.iter_mut().zip(odd).zip(pairs) {
            (*even, *odd) = (f32::from(pair[0]), f32::from(pair[1]));
        }
        let sums = self.odd.filter(1.0);
        let middle = &self.even.0[PAST - MIDDLE..];
        for ((sample, sum), middle) in narrow.iter_mut().zip(sums).zip(middle) {
            *sample = rounded((sum + 0.5 * middle).clamp(-32_768.0, 32_767.0));
        }
    }
}

/// 8 kHz to 16 kHz.
#[derive(Clone, Debug)]
pub struct Doubler {
    past: Phase,
}

impl Default for Doubler {
    fn default() -> Self {
        Doubler { past: Phase::SILENT }
    }
}

impl Doubler {
    /// The next frame.
    pub fn double(&mut self, narrow: &Frame, wide: &mut WideFrame) {
        for (sample, narrow) in self.past.frame().iter_mut().zip(narrow) {
            *sample = f32::from(*narrow);
        }
        let sums = self.past.filter(2.0);
        let middle = &self.past.0[PAST - MIDDLE - 1..];
        let (pairs, _) = wide.as_chunks_mut::<2>();
        for ((pair, sum), middle) in pairs.iter_mut().zip(sums).zip(middle) {
            *pair = [rounded(*middle), rounded(sum.clamp(-32_768.0, 32_767.0))];
        }
    }
}

/// A whole sound at 16 kHz, as a stream that begins with it would be heard, without the filter's delay.
pub fn double_all(narrow: &[i16]) -> Vec<i16> {
    /// At 16 kHz.
    const LATE: usize = 2 * (MIDDLE + 1);
    let mut doubler = Doubler::default();
    let mut wide = Vec::with_capacity(narrow.len() * 2 + WIDE_SAMPLES);
    let mut begin = 0;
    while wide.len() < narrow.len() * 2 + LATE {
        let mut frame = [0; FRAME_SAMPLES];
        let rest = narrow.get(begin..).unwrap_or(&[]);
        let count = rest.len().min(FRAME_SAMPLES);
        frame[..count].copy_from_slice(&rest[..count]);
        let mut doubled = [0; WIDE_SAMPLES];
        doubler.double(&frame, &mut doubled);
        wide.extend(doubled);
        begin += FRAME_SAMPLES;
    }
    wide.drain(..LATE);
    wide.truncate(narrow.len() * 2);
    wide
}

/// A whole sound at 8 kHz, without the filter's delay; what does not fill a sample is left out.
pub fn halve_all(wide: &[i16]) -> Vec<i16> {
    let mut halver = Halver::default();
    let mut narrow = Vec::with_capacity(wide.len() / 2 + FRAME_SAMPLES);
    let mut begin = 0;
    while narrow.len() < wide.len() / 2 + MIDDLE {
        let mut frame = [0; WIDE_SAMPLES];
        let rest = wide.get(begin..).unwrap_or(&[]);
        let count = rest.len().min(WIDE_SAMPLES);
        frame[..count].copy_from_slice(&rest[..count]);
        let mut halved = [0; FRAME_SAMPLES];
        halver.halve(&frame, &mut halved);
        narrow.extend(halved);
        begin += WIDE_SAMPLES;
    }
    narrow.drain(..MIDDLE);
    narrow.truncate(wide.len() / 2);
    narrow
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(samples: usize, rate: f64, hertz: f64) -> Vec<i16> {
        (0..samples)
            .map(|n| (16_000.0 * (n as f64 / rate * hertz * std::f64::consts::TAU).sin()).round() as i16)
            .collect()
    }

    /// Loudness against that of a full tone of 16,000, decibels.
    fn level(samples: &[i16]) -> f64 {
        let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        10.0 * (energy / samples.len() as f64 / (16_000.0_f64.powi(2) / 2.0)).max(1e-12).log10()
    }

    fn halved(wide: &[i16]) -> Vec<i16> {
        let mut halver = Halver::default();
        let (frames, _) = wide.as_chunks::<WIDE_SAMPLES>();
        let mut narrow = vec![];
        for frame in frames {
            let mut out = [0; FRAME_SAMPLES];
            halver.halve(frame, &mut out);
            narrow.extend(out);
        }
        narrow
    }

    #[test]
    fn what_a_telephone_carries_passes_and_what_would_fold_does_not() {
        for hertz in [100.0, 300.0, 1_000.0, 2_000.0, 3_000.0, 3_400.0] {
            let narrow = halved(&tone(16_000, 16_000.0, hertz));
            let loss = level(&narrow[320..]);
            assert!(loss.abs() < 0.1, "{hertz} Hz: {loss} dB");
        }
        for hertz in [4_500.0, 5_000.0, 6_000.0, 7_500.0] {
            let narrow = halved(&tone(16_000, 16_000.0, hertz));
            let left = level(&narrow[320..]);
            assert!(left < -58.0, "{hertz} Hz: {left} dB");
        }
    }

    #[test]
    fn doubled_sound_is_the_same_sound_without_an_image() {
        for hertz in [100.0, 300.0, 1_000.0, 3_000.0, 3_400.0] {
            let wide = double_all(&tone(8_000, 8_000.0, hertz));
            let wanted = tone(16_000, 16_000.0, hertz);
            let wrong: Vec<i16> = wide.iter().zip(&wanted).map(|(a, b)| a.saturating_sub(*b)).collect();
            let wrong = level(&wrong[400..15_600]);
            assert!(wrong < -38.0, "{hertz} Hz: {wrong} dB beside what it should be");
        }
    }

    #[test]
    fn a_whole_sound_is_as_long_and_in_its_place_when_it_is_halved() {
        for samples in [0, 1, 319, 320, 321, 16_000] {
            assert_eq!(halve_all(&vec![1_000; samples]).len(), samples / 2);
        }
        let narrow = halve_all(&tone(16_000, 16_000.0, 1_000.0));
        let wanted = tone(8_000, 8_000.0, 1_000.0);
        let wrong: Vec<i16> = narrow.iter().zip(&wanted).map(|(a, b)| a.saturating_sub(*b)).collect();
        let wrong = level(&wrong[200..7_800]);
        assert!(wrong < -38.0, "{wrong} dB beside what it should be");
    }

    #[test]
    fn a_click_is_two_milliseconds_late_at_most_and_loud_sound_does_not_wrap() {
        let mut wide = [0; WIDE_SAMPLES];
        wide[0] = 20_000;
        let mut narrow = [0; FRAME_SAMPLES];
        Halver::default().halve(&wide, &mut narrow);
        let at = (0..FRAME_SAMPLES).max_by_key(|n| narrow[*n]);
        assert_eq!(at, Some(15));
        let mut narrow = [0; FRAME_SAMPLES];
        narrow[0] = 20_000;
        Doubler::default().double(&narrow, &mut wide);
        let at = (0..WIDE_SAMPLES).max_by_key(|n| wide[*n]);
        assert_eq!(at, Some(32));
        let square: Vec<i16> =
            (0..3_200).map(|n| if n / 16 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        for pair in halved(&square)[200..].windows(2) {
            let step = i32::from(pair[1]) - i32::from(pair[0]);
            assert!(step.abs() < 50_000, "{pair:?}");
        }
    }
}
