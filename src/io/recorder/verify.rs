//! Whether all recordings are as the manifest has them.
//!
//! An engine may run meanwhile: what the keeper or the archive has just changed is no finding, so the row is looked at again
//! before anything is told of.
//!
//! Sums are of the files as they are stored, so a sealed one is held against the manifest without its key. With keys, it
//! is opened from end to end as well.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::archive::sum;
use super::name::{DIRECTORY, FileName, UNFINISHED, is_sealed};
use super::read::SoundFile;
use super::repair::names;
use super::seal::SealError;
use super::seal_keys::{KeyId, SealKeys};
use crate::io::store::{ManifestRow, Reader, StoreError};

/// Between two looks at a file that is another form of what the manifest has.
const FORM_NAP: Duration = Duration::from_millis(100);
/// So many of them for one file: the archive enters what it has made within a commit.
const FORM_NAPS: u32 = 10;
/// And so many of all: with many such files no engine is at work on them.
const ALL_NAPS: u32 = 100;

/// A file that is not as the manifest has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// In the manifest, and not there.
    Missing {
        /// Under the data directory.
        file: String,
    },
    /// There, and not what was filed.
    Changed {
        /// Under the data directory.
        file: String,
        /// What is other about it.
        what: String,
    },
    /// There, and not in the manifest.
    Unlisted {
        /// Under the data directory.
        file: String,
    },
    /// As it was filed, and sealed with none of the keys at hand.
    Locked {
        /// Under the data directory.
        file: String,
        /// The key that it names.
        key: KeyId,
    },
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Files that the manifest has.
    pub filed: usize,
    /// Files of calls that are known, which are still to be filed or are being written.
    pub waiting: usize,
    /// Of the files, those that are sealed.
    pub sealed: usize,
    /// Of the sealed, those that were opened from end to end.
    pub opened: usize,
    /// Files that were removed when their term was over; of those that are on their way out, too.
    pub removed: usize,
    /// What was found.
    pub findings: usize,
}

/// Holds every file under `data` against the manifest, and opens what is sealed if there are keys; findings are told by
/// name.
pub fn verify(
    data: &Path,
    reader: &Reader,
    keys: &SealKeys,
    mut tell: impl FnMut(&Finding),
) -> Result<Looked, StoreError> {
    let mut looked = Looked::default();
    let mut naps = ALL_NAPS;
    let mut tell = |looked: &mut Looked, finding: Finding| {
        looked.findings += 1;
        tell(&finding);
    };
    let mut directories: BTreeSet<String> = reader.manifest_directories()?.into_iter().collect();
    for name in names(&data.join(DIRECTORY)) {
        let path = format!("{DIRECTORY}/{name}");
        if data.join(&path).is_dir() {
            directories.insert(path);
        } else {
            tell(&mut looked, Finding::Unlisted { file: path });
        }
    }
    for directory in directories {
        // The names first: a file that is filed meanwhile is then in the manifest.
        let there = names(&data.join(&directory));
        let rows = reader.manifest_in(&directory)?;
        let listed: BTreeMap<&str, &ManifestRow> = rows.iter().map(|row| (row.file.as_str(), row)).collect();
        for row in &rows {
            if let Some(removed) = &row.removed {
                looked.removed += 1;
                if removed.gone && data.join(&row.file).symlink_metadata().is_ok() {
                    let what = "已到期删除，却又在 / was removed when its term was over, and is there".into();
                    tell(&mut looked, Finding::Changed { file: row.file.clone(), what });
                }
                continue;
            }
            let (row, found) = as_it_stands(data, reader, row, keys)?;
            if row.removed.is_some() {
                looked.removed += 1; // Since the look at the directory.
                continue;
            }
            looked.filed += 1;
            let sealed = is_sealed(&row.file);
            looked.sealed += usize::from(sealed);
            match found {
                Some(finding) => tell(&mut looked, finding),
                None => looked.opened += usize::from(sealed && !keys.is_empty()),
            }
        }
        for name in there {
            let file = format!("{directory}/{name}");
            if listed.contains_key(file.as_str()) || data.join(&file).symlink_metadata().is_err() {
                continue;
            }
            if is_expected(reader, &rows, &name)? {
                looked.waiting += 1;
            } else if is_unlisted(data, reader, &file, &name, &mut naps)? {
                tell(&mut looked, Finding::Unlisted { file });
            }
        }
    }
    Ok(looked)
}

