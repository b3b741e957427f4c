//! `[disposition]`, `[missed]`, `[follow_up]` and `[calling]` as they are written.

use std::time::Duration;

use super::super::afterwards::{FollowUp, Missed};
use super::super::diagnostic::{Spot, Text};
use super::super::people_values::{Beginning, Named, Prefix};
use super::super::read::Reader;
use super::super::source::Said;
use super::Field;
use super::calendar::HoursTable;
use super::reading::secs;

/// `[disposition]`: tables of `code = "名称"`.
#[derive(Debug)]
pub struct DispositionTable {
    /// `fields`.
    pub fields: Field<Named>,
    /// `types`.
    pub types: Field<Named>,
    /// `not_accepted`.
    pub not_accepted: Field<Named>,
    /// `unsurveyed`.
    pub unsurveyed: Field<Named>,
    /// `[[disposition.immediate]]`.
    pub immediate: Vec<ImmediateTable>,
}

/// `[[disposition.immediate]]`.
#[derive(Debug)]
pub struct ImmediateTable {
    /// `code`.
    pub code: Field<String>,
    /// `to`.
    pub to: Field<String>,
    /// `within`.
    pub within: Field<Duration>,
}

impl ImmediateTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let which =
            Text::new("不知道哪一类诉求要立即交办", "nobody could say which matters are handed on at once");
        let when = Text::new("不知道何时算迟", "nobody could say when it is late");
        ImmediateTable {
            code: reader.required("code", which),
            to: reader.optional("to"),
            within: reader.required("within", when),
        }
    }
}

/// `[missed]`.
#[derive(Debug)]
pub struct MissedTable {
    /// `enabled`.
    pub enabled: Field<bool>,
    /// `after`.
    pub after: Field<Duration>,
    /// `keep`.
    pub keep: Field<Duration>,
    /// `tries`.
    pub tries: Field<u8>,
    /// `again_after`.
    pub again_after: Field<Duration>,
}

/// `[follow_up]`.
#[derive(Debug)]
pub struct FollowUpTable {
    /// The table.
    pub spot: Spot,
    /// `enabled`.
    pub enabled: Field<bool>,
    /// `percent`.
    pub percent: Field<u8>,
    /// `hours`.
    pub hours: HoursTable,
    /// `tries`.
    pub tries: Field<u8>,
    /// `again_after`.
    pub again_after: Field<Duration>,
    /// `at_once`.
    pub at_once: Field<u16>,
}

/// `[calling]`.
#[derive(Debug)]
pub struct CallingTable {
    /// `prefix`.
    pub prefix: Field<Prefix>,
    /// `allowed`.
    pub allowed: Field<Vec<Said<Beginning>>>,
    /// `trunk`.
    pub trunk: Field<String>,
    /// `line`.
    pub line: Field<String>,
    /// `ring`.
    pub ring: Field<Duration>,
}

impl DispositionTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let mut codes = |name| reader.or(name, Named(Vec::new()));
        DispositionTable {
            fields: codes("fields"),
            types: codes("types"),
            not_accepted: codes("not_accepted"),
            unsurveyed: codes("unsurveyed"),
            immediate: reader.sections("immediate", ImmediateTable::read),
        }
    }

    /// The four tables with their names.
    pub fn tables(&self) -> impl Iterator<Item = &Said<Named>> {
        [&self.fields, &self.types, &self.not_accepted, &self.unsurveyed].into_iter().flatten()
    }
}

impl MissedTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let usual = Missed::default();
        MissedTable {
            enabled: reader.or("enabled", true),
            after: reader.or("after", usual.after),
            keep: reader.or("keep", usual.keep),
            tries: reader.or("tries", usual.tries),
            again_after: reader.or("again_after", usual.again_after),
        }
    }
}

impl FollowUpTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let usual = FollowUp::default();
        FollowUpTable {
            spot: reader.spot.clone(),
            enabled: reader.or("enabled", true),
            percent: reader.or("percent", usual.percent),
            hours: HoursTable::read(reader),
            tries: reader.or("tries", usual.tries),
            again_after: reader.or("again_after", usual.again_after),
            at_once: reader.or("at_once", usual.at_once),
        }
    }
}

impl CallingTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let refused = || Text::new("一个外部号码也呼不出去", "nobody outside could be called");
        CallingTable {
            prefix: reader.required("prefix", refused()),
            allowed: reader.required("allowed", refused()),
            trunk: reader.required("trunk", refused()),
            line: reader.required("line", refused()),
            ring: reader.or("ring", secs(30)),
        }
    }
}
