//! Recordings encrypted at rest: one file in chunks that are each encrypted and authenticated, so that any part is
//! read without the rest, and none can be cut off, repeated, left out or put elsewhere.
//!
//! The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015) as the age format has it, over AES-256-GCM
//! (NIST SP 800-38D) with a key of each file's own, derived by HKDF-SHA256 (RFC 5869). The layout is in
//! `contract/recording.md`; the cipher is the library's.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

use super::flac::GoOn;
use super::seal_keys::{KEY_BYTES, Key, KeyId, SealKeys};

/// First bytes of a sealed file; the last of them is the version.
const MAGIC: [u8; 8] = *b"HLSEAL\x00\x01";
/// Bytes of a file's own salt.
pub const SALT_BYTES: usize = 32;
/// Bytes before the first chunk: magic, id of the key, salt.
pub const HEADER_BYTES: usize = 48;
/// Bytes of sound in every chunk but the last.
pub const CHUNK_BYTES: usize = 1 << 16;
/// What authentication adds to each chunk.
const TAG_BYTES: usize = 16;
/// What the subkey is derived for (RFC 5869 §3.2).
const INFO: &[u8] = b"hotline recording 1";

/// Why a sealed file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The disk's.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Too short, or it begins otherwise.
    #[error("不是加密的录音文件 / not a sealed recording")]
    NotSealed,
    /// It was sealed with a key that is not at hand.
    #[error(
        "密钥 {0} 不在手边：写进 old_keys（或用 --key 指明） / key {0} is not at hand: name it in old_keys (or by --key)"
    )]
    NoKey(KeyId),
    /// Something in it is not as it was written.
    #[error("第 {0} 块已损坏或被改动 / chunk {0} is damaged or was changed")]
    Broken(u64),
}

impl From<SealError> for io::Error {
    fn from(error: SealError) -> io::Error {
        match error {
            SealError::Io(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        }
    }
}

/// One file's cipher.
struct Cipher {
    key: LessSafeKey,
    header: [u8; HEADER_BYTES],
}

/// So many bytes are to come of HKDF.
struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

fn refused() -> io::Error {
    io::Error::other("the cipher refuses")
}

impl Cipher {
    fn new(key: &Key, header: [u8; HEADER_BYTES]) -> io::Result<Self> {
        let mut own = Zeroizing::new([0; KEY_BYTES]);
        let secret = Salt::new(HKDF_SHA256, &header[HEADER_BYTES - SALT_BYTES..]).extract(key.secret());
        let expanded = secret.expand(&[INFO], Length).map_err(|_| refused())?;
        expanded.fill(&mut own[..]).map_err(|_| refused())?;
        let key = UnboundKey::new(&AES_256_GCM, &own[..]).map_err(|_| refused())?;
        Ok(Cipher { key: LessSafeKey::new(key), header })
    }

    /// Eleven bytes that count the chunks from 0, and one that is 1 at the last: no two of a file are alike.
    fn nonce(number: u64, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[3..11].copy_from_slice(&number.to_be_bytes());
        nonce[11] = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&self, number: u64, last: bool, chunk: &mut Vec<u8>) -> io::Result<()> {
        let nonce = Cipher::nonce(number, last);
        self.key.seal_in_place_append_tag(nonce, Aad::from(&self.header), chunk).map_err(|_| refused())
    }

    /// Leaves the sound in `chunk`.
    fn open(&self, number: u64, last: bool, chunk: &mut Vec<u8>) -> Result<(), SealError> {
        let nonce = Cipher::nonce(number, last);
        let opened = self.key.open_in_place(nonce, Aad::from(&self.header), chunk);
        let length = opened.map_err(|_| SealError::Broken(number))?.len();
        chunk.truncate(length);
        Ok(())
    }
}

fn header_of(id: KeyId, salt: &[u8; SALT_BYTES]) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&id.0);
    header[16..].copy_from_slice(salt);
    header
}

/// Encrypts all of `from` to `to` with `key`. A salt is used once. Fails with `Interrupted` when it is told not to go on.
pub fn seal(
    from: &mut impl Read,
    to: &mut impl Write,
    key: &Key,
    salt: &[u8; SALT_BYTES],
    go_on: GoOn<'_>,
) -> io::Result<()> {
    let header = header_of(key.id(), salt);
    let cipher = Cipher::new(key, header)?;
    to.write_all(&header)?;
    let (mut chunk, mut next) = (room(), room());
    fill(from, &mut chunk)?;
    for number in 0.. {
        if !go_on() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        fill(from, &mut next)?;
        let last = next.is_empty();
        cipher.seal(number, last, &mut chunk)?;
        to.write_all(&chunk)?;
        if last {
            break;
        }
        std::mem::swap(&mut chunk, &mut next);
    }
    Ok(())
}

