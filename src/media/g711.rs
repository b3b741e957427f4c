//! ITU-T G.711 A-law and µ-law, by tables made at compile time.
//!
//! Linear samples are 16 bit, left-justified: A-law carries 13 of them, µ-law 14.

use super::order::Codec;

/// A-law codes to linear, G.711 table 1a/1b, left-justified to 16 bits.
static ALAW_TO_LINEAR: [i16; 256] = alaw_to_linear();
/// µ-law codes to linear, G.711 table 2a/2b, left-justified to 16 bits.
static ULAW_TO_LINEAR: [i16; 256] = ulaw_to_linear();
/// Linear, the top 13 bits as an unsigned index, to A-law.
static LINEAR_TO_ALAW: [u8; 8192] = linear_to_alaw();
/// Linear, the top 14 bits as an unsigned index, to µ-law.
static LINEAR_TO_ULAW: [u8; 16384] = linear_to_ulaw();

const fn alaw_to_linear() -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let bits = (code as u8) ^ 0x55;
        let segment = (bits >> 4) & 7;
        let step = ((bits & 0x0f) as i16) << 4;
        let magnitude = match segment {
            0 => step + 8,
            _ => (step + 0x108) << (segment - 1),
        };
        // The sign bit is set for positive values.
        table[code] = if bits & 0x80 != 0 { magnitude } else { -magnitude };
        code += 1;
    }
    table
}

const fn ulaw_to_linear() -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let bits = !(code as u8);
        let segment = (bits >> 4) & 7;
        let magnitude = (((((bits & 0x0f) as i16) << 3) + 0x84) << segment) - 0x84;
        table[code] = if bits & 0x80 != 0 { -magnitude } else { magnitude };
        code += 1;
    }
    table
}

const fn linear_to_alaw() -> [u8; 8192] {
    let mut table = [0; 8192];
    let mut index = 0;
    while index < 8192 {
        // 13 bits, two's complement.
        let sample = if index < 4096 { index as i32 } else { index as i32 - 8192 };
        let (sign, magnitude) = if sample >= 0 { (0x80, sample) } else { (0, -sample - 1) };
        let mut segment = 0;
        let mut rest = magnitude >> 5;
        while rest != 0 {
            segment += 1;
            rest >>= 1;
        }
        let step = match segment {
            0 => magnitude >> 1,
            _ => magnitude >> segment,
        } & 0x0f;
        table[index] = (sign | (segment << 4) as u8 | step as u8) ^ 0x55;
        index += 1;
    }
    table
}

const fn linear_to_ulaw() -> [u8; 16384] {
    let mut table = [0; 16384];
    let mut index = 0;
    while index < 16384 {
        // 14 bits; 33 is the bias, 8159 the clip of G.711 §3. The bits cut off make a negative sample
        // look greater than it is: its one's complement is the size, as in ITU-T G.191.
        let sample = if index < 8192 { index as i32 } else { index as i32 - 16384 };
        let (sign, magnitude) = if sample >= 0 { (0, sample) } else { (0x80, -sample - 1) };
        let biased = if magnitude > 8158 { 8191 } else { magnitude + 33 };
        let mut segment = 0;
        let mut rest = biased >> 6;
        while rest != 0 {
            segment += 1;
            rest >>= 1;
        }
        let step = (biased >> (segment + 1)) & 0x0f;
        table[index] = !(sign | (segment << 4) as u8 | step as u8);
        index += 1;
    }
    table
}

/// One code to linear.
pub fn decode_sample(codec: Codec, code: u8) -> i16 {
    match codec {
        Codec::Pcma => ALAW_TO_LINEAR[usize::from(code)],
        Codec::Pcmu => ULAW_TO_LINEAR[usize::from(code)],
    }
}

/// One linear sample to its code.
pub fn encode_sample(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcma => LINEAR_TO_ALAW[usize::from(sample as u16 >> 3)],
        Codec::Pcmu => LINEAR_TO_ULAW[usize::from(sample as u16 >> 2)],
    }
}

/// Codes to linear, as many as the shorter of the two holds.
pub fn decode(codec: Codec, codes: &[u8], samples: &mut [i16]) {
    let table = match codec {
        Codec::Pcma => &ALAW_TO_LINEAR,
        Codec::Pcmu => &ULAW_TO_LINEAR,
    };
    for (sample, code) in samples.iter_mut().zip(codes) {
        *sample = table[usize::from(*code)];
    }
}

