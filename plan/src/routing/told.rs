//! That a caller is told of the recording before anybody talks with them: by the greeting, by a flow, or by the prompt that
//! `[recording] notice` names where neither does.

use std::collections::BTreeMap;
use std::time::Duration;

use super::flow::{Flow, Step};
use super::hours::Hours;
use super::plan::{Line, LineMode, Plan, Prompt};
use super::script::{Act, Spoken};
use super::transition::Phase;
use crate::id::{PromptId, ScriptId};
use crate::time::Timestamp;

impl Flow {
    /// Has the notice said where the caller would come to a person, or to others, without a word that the call is
    /// recorded: as the first words behind the answer, and before the answer (183) where another center's telephones
    /// ring first. Without a notice in the plan nothing is changed, nor a second time.
    pub(super) fn tell_of_recording(&mut self, plan: &Plan) {
        let Some(notice) = plan.recording.notice.as_ref().filter(|_| self.record) else { return };
        let Some(untold) = self.untold(plan) else { return };
        match self.steps[..untold].iter().rposition(|step| *step == Step::Answer) {
            Some(answer) => self.steps.insert(answer + 1, Step::Play(notice.clone())),
            None => self.steps.insert(untold, Step::PlayEarly(notice.clone())),
        }
    }

    /// The first step at which somebody may hear the caller, who has not been told; `None`: the caller has, or nobody
    /// ever does.
    fn untold(&self, plan: &Plan) -> Option<usize> {
        let words = Words { plan, line: plan.lines.get(&self.line) };
        for (place, step) in self.steps.iter().enumerate() {
            match step {
                Step::Play(prompt) | Step::PlayEarly(prompt) if words.tell(prompt) => return None,
                Step::Script(script) => {
                    let told = words.begin(script, &mut BTreeMap::new());
                    return (!told).then_some(place);
                }
                Step::Queue(_) | Step::Dial { .. } | Step::Meet { .. } => return Some(place),
                Step::Play(_)
                | Step::PlayEarly(_)
                | Step::Ring
                | Step::Answer
                | Step::HotNotice(_)
                | Step::PlayForever(_)
                | Step::Silence
                | Step::Watch { .. }
                | Step::Ticket { .. }
                | Step::Survey
                | Step::Refuse { .. } => {}
            }
        }
        None
    }
}

/// Why callers of a line are not told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Untold {
    /// What they hear before they wait says nothing of it.
    Greeting(PromptId),
    /// The line's flow does not begin by it.
    Flow(ScriptId),
    /// The seats that a department kept ring first.
    Department,
}

impl Plan {
    /// Why some callers of `line` are recorded and told nowhere; `None`: all are told, or none is recorded. Who comes by a
    /// lane without a greeting is not looked at here: such a lane has a warning of its own. Nor is what a sub-center
    /// says to its callers when it answers, a hotline with a greeting of its own: it is for the center to say.
    pub(super) fn untold(&self, line: &Line) -> Option<Untold> {
        let line = with_seats_there(line);
        let is_center = matches!(line.mode, LineMode::SubCenter { .. });
        self.phases(&line).iter().flat_map(|phase| self.ways_in(&line, *phase)).find_map(|mut flow| {
            flow.steps.retain(|step| !(is_center && matches!(step, Step::Dial { .. })));
            let place = flow.untold(self).filter(|_| flow.record)?;
            match flow.steps.get(place)? {
                Step::Script(script) => Some(Untold::Flow(script.clone())),
                Step::Dial { .. } => Some(Untold::Department),
                _ => flow.steps[..place].iter().rev().find_map(|step| match step {
                    Step::Play(prompt) => Some(Untold::Greeting(prompt.clone())),
                    _ => None,
                }),
            }
        })
    }

