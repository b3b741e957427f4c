//! Keys in a flow: to interrupt, to choose, to type a value in; and when none comes.

use std::time::Duration;

use super::script::{Acting, Question};
use super::{Call, Doing, Timer};
use crate::routing::script::{Act, Collect, Menu, PERSON_KEY};
use crate::time::Now;

/// A `#` that comes so soon behind something that ended by itself was meant for that, and for nothing else.
const HASH_LATE: Duration = Duration::from_secs(3);
/// Ends what is typed in, and what is spoken.
const END_KEY: char = '#';

impl Call {
    /// Whether a key belongs to a value that is typed in: it is the value's, and in no record by itself. The key
    /// for a person leads to one as the first only. The urgent key is a digit as any other: values may begin with
    /// it, and whoever wants a person has the other one.
    pub(super) fn is_of_value(&self, digit: char) -> bool {
        match &self.doing {
            Doing::Serving(Acting::Collecting { digits, .. }) => !digits.is_empty() || digit != PERSON_KEY,
            // Typed ahead, in a notice: the first of the value that is asked for next.
            Doing::Serving(Acting::Notifying { .. }) => {
                let collects = matches!(self.service.following(), Some(Act::Collect(_)));
                let leads = digit == PERSON_KEY || self.plan.callers.urgent_key == Some(digit);
                collects && digit.is_ascii_digit() && !leads
            }
            _ => false,
        }
    }

    /// Whether a key would have ended what has ended by itself a moment ago. It is taken for nothing else.
    pub(super) fn is_late_end(&mut self, digit: char, now: Now) -> bool {
        let ended = self.service.ended.take();
        digit == END_KEY && ended.is_some_and(|at| now.mono.since(at) <= HASH_LATE)
    }

    /// A key, in an act that waits.
    pub(super) fn act_pressed(&mut self, digit: char, now: Now) {
        if digit == PERSON_KEY && !self.is_of_value(digit) {
            return self.go_to_person(now);
        }
        let Doing::Serving(acting) = &self.doing else { return };
        match acting {
            Acting::Saying { .. } => {
                self.hush();
                self.next_act(now);
            }
            Acting::Notifying { .. } => self.pass_over_in_flow(digit, now),
            Acting::Choosing { .. } => self.chosen(digit, now),
            Acting::Collecting { .. } => self.typed(digit, now),
            Acting::Inviting { .. } => {
                self.hush();
                self.speak(now);
            }
            Acting::Speaking { .. } if digit == END_KEY => self.spoken(now),
            Acting::Talking => self.press_to_bot(digit),
            Acting::Speaking { .. } | Acting::LookingUp { .. } | Acting::Relaying { .. } => {}
        }
    }

    /// What was said in a flow is through: on, or the caller's time runs.
    pub(super) fn act_played(&mut self, mark: u32, now: Now) {
        let Doing::Serving(acting) = &self.doing else { return };
        let wait = match acting {
            Acting::Saying { mark: awaited } | Acting::Notifying { mark: awaited } if *awaited == mark => {
                return self.next_act(now);
            }
            Acting::Inviting { question, .. } if question.mark == mark => return self.speak(now),
            Acting::Choosing { menu, question } if question.mark == mark => menu.wait,
            Acting::Collecting { collect, question, digits }
                if question.mark == mark && digits.is_empty() =>
            {
                collect.wait
            }
            _ => return,
        };
        self.timers.set(Timer::Act, now.mono + wait);
    }

    /// What was waited for did not come.
    pub(super) fn act_late(&mut self, now: Now) {
        let Doing::Serving(acting) = &self.doing else { return };
        match acting {
            Acting::Choosing { menu, question } => {
                let (menu, tries_left) = (menu.clone(), question.tries_left);
                self.put_menu_again(menu, tries_left, now);
            }
            Acting::Collecting { .. } => self.typed_in(now),
            Acting::Speaking { .. } => {
                self.service.ended = Some(now.mono);
                self.spoken(now);
            }
            Acting::LookingUp { .. } => self.looked_up(self.service.asked, super::LookedUp::Failed, now),
            Acting::Relaying { .. } => self.relay_judged(false, now),
            Acting::Talking => self.bot_late(now),
            Acting::Saying { .. } | Acting::Notifying { .. } | Acting::Inviting { .. } => {}
        }
    }

    pub(super) fn put_menu(&mut self, menu: Menu, tries_left: u8, now: Now) {
        match self.say(self.caller.id, std::slice::from_ref(&menu.prompt)) {
            Some(mark) => {
                let question = Question { mark, tries_left };
                self.doing = Doing::Serving(Acting::Choosing { menu, question });
            }
            None => self.go_to_person(now),
        }
    }

    fn put_menu_again(&mut self, menu: Menu, tries_left: u8, now: Now) {
        match tries_left.checked_sub(1) {
            Some(tries_left) => self.put_menu(menu, tries_left, now),
            None => self.go_to_person(now),
        }
    }

    fn chosen(&mut self, digit: char, now: Now) {
        let Doing::Serving(Acting::Choosing { menu, question }) = &self.doing else { return };
        let (menu, tries_left) = (menu.clone(), question.tries_left);
        self.timers.cancel(Timer::Act);
        match menu.keys.get(&digit) {
            Some(script) => {
                self.hush();
                self.go_on_in(script, now);
            }
            None => self.put_menu_again(menu, tries_left, now),
        }
    }

    pub(super) fn put_collect(&mut self, collect: Collect, tries_left: u8, now: Now) {
        match self.say(self.caller.id, std::slice::from_ref(&collect.prompt)) {
            Some(mark) => {
                let question = Question { mark, tries_left };
                let digits = String::new();
                self.doing = Doing::Serving(Acting::Collecting { collect, question, digits });
            }
            None => self.go_to_person(now),
        }
    }

    /// A key of a value. What is neither a digit nor its end means nothing.
    fn typed(&mut self, digit: char, now: Now) {
        let Doing::Serving(Acting::Collecting { collect, digits, .. }) = &mut self.doing else { return };
        if digit == END_KEY {
            return self.typed_in(now);
        }
        if !digit.is_ascii_digit() {
            return;
        }
        digits.push(digit);
        let (count, most, wait) = (digits.len(), usize::from(collect.most), collect.wait);
        if count == 1 {
            self.hush();
        }
        if count >= most {
            self.service.ended = Some(now.mono);
            return self.typed_in(now);
        }
        self.timers.set(Timer::Act, now.mono + wait);
    }

    /// No more digits come: there are enough, or the question is put again.
    fn typed_in(&mut self, now: Now) {
        let Doing::Serving(Acting::Collecting { collect, question, digits }) = &self.doing else { return };
        let (collect, tries_left, digits) = (collect.clone(), question.tries_left, digits.clone());
        self.timers.cancel(Timer::Act);
        if digits.len() >= usize::from(collect.least.max(1)) {
            self.service.keep(&collect.into, &digits, false);
            return self.next_act(now);
        }
        self.service.ended = None;
        match tries_left.checked_sub(1) {
            Some(tries_left) => self.put_collect(collect, tries_left, now),
            None => self.go_to_person(now),
        }
    }
}
