//! How long it takes, and how many keys, until a caller waits for a clerk: the longest of all ways.
//!
//! Two callers are looked at. One presses nothing, or only wrong keys, and hears out whatever is said and asked:
//! that is the time which `[human_first]` bounds. The other does all that the flows offer and then still wants a
//! person: that one's time is told, and the keys are counted. Neither presses the key for a person, by which both
//! would be there at once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::hours::LeapYears;
use super::outcome::Holds;
use crate::id::{PromptId, ScriptId};
use crate::routing::plan::{Line, LineMode, Plan, Step};
use crate::routing::script::{ACTS_TAKEN_MAX, Act, Branch, Menu, Spoken, Target};
use crate::time::Timestamp;

/// Fragments of the longest value that is read out: a ticket's number, an amount of money, a date.
const FRAGMENTS_MAX: u32 = 20;

/// The longest way to a person, or as far as a caller has come on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Worst {
    /// Of a caller who presses nothing or only wrong keys; `None`: such a caller does not come so far.
    pub silent: Option<Duration>,
    /// Of a caller who does all that is offered.
    pub longest: Duration,
    /// Choices, and entries of digits, on the way with the most of them.
    pub presses: u32,
}

impl Worst {
    /// Nothing has gone by.
    const BEGUN: Worst = Worst { silent: Some(Duration::ZERO), longest: Duration::ZERO, presses: 0 };

    fn take(&mut self, other: Worst) {
        self.silent = self.silent.max(other.silent);
        self.longest = self.longest.max(other.longest);
        self.presses = self.presses.max(other.presses);
    }

    /// Both callers hear or wait for it.
    fn both(&mut self, length: Duration) {
        self.silent = self.silent.map(|silent| silent.saturating_add(length));
        self.longest = self.longest.saturating_add(length);
    }

    /// With what comes behind it.
    fn with(&self, rest: Worst) -> Worst {
        Worst {
            silent: self.silent.zip(rest.silent).map(|(own, rest)| own.saturating_add(rest)),
            longest: self.longest.saturating_add(rest.longest),
            presses: self.presses.saturating_add(rest.presses),
        }
    }
}

struct Walk<'a> {
    plan: &'a Plan,
    line: &'a Line,
    at: Timestamp,
    known: BTreeMap<&'a ScriptId, Option<Worst>>,
}

impl Plan {
    /// The longest way of `line`'s callers to a person, at whatever instant it is longest; `None`: nobody ever
    /// comes to one.
    pub fn worst(&self, line: &Line) -> Option<Worst> {
        self.worst_of(line, &mut LeapYears::default())
    }

