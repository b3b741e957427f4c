//! How many are in each meeting room, and at its door: the one after the last that may be there is
//! told that it is full, before it is answered.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Switchboard, What};
use crate::id::{CallId, LineId};
use crate::routing::plan::{Line, LineMode};
use crate::switchboard::fact::millis;
use crate::time::Now;

/// Rooms with somebody in them: never more than there are calls.
#[derive(Default)]
pub(super) struct Rooms {
    rooms: BTreeMap<LineId, Room>,
    full: u64,
}

/// One room.
#[derive(Default)]
struct Room {
    /// Let in, and perhaps not through the door yet.
    admitted: u32,
    /// Members.
    members: u32,
}

/// How far a call is into its line's room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    /// Its line is none, or it is out again.
    Outside,
    /// Let in; a prompt may still be playing.
    AtDoor,
    /// A member.
    Inside,
}

impl Rooms {
    /// Whether a line is a room without a place; counted.
    pub(super) fn refuses(&mut self, line: &Line) -> bool {
        let LineMode::Meeting(meeting) = &line.mode else { return false };
        let full = self.rooms.get(&line.number).is_some_and(|room| room.admitted >= meeting.members_max);
        self.full += u64::from(full);
        full
    }

    /// Takes a place, where the line is a room.
    pub(super) fn admit(&mut self, line: &Line) -> Stay {
        if !matches!(line.mode, LineMode::Meeting(_)) {
            return Stay::Outside;
        }
        self.rooms.entry(line.number.clone()).or_default().admitted += 1;
        Stay::AtDoor
    }

    /// A call's sound has joined: how many members there are now.
    pub(super) fn join(&mut self, line: &LineId, stay: &mut Stay) -> u32 {
        let Some(room) = self.rooms.get_mut(line) else { return 0 };
        if *stay == Stay::AtDoor {
            *stay = Stay::Inside;
            room.members += 1;
        }
        room.members
    }

    /// A call gives its place back; a second time changes nothing. How many members are left, where it
    /// was one.
    pub(super) fn leave(&mut self, line: &LineId, stay: &mut Stay) -> Option<u32> {
        let was = std::mem::replace(stay, Stay::Outside);
        if was == Stay::Outside {
            return None;
        }
        let Entry::Occupied(mut entry) = self.rooms.entry(line.clone()) else { return None };
        let room = entry.get_mut();
        room.admitted = room.admitted.saturating_sub(1);
        room.members = room.members.saturating_sub(u32::from(was == Stay::Inside));
        let members = room.members;
        if room.admitted == 0 {
            entry.remove();
        }
        (was == Stay::Inside).then_some(members)
    }
}

impl Switchboard {
    /// A call whose machine failed leaves its room by force; what is told of it.
    pub(super) fn thrown_out(&mut self, id: CallId, now: Now) -> Option<What> {
        let entry = self.calls.get_mut(&id)?;
        let members = self.rooms.leave(&entry.line, &mut entry.stay)?;
        let stayed_ms = entry.answered.map_or(0, |at| millis(now.mono.since(at)));
        Some(What::RoomLeft { members, stayed_ms })
    }

    /// Meeting rooms with members, and how many each has.
    pub fn rooms(&self) -> impl Iterator<Item = (&LineId, u32)> {
        self.rooms.rooms.iter().map(|(line, room)| (line, room.members)).filter(|(_, members)| *members > 0)
    }

    /// Callers who found a room full since the start.
    pub fn rooms_full(&self) -> u64 {
        self.rooms.full
    }
}
