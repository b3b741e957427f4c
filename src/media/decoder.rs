//! What turns one leg's packets into frames: its codec's buffer, decoder and concealment.
//!
//! Which packets come here, and who hears the frames, is for the leg and the engine.

use super::codec::{Voice, WIDE_SAMPLES, WideFrame, g722, l16};
use super::comfort::Comfort;
use super::conceal::{Conceal, SEAM};
use super::g711::{self, Law};
use super::jitter::{FAINT_LINEAR, Jitter, Presence, Taken};
#[cfg(feature = "opus")]
use super::mixer::fade_out;
use super::order::{Codec, FRAME_SAMPLES};
use super::resample::Halver;
use super::rtp::PACKET_MAX;
#[cfg(feature = "opus")]
use super::slots::Slots;
use super::wire::Frame;
use crate::time::Instant;

/// See the file's own words.
pub(super) struct Decoder {
    codec: Codec,
    source: Source,
    /// What is heard while the peer says that it pauses.
    pub(super) comfort: Comfort,
    /// This tick's frame.
    pub(super) pcm: Quiet,
    /// The same at 16 kHz, where the codec has it.
    wide: Option<Box<WideFrame>>,
    /// Its codes, if the frame is whole as it came.
    codes: Option<[u8; FRAME_SAMPLES]>,
    /// Something is to be heard.
    pub(super) sounds: bool,
    /// The first sound goes on from what was heard before without a decoder.
    goes_on: bool,
    /// Packets that came too late and too early for the codecs before this one.
    missed: (u64, u64),
}

/// What each codec keeps of its packets. Only G.711, which most legs speak, is not behind a pointer.
#[expect(clippy::large_enum_variant, reason = "the decoder itself is behind one")]
enum Source {
    Law {
        law: Law,
        jitter: Jitter,
        conceal: Conceal,
    },
    L16(Box<Linear>),
    G722(Box<Wideband>),
    #[cfg(feature = "opus")]
    Opus(Box<Packets>),
    /// The codec is only passed on.
    Mute,
}

#[derive(Default)]
struct Linear {
    jitter: Jitter<i16>,
    conceal: Conceal,
}

#[derive(Default)]
struct Wideband {
    jitter: Jitter,
    codec: g722::Decoder,
    conceal: Conceal<WIDE_SAMPLES>,
    halver: Halver,
    /// The last frame could have been left out.
    faint: bool,
}

#[cfg(feature = "opus")]
struct Packets {
    slots: Slots,
    halver: Halver,
}

/// A frame that begins silent.
pub(super) struct Quiet(pub(super) Frame);

impl Default for Quiet {
    fn default() -> Self {
        Quiet([0; FRAME_SAMPLES])
    }
}

impl Source {
    fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Source::law(Law::A),
            Codec::Pcmu => Source::law(Law::Mu),
            Codec::L16 => Source::L16(Box::default()),
            Codec::G722 => Source::G722(Box::default()),
            #[cfg(feature = "opus")]
            Codec::Opus => match Slots::new() {
                Ok(slots) => Source::Opus(Box::new(Packets { slots, halver: Halver::default() })),
                Err(_) => Source::Mute, // No memory for it: the leg is silent, the house goes on.
            },
            #[cfg(not(feature = "opus"))]
            Codec::Opus => Source::Mute,
            Codec::G729 => Source::Mute,
        }
    }

    fn law(law: Law) -> Self {
        Source::Law { law, jitter: Jitter::default(), conceal: Conceal::default() }
    }
}

impl Decoder {
    /// A decoder of `codec` that has heard nothing.
    pub(super) fn new(codec: Codec) -> Self {
        let source = Source::new(codec);
        let is_wide = !matches!(source, Source::Law { .. } | Source::L16(_) | Source::Mute);
        Decoder {
            codec,
            source,
            comfort: Comfort::default(),
            pcm: Quiet::default(),
            wide: is_wide.then(|| Box::new([0; WIDE_SAMPLES])),
            codes: None,
            sounds: false,
            goes_on: false,
            missed: (0, 0),
        }
    }

    /// The codec was renegotiated. What is held of one law goes on in the other.
    pub(super) fn change(&mut self, codec: Codec) {
        if codec == self.codec {
            return;
        }
        match (&mut self.source, codec.law()) {
            (Source::Law { law, jitter, .. }, Some(after)) => {
                jitter.recode(*law, after);
                *law = after;
                self.codec = codec;
                self.codes = None;
            }
            _ => *self = Decoder { missed: self.misses(), ..Decoder::new(codec) },
        }
    }

