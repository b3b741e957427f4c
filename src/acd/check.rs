//! What must hold between two inputs, whatever came in: for tests, the simulator and debug builds.

use std::collections::BTreeSet;

use crate::acd::event::SeatState;
use crate::id::{CallId, SeatId};

use super::acd::{Acd, Wake};
use super::need::serving;
use super::queue::Queue;
use super::seat::Seat;
use super::talk::EARLIER_MAX;
use super::waiting::{Presence, Stage, Waiting};

fn must(holds: bool, fault: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(fault()) }
}

impl Acd {
    /// Compares everything that is kept with what it is kept of. The first thing that is not as it must be.
    pub fn check(&self) -> Result<(), String> {
        self.check_lines()?;
        self.check_needs()?;
        for (call, waiting) in &self.waiting {
            let queue = self.queues.get(&waiting.queue).ok_or_else(|| format!("{call} waits nowhere"))?;
            self.check_caller(*call, waiting, queue)?;
        }
        for (id, seat) in &self.seats {
            self.check_seat(id, seat)?;
        }
        self.check_talks()?;
        must(self.orphans.is_empty(), || "somebody is bound to a seat that works no more".into())?;
        must(self.earlier.len() <= EARLIER_MAX, || "too many earlier places".into())
    }

    fn check_lines(&self) -> Result<(), String> {
        let mut standing = 0;
        for (id, queue) in &self.queues {
            standing += queue.line.len();
            let in_order = queue.line.iter().zip(queue.line.iter().skip(1)).all(|(a, b)| a.0 < b.0);
            must(in_order, || format!("{id} is out of order"))?;
            for (place, call) in &queue.line {
                let there = self.waiting.get(call);
                let there = there.is_some_and(|waiting| waiting.place == *place && waiting.queue == *id);
                must(there, || format!("{call} is not where {id} has it"))?;
            }
            must(queue.is_crowded() == queue.surging, || format!("{id}: its surge is not as it must be"))?;
        }
        must(standing == self.waiting.len(), || "somebody waits in no line, or in two".into())
    }

    fn check_needs(&self) -> Result<(), String> {
        for (number, row) in self.needs.rows() {
            let need = &row.need;
            let having = self.waiting.values().filter(|waiting| waiting.need == number).count();
            must(having == row.callers as usize, || {
                format!("{having} and not {} need {need:?}", row.callers)
            })?;
            for (place, call) in &row.open {
                let waiting = self.waiting.get(call);
                let is = |waiting: &Waiting| {
                    waiting.place == *place && waiting.need == number && waiting.is_open()
                };
                must(waiting.is_some_and(is), || format!("{call} is not open for {need:?}"))?;
            }
            if row.callers == 0 {
                continue; // Kept for the next, or nobody's any more.
            }
            let (seats, working) = serving(need, &self.seats, self.queues.get(&need.queue));
            let same = self.seats.values().all(|seat| seats.has(seat.number) == row.serving.has(seat.number));
            must(same && working == row.working, || format!("others serve {need:?} than is thought"))?;
            for free in self.ready.values() {
                let beside = row.serving.has(free.number) && !row.open.is_empty();
                must(!beside, || format!("somebody waits for {need:?} although {} is free", free.seat))?;
            }
        }
        Ok(())
    }

