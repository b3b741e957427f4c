//! What seats became, one row a change: a ring that keeps the newest [`ROWS_MAX`], and none older than
//! [`KEEP`].

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::read::{Reader, parse_call, parse_time};
use super::schema::StoreError;
use crate::id::SeatId;
use crate::switchboard::fact::{SeatFact, SeatIs};
use crate::time::{Instant, Timestamp};

/// Most rows: a hundred seats' changes of two months, at 300 bytes each.
const ROWS_MAX: i64 = 4_000_000;
/// How long a change is kept at most: a year's assessment, and a month to do it in.
const KEEP: Duration = Duration::from_secs(400 * 86_400);
/// Once in so many rows it is seen to that there are not too many.
const SWEEP_EVERY: i64 = 1_024;
/// Times are text to the nanosecond or the second, whose order is right to a second.
const SLACK: Duration = Duration::from_secs(1);

pub(super) const COLUMNS: &str = "sequence, seat, at, mono_ns, state, why, call, who";

/// Adds a change. One that is there already changes nothing.
pub(super) fn enter(db: &Connection, house: u64, fact: &SeatFact) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "INSERT OR IGNORE INTO seat_facts (sequence, seat, at, mono_ns, state, why, call, who, house)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let new = insert.execute(params![
        i64::try_from(fact.sequence).unwrap_or(i64::MAX),
        fact.seat.as_str(),
        fact.at.to_string(),
        i64::try_from(fact.mono.as_nanos()).unwrap_or(i64::MAX),
        fact.state.word(),
        fact.why,
        fact.call.map(|call| call.to_string()),
        fact.by,
        i64::try_from(house).unwrap_or(i64::MAX),
    ])?;
    let row = db.last_insert_rowid();
    if new > 0 && row % SWEEP_EVERY == 0 {
        sweep(db, row - ROWS_MAX, fact.at)?;
    }
    Ok(())
}

fn sweep(db: &Connection, beyond: i64, now: Timestamp) -> Result<(), StoreError> {
    let oldest = now.checked_sub(KEEP).unwrap_or(Timestamp::MIN).to_string();
    db.prepare_cached("DELETE FROM seat_facts WHERE arrival <= ?")?.execute([beyond])?;
    db.prepare_cached("DELETE FROM seat_facts WHERE at < ?")?.execute([oldest])?;
    Ok(())
}

impl Reader {
    /// Hands on all changes of seats from `from` up to `to`, in the order in which they came, and before
    /// them each seat's last one before.
    pub fn seat_facts(
        &self,
        from: Timestamp,
        to: Timestamp,
        mut each: impl FnMut(&SeatFact),
    ) -> Result<(), StoreError> {
        let view = self.db.unchecked_transaction()?; // One view: rows come and go meanwhile.
        let from = from.checked_sub(SLACK).unwrap_or(Timestamp::MIN).to_string();
        let to = to.checked_add(SLACK).unwrap_or(Timestamp::MAX).to_string();
        let first = view
            .prepare_cached("SELECT min(arrival) FROM seat_facts WHERE at >= ?")?
            .query_row([&from], |row| row.get::<_, Option<i64>>(0))?
            .unwrap_or(i64::MAX);
        let mut before = Vec::new();
        let mut last = view.prepare_cached(&format!(
            "SELECT arrival, {COLUMNS} FROM seat_facts WHERE seat = ? AND arrival < ?
             ORDER BY arrival DESC LIMIT 1"
        ))?;
        for seat in seats(&view)? {
            let found = last.query_row(params![seat, first], |row| Ok((row.get::<_, i64>(0)?, read(row, 1))));
            before.extend(found.optional()?);
        }
        before.sort_by_key(|(arrival, _)| *arrival);
        for (_, fact) in before {
            each(&fact?);
        }
        let mut select = view.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM seat_facts WHERE arrival >= ? AND at < ? ORDER BY arrival"
        ))?;
        let mut rows = select.query(params![first, to])?;
        while let Some(row) = rows.next()? {
            each(&read(row, 0)?);
        }
        Ok(())
    }
}

