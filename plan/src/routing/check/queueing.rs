//! The rules of queues: steps that follow one another, keys and roles that somebody has.

use std::time::Duration;

use super::super::diagnostic::Spot;
use super::super::people::Role;
use super::super::people_values::role_word;
use super::super::source::{Problems, Said};
use super::super::tables::queueing::{CallbackTable, RulesTable, SurgeTable};
use super::super::tables::{QueueTable, RoutingTable};

/// Each queue by itself.
pub fn queues(table: &RoutingTable, problems: &mut Problems) {
    for queue in &table.queues {
        widening(queue, problems);
        shedding(queue, problems);
        if let Some(surge) = &queue.rules.surge {
            thresholds(surge, queue, problems);
            roles(surge, table, problems);
        }
        sticky(queue, problems);
        if let Some(callback) = &queue.rules.callback {
            key(callback, table, problems);
        }
        offered(&queue.rules, problems);
    }
}

/// Each step comes later than the one before and asks for less, and the wait lasts so long.
fn widening(queue: &QueueTable, problems: &mut Problems) {
    let mut before: (Option<Duration>, u8) = (None, 0);
    for step in &queue.rules.widen {
        let (Some(after), Some(levels)) = (&step.after, &step.levels) else { continue };
        let too_late = queue.wait_max.as_ref().is_some_and(|most| after.value >= most.value);
        if before.0.is_some_and(|before| after.value <= before) || levels.value <= before.1 || too_late {
            problems
                .error("E0416", &step.spot, "这一步不会放宽任何要求", "this step never asks for less")
                .effect(
                    "要求高的来电人等到溢出，写在这里的意图不会生效",
                    "callers whose line asks for much would wait until they overflow",
                )
                .remedy(
                    "按先后写，after 越来越晚但早于 wait_max，levels 越来越大，如 [{ after = \"30s\", levels = 1 }, { after = \"60s\", levels = 9 }]",
                    "in order, each after later but before wait_max, each levels greater, like [{ after = \"30s\", levels = 1 }, { after = \"60s\", levels = 9 }]",
                );
        }
        before = (Some(after.value), levels.value);
    }
}

/// The more wait, the higher the priority that is still let in.
fn shedding(queue: &QueueTable, problems: &mut Problems) {
    let mut before: Option<(u32, i16)> = None;
    for step in &queue.rules.shed {
        let (Some(waiting), Some(below)) = (&step.waiting, &step.below) else { continue };
        let disordered =
            before.is_some_and(|(earlier, lower)| waiting.value <= earlier || below.value <= lower);
        if disordered || waiting.value == 0 || beyond(waiting, queue) {
            out_of_order(&step.spot, problems);
        }
        before = Some((waiting.value, below.value));
    }
}

fn thresholds(surge: &SurgeTable, queue: &QueueTable, problems: &mut Problems) {
    let (Some(from), Some(until)) = (&surge.from, &surge.until) else { return };
    if until.value >= from.value {
        out_of_order(&until.spot, problems);
    } else if beyond(from, queue) {
        out_of_order(&from.spot, problems);
    }
}

/// Whether the queue is full before so many wait.
fn beyond(waiting: &Said<u32>, queue: &QueueTable) -> bool {
    queue.length_max.as_ref().is_some_and(|most| most.value > 0 && waiting.value > most.value)
}

fn out_of_order(spot: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E0417",
            spot,
            "门槛的先后不对，或大于 length_max",
            "thresholds out of order, or above length_max",
        )
        .effect(
            "高峰措施要么永远不开始，要么一旦开始就不停",
            "what is meant for a surge would never begin, or never end",
        )
        .remedy(
            "until 小于 from；shed 按 waiting 从少到多写，below 随之升高；都不大于 length_max",
            "until below from; shed from few waiting to many, below rising with them; none above length_max",
        );
}

/// Somebody has each role that a surge calls for, and that somebody takes callers.
fn roles(surge: &SurgeTable, table: &RoutingTable, problems: &mut Problems) {
    let Some(roles) = &surge.roles else { return };
    for said in &roles.value {
        let word = role_word(said.value);
        if matches!(said.value, Role::Observer | Role::Trainee) {
            super::people::listens_only(&said.spot, word, problems);
            continue;
        }
        let held =
            table.seats.iter().any(|seat| seat.role.as_ref().is_some_and(|role| role.value == said.value));
        if held {
            continue;
        }
        problems
            .error(
                "E0419",
                &said.spot,
                format!("没有 role = \"{word}\" 的座席"),
                format!("no seat has role = \"{word}\""),
            )
            .effect("高峰时没有人来支援", "nobody would come to help in a surge")
            .remedy(
                "给支援的座席写上 role，或删去这个角色",
                "give the seats that help this role, or remove it here",
            );
    }
}

/// Whoever waits for one clerk goes to the others in time.
fn sticky(queue: &QueueTable, problems: &mut Problems) {
    let (Some(sticky), Some(most)) = (&queue.rules.sticky_wait, &queue.wait_max) else { return };
    if sticky.value <= most.value {
        return;
    }
    problems
        .error("E0420", &sticky.spot, "sticky_wait 长于 wait_max", "sticky_wait is longer than wait_max")
        .effect(
            "老来电人只等那一位座席，等到溢出也没有别人接",
            "a known caller would wait for that one clerk until the overflow, and nobody else would answer",
        )
        .remedy(
            "写得比 wait_max 短，如 sticky_wait = \"30s\"",
            "make it shorter than wait_max, like sticky_wait = \"30s\"",
        )
        .related(&most.spot, "最长等候", "the longest wait");
}

/// The key that keeps a place means nothing else.
fn key(callback: &CallbackTable, table: &RoutingTable, problems: &mut Problems) {
    let Some(key) = &callback.key else { return };
    let urgent = table.urgent_key() == Some(key.value.0);
    if key.value.0 != '0' && !urgent {
        return;
    }
    let (zh, en) =
        if urgent { ("紧急键", "the urgent key") } else { ("转人工键", "the key for a person") };
    problems
        .error(
            "E0418",
            &key.spot,
            format!("回拨键 {} 又是{zh}", key.value.0),
            format!("the key {} that asks for a call back is {en} as well", key.value.0),
        )
        .effect(
            "来电人说不清是要回拨还是要人，可能因此挂断",
            "nobody could tell whether a caller wants to be called back or wants a person now",
        )
        .remedy("换一个键，如 key = \"1\"", "choose another key, like key = \"1\"");
}

/// A surge that offers a call back says by which key.
fn offered(rules: &RulesTable, problems: &mut Problems) {
    let Some(said) = rules.surge.as_ref().and_then(|surge| surge.callback.as_ref()) else { return };
    if said.value && rules.callback.is_none() {
        problems
            .error(
                "E0424",
                &said.spot,
                "高峰时提供回拨，却没有写 callback",
                "a call back is offered in a surge, but callback is not said",
            )
            .effect(
                "来电人不知道按哪个键，引擎也不知道何时回拨",
                "callers would have no key for it, and nobody would be called back",
            )
            .remedy(
                "加上 callback = { after = \"2min\", key = \"1\" }，或写 callback = false",
                "add callback = { after = \"2min\", key = \"1\" }, or write callback = false",
            );
    }
}
