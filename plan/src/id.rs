//! Who: identities as plain values, and the seeded dice that tags, branches and SSRCs are drawn from.
//!
//! What an identity means is for the rooms above to say.

mod mask;

use std::fmt;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use mask::mask;

/// One caller's call, from INVITE to the last leg's end. UUIDv7: unique across nodes, sorted by birth.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallId(Uuid);

impl CallId {
    /// Draws an id for a call that begins at `unix_ms`, milliseconds since 1970-01-01 UTC.
    pub fn draw(unix_ms: u64, dice: &mut Dice) -> Self {
        let mut random = [0; 10];
        dice.fill(&mut random);
        CallId(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid())
    }

    /// The random end of the id: spreads calls evenly over whatever serves them in turns.
    #[inline]
    pub fn lot(&self) -> u64 {
        self.0.as_u64_pair().1
    }

    /// Its 16 octets, as they are written into User-to-User.
    #[inline]
    pub fn octets(&self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// Reads the usual hyphenated form; `None` where it is not a UUID.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(CallId)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Our side of one dialog, with its sound. The caller's leg has index 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId {
    /// The call that the leg belongs to.
    pub call: CallId,
    /// Order of birth inside the call.
    pub index: u16,
}

impl LegId {
    /// The leg on which the call came in.
    pub fn caller(call: CallId) -> Self {
        LegId { call, index: 0 }
    }
}

impl fmt::Display for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.call, self.index)
    }
}

impl fmt::Debug for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A name from `routing.toml`, cheap to copy about.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as the operator wrote it.
            #[inline]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $name(text.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            #[inline]
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            #[inline]
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

name!(
    /// A published number in its shortest form, `12345` or `4420000`.
    LineId
);
name!(
    /// A seat by its 工号, which is also its SIP user name.
    SeatId
);
name!(
    /// `[[queue]] name`.
    QueueId
);
name!(
    /// `[[trunk]] name`.
    TrunkId
);
name!(
    /// `[[prompt]] id` in `prompts.toml`.
    PromptId
);
name!(
    /// `language` or `dialect` of a `[[prompt.variant]]`.
    LanguageId
);

/// Stands between a prompt's id and a variant's language.
pub const VARIANT_MARK: char = '@';

impl PromptId {
    /// The variant of this prompt in a language or dialect: `greeting@en`.
    pub fn in_language(&self, language: &LanguageId) -> PromptId {
        PromptId::from(format!("{self}{VARIANT_MARK}{language}").as_str())
    }

    /// Of a variant, its prompt's id and its language.
    pub fn as_variant(&self) -> Option<(PromptId, LanguageId)> {
        let (base, language) = self.as_str().split_once(VARIANT_MARK)?;
        Some((base.into(), language.into()))
    }
}
name!(
    /// What a seat must know to take a call.
    Skill
);
name!(
    /// `[[flow]] name`.
    ScriptId
);
name!(
    /// `[[look_up]] name`.
    LookUpId
);
name!(
    /// `[[bot]] name`.
    BotId
);

/// Seeded randomness. Whoever constructs a machine seeds its dice, so that a run can be replayed.
pub struct Dice(StdRng);

impl Dice {
    /// Dice that fall the same way for the same `seed`: for tests and simulated cities.
    pub fn seeded(seed: u64) -> Self {
        Dice(StdRng::seed_from_u64(seed))
    }

    /// Dice for real calls: `key` comes from the operating system, by way of `io`.
    pub fn keyed(key: [u8; 32]) -> Self {
        Dice(StdRng::from_seed(key))
    }

    /// A generator of its own for a machine below, independent of what this one draws later.
    pub fn split(&mut self) -> Self {
        let mut key = [0; 32];
        self.fill(&mut key);
        Dice::keyed(key)
    }

    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 32 random bits.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number in `0..end`; 0 for an `end` of 0.
    #[inline]
    pub fn below(&mut self, end: u64) -> u64 {
        // The multiply-shift reduction: its bias is below 2^-32 for any `end` we use.
        ((u128::from(self.next_u64()) * u128::from(end)) >> 64) as u64
    }

    /// Fills `bytes`.
    #[inline]
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// `digits` lower-case hexadecimal digits, at most 16.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = format!("{:016x}", self.next_u64());
        text.truncate(digits);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_draw_equal_calls_in_order_of_birth() {
        let draw = |ms| CallId::draw(ms, &mut Dice::seeded(7));
        assert_eq!(draw(1_000), draw(1_000));
        assert!(draw(1_000) < draw(1_001));
        assert_eq!(CallId::parse(&draw(5).to_string()), Some(draw(5)));
    }

    #[test]
    fn below_stays_below() {
        let mut dice = Dice::seeded(1);
        assert!((0..1_000).all(|_| dice.below(7) < 7));
        assert_eq!(dice.below(0), 0);
    }
}
