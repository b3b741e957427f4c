//! What people want of a call under way: a clerk's key codes, and the API.

use super::third::{Standing, Third};
use super::{Call, Command, Doing, Ending, TransferKind};
use crate::id::{QueueId, SeatId};
use crate::routing::plan::Step;
use crate::routing::reach::Reached;
use crate::sip::Clearing;
use crate::time::Now;

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Ask a third party in: the caller hears music, the clerk waits for them and speaks with them. A
    /// number of the plan or a seat, as [`Plan::reach`](crate::routing::Plan::reach) reads it.
    Consult {
        /// Whom.
        to: String,
    },
    /// All three talk.
    Merge,
    /// The clerk leaves; the caller and the third party go on, or of three all hang up, as the plan says. Before the third party has picked up: the
    /// caller is put through to it, and the clerk waits for nothing.
    Leave,
    /// The third party is let go, or has left a caller with music; clerk and caller talk.
    Return,
    /// The caller is left with music.
    Hold,
    /// And is talked with again.
    Resume,
    /// The caller goes back to a queue, ahead of others.
    Requeue {
        /// Which; `None`: where it waited, or the line's.
        queue: Option<QueueId>,
    },
    /// The call goes to this seat, whose clerk takes over from whoever talks, or from the queue.
    TakeOver {
        /// Which.
        seat: SeatId,
    },
    /// The call is ended.
    End,
}

/// Why a call does not do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwilling {
    /// Nobody talks with the caller now.
    NotTalking,
    /// There is a third party, or one is on the way.
    ThirdThere,
    /// There is no third party, or it has not picked up.
    NoThird,
    /// The plan has nobody of that name for this.
    Unreachable,
    /// Nobody is there at this hour.
    AfterHours,
    /// The caller's sound is only passed on: nobody can be mixed in.
    PassedOn,
    /// Help in an emergency has not accepted the caller: who called it stays until then (the notice, 四(四)).
    NotAccepted,
    /// A clerk's own call, or one that the house began for a clerk: nobody in it has waited to be served, or
    /// is to.
    OwnCall,
    /// It is over.
    Over,
}

impl Call {
    /// Does what somebody wants, or says why not; then nothing has changed.
    pub fn wish(&mut self, wish: Wish, now: Now) -> Result<(), Unwilling> {
        if self.is_over() {
            return Err(Unwilling::Over);
        }
        if self.goes_on_alone() {
            return self.wish_of_those_left(&wish, now);
        }
        let began = self.clerk.is_some() || self.turned.is_some();
        match &wish {
            // Whom a clerk has called did not come to be served by anybody.
            Wish::Requeue { .. } if began => return Err(Unwilling::OwnCall),
            Wish::Consult { .. } | Wish::Hold | Wish::TakeOver { .. } => self.turn_round(),
            _ => {}
        }
        match wish {
            Wish::Consult { to } => self.consult(&to, now),
            Wish::Merge => {
                self.third_there()?;
                self.merge(now);
                Ok(())
            }
            Wish::Leave => self.leave(now),
            Wish::Return => {
                self.talking()?;
                match &self.third {
                    None if self.held => return self.hold(false, now),
                    None => return Err(Unwilling::NoThird),
                    Some(_) => self.return_to_caller(now),
                }
                Ok(())
            }
            Wish::Hold => self.hold(true, now),
            Wish::Resume => self.hold(false, now),
            Wish::Requeue { queue } => self.requeue(queue, now),
            Wish::TakeOver { seat } => self.taken_over(seat, now),
            Wish::End => {
                self.end(Ending::Completed, now);
                Ok(())
            }
        }
    }

    fn talking(&self) -> Result<(), Unwilling> {
        if self.doing == Doing::Talking { Ok(()) } else { Err(Unwilling::NotTalking) }
    }

    /// Both talk, and whom they asked in has picked up.
    fn third_there(&self) -> Result<(), Unwilling> {
        self.talking()?;
        self.third.as_ref().filter(|third| third.is_there()).map(|_| ()).ok_or(Unwilling::NoThird)
    }

    fn consult(&mut self, to: &str, now: Now) -> Result<(), Unwilling> {
        self.talking()?;
        if self.third.is_some() {
            return Err(Unwilling::ThirdThere);
        }
        let both = [Some(&self.caller), self.other.as_ref().map(|other| &other.leg)];
        if both.into_iter().flatten().any(|leg| leg.is_passed_on()) {
            return Err(Unwilling::PassedOn);
        }
        let to = self.plan.reach(to).ok_or(Unwilling::Unreachable)?;
        let nobody_else = match &to {
            Reached::Peer(_) => false,
            Reached::Seat(seat) => self.is_with(seat),
            Reached::Group(group) => group.seats.iter().all(|seat| self.is_with(seat)),
        };
        if nobody_else {
            return Err(Unwilling::Unreachable);
        }
        if !self.is_open(&to, now) {
            return Err(Unwilling::AfterHours);
        }
        self.held = false;
        self.ask_third(Third::new(to, TransferKind::Consult, Standing::Asked, None), now);
        Ok(())
    }

    fn leave(&mut self, now: Now) -> Result<(), Unwilling> {
        self.talking()?;
        match &self.third {
            None => Err(Unwilling::NoThird),
            Some(third) if third.standing == Standing::TakingOver => Err(Unwilling::NoThird),
            Some(_) if self.awaits_help() => Err(Unwilling::NotAccepted),
            Some(_) => {
                self.asker_leaves(false, now);
                Ok(())
            }
        }
    }

    fn hold(&mut self, held: bool, now: Now) -> Result<(), Unwilling> {
        self.talking()?;
        self.held = held;
        self.arrange(now);
        Ok(())
    }

    fn requeue(&mut self, queue: Option<QueueId>, now: Now) -> Result<(), Unwilling> {
        self.talking()?;
        if self.awaits_help() {
            return Err(Unwilling::NotAccepted);
        }
        let of_line = || {
            self.steps.iter().find_map(|step| match step {
                Step::Queue(queue) => Some(queue.clone()),
                _ => None,
            })
        };
        let queue = queue.or_else(|| self.queue.clone()).or_else(of_line);
        let queue =
            queue.filter(|queue| self.plan.queues.contains_key(queue)).ok_or(Unwilling::Unreachable)?;
        self.back_to_queue(queue, "transfer_wait", Clearing::Normal, now);
        Ok(())
    }

    /// The two talk on until the seat has picked up. A caller who waits is offered to it.
    fn taken_over(&mut self, seat: SeatId, now: Now) -> Result<(), Unwilling> {
        if !self.plan.seats.contains_key(&seat) || self.is_with(&seat) {
            return Err(Unwilling::Unreachable);
        }
        if self.doing == Doing::Queueing {
            self.push(Command::WantSeat { seats: vec![seat], beside: false, ring: None });
            return Ok(());
        }
        self.talking()?;
        if self.third.is_some() {
            return Err(Unwilling::ThirdThere);
        }
        if self.caller.is_passed_on() {
            return Err(Unwilling::PassedOn);
        }
        let third = Third::new(Reached::Seat(seat), TransferKind::Blind, Standing::TakingOver, None);
        self.ask_third(third, now);
        Ok(())
    }
}
