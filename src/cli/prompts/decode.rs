//! A recording of any kind as mono samples: WAV, FLAC, MP3 and Ogg Vorbis, told apart by their content.

use std::io::Cursor;

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::FORMAT_ID_MP3;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use super::container::{self, Frames};

/// Longest recording, seconds: ten minutes.
const SECONDS_MAX: u64 = 600;
/// Largest file: ten minutes of stereo at 48 kHz and 24 bits.
pub const BYTES_MAX: u64 = 180 * 1024 * 1024;
/// Rates that a recording has.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;
/// Samples by which an MP3 file's own figures may be wrong: two frames.
const MP3_SLACK: u64 = 2_304;

/// A recording, its channels mixed.
#[derive(Debug, Default)]
pub struct Recording {
    /// Samples a second.
    pub rate: u32,
    /// Full scale is 1.
    pub samples: Vec<f32>,
    /// The second at which its first run of samples at full scale begins.
    pub clipped_at: Option<f64>,
    /// Of each channel: the last sample, and how often it came one behind the other.
    runs: Vec<(f32, u32)>,
}

/// Up from here a sample is at full scale: eight bits have no more on their upper side.
const FULL_SCALE: f32 = 0.99;
/// So many like samples at full scale are a top that was cut off, and none that was only touched.
const RUN: u32 = 4;

/// Why a file is of no use; in both languages.
fn of_no_use(zh: &str, en: &str) -> String {
    format!("不能读取录音: {zh}\ncannot read the recording: {en}")
}

fn unreadable(error: &Error, bytes: &[u8]) -> String {
    let (zh, en) = match container::foreign(bytes) {
        Some(kind) => (format!("不支持 {kind}"), format!("{kind} is not known")),
        None => (error.to_string(), error.to_string()),
    };
    of_no_use(
        &format!("{zh}；支持 WAV、FLAC、MP3、OGG (Vorbis)"),
        &format!("{en}; WAV, FLAC, MP3 and OGG (Vorbis) are known"),
    )
}

/// What is broken is not passed over: nobody would know which words are missing.
fn damaged(recording: &Recording, zh: &str, en: &str) -> String {
    let seconds = recording.seconds();
    of_no_use(
        &format!("自第 {seconds:.2} 秒起损坏（{zh}），请重新导出"),
        &format!("it is damaged from {seconds:.2} s on ({en}): export it again"),
    )
}

/// Decodes a whole file.
pub fn decode(mut bytes: Vec<u8>) -> Result<Recording, String> {
    container::say_its_length(&mut bytes);
    let bytes = container::behind_tags(&bytes);
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| unreadable(&error, bytes))?;
    let silent = || of_no_use("里面没有声音", "there is no sound in it");
    let track = format.default_track(TrackType::Audio).ok_or_else(silent)?;
    let parameters = track.codec_params.as_ref().and_then(|own| own.audio()).ok_or_else(silent)?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| unreadable(&error, bytes))?;
    let (id, count) = (track.id, track.num_frames);
    let mut frames = (format.format_info().format == FORMAT_ID_MP3).then(|| Frames::of(bytes));
    // Where the next packet begins, by the file's own time.
    let mut next = None;
    let mut recording = Recording::default();
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(Error::ResetRequired) => {
                return Err(of_no_use("由几段录音拼接而成", "it is several recordings joined"));
            }
            Err(error) => return Err(damaged(&recording, &error.to_string(), &error.to_string())),
        };
        if packet.track_id != id {
            continue;
        }
        let follows = match &mut frames {
            Some(frames) => frames.follows(&packet.data), // Of these the times are counted, not read.
            None => next.is_none_or(|next| next == packet.pts),
        };
        if !follows {
            return Err(damaged(&recording, "缺少一段", "a piece is missing"));
        }
        next = packet.pts.checked_add(packet.block_dur());
        match decoder.decode(&packet) {
            Ok(sound) => recording.take(&sound)?,
            Err(error) => return Err(damaged(&recording, &error.to_string(), &error.to_string())),
        }
    }
    if recording.samples.is_empty() {
        return Err(silent());
    }
    recording.is_all(count, frames.as_ref())?;
    Ok(recording)
}

impl Recording {
    /// Whether it is as long as its file says.
    fn is_all(&self, count: Option<u64>, frames: Option<&Frames<'_>>) -> Result<(), String> {
        if frames.is_some_and(|frames| !frames.is_over()) {
            return Err(damaged(self, "结尾不完整", "its end is cut off"));
        }
        // Without figures of its own, how long an MP3 file is was guessed from its bytes.
        let Some(count) = count.filter(|_| frames.is_none_or(|frames| frames.counted)) else { return Ok(()) };
        let slack = if frames.is_some() { MP3_SLACK } else { 0 };
        if self.samples.len() as u64 + slack >= count {
            return Ok(());
        }
        let (whole, own) = (count as f64 / f64::from(self.rate), self.seconds());
        Err(of_no_use(
            &format!("应长 {whole:.2} 秒，只读出 {own:.2} 秒：文件已损坏，请重新导出"),
            &format!("of its {whole:.2} s only {own:.2} can be read: it is damaged, export it again"),
        ))
    }

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
        if let Some(at) = interleaved.iter().position(|sample| !sample.is_finite()) {
            let seconds = (self.samples.len() + at / channels) as f64 / f64::from(rate);
            return Err(of_no_use(
                &format!("第 {seconds:.2} 秒处有不是数的样本（NaN 或无穷大），请重新导出"),
                &format!("a sample at {seconds:.2} s is no number (NaN or infinite): export it again"),
            ));
        }
        self.look_for_runs(&interleaved, channels, rate);
        let mean = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
        self.samples.extend(interleaved.chunks_exact(channels).map(mean));
        if self.samples.len() as u64 > u64::from(rate) * SECONDS_MAX {
            return Err(of_no_use("长于 10 分钟", "it is longer than 10 minutes"));
        }
        Ok(())
    }

    fn look_for_runs(&mut self, interleaved: &[f32], channels: usize, rate: u32) {
        self.runs.resize(channels, (0.0, 0));
        for (n, frame) in interleaved.chunks_exact(channels).enumerate() {
            for (sample, (last, run)) in frame.iter().zip(&mut self.runs) {
                let goes_on = sample == last && sample.abs() >= FULL_SCALE;
                *run = if goes_on { *run + 1 } else { 1 };
                *last = *sample;
                if *run == RUN && self.clipped_at.is_none() {
                    self.clipped_at = Some((self.samples.len() + n) as f64 / f64::from(rate));
                }
            }
        }
    }

    /// Its length.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate.max(1))
    }
}
