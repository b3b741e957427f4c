//! The manifest of recordings: one row for each file, as it was when it was whole.

use rusqlite::{Connection, Row, params};

use super::read::{Reader, parse_call, parse_time};
use super::schema::StoreError;
use crate::id::CallId;
use crate::time::Timestamp;

/// `track` of the file of both sides.
const BOTH: i64 = -1;

/// What a file of a recording was when it was filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestRow {
    /// Whose.
    pub call: CallId,
    /// Index of the leg whose sound alone it holds; `None`: both sides.
    pub track: Option<u16>,
    /// Under the data directory.
    pub file: String,
    /// `wav`, `flac`.
    pub format: String,
    /// Of the whole file, lower-case hexadecimal.
    pub sha256: String,
    /// Of the whole file.
    pub bytes: u64,
    /// Samples of each channel: its length at 8,000 a second.
    pub samples: u64,
    /// Frames of 20 ms that are silence because they were lost.
    pub lost_frames: u64,
    /// Where they were, in samples: from, until.
    pub gaps: Vec<(u64, u64)>,
    /// What was paused, in samples: from, until.
    pub pauses: Vec<(u64, u64)>,
    /// When it was filed.
    pub at: Timestamp,
    /// `Some`: its term was over.
    pub removed: Option<Removed>,
}

/// How a recording's file came to be no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// When that was entered.
    pub at: Timestamp,
    /// The class whose term was over; `None`: that of all others.
    pub class: Option<String>,
    /// Whether the file is known to be gone; it is removed after the entry.
    pub gone: bool,
}

const COLUMNS: &str = "call, track, file, format, sha256, bytes, samples, lost_frames, gaps, pauses, at,\
    removed_at, removed_class, gone FROM recordings";

/// Enters a file, in place of what its call's record said of the same sound before. `false`: that was removed meanwhile, and
/// stays so.
pub(super) fn enter(db: &Connection, row: &ManifestRow) -> Result<bool, StoreError> {
    let mut replace = db.prepare_cached(
        "INSERT OR REPLACE INTO recordings
             (call, track, file, format, sha256, bytes, samples, lost_frames, gaps, pauses, at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 WHERE NOT EXISTS
             (SELECT 1 FROM recordings WHERE call = ?1 AND track = ?2 AND removed_at IS NOT NULL)",
    )?;
    let new = replace.execute(params![
        row.call.to_string(),
        track_number(row.track),
        row.file,
        row.format,
        row.sha256,
        signed(row.bytes),
        signed(row.samples),
        signed(row.lost_frames),
        spans_text(&row.gaps)?,
        spans_text(&row.pauses)?,
        row.at.to_string(),
    ])?;
    Ok(new > 0)
}

impl Reader {
    /// The manifest's rows of one call: of both sides first, then by leg.
    pub fn manifest_of(&self, call: CallId) -> Result<Vec<ManifestRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} WHERE call = ? ORDER BY track");
        let mut select = self.db.prepare_cached(&sql)?;
        collect(select.query([call.to_string()])?)
    }

    /// The manifest's rows of files in `directory`, under the data directory, by name.
    pub fn manifest_in(&self, directory: &str) -> Result<Vec<ManifestRow>, StoreError> {
        // Names in it are between the directory's with `/` and with what follows `/`.
        let sql = format!("SELECT {COLUMNS} WHERE file > ?1 || '/' AND file < ?1 || '0' ORDER BY file");
        let mut select = self.db.prepare_cached(&sql)?;
        collect(select.query([directory])?)
    }

    /// The directories that the manifest names files in, by name.
    pub fn manifest_directories(&self) -> Result<Vec<String>, StoreError> {
        // The index is by file: each step leaps over a directory.
        let mut next =
            self.db.prepare_cached("SELECT file FROM recordings WHERE file >= ? ORDER BY file LIMIT 1")?;
        let mut directories: Vec<String> = Vec::new();
        let mut from = String::new();
        while let Some(row) = next.query([&from])?.next()? {
            let file: String = row.get(0)?;
            let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
            from = format!("{directory}0");
            if from <= file {
                from = format!("{file}\0"); // A name of no shape of ours must not hold us here.
            }
            if directories.last() != Some(&directory) {
                directories.push(directory);
            }
        }
        Ok(directories)
    }
}

