//! Calendars: what the plan makes of them, day by day, and what is told and proved of them.

use std::time::Duration;

use hotline::routing::difference::Difference;
use hotline::routing::hours::Hours;
use hotline::routing::plan::{LineMode, Plan};
use hotline::routing::proof::hours::LEAP_YEAR;
use hotline::time::Timestamp;

use super::base::{Edit, Files, add, codes};

/// Experts of 12348 by a calendar.
macro_rules! by {
    ($calendar:literal) => {
        Edit::Plan(
            "[[ticket_sink]]\n",
            concat!(
                $calendar,
                "\n\n[[expert_group]]\nnumber = '12348'\nname = \"a\"\ndepartment = \"b\"\nseats = ['1002']\nhours = \"office\"\n\n[[ticket_sink]]\n"
            ),
        )
    };
}

const OFFICE: Edit = by!(
    "[[calendar]]\nname = \"office\"\nweekly = [{ days = \"mon-fri\", from = \"08:30\", to = \"12:00\" }, { days = \"mon-fri\", from = \"14:30\", to = \"18:00\" }]"
);

fn plan_of(edits: &[Edit]) -> Plan {
    let outcome = Files::with(edits).judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    outcome.plan.expect("a plan")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn experts(plan: &Plan) -> &Hours {
    &plan.experts["12348"].hours
}

/// A day's edges: a nanosecond before it is open, its first instant, its last, and noon.
fn is_worked(plan: &Plan, day: &str) -> bool {
    let open = |time: &str| experts(plan).are_open(at(&format!("{day}T{time}+08:00")), &plan.city.time_zone);
    let seen = ["08:30:00", "11:59:59.999999999", "14:30:00", "17:59:59.999999999"].map(open);
    let shut = ["00:00:00", "08:29:59.999999999", "12:00:00", "14:29:59.999999999", "18:00:00", "23:59:59"]
        .map(open);
    assert_eq!(shut, [false; 6], "{day}");
    assert!(seen == [true; 4] || seen == [false; 4], "{day}: {seen:?}");
    seen[0]
}

#[test]
fn every_holiday_of_2026_is_free_and_every_day_that_is_made_up_is_worked() {
    let plan = plan_of(&[OFFICE]);
    // Each first and last day of a holiday, the workday before and the one behind.
    for (before, first, last, behind) in [
        ("2025-12-31", "2026-01-01", "2026-01-03", "2026-01-04"),
        ("2026-02-14", "2026-02-15", "2026-02-23", "2026-02-24"),
        ("2026-04-03", "2026-04-04", "2026-04-06", "2026-04-07"),
        ("2026-04-30", "2026-05-01", "2026-05-05", "2026-05-06"),
        ("2026-06-18", "2026-06-19", "2026-06-21", "2026-06-22"),
        ("2026-09-24", "2026-09-25", "2026-09-27", "2026-09-28"),
        ("2026-09-30", "2026-10-01", "2026-10-07", "2026-10-08"),
    ] {
        assert!(is_worked(&plan, before) && is_worked(&plan, behind), "{before}, {behind}");
        let mut day: jiff::civil::Date = first.parse().expect("a day");
        let last: jiff::civil::Date = last.parse().expect("a day");
        while day <= last {
            assert!(!is_worked(&plan, &day.to_string()), "{day}");
            day = day.tomorrow().expect("a day");
        }
    }
    for worked in ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"] {
        assert!(is_worked(&plan, worked), "{worked}");
    }
    // 365 days with 104 of week's ends; 33 are free, 6 are made up.
    let days = jiff::civil::date(2026, 1, 1).series(jiff::Span::new().days(1)).take(365);
    assert_eq!(days.filter(|day| is_worked(&plan, &day.to_string())).count(), 248);
    let years: Vec<i16> = plan.calendars["office"].years.iter().copied().collect();
    assert_eq!(years, [2021, 2025, 2026]);
}

