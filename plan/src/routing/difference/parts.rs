//! Things of which there are several, each by its name, described.

use std::time::Duration;

use super::super::callers::CallerAct;
use super::super::diagnostic::Text;
use super::super::explain::mode_words;
use super::super::people_values::role_word;
use super::super::plan::{BenchLine, Line, LineMode, Plan, Queue, SinkKind, Trunk};
use super::super::queueing::{Known, Strategy};
use super::super::written::duration;
use super::describe::{Item, row};
use super::fixed::Fixed;
use super::kind::Kind;
use super::sections::transition;
use crate::id::mask;

/// Trunks, groups and queues.
pub(super) fn ways(plan: &Plan) -> Vec<Item> {
    let group = |group: &super::super::trunk::TrunkGroup| {
        let members = group.members.iter();
        let members = members.map(|own| format!("{} ({}/{})", own.trunk, own.priority, own.weight));
        Item::named(Kind::Group, &group.id, group).with("成员", "members", row(members))
    };
    let trunks = plan.trunks.values().map(trunk);
    trunks.chain(plan.groups.values().map(group)).chain(plan.queues.values().map(queue)).collect()
}

fn trunk(trunk: &Trunk) -> Item {
    let targets = trunk.targets.iter().map(|target| match target.port {
        Some(port) => format!("{}:{port}", target.host),
        None => target.host.clone(),
    });
    let sources = trunk.sources.iter().map(|net| format!("{}/{}", net.addr, net.prefix));
    Item::named(Kind::Trunk, &trunk.id, trunk)
        .with("送往", "target", row(targets))
        .with("来源", "sources", row(sources))
        .with("同时通话数", "calls at once", trunk.calls_max)
        .with("每秒新建", "new calls a second", trunk.calls_per_second)
        .with_span("连接时限", "connect time-out", trunk.connect_timeout)
        .with_switch("探问", "probed", trunk.probe.is_some())
        .with("优先级", "priority", trunk.priority)
        .with("权重", "weight", trunk.weight)
        .with_switch("指挥中心", "emergency center", trunk.emergency_center)
        .with_switch("演练", "drill", trunk.drill)
}

fn queue(queue: &Queue) -> Item {
    let strategy = match queue.rules.strategy {
        Strategy::LongestIdle => "longest_idle",
        Strategy::RoundRobin => "round_robin",
        Strategy::FewestCalls => "fewest_calls",
        Strategy::TopDown => "top_down",
        Strategy::Random => "random",
        Strategy::RingAll => "ring_all",
    };
    Item::named(Kind::Queue, &queue.id, queue)
        .with("问候", "greeting", &queue.greeting)
        .with("等候音乐", "music", &queue.music)
        .with_span("最长等候", "longest wait", queue.wait_max)
        .with_span("无座席时最长等候", "longest wait without seats", queue.no_seat_wait)
        .with("人数上限", "callers at once", queue.length_max)
        .with_span("振铃", "rings", queue.ring)
        .with_span("整理时间", "wrap-up", queue.wrap_up)
        .with("漏接后休息", "rest after a missed call", queue.away.map_or_else(|| "-".to_owned(), duration))
        .with_span("播报间隔", "announced every", queue.announce_every)
        .with("转工单提示音", "overflow prompt", &queue.overflow_prompt)
        .with("派席方式", "strategy", strategy)
        .with("优先级", "priority", queue.rules.priority)
}