    /// The same, where other lines are looked at as well.
    pub fn worst_of<'a>(&'a self, line: &'a Line, years: &mut LeapYears<'a>) -> Option<Worst> {
        let mut worst: Option<Worst> = None;
        for at in self.instants(line, years) {
            if let Some(found) = self.worst_at(line, at) {
                worst.get_or_insert_default().take(found);
            }
        }
        worst
    }

    /// One instant of each kind that the line knows: hours, and the phases of a transition.
    fn instants<'a>(&'a self, line: &'a Line, years: &mut LeapYears<'a>) -> Vec<Timestamp> {
        let mut instants: Vec<Timestamp> = years.states(self, line).iter().map(|state| state.at).collect();
        if let LineMode::Merged { .. } = line.mode
            && let Some(window) = self.transition_of(line).window(&self.city.time_zone)
        {
            instants.extend([window.start, window.end]);
        }
        instants
    }

    fn worst_at(&self, line: &Line, at: Timestamp) -> Option<Worst> {
        let mut walk = Walk { plan: self, line, at, known: BTreeMap::new() };
        let mut gone = Worst::BEGUN;
        let mut worst: Option<Worst> = None;
        for step in &self.flow(line, at).steps {
            match step {
                Step::PlayEarly(prompt) | Step::Play(prompt) => gone.both(self.length(prompt)),
                Step::Answer => gone.both(self.limits.durable_wait),
                Step::Script(script) => {
                    // What it costs to come through, or to a person that it leads to itself; nobody comes further
                    // than a flow whose ways all end otherwise.
                    let Some(through) = walk.script(script, 0) else { break };
                    gone = gone.with(through);
                }
                Step::Dial { peer, failure_prompt, .. } => {
                    let words = failure_prompt.as_ref().map(|prompt| self.length(prompt));
                    gone.both(peer.ring + words.unwrap_or_default());
                }
                Step::Queue(_) => {
                    worst.get_or_insert_default().take(gone);
                    break;
                }
                Step::Refuse { .. } => break,
                // The plan has no notices: the house puts them in, and a key ends them.
                Step::HotNotice(_)
                | Step::Ring
                | Step::PlayForever(_)
                | Step::Silence
                | Step::Meet { .. }
                | Step::Watch { .. }
                | Step::Ticket { .. }
                | Step::Survey => {}
            }
        }
        worst
    }

    /// The longest value that is read out.
    fn spoken_value(&self) -> Duration {
        let digits = (0..10).map(|digit| PromptId::from(format!("digit_{digit}").as_str()));
        digits.map(|digit| self.length(&digit)).max().unwrap_or_default() * FRAGMENTS_MAX
    }
}

impl<'a> Walk<'a> {
    /// Until a person, or until the flow is over and there is one; `None`: all its ways end otherwise.
    fn script(&mut self, id: &'a ScriptId, depth: u16) -> Option<Worst> {
        let Some(script) = self.plan.scripts.get(id).filter(|_| depth < ACTS_TAKEN_MAX) else {
            return Some(Worst::BEGUN); // The engine goes no further: a person.
        };
        if let Some(known) = self.known.get(id) {
            return *known;
        }
        // A circle has no longest way, and an error of its own: whoever is in one is let out of it in the end.
        self.known.insert(id, Some(Worst::BEGUN));
        let mut gone = Worst::BEGUN;
        let mut worst: Option<Worst> = None;
        let mut comes_through = true;
        for act in &script.acts {
            if !self.act(act, depth, &mut gone, &mut worst) {
                comes_through = false;
                break;
            }
        }
        if comes_through {
            worst.get_or_insert_default().take(gone);
        }
        self.known.insert(id, worst);
        worst
    }

    /// Goes on in another flow.
    fn lead(&mut self, to: &'a ScriptId, depth: u16, gone: &Worst, worst: &mut Option<Worst>) {
        if let Some(rest) = self.script(to, depth + 1) {
            worst.get_or_insert_default().take(gone.with(rest));
        }
    }

