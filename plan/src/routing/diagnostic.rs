//! One thing wrong with the operator's files: what, where, what callers would notice, and the remedy.
//!
//! Chinese stands first, English after it. Codes are stable: `E` for errors, `W` for warnings;
//! the hundreds name the subject (0 files, 1 shape, 2 lines, 3 references, 4 people, 5 prompts,
//! 6 network, 7 tickets, 8 traces, 9 callers and calls to the outside, 10 flows, 11 what is proved of the whole, 16 the knowledge base).
//! Each has a page of its own: see [`pages`].

pub mod pages;
mod sarif;

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;

use super::source::{Place, Source};

/// The same words twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// Both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Text { zh: zh.into(), en: en.into() }
    }
}

/// Whether the file can be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but somebody should look.
    Warning,
}

/// Where a value stands in the files that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Index of the file; `None` for the command line.
    pub file: Option<usize>,
    /// Bytes.
    pub span: Range<usize>,
    /// `number[5].mode`, counted from 0; `--listen` for the command line.
    pub key: String,
}

impl Spot {
    /// An option of the command line.
    pub fn option(name: &str) -> Self {
        Spot { file: None, span: 0..0, key: name.to_owned() }
    }
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// `E0201`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// Where.
    pub spot: Spot,
    /// What is wrong.
    pub problem: Text,
    /// What callers, clerks or the office would notice.
    pub effect: Option<Text>,
    /// What to do.
    pub remedy: Option<Text>,
    /// The nearest valid name.
    pub nearest: Option<String>,
    /// Another place that has to do with it.
    pub related: Option<(Spot, Text)>,
}

impl Diagnostic {
    /// Says what would be noticed.
    pub fn effect(&mut self, zh: impl Into<String>, en: impl Into<String>) -> &mut Self {
        self.effect = Some(Text::new(zh, en));
        self
    }

    /// Says what to do.
    pub fn remedy(&mut self, zh: impl Into<String>, en: impl Into<String>) -> &mut Self {
        self.remedy = Some(Text::new(zh, en));
        self
    }

    /// Names the nearest valid name, if there is one near enough.
    pub fn nearest(&mut self, name: Option<&str>) -> &mut Self {
        self.nearest = name.map(str::to_owned);
        self
    }

    /// Points at another place.
    pub fn related(&mut self, spot: &Spot, zh: &str, en: &str) -> &mut Self {
        self.related = Some((spot.clone(), Text::new(zh, en)));
        self
    }
}

/// All that was found in one reading, in the order of the files.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The files, secrets blotted out.
    pub(super) sources: Vec<Source>,
    /// The problems.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the routing file could not be read at all.
    pub unreadable: bool,
    /// Whole parts that the file lacks, as they may be pasted into it.
    pub lacking: Option<String>,
}

/// How a [`Report`] looks to a program.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    code: &'a str,
    severity: Severity,
    #[serde(flatten)]
    place: Option<Place>,
    key: &'a str,
    problem: &'a Text,
    effect: Option<&'a Text>,
    remedy: Option<&'a Text>,
    nearest: Option<&'a str>,
    related: Option<Related<'a>>,
}

#[derive(Debug, Serialize)]
struct Related<'a> {
    #[serde(flatten)]
    place: Option<Place>,
    key: &'a str,
    note: &'a Text,
}

impl Report {
    /// How many of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }

    /// Errors that keep no house from opening; see [`Draft::judge_opening`](super::Draft::judge_opening).
    pub fn softened(&self) -> impl Iterator<Item = &Diagnostic> {
        let softened =
            |found: &&Diagnostic| found.code.starts_with('E') && found.severity == Severity::Warning;
        self.diagnostics.iter().filter(softened)
    }

