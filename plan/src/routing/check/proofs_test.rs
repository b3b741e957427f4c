//! What is told of flows that fail a proof, at which line, in which words.

use std::sync::Arc;

use toml::de::DeTable;

use super::*;
use crate::routing::diagnostic::Diagnostic;
use crate::routing::fixture_test;
use crate::routing::people::{Band, Hours};
use crate::routing::plan::{Afterwards, Prompt};
use crate::routing::read::read_table;
use crate::routing::script::{Act, Branch, Case, Condition, Menu, Message, Order, Script};

fn script(id: &str, acts: Vec<Act>) -> Script {
    Script { id: id.into(), acts }
}

fn menu(to: &str) -> Act {
    let keys = [('1', to.into())].into();
    Act::Menu(Menu { prompt: "survey".into(), keys, wait: Duration::from_secs(1), tries: 1 })
}

/// The shipped plan with these flows, the first of them for callers of 12333.
fn proved(scripts: Vec<Script>) -> Vec<Diagnostic> {
    proved_on("12333", scripts, |_| {})
}

/// The same for callers of this number, in a plan that is changed so.
fn proved_on(number: &str, scripts: Vec<Script>, change: impl FnOnce(&mut Plan)) -> Vec<Diagnostic> {
    let text = fixture_test::sample();
    let (document, _) = DeTable::parse_recoverable(&text);
    let spot = Spot { file: Some(0), span: 0..0, key: String::new() };
    let mut problems = Problems::default();
    let table = read_table(document.get_ref(), spot, &mut problems, RoutingTable::read);
    let mut plan = fixture_test::shipped();
    plan.lines.get_mut(number).expect("a line").script = scripts.first().map(|script| script.id.clone());
    plan.scripts = scripts.into_iter().map(|script| (script.id.clone(), Arc::new(script))).collect();
    change(&mut plan);
    prove(&plan, &table, &mut problems);
    problems.into_report(Vec::new()).diagnostics
}

fn codes(found: &[Diagnostic]) -> Vec<&str> {
    found.iter().map(|found| found.code).collect()
}

#[test]
fn flows_that_lead_to_people_are_proved_without_a_word() {
    let found = proved(vec![script("desk", vec![menu("faq")]), script("faq", vec![Act::HangUp])]);
    assert_eq!(codes(&found), [""; 0], "{found:?}");
}

#[test]
fn a_flow_that_closes_a_line_at_night_is_told_with_the_first_instant_and_the_hours() {
    let open = Hours::weekly(vec![Band {
        days: vec![jiff::civil::Weekday::Monday],
        from: "09:00".parse().expect("a time"),
        to: "17:30".parse().expect("a time"),
    }]);
    let closed = Case { when: vec![Condition::Outside(open)], to: "closed".into() };
    let found = proved(vec![
        script("desk", vec![Act::Branch(Branch { cases: vec![closed], otherwise: None })]),
        script("closed", vec![Act::HangUp]),
    ]);
    assert_eq!(codes(&found), ["E1101"]);
    // 52 Mondays of 8.5 hours are open.
    assert_eq!(
        found[0].problem.en,
        "12333 has neither a person nor a ticket for 8342 of the year's 8784 hours, first at 2028-01-01 00:00: the flow \"closed\" hangs up on a caller who presses nothing"
    );
    assert!(found[0].problem.zh.contains("最早在 2028-01-01 00:00"), "{:?}", found[0].problem);
    assert!(found[0].spot.key.starts_with("number[") && found[0].spot.key.ends_with("].number"));
}

#[test]
fn a_way_that_ends_for_some_callers_at_every_hour_is_a_path_without_a_person() {
    let stranger = Case { when: vec![Condition::Caller(vec!["00".into()])], to: "closed".into() };
    let found = proved(vec![
        script("desk", vec![Act::Branch(Branch { cases: vec![stranger], otherwise: None })]),
        script("closed", vec![Act::HangUp]),
    ]);
    assert_eq!(codes(&found), ["E1102"]);
    assert!(found[0].problem.en.contains("12333") && found[0].problem.en.contains("\"closed\""));
}

