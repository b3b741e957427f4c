//! `[trace]`: what is kept of SIP messages, and where copies go. `[admin]`: where HTTP is served.

use crate::base::Edit;
use crate::fixture::Fixture;

const BEFORE: &str = "[recording]\nenabled = true";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "W1910",
        what: "HTTP for others than this machine",
        edits: &[Edit::Plan(BEFORE, "[admin]\nhttp = ⟦\"192.0.2.10:8345\"⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E0104",
        what: "figures for nobody knows whom",
        edits: &[Edit::Plan(BEFORE, "[admin]\nmetrics = ⟦\"closed\"⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E0107",
        what: "a trace that is gone before the call is",
        edits: &[Edit::Plan(BEFORE, "[trace]\nkeep = ⟦\"59s\"⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E0107",
        what: "a trace that is an archive",
        edits: &[Edit::Plan(BEFORE, "[trace]\nkeep = ⟦\"721h\"⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E0107",
        what: "a trace without room",
        edits: &[Edit::Plan(BEFORE, "[trace]\nkeep_mib = ⟦0⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E0107",
        what: "a trace that fills the disk",
        edits: &[Edit::Plan(BEFORE, "[trace]\nkeep_mib = ⟦16385⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E0108",
        what: "a collector by name",
        edits: &[Edit::Plan(BEFORE, "[trace]\nhep = ⟦\"homer:9060\"⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E0116",
        what: "a collector of messages that nobody traces",
        edits: &[Edit::Plan(
            BEFORE,
            "[trace]\nenabled = false\nhep = ⟦\"192.0.2.9:9060\"⟧\n[recording]\nenabled = true",
        )],
    },
    Fixture {
        code: "E0116",
        what: "a capture id without a collector",
        edits: &[Edit::Plan(BEFORE, "[trace]\ncapture_id = ⟦7⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E0801",
        what: "a collector at our own door",
        edits: &[Edit::Plan(BEFORE, "[trace]\nhep = ⟦\"192.0.2.10:5060\"⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E0801",
        what: "a collector at an address that is none",
        edits: &[Edit::Plan(BEFORE, "[trace]\nhep = ⟦\"[::]:9060\"⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "E0801",
        what: "a collector at port 0",
        edits: &[Edit::Plan(BEFORE, "[trace]\nhep = ⟦\"192.0.2.9:0\"⟧\n[recording]\nenabled = true")],
    },
    Fixture {
        code: "W0107",
        what: "a collector across a public network",
        edits: &[Edit::Plan(BEFORE, "[trace]\nhep = ⟦\"8.8.4.4:9060\"⟧\n[recording]\nenabled = true")],
    },
];
