//! Facts of calls and of seats in one order: by their places among all facts of the house.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::read::{self, Reader, parse_call};
use super::schema::StoreError;
use super::seats;
use crate::id::{CallId, SeatId};
use crate::switchboard::{Happened, Placed};
use crate::time::Timestamp;

impl Reader {
    /// Facts of the house after a place, in order of their places, at most so many.
    pub fn placed_after(&self, after: u64, most: usize) -> Result<Vec<Placed>, StoreError> {
        let view = self.db.unchecked_transaction()?; // One view of both tables.
        let mut placed = on_calls(&view, after, most)?;
        placed.extend(at_seats(&view, after, most)?);
        placed.sort_by_key(|placed| placed.house);
        placed.truncate(most);
        Ok(placed)
    }

    /// Which of these calls are marked as their callers' who want to be known to nobody.
    pub fn confidential(&self, calls: &BTreeSet<CallId>) -> Result<BTreeSet<CallId>, StoreError> {
        let mut select = self.db.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM facts WHERE call = ? AND instr(json, '\"confidential\"') > 0
                 AND json_extract(json, '$.fact') = 'flagged' AND json_extract(json, '$.flag') = 'confidential')",
        )?;
        let mut found = BTreeSet::new();
        for call in calls {
            if select.query_row([call.to_string()], |row| row.get(0))? {
                found.insert(*call);
            }
        }
        Ok(found)
    }

    /// Which of these calls a seat was to ring for, or took.
    pub fn came_to(&self, seat: &SeatId, calls: &BTreeSet<CallId>) -> Result<BTreeSet<CallId>, StoreError> {
        let mut select = self.db.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM facts WHERE call = ? AND json_extract(json, '$.seat') = ?
                 AND json_extract(json, '$.fact') IN ('seat_offered', 'seat_answered'))",
        )?;
        let mut found = BTreeSet::new();
        for call in calls {
            if select.query_row(params![call.to_string(), seat.as_str()], |row| row.get(0))? {
                found.insert(*call);
            }
        }
        Ok(found)
    }

    /// The place of the last fact among all facts of the house; 0: there is none.
    pub fn last_house(&self) -> Result<u64, StoreError> {
        last(&self.db)
    }
}

fn on_calls(db: &Connection, after: u64, most: usize) -> Result<Vec<Placed>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT sequence, at, mono_ns, json, call, house FROM facts WHERE house > ? ORDER BY house LIMIT ?",
    )?;
    let mut rows = select.query(params![signed(after), signed(most as u64)])?;
    let mut placed = Vec::new();
    while let Some(row) = rows.next()? {
        let fact = read::fact(row, parse_call(&row.get::<_, String>(4)?)?)?;
        placed.push(Placed { house: place(row, 5)?, what: Happened::OnCall(fact) });
    }
    Ok(placed)
}

fn at_seats(db: &Connection, after: u64, most: usize) -> Result<Vec<Placed>, StoreError> {
    let mut select = db.prepare_cached(&format!(
        "SELECT house, {} FROM seat_facts WHERE house > ? ORDER BY house LIMIT ?",
        seats::COLUMNS
    ))?;
    let mut rows = select.query(params![signed(after), signed(most as u64)])?;
    let mut placed = Vec::new();
    while let Some(row) = rows.next()? {
        placed.push(Placed { house: place(row, 0)?, what: Happened::AtSeat(seats::read(row, 1)?) });
    }
    Ok(placed)
}

pub(super) fn last(db: &Connection) -> Result<u64, StoreError> {
    let last = "SELECT max(coalesce((SELECT max(house) FROM facts), 0),
         coalesce((SELECT max(house) FROM seat_facts), 0))";
    Ok(db.query_row(last, [], |row| place(row, 0))?)
}

/// When the call's fact with the last place was.
pub(super) fn newest(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let select = "SELECT at FROM facts ORDER BY house DESC LIMIT 1";
    let at: Option<String> = db.query_row(select, [], |row| row.get(0)).optional()?;
    let read = |at: String| {
        at.parse().map_err(|_| StoreError::Row { table: "facts", what: format!("{at:?} is no time") })
    };
    at.map(read).transpose()
}

fn place(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
