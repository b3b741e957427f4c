//! Faults of `[kpi]` and of what is handed on at once.

use crate::base::{Files, add, codes};
use crate::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0107",
        what: "an answer in no time",
        edits: &[add!("[kpi]\nversion = \"2026-1\"\nanswer_within = ⟦\"0s\"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "an answer by tomorrow",
        edits: &[add!("[kpi]\nversion = \"2026-1\"\nanswer_within = ⟦\"24h\"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "more than all are answered",
        edits: &[add!("[kpi]\nversion = \"2026-1\"\nanswer_rate = ⟦101⟧")],
    },
    Fixture {
        code: "E0107",
        what: "nobody is answered",
        edits: &[add!("[kpi]\nversion = \"2026-1\"\n[[kpi.line]]\nnumber = \"12366\"\nanswer_rate = ⟦0⟧")],
    },
    Fixture {
        code: "E0306",
        what: "a line that is not ours",
        edits: &[add!("[[kpi.line]]\nnumber = ⟦\"12328\"⟧\nversion = \"2026-1\"\nanswer_within = \"30s\"")],
    },
    Fixture {
        code: "E0304",
        what: "two formulas for one line",
        edits: &[add!(
            "[kpi]\nversion = \"2026-1\"\n[[kpi.line]]\nnumber = \"12366\"\nanswer_within = \"30s\"\n[[kpi.line]]\nnumber = ⟦\"12366\"⟧\nanswer_rate = 90"
        )],
    },
    Fixture {
        code: "E1501",
        what: "a kind that there is not",
        edits: &[add!("[kpi]\nversion = \"2026-1\"\n[kpi.exclude]\nanswer = [⟦\"seat/1001\"⟧]")],
    },
    Fixture {
        code: "E1501",
        what: "a kind without a name",
        edits: &[add!("[kpi]\nversion = \"2026-1\"\n[kpi.exclude]\nanswer = [⟦\"line/\"⟧]")],
    },
    Fixture {
        code: "E1502",
        what: "a name as long as a report",
        edits: &[add!(
            "[kpi]\nversion = ⟦\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"⟧"
        )],
    },
    Fixture {
        code: "E1503",
        what: "another clock by the old name",
        edits: &[add!("⟦[kpi]⟧\nclock = \"arrival\"")],
    },
    Fixture {
        code: "E1503",
        what: "others left out by the old name",
        edits: &[add!("[kpi]\nversion = ⟦\"GB/T 33358-2016\"⟧\n[kpi.exclude]\nanswer = []")],
    },
    Fixture {
        code: "E1503",
        what: "a line's own time by the standard's name",
        edits: &[add!("⟦[[kpi.line]]⟧\nnumber = \"12366\"\nanswer_within = \"30s\"")],
    },
    Fixture {
        code: "E1503",
        what: "the city's clock by the standard's name, on a line",
        edits: &[add!(
            "[kpi]\nversion = \"2026-1\"\nclock = \"arrival\"\n[[kpi.line]]\nnumber = \"12366\"\nversion = ⟦\"GB/T 33358-2016\"⟧"
        )],
    },
    Fixture {
        code: "E1504",
        what: "a trunk that is not there",
        edits: &[add!("[kpi]\nversion = \"2026-1\"\n[kpi.exclude]\nanswer = [⟦\"trunk/carier\"⟧]")],
    },
    Fixture {
        code: "E1504",
        what: "a code that no clerk can say",
        edits: &[add!("[kpi]\nversion = \"2026-1\"\n[kpi.exclude]\ntransfer = [⟦\"code/petition\"⟧]")],
    },
    Fixture {
        code: "E1505",
        what: "transfers of who gave up at once",
        edits: &[add!("[kpi]\nversion = \"2026-1\"\n[kpi.exclude]\ntransfer = [⟦\"short_abandon\"⟧]")],
    },
    Fixture {
        code: "E0107",
        what: "late from the first moment",
        edits: &[add!(
            "[disposition.types]\ncomplaint = \"投诉\"\n[[disposition.immediate]]\ncode = \"complaint\"\nwithin = ⟦\"0s\"⟧"
        )],
    },
    Fixture {
        code: "E1510",
        what: "what is not accepted goes nowhere",
        edits: &[add!(
            "[disposition.not_accepted]\npetition = \"信访\"\n[[disposition.immediate]]\ncode = ⟦\"petition\"⟧\nwithin = \"5min\""
        )],
    },
    Fixture {
        code: "E1511",
        what: "one code at once twice",
        edits: &[add!(
            "[disposition.types]\ncomplaint = \"投诉\"\n[[disposition.immediate]]\ncode = \"complaint\"\nwithin = \"5min\"\n[[disposition.immediate]]\ncode = ⟦\"complaint\"⟧\nwithin = \"6min\""
        )],
    },
    Fixture {
        code: "E1512",
        what: "a seat is no department",
        edits: &[add!(
            "[disposition.types]\ncomplaint = \"投诉\"\n[[disposition.immediate]]\ncode = \"complaint\"\nto = ⟦\"1001\"⟧\nwithin = \"5min\""
        )],
    },
    Fixture {
        code: "W1501",
        what: "who waited too long did not mean it",
        edits: &[add!("[[kpi.line]]\nnumber = \"12366\"\nversion = \"2026-1\"\nshort_abandon = ⟦\"16s\"⟧")],
    },
    Fixture {
        code: "W1502",
        what: "a line of its own that is not",
        edits: &[add!("⟦[[kpi.line]]⟧\nnumber = \"12366\"")],
    },
];

#[test]
fn what_the_formulas_do_not_say_is_as_the_standard_has_it_and_as_the_city_has_it() {
    let usual = Files::with(&[]).judge().plan.expect("a plan").kpi;
    assert_eq!(usual, hotline::routing::kpi::Kpi::default());
    let outcome = Files::with(&[add!(
        "[kpi]\nversion = \"2026-1\"\nanswer_within = \"20s\"\nclock = \"ring\"\n[[kpi.line]]\nnumber = \"12366\"\nanswer_rate = 90"
    )])
    .judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let kpi = outcome.plan.expect("a plan").kpi;
    let tax = kpi.of(&"12366".into());
    assert_eq!((tax.answer_within.as_secs(), tax.answer_rate, tax.version.as_str()), (20, 90, "2026-1"));
    assert_eq!((tax.clock, kpi.of(&"12345".into()).answer_rate), (kpi.usual.clock, 95));
    assert_eq!(kpi.exclude, hotline::routing::kpi::Exclude::default());
    let words = kpi.words();
    assert!(words[0].en.contains("within 20s from the first ringing"), "{words:?}");
    assert!(words[1].zh.contains("12366") && words[1].zh.contains("90%"), "{words:?}");
}

#[test]
fn staffing_wants_what_the_formula_wants_where_it_says_nothing_itself() {
    const SEATS: &str = "staffing = { calls_per_hour = 1, talk = \"1min\"";
    let target = |kpi: &'static str, target: &str| {
        let queue: &'static str = format!("announce_every = \"29s\"\n{SEATS}{target} }}").leak();
        let edits = [
            crate::base::Edit::Plan("announce_every = \"29s\"", queue),
            crate::base::Edit::Plan("[recording]", kpi),
        ];
        let plan = Files::with(&edits).judge().plan.expect("a plan");
        let staffing = plan.queues.values().find_map(|queue| queue.rules.staffing.clone()).expect("staffing");
        (staffing.within.as_secs(), staffing.percent)
    };
    const OWN: &str = "[kpi]\nversion = \"2026-1\"\nanswer_within = \"20s\"\nanswer_rate = 100\n[recording]";
    assert_eq!(target("[recording]", ""), (15, 95));
    assert_eq!(target(OWN, ""), (20, 99), "no number of seats keeps a promise to all");
    assert_eq!(target(OWN, ", target = { percent = 80 }"), (20, 80));
    assert_eq!(target(OWN, ", target = { within = \"10s\" }"), (10, 99));
}

#[test]
fn what_the_standard_has_may_be_said_aloud_under_its_name() {
    let outcome = Files::with(&[add!(
        "[kpi]\nanswer_within = \"15s\"\n[kpi.exclude]\nanswer = [\"short_abandon\"]\n[[kpi.line]]\nnumber = \"12366\"\nanswer_rate = 95\n[[kpi.line]]\nnumber = \"12348\"\nversion = \"12348\"\nanswer_rate = 90"
    )])
    .judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
}
