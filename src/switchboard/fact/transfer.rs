//! Words for who is asked into a call, how, and how far that has come.

use serde::{Deserialize, Serialize};

pub use crate::call::TransferKind;

/// How far a transfer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferStep {
    /// Asked for, and begun.
    Requested,
    /// Asked for, and not begun.
    Declined,
    /// It rings there.
    Ringing,
    /// The third party talks with who asked; the caller hears music.
    Consulting,
    /// All three talk.
    Merged,
    /// Who asked has left, and the others go on.
    Left,
    /// The caller is with who asked again.
    Returned,
    /// Caller and target talk.
    Accepted,
    /// The target did not take the caller.
    Failed,
}

impl TransferStep {
    /// As records and events write it.
    pub fn word(self) -> &'static str {
        match self {
            TransferStep::Requested => "requested",
            TransferStep::Declined => "declined",
            TransferStep::Ringing => "ringing",
            TransferStep::Consulting => "consulting",
            TransferStep::Merged => "merged",
            TransferStep::Left => "left",
            TransferStep::Returned => "returned",
            TransferStep::Accepted => "accepted",
            TransferStep::Failed => "failed",
        }
    }
}

/// With this status a transfer is declined for which nobody is there at this hour.
pub const AFTER_HOURS: u16 = 480;

/// Who takes part in the city's calls beside its own desks: what figures are kept by, and what a center
/// that sends the data of its own half of a call joins them by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Which: its number in our own form, `12366`, or the seat.
    pub id: String,
}

/// What an [`Object`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// 分中心: a line whose number and seats are kept elsewhere.
    SubCenter,
    /// 专家座席 of a line.
    ExpertGroup,
    /// A department that clerks ask into a call.
    Department,
    /// Another platform of the hotline: a county's, another city's. By its organisation code.
    Peer,
    /// 110, 119, 120, 122.
    Emergency,
    /// A seat of our own.
    Seat,
}

impl ObjectKind {
    /// All of them, in the order of their words.
    pub const ALL: [ObjectKind; 6] = [
        ObjectKind::SubCenter,
        ObjectKind::ExpertGroup,
        ObjectKind::Department,
        ObjectKind::Peer,
        ObjectKind::Emergency,
        ObjectKind::Seat,
    ];

    /// In records and events.
    pub fn word(self) -> &'static str {
        match self {
            ObjectKind::SubCenter => "sub_center",
            ObjectKind::ExpertGroup => "expert_group",
            ObjectKind::Department => "department",
            ObjectKind::Peer => "peer",
            ObjectKind::Emergency => "emergency",
            ObjectKind::Seat => "seat",
        }
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.word(), self.id)
    }
}
