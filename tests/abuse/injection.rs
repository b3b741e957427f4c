//! Names and numbers that mean something to a log, a shell, JSON or SQL: they are text and stay text.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::caller::Caller;
use super::engine::Engine;
use super::plan;

/// User parts as they are sent, and what is kept of them.
const SAID: [(&str, &str); 6] = [
    ("'%3b%20DROP%20TABLE%20calls%3b%20--", "'; DROP TABLE calls; --"),
    ("%22%7d%2c%7b%22level%22%3a%22ERROR%22", "\"},{\"level\":\"ERROR\""),
    ("138%0d%0a%7b%22forged%22%3a1%7d", "138{\"forged\":1}"),
    ("%1b%5b2J%1b%5d0%3bowned%07", "[2J]0;owned"),
    ("$(reboot)%60reboot%60", "$(reboot)`reboot`"),
    ("%3cscript%3ealert(1)%3c%2fscript%3e", "<script>alert(1)</script>"),
];

#[test]
fn what_means_something_to_logs_sql_json_or_terminals_stays_text_everywhere() {
    let engine = Engine::start("injection", &plan());
    for (number, (user, _)) in SAID.iter().enumerate() {
        let mut caller = Caller::new("127.0.0.2", engine.sip);
        caller.user = (*user).to_owned();
        let call = caller.call(&format!("injected-{number}"));
        caller.hang_up(call);
    }
    let wanted: BTreeSet<String> = SAID.iter().map(|(_, kept)| (*kept).to_owned()).collect();
    let records = looked_up(&engine, &["records", "--full"]);
    let callers: BTreeSet<String> = records
        .iter()
        .map(|row| {
            let (_, rest) = row.split_once(" caller=").expect("a caller");
            rest.split_once(" ticket=").expect("a ticket").0.to_owned()
        })
        .collect();
    assert_eq!(callers, wanted, "{records:#?}");
    assert!(records.iter().all(|row| !row.contains(char::is_control)), "{records:#?}");
    let log = std::fs::read_to_string(engine.data.join("engine.log")).unwrap();
    assert!(log.lines().count() >= SAID.len(), "{log}");
    for line in log.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(entry["level"] != "ERROR" && entry.get("forged").is_none(), "{line}");
    }
}

/// The rows of a look-up command, as soon as all calls are closed in it.
fn looked_up(engine: &Engine, words: &[&str]) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let output = engine.look_up(words);
        let rows: Vec<String> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        if rows.len() == SAID.len() && rows.iter().all(|row| !row.contains("cause=open")) {
            return rows;
        }
        assert!(Instant::now() < end, "{rows:#?} {}", String::from_utf8_lossy(&output.stderr));
    }
}
