//! Matters that were to be handed on at once and were not, after a restart.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::read::{fact, id_from, parse_call};
use super::schema::StoreError;
use super::write::Owing;
use crate::switchboard::hand_on::OWED_MAX;
use crate::switchboard::hand_on_again::{Fold, Unhanded};
use crate::tickets::event::EventRef;
use crate::time::Timestamp;

/// What was said of calls since an id, and of their being handed on, in each call's order. The field that names a fact is
/// written first.
const CONCERNED: &str = "SELECT sequence, at, mono_ns, json, call FROM facts WHERE call >= ?1
     AND (json LIKE '{\"fact\":\"disposed\"%' OR json LIKE '{\"fact\":\"hand_on\"%') ORDER BY call, sequence";

/// Those of calls since a time that are owed still: the newest [`OWED_MAX`].
pub(super) fn hand_ons(
    db: &Connection,
    sinks: &[Owing],
    since: Timestamp,
) -> Result<Vec<Unhanded>, StoreError> {
    let mut fold = Fold::default();
    let mut select = db.prepare(CONCERNED)?;
    let mut rows = select.query([id_from(since.as_millisecond())])?;
    while let Some(row) = rows.next()? {
        fold.apply(&fact(row, parse_call(&row.get::<_, String>(4)?)?)?);
    }
    let mut owed = fold.owed();
    owed.drain(..owed.len().saturating_sub(OWED_MAX));
    let offices = offices(db, sinks)?;
    for unhanded in &mut owed {
        let event = unhanded.event;
        let mut last = db.prepare_cached("SELECT max(sequence) FROM facts WHERE call = ?")?;
        unhanded.sequence = last.query_row([event.call.to_string()], |row| row.get(0))?;
        for (name, place) in &offices {
            if !is_taken(db, name, event)? {
                unhanded.untaken.insert(*place);
            }
        }
    }
    Ok(owed)
}

/// The sinks that may not have taken something, with their places: the plan's, and those of earlier plans that are owed
/// something still. The embedded office has its tickets with the facts, and feeds are no offices.
fn offices(db: &Connection, sinks: &[Owing]) -> Result<BTreeMap<String, Option<usize>>, StoreError> {
    let mut offices = BTreeMap::new();
    for table in ["owed", "dead_letters"] {
        let mut next = db.prepare(&format!("SELECT min(sink) FROM {table} WHERE sink > ?"))?;
        let mut name = String::new();
        // From name to name, for the rows may be many.
        while let Some(sink) = next.query_row([&name], |row| row.get::<_, Option<String>>(0))? {
            name.clone_from(&sink);
            offices.insert(sink, None);
        }
    }
    let feeds = db
        .prepare("SELECT DISTINCT feed FROM feed_totals UNION SELECT DISTINCT feed FROM feed_calls")?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<BTreeSet<_>, _>>()?;
    offices.retain(|name, _| !feeds.contains(name));
    for (place, sink) in sinks.iter().enumerate() {
        if sink.embedded || sink.scope.is_some() {
            offices.remove(&*sink.name);
        } else {
            offices.insert(sink.name.to_string(), Some(place));
        }
    }
    Ok(offices)
}

/// Whether a sink has an event: it is neither owed nor refused.
fn is_taken(db: &Connection, sink: &str, event: EventRef) -> Result<bool, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM owed WHERE sink = ?1 AND call = ?2 AND sequence = ?3)
         OR EXISTS (SELECT 1 FROM dead_letters d JOIN events e ON e.arrival = d.event
             WHERE d.sink = ?1 AND e.call = ?2 AND e.sequence = ?3)",
    )?;
    let found = select.query_row(params![sink, event.call.to_string(), event.sequence], |_| Ok(()));
    Ok(found.optional()?.is_none())
}
