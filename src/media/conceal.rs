//! Loss concealment: the last pitch period goes on, fading, until sound comes back.
//!
//! When to conceal is the jitter buffer's word.

use super::jitter::Presence;
use super::mixer::fade_out;
use super::order::FRAME_SAMPLES;

/// The first sound after a gap is faded in over 5 ms, and the last before silence out: samples at 8 kHz.
pub const SEAM: usize = FRAME_SAMPLES / 4;

/// One leg's memory of what it heard last, in frames of `N` samples: 160 at 8 kHz, 320 at 16 kHz.
pub struct Conceal<const N: usize = FRAME_SAMPLES> {
    /// The last two frames.
    past: [[i16; N]; 2],
    lag: usize,
    /// Samples made up since the last true one.
    made: usize,
}

impl<const N: usize> Default for Conceal<N> {
    fn default() -> Self {
        Conceal { past: [[0; N]; 2], lag: Self::LAG_MAX, made: 0 }
    }
}

impl<const N: usize> Conceal<N> {
    /// Pitch periods looked for, in samples: 400 Hz down to 50 Hz.
    const LAG_MIN: usize = N / 8;
    const LAG_MAX: usize = N;
    /// The repeat is at full strength for 10 ms, then fades until 60 ms.
    const FULL: usize = N / 2;
    const FADED: usize = 3 * N;
    /// The first sound after a gap is faded in over 5 ms.
    const SEAM: usize = N / 4;
    /// Likeness is judged by each so-many-th sample: 4,000 a second.
    const STRIDE: usize = N / 80;

    /// A true frame: remembered, and joined smoothly to what was made up before it.
    pub fn hear(&mut self, frame: &mut [i16; N]) {
        if self.made > 0 {
            for (n, sample) in frame.iter_mut().take(Self::SEAM).enumerate() {
                let old = i32::from(self.sample(self.made + n));
                let weight = n as i32;
                let mixed = old * (Self::SEAM as i32 - weight) + i32::from(*sample) * weight;
                *sample = (mixed / Self::SEAM as i32) as i16;
            }
            self.made = 0;
        }
        self.remember(frame);
    }

    /// A frame that is missing is made up.
    pub fn fill(&mut self, frame: &mut [i16; N]) {
        if self.made == 0 {
            self.lag = self.pitch();
        }
        for (n, sample) in frame.iter_mut().enumerate() {
            *sample = self.sample(self.made + n);
        }
        self.made = (self.made + N).min(Self::FADED);
    }

    /// The samples of units (of an 8 kHz clock) that are not `present` are made up.
    pub fn mend(&mut self, frame: &mut [i16; N], present: &Presence) {
        let mut made = [0; N];
        self.fill(&mut made);
        for (n, sample) in frame.iter_mut().enumerate() {
            let unit = n * FRAME_SAMPLES / N;
            if present[unit / 64] >> (unit % 64) & 1 == 0 {
                *sample = made[n];
            }
        }
        self.made = 0;
        self.remember(frame);
    }

    /// Silence is true: nothing goes on but the end of what was heard, so that it does not click.
    pub fn rest(&mut self, frame: &mut [i16; N]) {
        *frame = [0; N];
        self.end(&mut frame[..Self::SEAM]);
        self.made = Self::FADED;
    }

    /// What would be heard if sound ended here: it goes on through `seam`, and fades.
    pub fn end(&self, seam: &mut [i16]) {
        let lag = if self.made == 0 { self.pitch() } else { self.lag };
        for (n, sample) in seam.iter_mut().enumerate() {
            *sample = self.repeated(lag, self.made + n);
        }
        fade_out(seam);
    }

    /// What is heard next goes on from what was heard elsewhere: it is not faded in.
    pub fn go_on(&mut self) {
        self.made = 0;
    }

    /// Sound that was long ago: it neither goes on nor ends.
    pub fn forget(&mut self) {
        self.made = Self::FADED;
    }

    fn remember(&mut self, frame: &[i16; N]) {
        self.past[0] = self.past[1];
        self.past[1] = *frame;
    }

    fn sample(&self, made: usize) -> i16 {
        self.repeated(self.lag, made)
    }

    fn repeated(&self, lag: usize, made: usize) -> i16 {
        if made >= Self::FADED {
            return 0;
        }
        let repeated = i32::from(self.past.as_flattened()[2 * N - lag + made % lag]);
        let strength = Self::FADED - made.max(Self::FULL);
        (repeated * strength as i32 / (Self::FADED - Self::FULL) as i32) as i16
    }

    /// The lag at which the last 20 ms resemble what was before them most.
    fn pitch(&self) -> usize {
        let past = self.past.as_flattened();
        // At place n: how like the sound is to itself n + 1 samples before.
        let likeness: [f32; N] = std::array::from_fn(|n| {
            let lag = n + 1;
            if lag < Self::LAG_MIN {
                return 0.0;
            }
            let before = &past[N - lag..2 * N - lag];
            let (mut product, mut energy) = (0_i64, 1_i64);
            for (a, b) in past[N..].iter().zip(before).step_by(Self::STRIDE) {
                product += i64::from(*a) * i64::from(*b);
                energy += i64::from(*b) * i64::from(*b);
            }
            product as f32 / (energy as f32).sqrt()
        });
        let best = likeness.iter().copied().fold(0.0, f32::max);
        // A multiple of the period is as like: the first peak stands unless it is clearly lower.
        let is_peak = |lag: usize| {
            let here = likeness[lag - 1];
            here >= best * 0.98 && likeness.get(lag).is_none_or(|next| *next <= here)
        };
        (Self::LAG_MIN..=Self::LAG_MAX).find(|lag| best > 0.0 && is_peak(*lag)).unwrap_or(Self::LAG_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::WIDE_SAMPLES;
    use crate::media::wire::Frame;

    fn wide(frame: usize, hertz: f32) -> [i16; WIDE_SAMPLES] {
        std::array::from_fn(|n| {
            let at = (frame * WIDE_SAMPLES + n) as f32 / 16_000.0;
            (8_000.0 * (at * hertz * std::f32::consts::TAU).sin()) as i16
        })
    }

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
    fn a_wide_tone_goes_on_and_half_a_wide_frame_is_mended() {
        for hertz in [100.0, 200.0, 320.0, 5_000.0] {
            let mut conceal = Conceal::<WIDE_SAMPLES>::default();
            (0..4).for_each(|n| conceal.hear(&mut wide(n, hertz)));
            let mut frame = wide(4, hertz);
            frame[160..].fill(0);
            conceal.mend(&mut frame, &[u64::MAX, 0xffff, 0]);
            let like = likeness(&frame, &wide(4, hertz));
            assert!(like > 0.9, "{hertz} Hz mended: {like}");
            conceal.fill(&mut frame);
            let like = likeness(&frame, &wide(5, hertz));
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
