//! One call's recording: a stereo frame for every 20 ms from its order to its end, no more, no less.
//!
//! What is in a frame is the engine's word; files are `io`'s.

use super::order::FRAME_SAMPLES;
use super::wire::{Frame, Silence, Tape};
use crate::id::{CallId, LegId};

/// Silent frames made up for in one tick, at most.
const REPAID_MAX: u64 = 8;

/// A recording that runs.
#[derive(Debug)]
pub struct Recording {
    /// The call recorded.
    pub call: CallId,
    /// The leg whose sound is the left channel.
    pub left: LegId,
    /// Each leg's own sound is kept as well.
    pub tracks: bool,
    /// Frames that have passed: where the next one belongs.
    at: u64,
    /// Frames that the tape must still get as silence before the next.
    owed: u64,
    lost: u64,
    /// Since which frame none was taken.
    gap: Option<u64>,
    /// Since which frame it is paused.
    pause: Option<u64>,
}

impl Recording {
    /// A recording that begins.
    pub fn new(call: CallId, left: LegId, tracks: bool) -> Self {
        Recording { call, left, tracks, at: 0, owed: 0, lost: 0, gap: None, pause: None }
    }

    /// Ticks that were left out: their time is silence.
    pub fn skip(&mut self, frames: u64) {
        if frames > 0 {
            self.gap.get_or_insert(self.at);
        }
        self.at += frames;
        self.owed += frames;
        self.lost += frames;
    }

    /// Silence is recorded until [`Recording::resume`]; time goes on.
    pub fn pause(&mut self) {
        self.pause.get_or_insert(self.at);
    }

    /// Sound is recorded again.
    pub fn resume(&mut self, tape: &mut impl Tape) {
        if let Some(from) = self.pause.take().filter(|from| *from < self.at) {
            tape.silent(self.call, Silence::Paused, from, self.at);
        }
    }

    /// Hands over the next frame, or owes it.
    pub fn push(&mut self, left: &Frame, right: &Frame, tape: &mut impl Tape) {
        let silence = [0; FRAME_SAMPLES];
        let (left, right) = if self.pause.is_some() { (&silence, &silence) } else { (left, right) };
        self.repay(tape);
        if self.owed > 0 || !tape.frame(self.call, left, right) {
            self.gap.get_or_insert(self.at);
            self.owed += 1;
            self.lost += 1;
        } else {
            self.tell_gap(tape);
        }
        self.at += 1;
    }

    /// What a leg said in the frame that was pushed last, for its track.
    pub fn push_track(&self, leg: LegId, sound: &Frame, tape: &mut impl Tape) {
        if self.tracks && self.pause.is_none() {
            tape.track(self.call, leg.index, self.at.saturating_sub(1), sound);
        }
    }

    /// Ends the recording; silence still owed is handed over as far as it goes.
    pub fn end(mut self, tape: &mut impl Tape) {
        self.repay(tape);
        self.resume(tape);
        self.tell_gap(tape);
        tape.end(self.call, self.lost);
    }

    fn tell_gap(&mut self, tape: &mut impl Tape) {
        if let Some(from) = self.gap.take() {
            tape.silent(self.call, Silence::Lost, from, self.at);
        }
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
        spans: Vec<(Silence, u64, u64)>,
        tracked: Vec<(u16, u64)>,
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
        fn track(&mut self, _: CallId, leg: u16, at: u64, _: &Frame) {
            self.tracked.push((leg, at));
        }
        fn silent(&mut self, _: CallId, why: Silence, from: u64, until: u64) {
            self.spans.push((why, from, until));
        }
    }

    #[test]
    fn lost_frames_become_silence_at_their_own_place() {
        let call = CallId::draw(0, &mut Dice::seeded(1));
        let mut recording = Recording::new(call, LegId::caller(call), false);
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
        assert_eq!(shelf.spans, [(Silence::Lost, 3, 5), (Silence::Lost, 15, 17)]);
        assert_eq!(shelf.tracked, []);
    }

    #[test]
    fn a_pause_is_silence_of_its_own_length_and_is_told() {
        let call = CallId::draw(0, &mut Dice::seeded(1));
        let clerk = LegId { call, index: 3 };
        let mut recording = Recording::new(call, LegId::caller(call), true);
        let mut shelf = Shelf { room: usize::MAX, ..Shelf::default() };
        for n in 0..10 {
            match n {
                2 | 3 => recording.pause(), // Twice is once.
                5 => recording.resume(&mut shelf),
                6 => {
                    recording.pause();
                    recording.resume(&mut shelf); // Nothing was kept back.
                }
                8 => recording.pause(),
                _ => {}
            }
            recording.push(&[n + 1; FRAME_SAMPLES], &[0; FRAME_SAMPLES], &mut shelf);
            recording.push_track(clerk, &[n; FRAME_SAMPLES], &mut shelf);
        }
        recording.end(&mut shelf);
        assert_eq!(shelf.frames, [1, 2, 0, 0, 0, 6, 7, 8, 0, 0]);
        assert_eq!(shelf.spans, [(Silence::Paused, 2, 5), (Silence::Paused, 8, 10)]);
        assert_eq!(shelf.tracked, [0, 1, 5, 6, 7].map(|at| (3, at)));
        assert_eq!(shelf.lost, Some(0));
    }
}
