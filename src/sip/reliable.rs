//! Provisional answers to their INVITE that must not be lost (RFC 3262, the callee's side).
//!
//! One is out at a time: it is repeated until its PRACK is here, the next ones wait behind it, and a
//! 2xx waits too where it must. The caller's side is in `early`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::content::{self, Content};
use super::endpoint::{Endpoint, Source, User};
use super::event::{EndCause, Event, SessionId, TurnedAway};
use super::extensions::RELIABLE;
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::scan;
use super::sdp::Sdp;
use super::session::{Offer, Phase};
use super::transaction::{Key, Machine, NonInviteServer, PATIENCE, T1};
use super::writing::reply_to;
use crate::time::{Instant, Now};

/// Most provisional answers that wait for the PRACK of the one before them. A further one takes the
/// place of the last that waits: what was true meanwhile is of no use any more.
const WAITING_MAX: usize = 4;
/// RSeq begins below this (RFC 3262 §3).
const RSEQ_END: u64 = 1 << 31;

/// The reliable provisional answers of one INVITE.
#[derive(Debug)]
pub(super) struct Reliable {
    /// RSeq of the last one.
    rseq: u32,
    /// Its status.
    status: u16,
    /// It wants its PRACK.
    sent: Option<Sent>,
    waiting: VecDeque<(u16, Option<Bytes>)>,
    /// Description of a 2xx that waits for a PRACK.
    pub(super) answer: Option<Bytes>,
    pub(super) described: Described,
    /// The caller takes UPDATE.
    pub(super) updates: bool,
}

/// How far offer and answer have come before the 2xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Described {
    /// Not at all.
    Not,
    /// Our offer is out; the PRACK brings the answer.
    Offered,
    /// Both are known: neither later provisional answers nor the 2xx say more.
    Done,
}

/// One that wants its PRACK.
#[derive(Debug)]
struct Sent {
    bytes: Bytes,
    peer: SocketAddr,
    describes: bool,
    at: Instant,
    wait: Duration,
    ends: Instant,
}

impl Reliable {
    /// When the one that is out is due again.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.sent.as_ref().map(|sent| sent.at.min(sent.ends))
    }

    /// Whether a 2xx has to wait: something that described sound has no PRACK yet (RFC 3262 §3).
    fn holds_2xx(&self) -> bool {
        self.sent.as_ref().is_some_and(|sent| sent.describes)
    }

    fn will_describe(&self) -> bool {
        self.described != Described::Not || self.waiting.iter().any(|(_, sdp)| sdp.is_some())
    }
}

impl Endpoint {
    /// Sends a provisional answer reliably, or lines it up.
    pub(super) fn progress_reliably(&mut self, id: SessionId, status: u16, sdp: Option<Bytes>, now: Now) {
        let first = 1 + self.dice.below(RSEQ_END - 1) as u32;
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Phase::Incoming { request, .. } = &session.phase else {
            return;
        };
        let reliable = session.reliable.get_or_insert_with(|| {
            Box::new(Reliable {
                rseq: first.wrapping_sub(1),
                status,
                sent: None,
                waiting: VecDeque::new(),
                answer: None,
                described: Described::Not,
                updates: request.lists(Name::Allow, "UPDATE"),
            })
        });
        if reliable.answer.is_some() {
            return;
        }
        let sdp = sdp.filter(|_| !reliable.will_describe());
        if sdp.is_none() && !content::has_sdp(request) && !reliable.will_describe() {
            // RFC 3261 §13.2.1: their INVITE has no offer, so our first reliable answer must have
            // one. Without, we keep silent: the next answer that has one is the first.
            return;
        }
        if reliable.sent.is_some() {
            if reliable.waiting.len() == WAITING_MAX {
                let last = reliable.waiting.pop_back().and_then(|(_, sdp)| sdp);
                reliable.waiting.push_back((status, sdp.or(last)));
            } else {
                reliable.waiting.push_back((status, sdp));
            }
            return;
        }
        self.send_reliably(id, status, sdp, now);
    }

