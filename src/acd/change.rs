//! What clerks, supervisors and programs want a seat to be.
//!
//! A seat that rings or talks is left as it is; so is one that is signed out.

use crate::acd::event::{AwayWhy, Change, SeatState, Unchanged};
use crate::id::{QueueId, SeatId};
use crate::time::Instant;

use super::acd::Acd;

impl Acd {
    /// Makes the seat what somebody wants it to be, or says why not.
    pub fn change(&mut self, id: &SeatId, change: Change, now: Instant) -> Result<(), Unchanged> {
        let away = |until, why| SeatState::Away { since: now, until, why };
        let state = match (self.seat(id).ok_or(Unchanged::NoSuchSeat)?, change) {
            (SeatState::SignedOut, _) => return Err(Unchanged::SignedOut),
            (SeatState::WrapUp { call, ends_at }, Change::MoreWrapUp(more)) => {
                SeatState::WrapUp { call: *call, ends_at: *ends_at + more }
            }
            (_, Change::MoreWrapUp(_)) | (SeatState::Offered { .. } | SeatState::Talking { .. }, _) => {
                return Err(Unchanged::NoWrapUp);
            }
            (SeatState::Ready { .. }, Change::Ready) => return Ok(()),
            (_, Change::Ready) => {
                self.free_seat(id, now, now);
                return Ok(());
            }
            (_, Change::Away { reason }) => away(None, AwayWhy::Said(reason)),
            (_, Change::Rest(span)) => away(Some(now + span), AwayWhy::Rest),
            (_, Change::ForceAway) => away(None, AwayWhy::Forced),
        };
        self.set_seat(id, state, now);
        Ok(())
    }

    /// Somebody's word on a queue's surge; `false`: there is no such queue. What a surge does is the
    /// queue's rule.
    pub fn set_surge(&mut self, queue: &QueueId, _on: Option<bool>, _now: Instant) -> bool {
        self.queues.contains_key(queue)
    }
}
