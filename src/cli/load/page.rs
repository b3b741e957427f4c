//! `--html`: one page that needs nothing else, in Chinese and English.

use std::fmt::Write;

use super::plot::{Curve, escape, plot};
use super::report::{Report, Second, Spread};

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\"/>\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>hotline load</title><style>\
body{font:15px/1.5 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:980px;margin:2em auto;\
padding:0 1em;color:#1b1f24;background:#fff}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:\
1px solid #d5dae0}table{border-collapse:collapse;margin:.6em 0}td,th{padding:.2em .8em;text-align:right;border-bottom:\
1px solid #e6eaee}th:first-child,td:first-child{text-align:left}.ok{color:#0a7d38}.bad{color:#b3261e}\
.note{background:#fff6e0;padding:.4em .8em;border-left:4px solid #e0a800}figure{margin:1em 0}figcaption{font-weight:\
600}svg{width:100%;height:auto;background:#fafbfc;border:1px solid #e6eaee}svg text{font-size:11px;fill:#57606a}\
.grid{stroke:#e1e5ea}.warm{fill:#f0e9d8}path{fill:none;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}\
.key{margin:.2em 0;font-size:.85em}@media print{body{max-width:none}}</style></head><body>\n";

/// The page.
pub fn page(report: &Report) -> String {
    let mut page = String::from(HEAD);
    // Writing to a String cannot fail.
    let (class, word) =
        if report.passed { ("ok", "通过 / passed") } else { ("bad", "未通过 / not passed") };
    let _ = writeln!(
        page,
        "<h1>压测报告 / load report <span class=\"{class}\">{word}</span></h1><p>{} · hotline {} · {}</p>",
        escape(&report.began),
        escape(&report.version),
        escape(report.parameters.get("scenario").map_or("", String::as_str))
    );
    for warning in &report.warnings {
        let _ = writeln!(page, "<p class=\"note\">{}</p>", escape(warning));
    }
    if !report.thresholds.is_empty() {
        thresholds(&mut page, report);
    }
    figures(&mut page, report);
    waiting(&mut page, report);
    plots(&mut page, report);
    pairs(
        &mut page,
        "参数 / parameters",
        report.parameters.iter().map(|(name, value)| (name.as_str(), value.clone())),
    );
    let machine = &report.machine;
    let about = [
        ("处理器 / processor", machine.processor.clone()),
        ("核 / cores", machine.cores.to_string()),
        ("内存 / memory, MiB", machine.memory_mib.to_string()),
        ("内核 / kernel", machine.kernel.clone()),
        ("收发 / packets moved by", report.tool.moved_by.clone()),
    ];
    pairs(&mut page, "压测机 / the load tool's machine", about.into_iter());
    page + "</body></html>\n"
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
}

fn thresholds(page: &mut String, report: &Report) {
    *page += "<h2>界限 / bounds</h2><table><tr><th>界限 bound</th><th>实测 found</th><th></th></tr>";
    for verdict in &report.thresholds {
        let (class, word) = if verdict.kept { ("ok", "合 kept") } else { ("bad", "越界 beyond") };
        let found = verdict.found.map_or_else(|| "–".to_owned(), |found| format!("{found:.4}"));
        let rule = escape(&verdict.rule);
        let _ = write!(page, "<tr><td>{rule}</td><td>{found}</td><td class=\"{class}\">{word}</td></tr>");
    }
    *page += "</table>\n";
}

fn pairs<'a>(page: &mut String, title: &str, rows: impl Iterator<Item = (&'a str, String)>) {
    let _ = write!(page, "<h2>{}</h2><table>", escape(title));
    for (name, value) in rows {
        let _ = write!(page, "<tr><td>{}</td><td>{}</td></tr>", escape(name), escape(&value));
    }
    *page += "</table>\n";
}