#[test]
fn a_circle_is_told_by_the_way_that_it_takes() {
    let found = proved(vec![
        script("desk", vec![Act::Go("b".into())]),
        script("b", vec![menu("a")]),
        script("a", vec![Act::Go("b".into())]),
    ]);
    assert_eq!(codes(&found), ["E1103"]);
    assert_eq!(found[0].problem.en, "flows lead round in a circle: a → b → a");
    assert_eq!(found[0].spot.key, "flow a");
}

#[test]
fn time_and_keys_beyond_the_bounds_are_told_each() {
    let mut acts: Vec<Script> = Vec::new();
    for level in 0..5 {
        acts.push(script(&format!("m{level}"), vec![menu(&format!("m{}", level + 1))]));
    }
    acts.push(script("m5", vec![]));
    let found = proved(acts);
    assert_eq!(codes(&found), ["E1106"]);
    assert!(found[0].problem.en.contains("takes 5 choices and entries"), "{:?}", found[0].problem);

    let patient = Menu {
        prompt: "survey".into(),
        keys: [('1', "end".into())].into(),
        wait: Duration::from_secs(30),
        tries: 2,
    };
    let found = proved(vec![script("desk", vec![Act::Menu(patient)]), script("end", vec![])]);
    assert_eq!(codes(&found), ["E1105"]);
    assert!(found[0].problem.en.contains("more than 60 s"), "{:?}", found[0].problem);
}

fn message(tries: u8) -> Act {
    let (into, prompt) = ("message".to_owned(), "order_message".into());
    let (most, least) = (Duration::from_secs(30), Duration::from_secs(2));
    Act::Message(Message { into, prompt, most, least, tries })
}

fn order() -> Act {
    Act::Order(Order {
        category: "x".into(),
        values: vec![],
        prompt: "ticket_number".into(),
        code_prompt: None,
    })
}

#[test]
fn a_merged_number_is_proved_like_any_other_but_for_the_refusal_that_the_file_wants() {
    let bye = || vec![script("bye", vec![Act::Play("goodbye".into()), Act::HangUp])];
    let found = proved_on("12336", bye(), |_| {});
    assert_eq!(codes(&found), ["E1102"]);
    assert!(found[0].problem.en.contains("12336") && found[0].problem.en.contains("\"bye\""));
    // Before and inside of the months its callers are owed a person; behind them they are refused on purpose.
    let release = |plan: &mut Plan| plan.transition.afterwards = Afterwards::Release(Default::default());
    assert_eq!(codes(&proved_on("12336", bye(), release)), ["E1102"]);
    assert_eq!(codes(&proved_on("12336", vec![script("on", vec![])], release)), [""; 0]);
}

#[test]
fn the_hours_of_a_merged_numbers_flow_are_looked_at_in_each_phase_of_its_transition() {
    let open = Hours::weekly(vec![Band {
        days: vec![jiff::civil::Weekday::Wednesday],
        from: "09:00".parse().expect("a time"),
        to: "09:01".parse().expect("a time"),
    }]);
    // 58 s of a Wednesday's minute, and the transition's words: at no edge of the transition both at once.
    let long = Case { when: vec![Condition::Inside(open)], to: "long".into() };
    let flows = || {
        vec![
            script("desk", vec![Act::Branch(Branch { cases: vec![long.clone()], otherwise: None })]),
            script("long", vec![Act::Play("long".into())]),
        ]
    };
    let spoken = |plan: &mut Plan| {
        let samples = vec![0_i16; 58 * 8_000].into();
        plan.prompts.insert("long".into(), Prompt { id: "long".into(), text: String::new(), samples });
    };
    let found = proved_on("12336", flows(), spoken);
    assert_eq!(codes(&found), ["E1105"]);
    assert_eq!(codes(&proved_on("12333", flows(), spoken)), [""; 0], "which has no transition");
    let release = |plan: &mut Plan| {
        spoken(plan);
        plan.transition.afterwards = Afterwards::Release(Default::default());
    };
    assert_eq!(codes(&proved_on("12336", flows(), release)), ["E1105"]);
}

