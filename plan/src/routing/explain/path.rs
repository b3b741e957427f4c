//! The way of one call, as far as what is given decides it: the steps and acts that its caller comes through, what is
//! pressed in each, and what it hangs on where it ends. The walk is that of [tests](super::super::cases).

use serde::Serialize;

use super::super::cases::{Fate, Given, Passed, Waited, Walked, What};
use super::super::diagnostic::Text;
use super::super::origins::Origins;
use super::super::plan::{Flow, Plan, Step, TicketReason};
use super::super::script::{Act, Leads, PERSON_KEY, Script, When};
use super::super::source::Place;
use super::flows::{Destination, ExplainedFlow, destination};
use super::{Asked, acts};
use crate::id::ScriptId;

/// The way of a call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedPath {
    /// What the caller comes through, in order.
    pub passed: Vec<ExplainedPassing>,
    /// What the rest hangs on, where nobody has said that; absent: the way is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hangs_on: Option<HangsOn>,
    /// What was said and means nothing on this way, and what was not and changes words of it only.
    pub remarks: Vec<Text>,
    /// What becomes of the caller, by the names of a test's `expect`; absent: that hangs on something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fate: Option<Fate>,
}

/// Something that the caller comes through.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedPassing {
    /// What happens.
    pub words: Text,
    /// What the caller presses in it; empty: nothing.
    pub keys: String,
    /// The way that the call takes from an act of a flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<TakenWay>,
    /// The flow whose act it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// Where the act is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A way that is taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TakenWay {
    /// Why.
    pub when: Text,
    /// Where it leads.
    pub to: Destination,
}

/// What a way hangs on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HangsOn {
    /// In words.
    pub words: Text,
    /// The option of `hotline explain` that says it.
    pub option: String,
}

impl Plan {
    /// A walked way in words.
    pub(super) fn path(
        &self,
        origins: &Origins,
        asked: &Asked<'_>,
        walked: &Walked,
        given: &Given<'_>,
    ) -> ExplainedPath {
        let passed = walked.passed.iter().map(|passed| self.passing(origins, asked, passed));
        let hangs_on = walked.open.as_ref();
        ExplainedPath {
            passed: passed.collect(),
            hangs_on: hangs_on.map(|open| HangsOn { words: open.words(), option: open.option() }),
            remarks: remarks(walked, given),
            fate: hangs_on.is_none().then(|| walked.fate.clone()),
        }
    }

    fn passing(&self, origins: &Origins, asked: &Asked<'_>, passed: &Passed) -> ExplainedPassing {
        let plain =
            |words| ExplainedPassing { words, keys: passed.keys.clone(), way: None, flow: None, place: None };
        match &passed.what {
            What::Step(Step::Ticket { prompt, .. }) => {
                // Here it is no question whether.
                let step = Step::Ticket { prompt: prompt.clone(), reason: TicketReason::SelfService };
                plain(self.step_words(&self.in_language(step, asked.line), asked.caller))
            }
            What::Step(step) => {
                plain(self.step_words(&self.in_language(step.clone(), asked.line), asked.caller))
            }
            What::Notice(name) => plain(self.step_words(&Step::HotNotice(name.clone()), asked.caller)),
            What::Rang { answered: true } => {
                plain(Text::new("对方接听，双方通话", "somebody picks up, and the two talk"))
            }
            What::Rang { answered: false } => plain(Text::new("无人接听", "nobody picks up")),
            What::Waited { how, .. } => plain(waited_words(*how)),
            What::Act { script, place, when } => {
                let Some((script, act)) = self.act_at(script, *place) else {
                    return plain(Text::new("", ""));
                };
                let written = origins.scripts.get(&script.id).and_then(|(_, acts)| acts.get(*place));
                ExplainedPassing {
                    way: when.map(|when| self.taken(script, *place, when, &passed.keys)),
                    flow: Some(script.id.to_string()),
                    place: written.cloned(),
                    ..plain(self.act_words(act, asked.caller))
                }
            }
        }
    }

    fn act_at(&self, script: &ScriptId, place: usize) -> Option<(&Script, &Act)> {
        let script = self.scripts.get(script)?;
        Some((script, script.acts.get(place)?))
    }

    fn taken(&self, script: &Script, place: usize, when: When, keys: &str) -> TakenWay {
        let act = &script.acts[place];
        let way = act.ways().into_iter().find(|way| way.when == when);
        let to = way.map_or(Leads::Person, |way| way.to);
        let when = match (act, when) {
            (Act::Branch(branch), When::Case(case)) => {
                let words = branch.cases[case].when.iter().map(acts::condition_words);
                let (zh, en): (Vec<String>, Vec<String>) = words.map(|words| (words.zh, words.en)).unzip();
                Text::new(zh.join("，且"), en.join(", and "))
            }
            (Act::Say(_), When::Key(PERSON_KEY)) if keys.is_empty() => {
                Text::new("有一个值不能这样读", "a value of it cannot be read in that way")
            }
            // Whoever says that it is urgent comes to a person as well.
            (_, When::Key(key)) => acts::when_words(act, When::Key(keys.chars().last().unwrap_or(key))),
            _ => acts::when_words(act, when),
        };
        TakenWay { when, to: destination(to, place + 1 == script.acts.len()) }
    }
}

