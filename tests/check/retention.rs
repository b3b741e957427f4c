//! Faults of how long recordings are kept, and of which are secret.

use super::base::{Edit, add};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E1401",
        what: "nobody decided how long recordings are kept",
        edits: &[Edit::Plan("enabled = true\nkeep = \"1095d\"", "enabled = ⟦true⟧")],
    },
    Fixture {
        code: "E1402",
        what: "a term in hours",
        edits: &[Edit::Plan("keep = \"1095d\"", "keep = ⟦\"26280h\"⟧")],
    },
    Fixture {
        code: "E1402",
        what: "a term of no day",
        edits: &[Edit::Plan("keep = \"1095d\"", "keep = ⟦\"0d\"⟧")],
    },
    Fixture {
        code: "E1402",
        what: "a class of a thousand years",
        edits: &[add!("[[recording_class]]\nname = \"a\"\nkeep = ⟦\"365000d\"⟧\nlines = [\"12366\"]")],
    },
    Fixture {
        code: "E1403",
        what: "a class by a number that there is none of",
        edits: &[add!("[[recording_class]]\nname = \"a\"\nkeep = \"90d\"\nlines = [\"12366\", ⟦\"12367\"⟧]")],
    },
    Fixture {
        code: "E1404",
        what: "a class of every call",
        edits: &[add!("⟦[[recording_class]]⟧\nname = \"a\"\nkeep = \"90d\"")],
    },
    Fixture {
        code: "E1405",
        what: "a class by a code that there is none of",
        edits: &[add!(
            "[disposition.types]\nreport = \"举报\"\n[[recording_class]]\nname = \"a\"\nkeep = \"90d\"\ncodes = [⟦\"reports\"⟧]"
        )],
    },
    Fixture {
        code: "E1405",
        what: "a secret by a code that no clerk can say",
        edits: &[
            Edit::Plan("keep = \"1095d\"", "keep = \"1095d\"\nsecret = [⟦\"mediation\"⟧]"),
            add!("[disposition.unsurveyed]\nmediation = \"行政调解\""),
        ],
    },
    Fixture {
        code: "E0304",
        what: "two classes of one name",
        edits: &[add!(
            "[[recording_class]]\nname = \"a\"\nkeep = \"90d\"\nlines = [\"12366\"]\n[[recording_class]]\nname = ⟦\"a\"⟧\nkeep = \"91d\"\nlines = [\"12348\"]"
        )],
    },
];
