//! The sounds that `prompts.toml` names: which there must be, and each compared with its hash.
//!
//! Encoding and playing them is `media`'s work.

use std::io::Cursor;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::diagnostic::Text;
use super::three_way::{JOIN_TONE, LEAVE_TONE};

mod manifest;

pub use manifest::{Class, Hash, ManifestTable, PromptTable, is_id, read};

/// Samples a second of every prompt.
pub const SAMPLE_RATE: u32 = 8_000;

/// Said when a sub-center does not answer.
pub const SUB_CENTER_UNANSWERED: &str = "sub_center_unanswered";

/// Said to who is put through to somebody else.
pub const TRANSFER_WAIT: &str = "transfer_wait";

/// Sounds that the engine itself asks for by id; a live file's manifest must have them all.
pub const REQUIRED: [&str; 36] = [
    "gonghao",
    "wei_nin_fuwu",
    "digit_0",
    "digit_1",
    "digit_2",
    "digit_3",
    "digit_4",
    "digit_5",
    "digit_6",
    "digit_7",
    "digit_8",
    "digit_9",
    "digit_yao",
    "ten",
    "hundred",
    "thousand",
    "ten_thousand",
    "liang",
    "queue_ahead_before",
    "queue_ahead_after",
    "queue_next",
    "queue_wait_before",
    "queue_wait_after",
    "queue_hold_on",
    "ticket_number",
    "survey",
    "survey_thanks",
    "survey_wrong",
    "goodbye",
    "seat_lost",
    TRANSFER_WAIT,
    "system_fault",
    "ringback",
    SUB_CENTER_UNANSWERED,
    "wrong_key",
    "returned_to_queue",
];

/// Sounds that the engine asks for by id where the file uses what they are for.
pub const SAID_SOMETIMES: [&str; 23] = [
    CALLBACK_OFFER,
    "callback_kept",
    COOL_DOWN,
    "survey_reason",
    "expert_unanswered",
    "department_unanswered",
    "emergency_unanswered",
    "after_hours",
    "follow_up_greeting",
    "ready",
    "away",
    "wrap_up_longer",
    "hundred_million",
    "yuan",
    "jiao",
    "fen",
    "year",
    "month",
    "day",
    "hour",
    "zheng",
    JOIN_TONE,
    LEAVE_TONE,
];

/// Offers a call back, and says by which key.
pub const CALLBACK_OFFER: &str = "callback_offer";
/// Says why a call gets a ticket instead of a person, and the key for who has an emergency.
pub const COOL_DOWN: &str = "cool_down";

/// Why a sound cannot be played.
#[derive(Debug, PartialEq, Eq)]
pub enum SoundFault {
    /// Its bytes are not those that were sealed; the hash that they have.
    Changed(String),
    /// It is not what the media engine plays.
    Format(Text),
}

impl std::fmt::Display for SoundFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SoundFault::Changed(actual) => {
                write!(
                    f,
                    "与登记的 SHA-256 不符，现在是 {actual}\nnot the sealed one; its SHA-256 is {actual}"
                )
            }
            SoundFault::Format(found) => write!(f, "格式不对: {}\nwrong format: {}", found.zh, found.en),
        }
    }
}

/// Decodes a WAV file of 8 kHz, 16 bits, one channel, after comparing it with its sealed hash.
pub fn decode(bytes: &[u8], sealed: &Hash) -> Result<Arc<[i16]>, SoundFault> {
    let actual = self::sealed(bytes);
    if actual != *sealed {
        return Err(SoundFault::Changed(actual.0));
    }
    let unreadable = |error: hound::Error| {
        SoundFault::Format(Text::new(
            format!("不是可读的 WAV（{error}）"),
            format!("no readable WAV ({error})"),
        ))
    };
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).map_err(unreadable)?;
    let spec = reader.spec();
    let fits = spec.channels == 1
        && spec.sample_rate == SAMPLE_RATE
        && spec.bits_per_sample == 16
        && spec.sample_format == hound::SampleFormat::Int;
    if !fits {
        return Err(SoundFault::Format(Text::new(
            format!("{} Hz、{} 位、{} 声道", spec.sample_rate, spec.bits_per_sample, spec.channels),
            format!("{} Hz, {} bits, {} channels", spec.sample_rate, spec.bits_per_sample, spec.channels),
        )));
    }
    let samples: Vec<i16> = reader.samples::<i16>().collect::<Result<_, _>>().map_err(unreadable)?;
    if samples.is_empty() {
        return Err(SoundFault::Format(Text::new("没有声音", "no sound in it")));
    }
    Ok(samples.into())
}

/// What is sealed for a file of these bytes.
pub fn sealed(bytes: &[u8]) -> Hash {
    Hash(hex(&Sha256::digest(bytes)))
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for sample in samples {
            writer.write_sample(*sample).unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_sound_is_taken_only_as_sealed_and_in_the_one_format() {
        let good = wav(8_000, 1, &[1, -2, 3]);
        assert_eq!(decode(&good, &sealed(&good)).unwrap().as_ref(), [1, -2, 3]);
        let other = sealed(b"other");
        assert_eq!(decode(&good, &other), Err(SoundFault::Changed(sealed(&good).0)));
        for bad in [
            wav(16_000, 1, &[1]),
            wav(8_000, 2, &[1, 1]),
            wav(8_000, 1, &[]),
            b"RIFF".to_vec(),
            good[..good.len() - 1].to_vec(),
        ] {
            let fault = decode(&bad, &sealed(&bad)).unwrap_err();
            assert!(matches!(fault, SoundFault::Format(_)));
        }
    }
}
