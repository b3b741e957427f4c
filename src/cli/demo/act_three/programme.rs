//! The third act's table: a heading for each caller, a line for each step, and one for what was kept.

use std::time::Duration;

use super::Noted;
use super::proof::Verdict;
use super::scenes::{Deed, Step, Until};
use crate::cli::grid::in_widths;
use crate::cli::handset::say;
use crate::routing::Plan;

/// Columns and their widths; the last has none.
const COLUMNS: [(&str, usize); 4] =
    [("步骤 step", 44), ("按键 keys", 13), ("来电人听到 what the caller hears", 90), ("用时 time", 0)];

/// The heading.
pub fn heading() {
    say("\n第三幕：自助 / act three: self-service");
}

/// Why there is nothing to be seen.
pub fn left_out(why: &str) {
    say(&format!("  略去 / left out: {why}"));
}

/// What the engine's ledger says of the plan that it has taken over while it ran.
pub fn switched_on(changes: usize) {
    say(&format!(
        "  样例中的自助流程在运行中启用，改动 {changes} 处，记入台账 / \
         the sample's self-service comes into force while the engine runs: {changes} changes, in the ledger"
    ));
    say(&row(&COLUMNS.map(|(title, _)| title.to_owned())));
}

/// Of one caller.
pub fn visit(number: usize, title: &str, voice: u32) -> String {
    format!("{number} {title}（来电人 caller {voice} Hz）")
}

/// One step that is through, or not.
pub fn step(plan: &Plan, step: &Step, noted: Option<&Noted>, took: Duration, through: bool) -> String {
    let mark = if through { "✓" } else { "✗" };
    let heard = match &step.until {
        Until::Hears(prompt) | Until::HearsOut(prompt) => match plan.prompts.get(prompt) {
            Some(prompt) => format!("“{}”", prompt.text.chars().take(34).collect::<String>()),
            None => prompt.to_string(),
        },
        Until::Spoken => "来电人在说 the caller speaks".to_owned(),
        Until::Noted => match noted {
            Some(Noted { ticket, code }) => format!("工单号 number {ticket}  提取码 code {code}"),
            None => "没有听清 not understood".to_owned(),
        },
        Until::Clerk => "座席的声音 a clerk's voice".to_owned(),
        Until::Over => "通话结束 the call is over".to_owned(),
    };
    let keys = match step.deed {
        Deed::Speak | Deed::Wait | Deed::HangUp => "–",
        Deed::Dial | Deed::Press => step.keys.as_str(),
    };
    row(&[
        format!("  {}", step.name),
        keys.to_owned(),
        format!("{mark} {heard}"),
        format!("{:.1}s", took.as_secs_f64()),
    ])
}

/// What was kept of a call, and what is missing.
pub fn kept(verdict: &Verdict) -> Vec<String> {
    let mark = |good: bool| if good { "✓" } else { "✗" };
    let mut words: Vec<String> = verdict
        .found
        .iter()
        .map(|(name, said)| match said {
            Some(said) => format!("{name} ✓ {said}"),
            None => format!("{name} ✗"),
        })
        .collect();
    words.push(format!("记录 record {}", mark(verdict.record)));
    words.push(match &verdict.ticket {
        Some(number) => format!("工单 ticket ✓ {number}"),
        None => "工单 ticket ✗".to_owned(),
    });
    words.push(match verdict.recording {
        Some(seconds) => format!("录音 recording ✓ {seconds:.1}s"),
        None => "录音 recording ✗".to_owned(),
    });
    let mut lines = vec![format!("  {}", words.join("  "))];
    lines.extend(verdict.faults.iter().map(|fault| format!("    ✗ {fault}")));
    lines
}

fn row(cells: &[String; COLUMNS.len()]) -> String {
    in_widths(cells, COLUMNS.map(|(_, width)| width))
}
