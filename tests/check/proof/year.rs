//! A leap year, worked out from each instant at which anything changes to the next, and hour by hour the long way.

use std::time::Duration;

use hotline::routing::calendar::{Calendar, Day, Works};
use hotline::routing::hours::Span;
use hotline::routing::people::{Band, Hours};
use hotline::routing::plan::{LineMode, Plan};
use hotline::routing::proof::hours::LEAP_YEAR;
use hotline::routing::proof::outcome::{Outcome, Why};
use hotline::routing::script::{Act, Condition, Message, Order};
use hotline::time::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::{branch, collect, go, line, menu, plan, script, with, workdays};

/// Every hour's first instant in the leap year of a city's clock.
fn hours_of_the_year(zone: &TimeZone) -> Vec<Timestamp> {
    let first = |year| {
        Date::new(year, 1, 1).expect("a day").to_zoned_datetime(zone.clone()).expect("a midnight").timestamp()
    };
    let (begins, ends) = (first(LEAP_YEAR), first(LEAP_YEAR + 1));
    let hour = jiff::SignedDuration::from_hours(1);
    std::iter::successors(Some(begins), |at| Some(*at + hour)).take_while(|at| *at < ends).collect()
}

/// The stretches say of each hour, and of the minute before and after each change, what is so at that instant.
fn agrees_with_a_walk(plan: &Plan, number: &str) {
    let line = line(plan, number);
    let calendar = plan.calendar(line, LEAP_YEAR);
    let said: Vec<Outcome> = calendar.states.iter().map(|state| plan.outcome(line, state.at)).collect();
    let stretch = |at: Timestamp| {
        let place = calendar.stretches.partition_point(|stretch| stretch.until <= at);
        &said[calendar.stretches[place].state]
    };
    let hours = hours_of_the_year(&plan.city.time_zone);
    assert_eq!(hours.len(), 8_784, "a leap year");
    for at in &hours {
        assert_eq!(*stretch(*at), plan.outcome(line, *at), "{number} at {at}");
    }
    let (first, last) = (calendar.stretches[0].from, calendar.stretches[calendar.stretches.len() - 1].until);
    let minute = jiff::SignedDuration::from_mins(1);
    for at in calendar.stretches.iter().flat_map(|own| [own.from - minute, own.from, own.until - minute]) {
        if at >= first && at < last {
            assert_eq!(*stretch(at), plan.outcome(line, at), "{number} at {at}");
        }
    }
    let total: Duration = calendar.states.iter().map(|state| state.total).sum();
    assert_eq!(total, Duration::from_secs(8_784 * 3_600));
    assert!(calendar.stretches.windows(2).all(|pair| pair[0].until == pair[1].from), "no gap");
}

/// Opens by the hours, and hangs up outside of them.
fn closing(hours: Hours) -> Plan {
    with([
        script("desk", [branch(vec![(Condition::Outside(hours), "closed")], None)]),
        script("closed", [Act::HangUp]),
    ])
}

#[test]
fn every_number_of_the_shipped_file_has_a_person_at_each_of_8784_hours() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
    let outcome = hotline::io::plan_files::load(&file, &hotline::routing::Overrides::default());
    let plan = outcome.plan.expect("the shipped plan");
    assert_eq!(plan.lines.len(), 29);
    for line in plan.lines.values() {
        let year = plan.year(line);
        assert_eq!(
            (year.hours(), year.reached(), year.first.clone()),
            (8_784, 8_784, None),
            "{}",
            line.number
        );
        assert_eq!(year.person, Duration::from_secs(8_784 * 3_600), "{}", line.number);
    }
}

/// Office hours with days of the leap year itself that are otherwise, and of another year.
fn office() -> Hours {
    let during = |spans: &[(&str, &str)]| {
        let span = |(from, to): &(&str, &str)| Span {
            from: from.parse().expect("a time"),
            to: to.parse().expect("a time"),
        };
        Works::During(spans.iter().map(span).collect())
    };
    let days = [
        ("2028-02-29", during(&[])),
        ("2028-10-07", Works::As(Weekday::Monday)), // A Saturday.
        ("2028-12-31", during(&[("00:00", "07:13"), ("23:59", "00:00")])), // A Sunday.
        ("2028-03-26", during(&[("02:30", "04:00")])), // When clocks are put forward in Europe.
        ("2029-01-01", during(&[])),
        ("2020-01-01", during(&[])),
    ];
    let day = |(date, works): (&str, Works)| {
        (date.parse().expect("a day"), Day { works, name: "节".into(), source: None })
    };
    let weekly = workdays(&[("08:30", "12:00"), ("14:30", "18:01")]).bands;
    let days = days.map(day).into();
    Hours::by(std::sync::Arc::new(Calendar { name: "office".into(), weekly, days, ..Calendar::default() }))
}

