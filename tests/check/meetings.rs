//! Faults of meeting rooms: numbers that are somebody else's, and doors that are open to the wrong people.

use hotline::routing::plan::Plan;

use super::base::{Edit, Files, codes};
use super::fixture::Fixture;

const BEFORE: &str = "[[ticket_sink]]";

macro_rules! meeting {
    ($said:literal) => {
        Edit::Plan(BEFORE, concat!("[[meeting]]\nname = \"staff\"\n", $said, "\n[[ticket_sink]]"))
    };
}

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0102",
        what: "a meeting without a prefix",
        edits: &[Edit::Plan(BEFORE, "⟦[[meeting]]⟧\nname = \"staff\"\ndigits = 6\n[[ticket_sink]]")],
    },
    Fixture {
        code: "E0107",
        what: "rooms of no digits",
        edits: &[meeting!("prefix = \"94000\"\ndigits = ⟦0⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a room for more than a mixer takes",
        edits: &[meeting!("prefix = \"94\"\ndigits = 6\nmembers_max = ⟦33⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a room for one",
        edits: &[meeting!("prefix = \"94\"\ndigits = 6\nmembers_max = ⟦1⟧")],
    },
    Fixture {
        code: "E0212",
        what: "12345 and the rest of its kind as rooms",
        edits: &[meeting!("prefix = ⟦\"12\"⟧\ndigits = 3")],
    },
    Fixture {
        code: "E0212",
        what: "an emergency number as a room, though no peer is listed",
        edits: &[meeting!("prefix = ⟦\"11\"⟧\ndigits = 1")],
    },
    Fixture {
        code: "E0212",
        what: "a seat's number as a room",
        edits: &[meeting!("prefix = ⟦\"10\"⟧\ndigits = 2")],
    },
    Fixture {
        code: "E0213",
        what: "two meetings that share rooms",
        edits: &[meeting!(
            "prefix = \"94\"\ndigits = 6\n\n[[meeting]]\nname = \"drill\"\nprefix = ⟦\"9401\"⟧\ndigits = 4"
        )],
    },
    Fixture {
        code: "E0214",
        what: "a prefix with a zero",
        edits: &[meeting!("prefix = ⟦\"094\"⟧\ndigits = 6")],
    },
    Fixture {
        code: "E0214",
        what: "a prefix with a plus",
        edits: &[meeting!("prefix = ⟦\"+94\"⟧\ndigits = 6")],
    },
    Fixture {
        code: "E0214",
        what: "a number longer than numbers are",
        edits: &[meeting!("prefix = ⟦\"9400\"⟧\ndigits = 8")],
    },
    Fixture {
        code: "E0215",
        what: "a meeting that nobody may join",
        edits: &[meeting!("prefix = \"94\"\ndigits = 6\nfrom = ⟦[]⟧")],
    },
    Fixture {
        code: "E0216",
        what: "a trunk called seats",
        edits: &[Edit::Plan(
            BEFORE,
            "[[trunk]]\nname = ⟦\"seats\"⟧\nsources = [\"198.51.100.64/28\"]\n\n[[ticket_sink]]",
        )],
    },
    Fixture {
        code: "E0302",
        what: "a meeting's prompt that is not there",
        edits: &[meeting!("prefix = \"94\"\ndigits = 6\nprompt = ⟦\"welcome_all\"⟧")],
    },
    Fixture {
        code: "E0303",
        what: "a meeting open to a trunk that is not there",
        edits: &[meeting!("prefix = \"94\"\ndigits = 6\nfrom = [\"seats\", ⟦\"carier\"⟧]")],
    },
    Fixture {
        code: "E0304",
        what: "two meetings of one name",
        edits: &[meeting!(
            "prefix = \"94\"\ndigits = 6\n\n[[meeting]]\nname = ⟦\"staff\"⟧\nprefix = \"95\"\ndigits = 6"
        )],
    },
    Fixture {
        code: "W0109",
        what: "a meeting open to the carrier",
        edits: &[meeting!("prefix = \"94\"\ndigits = 6\nfrom = [\"seats\", ⟦\"carrier\"⟧]")],
    },
];

fn plan(edit: Edit) -> Plan {
    let outcome = Files::with(&[edit]).judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    outcome.plan.expect("a plan")
}

#[test]
fn a_meeting_says_little_and_is_open_to_seats_only() {
    let plan = plan(meeting!("prefix = \"94\"\ndigits = 6"));
    let [meeting] = &plan.meetings[..] else { panic!("one meeting") };
    assert_eq!((meeting.members_max, meeting.record, meeting.prompt.as_ref()), (32, false, None));
    assert_eq!((meeting.seats, meeting.trunks.len()), (true, 0));
    assert_eq!(meeting.pattern().as_str(), "94xxxxxx");
}

#[test]
fn numbers_of_another_length_are_no_rooms_and_in_nobodys_way() {
    // 1 and five digits: six, beside 12345 and 110. 10 and three: five, beside the seats' four.
    for edit in [
        meeting!("prefix = \"1\"\ndigits = 5"),
        meeting!("prefix = \"10\"\ndigits = 3"),
        meeting!("prefix = \"94\"\ndigits = 6\n\n[[meeting]]\nname = \"drill\"\nprefix = \"94\"\ndigits = 5"),
    ] {
        plan(edit);
    }
}
