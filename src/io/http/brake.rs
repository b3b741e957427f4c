//! Wrong tokens: who tries many is not listened to for a while, by source.
//!
//! While a source is braked a wrong token is not told to be wrong. A right one is let through: behind one address may be
//! many clients, of which one has a token that is no longer good; and a token as long as the house asks for is guessed
//! by nobody.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::routing::security::Security;
use crate::sip::neighbourhood;

/// Sources that are known; all others together are as one.
const SOURCES_MAX: usize = 4_096;

/// Wrong tokens by source.
#[derive(Default)]
pub(super) struct Brake(Mutex<Sources>);

#[derive(Default)]
struct Sources {
    known: HashMap<IpAddr, Wrong>,
    others: Option<Wrong>,
}

/// What is held against a source: counted, not timed, so that it counts as well when a reload changes the bounds.
#[derive(Clone, Copy)]
struct Wrong {
    count: u32,
    /// The last of them was forgiven then, or the first came.
    since: Instant,
}

impl Wrong {
    fn none(now: Instant) -> Self {
        Wrong { count: 0, since: now }
    }

    /// One is forgiven each time that `every` is over.
    fn forgive(&mut self, every: Duration, now: Instant) {
        let spans = now.saturating_duration_since(self.since).as_nanos() / every.as_nanos().max(1);
        let spans = u32::try_from(spans).unwrap_or(u32::MAX);
        self.since = if spans < self.count { self.since + every * spans } else { now };
        self.count = self.count.saturating_sub(spans);
    }
}

impl Brake {
    /// How long this source must wait; `None`: it is listened to.
    pub(super) fn holds(&self, source: IpAddr, bounds: &Security, now: Instant) -> Option<Duration> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sources.known.get(&neighbourhood(source)).copied();
        let mut wrong = known.or(sources.others.filter(|_| sources.known.len() >= SOURCES_MAX))?;
        wrong.forgive(bounds.wrong_token_every, now);
        let over = wrong.count.checked_sub(bounds.wrong_tokens)?;
        let ends = wrong.since + bounds.wrong_token_every * over.saturating_add(1);
        Some(ends.saturating_duration_since(now))
    }

    /// It showed a wrong one.
    pub(super) fn wrong(&self, source: IpAddr, bounds: &Security, now: Instant) {
        let sources = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let every = bounds.wrong_token_every;
        if sources.known.len() >= SOURCES_MAX {
            sources.known.retain(|_, wrong| {
                wrong.forgive(every, now);
                wrong.count > 0
            });
        }
        let full = sources.known.len() >= SOURCES_MAX;
        let wrong = match sources.known.get_mut(&neighbourhood(source)) {
            Some(known) => known,
            None if full => sources.others.get_or_insert(Wrong::none(now)),
            None => sources.known.entry(neighbourhood(source)).or_insert(Wrong::none(now)),
        };
        wrong.forgive(every, now);
        // Two that are looked at together may both be wrong; more than the bound is nothing worse.
        wrong.count = (wrong.count + 1).min(bounds.wrong_tokens.max(wrong.count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Security = Security {
        guesses: 10,
        guess_span: AGAIN,
        wrong_tokens: BURST,
        wrong_token_every: AGAIN,
        messages_at_once: 2_000,
        messages_per_second: 100,
    };
    const BURST: u32 = 10;
    const AGAIN: Duration = Duration::from_secs(1);

    #[test]
    fn a_source_with_many_wrong_tokens_waits_and_others_do_not() {
        let (brake, now) = (Brake::default(), Instant::now());
        let [guesser, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        for _ in 0..BURST {
            assert_eq!(brake.holds(guesser, &BOUNDS, now), None);
            brake.wrong(guesser, &BOUNDS, now);
        }
        assert_eq!(
            (brake.holds(guesser, &BOUNDS, now), brake.holds(other, &BOUNDS, now)),
            (Some(AGAIN), None)
        );
        assert_eq!(brake.holds(guesser, &BOUNDS, now + AGAIN), None, "one more");
        brake.wrong(guesser, &BOUNDS, now + AGAIN);
        assert_eq!(brake.holds(guesser, &BOUNDS, now + AGAIN), Some(AGAIN));
        assert_eq!(brake.holds(guesser, &BOUNDS, now + 2 * BURST * AGAIN), None);
    }

    #[test]
    fn a_household_of_ipv6_is_one_source_and_memory_is_bounded() {
        let (brake, now) = (Brake::default(), Instant::now());
        for host in 0..BURST {
            brake.wrong(format!("2001:db8::{host:x}").parse().unwrap(), &BOUNDS, now);
        }
        assert!(brake.holds("2001:db8::ffff".parse().unwrap(), &BOUNDS, now).is_some());
        for source in 0..2 * SOURCES_MAX as u32 {
            brake.wrong(IpAddr::V4(source.into()), &BOUNDS, now);
        }
        assert_eq!(brake.0.lock().unwrap().known.len(), SOURCES_MAX);
        let stranger = "198.51.100.1".parse().unwrap();
        assert!(brake.holds(stranger, &BOUNDS, now).is_some(), "the table is full: strangers are as one");
        assert_eq!(brake.holds(stranger, &BOUNDS, now + AGAIN * BURST), None);
    }

    #[test]
    fn a_reload_moves_the_bounds_and_forgets_nothing_that_was_counted() {
        let (brake, now) = (Brake::default(), Instant::now());
        let guesser: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..4 {
            brake.wrong(guesser, &BOUNDS, now);
        }
        assert_eq!(brake.holds(guesser, &BOUNDS, now), None);
        let every = Duration::from_secs(60);
        let narrow = Security { wrong_tokens: 3, wrong_token_every: every, ..BOUNDS };
        assert_eq!(brake.holds(guesser, &narrow, now), Some(every * 2), "one too many is held against it");
        assert_eq!(brake.holds(guesser, &narrow, now + every), Some(every));
        assert_eq!(brake.holds(guesser, &narrow, now + every * 2), None);
        brake.wrong(guesser, &narrow, now + every * 2);
        assert_eq!(brake.holds(guesser, &narrow, now + every * 2), Some(every), "one each minute");
        assert_eq!(brake.holds(guesser, &BOUNDS, now + every * 2), None, "wider again");
    }
}
