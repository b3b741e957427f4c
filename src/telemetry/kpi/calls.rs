//! Calls of one line, one queue, or of all.

use super::service::Spread;
use super::{ANSWER_RATE, ANSWER_WITHIN_MS, SHORT_ABANDON_MS};
use crate::switchboard::fact::CallbackOutcome;
use crate::telemetry::CallRecord;
use crate::telemetry::transfers::Taken;

/// What is counted of calls. Everything here adds up over lines and over queues.
///
/// Every call that asked for a person is one of answered, overflowed, abandoned (short or not), or open:
/// `asked = answered + overflowed + abandoned + abandoned_short + open`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls {
    /// Let in.
    pub opened: u64,
    /// Waited for a person: in a queue, or while a sub-center rang.
    pub asked: u64,
    /// A person picked up, at whatever time.
    pub answered: u64,
    /// Within 15 s of the moment when the caller began to wait.
    pub within: u64,
    /// Within 15 s of the INVITE: prompts count as waiting.
    pub within_of_call: u64,
    /// The queue's rule sent the caller on, and no person picked up.
    pub overflowed: u64,
    /// Gave up after [`SHORT_ABANDON_MS`] or more of waiting.
    pub abandoned: u64,
    /// Gave up sooner.
    pub abandoned_short: u64,
    /// Wait still.
    pub open: u64,
    /// Gave up, or were sent on: nobody spoke with them.
    pub missed: u64,
    /// Of those, who was reached afterwards, or called again and was answered.
    pub called_back: u64,
    /// Waits of those who were answered, from when they began to wait.
    pub waits: Spread,
    /// The callers' time with somebody, milliseconds.
    pub talked_ms: u64,
    /// Left with music, or being put through.
    pub held_ms: u64,
    /// Transfers that were begun.
    pub transfers: u64,
    /// Calls with one or more.
    pub transferred: u64,
    /// Of those, the ones whose first went where it should: it was picked up, and no other followed.
    pub first_correct: u64,
    /// Transfers after the first of a call.
    pub re_transfers: u64,
    /// Grades.
    pub satisfaction: Satisfaction,
    /// Calls in which an article of the knowledge base was used.
    pub articles: u64,
    /// Of those, the ones that it settled at once, with nothing left for an office: 直办.
    pub settled: u64,
    /// Reasons for bad grades, by digit: 1 … 9.
    pub reasons: [u64; 9],
}

/// 好差评.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Satisfaction {
    /// How often each grade was given: very satisfied first.
    pub grades: [u64; 5],
    /// Of those, in matters of which satisfaction is not chased.
    pub unsurveyed: [u64; 5],
}

impl Satisfaction {
    pub(super) fn take(&mut self, grade: u8, unsurveyed: bool) {
        let index = usize::from(grade).wrapping_sub(1);
        if let (Some(all), Some(apart)) = (self.grades.get_mut(index), self.unsurveyed.get_mut(index)) {
            *all += 1;
            *apart += u64::from(unsurveyed);
        }
    }

    /// Grades given.
    pub fn given(&self) -> u64 {
        self.grades.iter().sum()
    }

    /// (grades 1 + 2 + 3) / all grades, over all matters.
    pub fn rate(&self) -> Option<f64> {
        part(self.grades[..3].iter().sum(), self.given())
    }

    /// The same without the matters of which satisfaction is not chased (the notice, 四(二)).
    pub fn rate_chased(&self) -> Option<f64> {
        let apart: u64 = self.unsurveyed.iter().sum();
        let satisfied: u64 = self.grades[..3].iter().sum();
        let apart_satisfied: u64 = self.unsurveyed[..3].iter().sum();
        part(satisfied - apart_satisfied, self.given() - apart)
    }

    fn add(&mut self, other: &Satisfaction) {
        for (mine, theirs) in self.grades.iter_mut().zip(other.grades) {
            *mine += theirs;
        }
        for (mine, theirs) in self.unsurveyed.iter_mut().zip(other.unsurveyed) {
            *mine += theirs;
        }
    }
}