#[test]
fn a_year_of_ones_own_special_days_and_a_weekday_of_ones_own_choice_hold() {
    let plan = plan_of(&[by!(
        "[[calendar]]\nname = \"office\"\nweekly = [{ days = \"mon-thu\", from = \"08:30\", to = \"18:00\" }, { days = \"fri\", from = \"08:30\", to = \"12:00\" }]\nworked_as = \"fri\"\nspecial = [{ day = 2026-10-02, name = \"值班\", hours = [{ from = \"09:00\", to = \"10:00\" }, { from = \"23:00\", to = \"24:00\" }] }, { day = 2026-10-10, name = \"盘点\" }]\n\n[[holiday]]\nname = \"元旦\"\nfrom = 2027-01-01\nuntil = 2027-01-03\nworked = [2027-01-09]"
    )]);
    let open = |instant: &str| experts(&plan).are_open(at(instant), &plan.city.time_zone);
    for (instant, there) in [
        ("2027-01-01T09:00:00+08:00", false), // A Friday.
        ("2027-01-04T17:59:59+08:00", true),
        ("2027-01-09T11:59:59+08:00", true), // Worked as a Friday: its morning.
        ("2027-01-09T12:00:00+08:00", false),
        ("2026-02-28T12:00:00+08:00", false),
        ("2026-10-02T08:59:59+08:00", false), // In a holiday, and open for an hour.
        ("2026-10-02T09:00:00+08:00", true),
        ("2026-10-02T10:00:00+08:00", false),
        ("2026-10-02T23:59:59+08:00", true),
        ("2026-10-03T00:00:00+08:00", false),
        ("2026-10-10T09:00:00+08:00", false), // Made up by the notice, and closed by the calendar.
    ] {
        assert_eq!(open(instant), there, "{instant}");
    }
    let without = plan_of(&[by!(
        "[[calendar]]\nname = \"office\"\npublic_holidays = false\nweekly = [{ days = \"mon-fri\", from = \"08:30\", to = \"18:00\" }]"
    )]);
    assert!(experts(&without).are_open(at("2026-10-01T09:00:00+08:00"), &without.city.time_zone));
    assert!(without.calendars["office"].years.is_empty());
}

#[test]
fn a_calendar_in_a_file_of_its_own_is_as_good() {
    let files = Files::with(&[
        Edit::Plan("purpose = \"live\"", "purpose = \"live\"\ninclude = [\"holidays.toml\"]"),
        OFFICE,
        Edit::File("holidays.toml", "[[holiday]]\nname = \"元旦\"\nfrom = 2027-01-01\n"),
    ]);
    let outcome = files.judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    assert!(!is_worked(&plan, "2027-01-01") && is_worked(&plan, "2027-01-04"));
}

#[test]
fn the_next_year_is_asked_for_from_december_on_and_a_year_that_is_not_known_always() {
    let holidays = [
        ("元旦", "01-01"),
        ("春节", "02-06"),
        ("清明节", "04-05"),
        ("劳动节", "05-01"),
        ("端午节", "06-09"),
        ("国庆节", "10-01"),
    ];
    let holidays =
        holidays.map(|(name, day)| format!("\n\n[[holiday]]\nname = \"{name}\"\nfrom = 2027-{day}"));
    let year = holidays.concat();
    let filled: &'static str = String::leak(format!(
        "[[calendar]]\nname = \"office\"\nweekly = [{{ days = \"mon-fri\", from = \"08:30\", to = \"18:00\" }}]{year}\n\n[[expert_group]]\nnumber = '12348'\nname = \"a\"\ndepartment = \"b\"\nseats = ['1002']\nhours = \"office\"\n\n[[ticket_sink]]\n"
    ));
    let judged = |edit: Edit, now: &'static str| codes(&Files::with(&[edit, Edit::At(now)]).judge().report);
    for (now, bare, with_2027) in [
        ("2026-11-30T23:59:59.999999999+08:00", &[][..], &[][..]),
        ("2026-12-01T00:00:00+08:00", &["W1304"][..], &[][..]),
        ("2026-11-30T16:00:00Z", &["W1304"][..], &[][..]), // December has begun in the city.
        ("2027-01-01T00:00:00+08:00", &["W1304"][..], &[][..]),
        ("2027-11-30T00:00:00+08:00", &["W1304"][..], &[][..]),
        ("2027-12-01T00:00:00+08:00", &["W1304"][..], &["W1304"][..]),
        ("2020-12-15T00:00:00+08:00", &["W1304"][..], &["W1304"][..]), // 2020 is not known.
        ("2025-12-15T00:00:00+08:00", &[][..], &[][..]),
    ] {
        assert_eq!(judged(OFFICE, now), bare, "{now}");
        assert_eq!(judged(Edit::Plan("[[ticket_sink]]\n", filled), now), with_2027, "{now}");
    }
    let files = Files::with(&[OFFICE, Edit::At("2026-12-01T00:00:00+08:00")]);
    assert_eq!(files.open().report.for_the_log().map(|found| found.code).collect::<Vec<_>>(), ["W1304"]);
    assert!(files.open().plan.is_some(), "a house opens all the same");
}

