//! A shift in figures: how long each seat was signed in, and what it was meanwhile, as a fold over what
//! seats became.
//!
//! All is counted in whole milliseconds of one monotonic clock, laid on the wall clock where the seat
//! signed in: a clock that jumps makes no shift longer, and what a seat was adds up to how long it was
//! there, to the millisecond, wherever the window cuts it.
//!
//! What a seat was when a process died is believed until the last change of any seat that the process
//! told of.

use std::collections::BTreeMap;

use crate::id::SeatId;
use crate::switchboard::fact::{SeatFact, SeatIs};
use crate::time::Timestamp;

/// One seat within the window, milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// From its registrations to their ends.
    pub signed_in_ms: u64,
    /// Free.
    pub ready_ms: u64,
    /// Ringing.
    pub offered_ms: u64,
    /// With callers.
    pub talking_ms: u64,
    /// Finishing cases.
    pub wrap_up_ms: u64,
    /// Away, by the reason.
    pub away_ms: BTreeMap<String, u64>,
    /// Conversations begun.
    pub talks: u64,
}

/// The fold. Changes come in the order in which they were told.
pub struct Shifts {
    /// Milliseconds of the wall clock.
    window: (i64, i64),
    /// Of the last change.
    sequence: u64,
    last_ms: u64,
    here: BTreeMap<SeatId, Here>,
    shifts: BTreeMap<SeatId, Shift>,
}

/// A seat that is signed in.
struct Here {
    /// Wall clock less the monotonic one, at the sign-in.
    offset: i64,
    began_ms: u64,
    state: SeatIs,
    why: String,
    since_ms: u64,
}

impl Shifts {
    /// From `from` up to and without `to`.
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        Shifts {
            window: (from.as_millisecond(), to.as_millisecond()),
            sequence: 0,
            last_ms: 0,
            here: BTreeMap::new(),
            shifts: BTreeMap::new(),
        }
    }

    /// Takes one change in.
    pub fn apply(&mut self, fact: &SeatFact) {
        if fact.sequence <= self.sequence {
            self.another_process();
        }
        self.sequence = fact.sequence;
        let ms = fact.mono.as_nanos() / 1_000_000;
        self.last_ms = ms;
        let (offset, began_ms) = match self.here.remove(&fact.seat) {
            Some(here) => {
                self.was(&fact.seat, &here, ms);
                if fact.state == SeatIs::SignedOut {
                    return self.left(&fact.seat, &here, ms);
                }
                (here.offset, here.began_ms)
            }
            None if fact.state == SeatIs::SignedOut => return,
            None => (fact.at.as_millisecond() - signed(ms), ms),
        };
        let (from, to) = self.window;
        let at = offset + signed(ms);
        if fact.state == SeatIs::Talking && (from..to).contains(&at) {
            self.shifts.entry(fact.seat.clone()).or_default().talks += 1;
        }
        let here = Here { offset, began_ms, state: fact.state, why: fact.why.clone(), since_ms: ms };
        self.here.insert(fact.seat.clone(), here);
    }

    /// All seats that were there within the window; who is there still is so until `now`.
    pub fn finish(mut self, now: Timestamp) -> BTreeMap<SeatId, Shift> {
        for (seat, here) in std::mem::take(&mut self.here) {
            let ms = u64::try_from(now.as_millisecond() - here.offset).unwrap_or(0).max(here.since_ms);
            self.was(&seat, &here, ms);
            self.left(&seat, &here, ms);
        }
        self.shifts.retain(|_, shift| shift.signed_in_ms > 0);
        self.shifts
    }

    fn another_process(&mut self) {
        let ms = self.last_ms;
        for (seat, here) in std::mem::take(&mut self.here) {
            self.was(&seat, &here, ms);
            self.left(&seat, &here, ms);
        }
    }

    /// The part of a span that lies within the window.
    fn inside(&self, here: &Here, from_ms: u64, to_ms: u64) -> u64 {
        let from = (here.offset + signed(from_ms)).max(self.window.0);
        let to = (here.offset + signed(to_ms)).min(self.window.1);
        u64::try_from(to - from).unwrap_or(0)
    }

    fn was(&mut self, seat: &SeatId, here: &Here, until_ms: u64) {
        let span = self.inside(here, here.since_ms, until_ms);
        if span == 0 {
            return;
        }
        let shift = self.shifts.entry(seat.clone()).or_default();
        match here.state {
            SeatIs::SignedOut => {}
            SeatIs::Ready => shift.ready_ms += span,
            SeatIs::Offered => shift.offered_ms += span,
            SeatIs::Talking => shift.talking_ms += span,
            SeatIs::WrapUp => shift.wrap_up_ms += span,
            SeatIs::Away => *shift.away_ms.entry(here.why.clone()).or_default() += span,
        }
    }

    fn left(&mut self, seat: &SeatId, here: &Here, until_ms: u64) {
        let span = self.inside(here, here.began_ms, until_ms);
        self.shifts.entry(seat.clone()).or_default().signed_in_ms += span;
    }
}

impl Shift {
    /// Away for whatever reason.
    pub fn away_all_ms(&self) -> u64 {
        self.away_ms.values().sum()
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;
    use crate::time::Instant;
    use std::time::Duration;

    const DAY_MS: u64 = 86_400_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millisecond(signed(ms)).unwrap()
    }

    /// A change at so many milliseconds of a process that began when the wall clock said `wall`.
    fn fact(sequence: u64, seat: &str, (wall, ms): (u64, u64), state: SeatIs, why: &str) -> SeatFact {
        SeatFact {
            sequence,
            seat: seat.into(),
            at: at(wall + ms),
            mono: Instant::from_millis(ms) + Duration::from_nanos(999_999),
            state,
            why: why.into(),
            call: None,
            by: None,
        }
    }

