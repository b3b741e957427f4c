//! The line of callers and the seats that serve it, as they are seen from outside: who waits, who was
//! overtaken, how long a free seat waited for its INVITE.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::figures::{micros, note};
use super::lobby::Guest;
use crate::time::Instant;

/// Who was answered so little later may have joined sooner: greetings end by the server's own beat.
const TOGETHER: Duration = Duration::from_millis(250);

/// A caller in line.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    joined: Instant,
    measured: bool,
    overtaken: bool,
}

/// See the module's own words.
pub struct InLine {
    /// Callers join no later than this after their answer.
    greeting: Duration,
    /// Seats are free so long after their calls.
    wrap_up: Option<Duration>,
    /// By their calls.
    waiting: BTreeMap<u64, Waiting>,
    /// When each seat's last call was over.
    over: BTreeMap<Guest, Instant>,
    /// Callers whom each seat answered.
    calls: BTreeMap<Guest, u64>,
    /// From a caller's answer to that of the seat.
    pub waits: Histogram<u64>,
    /// From when a seat was free for a caller in line to its INVITE.
    pub offers: Histogram<u64>,
    pub overtaken: u64,
    /// Callers who reached a seat.
    pub served: u64,
    /// Those of the second under way.
    pub served_now: u64,
    /// Gave up unasked.
    pub abandoned: u64,
    /// Sent away by the server without a seat.
    pub turned_away: u64,
    /// Their clerk had hung up, and the server did not end the call in time.
    pub not_released: u64,
}

impl InLine {
    pub fn new(greeting: Duration, wrap_up: Option<Duration>) -> Self {
        InLine {
            greeting,
            wrap_up,
            waiting: BTreeMap::new(),
            over: BTreeMap::new(),
            calls: BTreeMap::new(),
            waits: micros(),
            offers: micros(),
            overtaken: 0,
            served: 0,
            served_now: 0,
            abandoned: 0,
            turned_away: 0,
            not_released: 0,
        }
    }

    /// A seat is there; it has had no calls.
    pub fn seat(&mut self, seat: Guest) {
        self.calls.insert(seat, 0);
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// A caller was answered, and waits.
    pub fn join(&mut self, call: u64, at: Instant, measured: bool) {
        self.waiting.insert(call, Waiting { joined: at, measured, overtaken: false });
    }

    /// A caller waits no more, however that came about.
    pub fn leave(&mut self, call: u64) {
        self.waiting.remove(&call);
    }

    /// A seat is called for one of those who wait.
    pub fn offered(&mut self, seat: Guest, call: u64, at: Instant) {
        let Some(caller) = self.waiting.get(&call).copied() else { return };
        for other in self.waiting.values_mut() {
            let sooner = other.joined + TOGETHER < caller.joined;
            if sooner && !std::mem::replace(&mut other.overtaken, true) {
                self.overtaken += u64::from(other.measured);
            }
        }
        let Some(free) = self.wrap_up.and_then(|wrap_up| Some(*self.over.get(&seat)? + wrap_up)) else {
            return;
        };
        if caller.measured && caller.joined + self.greeting <= free && free <= at {
            note(&mut self.offers, at.since(free));
        }
    }

    /// The seat answered.
    pub fn answered(&mut self, seat: Guest, call: u64, at: Instant) {
        *self.calls.entry(seat).or_default() += 1;
        let Some(caller) = self.waiting.remove(&call) else { return };
        self.served_now += 1;
        if caller.measured {
            self.served += 1;
            note(&mut self.waits, at.since(caller.joined));
        }
    }

    /// A seat's call was over then.
    pub fn freed(&mut self, seat: Guest, at: Instant) {
        self.over.insert(seat, at);
    }

    /// Seats, and the fewest and the most calls that one of them had.
    pub fn fairness(&self) -> (u64, u64, u64) {
        let calls = || self.calls.values().copied();
        (self.calls.len() as u64, calls().min().unwrap_or(0), calls().max().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Instant {
        Instant::from_millis(10_000 + ms)
    }

    fn line() -> InLine {
        let mut line = InLine::new(Duration::from_secs(1), Some(Duration::from_secs(2)));
        line.seat(7);
        line.seat(8);
        line
    }

    #[test]
    fn callers_are_overtaken_by_who_came_later_and_only_once() {
        let mut line = line();
        for (call, at) in [(0, 0), (1, 100), (2, 1_000), (3, 2_000)] {
            line.join(call, ms(at), true);
        }
        line.offered(7, 1, ms(3_000));
        assert_eq!(line.overtaken, 0, "so soon after the first, it may have been before");
        line.answered(7, 1, ms(3_100));
        line.offered(8, 3, ms(3_200));
        line.answered(8, 3, ms(3_200));
        assert_eq!(line.overtaken, 2);
        line.offered(7, 2, ms(9_000));
        assert_eq!((line.overtaken, line.len(), line.served), (2, 2, 2));
        line.leave(0);
        assert_eq!((line.len(), line.fairness()), (1, (2, 1, 1)));
        assert_eq!(
            (line.waits.len(), line.waits.min()),
            (2, 1_200_000 - 1_200_000 % 1_024),
            "1.2 s of the last"
        );
    }

    #[test]
    fn an_offer_counts_from_when_the_seat_was_free_for_somebody_who_waited() {
        let mut line = line();
        line.join(0, ms(0), true);
        line.join(1, ms(4_500), true);
        line.join(2, ms(0), false);
        line.offered(7, 0, ms(1_000));
        assert_eq!(line.offers.len(), 0, "nobody knows since when this seat was free");
        line.freed(7, ms(3_000));
        line.offered(7, 0, ms(5_020));
        assert_eq!((line.offers.len(), line.offers.max()), (1, 20_015), "20 ms, as the histogram has it");
        line.offered(7, 1, ms(5_600));
        line.offered(7, 2, ms(5_600));
        line.offered(7, 0, ms(4_000));
        assert_eq!(line.offers.len(), 1, "in the greeting; of the warm-up; before the seat was free");
    }
}
