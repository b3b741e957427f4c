//! Hot notices in front of the queue: heard out, or passed over by any key.

use super::{Call, Doing};
use crate::id::PromptId;
use crate::routing::plan::Step;
use crate::routing::script::PERSON_KEY;
use crate::time::Now;

impl Call {
    /// Plays one; where its sound is not in the bank any more, the flow goes on.
    pub(super) fn tell_notice(&mut self, prompt: PromptId) {
        if let Some(mark) = self.say(self.caller.id, &[prompt]) {
            self.doing = Doing::Notifying { mark };
        }
    }

    /// Who has heard enough goes on behind the notices; by the key for a person, behind the line's flow as well.
    pub(super) fn pass_over_notices(&mut self, digit: char, now: Now) {
        self.hush();
        while matches!(self.steps.front(), Some(Step::HotNotice(_))) {
            self.steps.pop_front();
        }
        if digit == PERSON_KEY {
            while matches!(self.steps.front(), Some(Step::Script(_))) {
                self.steps.pop_front();
            }
        }
        self.advance(now);
    }
}
