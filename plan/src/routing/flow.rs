//! What a call to a line does at an instant, step after step.
//!
//! Running the steps is `call`'s work; when each phase of the transition holds is
//! [`transition`](super::transition)'s.

use super::in_use::Standing;
use super::meeting::Meeting;
use super::people::Role;
use super::plan::{Afterwards, BenchLine, Line, LineMode, Peer, Plan, Queue, SeatGreeting, Transition};
use super::prompts;
use super::transition::Phase;
use crate::id::{LineId, PromptId, QueueId, ScriptId};
use crate::time::Timestamp;

/// What a call does, step after step; made by [`Plan`] for one line at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// The line that was dialled.
    pub line: LineId,
    /// In order; the call hangs up after the last.
    pub steps: Vec<Step>,
    /// Whether the call is recorded from its answer on.
    pub record: bool,
}

impl Flow {
    /// Whether the caller may come to talk with a clerk.
    pub fn may_queue(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Queue(_)))
    }

    /// The queue that the caller may come to wait in.
    pub fn queue(&self) -> Option<&QueueId> {
        self.steps.iter().find_map(|step| match step {
            Step::Queue(queue) => Some(queue),
            _ => None,
        })
    }

    /// Has the queue's greeting for a surge said in place of its usual one or the line's own, where it has one. A flow of
    /// the line's greets by itself.
    pub fn greet_in_surge(&mut self, plan: &Plan) {
        let Some(queue) = self.queue().and_then(|queue| plan.queues.get(queue)) else { return };
        let Some(other) = queue.rules.surge.as_ref().and_then(|surge| surge.greeting.as_ref()) else {
            return;
        };
        let usual = plan.lines.get(&self.line).map_or(&queue.greeting, |line| greeting_of(line, queue));
        let before = self.steps.iter().position(|step| matches!(step, Step::Queue(_))).unwrap_or_default();
        for step in &mut self.steps[before.saturating_sub(1)..before] {
            if *step == Step::Play(usual.clone()) {
                *step = Step::Play(other.clone());
            }
        }
        self.tell_of_recording(plan);
    }

    /// Has hot notices said where they are heard first: in front of whoever is called before the queue is waited in; by
    /// the line's flow, which tells them behind its greeting and finds them behind its step; or between the greeting
    /// and the queue. Whoever comes to no queue hears none.
    pub fn tell_notices(&mut self, names: impl IntoIterator<Item = PromptId>) {
        if !self.may_queue() {
            return;
        }
        let place = |step: &Step| match step {
            Step::Dial { .. } | Step::Queue(_) => Some(0),
            Step::Script(_) => Some(1),
            _ => None,
        };
        let next = self.steps.iter().enumerate().find_map(|(at, step)| Some(at + place(step)?));
        let Some(next) = next else { return };
        self.steps.splice(next..next, names.into_iter().map(Step::HotNotice));
    }

    /// Leaves out the greeting, or the line's flow in its place: for whoever goes straight to a person.
    pub fn go_straight(&mut self, plan: &Plan) {
        let queue = self.steps.iter().position(|step| matches!(step, Step::Queue(_)));
        let Some(before) = queue.and_then(|queue| queue.checked_sub(1)) else { return };
        let Step::Queue(queue) = &self.steps[before + 1] else { return };
        let line = plan.lines.get(&self.line);
        let greeting =
            plan.queues.get(queue).map(|queue| line.map_or(&queue.greeting, |line| greeting_of(line, queue)));
        let in_front = match &self.steps[before] {
            Step::Play(prompt) => Some(prompt) == greeting,
            Step::Script(_) => true,
            _ => false,
        };
        if in_front {
            self.steps.remove(before);
            self.tell_of_recording(plan);
        }
    }
}

