//! What calls, queues and sessions must know of one another between two inputs: for tests and the simulator.

use super::Switchboard;
use crate::acd::event::SeatState;
use crate::id::{CallId, SeatId};

fn must(holds: bool, fault: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(fault()) }
}

impl Switchboard {
    /// Compares what each room has of what another has, too. The first thing that is not as it must be.
    pub fn check(&self) -> Result<(), String> {
        self.acd.check()?;
        for (seat, state) in self.acd.seats() {
            match state {
                SeatState::Offered { call, .. } => {
                    must(self.is_rung(*call, seat), || {
                        format!("{seat} is to ring for {call}, and nobody rings it")
                    })?;
                }
                SeatState::Talking { call, .. } => {
                    must(self.is_on(*call, seat), || {
                        format!("{seat} is busy with {call}, which has no leg to it")
                    })?;
                }
                _ => {}
            }
        }
        for (id, entry) in &self.calls {
            for (seat, joined) in entry.call.seats_called() {
                let state = self.acd.seat(seat);
                // A colleague who was asked by telephone is set aside until they have the caller.
                let joins = !joined && entry.along.joining.as_ref() == Some(seat);
                let known = match state {
                    Some(SeatState::Talking { call, .. }) => joined && call == id,
                    Some(SeatState::Offered { call, .. }) => !joined && call == id,
                    _ => joins,
                };
                must(known, || format!("{id} has a leg to {seat} (talks: {joined}), which is {state:?}"))?;
            }
        }
        let same = self.sessions.len() == self.legs.len()
            && self.sessions.iter().all(|(session, leg)| self.legs.get(leg) == Some(session));
        must(same, || "sessions and legs do not match".into())
    }

    /// The same of a house in which no call is: nothing may be kept for one.
    pub fn check_quiet(&self) -> Result<(), String> {
        self.check()?;
        must(self.calls.is_empty(), || format!("{} calls", self.calls.len()))?;
        must(self.sessions.is_empty(), || {
            format!("{} sessions of calls that are over", self.sessions.len())
        })?;
        must(self.todo.is_empty(), || "words for calls that are over".into())?;
        must(self.kept.attempt_count() == 0, || "somebody is thought to be called back".into())?;
        must(self.screens.next().is_none(), || "a seat's screen is waited for".into())?;
        must(self.lookings.is_quiet(), || "an adapter's answer is waited for".into())?;
        must(self.bot_talks() == 0, || "a program is thought to talk".into())?;
        must(self.watches.is_empty(), || "somebody is thought to listen".into())
    }

    /// Port pairs that calls hold and for which the engine was given no leg yet.
    pub fn ports_in_hand(&self) -> usize {
        self.calls.values().map(|entry| entry.call.ports_in_hand()).sum()
    }

    fn is_rung(&self, call: CallId, seat: &SeatId) -> bool {
        self.rings_for_caller(call, seat) || self.is_called_back_by(call, seat, false)
    }

    fn is_on(&self, call: CallId, seat: &SeatId) -> bool {
        let called = |entry: &super::Entry| entry.call.seats_called().any(|it| it == (seat, true));
        self.calls.get(&call).is_some_and(called) || self.is_called_back_by(call, seat, true)
    }

    /// Whether a call that is made for this kept place has this seat on its first leg.
    fn is_called_back_by(&self, kept: CallId, seat: &SeatId, answered: bool) -> bool {
        let mut callbacks = self.calls.values().filter_map(|entry| entry.outward.as_ref()?.callback.as_ref());
        callbacks.any(|callback| callback.is_for(kept, seat, answered))
    }
}
