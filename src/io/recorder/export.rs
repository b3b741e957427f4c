//! A recording that somebody takes out of the house: written down before they have it.

use std::path::Path;

use crate::id::CallId;
use crate::io::store::{FILE, LedgerRow, StoreError, append_beside};
use crate::ledger::Action;
use crate::time::Timestamp;

/// Enters into the ledger of the data directory, beside a running engine or without one, that `by` has the recording of
/// `call` written to a file of theirs, and why.
pub fn note_export(data: &Path, call: CallId, by: &str, reason: &str) -> Result<(), StoreError> {
    let action = Action::RecordingExported { call };
    append_beside(&data.join(FILE), |last| {
        LedgerRow::after(last, Timestamp::now(), by, action, &call.to_string(), reason)
    })
    .map(drop)
}
