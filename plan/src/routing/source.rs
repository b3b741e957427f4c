//! The operator's files as text with places, and the list of what is wrong with them.
//!
//! What is wrong is for the readers and rules to find.

use std::collections::BTreeSet;
use std::ops::{Deref, Range};
use std::path::Path;

use serde::Serialize;

use super::diagnostic::{Diagnostic, Report, Severity, Spot, Text};
use super::notes::{Found, Notes};
use super::shape::Describing;

/// A file's bytes, or why it could not be read.
pub type Fetched = Result<Vec<u8>, String>;

/// The names of the files in a directory, or why it could not be listed.
pub type Listed = Result<Vec<String>, String>;

/// A file named in another one: relative to that one's directory.
pub fn beside(name: &str, other: &str) -> String {
    let directory = Path::new(name).parent().unwrap_or(Path::new(""));
    directory.join(other).to_string_lossy().into_owned()
}

/// A value and where it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<T> {
    /// The value.
    pub value: T,
    /// Its place; for a default, that of the table without it.
    pub spot: Spot,
}

impl<T> Deref for Said<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name as the operator gave it.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// Where its lines begin, so that each of many places is found at once.
    starts: Vec<usize>,
}

/// A place for people: line and column are counted from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Its line.
    pub line: usize,
    /// Its column.
    pub column: usize,
    /// What the line says, without blanks at its ends.
    pub text: String,
}

impl Source {
    /// A file that was read.
    pub fn new(name: String, text: String) -> Self {
        let after = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let starts = std::iter::once(0).chain(after).collect();
        Source { name, text, starts }
    }

    /// Where `span` begins.
    pub fn place(&self, span: &Range<usize>) -> Place {
        let (line, column, start) = self.find(span.start);
        let text = self.text[start..].lines().next().unwrap_or_default();
        Place { file: self.name.clone(), line, column, text: text.trim().to_owned() }
    }

    /// Line and column of a place, and where its line begins.
    pub(super) fn find(&self, at: usize) -> (usize, usize, usize) {
        let at = self.text.floor_char_boundary(at);
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..at).map_or(1, |before| before.chars().count() + 1);
        (line, column, start)
    }

    /// The whole lines that hold `span`: the number of the first, and where in the text they are.
    pub(super) fn lines(&self, span: &Range<usize>) -> (usize, Range<usize>) {
        let (line, _, start) = self.find(span.start);
        let next = self.starts.partition_point(|start| *start <= span.end);
        (line, start..self.starts.get(next).copied().unwrap_or(self.text.len()))
    }

    /// The part of `span` to underline: its first line, inside the text.
    pub fn visible(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.floor_char_boundary(span.end.max(start));
        let line = self.text[start..end].lines().next().unwrap_or_default();
        start..start + line.len()
    }
}

/// Keys that hold a secret in plain text wherever they turn up.
pub(super) const SECRET_KEYS: [&str; 5] = ["password", "passwd", "pwd", "secret", "token"];

/// What stands behind a key of a secret, to the end of its line.
fn secret_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let first = SECRET_KEYS.iter().flat_map(|key| line.match_indices(key)).filter_map(|(at, key)| {
            let rest = &line[at + key.len()..];
            let value = rest.trim_start_matches(['"', '\'', ' ', '\t']).strip_prefix('=')?;
            Some(line.len() - value.len())
        });
        if let Some(from) = first.min() {
            spans.push(line_start + from..line_start + line.trim_end().len().max(from));
        }
        line_start += line.len();
    }
    spans
}

/// Codes that say that something is not there.
const ABSENCES: [&str; 4] = ["E0102", "E0209", "E0601", "E0602"];

/// Gathers problems while files are read and judged.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Diagnostic>,
    secrets: Vec<Spot>,
    /// What was asked for and found, where somebody wants to know.
    pub(super) notes: Option<Notes>,
    /// Where the readers are asked what they would read, and there is no file.
    pub(super) describing: Option<Describing>,
}

impl Problems {
    /// Begins, and takes notes of what is asked for and found where somebody wants them.
    pub(super) fn noting(notes: Option<Notes>) -> Self {
        Problems { notes, ..Problems::default() }
    }

    /// Notes an error.
    pub fn error(
        &mut self,
        code: &'static str,
        spot: &Spot,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(code, Severity::Error, spot, Text::new(zh, en))
    }

    /// Notes a warning.
    pub fn warning(
        &mut self,
        code: &'static str,
        spot: &Spot,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(code, Severity::Warning, spot, Text::new(zh, en))
    }

