//! `[[test]]`: what the operator expects of a call, held against what the plan would do with it.
//!
//! Nothing rings and nothing plays: the plan's own steps for that line at that instant are walked as far as
//! the case says the house stands, and each thing that is expected is compared with what came of it.

use super::callers::CallerAct;
use super::diagnostic::{Diagnostic, Spot};
use super::nearest::nearest;
use super::number::{self, Dialled};
use super::plan::{DialledFrom, Flow, Line, Plan, Step, Trunk};
use super::source::{Problems, Said};
use super::tables::RoutingTable;
use super::tables::case::{CaseTable, ExpectTable};
use crate::time::Timestamp;

/// What an expectation says where there is to be nothing.
pub const NONE: &str = "none";

/// `at` of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(pub Timestamp);

/// `refused` of a test: a SIP status, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(pub Option<u16>);

/// `seats` of a test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CaseSeats {
    /// A clerk takes the caller.
    #[default]
    Some,
    /// Nobody is signed in.
    None,
    /// The queue is full.
    Full,
}

/// How the house stands when the call comes.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Its clerks.
    pub seats: CaseSeats,
    /// Whether the far side of a trunk picks up.
    pub answered: bool,
}

/// What becomes of a caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fate {
    /// Whose call it is.
    pub line: Option<String>,
    /// With which SIP status it is refused.
    pub refused: Option<u16>,
    /// Prompts, in order.
    pub hears: Vec<String>,
    /// What the caller may do alone.
    pub flow: Option<String>,
    /// Where the caller waits.
    pub queue: Option<String>,
    /// The number that is called, as the first trunk gets it.
    pub target: Option<String>,
    /// The trunks to it, in turn.
    pub by: Vec<String>,
    /// Why a ticket is opened without a clerk.
    pub ticket: Option<String>,
    /// Whether the caller is asked for a grade.
    pub survey: bool,
    /// Whether it is recorded.
    pub recorded: bool,
    /// By which lane.
    pub lane: Option<String>,
    /// Under which policy: what it does.
    pub policy: Option<String>,
    /// Points; `None` where nobody waits.
    pub priority: Option<i16>,
    /// Whether the line's experts are there; `None`: it has none.
    pub experts: Option<bool>,
    /// The meeting that is joined.
    pub meeting: Option<String>,
}

/// Runs every test of the file, and notes each expectation that is not met. How many tests there are.
pub(super) fn run(table: &RoutingTable, plan: &Plan, problems: &mut Problems) -> usize {
    for case in &table.cases {
        // What is missing was noted when it was read.
        let (Some(from), Some(to), Some(at), Some(expect)) = (&case.from, &case.to, &case.at, &case.expect)
        else {
            continue;
        };
        let Some(trunk) = trunk(case, plan) else { continue };
        let standing = Standing {
            seats: case.seats.as_ref().map(|said| said.value).unwrap_or_default(),
            answered: case.answered.as_ref().is_none_or(|said| said.value),
        };
        let fate = plan.fate(trunk, &dialled(case, &to.value), &from.value, at.value.0, standing);
        compare(case, expect, &fate, problems);
    }
    table.cases.len()
}

/// The one that is named, or the first that calls come by; a rule has noted where there is none.
fn trunk<'a>(case: &CaseTable, plan: &'a Plan) -> Option<&'a Trunk> {
    match &case.trunk {
        Some(name) => plan.trunks.get(name.value.as_str()),
        None => plan.trunks.values().find(|trunk| trunk.takes_calls()),
    }
}

fn dialled(case: &CaseTable, to: &str) -> Dialled {
    let mut dialled = Dialled::request_uri(to);
    let forwarded = case.forwarded_from.iter().flat_map(|said| &said.value);
    dialled.0.extend(forwarded.map(|said| (DialledFrom::HistoryInfo, said.value.clone())));
    dialled.0.push((DialledFrom::To, to.to_owned()));
    dialled
}

