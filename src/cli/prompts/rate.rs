//! From any sampling rate to the telephone's: band-limited interpolation with a windowed sinc.

use std::f64::consts::PI;

use super::RATE;

/// Zero crossings of the sinc on either side: with the window below, what would fold back lies 90 dB under.
const CROSSINGS: usize = 48;
/// Points of the kernel between two crossings; between points it is a straight line.
const POINTS: usize = 512;
/// Half-way down the slope, hertz: it ends at half the telephone's rate.
const CUTOFF_HZ: f64 = 3_780.0;
/// Kaiser's β for 90 dB.
const BETA: f64 = 8.96;
/// What lies under it no telephone carries, and it would count as loudness.
const HIGH_PASS_HZ: f64 = 120.0;

/// Mono samples of `rate` hertz as mono samples of 8,000.
pub fn to_telephone(samples: &[f32], rate: u32) -> Vec<f64> {
    if rate == RATE {
        return samples.iter().map(|sample| f64::from(*sample)).collect();
    }
    let rate = f64::from(rate);
    let step = rate / f64::from(RATE);
    // Crossings of the kernel per sample that comes in: a lower rate is not widened.
    let density = 2.0 * CUTOFF_HZ.min(CUTOFF_HZ / f64::from(RATE) * rate) / rate;
    let kernel = kernel();
    let reach = CROSSINGS as f64 / density;
    let count = (samples.len() as f64 / step).round() as usize;
    (0..count)
        .map(|n| {
            let at = n as f64 * step;
            let first = (at - reach).ceil().max(0.0) as usize;
            let last = ((at + reach).floor() as usize).min(samples.len().saturating_sub(1));
            let (mut sum, mut weights) = (0.0, 0.0);
            for (index, sample) in samples.iter().enumerate().take(last + 1).skip(first) {
                let weight = weight(&kernel, (index as f64 - at).abs() * density);
                sum += weight * f64::from(*sample);
                weights += weight;
            }
            // Beyond either end there is silence, not the end's own level: only whole kernels are evened out.
            let whole = at >= reach && at + reach <= samples.len() as f64;
            if whole { sum / weights } else { sum * density }
        })
        .collect()
}

/// One side of the kernel, from its middle outwards.
fn kernel() -> Vec<f64> {
    let top = bessel(BETA);
    (0..=CROSSINGS * POINTS + 1)
        .map(|point| {
            let x = point as f64 / POINTS as f64;
            let sinc = if point == 0 { 1.0 } else { (PI * x).sin() / (PI * x) };
            let along = (x / CROSSINGS as f64).min(1.0);
            sinc * bessel(BETA * (1.0 - along * along).sqrt()) / top
        })
        .collect()
}

fn weight(kernel: &[f64], crossings: f64) -> f64 {
    let at = crossings * POINTS as f64;
    let index = (at as usize).min(kernel.len() - 2);
    kernel[index] + (kernel[index + 1] - kernel[index]) * (at - index as f64)
}

/// The modified Bessel function of the first kind and order nought, by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, 1.0);
    while term > sum * 1e-12 {
        term *= (x / 2.0 / n) * (x / 2.0 / n);
        sum += term;
        n += 1.0;
    }
    sum
}

/// Takes out what lies under [`HIGH_PASS_HZ`]: a Butterworth filter of second order, by the bilinear
/// transform. Direct current and the mains' hum go with it.
pub fn high_pass(samples: &mut [f64]) {
    let k = (PI * HIGH_PASS_HZ / f64::from(RATE)).tan();
    let norm = 1.0 / (1.0 + std::f64::consts::SQRT_2 * k + k * k);
    let (a1, a2) = (2.0 * (k * k - 1.0) * norm, (1.0 - std::f64::consts::SQRT_2 * k + k * k) * norm);
    let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
    for sample in samples {
        let x = *sample;
        let y = norm * (x - 2.0 * x1 + x2) - a1 * y1 - a2 * y2;
        (x2, x1, y2, y1) = (x1, x, y1, y);
        *sample = y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::prompts::level::{decibels, rms};

    fn sine(hertz: f64, rate: u32, seconds: f64) -> Vec<f32> {
        let turn = 2.0 * PI * hertz / f64::from(rate);
        (0..(seconds * f64::from(rate)) as usize).map(|n| (0.5 * (turn * n as f64).sin()) as f32).collect()
    }

    /// Level of what is left of a tone, decibels against what it was; its ends are left out.
    fn kept(hertz: f64, rate: u32) -> f64 {
        let out = to_telephone(&sine(hertz, rate, 1.0), rate);
        assert_eq!(out.len(), 8_000, "{rate}");
        decibels(rms(&out[1_000..7_000])) - decibels(0.5 / std::f64::consts::SQRT_2)
    }

    #[test]
    fn what_a_telephone_carries_is_kept_at_any_rate_and_what_would_fold_back_is_not() {
        for rate in [6_000, 8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000] {
            for hertz in [200.0, 1_000.0, 2_500.0] {
                let kept = kept(hertz, rate);
                assert!(kept.abs() < 0.05, "{hertz} Hz at {rate}: {kept:.3} dB");
            }
            if rate > 8_000 {
                assert!(kept(3_400.0, rate).abs() < 0.1, "{rate}");
            }
            if rate >= 16_000 {
                for hertz in [4_100.0, 5_000.0, 7_900.0] {
                    let kept = kept(hertz, rate);
                    assert!(kept < -80.0, "{hertz} Hz at {rate}: {kept:.1} dB");
                }
            }
        }
    }

    #[test]
    fn the_course_of_a_tone_is_the_same_sample_by_sample() {
        let out = to_telephone(&sine(440.0, 44_100, 1.0), 44_100);
        let wanted = sine(440.0, 8_000, 1.0);
        for (n, (found, wanted)) in out.iter().zip(wanted).enumerate().take(7_800).skip(200) {
            assert!((found - f64::from(wanted)).abs() < 1e-3, "{n}: {found} {wanted}");
        }
    }

    #[test]
    fn direct_current_and_hum_are_taken_out_and_speech_is_not() {
        let level = |hertz: f64| {
            let mut samples: Vec<f64> =
                sine(hertz, 8_000, 1.0).iter().map(|sample| f64::from(*sample) + 0.2).collect();
            high_pass(&mut samples);
            decibels(rms(&samples[2_000..])) - decibels(0.5 / std::f64::consts::SQRT_2)
        };
        assert!(level(50.0) < -14.0, "{}", level(50.0));
        assert!(level(300.0) > -0.2 && level(1_000.0).abs() < 0.05);
    }
}