#[test]
fn a_proof_finds_the_holiday_on_which_two_calendars_leave_nobody() {
    // One desk keeps public holidays, the other does not work on Mondays to Fridays: between them each hour of an ordinary
    // week is covered, and on a holiday on a workday none is.
    let plan = plan_of(&[add!(
        "[[calendar]]\nname = \"week\"\nweekly = [{ days = \"mon-fri\", from = \"00:00\", to = \"24:00\" }]\n\n[[calendar]]\nname = \"ends\"\nweekly = [{ days = \"sat,sun\", from = \"00:00\", to = \"24:00\" }]\npublic_holidays = false\n\n[[department]]\nnumber = \"7001\"\nname = \"a\"\ntrunk = \"tax\"\nhours = \"week\"\n\n[[department]]\nnumber = \"7002\"\nname = \"b\"\ntrunk = \"tax\"\nhours = \"ends\""
    )]);
    use hotline::routing::script::{Act, Condition};
    let hours = |number: &str| plan.departments[number].hours.clone();
    let mut closing = super::proof::with([
        super::proof::script(
            "desk",
            [super::proof::branch(
                vec![(Condition::Inside(hours("7001")), "on"), (Condition::Inside(hours("7002")), "on")],
                Some("closed"),
            )],
        ),
        super::proof::script("on", []),
        super::proof::script("closed", [Act::HangUp]),
    ]);
    closing.calendars = plan.calendars.clone();
    let line = super::proof::line(&closing, "12345");
    let year = closing.year(line);
    assert_eq!(
        (year.hours(), year.reached(), year.nobody),
        (8_784, 8_784, Duration::ZERO),
        "the leap year is whole"
    );
    assert!(!year.is_whole());
    let (first, _) = year.first.clone().expect("a gap");
    assert_eq!(first, at("2026-01-01T00:00:00+08:00"), "New Year's day is a Thursday");
    // 33 holidays, of which 14 lie at a week's end, where the second desk is there.
    let days = 2 + 6 + 1 + 3 + 1 + 1 + 5;
    assert_eq!(year.nobody_special, Duration::from_secs(days * 24 * 3_600));
    let calendar = closing.calendar(line, LEAP_YEAR);
    assert_eq!(calendar.states.len(), 4, "one or the other, neither, and both on a Saturday that is made up");
}

#[test]
fn a_sub_centers_bands_are_told_and_its_calendar_is_refused_but_kept_seats_have_one() {
    let kept = Files::with(&[
        Edit::Plan(
            "row = \"2-1\"\nmode = \"dual\"\nqueue = \"main\"\nexpert_seats = true\nskills = [\"law\"]",
            "row = \"2-1\"\nmode = \"dual\"\nqueue = \"main\"\nseats = \"retained\"\ntrunk = \"tax\"\nhours = \"office\"",
        ),
        add!(
            "[[calendar]]\nname = \"office\"\nweekly = [{ days = \"mon-fri\", from = \"08:30\", to = \"18:00\" }]"
        ),
    ]);
    let outcome = kept.judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    let line = &plan.lines["12348"];
    assert!(matches!(&line.mode, LineMode::Retained { peer, .. } if peer.hours.calendar.is_some()));
    let dials = |instant: &str| {
        let flow = plan.flow(line, at(instant));
        assert!(flow.may_queue(), "a person is reached at any hour");
        flow.steps.iter().any(|step| matches!(step, hotline::routing::plan::Step::Dial { .. }))
    };
    assert!(dials("2026-09-30T10:00:00+08:00") && !dials("2026-10-01T10:00:00+08:00"));
    assert!(dials("2026-10-10T10:00:00+08:00") && !dials("2026-10-11T10:00:00+08:00"));
    let year = plan.year(line);
    assert!(year.is_whole() && year.hours() == 8_784, "its callers come to 12345 on holidays");
    assert_eq!(plan.calendar(line, LEAP_YEAR).states.len(), 2);
}

#[test]
fn staffing_counts_the_fewest_seats_of_the_hours_in_which_so_many_call() {
    let seats = |shift: &'static str, hours: &'static str| {
        let staffing = String::leak(format!(
            "announce_every = \"29s\"\nstaffing = {{ calls_per_hour = 4, talk = \"2min\"{hours} }}"
        ));
        let own = String::leak(format!("secret = {{ file = \"secrets/seat-1001\" }}\n{shift}"));
        let files = Files::with(&[
            Edit::Plan("announce_every = \"29s\"", staffing),
            Edit::Plan("secret = { file = \"secrets/seat-1001\" }", own),
            OFFICE,
        ]);
        let outcome = files.judge();
        let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
        let need = plan.staffing().remove(0);
        (need.there, need.fewest_at)
    };
    let daily = ", hours = [{ days = \"daily\", from = \"09:00\", to = \"11:00\" }]";
    assert_eq!(seats("", ""), (2, None));
    assert_eq!(seats("", daily), (2, None));
    let shift = "hours = \"office\"";
    // 2028-01-01 is a Saturday.
    assert_eq!(seats(shift, ""), (1, Some(at("2028-01-01T00:00:00+08:00"))));
    assert_eq!(seats(shift, daily), (1, Some(at("2028-01-01T09:00:00+08:00"))));
    let workdays = ", hours = [{ days = \"mon-fri\", from = \"09:00\", to = \"11:00\" }]";
    assert_eq!(
        seats(shift, workdays),
        (1, Some(at("2026-01-01T09:00:00+08:00"))),
        "the first holiday that is known"
    );
    assert_eq!(seats(shift, ", hours = \"office\""), (2, None), "callers keep the holidays, too");
}

