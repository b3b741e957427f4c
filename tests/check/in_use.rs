//! Faults of aliases, of the days on which numbers are in use, and of centers for emergencies.

use super::base::{Edit, add};
use super::fixture::Fixture;

const RETIRED: Edit = Edit::Plan(
    "[[trunk]]\nname = \"carrier\"",
    "[retired]\nnumbers = [\"4412345\"]\n\n[[trunk]]\nname = \"carrier\"",
);

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E1801",
        what: "an alias that is another line",
        edits: &[Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\naliases = [⟦\"12336\"⟧]\n")],
    },
    Fixture {
        code: "E1801",
        what: "an alias that is a seat",
        edits: &[Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\naliases = [⟦\"1001\"⟧]\n")],
    },
    Fixture {
        code: "E1801",
        what: "an alias of two lines",
        edits: &[
            Edit::Plan("row = \"1-3\"\n", "row = \"1-3\"\naliases = [\"4412345\"]\n"),
            Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\naliases = [{ number = ⟦\"4412345\"⟧ }]\n"),
        ],
    },
    Fixture {
        code: "E1801",
        what: "a number as its own alias",
        edits: &[Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\naliases = [⟦\"12348\"⟧]\n")],
    },
    Fixture {
        code: "E0113",
        what: "an alias with its area code",
        edits: &[Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\naliases = [⟦\"03934412345\"⟧]\n")],
    },
    Fixture {
        code: "E0107",
        what: "an alias through the end of the calendar",
        edits: &[Edit::Plan(
            "row = \"2-1\"\n",
            "row = \"2-1\"\naliases = [{ number = \"4412345\", until = ⟦9999-12-31⟧ }]\n",
        )],
    },
    Fixture {
        code: "E1802",
        what: "an emergency peer as an alias",
        edits: &[Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\naliases = [⟦\"110\"⟧]\n")],
    },
    Fixture {
        code: "E1802",
        what: "120 as an alias, though no peer is listed",
        edits: &[Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\naliases = [⟦\"120\"⟧]\n")],
    },
    Fixture {
        code: "E1803",
        what: "an alias that was cancelled",
        edits: &[RETIRED, Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\naliases = [⟦\"4412345\"⟧]\n")],
    },
    Fixture {
        code: "E1804",
        what: "an alias that outlives its number",
        edits: &[Edit::Plan(
            "row = \"1-3\"\n",
            "row = \"1-3\"\nuntil = 2026-12-31\naliases = [{ number = \"4412345\", until = ⟦2027-01-01⟧ }]\n",
        )],
    },
    Fixture {
        code: "E1805",
        what: "a last day before the first",
        edits: &[Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\nfrom = 2027-01-01\nuntil = ⟦2026-12-31⟧\n")],
    },
    Fixture {
        code: "E1806",
        what: "12345 with a last day",
        edits: &[Edit::Plan("mode = \"primary\"\n", "mode = \"primary\"\nuntil = ⟦2030-12-31⟧\n")],
    },
    Fixture {
        code: "E1807",
        what: "a merged number that begins a day behind its transition",
        edits: &[Edit::Plan("row = \"1-3\"\n", "row = \"1-3\"\nfrom = ⟦2021-08-02⟧\n")],
    },
    Fixture {
        code: "E1807",
        what: "a merged number that ends a day before its transition does",
        edits: &[Edit::Plan("row = \"1-3\"\n", "row = \"1-3\"\nuntil = ⟦2021-10-30⟧\n")],
    },
    Fixture {
        code: "E1807",
        what: "a last day of a number that is released",
        edits: &[
            Edit::Plan("row = \"1-3\"\n", "row = \"1-3\"\nuntil = ⟦2022-10-31⟧\n"),
            Edit::Plan("afterwards = \"connect\"", "afterwards = \"release\""),
        ],
    },
    Fixture {
        code: "E0116",
        what: "a greeting of a line for load tools",
        edits: &[
            Edit::Plan("purpose = \"live\"", "purpose = \"bench\""),
            Edit::Plan("listen = [\"192.0.2.10:5060\"]", "listen = [\"127.0.0.1:5060\"]"),
            Edit::Plan(
                "[[emergency]]\nnumber = \"110\"",
                "[[number]]\nnumber = \"10001\"\nname = \"静音\"\nmode = \"bench\"\ndoes = \"silent\"\ngreeting = ⟦\"greeting\"⟧\n\n[[emergency]]\nnumber = \"110\"",
            ),
        ],
    },
    Fixture {
        code: "E0302",
        what: "a greeting that nobody recorded",
        edits: &[Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\ngreeting = ⟦\"welcome\"⟧\n")],
    },
    Fixture {
        code: "E1810",
        what: "110 that rings at 119",
        edits: &[Edit::Plan(
            "trunk = \"police\"\nring = \"32s\"",
            "trunk = \"police\"\ndial = ⟦\"119\"⟧\nring = \"32s\"",
        )],
    },
    Fixture {
        code: "E1812",
        what: "110 and 122 behind one switchboard",
        edits: &[Edit::Plan(
            "trunk = \"police\"\nring = \"32s\"",
            "trunk = \"police\"\ndial = \"8000\"\nring = \"32s\"\n\n[[emergency]]\nnumber = \"122\"\ntrunk = \"police\"\ndial = ⟦\"8000\"⟧",
        )],
    },
    Fixture {
        code: "E1813",
        what: "two departments behind one switchboard",
        edits: &[add!(
            "[[department]]\nnumber = \"8101\"\nname = \"市城管局\"\ntrunk = \"tax\"\ndial = \"8000\"\n\n[[department]]\nnumber = \"8102\"\nname = \"市水务局\"\ntrunk = \"tax\"\ndial = ⟦\"8000\"⟧"
        )],
    },
    Fixture {
        code: "E1813",
        what: "a department where 110 is",
        edits: &[add!(
            "[[department]]\nnumber = \"8101\"\nname = \"市公安局\"\ntrunk = \"police\"\ndial = ⟦\"110\"⟧"
        )],
    },
    Fixture {
        code: "E1813",
        what: "a department where a sub-center is",
        edits: &[add!(
            "[[department]]\nnumber = \"8101\"\nname = \"市税务局\"\ntrunk = \"tax\"\ndial = ⟦\"12366\"⟧"
        )],
    },
    Fixture {
        code: "W1802",
        what: "a clerk who may leave 110 ringing",
        edits: &[Edit::Plan(
            "trunk = \"police\"\nring = \"32s\"",
            "trunk = \"police\"\nstay = ⟦false⟧\nring = \"32s\"",
        )],
    },
    Fixture {
        code: "W1801",
        what: "a sub-center that just ends",
        edits: &[Edit::Plan("row = \"3-1\"\n", "row = \"3-1\"\nuntil = ⟦2030-12-31⟧\n")],
    },
];
