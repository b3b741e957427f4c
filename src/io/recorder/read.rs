//! A finished recording as samples, whatever it is kept as.

use std::io;
use std::path::Path;

use super::flac;
use super::name::Format;

/// All samples, interleaved, and how many channels there are, of the recording that was filed as
/// `path`: of that file, or of the FLAC file that it became.
pub fn samples(path: &Path) -> io::Result<(Vec<i16>, u16)> {
    match hound::WavReader::open(path) {
        Ok(wav) => {
            let channels = wav.spec().channels;
            let samples = wav.into_samples::<i16>().collect::<Result<_, _>>();
            Ok((samples.map_err(io::Error::other)?, channels))
        }
        Err(hound::Error::IoError(error)) if error.kind() == io::ErrorKind::NotFound => {
            flac::read(&path.with_extension(Format::Flac.extension()))
        }
        Err(hound::Error::IoError(error)) => Err(error),
        Err(other) => Err(io::Error::other(other)),
    }
}
