//! What calls were about, and how they are marked.

use super::Switchboard;
use super::request::{Asker, Disposed, Flag, Refusal, Reply};
use crate::id::CallId;
use crate::time::Now;

impl Switchboard {
    pub(super) fn dispose(
        &mut self,
        _call: CallId,
        _disposed: Disposed,
        _now: Now,
    ) -> Result<Reply, Refusal> {
        Err(Refusal::NotAllowed)
    }

    pub(super) fn flag(
        &mut self,
        _asker: &Asker,
        _call: CallId,
        _flag: Flag,
        _now: Now,
    ) -> Result<Reply, Refusal> {
        Err(Refusal::NotAllowed)
    }
}
