//! Sound checks for tests and reports: is this prompt in that recording, is there a tone, how loud.
//!
//! Files are the caller's business; here are samples, 16 bit, 8 kHz unless said otherwise.

use std::f32::consts::TAU;

/// Sample rate, hertz.
const RATE: f64 = 8000.0;
/// A stretch of recording quieter than this (rms, in sample units) matches nothing.
const QUIET_RMS: f64 = 20.0;
/// Of matches within this share of the best, the earliest is taken.
const NEARLY: f32 = 0.95;
/// Of a sound with holes so much is looked for at once, samples: a quarter of a second.
const PIECE: usize = 2_000;
/// How far from its place a piece may be, samples: half a second.
const SLACK: usize = 4_000;
/// So many of its pieces are looked for in the whole recording.
const TELLING: usize = 3;
/// Smallest transform.
const SIZE_MIN: usize = 1 << 12;

/// Where a sound was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Index in the recording at which the sound begins.
    pub at_sample: usize,
    /// Normalised correlation, -1 to 1: above 0.9 for a clean copy after A-law, near 0 for another sound.
    pub score: f32,
}

/// Looks for `needle` in `hay` from sample `from` on, by normalised cross-correlation.
///
/// Volume does not matter, shape does. Of several nearly equal matches the earliest is returned;
/// whether its score is good enough is for the caller to say. `None` where `hay` is too short,
/// where `needle` is silent, or where all of `hay` is.
pub fn find(needle: &[i16], hay: &[i16], from: usize) -> Option<Match> {
    let hay = hay.get(from..)?;
    let size = needle.len();
    if size == 0 || hay.len() < size || rms(needle) < QUIET_RMS {
        return None;
    }
    let mut scores = correlate(needle, hay);
    normalise(&mut scores, needle, hay);
    let best = scores.iter().copied().fold(f32::MIN, f32::max);
    if best <= 0.0 {
        return None;
    }
    let first = scores.iter().position(|score| *score >= best * NEARLY)?;
    // The first to come near may stand on the flank of its peak: climb it.
    let flank = &scores[first..scores.len().min(first + 80)];
    let (climb, score) = flank
        .iter()
        .copied()
        .enumerate()
        .fold((0, f32::MIN), |top, next| if next.1 > top.1 { next } else { top });
    Some(Match { at_sample: from + first + climb, score })
}

/// Like [`find`], but for sound whose time has small holes: a prompt of more than a second is looked
/// for a quarter of a second at a time, each piece up to `SLACK` away from its place.
///
/// The score is the mean of the pieces' scores, so that a hole costs no more than the piece it falls
/// in. `None` as for [`find`].
pub fn find_in_pieces(needle: &[i16], hay: &[i16], from: usize) -> Option<Match> {
    if needle.len() < 4 * PIECE {
        return find(needle, hay, from);
    }
    let pieces: Vec<(usize, &[i16])> = needle
        .chunks_exact(PIECE)
        .enumerate()
        .map(|(number, piece)| (number * PIECE, piece))
        .filter(|(_, piece)| rms(piece) >= QUIET_RMS)
        .collect();
    // A few pieces say where the whole may be; then all of them say how much of it is there.
    let telling = (0..TELLING).filter_map(|n| pieces.get(n * pieces.len() / TELLING));
    let places = telling.filter_map(|(place, piece)| Some((*place, find(piece, hay, from)?.at_sample)));
    let matches = places.map(|(place, at)| {
        let begin = at.saturating_sub(place).max(from);
        let near = pieces.iter().map(|(place, piece)| near(piece, hay, begin + place));
        let score = near.clone().map(|found| found.map_or(0.0, |found| found.score)).sum::<f32>();
        let first = near.zip(&pieces).find_map(|(found, (place, _))| {
            let found = found.filter(|found| found.score > 0.5)?;
            Some(found.at_sample.saturating_sub(*place).max(from))
        });
        Match { at_sample: first.unwrap_or(begin), score: score / pieces.len() as f32 }
    });
    matches.max_by(|a, b| a.score.total_cmp(&b.score))
}

