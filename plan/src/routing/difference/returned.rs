//! Cancelled numbers that a new plan has in use again: against the plan in force, and against all before it.
//!
//! What a file does not name any more, neither as merged nor under `[retired]`, it does not know to be cancelled. An
//! engine does: it remembers ([`cancelled`]), and takes no plan in which such a number is back and nobody answers for
//! it (the notice, 三(一)2).

use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostic::{Diagnostic, Report, Severity, Spot, Text};
use super::super::in_use::Standing;
use super::super::plan::{Line, LineMode, Plan};
use super::super::tables::RoutingTable;
use super::super::transition::Phase;
use crate::time::Timestamp;

/// So many cancelled numbers are remembered; of more, those that come last in the order of numbers are not.
pub const CANCELLED_MAX: usize = 100_000;

/// Where the file says numbers, aliases, departments, other platforms and centers for emergencies.
pub type NumberSpots = BTreeMap<String, Spot>;

/// Them all.
pub(in crate::routing) fn number_spots(table: &RoutingTable) -> NumberSpots {
    let lines = table.numbers.iter().flat_map(|line| line.numbers());
    let asked = table.asked().filter_map(|department| department.number.as_ref());
    let centers = table.emergencies.iter().filter_map(|center| center.number.as_ref());
    lines.chain(asked).chain(centers).map(|said| (said.value.clone(), said.spot.clone())).collect()
}

/// The numbers that are known as cancelled while `plan` is in force at `now`, of those `known` before and its own. One
/// that it restores is none any more.
pub fn cancelled(known: &BTreeSet<String>, plan: &Plan, now: Timestamp) -> BTreeSet<String> {
    // What will be merged some day is not cancelled yet.
    let is_merged = |line: &Line| {
        matches!(line.mode, LineMode::Merged { .. }) && plan.phase_of(line, now) != Phase::Before
    };
    let is_over = |line: &Line| line.in_use.standing(now) == Standing::Over;
    let gone = plan.lines.values().filter(|line| is_merged(line) || is_over(line));
    let own = gone.map(|line| &line.number).chain(&plan.retired).map(|number| number.to_string());
    let restored = |number: &String| plan.lines.get(number).is_some_and(|line| line.restored.is_some());
    let all: BTreeSet<String> = known.iter().cloned().chain(own).filter(|number| !restored(number)).collect();
    all.into_iter().take(CANCELLED_MAX).collect()
}

/// Those of `cancelled` that `new` has in use at `now`, in the order of numbers, without a word of who decided so.
pub fn returned(cancelled: &BTreeSet<String>, new: &Plan, now: Timestamp) -> Vec<String> {
    let is_back = |number: &&String| {
        let number = number.as_str();
        let is_asked = new.departments.contains_key(number) || new.peers.get(number).is_some();
        if is_asked || new.emergency.contains_key(number) || new.aliases.contains(number) {
            return true;
        }
        new.lines.get(number).is_some_and(|line| {
            let merged = matches!(line.mode, LineMode::Merged { .. });
            !merged && line.restored.is_none() && line.in_use.standing(now) != Standing::Over
        })
    };
    cancelled.iter().filter(is_back).cloned().collect()
}

impl Report {
    /// Notes the numbers that are back, each at its place.
    pub fn refuse_returned(&mut self, returned: &[String], spots: &NumberSpots) {
        for number in returned {
            let nowhere = || Spot { file: None, span: 0..0, key: "number".to_owned() };
            self.diagnostics.push(Diagnostic {
                code: "E1809",
                severity: Severity::Error,
                spot: spots.get(number).cloned().unwrap_or_else(nowhere),
                problem: Text::new(
                    format!("号码 {number} 在引擎用过的方案里已取消，这里又启用了"),
                    format!("the number {number} was cancelled by a plan that the engine had, and is in use here"),
                ),
                effect: Some(Text::new(
                    "已取消的号码悄悄恢复，市民又要记两个号码，与方案“原则上不再恢复”不符",
                    "a cancelled number would quietly come back, against the notice, which restores none in principle",
                )),
                remedy: Some(Text::new(
                    "在 [retired] 写上这个号码，并给它的 [[number]] 加上 restored = { reason = \"…\", approver = \"…\", date = 2026-01-01 }；不恢复的，删去它",
                    "name it under [retired], and say restored = { reason = \"…\", approver = \"…\", date = 2026-01-01 } in its [[number]]; where it does not come back, remove it",
                )),
                nearest: None,
                related: None,
            });
        }
    }
}
