//! What clerks and supervisors say of seats: free, away for a reason, at rest, or longer at the case.

use std::time::Duration;

use crate::acd::event::{AwayWhy, Change, SeatState, Unchanged};
use crate::id::SeatId;
use crate::time::Instant;

use super::acd::Acd;
use super::seat::{Absence, Lasts};

impl Acd {
    /// A seat becomes what somebody wants; while it rings or talks, as soon as that is over.
    ///
    /// An absence outlives a registration: only another word ends it.
    pub fn change(&mut self, id: &SeatId, change: Change, now: Instant) -> Result<(), Unchanged> {
        let seat = self.seats.get(id).filter(|seat| !seat.dropped).ok_or(Unchanged::NoSuchSeat)?;
        if !seat.registered {
            return Err(Unchanged::SignedOut);
        }
        match change {
            Change::Ready => self.say_ready(id, now),
            Change::Away { reason } => self.say_away(id, AwayWhy::Said(reason), Lasts::Open, now),
            Change::ForceAway => self.say_away(id, AwayWhy::Forced, Lasts::Open, now),
            Change::Rest(span) => self.say_rest(id, span, now),
            Change::MoreWrapUp(more) => self.wrap_up_longer(id, more, now)?,
        }
        self.settle(now);
        Ok(())
    }

    fn say_ready(&mut self, id: &SeatId, now: Instant) {
        let Some(seat) = self.seats.get_mut(id) else { return };
        seat.absence = None;
        match &seat.state {
            SeatState::Away { why: AwayWhy::OwnCall, .. } => {} // Until that is over.
            SeatState::Away { .. } | SeatState::WrapUp { .. } => self.release(id, now, now),
            SeatState::Ready { .. }
            | SeatState::Offered { .. }
            | SeatState::Talking { .. }
            | SeatState::SignedOut => {}
        }
    }

    fn say_away(&mut self, id: &SeatId, why: AwayWhy, lasts: Lasts, now: Instant) {
        let Some(seat) = self.seats.get_mut(id) else { return };
        let absence = Absence { why, lasts };
        if seat.absence.replace(absence.clone()).is_some_and(|standing| standing == absence) {
            return; // Since the first time.
        }
        match &seat.state {
            SeatState::Away { why: AwayWhy::Vanished, .. } => {} // First its telephone comes back.
            SeatState::Ready { .. } | SeatState::WrapUp { .. } | SeatState::Away { .. } => {
                self.release(id, now, now);
            }
            SeatState::Offered { .. } | SeatState::Talking { .. } | SeatState::SignedOut => {}
        }
    }

    /// A clerk who rests for a while is not called back to work sooner than without: one who is away by
    /// word stays so, and a case in wrap-up has its time.
    fn say_rest(&mut self, id: &SeatId, span: Duration, now: Instant) {
        let Some(seat) = self.seats.get(id) else { return };
        if seat.absence.as_ref().is_some_and(|absence| absence.lasts == Lasts::Open) {
            return;
        }
        let lasts = match seat.state {
            SeatState::WrapUp { ends_at, .. } => Lasts::Until(ends_at.max(now + span)),
            _ => Lasts::For(span),
        };
        self.say_away(id, AwayWhy::Rest, lasts, now);
    }

    fn wrap_up_longer(&mut self, id: &SeatId, more: Duration, now: Instant) -> Result<(), Unchanged> {
        let seat = self.seats.get(id).ok_or(Unchanged::NoSuchSeat)?;
        let SeatState::WrapUp { call, ends_at } = seat.state else { return Err(Unchanged::NoWrapUp) };
        let longest = seat.talked_until + self.wrap_up_max;
        if ends_at >= longest {
            return Err(Unchanged::TooLong);
        }
        self.set_seat(id, SeatState::WrapUp { call, ends_at: longest.min(ends_at + more) }, now);
        Ok(())
    }
}

impl AwayWhy {
    /// Whether a REGISTER ends it: what a telephone did, it can make good. What people said, it cannot.
    pub(super) fn ends_by_register(&self) -> bool {
        match self {
            AwayWhy::Unanswered | AwayWhy::Vanished => true,
            AwayWhy::OwnCall | AwayWhy::Said(_) | AwayWhy::Rest | AwayWhy::Forced => false,
        }
    }
}
