//! Where acts lead and which values they want: what checks, proofs and explanations walk along.
//!
//! Walking is for them to do; what is so of a call, nobody here knows.

use super::super::plan::City;
use super::{Act, Condition, PERSON_KEY, Script, Spoken, Target};
use crate::id::{LineId, PromptId, QueueId, ScriptId};
use crate::time::Timestamp;

/// A way on from an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptWay<'a> {
    /// What must come about for it.
    pub when: When,
    /// Where it leads.
    pub to: Leads<'a>,
}

/// What takes a call on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The act is done: what was to be said is said, what was to be found is found.
    Done,
    /// The caller pressed it; [`PERSON_KEY`] among them.
    Key(char),
    /// The question was put as often as it may be.
    Tried,
    /// Nothing is found by that.
    Missing,
    /// Whoever was asked does not answer in time, or may be asked no more.
    Failed,
    /// This case of a branch is so, and none before it.
    Case(usize),
    /// No case is.
    Otherwise,
    /// Nobody picked up.
    Unanswered,
}

/// Where a way leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads<'a> {
    /// To the act behind it; behind the last, to a person.
    On,
    /// To the first act of a flow.
    Script(&'a ScriptId),
    /// To a person: on as if the line had no flow.
    Person,
    /// To a person of this queue.
    Queue(&'a QueueId),
    /// Nowhere: two talk until they are done.
    Talk,
    /// Nowhere: the call is over.
    End,
}

impl Script {
    /// Every way of every act, with the act's place.
    pub fn ways(&self) -> impl Iterator<Item = (usize, ScriptWay<'_>)> {
        self.acts
            .iter()
            .enumerate()
            .flat_map(|(place, act)| act.ways().into_iter().map(move |way| (place, way)))
    }

    /// Its acts up to the last that can be come to.
    pub fn reached(&self) -> &[Act] {
        let last = self.acts.iter().position(|act| !act.goes_on());
        last.map_or(&self.acts[..], |last| &self.acts[..=last])
    }
}

impl Act {
    /// Its name in the file.
    pub fn kind(&self) -> &'static str {
        match self {
            Act::Play(_) => "play",
            Act::Say(_) => "say",
            Act::Menu(_) => "menu",
            Act::Collect(_) => "collect",
            Act::Message(_) => "message",
            Act::LookUp(_) => "look_up",
            Act::Order(_) => "order",
            Act::Branch(_) => "branch",
            Act::Queue(_) => "queue",
            Act::Transfer(_) => "transfer",
            Act::Bot(_) => "bot",
            Act::Survey => "survey",
            Act::Go(_) => "go",
            Act::HangUp => "hang_up",
        }
    }

    /// Where it may lead, the way of who does as asked first and the key for a person last.
    pub fn ways(&self) -> Vec<ScriptWay<'_>> {
        let way = |when, to| ScriptWay { when, to };
        let done = way(When::Done, Leads::On);
        let tried = way(When::Tried, Leads::Person);
        let mut ways = match self {
            Act::Play(_) | Act::Say(_) | Act::Order(_) | Act::Survey => vec![done],
            Act::Menu(menu) => {
                let keys = menu.keys.iter().map(|(key, to)| way(When::Key(*key), Leads::Script(to)));
                keys.chain([tried]).collect()
            }
            Act::Collect(_) | Act::Message(_) => vec![done, tried],
            Act::LookUp(asked) => {
                let failed = asked.failed.as_ref().map_or(Leads::Person, Leads::Script);
                let missing = asked.missing.as_ref().map_or(Leads::On, Leads::Script);
                vec![done, way(When::Missing, missing), way(When::Failed, failed)]
            }
            Act::Branch(branch) => {
                let cases = branch.cases.iter().enumerate();
                let cases = cases.map(|(place, case)| way(When::Case(place), Leads::Script(&case.to)));
                let otherwise = branch.otherwise.as_ref().map_or(Leads::On, Leads::Script);
                cases.chain([way(When::Otherwise, otherwise)]).collect()
            }
            Act::Queue(queue) => vec![way(When::Done, Leads::Queue(queue))],
            Act::Transfer(transfer) => {
                let failed = transfer.failed.as_ref().map_or(Leads::On, Leads::Script);
                vec![way(When::Done, Leads::Talk), way(When::Unanswered, failed)]
            }
            Act::Bot(_) => vec![done, way(When::Failed, Leads::Person)],
            Act::Go(to) => vec![way(When::Done, Leads::Script(to))],
            Act::HangUp => vec![way(When::Done, Leads::End)],
        };
        if self.takes_time() {
            ways.push(way(When::Key(PERSON_KEY), Leads::Person));
        }
        ways
    }

    /// The flows that it can lead to.
    pub fn leads_to(&self) -> impl Iterator<Item = &ScriptId> {
        self.ways().into_iter().filter_map(|way| match way.to {
            Leads::Script(script) => Some(script),
            _ => None,
        })
    }

    /// Whether a caller hears anything of it, and so may press the key for a person.
    fn takes_time(&self) -> bool {
        !matches!(self, Act::Branch(_) | Act::Queue(_) | Act::Go(_) | Act::HangUp)
    }

    /// Whether hot notices that wait are told before it. What a flow plays first greets the caller, and comes before
    /// them; a branch and a `go` lead to what is said, and say nothing. `greeted`: whether it has.
    pub fn comes_behind_notices(&self, greeted: &mut bool) -> bool {
        match self {
            Act::Branch(_) | Act::Go(_) => false,
            Act::Play(_) if !*greeted => {
                *greeted = true;
                false
            }
            _ => true,
        }
    }

    /// Whether any call comes to what stands behind it.
    pub fn goes_on(&self) -> bool {
        self.ways().iter().any(|way| way.to == Leads::On)
    }

    /// Prompts that may be heard in it.
    pub fn prompts(&self) -> Vec<&PromptId> {
        match self {
            Act::Play(prompt) => vec![prompt],
            Act::Say(pieces) => pieces.iter().flat_map(Spoken::prompts).collect(),
            Act::Menu(menu) => vec![&menu.prompt],
            Act::Collect(collect) => vec![&collect.prompt],
            Act::Message(message) => vec![&message.prompt],
            Act::LookUp(asked) => asked.music.iter().collect(),
            Act::Order(order) => [&order.prompt].into_iter().chain(&order.code_prompt).collect(),
            Act::Branch(_)
            | Act::Queue(_)
            | Act::Transfer(_)
            | Act::Bot(_)
            | Act::Survey
            | Act::Go(_)
            | Act::HangUp => Vec::new(),
        }
    }

    /// Names of the values that it asks for, some of them more than once.
    pub fn wants(&self) -> Vec<&str> {
        match self {
            Act::Say(pieces) => pieces.iter().filter_map(Spoken::value).collect(),
            Act::LookUp(asked) => asked.with.values().map(String::as_str).collect(),
            Act::Order(order) => order.values.iter().map(String::as_str).collect(),
            Act::Branch(branch) => {
                branch.cases.iter().flat_map(|case| &case.when).filter_map(Condition::value).collect()
            }
            Act::Transfer(transfer) => match &transfer.to {
                Target::Value(relay) => vec![&relay.name],
                Target::Peer(_) => Vec::new(),
            },
            Act::Play(_)
            | Act::Menu(_)
            | Act::Collect(_)
            | Act::Message(_)
            | Act::Queue(_)
            | Act::Bot(_)
            | Act::Survey
            | Act::Go(_)
            | Act::HangUp => Vec::new(),
        }
    }

    /// The value that the caller gives in it.
    pub fn gives(&self) -> Option<&str> {
        match self {
            Act::Collect(collect) => Some(&collect.into),
            Act::Message(message) => Some(&message.into),
            _ => None,
        }
    }
}

