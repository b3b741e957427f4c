//! What people want of calls, taken to the call that it is about.

use super::Switchboard;
use super::request::{Asker, Refusal, Reply};
use crate::call::Wish;
use crate::id::CallId;
use crate::time::Now;

impl Switchboard {
    pub(super) fn wish(
        &mut self,
        _asker: &Asker,
        _call: CallId,
        _wish: Wish,
        _now: Now,
    ) -> Result<Reply, Refusal> {
        Err(Refusal::NotAllowed)
    }
}
