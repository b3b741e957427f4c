//! How a call of the house's own, or of a clerk's, comes to be: what it begins with, and its first facts.

use std::time::Duration;

use super::calling::{CALLED_BACK, MAX_FORWARDS, Outward};
use super::request::Flag;
use super::{Entry, Switchboard, What, rooms, transfers};
use crate::call::negotiate::Terms;
use crate::call::{Call, Callee, Setup};
use crate::id::{CallId, LineId, SeatId, TrunkId, mask};
use crate::media::order::PortSlot;
use crate::routing::plan::{Flow, Step};
use crate::time::Now;

/// A call about to begin.
pub(super) struct Beginning {
    /// `None`: nobody is called by it but its first leg.
    pub(super) outward: Option<Outward>,
    /// Whose call it is, in the record.
    pub(super) line: LineId,
    pub(super) steps: Vec<Step>,
    /// Set aside while it lasts.
    pub(super) clerk: Option<SeatId>,
    /// Who is on the first leg, in the record.
    pub(super) caller: String,
    /// Where it came by, in the record.
    pub(super) way: TrunkId,
    pub(super) dialled: String,
    pub(super) wire_ref: String,
}

impl Switchboard {
    /// Begins a call by calling whoever is on its first leg.
    pub(super) fn call_first(
        &mut self,
        beginning: Beginning,
        first: Callee,
        ring: Duration,
        now: Now,
    ) -> CallId {
        let setup = self.outward_setup(&beginning, now);
        let (id, ticket) = (setup.id, setup.ticket.clone());
        let call = Call::outward(setup, first, ring, now);
        self.let_out((id, ticket), call, beginning, MAX_FORWARDS, now);
        id
    }

    /// What such a call begins with, but for its first leg.
    pub(super) fn outward_setup(&mut self, beginning: &Beginning, now: Now) -> Setup {
        let plan = self.plan.clone();
        let (line, steps) = (beginning.line.clone(), beginning.steps.clone());
        // Who only listens is not kept: the call that is heard has its own recording.
        let record = plan.recording.enabled && beginning.outward.is_some();
        let language = plan.lines.get(&line).and_then(|line| line.language.as_ref());
        let nowhere = std::net::Ipv4Addr::UNSPECIFIED.into();
        Setup {
            id: CallId::draw(u64::try_from(now.wall.as_millisecond()).unwrap_or(0), &mut self.dice),
            flow: Flow { line, steps, record },
            ticket: self.numbers.next(plan.city.time_zone.to_datetime(now.wall).date()),
            pickup: String::new(),
            from: String::new(),
            sounds: self.voices.of(language),
            offer: None,
            reliable: false,
            slot: PortSlot(u32::MAX),
            peer: nowhere,
            sound_ip: nowhere,
            session: self.dice.next_u64() >> 16,
            terms: Terms::default(),
            keys: None,
            plan,
        }
    }

    pub(super) fn let_out(
        &mut self,
        (id, ticket): (CallId, String),
        call: Call,
        beginning: Beginning,
        max_forwards: u8,
        now: Now,
    ) {
        let Beginning { outward, line, clerk, caller, way, dialled, wire_ref, .. } = beginning;
        let purpose = outward.as_ref().map_or("own", |outward| outward.purpose.word());
        let is_confidential = outward.as_ref().is_some_and(|outward| outward.is_confidential);
        let number = outward.as_ref().map_or(dialled.as_str(), |outward| outward.shown_number());
        tracing::info!(call = %id, purpose, number = %mask(number), ?clerk, "call begun");
        let colleague = outward.as_ref().and_then(|outward| outward.colleague.as_ref());
        for seat in clerk.iter().chain(colleague) {
            self.acd.seat_engaged(seat, now.mono);
        }
        let opened = What::Opened {
            line: line.clone(),
            dialled,
            caller: caller.clone(),
            trunk: way.clone(),
            ticket: ticket.clone(),
            plan: self.plan.digest.clone(),
            shifted_clock: self.shifted_clock,
            wire_ref,
            room: None,
        };
        let told = outward.as_ref().map(|outward| What::Outward {
            purpose: outward.purpose,
            seat: outward.seat.clone(),
            number: outward.number.clone(),
            of: outward.of,
        });
        let skills = self.plan.lines.get(&line).map(|line| line.skills.clone());
        let entry = Entry {
            call,
            line,
            caller,
            way,
            asking: None,
            missed_about: None,
            hidden: Vec::new(),
            max_forwards,
            ticket,
            opened_at: now.wall,
            opened: now.mono,
            answered: None,
            sequence: 0,
            history: Vec::new(),
            skills: skills.unwrap_or_default(),
            priority: 0,
            sticky: None,
            // A telephone's own word on who calls, and on who may know, is not passed on.
            along: transfers::Along::default(),
            called: super::objects::Called::default(),
            stay: rooms::Stay::Outside,
            clerk,
            outward,
            standing: super::callers::Standing::of_called(is_confidential),
        };
        self.calls.insert(id, entry);
        self.record(id, opened, now);
        told.into_iter().for_each(|told| self.record(id, told, now));
        if is_confidential {
            self.record(id, What::Flagged { flag: Flag::Confidential, by: CALLED_BACK.into() }, now);
        }
        self.records.await_opening(id);
        self.step(id, now, |_| {});
    }
}
