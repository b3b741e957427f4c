//! The corpus: files as an integrator might write them, each faulty by one rule of its own, with exactly what
//! `hotline check` prints for it.
//!
//! `faulty/E0201-a-number-stands-twice.toml` stands beside `….txt`, its output. A case is a part of a file: what it does
//! not say is taken from [`base.toml`](super::base::PLAN), whose tables come behind the case's own, without
//! those that the case writes anew (`[city]`, or the `[[number]]` of the same number). So lines are the case's own.
//! Comments at its top say what else it takes:
//!
//! | `# without: [transition]`, `# without: [[number]] 12348` | the base's table is left out |
//! | --- | --- |
//! | `# whole` | nothing of the base is taken |
//! | `# sound: greeting 6 s`, `16000 Hz`, `changed`, `broken` | what becomes of a prompt's file |
//! | `# gone: prompts/survey.wav` | a file cannot be read |
//! | `# manifest: old => new` | what stands once in the manifest is replaced; `\\n` is a new line |
//! | `# file: seats.toml [[seat]]` | a line of a file beside it, for `include` |
//! | `# option: --listen [::]:5060` | the command line; also `--trunk`, `--rtp-ports` |
//! | `# at: 2026-12-01T00:00:00+08:00` | when it is judged |
//!
//! A new case: write the `.toml`, run `BLESS=1 cargo test --test check faulty`, and read the `.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hotline::routing::diagnostic::pages::{Page, Pages};
use hotline::routing::diagnostic::{Report, Text};

use super::base::{Edit, Files, PLAN, Sound, codes as found_codes};
use super::fixture::codes_in_the_sources;

/// Codes that no file can bring about, and why.
const WITHOUT_A_FILE: [(&str, &str); 5] = [
    ("E0001", "the file is not there at all: tests/check/files.rs"),
    ("E0631", "only of an engine without Opus: tests/check/codecs.rs"),
    ("E1414", "only beside a data directory: tests/check/sealing.rs"),
    ("E1809", "only beside plans that an engine had: difference/tests.rs, tests/reload/taken.rs"),
    ("E1210", "only beside the plan of a running engine: difference/tests.rs"),
];

/// Fewer cases than this are not the corpus.
const CASES_MIN: usize = 80;

/// One faulty file.
struct Case {
    name: String,
    code: String,
    bytes: Vec<u8>,
    expected: PathBuf,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/faulty")
}

fn leak(text: &str) -> &'static str {
    String::leak(text.to_owned()) // As many as there are cases; the process is short.
}

fn cases() -> Vec<Case> {
    let entries = std::fs::read_dir(folder())
        .expect("the corpus is there")
        .map(|entry| entry.expect("an entry").path());
    let mut cases: Vec<Case> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let code = name.split('-').next().unwrap_or_default().to_owned();
            Case {
                name,
                code,
                bytes: std::fs::read(&path).expect("a case"),
                expected: path.with_extension("txt"),
            }
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// Codes that have a case.
pub fn codes() -> BTreeSet<String> {
    cases().into_iter().map(|case| case.code).collect()
}

/// `([[number]], 12336)`: by what a table is known from others of its kind.
fn identity(table: &str) -> (String, String) {
    let mut lines = table.lines();
    let heading = lines.next().unwrap_or_default().trim().to_owned();
    let keys = ["number", "name", "id", "caller"];
    let named = lines.filter_map(|line| line.split_once('=')).find(|(key, _)| keys.contains(&key.trim()));
    let single = !heading.starts_with("[[");
    let name = named.filter(|_| !single).map_or("", |(_, value)| value.trim());
    (heading, name.trim_matches('"').to_owned())
}

/// A file's tables, without what stands in front of the first.
pub fn tables(text: &str) -> Vec<String> {
    let mut tables: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            tables.push(String::new());
        }
        if let Some(table) = tables.last_mut() {
            table.push_str(line);
            table.push('\n');
        }
    }
    tables
}

