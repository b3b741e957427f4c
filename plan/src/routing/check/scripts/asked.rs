//! Look-ups and bots: whom flows ask is reachable, asked by what it knows, and not in the clear.

use std::time::Duration;

use super::super::super::diagnostic::Spot;
use super::super::super::nearest::nearest;
use super::super::super::script::{BOT_RATES, TICKETS_ASKED_BY};
use super::super::super::source::{Problems, Said};
use super::super::super::tables::look_up::{LookUpTable, LookUpWord};
use super::super::super::tables::script::{ActTable, AskTable};
use super::super::super::tables::{Field, RoutingTable};
use super::super::super::values::out_of_range;
use super::super::addresses::{has_secret, host, in_the_clear, is_far};
use super::super::{misplaced, needed};

/// Longest wait for an answer while a caller listens.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Longest lock, longest talk with a program, and the longest time in which somebody is rung so often.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// A step asks by what its look-up goes by.
pub fn asks(act: &ActTable, table: &RoutingTable, problems: &mut Problems) {
    let ActTable::LookUp(asked) = act else { return };
    let Some(with) = &asked.with else { return };
    if with.value.0.is_empty() {
        without(&with.spot, "with = {}", "it asks by nothing", problems);
        return;
    }
    if source(asked, table)
        .and_then(|own| own.kind.as_ref())
        .is_none_or(|kind| kind.value != LookUpWord::Tickets)
    {
        return;
    }
    for (name, _) in &with.value.0 {
        if TICKETS_ASKED_BY.contains(&name.value.as_str()) {
            continue;
        }
        problems
            .error(
                "E1019",
                &name.spot,
                format!("工单不能按 {} 查询", name.value),
                format!("tickets are not asked for by {}", name.value),
            )
            .effect(
                "永远查不到，来电人听到的总是查无此单",
                "nothing would ever be found, whatever callers give",
            )
            .remedy("只写 ticket 和 code", "write ticket and code only")
            .nearest(nearest(&name.value, TICKETS_ASKED_BY));
        return;
    }
    let said = |wanted: &str| with.value.0.iter().any(|(name, _)| name.value == wanted);
    if !TICKETS_ASKED_BY.into_iter().all(said) {
        without(
            &with.spot,
            "工单须同时按工单号和提取码查询",
            "tickets are asked for by their number and their pick-up code, both",
            problems,
        );
    }
}

fn without(spot: &Spot, zh: &str, en: &str, problems: &mut Problems) {
    problems
        .error("E1019", spot, format!("查询的条件不全: {zh}"), format!("a look-up without what it asks by: {en}"))
        .effect("永远查不到，来电人白输入一遍", "nothing would ever be found, and callers would press keys in vain")
        .remedy(
            "写 with = { ticket = \"…\", code = \"…\" }：左边是对方的名称，右边是收集来的值",
            "write with = { ticket = \"…\", code = \"…\" }: on the left the other side's name, on the right a value that was collected",
        );
}

/// The look-up that a step names.
pub fn source<'t>(asked: &AskTable, table: &'t RoutingTable) -> Option<&'t LookUpTable> {
    let name = &asked.source.as_ref()?.value;
    table.look_ups.iter().find(|own| own.name.as_ref().is_some_and(|said| said.value == *name))
}

/// Where progress can be asked for, who orders learns the code for it.
pub fn codes(act: &ActTable, table: &RoutingTable, problems: &mut Problems) {
    let ActTable::Order(order) = act else { return };
    let Some(prompt) = order.prompt.as_ref().filter(|_| order.code_prompt.is_none()) else { return };
    let of_tickets = table.look_ups.iter().filter(|own| own.is_of_tickets());
    let mut names = of_tickets.filter_map(|own| own.name.as_ref());
    let Some(name) = names.next() else { return };
    problems
        .warning("W1003", &prompt.spot, "没有告诉来电人提取码", "callers are not told the pick-up code")
        .effect(
            "以后查询办理进度要提取码，这张工单查不了",
            "progress is asked for by it, and this ticket's could not be",
        )
        .remedy("加上 code_prompt = \"…\"", "add code_prompt = \"…\"")
        .related(&name.spot, "查询进度", "where progress is asked for");
}

/// Each look-up has the keys of its kind.
pub fn look_ups(table: &RoutingTable, problems: &mut Problems) {
    for own in &table.look_ups {
        bounded(&own.timeout, ANSWER_MAX, "\"1ms\"–\"30s\"", problems);
        bounded(&own.lock, LONGEST, "\"1ms\"–\"24h\"", problems);
        if let Some(said) = own.misses_max.as_ref().filter(|said| said.value == 0) {
            out_of_range(&said.spot, &format!("1–{}", u8::MAX), problems);
        }
        keys_of(own, problems);
    }
}

