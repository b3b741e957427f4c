//! Key presses as telephone-events (RFC 4733): heard once each, and pressed on the peer.
//!
//! Payload types and where the packets go are the leg's.

use std::collections::VecDeque;

/// Digits waiting to be pressed; what goes beyond is dropped.
pub const DIGITS_MAX: usize = 64;
/// A press lasts 100 ms, told every 20 ms.
const PRESS_TICKS: u8 = 5;
/// The end is told three times in all.
const ENDS: u8 = 3;
/// With its pause a digit takes 180 ms.
const DIGIT_TICKS: u8 = 9;
/// A sender that lets the timestamp run during a press moves it by at most so much a packet, ms.
const CREEP_MAX_MS: u32 = 60;

const EVENTS: &[u8; 16] = b"0123456789*#ABCD";

/// One telephone-event payload (RFC 4733 §2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// 0..=15 are the keys.
    pub code: u8,
    /// The key was let go.
    pub end: bool,
    /// Samples since the press began.
    pub duration: u16,
}

impl Event {
    /// Reads a payload; `None` where it is too short.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [code, flags, high, low, ..] = *payload else {
            return None;
        };
        Some(Event { code, end: flags & 0x80 != 0, duration: u16::from_be_bytes([high, low]) })
    }

    /// The payload, at -10 dBm0.
    pub fn write(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, u8::from(self.end) << 7 | 10, high, low]
    }

    /// The same event between codecs of other clocks: its duration counts theirs (RFC 4733 §2.2).
    pub fn rescaled(self, from: u32, to: u32) -> Event {
        let duration = u64::from(self.duration) * u64::from(to) / u64::from(from.max(1));
        Event { duration: u16::try_from(duration).unwrap_or(u16::MAX), ..self }
    }

    /// The key, for events that are one.
    pub fn digit(self) -> Option<char> {
        EVENTS.get(usize::from(self.code)).map(|key| char::from(*key))
    }
}

/// Hears presses: one per press, by timestamp, whichever of its packets come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presses {
    last: Option<Press>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    timestamp: u32,
    event: Event,
}

impl Presses {
    /// Takes an event's packet, timed by `clock` units a second; the key, if a press begins with it.
    pub fn take(&mut self, event: Event, timestamp: u32, marker: bool, clock: u32) -> Option<char> {
        let digit = event.digit()?;
        let Some(last) = &mut self.last else {
            self.last = Some(Press { timestamp, event });
            return Some(digit);
        };
        let moved = timestamp.wrapping_sub(last.timestamp) as i32;
        if moved < 0 {
            return None; // A straggler of an earlier press.
        }
        if moved == 0 {
            if last.event.code == event.code {
                last.event.end |= event.end;
                last.event.duration = last.event.duration.max(event.duration);
            }
            return None;
        }
        let same = !marker && last.event.code == event.code && !last.event.end;
        // A press too long for its counter goes on in a new segment (RFC 4733 §2.5.1.3).
        let segment = moved as u32 == u32::from(last.event.duration);
        let creeps = moved as u32 <= CREEP_MAX_MS * (clock / 1_000) && event.duration > last.event.duration;
        self.last = Some(Press { timestamp, event });
        (!(same && (segment || creeps))).then_some(digit)
    }
}

/// Presses digits, one packet a tick.
#[derive(Debug, Default)]
pub struct Presser {
    digits: VecDeque<u8>,
    tick: u8,
    timestamp: u32,
}

/// What a tick of pressing sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// To be sent as a telephone-event; `None` in the pause between digits.
    pub packet: Option<(Event, u32, bool)>,
}

impl Presser {
    /// Adds what of `digits` is a key, up to [`DIGITS_MAX`].
    pub fn press(&mut self, digits: &str) {
        for digit in digits.bytes().map(|digit| digit.to_ascii_uppercase()) {
            let code = EVENTS.iter().position(|key| *key == digit);
            if let Some(code) = code.filter(|_| self.digits.len() < DIGITS_MAX) {
                self.digits.push_back(code as u8);
            }
        }
    }

    /// Makes room for all digits that it ever holds, for digits that come with packets.
    pub fn reserve(&mut self) {
        self.digits.reserve(DIGITS_MAX);
    }

    /// Takes the next digit off, for whoever presses it in another way.
    pub fn next(&mut self) -> Option<char> {
        let code = self.digits.pop_front()?;
        EVENTS.get(usize::from(code)).map(|key| char::from(*key))
    }

    /// Whether digits wait.
    pub fn is_empty(&self) -> bool {
        self.digits.is_empty()
    }

