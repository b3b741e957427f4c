//! What is promised and held against the rest of the file, as it is written: `[human_first]`, `[retired]`, and of a
//! number `seats` and `restored`, of a queue `staffing`.

use std::time::Duration;

use jiff::civil::Date;

use super::super::diagnostic::{Spot, Text};
use super::super::proof::HumanFirst;
use super::super::read::{Node, Reader, Value};
use super::super::source::{Problems, Said};
use super::super::values::one_of;
use super::Field;
use super::calendar::HoursTable;

/// `[human_first]`.
#[derive(Debug)]
pub struct HumanFirstTable {
    /// `time_max`.
    pub time_max: Field<Duration>,
    /// `presses_max`.
    pub presses_max: Field<u8>,
}

/// `[retired]`.
#[derive(Debug)]
pub struct RetiredTable {
    /// `numbers` that were cancelled, whether there is a `[[number]]` of them or not.
    pub numbers: Field<Vec<Said<String>>>,
}

/// `restored = { … }`.
#[derive(Debug)]
pub struct RestoredTable {
    /// The table.
    pub spot: Spot,
    /// `reason`.
    pub reason: Field<String>,
    /// `approver`.
    pub approver: Field<String>,
    /// `date`.
    pub date: Field<Date>,
}

/// `seats` of a dual number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatsWord {
    /// Its callers wait for the seats of 12345.
    Merged,
    /// Its department has seats of its own, reached by a trunk.
    Retained,
}

/// `staffing = { … }` of a queue.
#[derive(Debug)]
pub struct StaffingTable {
    /// The table.
    pub spot: Spot,
    /// `calls_per_hour`.
    pub calls_per_hour: Field<u32>,
    /// `talk`.
    pub talk: Field<Duration>,
    /// `target`.
    pub target: Option<TargetTable>,
    /// `hours`: when so many call.
    pub hours: HoursTable,
}

/// `target = { within = "15s", percent = 95 }`.
#[derive(Debug)]
pub struct TargetTable {
    /// `within`; unsaid: `[kpi] answer_within`.
    pub within: Field<Duration>,
    /// `percent`; unsaid: `[kpi] answer_rate`.
    pub percent: Field<u8>,
}

impl Value for SeatsWord {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        one_of(node, &[("merged", SeatsWord::Merged), ("retained", SeatsWord::Retained)], problems)
    }
}

impl HumanFirstTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let usual = HumanFirst::default();
        HumanFirstTable {
            time_max: reader.or("time_max", usual.time_max),
            presses_max: reader.or("presses_max", usual.presses_max),
        }
    }
}

impl RetiredTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        RetiredTable { numbers: reader.or("numbers", Vec::new()) }
    }
}

impl RestoredTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unanswered = || {
            Text::new(
                "已取消的号码恢复了，却没有人说明理由、为此负责",
                "a cancelled number would come back, and nobody says why or answers for it",
            )
        };
        RestoredTable {
            spot: reader.spot.clone(),
            reason: reader.required("reason", unanswered()),
            approver: reader.required("approver", unanswered()),
            date: reader.required("date", unanswered()),
        }
    }
}

impl StaffingTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let uncounted = || Text::new("算不出需要多少座席", "nobody could work out how many seats are needed");
        StaffingTable {
            spot: reader.spot.clone(),
            calls_per_hour: reader.required("calls_per_hour", uncounted()),
            talk: reader.required("talk", uncounted()),
            target: reader.section("target", TargetTable::read),
            hours: HoursTable::read(reader),
        }
    }
}

impl TargetTable {
    /// GB/T 33358: 95 % of the calls within 15 s.
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        TargetTable { within: reader.optional("within"), percent: reader.optional("percent") }
    }
}
