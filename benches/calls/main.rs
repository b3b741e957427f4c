//! What a call costs the engine: its own binary under real calls over loopback, its CPU by user +
//! system time, every sound asserted. Not Criterion: the process under test is another one.
//!
//!     cargo bench --bench calls                     S1, S2, S3, S3R and S4
//!     cargo bench --bench calls -- S3 --calls 400   one of them
//!     cargo bench --bench calls -- --rows FILE      the figures as tab-separated lines as well
//!
//! `HOTLINE_BIN` names another build of the engine: `tools/compare` runs two in turn.
//!
//! S1 needs SIPp for its callers, S3 and S3R need it as the far end (`tools/test` installs it).
//! Each row ends with a ratio to what the bare kernel takes for the same datagrams in this run.

mod engine;
mod floor;
mod rows;
mod signalling;
mod sound;

use std::time::Duration;

/// What is measured.
#[derive(Clone, Copy, Debug)]
struct Load {
    /// Calls up at a time (S2, S3, S3R, S4).
    calls: usize,
    /// How long the engine is watched once all calls are up.
    watched: Duration,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let named = |name: &str| {
        let next = words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
        next.map(|word| word.parse().unwrap_or_else(|_| panic!("{name} wants a number, not {word}")))
    };
    let load = Load {
        calls: named("--calls").unwrap_or(200),
        watched: Duration::from_secs(named("--seconds").unwrap_or(20) as u64),
    };
    let wanted = |name: &str| {
        let mut scenarios = words.iter().filter(|word| word.starts_with('S')).peekable();
        scenarios.peek().is_none() || scenarios.any(|word| word == name)
    };
    let floor = floor::measure();
    let path = words.iter().position(|word| word == "--rows").and_then(|at| words.get(at + 1));
    let mut rows = rows::Rows::new(path.map(std::path::Path::new));
    rows.add("kernel", "µs for one datagram in and one out", floor.micros());
    if wanted("S1") {
        for rate in [100, 500, 1_000] {
            signalling::measure(rate, &floor, &mut rows);
        }
    }
    for scenario in sound::SCENARIOS {
        if wanted(scenario.name) {
            sound::measure(&scenario, load, &floor, &mut rows);
        }
    }
}
