//! S1: calls that are answered, last a second in silence and end: what one costs, its record on
//! disk before the answer included.

use std::process::Command;

use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::switchboard::fact::Cause;

use crate::engine::Engine;
use crate::floor::Floor;
use crate::rows::Rows;

/// Datagrams in and out of one such call, as pairs: INVITE, ACK, BYE against 100 or 180, 200, 200.
const PAIRS: f64 = 3.0;
/// Calls of the warm-up.
const WARM_UP: usize = 200;

/// `rate` calls a second for twenty seconds.
pub fn measure(rate: usize, floor: &Floor, rows: &mut Rows) {
    let engine = Engine::start(&format!("s1-{rate}"), None);
    let calls = rate * 20;
    sipp(&engine, 100, WARM_UP);
    let before = engine.cpu();
    let setups = sipp(&engine, rate, calls);
    let reader = Reader::open(&engine.data.join(FILE)).expect("the records");
    let query = CallQuery { most: WARM_UP + calls + 1, ..CallQuery::default() };
    // The last closing facts ride along with the next commit.
    let closed = loop {
        let records = reader.calls(&query).expect("the records");
        if records.iter().all(|record| record.cause.is_some()) {
            break records;
        }
    };
    let cpu = engine.cpu() - before;
    assert_eq!(closed.len(), WARM_UP + calls, "each call left its record");
    assert!(closed.iter().all(|record| record.cause == Some(Cause::CallerHungUp) && !record.undurable));
    let per_call = cpu.as_secs_f64() * 1e3 / calls as f64;
    let ratio = per_call * 1e3 / (PAIRS * floor.micros());
    let [half, most] = [50, 99].map(|share| setups[(setups.len() - 1) * share / 100]);
    let what = format!("S1, {rate} calls/s");
    rows.add(&what, "ms of CPU per call", per_call);
    rows.add(&what, "× the kernel's floor", ratio);
    rows.add(&what, "200 after, p50, ms", half);
    rows.add(&what, "200 after, p99, ms", most);
}

/// Runs the calls; milliseconds from INVITE to 200 as SIPp saw them, the shortest first.
fn sipp(engine: &Engine, rate: usize, calls: usize) -> Vec<f64> {
    let [rate, calls] = [rate, calls].map(|number| number.to_string());
    let out = Command::new("sipp")
        .args(["-sn", "uac", "-s", "9000", "-i", "127.0.0.1", "-nostdin", "-timeout", "120s", "-d", "1000"])
        .args(["-r", &rate, "-m", &calls, "-l", "5000", "-trace_rtt", "-rtt_freq", "100"])
        .arg(engine.sip.to_string())
        .current_dir(&engine.data)
        .output()
        .expect("SIPp is installed (tools/test does it)");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    let ends = |path: &std::path::Path| path.to_string_lossy().ends_with("_rtt.csv");
    let files =
        std::fs::read_dir(&engine.data).expect("the folder").map(|entry| entry.expect("a file").path());
    let mut setups = Vec::with_capacity(WARM_UP);
    for path in files.filter(|path| ends(path)) {
        // Date, response time in milliseconds, its name; a head above them.
        let rows = std::fs::read_to_string(&path).expect("SIPp's response times");
        setups.extend(rows.lines().filter_map(|row| row.split(';').nth(1)?.parse::<f64>().ok()));
        std::fs::remove_file(path).expect("ours");
    }
    setups.sort_by(f64::total_cmp);
    assert!(!setups.is_empty(), "SIPp told the response times");
    setups
}
