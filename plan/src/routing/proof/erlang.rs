//! Erlang C: how many seats it takes so that callers seldom wait.
//!
//! Calls that come by chance (Poisson), talks whose lengths are spread as the exponential law has it, and nobody
//! who gives up: A. K. Erlang's second formula of 1917. Real callers give up, which makes waits shorter than this
//! says, so what it asks for is enough.

use std::time::Duration;

/// More seats than this are not looked for.
pub const SEATS_MAX: u32 = 100_000;

/// What comes in, in the busiest hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Calls in an hour.
    pub calls_per_hour: u32,
    /// Mean time that a seat is taken by one: talk and wrap-up.
    pub taken: Duration,
}

impl Load {
    /// Seats that would be taken at once in the mean.
    pub fn erlangs(&self) -> f64 {
        f64::from(self.calls_per_hour) * self.taken.as_secs_f64() / 3_600.0
    }

    /// The share of calls that a seat takes within `wait`; 0 where the line would only grow.
    pub fn within(&self, seats: u32, wait: Duration) -> f64 {
        share(waiting(seats, self.erlangs()), seats, self, wait)
    }

    /// The fewest seats by which `share` of the calls are taken within `wait`; `None`: more than [`SEATS_MAX`].
    pub fn seats_for(&self, aim: f64, wait: Duration) -> Option<u32> {
        let mut blocking = 1.0;
        for seats in 1..=SEATS_MAX {
            blocking = next_blocking(blocking, seats, self.erlangs());
            if share(queued(blocking, seats, self.erlangs()), seats, self, wait) >= aim {
                return Some(seats);
            }
        }
        None
    }
}

/// The chance that a call waits at all: Erlang's C. 1 where there are no more seats than calls.
pub fn waiting(seats: u32, erlangs: f64) -> f64 {
    let blocking = (1..=seats).fold(1.0, |before, seats| next_blocking(before, seats, erlangs));
    queued(blocking, seats, erlangs)
}

/// Erlang's B for one seat more: no factorial, nothing that overflows.
fn next_blocking(before: f64, seats: u32, erlangs: f64) -> f64 {
    let offered = erlangs * before;
    offered / (f64::from(seats) + offered)
}

fn queued(blocking: f64, seats: u32, erlangs: f64) -> f64 {
    let seats = f64::from(seats);
    if erlangs >= seats {
        return 1.0;
    }
    seats * blocking / (seats - erlangs * (1.0 - blocking))
}

fn share(waiting: f64, seats: u32, load: &Load, wait: Duration) -> f64 {
    let spare = f64::from(seats) - load.erlangs();
    if spare <= 0.0 {
        return 0.0;
    }
    if load.taken.is_zero() {
        return 1.0;
    }
    1.0 - waiting * (-spare * wait.as_secs_f64() / load.taken.as_secs_f64()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formula as it is printed, with its sums.
    fn printed(seats: u32, erlangs: f64) -> f64 {
        let term = |n: u32| (1..=n).fold(1.0, |product, k| product * erlangs / f64::from(k));
        let last = term(seats) * f64::from(seats) / (f64::from(seats) - erlangs);
        last / ((0..seats).map(term).sum::<f64>() + last)
    }

    #[test]
    fn the_chance_of_waiting_is_that_of_the_tables() {
        // Values of the usual printed tables of Erlang C, to four places.
        for (seats, erlangs, expected) in [
            (1, 0.5, 0.5),
            (2, 1.0, 0.3333),
            (3, 2.0, 0.4444),
            (4, 3.0, 0.5094),
            (5, 4.0, 0.5541),
            (6, 5.0, 0.5875),
            (8, 5.0, 0.1673),
            (11, 10.0, 0.6821),
            (12, 10.0, 0.4494),
            (13, 10.0, 0.2853),
            (14, 10.0, 0.1741),
        ] {
            let found = waiting(seats, erlangs);
            assert!((found - expected).abs() < 0.00006, "C({seats}, {erlangs}) = {found}");
        }
        for seats in 1..=60 {
            for erlangs in [0.1, 0.9, 7.3, 20.0, 44.4] {
                if erlangs < f64::from(seats) {
                    let (found, expected) = (waiting(seats, erlangs), printed(seats, erlangs));
                    assert!((found - expected).abs() < 1e-9, "C({seats}, {erlangs}): {found}, {expected}");
                }
            }
        }
        assert_eq!(waiting(5, 5.0), 1.0, "with no seat to spare everybody waits");
        assert_eq!(waiting(0, 0.1), 1.0);
    }

    #[test]
    fn the_usual_example_of_a_call_center_comes_out() {
        // 100 calls in half an hour, three minutes each: 10 erlangs. 14 seats take 88.8 % within 20 s.
        let load = Load { calls_per_hour: 200, taken: Duration::from_secs(180) };
        let wait = Duration::from_secs(20);
        assert_eq!(load.erlangs(), 10.0);
        assert!((load.within(14, wait) - 0.888).abs() < 0.0005);
        assert_eq!(load.seats_for(0.8, wait), Some(14), "13 take 79.6 %");
        assert!((load.within(13, wait) - 0.7956).abs() < 0.0005);
        assert_eq!(load.within(10, wait), 0.0);
    }

    #[test]
    fn the_fewest_seats_are_the_fewest_and_the_extremes_end() {
        for calls in [1, 10, 60, 500, 5_000] {
            let load = Load { calls_per_hour: calls, taken: Duration::from_secs(210) };
            let wait = Duration::from_secs(15);
            let seats = load.seats_for(0.95, wait).expect("as many as it takes");
            assert!(load.within(seats, wait) >= 0.95 && load.within(seats - 1, wait) < 0.95, "{calls}");
        }
        let none = Load { calls_per_hour: 0, taken: Duration::from_secs(180) };
        assert_eq!(none.seats_for(0.95, Duration::ZERO), Some(1));
        let flood = Load { calls_per_hour: u32::MAX, taken: Duration::from_secs(86_400) };
        assert_eq!(flood.seats_for(0.95, Duration::ZERO), None);
        let short = Load { calls_per_hour: 10, taken: Duration::ZERO };
        assert_eq!(short.seats_for(0.99, Duration::ZERO), Some(1));
    }
}
