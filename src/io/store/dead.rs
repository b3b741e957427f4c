//! Dead letters: events that a sink refused for good, or that were given up. Somebody may have them sent again, which is in
//! the ledger. They are kept until the sink has taken them: what is owed again and refused again is no less a letter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::TransactionBehavior::Immediate;
use rusqlite::{Connection, Transaction, params};

use super::Errands;
use super::read::{DeadLetter, Reader, event};
use super::schema::{self, StoreError};
use super::write::{LedgerRow, append_ledger};
use crate::id::CallId;
use crate::ledger::Action;
use crate::tickets::event::EventRef;
use crate::time::Timestamp;

/// Letters of one answer, and of one transaction of a resending: the engine's own thread takes its turn between two.
pub const LETTERS_MAX: usize = 10_000;

/// Which letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letters {
    /// Of this sink or feed only.
    pub sink: Option<String>,
    /// This event only.
    pub event: Option<EventRef>,
}

/// Who has letters sent again, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resending {
    /// When.
    pub at: Timestamp,
    /// As the ledger names people.
    pub by: String,
    /// In their words.
    pub reason: String,
}

/// What became of a resending: letters by their sinks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resent {
    /// Owed again.
    pub owed: BTreeMap<String, u64>,
    /// Owed again before this, and not taken yet.
    pub waiting: BTreeMap<String, u64>,
    /// Of sinks that nothing can be owed to.
    pub refused: BTreeMap<String, u64>,
}

impl Letters {
    /// The event of this id, `<call>/<sequence>`; `None`: it is no id.
    pub fn named(id: &str) -> Option<Self> {
        let (call, sequence) = id.split_once('/')?;
        let event = EventRef { call: CallId::parse(call)?, sequence: sequence.parse().ok()? };
        Some(Letters { sink: None, event: Some(event) })
    }
}

const WHERE: &str = "FROM dead_letters d JOIN events e ON e.arrival = d.event
     WHERE (?1 IS NULL OR d.sink = ?1) AND (?2 IS NULL OR (e.call = ?2 AND e.sequence = ?3))
     ORDER BY d.event LIMIT ?4";

impl Reader {
    /// Letters, oldest first, at most so many and [`LETTERS_MAX`].
    pub fn letters(&self, which: &Letters, most: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let sql = format!("SELECT e.call, e.sequence, e.kind, e.at, e.json, d.sink, d.why {WHERE}");
        let mut select = self.db.prepare_cached(&sql)?;
        let (call, sequence) = key(which);
        let mut rows = select.query(params![which.sink, call, sequence, bound(most)])?;
        let mut letters = Vec::new();
        while let Some(row) = rows.next()? {
            letters.push(DeadLetter { event: event(row)?, sink: row.get(5)?, why: row.get(6)? });
        }
        Ok(letters)
    }
}

impl Errands {
    /// Owes an event, or letters of a sink, to their sinks again, and says so in the ledger, both or neither: by the
    /// engine itself. `owed`: the sinks that something can be owed to.
    pub async fn resend(
        &self,
        which: Letters,
        resending: Resending,
        owed: BTreeSet<String>,
    ) -> Result<Resent, StoreError> {
        let (mut resent, mut after) = (Resent::default(), Some((String::new(), 0)));
        while let Some(place) = after {
            let (which, resending, owed) = (which.clone(), resending.clone(), owed.clone());
            let mut so_far = resent;
            (resent, after) = self
                .change(move |db| {
                    let after =
                        resend(db, &which, place, &resending, &|sink| owed.contains(sink), &mut so_far)?;
                    Ok((so_far, after))
                })
                .await?;
        }
        Ok(resent)
    }
}

/// Owes letters to their sinks again, and says so in the ledger, both or neither: by another process than the engine, and
/// one that runs looks for what it owes within seconds. A row that no outbox reads would be seen by nobody: letters of sinks
/// that are none by `is_owed` are left as they are.
pub fn resend_beside(
    path: &Path,
    which: &Letters,
    resending: &Resending,
    is_owed: impl Fn(&str) -> bool,
) -> Result<Resent, StoreError> {
    let db = schema::open_beside(path)?;
    let (mut resent, mut after) = (Resent::default(), Some((String::new(), 0)));
    while let Some(place) = after {
        let change = Transaction::new_unchecked(&db, Immediate)?;
        after = resend(&change, which, place, resending, &is_owed, &mut resent)?;
        change.commit()?;
    }
    Ok(resent)
}

/// Those behind `after`, at most [`LETTERS_MAX`]; where the next begin.
fn resend(
    db: &Connection,
    which: &Letters,
    after: (String, i64),
    resending: &Resending,
    is_owed: &dyn Fn(&str) -> bool,
    resent: &mut Resent,
) -> Result<Option<(String, i64)>, StoreError> {
    let (call, sequence) = key(which);
    let found: Vec<(String, i64, String, u32)> = db
        .prepare_cached(
            "SELECT d.sink, d.event, e.call, e.sequence FROM dead_letters d JOIN events e ON e.arrival = d.event
             WHERE (?1 IS NULL OR d.sink = ?1) AND (?2 IS NULL OR (e.call = ?2 AND e.sequence = ?3))
                 AND (d.sink, d.event) > (?4, ?5) ORDER BY d.sink, d.event LIMIT ?6",
        )?
        .query_map(params![which.sink, call, sequence, after.0, after.1, bound(LETTERS_MAX)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    let last = found.last().filter(|_| found.len() == LETTERS_MAX);
    let next = last.map(|(sink, arrival, ..)| (sink.clone(), *arrival));
    let mut owed: BTreeMap<String, u64> = BTreeMap::new();
    for (sink, arrival, call, sequence) in found {
        if !is_owed(&sink) {
            *resent.refused.entry(sink).or_default() += 1;
            continue;
        }
        let new = db
            .prepare_cached("INSERT OR IGNORE INTO owed (sink, call, sequence, event) VALUES (?, ?, ?, ?)")?
            .execute(params![sink, call, sequence, arrival])?;
        let count = if new > 0 { &mut owed } else { &mut resent.waiting };
        *count.entry(sink).or_default() += 1;
    }
    let Resending { at, by, reason } = resending;
    for (sink, events) in owed {
        let action = Action::LettersResent { events };
        append_ledger(db, |last| LedgerRow::after(last, *at, by, action, &sink, reason))?;
        *resent.owed.entry(sink).or_default() += events;
    }
    Ok(next)
}

fn key(which: &Letters) -> (Option<String>, Option<u32>) {
    which.event.map(|event| (event.call.to_string(), event.sequence)).unzip()
}

fn bound(most: usize) -> i64 {
    i64::try_from(most.min(LETTERS_MAX)).unwrap_or(0)
}
