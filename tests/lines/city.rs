//! The shipped plan, as it is or edited, and small questions about its flows.

use std::path::Path;
use std::sync::OnceLock;

use hotline::routing::plan::{Flow, Line, Plan, Step};
use hotline::routing::{Draft, Overrides};
use hotline::time::Timestamp;

/// The shipped plan.
pub fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| edited(&[]))
}

/// The shipped plan with some of its text replaced, read and checked as the engine does it.
pub fn edited(edits: &[(&str, &str)]) -> Plan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = std::fs::read_to_string(folder.join("routing.toml")).expect("the shipped file");
    if !edits.is_empty() {
        text = without_tests(&text); // They hold for the file as it is.
    }
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let mut draft = Draft::read("routing.toml", Ok(text.into_bytes()), &Overrides::default());
    loop {
        let wanted = draft.wants();
        if wanted.is_empty() {
            break;
        }
        for name in wanted {
            let bytes = std::fs::read(folder.join(&name)).map_err(|error| error.to_string());
            draft.give(&name, bytes);
        }
    }
    let outcome = draft.judge();
    outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)))
}

/// Its `[[test]]` tables taken out: each is a paragraph of its own.
pub fn without_tests(text: &str) -> String {
    text.split("\n\n").filter(|part| !part.starts_with("[[test]]")).collect::<Vec<_>>().join("\n\n")
}

pub fn line<'a>(plan: &'a Plan, number: &str) -> &'a Line {
    plan.lines.get(number).unwrap_or_else(|| panic!("{number} is a line"))
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|_| panic!("{text} is an instant"))
}

/// An instant at which every number of the shipped plan is one of ours.
pub fn now() -> Timestamp {
    at("2026-03-01T00:00:00+08:00")
}

/// What a call to `number` does at `instant`.
pub fn flow(plan: &Plan, number: &str, instant: &str) -> Flow {
    plan.flow(line(plan, number), at(instant))
}

/// Whether the transition prompt is among the steps.
pub fn prompts(plan: &Plan, number: &str, instant: &str) -> bool {
    let heard = |step: &Step| match step {
        Step::Play(prompt) | Step::PlayEarly(prompt) => prompt.as_str() == "transition",
        _ => false,
    };
    flow(plan, number, instant).steps.iter().any(heard)
}
