//! Keys that recordings are sealed with: the one for new files, and those of before, by which older files are read.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of a key: AES-256.
pub const KEY_BYTES: usize = 32;
/// Where the engine makes the shipped plan's key, under the data directory.
const USUAL: (&str, &str) = ("secrets", "recordings");
/// Bytes that a file may have which is taken for a key.
const FILE_MAX: u64 = 4_096;
/// Keys that are looked for beside the usual one.
const KEYS_MAX: usize = 64;

/// What a file says of the key it was sealed with: the first 8 bytes of the key's SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "录音密钥应为 256 位：64 个十六进制数字，或 44 个字符的 base64（可用 openssl rand -hex 32 生成） / \
     a key of recordings has 256 bits: 64 hexadecimal digits, or 44 characters of base64 (openssl rand -hex 32 makes one)"
)]
pub struct NoKey;

/// 256 bits that recordings are sealed with. Never shown: its id is.
pub struct Key {
    id: KeyId,
    secret: Zeroizing<[u8; KEY_BYTES]>,
}

impl Key {
    /// Of these bytes.
    pub fn new(secret: [u8; KEY_BYTES]) -> Self {
        let sum = Sha256::digest(secret);
        Key { id: KeyId(std::array::from_fn(|at| sum[at])), secret: Zeroizing::new(secret) }
    }

    /// As its file has it: 64 hexadecimal digits, or 44 characters of base64 (RFC 4648 §4).
    pub fn parse(text: &str) -> Result<Self, NoKey> {
        let text = text.trim();
        let mut secret = Zeroizing::new([0; KEY_BYTES]);
        match text.len() {
            64 if text.is_ascii() => {
                for (byte, digits) in secret.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    let value = |digit: u8| char::from(digit).to_digit(16).ok_or(NoKey);
                    *byte = (value(digits[0])? << 4 | value(digits[1])?) as u8;
                }
            }
            44 => {
                let read = Zeroizing::new(STANDARD.decode(text).map_err(|_| NoKey)?);
                *secret = <[u8; KEY_BYTES]>::try_from(read.as_slice()).map_err(|_| NoKey)?;
            }
            _ => return Err(NoKey),
        }
        Ok(Key::new(*secret))
    }

    /// By which files name it.
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn secret(&self) -> &[u8; KEY_BYTES] {
        &self.secret
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// All keys at hand.
#[derive(Clone, Debug, Default)]
pub struct SealKeys {
    new: Option<Arc<Key>>,
    old: Vec<Arc<Key>>,
}

impl SealKeys {
    /// New files are sealed with `new`, or not at all; those there are are read with any of them.
    pub fn new(new: Option<Key>, old: Vec<Key>) -> Self {
        SealKeys { new: new.map(Arc::new), old: old.into_iter().map(Arc::new).collect() }
    }

    /// Those that lie where the engine makes them: `secrets/recordings` under the data directory, and files beside it
    /// whose names begin so.
    pub fn beside(data: &Path) -> Self {
        let directory = data.join(USUAL.0);
        let names = super::repair::names(&directory).into_iter().filter(|name| name.starts_with(USUAL.1));
        let read = |name: String| {
            let path = directory.join(name);
            let fits = path.metadata().is_ok_and(|found| found.is_file() && found.len() <= FILE_MAX);
            let text = fits.then(|| std::fs::read_to_string(path).map(Zeroizing::new).ok()).flatten()?;
            Key::parse(&text).ok()
        };
        SealKeys::new(None, names.take(KEYS_MAX).filter_map(read).collect())
    }

    /// What new files are sealed with; `None`: they lie in the clear.
    pub fn for_new(&self) -> Option<&Key> {
        self.new.as_deref()
    }

    /// The key that a file names.
    pub fn find(&self, id: KeyId) -> Option<&Key> {
        self.new.iter().chain(&self.old).find(|key| key.id == id).map(AsRef::as_ref)
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.new.is_none() && self.old.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_digits_or_44_letters_and_its_text_is_shown_to_nobody() {
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
        let key = Key::parse(&format!("{hex}\n")).unwrap();
        assert_eq!(key.secret(), &std::array::from_fn(|at| at as u8));
        // The first bytes of sha256(00 01 … 1f).
        assert_eq!(key.id().to_string(), "630dcd2966c43366");
        let same = Key::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        assert_eq!(same.id(), key.id());
        assert_eq!(format!("{key:?}"), "Key(630dcd2966c43366)");
        let letters = "é".repeat(32);
        for wrong in ["", &hex[1..], &hex.replace('0', "g"), &"A".repeat(44), &"=".repeat(44), &letters] {
            assert!(Key::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_id_among_new_and_old_ones() {
        let [new, old, strange] = [1, 2, 3].map(|byte| Key::new([byte; KEY_BYTES]));
        let (new_id, old_id) = (new.id(), old.id());
        let keys = SealKeys::new(Some(new), vec![old]);
        assert_eq!(keys.for_new().map(Key::id), Some(new_id));
        assert_eq!(keys.find(old_id).map(Key::id), Some(old_id));
        assert!(keys.find(strange.id()).is_none() && !keys.is_empty());
        assert!(SealKeys::default().is_empty());
    }
}
