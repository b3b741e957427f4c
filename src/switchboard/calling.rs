//! Calls that the house makes: clerks' own, by click, and back to callers who gave up.

use super::Switchboard;
use super::request::{Refusal, Reply};
use crate::id::{CallId, LineId, SeatId};
use crate::time::Now;

impl Switchboard {
    pub(super) fn dial_out(
        &mut self,
        _seat: SeatId,
        _number: &str,
        _line: Option<LineId>,
        _of: Option<CallId>,
        _now: Now,
    ) -> Result<Reply, Refusal> {
        Err(Refusal::NotAllowed)
    }

    pub(super) fn call_back(&mut self, _missed: CallId, _seat: SeatId, _now: Now) -> Result<Reply, Refusal> {
        Err(Refusal::NotAllowed)
    }
}
