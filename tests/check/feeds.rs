//! Faults of ways out of the house: feeds of departments, and how patient sinks are.

use super::base::{Edit, Files, add};
use super::fixture::Fixture;

const SINK: &str = "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E1601",
        what: "a secret in a query",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"http\"\nurl = ⟦\"https://tickets.example/hook?token=5up3r\"⟧\nsecret = { env = \"HOOK\" }\ntimeout = \"5s\"\n",
        )],
    },
    Fixture {
        code: "E1602",
        what: "a feed of nothing",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n\n[[feed]]\nname = ⟦\"justice\"⟧\nkind = \"http\"\nurl = \"https://justice.example/hotline\"\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\n",
        )],
    },
    Fixture {
        code: "E1603",
        what: "an owner nobody has",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n\n[[feed]]\nname = \"justice\"\nkind = \"http\"\nurl = \"https://justice.example/hotline\"\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\nowners = [⟦\"司法局\"⟧]\n",
        )],
    },
    Fixture {
        code: "E1604",
        what: "a line that is none",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n\n[[feed]]\nname = \"justice\"\nkind = \"http\"\nurl = \"https://justice.example/hotline\"\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\nowners = [\"市司法局\"]\nlines = [⟦\"12349\"⟧]\n",
        )],
    },
    Fixture {
        code: "E1605",
        what: "a feed named like a sink",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n\n[[feed]]\nname = ⟦\"store\"⟧\nkind = \"http\"\nurl = \"https://justice.example/hotline\"\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\nowners = [\"市司法局\"]\n",
        )],
    },
    Fixture {
        code: "E1606",
        what: "a feed to no web address",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n\n[[feed]]\nname = \"justice\"\nkind = \"http\"\nurl = ⟦\"justice.example/hotline\"⟧\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\nowners = [\"市司法局\"]\n",
        )],
    },
    Fixture {
        code: "E1607",
        what: "a feed in the clear in public",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n\n[[feed]]\nname = \"justice\"\nkind = \"http\"\nurl = ⟦\"http://203.0.113.9/hotline\"⟧\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\nowners = [\"市司法局\"]\n",
        )],
    },
    Fixture {
        code: "E1608",
        what: "a first rest beyond the longest",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n\n[[feed]]\nname = \"justice\"\nkind = \"http\"\nurl = \"https://justice.example/hotline\"\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\nowners = [\"市司法局\"]\nretry = { first = ⟦\"2min\"⟧, longest = \"60s\" }\n",
        )],
    },
    Fixture {
        code: "E1609",
        what: "given up before anybody is told",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n\n[[feed]]\nname = \"justice\"\nkind = \"http\"\nurl = \"https://justice.example/hotline\"\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\nowners = [\"市司法局\"]\nkeep = ⟦\"1h\"⟧\nwarn_after = \"2h\"\n",
        )],
    },
    Fixture {
        code: "E1610",
        what: "a field that events have not",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n\n[[feed]]\nname = \"justice\"\nkind = \"http\"\nurl = \"https://justice.example/hotline\"\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\nowners = [\"市司法局\"]\nfields = [\"ticket\", ⟦\"callers\"⟧]\n",
        )],
    },
    Fixture {
        code: "W1601",
        what: "a feed in the clear",
        edits: &[Edit::Plan(
            SINK,
            "[[ticket_sink]]\nname = \"store\"\nkind = \"sqlite\"\ntimeout = \"5s\"\n\n[[feed]]\nname = \"justice\"\nkind = \"http\"\nurl = ⟦\"http://justice.example/hotline\"⟧\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\nowners = [\"市司法局\"]\n",
        )],
    },
    Fixture {
        code: "E0116",
        what: "patience of the embedded store",
        edits: &[Edit::Plan("kind = \"sqlite\"", "kind = \"sqlite\"\nat_once = ⟦4⟧")],
    },
    Fixture {
        code: "E0107",
        what: "more tries at once than there may be",
        edits: &[Edit::Plan(
            "kind = \"sqlite\"",
            "kind = \"jsonl\"\npath = \"tickets.jsonl\"\nat_once = ⟦65⟧",
        )],
    },
    Fixture {
        code: "E0107",
        what: "events that are kept for ever and a day",
        edits: &[Edit::Plan(
            "kind = \"sqlite\"",
            "kind = \"jsonl\"\npath = \"tickets.jsonl\"\nkeep = ⟦\"9000h\"⟧",
        )],
    },
];

#[test]
fn an_office_whose_experts_are_for_another_s_line_is_told_of_calls_to_them_and_not_to_that_line() {
    let outcome = Files::with(&[
        add!(
            "[[expert_group]]\nnumber = \"12345\"\nname = \"公共法律服务\"\ndepartment = \"市司法局\"\nseats = [\"1002\"]"
        ),
        add!(
            "[[feed]]\nname = \"justice\"\nkind = \"http\"\nurl = \"https://justice.example/hotline\"\nsecret = { env = \"JUSTICE\" }\ntimeout = \"5s\"\nowners = [\"市司法局\"]"
        ),
    ])
    .judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    let [feed] = &plan.feeds[..] else { panic!("one feed") };
    let said = |lines: &std::collections::BTreeSet<hotline::id::LineId>| {
        lines.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        (said(&feed.lines), said(&feed.experts)),
        (vec!["12348".to_owned()], vec!["12345".to_owned()])
    );
}
