//! Where offices are with tickets, and the pick-up codes (提取码) by which their callers ask.
//!
//! A ticket has a row when its caller ordered it, or somebody said how far it is. Its call's own story is the
//! [office](super::office)'s.

use rusqlite::{Connection, OptionalExtension, params};
use subtle::ConstantTimeEq;

use super::codes::CodeKey;
use super::read::{Reader, parse_call, parse_time};
use super::schema::StoreError;
use super::write::{LedgerRow, append_ledger};
use super::{Errands, office};
use crate::id::CallId;
use crate::ledger::Action;
use crate::tickets::progress::Progress;
use crate::time::Timestamp;

/// How far a ticket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Digits only.
    pub number: String,
    /// Whose call.
    pub call: CallId,
    /// When its call came.
    pub opened_at: Timestamp,
    /// How far.
    pub state: Progress,
    /// Since when.
    pub changed_at: Timestamp,
}

impl Errands {
    /// A ticket is so far, by somebody's word, which goes to the ledger; ready once both are on disk. How far it
    /// was; `None`: the embedded office has no such ticket.
    pub async fn set_progress(
        &self,
        number: String,
        state: Progress,
        at: Timestamp,
        by: String,
        reason: String,
    ) -> Result<Option<Progress>, StoreError> {
        self.change(move |db| {
            let Some(before) = standing(db, &number)? else { return Ok(None) };
            let mut upsert = db.prepare_cached(
                "INSERT INTO cases (number, call, opened_at, state, changed_at, changed_by)
                 VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT (number) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at,
                     changed_by = excluded.changed_by",
            )?;
            let (call, opened_at) = (before.call.to_string(), before.opened_at.to_string());
            upsert.execute(params![number, call, opened_at, state.word(), at.to_string(), by])?;
            let action = Action::TicketMoved { from: before.state.word().into(), to: state.word().into() };
            append_ledger(db, |last| LedgerRow::after(last, at, &by, action, &number, &reason))?;
            Ok(Some(before.state))
        })
        .await
    }
}

impl Reader {
    /// How far a ticket is that was ordered, or of which somebody has said so.
    pub fn case(&self, number: &str) -> Result<Option<Case>, StoreError> {
        Ok(case(&self.db, number)?.map(|(case, _)| case))
    }

    /// The same for who has its pick-up code; `None` where there is no such ticket, or not by that code. The code
    /// is compared in a time that does not say how much of it was right.
    pub fn case_by_code(&self, number: &str, code: &str) -> Result<Option<Case>, StoreError> {
        let found = case(&self.db, number)?;
        let kept = found.as_ref().and_then(|(_, kept)| kept.clone()).unwrap_or_default();
        let asked = CodeKey::kept(&self.data)?.digest(number, code);
        let same = bool::from(kept.as_bytes().ct_eq(asked.as_bytes())) && !code.is_empty();
        Ok(found.filter(|_| same).map(|(case, _)| case))
    }
}

/// Enters a ticket that its caller ordered; the last code that was told, as it is kept, is the one that counts.
pub(super) fn ordered(
    db: &Connection,
    number: &str,
    call: CallId,
    opened_at: Timestamp,
    code: Option<&str>,
) -> Result<(), StoreError> {
    let mut upsert = db.prepare_cached(
        "INSERT INTO cases (number, call, code, opened_at, state, changed_at, changed_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?4, '')
         ON CONFLICT (number) DO UPDATE SET code = coalesce(excluded.code, code)",
    )?;
    let (call, opened_at) = (call.to_string(), opened_at.to_string());
    upsert.execute(params![number, call, code, opened_at, Progress::Open.word()])?;
    Ok(())
}

/// A ticket's row, or what it would be.
fn standing(db: &Connection, number: &str) -> Result<Option<Case>, StoreError> {
    if let Some((case, _)) = case(db, number)? {
        return Ok(Some(case));
    }
    let ticket = office::ticket(db, number)?;
    Ok(ticket.map(|ticket| Case {
        number: ticket.number,
        call: ticket.call,
        opened_at: ticket.opened_at,
        state: Progress::Open,
        changed_at: ticket.opened_at,
    }))
}

/// With its pick-up code as it is kept.
fn case(db: &Connection, number: &str) -> Result<Option<(Case, Option<String>)>, StoreError> {
    let mut select =
        db.prepare_cached("SELECT call, code, opened_at, state, changed_at FROM cases WHERE number = ?")?;
    let found = select.query_row([number], |row| {
        let text = |at| row.get::<_, String>(at);
        Ok(([text(0)?, text(2)?, text(3)?, text(4)?], row.get::<_, Option<String>>(1)?))
    });
    let Some(([call, opened_at, state, changed_at], code)) = found.optional()? else { return Ok(None) };
    let state = Progress::parse(&state)
        .ok_or_else(|| StoreError::Row { table: "cases", what: format!("{state:?} is no state") })?;
    let case = Case {
        number: number.to_owned(),
        call: parse_call(&call)?,
        opened_at: parse_time(&opened_at)?,
        state,
        changed_at: parse_time(&changed_at)?,
    };
    Ok(Some((case, code)))
}
