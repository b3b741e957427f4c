//! One entry of the ledger written by another process than the engine: a command that shows what is
//! kept of people says so itself, whether an engine runs or not.

use std::path::Path;

use rusqlite::Transaction;
use rusqlite::TransactionBehavior::Immediate;

use super::schema::{self, StoreError};
use super::write::{self, LedgerRow};

/// Appends to the ledger of an existing database what `make` makes of its last entry; on disk when
/// this returns. The engine's own thread takes its turn before or after: both begin by locking.
pub fn append_beside(
    path: &Path,
    make: impl FnOnce(Option<&LedgerRow>) -> LedgerRow,
) -> Result<LedgerRow, StoreError> {
    let db = schema::open_beside(path)?;
    let change = Transaction::new_unchecked(&db, Immediate)?;
    let row = write::append_ledger(&change, make)?;
    change.commit()?;
    Ok(row)
}