    fn add(&mut self, code: &'static str, severity: Severity, spot: &Spot, problem: Text) -> &mut Diagnostic {
        self.list.push(Diagnostic {
            code,
            severity,
            spot: spot.clone(),
            problem,
            effect: None,
            remedy: None,
            nearest: None,
            related: None,
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Makes warnings of errors with these codes.
    pub fn soften(&mut self, codes: &[&str]) {
        for diagnostic in self.list.iter_mut().filter(|diagnostic| codes.contains(&diagnostic.code)) {
            diagnostic.severity = Severity::Warning;
        }
    }

    /// Notes what stands behind a key of a table, if somebody wants to know.
    pub(super) fn note(&mut self, table: &Spot, name: &'static str, found: impl FnOnce() -> Found) {
        if let Some(notes) = &mut self.notes {
            notes.note(&table.key, name, found());
        }
    }

    /// Notes that a value's reading does not take this kind of value, where the readers are asked for it.
    pub(super) fn refuse(&mut self, zh: &str, en: &str) {
        if let Some(describing) = &mut self.describing {
            describing.refuse(zh, en);
        }
    }

    /// Sees to it that nothing that looks like a secret is shown of a file that nobody can read as tables.
    pub(super) fn blot_out_lines(&mut self, file: usize, text: &str) {
        let spans = secret_spans(text).into_iter();
        self.secrets.extend(spans.map(|span| Spot { file: Some(file), span, key: String::new() }));
    }

    /// Sees to it that what stands at `spot` is never shown.
    pub fn blot_out(&mut self, spot: &Spot) {
        self.secrets.push(spot.clone());
    }

    /// Whether this was found at this place.
    pub(super) fn has(&self, code: &str, spot: &Spot) -> bool {
        self.list.iter().any(|found| found.code == code && found.spot == *spot)
    }

    /// Whether an error was found in what stands at `spot`, or in any part of it.
    pub(super) fn any_error_in(&self, spot: &Spot) -> bool {
        let inside = |own: &Spot| {
            own.file == spot.file && spot.span.start <= own.span.start && own.span.end <= spot.span.end
        };
        self.list.iter().any(|found| found.severity == Severity::Error && inside(&found.spot))
    }

    /// Whether the files can be used.
    pub fn any_error(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Sorts the problems by place (the command line first) and takes secrets out of the sources.
    ///
    /// What is said wrongly is not missing as well: of the two, the fault of the value is kept.
    pub fn into_report(mut self, mut sources: Vec<Source>) -> Report {
        let is_absence = |diagnostic: &Diagnostic| ABSENCES.contains(&diagnostic.code);
        let faulty: BTreeSet<(Option<usize>, String)> = self
            .list
            .iter()
            .filter(|diagnostic| !is_absence(diagnostic))
            .map(|diagnostic| (diagnostic.spot.file, diagnostic.spot.key.clone()))
            .collect();
        // A faulty item of a list counts for the whole of it: `target[1]` for `target`.
        let says = |whole: (Option<usize>, String)| {
            let item = (whole.0, format!("{}[", whole.1));
            let is_item = |found: &(Option<usize>, String)| found.0 == item.0 && found.1.starts_with(&item.1);
            faulty.contains(&whole) || faulty.range(&item..).next().is_some_and(is_item)
        };
        self.list.retain(|diagnostic| {
            let spot = &diagnostic.spot;
            !is_absence(diagnostic) || !says((spot.file, spot.key.clone()))
        });
        self.list.sort_by(|a, b| {
            let by = |d: &Diagnostic| (d.spot.file, d.spot.span.start, d.code);
            by(a).cmp(&by(b)).then_with(|| a.spot.key.cmp(&b.spot.key))
        });
        for spot in &self.secrets {
            let Some(source) = spot.file.and_then(|file| sources.get_mut(file)) else {
                continue;
            };
            let stars = "*".repeat(spot.span.len()); // As many bytes, so that other places stay.
            if source.text.get(spot.span.clone()).is_some() {
                source.text.replace_range(spot.span.clone(), &stars);
            }
        }
        Report { sources, diagnostics: self.list, unreadable: false, lacking: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters_from_one() {
        let source = Source::new("routing.toml".to_owned(), "a = 1\n  名 = \"濮阳\" # x\n".to_owned());
        let at = source.text.find('"').unwrap();
        let place = source.place(&(at..at + 3));
        assert_eq!((place.line, place.column), (2, 7));
        assert_eq!(place.text, "名 = \"濮阳\" # x");
        assert_eq!(source.place(&(0..1)).line, 1);
        assert_eq!(source.place(&(999..1_000)).line, 3);
    }

    #[test]
    fn what_looks_like_a_secret_is_found_without_reading_the_file() {
        let text = "name = \"x\"\n  password = \"geheim\na = { \"token\" = 't', user = 1 }\nsecret\npwd=\n";
        let found: Vec<&str> = secret_spans(text).into_iter().map(|span| &text[span]).collect();
        assert_eq!(found, [" \"geheim", " 't', user = 1 }", ""]);
    }
}
