//! The flows that a call may come through, act by act: what is decided by line, caller and instant is decided here,
//! and what only the caller or an adapter decides is told as it stands.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use super::super::diagnostic::Text;
use super::super::origins::Origins;
use super::super::plan::Plan;
use super::super::script::{Act, Branch, Case, Condition, Leads, Script, When};
use super::super::source::Place;
use super::{Asked, acts};
use crate::id::ScriptId;

/// A flow that a call may come through.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedFlow {
    /// Its name.
    pub name: String,
    /// The acts of it that the call may come to.
    pub acts: Vec<ExplainedAct>,
}

/// One of its acts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedAct {
    /// Its place in the flow, from 1.
    pub step: usize,
    /// What it does, by its key in the file.
    pub kind: &'static str,
    /// What happens.
    pub words: Text,
    /// What may be said in it.
    pub said: Vec<SaidPrompt>,
    /// How the call may go on.
    pub ways: Vec<ExplainedWay>,
    /// Where it is written.
    pub place: Option<Place>,
}

/// A prompt and its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidPrompt {
    /// Its id.
    pub prompt: String,
    /// What is said.
    pub text: String,
}

/// A way on from an act.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedWay {
    /// What must come about for it.
    pub when: Text,
    /// The key that takes it.
    pub key: Option<char>,
    /// Where it leads.
    pub to: Destination,
}

/// Where a way leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// The next act of the flow.
    Next,
    /// The first act of this flow.
    Flow(String),
    /// A person, as if the line had no flow.
    Person,
    /// A person of this queue.
    Queue(String),
    /// Two talk.
    Talk,
    /// The call is over.
    End,
}

/// Where a way of an act leads that may be the last of its flow.
pub(super) fn destination(leads: Leads<'_>, is_last: bool) -> Destination {
    match leads {
        Leads::On if is_last => Destination::Person,
        Leads::On => Destination::Next,
        Leads::Script(to) => Destination::Flow(to.to_string()),
        Leads::Person => Destination::Person,
        Leads::Queue(queue) => Destination::Queue(queue.to_string()),
        Leads::Talk => Destination::Talk,
        Leads::End => Destination::End,
    }
}

impl Plan {
    /// The flows of the call from `first` on, each once, in the order in which the call may come to them.
    pub(super) fn explained_flows(
        &self,
        origins: &Origins,
        first: &ScriptId,
        asked: &Asked<'_>,
    ) -> Vec<ExplainedFlow> {
        let mut reached: BTreeMap<&ScriptId, BTreeSet<usize>> = BTreeMap::new();
        let mut order: Vec<&Script> = Vec::new();
        let mut ahead: VecDeque<(&ScriptId, usize)> = VecDeque::from([(first, 0)]);
        while let Some((id, place)) = ahead.pop_front() {
            let Some((id, script)) = self.scripts.get_key_value(id) else { continue };
            let Some(act) = script.acts.get(place) else { continue };
            if !reached.contains_key(id) {
                order.push(script);
            }
            if !reached.entry(id).or_default().insert(place) {
                continue;
            }
            for (way, _) in self.ways_of_call(act, asked) {
                match way.to {
                    Leads::On => ahead.push_front((id, place + 1)), // A flow to its end before the next one.
                    Leads::Script(to) => ahead.push_back((to, 0)),
                    Leads::Person | Leads::Queue(_) | Leads::Talk | Leads::End => {}
                }
            }
        }
        let explained = |script: &&Script| ExplainedFlow {
            name: script.id.to_string(),
            acts: reached[&script.id]
                .iter()
                .map(|place| self.explained_act(origins, script, *place, asked))
                .collect(),
        };
        order.iter().map(explained).collect()
    }

    fn explained_act(
        &self,
        origins: &Origins,
        script: &Script,
        place: usize,
        asked: &Asked<'_>,
    ) -> ExplainedAct {
        let act = &script.acts[place];
        let is_last = place + 1 == script.acts.len();
        let written = origins.scripts.get(&script.id).and_then(|(_, steps)| steps.get(place));
        let said = act.prompts().into_iter().map(|prompt| SaidPrompt {
            prompt: prompt.to_string(),
            text: self.prompts.get(prompt).map_or_else(String::new, |prompt| prompt.text.clone()),
        });
        let ways = self.ways_of_call(act, asked).into_iter().map(|(way, decided)| ExplainedWay {
            when: self.when_words(act, way.when, decided),
            key: match way.when {
                When::Key(key) => Some(key),
                _ => None,
            },
            to: destination(way.to, is_last),
        });
        ExplainedAct {
            step: place + 1,
            kind: act.kind(),
            words: self.act_words(act, asked.caller),
            said: said.collect(),
            ways: ways.collect(),
            place: written.cloned(),
        }
    }

    /// The ways that the call may take; with each whether line, caller and instant alone decide for it.
    fn ways_of_call<'s>(
        &self,
        act: &'s Act,
        asked: &Asked<'_>,
    ) -> Vec<(super::super::script::ScriptWay<'s>, bool)> {
        let Act::Branch(branch) = act else {
            return act.ways().into_iter().map(|way| (way, false)).collect();
        };
        let verdicts: Vec<Option<bool>> = branch.cases.iter().map(|case| self.is_so(case, asked)).collect();
        let taken = verdicts.iter().position(|verdict| *verdict == Some(true));
        let open = verdicts.iter().take(taken.unwrap_or(verdicts.len())).any(Option::is_none);
        let may = |when: When| match when {
            When::Case(place) => verdicts[place] != Some(false) && taken.is_none_or(|taken| place <= taken),
            _ => taken.is_none(),
        };
        act.ways().into_iter().filter(|way| may(way.when)).map(|way| (way, !open)).collect()
    }

    /// Whether a case is so for the call; `None` where a value decides.
    fn is_so(&self, case: &Case, asked: &Asked<'_>) -> Option<bool> {
        let one = |condition: &Condition| {
            condition.is_so(&self.city, &asked.line.number, Some(asked.caller.number), asked.at)
        };
        let verdicts: Vec<Option<bool>> = case.when.iter().map(one).collect();
        if verdicts.contains(&Some(false)) {
            return Some(false);
        }
        (!verdicts.contains(&None)).then_some(true)
    }

    fn when_words(&self, act: &Act, when: When, decided: bool) -> Text {
        let case = |branch: &Branch, place: usize| {
            let words: Vec<Text> = branch.cases[place].when.iter().map(acts::condition_words).collect();
            let zh: Vec<&str> = words.iter().map(|words| words.zh.as_str()).collect();
            let en: Vec<&str> = words.iter().map(|words| words.en.as_str()).collect();
            let (mark_zh, mark_en) = match decided {
                true => ("（这个来电即是）", " (as of this call)"),
                false => ("", ""),
            };
            Text::new(format!("{}{mark_zh}", zh.join("，且")), format!("{}{mark_en}", en.join(", and ")))
        };
        match (act, when) {
            (Act::Branch(branch), When::Case(place)) => case(branch, place),
            (Act::Branch(_), When::Otherwise) if decided => {
                Text::new("都不是（这个来电即是）", "none of them (as of this call)")
            }
            _ => acts::when_words(act, when),
        }
    }
}
