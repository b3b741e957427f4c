//! What places that were kept for who hung up are made of again after a restart.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::missed::in_order;
use super::read::{id_from, parse_call};
use super::schema::StoreError;
use crate::id::CallId;
use crate::switchboard::fact::{Fact, What};
use crate::switchboard::kept::KEPT_MAX;
use crate::time::Timestamp;

/// Calls that kept a place which are looked at: the newest.
const CALLS_MAX: usize = 4 * KEPT_MAX;

/// Calls since an id in which a place was kept, or that were made for one. The field that names a fact is
/// written first.
const CONCERNED: &str = "SELECT DISTINCT call FROM facts WHERE call >= ?1
     AND (json LIKE '{\"fact\":\"callback_kept\"%' OR json LIKE '{\"fact\":\"outward\",\"purpose\":\"callback\"%')
     ORDER BY call DESC LIMIT ?2";

/// Later calls of the same caller that a clerk has answered.
const ANSWERED: &str = "SELECT id FROM calls WHERE caller = ?1 AND id > ?2 AND seat IS NOT NULL LIMIT 1";

/// Facts of those since a time, in the order that they happened.
pub(super) fn kept(db: &Connection, since: Timestamp) -> Result<Vec<Fact>, StoreError> {
    let mut select = db.prepare(CONCERNED)?;
    let most = i64::try_from(CALLS_MAX).unwrap_or(i64::MAX);
    let first = id_from(since.as_millisecond());
    let ids = select
        .query_map(params![first, most], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let calls = ids.iter().map(|id| parse_call(id)).collect::<Result<BTreeSet<CallId>, _>>()?;
    let mut facts = in_order(db, calls.iter())?;
    let mut answered = BTreeSet::new();
    let mut select = db.prepare(ANSWERED)?;
    for fact in &facts {
        let What::Opened { caller, .. } = &fact.what else { continue };
        let mut rows = select.query(params![caller, fact.call.to_string()])?;
        while let Some(row) = rows.next()? {
            answered.insert(parse_call(&row.get::<_, String>(0)?)?);
        }
    }
    facts.extend(in_order(db, answered.difference(&calls))?);
    facts.sort_by_key(|fact| (fact.at, fact.call, fact.sequence));
    Ok(facts)
}