    /// Takes a packet that arrived `now`, not a duplicate. `false`: nothing can be made of it.
    pub(super) fn put(&mut self, timestamp: u32, payload: &[u8], now: Instant) -> bool {
        match &mut self.source {
            Source::Law { jitter, .. } => jitter.put(timestamp, payload, now),
            Source::L16(linear) => {
                let mut samples = [0; PACKET_MAX / 2];
                let count = l16::decode(payload, &mut samples);
                linear.jitter.put(timestamp, &samples[..count], now);
            }
            Source::G722(wideband) => wideband.jitter.put(timestamp, payload, now),
            #[cfg(feature = "opus")]
            Source::Opus(packets) => return packets.slots.put(timestamp, payload, now),
            Source::Mute => return false,
        }
        true
    }

    /// The source says that it pauses from `timestamp` on.
    pub(super) fn rest(&mut self, timestamp: u32) {
        match &mut self.source {
            Source::Law { jitter, .. } => jitter.rest(timestamp),
            Source::L16(linear) => linear.jitter.rest(timestamp),
            Source::G722(wideband) => wideband.jitter.rest(timestamp),
            #[cfg(feature = "opus")]
            Source::Opus(packets) => packets.slots.rest(timestamp),
            Source::Mute => {}
        }
    }

    /// Forgets all sound and the source's clock: a new source begins.
    pub(super) fn reset(&mut self) {
        match &mut self.source {
            Source::Law { jitter, .. } => jitter.reset(),
            Source::L16(linear) => linear.jitter.reset(),
            Source::G722(wideband) => {
                wideband.jitter.reset();
                wideband.codec = g722::Decoder::default(); // Another source's coder begins at rest.
            }
            #[cfg(feature = "opus")]
            Source::Opus(packets) => packets.slots.reset(),
            Source::Mute => {}
        }
    }

    /// Nobody listens any more.
    pub(super) fn stop(&mut self) {
        self.reset();
        self.sounds = false;
        self.goes_on = false;
    }

    /// Its packets were passed on so far, and are decoded from the next on: what is heard goes on.
    pub(super) fn go_on(&mut self) {
        match &mut self.source {
            Source::Law { jitter, .. } => jitter.begin_at_once(),
            Source::L16(linear) => linear.jitter.begin_at_once(),
            // Their decoders have not heard what was before: they begin as with a new source.
            Source::G722(_) | Source::Mute => return,
            #[cfg(feature = "opus")]
            Source::Opus(_) => return,
        }
        self.goes_on = true;
    }

    /// Decodes the frame that is due.
    pub(super) fn step(&mut self, now: Instant) {
        let pcm = &mut self.pcm.0;
        let sounded = self.sounds;
        self.codes = None;
        let sounds = match &mut self.source {
            Source::Law { law, jitter, conceal } => {
                let mut codes = [0; FRAME_SAMPLES];
                let taken = jitter.take(*law, &mut codes, now);
                g711::decode(*law, &codes, pcm);
                let before = *pcm;
                if taken == Taken::Whole && std::mem::take(&mut self.goes_on) {
                    conceal.go_on();
                }
                mend(conceal, pcm, &taken, sounded);
                self.codes = (taken == Taken::Whole && before == *pcm).then_some(codes);
                taken != Taken::Quiet
            }
            Source::L16(linear) => {
                let is_faint = |sample: i16| sample.unsigned_abs() <= FAINT_LINEAR;
                let taken = linear.jitter.take_units(0, is_faint, pcm, now);
                if taken == Taken::Whole && std::mem::take(&mut self.goes_on) {
                    linear.conceal.go_on();
                }
                mend(&mut linear.conceal, pcm, &taken, sounded);
                taken != Taken::Quiet
            }
            Source::G722(wideband) => {
                let Some(wide) = &mut self.wide else { return };
                let sounds = wideband.step(wide, sounded, now);
                wideband.halver.halve(wide, pcm);
                sounds
            }
            #[cfg(feature = "opus")]
            Source::Opus(packets) => {
                let Some(wide) = &mut self.wide else { return };
                let sounds = packets.slots.take(wide, now);
                if !sounds {
                    wide.fill(0);
                }
                packets.halver.halve(wide, pcm);
                sounds
            }
            Source::Mute => false,
        };
        if sounds {
            self.comfort.sound_is_heard();
        }
        self.sounds = sounds || self.comfort.fill(pcm, now);
        if let Some(wide) = self.wide.as_mut().filter(|_| self.sounds && !sounds) {
            let (pairs, _) = wide.as_chunks_mut::<2>();
            pairs.iter_mut().zip(&*pcm).for_each(|(pair, sample)| pair.fill(*sample));
        }
    }

