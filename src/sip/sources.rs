//! What strangers may send: a bucket of tokens for each address that is no trunk's.
//!
//! It is asked before a message is read, so that a flood costs a look-up each and no parsing. A
//! telephone sends a few messages a minute; a desk of hundreds behind one address, when its power
//! comes back, a few thousand in ten seconds. What is over is dropped without a word and counted.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::time::Instant;

/// Messages that one address may send in a second, once its burst is used up.
const RATE_PER_S: u64 = 100;
/// Messages at once.
const BURST: u64 = 2_000;
/// Addresses that have a bucket of their own; all others share one.
const SOURCES_MAX: usize = 4_096;
/// Between two looks for buckets that are full again and can go.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Tokens are counted in thousandths.
const TOKEN: u64 = 1_000;

/// The buckets.
#[derive(Debug)]
pub(super) struct Sources {
    buckets: HashMap<IpAddr, Bucket>,
    /// For whoever finds no place in the table.
    shared: Bucket,
    swept: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: u64,
    at: Instant,
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Bucket { tokens: BURST * TOKEN, at: now }
    }

    fn fill(&mut self, now: Instant) {
        let span = now.since(self.at).as_millis();
        // A thousandth of a token a millisecond for each token a second.
        let more = u64::try_from(span).unwrap_or(u64::MAX).saturating_mul(RATE_PER_S);
        if more > 0 {
            self.tokens = self.tokens.saturating_add(more).min(BURST * TOKEN);
            self.at = now;
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        self.fill(now);
        let left = self.tokens.checked_sub(TOKEN);
        self.tokens = left.unwrap_or(self.tokens);
        left.is_some()
    }
}

impl Sources {
    pub(super) fn new(now: Instant) -> Self {
        Sources { buckets: HashMap::new(), shared: Bucket::full(now), swept: now }
    }

    /// Whether one more message from this address is read.
    pub(super) fn admit(&mut self, source: IpAddr, now: Instant) -> bool {
        let key = key(source);
        if let Some(bucket) = self.buckets.get_mut(&key) {
            return bucket.take(now);
        }
        if self.buckets.len() >= SOURCES_MAX && now.since(self.swept) >= SWEEP_EVERY {
            self.swept = now;
            self.buckets.retain(|_, bucket| {
                bucket.fill(now);
                bucket.tokens < BURST * TOKEN
            });
        }
        if self.buckets.len() >= SOURCES_MAX {
            return self.shared.take(now);
        }
        let mut bucket = Bucket::full(now);
        let admitted = bucket.take(now);
        self.buckets.insert(key, bucket);
        admitted
    }
}

/// Whoever has an IPv6 address has its 2^64 neighbours as well.
fn key(source: IpAddr) -> IpAddr {
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
}
