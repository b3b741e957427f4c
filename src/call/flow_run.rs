//! Runs a flow: takes steps until one has to wait for something.

use std::sync::Arc;

use super::negotiate::Taste;
use super::{Call, Command, Doing, Ending, Stage, Timer, Told};
use crate::id::{LegId, PromptId};
use crate::media::Order;
use crate::media::order::{ConferenceId, SoundId};
use crate::routing::plan::Step;
use crate::routing::script::PERSON_KEY;
use crate::routing::speech;
use crate::sip::sdp::Sdp;
use crate::time::Now;

impl Call {
    /// Takes steps until one waits. A call without further steps is over.
    pub(super) fn advance(&mut self, now: Now) {
        self.doing = Doing::Stepping;
        while self.doing == Doing::Stepping {
            let Some(step) = self.steps.pop_front() else {
                return self.end(Ending::Completed, now);
            };
            self.take(step, now);
        }
    }

    fn take(&mut self, step: Step, now: Now) {
        match step {
            Step::Ring if self.stage == Stage::Ringing => {
                self.push(Command::Progress { status: 180, sdp: None })
            }
            Step::Ring => {}
            Step::PlayEarly(prompt) => self.play_early(prompt.clone(), Step::Play(prompt)),
            Step::Answer if self.stage == Stage::Ringing => self.answer_when_recorded(now),
            Step::Answer => {}
            Step::Play(prompt) => self.announce(&[prompt]),
            Step::Script(script) => self.begin_script(&script, now),
            Step::HotNotice(prompt) => self.tell_notice(prompt),
            Step::PlayForever(prompt) => {
                self.play_for_ever(&prompt);
                self.doing = Doing::Lingering;
            }
            Step::Silence => self.doing = Doing::Lingering,
            Step::Queue(queue) => self.queue_up(queue, now),
            Step::Dial { peer, ticket_on_failure, failure_prompt } => {
                self.dial(peer, ticket_on_failure, failure_prompt, now);
            }
            Step::Ticket { prompt, reason } => {
                self.service.message = None; // This ticket tells of it.
                self.tell(Told::TicketLeft { reason });
                let mut words = vec![prompt];
                words.push("ticket_number".into());
                words.extend(speech::ticket_number(&self.ticket));
                self.announce(&words);
            }
            Step::Meet { room } => self.join(ConferenceId(room), now),
            Step::Watch { role } => self.begin_watch(role),
            Step::Survey if self.unsurveyed => {}
            Step::Survey => self.ask(now),
            Step::Refuse { status } => self.end(Ending::Refused(status), now),
        }
    }

    /// The opening record's bound begins when the answer is due: 180 has not waited for it.
    fn answer_when_recorded(&mut self, now: Now) {
        match self.written {
            Some(durable) => self.answer(durable, now),
            None => {
                self.timers.set(Timer::Record, now.mono + self.plan.limits.durable_wait);
                self.doing = Doing::AwaitingRecord;
            }
        }
    }

    pub(super) fn record_written(&mut self, durable: bool, now: Now) {
        self.written = Some(durable);
        self.timers.cancel(Timer::Record);
        match self.doing {
            Doing::AwaitingRecord if self.begun_by_us() && self.stage == Stage::Ringing => {
                self.call_first(now);
            }
            Doing::AwaitingRecord => self.answer(durable, now),
            Doing::Dialling => self.join_answered_peer(now),
            _ => {}
        }
    }

    /// The store is slow: callers come first, and the record says so.
    pub(super) fn record_late(&mut self, now: Now) {
        self.record_written(false, now);
    }

    /// 200 to the caller, and the first sound.
    fn answer(&mut self, durable: bool, now: Now) {
        self.answer_caller(durable, now);
        if self.caller.offering {
            self.doing = Doing::AwaitingAck;
        } else if self.steps_wait_here() {
            self.advance(now);
        }
    }

    /// Whether the flow, rather than a peer that answered, is what the caller was answered for.
    fn steps_wait_here(&self) -> bool {
        matches!(self.doing, Doing::AwaitingRecord | Doing::Stepping | Doing::AwaitingAck)
    }

    pub(super) fn answer_caller(&mut self, durable: bool, now: Now) {
        if self.stage != Stage::Ringing {
            return;
        }
        self.settle_caller();
        let sdp = match self.caller.described() {
            // Our answer; or our offer in a provisional response, which was answered already or whose
            // PRACK this 200 waits for.
            Some(described) if self.caller.is_agreed() || self.caller.offering => described.clone(),
            _ => {
                self.caller.offering = true;
                let local = self.caller.local(&self.plan);
                self.caller.make_offer(local, Taste::default())
            }
        };
        self.stage = Stage::Answered;
        self.push(Command::Answer { sdp });
        self.tell(Told::Answered { durable });
        if !self.caller.offering {
            self.open_caller(now);
        }
    }

    pub(super) fn open_caller(&mut self, now: Now) {
        self.tune(self.caller.id);
        if self.record {
            (self.recording, self.recorded_since) = (true, Some(now.mono));
            let tracks = self.plan.recording.tracks;
            let order = Order::Record { call: self.id, caller: self.caller.id, begun: now.wall, tracks };
            self.push(Command::Sound(order));
        }
    }