impl Spoken {
    /// The value that it reads or goes by.
    pub fn value(&self) -> Option<&str> {
        match self {
            Spoken::Prompt(_) => None,
            Spoken::Value { name, .. } | Spoken::Choice { name, .. } => Some(name),
        }
    }

    /// Prompts that it may be.
    pub fn prompts(&self) -> Vec<&PromptId> {
        match self {
            Spoken::Prompt(prompt) => vec![prompt],
            Spoken::Value { .. } => Vec::new(),
            Spoken::Choice { prompts, otherwise, .. } => prompts.values().chain(otherwise).collect(),
        }
    }
}

impl Condition {
    /// Whether it is so for a call to `line` at `at`; `None`: only the call will know. `caller`: `None` where it
    /// is not known yet who calls.
    pub fn is_so(&self, city: &City, line: &LineId, caller: Option<&str>, at: Timestamp) -> Option<bool> {
        match self {
            Condition::Inside(hours) => Some(hours.are_open(at, &city.time_zone)),
            Condition::Outside(hours) => Some(!hours.are_open(at, &city.time_zone)),
            Condition::Line(lines) => Some(lines.contains(line)),
            Condition::Caller(beginnings) => {
                // However the carrier writes the number.
                let forms = city.caller_forms(caller?);
                let begins = |form: &str| beginnings.iter().any(|with| form.starts_with(with.as_str()));
                Some(forms.iter().any(|form| begins(form)))
            }
            Condition::Value { .. } => None,
        }
    }

    /// The value that it is about.
    pub fn value(&self) -> Option<&str> {
        match self {
            Condition::Value { name, .. } => Some(name),
            Condition::Inside(_) | Condition::Outside(_) | Condition::Line(_) | Condition::Caller(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Branch, Case, LookUp, Menu};
    use super::*;

    fn leads(act: &Act) -> Vec<(When, Leads<'_>)> {
        act.ways().iter().map(|way| (way.when, way.to)).collect()
    }

    #[test]
    fn a_menu_leads_by_its_keys_and_to_a_person_and_never_on() {
        let to = ScriptId::from("faq");
        let keys = [('1', to.clone())].into();
        let wait = Duration::from_secs(5);
        let menu = Act::Menu(Menu { prompt: "question".into(), keys, wait, tries: 2 });
        let person = [(When::Tried, Leads::Person), (When::Key('0'), Leads::Person)];
        assert_eq!(leads(&menu), [&[(When::Key('1'), Leads::Script(&to))][..], &person].concat());
        assert!(!menu.goes_on());
    }

    #[test]
    fn what_is_not_said_of_a_look_up_or_a_branch_leads_on_or_to_a_person() {
        let (source, with) = ("tickets".into(), [("ticket".to_owned(), "number".to_owned())].into());
        let asked = Act::LookUp(LookUp { source, with, music: None, missing: None, failed: None });
        let expected = [
            (When::Done, Leads::On),
            (When::Missing, Leads::On),
            (When::Failed, Leads::Person),
            (When::Key('0'), Leads::Person),
        ];
        assert_eq!(leads(&asked), expected);
        assert_eq!(asked.wants(), ["number"]);
        let to = ScriptId::from("done");
        let when = vec![Condition::Value { name: "state".into(), is: vec!["done".into()] }];
        let cases = vec![Case { when, to: to.clone() }];
        let branch = Act::Branch(Branch { cases, otherwise: None });
        let expected = [(When::Case(0), Leads::Script(&to)), (When::Otherwise, Leads::On)];
        assert_eq!((leads(&branch), branch.wants()), (expected.to_vec(), vec!["state"]));
    }
}
