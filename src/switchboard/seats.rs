//! Clerks and their seats: what they say of themselves by telephone and by HTTP, and the facts of it.

use super::Switchboard;
use super::request::{Asker, Refusal, Reply};
use crate::acd::event::Change;
use crate::id::{QueueId, SeatId};
use crate::time::Now;

impl Switchboard {
    pub(super) fn change_seat(
        &mut self,
        _asker: &Asker,
        _seat: &SeatId,
        _change: Change,
        _now: Now,
    ) -> Result<Reply, Refusal> {
        Err(Refusal::NotAllowed)
    }

    pub(super) fn set_surge(
        &mut self,
        _queue: &QueueId,
        _on: Option<bool>,
        _now: Now,
    ) -> Result<Reply, Refusal> {
        Err(Refusal::NotAllowed)
    }
}
