//! What a run found, as it is written to `--json`; its shape is published in
//! `contract/load-report.schema.json`.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub schema: u32,
    pub version: String,
    /// RFC 3339.
    pub began: String,
    pub machine: Machine,
    /// The command line, by its long names.
    pub parameters: BTreeMap<String, String>,
    pub window: Window,
    pub calls: Calls,
    pub latency_ms: Latencies,
    pub rtp: Rtp,
    pub sound: Sound,
    /// Where callers wait for seats.
    pub queue: Option<Queue>,
    /// Where clerks ask a third party in.
    pub three_way: Option<ThreeWay>,
    /// Calls by their kinds, where there are several.
    pub kinds: BTreeMap<String, KindCount>,
    pub server: Option<Server>,
    pub tool: Tool,
    pub warnings: Vec<String>,
    pub thresholds: Vec<Verdict>,
    pub passed: bool,
    pub seconds: Vec<Second>,
}

#[derive(Debug, Default, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_mib: u64,
    pub kernel: String,
}

/// Which part of the run the figures are of.
#[derive(Debug, Default, Serialize)]
pub struct Window {
    pub warm_up_s: f64,
    pub measured_s: f64,
    /// By a signal.
    pub stopped_early: bool,
}

/// Calls due after the warm-up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Calls {
    pub attempted: u64,
    pub answered: u64,
    pub failed: u64,
    /// By SIP status, or by what happened instead of one.
    pub failures: BTreeMap<String, u64>,
    /// Ended by the server before their time.
    pub cut_off: u64,
    /// BYEs that were not answered with 200.
    pub bye_failed: u64,
    /// Due while `--calls-max` calls were up: not begun, and not counted as attempted.
    pub not_started: u64,
    /// Calls at once, warm-up included.
    pub peak: u64,
    /// Calls that our own far side took.
    pub far_answered: u64,
    /// Calls that never met our far side, or not under the number that they called from.
    pub unpaired: u64,
}

/// Milliseconds, counted from when a call, or its end, was due.
#[derive(Debug, Default, Serialize)]
pub struct Latencies {
    /// INVITE to 180.
    pub ringing: Spread,
    /// INVITE to 200.
    pub setup: Spread,
    /// INVITE to the first sign of life for the caller: 180, 183 or 200.
    pub post_dial: Spread,
    /// BYE to 200.
    pub bye: Spread,
    /// 200 to the first RTP packet.
    pub first_rtp: Spread,
}

/// `None` where nothing was measured.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Spread {
    pub count: u64,
    pub min: Option<f64>,
    pub mean: Option<f64>,
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub p99: Option<f64>,
    pub p999: Option<f64>,
    pub max: Option<f64>,
}

impl Spread {
    /// Of microseconds, in milliseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        Spread::scaled(histogram, 1_000.0)
    }

    /// Of anything, divided by `scale`.
    pub fn scaled(histogram: &Histogram<u64>, scale: f64) -> Self {
        if histogram.is_empty() {
            return Spread::default();
        }
        let at = |quantile| Some(histogram.value_at_quantile(quantile) as f64 / scale);
        Spread {
            count: histogram.len(),
            min: Some(histogram.min() as f64 / scale),
            mean: Some(histogram.mean() / scale),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: Some(histogram.max() as f64 / scale),
        }
    }
}

/// All legs, those of our own far side included, after the warm-up.
#[derive(Debug, Default, Serialize)]
pub struct Rtp {
    pub legs: u64,
    pub sent: u64,
    pub received: u64,
    pub expected: u64,
    pub lost: u64,
    pub loss_share: Option<f64>,
    pub out_of_order: u64,
    pub duplicates: u64,
    pub late: u64,
    pub other_payload: u64,
    pub strangers: u64,
    pub garbage: u64,
    pub ssrc_changes: u64,
    /// From one packet to the next, within a talkspurt.
    pub gap_ms: Spread,
    /// One value per leg.
    pub jitter_ms: Spread,
    /// One value per leg.
    pub mos: Spread,
    /// Calls whose sound went one way only.
    pub one_way: u64,
    /// Legs of a second and longer that heard nothing.
    pub no_rtp: u64,
}

/// The sample of legs whose sound was judged.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Sound {
    pub sampled: u64,
    pub right: u64,
    pub wrong: u64,
    pub none: u64,
    /// Too short to tell, never connected, or more than could be kept.
    pub unjudged: u64,
}

