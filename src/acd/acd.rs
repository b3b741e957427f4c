//! The machine of the room: told who waits and what seats do, it hands out decisions.
//!
//! Rules that the plan does not spell out:
//! - A caller keeps the place while a seat rings, and hears no announcement then. `wait_max` and
//!   `no_seat_wait` end a wait only while no seat rings: an offer is always played to its end.
//! - A seat that lets a call ring out or rejects it is away for the queue's `away` time, or until
//!   its next REGISTER. One that cannot be reached is away until its next REGISTER in any case.
//! - A caller who gives up while a seat rings does not reset that seat's idle time.
//! - "No seat signed in" is asked for each caller: a seat counts if it serves the queue and has the
//!   caller's skills, and a seat that is away does not count.
//! - `length_max` turns away a caller for whom no seat is free; one who returns to the head of the
//!   queue is never turned away.
//! - A queue that the plan dropped keeps its callers, whom no seat serves any more: they overflow
//!   by `no_seat_wait`. A seat that the plan dropped finishes its conversation.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use crate::acd::event::{Decision, Joining, OfferEnd, Overflow, SeatState};
use crate::id::{CallId, QueueId, SeatId};
use crate::routing::Plan;
use crate::time::{Agenda, Instant};

use super::decide::decide;
use super::queue::{Place, Queue, Waiting};
use super::seat::Seat;

/// All queues and seats of the house.
pub struct Acd {
    queues: BTreeMap<QueueId, Queue>,
    seats: BTreeMap<SeatId, Seat>,
    /// Free seats, longest idle first.
    ready: BTreeSet<(Instant, SeatId)>,
    /// Who waits, in any queue.
    line: BTreeMap<Place, Waiting>,
    calls: HashMap<CallId, Phase>,
    agenda: Agenda<Wake>,
    joined: u64,
    outputs: VecDeque<Decision>,
}

/// Where a call stands with us.
#[derive(Debug)]
enum Phase {
    /// Its entry in the line.
    InLine(Place),
    /// With a clerk.
    Talking(Talk),
}

/// A conversation.
#[derive(Clone, Debug)]
struct Talk {
    seat: SeatId,
    queue: QueueId,
    /// As the plan had it at the answer.
    wrap_up: Duration,
    then: Then,
}

/// What a seat does after its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    WrapUp,
    /// Its registration ended meanwhile.
    SignOut,
    /// The plan dropped it meanwhile.
    Drop,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Wake {
    Caller(CallId),
    Seat(SeatId),
}

/// Who has become available, so that only they need to be paired anew.
enum Newly {
    Caller(Place),
    Seat(SeatId),
    Anyone,
}

