//! Fetches the files that a plan is read from: the only part of the check that opens anything.
//!
//! Which files, and what they mean, is for `routing` to say.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use crate::routing::{Draft, Fetched, Outcome, Overrides};
use crate::time::Timestamp;

/// No file of a plan is larger: 16 MiB hold over 17 minutes of a prompt.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// By what a file is known to be another one, without reading it: editors write in place or put a new file
/// in the old one's stead, and either shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    modified: Option<SystemTime>,
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
}

/// Reads the routing file at `path` with all that it names, and judges it.
pub fn load(path: &Path, overrides: &Overrides) -> Outcome {
    read(path, overrides).outcome
}

/// The same, with the files.
pub fn read(path: &Path, overrides: &Overrides) -> Reading {
    through(&path.to_string_lossy(), overrides, fetch)
}

/// Reads a plan through `fetch`, which gives each file by its name; `name` is the routing file's.
pub fn through(name: &str, overrides: &Overrides, mut fetch: impl FnMut(&str) -> Held) -> Reading {
    let first = fetch(name);
    let mut draft = Draft::read(name, first.fetched.clone(), overrides);
    let mut files = vec![first];
    loop {
        let wanted = draft.wants();
        if wanted.is_empty() {
            return Reading { outcome: draft.judge_at(Timestamp::now()), files };
        }
        for name in wanted {
            let held = fetch(&name);
            draft.give(&name, held.fetched.clone());
            files.push(held);
        }
    }
}

/// What the file at `path` is known by now; `None` where there is none.
pub fn mark(path: &Path) -> Option<Mark> {
    std::fs::metadata(path).ok().map(|about| Mark::of(&about))
}

impl Mark {
    fn of(about: &Metadata) -> Self {
        Mark { modified: about.modified().ok(), bytes: about.len(), node: (about.dev(), about.ino()) }
    }
}

fn fetch(name: &str) -> Held {
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
        _ => error.to_string(),
    }
}

fn open(path: &Path) -> io::Result<(File, Mark)> {
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