    fn check_caller(&self, call: CallId, waiting: &Waiting, queue: &Queue) -> Result<(), String> {
        let row = self.needs.row(waiting.need);
        must(row.need == waiting.need(queue), || format!("{call} needs {:?}", waiting.need(queue)))?;
        must(row.ageing == queue.rules().ageing, || format!("{call}: what its wait is worth"))?;
        must(waiting.place == waiting.rank.place(queue.rules().ageing), || format!("{call}: its place"))?;
        must(row.open.contains_key(&waiting.place) == waiting.is_open(), || format!("{call}: open or not"))?;
        let due = self.agenda.due(&Wake::Caller(call));
        must(due == queue.next_for(waiting), || format!("{call} is woken at {due:?}"))?;
        if let Presence::Here { unstaffed_since, .. } = waiting.presence {
            let staffed = row.working > 0;
            must(staffed == unstaffed_since.is_none(), || format!("{call}: its prospects"))?;
        }
        must(waiting.bound.is_none() || row.working > 0, || format!("{call} waits for who is gone"))?;
        let ringing: BTreeSet<&SeatId> = waiting.stage.ringing().iter().collect();
        must(ringing.len() == waiting.stage.ringing().len(), || format!("a seat rings twice for {call}"))?;
        must(ringing.iter().all(|seat| self.rings(call, seat)), || format!("{ringing:?} for {call}"))?;
        must(!self.transfers.contains_key(&call), || format!("{call} waits and is put through"))?;
        let with_somebody = self.talks.contains_key(&call);
        match &waiting.stage {
            Stage::Ringing { seats, .. } => must(!seats.is_empty(), || format!("nothing rings for {call}"))?,
            Stage::PickedUp { by, ringing } => {
                let talks = by.as_ref().is_none_or(|by| self.talks_with(call, by));
                must(talks, || format!("{call}: {by:?} has picked up and does not talk"))?;
                let waits_for = waiting.is_kept() || (by.is_some() && !ringing.is_empty());
                must(waits_for, || format!("{call} keeps a place for nothing"))?;
            }
            Stage::PassedOver { .. } => must(waiting.is_kept(), || format!("{call} is passed over"))?,
            Stage::Open => {}
        }
        let may = waiting.is_kept() || matches!(waiting.stage, Stage::PickedUp { .. });
        must(may || !with_somebody, || format!("{call} waits and talks"))
    }

    fn talks_with(&self, call: CallId, seat: &SeatId) -> bool {
        self.talks.get(&call).is_some_and(|talks| talks.iter().any(|talk| talk.seat == *seat))
    }

    fn check_seat(&self, id: &SeatId, seat: &Seat) -> Result<(), String> {
        let due = self.agenda.due(&Wake::Seat(id.clone()));
        must(due == seat.state.ends_at(), || format!("{id} is woken at {due:?}"))?;
        let is_there = seat.registered && !seat.dropped;
        match &seat.state {
            SeatState::Ready { since } => {
                let free = self.ready.get(&(*since, seat.number));
                let same = free.is_some_and(|free| {
                    (free.number, free.order, free.talks) == (seat.number, seat.order, seat.talks)
                });
                must(same, || format!("{id} is free and not known so"))?;
                let may = is_there && seat.absence.is_none() && !self.own_calls.contains_key(id);
                must(may, || format!("{id} must not be free"))
            }
            SeatState::Offered { call, .. } => {
                let transfer = self.transfers.get(call).is_some_and(|transfer| transfer.seat == *id);
                let waiting = self.waiting.get(call);
                let waiting = waiting.is_some_and(|waiting| waiting.stage.ringing().contains(id));
                must(is_there && (transfer || waiting), || format!("{id} rings for {call}, who is not told"))
            }
            SeatState::Talking { call, .. } => {
                must(self.talks_with(*call, id), || format!("{id} talks with {call}, who does not"))
            }
            SeatState::WrapUp { .. } | SeatState::Away { .. } => {
                must(is_there, || format!("{id} is not signed out"))
            }
            SeatState::SignedOut => must(!is_there, || format!("{id} is signed out")),
        }
    }

    fn check_talks(&self) -> Result<(), String> {
        let ready = self.seats.values().filter(|seat| matches!(seat.state, SeatState::Ready { .. })).count();
        must(ready == self.ready.len(), || "seats are thought to be free".into())?;
        let numbers: BTreeSet<usize> = self.seats.values().map(|seat| seat.number).collect();
        must(numbers.len() == self.seats.len(), || "two seats have one number".into())?;
        for (call, transfer) in &self.transfers {
            must(self.rings(*call, &transfer.seat), || format!("{call} is put through to nobody"))?;
        }
        for (call, talks) in &self.talks {
            must(!talks.is_empty(), || format!("{call} talks with nobody"))?;
            for talk in talks {
                let state = self.seat(&talk.seat);
                let with = matches!(state, Some(SeatState::Talking { call: with, .. }) if with == call);
                must(with, || format!("{call} talks with {}, who does not", talk.seat))?;
            }
        }
        Ok(())
    }
}
