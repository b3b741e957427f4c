//! What would happen to a call, in words, and which lines of the file decide it.

mod acts;
mod days;
mod deciding;
pub mod flows;
pub mod path;
mod room;
mod seat;
mod standing;
mod waiting;

use serde::Serialize;

use super::cases::Given;
use super::diagnostic::Text;
use super::in_use::Standing;
use super::meeting::Comer;
use super::number::{self, Dialled, Found};
use super::origins::{Origins, RuleList};
use super::plan::{DialledFrom, Flow, Line, LineMode, Peer, Plan, Step, TicketReason, Trunk, Way};
use super::queueing::Strategy;
use super::source::Place;
use super::transition::Phase;
use crate::id::{PromptId, QueueId};
use crate::time::Timestamp;
use deciding::Deciding;
use flows::ExplainedFlow;
use path::{ExplainedPath, acts_taken, queues_met, steps_taken};

/// The answer to `hotline explain`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The trunk that the call came by, or `seats`.
    pub trunk: String,
    /// Who calls, as given.
    pub from: String,
    /// When, on the city's clock.
    pub at: String,
    /// The line; `None`: the call is refused, or a seat calls somebody.
    pub line: Option<ExplainedLine>,
    /// What happens, in order.
    pub steps: Vec<Text>,
    /// Which of the steps is the operator's flow, counted from 0; `None`: there is none.
    pub flow_at: Option<usize>,
    /// The flows of the operator's that it may come through, in the order in which it may come to them.
    pub flows: Vec<ExplainedFlow>,
    /// The way of this very call, where something was said of what its caller does and how the house stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<ExplainedPath>,
    /// How the caller stands, how queues let callers wait, and who could be asked at that hour; empty where nobody is
    /// waited for.
    pub standing: Vec<Text>,
    /// What in the file decides it.
    pub decided_by: Vec<Place>,
}

/// The line that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedLine {
    /// Its number.
    pub number: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// How it was merged.
    pub mode: Text,
    /// Where the message named it.
    pub found_in: &'static str,
    /// How the message named it.
    pub number_as_dialled: String,
    /// The alias by which it was dialled; absent: its own number was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    /// The number in our form.
    number: &'a str,
    /// As whoever the call is put through to is shown it; empty: withheld.
    shown: &'a str,
}

/// The call in question.
pub(super) struct Asked<'a> {
    line: &'a Line,
    trunk: &'a Trunk,
    caller: Caller<'a>,
    at: Timestamp,
}

impl Plan {
    /// What a call from `from` by `trunk` to `dialled` does at `at`.
    pub fn explain(
        &self,
        origins: &Origins,
        trunk: &Trunk,
        dialled: &Dialled,
        from: &str,
        at: Timestamp,
    ) -> Explanation {
        self.explain_given(origins, trunk, dialled, from, at, None)
    }

    /// The same with the way of the call as far as what is given decides it; then only lines that decide that way are
    /// said to.
    pub fn explain_given(
        &self,
        origins: &Origins,
        trunk: &Trunk,
        dialled: &Dialled,
        from: &str,
        at: Timestamp,
        given: Option<&Given<'_>>,
    ) -> Explanation {
        let mut deciding = Deciding::of(self, origins);
        let Some(found) = self.find_line(trunk, dialled, at) else {
            let steps = self.not_found(trunk, dialled, at, &mut deciding);
            return self.explanation(trunk.id.as_str(), from, at, None, (steps, deciding.places()));
        };
        let written = number::caller_of(from);
        let number = trunk.rewrite.caller_inward.apply(&written);
        let caller = Caller { number: &number, shown: self.shown_of(&found.line, trunk, &number, at) };
        let asked = Asked { line: &found.line, trunk, caller, at };
        let mut flow = self.flow(&found.line, at);
        if self.goes_straight(&found.line, trunk, &number) {
            flow.go_straight(self);
        }
        let flows = self.flows_of(origins, &flow, &asked);
        let walked = given.map(|given| (self.walk(trunk, dialled, from, at, given), given));
        let path = walked.as_ref().map(|(walked, given)| self.path(origins, &asked, walked, given));
        deciding.trunk(trunk, found.number_as_dialled);
        deciding.rule(trunk, RuleList::CallerInward, &written);
        // Of a way that is known, what else might have been decides nothing.
        let taken = walked.as_ref().map(|(walked, _)| steps_taken(walked, &flow));
        deciding.line(&asked, taken.as_ref().unwrap_or(&flow));
        deciding.alias(&found);
        let acts = walked.as_ref().map_or_else(|| flows.clone(), |(walked, _)| acts_taken(walked, &flows));
        let standing = if is_refused(&flow) {
            Vec::new()
        } else {
            let queues = match (&walked, found.line.mode.queue()) {
                (Some((walked, _)), _) => queues_met(walked, &flow),
                (None, Some(own)) => waiting::queues(own, &flows).into_iter().map(str::to_owned).collect(),
                (None, None) => Vec::new(),
            };
            deciding.standing(&asked, &queues);
            self.standing(&asked, &flows)
        };
        deciding.flows(&asked, &acts);
        if !is_refused(&flow) {
            deciding.hours(&found.line, at);
        }
        let script = flow.steps.iter().position(|step| matches!(step, Step::Script(_)));
        let (steps, before) = self.words(&found.line, &flow, at, caller);
        let flow_at = script.map(|place| before + place);
        let places = deciding.places();
        let said = self.explanation(trunk.id.as_str(), from, at, Some(found), (steps, places));
        Explanation { standing, flows, flow_at, path, ..said }
    }

