//! All that a run found, put together at its end.

use std::collections::BTreeMap;

use super::floor::Floor;
use super::judge::Verdicts;
use super::line::InLine;
use super::mix::Kind;
use super::offers::Offers;
use super::plan::{FarSide, Plan, Scenario};
use super::report::{
    Calls, KindCount, Latencies, Machine, Queue, Report, SCHEMA, Server, ServerOffer, Spread, ThreeWay, Tool,
    Verdict, Window,
};
use super::seconds::Seconds;

/// More of its core, and the tool itself stood in the way, percent.
const OWN_CPU_MAX: f64 = 85.0;

/// The report of a run that is over.
pub fn summary(mut floor: Floor, verdicts: Verdicts, mut seconds: Seconds) -> Report {
    let rows = std::mem::take(&mut seconds.rows);
    let offers = std::mem::take(&mut seconds.offers);
    drop(seconds); // It ends its line at the terminal.
    let measured_s = floor.ended.since(floor.measured_from).as_secs_f64();
    let measured: Vec<_> = rows.iter().filter(|row| !row.warm_up).collect();
    // The last rows, in which calls only end, are no load.
    let loaded = &measured[..measured.len().min(measured_s.ceil() as usize)];
    let of = |values: Vec<f64>| {
        let most = values.iter().copied().reduce(f64::max);
        (most.map(|_| values.iter().sum::<f64>() / values.len() as f64), most)
    };
    let (own_mean, own_max) = of(loaded.iter().filter_map(|row| row.tool_cpu_percent).collect());
    let server = floor.plan.watched.as_ref().map(|_| {
        let (mean, most) = of(loaded.iter().filter_map(|row| row.server_cpu_percent).collect());
        let memory = of(measured.iter().filter_map(|row| row.server_memory_mib).collect());
        Server { cpu_percent_mean: mean, cpu_percent_max: most, memory_mib_max: memory.1 }
    });
    let mut calls = std::mem::take(&mut floor.figures.calls);
    if matches!(floor.plan.far, FarSide::None) {
        calls.unpaired = 0;
    }
    let tool = Tool {
        cpu_percent_mean: own_mean,
        cpu_percent_max: own_max,
        moved_by: floor.streams.name().to_owned(),
        start_late_ms: Spread::of(&floor.figures.start_late),
        send_late_ms: Spread::of(&floor.streams.send_late),
        packets_skipped: floor.streams.skipped,
        refused: floor.streams.refused() + floor.lobby.refused(),
        was_bottleneck: false,
    };
    let rtp = floor.figures.rtp(&floor.streams.gaps);
    let mut parameters = floor.plan.parameters.clone();
    parameters.entry("target".into()).or_insert_with(|| floor.plan.target.to_string());
    parameters.insert("seed".into(), floor.plan.seed.to_string());
    parameters.insert("address".into(), floor.ip().to_string());
    let mut report = Report {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        began: floor.began_wall.to_string(),
        machine: machine(),
        parameters,
        window: Window {
            warm_up_s: floor.plan.warm_up.as_secs_f64(),
            measured_s,
            stopped_early: floor.stopped_early,
        },
        latency_ms: Latencies {
            ringing: Spread::of(&floor.figures.ringing),
            setup: Spread::of(&floor.figures.setup),
            post_dial: Spread::of(&floor.figures.post_dial),
            bye: Spread::of(&floor.figures.bye),
            first_rtp: Spread::of(&floor.streams.first),
        },
        queue: floor.plan.mix.waits().then(|| queue(&floor.line, &calls, &floor, &offers)),
        three_way: three_way(&mut floor, &verdicts),
        kinds: kinds(&floor),
        calls,
        rtp,
        sound: verdicts.all,
        server,
        tool,
        warnings: Vec::new(),
        thresholds: Vec::new(),
        passed: false,
        seconds: rows,
    };
    report.warnings = warnings(&mut report, &floor);
    report.thresholds = floor
        .plan
        .thresholds
        .iter()
        .map(|threshold| {
            let (found, kept) = threshold.judge(&report);
            Verdict { rule: threshold.text.clone(), found, kept }
        })
        .collect();
    report.passed = floor.figures.answered_ever > 0 && report.thresholds.iter().all(|verdict| verdict.kept);
    report
}

