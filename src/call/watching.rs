//! Listening to a call: the call of whoever listens, and what it changes for the one that is heard.
//!
//! Who listens has a call of its own, whose one leg joins the conference of the other call with rights
//! that say who hears it: to begin with nobody. Which call that is, the house says, as the seat that is
//! listened to goes from one to the next. Nothing here keeps the other call alive, or ends it.
//!
//! While somebody listens, two who talk are members of their call's conference instead of a bridge. What
//! they are told of observers is [`notice`](super::notice)'s.

use super::arrange::conference_of;
use super::event::Beside;
use super::{Call, Command, Doing, Ending, Stage};
use crate::id::{LegId, PromptId, SeatId};
use crate::media::Order;
use crate::media::order::{Audience, Group, Rights};
use crate::routing::people::Role;
use crate::routing::watching::Watching;
use crate::time::Now;

/// Heard again and again while there is nobody to listen to; without it, the ringing tone.
const WAITING: &str = "watch_waiting";
/// Who listens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Watcher {
    role: Role,
    at: Option<At>,
}

/// To what, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
struct At {
    beside: Beside,
    how: Watching,
    /// As they were last ordered.
    rights: Rights,
}

/// The side of who listens.
impl Call {
    /// Waits for the house to say what there is to hear.
    pub(super) fn begin_watch(&mut self, role: Role) {
        self.doing = Doing::Watching(Watcher { role, at: None });
        self.play_nothing_to_hear();
        self.push(Command::Watching);
    }

    fn play_nothing_to_hear(&mut self) {
        let own = PromptId::from(WAITING);
        let tone = if self.sounds.contains_key(&own) { own } else { "ringback".into() };
        self.play_for_ever(&tone);
    }

    /// Listens to another call from now on, or to none.
    pub(super) fn sit_beside(&mut self, beside: Option<Beside>) {
        let holds = self.caller.is_holding();
        let Doing::Watching(watcher) = &mut self.doing else { return };
        let role = watcher.role;
        let beside = beside.filter(|beside| role.may_watch(beside.how, beside.of));
        let at =
            beside.map(|beside| At { beside, how: beside.how, rights: rights(beside.how, &beside, holds) });
        let before = std::mem::replace(&mut watcher.at, at);
        if let Some(before) = before {
            self.push(Command::Watch { call: before.beside.call, how: None });
        }
        let leg = self.caller.id;
        let Some(At { beside, how, rights }) = at else {
            self.push(Command::Sound(Order::Leave { leg }));
            return self.play_nothing_to_hear();
        };
        let group = Group::of_call(beside.call);
        if std::mem::replace(&mut self.group, group) != group {
            self.push(Command::Sound(Order::Move { leg, group }));
        }
        let conference = conference_of(beside.call);
        self.push(Command::Sound(Order::Join { leg, conference, rights }));
        self.push(Command::Watch { call: beside.call, how: Some(how) });
    }

    /// 1 listens, 2 whispers, 3 joins in, 4 takes the call over.
    pub(super) fn watcher_pressed(&mut self, digit: char, now: Now) {
        match digit {
            '1' => self.watch_as(Watching::Listen),
            '2' => self.watch_as(Watching::Whisper),
            '3' => self.watch_as(Watching::Barge),
            '4' => self.take_watched(now),
            _ => {}
        }
    }

    pub(super) fn watch_as(&mut self, how: Watching) {
        let Doing::Watching(Watcher { role, at: Some(at) }) = &mut self.doing else { return };
        if !role.may_watch(how, at.beside.of) || std::mem::replace(&mut at.how, how) == how {
            return;
        }
        let call = at.beside.call;
        self.mind_watcher();
        self.push(Command::Watch { call, how: Some(how) });
    }

    /// The seat is free for the other call when this one is over.
    fn take_watched(&mut self, now: Now) {
        let Doing::Watching(Watcher { role, at: Some(at) }) = &self.doing else { return };
        if role.may_take_over() {
            self.push(Command::TakeWatched { call: at.beside.call });
            self.end(Ending::Completed, now);
        }
    }

    /// What a telephone plays while it holds is for nobody.
    pub(super) fn mind_watcher(&mut self) {
        let holds = self.caller.is_holding();
        let Doing::Watching(Watcher { at: Some(at), .. }) = &mut self.doing else { return };
        let rights = rights(at.how, &at.beside, holds);
        if std::mem::replace(&mut at.rights, rights) != rights {
            let conference = conference_of(at.beside.call);
            self.push(Command::Sound(Order::Join { leg: self.caller.id, conference, rights }));
        }
    }

    /// The call ends: closing its leg takes it out.
    pub(super) fn leave_watched(&mut self) {
        if let Doing::Watching(Watcher { at: Some(at), .. }) = self.doing {
            self.push(Command::Watch { call: at.beside.call, how: None });
        }
    }
}

fn rights(how: Watching, beside: &Beside, holds: bool) -> Rights {
    let heard_by = match how {
        _ if holds => Audience::Nobody,
        Watching::Listen => Audience::Nobody,
        Watching::Whisper => Audience::Only(beside.clerk),
        Watching::Barge => Audience::Everyone,
    };
    Rights { hears: !holds, heard_by }
}

/// The side of the call that is heard.
impl Call {
    /// The leg of this seat, if its clerk talks on this call: whom a whisper is for.
    pub fn leg_of_clerk(&self, seat: &SeatId) -> Option<LegId> {
        let talks = matches!(self.doing, Doing::Talking | Doing::Introducing { .. });
        let own = talks && self.stage == Stage::Answered && self.clerk.as_ref() == Some(seat);
        let leg = match own {
            true => &self.caller,
            false => &self.seat_there(seat).filter(|party| talks && party.answered)?.leg,
        };
        // What is only passed on nobody can be mixed into.
        let mixed = ![&self.caller, leg].iter().any(|leg| leg.is_passed_on());
        mixed.then_some(leg.id)
    }
}
