//! The caller has left a clerk and a third party, who have something to settle yet, as the plan says; or who
//! help in an emergency, and have to be told where (the notice, 四(四)), whatever the plan says.
//!
//! Nobody changes places: the caller's is empty, and its leg closed. The two who remain talk on, on the
//! record, as the clerk and the third party of this call. There is nobody to be given back to, asked for a
//! grade or put through, so whoever of the two leaves first ends it.

use super::third::Standing;
use super::{Call, Command, Doing, Ending, Stage, Timer, Told, Unwilling, Wish};
use crate::media::Order;
use crate::routing::three_way::CallerLeaves;
use crate::time::{Instant, Now};

/// How a call goes on without its caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    /// How the caller left: that is how the call has ended, for whoever called.
    cause: Ending,
    /// When: the talk with the caller was over then.
    pub(super) at: Instant,
}

impl Left {
    /// How the call ended, where the two who remained end it, or this does. What the house does to a call is
    /// told as it is.
    pub(super) fn ended(self, by: Ending) -> Ending {
        match by {
            Ending::Drained | Ending::TooLong | Ending::Failed => by,
            Ending::CallerHungUp
            | Ending::CallerCancelled
            | Ending::Completed
            | Ending::OtherHungUp
            | Ending::CallerVanished
            | Ending::Refused(_) => self.cause,
        }
    }
}

impl Call {
    /// Whether those who remain go on without the caller.
    pub(super) fn goes_on_alone(&self) -> bool {
        self.left.is_some()
    }

    /// Nobody is on the first leg any more, or will be. Where two have to go on, they do.
    pub(super) fn caller_gone(&mut self, cause: Ending, now: Now) {
        if self.is_to_go_on_alone() {
            self.go_on_alone(cause, now);
        } else if !self.goes_on_alone() {
            self.end(cause, now);
        }
    }

    /// A clerk of ours and who is there with them, where the plan wants that. With help in an emergency,
    /// whoever has called it, and before it has picked up as well.
    fn is_to_go_on_alone(&self) -> bool {
        let talks = self.doing == Doing::Talking && self.clerk.is_none() && !self.goes_on_alone();
        let Some(third) = self.third.as_ref().filter(|_| talks && self.other.is_some()) else { return false };
        let keeps = self.plan.three_way.caller_leaves == CallerLeaves::Keep;
        self.is_emergency(third.to()) || keeps && third.is_there() && self.clerk().is_some()
    }

    fn go_on_alone(&mut self, cause: Ending, now: Now) {
        let leg = self.caller.id;
        if self.stage == Stage::Answered {
            self.push(Command::HangUp { leg, why: cause.clearing() });
        }
        self.stage = Stage::Gone;
        self.left = Some(Left { cause, at: now.mono });
        self.close_first(now);
        self.timers.cancel(Timer::Probe(leg.index));
        self.timers.cancel(Timer::Words(leg.index));
        self.noticed.retain(|told| *told != leg);
        // The record of a call that was turned round names whom the clerk called as a peer, who has left.
        if self.turned.is_none() {
            self.tell(Told::CallerLeft { cause });
        }
        self.held = false;
        self.record_third();
        if self.are_three() {
            self.chime_leave(now);
        }
        let Some(third) = &mut self.third else { return };
        if third.is_there() {
            third.standing = Standing::Consulting;
        }
        // Nobody can be put through any more: a telephone that hung up when its REFER had come to something
        // would leave nobody to talk with.
        if let Some((leg, refer)) = third.referral.take() {
            self.push(Command::NotifyRefer { leg, refer, status: 487 });
        }
        self.arrange(now);
    }

    /// The left channel of the recording was the caller's. From now on it is the third's, who is no part of the
    /// house either; the clerk is on the right as before.
    fn record_third(&mut self) {
        let third = self.third.as_ref().and_then(|third| third.party.as_ref()).map(|party| party.leg.id);
        if let Some(left) = third.filter(|_| self.recording && self.turned.is_none()) {
            self.push(Command::Sound(Order::TurnRecord { call: self.id, left }));
        }
    }

    /// What can be wanted of two whom the caller has left: that they come to an end.
    pub(super) fn wish_of_those_left(&mut self, wish: &Wish, now: Now) -> Result<(), Unwilling> {
        match wish {
            Wish::Leave | Wish::Return | Wish::End => {
                self.end(Ending::Completed, now);
                Ok(())
            }
            Wish::Consult { .. }
            | Wish::Merge
            | Wish::Hold
            | Wish::Resume
            | Wish::Requeue { .. }
            | Wish::TakeOver { .. } => Err(Unwilling::NotTalking),
        }
    }
}
