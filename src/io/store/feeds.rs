//! What feeds are owed: the calls that have fallen into each, its events by their places, and its days' totals.
//!
//! A call that falls into a feed late, when somebody is put through to a department, brings the events that it had before:
//! a feed has a call from its beginning. All of it is written with the facts, so that a place is given once.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::Errands;
use super::read::{Reader, event as stored_event};
use super::schema::StoreError;
use super::write::Owing;
use crate::tickets::event::{self, EventRef, StoredEvent};
use crate::tickets::sharing::{Count, Scope, Sharing, totals_event};
use crate::time::Timestamp;

/// Owes an event that has just been written to the feeds that it falls to. The first that each is owed now.
pub(super) fn owe(
    db: &Connection,
    sinks: &[Owing],
    event: &StoredEvent,
    arrival: i64,
) -> Result<Vec<(usize, EventRef)>, StoreError> {
    let feeds =
        sinks.iter().enumerate().filter_map(|(place, sink)| Some((place, sink, sink.scope.as_ref()?)));
    let mut feeds = feeds.peekable();
    if feeds.peek().is_none() {
        return Ok(Vec::new());
    }
    let call = event.event.call.to_string();
    let joined: BTreeSet<String> = db
        .prepare_cached("SELECT feed FROM feed_calls WHERE call = ?")?
        .query_map([&call], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    // Few types bring a call into a feed: the others are not read.
    let body = match Scope::may_take(&event.kind) {
        true => event::read(&event.json).ok().map(|read| read.body),
        false => None,
    };
    let mut owed = Vec::new();
    for (place, feed, scope) in feeds {
        if joined.contains(&*feed.name) {
            enter(db, &feed.name, event.event, arrival)?;
            owed.push((place, event.event));
        } else if body.as_ref().is_some_and(|body| scope.takes(body)) {
            db.prepare_cached("INSERT OR IGNORE INTO feed_calls (call, feed) VALUES (?, ?)")?
                .execute(params![call, &*feed.name])?;
            let mut first = event.event;
            for (arrival, sequence) in so_far(db, &call)? {
                let earlier = EventRef { sequence, ..event.event };
                enter(db, &feed.name, earlier, arrival)?;
                first = first.min(earlier);
            }
            owed.push((place, first));
        }
    }
    Ok(owed)
}

/// Events of a call that are written, in order.
fn so_far(db: &Connection, call: &str) -> Result<Vec<(i64, u32)>, StoreError> {
    let mut select =
        db.prepare_cached("SELECT arrival, sequence FROM events WHERE call = ? ORDER BY sequence")?;
    let rows = select.query_map([call], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Gives an event its place in a feed, and owes it; one that has a place keeps it.
fn enter(db: &Connection, feed: &str, event: EventRef, arrival: i64) -> Result<(), StoreError> {
    let new = db
        .prepare_cached(
            "INSERT OR IGNORE INTO feed_events (feed, place, event)
             SELECT ?1, coalesce(max(place), 0) + 1, ?2 FROM feed_events WHERE feed = ?1",
        )?
        .execute(params![feed, arrival])?;
    if new > 0 {
        db.prepare_cached("INSERT OR IGNORE INTO owed (sink, call, sequence, event) VALUES (?, ?, ?, ?)")?
            .execute(params![feed, event.call.to_string(), event.sequence, arrival])?;
    }
    Ok(())
}

impl Errands {
    /// Closes a feed's day: its totals take a place in it and are owed, in the same step in which the day is noted
    /// as closed. `None`: it was closed before, or the feed has never been told anything.
    pub async fn close_day(
        &self,
        feed: String,
        day: String,
        source: String,
        at: Timestamp,
    ) -> Result<Option<EventRef>, StoreError> {
        self.change(move |db| close_day(db, &feed, day, &source, at)).await
    }
}

fn close_day(
    db: &Connection,
    feed: &str,
    day: String,
    source: &str,
    at: Timestamp,
) -> Result<Option<EventRef>, StoreError> {
    let days = |sql| db.prepare_cached(sql)?.query_row([feed], |row| row.get::<_, Option<String>>(0));
    let newest = days("SELECT max(day) FROM feed_totals WHERE feed = ?")?;
    if let Some(ahead) = newest.filter(|newest| *newest > day) {
        tracing::error!(
            feed,
            ahead,
            day,
            "已按超前的时钟报过将来某日的对账合计；此后逐日照报，到那一日不再重报 / totals of a day to come were told by a clock that \
             was ahead: those of the days until then are told as ever, and that day's not again"
        );
    }
    // No day is closed twice, by whatever clock; which one was the last before it, the places say.
    let mut closed = db.prepare_cached("SELECT 1 FROM feed_totals WHERE feed = ? AND day = ?")?;
    if closed.exists(params![feed, day])? {
        return Ok(None);
    }
    let mut before = db.prepare_cached(
        "SELECT last_place FROM feed_totals WHERE feed = ? ORDER BY last_place DESC LIMIT 1",
    )?;
    let before: Option<i64> = before.query_row([feed], |row| row.get(0)).optional()?;
    let after = before.unwrap_or(0);
    let mut count = Count::default();
    let mut select = db.prepare_cached(
        "SELECT e.call, e.sequence, e.kind FROM feed_events f JOIN events e ON e.arrival = f.event
         WHERE f.feed = ? AND f.place > ? ORDER BY f.place",
    )?;
    let mut rows = select.query(params![feed, after])?;
    while let Some(row) = rows.next()? {
        let (call, sequence): (String, u32) = (row.get(0)?, row.get(1)?);
        count.add(&format!("{call}/{sequence}"), &row.get::<_, String>(2)?);
    }
    let totals = count.totals(day, u64::try_from(after).unwrap_or(0));
    if before.is_none() && totals.events == 0 {
        return Ok(None);
    }
    let event = totals_event(feed, &totals, source, at);
    db.prepare_cached("INSERT INTO events (call, sequence, kind, at, json) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![
            event.event.call.to_string(),
            event.event.sequence,
            &*event.kind,
            event.at.to_string(),
            &*event.json
        ])?;
    let arrival = db.last_insert_rowid();
    enter(db, feed, event.event, arrival)?;
    db.prepare_cached("INSERT INTO feed_totals (feed, day, last_place, event) VALUES (?, ?, ?, ?)")?
        .execute(params![feed, totals.day, i64::try_from(totals.last_place).unwrap_or(i64::MAX), arrival])?;
    Ok(Some(event.event))
}

impl Reader {
    /// An event as it may leave by a feed, looked at anew for each try: who became confidential since it happened is.
    /// `None`: it has no place there.
    pub fn feed_event(
        &self,
        feed: &str,
        event: EventRef,
        fields: &BTreeSet<String>,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let mut select = self.db.prepare_cached(
            "SELECT e.call, e.sequence, e.kind, e.at, e.json, f.place FROM events e
             JOIN feed_events f ON f.event = e.arrival AND f.feed = ?1 WHERE e.call = ?2 AND e.sequence = ?3",
        )?;
        let mut rows = select.query(params![feed, event.call.to_string(), event.sequence])?;
        match rows.next()? {
            Some(row) => self.told(row, feed, fields).map(Some),
            None => Ok(None),
        }
    }

    fn told(
        &self,
        row: &rusqlite::Row<'_>,
        feed: &str,
        fields: &BTreeSet<String>,
    ) -> Result<StoredEvent, StoreError> {
        let kept = stored_event(row)?;
        let place = u64::try_from(row.get::<_, i64>(5)?).unwrap_or(0);
        let call = kept.event.call;
        let is_confidential = !self.confidential(&[call].into())?.is_empty();
        let sharing = Sharing { feed, place, fields, is_confidential };
        let json = sharing.document(&kept.json).ok_or_else(|| StoreError::Row {
            table: "events",
            what: format!("{call}/{} is no event", kept.event.sequence),
        })?;
        Ok(StoredEvent { json: json.into(), ..kept })
    }
}
