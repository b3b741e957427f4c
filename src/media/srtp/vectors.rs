//! The worked examples of RFC 3711 appendix B.2 and RFC 7714 §16 and §17, byte for byte. Appendix B.3
//! is tested where keys are derived.

use aes::Aes128;
use aes::cipher::KeyInit;

use super::transform::{Gcm, Transform, keystream};

/// The bytes that pairs of hexadecimal digits name.
pub fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn the_stream_of_counter_mode_is_that_of_rfc_3711_appendix_b_2() {
    let cipher = Aes128::new_from_slice(&bytes("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
    let start = bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap();
    let mut stream = vec![0; 1_044_512];
    keystream(&cipher, &start, &mut stream);
    let first =
        "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0";
    let last =
        "EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE6A2CC3787889374FBEB4C81B17BA6C44";
    assert_eq!(stream[..48], bytes(first));
    assert_eq!(stream[1_044_464..], bytes(last));
}

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const SALT: &str = "517569642070726f2071756f";

fn gcm(key: usize) -> Gcm {
    Gcm::new(&bytes(KEY)[..key], &bytes(SALT).try_into().unwrap())
}

/// RFC 7714 §16: header, sequence number f17b, SSRC 5501a0b2, rollover counter 0.
const RTP_HEADER: &str = "8040f17b8041f8d35501a0b2";
const RTP_TEXT: &[u8] = b"Gallia est omnis divisa in partes tres";

#[test]
fn rtp_is_sealed_and_opened_as_in_rfc_7714_16() {
    // §16.1.1 and 16.1.2, §16.2.1 and 16.2.2: bytes of the key, what is ciphered, the tag.
    let rows = [
        (
            16,
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833",
            "899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            32,
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b",
            "7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ];
    for (key, ciphered, tag) in rows {
        let keys = Transform::Gcm(gcm(key));
        let plain = [&bytes(RTP_HEADER)[..], RTP_TEXT].concat();
        let wanted = [bytes(RTP_HEADER), bytes(ciphered), bytes(tag)].concat();
        let mut packet = [&plain[..], &[0; 16]].concat();
        assert_eq!(keys.seal_rtp(&mut packet, 12, plain.len(), 0x5501_a0b2, 0xf17b), Some(66));
        assert_eq!(packet, wanted);
        for bit in 0..packet.len() * 8 {
            packet[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys.open_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b), None, "bit {bit}");
            packet[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(packet, wanted, "as it was");
        }
        assert_eq!(keys.open_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b), Some(50));
        assert_eq!(packet[..50], plain);
    }
}

#[test]
fn rtp_is_signed_as_in_rfc_7714_16() {
    // §16.1.3 and 16.1.4, §16.2.3 and 16.2.4: all of the packet beside, nothing ciphered.
    let rows = [(16, "22493f82d2bce397e9d79e3b19aa4216"), (32, "a866d5910f887463067ceefec45215d4")];
    for (key, tag) in rows {
        let all = [&bytes(RTP_HEADER)[..], RTP_TEXT].concat();
        let sum = gcm(key).seal(0x5501_a0b2, 0xf17b, &all, &mut []).unwrap();
        assert_eq!(sum[..], bytes(tag));
        assert_eq!(gcm(key).open(0x5501_a0b2, 0xf17b, &all, &mut sum.clone()), Some(()));
        assert_eq!(gcm(key).open(0x5501_a0b2, 0xf17b, &all[1..], &mut sum.clone()), None);
    }
}

/// RFC 7714 §17: SSRC 4d617273, index 5d4.
const RTCP: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

#[test]
fn rtcp_is_sealed_and_opened_as_in_rfc_7714_17() {
    // §17.1 and 17.2.
    let rows = [
        (
            16,
            "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b",
            "c84aa45896cf4d2fc5abf87245d9eade",
        ),
        (
            32,
            "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad",
            "1d1eb30c4446839f57ff6f6cb26ac3be",
        ),
    ];
    for (key, ciphered, tag) in rows {
        let keys = Transform::Gcm(gcm(key));
        let plain = bytes(RTCP);
        let wanted = [&plain[..8], &bytes(ciphered), &bytes(tag), &bytes("800005d4")].concat();
        let mut packet = [&plain[..], &[0; 20]].concat();
        assert_eq!(keys.seal_rtcp(&mut packet, plain.len(), 0x4d61_7273, 0x5d4), Some(plain.len() + 20));
        assert_eq!(packet, wanted);
        assert_eq!(keys.rtcp_index(&packet), Some(0x5d4));
        assert_eq!(keys.open_rtcp(&mut packet, 0x4d61_7273), Some(plain.len()));
        assert_eq!(packet[..plain.len()], plain);
    }
}

#[test]
fn rtcp_that_is_only_signed_is_opened_as_in_rfc_7714_17() {
    // §17.3 and 17.4: the E flag is clear.
    let rows = [(16, "841dd9683dd78ec92ae58790125f62b3"), (32, "91db4afbfeee5a978fab4393ed2615fe")];
    for (key, tag) in rows {
        let keys = Transform::Gcm(gcm(key));
        let mut packet = [bytes(RTCP), bytes(tag), bytes("000005d4")].concat();
        packet[20] ^= 1;
        assert_eq!(keys.open_rtcp(&mut packet, 0x4d61_7273), None);
        packet[20] ^= 1;
        assert_eq!(keys.open_rtcp(&mut packet, 0x4d61_7273), Some(52));
        assert_eq!(packet[..52], bytes(RTCP));
    }
}
