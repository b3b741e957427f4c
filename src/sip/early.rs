//! Dialogs that our INVITE opened and nobody has answered yet: one for each place it was forked to
//! (RFC 3261 §13.2.2.1), with the provisional answers that want a PRACK (RFC 3262, the caller's side).
//!
//! A place is kept only where it matters: it rang reliably, or let something be heard. They stay with
//! the INVITE's transaction, so that a fork which answers late is still spoken to with the right CSeq.

use std::sync::Arc;

use super::content;
use super::dialog::Dialog;
use super::endpoint::{Endpoint, User};
use super::event::SessionId;
use super::extensions::RELIABLE;
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::responses::FORKS_MAX;
use super::sdp::Sdp;
use super::session::Phase;
use super::tags::to_tag;
use super::transaction::Machine;
use crate::time::Now;

/// One place that rings.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) tag: Box<[u8]>,
    pub(super) dialog: Dialog,
    /// RSeq of its last reliable answer.
    rseq: Option<u32>,
    /// A reliable answer has answered our offer: what follows says nothing new, and either side may
    /// offer by UPDATE (RFC 3311 §5.1).
    pub(super) settled: bool,
    /// It takes UPDATE.
    pub(super) updates: bool,
    /// An offer of ours is out in an UPDATE.
    pub(super) offering: bool,
    /// What it described last.
    pub(super) sdp: Option<Arc<Sdp>>,
}

impl Endpoint {
    /// Takes a provisional answer other than 100 to our INVITE. `None`: nothing is to be told of it.
    pub(super) fn hear_early(
        &mut self,
        tx: usize,
        status: u16,
        response: &Message,
        now: Now,
    ) -> Option<Option<Arc<Sdp>>> {
        let rseq = match response.lists(Name::Require, RELIABLE) {
            true => Some(response.number(Name::Rseq).ok().flatten().filter(|rseq| *rseq > 0)?),
            false => None,
        };
        let sdp = content::sdp_of(response);
        if rseq.is_none() && sdp.is_none() && status != 199 {
            return Some(None);
        }
        // Room for the PRACK, or the answer counts as lost: it comes again.
        if rseq.is_some() && self.table.len() >= self.config.limits.transactions_max {
            return None;
        }
        let entry = self.table.get_mut(tx)?;
        // Where its length alone took the INVITE over a stream, the dialog stays with datagrams.
        let (listener, peer) = (entry.lifted.unwrap_or(entry.listener), entry.peer);
        let (Machine::InviteClient(machine), User::Inviting(inviting)) = (&entry.machine, &mut entry.user)
        else {
            return None;
        };
        let tag = to_tag(response);
        if tag.is_empty() {
            // RFC 2543: no dialog can come of it.
            return Some(sdp).filter(|_| rseq.is_none());
        }
        let invite = Message::parse(machine.stored().clone()).ok()?;
        let mut early = match inviting.early.iter().position(|early| early.tag == tag) {
            Some(index) => inviting.early.remove(index),
            None if inviting.early.len() == FORKS_MAX => return Some(sdp).filter(|_| rseq.is_none()),
            None => {
                let mut dialog = Dialog::of_own_invite(&invite, listener, peer, inviting.pinned);
                dialog.trunk.clone_from(&inviting.trunk);
                dialog.settle(response);
                Early { tag, dialog, rseq: None, settled: false, updates: false, offering: false, sdp: None }
            }
        };
        // RFC 3262 §4: a repeated one has its PRACK, one out of order waits until it is its turn.
        let is_next = match (rseq, early.rseq) {
            (Some(next), Some(last)) => next == last.wrapping_add(1),
            _ => true,
        };
        let mut heard = None;
        if is_next {
            if let Some(rseq) = rseq {
                early.rseq = Some(rseq);
                let seq = invite.cseq().map_or(1, |cseq| cseq.number);
                let rack = format!("{rseq} {seq} INVITE");
                let with_rack = |draft: super::build::Draft| draft.header("RAck", rack);
                self.ask(&mut early.dialog, &Method::Prack, User::Nobody, with_rack, now);
            }
            early.updates |= response.lists(Name::Allow, "UPDATE");
            let sdp = sdp.filter(|_| !early.settled);
            if let Some(sdp) = &sdp {
                early.sdp = Some(sdp.clone());
                early.settled = rseq.is_some();
            }
            heard = Some(sdp);
        }
        // RFC 6228: this place is through; others may still ring.
        if status == 199 {
            return None;
        }
        if let Some(User::Inviting(inviting)) = self.table.get_mut(tx).map(|entry| &mut entry.user) {
            // The newest stands last.
            inviting.early.push(early);
        }
        heard
    }

    /// The early dialog of a session in which a request came, or which the newest is.
    pub(super) fn early_of(&mut self, id: SessionId, tag: Option<&[u8]>) -> Option<&mut Early> {
        let Phase::Calling { tx, .. } = self.sessions.get(&id)?.phase else {
            return None;
        };
        let User::Inviting(inviting) = &mut self.table.get_mut(tx)?.user else {
            return None;
        };
        inviting.early.iter_mut().rev().find(|early| tag.is_none_or(|tag| *early.tag == *tag))
    }
}