/// One queue for boards and figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    /// Which.
    pub queue: QueueId,
    /// Callers in it, those for whom a seat rings too.
    pub waiting: u32,
    /// Those for whom a seat rings.
    pub ringing: u32,
    /// The longest wait of them.
    pub longest_wait: Option<Duration>,
    /// Seats that serve it and where a clerk works.
    pub working: u32,
    /// Those of them that are free.
    pub free: u32,
    /// The guess for who joins now; `None` where there is nothing to go by.
    pub expected_wait: Option<Duration>,
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
        self.queues
            .retain(|_, queue| !queue.dropped || queue.length > 0);
        self.seats_changed(plan, now);
        self.staff_everyone(now);
        self.pair(Newly::Anyone, now);
        for place in self.places() {
            self.wake_caller(place);
        }
    }

    fn seats_changed(&mut self, plan: &Plan, now: Instant) {
        let dropped: Vec<SeatId> = self
            .seats
            .keys()
            .filter(|id| !plan.seats.contains_key(*id))
            .cloned()
            .collect();
        for id in dropped {
            self.drop_seat(&id, now);
        }
        for (id, planned) in &plan.seats {
            let Some(seat) = self.seats.get_mut(id) else {
                self.seats.insert(id.clone(), Seat::new(planned));
                continue;
            };
            seat.queues.clone_from(&planned.queues);
            seat.skills.clone_from(&planned.skills);
            if let Some(talk) = self.talk_of(id)
                && talk.then == Then::Drop
            {
                // Dropped and taken back during one conversation: its phone registers anew.
                talk.then = Then::SignOut;
            }
        }
    }

    fn drop_seat(&mut self, id: &SeatId, now: Instant) {
        if let Some(talk) = self.talk_of(id) {
            talk.then = Then::Drop;
            if let Some(seat) = self.seats.get_mut(id) {
                seat.queues.clear();
            }
            return;
        }
        if let Some(seat) = self.seats.get_mut(id) {
            seat.queues.clear();
        }
        self.seat_unregistered(id, now);
        self.seats.remove(id);
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
        let place = Place {
            behind: !joining.first,
            since: now,
            order: self.joined,
        };
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
            self.overflow(place, Overflow::Full, now);
        } else {
            self.announce(place, now);
            self.wake_caller(place);
        }
    }

    /// The caller is gone: from the line, from under a ringing seat, or from a conversation.
    pub fn leave(&mut self, call: CallId, now: Instant) {
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
            OfferEnd::CallerGone => return self.leave(call, now),
            OfferEnd::NoAnswer | OfferEnd::Rejected => self.away_until(call, now),
            OfferEnd::Unreachable => None,
        };
        self.end_offer(call, seat, SeatState::Away { since: now, until }, now);
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
        let away = SeatState::Away {
            since: now,
            until: None,
        };
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
        while let Some(wake) = self.agenda.take_due(now) {
            match wake {
                Wake::Caller(call) => self.caller_due(call, now),
                Wake::Seat(seat) => self.seat_due(&seat, now),
            }
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

    /// All seats by their numbers.
    pub fn seats(&self) -> impl Iterator<Item = (&SeatId, &SeatState)> {
        self.seats.iter().map(|(id, seat)| (id, &seat.state))
    }

    /// Where one seat stands.
    pub fn seat(&self, id: &SeatId) -> Option<&SeatState> {
        self.seats.get(id).map(|seat| &seat.state)
    }

    /// All queues by their names.
    pub fn queues(&self, now: Instant) -> Vec<QueueView> {
        let view = |(id, queue): (&QueueId, &Queue)| {
            let mut inside = self.line.values().filter(|waiting| waiting.queue == *id);
            let serving = self.seats.values().filter(|seat| seat.queues.contains(id));
            let working = count(serving.clone().filter(|seat| seat.state.is_working()));
            QueueView {
                queue: id.clone(),
                waiting: queue.length,
                ringing: count(
                    inside
                        .clone()
                        .filter(|waiting| waiting.offered_to.is_some()),
                ),
                longest_wait: inside
                    .by_ref()
                    .map(|waiting| now.since(waiting.place.since))
                    .max(),
                working,
                free: count(serving.filter(|seat| matches!(seat.state, SeatState::Ready { .. }))),
                expected_wait: queue.handling.expected_wait(queue.length, working),
            }
        };
        self.queues.iter().map(view).collect()
    }

    /// Where a caller stands in the queue, 1 for the next one; `None` who does not wait.
    pub fn position(&self, call: CallId) -> Option<u32> {
        match self.calls.get(&call)? {
            Phase::InLine(place) => Some(self.ahead(*place) + 1),
            Phase::Talking(_) => None,
        }
    }
}

/// What the inputs above are made of.
impl Acd {
    /// Pairs whoever has become available with whoever was there before.
    fn pair(&mut self, newly: Newly, now: Instant) {
        let free = self
            .ready
            .iter()
            .filter_map(|(_, id)| self.seats.get(id)?.free(id));
        let pairs = match newly {
            Newly::Anyone => decide(self.line.values(), free),
            Newly::Caller(place) => decide(self.line.get(&place), free),
            Newly::Seat(id) => decide(
                self.line.values(),
                self.seats.get(&id).and_then(|seat| seat.free(&id)),
            ),
        };
        for (call, seat) in pairs {
            self.offer(call, seat, now);
        }
    }

    fn offer(&mut self, call: CallId, seat: SeatId, now: Instant) {
        let Some(Phase::InLine(place)) = self.calls.get(&call) else {
            return;
        };
        let Some(waiting) = self.line.get_mut(place) else {
            return;
        };
        let Some(queue) = self.queues.get(&waiting.queue) else {
            return;
        };
        waiting.offered_to = Some(seat.clone());
        let waited = now.since(waiting.place.since);
        let lapses_at = now + queue.ring();
        self.agenda.set(&Wake::Caller(call), None);
        self.set_seat(&seat, SeatState::Offered { call, lapses_at }, now);
        self.outputs
            .push_back(Decision::Offer { call, seat, waited });
    }

