//! How loud a prompt is, where it begins and ends: one rule for recordings and drafts.
//!
//! Speech and music are brought to [`LEVEL_DBFS`], measured as RMS over the frames in which there is sound, so that
//! pauses do not count; peaks that would then pass [`CEILING_DBFS`] are turned down for 5 ms around them, not
//! cut off. Decibels are relative to full scale: a sine that fills the range peaks at 0 and has −3 RMS.

use std::f64::consts::PI;

use super::RATE;
use crate::routing::prompts::Class;

/// RMS of the frames with sound.
pub const LEVEL_DBFS: f64 = -20.0;
/// Peaks of what is levelled.
pub const CEILING_DBFS: f64 = -2.0;
/// Above it a file is taken for clipped.
pub const PEAK_MAX_DBFS: f64 = -1.0;
/// Below it nobody would hear it on a street.
pub const PEAK_MIN_DBFS: f64 = -30.0;
/// What never gets louder than this holds no sound.
const NOTHING_DBFS: f64 = -60.0;
/// Frames so much softer than the loudest are pauses.
const PAUSE_DB: f64 = 30.0;
/// Quieter pieces at either end are cut off, once the rest has its level.
const SILENT_DBFS: f64 = -46.0;
/// 20 ms, one RTP packet: what is made ends on a whole one.
pub const FRAME: usize = 160;
/// 5 ms: by so much the ends are looked at, and peaks turned down around.
const PIECE: usize = 40;
/// Ends do not click.
const FADE: usize = 32;

/// Silence left at either end of a recording, samples: 100 ms.
pub const EDGE: usize = 800;
/// The same where fragments join into numbers: 15 ms.
pub const EDGE_OF_FRAGMENTS: usize = 120;

/// Decibels as a factor.
pub fn amplitude(decibels: f64) -> f64 {
    10.0_f64.powf(decibels / 20.0)
}

/// A factor as decibels; −∞ for nothing.
pub fn decibels(value: f64) -> f64 {
    20.0 * value.log10()
}

/// Root of the mean square; 0 of nothing.
pub fn rms(samples: &[f64]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| sample * sample).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// The greatest sample, whatever its sign.
pub fn peak(samples: &[f64]) -> f64 {
    samples.iter().fold(0.0, |peak, sample| sample.abs().max(peak))
}

/// RMS over the frames that are not pauses.
pub fn loudness(samples: &[f64]) -> f64 {
    let levels: Vec<f64> = samples.chunks(FRAME).map(rms).collect();
    let floor = peak(&levels) * amplitude(-PAUSE_DB);
    rms(&levels.into_iter().filter(|level| *level > floor).collect::<Vec<_>>())
}

/// What is wrong with a sound that cannot be levelled.
#[derive(Debug, PartialEq, Eq)]
pub struct Silent;

/// A prompt of this class out of mono samples of 8 kHz: levelled, its ends `edge` samples before and behind the
/// sound, on a whole frame. Tones and test sounds stay as they are; music keeps its ends, which loop.
pub fn finish(samples: Vec<f64>, class: Class, edge: usize) -> Result<Vec<f64>, Silent> {
    if peak(&samples) < amplitude(NOTHING_DBFS) {
        return Err(Silent);
    }
    if matches!(class, Class::Tone | Class::Bench) {
        return Ok(samples);
    }
    let mut levelled = level(&samples);
    if !class.is_spoken() {
        return Ok(levelled);
    }
    levelled = trim(levelled, edge);
    fade(&mut levelled);
    levelled.resize(levelled.len().next_multiple_of(FRAME), 0.0);
    Ok(levelled)
}

/// Turning peaks down costs loudness, hence the rounds.
fn level(samples: &[f64]) -> Vec<f64> {
    let (mut gain, mut levelled) = (1.0, samples.to_vec());
    for _ in 0..4 {
        gain *= amplitude(LEVEL_DBFS) / loudness(&levelled);
        let louder: Vec<f64> = samples.iter().map(|sample| sample * gain).collect();
        levelled = limit(&louder, amplitude(CEILING_DBFS));
    }
    levelled
}

/// Turns down 5 ms around each peak above `ceiling`, smoothly.
fn limit(samples: &[f64], ceiling: f64) -> Vec<f64> {
    let wanted: Vec<f64> = samples
        .iter()
        .map(|sample| if *sample == 0.0 { 1.0 } else { (ceiling / sample.abs()).min(1.0) })
        .collect();
    let around = |values: &[f64], at: usize, fold: fn(&[f64]) -> f64| {
        fold(&values[at.saturating_sub(PIECE)..(at + PIECE + 1).min(values.len())])
    };
    let lowest: Vec<f64> = (0..wanted.len())
        .map(|at| around(&wanted, at, |near| near.iter().fold(1.0, |low: f64, value| low.min(*value))))
        .collect();
    let mean = |near: &[f64]| near.iter().sum::<f64>() / near.len() as f64;
    samples.iter().enumerate().map(|(at, sample)| sample * around(&lowest, at, mean)).collect()
}

