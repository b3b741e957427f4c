//! What goes along with a call from leg to leg: whose number it is and who may see it (RFC 3325,
//! RFC 3323), how it came to us (RFC 7044, RFC 5806), users' own words (RFC 7433).
//!
//! A trunk whose identity is trusted is inside our trust domain, both ways: it sees an identity
//! that is withheld, marked so. To any other, nothing leaks of what a caller withheld.

use std::sync::Arc;

use bytes::Bytes;

use super::build::Draft;
use super::door::{FORWARDS_MAX, index_of};
use super::endpoint::{Endpoint, role};
use super::event::{Invite, Origin, SessionId, TrunkConfig};
use super::message::Message;
use super::name::Name;
use super::name_addr::NameAddr;
use super::platforms::{self, Signature};
use super::tags::hex;
use super::uac::escape;
use super::uuids::{self, Uuid};
use super::wire_ref::WireRef;
use crate::id::CallId;

/// Longest value that is passed along, bytes.
const VALUE_MAX: usize = 512;
/// User-to-User values of a caller's that are passed along.
const UUI_MAX: usize = 2;
/// Deepest index of History-Info that we write.
const INDEX_MAX: usize = 63;

/// What an INVITE brought, to be passed along. Values stand as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// The caller's number, asserted by a trusted trunk and withheld by the caller (`Privacy: id`).
    pub withheld: Option<String>,
    /// The caller asked for privacy of some kind.
    pub private: bool,
    /// History-Info, oldest first.
    pub history: Vec<Bytes>,
    /// Diversion, newest first.
    pub diversion: Vec<Bytes>,
    /// The caller's own User-to-User.
    pub uui: Vec<Bytes>,
}

/// What goes along with an INVITE of ours.
#[derive(Clone, Debug, Default)]
pub struct Along {
    /// From the caller's INVITE.
    pub carried: Option<Arc<Carried>>,
    /// The session of the caller's leg, whose far end the callee is told of by Session-ID.
    pub beside: Option<SessionId>,
    /// Our call: told as User-to-User.
    pub call: Option<CallId>,
    /// The number of ours that was dialled, and why the call goes on from there.
    pub forwarded: Option<Forwarded>,
    /// Referred-By of the REFER that it follows (RFC 3892).
    pub referred_by: Option<String>,
    /// We hand it over to another platform, which is told so.
    pub signature: Option<Signature>,
}

/// Why a call goes on from the number that was dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// The number of ours.
    pub line: String,
    /// RFC 4458 §2: 302 unconditionally, 408 nobody answered, 480 deflected, 486 busy.
    pub cause: u16,
}

impl Forwarded {
    /// RFC 5806 §4.
    fn word(&self) -> &'static str {
        match self.cause {
            302 => "unconditional",
            408 => "no-answer",
            480 => "deflection",
            486 => "user-busy",
            _ => "unknown",
        }
    }
}

impl Carried {
    /// What of `invite` is to be passed along; `None`: nothing.
    pub(super) fn of(invite: &Message, trusted: bool) -> Option<Carried> {
        let keep = |value: &[u8]| (value.len() <= VALUE_MAX).then(|| Bytes::copy_from_slice(value));
        let listed = |name| invite.values(name).take(FORWARDS_MAX).filter_map(keep).collect();
        let asks = |word: &[u8]| {
            let words = invite
                .headers(Name::Privacy)
                .flat_map(|value| value.split(|byte| matches!(byte, b';' | b',')));
            words.into_iter().any(|found| found.trim_ascii().eq_ignore_ascii_case(word))
        };
        let private = invite.header(Name::Privacy).is_some() && !asks(b"none");
        let asserted = || invite.addresses(Name::PAssertedIdentity).unwrap_or_default();
        let number = |address: &NameAddr| {
            let user = address.parse_uri().ok()?.user_decoded().into_owned();
            String::from_utf8(user).ok().filter(|user| !user.is_empty() && user.len() <= VALUE_MAX)
        };
        let withheld = (trusted && asks(b"id")).then(|| asserted().iter().find_map(number)).flatten();
        let mut history: Vec<Bytes> = listed(Name::HistoryInfo);
        history.sort_by_cached_key(|entry| {
            NameAddr::parse(entry.clone()).map(|entry| index_of(&entry)).unwrap_or_default()
        });
        let uui = invite.lines().filter(|(_, name, _)| name.eq_ignore_ascii_case(b"User-to-User"));
        let uui = uui.filter_map(|(_, _, value)| keep(value)).take(UUI_MAX).collect();
        let carried = Carried { withheld, private, history, diversion: listed(Name::Diversion), uui };
        (carried != Carried::default()).then_some(carried)
    }
}

