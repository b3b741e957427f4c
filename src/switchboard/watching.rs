//! Supervisors, observers and trainees beside a call: who listens to which, and how.
//!
//! Whoever dials a seat's line for listening, or is rung for it by request, has a call of its own
//! ([`crate::call`] knows what it does).
//! Here is kept whose calls it is for, and which of them it is at: the seat goes from one call to the
//! next, and who listens goes along. Each time goes into the record of the call that is heard, and into
//! the ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::beginning::Beginning;
use super::calling::CLERK_RING;
use super::request::{Asker, Refusal, Reply, Watching};
use super::{Drain, StoreJob, Switchboard, What};
use crate::acd::event::SeatState;
use crate::call::{Beside, Callee, Input, Wish};
use crate::id::{CallId, SeatId, TrunkId};
use crate::ledger::Action;
use crate::routing::meeting::SEATS;
use crate::routing::people::Role;
use crate::routing::plan::Step;
use crate::time::Now;

/// Who listens to one call at once, at most; the next one waits until one of them leaves.
const AT_ONE_CALL: usize = 4;
/// Who listens to one seat at once, at most; the next one is busy.
const OF_ONE_SEAT: usize = 4;

/// Calls that listen, by their ids: never more than there are calls.
#[derive(Default)]
pub(super) struct Watches {
    calls: BTreeMap<CallId, Watch>,
    /// Calls that were told of observers, and of these those that may be heard by them.
    asked: BTreeSet<CallId>,
    open: BTreeSet<CallId>,
    /// Calls that a seat takes over when its own, which listened, is over.
    taken: BTreeMap<CallId, CallId>,
}

/// One of them.
struct Watch {
    /// Who listens.
    seat: SeatId,
    role: Role,
    /// Whose calls.
    of: SeatId,
    /// It is answered, and can be told where to listen.
    ready: bool,
    /// Where it was told to.
    at: Option<Beside>,
    /// What it said that it hears.
    hears: Option<CallId>,
    /// How it begins at the next call.
    how: Watching,
}

impl Watches {
    /// Whether nothing is kept of anybody.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.asked.is_empty() && self.open.is_empty() && self.taken.is_empty()
    }

    /// Whether as many listen to this seat as may.
    pub(super) fn refuses(&self, of: &SeatId) -> bool {
        self.calls.values().filter(|watch| watch.of == *of).count() >= OF_ONE_SEAT
    }

    /// A call that listens is let in.
    pub(super) fn admit(&mut self, call: CallId, seat: SeatId, role: Role, of: SeatId) {
        let how = Watching::Listen;
        self.calls.insert(call, Watch { seat, role, of, ready: false, at: None, hears: None, how });
    }

    /// The seat that takes a call over when this one of its own, which listened, is over.
    pub(super) fn taken_by(&self, call: CallId) -> Option<&SeatId> {
        self.taken.get(&call).and_then(|_| Some(&self.calls.get(&call)?.seat))
    }

    /// How many listen to `call`, but for `but`.
    fn at(&self, call: CallId, but: CallId) -> usize {
        let there = |watch: &Watch| watch.at.is_some_and(|at| at.call == call);
        self.calls.iter().filter(|(id, watch)| **id != but && there(watch)).count()
    }
}

impl Switchboard {
    /// A call that listens is answered.
    pub(super) fn watch_ready(&mut self, id: CallId) {
        if let Some(watch) = self.watches.calls.get_mut(&id) {
            watch.ready = true;
        }
    }

    /// Brings one of those who listen to where its seat talks now; `false`: all are there.
    pub(super) fn mind_watchers(&mut self) -> bool {
        let ready = self.watches.calls.iter().filter(|(_, watch)| watch.ready);
        let mut wanted = ready.map(|(id, watch)| (*id, self.to_hear(*id, watch), watch.at));
        let place = |beside: Option<Beside>| beside.map(|beside| (beside.call, beside.clerk));
        let moves = wanted.find(|(_, wanted, at)| match wanted {
            Heard::Beside(wanted) => place(Some(*wanted)) != place(*at),
            Heard::Nobody => at.is_some(),
            Heard::NotYet(call) => at.is_some() || !self.watches.asked.contains(call),
        });
        let Some((id, wanted, _)) = moves else { return false };
        match wanted {
            Heard::Beside(beside) => self.seat_watcher(id, Some(beside)),
            Heard::Nobody => self.seat_watcher(id, None),
            Heard::NotYet(call) => {
                self.seat_watcher(id, None);
                if self.watches.asked.insert(call) {
                    self.tell_call(call, Input::Observed);
                }
            }
        }
        true
    }