/// The steps of the call's own that were taken: what decides those decides the way.
pub(super) fn steps_taken(walked: &Walked, flow: &Flow) -> Flow {
    let steps = walked.passed.iter().filter_map(|passed| match &passed.what {
        What::Step(step) => Some(step.clone()),
        _ => None,
    });
    Flow { steps: steps.collect(), ..flow.clone() }
}

/// Of the flows that the call might come through the acts that it did.
pub(super) fn acts_taken(walked: &Walked, flows: &[ExplainedFlow]) -> Vec<ExplainedFlow> {
    let was_taken = |flow: &str, step: usize| {
        walked.passed.iter().any(|passed| {
            matches!(&passed.what, What::Act { script, place, .. } if script.as_str() == flow && place + 1 == step)
        })
    };
    let taken = flows.iter().map(|flow| {
        let acts = flow.acts.iter().filter(|act| was_taken(&flow.name, act.step));
        ExplainedFlow { name: flow.name.clone(), acts: acts.cloned().collect() }
    });
    taken.filter(|flow| !flow.acts.is_empty()).collect()
}

/// The queues whose rules decide the way: those that the caller comes to, and the one in front of which it ends.
pub(super) fn queues_met(walked: &Walked, flow: &Flow) -> Vec<String> {
    let met = walked.passed.iter().filter_map(|passed| match &passed.what {
        What::Step(Step::Queue(queue)) => Some(queue.to_string()),
        _ => None,
    });
    let mut queues: Vec<String> = met.collect();
    let greets_by_its_rules = walked.passed.iter().any(|passed| match &passed.what {
        What::Step(Step::Play(prompt)) => !flow.steps.contains(&Step::Play(prompt.clone())),
        _ => false,
    });
    if let Some(own) = flow.queue().filter(|_| walked.open.is_some() || greets_by_its_rules) {
        queues.push(own.to_string());
    }
    let mut seen = std::collections::BTreeSet::new();
    queues.retain(|queue| seen.insert(queue.clone()));
    queues
}

fn waited_words(how: Waited) -> Text {
    match how {
        Waited::Taken => Text::new("有空闲座席，接听并通话", "a clerk is free: the two talk"),
        Waited::TakenLater => {
            Text::new("没有空闲座席，等到有座席接听", "no clerk is free: waits until one takes the call")
        }
        Waited::Full => Text::new("队列已满，不再接纳", "the queue is full: not let in"),
        Waited::Shed { below } => Text::new(
            format!("等候的人多，优先级低于 {below} 分的不再接纳"),
            format!("many wait: whoever stands below priority {below} is not let in"),
        ),
        Waited::TooLong => {
            Text::new("预计要等得太久，不再接纳", "the wait would be too long by the guess: not let in")
        }
        Waited::NobodyThere => {
            Text::new("没有座席登录，等到时限", "no seat is signed in: waits until the time is over")
        }
        Waited::WaitedOut => {
            Text::new("座席一直忙，等到时限", "all clerks stay busy: waits until the time is over")
        }
        Waited::Kept => Text::new(
            "保留位置并挂机，轮到时回拨",
            "keeps the turn and hangs up: is called back when it comes",
        ),
        Waited::CoolsDown => Text::new(
            "上次通话刚结束，按来电人规则不进队列",
            "called only just now: by the policy about this caller, not to the queue",
        ),
    }
}

fn remarks(walked: &Walked, given: &Given<'_>) -> Vec<Text> {
    let fate = &walked.fate;
    let mut remarks = Vec::new();
    if !fate.unpressed.is_empty() && walked.open.is_none() {
        let keys = &fate.unpressed;
        remarks.push(Text::new(
            format!("走不到按 {keys} 的地方"),
            format!("nothing comes that {keys} could be pressed for"),
        ));
    }
    for (of, _) in given.answers.iter().filter(|(of, _)| !fate.asked.iter().any(|asked| asked == *of)) {
        remarks.push(Text::new(format!("不会问到 {of}"), format!("{of} is not asked")));
    }
    if given.notices.is_none() && fate.queue.is_some() {
        remarks.push(Text::new(
            "没有写明有没有临时公告，按没有算（--notice）",
            "as if no hot notices stood, of which nothing is said (--notice)",
        ));
    }
    if fate.guess_unsaid {
        remarks.push(Text::new(
            "没有写明预计等多久，不知道向来电人报几分钟（--expected-wait）",
            "how many minutes the caller is told is not known: nothing is said of the guess (--expected-wait)",
        ));
    }
    remarks
}
