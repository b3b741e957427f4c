//! Whom a caller who presses nothing comes to: a person, a ticket, or nobody.
//!
//! What only the call will know (who calls, what a look-up says) is taken every way it can go. A key never makes
//! it worse: whoever presses [`PERSON_KEY`](super::super::script::PERSON_KEY) goes on behind the flow at once, and what a
//! caller chose is the caller's own.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::id::{QueueId, ScriptId};
use crate::routing::diagnostic::Text;
use crate::routing::hours::Hours;
use crate::routing::plan::{Line, Plan, Seat, Step};
use crate::routing::script::{ACTS_TAKEN_MAX, Act, Branch, Condition};
use crate::routing::transition::Phase;
use crate::time::Timestamp;

/// Whom a caller comes to, the worst way it can go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Somebody who can answer; where nobody is signed in, a ticket.
    Person,
    /// None of this queue's seats is on shift, and there is a ticket; who signs in all the same answers.
    OffShift(QueueId),
    /// A ticket, and no person.
    Ticket,
    /// Neither.
    Nobody(Why),
}

/// Why nobody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The call is refused with this SIP status.
    Refused(u16),
    /// A flow hangs up on the caller.
    HungUp(ScriptId),
    /// What the call does comes to its end.
    Ends,
}

impl Why {
    /// In words.
    pub fn words(&self) -> Text {
        match self {
            Why::Refused(status) => {
                Text::new(format!("来电被拒绝 ({status})"), format!("the call is refused ({status})"))
            }
            Why::HungUp(script) => Text::new(
                format!("流程 \"{script}\" 挂断了什么也没按的来电人"),
                format!("the flow \"{script}\" hangs up on a caller who presses nothing"),
            ),
            Why::Ends => Text::new(
                "既没有人也没有工单，通话就结束了",
                "the call ends with neither a person nor a ticket",
            ),
        }
    }
}

/// How a condition stands before there is a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// For every call to the line at this instant.
    Always,
    /// For some of them.
    Perhaps,
    /// For none.
    Never,
}

/// What a flow can do to a caller who presses nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ends {
    /// It comes to its end, or to its person, and the call goes on behind it.
    on: bool,
    /// The same with a ticket opened.
    on_with_ticket: bool,
    /// The caller waits for a seat.
    person: bool,
    /// The same where no seat is on shift.
    off_shift: BTreeSet<QueueId>,
    /// It ends, with a ticket.
    ticket: bool,
    /// It ends with nothing.
    nobody: BTreeSet<Why>,
}

/// One look at the flows, for a line at an instant.
struct Walk<'a> {
    plan: &'a Plan,
    line: &'a Line,
    at: Timestamp,
    known: BTreeMap<(&'a ScriptId, bool), Ends>,
}

impl Plan {
    /// Whom a caller of `line` who presses nothing comes to at `at`, the worst way it can go.
    pub fn outcome(&self, line: &Line, at: Timestamp) -> Outcome {
        if let [Step::Refuse { status }] = self.flow(line, at).steps[..] {
            return Outcome::Nobody(Why::Refused(status)); // By its day, too.
        }
        self.outcome_in(line, at, self.phase_of(line, at))
    }

    /// The same at an hour like that of `at`, but in this phase of the transition.
    pub(super) fn outcome_in(&self, line: &Line, at: Timestamp, phase: Phase) -> Outcome {
        let mut walk = Walk { plan: self, line, at, known: BTreeMap::new() };
        let mut worst: Option<Outcome> = None;
        let mut ticket = false;
        for step in &self.flow_in(line, at, phase).steps {
            match step {
                Step::Queue(queue) if self.is_on_shift(queue, at) => return worse(worst, Outcome::Person),
                Step::Queue(queue) if self.is_served(queue) => {
                    return worse(worst, Outcome::OffShift(queue.clone()));
                }
                Step::Ticket { .. } => ticket = true,
                Step::Dial { ticket_on_failure, .. } => ticket |= ticket_on_failure,
                Step::Script(script) => {
                    let ends = walk.script(script, ticket, 0);
                    worst = ends.worst(worst);
                    if !ends.on && !ends.on_with_ticket {
                        return worst.unwrap_or(Outcome::Nobody(Why::Ends));
                    }
                    ticket |= !ends.on;
                }
                Step::Refuse { status } => return worse(worst, Outcome::Nobody(Why::Refused(*status))),
                Step::Ring
                | Step::PlayEarly(_)
                | Step::Answer
                | Step::Play(_)
                | Step::HotNotice(_)
                | Step::PlayForever(_)
                | Step::Silence
                | Step::Queue(_)
                | Step::Meet { .. }
                | Step::Watch { .. }
                | Step::Survey => {}
            }
        }
        worse(worst, if ticket { Outcome::Ticket } else { Outcome::Nobody(Why::Ends) })
    }

    /// Whether some seat takes callers of the queue.
    pub fn is_served(&self, queue: &QueueId) -> bool {
        self.seats_of(queue).next().is_some()
    }

    /// Whether such a seat has its shift at `at`.
    fn is_on_shift(&self, queue: &QueueId, at: Timestamp) -> bool {
        self.seats_of(queue).any(|seat| seat.hours.are_open(at, &self.city.time_zone))
    }

    /// The shifts of a queue's seats, each once; empty where one of them has none, and is always there.
    pub(super) fn shifts(&self, queue: &QueueId) -> Vec<&Hours> {
        let mut shifts: Vec<&Hours> = Vec::new();
        for seat in self.seats_of(queue) {
            if seat.hours.are_always() {
                return Vec::new();
            }
            if !shifts.contains(&&seat.hours) {
                shifts.push(&seat.hours);
            }
        }
        shifts
    }

