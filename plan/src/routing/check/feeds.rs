//! Ways out of the house: that their patience makes sense, and that each feed has somebody to tell and something to
//! tell of.

use std::time::Duration;

use super::super::feed::{AT_ONCE_MAX, FIELDS, KEEP_MAX, KEEP_MIN};
use super::super::nearest::nearest;
use super::super::source::{Problems, Said};
use super::super::tables::feed::{FeedTable, FeedWord, PaceTable};
use super::super::tables::{Field, RoutingTable, SinkWord};
use super::super::values::out_of_range;
use super::addresses::{has_secret, host, in_the_clear, is_far, is_http};
use super::references::{names, once};
use super::{LONGEST, MOMENT_MIN, misplaced, needed};

/// Longest wait of a rest.
const RANGE: &str = "\"1ms\"–\"24h\"";

/// Patience of sinks and feeds.
pub fn outlets(table: &RoutingTable, problems: &mut Problems) {
    for sink in &table.sinks {
        match sink.kind.as_ref().map(|said| said.value) {
            // What it is told is written with the facts: nothing is ever owed to it.
            Some(SinkWord::Sqlite) => {
                sink.pace.said.iter().for_each(|spot| misplaced(spot, "kind = \"sqlite\"", problems));
            }
            Some(SinkWord::Jsonl | SinkWord::Http) | None => patience(&sink.pace, problems),
        }
    }
    for feed in &table.feeds {
        patience(&feed.pace, problems);
    }
}

fn patience(pace: &PaceTable, problems: &mut Problems) {
    let retry = pace.retry.as_ref();
    let (first, longest) =
        (retry.and_then(|own| own.first.as_ref()), retry.and_then(|own| own.longest.as_ref()));
    for said in [first, longest, pace.warn_after.as_ref()].into_iter().flatten() {
        within(said, MOMENT_MIN..=LONGEST, RANGE, problems);
    }
    if let (Some(first), Some(longest)) = (first, longest)
        && first.value > longest.value
    {
        problems
            .error(
                "E1608",
                &first.spot,
                "retry.first 比 retry.longest 长",
                "retry.first is longer than retry.longest",
            )
            .effect(
                "第一次失败后的等待就超过了最长等待，写的 first 不会生效",
                "the rest after the first failure would be longer than the longest, and first would not be kept to",
            )
            .remedy("让 first 不大于 longest", "make first no longer than longest")
            .related(&longest.spot, "最长等待", "the longest rest");
    }
    if let Some(said) = pace.at_once.as_ref().filter(|said| !(1..=AT_ONCE_MAX).contains(&said.value)) {
        out_of_range(&said.spot, &format!("1–{AT_ONCE_MAX}"), problems);
    }
    let Some(keep) = &pace.keep else { return };
    within(keep, KEEP_MIN..=KEEP_MAX, "\"1min\"–\"8784h\"", problems);
    if let Some(warn) = pace.warn_after.as_ref().filter(|warn| warn.value >= keep.value) {
        problems
            .error("E1609", &keep.spot, "keep 不比 warn_after 长", "keep is no longer than warn_after")
            .effect(
                "事件已成死信，还没有人得到积压的告警",
                "events would be dead letters before anybody is told that the sink is behind",
            )
            .remedy(
                "把 keep 写得比 warn_after 长，如 \"72h\"",
                "make keep longer than warn_after, like \"72h\"",
            )
            .related(&warn.spot, "告警的时限", "when the sink counts as behind");
    }
}

fn within(
    said: &Said<Duration>,
    range: std::ops::RangeInclusive<Duration>,
    words: &str,
    problems: &mut Problems,
) {
    if !range.contains(&said.value) {
        out_of_range(&said.spot, words, problems);
    }
}

/// Each feed has somebody to tell, something to tell, and a way there.
pub fn feeds(table: &RoutingTable, problems: &mut Problems) {
    once(table.feeds.iter().map(|feed| &feed.name), ("推送", "feeds"), problems);
    for feed in &table.feeds {
        keys_of(feed, problems);
        named_as_a_sink(feed, table, problems);
        scope(feed, table, problems);
        for said in feed.fields.iter().flat_map(|said| &said.value) {
            field(said, problems);
        }
    }
}

