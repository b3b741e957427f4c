//! Faults that would leave callers without a person, and decisions that the city has not made.

use super::base::{Edit, Files, codes};
use super::fixture::Fixture;

const GENERAL: &str = "skills = [\"general\"]\nqueues = [\"main\"]";
const EXPERT: &str = "skills = [\"general\", \"law\"]\nqueues = [\"main\"]";
const ASKED: &str = "expert_seats = true\nskills = [\"law\"]";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0401",
        what: "callers wait where nobody serves",
        edits: &[
            Edit::Plan(
                "row = \"1-3\"\nmode = \"merged\"\nqueue = \"main\"",
                "row = \"1-3\"\nmode = \"merged\"\nqueue = \"night\"",
            ),
            Edit::Plan(
                "[[seat]]\nid = \"1001\"",
                "[[queue]]\nname = ⟦\"night\"⟧\ngreeting = \"greeting\"\nmusic = \"hold_music\"\noverflow_prompt = \"no_seat\"\n\n[[seat]]\nid = \"1001\"",
            ),
        ],
    },
    Fixture {
        code: "E0402",
        what: "a seat without a queue",
        edits: &[Edit::Plan(GENERAL, "skills = [\"general\"]\nqueues = ⟦[]⟧")],
    },
    Fixture {
        code: "E0403",
        what: "a skill that nobody has",
        edits: &[Edit::Plan(ASKED, "expert_seats = true\nskills = ⟦[\"law\", \"tax\"]⟧")],
    },
    Fixture {
        code: "E0404",
        what: "nobody decided whether calls are recorded",
        edits: &[Edit::Plan(
            "[recording]\nenabled = true\nkey = { file = \"secrets/recordings\" }\nkeep = \"1095d\"\n",
            "",
        )],
    },
    Fixture {
        code: "E0404",
        what: "a table about 工号 that says nothing",
        edits: &[Edit::Plan("[seat_greeting]\nspoken = \"both\"", "⟦[seat_greeting]⟧")],
    },
    Fixture {
        code: "E0405",
        what: "expert seats, and no seat with a skill",
        edits: &[
            Edit::Plan(GENERAL, "queues = [\"main\"]"),
            Edit::Plan(EXPERT, "queues = [\"main\"]"),
            Edit::Plan(ASKED, "expert_seats = ⟦true⟧"),
        ],
    },
    Fixture {
        code: "E0406",
        what: "no recording and no reason",
        edits: &[Edit::Plan("[recording]\nenabled = true", "[recording]\nenabled = ⟦false⟧")],
    },
    Fixture {
        code: "E0116",
        what: "tracks of recordings that nobody makes",
        edits: &[Edit::Plan(
            "[recording]\nenabled = true",
            "[recording]\nenabled = false\nexception = \"repairs, approved by Zhang\"\ntracks = ⟦true⟧",
        )],
    },
    Fixture {
        code: "E0116",
        what: "a format of recordings that nobody makes",
        edits: &[Edit::Plan(
            "[recording]\nenabled = true",
            "[recording]\nenabled = false\nexception = \"repairs, approved by Zhang\"\nformat = ⟦\"flac\"⟧",
        )],
    },
    Fixture {
        code: "E0407",
        what: "a 工号 that cannot be read out",
        edits: &[Edit::Plan("id = \"1002\"", "id = ⟦\"zhang\"⟧")],
    },
    Fixture {
        code: "E0407",
        what: "a 工号 that nobody hears to the end",
        edits: &[Edit::Plan("id = \"1002\"", "id = ⟦\"100200300\"⟧")],
    },
    Fixture {
        code: "E0124",
        what: "two seats with one secret",
        edits: &[Edit::Plan(
            "secret = { env = \"SEAT_1002\" }",
            "secret = ⟦{ file = \"./secrets/seat-1001\" }⟧",
        )],
    },
    Fixture {
        code: "E0425",
        what: "a seat with the number of the police",
        edits: &[Edit::Plan("id = \"1002\"", "id = ⟦\"110\"⟧")],
    },
];

#[test]
fn a_house_that_does_not_record_says_why() {
    let reason = "[recording]\nenabled = false\nexception = \"设备检修至9月1日，张主任批准\"";
    let outcome = Files::with(&[Edit::Plan("[recording]\nenabled = true", reason)]).judge();
    assert_eq!(codes(&outcome.report), [""; 0]);
    assert!(!outcome.plan.expect("a plan").recording.enabled);
}

#[test]
fn a_bench_plan_is_exempt_from_what_citizens_are_owed() {
    let outcome = Files::with(&[
        Edit::Bytes("routing.toml", include_bytes!("../../tools/bench.toml")),
        Edit::Gone("prompts.toml"),
    ]);
    let report = outcome.judge().report;
    assert_eq!(codes(&report), ["E0501"], "only its prompts are missing here: {}", report.render(false));
}
