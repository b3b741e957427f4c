//! What is said at the end of a run, and the files that are written.

use std::path::Path;

use super::csv::csv;
use super::page::page;
use super::plan::Files;
use super::report::{Report, Spread};
use crate::cli::handset::say;

/// Writes what was asked for. The error is for the user.
pub fn write(report: &Report, files: &Files) -> Result<(), String> {
    if let Some(path) = &files.json {
        let text = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
        put(path, &(text + "\n"))?;
    }
    if let Some(path) = &files.csv {
        put(path, &csv(&report.seconds))?;
    }
    match &files.html {
        Some(path) => put(path, &page(report)),
        None => Ok(()),
    }
}

fn put(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text)
        .map_err(|error| format!("报告写不下来 / cannot write {}: {error}", path.display()))
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

fn spread(name: &str, spread: &Spread) {
    if spread.count == 0 {
        return;
    }
    let [p50, p90, p99, p999, max] =
        [spread.p50, spread.p90, spread.p99, spread.p999, spread.max].map(|value| number(value, 2));
    say(&format!("  {name}  p50 {p50}  p90 {p90}  p99 {p99}  p99.9 {p999}  max {max} ms"));
}

/// Queue, three-way calls and kinds, where there are any.
fn waiting(report: &Report) {
    for (kind, count) in &report.kinds {
        say(&format!(
            "  {kind}: 发起 attempted {}，接通 answered {}，失败 failed {}，座席接起 served {}，放弃 gave up {}",
            count.attempted, count.answered, count.failed, count.served, count.abandoned
        ));
    }
    if let Some(queue) = &report.queue {
        say(&format!(
            "排队 / queue: 座席接起 served {} ({}%)，放弃 abandoned {}，未接即送走 turned away {}，被后来者超过 overtaken {}，未释放 not released {}",
            queue.served,
            number(queue.served_share.map(|share| share * 100.0), 1),
            queue.abandoned,
            queue.turned_away,
            queue.overtaken,
            queue.not_released
        ));
        spread("等候 wait    ", &queue.wait_ms);
        spread("空席→振铃 offer", &queue.offer_ms);
        if let Some(offer) = &queue.server_offer {
            say(&format!(
                "  空席→振铃，被测自计 / offer, by the server itself: {} × p50 {}  p99 {} ms",
                offer.count,
                number(offer.p50_ms, 2),
                number(offer.p99_ms, 2)
            ));
        }
        say(&format!(
            "  座席 seats {}，各接 calls each: 最少 min {}  最多 max {}",
            queue.seats, queue.seat_calls_min, queue.seat_calls_max
        ));
    }
    if let Some(three) = &report.three_way {
        say(&format!(
            "三方 / three-way: 请 asked {}，三方都在 merged {}，完成 finished {}，失败 failed {}；三方声音 sound of three: 正确 right {}/{}",
            three.asked, three.merged, three.finished, three.failed, three.sound.right, three.sound.sampled
        ));
        for (what, count) in &three.failures {
            say(&format!("  失败 / failed: {count} × {what}"));
        }
        spread("按键→第三方 consult", &three.consult_ms);
    }
}

/// The figures in a screenful.
pub fn tell(report: &Report) {
    let (calls, rtp, sound) = (&report.calls, &report.rtp, &report.sound);
    say(&format!(
        "通话 / calls: 发起 attempted {}，接通 answered {}，失败 failed {}，被断 cut off {}，同时最多 peak {}（计量 measured {:.0} s）",
        calls.attempted, calls.answered, calls.failed, calls.cut_off, calls.peak, report.window.measured_s
    ));
    for (cause, count) in &calls.failures {
        say(&format!("  失败 / failed: {count} × {cause}"));
    }
    if calls.far_answered > 0 {
        say(&format!("  对端接听 / answered by our far side: {}", calls.far_answered));
    }
    waiting(report);
    say("时延，自应发时刻起 / latency, from when it was due:");
    spread("INVITE→180   ", &report.latency_ms.ringing);
    spread("INVITE→200   ", &report.latency_ms.setup);
    spread("拨号后 post-dial", &report.latency_ms.post_dial);
    spread("BYE→200      ", &report.latency_ms.bye);
    spread("200→RTP      ", &report.latency_ms.first_rtp);
    if rtp.legs > 0 {
        say(&format!(
            "RTP: 发 sent {}，收 received {}，丢 lost {} ({}%)，乱序 out of order {}，重复 duplicates {}，迟到 late {}",
            rtp.sent,
            rtp.received,
            rtp.lost,
            number(rtp.loss_share.map(|share| share * 100.0), 3),
            rtp.out_of_order,
            rtp.duplicates,
            rtp.late
        ));
        spread("间隔 gap     ", &rtp.gap_ms);
        spread("抖动 jitter  ", &rtp.jitter_ms);
        say(&format!(
            "  MOS  均 mean {}  低 min {}；单通 one way {}，全无 no RTP {}",
            number(rtp.mos.mean, 2),
            number(rtp.mos.min, 2),
            rtp.one_way,
            rtp.no_rtp
        ));
        say(&format!(
            "声音抽样 / sound sampled: {}，正确 right {}，错 wrong {}，无声 none {}，未判 unjudged {}",
            sound.sampled, sound.right, sound.wrong, sound.none, sound.unjudged
        ));
    }
    if let Some(server) = &report.server {
        say(&format!(
            "被测 / server: CPU 均 mean {}%  高 max {}%；内存 memory {} MiB",
            number(server.cpu_percent_mean, 1),
            number(server.cpu_percent_max, 1),
            number(server.memory_mib_max, 1)
        ));
    }
    say(&format!(
        "本工具 / the tool: CPU 均 mean {}%  高 max {}%（{}）；迟 late: 发起 starts p99 {} ms，发包 packets p99 {} ms",
        number(report.tool.cpu_percent_mean, 1),
        number(report.tool.cpu_percent_max, 1),
        report.tool.moved_by,
        number(report.tool.start_late_ms.p99, 2),
        number(report.tool.send_late_ms.p99, 2)
    ));
    for warning in &report.warnings {
        say(&format!("注意 / note: {warning}"));
    }
    for verdict in &report.thresholds {
        let word = if verdict.kept { "合 / kept" } else { "越界 / beyond" };
        say(&format!("界限 / bound {}: {} — {word}", verdict.rule, number(verdict.found, 4)));
    }
}
