//! A database of an earlier version is brought to this program's shape, and who waits for it is told how far
//! that has come: the house takes no calls before.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use super::steps::{Part, STEPS};
use super::{StoreError, version};

/// Facts that are numbered by one statement.
const AT_ONCE: u32 = 50_000;
/// Between two words of progress.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It has begun.
    Begun {
        /// The version that it leads to.
        to: i64,
    },
    /// So many facts have their numbers.
    Numbered {
        /// Facts.
        done: u64,
        /// Of all.
        of: u64,
    },
    /// It is done.
    Done {
        /// The version that is reached.
        to: i64,
    },
}

/// One step per version, each in a transaction of its own with its new number. Of a file that is new nothing
/// is told.
pub(super) fn migrate(
    db: &mut Connection,
    path: &Path,
    mut told: impl FnMut(Progress),
) -> Result<(), StoreError> {
    let at = |source| StoreError::Database { path: path.to_owned(), source };
    let found = usize::try_from(version(db).map_err(at)?).unwrap_or(0);
    let mut told = |progress| {
        if found > 0 {
            told(progress);
        }
    };
    for (to, parts) in (1_i64..).zip(STEPS).skip(found) {
        told(Progress::Begun { to });
        let change = db.transaction().map_err(at)?;
        for part in parts {
            match part {
                Part::Sql(sql) => change.execute_batch(sql).map_err(at)?,
                Part::NumberFacts => number_facts(&change, AT_ONCE, &mut told).map_err(at)?,
            }
        }
        change.pragma_update(None, "user_version", to).map_err(at)?;
        change.commit().map_err(at)?;
        told(Progress::Done { to });
    }
    Ok(())
}

/// Numbers facts in the order of their keys, from 1.
fn number_facts(db: &Connection, at_once: u32, told: &mut impl FnMut(Progress)) -> rusqlite::Result<()> {
    let count = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let of = u64::try_from(count("SELECT count(*) FROM facts")?).unwrap_or(0);
    let mut number = db.prepare(
        "UPDATE facts SET house = placed.house
         FROM (SELECT call, sequence, ?4 + row_number() OVER (ORDER BY call, sequence) AS house
             FROM (SELECT call, sequence FROM facts WHERE (call, sequence) > (?1, ?2)
                 ORDER BY call, sequence LIMIT ?3)) AS placed
         WHERE facts.call = placed.call AND facts.sequence = placed.sequence",
    )?;
    let mut last = db.prepare(
        "SELECT call, sequence FROM facts WHERE (call, sequence) > (?1, ?2)
         ORDER BY call, sequence LIMIT 1 OFFSET ?3",
    )?;
    let (mut behind, mut done) = ((String::new(), i64::MIN), 0);
    loop {
        let changed = number.execute(params![behind.0, behind.1, at_once, done])?;
        done += i64::try_from(changed).unwrap_or(0);
        told(Progress::Numbered { done: u64::try_from(done).unwrap_or(0), of });
        let key = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        match last.query_row(params![behind.0, behind.1, at_once - 1], key).optional()? {
            Some(key) => behind = key,
            None => return Ok(()), // It was not a whole batch.
        }
    }
}