/// A track as the table has it.
pub(super) fn track_number(track: Option<u16>) -> i64 {
    track.map_or(BOTH, i64::from)
}

/// Rows: `rest` of the statement says which.
pub(super) fn select(
    db: &Connection,
    rest: &str,
    of: impl rusqlite::Params,
) -> Result<Vec<ManifestRow>, StoreError> {
    let mut select = db.prepare_cached(&format!("SELECT {COLUMNS} {rest}"))?;
    collect(select.query(of)?)
}

fn collect(mut rows: rusqlite::Rows<'_>) -> Result<Vec<ManifestRow>, StoreError> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<ManifestRow, StoreError> {
    let number =
        |index| -> Result<u64, StoreError> { Ok(u64::try_from(row.get::<_, i64>(index)?).unwrap_or(0)) };
    Ok(ManifestRow {
        call: parse_call(&row.get::<_, String>(0)?)?,
        track: u16::try_from(row.get::<_, i64>(1)?).ok(),
        file: row.get(2)?,
        format: row.get(3)?,
        sha256: row.get(4)?,
        bytes: number(5)?,
        samples: number(6)?,
        lost_frames: number(7)?,
        gaps: spans_of(&row.get::<_, String>(8)?)?,
        pauses: spans_of(&row.get::<_, String>(9)?)?,
        at: parse_time(&row.get::<_, String>(10)?)?,
        removed: match row.get::<_, Option<String>>(11)? {
            Some(at) => Some(Removed { at: parse_time(&at)?, class: row.get(12)?, gone: row.get(13)? }),
            None => None,
        },
    })
}

fn spans_text(spans: &[(u64, u64)]) -> Result<String, StoreError> {
    serde_json::to_string(spans).map_err(|error| fault(&error))
}

fn spans_of(text: &str) -> Result<Vec<(u64, u64)>, StoreError> {
    serde_json::from_str(text).map_err(|error| fault(&error))
}

fn fault(error: &serde_json::Error) -> StoreError {
    StoreError::Row { table: "recordings", what: error.to_string() }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;
    use crate::id::Dice;

    #[test]
    fn rows_come_back_as_they_were_by_call_and_by_directory() {
        let path = std::env::temp_dir().join(format!("hotline-manifest-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let db = schema::open(&path).unwrap();
        let row = |n: u64, track: Option<u16>, day: &str| {
            let call = CallId::draw(n, &mut Dice::seeded(n));
            let name = track.map_or_else(String::new, |leg: u16| format!("-{leg}"));
            ManifestRow {
                call,
                track,
                file: format!("recordings/{day}/{call}{name}.wav"),
                format: "wav".into(),
                sha256: "00".repeat(32),
                bytes: 44,
                samples: n,
                lost_frames: 2,
                gaps: vec![(0, 320)],
                pauses: vec![(160, 320), (480, 640)],
                at: "2021-09-01T01:00:00Z".parse().unwrap(),
                removed: None,
            }
        };
        let rows = [
            row(1, None, "2021-08-31"),
            row(2, None, "2021-09-01"),
            row(2, Some(0), "2021-09-01"),
            row(3, None, "2021-09-02"),
        ];
        for row in &rows {
            assert!(enter(&db, row).unwrap());
        }
        // Compressed later: the same sound in another file.
        let flac = ManifestRow {
            file: rows[3].file.replace("wav", "flac"),
            format: "flac".into(),
            ..rows[3].clone()
        };
        assert!(enter(&db, &flac).unwrap());
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.manifest_of(rows[1].call).unwrap(), rows[1..3]);
        let mut of_day = reader.manifest_in("recordings/2021-09-01").unwrap();
        of_day.sort_by_key(|row| row.track);
        assert_eq!(of_day, rows[1..3]);
        assert_eq!(reader.manifest_in("recordings/2021-09-02").unwrap(), [flac]);
        let days = ["2021-08-31", "2021-09-01", "2021-09-02"].map(|day| format!("recordings/{day}"));
        assert_eq!(reader.manifest_directories().unwrap(), days);
        std::fs::remove_file(&path).unwrap();
    }
}
