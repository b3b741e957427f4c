//! Questions of flows to adapters: who may ask, and whose answers are waited for.
//!
//! A ticket's progress is told to whoever knows its number and its code, so codes must not be guessed. Of each
//! source one caller's number gets so many answers "nothing by that" within a time, and is then asked no more
//! for that time; numbers that are withheld count as one for each trunk. A caller's number is what the
//! caller's side says it is, so where a code is asked for the ticket counts as well, whoever asks about it: with
//! twice as many misses, so that nobody alone locks out whose ticket it is. A question under way counts as such an answer until it is known to be none: who asks on many lines at once
//! gets no more than who asks on one.
//!
//! Who is locked out is not refused: the flow goes on to a person. After a restart all is as it was, by the
//! facts of the calls that asked in vain.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::fact::{Answer, Fact, Party, What};
use super::{Output, Switchboard};
use crate::call::{Input, LookedUp};
use crate::id::{CallId, LookUpId, TrunkId, mask};
use crate::routing::plan::City;
use crate::routing::script::{CODE, LookUpSource};
use crate::time::{Instant, Now};

/// Numbers, and likewise tickets, whose misses are known. While there are as many, a further number counts
/// with the withheld ones of its trunk, and a further ticket with all others that are not known: whoever
/// makes up numbers to be forgotten gets fewer guesses by it, not more.
const ASKERS_MAX: usize = 16_384;
/// Longest number that counts by itself, characters; no telephone has a longer one (E.164 has 15 digits).
const NUMBER_MAX: usize = 20;
/// So many times the misses of one caller lock a ticket.
const CALLERS_OF_TICKET: u8 = 2;
/// Bytes of a digest that tell one ticket from another.
const ABOUT_BYTES: usize = 12;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asker {
    /// A caller, by the number in one form.
    Number(String),
    /// All of a trunk who withhold theirs, or whose own is not kept.
    Trunk(TrunkId),
}

/// About what is asked with a code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// A ticket, by a digest of what it is asked for by.
    This(String),
    /// All whose own misses are not kept.
    Others,
}

/// What one asker has got of one source, or what was got about one ticket.
#[derive(Debug)]
struct Misses {
    count: u8,
    /// Until when they count: so long after the first of them, or, where there are too many, after the last.
    until: Instant,
    /// Questions under way.
    open: u8,
}

/// Misses by whom they are counted.
#[derive(Debug)]
struct Tally<K>(BTreeMap<(LookUpId, K), Misses>);

/// Under which keys a question under way counts.
#[derive(Debug)]
struct Keys {
    source: LookUpId,
    asker: Asker,
    about: Option<About>,
}

/// The question that a call waits for.
#[derive(Debug)]
pub(super) struct Asking {
    asked: u32,
    keys: Keys,
}

/// Who asked in vain how often, and about what.
#[derive(Debug, Default)]
pub(super) struct Lookings {
    askers: Tally<Asker>,
    abouts: Tally<About>,
}

/// Why a question is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    /// This caller has asked in vain too often.
    Caller,
    /// Codes of this ticket were guessed at too often, by whomever.
    Ticket,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Tally(BTreeMap::new())
    }
}

impl<K: Clone + Ord> Tally<K> {
    /// Under which key this one counts: its own, or, where there is no room for that, `other`.
    fn key(&mut self, source: &LookUpSource, own: K, other: K, now: Instant) -> K {
        let known = self.0.contains_key(&(source.id.clone(), own.clone()));
        if !known && self.0.len() >= ASKERS_MAX {
            self.forget(now);
        }
        if known || self.0.len() < ASKERS_MAX { own } else { other }
    }

    fn is_locked(&mut self, source: &LookUpId, key: &K, most: u8, now: Instant) -> bool {
        self.0.get_mut(&(source.clone(), key.clone())).is_some_and(|misses| {
            misses.lapse(now);
            misses.count.saturating_add(misses.open) >= most.max(1)
        })
    }

    /// A question is asked.
    fn open(&mut self, source: &LookUpId, key: &K, now: Instant) {
        let fresh = Misses { count: 0, until: now, open: 0 };
        self.0.entry((source.clone(), key.clone())).or_insert(fresh).open += 1;
    }

    /// A question is over. `missed`: there is nothing by that.
    fn end(&mut self, source: &LookUpId, key: &K, missed: bool, (most, lock): (u8, Duration), now: Instant) {
        let key = (source.clone(), key.clone());
        let Some(misses) = self.0.get_mut(&key) else { return };
        misses.open = misses.open.saturating_sub(1);
        misses.lapse(now);
        if missed {
            misses.miss(most, now + lock);
        }
        if misses.count == 0 && misses.open == 0 {
            self.0.remove(&key);
        }
    }

    /// What a call of an earlier life got; `until`: as long as it counts.
    fn restore(
        &mut self,
        source: &LookUpSource,
        (own, other): (K, K),
        (most, until): (u8, Instant),
        now: Instant,
    ) {
        let key = self.key(source, own, other, now);
        let fresh = Misses { count: 0, until, open: 0 };
        self.0.entry((source.id.clone(), key)).or_insert(fresh).miss(most, until);
    }

    /// Whose time is over.
    fn forget(&mut self, now: Instant) {
        self.0.retain(|_, misses| {
            misses.lapse(now);
            misses.count > 0 || misses.open > 0
        });
    }

    /// Whether nothing is under way.
    fn is_quiet(&self) -> bool {
        self.0.values().all(|misses| misses.open == 0)
    }
}

