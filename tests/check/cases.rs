//! Tests of the file that fail, and tests that could not.

use super::base::{Edit, Files, add, codes};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E1201",
        what: "a caller who would wait elsewhere than a test says",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nexpect = { queue = ⟦\"night\"⟧ }"
        )],
    },
    Fixture {
        code: "E1202",
        what: "an instant without its zone",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = ⟦2026-07-01T09:00:00⟧\nexpect = { queue = \"main\" }"
        )],
    },
    Fixture {
        code: "E1203",
        what: "a test that expects nothing",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nexpect = ⟦{}⟧"
        )],
    },
    Fixture {
        code: "E1204",
        what: "a call by a trunk that only leads outward",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\ntrunk = ⟦\"tax\"⟧\nat = 2026-07-01T09:00:00+08:00\nexpect = { queue = \"main\" }"
        )],
    },
    Fixture {
        code: "E0303",
        what: "a call by a trunk that is not there",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\ntrunk = ⟦\"carier\"⟧\nat = 2026-07-01T09:00:00+08:00\nexpect = { queue = \"main\" }"
        )],
    },
    Fixture {
        code: "E0304",
        what: "two tests of one name",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nexpect = { queue = \"main\" }\n\n[[test]]\nname = ⟦\"主号\"⟧\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nexpect = { line = \"12345\" }"
        )],
    },
    Fixture {
        code: "E0102",
        what: "a test that does not say what it expects",
        edits: &[add!(
            "⟦[[test]]⟧\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00"
        )],
    },
    Fixture {
        code: "E0104",
        what: "seats that stand in no known way",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nseats = ⟦\"few\"⟧\nexpect = { queue = \"main\" }"
        )],
    },
    Fixture {
        code: "E0101",
        what: "an expectation of something unknown",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nexpect = { queue = \"main\", ⟦promt⟧ = \"greeting\" }"
        )],
    },
    Fixture {
        code: "E1205",
        what: "a look-up that decides and of which nothing is said",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"owners\"\nkind = \"jsonl\"\npath = \"owners.jsonl\"\nsays = [\"owner\"]\n\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"plate\"\nmost = 1\n[[flow.step]]\nlook_up = \"owners\"\nwith = { plate = \"plate\" }\n[[flow.step]]\nplay = \"greeting\"\n\n⟦[[test]]⟧\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nkeys = \"1\"\nexpect = { hears = [\"survey\", \"greeting\"] }"
            ),
        ],
    },
    Fixture {
        code: "E1206",
        what: "a key that nothing asks for",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nseats = \"none\"\nkeys = ⟦\"1\"⟧\nexpect = { queue = \"main\" }"
        )],
    },
    Fixture {
        code: "E1206",
        what: "a value that no bot says",
        edits: &[
            ON,
            add!(
                "[[bot]]\nname = \"assistant\"\nurl = \"ws://127.0.0.1:8090/calls\"\n\n[[flow]]\nname = \"main\"\n[[flow.step]]\nplay = \"greeting\"\n[[flow.step]]\nbot = \"assistant\"\n\n[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nanswers = { assistant = { ⟦matter⟧ = \"噪声\" } }\nexpect = { queue = \"main\" }"
            ),
        ],
    },
    Fixture {
        code: "E1206",
        what: "a ticket in a state that there is not",
        edits: &[
            ON,
            add!(
                "[[look_up]]\nname = \"tickets\"\nkind = \"tickets\"\n\n[[flow]]\nname = \"main\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 8\n[[flow.step]]\nlook_up = \"tickets\"\nwith = { ticket = \"code\", code = \"code\" }\n\n[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nkeys = \"12345678\"\nanswers = { tickets = { state = ⟦\"finished\"⟧ } }\nexpect = { queue = \"main\" }"
            ),
        ],
    },
    Fixture {
        code: "E1206",
        what: "a forwarded call by a trunk whose headers nobody looks at",
        edits: &[
            Edit::Plan(
                "dialled_from = [\"request_uri\", \"history_info\"]",
                "dialled_from = [\"request_uri\", \"to\"]",
            ),
            add!(
                "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nforwarded_from = ⟦[\"12336\"]⟧\nat = 2026-07-01T09:00:00+08:00\nexpect = { line = \"12345\" }"
            ),
        ],
    },
    Fixture {
        code: "E1007",
        what: "a test in which somebody answers who is not there",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nanswers = { ⟦owner⟧ = \"missing\" }\nexpect = { queue = \"main\" }"
        )],
    },
    Fixture {
        code: "E0117",
        what: "keys that no telephone has",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nkeys = ⟦\"1b\"⟧\nexpect = { queue = \"main\" }"
        )],
    },
    Fixture {
        code: "E0103",
        what: "an expectation of another kind, which is no empty one",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nexpect = { priority = ⟦\"high\"⟧ }"
        )],
    },
    Fixture {
        code: "E0104",
        what: "an answer that is neither values nor a known word",
        edits: &[add!(
            "[[test]]\nname = \"主号\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nanswers = { tickets = ⟦\"mising\"⟧ }\nexpect = { queue = \"main\" }"
        )],
    },
];

