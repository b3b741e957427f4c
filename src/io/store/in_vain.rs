//! What is known of callers who asked adapters in vain, after a restart.

use rusqlite::{Connection, params};

use super::missed::in_order;
use super::read::{id_from, parse_call};
use super::schema::StoreError;
use crate::call::Answer;
use crate::switchboard::fact::{Fact, What};
use crate::time::Timestamp;

/// Calls that are looked at: the newest.
const CALLS_MAX: u32 = 4_096;

/// Calls since an id in which an adapter said that there is nothing. The field that names a fact is written
/// first.
const CONCERNED: &str = "SELECT DISTINCT call FROM facts WHERE call >= ?1
     AND json LIKE '{\"fact\":\"looked_up\"%\"answer\":\"missing\"%' ORDER BY call DESC LIMIT ?2";

/// How those began, and what they asked in vain, in the order that it happened.
pub(super) fn in_vain(db: &Connection, since: Timestamp) -> Result<Vec<Fact>, StoreError> {
    let mut select = db.prepare(CONCERNED)?;
    let ids = select
        .query_map(params![id_from(since.as_millisecond()), CALLS_MAX], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let calls = ids.iter().map(|id| parse_call(id)).collect::<Result<Vec<_>, _>>()?;
    let mut facts = in_order(db, &calls)?;
    facts.retain(|fact| {
        matches!(fact.what, What::Opened { .. } | What::LookedUp { answer: Answer::Missing, .. })
    });
    Ok(facts)
}