/// The whole file of a case, and what its comments ask for.
fn whole(text: &str) -> (String, Vec<Edit>) {
    let mut without: BTreeSet<(String, String)> = tables(text).iter().map(|table| identity(table)).collect();
    let mut edits = Vec::new();
    let mut beside: BTreeMap<&str, String> = BTreeMap::new();
    let mut alone = false;
    for line in text.lines().take_while(|line| line.starts_with('#')) {
        let line = line.trim_start_matches('#').trim();
        let (word, rest) = line.split_once(": ").unwrap_or((line, ""));
        match word {
            "whole" => alone = true,
            "without" => {
                let (heading, name) =
                    rest.split_once("] ").map_or((rest, ""), |(heading, name)| (heading, name));
                let closed = if rest.contains("] ") { format!("{heading}]") } else { heading.to_owned() };
                without.insert((closed, name.to_owned()));
            }
            "file" => {
                let (name, line) = rest.split_once(' ').unwrap_or((rest, ""));
                let text = beside.entry(name).or_default();
                text.push_str(line);
                text.push('\n');
            }
            "sound" | "gone" | "manifest" | "option" | "at" => edits.push(edit(word, rest)),
            _ => {} // Words for who reads it.
        }
    }
    edits.extend(beside.into_iter().map(|(name, text)| Edit::File(leak(name), leak(&text))));
    let mut whole = text.to_owned();
    if !alone {
        for table in tables(PLAN).iter().filter(|table| !without.contains(&identity(table))) {
            whole.push('\n');
            whole.push_str(table.trim_end());
            whole.push('\n');
        }
    }
    (whole, edits)
}

fn edit(word: &str, rest: &str) -> Edit {
    let words: Vec<&str> = rest.split_whitespace().collect();
    match (word, &words[..]) {
        ("sound", [id, seconds, "s"]) => {
            Edit::Sound(leak(id), Sound::Seconds(seconds.parse().expect("seconds")))
        }
        ("sound", [id, rate, "Hz"]) => Edit::Sound(leak(id), Sound::Rate(rate.parse().expect("a rate"))),
        ("sound", [id, "changed"]) => Edit::Sound(leak(id), Sound::Changed),
        ("sound", [id, "broken"]) => Edit::Sound(leak(id), Sound::Broken),
        ("gone", [name]) => Edit::Gone(leak(name)),
        ("at", [at]) => Edit::At(leak(at)),
        ("manifest", _) => {
            let (from, to) = rest.split_once(" => ").expect("old => new");
            let lines = |text: &str| leak(&text.replace("\\n", "\n"));
            Edit::Manifest(lines(from), lines(to))
        }
        ("option", ["--listen", at]) => Edit::Listen(leak(at)),
        ("option", ["--trunk", target]) => {
            let (name, at) = target.split_once('=').expect("name=address");
            Edit::Target(leak(name), leak(at))
        }
        ("option", ["--rtp-ports", ports]) => {
            let (first, last) = ports.split_once('-').expect("first-last");
            Edit::Ports(first.parse().expect("a port"), last.parse().expect("a port"))
        }
        other => panic!("{other:?} is nothing that a case can ask for"),
    }
}

fn files(name: &str, bytes: &[u8]) -> Files {
    let name = leak(name);
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let (text, edits) = whole(text);
            Files::of(name, text, "prompts/prompts.toml", &edits)
        }
        Err(_) => {
            let bytes: &'static [u8] = Vec::leak(bytes.to_vec());
            Files::of(name, String::new(), "prompts/prompts.toml", &[Edit::Bytes(name, bytes)])
        }
    }
}

