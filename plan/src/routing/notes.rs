//! What a reading asked for and what it found: the one source of the [effective view](super::effective).
//!
//! Taken only where somebody wants it; the [`Reader`](super::read::Reader) notes each key as it asks for it.

use std::collections::BTreeMap;

use super::diagnostic::Spot;
use super::written::Written;

/// The tables of a reading.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// By the key of the table, `number[5].transition`, empty for the file's top: its keys as they were asked for.
    tables: BTreeMap<String, Vec<Asked>>,
}

/// One key.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub found: Found,
}

/// What stands behind a key.
#[derive(Debug, Clone)]
pub enum Found {
    /// A value that somebody said.
    Said(Written, Spot),
    /// What holds where nobody says it; `None` where its type has no way of writing itself.
    Usual(Option<Written>),
    /// Nobody says it, and nothing stands in for it here.
    Unsaid,
    /// A table, in its place.
    Table(Spot),
    /// A table that nobody wrote, whose keys hold what they hold where nobody says them.
    UsualTable,
    /// A table that nobody wrote, and what it is for is off.
    NoTable,
    /// An array of tables, each in its place.
    Tables(Vec<Spot>),
}

impl Notes {
    /// Notes a key of a table; what is noted later of the same key holds.
    pub fn note(&mut self, table: &str, name: &'static str, found: Found) {
        let keys = self.tables.entry(table.to_owned()).or_default();
        match keys.iter_mut().find(|asked| asked.name == name) {
            Some(asked) => asked.found = found,
            None => keys.push(Asked { name, found }),
        }
    }

    /// The keys of a table, in the order they were asked for; `None` where no such table was read.
    pub fn table(&self, key: &str) -> Option<&[Asked]> {
        self.tables.get(key).map(Vec::as_slice)
    }
}
