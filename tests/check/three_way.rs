//! Faults in the rules of three-way calls, and rules that reach the plan.

use hotline::routing::three_way::{CallerLeaves, ClerkLeaves, ThirdLeaves, Tones};

use super::base::{Edit, Files, Sound, add, codes};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0104",
        what: "tones when nobody can tell what for",
        edits: &[add!("[three_way]\nkeys = { \"7\" = \"110\" }\ntones = ⟦\"leave\"⟧")],
    },
    Fixture {
        code: "E0104",
        what: "a caller who leaves a clerk behind by a word that is none",
        edits: &[add!("[three_way]\nkeys = { \"7\" = \"110\" }\ncaller_leaves = ⟦\"stay\"⟧")],
    },
    Fixture {
        code: "W1901",
        what: "three who are cut off when the clerk leaves",
        edits: &[add!("[three_way]\nkeys = { \"7\" = \"110\" }\nclerk_leaves = ⟦\"end\"⟧")],
    },
    Fixture {
        code: "W1902",
        what: "a tone that is a speech",
        edits: &[
            Edit::Sound("join_tone", Sound::Seconds(2)),
            add!("[three_way]\nkeys = { \"7\" = \"110\" }\ntones = ⟦\"join\"⟧"),
        ],
    },
];

#[test]
fn rules_of_three_reach_the_plan_and_without_them_it_is_as_it_was() {
    let plan = |rules: &str| {
        let edit = format!("[three_way]\nkeys = {{ \"7\" = \"110\" }}\n{rules}\n\n[[emergency]]");
        let outcome = Files::with(&[Edit::Plan("[[emergency]]", edit.leak())]).judge();
        let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
        let rules = &plan.three_way;
        (rules.tones, rules.clerk_leaves, rules.caller_leaves, rules.third_leaves)
    };
    assert_eq!(plan(""), (Tones::None, ClerkLeaves::Keep, CallerLeaves::End, ThirdLeaves::Clerk));
    let all =
        "tones = \"join_leave\"\nclerk_leaves = \"end\"\ncaller_leaves = \"keep\"\nthird_leaves = \"hold\"";
    assert_eq!(plan(all), (Tones::JoinLeave, ClerkLeaves::End, CallerLeaves::Keep, ThirdLeaves::Hold));
}

/// The tones are sounds of the plan, which has them where they are wanted.
#[test]
fn tones_that_are_wanted_are_in_the_manifest() {
    let lacks = |tones: &'static str| {
        let files = Files::with(&[
            Edit::Manifest("id = \"leave_tone\"", "id = \"another_tone\""),
            Edit::Plan("[[emergency]]", tones),
        ]);
        let report = files.judge().report;
        codes(&report).iter().map(|code| code.to_string()).collect::<Vec<_>>()
    };
    let with = "[three_way]\nkeys = { \"7\" = \"110\" }\ntones = \"join\"\n\n[[emergency]]";
    assert_eq!(lacks(with), [""; 0]);
    let with = "[three_way]\nkeys = { \"7\" = \"110\" }\ntones = \"join_leave\"\n\n[[emergency]]";
    assert_eq!(lacks(with), ["E0505"]);
}
