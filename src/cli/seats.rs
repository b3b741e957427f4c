//! `hotline seats`: how long each seat was there on a day, and what it was meanwhile.

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::out;
use crate::io::clock::Clock;
use crate::io::store::{FILE, Reader};
use crate::telemetry::shifts::{Shift, Shifts};
use crate::time::Timestamp;

/// 座席工时 / Seats on a day: signed in, ready, talking, wrap-up, away by reason
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 哪一天（当地），默认今天 / Which day by the local clock; today if not said
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<Date>,
    /// 时区 / The city's time zone
    #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai")]
    zone: String,
    /// 数据目录 / The data directory
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
}

/// Exit codes: 0 done, 1 cannot be printed, 2 cannot be read.
pub fn run(args: &Args) -> ExitCode {
    match rows(args, Clock::system().now().wall) {
        Ok(rows) => out::lines(rows).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("无法读取 / cannot be read: {error}");
            ExitCode::from(2)
        }
    }
}

fn rows(args: &Args, now: Timestamp) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let zone = TimeZone::get(&args.zone)?;
    let day = args.day.unwrap_or_else(|| zone.to_datetime(now).date());
    let begins = |day: Date| zone.to_timestamp(day.to_datetime(jiff::civil::Time::midnight()));
    let (from, to) = (begins(day)?, begins(day.tomorrow()?)?);
    let mut shifts = Shifts::new(from, to);
    Reader::open(&args.data.join(FILE))?.seat_facts(from, to, |fact| shifts.apply(fact))?;
    Ok(shifts.finish(now.min(to)).iter().map(|(seat, shift)| row(seat.as_str(), shift)).collect())
}

/// Seconds; all but the first two words add up to `signed_in`.
fn row(seat: &str, shift: &Shift) -> String {
    let seconds = |ms: u64| format!("{}.{:03}s", ms / 1_000, ms % 1_000);
    let mut row = format!(
        "{seat} talks={} signed_in={} ready={} ringing={} talking={} wrap_up={}",
        shift.talks,
        seconds(shift.signed_in_ms),
        seconds(shift.ready_ms),
        seconds(shift.offered_ms),
        seconds(shift.talking_ms),
        seconds(shift.wrap_up_ms),
    );
    for (why, ms) in &shift.away_ms {
        row += &format!(" away[{why}]={}", seconds(*ms));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_a_shift_to_the_millisecond() {
        let shift = Shift {
            signed_in_ms: 10_007,
            ready_ms: 4_000,
            offered_ms: 0,
            talking_ms: 5_007,
            wrap_up_ms: 0,
            away_ms: [("said/lunch".to_owned(), 1_000)].into(),
            talks: 2,
        };
        assert_eq!(
            row("1001", &shift),
            "1001 talks=2 signed_in=10.007s ready=4.000s ringing=0.000s talking=5.007s wrap_up=0.000s \
             away[said/lunch]=1.000s"
        );
    }
}
