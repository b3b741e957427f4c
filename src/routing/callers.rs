//! Callers who are known: lanes for some, rules for others, and who called before.

use std::time::Duration;

use super::queueing::Known;
use crate::id::{LineId, TrunkId};
use crate::time::Timestamp;

/// `[[lane]]`: callers who go another way to a person: the elderly, enterprises, a language's speakers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// `elderly`.
    pub name: String,
    /// Whose calls: any of these is enough.
    pub lines: Vec<LineId>,
    /// Calls by these trunks; carriers mark some callers by a trunk of their own.
    pub trunks: Vec<TrunkId>,
    /// Callers' numbers.
    pub callers: std::collections::BTreeSet<String>,
    /// Added to the caller's priority.
    pub priority: i16,
    /// What the clerk must know beyond what the line asks.
    pub skills: Vec<Known>,
    /// Straight to a person: no greeting.
    pub straight: bool,
}

/// `[[caller_policy]]`: what is done about one caller, why, who said so, and until when (the notice,
/// 四(二): unreasonable repeats). A person is reached all the same: no policy refuses for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerPolicy {
    /// The number.
    pub caller: String,
    /// What.
    pub act: CallerAct,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub approver: String,
    /// Not in force from here on.
    pub until: Timestamp,
}

/// What a policy does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerAct {
    /// Behind others: taken off the priority.
    Behind(i16),
    /// A clerk of these skills takes the calls.
    To(Vec<Known>),
    /// After a call, the next one within this time is answered with a word and a ticket instead of the
    /// queue; who says by key that it is urgent goes on to it.
    CoolDown(Duration),
    /// The number is shown to nobody, nor in any export.
    Confidential,
}

/// `[callers]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callers {
    /// A caller who called within this time is known; zero: nobody is.
    pub repeat_within: Duration,
    /// The key by which a caller says, anywhere before a clerk answers, that it is urgent.
    pub urgent_key: Option<char>,
    /// Priority of who said so.
    pub urgent_priority: i16,
    /// Priority of who comes by an emergency center's trunk.
    pub center_priority: i16,
    /// Lanes, the first that fits is taken.
    pub lanes: Vec<Lane>,
    /// Policies by number.
    pub policies: std::collections::BTreeMap<String, CallerPolicy>,
}

impl Default for Callers {
    fn default() -> Self {
        Callers {
            repeat_within: Duration::ZERO,
            urgent_key: None,
            urgent_priority: 1_000,
            center_priority: 2_000,
            lanes: Vec::new(),
            policies: std::collections::BTreeMap::new(),
        }
    }
}