/// The line, as it was seen from outside and by the server itself.
fn queue(line: &InLine, calls: &Calls, floor: &Floor, offers: &Offers) -> Queue {
    let gave_up = floor.figures.kinds.get(Kind::Abandon.name()).map_or(0, |kind| kind.abandoned);
    let heard_only = floor.figures.kinds.get(Kind::Prompt.name()).map_or(0, |kind| kind.answered);
    let meant = calls.answered.saturating_sub(gave_up + heard_only);
    let (seats, seat_calls_min, seat_calls_max) = line.fairness();
    Queue {
        served: line.served,
        served_share: (meant > 0).then(|| line.served as f64 / meant as f64),
        abandoned: line.abandoned,
        turned_away: line.turned_away,
        overtaken: line.overtaken,
        not_released: line.not_released,
        wait_ms: Spread::of(&line.waits),
        offer_ms: Spread::of(&line.offers),
        server_offer: (offers.count() > 0).then(|| ServerOffer {
            count: offers.count(),
            p50_ms: offers.at_quantile_ms(0.5),
            p99_ms: offers.at_quantile_ms(0.99),
        }),
        seats,
        seat_calls_min,
        seat_calls_max,
    }
}

fn three_way(floor: &mut Floor, verdicts: &Verdicts) -> Option<ThreeWay> {
    if !floor.plan.mix.has(Kind::ThreeWay) {
        return None;
    }
    let three = &mut floor.figures.three;
    let failures = std::mem::take(&mut three.failures);
    Some(ThreeWay {
        asked: three.asked,
        merged: three.merged,
        finished: three.finished,
        failed: failures.values().sum(),
        failures,
        consult_ms: Spread::of(&three.consult),
        sound: verdicts.three,
    })
}

fn kinds(floor: &Floor) -> BTreeMap<String, KindCount> {
    let Plan { scenario: Scenario::MixedDay, .. } = &floor.plan else { return BTreeMap::new() };
    floor.figures.kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

fn warnings(report: &mut Report, floor: &Floor) -> Vec<String> {
    let mut warnings = Vec::new();
    let tool = &mut report.tool;
    if let Some(most) = tool.cpu_percent_max.filter(|most| *most > OWN_CPU_MAX) {
        tool.was_bottleneck = true;
        warnings.push(format!(
            "本工具自身用到一个核的 {most:.0}%：结果可能受它限制 / the tool itself used {most:.0} % of its core: \
             the figures may be its own"
        ));
    }
    let late_max = floor.plan.late_max.as_secs_f64() * 1e3;
    for (what, spread) in
        [("发起通话 / begin calls", &tool.start_late_ms), ("发包 / send packets", &tool.send_late_ms)]
    {
        if let Some(late) = spread.p99.filter(|late| *late > late_max) {
            tool.was_bottleneck = true;
            warnings.push(format!("本工具迟了 / the tool was late to {what}: p99 {late:.1} ms"));
        }
    }
    if tool.packets_skipped > 0 {
        tool.was_bottleneck = true;
        let count = tool.packets_skipped;
        warnings.push(format!("本工具来不及，少发 {count} 包 / too late for {count} packets, not sent"));
    }
    if tool.refused > 0 {
        let count = tool.refused;
        warnings.push(format!("内核不收 {count} 包 / the kernel did not take {count} packets"));
    }
    let calls = &report.calls;
    if calls.not_started > 0 {
        let count = calls.not_started;
        warnings.push(format!(
            "同时通话已满，应发的 {count} 路没有发 / --calls-max was reached: {count} calls were due and not begun"
        ));
    }
    if calls.unpaired > 0 {
        let count = calls.unpaired;
        warnings.push(format!(
            "{count} 路没有接到本工具的对端，或主叫号码没有送到，声音未判 / {count} calls never met our far side, or \
             without their number: their sound was not judged"
        ));
    }
    if floor.figures.answered_ever == 0 {
        warnings.push("无一接通 / no call was answered".to_owned());
    }
    warnings
}

fn machine() -> Machine {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
        line.map(|value| value.trim().to_owned()).unwrap_or_default()
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    Machine {
        processor: field(&read("/proc/cpuinfo"), "model name"),
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get()),
        memory_mib: memory.split(' ').next().and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) / 1_024,
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
    }
}
