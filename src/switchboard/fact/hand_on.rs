//! Words for matters that are handed on at once.

use serde::{Deserialize, Serialize};

/// A matter that is to be handed on at once was, or its time ran out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOn {
    /// The code of `[disposition]` for which it is.
    pub code: String,
    /// How.
    pub by: HandOnBy,
    /// Whether it was.
    pub handed: bool,
    /// Whether that is, or will be, too late.
    pub late: bool,
    /// Since it was said what the call is about, milliseconds.
    pub took_ms: u64,
}

/// How a matter is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOnBy {
    /// Somebody is asked into the call.
    Call,
    /// The ticket offices take its event.
    Ticket,
}

impl HandOnBy {
    /// As records and figures write it.
    pub fn word(self) -> &'static str {
        match self {
            HandOnBy::Call => "call",
            HandOnBy::Ticket => "ticket",
        }
    }
}
