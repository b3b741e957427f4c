//! Hot notices (the notice, S19 and S62): what callers are told for a while, inserted while all goes on.
//!
//! Who calls from then on hears it after the greeting and before the queue, until its end by the city's clock; who
//! is on a call already does not. On a line with a flow the greeting is the flow's own; on one whose own center is
//! called first, nobody greets before that, and it is heard before the center rings. Keeping them is for `io`, and so are their sounds.

use std::time::Duration;

use super::Switchboard;
use crate::id::{LineId, PromptId};
use crate::media::order::SoundId;
use crate::routing::plan::Flow;
use crate::routing::proof::{NOTICE_LENGTH_MAX, NOTICES_HEARD_MAX};
use crate::time::Timestamp;

/// Notices in force or to come at a time.
pub const NOTICES_MAX: usize = 16;
/// Notices in force at a time on one line: nobody has to hear more in front of a person.
pub const HEARD_MAX: usize = NOTICES_HEARD_MAX as usize;
/// Longest.
pub const LENGTH_MAX: Duration = NOTICE_LENGTH_MAX;
/// Longest from its start to its end.
pub const SPAN_MAX: Duration = Duration::from_secs(92 * 86_400);
/// Lines that one names at most.
pub const LINES_MAX: usize = 64;
/// So long after its end nobody hears it any more: calls that came before it have got beyond it.
const RELEASE_AFTER: Duration = Duration::from_secs(600);

/// What callers are told for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotNotice {
    /// Grows from one to the next, across restarts.
    pub id: u64,
    /// What it says, for people who read it; may be empty.
    pub text: String,
    /// The prompt of the plan that it says; `None`: a sound of its own.
    pub prompt: Option<PromptId>,
    /// Lines whose callers hear it; empty: all.
    pub lines: Vec<LineId>,
    /// From then on.
    pub start: Timestamp,
    /// And no more from then on.
    pub end: Timestamp,
    /// Who has approved it.
    pub approver: String,
    /// Why it is said.
    pub reason: String,
    /// Who has inserted it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Why a notice finds no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// [`NOTICES_MAX`] are in force or to come.
    Full,
    /// [`HEARD_MAX`] are in force at some time of it, on lines of it.
    TooManyAtOnce,
}

impl HotNotice {
    /// The name of its sound, and how it stands in records.
    pub fn sound_name(&self) -> PromptId {
        PromptId::from(format!("notice/{}", self.id).as_str())
    }

    /// Whether who calls now hears it.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.start <= now && now < self.end
    }

    fn is_for(&self, line: &LineId) -> bool {
        self.lines.is_empty() || self.lines.contains(line)
    }

    fn shares_lines_with(&self, other: &HotNotice) -> bool {
        self.lines.is_empty() || other.lines.is_empty() || self.lines.iter().any(|line| other.is_for(line))
    }

    /// Whether there is a place for it among those that are `there`: none of them is over.
    pub fn find_place(&self, there: &[HotNotice]) -> Result<(), NoPlace> {
        if there.len() >= NOTICES_MAX {
            return Err(NoPlace::Full);
        }
        let beside: Vec<_> = there.iter().filter(|other| other.shares_lines_with(self)).collect();
        // There are most of them when one begins.
        let begins = beside.iter().map(|other| other.start).chain([self.start]);
        let most = begins
            .filter(|at| self.is_in_force(*at))
            .map(|at| beside.iter().filter(|other| other.is_in_force(at)).count())
            .max();
        if most.unwrap_or(0) >= HEARD_MAX { Err(NoPlace::TooManyAtOnce) } else { Ok(()) }
    }
}

/// Those that are in force, to come, or over for a moment only; with their sounds in the bank.
#[derive(Default)]
pub(super) struct Notices(Vec<(HotNotice, SoundId)>);

impl Notices {
    /// Has those that are in force [told](Flow::tell_notices).
    pub(super) fn insert(&self, flow: &mut Flow, now: Timestamp) {
        let heard = self.0.iter().map(|(notice, _)| notice);
        let heard = heard.filter(|notice| notice.is_in_force(now) && notice.is_for(&flow.line));
        let names: Vec<PromptId> = heard.take(HEARD_MAX).map(HotNotice::sound_name).collect();
        flow.tell_notices(names);
    }

    /// By their names, beside the plan's.
    pub(super) fn sounds(&self) -> impl Iterator<Item = (PromptId, SoundId)> {
        self.0.iter().map(|(notice, sound)| (notice.sound_name(), *sound))
    }
}

impl Switchboard {
    pub(super) fn notice_added(&mut self, notice: HotNotice, sound: SoundId) {
        self.voices.insert(&notice.sound_name(), sound);
        tracing::info!(notice = notice.id, start = %notice.start, end = %notice.end, "hot notice inserted");
        let notices = &mut self.notices.0;
        notices.retain(|(known, _)| known.id != notice.id);
        notices.push((notice, sound));
        notices.sort_by_key(|(notice, _)| (notice.start, notice.id));
    }

