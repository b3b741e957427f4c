//! Flows that lead back to themselves.

use hotline::routing::script::{Act, Script};

use super::{branch, go, menu, script, with};

#[test]
fn a_circle_is_found_once_and_named_from_its_first_flow() {
    let plan = with([
        script("in", [go("b")]),
        script("c", [go("a")]),
        script("a", [menu("question", &[('1', "b"), ('2', "end")], 5, 2)]),
        script("b", [branch(vec![], Some("c"))]),
        script("self", [go("self")]),
        script("out", [go("end")]),
        script("end", [Act::HangUp]),
    ]);
    let circles: Vec<Vec<String>> =
        plan.circles().iter().map(|circle| circle.iter().map(ToString::to_string).collect()).collect();
    assert_eq!(circles, [vec!["a", "b", "c"], vec!["self"]]);
}

#[test]
fn what_stands_behind_the_end_of_a_flow_leads_nowhere() {
    let plan = with([script("a", [Act::HangUp, go("a")]), script("b", [go("gone")])]);
    assert!(plan.circles().is_empty());
}

#[test]
fn a_long_chain_of_flows_takes_no_stack_and_no_square_of_its_length() {
    let name = |place: usize| format!("f{place:05}");
    let mut scripts: Vec<Script> =
        (0..20_000).map(|place| script(&name(place), [go(&name(place + 1))])).collect();
    let plan = with(scripts.clone());
    assert!(plan.circles().is_empty());
    // The engine goes no further than it can, and gets a person.
    assert!(plan.year(super::line(&plan, "12345")).is_whole());
    assert!(plan.worst(super::line(&plan, "12345")).is_some());
    scripts.push(script(&name(20_000), [go(&name(0))]));
    assert_eq!(with(scripts).circles()[0].len(), 20_001);
}
