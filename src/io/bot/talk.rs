//! One talk as values: frames and time in; sound, frames and words for the call out. Who waits for what is
//! [`super::run`]'s.
//!
//! Nothing that a program does, or leaves undone, costs more than the bounds here: what is beyond them is dropped by
//! a rule, and a program that goes on is given up.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::Duration;

use super::contract::{self, Format, FromBot, ToBot};
use crate::call::{BotEnd, BotSaid};
use crate::media::Frame;
use crate::media::codec::{WIDE_SAMPLES, WideFrame};
use crate::media::order::FRAME_SAMPLES;
use crate::media::resample::{Doubler, Halver};

/// Frames of the program's that wait to be heard: 10 s, for it may speak faster than it is heard. Of those beyond, the
/// newest are dropped.
pub const HEARD_MAX: usize = 500;
/// Frames dropped in one talk, then it is given up.
pub const DROPPED_MAX: u32 = 500;
/// Frames of the caller's that wait to be sent: 2 s. Of those beyond, the oldest are dropped.
pub const SPOKEN_MAX: usize = 100;
/// Frames dropped in a row, then it is given up: it has taken nothing for so long: 5 s.
pub const SLOW_MAX: u32 = 250;
/// Frames of the engine's that wait for the next tick. Of those beyond, the oldest are dropped.
const MICROPHONE_MAX: usize = 10;
/// Longest text frame, bytes.
pub const TEXT_MAX: usize = 16 * 1024;
/// Text frames of one talk.
pub const TEXTS_MAX: u32 = 1_000;
/// Frames of any kind at once, and how many more there may be by each 20 ms.
pub const FRAMES_MAX: u32 = 1_000;
const FRAMES_BACK: u32 = 5;
/// Without a text or binary frame for so long, it has hung.
pub const SILENT_MAX: Duration = Duration::from_secs(20);
/// What begins to be said is held back so long, or until there are so many frames: the net's jitter.
const HOLD_BACK: Duration = Duration::from_millis(60);
const HOLD_BACK_FRAMES: usize = 3;
/// Keys that wait to be told; a further one is not.
const KEYS_MAX: usize = 64;

/// A frame for the program.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// JSON.
    Text(String),
    /// Sound.
    Sound(Vec<u8>),
}