    /// What a house that opens, reloads or comes to a new day tells in its log: what is wrong by the date alone, with
    /// prompts whose time runs or has run out and calendars that lack a year.
    pub fn for_the_log(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|found| super::check::DATED.contains(&found.code))
    }

    /// 0 clean (warnings allowed), 1 errors, 2 unreadable.
    pub fn exit_code(&self) -> u8 {
        match self.count(Severity::Error) {
            _ if self.unreadable => 2,
            0 => 0,
            _ => 1,
        }
    }

    /// The place of a spot, counted from 1; `None` for the command line.
    pub fn place(&self, spot: &Spot) -> Option<Place> {
        Some(self.sources.get(spot.file?)?.place(&spot.span))
    }

    /// For a program: a list, one entry a problem.
    pub fn to_json(&self) -> serde_json::Value {
        let entries: Vec<Entry> = self.diagnostics.iter().map(|d| self.entry(d)).collect();
        serde_json::to_value(entries).unwrap_or_default() // Strings and numbers only: always a value.
    }

    fn entry<'a>(&self, diagnostic: &'a Diagnostic) -> Entry<'a> {
        Entry {
            code: diagnostic.code,
            severity: diagnostic.severity,
            place: self.place(&diagnostic.spot),
            key: &diagnostic.spot.key,
            problem: &diagnostic.problem,
            effect: diagnostic.effect.as_ref(),
            remedy: diagnostic.remedy.as_ref(),
            nearest: diagnostic.nearest.as_deref(),
            related: diagnostic.related.as_ref().map(|(spot, note)| Related {
                place: self.place(spot),
                key: &spot.key,
                note,
            }),
        }
    }

    /// For a reader: each problem with its line underlined, Chinese first; and what the file lacks.
    pub fn render(&self, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            text.push_str(&self.render_one(diagnostic, &renderer));
            text.push_str("\n\n");
        }
        if let Some(lacking) = &self.lacking {
            text.push_str(lacking);
            text.push('\n');
        }
        text
    }

    fn render_one(&self, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(diagnostic.problem.zh.as_str()).id(diagnostic.code);
        let notes = notes(diagnostic);
        let notes = notes.iter().map(|(name, said)| Level::NOTE.with_name(*name).message(said.as_str()));
        let source = diagnostic.spot.file.and_then(|file| self.sources.get(file));
        let group = match source {
            Some(source) => {
                let snippets = [Some(self.snippet(source, diagnostic)), self.elsewhere(diagnostic)];
                title.elements(snippets.into_iter().flatten()).elements(notes)
            }
            None => title.elements(notes),
        };
        renderer.render(&[group])
    }

    /// The other place that has to do with it, where that is in another file, or far away in this one.
    fn elsewhere<'a>(&'a self, diagnostic: &'a Diagnostic) -> Option<Excerpt<'a>> {
        let (spot, note) = diagnostic.related.as_ref().filter(|_| !is_near(diagnostic))?;
        let source = self.sources.get(spot.file?)?;
        Some(excerpt(source, vec![(AnnotationKind::Context, &spot.span, both(note))]))
    }

    fn snippet<'a>(&self, source: &'a Source, diagnostic: &'a Diagnostic) -> Excerpt<'a> {
        let spot = &diagnostic.spot;
        let mut marked = vec![(AnnotationKind::Primary, &spot.span, spot.key.clone())];
        if let Some((spot, note)) = diagnostic.related.as_ref().filter(|_| is_near(diagnostic)) {
            marked.push((AnnotationKind::Context, &spot.span, both(note)));
        }
        excerpt(source, marked)
    }
}

type Excerpt<'a> = Snippet<'a, annotate_snippets::Annotation<'a>>;

/// Places of one file so far apart are shown each by itself: what lies between is read for each problem.
const NEAR: usize = 16 * 1_024;

fn is_near(diagnostic: &Diagnostic) -> bool {
    let spot = &diagnostic.spot;
    diagnostic.related.as_ref().is_some_and(|(other, _)| {
        other.file == spot.file && other.span.start.abs_diff(spot.span.start) < NEAR
    })
}

fn both(note: &Text) -> String {
    format!("{} / {}", note.zh, note.en)
}

/// The lines of a file that hold these places, and no others: a large file with many faults would be read as often.
fn excerpt<'a>(source: &'a Source, marked: Vec<(AnnotationKind, &Range<usize>, String)>) -> Excerpt<'a> {
    let shown: Vec<Range<usize>> = marked.iter().map(|(_, span, _)| source.visible(span)).collect();
    let start = shown.iter().map(|span| span.start).min().unwrap_or(0);
    let end = shown.iter().map(|span| span.end).max().unwrap_or(start);
    let (line, lines) = source.lines(&(start..end));
    let within = |span: Range<usize>| span.start - lines.start..span.end - lines.start;
    let annotations = shown.into_iter().zip(marked);
    let annotations =
        annotations.map(|(span, (kind, _, label))| kind.span(within(span)).label(label)).collect::<Vec<_>>();
    let text = source.text.get(lines.clone()).unwrap_or_default();
    Snippet::source(text).line_start(line).path(source.name.as_str()).annotations(annotations)
}

/// What stands under the snippet, with its headings.
fn notes(diagnostic: &Diagnostic) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    let nearest = diagnostic.nearest.as_deref();
    if let Some(effect) = &diagnostic.effect {
        notes.push(("后果", effect.zh.clone()));
    }
    if let Some(remedy) = &diagnostic.remedy {
        notes.push(("办法", remedy.zh.clone()));
    }
    if let Some(name) = nearest {
        notes.push(("最相近", name.to_owned()));
    }
    notes.push(("problem", diagnostic.problem.en.clone()));
    if let Some(effect) = &diagnostic.effect {
        notes.push(("effect", effect.en.clone()));
    }
    if let Some(remedy) = &diagnostic.remedy {
        notes.push(("remedy", remedy.en.clone()));
    }
    if let Some(name) = nearest {
        notes.push(("nearest", name.to_owned()));
    }
    notes
}