    /// Why no line of ours takes the call.
    fn not_found(
        &self,
        trunk: &Trunk,
        dialled: &Dialled,
        at: Timestamp,
        deciding: &mut Deciding<'_>,
    ) -> Vec<Text> {
        deciding.trunk(trunk, dialled.oldest_first(DialledFrom::RequestUri).next().unwrap_or_default());
        if let Some(number) = self.emergency_dialled(trunk, dialled) {
            deciding.said("emergency", number.as_str(), &["number", "trunk"]);
            return vec![Text::new(
                format!("{number} 是紧急热线，只向外转接，不是本平台的号码: 404 拒绝"),
                format!("{number} is an emergency number, reached outward only: refused with 404"),
            )];
        }
        if let Some(words) = self.not_at_this_time(trunk, dialled, at, deciding) {
            return vec![words];
        }
        self.closed_door(Comer::Trunk(trunk), dialled, deciding).unwrap_or_else(|| {
            vec![Text::new("不是本平台的号码: 404 拒绝", "not a number of this hotline: refused with 404")]
        })
    }

    fn explanation(
        &self,
        way: &str,
        from: &str,
        at: Timestamp,
        found: Option<Found<'_>>,
        (steps, decided_by): (Vec<Text>, Vec<Place>),
    ) -> Explanation {
        Explanation {
            trunk: way.to_owned(),
            from: from.to_owned(),
            at: at
                .to_zoned_datetime(self.city.time_zone.clone())
                .strftime("%Y-%m-%dT%H:%M:%S%:z")
                .to_string(),
            line: found.map(|found| ExplainedLine {
                number: found.line.number.to_string(),
                name: found.line.name.clone(),
                owner: found.line.owner.clone(),
                mode: mode_words(&found.line.mode),
                found_in: place_name(found.from),
                number_as_dialled: found.number_as_dialled.to_owned(),
                alias: found.alias.map(|alias| alias.to_string()),
            }),
            steps,
            flow_at: None,
            flows: Vec::new(),
            path: None,
            standing: Vec::new(),
            decided_by,
        }
    }

    /// The flows of the operator's that a call comes through which takes these steps.
    fn flows_of(&self, origins: &Origins, flow: &Flow, asked: &Asked<'_>) -> Vec<ExplainedFlow> {
        let script = flow.steps.iter().find_map(|step| match step {
            Step::Script(script) => Some(script),
            _ => None,
        });
        script.map_or_else(Vec::new, |script| self.explained_flows(origins, script, asked))
    }

    /// The steps in words, and how many stand in front of them: the phase of a merged number's transition, and
    /// the line's language.
    fn words(&self, line: &Line, flow: &Flow, at: Timestamp, caller: Caller<'_>) -> (Vec<Text>, usize) {
        let mut words: Vec<Text> = self.days_words(line, at).into_iter().collect();
        let is_over = line.in_use.standing(at) == Standing::Over;
        if matches!(line.mode, LineMode::Merged { .. }) && !is_over {
            words.push(self.phase_words(line, at));
        }
        words.extend(line.language.iter().map(|language| {
            Text::new(
                format!("提示音有 {language} 的播放 {language} 的，没有的照常"),
                format!("prompts are heard in {language} where there are such, others as everywhere"),
            )
        }));
        let before = words.len();
        let steps = flow.steps.iter().map(|step| self.in_language(step.clone(), line));
        words.extend(steps.map(|step| self.step_words(&step, caller)));
        if !is_refused(flow) {
            words.push(recorded_words(flow.record));
        }
        (words, before)
    }

