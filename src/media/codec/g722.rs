//! G.722 at 64 kbit/s: 16 kHz sound, a byte for each two samples.
//!
//! RTP's clock counts bytes, 8,000 a second, though the sound has twice as many samples (RFC 3551
//! §4.5.2). Both coders have a state that follows the sound: a stream's bytes are decoded in order.

use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};

/// The least step up in both bands: a decoder at rest makes exact zeros of it, any other soon does.
pub const SILENCE: u8 = 0xfd;

/// From bytes to sound.
pub struct Decoder(G722Decoder);

impl Default for Decoder {
    fn default() -> Self {
        // The library's scale factors begin at 0 and are what G.722 resets them to after one code. From
        // here on it is to the bit where any decoder is that has heard this code first.
        let mut decoder = Decoder(G722Decoder::new());
        decoder.decode(&[SILENCE], &mut [0; 2]);
        decoder
    }
}

impl Decoder {
    /// Two samples for each byte; what is beyond the shorter of both is left alone.
    pub fn decode(&mut self, codes: &[u8], samples: &mut [i16]) {
        let codes = &codes[..codes.len().min(samples.len() / 2)];
        let _ = self.0.decode_into(codes, samples); // It fails for want of room only.
    }
}

/// From sound to bytes.
pub struct Encoder(G722Encoder);

impl Default for Encoder {
    fn default() -> Self {
        // As for the decoder; in the upper band a step of one is left in the memory, which fades.
        let mut encoder = Encoder(G722Encoder::new());
        encoder.encode(&[0; 2], &mut [0]);
        encoder
    }
}

impl Encoder {
    /// A byte for each two samples; what is beyond the shorter of both is left alone.
    pub fn encode(&mut self, samples: &[i16], codes: &mut [u8]) {
        let samples = &samples[..(samples.len() & !1).min(codes.len() * 2)];
        let _ = self.0.encode_into(samples, codes); // It fails for want of room only.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_exact_at_rest_and_comes_to_rest_after_any_sound() {
        let mut samples = [1; 320];
        Decoder::default().decode(&[SILENCE; 160], &mut samples);
        assert_eq!(samples, [0; 320]);
        let loud: Vec<i16> = (0..3_200).map(|n| (20_000.0 * (n as f64 * 1.7).sin()) as i16).collect();
        let mut codes = [0; 1_600];
        Encoder::default().encode(&loud, &mut codes);
        let mut decoder = Decoder::default();
        decoder.decode(&codes, &mut [0; 3_200]);
        decoder.decode(&[SILENCE; 160], &mut samples);
        let last = samples[280..].iter().map(|sample| sample.unsigned_abs()).max();
        assert!(last < Some(100), "20 ms later: {last:?}");
    }

    #[test]
    fn lengths_that_do_not_match_cost_what_is_too_much() {
        let mut codes = [0; 3];
        Encoder::default().encode(&[100; 5], &mut codes);
        assert_eq!(codes[2], 0, "an odd sample is left out");
        let mut samples = [0; 3];
        Decoder::default().decode(&codes, &mut samples);
        assert_eq!(samples[2], 0);
    }
}
