//! The rows of the notice's list against the plan: what was decided about a number stays decided.
//!
//! The list has three parts, and a row begins with its part: 1 整体并入, 2 双号并行, 3 设分中心. A city
//! whose list is numbered in another way leaves `row` out.

use super::super::diagnostic::Spot;
use super::super::source::{Problems, Said};
use super::super::tables::{ModeWord, RoutingTable};
use super::lines::mode_name;
use super::references::Seen;

/// Each row once, and in the part of the list that the mode belongs to.
pub fn rows(table: &RoutingTable, problems: &mut Problems) {
    let mut seen = Seen::default();
    for line in &table.numbers {
        let Some(row) = line.row.as_ref().filter(|row| !row.is_empty()) else { continue };
        if let Some(earlier) = seen.before(row) {
            twice(row, earlier, problems);
        }
        let (Some(mode), Some(decided)) = (&line.mode, part(row)) else { continue };
        if mode.value != decided {
            undone(row, mode, decided, problems);
        }
    }
}

/// What the list decides about a row; `None` where it has no such part.
fn part(row: &str) -> Option<ModeWord> {
    match row.split_once('-')?.0 {
        "1" => Some(ModeWord::Merged),
        "2" => Some(ModeWord::Dual),
        "3" => Some(ModeWord::SubCenter),
        _ => None,
    }
}

fn twice(row: &Said<String>, earlier: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E0211",
            &row.spot,
            format!("归并清单第 {} 条写了两次", row.value),
            format!("row {} of the notice's list stands twice", row.value),
        )
        .effect(
            "报表里两个号码算作一条，另一条无人负责",
            "reports would count two numbers as one, and a row of the list would be missing",
        )
        .remedy("对照清单改正其中一个 row", "correct one of the rows after the list")
        .related(earlier, "第一次", "first");
}

fn undone(row: &Said<String>, mode: &Said<ModeWord>, decided: ModeWord, problems: &mut Problems) {
    problems
        .error(
            "E0207",
            &mode.spot,
            format!("清单第 {} 条是 {}，这里却是 {}", row.value, mode_name(decided), mode_name(mode.value)),
            format!(
                "row {} of the list is {}, but here it is {}",
                row.value,
                mode_name(decided),
                mode_name(mode.value)
            ),
        )
        .effect(
            "已取消的号码会悄悄恢复，或保留的号码被取消，与方案不符",
            "a retired number would come back, or a kept one be retired, against the notice",
        )
        .remedy(
            format!("写 {}，或改正 row", mode_name(decided)),
            format!("write {}, or correct the row", mode_name(decided)),
        )
        .related(&row.spot, "清单序号", "row of the list");
}
