//! What platforms of the hotline tell one another about a call: who hands it over, and by whom it was handed on before.
//!
//! `Organization` (RFC 3261 §20.25) says who hands it over. Each History-Info entry that a platform writes for whom it
//! hands the call to bears the platform's code in a parameter of our own (`hi-extension`, RFC 7044 §5), so that whoever
//! gets the call can count hand-overs and knows a call that was there before. Platforms that write no code are counted
//! by `mp`, the parameter of each call that is mapped to another user (RFC 7044 §5).

use bytes::Bytes;

use super::build::Draft;
use super::door::{FORWARDS_MAX, index_of};
use super::message::Message;
use super::name::Name;
use super::name_addr::NameAddr;

/// The header.
const ORGANIZATION: &str = "Organization";
/// The parameter of a History-Info entry.
const MARK: &str = "hotline-org";
/// Longest Organization that is read, characters; what is longer is cut.
const ORGANIZATION_MAX: usize = 128;
/// Longest code, digits: that of a village.
const ORG_MAX: usize = 12;

/// Who hands a call over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The organisation code, digits.
    pub org: String,
    /// Its name.
    pub name: String,
}

/// What an INVITE says of the platforms that it came by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// Organization, as a trusted trunk said it: without control characters, of at most 128 characters.
    pub organization: Option<String>,
    /// The code that it begins with.
    pub org: Option<String>,
    /// Those who handed it on, oldest first, each entry once; of at most [`FORWARDS_MAX`] entries.
    pub handed_on: Vec<HandedOn>,
}

/// One entry of History-Info that says that a call was handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOn {
    /// The code of who did; `None`: a platform that writes none, or no platform at all.
    pub by: Option<String>,
    /// To whom: the user part.
    pub to: String,
}

impl Trail {
    /// What an INVITE brought. Organization is read of a trusted trunk only.
    pub(super) fn of(invite: &Message, trusted: bool) -> Trail {
        let organization = invite.header_named(ORGANIZATION).filter(|_| trusted).and_then(shown);
        let org =
            organization.as_deref().and_then(|text| text.split(' ').next()).filter(|word| is_code(word));
        let org = org.map(str::to_owned);
        let entries = invite.values(Name::HistoryInfo).take(FORWARDS_MAX);
        let read = |value: &[u8]| NameAddr::parse(Bytes::copy_from_slice(value)).ok();
        let mut entries: Vec<(Vec<u32>, NameAddr)> =
            entries.filter_map(read).map(|entry| (index_of(&entry), entry)).collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|(a, _), (b, _)| a == b);
        let handed_on = entries.iter().filter_map(|(_, entry)| handed_on(entry)).collect();
        Trail { organization, org, handed_on }
    }
}

fn handed_on(entry: &NameAddr) -> Option<HandedOn> {
    let by = entry.param(MARK).flatten().map(|code| String::from_utf8_lossy(code).into_owned());
    let by = by.filter(|code| is_code(code));
    if by.is_none() && entry.param("mp").is_none() {
        return None;
    }
    let to = entry.parse_uri().ok().map(|uri| String::from_utf8_lossy(&uri.user_decoded()).into_owned());
    Some(HandedOn { by, to: to.unwrap_or_default() })
}

fn is_code(word: &str) -> bool {
    (1..=ORG_MAX).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// A text as it may stand in records and on screens.
fn shown(value: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(value);
    let text: String =
        text.trim().chars().filter(|letter| !letter.is_control()).take(ORGANIZATION_MAX).collect();
    (!text.is_empty()).then_some(text)
}

impl Signature {
    /// Signs an INVITE.
    pub(super) fn write(&self, draft: Draft) -> Draft {
        draft.header(ORGANIZATION, format!("{} {}", self.org, self.name))
    }

    /// The parameter by which an entry of History-Info says that we hand the call on.
    pub(super) fn mark(&self) -> String {
        format!(";{MARK}={}", self.org)
    }
}

/// Whether an entry bears a platform's code.
pub(super) fn is_marked(entry: &[u8]) -> bool {
    NameAddr::parse(Bytes::copy_from_slice(entry)).is_ok_and(|entry| entry.param(MARK).is_some())
}

/// An entry without it, for whoever is no platform.
pub(super) fn unmarked(entry: &Bytes) -> Bytes {
    if !is_marked(entry) {
        return entry.clone();
    }
    let Ok(parsed) = NameAddr::parse(entry.clone()) else { return entry.clone() };
    let mut plain = format!("<{}>", String::from_utf8_lossy(parsed.uri())).into_bytes();
    for name in ["index", "rc", "mp", "np"] {
        if let Some(Some(value)) = parsed.param(name) {
            plain.extend([b";", name.as_bytes(), b"=", value].concat());
        }
    }
    plain.into()
}
