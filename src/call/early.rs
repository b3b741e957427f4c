//! Descriptions in provisional responses to one INVITE: of several telephones where it forked, each
//! with an early dialog of its own (RFC 3261 §13.2.2.4, RFC 3960 §2.1).
//!
//! The newest telephone to describe itself is heard until one answers; then the answer decides.
//! Telephones are told apart by the session id and address of their `o=` lines, which are unique in
//! the world (RFC 8866 §5.2). Two that write the same there pass for one whose address moves.

use std::net::IpAddr;

use crate::sip::sdp::Sdp;

/// Most telephones that are told apart; beyond, the newest that is known is heard.
const EARLY_MAX: usize = 8;

/// Who has described itself, oldest first.
#[derive(Debug, Default)]
pub(super) struct Early(Vec<(u64, Option<IpAddr>)>);

impl Early {
    /// Notes a description; whether it is the newest telephone's: one that we had no description of,
    /// or that of last again. An older one that repeats itself does not take the sound back.
    pub(super) fn is_newest(&mut self, sdp: &Sdp) -> bool {
        let who = (sdp.origin.0, sdp.owner);
        if self.0.last() == Some(&who) {
            return true;
        }
        if self.0.contains(&who) || self.0.len() == EARLY_MAX {
            return false;
        }
        self.0.push(who);
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_telephone_is_heard_and_none_that_repeats_itself() {
        let sdp = |id, host: u8, version| Sdp {
            origin: (id, version),
            owner: Some(IpAddr::from([192, 0, 2, host])),
            ..Sdp::default()
        };
        let mut early = Early::default();
        assert!(early.is_empty());
        let rows = [
            (sdp(1, 1, 1), true, "the first"),
            (sdp(1, 1, 1), true, "the same again"),
            (sdp(1, 1, 2), true, "and with a new version"),
            (sdp(1, 2, 1), true, "another host"),
            (sdp(1, 1, 2), false, "the first repeats itself"),
            (sdp(2, 1, 1), true, "another session of the first host"),
            (sdp(1, 2, 9), false, "the second repeats itself"),
        ];
        for (sdp, newest, what) in rows {
            assert_eq!(early.is_newest(&sdp), newest, "{what}");
        }
        let fork = |n: usize| early_of(n);
        assert!(fork(EARLY_MAX).1 && !fork(EARLY_MAX + 1).1, "bounded");
    }

    /// So many telephones describe themselves; whether the last one is heard.
    fn early_of(count: usize) -> (Early, bool) {
        let mut early = Early::default();
        let mut newest = false;
        for n in 0..count {
            newest = early.is_newest(&Sdp { origin: (n as u64, 1), ..Sdp::default() });
        }
        (early, newest)
    }
}