/// Writes progress to the log: the beginning and the end of each step, and now and then how far it is.
pub(super) fn log(path: &Path) -> impl FnMut(Progress) {
    let path: PathBuf = path.to_owned();
    let bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
    let mut begun = Instant::now();
    let mut told = begun;
    move |progress| match progress {
        Progress::Begun { to } => {
            (begun, told) = (Instant::now(), Instant::now());
            tracing::info!(
                path = %path.display(),
                schema = to,
                mebibytes = bytes >> 20,
                "the database is brought to a newer schema; calls are taken when that is done"
            );
        }
        Progress::Numbered { done, of } if told.elapsed() >= TOLD_EVERY => {
            told = Instant::now();
            let percent = (done * 100).checked_div(of).unwrap_or(100);
            tracing::info!(done, of, percent, "facts are numbered");
        }
        Progress::Numbered { .. } => {}
        Progress::Done { to } => {
            let took_s = begun.elapsed().as_secs();
            tracing::info!(path = %path.display(), schema = to, took_s, "the database has its newer schema");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::SCHEMA;
    use super::*;

    /// A file as an earlier version left it.
    fn stands_at(db: &Connection, version: usize) {
        for part in STEPS[..version].iter().flat_map(|parts| *parts) {
            match part {
                Part::Sql(sql) => db.execute_batch(sql).unwrap(),
                Part::NumberFacts => number_facts(db, AT_ONCE, &mut |_| {}).unwrap(),
            }
        }
        db.pragma_update(None, "user_version", version as i64).unwrap();
    }

    #[test]
    fn who_waits_for_a_large_database_is_told_how_far_it_is_and_of_a_new_one_nothing() {
        let mut db = Connection::open_in_memory().unwrap();
        let mut heard = Vec::new();
        migrate(&mut db, Path::new("new.db"), |progress| heard.push(progress)).unwrap();
        assert_eq!(heard, []);
        let mut db = Connection::open_in_memory().unwrap();
        stands_at(&db, 4);
        db.execute_batch("INSERT INTO facts VALUES ('a', 1, 't', 0, '{}'), ('a', 2, 't', 0, '{}')").unwrap();
        migrate(&mut db, Path::new("kept.db"), |progress| heard.push(progress)).unwrap();
        let wanted = [
            Progress::Begun { to: 5 },
            Progress::Done { to: 5 },
            Progress::Begun { to: 6 },
            Progress::Numbered { done: 2, of: 2 },
            Progress::Done { to: 6 },
            Progress::Begun { to: 7 },
            Progress::Done { to: 7 },
            Progress::Begun { to: 8 },
            Progress::Done { to: 8 },
        ];
        assert_eq!(heard, wanted);
        migrate(&mut db, Path::new("kept.db"), |_| panic!("it has its shape")).unwrap();
    }

    #[test]
    fn facts_are_numbered_in_order_however_many_at_once() {
        for at_once in [1, 2, 3, 4, 7] {
            let db = Connection::open_in_memory().unwrap();
            stands_at(&db, 5);
            db.execute_batch("ALTER TABLE facts ADD COLUMN house INTEGER NOT NULL DEFAULT 0").unwrap();
            for (call, sequence) in [("b", 2), ("a", 1), ("b", 1), ("c", 9), ("a", 3), ("a", 2)] {
                let insert = "INSERT INTO facts VALUES (?, ?, 't', 0, '{}', 0)";
                db.execute(insert, params![call, sequence]).unwrap();
            }
            let mut heard = Vec::new();
            number_facts(&db, at_once, &mut |progress| heard.push(progress)).unwrap();
            let mut select = db.prepare("SELECT house, call || sequence FROM facts ORDER BY house").unwrap();
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            let placed: Vec<(i64, String)> = rows.map(Result::unwrap).collect();
            let wanted = ["a1", "a2", "a3", "b1", "b2", "c9"].map(str::to_owned);
            assert_eq!(placed, (1..).zip(wanted).collect::<Vec<_>>(), "{at_once} at once");
            assert_eq!(heard.last(), Some(&Progress::Numbered { done: 6, of: 6 }));
        }
    }

    #[test]
    fn calls_that_the_second_version_left_open_are_open_still() {
        let mut db = Connection::open_in_memory().unwrap();
        stands_at(&db, 2);
        for (arrival, cause) in [(1, "'completed'"), (2, "NULL"), (3, "'completed'")] {
            db.execute_batch(&format!(
                "INSERT INTO calls VALUES ({arrival}, 'call-{arrival}', '', '', '', '', '', '', NULL, NULL, NULL,
                     0, 0, NULL, {cause}, NULL, NULL, NULL, 0, 0, 0, '')"
            ))
            .unwrap();
        }
        migrate(&mut db, Path::new("kept.db"), |_| {}).unwrap();
        let list = |sql| -> Vec<(i64, String)> {
            let mut select = db.prepare(sql).unwrap();
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        assert_eq!(list("SELECT arrival, call FROM opened"), [(2, "call-2".to_owned())]);
        let closed = [(1, "call-1".to_owned()), (3, "call-3".to_owned())];
        assert_eq!(list("SELECT arrival, id FROM calls"), closed);
    }

    #[test]
    fn facts_of_the_fifth_version_have_places_of_their_own() {
        let mut db = Connection::open_in_memory().unwrap();
        stands_at(&db, 5);
        db.execute_batch(
            "INSERT INTO facts VALUES ('b', 1, 't', 0, '{}'), ('a', 2, 't', 0, '{}'), ('a', 1, 't', 0, '{}');
             INSERT INTO seat_facts VALUES (1, 1, 's', 't', 0, 'ready', '', NULL, NULL);",
        )
        .unwrap();
        migrate(&mut db, Path::new("kept.db"), |_| {}).unwrap();
        let all =
            "SELECT house, call || sequence FROM facts UNION SELECT house, seat FROM seat_facts ORDER BY 1";
        let mut select = db.prepare(all).unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let placed: Vec<(i64, String)> = rows.map(Result::unwrap).collect();
        assert_eq!(
            placed,
            [(1, "a1".to_owned()), (2, "a2".to_owned()), (3, "b1".to_owned()), (4, "s".to_owned())]
        );
    }

    #[test]
    fn tickets_of_the_sixth_version_stand_beside_cases_and_notices() {
        let mut db = Connection::open_in_memory().unwrap();
        stands_at(&db, 6);
        db.execute_batch("INSERT INTO tickets VALUES ('21090100001', 'c', 1, 'open', 'k', 't', 't', '{}')")
            .unwrap();
        migrate(&mut db, Path::new("kept.db"), |_| {}).unwrap();
        assert_eq!(version(&db).unwrap(), SCHEMA);
        let count = |table: &str| -> i64 {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!(["tickets", "cases", "notices"].map(count), [1, 0, 0]);
    }

    #[test]
    fn what_the_first_version_owed_is_owed_still() {
        let mut db = Connection::open_in_memory().unwrap();
        stands_at(&db, 1);
        db.execute_batch(
            "INSERT INTO events VALUES (1, 'b', 1, 'k', 't', '{}'), (2, 'a', 2, 'k', 't', '{}');
             INSERT INTO owed VALUES ('office', 1), ('office', 2), ('file', 2);",
        )
        .unwrap();
        migrate(&mut db, Path::new("kept.db"), |_| {}).unwrap();
        assert_eq!(version(&db).unwrap(), SCHEMA);
        let mut select = db.prepare("SELECT sink, call, sequence, event FROM owed ORDER BY 1, 2").unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            Ok(format!(
                "{} {} {} {}",
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?
            ))
        };
        let owed: Vec<String> = select.query_map([], row).unwrap().map(Result::unwrap).collect();
        assert_eq!(owed, ["file a 2 2", "office a 2 2", "office b 1 1"]);
    }
}
