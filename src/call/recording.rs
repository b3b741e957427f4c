//! The call's recording, paused while a caller says what must not be kept, such as a card's number.

use super::{Call, Command, Told};
use crate::media::Order;

/// How a call's recording stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingState {
    /// There is none, or not any more.
    Off,
    /// It runs.
    Running,
    /// It holds silence.
    Paused,
}

impl Call {
    /// How its recording stands.
    pub fn recording(&self) -> RecordingState {
        match (self.recording, self.paused) {
            (false, _) => RecordingState::Off,
            (true, false) => RecordingState::Running,
            (true, true) => RecordingState::Paused,
        }
    }

    /// Pauses the recording, or goes on with it. What is so already stays as it is.
    pub(super) fn pause_recording(&mut self, pause: bool, by: String) {
        let call = self.id;
        match (self.recording(), pause) {
            (RecordingState::Running, true) => {
                self.push(Command::Sound(Order::PauseRecord { call }));
                self.tell(Told::RecordingPaused { by });
            }
            (RecordingState::Paused, false) => {
                self.push(Command::Sound(Order::ResumeRecord { call }));
                self.tell(Told::RecordingResumed { by });
            }
            _ => return,
        }
        self.paused = pause;
    }
}
