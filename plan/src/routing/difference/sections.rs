//! Sections of the file, of which there is one each, described.

use super::super::admin::{Access, Admin};
use super::super::afterwards::{Calling, Code, Disposition, FollowUp, Immediate, Missed};
use super::super::callers::Callers;
use super::super::diagnostic::Text;
use super::super::people::{AwayReason, ThreeWay, Work};
use super::super::plan::{
    Afterwards, City, Limits, Listener, Network, Plan, Purpose, Recording, RecordingFormat, SeatGreeting,
    SecretRef, Survey, Tls, Transition, Transport,
};
use super::super::proof::HumanFirst;
use super::super::retention::RecordingClass;
use super::super::security::Security;
use super::super::trace::Trace;
use super::super::written::duration;
use super::describe::{Item, row};
use super::fixed::Fixed;
use super::kind::Kind;
use super::kpi;
use crate::id::LineId;

/// Where and for whom.
pub(super) fn sections(plan: &Plan) -> Vec<Item> {
    let purpose = match plan.purpose {
        Purpose::Live => "live",
        Purpose::Bench => "bench",
    };
    let City { name, area_code, country_code, time_zone, org } = &plan.city;
    let HumanFirst { time_max, presses_max } = &plan.human_first;
    vec![
        Item::section(Kind::Purpose).with("设为", "is", purpose),
        Item::section(Kind::City)
            .with("名称", "name", name)
            .with("区号", "area code", area_code)
            .with("国家代码", "country code", country_code)
            .with("机构编码", "code", org.as_deref().unwrap_or("-"))
            .with("时区", "time zone", time_zone.iana_name().unwrap_or("-"))
            .fixed(Fixed::TimeZone)
            .with("归并清单", "merge list", plan.merge_list.map_or("-", |list| list.name))
            .with("已取消的号码", "cancelled numbers", row(&plan.retired)),
        network(&plan.network),
        tls(&plan.network.tls),
        limits(&plan.limits),
        recording(&plan.recording),
        trace(&plan.trace),
        security(&plan.security),
        admin(&plan.admin),
        Item::section(Kind::SeatGreeting).with_text(
            "设为",
            "is",
            match plan.seat_greeting {
                SeatGreeting::Both => Text::new("双方都听到", "heard by both"),
                SeatGreeting::Silent => Text::new("不播报", "silent"),
            },
        ),
        survey(&plan.survey),
        transition(Item::section(Kind::Transition), &plan.transition),
        Item::section(Kind::HumanFirst).with_span("最长用时", "longest", *time_max).with(
            "最多按键",
            "presses",
            presses_max,
        ),
        Item::section(Kind::Reload).with_switch("自动重载", "by itself", plan.watch),
    ]
}

fn network(network: &Network) -> Item {
    let Network {
        listen,
        tls: _, // A section of its own.
        rtp_ports,
        domain,
        silence_max,
        mute_max,
        one_way_max,
        session_expires,
        dns,
    } = network;
    Item::section(Kind::Network)
        .with("监听", "listens", row(listen.iter().map(listener)))
        .fixed(Fixed::Listen)
        .with("RTP 端口", "RTP ports", format!("{}-{}", rtp_ports.0, rtp_ports.1))
        .fixed(Fixed::RtpPorts)
        .with("域名", "domain", domain)
        .with_span("失联判断", "silence", *silence_max)
        .with_span("静音判断", "mute", *mute_max)
        .with_span("单通判断", "one way", *one_way_max)
        .with_span("会话定时", "session timer", *session_expires)
        .with("域名服务器", "name servers", row(dns))
}

fn listener(listener: &Listener) -> String {
    let Listener { transport, bind, advertise, client_certificate } = listener;
    let mut text = format!("{}:{bind}", transport_word(*transport));
    if let Some(advertise) = advertise {
        text.push_str(&format!(" (advertise {advertise})"));
    }
    if let Some(asked) = client_certificate {
        text.push_str(&format!(" (client_certificate {asked})"));
    }
    text
}

