//! The rules of three-way calls in words.

use super::super::diagnostic::Text;
use super::super::three_way::{CallerLeaves, ClerkLeaves, ThirdLeaves, Tones};

pub(super) fn tones(tones: Tones) -> Text {
    match tones {
        Tones::None => Text::new("无", "none"),
        Tones::Join => Text::new("加入时", "when somebody joins"),
        Tones::JoinLeave => Text::new("加入和离开时", "when somebody joins or leaves"),
    }
}

pub(super) fn clerk_leaves(rule: ClerkLeaves) -> Text {
    match rule {
        ClerkLeaves::Keep => Text::new("其余两方继续通话", "the others talk on"),
        ClerkLeaves::End => Text::new("通话结束", "the call ends"),
    }
}

pub(super) fn caller_leaves(rule: CallerLeaves) -> Text {
    match rule {
        CallerLeaves::End => Text::new("通话结束", "the call ends"),
        CallerLeaves::Keep => Text::new("座席与第三方继续通话", "the clerk and the third talk on"),
    }
}

pub(super) fn third_leaves(rule: ThirdLeaves) -> Text {
    match rule {
        ThirdLeaves::Clerk => Text::new("来电人与座席通话", "the caller is with the clerk"),
        ThirdLeaves::Hold => Text::new("来电人听音乐等座席", "the caller waits with music"),
    }
}
