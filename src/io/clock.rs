//! The two clocks of the house, read together.
//!
//! Machines below are handed a [`Now`]; this is the one place that asks the system what time it is.

use std::time::{Duration, Instant as SystemInstant};

use crate::time::{Instant, Now, Timestamp};

/// Reads both clocks. Copies agree: all threads share one start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: SystemInstant,
    wall: Wall,
}

#[derive(Clone, Copy, Debug)]
enum Wall {
    /// The system's, with whatever jumps it makes.
    System,
    /// `--clock`: this at the start, and running on with the monotonic clock.
    Shifted(Timestamp),
}

impl Clock {
    /// The system's clocks. The monotonic one begins at zero now.
    pub fn system() -> Self {
        Clock { start: SystemInstant::now(), wall: Wall::System }
    }

    /// A wall clock that stands at `wall` now and runs on from there.
    pub fn shifted(wall: Timestamp) -> Self {
        Clock { start: SystemInstant::now(), wall: Wall::Shifted(wall) }
    }

    /// Whether the wall clock was set by hand: its records are marked.
    pub fn is_shifted(&self) -> bool {
        matches!(self.wall, Wall::Shifted(_))
    }

    /// One reading of both.
    pub fn now(&self) -> Now {
        let elapsed = self.start.elapsed();
        let wall = match self.wall {
            Wall::System => Timestamp::now(),
            // The latest wall time there is stands in for what lies beyond it.
            Wall::Shifted(wall) => wall.checked_add(elapsed).unwrap_or(Timestamp::MAX),
        };
        Now { mono: Instant::ZERO + elapsed, wall }
    }

    /// The monotonic clock alone.
    pub fn mono(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// How long from now until `at`; zero if it is past.
    pub fn until(&self, at: Instant) -> Duration {
        at.since(self.mono())
    }

    /// `at` on the system's monotonic clock, for sleeps.
    pub fn deadline(&self, at: Instant) -> SystemInstant {
        self.start + Duration::from_nanos(at.as_nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_wall_clock_starts_where_it_is_set_and_runs_on() {
        let set: Timestamp = "2021-09-01T09:00:00+08:00".parse().unwrap();
        let clock = Clock::shifted(set);
        let first = clock.now();
        while clock.mono() == first.mono {}
        let second = clock.now();
        assert!(clock.is_shifted());
        assert!(first.wall >= set);
        assert!(second.wall > first.wall);
        let ran = second.wall.duration_since(first.wall);
        assert_eq!(ran.unsigned_abs(), second.mono.since(first.mono));
    }

    #[test]
    fn an_unshifted_wall_clock_is_the_systems() {
        let before = Timestamp::now();
        let now = Clock::system().now();
        assert!(now.wall >= before && now.wall <= Timestamp::now());
    }

    #[test]
    fn a_deadline_lies_as_far_ahead_as_its_instant() {
        let clock = Clock::system();
        let at = Instant::from_millis(60_000);
        assert!(clock.deadline(at) > SystemInstant::now());
        assert!(clock.until(at) > Duration::from_secs(50));
        assert_eq!(clock.until(Instant::ZERO), Duration::ZERO);
    }
}
