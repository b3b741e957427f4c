//! That a caller is told of the recording before anybody talks with them: by the greeting, by a flow, or by the prompt that
//! `[recording] notice` names where neither does.

use super::flow::{Flow, Step};
use super::plan::Plan;
use super::script::{Act, Script};
use crate::id::PromptId;

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
        for (place, step) in self.steps.iter().enumerate() {
            match step {
                Step::Play(prompt) | Step::PlayEarly(prompt) if tells(plan, prompt) => return None,
                Step::Script(script) => {
                    let told = plan.scripts.get(script).is_some_and(|script| begins_by_telling(plan, script));
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

fn tells(plan: &Plan, prompt: &PromptId) -> bool {
    plan.recording.notice.as_ref() == Some(prompt)
        || plan.prompts.get(prompt).is_some_and(|prompt| prompt.tells_of_recording())
}

/// Whether the first that is heard of a flow tells.
fn begins_by_telling(plan: &Plan, script: &Script) -> bool {
    match script.acts.first() {
        Some(Act::Play(prompt)) => tells(plan, prompt),
        Some(Act::Menu(menu)) => tells(plan, &menu.prompt),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::plan::Prompt;
    use crate::time::Timestamp;

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
}
