//! Prompts, ready to be sent: encoded once per law when loaded, shared by all legs. Other codecs are
//! coded for each leg as they are played: a listener's decoder must follow its coder's state.
//!
//! Which prompt has which number is for the loader to remember; files are `io`'s.

use std::sync::Arc;

use super::g711::{self, Law};
use super::order::{Codec, SoundId};

/// One prompt in the three forms that are used.
#[derive(Debug)]
struct Sound {
    linear: Arc<[i16]>,
    pcma: Box<[u8]>,
    pcmu: Box<[u8]>,
}

/// All prompts. Cheap to clone. 4 bytes a sample: a minute takes 1.9 MB.
#[derive(Clone, Debug, Default)]
pub struct SoundBank {
    sounds: Arc<Vec<Arc<Sound>>>,
}

impl SoundBank {
    /// Encodes `sounds`, 8 kHz mono; the n-th gets `SoundId(n)`.
    pub fn new(sounds: impl IntoIterator<Item = Arc<[i16]>>) -> Self {
        SoundBank::default().with(sounds)
    }

    /// A bank with `sounds` after those that are here: earlier ids stay valid.
    pub fn with(&self, sounds: impl IntoIterator<Item = Arc<[i16]>>) -> Self {
        let mut all = Vec::clone(&self.sounds);
        all.extend(sounds.into_iter().map(|linear| {
            let encoded = |law| {
                let mut codes = vec![0; linear.len()].into_boxed_slice();
                g711::encode(law, &linear, &mut codes);
                codes
            };
            Arc::new(Sound { pcma: encoded(Law::A), pcmu: encoded(Law::Mu), linear })
        }));
        SoundBank { sounds: Arc::new(all) }
    }

    /// A bank with the sounds of `more` after those that are here.
    pub fn and(&self, more: &SoundBank) -> Self {
        SoundBank { sounds: Arc::new(self.sounds.iter().chain(more.sounds.iter()).cloned().collect()) }
    }

    /// A bank without these sounds: their ids stay, and mean silence of no length. Whoever plays one is through.
    pub fn without(&self, gone: &[SoundId]) -> Self {
        let nothing = Arc::new(Sound { linear: Arc::new([]), pcma: Box::new([]), pcmu: Box::new([]) });
        let mut all = Vec::clone(&self.sounds);
        for id in gone {
            if let Some(sound) = all.get_mut(id.0 as usize) {
                *sound = nothing.clone();
            }
        }
        SoundBank { sounds: Arc::new(all) }
    }

    /// How many sounds there are: the next one's id.
    pub fn len(&self) -> usize {
        self.sounds.len()
    }

    /// Whether there is no sound.
    pub fn is_empty(&self) -> bool {
        self.sounds.is_empty()
    }

    /// A sound as codes; empty for an id that is not here.
    pub fn codes(&self, sound: SoundId, codec: Codec) -> &[u8] {
        match (self.sounds.get(sound.0 as usize), codec) {
            (None, _) => &[],
            (Some(sound), Codec::Pcma) => &sound.pcma,
            (Some(sound), Codec::Pcmu) => &sound.pcmu,
            (Some(_), _) => &[],
        }
    }

    /// A sound as linear samples; empty for an id that is not here.
    pub fn linear(&self, sound: SoundId) -> &[i16] {
        self.sounds.get(sound.0 as usize).map_or(&[], |sound| &sound.linear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_bank_keeps_the_ids_of_the_smaller_one() {
        let first = SoundBank::new([Arc::from([1_000_i16, -1_000])]);
        let more = first.with([Arc::from([7_i16; 3])]);
        assert_eq!((first.len(), more.len()), (1, 2));
        assert_eq!(more.linear(SoundId(0)), [1_000, -1_000]);
        assert_eq!(
            more.codes(SoundId(0), Codec::Pcma),
            [g711::encode_sample(Law::A, 1_000), g711::encode_sample(Law::A, -1_000)]
        );
        assert_eq!(more.codes(SoundId(1), Codec::Pcmu).len(), 3);
        assert!(more.codes(SoundId(2), Codec::Pcmu).is_empty());
        let both = first.and(&SoundBank::new([Arc::from([8_i16; 2])]));
        assert_eq!(
            (both.linear(SoundId(0)), both.linear(SoundId(1))),
            (first.linear(SoundId(0)), &[8, 8][..])
        );
        let less = both.without(&[SoundId(0), SoundId(9)]);
        assert_eq!((less.len(), less.linear(SoundId(0)), less.linear(SoundId(1))), (2, &[][..], &[8, 8][..]));
    }
}
