//! Codecs beside G.711: what turns their packets into sound and back, one leg's state each.
//!
//! Sound inside the house is linear, 20 ms a frame: narrow (8 kHz) everywhere, and wide (16 kHz)
//! beside it from a leg whose codec has it, so that two such legs hear one another undiminished.
//! When a frame is due is for [`super::jitter`] and [`super::slots`] to say.

pub mod g722;
pub mod l16;
#[cfg(feature = "opus")]
pub mod opus;

use super::order::{Codec, FRAME_SAMPLES};
use super::wire::Frame;

/// Samples of one 20 ms frame at 16 kHz.
pub const WIDE_SAMPLES: usize = 2 * FRAME_SAMPLES;

/// One 20 ms frame of linear sound at 16 kHz.
pub type WideFrame = [i16; WIDE_SAMPLES];

/// Bytes of a frame at 8 kHz, linear; one at 16 kHz, which Opus is made of, has twice as many.
pub const FRAME_BYTES_MAX: usize = 2 * FRAME_SAMPLES;

/// What a leg says in one tick, borrowed from where it was decoded, mixed or read.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    /// At 8 kHz.
    pub narrow: &'a Frame,
    /// At 16 kHz, where the source has it: the same sound, not filtered to 8 kHz and back.
    pub wide: Option<&'a WideFrame>,
    /// Its G.711 codes as they came, where the frame came whole.
    pub codes: Option<(Codec, &'a [u8; FRAME_SAMPLES])>,
}

impl<'a> Voice<'a> {
    /// Sound that is there at 8 kHz only.
    pub fn narrow(narrow: &'a Frame) -> Self {
        Voice { narrow, wide: None, codes: None }
    }
}

impl Codec {
    /// Whether sound can be had from its packets and put into them; if not, they are only passed on.
    pub fn is_decodable(self) -> bool {
        match self {
            Codec::Pcma | Codec::Pcmu | Codec::G722 | Codec::L16 => true,
            Codec::Opus => cfg!(feature = "opus"),
            Codec::G729 => false,
        }
    }

    /// Bytes of a payload for each unit of RTP's clock; `None`: packets are not laid out by the clock.
    pub fn unit_bytes(self) -> Option<usize> {
        match self {
            Codec::Pcma | Codec::Pcmu | Codec::G722 => Some(1),
            Codec::L16 => Some(2),
            Codec::Opus | Codec::G729 => None,
        }
    }
}
