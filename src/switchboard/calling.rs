//! Calls that the house and its clerks make: a clerk dials, or a seat rings first and then somebody outside
//! does, by click or back to a caller who gave up.
//!
//! Whom they may call is the plan's to say ([`Plan::callable`]). Such a call is recorded like any other: it
//! is [`Opened`](super::What::Opened) for the line whose number is shown, and [`Outward`](super::What::Outward) says for
//! whom and why.

use std::time::Duration;

use super::beginning::Beginning;
use super::fact::OutwardPurpose as Purpose;
use super::inward::Turned;
use super::kept::Callback;
use super::missed::{MissedView, NotNow};
use super::request::{Refusal, Reply};
use super::{Drain, Entry, Output, Switchboard};
use crate::acd::event::{SeatState, Unchanged};
use crate::call::negotiate::Terms;
use crate::call::{Call, Callee};
use crate::id::{CallId, LineId, SeatId, TrunkId, mask};
use crate::routing::Plan;
use crate::routing::meeting::SEATS;
use crate::routing::outside::Callable;
use crate::routing::people::ExpertGroup;
use crate::routing::plan::{Peer, Step};
use crate::sip::event::Invited;
use crate::sip::{self, Along, SessionId};
use crate::time::Now;

/// Where a call came by that the house began without a clerk, in its record.
pub const HOUSE: &str = "house";
/// Who says of a call that its caller is confidential: the call that was missed, or whose place was kept.
pub(super) const CALLED_BACK: &str = "called_back";
/// How long a clerk's telephone rings before the house gives up calling somebody for it.
pub(super) const CLERK_RING: Duration = Duration::from_secs(20);
/// How long a colleague's telephone rings.
const COLLEAGUE_RING: Duration = Duration::from_secs(30);
/// RFC 3261 §8.1.1.6.
pub(super) const MAX_FORWARDS: u8 = 70;
/// What a clerk hears whose call by click was not taken.
const NOT_TAKEN: &str = "busy";
/// And how often: it is short.
const NOT_TAKEN_TIMES: usize = 4;

/// What a call's entry keeps of why it was made.
pub(super) struct Outward {
    pub(super) purpose: Purpose,
    /// For whom.
    pub(super) seat: Option<SeatId>,
    /// Who is called.
    pub(super) number: String,
    /// They want to be known to nobody: no screen and no event has the number.
    pub(super) is_confidential: bool,
    /// Whose number they see.
    pub(super) shown: LineId,
    /// The call that it follows from.
    pub(super) of: Option<CallId>,
    /// A second seat in it, set aside like the first.
    pub(super) colleague: Option<SeatId>,
    /// It is for a place in the queue.
    pub(super) callback: Option<Callback>,
    /// Somebody outside has answered: its clerk has a case of it.
    pub(super) is_case: bool,
}

/// Whom a clerk is to be put in touch with.
pub(super) struct Wanted {
    pub(super) seat: SeatId,
    pub(super) number: String,
    pub(super) is_confidential: bool,
    /// Whose number is shown; `None`: the plan's.
    pub(super) line: Option<LineId>,
    pub(super) purpose: Purpose,
    pub(super) of: Option<CallId>,
}

/// The way to somebody, and the seat that is set aside for it.
struct Way {
    peer: Peer,
    colleague: Option<SeatId>,
    emergency: bool,
}

impl Switchboard {
    pub(super) fn dial_out(
        &mut self,
        seat: SeatId,
        number: &str,
        line: Option<LineId>,
        of: Option<CallId>,
        now: Now,
    ) -> Result<Reply, Refusal> {
        let (number, is_confidential) = (number.to_owned(), false);
        let wanted = Wanted { seat, number, is_confidential, line, purpose: Purpose::Click, of };
        self.ring_clerk(wanted, now).map(Reply::Begun)
    }

    pub(super) fn call_back(&mut self, missed: CallId, seat: SeatId, now: Now) -> Result<Reply, Refusal> {
        let (number, is_confidential) = self.missed.to_call_back(missed, now).map_err(|why| match why {
            NotNow::NotListed => Refusal::NoSuchCall,
            NotNow::Trying => Refusal::Engaged,
            NotNow::TooSoon => Refusal::TooSoon,
        })?;
        let number = number.to_owned();
        let (purpose, of) = (Purpose::Missed, Some(missed));
        let wanted = Wanted { seat, number, is_confidential, line: None, purpose, of };
        self.ring_clerk(wanted, now).map(Reply::Begun)
    }

    /// Callers who gave up and are owed a call back, oldest first.
    pub fn missed(&self) -> Vec<MissedView> {
        self.missed.views()
    }

    /// Callers who gave up and for whom the list had no place, since the start.
    pub fn missed_dropped(&self) -> u64 {
        self.missed.dropped()
    }

