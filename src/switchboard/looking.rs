//! Questions of flows to adapters: who may ask, and whose answers are waited for.
//!
//! A ticket's progress is told to whoever knows its number and its code, so codes must not be guessed. Of each
//! source one caller's number gets so many answers "nothing by that" within a time, and is then asked no more
//! for that time; numbers that are withheld count as one for each trunk. A question under way counts as such
//! an answer until it is known to be none: who asks on many lines at once gets no more than who asks on one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fact::{Party, What};
use super::{Output, Switchboard};
use crate::call::{Input, LookedUp};
use crate::id::{CallId, LookUpId, TrunkId, mask};
use crate::routing::script::LookUpSource;
use crate::time::{Instant, Now};

/// Numbers whose misses are known. While there are as many, a further one counts with the withheld numbers of
/// its trunk: whoever makes up numbers to be forgotten gets fewer guesses by it, not more.
const ASKERS_MAX: usize = 16_384;
/// Longest number that counts by itself, characters; no telephone has a longer one (E.164 has 15 digits).
const NUMBER_MAX: usize = 20;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    /// A caller, by the number in one form.
    Number(String),
    /// All of a trunk who withhold theirs, or whose own is not kept.
    Trunk(TrunkId),
}

type Key = (LookUpId, Asker);

/// What one asker has got of one source.
#[derive(Debug)]
struct Misses {
    count: u8,
    /// Since the first of them, or, where there are too many, since the last.
    since: Instant,
    /// Questions under way.
    open: u8,
}

/// The question that a call waits for.
#[derive(Debug)]
pub(super) struct Asking {
    asked: u32,
    key: Key,
}

/// Who asked in vain how often.
#[derive(Debug, Default)]
pub(super) struct Lookings {
    askers: BTreeMap<Key, Misses>,
}

impl Lookings {
    /// Lets a question through, under this key; `None`: locked.
    fn begin(&mut self, source: &LookUpSource, asker: Asker, trunk: &TrunkId, now: Instant) -> Option<Key> {
        let mut key = (source.id.clone(), asker);
        if !self.askers.contains_key(&key) && matches!(key.1, Asker::Number(_)) {
            if self.askers.len() >= ASKERS_MAX {
                self.forget(source, now);
            }
            if self.askers.len() >= ASKERS_MAX {
                key.1 = Asker::Trunk(trunk.clone());
            }
        }
        let fresh = Misses { count: 0, since: now, open: 0 };
        let misses = self.askers.entry(key.clone()).or_insert(fresh);
        misses.lapse(source.lock, now);
        if misses.count.saturating_add(misses.open) >= source.misses_max.max(1) {
            return None;
        }
        misses.open += 1;
        Some(key)
    }

    /// A question is over. `missed`: there is nothing by that.
    fn end(&mut self, key: &Key, missed: bool, most: u8, lock: Duration, now: Instant) {
        let Some(misses) = self.askers.get_mut(key) else { return };
        misses.open = misses.open.saturating_sub(1);
        misses.lapse(lock, now);
        if missed {
            if misses.count == 0 || misses.count.saturating_add(1) >= most.max(1) {
                misses.since = now;
            }
            misses.count = misses.count.saturating_add(1);
        }
        if misses.count == 0 && misses.open == 0 {
            self.askers.remove(key);
        }
    }

    /// Whose time at this source is over.
    fn forget(&mut self, source: &LookUpSource, now: Instant) {
        self.askers.retain(|(of, _), misses| {
            if *of == source.id {
                misses.lapse(source.lock, now);
            }
            misses.count > 0 || misses.open > 0
        });
    }

    /// Whether nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.askers.values().all(|misses| misses.open == 0)
    }
}

impl Misses {
    fn lapse(&mut self, lock: Duration, now: Instant) {
        if now.since(self.since) > lock {
            self.count = 0;
        }
    }
}

impl Switchboard {
    /// A call asks: out with the question, unless the caller has asked in vain too often.
    pub(super) fn look_up(
        &mut self,
        call: CallId,
        asked: u32,
        source: LookUpId,
        by: BTreeMap<String, String>,
        now: Now,
    ) {
        self.looking_over(call, false, now);
        let Some(entry) = self.calls.get_mut(&call) else { return };
        let plan = entry.call.plan().clone();
        let Some(rules) = plan.look_ups.get(&source) else {
            return self.tell_call(call, Input::LookedUp { asked, said: LookedUp::Failed });
        };
        let asker = asker(&entry.caller, &entry.way, &plan.city);
        match self.lookings.begin(rules, asker, &entry.way, now.mono) {
            Some(key) => {
                entry.asking = Some(Asking { asked, key });
                self.outputs.push_back(Output::LookUp { call, asked, source, by });
            }
            None => {
                tracing::warn!(%call, %source, "a caller who asked in vain too often is not answered");
                self.tell_call(call, Input::LookedUp { asked, said: LookedUp::Locked });
            }
        }
    }

    /// An adapter has answered. Nobody waits for an answer of an earlier question, or of a call that is over.
    pub(super) fn looked_up(&mut self, call: CallId, asked: u32, said: LookedUp, now: Now) {
        let awaited =
            |entry: &super::Entry| entry.asking.as_ref().is_some_and(|asking| asking.asked == asked);
        if !self.calls.get(&call).is_some_and(awaited) {
            return tracing::debug!(%call, asked, "an answer that nobody waits for");
        }
        self.looking_over(call, said == LookedUp::Missing, now);
        self.tell_call(call, Input::LookedUp { asked, said });
    }

    /// The question that a call waited for, if any, is over.
    pub(super) fn looking_over(&mut self, call: CallId, missed: bool, now: Now) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        let Some(Asking { key, .. }) = entry.asking.take() else { return };
        if let Some(rules) = entry.call.plan().look_ups.get(&key.0) {
            self.lookings.end(&key, missed, rules.misses_max, rules.lock, now.mono);
        }
    }
}

/// Takes numbers that a flow rang, and that are nobody's to know, out of a fact: as much as a log may show
/// stays.
pub(super) fn hide(what: &mut What, hidden: &[String]) {
    let told = match what {
        What::PeerDialled { number, .. }
        | What::PeerAnswered { number, .. }
        | What::PeerFailed { number, .. }
        | What::PeerLeft { number, .. }
        | What::SoundMissing { party: Party::Peer { number, .. }, .. }
        | What::LegClosed { party: Party::Peer { number, .. }, .. } => number,
        _ => return,
    };
    if hidden.contains(told) {
        let shown = mask(told).to_string();
        *told = shown;
    }
}

/// By what a caller's misses are counted: one form of the number, however a carrier writes it.
fn asker(caller: &str, trunk: &TrunkId, city: &crate::routing::plan::City) -> Asker {
    let digits = caller.strip_prefix('+').unwrap_or(caller);
    let is_number =
        !digits.is_empty() && digits.len() <= NUMBER_MAX && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Asker::Trunk(trunk.clone());
    }
    let forms = city.caller_forms(caller);
    // The last is that without country and zero, where the number is of this country.
    Asker::Number(forms.last().map_or(caller, |form| form.as_ref()).to_owned())
}

#[cfg(test)]
#[path = "looking_test.rs"]
mod tests;
