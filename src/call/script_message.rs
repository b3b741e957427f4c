//! What a caller leaves by themselves: a message, of which the span of the call's recording is kept, and the
//! order of a ticket (自助下单).

use std::time::Duration;

use super::recording::RecordingState;
use super::script::{Acting, Question};
use super::{Call, Doing, TicketReason, Timer, Told};
use crate::routing::script::{Act, Message, Order};
use crate::routing::speech;
use crate::time::Now;

impl Call {
    /// Says that the caller can speak. Where nothing is recorded, nothing can be left.
    pub(super) fn invite_message(&mut self, message: Message, tries_left: u8, now: Now) {
        let mark = match self.recording() {
            RecordingState::Running => self.say(self.caller.id, std::slice::from_ref(&message.prompt)),
            RecordingState::Paused | RecordingState::Off => None,
        };
        match mark {
            Some(mark) => {
                let question = Question { mark, tries_left };
                self.doing = Doing::Serving(Acting::Inviting { message, question });
            }
            None => self.go_to_person(now),
        }
    }

    /// From here on the message runs.
    pub(super) fn speak(&mut self, now: Now) {
        let Doing::Serving(Acting::Inviting { message, question }) = &self.doing else { return };
        let (message, tries_left) = (message.clone(), question.tries_left);
        self.timers.set(Timer::Act, now.mono + message.most);
        let from = self.recorded_for(now);
        self.doing = Doing::Serving(Acting::Speaking { message, tries_left, from });
    }

    /// The message is at its end. One that is too short is asked for again.
    pub(super) fn spoken(&mut self, now: Now) {
        let Doing::Serving(Acting::Speaking { message, tries_left, .. }) = &self.doing else { return };
        let (message, tries_left) = (message.clone(), *tries_left);
        self.timers.cancel(Timer::Act);
        if self.keep_message(now) {
            return self.next_act(now);
        }
        match tries_left.checked_sub(1) {
            Some(tries_left) => self.invite_message(message, tries_left, now),
            None => self.go_to_person(now),
        }
    }

    /// Keeps what is being spoken, if it is long enough and in the recording.
    pub(super) fn keep_message(&mut self, now: Now) -> bool {
        let Doing::Serving(Acting::Speaking { message, from, .. }) = &self.doing else { return false };
        let (from, to) = (*from, self.recorded_for(now));
        if self.recording() != RecordingState::Running || to.saturating_sub(from) < message.least {
            return false;
        }
        let name = message.into.clone();
        self.service.keep(&name, &format!("{:.1}-{:.1}", from.as_secs_f64(), to.as_secs_f64()), false);
        self.service.message = Some((from, to));
        self.tell(Told::MessageLeft { name, from, to });
        true
    }

    /// How long the recording is.
    fn recorded_for(&self, now: Now) -> Duration {
        self.recorded_since.map_or(Duration::ZERO, |since| now.mono.since(since))
    }

    /// Orders, and says by what number it can be asked for.
    pub(super) fn order_and_say(&mut self, order: &Order, now: Now) {
        let code = order.code_prompt.as_ref().filter(|_| !self.service.pickup.is_empty()).cloned();
        let pickup = code.is_some().then(|| self.service.pickup.clone());
        self.order_ticket(order, pickup.clone());
        let mut words = vec![order.prompt.clone()];
        words.extend(speech::ticket_number(&self.ticket));
        if let (Some(prompt), Some(pickup)) = (code, pickup) {
            words.push(prompt);
            words.extend(speech::digits(&pickup));
        }
        self.say_act(&words, now);
    }

    /// The call's ticket is ordered, with what is known. Ordered again, it is the same ticket.
    fn order_ticket(&mut self, order: &Order, code: Option<String>) {
        if !std::mem::replace(&mut self.service.ordered, true) {
            self.tell(Told::TicketLeft { reason: TicketReason::SelfService });
        }
        let known = |name: &String| Some((name.clone(), self.service.value(name)?.to_owned()));
        let values = order.values.iter().filter_map(known).collect();
        let message = self.service.message.take();
        self.tell(Told::Ordered { category: order.category.clone(), values, message, code });
    }

    /// The call ends. Whoever was speaking long enough has left the message; and a message that no ticket
    /// tells of, and of whose caller no person has heard, is ordered by what directly follows it, or is a
    /// ticket of its own: nobody speaks in vain.
    pub(super) fn leave_message(&mut self, now: Now) {
        // Elsewhere the caller had still to say where it goes on.
        let goes_on = matches!(
            self.doing,
            Doing::Serving(
                Acting::Saying { .. }
                    | Acting::Collecting { .. }
                    | Acting::Inviting { .. }
                    | Acting::Speaking { .. }
            )
        );
        self.keep_message(now);
        if self.service.message.is_none() || self.clerk_talked {
            return;
        }
        while let Some(act) = self.service.next().filter(|_| goes_on) {
            let further = match act {
                Act::Order(order) => return self.order_ticket(&order, None),
                Act::Play(_) | Act::Say(_) | Act::Collect(_) | Act::Message(_) => true,
                Act::Go(script) => self.enter(&script),
                Act::Branch(branch) => self.way_of(&branch, now).is_none_or(|script| self.enter(&script)),
                _ => false,
            };
            if !further {
                break;
            }
        }
        if !std::mem::replace(&mut self.service.ordered, true) {
            self.tell(Told::TicketLeft { reason: TicketReason::SelfService });
        }
    }
}
