//! The knowledge base: where it is, and whether what stands in it can be given out.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::diagnostic::Spot;
use super::super::kb::ArticleLine;
use super::super::nearest::nearest;
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::super::tables::kb::{KbTable, KbWord};
use super::super::values::out_of_range;
use super::addresses::{has_secret, in_the_clear, is_far, is_http};
use super::references::names;
use super::{misplaced, needed};
use crate::time::Timestamp;

/// Longest wait of a clerk, who has a caller waiting.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Questions under way at once.
const AT_ONCE: RangeInclusive<u32> = 1..=1_024;
/// Questions of one token in a minute.
const PER_MINUTE: RangeInclusive<u32> = 1..=6_000;
/// Articles of one kind of doubt that are told; what is wrong with more of them is mostly one slip.
const DOUBTS_MAX: usize = 10;

/// Faults of the file of articles. They keep no house from opening, which then has the articles that are whole.
pub(in crate::routing) const FILE_FAULTS: [&str; 7] =
    ["E1620", "E1621", "E1622", "E1623", "E1624", "E1625", "E1628"];

/// It has the keys of its kind, and its articles are somebody's whom the plan knows.
pub fn kb(table: &RoutingTable, problems: &mut Problems) {
    let Some(own) = &table.kb else { return };
    let timeout = own.timeout.as_ref();
    if let Some(said) = timeout.filter(|said| said.value.is_zero() || said.value > ANSWER_MAX) {
        out_of_range(&said.spot, "\"1ms\"–\"10s\"", problems);
    }
    for (said, range) in [(&own.at_once, AT_ONCE), (&own.per_minute, PER_MINUTE)] {
        if let Some(said) = said.as_ref().filter(|said| !range.contains(&said.value)) {
            out_of_range(&said.spot, &format!("{}–{}", range.start(), range.end()), problems);
        }
    }
    keys_of(own, problems);
    known(own, table, problems);
}

fn keys_of(own: &KbTable, problems: &mut Problems) {
    let Some(kind) = &own.kind else { return };
    let (choice, is_file) = match kind.value {
        KbWord::Jsonl => ("kind = \"jsonl\"", true),
        KbWord::Http => ("kind = \"http\"", false),
    };
    let keys: [(&str, Option<&Spot>, bool); 3] = [
        ("path", own.path.as_ref().map(|said| &said.spot), is_file),
        ("url", own.url.as_ref().map(|said| &said.spot), !is_file),
        ("secret", own.secret.as_ref().map(|said| &said.spot), !is_file),
    ];
    for (key, said, wanted) in keys {
        match said {
            None if wanted => needed(&own.spot, key, choice, problems),
            Some(spot) if !wanted => misplaced(spot, choice, problems),
            _ => {}
        }
    }
    if let Some(url) = own.url.as_ref().filter(|_| !is_file)
        && !has_secret(url, problems)
    {
        address(url, problems);
    }
}

fn address(url: &Said<String>, problems: &mut Problems) {
    if !is_http(url) {
        problems
            .error(
                "E1626",
                &url.spot,
                format!("\"{}\" 不是 https:// 地址", url.value),
                format!("\"{}\" is no https:// address", url.value),
            )
            .effect(
                "座席查知识库总是得到“无法访问”",
                "clerks would always be told that the base is out of reach",
            )
            .remedy("写成 \"https://主机/路径\"", "write \"https://host/path\"");
        return;
    }
    let open = url.strip_prefix("http://");
    if open.is_some_and(is_far) {
        problems
            .error(
                "E1627",
                &url.spot,
                format!("\"{}\" 在公网上，又不加密", url.value),
                format!("\"{}\" is a public address, and in the clear", url.value),
            )
            .effect(
                "途中的人能看到座席的提问，也能改掉答复口径；引擎不会连接",
                "whoever is on the way could read what clerks ask and change what they are to say; the engine does not \
                 connect",
            )
            .remedy("改用 https://", "use https://");
        return;
    }
    if open.is_some() {
        let told = [
            "途中的人能看到座席的提问，也能改掉答复口径",
            "whoever is on the way can read what clerks ask, and change what they are to say",
        ];
        in_the_clear("W1621", url, told, problems);
    }
}

/// Owners and numbers of articles are some of the plan's: a name that is written otherwise puts none of its articles
/// first.
fn known(own: &KbTable, table: &RoutingTable, problems: &mut Problems) {
    let owners: BTreeSet<&str> = names(table.numbers.iter().map(|line| &line.owner)).into_iter().collect();
    let numbers: BTreeSet<&str> = names(table.numbers.iter().map(|line| &line.number)).into_iter().collect();
    let mut doubts = Doubts::default();
    for ArticleLine { spot, article } in &own.articles {
        let unknown = article.lines.iter().find(|line| !numbers.contains(line.as_str()));
        let owner = Some(article.owner.as_str()).filter(|owner| !owners.contains(owner));
        let Some(name) = owner.or(unknown.map(|line| line.as_str())) else { continue };
        if !doubts.may_tell() {
            continue;
        }
        let (zh, en, near) = match owner {
            Some(name) => (
                format!("没有哪个号码的责任单位是 \"{name}\""),
                format!("no number has \"{name}\" for its owner"),
                nearest(name, owners.iter().copied()),
            ),
            None => (
                format!("没有号码 {name}"),
                format!("there is no number {name}"),
                nearest(name, numbers.iter().copied()),
            ),
        };
        problems
            .warning("W1620", spot, zh, en)
            .effect(
                "接听该单位号码的座席不会先看到这一条",
                "clerks who answer that owner's number would not see the article before others",
            )
            .remedy(
                "与 [[number]] 的 owner、number 写得一致",
                "write it as owner or number of a [[number]] has it",
            )
            .nearest(near);
    }
}

/// What is over is never given out, and somebody should write its next wording.
pub fn over(table: &RoutingTable, now: Timestamp, problems: &mut Problems) {
    let Some(own) = &table.kb else { return };
    let Some(zone) = table.city.as_ref().and_then(|city| city.time_zone.as_ref()) else { return };
    let today = zone.value.to_datetime(now).date();
    let mut doubts = Doubts::default();
    for ArticleLine { spot, article } in &own.articles {
        let Some(until) = article.valid_until.filter(|until| *until < today) else { continue };
        if !doubts.may_tell() {
            continue;
        }
        problems
            .warning(
                "W1622",
                spot,
                format!("条目 {} 已于 {until} 到期", article.id),
                format!("the article {} was over on {until}", article.id),
            )
            .effect("座席查不到它", "clerks do not find it any more")
            .remedy("换成新版，或删去", "write its next version, or remove it");
    }
}

/// How many were told.
#[derive(Default)]
struct Doubts(usize);

impl Doubts {
    fn may_tell(&mut self) -> bool {
        self.0 += 1;
        self.0 <= DOUBTS_MAX
    }
}