    /// Seats that take callers of the queue.
    pub(super) fn seats_of(&self, queue: &QueueId) -> impl Iterator<Item = &Seat> {
        self.seats.values().filter(move |seat| seat.role.takes_callers() && seat.queues.contains(queue))
    }

    /// Whether a call to `line` at `at` fulfils all of `conditions`.
    pub(super) fn holds(&self, conditions: &[Condition], line: &Line, at: Timestamp) -> Holds {
        let one = |condition: &Condition| match condition.is_so(&self.city, &line.number, None, at) {
            Some(true) => Holds::Always,
            Some(false) => Holds::Never,
            None => Holds::Perhaps,
        };
        let mut all = Holds::Always;
        for condition in conditions {
            match one(condition) {
                Holds::Never => return Holds::Never,
                Holds::Perhaps => all = Holds::Perhaps,
                Holds::Always => {}
            }
        }
        all
    }
}

fn worse(one: Option<Outcome>, other: Outcome) -> Outcome {
    one.map_or(other.clone(), |one| one.max(other))
}

impl Ends {
    /// The worst of what ends the call here.
    fn worst(&self, before: Option<Outcome>) -> Option<Outcome> {
        let nobody = self.nobody.iter().map(|why| Outcome::Nobody(why.clone()));
        let person = self.person.then_some(Outcome::Person);
        let ticket = self.ticket.then_some(Outcome::Ticket);
        let off_shift = self.off_shift.iter().map(|queue| Outcome::OffShift(queue.clone()));
        nobody.chain(off_shift).chain(person).chain(ticket).chain(before).max()
    }

    fn take(&mut self, other: Ends) {
        self.on |= other.on;
        self.on_with_ticket |= other.on_with_ticket;
        self.person |= other.person;
        self.off_shift.extend(other.off_shift);
        self.ticket |= other.ticket;
        self.nobody.extend(other.nobody);
    }

    fn go_on(&mut self, ticket: bool) {
        if ticket {
            self.on_with_ticket = true;
        } else {
            self.on = true;
        }
    }
}

impl<'a> Walk<'a> {
    /// `depth`: flows that the call came through. The engine takes no more acts than [`ACTS_TAKEN_MAX`], and
    /// then there is a person: so is it for who goes in circles.
    fn script(&mut self, id: &'a ScriptId, ticket: bool, depth: u16) -> Ends {
        let mut ends = Ends::default();
        let Some(script) = self.plan.scripts.get(id).filter(|_| depth < ACTS_TAKEN_MAX) else {
            ends.go_on(ticket);
            return ends;
        };
        if let Some(known) = self.known.get(&(id, ticket)) {
            return known.clone();
        }
        let mut circle = Ends::default();
        circle.go_on(ticket);
        self.known.insert((id, ticket), circle); // Whoever comes back meanwhile goes in a circle.
        let mut with = ticket;
        let mut comes_through = true;
        for act in &script.acts {
            if !self.act(act, id, &mut with, depth, &mut ends) {
                comes_through = false;
                break;
            }
        }
        if comes_through {
            ends.go_on(with);
        }
        self.known.insert((id, ticket), ends.clone());
        ends
    }

    /// Whether the caller comes to what stands behind the act.
    fn act(&mut self, act: &'a Act, id: &ScriptId, ticket: &mut bool, depth: u16, ends: &mut Ends) -> bool {
        match act {
            Act::Play(_) | Act::Say(_) | Act::Survey => return true,
            // Nothing is pressed: a person, after the last try.
            Act::Menu(_) | Act::Collect(_) => ends.go_on(*ticket),
            // Silence is a message like another: what is kept goes by its time, and is a ticket in the end.
            Act::Message(_) if self.plan.recording.enabled => {
                *ticket = true;
                return true;
            }
            Act::Message(_) => ends.go_on(*ticket),
            // It may not be there; and who has talked with it goes on.
            Act::Bot(_) => {
                ends.go_on(*ticket);
                return true;
            }
            Act::Order(_) => {
                *ticket = true;
                return true;
            }
            Act::LookUp(look_up) => {
                match &look_up.failed {
                    Some(failed) => ends.take(self.script(failed, *ticket, depth + 1)),
                    None => ends.go_on(*ticket),
                }
                if let Some(missing) = &look_up.missing {
                    ends.take(self.script(missing, *ticket, depth + 1));
                }
                return true;
            }
            Act::Branch(branch) => return self.branch(branch, *ticket, depth, ends),
            Act::Queue(queue) if self.plan.is_on_shift(queue, self.at) => ends.person = true,
            Act::Queue(queue) if self.plan.is_served(queue) => drop(ends.off_shift.insert(queue.clone())),
            // A ticket follows each wait that leads to nobody.
            Act::Queue(_) => ends.ticket = true,
            Act::Transfer(transfer) => match &transfer.failed {
                Some(failed) => ends.take(self.script(failed, *ticket, depth + 1)),
                None => return true,
            },
            Act::Go(to) => ends.take(self.script(to, *ticket, depth + 1)),
            Act::HangUp if *ticket => ends.ticket = true,
            Act::HangUp => drop(ends.nobody.insert(Why::HungUp(id.clone()))),
        }
        false
    }

    fn branch(&mut self, branch: &'a Branch, ticket: bool, depth: u16, ends: &mut Ends) -> bool {
        for case in &branch.cases {
            let holds = self.plan.holds(&case.when, self.line, self.at);
            if holds != Holds::Never {
                ends.take(self.script(&case.to, ticket, depth + 1));
            }
            if holds == Holds::Always {
                return false;
            }
        }
        match &branch.otherwise {
            Some(otherwise) => {
                ends.take(self.script(otherwise, ticket, depth + 1));
                false
            }
            None => true,
        }
    }
}
