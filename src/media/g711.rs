//! ITU-T G.711 A-law and µ-law, by tables made at compile time.
//!
//! Linear samples are 16 bit, left-justified: A-law carries 13 of them, µ-law 14.

/// The two laws of G.711.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Law {
    /// A-law.
    A,
    /// µ-law.
    Mu,
}

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
pub fn decode_sample(law: Law, code: u8) -> i16 {
    match law {
        Law::A => ALAW_TO_LINEAR[usize::from(code)],
        Law::Mu => ULAW_TO_LINEAR[usize::from(code)],
    }
}

/// One linear sample to its code.
pub fn encode_sample(law: Law, sample: i16) -> u8 {
    match law {
        Law::A => LINEAR_TO_ALAW[usize::from(sample as u16 >> 3)],
        Law::Mu => LINEAR_TO_ULAW[usize::from(sample as u16 >> 2)],
    }
}

/// Codes to linear, as many as the shorter of the two holds.
pub fn decode(law: Law, codes: &[u8], samples: &mut [i16]) {
    let table = match law {
        Law::A => &ALAW_TO_LINEAR,
        Law::Mu => &ULAW_TO_LINEAR,
    };
    for (sample, code) in samples.iter_mut().zip(codes) {
        *sample = table[usize::from(*code)];
    }
}

/// Linear to codes, as many as the shorter of the two holds.
pub fn encode(law: Law, samples: &[i16], codes: &mut [u8]) {
    match law {
        Law::A => {
            for (code, sample) in codes.iter_mut().zip(samples) {
                *code = LINEAR_TO_ALAW[usize::from(*sample as u16 >> 3)];
            }
        }
        Law::Mu => {
            for (code, sample) in codes.iter_mut().zip(samples) {
                *code = LINEAR_TO_ULAW[usize::from(*sample as u16 >> 2)];
            }
        }
    }
}

/// Codes of one law into those of the other.
pub fn recode(from: Law, to: Law, codes: &mut [u8]) {
    if from != to {
        for code in codes {
            *code = encode_sample(to, decode_sample(from, *code));
        }
    }
}

/// The code of silence.
pub fn silence(law: Law) -> u8 {
    match law {
        Law::A => 0xd5,
        Law::Mu => 0xff,
    }
}

/// How loud a code is, 0..=127 on the law's own logarithmic scale: 16 steps are 6 dB.
pub fn loudness(law: Law, code: u8) -> u8 {
    match law {
        Law::A => (code ^ 0x55) & 0x7f,
        Law::Mu => !code & 0x7f,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [Law; 2] = [Law::A, Law::Mu];

    #[test]
    fn known_values_of_the_recommendation_decode() {
        // (code, linear at 16 bits): the ends, the middle and the segment borders of G.711.
        let rows = [
            (Law::A, 0xd5, 8),
            (Law::A, 0x55, -8),
            (Law::A, 0xaa, 32_256),
            (Law::A, 0x2a, -32_256),
            (Law::A, 0x80, 5_504),
            (Law::A, 0xc5, 264),
            (Law::A, 0xf5, 528),
            (Law::Mu, 0xff, 0),
            (Law::Mu, 0x7f, 0),
            (Law::Mu, 0x80, 32_124),
            (Law::Mu, 0x00, -32_124),
            (Law::Mu, 0xfe, 8),
            (Law::Mu, 0xef, 132),
            (Law::Mu, 0x8f, 16_764),
        ];
        for (law, code, linear) in rows {
            assert_eq!(decode_sample(law, code), linear, "{law:?} {code:#04x}");
        }
    }

    #[test]
    fn all_codes_survive_a_round_trip() {
        for law in LAWS {
            for code in 0..=255 {
                let back = encode_sample(law, decode_sample(law, code));
                // µ-law has two zeros; the negative one comes back positive.
                let want = if law == Law::Mu && code == 0x7f { 0xff } else { code };
                assert_eq!(back, want, "{law:?} {code:#04x}");
            }
        }
    }

    #[test]
    fn every_sample_comes_back_within_half_a_step_and_in_order() {
        for law in LAWS {
            let mut before = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let code = encode_sample(law, sample);
                let got = decode_sample(law, code);
                assert!(got >= before, "{law:?} {sample}: order is kept");
                before = got;
                let segment = u32::from(loudness(law, code) >> 4);
                let (half_step, clip) = match law {
                    Law::A => (8 << segment.saturating_sub(1), 32_767),
                    Law::Mu => (4 << segment, 32_635),
                };
                // The coders see 13 and 14 bits of the 16.
                let cut = if law == Law::A { 8 } else { 4 };
                let wanted = i32::from(sample).clamp(-clip, clip);
                assert!((i32::from(got) - wanted).abs() <= half_step + cut, "{law:?} {sample} became {got}");
            }
        }
    }

    #[test]
    fn silence_is_the_least_loud() {
        for law in LAWS {
            assert_eq!(loudness(law, silence(law)), 0);
            assert_eq!(loudness(law, encode_sample(law, i16::MAX)), 127);
            assert_eq!(loudness(law, encode_sample(law, i16::MIN)), 127);
        }
    }
}
