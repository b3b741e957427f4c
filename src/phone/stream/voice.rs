//! What one telephone says: a sound over and over, encoded beforehand, and keys that are pressed
//! meanwhile (RFC 4733).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::id::Dice;
use crate::phone::dtmf::{Event, Keypad, Pressed};
use crate::phone::g711::Codec;

/// Samples, and octets, of a packet: 20 ms.
pub const FRAME: usize = 160;
/// Octets of an RTP header without extras (RFC 3550 §5.1).
const HEADER: usize = 12;
/// Octets of a telephone event (RFC 4733 §2.3).
const EVENT: usize = 4;

/// A sound that is repeated without end, encoded: whole packets.
#[derive(Clone, Debug)]
pub struct Loop(Arc<[u8]>);

impl Loop {
    /// Encodes 8 kHz samples; silence fills the last packet. No samples are a packet of silence.
    pub fn new(samples: &[i16], codec: Codec) -> Self {
        let whole = samples.len().max(1).next_multiple_of(FRAME);
        let silence = std::iter::repeat(0);
        Loop(samples.iter().copied().chain(silence).take(whole).map(|sample| codec.encode(sample)).collect())
    }
}

/// One RTP source.
#[derive(Debug)]
pub struct Voice {
    header: [u8; HEADER],
    sequence: u16,
    timestamp: u32,
    sound: Loop,
    at: usize,
    keys: Keys,
    /// Packets written.
    pub sent: u64,
}

/// Keys that are pressed.
#[derive(Debug, Default)]
struct Keys {
    pad: Keypad,
    /// As what they go out; `None`: the other side takes no telephone events.
    payload_type: Option<u8>,
    /// When the key that is down went down, in the source's timestamps.
    down: u32,
    /// The end of a press, sent again in the frames after it (RFC 4733 §2.5.1.4).
    again: VecDeque<Event>,
    last_went_down: bool,
}

impl Voice {
    /// A source that begins with a talkspurt.
    pub fn new(payload_type: u8, sound: Loop, dice: &mut Dice) -> Self {
        let mut header = [0; HEADER];
        header[0] = 0x80;
        header[1] = 0x80 | payload_type & 0x7f;
        header[8..].copy_from_slice(&dice.next_u32().to_be_bytes());
        let (sequence, timestamp) = (dice.next_u32() as u16, dice.next_u32());
        Voice { header, sequence, timestamp, sound, at: 0, keys: Keys::default(), sent: 0 }
    }

    /// Says something else from the next packet on.
    pub fn say(&mut self, sound: Loop) {
        (self.sound, self.at) = (sound, 0);
    }

    /// Keys go out as telephone events of this payload type; `None`: the other side takes none.
    pub fn take_events(&mut self, payload_type: Option<u8>) {
        self.keys.payload_type = payload_type;
    }

    /// Presses keys one after another, 200 ms each. `false`: the other side takes none.
    pub fn press(&mut self, keys: &str) -> bool {
        let can = self.keys.payload_type.is_some();
        if can {
            self.keys.pad.press(keys);
        }
        can
    }

    /// Whether the last key of those pressed has gone down since this was last asked.
    pub fn last_key_went_down(&mut self) -> bool {
        std::mem::take(&mut self.keys.last_went_down)
    }

