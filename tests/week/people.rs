//! What people do, as the dice have it: callers, clerks and whoever else is asked in.

use std::time::Duration;

use hotline::acd::event::Change;
use hotline::call::{Callee, Input, Told, TransferStep, Wish};
use hotline::id::{CallId, Dice, LegId, SeatId};

use super::town::{Due, Town};

/// What the people of a call are at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Opening,
    Waiting,
    Talking,
    /// A third party rings, or is spoken with.
    Asking,
    Consulting,
    Three,
    /// With whoever the clerk left them with.
    WithThird,
    Grading,
    /// Prompts: nobody does anything but go away.
    Listening,
}

/// Times as people have them.
pub trait Patience {
    /// Exponentially distributed around a mean of so many seconds, at most twenty times that.
    fn patience(&mut self, mean_s: f64) -> Duration;
    /// So often in a thousand.
    fn happens(&mut self, permille: u64) -> bool;
}

impl Patience for Dice {
    fn patience(&mut self, mean_s: f64) -> Duration {
        let drawn = (self.next_u32() as f64 + 1.0) / (f64::from(u32::MAX) + 2.0);
        Duration::from_secs_f64((-drawn.ln()).min(20.0) * mean_s)
    }

    fn happens(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }
}

impl Town {
    /// A call tells something: its people come to another mood by it.
    pub(super) fn people_hear(&mut self, id: CallId, told: &Told) {
        let mood = match told {
            Told::Queued { .. } => Mood::Waiting,
            Told::SeatAnswered { .. } => Mood::Talking,
            Told::PeerAnswered { .. } => Mood::WithThird,
            Told::Transfer { step, .. } => match step {
                TransferStep::Requested | TransferStep::Ringing => Mood::Asking,
                TransferStep::Consulting => Mood::Consulting,
                TransferStep::Merged => Mood::Three,
                TransferStep::Left | TransferStep::Accepted => Mood::WithThird,
                TransferStep::Returned | TransferStep::Failed(_) => Mood::Talking,
                TransferStep::Declined(_) => return,
            },
            Told::Announced { prompt } if prompt.starts_with("survey") => Mood::Grading,
            Told::TicketLeft { .. } => Mood::Listening,
            _ => return,
        };
        let mean = match mood {
            Mood::Waiting => 150.0,
            Mood::Talking => 55.0,
            Mood::Asking => 20.0,
            Mood::Consulting => 12.0,
            Mood::Three => 25.0,
            Mood::WithThird => 60.0,
            Mood::Grading => 4.0,
            Mood::Opening | Mood::Listening => 30.0,
        };
        let Some(live) = self.calls.get_mut(&id) else { return };
        live.mood = mood;
        live.epoch += 1;
        let epoch = live.epoch;
        let after = self.dice.patience(mean);
        self.later(after, Due::Next(id, epoch));
    }

    /// Somebody on the call does the next thing.
    pub(super) fn next_of(&mut self, id: CallId, epoch: u32) {
        let Some(live) = self.calls.get(&id).filter(|live| live.epoch == epoch && !live.caller_gone) else {
            return;
        };
        let mood = if self.dice.happens(15) { self.any_mood() } else { live.mood };
        let lot = self.dice.below(100);
        let did = match (mood, lot) {
            (Mood::Opening | Mood::Waiting | Mood::Listening, _) => self.caller_hangs_up(id),
            (Mood::Talking, 0..=14) => self.asks_somebody(id),
            (Mood::Talking, 15..=18) => self.wishes(id, Wish::Hold) && self.comes_back(id),
            (Mood::Talking, 19) => self.wishes(id, Wish::Requeue { queue: None }),
            (Mood::Talking, 20..=39) => self.far_hangs_up(id, true),
            (Mood::Asking, 0..=19) => self.wishes(id, Wish::Return),
            (Mood::Asking, 20..=29) => self.wishes(id, Wish::Leave),
            (Mood::Asking, 30..=39) => self.far_hangs_up(id, true),
            (Mood::Asking, 40..=89) => true,
            (Mood::Consulting, 0..=49) => self.wishes(id, Wish::Merge),
            (Mood::Consulting, 50..=69) => self.wishes(id, Wish::Leave),
            (Mood::Consulting, 70..=79) => self.wishes(id, Wish::Return),
            (Mood::Consulting, 80..=86) => self.far_hangs_up(id, false),
            (Mood::Consulting, 87..=93) => self.far_hangs_up(id, true),
            (Mood::Three, 0..=39) => self.wishes(id, Wish::Leave),
            (Mood::Three, 40..=59) => self.far_hangs_up(id, false),
            (Mood::Three, 60..=69) => self.wishes(id, Wish::Return),
            (Mood::Three, 70..=79) => self.far_hangs_up(id, true),
            (Mood::WithThird, 0..=49) => self.far_hangs_up(id, false) || self.far_hangs_up(id, true),
            (Mood::Grading, _) => self.presses(id),
            _ => self.caller_hangs_up(id),
        };
        // Whoever could not do so does something else in a while.
        let unchanged = self.calls.get(&id).is_some_and(|live| live.epoch == epoch);
        if unchanged {
            let after = self.dice.patience(if did { 60.0 } else { 10.0 });
            self.later(after, Due::Next(id, epoch));
        }
    }

