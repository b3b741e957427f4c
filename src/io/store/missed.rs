//! What the lists of people to be called are made of again after a restart: facts of the calls that matter.

use rusqlite::{Connection, OptionalExtension, params};

use super::read::{facts, parse_call};
use super::schema::StoreError;
use crate::id::CallId;
use crate::switchboard::calling::HOUSE;
use crate::switchboard::fact::{Fact, What};
use crate::switchboard::follow_up::is_chosen;
use crate::switchboard::missed::MISSED_MAX;
use crate::time::Timestamp;

/// Calls that are looked at: those on a full list, and as many that tried to reach them.
const CALLS_MAX: usize = 2 * MISSED_MAX;

/// Calls since a time by callers whom no clerk has answered then or later, and those that clerks or the
/// house made; the newest [`CALLS_MAX`] of them.
const UNANSWERED: &str = "SELECT id FROM calls c WHERE arrival >= ?1 AND (trunk IN ('seats', ?2) OR
     (seat IS NULL AND caller <> '' AND NOT EXISTS (SELECT 1 FROM calls later
         WHERE later.caller = c.caller AND later.arrival > c.arrival AND later.seat IS NOT NULL)))
     ORDER BY arrival DESC LIMIT ?3";

/// Their facts, in the order that they happened.
pub(super) fn unanswered(db: &Connection, since: Timestamp) -> Result<Vec<Fact>, StoreError> {
    let Some(first) = first_since(db, since)? else { return Ok(Vec::new()) };
    let most = i64::try_from(CALLS_MAX).unwrap_or(i64::MAX);
    let mut select = db.prepare(UNANSWERED)?;
    let ids = select
        .query_map(params![first, HOUSE, most], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let calls = ids.iter().map(|id| parse_call(id)).collect::<Result<Vec<_>, _>>()?;
    in_order(db, &calls)
}

/// Calls since a time that clerks have talked in and that have no grade, and those that the house made; the
/// newest of them.
const UNGRADED: &str = "SELECT id FROM calls WHERE arrival >= ?1 AND (trunk = ?2 OR
     (seat IS NOT NULL AND grade IS NULL AND caller <> '' AND trunk <> 'seats'))
     ORDER BY arrival DESC LIMIT ?3";

/// Facts of those among so many of a hundred, in the order that they happened.
pub(super) fn ungraded(db: &Connection, since: Timestamp, percent: u8) -> Result<Vec<Fact>, StoreError> {
    let Some(first) = first_since(db, since)? else { return Ok(Vec::new()) };
    let most = i64::try_from(CALLS_MAX).unwrap_or(i64::MAX);
    let mut select = db.prepare(UNGRADED)?;
    let ids = select
        .query_map(params![first, HOUSE, most], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::new();
    for id in &ids {
        let call = parse_call(id)?;
        let facts = facts(db, call)?;
        if is_chosen(call, percent) || facts.iter().any(|fact| matches!(fact.what, What::Outward { .. })) {
            found.extend(facts);
        }
    }
    found.sort_by_key(|fact| (fact.at, fact.call, fact.sequence));
    Ok(found)
}

/// Facts of these calls, in the order that they happened.
pub(super) fn in_order<'a>(
    db: &Connection,
    calls: impl IntoIterator<Item = &'a CallId>,
) -> Result<Vec<Fact>, StoreError> {
    let mut found = Vec::new();
    for call in calls {
        found.extend(facts(db, *call)?);
    }
    found.sort_by_key(|fact| (fact.at, fact.call, fact.sequence));
    Ok(found)
}

/// The place of the first call that came at `since` or later: places and times grow together, so it is
/// found by halving. `None`: none has come since.
fn first_since(db: &Connection, since: Timestamp) -> Result<Option<i64>, StoreError> {
    let bounds = |sql| db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    let (Some(mut low), Some(last)) =
        (bounds("SELECT min(arrival) FROM calls")?, bounds("SELECT max(arrival) FROM calls")?)
    else {
        return Ok(None);
    };
    let mut high = last.saturating_add(1);
    let mut select = db.prepare("SELECT opened_at FROM calls WHERE arrival >= ? ORDER BY arrival LIMIT 1")?;
    while low < high {
        let middle = low + (high - low) / 2;
        let opened: Option<String> = select.query_row([middle], |row| row.get(0)).optional()?;
        match opened {
            Some(opened) if super::read::parse_time(&opened)? < since => low = middle + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok((low <= last).then_some(low))
}
