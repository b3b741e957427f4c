//! What makes a leg's payloads of sound, for codecs that have a state or another length than G.711.
//!
//! Which sound, and when, is the leg's.

#[cfg(feature = "opus")]
use super::codec::opus;
use super::codec::{FRAME_BYTES_MAX, Voice, WIDE_SAMPLES, WideFrame, g722, l16};
use super::order::Codec;
use super::resample::Doubler;

/// One leg's state.
pub(super) enum Encoder {
    /// Linear, as it is.
    L16,
    G722(Box<Wideband>),
    #[cfg(feature = "opus")]
    Opus(Box<Opus>),
    /// Nothing can be made: the codec is only passed on.
    Mute,
}

/// Relayed codes remembered, 0.6 s: enough that coders of the same sound come to one state.
const RELAYED_MAX: usize = 4_800;

/// G.722 of sound from anywhere. The peer's decoder follows its coder's state; one that meets codes of
/// another state screams. So our coder goes on from sound to sound, and where packets of another
/// coder went out in between it first hears what they said.
pub(super) struct Wideband {
    codec: g722::Encoder,
    doubler: Doubler,
    /// The last codes that were passed on as they came, a ring.
    relayed: Box<[u8; RELAYED_MAX]>,
    /// So many since we coded last.
    passed: usize,
}

impl Default for Wideband {
    fn default() -> Self {
        Wideband {
            codec: g722::Encoder::default(),
            doubler: Doubler::default(),
            relayed: Box::new([0; RELAYED_MAX]),
            passed: 0,
        }
    }
}

#[cfg(feature = "opus")]
#[derive(Default)]
pub(super) struct Opus {
    codec: Option<opus::Encoder>,
    doubler: Doubler,
}

impl Encoder {
    /// The one for `codec`, which is not G.711.
    pub(super) fn new(codec: Codec) -> Self {
        match codec {
            Codec::L16 => Encoder::L16,
            Codec::G722 => Encoder::G722(Box::default()),
            #[cfg(feature = "opus")]
            Codec::Opus => Encoder::Opus(Box::new(Opus {
                codec: opus::Encoder::new().ok(),
                doubler: Doubler::default(),
            })),
            #[cfg(not(feature = "opus"))]
            Codec::Opus => Encoder::Mute,
            Codec::Pcma | Codec::Pcmu | Codec::G729 => Encoder::Mute,
        }
    }

    /// One frame as the bytes that are gathered to packets: codes, but for Opus 16 kHz sound. 0: none.
    pub(super) fn frame(&mut self, voice: &Voice<'_>, bytes: &mut [u8; 2 * FRAME_BYTES_MAX]) -> usize {
        match self {
            Encoder::L16 => l16::encode(voice.narrow, bytes),
            Encoder::G722(wideband) => {
                let codes = &mut bytes[..WIDE_SAMPLES / 2];
                if wideband.passed > 0 {
                    wideband.catch_up();
                }
                let mut doubled = [0; WIDE_SAMPLES];
                wideband.codec.encode(wide(voice, &mut wideband.doubler, &mut doubled), codes);
                codes.len()
            }
            #[cfg(feature = "opus")]
            Encoder::Opus(opus) => {
                let mut doubled = [0; WIDE_SAMPLES];
                l16::encode(wide(voice, &mut opus.doubler, &mut doubled), bytes)
            }
            Encoder::Mute => 0,
        }
    }

    /// What was gathered as the payload of one packet; `None` where it is one already.
    #[cfg(feature = "opus")]
    pub(super) fn packet(&mut self, gathered: &[u8], payload: &mut [u8]) -> Option<usize> {
        let Encoder::Opus(opus) = self else { return None };
        let mut sound = [0; 3 * WIDE_SAMPLES];
        let count = l16::decode(gathered, &mut sound);
        let codec = opus.codec.as_mut();
        Some(codec.map_or(0, |codec| codec.encode(&sound[..count], payload)))
    }

    /// See above: no packet is made of gathered sound here.
    #[cfg(not(feature = "opus"))]
    pub(super) fn packet(&mut self, _: &[u8], _: &mut [u8]) -> Option<usize> {
        None
    }

    /// A packet of somebody else's went out in place of ours.
    pub(super) fn note_relayed(&mut self, payload: &[u8]) {
        let Encoder::G722(wideband) = self else { return };
        for code in payload {
            wideband.relayed[wideband.passed % RELAYED_MAX] = *code;
            wideband.passed += 1;
        }
    }
}

impl Wideband {
    /// Hears what was passed on, so that our coder is where the peer's decoder is.
    fn catch_up(&mut self) {
        let (mut decoder, mut codec) = (g722::Decoder::default(), g722::Encoder::default());
        let begin = self.passed.saturating_sub(RELAYED_MAX);
        for n in begin..self.passed {
            let mut pair = [0; 2];
            decoder.decode(&[self.relayed[n % RELAYED_MAX]], &mut pair);
            codec.encode(&pair, &mut [0]);
        }
        (self.codec, self.passed) = (codec, 0);
    }
}

/// A voice at 16 kHz.
fn wide<'a>(voice: &Voice<'a>, doubler: &mut Doubler, doubled: &'a mut WideFrame) -> &'a WideFrame {
    match voice.wide {
        Some(wide) => wide,
        None => {
            doubler.double(voice.narrow, doubled);
            doubled
        }
    }
}