/// Callers in line, and the seats that served them.
#[derive(Debug, Default, Serialize)]
pub struct Queue {
    /// Reached a seat.
    pub served: u64,
    /// Of those who were answered and did not mean to give up.
    pub served_share: Option<f64>,
    /// Gave up unasked, after `--wait`.
    pub abandoned: u64,
    /// Sent away by the server without a seat.
    pub turned_away: u64,
    /// Passed by somebody who came later.
    pub overtaken: u64,
    /// Their clerk had hung up, and the server did not end the call in time.
    pub not_released: u64,
    /// From a caller's answer to the seat's.
    pub wait_ms: Spread,
    /// From when a seat was free (`--wrap-up` after its BYE was due) for a caller in line to its INVITE.
    pub offer_ms: Spread,
    /// The same and more by the server's own histogram, from `--server-metrics`.
    pub server_offer: Option<ServerOffer>,
    pub seats: u64,
    /// The fewest calls of a seat, and the most, warm-up included.
    pub seat_calls_min: u64,
    pub seat_calls_max: u64,
}

/// `hotline_offer_delay_seconds` of the whole run, warm-up included; milliseconds by its buckets.
#[derive(Debug, Default, Serialize)]
pub struct ServerOffer {
    pub count: u64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

/// Three-way calls.
#[derive(Debug, Default, Serialize)]
pub struct ThreeWay {
    /// Clerks who asked a third party in.
    pub asked: u64,
    /// All three talked.
    pub merged: u64,
    /// To their end, with the two who remained.
    pub finished: u64,
    pub failed: u64,
    /// By what did not come about.
    pub failures: BTreeMap<String, u64>,
    /// From the last key to the third party's INVITE.
    pub consult_ms: Spread,
    /// Legs of three who talked: each should hear the two others.
    pub sound: Sound,
}

/// Calls of one kind, of those that were due after the warm-up.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct KindCount {
    pub attempted: u64,
    pub answered: u64,
    pub failed: u64,
    /// Reached a seat.
    pub served: u64,
    /// Gave up in line.
    pub abandoned: u64,
}

/// The server, by `--server-pid` or `--server-metrics`, after the warm-up.
#[derive(Debug, Default, Serialize)]
pub struct Server {
    /// Of one core.
    pub cpu_percent_mean: Option<f64>,
    pub cpu_percent_max: Option<f64>,
    pub memory_mib_max: Option<f64>,
}

/// The tool itself.
#[derive(Debug, Default, Serialize)]
pub struct Tool {
    /// Of one core: the thread that moves everything.
    pub cpu_percent_mean: Option<f64>,
    pub cpu_percent_max: Option<f64>,
    /// How packets are moved.
    pub moved_by: String,
    /// How late calls were begun, milliseconds.
    pub start_late_ms: Spread,
    /// How late packets were sent, milliseconds.
    pub send_late_ms: Spread,
    /// Packets that were not sent because the tool was too late for them.
    pub packets_skipped: u64,
    /// Packets and messages that the kernel did not take.
    pub refused: u64,
    /// The figures may be the tool's own.
    pub was_bottleneck: bool,
}

#[derive(Debug, Serialize)]
pub struct Verdict {
    pub rule: String,
    pub found: Option<f64>,
    pub kept: bool,
}

/// One row of `--csv`, and one point of each plot.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Second {
    /// Since the run began, at the row's end.
    pub at_s: u64,
    pub warm_up: bool,
    pub attempted: u64,
    pub answered: u64,
    pub failed: u64,
    /// Up at the row's end.
    pub calls: u64,
    pub setup_p50_ms: Option<f64>,
    pub setup_p99_ms: Option<f64>,
    pub post_dial_p50_ms: Option<f64>,
    pub post_dial_p99_ms: Option<f64>,
    /// In line at the row's end.
    pub waiting: u64,
    /// Callers who reached a seat.
    pub served: u64,
    pub rtp_sent: u64,
    pub rtp_received: u64,
    pub rtp_lost: u64,
    pub gap_p99_ms: Option<f64>,
    pub gap_max_ms: Option<f64>,
    /// By this second's loss and its mean jitter.
    pub mos: Option<f64>,
    pub server_cpu_percent: Option<f64>,
    pub server_memory_mib: Option<f64>,
    pub tool_cpu_percent: Option<f64>,
}
