//! One INVITE session's state, from the INVITE to the end of the BYE. What changes it is in `uas`,
//! `uac`, `offers`, `update`, `reliable` and `refresh`.

use std::time::Duration;

use bytes::Bytes;

use super::dialog::Dialog;
use super::event::{EndCause, Origin};
use super::hunt::Hunt;
use super::message::Message;
use super::pressing::Pressing;
use super::refresh::Refresh;
use super::reliable::Reliable;
use super::subscription::Subscription;
use super::transaction::{PATIENCE, T1, T2};
use super::trunk_terms::TrunkTerms;
use crate::time::Instant;

/// A provisional answer is repeated this often, or proxies on the way give up (RFC 3261 §13.3.1.1).
pub(super) const RING_AGAIN: Duration = Duration::from_secs(60);

/// How often an offer of ours goes out that meets one of theirs each time.
pub(super) const OFFER_TRIES_MAX: u8 = 8;

/// The whole of it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) dialog: Dialog,
    pub(super) phase: Phase,
    pub(super) offer: Offer,
    /// SDP of a re-INVITE that waits for its turn.
    pub(super) next_offer: Option<Bytes>,
    /// An OPTIONS of ours is out.
    pub(super) probing: bool,
    /// We sent the INVITE, so the Call-ID is ours (RFC 3261 §14.1).
    pub(super) is_caller: bool,
    /// More than 100 has come to our INVITE: somebody beyond the next hop has it.
    pub(super) rang: bool,
    /// What is left to try, while our INVITE is out.
    pub(super) hunt: Option<Box<Hunt>>,
    /// Provisional answers to their INVITE that want a PRACK.
    pub(super) reliable: Option<Box<Reliable>>,
    /// The session timer, where one runs.
    pub(super) refresh: Option<Box<Refresh>>,
    /// Whom it is with; whoever else asks for its place does not get it.
    pub(super) party: Option<Origin>,
    /// Which extensions are used in it: those of the plan that it began with.
    pub(super) terms: TrunkTerms,
    /// Keys that are pressed by INFO, once one was.
    pub(super) pressing: Option<Box<Pressing>>,
    /// REFERs under way in the dialog.
    pub(super) subscriptions: Vec<Subscription>,
    /// One was there before.
    pub(super) was_referred: bool,
}

/// Where the session stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// Their INVITE wants its final answer.
    Incoming { tx: usize, request: Message, ring_again: Option<Instant> },
    /// Our 2xx wants its ACK.
    Accepted { ok: Repeat, hang_up: Option<Farewell> },
    /// Our INVITE is out. `hung_up`: only its end is waited for.
    Calling { tx: usize, lapses: Option<Instant>, hung_up: bool },
    /// Both know that it stands.
    Confirmed,
    /// Our BYE is out. `None`: the rooms above have been told already.
    Leaving { cause: Option<EndCause> },
}

/// What a BYE or CANCEL says.
#[derive(Clone, Debug, Default)]
pub(super) struct Farewell {
    /// Value of the Reason header (RFC 3326).
    pub(super) reason: Option<&'static str>,
}

/// A change of the session description under way.
#[derive(Debug)]
pub(super) enum Offer {
    /// None.
    Idle,
    /// Ours is out: in a re-INVITE with this transaction, or in an UPDATE (which has its own end).
    /// `tries`: how often it met one of theirs. `lapses`: then the re-INVITE is cancelled.
    /// `refresh`: it says nothing new.
    Ours { sdp: Bytes, tries: u8, tx: Option<usize>, lapses: Option<Instant>, refresh: bool },
    /// Both offered at once: ours goes out again later (RFC 3261 §14.1).
    Backoff { at: Instant, sdp: Bytes, tries: u8 },
    /// Theirs, in a re-INVITE, UPDATE or PRACK, wants an answer.
    Theirs { tx: usize, request: Message },
    /// Our 2xx to theirs wants its ACK.
    Accepted { ok: Repeat },
}

/// A 2xx of ours, repeated until its ACK is here (RFC 3261 §13.3.1.4).
#[derive(Debug)]
pub(super) struct Repeat {
    pub(super) bytes: Bytes,
    /// CSeq of the INVITE, and so of the ACK.
    pub(super) seq: u32,
    /// The INVITE had no offer: the ACK brings the answer to ours.
    pub(super) answer_due: bool,
    /// Where 2xx went.
    pub(super) peer: std::net::SocketAddr,
    at: Instant,
    wait: Duration,
    ends: Instant,
}

