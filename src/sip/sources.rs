//! What strangers may send: a bucket of tokens for each address that is no trunk's.
//!
//! It is asked before a message is read, so that a flood costs a look-up each and no parsing. A
//! telephone sends a few messages a minute; a desk of hundreds behind one address, when its power
//! comes back, a few thousand in ten seconds. What is over is dropped without a word and counted.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use super::config::Brakes;
use crate::time::Instant;

/// Addresses that have a bucket of their own; all others share one.
const SOURCES_MAX: usize = 4_096;
/// Between two looks for buckets that are full again and can go.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Tokens are counted in thousandths.
const TOKEN: u64 = 1_000;

/// The buckets.
#[derive(Debug)]
pub(super) struct Sources {
    rate: Rate,
    buckets: HashMap<IpAddr, Bucket>,
    /// For whoever finds no place in the table.
    shared: Bucket,
    swept: Instant,
}

/// What one address may send.
#[derive(Clone, Copy, Debug)]
struct Rate {
    at_once: u64,
    per_s: u64,
}

impl From<&Brakes> for Rate {
    fn from(brakes: &Brakes) -> Self {
        Rate { at_once: brakes.messages_at_once.into(), per_s: brakes.messages_per_s.into() }
    }
}

/// What was taken and not given back yet: the plan may change how much that is at most.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    taken: u64,
    at: Instant,
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Bucket { taken: 0, at: now }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let span = now.since(self.at).as_millis();
        // A thousandth of a token a millisecond for each token a second.
        let more = u64::try_from(span).unwrap_or(u64::MAX).saturating_mul(rate.per_s);
        if more > 0 {
            self.taken = self.taken.saturating_sub(more);
            self.at = now;
        }
    }

    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        let taken = self.taken + TOKEN;
        let admitted = taken <= rate.at_once * TOKEN;
        if admitted {
            self.taken = taken;
        }
        admitted
    }
}

impl Sources {
    pub(super) fn new(now: Instant) -> Self {
        Sources {
            rate: Rate::from(&Brakes::default()),
            buckets: HashMap::new(),
            shared: Bucket::full(now),
            swept: now,
        }
    }

    /// Takes the bounds of a plan. What was sent counts on.
    pub(super) fn configure(&mut self, brakes: &Brakes) {
        self.rate = Rate::from(brakes);
    }

    /// Whether one more message from this address is read.
    pub(super) fn admit(&mut self, source: IpAddr, now: Instant) -> bool {
        let (key, rate) = (neighbourhood(source), self.rate);
        if let Some(bucket) = self.buckets.get_mut(&key) {
            return bucket.take(rate, now);
        }
        if self.buckets.len() >= SOURCES_MAX && now.since(self.swept) >= SWEEP_EVERY {
            self.swept = now;
            self.buckets.retain(|_, bucket| {
                bucket.fill(rate, now);
                bucket.taken > 0
            });
        }
        if self.buckets.len() >= SOURCES_MAX {
            return self.shared.take(rate, now);
        }
        let mut bucket = Bucket::full(now);
        let admitted = bucket.take(rate, now);
        self.buckets.insert(key, bucket);
        admitted
    }
}

/// What counts as one source: whoever has an IPv6 address has its 2^64 neighbours, a /64, as well.
pub fn neighbourhood(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn admitted(sources: &mut Sources, source: IpAddr, count: usize, now: Instant) -> usize {
        (0..count).filter(|_| sources.admit(source, now)).count()
    }

    #[test]
    fn a_flood_is_cut_to_the_rate_and_its_neighbour_is_not() {
        let mut sources = Sources::new(at(0));
        let (flood, desk) = (ip("203.0.113.7"), ip("203.0.113.8"));
        assert_eq!(admitted(&mut sources, flood, 10_000, at(0)), 2_000);
        assert_eq!(admitted(&mut sources, flood, 10_000, at(1_000)), 100);
        assert_eq!(admitted(&mut sources, flood, 1, at(1_005)), 0);
        assert_eq!(admitted(&mut sources, flood, 1, at(1_010)), 1);
        assert_eq!(admitted(&mut sources, desk, 10, at(1_010)), 10);
        assert_eq!(admitted(&mut sources, flood, 10_000, at(60_000)), 2_000);
    }

    #[test]
    fn an_ipv6_neighbourhood_and_a_mapped_address_are_one_source() {
        let mut sources = Sources::new(at(0));
        let sent: usize =
            (0..5_000).filter(|n| sources.admit(ip(&format!("2001:db8::{n:x}")), at(0))).count();
        assert_eq!(sent, 2_000);
        assert!(sources.admit(ip("2001:db8:0:1::1"), at(0)));
        assert_eq!(admitted(&mut sources, ip("203.0.113.7"), 2_000, at(0)), 2_000);
        assert!(!sources.admit(ip("::ffff:203.0.113.7"), at(0)));
    }

    #[test]
    fn more_addresses_than_there_are_buckets_share_one_until_buckets_are_full_again() {
        let mut sources = Sources::new(at(0));
        let forged = |n: u32| IpAddr::from(n.to_be_bytes());
        let count = u32::try_from(SOURCES_MAX).unwrap();
        assert!((0..count).all(|n| sources.admit(forged(n), at(0))));
        let rest = (count..count + 10_000).filter(|n| sources.admit(forged(*n), at(500))).count();
        assert_eq!((rest, sources.buckets.len()), (2_000, SOURCES_MAX));
        assert!(sources.admit(forged(u32::MAX), at(1_500)));
        assert_eq!(sources.buckets.len(), 1, "what was full again is gone");
    }

    #[test]
    fn another_plan_moves_the_bounds_and_what_was_sent_counts_on() {
        let mut sources = Sources::new(at(0));
        let (flood, desk) = (ip("203.0.113.7"), ip("203.0.113.8"));
        assert_eq!(admitted(&mut sources, flood, 1_500, at(0)), 1_500);
        let narrow = Brakes { messages_at_once: 1_000, messages_per_s: 10, ..Brakes::default() };
        sources.configure(&narrow);
        assert_eq!(admitted(&mut sources, flood, 1, at(0)), 0, "it has had more than that");
        assert_eq!(admitted(&mut sources, desk, 2_000, at(0)), 1_000);
        assert_eq!(admitted(&mut sources, desk, 100, at(1_000)), 10);
        assert_eq!(admitted(&mut sources, flood, 1, at(1_000)), 0);
        sources.configure(&Brakes { messages_at_once: 5_000, ..narrow });
        assert_eq!(admitted(&mut sources, flood, 5_000, at(1_000)), 3_510);
    }
}
