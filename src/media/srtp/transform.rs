//! The ciphers on one packet, in place: AES counter mode with HMAC-SHA1 (RFC 3711 §4) and AES Galois
//! counter mode (RFC 7714).
//!
//! Which index a packet has, and whether it may still be used, is for [`super`] to say. Counter mode
//! is RustCrypto's, Galois counter mode AWS-LC's: each is the faster one on packets of 160 bytes, and
//! both take the processor's own instructions where it has them.

use aes::Aes128;
use aes::cipher::consts::U16;
use aes::cipher::{
    BlockCipher, BlockEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper,
};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::keys::{COUNTER_SALT, GCM_SALT, MAC_KEY};
use crate::media::rtp::PACKET_MAX;

/// Bytes of Galois counter mode's tag (RFC 7714 §5.2.1, never cut short).
pub const GCM_TAG: usize = 16;
/// The E flag and the index behind an RTCP packet.
pub const WORD: usize = 4;
/// Of a packet of 20 ms nothing is longer; its copy is the cheaper for it.
const USUAL: usize = 256;
/// The part of an RTCP packet that is never ciphered.
const REPORT_HEADER: usize = 8;
/// The E flag of the word behind an RTCP packet: it is ciphered.
const CIPHERED: u32 = 1 << 31;

/// Adds AES counter mode's stream, which begins with the block `start`, to `data`.
pub fn keystream<C>(cipher: &C, start: &[u8; 16], data: &mut [u8])
where
    C: BlockEncrypt + BlockCipher + BlockSizeUser<BlockSize = U16>,
{
    let core: CtrCore<&C, Ctr128BE> = CtrCore::inner_iv_init(cipher, start.into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(data);
}

/// AES in counter mode with HMAC-SHA1.
pub struct Counter {
    cipher: Aes128,
    /// Followed by room for the block's number.
    salt: [u8; 16],
    mac: Hmac<Sha1>,
    tag: usize,
}

impl Counter {
    /// Keys of one kind of packet; `tag`: bytes of HMAC that are sent.
    pub fn new(key: &[u8], salt: &[u8; COUNTER_SALT], mac: &[u8; MAC_KEY], tag: usize) -> Self {
        let mut room = [0; 16];
        room[..COUNTER_SALT].copy_from_slice(salt);
        Counter {
            cipher: Aes128::new_from_slice(key).expect("a key of 16 bytes"),
            salt: room,
            mac: <Hmac<Sha1> as Mac>::new_from_slice(mac).expect("HMAC takes any key"),
            tag,
        }
    }

    /// RFC 3711 §4.1.1.
    pub fn apply(&self, ssrc: u32, index: u64, data: &mut [u8]) {
        let mut start = self.salt;
        for (byte, other) in start[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= other;
        }
        for (byte, other) in start[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *byte ^= other;
        }
        keystream(&self.cipher, &start, data);
    }

    fn sum(&self, data: &[u8], more: &[u8]) -> [u8; 20] {
        let mut mac = self.mac.clone();
        mac.update(data);
        mac.update(more);
        mac.finalize().into_bytes().into()
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.salt.zeroize();
        // Its state holds the key's sum and has no erasing of its own.
        self.mac = <Hmac<Sha1> as Mac>::new(&Default::default());
        std::hint::black_box(&mut self.mac);
    }
}

/// AES in Galois counter mode.
pub struct Gcm {
    key: LessSafeKey,
    salt: [u8; GCM_SALT],
}

impl Gcm {
    /// Keys of one kind of packet; a key of 16 or 32 bytes.
    pub fn new(key: &[u8], salt: &[u8; GCM_SALT]) -> Self {
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let key = UnboundKey::new(algorithm, key).expect("a key of the algorithm's length");
        Gcm { key: LessSafeKey::new(key), salt: *salt }
    }

    /// RFC 7714 §8.1 and §9.1: both give 48 bits to the index.
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let mut nonce = self.salt;
        for (byte, other) in nonce[2..6].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= other;
        }
        for (byte, other) in nonce[6..].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *byte ^= other;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// Ciphers `data`; its tag. `None` for more than the mode can take, which no packet is.
    pub fn seal(&self, ssrc: u32, index: u64, beside: &[u8], data: &mut [u8]) -> Option<[u8; GCM_TAG]> {
        let nonce = self.nonce(ssrc, index);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(beside), data).ok()?;
        tag.as_ref().try_into().ok()
    }

    /// Deciphers `data` followed by its tag; `None`, and `data` is as it was, where the tag is another's.
    pub fn open(&self, ssrc: u32, index: u64, beside: &[u8], data: &mut [u8]) -> Option<()> {
        match data.len() {
            0..=USUAL => self.open_within::<USUAL>(ssrc, index, beside, data),
            _ => self.open_within::<{ PACKET_MAX + GCM_TAG }>(ssrc, index, beside, data),
        }
    }

    /// The library wipes what it cannot open; since other keys or counters may fit, it is kept.
    fn open_within<const N: usize>(
        &self,
        ssrc: u32,
        index: u64,
        beside: &[u8],
        data: &mut [u8],
    ) -> Option<()> {
        let mut room = [0; N];
        let kept = room.get_mut(..data.len())?;
        kept.copy_from_slice(data);
        let opened = self.key.open_in_place(self.nonce(ssrc, index), Aad::from(beside), data).is_ok();
        if !opened {
            data.copy_from_slice(kept);
        }
        opened.then_some(())
    }
}

