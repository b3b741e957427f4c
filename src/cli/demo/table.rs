//! The table that grows line by line, at a terminal and in a pipe alike.

use super::cast::{Caller, Clerk, Desk};
use super::judge::Verdict;
use crate::cli::grid::in_widths;
use crate::cli::handset::say;
use crate::routing::Plan;
use crate::routing::plan::LineMode;

/// Columns and their widths; the last has none.
const COLUMNS: [(&str, usize); 9] = [
    ("号码 number", 11),
    ("名称 name", 37),
    ("方式 mode", 17),
    ("提示音 prompts", 22),
    ("接听 answered by", 17),
    ("双方声音 voices", 17),
    ("录音 recording", 14),
    ("记录 record", 11),
    ("工单 ticket", 0),
];

/// The heading.
pub fn heading() {
    row(&COLUMNS.map(|(title, _)| title.to_owned()));
}

/// One call that was judged.
pub fn call(plan: &Plan, caller: &Caller, clerk: Option<&Clerk>, verdict: &Verdict) {
    let line = plan.lines.get(&caller.line);
    let mode = match line.map(|line| &line.mode) {
        Some(LineMode::Primary { .. }) => "主号码 primary",
        Some(LineMode::Merged { .. }) => "整体并入 merged",
        Some(LineMode::Dual { .. }) => "双号并行 dual",
        Some(LineMode::Retained { .. }) => "双号并行 dual, own seats",
        Some(LineMode::SubCenter { .. }) => "分中心 sub-center",
        Some(LineMode::Bench(_) | LineMode::Meeting(_) | LineMode::Watch { .. }) | None => "",
    };
    let mark = |good: bool| if good { "✓" } else { "✗" };
    let prompts: Vec<String> =
        verdict.prompts.iter().map(|(name, found)| format!("{name}{}", mark(*found))).collect();
    let by = clerk.map_or_else(
        || "–".to_owned(),
        |clerk| match &clerk.desk {
            Desk::Seat(seat) => format!("座席 seat {seat}"),
            Desk::SubCenter(trunk) => trunk.to_string(),
        },
    );
    let clerk_voice = clerk.map_or_else(|| "–".to_owned(), |clerk| clerk.voice.to_string());
    row(&[
        caller.line.to_string(),
        line.map_or_else(String::new, |line| line.name.clone()),
        mode.to_owned(),
        if prompts.is_empty() { "–".to_owned() } else { prompts.join(" ") },
        by,
        format!("{} {}/{clerk_voice} Hz", mark(verdict.voices), caller.voice),
        verdict.recording.map_or_else(|| "✗".to_owned(), |seconds| format!("✓ {seconds:.1}s")),
        mark(verdict.record).to_owned(),
        verdict.ticket.as_ref().map_or_else(|| "✗".to_owned(), |number| format!("✓ {number}")),
    ]);
    for fault in &verdict.faults {
        say(&format!("    ✗ {fault}"));
    }
}

fn row(cells: &[String; COLUMNS.len()]) {
    say(&in_widths(cells, COLUMNS.map(|(_, width)| width)));
}
