//! What the readers would read, found by asking them: each table's keys, each value's kinds.
//!
//! A [`Reader`](super::read::Reader) with no file under it notes every key that it is asked for, and a value's
//! own `read` is shown one value of each kind and notes which of them it refuses. Where a table's keys hang on
//! a word in it (`mode = "bench"`), or on whether a key is there, it is read once for each such case. So the
//! [schema](super::schema) says what the reading does, and nobody keeps it in step by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use toml::de::DeTable;

use super::diagnostic::{Spot, Text};
use super::read::{Node, Reader, Value, read_table};
use super::source::Problems;
use super::written::Written;

/// Readings of one description at most, so that its end is certain; those that there are stay far below.
const RUNS_MAX: usize = 4_096;

/// One value of each kind, none of them likely to mean anything.
static KINDS: LazyLock<DeTable<'static>> = LazyLock::new(|| {
    let text =
        "string = '?'\ninteger = 0\nreal = 0.5\ntruth = true\nmoment = 1979-05-27\nlist = []\ntable = {}\n";
    DeTable::parse_recoverable(text).0.into_inner()
});

/// A table with nothing in it, for a reader without a file.
static NOTHING: LazyLock<DeTable<'static>> = LazyLock::new(DeTable::new);

/// A table with nothing in it.
pub(super) fn nothing() -> &'static DeTable<'static> {
    &NOTHING
}

/// What can be said of a value's text or figure beyond its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// A regular expression (ECMA-262) for its text, never stricter than the reading.
    pub pattern: Option<&'static str>,
    /// Text for `format`.
    pub format: Option<&'static str>,
    /// The least and the most of a number.
    pub bounds: Option<(i64, i64)>,
    /// Its words count in any case.
    pub any_case: bool,
    /// The pattern of each value in a table whose keys the operator chooses.
    pub each: Option<&'static str>,
    /// The pattern of those keys.
    pub names: Option<&'static str>,
}

impl Form {
    /// Text of a pattern.
    pub fn pattern(pattern: &'static str) -> Self {
        Form { pattern: Some(pattern), ..Form::default() }
    }

    /// Whole numbers.
    pub fn bounds(least: impl Into<i64>, most: impl Into<i64>) -> Self {
        Form { bounds: Some((least.into(), most.into())), ..Form::default() }
    }
}

/// What a value can be.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// The type that reads it; empty for tables.
    of: &'static str,
    /// JSON's names of the kinds that are not refused; dates are strings.
    pub kinds: BTreeSet<&'static str>,
    /// The only texts that it can be; empty for any.
    pub words: Vec<String>,
    /// What it is, as the complaint about another kind says it.
    pub text: Option<Text>,
    /// See there.
    pub form: Form,
}

/// A key of a table.
#[derive(Debug, Clone, Default)]
pub struct Key {
    /// What holds without it.
    pub usual: Option<Written>,
    /// Its type has a default and no way of writing it.
    pub unwritten: bool,
    /// What callers would notice without it, where it must be there.
    pub effect: Option<Text>,
}

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Its keys in the order they were asked for.
    pub keys: Vec<(&'static str, Key)>,
    /// Keys that must be there in every case.
    pub required: BTreeSet<&'static str>,
    /// Those that must be there where no word is known, and each key has a value of its own.
    pub usually: BTreeSet<&'static str>,
    /// Those that must be there in a case.
    pub cases: Vec<(Case, BTreeSet<&'static str>)>,
}

/// What makes a difference to which keys a table has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// A key says this word.
    Word(&'static str, String),
    /// A key is there.
    There(String),
}

/// Everything that would be read, by its key: `number[0].transition.start`, with 0 for any.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// Tables.
    pub tables: BTreeMap<String, Table>,
    /// Values, and items of lists: one shape for each type that reads it in one case or another.
    pub values: BTreeMap<String, Vec<Shape>>,
}

/// A case of one table, by the table's key.
type Assumed = (String, Case);

/// One reading without a file.
#[derive(Debug, Clone, Default)]
pub struct Describing {
    assumed: Vec<Assumed>,
    /// Cases that were met.
    met: Vec<Assumed>,
    /// Keys by table: the name, what it is, and whether it must be there.
    tables: BTreeMap<String, Vec<(&'static str, Key)>>,
    values: BTreeMap<String, Vec<Shape>>,
    probe: Probe,
}

/// What a value's `read` has noted about the kind that it was just shown.
#[derive(Debug, Clone, Default)]
struct Probe {
    refused: Option<Text>,
    words: Vec<String>,
}

impl Describing {
    /// A value's reading does not take this kind; what it wants.
    pub fn refuse(&mut self, zh: &str, en: &str) {
        self.probe.refused.get_or_insert_with(|| Text::new(zh.trim(), en));
    }

