//! People: what their seats may do, when they are there, and how they rest.

use std::time::Duration;

use super::number::{self, Dialled};
use super::plan::{DialledFrom, Plan, SecretRef};
use super::three_way::{CallerLeaves, ClerkLeaves, ThirdLeaves, Tones};
use crate::id::{LineId, PromptId, SeatId};

pub use super::hours::{Band, Hours};

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

impl Role {
    /// Whether a queue's callers are offered to it without a surge.
    pub fn takes_callers(self) -> bool {
        match self {
            Role::Clerk | Role::Expert | Role::Leader => true,
            Role::Observer | Role::Trainee | Role::Supervisor | Role::Admin => false,
        }
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
///
/// A seat says by telephone what it is: it dials the [prefix](Work::prefix) and a code behind it, with a
/// `#` at the end or without, and hears what came of it.
///
/// | dialled | the seat is |
/// | --- | --- |
/// | `*30` | ready |
/// | `*31` … `*39` | away, for the reason with that digit |
/// | `*300` | in its wrap-up for five more minutes ([`MORE_WRAP_UP`]) |
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
    /// Beginning of numbers that seats dial to listen: the seat's own number follows, `*91001`. Empty:
    /// nobody listens by telephone.
    pub watch_prefix: String,
    /// Said to caller and clerk once before the first observer hears them; `None`: nothing is.
    pub observer_prompt: Option<PromptId>,
}

/// By how much `*300` makes a wrap-up longer.
pub const MORE_WRAP_UP: Duration = Duration::from_secs(5 * 60);

/// What a seat says of itself by a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeatCode {
    /// Its clerk is free.
    Ready,
    /// Its clerk is gone for this reason, by its name.
    Away(String),
    /// The case needs [`MORE_WRAP_UP`].
    MoreWrapUp,
    /// It begins like a code, and is none.
    Unknown,
}

impl SeatCode {
    /// The prompt by which whoever dialled it hears that it is done; `None`: it is no code.
    pub fn word(&self) -> Option<&'static str> {
        match self {
            SeatCode::Ready => Some("ready"),
            SeatCode::Away(_) => Some("away"),
            SeatCode::MoreWrapUp => Some("wrap_up_longer"),
            SeatCode::Unknown => None,
        }
    }
}

impl Plan {
    /// The code in the Request-URI of a seat's call; `None`: what it dialled is something else.
    pub fn seat_code(&self, dialled: &Dialled) -> Option<SeatCode> {
        dialled.oldest_first(DialledFrom::RequestUri).find_map(|uri| self.work.code(&number::user_of(uri)?))
    }
}

impl Work {
    fn code(&self, keys: &str) -> Option<SeatCode> {
        let code = keys.strip_prefix(self.prefix.as_str()).filter(|_| !self.prefix.is_empty())?;
        // Some telephones send the key by which dialling ends.
        let code = code.strip_suffix('#').unwrap_or(code);
        let away = |code: &str| self.away.iter().find(|reason| code == reason.digit.to_string());
        Some(match code {
            "0" => SeatCode::Ready,
            "00" => SeatCode::MoreWrapUp,
            _ => away(code).map_or(SeatCode::Unknown, |reason| SeatCode::Away(reason.name.clone())),
        })
    }
}

/// `[[work.away]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwayReason {
    /// Dialled by telephone: `1` … `9`.
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
    /// What is heard when somebody joins or leaves.
    pub tones: Tones,
    /// When the clerk leaves three who talk.
    pub clerk_leaves: ClerkLeaves,
    /// When the caller leaves a clerk and a third party, whether three talked or those two alone.
    pub caller_leaves: CallerLeaves,
    /// When the third leaves, whether three talked or it talked with the clerk alone.
    pub third_leaves: ThirdLeaves,
}

impl Default for ThreeWay {
    fn default() -> Self {
        ThreeWay {
            keys: std::collections::BTreeMap::new(),
            hold_max: Duration::from_secs(3 * 60),
            failed_prompt: "sub_center_unanswered".into(),
            tones: Tones::default(),
            clerk_leaves: ClerkLeaves::default(),
            caller_leaves: CallerLeaves::default(),
            third_leaves: ThirdLeaves::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seats_codes_are_read_in_each_form_and_nothing_else_is_one() {
        let lunch = AwayReason { digit: '1', name: "lunch".into(), most: None };
        let work = Work { away: vec![lunch], ..Work::default() };
        let read = |uri: &str| work.code(&number::user_of(uri)?);
        for uri in ["sip:*31@h", "sip:%2A31@h", "sip:%2a3%31@h:5060;user=phone", "sip:*31%23@h", "sip:*31#@h"]
        {
            assert_eq!(read(uri), Some(SeatCode::Away("lunch".into())), "{uri}");
        }
        assert_eq!(read("tel:*30;phone-context=h"), Some(SeatCode::Ready));
        assert_eq!(read("sip:*30;phone-context=h@h"), Some(SeatCode::Ready));
        assert_eq!(read("<sip:*300@h>"), Some(SeatCode::MoreWrapUp));
        for uri in ["sip:*3@h", "sip:*32@h", "sip:*310@h", "sip:*3%2A@h", "sip:*3##@h"] {
            assert_eq!(read(uri), Some(SeatCode::Unknown), "{uri}");
        }
        for uri in ["sip:30@h", "sip:12345@h", "sip:%2@h", "sip:h", "sip:*4@h", ""] {
            assert_eq!(read(uri), None, "{uri}");
        }
        let work = Work { prefix: String::new(), ..work };
        assert_eq!(work.code("0"), None, "without a prefix there are no codes");
    }
}