    /// Rings a seat; when it answers, whom it wants.
    pub(super) fn ring_clerk(&mut self, wanted: Wanted, now: Now) -> Result<CallId, Refusal> {
        let Wanted { seat, number, is_confidential, line, purpose, of } = wanted;
        let is_back = purpose == Purpose::Missed;
        let plan = self.plan.clone();
        let at = plan.seats.get(&seat).ok_or(Refusal::NoSuchSeat)?;
        if let Some(line) = line.as_ref().filter(|line| !plan.lines.contains(*line)) {
            return Err(Refusal::NotInPlan(line.to_string()));
        }
        let callable = plan.callable(&number).map_err(|why| {
            tracing::info!(%seat, number = %mask(&number), %why, "not called");
            // Who calls back has not been told the number.
            Refusal::NotInPlan(if is_back { mask(&number).to_string() } else { number.clone() })
        })?;
        // Whoever gave up may have come with any number: nobody calls 110, or a colleague, by that.
        if is_back && !matches!(callable, Callable::Outside(_) | Callable::Peer(_)) {
            return Err(Refusal::NotInPlan(mask(&number).to_string()));
        }
        if !callable.is_open_to(at.role) {
            return Err(Refusal::NotAllowed);
        }
        self.may_ring(&seat)?;
        let way = self.way_of(&callable, &seat, now).ok_or(Refusal::Engaged)?;
        if self.drain != Drain::Open || self.is_full(way.emergency) {
            return Err(Refusal::Full);
        }
        let number = callable.number();
        let shown = line.unwrap_or_else(|| plan.calling_line());
        let beginning = Beginning {
            steps: dial_and_tell(way.peer),
            line: shown.clone(),
            clerk: Some(seat.clone()),
            caller: seat.to_string(),
            way: TrunkId::from(SEATS),
            dialled: number.clone(),
            wire_ref: String::new(),
            outward: Some(Outward {
                purpose,
                seat: Some(seat.clone()),
                number,
                is_confidential,
                shown,
                of,
                colleague: way.colleague,
                callback: None,
                is_case: false,
            }),
        };
        Ok(self.call_first(beginning, Callee::Seat(seat), CLERK_RING, now))
    }

    /// Whether a seat's telephone may be rung for a call of its own.
    pub(super) fn may_ring(&self, seat: &SeatId) -> Result<(), Refusal> {
        match self.acd.seat(seat) {
            None => Err(Refusal::NoSuchSeat),
            Some(SeatState::SignedOut) => Err(Refusal::Seat(Unchanged::SignedOut)),
            Some(SeatState::Offered { .. } | SeatState::Talking { .. }) => Err(Refusal::Engaged),
            Some(SeatState::Ready { .. } | SeatState::WrapUp { .. } | SeatState::Away { .. }) => {
                if self.is_in_own_call(seat) { Err(Refusal::Engaged) } else { Ok(()) }
            }
        }
    }

    /// Rings the seat that the queue has found for a kept place; when it answers, its caller. The queue knows
    /// what the seat is at: it is not set aside.
    pub(super) fn call_back_kept(
        &mut self,
        line: LineId,
        (number, is_confidential): (String, bool),
        callback: Callback,
        peer: Peer,
        now: Now,
    ) -> CallId {
        let seat = callback.seat().clone();
        let shown = if self.plan.lines.contains(&line) { line } else { self.plan.calling_line() };
        let beginning = Beginning {
            steps: dial_and_tell(peer),
            line: shown.clone(),
            clerk: None,
            caller: seat.to_string(),
            way: TrunkId::from(SEATS),
            dialled: number.clone(),
            wire_ref: String::new(),
            outward: Some(Outward {
                purpose: Purpose::Callback,
                seat: Some(seat.clone()),
                number,
                is_confidential,
                shown,
                of: Some(callback.kept),
                colleague: None,
                callback: Some(callback),
                is_case: false,
            }),
        };
        self.call_first(beginning, Callee::Seat(seat), CLERK_RING, now)
    }