    fn any_mood(&mut self) -> Mood {
        const MOODS: [Mood; 6] =
            [Mood::Talking, Mood::Asking, Mood::Consulting, Mood::Three, Mood::WithThird, Mood::Grading];
        MOODS[self.dice.below(MOODS.len() as u64) as usize]
    }

    fn caller_hangs_up(&mut self, id: CallId) -> bool {
        let vanished = self.dice.happens(20);
        let Some(live) = self.calls.get_mut(&id) else { return false };
        live.caller_gone = true;
        let leg = LegId::caller(id);
        let input = if live.answered { Input::Ended { leg, vanished } } else { Input::Cancelled };
        self.todo.push_back((id, input));
        true
    }

    /// A clerk (or whoever else is not one) on the call hangs up, or its telephone is lost.
    fn far_hangs_up(&mut self, id: CallId, clerk: bool) -> bool {
        let first = LegId { call: id, index: 0 };
        let last = LegId { call: id, index: u16::MAX };
        let mut legs = self.fars.range(first..=last).filter(|(_, far)| far.answered);
        let is_first_seat = |callee: &Callee| matches!(callee, Callee::Seat(_));
        let found = match clerk {
            true => legs.find(|(_, far)| is_first_seat(&far.callee)),
            false => legs.next_back(),
        };
        let Some((leg, callee)) = found.map(|(leg, far)| (*leg, far.callee.clone())) else {
            return false;
        };
        let vanished = self.dice.happens(40);
        self.fars.remove(&leg);
        self.todo.push_back((id, Input::Ended { leg, vanished }));
        if let (Callee::Seat(seat), true) = (callee, vanished) {
            let back = self.dice.patience(60.0);
            self.later(back, Due::Registers(seat));
        }
        true
    }

    fn asks_somebody(&mut self, id: CallId) -> bool {
        const WHOM: [&str; 8] = ["12366", "12313", "12367", "12348", "12333", "110", "120", "5007"];
        let to = WHOM[self.dice.below(WHOM.len() as u64) as usize].to_owned();
        self.wishes(id, Wish::Consult { to })
    }

    /// Most clerks who leave a caller with music are back in a while.
    fn comes_back(&mut self, id: CallId) -> bool {
        if self.dice.happens(900) {
            self.wishes(id, Wish::Resume);
        }
        true
    }

    fn presses(&mut self, id: CallId) -> bool {
        let digit = char::from(b'0' + self.dice.below(8) as u8);
        self.todo.push_back((id, Input::Digit { leg: LegId::caller(id), digit }));
        true
    }

    /// A telephone is lost, a clerk goes away or comes back.
    pub(super) fn something_on_the_floor(&mut self) {
        let number = self.dice.below(super::plan::SEATS as u64);
        let seat = SeatId::from(format!("{}", 5_000 + number).as_str());
        let now = self.now.mono;
        match self.dice.below(8) {
            0 => {
                self.acd.seat_unregistered(&seat, now);
                let back = self.dice.patience(120.0);
                self.later(back, Due::Registers(seat));
            }
            1 => self.acd.seat_registered(&seat, now),
            2 => {
                self.later(
                    Duration::ZERO,
                    Due::Changes(seat.clone(), Change::Away { reason: "lunch".into() }),
                );
                let back = self.dice.patience(300.0);
                self.later(back, Due::Changes(seat, Change::Ready));
            }
            3 => self.later(Duration::ZERO, Due::Changes(seat, Change::MoreWrapUp(Duration::from_secs(30)))),
            4 => self.later(Duration::ZERO, Due::Changes(seat, Change::Rest(Duration::from_secs(60)))),
            5 => {
                self.later(Duration::ZERO, Due::Changes(seat.clone(), Change::ForceAway));
                let back = self.dice.patience(60.0);
                self.later(back, Due::Changes(seat, Change::Ready));
            }
            _ => self.later(Duration::ZERO, Due::Changes(seat, Change::Ready)),
        }
    }
}