    /// A value is one of these words.
    pub fn words(&mut self, words: &[&str]) {
        self.probe.words = words.iter().map(|word| (*word).to_owned()).collect();
    }

    /// A key was asked for.
    pub fn key(&mut self, table: &Spot, name: &'static str, key: Key) {
        let keys = self.tables.entry(table.key.clone()).or_default();
        match keys.iter_mut().find(|(own, _)| *own == name) {
            Some(own) => own.1 = key,
            None => keys.push((name, key)),
        }
    }

    /// What stands at `at` is a table, or an array of tables.
    pub fn kind(&mut self, at: &str, kind: &'static str) {
        let mut shape = Shape::default();
        shape.kinds.insert(kind);
        self.shape(at, shape);
    }

    fn shape(&mut self, at: &str, shape: Shape) {
        let shapes = self.values.entry(at.to_owned()).or_default();
        match shapes
            .iter_mut()
            .find(|own| own.of == shape.of && (!own.of.is_empty() || own.kinds == shape.kinds))
        {
            Some(own) => *own = shape,
            None => shapes.push(shape),
        }
    }

    /// Whether a value is a table, or a list of such: their keys may hang on the case.
    fn holds_tables(&self, at: &str) -> bool {
        let mut shapes = self.values.get(at).into_iter().flatten();
        shapes.any(|shape| {
            shape.kinds.contains("object")
                || shape.kinds.contains("array") && self.holds_tables(&format!("{at}[0]"))
        })
    }

    /// A table was read.
    pub fn table(&mut self, table: &Spot) {
        self.tables.entry(table.key.clone()).or_default();
    }

    /// Whether a key is there, for this reading.
    pub fn is_there(&mut self, table: &Spot, name: &str) -> bool {
        let case = (table.key.clone(), Case::There(name.to_owned()));
        if self.assumed.contains(&case) {
            return true;
        }
        self.met.push(case);
        false
    }

