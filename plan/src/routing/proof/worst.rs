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
use crate::id::{PromptId, QueueId, ScriptId};
use crate::routing::flow::Flow;
use crate::routing::plan::{Line, Plan, Step};
use crate::routing::script::{ACTS_TAKEN_MAX, Act, Branch, Collect, Menu, Message, Spoken, Target};
use crate::routing::transition::Phase;
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
    /// Of the latter caller, until the last seat that is rung has answered, or the queue lets the caller wait no
    /// more; `None`: no way leads to a queue.
    pub served: Option<Duration>,
}

impl Worst {
    /// Nothing has gone by.
    const BEGUN: Worst =
        Worst { silent: Some(Duration::ZERO), longest: Duration::ZERO, presses: 0, served: None };

    fn take(&mut self, other: Worst) {
        self.silent = self.silent.max(other.silent);
        self.longest = self.longest.max(other.longest);
        self.presses = self.presses.max(other.presses);
        self.served = self.served.max(other.served);
    }

    /// The same of callers who are some of all: where most do not come so far, nothing is made up for by these.
    fn take_known(&mut self, other: Worst) {
        self.take(Worst {
            silent: other.silent.filter(|_| self.silent.is_some()),
            served: other.served.filter(|_| self.served.is_some()),
            ..other
        });
    }

    /// Both callers hear or wait for it.
    fn both(&mut self, length: Duration) {
        self.silent = self.silent.map(|silent| silent.saturating_add(length));
        self.longest = self.longest.saturating_add(length);
    }

    /// What one who presses nothing hears or waits for, and what the other does.
    fn each(&mut self, silent: Duration, longest: Duration) {
        self.silent = self.silent.map(|own| own.saturating_add(silent));
        self.longest = self.longest.saturating_add(longest);
    }

