//! `[callers]`, `[[lane]]` and `[[caller_policy]]` as they are written.

use std::time::Duration;

use super::super::callers::Callers;
use super::super::diagnostic::{Spot, Text};
use super::super::people_values::{Key, Until};
use super::super::queueing::Known;
use super::super::read::{Node, Reader, Value};
use super::super::source::{Problems, Said};
use super::super::values::one_of;
use super::Field;
use super::reading::unnamed;

/// `[callers]`.
#[derive(Debug)]
pub struct CallersTable {
    /// The table.
    pub spot: Spot,
    /// `repeat_within`.
    pub repeat_within: Field<Duration>,
    /// `urgent_key`.
    pub urgent_key: Field<Key>,
    /// `urgent_priority`.
    pub urgent_priority: Field<i16>,
    /// `center_priority`.
    pub center_priority: Field<i16>,
}

/// `[[lane]]`.
#[derive(Debug)]
pub struct LaneTable {
    /// The table.
    pub spot: Spot,
    /// `name`.
    pub name: Field<String>,
    /// `lines`.
    pub lines: Field<Vec<Said<String>>>,
    /// `trunks`.
    pub trunks: Field<Vec<Said<String>>>,
    /// `callers`.
    pub callers: Field<Vec<Said<String>>>,
    /// `priority`.
    pub priority: Field<i16>,
    /// `skills`.
    pub skills: Field<Vec<Said<Known>>>,
    /// `straight`.
    pub straight: Field<bool>,
}

/// `act` of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActWord {
    /// Behind others.
    Behind,
    /// To clerks of some skills.
    To,
    /// A pause between calls.
    CoolDown,
    /// The number is shown to nobody.
    Confidential,
}

/// `[[caller_policy]]`.
#[derive(Debug)]
pub struct PolicyTable {
    /// The table.
    pub spot: Spot,
    /// `caller`.
    pub caller: Field<String>,
    /// `act`.
    pub act: Field<ActWord>,
    /// `by`: how far behind.
    pub by: Field<i16>,
    /// `skills` of who takes the calls.
    pub skills: Field<Vec<Said<Known>>>,
    /// `pause` between calls.
    pub pause: Field<Duration>,
    /// `reason`.
    pub reason: Field<String>,
    /// `approver`.
    pub approver: Field<String>,
    /// `until`.
    pub until: Field<Until>,
}

impl Value for ActWord {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let words = [
            ("behind", ActWord::Behind),
            ("to", ActWord::To),
            ("cool_down", ActWord::CoolDown),
            ("confidential", ActWord::Confidential),
        ];
        one_of(node, &words, problems)
    }
}

impl CallersTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let usual = Callers::default();
        CallersTable {
            spot: reader.spot.clone(),
            repeat_within: reader.or("repeat_within", usual.repeat_within),
            urgent_key: reader.optional("urgent_key"),
            urgent_priority: reader.or("urgent_priority", usual.urgent_priority),
            center_priority: reader.or("center_priority", usual.center_priority),
        }
    }
}

impl LaneTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        LaneTable {
            spot: reader.spot.clone(),
            name: reader.required("name", unnamed()),
            lines: reader.or("lines", Vec::new()),
            trunks: reader.or("trunks", Vec::new()),
            callers: reader.or("callers", Vec::new()),
            priority: reader.or("priority", 0),
            skills: reader.or("skills", Vec::new()),
            straight: reader.or("straight", false),
        }
    }
}

impl PolicyTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let aimless = || {
            Text::new(
                "引擎不知道对谁、怎样处理",
                "the engine would not know whom it is about, and what to do",
            )
        };
        let unanswered = || {
            Text::new(
                "对一位市民另眼相待，却没有人说明理由、为此负责",
                "a citizen would be treated unlike others, and nobody says why or answers for it",
            )
        };
        let endless = Text::new(
            "对这位市民的处理永远不会失效，也没有人会复核",
            "it would hold against this citizen for ever, and nobody would look at it again",
        );
        PolicyTable {
            spot: reader.spot.clone(),
            caller: reader.required("caller", aimless()),
            act: reader.required("act", aimless()),
            by: reader.optional("by"),
            skills: reader.optional("skills"),
            pause: reader.optional("pause"),
            reason: reader.required("reason", unanswered()),
            approver: reader.required("approver", unanswered()),
            until: reader.required("until", endless),
        }
    }
}
