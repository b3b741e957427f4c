//! Observers are announced (the notice, 五(三)), where the plan wants that: one is let in when all who talk have
//! been told. Who joins later is told before an observer hears them, once, and until then observers hear
//! nothing of the call; those who know are not told again.

use std::time::Duration;

use super::arrange::{Ear, Talk};
use super::{Call, Command, Doing, Timer};
use crate::id::LegId;
use crate::time::Now;

/// They listen to the notice no longer than this, should the engine never say that it is through.
const NOTICE_MAX: Duration = Duration::from_secs(30);
/// Between two looks whether the notice can be given: on hold nobody would hear it.
const NOTICE_EVERY: Duration = Duration::from_secs(5);
/// So often; an observer who still waits then hears nothing of this call.
const NOTICE_TRIES: u8 = 60;

/// Whether those who talk know of observers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Notice {
    /// There are none.
    #[default]
    Unwanted,
    /// They are to be told.
    Wanted { tries: u8 },
    /// Some are being told; the legs and marks that are not through yet.
    Playing(Vec<(LegId, u32)>),
    /// They know.
    Given,
}

impl Call {
    /// An observer wants to hear: [`Command::ObserverMayHear`] follows when all who talk know.
    pub(super) fn observer_comes(&mut self, now: Now) {
        match self.notice {
            Notice::Given => self.push(Command::ObserverMayHear),
            Notice::Unwanted => {
                self.notice = Notice::Wanted { tries: 0 };
                self.give_notice(now);
            }
            Notice::Wanted { .. } | Notice::Playing(_) => {}
        }
    }

    /// Legs of those who hear one another now; whether each of them can be told something.
    fn talkers(&self) -> Vec<(LegId, bool)> {
        let talk = self.talk().filter(|_| self.doing == Doing::Talking);
        let people = match talk {
            Some(Talk::Two(a, b) | Talk::Aside(_, (a, b))) => vec![a, b],
            Some(Talk::Three(all)) => all.to_vec(),
            Some(Talk::Waiting(..)) | None => Vec::new(),
        };
        people.iter().map(|one| (one.leg, !one.holds && self.is_established(one.leg))).collect()
    }

    /// Those of them who do not know; `None`: nobody talks, or not all can be told.
    fn to_be_told(&self) -> Option<Vec<LegId>> {
        let talkers = self.talkers();
        let ready = !talkers.is_empty() && talkers.iter().all(|(_, ready)| *ready);
        let untold = talkers.into_iter().map(|(leg, _)| leg).filter(|leg| !self.noticed.contains(leg));
        ready.then(|| untold.collect())
    }

    /// Tells them, if it is wanted; soon, if they do not hear one another now.
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
        let Some(untold) = self.to_be_told() else {
            return self.timers.set(Timer::Notice, now.mono + NOTICE_EVERY);
        };
        let mut playing = Vec::new();
        for leg in untold {
            match self.say(leg, std::slice::from_ref(&prompt)) {
                Some(mark) => {
                    // A tone that it takes the place of is not waited for any more.
                    self.timers.cancel(Timer::Words(leg.index));
                    playing.push((leg, mark));
                }
                None => self.noticed.push(leg),
            }
        }
        if playing.is_empty() {
            return self.notice_given();
        }
        self.notice = Notice::Playing(playing);
        self.timers.set(Timer::Notice, now.mono + NOTICE_MAX);
        self.arrange(now); // Whom they talk with waits.
    }

    /// What was played under this mark is through: it may have been the notice.
    pub(super) fn notice_played(&mut self, leg: LegId, mark: u32, now: Now) {
        let Notice::Playing(playing) = &mut self.notice else { return };
        if let Some(at) = playing.iter().position(|told| *told == (leg, mark)) {
            playing.swap_remove(at);
            let all = playing.is_empty();
            self.noticed.push(leg);
            if all {
                self.notice_through(now);
            }
        }
    }

    /// Its time is over, or the next look is due.
    pub(super) fn notice_due(&mut self, now: Now) {
        match &mut self.notice {
            Notice::Playing(playing) => {
                let told = std::mem::take(playing);
                self.noticed.extend(told.iter().map(|(leg, _)| *leg));
                self.notice_through(now);
                for (leg, _) in told {
                    self.words_through(leg, now);
                }
            }
            Notice::Wanted { .. } => self.give_notice(now),
            Notice::Unwanted | Notice::Given => {}
        }
    }

    /// All who were told know. Somebody may have joined meanwhile who does not.
    fn notice_through(&mut self, now: Now) {
        if self.has_strangers() {
            self.notice = Notice::Wanted { tries: 0 };
            return self.give_notice(now);
        }
        self.notice_given();
    }

    fn notice_given(&mut self) {
        self.timers.cancel(Timer::Notice);
        self.notice = Notice::Given;
        self.push(Command::ObserverMayHear);
    }

    /// Whether somebody talks who has to be told, and was not.
    fn has_strangers(&self) -> bool {
        let knows = |leg: &LegId| self.noticed.contains(leg);
        self.plan.work.observer_prompt.is_some() && self.talkers().iter().any(|(leg, _)| !knows(leg))
    }

    /// Where one of them hears something else in its place, it will be given again; and where somebody has
    /// joined who does not know of observers, these hear nothing until it was given to them, too.
    pub(super) fn mind_notice(&mut self, now: Now) {
        match &self.notice {
            Notice::Playing(playing) => {
                let hears = |(leg, mark): &(LegId, u32)| self.ears.of(*leg) == Ear::Words(*mark);
                if self.to_be_told().is_some() && playing.iter().all(hears) {
                    return;
                }
                for (leg, _) in playing.clone() {
                    self.ears.forget(leg); // Who holds does not hear it out, and nobody waits for that.
                }
                self.notice = Notice::Wanted { tries: 0 };
                self.timers.set(Timer::Notice, now.mono + NOTICE_EVERY);
            }
            Notice::Given if self.has_strangers() => {
                self.notice = Notice::Unwanted;
                self.push(Command::ObserverMayNotHear);
            }
            Notice::Given | Notice::Wanted { .. } | Notice::Unwanted => {}
        }
    }
}
