//! The shape of the database and how a connection to it is opened.

mod migrate;
mod steps;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// Version of the shape that this program writes; `user_version` of the file.
pub const SCHEMA: i64 = 8;
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
    /// The key of pick-up codes cannot be read or made.
    #[error(transparent)]
    Secret(#[from] crate::io::secrets::SecretError),
    /// The writer's thread is gone or gave no answer in time.
    #[error("the store's writer gives no answer")]
    Gone,
    /// A query failed on an open connection.
    #[error("store: {0}")]
    Query(#[from] rusqlite::Error),
}

impl StoreError {
    /// Whether it comes from the disk or the file rather than from the write itself.
    pub(crate) fn is_environment(&self) -> bool {
        match self {
            StoreError::Row { .. } => false,
            StoreError::Query(rusqlite::Error::SqliteFailure(failure, _)) => !matches!(
                failure.code,
                ErrorCode::ConstraintViolation
                    | ErrorCode::TypeMismatch
                    | ErrorCode::TooBig
                    | ErrorCode::ParameterOutOfRange
                    | ErrorCode::ApiMisuse
            ),
            StoreError::Query(rusqlite::Error::ToSqlConversionFailure(_)) => false,
            _ => true,
        }
    }
}

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
    migrate::migrate(&mut db, path, migrate::log(path))?;
    Ok(db)
}

/// Writes once, changing nothing: a file that only looks like one that can be written is found before the first call.
pub(super) fn write(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let words = format!("BEGIN IMMEDIATE; PRAGMA user_version = {SCHEMA}; COMMIT");
    db.execute_batch(&words).map_err(|source| StoreError::Database { path: path.to_owned(), source })
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
}
