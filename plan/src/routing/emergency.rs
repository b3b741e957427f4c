//! What clerks must know of a center for emergencies: its scope, where it is for, and whether they stay until it answers.
//!
//! The way there is a [`Peer`](super::plan::Peer) like any other's.

use super::diagnostic::Text;
use super::plan::{Peer, Plan};
use crate::id::LineId;

/// Characters of `scope` and of `area` at most: what a clerk reads while the center rings.
pub const WORDS_MAX: usize = 200;

/// What is said of one of `[[emergency]]` beside the way there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Center {
    /// What it takes: shown to clerks who ask it into a call.
    pub scope: Option<String>,
    /// Where it is for (120: 市城区).
    pub area: Option<String>,
    /// Whoever asked it into a call stays with the caller until it has answered (the notice, 四(四)).
    pub stay: bool,
}

impl Plan {
    /// The emergency number that this peer is, with what clerks must know of it.
    pub fn center_of(&self, peer: &Peer) -> Option<(&LineId, &Center)> {
        let (number, _) = self.emergency.iter().find(|(_, known)| *known == peer)?;
        self.centers.get_key_value(number)
    }

    /// Whether who asks this peer into a call stays with the caller until it has answered.
    pub fn keeps_clerk(&self, peer: &Peer) -> bool {
        self.center_of(peer).is_some_and(|(_, center)| center.stay)
    }
}

impl Center {
    /// Its scope and area as one, for people; `None`: neither is said.
    pub fn words(&self) -> Option<String> {
        match (&self.scope, &self.area) {
            (Some(scope), Some(area)) => Some(format!("{scope}（{area}）")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        }
    }

    /// Whether a clerk may leave, in words.
    pub fn stay_words(&self) -> Text {
        match self.stay {
            true => Text::new(
                "请进通话时，对方接听之前座席不能离开",
                "asked into a call, the clerk cannot leave before it has answered",
            ),
            false => Text::new(
                "请进通话时，对方接听之前座席也可以离开",
                "asked into a call, the clerk may leave before it has answered",
            ),
        }
    }
}