/// The main number's callers come through the flow `main`.
const ON: Edit = Edit::Plan("mode = \"primary\"", "mode = \"primary\"\nflow = \"main\"");

/// Codes that need a running engine: see `command`.
pub const AGAINST_RUNNING: [&str; 2] = ["E1210", "E1809"];

/// Calls of the compact plan, what is expected, and what would be (nothing: it is met).
const CALLS: &[(&str, &str, &str)] = &[
    // Forms of the number, and numbers of others.
    ("to = \"+8639312345\"", "line = \"12345\"", ""),
    ("to = \"sip:12345@192.0.2.10;user=phone\"", "line = \"12345\", refused = \"none\"", ""),
    ("to = \"01012345\"", "line = \"12345\"", "none"),
    ("to = \"01012345\"", "refused = 404, queue = \"none\", priority = 0", "none"),
    ("to = \"110\"", "refused = 404, line = \"none\"", ""),
    ("to = \"110\"", "refused = \"none\"", "404"),
    // What is heard, and when.
    ("to = \"12345\"", "hears = [\"greeting\"], prompt = \"greeting\", survey = true, recorded = true", ""),
    ("to = \"12345\"", "hears = [\"greeting\", \"no_seat\"]", "[greeting]"),
    (
        "to = \"12345\"\nseats = \"none\"",
        "hears = [\"greeting\", \"no_seat\"], ticket = \"overflow\", survey = false",
        "",
    ),
    ("to = \"12345\"\nseats = \"full\"", "ticket = \"none\"", "overflow"),
    ("to = \"12345\"\nseats = \"full\"", "survey = true", "false"),
    // Dialled first, and forwarded.
    ("to = \"12345\"\nforwarded_from = [\"12336\"]", "line = \"12336\"", ""),
    ("to = \"12345\"\nforwarded_from = [\"12336\"]", "line = \"12345\"", "12336"),
    // No policy, lane or meeting.
    (
        "to = \"12345\"",
        "lane = \"none\", policy = \"none\", meeting = \"none\", flow = \"none\", target = \"none\", by = []",
        "",
    ),
    ("to = \"12345\"", "policy = \"behind\"", "none"),
    ("to = \"12345\"", "recorded = false", "true"),
];

/// The same call by the compact plan, with what else is in front of the sinks.
fn judged(call: &str, expect: &str, more: &str) -> hotline::routing::Outcome {
    let table = format!(
        "{more}\n[[test]]\nname = \"测试\"\nfrom = \"13900000000\"\n{call}\nat = 2026-07-01T09:00:00+08:00\nexpect = {{ {expect} }}\n\n[[ticket_sink]]\n"
    );
    Files::with(&[Edit::Plan("[[ticket_sink]]\n", table.leak())]).judge()
}

#[test]
fn each_expectation_is_held_against_what_would_become_of_the_call() {
    for (call, expect, found) in CALLS {
        says(&judged(call, expect, ""), found, &format!("{call} {expect}"));
    }
}