    /// The next tick, with sound standing at `timestamp`; `None` when all is pressed. Event,
    /// timestamp and marker make the packet.
    pub fn step(&mut self, timestamp: u32) -> Option<Sent> {
        let code = *self.digits.front()?;
        if self.tick == 0 {
            self.timestamp = timestamp;
        }
        let first = self.tick == 0;
        self.tick += 1;
        let end = self.tick >= PRESS_TICKS;
        let told = self.tick < PRESS_TICKS + ENDS;
        let event = Event { code, end, duration: u16::from(self.tick.min(PRESS_TICKS)) * 160 };
        if self.tick == DIGIT_TICKS {
            self.tick = 0;
            self.digits.pop_front();
        }
        Some(Sent { packet: told.then_some((event, self.timestamp, first)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(code: u8, duration: u16, end: bool) -> Event {
        Event { code, end, duration }
    }

    #[test]
    fn payloads_read_as_they_are_written() {
        for code in 0..16 {
            let sent = event(code, 800, code % 2 == 0);
            assert_eq!(Event::parse(&sent.write()), Some(sent));
        }
        let keys: String = (0..16).filter_map(|code| event(code, 0, false).digit()).collect();
        assert_eq!(keys, "0123456789*#ABCD");
        assert_eq!(event(16, 0, false).digit(), None, "flash is no key");
        assert_eq!(Event::parse(&[5, 10, 0]), None);
    }

    /// Rows: what happens, packets as (code, timestamp, duration, end, marker), digits heard.
    type Row = (&'static str, &'static [(u8, u32, u16, bool, bool)], &'static str);

    const ROWS: &[Row] = &[
        (
            "a press with its repeats",
            &[
                (5, 1_000, 160, false, true),
                (5, 1_000, 320, false, false),
                (5, 1_000, 480, true, false),
                (5, 1_000, 480, true, false),
                (5, 1_000, 480, true, false),
            ],
            "5",
        ),
        ("the beginning is lost", &[(7, 1_000, 480, true, false), (7, 1_000, 480, true, false)], "7"),
        (
            "the end is lost, the same key again",
            &[
                (1, 1_000, 160, false, true),
                (1, 1_000, 320, false, false),
                (1, 3_000, 160, false, true),
                (1, 3_000, 320, true, false),
            ],
            "11",
        ),
        (
            "end and marker are lost, the same key again",
            &[(1, 1_000, 320, false, false), (1, 3_000, 320, false, false)],
            "11",
        ),
        (
            "all but the last end are lost, twice",
            &[(9, 1_000, 800, true, false), (9, 3_000, 800, true, false)],
            "99",
        ),
        ("another key at once", &[(1, 1_000, 160, false, true), (2, 1_400, 160, false, true)], "12"),
        (
            "a straggler of the press before",
            &[
                (1, 1_000, 160, true, true),
                (2, 2_000, 160, false, true),
                (1, 1_000, 160, true, false),
                (2, 2_000, 320, true, false),
            ],
            "12",
        ),
        (
            "a long press in two segments",
            &[
                (3, 1_000, 0xffff, false, true),
                (3, 1_000 + 0xffff, 160, false, false),
                (3, 1_000 + 0xffff, 320, true, false),
            ],
            "3",
        ),
        (
            "a sender whose timestamp creeps",
            &[(4, 1_000, 160, false, true), (4, 1_160, 320, false, false), (4, 1_320, 480, true, false)],
            "4",
        ),
        (
            "across the wrap",
            &[(6, 0xffff_ff00, 160, true, true), (6, 0x400, 160, false, true), (6, 0x400, 320, true, false)],
            "66",
        ),
        ("no key", &[(16, 1_000, 160, true, true)], ""),
    ];

    #[test]
    fn each_press_is_heard_once() {
        for (what, packets, digits) in ROWS {
            let mut presses = Presses::default();
            let heard: String = packets
                .iter()
                .filter_map(|(code, timestamp, duration, end, marker)| {
                    presses.take(event(*code, *duration, *end), *timestamp, *marker, 8_000)
                })
                .collect();
            assert_eq!(heard, *digits, "{what}");
        }
    }

    #[test]
    fn a_digit_is_pressed_for_100_ms_and_its_end_told_three_times() {
        let mut presser = Presser::default();
        presser.press("1x#");
        let mut steps = vec![];
        while let Some(sent) = presser.step(steps.len() as u32 * 160) {
            steps.push(sent.packet);
        }
        let digit = |code, start: u32| {
            let mut ticks: Vec<_> =
                (1..=4).map(|n| Some((event(code, n * 160, false), start, n == 1))).collect();
            ticks.extend([Some((event(code, 800, true), start, false)); 3]);
            ticks.extend([None; 2]);
            ticks
        };
        assert_eq!(steps, [digit(1, 0), digit(11, 9 * 160)].concat());
        let mut presses = Presses::default();
        let heard: String = steps
            .iter()
            .flatten()
            .filter_map(|(event, timestamp, marker)| presses.take(*event, *timestamp, *marker, 8_000))
            .collect();
        assert_eq!(heard, "1#");
    }

    #[test]
    fn too_many_digits_are_dropped() {
        let mut presser = Presser::default();
        presser.press(&"5".repeat(1_000));
        assert_eq!(presser.digits.len(), DIGITS_MAX);
    }
}
