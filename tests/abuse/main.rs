//! What happens to an honest caller while somebody floods the engine, over real UDP.
//!
//! Loopback addresses stand for the parties: 127.0.0.2 is the carrier, 127.0.0.3 a trunk gone wild,
//! 127.0.0.66 a stranger.

mod caller;
#[path = "../sinks/engine.rs"]
mod engine;
mod flood;
mod injection;

use std::path::Path;
use std::time::{Duration, Instant};

use caller::Caller;
use engine::Engine;
use flood::Flood;

/// Calls that the honest caller makes one after another while the flood runs.
const CALLS: usize = 12;

/// The plan for load tools, with the parties above for its trunks.
fn plan() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plan = std::fs::read_to_string(root.join("tools/bench.toml")).unwrap();
    let prompts = root.join("prompts/prompts.toml");
    let edits = [
        ("sources = [\"127.0.0.0/8\", \"::1/128\"]", "sources = [\"127.0.0.2/32\"]"),
        ("calls_max = 5000", "calls_max = 1000"),
        ("prompts = \"../prompts/prompts.toml\"", &format!("prompts = {prompts:?}")),
    ];
    let plan = edits.into_iter().fold(plan, |plan, (from, to)| {
        assert!(plan.contains(from), "the plan for load tools has no {from}");
        plan.replace(from, to)
    });
    format!("{plan}\n[[trunk]]\nname = \"wild\"\nsources = [\"127.0.0.3/32\"]\ncalls_max = 100\n")
}

fn figure(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

fn turned_away(metrics: &str, reason: &str) -> f64 {
    figure(metrics, &format!("hotline_requests_turned_away_total{{reason=\"{reason}\"}}"))
}

/// The figures as soon as they say so: the house is measured once a second.
fn until(engine: &Engine, what: &str, said: impl Fn(&str) -> bool) -> String {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let (_, metrics) = engine.get("/metrics");
        if said(&metrics) {
            return metrics;
        }
        assert!(Instant::now() < end, "{what}: {metrics}");
    }
}

/// Floods from `source` while the carrier's caller makes its calls; what the engine counted then.
fn served_during_a_flood(name: &str, source: &str) -> (Engine, u64) {
    let engine = Engine::start(name, &plan());
    let mut caller = Caller::new("127.0.0.2", engine.sip);
    let standing = caller.call("standing");
    let flood = Flood::begin(source, engine.sip);
    for number in 0..CALLS {
        let call = caller.call(&format!("honest-{number}"));
        caller.hang_up(call);
    }
    assert!(caller.is_alive(&standing), "the call under way is still there");
    let refused = flood.end();
    caller.hang_up(standing);
    let (_, metrics) = engine.get("/metrics");
    assert!(figure(&metrics, "hotline_sip_table_rows{table=\"sessions\"}") <= 200.0, "{metrics}");
    (engine, refused)
}

#[test]
fn a_trunk_that_floods_is_refused_and_another_trunks_caller_is_served() {
    let (engine, refused) = served_during_a_flood("wild", "127.0.0.3");
    assert!(refused > 0, "the flood is told 503 with Retry-After");
    until(&engine, "some were refused for overload", |metrics| turned_away(metrics, "overloaded") > 0.0);
}

#[test]
fn a_stranger_that_floods_is_not_even_read_and_the_carriers_caller_is_served() {
    let (engine, _) = served_during_a_flood("stranger", "127.0.0.66");
    let metrics = until(&engine, "most stay unread", |metrics| turned_away(metrics, "flooding") > 0.0);
    assert!(turned_away(&metrics, "unknown_source") <= 2_000.0 + 60.0 * 100.0, "{metrics}");
}
