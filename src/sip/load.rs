//! How much of what is new is let in while there is more to do than can be done.
//!
//! What is measured is how long messages have waited for us. Bursts wait too, so one long wait says
//! nothing; the *least* wait of a whole window does: it is a queue that never emptied. Then a share
//! of new calls is refused, growing until the queue is gone, because a call that gets its 503 at
//! once goes elsewhere, and one that is answered late is lost with the others. What is left is dealt
//! out evenly: a trunk that asks for little gets it, and the one that floods bears the refusals.

use std::time::Duration;

use crate::time::Instant;

/// One measurement.
const WINDOW: Duration = Duration::from_millis(100);
/// A queue that stands for longer than this throughout a window is too much.
const WAIT_MAX: Duration = Duration::from_millis(20);
/// Everything, per mille.
const WHOLE: u32 = 1_000;
/// At least so much is tried, per mille, or nothing would show that the worst is over.
const LEAST: u32 = 10;
/// Of its share, per mille, what a bad window leaves.
const CUT: u32 = 700;
/// What a good window adds, per mille of everything.
const GROWTH: u32 = 50;

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// A caller by the trunk at this place in the plan.
    Trunk(usize),
    /// A seat or an emergency center: let in as long as anything is.
    Last,
}

/// The measure and what follows from it.
#[derive(Debug)]
pub(super) struct Load {
    /// Of new calls, per mille.
    share: u32,
    /// Calls that each trunk may bring in this window, while the share is not whole.
    quota: u32,
    /// Calls that each trunk has brought in this window.
    asked: Vec<u32>,
    /// Half-calls owed to those who are refused last.
    credit: bool,
    least: Option<Duration>,
    window_ends: Instant,
}

impl Load {
    pub(super) fn new(now: Instant) -> Self {
        let window_ends = now + WINDOW;
        Load { share: WHOLE, quota: 0, asked: Vec::new(), credit: false, least: None, window_ends }
    }

    /// Something has waited for us so long.
    pub(super) fn handle_wait(&mut self, wait: Duration, now: Instant) {
        if now >= self.window_ends {
            self.close_window(now);
        }
        self.least = Some(self.least.map_or(wait, |least| least.min(wait)));
    }

    fn close_window(&mut self, now: Instant) {
        // Windows in which nothing came were good ones.
        let more = now.since(self.window_ends).as_millis() / WINDOW.as_millis();
        let idle = u32::try_from(more).unwrap_or(u32::MAX).min(WHOLE / GROWTH);
        self.share = match self.least.take() {
            Some(least) if least > WAIT_MAX => (self.share * CUT / WHOLE).max(LEAST),
            _ => self.share + GROWTH,
        };
        self.share = (self.share + idle * GROWTH).min(WHOLE);
        if self.share < WHOLE {
            self.quota = quota(&self.asked, self.share).max(1);
        }
        self.asked.fill(0);
        self.window_ends = now + WINDOW;
    }

    /// Whether a new call is let in.
    pub(super) fn admits(&mut self, rank: Rank) -> bool {
        match rank {
            Rank::Trunk(place) => {
                if self.asked.len() <= place {
                    self.asked.resize(place + 1, 0);
                }
                self.asked[place] = self.asked[place].saturating_add(1);
                self.share == WHOLE || self.asked[place] <= self.quota
            }
            Rank::Last if self.share > LEAST => true,
            Rank::Last => {
                self.credit = !self.credit;
                self.credit
            }
        }
    }

    /// The share of new calls that is let in, per mille.
    pub(super) fn share(&self) -> u32 {
        self.share
    }
}

/// The most that each may have so that all together have `share` per mille of what they asked for:
/// who asked for less has it all.
fn quota(asked: &[u32], share: u32) -> u32 {
    let total: u64 = asked.iter().map(|count| u64::from(*count)).sum();
    let mut left = total * u64::from(share) / u64::from(WHOLE);
    let mut sorted: Vec<u32> = asked.iter().copied().filter(|count| *count > 0).collect();
    sorted.sort_unstable();
    for (index, count) in sorted.iter().enumerate() {
        let even = left / (sorted.len() - index) as u64;
        if u64::from(*count) > even {
            return u32::try_from(even).unwrap_or(u32::MAX);
        }
        left -= u64::from(*count);
    }
    sorted.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Windows in which each message waits for so long and each trunk brings so many calls; how many
    /// of those were let in, trunk by trunk.
    fn run(load: &mut Load, windows: std::ops::Range<u64>, wait: Duration, calls: &[u32]) -> Vec<u32> {
        let mut let_in = vec![0; calls.len()];
        for window in windows {
            for part in 0..10 {
                load.handle_wait(wait, at(window * 100 + part * 10));
            }
            for (place, count) in calls.iter().enumerate() {
                for _ in 0..*count {
                    let_in[place] += u32::from(load.admits(Rank::Trunk(place)));
                }
            }
        }
        let_in
    }

    #[test]
    fn a_burst_that_drains_within_the_window_refuses_nobody() {
        let mut load = Load::new(at(0));
        for window in 0..50 {
            assert_eq!(run(&mut load, window..window + 1, ms(400), &[100]), [100]);
            load.handle_wait(ms(20), at(window * 100 + 99));
        }
    }

    #[test]
    fn a_queue_that_stands_refuses_more_and_more() {
        let mut load = Load::new(at(0));
        let seen: Vec<_> =
            (0..4).map(|window| run(&mut load, window..window + 1, ms(21), &[1_000])[0]).collect();
        assert_eq!(seen, [1_000, 700, 490, 343]);
        run(&mut load, 4..30, ms(200), &[1_000]);
        assert_eq!(load.share(), LEAST);
    }

    #[test]
    fn who_floods_bears_the_refusals_and_who_calls_now_and_then_is_served() {
        let mut load = Load::new(at(0));
        run(&mut load, 0..30, ms(200), &[3, 0, 1_000, 20]);
        assert_eq!(load.share(), LEAST);
        assert_eq!(run(&mut load, 30..40, ms(200), &[3, 1, 1_000, 20]), [30, 10, 30, 30]);
        assert_eq!(quota(&[3, 0, 1_000, 20], 10), 3);
        assert_eq!(quota(&[3, 0, 1_000, 20], 500), 488);
        assert_eq!(quota(&[10, 10], 1_000), 10);
        assert_eq!(quota(&[], 10), 0);
    }

    #[test]
    fn seats_and_emergency_centers_are_refused_last() {
        let mut load = Load::new(at(0));
        run(&mut load, 0..10, ms(200), &[100]);
        assert!((0..100).all(|_| load.admits(Rank::Last)));
        run(&mut load, 10..30, ms(200), &[100]);
        assert_eq!((0..100).filter(|_| load.admits(Rank::Last)).count(), 50);
    }

    #[test]
    fn who_is_let_in_grows_again_when_the_queue_is_gone_and_at_once_after_a_pause() {
        let mut load = Load::new(at(0));
        run(&mut load, 0..30, ms(200), &[100]);
        run(&mut load, 30..32, ms(0), &[100]);
        assert_eq!(load.share(), LEAST + GROWTH, "the first good window is known at its end");
        run(&mut load, 32..52, ms(0), &[100]);
        assert_eq!(load.share(), WHOLE);
        run(&mut load, 52..80, ms(200), &[100]);
        load.handle_wait(ms(0), at(60_000));
        assert_eq!(run(&mut load, 600..601, ms(0), &[100]), [100]);
    }
}
