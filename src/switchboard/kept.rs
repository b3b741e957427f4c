//! Callers who hung up and keep their place in the queue: when it is due, the seat rings, with its screen,
//! and then they do.
//!
//! The queue goes on with the place, and minds its times, under the id of the call that is over; the call
//! back is a call of its own. Nothing is lost silently: whom the queue sends on, or who is reached by nobody
//! within the time, is put on the list of missed calls, and that the place is given up is told. After a restart
//! places are where they were ([`kept_again`](super::kept_again)).

use std::collections::BTreeMap;
use std::time::Duration;

use super::fact::{CallbackOutcome, millis};
use super::{Drain, Switchboard, What};
use crate::acd::event::{OfferEnd, Purpose};
use crate::call::{self, EndWhy, Ending};
use crate::id::{CallId, LineId, QueueId, SeatId};
use crate::routing::outside::Callable;
use crate::routing::queueing::CallbackOffer;
use crate::time::{Instant, Now, Timestamp};

/// Places kept at once; who comes after that waits on.
pub const KEPT_MAX: usize = 1_000;

/// Places whose callers are not on the line.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) places: BTreeMap<CallId, Place>,
    /// Calls back under way, by the calls that waited: from the seat's ringing to the end.
    attempts: BTreeMap<CallId, CallId>,
}

impl Kept {
    /// The call back that is under way for a place, or has been settled by this one and goes on.
    pub(super) fn attempt(&self, kept: CallId) -> Option<CallId> {
        self.attempts.get(&kept).copied()
    }

    /// Calls back under way.
    pub(super) fn attempt_count(&self) -> usize {
        self.attempts.len()
    }
}

/// A place, and whose.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) number: String,
    pub(super) is_confidential: bool,
    pub(super) line: LineId,
    pub(super) queue: QueueId,
    pub(super) opened_at: Timestamp,
    pub(super) history: Vec<String>,
    pub(super) rules: CallbackOffer,
    pub(super) tries: u8,
    /// The call that rings a seat for it, or has reached one.
    pub(super) trying: Option<CallId>,
}

/// How far a call back has come.
pub(super) struct Callback {
    /// The call that waited.
    pub(super) kept: CallId,
    seat: SeatId,
    waited: Duration,
    seat_answered: bool,
    /// And has left the call to others.
    seat_gone: bool,
    /// The caller has answered.
    talking_since: Option<Instant>,
}

/// Who has.
#[derive(Clone, Copy)]
pub(super) enum Answered {
    /// A clerk, to a caller.
    Seat,
    /// Whoever is on the first leg.
    First,
    /// Whoever is called by a trunk.
    Peer,
}

impl Answered {
    pub(super) fn of(what: &What) -> Option<Self> {
        match what {
            What::SeatAnswered { .. } => Some(Answered::Seat),
            What::Answered { .. } => Some(Answered::First),
            What::PeerAnswered { .. } => Some(Answered::Peer),
            _ => None,
        }
    }
}

impl Switchboard {
    /// A caller waits in a queue that keeps places: the offer is the call's to make, in a surge that asks for it at once.
    pub(super) fn offer_to_keep(&mut self, id: CallId, queue: &QueueId) {
        let rules = self.plan.queues.get(queue).map(|queue| &queue.rules);
        if let Some(rules) = rules
            && let Some(CallbackOffer { after, key, .. }) = rules.callback.clone()
            && self.number_to_keep(id).is_some()
        {
            let by_surge = rules.surge.as_ref().is_some_and(|surge| surge.callback);
            let after = if by_surge && self.acd.is_surging(queue) { Duration::ZERO } else { after };
            self.tell_call(id, call::Input::MayKeepPlace { after, key });
        }
    }

    /// The number of a caller who can be called back.
    fn number_to_keep(&self, id: CallId) -> Option<String> {
        let number = &self.calls.get(&id)?.caller;
        matches!(self.plan.callable(number), Ok(Callable::Outside(_))).then(|| number.clone())
    }

    /// The caller pressed the key.
    pub(super) fn keep_place(&mut self, id: CallId, now: Now) {
        let ahead = self.number_to_keep(id).and_then(|number| self.enter_place(id, number, now));
        if let Some((queue, ahead)) = ahead.clone() {
            self.record(id, What::CallbackKept { queue, ahead }, now);
        }
        self.tell_call(id, call::Input::PlaceKept { kept: ahead.is_some() });
    }

