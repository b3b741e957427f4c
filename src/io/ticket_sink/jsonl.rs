//! A file of one event a line, for whoever collects files.
//!
//! The file is opened for each event, so that a collector may move it away at any time. A line that
//! was cut short, by a full disk or a power cut, is taken back: its event comes again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Delivery, TicketSink};
use crate::tickets::event::{Outcome, StoredEvent};

/// Bytes looked at together, from the end, for where the last line begins.
const LOOK_BACK: u64 = 4_096;

pub(super) struct Jsonl {
    /// One line at a time.
    path: Arc<Mutex<PathBuf>>,
}

impl Jsonl {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        mend(&open(path)?)?;
        Ok(Jsonl { path: Arc::new(Mutex::new(path.to_owned())) })
    }
}

impl TicketSink for Jsonl {
    fn deliver<'a>(&'a self, event: &'a StoredEvent) -> Delivery<'a> {
        let (path, json) = (Arc::clone(&self.path), Arc::clone(&event.json));
        Box::pin(async move {
            let written = tokio::task::spawn_blocking(move || {
                // What a fault has left half done is mended before the next line.
                let path = path.lock().unwrap_or_else(PoisonError::into_inner);
                append(&path, &json)
            });
            match written.await {
                Ok(Ok(())) => Outcome::Taken,
                Ok(Err(error)) => Outcome::Retry(error.to_string()),
                Err(error) => Outcome::Retry(error.to_string()),
            }
        })
    }
}

/// Returns when a power cut would not take the line back.
fn append(path: &Path, json: &str) -> io::Result<()> {
    let mut file = open(path)?;
    let whole = mend(&file)?;
    let line = format!("{json}\n");
    let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
    if written.is_err() {
        // Should this fail too, the next line's mending does it.
        let _ = file.set_len(whole);
    }
    written
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let file = options.create(true).open(path)?;
            // A new file is on disk when its name is.
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
            Ok(file)
        }
        opened => opened,
    }
}

/// Makes the file end with a whole line; its length then. What is JSON lacks its line end only; what
/// is not was cut short, and goes.
fn mend(file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut start = length;
    let mut last = Vec::new();
    while start > 0 {
        let from = start.saturating_sub(LOOK_BACK);
        let mut part = vec![0; (start - from) as usize];
        file.read_exact_at(&mut part, from)?;
        let line_end = part.iter().rposition(|byte| *byte == b'\n');
        let begins = line_end.map_or(0, |at| at + 1);
        last.splice(..0, part.drain(begins..));
        start = from + begins as u64;
        if line_end.is_some() {
            break;
        }
    }
    if last.is_empty() {
        return Ok(length);
    }
    if serde_json::from_slice::<serde::de::IgnoredAny>(&last).is_ok() {
        let mut end = file;
        end.write_all(b"\n")?;
        return Ok(length + 1);
    }
    tracing::warn!(bytes = last.len(), "the last line was cut short and is taken back");
    file.set_len(start)?;
    Ok(start)
}
