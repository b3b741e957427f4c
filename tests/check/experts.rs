//! Faults of experts, departments, single keys and hours.

use hotline::routing::people::Role;
use hotline::routing::reach::Reached;

use super::base::{Edit, Files, add, codes};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0117",
        what: "the key that joins all three",
        edits: &[add!("[three_way]\nkeys = { ⟦\"0\"⟧ = \"12366\", \"7\" = \"110\" }")],
    },
    Fixture {
        code: "E0117",
        what: "a key of two digits",
        edits: &[add!("[three_way]\nkeys = { ⟦\"12\"⟧ = \"12366\", \"7\" = \"110\" }")],
    },
    Fixture {
        code: "E0118",
        what: "days that no week has",
        edits: &[add!(
            "[[expert_group]]\nnumber = '12348'\nname = \"a\"\ndepartment = \"b\"\nseats = ['1002']\nhours = [{ days = ⟦\"weekdays\"⟧, from = \"08:00\", to = \"12:00\" }]"
        )],
    },
    Fixture {
        code: "E0119",
        what: "an hour without its minutes",
        edits: &[add!(
            "[[expert_group]]\nnumber = '12348'\nname = \"a\"\ndepartment = \"b\"\nseats = ['1002']\nhours = [{ days = \"daily\", from = ⟦\"8\"⟧, to = \"12:00\" }]"
        )],
    },
    Fixture {
        code: "E0201",
        what: "a department with a seat's number",
        edits: &[add!("[[department]]\nnumber = ⟦\"1001\"⟧\nname = \"城管局\"\ntrunk = \"tax\"")],
    },
    Fixture {
        code: "E0202",
        what: "an ambulance for a department",
        edits: &[add!("[[department]]\nnumber = ⟦\"120\"⟧\nname = \"急救中心\"\ntrunk = \"tax\"")],
    },
    Fixture {
        code: "E0212",
        what: "a department among a meeting's rooms",
        edits: &[
            add!("[[department]]\nnumber = \"9401\"\nname = \"城管局\"\ntrunk = \"tax\""),
            Edit::Plan(
                "[[emergency]]",
                "[[meeting]]\nname = \"m\"\nprefix = ⟦\"94\"⟧\ndigits = 2\n\n[[emergency]]",
            ),
        ],
    },
    Fixture {
        code: "E0303",
        what: "a department behind a trunk that is not there",
        edits: &[add!("[[department]]\nnumber = \"7001\"\nname = \"城管局\"\ntrunk = ⟦\"city\"⟧")],
    },
    Fixture {
        code: "E0304",
        what: "two groups of one line",
        edits: &[add!(
            "[[expert_group]]\nnumber = '12348'\nname = \"a\"\ndepartment = \"b\"\nseats = ['1002']\n[[expert_group]]\nnumber = ⟦'12348'⟧\nname = \"c\"\ndepartment = \"b\"\nseats = ['1001']"
        )],
    },
    Fixture {
        code: "E0305",
        what: "an expert who has no seat",
        edits: &[add!(
            "[[expert_group]]\nnumber = '12348'\nname = \"a\"\ndepartment = \"b\"\nseats = [⟦\"1003\"⟧]"
        )],
    },
    Fixture {
        code: "E0306",
        what: "experts of a line that is not there",
        edits: &[add!(
            "[[expert_group]]\nnumber = ⟦\"12333\"⟧\nname = \"a\"\ndepartment = \"b\"\nseats = ['1002']"
        )],
    },
    Fixture {
        code: "E0410",
        what: "experts without a seat",
        edits: &[add!("[[expert_group]]\nnumber = '12348'\nname = \"a\"\ndepartment = \"b\"\nseats = ⟦[]⟧")],
    },
    Fixture {
        code: "E0411",
        what: "experts of a line that is kept elsewhere",
        edits: &[add!(
            "[[expert_group]]\nnumber = ⟦'12366'⟧\nname = \"a\"\ndepartment = \"b\"\nseats = ['1002']"
        )],
    },
    Fixture {
        code: "E0412",
        what: "hours that overlap on one day",
        edits: &[add!(
            "[[department]]\nnumber = \"7001\"\nname = \"城管局\"\ntrunk = \"tax\"\nhours = [{ days = \"mon-fri\", from = \"08:00\", to = \"12:00\" }, ⟦{ days = \"fri,sat\", from = \"11:59\", to = \"24:00\" }⟧]"
        )],
    },
    Fixture {
        code: "E0413",
        what: "hours over midnight in one band",
        edits: &[add!(
            "[[department]]\nnumber = \"7001\"\nname = \"城管局\"\ntrunk = \"tax\"\nhours = [{ days = \"daily\", from = \"22:00\", to = ⟦\"06:00\"⟧ }]"
        )],
    },
    Fixture {
        code: "E0413",
        what: "no hours at all",
        edits: &[add!("[[department]]\nnumber = \"7001\"\nname = \"城管局\"\ntrunk = \"tax\"\nhours = ⟦[]⟧")],
    },
    Fixture {
        code: "E0116",
        what: "hours of a line that is never closed",
        edits: &[Edit::Plan(
            "row = \"2-1\"",
            "row = \"2-1\"\nhours = ⟦[{ days = \"daily\", from = \"08:00\", to = \"18:00\" }]⟧",
        )],
    },
    Fixture {
        code: "W0111",
        what: "a sub-center that is not always there",
        edits: &[Edit::Plan(
            "row = \"3-1\"",
            "row = \"3-1\"\nhours = ⟦[{ days = \"daily\", from = \"08:00\", to = \"18:00\" }]⟧",
        )],
    },
    Fixture {
        code: "E0414",
        what: "a key that leads to a line that is queued for",
        edits: &[add!("[three_way]\nkeys = { \"1\" = ⟦\"12345\"⟧, \"7\" = \"110\" }")],
    },
    Fixture {
        code: "E0302",
        what: "words for who was not reached that nobody recorded",
        edits: &[add!("[three_way]\nfailed_prompt = ⟦\"sorry\"⟧\nkeys = { \"7\" = \"110\" }")],
    },
    Fixture {
        code: "W0110",
        what: "expert seats, no group, and no skill that is asked for",
        edits: &[Edit::Plan("expert_seats = true\nskills = [\"law\"]", "expert_seats = ⟦true⟧")],
    },
    Fixture {
        code: "W0112",
        what: "no single key for 110",
        edits: &[add!("[three_way]\nkeys = ⟦{ \"1\" = \"12366\" }⟧")],
    },
];

