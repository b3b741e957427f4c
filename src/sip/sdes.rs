//! `a=crypto` lines: keys for SRTP, told in the description (RFC 4568, RFC 7714 §14.2).
//!
//! What a line says is read here, strictly, for a key that is half understood deciphers nothing.
//! Which suites there are, and which line is taken, is for whoever negotiates to say.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::sdp::CryptoLine;

/// Padding as the length asks for when writing; when reading it may be left out, as some telephones do.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Packets under one key where the line does not say it: RTCP's bound, the lower of the two (§6.1).
const LIFETIME_DEFAULT: u64 = 1 << 31;

/// One line that was understood in all its parts.
#[derive(Clone, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// Names the line in its m-line, and in the answer.
    pub tag: u32,
    /// The suite's name, as it is written.
    pub suite: &'a str,
    /// Master key, and the salt behind it.
    pub key_and_salt: Vec<u8>,
    /// Packets under this key.
    pub lifetime: u64,
}

impl std::fmt::Debug for Crypto<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crypto").field("tag", &self.tag).field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// Why a line cannot be taken; another of its m-line may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Not as §9.1 has it.
    #[error("not a crypto attribute")]
    Grammar,
    /// Several keys, or one with an identifier of its own in each packet.
    #[error("a master key identifier")]
    Identifier,
    /// It asks for something that we do not do (§6.3).
    #[error("a session parameter that is not understood")]
    Parameter,
}

impl<'a> Crypto<'a> {
    /// Reads the value of an `a=crypto` line (§9.1).
    pub fn read(line: &'a CryptoLine) -> Result<Crypto<'a>, CryptoError> {
        let mut words = line.0.split([' ', '\t']).filter(|word| !word.is_empty());
        let tag = words.next().and_then(tag).ok_or(CryptoError::Grammar)?;
        let suite = words.next().filter(|word| is_name(word)).ok_or(CryptoError::Grammar)?;
        let params = words.next().ok_or(CryptoError::Grammar)?;
        if params.contains(';') {
            return Err(CryptoError::Identifier); // Of several keys each has one (§6.1).
        }
        // The method's name is a literal of the grammar, so its case does not count (RFC 5234 §2.3).
        let (method, key) = params.split_once(':').ok_or(CryptoError::Grammar)?;
        if !method.eq_ignore_ascii_case("inline") {
            return Err(CryptoError::Grammar); // There is no other.
        }
        let mut parts = key.split('|');
        let key_and_salt = parts.next().and_then(|key| BASE64.decode(key).ok());
        let key_and_salt = key_and_salt.filter(|key| !key.is_empty()).ok_or(CryptoError::Grammar)?;
        let lifetime = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => LIFETIME_DEFAULT,
            (Some(only), None, _) if only.contains(':') => return Err(CryptoError::Identifier),
            (Some(said), None, _) => lifetime(said).ok_or(CryptoError::Grammar)?,
            (Some(_), Some(_), None) => return Err(CryptoError::Identifier),
            (Some(_), Some(_), Some(_)) => return Err(CryptoError::Grammar),
        };
        for parameter in words {
            if !is_harmless(parameter) {
                return Err(CryptoError::Parameter);
            }
        }
        Ok(Crypto { tag, suite, key_and_salt, lifetime })
    }
}

impl CryptoLine {
    /// A line of our own: no lifetime, no identifier, no parameter.
    pub fn of(tag: u32, suite: &str, key_and_salt: &[u8]) -> Self {
        CryptoLine(format!("{tag} {suite} inline:{}", BASE64.encode(key_and_salt)))
    }
}

/// One to nine digits, none of them a leading zero (§4.1).
fn tag(word: &str) -> Option<u32> {
    let good = (1..=9).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_digit())
        && (word.len() == 1 || !word.starts_with('0'));
    good.then(|| word.parse().ok()).flatten()
}