/// As the file says it.
pub(super) fn transport_word(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

fn tls(tls: &Tls) -> Item {
    let Tls { certificate, key, client_ca, roots } = tls;
    let file = |named: &Option<String>| named.clone().unwrap_or_else(|| "-".to_owned());
    Item::section(Kind::Tls)
        .with("证书", "certificate", file(certificate))
        .with("私钥", "key", file(key))
        .with("客户端 CA", "client CA", file(client_ca))
        .with("信任的根证书", "roots", file(roots))
}

fn limits(limits: &Limits) -> Item {
    let Limits { calls_max, durable_wait, drain_grace, call_max } = limits;
    Item::section(Kind::Limits)
        .with("同时通话数", "calls at once", calls_max)
        .fixed(Fixed::CallsMax)
        .with_span("等待落盘", "wait for the record", *durable_wait)
        .with_span("停机宽限", "grace at the end", *drain_grace)
        .with_span("最长通话", "longest call", *call_max)
}

fn recording(recording: &Recording) -> Item {
    let Recording { enabled, tracks, format, key, old_keys, retention, secret, notice } = recording;
    let format = match format {
        RecordingFormat::Wav => "wav",
        RecordingFormat::Flac => "flac",
    };
    Item::section(Kind::Recording)
        .with_switch("启用", "on", *enabled)
        .with_switch("分轨", "tracks", *tracks)
        .with("格式", "format", format)
        .with_text("加密", "encrypted", key.as_ref().map_or_else(in_the_clear, in_words))
        .with("旧密钥", "keys of before", row(old_keys.iter().map(place)))
        .with("保存期", "kept for", retention.keep.map_or_else(|| "-".to_owned(), |days| days.to_string()))
        .with("涉密代码", "secret codes", row(secret))
        .with("录音告知", "notice", notice.as_ref().map_or("-", |prompt| prompt.as_str()))
}

/// Terms of their own for some recordings.
pub(super) fn recording_class(class: &RecordingClass) -> Item {
    let RecordingClass { name, keep, lines, codes } = class;
    Item::named(Kind::RecordingClass, name)
        .with("保存期", "kept for", keep)
        .with("号码", "lines", row(lines))
        .with("代码", "codes", row(codes))
}

fn in_the_clear() -> Text {
    Text::new("否", "no")
}

/// Where a secret is; what it is stays there.
fn place(secret: &SecretRef) -> String {
    match secret {
        SecretRef::File(file) => file.clone(),
        SecretRef::Env(name) => format!("${name}"),
    }
}

fn in_words(key: &SecretRef) -> Text {
    Text::new(format!("用 {}", place(key)), format!("with {}", place(key)))
}

fn admin(admin: &Admin) -> Item {
    let Admin { http, metrics } = admin;
    let metrics = match metrics {
        Access::Open => Text::new("不限", "anybody"),
        Access::Token => Text::new("凭令牌", "with a token"),
    };
    Item::section(Kind::Admin)
        .with("HTTP 地址", "HTTP at", http.map_or_else(|| "-".to_owned(), |at| at.to_string()))
        .fixed(Fixed::Http)
        .with_text("指标", "metrics for", metrics)
}

fn trace(trace: &Trace) -> Item {
    let Trace { enabled, keep, keep_mib, hep, capture_id } = trace;
    Item::section(Kind::Trace)
        .with_switch("启用", "on", *enabled)
        .with_span("保存期", "kept for", *keep)
        .with("总量（MiB）", "MiB", keep_mib)
        .with("采集服务器", "collector", hep.map_or_else(|| "-".to_owned(), |at| at.to_string()))
        .with("采集编号", "capture id", capture_id)
}

fn security(security: &Security) -> Item {
    let Security {
        guesses,
        guess_span,
        wrong_tokens,
        wrong_token_every,
        messages_at_once,
        messages_per_second,
    } = security;
    Item::section(Kind::Security)
        .with("错误口令", "wrong passwords", guesses)
        .with_span("错误口令计数时间", "wrong passwords count for", *guess_span)
        .with("错误令牌", "wrong tokens", wrong_tokens)
        .with_span("再试令牌间隔", "one more token each", *wrong_token_every)
        .with("陌生地址一次的信令", "messages of a stranger at once", messages_at_once)
        .with("陌生地址每秒信令", "messages of a stranger a second", messages_per_second)
}

fn survey(survey: &Survey) -> Item {
    let Survey { enabled, wait, tries, reason } = survey;
    Item::section(Kind::Survey)
        .with_switch("启用", "on", *enabled)
        .with_span("等待按键", "wait", *wait)
        .with("遍数", "tries", tries)
        .with_switch("问原因", "asks why", *reason)
}

/// The months after cut-over, of the file or of a number.
pub(super) fn transition(item: Item, transition: &Transition) -> Item {
    let Transition { start, months, prompt, early_media, afterwards } = transition;
    let afterwards = match afterwards {
        Afterwards::Connect => Text::new("直接接入", "connected"),
        Afterwards::Release(cause) => {
            Text::new(format!("拒绝（{}）", cause.status()), format!("refused ({})", cause.status()))
        }
    };
    item.with("过渡期首日", "transition from", start)
        .with("过渡期月数", "months", months)
        .with("过渡期提示音", "transition prompt", prompt)
        .with_switch("接通前播放", "before the answer", *early_media)
        .with_text("期满之后", "afterwards", afterwards)
}

/// What holds for all callers and clerks.
pub(super) fn rules(plan: &Plan) -> Vec<Item> {
    let three_way = &plan.three_way;
    let ThreeWay { keys, hold_max, failed_prompt, tones, clerk_leaves, caller_leaves, third_leaves } =
        three_way;
    let keys = keys.iter().map(|(key, target)| format!("*{key} {target}"));
    let mut items = vec![
        Item::section(Kind::ThreeWay)
            .with("快捷键", "keys", row(keys))
            .with_span("最长保持", "longest hold", *hold_max)
            .with("失败提示音", "failed prompt", failed_prompt)
            .with_text("三方提示短音", "tones", super::three_way::tones(*tones))
            .with_text("座席离开三方", "clerk leaves three", super::three_way::clerk_leaves(*clerk_leaves))
            .with_text("来电人离开", "caller leaves", super::three_way::caller_leaves(*caller_leaves))
            .with_text("第三方离开", "third leaves", super::three_way::third_leaves(*third_leaves)),
        work(&plan.work),
        callers(&plan.callers),
        disposition(&plan.disposition),
        kpi::usual(&plan.kpi),
        missed(&plan.missed),
        follow_up(&plan.follow_up),
    ];
    items.extend(kpi::lines(&plan.kpi));
    items.extend(plan.calling.as_ref().map(calling));
    items
}

fn work(work: &Work) -> Item {
    let Work { away, wrap_up_max, rest, prefix, watch_prefix, observer_prompt } = work;
    let away = away.iter().map(|AwayReason { digit, name, most }| match most {
        Some(most) => format!("{digit} {name} ({})", duration(*most)),
        None => format!("{digit} {name}"),
    });
    Item::section(Kind::Work)
        .with("离席理由", "reasons for being away", row(away))
        .with_span("最长整理", "longest wrap-up", *wrap_up_max)
        .with_span("休息", "rest", *rest)
        .with("状态前缀", "prefix", prefix)
        .with("监听前缀", "watch prefix", watch_prefix)
        .with("监听提示音", "observer prompt", observer_prompt.as_ref().map_or("-", |prompt| prompt.as_str()))
}

fn callers(callers: &Callers) -> Item {
    let Callers {
        repeat_within,
        urgent_key,
        urgent_priority,
        center_priority,
        lanes: _,    // Things of their own.
        policies: _, // As well.
    } = callers;
    Item::section(Kind::Callers)
        .with_span("老来电人", "known within", *repeat_within)
        .with("紧急键", "urgent key", urgent_key.map_or_else(|| "-".to_owned(), |key| key.to_string()))
        .with("紧急优先级", "urgent priority", urgent_priority)
        .with("指挥中心优先级", "priority of centers", center_priority)
}

fn disposition(disposition: &Disposition) -> Item {
    let Disposition { fields, types, not_accepted, unsurveyed, immediate } = disposition;
    let at_once = immediate.iter().map(|Immediate { code, to, within }| {
        let to = to.as_ref().map_or("-", LineId::as_str);
        format!("{code} → {to} ({})", duration(*within))
    });
    let codes = |codes: &[Code]| row(codes.iter().map(|Code { code, name }| format!("{code} {name}")));
    Item::section(Kind::Disposition)
        .with("领域", "fields", codes(fields))
        .with("类型", "types", codes(types))
        .with("不受理", "not accepted", codes(not_accepted))
        .with("不考核满意度", "not surveyed", codes(unsurveyed))
        .with("立即交办", "handed on at once", row(at_once))
}

fn missed(missed: &Missed) -> Item {
    let Missed { enabled, after, keep, tries, again_after } = missed;
    Item::section(Kind::Missed)
        .with_switch("启用", "on", *enabled)
        .with_span("等候以上", "after", *after)
        .with_span("保留", "kept for", *keep)
        .with("次数", "tries", tries)
        .with_span("间隔", "again after", *again_after)
}

fn follow_up(follow_up: &FollowUp) -> Item {
    let FollowUp { enabled, percent, hours, tries, again_after, at_once } = follow_up;
    Item::section(Kind::FollowUp)
        .with_switch("启用", "on", *enabled)
        .with("百分比", "percent", percent)
        .with_text("时段", "hours", hours.words())
        .with("次数", "tries", tries)
        .with_span("间隔", "again after", *again_after)
        .with("同时呼叫", "at once", at_once)
}

fn calling(calling: &Calling) -> Item {
    let Calling { prefix, allowed, trunk, line, ring } = calling;
    Item::section(Kind::Calling)
        .with("中继", "by", trunk)
        .with("显示号码", "shown number", line)
        .with("许可开头", "allowed", row(allowed))
        .with("拨号前缀", "prefix", prefix)
        .with_span("振铃", "rings", *ring)
}
