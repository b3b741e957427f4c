//! Wrong tokens: who tries many is not listened to for a while, by source.
//!
//! While a source is braked a wrong token is not told to be wrong. A right one is let through: behind one address may be
//! many clients, of which one has a token that is no longer good; and a token as long as the house asks for is guessed
//! by nobody.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong tokens at once.
const BURST: u32 = 10;
/// One more may be tried after so long.
const AGAIN: Duration = Duration::from_secs(1);
/// Sources that are known; all others together are as one.
const SOURCES_MAX: usize = 4_096;

/// Wrong tokens by source.
#[derive(Default)]
pub(super) struct Brake(Mutex<Sources>);

#[derive(Default)]
struct Sources {
    /// When the wrong tokens of each will have been forgotten.
    known: HashMap<IpAddr, Instant>,
    others: Option<Instant>,
}

impl Brake {
    /// How long this source must wait; `None`: it is listened to.
    pub(super) fn holds(&self, source: IpAddr, now: Instant) -> Option<Duration> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sources.known.get(&net(source)).copied();
        let forgotten = known.or(sources.others.filter(|_| sources.known.len() >= SOURCES_MAX))?;
        let left = forgotten.saturating_duration_since(now);
        let most = AGAIN * (BURST - 1);
        (left > most).then(|| left - most)
    }

    /// It showed a wrong one.
    pub(super) fn wrong(&self, source: IpAddr, now: Instant) {
        let sources = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.known.len() >= SOURCES_MAX {
            sources.known.retain(|_, forgotten| *forgotten > now);
        }
        let full = sources.known.len() >= SOURCES_MAX;
        let forgotten = match sources.known.get_mut(&net(source)) {
            Some(known) => known,
            None if full => sources.others.get_or_insert(now),
            None => sources.known.entry(net(source)).or_insert(now),
        };
        *forgotten = ((*forgotten).max(now) + AGAIN).min(now + AGAIN * BURST);
    }
}

/// A household has a /64 of IPv6 to itself: it is one source.
pub(super) fn net(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_with_many_wrong_tokens_waits_and_others_do_not() {
        let (brake, now) = (Brake::default(), Instant::now());
        let [guesser, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        for _ in 0..BURST {
            assert_eq!(brake.holds(guesser, now), None);
            brake.wrong(guesser, now);
        }
        assert_eq!((brake.holds(guesser, now), brake.holds(other, now)), (Some(AGAIN), None));
        assert_eq!(brake.holds(guesser, now + AGAIN), None, "one more");
        brake.wrong(guesser, now + AGAIN);
        assert_eq!(brake.holds(guesser, now + AGAIN), Some(AGAIN));
        assert_eq!(brake.holds(guesser, now + 2 * BURST * AGAIN), None);
    }

    #[test]
    fn a_household_of_ipv6_is_one_source_and_memory_is_bounded() {
        let (brake, now) = (Brake::default(), Instant::now());
        for host in 0..BURST {
            brake.wrong(format!("2001:db8::{host:x}").parse().unwrap(), now);
        }
        assert!(brake.holds("2001:db8::ffff".parse().unwrap(), now).is_some());
        for source in 0..2 * SOURCES_MAX as u32 {
            brake.wrong(IpAddr::V4(source.into()), now);
        }
        assert_eq!(brake.0.lock().unwrap().known.len(), SOURCES_MAX);
        let stranger = "198.51.100.1".parse().unwrap();
        assert!(brake.holds(stranger, now).is_some(), "the table is full: strangers are as one");
        assert_eq!(brake.holds(stranger, now + AGAIN * BURST), None);
    }
}
