//! Listening to a call: the call of whoever listens, and what it changes for the one that is heard.
//!
//! Who listens has a call of its own, whose one leg joins the conference of the other call with rights
//! that say who hears it: to begin with nobody. Which call that is, the house says, as the seat that is
//! listened to goes from one to the next. Nothing here keeps the other call alive, or ends it.
//!
//! While somebody listens, two who talk are members of their call's conference instead of a bridge. The
//! first observer is let in when caller and clerk have been told (the notice, 五(三)), where the plan
//! wants that.

use std::time::Duration;

use super::arrange::{Ear, conference_of};
use super::event::Beside;
use super::{Call, Command, Doing, Ending, Timer};
use crate::id::{LegId, PromptId, SeatId};
use crate::media::Order;
use crate::media::order::{Audience, Group, Rights};
use crate::routing::people::Role;
use crate::routing::watching::Watching;
use crate::time::Now;

/// Heard again and again while there is nobody to listen to; without it, the ringing tone.
const WAITING: &str = "watch_waiting";
/// Both listen to the notice no longer than this, should the engine never say that it is through.
const NOTICE_MAX: Duration = Duration::from_secs(30);
/// Between two looks whether the notice can be given: on hold nobody would hear it.
const NOTICE_EVERY: Duration = Duration::from_secs(5);
/// So often; an observer who still waits then hears nothing of this call.
const NOTICE_TRIES: u8 = 60;

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

/// Whether caller and clerk know of observers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Notice {
    /// There are none.
    #[default]
    Unwanted,
    /// They are to be told.
    Wanted { tries: u8 },
    /// They are being told; the marks that are not through yet.
    Playing { caller: Option<u32>, other: Option<u32> },
    /// They know.
    Given,
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
        let party = self.seat_there(seat).filter(|party| talks && party.answered)?;
        // What is only passed on nobody can be mixed into.
        let mixed = ![&self.caller, &party.leg].iter().any(|leg| leg.is_passed_on());
        mixed.then_some(party.leg.id)
    }

    /// An observer wants to hear: [`Command::ObserverMayHear`] follows when caller and clerk know.
    pub(super) fn observer_comes(&mut self, now: Now) {
        match self.notice {
            Notice::Given => self.push(Command::ObserverMayHear),
            Notice::Unwanted => {
                self.notice = Notice::Wanted { tries: 0 };
                self.give_notice(now);
            }
            Notice::Wanted { .. } | Notice::Playing { .. } => {}
        }
    }

    /// Tells both, if it is wanted; soon, if they do not hear one another now.
    pub(super) fn give_notice(&mut self, now: Now) {
        let Notice::Wanted { tries } = &mut self.notice else { return };
        *tries += 1;
        if *tries > NOTICE_TRIES {
            self.notice = Notice::Unwanted;
            return;
        }
        let Some(prompt) = self.plan.work.observer_prompt.clone() else {
            return self.notice_given();
        };
        if !self.two_talk() {
            return self.timers.set(Timer::Notice, now.mono + NOTICE_EVERY);
        }
        let words = [prompt];
        let other = self.other.as_ref().map(|other| other.leg.id);
        let caller = self.say(self.caller.id, &words);
        let other = other.and_then(|leg| self.say(leg, &words));
        if caller.is_none() && other.is_none() {
            return self.notice_given();
        }
        self.notice = Notice::Playing { caller, other };
        self.timers.set(Timer::Notice, now.mono + NOTICE_MAX);
    }

    /// What was played under this mark is through: it may have been the notice.
    pub(super) fn notice_played(&mut self, leg: LegId, mark: u32) {
        let is_caller = leg == self.caller.id;
        let Notice::Playing { caller, other } = &mut self.notice else { return };
        let through = if is_caller { caller } else { other };
        if *through == Some(mark) {
            *through = None;
        }
        if let Notice::Playing { caller: None, other: None } = self.notice {
            self.notice_given();
        }
    }

    /// Its time is over, or the next look is due.
    pub(super) fn notice_due(&mut self, now: Now) {
        match self.notice {
            Notice::Playing { .. } => {
                self.notice_given();
                let legs = [Some(self.caller.id), self.other.as_ref().map(|other| other.leg.id)];
                for leg in legs.into_iter().flatten() {
                    self.words_through(leg, now);
                }
            }
            Notice::Wanted { .. } => self.give_notice(now),
            Notice::Unwanted | Notice::Given => {}
        }
    }

    fn notice_given(&mut self) {
        self.timers.cancel(Timer::Notice);
        self.notice = Notice::Given;
        self.push(Command::ObserverMayHear);
    }

    /// Where one of them hears something else in its place, it will be given again.
    pub(super) fn mind_notice(&mut self, now: Now) {
        let Notice::Playing { caller, other } = self.notice else { return };
        let hears = |leg: Option<LegId>, mark: Option<u32>| match (leg, mark) {
            (Some(leg), Some(mark)) => self.ears.of(leg) == Ear::Words(mark),
            (None, Some(_)) => false,
            (_, None) => true,
        };
        let partner = self.other.as_ref().map(|other| (other.leg.id, other.leg.is_holding()));
        let holds = self.caller.is_holding() || partner.is_some_and(|(_, holds)| holds);
        let partner = partner.map(|(leg, _)| leg);
        if holds || !hears(Some(self.caller.id), caller) || !hears(partner, other) {
            for leg in [Some(self.caller.id), partner].into_iter().flatten() {
                self.ears.forget(leg); // Who holds does not hear it out, and nobody waits for that.
            }
            self.notice = Notice::Wanted { tries: 0 };
            self.timers.set(Timer::Notice, now.mono + NOTICE_EVERY);
        }
    }
}
