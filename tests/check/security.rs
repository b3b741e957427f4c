//! `[security]`: brakes that cannot be taken off, nor set so narrow that nobody gets in.

use crate::base::Edit;
use crate::fixture::Fixture;

const BEFORE: &str = "[recording]\nenabled = true";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E1920",
        what: "passwords that may be guessed at",
        edits: &[Edit::Plan(BEFORE, "[security]\nguesses = ⟦1000⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E1920",
        what: "a seat that is shut out by one slip",
        edits: &[Edit::Plan(BEFORE, "[security]\nguesses = ⟦2⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E1920",
        what: "guesses that are forgotten at once",
        edits: &[Edit::Plan(BEFORE, "[security]\nguess_span = ⟦\"29s\"⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E1920",
        what: "a seat that is shut out for the day",
        edits: &[Edit::Plan(BEFORE, "[security]\nguess_span = ⟦\"24h\"⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E1920",
        what: "tokens that may be guessed at",
        edits: &[Edit::Plan(BEFORE, "[security]\nwrong_tokens = ⟦51⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E1920",
        what: "tokens that may be guessed at without a pause",
        edits: &[Edit::Plan(
            BEFORE,
            "[security]\nwrong_token_every = ⟦\"999ms\"⟧\n[recording]\nenabled = true",
        )],
    },
    Fixture {
        code: "E1920",
        what: "a stranger who may send what he likes",
        edits: &[Edit::Plan(
            BEFORE,
            "[security]\nmessages_per_second = ⟦1000000⟧\n[recording]\nenabled = true",
        )],
    },
    Fixture {
        code: "E1920",
        what: "telephones that do not get back in",
        edits: &[Edit::Plan(BEFORE, "[security]\nmessages_at_once = ⟦0⟧\n[recording]\nenabled = true")],
    },
];
