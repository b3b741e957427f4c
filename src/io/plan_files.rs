//! Fetches the files that a plan is read from: the only part of the check that opens anything.
//!
//! Which files, and what they mean, is for `routing` to say.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use crate::routing::{Draft, Fetched, Listed, Outcome, Overrides};
use crate::time::Timestamp;

/// No file of a plan is larger: 16 MiB hold over 17 minutes of a prompt.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// No directory of a plan's files has more entries: beyond it, it is some other directory.
const ENTRIES_MAX: usize = 10_000;

/// By what a file is known to be another one, without reading it: editors write in place or put a new file
/// in the old one's stead, and either shows. Who copies a file with its times (`cp -p`, rsync) sets what it
/// says of its last change; when that was set is the kernel's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    modified: Option<SystemTime>,
    /// Seconds and their fraction in nanoseconds, of the last change to the file or to what is said of it.
    changed: (i64, i64),
    bytes: u64,
    node: (u64, u64),
}

/// A file as it was fetched.
#[derive(Debug, Clone)]
pub struct Held {
    /// By this name.
    pub name: String,
    /// What it holds.
    pub fetched: Fetched,
    /// What it was known by; `None`: it could not be opened.
    pub mark: Option<Mark>,
}

/// What a reading came to, and from which files.
#[derive(Debug)]
pub struct Reading {
    /// The plan, or what is wrong.
    pub outcome: Outcome,
    /// In the order in which they were asked for, the routing file first.
    pub files: Vec<Held>,
    /// Directories whose files were asked for by a pattern, and what each was known by.
    pub directories: Vec<Marked>,
}

/// A file or a directory, and what it was known by when it was read. One that was not there counts: it may come.
pub type Marked = (String, Option<Mark>);

impl Reading {
    /// Everything that tells, by having changed, that it is to be read again.
    pub fn marks(&self) -> Vec<Marked> {
        let files = self.files.iter().map(|held| (held.name.clone(), held.mark));
        files.chain(self.directories.iter().cloned()).collect()
    }
}

/// Where the files of a plan are.
pub trait Shelf {
    /// The file of this name.
    fn file(&mut self, name: &str) -> Held;
    /// The names of the files in this directory.
    fn names(&mut self, directory: &str) -> Listed;
}

/// The file system.
struct Disk;

impl Shelf for Disk {
    fn file(&mut self, name: &str) -> Held {
        held(name)
    }

    fn names(&mut self, directory: &str) -> Listed {
        list(Path::new(directory))
    }
}

/// Reads the routing file at `path` with all that it names, and judges it.
pub fn load(path: &Path, overrides: &Overrides) -> Outcome {
    load_at(path, overrides, Timestamp::now())
}

/// The same, as things stand at `now`.
pub fn load_at(path: &Path, overrides: &Overrides, now: Timestamp) -> Outcome {
    draft(path, overrides).judge_at(now)
}

/// The same, with each value in force and its origin.
pub fn load_noting(path: &Path, overrides: &Overrides) -> Outcome {
    let name = path.to_string_lossy();
    complete(&name, &mut Disk, |first| Draft::noting(&name, first, overrides)).0.judge_at(Timestamp::now())
}

/// The routing file with all that it names, not yet judged.
pub fn draft(path: &Path, overrides: &Overrides) -> Draft {
    with_files(&path.to_string_lossy(), overrides, &mut Disk).0
}

/// The same as [`load_at`], with the files.
pub fn read(path: &Path, overrides: &Overrides, now: Timestamp) -> Reading {
    through(&path.to_string_lossy(), overrides, now, &mut Disk)
}

/// The same for a house that opens; see [`Draft::judge_opening`].
pub fn read_opening(path: &Path, overrides: &Overrides, now: Timestamp) -> Reading {
    let (draft, files, directories) = with_files(&path.to_string_lossy(), overrides, &mut Disk);
    Reading { outcome: draft.judge_opening(now), files, directories }
}

