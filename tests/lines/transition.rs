//! The three months after cut-over: who hears the prompt, from which instant to which.

use hotline::routing::difference::Difference;
use hotline::routing::plan::{Plan, Step};

use super::city::{edited, flow, plan, prompts};
use super::list::part;

const BEFORE: &str = "2021-07-31T23:59:59.999999999+08:00";
const FIRST: &str = "2021-08-01T00:00:00+08:00";
const LAST: &str = "2021-10-31T23:59:59.999999999+08:00";
const AFTER: &str = "2021-11-01T00:00:00+08:00";

#[test]
fn the_eleven_merged_numbers_are_prompted_from_the_first_instant_to_the_last() {
    for number in part("1") {
        for (instant, heard) in [(BEFORE, false), (FIRST, true), (LAST, true), (AFTER, false)] {
            assert_eq!(prompts(plan(), number, instant), heard, "{number} at {instant}");
        }
    }
}

#[test]
fn the_months_are_the_citys_whatever_zone_an_instant_is_written_in() {
    for (instant, heard) in [
        ("2021-07-31T15:59:59.999999999Z", false),
        ("2021-07-31T16:00:00Z", true),
        ("2021-10-31T15:59:59Z", true),
        ("2021-10-31T16:00:00Z", false),
        ("2021-10-31T12:00:00-04:00", false),
    ] {
        assert_eq!(prompts(plan(), "12336", instant), heard, "{instant}");
    }
}

#[test]
fn nobody_else_ever_hears_the_prompt() {
    for number in part("2").chain(part("3")).chain(["12345"]) {
        for instant in [BEFORE, FIRST, LAST, AFTER] {
            assert!(!prompts(plan(), number, instant), "{number} at {instant}");
        }
    }
}

#[test]
fn a_merged_call_is_prompted_greeted_and_queued_and_outside_its_months_only_greeted_and_queued() {
    let words = |instant| -> Vec<String> {
        flow(plan(), "12336", instant).steps.iter().map(|step| format!("{step:?}")).collect()
    };
    let inside = [
        "Ring",
        "Answer",
        "Play(\"transition\")",
        "Play(\"greeting\")",
        "Queue(\"main\")",
        "Survey",
        "Ticket { prompt: \"no_seat\", reason: Overflow }",
    ];
    let outside: Vec<&str> = inside.into_iter().filter(|step| !step.contains("transition")).collect();
    assert_eq!(words(FIRST), inside);
    assert_eq!(words(LAST), inside);
    assert_eq!(words(BEFORE), outside);
    assert_eq!(words(AFTER), outside);
    assert_eq!(flow(plan(), "12345", FIRST).steps, flow(plan(), "12336", AFTER).steps, "as 12345");
}

#[test]
fn early_media_puts_the_prompt_before_the_answer() {
    let early = edited(&[("early_media = false", "early_media = true")]);
    let steps = flow(&early, "12336", FIRST).steps;
    assert_eq!(steps[1..3], [Step::PlayEarly("transition".into()), Step::Answer]);
    assert_eq!(flow(&early, "12336", AFTER).steps, flow(plan(), "12336", AFTER).steps);
}

#[test]
fn after_the_months_a_number_is_refused_where_the_city_wants_it_so() {
    let strict = edited(&[("afterwards = \"connect\"", "afterwards = \"release\"")]);
    for number in part("1") {
        assert_eq!(flow(&strict, number, AFTER).steps, [Step::Refuse { status: 410 }], "{number}");
        assert!(prompts(&strict, number, LAST), "{number}: not a moment earlier");
        assert_eq!(flow(&strict, number, BEFORE).steps, flow(plan(), number, BEFORE).steps, "{number}");
    }
    for number in part("2").chain(part("3")).chain(["12345"]) {
        assert_eq!(flow(&strict, number, AFTER).steps, flow(plan(), number, AFTER).steps, "{number}");
    }
}

#[test]
fn the_carrier_is_told_why_a_number_is_over_as_the_city_says() {
    let over =
        |said: &str| edited(&[("afterwards = \"connect\"", &format!("afterwards = \"release\"\n{said}"))]);
    let status = |plan: &Plan, number: &str| match flow(plan, number, AFTER).steps[..] {
        [Step::Refuse { status }] => Some(status),
        _ => None,
    };
    for (said, expected, cause) in [
        ("", 410, "Q.850;cause=22;text=\"Number changed\""),
        ("cause = \"number_changed\"", 410, "Q.850;cause=22;text=\"Number changed\""),
        ("cause = \"unallocated\"", 404, "Q.850;cause=1;text=\"Unallocated number\""),
    ] {
        let plan = over(said);
        assert!(part("1").all(|number| status(&plan, number) == Some(expected)), "{said}");
        assert_eq!(hotline::sip::reason::of_refusal(expected), Some(cause), "{said}");
    }
    let changes = Difference::between(&over(""), &over("cause = \"unallocated\"")).changes;
    let told: Vec<&str> = changes.iter().map(|change| change.text.en.as_str()).collect();
    assert!(
        matches!(told[..], [one] if one.ends_with("afterwards refused (410) → refused (404)")),
        "{told:?}"
    );
    // A number's own word counts before the file's, and what it leaves out is as there.
    let own = |own: &str| {
        let own = format!("row = \"1-3\"\ntransition = {{ {own} }}");
        let whole = "afterwards = \"release\"\ncause = \"unallocated\"";
        let plan = edited(&[("afterwards = \"connect\"", whole), ("row = \"1-3\"", &own)]);
        (status(&plan, "12336"), status(&plan, "12349"))
    };
    assert_eq!(own("cause = \"number_changed\""), (Some(410), Some(404)));
    assert_eq!(own("months = 2"), (Some(404), Some(404)));
    assert_eq!(own("afterwards = \"connect\""), (None, Some(404)));
    // A number that is past its last day, as 12319 of part 2 can be, was changed.
    let ended = edited(&[("number = \"12319\"", "number = \"12319\"\nuntil = 2021-10-31")]);
    assert_eq!(status(&ended, "12319"), Some(410));
}

