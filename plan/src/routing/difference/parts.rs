//! Things of which there are several, each by its name, described.

use std::time::Duration;

use jiff::civil::Date;

use super::super::callers::{CallerAct, CallerPolicy, Lane};
use super::super::diagnostic::Text;
use super::super::emergency::Center;
use super::super::explain::mode_words;
use super::super::in_use::Alias;
use super::super::meeting::Meeting;
use super::super::peers::Platform;
use super::super::people::{ApiToken, ExpertGroup};
use super::super::people_values::role_word;
use super::super::plan::{
    BenchLine, Line, LineMode, Member, Peer, Plan, Probing, Prompt, Queue, Seat, Sink, SinkKind, Trunk,
    TrunkGroup, TrunkTarget,
};
use super::super::queueing::{CallbackOffer, Known, Queueing, Strategy, Widening};
use super::super::script::{Bot, LookUpSource};
use super::super::written::duration;
use super::describe::{Item, row};
use super::feeds;
use super::fixed::Fixed;
use super::flows;
use super::kind::Kind;
use super::sections::{recording_class, transition, transport_word};
use crate::id::mask;

/// Trunks, groups and queues.
pub(super) fn ways(plan: &Plan) -> Vec<Item> {
    let group = |TrunkGroup { id, members }: &TrunkGroup| {
        let word = |Member { trunk, priority, weight }: &Member| format!("{trunk} ({priority}/{weight})");
        Item::named(Kind::Group, id).with("成员", "members", row(members.iter().map(word)))
    };
    let trunks = plan.trunks.values().map(trunk);
    trunks.chain(plan.groups.values().map(group)).chain(plan.queues.values().map(queue)).collect()
}

fn trunk(trunk: &Trunk) -> Item {
    let Trunk {
        id,
        sources,
        certificate,
        targets,
        domain,
        account,
        register,
        probe,
        dialled_from,
        trust_identity,
        forwarded_in,
        connect_timeout,
        calls_max,
        calls_per_second,
        priority,
        weight,
        emergency_center,
        drill,
        sound,
        terms,
        rewrite,
    } = trunk;
    let sources = sources.iter().map(|net| format!("{}/{}", net.addr, net.prefix));
    let probe = probe.map_or_else(
        || "-".to_owned(),
        |Probing { every, down_after, up_after }| format!("{} ({down_after}/{up_after})", duration(every)),
    );
    super::trunk_terms::terms(Item::named(Kind::Trunk, id), terms)
        .with("送往", "target", row(targets.iter().map(target)))
        .with("来源", "sources", row(sources))
        .with("注册", "registers for", register.map_or_else(|| "-".to_owned(), duration))
        .with("同时通话数", "calls at once", calls_max)
        .with("每秒新建", "new calls a second", calls_per_second)
        .with_span("连接时限", "connect time-out", *connect_timeout)
        .with("探问", "probed", probe)
        .with("优先级", "priority", priority)
        .with("权重", "weight", weight)
        .with_switch("指挥中心", "emergency center", *emergency_center)
        .with_switch("演练", "drill", *drill)
        .rest(&(certificate, domain, account, dialled_from, trust_identity, forwarded_in, sound, rewrite))
}

/// `203.0.113.7:5060`, with what else is written of it.
fn target(target: &TrunkTarget) -> String {
    let TrunkTarget { secure, host, port, transport } = target;
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let transport = transport.map(|own| format!(";transport={}", transport_word(own))).unwrap_or_default();
    format!("{}{host}{port}{transport}", if *secure { "sips:" } else { "" })
}

fn queue(queue: &Queue) -> Item {
    let Queue {
        id,
        greeting,
        music,
        ring,
        wrap_up,
        away,
        wait_max,
        no_seat_wait,
        length_max,
        announce_every,
        overflow_prompt,
        rules,
    } = queue;
    let item = Item::named(Kind::Queue, id)
        .with("问候", "greeting", greeting)
        .with("等候音乐", "music", music)
        .with_span("最长等候", "longest wait", *wait_max)
        .with_span("无座席时最长等候", "longest wait without seats", *no_seat_wait)
        .with("人数上限", "callers at once", length_max)
        .with_span("振铃", "rings", *ring)
        .with_span("整理时间", "wrap-up", *wrap_up)
        .with("漏接后休息", "rest after a missed call", span_or_none(*away))
        .with_span("播报间隔", "announced every", *announce_every)
        .with("转工单提示音", "overflow prompt", overflow_prompt);
    queueing(item, rules)
}

