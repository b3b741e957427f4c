//! Supervisors, leaders, observers and trainees beside a call: who listens to which, and how.

use super::Switchboard;
use super::request::{Asker, Refusal, Reply, Watching};
use crate::id::{CallId, SeatId};
use crate::time::Now;

impl Switchboard {
    pub(super) fn watch(
        &mut self,
        _asker: &Asker,
        _call: CallId,
        _seat: SeatId,
        _how: Watching,
        _now: Now,
    ) -> Result<Reply, Refusal> {
        Err(Refusal::NotAllowed)
    }
}