/// What a repeated 2xx wants now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Send,
    GiveUp,
}

impl Repeat {
    pub(super) fn new(
        bytes: Bytes,
        seq: u32,
        answer_due: bool,
        peer: std::net::SocketAddr,
        now: Instant,
    ) -> Self {
        Repeat { bytes, seq, answer_due, peer, at: now + T1, wait: T1, ends: now + PATIENCE }
    }

    fn due(&self) -> Instant {
        self.at.min(self.ends)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Due {
        if self.ends <= now {
            return Due::GiveUp;
        }
        if self.at > now {
            return Due::Nothing;
        }
        self.wait = (self.wait * 2).min(T2);
        self.at = now + self.wait;
        Due::Send
    }
}

impl Session {
    pub(super) fn new(dialog: Dialog, phase: Phase, is_caller: bool) -> Self {
        Session {
            dialog,
            phase,
            offer: Offer::Idle,
            next_offer: None,
            probing: false,
            is_caller,
            rang: false,
            hunt: None,
            reliable: None,
            refresh: None,
            party: None,
            terms: TrunkTerms::default(),
            pressing: None,
            subscriptions: Vec::new(),
            was_referred: false,
        }
    }

    /// The description of ours that has not been answered: it waits, or is out.
    pub(super) fn unanswered_offer(&mut self) -> Option<Bytes> {
        let under_way = match &mut self.offer {
            Offer::Ours { sdp, refresh: false, .. } | Offer::Backoff { sdp, .. } => Some(sdp.clone()),
            Offer::Ours { refresh: true, .. }
            | Offer::Idle
            | Offer::Theirs { .. }
            | Offer::Accepted { .. } => None,
        };
        self.next_offer.take().or(under_way)
    }

    /// When the session itself wants to be woken.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Incoming { ring_again, .. } => {
                let reliable = self.reliable.as_ref().and_then(|reliable| reliable.poll_timeout());
                ring_again.iter().copied().chain(reliable).min()
            }
            Phase::Accepted { ok, .. } => Some(ok.due()),
            Phase::Calling { lapses, .. } => *lapses,
            Phase::Confirmed => self.refresh.as_ref().map(|refresh| refresh.poll_timeout()),
            Phase::Leaving { .. } => None,
        };
        let offer = match &self.offer {
            Offer::Backoff { at, .. } => Some(*at),
            Offer::Accepted { ok } => Some(ok.due()),
            Offer::Ours { lapses, .. } => *lapses,
            Offer::Idle | Offer::Theirs { .. } => None,
        };
        let subscriptions = self.subscriptions.iter().map(Subscription::ends);
        phase.into_iter().chain(offer).chain(subscriptions).min()
    }

    /// Whether the dialog stands and nobody has ended it yet.
    pub(super) fn is_up(&self) -> bool {
        match &self.phase {
            Phase::Accepted { hang_up, .. } => hang_up.is_none(),
            Phase::Confirmed => true,
            Phase::Incoming { .. } | Phase::Calling { .. } | Phase::Leaving { .. } => false,
        }
    }

    /// Whether a 2xx has made the dialog stand.
    pub(super) fn stands(&self) -> bool {
        match self.phase {
            Phase::Incoming { .. } | Phase::Calling { .. } => false,
            Phase::Accepted { .. } | Phase::Confirmed | Phase::Leaving { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_2xx_is_repeated_with_a_ceiling_of_t2_for_32_s() {
        let peer = "192.0.2.1:5060".parse().unwrap();
        let mut ok = Repeat::new(Bytes::new(), 1, false, peer, Instant::ZERO);
        let mut sent = Vec::new();
        loop {
            let now = ok.due();
            match ok.handle_timeout(now) {
                Due::Send => sent.push(now.as_nanos() / 1_000_000),
                Due::GiveUp => break assert_eq!(now, Instant::from_millis(32_000)),
                Due::Nothing => unreachable!("it is due"),
            }
        }
        assert_eq!(sent, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    }
}