    /// Whether what stands behind the act is come to.
    fn act(&mut self, act: &'a Act, depth: u16, gone: &mut Worst, worst: &mut Option<Worst>) -> bool {
        let plan = self.plan;
        match act {
            Act::Play(prompt) => gone.both(plan.length(prompt)),
            Act::Say(spoken) => gone.both(spoken.iter().map(|one| self.spoken(one)).sum()),
            Act::Menu(menu) => {
                self.menu(menu, depth, gone, worst);
                return false;
            }
            Act::Collect(collect) => {
                let question = plan.length(&collect.prompt) + self.wrong();
                let tries = u32::from(collect.tries);
                self.stuck(gone, (question + collect.wait) * tries, worst);
                let digits = collect.wait * u32::from(collect.most.max(1));
                gone.longest = gone.longest.saturating_add((question + digits) * tries);
                gone.silent = None;
                gone.presses += 1;
            }
            Act::Message(message) => {
                let one = plan.length(&message.prompt) + message.most;
                self.stuck(gone, one * u32::from(message.tries), worst);
                gone.longest = gone.longest.saturating_add(one * u32::from(message.tries));
                gone.silent = None;
            }
            Act::LookUp(look_up) => {
                let timeout = plan.look_ups.get(&look_up.source).map_or(Duration::ZERO, |own| own.timeout);
                gone.both(timeout);
                match &look_up.failed {
                    Some(failed) => self.lead(failed, depth, gone, worst),
                    None => worst.get_or_insert_default().take(*gone),
                }
                if let Some(missing) = &look_up.missing {
                    self.lead(missing, depth, gone, worst);
                }
            }
            Act::Order(order) => {
                let words = std::iter::once(&order.prompt).chain(&order.code_prompt);
                gone.both(words.map(|prompt| plan.length(prompt) + plan.spoken_value()).sum());
            }
            Act::Branch(branch) => return self.branch(branch, depth, gone, worst),
            Act::Transfer(transfer) => {
                gone.both(match &transfer.to {
                    Target::Peer(peer) => peer.ring,
                    Target::Value(_) => plan.calling.as_ref().map_or(Duration::ZERO, |calling| calling.ring),
                });
                if let Some(failed) = &transfer.failed {
                    self.lead(failed, depth, gone, worst);
                    return false;
                }
            }
            Act::Bot(bot) => {
                // It is waited for, and then talks as long as it may; whatever goes wrong meanwhile is a person sooner.
                gone.both(plan.bots.get(bot).map_or(Duration::ZERO, |bot| bot.connect + bot.most));
                worst.get_or_insert_default().take(*gone);
            }
            Act::Survey => {
                let question = plan.length(&PromptId::from("survey")) + plan.survey.wait;
                gone.both(question * u32::from(plan.survey.tries));
            }
            Act::Queue(_) => {
                worst.get_or_insert_default().take(*gone);
                return false;
            }
            Act::Go(to) => {
                self.lead(to, depth, gone, worst);
                return false;
            }
            Act::HangUp => return false,
        }
        true
    }

    /// After the last try there is a person.
    fn stuck(&self, gone: &Worst, tries: Duration, worst: &mut Option<Worst>) {
        let mut gone = *gone;
        gone.both(tries);
        worst.get_or_insert_default().take(gone);
    }

    /// The question as often as it is put; a key at the last moment of the last time.
    fn menu(&mut self, menu: &'a Menu, depth: u16, gone: &Worst, worst: &mut Option<Worst>) {
        let tries = (self.plan.length(&menu.prompt) + self.wrong() + menu.wait) * u32::from(menu.tries);
        self.stuck(gone, tries, worst);
        let chosen = Worst {
            silent: None,
            longest: gone.longest.saturating_add(tries),
            presses: gone.presses.saturating_add(1),
        };
        for to in menu.keys.values() {
            self.lead(to, depth, &chosen, worst);
        }
    }

    fn branch(&mut self, branch: &'a Branch, depth: u16, gone: &Worst, worst: &mut Option<Worst>) -> bool {
        for case in &branch.cases {
            let holds = self.plan.holds(&case.when, self.line, self.at);
            if holds != Holds::Never {
                self.lead(&case.to, depth, gone, worst);
            }
            if holds == Holds::Always {
                return false;
            }
        }
        match &branch.otherwise {
            Some(otherwise) => {
                self.lead(otherwise, depth, gone, worst);
                false
            }
            None => true,
        }
    }

    fn spoken(&self, spoken: &Spoken) -> Duration {
        match spoken {
            Spoken::Prompt(prompt) => self.plan.length(prompt),
            Spoken::Value { .. } => self.plan.spoken_value(),
            Spoken::Choice { prompts, otherwise, .. } => {
                let all = prompts.values().chain(otherwise);
                all.map(|prompt| self.plan.length(prompt)).max().unwrap_or_default()
            }
        }
    }

    /// "That is no key of these", where there is such a prompt.
    fn wrong(&self) -> Duration {
        self.plan.length(&PromptId::from("wrong_key"))
    }
}
