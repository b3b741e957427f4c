//! The knowledge base.

use std::sync::Arc;

use super::super::kb::{Articles, Kb, KbKind};
use super::super::tables::kb::{KbTable, KbWord};
use super::value;

pub(super) fn kb(table: &KbTable) -> Option<Kb> {
    let kind = match table.kind.as_ref()?.value {
        KbWord::Jsonl => {
            let articles = table.articles.iter().map(|own| own.article.clone()).collect();
            KbKind::Jsonl { path: value(&table.path)?, articles: Arc::new(Articles::new(articles)) }
        }
        KbWord::Http => KbKind::Http { url: value(&table.url)?, secret: value(&table.secret)? },
    };
    Some(Kb {
        kind,
        timeout: value(&table.timeout)?,
        at_once: value(&table.at_once)?,
        per_minute: value(&table.per_minute)?,
    })
}