/// Reads a plan from `shelf`; `name` is the routing file's.
pub fn through(name: &str, overrides: &Overrides, now: Timestamp, shelf: &mut impl Shelf) -> Reading {
    let (draft, files, directories) = with_files(name, overrides, shelf);
    Reading { outcome: draft.judge_at(now), files, directories }
}

fn with_files(name: &str, overrides: &Overrides, shelf: &mut impl Shelf) -> (Draft, Vec<Held>, Vec<Marked>) {
    complete(name, shelf, |first| Draft::read(name, first, overrides))
}

fn complete(
    name: &str,
    shelf: &mut impl Shelf,
    begin: impl FnOnce(Fetched) -> Draft,
) -> (Draft, Vec<Held>, Vec<Marked>) {
    let first = shelf.file(name);
    let mut draft = begin(first.fetched.clone());
    let (mut files, mut directories) = (vec![first], Vec::new());
    loop {
        let (wanted, listings) = (draft.wants(), draft.wants_listings());
        if wanted.is_empty() && listings.is_empty() {
            return (draft, files, directories);
        }
        for name in listings {
            // Before it is listed: what comes meanwhile is seen later.
            directories.push((name.clone(), mark(Path::new(&name))));
            let listed = shelf.names(&name);
            draft.give_listing(&name, listed);
        }
        for name in wanted {
            let held = shelf.file(&name);
            draft.give(&name, held.fetched.clone());
            files.push(held);
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

/// What the file at `path` is known by now; `None` where there is none.
pub fn mark(path: &Path) -> Option<Mark> {
    std::fs::metadata(path).ok().map(|about| Mark::of(&about))
}

impl Mark {
    pub(super) fn of(about: &Metadata) -> Self {
        Mark {
            modified: about.modified().ok(),
            changed: (about.ctime(), about.ctime_nsec()),
            bytes: about.len(),
            node: (about.dev(), about.ino()),
        }
    }
}

/// One file, or why it cannot be read, in both languages.
pub fn fetch(path: &Path) -> Fetched {
    held(&path.to_string_lossy()).fetched
}

fn held(name: &str) -> Held {
    let (fetched, mark) = match open(Path::new(name)) {
        // By the open file: what takes its place meanwhile is another one.
        Ok((file, mark)) => (contents(file), Some(mark)),
        Err(error) => (Err(error), None),
    };
    Held { name: name.to_owned(), fetched: fetched.map_err(|error| words(&error)), mark }
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "没有这个文件 / no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "没有读取权限 / permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "是一个目录 / is a directory".to_owned(),
        io::ErrorKind::FileTooLarge => "超过 16 MiB / larger than 16 MiB".to_owned(),
        io::ErrorKind::InvalidInput => "不是普通文件 / not a regular file".to_owned(),
        _ => error.to_string(),
    }
}

fn open(path: &Path) -> io::Result<(File, Mark)> {
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::ErrorKind::InvalidInput.into()); // To open a pipe is to wait for who writes into it.
    }
    let file = File::open(path)?;
    let mark = Mark::of(&file.metadata()?);
    Ok((file, mark))
}

fn contents(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `cp -p` and rsync do with `--inplace`: the times of the file that is copied.
    #[test]
    fn other_words_of_the_same_length_and_the_same_time_are_another_file() {
        let path = std::env::temp_dir().join(format!("hotline-mark-{}", std::process::id()));
        std::fs::write(&path, "wait_max = \"5min\"").unwrap();
        let about = std::fs::metadata(&path).unwrap();
        let before = mark(&path).unwrap();
        assert_eq!(mark(&path), Some(before), "untouched");
        // The kernel's clock for files is coarse: the next tick is waited for.
        while mark(&path) == Some(before) {
            std::fs::write(&path, "wait_max = \"6min\"").unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(about.modified().unwrap()).unwrap();
        }
        let after = std::fs::metadata(&path).unwrap();
        assert_eq!((after.len(), after.ino()), (about.len(), about.ino()));
        assert_eq!(after.modified().unwrap(), about.modified().unwrap());
        std::fs::remove_file(&path).unwrap();
    }
}
