//! Flows of the operator's ([`Script`]) on one call: act after act, until the caller is with a person, or has
//! left, or what they came for is done.
//!
//! The way to a person is whatever follows the flow in the call's own steps: the flow is dropped, and they go
//! on. It is taken by the key for it from every act, and whenever anything goes wrong. The files beside this
//! one have the acts that wait for something: keys, a message, an answer, somebody who is rung.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::bot::BotEnd;
use super::script_bot::Talk;
use super::{Call, Command, Doing, Ending, TicketReason, Timer, Told};
use crate::id::{LineId, PromptId, QueueId, ScriptId};
use crate::media::Order;
use crate::routing::plan::{Peer, Step};
use crate::routing::script::{
    ACTS_TAKEN_MAX, Act, Branch, Collect, Condition, LookUp, Menu, Message, Script, VALUE_CHARS_MAX,
    VALUES_MAX,
};
use crate::time::{Instant, Now};

/// What one call has come to by itself, over all flows that it came through.
#[derive(Default)]
pub(super) struct Service {
    /// Where it stands; `None`: in no flow.
    place: Option<Place>,
    values: BTreeMap<String, Value>,
    /// Acts so far.
    taken: u16,
    /// Questions to adapters so far.
    pub(super) asked: u32,
    /// Talks with programs so far, and the one that is had.
    pub(super) talks: u32,
    pub(super) talk: Option<Talk>,
    /// What an order's progress is asked by.
    pub(super) pickup: String,
    /// The ticket was ordered.
    pub(super) ordered: bool,
    /// Where a message stands in the recording that no ticket tells of yet.
    pub(super) message: Option<(Duration, Duration)>,
    /// Hot notices that are still to be told: behind what the flow says first.
    pub(super) notices: VecDeque<PromptId>,
    /// It has said something.
    greeted: bool,
    /// Where the flow goes on if nobody answers whom it rings.
    pub(super) on_failure: Option<ScriptId>,
    /// Something that a `#` would have ended has ended by itself, then.
    pub(super) ended: Option<Instant>,
    /// Who calls, and what was dialled.
    pub(super) caller: String,
    pub(super) line: Option<LineId>,
}

/// The flow, and its next act.
struct Place {
    script: Arc<Script>,
    next: usize,
}

struct Value {
    text: String,
    /// An adapter said it, not the caller.
    is_looked_up: bool,
}

/// The act that waits for something.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Acting {
    /// Words to their end, or to a key.
    Saying { mark: u32 },
    /// A hot notice to its end, or to a key, which is for what follows.
    Notifying { mark: u32 },
    /// For one key.
    Choosing { menu: Menu, question: Question },
    /// For digits; these have come.
    Collecting { collect: Collect, question: Question, digits: String },
    /// The caller is told that they can speak.
    Inviting { message: Message, question: Question },
    /// The caller speaks, since then in the recording.
    Speaking { message: Message, tries_left: u8, from: Duration },
    /// An adapter has been asked this, since then: the latest question.
    LookingUp { look_up: LookUp, since: Instant },
    /// Whether somebody may be rung, of whom an adapter has given the number.
    Relaying { peer: Peer },
    /// With a program: [`Service::talk`].
    Talking,
}

/// A question as it was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// Its sound.
    pub(super) mark: u32,
    /// It may be put so often again.
    pub(super) tries_left: u8,
}

impl Service {
    /// Of a call that begins.
    pub(super) fn new(pickup: String, caller: String, line: LineId) -> Self {
        Service { pickup, caller, line: Some(line), ..Service::default() }
    }

    /// Whether the call is in a flow.
    pub(super) fn is_begun(&self) -> bool {
        self.place.is_some()
    }

    /// A person has the caller, or is about to.
    pub(super) fn leave(&mut self) {
        self.notices.clear();
        self.place = None;
    }

    /// What is known under this name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str())
    }

    /// The same, if an adapter said it: what a caller types in is not to be believed, nor dialled.
    pub(super) fn looked_up(&self, name: &str) -> Option<&str> {
        self.values.get(name).filter(|value| value.is_looked_up).map(|value| value.text.as_str())
    }

    /// Keeps a value, cut to the characters that are kept of one. One more than are kept is passed over.
    pub(super) fn keep(&mut self, name: &str, text: &str, is_looked_up: bool) {
        if self.values.len() < VALUES_MAX || self.values.contains_key(name) {
            let text = text.chars().take(VALUE_CHARS_MAX).collect();
            self.values.insert(name.to_owned(), Value { text, is_looked_up });
        }
    }

    /// The act that comes next, if one does; it stays the next.
    pub(super) fn following(&self) -> Option<&Act> {
        let place = self.place.as_ref()?;
        place.script.acts.get(place.next)
    }

    /// The hot notice that is to be told before the next act.
    fn next_notice(&mut self) -> Option<PromptId> {
        let mut greeted = self.greeted;
        let told = self.following().is_none_or(|act| act.comes_behind_notices(&mut greeted));
        self.greeted = greeted;
        if told { self.notices.pop_front() } else { None }
    }

    /// The next act. `None`: there is none, or the call has taken as many as it may.
    pub(super) fn next(&mut self) -> Option<Act> {
        let place = self.place.as_mut()?;
        if self.taken >= ACTS_TAKEN_MAX {
            return None;
        }
        self.taken += 1;
        let act = place.script.acts.get(place.next).cloned();
        place.next += 1;
        act
    }
}

impl Call {
    /// The call's step to a flow. Who cannot hear it goes on to a person.
    pub(super) fn begin_script(&mut self, script: &ScriptId, now: Now) {
        if self.caller.is_open() {
            self.take_notices();
            self.go_on_in(script, now);
        }
    }