impl Endpoint {
    /// The UUID by which we call whoever stands behind a session and has none of its own.
    pub(super) fn uuid(&self, id: SessionId) -> Uuid {
        let parts: [&[u8]; 1] = [&id.0.to_be_bytes()];
        let low = self.keys.short(role::UUID, &parts);
        uuids::drawn(self.keys.short(role::UUID, &[&low.to_be_bytes(), parts[0]]), low)
    }

    /// The far end of each is the local one of the other, from the next message on (RFC 7989 §7).
    pub fn join(&mut self, a: SessionId, b: SessionId) {
        let remote = |id| self.sessions.get(&id).map(|session| session.dialog.uuids.remote);
        let (Some(far_a), Some(far_b)) = (remote(a), remote(b)) else {
            return;
        };
        for (id, far) in [(a, far_b), (b, far_a)] {
            if let Some(session) = self.sessions.get_mut(&id).filter(|_| far != uuids::NULL) {
                session.dialog.uuids.local = far;
            }
        }
    }

    /// Sessions in which we are calling out for whom the INVITE of session `came` is from, and nobody has
    /// answered there: by its Session-ID, the one thing that neighbours who end dialogs and begin others, as
    /// we do, hand on as it was (RFC 7989 §7).
    pub fn came_round(&self, came: SessionId) -> impl Iterator<Item = SessionId> {
        let caller = self.sessions.get(&came).map_or(uuids::NULL, |came| came.dialog.uuids.remote);
        self.ways_out.of(caller)
    }

    /// `new` takes the place of `old` (RFC 3891): whoever the one spoke with, the other does.
    pub fn succeed(&mut self, old: SessionId, new: SessionId) {
        let local = self.sessions.get(&old).map(|session| session.dialog.uuids.local);
        if let (Some(local), Some(session)) = (local, self.sessions.get_mut(&new)) {
            session.dialog.uuids.local = local;
        }
    }

    /// The listener that a session's dialog runs over, who is at its other end, and what traces know it by:
    /// for a call that takes the dialog over.
    pub fn dialog_of(&self, id: SessionId) -> Option<(usize, Option<Origin>, WireRef)> {
        let session = self.sessions.get(&id)?;
        let dialog = &session.dialog;
        Some((dialog.listener, session.party.clone(), dialog.wire_ref()))
    }

