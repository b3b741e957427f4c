//! Clerks and their seats: what they say of themselves by telephone and by HTTP, and the facts of it.
//!
//! Each change of a seat is a fact of its own, whoever brought it about. A clerk's word by telephone is a
//! call that is nobody's case: it has no record and no ticket, for the seat's fact is all there is to it.

use std::collections::{BTreeMap, BTreeSet};

use super::callers::Standing;
use super::inward::Turned;
use super::request::{Asker, Refusal, Reply};
use super::{Entry, StoreJob, Switchboard, rooms, transfers};
use crate::acd::event::{AwayWhy, Change, SeatState, Unchanged};
use crate::call::negotiate::Terms;
use crate::call::{Call, Input, Setup};
use crate::id::{CallId, LegId, LineId, PromptId, QueueId, SeatId};
use crate::media::order::PortSlot;
use crate::routing::people::{MORE_WRAP_UP, Role, SeatCode};
use crate::routing::plan::{Flow, Step};
use crate::sip::event::Invited;
use crate::switchboard::fact::{SeatFact, SeatIs};
use crate::time::Now;

/// Said to one that does not become what it dialled.
const WRONG_KEY: &str = "wrong_key";

/// What is kept of seats beyond what `acd` knows; never more than the plan has seats.
#[derive(Default)]
pub(super) struct Seats {
    /// Facts so far.
    told: u64,
    /// Whose word is to come into force, and who said it.
    words: BTreeMap<SeatId, String>,
    /// The seat whose change is being carried out, and by whose word.
    speaking: Option<(SeatId, String)>,
    /// Clerks who were abused, and rest as soon as they can.
    rests: BTreeSet<SeatId>,
    /// The end of the house is told.
    ended: bool,
}

impl Switchboard {
    pub(super) fn change_seat(
        &mut self,
        asker: &Asker,
        seat: &SeatId,
        change: Change,
        now: Now,
    ) -> Result<Reply, Refusal> {
        if !self.plan.seats.contains_key(seat) {
            return Err(Refusal::NoSuchSeat);
        }
        if let Change::Away { reason } = &change
            && !self.plan.work.away.iter().any(|known| known.name == *reason)
        {
            return Err(Refusal::NotInPlan(reason.clone()));
        }
        self.order_seat(seat, change, asker.name.clone(), now).map_err(|why| match why {
            Unchanged::NoSuchSeat => Refusal::NoSuchSeat,
            why => Refusal::Seat(why),
        })?;
        Ok(Reply::Done)
    }

    /// The one place where somebody's word about a seat goes to `acd`.
    fn order_seat(&mut self, seat: &SeatId, change: Change, by: String, now: Now) -> Result<(), Unchanged> {
        self.seats_decided(now); // What came about before is nobody's word.
        self.seats.words.insert(seat.clone(), by.clone());
        self.seats.speaking = Some((seat.clone(), by));
        let done = self.acd.change(seat, change, now.mono);
        self.seats_decided(now);
        self.seats.speaking = None;
        if done.is_err() {
            self.seats.words.remove(seat);
        }
        done
    }

    fn seats_decided(&mut self, now: Now) {
        while let Some(decision) = self.acd.poll_output() {
            self.decided(decision, now);
        }
    }

    pub(super) fn set_surge(
        &mut self,
        queue: &QueueId,
        on: Option<bool>,
        now: Now,
    ) -> Result<Reply, Refusal> {
        let rules = self.plan.queues.get(queue).ok_or(Refusal::NoSuchQueue)?;
        if rules.rules.surge.is_none() {
            return Err(Refusal::NotInPlan(format!("queue.{queue}.surge")));
        }
        // The one place where somebody's word about a surge goes to `acd`.
        if self.acd.set_surge(queue, on, now.mono) { Ok(Reply::Done) } else { Err(Refusal::NoSuchQueue) }
    }

    /// `acd` changed a seat: the fact of it, and what waits for it.
    pub(super) fn seat_changed(&mut self, seat: SeatId, state: &SeatState, now: Now) {
        tracing::debug!(%seat, ?state, "seat changed");
        let (is, why, call) = SeatIs::of(state);
        let spoken = self.seats.speaking.as_ref().filter(|(spoken, _)| *spoken == seat);
        let by = match (spoken, state) {
            (Some((_, by)), _) => {
                self.seats.words.remove(&seat);
                Some(by.clone())
            }
            // A word that was for later.
            (None, SeatState::Away { why: AwayWhy::Said(_) | AwayWhy::Forced | AwayWhy::Rest, .. }) => {
                self.seats.words.remove(&seat)
            }
            (None, _) => None,
        };
        self.tell_seat(seat.clone(), (is, why, call), by, now);
        if matches!(is, SeatIs::WrapUp | SeatIs::Ready) && self.seats.rests.remove(&seat) {
            self.rest(seat, now);
        }
    }

    fn tell_seat(
        &mut self,
        seat: SeatId,
        (state, why, call): (SeatIs, String, Option<CallId>),
        by: Option<String>,
        now: Now,
    ) {
        self.seats.told += 1;
        let sequence = self.seats.told;
        let fact = SeatFact { sequence, seat, at: now.wall, mono: now.mono, state, why, call, by };
        let house = self.records.next_house();
        self.records.push(StoreJob::Seat { house, fact });
    }

    /// The house begins, or ends: whatever its seats were, they are signed out.
    fn tell_signed_out(&mut self, seats: Vec<SeatId>, why: &str, now: Now) {
        for seat in seats {
            self.tell_seat(seat, (SeatIs::SignedOut, why.to_owned(), None), None, now);
        }
    }

    pub(super) fn seats_begin(&mut self, now: Now) {
        let seats = self.plan.seats.keys().cloned().collect();
        self.tell_signed_out(seats, "start", now);
    }

