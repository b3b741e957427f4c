//! How queues let callers wait, in words: how long, how many, and what is done when there are too many.

use std::time::Duration;

use super::super::diagnostic::Text;
use super::super::plan::{Plan, Queue};
use super::super::queueing::{CallbackOffer, Surge};
use super::acts::{en_span, zh_span};
use super::flows::{Destination, ExplainedFlow};
use crate::id::QueueId;

/// The queues that a call may come to, each once: the line's own, and those that its flows name.
pub(super) fn queues<'a>(own: &'a QueueId, flows: &'a [ExplainedFlow]) -> Vec<&'a str> {
    let ways = flows.iter().flat_map(|flow| &flow.acts).flat_map(|act| &act.ways);
    let named = ways.filter_map(|way| match &way.to {
        Destination::Queue(queue) => Some(queue.as_str()),
        _ => None,
    });
    let mut queues = vec![own.as_str()];
    for queue in named {
        if !queues.contains(&queue) {
            queues.push(queue);
        }
    }
    queues
}

impl Plan {
    /// The rules of a queue about waiting. Whoever comes `first`, from an emergency center, is never turned away.
    pub(super) fn waiting_words(&self, queue: &str, first: bool) -> Vec<Text> {
        let Some(queue) = self.queues.get(queue) else { return Vec::new() };
        let mut words = vec![bounds_words(queue, first)];
        if !first {
            words.extend(queue.rules.shed.iter().map(|(waiting, below)| {
                Text::new(
                    format!("已有 {waiting} 人等候时，优先级低于 {below} 分的直接登记工单"),
                    format!(
                        "with {waiting} waiting, who stands below priority {below} gets a ticket at once"
                    ),
                )
            }));
            words.extend(queue.rules.expected_wait_max.map(expected_words));
        }
        words.extend(queue.rules.surge.as_ref().map(|surge| self.surge_words(surge)));
        words.extend(queue.rules.callback.as_ref().map(callback_words));
        words
    }

    fn surge_words(&self, surge: &Surge) -> Text {
        let (from, until) = (surge.from, surge.until);
        let mut zh = format!("等候达 {from} 人为高峰，降到 {until} 人为止");
        let mut en = format!("a surge from {from} waiting until {until}");
        if let Some(greeting) = &surge.greeting {
            let said = self.said("；其间问候语换成", "; its greeting is", greeting);
            zh += &said.zh;
            en += &said.en;
        }
        if !surge.roles.is_empty() {
            let roles: Vec<&str> = surge.roles.iter().map(|role| role.word()).collect();
            let roles = roles.join(", ");
            zh += &format!("；{roles} 座席也来接听");
            en += &format!("; seats of these roles help: {roles}");
        }
        if surge.callback {
            zh += "；一入队就问是否愿意等回拨";
            en += "; a call back is offered at once";
        }
        Text::new(zh, en)
    }
}

fn bounds_words(queue: &Queue, first: bool) -> Text {
    let (id, length) = (&queue.id, queue.length_max);
    let (most, unstaffed) = (queue.wait_max, queue.no_seat_wait);
    let (zh, en) = match first {
        true => (
            "，排在同优先级的最前，不因人多而被挡在外面".to_owned(),
            ", first of that priority, and never turned away".to_owned(),
        ),
        false => (format!("；已有 {length} 人时不再接纳"), format!("; {length} callers at most")),
    };
    Text::new(
        format!(
            "队列 {id}: 最长等 {}，没有座席登录时 {}，之后登记工单{zh}",
            zh_span(most),
            zh_span(unstaffed)
        ),
        format!(
            "the queue {id}: waits {} at most, {} while no seat is signed in, then a ticket{en}",
            en_span(most),
            en_span(unstaffed)
        ),
    )
}

fn expected_words(most: Duration) -> Text {
    Text::new(
        format!("预计要等超过 {}的直接登记工单", zh_span(most)),
        format!("whoever would wait longer than {} by the guess gets a ticket at once", en_span(most)),
    )
}

fn callback_words(callback: &CallbackOffer) -> Text {
    let CallbackOffer { after, key, tries, again_after, keep } = callback;
    Text::new(
        format!(
            "等 {}后问是否愿意等回拨，按 {key} 保留位置，最长 {}；轮到时呼叫 {tries} 次，每次间隔 {}",
            zh_span(*after),
            zh_span(*keep),
            zh_span(*again_after)
        ),
        format!(
            "after {} a call back is offered: the key {key} keeps the place for {} at most, and {tries} tries are made, {} apart",
            en_span(*after),
            en_span(*keep),
            en_span(*again_after)
        ),
    )
}
