//! What kinds of calls there are, in which shares, and how they come over a day.

use std::time::Duration;

use super::schedule::Stretch;
use crate::id::Dice;

/// What one call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Talks for its time; whoever answers stays.
    Plain,
    /// Hears what is played for its time.
    Prompt,
    /// Waits in line for a seat, which ends the call.
    Queue,
    /// The same, and the clerk asks somebody in.
    ThreeWay,
    /// Gives up in line after a while, unless a seat was sooner.
    Abandon,
}

impl Kind {
    /// In `--mix` and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Plain => "plain",
            Kind::Prompt => "prompt",
            Kind::Queue => "queue",
            Kind::ThreeWay => "threeway",
            Kind::Abandon => "abandon",
        }
    }

    /// Whether the caller waits for a seat, which then ends the call.
    pub fn waits(self) -> bool {
        matches!(self, Kind::Queue | Kind::ThreeWay | Kind::Abandon)
    }
}

/// Kinds by their shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix(Vec<(Kind, u32)>);

/// A share is no greater.
const SHARE_MAX: u32 = 1_000_000;

impl Mix {
    /// All of one kind.
    pub fn only(kind: Kind) -> Mix {
        Mix(vec![(kind, 1)])
    }

    /// `queue=60,threeway=10,abandon=15,prompt=15`.
    pub fn parse(text: &str) -> Result<Mix, String> {
        let form = || format!("{text:?}: queue=60,threeway=10,abandon=15,prompt=15");
        let mut shares: Vec<(Kind, u32)> = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (name, share) = part.split_once('=').ok_or_else(form)?;
            let all = [Kind::Queue, Kind::ThreeWay, Kind::Abandon, Kind::Prompt];
            let kind = all.into_iter().find(|kind| kind.name() == name.trim()).ok_or_else(form)?;
            let share = share.trim().trim_end_matches('%').parse().ok().filter(|it| *it <= SHARE_MAX);
            if shares.iter().any(|(known, _)| *known == kind) {
                return Err(form());
            }
            shares.push((kind, share.ok_or_else(form)?));
        }
        let mix = Mix(shares);
        if mix.whole() == 0 { Err(form()) } else { Ok(mix) }
    }

    fn whole(&self) -> u64 {
        self.0.iter().map(|(_, share)| u64::from(*share)).sum()
    }

    /// Whether any call is of this kind.
    pub fn has(&self, kind: Kind) -> bool {
        self.0.iter().any(|(known, share)| *known == kind && *share > 0)
    }

    /// Whether any call waits for a seat.
    pub fn waits(&self) -> bool {
        self.0.iter().any(|(kind, share)| kind.waits() && *share > 0)
    }

    /// One call's kind.
    pub fn draw(&self, dice: &mut Dice) -> Kind {
        let mut lot = dice.below(self.whole().max(1));
        for (kind, share) in &self.0 {
            match lot.checked_sub(u64::from(*share)) {
                Some(rest) => lot = rest,
                None => return *kind,
            }
        }
        Kind::Plain // Not met: the lot is below the sum of the shares.
    }
}

impl std::fmt::Display for Mix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shares: Vec<String> =
            self.0.iter().map(|(kind, share)| format!("{}={share}", kind.name())).collect();
        f.write_str(&shares.join(","))
    }
}

/// How many call in each hour of a working day, from midnight on, against one another: few at night, most
/// at about ten, fewer at noon, and a second wave in the afternoon.
pub const DAY: [u32; 24] =
    [4, 3, 2, 2, 2, 4, 9, 24, 66, 96, 100, 82, 44, 40, 66, 78, 76, 62, 38, 28, 22, 17, 11, 7];

/// A day in so much time, with this many calls a second on the average.
pub fn day(rate: f64, lasts: Duration) -> Vec<Stretch> {
    let mean = f64::from(DAY.iter().sum::<u32>()) / DAY.len() as f64;
    let hour = lasts / DAY.len() as u32;
    let stretch = |weight: u32| {
        let rate = rate * f64::from(weight) / mean;
        Stretch { from: rate, to: rate, lasts: hour }
    };
    DAY.into_iter().map(stretch).collect()
}

#[cfg(test)]
mod tests {
    use super::super::schedule::{Arrivals, Schedule};
    use super::*;

    #[test]
    fn a_mix_is_read_and_drawn_by_its_shares_and_alike_by_the_same_seed() {
        let mix = Mix::parse("queue=60, threeway=10,abandon=15%,prompt=15").unwrap();
        assert_eq!(mix.to_string(), "queue=60,threeway=10,abandon=15,prompt=15");
        let drawn = |seed| {
            let mut dice = Dice::seeded(seed);
            (0..10_000).map(|_| mix.draw(&mut dice)).collect::<Vec<Kind>>()
        };
        let kinds = drawn(1);
        for (kind, share) in &mix.0 {
            let count = kinds.iter().filter(|drawn| *drawn == kind).count();
            let wanted = 100 * *share as usize;
            assert!(count.abs_diff(wanted) < 200, "{kind:?}: {count} of {wanted}");
        }
        assert_eq!(kinds, drawn(1));
        assert_ne!(kinds, drawn(2));
        assert_eq!(Mix::only(Kind::Queue).draw(&mut Dice::seeded(3)), Kind::Queue);
        let rare = Mix::parse("queue=0,prompt=1").unwrap();
        assert!(rare.has(Kind::Prompt) && !rare.has(Kind::Queue) && !rare.waits());
        assert_eq!(rare.draw(&mut Dice::seeded(4)), Kind::Prompt);
        for wrong in ["", "queue", "queue=x", "plain=1", "queue=1,queue=2", "queue=0", "queue=-1"] {
            assert!(Mix::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_has_its_peak_in_the_morning_and_as_many_calls_as_its_rate_says() {
        let stretches = day(10.0, Duration::from_secs(240));
        assert_eq!(stretches.len(), 24);
        let dues: Vec<f64> = Schedule::new(stretches, Arrivals::Steady, Dice::seeded(1))
            .map(|due| due.as_secs_f64())
            .collect();
        assert!((2_399..=2_400).contains(&dues.len()), "{}", dues.len());
        let hour = |hour: usize| dues.iter().filter(|due| (**due / 10.0) as usize == hour).count();
        let busiest = (0..24).max_by_key(|at| hour(*at)).unwrap();
        assert_eq!(busiest, 10);
        assert!(hour(3) * 20 < hour(10) && hour(12) < hour(10) && hour(12) < hour(15));
    }
}
