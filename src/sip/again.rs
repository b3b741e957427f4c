//! Requests of ours that go out once more, changed as their refusal asks: with proof (RFC 3261 §22.2),
//! or with a longer session interval (RFC 4028 §7.3).
//!
//! What is asked for is read in `vouching` and `refresh`. It is the same request but for branch and
//! CSeq (RFC 3261 §8.1.3.5), goes the same way, and whoever waited for the first waits for this one.

use super::build::Draft;
use super::dialog::Dialog;
use super::endpoint::{Endpoint, Source, User};
use super::event::SessionId;
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::session::{Offer, Phase};
use super::tags::{session_of, to_tag};
use super::vouching::Proofs;
use crate::id::TrunkId;
use crate::time::Now;

/// What is not as it was.
pub(super) struct Changed {
    pub(super) proofs: Proofs,
    /// Session-Expires and Min-SE, seconds.
    pub(super) min_se: Option<u32>,
}

impl Endpoint {
    /// The dialog of a session, whether its call goes on or it is only kept for its subscriptions.
    pub(super) fn dialog_mut(&mut self, id: SessionId) -> Option<&mut Dialog> {
        match self.sessions.get_mut(&id) {
            Some(session) => Some(&mut session.dialog),
            None => self.orphans.get_mut(&id).map(|orphan| &mut orphan.dialog),
        }
    }

    /// The session in whose dialog we sent `request`.
    pub(super) fn session_that_said(&mut self, request: &Message) -> Option<SessionId> {
        let id = session_of(request.from().ok()?.tag()?)?;
        let dialog = self.dialog_mut(id)?;
        // Not another fork's, which has a count of its own.
        let to = to_tag(request);
        let same = to.is_empty() || dialog.remote_tag().is_empty() || *to == *dialog.remote_tag();
        (same && Some(dialog.call_id()) == request.call_id()).then_some(id)
    }

    /// Sends what transaction `tx` sent once more. `trunk`: with its proof. `false` where another
    /// request has taken its place.
    pub(super) fn send_again(
        &mut self,
        tx: usize,
        request: &Message,
        trunk: Option<&TrunkId>,
        changed: &Changed,
        now: Now,
    ) -> bool {
        let Some(method) = request.method().cloned() else { return false };
        let id = self.session_that_said(request);
        let Some(seq) = self.next_seq_for(tx, id, request, trunk) else { return false };
        let Some(entry) = self.table.get_mut(tx) else { return false };
        // Where its length alone took it over a stream, it is measured anew.
        let way = Source { listener: entry.lifted.unwrap_or(entry.listener), peer: entry.peer };
        let user = std::mem::replace(&mut entry.user, User::Nobody);
        let (via, key) = self.branch(way.listener, &method);
        let draft = same_again(request, &method, seq, &via, changed.min_se);
        let draft = self.vouch(draft, trunk, &method);
        let bytes = match request.content_type() {
            Some(_) => {
                let kind = String::from_utf8_lossy(request.header(Name::ContentType).unwrap_or_default());
                draft.body(&kind, request.body()).finish()
            }
            None => draft.finish(),
        };
        match user {
            User::Inviting(inviting) => {
                let (session, again, pinned) = (inviting.session, inviting.again, inviting.pinned);
                let tx = self.send_invite(session, again, pinned, key, way, bytes, now);
                self.goes_by(tx, trunk);
            }
            user => self.request(user, key, way, bytes, now),
        }
        let Some(again) = self.table.find(key) else { return true };
        if let Some(entry) = self.table.get_mut(again) {
            entry.proofs = changed.proofs;
        }
        if let Some(id) = id {
            self.wait_for(id, tx, again, trunk, now);
        }
        true
    }

    /// CSeq of the next request in place of `request`.
    fn next_seq_for(
        &mut self,
        tx: usize,
        id: Option<SessionId>,
        request: &Message,
        trunk: Option<&TrunkId>,
    ) -> Option<u32> {
        let before = request.cseq().map_or(0, |cseq| cseq.number);
        if let (Some(User::Registering(_)), Some(trunk)) =
            (self.table.get_mut(tx).map(|entry| &entry.user), trunk)
        {
            return self.next_register_seq(trunk, before);
        }
        let Some(id) = id else { return Some(before + 1) };
        // Each place that an INVITE of ours was forked to has a count of its own.
        let to = to_tag(request);
        if !to.is_empty()
            && let Some(early) = self.early_of(id, Some(&to))
        {
            return Some(early.dialog.next_seq_after(before));
        }
        Some(self.dialog_mut(id).map_or(before + 1, |dialog| dialog.next_seq_after(before)))
    }

    /// A session that waited for INVITE `tx` of ours waits for `again`.
    fn wait_for(&mut self, id: SessionId, tx: usize, again: usize, trunk: Option<&TrunkId>, now: Now) {
        let until = trunk.and_then(|trunk| self.lapses(id, trunk, now));
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if let Offer::Ours { tx: Some(standing), .. } = &mut session.offer
            && *standing == tx
        {
            *standing = again;
        }
        if let Phase::Calling { tx: standing, lapses, .. } = &mut session.phase
            && *standing == tx
        {
            (*standing, *lapses) = (again, until);
            self.wake(id);
        }
    }
}

/// A request of ours as it was, but for branch, CSeq, proof and body, and for its session interval
/// where `min_se` says so.
fn same_again(request: &Message, method: &Method, seq: u32, via: &str, min_se: Option<u32>) -> Draft {
    let mut draft = Draft::request(method, request.request_uri().unwrap_or_default()).header("Via", via);
    for (name, label, value) in request.lines() {
        match (name, min_se) {
            (
                Name::Via
                | Name::Authorization
                | Name::ProxyAuthorization
                | Name::ContentLength
                | Name::ContentType,
                _,
            )
            | (Name::MinSe, Some(_)) => {}
            (Name::CSeq, _) => draft = draft.header("CSeq", format!("{seq} {method}")),
            (Name::SessionExpires, Some(min)) => draft = draft.header_number(name, u64::from(min)),
            _ => draft = draft.header(&String::from_utf8_lossy(label), value),
        }
    }
    match min_se {
        Some(min) => draft.header_number(Name::MinSe, u64::from(min)),
        None => draft,
    }
}
