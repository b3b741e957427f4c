//! What a trunk's or a seat's sound may be: its codecs, and whether it is encrypted.

use super::plan::{Plan, Seat, Transport, TrunkTarget};
use super::read::{Node, Reader, Value};
use super::shape::Form;
use super::source::{Problems, Said};
use super::trunk::Trunk;
use super::values::{one_of, text};

/// A codec by the name that SDP has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodecName {
    /// G.711, A-law.
    Pcma,
    /// G.711, µ-law.
    Pcmu,
    /// G.722, 64 kbit/s.
    G722,
    /// Linear, 8 kHz.
    L16,
    /// RFC 7587.
    Opus,
    /// Passed on, never decoded here.
    G729,
}

/// `srtp` of a trunk, a seat, or `[seat_sound]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SrtpPolicy {
    /// Never encrypted: offers of encrypted sound are refused.
    Off,
    /// Encrypted where signalling is, and the other side can: keys are never told in the clear.
    #[default]
    Offered,
    /// Encrypted or refused.
    Required,
}

/// As others have it everywhere in the country; what else the network is to carry is the city's to say.
///
/// Telephones that answer by a taste of their own would else speak G.722 with callers who come over
/// G.711, and every such call would be decoded for nothing.
pub const CODECS: [CodecName; 2] = [CodecName::Pcma, CodecName::Pcmu];

const WORDS: [(&str, CodecName); 6] = [
    ("PCMA", CodecName::Pcma),
    ("PCMU", CodecName::Pcmu),
    ("G722", CodecName::G722),
    ("L16", CodecName::L16),
    ("opus", CodecName::Opus),
    ("G729", CodecName::G729),
];

impl Value for CodecName {
    /// Case does not count (RFC 4855 §3).
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let said = text(node, "字符串（加引号）", "a string in quotes", problems)?;
        match WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(said)) {
            Some((_, codec)) => Some(*codec),
            None => one_of(node, &WORDS, problems),
        }
    }

    fn form() -> Form {
        Form { any_case: true, ..Form::default() }
    }
}

impl Value for SrtpPolicy {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let words =
            [("off", SrtpPolicy::Off), ("offered", SrtpPolicy::Offered), ("required", SrtpPolicy::Required)];
        one_of(node, &words, problems)
    }
}

/// `codecs` and `srtp` as they are written, in a `[[trunk]]`, a `[[seat]]` or `[seat_sound]`.
#[derive(Debug, Default)]
pub struct SoundTable {
    /// `codecs`, the most wanted first.
    pub codecs: Option<Said<Vec<Said<CodecName>>>>,
    /// `srtp`.
    pub srtp: Option<Said<SrtpPolicy>>,
}

impl SoundTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        SoundTable { codecs: reader.optional("codecs"), srtp: reader.optional("srtp") }
    }

    /// What is said here, else in `usual`, else by the house.
    pub(super) fn plan(&self, usual: Option<&SoundTable>) -> Sound {
        let codecs = self.codecs.as_ref().or(usual.and_then(|usual| usual.codecs.as_ref()));
        let srtp = self.srtp.as_ref().or(usual.and_then(|usual| usual.srtp.as_ref()));
        Sound {
            codecs: codecs
                .map_or_else(|| CODECS.to_vec(), |said| said.value.iter().map(|codec| codec.value).collect()),
            srtp: srtp.map_or_else(SrtpPolicy::default, |said| said.value),
        }
    }
}

/// The sound of a trunk or a seat, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// The most wanted first; at least one that prompts can be spoken in.
    pub codecs: Vec<CodecName>,
    /// Whether it is encrypted.
    pub srtp: SrtpPolicy,
}

impl Default for Sound {
    fn default() -> Self {
        SoundTable::default().plan(None)
    }
}

impl TrunkTarget {
    /// Whether signalling goes there over TLS and by no other way.
    pub fn is_tls(&self) -> bool {
        self.secure || self.transport == Some(Transport::Tls)
    }
}

impl Trunk {
    /// Whether every call out by it is signalled over TLS, whichever target is reached.
    pub fn is_tls(&self) -> bool {
        !self.targets.is_empty() && self.targets.iter().all(TrunkTarget::is_tls)
    }
}

impl Plan {
    /// The sound of a call out by a trunk or a group: of a group what all members allow, in the order
    /// of the first, for one offer goes to each that is tried.
    pub fn sound_by(&self, by: &crate::id::TrunkId) -> Sound {
        let mut ways = self.ways(by, "", "").into_iter().map(|way| &way.trunk.sound);
        let mut sound = ways.next().cloned().unwrap_or_default();
        for other in ways {
            sound.codecs.retain(|codec| other.codecs.contains(codec));
            sound.srtp = sound.srtp.max(other.srtp);
        }
        sound
    }

    /// Whether a call out by a trunk or a group is signalled over TLS by whichever way it goes.
    pub fn is_tls_by(&self, by: &crate::id::TrunkId) -> bool {
        let ways = self.ways(by, "", "");
        !ways.is_empty() && ways.iter().all(|way| way.trunk.is_tls())
    }

    /// A seat's sound.
    pub fn sound_of(&self, seat: &crate::id::SeatId) -> Sound {
        self.seats.get(seat).map_or_else(Sound::default, |seat: &Seat| seat.sound.clone())
    }
}
