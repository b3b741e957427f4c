//! `hotline explain --calendar office --month 2026-10`: a month of a calendar, day by day.

use std::process::ExitCode;
use std::sync::Arc;

use jiff::civil::Date;

use crate::cli::grid::in_columns;
use crate::routing::calendar::{Calendar, Listed};
use crate::routing::plan::Plan;
use crate::time::Timestamp;

/// `2026-10`, as its first day.
pub fn month(text: &str) -> Result<Date, String> {
    let long = text.len() == "2026-10".len();
    let day = long.then(|| format!("{text}-01").parse().ok()).flatten();
    day.ok_or_else(|| "写作 2026-10 / written like 2026-10".to_owned())
}

/// The month in words or as JSON; 1 where there is no such calendar.
pub fn explained(
    plan: &Plan,
    name: &str,
    month: Option<Date>,
    at: Timestamp,
    json: bool,
) -> Result<String, ExitCode> {
    let Some(calendar) = plan.calendars.get(name) else {
        let names: Vec<&str> = plan.calendars.keys().map(String::as_str).collect();
        let names = names.join(", ");
        eprintln!("没有这个日历；已有: {names}\nno such calendar; there are: {names}");
        return Err(ExitCode::from(1));
    };
    let day = month.unwrap_or_else(|| plan.city.time_zone.to_datetime(at).date());
    let days = calendar.month(day);
    if json {
        let value = serde_json::json!({ "calendar": name, "years": calendar.years, "days": days });
        return Ok(format!("{value:#}\n"));
    }
    Ok(words(calendar, &days))
}

fn words(calendar: &Arc<Calendar>, days: &[Listed]) -> String {
    let row = |own: &Listed| {
        let hours = if own.hours.is_empty() { "–".to_owned() } else { own.hours.join(", ") };
        let why = own.why.as_ref().map_or_else(String::new, |why| format!("{} / {}", why.zh, why.en));
        [own.day.to_string(), format!("{} {}", own.weekday.zh, own.weekday.en), hours, why]
    };
    let rows: Vec<[String; 4]> = days.iter().map(row).collect();
    let years: Vec<String> = calendar.years.iter().map(i16::to_string).collect();
    let years = if years.is_empty() { "–".to_owned() } else { years.join(", ") };
    format!("{}\n公共节假日已知年份 / public holidays are known for: {years}\n", in_columns(&rows))
}
