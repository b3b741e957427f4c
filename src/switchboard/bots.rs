//! Programs that talk with callers: how many at once, what they are told of the call, and that none is forgotten.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::port::Invited;
use super::{Output, Switchboard};
use crate::call::{BotEnd, BotSaid, Input};
use crate::id::{BotId, CallId, LegId, mask};
use crate::media::Order;
use crate::media::order::PortSlot;

/// Talks of the house at once; whoever comes beyond that is with a person at once. Each is a connection, a socket and
/// a hundred packets a second beside the calls.
pub const TALKS_MAX: usize = 128;

/// Talks under way, each with its call: it has one at a time.
#[derive(Debug, Default)]
pub(super) struct Talks(BTreeMap<CallId, Talk>);

#[derive(Debug)]
struct Talk {
    number: u32,
    leg: LegId,
    slot: PortSlot,
    /// The call was told that the program is there, and has its sound opened.
    is_there: bool,
}

impl Switchboard {
    /// A call wants a program: out with the invitation, if there is room.
    pub(super) fn talk_with_bot(&mut self, call: CallId, talk: u32, leg: LegId, bot: &BotId) {
        let refuse = |end| Input::Bot { talk, said: BotSaid::Ended(end) };
        let Some(entry) = self.calls.get(&call) else { return };
        let Some(bot) = entry.call.plan().bots.get(bot).cloned() else {
            return self.tell_call(call, refuse(BotEnd::Unreachable));
        };
        if self.talks.0.len() >= TALKS_MAX {
            tracing::warn!(%call, bot = %bot.id, TALKS_MAX, "as many programs talk as may");
            return self.tell_call(call, refuse(BotEnd::Busy));
        }
        let Some(slot) = self.ports.lend() else {
            return self.tell_call(call, refuse(BotEnd::NoSound));
        };
        let plan = entry.call.plan();
        let caller = match bot.show_caller {
            true => entry.shown_caller().to_owned(),
            false => mask(entry.shown_caller()).to_string(),
        };
        let invited = Invited {
            slot,
            line_name: plan.line_name(&entry.line),
            language: plan.lines.get(&entry.line).and_then(|line| line.language.clone()),
            line: entry.line.clone(),
            caller,
            ticket: entry.ticket.clone(),
            bot,
        };
        self.talks.0.insert(call, Talk { number: talk, leg, slot, is_there: false });
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.tell_call(call, Input::Port { leg, slot: Some(slot), peer: here, ours: here, keys: None });
        self.outputs.push_back(Output::TalkWithBot { call, talk, invited: Box::new(invited) });
    }

    /// A program says something. Nobody waits for what one of an earlier talk says.
    pub(super) fn bot_said(&mut self, call: CallId, talk: u32, said: BotSaid) {
        let known = self.talks.0.get_mut(&call).filter(|known| known.number == talk);
        let Some(known) = known else { return tracing::debug!(%call, talk, "a word of a talk that is over") };
        known.is_there |= matches!(said, BotSaid::There { .. });
        self.tell_call(call, Input::Bot { talk, said });
    }

    /// The call's talk is over.
    pub(super) fn leave_bot(&mut self, call: CallId, talk: u32, end: BotEnd) {
        if self.talks.0.get(&call).is_some_and(|known| known.number == talk) {
            self.talks.0.remove(&call);
            self.outputs.push_back(Output::LeaveBot { call, talk, end });
        }
    }

    /// A call is forgotten. One that failed inside has not said that it leaves, nor given its port back.
    pub(super) fn bot_forgotten(&mut self, call: CallId) {
        let Some(talk) = self.talks.0.remove(&call) else { return };
        self.outputs.push_back(Output::LeaveBot { call, talk: talk.number, end: BotEnd::CallEnded });
        match talk.is_there {
            true => self.outputs.push_back(Output::Sound(Order::Close { leg: talk.leg })),
            false => self.ports.release(talk.slot),
        }
    }

    /// Programs that talk, or are waited for.
    pub fn bot_talks(&self) -> usize {
        self.talks.0.len()
    }
}