    fn fold(facts: &[SeatFact], (from, to): (u64, u64), now: u64) -> BTreeMap<SeatId, Shift> {
        let mut shifts = Shifts::new(at(from), at(to));
        facts.iter().for_each(|fact| shifts.apply(fact));
        shifts.finish(at(now))
    }

    fn sum(shift: &Shift) -> u64 {
        shift.ready_ms + shift.offered_ms + shift.talking_ms + shift.wrap_up_ms + shift.away_all_ms()
    }

    #[test]
    fn a_shift_is_told_state_by_state_and_a_jump_of_the_clock_changes_nothing() {
        use SeatIs::*;
        let mut facts = vec![
            fact(1, "1001", (0, 0), SignedOut, "start"),
            fact(2, "1001", (0, 1_000), Ready, ""),
            fact(3, "1001", (0, 61_000), Offered, ""),
            fact(4, "1001", (0, 64_000), Talking, ""),
            fact(5, "1002", (0, 70_000), Ready, ""),
            fact(6, "1001", (0, 164_000), WrapUp, ""),
            fact(7, "1001", (0, 184_000), Away, "said/lunch"),
            fact(8, "1001", (0, 384_000), Ready, ""),
            fact(9, "1001", (0, 385_000), Away, "own_call"),
            fact(10, "1001", (0, 400_000), SignedOut, ""),
        ];
        for fact in &mut facts[5..] {
            fact.at = at(7_200_000); // Two hours ahead, and it stands still.
        }
        let shifts = fold(&facts, (0, DAY_MS), 500_000);
        let first = &shifts["1001"];
        assert_eq!((first.signed_in_ms, sum(first), first.talks), (399_000, 399_000, 1));
        assert_eq!((first.ready_ms, first.offered_ms, first.talking_ms), (61_000, 3_000, 100_000));
        assert_eq!(first.wrap_up_ms, 20_000);
        let away: Vec<_> = first.away_ms.iter().map(|(why, ms)| (why.as_str(), *ms)).collect();
        assert_eq!(away, [("own_call", 15_000), ("said/lunch", 200_000)]);
        assert_eq!((shifts["1002"].signed_in_ms, shifts["1002"].ready_ms), (430_000, 430_000), "until now");
    }

    #[test]
    fn midnight_cuts_a_shift_in_two_that_make_a_whole() {
        use SeatIs::*;
        let night = DAY_MS - 500;
        let facts = [
            fact(1, "1001", (0, night), Ready, ""),
            fact(2, "1001", (0, night + 400), Talking, ""),
            fact(3, "1001", (0, night + 1_500), WrapUp, ""),
            fact(4, "1001", (0, night + 2_000), SignedOut, ""),
        ];
        let days = [(0, DAY_MS), (DAY_MS, 2 * DAY_MS)].map(|day| fold(&facts, day, 3 * DAY_MS));
        let [evening, morning] = days.map(|mut day| day.remove("1001").unwrap());
        assert_eq!((evening.ready_ms, evening.talking_ms, evening.talks), (400, 100, 1));
        assert_eq!((morning.talking_ms, morning.wrap_up_ms, morning.talks), (1_000, 500, 0));
        assert_eq!((evening.signed_in_ms, morning.signed_in_ms), (500, 1_500));
        assert!(fold(&facts, (2 * DAY_MS, 3 * DAY_MS), 3 * DAY_MS).is_empty());
    }

    #[test]
    fn a_process_that_died_is_believed_until_the_last_that_it_told() {
        use SeatIs::*;
        let facts = [
            fact(1, "1001", (0, 1_000), Ready, ""),
            fact(2, "1002", (0, 2_000), Ready, ""),
            fact(3, "1002", (0, 9_000), Talking, ""),
            // Killed; an hour later, by another monotonic clock:
            fact(1, "1001", (3_600_000, 10), SignedOut, "start"),
            fact(2, "1001", (3_600_000, 20), Ready, ""),
            fact(3, "1001", (3_600_000, 50), SignedOut, "stop"),
        ];
        let shifts = fold(&facts, (0, DAY_MS), DAY_MS);
        assert_eq!((shifts["1001"].signed_in_ms, shifts["1001"].ready_ms), (8_030, 8_030));
        assert_eq!((shifts["1002"].signed_in_ms, shifts["1002"].talking_ms), (7_000, 0));
    }

    #[test]
    fn whatever_happens_the_parts_are_the_whole() {
        let mut dice = Dice::seeded(20_210_901);
        for _ in 0..200 {
            let (mut ms, mut facts, mut wall) = (0, Vec::new(), 0);
            for sequence in 1..=60 {
                ms += dice.next_u64() % 4_000;
                wall += dice.next_u64() % 50;
                let seat = ["1001", "1002", "1003"][(dice.next_u64() % 3) as usize];
                let state = SeatIs::ALL[(dice.next_u64() % 6) as usize];
                let why = if state == SeatIs::Away { "rest" } else { "" };
                facts.push(fact(sequence, seat, (wall, ms), state, why));
            }
            let (from, to) = (dice.next_u64() % 60_000, 60_000 + dice.next_u64() % 60_000);
            let halves = [(0, from), (from, to), (to, DAY_MS)].map(|window| fold(&facts, window, ms));
            let whole = fold(&facts, (0, DAY_MS), ms);
            for (seat, shift) in &whole {
                assert_eq!(sum(shift), shift.signed_in_ms, "{seat}");
                let parts = halves.iter().filter_map(|half| half.get(seat));
                assert_eq!(parts.clone().map(|shift| shift.signed_in_ms).sum::<u64>(), shift.signed_in_ms);
                assert!(parts.clone().all(|shift| sum(shift) == shift.signed_in_ms));
            }
        }
    }
}
