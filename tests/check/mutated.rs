//! Each key of the sample, spoilt by itself: a misspelt key and a value of another type are refused where they stand, by
//! editors as well, and another value is refused or told as a change. A key that is read and forgotten would be a lie.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use hotline::routing::difference::Difference;
use hotline::routing::schema::Whose;
use hotline::routing::{Draft, Outcome, Overrides, sample};
use jsonschema::Validator;
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::base::{is_error, wav};
use super::schema::{faults, json_of, validator};

/// Tables whose keys are names that the operator chooses.
const NAMES: [&str; 5] = [
    "disposition.fields.",
    "disposition.types.",
    "disposition.not_accepted.",
    "disposition.unsurveyed.",
    "flow[].step[].with.",
];

/// Keys that editors take: what a value can say is known along the flow alone.
const WORDS: &str = "flow[].step[].say[].prompts.";

/// Values that may be others and come to the same, and why.
const SAME: [(&str, &str); 3] = [
    ("test[].", "tests judge the plan and are not part of it"),
    ("examples", "so are a rule's examples"),
    ("feed[].lines", "the line is its owner's, whose calls the feed tells of anyway"),
];

const BY_EDITORS: &str = "taken by editors";

/// A key of the sample where it first stands.
struct Entry {
    /// `number[].transition.start`.
    path: String,
    /// Empty of what stands in a list.
    key: Range<usize>,
    value: Range<usize>,
    /// Other values of its type.
    others: Vec<String>,
    /// A value of another type.
    alien: &'static str,
}

/// The sample in full, with short sounds.
struct Sample {
    text: String,
    files: BTreeMap<String, Vec<u8>>,
    entries: Vec<Entry>,
}

impl Sample {
    fn read() -> Sample {
        // Comments would be most of what is read a thousand times.
        let text = sample::in_full();
        let text: Vec<&str> =
            text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        let text = text.join("\n");
        let table = DeTable::parse(&text).expect("TOML");
        let mut entries = BTreeMap::new();
        walk_table(table.get_ref(), "", &mut entries);
        let entries = entries.into_values().collect();
        Sample { text, files: files(), entries }
    }

    fn judge(&self, text: &str) -> Outcome {
        let mut draft = Draft::read("routing.toml", Ok(text.as_bytes().to_vec()), &Overrides::default());
        loop {
            let (wanted, listings) = (draft.wants(), draft.wants_listings());
            if wanted.is_empty() && listings.is_empty() {
                return draft.judge_at("2026-07-01T09:00:00+08:00".parse().expect("an instant"));
            }
            for directory in listings {
                draft.give_listing(&directory, Ok(Vec::new()));
            }
            for name in wanted {
                let read = || std::fs::read(home().join(&name)).map_err(|error| error.to_string());
                draft.give(&name, self.files.get(&name).map_or_else(read, |bytes| Ok(bytes.clone())));
            }
        }
    }

    fn with(&self, place: &Range<usize>, text: &str) -> String {
        format!("{}{text}{}", &self.text[..place.start], &self.text[place.end..])
    }

    /// Whether something at this line is no form of a plan's, for the check and for editors.
    fn refused_at(&self, editors: &Validator, text: &str, line: usize) -> Result<(), String> {
        let outcome = self.judge(text);
        let errors = errors_at(&outcome);
        match json_of(text).map(|document| faults(editors, &document)) {
            _ if outcome.plan.is_some() => Err("taken".to_owned()),
            _ if !errors.contains(&line) => Err(format!("refused at {errors:?}, not {line}")),
            Some(found) if found.is_empty() => Err(BY_EDITORS.to_owned()),
            _ => Ok(()),
        }
    }