    /// What would be heard at 8 kHz if sound ended here.
    pub(super) fn tail(&self) -> [i16; SEAM] {
        let mut tail = [0; SEAM];
        match &self.source {
            Source::Law { conceal, .. } => conceal.end(&mut tail),
            Source::L16(linear) => linear.conceal.end(&mut tail),
            Source::G722(wideband) => {
                let mut wide = [0; 2 * SEAM];
                wideband.conceal.end(&mut wide);
                let (pairs, _) = wide.as_chunks::<2>();
                tail.iter_mut().zip(pairs).for_each(|(sample, pair)| *sample = pair[0]);
            }
            #[cfg(feature = "opus")]
            Source::Opus(_) => {
                tail = [self.pcm.0[FRAME_SAMPLES - 1]; SEAM];
                fade_out(&mut tail);
            }
            Source::Mute => {}
        }
        tail
    }

    /// This tick's frame, in all forms that it has.
    pub(super) fn voice(&self) -> Voice<'_> {
        Voice {
            narrow: &self.pcm.0,
            wide: self.wide.as_deref(),
            codes: self.codes.as_ref().map(|codes| (self.codec, codes)),
        }
    }

    /// The delay aimed at, in samples at 8 kHz.
    pub(super) fn target(&self) -> u32 {
        match &self.source {
            Source::Law { jitter, .. } => jitter.target(),
            Source::L16(linear) => linear.jitter.target(),
            Source::G722(wideband) => wideband.jitter.target(),
            #[cfg(feature = "opus")]
            Source::Opus(packets) => packets.slots.target(),
            Source::Mute => 0,
        }
    }

    /// Packets that came too late, and too early, to be heard.
    pub(super) fn misses(&self) -> (u64, u64) {
        let (late, early) = match &self.source {
            Source::Law { jitter, .. } => jitter.misses(),
            Source::L16(linear) => linear.jitter.misses(),
            Source::G722(wideband) => wideband.jitter.misses(),
            #[cfg(feature = "opus")]
            Source::Opus(packets) => packets.slots.misses(),
            Source::Mute => (0, 0),
        };
        (self.missed.0 + late, self.missed.1 + early)
    }
}

impl Wideband {
    fn step(&mut self, wide: &mut WideFrame, sounded: bool, now: Instant) -> bool {
        let mut codes = [0; FRAME_SAMPLES];
        let faint = self.faint;
        let taken = self.jitter.take_units(g722::SILENCE, |_| faint, &mut codes, now);
        match &taken {
            Taken::Whole => self.codec.decode(&codes, wide),
            // The coder's state waits through what is missing: the best guess at where the source's is.
            Taken::Part(present) => self.decode_part(&codes, present, wide),
            Taken::Hole | Taken::Quiet => {}
        }
        mend(&mut self.conceal, wide, &taken, sounded);
        self.faint = wide.iter().all(|sample| sample.unsigned_abs() <= FAINT_LINEAR);
        taken != Taken::Quiet
    }

    fn decode_part(&mut self, codes: &[u8; FRAME_SAMPLES], present: &Presence, wide: &mut WideFrame) {
        let (pairs, _) = wide.as_chunks_mut::<2>();
        for (n, (code, pair)) in codes.iter().zip(pairs).enumerate() {
            if present[n / 64] >> (n % 64) & 1 == 1 {
                self.codec.decode(std::slice::from_ref(code), pair);
            }
        }
    }
}

/// What is missing of a frame is made up.
/// `sounded`: the frame before it was heard.
fn mend<const N: usize>(conceal: &mut Conceal<N>, frame: &mut [i16; N], taken: &Taken, sounded: bool) {
    match taken {
        Taken::Whole => conceal.hear(frame),
        Taken::Part(present) => conceal.mend(frame, present),
        Taken::Hole => conceal.fill(frame),
        Taken::Quiet => {
            if !sounded {
                conceal.forget();
            }
            conceal.rest(frame);
        }
    }
}