    /// The seat leaves its offer for `state`; the caller, still in place, gets the next seat.
    fn end_offer(&mut self, call: CallId, seat: &SeatId, state: SeatState, now: Instant) {
        self.set_seat(seat, state, now);
        let Some(Phase::InLine(place)) = self.calls.get(&call) else {
            return;
        };
        let place = *place;
        if let Some(waiting) = self.line.get_mut(&place) {
            waiting.offered_to = None;
        }
        self.pair(Newly::Caller(place), now);
        self.wake_caller(place);
    }

    fn begin_talk(&mut self, call: CallId, seat: &SeatId, queue: QueueId, now: Instant) {
        let wrap_up = self.queues.get(&queue).map(|queue| queue.rules.wrap_up);
        let talk = Talk {
            seat: seat.clone(),
            queue,
            wrap_up: wrap_up.unwrap_or_default(),
            then: Then::WrapUp,
        };
        self.calls.insert(call, Phase::Talking(talk));
        self.set_seat(seat, SeatState::Talking { call, since: now }, now);
    }

    fn end_talk(&mut self, call: CallId, talk: Talk, now: Instant) {
        if let (Some(SeatState::Talking { since, .. }), Some(queue)) = (
            self.seats.get(&talk.seat).map(|seat| &seat.state),
            self.queues.get_mut(&talk.queue),
        ) {
            queue.handling.learn(now.since(*since) + talk.wrap_up);
        }
        match talk.then {
            Then::WrapUp if talk.wrap_up.is_zero() => self.free_seat(&talk.seat, now, now),
            Then::WrapUp => {
                let ends_at = now + talk.wrap_up;
                self.set_seat(&talk.seat, SeatState::WrapUp { call, ends_at }, now);
            }
            Then::SignOut => self.set_seat(&talk.seat, SeatState::SignedOut, now),
            Then::Drop => {
                self.set_seat(&talk.seat, SeatState::SignedOut, now);
                self.seats.remove(&talk.seat);
            }
        }
    }

    fn free_seat(&mut self, seat: &SeatId, since: Instant, now: Instant) {
        self.set_seat(seat, SeatState::Ready { since }, now);
        self.pair(Newly::Seat(seat.clone()), now);
    }

    /// The one place where a seat changes: keeps the set of free seats, the timers and the callers'
    /// prospects in step with it.
    fn set_seat(&mut self, id: &SeatId, state: SeatState, now: Instant) {
        let Some(seat) = self.seats.get_mut(id) else {
            return;
        };
        if let SeatState::Ready { since } = seat.state {
            self.ready.remove(&(since, id.clone()));
        }
        if let SeatState::Ready { since } = state {
            self.ready.insert((since, id.clone()));
            seat.idle_since = since;
        }
        let was_working = seat.state.is_working();
        let is_working = state.is_working();
        self.agenda.set(&Wake::Seat(id.clone()), state.ends_at());
        seat.state = state.clone();
        self.outputs.push_back(Decision::SeatChanged {
            seat: id.clone(),
            state,
        });
        if was_working != is_working {
            self.staff_callers_of(id, now);
        }
    }

    /// A clerk came or went: some callers have a prospect now, or have none any more.
    fn staff_callers_of(&mut self, id: &SeatId, now: Instant) {
        let Some(seat) = self.seats.get(id) else {
            return;
        };
        let mut changed = Vec::new();
        for (place, waiting) in &mut self.line {
            if !seat.serves(waiting) {
                continue;
            }
            let unstaffed_since = if seat.state.is_working() || is_staffed(&self.seats, waiting) {
                None
            } else {
                waiting.unstaffed_since.or(Some(now))
            };
            if unstaffed_since != waiting.unstaffed_since {
                waiting.unstaffed_since = unstaffed_since;
                changed.push(*place);
            }
        }
        for place in changed {
            self.wake_caller(place);
        }
    }

    fn staff_everyone(&mut self, now: Instant) {
        for waiting in self.line.values_mut() {
            waiting.unstaffed_since = if is_staffed(&self.seats, waiting) {
                None
            } else {
                waiting.unstaffed_since.or(Some(now))
            };
        }
    }

    fn caller_due(&mut self, call: CallId, now: Instant) {
        let Some(Phase::InLine(place)) = self.calls.get(&call) else {
            return;
        };
        let place = *place;
        let Some(waiting) = self.line.get(&place) else {
            return;
        };
        let Some(queue) = self.queues.get(&waiting.queue) else {
            return;
        };
        if waiting.offered_to.is_some() {
            return;
        }
        let unstaffed_wait_ends = queue.unstaffed_wait_ends(waiting);
        if unstaffed_wait_ends.is_some_and(|end| end <= now) {
            self.overflow(place, Overflow::NoSeat, now);
        } else if queue.wait_ends(waiting) <= now {
            self.overflow(place, Overflow::WaitedTooLong, now);
        } else {
            if waiting.announce_at <= now {
                self.announce(place, now);
            }
            self.wake_caller(place);
        }
    }

