//! A finished recording's file, sealed or not: its bytes from any place, and its samples.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::flac;
use super::name::{Format, is_sealed, kept};
use super::seal::{SealError, SealedFile};
use super::seal_keys::SealKeys;

/// The sound of a recording as a WAV or FLAC file has it, opened where it is sealed.
pub enum SoundFile {
    /// It lies in the clear.
    Clear {
        /// The file.
        file: File,
        /// Its bytes.
        bytes: u64,
    },
    /// It is encrypted.
    Sealed(Box<SealedFile<File>>),
}

impl SoundFile {
    /// Opens the file of this name; one whose name says so with the key that it names.
    pub fn open(path: &Path, keys: &SealKeys) -> Result<Self, SealError> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
        }
        // Of the name alone: what directories are called is the operator's affair.
        match path.file_name().and_then(OsStr::to_str).is_some_and(is_sealed) {
            true => Ok(SoundFile::Sealed(Box::new(SealedFile::open(file, keys)?))),
            false => Ok(SoundFile::Clear { file, bytes: metadata.len() }),
        }
    }

    /// Bytes of the sound file, opened.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u64 {
        match self {
            SoundFile::Clear { bytes, .. } => *bytes,
            SoundFile::Sealed(sealed) => sealed.len(),
        }
    }
}

impl Read for SoundFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            SoundFile::Clear { file, .. } => file.read(out),
            SoundFile::Sealed(sealed) => sealed.read(out),
        }
    }
}

impl Seek for SoundFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            SoundFile::Clear { file, .. } => file.seek(to),
            SoundFile::Sealed(sealed) => sealed.seek(to),
        }
    }
}

/// The recording that was filed as `file` under `data`, whatever became of it, and as what its sound is. `None`: there is
/// none.
pub fn open_kept(data: &Path, file: &str, keys: &SealKeys) -> Option<Result<(SoundFile, Format), SealError>> {
    // It may be compressed or sealed between the look and the opening: then the other file is there.
    for last in [false, false, true] {
        let (name, format) = kept(data, file)?;
        match SoundFile::open(&data.join(name), keys) {
            Err(SealError::Io(error)) if error.kind() == io::ErrorKind::NotFound && !last => {}
            opened => return Some(opened.map(|opened| (opened, format))),
        }
    }
    None
}

/// All samples, interleaved, and how many channels there are, of the recording that was filed as
/// `path`: of that file, or of what it became.
pub fn samples(path: &Path, keys: &SealKeys) -> io::Result<(Vec<i16>, u16)> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let (file, format) = open_kept(directory, name, keys).ok_or(io::ErrorKind::NotFound)??;
    match format {
        Format::Flac => flac::read_in(file),
        Format::Wav => {
            let wav = hound::WavReader::new(BufReader::new(file)).map_err(io::Error::other)?;
            let channels = wav.spec().channels;
            let samples = wav.into_samples::<i16>().collect::<Result<_, _>>();
            Ok((samples.map_err(io::Error::other)?, channels))
        }
    }
}

/// Samples of each channel, as the head of the file says.
pub(super) fn samples_in(file: SoundFile, format: Format) -> io::Result<u64> {
    match format {
        Format::Flac => flac::samples_in(file),
        Format::Wav => {
            let wav = hound::WavReader::new(BufReader::new(file)).map_err(io::Error::other)?;
            Ok(u64::from(wav.duration()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_sealed_file_is_one_in_whatever_directory_it_lies() {
        let mut name = format!("hotline-read-{}-", std::process::id()).into_bytes();
        name.push(0xff); // No UTF-8.
        let directory = std::env::temp_dir().join(OsStr::from_bytes(&name));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("a.wav.sealed");
        std::fs::write(&path, "no recording").unwrap();
        assert!(matches!(SoundFile::open(&path, &SealKeys::default()), Err(SealError::NotSealed)));
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
