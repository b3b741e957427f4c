//! People: what their seats may do, when they are there, and how they rest.

use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::plan::SecretRef;
use crate::id::{LineId, PromptId, SeatId};
use crate::time::Timestamp;

/// `[[seat]] role`, and the role of an API token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Takes callers.
    #[default]
    Clerk,
    /// Is asked by clerks, and takes what its line's callers need.
    Expert,
    /// A city leader on a leader day (the notice, 五(二)): takes callers with a supervisor beside.
    Leader,
    /// Listens, with numbers masked.
    Observer,
    /// Learns: listens to a clerk.
    Trainee,
    /// Listens, whispers, joins, takes over, and orders seats about.
    Supervisor,
    /// No seat: everything by API.
    Admin,
}

/// When somebody is there: weekly bands by the city's clock. Without bands: always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hours(pub Vec<Band>);

/// From `from` up to and without `to` on these days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// Days of the week.
    pub days: Vec<Weekday>,
    /// First minute.
    pub from: Time,
    /// The first that is out of it; 00:00 is the day's end.
    pub to: Time,
}

impl Hours {
    /// Whether somebody is there at `at`.
    pub fn are_open(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let local = zone.to_datetime(at);
        let inside = |band: &Band| {
            let before_end = band.to == Time::midnight() || local.time() < band.to;
            band.days.contains(&local.weekday()) && local.time() >= band.from && before_end
        };
        self.0.is_empty() || self.0.iter().any(inside)
    }
}

/// `[[expert_group]]`: the expert seats of a department (the notice, list of 2-1, 2-2, 2-5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpertGroup {
    /// The line whose experts they are, which is how clerks reach them: `12348`.
    pub number: LineId,
    /// Name of the group.
    pub name: String,
    /// 责任单位.
    pub department: String,
    /// Who is in it, by number; the longest idle is asked first.
    pub seats: Vec<SeatId>,
    /// When they are there.
    pub hours: Hours,
    /// How long one of them rings.
    pub accept: Duration,
}

/// `[work]`: what clerks may do with their time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Reasons for being away, by the digit that says them by telephone: `1` lunch.
    pub away: Vec<AwayReason>,
    /// Longest wrap-up, however often it is extended.
    pub wrap_up_max: Duration,
    /// Rest after a call that its clerk flagged as abusive.
    pub rest: Duration,
    /// Beginning of numbers that seats dial to change their state: `*3`.
    pub prefix: String,
    /// Beginning of numbers that supervisors and trainees dial to listen to a seat: `*9` and the seat.
    pub watch_prefix: String,
    /// Said to both before an observer hears them; `None`: nothing is.
    pub observer_prompt: Option<PromptId>,
}

/// `[[work.away]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwayReason {
    /// Dialled by telephone.
    pub digit: char,
    /// Its name, in records: `lunch`.
    pub name: String,
    /// After so long a supervisor's board shows it; `None`: never.
    pub most: Option<Duration>,
}

impl Default for Work {
    fn default() -> Self {
        Work {
            away: Vec::new(),
            wrap_up_max: Duration::from_secs(15 * 60),
            rest: Duration::from_secs(5 * 60),
            prefix: "*3".into(),
            watch_prefix: "*9".into(),
            observer_prompt: None,
        }
    }
}

/// `[[api_token]]`: who asks by HTTP, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// In records and in the ledger.
    pub name: String,
    /// What it may.
    pub role: Role,
    /// The seat of whoever uses it, where they have one.
    pub seat: Option<SeatId>,
    /// Where the token is kept: never in the file.
    pub secret: SecretRef,
}

/// `[three_way]`: a clerk asks a third party into the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreeWay {
    /// Single keys behind `*` and whom they ask: a sub-center's, a group's, a department's or an emergency
    /// number, or a seat.
    pub keys: std::collections::BTreeMap<char, String>,
    /// A caller whom the clerk leaves with music longer than this goes back to the queue, first in line.
    pub hold_max: Duration,
    /// Said to a caller for whom a third party could not be reached, once the clerk is gone.
    pub failed_prompt: PromptId,
}

impl Default for ThreeWay {
    fn default() -> Self {
        ThreeWay {
            keys: std::collections::BTreeMap::new(),
            hold_max: Duration::from_secs(3 * 60),
            failed_prompt: "sub_center_unanswered".into(),
        }
    }
}
