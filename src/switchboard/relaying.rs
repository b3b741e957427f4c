//! How often flows ring people whose numbers callers do not know (挪车): each time is a call at the city's cost,
//! and a telephone that rings.
//!
//! One number is rung so often at most within a time, whoever calls; and for one caller so often at most, whoever
//! is rung. Whoever withholds the number counts with all who do on that trunk. Beyond that the flow goes on as if
//! nobody had answered.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Switchboard;
use super::looking::{Asker, asker};
use crate::call::Input;
use crate::id::{CallId, mask};
use crate::time::{Instant, Now};

/// Numbers, and likewise callers, of whom it is known. While there are as many, nobody further is rung: each of
/// them was, within the time.
const KNOWN_MAX: usize = 16_384;

/// Until when each time counts, the oldest first; as many as the step allows at most.
#[derive(Debug)]
struct Times<K>(BTreeMap<K, VecDeque<Instant>>);

impl<K> Default for Times<K> {
    fn default() -> Self {
        Times(BTreeMap::new())
    }
}

impl<K: Ord> Times<K> {
    /// Whether this one may be counted once more.
    fn has_room(&mut self, of: &K, most: u8, now: Instant) -> bool {
        if let Some(times) = self.0.get_mut(of) {
            times.retain(|until| *until > now);
            return times.len() < usize::from(most);
        }
        if self.0.len() >= KNOWN_MAX {
            self.0.retain(|_, times| {
                times.retain(|until| *until > now);
                !times.is_empty()
            });
        }
        self.0.len() < KNOWN_MAX && most > 0
    }

    fn count(&mut self, of: K, until: Instant) {
        self.0.entry(of).or_default().push_back(until);
    }
}

/// Who was rung for whom, lately.
#[derive(Debug, Default)]
pub(super) struct Relays {
    callers: Times<Asker>,
    numbers: Times<String>,
}

impl Relays {
    /// Whether this number may be rung for this caller; if so, it counts.
    fn may(&mut self, caller: Asker, number: &str, (most, within): (u8, Duration), now: Instant) -> bool {
        let number = number.to_owned();
        let may = self.callers.has_room(&caller, most, now) && self.numbers.has_room(&number, most, now);
        if may {
            self.callers.count(caller, now + within);
            self.numbers.count(number, now + within);
        }
        may
    }
}

impl Switchboard {
    /// A call wants to ring this number for its caller, neither of whom is to see the other's.
    pub(super) fn relay(&mut self, id: CallId, number: String, bound: (u8, Duration), now: Now) {
        let Some(entry) = self.calls.get_mut(&id) else { return };
        let caller = asker(&entry.caller, &entry.way, &entry.call.plan().city);
        let may = self.relays.may(caller, &number, bound, now.mono);
        if !may {
            tracing::warn!(call = %id, number = %mask(&number), "not rung for a caller: too often of late");
        } else if !entry.hidden.contains(&number) {
            entry.hidden.push(number);
        }
        self.tell_call(id, Input::RelayJudged { may });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(1_800);

    fn at(secs: u64) -> Instant {
        Instant::from_millis(secs * 1_000)
    }

    fn number(digits: &str) -> Asker {
        Asker::Number(digits.to_owned())
    }

    #[test]
    fn one_number_is_rung_so_often_and_for_one_caller_row_by_row() {
        let mut relays = Relays::default();
        for (secs, caller, rung, may) in [
            (0, "1", "a", true),
            (10, "1", "a", true),
            (20, "2", "a", true),
            (30, "3", "a", false), // Whoever calls.
            (40, "1", "b", true),
            (50, "1", "c", false), // Whoever is rung.
            (60, "2", "c", true),
            (1_799, "3", "a", false),
            (1_800, "3", "a", true), // The first is half an hour ago.
            (1_801, "3", "a", false),
            (1_810, "4", "a", true),
        ] {
            assert_eq!(
                relays.may(number(caller), rung, (3, WITHIN), at(secs)),
                may,
                "{caller} {rung} at {secs} s"
            );
        }
        let mut withheld = || relays.may(Asker::Trunk("carrier".into()), "z", (1, WITHIN), at(0));
        assert_eq!((withheld(), withheld()), (true, false));
        assert!(!Relays::default().may(number("1"), "a", (0, WITHIN), at(0)));
    }

    #[test]
    fn while_it_is_full_nobody_further_is_rung_and_then_there_is_room_again() {
        let mut relays = Relays::default();
        for n in 0..KNOWN_MAX {
            assert!(relays.may(number(&n.to_string()), &n.to_string(), (3, WITHIN), at(0)));
        }
        assert!(!relays.may(number("new"), "new", (3, WITHIN), at(1)));
        assert!(relays.may(number("7"), "7", (3, WITHIN), at(1)));
        assert!(relays.may(number("new"), "new", (3, WITHIN), at(1_800)));
        assert_eq!((relays.callers.0.len(), relays.numbers.0.len()), (2, 2));
    }
}
