//! Key presses: as events in RTP (RFC 4733), or as tones in the sound (ITU-T Q.23).
//!
//! When a packet goes out is for `sound` to say.

use std::collections::VecDeque;

/// The keys by event code (RFC 4733 §3.2).
const KEYS: &[u8; 16] = b"0123456789*#ABCD";
/// Samples per 20 ms frame at 8 kHz.
const FRAME: u16 = 160;
/// A press lasts 100 ms: five frames.
const PRESS_FRAMES: u8 = 5;
/// Quiet between two presses: five frames.
const GAP_FRAMES: u8 = 5;
/// The last packet of an event is sent three times in all (RFC 4733 §2.5.1.4).
const END_PACKETS: u8 = 3;
/// -10 dBm0, in the volume field.
const VOLUME: u8 = 10;
/// Presses that wait at most; more are dropped.
const WAITING_MAX: usize = 128;

/// The event code of a key; `None` for what is no key.
pub(super) fn code(key: char) -> Option<u8> {
    let key = u8::try_from(key).ok()?.to_ascii_uppercase();
    KEYS.iter().position(|known| *known == key).map(|code| code as u8)
}

/// The key of an event code.
pub(super) fn key(code: u8) -> Option<char> {
    KEYS.get(usize::from(code)).map(|key| char::from(*key))
}

/// One event payload: code, end bit and duration in samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Which key.
    pub code: u8,
    /// The key was let go.
    pub end: bool,
    /// Since the key went down, samples.
    pub duration: u16,
}

impl Event {
    /// Reads a payload.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let [code, flags, high, low, ..] = *payload else {
            return None;
        };
        Some(Event { code, end: flags & 0x80 != 0, duration: u16::from_be_bytes([high, low]) })
    }

    /// Writes a payload.
    pub(super) fn bytes(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, VOLUME | if self.end { 0x80 } else { 0 }, high, low]
    }
}

/// What the keypad wants in one 20 ms frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pressed {
    /// No key: other sound may go out.
    Nothing,
    /// A key is down: this event, `copies` times, the first of its press if `first`.
    Down {
        /// The event as it stands at the end of this frame.
        event: Event,
        /// The press begins with this frame.
        first: bool,
        /// How often the packet is sent.
        copies: u8,
    },
    /// Quiet after a press.
    Gap,
}

/// The keys still to be pressed.
#[derive(Debug, Default)]
pub(super) struct Keypad {
    waiting: VecDeque<u8>,
    frame: u8,
}

impl Keypad {
    /// Queues the keys in `digits`; what is no key is passed over.
    pub(super) fn press(&mut self, digits: &str) {
        let room = WAITING_MAX.saturating_sub(self.waiting.len());
        self.waiting.extend(digits.chars().filter_map(code).take(room));
    }

    /// Nothing is pressed or waits.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The key that is down, or let go just now, is the last.
    pub(super) fn is_last(&self) -> bool {
        self.waiting.len() == 1
    }

    /// Forgets all presses.
    pub(super) fn clear(&mut self) {
        *self = Keypad::default();
    }

    /// Moves on by one frame.
    pub(super) fn frame(&mut self) -> Pressed {
        let Some(code) = self.waiting.front().copied() else {
            return Pressed::Nothing;
        };
        self.frame += 1;
        if self.frame == PRESS_FRAMES + GAP_FRAMES {
            self.frame = 0;
            self.waiting.pop_front();
            return Pressed::Gap;
        }
        if self.frame > PRESS_FRAMES {
            return Pressed::Gap;
        }
        let end = self.frame == PRESS_FRAMES;
        let event = Event { code, end, duration: FRAME * u16::from(self.frame) };
        Pressed::Down { event, first: self.frame == 1, copies: if end { END_PACKETS } else { 1 } }
    }
}

/// The two tones of a key, for the frame that ends `event.duration` samples after it went down.
pub(super) fn tone(event: Event) -> [i16; FRAME as usize] {
    const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
    const HIGH: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
    const ROWS: [&[u8; 4]; 4] = [b"123A", b"456B", b"789C", b"*0#D"];
    let wanted = KEYS.get(usize::from(event.code)).copied().unwrap_or(b'0');
    let place = ROWS
        .iter()
        .enumerate()
        .find_map(|(row, keys)| keys.iter().position(|key| *key == wanted).map(|column| (row, column)));
    let (row, column) = place.unwrap_or((3, 1));
    let start = f64::from(event.duration - FRAME);
    std::array::from_fn(|index| {
        let at = (start + index as f64) / 8000.0 * std::f64::consts::TAU;
        (((LOW[row] * at).sin() + (HIGH[column] * at).sin()) * 6000.0) as i16
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_five_frames_a_tripled_end_and_five_frames_of_quiet() {
        let mut keypad = Keypad::default();
        keypad.press("7x#");
        let frames: Vec<Pressed> = (0..21).map(|_| keypad.frame()).collect();
        for (index, frame) in frames.iter().enumerate() {
            let code = if index < 10 { 7 } else { 11 };
            let step = index % 10;
            let expected = match step {
                _ if index == 20 => Pressed::Nothing,
                0..=4 => Pressed::Down {
                    event: Event { code, end: step == 4, duration: 160 * (step as u16 + 1) },
                    first: step == 0,
                    copies: if step == 4 { 3 } else { 1 },
                },
                _ => Pressed::Gap,
            };
            assert_eq!(*frame, expected, "frame {index}");
        }
        assert!(keypad.is_idle());
    }

    #[test]
    fn payloads_and_keys_are_read_as_written() {
        let event = Event { code: 11, end: true, duration: 800 };
        assert_eq!(event.bytes(), [11, 0x8a, 0x03, 0x20]);
        assert_eq!(Event::parse(&event.bytes()), Some(event));
        assert_eq!(Event::parse(&[1, 2, 3]), None);
        for key_pressed in "0123456789*#ABCD".chars() {
            assert_eq!(code(key_pressed).and_then(key), Some(key_pressed));
        }
        assert_eq!((code('x'), key(16), code('b')), (None, None, Some(13)));
    }

    #[test]
    fn the_tones_of_a_key_are_its_two_frequencies() {
        let sound: Vec<i16> =
            (1..=5).flat_map(|frame| tone(Event { code: 5, end: false, duration: 160 * frame })).collect();
        for (hz, loud) in
            [(770.0, true), (1336.0, true), (697.0, false), (852.0, false), (1209.0, false), (1477.0, false)]
        {
            let level = super::super::listen::tone_level(&sound, hz);
            assert_eq!(level > -20.0, loud, "{hz} Hz at {level} dB");
        }
    }
}
