//! The shape of the database and how a connection to it is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Version of the shape that this program writes; `user_version` of the file.
pub const SCHEMA: i64 = 7;
/// How long a reader waits for a lock before it gives up.
const BUSY: Duration = Duration::from_secs(2);
/// Statements kept prepared per connection.
const STATEMENTS: usize = 64;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Written by a newer program: this one would lose what it does not know.
    #[error(
        "{path}: schema {found} is newer than {SCHEMA}, which this program knows; use the newer program or another data directory"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// The file cannot be opened, read or written.
    #[error("{path}: {source}")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A row does not hold what this program writes there.
    #[error("{table}: {what}")]
    Row {
        /// Where.
        table: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The writer's thread is gone or gave no answer in time.
    #[error("the store's writer gives no answer")]
    Gone,
    /// A query failed on an open connection.
    #[error("store: {0}")]
    Query(#[from] rusqlite::Error),
}

const VERSION_1: &str = "
CREATE TABLE calls (
    arrival INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    ticket TEXT NOT NULL,
    line TEXT NOT NULL,
    dialled TEXT NOT NULL,
    caller TEXT NOT NULL,
    trunk TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    answered_at TEXT,
    queue TEXT,
    seat TEXT,
    waited_ms INTEGER NOT NULL,
    talked_ms INTEGER NOT NULL,
    grade INTEGER,
    cause TEXT,
    lasted_ms INTEGER,
    recording TEXT,
    recording_ms INTEGER,
    recording_lost INTEGER NOT NULL,
    undurable INTEGER NOT NULL,
    shifted_clock INTEGER NOT NULL,
    wire_ref TEXT NOT NULL
) STRICT;
CREATE INDEX calls_open ON calls(arrival) WHERE cause IS NULL;
CREATE INDEX calls_caller ON calls(caller, arrival) WHERE caller <> '';
CREATE TABLE facts (
    call TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    at TEXT NOT NULL,
    mono_ns INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (call, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    arrival INTEGER PRIMARY KEY,
    call TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (call, sequence)
) STRICT;
CREATE TABLE owed (
    sink TEXT NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (sink, event)
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letters (
    sink TEXT NOT NULL,
    event INTEGER NOT NULL,
    at TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (sink, event)
) STRICT, WITHOUT ROWID;
CREATE TABLE bindings (
    seat TEXT PRIMARY KEY,
    contact TEXT NOT NULL,
    flow TEXT NOT NULL,
    listener INTEGER NOT NULL,
    expires_at TEXT NOT NULL,
    call_id TEXT NOT NULL,
    cseq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    json TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TABLE tickets (
    number TEXT PRIMARY KEY,
    call TEXT NOT NULL UNIQUE,
    sequence INTEGER NOT NULL,
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Outboxes read what is owed by call and sequence: the table is in that order. Whether a partial
/// index of callers serves depends on who is asked for: a whole one serves at once.
const VERSION_2: &str = "
CREATE TABLE owed_2 (
    sink TEXT NOT NULL,
    call TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (sink, call, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO owed_2 SELECT sink, call, sequence, event FROM owed JOIN events ON arrival = event;
DROP TABLE owed;
ALTER TABLE owed_2 RENAME TO owed;
DROP INDEX calls_caller;
CREATE INDEX calls_caller ON calls(caller, arrival);
";

/// A call that opens touches one small table beside its fact; its row among the calls is written once,
/// when it is over. `arrival` is its place in the order in which calls came.
const VERSION_3: &str = "
CREATE TABLE opened (
    arrival INTEGER PRIMARY KEY,
    call TEXT NOT NULL
) STRICT;
INSERT INTO opened SELECT arrival, id FROM calls WHERE cause IS NULL;
DELETE FROM calls WHERE cause IS NULL;
DROP INDEX calls_open;
";

/// The manifest of recordings. `track` is the index of the leg that a file holds alone, -1 for both
/// sides; `gaps` and `pauses` are lists of samples, from and until.
const VERSION_4: &str = "
CREATE TABLE recordings (
    call TEXT NOT NULL,
    track INTEGER NOT NULL,
    file TEXT NOT NULL UNIQUE,
    format TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    lost_frames INTEGER NOT NULL,
    gaps TEXT NOT NULL,
    pauses TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (call, track)
) STRICT, WITHOUT ROWID;
";

/// What seats became, in the order in which it came. `sequence` begins anew with each process.
const SEAT_FACTS: &str = "
CREATE TABLE seat_facts (
    arrival INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL,
    seat TEXT NOT NULL,
    at TEXT NOT NULL,
    mono_ns INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    call TEXT,
    who TEXT,
    UNIQUE (at, sequence)
) STRICT;
CREATE INDEX seat_facts_seat ON seat_facts(seat, arrival);
";

/// Each fact's place among all facts of the house. Those of earlier versions are numbered call by call, then
/// seats' as they came: nobody has been told their places. The indices are not unique: a fact is worth more than
/// its place.
const PLACES: &str = "
ALTER TABLE facts ADD COLUMN house INTEGER NOT NULL DEFAULT 0;
UPDATE facts SET house = placed.house
    FROM (SELECT call, sequence, row_number() OVER (ORDER BY call, sequence) AS house FROM facts) AS placed
    WHERE facts.call = placed.call AND facts.sequence = placed.sequence;
CREATE INDEX facts_house ON facts(house);
ALTER TABLE seat_facts ADD COLUMN house INTEGER NOT NULL DEFAULT 0;
UPDATE seat_facts SET house = arrival + (SELECT coalesce(max(house), 0) FROM facts);
CREATE INDEX seat_facts_house ON seat_facts(house);
";

/// Where the office is with a ticket, and the pick-up code that its caller was told; tickets that nobody ordered or
/// said anything of have no row. Hot notices with their sound: 16-bit samples at 8 kHz, little-endian.
const CASES_AND_NOTICES: &str = "
CREATE TABLE cases (
    number TEXT PRIMARY KEY,
    call TEXT NOT NULL UNIQUE,
    code TEXT,
    opened_at TEXT NOT NULL,
    state TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL,
    prompt TEXT,
    sound BLOB NOT NULL,
    lines TEXT NOT NULL,
    starts_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    ends_ms INTEGER NOT NULL,
    approver TEXT NOT NULL,
    reason TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_at TEXT NOT NULL,
    ended_by TEXT
) STRICT;
CREATE INDEX notices_end ON notices(ends_ms);
";

/// What brings each version to the next.
const STEPS: [&str; SCHEMA as usize] =
    [VERSION_1, VERSION_2, VERSION_3, VERSION_4, SEAT_FACTS, PLACES, CASES_AND_NOTICES];

/// Opens for writing; makes the file, or brings it to this program's shape.
pub fn open(path: &Path) -> Result<Connection, StoreError> {
    let at = |source| StoreError::Database { path: path.to_owned(), source };
    let mut db = Connection::open(path).map_err(at)?;
    // A newer program's file is left as it is, to the last byte: its log is not worked in either.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(at)?;
    prepare(&mut db, path)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(at)?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(at)?;
    // FULL: a commit returns when its log is on the disk, not only in the kernel.
    db.pragma_update(None, "synchronous", "FULL").map_err(at)?;
    // Fewer, larger checkpoints: each costs two syncs beside the log's own.
    db.pragma_update(None, "wal_autocheckpoint", 4_000).map_err(at)?;
    db.pragma_update(None, "cache_size", -16_000).map_err(at)?;
    migrate(&mut db, path)?;
    Ok(db)
}

/// Opens for reading beside a running engine.
pub fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)
        .map_err(|source| StoreError::Database { path: path.to_owned(), source })?;
    prepare(&mut db, path)?;
    Ok(db)
}

/// Opens a database that another process may be writing to; it is neither made nor changed in shape.
pub fn open_beside(path: &Path) -> Result<Connection, StoreError> {
    let at = |source| StoreError::Database { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).map_err(at)?;
    // Its log is the owner's to work in.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(at)?;
    prepare(&mut db, path)?;
    db.pragma_update(None, "synchronous", "FULL").map_err(at)?;
    Ok(db)
}

fn prepare(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let at = |source| StoreError::Database { path: path.to_owned(), source };
    db.busy_timeout(BUSY).map_err(at)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    let found = version(db).map_err(at)?;
    if found > SCHEMA {
        return Err(StoreError::Newer { path: path.to_owned(), found });
    }
    Ok(())
}

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// One step per version, each in a transaction of its own with its new number.
fn migrate(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let at = |source| StoreError::Database { path: path.to_owned(), source };
    let found = usize::try_from(version(db).map_err(at)?).unwrap_or(0);
    for (reached, sql) in (1_i64..).zip(STEPS).skip(found) {
        let change = db.transaction().map_err(at)?;
        change.execute_batch(sql).map_err(at)?;
        change.pragma_update(None, "user_version", reached).map_err(at)?;
        change.commit().map_err(at)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_schema_is_refused_and_named() {
        let directory = std::env::temp_dir().join(format!("hotline-schema-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("newer.db");
        let _ = std::fs::remove_file(&path);
        let db = open(&path).unwrap();
        db.pragma_update(None, "user_version", SCHEMA + 1).unwrap();
        drop(db);
        for error in [open(&path).unwrap_err(), open_read_only(&path).unwrap_err()] {
            assert!(matches!(error, StoreError::Newer { found, .. } if found == SCHEMA + 1));
            assert!(error.to_string().contains("newer"), "{error}");
        }
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn calls_that_the_second_version_left_open_are_open_still() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch(VERSION_1).unwrap();
        db.execute_batch(VERSION_2).unwrap();
        db.pragma_update(None, "user_version", 2).unwrap();
        for (arrival, cause) in [(1, "'completed'"), (2, "NULL"), (3, "'completed'")] {
            db.execute_batch(&format!(
                "INSERT INTO calls VALUES ({arrival}, 'call-{arrival}', '', '', '', '', '', '', NULL, NULL, NULL,
                     0, 0, NULL, {cause}, NULL, NULL, NULL, 0, 0, 0, '')"
            ))
            .unwrap();
        }
        migrate(&mut db, Path::new("kept.db")).unwrap();
        let list = |sql| -> Vec<(i64, String)> {
            let mut select = db.prepare(sql).unwrap();
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        assert_eq!(list("SELECT arrival, call FROM opened"), [(2, "call-2".to_owned())]);
        let closed = [(1, "call-1".to_owned()), (3, "call-3".to_owned())];
        assert_eq!(list("SELECT arrival, id FROM calls"), closed);
    }

    #[test]
    fn facts_of_the_fifth_version_have_places_of_their_own() {
        let mut db = Connection::open_in_memory().unwrap();
        STEPS[..5].iter().for_each(|step| db.execute_batch(step).unwrap());
        db.pragma_update(None, "user_version", 5).unwrap();
        db.execute_batch(
            "INSERT INTO facts VALUES ('b', 1, 't', 0, '{}'), ('a', 2, 't', 0, '{}'), ('a', 1, 't', 0, '{}');
             INSERT INTO seat_facts VALUES (1, 1, 's', 't', 0, 'ready', '', NULL, NULL);",
        )
        .unwrap();
        migrate(&mut db, Path::new("kept.db")).unwrap();
        let all =
            "SELECT house, call || sequence FROM facts UNION SELECT house, seat FROM seat_facts ORDER BY 1";
        let mut select = db.prepare(all).unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let placed: Vec<(i64, String)> = rows.map(Result::unwrap).collect();
        assert_eq!(
            placed,
            [(1, "a1".to_owned()), (2, "a2".to_owned()), (3, "b1".to_owned()), (4, "s".to_owned())]
        );
    }

    #[test]
    fn tickets_of_the_sixth_version_stand_beside_cases_and_notices() {
        let mut db = Connection::open_in_memory().unwrap();
        STEPS[..6].iter().for_each(|step| db.execute_batch(step).unwrap());
        db.pragma_update(None, "user_version", 6).unwrap();
        db.execute_batch("INSERT INTO tickets VALUES ('21090100001', 'c', 1, 'open', 'k', 't', 't', '{}')")
            .unwrap();
        migrate(&mut db, Path::new("kept.db")).unwrap();
        assert_eq!(version(&db).unwrap(), SCHEMA);
        let count = |table: &str| -> i64 {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!(["tickets", "cases", "notices"].map(count), [1, 0, 0]);
    }

    #[test]
    fn what_the_first_version_owed_is_owed_still() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch(VERSION_1).unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
        db.execute_batch(
            "INSERT INTO events VALUES (1, 'b', 1, 'k', 't', '{}'), (2, 'a', 2, 'k', 't', '{}');
             INSERT INTO owed VALUES ('office', 1), ('office', 2), ('file', 2);",
        )
        .unwrap();
        migrate(&mut db, Path::new("kept.db")).unwrap();
        assert_eq!(version(&db).unwrap(), SCHEMA);
        let mut select = db.prepare("SELECT sink, call, sequence, event FROM owed ORDER BY 1, 2").unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            Ok(format!(
                "{} {} {} {}",
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?
            ))
        };
        let owed: Vec<String> = select.query_map([], row).unwrap().map(Result::unwrap).collect();
        assert_eq!(owed, ["file a 2 2", "office a 2 2", "office b 1 1"]);
    }
}