fn figures(page: &mut String, report: &Report) {
    let (calls, rtp, sound) = (&report.calls, &report.rtp, &report.sound);
    let count = |value: u64| value.to_string();
    let mut rows = vec![
        ("计量 / measured, s", format!("{:.0}", report.window.measured_s)),
        ("发起 / attempted", count(calls.attempted)),
        ("接通 / answered", count(calls.answered)),
        ("失败 / failed", count(calls.failed)),
    ];
    let failures: Vec<(String, u64)> =
        calls.failures.iter().map(|(cause, count)| (format!("— {cause}"), *count)).collect();
    rows.extend(failures.iter().map(|(cause, failed)| (cause.as_str(), count(*failed))));
    rows.extend([
        ("被断 / cut off", count(calls.cut_off)),
        ("未发 / not begun", count(calls.not_started)),
        ("同时最多 / calls at once", count(calls.peak)),
    ]);
    if let Some(server) = &report.server {
        rows.push(("被测 CPU 均 / server's CPU, mean, % of a core", number(server.cpu_percent_mean)));
        rows.push(("被测 CPU 高 / max", number(server.cpu_percent_max)));
        rows.push(("被测内存 / server's memory, MiB", number(server.memory_mib_max)));
    }
    rows.push(("本工具 CPU 高 / the tool's CPU, max, % of a core", number(report.tool.cpu_percent_max)));
    pairs(page, "通话 / calls", rows.into_iter());
    *page += "<h2>时延，毫秒 / latency, ms</h2><p>自应发时刻起 / from when it was due</p><table><tr><th></th><th>n</th>\
        <th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th></tr>";
    let latency = &report.latency_ms;
    let (wait, offer) =
        report.queue.as_ref().map(|queue| (queue.wait_ms, queue.offer_ms)).unwrap_or_default();
    let consult = report.three_way.as_ref().map(|three| three.consult_ms).unwrap_or_default();
    let mut spreads: Vec<(&str, &Spread)> = vec![
        ("INVITE→180", &latency.ringing),
        ("INVITE→200", &latency.setup),
        ("拨号后 / post-dial", &latency.post_dial),
        ("BYE→200", &latency.bye),
        ("200→RTP", &latency.first_rtp),
        ("RTP 间隔 / gap", &rtp.gap_ms),
        ("抖动 / jitter", &rtp.jitter_ms),
        ("等候 / wait in line", &wait),
        ("空席→振铃 / free seat to its INVITE", &offer),
        ("按键→第三方 / key to the third party", &consult),
        ("本工具迟发起 / late starts of the tool", &report.tool.start_late_ms),
        ("本工具迟发包 / late packets of the tool", &report.tool.send_late_ms),
    ];
    spreads.retain(|(_, spread)| spread.count > 0);
    for (name, spread) in spreads {
        let cells: String = [spread.p50, spread.p90, spread.p99, spread.p999, spread.max]
            .map(|value| format!("<td>{}</td>", number(value)))
            .concat();
        let _ = write!(page, "<tr><td>{}</td><td>{}</td>{cells}</tr>", escape(name), spread.count);
    }
    *page += "</table>\n";
    if rtp.legs == 0 {
        return;
    }
    let loss = rtp.loss_share.map_or_else(|| "–".to_owned(), |share| format!("{:.4} %", share * 100.0));
    let rows = [
        ("发 / sent", count(rtp.sent)),
        ("收 / received", count(rtp.received)),
        ("丢 / lost", format!("{} ({loss})", rtp.lost)),
        ("乱序 / out of order", count(rtp.out_of_order)),
        ("重复 / duplicates", count(rtp.duplicates)),
        ("迟到 / late (> 60 ms)", count(rtp.late)),
        ("MOS 均 / mean", number(rtp.mos.mean)),
        ("MOS 低 / min", number(rtp.mos.min)),
        ("单通 / one way", count(rtp.one_way)),
        ("全无 / no RTP", count(rtp.no_rtp)),
        ("抽样 / sampled", count(sound.sampled)),
        ("正确 / right", count(sound.right)),
        ("错 / wrong", count(sound.wrong)),
        ("无声 / none", count(sound.none)),
        ("未判 / unjudged", count(sound.unjudged)),
    ];
    pairs(page, "RTP 与声音 / RTP and sound", rows.into_iter());
}

/// Queue, three-way calls and kinds, where there are any.
fn waiting(page: &mut String, report: &Report) {
    let count = |value: u64| value.to_string();
    if let Some(queue) = &report.queue {
        let share = queue.served_share.map(|share| share * 100.0);
        let mut rows = vec![
            ("座席接起 / served", count(queue.served)),
            ("接起率 / served, %", number(share)),
            ("放弃 / abandoned", count(queue.abandoned)),
            ("未接即送走 / turned away", count(queue.turned_away)),
            ("被后来者超过 / overtaken", count(queue.overtaken)),
            ("未释放 / not released", count(queue.not_released)),
            ("座席 / seats", count(queue.seats)),
            ("各席接听最少 / calls of a seat, fewest", count(queue.seat_calls_min)),
            ("最多 / most", count(queue.seat_calls_max)),
        ];
        if let Some(offer) = &queue.server_offer {
            rows.push(("空席→振铃，被测自计 / offer by the server itself, p50 ms", number(offer.p50_ms)));
            rows.push(("p99 ms", number(offer.p99_ms)));
        }
        pairs(page, "排队 / queue", rows.into_iter());
    }
    if let Some(three) = &report.three_way {
        let mut rows = vec![
            ("请第三方 / asked", count(three.asked)),
            ("三方都在 / merged", count(three.merged)),
            ("完成 / finished", count(three.finished)),
            ("失败 / failed", count(three.failed)),
            ("三方声音抽样 / sound of three, sampled", count(three.sound.sampled)),
            ("正确 / right", count(three.sound.right)),
        ];
        let failures: Vec<(String, u64)> =
            three.failures.iter().map(|(what, count)| (format!("— {what}"), *count)).collect();
        rows.extend(failures.iter().map(|(what, failed)| (what.as_str(), count(*failed))));
        pairs(page, "三方通话 / three-way calls", rows.into_iter());
    }
    if report.kinds.is_empty() {
        return;
    }
    *page += "<h2>各类来电 / kinds of calls</h2><table><tr><th></th><th>发起 attempted</th><th>接通 answered</th>\
        <th>失败 failed</th><th>座席接起 served</th><th>放弃 gave up</th></tr>";
    for (kind, it) in &report.kinds {
        let cells: String = [it.attempted, it.answered, it.failed, it.served, it.abandoned]
            .map(|value| format!("<td>{value}</td>"))
            .concat();
        let _ = write!(page, "<tr><td>{}</td>{cells}</tr>", escape(kind));
    }
    *page += "</table>\n";
}

