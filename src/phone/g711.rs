//! A-law and µ-law (ITU-T G.711), by tables of this room's own.
//!
//! The engine has others; that the two agree is what the tests of the whole are for.

/// A codec of this phone, 8 kHz mono, one byte a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// A-law, payload type 8.
    Pcma,
    /// µ-law, payload type 0.
    Pcmu,
}

const fn alaw_value(byte: u8) -> i16 {
    let bits = byte ^ 0x55;
    let segment = (bits >> 4) & 7;
    let step = ((bits & 15) as i32) << 4;
    let size = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    if bits & 0x80 != 0 { size as i16 } else { -size as i16 }
}

const fn ulaw_value(byte: u8) -> i16 {
    let bits = !byte;
    let segment = (bits >> 4) & 7;
    let size = (((((bits & 15) as i32) << 3) + 0x84) << segment) - 0x84;
    if bits & 0x80 != 0 { -size as i16 } else { size as i16 }
}

const fn table(alaw: bool) -> [i16; 256] {
    let mut values = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        values[byte] = if alaw { alaw_value(byte as u8) } else { ulaw_value(byte as u8) };
        byte += 1;
    }
    values
}

static ALAW: [i16; 256] = table(true);
static ULAW: [i16; 256] = table(false);

fn alaw_byte(sample: i16) -> u8 {
    let sign = if sample >= 0 { 0x80 } else { 0 };
    // One's complement, so that -32768 has a size and -1 falls beside 0.
    let size = if sample >= 0 { sample as u16 } else { !sample as u16 };
    let segment = (u16::BITS - (size >> 8).leading_zeros()) as u8;
    let step = if segment == 0 { size >> 4 } else { size >> (segment + 3) } as u8 & 15;
    (sign | segment << 4 | step) ^ 0x55
}

fn ulaw_byte(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let size = (sample.unsigned_abs().min(32635)) + 0x84;
    let segment = (u16::BITS - 1 - (size >> 7).leading_zeros()) as u8;
    let step = (size >> (segment + 3)) as u8 & 15;
    !(sign | segment << 4 | step)
}

impl Codec {
    /// The static RTP payload type (RFC 3551 §6).
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcma => 8,
            Codec::Pcmu => 0,
        }
    }

    /// The name in `a=rtpmap`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcma => "PCMA",
            Codec::Pcmu => "PCMU",
        }
    }

    /// The codec of a static payload type.
    pub fn of_payload_type(payload_type: u8) -> Option<Self> {
        [Codec::Pcma, Codec::Pcmu].into_iter().find(|codec| codec.payload_type() == payload_type)
    }

    /// The byte nearest to a 16-bit sample.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Codec::Pcma => alaw_byte(sample),
            Codec::Pcmu => ulaw_byte(sample),
        }
    }

    /// The 16-bit value of a byte.
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Codec::Pcma => ALAW[usize::from(byte)],
            Codec::Pcmu => ULAW[usize::from(byte)],
        }
    }

    /// `samples` as the other side will hear them.
    pub fn round_trip(self, samples: &[i16]) -> Vec<i16> {
        samples.iter().map(|sample| self.decode(self.encode(*sample))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points_of_both_laws() {
        // From the tables of G.711, scaled to 16 bits.
        for (codec, sample, byte) in [
            (Codec::Pcma, 0, 0xd5),
            (Codec::Pcma, -1, 0x55),
            (Codec::Pcma, 32767, 0xaa),
            (Codec::Pcma, -32768, 0x2a),
            (Codec::Pcmu, 0, 0xff),
            (Codec::Pcmu, 32767, 0x80),
            (Codec::Pcmu, -32768, 0x00),
        ] {
            assert_eq!(codec.encode(sample), byte, "{codec:?} {sample}");
        }
        assert_eq!((Codec::Pcma.decode(0xd5), Codec::Pcma.decode(0x55)), (8, -8));
        assert_eq!((Codec::Pcma.decode(0xaa), Codec::Pcmu.decode(0x80)), (32256, 32124));
        assert_eq!((Codec::Pcmu.decode(0xff), Codec::Pcmu.decode(0x7f)), (0, 0));
    }

    #[test]
    fn every_byte_survives_a_round_trip() {
        for byte in 0..=255u8 {
            assert_eq!(Codec::Pcma.encode(Codec::Pcma.decode(byte)), byte);
            if byte != 0x7f {
                // µ-law's minus zero becomes zero.
                assert_eq!(Codec::Pcmu.encode(Codec::Pcmu.decode(byte)), byte);
            }
        }
    }

    #[test]
    fn every_sample_goes_to_the_nearest_step() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for sample in i16::MIN..=i16::MAX {
                let error = (i32::from(codec.decode(codec.encode(sample))) - i32::from(sample)).abs();
                let allowed = (i32::from(sample).abs() / 28).max(8)
                    + if sample.unsigned_abs() > 32000 { 700 } else { 8 };
                assert!(error <= allowed, "{codec:?} {sample}: off by {error}");
            }
        }
    }
}
