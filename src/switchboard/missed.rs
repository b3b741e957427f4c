//! Callers who gave up before a clerk answered, and are owed a call back (漏接回拨).
//!
//! A fold over the stream of facts: whoever was lost is listed by number, whoever has talked with a clerk
//! since is not any more. It asks for nothing and begins no call; clerks do, one at a time for a number.
//! After a restart it is folded anew from the facts that the store has kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::fact::{CallbackOutcome, Cause, Fact, OutwardPurpose, What};
use super::request::Flag;
use crate::id::{CallId, LineId};
use crate::routing::afterwards::Missed;
use crate::time::{Agenda, Instant, Now, Timestamp};

/// Numbers on the list; beyond it the one that has waited longest is dropped, and counted.
pub const MISSED_MAX: usize = 10_000;

/// A caller on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissedView {
    /// The last call that was missed: what a call back is asked for by.
    pub call: CallId,
    /// The caller's number.
    pub number: String,
    /// It is shown to nobody.
    pub is_confidential: bool,
    /// The line that was dialled last.
    pub line: LineId,
    /// When the first of the calls came.
    pub first_at: Timestamp,
    /// When the last did.
    pub last_at: Timestamp,
    /// Calls that were missed.
    pub count: u32,
    /// Tries to reach the caller since the last of them.
    pub tries: u8,
    /// Not to be tried before; `None`: at once.
    pub next_at: Option<Timestamp>,
    /// The call that tries to reach the caller now.
    pub trying: Option<CallId>,
}

/// A number is settled by something that happened on this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which.
    pub call: CallId,
    /// How.
    pub outcome: CallbackOutcome,
}

/// Why a caller is not called back now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// Not on the list, or not any more.
    NotListed,
    /// Somebody is calling them.
    Trying,
    /// They were tried a moment ago.
    TooSoon,
}

/// The machine.
#[derive(Debug)]
pub struct MissedCalls {
    rules: Missed,
    /// Calls under way; never more than there are.
    calls: HashMap<CallId, Heard>,
    list: BTreeMap<String, Listed>,
    /// By the first call, oldest first.
    order: BTreeSet<(Timestamp, String)>,
    ends: Agenda<String>,
    dropped: u64,
    /// What is folded happened in an earlier life of the house.
    restoring: bool,
    /// Meanwhile: calls whose places are kept still.
    kept: BTreeSet<CallId>,
}

/// What matters of a call so far.
#[derive(Debug)]
struct Heard {
    line: LineId,
    /// Empty: withheld, or no caller's.
    caller: String,
    /// Wants to be known to nobody.
    confidential: bool,
    at: Timestamp,
    queued: bool,
    overflowed: bool,
    served: bool,
    /// In a flow of the operator's, where nobody waits for a clerk.
    in_flow: bool,
    /// The place in the queue is kept: it is called back by the queue.
    kept: bool,
    outward: Option<Attempt>,
}

/// A call to a number.
#[derive(Debug)]
struct Attempt {
    number: String,
    /// Because the number is on the list.
    missed: bool,
    dialled: bool,
}

#[derive(Debug)]
struct Listed {
    call: CallId,
    confidential: bool,
    line: LineId,
    first_at: Timestamp,
    last_at: Timestamp,
    count: u32,
    tries: u8,
    /// By the wall clock, to be shown, and when that is.
    next: Option<(Timestamp, Instant)>,
    trying: Option<CallId>,
}

impl MissedCalls {
    /// An empty list.
    pub fn new(rules: &Missed) -> Self {
        MissedCalls {
            rules: rules.clone(),
            calls: HashMap::new(),
            list: BTreeMap::new(),
            order: BTreeSet::new(),
            ends: Agenda::default(),
            dropped: 0,
            restoring: false,
            kept: BTreeSet::new(),
        }
    }

    /// New rules: those on the list stay by the old ones, until they are tried or lapse.
    pub fn plan_changed(&mut self, rules: &Missed) {
        self.rules = rules.clone();
    }

    /// Folds what happened before a restart: facts in the order that they happened, of whole calls. `is_kept`:
    /// whose place in the queue is kept still.
    pub fn restore(&mut self, facts: &[Fact], is_kept: impl Fn(CallId) -> bool, now: Now) {
        self.restoring = true;
        self.kept = facts.iter().map(|fact| fact.call).filter(|call| is_kept(*call)).collect();
        for fact in facts {
            self.handle_fact(fact, now);
        }
        // Calls of a process that is gone.
        self.calls.clear();
        for listed in self.list.values_mut() {
            listed.trying = None;
        }
        self.restoring = false;
        self.kept.clear();
        self.handle_timeout(now);
    }

