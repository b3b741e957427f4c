//! What people want of calls, taken to the call that it is about.

use super::Switchboard;
use super::request::{Asker, Refusal, Reply};
use crate::acd::event::SeatState;
use crate::call::{Call, Unwilling, Wish};
use crate::id::CallId;
use crate::routing::people::Role;
use crate::time::Now;

impl Switchboard {
    pub(super) fn wish(&mut self, asker: &Asker, id: CallId, wish: Wish, now: Now) -> Result<Reply, Refusal> {
        let entry = self.calls.get(&id).ok_or(Refusal::NoSuchCall)?;
        if !is_theirs(asker, &entry.call) {
            return Err(Refusal::NotAllowed);
        }
        match &wish {
            Wish::TakeOver { seat } if !self.plan.seats.contains_key(seat) => {
                return Err(Refusal::NoSuchSeat);
            }
            Wish::Requeue { queue: Some(queue) } if !self.plan.queues.contains_key(queue) => {
                return Err(Refusal::NoSuchQueue);
            }
            // Nobody is taken to a telephone that cannot ring.
            Wish::TakeOver { seat } if !matches!(self.acd.seat(seat), Some(SeatState::Ready { .. })) => {
                return Err(Refusal::Engaged);
            }
            _ => {}
        }
        tracing::debug!(call = %id, by = %asker.name, ?wish, "asked of a call");
        // A fault inside the call ends it.
        let mut done = Err(Unwilling::Over);
        self.step(id, now, |call| done = call.wish(wish, now));
        done.map(|()| Reply::Done).map_err(Refusal::Call)
    }
}

/// Clerks ask only of the call that they are serving; supervisors of any.
fn is_theirs(asker: &Asker, call: &Call) -> bool {
    match asker.role {
        Role::Supervisor | Role::Admin => true,
        Role::Clerk | Role::Expert | Role::Leader => {
            call.clerk().is_some_and(|clerk| asker.seat.as_ref() == Some(clerk))
        }
        Role::Observer | Role::Trainee => false,
    }
}
