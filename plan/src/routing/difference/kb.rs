//! The knowledge base and its articles, described: an office that was given a new wording sees that it is in force.

use std::fmt::Display;

use super::super::kb::{Article, Kb, KbKind};
use super::super::plan::Plan;
use super::describe::{Item, row};
use super::kind::Kind;

/// `[kb]`, and each article of a file.
pub(super) fn kb(plan: &Plan) -> Vec<Item> {
    let Some(Kb { kind, timeout, at_once, per_minute }) = &plan.kb else { return Vec::new() };
    let section = |word: &str| {
        Item::section(Kind::Kb)
            .with("方式", "kind", word)
            .with_span("时限", "time-out", *timeout)
            .with("同时查询", "at once", at_once)
            .with("每分钟查询", "a minute", per_minute)
    };
    match kind {
        KbKind::Http { url, secret } => vec![section("http").rest(&(url, secret))],
        KbKind::Jsonl { path, articles } => {
            let file = section("jsonl").with("来源", "place", path);
            std::iter::once(file).chain(articles.list().iter().map(article)).collect()
        }
    }
}

fn article(article: &Article) -> Item {
    let Article { id, version, title, text, owner, lines, valid_from, valid_until, approver } = article;
    Item::named(Kind::Article, id)
        .with("版本", "version", version)
        .with("标题", "title", title)
        .with("责任单位", "owner", owner)
        .with("号码", "lines", row(lines))
        .with("起", "from", or_none(valid_from))
        .with("止", "until", or_none(valid_until))
        .with("审定人", "approver", approver)
        .rest(text)
}

fn or_none(day: &Option<impl Display>) -> String {
    day.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
}