/// All seats there are changes of: the index is by seat, and each step leaps over one.
fn seats(db: &Connection) -> Result<Vec<String>, StoreError> {
    let mut next = db.prepare_cached("SELECT min(seat) FROM seat_facts WHERE seat > ?")?;
    let mut seats: Vec<String> = Vec::new();
    loop {
        let after = seats.last().map_or("", String::as_str);
        match next.query_row([after], |row| row.get::<_, Option<String>>(0))? {
            Some(seat) => seats.push(seat),
            None => return Ok(seats),
        }
    }
}

/// Of a row in which [`COLUMNS`] stand from there on.
pub(super) fn read(row: &Row<'_>, from: usize) -> Result<SeatFact, StoreError> {
    let number = |at: usize| -> Result<u64, StoreError> {
        Ok(u64::try_from(row.get::<_, i64>(from + at)?).unwrap_or(0))
    };
    let text = |at: usize| row.get::<_, String>(from + at);
    let state = text(4)?;
    let call: Option<String> = row.get(from + 6)?;
    Ok(SeatFact {
        sequence: number(0)?,
        seat: SeatId::from(text(1)?.as_str()),
        at: parse_time(&text(2)?)?,
        mono: Instant::from_nanos(number(3)?),
        state: SeatIs::parse(&state).ok_or_else(|| StoreError::Row {
            table: "seat_facts",
            what: format!("{state:?} is nothing that a seat can be"),
        })?,
        why: text(5)?,
        call: call.as_deref().map(parse_call).transpose()?,
        by: row.get(from + 7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;
    use crate::id::{CallId, Dice};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn fact(sequence: u64, seat: &str, when: &str, state: SeatIs) -> SeatFact {
        SeatFact {
            sequence,
            seat: seat.into(),
            at: at(when),
            mono: Instant::from_millis(sequence),
            state,
            why: String::new(),
            call: None,
            by: None,
        }
    }

    #[test]
    fn changes_come_back_as_they_were_with_each_seats_last_one_before() {
        let path = std::env::temp_dir().join(format!("hotline-seats-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let db = schema::open(&path).unwrap();
        let call = CallId::draw(1, &mut Dice::seeded(1));
        let facts = [
            fact(1, "1001", "2021-08-30T00:00:00Z", SeatIs::Ready),
            fact(2, "1002", "2021-08-30T00:00:00Z", SeatIs::Ready),
            SeatFact {
                why: "said/lunch".into(),
                by: Some("zhang".into()),
                ..fact(3, "1002", "2021-08-30T00:00:01Z", SeatIs::Away)
            },
            SeatFact { call: Some(call), ..fact(4, "1001", "2021-09-01T00:00:00.25Z", SeatIs::Talking) },
            fact(5, "1001", "2021-09-03T00:00:00Z", SeatIs::SignedOut),
        ];
        for fact in facts.iter().chain(&facts[2..3]) {
            enter(&db, fact.sequence, fact).unwrap();
        }
        let reader = Reader::open(&path).unwrap();
        let read = |from, to| {
            let mut found = Vec::new();
            reader.seat_facts(at(from), at(to), |fact| found.push(fact.clone())).unwrap();
            found
        };
        assert_eq!(
            read("2021-09-01T00:00:00Z", "2021-09-02T00:00:00Z"),
            [facts[0].clone(), facts[2].clone(), facts[3].clone()]
        );
        assert_eq!(read("2021-08-01T00:00:00Z", "2021-10-01T00:00:00Z"), facts);
        assert_eq!(
            read("2022-01-01T00:00:00Z", "2022-01-02T00:00:00Z"),
            [facts[2].clone(), facts[4].clone()],
            "nothing happened, and that is how they were left"
        );
        sweep(&db, 0, at("2022-10-05T00:00:00Z")).unwrap();
        assert_eq!(read("2021-08-01T00:00:00Z", "2021-10-01T00:00:00Z"), facts[3..], "too old");
        sweep(&db, 4, at("2021-09-05T00:00:00Z")).unwrap();
        assert_eq!(read("2021-08-01T00:00:00Z", "2021-10-01T00:00:00Z"), facts[4..], "too many");
        std::fs::remove_file(&path).unwrap();
    }
}