/// One test was run, and fails with what would be, or does not.
fn says(outcome: &hotline::routing::Outcome, found: &str, what: &str) {
    let report = outcome.report.render(false);
    assert_eq!(outcome.cases, 1, "{what}: {report}");
    match found {
        "" => {
            assert_eq!(codes(&outcome.report), [""; 0], "{what}: {report}");
            assert!(outcome.plan.is_some());
        }
        found => {
            assert_eq!(codes(&outcome.report), ["E1201"], "{what}: {report}");
            let said = &outcome.report.diagnostics[0].problem;
            assert!(said.en.ends_with(&format!(" and would be {found}")), "{what}: {said:?}");
            assert!(outcome.plan.is_none(), "{what}: a plan whose tests fail is not used");
        }
    }
}

#[test]
fn callers_who_are_known_stand_as_their_lane_and_their_policy_say() {
    let known = "[[lane]]\nname = \"企业\"\ncallers = [\"13900000000\"]\npriority = 50\n\n[[caller_policy]]\n\
                 caller = \"+8613900000000\"\nact = \"behind\"\nby = 20\nreason = \"重复来电\"\napprover = \"值班主任\"\n\
                 until = 2026-07-31\n";
    let now = "to = \"12345\"";
    says(&judged(now, "lane = \"企业\", policy = \"behind\", priority = 30", known), "", "both");
    says(&judged(now, "policy = \"none\"", known), "behind", "the policy holds");
    says(&judged(now, "priority = 50", known), "30", "less what the policy takes off");
}

#[test]
fn a_number_whose_department_keeps_its_seats_has_lanes_as_well() {
    const OF_LAW: &str = "mode = \"dual\"\nqueue = \"main\"\nexpert_seats = true\nskills = [\"law\"]";
    const RETAINED: &str =
        "mode = \"dual\"\nqueue = \"main\"\nseats = \"retained\"\ntrunk = \"tax\"\ndial = \"4416688\"";
    let table = "[[lane]]\nname = \"法律\"\nlines = [\"12348\"]\npriority = 7\n\n[[test]]\nname = \"测试\"\n\
                 from = \"13900000000\"\nto = \"12348\"\nat = 2026-07-01T09:00:00+08:00\nanswered = false\n\
                 expect = { lane = \"法律\", priority = 7 }\n\n[[ticket_sink]]\n";
    let notice = Edit::Plan("keep = \"1095d\"", "keep = \"1095d\"\nnotice = \"greeting\"");
    let files = Files::with(&[notice, Edit::Plan(OF_LAW, RETAINED), Edit::Plan("[[ticket_sink]]\n", table)]);
    says(&files.judge(), "", "retained");
}

#[test]
fn who_goes_straight_to_a_person_comes_through_no_flow() {
    let flow = "[[flow]]\nname = \"words\"\n[[flow.step]]\nplay = \"greeting\"\n\n[[lane]]\nname = \"老年人\"\n\
                callers = [\"13900000000\"]\nstraight = true\n";
    let table = format!(
        "{flow}\n[[test]]\nname = \"测试\"\nfrom = \"13900000000\"\nto = \"12345\"\n\
         at = 2026-07-01T09:00:00+08:00\nexpect = {{ flow = \"none\", hears = [], queue = \"main\" }}\n\n[[ticket_sink]]\n"
    );
    const PRIMARY: &str = "mode = \"primary\"\n";
    let files = Files::with(&[
        Edit::Plan(PRIMARY, "mode = \"primary\"\nflow = \"words\"\n"),
        Edit::Plan("[[ticket_sink]]\n", table.leak()),
    ]);
    let outcome = files.judge();
    let report = outcome.report.render(false);
    // Nobody tells them of the recording, which is a word of its own.
    assert_eq!(codes(&outcome.report), ["W0118"], "{report}");
    assert!(outcome.cases == 1 && outcome.plan.is_some(), "the test is met: {report}");
}