/// Seats, and whom clerks ask.
pub(super) fn people(plan: &Plan) -> Vec<Item> {
    let seats = plan.seats.values().map(|seat| {
        Item::named(Kind::Seat, &seat.id, seat)
            .with("名称", "name", &seat.name)
            .with("角色", "role", role_word(seat.role))
            .with("队列", "queues", row(&seat.queues))
            .with("技能", "skills", skills(&seat.skills))
            .with("次序", "order", seat.order)
            .with("整理时间", "wrap-up", seat.wrap_up.map_or_else(|| "-".to_owned(), duration))
            .with_text("班次", "shifts", seat.hours.words())
    });
    let emergency = plan.emergency.iter().map(|(number, peer)| {
        let item = Item::named(Kind::Emergency, number, peer);
        item.with("中继", "trunk", &peer.trunk)
            .with("对端号码", "number there", &peer.number)
            .with_span("振铃", "rings", peer.ring)
            .with_switch("演练", "drill", peer.drill)
    });
    let experts = plan.experts.values().map(|group| {
        Item::named(Kind::Experts, &group.number, group)
            .with("座席", "seats", row(&group.seats))
            .with_text("时段", "hours", group.hours.words())
            .with_span("振铃", "rings", group.accept)
    });
    let departments = plan.departments.iter().map(|(number, peer)| {
        let name = plan.department_names.get(number);
        Item::named(Kind::Department, number, &(peer, name))
            .with("名称", "name", name.map_or("-", String::as_str))
            .with("中继", "trunk", &peer.trunk)
            .with("对端号码", "number there", &peer.number)
            .with_text("时段", "hours", peer.hours.words())
    });
    seats.chain(emergency).chain(experts).chain(departments).collect()
}

/// Numbers and meeting rooms.
pub(super) fn numbers(plan: &Plan) -> Vec<Item> {
    let meetings = plan.meetings.iter().map(|meeting| {
        Item::named(Kind::Meeting, &meeting.name, meeting)
            .with("号码", "numbers", meeting.pattern())
            .with("人数上限", "members", meeting.members_max)
            .with_switch("录音", "recorded", meeting.record)
    });
    plan.lines.values().map(number).chain(meetings).collect()
}

fn number(line: &Line) -> Item {
    let item = Item::named(Kind::Number, &line.number, line)
        .with("名称", "name", &line.name)
        .with_text("方式", "mode", mode_words(&line.mode))
        .with("责任单位", "owner", &line.owner);
    let item = match &line.mode {
        LineMode::Primary { queue } | LineMode::Merged { queue } | LineMode::Dual { queue } => {
            item.with("队列", "queue", queue)
        }
        LineMode::SubCenter { peer, queue } | LineMode::Retained { peer, queue } => item
            .with("队列", "queue", queue)
            .with("中继", "trunk", &peer.trunk)
            .with("对端号码", "number there", &peer.number)
            .with_span("振铃", "rings", peer.ring)
            .with_switch("演练", "drill", peer.drill)
            .with_text("时段", "hours", peer.hours.words()),
        LineMode::Bench(BenchLine::Dial { peer, .. }) => item.with("中继", "trunk", &peer.trunk),
        LineMode::Bench(_) | LineMode::Meeting(_) | LineMode::Watch { .. } => item,
    };
    let item = item
        .with("清单序号", "row", if line.row.is_empty() { "-" } else { &line.row })
        .with_switch("专家座席", "expert seats", line.expert_seats)
        .with_switch("来电保密", "confidential", line.is_confidential)
        .with("技能", "skills", skills(&line.skills))
        .with("自助流程", "flow", line.script.as_ref().map_or("-", |script| script.as_str()))
        .with("语言", "language", line.language.as_ref().map_or("-", |language| language.as_str()));
    match &line.transition {
        Some(own) => transition(item, own),
        None => item,
    }
}

