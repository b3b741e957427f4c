//! Places that an earlier life of the house kept: after a restart each is where it was, by what was told of the
//! calls that waited and of those that tried to reach their callers.
//!
//! Where the queue keeps no places any more, another one that does has the caller first; and so it is where a new
//! plan has the queue no more. Whose time is over, or
//! who has no place anywhere, is owed a call by the clerks (漏接回拨); where there is no such list, it is told
//! that the place is given up.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Switchboard;
use super::fact::{CallbackOutcome, Cause, Fact, OutwardPurpose, PriorityWhy, What};
use super::kept::{KEPT_MAX, Place};
use super::request::Flag;
use crate::acd::event::Joining;
use crate::id::{CallId, LineId, QueueId, TrunkId, mask};
use crate::routing::Plan;
use crate::routing::queueing::{CallbackOffer, Known};
use crate::time::{Instant, Now, Timestamp};

/// What is known of one call.
struct Told {
    line: LineId,
    caller: String,
    trunk: TrunkId,
    opened_at: Timestamp,
    is_confidential: bool,
    priority: i16,
    /// Before all others of its priority.
    first: bool,
    queued_at: Option<Timestamp>,
    /// In which queue, and since when.
    kept: Option<(QueueId, Timestamp)>,
    /// The place that it tries to reach somebody for.
    of: Option<CallId>,
    /// A clerk is on it.
    seat_answered: bool,
    /// Calls back that came to nothing.
    tries: u8,
    /// Of the last fact.
    sequence: u32,
}

/// Places that are kept still, by the calls that waited.
#[derive(Default)]
struct Fold {
    calls: BTreeMap<CallId, Told>,
}

impl Fold {
    fn apply(&mut self, fact: &Fact) {
        if let What::Opened { line, caller, trunk, .. } = &fact.what {
            let told = Told {
                line: line.clone(),
                caller: caller.clone(),
                trunk: trunk.clone(),
                opened_at: fact.at,
                is_confidential: false,
                priority: 0,
                first: false,
                queued_at: None,
                kept: None,
                of: None,
                seat_answered: false,
                tries: 0,
                sequence: fact.sequence,
            };
            self.calls.insert(fact.call, told);
            return;
        }
        let Some(told) = self.calls.get_mut(&fact.call) else { return };
        told.sequence = fact.sequence;
        match &fact.what {
            What::Flagged { flag: Flag::Confidential, .. } => told.is_confidential = true,
            What::Prioritised { priority, why } => {
                told.priority = *priority;
                told.first |= matches!(why, PriorityWhy::Urgent | PriorityWhy::EmergencyCenter);
            }
            What::Queued { .. } => told.queued_at = told.queued_at.or(Some(fact.at)),
            What::CallbackKept { queue, .. } => told.kept = Some((queue.clone(), fact.at)),
            What::Outward { purpose: OutwardPurpose::Callback, of, .. } => told.of = *of,
            What::SeatAnswered { .. } if told.of.is_some() => told.seat_answered = true,
            // Whoever talks with a clerk needs no call back, by whichever call.
            What::SeatAnswered { .. } => {
                let caller = told.caller.clone();
                let theirs = self.calls.values_mut().filter(|other| other.caller == caller);
                theirs.for_each(|other| other.kept = None);
            }
            What::PeerAnswered { .. } | What::CallbackSettled { .. } => self.settle(fact.call),
            What::Closed { cause, .. } => self.closed(fact.call, *cause),
            _ => {}
        }
    }

    /// The place of this call, or that it was to reach somebody for, is given up.
    fn settle(&mut self, call: CallId) {
        let kept = self.calls.get(&call).and_then(|told| told.of).unwrap_or(call);
        if let Some(told) = self.calls.get_mut(&kept) {
            told.kept = None;
        }
    }

    /// A try counts where a clerk waited for somebody who did not answer.
    fn closed(&mut self, call: CallId, cause: Cause) {
        let Some(told) = self.calls.get(&call).filter(|told| told.seat_answered) else { return };
        let cut_short = matches!(cause, Cause::Crash | Cause::Drained);
        if let Some(kept) = told.of.filter(|_| !cut_short).and_then(|of| self.calls.get_mut(&of)) {
            kept.tries = kept.tries.saturating_add(1);
        }
    }
}