/// What is found of a row, and the row by which: the file goes behind the row's change, so that a row that is still the same
/// says what is to be there.
fn as_it_stands(
    data: &Path,
    reader: &Reader,
    row: &ManifestRow,
    keys: &SealKeys,
) -> Result<(ManifestRow, Option<Finding>), StoreError> {
    let mut row = row.clone();
    loop {
        let may_open = is_sealed(&row.file) && !keys.is_empty();
        let opened = || may_open.then(|| open(data, &row.file, keys)).flatten();
        let Some(finding) = look_at(data, &row).or_else(opened) else { return Ok((row, None)) };
        match reader.manifest_of(row.call)?.into_iter().find(|own| own.track == row.track) {
            Some(now) if now.removed.is_some() => return Ok((now, None)),
            // From WAV to FLAC and to sealed: it comes to an end.
            Some(now) if now != row => row = now,
            _ => return Ok((row, Some(finding))),
        }
    }
}

/// Whether a file is in the manifest neither now nor soon, and is still there.
fn is_unlisted(
    data: &Path,
    reader: &Reader,
    file: &str,
    name: &str,
    naps: &mut u32,
) -> Result<bool, StoreError> {
    let unfinished = name.strip_suffix(UNFINISHED).and_then(|rest| rest.strip_suffix('.'));
    let Some(own) = FileName::parse(unfinished.unwrap_or(name)) else { return Ok(true) };
    // Of a recording that the manifest has in another form: it may be on its way into it, or out.
    for nap in 0..=FORM_NAPS {
        let rows = reader.manifest_of(own.call)?;
        let row = rows.iter().find(|row| row.track == own.track);
        let gone = data.join(file).symlink_metadata().is_err();
        if gone || row.is_some_and(|row| row.file == file) {
            return Ok(false);
        }
        if row.is_none() || nap == FORM_NAPS || *naps == 0 {
            break;
        }
        *naps -= 1;
        std::thread::sleep(FORM_NAP);
    }
    Ok(true)
}

/// Whether an unlisted file is one that a running engine will list: of a known call, whose sound no
/// other file has been listed for.
fn is_expected(reader: &Reader, rows: &[ManifestRow], name: &str) -> Result<bool, StoreError> {
    let unfinished = name.strip_suffix(UNFINISHED).and_then(|rest| rest.strip_suffix('.'));
    let Some(name) = FileName::parse(unfinished.unwrap_or(name)) else { return Ok(false) };
    let listed = rows.iter().any(|row| (row.call, row.track) == (name.call, name.track));
    Ok(!listed && reader.call(name.call)?.is_some())
}

fn look_at(data: &Path, row: &ManifestRow) -> Option<Finding> {
    let (file, path) = (row.file.clone(), data.join(&row.file));
    let changed = |what: String| Some(Finding::Changed { file: file.clone(), what });
    match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(Finding::Missing { file }),
        Err(error) => changed(error.to_string()),
        Ok(found) if !found.is_file() => changed("不是文件 / not a file".into()),
        Ok(found) if found.len() != row.bytes => {
            changed(format!("{} 字节，应为 {} / {0} bytes, not {1}", found.len(), row.bytes))
        }
        Ok(_) => match sum(&path, &|| true) {
            Err(error) => changed(error.to_string()),
            Ok((sha256, _)) if sha256 != row.sha256 => {
                changed(format!("SHA-256 {sha256}，应为 / not {}", row.sha256))
            }
            Ok(_) => None,
        },
    }
}

/// What is other about a sealed file that is as it was filed.
fn open(data: &Path, file: &str, keys: &SealKeys) -> Option<Finding> {
    let changed = |what: String| Some(Finding::Changed { file: file.to_owned(), what });
    let mut sound = match SoundFile::open(&data.join(file), keys) {
        Ok(sound) => sound,
        Err(SealError::NoKey(key)) => return Some(Finding::Locked { file: file.to_owned(), key }),
        Err(error) => return changed(error.to_string()),
    };
    match io::copy(&mut sound, &mut io::sink()) {
        Ok(_) => None,
        Err(error) => changed(error.to_string()),
    }
}