    /// Takes one fact in. Whether a number is settled by it.
    pub fn handle_fact(&mut self, fact: &Fact, now: Now) -> Option<Settled> {
        if !self.rules.enabled {
            self.calls.remove(&fact.call);
            return None;
        }
        if let What::Opened { line, caller, trunk, room, .. } = &fact.what {
            let own = room.is_some() || super::calling::is_own(trunk);
            let caller = if own { String::new() } else { caller.clone() };
            self.calls.insert(fact.call, Heard::new(line.clone(), caller, fact.at));
            return None;
        }
        let Some(heard) = self.calls.get_mut(&fact.call) else {
            if let What::Flagged { flag: Flag::Confidential, .. } = &fact.what {
                self.hide(fact.call);
            }
            return None;
        };
        match &fact.what {
            What::ScriptBegun { .. } => heard.in_flow = true,
            What::Queued { .. } => (heard.queued, heard.in_flow) = (true, false),
            // Whoever found nobody there has hardly waited, and is owed a call all the same.
            What::Overflowed { .. } => heard.overflowed = true,
            What::CallbackKept { .. } => heard.kept = true,
            What::SeatAnswered { .. } => {
                heard.served = true;
                let number = heard.caller.clone();
                return self.settle(&number, fact.call, CallbackOutcome::AnsweredSince);
            }
            What::Flagged { flag: Flag::Confidential, .. } => heard.confidential = true,
            // Nobody was spoken with.
            What::SeatLeft { talked_ms: 0, .. } => heard.served = false,
            // No clerk speaks with them.
            What::Outward { purpose: OutwardPurpose::FollowUp, .. } => {}
            What::Outward { purpose, number, of, .. } => {
                let missed = *purpose == OutwardPurpose::Missed;
                // Whom it was missed from; the number that is dialled may be another form of theirs.
                let of = of.filter(|_| missed);
                let listed = of.and_then(|of| self.list.iter_mut().find(|(_, listed)| listed.call == of));
                let number = listed.map_or_else(
                    || number.clone(),
                    |(number, listed)| {
                        listed.trying = Some(fact.call);
                        number.clone()
                    },
                );
                heard.outward = Some(Attempt { number, missed, dialled: false });
            }
            What::PeerDialled { .. } => {
                if let Some(attempt) = &mut heard.outward {
                    attempt.dialled = true;
                }
            }
            What::PeerAnswered { .. } => {
                heard.served = true;
                if let Some(Attempt { number, missed, .. }) = &heard.outward {
                    let (number, missed) = (number.clone(), *missed);
                    let outcome =
                        if missed { CallbackOutcome::Answered } else { CallbackOutcome::AnsweredSince };
                    return self.settle(&number, fact.call, outcome);
                }
            }
            // What the queue has settled of a place that it kept.
            What::CallbackSettled { .. } if self.restoring => {
                let attempt = heard.outward.as_ref().map(|attempt| attempt.number.clone());
                return self.settle(&attempt?, fact.call, CallbackOutcome::AnsweredSince);
            }
            What::Closed { cause, lasted_ms, .. } => return self.closed(fact, *cause, *lasted_ms, now),
            _ => {}
        }
        None
    }

    fn closed(&mut self, fact: &Fact, cause: Cause, lasted_ms: u64, now: Now) -> Option<Settled> {
        let heard = self.calls.remove(&fact.call)?;
        if let Some(attempt) = &heard.outward {
            return self.tried(attempt, fact, now);
        }
        let gave_up = match cause {
            Cause::CallerHungUp | Cause::CallerCancelled | Cause::CallerVanished => !heard.in_flow,
            Cause::Drained | Cause::TooLong | Cause::Failed | Cause::Crash => true,
            Cause::Completed | Cause::OtherHungUp | Cause::Refused(_) => heard.queued,
        };
        let meant = gave_up && Duration::from_millis(lasted_ms) >= self.rules.after;
        // After a restart the queue may not have the place any more.
        let kept = heard.kept && (!self.restoring || self.kept.contains(&fact.call));
        if !heard.served && !kept && !heard.caller.is_empty() && (heard.overflowed || heard.kept || meant) {
            self.enter(heard, fact.call, now);
        }
        None
    }

