//! When calls are due: an absolute schedule, made before the first call and heedless of how they fare.
//!
//! A server that stalls makes calls late, and they are counted from when they were due: what happens
//! meanwhile is not left out of the figures (coordinated omission).

use std::time::Duration;

use crate::id::Dice;

/// A stretch of the run: calls per second, from its beginning to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    pub from: f64,
    pub to: f64,
    pub lasts: Duration,
}

/// How calls come within a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrivals {
    /// 均匀 / Evenly
    Steady,
    /// 随机（泊松）/ At random (Poisson)
    Random,
}

/// Due times, counted from the beginning of the run, in order.
pub struct Schedule {
    stretches: Vec<Stretch>,
    arrivals: Arrivals,
    dice: Dice,
    /// The next call's place in the count of calls, whole numbers where they come evenly.
    next: f64,
}

impl Schedule {
    pub fn new(stretches: Vec<Stretch>, arrivals: Arrivals, dice: Dice) -> Self {
        let mut schedule = Schedule { stretches, arrivals, dice, next: 0.0 };
        if arrivals == Arrivals::Random {
            schedule.next = schedule.pause();
        }
        schedule
    }

    /// How long calls are begun.
    pub fn lasts(&self) -> Duration {
        self.stretches.iter().map(|stretch| stretch.lasts).sum()
    }

    /// Exponential, of mean 1.
    fn pause(&mut self) -> f64 {
        let lot = (self.dice.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        -(1.0 - lot).ln()
    }

    /// When the call at a place in the count is due; `None` beyond the last.
    fn due(&self, place: f64) -> Option<Duration> {
        let (mut begun, mut before) = (Duration::ZERO, 0.0);
        for stretch in &self.stretches {
            let lasts = stretch.lasts.as_secs_f64();
            let calls = (stretch.from + stretch.to) / 2.0 * lasts;
            if place < before + calls {
                let wanted = place - before;
                let slope = (stretch.to - stretch.from) / lasts;
                // The root of slope/2·t² + from·t = wanted, in the form that minds no slope of 0.
                let root = (stretch.from.powi(2) + 2.0 * slope * wanted).max(0.0).sqrt();
                let seconds = if wanted == 0.0 { 0.0 } else { 2.0 * wanted / (stretch.from + root) };
                return Some(begun + Duration::from_secs_f64(seconds.min(lasts)));
            }
            before += calls;
            begun += stretch.lasts;
        }
        None
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let due = self.due(self.next)?;
        self.next += match self.arrivals {
            Arrivals::Steady => 1.0,
            Arrivals::Random => self.pause(),
        };
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(from: f64, to: f64, seconds: u64) -> Stretch {
        Stretch { from, to, lasts: Duration::from_secs(seconds) }
    }

    fn dues(stretches: &[Stretch], arrivals: Arrivals, seed: u64) -> Vec<f64> {
        let schedule = Schedule::new(stretches.to_vec(), arrivals, Dice::seeded(seed));
        schedule.map(|due| due.as_secs_f64()).collect()
    }

    #[test]
    fn a_steady_rate_is_even() {
        let dues = dues(&[stretch(50.0, 50.0, 2)], Arrivals::Steady, 1);
        assert_eq!(dues.len(), 100);
        assert!(dues.iter().enumerate().all(|(n, due)| (due - n as f64 / 50.0).abs() < 1e-6));
    }

    #[test]
    fn a_ramp_has_half_the_calls_and_leads_into_the_full_rate() {
        let dues = dues(&[stretch(0.0, 100.0, 4), stretch(100.0, 100.0, 1)], Arrivals::Steady, 1);
        assert_eq!(dues.len(), 300);
        let within = |from: f64, to: f64| dues.iter().filter(|due| (from..to).contains(*due)).count();
        assert_eq!((within(0.0, 2.0), within(2.0, 4.0), within(4.0, 5.0)), (50, 150, 100));
        assert!(dues.is_sorted());
    }

    #[test]
    fn calls_at_random_are_as_many_and_come_again_by_the_same_seed() {
        let ramp = [stretch(0.0, 200.0, 10), stretch(200.0, 50.0, 10)];
        let random = dues(&ramp, Arrivals::Random, 7);
        assert!((2_000..2_500).contains(&random.len()), "{}", random.len());
        assert!(random.is_sorted());
        assert_eq!(random, dues(&ramp, Arrivals::Random, 7));
        assert_ne!(random, dues(&ramp, Arrivals::Random, 8));
    }
}