/// A piece of sound in the neighbourhood of the place where it should be.
fn near(piece: &[i16], hay: &[i16], place: usize) -> Option<Match> {
    let end = hay.len().min(place + piece.len() + SLACK);
    find(piece, &hay[..end], place.saturating_sub(SLACK))
}

/// Divides each correlation by the energies of the two stretches.
fn normalise(scores: &mut [f32], needle: &[i16], hay: &[i16]) {
    let square = |sample: i16| (f64::from(sample) / 32768.0).powi(2);
    let energy: f64 = needle.iter().map(|sample| square(*sample)).sum();
    let floor = (QUIET_RMS / 32768.0).powi(2) * needle.len() as f64;
    let mut window: f64 = hay[..needle.len()].iter().map(|sample| square(*sample)).sum();
    for (at, score) in scores.iter_mut().enumerate() {
        if at > 0 {
            window += square(hay[at + needle.len() - 1]) - square(hay[at - 1]);
        }
        *score = if window < floor { 0.0 } else { (f64::from(*score) / (energy * window).sqrt()) as f32 };
    }
}

/// The plain correlation of `needle` with `hay` at each place where it fits.
///
/// Done in blocks by Fourier transform; since the needle is real, two blocks go through one
/// transform as its real and imaginary halves.
fn correlate(needle: &[i16], hay: &[i16]) -> Vec<f32> {
    let size = (needle.len() * 3).next_power_of_two().max(SIZE_MIN);
    let places = hay.len() - needle.len() + 1;
    let hop = size - needle.len() + 1;
    let transform = Transform::new(size);
    // Convolution with the reversed needle is correlation, shifted by its length.
    let mut kernel = vec![(0.0, 0.0); size];
    for (index, sample) in needle.iter().rev().enumerate() {
        kernel[index].0 = scaled(*sample);
    }
    transform.forward(&mut kernel);
    let mut scores = vec![0.0; places];
    let mut block = vec![(0.0, 0.0); size];
    for start in (0..places).step_by(2 * hop) {
        for (index, value) in block.iter_mut().enumerate() {
            let at = |place: usize| hay.get(place).map_or(0.0, |sample| scaled(*sample));
            *value = (at(start + index), at(start + hop + index));
        }
        transform.forward(&mut block);
        for (value, factor) in block.iter_mut().zip(&kernel) {
            *value = times(*value, *factor);
        }
        transform.inverse(&mut block);
        for (index, value) in block[needle.len() - 1..].iter().enumerate() {
            if let Some(score) = scores.get_mut(start + index) {
                *score = value.0;
            }
            if let Some(score) = scores.get_mut(start + hop + index) {
                *score = value.1;
            }
        }
    }
    scores
}

fn scaled(sample: i16) -> f32 {
    f32::from(sample) / 32768.0
}

type Complex = (f32, f32);

#[inline]
fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// A radix-2 transform whose spectrum stays in bit-reversed order, since a product does not mind.
struct Transform {
    /// `exp(-2πik/size)` for the first half.
    turns: Vec<Complex>,
}

impl Transform {
    fn new(size: usize) -> Self {
        let turns = (0..size / 2)
            .map(|k| (f64::from(TAU) * k as f64 / size as f64).sin_cos())
            .map(|(sin, cos)| (cos as f32, -sin as f32))
            .collect();
        Transform { turns }
    }

    /// Decimation in frequency.
    fn forward(&self, values: &mut [Complex]) {
        let mut half = values.len() / 2;
        while half > 0 {
            let stride = self.turns.len() / half;
            for pair in values.chunks_exact_mut(2 * half) {
                let (low, high) = pair.split_at_mut(half);
                for ((a, b), turn) in low.iter_mut().zip(high).zip(self.turns.iter().step_by(stride)) {
                    let (sum, difference) = ((a.0 + b.0, a.1 + b.1), (a.0 - b.0, a.1 - b.1));
                    *a = sum;
                    *b = times(difference, *turn);
                }
            }
            half /= 2;
        }
    }