    fn send_reliably(&mut self, id: SessionId, status: u16, sdp: Option<Bytes>, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let (Phase::Incoming { tx, request, .. }, Some(reliable)) = (&session.phase, &mut session.reliable)
        else {
            return;
        };
        let (tx, request, supported) = (*tx, request.clone(), session.terms.supported());
        let Some(entry) = self.table.get_mut(tx) else {
            return;
        };
        reliable.rseq = reliable.rseq.wrapping_add(1);
        reliable.status = status;
        if sdp.is_some() {
            reliable.described =
                if content::has_sdp(&request) { Described::Done } else { Described::Offered };
        }
        let rseq = reliable.rseq;
        let from = Source { listener: entry.listener, peer: entry.peer };
        let mut draft = self
            .answer_draft(&request, from, status, id)
            .header("Supported", supported)
            .header("Require", RELIABLE)
            .header_number(Name::Rseq, u64::from(rseq));
        if let Some(sdp) = &sdp {
            draft = draft.body("application/sdp", sdp);
        }
        let bytes = draft.finish();
        self.respond(tx, status, bytes.clone(), now);
        if let Some(reliable) = self.sessions.get_mut(&id).and_then(|session| session.reliable.as_mut()) {
            reliable.sent = Some(Sent {
                bytes,
                peer: from.peer,
                describes: sdp.is_some(),
                at: now.mono + T1,
                wait: T1,
                ends: now.mono + PATIENCE,
            });
        }
        self.wake(id);
    }

    /// Repeats what wants its PRACK, each time after twice as long and without a ceiling; after
    /// 64·T1 the INVITE is refused (RFC 3262 §3).
    pub(super) fn handle_reliable_timeout(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let listener = session.dialog.listener;
        let (Phase::Incoming { .. }, Some(reliable)) = (&session.phase, &mut session.reliable) else {
            return;
        };
        let Some(sent) = &mut reliable.sent else {
            return;
        };
        if sent.ends <= now.mono {
            if self.refuse_invite(id, 504, None, now) {
                self.tell(Event::Ended { session: id, cause: EndCause::NoPrack });
            }
        } else if sent.at <= now.mono {
            sent.wait *= 2;
            sent.at = now.mono + sent.wait;
            let (peer, bytes) = (sent.peer, sent.bytes.clone());
            self.send(listener, peer, bytes);
        }
    }

    /// What goes out each minute, or proxies on the way give up (RFC 3261 §13.3.1.1). One that has
    /// its PRACK must not be repeated, so it is said anew.
    pub(super) fn ring_again(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        match (&session.phase, &session.reliable) {
            (Phase::Incoming { .. }, Some(reliable)) if reliable.sent.is_none() => {
                let status = reliable.status;
                self.progress(id, status, None, now);
            }
            (Phase::Incoming { tx, .. }, None) => {
                let tx = *tx;
                if let Some(entry) = self.table.get_mut(tx) {
                    entry.machine.handle_repeat();
                    self.run(tx, now);
                }
            }
            _ => {}
        }
    }

    /// PRACK (RFC 3262 §3). Its CSeq need not be the highest: two requests that overtook one
    /// another would otherwise cost the call, and what it acknowledges stands in RAck.
    pub(super) fn handle_prack(&mut self, id: SessionId, request: Message, key: Key, from: Source, now: Now) {
        let Some((rseq, seq)) = rack(&request) else {
            return self.refuse_prack(id, &request, key, from, 400, now);
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let invited = match &session.phase {
            Phase::Incoming { request, .. } => request.cseq().map_or(0, |cseq| cseq.number),
            Phase::Accepted { ok, .. } => ok.seq,
            // The ACK came first.
            Phase::Confirmed => seq,
            Phase::Calling { .. } | Phase::Leaving { .. } => 0,
        };
        let matched = session
            .reliable
            .as_mut()
            .filter(|reliable| reliable.rseq == rseq && invited == seq && reliable.sent.is_some());
        let Some(reliable) = matched else {
            return self.refuse_prack(id, &request, key, from, 481, now);
        };
        let sdp = match content::content(&request) {
            Content::Nothing => None,
            Content::Sdp(sdp) => Some(sdp),
            Content::Unsupported => return self.refuse_prack(id, &request, key, from, 415, now),
            Content::Bad => return self.refuse_prack(id, &request, key, from, 400, now),
        };
        if reliable.described == Described::Not && sdp.is_some() {
            // Their own offer still waits for its answer: they must not make another.
            return self.refuse_prack(id, &request, key, from, 400, now);
        }
        let offered = reliable.described == Described::Offered
            && reliable.sent.as_ref().is_some_and(|sent| sent.describes);
        reliable.sent = None;
        if offered {
            reliable.described = Described::Done;
        }
        match sdp {
            Some(offer) if !offered => {
                if !matches!(session.offer, Offer::Idle) || !matches!(session.phase, Phase::Incoming { .. }) {
                    self.refuse_prack(id, &request, key, from, 491, now);
                } else {
                    self.take_offer(id, request, key, from, Some(offer), now);
                }
            }
            answer => {
                let bytes = self.answer_draft(&request, from, 200, id).finish();
                self.serve(&request, key, from, 200, bytes, User::Nobody, now);
                if offered {
                    self.tell(Event::Agreed { session: id, sdp: answer });
                }
            }
        }
        self.go_on_answering(id, now);
        self.wake(id);
    }

    /// Sends what a PRACK, or the answer to an offer in one, was waited for with.
    pub(super) fn go_on_answering(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if !matches!(session.phase, Phase::Incoming { .. }) || matches!(session.offer, Offer::Theirs { .. }) {
            return;
        }
        let Some(reliable) = session.reliable.as_mut().filter(|reliable| reliable.sent.is_none()) else {
            return;
        };
        if let Some(sdp) = reliable.answer.take() {
            self.accept(id, sdp, now);
        } else if let Some((status, sdp)) = reliable.waiting.pop_front() {
            self.send_reliably(id, status, sdp, now);
        } else {
            self.offer_next(id, now);
        }
    }

    /// Keeps a 2xx back where one has to wait; says whether it does.
    pub(super) fn hold_answer(&mut self, id: SessionId, sdp: &Sdp) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else {
            return false;
        };
        let answering = matches!(session.offer, Offer::Theirs { .. });
        let Some(reliable) = session.reliable.as_mut() else {
            return false;
        };
        // Whatever has not been said goes unsaid.
        reliable.waiting.clear();
        if !reliable.holds_2xx() && !answering {
            return false;
        }
        reliable.answer.get_or_insert(sdp.write());
        true
    }

