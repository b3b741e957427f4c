//! The steps of a call one after another, to where its caller leaves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::callers::CallerAct;
use super::super::explain;
use super::super::number::{self, Dialled};
use super::super::outside::Callable;
use super::super::plan::{Flow, Line, Peer, Plan, Queue, Step, TicketReason, Trunk};
use super::super::prompts::COOL_DOWN;
use super::super::script::{Leads, When};
use super::super::speech;
use super::{CaseSeats, Fate, Given, Open, Passed, Waited, What};
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
    /// Hot notices that the flow has still to tell.
    pub notices: VecDeque<PromptId>,
    /// The flow has greeted the caller.
    pub greeted: bool,
    /// What the step hangs on behind which so many stand.
    hangs: Option<(usize, Open)>,
    /// What the caller came through.
    trail: Vec<Passed>,
    /// The last queue that the caller was to wait in.
    queue: Option<QueueId>,
}

/// A call's way as far as it could be walked.
#[derive(Debug, Clone, Default)]
pub struct Walked {
    /// What has become of the caller there.
    pub fate: Fate,
    /// What the caller came through, in order.
    pub passed: Vec<Passed>,
    /// What the way hangs on where it ends; `None`: it is whole.
    pub open: Option<Open>,
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
        let Walked { fate, open, .. } = self.walk(trunk, dialled, from, at, given);
        open.map_or(Ok(fate), Err)
    }

    /// The whole way of such a call, or as much of it as what is given decides.
    pub fn walk(
        &self,
        trunk: &Trunk,
        dialled: &Dialled,
        from: &str,
        at: Timestamp,
        given: &Given<'_>,
    ) -> Walked {
        let Some(found) = self.find_line(trunk, dialled, at) else {
            let fate = Fate {
                refused: Some(NOT_FOUND),
                unpressed: given.keys.unwrap_or_default().to_owned(),
                ..Fate::default()
            };
            return Walked { fate, ..Walked::default() };
        };
        let line = &*found.line;
        let written = number::caller_of(from);
        let caller = trunk.rewrite.caller_inward.apply(&written);
        let mut flow = self.flow(line, at);
        if self.goes_straight(line, trunk, &caller) {
            flow.go_straight(self);
        }
        let hangs = self.greet(&mut flow, given);
        if !trunk.emergency_center {
            flow.tell_notices(given.notices.iter().flatten().map(|name| PromptId::from(*name)));
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
            keys: given.keys.unwrap_or_default().chars().collect(),
            values: BTreeMap::new(),
            asked: BTreeSet::new(),
            message: false,
            urgent: false,
            fate,
            center: trunk.emergency_center,
            cools_down: false,
            points: 0,
            steps: flow.steps.into(),
            notices: VecDeque::new(),
            greeted: false,
            hangs,
            trail: Vec::new(),
            queue: None,
        };
        let stood = if is_refused { Ok(()) } else { walk.stand(trunk) };
        let open = stood.and_then(|()| walk.go()).err();
        let Walk { mut fate, keys, asked, trail, .. } = walk;
        fate.unpressed = keys.into_iter().collect();
        fate.asked = asked.into_iter().map(str::to_owned).collect();
        Walked { fate, passed: trail, open }
    }

    /// Has the greeting of a surge said where there is one. Where nobody has said whether there is: how many steps stand
    /// behind the first that hangs on it.
    fn greet(&self, flow: &mut Flow, given: &Given<'_>) -> Option<(usize, Open)> {
        let queue = self.queues.get(flow.queue()?)?;
        match has_surge(queue, given) {
            Ok(true) => flow.greet_in_surge(self),
            Ok(false) => {}
            Err(open) => {
                let mut greeted = flow.clone();
                greeted.greet_in_surge(self);
                let differs = flow.steps.iter().zip(&greeted.steps).position(|(one, other)| one != other)?;
                return Some((flow.steps.len() - differs - 1, open));
            }
        }
        None
    }
}

/// Whether more callers than usual wait in the queue. Between the two figures of its rule there is a surge only if
/// there was one before: as usual there was none.
fn has_surge(queue: &Queue, given: &Given<'_>) -> Result<bool, Open> {
    let Some(surge) = &queue.rules.surge else { return Ok(false) };
    if let Some(said) = given.surge {
        return Ok(said);
    }
    let waiting = match given.seats {
        Some(CaseSeats::Full) => Some(queue.length_max),
        Some(CaseSeats::Some) => Some(given.waiting.unwrap_or(0)), // One is free.
        Some(CaseSeats::None | CaseSeats::Busy) | None => given.waiting,
    };
    match waiting {
        Some(waiting) if waiting >= surge.from => Ok(true),
        Some(waiting) if given.as_usual || waiting <= surge.until => Ok(false),
        None if given.as_usual => Ok(false),
        None if given.seats.is_none() => Err(Open::Seats),
        Some(_) | None => Err(Open::Surge),
    }
}

