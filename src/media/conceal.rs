//! Loss concealment: the last pitch period goes on, fading, until sound comes back.
//!
//! When to conceal is the jitter buffer's word.

use super::jitter::Presence;
use super::mixer::fade_out;
use super::order::FRAME_SAMPLES;
use super::wire::Frame;

/// Pitch periods looked for, in samples: 400 Hz down to 50 Hz.
const LAG_MIN: usize = 20;
const LAG_MAX: usize = 160;
const PAST: usize = 2 * FRAME_SAMPLES;
/// The repeat is at full strength for 10 ms, then fades until 60 ms.
const FULL: usize = 80;
const FADED: usize = 480;
/// The first sound after a gap is faded in over 5 ms, and the last before silence out.
pub const SEAM: usize = 40;

/// One leg's memory of what it heard last.
pub struct Conceal {
    past: [i16; PAST],
    lag: usize,
    /// Samples made up since the last true one.
    made: usize,
}

impl Default for Conceal {
    fn default() -> Self {
        Conceal { past: [0; PAST], lag: LAG_MAX, made: 0 }
    }
}

impl Conceal {
    /// A true frame: remembered, and joined smoothly to what was made up before it.
    pub fn hear(&mut self, frame: &mut Frame) {
        if self.made > 0 {
            for (n, sample) in frame.iter_mut().take(SEAM).enumerate() {
                let old = i32::from(self.sample(self.made + n));
                let weight = n as i32;
                let mixed = old * (SEAM as i32 - weight) + i32::from(*sample) * weight;
                *sample = (mixed / SEAM as i32) as i16;
            }
            self.made = 0;
        }
        self.remember(frame);
    }

    /// A frame that is missing is made up.
    pub fn fill(&mut self, frame: &mut Frame) {
        if self.made == 0 {
            self.lag = self.pitch();
        }
        for (n, sample) in frame.iter_mut().enumerate() {
            *sample = self.sample(self.made + n);
        }
        self.made = (self.made + FRAME_SAMPLES).min(FADED);
    }

    /// The samples that are not `present` are made up.
    pub fn mend(&mut self, frame: &mut Frame, present: &Presence) {
        let mut made = [0; FRAME_SAMPLES];
        self.fill(&mut made);
        for (n, sample) in frame.iter_mut().enumerate() {
            if present[n / 64] >> (n % 64) & 1 == 0 {
                *sample = made[n];
            }
        }
        self.made = 0;
        self.remember(frame);
    }

    /// Silence is true: nothing goes on but the end of what was heard, so that it does not click.
    pub fn rest(&mut self, frame: &mut Frame) {
        *frame = [0; FRAME_SAMPLES];
        frame[..SEAM].copy_from_slice(&self.tail());
        self.made = FADED;
    }

    /// What would be heard if sound ended here: it goes on for a moment, and fades.
    pub fn tail(&self) -> [i16; SEAM] {
        let lag = if self.made == 0 { self.pitch() } else { self.lag };
        let mut tail = std::array::from_fn(|n| self.repeated(lag, self.made + n));
        fade_out(&mut tail);
        tail
    }

    /// Sound that was long ago: it neither goes on nor ends.
    pub fn forget(&mut self) {
        self.made = FADED;
    }

    fn remember(&mut self, frame: &Frame) {
        self.past.copy_within(FRAME_SAMPLES.., 0);
        self.past[FRAME_SAMPLES..].copy_from_slice(frame);
    }

    fn sample(&self, made: usize) -> i16 {
        self.repeated(self.lag, made)
    }

    fn repeated(&self, lag: usize, made: usize) -> i16 {
        if made >= FADED {
            return 0;
        }
        let repeated = i32::from(self.past[PAST - lag + made % lag]);
        let strength = FADED - made.max(FULL);
        (repeated * strength as i32 / (FADED - FULL) as i32) as i16
    }

