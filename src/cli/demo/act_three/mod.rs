//! The third act: callers help themselves. The sample's self-service is switched on while the engine runs; one
//! caller leaves a matter by keys and a message, writes down the number and the code that are read out, and two
//! others ask by them how far it is, one of them with a wrong code.

mod books;
mod programme;
mod proof;
mod scenes;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use super::cast::{CALLERS_FROM, Desk, voice};
use super::closing::{Closings, Step};
use super::dictation::Dictation;
use super::services::Plans;
use super::show::{Broken, Show};
use crate::cli::handset::say;
use crate::id::{CallId, PromptId};
use crate::io::packets::PartyKey;
use crate::io::store::{LedgerRow, Reader};
use crate::phone::{Phone, PhoneEvent};
use crate::routing::Plan;
use crate::routing::plan::LineMode;
use crate::time::{Agenda, Instant, Timestamp};
use proof::Verdict;
use scenes::Errand;
use visit::Visit;

/// The changed plan is in force by then.
const SWITCH_MAX: Duration = Duration::from_secs(15);
/// A clerk's hand needs so long to reach the telephone.
const REACH: Duration = Duration::from_millis(500);
/// Between two looks at what is heard.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Entries of the ledger that are looked at.
const LEDGER_MAX: usize = 50;
/// What a telephone says that is not to ring.
const BUSY: u16 = 486;

/// What came of the act.
pub struct Outcome {
    /// Calls that were made.
    pub calls: usize,
    /// Calls in which something was missing.
    pub faulty: usize,
}

/// What a caller has written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The ticket's number.
    pub ticket: String,
    /// Its pick-up code (提取码).
    pub code: String,
}

/// Plays the act, where the operator's plan lets it.
pub fn play(show: &mut Show<'_>, plans: &Plans, at: Timestamp) -> Result<Outcome, Broken> {
    programme::heading();
    let plan = match &plans.outcome {
        Ok(plan) if plan.recording.enabled => plan,
        Ok(_) => {
            programme::left_out("本方案不录音，不能留言 / nothing is recorded, so no message can be left");
            return Ok(Outcome { calls: 0, faulty: 0 });
        }
        Err(why) => {
            programme::left_out(why);
            return Ok(Outcome { calls: 0, faulty: 0 });
        }
    };
    let Some(changes) = switch(show, plans)? else {
        say("  ✗ 改动的方案没有启用 / the changed plan did not come into force");
        return Ok(Outcome { calls: 0, faulty: 1 });
    };
    programme::switched_on(changes);
    let mut act = Act::new(show, plan, at);
    act.run()?;
    Ok(Outcome { calls: act.visits.len(), faulty: act.faulty })
}

/// The engine reads the changed plan; gives how many changes its ledger then tells of, `None` if it does not.
fn switch(show: &mut Show<'_>, plans: &Plans) -> Result<Option<usize>, Broken> {
    let told = |reader: &Reader| reader.ledger(None, LEDGER_MAX).map(|rows| latest_plan(&rows));
    let before = told(&show.reader)?;
    plans.switch()?;
    let mut asked = false;
    let mut changes = None;
    show.until(SWITCH_MAX, |reader, engine| {
        if !std::mem::replace(&mut asked, true) && engine.reload().is_err() {
            return true;
        }
        changes = told(reader).ok().flatten().filter(|told| Some(told.0) != before.map(|before| before.0));
        changes.is_some()
    })?;
    Ok(changes.map(|(_, changes)| changes))
}

/// Of the last plan that took over: its entry's number in the ledger, and how many changes it tells of.
fn latest_plan(rows: &[LedgerRow]) -> Option<(u64, usize)> {
    let plan = |row: &LedgerRow| {
        let entry: serde_json::Value = serde_json::from_str(&row.json).ok()?;
        let action = &entry["action"];
        let changes = action["of"]["changes"].as_array().map_or(0, Vec::len);
        (action["kind"] == "plan_changed").then_some((row.number, changes))
    };
    rows.iter().filter_map(plan).max()
}

struct Act<'s, 'a> {
    show: &'s mut Show<'a>,
    plan: &'s Plan,
    at: Timestamp,
    /// The number that is dialled.
    line: String,
    dictation: Arc<Dictation>,
    visits: Vec<Visit>,
    closings: Closings<Verdict>,
    /// Clerks whose hands are on the way to their telephones.
    answers: Agenda<usize>,
    look_at: Instant,
    faulty: usize,
}