#[test]
fn a_calendars_days_are_in_the_year_and_those_of_years_to_come_beside_it() {
    for zone in ["Asia/Shanghai", "Europe/Berlin"] {
        let mut plan = closing(office());
        plan.city.time_zone = TimeZone::get(zone).expect("a zone");
        agrees_with_a_walk(&plan, "12345");
    }
    let year = closing(office()).year(line(&closing(office()), "12345"));
    // 260 workdays without the leap day, and the Saturday: 7 h 1 min each; then 7 h 14 min and an hour and a half.
    let open = 260 * (7 * 3_600 + 60) + (7 * 3_600 + 14 * 60) + 5_400;
    assert_eq!(year.person, Duration::from_secs(open));
    // A Monday of 2029 that is free is looked at by itself; one of 2020 is over.
    assert_eq!(year.nobody_special, Duration::from_secs(24 * 3_600));
    assert_eq!(year.person + year.nobody, Duration::from_secs(8_784 * 3_600));
}

#[test]
fn stretches_and_a_walk_through_every_hour_say_the_same() {
    let night = Hours::weekly(vec![
        Band {
            days: vec![Weekday::Saturday, Weekday::Sunday],
            from: "22:17".parse().expect("a time"),
            to: "00:00".parse().expect("a time"),
        },
        Band {
            days: vec![Weekday::Monday],
            from: "00:00".parse().expect("a time"),
            to: "06:59".parse().expect("a time"),
        },
    ]);
    for hours in [workdays(&[("08:30", "12:00"), ("14:30", "18:01")]), night, Hours::default()] {
        let mut plan = closing(hours.clone());
        agrees_with_a_walk(&plan, "12345");
        let LineMode::SubCenter { peer, .. } = &mut plan.lines.get_mut("12366").expect("a line").mode else {
            panic!("a sub-center");
        };
        peer.hours = hours;
        agrees_with_a_walk(&plan, "12366");
    }
}

#[test]
fn a_clock_that_is_put_forward_and_back_is_followed() {
    for zone in ["America/New_York", "Australia/Lord_Howe"] {
        // Edges inside the hour that is left out, and inside the one that comes twice.
        let mut plan = closing(Hours::weekly(vec![Band {
            days: vec![Weekday::Sunday],
            from: "01:15".parse().expect("a time"),
            to: "02:45".parse().expect("a time"),
        }]));
        plan.city.time_zone = TimeZone::get(zone).expect("a zone");
        agrees_with_a_walk(&plan, "12345");
    }
}

#[test]
fn a_flow_that_closes_the_line_is_told_with_its_first_instant_and_all_its_hours() {
    let plan = closing(workdays(&[("08:30", "18:00")]));
    let year = plan.year(line(&plan, "12345"));
    // 2028-01-01 is a Saturday; the year has 260 workdays of 9.5 hours.
    let (first, why) = year.first.clone().expect("a gap");
    assert_eq!(first, "2028-01-01T00:00:00+08:00".parse().expect("an instant"));
    assert_eq!(why, Why::HungUp("closed".into()));
    assert_eq!(year.person, Duration::from_secs(260 * (9 * 3_600 + 1_800)));
    assert_eq!(year.person + year.nobody, Duration::from_secs(8_784 * 3_600));
    assert!(!year.is_whole() && !year.is_empty());

    let plan = closing(workdays(&[("00:00", "23:59"), ("23:59", "00:00")]));
    let year = plan.year(line(&plan, "12345"));
    assert_eq!(year.person, Duration::from_secs(260 * 24 * 3_600), "two bands without a gap are a day");
}

#[test]
fn one_minute_in_a_year_is_a_hole() {
    let mut days = super::MONDAY_TO_FRIDAY.to_vec();
    days.extend([Weekday::Saturday, Weekday::Sunday]);
    let band = |days: &[Weekday], from: &str, to: &str| Band {
        days: days.to_vec(),
        from: from.parse().expect("a time"),
        to: to.parse().expect("a time"),
    };
    let plan =
        closing(Hours::weekly(vec![band(&days[..6], "00:00", "00:00"), band(&days[6..], "00:00", "23:59")]));
    let year = plan.year(line(&plan, "12345"));
    assert_eq!(year.nobody, Duration::from_secs(53 * 60), "a minute of each Sunday");
    let (first, _) = year.first.expect("a gap");
    assert_eq!(first, "2028-01-02T23:59:00+08:00".parse().expect("an instant"));
}

#[test]
fn a_ticket_is_as_good_as_a_person_for_who_calls_at_night() {
    let order =
        Order { category: "order".into(), values: vec![], prompt: "no_seat".into(), code_prompt: None };
    let plan = with([
        script("desk", [branch(vec![(Condition::Outside(workdays(&[("08:00", "20:00")])), "night")], None)]),
        script("night", [Act::Order(order), Act::HangUp]),
    ]);
    let year = plan.year(line(&plan, "12345"));
    assert!(year.is_whole());
    assert_eq!(year.person, Duration::from_secs(260 * 12 * 3_600));
    assert_eq!(year.reached(), 8_784);
}

