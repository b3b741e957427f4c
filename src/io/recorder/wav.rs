//! One WAV file that grows, stereo or of one leg: its format by `hound`, its bytes at their own places on disk.
//!
//! What the disk refuses becomes a hole, which reads as silence, so that time stays true and the
//! next half second is tried anew.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use super::name::UNFINISHED;
use crate::media::order::FRAME_SAMPLES;

/// Bytes before the samples in the files that we write.
pub const HEADER_BYTES: u64 = 44;
/// Bytes of one sample of one channel.
const SAMPLE_BYTES: u64 = 2;
/// Samples of one second.
pub const RATE: u32 = 8_000;
/// Longest recording: what comes after is lost. A WAV file ends at 4 GiB, 37 hours.
const FRAMES_MAX: u64 = 24 * 3_600 * 50;
/// See the module's own words.
pub struct WavFile {
    path: PathBuf,
    writer: hound::WavWriter<Sheet>,
    file: Arc<File>,
    state: Arc<SheetState>,
    channels: u16,
    frames: u64,
    unwritten: u64,
}

/// What `hound` writes on: a file that never says no, but notes that it had to.
struct Sheet {
    file: Arc<File>,
    at: u64,
    state: Arc<SheetState>,
}

/// What the file and its sheet, which `hound` owns, tell one another. One thread uses both.
#[derive(Default)]
struct SheetState {
    /// The error of a refused write; 0: none.
    refused: AtomicI32,
    /// What is written now is to be a hole.
    hole: AtomicBool,
    /// The disk is full.
    #[cfg(test)]
    full: AtomicBool,
}

impl SheetState {
    #[cfg(not(test))]
    fn is_full(&self) -> bool {
        false
    }

