//! What one telephone says: a sound over and over, encoded beforehand.

use std::sync::Arc;

use crate::id::Dice;
use crate::phone::g711::Codec;

/// Samples, and octets, of a packet: 20 ms.
pub const FRAME: usize = 160;
/// Octets of an RTP header without extras (RFC 3550 §5.1).
const HEADER: usize = 12;

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
    /// Packets written.
    pub sent: u64,
}

impl Voice {
    /// A source that begins with a talkspurt.
    pub fn new(payload_type: u8, sound: Loop, dice: &mut Dice) -> Self {
        let mut header = [0; HEADER];
        header[0] = 0x80;
        header[1] = 0x80 | payload_type & 0x7f;
        header[8..].copy_from_slice(&dice.next_u32().to_be_bytes());
        let (sequence, timestamp) = (dice.next_u32() as u16, dice.next_u32());
        Voice { header, sequence, timestamp, sound, at: 0, sent: 0 }
    }

    /// Says something else from the next packet on.
    pub fn say(&mut self, sound: Loop) {
        (self.sound, self.at) = (sound, 0);
    }

    /// Writes the next packet; its length, or 0 where `room` is too small for one.
    pub fn write(&mut self, room: &mut [u8]) -> usize {
        let Some(packet) = room.get_mut(..HEADER + FRAME) else { return 0 };
        self.header[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        self.header[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        packet[..HEADER].copy_from_slice(&self.header);
        packet[HEADER..].copy_from_slice(&self.sound.0[self.at..self.at + FRAME]);
        self.header[1] &= 0x7f; // Only the first begins a talkspurt.
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        self.at = (self.at + FRAME) % self.sound.0.len();
        self.sent += 1;
        HEADER + FRAME
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
}