    /// Writes what goes along into an INVITE of session `id`. `to`: the trunk, for one that is not a
    /// seat's; `from_user` is empty where the number is withheld; `uri` is the Request-URI.
    pub(super) fn carry(
        &self,
        mut draft: Draft,
        id: SessionId,
        invite: &Invite,
        to: Option<&TrunkConfig>,
        (from_user, host, uri): (&str, &str, &[u8]),
    ) -> Draft {
        let along = &invite.along;
        let far =
            along.beside.and_then(|id| self.sessions.get(&id)).map(|session| session.dialog.uuids.remote);
        let local = far.filter(|far| *far != uuids::NULL).unwrap_or_else(|| self.uuid(id));
        draft = draft.header("Session-ID", uuids::Uuids { local, remote: uuids::NULL }.value());
        let none = Carried::default();
        let carried = along.carried.as_deref().unwrap_or(&none);
        let withheld = from_user.is_empty();
        if withheld {
            draft = draft.header("Privacy", "id");
        }
        let trusted = to.is_none_or(|trunk| trunk.trust_identity);
        if let Some(trunk) = to {
            let number = if withheld { carried.withheld.as_deref().unwrap_or_default() } else { from_user };
            if trunk.trust_identity && !number.is_empty() {
                draft = draft.header("P-Asserted-Identity", format!("<sip:{}@{host}>", escape(number)));
            }
            // Who diverted to us is told to nobody outside where the caller asked for privacy.
            let tells = trusted || !(withheld || carried.private);
            let told = |came: &[Bytes]| -> Vec<Bytes> {
                let may = |entry: &&Bytes| tells && (trusted || !is_private(entry));
                came.iter().filter(may).cloned().collect()
            };
            let signature = along.signature.as_ref().filter(|_| trunk.platform);
            if let Some(signature) = signature {
                draft = signature.write(draft);
                // Whoever is handed a call is told how often it was, whatever else the trunk is told: a platform's own
                // entry names no caller. Other entries name who diverted: they are for trunks that ask for them.
                let asks = trunk.forwarding.history_info;
                let may = |entry: &&Bytes| {
                    platforms::is_marked(entry) || asks && tells && (trusted || !is_private(entry))
                };
                let told: Vec<Bytes> = carried.history.iter().filter(may).cloned().collect();
                let mark = signature.mark();
                draft = history_info(draft, &told, along.forwarded.as_ref(), host, (uri, &mark));
            } else if trunk.forwarding.history_info {
                let told: Vec<Bytes> = told(&carried.history).iter().map(platforms::unmarked).collect();
                draft = history_info(draft, &told, along.forwarded.as_ref(), host, (uri, ""));
            }
            if trunk.forwarding.diversion {
                draft = diversions(draft, &told(&carried.diversion), along.forwarded.as_ref(), host);
            }
        }
        if trusted || !withheld {
            for value in &carried.uui {
                draft = draft.header("User-to-User", value);
            }
        }
        if let Some(call) = along.call {
            // RFC 7433 §4.1: hexadecimal octets of a package of our own.
            let mut value = hex(&call.octets());
            value.push_str(";encoding=hex;purpose=hotline-call;content=uuid");
            draft = draft.header("User-to-User", value);
        }
        if let Some(referred_by) = &along.referred_by {
            draft = draft.header("Referred-By", referred_by);
        }
        draft
    }
}

/// Whether an entry says of itself that it is not for everybody: `?Privacy=history` in the URI
/// (RFC 7044 §10.1.2), `;privacy=full` and its kin (RFC 5806 §4).
fn is_private(entry: &[u8]) -> bool {
    let lower = entry.to_ascii_lowercase();
    let asks = |place: usize| {
        let word = &lower[place + b"privacy=".len()..];
        ![&b"off"[..], b"\"off", b"none"].iter().any(|open| word.starts_with(open))
    };
    memchr::memmem::find_iter(&lower, b"privacy=").any(asks)
}

/// History-Info as it came, the number of ours, and where the call goes now (RFC 7044 §10.3).
fn history_info(
    mut draft: Draft,
    came: &[Bytes],
    forwarded: Option<&Forwarded>,
    host: &str,
    (uri, mark): (&[u8], &str),
) -> Draft {
    for entry in came {
        draft = draft.header("History-Info", entry);
    }
    let Some(forwarded) = forwarded else {
        return draft;
    };
    let last = came.last().and_then(|entry| NameAddr::parse(entry.clone()).ok());
    let index = last.as_ref().and_then(|last| last.param("index").flatten());
    let index = index.map(|index| String::from_utf8_lossy(index).into_owned());
    let line = escape(&forwarded.line);
    let is_ours = last
        .as_ref()
        .and_then(|last| last.parse_uri().ok())
        .is_some_and(|uri| uri.user_decoded() == line.as_bytes());
    let ours = match index {
        Some(index) if is_ours => index,
        Some(index) => format!("{index}.1"),
        None => "1".to_owned(),
    };
    if ours.len() > INDEX_MAX {
        return draft; // It goes round in circles; Max-Forwards ends that.
    }
    if !is_ours {
        draft = draft.header("History-Info", format!("<sip:{line}@{host}>;index={ours}"));
    }
    let uri = String::from_utf8_lossy(uri);
    let cause = forwarded.cause;
    draft.header("History-Info", format!("<{uri};cause={cause}>;index={ours}.1;mp={ours}{mark}"))
}

/// Diversion: the number of ours in front of those that it came by (RFC 5806 §4).
fn diversions(mut draft: Draft, came: &[Bytes], forwarded: Option<&Forwarded>, host: &str) -> Draft {
    if let Some(forwarded) = forwarded {
        let (line, word) = (escape(&forwarded.line), forwarded.word());
        draft = draft.header("Diversion", format!("<sip:{line}@{host}>;reason={word};counter=1;privacy=off"));
    }
    for entry in came {
        draft = draft.header("Diversion", entry);
    }
    draft
}
