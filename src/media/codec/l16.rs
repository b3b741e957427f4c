//! L16 at 8 kHz: linear samples, big-endian (RFC 3551 §4.5.11).

/// Samples to bytes, as many as the shorter of the two holds; gives how many bytes.
pub fn encode(samples: &[i16], bytes: &mut [u8]) -> usize {
    let (pairs, _) = bytes.as_chunks_mut::<2>();
    let mut count = 0;
    for (pair, sample) in pairs.iter_mut().zip(samples) {
        *pair = sample.to_be_bytes();
        count += 2;
    }
    count
}

/// Bytes to samples, as many as the shorter of the two holds; gives how many. An odd byte is left out.
pub fn decode(bytes: &[u8], samples: &mut [i16]) -> usize {
    let (pairs, _) = bytes.as_chunks::<2>();
    let mut count = 0;
    for (sample, pair) in samples.iter_mut().zip(pairs) {
        *sample = i16::from_be_bytes(*pair);
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_travel_high_byte_first_and_come_back() {
        let samples = [0x0102, -2, i16::MIN, i16::MAX];
        let mut bytes = [0; 9];
        assert_eq!(encode(&samples, &mut bytes), 8);
        assert_eq!(bytes, [1, 2, 0xff, 0xfe, 0x80, 0, 0x7f, 0xff, 0]);
        let mut back = [0; 5];
        assert_eq!(decode(&bytes, &mut back), 4);
        assert_eq!(back[..4], samples);
    }
}
