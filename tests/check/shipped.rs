//! The files that come with the engine, judged as they are.

use std::path::Path;

use hotline::io::plan_files;
use hotline::routing::plan::{BenchLine, LineMode, Listener, Purpose};
use hotline::routing::reach::Reached;
use hotline::routing::{Draft, Outcome, Overrides, sample};

use super::base::codes;

fn load(name: &str, overrides: &Overrides) -> Outcome {
    // On a day of a year whose holidays come with the engine.
    let now = "2026-07-01T09:00:00+08:00".parse().expect("an instant");
    plan_files::load_at(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), overrides, now)
}

#[test]
fn the_citys_file_is_usable_and_says_what_is_for_trying_out() {
    let outcome = load("routing.toml", &Overrides::default());
    let drills = ["W0101", "W0102", "W0102", "W0102", "W0102"];
    assert_eq!(codes(&outcome.report), drills, "{}", outcome.report.render(false));
    let noted: Vec<_> =
        outcome.report.diagnostics.iter().filter_map(|found| outcome.report.place(&found.spot)).collect();
    assert!(noted[0].text.starts_with("sources = [\"127.0.0.0/8\""), "{:?}", noted[0]);
    assert!(noted[1..].iter().all(|place| place.text == "drill = true"), "{noted:?}");
    assert_eq!(outcome.plan.expect("a plan").purpose, Purpose::Live);
}

#[test]
fn the_trunk_that_is_shown_in_full_is_usable_as_it_stands() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut draft = Draft::read("routing.toml", Ok(sample::in_full().into_bytes()), &Overrides::default());
    loop {
        let wanted = draft.wants();
        if wanted.is_empty() {
            break;
        }
        for name in wanted {
            let bytes = std::fs::read(home.join(&name)).map_err(|error| error.to_string());
            draft.give(&name, bytes);
        }
    }
    let outcome = draft.judge();
    // Drills and loopback.
    let found = ["W0101", "W0102", "W0102", "W0102", "W0102"];
    assert_eq!(codes(&outcome.report), found, "{}", outcome.report.render(false));
    let plan = outcome.plan.expect("a plan");
    assert_eq!(plan.network.dns, ["192.0.2.53:53".parse().expect("an address")]);
    let trunk = &plan.trunks["carrier-b"];
    assert!(trunk.account.is_some() && trunk.register.is_some() && trunk.probe.is_some());
    let ways = plan.ways(&"carriers".into(), "12366", "13800000000");
    let ways: Vec<_> = ways.iter().map(|way| (way.trunk.id.as_str(), &*way.called, &*way.caller)).collect();
    assert_eq!(ways, [("carrier-b", "039312366", "+8613800000000"), ("carrier-c", "12366", "13800000000")]);
}

#[test]
fn the_plan_for_load_tests_of_queues_has_thirty_seats_and_somebody_to_ask_in() {
    let outcome = load("tools/queue.toml", &Overrides::default());
    // Loopback, a drill for the emergency numbers, and callers of a load tool, who need not be told.
    assert_eq!(codes(&outcome.report), ["W0101", "W0102", "W0120"], "{}", outcome.report.render(false));
    let plan = outcome.plan.expect("a plan");
    assert_eq!(plan.seats.len(), 30);
    let queue = plan.queues.values().next().expect("a queue");
    assert_eq!(queue.wrap_up, std::time::Duration::from_secs(1));
    assert!(plan.recording.enabled && !plan.survey.enabled);
    let asked = plan.reach(&plan.three_way.keys[&'1']).expect("the first key asks somebody in");
    assert!(matches!(asked, Reached::Peer(peer) if peer.trunk.as_str() == "third"));
}

#[test]
fn the_bench_file_runs_on_loopback_and_nowhere_else() {
    let outcome = load("tools/bench.toml", &Overrides::default());
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let plan = outcome.plan.expect("a plan");
    assert_eq!(plan.purpose, Purpose::Bench);
    let does: Vec<_> = plan
        .lines
        .values()
        .map(|line| match &line.mode {
            LineMode::Bench(BenchLine::Silent) => "S1",
            LineMode::Bench(BenchLine::PlayOnce(_) | BenchLine::PlayForever(_)) => "S2",
            LineMode::Bench(BenchLine::Dial { record: false, .. }) => "S3",
            LineMode::Bench(BenchLine::Dial { record: true, .. }) => "S3R",
            other => panic!("{other:?} in a bench file"),
        })
        .collect();
    assert_eq!(does, ["S1", "S2", "S2", "S3", "S3R"]);
    let rooms: Vec<_> = plan.meetings.iter().map(|meeting| meeting.pattern().to_string()).collect();
    assert_eq!(rooms, ["94xxxxxx"], "S4");

    for bind in ["192.0.2.10:5060", "0.0.0.0:5060", "[2001:db8::1]:5060"] {
        let listen = vec![bind.parse::<Listener>().expect("an address")];
        let outcome = load("tools/bench.toml", &Overrides { listen, ..Overrides::default() });
        assert_eq!(codes(&outcome.report), ["E0604"], "{bind}");
        assert!(outcome.plan.is_none(), "{bind}");
    }
    let listen = vec!["[::1]:5060".parse::<Listener>().expect("an address")];
    assert!(load("tools/bench.toml", &Overrides { listen, ..Overrides::default() }).plan.is_some());
}

#[test]
fn a_countys_three_lines_are_checked_clean_and_their_tests_hold() {
    let outcome = load("examples/county.toml", &Overrides::default());
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    assert_eq!(outcome.cases, 3);
    let plan = outcome.plan.expect("a plan");
    let lines: Vec<&str> = plan.lines.values().map(|line| line.number.as_str()).collect();
    assert_eq!(lines, ["12345", "12348", "4421000"]);
    let readiness = plan.readiness("2026-03-01T00:00:00+08:00".parse().expect("an instant"));
    assert!(readiness.iter().all(|row| row.proof.as_ref().is_some_and(|proof| proof.reached == 8_784)));
    assert!(plan.staffing().iter().all(|need| need.is_met()));
}
