//! Fetches the files that a plan is read from: the only part of the check that opens anything.
//!
//! Which files, and what they mean, is for `routing` to say.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::routing::{Draft, Fetched, Listed, Outcome, Overrides};
use crate::time::Timestamp;

/// No file of a plan is larger: 16 MiB hold over 17 minutes of a prompt.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// No directory of a plan's files has more entries: beyond it, it is some other directory.
const ENTRIES_MAX: usize = 10_000;

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

/// The same, with each value in force and its origin.
pub fn load_noting(path: &Path, overrides: &Overrides) -> Outcome {
    let draft = Draft::noting(&path.to_string_lossy(), fetch(path), overrides);
    complete(draft).judge_at(Timestamp::now())
}

/// The routing file with all that it names, not yet judged.
pub fn draft(path: &Path, overrides: &Overrides) -> Draft {
    complete(Draft::read(&path.to_string_lossy(), fetch(path), overrides))
}

fn complete(mut draft: Draft) -> Draft {
    loop {
        let (wanted, listings) = (draft.wants(), draft.wants_listings());
        if wanted.is_empty() && listings.is_empty() {
            return draft;
        }
        for name in listings {
            let listed = list(Path::new(&name));
            draft.give_listing(&name, listed);
        }
        for name in wanted {
            let fetched = fetch(Path::new(&name));
            draft.give(&name, fetched);
        }
    }
}

/// The names of a directory's files; what is no file is none of them.
fn list(path: &Path) -> Listed {
    let read = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for (index, entry) in std::fs::read_dir(path)?.enumerate() {
            if index >= ENTRIES_MAX {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            let path = entry?.path();
            if path.is_file() {
                names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
        }
        Ok(names)
    };
    read().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "没有这个目录 / no such directory".to_owned(),
        io::ErrorKind::PermissionDenied => "没有读取权限 / permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "不是目录 / no directory".to_owned(),
        io::ErrorKind::FileTooLarge => format!("文件多于 {ENTRIES_MAX} 个 / more than {ENTRIES_MAX} files"),
        _ => error.to_string(),
    })
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
