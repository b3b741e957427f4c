//! `[kb]`: the knowledge base (知识库) that clerks ask, and its articles where they stand in a file.
//!
//! The notice asks for a base that is authoritative, uniform and up to date (二(二)): each article has a version, whoever
//! approved it and the days on which it holds, and every answer carries them.

mod article;
mod index;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::civil::Date;

use super::plan::SecretRef;
use crate::id::LineId;

pub use article::{
    ARTICLES_MAX, ID_CHARS_MAX, LINES_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX,
    VERSION_CHARS_MAX, is_article_id,
};
pub(super) use article::{ArticleLine, read_lines};
pub use index::Index;
pub use index::{Asked, QUERY_CHARS_MAX};

/// Answers to one question, at most.
pub const FOUND_MAX: usize = 20;

/// `[kb]`, checked.
#[derive(Debug, Clone)]
pub struct Kb {
    /// Where its articles are.
    pub kind: KbKind,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Questions under way at once, of all clerks; a further one is told so.
    pub at_once: u32,
    /// Questions that one token may ask in a minute.
    pub per_minute: u32,
}

/// Where its articles are.
#[derive(Debug, Clone)]
pub enum KbKind {
    /// In a file of the plan.
    Jsonl {
        /// As the plan names it.
        path: String,
        /// What stands in it.
        articles: Arc<Articles>,
    },
    /// With a program that is asked by signed POST.
    Http {
        /// Where.
        url: String,
        /// What signs.
        secret: SecretRef,
    },
}

/// One article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Names it: letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// Which wording of it.
    pub version: String,
    /// What it is about.
    pub title: String,
    /// What clerks say.
    pub text: String,
    /// 责任单位: who answers for it.
    pub owner: String,
    /// Numbers that it is for, beside those of its owner.
    pub lines: Vec<LineId>,
    /// Its first day, by the city's clock; `None`: always was.
    pub valid_from: Option<Date>,
    /// Its last day; `None`: until further notice.
    pub valid_until: Option<Date>,
    /// Who let it be told.
    pub approver: String,
}

impl Article {
    /// Whether it may be told on this day.
    pub fn holds_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_until.is_none_or(|until| day <= until)
    }

    /// Whether it is one of the dialled line's: its owner's, or for that number.
    pub fn is_of(&self, line: Option<&str>, owner: Option<&str>) -> bool {
        owner.is_some_and(|owner| self.owner == owner)
            || line.is_some_and(|line| self.lines.iter().any(|own| own.as_str() == line))
    }
}

/// All articles of a file, in the order of their ids.
#[derive(Default)]
pub struct Articles {
    list: Vec<Article>,
    /// Made when first asked for.
    index: OnceLock<Index>,
}

/// Not as it is debugged by itself: that would be the whole base.
impl std::fmt::Debug for Articles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} articles", self.list.len())
    }
}

impl Articles {
    /// Of these, each id once.
    pub fn new(mut list: Vec<Article>) -> Self {
        list.sort_by(|a, b| a.id.cmp(&b.id));
        Articles { list, index: OnceLock::new() }
    }

    /// All of them.
    pub fn list(&self) -> &[Article] {
        &self.list
    }

    /// By its id, on a day on which it holds.
    pub fn get(&self, id: &str, day: Date) -> Option<&Article> {
        let at = self.list.binary_search_by(|article| article.id.as_str().cmp(id)).ok()?;
        self.list.get(at).filter(|article| article.holds_on(day))
    }

    /// What fits a question, the best first, at most [`FOUND_MAX`]. The same question has the same answer.
    pub fn find(&self, asked: &Asked<'_>) -> Vec<&Article> {
        self.index().find(&self.list, asked)
    }

    /// Makes ready for questions: whoever takes a plan over does so beside the calls.
    pub fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(&self.list))
    }
}
