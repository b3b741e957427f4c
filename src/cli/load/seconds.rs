//! The run second by second: the rows of the reports, and the line that shows how it goes.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::figures::Figures;
use super::line::InLine;
use super::offers::Offers;
use super::report::Second;
use super::server::Watch;
use super::streams::Sum;
use crate::phone::stream::mos;
use crate::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
/// Rows that are kept; of a longer run, those of its last day.
const ROWS_MAX: usize = 86_400;
/// What lies between mouth and ear beside network and jitter buffer, milliseconds.
const PACKET_MS: f64 = 20.0;

pub struct Seconds {
    pub rows: Vec<Second>,
    closed: u32,
    before: Sum,
    cpu_before: Option<u64>,
    at_before: Option<std::time::Instant>,
    watch: Option<Watch>,
    /// The server's offers as they were last seen.
    pub offers: Offers,
    shown: bool,
}

impl Seconds {
    pub fn new(watch: Option<Watch>, quiet: bool) -> Self {
        Seconds {
            rows: Vec::new(),
            closed: 0,
            before: Sum::default(),
            cpu_before: thread_cpu_ns(),
            at_before: Some(std::time::Instant::now()),
            watch,
            offers: Offers::default(),
            shown: !quiet && std::io::stderr().is_terminal(),
        }
    }

    /// When the second under way is over.
    pub fn due(&self, began: Instant) -> Instant {
        began + SECOND * (self.closed + 1)
    }

    /// The counters begin at zero again.
    pub fn count_anew(&mut self) {
        self.before = Sum::default();
    }

    /// Makes a row of what came about since the last.
    pub fn close(
        &mut self,
        figures: &mut Figures,
        sum: &Sum,
        gaps: &mut Histogram<u64>,
        calls: u64,
        line: &mut InLine,
        warm_up: bool,
    ) {
        self.closed += 1;
        let now = &mut figures.now;
        let at = |histogram: &Histogram<u64>, quantile| {
            (!histogram.is_empty()).then(|| histogram.value_at_quantile(quantile) as f64 / 1_000.0)
        };
        let since = |part: fn(&Sum) -> u64| part(sum).saturating_sub(part(&self.before));
        let expected = since(|sum| sum.expected);
        let missed = since(|sum| sum.lost) + since(|sum| sum.late);
        let jitter_ms = sum.jitter.as_secs_f64() * 1e3 / f64::from(sum.legs.max(1));
        let taken = self.watch.as_ref().and_then(Watch::latest);
        if let Some(taken) = &taken {
            self.offers.clone_from(&taken.offers);
        }
        let row = Second {
            at_s: u64::from(self.closed),
            warm_up,
            attempted: now.attempted,
            answered: now.answered,
            failed: now.failed,
            calls,
            setup_p50_ms: at(&now.setup, 0.5),
            setup_p99_ms: at(&now.setup, 0.99),
            post_dial_p50_ms: at(&now.post_dial, 0.5),
            post_dial_p99_ms: at(&now.post_dial, 0.99),
            waiting: line.len() as u64,
            served: std::mem::take(&mut line.served_now),
            rtp_sent: since(|sum| sum.sent),
            rtp_received: since(|sum| sum.received),
            rtp_lost: since(|sum| sum.lost),
            gap_p99_ms: at(gaps, 0.99),
            gap_max_ms: at(gaps, 1.0),
            mos: (expected > 0).then(|| mos(missed as f64 / expected as f64, PACKET_MS + 2.0 * jitter_ms)),
            server_cpu_percent: taken.as_ref().map(|taken| taken.cpu_percent),
            server_memory_mib: taken.as_ref().map(|taken| taken.memory_mib),
            tool_cpu_percent: self.own_cpu(),
        };
        (now.attempted, now.answered, now.failed) = (0, 0, 0);
        now.setup.reset();
        now.post_dial.reset();
        gaps.reset();
        self.before = *sum;
        if self.shown {
            show(&row);
        }
        if self.rows.len() == ROWS_MAX {
            self.rows.remove(0);
        }
        self.rows.push(row);
    }

    /// Of this thread, since last asked, percent of a core.
    fn own_cpu(&mut self) -> Option<f64> {
        let (cpu, at) = (thread_cpu_ns(), std::time::Instant::now());
        let before = (std::mem::replace(&mut self.cpu_before, cpu), self.at_before.replace(at));
        let (Some(cpu), (Some(cpu_before), Some(at_before))) = (cpu, before) else { return None };
        let span = (at - at_before).as_nanos() as f64;
        (span > 0.0).then(|| cpu.saturating_sub(cpu_before) as f64 / span * 100.0)
    }
}

impl Drop for Seconds {
    fn drop(&mut self) {
        if self.shown {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn thread_cpu_ns() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split_whitespace().next()?.parse().ok()
}

/// One line that is written over each second.
fn show(row: &Second) {
    let number = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
    };
    let mut text = format!(
        "{:>5}s{} 通话 calls {} +{}/s 接通 ok {} 失败 fail {} | 200 p99 {} ms | RTP {}/{} 丢 lost {} gap p99 {} ms MOS {} | CPU 本 own {}%",
        row.at_s,
        if row.warm_up { " 预热 warm-up" } else { "" },
        row.calls,
        row.attempted,
        row.answered,
        row.failed,
        number(row.setup_p99_ms, 1),
        row.rtp_received,
        row.rtp_sent,
        row.rtp_lost,
        number(row.gap_p99_ms, 1),
        number(row.mos, 2),
        number(row.tool_cpu_percent, 0),
    );
    if row.waiting > 0 || row.served > 0 {
        text += &format!(" 排队 in line {} 接起 served {}", row.waiting, row.served);
    }
    if let (Some(cpu), Some(memory)) = (row.server_cpu_percent, row.server_memory_mib) {
        text += &format!(" 被测 server {cpu:.0}% {memory:.0} MiB");
    }
    let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
}
