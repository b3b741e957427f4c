//! When: instants, the pair of clocks that every machine is handed, and timers as data.
//!
//! Nothing here reads a clock; `io` does, once per turn.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::hash::Hash;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

pub use jiff::Timestamp;

/// A point on the monotonic clock, nanoseconds since an arbitrary start. Every timer runs on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

// Inlined by word: whoever handles packets and messages is in another crate.
impl Instant {
    /// The start of the clock.
    pub const ZERO: Instant = Instant(0);

    /// `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Instant(nanos)
    }

    /// `millis` milliseconds after the start.
    pub const fn from_millis(millis: u64) -> Self {
        Instant(millis * 1_000_000)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time since `earlier`; zero where `earlier` is later.
    #[inline]
    pub fn since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    #[inline]
    fn add(self, after: Duration) -> Instant {
        Instant(self.0.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for Instant {
    #[inline]
    fn add_assign(&mut self, after: Duration) {
        *self = *self + after;
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;
    #[inline]
    fn sub(self, earlier: Instant) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Duration::from_nanos(self.0))
    }
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For timers and durations: never jumps.
    pub mono: Instant,
    /// For calendars and records: may jump, and may be shifted by `--clock`.
    pub wall: Timestamp,
}

/// The few timers of one small machine: a timer per letter, the earliest found by looking.
#[derive(Debug, Clone)]
pub struct Timers<K> {
    set: Vec<(Instant, K)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Timers { set: Vec::new() }
    }
}

impl<K: Copy + PartialEq> Timers<K> {
    /// Sets `timer` to `at`, in place of its earlier setting.
    pub fn set(&mut self, timer: K, at: Instant) {
        match self.set.iter_mut().find(|(_, set)| *set == timer) {
            Some(entry) => entry.0 = at,
            None => self.set.push((at, timer)),
        }
    }

    /// Forgets `timer`.
    pub fn cancel(&mut self, timer: K) {
        self.set.retain(|(_, set)| *set != timer);
    }

    /// Forgets all timers.
    pub fn clear(&mut self) {
        self.set.clear();
    }

    /// When `timer` is due, if it is set.
    pub fn due(&self, timer: K) -> Option<Instant> {
        self.set.iter().find(|(_, set)| *set == timer).map(|(at, _)| *at)
    }

    /// The earliest setting.
    pub fn next(&self) -> Option<Instant> {
        self.set.iter().map(|(at, _)| *at).min()
    }

    /// Takes the earliest timer that is due; of several with one setting, the one set first.
    pub fn take_due(&mut self, now: Instant) -> Option<K> {
        let (index, _) =
            self.set.iter().enumerate().filter(|(_, (at, _))| *at <= now).min_by_key(|(_, (at, _))| *at)?;
        Some(self.set.remove(index).1)
    }
}

/// The timers of an owner with many machines: one setting per key, kept in a heap whose stale
/// entries are skipped when they surface.
///
/// Memory: at most one live and, between two clean-ups, as many stale entries as live ones.
#[derive(Debug)]
pub struct Agenda<K> {
    heap: BinaryHeap<Reverse<(Instant, u64)>>,
    live: HashMap<K, (Instant, u64)>,
    keys: HashMap<u64, K>,
    drawn: u64,
}

impl<K> Default for Agenda<K> {
    fn default() -> Self {
        Agenda { heap: BinaryHeap::new(), live: HashMap::new(), keys: HashMap::new(), drawn: 0 }
    }
}

impl<K: Clone + Eq + Hash> Agenda<K> {
    /// Says when `key` next wants to be woken; `None` takes it off.
    pub fn set(&mut self, key: &K, at: Option<Instant>) {
        let standing = self.live.get(key).map(|(at, _)| *at);
        if standing == at {
            return;
        }
        if let Some((_, ticket)) = self.live.remove(key) {
            self.keys.remove(&ticket);
        }
        let Some(at) = at else { return };
        self.drawn += 1;
        self.live.insert(key.clone(), (at, self.drawn));
        self.keys.insert(self.drawn, key.clone());
        self.heap.push(Reverse((at, self.drawn)));
        if self.heap.len() > 64 && self.heap.len() > 2 * self.live.len() {
            let keys = &self.keys;
            self.heap.retain(|Reverse((_, ticket))| keys.contains_key(ticket));
        }
    }

    /// When `key` wants to be woken, if it does.
    pub fn due(&self, key: &K) -> Option<Instant> {
        self.live.get(key).map(|(at, _)| *at)
    }

    /// The earliest setting.
    #[expect(clippy::should_implement_trait, reason = "an agenda is no iterator: looking takes nothing off")]
    pub fn next(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, ticket))) = self.heap.peek() {
            if self.keys.contains_key(ticket) {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes the earliest key that is due; ties in the order they were set.
    pub fn take_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, ticket)) = self.heap.pop()?;
        let key = self.keys.remove(&ticket)?;
        self.live.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn timers_come_due_in_order_and_once() {
        let mut timers = Timers::default();
        timers.set('b', at(20));
        timers.set('a', at(10));
        timers.set('b', at(15));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.take_due(at(15)), Some('a'));
        assert_eq!(timers.take_due(at(15)), Some('b'));
        assert_eq!(timers.take_due(at(99)), None);
    }

    #[test]
    fn an_agenda_keeps_one_setting_per_key() {
        let mut agenda = Agenda::default();
        for round in 0..1_000 {
            agenda.set(&"moved", Some(at(round)));
        }
        agenda.set(&"dropped", Some(at(1)));
        agenda.set(&"dropped", None);
        assert_eq!((agenda.due(&"moved"), agenda.due(&"dropped")), (Some(at(999)), None));
        assert!(agenda.heap.len() < 130, "stale entries are cleaned up");
        assert_eq!(agenda.take_due(at(998)), None);
        assert_eq!(agenda.take_due(at(999)), Some("moved"));
        assert_eq!(agenda.next(), None);
    }
}
