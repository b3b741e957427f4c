//! The report's files: each can be read by whoever it is for.

use jsonschema::Validator;
use serde_json::Value;

use crate::engine::Engine;
use crate::tool::{Ran, Tool};

const SCHEMA: &str = include_str!("../../contract/load-report.schema.json");
const BENCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/bench.toml");
/// Room for as many calls as that plan allows.
const BENCH_PORTS: &str = "20000-49999";

fn schema() -> Validator {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    jsonschema::meta::validate(&schema).expect("the schema is a schema");
    jsonschema::validator_for(&schema).expect("the schema compiles")
}

/// A run's report and page are what they should be.
pub fn assert_fits(ran: &Ran) {
    let faults: Vec<String> = schema().iter_errors(&ran.report).map(|error| error.to_string()).collect();
    assert_eq!(faults, [""; 0], "{}", ran.report);
    assert_well_formed(&ran.html);
}

/// Every element that is opened is closed, in order.
fn assert_well_formed(html: &str) {
    let mut open = Vec::new();
    let mut rest = html.strip_prefix("<!DOCTYPE html>").expect("it says what it is");
    while let Some(begin) = rest.find('<') {
        let end = begin + rest[begin..].find('>').expect("a tag ends");
        let tag = &rest[begin + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (false, true) => {}
            (false, false) => open.push(name),
        }
    }
    assert_eq!(open, [""; 0]);
}

#[test]
fn the_files_of_a_run_hold_its_figures_its_seconds_and_its_server() {
    let engine = Engine::start_with(
        "load-files",
        "2021-12-01T09:00:00+08:00",
        &["--config", BENCH, "--rtp-ports", BENCH_PORTS],
    );
    // A warm-up of a second: its calls are in the rows and not in the figures.
    let words = "--scenario prompt --to 9002 --rate 4 --duration 3s --warm-up 1s --hold 1500ms \
                 --fail-over failed=0,setup_p99=1us,server_cpu=100%";
    let process = engine.process_id().to_string();
    let ran = Tool::new("files", 20, words).toward(engine.sip).with("--server-pid", &process).run();
    assert_eq!(ran.code, Some(1), "nobody answers within a microsecond: {}", ran.printed);
    let faults: Vec<String> = schema().iter_errors(&ran.report).map(|error| error.to_string()).collect();
    assert_eq!(faults, [""; 0], "{}", ran.report);

    assert_eq!(ran.calls(), [8, 8, 0], "{}", ran.printed);
    let kept: Vec<bool> = ran.report["thresholds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|verdict| verdict["kept"].as_bool().unwrap())
        .collect();
    assert_eq!(kept[..2], [true, false], "{}", ran.printed);
    assert!(ran.number("/server/memory_mib_max") > 1.0);
    assert!(ran.number("/server/cpu_percent_mean") >= 0.0);

    let mut lines = ran.csv.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == columns.len()), "{}", ran.csv);
    let column = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let sum = |name: &str| rows.iter().map(|row| row[column(name)].parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!((sum("attempted"), sum("warm_up")), (12, 1), "{}", ran.csv);
    assert!(sum("rtp_received") > 8 * 50, "{}", ran.csv);
    assert_eq!(rows.len(), ran.report["seconds"].as_array().unwrap().len());
    assert!(rows.iter().any(|row| !row[column("server_memory_mib")].is_empty()), "{}", ran.csv);

    assert_well_formed(&ran.html);
    for word in ["接通 / setup", "被测内存 / server's memory", "setup_p99=1us", "越界 beyond", "MOS", "<svg"]
    {
        assert!(ran.html.contains(word), "{word}");
    }
    assert!(!ran.html.contains("src=") && !ran.html.contains("href="), "nothing from elsewhere");
}