/// First and last prompted second of 12336 under a transition of `months` from `start`.
fn prompted(start: &str, months: u8) -> Plan {
    edited(&[
        ("start = 2021-08-01", &format!("start = {start}")),
        ("months = 3\n", &format!("months = {months}\n")),
    ])
}

#[test]
fn calendar_months_end_with_the_month_where_it_lacks_the_day() {
    for (start, months, last_day, next_day) in [
        ("2021-08-01", 3, "2021-10-31", "2021-11-01"),
        ("2021-08-15", 3, "2021-11-14", "2021-11-15"),
        ("2021-08-31", 3, "2021-11-30", "2021-12-01"), // November has no 31st.
        ("2021-11-30", 3, "2022-02-28", "2022-03-01"), // February has no 30th,
        ("2023-11-30", 3, "2024-02-29", "2024-03-01"), // not in a leap year either.
        ("2021-11-29", 3, "2022-02-28", "2022-03-01"),
        ("2023-11-29", 3, "2024-02-28", "2024-02-29"), // A leap year's February has the 29th: it is the end.
        ("2021-11-28", 3, "2022-02-27", "2022-02-28"),
        ("2024-02-29", 12, "2025-02-28", "2025-03-01"),
        ("2099-11-30", 3, "2100-02-28", "2100-03-01"), // 2100 is no leap year.
        ("2021-01-31", 1, "2021-02-28", "2021-03-01"),
        ("2021-12-31", 2, "2022-02-28", "2022-03-01"),
        ("2021-12-01", 1, "2021-12-31", "2022-01-01"),
    ] {
        let plan = prompted(start, months);
        for (instant, heard) in [
            (format!("{start}T00:00:00+08:00"), true),
            (format!("{last_day}T23:59:59.999999999+08:00"), true),
            (format!("{next_day}T00:00:00+08:00"), false),
        ] {
            assert_eq!(prompts(&plan, "12336", &instant), heard, "{months} months from {start}: {instant}");
        }
    }
}

#[test]
fn a_number_may_have_dates_and_an_end_of_its_own() {
    let own = "row = \"1-3\"\ntransition = { start = 2021-09-01, months = 2, afterwards = \"release\" }";
    let plan = edited(&[("row = \"1-3\"", own)]);
    for (instant, own, others) in [
        ("2021-08-31T23:59:59+08:00", false, true),
        ("2021-09-01T00:00:00+08:00", true, true),
        ("2021-10-31T23:59:59+08:00", true, true),
        ("2021-11-01T00:00:00+08:00", false, false),
    ] {
        assert_eq!(prompts(&plan, "12336", instant), own, "12336 at {instant}");
        assert_eq!(prompts(&plan, "12349", instant), others, "12349 at {instant}");
    }
    assert_eq!(flow(&plan, "12336", AFTER).steps, [Step::Refuse { status: 410 }]);
    assert_eq!(flow(&plan, "12349", AFTER).steps, flow(&plan, "12345", AFTER).steps);
}

#[test]
fn what_a_number_leaves_out_is_as_in_the_file() {
    let later = edited(&[("row = \"1-3\"", "row = \"1-3\"\ntransition = { start = 2021-09-15 }")]);
    assert!(!prompts(&later, "12336", "2021-09-14T23:59:59+08:00"));
    assert!(prompts(&later, "12336", "2021-12-14T23:59:59+08:00"), "three months, as in the file");
    assert!(!prompts(&later, "12336", "2021-12-15T00:00:00+08:00"));
    let longer = edited(&[("row = \"1-3\"", "row = \"1-3\"\ntransition = { months = 6 }")]);
    assert!(!prompts(&longer, "12336", BEFORE) && prompts(&longer, "12336", FIRST), "begins as in the file");
    assert!(prompts(&longer, "12336", "2022-01-31T23:59:59+08:00"));
    assert!(!prompts(&longer, "12336", "2022-02-01T00:00:00+08:00"));
}