    fn to_hear(&self, id: CallId, watch: &Watch) -> Heard {
        let Some((call, beside)) = self.talk_of(&watch.of, watch.how) else { return Heard::Nobody };
        let there = watch.at.is_some_and(|at| at.call == call);
        let full = !there && self.watches.at(call, id) >= AT_ONE_CALL;
        if full || !watch.role.may_watch(Watching::Listen, beside.of) {
            return Heard::Nobody;
        }
        let open = watch.role != Role::Observer || self.watches.open.contains(&call);
        if open { Heard::Beside(beside) } else { Heard::NotYet(call) }
    }

    /// The call in which a seat's clerk talks with somebody.
    fn talk_of(&self, seat: &SeatId, how: Watching) -> Option<(CallId, Beside)> {
        let Some(SeatState::Talking { call, .. }) = self.acd.seat(seat) else { return None };
        // For a place that was kept the seat talks in a call of its own.
        let call = self.kept.attempt(*call).unwrap_or(*call);
        let clerk = self.calls.get(&call)?.call.leg_of_clerk(seat)?;
        let of = self.plan.seats.get(seat)?.role;
        Some((call, Beside { call, clerk, of, how }))
    }

    fn seat_watcher(&mut self, id: CallId, beside: Option<Beside>) {
        let Some(watch) = self.watches.calls.get_mut(&id) else { return };
        let before = std::mem::replace(&mut watch.at, beside);
        if before.is_none() && beside.is_none() {
            return;
        }
        watch.how = Watching::Listen; // Nobody is heard by the next caller because of the last.
        if let Some(beside) = beside.filter(|beside| self.watches.at(beside.call, id) == 0) {
            self.tell_call(beside.call, Input::Watched { watched: true });
        }
        self.tell_call(id, Input::Beside { beside });
        self.unwatch(id, before);
    }

    /// Of the call that was listened to it was perhaps the last.
    fn unwatch(&mut self, id: CallId, before: Option<Beside>) {
        if let Some(before) = before
            && self.watches.at(before.call, id) == 0
            && self.watches.calls.get(&id).and_then(|watch| watch.at).is_none_or(|at| at.call != before.call)
        {
            self.tell_call(before.call, Input::Watched { watched: false });
        }
    }

    /// Caller and clerk know.
    pub(super) fn observer_may_hear(&mut self, call: CallId) {
        self.watches.asked.insert(call);
        self.watches.open.insert(call);
    }

    /// Somebody has joined it who does not: observers are out before a word is said, and come back when all
    /// know.
    pub(super) fn observer_may_not_hear(&mut self, call: CallId, now: Now) {
        self.watches.asked.remove(&call);
        self.watches.open.remove(&call);
        let hears =
            |watch: &Watch| watch.role == Role::Observer && watch.at.is_some_and(|at| at.call == call);
        let observers = self.watches.calls.iter().filter(|(_, watch)| hears(watch));
        let observers: Vec<CallId> = observers.map(|(id, _)| *id).collect();
        for id in observers {
            let Some(watch) = self.watches.calls.get_mut(&id) else { continue };
            let before = watch.at.take();
            watch.how = Watching::Listen;
            self.step(id, now, |call| call.handle_input(Input::Beside { beside: None }, now));
            self.unwatch(id, before);
        }
    }

    /// A call says that it listens to another one, or does not any more.
    pub(super) fn watches(&mut self, id: CallId, call: CallId, how: Option<Watching>, now: Now) {
        let Some(watch) = self.watches.calls.get_mut(&id) else { return };
        watch.hears = how.map(|_| call);
        let seat = watch.seat.clone();
        if !self.calls.contains_key(&call) {
            return; // It is over, and its record is closed.
        }
        let Some(how) = how else {
            tracing::info!(%call, %seat, "nobody listens from this seat any more");
            return self.record(call, What::Unwatched { seat }, now);
        };
        tracing::info!(%call, %seat, how = how.word(), "a seat listens");
        self.records.push(StoreJob::Access {
            at: now.wall,
            actor: format!("seat:{seat}"),
            action: Action::CallWatched { call },
            subject: call.to_string(),
            reason: how.word().to_owned(),
        });
        self.record(call, What::Watched { seat, how }, now);
    }

    /// Whoever listens wants the call for its own seat.
    pub(super) fn take_watched(&mut self, id: CallId, call: CallId) {
        self.watches.taken.insert(id, call);
    }

