//! A store that cannot write: it says so, keeps what fits, and writes it when it can again.

use std::process::Command;

use hotline::io::store::{FILE, PENDING_HARD, PENDING_SOFT, Report};
use hotline::switchboard::port::StoreJob;
use hotline::tickets::event::EventRef;
use rusqlite::Connection;

use crate::archive::{Archive, Folder, answered, call, job, opened};
use crate::killed::{Child, Word};

fn is_failure(report: &Report) -> bool {
    matches!(report, Report::Failed { .. })
}

/// Writes that only add detail and cost little.
fn detail(count: usize) -> Vec<StoreJob> {
    let event = EventRef { call: call(1), sequence: 1 };
    (0..count).map(|_| StoreJob::Settled { sink: 0, event }).collect()
}

#[test]
fn while_the_file_is_held_writes_wait_and_then_all_are_there() {
    let folder = Folder::new("held");
    let mut archive = Archive::start(&folder, &["office"]);
    archive.write(vec![job(opened(call(1), 1))]);
    let other = Connection::open(folder.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let first = archive.submit(vec![job(opened(call(2), 2))]);
    let failed = archive.until(is_failure);
    let Some(Report::Failed { token: Some(token), error }) = failed.last() else {
        panic!("{failed:?}");
    };
    assert_eq!(*token, first, "{error}");
    // Whoever comes now need not wait to hear of it.
    let second = archive.submit(vec![job(answered(call(1), 2))]);
    archive.until(|report| matches!(report, Report::Failed { token: Some(token), .. } if *token == second));
    assert_eq!(archive.store.backlog().pending(), 2);
    other.execute_batch("COMMIT").unwrap();
    archive.until_committed(second);
    assert_eq!(archive.store.backlog().pending(), 0);
    assert_eq!(folder.reader().facts(call(1)).unwrap().len(), 2);
    assert_eq!(folder.reader().facts(call(2)).unwrap().len(), 1);
    assert_eq!(archive.store.backlog().take_shed(), 0);
    assert_eq!(archive.store.close(), 0);
}

#[test]
fn memory_is_bounded_detail_goes_first_and_records_are_kept() {
    let folder = Folder::new("bounded");
    let mut archive = Archive::start(&folder, &["office"]);
    archive.write(vec![job(opened(call(1), 1))]);
    let other = Connection::open(folder.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..PENDING_SOFT / 10_000 {
        assert!(archive.is_taken(detail(10_000)));
    }
    assert!(!archive.is_taken(detail(500)), "memory is half full: detail is given up");
    assert_eq!(archive.store.backlog().take_shed(), 500);
    assert!(archive.is_taken(vec![job(opened(call(2), 2))]), "a record is not");
    let bindings = |count: usize| -> Vec<StoreJob> {
        (0..count).map(|_| StoreJob::Binding { seat: "1001".into(), binding: None }).collect()
    };
    while archive.store.backlog().pending() < PENDING_HARD {
        assert!(archive.is_taken(bindings(10_000)));
    }
    let full = archive.store.backlog().pending();
    let mut last = 0;
    for n in 3..1_000 {
        last = archive.submit(vec![job(opened(call(n), n))]);
    }
    assert_eq!(archive.store.backlog().pending(), full, "full is full");
    assert_eq!(archive.store.backlog().take_shed(), 997);
    other.execute_batch("COMMIT").unwrap();
    archive.until_committed(last);
    assert_eq!(archive.store.backlog().pending(), 0);
    assert_eq!(folder.reader().facts(call(2)).unwrap().len(), 1, "what was kept is written");
    assert_eq!(folder.reader().facts(call(3)).unwrap(), [], "what was given up is not");
    archive.write(vec![job(opened(call(1_000), 1_000))]);
    assert_eq!(folder.reader().facts(call(1_000)).unwrap().len(), 1);
}

/// `prlimit` says how large a file of the process may grow: a disk that is full for it alone.
fn limit(process: u32, bytes: &str) {
    let set = Command::new("prlimit")
        .arg(format!("--pid={process}"))
        .arg(format!("--fsize={bytes}:unlimited"))
        .status()
        .expect("prlimit is there (util-linux)");
    assert!(set.success());
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost_when_there_is_space_again() {
    let folder = Folder::new("full");
    let mut child = Child::spawn(&folder, 77);
    child.until(|word| matches!(word, Word::Committed(token) if *token >= 50));
    limit(child.id(), "4096");
    let mut failures = 0;
    let words = child.until(|word| {
        failures += usize::from(matches!(word, Word::Failed));
        failures == 5
    });
    let reached = words.iter().filter_map(Word::committed).max().unwrap_or(50);
    limit(child.id(), "unlimited");
    child.until(|word| matches!(word, Word::Committed(token) if *token >= reached + 200));
    child.kill();
    child.assert_all_confirmed_are_there_once(&folder);
}