    /// The longest words that callers of `line` hear before they wait in a queue, by any lane, in a surge or not, and
    /// whether the notice of the recording is among them. A flow is none of them: a person is a key away from its first
    /// word on.
    pub(super) fn words_before_the_queue(&self, line: &Line) -> Option<(Duration, bool)> {
        line.mode.queue()?;
        let line = with_seats_there(line);
        let notice = self.recording.notice.as_ref();
        let words = |flow: Flow| {
            let until = flow.steps.iter().position(|step| matches!(step, Step::Queue(_)))?;
            let said = flow.steps[..until].iter().filter_map(|step| match step {
                Step::Play(prompt) | Step::PlayEarly(prompt) => Some(prompt),
                _ => None,
            });
            let said: Vec<&PromptId> = said.collect();
            let length = said.iter().map(|prompt| self.length(prompt, &line)).sum();
            Some((length, said.into_iter().any(|prompt| Some(prompt) == notice)))
        };
        let phases = self.phases(&line).iter();
        let flows = phases.flat_map(|phase| {
            let mut flows = self.ways_in(&line, *phase);
            let mut straight = flows[0].clone();
            straight.go_straight(self);
            flows.extend(Some(straight).filter(|_| self.may_go_straight(&line)));
            flows
        });
        flows.filter_map(words).max()
    }

    /// What a call to `line` does in this phase, as usual and in a surge.
    fn ways_in(&self, line: &Line, phase: Phase) -> Vec<Flow> {
        let usual = self.flow_in(line, Timestamp::UNIX_EPOCH, phase);
        let mut in_surge = usual.clone();
        in_surge.greet_in_surge(self);
        vec![usual, in_surge]
    }
}

/// The line as it is while its own seats elsewhere are there: at other hours less is heard, and nobody is rung.
fn with_seats_there(line: &Line) -> Line {
    let mut line = line.clone();
    if let LineMode::SubCenter { peer, .. } | LineMode::Retained { peer, .. } = &mut line.mode {
        peer.hours = Hours::default();
    }
    line
}

/// What callers of a line hear.
struct Words<'a> {
    plan: &'a Plan,
    line: Option<&'a Line>,
}

impl<'a> Words<'a> {
    /// Whether a prompt tells: its variant in the line's language, where there is one. The notice does, whatever its words.
    fn tell(&self, prompt: &PromptId) -> bool {
        let language = self.line.and_then(|line| line.language.as_ref());
        let own = language.and_then(|own| self.plan.prompts.get(&prompt.in_language(own)));
        self.plan.recording.notice.as_ref() == Some(prompt)
            || own.or_else(|| self.plan.prompts.get(prompt)).is_some_and(Prompt::tells_of_recording)
    }

    /// Whether the first that is heard of a flow tells, on all ways that it may take without a word. `seen`: what is
    /// known of flows, each looked at once; one that leads round in a circle tells nothing.
    fn begin(&self, flow: &ScriptId, seen: &mut BTreeMap<&'a ScriptId, bool>) -> bool {
        let Some((flow, script)) = self.plan.scripts.get_key_value(flow) else { return false };
        if let Some(told) = seen.get(flow) {
            return *told;
        }
        seen.insert(flow, false);
        let told = self.begin_at(&script.acts, seen);
        seen.insert(flow, told);
        told
    }

