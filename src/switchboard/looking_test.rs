use super::*;
use crate::routing::plan::City;
use crate::routing::script::LookUpKind;

const LOCK: Duration = Duration::from_secs(600);

fn source(misses_max: u8) -> LookUpSource {
    LookUpSource {
        id: "tickets".into(),
        kind: LookUpKind::Tickets,
        says: Default::default(),
        timeout: Duration::from_secs(3),
        misses_max,
        lock: LOCK,
    }
}

fn number(digits: &str) -> Asker {
    Asker::Number(digits.to_owned())
}

fn at(secs: u64) -> Instant {
    Instant::from_millis(secs * 1_000)
}

/// Asks, and gets this answer at once; whether it was let through.
fn asks(lookings: &mut Lookings, asker: &Asker, missed: bool, now: Instant) -> bool {
    let source = source(3);
    let Some(key) = lookings.begin(&source, asker.clone(), &"carrier".into(), now) else { return false };
    lookings.end(&key, missed, source.misses_max, source.lock, now);
    true
}

#[test]
fn after_so_many_misses_a_caller_is_asked_no_more_for_the_time_of_the_lock_row_by_row() {
    let mut lookings = Lookings::default();
    let one = number("13800000001");
    for (secs, missed, let_through) in [
        (0, true, true),
        (1, true, true),
        (2, false, true), // What is found forgives nothing: whoever has one ticket guesses at others.
        (400, true, true),
        (401, false, false),
        (1_000, false, false),
        (1_001, true, true), // 600 s after the last.
        (1_002, true, true),
        (1_602, false, true), // Of the two the first was 601 s ago.
        (1_603, true, true),
    ] {
        assert_eq!(asks(&mut lookings, &one, missed, at(secs)), let_through, "at {secs} s");
    }
    assert!(asks(&mut lookings, &number("13800000002"), true, at(401)), "nobody else is locked");
}

#[test]
fn questions_under_way_count_until_they_are_known_to_be_none() {
    let mut lookings = Lookings::default();
    let source = source(2);
    let begin = |lookings: &mut Lookings| lookings.begin(&source, number("1"), &"carrier".into(), at(0));
    let (one, two) = (begin(&mut lookings).expect("let through"), begin(&mut lookings).expect("let through"));
    assert!(begin(&mut lookings).is_none(), "a third at once");
    assert!(!lookings.is_quiet());
    lookings.end(&one, false, 2, LOCK, at(0));
    let three = begin(&mut lookings).expect("one was found");
    lookings.end(&two, true, 2, LOCK, at(0));
    lookings.end(&three, true, 2, LOCK, at(0));
    assert!(begin(&mut lookings).is_none() && lookings.is_quiet());
}

#[test]
fn while_it_is_full_who_is_not_known_counts_with_those_who_withhold_their_number() {
    let mut lookings = Lookings::default();
    for n in 0..ASKERS_MAX {
        assert!(asks(&mut lookings, &number(&n.to_string()), true, at(0)));
    }
    for n in 0..4 {
        let through = asks(&mut lookings, &number(&format!("new {n}")), true, at(1));
        assert_eq!(through, n < 3, "{n}");
    }
    assert_eq!(lookings.askers.len(), ASKERS_MAX + 1);
    assert!(!asks(&mut lookings, &Asker::Trunk("carrier".into()), true, at(2)));
    assert!(asks(&mut lookings, &number("0"), true, at(2)), "who is known counts alone");
    // Their time is over: there is room again.
    assert!(asks(&mut lookings, &number("new 9"), true, at(700)));
    assert_eq!(lookings.askers.len(), 1);
}

#[test]
fn who_found_something_is_not_kept() {
    let mut lookings = Lookings::default();
    assert!(asks(&mut lookings, &number("1"), false, at(0)));
    assert!(lookings.askers.is_empty());
}

#[test]
fn one_caller_is_one_however_the_number_is_written_and_withheld_ones_are_one_for_each_trunk() {
    let city = City {
        name: "濮阳市".into(),
        area_code: "0393".into(),
        country_code: "86".into(),
        time_zone: jiff::tz::TimeZone::UTC,
    };
    let of = |caller: &str| asker(caller, &"carrier".into(), &city);
    for form in ["13800000001", "+8613800000001", "008613800000001", "013800000001"] {
        assert_eq!(of(form), number("13800000001"), "{form}");
    }
    assert_eq!(of("4420001"), of("03934420001"));
    assert_eq!(of("+4420001"), number("+4420001"), "another country's");
    for form in ["", "anonymous", "+", "1380000000x", &"1".repeat(NUMBER_MAX + 1)] {
        assert_eq!(of(form), Asker::Trunk("carrier".into()), "{form}");
    }
}

#[test]
fn one_sources_lock_says_nothing_of_another_sources_misses() {
    let mut lookings = Lookings::default();
    let long = LookUpSource { id: "owners".into(), lock: LOCK * 100, ..source(3) };
    let guesser = number("13800000001");
    for _ in 0..3 {
        let key = lookings.begin(&long, guesser.clone(), &"carrier".into(), at(0)).expect("let through");
        lookings.end(&key, true, long.misses_max, long.lock, at(0));
    }
    for n in 1..ASKERS_MAX {
        assert!(asks(&mut lookings, &number(&n.to_string()), true, at(0)));
    }
    // It is full, and whoever asked at the other source is forgotten.
    assert!(asks(&mut lookings, &number("new"), true, at(700)));
    assert_eq!(lookings.askers.len(), 2);
    assert!(lookings.begin(&long, guesser, &"carrier".into(), at(700)).is_none(), "locked still");
}

#[test]
fn every_number_that_a_flow_has_rung_is_hidden_whenever_it_is_told() {
    let hidden = ["13900000001".to_owned(), "13900000002".to_owned()];
    let failed = |number: &str| What::PeerFailed { trunk: "out".into(), number: number.into(), status: 486 };
    for (number, shown) in
        [("13900000001", "139******01"), ("13900000002", "139******02"), ("12366", "12366")]
    {
        let mut what = failed(number);
        hide(&mut what, &hidden);
        assert_eq!(what, failed(shown));
    }
}