    /// Goes on in another flow.
    pub(super) fn go_on_in(&mut self, script: &ScriptId, now: Now) {
        if self.enter(script) { self.next_act(now) } else { self.go_to_person(now) }
    }

    /// Stands before the first act of a flow; `false`: there is none of this name.
    pub(super) fn enter(&mut self, id: &ScriptId) -> bool {
        let Some(script) = self.plan.scripts.get(id).cloned() else { return false };
        self.service.place = Some(Place { script, next: 0 });
        self.tell(Told::ScriptBegun { script: id.clone() });
        true
    }

    /// Takes acts until one waits. Behind the last is a person.
    pub(super) fn next_act(&mut self, now: Now) {
        self.timers.cancel(Timer::Act);
        self.doing = Doing::Stepping;
        while self.doing == Doing::Stepping {
            if let Some(notice) = self.service.next_notice() {
                self.tell_in_flow(notice);
                continue;
            }
            let Some(act) = self.service.next() else { return self.go_to_person(now) };
            self.take_act(act, now);
        }
    }

    fn take_act(&mut self, act: Act, now: Now) {
        match act {
            Act::Play(prompt) => self.say_act(&[prompt], now),
            Act::Say(pieces) => match self.words_of(&pieces) {
                Ok(words) if words.is_empty() => {}
                Ok(words) => self.say_act(&words, now),
                Err(name) => {
                    let value = name.to_owned();
                    self.tell(Told::ValueUnread { value });
                    self.go_to_person(now);
                }
            },
            Act::Menu(menu) => {
                let tries_left = menu.tries.saturating_sub(1);
                self.put_menu(menu, tries_left, now);
            }
            Act::Collect(collect) => {
                let tries_left = collect.tries.saturating_sub(1);
                self.put_collect(collect, tries_left, now);
            }
            Act::Message(message) => {
                let tries_left = message.tries.saturating_sub(1);
                self.invite_message(message, tries_left, now);
            }
            Act::LookUp(look_up) => self.look_up(look_up, now),
            Act::Order(order) => self.order_and_say(&order, now),
            Act::Branch(branch) => {
                if let Some(to) = self.way_of(&branch, now)
                    && !self.enter(&to)
                {
                    self.go_to_person(now);
                }
            }
            Act::Queue(queue) => self.leave_for_queue(queue, now),
            Act::Transfer(transfer) => self.ring_for_caller(transfer, now),
            Act::Bot(bot) => self.talk_with_bot(&bot, now),
            Act::Survey if self.unsurveyed => {}
            Act::Survey => self.ask(now),
            Act::Go(script) => {
                if !self.enter(&script) {
                    self.go_to_person(now);
                }
            }
            Act::HangUp => self.end(Ending::Completed, now),
        }
    }

    /// Words, behind which the flow goes on; a person where none of them can be said.
    pub(super) fn say_act(&mut self, words: &[PromptId], now: Now) {
        match self.say(self.caller.id, words) {
            Some(mark) => self.doing = Doing::Serving(Acting::Saying { mark }),
            None => self.go_to_person(now),
        }
    }

    /// Drops the flow, and whoever is rung by it: the call's own steps lead to a person.
    pub(super) fn go_to_person(&mut self, now: Now) {
        self.keep_message(now); // What was spoken until then was not spoken in vain.
        self.leave_bot(BotEnd::Key, now);
        self.service.leave();
        for timer in [Timer::Act, Timer::Survey, Timer::Ring] {
            self.timers.cancel(timer);
        }
        if let Some(other) = self.other.take() {
            let peer = other.peer();
            self.drop_other(other, false, now);
            if let Some((trunk, number)) = peer {
                self.tell(Told::PeerFailed { trunk, number, status: CANCELLED });
            }
        }
        self.advance(now);
    }

    /// What is being said to the caller is not said to its end.
    pub(super) fn hush(&mut self) {
        self.push(Command::Sound(Order::Quiet { leg: self.caller.id }));
    }

    /// The flow ends in this queue: what comes behind the wait is as for a line of that queue's.
    fn leave_for_queue(&mut self, queue: QueueId, now: Now) {
        if !self.plan.queues.contains_key(&queue) {
            return self.go_to_person(now);
        }
        self.service.leave();
        self.only_behind(&queue);
        self.queue_up(queue, now);
    }

    /// What follows a wait in this queue, and nothing else, is what is left to do.
    pub(super) fn only_behind(&mut self, queue: &QueueId) {
        self.steps.clear();
        if self.plan.survey.enabled {
            self.steps.push_back(Step::Survey);
        }
        if let Some(rules) = self.plan.queues.get(queue) {
            let (prompt, reason) = (rules.overflow_prompt.clone(), TicketReason::Overflow);
            self.steps.push_back(Step::Ticket { prompt, reason });
        }
    }

    /// Where a branch leads; `None`: on behind it.
    pub(super) fn way_of(&self, branch: &Branch, now: Now) -> Option<ScriptId> {
        let so = |conditions: &[Condition]| conditions.iter().all(|condition| self.is_so(condition, now));
        let case = branch.cases.iter().find(|case| so(&case.when));
        case.map(|case| case.to.clone()).or_else(|| branch.otherwise.clone())
    }

    fn is_so(&self, condition: &Condition, now: Now) -> bool {
        if let Condition::Value { name, is } = condition {
            let said = self.service.value(name);
            return said.is_some_and(|said| is.is_empty() || is.iter().any(|one| one == said));
        }
        let Some(line) = &self.service.line else { return false };
        condition.is_so(&self.plan.city, line, Some(&self.service.caller), now.wall) == Some(true)
    }
}

/// What is said of whom the caller did not wait for: as of an INVITE that was CANCELled (RFC 3261 §21.4.25).
const CANCELLED: u16 = 487;