/// A frame of the program's, or what took its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Came<'a> {
    /// JSON, or what should be.
    Text(&'a str),
    /// Sound, or what should be.
    Sound(&'a [u8]),
    /// A ping or a pong: for whoever moves frames.
    Control,
    /// No more will come, for this reason.
    Lost(BotEnd),
}

/// See the module's own words. Times are from the talk's beginning.
pub struct Talk {
    format: Format,
    to_bot: VecDeque<Sent>,
    dropped_in_a_row: u32,
    microphone: VecDeque<Frame>,
    doubler: Doubler,
    heard: VecDeque<Frame>,
    halver: Halver,
    dropped: u32,
    /// What has begun to be said is heard from then on.
    heard_from: Duration,
    texts: u32,
    frames_left: u32,
    last_came: Duration,
    /// It has said this, which is told when it has been heard out.
    ending: Option<BotSaid>,
    /// That, or another end, has been told.
    over: bool,
    told: VecDeque<BotSaid>,
}

impl Talk {
    /// A talk that begins, with the first frame for the program.
    pub fn new(format: Format, start: &ToBot<'_>) -> Self {
        Talk {
            format,
            to_bot: VecDeque::from([text(start)]),
            dropped_in_a_row: 0,
            microphone: VecDeque::new(),
            doubler: Doubler::default(),
            heard: VecDeque::new(),
            halver: Halver::default(),
            dropped: 0,
            heard_from: Duration::ZERO,
            texts: 0,
            frames_left: FRAMES_MAX,
            last_came: Duration::ZERO,
            ending: None,
            over: false,
            told: VecDeque::new(),
        }
    }

    /// The caller said this: the engine's next frame.
    pub fn handle_sound(&mut self, frame: Frame) {
        if self.microphone.len() >= MICROPHONE_MAX {
            self.microphone.pop_front();
        }
        self.microphone.push_back(frame);
    }

    /// The program sent something, or is lost.
    pub fn handle_frame(&mut self, came: &Came<'_>, at: Duration) {
        if self.over {
            return;
        }
        if let Came::Lost(why) = came {
            // What it said last is said; its hanging up then means nothing more.
            if self.ending.is_none() {
                self.end(*why);
            }
            return;
        }
        match self.frames_left.checked_sub(1) {
            Some(left) => self.frames_left = left,
            None => return self.end(BotEnd::Flooded),
        }
        match came {
            Came::Text(text) => {
                self.last_came = at;
                self.take_text(text, at);
            }
            Came::Sound(bytes) => {
                self.last_came = at;
                self.take_sound(bytes, at);
            }
            Came::Control | Came::Lost(_) => {}
        }
    }

    fn take_text(&mut self, text: &str, at: Duration) {
        self.texts += 1;
        if self.texts > TEXTS_MAX {
            return self.end(BotEnd::Flooded);
        }
        if text.len() > TEXT_MAX {
            return self.end(BotEnd::Oversized);
        }
        let Some(said) = FromBot::read(text) else { return self.end(BotEnd::Malformed) };
        if self.ending.is_some() {
            return;
        }
        match said {
            FromBot::Transcript { who, text, at_ms } => {
                let line = contract::line(who, &text, at_ms.unwrap_or_else(|| millis(at)));
                self.told.extend(line.map(BotSaid::Line));
            }
            FromBot::Done { outcome, values } => {
                self.ending = Some(contract::done(outcome.as_deref(), values));
            }
            FromBot::Person => self.ending = Some(BotSaid::Person),
            FromBot::Hush => self.heard.clear(),
            FromBot::Other => {}
        }
    }

    fn take_sound(&mut self, bytes: &[u8], at: Duration) {
        match bytes.len().cmp(&self.format.frame_bytes()) {
            Ordering::Less => return self.end(BotEnd::Malformed),
            Ordering::Greater => return self.end(BotEnd::Oversized),
            Ordering::Equal if self.ending.is_some() => return,
            Ordering::Equal => {}
        }
        let mut frame = [0; FRAME_SAMPLES];
        let (samples, _) = bytes.as_chunks::<2>();
        if samples.len() == WIDE_SAMPLES {
            let mut wide: WideFrame = [0; WIDE_SAMPLES];
            wide.iter_mut().zip(samples).for_each(|(to, from)| *to = i16::from_le_bytes(*from));
            self.halver.halve(&wide, &mut frame);
        } else {
            frame.iter_mut().zip(samples).for_each(|(to, from)| *to = i16::from_le_bytes(*from));
        }
        if self.heard.len() >= HEARD_MAX {
            self.dropped += 1;
            if self.dropped > DROPPED_MAX {
                self.end(BotEnd::Flooded);
            }
            return;
        }
        if self.heard.is_empty() {
            self.heard_from = at + HOLD_BACK;
        }
        self.heard.push_back(frame);
    }

    /// Each 20 ms by our clock: what the caller hears now, and what the caller said is on its way to the program.
    pub fn handle_tick(&mut self, at: Duration) -> Frame {
        self.frames_left = (self.frames_left + FRAMES_BACK).min(FRAMES_MAX);
        if self.over {
            return [0; FRAME_SAMPLES];
        }
        let said = self.microphone.pop_front().unwrap_or([0; FRAME_SAMPLES]);
        self.send_sound(&said);
        if at.saturating_sub(self.last_came) > SILENT_MAX && self.ending.is_none() {
            self.end(BotEnd::Silent);
        }
        let is_due = at >= self.heard_from || self.heard.len() >= HOLD_BACK_FRAMES || self.ending.is_some();
        let frame = if is_due { self.heard.pop_front() } else { None };
        if frame.is_some() {
            self.heard_from = at; // What follows is not held back.
        } else if self.heard.is_empty()
            && let Some(said) = self.ending.take()
        {
            self.tell_last(said);
        }
        frame.unwrap_or([0; FRAME_SAMPLES])
    }

    fn send_sound(&mut self, frame: &Frame) {
        if self.to_bot.len() >= SPOKEN_MAX {
            self.dropped_in_a_row += 1;
            if self.dropped_in_a_row > SLOW_MAX {
                return self.end(BotEnd::Slow);
            }
            if let Some(oldest) = self.to_bot.iter().position(|sent| matches!(sent, Sent::Sound(_))) {
                self.to_bot.remove(oldest);
            }
        }
        let mut bytes = Vec::with_capacity(self.format.frame_bytes());
        let mut put = |samples: &[i16]| samples.iter().for_each(|sample| bytes.extend(sample.to_le_bytes()));
        if self.format.frame_bytes() == 2 * WIDE_SAMPLES {
            let mut wide = [0; WIDE_SAMPLES];
            self.doubler.double(frame, &mut wide);
            put(&wide);
        } else {
            put(frame);
        }
        self.to_bot.push_back(Sent::Sound(bytes));
    }

    /// The caller pressed a key.
    pub fn handle_key(&mut self, digit: char, at: Duration) {
        let waiting = self.to_bot.iter().filter(|sent| matches!(sent, Sent::Text(_))).count();
        if !self.over && waiting < KEYS_MAX {
            self.to_bot.push_back(text(&ToBot::Dtmf { digit, at_ms: millis(at) }));
        }
    }

    /// The talk is over, for this reason: the program is told so, behind what it has still to hear of keys.
    pub fn handle_stop(&mut self, end: BotEnd, at: Duration) {
        self.over = true;
        self.to_bot.retain(|sent| matches!(sent, Sent::Text(_)));
        self.to_bot.push_back(text(&ToBot::Stop { reason: end.word(), at_ms: millis(at) }));
    }

    /// The next frame for the program, when it can take one.
    pub fn poll_frame(&mut self) -> Option<Sent> {
        let sent = self.to_bot.pop_front();
        if sent.is_some() {
            self.dropped_in_a_row = 0;
        }
        sent
    }

    /// What the call is to be told next.
    pub fn poll_output(&mut self) -> Option<BotSaid> {
        self.told.pop_front()
    }

    fn end(&mut self, end: BotEnd) {
        self.tell_last(BotSaid::Ended(end));
    }

    fn tell_last(&mut self, said: BotSaid) {
        if !std::mem::replace(&mut self.over, true) {
            self.told.push_back(said);
            self.heard.clear();
        }
    }
}

fn text(frame: &ToBot<'_>) -> Sent {
    // Names and texts only: it cannot fail.
    Sent::Text(serde_json::to_string(frame).unwrap_or_default())
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "talk_test.rs"]
mod tests;