pub(super) fn bounded(said: &Field<Duration>, most: Duration, range: &str, problems: &mut Problems) {
    if let Some(said) = said.as_ref().filter(|said| said.value.is_zero() || said.value > most) {
        out_of_range(&said.spot, range, problems);
    }
}

fn keys_of(own: &LookUpTable, problems: &mut Problems) {
    let Some(kind) = &own.kind else { return };
    let (choice, path, hook, says) = match kind.value {
        LookUpWord::Tickets => ("kind = \"tickets\"", false, false, false),
        LookUpWord::Jsonl => ("kind = \"jsonl\"", true, false, true),
        LookUpWord::Http => ("kind = \"http\"", false, true, true),
    };
    let keys = [
        ("path", own.path.as_ref().map(|said| &said.spot), path),
        ("url", own.url.as_ref().map(|said| &said.spot), hook),
        ("secret", own.secret.as_ref().map(|said| &said.spot), hook),
        ("says", own.says.as_ref().map(|said| &said.spot), says),
    ];
    for (key, said, wanted) in keys {
        match said {
            None if wanted => needed(&own.spot, key, choice, problems),
            Some(spot) if !wanted => misplaced(spot, choice, problems),
            _ => {}
        }
    }
    if let Some(url) = own.url.as_ref().filter(|_| hook)
        && !has_secret(url, problems)
    {
        let schemes = ["https://", "http://"];
        match url.strip_prefix(schemes[1]).is_some_and(is_far) {
            true => {
                let told = "what citizens ask and are told could be read on the way";
                far(url, schemes[0], ["市民的查询和答复会在公网上被人看到", told], problems);
            }
            false => address(url, schemes, problems),
        }
    }
}

/// Each program has an address by which it is called.
pub fn bots(table: &RoutingTable, problems: &mut Problems) {
    for bot in &table.bots {
        bounded(&bot.connect, ANSWER_MAX, "\"1ms\"–\"30s\"", problems);
        bounded(&bot.most, LONGEST, "\"1ms\"–\"24h\"", problems);
        if let Some(rate) = bot.rate.as_ref().filter(|rate| !BOT_RATES.contains(&rate.value)) {
            out_of_range(&rate.spot, "8000, 16000", problems);
        }
        if let Some(url) = &bot.url
            && !has_secret(url, problems)
        {
            let schemes = ["wss://", "ws://"];
            match url.strip_prefix(schemes[1]).is_some_and(is_far) {
                true => {
                    let told = "citizens could be listened to on the way";
                    far(url, schemes[0], ["市民的声音会在公网上被人听到", told], problems);
                }
                false => address(url, schemes, problems),
            }
        }
    }
}

/// In the clear to a place that is not the operator's.
fn far(url: &Said<String>, closed: &str, [zh, en]: [&str; 2], problems: &mut Problems) {
    problems
        .error(
            "E1029",
            &url.spot,
            format!("\"{}\" 在公网上，又不加密", url.value),
            format!("\"{}\" is a public address, and in the clear", url.value),
        )
        .effect(
            format!("{zh}；引擎不会连接，来电转人工"),
            format!("{en}; the engine does not connect, and callers go to a person"),
        )
        .remedy(format!("改用 {closed}"), format!("use {closed}"));
}

/// Of one of these schemes, the second of which is in the clear and for this machine only.
fn address(url: &Said<String>, [closed, clear]: [&str; 2], problems: &mut Problems) {
    let open = url.strip_prefix(clear);
    let host = url.strip_prefix(closed).or(open).map(host);
    if host.is_none_or(str::is_empty) {
        problems
            .error(
                "E1025",
                &url.spot,
                format!("\"{}\" 不是 {closed} 地址", url.value),
                format!("\"{}\" is no {closed} address", url.value),
            )
            .effect(
                "流程走到这里总是无人应答，转人工",
                "flows that ask there would never be answered, and go to a person",
            )
            .remedy(format!("写成 \"{closed}主机/路径\""), format!("write \"{closed}host/path\""));
        return;
    }
    if open.is_some() {
        in_the_clear(
            "W1002",
            url,
            [
                "途中的人能看到市民的查询和答复",
                "whoever is on the way can read what citizens ask and are told",
            ],
            problems,
        );
    }
}
