//! What can be seen of the city from outside: calls, seats, records, and what people noticed.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use hotline::acd::event::SeatState;
use hotline::id::{CallId, SeatId};
use hotline::phone::PhoneEvent;
use hotline::telemetry::CallRecord;
use hotline::time::Instant;

use crate::city::City;
use crate::clerk::Who;
use crate::network::header;

impl City {
    /// The call of this caller that is under way.
    pub fn call_of(&self, who: Who) -> Option<CallId> {
        let caller = &self.people[who.0].user;
        self.board.calls().into_iter().rev().find(|(_, entry)| entry.caller == *caller).map(|(call, _)| call)
    }

    /// What that call is at, in the house's word.
    pub fn state_of(&self, who: Who) -> Option<&'static str> {
        let call = self.call_of(who)?;
        self.board.calls().into_iter().find(|(id, _)| *id == call).map(|(_, entry)| entry.state())
    }

    /// With which clerk a caller talks.
    pub fn talks_to(&self, who: Who) -> Option<Who> {
        let call = self.call_of(who)?;
        let with =
            |state: &SeatState| matches!(state, SeatState::Talking { call: with, .. } if *with == call);
        let (seat, _) = self.board.acd().seats().find(|(_, state)| with(state))?;
        self.people()
            .find(|(_, telephone)| telephone.is_seat && telephone.user == seat.as_str())
            .map(|it| it.0)
    }

    pub fn seat_state(&self, who: Who) -> SeatState {
        let seat = SeatId::from(self.people[who.0].user.as_str());
        self.board.acd().seat(&seat).expect("a seat").clone()
    }

    /// The records of a caller's calls that are on disk, oldest first.
    pub fn records_of(&self, who: Who) -> Vec<CallRecord> {
        let mut records = self.store.records();
        records.retain(|record| record.caller == self.people[who.0].user);
        records.sort_by_key(|record| record.opened_mono);
        records
    }

    /// The record of a caller's last call.
    pub fn record_of(&self, who: Who) -> CallRecord {
        self.records_of(who).pop().expect("a record")
    }

    /// Whether a queue offers this seat the call for which an INVITE comes to its telephone.
    pub(crate) fn is_offered(&self, place: usize, bytes: &[u8]) -> bool {
        let of = header(bytes, "X-Hotline-Call: ");
        match self.board.acd().seat(&SeatId::from(self.people[place].user.as_str())) {
            Some(SeatState::Offered { call, .. }) => call.to_string() == of,
            _ => false,
        }
    }

    /// Calls under way with their records so far, and seats: for when something is wrong.
    pub fn story(&self) -> String {
        let mut out = format!("at {:?}\n", self.mono);
        for (call, entry) in self.board.calls() {
            out += &format!("{call} of {}: {}\n", entry.caller, entry.state());
            for fact in self.store.facts.get(&call).into_iter().flatten() {
                out += &format!("    {:?} {:?}\n", fact.mono, fact.what);
            }
        }
        self.board.acd().seats().for_each(|(seat, state)| out += &format!("{seat}: {state:?}\n"));
        out
    }

    pub fn saw(&self, who: Who, what: impl Fn(&PhoneEvent) -> bool) -> bool {
        self.people[who.0].events.iter().any(|(_, event)| what(event))
    }

    pub fn saw_at(&self, who: Who, what: impl Fn(&PhoneEvent) -> bool) -> Option<Instant> {
        self.people[who.0].events.iter().find(|(_, event)| what(event)).map(|(at, _)| *at)
    }

    /// Whether an INVITE of this caller ever came to the house.
    pub fn rang(&self, who: Who) -> bool {
        self.rang_times(who) > 0
    }

    /// How many calls of this caller came to the house.
    pub fn rang_times(&self, who: Who) -> usize {
        self.rang.get(&self.people[who.0].sip).map_or(0, BTreeSet::len)
    }

    /// How often a message of this name left that address.
    pub fn said(&self, from: SocketAddr, name: &str) -> usize {
        self.net.log.iter().filter(|(_, sender, _, said)| *sender == from && said == name).count()
    }
}
