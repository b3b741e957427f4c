//! 好差评: five grades by one digit, after the clerk has left (the notice, 五(三)); and why, where the grade
//! is a bad one and the plan wants to know.

use super::{Call, Doing, Subject, Timer, Told};
use crate::time::Now;

/// Not satisfied, and worse: who says so is asked for a reason.
const BAD: std::ops::RangeInclusive<u8> = 4..=5;

/// The question, as far as it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// The sound whose end starts the wait for a digit.
    mark: u32,
    /// What is asked.
    about: About,
}

/// What the caller is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// For a grade; it may still be put so often.
    Grade { tries_left: u8 },
    /// For the reason of this grade, once.
    Reason { grade: u8 },
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
            Some(mark) => self.doing = Doing::Asking(Question { mark, about: About::Grade { tries_left } }),
            None => self.survey_over(None, now),
        }
    }

    /// It is over, with a word of thanks. The call is over with it, unless a flow asked.
    fn survey_over(&mut self, thanks: Option<&str>, now: Now) {
        match thanks {
            _ if !self.service.is_begun() => self.part_with(thanks.unwrap_or("goodbye"), now),
            Some(thanks) if self.sounds.contains_key(thanks) => self.say_act(&[thanks.into()], now),
            Some(_) | None => self.next_act(now),
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
        // One of ten, so it fits.
        let pressed = digit.to_digit(10).map(|digit| digit as u8);
        match (question.about, pressed) {
            (About::Grade { .. }, Some(grade @ 1..=5)) => {
                self.tell(Told::Surveyed { grade, subject: self.graded_subject() });
                self.ask_why(grade, now);
            }
            (About::Grade { tries_left: 0 }, _) => self.survey_over(None, now),
            (About::Grade { tries_left }, _) => self.put("survey_wrong", tries_left - 1, now),
            (About::Reason { grade }, reason) => {
                if let Some(digit @ 1..=9) = reason {
                    self.tell(Told::SurveyReason { digit, grade, subject: self.graded_subject() });
                }
                self.survey_over(Some("survey_thanks"), now);
            }
        }
    }

    /// Whoever is in a flow has not talked with anybody yet: a clerk who does later has no part in the grade.
    fn graded_subject(&self) -> Subject {
        if self.service.is_begun() { Subject::Flow } else { Subject::Talk }
    }

    /// What was wrong, where something was and the words to ask are in the bank; then thanks.
    fn ask_why(&mut self, grade: u8, now: Now) {
        let wanted = self.plan.survey.reason && BAD.contains(&grade);
        let mark = wanted.then(|| self.say(self.caller.id, &["survey_reason".into()])).flatten();
        match mark {
            Some(mark) => self.doing = Doing::Asking(Question { mark, about: About::Reason { grade } }),
            None => self.survey_over(Some("survey_thanks"), now),
        }
    }

    /// No digit: once more, or goodbye; a reason is not asked for twice.
    pub(super) fn survey_unanswered(&mut self, now: Now) {
        let Doing::Asking(question) = self.doing else { return };
        match question.about {
            About::Grade { tries_left: 0 } => self.survey_over(None, now),
            About::Grade { tries_left } => self.put("survey", tries_left - 1, now),
            About::Reason { .. } => self.survey_over(Some("survey_thanks"), now),
        }
    }
}
