//! `[[expert_group]]`, `[[department]]`, `[three_way]` and `[work]` as they are written.

use std::time::Duration;

use super::super::diagnostic::{Spot, Text};
use super::super::people::{ThreeWay, Work};
use super::super::people_values::{ByKey, Key, Prefix};
use super::super::read::Reader;
use super::super::source::Said;
use super::super::three_way::{CallerLeaves, ClerkLeaves, ThirdLeaves, Tones};
use super::Field;
use super::calendar::HoursTable;
use super::reading::{PEER_RING, secs, unnamed};

/// `[[expert_group]]`.
#[derive(Debug)]
pub struct ExpertGroupTable {
    /// `number`.
    pub number: Field<String>,
    /// `name`.
    pub name: Field<String>,
    /// `department`.
    pub department: Field<String>,
    /// `seats`.
    pub seats: Field<Vec<Said<String>>>,
    /// `hours`.
    pub hours: HoursTable,
    /// `accept`.
    pub accept: Field<Duration>,
}

/// `[[department]]`.
#[derive(Debug)]
pub struct DepartmentTable {
    /// `number`.
    pub number: Field<String>,
    /// `name`.
    pub name: Field<String>,
    /// `trunk`.
    pub trunk: Field<String>,
    /// `dial`: the number at the far side, where it is another.
    pub dial: Field<String>,
    /// `ring`.
    pub ring: Field<Duration>,
    /// `hours`.
    pub hours: HoursTable,
}

/// `[three_way]`.
#[derive(Debug)]
pub struct ThreeWayTable {
    /// The table.
    pub spot: Spot,
    /// `keys`.
    pub keys: Field<ByKey>,
    /// `hold_max`.
    pub hold_max: Field<Duration>,
    /// `failed_prompt`.
    pub failed_prompt: Field<String>,
    /// `tones`.
    pub tones: Field<Tones>,
    /// `clerk_leaves`.
    pub clerk_leaves: Field<ClerkLeaves>,
    /// `caller_leaves`.
    pub caller_leaves: Field<CallerLeaves>,
    /// `third_leaves`.
    pub third_leaves: Field<ThirdLeaves>,
}

/// `[work]`.
#[derive(Debug)]
pub struct WorkTable {
    /// The table.
    pub spot: Spot,
    /// `away`.
    pub away: Vec<AwayTable>,
    /// `wrap_up_max`.
    pub wrap_up_max: Field<Duration>,
    /// `rest`.
    pub rest: Field<Duration>,
    /// `prefix`.
    pub prefix: Field<Prefix>,
    /// `watch_prefix`.
    pub watch_prefix: Field<Prefix>,
    /// `observer_prompt`.
    pub observer_prompt: Field<String>,
}

/// `{ digit = "1", name = "lunch", most = "1h" }`.
#[derive(Debug)]
pub struct AwayTable {
    /// `digit`.
    pub digit: Field<Key>,
    /// `name`.
    pub name: Field<String>,
    /// `most`.
    pub most: Field<Duration>,
}

impl ExpertGroupTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unreachable = || Text::new("座席请不到这些专家", "clerks could not ask these experts");
        ExpertGroupTable {
            number: reader.required("number", unreachable()),
            name: reader.required("name", unnamed()),
            department: reader.required("department", unowned()),
            seats: reader.required("seats", unreachable()),
            hours: HoursTable::read(reader),
            accept: reader.or("accept", secs(20)),
        }
    }
}

impl DepartmentTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unreachable = || Text::new("座席呼不到这个部门", "clerks could not call the department");
        DepartmentTable {
            number: reader.required("number", unreachable()),
            name: reader.required("name", unowned()),
            trunk: reader.required("trunk", unreachable()),
            dial: reader.optional("dial"),
            ring: reader.or("ring", PEER_RING),
            hours: HoursTable::read(reader),
        }
    }
}

impl ThreeWayTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let usual = ThreeWay::default();
        ThreeWayTable {
            spot: reader.spot.clone(),
            keys: reader.or("keys", ByKey(Vec::new())),
            hold_max: reader.or("hold_max", usual.hold_max),
            failed_prompt: reader.or("failed_prompt", usual.failed_prompt.to_string()),
            tones: reader.or("tones", usual.tones),
            clerk_leaves: reader.or("clerk_leaves", usual.clerk_leaves),
            caller_leaves: reader.or("caller_leaves", usual.caller_leaves),
            third_leaves: reader.or("third_leaves", usual.third_leaves),
        }
    }
}

impl WorkTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let usual = Work::default();
        WorkTable {
            spot: reader.spot.clone(),
            away: reader.sections("away", AwayTable::read),
            wrap_up_max: reader.or("wrap_up_max", usual.wrap_up_max),
            rest: reader.or("rest", usual.rest),
            prefix: reader.or("prefix", Prefix(usual.prefix)),
            watch_prefix: reader.or("watch_prefix", Prefix(usual.watch_prefix)),
            observer_prompt: reader.optional("observer_prompt"),
        }
    }
}

impl AwayTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unsaid = Text::new("座席在话机上选不到这个理由", "clerks could not say this reason by telephone");
        AwayTable {
            digit: reader.required("digit", unsaid),
            name: reader.required("name", unnamed()),
            most: reader.optional("most"),
        }
    }
}

fn unowned() -> Text {
    Text::new("报表里看不出责任单位", "reports would not show who is responsible")
}
