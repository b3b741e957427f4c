//! What `hotline check --explain E0207` says: each code's page, written beside the code that it explains.
//!
//! The pages are data, in `pages/*.toml`, a file for each hundred of codes. A page says what the code means, an example
//! that brings it about, what callers notice, and how to mend it, in both languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Diagnostic, Text};
use crate::routing::nearest::nearest;

/// A file for each hundred.
const FILES: [(&str, &str); 19] = [
    ("00", include_str!("pages/00.toml")),
    ("01", include_str!("pages/01.toml")),
    ("02", include_str!("pages/02.toml")),
    ("03", include_str!("pages/03.toml")),
    ("04", include_str!("pages/04.toml")),
    ("05", include_str!("pages/05.toml")),
    ("06", include_str!("pages/06.toml")),
    ("07", include_str!("pages/07-09.toml")),
    ("10", include_str!("pages/10.toml")),
    ("11", include_str!("pages/11.toml")),
    ("12", include_str!("pages/12.toml")),
    ("13", include_str!("pages/13.toml")),
    ("14", include_str!("pages/14.toml")),
    ("15", include_str!("pages/15.toml")),
    ("16", include_str!("pages/16.toml")),
    ("17", include_str!("pages/17.toml")),
    ("18", include_str!("pages/18.toml")),
    ("19", include_str!("pages/19.toml")),
    ("w", include_str!("pages/warnings.toml")),
];

/// One code's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// `E0207`.
    pub code: String,
    /// In a few words.
    pub title: Text,
    /// What it means, and why it is looked for.
    pub means: Text,
    /// Part of a file that brings it about.
    pub example: String,
    /// What callers, clerks or the office would notice: a line for each sentence that diagnostics of the code say, with
    /// `…` for what differs between them.
    pub notice: Text,
    /// How to mend it, in such lines.
    pub mend: Text,
}

/// As the files have it: Chinese, English.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageTable {
    title: (String, String),
    means: (String, String),
    example: String,
    notice: (String, String),
    mend: (String, String),
}

/// All pages, in the order of their codes.
#[derive(Debug, Clone, Default)]
pub struct Pages(BTreeMap<String, Page>);

impl Pages {
    /// Reads them. A file that is no TOML is left out: a test sees that there is none.
    pub fn read() -> Self {
        let mut pages = BTreeMap::new();
        for (_, text) in FILES {
            let tables: BTreeMap<String, PageTable> = toml::from_str(text).unwrap_or_default();
            pages.extend(tables.into_iter().map(|(code, own)| (code.clone(), Page::of(code, own))));
        }
        Pages(pages)
    }

    /// A code's page, however its letter is written.
    pub fn get(&self, code: &str) -> Option<&Page> {
        self.0.get(code.trim().to_ascii_uppercase().as_str())
    }

    /// The code that is nearest to one without a page.
    pub fn nearest(&self, code: &str) -> Option<&str> {
        nearest(&code.trim().to_ascii_uppercase(), self.0.keys().map(String::as_str))
    }

    /// Each page.
    pub fn iter(&self) -> impl Iterator<Item = &Page> {
        self.0.values()
    }
}

impl Page {
    fn of(code: String, own: PageTable) -> Self {
        let text = |(zh, en): (String, String)| Text { zh, en };
        Page {
            code,
            title: text(own.title),
            means: text(own.means),
            example: own.example.trim_end().to_owned(),
            notice: text(own.notice),
            mend: text(own.mend),
        }
    }

    /// For a reader: Chinese first.
    pub fn render(&self) -> String {
        let Page { code, title, means, example, notice, mend } = self;
        let example: String =
            example.lines().map(|line| format!("    {line}\n").replace("    \n", "\n")).collect();
        let lines = |text: &str, heading: &str| -> String {
            text.lines().map(|line| format!("{heading}: {line}\n")).collect()
        };
        let part = |text: &Text, zh: &str, en: &str| lines(&text.zh, zh) + &lines(&text.en, en);
        format!(
            "{code}  {} / {}\n\n{}\n{}\n\n例 / example:\n\n{example}\n{}\n{}",
            title.zh,
            title.en,
            means.zh,
            means.en,
            part(notice, "后果", "effect"),
            part(mend, "办法", "remedy"),
        )
    }
}

impl Diagnostic {
    /// Its code's page.
    pub fn page<'a>(&self, pages: &'a Pages) -> Option<&'a Page> {
        pages.get(self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_pages_is_read_and_holds_codes_of_its_own_hundred() {
        for (hundred, text) in FILES {
            let tables: BTreeMap<String, PageTable> =
                toml::from_str(text).unwrap_or_else(|error| panic!("{hundred}: {error}"));
            assert!(!tables.is_empty(), "{hundred}");
            for code in tables.keys() {
                let own = match hundred {
                    "w" => code.starts_with('W'),
                    "07" => ["E07", "E08", "E09"].iter().any(|begins| code.starts_with(begins)),
                    "14" => code[1..].starts_with(hundred), // With its warnings.
                    _ => code.strip_prefix('E').is_some_and(|digits| digits.starts_with(hundred)),
                };
                assert!(own && code.len() == 5, "{code} stands in {hundred}");
            }
        }
    }

    #[test]
    fn a_page_is_found_by_its_code_in_any_case_and_a_slip_has_a_nearest() {
        let pages = Pages::read();
        assert_eq!(pages.get(" e0207").map(|page| page.code.as_str()), Some("E0207"));
        assert_eq!(pages.get("E0"), None);
        assert_eq!(pages.nearest("E0207x"), Some("E0207"));
    }
}