#[test]
fn every_faulty_file_has_its_one_fault_and_is_told_so_word_for_word() {
    let bless = std::env::var_os("BLESS").is_some();
    let cases = cases();
    assert!(cases.len() >= CASES_MIN, "{} cases", cases.len());
    let mut faults = Vec::new();
    for case in &cases {
        let report = files(&case.name, &case.bytes).judge().report;
        let printed = report.render(false);
        if found_codes(&report) != [case.code.as_str()] {
            faults.push(format!("{}: found {:?}\n{printed}", case.name, found_codes(&report)));
            continue;
        }
        if bless {
            std::fs::write(&case.expected, &printed).expect("the expected output is written");
        }
        let expected = std::fs::read_to_string(&case.expected).unwrap_or_default();
        if expected != printed {
            faults.push(format!("{}: prints\n{printed}\nand not\n{expected}", case.name));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

#[test]
fn every_output_belongs_to_a_file() {
    let known: BTreeSet<PathBuf> = cases().into_iter().map(|case| case.expected).collect();
    for entry in std::fs::read_dir(folder()).expect("the corpus is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            assert!(known.contains(&path), "{} has no file", path.display());
        }
    }
}

#[test]
fn every_code_of_the_catalogue_has_a_file() {
    let shown = codes();
    let pages = Pages::read();
    let excused: BTreeMap<&str, &str> = WITHOUT_A_FILE.into_iter().collect();
    let written = codes_in_the_sources();
    let catalogue: BTreeSet<&str> = pages.iter().map(|page| page.code.as_str()).collect();
    let without: Vec<&str> = written
        .iter()
        .map(String::as_str)
        .chain(catalogue)
        .filter(|code| !shown.contains(*code) && !excused.contains_key(code))
        .collect();
    assert!(without.is_empty(), "codes without a case in tests/check/faulty: {without:?}");
    for (code, why) in excused {
        assert!(written.contains(code) && !shown.contains(code), "{code} needs no excuse: {why}");
    }
}

#[test]
fn every_code_in_the_sources_has_a_page_and_every_page_a_code() {
    let pages = Pages::read();
    let written = codes_in_the_sources();
    let unexplained: Vec<&String> = written.iter().filter(|code| pages.get(code).is_none()).collect();
    let unused: Vec<&str> =
        pages.iter().map(|page| page.code.as_str()).filter(|code| !written.contains(*code)).collect();
    assert_eq!((unexplained, unused), (vec![], vec![]), "plan/src/routing/diagnostic/pages");
    for page in pages.iter() {
        let said = [&page.title, &page.means, &page.notice, &page.mend];
        for text in said {
            let chinese = text.zh.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
            let english = text.en.chars().any(|letter| letter.is_ascii_alphabetic());
            assert!(chinese && english, "{}: {text:?}", page.code);
        }
    }
}

fn has_a_file(page: &Page) -> bool {
    WITHOUT_A_FILE.iter().all(|(code, _)| *code != page.code)
}

/// What is found in a page's example.
fn exemplified(page: &Page) -> Report {
    let example = {
        match page.code.as_str() {
            "E0002" => b"name = \"\xc5\xa7\xd1\xf4\"".to_vec(), // What the example shows cannot be shown in UTF-8.
            "E0003" => format!("# whole\n{}", page.example).into_bytes(),
            _ if page.example.contains("schema = ") => page.example.clone().into_bytes(),
            _ => {
                let (comments, rest): (Vec<&str>, Vec<&str>) =
                    page.example.lines().partition(|line| line.starts_with('#'));
                let top =
                    |line: &&str| ["purpose", "prompts", "include"].iter().any(|key| line.starts_with(key));
                let (top, rest): (Vec<&str>, Vec<&str>) = rest.into_iter().partition(|line| top(line));
                [&comments[..], &["schema = 1"], &top[..], &rest[..]].concat().join("\n").into_bytes()
            }
        }
    };
    let mut text = example;
    text.push(b'\n');
    files("example.toml", &text).judge().report
}

/// Whether a line of a page is this sentence, whatever stands where the line has `…`.
fn fits(line: &str, said: &str) -> bool {
    let mut parts = line.split('…');
    let Some(mut rest) = said.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// A page is what `check --explain` says of any place that has its code: it says what they say, and nothing else.
#[test]
fn every_page_says_what_its_diagnostics_say_of_the_effect_and_the_remedy() {
    let pages = Pages::read();
    let mut said: BTreeMap<(String, &str), BTreeSet<(String, String)>> = BTreeMap::new();
    let mut gather = |report: &Report| {
        for found in &report.diagnostics {
            for (of, text) in [("notice", &found.effect), ("mend", &found.remedy)] {
                let Some(Text { zh, en }) = text.clone() else { continue };
                said.entry((found.code.to_owned(), of)).or_default().insert((zh, en));
            }
        }
    };
    cases().iter().for_each(|case| gather(&files(&case.name, &case.bytes).judge().report));
    super::fixture::all().for_each(|fixture| gather(&Files::with(fixture.edits).judge().report));
    pages.iter().filter(|page| has_a_file(page)).for_each(|page| gather(&exemplified(page)));
    let mut faults = Vec::new();
    for page in pages.iter().filter(|page| has_a_file(page)) {
        for (of, text) in [("notice", &page.notice), ("mend", &page.mend)] {
            let lines: Vec<(&str, &str)> = text.zh.lines().zip(text.en.lines()).collect();
            let says = said.remove(&(page.code.clone(), of)).unwrap_or_default();
            let whole = text.zh.lines().count() == text.en.lines().count();
            let fit = |line: &(&str, &str), (zh, en): &(String, String)| fits(line.0, zh) && fits(line.1, en);
            let unsaid = says.iter().filter(|sentence| !lines.iter().any(|line| fit(line, sentence)));
            faults.extend(unsaid.map(|(zh, en)| format!("{} {of} lacks\t{zh}\t{en}", page.code)));
            // What no diagnostic says at all a page may say in words of its own.
            let idle =
                lines.iter().filter(|line| !says.is_empty() && !says.iter().any(|said| fit(line, said)));
            faults.extend(idle.map(|(zh, en)| format!("{} {of} has\t{zh}\t{en}", page.code)));
            faults.extend((!whole).then(|| format!("{} {of} has lines in one language only", page.code)));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_pages_example_brings_its_code_about() {
    let mut faults = Vec::new();
    for page in Pages::read().iter().filter(|page| has_a_file(page)) {
        let report = exemplified(page);
        if !found_codes(&report).contains(&page.code.as_str()) {
            faults.push(format!("{}: found {:?}", page.code, found_codes(&report)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
