//! What callers need of a seat. Those who need the same are alike to all seats, so who may serve them and
//! who of them is next is kept once for all.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::acd::place::{Place, Standing};
use crate::id::{CallId, QueueId, SeatId};
use crate::routing::queueing::Known;
use crate::time::Instant;

use super::queue::Queue;
use super::seat::Seat;

/// Needs that nobody has now are kept up to so many: the next caller will have one of them.
const IDLE_MAX: usize = 128;

/// What a caller needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    pub(super) queue: QueueId,
    /// What the clerk must know, in order.
    pub(super) skills: Vec<Known>,
    /// This seat and no other.
    pub(super) only: Option<SeatId>,
}

/// Seats by their numbers, which a new plan gives anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SeatSet(Vec<u64>);

impl SeatSet {
    pub(super) fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    pub(super) fn set(&mut self, number: usize, is_in: bool) {
        let (word, bit) = (number / 64, 1 << (number % 64));
        if self.0.len() <= word && is_in {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word = if is_in { *word | bit } else { *word & !bit };
        }
    }
}

/// One need and who has it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) need: Need,
    /// What waiting is worth in its queue.
    pub(super) ageing: Option<Duration>,
    /// Who may be offered a seat now.
    pub(super) open: BTreeMap<Place, CallId>,
    /// All who have this need.
    pub(super) callers: u32,
    /// Seats that may serve it.
    pub(super) serving: SeatSet,
    /// Those of them where a clerk works.
    pub(super) working: u32,
}

/// All needs.
#[derive(Debug, Default)]
pub(super) struct Needs {
    rows: Vec<Row>,
    numbers: BTreeMap<Need, usize>,
    /// Rows that are no need's any more.
    spare: Vec<usize>,
}

impl Needs {
    /// A caller has this need: its row.
    pub(super) fn enter(
        &mut self,
        need: Need,
        seats: &BTreeMap<SeatId, Seat>,
        queue: Option<&Queue>,
    ) -> usize {
        let number = match self.numbers.get(&need) {
            Some(number) => *number,
            None => self.add(need, seats, queue),
        };
        self.rows[number].callers += 1;
        number
    }

    fn add(&mut self, need: Need, seats: &BTreeMap<SeatId, Seat>, queue: Option<&Queue>) -> usize {
        let (open, serving) = (BTreeMap::new(), SeatSet::default());
        let ageing = queue.and_then(|queue| queue.rules().ageing);
        let mut row = Row { need: need.clone(), ageing, open, callers: 0, serving, working: 0 };
        row.serve(seats, queue);
        let number = match self.spare.pop() {
            Some(number) => {
                self.rows[number] = row;
                number
            }
            None => {
                self.rows.push(row);
                self.rows.len() - 1
            }
        };
        self.numbers.insert(need, number);
        number
    }

    /// A caller has it no more.
    pub(super) fn exit(&mut self, number: usize, place: Place) {
        let row = &mut self.rows[number];
        row.open.remove(&place);
        row.callers -= 1;
        if row.callers == 0 && (row.need.only.is_some() || self.numbers.len() > IDLE_MAX) {
            row.serving = SeatSet::default();
            row.working = 0;
            self.numbers.remove(&row.need);
            self.spare.push(number);
        }
    }

    pub(super) fn row(&self, number: usize) -> &Row {
        &self.rows[number]
    }

    pub(super) fn row_mut(&mut self, number: usize) -> &mut Row {
        &mut self.rows[number]
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, &Row)> {
        self.rows.iter().enumerate()
    }

    /// A clerk works at this seat now, or not any more: the needs that have a clerk now, or none.
    pub(super) fn works(&mut self, seat: usize, works: bool) -> Vec<usize> {
        let mut turned = Vec::new();
        for (number, row) in self.rows.iter_mut().enumerate().filter(|(_, row)| row.serving.has(seat)) {
            row.working = if works { row.working + 1 } else { row.working.saturating_sub(1) };
            if row.working == u32::from(works) {
                turned.push(number);
            }
        }
        turned
    }

    /// Seats of this queue, or what they may serve, have changed: its rows.
    pub(super) fn serve_anew(
        &mut self,
        id: &QueueId,
        seats: &BTreeMap<SeatId, Seat>,
        queue: Option<&Queue>,
    ) -> Vec<usize> {
        let rows = self.rows.iter_mut().enumerate().filter(|(_, row)| row.need.queue == *id);
        rows.map(|(number, row)| {
            row.serve(seats, queue);
            number
        })
        .collect()
    }
}

impl Row {
    /// Who is next of those who have it.
    pub(super) fn head(&self, now: Instant) -> Option<(Standing, CallId)> {
        let (place, call) = self.open.first_key_value()?;
        Some((place.standing(self.ageing, now), *call))
    }

    fn serve(&mut self, seats: &BTreeMap<SeatId, Seat>, queue: Option<&Queue>) {
        (self.serving, self.working) = serving(&self.need, seats, queue);
    }
}

/// Seats that may serve a need, and at how many of them a clerk works.
pub(super) fn serving(need: &Need, seats: &BTreeMap<SeatId, Seat>, queue: Option<&Queue>) -> (SeatSet, u32) {
    let mut serving = SeatSet::default();
    let mut working = 0;
    let one = need.only.as_ref().map(|only| seats.get_key_value(only).into_iter());
    let all = one.is_none().then(|| seats.iter());
    for (_, seat) in one.into_iter().flatten().chain(all.into_iter().flatten()) {
        if queue.is_some_and(|queue| seat.serves(need, queue)) {
            serving.set(seat.number, true);
            working += u32::from(seat.state.is_working());
        }
    }
    (serving, working)
}

#[cfg(test)]
mod tests {
    use super::SeatSet;

    #[test]
    fn a_set_of_seats_holds_what_was_put_into_it() {
        let mut set = SeatSet::default();
        set.set(70, false);
        assert_eq!(set, SeatSet::default());
        set.set(70, true);
        set.set(3, true);
        assert!(set.has(70) && set.has(3) && !set.has(6) && !set.has(700));
        set.set(70, false);
        assert!(!set.has(70) && set.has(3));
    }
}