#[test]
fn silence_in_a_message_is_a_message_and_goes_on_with_a_ticket() {
    // What comes behind it is come to by who says nothing.
    let behind = |acts: Vec<Act>| proved(vec![script("desk", [vec![message(1)], acts].concat())]);
    let found = behind(vec![Act::Play("hold_music".into()); 40]);
    assert_eq!(codes(&found), ["E1105"]);
    // It is not asked for again: 30 s of silence are one of them.
    assert_eq!(codes(&proved(vec![script("desk", vec![message(2)])])), [""; 0]);
    // A ticket at every hour, and never a person.
    let found = behind(vec![Act::HangUp]);
    assert_eq!(codes(&found), ["E1110"]);
}

#[test]
fn tickets_alone_at_every_hour_are_told_with_the_flow_and_at_some_hours_they_are_not() {
    let found = proved(vec![script("desk", vec![order(), Act::HangUp])]);
    assert_eq!(codes(&found), ["E1110"]);
    let words = "a caller of 12333 who presses nothing never comes to a person at any hour, only to a ticket";
    assert_eq!(found[0].problem.en, words);
    let night = Hours::weekly(vec![Band {
        days: vec![jiff::civil::Weekday::Monday],
        from: "00:00".parse().expect("a time"),
        to: "08:00".parse().expect("a time"),
    }]);
    let case = Case { when: vec![Condition::Inside(night)], to: "night".into() };
    let found = proved(vec![
        script("desk", vec![Act::Branch(Branch { cases: vec![case], otherwise: None })]),
        script("night", vec![order(), Act::HangUp]),
    ]);
    assert_eq!(codes(&found), [""; 0]);
}

#[test]
fn hours_without_a_seat_on_shift_are_told_once_for_all_lines_of_a_queue() {
    let shift = Hours::weekly(vec![Band {
        days: vec![jiff::civil::Weekday::Monday],
        from: "08:00".parse().expect("a time"),
        to: "20:00".parse().expect("a time"),
    }]);
    let on_shift = |plan: &mut Plan| {
        for seat in plan.seats.values_mut() {
            seat.hours = shift.clone();
        }
    };
    let found = proved_on("12333", vec![script("desk", vec![])], on_shift);
    let own: Vec<&Diagnostic> = found.iter().filter(|found| found.code == "W1110").collect();
    assert_eq!(own.len(), 1, "{found:?}");
    // 52 Mondays of twelve hours.
    let words = "has no seat on shift for 8160 hours of the year, first at 2028-01-01 00:00";
    assert!(own[0].problem.en.contains(words), "{:?}", own[0].problem);
    let night = |plan: &mut Plan| {
        on_shift(plan);
        plan.seats.values_mut().next().expect("a seat").hours = Hours::default();
    };
    let found = proved_on("12333", vec![script("desk", vec![])], night);
    assert!(!codes(&found).contains(&"W1110"), "one who is always there: {found:?}");
}

#[test]
fn no_call_may_end_before_the_last_who_waits_is_answered() {
    let longest = |plan: &mut Plan, more: u64| {
        let lines = plan.lines.values().filter_map(|line| plan.worst(line)?.served);
        plan.limits.call_max = lines.max().expect("somebody waits") - Duration::from_millis(1 - more);
    };
    let desk = || vec![script("desk", vec![])];
    let found = proved_on("12333", desk(), |plan| longest(plan, 0));
    assert_eq!(codes(&found), ["E1111"]);
    assert_eq!(found[0].spot.key, "limits.call_max");
    assert_eq!(codes(&proved_on("12333", desk(), |plan| longest(plan, 1))), [""; 0]);
}
