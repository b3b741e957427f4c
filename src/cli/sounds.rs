//! WAV files and tones for the telephones of the command line: 8 kHz, mono, 16 bit.

use std::path::Path;
use std::sync::Arc;

/// Samples a second, the telephone's.
pub const RATE: u32 = 8_000;
/// Loud enough to be heard beside speech, soft enough to be borne: 18 dB below full scale.
const TONE_AMPLITUDE: f64 = 4_000.0;
/// Longest file that is played: an hour.
const PLAYED_MAX: u32 = RATE * 3_600;

/// Reads a file to be played. The error is for the user, in both languages.
pub fn read(path: &Path) -> Result<Arc<[i16]>, String> {
    let name = path.display();
    let mut wav = hound::WavReader::open(path)
        .map_err(|error| format!("不能播放 {name}: {error}\ncannot play {name}: {error}"))?;
    let spec = wav.spec();
    let fits = spec.sample_rate == RATE
        && spec.channels == 1
        && spec.bits_per_sample == 16
        && spec.sample_format == hound::SampleFormat::Int;
    if !fits {
        let hint = format!("sox {name} -r 8000 -c 1 -b 16 out.wav");
        return Err(format!(
            "不能播放 {name}: 需要 8000 Hz、单声道、16 位整数，文件是 {} Hz、{} 声道、{} 位；可用: {hint}\n\
             cannot play {name}: 8000 Hz, mono, 16 bit integers are needed, the file has {} Hz, {} channels, \
             {} bit; try: {hint}",
            spec.sample_rate,
            spec.channels,
            spec.bits_per_sample,
            spec.sample_rate,
            spec.channels,
            spec.bits_per_sample
        ));
    }
    if wav.duration() == 0 || wav.duration() > PLAYED_MAX {
        return Err(format!(
            "不能播放 {name}: 文件为空或超过一小时\ncannot play {name}: empty, or longer than an hour"
        ));
    }
    wav.samples::<i16>()
        .collect::<Result<_, _>>()
        .map_err(|error| format!("不能播放 {name}: {error}\ncannot play {name}: {error}"))
}

/// Writes what was heard.
pub fn write(path: &Path, samples: &[i16]) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec)?;
    for sample in samples {
        wav.write_sample(*sample)?;
    }
    wav.finalize()
}

/// A second of a soft tone; of whole hertz, it can be repeated without a click.
pub fn tone(hertz: u32) -> Arc<[i16]> {
    let turn = std::f64::consts::TAU * f64::from(hertz) / f64::from(RATE);
    (0..RATE).map(|n| (TONE_AMPLITUDE * (turn * f64::from(n)).sin()) as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_another_format_is_named() {
        let path = std::env::temp_dir().join(format!("hotline-sounds-{}.wav", std::process::id()));
        write(&path, &[1, -2, 3]).unwrap();
        assert_eq!(*read(&path).unwrap(), [1, -2, 3]);
        write(&path, &[]).unwrap();
        assert!(read(&path).unwrap_err().contains("empty"));
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 44_100,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        hound::WavWriter::create(&path, spec).unwrap().finalize().unwrap();
        let refused = read(&path).unwrap_err();
        assert!(refused.contains("文件是 44100 Hz、2 声道") && refused.contains("44100 Hz, 2 channels"));
        std::fs::remove_file(&path).unwrap();
        assert!(read(&path).unwrap_err().contains("cannot play"));
    }

    #[test]
    fn a_tone_repeats_without_a_click() {
        let tone = tone(440);
        assert_eq!(tone.len(), 8_000);
        assert_eq!(tone[0], 0);
        let step = i32::from(tone[0]) - i32::from(tone[7_999]);
        assert!((step - i32::from(tone[1])).abs() < 2, "{step} {}", tone[1]);
    }
}
