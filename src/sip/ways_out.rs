//! Which of our INVITEs are out, by whom they call for: an INVITE that comes back to us is known by that.

use std::collections::{BTreeSet, HashMap};

use super::event::SessionId;
use super::uuids::{self, Uuid};

/// INVITEs of ours that nobody has answered yet; never more than there are sessions.
#[derive(Debug, Default)]
pub(super) struct WaysOut {
    by_caller: BTreeSet<(Uuid, SessionId)>,
    callers: HashMap<SessionId, Uuid>,
}

impl WaysOut {
    /// One goes out for this caller.
    pub(super) fn begin(&mut self, id: SessionId, caller: Uuid) {
        self.end(id);
        if caller != uuids::NULL {
            self.by_caller.insert((caller, id));
            self.callers.insert(id, caller);
        }
    }

    /// It is answered, or over.
    pub(super) fn end(&mut self, id: SessionId) {
        if let Some(caller) = self.callers.remove(&id) {
            self.by_caller.remove(&(caller, id));
        }
    }

    /// Those that call for this caller.
    pub(super) fn of(&self, caller: Uuid) -> impl Iterator<Item = SessionId> {
        let all = (caller, SessionId(u64::MIN))..=(caller, SessionId(u64::MAX));
        self.by_caller.range(all).map(|(_, id)| *id)
    }

    /// How many there are.
    #[cfg(test)]
    fn len(&self) -> usize {
        assert_eq!(self.by_caller.len(), self.callers.len());
        self.callers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_found_by_their_caller_until_they_end_and_nothing_is_left_over() {
        let (mut ways, caller, other) = (WaysOut::default(), [7; 16], [8; 16]);
        ways.begin(SessionId(1), caller);
        ways.begin(SessionId(u64::MAX), caller);
        ways.begin(SessionId(3), other);
        ways.begin(SessionId(4), uuids::NULL);
        let of = |ways: &WaysOut, caller| ways.of(caller).map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(of(&ways, caller), [1, u64::MAX]);
        assert_eq!((of(&ways, other), of(&ways, uuids::NULL)), (vec![3], vec![]), "nobody is like nobody");
        ways.begin(SessionId(1), other);
        assert_eq!((of(&ways, caller), of(&ways, other)), (vec![u64::MAX], vec![1, 3]));
        (0..=4).chain([u64::MAX]).for_each(|id| ways.end(SessionId(id)));
        assert_eq!(ways.len(), 0);
    }
}