    fn begin_at(&self, acts: &'a [Act], seen: &mut BTreeMap<&'a ScriptId, bool>) -> bool {
        let Some((first, behind)) = acts.split_first() else { return false };
        match first {
            Act::Branch(branch) => {
                let cases = branch.cases.iter().map(|case| &case.to);
                let flows: Vec<&ScriptId> = cases.chain(&branch.otherwise).collect();
                flows.into_iter().all(|flow| self.begin(flow, seen))
                    && (branch.otherwise.is_some() || self.begin_at(behind, seen))
            }
            Act::Go(flow) => self.begin(flow, seen),
            Act::Say(pieces) => {
                let words = pieces.iter().filter_map(|piece| match piece {
                    Spoken::Prompt(prompt) => Some(prompt),
                    Spoken::Value { .. } | Spoken::Choice { .. } => None,
                });
                words.into_iter().any(|prompt| self.tell(prompt))
            }
            Act::Play(prompt) => self.tell(prompt),
            Act::Menu(menu) => self.tell(&menu.prompt),
            Act::Collect(collect) => self.tell(&collect.prompt),
            Act::Message(message) => self.tell(&message.prompt),
            Act::LookUp(_)
            | Act::Order(_)
            | Act::Queue(_)
            | Act::Transfer(_)
            | Act::Bot(_)
            | Act::Survey
            | Act::HangUp => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::script::{Branch, Case, Script};

    /// The plan of the fixtures, with these prompts.
    fn plan(greeting: &str, notice: Option<&str>) -> Plan {
        let mut plan = crate::routing::fixture_test::shipped();
        let prompt =
            |id: &str, text: &str| Prompt { id: id.into(), text: text.into(), samples: [0; 8].into() };
        for (id, text) in [("greeting", greeting), ("recorded", "通话将被录音。")] {
            plan.prompts.insert(id.into(), prompt(id, text));
        }
        plan.recording.notice = notice.map(PromptId::from);
        plan
    }

    fn now() -> Timestamp {
        "2026-07-01T09:00:00+08:00".parse().unwrap()
    }

    #[test]
    fn who_is_told_by_the_greeting_is_told_once_and_who_goes_straight_by_the_notice() {
        let notice = Step::Play("recorded".into());
        let greeting = Step::Play("greeting".into());
        for (words, said, greets, straight) in [
            ("您好，通话将被录音。", Some("recorded"), false, true),
            ("您好。", Some("recorded"), true, true),
            ("请留下录音。", Some("recorded"), true, true),
            ("Calls are recorded.", Some("recorded"), false, true),
            ("您好。", None, false, false),
        ] {
            let plan = plan(words, said);
            let mut flow = plan.flow(&plan.lines["12345"], now());
            assert_eq!(flow.steps.contains(&notice), greets, "{words}");
            assert!(flow.steps.contains(&greeting));
            flow.go_straight(&plan);
            assert!(!flow.steps.contains(&greeting), "{words}");
            let told: Vec<usize> = (0..flow.steps.len()).filter(|at| flow.steps[*at] == notice).collect();
            let answer = flow.steps.iter().position(|step| *step == Step::Answer).unwrap();
            assert_eq!(told, if straight { vec![answer + 1] } else { vec![] }, "{words}: once, and first");
            flow.tell_of_recording(&plan);
            assert_eq!(flow.steps.iter().filter(|step| **step == notice).count(), usize::from(straight));
        }
    }

    #[test]
    fn a_center_that_rings_first_is_rung_behind_the_notice_and_what_is_not_recorded_hears_none() {
        let mut plan = plan("您好，通话将被录音。", Some("recorded"));
        let line = plan.lines.values().find(|line| line.mode.peer().is_some()).unwrap().clone();
        let steps = plan.flow(&line, now()).steps;
        assert_eq!(steps[..2], [Step::Ring, Step::PlayEarly("recorded".into())], "{steps:?}");
        assert!(matches!(steps[2], Step::Dial { .. }));
        plan.recording.enabled = false;
        assert!(matches!(plan.flow(&line, now()).steps[1], Step::Dial { .. }));
    }

    /// Why callers of this line are not told, in a plan whose greeting tells unless it is changed so.
    fn untold(number: &str, change: impl FnOnce(&mut Plan)) -> Option<Untold> {
        let mut plan = plan("您好，通话将被录音。", None);
        change(&mut plan);
        plan.untold(&plan.lines[number])
    }

    fn flow(plan: &mut Plan, name: &str, acts: Vec<Act>) {
        let script = Script { id: name.into(), acts };
        plan.scripts.insert(name.into(), script.into());
    }

    fn begins_with(plan: &mut Plan, acts: Vec<Act>) {
        flow(plan, "first", acts);
        flow(plan, "told", vec![Act::Play("greeting".into())]);
        flow(plan, "asked", vec![Act::Play("survey".into())]);
        plan.lines.get_mut("12345").expect("a line").script = Some("first".into());
    }

    fn branch(cases: &[&str], otherwise: Option<&str>) -> Act {
        let case = |to: &&str| Case { when: Vec::new(), to: (*to).into() };
        Act::Branch(Branch { cases: cases.iter().map(case).collect(), otherwise: otherwise.map(Into::into) })
    }

    #[test]
    fn whoever_is_recorded_is_told_by_the_first_words_on_every_way() {
        let play = |prompt: &str| Act::Play(prompt.into());
        let not = || Some(Untold::Flow("first".into()));
        for (acts, why) in [
            (vec![play("greeting")], None),
            (vec![play("survey"), play("greeting")], not()),
            (vec![Act::Say(vec![Spoken::Prompt("survey".into()), Spoken::Prompt("greeting".into())])], None),
            (vec![Act::Go("told".into())], None),
            (vec![Act::Go("asked".into())], not()),
            (vec![branch(&["told"], Some("told"))], None),
            (vec![branch(&["told", "asked"], Some("told"))], not()),
            (vec![branch(&["told"], Some("asked"))], not()),
            (vec![branch(&["told"], None), play("greeting")], None),
            (vec![branch(&["told"], None)], not()),
            (vec![Act::Go("first".into())], not()), // Round and round.
        ] {
            assert_eq!(untold("12345", |plan| begins_with(plan, acts.clone())), why, "{acts:?}");
        }
        // More ways than could ever be gone, through flows that are looked at once each.
        let many = |plan: &mut Plan| {
            begins_with(plan, vec![Act::Go("0".into())]);
            for n in 0..64 {
                let next = (n + 1).to_string();
                flow(plan, &n.to_string(), vec![branch(&[&next, &next], Some(&next))]);
            }
            flow(plan, "64", vec![play("greeting")]);
        };
        assert_eq!(untold("12345", many), None);
    }

    #[test]
    fn lines_whose_callers_are_told_nowhere_are_found_and_no_others() {
        let none: fn(&mut Plan) = |_| {};
        let words =
            |id: &str, text: &str| Prompt { id: id.into(), text: text.into(), samples: [0; 8].into() };
        let greeting = |prompt: &str| Some(Untold::Greeting(prompt.into()));
        for number in ["12345", "12336", "12348", "12366"] {
            assert_eq!(untold(number, none), None, "{number}");
        }
        let quiet =
            |plan: &mut Plan| drop(plan.prompts.insert("greeting".into(), words("greeting", "您好。")));
        for number in ["12345", "12336", "12348", "12366"] {
            assert_eq!(untold(number, quiet), greeting("greeting"), "{number}");
        }
        let unrecorded = |plan: &mut Plan| {
            quiet(plan);
            plan.recording.enabled = false;
        };
        assert_eq!(untold("12345", unrecorded), None);
        let notice = |plan: &mut Plan| {
            quiet(plan);
            plan.recording.notice = Some("recorded".into());
        };
        assert_eq!(untold("12345", notice), None);
        let in_english = |plan: &mut Plan| {
            plan.prompts.insert("greeting@en".into(), words("greeting@en", "Welcome."));
            plan.lines.get_mut("12345").expect("a line").language = Some("en".into());
        };
        assert_eq!(untold("12345", in_english), greeting("greeting"));
        // Nor is a caller in English told by the greeting where there is a notice.
        let mut plan = plan("您好，通话将被录音。", Some("recorded"));
        in_english(&mut plan);
        let steps = plan.flow(&plan.lines["12345"], now()).steps;
        assert!(steps.contains(&Step::Play("recorded".into())), "{steps:?}");
        // Another's seats ring at once; a sub-center greets by itself.
        let retained = |plan: &mut Plan| {
            let peer = plan.lines["12366"].mode.peer().cloned().expect("a sub-center");
            plan.lines.get_mut("12348").expect("a line").mode =
                LineMode::Retained { peer, queue: "main".into() };
        };
        assert_eq!(untold("12348", retained), Some(Untold::Department));
    }

    #[test]
    fn the_notice_is_among_the_words_of_every_lane() {
        let seconds = |n: usize| vec![0; 8_000 * n].into();
        let words = |number: &str, greeting: &str, straight: bool| {
            let mut plan = plan(greeting, Some("recorded"));
            for (id, length) in
                [("greeting", 5), ("recorded", 4), ("transition", 3), ("sub_center_unanswered", 2)]
            {
                plan.prompts.get_mut(id).expect("a prompt").samples = seconds(length);
            }
            plan.trunks.values_mut().for_each(|trunk| trunk.emergency_center = straight);
            plan.callers.lanes.clear();
            plan.queues.values_mut().for_each(|queue| queue.rules.surge = None);
            let (length, told) = plan.words_before_the_queue(&plan.lines[number]).expect("a queue");
            (length.as_secs(), told)
        };
        let tells = "您好，通话将被录音。";
        assert_eq!(words("12345", tells, false), (5, false));
        assert_eq!(words("12345", "您好。", false), (9, true));
        assert_eq!(words("12345", tells, true), (5, false), "4 s for who goes straight");
        assert_eq!(words("12336", tells, false), (8, false));
        assert_eq!(words("12336", "您好。", true), (12, true));
        // Before the center rings, then the word that nobody answers, and the greeting.
        assert_eq!(words("12366", tells, false), (11, true));
    }
}
