//! The steps of a call one after another, to where its caller leaves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::callers::CallerAct;
use super::super::explain;
use super::super::number::{self, Dialled};
use super::super::outside::Callable;
use super::super::plan::{Line, Peer, Plan, Step, TicketReason, Trunk};
use super::super::prompts::COOL_DOWN;
use super::super::script::Leads;
use super::{CaseSeats, Fate, Given, Open};
use crate::id::{PromptId, QueueId};
use crate::time::Timestamp;

/// RFC 3261 §21.4.5.
const NOT_FOUND: u16 = 404;

/// A value as it is known on the way.
pub(super) enum Known<'a> {
    /// The caller, or a bot that heard the caller, gave it.
    Given(String),
    /// A look-up said it.
    LookedUp(String),
    /// This look-up or bot says it, and nobody has said what.
    Unsaid(&'a str),
}

/// A caller on the way.
pub(super) struct Walk<'a> {
    pub plan: &'a Plan,
    pub line: &'a Line,
    pub caller: &'a str,
    pub at: Timestamp,
    pub given: &'a Given<'a>,
    /// Keys that are still to be pressed.
    pub keys: VecDeque<char>,
    pub values: BTreeMap<&'a str, Known<'a>>,
    /// Look-ups and bots that were asked.
    pub asked: BTreeSet<&'a str>,
    /// Something was spoken that no ticket tells of yet.
    pub message: bool,
    /// The key was pressed by which a caller says so.
    pub urgent: bool,
    pub fate: Fate,
    /// An emergency center calls: it is never turned away.
    center: bool,
    /// A policy holds by which the next call soon after one gets a word instead of the queue.
    cools_down: bool,
    /// The caller's own points; the queue's are added to them.
    points: i16,
    steps: VecDeque<Step>,
    /// The last queue that the caller was to wait in.
    queue: Option<QueueId>,
}

impl Plan {
    /// What becomes of a call from `from` by `trunk` to `dialled` at `at`; an error where that hangs on something
    /// that is not given.
    pub fn fate(
        &self,
        trunk: &Trunk,
        dialled: &Dialled,
        from: &str,
        at: Timestamp,
        given: &Given<'_>,
    ) -> Result<Fate, Open> {
        let Some(found) = self.find_line(trunk, dialled, at) else {
            return Ok(Fate {
                refused: Some(NOT_FOUND),
                unpressed: given.keys.to_owned(),
                ..Fate::default()
            });
        };
        let line = &*found.line;
        let written = number::caller_of(from);
        let caller = trunk.rewrite.caller_inward.apply(&written);
        let mut flow = self.flow(line, at);
        if self.goes_straight(line, trunk, &caller) {
            flow.go_straight(self);
        }
        if flow.queue().is_some_and(|queue| self.has_surge(queue, given)) {
            flow.greet_in_surge(self);
        }
        let is_refused = explain::is_refused(&flow);
        let experts = self.experts.get(&line.number);
        let fate = Fate {
            line: Some(line.number.to_string()),
            recorded: flow.record,
            experts: experts.map(|group| group.hours.are_open(at, &self.city.time_zone)),
            ..Fate::default()
        };
        let mut walk = Walk {
            plan: self,
            line,
            caller: &caller,
            at,
            given,
            keys: given.keys.chars().collect(),
            values: BTreeMap::new(),
            asked: BTreeSet::new(),
            message: false,
            urgent: false,
            fate,
            center: trunk.emergency_center,
            cools_down: false,
            points: 0,
            steps: flow.steps.into(),
            queue: None,
        };
        if !is_refused {
            walk.stand(trunk);
        }
        walk.go()?;
        let Walk { mut fate, keys, asked, .. } = walk;
        fate.unpressed = keys.into_iter().collect();
        fate.asked = asked.into_iter().map(str::to_owned).collect();
        Ok(fate)
    }
}

impl Plan {
    /// Whether more callers than usual wait in the queue. Between the two figures of its rule there is a surge only if
    /// there was one before, and none that was not said.
    fn has_surge(&self, queue: &QueueId, given: &Given<'_>) -> bool {
        let Some(queue) = self.queues.get(queue) else { return false };
        let Some(surge) = &queue.rules.surge else { return false };
        let waiting = match given.seats {
            CaseSeats::Full => queue.length_max,
            CaseSeats::Some | CaseSeats::None => given.waiting.unwrap_or(0),
        };
        given.surge.unwrap_or(waiting >= surge.from)
    }
}

