//! Replaces: an INVITE that takes the place of a dialog that stands (RFC 3891).
//!
//! Which leg of which call that dialog is, and whether its call lets it go, is for the rooms above.

use super::endpoint::Endpoint;
use super::event::{Origin, SessionId};
use super::message::Message;
use super::name::Name;
use super::scan::{self, Params};
use super::session::Phase;

/// Names a dialog as its other end sees it.
#[derive(Debug, PartialEq, Eq)]
struct Named<'a> {
    call_id: &'a [u8],
    /// Ours.
    to_tag: &'a [u8],
    /// The peer's.
    from_tag: &'a [u8],
    early_only: bool,
}

impl Endpoint {
    /// The session whose place an admitted INVITE takes. `Err`: the status that it earns.
    pub(super) fn replaced_by(&self, invite: &Message, origin: &Origin) -> Result<Option<SessionId>, u16> {
        let mut values = invite.headers(Name::Replaces);
        let Some(value) = values.next() else {
            return Ok(None);
        };
        // RFC 3891 §3: one Replaces, and none beside a Join (RFC 3911 §4).
        if values.next().is_some() || invite.header_named("Join").is_some() {
            return Err(400);
        }
        let id = self.replaced(value)?;
        let owner = self.sessions.get(&id).and_then(|session| session.party.as_ref());
        // The dialog's own peer alone may move it (RFC 3891 §8): the same trunk, or the same seat,
        // which has proved itself by digest.
        if owner == Some(origin) { Ok(Some(id)) } else { Err(403) }
    }

    /// The session that a Replaces value names, if its dialog may be replaced (RFC 3891 §3).
    pub(super) fn replaced(&self, value: &[u8]) -> Result<SessionId, u16> {
        let named = read(value).ok_or(400_u16)?;
        let id = super::tags::session_of(named.to_tag).ok_or(481_u16)?;
        let session = self.sessions.get(&id).ok_or(481_u16)?;
        if !session.dialog.is(named.call_id, named.from_tag) {
            return Err(481);
        }
        match session.phase {
            // Early, and not begun by us.
            Phase::Incoming { .. } => Err(481),
            // Early, begun by us: a seat that rings is taken from it by `acd` alone.
            Phase::Calling { .. } => Err(603),
            Phase::Accepted { .. } | Phase::Confirmed if named.early_only => Err(486),
            Phase::Accepted { .. } | Phase::Confirmed => Ok(id),
            // Already ended.
            Phase::Leaving { .. } => Err(603),
        }
    }
}

fn read(value: &[u8]) -> Option<Named<'_>> {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    let (call_id, params) = (scan::trim(&value[..end]), Params::of(&value[end..]));
    let tag = |name| params.clone().find(name).flatten().filter(|tag: &&[u8]| !tag.is_empty());
    (!call_id.is_empty() && params.clone().are_sound()).then_some(())?;
    Some(Named {
        call_id,
        to_tag: tag("to-tag")?,
        from_tag: tag("from-tag")?,
        early_only: params.clone().find("early-only").is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_is_named_by_call_id_and_both_tags() {
        let named = read(b"425928@bobster.example.org ;to-tag=7743;from-tag = 6472;early-only").unwrap();
        let wanted = Named {
            call_id: b"425928@bobster.example.org",
            to_tag: b"7743",
            from_tag: b"6472",
            early_only: true,
        };
        assert_eq!(named, wanted);
        for value in [
            "",
            ";to-tag=1;from-tag=2",
            "x;to-tag=1",
            "x;from-tag=2",
            "x;to-tag;from-tag=2",
            "x;to-tag=1;;from-tag=2",
        ] {
            assert_eq!(read(value.as_bytes()), None, "{value}");
        }
    }
}