    /// Decimation in time, from bit-reversed order; divided by the size.
    fn inverse(&self, values: &mut [Complex]) {
        let mut half = 1;
        while half < values.len() {
            let stride = self.turns.len() / half;
            for pair in values.chunks_exact_mut(2 * half) {
                let (low, high) = pair.split_at_mut(half);
                for ((a, b), turn) in low.iter_mut().zip(high).zip(self.turns.iter().step_by(stride)) {
                    let turned = times(*b, (turn.0, -turn.1));
                    let (sum, difference) =
                        ((a.0 + turned.0, a.1 + turned.1), (a.0 - turned.0, a.1 - turned.1));
                    *a = sum;
                    *b = difference;
                }
            }
            half *= 2;
        }
        let share = 1.0 / values.len() as f32;
        for value in values {
            *value = (value.0 * share, value.1 * share);
        }
    }
}

/// Root mean square, in sample units: 0 to 32768. 0 for no samples.
pub fn rms(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// The level of one frequency by Goertzel's algorithm, in dB below a full-scale sine: 0 or less.
///
/// The band is about 8000/`samples.len()` hertz wide. -200 for no samples or silence.
pub fn tone_level(samples: &[i16], hz: f64) -> f64 {
    let factor = 2.0 * (std::f64::consts::TAU * hz / RATE).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        let next = f64::from(*sample) / 32768.0 + factor * last - before;
        before = last;
        last = next;
    }
    let power = last * last + before * before - factor * last * before;
    let amplitude = 2.0 * power.max(0.0).sqrt() / samples.len().max(1) as f64;
    (20.0 * amplitude.log10()).max(-200.0)
}

#[cfg(test)]
mod tests {
    use super::super::g711::Codec;
    use super::*;
    use crate::id::Dice;

    /// Something like speech: a few wandering tones with syllables.
    fn speech(seed: u64, samples: usize) -> Vec<i16> {
        let mut dice = Dice::seeded(seed);
        let mut out = Vec::with_capacity(samples);
        let (mut hz, mut loud, mut phase) = (150.0f64, 0.0f64, 0.0f64);
        for index in 0..samples {
            if index % 800 == 0 {
                hz = 100.0 + dice.below(900) as f64;
                loud = dice.below(9_000) as f64;
            }
            phase += std::f64::consts::TAU * hz / RATE;
            out.push((loud * (phase.sin() + 0.5 * (2.7 * phase).sin())) as i16);
        }
        out
    }

    fn noise(seed: u64, samples: usize, amplitude: u64) -> Vec<i16> {
        let mut dice = Dice::seeded(seed);
        (0..samples).map(|_| (dice.below(2 * amplitude + 1) as i32 - amplitude as i32) as i16).collect()
    }

    #[test]
    fn a_prompt_is_found_through_a_law_at_half_volume_with_noise() {
        let prompt = speech(1, 12_000);
        let mut hay = noise(2, 60_000, 300);
        for (index, sample) in prompt.iter().enumerate() {
            hay[20_011 + index] += sample / 2;
        }
        let hay = Codec::Pcma.round_trip(&hay);
        let found = find(&prompt, &hay, 0).unwrap();
        assert_eq!(found.at_sample, 20_011);
        assert!(found.score > 0.9, "{}", found.score);
    }

    #[test]
    fn another_prompt_is_not_taken_for_it() {
        let found = find(&speech(1, 12_000), &speech(3, 60_000), 0).unwrap();
        assert!(found.score < 0.4, "{}", found.score);
    }

    #[test]
    fn of_two_equal_places_the_earlier_and_then_the_later_is_found() {
        let prompt = speech(5, 4_000);
        let mut hay = vec![8i16; 30_000];
        for start in [3_000, 17_000] {
            hay[start..start + 4_000].copy_from_slice(&Codec::Pcmu.round_trip(&prompt));
        }
        let first = find(&prompt, &hay, 0).unwrap();
        assert_eq!(first.at_sample, 3_000);
        assert_eq!(find(&prompt, &hay, first.at_sample + 1).unwrap().at_sample, 17_000);
        assert_eq!(find(&prompt, &hay, 27_000), None);
    }

