//! The plan in force as one file, whatever files it was said in: each value with where it comes from.
//!
//! Made of what the reading [noted](super::notes), so it shows what was read and nothing else. A secret is shown
//! as it is said: by reference.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use super::diagnostic::Spot;
use super::nearest::nearest;
use super::notes::{Asked, Found, Notes};
use super::source::Source;
use super::written::{Written, key as quoted};

/// Keys by which an item of an array is called, the first that it has: `number.12345`, `seat.1001`.
const NAMES: [&str; 4] = ["number", "id", "name", "caller"];

/// Every key of the plan.
#[derive(Debug, Clone)]
pub struct Effective {
    files: Vec<String>,
    rows: Vec<Row>,
}

/// One line.
#[derive(Debug, Clone)]
struct Row {
    /// `number[5].mode`.
    key: String,
    /// `number.12336.mode`.
    address: String,
    what: What,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum What {
    /// The head of a table as TOML writes it.
    Head(String),
    /// A key with what it holds; `None` where nobody says it, or its default cannot be written.
    Value(&'static str, Option<Written>),
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Origin {
    /// A place in a file, lines and columns counted from 1.
    File {
        /// Its name.
        file: String,
        /// Its line.
        line: usize,
        /// Its column, in characters.
        column: usize,
    },
    /// An option of the command line.
    CommandLine {
        /// `--listen`.
        option: String,
    },
    /// Nobody says it, and this is what holds then.
    Default,
    /// Nobody says it, and nothing stands in for it at this place.
    Nobody,
}

/// The way to a table.
#[derive(Clone, Default)]
struct Way {
    /// `number[5].transition`.
    key: String,
    /// `number.transition`, for its head.
    head: String,
    /// `number.12336.transition`.
    address: String,
}

impl Way {
    fn to(&self, name: &str) -> Way {
        let join = |before: &str, name: &str| match before {
            "" => name.to_owned(),
            before => format!("{before}.{name}"),
        };
        Way {
            key: join(&self.key, name),
            head: join(&self.head, &quoted(name)),
            address: join(&self.address, name),
        }
    }

    fn item(&self, index: usize, called: Option<&str>) -> Way {
        let address = match called {
            Some(name) => format!("{}.{name}", self.address),
            None => format!("{}[{index}]", self.address),
        };
        Way { key: format!("{}[{index}]", self.key), head: self.head.clone(), address }
    }
}

/// The key that names a file beside the file that it stands in.
const PROMPTS: &str = "prompts";

/// The view while it is made.
struct Making<'s> {
    notes: &'s Notes,
    files: &'s [Source],
    rows: Vec<Row>,
}

impl Effective {
    pub(super) fn of(notes: &Notes, sources: &[Source]) -> Self {
        let mut making = Making { notes, files: sources, rows: Vec::new() };
        making.table(&Way::default());
        Effective { files: sources.iter().map(|source| source.name.clone()).collect(), rows: making.rows }
    }

    /// Only what somebody said, without what holds where nobody says anything.
    pub fn said(mut self) -> Self {
        self.rows.retain(|row| matches!(row.origin, Origin::File { .. } | Origin::CommandLine { .. }));
        self
    }

    /// Only what stands at or below a key: `number.12345`, `queue.main.ring`, `number[0]`. Where nothing does, the
    /// nearest key.
    pub fn select(mut self, filter: &str) -> Result<Self, Option<String>> {
        let below = |whole: &str| {
            whole.strip_prefix(filter).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let chosen = |row: &Row| below(&row.key) || below(&row.address);
        let chosen: Vec<bool> = self.rows.iter().map(chosen).collect();
        if !chosen.contains(&true) {
            let names = self.rows.iter().map(|row| row.address.as_str());
            return Err(nearest(filter, names).map(str::to_owned));
        }
        // The heads of the tables that the chosen keys stand in.
        let keys = self.rows.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(row, _)| &row.key);
        let above: BTreeSet<&str> =
            keys.flat_map(|key| key.match_indices('.').map(|(dot, _)| &key[..dot])).collect();
        let above = |row: &Row| matches!(row.what, What::Head(_)) && above.contains(row.key.as_str());
        let kept: Vec<bool> = self.rows.iter().zip(&chosen).map(|(row, own)| *own || above(row)).collect();
        let mut kept = kept.into_iter();
        self.rows.retain(|_| kept.next().unwrap_or(false));
        Ok(self)
    }

    /// The tables and keys at the top, for whoever looks for one.
    pub fn tops(&self) -> Vec<&str> {
        let mut tops: Vec<&str> = Vec::new();
        for row in &self.rows {
            let top = row.key.split(['.', '[']).next().unwrap_or_default();
            if !tops.contains(&top) {
                tops.push(top);
            }
        }
        tops
    }

    /// As TOML that reads as the same plan, each line with its origin behind it.
    pub fn toml(&self) -> String {
        let mut text = format!("# 文件 / files: {}\n", self.files.join(", "));
        for row in &self.rows {
            let origin = match &row.origin {
                Origin::File { file, line, .. } => format!("{file}:{line}"),
                Origin::CommandLine { option } => option.clone(),
                Origin::Default => "默认 / default".to_owned(),
                Origin::Nobody => "未写 / not said".to_owned(),
            };
            let _ = match &row.what {
                What::Head(head) if row.origin == Origin::Nobody => writeln!(text, "\n# {head}  # {origin}"),
                What::Head(head) => writeln!(text, "\n{head}  # {origin}"),
                What::Value(name, Some(value)) => writeln!(text, "{} = {value}  # {origin}", quoted(name)),
                What::Value(name, None) => writeln!(text, "# {} =  # {origin}", quoted(name)),
            };
        }
        text
    }

    /// As a list of keys with their values and origins.
    pub fn json(&self) -> serde_json::Value {
        let row = |row: &Row| {
            let value = match &row.what {
                What::Head(_) => return None,
                What::Value(_, value) => value.as_ref().map(Written::json),
            };
            Some(serde_json::json!({
                "key": row.key,
                "address": row.address,
                "value": value,
                "origin": row.origin,
            }))
        };
        serde_json::json!({
            "schema": 1,
            "files": self.files,
            "values": self.rows.iter().filter_map(row).collect::<Vec<_>>(),
        })
    }
}

impl Making<'_> {
    /// The keys of a table, and behind them the tables in it.
    fn table(&mut self, way: &Way) {
        let notes = self.notes;
        let asked = notes.table(&way.key).unwrap_or_default();
        for asked in asked.iter().filter(|asked| !(way.key.is_empty() && asked.name == "include")) {
            self.value(&way.to(asked.name), asked);
        }
        for asked in asked {
            self.inner(&way.to(asked.name), asked);
        }
    }

    fn value(&mut self, way: &Way, asked: &Asked) {
        let (value, origin) = match &asked.found {
            Found::Said(..) if self.is_whole_table(&way.key) => return,
            Found::Said(Written::Text(name), spot) if way.key == PROMPTS => {
                (Some(Written::Text(self.named_by_the_first(name, spot))), self.origin(spot))
            }
            Found::Said(value, spot) => (Some(self.filled(value, &way.key)), self.origin(spot)),
            // Nothing is how some keys say that they hold nothing: the file cannot say it.
            Found::Usual(Some(Written::Text(text))) if text.is_empty() => (None, Origin::Default),
            Found::Usual(value) => (value.clone(), Origin::Default),
            Found::Unsaid => (None, Origin::Nobody),
            Found::Table(_) | Found::UsualTable | Found::NoTable | Found::Tables(_) => return,
        };
        self.row(way, What::Value(asked.name, value), origin);
    }

    /// A file that another file of the plan names, as the routing file would: names are looked for beside who says them.
    fn named_by_the_first(&self, name: &str, spot: &Spot) -> String {
        let directory =
            |file: usize| self.files.get(file).and_then(|source| Path::new(&source.name).parent());
        let (Some(first), Some(own)) = (directory(0), spot.file.and_then(directory)) else {
            return name.to_owned();
        };
        let whole = own.join(name);
        whole.strip_prefix(first).unwrap_or(&whole).to_string_lossy().into_owned()
    }

    fn inner(&mut self, way: &Way, asked: &Asked) {
        let head = format!("[{}]", way.head);
        let origin = match &asked.found {
            Found::Said(_, spot) if self.is_whole_table(&way.key) => self.origin(spot),
            Found::Table(spot) => self.origin(spot),
            Found::UsualTable => Origin::Default,
            Found::NoTable => return self.row(way, What::Head(head), Origin::Nobody),
            Found::Tables(spots) => return self.items(way, spots),
            Found::Said(..) | Found::Usual(_) | Found::Unsaid => return,
        };
        self.row(way, What::Head(head), origin);
        self.table(way);
    }

    fn items(&mut self, way: &Way, spots: &[Spot]) {
        let head = format!("[[{}]]", way.head);
        if spots.is_empty() {
            return self.row(way, What::Head(head), Origin::Nobody);
        }
        for (index, spot) in spots.iter().enumerate() {
            let own = way.item(index, None);
            let called = self.notes.table(&own.key).and_then(name);
            let own = way.item(index, called);
            let origin = self.origin(spot);
            self.row(&own, What::Head(head.clone()), origin);
            self.table(&own);
        }
    }

    /// Whether what is said is a table in which some keys are not said: those are shown as others are.
    fn is_whole_table(&self, key: &str) -> bool {
        let usual = |asked: &Asked| matches!(asked.found, Found::Usual(_));
        self.notes.table(key).is_some_and(|asked| asked.iter().any(usual))
    }

    /// A value with what holds in the tables in it where nobody says it.
    fn filled(&self, value: &Written, key: &str) -> Written {
        match (value, self.notes.table(key)) {
            (Written::List(items), _) => {
                let items = items.iter().enumerate();
                Written::List(
                    items.map(|(index, item)| self.filled(item, &format!("{key}[{index}]"))).collect(),
                )
            }
            (Written::Table(_), Some(asked)) => {
                let entry = |asked: &Asked| match &asked.found {
                    Found::Said(value, _) => {
                        Some((asked.name.to_owned(), self.filled(value, &format!("{key}.{}", asked.name))))
                    }
                    Found::Usual(value) => Some((asked.name.to_owned(), value.clone()?)),
                    _ => None,
                };
                Written::Table(asked.iter().filter_map(entry).collect())
            }
            (other, _) => other.clone(),
        }
    }

    fn origin(&self, spot: &Spot) -> Origin {
        match spot.file {
            Some(file) => self.files.get(file).map_or(Origin::Default, |source| {
                let (line, column, _) = source.find(spot.span.start);
                Origin::File { file: source.name.clone(), line, column }
            }),
            None => Origin::CommandLine { option: spot.key.clone() },
        }
    }

    fn row(&mut self, way: &Way, what: What, origin: Origin) {
        self.rows.push(Row { key: way.key.clone(), address: way.address.clone(), what, origin });
    }
}

/// What an item is called by.
fn name(asked: &[Asked]) -> Option<&str> {
    NAMES.iter().find_map(|name| {
        asked.iter().find(|asked| asked.name == *name).and_then(|asked| match &asked.found {
            Found::Said(Written::Text(text), _) => Some(text.as_str()),
            _ => None,
        })
    })
}
