//! Sections of the file, of which there is one each, described.

use super::super::diagnostic::Text;
use super::super::plan::{Afterwards, Plan, Purpose, RecordingFormat, SeatGreeting, Transition, Transport};
use super::describe::{Item, row};
use super::fixed::Fixed;
use super::kind::Kind;

/// Where and for whom.
pub(super) fn sections(plan: &Plan) -> Vec<Item> {
    let purpose = match plan.purpose {
        Purpose::Live => "live",
        Purpose::Bench => "bench",
    };
    let (city, limits, recording) = (&plan.city, &plan.limits, &plan.recording);
    let zone = city.time_zone.iana_name().unwrap_or("-");
    let list = plan.merge_list.map_or("-", |list| list.name);
    let format = match recording.format {
        RecordingFormat::Wav => "wav",
        RecordingFormat::Flac => "flac",
    };
    vec![
        Item::section(Kind::Purpose, &purpose).with("设为", "is", purpose),
        Item::section(Kind::City, &(city, list, &plan.retired))
            .with("名称", "name", &city.name)
            .with("区号", "area code", &city.area_code)
            .with("国家代码", "country code", &city.country_code)
            .with("时区", "time zone", zone)
            .fixed(Fixed::TimeZone)
            .with("归并清单", "merge list", list)
            .with("已取消的号码", "cancelled numbers", row(&plan.retired)),
        network(plan),
        Item::section(Kind::Tls, &plan.network.tls),
        Item::section(Kind::Limits, limits)
            .with("同时通话数", "calls at once", limits.calls_max)
            .fixed(Fixed::CallsMax)
            .with_span("等待落盘", "wait for the record", limits.durable_wait)
            .with_span("停机宽限", "grace at the end", limits.drain_grace)
            .with_span("最长通话", "longest call", limits.call_max),
        Item::section(Kind::Recording, recording)
            .with_switch("启用", "on", recording.enabled)
            .with_switch("分轨", "tracks", recording.tracks)
            .with("格式", "format", format),
        Item::section(Kind::Trace, &plan.trace)
            .with_switch("启用", "on", plan.trace.enabled)
            .with_span("保存期", "kept for", plan.trace.keep)
            .with("总量（MiB）", "MiB", plan.trace.keep_mib),
        Item::section(Kind::SeatGreeting, &plan.seat_greeting).with_text(
            "设为",
            "is",
            match plan.seat_greeting {
                SeatGreeting::Both => Text::new("双方都听到", "heard by both"),
                SeatGreeting::Silent => Text::new("不播报", "silent"),
            },
        ),
        Item::section(Kind::Survey, &plan.survey)
            .with_switch("启用", "on", plan.survey.enabled)
            .with_span("等待按键", "wait", plan.survey.wait)
            .with("遍数", "tries", plan.survey.tries)
            .with_switch("问原因", "asks why", plan.survey.reason),
        transition(Item::section(Kind::Transition, &plan.transition), &plan.transition),
        Item::section(Kind::HumanFirst, &plan.human_first)
            .with_span("最长用时", "longest", plan.human_first.time_max)
            .with("最多按键", "presses", plan.human_first.presses_max),
        Item::section(Kind::Reload, &plan.watch).with_switch("自动重载", "by itself", plan.watch),
    ]
}

fn network(plan: &Plan) -> Item {
    let network = &plan.network;
    let listen = network.listen.iter().map(|listener| {
        let transport = match listener.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        };
        format!("{transport}:{}", listener.bind)
    });
    // Certificates are a section of their own.
    let bare = super::super::plan::Network { tls: super::super::plan::Tls::default(), ..network.clone() };
    Item::section(Kind::Network, &bare)
        .with("监听", "listens", row(listen))
        .fixed(Fixed::Listen)
        .with("RTP 端口", "RTP ports", format!("{}-{}", network.rtp_ports.0, network.rtp_ports.1))
        .fixed(Fixed::RtpPorts)
        .with("域名", "domain", &network.domain)
        .with_span("失联判断", "silence", network.silence_max)
        .with_span("静音判断", "mute", network.mute_max)
        .with_span("单通判断", "one way", network.one_way_max)
        .with_span("会话定时", "session timer", network.session_expires)
        .with("域名服务器", "name servers", row(&network.dns))
}

/// The months after cut-over, of the file or of a number.
pub(super) fn transition(item: Item, transition: &Transition) -> Item {
    let afterwards = match transition.afterwards {
        Afterwards::Connect => Text::new("直接接入", "connected"),
        Afterwards::Release => Text::new("拒绝", "refused"),
    };
    item.with("过渡期首日", "transition from", transition.start)
        .with("过渡期月数", "months", transition.months)
        .with("过渡期提示音", "transition prompt", &transition.prompt)
        .with_switch("接通前播放", "before the answer", transition.early_media)
        .with_text("期满之后", "afterwards", afterwards)
}

/// What holds for all callers and clerks.
pub(super) fn rules(plan: &Plan) -> Vec<Item> {
    let (three_way, work, callers) = (&plan.three_way, &plan.work, &plan.callers);
    let keys = three_way.keys.iter().map(|(key, target)| format!("*{key} {target}"));
    let away = work.away.iter().map(|reason| format!("{} {}", reason.digit, reason.name));
    let (missed, follow_up) = (&plan.missed, &plan.follow_up);
    // Lanes and policies are things of their own.
    let bare = super::super::callers::Callers {
        lanes: Vec::new(),
        policies: super::super::callers::ByCaller::default(),
        ..callers.clone()
    };
    let urgent = callers.urgent_key.map_or_else(|| "-".to_owned(), |key| key.to_string());
    let mut items = vec![
        Item::section(Kind::ThreeWay, three_way)
            .with("快捷键", "keys", row(keys))
            .with_span("最长保持", "longest hold", three_way.hold_max)
            .with("失败提示音", "failed prompt", &three_way.failed_prompt),
        Item::section(Kind::Work, work)
            .with("离席理由", "reasons for being away", row(away))
            .with_span("最长整理", "longest wrap-up", work.wrap_up_max)
            .with_span("休息", "rest", work.rest)
            .with("状态前缀", "prefix", &work.prefix)
            .with("监听前缀", "watch prefix", &work.watch_prefix),
        Item::section(Kind::Callers, &bare)
            .with_span("老来电人", "known within", callers.repeat_within)
            .with("紧急键", "urgent key", urgent)
            .with("紧急优先级", "urgent priority", callers.urgent_priority)
            .with("指挥中心优先级", "priority of centers", callers.center_priority),
        Item::section(Kind::Disposition, &plan.disposition),
        Item::section(Kind::Missed, missed)
            .with_switch("启用", "on", missed.enabled)
            .with_span("等候以上", "after", missed.after)
            .with_span("保留", "kept for", missed.keep)
            .with("次数", "tries", missed.tries)
            .with_span("间隔", "again after", missed.again_after),
        Item::section(Kind::FollowUp, follow_up)
            .with_switch("启用", "on", follow_up.enabled)
            .with("百分比", "percent", follow_up.percent)
            .with_text("时段", "hours", follow_up.hours.words()),
    ];
    if let Some(calling) = &plan.calling {
        items.push(
            Item::section(Kind::Calling, calling)
                .with("中继", "by", &calling.trunk)
                .with("显示号码", "shown number", &calling.line)
                .with("许可开头", "allowed", row(&calling.allowed)),
        );
    }
    items
}
