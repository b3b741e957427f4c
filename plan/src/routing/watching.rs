//! Who may listen to whose calls, and how a seat dials for it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::in_use::InUse;
use super::number::{Dialled, Found};
use super::people::Role;
use super::plan::{DialledFrom, Line, LineMode, Plan, Seat};
use crate::id::SeatId;

/// How somebody listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watching {
    /// Is not heard.
    Listen,
    /// Is heard by the clerk alone.
    Whisper,
    /// Is heard by all.
    Barge,
}

impl Watching {
    /// As facts and figures write it.
    pub fn word(self) -> &'static str {
        match self {
            Watching::Listen => "listen",
            Watching::Whisper => "whisper",
            Watching::Barge => "barge",
        }
    }
}

/// What the telephone line to somebody's calls is called.
const NAME: &str = "坐席监听";

impl Role {
    /// Whether a seat of this role may listen in this way to the calls of a seat of role `of`: supervisors
    /// to everybody's, observers (the notice, 五(三)) and trainees unheard.
    pub fn may_watch(self, how: Watching, of: Role) -> bool {
        match self {
            Role::Supervisor | Role::Admin => true,
            Role::Observer => how == Watching::Listen && of.takes_callers(),
            Role::Trainee => how == Watching::Listen && of == Role::Clerk,
            Role::Clerk | Role::Expert | Role::Leader => false,
        }
    }

    /// Whether a seat of this role may have a call that it listens to for its own.
    pub fn may_take_over(self) -> bool {
        matches!(self, Role::Supervisor | Role::Admin)
    }

    /// Whether this role sees callers' numbers.
    pub fn sees_numbers(self) -> bool {
        self != Role::Observer
    }
}

/// Why a seat does not listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoWatch {
    /// The plan has no such seat.
    NoSuchSeat,
    /// It is not for this role, or the seat is its own.
    NotAllowed,
}

impl Plan {
    /// The line to another seat's calls, if that is what `seat` dials; and whose.
    pub fn find_watch<'a>(
        &'a self,
        seat: &Seat,
        dialled: &'a Dialled,
    ) -> Option<Result<(Found<'a>, SeatId), NoWatch>> {
        let value = dialled.oldest_first(DialledFrom::RequestUri).next()?;
        let number = self.watch_dialled(value)?;
        let found = |of: &SeatId| {
            let line = Cow::Owned(self.watch_line(seat.role));
            (Found { line, from: DialledFrom::RequestUri, number_as_dialled: value, alias: None }, of.clone())
        };
        Some(self.watched_seat(seat, number).map(|of| found(&of.id)))
    }

    fn watched_seat(&self, seat: &Seat, number: &str) -> Result<&Seat, NoWatch> {
        let of = self.seats.get(number).ok_or(NoWatch::NoSuchSeat)?;
        let allowed = of.id != seat.id && seat.role.may_watch(Watching::Listen, of.role);
        if allowed { Ok(of) } else { Err(NoWatch::NotAllowed) }
    }

    /// What follows the prefix in the user part of a URI, or in a bare number.
    fn watch_dialled<'a>(&self, value: &'a str) -> Option<&'a str> {
        let user = value.split_once(':').map_or(value, |(_, rest)| rest);
        let user = user.split(['@', ';', '?']).next().unwrap_or_default();
        let prefix = self.work.watch_prefix.as_str();
        (!prefix.is_empty()).then(|| user.strip_prefix(prefix)).flatten()
    }

    /// One line for all seats, so that figures by line have no more of them than the plan.
    fn watch_line(&self, role: Role) -> Line {
        Line {
            number: self.work.watch_prefix.as_str().into(),
            aliases: Vec::new(),
            in_use: InUse::default(),
            name: NAME.into(),
            owner: String::new(),
            mode: LineMode::Watch { role },
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

    /// Its name, if `line` is that one.
    pub(super) fn watch_line_name(&self, line: &str) -> Option<String> {
        (line == self.work.watch_prefix && !line.is_empty()).then(|| NAME.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 7] = [
        Role::Clerk,
        Role::Expert,
        Role::Leader,
        Role::Observer,
        Role::Trainee,
        Role::Supervisor,
        Role::Admin,
    ];

    /// Whose calls a role may listen to, in this way: as letters of the roles' names.
    fn whose(role: Role, how: Watching) -> String {
        let letter = |of: Role| format!("{of:?}").chars().next();
        ROLES.into_iter().filter(|of| role.may_watch(how, *of)).filter_map(letter).collect()
    }

    #[test]
    fn who_may_listen_to_whom_row_by_row() {
        use Watching::{Barge, Listen, Whisper};
        for (role, listen, more, takes, sees) in [
            (Role::Clerk, "", "", false, true),
            (Role::Expert, "", "", false, true),
            (Role::Leader, "", "", false, true),
            (Role::Observer, "CEL", "", false, false),
            (Role::Trainee, "C", "", false, true),
            (Role::Supervisor, "CELOTSA", "CELOTSA", true, true),
            (Role::Admin, "CELOTSA", "CELOTSA", true, true),
        ] {
            assert_eq!(whose(role, Listen), listen, "{role:?}");
            assert_eq!((whose(role, Whisper), whose(role, Barge)), (more.into(), more.into()), "{role:?}");
            assert_eq!((role.may_take_over(), role.sees_numbers()), (takes, sees), "{role:?}");
        }
    }
}
