//! The machine of the room: told who waits and what seats do, it hands out decisions.
//!
//! Rules that the plan does not spell out:
//! - A caller keeps the place while a seat rings, and hears no announcement then. `wait_max` and
//!   `no_seat_wait` end a wait only while no seat rings: an offer is always played to its end, but after
//!   `wait_max` none follows it.
//! - A seat that lets a call ring out or rejects it is away for the queue's `away` time, or until
//!   its next REGISTER. One that cannot be reached is away until its next REGISTER in any case.
//! - A caller who gives up while a seat rings does not reset that seat's idle time.
//! - "No seat signed in" is asked for each caller: a seat counts if it serves the queue and has the
//!   caller's skills, and a seat that is away does not count.
//! - `length_max` turns away a caller for whom no seat is free; one who returns to the head of the
//!   queue is never turned away.
//! - Who returns to the head of the queue is told why (that is `call`'s to say), and where the caller
//!   stands only after an interval: the one would drown out the other.
//! - A seat whose clerk is in a call of its own is away until that is over.
//! - A queue that the plan dropped keeps its callers, whom no seat serves any more: they overflow
//!   by `no_seat_wait`. A seat that the plan dropped finishes its conversation.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use crate::acd::event::{AwayWhy, Decision, Joining, OfferEnd, Overflow, SeatState};
use crate::id::{CallId, QueueId, SeatId};
use crate::routing::Plan;
use crate::time::{Agenda, Instant};

use super::line::is_staffed;
use super::offer::Newly;
use super::queue::{Place, Queue, Waiting};
use super::seat::Seat;

/// All queues and seats of the house.
pub struct Acd {
    pub(super) queues: BTreeMap<QueueId, Queue>,
    pub(super) seats: BTreeMap<SeatId, Seat>,
    /// Free seats, longest idle first.
    pub(super) ready: BTreeSet<(Instant, SeatId)>,
    /// Who waits, in any queue.
    pub(super) line: BTreeMap<Place, Waiting>,
    pub(super) calls: HashMap<CallId, Phase>,
    /// Callers who are with somebody and are offered to this seat, and the queue that they came by.
    pub(super) transfers: BTreeMap<CallId, (SeatId, QueueId)>,
    /// Clerks' own calls, by how many; a seat that the plan drops and takes back is in them still.
    pub(super) own_calls: BTreeMap<SeatId, u32>,
    pub(super) agenda: Agenda<Wake>,
    pub(super) joined: u64,
    pub(super) outputs: VecDeque<Decision>,
}

/// Where a call stands with us.
#[derive(Debug)]
pub(super) enum Phase {
    /// Its entry in the line.
    InLine(Place),
    /// With a clerk.
    Talking(Talk),
}

/// A conversation.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) seat: SeatId,
    pub(super) queue: QueueId,
    /// As the plan had it at the answer.
    pub(super) wrap_up: Duration,
    pub(super) then: Then,
}

/// What a seat does after its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    WrapUp,
    /// Its registration ended meanwhile.
    SignOut,
    /// The plan dropped it meanwhile.
    Drop,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Wake {
    Caller(CallId),
    Seat(SeatId),
}

impl Acd {
    /// Queues without callers and seats that are signed out.
    pub fn new(plan: &Plan) -> Self {
        let mut acd = Acd {
            queues: BTreeMap::new(),
            seats: BTreeMap::new(),
            ready: BTreeSet::new(),
            line: BTreeMap::new(),
            calls: HashMap::new(),
            transfers: BTreeMap::new(),
            own_calls: BTreeMap::new(),
            agenda: Agenda::default(),
            joined: 0,
            outputs: VecDeque::new(),
        };
        acd.plan_changed(plan, Instant::ZERO);
        acd
    }

    /// Takes over a plan: queues and seats keep their state and callers.
    pub fn plan_changed(&mut self, plan: &Plan, now: Instant) {
        for queue in self.queues.values_mut() {
            queue.dropped = true;
        }
        for (id, rules) in &plan.queues {
            match self.queues.get_mut(id) {
                Some(queue) => {
                    queue.rules = rules.clone();
                    queue.dropped = false;
                }
                None => {
                    self.queues.insert(id.clone(), Queue::new(rules));
                }
            }
        }
        self.queues.retain(|_, queue| !queue.dropped || queue.length > 0);
        self.seats_changed(plan, now);
        self.staff_everyone(now);
        self.pair(Newly::Anyone, now);
        for place in self.places() {
            self.wake_caller(place);
        }
    }