/// One step of a flow.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// 180.
    Ring,
    /// 183 with the prompt, before the answer.
    PlayEarly(PromptId),
    /// 200, once the opening record is durable.
    Answer,
    /// A prompt to its end.
    Play(PromptId),
    /// A hot notice to its end; a key passes over it, and over those behind it.
    HotNotice(PromptId),
    /// What the operator lets callers do by themselves; behind it, or at the key for a person, the flow goes on.
    Script(ScriptId),
    /// A prompt again and again until the caller leaves.
    PlayForever(PromptId),
    /// Nothing until the caller leaves.
    Silence,
    /// Waits for a seat and talks.
    ///
    /// After a talk the call goes on to the `Survey` that follows directly, if one does, and hangs
    /// up after it; what comes behind is for callers who found nobody. After an overflow it passes
    /// over that `Survey` and goes on behind it, to the `Ticket`.
    Queue(QueueId),
    /// Calls a peer and talks, then hangs up; the flow goes on where nobody answers.
    ///
    /// In front of the `Answer` the caller hears the peer's ringing and is answered when the peer
    /// answers (for the record's sake as with `Answer`: once the opening record is durable). The
    /// steps behind are for the failure only, and begin with their own `Answer`.
    Dial {
        /// The way there.
        peer: Peer,
        /// Whether a ticket is opened when nobody answers (`SubCenterUnanswered`).
        ticket_on_failure: bool,
        /// Said when nobody answers, by a dial behind the `Answer`; in front of it, a step says it.
        failure_prompt: Option<PromptId>,
    },
    /// Hears and is heard by all others in a room, until the caller leaves.
    Meet {
        /// The room: its whole number.
        room: u64,
    },
    /// Listens to the calls of another seat, one after another, until whoever called leaves.
    Watch {
        /// What whoever called may.
        role: Role,
    },
    /// Opens a ticket and reads its number out.
    Ticket {
        /// Said before the number.
        prompt: PromptId,
        /// `no_seat`, `queue_full`, …
        reason: TicketReason,
    },
    /// The five-grade question.
    Survey,
    /// Refuses or ends with a SIP status.
    Refuse {
        /// 404, 410, ….
        status: u16,
    },
}

/// Why a ticket was opened without a clerk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketReason {
    /// The queue's rule sent the caller on.
    Overflow,
    /// A sub-center did not answer.
    SubCenterUnanswered,
    /// No expert did, nor the seat that the caller was put through to.
    ExpertUnanswered,
    /// A department did not.
    DepartmentUnanswered,
    /// Another platform of the hotline did not.
    PeerUnanswered,
    /// Nor did help in an emergency.
    EmergencyUnanswered,
    /// Nobody is there at this hour.
    AfterHours,
    /// A policy about the caller: the last call was not long ago.
    CoolDown,
    /// The caller ordered it, by keys and by a message.
    SelfService,
}

impl TicketReason {
    /// In records and events.
    pub fn name(self) -> &'static str {
        match self {
            TicketReason::Overflow => "overflow",
            TicketReason::SubCenterUnanswered => "sub_center_unanswered",
            TicketReason::ExpertUnanswered => "expert_unanswered",
            TicketReason::DepartmentUnanswered => "department_unanswered",
            TicketReason::PeerUnanswered => "peer_unanswered",
            TicketReason::EmergencyUnanswered => "emergency_unanswered",
            TicketReason::AfterHours => "after_hours",
            TicketReason::CoolDown => "cool_down",
            TicketReason::SelfService => "self_service",
        }
    }

    /// What its caller hears, where the plan has such a prompt: who did not answer at a department or a platform is all
    /// one to them.
    pub fn prompt(self) -> &'static str {
        match self {
            TicketReason::PeerUnanswered => TicketReason::DepartmentUnanswered.name(),
            _ => self.name(),
        }
    }
}

/// What callers of a line hear before they wait in a queue. Which of several it is:
///
/// | there is | is heard |
/// | --- | --- |
/// | a lane or a policy that leads straight to a person | none of these |
/// | a flow of the line | the flow, in a surge as well |
/// | a surge, and the queue's greeting for it | that |
/// | the line's own greeting | that |
/// | none of these | the queue's greeting |
///
/// Hot notices come behind it, whichever it is.
pub(super) fn greeting_of<'a>(line: &'a Line, queue: &'a Queue) -> &'a PromptId {
    line.greeting.as_ref().unwrap_or(&queue.greeting)
}

/// Who has seats of its own for a line.
struct Elsewhere<'a> {
    /// The way there.
    peer: &'a Peer,
    /// Whether a ticket is opened when nobody answers.
    ticket: bool,
    /// Said then.
    unanswered: &'static str,
}

/// Not found: RFC 3261 §21.4.5.
const NOT_FOUND: u16 = 404;
/// Gone: RFC 3261 §21.4.11.
const GONE: u16 = 410;

impl Plan {
    /// The steps of a call to `line` that comes in at `at`.
    pub fn flow(&self, line: &Line, at: Timestamp) -> Flow {
        let refused = |status| Flow {
            line: line.number.clone(),
            steps: vec![Step::Refuse { status }],
            record: false, // Who is not answered is not recorded.
        };
        match line.in_use.standing(at) {
            Standing::NotYet => refused(NOT_FOUND),
            Standing::InUse => self.flow_in(line, at, self.phase_of(line, at)),
            Standing::Over => refused(GONE),
        }
    }