impl Plan {
    /// What becomes of a call from `from` by `trunk` to `dialled` at `at`, where the house stands so.
    pub fn fate(
        &self,
        trunk: &Trunk,
        dialled: &Dialled,
        from: &str,
        at: Timestamp,
        standing: Standing,
    ) -> Fate {
        let Some(found) = self.find_line(trunk, dialled) else {
            return Fate { refused: Some(NOT_FOUND), ..Fate::default() };
        };
        let line = &*found.line;
        let written = number::caller_of(from);
        let caller = trunk.rewrite.caller_inward.apply(&written);
        let mut fate = Fate { line: Some(line.number.to_string()), ..Fate::default() };
        self.stand(line, trunk, &caller, at, &mut fate);
        let mut flow = self.flow(line, at);
        if self.goes_straight(line, trunk, &caller) {
            flow.go_straight(self);
        }
        // As this line's callers hear it, and as `explain` tells it.
        let flow =
            Flow { steps: flow.steps.into_iter().map(|step| self.in_language(step, line)).collect(), ..flow };
        fate.recorded = flow.record && !matches!(flow.steps[..], [Step::Refuse { .. }]);
        self.walk(&flow, &caller, standing, &mut fate);
        if let Some(group) = self.experts.get(&line.number) {
            fate.experts = Some(group.hours.are_open(at, &self.city.time_zone));
        }
        fate
    }

    /// Lane, policy and priority.
    fn stand(&self, line: &Line, trunk: &Trunk, caller: &str, at: Timestamp, fate: &mut Fate) {
        let Some(queue) = line.mode.queue() else { return };
        let mut points = self.queues.get(queue).map_or(0, |queue| queue.rules.priority);
        if trunk.emergency_center {
            points = points.saturating_add(self.callers.center_priority);
        } else {
            if let Some(lane) = self.lane_of(line, &trunk.id, caller) {
                points = points.saturating_add(lane.priority);
                fate.lane = Some(lane.name.clone());
            }
            if let Some(policy) = self.policy_of(caller).filter(|policy| at < policy.until) {
                if let CallerAct::Behind(less) = policy.act {
                    points = points.saturating_sub(less);
                }
                fate.policy = Some(act_word(&policy.act).to_owned());
            }
        }
        fate.priority = Some(points);
    }

    /// The steps, to where the caller leaves.
    fn walk(&self, flow: &Flow, caller: &str, standing: Standing, fate: &mut Fate) {
        let mut steps = flow.steps.iter().peekable();
        while let Some(step) = steps.next() {
            match step {
                Step::Ring | Step::Answer | Step::Silence | Step::Watch { .. } => {}
                Step::PlayEarly(prompt)
                | Step::Play(prompt)
                | Step::HotNotice(prompt)
                | Step::PlayForever(prompt) => {
                    fate.hears.push(prompt.to_string());
                }
                Step::Script(script) => fate.flow = Some(script.to_string()),
                Step::Queue(queue) => {
                    fate.queue = Some(queue.to_string());
                    let asks = steps.next_if(|step| **step == Step::Survey).is_some();
                    if standing.seats == CaseSeats::Some {
                        fate.survey = asks;
                        return;
                    }
                }
                Step::Dial { peer, ticket_on_failure, failure_prompt } => {
                    let ways = self.ways(&peer.trunk, &peer.number, caller);
                    fate.target = ways.first().map(|way| way.called.clone());
                    fate.by = ways.iter().map(|way| way.trunk.id.to_string()).collect();
                    if standing.answered {
                        return;
                    }
                    if *ticket_on_failure {
                        fate.open_ticket(super::plan::TicketReason::SubCenterUnanswered.name());
                    }
                    fate.hears.extend(failure_prompt.iter().map(ToString::to_string));
                }
                Step::Meet { room } => {
                    fate.meeting = self.meeting_of(&room.to_string()).map(|meeting| meeting.name.clone());
                }
                Step::Ticket { prompt, reason } => {
                    fate.hears.push(prompt.to_string());
                    fate.open_ticket(reason.name());
                }
                Step::Survey => fate.survey = true,
                Step::Refuse { status } => fate.refused = Some(*status),
            }
        }
    }
}

/// RFC 3261 §21.4.5.
const NOT_FOUND: u16 = 404;

