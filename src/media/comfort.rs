//! Comfort noise (RFC 3389): while a peer says that it pauses, it is heard with noise of the level that
//! it names, so that the line does not seem dead to whoever listens.
//!
//! The spectrum that it may name is left aside. We send none of our own.

use std::time::Duration;

use super::order::FRAME_SAMPLES;
use super::wire::Frame;
use crate::time::Instant;

/// The loudest noise that is made, whatever is asked for: 40 dB below overload.
const LOUDEST: u8 = 40;
/// Not heard of for so long, a source that pauses counts as gone, and is silent.
const LASTS: Duration = Duration::from_secs(60);

/// One leg's noise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Comfort {
    /// Greatest sample, and since when it is valid; `None`: silence.
    noise: Option<(i32, Instant)>,
    /// Sound that comes after the pause is on its way.
    ends: bool,
    state: u32,
}

impl Comfort {
    /// The peer pauses; the first byte of `payload` is the level in dB below overload (RFC 3389 §3).
    pub fn begin(&mut self, payload: &[u8], now: Instant) {
        let level = payload.first().map_or(u8::MAX, |level| level & 0x7f).max(LOUDEST);
        // Even noise up to a peak has a mean of it over the root of three.
        let peak = 32_768.0 * 10_f32.powf(f32::from(level) / -20.0) * 3_f32.sqrt();
        self.noise = (peak >= 1.0).then_some((peak as i32, now));
        self.ends = false;
    }

    /// A packet of sound came: when it is heard, the pause is over.
    pub fn sound_comes(&mut self) {
        self.ends = true;
    }

    /// Sound is heard: what was still held of before the pause, or what came after it.
    pub fn sound_is_heard(&mut self) {
        if self.ends {
            self.noise = None;
        }
    }

    /// Fills a frame in which there is no sound; `false`: with nothing.
    pub fn fill(&mut self, frame: &mut Frame, now: Instant) -> bool {
        let Some((peak, _)) = self.noise.filter(|(_, begun)| now.since(*begun) < LASTS) else { return false };
        for sample in frame[..FRAME_SAMPLES].iter_mut() {
            // Numerical Recipes' generator: its upper half is even enough to listen to.
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let even = (self.state >> 16) as i32 - 0x8000;
            *sample = ((even * peak) >> 15) as i16;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rms(comfort: &mut Comfort, now: Instant) -> Option<f64> {
        let mut sum = 0.0;
        for _ in 0..50 {
            let mut frame = [0; FRAME_SAMPLES];
            if !comfort.fill(&mut frame, now) {
                return None;
            }
            sum += frame.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
        }
        Some((sum / 50.0 / 160.0).sqrt())
    }

    #[test]
    fn noise_is_as_loud_as_named_and_never_louder_than_forty_decibels_below_overload() {
        let now = Instant::from_millis(5);
        for (level, wanted) in [(0, -40.0), (40, -40.0), (50, -50.0), (0x80 | 60, -60.0), (70, -70.0)] {
            let mut comfort = Comfort::default();
            comfort.begin(&[level, 1, 2], now);
            let heard = 20.0 * (rms(&mut comfort, now).unwrap() / 32_768.0).log10();
            assert!((heard - wanted).abs() < 1.0, "{level}: {heard}");
        }
        let mut comfort = Comfort::default();
        assert_eq!(rms(&mut comfort, now), None);
        comfort.begin(&[127], now);
        assert_eq!(rms(&mut comfort, now), None);
    }

    #[test]
    fn noise_lasts_until_sound_from_after_the_pause_is_heard_or_for_a_minute() {
        let at = |s: u64| Instant::from_millis(s * 1_000);
        let mut comfort = Comfort::default();
        comfort.sound_comes();
        comfort.begin(&[50], at(1));
        comfort.sound_is_heard();
        assert!(rms(&mut comfort, at(60)).is_some(), "that sound was from before it");
        assert!(rms(&mut comfort, at(62)).is_none());
        comfort.begin(&[50], at(62));
        comfort.sound_comes();
        assert!(rms(&mut comfort, at(63)).is_some(), "not heard yet");
        comfort.sound_is_heard();
        assert!(rms(&mut comfort, at(63)).is_none());
    }
}