    /// Takes the offer in a PRACK or UPDATE: `answer_offer` or `refuse_offer` answers that request.
    pub(super) fn take_offer(
        &mut self,
        id: SessionId,
        request: Message,
        key: Key,
        from: Source,
        offer: Option<std::sync::Arc<Sdp>>,
        now: Now,
    ) {
        if self.comes_in_the_clear(id, from) {
            return self.refuse_in_dialog(id, &request, key, from, 488, now);
        }
        if self.table.len() >= self.config.limits.transactions_max {
            return self.refuse_in_dialog(id, &request, key, from, 500, now);
        }
        let way = reply_to(&request, from);
        let machine = Machine::NonInviteServer(NonInviteServer::new());
        let tx = self.table.insert(key, None, (machine, User::Nobody, way.listener, way.peer));
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        // Ours stands back behind theirs and goes out when theirs is settled.
        if let Offer::Backoff { sdp, .. } =
            std::mem::replace(&mut session.offer, Offer::Theirs { tx, request })
        {
            session.next_offer.get_or_insert(sdp);
        }
        self.wake(id);
        self.tell(Event::Reoffered { session: id, offer });
    }

    fn refuse_prack(
        &mut self,
        id: SessionId,
        request: &Message,
        key: Key,
        from: Source,
        status: u16,
        now: Now,
    ) {
        if status == 481 {
            self.turn_away(from, TurnedAway::OutOfDialog);
        }
        self.refuse_in_dialog(id, request, key, from, status, now);
    }
}

/// RSeq and CSeq of the INVITE that a PRACK names (RFC 3262 §7.2).
fn rack(prack: &Message) -> Option<(u32, u32)> {
    let value = prack.header(Name::Rack)?;
    let mut parts = value.split(|byte| scan::is_blank(*byte)).filter(|part| !part.is_empty());
    let mut number = || scan::number(parts.next()?).and_then(|number| u32::try_from(number).ok());
    let (rseq, seq) = (number()?, number()?);
    let invite = parts.next().is_some_and(|method| method == Method::Invite.as_bytes());
    (invite && parts.next().is_none()).then_some((rseq, seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rack_names_a_provisional_answer_row_by_row() {
        let rows = [
            ("RAck: 776656 1 INVITE", Some((776_656, 1))),
            ("rack:   7\t8   INVITE ", Some((7, 8))),
            ("RAck: 7 8 UPDATE", None),
            ("RAck: 7 INVITE", None),
            ("RAck: 4294967296 8 INVITE", None),
            ("RAck: 7 8 INVITE x", None),
            ("RAck: -7 8 INVITE", None),
            ("X: 1", None),
        ];
        for (line, wanted) in rows {
            let text = format!("PRACK sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n{line}\r\n\r\n");
            assert_eq!(rack(&Message::parse(text.into()).unwrap()), wanted, "{line}");
        }
    }
}
