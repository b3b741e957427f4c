//! Whether the wall clock may be believed where something is removed for good by it.
//!
//! A clock that jumps ahead by years makes everything look old. So nothing is removed before the clock has gone evenly
//! for a while; and where it jumped, or stands far behind the newest that the data know of, not before it has gone evenly
//! for a day, in which somebody is told of it and may set it right.

use std::time::Duration;

use crate::time::{Instant, Now, Timestamp};

/// How long the clock has to go evenly, and what is no even going.
#[derive(Clone, Copy, Debug)]
pub struct Trust {
    /// After the start.
    pub settle: Duration,
    /// After a jump, or a gap in the data.
    pub doubt: Duration,
    /// Further in one look than the monotonic clock: a jump. Summer time is none: the clock is UTC.
    pub jump: Duration,
    /// Further ahead of the newest fact than this at the start: the house was closed, or the clock is wrong.
    pub gap: Duration,
}

impl Default for Trust {
    fn default() -> Self {
        Trust {
            settle: Duration::from_secs(600),
            doubt: Duration::from_secs(24 * 3_600),
            jump: Duration::from_secs(3_600),
            gap: Duration::from_secs(48 * 3_600),
        }
    }
}

/// Why the clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It went otherwise than the monotonic clock by so much.
    Jumped {
        /// Either way.
        by: Duration,
    },
    /// At the start it was so far ahead of the newest fact.
    Gap {
        /// So far.
        by: Duration,
    },
}

/// See the module's own words.
#[derive(Debug)]
pub struct Belief {
    trust: Trust,
    last: Now,
    believed_at: Instant,
}

impl Belief {
    /// At the start; `newest` is when the last fact of the data was.
    pub fn begin(trust: Trust, newest: Option<Timestamp>, now: Now) -> (Self, Option<Doubt>) {
        let ahead = newest.map_or(Duration::ZERO, |newest| ahead(now.wall, newest));
        let doubt = (ahead > trust.gap).then_some(Doubt::Gap { by: ahead });
        let wait = if doubt.is_some() { trust.doubt } else { trust.settle };
        (Belief { trust, last: now, believed_at: now.mono + wait }, doubt)
    }

    /// Looks at the clocks; `Some`: the wall clock has jumped since the look before.
    pub fn look(&mut self, now: Now) -> Option<Doubt> {
        let gone = now.mono.since(self.last.mono);
        let expected = self.last.wall.checked_add(gone).unwrap_or(Timestamp::MAX);
        let by = ahead(now.wall, expected).max(ahead(expected, now.wall));
        self.last = now;
        if by <= self.trust.jump {
            return None;
        }
        self.believed_at = now.mono + self.trust.doubt;
        Some(Doubt::Jumped { by })
    }

    /// Whether it is believed at the last look.
    pub fn holds(&self) -> bool {
        self.last.mono >= self.believed_at
    }
}

fn ahead(of: Timestamp, than: Timestamp) -> Duration {
    Duration::try_from(of.duration_since(than)).unwrap_or_default() // Behind it: nothing.
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_s: u64, wall: &str) -> Now {
        Now { mono: Instant::from_millis(mono_s * 1_000), wall: wall.parse().unwrap() }
    }

    fn begun(newest: &str) -> (Belief, Option<Doubt>) {
        let newest = (!newest.is_empty()).then(|| newest.parse().unwrap());
        Belief::begin(Trust::default(), newest, at(0, "2026-11-27T00:00:00Z"))
    }

    #[test]
    fn a_clock_that_goes_evenly_is_believed_after_ten_minutes() {
        for newest in ["", "2026-11-26T23:59:00Z", "2026-11-25T00:00:00Z", "2030-01-01T00:00:00Z"] {
            let (mut belief, doubt) = begun(newest);
            assert_eq!((doubt, belief.holds()), (None, false), "{newest}");
            assert_eq!(belief.look(at(599, "2026-11-27T00:09:59Z")), None);
            assert!(!belief.holds());
            assert_eq!(belief.look(at(600, "2026-11-27T00:10:03Z")), None);
            assert!(belief.holds(), "a second or three is what clocks are set by");
        }
    }

    #[test]
    fn a_jump_either_way_costs_a_day_whenever_it_comes() {
        for (wall, by_s) in [("2029-11-27T00:10:00Z", 94_694_400), ("2026-11-26T22:00:00Z", 7_800)] {
            let (mut belief, _) = begun("");
            assert_eq!(belief.look(at(600, wall)), Some(Doubt::Jumped { by: Duration::from_secs(by_s) }));
            let wall: Timestamp = wall.parse().unwrap();
            for (mono_s, holds) in [(601, false), (600 + 86_399, false), (600 + 86_400, true)] {
                let wall = wall.checked_add(Duration::from_secs(mono_s - 600)).unwrap();
                let now = Now { mono: Instant::from_millis(mono_s * 1_000), wall };
                assert_eq!((belief.look(now), belief.holds()), (None, holds), "{mono_s}");
            }
        }
    }

    #[test]
    fn a_start_far_ahead_of_the_data_costs_a_day() {
        let (mut belief, doubt) = begun("2026-11-24T23:59:59Z");
        assert_eq!(doubt, Some(Doubt::Gap { by: Duration::from_secs(48 * 3_600 + 1) }));
        assert_eq!(belief.look(at(86_399, "2026-11-27T23:59:59Z")), None);
        assert!(!belief.holds());
        assert_eq!(belief.look(at(86_400, "2026-11-28T00:00:00Z")), None);
        assert!(belief.holds());
    }
}
