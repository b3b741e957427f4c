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

/// G.722 of sound from anywhere. The peer's decoder follows our coder's state: wherever the codes'
/// state changes hands, a frame of silence brings both to rest first.
#[derive(Default)]
pub(super) struct Wideband {
    codec: g722::Encoder,
    doubler: Doubler,
    said: Said,
}

/// Whose state the peer's decoder is in.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Said {
    /// Nobody's: at rest.
    #[default]
    Nothing,
    /// Our coder's.
    Live,
    /// A prompt's, coded when it was loaded.
    Prompt,
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
            Codec::Opus => {
                Encoder::Opus(Box::new(Opus { codec: opus::Encoder::new().ok(), doubler: Doubler::default() }))
            }
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
                if wideband.said == Said::Prompt {
                    wideband.settle();
                    codes.fill(g722::SILENCE);
                    return codes.len();
                }
                wideband.said = Said::Live;
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

    /// Codes of a prompt, made when it was loaded, may follow: `begins` tells that they are its first.
    /// If not, a frame of silence goes first.
    pub(super) fn takes_prompt(&mut self, begins: bool) -> bool {
        let Encoder::G722(wideband) = self else { return true };
        let at_rest = match wideband.said {
            Said::Nothing => true,
            Said::Live => false,
            Said::Prompt => !begins,
        };
        if at_rest {
            wideband.said = Said::Prompt;
        } else {
            wideband.settle();
        }
        at_rest
    }
}

impl Wideband {
    fn settle(&mut self) {
        *self = Wideband::default();
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
