//! Hot notices: their sounds come into the bank, and leave it when nobody hears them any more.

use tokio::sync::oneshot;

use super::House;
use crate::media::SoundBank;
use crate::media::order::SoundId;
use crate::switchboard::Input;
use crate::switchboard::notices::HotNotice;
use crate::time::Now;

impl House {
    /// Whoever inserted it learns when calls hear it: while a reload makes the next bank, after that.
    pub(super) fn notice_wanted(&mut self, notice: HotNotice, sound: SoundBank, reply: oneshot::Sender<()>) {
        if self.reloads.is_running() {
            return self.reloads.notices.push((notice, sound, reply));
        }
        self.notice_added(notice, &sound);
        let _ = reply.send(());
    }

    /// Calls from now on hear it no more; one that waits for a reload is over before it begins.
    pub(super) fn notice_ended(&mut self, id: u64, reply: oneshot::Sender<()>) {
        let now = self.setup.clock.now();
        for (notice, ..) in self.reloads.notices.iter_mut().filter(|(notice, ..)| notice.id == id) {
            notice.end = notice.end.min(now.wall);
        }
        self.board.handle_input(Input::NoticeEnded { id }, now);
        let _ = reply.send(());
    }

    /// Calls from now on hear it in its time. `sound` holds its one sound, encoded elsewhere.
    pub(super) fn notice_added(&mut self, notice: HotNotice, sound: &SoundBank) {
        let place = SoundId(u32::try_from(self.sounds.bank.len()).unwrap_or(u32::MAX));
        self.sounds.bank = self.sounds.bank.and(sound);
        self.media.set_bank(&self.sounds.bank);
        let notice = Box::new(notice);
        self.board.handle_input(Input::NoticeAdded { notice, sound: place }, self.setup.clock.now());
    }

    /// Counts those in force, and lets go of sounds that are heard no more.
    pub(super) fn mind_notices(&mut self, now: Now) {
        let in_force = self.board.notices(now.wall).filter(|notice| notice.is_in_force(now.wall)).count();
        self.metrics.figures().notices_in_force(in_force);
        if self.reloads.is_running() {
            return;
        }
        let unheard = self.board.take_unheard(now.wall);
        if !unheard.is_empty() {
            self.sounds.bank = self.sounds.bank.without(&unheard);
            self.media.set_bank(&self.sounds.bank);
        }
    }
}