#[test]
fn each_act_leads_a_silent_caller_where_it_leads_one() {
    let at: Timestamp = "2028-03-01T10:00:00+08:00".parse().expect("an instant");
    let unknown = || Condition::Value { name: "state".into(), is: vec![] };
    let hung = |id: &str| Outcome::Nobody(Why::HungUp(id.into()));
    for (acts, expected) in [
        (vec![], Outcome::Person),
        (vec![Act::HangUp], hung("first")),
        (vec![menu("question", &[('1', "end")], 5, 2)], Outcome::Person),
        (vec![collect("question", 8, 5, 2), Act::HangUp], Outcome::Person),
        (vec![Act::Survey, go("end")], hung("end")),
        (vec![branch(vec![(unknown(), "end")], None)], hung("end")),
        (vec![branch(vec![(Condition::Line(vec!["12336".into()]), "end")], None)], Outcome::Person),
        (vec![branch(vec![(Condition::Line(vec!["12345".into()]), "end")], None)], hung("end")),
        (vec![branch(vec![(Condition::Caller(vec!["138".into()]), "on")], Some("end"))], hung("end")),
        (vec![Act::Queue("main".into())], Outcome::Person),
        (vec![Act::Queue("nobody".into())], Outcome::Ticket),
        (vec![message(), Act::HangUp], Outcome::Ticket),
        (vec![message(), go("end")], Outcome::Ticket),
        (vec![message()], Outcome::Person),
        (vec![go("round")], Outcome::Person),
        (vec![go("missing")], Outcome::Person),
    ] {
        let shown = format!("{acts:?}");
        let plan = with([
            script("first", acts),
            script("end", [Act::HangUp]),
            script("on", []),
            script("round", [go("round")]),
        ]);
        assert_eq!(plan.outcome(line(&plan, "12345"), at), expected, "{shown}");
    }
}

fn message() -> Act {
    let (most, least) = (Duration::from_secs(60), Duration::from_secs(2));
    Act::Message(Message { into: "matter".into(), prompt: "question".into(), most, least, tries: 1 })
}

#[test]
fn hours_in_which_no_seat_is_on_shift_have_a_ticket() {
    let mut plan = plan();
    for (seat, shift) in plan.seats.values_mut().zip([("08:00", "18:00"), ("12:00", "20:00")]) {
        seat.hours = workdays(&[shift]);
    }
    agrees_with_a_walk(&plan, "12345");
    let year = plan.year(line(&plan, "12345"));
    assert_eq!(year.person, Duration::from_secs(260 * 12 * 3_600));
    assert_eq!((year.reached(), year.is_whole()), (8_784, true));
    let first: Timestamp = "2028-01-01T00:00:00+08:00".parse().expect("an instant");
    assert_eq!(year.off_shift["main"], (year.ticket, first));
    let row = plan.readiness(first).into_iter().find(|row| row.number == "12345").expect("a row");
    assert_eq!(row.proof.expect("a proof").ticket, 8_784 - 260 * 12);
    // A flow of the operator's that takes tickets at night is no lack of seats.
    plan.seats.values_mut().next().expect("a seat").hours = Hours::default();
    assert_eq!(plan.year(line(&plan, "12345")).off_shift.len(), 0);
}

#[test]
fn a_merged_number_is_owed_a_person_but_for_the_refusal_behind_its_months() {
    let mut plan = plan();
    let at: Timestamp = "2028-03-01T10:00:00+08:00".parse().expect("an instant");
    assert!(plan.year(line(&plan, "12336")).is_whole());
    plan.transition.afterwards = hotline::routing::plan::Afterwards::Release(Default::default());
    assert!(plan.year(line(&plan, "12336")).is_whole(), "until then");
    let rows = plan.readiness(at);
    let row = rows.iter().find(|row| row.number == "12336").expect("a row");
    assert_eq!((row.proof.is_none(), row.treatment.en.as_str()), (true, "retired, refused"));
    let mut plan = closing(workdays(&[("08:30", "18:00")]));
    plan.lines.get_mut("12336").expect("a line").script = Some("desk".into());
    let year = plan.year(line(&plan, "12336"));
    assert_eq!(year.person, Duration::from_secs(260 * (9 * 3_600 + 1_800)));
    assert_eq!(year, plan.year(line(&plan, "12345")));
}

#[test]
fn without_seats_there_is_a_ticket_and_a_refusal_is_nobody() {
    let at: Timestamp = "2028-03-01T10:00:00+08:00".parse().expect("an instant");
    let mut plan = plan();
    plan.seats.clear();
    assert_eq!(plan.outcome(line(&plan, "12345"), at), Outcome::Ticket);
    plan.transition.afterwards = hotline::routing::plan::Afterwards::Release(Default::default());
    assert_eq!(plan.outcome(line(&plan, "12336"), at), Outcome::Nobody(Why::Refused(410)));
}