    /// Writes the next packet; its length, or 0 where `room` is too small for one.
    pub fn write(&mut self, room: &mut [u8]) -> usize {
        let Some(packet) = room.get_mut(..HEADER + FRAME) else { return 0 };
        let length = match (self.keys.payload_type, self.keys.frame(self.timestamp)) {
            (Some(payload_type), Some((event, first))) => {
                self.head(packet, (u8::from(first) << 7) | payload_type & 0x7f, self.keys.down);
                packet[HEADER..HEADER + EVENT].copy_from_slice(&event.bytes());
                HEADER + EVENT
            }
            _ => {
                self.head(packet, self.header[1], self.timestamp);
                packet[HEADER..].copy_from_slice(&self.sound.0[self.at..self.at + FRAME]);
                self.header[1] &= 0x7f; // Only the first begins a talkspurt.
                HEADER + FRAME
            }
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        self.at = (self.at + FRAME) % self.sound.0.len();
        self.sent += 1;
        length
    }

    fn head(&self, packet: &mut [u8], kind: u8, timestamp: u32) {
        packet[..HEADER].copy_from_slice(&self.header);
        packet[1] = kind;
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
    }
}

impl Keys {
    /// What this frame says of keys, and whether it is the first of its press; `None`: nothing.
    fn frame(&mut self, timestamp: u32) -> Option<(Event, bool)> {
        match self.pad.frame() {
            Pressed::Down { event, first, copies } => {
                if first {
                    self.down = timestamp;
                    self.last_went_down = self.pad.is_last();
                }
                self.again = std::iter::repeat_n(event, usize::from(copies) - 1).collect();
                Some((event, first))
            }
            Pressed::Gap | Pressed::Nothing => Some((self.again.pop_front()?, false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rtp_rs::RtpReader;

    use super::*;

    #[test]
    fn packets_follow_one_another_and_the_sound_begins_again() {
        let samples: Vec<i16> = (0..400).map(|n| n * 50).collect();
        let mut voice = Voice::new(8, Loop::new(&samples, Codec::Pcma), &mut Dice::seeded(3));
        let mut room = [0; 200];
        let mut heard = Vec::new();
        let mut before = None;
        for number in 0..6 {
            let length = voice.write(&mut room);
            let packet = RtpReader::new(&room[..length]).unwrap();
            assert_eq!((packet.payload_type(), packet.mark()), (8, number == 0));
            let now = (u16::from(packet.sequence_number()), packet.timestamp(), packet.ssrc());
            if let Some((sequence, timestamp, ssrc)) = before {
                assert_eq!(now, (u16::wrapping_add(sequence, 1), u32::wrapping_add(timestamp, 160), ssrc));
            }
            before = Some(now);
            heard.extend(packet.payload().iter().map(|byte| Codec::Pcma.decode(*byte)));
        }
        let whole: Vec<i16> = samples.iter().copied().chain([0; 80]).collect();
        assert_eq!(heard, Codec::Pcma.round_trip(&whole.repeat(2)));
        assert_eq!((voice.write(&mut [0; 100]), voice.sent), (0, 6));
    }

    #[test]
    fn keys_are_events_between_the_sound_each_with_its_end_three_times() {
        let mut voice = Voice::new(8, Loop::new(&[1_000; 160], Codec::Pcma), &mut Dice::seeded(4));
        assert!(!voice.press("*1"), "nobody takes events");
        voice.take_events(Some(101));
        assert!(voice.press("*1") && !voice.last_key_went_down());
        let mut room = [0; 200];
        let mut row = || {
            let length = voice.write(&mut room);
            let packet = RtpReader::new(&room[..length]).unwrap();
            let event = (packet.payload_type() == 101).then(|| Event::parse(packet.payload()).unwrap());
            (event, packet.mark(), packet.timestamp(), voice.last_key_went_down())
        };
        let rows: Vec<_> = (0..22).map(|_| row()).collect();
        for (press, code) in [(0, 10), (1, 1)] {
            let rows = &rows[10 * press..10 * press + 10];
            let events: Vec<_> = rows.iter().filter_map(|(event, ..)| *event).collect();
            assert!(events.iter().all(|event| event.code == code), "{events:?}");
            let ends: Vec<bool> = events.iter().map(|event| event.end).collect();
            assert_eq!(ends, [false, false, false, false, true, true, true]);
            assert!(rows[..7].iter().all(|row| row.2 == rows[0].2), "one press has one timestamp");
            assert_eq!(rows[7].2, rows[0].2.wrapping_add(7 * 160), "the sound goes on in its time");
            assert_eq!(rows.iter().any(|row| row.3), press == 1);
            assert_eq!(rows.iter().position(|row| row.1), Some(0), "the first packet has the mark");
        }
        assert!(rows[20..].iter().all(|(event, ..)| event.is_none()));
    }
}