    fn enter(&mut self, heard: Heard, call: CallId, now: Now) {
        let number = heard.caller;
        let ends = later(heard.at, self.rules.keep, now);
        match self.list.get_mut(&number) {
            Some(listed) => {
                (listed.call, listed.line, listed.last_at) = (call, heard.line, heard.at);
                listed.confidential |= heard.confidential;
                (listed.count, listed.tries, listed.next) = (listed.count.saturating_add(1), 0, None);
            }
            None => {
                let listed = Listed {
                    call,
                    confidential: heard.confidential,
                    line: heard.line,
                    first_at: heard.at,
                    last_at: heard.at,
                    count: 1,
                    tries: 0,
                    next: None,
                    trying: None,
                };
                self.list.insert(number.clone(), listed);
                self.order.insert((heard.at, number.clone()));
            }
        }
        self.ends.set(&number, Some(ends));
        if self.list.len() > MISSED_MAX
            && let Some((_, oldest)) = self.order.first().cloned()
        {
            self.dropped += 1;
            self.strike(&oldest);
        }
    }

    /// Lists somebody whom nothing else calls back any more.
    pub(super) fn owe(
        &mut self,
        call: CallId,
        (number, confidential): (String, bool),
        line: LineId,
        at: Timestamp,
        now: Now,
    ) {
        if self.rules.enabled {
            self.enter(Heard { confidential, ..Heard::new(line, number, at) }, call, now);
        }
    }

    /// A call back is over, and they did not answer it.
    fn tried(&mut self, attempt: &Attempt, fact: &Fact, now: Now) -> Option<Settled> {
        let listed = self.list.get_mut(&attempt.number).filter(|_| attempt.missed)?;
        if listed.trying.take_if(|trying| *trying == fact.call).is_none() || !attempt.dialled {
            return None; // The clerk did not pick up: nobody outside was tried.
        }
        listed.tries = listed.tries.saturating_add(1);
        let again = fact.at.checked_add(self.rules.again_after).unwrap_or(fact.at);
        listed.next = Some((again, later(fact.at, self.rules.again_after, now)));
        if listed.tries >= self.rules.tries {
            return self.settle(&attempt.number, fact.call, CallbackOutcome::Unanswered);
        }
        None
    }

    /// It is said only after the call that its caller wants to be known to nobody.
    fn hide(&mut self, call: CallId) {
        for listed in self.list.values_mut().filter(|listed| listed.call == call) {
            listed.confidential = true;
        }
    }

    fn settle(&mut self, number: &str, call: CallId, outcome: CallbackOutcome) -> Option<Settled> {
        self.strike(number).then_some(Settled { call, outcome })
    }

    /// Takes a number off the list; whether it was on it.
    fn strike(&mut self, number: &str) -> bool {
        let Some(listed) = self.list.remove(number) else { return false };
        self.order.remove(&(listed.first_at, number.to_owned()));
        self.ends.set(&number.to_owned(), None);
        true
    }

    /// Whom to call back for a missed call, if that may be now; and whether the number is nobody's to see.
    pub fn to_call_back(&self, missed: CallId, now: Now) -> Result<(&str, bool), NotNow> {
        let of = |(_, listed): &(&String, &Listed)| listed.call == missed;
        let (number, listed) = self.list.iter().find(of).ok_or(NotNow::NotListed)?;
        if listed.trying.is_some() {
            return Err(NotNow::Trying);
        }
        if listed.next.is_some_and(|(_, next)| now.mono < next) {
            return Err(NotNow::TooSoon);
        }
        Ok((number, listed.confidential))
    }

    /// Strikes those who have been on the list for long enough.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(number) = self.ends.take_due(now.mono) {
            self.strike(&number);
        }
    }

    /// When it next wants to be woken.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        self.ends.next()
    }

    /// The list, oldest first.
    pub fn views(&self) -> Vec<MissedView> {
        let view = |(_, number): &(Timestamp, String)| {
            let listed = self.list.get(number)?;
            Some(MissedView {
                call: listed.call,
                number: number.clone(),
                is_confidential: listed.confidential,
                line: listed.line.clone(),
                first_at: listed.first_at,
                last_at: listed.last_at,
                count: listed.count,
                tries: listed.tries,
                next_at: listed.next.map(|(at, _)| at),
                trying: listed.trying,
            })
        };
        self.order.iter().filter_map(view).collect()
    }

    /// Numbers for which there was no place, since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Heard {
    fn new(line: LineId, caller: String, at: Timestamp) -> Self {
        Heard {
            line,
            caller,
            confidential: false,
            at,
            queued: false,
            overflowed: false,
            served: false,
            in_flow: false,
            kept: false,
            outward: None,
        }
    }
}

/// When `span` after something that happened at `at` is, or now if that was before.
fn later(at: Timestamp, span: Duration, now: Now) -> Instant {
    let age = Duration::try_from(now.wall.duration_since(at)).unwrap_or(Duration::ZERO);
    now.mono + span.saturating_sub(age)
}

#[cfg(test)]
#[path = "missed_test.rs"]
mod tests;
