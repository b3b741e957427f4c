//! A file of one JSON object a line: the first that says the same of all that is asked by; it says the rest.
//!
//! The file is read again when it has changed, so that whoever keeps it may write it anew at any time: best under
//! another name, and then renamed. A line that is no object is passed over, and counted in the log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::super::plan_files::Mark;
use super::{Answer, LookUp, Place, Question, values};
use crate::call::LookedUp;

/// Largest file, bytes; a larger one is not looked into at all.
const FILE_MAX: u64 = 32 * 1024 * 1024;
/// Most lines; the same holds for a file of more.
const LINES_MAX: usize = 200_000;

type Row = BTreeMap<String, String>;

pub(super) struct Jsonl {
    path: PathBuf,
    kept: Arc<Mutex<Option<Kept>>>,
}

/// The file as it was read.
struct Kept {
    mark: Mark,
    rows: Arc<Vec<Row>>,
}

impl Jsonl {
    /// The file need not be there yet: questions fail until it is.
    pub(super) fn new(path: PathBuf) -> Self {
        Jsonl { path, kept: Arc::default() }
    }
}

impl LookUp for Jsonl {
    fn ask<'a>(&'a self, question: &'a Question, place: Place) -> Answer<'a> {
        let (path, kept, by) = (self.path.clone(), Arc::clone(&self.kept), question.by.clone());
        Box::pin(async move {
            let asked = tokio::task::spawn_blocking(move || {
                let _place = place; // A file that hangs holds it, whoever has given up waiting.
                Ok(look(&rows(&path, &kept)?, &by))
            });
            asked.await.unwrap_or_else(|error| Err(error.to_string()))
        })
    }
}

fn look(rows: &[Row], by: &Row) -> LookedUp {
    let says = |row: &&Row| by.iter().all(|(name, value)| row.get(name) == Some(value));
    // Whoever asks by nothing is told nothing.
    let Some(found) = rows.iter().filter(|_| !by.is_empty()).find(says) else { return LookedUp::Missing };
    let rest = found.iter().filter(|(name, _)| !by.contains_key(*name));
    LookedUp::Found(rest.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// The file's rows, read again if it is another than it was. One reads, others wait for it.
fn rows(path: &Path, kept: &Mutex<Option<Kept>>) -> Result<Arc<Vec<Row>>, String> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mark = Mark::of(&file.metadata().map_err(|error| error.to_string())?);
    if let Some(known) = kept.as_ref().filter(|known| known.mark == mark) {
        return Ok(Arc::clone(&known.rows));
    }
    *kept = None;
    let rows = Arc::new(read(file, path)?);
    *kept = Some(Kept { mark, rows: Arc::clone(&rows) });
    Ok(rows)
}

fn read(file: File, path: &Path) -> Result<Vec<Row>, String> {
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(format!("the file is longer than {FILE_MAX} bytes"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes); // Some editors begin with a mark.
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let mut rows = Vec::new();
    let mut strange = 0_usize;
    for line in lines {
        if rows.len() == LINES_MAX {
            return Err(format!("the file has more than {LINES_MAX} lines"));
        }
        match serde_json::from_slice::<Map<String, Value>>(line) {
            Ok(object) => rows.push(values(object)),
            Err(_) => strange += 1,
        }
    }
    if strange > 0 {
        tracing::warn!(path = %path.display(), lines = strange, "lines that are no JSON object are passed over");
    }
    tracing::info!(path = %path.display(), rows = rows.len(), "a look-up's file was read");
    Ok(rows)
}