    /// Once, when the last call is gone.
    pub(super) fn seats_end(&mut self, now: Now) {
        if !std::mem::replace(&mut self.seats.ended, true) {
            let there = self.acd.seats().filter(|(_, state)| **state != SeatState::SignedOut);
            let seats = there.map(|(seat, _)| seat.clone()).collect();
            self.tell_signed_out(seats, "stop", now);
        }
    }

    /// A clerk was abused: the seat rests after the call, or after the one that it is in by now.
    pub(super) fn rest_after_call(&mut self, seat: SeatId, now: Now) {
        match self.acd.seat(&seat) {
            None | Some(SeatState::SignedOut) => {}
            Some(SeatState::Offered { .. } | SeatState::Talking { .. }) => {
                self.seats.rests.insert(seat);
            }
            Some(SeatState::Ready { .. } | SeatState::WrapUp { .. } | SeatState::Away { .. }) => {
                self.rest(seat, now);
            }
        }
    }

    fn rest(&mut self, seat: SeatId, now: Now) {
        // Whoever is gone on another's word, or for lunch, rests there.
        let gone = matches!(
            self.acd.seat(&seat),
            Some(SeatState::Away { why: AwayWhy::Said(_) | AwayWhy::Forced, .. })
        );
        if !gone && let Err(why) = self.acd.change(&seat, Change::Rest(self.plan.work.rest), now.mono) {
            tracing::debug!(%seat, ?why, "no rest");
        }
    }

    /// A seat dialled a code: it becomes what that says, hears so, and is hung up on.
    pub(super) fn seat_says(
        &mut self,
        seat: &SeatId,
        code: SeatCode,
        invited: Invited,
        now: Now,
    ) -> Result<(), Turned> {
        let word = code.word().ok_or(Turned::ForGood(404))?;
        let change = match code {
            SeatCode::Ready => Change::Ready,
            SeatCode::Away(reason) => Change::Away { reason },
            SeatCode::MoreWrapUp => Change::MoreWrapUp(MORE_WRAP_UP),
            SeatCode::Unknown => return Err(Turned::ForGood(404)),
        };
        let slot = self.ports.lend().ok_or(Turned::ForNow)?;
        let id = CallId::draw(u64::try_from(now.wall.as_millisecond()).unwrap_or(0), &mut self.dice);
        let mut call = self.word_to_seat((id, slot), seat, word, &invited, now)?;
        // Nobody is offered to it while its telephone is in this call.
        self.acd.seat_engaged(seat, now.mono);
        let role = self.plan.seats.get(seat).map_or(Role::Clerk, |planned| planned.role);
        let asker = Asker { name: seat.to_string(), role, seat: Some(seat.clone()) };
        if let Err(why) = self.change_seat(&asker, seat, change, now) {
            tracing::info!(%seat, ?why, "a seat's code changes nothing");
            match self.word_to_seat((id, slot), seat, WRONG_KEY, &invited, now) {
                Ok(instead) => call = instead,
                Err(turned) => {
                    self.acd.seat_disengaged(seat, None, now.mono);
                    return Err(turned);
                }
            }
        }
        self.let_seat_in(id, call, seat.clone(), invited, now);
        Ok(())
    }

    /// The call in which a seat hears one word.
    fn word_to_seat(
        &mut self,
        (id, slot): (CallId, PortSlot),
        seat: &SeatId,
        word: &str,
        invited: &Invited,
        now: Now,
    ) -> Result<Call, Turned> {
        let sound = self.plan.sound_of(seat);
        let keys = self.keys_over(invited.listener);
        let setup = Setup {
            id,
            plan: self.plan.clone(),
            flow: Flow {
                line: LineId::from(word),
                steps: vec![Step::Answer, Step::Play(PromptId::from(word))],
                record: false,
            },
            ticket: String::new(),
            pickup: String::new(),
            from: String::new(),
            sounds: self.voices.of(None), // A clerk hears it.
            offer: invited.offer.clone(),
            reliable: invited.reliable,
            slot,
            peer: invited.peer.ip(),
            sound_ip: self.sound_ip(invited),
            session: self.dice.next_u64() >> 16,
            terms: Terms::new(&sound, self.plan.limits.call_max),
            keys,
        };
        Call::new(setup, now).map_err(|why| {
            self.ports.release(slot);
            Turned::Description(why)
        })
    }

    fn let_seat_in(&mut self, id: CallId, call: Call, seat: SeatId, invited: Invited, now: Now) {
        tracing::info!(call = %id, %seat, "a seat's code");
        let leg = LegId::caller(id);
        self.sessions.insert(invited.session, leg);
        self.legs.insert(leg, invited.session);
        self.screens.seat_called(seat.clone(), invited.session);
        let entry = Entry {
            call,
            line: LineId::from(self.plan.work.prefix.as_str()),
            caller: invited.caller,
            way: crate::id::TrunkId::from(crate::routing::meeting::SEATS),
            asking: None,
            missed_about: None,
            hidden: Vec::new(),
            max_forwards: invited.max_forwards,
            ticket: String::new(),
            opened_at: now.wall,
            opened: now.mono,
            answered: None,
            sequence: 0,
            history: Vec::new(),
            skills: Vec::new(),
            priority: 0,
            sticky: None,
            along: transfers::Along::of_caller(invited.carried),
            stay: rooms::Stay::Outside,
            clerk: Some(seat),
            outward: None,
            called: super::objects::Called::default(),
            standing: Standing::of_code(),
        };
        self.calls.insert(id, entry);
        // There is no record that the answer would have to wait for.
        self.tell_call(id, Input::Recorded { durable: true });
        self.step(id, now, |_| {});
    }
}