    /// With what comes behind it.
    fn with(&self, rest: Worst) -> Worst {
        Worst {
            silent: self.silent.zip(rest.silent).map(|(own, rest)| own.saturating_add(rest)),
            longest: self.longest.saturating_add(rest.longest),
            presses: self.presses.saturating_add(rest.presses),
            served: rest.served.map(|served| self.longest.saturating_add(served)),
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
    /// The longest way of `line`'s callers to a person, at whatever hour and in whatever phase of its transition it
    /// is longest; `None`: nobody ever comes to one.
    pub fn worst(&self, line: &Line) -> Option<Worst> {
        self.worst_of(line, &mut LeapYears::default())
    }

    /// The same, where other lines are looked at as well.
    pub fn worst_of<'a>(&'a self, line: &'a Line, years: &mut LeapYears<'a>) -> Option<Worst> {
        let mut worst: Option<Worst> = None;
        let phases = self.phases(line);
        for state in years.states(self, line) {
            for found in phases.iter().filter_map(|phase| self.worst_in(line, state.at, *phase)) {
                worst.get_or_insert_default().take(found);
            }
        }
        worst
    }

    fn worst_in(&self, line: &Line, at: Timestamp, phase: Phase) -> Option<Worst> {
        let usual = self.flow_in(line, at, phase);
        let mut in_surge = usual.clone();
        in_surge.greet_in_surge(self);
        let mut worst = self.worst_by(line, at, &usual);
        if let Some(other) = self.worst_by(line, at, &in_surge).filter(|_| in_surge != usual) {
            worst.get_or_insert_default().take(other);
        }
        if self.may_go_straight(line)
            && let Some(worst) = &mut worst
        {
            let mut straight = usual.clone();
            straight.go_straight(self);
            let other = self.worst_by(line, at, &straight).filter(|_| straight != usual);
            other.into_iter().for_each(|other| worst.take_known(other));
        }
        worst
    }

    /// Whether some callers of `line` hear the notice of the recording, if any, in place of the words in front: by a lane,
    /// or from an emergency center, whose trunk may bring a call to any line.
    pub(in super::super) fn may_go_straight(&self, line: &Line) -> bool {
        let mut lanes = self.callers.lanes.iter().filter(|lane| lane.straight);
        self.trunks.values().any(|trunk| trunk.emergency_center)
            || lanes.any(|lane| {
                lane.lines.contains(&line.number) || !lane.trunks.is_empty() || !lane.callers.is_empty()
            })
    }

    fn worst_by(&self, line: &Line, at: Timestamp, flow: &Flow) -> Option<Worst> {
        let mut walk = Walk { plan: self, line, at, known: BTreeMap::new() };
        let mut gone = Worst::BEGUN;
        let mut worst: Option<Worst> = None;
        for step in &flow.steps {
            match step {
                Step::PlayEarly(prompt) | Step::Play(prompt) => gone.both(self.length(prompt, line)),
                Step::Answer => gone.both(self.limits.durable_wait),
                Step::Script(script) => {
                    // What it costs to come through, or to a person that it leads to itself; nobody comes further
                    // than a flow whose ways all end otherwise.
                    let Some(through) = walk.script(script, 0) else { break };
                    gone = gone.with(through);
                }
                Step::Dial { peer, failure_prompt, .. } => {
                    let words = failure_prompt.as_ref().map(|prompt| self.length(prompt, line));
                    gone.both(peer.ring + words.unwrap_or_default());
                }
                Step::Queue(queue) => {
                    worst.get_or_insert_default().take(self.waits(queue, gone));
                    break;
                }
                Step::Refuse { .. } => break,
                // The plan has no notices: see [`NOTICES_MAX`](super::NOTICES_MAX).
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

    /// Who has come so far waits in this queue as long as it lets them, and then for one seat more that rings.
    fn waits(&self, queue: &QueueId, gone: Worst) -> Worst {
        let wait = self
            .queues
            .get(queue)
            .map_or(Duration::ZERO, |own| own.wait_max.max(own.no_seat_wait) + own.ring);
        Worst { served: gone.served.max(Some(gone.longest.saturating_add(wait))), ..gone }
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
            Act::Play(prompt) => gone.both(self.length(prompt)),
            Act::Say(spoken) => gone.both(spoken.iter().map(|one| self.spoken(one)).sum()),
            Act::Menu(menu) => {
                self.menu(menu, depth, gone, worst);
                return false;
            }
            Act::Collect(collect) => {
                self.collect(collect, gone, worst);
            }
            Act::Message(message) => return self.message(message, gone, worst),
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
                gone.both(words.map(|prompt| self.length(prompt) + self.spoken_value()).sum());
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
            Act::Survey => self.survey(gone),
            Act::Queue(queue) => {
                worst.get_or_insert_default().take(plan.waits(queue, *gone));
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
    fn stuck(&self, gone: &Worst, silent: Duration, longest: Duration, worst: &mut Option<Worst>) {
        let mut gone = *gone;
        gone.each(silent, longest);
        worst.get_or_insert_default().take(gone);
    }

    /// Too few digits, each at the last moment, until the last time; then as many as may be.
    fn collect(&mut self, collect: &Collect, gone: &mut Worst, worst: &mut Option<Worst>) {
        let (question, tries) = (self.length(&collect.prompt), u32::from(collect.tries));
        let silent = (question + collect.wait) * tries;
        let too_few = question + collect.wait * u32::from(collect.least.max(1));
        self.stuck(gone, silent, too_few * tries, worst);
        let enough = question + collect.wait * u32::from(collect.most.max(1));
        gone.longest = gone.longest.saturating_add(too_few * tries.saturating_sub(1) + enough);
        gone.silent = None;
        gone.presses = gone.presses.saturating_add(1);
    }

    /// Silence is kept like speech, once it has lasted as long as it may: whoever says nothing goes on behind it.
    /// Only who ends it by the key before it is one is asked again. Where nothing is recorded, a person.
    fn message(&self, message: &Message, gone: &mut Worst, worst: &mut Option<Worst>) -> bool {
        if !self.plan.recording.enabled {
            worst.get_or_insert_default().take(*gone);
            return false;
        }
        let (invited, tries) = (self.length(&message.prompt), u32::from(message.tries));
        let too_short = invited + message.least;
        let mut hasty = Worst { silent: None, ..*gone };
        hasty.each(Duration::ZERO, too_short * tries);
        worst.get_or_insert_default().take(hasty);
        let once = invited + message.most;
        gone.each(once, too_short * tries.saturating_sub(1) + once);
        true
    }

    /// The question as often as it is put, after a word that the key is none; then a bad grade, and why.
    fn survey(&self, gone: &mut Worst) {
        let (plan, heard) = (self.plan, |prompt: &str| self.length(&PromptId::from(prompt)));
        let question = heard("survey") + plan.survey.wait;
        let again = heard("survey_wrong") + question;
        let asked = question + again * u32::from(plan.survey.tries.saturating_sub(1));
        let why = Some("survey_reason").filter(|why| plan.survey.reason && plan.prompts.contains_key(*why));
        let reason = why.map_or(Duration::ZERO, |why| heard(why) + plan.survey.wait);
        gone.each(asked, asked + reason + heard("survey_thanks"));
        gone.presses = gone.presses.saturating_add(1 + u32::from(why.is_some()));
    }

    /// The question as often as it is put; a key at the last moment of the last time.
    fn menu(&mut self, menu: &'a Menu, depth: u16, gone: &Worst, worst: &mut Option<Worst>) {
        let tries = (self.length(&menu.prompt) + menu.wait) * u32::from(menu.tries);
        self.stuck(gone, tries, tries, worst);
        let chosen = Worst {
            silent: None,
            longest: gone.longest.saturating_add(tries),
            presses: gone.presses.saturating_add(1),
            served: None,
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
            Spoken::Prompt(prompt) => self.length(prompt),
            Spoken::Value { .. } => self.spoken_value(),
            Spoken::Choice { prompts, otherwise, .. } => {
                let all = prompts.values().chain(otherwise);
                all.map(|prompt| self.length(prompt)).max().unwrap_or_default()
            }
        }
    }

    fn length(&self, prompt: &PromptId) -> Duration {
        self.plan.length(prompt, self.line)
    }

    /// The longest value that is read out.
    fn spoken_value(&self) -> Duration {
        let digits = (0..10).map(|digit| PromptId::from(format!("digit_{digit}").as_str()));
        digits.map(|digit| self.length(&digit)).max().unwrap_or_default() * FRAGMENTS_MAX
    }
}