    /// The step with the prompt that this line's callers hear.
    pub(super) fn in_language(&self, mut step: Step, line: &Line) -> Step {
        let (Step::Play(prompt)
        | Step::PlayEarly(prompt)
        | Step::PlayForever(prompt)
        | Step::Ticket { prompt, .. }) = &mut step
        else {
            return step;
        };
        let own = line.language.as_ref().map(|language| prompt.in_language(language));
        if let Some(own) = own.filter(|own| self.prompts.contains_key(own)) {
            *prompt = own;
        }
        step
    }

    fn phase_words(&self, line: &Line, at: Timestamp) -> Text {
        let transition = self.transition_of(line);
        let zone = &self.city.time_zone;
        let end = transition.window(zone).map_or_else(String::new, |window| {
            let end = window.end.to_zoned_datetime(zone.clone());
            end.strftime("%Y-%m-%d").to_string()
        });
        let start = transition.start;
        match transition.phase(at, zone) {
            Phase::Before => Text::new(
                format!("过渡期自 {start} 起，尚未开始: 按 12345 处理"),
                format!("before the transition, which begins on {start}: treated as 12345"),
            ),
            Phase::Inside => Text::new(
                format!("在过渡期内（{start} 起，{end} 零时止）"),
                format!("inside the transition ({start} until {end} 00:00)"),
            ),
            Phase::After => Text::new(
                format!("过渡期已于 {end} 零时结束"),
                format!("the transition ended on {end} 00:00"),
            ),
        }
    }

    fn step_words(&self, step: &Step, caller: Caller<'_>) -> Text {
        match step {
            Step::Ring => Text::new("振铃 (180)", "rings (180)"),
            Step::PlayEarly(prompt) => self.said("接通前播放", "plays before the answer", prompt),
            Step::Answer => Text::new("记录落盘后接通 (200)", "answers once the record is on disk (200)"),
            Step::Play(prompt) => self.said("播放", "plays", prompt),
            Step::HotNotice(prompt) => self.said("播放临时公告", "plays the hot notice", prompt),
            Step::PlayForever(prompt) => self.said("反复播放", "plays on and on", prompt),
            Step::Script(script) => Text::new(
                format!("自助流程 {script}，随时按 0 转人工"),
                format!("the flow {script}; 0 leads to a person at any time"),
            ),
            Step::Silence => Text::new("保持静音", "stays silent"),
            Step::Queue(queue) => Text::new(
                format!("进入队列 {queue}，由{}接听", self.strategy_words(queue).zh),
                format!("waits in the queue {queue} for {}", self.strategy_words(queue).en),
            ),
            Step::Dial { peer, ticket_on_failure, .. } => {
                let ticket = if *ticket_on_failure {
                    ("，无人接听则登记工单", ", with a ticket if nobody answers")
                } else {
                    ("", "")
                };
                let ways = self.ways_words(peer, caller);
                Text::new(format!("{}{}", ways.zh, ticket.0), format!("{}{}", ways.en, ticket.1))
            }
            Step::Meet { room } => self.meet_words(*room),
            Step::Watch { .. } => Text::new("监听该坐席的通话", "listens to that seat's calls"),
            Step::Ticket { prompt, reason } => {
                let why = match reason {
                    TicketReason::Overflow => (
                        "无人可接时登记工单并播报编号",
                        "if it overflows, opens a ticket and reads its number out",
                    ),
                    TicketReason::SubCenterUnanswered
                    | TicketReason::ExpertUnanswered
                    | TicketReason::DepartmentUnanswered
                    | TicketReason::PeerUnanswered
                    | TicketReason::EmergencyUnanswered
                    | TicketReason::AfterHours
                    | TicketReason::CoolDown
                    | TicketReason::SelfService => {
                        ("登记工单并播报编号", "opens a ticket and reads its number out")
                    }
                };
                self.said(&format!("{}，先播放", why.0), &format!("{}, after", why.1), prompt)
            }
            Step::Survey => Text::new(
                "座席挂机后请来电人评价（五级）",
                "asks for a grade of five after the clerk has left",
            ),
            Step::Refuse { status } => Text::new(format!("拒绝 ({status})"), format!("refuses ({status})")),
        }
    }

    fn strategy_words(&self, queue: &QueueId) -> Text {
        match self.queues.get(queue).map(|queue| queue.rules.strategy).unwrap_or_default() {
            Strategy::LongestIdle => Text::new("空闲最久的座席", "the seat that has been free longest"),
            Strategy::RoundRobin => Text::new("轮到的座席", "the seat whose turn it is"),
            Strategy::FewestCalls => Text::new("接得最少的座席", "the seat with the fewest calls"),
            Strategy::TopDown => Text::new("排在最前的空闲座席", "the first seat in order that is free"),
            Strategy::Random => Text::new("任一空闲座席", "any seat that is free"),
            Strategy::RingAll => Text::new("最先摘机的座席", "whichever seat picks up first"),
        }
    }

