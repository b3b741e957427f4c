//! A recording of any kind as mono samples: WAV, FLAC, MP3 and Ogg Vorbis, told apart by their content.

use std::io::Cursor;

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

/// Longest recording, seconds: ten minutes.
const SECONDS_MAX: u64 = 600;
/// Largest file: ten minutes of stereo at 48 kHz and 24 bits.
pub const BYTES_MAX: u64 = 180 * 1024 * 1024;
/// Rates that a recording has.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;
/// Packets that may be spoiled before the file is.
const SPOILED_MAX: u32 = 16;

/// A recording, its channels mixed.
#[derive(Debug)]
pub struct Recording {
    /// Samples a second.
    pub rate: u32,
    /// Full scale is 1.
    pub samples: Vec<f32>,
}

/// Why a file is of no use; in both languages.
fn of_no_use(zh: &str, en: &str) -> String {
    format!("不能读取录音: {zh}\ncannot read the recording: {en}")
}

fn unreadable(error: &Error) -> String {
    let known = "支持 WAV、FLAC、MP3、OGG (Vorbis)";
    of_no_use(&format!("{error}；{known}"), &format!("{error}; WAV, FLAC, MP3 and OGG (Vorbis) are known"))
}

/// Decodes a whole file.
pub fn decode(bytes: Vec<u8>) -> Result<Recording, String> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| unreadable(&error))?;
    let silent = || of_no_use("里面没有声音", "there is no sound in it");
    let track = format.default_track(TrackType::Audio).ok_or_else(silent)?;
    let parameters = track.codec_params.as_ref().and_then(|own| own.audio()).ok_or_else(silent)?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| unreadable(&error))?;
    let id = track.id;
    let mut recording = Recording { rate: 0, samples: Vec::new() };
    let mut spoiled = 0;
    while let Some(packet) = format.next_packet().map_err(|error| unreadable(&error))? {
        if packet.track_id != id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(sound) => recording.take(&sound)?,
            // One spoiled packet is a click; a file of them is noise.
            Err(Error::DecodeError(_)) if spoiled < SPOILED_MAX => spoiled += 1,
            Err(error) => return Err(unreadable(&error)),
        }
    }
    if recording.samples.is_empty() { Err(silent()) } else { Ok(recording) }
}

impl Recording {
    /// Adds what was decoded, as the mean of its channels.
    fn take(&mut self, sound: &GenericAudioBufferRef<'_>) -> Result<(), String> {
        let rate = sound.spec().rate();
        if !RATES.contains(&rate) || (self.rate != 0 && self.rate != rate) {
            return Err(of_no_use(
                &format!("采样率 {rate} Hz 不可用，或中途改变"),
                &format!("its rate of {rate} Hz is of no use, or changes on the way"),
            ));
        }
        self.rate = rate;
        let channels = sound.num_planes().max(1);
        let mut interleaved: Vec<f32> = Vec::new();
        sound.copy_to_vec_interleaved(&mut interleaved);
        let mean = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
        self.samples.extend(interleaved.chunks_exact(channels).map(mean));
        if self.samples.len() as u64 > u64::from(rate) * SECONDS_MAX {
            return Err(of_no_use("长于 10 分钟", "it is longer than 10 minutes"));
        }
        Ok(())
    }

    /// Its length.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate.max(1))
    }
}
