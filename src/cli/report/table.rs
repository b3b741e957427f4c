//! Figures in rows and columns: for people in two languages, for programs as JSON and CSV (RFC 4180).

use std::fmt::Write;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// A name.
    Text(String),
    /// So many.
    Count(u64),
    /// Part of 1; `None`: of nothing.
    Rate(Option<f64>),
    /// Milliseconds; `None`: there were none.
    Span(Option<u64>),
    /// Yes or no; `None`: neither.
    Yes(Option<bool>),
}

/// What a column is called: by programs, in Chinese, in English.
pub(super) type Heading = (&'static str, &'static str, &'static str);

/// Rows of equal length.
pub(super) struct Table {
    pub(super) headings: Vec<Heading>,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Cell {
    fn shown(&self) -> String {
        match self {
            Cell::Text(text) if text.is_empty() => "-".into(),
            Cell::Text(text) => text.clone(),
            Cell::Count(count) => count.to_string(),
            Cell::Rate(rate) => rate.map_or_else(|| "-".into(), |rate| format!("{:.2}%", rate * 100.0)),
            Cell::Span(span) => span.map_or_else(|| "-".into(), shown_span),
            Cell::Yes(None) => "-".into(),
            Cell::Yes(Some(true)) => "是/yes".into(),
            Cell::Yes(Some(false)) => "否/no".into(),
        }
    }

    /// Rates in parts of 1, spans in milliseconds.
    fn value(&self) -> Value {
        match self {
            Cell::Text(text) => json!(text),
            Cell::Count(count) => json!(count),
            Cell::Rate(rate) => json!(rate),
            Cell::Span(span) => json!(span),
            Cell::Yes(yes) => json!(yes),
        }
    }

    fn plain(&self) -> String {
        match self.value() {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }
}

/// `1:02:03.4`, `2:03.4`, `3.4s`.
fn shown_span(ms: u64) -> String {
    let (hours, minutes, tenths) = (ms / 3_600_000, ms / 60_000 % 60, ms / 100 % 600);
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}.{tenth}s"),
        (0, _) => format!("{minutes}:{seconds:02}.{tenth}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}.{tenth}"),
    }
}

impl Table {
    pub(super) fn json(&self, day: Date) -> Value {
        let object = |row: &Vec<Cell>| -> Value {
            let named = self.headings.iter().zip(row);
            Value::Object(
                named.map(|((name, ..), cell)| ((*name).to_owned(), cell.value())).collect::<Map<_, _>>(),
            )
        };
        json!({ "day": day.to_string(), "rows": self.rows.iter().map(object).collect::<Vec<_>>() })
    }

    /// `beside`: what is the same in each line, where no column of that name has its own.
    pub(super) fn csv(&self, beside: &[(&str, &str)]) -> String {
        let is_new = |(name, _): &&(&str, &str)| self.headings.iter().all(|(own, ..)| own != name);
        let beside: Vec<&(&str, &str)> = beside.iter().filter(is_new).collect();
        let own = self.headings.iter().map(|(name, ..)| (*name).to_owned());
        let names: Vec<String> = own.chain(beside.iter().map(|(name, _)| (*name).to_owned())).collect();
        let rows = self.rows.iter().map(|row| {
            let own = row.iter().map(Cell::plain);
            own.chain(beside.iter().map(|(_, value)| (*value).to_owned())).collect()
        });
        std::iter::once(names).chain(rows).map(|row: Vec<String>| csv_line(&row)).collect()
    }

    /// One line a figure, of the only row.
    pub(super) fn down(&self, day: Date) -> String {
        let mut text = format!("{day}\n");
        for ((_, zh, en), cell) in self.headings.iter().zip(self.rows.first().into_iter().flatten()) {
            let name = format!("{zh} / {en}");
            let _ = writeln!(text, "{name}{} {}", pad(&name, 56), cell.shown());
        }
        text
    }

    /// One line a row, under headings in both languages.
    pub(super) fn across(&self, day: Date) -> String {
        let heads = [0, 1].map(|language| -> Vec<String> {
            let named = |(_, zh, en): &Heading| if language == 0 { *zh } else { *en }.to_owned();
            self.headings.iter().map(named).collect()
        });
        let rows = self.rows.iter().map(|row| row.iter().map(Cell::shown).collect::<Vec<_>>());
        let lines: Vec<Vec<String>> = heads.into_iter().chain(rows).collect();
        let widths: Vec<usize> = (0..self.headings.len())
            .map(|column| lines.iter().map(|line| width(&line[column])).max().unwrap_or(0))
            .collect();
        let mut text = format!("{day}\n");
        for line in &lines {
            let cells = line.iter().zip(&widths);
            let padded: Vec<String> =
                cells.map(|(cell, width)| format!("{cell}{}", pad(cell, *width))).collect();
            let _ = writeln!(text, "{}", padded.join("  ").trim_end());
        }
        text
    }
}

/// On a terminal a Chinese character is as wide as two letters.
fn width(text: &str) -> usize {
    text.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum()
}

fn pad(text: &str, to: usize) -> String {
    " ".repeat(to.saturating_sub(width(text)))
}

fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    });
    format!("{}\r\n", quoted.collect::<Vec<_>>().join(","))
}