/// Callers who are known, programs, offices, sounds.
pub(super) fn others(plan: &Plan) -> Vec<Item> {
    let lanes = plan.callers.lanes.iter().enumerate().map(|(place, lane)| {
        // Their order decides, too.
        Item::named(Kind::Lane, &lane.name, lane)
            .with("次序", "place", place + 1)
            .with("号码", "lines", row(&lane.lines))
            .with("中继", "trunks", row(&lane.trunks))
            .with("主叫数", "callers", lane.callers.len())
            .with("优先级", "priority", lane.priority)
            .with("技能", "skills", skills(&lane.skills))
            .with_switch("不播问候", "without a greeting", lane.straight)
    });
    let policies = plan.callers.policies.values().map(|policy| {
        let item = Item::named(Kind::Policy, mask(&policy.caller), policy);
        Item { key: policy.caller.clone(), ..item }
            .with_text("做法", "act", act(&policy.act))
            .with("理由", "reason", &policy.reason)
            .with("批准人", "approved by", &policy.approver)
            .with("到期", "until", policy.until)
    });
    let flows = plan.scripts.values().map(|script| Item::named(Kind::Flow, &script.id, script));
    let look_ups = plan.look_ups.values().map(|source| {
        Item::named(Kind::LookUp, &source.id, source).with("返回", "says", row(&source.says)).with_span(
            "时限",
            "time-out",
            source.timeout,
        )
    });
    let bots = plan.bots.values().map(|bot| {
        Item::named(Kind::Bot, &bot.id, bot)
            .with("返回", "says", row(&bot.says))
            .with_span("接通时限", "time to be there", bot.connect)
            .with_span("最长通话", "longest talk", bot.most)
            .with("采样率", "rate", bot.rate)
            .with_switch("告知来电号码", "is told callers' numbers", bot.show_caller)
    });
    let tokens = plan.tokens.iter().map(|token| {
        let seat = token.seat.as_ref().map_or("-", |seat| seat.as_str());
        Item::named(Kind::Token, &token.name, token)
            .with("角色", "role", role_word(token.role))
            .with("座席", "seat", seat)
    });
    let sinks = plan.sinks.iter().map(|sink| {
        let kind = match sink.kind {
            SinkKind::Sqlite => "sqlite",
            SinkKind::Jsonl { .. } => "jsonl",
            SinkKind::Http { .. } => "http",
        };
        let item = Item::named(Kind::Sink, &sink.name, sink);
        let item = item.with("方式", "kind", kind).with_span("时限", "time-out", sink.timeout);
        Item { fixed: Some(Fixed::Sinks), ..item }
    });
    let prompts = plan.prompts.values().map(|prompt| {
        let samples = prompt.samples.len();
        // Not as it is debugged: that is minutes of sound, number by number.
        Item::named(Kind::Prompt, &prompt.id, &sum(&prompt.samples))
            .with("文字", "text", &prompt.text)
            .with_span("时长", "length", length(samples))
    });
    let callers = lanes.chain(policies).chain(flows).chain(look_ups).chain(bots);
    callers.chain(tokens).chain(sinks).chain(prompts).collect()
}

fn skills(known: &[Known]) -> String {
    row(known.iter().map(|known| match known.level {
        1 => known.skill.to_string(),
        level => format!("{} ({level})", known.skill),
    }))
}

fn act(act: &CallerAct) -> Text {
    match act {
        CallerAct::Behind(points) => {
            Text::new(format!("排后 {points} 分"), format!("{points} points behind"))
        }
        CallerAct::To(known) => {
            Text::new(format!("由具备 {} 的座席接听", skills(known)), format!("to {}", skills(known)))
        }
        CallerAct::CoolDown(pause) => {
            let pause = duration(*pause);
            Text::new(format!("{pause} 内再来先说明"), format!("a word within {pause}"))
        }
        CallerAct::Confidential => Text::new("号码保密", "confidential"),
    }
}

/// Whole hundredths of a second.
fn length(samples: usize) -> Duration {
    let hundredths = u64::try_from(samples).unwrap_or(u64::MAX) / 80;
    Duration::from_millis(hundredths.saturating_mul(10))
}

/// SHA-256 of a sound: two that differ in one sample are two.
fn sum(samples: &[i16]) -> String {
    use sha2::{Digest, Sha256};
    let mut sum = Sha256::new();
    for block in samples.chunks(4_096) {
        let bytes: Vec<u8> = block.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        sum.update(&bytes);
    }
    super::super::prompts::hex(&sum.finalize())
}