/// Leaves `edge` samples before the first and behind the last piece that is not silent: of what is there, and of
/// silence where there is less.
fn trim(samples: Vec<f64>, edge: usize) -> Vec<f64> {
    let loud = |piece: &[f64]| rms(piece) > amplitude(SILENT_DBFS);
    let pieces = || samples.chunks(PIECE);
    let (Some(first), Some(last)) = (pieces().position(loud), pieces().rposition(loud)) else {
        return samples;
    };
    let (first, last) = (first * PIECE, ((last + 1) * PIECE).min(samples.len()));
    let mut trimmed = vec![0.0; edge.saturating_sub(first)];
    let end = (last + edge).min(samples.len());
    trimmed.extend_from_slice(&samples[first.saturating_sub(edge)..end]);
    trimmed.resize(trimmed.len() + last + edge - end, 0.0);
    trimmed
}

/// Raised-cosine ends.
fn fade(samples: &mut [f64]) {
    let length = FADE.min(samples.len() / 2);
    for n in 0..length {
        let factor = 0.5 - 0.5 * (PI * (n as f64 + 0.5) / length as f64).cos();
        samples[n] *= factor;
        let end = samples.len() - 1 - n;
        samples[end] *= factor;
    }
}

/// Sixteen bits, mono, as a WAV file.
pub fn wav(samples: &[f64]) -> Result<Vec<u8>, hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut wav = hound::WavWriter::new(&mut bytes, spec)?;
    for sample in samples {
        let word = (sample * f64::from(i16::MAX)).round();
        wav.write_sample(word.clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16)?;
    }
    wav.finalize()?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(level_dbfs: f64, seconds: f64) -> Vec<f64> {
        let turn = 2.0 * PI * 1_000.0 / f64::from(RATE);
        let top = amplitude(level_dbfs);
        (0..(seconds * f64::from(RATE)) as usize).map(|n| top * (turn * n as f64 + 0.5).sin()).collect()
    }

    fn silence(seconds: f64) -> Vec<f64> {
        vec![0.0; (seconds * f64::from(RATE)) as usize]
    }

    #[test]
    fn soft_and_loud_speech_come_to_one_level_and_pauses_do_not_count() {
        for level_dbfs in [-50.0, -30.0, -12.0, 0.0] {
            let spoken = [tone(level_dbfs, 0.5), silence(3.0), tone(level_dbfs, 0.5)].concat();
            let made = finish(spoken, Class::Notice, EDGE).unwrap();
            let found = decibels(loudness(&made));
            assert!((found - LEVEL_DBFS).abs() < 0.3, "{level_dbfs}: {found}");
        }
    }

    #[test]
    fn peaks_stay_under_the_ceiling_and_the_level_is_reached_all_the_same() {
        let mut clicks = tone(-30.0, 2.0);
        for at in (400..clicks.len()).step_by(1_600) {
            clicks[at] = 0.9; // Nearly 30 dB above the speech around it.
        }
        let made = finish(clicks, Class::Notice, EDGE).unwrap();
        assert!(decibels(peak(&made)) <= CEILING_DBFS + 1e-9, "{}", decibels(peak(&made)));
        assert!((decibels(loudness(&made)) - LEVEL_DBFS).abs() < 0.5, "{}", decibels(loudness(&made)));
    }

    #[test]
    fn ends_are_cut_or_filled_to_the_edge_and_the_whole_ends_on_a_frame() {
        for (before, after, edge) in [(1.0, 2.0, EDGE), (0.0, 0.0, EDGE), (0.02, 0.5, EDGE_OF_FRAGMENTS)] {
            let spoken = [silence(before), tone(-20.0, 0.5), silence(after)].concat();
            let made = finish(spoken, Class::Notice, edge).unwrap();
            let sound = |sample: &f64| sample.abs() > amplitude(-40.0);
            let first = made.iter().position(sound).unwrap();
            let last = made.len() - 1 - made.iter().rposition(sound).unwrap();
            assert!(first.abs_diff(edge) <= PIECE, "{before}: {first}");
            assert!(last.abs_diff(edge) <= PIECE + FRAME, "{after}: {last}");
            assert_eq!(made.len() % FRAME, 0);
        }
    }

    #[test]
    fn tones_stay_as_they_are_music_keeps_its_ends_and_silence_is_refused() {
        let signal = [tone(-13.0, 0.35), silence(0.35)].concat();
        assert_eq!(finish(signal.clone(), Class::Tone, EDGE).unwrap(), signal);
        let music = finish(signal.clone(), Class::Music, EDGE).unwrap();
        assert_eq!(music.len(), signal.len());
        assert!((decibels(loudness(&music)) - LEVEL_DBFS).abs() < 0.3);
        assert_eq!(finish(tone(-61.0, 1.0), Class::Notice, EDGE), Err(Silent));
        assert_eq!(finish(Vec::new(), Class::Notice, EDGE), Err(Silent));
    }
}
