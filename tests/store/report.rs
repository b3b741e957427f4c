//! `hotline report` beside a running writer: which calls are a day's, and what is told of them.

use std::process::Command;
use std::time::Duration;

use hotline::id::{CallId, Dice};
use hotline::switchboard::fact::{Cause, Fact, What};
use hotline::switchboard::port::StoreJob;
use hotline::time::{Instant, Timestamp};
use serde_json::Value;

use crate::archive::{Archive, Folder, opened};

/// A call that opens at this time, waits from then on, is answered after so long, and lasts a minute more.
fn call(opens: &str, answered_after: Option<Duration>) -> Vec<StoreJob> {
    let at: Timestamp = opens.parse().unwrap();
    let unix_ms = u64::try_from(at.as_millisecond()).unwrap();
    let call = CallId::draw(unix_ms, &mut Dice::seeded(unix_ms));
    let begun = Instant::from_millis(unix_ms % 1_000_000);
    let waited = answered_after.unwrap_or(Duration::from_secs(30));
    let minute = Duration::from_secs(60);
    let mut story = vec![
        (Duration::ZERO, opened(call, unix_ms % 10_000_000).what),
        (Duration::ZERO, What::Queued { queue: "main".into() }),
    ];
    if answered_after.is_some() {
        story.push((waited, What::SeatAnswered { seat: "1001".into(), waited_ms: 0, leg: Some(1) }));
    }
    let (cause, sound, reason) = (Cause::CallerHungUp, None, None);
    let lasted_ms = u64::try_from((waited + minute).as_millis()).unwrap();
    story.push((waited + minute, What::Closed { cause, lasted_ms, answered_ms: None, sound, reason }));
    let fact = |(sequence, (after, what)): (u32, (Duration, What))| {
        let at = at + jiff::SignedDuration::try_from(after).unwrap();
        let fact = Fact { call, sequence, at, mono: begun + after, what };
        StoreJob::Fact { house: u64::from(sequence), fact, events: Vec::new() }
    };
    (1..).zip(story).map(fact).collect()
}

fn report(folder: &Folder, args: &[&str]) -> Value {
    let printed = Command::new(env!("CARGO_BIN_EXE_hotline"))
        .args([
            "report",
            "--json",
            "--config",
            concat!(env!("CARGO_MANIFEST_DIR"), "/routing.toml"),
            "--data",
        ])
        .arg(folder.path())
        .args(args)
        .output()
        .unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    serde_json::from_slice(&printed.stdout).unwrap()
}

#[test]
fn a_call_is_the_days_on_which_it_opened_by_the_citys_clock_with_all_its_minutes() {
    let folder = Folder::new("report");
    let mut archive = Archive::start(&folder, &["office"]);
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    // A day of Puyang ends at 16:00 UTC.
    let jobs = [
        call("2021-08-31T15:59:59.999Z", seconds(10)),
        call("2021-08-31T16:00:00Z", seconds(12)),
        call("2021-09-01T04:00:00.5Z", None),
        call("2021-09-01T15:59:59.999Z", seconds(40)), // It ends on the next day.
        call("2021-09-01T16:00:00Z", seconds(15)),
    ];
    archive.write(jobs.into_iter().flatten().collect());
    let day = |day: &str| {
        let row = report(&folder, &["--day", day])["rows"][0].clone();
        ["opened", "answered", "within", "abandoned", "talked_ms"].map(|name| row[name].as_u64().unwrap())
    };
    assert_eq!(day("2021-08-30"), [0; 5]);
    assert_eq!(day("2021-08-31"), [1, 1, 1, 0, 60_000]);
    assert_eq!(day("2021-09-01"), [3, 2, 1, 1, 120_000]);
    assert_eq!(day("2021-09-02"), [1, 1, 1, 0, 60_000]);
    let row = &report(&folder, &["--day", "2021-09-01"])["rows"][0];
    assert_eq!(row["answer_rate"].as_f64(), Some(2.0 / 3.0));
    assert_eq!((row["wait_p50_ms"].as_u64(), row["wait_max_ms"].as_u64()), (Some(12_000), Some(40_000)));
    let seats = report(&folder, &["--day", "2021-09-01", "--by", "seat"]);
    assert_eq!(
        (&seats["rows"][0]["seat"], &seats["rows"][0]["talked_ms"]),
        (&"1001".into(), &120_000.into())
    );
    let owners = report(&folder, &["--day", "2021-09-01", "--by", "department"]);
    assert_eq!(owners["rows"][0]["opened"], 3, "{owners}");
    assert_eq!(archive.store.close(), 0);
    assert_eq!(day("2021-09-01"), [3, 2, 1, 1, 120_000], "whether or not their rows are written");
}