    fn enter_place(&mut self, id: CallId, number: String, now: Now) -> Option<(QueueId, u32)> {
        if self.kept.places.len() >= KEPT_MAX {
            return None;
        }
        let entry = self.calls.get(&id)?;
        let queue = entry.call.queue()?.clone();
        let rules = self.plan.queues.get(&queue)?.rules.callback.clone()?;
        let place = Place {
            number,
            is_confidential: entry.standing.is_confidential,
            line: entry.line.clone(),
            queue: queue.clone(),
            opened_at: entry.opened_at,
            history: entry.history.clone(),
            tries: 0,
            trying: None,
            rules,
        };
        let ahead = self.acd.position(id)?.saturating_sub(1);
        // Before the queue decides: the place may be due at once.
        self.kept.places.insert(id, place);
        if !self.acd.keep_place(id, now.mono) {
            self.kept.places.remove(&id);
            return None;
        }
        Some((queue, ahead))
    }

    /// Whether a seat or a word of the queue is for a caller who is not on the line.
    pub(super) fn is_kept(&self, call: CallId) -> bool {
        self.kept.places.contains_key(&call)
    }

    /// The place is due, and this seat is to ring for it.
    pub(super) fn begin_callback(&mut self, kept: CallId, seat: SeatId, waited: Duration, now: Now) {
        let Some(place) = self.kept.places.get(&kept).cloned() else {
            return self.acd.leave(kept, now.mono);
        };
        let way = match self.plan.callable(&place.number) {
            Ok(Callable::Outside(peer)) if self.drain == Drain::Open => Some(peer),
            _ => None,
        };
        let Some(peer) = way.filter(|_| !self.is_full(false)) else {
            let again_at = now.mono + place.rules.again_after;
            return self.acd.callback_failed(kept, Some(again_at), now.mono);
        };
        let callback = Callback {
            kept,
            seat: seat.clone(),
            waited,
            seat_answered: false,
            seat_gone: false,
            talking_since: None,
        };
        let number = (place.number, place.is_confidential);
        let id = self.call_back_kept(place.line, number, callback, peer, now);
        self.kept.attempts.insert(kept, id);
        if let Some(place) = self.kept.places.get_mut(&kept) {
            place.trying = Some(id);
        }
        let (waited_ms, history) = (millis(waited), place.history);
        let purpose = Purpose::Callback;
        self.record(id, What::SeatOffered { seat, waited_ms, history, purpose }, now);
    }

    /// The queue takes its offer back: the seat rings no more.
    pub(super) fn callback_withdrawn(&mut self, kept: CallId) {
        if let Some(id) = self.kept.places.get(&kept).and_then(|place| place.trying) {
            self.tell_call(id, call::Input::End { cause: EndWhy::Withdrawn });
        }
    }

    /// The queue sends the place on by its rule, or its time is over: the caller is owed a call by others.
    pub(super) fn place_lost(&mut self, kept: CallId, now: Now) {
        if let Some(place) = self.kept.places.remove(&kept) {
            tracing::info!(call = %kept, queue = %place.queue, "a kept place lapsed");
            self.acd.leave(kept, now.mono);
            let Place { number, is_confidential, line, opened_at, .. } = place;
            self.record(kept, What::CallbackSettled { outcome: CallbackOutcome::Expired }, now);
            self.missed.owe(kept, (number, is_confidential), line, opened_at, now);
        }
    }

    /// Somebody talks with a clerk: whatever place their number kept is not needed any more.
    pub(super) fn drop_places_of(&mut self, number: &str, now: Now) {
        let of = |(kept, place): (&CallId, &Place)| (place.number == number).then_some((*kept, place.trying));
        let Some((kept, trying)) = self.kept.places.iter().find_map(of) else { return };
        if trying.is_none() {
            self.kept.places.remove(&kept);
            self.acd.leave(kept, now.mono);
        }
    }

    /// Somebody has answered: a call back may be further, or not needed any more.
    pub(super) fn somebody_answered(&mut self, id: CallId, who: Answered, now: Now) {
        let Some(entry) = self.calls.get_mut(&id) else { return };
        let came_to_us = entry.outward.is_none();
        let callback = entry.outward.as_mut().and_then(|outward| outward.callback.as_mut());
        match (who, callback) {
            (Answered::Seat, None) if came_to_us => {
                let caller = entry.caller.clone();
                self.drop_places_of(&caller, now);
            }
            (Answered::First, Some(callback)) => {
                let (kept, seat, waited) = (callback.kept, callback.seat.clone(), callback.waited);
                callback.seat_answered = self.acd.offer_answered(kept, &seat, now.mono);
                if callback.seat_answered {
                    let waited_ms = millis(waited);
                    // It is the first leg.
                    self.record(id, What::SeatAnswered { seat, waited_ms, leg: Some(0) }, now);
                } else {
                    // The offer has just lapsed.
                    self.tell_call(id, call::Input::End { cause: EndWhy::Withdrawn });
                }
            }
            // Whoever the clerk asks in later is not who was called back.
            (Answered::Peer, Some(callback)) if callback.talking_since.is_none() => {
                callback.talking_since = Some(now.mono);
                let kept = callback.kept;
                self.kept.places.remove(&kept);
                self.acd.bridged(kept, now.mono);
                self.record(id, What::CallbackSettled { outcome: CallbackOutcome::Answered }, now);
            }
            _ => {}
        }
    }