#[test]
fn experts_departments_keys_and_hours_reach_the_plan() {
    let files = Files::with(&[add!(
        "[[expert_group]]\nnumber = '12348'\nname = \"法律专家组\"\ndepartment = \"市司法局\"\nseats = ['1002']\naccept = \"15s\"\nhours = [{ days = \"mon-fri\", from = \"08:30\", to = \"12:00\" }, { days = \"sat\", from = \"20:00\", to = \"24:00\" }]\n\n[[department]]\nnumber = \"7001\"\nname = \"城管局值班室\"\ntrunk = \"tax\"\ndial = \"4416688\"\nring = \"21s\"\n\n[three_way]\nkeys = { \"1\" = \"12366\", \"4\" = \"12348\", \"5\" = \"7001\", \"6\" = \"1001\", \"7\" = \"110\" }\nhold_max = \"2min\""
    )]);
    let outcome = files.judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    assert_eq!(codes(&outcome.report), [""; 0]);
    let group = &plan.experts["12348"];
    assert_eq!((group.seats.as_slice(), group.accept.as_secs()), (&["1002".into()][..], 15));
    for (at, open) in [
        ("2026-07-03T08:29:59+08:00", false),
        ("2026-07-03T08:30:00+08:00", true),
        ("2026-07-03T12:00:00+08:00", false),
        ("2026-07-04T08:30:00+08:00", false),
        ("2026-07-04T23:59:59+08:00", true),
        ("2026-07-05T00:00:00+08:00", false),
    ] {
        let at = at.parse().expect("an instant");
        assert_eq!(group.hours.are_open(at, &plan.city.time_zone), open, "{at}");
    }
    let keys: Vec<_> = plan.three_way.keys.iter().map(|(key, to)| (*key, to.as_str())).collect();
    assert_eq!(keys, [('1', "12366"), ('4', "12348"), ('5', "7001"), ('6', "1001"), ('7', "110")]);
    assert!(
        matches!(plan.reach("7001"), Some(Reached::Peer(peer)) if peer.number == "4416688" && peer.hours.are_always())
    );
    assert!(matches!(plan.reach("12348"), Some(Reached::Group(_))));
    assert_eq!(plan.line_name(&"7001".into()), "城管局值班室");
    assert_eq!(plan.seats["1001"].role, Role::Clerk);
}

/// The notice wants sub-centers at all hours; until one is, its callers do not listen to a telephone
/// that rings in the dark.
#[test]
fn a_sub_center_is_not_dialled_when_nobody_is_there() {
    let hours = "row = \"3-1\"\nhours = [{ days = \"daily\", from = \"08:00\", to = \"18:00\" }]";
    let plan = Files::with(&[Edit::Plan("row = \"3-1\"", hours)]).judge().plan.expect("a plan");
    let dials = |at: &str| {
        let flow = plan.flow(&plan.lines["12366"], at.parse().expect("an instant"));
        assert!(flow.may_queue(), "a person is reached at any hour");
        flow.steps.iter().any(|step| matches!(step, hotline::routing::plan::Step::Dial { .. }))
    };
    assert!(dials("2026-07-03T08:00:00+08:00") && !dials("2026-07-03T18:00:00+08:00"));
}
