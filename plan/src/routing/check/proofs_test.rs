//! What is told of flows that fail a proof, at which line, in which words.

use std::sync::Arc;

use toml::de::DeTable;

use super::*;
use crate::routing::diagnostic::Diagnostic;
use crate::routing::fixture_test;
use crate::routing::people::{Band, Hours};
use crate::routing::read::read_table;
use crate::routing::script::{Act, Branch, Case, Condition, Menu, Script};

fn script(id: &str, acts: Vec<Act>) -> Script {
    Script { id: id.into(), acts }
}

fn menu(to: &str) -> Act {
    let keys = [('1', to.into())].into();
    Act::Menu(Menu { prompt: "survey".into(), keys, wait: Duration::from_secs(1), tries: 1 })
}

/// The shipped plan with these flows, the first of them for callers of 12333.
fn proved(scripts: Vec<Script>) -> Vec<Diagnostic> {
    let text = fixture_test::sample();
    let (document, _) = DeTable::parse_recoverable(&text);
    let spot = Spot { file: Some(0), span: 0..0, key: String::new() };
    let mut problems = Problems::default();
    let table = read_table(document.get_ref(), spot, &mut problems, RoutingTable::read);
    let mut plan = fixture_test::shipped();
    plan.lines.get_mut("12333").expect("a line").script = scripts.first().map(|script| script.id.clone());
    plan.scripts = scripts.into_iter().map(|script| (script.id.clone(), Arc::new(script))).collect();
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
