//! A call in a meeting room: in, muted, on hold, and out again.
//!
//! Who else is there is not this call's to know: it joins a conference by its number, and the media
//! engine brings the members together.

use std::time::Duration;

use super::{Call, Command, Doing, Told};
use crate::media::Order;
use crate::media::order::{Audience, ConferenceId, Rights};
use crate::time::{Instant, Now};

/// `*6` is two keys within this time.
const KEYS_MAX: Duration = Duration::from_secs(4);

/// What one member of a conference is at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Member {
    conference: ConferenceId,
    since: Instant,
    /// Said by the member itself, with `*6`.
    muted: bool,
    /// When `*` was pressed, if nothing was since.
    star: Option<Instant>,
    /// As they were last ordered.
    rights: Rights,
}

impl Call {
    pub(super) fn join(&mut self, conference: ConferenceId, now: Now) {
        let rights = rights(false, self.caller.is_holding());
        self.doing = Doing::Meeting(Member { conference, since: now.mono, muted: false, star: None, rights });
        self.tell(Told::RoomJoined);
        self.push(Command::Sound(Order::Join { leg: self.caller.id, conference, rights }));
    }

    /// `*6`: not heard any more, and heard again.
    pub(super) fn member_pressed(&mut self, digit: char, now: Now) {
        let Doing::Meeting(member) = &mut self.doing else { return };
        let star = member.star.take().filter(|at| now.mono.since(*at) <= KEYS_MAX);
        match (star, digit) {
            (_, '*') => member.star = Some(now.mono),
            (Some(_), '6') => {
                member.muted = !member.muted;
                self.mind_member();
            }
            _ => {}
        }
    }

    /// Whoever holds hears nothing, and what its telephone plays to us meanwhile is not the others' to hear.
    pub(super) fn mind_member(&mut self) {
        let holds = self.caller.is_holding();
        let Doing::Meeting(member) = &mut self.doing else { return };
        let rights = rights(member.muted, holds);
        if std::mem::replace(&mut member.rights, rights) != rights {
            let conference = member.conference;
            self.push(Command::Sound(Order::Join { leg: self.caller.id, conference, rights }));
        }
    }

    /// The call ends: closing its leg takes it out.
    pub(super) fn leave_meeting(&mut self, now: Now) {
        if let Doing::Meeting(member) = self.doing {
            self.tell(Told::RoomLeft { stayed: now.mono.since(member.since) });
        }
    }
}

fn rights(muted: bool, holds: bool) -> Rights {
    let heard_by = if muted || holds { Audience::Nobody } else { Audience::Everyone };
    Rights { hears: !holds, heard_by }
}
