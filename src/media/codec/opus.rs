//! Opus by the system's libopus: mono, 16 kHz on our side (RFC 6716, RFC 7587).
//!
//! A packet says itself how long it is; a lost one is made up by the decoder, from the copy that the
//! next packet may carry (in-band FEC) or from what came before.

use opus::{Application, Bitrate, Channels, Repacketizer};

/// Our side's rate, hertz.
const RATE: u32 = 16_000;
/// Longest payload (RFC 6716 §3.2: a frame has at most 1,275 bytes; longer ones are no telephone's).
pub const PACKET_BYTES_MAX: usize = 1_275;
/// Longest sound of a packet, samples at 16 kHz: 120 ms (RFC 6716 §3.2).
pub const SAMPLES_MAX: usize = 1_920;
/// The shortest, and the step of all lengths: 2.5 ms.
pub const STEP: usize = 40;
/// Bits a second: wideband speech (RFC 7587 §3.1.1) and the copies for lost packets.
const BITRATE: i32 = 28_000;
/// What loss the copies are made for, percent.
const LOSS: i32 = 10;
/// Of 0..=10: beyond it costs grow, quality at this rate hardly.
const COMPLEXITY: i32 = 5;
/// Samples of 10 ms.
const TEN: usize = 160;
/// Frames that one packet of ours joins, at most.
const FRAMES_MAX: usize = 5;

/// Why no coder could be had: libopus said so.
#[derive(Debug, thiserror::Error)]
#[error("libopus: {0}")]
pub struct OpusError(#[from] opus::Error);

/// From packets to sound.
#[derive(Debug)]
pub struct Decoder(opus::Decoder);

impl Decoder {
    /// A stream's decoder; libopus allocates here and never again.
    pub fn new() -> Result<Self, OpusError> {
        Ok(Decoder(opus::Decoder::new(RATE, Channels::Mono)?))
    }

    /// How many samples at 16 kHz a packet holds; `None` for what is no Opus packet.
    pub fn samples(packet: &[u8]) -> Option<usize> {
        if packet.is_empty() || packet.len() > PACKET_BYTES_MAX {
            return None;
        }
        opus::packet::get_nb_samples(packet, RATE).ok().filter(|count| (1..=SAMPLES_MAX).contains(count))
    }

    /// A packet's sound into `samples`, which have room for it; gives how many. 0: it was none.
    pub fn decode(&mut self, packet: &[u8], samples: &mut [i16]) -> usize {
        self.0.decode(packet, samples, false).unwrap_or(0)
    }

    /// The sound that was lost just before `packet`, as long as `samples`, a multiple of [`STEP`].
    pub fn recover(&mut self, packet: &[u8], samples: &mut [i16]) {
        if self.0.decode(packet, samples, true).is_err() {
            samples.fill(0);
        }
    }

    /// Sound that is lost, as long as `samples`, a multiple of [`STEP`].
    pub fn make_up(&mut self, samples: &mut [i16]) {
        if self.0.decode(&[], samples, false).is_err() {
            samples.fill(0);
        }
    }

    /// Another stream begins.
    pub fn reset(&mut self) {
        let _ = self.0.reset_state(); // Of a decoder that is there it cannot fail.
    }
}

/// From sound to packets.
#[derive(Debug)]
pub struct Encoder {
    codec: opus::Encoder,
    joiner: Repacketizer,
}

impl Encoder {
    /// A stream's encoder, set for telephony; libopus allocates here and never again.
    pub fn new() -> Result<Self, OpusError> {
        let mut codec = opus::Encoder::new(RATE, Channels::Mono, Application::Voip)?;
        codec.set_bitrate(Bitrate::Bits(BITRATE))?;
        codec.set_complexity(COMPLEXITY)?;
        codec.set_inband_fec(true)?;
        codec.set_packet_loss_perc(LOSS)?;
        Ok(Encoder { codec, joiner: Repacketizer::new()? })
    }

    /// One packet of 10 to 60 ms in steps of 10, at 16 kHz; gives its bytes, 0 where none can be had.
    pub fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        let room = payload.len().min(PACKET_BYTES_MAX);
        let payload = &mut payload[..room];
        match samples.len() / TEN {
            // Lengths that no frame has: several of 10 ms in one packet (RFC 6716 §3.2.5).
            count @ (3 | 5) => self.join(&samples[..count * TEN], payload),
            _ => self.codec.encode(samples, payload).unwrap_or(0),
        }
    }

    fn join(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        let mut frames = [[0; PACKET_BYTES_MAX / FRAMES_MAX]; FRAMES_MAX];
        let mut parts: [&[u8]; FRAMES_MAX] = [&[]; FRAMES_MAX];
        let mut count = 0;
        for ((samples, frame), part) in samples.chunks_exact(TEN).zip(&mut frames).zip(&mut parts) {
            let length = self.codec.encode(samples, frame).unwrap_or(0);
            *part = &frame[..length];
            count += 1;
        }
        self.joiner.combine(&parts[..count], payload).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(samples: usize) -> Vec<i16> {
        (0..samples).map(|n| (8_000.0 * (n as f64 * 0.4).sin()) as i16).collect()
    }

    #[test]
    fn packets_of_each_length_say_how_long_they_are_and_give_that_much_sound() {
        for ms in [10, 20, 30, 40, 50, 60] {
            let (mut encoder, mut decoder) = (Encoder::new().unwrap(), Decoder::new().unwrap());
            let sound = tone(ms * 16 * 20);
            let mut heard = vec![];
            for part in sound.chunks_exact(ms * 16) {
                let mut payload = [0; PACKET_BYTES_MAX];
                let length = encoder.encode(part, &mut payload);
                assert_eq!(Decoder::samples(&payload[..length]), Some(ms * 16), "{ms} ms");
                let mut samples = [0; SAMPLES_MAX];
                assert_eq!(decoder.decode(&payload[..length], &mut samples), ms * 16, "{ms} ms");
                heard.extend(&samples[..ms * 16]);
            }
            let energy = |sound: &[i16]| sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
            let ratio = energy(&heard[heard.len() / 2..]) / energy(&sound[sound.len() / 2..]);
            assert!((0.8..1.25).contains(&ratio), "{ms} ms: {ratio}");
        }
    }

    #[test]
    fn what_is_no_packet_is_told_and_gives_nothing() {
        assert_eq!(Decoder::samples(&[]), None);
        assert_eq!(Decoder::samples(&[0xff]), None, "code 3 without its count");
        assert_eq!(Decoder::samples(&[0x0b, 0x3f]), None, "63 frames of 20 ms");
        assert_eq!(Decoder::samples(&[0; PACKET_BYTES_MAX + 1]), None);
        let mut samples = [7; 320];
        assert_eq!(Decoder::new().unwrap().decode(&[0xff], &mut samples), 0);
    }
}
