//! Keys that we press by INFO: a body of application/dtmf-relay in the dialog, as telephones and gateways have sent it
//! since before there were packages for it (legacy INFO usage, RFC 6086 §2, §4.2.1: no Info-Package is said).
//!
//! Whose keys go this way, and what becomes of those that were refused, is for `call` to say.

use std::collections::VecDeque;

use super::endpoint::{Endpoint, User};
use super::event::{Event, SessionId};
use super::method::Method;
use super::session::Session;
use crate::time::Now;

/// Keys of one dialog that wait to be pressed; further ones are lost, as they are in the sound.
const WAITING_MAX: usize = 64;
/// How long a key is said to have been held, milliseconds: as long as we press it in the sound.
const HELD_MS: u32 = 100;

/// The keys of one dialog. One INFO at a time is out: only its answer says that the next cannot overtake it, which
/// neither UDP nor a row of transactions promises (RFC 3261 §12.2.2 has a request that was overtaken refused).
#[derive(Debug, Default)]
pub(super) struct Pressing {
    out: Option<char>,
    waiting: VecDeque<char>,
}

impl Endpoint {
    /// Presses keys on the far end, one INFO after the other. Where one is refused or not answered,
    /// [`Event::KeysRefused`] gives back what was not pressed.
    pub fn press(&mut self, id: SessionId, keys: &str, now: Now) {
        let Some(session) = self.sessions.get_mut(&id).filter(|session| session.is_up()) else { return };
        let pressing = session.pressing.get_or_insert_default();
        let room = WAITING_MAX.saturating_sub(pressing.waiting.len());
        pressing.waiting.extend(keys.chars().take(room));
        self.press_next(id, now);
    }

    fn press_next(&mut self, id: SessionId, now: Now) {
        let next = |session: &mut Session| {
            let pressing = session.pressing.as_mut().filter(|pressing| pressing.out.is_none())?;
            pressing.out = pressing.waiting.pop_front();
            pressing.out
        };
        let Some(key) = self.sessions.get_mut(&id).filter(|session| session.is_up()).and_then(next) else {
            return;
        };
        let Some(mut session) = self.sessions.remove(&id) else { return };
        let body = format!("Signal={key}\r\nDuration={HELD_MS}\r\n");
        let finish = |draft: super::build::Draft| draft.body("application/dtmf-relay", body.as_bytes());
        self.ask(&mut session.dialog, &Method::Info, User::Pressing(id), finish, now);
        self.sessions.insert(id, session);
    }

    /// What came of an INFO; `None`: nothing did.
    pub(super) fn handle_pressed(&mut self, id: SessionId, status: Option<u16>, now: Now) {
        let Some(session) = self.sessions.get_mut(&id).filter(|session| session.is_up()) else { return };
        match (status, &mut session.pressing) {
            (Some(200..=299), Some(pressing)) => {
                pressing.out = None;
                self.press_next(id, now);
            }
            // RFC 3261 §12.2.1.2: there is no such dialog over there.
            (Some(481), _) => self.lose(id, now),
            (_, pressing) => {
                let trunk = session.dialog.trunk.clone();
                let left = pressing.take().unwrap_or_default();
                let keys = left.out.into_iter().chain(left.waiting).collect();
                let first = trunk.as_ref().is_some_and(|trunk| self.trunks.note_keys_refused(trunk));
                self.tell(Event::KeysRefused { session: id, trunk, status, keys, first });
            }
        }
    }
}
