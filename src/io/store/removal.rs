//! Recordings whose term is over, and those under hold: what the manifest and the ledger say of them.
//!
//! A removal is entered before the file goes, in one transaction with its entry in the ledger and the event that ticket
//! offices are owed. Until the file is known to be gone the row says so, and whoever comes next makes good what a killed
//! process left.

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

use super::Errands;
use super::manifest::{self, ManifestRow};
use super::read::{Reader, parse_call, parse_time};
use super::schema::StoreError;
use super::write::{LedgerRow, Writes, append_ledger};
use super::writer::{Errand, Request};
use crate::id::CallId;
use crate::ledger::Action;
use crate::tickets::event::{EventBody, REMOVED_SEQUENCE, stored};
use crate::time::Timestamp;

/// Who removes, in the ledger.
const ACTOR: &str = "system:retention";

/// A call whose recording is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Whose.
    pub call: CallId,
    /// The class whose term is over; `None`: that of all others.
    pub class: Option<String>,
    /// In words, for the ledger.
    pub reason: String,
}

/// Recordings that are to go, all at once.
#[derive(Clone, Debug)]
pub struct Removals {
    /// Whose.
    pub calls: Vec<Removal>,
    /// When.
    pub at: Timestamp,
    /// `source` of the events that tell of it.
    pub source: String,
}

/// A recording that is not removed, whatever its term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Who wants it kept.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl Errands {
    /// Enters removals; what comes, once they are on disk, are the calls whose files may go: those under hold are not
    /// among them, nor those without a file that the manifest has.
    pub fn remove(&self, removals: Removals) -> oneshot::Receiver<Result<Vec<CallId>, StoreError>> {
        let (reply, answer) = oneshot::channel();
        // Where the writer is gone the reply is dropped, and its asker learns that.
        self.inbox.push(Request::Errand(Errand::Remove { removals, reply }));
        answer
    }

    /// Enters that files of these calls and tracks, which were removed, are gone.
    pub fn gone(&self, files: Vec<(CallId, Option<u16>)>) -> oneshot::Receiver<Result<(), StoreError>> {
        self.begin(move |db| {
            for (call, track) in files {
                let mut mark = db.prepare_cached(
                    "UPDATE recordings SET gone = 1 WHERE call = ? AND track = ? AND removed_at IS NOT NULL",
                )?;
                mark.execute(params![call.to_string(), manifest::track_number(track)])?;
            }
            Ok(())
        })
    }

    /// Has a recording kept whatever its term, with an entry in the ledger. `false`: it is so already, and stays as it
    /// was; `None`: it was removed, and there is nothing to keep.
    pub async fn hold(
        &self,
        call: CallId,
        at: Timestamp,
        by: String,
        reason: String,
    ) -> Result<Option<bool>, StoreError> {
        self.change(move |db| {
            if is_removed(db, call)? {
                return Ok(None);
            }
            let mut insert = db.prepare_cached(
                "INSERT INTO recording_holds (call, held_by, at, reason) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            )?;
            let is_new = insert.execute(params![call.to_string(), by, at.to_string(), reason])? > 0;
            if is_new {
                note(db, call, at, &by, Action::RecordingHeld { call }, &reason)?;
            }
            Ok(Some(is_new))
        })
        .await
    }

    /// Has its term count again, with an entry in the ledger. `false`: it was not under hold.
    pub async fn release(
        &self,
        call: CallId,
        at: Timestamp,
        by: String,
        reason: String,
    ) -> Result<bool, StoreError> {
        self.change(move |db| {
            let mut delete = db.prepare_cached("DELETE FROM recording_holds WHERE call = ?")?;
            let was = delete.execute([call.to_string()])? > 0;
            if was {
                note(db, call, at, &by, Action::RecordingReleased { call }, &reason)?;
            }
            Ok(was)
        })
        .await
    }
}

/// See [`Errands::remove`].
pub(super) fn remove(
    db: &Connection,
    writes: &mut Writes,
    removals: Removals,
) -> Result<Vec<CallId>, StoreError> {
    let Removals { calls, at, source } = removals;
    let mut removed = Vec::new();
    for Removal { call, class, reason } in calls {
        if hold_of(db, call)?.is_some() {
            continue;
        }
        let mut mark = db.prepare_cached(
            "UPDATE recordings SET removed_at = ?, removed_class = ? WHERE call = ? AND removed_at IS NULL",
        )?;
        if mark.execute(params![at.to_string(), class, call.to_string()])? == 0 {
            continue;
        }
        let told = EventBody::RecordingRemoved { class: class.clone() };
        writes.event_aside(db, &stored(call, REMOVED_SEQUENCE, at, &told, &source))?;
        note(db, call, at, ACTOR, Action::RecordingRemoved { call, class }, &reason)?;
        removed.push(call);
    }
    Ok(removed)
}

impl Reader {
    /// Files that are not removed, by name, behind `after` and before `before`: so many at the most.
    pub fn kept_files(&self, after: &str, before: &str, most: usize) -> Result<Vec<ManifestRow>, StoreError> {
        let rest = "INDEXED BY recordings_there
            WHERE removed_at IS NULL AND file > ?1 AND file < ?2 ORDER BY file LIMIT ?3";
        manifest::select(&self.db, rest, params![after, before, limit(most)])
    }

    /// Files that were removed and are not known to be gone, by name, behind `after`.
    pub fn leaving(&self, after: &str, most: usize) -> Result<Vec<ManifestRow>, StoreError> {
        let rest = "INDEXED BY recordings_leaving
            WHERE removed_at IS NOT NULL AND gone = 0 AND file > ?1 ORDER BY file LIMIT ?2";
        manifest::select(&self.db, rest, params![after, limit(most)])
    }

    /// Who wants a call's recording kept, if anybody.
    pub fn hold(&self, call: CallId) -> Result<Option<Hold>, StoreError> {
        hold_of(&self.db, call)
    }

    /// The calls whose recordings are under hold.
    pub fn held(&self) -> Result<Vec<CallId>, StoreError> {
        let mut select = self.db.prepare_cached("SELECT call FROM recording_holds ORDER BY call")?;
        let mut rows = select.query([])?;
        let mut held = Vec::new();
        while let Some(row) = rows.next()? {
            held.push(parse_call(&row.get::<_, String>(0)?)?);
        }
        Ok(held)
    }
}

/// Whether the manifest has files of a call, and none that is not removed.
fn is_removed(db: &Connection, call: CallId) -> Result<bool, StoreError> {
    let mut count = db.prepare_cached("SELECT count(*), count(removed_at) FROM recordings WHERE call = ?")?;
    let (files, removed): (i64, i64) =
        count.query_row([call.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(files > 0 && files == removed)
}

fn hold_of(db: &Connection, call: CallId) -> Result<Option<Hold>, StoreError> {
    let mut select = db.prepare_cached("SELECT held_by, at, reason FROM recording_holds WHERE call = ?")?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    };
    let Some((by, at, reason)) = select.query_row([call.to_string()], row).optional()? else {
        return Ok(None);
    };
    Ok(Some(Hold { by, at: parse_time(&at)?, reason }))
}

fn note(
    db: &Connection,
    call: CallId,
    at: Timestamp,
    by: &str,
    action: Action,
    reason: &str,
) -> Result<(), StoreError> {
    let subject = call.to_string();
    append_ledger(db, |last| LedgerRow::after(last, at, by, action, &subject, reason)).map(drop)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
