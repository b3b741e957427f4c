//! Warning: why a description was not taken, for whoever looks into the trace over there
//! (RFC 3261 §20.43).

use super::endpoint::Endpoint;
use super::event::{EndCause, Event, SessionId};
use super::session::Phase;
use super::writing::host_of;
use crate::time::Now;

/// What was wrong with a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// An address that we cannot send to.
    AddressFormat,
    /// A profile that we do not take: encrypted where it may not be, or plain where it must not.
    Transport,
    /// No kind of media that we take.
    MediaType,
    /// No codec that we take.
    MediaFormat,
    /// An attribute that we cannot do what it asks for, like a key.
    Attribute,
    /// Something else.
    Other,
}

impl Warning {
    /// Its `warn-code`, and a text in the fixed words of §20.43 where it has some.
    fn parts(self) -> (u16, &'static str) {
        match self {
            Warning::AddressFormat => (301, "Incompatible network address formats"),
            Warning::Transport => (302, "Incompatible transport protocol"),
            Warning::MediaType => (304, "Media type not available"),
            Warning::MediaFormat => (305, "Incompatible media format"),
            Warning::Attribute => (306, "Attribute not understood"),
            Warning::Other => (399, "Description not understood"),
        }
    }

    /// The header's value; `agent` is our host.
    fn value(self, agent: &str) -> String {
        let (code, text) = self.parts();
        format!("{code} {agent} \"{text}\"")
    }
}

impl Endpoint {
    /// A final refusal of their INVITE with words for a person ([`Warning::Other`]'s code, the
    /// "miscellaneous" of §20.43); [`Event::Ended`] follows as with [`Endpoint::refuse`].
    /// `words` have neither quotes nor backslashes.
    pub fn refuse_saying(&mut self, id: SessionId, status: u16, words: &'static str, now: Now) {
        let Some(session) = self.sessions.get(&id) else { return };
        let host = host_of(&self.config, session.dialog.listener);
        let warning = format!("{} {host} \"{words}\"", Warning::Other.parts().0);
        if self.refuse_invite_saying(id, status, Some(("Warning", &warning)), now) {
            self.tell(Event::Ended { session: id, cause: EndCause::HungUp });
        }
    }

    /// 488 to a description of theirs that we cannot take, with its Warning: to their INVITE, after
    /// which [`Event::Ended`] follows as with [`Endpoint::refuse`] (RFC 3261 §13.3.1.3), or to an offer
    /// in the dialog, as with [`Endpoint::refuse_offer`] (§14.2).
    pub fn refuse_description(&mut self, id: SessionId, why: Warning, now: Now) {
        let Some(session) = self.sessions.get(&id) else { return };
        let warning = why.value(&host_of(&self.config, session.dialog.listener));
        if !matches!(session.phase, Phase::Incoming { .. }) {
            return self.refuse_offer_saying(id, 488, &[("Warning", &warning)], now);
        }
        if self.refuse_invite_saying(id, 488, Some(("Warning", &warning)), now) {
            self.tell(Event::Ended { session: id, cause: EndCause::HungUp });
        }
    }
}