    /// The word that a key says, for this reading.
    pub fn word(&mut self, table: &Spot, name: &'static str, at: &str) -> Option<String> {
        let shapes = self.values.get(at).into_iter().flatten();
        let words: Vec<String> = shapes.flat_map(|shape| shape.words.iter().cloned()).collect();
        let said = self.assumed.iter().find_map(|(key, case)| match case {
            Case::Word(own, word) if *key == table.key && *own == name => Some(word.clone()),
            _ => None,
        });
        if said.is_none() {
            self.met.extend(words.into_iter().map(|word| (table.key.clone(), Case::Word(name, word))));
        }
        said
    }
}

/// Finds what a value can be by showing its `read` one of each kind; known already unless a table is among them, or
/// among what it is a list of.
pub fn probe<T: Value>(spot: &Spot, problems: &mut Problems) {
    show(std::any::type_name::<T>(), T::form, |node, problems| drop(T::read(node, problems)), spot, problems);
}

/// The same of whatever reads. There are many types of values, and this is compiled once.
fn show(
    of: &'static str,
    form: fn() -> Form,
    read: fn(&Node<'_>, &mut Problems),
    spot: &Spot,
    problems: &mut Problems,
) {
    let known = |describing: &Describing| {
        let mut shapes = describing.values.get(&spot.key).into_iter().flatten();
        shapes.any(|shape| shape.of == of) && !describing.holds_tables(&spot.key)
    };
    if problems.describing.as_ref().is_none_or(known) {
        return;
    }
    let mut shape = Shape { of, form: form(), ..Shape::default() };
    for (kind, value) in KINDS.iter() {
        if let Some(describing) = &mut problems.describing {
            describing.probe = Probe::default();
        }
        read(&Node { value: value.get_ref(), spot: spot.clone() }, problems);
        let Some(describing) = &mut problems.describing else { return };
        let seen = std::mem::take(&mut describing.probe);
        if let Some(wanted) = seen.refused {
            shape.text = shape.text.or(Some(wanted));
            continue;
        }
        let kind: &str = kind.get_ref();
        shape.kinds.insert(match kind {
            "string" | "moment" => "string",
            "integer" => "integer",
            "real" => "number",
            "truth" => "boolean",
            "list" => "array",
            _ => "object",
        });
        if kind == "string" {
            shape.words = seen.words;
        }
    }
    if let Some(describing) = &mut problems.describing {
        describing.shape(&spot.key, shape);
    }
}

/// Describes what `read` reads from the top of a file.
pub(super) fn describe<T>(read: fn(&mut Reader<'_, '_>) -> T) -> Description {
    let mut whole = Description::default();
    let mut waiting: Vec<Vec<Assumed>> = vec![Vec::new()];
    let mut seen: BTreeSet<Assumed> = BTreeSet::new();
    for _ in 0..RUNS_MAX {
        let Some(assumed) = waiting.pop() else { break };
        let describing =
            Describing { assumed, values: std::mem::take(&mut whole.values), ..Describing::default() };
        let mut problems = Problems::default();
        problems.describing = Some(describing);
        let spot = Spot { file: Some(0), span: 0..0, key: String::new() };
        read_table(nothing(), spot, &mut problems, read);
        let Some(mut run) = problems.describing else { break };
        whole.values = std::mem::take(&mut run.values);
        // A case that only another brings up is met under that other.
        for case in run.met.drain(..) {
            if seen.insert(case.clone()) {
                let mut next = run.assumed.clone();
                next.push(case);
                waiting.push(next);
            }
        }
        whole.add(run);
    }
    whole
}

impl Case {
    /// The key that it is about.
    fn key(&self) -> &str {
        match self {
            Case::Word(name, _) => name,
            Case::There(name) => name,
        }
    }
}

impl Table {
    /// What must be there in some cases besides what always must. A key that one word or another does without
    /// hangs on that word's key, and on no other: it is asked for by the key's other words.
    pub fn cases(&self) -> impl Iterator<Item = (&Case, Vec<&'static str>)> {
        let spared = |by: &str, name: &str| {
            self.cases.iter().any(|(case, needs)| case.key() == by && !needs.contains(name))
        };
        let hangs = move |on: &str, name: &str| {
            let others = self.cases.iter().map(|(case, _)| case.key()).filter(|other| *other != on);
            spared(on, name) && !others.into_iter().any(|other| spared(other, name))
        };
        self.cases.iter().filter_map(move |(case, needs)| {
            let asked = |name: &&'static str| {
                !self.required.contains(name) && (!self.usually.contains(name) || hangs(case.key(), name))
            };
            let needs: Vec<&'static str> = needs.iter().copied().filter(asked).collect();
            (!needs.is_empty()).then_some((case, needs))
        })
    }
}

impl Description {
    fn add(&mut self, run: Describing) {
        for (at, keys) in run.tables {
            let required: BTreeSet<&'static str> =
                keys.iter().filter(|(_, key)| key.effect.is_some()).map(|(name, _)| *name).collect();
            let new = !self.tables.contains_key(&at);
            let table = self.tables.entry(at.clone()).or_default();
            if new {
                table.required.clone_from(&required);
                table.usually.clone_from(&required);
            }
            table.required.retain(|name| required.contains(name));
            // One case alone: what hangs on two of them at once is left to the check.
            if let [(key, case)] = run.assumed.as_slice()
                && *key == at
            {
                table.cases.push((case.clone(), required));
            }
            for (name, key) in keys {
                match table.keys.iter_mut().find(|(own, _)| *own == name) {
                    Some((_, own)) => {
                        own.effect = own.effect.take().or(key.effect);
                        own.usual = own.usual.take().or(key.usual);
                        own.unwritten |= key.unwritten;
                    }
                    None => table.keys.push((name, key)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A table whose kind is the key that is there, each with keys of its own.
    fn step(reader: &mut Reader<'_, '_>) {
        let effect = || Text::new("无", "nothing");
        if reader.has("collect") {
            reader.optional::<String>("collect");
            reader.or::<u16>("least", 1);
            reader.required::<String>("into", effect());
        } else if reader.has("message") {
            reader.optional::<String>("message");
            reader.or::<Duration>("least", Duration::from_secs(2));
        }
    }

    #[test]
    fn a_key_that_is_of_two_types_by_another_key_is_described_as_both() {
        let found = describe(|reader| reader.sections("step", step));
        let table = &found.tables["step[0]"];
        let names: BTreeSet<&str> = table.keys.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, BTreeSet::from(["collect", "into", "least", "message"]));
        let kinds: BTreeSet<&str> =
            found.values["step[0].least"].iter().flat_map(|shape| shape.kinds.iter().copied()).collect();
        assert_eq!(kinds, BTreeSet::from(["integer", "string"]));
        assert!(table.required.is_empty());
        let cases: Vec<_> = table.cases().collect();
        assert_eq!(cases, [(&Case::There("collect".to_owned()), vec!["into"])]);
    }
}