fn keys_of(feed: &FeedTable, problems: &mut Problems) {
    let Some(kind) = &feed.kind else { return };
    let (choice, path, hook) = match kind.value {
        FeedWord::Jsonl => ("kind = \"jsonl\"", true, false),
        FeedWord::Http => ("kind = \"http\"", false, true),
    };
    let keys = [
        ("path", feed.path.as_ref().map(|said| &said.spot), path),
        ("url", feed.url.as_ref().map(|said| &said.spot), hook),
        ("secret", feed.secret.as_ref().map(|said| &said.spot), hook),
    ];
    for (key, said, wanted) in keys {
        match said {
            None if wanted => needed(&feed.spot, key, choice, problems),
            Some(spot) if !wanted => misplaced(spot, choice, problems),
            _ => {}
        }
    }
    let Some(url) = feed.url.as_ref().filter(|_| hook) else { return };
    if has_secret(url, problems) {
        return;
    }
    if !is_http(url) {
        problems
            .error(
                "E1606",
                &url.spot,
                format!("\"{}\" 不是 http 地址", url.value),
                format!("\"{}\" is no http address", url.value),
            )
            .effect(
                "推送送不出去，会一直积压",
                "what the feed is to tell could not be delivered and would pile up",
            )
            .remedy("写成 \"https://主机/路径\"", "write \"https://host/path\"");
    } else if let Some(there) = url.strip_prefix("http://").filter(|rest| is_far(rest)).map(host) {
        problems
            .error(
                "E1607",
                &url.spot,
                format!("{there} 在公网上，又不加密"),
                format!("{there} is a public address, and in the clear"),
            )
            .effect(
                "推送给部门的数据会在公网上被人看到",
                "what departments are told could be read on the public net",
            )
            .remedy("改用 https://", "use https://");
    } else if url.starts_with("http://") {
        in_the_clear(
            "W1601",
            url,
            ["途中的人能看到推送给部门的数据", "whoever is on the way can read what the department is told"],
            problems,
        );
    }
}

/// What is owed is kept under the name.
fn named_as_a_sink(feed: &FeedTable, table: &RoutingTable, problems: &mut Problems) {
    let Some(name) = &feed.name else { return };
    let sinks = table.sinks.iter().filter_map(|sink| sink.name.as_ref());
    let Some(same) = sinks.into_iter().find(|sink| sink.value == name.value) else { return };
    problems
        .error(
            "E1605",
            &name.spot,
            format!("推送与工单去处同名 \"{}\"", name.value),
            format!("a feed and a ticket sink are both called \"{}\"", name.value),
        )
        .effect(
            "待送的事件按名称保存，两处会送错或漏送",
            "what is owed is kept by name: events would go to the wrong one of them, or to neither",
        )
        .remedy("给其中一个改名", "rename one of them")
        .related(&same.spot, "工单去处", "the ticket sink");
}

fn scope(feed: &FeedTable, table: &RoutingTable, problems: &mut Problems) {
    let said = |field: &Field<Vec<Said<String>>>| field.as_ref().is_some_and(|said| !said.value.is_empty());
    if !said(&feed.owners) && !said(&feed.lines) {
        let spot = feed.name.as_ref().map_or(&feed.spot, |name| &name.spot);
        problems
            .error("E1602", spot, "没有来电会进入这个推送", "no call falls into this feed")
            .effect(
                "责任单位永远收不到数据，也没有人会察觉",
                "the department would never be told anything, and nobody would notice",
            )
            .remedy(
                "加上 owners = [\"责任单位\"] 或 lines = [\"号码\"]",
                "add owners = [\"a department\"] or lines = [\"a number\"]",
            );
    }
    let owners = table.numbers.iter().map(|line| &line.owner);
    let owners = owners.chain(table.experts.iter().map(|group| &group.department));
    let owners = names(owners.chain(table.departments.iter().map(|own| &own.name)));
    let lines = names(table.numbers.iter().map(|line| &line.number));
    for said in feed.owners.iter().flat_map(|said| &said.value) {
        unknown("E1603", said, &owners, ("责任单位", "owner"), problems);
    }
    for said in feed.lines.iter().flat_map(|said| &said.value) {
        unknown("E1604", said, &lines, ("号码", "number"), problems);
    }
}

fn unknown(
    code: &'static str,
    said: &Said<String>,
    known: &[&str],
    (zh, en): (&str, &str),
    problems: &mut Problems,
) {
    if known.contains(&said.value.as_str()) {
        return;
    }
    problems
        .error(
            code,
            &said.spot,
            format!("没有 \"{}\" 这个{zh}", said.value),
            format!("there is no {en} \"{}\"", said.value),
        )
        .effect(
            "它的来电不会进入这个推送，部门的数据不全",
            "its calls would not fall into this feed, and what the department is told would have holes",
        )
        .remedy(format!("改为本文件里已有的{zh}"), format!("write one of this file's {en}s"))
        .nearest(nearest(&said.value, known.iter().copied()));
}

fn field(said: &Said<String>, problems: &mut Problems) {
    if FIELDS.contains(&said.value.as_str()) {
        return;
    }
    problems
        .error(
            "E1610",
            &said.spot,
            format!("事件没有可以推送的字段 \"{}\"", said.value),
            format!("events have no field \"{}\" that may be told", said.value),
        )
        .effect("以为共享了的字段不会送出", "a field that was meant to be shared would not leave")
        .remedy(
            "改为 contract/README.md 所列的字段；提取码 code 从不推送",
            "write a field that contract/README.md lists; code, the pick-up code, is never told",
        )
        .nearest(nearest(&said.value, FIELDS));
}