/// Writes the sealed form of `from` to `to`, which must not be there yet, for its owner alone, and makes it last.
pub fn seal_file(from: &Path, to: &Path, key: &Key, go_on: GoOn<'_>) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(to)?;
    let mut salt = [0; SALT_BYTES];
    rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, &mut salt).map_err(io::Error::other)?;
    seal(&mut source, &mut file, key, &salt, go_on)?;
    file.sync_all()
}

/// Whether the sealed file opens to what `clear` holds, every byte.
pub fn is_same_file(clear: &Path, sealed: &Path, keys: &SealKeys, go_on: GoOn<'_>) -> io::Result<bool> {
    let mut source = File::open(clear)?;
    let mut copy = match SealedFile::open(File::open(sealed)?, keys) {
        Ok(copy) => copy,
        Err(SealError::Io(error)) => return Err(error),
        Err(_) => return Ok(false),
    };
    if source.metadata()?.len() != copy.len() {
        return Ok(false);
    }
    let (mut wanted, mut found) = (room(), room());
    loop {
        if !go_on() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        fill(&mut source, &mut wanted)?;
        match fill(&mut copy, &mut found) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(false),
            other => other?,
        }
        match (wanted == found, wanted.is_empty()) {
            (true, true) => return Ok(true),
            (true, false) => {}
            (false, _) => return Ok(false),
        }
    }
}

fn room() -> Vec<u8> {
    Vec::with_capacity(CHUNK_BYTES + TAG_BYTES)
}

/// As much as makes a chunk, or what is left.
fn fill(from: &mut impl Read, chunk: &mut Vec<u8>) -> io::Result<()> {
    chunk.clear();
    from.take(CHUNK_BYTES as u64).read_to_end(chunk).map(drop)
}

/// A sealed file's sound, read from any place; never more than one chunk of it is in memory.
pub struct SealedFile<F> {
    file: F,
    cipher: Cipher,
    /// Bytes of sound.
    length: u64,
    /// The one that is the last.
    last: u64,
    /// The chunk that is open, and its number.
    chunk: Vec<u8>,
    number: u64,
    at: u64,
}

impl<F: Read + Seek> SealedFile<F> {
    /// Finds its key and opens its last chunk, by which a file that was cut short is known.
    pub fn open(mut file: F, keys: &SealKeys) -> Result<Self, SealError> {
        let bytes = file.seek(SeekFrom::End(0))?;
        let body = bytes.checked_sub(HEADER_BYTES as u64).ok_or(SealError::NotSealed)?;
        file.seek(SeekFrom::Start(0))?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact(&mut header)?;
        if header[..8] != MAGIC {
            return Err(SealError::NotSealed);
        }
        let id = KeyId(std::array::from_fn(|at| header[8 + at]));
        let key = keys.find(id).ok_or(SealError::NoKey(id))?;
        let chunks = body.div_ceil((CHUNK_BYTES + TAG_BYTES) as u64);
        let last = chunks.checked_sub(1).ok_or(SealError::Broken(0))?;
        let length = body.checked_sub(chunks * TAG_BYTES as u64).ok_or(SealError::Broken(last))?;
        // Nothing but an empty file has an empty chunk: one length is one shape.
        if last > 0 && length == last * CHUNK_BYTES as u64 {
            return Err(SealError::Broken(last));
        }
        let cipher = Cipher::new(key, header)?;
        let mut opened = SealedFile { file, cipher, length, last, chunk: room(), number: 0, at: 0 };
        opened.turn_to(last)?;
        Ok(opened)
    }

    /// Bytes of sound.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u64 {
        self.length
    }

    fn turn_to(&mut self, number: u64) -> Result<(), SealError> {
        self.chunk.clear();
        let whole = (CHUNK_BYTES + TAG_BYTES) as u64;
        self.file.seek(SeekFrom::Start(HEADER_BYTES as u64 + number * whole))?;
        (&mut self.file).take(whole).read_to_end(&mut self.chunk)?;
        self.number = number;
        let opened = self.cipher.open(number, number == self.last, &mut self.chunk);
        if opened.is_err() {
            self.chunk.clear();
            self.number = u64::MAX; // None is open.
        }
        opened
    }
}

impl<F: Read + Seek> Read for SealedFile<F> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.length || out.is_empty() {
            return Ok(0);
        }
        let number = self.at / CHUNK_BYTES as u64;
        if number != self.number {
            self.turn_to(number)?;
        }
        let from = (self.at % CHUNK_BYTES as u64) as usize;
        let found = self.chunk.get(from..).unwrap_or_default();
        let count = found.len().min(out.len());
        if count == 0 {
            return Err(SealError::Broken(number).into()); // Shorter than it was when it was opened.
        }
        out[..count].copy_from_slice(&found[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl<F: Read + Seek> Seek for SealedFile<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
#[path = "seal_test.rs"]
mod tests;