impl Calls {
    pub(super) fn take(&mut self, record: &CallRecord, called_back: bool) {
        self.opened += 1;
        self.talked_ms += record.times.with_somebody_ms;
        self.held_ms += record.times.on_hold_ms;
        self.transfers(record);
        if let Some(grade) = record.grade {
            let unsurveyed = record.marks.disposed.as_ref().is_some_and(|disposed| disposed.unsurveyed);
            self.satisfaction.take(grade, unsurveyed);
        }
        self.articles += u64::from(!record.marks.articles.is_empty());
        self.settled += u64::from(record.marks.is_settled() && record.ticket_left.is_none());
        let reason = record.marks.survey_reason.map(|digit| usize::from(digit).wrapping_sub(1));
        if let Some(count) = reason.and_then(|index| self.reasons.get_mut(index)) {
            *count += 1;
        }
        let Some(asked_ms) = record.asked_ms else { return };
        self.asked += 1;
        if let Some(person_ms) = record.person_ms {
            let waited_ms = person_ms.saturating_sub(asked_ms);
            self.answered += 1;
            self.within += u64::from(waited_ms <= ANSWER_WITHIN_MS);
            self.within_of_call += u64::from(person_ms <= ANSWER_WITHIN_MS);
            self.waits.add(waited_ms);
            return;
        }
        let gone_ms = match (record.overflow, record.lasted_ms) {
            (Some(_), _) => None,
            (None, Some(lasted_ms)) => Some(lasted_ms.saturating_sub(asked_ms)),
            (None, None) => {
                self.open += 1;
                return;
            }
        };
        match gone_ms {
            None => self.overflowed += 1,
            Some(waited_ms) if waited_ms < SHORT_ABANDON_MS => self.abandoned_short += 1,
            Some(_) => self.abandoned += 1,
        }
        use CallbackOutcome::{Answered, AnsweredSince};
        let settled = record.marks.callback_outcome;
        self.missed += 1;
        self.called_back += u64::from(called_back || matches!(settled, Some(Answered | AnsweredSince)));
    }

    fn transfers(&mut self, record: &CallRecord) {
        let begun = record.reached.transfers.iter().map(|transfer| transfer.taken());
        let begun: Vec<Taken> =
            begun.filter(|taken| !matches!(taken, Taken::AfterHours | Taken::Declined)).collect();
        let count = begun.len() as u64 + u64::from(record.reached.transfers_more);
        self.transfers += count;
        if let Some(first) = begun.first() {
            self.transferred += 1;
            self.re_transfers += count - 1;
            self.first_correct += u64::from(count == 1 && matches!(first, Taken::Accepted(_)));
        }
    }

    /// Calls that count for the rates: those who gave up at once, and who wait still, are left out.
    pub fn counted(&self) -> u64 {
        self.asked - self.abandoned_short - self.open
    }

    /// 接通率: answered / (asked − abandoned at once − open).
    pub fn answer_rate(&self) -> Option<f64> {
        part(self.answered, self.counted())
    }

    /// 15 秒接通率, by our clock: answered within 15 s of beginning to wait / the same.
    pub fn within_rate(&self) -> Option<f64> {
        part(self.within, self.counted())
    }

    /// The same from the INVITE on.
    pub fn within_of_call_rate(&self) -> Option<f64> {
        part(self.within_of_call, self.counted())
    }

    /// GB/T 33358-2016: whether 95 % of the calls of 24 hours were answered. `None`: there were none.
    pub fn is_rule_kept(&self) -> Option<bool> {
        self.answer_rate().map(|rate| rate >= ANSWER_RATE)
    }

    /// 一次转接准确率: first transfers that went where they should / calls that were transferred.
    pub fn first_correct_rate(&self) -> Option<f64> {
        part(self.first_correct, self.transferred)
    }

    /// 漏接回拨率: called back / missed.
    pub fn called_back_rate(&self) -> Option<f64> {
        part(self.called_back, self.missed)
    }

    /// 直办率: settled at once by an article / answered.
    pub fn settled_rate(&self) -> Option<f64> {
        part(self.settled, self.answered)
    }

    /// Puts another's figures to these.
    pub(super) fn add(&mut self, other: &Calls) {
        let Calls { satisfaction, reasons, waits, .. } = other;
        for (mine, theirs) in [
            (&mut self.opened, other.opened),
            (&mut self.asked, other.asked),
            (&mut self.answered, other.answered),
            (&mut self.within, other.within),
            (&mut self.within_of_call, other.within_of_call),
            (&mut self.overflowed, other.overflowed),
            (&mut self.abandoned, other.abandoned),
            (&mut self.abandoned_short, other.abandoned_short),
            (&mut self.open, other.open),
            (&mut self.missed, other.missed),
            (&mut self.called_back, other.called_back),
            (&mut self.talked_ms, other.talked_ms),
            (&mut self.held_ms, other.held_ms),
            (&mut self.transfers, other.transfers),
            (&mut self.transferred, other.transferred),
            (&mut self.articles, other.articles),
            (&mut self.settled, other.settled),
            (&mut self.first_correct, other.first_correct),
            (&mut self.re_transfers, other.re_transfers),
        ] {
            *mine += theirs;
        }
        self.satisfaction.add(satisfaction);
        self.waits.append(waits);
        for (mine, theirs) in self.reasons.iter_mut().zip(reasons) {
            *mine += theirs;
        }
    }
}

/// A part of a whole; `None`: there is no whole.
pub(super) fn part(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