impl<'a> Walk<'a> {
    /// Lane, policy and priority.
    fn stand(&mut self, trunk: &Trunk) {
        let Some(queue) = self.line.mode.queue() else { return };
        let callers = &self.plan.callers;
        if self.center {
            self.points = callers.center_priority;
        } else {
            if let Some(platform) = self.plan.handed_over_by(&trunk.id, None) {
                self.points = platform.priority;
            } else if let Some(lane) = self.plan.lane_of(self.line, &trunk.id, self.caller) {
                self.points = lane.priority;
                self.fate.lane = Some(lane.name.clone());
            }
            if let Some(policy) = self.plan.policy_of(self.caller).filter(|policy| self.at < policy.until) {
                if let CallerAct::Behind(less) = policy.act {
                    self.points = self.points.saturating_sub(less);
                }
                self.cools_down = self.given.just_called && matches!(policy.act, CallerAct::CoolDown(_));
                self.fate.policy = Some(act_word(&policy.act).to_owned());
            }
        }
        self.prioritise(queue);
    }

    fn prioritise(&mut self, queue: &QueueId) {
        let own = self.plan.queues.get(queue).map_or(0, |queue| queue.rules.priority);
        self.fate.priority = Some(own.saturating_add(self.points));
    }

    /// Takes steps until the caller leaves.
    fn go(&mut self) -> Result<(), Open> {
        while let Some(step) = self.steps.pop_front() {
            if self.step(step)? {
                break;
            }
        }
        if self.message {
            self.open_ticket(TicketReason::SelfService); // Nobody speaks in vain.
        }
        Ok(())
    }

