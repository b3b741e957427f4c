//! What may be agreed on for one leg: the operator's word on codecs and encryption, and whether its
//! signalling can carry keys.

use std::ops::Deref;
use std::time::Duration;

use crate::call::Callee;
use crate::id::{Dice, SeatId};
use crate::media::order::{Codec, Srtp};
use crate::routing::Plan;
use crate::routing::meeting::SEATS;
use crate::routing::sound::{CodecName, Sound, SrtpPolicy};
use crate::routing::trunk_terms::{Dtmf, TrunkTerms};

/// Codecs, the most wanted first, each once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Codecs {
    list: [Codec; 6],
    count: usize,
}

impl Codecs {
    /// Those of `list` that are not there yet.
    pub fn of(list: impl IntoIterator<Item = Codec>) -> Self {
        let mut codecs = Codecs { list: [Codec::Pcma; 6], count: 0 };
        for codec in list {
            if !codecs.contains(&codec) && codecs.count < codecs.list.len() {
                codecs.list[codecs.count] = codec;
                codecs.count += 1;
            }
        }
        codecs
    }
}

impl Deref for Codecs {
    type Target = [Codec];

    fn deref(&self) -> &[Codec] {
        &self.list[..self.count]
    }
}

impl std::fmt::Debug for Codecs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What the operator allows for one leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The most wanted first.
    pub codecs: Codecs,
    /// Whether it is encrypted, where its signalling is.
    pub srtp: SrtpPolicy,
    /// The longest call: a key has to last for its packets.
    pub longest: Duration,
    /// Milliseconds of sound in each packet that is asked for, and sent where the other side does not say; `None`:
    /// as the other leg has it, else 20.
    pub packet_ms: Option<u16>,
    /// By which ways keys count.
    pub dtmf: Dtmf,
}

impl Default for Terms {
    /// Those of a trunk or seat that says nothing, in a plan that says nothing.
    fn default() -> Self {
        Terms::new(&Sound::default(), Duration::from_secs(4 * 3_600))
    }
}

impl Terms {
    /// From what a trunk or seat says.
    pub fn new(sound: &Sound, longest: Duration) -> Self {
        let codecs = Codecs::of(sound.codecs.iter().copied().map(codec));
        Terms { codecs, srtp: sound.srtp, longest, packet_ms: None, dtmf: Dtmf::Auto }
    }

    /// The same by a trunk that has more to say.
    pub fn by(self, trunk: &TrunkTerms) -> Self {
        Terms { packet_ms: trunk.packet_ms(), dtmf: trunk.dtmf, ..self }
    }

    /// For a leg that we call.
    pub fn of_callee(plan: &Plan, callee: &Callee) -> Self {
        let sound = match callee {
            Callee::Seat(seat) => plan.sound_of(seat),
            Callee::Peer { trunk, number } if trunk.as_str() == SEATS => {
                plan.sound_of(&SeatId::from(number.as_str()))
            }
            Callee::Peer { trunk, .. } => {
                let terms = Terms::new(&plan.sound_by(trunk), plan.limits.call_max);
                return terms.by(&plan.terms_by(trunk));
            }
        };
        Terms::new(&sound, plan.limits.call_max)
    }

    /// Whether keys may come as events (RFC 4733): not where another way alone counts.
    pub fn has_events(&self) -> bool {
        match self.dtmf {
            Dtmf::Auto | Dtmf::Rfc4733 => true,
            Dtmf::Inband | Dtmf::Info => false,
        }
    }

    /// Whether nothing can be agreed on, whatever the other side says: encryption is wanted and there
    /// is no way to tell a key.
    pub fn are_void(&self, keys: bool) -> bool {
        self.srtp == SrtpPolicy::Required && !keys
    }
}

fn codec(name: CodecName) -> Codec {
    match name {
        CodecName::Pcma => Codec::Pcma,
        CodecName::Pcmu => Codec::Pcmu,
        CodecName::G722 => Codec::G722,
        CodecName::L16 => Codec::L16,
        CodecName::Opus => Codec::Opus,
        CodecName::G729 => Codec::G729,
    }
}

/// Seeds the keys of one leg, whose signalling is over TLS. From the machine's own dice, which in a real
/// house are a cryptographic generator (ChaCha12) seeded by the operating system. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySeed(Box<[u8; 32]>);

impl KeySeed {
    /// From those dice.
    pub fn draw(dice: &mut Dice) -> Self {
        let mut seed = Box::new([0; 32]);
        dice.fill(&mut seed[..]);
        KeySeed(seed)
    }

    /// Dice for keys alone.
    pub fn dice(&self) -> Dice {
        Dice::keyed(*self.0)
    }
}

impl std::fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeySeed(…)")
    }
}

/// Where the keys of a leg come from.
#[derive(Default)]
pub struct Keys<'a> {
    /// New ones are drawn here; `None`: signalling is in the clear, and there are none.
    pub dice: Option<&'a mut Dice>,
    /// Those in use: ours stays, as long as its suite does.
    pub current: Option<&'a Srtp>,
    /// Whether somebody else comes now, with whom nothing was agreed on.
    pub anew: bool,
}