impl<'s, 'a> Act<'s, 'a> {
    fn new(show: &'s mut Show<'a>, plan: &'s Plan, at: Timestamp) -> Self {
        // The second act's callers have the numbers between.
        let already = show.callers.len() as u32 + 10;
        let visit = |(place, errand): (u32, Errand)| {
            Visit::new(errand, format!("138{:08}", 1_000 + place), voice(CALLERS_FROM, place))
        };
        let visits: Vec<Visit> = (already..).zip(Errand::ALL).map(visit).collect();
        let main = plan.lines.values().find(|line| matches!(line.mode, LineMode::Primary { .. }));
        let now = show.mover.now().mono;
        Act {
            plan,
            at,
            line: main.map_or_else(String::new, |line| line.number.to_string()),
            dictation: Arc::new(Dictation::of(plan, proof::WORDS)),
            closings: Closings::of(visits.len()),
            visits,
            answers: Agenda::default(),
            look_at: now,
            faulty: 0,
            show,
        }
    }

    fn run(&mut self) -> Result<(), Broken> {
        while !self.closings.are_done() {
            self.turn()?;
            self.begin();
            while let Some(place) = self.answers.take_due(self.show.mover.now().mono) {
                self.show.mover.order(self.show.clerks[place].phone, Phone::answer);
            }
            self.go_on();
            for place in 0..self.visits.len() {
                self.close_books(place)?;
            }
            let visits = &self.visits;
            self.closings.show(|place| &visits[place].lines);
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<(), Broken> {
        for (phone, event) in self.show.events()? {
            if let Some(place) = self.show.clerks.iter().position(|clerk| clerk.phone == phone) {
                self.clerk_told(place, event);
            } else if let Some(visit) = self.visits.iter_mut().find(|visit| visit.phone == Some(phone)) {
                visit.told(&event);
            }
        }
        Ok(())
    }

    fn clerk_told(&mut self, place: usize, event: PhoneEvent) {
        let PhoneEvent::IncomingCall { from, headers, .. } = &event else {
            return self.show.clerk_told(place, event);
        };
        let now = self.show.mover.now().mono;
        let call = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("X-Hotline-Call"));
        let call = call.and_then(|(_, text)| CallId::parse(text.trim()));
        match self.visits.iter_mut().find(|visit| from.contains(&visit.number)) {
            Some(visit) => {
                (visit.clerk, visit.call) = (Some(place), call);
                self.answers.set(&place, Some(now + REACH));
            }
            None => {
                let phone: PartyKey = self.show.clerks[place].phone;
                self.show.mover.order(phone, |phone, now| phone.reject(BUSY, now));
            }
        }
    }

    /// Who leaves a matter dials first; who asks for it, once its number and its code were read out.
    fn begin(&mut self) {
        let noted = self.visits[0].noted.clone();
        let hopeless = self.visits[0].is_over() && noted.is_none();
        for place in 0..self.visits.len() {
            let visit = &mut self.visits[place];
            if visit.phone.is_some() || visit.ended {
                continue;
            }
            let (errand, number) = (visit.errand, visit.number.clone());
            let asks = errand != Errand::Order;
            if asks && noted.is_none() && !hopeless {
                continue;
            }
            visit.lines.push(programme::visit(place + 1, errand.title(), visit.voice));
            if asks && noted.is_none() {
                visit.give_up("没有可查的工单 / there is no ticket to ask for".to_owned());
                continue;
            }
            let steps = errand.steps(&self.line, noted.as_ref());
            match self.show.plug_in(&number) {
                Ok(phone) => self.visits[place].begin(phone, steps),
                Err(error) => self.visits[place].give_up(error.to_string()),
            }
        }
    }

    fn go_on(&mut self) {
        let now = self.show.mover.now().mono;
        let look = now >= self.look_at;
        if look {
            self.look_at = now + LOOK_EVERY;
        }
        let (mover, clerks) = (&mut self.show.mover, &self.show.clerks);
        for visit in &mut self.visits {
            visit.go_on(self.plan, &self.dictation, mover, clerks, look);
        }
    }

    /// Of a call that is over: what was kept goes to be judged, late or not; then it is shown.
    fn close_books(&mut self, place: usize) -> Result<(), Broken> {
        let now = self.show.mover.now().mono;
        match self.closings.advance(place, self.visits[place].is_over(), now)? {
            Step::Wait => {}
            Step::Look { late } => {
                let case = self.case(place)?;
                if case.is_whole() || late {
                    self.closings.judged(place, proof::start(case)?);
                }
            }
            Step::Verdict(verdict) => {
                self.faulty += usize::from(!verdict.faults.is_empty());
                self.visits[place].lines.extend(programme::kept(&verdict));
            }
        }
        Ok(())
    }

    /// The seat of who answered.
    fn seat_of(&self, visit: &Visit) -> Option<crate::id::SeatId> {
        match &self.show.clerks.get(visit.clerk?)?.desk {
            Desk::Seat(seat) => Some(seat.clone()),
            Desk::SubCenter(_) => None,
        }
    }
}

/// What a prompt sounds like; nothing where the plan has none of that name.
fn sound(plan: &Plan, prompt: &PromptId) -> Vec<i16> {
    plan.prompts.get(prompt).map_or_else(Vec::new, |prompt| prompt.samples.to_vec())
}
