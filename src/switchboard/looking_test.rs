use super::*;
use crate::id::Dice;
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

fn city() -> City {
    City {
        name: "濮阳市".into(),
        area_code: "0393".into(),
        country_code: "86".into(),
        org: None,
        time_zone: jiff::tz::TimeZone::UTC,
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
    let Ok(keys) = begins(lookings, &source, asker, None, now) else { return false };
    lookings.end(&keys, missed, (source.misses_max, source.lock), now);
    true
}

fn begins(
    lookings: &mut Lookings,
    source: &LookUpSource,
    asker: &Asker,
    ticket: Option<&str>,
    now: Instant,
) -> Result<Keys, Lock> {
    let by = |ticket: &str| {
        BTreeMap::from(
            [("ticket", ticket), ("code", "1")].map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
    };
    lookings.begin(
        source,
        asker.clone(),
        ticket.and_then(|ticket| about(&by(ticket))),
        &"carrier".into(),
        now,
    )
}

/// Guesses at a ticket's code, in vain.
fn guesses(lookings: &mut Lookings, asker: &Asker, ticket: &str, now: Instant) -> Result<(), Lock> {
    let source = source(3);
    let keys = begins(lookings, &source, asker, Some(ticket), now)?;
    lookings.end(&keys, true, (source.misses_max, source.lock), now);
    Ok(())
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
    let begin = |lookings: &mut Lookings| begins(lookings, &source, &number("1"), None, at(0));
    let (one, two) = (begin(&mut lookings).expect("let through"), begin(&mut lookings).expect("let through"));
    assert!(begin(&mut lookings).is_err(), "a third at once");
    assert!(!lookings.is_quiet());
    lookings.end(&one, false, (2, LOCK), at(0));
    let three = begin(&mut lookings).expect("one was found");
    lookings.end(&two, true, (2, LOCK), at(0));
    lookings.end(&three, true, (2, LOCK), at(0));
    assert!(begin(&mut lookings).is_err() && lookings.is_quiet());
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
    assert_eq!(lookings.askers.0.len(), ASKERS_MAX + 1);
    assert!(!asks(&mut lookings, &Asker::Trunk("carrier".into()), true, at(2)));
    assert!(asks(&mut lookings, &number("0"), true, at(2)), "who is known counts alone");
    // Their time is over: there is room again.
    assert!(asks(&mut lookings, &number("new 9"), true, at(700)));
    assert_eq!(lookings.askers.0.len(), 1);
}

#[test]
fn who_found_something_is_not_kept() {
    let mut lookings = Lookings::default();
    assert!(asks(&mut lookings, &number("1"), false, at(0)));
    assert!(lookings.askers.0.is_empty());
}

#[test]
fn one_caller_is_one_however_the_number_is_written_and_withheld_ones_are_one_for_each_trunk() {
    let city = city();
    let of = |caller: &str| asker(caller, &"carrier".into(), &city);
    for form in ["13800000001", "+8613800000001", "008613800000001", "013800000001"] {
        assert_eq!(of(form), number("8613800000001"), "{form}");
    }
    for form in ["8613800000001", "138-0000-0001", "+86-138-0000-0001", "(0)13800000001"] {
        assert_eq!(of(form), number("8613800000001"), "{form}");
    }
    assert_eq!(of("4420001"), of("03934420001"));
    assert_eq!(of("+4420001"), number("4420001"), "another country's");
    assert_eq!(of("004420001"), number("4420001"), "another country's");
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
        let keys = begins(&mut lookings, &long, &guesser, None, at(0)).expect("let through");
        lookings.end(&keys, true, (long.misses_max, long.lock), at(0));
    }
    for n in 1..ASKERS_MAX {
        assert!(asks(&mut lookings, &number(&n.to_string()), true, at(0)));
    }
    // It is full, and whoever asked at the other source is forgotten.
    assert!(asks(&mut lookings, &number("new"), true, at(700)));
    assert_eq!(lookings.askers.0.len(), 2);
    assert!(begins(&mut lookings, &long, &guesser, None, at(700)).is_err(), "locked still");
}

#[test]
fn a_ticket_is_locked_whoever_guesses_at_its_code_and_for_no_longer_than_one_caller() {
    let mut lookings = Lookings::default();
    for n in 0..6 {
        assert_eq!(guesses(&mut lookings, &number(&n.to_string()), "26112700003", at(n)), Ok(()));
    }
    for n in 6..9 {
        let guess = guesses(&mut lookings, &number(&n.to_string()), "26112700003", at(n));
        assert_eq!(guess, Err(Lock::Ticket), "a number that was never seen");
    }
    assert_eq!(guesses(&mut lookings, &number("9"), "26112700004", at(9)), Ok(()), "another ticket");
    let source = source(3);
    assert!(begins(&mut lookings, &source, &number("9"), None, at(9)).is_ok(), "what has no code");
    assert_eq!(guesses(&mut lookings, &number("10"), "26112700003", at(605)), Err(Lock::Ticket));
    assert_eq!(guesses(&mut lookings, &number("10"), "26112700003", at(606)), Ok(()), "600 s after the last");
    // Who is not let through for the one is not counted for the other.
    let mut lookings = Lookings::default();
    for _ in 0..3 {
        assert_eq!(guesses(&mut lookings, &number("1"), "26112700003", at(0)), Ok(()));
    }
    assert_eq!(guesses(&mut lookings, &number("1"), "26112700004", at(1)), Err(Lock::Caller));
    for n in 0..3 {
        assert_eq!(guesses(&mut lookings, &number("2"), "26112700004", at(n)), Ok(()));
    }
}

#[test]
fn while_it_is_full_a_further_ticket_counts_with_all_that_are_not_known() {
    let mut lookings = Lookings::default();
    for n in 0..ASKERS_MAX {
        let asker = number(&n.to_string());
        assert_eq!(guesses(&mut lookings, &asker, &format!("t{n}"), at(0)), Ok(()));
    }
    let guess = |lookings: &mut Lookings, n: usize| {
        guesses(lookings, &number(&n.to_string()), &format!("new {n}"), at(1))
    };
    let through: Vec<_> = (0..8).map(|n| guess(&mut lookings, n)).collect();
    assert_eq!(through[..6], [Ok(()); 6]);
    assert_eq!(through[6..], [Err(Lock::Ticket); 2]);
    assert_eq!(guesses(&mut lookings, &number("9"), "t9", at(1)), Ok(()), "who is known counts alone");
    assert_eq!(lookings.abouts.0.len(), ASKERS_MAX + 1);
    assert_eq!(guess(&mut lookings, 700), Err(Lock::Ticket));
    assert_eq!(guesses(&mut lookings, &number("9"), "new", at(700)), Ok(()), "there is room again");
    assert_eq!(lookings.abouts.0.len(), 1);
}

#[test]
fn a_question_is_about_all_that_is_said_but_the_code() {
    let by = |pairs: &[(&str, &str)]| {
        about(&pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    };
    let ticket = by(&[("ticket", "26112700003"), ("code", "111111")]);
    assert!(ticket.is_some());
    assert_eq!(ticket, by(&[("code", "222222"), ("ticket", "26112700003")]));
    assert_ne!(ticket, by(&[("ticket", "26112700004"), ("code", "111111")]));
    assert_ne!(by(&[("ab", "c"), ("code", "1")]), by(&[("a", "bc"), ("code", "1")]));
    assert_eq!(by(&[("plate", "123456")]), None);
    assert!(!format!("{ticket:?}").contains("26112700003"));
}

#[test]
fn a_restart_forgives_nothing_and_makes_no_lock_longer() {
    let (caller, ticket) = (number("8613800000001"), "26112700003");
    let begun: crate::time::Timestamp = "2026-11-27T09:00:00+08:00".parse().expect("a time");
    let wall = |secs: i64| begun + jiff::SignedDuration::from_secs(secs);
    let about = match about(&BTreeMap::from([("ticket".into(), ticket.into()), (CODE.into(), "1".into())])) {
        Some(About::This(digest)) => digest,
        other => panic!("{other:?}"),
    };
    let fact = |n: u64, secs: i64, what: What| Fact {
        call: CallId::draw(n, &mut Dice::seeded(n)),
        sequence: 1,
        at: wall(secs),
        mono: at(0),
        what,
    };
    let opened = |caller: &str| What::Opened {
        line: "12345".into(),
        dialled: "12345".into(),
        caller: caller.into(),
        trunk: "carrier".into(),
        ticket: String::new(),
        plan: String::new(),
        shifted_clock: false,
        wire_ref: String::new(),
        room: None,
    };
    let asked = |answer: Answer| What::LookedUp {
        source: "tickets".into(),
        answer,
        took_ms: 1,
        about: Some(about.clone()).filter(|_| answer == Answer::Missing),
    };
    let facts = [
        fact(1, 0, opened("13800000001")),
        fact(1, 1, asked(Answer::Missing)),
        fact(1, 2, asked(Answer::Found)),
        fact(1, 3, asked(Answer::Locked)),
        fact(2, 100, opened("+8613800000001")),
        fact(2, 101, asked(Answer::Missing)),
        fact(3, 200, opened("13800000002")),
        fact(3, 198, asked(Answer::Missing)),
        fact(3, 199, asked(Answer::Missing)),
        fact(3, 200, asked(Answer::Missing)),
        fact(3, 201, asked(Answer::Missing)),
    ];
    let sources = BTreeMap::from([("tickets".into(), source(3))]);
    let city = city();
    let restored = |secs: i64| {
        let mut lookings = Lookings::default();
        lookings.restore(&facts, &sources, &city, Now { mono: at(5), wall: wall(secs) });
        lookings
    };
    let mut again = restored(301);
    assert_eq!(guesses(&mut again, &number("7"), ticket, at(5)), Err(Lock::Ticket));
    assert_eq!(guesses(&mut again, &caller, "another", at(5)), Ok(()));
    assert_eq!(guesses(&mut again, &caller, "another", at(5)), Err(Lock::Caller), "two before, one since");
    // 600 s after the last, which was 100 s before the restart.
    assert_eq!(guesses(&mut again, &number("7"), ticket, at(505)), Err(Lock::Ticket));
    assert_eq!(guesses(&mut again, &number("7"), ticket, at(506)), Ok(()));
    let mut late = restored(802);
    assert!(late.askers.0.is_empty() && late.abouts.0.is_empty(), "their time is over");
    assert_eq!(guesses(&mut late, &caller, ticket, at(5)), Ok(()));
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