    /// The lag at which the last 20 ms resemble what was before them most.
    fn pitch(&self) -> usize {
        let recent = &self.past[PAST - FRAME_SAMPLES..];
        let likeness: [f32; LAG_MAX + 1] = std::array::from_fn(|lag| {
            if lag < LAG_MIN {
                return 0.0;
            }
            let before = &self.past[PAST - FRAME_SAMPLES - lag..PAST - lag];
            let (mut product, mut energy) = (0_i64, 1_i64);
            for (a, b) in recent.iter().zip(before).step_by(2) {
                product += i64::from(*a) * i64::from(*b);
                energy += i64::from(*b) * i64::from(*b);
            }
            product as f32 / (energy as f32).sqrt()
        });
        let best = likeness.iter().copied().fold(0.0, f32::max);
        // A multiple of the period is as like: the first peak stands unless it is clearly lower.
        let is_peak = |lag: usize| {
            likeness[lag] >= best * 0.98 && likeness.get(lag + 1).is_none_or(|next| *next <= likeness[lag])
        };
        (LAG_MIN..=LAG_MAX).find(|lag| best > 0.0 && is_peak(*lag)).unwrap_or(LAG_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frame: usize, hertz: f32) -> Frame {
        std::array::from_fn(|n| {
            let at = (frame * FRAME_SAMPLES + n) as f32 / 8_000.0;
            (8_000.0 * (at * hertz * std::f32::consts::TAU).sin()) as i16
        })
    }

    fn likeness(a: &[i16], b: &[i16]) -> f64 {
        let dot = |x: &[i16], y: &[i16]| -> f64 {
            x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
        };
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1.0)
    }

    #[test]
    fn a_tone_goes_on_through_one_lost_frame() {
        for hertz in [100.0, 200.0, 310.0] {
            let mut conceal = Conceal::default();
            for n in 0..4 {
                conceal.hear(&mut tone(n, hertz));
            }
            let mut frame = [0; FRAME_SAMPLES];
            conceal.fill(&mut frame);
            let like = likeness(&frame, &tone(4, hertz));
            assert!(like > 0.9, "{hertz} Hz: {like}");
        }
    }

    #[test]
    fn a_long_gap_fades_to_silence_and_ends_softly() {
        let mut conceal = Conceal::default();
        (0..4).for_each(|n| conceal.hear(&mut tone(n, 200.0)));
        let mut frames = [[0; FRAME_SAMPLES]; 5];
        frames.iter_mut().for_each(|frame| conceal.fill(frame));
        assert!(frames[0].iter().any(|sample| *sample > 6_000));
        assert_eq!(frames[3], [0; FRAME_SAMPLES]);
        let mut back = [10_000; FRAME_SAMPLES];
        conceal.hear(&mut back);
        assert_eq!((back[0], back[39], back[40]), (0, 9_750, 10_000));
    }

    #[test]
    fn half_a_frame_is_mended_and_silence_stays_silent() {
        let mut conceal = Conceal::default();
        (0..4).for_each(|n| conceal.hear(&mut tone(n, 200.0)));
        let mut frame = tone(4, 200.0);
        frame[80..].fill(0);
        conceal.mend(&mut frame, &[u64::MAX, 0xffff, 0]);
        assert!(likeness(&frame, &tone(4, 200.0)) > 0.9);
        conceal.rest(&mut frame);
        conceal.fill(&mut frame);
        assert_eq!(frame, [0; FRAME_SAMPLES]);
    }

    #[test]
    fn sound_that_gives_way_to_silence_fades_and_is_over() {
        let mut conceal = Conceal::default();
        (0..4).for_each(|n| conceal.hear(&mut tone(n, 200.0)));
        let mut frame = [1; FRAME_SAMPLES];
        conceal.rest(&mut frame);
        let whole = [&tone(3, 200.0)[..], &frame].concat();
        let steps = whole.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs());
        // A full tone's own largest step is 1,257.
        assert!(steps.max().unwrap() < 1_400, "no click where it ends");
        assert!(frame[..SEAM / 2].iter().any(|sample| sample.abs() > 3_000));
        assert!(frame[SEAM..].iter().all(|sample| *sample == 0));
        conceal.rest(&mut frame);
        assert_eq!(frame, [0; FRAME_SAMPLES]);
        (0..4).for_each(|n| conceal.hear(&mut tone(n, 200.0)));
        conceal.forget();
        conceal.rest(&mut frame);
        assert_eq!(frame, [0; FRAME_SAMPLES]);
    }
}