#[test]
fn a_change_of_a_calendar_is_told_holiday_by_holiday() {
    let old = plan_of(&[OFFICE]);
    let new = plan_of(&[by!(
        "[[calendar]]\nname = \"office\"\nweekly = [{ days = \"mon-fri\", from = \"08:30\", to = \"12:00\" }]\nspecial = [{ day = 2026-12-31, name = \"年终\", hours = [{ from = \"08:30\", to = \"10:00\" }] }, { day = 2027-01-02, name = \"年终\" }, { day = 2027-01-03, name = \"年终\" }]\n\n[[holiday]]\nname = \"国庆节\"\nfrom = 2027-10-01\nuntil = 2027-10-07\nworked = [2027-09-26, 2027-10-09]"
    )]);
    let said: Vec<String> = Difference::between(&old, &new)
        .changes
        .into_iter()
        .map(|change| format!("{} / {}", change.text.zh, change.text.en))
        .collect();
    assert_eq!(
        said,
        [
            "日历 office: 每周 周一至周五 08:30–12:00、周一至周五 14:30–18:00 → 周一至周五 08:30–12:00 / calendar office: weekly Mon–Fri 08:30–12:00, Mon–Fri 14:30–18:00 → Mon–Fri 08:30–12:00",
            "日历 office: 年终 2026 无 → 当天 12-31 08:30–10:00 / calendar office: 年终 2026 none → on 12-31 08:30–10:00",
            "日历 office: 国庆节 2027 无 → 放假 10-01–10-07；上班 09-26、10-09 / calendar office: 国庆节 2027 none → free 10-01–10-07; worked 09-26, 10-09",
            "日历 office: 年终 2027 无 → 放假 01-02–01-03 / calendar office: 年终 2027 none → free 01-02–01-03",
        ]
    );
}

#[test]
fn a_branch_by_a_calendar_is_explained_with_the_line_that_decides_the_day() {
    let files = Files::with(&[
        Edit::Plan(
            "mode = \"primary\"\nqueue = \"main\"",
            "mode = \"primary\"\nqueue = \"main\"\nflow = \"desk\"",
        ),
        add!(
            "[[flow]]\nname = \"desk\"\n[[flow.step]]\nbranch = [{ outside = \"office\", to = \"late\" }]\n\n[[flow]]\nname = \"late\"\n[[flow.step]]\nplay = \"no_seat\"\n\n[[calendar]]\nname = \"office\"\nweekly = [{ days = \"mon-fri\", from = \"08:30\", to = \"18:00\" }]\nspecial = [\n{ day = 2026-07-04, name = \"值班\", hours = [{ from = \"09:00\", to = \"10:00\" }] },\n]\n\n[[holiday]]\nname = \"元旦\"\nfrom = 2027-01-01\nuntil = 2027-01-03\nworked = [\n2027-01-09]"
        ),
    ]);
    let outcome = files.judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    let dialled = hotline::routing::Dialled::request_uri("12345");
    for (instant, late, decides) in [
        ("2026-07-03T17:59:59+08:00", false, "weekly = [{ days"),
        ("2026-07-03T18:00:00+08:00", true, "weekly = [{ days"),
        ("2026-07-04T09:00:00+08:00", false, "{ day = 2026-07-04"),
        ("2026-07-04T10:00:00+08:00", true, "{ day = 2026-07-04"),
        ("2026-07-05T10:00:00+08:00", true, "name = \"office\""), // A Sunday has no band.
        ("2027-01-01T10:00:00+08:00", true, "from = 2027-01-01"),
        ("2027-01-09T10:00:00+08:00", false, "2027-01-09]"),
        ("2026-10-01T10:00:00+08:00", true, "name = \"office\""), // By the list that comes with the engine.
    ] {
        let said =
            plan.explain(&outcome.origins, &plan.trunks["carrier"], &dialled, "13800000000", at(instant));
        let flows: Vec<&str> = said.flows.iter().map(|flow| flow.name.as_str()).collect();
        assert_eq!(flows, if late { vec!["desk", "late"] } else { vec!["desk"] }, "{instant}");
        let last = said.decided_by.last().expect("a place");
        assert!(last.text.starts_with(decides), "{instant}: {last:?}");
    }
}
