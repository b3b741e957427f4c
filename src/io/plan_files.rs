//! Fetches the files that a plan is read from: the only part of the check that opens anything.
//!
//! Which files, and what they mean, is for `routing` to say.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::routing::{Draft, Fetched, Outcome, Overrides};
use crate::time::Timestamp;

/// No file of a plan is larger: 16 MiB hold over 17 minutes of a prompt.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// Reads the routing file at `path` with all that it names, and judges it.
pub fn load(path: &Path, overrides: &Overrides) -> Outcome {
    load_at(path, overrides, Timestamp::now())
}

/// The same, as things stand at `now`.
pub fn load_at(path: &Path, overrides: &Overrides, now: Timestamp) -> Outcome {
    draft(path, overrides).judge_at(now)
}

/// The same for a house that opens; see [`Draft::judge_opening`].
pub fn load_opening(path: &Path, overrides: &Overrides, now: Timestamp) -> Outcome {
    draft(path, overrides).judge_opening(now)
}

/// The routing file with all that it names, not yet judged.
pub fn draft(path: &Path, overrides: &Overrides) -> Draft {
    let mut draft = Draft::read(&path.to_string_lossy(), fetch(path), overrides);
    loop {
        let wanted = draft.wants();
        if wanted.is_empty() {
            return draft;
        }
        for name in wanted {
            let fetched = fetch(Path::new(&name));
            draft.give(&name, fetched);
        }
    }
}

/// One file, or why it cannot be read, in both languages.
pub fn fetch(path: &Path) -> Fetched {
    read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "没有这个文件 / no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "没有读取权限 / permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "是一个目录 / is a directory".to_owned(),
        io::ErrorKind::FileTooLarge => "超过 16 MiB / larger than 16 MiB".to_owned(),
        _ => error.to_string(),
    })
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}
