//! After the call: what it was about, who is called back, and what is asked.

use std::time::Duration;

use super::people::Hours;
use crate::id::{LineId, TrunkId};

/// `[disposition]`: what a call was about (the notice, 四(一)): one of the fields and one of the types,
/// or a reason for which it is not accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disposition {
    /// 经济调节, 市场监管, 社会管理, 公共服务, 生态环境保护.
    pub fields: Vec<Code>,
    /// 咨询, 求助, 投诉, 举报, 意见建议.
    pub types: Vec<Code>,
    /// Not accepted here, and where to go instead.
    pub not_accepted: Vec<Code>,
    /// Matters of which satisfaction is not chased.
    pub unsurveyed: Vec<Code>,
    /// Matters that are handed on at once.
    pub immediate: Vec<Immediate>,
}

/// `[[disposition.immediate]]`: complaints and matters of enforcement go to who is competent at once (the notice, 二(二)2):
/// 12345 does not do departments' work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Immediate {
    /// A code of `fields` or `types`.
    pub code: String,
    /// Who is asked into the call: a number of the plan that a clerk may ask. `None`: its ticket is what hands it on.
    pub to: Option<LineId>,
    /// So soon after it was said what the call is about; later is late.
    pub within: Duration,
}

impl Disposition {
    /// What must be done at once about a matter with these codes: by the type first, then by the field.
    pub fn immediate(&self, field: Option<&str>, kind: Option<&str>) -> Option<&Immediate> {
        let of = |code: &str| self.immediate.iter().find(|own| own.code == code);
        kind.and_then(of).or_else(|| field.and_then(of))
    }
}

/// One code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// In records: `consultation`.
    pub code: String,
    /// For people: 咨询.
    pub name: String,
}

/// `[missed]`: callers who gave up are called back (漏接回拨).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// Whether there is a list.
    pub enabled: bool,
    /// Who gave up sooner did not mean it.
    pub after: Duration,
    /// After so long nobody is called back any more.
    pub keep: Duration,
    /// Tries for one caller.
    pub tries: u8,
    /// Between two.
    pub again_after: Duration,
}

impl Default for Missed {
    fn default() -> Self {
        Missed {
            enabled: false,
            after: Duration::from_secs(10),
            keep: Duration::from_secs(24 * 3_600),
            tries: 3,
            again_after: Duration::from_secs(30 * 60),
        }
    }
}

/// `[follow_up]`: callers are asked later whether they were helped (回访).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// Whether anybody is.
    pub enabled: bool,
    /// Of a hundred closed tickets, so many.
    pub percent: u8,
    /// When.
    pub hours: Hours,
    /// Tries for one caller.
    pub tries: u8,
    /// Between two.
    pub again_after: Duration,
    /// Calls at once.
    pub at_once: u16,
}

impl Default for FollowUp {
    fn default() -> Self {
        FollowUp {
            enabled: false,
            percent: 100,
            hours: Hours::default(),
            tries: 2,
            again_after: Duration::from_secs(4 * 3_600),
            at_once: 2,
        }
    }
}

/// `[calling]`: how clerks, and the house itself, call somebody outside. Without it nobody is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calling {
    /// Dialled by telephones in front of a number outside: `9`.
    pub prefix: String,
    /// Beginnings of numbers that may be called; what begins otherwise is refused. Emergency numbers never
    /// need to be among them.
    pub allowed: Vec<String>,
    /// A trunk or a group.
    pub trunk: TrunkId,
    /// Whose number is shown: `12345`.
    pub line: LineId,
    /// How long it rings.
    pub ring: Duration,
}