    /// The same at an hour like that of `at`, but in this phase of the transition and on one of the line's own days: proofs
    /// look at each hour in each phase.
    pub(super) fn flow_in(&self, line: &Line, at: Timestamp, phase: Phase) -> Flow {
        let (steps, record) = match &line.mode {
            LineMode::Primary { queue } | LineMode::Dual { queue } => {
                (self.to_a_person(queue, line, None, false), self.recording.enabled)
            }
            LineMode::Merged { queue } => {
                let steps = self.merged(line, queue, phase);
                let refused = matches!(steps[..], [Step::Refuse { .. }]); // Who is not answered is not recorded.
                (steps, self.recording.enabled && !refused)
            }
            LineMode::SubCenter { peer, queue } => {
                let own = Elsewhere { peer, ticket: true, unanswered: prompts::SUB_CENTER_UNANSWERED };
                (self.elsewhere_first(own, queue, line, at), self.recording.enabled)
            }
            LineMode::Retained { peer, queue } => {
                let own = Elsewhere { peer, ticket: false, unanswered: prompts::TRANSFER_WAIT };
                (self.elsewhere_first(own, queue, line, at), self.recording.enabled)
            }
            LineMode::Bench(bench) => bench_steps(bench),
            LineMode::Watch { role } => (vec![Step::Answer, Step::Watch { role: *role }], false),
            LineMode::Meeting(meeting) => (meet(meeting, &line.number), meeting.record),
        };
        let mut flow = Flow { line: line.number.clone(), steps, record };
        flow.tell_of_recording(self);
        flow
    }

    /// The transition that holds for `line`: its own, or the file's.
    pub fn transition_of<'a>(&'a self, line: &'a Line) -> &'a Transition {
        line.transition.as_ref().unwrap_or(&self.transition)
    }

    /// The phase of the line's transition at `at`; of a line without one, as if it were over.
    pub(super) fn phase_of(&self, line: &Line, at: Timestamp) -> Phase {
        match line.mode {
            LineMode::Merged { .. } => self.transition_of(line).phase(at, &self.city.time_zone),
            _ => Phase::After,
        }
    }

    /// Whether both parties hear which seat answered.
    pub fn seat_is_announced(&self) -> bool {
        self.seat_greeting == SeatGreeting::Both
    }

    /// A merged number. Before its first day it is 12345 without the prompt: it then still has
    /// an office of its own, and a carrier that forwards early must not cost a caller the call,
    /// nor tell him of a merger that has not happened.
    fn merged(&self, line: &Line, queue: &QueueId, phase: Phase) -> Vec<Step> {
        let transition = self.transition_of(line);
        match phase {
            Phase::Before => self.to_a_person(queue, line, None, false),
            Phase::Inside => {
                let first = Some(&transition.prompt);
                self.to_a_person(queue, line, first, transition.early_media)
            }
            Phase::After => match transition.afterwards {
                Afterwards::Connect => self.to_a_person(queue, line, None, false),
                Afterwards::Release(cause) => vec![Step::Refuse { status: cause.status() }],
            },
        }
    }

    /// Ringing, answer, a prompt that comes `first`, the line's flow or greeting or the queue's, queue; then the
    /// survey for who talked and the ticket for who overflowed.
    fn to_a_person(&self, queue: &QueueId, line: &Line, first: Option<&PromptId>, early: bool) -> Vec<Step> {
        let mut steps = vec![Step::Ring];
        match first {
            Some(prompt) if early => steps.extend([Step::PlayEarly(prompt.clone()), Step::Answer]),
            Some(prompt) => steps.extend([Step::Answer, Step::Play(prompt.clone())]),
            None => steps.push(Step::Answer),
        }
        if let Some(queue) = self.queues.get(queue) {
            steps.push(match &line.script {
                Some(script) => Step::Script(script.clone()),
                None => Step::Play(greeting_of(line, queue).clone()),
            });
            steps.push(Step::Queue(queue.id.clone()));
            if self.survey.enabled {
                steps.push(Step::Survey);
            }
            steps
                .push(Step::Ticket { prompt: queue.overflow_prompt.clone(), reason: TicketReason::Overflow });
        }
        steps
    }

    /// Whose own seats come first is dialled while the caller hears ringing, and the caller is answered when
    /// they answer. Where they do not: a ticket if there is to be one, the answer, the news, and on as 12345.
    /// At an hour when nobody is there they are not dialled: nobody waits for a telephone that rings in the dark.
    fn elsewhere_first(&self, own: Elsewhere<'_>, queue: &QueueId, line: &Line, at: Timestamp) -> Vec<Step> {
        if !own.peer.hours.are_open(at, &self.city.time_zone) {
            return self.to_a_person(queue, line, None, false);
        }
        let unanswered = PromptId::from(own.unanswered);
        let mut steps = vec![
            Step::Ring,
            Step::Dial {
                peer: own.peer.clone(),
                ticket_on_failure: own.ticket,
                failure_prompt: None, // Nothing can be said before the answer: it is a step of its own.
            },
        ];
        let on_as_12345 = self.to_a_person(queue, line, Some(&unanswered), false);
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