    #[test]
    fn a_prompt_with_holes_in_its_time_is_found_by_its_pieces() {
        let prompt = speech(9, 60_000);
        let mut hay = vec![8i16; 11_000];
        for (number, second) in prompt.chunks(8_000).enumerate() {
            hay.extend(second);
            hay.extend(std::iter::repeat_n(8, if number % 2 == 1 { 200 } else { 0 }));
        }
        hay.extend([8; 9_000]);
        assert!(find(&prompt, &hay, 0).unwrap().score < 0.5);
        let found = find_in_pieces(&prompt, &hay, 0).unwrap();
        assert_eq!(found.at_sample, 11_000);
        assert!(found.score > 0.95, "{}", found.score);
        hay[11_000 + 8_000..11_000 + 2 * 8_000].fill(8);
        let spoilt = find_in_pieces(&prompt, &hay, 0).unwrap().score;
        assert!((0.8..0.95).contains(&spoilt), "one second of seven: {spoilt}");
        let other = find_in_pieces(&speech(10, 60_000), &hay, 0);
        assert!(other.is_none_or(|found| found.score < 0.5), "{other:?}");
    }

    #[test]
    fn a_hole_anywhere_in_a_short_prompt_does_not_hide_it() {
        let prompt = speech(11, 8_320);
        for hole in (0..8_320).step_by(640) {
            let mut hay = speech(12, 20_000);
            hay.extend(&prompt[..hole]);
            hay.extend([8; 1_003]);
            hay.extend(&prompt[hole..]);
            hay.extend(speech(13, 20_000));
            let found = find_in_pieces(&prompt, &hay, 0).unwrap();
            assert!(found.score > 0.85, "a hole at {hole}: {found:?}");
            assert!((19_900..=21_100).contains(&found.at_sample), "{found:?}");
        }
    }

    #[test]
    fn silence_is_nowhere_and_holds_nothing() {
        assert_eq!(find(&[8; 100], &speech(1, 1_000), 0), None);
        assert_eq!(find(&speech(1, 100), &[8; 1_000], 0), None);
        assert_eq!(find(&speech(1, 100), &[], 0), None);
        assert_eq!(find(&[], &speech(1, 100), 0), None);
        assert_eq!(find(&speech(1, 100), &speech(1, 100), 500), None);
    }

    #[test]
    fn correlation_by_transform_is_correlation() {
        let (needle, hay) = (noise(7, 50, 20_000), noise(8, 9_000, 20_000));
        let fast = correlate(&needle, &hay);
        assert_eq!(fast.len(), 8_951);
        for at in [0, 1, 4_000, 4_046, 4_047, 4_048, 8_093, 8_094, 8_950] {
            let slow: f64 = needle
                .iter()
                .zip(&hay[at..])
                .map(|(a, b)| f64::from(scaled(*a)) * f64::from(scaled(*b)))
                .sum();
            assert!((f64::from(fast[at]) - slow).abs() < 1e-3, "{at}: {} {slow}", fast[at]);
        }
    }

    #[test]
    fn levels_are_told_in_decibels() {
        let sine: Vec<i16> = (0..8_000)
            .map(|n| (16_384.0 * (std::f64::consts::TAU * 440.0 * f64::from(n) / RATE).sin()) as i16)
            .collect();
        assert!((tone_level(&sine, 440.0) + 6.02).abs() < 0.05);
        assert!(tone_level(&sine, 1_000.0) < -60.0);
        assert!((rms(&sine) - 16_384.0 / 2f64.sqrt()).abs() < 2.0);
        assert_eq!((rms(&[]), tone_level(&[], 440.0)), (0.0, -200.0));
    }
}
