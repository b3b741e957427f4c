//! `[[feed]]` as it is written, and how patient it and `[[ticket_sink]]` are.

use std::time::Duration;

use super::super::diagnostic::{Spot, Text};
use super::super::feed::Pace;
use super::super::people_values::Clock;
use super::super::plan::SecretRef;
use super::super::read::{Node, Reader, Value};
use super::super::source::{Problems, Said};
use super::super::values::one_of;
use super::Field;
use super::reading::{secs, unnamed};

/// `kind` of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedWord {
    /// A file.
    Jsonl,
    /// A webhook.
    Http,
}

impl Value for FeedWord {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        one_of(node, &[("jsonl", FeedWord::Jsonl), ("http", FeedWord::Http)], problems)
    }
}

/// `retry = { first = "1s", longest = "60s" }`.
#[derive(Debug)]
pub struct RetryTable {
    /// `first`.
    pub first: Field<Duration>,
    /// `longest`.
    pub longest: Field<Duration>,
}

/// Keys of patience, of a sink or a feed.
#[derive(Debug)]
pub struct PaceTable {
    /// `retry`.
    pub retry: Option<RetryTable>,
    /// `at_once`.
    pub at_once: Field<u8>,
    /// `keep`.
    pub keep: Field<Duration>,
    /// `warn_after`.
    pub warn_after: Field<Duration>,
    /// Those of them that the file says.
    pub said: Vec<Spot>,
}

/// `[[feed]]`.
#[derive(Debug)]
pub struct FeedTable {
    /// The table.
    pub spot: Spot,
    /// `name`.
    pub name: Field<String>,
    /// `kind`.
    pub kind: Field<FeedWord>,
    /// `path` of a jsonl feed.
    pub path: Field<String>,
    /// `url` of an http feed.
    pub url: Field<String>,
    /// `secret` of an http feed.
    pub secret: Field<SecretRef>,
    /// `timeout`.
    pub timeout: Field<Duration>,
    /// How it is tried.
    pub pace: PaceTable,
    /// `owners`.
    pub owners: Field<Vec<Said<String>>>,
    /// `lines`.
    pub lines: Field<Vec<Said<String>>>,
    /// `fields`.
    pub fields: Field<Vec<Said<String>>>,
    /// `daily`.
    pub daily: Field<Clock>,
}

impl PaceTable {
    /// `owes`: something may be owed there; where nothing ever is, no key has a default.
    pub(super) fn read(reader: &mut Reader<'_, '_>, owes: bool) -> Self {
        let usual = Pace::default();
        let keys = ["retry", "at_once", "keep", "warn_after"];
        let said: Vec<&str> = keys.into_iter().filter(|key| reader.has(key)).collect();
        let said = said.into_iter().map(|key| reader.spot_of(key)).collect();
        if !owes {
            return PaceTable {
                retry: reader.section("retry", RetryTable::read),
                at_once: reader.optional("at_once"),
                keep: reader.optional("keep"),
                warn_after: reader.optional("warn_after"),
                said,
            };
        }
        PaceTable {
            retry: reader.usual_section("retry", RetryTable::read),
            at_once: reader.or("at_once", usual.at_once),
            keep: reader.optional("keep"),
            warn_after: reader.or("warn_after", usual.warn_after),
            said,
        }
    }
}

impl RetryTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let usual = Pace::default();
        RetryTable { first: reader.or("first", usual.first), longest: reader.or("longest", usual.longest) }
    }
}

impl FeedTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let nowhere = Text::new("责任单位收不到数据", "the department would be told nothing");
        FeedTable {
            spot: reader.spot.clone(),
            name: reader.required("name", unnamed()),
            kind: reader.required("kind", nowhere),
            path: reader.optional("path"),
            url: reader.optional("url"),
            secret: reader.optional("secret"),
            timeout: reader.or("timeout", secs(5)),
            pace: PaceTable::read(reader, true),
            owners: reader.optional("owners"),
            lines: reader.optional("lines"),
            fields: reader.or("fields", Vec::new()),
            daily: reader.optional("daily"),
        }
    }
}
