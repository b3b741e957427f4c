//! Meeting rooms: a kind of line by prefix, where any number of the right length is a room.
//!
//! A room is entered by the Request-URI only, and by those only whom the plan names: a call that was
//! forwarded is a citizen's, and a conference that everybody can dial into is an open ear and, by
//! whatever dials out of it, an open purse. To everybody else its numbers are no numbers of ours.

use std::borrow::Cow;
use std::sync::Arc;

use super::in_use::InUse;
use super::number::{Dialled, Found};
use super::plan::{DialledFrom, Line, LineMode, Plan, Trunk};
use crate::id::{LineId, PromptId, TrunkId};

/// How all seats together are called in `from`, and where a call of theirs came by.
pub const SEATS: &str = "seats";
/// Most members of a room: what one mixer takes.
pub const MEMBERS_MAX: u32 = 32;

/// `[[meeting]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meeting {
    /// What its rooms are for.
    pub name: String,
    /// What the number of each room begins with.
    pub prefix: String,
    /// Digits behind it.
    pub digits: u8,
    /// Members of one room at once; the next one is busy.
    pub members_max: u32,
    /// Said to who joins, before the others are heard.
    pub prompt: Option<PromptId>,
    /// Whether each member's call is recorded.
    pub record: bool,
    /// Whether seats may join.
    pub seats: bool,
    /// Trunks that may.
    pub trunks: Vec<TrunkId>,
}

/// Who comes to a room's door.
#[derive(Debug, Clone, Copy)]
pub enum Comer<'a> {
    /// A clerk's telephone, authenticated.
    Seat,
    /// Somebody behind a trunk.
    Trunk(&'a Trunk),
}

impl Meeting {
    /// All its rooms in one word: `94xxxxxx`.
    pub fn pattern(&self) -> LineId {
        pattern(&self.prefix, self.digits)
    }

    /// The room's own digits, where `number` is one of its rooms: the length must be exact.
    #[inline]
    pub fn room<'n>(&self, number: &'n str) -> Option<&'n str> {
        number.strip_prefix(self.prefix.as_str()).filter(|room| room.len() == usize::from(self.digits))
    }

    /// Whether it may join.
    pub fn admits(&self, comer: Comer<'_>) -> bool {
        match comer {
            Comer::Seat => self.seats,
            Comer::Trunk(trunk) => self.trunks.contains(&trunk.id),
        }
    }
}

impl Plan {
    /// The room that a call is for, if whoever calls may join it.
    pub fn find_room<'a>(&'a self, comer: Comer<'_>, dialled: &'a Dialled) -> Option<Found<'a>> {
        let (_, number, number_as_dialled) = self.room_dialled(comer, dialled)?;
        self.room(comer, number.as_str(), number_as_dialled)
    }

    /// The room of this number, if whoever calls may join it.
    #[inline]
    pub(super) fn room<'a>(
        &'a self,
        comer: Comer<'_>,
        number: &str,
        number_as_dialled: &'a str,
    ) -> Option<Found<'a>> {
        let meeting = self.meeting_of(number).filter(|meeting| meeting.admits(comer))?;
        let line = Cow::Owned(line(meeting, LineId::from(number)));
        Some(Found { line, from: DialledFrom::RequestUri, number_as_dialled, alias: None })
    }

    /// The room in the Request-URI, whoever calls: its meeting, its number, and as it came.
    pub fn room_dialled<'a>(
        &'a self,
        comer: Comer<'_>,
        dialled: &'a Dialled,
    ) -> Option<(&'a Arc<Meeting>, LineId, &'a str)> {
        if self.meetings.is_empty() {
            return None;
        }
        dialled.oldest_first(DialledFrom::RequestUri).find_map(|value| {
            let number = match comer {
                Comer::Seat => self.city.shortest(value)?,
                Comer::Trunk(trunk) => self.ours(trunk, value)?,
            };
            let meeting = self.meeting_of(number.as_str())?;
            Some((meeting, LineId::from(number.as_str()), value))
        })
    }

    /// A line as the file says it, a department, a platform or a room: its name in words; empty for no number of ours.
    pub fn line_name(&self, number: &LineId) -> String {
        let line = self.line_of(number.as_str()).map(|line| &line.name);
        let line = line.or_else(|| self.department_names.get(number));
        let line = line.or_else(|| self.peers.get(number.as_str()).map(|own| &own.name));
        let line = line.or_else(|| self.meeting_of(number.as_str()).map(|meeting| &meeting.name)).cloned();
        line.or_else(|| self.watch_line_name(number.as_str())).unwrap_or_default()
    }

    #[inline]
    pub(super) fn meeting_of(&self, number: &str) -> Option<&Arc<Meeting>> {
        self.meetings.iter().find(|meeting| meeting.room(number).is_some())
    }
}

pub(super) fn pattern(prefix: &str, digits: u8) -> LineId {
    LineId::from(format!("{prefix}{}", "x".repeat(usize::from(digits))).as_str())
}

/// A room as a line.
fn line(meeting: &Arc<Meeting>, number: LineId) -> Line {
    Line {
        number,
        aliases: Vec::new(),
        in_use: InUse::default(),
        name: meeting.name.clone(),
        owner: String::new(),
        mode: LineMode::Meeting(meeting.clone()),
        row: String::new(),
        expert_seats: false,
        is_confidential: false,
        skills: Vec::new(),
        transition: None,
        language: None,
        greeting: None,
        script: None,
        restored: None,
    }
}
