//! Faults of names: given twice, referred to but not there, there but not referred to.

use super::base::{Edit, Files};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0301",
        what: "a number waits in a queue that is not there",
        edits: &[Edit::Plan(
            "row = \"2-1\"\nmode = \"dual\"\nqueue = \"main\"",
            "row = \"2-1\"\nmode = \"dual\"\nqueue = ⟦\"mian\"⟧",
        )],
    },
    Fixture {
        code: "E0301",
        what: "a seat serves a queue that is not there",
        edits: &[Edit::Plan(
            "skills = [\"general\"]\nqueues = [\"main\"]",
            "skills = [\"general\"]\nqueues = [\"main\", ⟦\"night\"⟧]",
        )],
    },
    Fixture {
        code: "E0302",
        what: "a greeting that nobody recorded",
        edits: &[Edit::Plan("greeting = \"greeting\"", "greeting = ⟦\"welcome\"⟧")],
    },
    Fixture {
        code: "E0302",
        what: "a transition prompt that nobody recorded",
        edits: &[Edit::Plan("row = \"1-3\"", "row = \"1-3\"\ntransition = { prompt = ⟦\"moved\"⟧ }")],
    },
    Fixture {
        code: "E0303",
        what: "an emergency peer behind a trunk that is not there",
        edits: &[
            Edit::Plan("trunk = \"police\"", "trunk = ⟦\"polcie\"⟧"),
            Edit::Plan(
                "[[trunk]]\nname = \"police\"\ntarget = [\"203.0.113.6:5060\", \"203.0.113.7:5060\"]\n",
                "",
            ),
        ],
    },
    Fixture {
        code: "E0304",
        what: "two seats with one 工号",
        edits: &[Edit::Plan("id = \"1002\"", "id = ⟦\"1001\"⟧")],
    },
    Fixture {
        code: "E0304",
        what: "two prompts with one id",
        edits: &[
            Edit::Manifest("id = \"no_seat\"", "id = ⟦\"greeting\"⟧"),
            Edit::Plan("overflow_prompt = \"no_seat\"", "overflow_prompt = \"greeting\""),
        ],
    },
    Fixture {
        code: "W0104",
        what: "a trunk that no number uses",
        edits: &[Edit::Plan(
            "[[queue]]\n",
            "[[trunk]]\nname = ⟦\"spare\"⟧\ntarget = \"203.0.113.7:5060\"\n\n[[queue]]\n",
        )],
    },
    Fixture {
        code: "W0105",
        what: "a queue that no number uses",
        edits: &[Edit::Plan(
            "[[seat]]\nid = \"1001\"",
            "[[queue]]\nname = ⟦\"night\"⟧\ngreeting = \"greeting\"\nmusic = \"hold_music\"\noverflow_prompt = \"no_seat\"\n\n[[seat]]\nid = \"1001\"",
        )],
    },
];

#[test]
fn the_first_of_two_equal_names_is_shown_beside_the_second() {
    let report = Files::with(&[Edit::Plan("number = \"12348\"", "number = \"12336\"")]).judge().report;
    let (related, note) = report.diagnostics[0].related.as_ref().expect("the first one");
    assert_eq!(report.place(related).map(|place| place.text).as_deref(), Some("number = \"12336\""));
    assert_eq!((note.zh.as_str(), note.en.as_str()), ("第一次", "first"));
    assert!(report.render(false).contains("第一次 / first"));
}