    /// One step; whether the caller leaves by it.
    fn step(&mut self, step: Step) -> Result<bool, Open> {
        match step {
            Step::Ring | Step::Answer | Step::Silence | Step::Watch { .. } => {}
            Step::PlayEarly(prompt) | Step::Play(prompt) | Step::HotNotice(prompt) => {
                self.hear(&prompt);
                if self.says_urgent() {
                    self.pass_over_words();
                }
            }
            Step::PlayForever(prompt) => self.hear(&prompt),
            Step::Script(script) => {
                self.fate.flow = Some(script.to_string());
                match self.script(&script)? {
                    Leads::Queue(queue) => self.only_to(queue.clone()),
                    Leads::Talk | Leads::End => return Ok(true),
                    Leads::Person | Leads::On | Leads::Script(_) => {}
                }
            }
            Step::Queue(queue) => return Ok(self.wait(queue)),
            Step::Dial { peer, ticket_on_failure, failure_prompt } => {
                self.dial(&peer);
                if self.picks_up(&peer) {
                    return Ok(true);
                }
                if ticket_on_failure {
                    self.open_ticket(TicketReason::SubCenterUnanswered);
                }
                failure_prompt.iter().for_each(|prompt| self.hear(prompt));
            }
            Step::Meet { room } => {
                let meeting = self.plan.meeting_of(&room.to_string());
                self.fate.meeting = meeting.map(|meeting| meeting.name.clone());
            }
            Step::Ticket { prompt, reason } => {
                self.hear(&prompt);
                self.open_ticket(reason);
                // Whoever was sent on can go back.
                if let Some(queue) = self.queue.clone().filter(|_| self.says_urgent()) {
                    self.only_to(queue);
                }
            }
            Step::Survey => {
                self.fate.survey = true;
                self.grade(false);
            }
            Step::Refuse { status } => {
                self.fate.refused = Some(status);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is left is to wait in this queue, and what follows that.
    fn only_to(&mut self, queue: QueueId) {
        self.steps.clear();
        let prompt = self.plan.queues.get(&queue).map(|queue| queue.overflow_prompt.clone());
        self.steps.push_back(Step::Queue(queue));
        if self.plan.survey.enabled {
            self.steps.push_back(Step::Survey);
        }
        let ticket = |prompt| Step::Ticket { prompt, reason: TicketReason::Overflow };
        self.steps.extend(prompt.map(ticket));
    }

    /// Whoever says that it is urgent hears no more in front of the queue.
    fn pass_over_words(&mut self) {
        let Some(queue) = self.steps.iter().position(|step| matches!(step, Step::Queue(_))) else { return };
        let behind = self.steps.split_off(queue);
        self.steps.retain(|step| {
            !matches!(step, Step::Play(_) | Step::PlayEarly(_) | Step::HotNotice(_) | Step::Script(_))
        });
        self.steps.extend(behind);
    }

    /// The step to a queue; whether a clerk takes the caller, who then leaves by way of the survey.
    fn wait(&mut self, queue: QueueId) -> bool {
        self.queue = Some(queue.clone());
        let asks = self.steps.front() == Some(&Step::Survey);
        if asks {
            self.steps.pop_front();
        }
        if self.cools_down && !self.urgent {
            self.cool_down();
            return false;
        }
        self.fate.queue = Some(queue.to_string());
        self.prioritise(&queue);
        if self.is_turned_away(&queue) {
            return false;
        }
        self.says_urgent();
        self.prioritise(&queue);
        if self.given.seats == CaseSeats::None {
            return false;
        }
        self.message = false; // It can be said to the clerk.
        if self.keeps_place(&queue) {
            self.fate.callback = true;
            return true;
        }
        self.fate.survey |= asks;
        if asks {
            self.grade(false);
        }
        true
    }

    /// By the bounds of the queue. Emergency centers, and who says that it is urgent, never are.
    fn is_turned_away(&self, queue: &QueueId) -> bool {
        if self.center || self.urgent {
            return false;
        }
        let Some(queue) = self.plan.queues.get(queue) else { return false };
        let waiting = self.given.waiting.unwrap_or(0);
        let full = self.given.seats == CaseSeats::Full || waiting >= queue.length_max;
        let shed =
            queue.rules.shed.iter().filter(|(from, _)| self.given.waiting.is_some() && waiting >= *from);
        let least = shed.max_by_key(|(from, _)| *from).map(|(_, least)| *least);
        full || least.is_some_and(|least| self.fate.priority.is_some_and(|own| own < least))
    }

    /// Whether the caller, for whom no seat is free, hangs up by the key that keeps the turn. It is offered only to whom
    /// the house may call.
    fn keeps_place(&mut self, queue: &QueueId) -> bool {
        let Some(queue) = self.plan.queues.get(queue) else { return false };
        let Some(offer) = queue.rules.callback.as_ref().filter(|_| self.given.waiting.is_some()) else {
            return false;
        };
        let may = matches!(self.plan.callable(self.caller), Ok(Callable::Outside(_)));
        may && self.press(|key| key == offer.key).is_some()
    }

    /// The ticket behind the queue has a word and a reason of its own.
    fn cool_down(&mut self) {
        let word = PromptId::from(COOL_DOWN);
        let has_word = self.plan.prompts.contains_key(&word);
        for step in &mut self.steps {
            if let Step::Ticket { prompt, reason } = step {
                *reason = TicketReason::CoolDown;
                if has_word {
                    prompt.clone_from(&word);
                }
            }
        }
    }

    /// Whom the call rings, and by which trunks.
    pub fn dial(&mut self, peer: &Peer) {
        let ways = self.plan.ways(&peer.trunk, &peer.number, self.caller);
        self.fate.target = ways.first().map(|way| way.called.clone());
        self.fate.by = ways.iter().map(|way| way.trunk.id.to_string()).collect();
    }

    /// Whether somebody picks up there; then the caller's message can be said to them.
    pub fn picks_up(&mut self, peer: &Peer) -> bool {
        let answers = self.given.answered.unwrap_or(!self.plan.is_drill(&peer.trunk));
        self.message &= !answers;
        answers
    }

    /// In the line's language, where the prompt has a variant in it.
    pub fn hear(&mut self, prompt: &PromptId) {
        let own = self.line.language.as_ref().map(|language| prompt.in_language(language));
        let own = own.filter(|own| self.plan.prompts.contains_key(own));
        self.fate.hears.push(own.as_ref().unwrap_or(prompt).to_string());
    }

    /// One call has one ticket: what opens it first gives the reason.
    pub fn open_ticket(&mut self, reason: TicketReason) {
        self.message = false;
        self.fate.ticket.get_or_insert_with(|| reason.name().to_owned());
    }

    /// The next key, if it is one of these.
    pub fn press(&mut self, is_it: impl FnOnce(char) -> bool) -> Option<char> {
        let key = *self.keys.front()?;
        if is_it(key) { self.keys.pop_front() } else { None }
    }

    /// Whether the caller now says by key that it is urgent.
    pub fn says_urgent(&mut self) -> bool {
        let urgent = self.plan.callers.urgent_key;
        if self.urgent || self.press(|key| Some(key) == urgent).is_none() {
            return false;
        }
        self.urgent = true;
        self.points = self.points.max(self.plan.callers.urgent_priority);
        true
    }
}

/// As the file says it.
fn act_word(act: &CallerAct) -> &'static str {
    match act {
        CallerAct::Behind(_) => "behind",
        CallerAct::To(_) => "to",
        CallerAct::CoolDown(_) => "cool_down",
        CallerAct::Confidential => "confidential",
    }
}