    /// A clerk's telephone dialled what is no room.
    pub(super) fn clerk_dials(&mut self, seat: &SeatId, invited: Invited, now: Now) -> Result<(), Turned> {
        let plan = self.plan.clone();
        let role = plan.seats.get(seat).map(|seat| seat.role).ok_or(Turned::ForGood(403))?;
        let uri = invited.dialled.request_uri.as_str();
        let callable = plan.dialled_by_seat(uri).map_err(|why| {
            tracing::info!(%seat, %why, "a clerk dialled what may not be called");
            Turned::ForGood(403)
        })?;
        if !callable.is_open_to(role) {
            return Err(Turned::ForGood(403));
        }
        let way = self.way_of(&callable, seat, now).ok_or(Turned::ForGood(486))?;
        if self.drain != Drain::Open || self.is_full(way.emergency) {
            return Err(Turned::ForNow);
        }
        let slot = self.ports.lend().ok_or(Turned::ForNow)?;
        let beginning = Beginning {
            steps: vec![dial(way.peer)],
            line: plan.calling_line(),
            clerk: Some(seat.clone()),
            caller: seat.to_string(),
            way: TrunkId::from(SEATS),
            dialled: uri.to_owned(),
            wire_ref: invited.wire_ref.clone(),
            outward: Some(Outward {
                purpose: Purpose::Clerk,
                seat: Some(seat.clone()),
                number: callable.number(),
                is_confidential: false,
                shown: plan.calling_line(),
                of: None,
                colleague: way.colleague,
                callback: None,
                is_case: false,
            }),
        };
        let mut setup = self.outward_setup(&beginning, now);
        setup.offer = invited.offer.clone();
        setup.reliable = invited.reliable;
        setup.slot = slot;
        (setup.peer, setup.sound_ip) = (invited.peer.ip(), self.sound_ip(&invited));
        setup.terms = Terms::new(&plan.sound_of(seat), plan.limits.call_max);
        setup.keys = self.keys_over(invited.listener);
        let (id, ticket) = (setup.id, setup.ticket.clone());
        let call = Call::of_clerk(setup, seat.clone(), now).map_err(|why| {
            self.ports.release(slot);
            Turned::Description(why)
        })?;
        if let Some(wire_ref) = sip::WireRef::parse(&invited.wire_ref) {
            self.outputs.push_back(Output::OnWire { call: id, party: invited.from.clone(), wire_ref });
        }
        let leg = crate::id::LegId::caller(id);
        self.sessions.insert(invited.session, leg);
        self.legs.insert(leg, invited.session);
        self.screens.seat_called(seat.clone(), invited.session);
        self.let_out((id, ticket), call, beginning, invited.max_forwards, now);
        Ok(())
    }

    /// The way to whom a number reaches. `None`: the colleague is not free, or no expert is.
    fn way_of(&self, callable: &Callable, by: &SeatId, now: Now) -> Option<Way> {
        let emergency = matches!(callable, Callable::Emergency(_));
        let (peer, colleague) = match callable {
            Callable::Emergency(peer) | Callable::Peer(peer) | Callable::Outside(peer) => {
                (peer.clone(), None)
            }
            Callable::Seat(seat) => {
                self.idle_since(seat).filter(|_| seat != by)?;
                (Peer::colleague(seat, COLLEAGUE_RING), Some(seat.clone()))
            }
            Callable::Group(group) => {
                let seat = self.free_expert(group, by, now)?;
                (Peer::colleague(seat, group.accept), Some(seat.clone()))
            }
        };
        Some(Way { peer, colleague, emergency })
    }

    /// Since when a seat that is free is.
    fn idle_since(&self, seat: &SeatId) -> Option<crate::time::Instant> {
        match self.acd.seat(seat) {
            Some(SeatState::Ready { since }) => Some(*since),
            _ => None,
        }
    }

