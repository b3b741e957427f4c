//! Hot notices: heard out, or passed over by any key. In front of the queue, or of a center that is called first;
//! and in a flow, behind what it says first.

use super::script::Acting;
use super::{Call, Doing, Stage};
use crate::id::PromptId;
use crate::routing::plan::Step;
use crate::time::Now;

impl Call {
    /// Plays one; where its sound is not in the bank any more, the flow goes on. Whoever is not answered yet hears it
    /// as early media, or, where there is no way for that, as soon as they are.
    pub(super) fn tell_notice(&mut self, prompt: PromptId) {
        if self.stage == Stage::Ringing && !self.caller.is_open() {
            self.play_early(prompt.clone(), Step::HotNotice(prompt));
            if let Doing::Playing { mark } = self.doing {
                self.doing = Doing::Notifying { mark };
            }
            return;
        }
        if let Some(mark) = self.say(self.caller.id, &[prompt]) {
            self.doing = Doing::Notifying { mark };
        }
    }

    /// Who has heard enough goes on behind the notices.
    pub(super) fn pass_over_notices(&mut self, now: Now) {
        self.hush();
        while matches!(self.steps.front(), Some(Step::HotNotice(_))) {
            self.steps.pop_front();
        }
        self.advance(now);
    }

    /// Those behind the step to a flow are the flow's to tell.
    pub(super) fn take_notices(&mut self) {
        while let Some(Step::HotNotice(prompt)) =
            self.steps.pop_front_if(|step| matches!(step, Step::HotNotice(_)))
        {
            self.service.notices.push_back(prompt);
        }
    }

    /// One in a flow. Where its sound is not in the bank any more, the flow goes on.
    pub(super) fn tell_in_flow(&mut self, prompt: PromptId) {
        if let Some(mark) = self.say(self.caller.id, &[prompt]) {
            self.doing = Doing::Serving(Acting::Notifying { mark });
        }
    }

    /// A key in a notice of a flow: on behind all of them. Whoever knows the flow types ahead, and the key is for
    /// what follows, if that has a meaning for it: a key that only passes over notices costs no try.
    pub(super) fn pass_over_in_flow(&mut self, digit: char, now: Now) {
        self.hush();
        self.service.notices.clear();
        self.next_act(now);
        let means_something = match &self.doing {
            Doing::Serving(Acting::Choosing { menu, .. }) => menu.keys.contains_key(&digit),
            Doing::Serving(Acting::Collecting { .. }) => digit.is_ascii_digit(),
            _ => false,
        };
        if means_something {
            self.act_pressed(digit, now);
        }
    }
}
