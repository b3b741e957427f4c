//! A talk of the caller with a program (智能客服): it is had, it talks, and the flow goes on; or, whatever goes
//! wrong, with a person, to whom the key for one leads at every instant.
//!
//! The program is a leg of the call's like any other as far as sound goes: bridged with the caller's, and in the
//! recording. How it is reached is `io`'s; that it takes no longer than the plan has it, this file's.

use std::net::SocketAddr;
use std::time::Duration;

use super::bot::{BotEnd, BotSaid, Transcript};
use super::script::Acting;
use super::{Call, Command, Doing, Timer, Told};
use crate::id::{BotId, LegId};
use crate::media::Order;
use crate::media::order::{Codec, Flow, Group, LegConfig, PortSlot, Watches};
use crate::routing::script::BOT_OUTCOME;
use crate::time::{Instant, Now};

/// The payload type of a program's sound, both ways: both ends are ours.
pub const PAYLOAD_TYPE: u8 = 96;

/// The talk that is had.
pub(super) struct Talk {
    number: u32,
    bot: BotId,
    leg: LegId,
    /// Until the sound is open, the port pair is ours to give back.
    slot: Option<PortSlot>,
    is_open: bool,
    since: Instant,
    said: Transcript,
}

impl Call {
    /// Asks for a program. Nothing but its being there, or the end of the time for that, is waited for.
    pub(super) fn talk_with_bot(&mut self, bot: &BotId, now: Now) {
        let Some(rules) = self.plan.bots.get(bot) else { return self.go_to_person(now) };
        let (connect, music) = (rules.connect, rules.music.clone());
        self.service.talks += 1;
        let number = self.service.talks;
        let leg = self.leg_id();
        self.service.talk = Some(Talk {
            number,
            bot: bot.clone(),
            leg,
            slot: None,
            is_open: false,
            since: now.mono,
            said: Transcript::default(),
        });
        if self.caller.is_passed_on() {
            return self.bot_lost(BotEnd::NoSound, now);
        }
        if let Some(music) = music {
            self.play_for_ever(&music);
        }
        self.timers.set(Timer::Act, now.mono + connect);
        self.doing = Doing::Serving(Acting::Talking);
        self.push(Command::TalkWithBot { talk: number, leg, bot: bot.clone() });
    }

    /// Whether this leg is, or is to be, the program's.
    pub(super) fn is_bots(&self, leg: LegId) -> bool {
        self.service.talk.as_ref().is_some_and(|talk| talk.leg == leg)
    }

    /// A port pair that the house holds for a program whose sound is not open yet.
    pub(super) fn holds_bots_port(&self) -> bool {
        self.service.talk.as_ref().is_some_and(|talk| !talk.is_open && talk.slot.is_some())
    }

    /// The port pair for its sound; `None`: there is none.
    pub(super) fn bot_port(&mut self, slot: Option<PortSlot>, now: Now) {
        match (&mut self.service.talk, slot) {
            (Some(talk), Some(slot)) => talk.slot = Some(slot),
            _ => self.bot_lost(BotEnd::NoSound, now),
        }
    }

    /// What the program does. Of an earlier talk it is passed over.
    pub(super) fn bot_said(&mut self, number: u32, said: BotSaid, now: Now) {
        let Some(talk) = self.service.talk.as_mut().filter(|talk| talk.number == number) else { return };
        match said {
            BotSaid::There { at } => self.bot_there(at, now),
            BotSaid::Line(line) => talk.said.push(line),
            BotSaid::Done { outcome, values } => {
                let rules = self.plan.bots.get(&talk.bot);
                let says = |name: &str| rules.is_some_and(|rules| rules.says.contains(name));
                for (name, text) in values.iter().filter(|(name, _)| says(name)) {
                    self.service.keep(name, text, false);
                }
                if let Some(outcome) = &outcome {
                    self.service.keep(BOT_OUTCOME, outcome, false);
                }
                self.leave_bot(BotEnd::Done, now);
                self.next_act(now);
            }
            BotSaid::Person => self.bot_lost(BotEnd::Person, now),
            BotSaid::Ended(end) => self.bot_lost(end, now),
        }
    }

    /// It is there: caller and program hear one another, for as long as the plan has it.
    fn bot_there(&mut self, at: SocketAddr, now: Now) {
        let (group, caller) = (self.group, self.caller.id);
        let Some(talk) = self.service.talk.as_mut().filter(|talk| !talk.is_open) else { return };
        let most = self.plan.bots.get(&talk.bot).map_or(Duration::ZERO, |bot| bot.most);
        let Some(slot) = talk.slot else { return self.bot_lost(BotEnd::NoSound, now) };
        talk.is_open = true;
        let leg = talk.leg;
        self.timers.set(Timer::Act, now.mono + most);
        self.push(Command::Sound(Order::Open { leg, config: Box::new(config(slot, group, at)) }));
        self.push(Command::Sound(Order::Bridge { a: caller, b: leg }));
    }

    /// A key that the caller pressed is told to the program.
    pub(super) fn press_to_bot(&mut self, digit: char) {
        if let Some(talk) = &self.service.talk {
            self.push(Command::TellBot { talk: talk.number, digit });
        }
    }

    /// It was not there in time, or has talked as long as it may.
    pub(super) fn bot_late(&mut self, now: Now) {
        let is_there = self.service.talk.as_ref().is_some_and(|talk| talk.is_open);
        self.bot_lost(if is_there { BotEnd::TimedOut } else { BotEnd::NoAnswer }, now);
    }

    /// There is no more of it, and the caller wants a person.
    pub(super) fn bot_lost(&mut self, end: BotEnd, now: Now) {
        self.leave_bot(end, now);
        self.go_to_person(now);
    }

    /// The talk, if there is one, is over: its sound is closed, and what was said is told.
    pub(super) fn leave_bot(&mut self, end: BotEnd, now: Now) {
        let Some(talk) = self.service.talk.take() else { return };
        self.timers.cancel(Timer::Act);
        match talk.slot {
            Some(_) if talk.is_open => self.push(Command::Sound(Order::Close { leg: talk.leg })),
            Some(slot) => self.push(Command::FreePort { slot }),
            None => {}
        }
        self.push(Command::LeaveBot { talk: talk.number, end });
        let (took, Transcript { lines, cut, .. }) = (now.mono.since(talk.since), talk.said);
        self.tell(Told::BotTalked { bot: talk.bot, end, took, lines, cut });
    }
}

/// Both ends are ours: nothing is negotiated, kept secret or watched.
fn config(slot: PortSlot, group: Group, at: SocketAddr) -> LegConfig {
    LegConfig {
        slot,
        group,
        codec: Codec::L16,
        payload_type: PAYLOAD_TYPE,
        payload_type_in: PAYLOAD_TYPE,
        other_in: None,
        dtmf: None,
        remote: at,
        remote_rtcp: at,
        rtcp_mux: true,
        packet_ms: 20,
        new_peer: false,
        signalling_peer: at.ip(),
        flow: Flow::SendRecv,
        srtp: None,
        silence_max: Duration::ZERO,
        watches: Watches::default(),
        keys_told: false,
    }
}
