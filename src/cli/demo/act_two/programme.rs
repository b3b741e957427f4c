//! The second act's table: a heading for each scene, a line for each step, and one for what was kept.

use std::time::Duration;

use super::proof::Verdict;
use super::scenes::{Order, Role, Step, Target, Until};
use crate::cli::grid::in_widths;
use crate::cli::handset::say;

/// Columns and their widths; the last has none.
const COLUMNS: [(&str, usize); 4] = [
    ("步骤 step", 44),
    ("按键 keys", 11),
    ("谁听到谁（各人的声音是一个音高） who hears whom (each voice is a tone)", 92),
    ("用时 time", 0),
];

/// The heading, with what is left out.
pub fn heading(left_out: &[String]) {
    say("\n第二幕：三方通话 / act two: calls with a third party");
    for why in left_out {
        say(&format!("  略去一场 / a scene is left out: {why}"));
    }
    say(&row(&COLUMNS.map(|(title, _)| title.to_owned())));
}

/// Of one scene.
pub fn scene(number: usize, title: &str, voice: u32) -> String {
    format!("{number} {title}（来电人 caller {voice} Hz）")
}

/// One step that is through, or not.
pub fn step(step: &Step, hears: &[String], took: Duration, through: bool) -> String {
    let mark = if through { "✓" } else { "✗" };
    let heard = match &step.until {
        Until::Hear { .. } => hears.join("  "),
        Until::Rings => "振铃 it rings".to_owned(),
        Until::Gone(_) => "座席已离开 the clerk is gone".to_owned(),
        Until::Asked => "来电人被问 the caller is asked".to_owned(),
        Until::Over => "通话结束 the call is over".to_owned(),
    };
    let keys = match step.order {
        Order::HangUp(_) => "–",
        _ => step.keys.as_str(),
    };
    row(&[
        format!("  {}", step.name),
        keys.to_owned(),
        format!("{mark} {heard}"),
        format!("{:.1}s", took.as_secs_f64()),
    ])
}

/// Whom one hears: nobody means music.
pub fn hears(role: Role, target: &Target, voices: &[String]) -> String {
    let who = match (role, target) {
        (Role::Citizen, _) => "来电人 caller",
        (Role::Clerk, _) => "座席 clerk",
        (Role::Second, _) => "新座席 new clerk",
        (Role::Third, Target::SubCenter(_)) => "分中心 center",
        (Role::Third, Target::Seats(_)) => "专家 expert",
    };
    match voices {
        [] => format!("{who} ← 音乐 music"),
        voices => format!("{who} ← {} Hz", voices.join("+")),
    }
}

/// What was kept of a scene's call, and what is missing.
pub fn kept(verdict: &Verdict) -> Vec<String> {
    let mark = |good: bool| if good { "✓" } else { "✗" };
    let mut words = Vec::new();
    for (name, found) in &verdict.prompts {
        words.push(format!("{name}{}", mark(*found)));
    }
    words.push(format!("记录 record {}", mark(verdict.record)));
    words.push(format!(
        "工单 ticket {}",
        verdict.ticket.as_deref().map_or("✗".into(), |at| format!("✓ {at}"))
    ));
    words.push(match verdict.recording {
        Some(seconds) => format!("录音 recording ✓ {seconds:.1}s"),
        None => "录音 recording ✗".to_owned(),
    });
    let mut lines = vec![format!("  {}", words.join("  "))];
    if !verdict.minutes.is_empty() {
        lines.push(format!("  分钟 minutes: {}", verdict.minutes.join("  ")));
    }
    lines.extend(verdict.reason.iter().map(|reason| format!("  工单原因 the ticket's reason: {reason}")));
    lines.extend(verdict.faults.iter().map(|fault| format!("    ✗ {fault}")));
    lines
}

fn row(cells: &[String; COLUMNS.len()]) -> String {
    in_widths(cells, COLUMNS.map(|(_, width)| width))
}
