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
//! - `length_max`, `shed` and `expected_wait_max` turn away a caller for whom no seat is free; one who
//!   returns to the head of the queue is never turned away.
//! - Who returns to the head of the queue is told why (that is `call`'s to say), and where the caller
//!   stands only after an interval: the one would drown out the other.
//! - A seat whose clerk is in a call of its own is away until that is over.
//! - A queue that the plan dropped keeps its callers, and takes those whose call began by an earlier plan.
//!   Seats that served it do so on, and so do those of the queues that its numbers lead to now; where none
//!   of them works, its callers overflow by `no_seat_wait`. A seat that the plan dropped finishes its
//!   conversation.
//! - Of several queues that a seat serves, the caller with the highest priority is next, what waiting added
//!   to it counted in; and of two the one who waits longer.
//! - Where all seats ring, each that becomes free rings for the first in line, however many do already; the
//!   longest wait ends that.
//! - A place that is kept counts like a caller: for others' places, for `length_max`, `shed` and the surge.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::acd::event::{Decision, Overflow, SeatState};
use crate::id::{CallId, Dice, QueueId, SeatId};
use crate::routing::Plan;
use crate::time::{Agenda, Instant};

use super::decide::Free;
use super::need::Needs;
use super::own::Own;
use super::queue::Queue;
use super::seat::Seat;
use super::talk::{Earlier, Talk};
use super::transfer::Transfer;
use super::waiting::Waiting;

/// All queues and seats of the house.
pub struct Acd {
    pub(super) queues: BTreeMap<QueueId, Queue>,
    pub(super) seats: BTreeMap<SeatId, Seat>,
    /// Free seats, longest idle first, and by their numbers here.
    pub(super) ready: BTreeMap<(Instant, usize), Free>,
    /// Who waits, in any queue; each is in its queue's line.
    pub(super) waiting: HashMap<CallId, Waiting>,
    pub(super) needs: Needs,
    /// Needs of one seat that works no more: their callers need it no more.
    pub(super) orphans: BTreeSet<usize>,
    /// Conversations; a call may be with several seats.
    pub(super) talks: HashMap<CallId, Vec<Talk>>,
    /// Calls that are offered to a seat besides the queues.
    pub(super) transfers: BTreeMap<CallId, Transfer>,
    /// Where callers stood before a clerk talked with them.
    pub(super) earlier: BTreeMap<CallId, Earlier>,
    /// Clerks' own calls, by how many; a seat that the plan drops and takes back is in them still.
    pub(super) own_calls: BTreeMap<SeatId, Own>,
    /// Longest wrap-up.
    pub(super) wrap_up_max: std::time::Duration,
    pub(super) agenda: Agenda<Wake>,
    pub(super) joined: u64,
    pub(super) dice: Dice,
    pub(super) outputs: VecDeque<Decision>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wake {
    Caller(CallId),
    Seat(SeatId),
}

impl Acd {
    /// Queues without callers and seats that are signed out.
    pub fn new(plan: &Plan, dice: Dice) -> Self {
        let mut acd = Acd {
            queues: BTreeMap::new(),
            seats: BTreeMap::new(),
            ready: BTreeMap::new(),
            waiting: HashMap::new(),
            needs: Needs::default(),
            orphans: BTreeSet::new(),
            talks: HashMap::new(),
            transfers: BTreeMap::new(),
            earlier: BTreeMap::new(),
            own_calls: BTreeMap::new(),
            wrap_up_max: plan.work.wrap_up_max,
            agenda: Agenda::default(),
            joined: 0,
            dice,
            outputs: VecDeque::new(),
        };
        acd.plan_changed(plan, &BTreeSet::new(), Instant::ZERO);
        acd
    }

    /// A REGISTER came: who was signed out, or away for not having been reached, is free from now on; for
    /// all others it is a refresh.
    pub fn seat_registered(&mut self, id: &SeatId, now: Instant) {
        let Some(seat) = self.seats.get_mut(id).filter(|seat| !seat.dropped) else {
            return;
        };
        seat.registered = true;
        match &seat.state {
            SeatState::SignedOut => {
                seat.talks = 0;
                self.release(id, now, now);
            }
            SeatState::Away { why, .. } if why.ends_by_register() => self.release(id, now, now),
            SeatState::Away { .. }
            | SeatState::Ready { .. }
            | SeatState::Offered { .. }
            | SeatState::Talking { .. }
            | SeatState::WrapUp { .. } => {}
        }
        self.settle(now);
    }

    /// The registration ended. A conversation goes on; anything else ends.
    pub fn seat_unregistered(&mut self, id: &SeatId, now: Instant) {
        self.sign_out(id, now);
        self.settle(now);
    }

    pub(super) fn sign_out(&mut self, id: &SeatId, now: Instant) {
        let Some(seat) = self.seats.get_mut(id) else { return };
        seat.registered = false;
        match seat.state {
            SeatState::SignedOut | SeatState::Talking { .. } => {}
            SeatState::Offered { call, .. } => {
                self.withdraw(call, id);
                self.set_seat(id, SeatState::SignedOut, now);
                self.offer_over(call, id, now);
            }
            SeatState::Ready { .. } | SeatState::WrapUp { .. } | SeatState::Away { .. } => {
                self.set_seat(id, SeatState::SignedOut, now);
            }
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        // Seats first: who is about to be offered a seat is not told to wait, nor sent on.
        let (mut callers, mut resting) = (Vec::new(), Vec::new());
        while let Some(wake) = self.agenda.take_due(now) {
            match wake {
                Wake::Caller(call) => callers.push(call),
                // Whom it rang for is among those who wait for a seat that is freed now.
                Wake::Seat(seat) if self.is_ringing(&seat) => self.rang_out(&seat, now),
                Wake::Seat(seat) => resting.push(seat),
            }
        }
        let freed: Vec<(SeatId, usize)> = resting
            .into_iter()
            .filter_map(|seat| {
                let number = self.rested(&seat, now)?;
                Some((seat, number))
            })
            .collect();
        match freed.as_slice() {
            [] => {}
            [(seat, number)] => self.pair_seat(seat, *number, now),
            _ => self.pair_everyone(now), // One decision for all costs less than one for each.
        }
        for call in callers {
            self.caller_due(call, now);
        }
        self.settle(now);
    }

    /// When [`Acd::handle_timeout`] is next wanted.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        self.agenda.next()
    }

    /// The next decision to carry out.
    pub fn poll_output(&mut self) -> Option<Decision> {
        self.outputs.pop_front()
    }

    /// What follows once seats and callers are where they belong: who waited for one seat that is gone
    /// waits for anyone, and a queue's surge begins or ends.
    pub(super) fn settle(&mut self, now: Instant) {
        self.unbind_orphans(now);
        self.mind_surges(now);
    }

    pub(super) fn overflowed(
        &mut self,
        call: CallId,
        queue: QueueId,
        why: Overflow,
        waited: std::time::Duration,
    ) {
        self.outputs.push_back(Decision::Overflow { call, queue, why, waited });
    }
}