    /// The caller's number as a peer gets it: help in an emergency has to know where from.
    fn told_to<'c>(&self, peer: &Peer, caller: Caller<'c>) -> &'c str {
        let is_emergency = self.emergency.values().any(|own| own == peer);
        if is_emergency { caller.number } else { caller.shown }
    }

    /// The ways in the order of their priority, each with the numbers as its trunk gets them.
    fn ways_words(&self, peer: &Peer, caller: Caller<'_>) -> Text {
        let ways = self.ways_out_words(peer, caller);
        let drill = if peer.drill {
            ("（演练，不通向任何人）", " (drill, leads to nobody)")
        } else {
            ("", "")
        };
        Text::new(format!("{}{}", ways.zh, drill.0), format!("{}{}", ways.en, drill.1))
    }

    fn ways_out_words(&self, peer: &Peer, caller: Caller<'_>) -> Text {
        let ways = self.ways(&peer.trunk, &peer.number, self.told_to(peer, caller));
        let one = |way: &Way<'_>| {
            let (zh, en) = match way.caller.as_str() {
                same if same == caller.number => (String::new(), String::new()),
                "" => ("，不送主叫号码".to_owned(), " without the caller's number".to_owned()),
                other => (format!("，主叫 {other}"), format!(" as {other}")),
            };
            (
                format!("经中继 {} 呼叫 {}{zh}", way.trunk.id, way.called),
                format!("calls {} by the trunk {}{en}", way.called, way.trunk.id),
            )
        };
        if !self.groups.contains_key(&peer.trunk) {
            let (zh, en) = ways.first().map(one).unwrap_or_default();
            return Text::new(zh, en);
        }
        let (zh, en): (Vec<String>, Vec<String>) = ways
            .iter()
            .map(|way| {
                let ((zh, en), priority, weight) = (one(way), way.priority, way.weight);
                (
                    format!("{zh}（优先级 {priority}，权重 {weight}）"),
                    format!("{en} (priority {priority}, weight {weight})"),
                )
            })
            .unzip();
        Text::new(
            format!("按中继组 {} 依次: {}", peer.trunk, zh.join("；")),
            format!("by the group {}, in turn: {}", peer.trunk, en.join("; ")),
        )
    }

    fn said(&self, zh: &str, en: &str, prompt: &PromptId) -> Text {
        let text = self.prompts.get(prompt).map_or("", |prompt| prompt.text.as_str());
        Text::new(format!("{zh} {prompt}: {text}"), format!("{en} {prompt}: {text}"))
    }
}

/// Whether the call is refused, and nobody is waited for.
pub(super) fn is_refused(flow: &Flow) -> bool {
    matches!(flow.steps[..], [Step::Refuse { .. }])
}

fn recorded_words(recorded: bool) -> Text {
    match recorded {
        true => Text::new("自接通起录音", "recorded from the answer on"),
        false => Text::new("不录音", "not recorded"),
    }
}

/// A mode in the notice's words.
pub fn mode_words(mode: &LineMode) -> Text {
    match mode {
        LineMode::Primary { .. } => Text::new("主号码", "primary"),
        LineMode::Merged { .. } => Text::new("整体并入", "merged"),
        LineMode::Dual { .. } => Text::new("双号并行", "dual"),
        LineMode::Retained { .. } => Text::new("双号并行（保留座席）", "dual, seats retained"),
        LineMode::SubCenter { .. } => Text::new("设分中心", "sub-center"),
        LineMode::Bench(_) => Text::new("压测", "bench"),
        LineMode::Meeting(_) => Text::new("会议室", "meeting room"),
        LineMode::Watch { .. } => Text::new("坐席监听", "listening to a seat"),
    }
}

impl LineMode {
    /// How a part of a merge list says that its numbers are merged.
    pub(super) fn words_of_part(part: &str) -> Text {
        match part {
            "1" => Text::new("整体并入", "merged"),
            "2" => Text::new("双号并行", "dual"),
            "3" => Text::new("设分中心", "sub-center"),
            _ => Text::new("-", "-"),
        }
    }
}

/// A place by its name in SIP.
pub fn place_name(from: DialledFrom) -> &'static str {
    match from {
        DialledFrom::RequestUri => "Request-URI",
        DialledFrom::HistoryInfo => "History-Info",
        DialledFrom::Diversion => "Diversion",
        DialledFrom::PCalledPartyId => "P-Called-Party-ID",
        DialledFrom::To => "To",
    }
}

#[cfg(test)]
#[path = "explain_test.rs"]
mod tests;
