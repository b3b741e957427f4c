//! What a killed process left behind: recordings whose header says less, or more, than there is.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::name::{DIRECTORY, FileName, Format, UNFINISHED};
use super::wav::{HEADER_BYTES, growing};
use crate::id::CallId;

/// A recording made whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Whose.
    pub call: CallId,
    /// Index of the leg whose sound alone it holds; `None`: both sides.
    pub track: Option<u16>,
    /// Under the data directory: `recordings/YYYY-MM-DD/<call>.wav`.
    pub file: String,
    /// Samples of each channel.
    pub samples: u64,
}

/// Makes all unfinished recordings under `data` whole and gives them their names; those without a
/// sample are deleted. To be called before the recorder starts. Files that cannot be repaired are
/// logged and left; the order is by day and call.
pub fn repair(data: &Path) -> Vec<Repaired> {
    let mut repaired = Vec::new();
    for day in names(&data.join(DIRECTORY)) {
        for name in names(&data.join(DIRECTORY).join(&day)) {
            let unfinished = name.strip_suffix(UNFINISHED).and_then(|rest| rest.strip_suffix('.'));
            let Some(name) = unfinished.and_then(FileName::parse) else { continue };
            let file = name.on(&day);
            if name.format != Format::Wav || name.sealed {
                // What it was made from is still there, and is compressed or sealed again.
                if let Err(error) = fs::remove_file(data.join(format!("{file}.{UNFINISHED}"))) {
                    tracing::warn!(%error, file, "what is left of a compression or an encryption stays");
                }
                continue;
            }
            match make_whole(&data.join(&file)) {
                Ok(0) => {}
                Ok(samples) => {
                    repaired.push(Repaired { call: name.call, track: name.track, file, samples });
                }
                Err(error) => tracing::warn!(%error, file, "a recording could not be repaired"),
            }
        }
    }
    repaired
}

/// Samples of each side of the finished recording `file` under `data`; `None` if it is not there or not whole.
pub fn whole_samples(data: &Path, file: &str) -> Option<u64> {
    let path = data.join(file);
    path.symlink_metadata().ok().filter(|found| found.is_file())?;
    Some(u64::from(hound::WavReader::open(path).ok()?.duration()))
}

pub(super) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// Repairs what grew towards `path`; its samples of each channel, 0 when there was nothing to keep.
fn make_whole(path: &Path) -> io::Result<u64> {
    let growing = growing(path);
    if !growing.symlink_metadata()?.is_file() {
        return Err(io::Error::other("not a file")); // A pipe would hold us.
    }
    let file = OpenOptions::new().read(true).write(true).open(&growing)?;
    let sound = file.metadata()?.len().saturating_sub(HEADER_BYTES);
    let mut header = [0; HEADER_BYTES as usize];
    let kept = if sound == 0 { Ok(()) } else { file.read_exact_at(&mut header, 0) };
    let samples = sound / block_of(&header);
    if kept.is_ok() && samples == 0 {
        fs::remove_file(&growing)?;
        return Ok(0);
    }
    kept?;
    if &header[..4] != b"RIFF" || &header[36..40] != b"data" {
        return Err(io::Error::other("not a recording of ours"));
    }
    let bytes = u32::try_from(samples * block_of(&header)).map_err(io::Error::other)?;
    let riff = u32::try_from(u64::from(bytes) + HEADER_BYTES - 8).map_err(io::Error::other)?;
    file.set_len(HEADER_BYTES + u64::from(bytes))?;
    file.write_all_at(&riff.to_le_bytes(), 4)?;
    file.write_all_at(&bytes.to_le_bytes(), 40)?;
    file.sync_all()?;
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(&growing, path)?;
    if let Some(day) = path.parent() {
        File::open(day)?.sync_all()?;
    }
    Ok(samples)
}

/// Bytes of one sample of all channels: the header's block size, one or two channels of 16 bit.
fn block_of(header: &[u8; HEADER_BYTES as usize]) -> u64 {
    if header[32] == 2 { 2 } else { 4 }
}
