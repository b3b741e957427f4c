//! What a reload says of feeds, and of how patient ways out are.

use super::super::feed::{Feed, Pace};
use super::super::plan::{Sink, SinkKind};
use super::super::written::duration;
use super::Item;
use super::describe::row;
use super::fixed::Fixed;
use super::kind::Kind;

pub(super) fn paced(item: Item, pace: &Pace) -> Item {
    let Pace { first, longest, at_once, keep, warn_after } = pace;
    item.with_span("首次重试", "first rest", *first)
        .with_span("最长重试间隔", "longest rest", *longest)
        .with("同时推送", "at once", at_once)
        .with("保留", "kept", keep.map_or_else(|| "-".to_owned(), duration))
        .with_span("积压告警", "counts as behind after", *warn_after)
}

pub(super) fn feed(feed: &Feed) -> Item {
    let Feed { sink, owners, lines, departments, experts, fields, daily } = feed;
    let Sink { name, kind, timeout, pace } = sink;
    let word = match kind {
        SinkKind::Sqlite => "sqlite",
        SinkKind::Jsonl { .. } => "jsonl",
        SinkKind::Http { .. } => "http",
    };
    let daily = daily.map_or_else(|| "-".to_owned(), |at| at.strftime("%H:%M").to_string());
    let item = Item::named(Kind::Feed, name)
        .with("方式", "kind", word)
        .with_span("时限", "time-out", *timeout)
        .with("责任单位", "owners", row(owners))
        .with("号码", "lines", row(lines))
        .with("部门", "departments", row(departments))
        .with("专家座席", "expert seats", row(experts))
        .with("字段", "fields", row(fields))
        .with("每日合计", "daily totals", daily);
    Item { fixed: Some(Fixed::Feeds), ..paced(item, pace).rest(kind) }
}
