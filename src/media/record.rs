//! One call's recording: a stereo frame for every 20 ms from its order to its end, no more, no less.
//!
//! What is in a frame is the engine's word; files are `io`'s.

use super::order::FRAME_SAMPLES;
use super::wire::{Frame, Tape};
use crate::id::{CallId, LegId};

/// Silent frames made up for in one tick, at most.
const REPAID_MAX: u64 = 8;

/// A recording that runs.
#[derive(Debug)]
pub struct Recording {
    /// The call recorded.
    pub call: CallId,
    /// The leg whose sound is the left channel.
    pub caller: LegId,
    /// Frames that the tape must still get as silence before the next.
    owed: u64,
    lost: u64,
}

impl Recording {
    /// A recording that begins.
    pub fn new(call: CallId, caller: LegId) -> Self {
        Recording { call, caller, owed: 0, lost: 0 }
    }

    /// Ticks that were left out: their time is silence.
    pub fn skip(&mut self, frames: u64) {
        self.owed += frames;
        self.lost += frames;
    }

    /// Hands over the next frame, or owes it.
    pub fn push(&mut self, left: &Frame, right: &Frame, tape: &mut impl Tape) {
        self.repay(tape);
        if self.owed > 0 || !tape.frame(self.call, left, right) {
            self.owed += 1;
            self.lost += 1;
        }
    }

    /// Ends the recording; silence still owed is handed over as far as it goes.
    pub fn end(mut self, tape: &mut impl Tape) {
        self.repay(tape);
        tape.end(self.call, self.lost);
    }

    fn repay(&mut self, tape: &mut impl Tape) {
        let silence = [0; FRAME_SAMPLES];
        for _ in 0..REPAID_MAX.min(self.owed) {
            if !tape.frame(self.call, &silence, &silence) {
                break;
            }
            self.owed -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;
    use crate::time::Timestamp;

    #[derive(Default)]
    struct Shelf {
        frames: Vec<i16>,
        room: usize,
        lost: Option<u64>,
    }

    impl Tape for Shelf {
        fn begin(&mut self, _: CallId, _: Timestamp) {}
        fn frame(&mut self, _: CallId, left: &Frame, _: &Frame) -> bool {
            let fits = self.frames.len() < self.room;
            if fits {
                self.frames.push(left[0]);
            }
            fits
        }
        fn end(&mut self, _: CallId, lost_frames: u64) {
            self.lost = Some(lost_frames);
        }
    }

    #[test]
    fn lost_frames_become_silence_at_their_own_place() {
        let call = CallId::draw(0, &mut Dice::seeded(1));
        let mut recording = Recording::new(call, LegId::caller(call));
        let mut shelf = Shelf { room: 3, ..Shelf::default() };
        for n in 1..=15 {
            if n == 6 {
                shelf.room = usize::MAX;
            }
            recording.push(&[n; FRAME_SAMPLES], &[0; FRAME_SAMPLES], &mut shelf);
        }
        recording.skip(2);
        recording.push(&[18; FRAME_SAMPLES], &[0; FRAME_SAMPLES], &mut shelf);
        recording.end(&mut shelf);
        let wanted = [1, 2, 3, 0, 0, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 18];
        assert_eq!(shelf.frames, wanted);
        assert_eq!(shelf.lost, Some(4));
    }
}