    /// A call is forgotten: one that listened, or was listened to.
    pub(super) fn watch_over(&mut self, id: CallId, now: Now) {
        self.watches.asked.remove(&id);
        self.watches.open.remove(&id);
        let taken = self.watches.taken.remove(&id);
        let Some(watch) = self.watches.calls.remove(&id) else { return };
        if let Some(call) = watch.hears.filter(|call| self.calls.contains_key(call)) {
            self.record(call, What::Unwatched { seat: watch.seat.clone() }, now); // It had no time to say so.
        }
        self.unwatch(id, watch.at);
        if let Some(call) = taken {
            self.take_over(&watch.seat, watch.role, call, now);
        }
    }

    /// The seat is free, and is given the call that it listened to.
    fn take_over(&mut self, seat: &SeatId, role: Role, call: CallId, now: Now) {
        let asker = Asker { name: format!("seat:{seat}"), role, seat: Some(seat.clone()) };
        if let Err(why) = self.wish(&asker, call, Wish::TakeOver { seat: seat.clone() }, now) {
            tracing::warn!(%call, %seat, ?why, "a call is not taken over");
        }
    }

    /// The seat's own call that listens goes to another call, or listens in another way; where it has none,
    /// its telephone rings for one.
    pub(super) fn watch(
        &mut self,
        _asker: &Asker,
        call: CallId,
        seat: SeatId,
        how: Watching,
        now: Now,
    ) -> Result<Reply, Refusal> {
        let role = self.plan.seats.get(&seat).ok_or(Refusal::NoSuchSeat)?.role;
        let entry = self.calls.get(&call).ok_or(Refusal::NoSuchCall)?;
        let of = entry.call.clerk().cloned().ok_or(Refusal::Call(crate::call::Unwilling::NotTalking))?;
        // A clerk's own call that no queue knows of is nobody's to hear.
        let heard = self.talk_of(&of, how).is_some_and(|(heard, _)| heard == call);
        if entry.call.first_clerk().is_some() && !heard {
            return Err(Refusal::Call(crate::call::Unwilling::NotTalking));
        }
        let clerks = self.plan.seats.get(&of).ok_or(Refusal::NoSuchSeat)?.role;
        if of == seat || !role.may_watch(how, clerks) {
            return Err(Refusal::NotAllowed);
        }
        let mut own = self.watches.calls.iter_mut().filter(|(_, watch)| watch.seat == seat && watch.ready);
        let Some((id, watch)) = own.next() else {
            return self.ring_watcher((seat, role), (call, of), how, now).map(Reply::Begun);
        };
        let id = *id;
        if watch.at.is_some_and(|at| at.call == call) {
            self.tell_call(id, Input::WatchAs { how });
            return Ok(Reply::Done);
        }
        if watch.of != of && self.watches.refuses(&of) || self.watches.at(call, id) >= AT_ONE_CALL {
            return Err(Refusal::Full);
        }
        if let Some(watch) = self.watches.calls.get_mut(&id) {
            (watch.of, watch.how) = (of, how); // The next look brings it there.
        }
        Ok(Reply::Done)
    }

    /// Rings a seat, which listens when it answers.
    fn ring_watcher(
        &mut self,
        (seat, role): (SeatId, Role),
        (call, of): (CallId, SeatId),
        how: Watching,
        now: Now,
    ) -> Result<CallId, Refusal> {
        self.may_ring(&seat)?;
        let full = self.watches.refuses(&of) || self.watches.at(call, call) >= AT_ONE_CALL;
        if full || self.drain != Drain::Open || self.is_full(false) {
            return Err(Refusal::Full);
        }
        let prefix = &self.plan.work.watch_prefix;
        let beginning = Beginning {
            steps: vec![Step::Answer, Step::Watch { role }],
            line: prefix.as_str().into(),
            clerk: Some(seat.clone()),
            caller: seat.to_string(),
            way: TrunkId::from(SEATS),
            dialled: format!("{prefix}{of}"),
            wire_ref: String::new(),
            outward: None,
        };
        let id = self.call_first(beginning, Callee::Seat(seat.clone()), CLERK_RING, now);
        self.watches.admit(id, seat, role, of);
        if let Some(watch) = self.watches.calls.get_mut(&id) {
            watch.how = how;
        }
        Ok(id)
    }

    /// Calls that listen, the seats that do, and which call each of them hears: for boards.
    pub fn watchers(&self) -> impl Iterator<Item = (CallId, &SeatId, Option<CallId>)> {
        self.watches.calls.iter().map(|(id, watch)| (*id, &watch.seat, watch.hears))
    }
}

/// What there is to hear.
#[derive(Clone, Copy)]
enum Heard {
    /// This.
    Beside(Beside),
    /// Nothing.
    Nobody,
    /// This call, once its caller and its clerk know of it.
    NotYet(CallId),
}