fn queueing(item: Item, rules: &Queueing) -> Item {
    let Queueing {
        strategy,
        widen,
        priority,
        ageing,
        expected_wait_max,
        shed,
        sticky_wait,
        surge,
        callback,
        staffing,
    } = rules;
    let strategy = match strategy {
        Strategy::LongestIdle => "longest_idle",
        Strategy::RoundRobin => "round_robin",
        Strategy::FewestCalls => "fewest_calls",
        Strategy::TopDown => "top_down",
        Strategy::Random => "random",
        Strategy::RingAll => "ring_all",
    };
    let widen = widen.iter().map(|Widening { after, levels }| format!("{} -{levels}", duration(*after)));
    let shed = shed.iter().map(|(waiting, priority)| format!("{waiting} < {priority}"));
    let back = callback.as_ref().map_or_else(
        || "-".to_owned(),
        |CallbackOffer { after, key, tries, again_after, keep }| {
            let [after, again, keep] = [after, again_after, keep].map(|span| duration(*span));
            format!("{key} ({after}, {keep}, {tries} × {again})")
        },
    );
    item.with("派席方式", "strategy", strategy)
        .with("优先级", "priority", priority)
        .with("老化", "ageing", span_or_none(*ageing))
        .with("预计等候上限", "longest expected wait", span_or_none(*expected_wait_max))
        .with("等候熟悉的座席", "waits for a known clerk", span_or_none(*sticky_wait))
        .with("放宽技能", "asks for less", row(widen))
        .with("分流", "sheds", row(shed))
        .with("预约回拨", "call back", back)
        .rest(&(surge, staffing))
}

/// Seats, and whom clerks ask.
pub(super) fn people(plan: &Plan) -> Vec<Item> {
    let seats = plan.seats.values().map(seat);
    let emergency = plan.emergency.iter().map(|(number, own)| {
        let item = peer(Item::named(Kind::Emergency, number), own);
        let Some(Center { scope, area, stay }) = plan.centers.get(number) else { return item };
        item.with("受理范围", "scope", scope.as_deref().unwrap_or("-"))
            .with("地域", "area", area.as_deref().unwrap_or("-"))
            .with_switch("接听前座席不能离开", "clerks stay until it answers", *stay)
    });
    let experts = plan.experts.values().map(|group| {
        let ExpertGroup { number, name, department, seats, hours, accept } = &**group;
        Item::named(Kind::Experts, number)
            .with("座席", "seats", row(seats))
            .with_text("时段", "hours", hours.words())
            .with_span("振铃", "rings", *accept)
            .with("名称", "name", name)
            .with("责任单位", "department", department)
    });
    let platforms = plan.peers.iter().map(|own| {
        let Platform { number, name, org, parent, peer: way, hands_over, priority, hops_max } = &**own;
        let item =
            Item::named(Kind::Platform, number).with("名称", "name", name).with("机构编码", "code", org);
        let item = item.with("上级", "parent", parent.as_deref().unwrap_or("-"));
        peer(item, way)
            .with_switch("转来电话", "hands calls over", *hands_over)
            .with("转来电话的优先级", "priority of those", priority)
            .with("转接次数上限", "hand-overs at most", hops_max)
    });
    let departments = plan.departments.iter().map(|(number, own)| {
        let name = plan.department_names.get(number);
        let item = Item::named(Kind::Department, number);
        peer(item.with("名称", "name", name.map_or("-", String::as_str)), own)
    });
    seats.chain(emergency).chain(experts).chain(departments).chain(platforms).collect()
}

