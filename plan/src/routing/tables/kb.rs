//! `[kb]` as it is written: where the articles are that clerks ask for, and how often they may.

use std::time::Duration;

use super::super::diagnostic::{Spot, Text};
use super::super::kb::ArticleLine;
use super::super::plan::SecretRef;
use super::super::read::{Node, Reader, Value};
use super::super::source::Problems;
use super::super::values::one_of;
use super::Field;
use super::reading::secs;

/// `kind` of a knowledge base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KbWord {
    /// A file of the plan.
    Jsonl,
    /// A signed question.
    Http,
}

/// `[kb]`.
#[derive(Debug)]
pub struct KbTable {
    /// The table.
    pub spot: Spot,
    /// `kind`.
    pub kind: Field<KbWord>,
    /// `path` of a jsonl base, relative to the file that says it.
    pub path: Field<String>,
    /// `url` of an http base.
    pub url: Field<String>,
    /// `secret` of an http base.
    pub secret: Field<SecretRef>,
    /// `timeout`.
    pub timeout: Field<Duration>,
    /// `at_once`.
    pub at_once: Field<u32>,
    /// `per_minute`.
    pub per_minute: Field<u32>,
    /// The articles at `path` that are whole, once the file was fetched.
    pub articles: Vec<ArticleLine>,
}

impl Value for KbWord {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        one_of(node, &[("jsonl", KbWord::Jsonl), ("http", KbWord::Http)], problems)
    }
}

impl KbTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unasked = Text::new("座席查知识库时无处可问", "clerks would have no knowledge base to ask");
        KbTable {
            spot: reader.spot.clone(),
            kind: reader.required("kind", unasked),
            path: reader.optional("path"),
            url: reader.optional("url"),
            secret: reader.optional("secret"),
            timeout: reader.or("timeout", secs(3)),
            at_once: reader.or("at_once", 32),
            per_minute: reader.or("per_minute", 60),
            articles: Vec::new(),
        }
    }

    /// The file of a jsonl base, as it is written.
    pub fn file(&self) -> Option<&super::Said<String>> {
        let is_file = self.kind.as_ref().is_some_and(|kind| kind.value == KbWord::Jsonl);
        self.path.as_ref().filter(|_| is_file)
    }
}