    /// An ACK, or a PRACK. It matters where our response made the offer: a late offer, or a re-INVITE
    /// without one.
    pub(super) fn confirmed(&mut self, leg: LegId, sdp: Option<&Sdp>, now: Now) {
        let Some(waiting) = self.leg_mut(leg) else { return };
        if !std::mem::take(&mut waiting.offering) {
            return;
        }
        let Some(changes) = sdp.and_then(|sdp| waiting.take_answer(sdp).ok()) else {
            // Nothing to talk with (RFC 3261 §13.2.2.4): a call without sound is none.
            return self.leg_refused_sound(leg, now);
        };
        if leg == self.caller.id && self.stage == Stage::Ringing {
            return self.tune(leg); // A PRACK (RFC 3262 §5): early sound. The 200 opens the rest.
        }
        if leg == self.caller.id && !self.caller.is_open() {
            self.open_caller(now);
            if self.doing == Doing::AwaitingAck {
                return self.advance(now);
            }
            return self.caller_can_hear(now);
        }
        if changes {
            self.tune(leg);
            self.arrange(now);
        }
    }

    fn leg_refused_sound(&mut self, leg: LegId, now: Now) {
        if leg == self.caller.id {
            self.end(Ending::Refused(488), now);
        } else {
            self.leg_ended(leg, false, now);
        }
    }

    /// 183 and a prompt before the answer. Without an offer there is nothing to send to: then we
    /// make one where it can be answered, else the caller hears it right after the answer: by the step `later`.
    pub(super) fn play_early(&mut self, prompt: PromptId, later: Step) {
        if self.offer_early() {
            self.doing = Doing::AwaitingPrack { prompt };
            return;
        }
        self.settle_caller();
        let Some(sdp) = self.caller.described().cloned().filter(|_| self.stage == Stage::Ringing) else {
            let after = self.steps.iter().position(|step| *step == Step::Answer).map_or(0, |index| index + 1);
            self.steps.insert(after, later);
            return;
        };
        self.push(Command::Progress { status: 183, sdp: Some(sdp) });
        self.tune(self.caller.id);
        self.announce(&[prompt]);
    }

    /// Plays prompts one after another; the flow goes on when they are through.
    pub(super) fn announce(&mut self, prompts: &[PromptId]) {
        if let Some(mark) = self.say(self.caller.id, prompts) {
            self.doing = Doing::Playing { mark };
        }
    }

    /// Last words; then we hang up.
    pub(super) fn part_with(&mut self, prompt: &str, now: Now) {
        match self.say(self.caller.id, &[prompt.into()]) {
            Some(mark) => self.doing = Doing::Parting { mark },
            None => self.end(Ending::Completed, now),
        }
    }

    /// Orders sounds for a leg. `None`: none of them is in the bank (the check sees to it that they are).
    pub(super) fn say(&mut self, leg: LegId, prompts: &[PromptId]) -> Option<u32> {
        let sounds: Arc<[SoundId]> =
            prompts.iter().filter_map(|prompt| self.sounds.get(prompt).copied()).collect();
        if sounds.is_empty() {
            return None;
        }
        self.marks += 1;
        if leg == self.caller.id {
            self.tell(Told::Announced { prompt: prompts[0].to_string() });
        }
        self.push(Command::Sound(Order::Play { leg, sounds, repeat: false, mark: self.marks }));
        Some(self.marks)
    }

    /// Plays to the caller until something else is ordered.
    pub(super) fn play_for_ever(&mut self, prompt: &PromptId) {
        self.loop_to(self.caller.id, prompt);
    }

    pub(super) fn loop_to(&mut self, leg: LegId, prompt: &PromptId) {
        if let Some(sound) = self.sounds.get(prompt) {
            let order = Order::Play { leg, sounds: Arc::new([*sound]), repeat: true, mark: 0 };
            self.push(Command::Sound(order));
        }
    }

    /// A sound that was ordered is through.
    pub(super) fn played(&mut self, leg: LegId, mark: u32, now: Now) {
        self.notice_played(leg, mark, now);
        if self.words_heard(leg, mark, now) {
            return;
        }
        match &mut self.doing {
            Doing::Playing { mark: awaited } | Doing::Notifying { mark: awaited } if *awaited == mark => {
                self.advance(now);
            }
            Doing::Parting { mark: awaited } if *awaited == mark => self.end(Ending::Completed, now),
            Doing::Introducing { caller, seat } => {
                let through = if leg == self.caller.id { caller } else { seat };
                if *through == Some(mark) {
                    *through = None;
                }
                if let Doing::Introducing { caller: None, seat: None } = self.doing {
                    self.introduced(now);
                }
            }
            Doing::Queueing if leg == self.caller.id => self.play_music(),
            Doing::Transferring if leg == self.caller.id => self.play_ringback(),
            Doing::Asking(_) => self.question_put(mark, now),
            Doing::Serving(_) if leg == self.caller.id => self.act_played(mark, now),
            _ => {}
        }
    }

    /// The caller pressed a key.
    pub(super) fn digit_pressed(&mut self, digit: char, now: Now) {
        if self.is_late_end(digit, now) {
            return;
        }
        if !self.is_of_value(digit) {
            self.tell(Told::DigitPressed { digit });
            if self.plan.callers.urgent_key == Some(digit) && self.says_urgent(now) {
                return;
            }
        }
        let wants_person = digit == PERSON_KEY && self.service.is_begun();
        match self.doing {
            Doing::Serving(_) => self.act_pressed(digit, now),
            Doing::Dialling | Doing::Asking(_) if wants_person => self.go_to_person(now),
            Doing::Notifying { .. } => self.pass_over_notices(now),
            Doing::Queueing => self.waiting_pressed(digit),
            Doing::Asking(_) => self.graded(digit, now),
            Doing::Meeting(_) => self.member_pressed(digit, now),
            Doing::Watching(_) => self.watcher_pressed(digit, now),
            _ => {}
        }
    }
}
