//! Which extensions are used with a trunk, as the operator wants them: reliable provisional answers (RFC 3262)
//! and session timers (RFC 4028).

use super::build::Draft;
use super::endpoint::Endpoint;
use super::event::{Config, Origin};
use super::extensions::{self, RELIABLE, TIMER};
use super::message::Message;
use super::name::Name;
use super::refresh;

/// Provisional answers that are acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Provisional {
    /// Where they are wanted.
    #[default]
    Supported,
    /// Required, both ways.
    Required,
    /// Never.
    Unreliable,
}

/// What holds for the sessions with one trunk; with seats and where nothing is said, what the default is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrunkTerms {
    /// RFC 3262.
    pub provisional: Provisional,
    /// Whether there are session timers.
    pub timer: bool,
    /// Their interval, seconds; 0: [`Config::session_expires_s`].
    pub session_expires_s: u32,
}

impl Default for TrunkTerms {
    fn default() -> Self {
        TrunkTerms { provisional: Provisional::default(), timer: true, session_expires_s: 0 }
    }
}

/// An INVITE that the terms do not let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It requires what is off: 420 with this in Unsupported (RFC 3261 §8.2.2.3).
    Requires(&'static str),
    /// It has not what is required: 421 with this in Require (RFC 3261 §21.4.16).
    Lacks(&'static str),
}

impl TrunkTerms {
    fn has_reliable(self) -> bool {
        self.provisional != Provisional::Unreliable
    }

    /// For Supported (RFC 3261 §20.37).
    pub(super) fn supported(self) -> &'static str {
        match (self.has_reliable(), self.timer) {
            (true, true) => extensions::SUPPORTED,
            (false, true) => "timer, replaces, norefersub",
            (true, false) => "100rel, replaces, norefersub",
            (false, false) => "replaces, norefersub",
        }
    }

    /// The interval that we ask for, and give where it is left to us, seconds.
    pub(super) fn interval_s(self, config: &Config) -> u32 {
        match self.session_expires_s {
            0 => refresh::interval_s(config.session_expires_s),
            own => refresh::interval_s(own),
        }
    }

    /// What our first INVITE says of extensions (RFC 3262 §4, RFC 4028 §7.1).
    pub(super) fn ask(self, draft: Draft, config: &Config) -> Draft {
        let mut draft = draft.header("Supported", self.supported());
        if self.provisional == Provisional::Required {
            draft = draft.header("Require", RELIABLE);
        }
        if self.timer {
            draft = draft.header_number(Name::SessionExpires, u64::from(self.interval_s(config)));
        }
        draft
    }

    /// What our later requests in the dialog say: nothing rings there, so there is nothing to be told reliably.
    pub(super) fn again(self, draft: Draft) -> Draft {
        if self.timer { draft.header("Supported", TIMER) } else { draft }
    }

    /// Whether `invite` cannot be taken.
    pub(super) fn judge(self, invite: &Message) -> Result<(), Unfit> {
        if !self.has_reliable() && invite.lists(Name::Require, RELIABLE) {
            return Err(Unfit::Requires(RELIABLE));
        }
        if !self.timer && invite.lists(Name::Require, TIMER) {
            return Err(Unfit::Requires(TIMER));
        }
        if self.provisional == Provisional::Required && !extensions::supports(invite, RELIABLE) {
            return Err(Unfit::Lacks(RELIABLE));
        }
        Ok(())
    }

    /// Whether the rooms above may count on provisional answers being acknowledged.
    pub(super) fn is_reliable(self, invite: &Message) -> bool {
        self.has_reliable() && extensions::supports(invite, RELIABLE)
    }

    /// Whether a provisional answer to `invite` goes reliably: where the caller or the operator insists, or where
    /// both can and there is something that must not be missed (RFC 3262 §3).
    pub(super) fn goes_reliably(self, invite: &Message, describes: bool) -> bool {
        match self.provisional {
            Provisional::Unreliable => false,
            Provisional::Required => extensions::supports(invite, RELIABLE),
            Provisional::Supported => {
                invite.lists(Name::Require, RELIABLE) || describes && invite.lists(Name::Supported, RELIABLE)
            }
        }
    }
}

impl Endpoint {
    /// The terms of whom a session is with.
    pub(super) fn terms_with(&self, party: Option<&Origin>) -> TrunkTerms {
        match party {
            Some(Origin::Trunk(trunk)) => self.trunk(trunk).map_or_else(TrunkTerms::default, |own| own.terms),
            Some(Origin::Seat(_)) | None => TrunkTerms::default(),
        }
    }
}