    fn seats_changed(&mut self, plan: &Plan, now: Instant) {
        let mut dropped = Vec::new();
        let mut taken_back = Vec::new();
        // All seats serve by the new plan before the first caller is paired by it.
        for (id, seat) in &mut self.seats {
            match plan.seats.get(id) {
                Some(planned) => {
                    seat.queues.clone_from(&planned.queues);
                    seat.skills.clone_from(&planned.skills);
                    taken_back.push(id.clone());
                }
                None => {
                    seat.queues.clear();
                    dropped.push(id.clone());
                }
            }
        }
        for id in taken_back {
            if let Some(talk) = self.talk_of(&id)
                && talk.then == Then::Drop
            {
                // Dropped and taken back during one conversation: its phone registers anew.
                talk.then = Then::SignOut;
            }
        }
        for id in dropped {
            if let Some(talk) = self.talk_of(&id) {
                talk.then = Then::Drop;
            } else {
                self.seat_unregistered(&id, now);
                self.seats.remove(&id);
            }
        }
        for (id, planned) in &plan.seats {
            if !self.seats.contains_key(id) {
                self.seats.insert(id.clone(), Seat::new(planned));
            }
        }
    }

    /// A caller wants to wait. Ends in an offer, an announcement or an overflow at once.
    pub fn join(&mut self, joining: Joining, now: Instant) {
        let call = joining.call;
        match self.calls.get(&call) {
            Some(Phase::InLine(_)) => return,
            Some(Phase::Talking(_)) => self.leave(call, now),
            None => {}
        }
        let staffable = self.queues.get_mut(&joining.queue);
        let Some(queue) = staffable.filter(|queue| !queue.dropped) else {
            self.overflowed(call, joining.queue, Overflow::NoSeat, Duration::ZERO);
            return;
        };
        let turned_away = queue.is_full() && !joining.first;
        queue.length += 1;
        self.joined += 1;
        let place = Place { behind: !joining.first, since: now, order: self.joined };
        let mut waiting = Waiting {
            call,
            queue: joining.queue,
            skills: joining.skills,
            place,
            announce_at: now,
            unstaffed_since: None,
            offered_to: None,
        };
        if !is_staffed(&self.seats, &waiting) {
            waiting.unstaffed_since = Some(now);
        }
        self.line.insert(place, waiting);
        self.calls.insert(call, Phase::InLine(place));
        self.pair(Newly::Caller(place), now);
        if self.is_offered(place) {
            return;
        }
        if turned_away {
            return self.overflow(place, Overflow::Full, now);
        }
        if joining.first {
            self.announce_later(place, now);
        } else {
            self.announce(place, now);
        }
        self.wake_caller(place);
    }

    /// The caller is gone: from the line, from under a ringing seat, or from a conversation.
    pub fn leave(&mut self, call: CallId, now: Instant) {
        self.give_up_transfer(call, now);
        match self.calls.remove(&call) {
            Some(Phase::InLine(place)) => {
                let Some(waiting) = self.take_out(place) else {
                    return;
                };
                if let Some(seat) = waiting.offered_to {
                    self.withdraw(call, &seat);
                    let since = self.seats.get(&seat).map(|seat| seat.idle_since);
                    self.free_seat(&seat, since.unwrap_or(now), now);
                }
            }
            Some(Phase::Talking(talk)) => self.end_talk(call, talk, now),
            None => {}
        }
    }

    /// A REGISTER came: who was signed out or away is free from now on; for all others it is a
    /// refresh.
    pub fn seat_registered(&mut self, seat: &SeatId, now: Instant) {
        let Some(state) = self.seat(seat) else { return };
        match state {
            SeatState::SignedOut | SeatState::Away { .. } => self.free_seat(seat, now, now),
            SeatState::Talking { .. } => {
                if let Some(talk) = self.talk_of(seat)
                    && talk.then == Then::SignOut
                {
                    talk.then = Then::WrapUp;
                }
            }
            SeatState::Ready { .. } | SeatState::Offered { .. } | SeatState::WrapUp { .. } => {}
        }
    }