impl Switchboard {
    /// Takes up places that were kept before a restart: facts of their calls in the order that they happened.
    pub(super) fn restore_kept(&mut self, facts: &[Fact], now: Now) {
        let mut fold = Fold::default();
        facts.iter().for_each(|fact| fold.apply(fact));
        let mut places: Vec<(Timestamp, CallId, Told)> = fold
            .calls
            .into_iter()
            .filter(|(_, told)| told.kept.is_some())
            .map(|(call, told)| (told.queued_at.unwrap_or(told.opened_at), call, told))
            .collect();
        places.sort_by_key(|(since, call, _)| (*since, *call));
        for (since, call, told) in places {
            self.records.resume(call, told.sequence, now);
            let number = mask(if told.is_confidential { "" } else { &told.caller }).to_string();
            if self.restore_place(call, &told, since, now) {
                tracing::info!(%call, number, "a place is kept again");
                continue;
            }
            self.record(call, What::CallbackSettled { outcome: CallbackOutcome::Expired }, now);
            if self.plan.missed.enabled {
                tracing::info!(%call, number, "a place is kept no more; its caller is on the list of missed calls");
            } else {
                tracing::warn!(%call, number, "a place is kept no more, and nothing calls its caller back");
            }
        }
    }

    /// Places in queues that a new plan has no more, of which none is being tried.
    pub(super) fn keep_places_on(&mut self, now: Now) {
        let of = |(kept, place): (&CallId, &Place)| place.trying.is_none().then_some(*kept);
        let kept: Vec<CallId> = self.kept.places.iter().filter_map(of).collect();
        for kept in kept {
            self.keep_place_on(kept, now);
        }
    }

    /// A place in a queue that the plan has no more goes where a restart would keep it. Where no queue keeps
    /// places any more, the seats that served it keep what was promised; without them its time is over.
    pub(super) fn keep_place_on(&mut self, kept: CallId, now: Now) {
        let place = self.kept.places.get(&kept).filter(|place| !self.plan.queues.contains_key(&place.queue));
        let Some((line, before)) = place.map(|place| (place.line.clone(), place.queue.clone())) else {
            return;
        };
        let Some((queue, rules, _)) = keeping(&self.plan, &before) else {
            if !self.acd.is_served(&before) {
                self.place_lost(kept, now);
            }
            return;
        };
        // Before the queue decides: the place may be due at once.
        if let Some(place) = self.kept.places.get_mut(&kept) {
            (place.queue, place.rules) = (queue.clone(), rules.clone());
        }
        if self.acd.move_place(kept, &queue, line, now.mono) {
            tracing::info!(call = %kept, from = %before, to = %queue, "a place is kept on in another queue");
        } else if let Some(place) = self.kept.places.get_mut(&kept) {
            place.queue = before;
        }
    }

    /// What the clerk must know, as the plan has it now.
    fn skills_again(&self, told: &Told, now: Now) -> Vec<Known> {
        let line = self.plan.lines.get(&told.line);
        line.map_or_else(Vec::new, |line| self.plan.skills_asked(line, &told.trunk, &told.caller, now.wall))
    }

    fn restore_place(&mut self, call: CallId, told: &Told, since: Timestamp, now: Now) -> bool {
        let Some((queue, kept_at)) = &told.kept else { return false };
        let Some((queue, rules, as_before)) = keeping(&self.plan, queue) else { return false };
        let Some(left) = rules.keep.checked_sub(age(*kept_at, now)).filter(|left| !left.is_zero()) else {
            return false;
        };
        if self.kept.places.len() >= KEPT_MAX {
            return false;
        }
        let joining = Joining {
            call,
            queue: queue.clone(),
            line: told.line.clone(),
            skills: self.skills_again(told, now),
            first: told.first || !as_before,
            priority: told.priority,
            sticky: None,
        };
        let place = Place {
            number: told.caller.clone(),
            is_confidential: told.is_confidential,
            line: told.line.clone(),
            queue,
            opened_at: told.opened_at,
            history: Vec::new(),
            tries: told.tries,
            trying: None,
            rules,
        };
        // Before the queue decides: the place may be due at once.
        self.kept.places.insert(call, place);
        let began = Instant::ZERO + now.mono.since(Instant::ZERO).saturating_sub(age(since, now));
        if !self.acd.restore_place(joining, began, now.mono + left, now.mono) {
            self.kept.places.remove(&call);
            return false;
        }
        self.look_up_caller(call, &told.caller, now); // For the screen of whoever calls back.
        true
    }
}

/// The queue itself, if it keeps places still; else the first that does. Its rules, and whether it is itself.
fn keeping(plan: &Plan, queue: &QueueId) -> Option<(QueueId, CallbackOffer, bool)> {
    let rules = |id: &QueueId| plan.queues.get(id)?.rules.callback.clone();
    if let Some(own) = rules(queue) {
        return Some((queue.clone(), own, true));
    }
    plan.queues.keys().find_map(|other| Some((other.clone(), rules(other)?, false)))
}

fn age(at: Timestamp, now: Now) -> Duration {
    Duration::try_from(now.wall.duration_since(at)).unwrap_or(Duration::ZERO)
}