impl Fate {
    /// One call has one ticket: what opens it first gives the reason.
    fn open_ticket(&mut self, reason: &str) {
        self.ticket.get_or_insert_with(|| reason.to_owned());
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

/// One comparison after the other, in the order in which the sample file names them.
fn compare(case: &CaseTable, expect: &ExpectTable, fate: &Fate, problems: &mut Problems) {
    let mut compared = Compared { case, problems };
    let refused = fate.refused.map(|status| status.to_string());
    compared.name(&expect.line, fate.line.as_deref());
    let status = |said: &Refusal| said.0.map_or_else(|| NONE.to_owned(), |status| status.to_string());
    compared.plain(&expect.refused, status, refused);
    compared.name(&expect.prompt, fate.hears.first().map(String::as_str));
    compared.list(&expect.hears, &fate.hears);
    compared.name(&expect.flow, fate.flow.as_deref());
    compared.name(&expect.queue, fate.queue.as_deref());
    compared.name(&expect.target, fate.target.as_deref());
    compared.list(&expect.by, &fate.by);
    compared.name(&expect.ticket, fate.ticket.as_deref());
    compared.plain(&expect.survey, bool::to_string, Some(fate.survey.to_string()));
    compared.plain(&expect.recorded, bool::to_string, Some(fate.recorded.to_string()));
    compared.name(&expect.lane, fate.lane.as_deref());
    compared.name(&expect.policy, fate.policy.as_deref());
    compared.plain(&expect.priority, i16::to_string, fate.priority.map(|points| points.to_string()));
    compared.plain(&expect.experts, bool::to_string, fate.experts.map(|there| there.to_string()));
    compared.name(&expect.meeting, fate.meeting.as_deref());
}

struct Compared<'c, 'p> {
    case: &'c CaseTable,
    problems: &'p mut Problems,
}

impl Compared<'_, '_> {
    fn name(&mut self, expected: &Option<Said<String>>, found: Option<&str>) {
        let Some(said) = expected else { return };
        let found = found.unwrap_or(NONE);
        if said.value != found {
            let near = nearest(&said.value, [found]).map(str::to_owned);
            self.unmet(&said.spot, &said.value, found).nearest(near.as_deref());
        }
    }

    fn plain<T>(&mut self, expected: &Option<Said<T>>, words: impl Fn(&T) -> String, found: Option<String>) {
        let Some(said) = expected else { return };
        let (expected, found) = (words(&said.value), found.unwrap_or_else(|| NONE.to_owned()));
        if expected != found {
            self.unmet(&said.spot, &expected, &found);
        }
    }

    fn list(&mut self, expected: &Option<Said<Vec<Said<String>>>>, found: &[String]) {
        let Some(said) = expected else { return };
        let expected: Vec<&str> = said.value.iter().map(|item| item.value.as_str()).collect();
        if expected != found {
            let (expected, found) = (expected.join(", "), found.join(", "));
            self.unmet(&said.spot, &format!("[{expected}]"), &format!("[{found}]"));
        }
    }

    fn unmet(&mut self, spot: &Spot, expected: &str, found: &str) -> &mut Diagnostic {
        let case = self.case;
        let name = case.name.as_ref().map_or("", |said| said.value.as_str());
        let key = spot.key.rsplit('.').next().unwrap_or_default();
        let call = || {
            let from = case.from.as_ref().map_or("", |said| said.value.as_str());
            let to = case.to.as_ref().map_or("", |said| said.value.as_str());
            let at = case.at.as_ref().map_or_else(String::new, |said| said.value.0.to_string());
            let trunk = case.trunk.as_ref();
            let trunk = trunk.map_or_else(String::new, |said| format!(" --trunk {}", said.value));
            format!("hotline explain --from {from} --to {to}{trunk} --at {at}")
        };
        let diagnostic = self.problems.error(
            "E1201",
            spot,
            format!("测试 \"{name}\" 不通过: {key} 应为 {expected}，实际会是 {found}"),
            format!("the test \"{name}\" fails: {key} should be {expected} and would be {found}"),
        );
        diagnostic
            .effect(
                "来电人得到的不是这里写明的结果；方案不会启用",
                "the caller would get something else than what is written here; the plan is not used",
            )
            .remedy(
                format!("用 {} 看看整个经过，再改正方案或测试", call()),
                format!("see the whole path with {}, then correct the plan or the test", call()),
            )
    }
}
