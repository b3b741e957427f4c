use jiff::SignedDuration;

use super::*;
use crate::routing::calendar::Day;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone that is built in")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn time(text: &str) -> Time {
    text.parse().expect("a time")
}

fn span(from: &str, to: &str) -> Span {
    Span { from: time(from), to: time(to) }
}

const WORKDAYS: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

fn band(days: &[Weekday], from: &str, to: &str) -> Band {
    Band { days: days.to_vec(), from: time(from), to: time(to) }
}

fn calendar(weekly: Vec<Band>, days: &[(&str, Works)]) -> Hours {
    let day = |(date, works): &(&str, Works)| {
        let day = Day { works: works.clone(), name: "节".into(), source: None };
        (date.parse().expect("a date"), day)
    };
    let days = days.iter().map(day).collect();
    Hours::by(Arc::new(Calendar { name: "office".into(), weekly, days, ..Calendar::default() }))
}

/// Each row: an instant, whether somebody is there, and when that changes next.
fn rows(hours: &Hours, zone: &TimeZone, rows: &[(&str, bool, Option<&str>)]) {
    for (instant, open, change) in rows {
        assert_eq!(hours.are_open(at(instant), zone), *open, "{instant}");
        assert_eq!(hours.next_change(at(instant), zone), change.map(at), "after {instant}");
    }
}

#[test]
fn the_zones_are_built_in_and_need_no_file_of_the_system() {
    // With a directory of zones that is not there, those that are built in are asked all the same.
    let built_in = jiff::tz::TimeZoneDatabase::bundled();
    for (name, winter, summer) in [
        ("Asia/Shanghai", 8, 8),
        ("Asia/Urumqi", 6, 6),
        ("Europe/Berlin", 1, 2),
        ("America/New_York", -5, -4),
        ("Australia/Lord_Howe", 11, 10),
    ] {
        let zone = built_in.get(name).expect("a zone");
        let hours = |text: &str| zone.to_offset(at(text)).seconds().div_euclid(3_600);
        assert_eq!(hours("2026-01-15T00:00:00Z"), winter, "{name}");
        assert_eq!(hours("2026-07-15T00:00:00Z"), summer, "{name}");
    }
    assert!(!jiff::tz::db().is_definitively_empty());
}

#[test]
fn hours_over_midnight_are_two_bands_and_one_stretch() {
    let night = [Weekday::Friday, Weekday::Saturday];
    let morning = [Weekday::Saturday, Weekday::Sunday];
    let hours = Hours::weekly(vec![band(&night, "20:00", "00:00"), band(&morning, "00:00", "06:00")]);
    // 2026-07-03 is a Friday.
    rows(
        &hours,
        &zone("Asia/Shanghai"),
        &[
            ("2026-07-03T19:59:59+08:00", false, Some("2026-07-03T20:00:00+08:00")),
            ("2026-07-03T20:00:00+08:00", true, Some("2026-07-04T06:00:00+08:00")),
            ("2026-07-03T23:59:59.999999999+08:00", true, Some("2026-07-04T06:00:00+08:00")),
            ("2026-07-04T00:00:00+08:00", true, Some("2026-07-04T06:00:00+08:00")),
            ("2026-07-04T06:00:00+08:00", false, Some("2026-07-04T20:00:00+08:00")),
            ("2026-07-05T05:59:59+08:00", true, Some("2026-07-05T06:00:00+08:00")),
            ("2026-07-05T06:00:00+08:00", false, Some("2026-07-10T20:00:00+08:00")),
        ],
    );
}

#[test]
fn a_holiday_begins_and_ends_at_midnight_whatever_runs_over_it() {
    let all_day = Hours::weekly(vec![band(&WORKDAYS, "00:00", "00:00")]);
    let weekly = all_day.bands.clone();
    let free = Works::During(Vec::new());
    // Thursday is free, Saturday is worked as a Monday, and on Friday it is the morning only.
    let hours = calendar(
        weekly,
        &[
            ("2026-07-02", free),
            ("2026-07-04", Works::As(Weekday::Monday)),
            ("2026-07-03", Works::During(vec![span("00:00", "12:00")])),
        ],
    );
    rows(
        &hours,
        &zone("Asia/Shanghai"),
        &[
            ("2026-07-01T23:59:59.999999999+08:00", true, Some("2026-07-02T00:00:00+08:00")),
            ("2026-07-02T00:00:00+08:00", false, Some("2026-07-03T00:00:00+08:00")),
            ("2026-07-02T23:59:59.999999999+08:00", false, Some("2026-07-03T00:00:00+08:00")),
            ("2026-07-03T00:00:00+08:00", true, Some("2026-07-03T12:00:00+08:00")),
            ("2026-07-03T12:00:00+08:00", false, Some("2026-07-04T00:00:00+08:00")),
            ("2026-07-04T00:00:00+08:00", true, Some("2026-07-05T00:00:00+08:00")),
            ("2026-07-05T00:00:00+08:00", false, Some("2026-07-06T00:00:00+08:00")),
        ],
    );
    let zone = zone("Asia/Shanghai");
    assert!(all_day.are_open(at("2026-07-02T12:00:00+08:00"), &zone), "bands know no holidays");
}