/// Linear to codes, as many as the shorter of the two holds.
pub fn encode(codec: Codec, samples: &[i16], codes: &mut [u8]) {
    match codec {
        Codec::Pcma => {
            for (code, sample) in codes.iter_mut().zip(samples) {
                *code = LINEAR_TO_ALAW[usize::from(*sample as u16 >> 3)];
            }
        }
        Codec::Pcmu => {
            for (code, sample) in codes.iter_mut().zip(samples) {
                *code = LINEAR_TO_ULAW[usize::from(*sample as u16 >> 2)];
            }
        }
    }
}

/// Codes of one law into those of the other.
pub fn recode(from: Codec, to: Codec, codes: &mut [u8]) {
    if from != to {
        for code in codes {
            *code = encode_sample(to, decode_sample(from, *code));
        }
    }
}

/// The code of silence.
pub fn silence(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => 0xd5,
        Codec::Pcmu => 0xff,
    }
}

/// How loud a code is, 0..=127 on the codec's own logarithmic scale: 16 steps are 6 dB.
pub fn loudness(codec: Codec, code: u8) -> u8 {
    match codec {
        Codec::Pcma => (code ^ 0x55) & 0x7f,
        Codec::Pcmu => !code & 0x7f,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODECS: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

    #[test]
    fn known_values_of_the_recommendation_decode() {
        // (code, linear at 16 bits): the ends, the middle and the segment borders of G.711.
        let rows = [
            (Codec::Pcma, 0xd5, 8),
            (Codec::Pcma, 0x55, -8),
            (Codec::Pcma, 0xaa, 32_256),
            (Codec::Pcma, 0x2a, -32_256),
            (Codec::Pcma, 0x80, 5_504),
            (Codec::Pcma, 0xc5, 264),
            (Codec::Pcma, 0xf5, 528),
            (Codec::Pcmu, 0xff, 0),
            (Codec::Pcmu, 0x7f, 0),
            (Codec::Pcmu, 0x80, 32_124),
            (Codec::Pcmu, 0x00, -32_124),
            (Codec::Pcmu, 0xfe, 8),
            (Codec::Pcmu, 0xef, 132),
            (Codec::Pcmu, 0x8f, 16_764),
        ];
        for (codec, code, linear) in rows {
            assert_eq!(decode_sample(codec, code), linear, "{codec:?} {code:#04x}");
        }
    }

    #[test]
    fn all_codes_survive_a_round_trip() {
        for codec in CODECS {
            for code in 0..=255 {
                let back = encode_sample(codec, decode_sample(codec, code));
                // µ-law has two zeros; the negative one comes back positive.
                let want = if codec == Codec::Pcmu && code == 0x7f { 0xff } else { code };
                assert_eq!(back, want, "{codec:?} {code:#04x}");
            }
        }
    }

    #[test]
    fn every_sample_comes_back_within_half_a_step_and_in_order() {
        for codec in CODECS {
            let mut before = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let code = encode_sample(codec, sample);
                let got = decode_sample(codec, code);
                assert!(got >= before, "{codec:?} {sample}: order is kept");
                before = got;
                let segment = u32::from(loudness(codec, code) >> 4);
                let (half_step, clip) = match codec {
                    Codec::Pcma => (8 << segment.saturating_sub(1), 32_767),
                    Codec::Pcmu => (4 << segment, 32_635),
                };
                // The coders see 13 and 14 bits of the 16.
                let cut = if codec == Codec::Pcma { 8 } else { 4 };
                let wanted = i32::from(sample).clamp(-clip, clip);
                assert!(
                    (i32::from(got) - wanted).abs() <= half_step + cut,
                    "{codec:?} {sample} became {got}"
                );
            }
        }
    }

    #[test]
    fn silence_is_the_least_loud() {
        for codec in CODECS {
            assert_eq!(loudness(codec, silence(codec)), 0);
            assert_eq!(loudness(codec, encode_sample(codec, i16::MAX)), 127);
            assert_eq!(loudness(codec, encode_sample(codec, i16::MIN)), 127);
        }
    }
}