    /// The registration ended. A conversation goes on; anything else ends.
    pub fn seat_unregistered(&mut self, seat: &SeatId, now: Instant) {
        let Some(state) = self.seat(seat) else { return };
        match *state {
            SeatState::SignedOut => {}
            SeatState::Offered { call, .. } => {
                self.withdraw(call, seat);
                self.end_offer(call, seat, SeatState::SignedOut, now);
            }
            SeatState::Talking { .. } => {
                if let Some(talk) = self.talk_of(seat)
                    && talk.then == Then::WrapUp
                {
                    talk.then = Then::SignOut;
                }
            }
            SeatState::Ready { .. } | SeatState::WrapUp { .. } | SeatState::Away { .. } => {
                self.set_seat(seat, SeatState::SignedOut, now);
            }
        }
    }

    /// The seat picked up. False where the offer is over: the seat's leg is to be ended.
    pub fn offer_answered(&mut self, call: CallId, seat: &SeatId, now: Instant) -> bool {
        if !self.rings(call, seat) {
            return false;
        }
        if self.transfers.contains_key(&call) {
            return self.transfer_answered(call, seat, now);
        }
        let Some(Phase::InLine(place)) = self.calls.remove(&call) else {
            return false;
        };
        let Some(waiting) = self.take_out(place) else {
            return false;
        };
        self.begin_talk(call, seat, waiting.queue, now);
        true
    }

    /// The seat did not take the call: it is away, and the caller gets the next one.
    /// [`OfferEnd::CallerGone`] is [`Acd::leave`].
    pub fn offer_failed(&mut self, call: CallId, seat: &SeatId, why: OfferEnd, now: Instant) {
        if !self.rings(call, seat) {
            return;
        }
        let until = match why {
            OfferEnd::CallerGone if self.transfers.contains_key(&call) => {
                return self.give_up_transfer(call, now);
            }
            OfferEnd::CallerGone => return self.leave(call, now),
            OfferEnd::NoAnswer | OfferEnd::Rejected => self.away_until(call, now),
            OfferEnd::Unreachable => None,
        };
        self.end_offer(call, seat, SeatState::Away { since: now, until, why: AwayWhy::Unanswered }, now);
    }

    /// The clerk's part of the conversation is over; the case is finished in wrap-up.
    pub fn seat_left(&mut self, seat: &SeatId, call: CallId, now: Instant) {
        let Some(Phase::Talking(talk)) = self.calls.get(&call) else {
            return;
        };
        if talk.seat == *seat {
            let talk = talk.clone();
            self.calls.remove(&call);
            self.end_talk(call, talk, now);
        }
    }

    /// The seat's telephone gives no sign of life: away until its next REGISTER. Its caller, if
    /// there is one, is forgotten and may join again.
    pub fn seat_vanished(&mut self, seat: &SeatId, now: Instant) {
        let Some(state) = self.seat(seat) else { return };
        let away = SeatState::Away { since: now, until: None, why: AwayWhy::Vanished };
        match *state {
            SeatState::SignedOut => {}
            SeatState::Offered { call, .. } => {
                self.withdraw(call, seat);
                self.end_offer(call, seat, away, now);
            }
            SeatState::Talking { call, .. } => match self.calls.remove(&call) {
                Some(Phase::Talking(talk)) if talk.then != Then::WrapUp => {
                    self.end_talk(call, talk, now);
                }
                _ => self.set_seat(seat, away, now),
            },
            SeatState::Ready { .. } | SeatState::WrapUp { .. } | SeatState::Away { .. } => {
                self.set_seat(seat, away, now);
            }
        }
    }

    /// Takes up a conversation that is under way, when the machine is built anew from live calls.
    pub fn resume_talk(&mut self, call: CallId, seat: &SeatId, queue: QueueId, now: Instant) {
        let engaged = match self.seat(seat) {
            None => true,
            Some(state) => matches!(state, SeatState::Offered { .. } | SeatState::Talking { .. }),
        };
        if !engaged && !self.calls.contains_key(&call) {
            self.begin_talk(call, seat, queue, now);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        // Seats first: who is about to be offered a seat is not told to wait, nor sent on.
        let mut callers = Vec::new();
        while let Some(wake) = self.agenda.take_due(now) {
            match wake {
                Wake::Caller(call) => callers.push(call),
                Wake::Seat(seat) => self.seat_due(&seat, now),
            }
        }
        for call in callers {
            self.caller_due(call, now);
        }
    }

    /// When [`Acd::handle_timeout`] is next wanted.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        self.agenda.next()
    }

    /// The next decision to carry out.
    pub fn poll_output(&mut self) -> Option<Decision> {
        self.outputs.pop_front()
    }
}
