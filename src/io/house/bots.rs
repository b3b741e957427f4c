//! Talks of programs with callers: begun, spoken to and left as calls want it.

use super::{Ask, House};
use crate::call::{BotEnd, BotSaid};
use crate::id::CallId;
use crate::switchboard::{Input, Invited};

impl House {
    /// Begins a talk on the worker; something always comes of it.
    pub(super) fn talk_with_bot(&mut self, call: CallId, talk: u32, invited: Invited) {
        let Some(engine) = self.media.sound_at(invited.slot) else {
            let said = BotSaid::Ended(BotEnd::NoSound);
            return self.board.handle_input(Input::Bot { call, talk, said }, self.setup.clock.now());
        };
        let door = self.door.clone();
        self.bots.begin((call, talk), invited, engine, move |said| {
            let _ = door.send(Ask::Input(Input::Bot { call, talk, said }));
        });
        self.metrics.figures().bots_talking(self.bots.count());
    }

    /// The call has left it.
    pub(super) fn leave_bot(&mut self, call: CallId, talk: u32, end: BotEnd) {
        self.bots.leave(call, talk, end);
        self.metrics.figures().bots_talking(self.bots.count());
    }
}
