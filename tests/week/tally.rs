//! What is counted of the days, and what must hold of it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use hotline::call::{Told, TransferStep};
use hotline::id::{CallId, LegId, SeatId};
use hotline::media::Order;

#[derive(Default)]
pub struct Tally {
    pub calls: u64,
    pub closed: u64,
    pub answered_by_seats: u64,
    pub overflowed: u64,
    pub surveyed: u64,
    pub steps: BTreeMap<String, u64>,
    pub most_at_once: usize,
    pub most_waiting: u32,
    /// Seats that a call has spoken with and not been left by.
    with: HashMap<SeatId, CallId>,
    /// Legs whose sound is open.
    open: HashSet<LegId>,
    /// Calls whose recording runs.
    recording: HashSet<CallId>,
}

impl Tally {
    pub fn told(&mut self, call: CallId, told: &Told) {
        match told {
            Told::SeatAnswered { seat, .. } => {
                self.answered_by_seats += 1;
                let before = self.with.insert(seat.clone(), call);
                assert!(before.is_none(), "seat {seat} is with {before:?} and with {call}");
            }
            Told::SeatLeft { seat, .. } => {
                let with = self.with.remove(seat);
                assert_eq!(with, Some(call), "seat {seat} leaves a call that it is not in");
            }
            Told::TicketLeft { .. } => self.overflowed += 1,
            Told::Surveyed { .. } => self.surveyed += 1,
            Told::Transfer { step, .. } => {
                let step = match step {
                    TransferStep::Failed(_) => "failed".to_owned(),
                    TransferStep::Declined(_) => "declined".to_owned(),
                    step => format!("{step:?}").to_lowercase(),
                };
                *self.steps.entry(step).or_default() += 1;
            }
            Told::Closed { .. } => self.closed += 1,
            _ => {}
        }
    }

    /// Orders to the media engine come in an order that it can follow.
    pub fn ordered(&mut self, order: &Order) {
        match order {
            Order::Open { leg, .. } => assert!(self.open.insert(*leg), "{leg} is opened twice"),
            Order::Close { leg } => assert!(self.open.remove(leg), "{leg} is closed and was not open"),
            Order::Bridge { a, b } => {
                assert!(
                    self.open.contains(a) && self.open.contains(b),
                    "a bridge of {a} and {b} without sound"
                );
            }
            Order::Join { leg, .. } | Order::Change { leg, .. } | Order::Play { leg, .. } => {
                assert!(self.open.contains(leg), "{leg} has no sound: {order:?}");
            }
            Order::Record { call, .. } => assert!(self.recording.insert(*call), "{call} is recorded twice"),
            Order::StopRecord { call } => assert!(self.recording.remove(call), "{call} was not recorded"),
            _ => {}
        }
    }

    /// A call is forgotten: nothing of it may be left.
    pub fn over(&self, call: CallId) {
        assert!(!self.recording.contains(&call), "{call} is still recorded");
    }

    /// Everybody has hung up.
    pub fn holds(&self) {
        assert_eq!(self.calls, self.closed, "each call is closed once");
        assert!(self.with.is_empty(), "seats are left with calls that are over: {:?}", self.with);
        assert!(self.open.is_empty(), "sound is left open: {:?}", self.open);
        assert!(self.recording.is_empty(), "recordings run on: {:?}", self.recording);
        assert!(self.answered_by_seats * 10 > self.calls * 7, "most callers talk with somebody");
        for step in ["requested", "consulting", "merged", "left", "returned", "failed"] {
            assert!(self.steps.contains_key(step), "no transfer was ever {step}");
        }
        assert!(self.overflowed > 0 && self.surveyed > 0);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} calls, {} conversations with seats", self.calls, self.answered_by_seats)?;
        writeln!(f, "{} tickets left, {} grades", self.overflowed, self.surveyed)?;
        writeln!(f, "at most {} calls at once, {} waiting", self.most_at_once, self.most_waiting)?;
        write!(f, "transfers: {:?}", self.steps)
    }
}
