//! Calls of one line, one queue, or of all.

use super::judged::Judged;
use super::service::Spread;
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
    /// Within the time of the line's formula, from when its clock begins.
    pub within: u64,
    /// Within that time of the INVITE, whatever the clock: prompts count as waiting.
    pub within_of_call: u64,
    /// The queue's rule sent the caller on, and no person picked up.
    pub overflowed: u64,
    /// Gave up after the formula's `short_abandon` or more of waiting.
    pub abandoned: u64,
    /// Gave up sooner.
    pub abandoned_short: u64,
    /// Wait still.
    pub open: u64,
    /// Of those above, but for who waits still: calls that the rules leave out of the rates.
    pub left_out: Answers,
    /// Gave up, or were sent on: nobody spoke with them.
    pub missed: u64,
    /// Of those, who was reached afterwards, or called again and was answered.
    pub called_back: u64,
    /// Waits of those who were answered, from when the clock begins.
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
    /// Of `transferred` and `first_correct`, those that the rules leave out.
    pub transfers_left_out: (u64, u64),
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
    /// Matters that were to be handed on at once.
    pub immediate: u64,
    /// Of those, handed on in time.
    pub immediate_in_time: u64,
    /// Too late, or not yet and overdue.
    pub immediate_late: u64,
}

/// How calls were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Asked for a person.
    pub asked: u64,
    /// Of those, answered.
    pub answered: u64,
    /// In time.
    pub within: u64,
    /// In time, from the INVITE on.
    pub within_of_call: u64,
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
    pub(super) fn take(&mut self, record: &CallRecord, called_back: bool, judged: Judged) {
        self.opened += 1;
        self.talked_ms += record.times.with_somebody_ms;
        self.held_ms += record.times.on_hold_ms;
        self.transfers(record, judged.no_transfer);
        self.handed_on(record);
        if let Some(grade) = record.grade {
            self.satisfaction.take(grade, judged.unsurveyed);
        }
        self.articles += u64::from(!record.marks.articles.is_empty());
        self.settled += u64::from(record.marks.is_settled() && record.ticket_left.is_none());
        let reason = record.marks.survey_reason.map(|digit| usize::from(digit).wrapping_sub(1));
        if let Some(count) = reason.and_then(|index| self.reasons.get_mut(index)) {
            *count += 1;
        }
        let Some(from_ms) = judged.from_ms else { return };
        self.asked += 1;
        if let Some(person_ms) = record.person_ms {
            let waited_ms = person_ms.saturating_sub(from_ms);
            let within = u64::from(waited_ms <= judged.within_ms);
            let within_of_call = u64::from(person_ms <= judged.within_ms);
            self.answered += 1;
            self.within += within;
            self.within_of_call += within_of_call;
            self.waits.add(waited_ms);
            if judged.no_answer {
                self.left_out.add(&Answers { asked: 1, answered: 1, within, within_of_call });
            }
            return;
        }
        match (record.overflow, record.lasted_ms) {
            (Some(_), _) => self.overflowed += 1,
            (None, Some(_)) if judged.gave_up_at_once => self.abandoned_short += 1,
            (None, Some(_)) => self.abandoned += 1,
            (None, None) => {
                self.open += 1;
                return;
            }
        }
        self.left_out.asked += u64::from(judged.no_answer);
        use CallbackOutcome::{Answered, AnsweredSince};
        let settled = record.marks.callback_outcome;
        self.missed += 1;
        self.called_back += u64::from(called_back || matches!(settled, Some(Answered | AnsweredSince)));
    }

    fn handed_on(&mut self, record: &CallRecord) {
        let Some(state) = record.marks.hand_on() else { return };
        self.immediate += 1;
        self.immediate_in_time += u64::from(state == Some(false));
        self.immediate_late += u64::from(state == Some(true));
    }

    fn transfers(&mut self, record: &CallRecord, no_transfer: bool) {
        let begun = record.reached.transfers.iter().map(|transfer| transfer.taken());
        let begun: Vec<Taken> =
            begun.filter(|taken| !matches!(taken, Taken::AfterHours | Taken::Declined)).collect();
        let count = begun.len() as u64 + u64::from(record.reached.transfers_more);
        self.transfers += count;
        if let Some(first) = begun.first() {
            let correct = u64::from(count == 1 && matches!(first, Taken::Accepted(_)));
            self.transferred += 1;
            self.re_transfers += count - 1;
            self.first_correct += correct;
            if no_transfer {
                self.transfers_left_out.0 += 1;
                self.transfers_left_out.1 += correct;
            }
        }
    }

    /// Calls that count for the rates: who waits still does not, nor what the rules leave out, as it is usual of those
    /// who gave up at once.
    pub fn counted(&self) -> u64 {
        self.asked - self.left_out.asked - self.open
    }

    /// 接通率: answered / (asked − left out − open).
    pub fn answer_rate(&self) -> Option<f64> {
        part(self.answered - self.left_out.answered, self.counted())
    }

    /// 限时接通率 (15 秒接通率): answered in time by the clock of the formula / the same.
    pub fn within_rate(&self) -> Option<f64> {
        part(self.within - self.left_out.within, self.counted())
    }

    /// The same from the INVITE on.
    pub fn within_of_call_rate(&self) -> Option<f64> {
        part(self.within_of_call - self.left_out.within_of_call, self.counted())
    }

    /// Whether this part of the calls was answered (GB/T 33358-2016: 95 % of those of 24 hours). `None`: there were none.
    pub fn is_rule_kept(&self, wanted: f64) -> Option<bool> {
        self.answer_rate().map(|rate| rate >= wanted)
    }

    /// 一次转接准确率: first transfers that went where they should / calls that were transferred.
    pub fn first_correct_rate(&self) -> Option<f64> {
        let (transferred, correct) = self.transfers_left_out;
        part(self.first_correct - correct, self.transferred - transferred)
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
            (&mut self.transfers_left_out.0, other.transfers_left_out.0),
            (&mut self.transfers_left_out.1, other.transfers_left_out.1),
            (&mut self.immediate, other.immediate),
            (&mut self.immediate_in_time, other.immediate_in_time),
            (&mut self.immediate_late, other.immediate_late),
        ] {
            *mine += theirs;
        }
        self.left_out.add(&other.left_out);
        self.satisfaction.add(satisfaction);
        self.waits.append(waits);
        for (mine, theirs) in self.reasons.iter_mut().zip(reasons) {
            *mine += theirs;
        }
    }
}

impl Answers {
    fn add(&mut self, other: &Answers) {
        let Answers { asked, answered, within, within_of_call } = other;
        self.asked += asked;
        self.answered += answered;
        self.within += within;
        self.within_of_call += within_of_call;
    }
}

/// A part of a whole; `None`: there is no whole.
pub(super) fn part(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
