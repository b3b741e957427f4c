//! A look through the directories of recordings for files that are not filed, or not as they are kept:
//! what a killed process left, and what found no room with the archive.
//!
//! Day by day, newest first, so that it never holds more than one day's names. What is closed while it
//! looks is left to whoever tells of it, who knows more: where its gaps and pauses are to the sample.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::name::{DIRECTORY, FileName};
use super::repair::names;
use crate::id::CallId;
use crate::io::store::{FILE, ManifestRow, Reader, StoreError};
use crate::media::order::{FRAME_SAMPLES, Filed};
use crate::switchboard::What;
use crate::time::Instant;

/// See the module's own words.
pub(super) struct Sweep {
    data: PathBuf,
    reader: Option<Reader>,
    /// Oldest first: taken from the end.
    days: Vec<String>,
    found: Vec<Filed>,
    begun: SystemTime,
    failed: bool,
}

/// A file that is younger than the look by more than this is so by a clock that was set back.
const YOUNGER_MAX: Duration = Duration::from_secs(3_600);

impl Sweep {
    pub(super) fn begin(data: &Path) -> Self {
        let days = names(&data.join(DIRECTORY));
        let reader = Reader::open(&data.join(FILE)).inspect_err(
            |error| tracing::error!(%error, "recordings left by the last run are not looked for"),
        );
        Sweep {
            data: data.to_owned(),
            failed: reader.is_err(),
            reader: reader.ok(),
            days,
            found: Vec::new(),
            begun: SystemTime::now(),
        }
    }

    /// The next file that wants filing.
    pub(super) fn next(&mut self) -> Option<Filed> {
        loop {
            if let Some(found) = self.found.pop() {
                return Some(found);
            }
            let (Some(reader), Some(day)) = (&self.reader, self.days.pop()) else { return None };
            match unfiled(&self.data, reader, &day, self.begun) {
                Ok(found) => self.found = found,
                Err(error) => {
                    tracing::error!(%error, day, "recordings of a day are not looked through");
                    self.failed = true;
                }
            }
        }
    }

    /// Whether something could not be read.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }
}

/// The files of `day` that are there in two forms, or that the manifest does not have.
fn unfiled(data: &Path, reader: &Reader, day: &str, begun: SystemTime) -> Result<Vec<Filed>, StoreError> {
    let mut forms: BTreeMap<(CallId, Option<u16>), Vec<FileName>> = BTreeMap::new();
    for name in names(&data.join(DIRECTORY).join(day)) {
        if let Some(name) = FileName::parse(&name) {
            forms.entry((name.call, name.track)).or_default().push(name);
        }
    }
    let mut listed: BTreeMap<(CallId, Option<u16>), ManifestRow> = reader
        .manifest_in(&format!("{DIRECTORY}/{day}"))?
        .into_iter()
        .map(|row| ((row.call, row.track), row))
        .collect();
    let mut found = Vec::new();
    for ((call, track), forms) in forms {
        let row = listed.remove(&(call, track));
        if row.as_ref().is_some_and(|row| row.removed.is_some()) {
            continue; // It is on its way out.
        }
        if let (Some(row), [name]) = (&row, &forms[..])
            && row.file == name.on(day)
        {
            continue;
        }
        if forms.iter().any(|name| is_younger(&data.join(name.on(day)), begun)) {
            continue;
        }
        let filed = Filed {
            call,
            track,
            file: FileName::new(call, track).on(day),
            samples: 0,
            lost_frames: 0,
            gaps: Vec::new(),
            pauses: Vec::new(),
        };
        found.push(match row {
            Some(row) => Filed { lost_frames: row.lost_frames, gaps: row.gaps, pauses: row.pauses, ..filed },
            None => as_told(reader, filed)?,
        });
    }
    Ok(found)
}

/// Whether a file was written after the look began.
fn is_younger(path: &Path, begun: SystemTime) -> bool {
    let modified = path.symlink_metadata().and_then(|found| found.modified());
    let ahead = modified.ok().and_then(|modified| modified.duration_since(begun).ok());
    ahead.is_some_and(|ahead| ahead < YOUNGER_MAX)
}

/// What the call's facts say of its recording: a pause to the clock of the call, which the recording's
/// own follows from the answer on.
fn as_told(reader: &Reader, mut filed: Filed) -> Result<Filed, StoreError> {
    let (mut begun, mut paused, mut last) = (None, None, Instant::ZERO);
    for fact in reader.facts(filed.call)? {
        last = fact.mono;
        let sample = |begun: Option<Instant>| {
            let since = begun.map_or(0, |begun| fact.mono.since(begun).as_millis() as u64 * 8);
            since - since % FRAME_SAMPLES as u64
        };
        match fact.what {
            What::Answered { .. } => begun = Some(fact.mono),
            What::RecordingPaused { .. } => paused = Some(sample(begun)),
            What::RecordingResumed { .. } => {
                filed.pauses.extend(paused.take().map(|from| (from, sample(begun))));
            }
            What::Recorded { lost_frames, .. } if filed.track.is_none() => filed.lost_frames = lost_frames,
            _ => {}
        }
    }
    let end = begun.map_or(0, |begun| last.since(begun).as_millis() as u64 * 8);
    filed.pauses.extend(paused.map(|from| (from, end.max(from))));
    Ok(filed)
}