fn plots(page: &mut String, report: &Report) {
    let rows = &report.seconds;
    let warm_up = rows.iter().filter(|row| row.warm_up).count();
    let curve = |name, colour, read: fn(&Second) -> Option<f64>| Curve {
        name,
        colour,
        values: rows.iter().map(read).collect(),
    };
    let (blue, red, green, grey) = ("#1f6feb", "#cf222e", "#1a7f37", "#8c959f");
    let mut draw = |title: &str, unit: &str, curves: &[Curve], least: f64| {
        // What was not measured is not drawn.
        if curves.iter().any(|curve| curve.values.iter().any(Option::is_some)) {
            *page += &plot(title, unit, curves, warm_up, least);
        }
    };
    draw(
        "通话 / calls",
        "",
        &[
            curve("同时 / at once", blue, |row| Some(row.calls as f64)),
            curve("每秒发起 / begun per second", green, |row| Some(row.attempted as f64)),
            curve("每秒失败 / failed per second", red, |row| Some(row.failed as f64)),
        ],
        0.0,
    );
    let in_line = report.queue.is_some();
    let of_line = |read: fn(&Second) -> u64| Curve {
        colour: "",
        name: "",
        values: rows.iter().map(|row| in_line.then(|| read(row) as f64)).collect(),
    };
    draw(
        "排队 / queue",
        "",
        &[
            Curve { name: "等候 / in line", colour: blue, ..of_line(|row| row.waiting) },
            Curve { name: "每秒接起 / served per second", colour: green, ..of_line(|row| row.served) },
        ],
        0.0,
    );
    draw(
        "接通 / setup, INVITE→200",
        "ms",
        &[curve("p99", red, |row| row.setup_p99_ms), curve("p50", blue, |row| row.setup_p50_ms)],
        0.0,
    );
    draw(
        "拨号后 / post-dial delay",
        "ms",
        &[curve("p99", red, |row| row.post_dial_p99_ms), curve("p50", blue, |row| row.post_dial_p50_ms)],
        0.0,
    );
    draw(
        "RTP 间隔 / gaps",
        "ms",
        &[curve("max", grey, |row| row.gap_max_ms), curve("p99", red, |row| row.gap_p99_ms)],
        0.0,
    );
    draw("MOS", "", &[curve("MOS", green, |row| row.mos)], 1.0);
    let loss = |row: &Second| {
        let due = row.rtp_received + row.rtp_lost;
        (due > 0).then(|| row.rtp_lost as f64 / due as f64 * 100.0)
    };
    draw("丢包 / loss", "%", &[curve("丢包 / loss", red, loss)], 0.0);
    draw(
        "CPU",
        "% 单核 / of a core",
        &[
            curve("被测 / server", blue, |row| row.server_cpu_percent),
            curve("本工具 / the tool", grey, |row| row.tool_cpu_percent),
        ],
        0.0,
    );
    draw("被测内存 / server's memory", "MiB", &[curve("RSS", blue, |row| row.server_memory_mib)], 0.0);
}

#[cfg(test)]
mod tests {
    use super::super::report::{KindCount, Queue, ServerOffer, ThreeWay};
    use super::*;

    #[test]
    fn the_page_is_whole_without_figures_and_with_hostile_ones() {
        let mut report = Report::default();
        assert!(page(&report).ends_with("</body></html>\n"));
        report.warnings.push("<script>".into());
        report.calls.failures.insert("<img>".into(), 3);
        report.seconds = vec![Second { setup_p99_ms: Some(3.0), ..Second::default() }; 5];
        let text = page(&report);
        assert!(!text.contains("<script>") && !text.contains("<img>"));
        assert_eq!(text.matches("<svg").count(), 2, "calls and setup; nothing else was measured");
        for tag in ["table", "figure", "svg", "p", "h2", "span"] {
            let opened =
                text.matches(&format!("<{tag}>")).count() + text.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, text.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        report.queue = Some(Queue { server_offer: Some(ServerOffer::default()), ..Queue::default() });
        let failures = [("<b>".to_owned(), 1)].into();
        report.three_way = Some(ThreeWay { failures, ..ThreeWay::default() });
        report.kinds.insert("<i>".into(), KindCount::default());
        let whole = page(&report);
        assert_eq!(whole.matches("<svg").count(), 3, "and the line");
        assert!(!whole.contains("<b>") && !whole.contains("<i>"));
        for word in ["接起率 / served", "三方通话 / three-way", "各类来电 / kinds"] {
            assert!(whole.contains(word), "{word}");
        }
        assert!(!text.contains("http://") && !text.contains("https://"), "nothing from elsewhere");
    }
}