fn seat(seat: &Seat) -> Item {
    let Seat { id, name, role, skills: known, queues, order, wrap_up, secret, hours, sound } = seat;
    Item::named(Kind::Seat, id)
        .with("名称", "name", name)
        .with("角色", "role", role_word(*role))
        .with("队列", "queues", row(queues))
        .with("技能", "skills", skills(known))
        .with("次序", "order", order)
        .with("整理时间", "wrap-up", span_or_none(*wrap_up))
        .with_text("班次", "shifts", hours.words())
        .rest(&(secret, sound))
}

/// With somebody on the far side of a trunk.
fn peer(item: Item, peer: &Peer) -> Item {
    let Peer { trunk, number, ring, drill, hours } = peer;
    item.with("中继", "trunk", trunk)
        .with("对端号码", "number there", number)
        .with_span("振铃", "rings", *ring)
        .with_switch("演练", "drill", *drill)
        .with_text("时段", "hours", hours.words())
}

/// Numbers and meeting rooms.
pub(super) fn numbers(plan: &Plan) -> Vec<Item> {
    let meetings = plan.meetings.iter().map(|meeting| {
        let Meeting { name, prefix: _, digits: _, members_max, prompt, record, seats, trunks } = &**meeting;
        Item::named(Kind::Meeting, name)
            .with("号码", "numbers", meeting.pattern())
            .with("人数上限", "members", members_max)
            .with_switch("录音", "recorded", *record)
            .with_switch("座席可入", "seats may join", *seats)
            .with("中继", "trunks", row(trunks))
            .rest(prompt)
    });
    plan.lines.values().map(number).chain(meetings).collect()
}

fn number(line: &Line) -> Item {
    let Line {
        number,
        aliases,
        in_use,
        name,
        owner,
        mode,
        row,
        expert_seats,
        is_confidential,
        skills: known,
        transition: own_transition,
        language,
        greeting,
        script,
        restored,
    } = line;
    let item = Item::named(Kind::Number, number)
        .with("名称", "name", name)
        .with_text("方式", "mode", mode_words(mode))
        .with("责任单位", "owner", owner);
    let item = match mode {
        LineMode::Primary { queue } | LineMode::Merged { queue } | LineMode::Dual { queue } => {
            item.with("队列", "queue", queue)
        }
        LineMode::SubCenter { peer: own, queue } | LineMode::Retained { peer: own, queue } => {
            peer(item.with("队列", "queue", queue), own)
        }
        LineMode::Bench(own) => bench(item, own),
        // Meetings are things of their own.
        LineMode::Meeting(_) => item,
        LineMode::Watch { role } => item.with("角色", "role", role_word(*role)),
    };
    let item = item
        .with("清单序号", "row", if row.is_empty() { "-" } else { row })
        .with_switch("专家座席", "expert seats", *expert_seats)
        .with_switch("来电保密", "confidential", *is_confidential)
        .with("技能", "skills", skills(known))
        .with("别名", "aliases", super::describe::row(aliases.iter().map(alias)))
        .with("启用日", "from", day_or_none(in_use.from))
        .with("停用日", "until", day_or_none(in_use.until))
        .with("自有问候语", "own greeting", greeting.as_ref().map_or("-", |greeting| greeting.as_str()))
        .with("自助流程", "flow", script.as_ref().map_or("-", |script| script.as_str()))
        .with("语言", "language", language.as_ref().map_or("-", |language| language.as_str()))
        .rest(restored);
    match own_transition {
        Some(own) => transition(item, own),
        None => item,
    }
}

fn bench(item: Item, bench: &BenchLine) -> Item {
    match bench {
        BenchLine::Silent => item.with("压测", "bench", "silent"),
        BenchLine::PlayOnce(prompt) => item.with("压测", "bench", format!("play once {prompt}")),
        BenchLine::PlayForever(prompt) => item.with("压测", "bench", format!("play {prompt}")),
        BenchLine::Dial { peer: own, record } => {
            peer(item.with("压测", "bench", "dial").with_switch("录音", "recorded", *record), own)
        }
    }
}