    #[cfg(test)]
    fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    fn take_refusal(&self) -> Option<io::Error> {
        match self.refused.swap(0, Ordering::Relaxed) {
            0 => None,
            code => Some(io::Error::from_raw_os_error(code)),
        }
    }
}

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.state.hole.load(Ordering::Relaxed) {
            let written = if self.state.is_full() {
                Err(io::Error::from_raw_os_error(libc::ENOSPC))
            } else {
                self.file.write_all_at(bytes, self.at)
            };
            if let Err(error) = written {
                // A write of nothing, the one case without a code, is what a full disk may answer.
                let code = error.raw_os_error().unwrap_or(libc::ENOSPC);
                self.state.refused.store(code, Ordering::Relaxed);
            }
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Sheet {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
            SeekFrom::End(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(self.at)
    }
}

impl WavFile {
    /// Creates the file that will be `path` when it is whole. Whatever stands there already, or
    /// where it grows, is left alone: it is never opened, so a pipe cannot hold us.
    pub fn create(path: PathBuf, channels: u16) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if let Some(day) = path.parent() {
            std::fs::create_dir_all(day)?;
        }
        let growing = growing(&path);
        let file = Arc::new(OpenOptions::new().read(true).write(true).create_new(true).open(&growing)?);
        let state = Arc::new(SheetState::default());
        let sheet = Sheet { file: Arc::clone(&file), at: 0, state: Arc::clone(&state) };
        let spec = hound::WavSpec {
            channels,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::new(sheet, spec).map_err(plain)?;
        writer.flush().map_err(plain)?;
        if let Some(error) = state.take_refusal() {
            let _ = std::fs::remove_file(&growing);
            return Err(error);
        }
        Ok(WavFile { path, writer, file, state, channels, frames: 0, unwritten: 0 })
    }

    /// Appends whole frames, interleaved. The error is the disk's: the frames are silence then.
    pub fn append(&mut self, samples: &[i16]) -> io::Result<()> {
        let frames = self.frames_in(samples);
        if self.frames + frames > FRAMES_MAX {
            self.unwritten += frames;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.put(samples)?;
        if let Some(error) = self.state.take_refusal() {
            self.unwritten += frames;
            return Err(error);
        }
        self.writer.flush().map_err(plain)?;
        self.state.take_refusal(); // A header that is behind is put right by the next, or by repair.
        Ok(())
    }

    /// Goes `frames` of silence ahead without troubling the disk.
    pub fn skip(&mut self, frames: u64) -> io::Result<()> {
        self.state.hole.store(true, Ordering::Relaxed);
        let silence = &[0; 2 * FRAME_SAMPLES][..usize::from(self.channels) * FRAME_SAMPLES];
        let done = (0..frames.min(FRAMES_MAX - self.frames)).try_for_each(|_| self.put(silence));
        self.state.hole.store(false, Ordering::Relaxed);
        done
    }

    fn put(&mut self, samples: &[i16]) -> io::Result<()> {
        let mut writer = self.writer.get_i16_writer(samples.len() as u32);
        for sample in samples {
            writer.write_sample(*sample);
        }
        writer.flush().map_err(plain)?;
        self.frames += self.frames_in(samples);
        Ok(())
    }

    fn frames_in(&self, samples: &[i16]) -> u64 {
        (samples.len() / (usize::from(self.channels) * FRAME_SAMPLES)) as u64
    }

    /// Frames so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The open file, for syncing.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Samples of each channel so far.
    pub fn samples(&self) -> u64 {
        self.frames * FRAME_SAMPLES as u64
    }

    /// Frames that the disk refused.
    pub fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// The last bytes. What comes back is whole but for its sync and its name: [`Whole::settle`].
    pub fn finish(self) -> Whole {
        let (samples, unwritten) = (self.samples(), self.unwritten);
        // The sheet never says no, so this fails for no reason of the disk's.
        let header = self.writer.finalize().map_err(plain);
        let len = HEADER_BYTES + samples * SAMPLE_BYTES * u64::from(self.channels);
        Whole {
            path: self.path,
            file: self.file,
            samples,
            unwritten,
            fault: header.err().or(self.state.take_refusal()),
            len,
        }
    }
}

/// A recording with all its bytes written.
pub struct Whole {
    path: PathBuf,
    file: Arc<File>,
    /// Samples of each channel.
    pub samples: u64,
    /// Frames that the disk refused: silence.
    pub unwritten: u64,
    fault: Option<io::Error>,
    len: u64,
}

impl Whole {
    /// Makes the file last and gives it its name. Waits for the disk.
    pub fn settle(self) -> io::Result<()> {
        if let Some(fault) = self.fault {
            return Err(fault); // The header is behind: left as it is for repair.
        }
        let growing = growing(&self.path);
        let there = growing.symlink_metadata()?;
        let ours = self.file.metadata()?;
        if (there.dev(), there.ino()) != (ours.dev(), ours.ino()) {
            return Err(io::Error::other("somebody replaced the file"));
        }
        if ours.len() != self.len {
            self.file.set_len(self.len)?; // A refused end, or somebody cut it: silence.
        }
        self.file.sync_data()?;
        std::fs::rename(&growing, &self.path)?;
        if let Some(day) = self.path.parent() {
            File::open(day)?.sync_all()?;
        }
        Ok(())
    }
}

/// Where the file that will be `path` grows.
pub fn growing(path: &Path) -> PathBuf {
    path.with_extension(format!("wav.{UNFINISHED}"))
}

fn plain(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_full_disk_refused_is_silence_and_the_rest_keeps_its_time() {
        let path = std::env::temp_dir().join(format!("hotline-wav-{}.wav", std::process::id()));
        let _ = std::fs::remove_file(growing(&path));
        let _ = std::fs::remove_file(&path);
        let mut file = WavFile::create(path.clone(), 2).unwrap();
        let frame = |value: i16| [value; 2 * FRAME_SAMPLES];
        file.append(&frame(1)).unwrap();
        file.state.full.store(true, Ordering::Relaxed);
        let error = file.append(&frame(2)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        file.state.full.store(false, Ordering::Relaxed);
        file.append(&frame(3)).unwrap();
        file.skip(2).unwrap();
        file.append(&frame(4)).unwrap();
        // And the end falls to a full disk again: the length is right all the same.
        file.state.full.store(true, Ordering::Relaxed);
        file.append(&frame(5)).unwrap_err();
        file.state.full.store(false, Ordering::Relaxed);

        let whole = file.finish();
        assert_eq!((whole.samples, whole.unwritten), (7 * 160, 2));
        whole.settle().unwrap();
        let samples: Vec<i16> =
            hound::WavReader::open(&path).unwrap().samples().map(Result::unwrap).collect();
        let expected: Vec<i16> = [1, 0, 3, 0, 0, 4, 0].into_iter().flat_map(frame).collect();
        assert_eq!(samples, expected);
        std::fs::remove_file(&path).unwrap();
    }
}
