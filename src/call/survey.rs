//! 好差评: five grades by one digit, after the clerk has left (the notice, 五(三)).

use super::{Call, Doing, Timer, Told};
use crate::time::Now;

/// The question, as far as it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// The sound whose end starts the wait for a digit.
    mark: u32,
    /// How often it may still be put.
    tries_left: u8,
}

impl Call {
    pub(super) fn ask(&mut self, now: Now) {
        self.put("survey", self.plan.survey.tries.saturating_sub(1), now);
    }

    fn put(&mut self, prompt: &str, tries_left: u8, now: Now) {
        let words = match prompt {
            "survey" => vec!["survey".into()],
            again => vec![again.into(), "survey".into()],
        };
        match self.say(self.caller.id, &words) {
            Some(mark) => self.doing = Doing::Asking(Question { mark, tries_left }),
            None => self.part_with("goodbye", now),
        }
    }

    /// The question is through: from here on the caller's time runs.
    pub(super) fn question_put(&mut self, mark: u32, now: Now) {
        if let Doing::Asking(question) = self.doing
            && question.mark == mark
        {
            self.timers.set(Timer::Survey, now.mono + self.plan.survey.wait);
        }
    }

    /// A digit, which may come before the question is through.
    pub(super) fn graded(&mut self, digit: char, now: Now) {
        let Doing::Asking(question) = self.doing else { return };
        self.timers.cancel(Timer::Survey);
        match digit.to_digit(10) {
            Some(grade @ 1..=5) => {
                self.tell(Told::Surveyed { grade: grade as u8 });
                self.part_with("survey_thanks", now);
            }
            _ if question.tries_left > 0 => self.put("survey_wrong", question.tries_left - 1, now),
            _ => self.part_with("goodbye", now),
        }
    }

    /// No digit: once more, or goodbye.
    pub(super) fn survey_unanswered(&mut self, now: Now) {
        match self.doing {
            Doing::Asking(question) if question.tries_left > 0 => {
                self.put("survey", question.tries_left - 1, now)
            }
            Doing::Asking(_) => self.part_with("goodbye", now),
            _ => {}
        }
    }
}
