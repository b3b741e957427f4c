//! The rules of `[[queue]]` beyond its times, as they are written.

use std::time::Duration;

use super::super::diagnostic::{Spot, Text};
use super::super::people::Role;
use super::super::people_values::Key;
use super::super::queueing::Strategy;
use super::super::read::Reader;
use super::super::source::Said;
use super::Field;
use super::proof::StaffingTable;
use super::reading::secs;

/// The rules of a queue.
#[derive(Debug)]
pub struct RulesTable {
    /// `strategy`.
    pub strategy: Field<Strategy>,
    /// `widen`.
    pub widen: Vec<WideningTable>,
    /// `priority`.
    pub priority: Field<i16>,
    /// `ageing`.
    pub ageing: Field<Duration>,
    /// `expected_wait_max`.
    pub expected_wait_max: Field<Duration>,
    /// `shed`.
    pub shed: Vec<ShedTable>,
    /// `sticky_wait`.
    pub sticky_wait: Field<Duration>,
    /// `surge`.
    pub surge: Option<SurgeTable>,
    /// `callback`.
    pub callback: Option<CallbackTable>,
    /// `staffing`.
    pub staffing: Option<StaffingTable>,
}

/// `{ after = "…", levels = 1 }`.
#[derive(Debug)]
pub struct WideningTable {
    /// The table.
    pub spot: Spot,
    /// `after`.
    pub after: Field<Duration>,
    /// `levels`.
    pub levels: Field<u8>,
}

/// `{ waiting = 80, below = 100 }`.
#[derive(Debug)]
pub struct ShedTable {
    /// The table.
    pub spot: Spot,
    /// `waiting`.
    pub waiting: Field<u32>,
    /// `below`.
    pub below: Field<i16>,
}

/// `surge = { … }`.
#[derive(Debug)]
pub struct SurgeTable {
    /// The table.
    pub spot: Spot,
    /// `from`.
    pub from: Field<u32>,
    /// `until`.
    pub until: Field<u32>,
    /// `greeting`.
    pub greeting: Field<String>,
    /// `roles`.
    pub roles: Field<Vec<Said<Role>>>,
    /// `callback`.
    pub callback: Field<bool>,
}

/// `callback = { … }`.
#[derive(Debug)]
pub struct CallbackTable {
    /// The table.
    pub spot: Spot,
    /// `after`.
    pub after: Field<Duration>,
    /// `key`.
    pub key: Field<Key>,
    /// `tries`.
    pub tries: Field<u8>,
    /// `again_after`.
    pub again_after: Field<Duration>,
    /// `keep`.
    pub keep: Field<Duration>,
}

impl RulesTable {
    /// Reads them among the other keys of the queue.
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        RulesTable {
            strategy: reader.or("strategy", Strategy::default()),
            widen: reader.sections("widen", WideningTable::read),
            priority: reader.or("priority", 0),
            ageing: reader.optional("ageing"),
            expected_wait_max: reader.optional("expected_wait_max"),
            shed: reader.sections("shed", ShedTable::read),
            sticky_wait: reader.optional("sticky_wait"),
            surge: reader.section("surge", SurgeTable::read),
            callback: reader.section("callback", CallbackTable::read),
            staffing: reader.section("staffing", StaffingTable::read),
        }
    }
}

impl WideningTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let idle = || Text::new("这一步不会放宽任何要求", "this step would ask for nothing less");
        WideningTable {
            spot: reader.spot.clone(),
            after: reader.required("after", idle()),
            levels: reader.required("levels", idle()),
        }
    }
}

impl ShedTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let idle = || {
            Text::new(
                "引擎不知道何时、让谁改登工单",
                "the engine would not know when, and who is to overflow",
            )
        };
        ShedTable {
            spot: reader.spot.clone(),
            waiting: reader.required("waiting", idle()),
            below: reader.required("below", idle()),
        }
    }
}

impl SurgeTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let endless = || {
            Text::new(
                "引擎不知道高峰何时开始、何时结束",
                "the engine would not know when a surge begins and ends",
            )
        };
        SurgeTable {
            spot: reader.spot.clone(),
            from: reader.required("from", endless()),
            until: reader.required("until", endless()),
            greeting: reader.optional("greeting"),
            roles: reader.or("roles", Vec::new()),
            callback: reader.or("callback", false),
        }
    }
}

impl CallbackTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unsaid = || Text::new("来电人无法选择回拨", "callers could not choose to be called back");
        CallbackTable {
            spot: reader.spot.clone(),
            after: reader.required("after", unsaid()),
            key: reader.required("key", unsaid()),
            tries: reader.or("tries", 2),
            again_after: reader.or("again_after", secs(120)),
            keep: reader.or("keep", secs(2 * 3_600)),
        }
    }
}