fn is_name(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `2^20` or `1048576`; at most 2^48 (RFC 3711 §9.2).
fn lifetime(said: &str) -> Option<u64> {
    let digits = |text: &str| {
        let good = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        good.then(|| text.parse::<u64>().ok()).flatten()
    };
    let packets = match said.strip_prefix("2^") {
        Some(power) => 1_u64.checked_shl(u32::try_from(digits(power)?).ok()?)?,
        None => digits(said)?,
    };
    (1..=1 << 48).contains(&packets).then_some(packets)
}

/// A parameter that may be passed over (§6.3.7): a hint at the size of the replay window, which is ours
/// to choose, and what its sender itself marks by `-` as such.
fn is_harmless(parameter: &str) -> bool {
    let window = parameter.strip_prefix("WSH=").and_then(|size| size.parse::<u32>().ok());
    window.is_some_and(|size| size >= 64) || parameter.strip_prefix('-').is_some_and(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 bytes, from the examples of RFC 4568.
    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    const SUITE: &str = "AES_CM_128_HMAC_SHA1_80";

    fn read(line: &str) -> Result<(u32, String, usize, u64), CryptoError> {
        let line = CryptoLine(line.replace("KEY", KEY).replace("SUITE", SUITE));
        let read = Crypto::read(&line)?;
        Ok((read.tag, read.suite.to_owned(), read.key_and_salt.len(), read.lifetime))
    }

    #[test]
    fn lines_are_read_as_the_grammar_has_them_row_by_row() {
        let whole = |tag, lifetime| Ok((tag, SUITE.to_owned(), 30, lifetime));
        let rows = [
            ("1 SUITE inline:KEY", whole(1, 1 << 31)),
            ("0 SUITE inline:KEY", whole(0, 1 << 31)),
            ("999999999 SUITE inline:KEY", whole(999_999_999, 1 << 31)),
            ("1  SUITE\tINLINE:KEY  ", whole(1, 1 << 31)),
            ("1 SUITE inline:KEY|2^20", whole(1, 1 << 20)),
            ("1 SUITE inline:KEY|1048576", whole(1, 1 << 20)),
            ("1 SUITE inline:KEY|2^48", whole(1, 1 << 48)),
            ("1 SUITE inline:KEY WSH=64", whole(1, 1 << 31)),
            ("1 SUITE inline:KEY -FUTURE=9", whole(1, 1 << 31)),
            ("01 SUITE inline:KEY", Err(CryptoError::Grammar)),
            ("1000000000 SUITE inline:KEY", Err(CryptoError::Grammar)),
            ("-1 SUITE inline:KEY", Err(CryptoError::Grammar)),
            ("x SUITE inline:KEY", Err(CryptoError::Grammar)),
            ("1 AES-CM inline:KEY", Err(CryptoError::Grammar)),
            ("1 SUITE", Err(CryptoError::Grammar)),
            ("1", Err(CryptoError::Grammar)),
            ("", Err(CryptoError::Grammar)),
            ("1 SUITE KEY", Err(CryptoError::Grammar)),
            ("1 SUITE uri:KEY", Err(CryptoError::Grammar)),
            ("1 SUITE inline:", Err(CryptoError::Grammar)),
            ("1 SUITE inline:KE*Y", Err(CryptoError::Grammar)),
            ("1 SUITE inline:KEY|", Err(CryptoError::Grammar)),
            ("1 SUITE inline:KEY|0", Err(CryptoError::Grammar)),
            ("1 SUITE inline:KEY|2^49", Err(CryptoError::Grammar)),
            ("1 SUITE inline:KEY|2^99999999999", Err(CryptoError::Grammar)),
            ("1 SUITE inline:KEY|+5", Err(CryptoError::Grammar)),
            ("1 SUITE inline:KEY|2^20|1:4|x", Err(CryptoError::Grammar)),
            ("1 SUITE inline:KEY|2^20|1:4", Err(CryptoError::Identifier)),
            ("1 SUITE inline:KEY|1:4", Err(CryptoError::Identifier)),
            ("1 SUITE inline:KEY;inline:KEY", Err(CryptoError::Identifier)),
            ("1 SUITE inline:KEY KDR=1", Err(CryptoError::Parameter)),
            ("1 SUITE inline:KEY UNENCRYPTED_SRTP", Err(CryptoError::Parameter)),
            ("1 SUITE inline:KEY UNENCRYPTED_SRTCP", Err(CryptoError::Parameter)),
            ("1 SUITE inline:KEY UNAUTHENTICATED_SRTP", Err(CryptoError::Parameter)),
            ("1 SUITE inline:KEY FEC_ORDER=FEC_SRTP", Err(CryptoError::Parameter)),
            ("1 SUITE inline:KEY FEC_KEY=inline:KEY", Err(CryptoError::Parameter)),
            ("1 SUITE inline:KEY WSH=32", Err(CryptoError::Parameter)),
            ("1 SUITE inline:KEY WSH=x", Err(CryptoError::Parameter)),
            ("1 SUITE inline:KEY FUTURE=9", Err(CryptoError::Parameter)),
            ("1 SUITE inline:KEY -", Err(CryptoError::Parameter)),
        ];
        for (line, wanted) in rows {
            assert_eq!(read(line), wanted, "{line}");
        }
    }

    #[test]
    fn keys_of_each_length_are_written_and_read_with_and_without_padding() {
        for length in [28, 30, 44] {
            let key: Vec<u8> = (0..length).collect();
            let line = CryptoLine::of(3, SUITE, &key);
            assert_eq!(Crypto::read(&line).unwrap().key_and_salt, key);
            let bare = CryptoLine(line.0.trim_end_matches('=').to_owned());
            assert_eq!(Crypto::read(&bare).unwrap().key_and_salt, key, "{length} bytes without padding");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let line = CryptoLine::of(1, SUITE, &[7; 30]);
        assert_eq!(format!("{line:?}"), "CryptoLine(…)");
        assert_eq!(
            format!("{:?}", Crypto::read(&line)),
            format!("Ok(Crypto {{ tag: 1, suite: {SUITE:?}, .. }})")
        );
    }
}
