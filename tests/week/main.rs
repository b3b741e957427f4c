//! Days of a city's calls through `acd` and `call` alone: no SIP, no packets, one clock turned by hand.
//!
//! Callers come as the dice have it, wait, give up, talk, hold, are put through and lost; clerks
//! reject, fall silent, ask third parties in, sign out and come back; the plan is read anew. After
//! every minute, and at the end, nothing may be stuck, lost or there twice.
//!
//! A tenth of a day by default; `tools/week` plays seven of them. `HOTLINE_DAYS=7`, `HOTLINE_SEED=…`.

mod far;
mod hands;
mod people;
mod plan;
mod tally;
mod town;

use std::time::Duration;

use town::Town;

/// A run in CI can be replayed anywhere.
const USUAL: u64 = 20_210_801;
/// Callers of an hour.
const HOURLY: f64 = 10_000.0;

fn from_environment<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: no number: {text}")))
}

#[test]
fn days_of_ten_thousand_calls_an_hour_leave_nothing_stuck_or_lost() {
    let seed = from_environment("HOTLINE_SEED").unwrap_or(USUAL);
    let days: f64 = from_environment("HOTLINE_DAYS").unwrap_or(0.1);
    println!("seed {seed}, {days} days; HOTLINE_SEED={seed} replays them");
    let mut town = Town::new(seed, HOURLY);
    town.lives(Duration::from_secs_f64(days * 86_400.0));
    town.closes();
    let tally = town.tally();
    println!("{tally}");
    let wanted = HOURLY * 24.0 * days;
    assert!((tally.calls as f64 - wanted).abs() < wanted * 0.05, "{} calls", tally.calls);
    tally.holds();
}