#[test]
fn always_never_changes_and_never_has_no_next() {
    let zone = zone("Asia/Shanghai");
    let now = at("2026-07-01T09:00:00+08:00");
    assert_eq!(
        (Hours::default().are_open(now, &zone), Hours::default().next_change(now, &zone)),
        (true, None)
    );
    let never = calendar(Vec::new(), &[]);
    assert!(!never.are_always());
    assert_eq!((never.are_open(now, &zone), never.next_change(now, &zone)), (false, None));
    // Beyond what is looked at.
    let once = calendar(Vec::new(), &[("2028-07-01", Works::During(vec![span("09:00", "10:00")]))]);
    assert_eq!(once.next_change(now, &zone), None);
    let soon = at("2028-06-30T09:00:00+08:00");
    assert_eq!(once.next_change(soon, &zone), Some(at("2028-07-01T09:00:00+08:00")));
}

#[test]
fn month_ends_and_the_leap_day_are_days_like_others() {
    let hours = calendar(
        vec![band(&WORKDAYS, "08:30", "18:00")],
        &[
            ("2028-02-29", Works::During(Vec::new())), // A Tuesday.
            ("2026-12-31", Works::During(vec![span("08:30", "12:00")])), // A Thursday.
        ],
    );
    rows(
        &hours,
        &zone("Asia/Shanghai"),
        &[
            ("2028-02-28T17:59:59+08:00", true, Some("2028-02-28T18:00:00+08:00")),
            ("2028-02-28T18:00:00+08:00", false, Some("2028-03-01T08:30:00+08:00")),
            ("2028-02-29T10:00:00+08:00", false, Some("2028-03-01T08:30:00+08:00")),
            ("2027-02-26T18:00:00+08:00", false, Some("2027-03-01T08:30:00+08:00")),
            ("2026-12-31T11:59:59+08:00", true, Some("2026-12-31T12:00:00+08:00")),
            ("2026-12-31T12:00:00+08:00", false, Some("2027-01-01T08:30:00+08:00")),
        ],
    );
}

#[test]
fn a_clock_that_is_put_forward_or_back_is_followed() {
    let sunday = [Weekday::Sunday];
    // 2026-03-08 02:00 is 03:00 in New York; 2026-11-01 has the hour from 01:00 twice.
    let hours = Hours::weekly(vec![band(&sunday, "01:15", "02:45")]);
    rows(
        &hours,
        &zone("America/New_York"),
        &[
            ("2026-03-08T01:14:59-05:00", false, Some("2026-03-08T01:15:00-05:00")),
            ("2026-03-08T01:59:59-05:00", true, Some("2026-03-08T03:00:00-04:00")),
            ("2026-03-08T03:00:00-04:00", false, Some("2026-03-15T01:15:00-04:00")),
            ("2026-11-01T01:15:00-04:00", true, Some("2026-11-01T01:00:00-05:00")),
            ("2026-11-01T01:00:00-05:00", false, Some("2026-11-01T01:15:00-05:00")),
            ("2026-11-01T01:15:00-05:00", true, Some("2026-11-01T02:45:00-05:00")),
        ],
    );
    // A holiday of 25 hours and one of 23.
    let weekly = vec![band(&[Weekday::Sunday], "00:00", "00:00")];
    let free = calendar(weekly.clone(), &[("2026-11-01", Works::During(Vec::new()))]);
    let first_and_last = |hours: &Hours, from: &str, length: i64| {
        let zone = zone("America/New_York");
        let ends = at(from) + SignedDuration::from_hours(length);
        (hours.are_open(at(from), &zone), hours.are_open(ends - SignedDuration::from_nanos(1), &zone))
    };
    assert_eq!(first_and_last(&free, "2026-11-01T00:00:00-04:00", 25), (false, false));
    assert_eq!(first_and_last(&Hours::weekly(weekly), "2026-03-08T00:00:00-05:00", 23), (true, true));
}

#[test]
fn a_midnight_that_a_clock_leaves_out_begins_the_day_all_the_same() {
    // 2017-10-15 began at 01:00 in São Paulo.
    let hours = calendar(
        vec![band(&WORKDAYS, "00:00", "00:00")],
        &[("2017-10-15", Works::During(vec![span("00:00", "09:00")]))],
    );
    rows(
        &hours,
        &zone("America/Sao_Paulo"),
        &[
            ("2017-10-14T23:59:59-03:00", false, Some("2017-10-15T01:00:00-02:00")),
            ("2017-10-15T01:00:00-02:00", true, Some("2017-10-15T09:00:00-02:00")),
        ],
    );
}