    pub(super) fn notice_ended(&mut self, id: u64, now: Timestamp) {
        for (notice, _) in self.notices.0.iter_mut().filter(|(notice, _)| notice.id == id) {
            tracing::info!(notice = id, "hot notice ended");
            notice.end = notice.end.min(now);
        }
    }

    /// Notices that are in force or to come, by their start.
    pub fn notices(&self, now: Timestamp) -> impl Iterator<Item = &HotNotice> {
        self.notices.0.iter().map(|(notice, _)| notice).filter(move |notice| now < notice.end)
    }

    /// Sounds of notices that are over for so long that no call hears them any more.
    pub fn take_unheard(&mut self, now: Timestamp) -> Vec<SoundId> {
        let is_over = |notice: &HotNotice| notice.end.checked_add(RELEASE_AFTER).is_ok_and(|end| end <= now);
        if !self.notices.0.iter().any(|(notice, _)| is_over(notice)) {
            return Vec::new();
        }
        let mut over = Vec::new();
        let voices = &mut self.voices;
        self.notices.0.retain(|(notice, sound)| {
            if is_over(notice) {
                voices.remove(&notice.sound_name());
                over.push(*sound);
            }
            !is_over(notice)
        });
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::plan::Step;

    fn notice(id: u64, lines: &[&str], from: i64, to: i64) -> HotNotice {
        HotNotice {
            id,
            text: String::new(),
            prompt: None,
            lines: lines.iter().map(|line| LineId::from(*line)).collect(),
            start: Timestamp::from_second(from).unwrap(),
            end: Timestamp::from_second(to).unwrap(),
            approver: "a".into(),
            reason: "r".into(),
            by: "b".into(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn three_at_a_time_on_a_line_and_sixteen_altogether_have_a_place() {
        let there = [notice(1, &[], 0, 100), notice(2, &["12345"], 50, 150), notice(3, &["12345"], 90, 200)];
        let place = |lines: &[&str], from, to| notice(9, lines, from, to).find_place(&there);
        assert_eq!(place(&["12345"], 95, 99), Err(NoPlace::TooManyAtOnce), "all three");
        assert_eq!(place(&[], 0, 300), Err(NoPlace::TooManyAtOnce), "from 90 to 100");
        assert_eq!(place(&["12345"], 100, 300), Ok(()), "the first is over");
        assert_eq!(place(&["12345"], 0, 90), Ok(()), "the third has not begun");
        assert_eq!(place(&["12336"], 0, 300), Ok(()), "another line");
        let many: Vec<_> = (0..16).map(|n| notice(n, &[], 10 * n as i64, 10 * n as i64 + 5)).collect();
        assert_eq!(notice(99, &["12336"], 900, 901).find_place(&many), Err(NoPlace::Full));
    }

    #[test]
    fn those_in_force_stand_where_they_are_heard_first_and_nowhere_else() {
        let all = [
            notice(1, &[], 0, 100),
            notice(2, &["12336"], 0, 100),
            notice(3, &["12345"], 50, 60),
            notice(4, &["12345"], 50, 100),
            notice(5, &[], 50, 100),
        ];
        let notices = Notices(all.into_iter().zip((0..).map(SoundId)).collect());
        let greeting = Step::Play("greeting".into());
        let told = |next: Vec<Step>, at: i64| {
            let steps = [vec![Step::Answer, greeting.clone()], next].concat();
            let mut flow = Flow { line: "12345".into(), steps, record: true };
            notices.insert(&mut flow, Timestamp::from_second(at).unwrap());
            assert_eq!(flow.steps[..2], [Step::Answer, greeting.clone()]);
            let name = |step: &Step| match step {
                Step::HotNotice(name) => name.to_string(),
                other => format!("{other:?}").split(['(', ' ']).next().unwrap_or_default().to_owned(),
            };
            flow.steps[2..].iter().map(name).collect::<Vec<_>>().join(" ")
        };
        let queue = || vec![Step::Queue("main".into()), Step::Survey];
        assert_eq!(told(queue(), 49), "notice/1 Queue Survey");
        assert_eq!(told(queue(), 50), "notice/1 notice/3 notice/4 Queue Survey", "three and no more");
        assert_eq!(told(queue(), 60), "notice/1 notice/4 notice/5 Queue Survey");
        assert_eq!(told(queue(), 100), "Queue Survey");
        assert_eq!(
            told(vec![Step::Script("menu".into())].into_iter().chain(queue()).collect(), 0),
            "Script notice/1 Queue Survey"
        );
        let center = Step::Dial {
            peer: crate::routing::plan::Peer::colleague(&"1001".into(), Duration::from_secs(25)),
            ticket_on_failure: true,
            failure_prompt: None,
        };
        let first = [vec![center.clone(), Step::Answer], queue()].concat();
        assert_eq!(told(first, 0), "notice/1 Dial Answer Queue Survey");
        assert_eq!(told(vec![center], 0), "Dial", "nobody is told who does not call for a person");
        assert_eq!(told(vec![Step::Meet { room: 1 }], 0), "Meet", "nobody is told in a meeting");
    }
}
