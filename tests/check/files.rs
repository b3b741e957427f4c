//! Faults of whole files: missing, not text, not TOML.

use super::base::{Edit, Files};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture { code: "E0001", what: "the routing file is not there", edits: &[Edit::Gone("routing.toml")] },
    Fixture {
        code: "E0002",
        what: "the routing file is in GBK",
        edits: &[Edit::Bytes("routing.toml", b"name = \"\xc5\xa7\xd1\xf4\"")],
    },
    Fixture {
        code: "E0002",
        what: "the manifest is in GBK",
        edits: &[Edit::Bytes("prompts.toml", b"text = \"\xc4\xfa\xba\xc3\"")],
    },
    Fixture {
        code: "E0003",
        what: "a quote is missing",
        edits: &[Edit::Plan("name = \"濮阳市\"", "name = ⟦濮阳市⟧")],
    },
    Fixture {
        code: "E0003",
        what: "the manifest is no TOML",
        edits: &[Edit::Manifest("text = \"survey。\"", "text = ⟦survey。⟧")],
    },
    Fixture { code: "E0501", what: "the manifest is not there", edits: &[Edit::Gone("prompts.toml")] },
];

#[test]
fn a_file_that_cannot_be_read_is_told_from_a_faulty_one() {
    for (edit, exit_code) in [
        (Edit::Gone("routing.toml"), 2),
        (Edit::Bytes("routing.toml", b"\xff"), 2),
        (Edit::Bytes("routing.toml", b"schema ="), 2),
        (Edit::Gone("prompts.toml"), 1),
        (Edit::Bytes("prompts.toml", b"schema ="), 1),
        (Edit::Bytes("routing.toml", b""), 1),
    ] {
        assert_eq!(Files::with(&[edit]).judge().report.exit_code(), exit_code);
    }
}