    fn seat_due(&mut self, id: &SeatId, now: Instant) {
        let Some(state) = self.seat(id) else { return };
        match *state {
            SeatState::Offered { call, .. } => {
                let until = self.away_until(call, now);
                self.withdraw(call, id);
                self.end_offer(call, id, SeatState::Away { since: now, until }, now);
            }
            SeatState::WrapUp { .. } | SeatState::Away { .. } => self.free_seat(id, now, now),
            SeatState::SignedOut | SeatState::Ready { .. } | SeatState::Talking { .. } => {}
        }
    }

    fn announce(&mut self, place: Place, now: Instant) {
        let ahead = self.ahead(place);
        let Some(waiting) = self.line.get_mut(&place) else {
            return;
        };
        let Some(queue) = self.queues.get(&waiting.queue) else {
            return;
        };
        waiting.announce_at = now + queue.announce_every();
        let working = self
            .seats
            .values()
            .filter(|seat| seat.state.is_working() && seat.serves(waiting));
        let expected_wait = queue.handling.expected_wait(ahead, count(working));
        self.outputs.push_back(Decision::Announce {
            call: waiting.call,
            ahead,
            expected_wait,
        });
    }

    fn overflow(&mut self, place: Place, why: Overflow, now: Instant) {
        if let Some(waiting) = self.take_out(place) {
            self.calls.remove(&waiting.call);
            let waited = now.since(place.since);
            self.overflowed(waiting.call, waiting.queue, why, waited);
        }
    }

    fn overflowed(&mut self, call: CallId, queue: QueueId, why: Overflow, waited: Duration) {
        self.outputs.push_back(Decision::Overflow {
            call,
            queue,
            why,
            waited,
        });
    }

    fn withdraw(&mut self, call: CallId, seat: &SeatId) {
        self.outputs.push_back(Decision::Withdraw {
            call,
            seat: seat.clone(),
        });
    }

    fn take_out(&mut self, place: Place) -> Option<Waiting> {
        let waiting = self.line.remove(&place)?;
        self.agenda.set(&Wake::Caller(waiting.call), None);
        if let Some(queue) = self.queues.get_mut(&waiting.queue) {
            queue.length = queue.length.saturating_sub(1);
        }
        Some(waiting)
    }

    fn wake_caller(&mut self, place: Place) {
        if let Some(waiting) = self.line.get(&place)
            && let Some(queue) = self.queues.get(&waiting.queue)
        {
            let at = queue.next_for(waiting);
            self.agenda.set(&Wake::Caller(waiting.call), at);
        }
    }

    fn away_until(&self, call: CallId, now: Instant) -> Option<Instant> {
        let Some(Phase::InLine(place)) = self.calls.get(&call) else {
            return None;
        };
        let waiting = self.line.get(place)?;
        self.queues.get(&waiting.queue)?.away_until(now)
    }

    fn talk_of(&mut self, seat: &SeatId) -> Option<&mut Talk> {
        let SeatState::Talking { call, .. } = self.seats.get(seat)?.state else {
            return None;
        };
        match self.calls.get_mut(&call)? {
            Phase::Talking(talk) => Some(talk),
            Phase::InLine(_) => None,
        }
    }

    fn rings(&self, call: CallId, seat: &SeatId) -> bool {
        matches!(self.seat(seat), Some(SeatState::Offered { call: offered, .. }) if *offered == call)
    }

    fn is_offered(&self, place: Place) -> bool {
        self.line
            .get(&place)
            .is_some_and(|waiting| waiting.offered_to.is_some())
    }

    /// How many of the same queue are in front.
    fn ahead(&self, place: Place) -> u32 {
        let Some(own) = self.line.get(&place) else {
            return 0;
        };
        count(
            self.line
                .range(..place)
                .filter(|(_, other)| other.queue == own.queue),
        )
    }

    fn places(&self) -> Vec<Place> {
        self.line.keys().copied().collect()
    }
}

/// Whether a clerk works who could take the caller, now or later.
fn is_staffed(seats: &BTreeMap<SeatId, Seat>, waiting: &Waiting) -> bool {
    seats
        .values()
        .any(|seat| seat.state.is_working() && seat.serves(waiting))
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