    fn line(&self, place: usize) -> usize {
        self.text[..place].matches('\n').count() + 1
    }
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The shipped prompts, each of a hundredth of a second: what they sound like is not judged here.
fn files() -> BTreeMap<String, Vec<u8>> {
    let sound = wav(8_000, 80);
    let sealed: String = Sha256::digest(&sound).iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = std::fs::read_to_string(home().join("prompts/prompts.toml")).expect("the manifest");
    let mut files = BTreeMap::new();
    let mut line = |line: &str| match line.split_once(" = ") {
        Some(("file", name)) => {
            files.insert(format!("prompts/{}", name.trim_matches('"')), sound.clone());
            line.to_owned()
        }
        Some(("sha256", _)) => format!("sha256 = \"{sealed}\""),
        _ => line.to_owned(),
    };
    let manifest: Vec<String> = manifest.lines().map(&mut line).collect();
    files.insert("prompts/prompts.toml".to_owned(), manifest.join("\n").into_bytes());
    files
}

fn walk_table(table: &DeTable, path: &str, found: &mut BTreeMap<String, Entry>) {
    for (key, value) in table {
        let path =
            if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
        walk(key.span(), value, path, found);
    }
}

fn walk(key: Range<usize>, value: &Spanned<DeValue>, path: String, found: &mut BTreeMap<String, Entry>) {
    let (others, alien) = match value.get_ref() {
        DeValue::Table(table) => {
            walk_table(table, &path, found);
            (Vec::new(), "17")
        }
        DeValue::Array(values) => {
            values.iter().for_each(|value| walk(0..0, value, format!("{path}[]"), found));
            (vec!["[]".to_owned()], "17")
        }
        DeValue::String(said) => (changed(said).iter().map(|text| format!("{text:?}")).collect(), "true"),
        DeValue::Integer(said) => {
            let number: i64 = said.as_str().replace('_', "").parse().expect("a number");
            let others = [number + 1, number - 1, -1, i64::MAX];
            (others.map(|other| other.to_string()).into(), "\"x\"")
        }
        DeValue::Float(said) => (vec![format!("{}1", said.as_str())], "\"x\""),
        DeValue::Boolean(said) => (vec![(!said).to_string()], "17"),
        DeValue::Datetime(day) => {
            let next = |day: &str| day.parse::<jiff::civil::Date>().ok()?.tomorrow().ok();
            (next(&day.to_string()).iter().map(|day| day.to_string()).collect(), "true")
        }
    };
    let entry = Entry { path: path.clone(), key, value: value.span(), others, alien };
    found.entry(path).or_insert(entry);
}

/// A text with more behind it, without anything, and with its last number one more or one less.
fn changed(said: &str) -> Vec<String> {
    let mut others = vec![format!("{said}x"), String::new()];
    let is_digit = |letter: char| letter.is_ascii_digit();
    if let Some(last) = said.rfind(is_digit) {
        let first = said[..last].trim_end_matches(is_digit).len();
        let (digits, behind) = (&said[first..=last], &said[last + 1..]);
        if let Ok(number) = digits.parse::<u64>() {
            let with =
                |number: u64| format!("{}{number:0width$}{behind}", &said[..first], width = digits.len());
            others.extend([number.checked_add(1), number.checked_sub(1)].into_iter().flatten().map(with));
        }
    }
    others
}

/// The lines at which errors stand.
fn errors_at(outcome: &Outcome) -> BTreeSet<usize> {
    let errors = outcome.report.diagnostics.iter().filter(|found| is_error(found.code));
    errors.filter_map(|found| outcome.report.place(&found.spot)).map(|place| place.line).collect()
}

#[test]
fn a_misspelt_key_is_refused_where_it_stands() {
    let (sample, editors) = (Sample::read(), validator(Whose::Routing));
    let mut wrong = Vec::new();
    // Of the first [[flow]] TOML itself says that the next one is there twice: a table behind [[flow.step]].
    let chosen =
        |entry: &&Entry| entry.path == "flow" || NAMES.iter().any(|names| entry.path.starts_with(names));
    let keys: Vec<&Entry> =
        sample.entries.iter().filter(|entry| !entry.key.is_empty() && !chosen(entry)).collect();
    assert!(keys.len() > 400, "{}", keys.len());
    for entry in keys {
        let name = sample.text[entry.key.clone()].trim_matches('"');
        let text = sample.with(&entry.key, &format!("{name}x"));
        let fault = sample.refused_at(&editors, &text, sample.line(entry.key.start)).err();
        let excused = entry.path.starts_with(WORDS) && fault.as_deref() == Some(BY_EDITORS);
        if let Some(fault) = fault.filter(|_| !excused) {
            wrong.push(format!("{}: {fault}", entry.path));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_value_of_another_type_is_refused_where_it_stands() {
    let (sample, editors) = (Sample::read(), validator(Whose::Routing));
    let mut wrong = Vec::new();
    for entry in sample.entries.iter().filter(|entry| !entry.value.is_empty()) {
        let text = sample.with(&entry.value, entry.alien);
        if let Err(fault) = sample.refused_at(&editors, &text, sample.line(entry.value.start)) {
            wrong.push(format!("{} = {}: {fault}", entry.path, entry.alien));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn another_value_is_refused_or_told_as_a_change() {
    let (sample, editors) = (Sample::read(), validator(Whose::Routing));
    let own = sample.judge(&sample.text);
    let plan = own.plan.as_ref().unwrap_or_else(|| panic!("{}", own.report.render(false)));
    let (mut wrong, mut told) = (Vec::new(), BTreeSet::new());
    for entry in &sample.entries {
        for other in &entry.others {
            let text = sample.with(&entry.value, other);
            let Some(changed) = sample.judge(&text).plan else { continue };
            let refused = faults(&editors, &json_of(&text).expect("TOML"));
            wrong.extend(
                refused.first().map(|fault| format!("{} = {other}: editors refuse {fault}", entry.path)),
            );
            let difference = Difference::between(plan, &changed);
            let says_nothing = difference.words().contains("the files differ (comments, tests)");
            let same = SAME.iter().any(|(path, _)| entry.path.contains(path));
            match says_nothing {
                true if !same => wrong.push(format!("{} = {other}: no change is told", entry.path)),
                true => {}
                false => drop(told.insert(&entry.path)),
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(told.len() > 200, "only {} keys could be changed", told.len());
}