impl Drop for Gcm {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

/// Keys of one kind of packet of one direction.
pub enum Transform {
    /// AES counter mode with HMAC-SHA1.
    Counter(Box<Counter>),
    /// AES Galois counter mode.
    Gcm(Gcm),
}

impl Transform {
    /// Bytes behind a packet, RTCP's word left out.
    pub fn tag(&self) -> usize {
        match self {
            Transform::Counter(counter) => counter.tag,
            Transform::Gcm(_) => GCM_TAG,
        }
    }

    /// Seals the RTP packet in the first `length` bytes of `packet`, `header` of them its header; how
    /// long it is then. `None` where there is no room.
    pub fn seal_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        length: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<usize> {
        let end = length + self.tag();
        let (clear, rest) = packet.get_mut(..end)?.split_at_mut_checked(header)?;
        let (data, tag) = rest.split_at_mut_checked(length.checked_sub(header)?)?;
        match self {
            Transform::Counter(counter) => {
                counter.apply(ssrc, index, data);
                let sum = counter.sum(&packet[..length], &rollover(index));
                packet[length..end].copy_from_slice(&sum[..counter.tag]);
            }
            Transform::Gcm(gcm) => tag.copy_from_slice(&gcm.seal(ssrc, index, clear, data)?),
        }
        Some(end)
    }

    /// Opens a sealed RTP packet whose index would be `index`; how long it is then. `None`, and it is
    /// as it was, where it was not sealed with these keys at this index.
    pub fn open_rtp(&self, packet: &mut [u8], header: usize, ssrc: u32, index: u64) -> Option<usize> {
        let length = packet.len().checked_sub(self.tag()).filter(|length| *length >= header)?;
        match self {
            Transform::Counter(counter) => {
                let sum = counter.sum(&packet[..length], &rollover(index));
                same(&packet[length..], &sum[..counter.tag])?;
                counter.apply(ssrc, index, &mut packet[header..length]);
            }
            Transform::Gcm(gcm) => {
                let (clear, data) = packet.split_at_mut(header);
                gcm.open(ssrc, index, clear, data)?;
            }
        }
        Some(length)
    }

