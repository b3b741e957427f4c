//! What a call to a line does at an instant, step after step.
//!
//! Running the steps is `call`'s work; when each phase of the transition holds is
//! [`transition`](super::transition)'s.

use super::meeting::Meeting;
use super::plan::{
    Afterwards, BenchLine, Flow, Line, LineMode, Peer, Plan, SeatGreeting, Step, TicketReason, Transition,
};
use super::prompts;
use super::transition::Phase;
use crate::id::{LineId, PromptId, QueueId};
use crate::time::Timestamp;

/// Gone: RFC 3261 §21.4.11.
const GONE: u16 = 410;

impl Plan {
    /// The steps of a call to `line` that comes in at `at`.
    pub fn flow(&self, line: &Line, at: Timestamp) -> Flow {
        let (steps, record) = match &line.mode {
            LineMode::Primary { queue } | LineMode::Dual { queue } => {
                (self.to_a_person(queue, None, false), self.recording.enabled)
            }
            LineMode::Merged { queue } => (self.merged(line, queue, at), self.recording.enabled),
            LineMode::SubCenter { peer, queue } => (self.sub_center(peer, queue, at), self.recording.enabled),
            LineMode::Bench(bench) => bench_steps(bench),
            LineMode::Meeting(meeting) => (meet(meeting, &line.number), meeting.record),
        };
        Flow { line: line.number.clone(), steps, record }
    }

    /// The transition that holds for `line`: its own, or the file's.
    pub fn transition_of<'a>(&'a self, line: &'a Line) -> &'a Transition {
        line.transition.as_ref().unwrap_or(&self.transition)
    }

    /// Whether both parties hear which seat answered.
    pub fn seat_is_announced(&self) -> bool {
        self.seat_greeting == SeatGreeting::Both
    }

    /// A merged number. Before its first day it is 12345 without the prompt: it then still has
    /// an office of its own, and a carrier that forwards early must not cost a caller the call,
    /// nor tell him of a merger that has not happened.
    fn merged(&self, line: &Line, queue: &QueueId, at: Timestamp) -> Vec<Step> {
        let transition = self.transition_of(line);
        match transition.phase(at, &self.city.time_zone) {
            Phase::Before => self.to_a_person(queue, None, false),
            Phase::Inside => self.to_a_person(queue, Some(&transition.prompt), transition.early_media),
            Phase::After => match transition.afterwards {
                Afterwards::Connect => self.to_a_person(queue, None, false),
                Afterwards::Release => vec![Step::Refuse { status: GONE }],
            },
        }
    }

    /// Ringing, answer, a prompt that comes `first`, greeting, queue; then the survey for who
    /// talked and the ticket for who overflowed.
    fn to_a_person(&self, queue: &QueueId, first: Option<&PromptId>, early: bool) -> Vec<Step> {
        let mut steps = vec![Step::Ring];
        match first {
            Some(prompt) if early => steps.extend([Step::PlayEarly(prompt.clone()), Step::Answer]),
            Some(prompt) => steps.extend([Step::Answer, Step::Play(prompt.clone())]),
            None => steps.push(Step::Answer),
        }
        if let Some(queue) = self.queues.get(queue) {
            steps.push(Step::Play(queue.greeting.clone()));
            steps.push(Step::Queue(queue.id.clone()));
            if self.survey.enabled {
                steps.push(Step::Survey);
            }
            steps
                .push(Step::Ticket { prompt: queue.overflow_prompt.clone(), reason: TicketReason::Overflow });
        }
        steps
    }

    /// A sub-center is dialled while the caller hears ringing, and the caller is answered when it
    /// answers. Where it does not: a ticket, the answer, the news, and on as 12345. At an hour when
    /// nobody is there it is not dialled: nobody waits for a telephone that rings in the dark.
    fn sub_center(&self, peer: &Peer, queue: &QueueId, at: Timestamp) -> Vec<Step> {
        if !peer.hours.are_open(at, &self.city.time_zone) {
            return self.to_a_person(queue, None, false);
        }
        let unanswered = PromptId::from(prompts::SUB_CENTER_UNANSWERED);
        let mut steps = vec![
            Step::Ring,
            Step::Dial {
                peer: peer.clone(),
                ticket_on_failure: true,
                failure_prompt: None, // Nothing can be said before the answer: it is a step of its own.
            },
        ];
        let on_as_12345 = self.to_a_person(queue, Some(&unanswered), false);
        steps.extend(on_as_12345.into_iter().filter(|step| *step != Step::Ring));
        steps
    }
}

/// Answered at once, for nobody's telephone has to ring; a word, and in.
fn meet(meeting: &Meeting, number: &LineId) -> Vec<Step> {
    let prompt = meeting.prompt.iter().map(|prompt| Step::Play(prompt.clone()));
    // Eleven digits at most: always a number.
    let room = number.as_str().parse().unwrap_or_default();
    std::iter::once(Step::Answer).chain(prompt).chain([Step::Meet { room }]).collect()
}

fn bench_steps(bench: &BenchLine) -> (Vec<Step>, bool) {
    match bench {
        BenchLine::Silent => (vec![Step::Answer, Step::Silence], false),
        BenchLine::PlayOnce(prompt) => (vec![Step::Answer, Step::Play(prompt.clone())], false),
        BenchLine::PlayForever(prompt) => (vec![Step::Answer, Step::PlayForever(prompt.clone())], false),
        BenchLine::Dial { peer, record } => {
            (vec![Step::Dial { peer: peer.clone(), ticket_on_failure: false, failure_prompt: None }], *record)
        }
    }
}
