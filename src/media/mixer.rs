//! The arithmetic of a conference: what all say is added up once, and for each listener his own is
//! taken out of it again.
//!
//! A bus holds one frame of any length, so that one of 16 kHz can run beside one of 8 kHz. Its sums
//! are 32 bits wide: 2^16 frames fit, and they are saturated once, when they become a frame again. The
//! loops are plain, and such that the compiler makes vectors of them (SSE2 has all that they need):
//! each is a function of its own, never inlined, so that it can tell that what is read and what is
//! written are apart. Inlined into a longer one it has been seen to go sample by sample.
//! Who takes part, and who hears whom, is for [`super::conference`] to say.

/// The sum of what several say: one frame of `N` samples.
#[derive(Clone, Debug)]
pub struct Bus<const N: usize>([i32; N]);

impl<const N: usize> Default for Bus<N> {
    fn default() -> Self {
        Bus([0; N])
    }
}

impl<const N: usize> Bus<N> {
    /// Nobody has said anything.
    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Holds what `other` holds.
    pub fn copy(&mut self, other: &Self) {
        self.0.copy_from_slice(&other.0);
    }

    /// Adds what one says; a shorter share is silent after its end.
    #[inline(never)]
    pub fn add(&mut self, share: &[i16]) {
        for (sum, sample) in self.0.iter_mut().zip(share) {
            *sum += i32::from(*sample);
        }
    }

    /// All of it.
    #[inline(never)]
    pub fn all(&self, heard: &mut [i16; N]) {
        for (heard, sum) in heard.iter_mut().zip(&self.0) {
            *heard = saturated(*sum);
        }
    }

    /// All but `own`, which was added before.
    #[inline(never)]
    pub fn without(&self, own: &[i16; N], heard: &mut [i16; N]) {
        for ((heard, sum), own) in heard.iter_mut().zip(&self.0).zip(own) {
            *heard = saturated(*sum - i32::from(*own));
        }
    }
}

fn saturated(sum: i32) -> i16 {
    sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// How much of a sound is let through in a frame. What begins or ends does so over 5 ms, so that it
/// does not click.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gain {
    /// Nothing.
    Off,
    /// All.
    On,
    /// It begins with this frame.
    Rising,
    /// It ends in this frame.
    Falling,
}

impl Gain {
    /// The gain of a frame, by whether sound was let through before it and is from now on.
    pub fn of(before: bool, now: bool) -> Self {
        match (before, now) {
            (false, false) => Gain::Off,
            (true, true) => Gain::On,
            (false, true) => Gain::Rising,
            (true, false) => Gain::Falling,
        }
    }

    /// What is let through of a frame of 20 ms.
    pub fn apply<const N: usize>(self, frame: &mut [i16; N]) {
        match self {
            Gain::On => {}
            Gain::Off => frame.fill(0),
            Gain::Rising => fade_in(&mut frame[..N / 4]),
            Gain::Falling => {
                fade_out(&mut frame[..N / 4]);
                frame[N / 4..].fill(0);
            }
        }
    }
}

fn fade_in(seam: &mut [i16]) {
    let length = seam.len() as i32;
    for (n, sample) in (0..length).zip(seam) {
        *sample = (i32::from(*sample) * n / length) as i16;
    }
}

/// Lets a sound of a few milliseconds end in silence.
pub fn fade_out(seam: &mut [i16]) {
    let length = seam.len() as i32;
    for (n, sample) in (0..length).zip(seam) {
        *sample = (i32::from(*sample) * (length - n) / length) as i16;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As slowly and plainly as it can be said: each listener's sum by itself, 64 bits wide.
    fn naive(shares: &[[i16; 24]], listener: Option<usize>) -> [i16; 24] {
        std::array::from_fn(|n| {
            let others = shares.iter().enumerate().filter(|(index, _)| Some(*index) != listener);
            let sum: i64 = others.map(|(_, share)| i64::from(share[n])).sum();
            sum.clamp(-32_768, 32_767) as i16
        })
    }

    fn sample() -> impl Strategy<Value = i16> {
        prop_oneof![any::<i16>(), Just(i16::MIN), Just(i16::MAX), -50_i16..50]
    }

    proptest! {
        #[test]
        fn each_hears_all_the_others_saturated_once(
            shares in proptest::collection::vec(proptest::array::uniform24(sample()), 0..=32)
        ) {
            let mut bus = Bus::<24>::default();
            bus.add(&[77; 24]);
            bus.clear();
            shares.iter().for_each(|share| bus.add(share));
            let mut heard = [1; 24];
            bus.all(&mut heard);
            prop_assert_eq!(heard, naive(&shares, None));
            for (n, own) in shares.iter().enumerate() {
                bus.without(own, &mut heard);
                prop_assert_eq!(heard, naive(&shares, Some(n)));
            }
        }
    }

    #[test]
    fn a_sum_beyond_the_scale_stays_at_its_end_and_comes_back_exactly() {
        let mut bus = Bus::<4>::default();
        for _ in 0..32 {
            bus.add(&[i16::MAX, i16::MIN, 30_000, -1]);
        }
        let mut heard = [0; 4];
        bus.all(&mut heard);
        assert_eq!(heard, [i16::MAX, i16::MIN, i16::MAX, -32]);
        for _ in 0..31 {
            bus.add(&[-i16::MAX, i16::MAX, -30_000, 1]);
        }
        bus.without(&[0, 0, 29_999, -1], &mut heard);
        assert_eq!(heard, [i16::MAX, i16::MIN, 1, 0]);
    }

    #[test]
    fn a_share_that_is_shorter_than_the_frame_is_silent_after_its_end() {
        let mut bus = Bus::<4>::default();
        bus.add(&[5, 6]);
        let mut heard = [9; 4];
        bus.all(&mut heard);
        assert_eq!(heard, [5, 6, 0, 0]);
    }

    #[test]
    fn what_begins_and_ends_takes_a_quarter_of_a_frame_of_either_rate() {
        fn largest_step(frame: &[i16]) -> i32 {
            frame.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap()
        }
        fn check<const N: usize>() {
            let whole = [-20_000; N];
            let [mut off, mut on, mut rising, mut falling] = [whole; 4];
            Gain::of(false, false).apply(&mut off);
            Gain::of(true, true).apply(&mut on);
            Gain::of(false, true).apply(&mut rising);
            Gain::of(true, false).apply(&mut falling);
            assert_eq!((off, on), ([0; N], whole));
            assert_eq!((rising[0], rising[N / 4]), (0, -20_000));
            assert_eq!((falling[0], falling[N / 4]), (-20_000, 0));
            for frame in [&rising, &falling] {
                assert!(largest_step(frame) <= 20_000 * 4 / N as i32 + 1);
            }
            // What begins while another ends is as loud as either: a change is no dip.
            for (a, b) in rising.iter().zip(&falling) {
                assert!((i32::from(*a) + i32::from(*b) + 20_000).abs() <= 1);
            }
        }
        check::<160>();
        check::<320>();
    }
}
