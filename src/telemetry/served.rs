//! What callers do by themselves, in flows of the operator's: of one call, and of all in figures.

use std::collections::BTreeSet;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};

use super::figures::{Labels, count};
use crate::id::{BotId, LookUpId, ScriptId};
use crate::switchboard::fact::{Answer, BotEnd, Span, Subject, What};

/// Flows, questions and talks with programs kept of one call; later ones stay in the facts only.
pub const SERVED_MAX: usize = 16;
/// Flows, sources and programs with figures of their own; later ones share the label `other`.
const NAMES_MAX: usize = 256;
/// Why a ticket was left that the caller ordered.
const SELF_SERVICE: &str = "self_service";

/// What the caller of one call did by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Served {
    /// Flows that they came through, in order, at most [`SERVED_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<ScriptId>,
    /// The one that they are in, or have left the call in without wanting a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<ScriptId>,
    /// What they ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered: Option<OrderOf>,
    /// Messages that they left, at most [`SERVED_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Span>,
    /// What was asked for them, at most [`SERVED_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub look_ups: Vec<LookUpOf>,
    /// Programs that talked with them, at most [`SERVED_MAX`]; what was said is in the facts and the ticket.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bots: Vec<BotOf>,
    /// The grade that they gave in a flow, 1 … 5: no clerk's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_grade: Option<u8>,
    /// Why it was bad, by its digit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_reason: Option<u8>,
}

/// A ticket that was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderOf {
    /// What it is about.
    pub category: String,
    /// Where the message that belongs to it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Span>,
}

/// A question to an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookUpOf {
    /// Whom.
    pub source: LookUpId,
    /// What came of it.
    pub answer: Answer,
}

/// A talk with a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotOf {
    /// Which.
    pub bot: BotId,
    /// How it ended.
    pub end: BotEnd,
}

impl Served {
    pub(super) fn apply(&mut self, what: &What) {
        match what {
            What::ScriptBegun { script } => {
                self.flow = Some(script.clone());
                push(&mut self.flows, script.clone());
            }
            What::LookedUp { source, answer, .. } => {
                push(&mut self.look_ups, LookUpOf { source: source.clone(), answer: *answer });
            }
            What::BotTalked { bot, end, .. } => {
                push(&mut self.bots, BotOf { bot: bot.clone(), end: *end });
            }
            What::MessageLeft { from_ms, to_ms, .. } => {
                push(&mut self.messages, Span { from_ms: *from_ms, to_ms: *to_ms });
            }
            What::Ordered { category, message, .. } => {
                self.ordered = Some(OrderOf { category: category.clone(), message: *message });
            }
            What::Surveyed { grade, subject: Subject::Flow } => self.flow_grade = Some(*grade),
            What::SurveyReason { digit, subject: Subject::Flow, .. } => self.flow_reason = Some(*digit),
            What::TicketLeft { reason } if reason == SELF_SERVICE => {}
            // On the way to a person, or with one.
            What::Queued { .. }
            | What::SeatAnswered { .. }
            | What::PeerAnswered { .. }
            | What::TicketLeft { .. } => self.flow = None,
            _ => {}
        }
    }
}

fn push<T>(list: &mut Vec<T>, one: T) {
    if list.len() < SERVED_MAX {
        list.push(one);
    }
}

/// The figures; handles are shared.
#[derive(Clone, Debug)]
pub(super) struct ServedFigures {
    flows: Family<Labels, Counter>,
    look_ups: Family<Labels, Counter>,
    talks: Family<Labels, Counter>,
    talk_lengths: Family<Labels, Histogram, fn() -> Histogram>,
    took: Family<Labels, Histogram, fn() -> Histogram>,
    messages: Counter,
    orders: Counter,
    grades: Family<Labels, Counter>,
}

/// Seconds that an adapter takes.
fn spans() -> Histogram {
    Histogram::new([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0])
}

/// Seconds that a program talks with a caller.
fn talks() -> Histogram {
    Histogram::new([1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0])
}

impl Default for ServedFigures {
    fn default() -> Self {
        ServedFigures {
            flows: Family::default(),
            look_ups: Family::default(),
            took: Family::new_with_constructor(spans),
            talks: Family::default(),
            talk_lengths: Family::new_with_constructor(talks),
            messages: Counter::default(),
            orders: Counter::default(),
            grades: Family::default(),
        }
    }
}