    /// A call back is about to be closed: its seat is free, and the place is settled or tried again.
    pub(super) fn callback_over(&mut self, id: CallId, ending: Ending, now: Now) {
        let outward = self.calls.get_mut(&id).and_then(|entry| entry.outward.as_mut());
        let Some(callback) = outward.and_then(|outward| outward.callback.take()) else { return };
        let Callback { kept, seat, seat_answered, seat_gone, talking_since, .. } = callback;
        if self.kept.attempt(kept) == Some(id) {
            self.kept.attempts.remove(&kept);
        }
        let mut is_latest = false;
        if let Some(place) = self.kept.places.get_mut(&kept) {
            is_latest = place.trying.take_if(|trying| *trying == id).is_some();
        }
        if !seat_answered {
            let why = offer_end(ending);
            self.record(id, What::OfferEnded { seat: seat.clone(), why }, now);
            if is_latest {
                // The queue finds the next seat for the place, unless we are closing.
                self.acd.offer_failed(kept, &seat, why, now.mono);
            }
            return; // Or has done so: this one had lapsed.
        }
        if !seat_gone {
            let talked_ms = talking_since.map_or(0, |since| millis(now.mono.since(since)));
            let vanished = ending == Ending::CallerVanished;
            self.record(id, What::SeatLeft { seat: seat.clone(), talked_ms, vanished }, now);
            self.seat_left(kept, &seat, vanished, now);
        }
        if talking_since.is_some() {
            return self.acd.call_over(kept);
        }
        let Some(place) = self.kept.places.get_mut(&kept) else { return };
        place.tries = place.tries.saturating_add(1);
        if place.tries < place.rules.tries {
            let again_at = now.mono + place.rules.again_after;
            self.acd.callback_failed(kept, Some(again_at), now.mono);
            return self.keep_place_on(kept, now); // The plan may be another one by now.
        }
        self.kept.places.remove(&kept);
        self.acd.callback_failed(kept, None, now.mono);
        self.record(id, What::CallbackSettled { outcome: CallbackOutcome::Unanswered }, now);
    }

    /// A clerk leaves a call back, which may go on without them; `false`: it is none, or not theirs.
    pub(super) fn leaves_callback(&mut self, id: CallId, seat: &SeatId, vanished: bool, now: Now) -> bool {
        let outward = self.calls.get_mut(&id).and_then(|entry| entry.outward.as_mut());
        let callback = outward.and_then(|outward| outward.callback.as_mut());
        let own = callback.filter(|callback| callback.seat == *seat && callback.seat_answered);
        let Some(callback) = own.filter(|callback| !callback.seat_gone) else { return false };
        callback.seat_gone = true;
        let kept = callback.kept;
        self.seat_left(kept, seat, vanished, now);
        true
    }

    /// Places kept for callers who are not on the line.
    pub fn places_kept(&self) -> usize {
        self.kept.places.len()
    }
}

impl Callback {
    pub(super) fn seat(&self) -> &SeatId {
        &self.seat
    }

    /// Whether it rings (`answered`: has reached) this seat for this place.
    pub(super) fn is_for(&self, kept: CallId, seat: &SeatId, answered: bool) -> bool {
        self.kept == kept && self.seat == *seat && self.seat_answered == answered
    }
}

/// How the ringing of a seat ended, by how its call did.
fn offer_end(ending: Ending) -> OfferEnd {
    match ending {
        Ending::Refused(408) | Ending::Completed => OfferEnd::NoAnswer,
        Ending::Refused(480 | 503 | 404) | Ending::CallerVanished => OfferEnd::Unreachable,
        // The caller is gone for good only where the house closes: else the next seat has the place.
        Ending::Drained => OfferEnd::CallerGone,
        Ending::Failed | Ending::TooLong => OfferEnd::NoAnswer,
        Ending::Refused(_) | Ending::CallerHungUp | Ending::CallerCancelled | Ending::OtherHungUp => {
            OfferEnd::Rejected
        }
    }
}