impl Lookings {
    /// Lets a question through, and counts it as a miss until it is over.
    fn begin(
        &mut self,
        source: &LookUpSource,
        asker: Asker,
        about: Option<About>,
        trunk: &TrunkId,
        now: Instant,
    ) -> Result<Keys, Lock> {
        let asker = self.askers.key(source, asker, Asker::Trunk(trunk.clone()), now);
        if self.askers.is_locked(&source.id, &asker, source.misses_max, now) {
            return Err(Lock::Caller);
        }
        let about = about.map(|about| self.abouts.key(source, about, About::Others, now));
        let most = of_ticket(source.misses_max);
        if about.as_ref().is_some_and(|about| self.abouts.is_locked(&source.id, about, most, now)) {
            return Err(Lock::Ticket);
        }
        self.askers.open(&source.id, &asker, now);
        if let Some(about) = &about {
            self.abouts.open(&source.id, about, now);
        }
        Ok(Keys { source: source.id.clone(), asker, about })
    }

    /// A question is over. `missed`: there is nothing by that.
    fn end(&mut self, keys: &Keys, missed: bool, rules: (u8, Duration), now: Instant) {
        self.askers.end(&keys.source, &keys.asker, missed, rules, now);
        if let Some(about) = &keys.about {
            self.abouts.end(&keys.source, about, missed, (of_ticket(rules.0), rules.1), now);
        }
    }

    fn restore(&mut self, facts: &[Fact], sources: &BTreeMap<LookUpId, LookUpSource>, city: &City, now: Now) {
        let mut calls = BTreeMap::new();
        for fact in facts {
            match &fact.what {
                What::Opened { caller, trunk, .. } => {
                    let own = (asker(caller, trunk, city), Asker::Trunk(trunk.clone()));
                    calls.insert(fact.call, own);
                }
                What::LookedUp { source, answer: Answer::Missing, about, .. } => {
                    let Some((own, source)) = calls.get(&fact.call).zip(sources.get(source)) else {
                        continue;
                    };
                    let age = Duration::try_from(now.wall.duration_since(fact.at)).unwrap_or_default();
                    let Some(left) = source.lock.checked_sub(age) else { continue };
                    let until = now.mono + left;
                    self.askers.restore(source, own.clone(), (source.misses_max, until), now.mono);
                    if let Some(about) = about.clone().map(About::This) {
                        let most = of_ticket(source.misses_max);
                        self.abouts.restore(source, (about, About::Others), (most, until), now.mono);
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.askers.is_quiet() && self.abouts.is_quiet()
    }
}

/// Misses that lock a ticket, by those that lock a caller.
fn of_ticket(misses_max: u8) -> u8 {
    misses_max.max(1).saturating_mul(CALLERS_OF_TICKET)
}

impl Misses {
    fn lapse(&mut self, now: Instant) {
        if now > self.until {
            self.count = 0;
        }
    }

    /// One more, which by itself counts until then.
    fn miss(&mut self, most: u8, until: Instant) {
        if self.count == 0 || self.count.saturating_add(1) >= most.max(1) {
            self.until = until;
        }
        self.count = self.count.saturating_add(1);
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
        match self.lookings.begin(rules, asker, about(&by), &entry.way, now.mono) {
            Ok(keys) => {
                entry.asking = Some(Asking { asked, keys });
                self.outputs.push_back(Output::LookUp { call, asked, source, by });
            }
            Err(lock) => {
                match lock {
                    Lock::Caller => {
                        tracing::warn!(%call, %source, "a caller who asked in vain too often is not answered");
                    }
                    Lock::Ticket => {
                        tracing::warn!(%call, %source, "a ticket whose code was guessed at is not told about");
                    }
                }
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
        let Some(Asking { keys, .. }) = entry.asking.take() else { return };
        if let Some(rules) = entry.call.plan().look_ups.get(&keys.source) {
            self.lookings.end(&keys, missed, (rules.misses_max, rules.lock), now.mono);
        }
        entry.missed_about = keys.about.filter(|_| missed).and_then(|about| match about {
            About::This(digest) => Some(digest),
            About::Others => None,
        });
    }

    /// What was asked in vain before a restart: facts of calls in the order that they happened.
    pub(super) fn restore_misses(&mut self, facts: &[Fact], now: Now) {
        self.lookings.restore(facts, &self.plan.look_ups, &self.plan.city, now);
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

/// By what a caller is counted: one form of the number, however a carrier writes it.
pub(super) fn asker(caller: &str, trunk: &TrunkId, city: &City) -> Asker {
    let form = city.caller_form(caller);
    let form = form.as_str();
    let digits = form.strip_prefix('+').or_else(|| form.strip_prefix("00")).unwrap_or(form);
    let is_number =
        !digits.is_empty() && digits.len() <= NUMBER_MAX && digits.bytes().all(|byte| byte.is_ascii_digit());
    match is_number {
        true => Asker::Number(digits.to_owned()),
        false => Asker::Trunk(trunk.clone()),
    }
}

/// Whose code is asked with: all that is said beside it. Without a code there is nothing to guess.
fn about(by: &BTreeMap<String, String>) -> Option<About> {
    by.get(CODE)?;
    let mut digest = Sha256::new();
    for (name, value) in by.iter().filter(|(name, _)| *name != CODE) {
        for text in [name, value] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
    }
    let digest = digest.finalize();
    Some(About::This(digest.iter().take(ABOUT_BYTES).map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
#[path = "looking_test.rs"]
mod tests;
