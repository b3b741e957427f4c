//! Plays sounds from the bank, gapless, one frame per tick.

use std::sync::Arc;

use super::bank::SoundBank;
use super::g711;
use super::order::{Codec, FRAME_SAMPLES, SoundId};
use super::wire::Frame;

/// Where one leg is in its list of sounds.
#[derive(Debug)]
pub struct Player {
    sounds: Arc<[SoundId]>,
    repeat: bool,
    mark: u32,
    index: usize,
    offset: usize,
}

impl Player {
    /// Plays `sounds` from the beginning; `mark` is told when they are through.
    pub fn new(sounds: Arc<[SoundId]>, repeat: bool, mark: u32) -> Self {
        Player { sounds, repeat, mark, index: 0, offset: 0 }
    }

    /// The next 20 ms as codes, and as linear sound where wanted; the last frame is filled with
    /// silence. `false`: nothing is left and nothing was written.
    pub fn frame(
        &mut self,
        bank: &SoundBank,
        codec: Codec,
        codes: &mut [u8; FRAME_SAMPLES],
        mut linear: Option<&mut Frame>,
    ) -> bool {
        let filled = self.walk(|sound, offset, place| {
            let rest = bank.codes(sound, codec).get(offset..).unwrap_or(&[]);
            let count = rest.len().min(FRAME_SAMPLES - place);
            codes[place..place + count].copy_from_slice(&rest[..count]);
            if let Some(linear) = &mut linear {
                let rest = bank.linear(sound).get(offset..).unwrap_or(&[]);
                linear[place..place + count].copy_from_slice(&rest[..count]);
            }
            (count, rest.len())
        });
        if filled == 0 {
            return false;
        }
        codes[filled..].fill(codec.law().map_or(0, g711::silence));
        if let Some(linear) = linear {
            linear[filled..].fill(0);
        }
        true
    }

    /// The next 20 ms as linear sound alone; otherwise as [`Player::frame`].
    pub fn linear_frame(&mut self, bank: &SoundBank, linear: &mut Frame) -> bool {
        let filled = self.walk(|sound, offset, place| {
            let rest = bank.linear(sound).get(offset..).unwrap_or(&[]);
            let count = rest.len().min(FRAME_SAMPLES - place);
            linear[place..place + count].copy_from_slice(&rest[..count]);
            (count, rest.len())
        });
        linear[filled..].fill(0);
        filled > 0
    }

    /// Goes on by up to a frame. `copy` takes a sound, where in it, and where in the frame; gives how
    /// much it took and how much there was.
    fn walk(&mut self, mut copy: impl FnMut(SoundId, usize, usize) -> (usize, usize)) -> usize {
        let mut filled = 0;
        // Unknown and empty sounds give nothing: a list of them alone must come to an end.
        let mut steps = self.sounds.len() + 1;
        while filled < FRAME_SAMPLES {
            let Some(sound) = self.sounds.get(self.index).copied() else {
                if !self.repeat || steps == 0 {
                    break;
                }
                self.index = 0;
                steps = steps.saturating_sub(1);
                continue;
            };
            let (count, rest) = copy(sound, self.offset, filled);
            filled += count;
            self.offset += count;
            if count == rest {
                self.index += 1;
                self.offset = 0;
                steps = steps.saturating_sub(usize::from(count == 0));
            }
            if steps == 0 {
                break;
            }
        }
        filled
    }

    /// The mark, where it will ever be told.
    pub fn mark(&self) -> Option<u32> {
        (!self.repeat).then_some(self.mark)
    }

    /// The mark to be told, once nothing is left to play.
    pub fn through(&self) -> Option<u32> {
        (!self.repeat && self.index >= self.sounds.len()).then_some(self.mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_that_is_taken_out_while_it_is_played_is_through() {
        let (whole, mut codes) = (bank(), [0; FRAME_SAMPLES]);
        let mut player = Player::new(Arc::new([SoundId(1)]), false, 7);
        let mut linear = [0; FRAME_SAMPLES];
        assert!(player.frame(&whole, Codec::Pcma, &mut codes, Some(&mut linear)));
        let without = whole.without(&[SoundId(1)]);
        assert!(!player.frame(&without, Codec::Pcma, &mut codes, Some(&mut linear)));
        assert_eq!(player.through(), Some(7));
    }

    fn bank() -> SoundBank {
        SoundBank::new([Arc::from([1_000_i16; 100]), Arc::from([2_000_i16; 300]), Arc::from([0_i16; 0])])
    }

    fn play(sounds: &[u32], repeat: bool, frames: usize) -> (Vec<i16>, Option<u32>) {
        let sounds = sounds.iter().map(|n| SoundId(*n)).collect();
        let mut player = Player::new(sounds, repeat, 7);
        let mut heard = vec![];
        for _ in 0..frames {
            let (mut codes, mut linear) = ([0; FRAME_SAMPLES], [1; FRAME_SAMPLES]);
            if !player.frame(&bank(), Codec::Pcmu, &mut codes, Some(&mut linear)) {
                break;
            }
            for (code, sample) in codes.iter().zip(linear) {
                assert_eq!(*code, g711::encode_sample(g711::Law::Mu, sample));
            }
            heard.extend(linear);
        }
        (heard, player.through())
    }

    #[test]
    fn sounds_follow_one_another_without_a_gap() {
        let (heard, through) = play(&[0, 2, 9, 1], false, 9);
        assert_eq!(heard.len(), 480);
        assert!(heard[..100].iter().all(|sample| *sample == 1_000));
        assert!(heard[100..400].iter().all(|sample| *sample == 2_000));
        assert!(heard[400..].iter().all(|sample| *sample == 0));
        assert_eq!(through, Some(7));
    }

    #[test]
    fn a_list_on_repeat_goes_on_and_is_never_through() {
        let (heard, through) = play(&[0], true, 5);
        assert_eq!(heard, [1_000; 800]);
        assert_eq!(through, None);
    }

    #[test]
    fn lists_without_sound_end_at_once() {
        assert_eq!(play(&[], false, 5), (vec![], Some(7)));
        assert_eq!(play(&[2, 9], false, 5), (vec![], Some(7)));
        assert_eq!(play(&[], true, 5).0, [0_i16; 0]);
        assert_eq!(play(&[2, 9], true, 5).0, [0_i16; 0]);
    }
}