impl ServedFigures {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register("flows_begun", "Flows that callers came into", self.flows.clone());
        r.register(
            "look_ups",
            "Questions of flows to adapters: found, missing, locked (not asked) or failed",
            self.look_ups.clone(),
        );
        r.register("look_up_seconds", "Until an adapter answered a flow", self.took.clone());
        r.register(
            "bot_talks",
            "Talks of programs with callers that are over, by how they ended",
            self.talks.clone(),
        );
        r.register(
            "bot_talk_seconds",
            "How long a program talked, from when it was asked for",
            self.talk_lengths.clone(),
        );
        r.register("messages_left", "Messages that callers spoke in flows", self.messages.clone());
        r.register("tickets_ordered", "Tickets that callers ordered in flows", self.orders.clone());
        r.register("flow_grades", "Grades given in flows, which are no clerk's", self.grades.clone());
    }

    /// Takes a fact in; `names` are those with figures of their own.
    pub(super) fn apply(&self, what: &What, names: &mut Names) {
        match what {
            What::ScriptBegun { script } => {
                count(&self.flows, vec![("flow", names.of_flow(script.as_str()))]);
            }
            What::LookedUp { source, answer, took_ms, .. } => {
                let source = names.of_source(source.as_str());
                count(&self.look_ups, vec![("source", source.clone()), ("answer", answer.word().to_owned())]);
                if *answer != Answer::Locked {
                    let took = Duration::from_millis(*took_ms).as_secs_f64();
                    self.took.get_or_create(&vec![("source", source)]).observe(took);
                }
            }
            What::BotTalked { bot, end, took_ms, .. } => {
                let bot = names.of_bot(bot.as_str());
                count(&self.talks, vec![("bot", bot.clone()), ("end", end.word().to_owned())]);
                let took = Duration::from_millis(*took_ms).as_secs_f64();
                self.talk_lengths.get_or_create(&vec![("bot", bot)]).observe(took);
            }
            What::MessageLeft { .. } => {
                self.messages.inc();
            }
            What::Ordered { .. } => {
                self.orders.inc();
            }
            What::Surveyed { grade, subject: Subject::Flow } => {
                count(&self.grades, vec![("grade", grade.min(&9).to_string())]);
            }
            _ => {}
        }
    }
}

/// Flows and sources with figures of their own.
#[derive(Debug, Default)]
pub(super) struct Names {
    flows: BTreeSet<String>,
    sources: BTreeSet<String>,
    bots: BTreeSet<String>,
}

impl Names {
    fn of_flow(&mut self, name: &str) -> String {
        label(&mut self.flows, name)
    }

    fn of_bot(&mut self, name: &str) -> String {
        label(&mut self.bots, name)
    }

    fn of_source(&mut self, name: &str) -> String {
        label(&mut self.sources, name)
    }
}

fn label(known: &mut BTreeSet<String>, name: &str) -> String {
    if known.contains(name) || known.len() < NAMES_MAX {
        known.insert(name.to_owned());
        return name.to_owned();
    }
    "other".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_in_a_flow_until_somebody_is_asked_for() {
        let begun = |script: &str| What::ScriptBegun { script: script.into() };
        let left = |reason: &str| What::TicketLeft { reason: reason.into() };
        let ordered = What::Ordered {
            category: "noise".into(),
            values: Default::default(),
            message: Some(Span { from_ms: 12_000, to_ms: 30_500 }),
            code: Some("004711".into()),
        };
        let message = What::MessageLeft { name: "what".into(), from_ms: 12_000, to_ms: 30_500 };
        for (facts, flow) in [
            (vec![begun("main")], Some("main")),
            (vec![begun("main"), begun("order")], Some("order")),
            (vec![begun("main"), message.clone(), left("self_service"), ordered.clone()], Some("main")),
            (vec![begun("main"), What::Queued { queue: "main".into() }], None),
            (vec![begun("main"), left("cool_down")], None),
            (
                vec![
                    begun("main"),
                    What::PeerAnswered { trunk: "out".into(), number: "138******00".into(), leg: None },
                ],
                None,
            ),
        ] {
            let mut served = Served::default();
            facts.iter().for_each(|fact| served.apply(fact));
            assert_eq!(served.flow.as_ref().map(ScriptId::as_str), flow, "{facts:?}");
            let json = serde_json::to_string(&served).expect("a row");
            assert_eq!(serde_json::from_str::<Served>(&json).expect("the row"), served);
            assert!(!json.contains("004711"), "no code in a row: {json}");
        }
    }

    #[test]
    fn lists_and_labels_are_bounded() {
        let mut served = Served::default();
        let (figures, mut names) = (ServedFigures::default(), Names::default());
        for n in 0..2 * NAMES_MAX {
            let what = What::ScriptBegun { script: format!("flow {n}").as_str().into() };
            served.apply(&what);
            figures.apply(&what, &mut names);
        }
        assert_eq!((served.flows.len(), names.flows.len()), (SERVED_MAX, NAMES_MAX));
        let other = figures.flows.get_or_create(&vec![("flow", "other".to_owned())]).get();
        assert_eq!(other, NAMES_MAX as u64);
    }
}
