//! Faults of the published numbers and of the transition.

use super::base::{Edit, Files, codes};
use super::fixture::Fixture;

const OWN: &str = "row = \"1-3\"";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0111",
        what: "an area code without its zero",
        edits: &[Edit::Plan("\"0393\"", "⟦\"393\"⟧")],
    },
    Fixture {
        code: "E0112",
        what: "a country code with a plus",
        edits: &[Edit::Plan("\"86\"", "⟦\"+86\"⟧")],
    },
    Fixture {
        code: "E0113",
        what: "a number with its area code",
        edits: &[Edit::Plan("number = \"12348\"", "number = ⟦\"039312348\"⟧")],
    },
    Fixture {
        code: "E0113",
        what: "an emergency number with a blank",
        edits: &[Edit::Plan("number = \"110\"", "number = ⟦\"1 10\"⟧")],
    },
    Fixture {
        code: "E0201",
        what: "a number twice",
        edits: &[Edit::Plan("number = \"12348\"", "number = ⟦\"12336\"⟧")],
    },
    Fixture {
        code: "E0202",
        what: "110 as a line, while it is a peer",
        edits: &[Edit::Plan("number = \"12336\"", "number = ⟦\"110\"⟧")],
    },
    Fixture {
        code: "E0202",
        what: "119 as a line, though no peer is listed",
        edits: &[Edit::Plan("number = \"12336\"", "number = ⟦\"119\"⟧")],
    },
    Fixture {
        code: "E0203",
        what: "a merged number without a transition",
        edits: &[
            Edit::Plan(
                "[transition]\nstart = 2021-08-01\nmonths = 3\nprompt = \"transition\"\nearly_media = false\nafterwards = \"connect\"\n",
                "",
            ),
            Edit::Plan("mode = \"merged\"", "mode = ⟦\"merged\"⟧"),
        ],
    },
    Fixture {
        code: "E0204",
        what: "no 12345",
        edits: &[Edit::Plan("mode = \"primary\"", "mode = \"dual\"")],
    },
    Fixture {
        code: "E0205",
        what: "two primary numbers",
        edits: &[Edit::Plan(
            "row = \"2-1\"\nmode = \"dual\"\nqueue = \"main\"\nexpert_seats = true",
            "mode = ⟦\"primary\"⟧\nqueue = \"main\"",
        )],
    },
    Fixture {
        code: "E0206",
        what: "a silent line among citizens' lines",
        edits: &[Edit::Plan(
            "row = \"2-1\"\nmode = \"dual\"\nqueue = \"main\"\nexpert_seats = true",
            "mode = ⟦\"bench\"⟧\ndoes = \"silent\"",
        )],
    },
    Fixture {
        code: "E0207",
        what: "a retired number comes back",
        edits: &[Edit::Plan("mode = \"merged\"", "mode = ⟦\"dual\"⟧")],
    },
    Fixture {
        code: "E0208",
        what: "expert seats on a merged number",
        edits: &[Edit::Plan(OWN, "row = \"1-3\"\nexpert_seats = ⟦true⟧")],
    },
    Fixture {
        code: "E0209",
        what: "a sub-center without a trunk",
        edits: &[
            Edit::Plan(
                "[[trunk]]\nname = \"tax\"\ntarget = \"203.0.113.5:5060\"\nconnect_timeout = \"1s\"\ncalls_max = 30\n",
                "",
            ),
            Edit::Plan("[[number]]\nnumber = \"12366\"", "⟦[[number]]⟧\nnumber = \"12366\""),
            Edit::Plan("trunk = \"tax\"\n", ""),
        ],
    },
    Fixture {
        code: "E0116",
        what: "why nobody is refused",
        edits: &[Edit::Plan(
            "afterwards = \"connect\"",
            "afterwards = \"connect\"\ncause = ⟦\"unallocated\"⟧",
        )],
    },
    Fixture {
        code: "E0116",
        what: "a number's own word of why nobody is refused",
        edits: &[Edit::Plan(OWN, "row = \"1-3\"\ntransition = { cause = ⟦\"number_changed\"⟧ }")],
    },
    Fixture {
        code: "E0104",
        what: "a cause that no network knows",
        edits: &[Edit::Plan("afterwards = \"connect\"", "afterwards = \"release\"\ncause = ⟦\"cancelled\"⟧")],
    },
    Fixture {
        code: "E0210",
        what: "a transition of no months",
        edits: &[Edit::Plan("months = 3", "months = ⟦0⟧")],
    },
    Fixture {
        code: "E0210",
        what: "a transition without an end",
        edits: &[Edit::Plan("months = 3", "months = ⟦200⟧")],
    },
    Fixture {
        code: "E0210",
        what: "a number's own transition of 13 months",
        edits: &[Edit::Plan(OWN, "row = \"1-3\"\ntransition = { months = ⟦13⟧ }")],
    },
    Fixture {
        code: "E0210",
        what: "a transition that leaves the calendar",
        edits: &[Edit::Plan("start = 2021-08-01\nmonths = 3", "start = 9999-12-01\nmonths = ⟦3⟧")],
    },
    Fixture {
        code: "E0211",
        what: "a row of the list twice",
        edits: &[
            Edit::Plan("row = \"2-1\"\nmode = \"dual\"", "row = ⟦\"1-3\"⟧\nmode = \"merged\""),
            Edit::Plan("expert_seats = true", "expert_seats = false"),
        ],
    },
    Fixture {
        code: "E0217",
        what: "a row that is no row",
        edits: &[Edit::Plan("row = \"1-3\"", "row = ⟦\"１－3\"⟧")],
    },
];

#[test]
fn each_part_of_the_list_has_its_one_mode() {
    for (row, mode, fault) in [
        ("1-3", "merged", None),
        ("1-3", "dual", Some("E0207")),
        ("2-1", "dual", None),
        ("2-1", "merged", Some("E0207")),
        ("甲-1", "dual", None),
        ("１-3", "dual", Some("E0217")),
        ("1–3", "dual", Some("E0217")),
        (" 1-3", "merged", Some("E0217")),
        ("1 - 3", "dual", Some("E0217")),
        ("7", "merged", None),
    ] {
        let line = format!("row = \"{row}\"\nmode = \"{mode}\"").leak();
        let edits = [Edit::Plan("row = \"2-1\"\n", ""), Edit::Plan("row = \"1-3\"\nmode = \"merged\"", line)];
        assert_eq!(codes(&Files::with(&edits).judge().report), Vec::from_iter(fault), "{row} {mode}");
    }
}

#[test]
fn a_merged_number_with_a_whole_transition_of_its_own_needs_no_other() {
    let edits = [
        Edit::Plan(
            "[transition]\nstart = 2021-08-01\nmonths = 3\nprompt = \"transition\"\nearly_media = false\nafterwards = \"connect\"\n",
            "",
        ),
        Edit::Plan(
            OWN,
            "row = \"1-3\"\ntransition = { start = 2021-09-01, months = 2, prompt = \"transition\" }",
        ),
    ];
    assert_eq!(codes(&Files::with(&edits).judge().report), [""; 0]);
}