    /// Seals the RTCP packet in the first `length` bytes of `packet`; how long it is then. `None`
    /// where there is no room.
    pub fn seal_rtcp(&self, packet: &mut [u8], length: usize, ssrc: u32, index: u32) -> Option<usize> {
        let end = length + WORD + self.tag();
        let word = (CIPHERED | index).to_be_bytes();
        let (clear, rest) = packet.get_mut(..end)?.split_at_mut_checked(REPORT_HEADER)?;
        let (data, tail) = rest.split_at_mut_checked(length.checked_sub(REPORT_HEADER)?)?;
        match self {
            Transform::Counter(counter) => {
                counter.apply(ssrc, index.into(), data);
                tail[..WORD].copy_from_slice(&word);
                let sum = counter.sum(&packet[..length + WORD], &[]);
                packet[length + WORD..end].copy_from_slice(&sum[..counter.tag]);
            }
            Transform::Gcm(gcm) => {
                let beside = beside(clear, word);
                tail[..GCM_TAG].copy_from_slice(&gcm.seal(ssrc, index.into(), &beside, data)?);
                tail[GCM_TAG..].copy_from_slice(&word);
            }
        }
        Some(end)
    }

    /// The index that a sealed RTCP packet names, not yet known to be true.
    pub fn rtcp_index(&self, packet: &[u8]) -> Option<u32> {
        self.word(packet).map(|word| word & !CIPHERED)
    }

    fn word(&self, packet: &[u8]) -> Option<u32> {
        // Counter mode has its tag behind the word (RFC 3711 §3.4), the other before (RFC 7714 §9.2).
        let end = match self {
            Transform::Counter(counter) => packet.len().checked_sub(counter.tag)?,
            Transform::Gcm(_) => packet.len(),
        };
        let word = packet.get(end.checked_sub(WORD)?..end)?;
        Some(u32::from_be_bytes(word.try_into().ok()?))
    }

    /// Opens a sealed RTCP packet, ciphered or only signed as its E flag says; how long it is then.
    /// `None`, and it is as it was, where it was not sealed with these keys.
    pub fn open_rtcp(&self, packet: &mut [u8], ssrc: u32) -> Option<usize> {
        let word = self.word(packet)?;
        let length = packet.len().checked_sub(WORD + self.tag()).filter(|length| *length >= REPORT_HEADER)?;
        let index = u64::from(word & !CIPHERED);
        match self {
            Transform::Counter(counter) => {
                let sum = counter.sum(&packet[..length + WORD], &[]);
                same(&packet[length + WORD..], &sum[..counter.tag])?;
                if word & CIPHERED != 0 {
                    counter.apply(ssrc, index, &mut packet[REPORT_HEADER..length]);
                }
            }
            Transform::Gcm(gcm) if word & CIPHERED != 0 => {
                let (clear, data) = packet[..length + GCM_TAG].split_at_mut(REPORT_HEADER);
                gcm.open(ssrc, index, &beside(clear, word.to_be_bytes()), data)?;
            }
            Transform::Gcm(gcm) => {
                // All of it is signed with its word, and nothing is ciphered (RFC 7714 §9.3).
                let mut all = [0; PACKET_MAX + WORD];
                let signed = all.get_mut(..length + WORD)?;
                signed[..length].copy_from_slice(&packet[..length]);
                signed[length..].copy_from_slice(&word.to_be_bytes());
                gcm.open(ssrc, index, signed, &mut packet[length..length + GCM_TAG])?;
            }
        }
        Some(length)
    }
}

/// What an RTP packet is signed with beside itself.
fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// What a ciphered RTCP packet is signed with beside its ciphered part (RFC 7714 §9.2).
fn beside(clear: &[u8], word: [u8; WORD]) -> [u8; REPORT_HEADER + WORD] {
    let mut beside = [0; REPORT_HEADER + WORD];
    beside[..REPORT_HEADER].copy_from_slice(clear);
    beside[REPORT_HEADER..].copy_from_slice(&word);
    beside
}

/// Compares tags in a time that tells nothing of them.
fn same(tag: &[u8], sum: &[u8]) -> Option<()> {
    bool::from(tag.ct_eq(sum)).then_some(())
}
