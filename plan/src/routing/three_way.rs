//! `[three_way]`: what is heard when a third party joins, and what becomes of the rest when one of three leaves.
//!
//! What happens is named in the file, word by word, so that no release can change it unseen.

/// Played to all three when the third joins them.
pub const JOIN_TONE: &str = "join_tone";
/// Played to the two who are left when one of three leaves.
pub const LEAVE_TONE: &str = "leave_tone";
/// While a tone is heard nobody hears anybody: a longer one disturbs the talk.
pub const TONE_MAX: std::time::Duration = std::time::Duration::from_secs(1);

/// `tones`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tones {
    /// Nothing.
    #[default]
    None,
    /// [`JOIN_TONE`] to all three when the third joins.
    Join,
    /// And [`LEAVE_TONE`] to the two who are left when one of three leaves.
    JoinLeave,
}

impl Tones {
    /// The tone for a third party that joins.
    pub fn of_joining(self) -> Option<&'static str> {
        match self {
            Tones::None => None,
            Tones::Join | Tones::JoinLeave => Some(JOIN_TONE),
        }
    }

    /// The tone for one of three who leaves.
    pub fn of_leaving(self) -> Option<&'static str> {
        match self {
            Tones::None | Tones::Join => None,
            Tones::JoinLeave => Some(LEAVE_TONE),
        }
    }
}

/// `clerk_leaves`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClerkLeaves {
    /// The caller and the third talk on.
    #[default]
    Keep,
    /// The third is let go, and the call ends as when two have talked: the survey follows, where there is
    /// one. Help in an emergency is never cut off, and a clerk whose telephone vanished has not left.
    End,
}

/// `caller_leaves`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallerLeaves {
    /// All is over. Help in an emergency is never cut off: somebody has to tell it where.
    #[default]
    End,
    /// The clerk and the third talk on, on the record, until one of them hangs up. The survey is not asked.
    Keep,
}

/// `third_leaves`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThirdLeaves {
    /// The caller is with the clerk.
    #[default]
    Clerk,
    /// The caller hears music until the clerk takes them back: for what is said of the third's advice first.
    Hold,
}