    fn free_expert<'a>(&self, group: &'a ExpertGroup, by: &SeatId, now: Now) -> Option<&'a SeatId> {
        if !group.hours.are_open(now.wall, &self.plan.city.time_zone) {
            return None;
        }
        let free = |seat: &'a SeatId| Some((self.idle_since(seat).filter(|_| seat != by)?, seat));
        group.seats.iter().filter_map(free).min().map(|(_, seat)| seat)
    }

    /// Whether the seat takes part in a call of its own, or in a colleague's.
    fn is_in_own_call(&self, seat: &SeatId) -> bool {
        self.acd.own_calls(seat) > 0
    }

    /// A clerk leaves the call that they began, which may go on without them; `false`: it is not theirs.
    pub(super) fn leaves_own_call(&mut self, id: CallId, seat: &SeatId, vanished: bool, now: Now) -> bool {
        let Some(entry) = self.calls.get_mut(&id) else { return false };
        if entry.clerk.take_if(|clerk| clerk == seat).is_none() {
            return false;
        }
        let case = entry.case_of(id, seat);
        if vanished {
            self.acd.seat_vanished(seat, now.mono);
        }
        self.acd.seat_disengaged(seat, case, now.mono);
        true
    }

    /// Whether there is no room for another call; for help in an emergency there is.
    pub(super) fn is_full(&self, emergency: bool) -> bool {
        !emergency && self.calls.len() >= self.plan.limits.calls_max as usize
    }

    /// Number and name that a callee is shown of who calls.
    pub(super) fn shown_to(&self, entry: &Entry, callee: &Callee) -> (String, String) {
        let own = matches!(callee, Callee::Seat(seat) if entry.clerk.as_ref() == Some(seat));
        let Some(outward) = &entry.outward else {
            if own {
                return (entry.line.to_string(), self.plan.line_name(&entry.line)); // What it is rung for.
            }
            if entry.hides(callee) {
                // Not the line that was dialled: that may be one that nobody can call back, and says where from.
                let plan = entry.call.plan();
                let line = plan.calling_line();
                return (line.to_string(), plan.line_name(&line));
            }
            // Whoever is to send help in an emergency has to know where from.
            let caller = if self.is_emergency(callee) { &entry.caller } else { entry.shown_caller() };
            return (caller.to_owned(), self.plan.line_name(&entry.line));
        };
        let is_called = |number: &str| {
            let dialled = |callable: Callable| callable.number() == number;
            number == outward.number || self.plan.callable(&outward.number).is_ok_and(dialled)
        };
        let clerk = || outward.seat.as_ref().and_then(|seat| self.plan.seats.get(seat));
        match callee {
            // The clerk sees who is to be called.
            Callee::Seat(_) => (outward.shown_number().to_owned(), self.plan.line_name(&outward.shown)),
            Callee::Peer { trunk, .. } if trunk.as_str() == SEATS => {
                (entry.caller.clone(), clerk().map_or_else(String::new, |seat| seat.name.clone()))
            }
            Callee::Peer { number, .. } if is_called(number) => {
                (outward.shown.to_string(), self.plan.line_name(&outward.shown))
            }
            // Whom the clerk asks in hears of whom it is about, as on any call.
            Callee::Peer { .. } => {
                let number = if self.is_emergency(callee) { &outward.number } else { outward.shown_number() };
                (number.to_owned(), self.plan.line_name(&outward.shown))
            }
        }
    }
}

impl Outward {
    /// The number, for whoever may see numbers at all; empty where it is confidential.
    pub(super) fn shown_number(&self) -> &str {
        if self.is_confidential { "" } else { &self.number }
    }
}

impl Entry {
    /// Whether this is whom a flow rings for the caller, and neither is to know the other's number.
    pub(super) fn hides(&self, callee: &Callee) -> bool {
        matches!(callee, Callee::Peer { number, .. } if self.hidden.contains(number))
    }

    /// Seats that are set aside for it.
    pub(super) fn keeps(&self) -> impl Iterator<Item = &SeatId> {
        let colleague = self.outward.iter().filter_map(|outward| outward.colleague.as_ref());
        self.clerk.iter().chain(colleague).chain(&self.along.joining)
    }

    /// What this seat, which was set aside for it, has to finish when it is over.
    pub(super) fn case_of(&self, call: CallId, seat: &SeatId) -> Option<CallId> {
        let has = |outward: &Outward| outward.is_case && outward.seat.as_ref() == Some(seat);
        self.outward.as_ref().is_some_and(has).then_some(call)
    }

    /// What goes along with an INVITE of the call.
    pub(super) fn along_with(&self, call: CallId, callee: &Callee, beside: Option<SessionId>) -> Along {
        let mut along = self.along.of(call, &self.line, callee, beside);
        if self.outward.is_some() || self.hides(callee) {
            // Nobody dialled our line: the call does not go on from there. Nor is that for whoever sees another
            // number than the caller's, and no line but that of our own calls.
            along.forwarded = None;
        }
        along
    }
}

/// Whether a call came by no trunk: a clerk or the house made it.
pub(super) fn is_own(way: &TrunkId) -> bool {
    matches!(way.as_str(), SEATS | HOUSE)
}

/// The telephone of a seat: one that is rung for a call, or a colleague's.
pub(super) fn telephone(callee: &Callee) -> Option<SeatId> {
    match callee {
        Callee::Seat(seat) => Some(seat.clone()),
        Callee::Peer { trunk, number } if trunk.as_str() == SEATS => Some(SeatId::from(number.as_str())),
        Callee::Peer { .. } => None,
    }
}

fn dial(peer: Peer) -> Step {
    Step::Dial { peer, ticket_on_failure: false, failure_prompt: None }
}

/// Who was rung first hears it where nobody takes the call.
fn dial_and_tell(peer: Peer) -> Vec<Step> {
    let tones = std::iter::repeat_n(Step::Play(NOT_TAKEN.into()), NOT_TAKEN_TIMES);
    std::iter::once(dial(peer)).chain(tones).collect()
}

/// Whether a callee's INVITE goes over TLS by every way that it may take.
pub(super) fn is_tls_to(plan: &Plan, callee: &Callee) -> bool {
    match callee {
        Callee::Peer { trunk, .. } if trunk.as_str() != SEATS => plan.is_tls_by(trunk),
        _ => true,
    }
}