/// Callers who are known, programs, offices, sounds.
pub(super) fn others(plan: &Plan) -> Vec<Item> {
    let lanes = plan.callers.lanes.iter().enumerate().map(|(place, own)| lane(place, own));
    let policies = plan.callers.policies.values().map(policy);
    let look_ups = plan.look_ups.values().map(look_up);
    let bots = plan.bots.values().map(bot);
    let tokens = plan.tokens.iter().map(|ApiToken { name, role, seat, secret }| {
        let seat = seat.as_ref().map_or("-", |seat| seat.as_str());
        let item = Item::named(Kind::Token, name);
        item.with("角色", "role", role_word(*role)).with("座席", "seat", seat).rest(secret)
    });
    let sinks = plan.sinks.iter().map(sink);
    let prompts = plan.prompts.values().map(|Prompt { id, text, samples }| {
        // Not as it is debugged: that is minutes of sound, number by number.
        Item::named(Kind::Prompt, id).with("文字", "text", text).with(
            "录音",
            "recording",
            format!("{} ({})", duration(length(samples.len())), &sum(samples)[..8]),
        )
    });
    let callers = lanes.chain(policies).chain(flows::flows(plan)).chain(look_ups).chain(bots);
    let classes = plan.recording.retention.classes.iter().map(recording_class);
    let feeds = plan.feeds.iter().map(feeds::feed);
    callers.chain(tokens).chain(sinks).chain(feeds).chain(prompts).chain(classes).collect()
}

fn lane(place: usize, lane: &Lane) -> Item {
    let Lane { name, lines, trunks, callers, priority, skills: known, straight } = lane;
    // Their order decides, too.
    Item::named(Kind::Lane, name)
        .with("次序", "place", place + 1)
        .with("号码", "lines", row(lines))
        .with("中继", "trunks", row(trunks))
        .with("主叫数", "callers", callers.len())
        .with("优先级", "priority", priority)
        .with("技能", "skills", skills(known))
        .with_switch("不播问候", "without a greeting", *straight)
        .rest(callers)
}

fn policy(policy: &CallerPolicy) -> Item {
    let CallerPolicy { caller, act: own, reason, approver, until } = policy;
    let item = Item::named(Kind::Policy, mask(caller));
    Item { key: caller.clone(), ..item }
        .with_text("做法", "act", act(own))
        .with("理由", "reason", reason)
        .with("批准人", "approved by", approver)
        .with("到期", "until", until)
}

fn look_up(source: &LookUpSource) -> Item {
    let LookUpSource { id, kind, says, timeout, misses_max, lock } = source;
    Item::named(Kind::LookUp, id)
        .with("返回", "says", row(says))
        .with_span("时限", "time-out", *timeout)
        .with("查不到次数", "misses", misses_max)
        .with_span("锁定", "locked for", *lock)
        .rest(kind)
}

fn bot(bot: &Bot) -> Item {
    let Bot { id, url, secret, says, connect, most, music, rate, show_caller } = bot;
    Item::named(Kind::Bot, id)
        .with("返回", "says", row(says))
        .with_span("接通时限", "time to be there", *connect)
        .with_span("最长通话", "longest talk", *most)
        .with("采样率", "rate", rate)
        .with_switch("告知来电号码", "is told callers' numbers", *show_caller)
        .rest(&(url, secret, music))
}

fn sink(sink: &Sink) -> Item {
    let Sink { name, kind, timeout, pace } = sink;
    let word = match kind {
        SinkKind::Sqlite => "sqlite",
        SinkKind::Jsonl { .. } => "jsonl",
        SinkKind::Http { .. } => "http",
    };
    let item =
        Item::named(Kind::Sink, name).with("方式", "kind", word).with_span("时限", "time-out", *timeout);
    Item { fixed: Some(Fixed::Sinks), ..feeds::paced(item, pace).rest(kind) }
}

fn span_or_none(span: Option<Duration>) -> String {
    span.map_or_else(|| "-".to_owned(), duration)
}

fn day_or_none(day: Option<Date>) -> String {
    day.map_or_else(|| "-".to_owned(), |day| day.to_string())
}

/// `4412345`, or `4412345 (2027-01-31)` with its last day.
fn alias(Alias { number, until }: &Alias) -> String {
    match until {
        Some(until) => format!("{number} ({until})"),
        None => number.to_string(),
    }
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