impl<'a> Walk<'a> {
    /// Lane, policy and priority.
    fn stand(&mut self, trunk: &Trunk) -> Result<(), Open> {
        let Some(queue) = self.line.mode.queue() else { return Ok(()) };
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
                self.cools_down =
                    matches!(policy.act, CallerAct::CoolDown(_)) && self.given.just_called != Some(false);
                self.fate.policy = Some(act_word(&policy.act).to_owned());
            }
        }
        self.prioritise(queue);
        Ok(())
    }

    fn prioritise(&mut self, queue: &QueueId) {
        let own = self.plan.queues.get(queue).map_or(0, |queue| queue.rules.priority);
        self.fate.priority = Some(own.saturating_add(self.points));
    }

    /// Takes steps until the caller leaves.
    fn go(&mut self) -> Result<(), Open> {
        while let Some(step) = self.steps.pop_front() {
            if let Some((behind, open)) = &self.hangs
                && *behind == self.steps.len()
            {
                return Err(open.clone());
            }
            if self.step(step)? {
                break;
            }
        }
        if self.message {
            self.open_ticket(TicketReason::SelfService); // Nobody speaks in vain.
        }
        Ok(())
    }

    /// Comes through something. Keys from now on are pressed in it.
    pub fn pass(&mut self, what: What) {
        self.trail.push(Passed { what, keys: String::new() });
    }

    /// The latest act goes on this way.
    pub fn takes(&mut self, way: When) {
        let latest = self.trail.iter_mut().rev().find_map(|passed| match &mut passed.what {
            What::Act { when, .. } => Some(when),
            _ => None,
        });
        if let Some(when) = latest {
            *when = Some(way);
        }
    }

    /// One step; whether the caller leaves by it.
    fn step(&mut self, step: Step) -> Result<bool, Open> {
        self.pass(What::Step(step.clone()));
        match step {
            Step::Ring | Step::Answer | Step::Silence | Step::Watch { .. } => {}
            Step::HotNotice(prompt) => {
                self.fate.hears.push(prompt.to_string());
                if self.says_urgent() {
                    self.pass_over_words();
                }
            }
            Step::PlayEarly(prompt) | Step::Play(prompt) => {
                self.hear(&prompt);
                if self.says_urgent() {
                    self.pass_over_words();
                }
            }
            Step::PlayForever(prompt) => self.hear(&prompt),
            Step::Script(script) => {
                self.fate.flow = Some(script.to_string());
                while let Some(Step::HotNotice(notice)) =
                    self.steps.pop_front_if(|step| matches!(step, Step::HotNotice(_)))
                {
                    self.notices.push_back(notice);
                }
                match self.script(&script)? {
                    Leads::Queue(queue) => self.only_to(queue.clone()),
                    Leads::Talk | Leads::End => return Ok(true),
                    Leads::Person | Leads::On | Leads::Script(_) => {}
                }
            }
            Step::Queue(queue) => return self.wait(queue),
            Step::Dial { peer, ticket_on_failure, failure_prompt } => {
                self.dial(&peer);
                if self.picks_up(&peer)? {
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
    fn wait(&mut self, queue: QueueId) -> Result<bool, Open> {
        self.queue = Some(queue.clone());
        let asks = self.steps.front() == Some(&Step::Survey);
        if asks {
            self.steps.pop_front();
        }
        if self.cools_down && !self.urgent {
            match self.given.just_called {
                Some(true) => {
                    self.pass(What::Waited { queue, how: Waited::CoolsDown });
                    self.cool_down();
                    return Ok(false);
                }
                None if !self.given.as_usual => return Err(Open::JustCalled),
                Some(false) | None => {}
            }
        }
        self.fate.queue = Some(queue.to_string());
        self.prioritise(&queue);
        let how = self.waited(&queue)?;
        match how {
            Waited::Kept => self.fate.callback = true,
            Waited::Taken | Waited::TakenLater => {
                self.pass(What::Waited { queue, how });
                self.message = false; // It can be said to the clerk.
                self.fate.survey |= asks;
                if asks {
                    self.pass(What::Step(Step::Survey));
                    self.grade(false);
                }
                return Ok(true);
            }
            _ => {}
        }
        self.pass(What::Waited { queue, how });
        self.message &= how != Waited::Kept;
        Ok(how == Waited::Kept)
    }

    /// What comes of waiting there.
    fn waited(&mut self, queue: &QueueId) -> Result<Waited, Open> {
        let seats = match self.given.seats {
            Some(seats) => seats,
            None if self.given.as_usual || self.given.waiting.is_some() => CaseSeats::Some,
            None => return Err(Open::Seats),
        };
        // Emergency centers, and who says that it is urgent, are never turned away.
        let first = self.center || self.urgent;
        let planned = self.plan.queues.get(queue);
        if let Some(how) = planned.filter(|_| !first).and_then(|planned| self.turned_away(planned)) {
            return Ok(how);
        }
        let waits = self.given.waiting.is_some() || seats == CaseSeats::Busy;
        if waits && !first && seats != CaseSeats::None && self.is_guessed_too_long(planned)? {
            return Ok(Waited::TooLong);
        }
        self.says_urgent();
        self.prioritise(queue);
        if seats == CaseSeats::None {
            return Ok(Waited::NobodyThere);
        }
        if waits && self.keeps_place(planned)? {
            return Ok(Waited::Kept);
        }
        Ok(match (seats, waits) {
            (CaseSeats::Busy, _) => Waited::WaitedOut,
            (_, true) => Waited::TakenLater,
            (_, false) => Waited::Taken,
        })
    }

    /// By the bounds of the queue on how many wait.
    fn turned_away(&self, queue: &Queue) -> Option<Waited> {
        let waiting = self.given.waiting.unwrap_or(0);
        if self.given.seats == Some(CaseSeats::Full) || waiting >= queue.length_max {
            return Some(Waited::Full);
        }
        let shed =
            queue.rules.shed.iter().filter(|(from, _)| self.given.waiting.is_some() && waiting >= *from);
        let (_, below) = *shed.max_by_key(|(from, _)| *from)?;
        self.fate.priority.is_some_and(|own| own < below).then_some(Waited::Shed { below })
    }

    /// By its bound on the wait that is guessed; a caller who is let in is told of that wait.
    fn is_guessed_too_long(&mut self, queue: Option<&Queue>) -> Result<bool, Open> {
        let most = queue.and_then(|queue| queue.rules.expected_wait_max);
        match (self.given.expected_wait, most) {
            (None, Some(most)) => Err(Open::Guess { most }),
            (None, None) => {
                self.fate.guess_unsaid = true;
                Ok(false)
            }
            (Some(guess), most) => {
                self.fate.guess_used = true;
                let too_long = most.is_some_and(|most| guess.is_some_and(|guess| guess > most));
                self.fate.told_wait = guess.filter(|_| !too_long).map(speech::wait_minutes);
                Ok(too_long)
            }
        }
    }

    /// Whether the caller, for whom no seat is free, hangs up by the key that keeps the turn. It is offered only to whom
    /// the house may call.
    fn keeps_place(&mut self, queue: Option<&Queue>) -> Result<bool, Open> {
        let Some(offer) = queue.and_then(|queue| queue.rules.callback.as_ref()) else { return Ok(false) };
        if !matches!(self.plan.callable(self.caller), Ok(Callable::Outside(_))) {
            return Ok(false);
        }
        self.keys_are_said()?;
        Ok(self.press(|key| key == offer.key).is_some())
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

    /// Whether somebody picks up there; then the caller's message can be said to them. As usual somebody does where it
    /// is no drill.
    pub fn picks_up(&mut self, peer: &Peer) -> Result<bool, Open> {
        let answered = match self.given.answered {
            Some(said) => said,
            None if self.given.as_usual => !self.plan.is_drill(&peer.trunk),
            None => return Err(Open::Answered),
        };
        self.message &= !answered;
        self.pass(What::Rang { answered });
        Ok(answered)
    }

    /// Where a key leads on.
    pub fn keys_are_said(&self) -> Result<(), Open> {
        if self.given.keys.is_none() && !self.given.as_usual { Err(Open::Keys) } else { Ok(()) }
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
        if !is_it(key) {
            return None;
        }
        if let Some(latest) = self.trail.last_mut() {
            latest.keys.push(key);
        }
        self.keys.pop_front()
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
