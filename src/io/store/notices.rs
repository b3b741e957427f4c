//! Hot notices: inserted and ended with an entry in the ledger, and there again after a restart.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::read::{Reader, parse_time};
use super::schema::StoreError;
use super::write::{LedgerRow, append_ledger};
use super::{Errands, Opening};
use crate::id::{LineId, PromptId};
use crate::ledger::Action;
use crate::switchboard::notices::{HotNotice, NoPlace};
use crate::time::Timestamp;

/// A notice and its sound.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptNotice {
    /// What is known of it.
    pub notice: HotNotice,
    /// 8 kHz.
    pub samples: Arc<[i16]>,
}

/// A notice as it is listed, one that is over too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRow {
    /// What is known of it.
    pub notice: HotNotice,
    /// Who ended it before its time.
    pub ended_by: Option<String>,
}

impl Errands {
    /// Inserts a notice, whose `id` is given here; ready once it is on disk with its entry in the ledger. The inner
    /// result says that there is no place for it. `sha256` is that of its sound.
    pub async fn add_notice(
        &self,
        kept: KeptNotice,
        sha256: String,
    ) -> Result<Result<HotNotice, NoPlace>, StoreError> {
        self.change(move |db| {
            let KeptNotice { mut notice, samples } = kept;
            let there = living(db, notice.at)?;
            if let Err(why) = notice.find_place(&there) {
                return Ok(Err(why));
            }
            notice.id = insert(db, &notice, &samples)?;
            let action = Action::NoticeAdded { notice: notice.id, sha256 };
            note(db, &notice, notice.at, &notice.by, action, &notice.reason)?;
            Ok(Ok(notice))
        })
        .await
    }

    /// Ends a notice before its time; ready once that is on disk with its entry in the ledger. `false`: there is
    /// none of that number in force or to come.
    pub async fn end_notice(
        &self,
        id: u64,
        at: Timestamp,
        by: String,
        reason: String,
    ) -> Result<bool, StoreError> {
        self.change(move |db| {
            let there = living(db, at)?;
            let Some(notice) = there.iter().find(|notice| notice.id == id) else { return Ok(false) };
            let mut end =
                db.prepare_cached("UPDATE notices SET ends_at = ?, ends_ms = ?, ended_by = ? WHERE id = ?")?;
            end.execute(params![at.to_string(), at.as_millisecond(), by, signed(id)])?;
            note(db, notice, at, &by, Action::NoticeEnded { notice: id }, &reason)?;
            Ok(true)
        })
        .await
    }
}

impl Opening {
    /// Notices in force or to come, with their sounds.
    pub fn notices(&self, now: Timestamp) -> Result<Vec<KeptNotice>, StoreError> {
        let kept = living(&self.db, now)?.into_iter().map(|notice| {
            let sound = "SELECT sound FROM notices WHERE id = ?";
            let bytes: Vec<u8> = self.db.query_row(sound, [signed(notice.id)], |row| row.get(0))?;
            let (pairs, _) = bytes.as_chunks::<2>();
            let samples = pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
            Ok(KeptNotice { notice, samples })
        });
        kept.collect()
    }
}

impl Reader {
    /// All notices, the newest first.
    pub fn notices(&self, most: usize) -> Result<Vec<NoticeRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM notices ORDER BY id DESC LIMIT ?");
        rows(&self.db, &sql, i64::try_from(most).unwrap_or(i64::MAX))
    }
}

const COLUMNS: &str =
    "id, text, prompt, lines, starts_at, ends_at, approver, reason, added_by, added_at, ended_by";

/// Notices that are not over.
fn living(db: &Connection, now: Timestamp) -> Result<Vec<HotNotice>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM notices WHERE ends_ms > ? ORDER BY id");
    let there = rows(db, &sql, now.as_millisecond())?.into_iter().map(|row| row.notice);
    Ok(there.filter(|notice| now < notice.end).collect())
}

fn rows(db: &Connection, sql: &str, bound: i64) -> Result<Vec<NoticeRow>, StoreError> {
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([bound])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<NoticeRow, StoreError> {
    let text = |at| row.get::<_, String>(at);
    let lines: Vec<LineId> = serde_json::from_str(&text(3)?)
        .map_err(|error| StoreError::Row { table: "notices", what: error.to_string() })?;
    let notice = HotNotice {
        id: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
        text: text(1)?,
        prompt: row.get::<_, Option<String>>(2)?.map(|prompt| PromptId::from(prompt.as_str())),
        lines,
        start: parse_time(&text(4)?)?,
        end: parse_time(&text(5)?)?,
        approver: text(6)?,
        reason: text(7)?,
        by: text(8)?,
        at: parse_time(&text(9)?)?,
    };
    Ok(NoticeRow { notice, ended_by: row.get(10)? })
}

fn insert(db: &Connection, notice: &HotNotice, samples: &[i16]) -> Result<u64, StoreError> {
    let mut insert = db.prepare_cached(
        "INSERT INTO notices (text, prompt, sound, lines, starts_at, ends_at, ends_ms, approver, reason,
             added_by, added_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let sound: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    // A list of strings is always JSON.
    let lines = serde_json::to_string(&notice.lines).unwrap_or_default();
    insert.execute(params![
        notice.text,
        notice.prompt.as_ref().map(|prompt| prompt.as_str()),
        sound,
        lines,
        notice.start.to_string(),
        notice.end.to_string(),
        notice.end.as_millisecond(),
        notice.approver,
        notice.reason,
        notice.by,
        notice.at.to_string(),
    ])?;
    Ok(u64::try_from(db.last_insert_rowid()).unwrap_or(0))
}

fn note(
    db: &Connection,
    notice: &HotNotice,
    at: Timestamp,
    by: &str,
    action: Action,
    reason: &str,
) -> Result<(), StoreError> {
    let subject = notice.sound_name();
    append_ledger(db, |last| LedgerRow::after(last, at, by, action, subject.as_str(), reason)).map(drop)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
