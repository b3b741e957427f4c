//! Session keys from master keys (RFC 3711 §4.3, RFC 7714 §11), made once when a leg opens.
//!
//! The key derivation rate is zero: SDES offers no other to those that do not ask (RFC 4568 §6.3.1).

use aes::cipher::{BlockEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use zeroize::Zeroizing;

use super::transform::{Counter, Gcm, Transform, keystream};
use crate::media::order::{Master, SrtpSuite};

/// What is derived from a master key, by label (RFC 3711 §4.3.2): RTP's, and RTCP's three further on.
const ENCRYPTION: u8 = 0;
const AUTHENTICATION: u8 = 1;
const SALT: u8 = 2;
const RTCP: u8 = 3;

/// Bytes of an HMAC key (RFC 3711 §5.2).
pub const MAC_KEY: usize = 20;
/// Bytes of the counter mode's salt, and of Galois counter mode's (RFC 7714 §8.1).
pub const COUNTER_SALT: usize = 14;
pub const GCM_SALT: usize = 12;

/// Keys of one direction.
pub struct Session {
    /// RTP's.
    pub rtp: Transform,
    /// RTCP's.
    pub rtcp: Transform,
}

impl Session {
    /// Derives all that `suite` needs.
    pub fn new(suite: SrtpSuite, master: &Master) -> Self {
        let tag = if suite == SrtpSuite::AesCm128HmacSha1_32 { 4 } else { 10 };
        // RTCP's tag is never cut short (RFC 3711 §5.2, RFC 4568 §6.2.2).
        Session { rtp: transform(suite, master, 0, tag), rtcp: transform(suite, master, RTCP, 10) }
    }
}

fn transform(suite: SrtpSuite, master: &Master, base: u8, tag: usize) -> Transform {
    let (length, salt) = suite.lengths();
    let derive = |label: u8, out: &mut [u8]| {
        let (key, rest) = master.0.split_at(length);
        match length {
            16 => expand(&Aes128::new_from_slice(key).expect("16 bytes"), &rest[..salt], base + label, out),
            _ => expand(&Aes256::new_from_slice(key).expect("32 bytes"), &rest[..salt], base + label, out),
        }
    };
    let mut key = Zeroizing::new([0; 32]);
    let key = &mut key[..length];
    derive(ENCRYPTION, key);
    match suite {
        SrtpSuite::AesCm128HmacSha1_80 | SrtpSuite::AesCm128HmacSha1_32 => {
            let (mut mac, mut salt) = (Zeroizing::new([0; MAC_KEY]), Zeroizing::new([0; COUNTER_SALT]));
            derive(AUTHENTICATION, &mut *mac);
            derive(SALT, &mut *salt);
            Transform::Counter(Box::new(Counter::new(key, &salt, &mac, tag)))
        }
        SrtpSuite::AeadAes128Gcm | SrtpSuite::AeadAes256Gcm => {
            let mut salt = Zeroizing::new([0; GCM_SALT]);
            derive(SALT, &mut *salt);
            Transform::Gcm(Gcm::new(key, &salt))
        }
    }
}

/// The generator of RFC 3711 §4.3.3 for one label, `out` bytes of it. A salt of 12 bytes is followed
/// by zeroes, as all who speak RFC 7714 do.
fn expand<C>(cipher: &C, salt: &[u8], label: u8, out: &mut [u8])
where
    C: BlockEncrypt
        + aes::cipher::BlockCipher
        + aes::cipher::BlockSizeUser<BlockSize = aes::cipher::consts::U16>,
{
    let mut start = Zeroizing::new([0; 16]);
    start[..salt.len()].copy_from_slice(salt);
    start[7] ^= label;
    out.fill(0);
    keystream(cipher, &start, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::srtp::vectors::bytes;

    #[test]
    fn keys_are_derived_as_in_rfc_3711_appendix_b_3() {
        let cipher = Aes128::new_from_slice(&bytes("E1F97A0D3E018BE0D64FA32C06DE4139")).unwrap();
        let salt = bytes("0EC675AD498AFEEBB6960B3AABE6");
        let rows = [
            (ENCRYPTION, "C61E7A93744F39EE10734AFE3FF7A087"),
            (SALT, "30CBBC08863D8C85D49DB34A9AE1"),
            (
                AUTHENTICATION,
                "CEBE321F6FF7716B6FD4AB49AF256A15\
                 6D38BAA48F0A0ACF3C34E2359E6CDBCE\
                 E049646C43D9327AD175578EF7227098\
                 6371C10C9A369AC2F94A8C5FBCDDDC25\
                 6D6E919A48B610EF17C2041E47403576\
                 6B68642C59BBFC2F34DB60DBDFB2",
            ),
        ];
        for (label, wanted) in rows {
            let wanted = bytes(wanted);
            let mut derived = vec![0xff; wanted.len()];
            expand(&cipher, &salt, label, &mut derived);
            assert_eq!(derived, wanted, "label {label}");
        }
    }
}
