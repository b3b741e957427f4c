//! `[[calendar]]` and `[[holiday]]` as they are written, and `hours`, which names a calendar or has bands of its own.

use jiff::civil::{Date, Weekday};

use super::super::diagnostic::{Spot, Text};
use super::super::people_values::{Clock, Days};
use super::super::read::{Node, Reader, Value, read_table, wrong_type};
use super::super::shape::Form;
use super::super::source::{Problems, Said};
use super::reading::unnamed;
use super::{Field, RoutingTable};

/// `[[calendar]]`.
#[derive(Debug)]
pub struct CalendarTable {
    /// `name`.
    pub name: Field<String>,
    /// `weekly`: an ordinary week.
    pub weekly: Field<Vec<Said<BandTable>>>,
    /// `public_holidays`: whether those that are shipped and `[[holiday]]` count.
    pub public_holidays: Field<bool>,
    /// `worked_as`: the weekday whose hours a workday has that is made up.
    pub worked_as: Field<Weekday>,
    /// `special`.
    pub special: Vec<SpecialTable>,
}

/// `special = [{ day = 2026-12-31, name = "…", hours = […] }]`.
#[derive(Debug)]
pub struct SpecialTable {
    /// `day`.
    pub day: Field<Date>,
    /// `name`: why.
    pub name: Field<String>,
    /// `hours`; none of them: nobody works.
    pub hours: Field<Vec<Said<SpanTable>>>,
}

/// `[[holiday]]`.
#[derive(Debug)]
pub struct HolidayTable {
    /// `name`.
    pub name: Field<String>,
    /// `from`: its first day.
    pub from: Field<Date>,
    /// `until`: its last, where it is another.
    pub until: Field<Date>,
    /// `worked`: days of a week's end that are worked for it.
    pub worked: Field<Vec<Said<Date>>>,
}

/// `hours`.
#[derive(Debug, Default)]
pub struct HoursTable {
    /// Where it stands; `None`: always.
    pub spot: Option<Spot>,
    /// `"office"`: as this calendar has it.
    pub calendar: Field<String>,
    /// `[{ days = "…", from = "…", to = "…" }]`.
    pub bands: Vec<Said<BandTable>>,
}

/// A band of each week.
#[derive(Debug)]
pub struct BandTable {
    /// `days`.
    pub days: Field<Days>,
    /// When on these days.
    pub span: SpanTable,
}

/// A part of a day.
#[derive(Debug)]
pub struct SpanTable {
    /// `from`.
    pub from: Field<Clock>,
    /// `to`.
    pub to: Field<Clock>,
}

/// What `hours` says.
#[derive(Debug)]
enum HoursSaid {
    Calendar(String),
    Bands(Vec<Said<BandTable>>),
}

impl Value for HoursSaid {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        if node.value.is_str() {
            return String::read(node, problems).map(HoursSaid::Calendar);
        }
        if node.value.is_array() {
            return Vec::read(node, problems).map(HoursSaid::Bands);
        }
        wrong_type(
            node,
            "日历名（如 \"office\"）或时段（如 [{ days = \"mon-fri\", from = \"08:30\", to = \"18:00\" }]）",
            "the name of a calendar, like \"office\", or bands, like [{ days = \"mon-fri\", from = \"08:30\", to = \"18:00\" }]",
            problems,
        );
        None
    }

    fn form() -> Form {
        String::form()
    }
}

impl Value for BandTable {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        table(node, problems, |reader| BandTable {
            days: reader.required("days", unknown()),
            span: SpanTable::among(reader),
        })
    }
}

impl Value for SpanTable {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        table(node, problems, SpanTable::among)
    }
}

impl SpanTable {
    fn among(reader: &mut Reader<'_, '_>) -> Self {
        SpanTable { from: reader.required("from", unknown()), to: reader.required("to", unknown()) }
    }
}

fn table<T>(
    node: &Node<'_>,
    problems: &mut Problems,
    read: impl FnOnce(&mut Reader<'_, '_>) -> T,
) -> Option<T> {
    let Some(table) = node.value.as_table() else {
        wrong_type(
            node,
            "时段（如 { from = \"08:30\", to = \"12:00\" }）",
            "a band, like { from = \"08:30\", to = \"12:00\" }",
            problems,
        );
        return None;
    };
    Some(read_table(table, node.spot.clone(), problems, read))
}

impl HoursTable {
    /// Reads `hours` among the other keys of a table.
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        HoursTable::read_as("hours", reader)
    }

    /// The same under another name.
    pub(super) fn read_as(name: &'static str, reader: &mut Reader<'_, '_>) -> Self {
        let Some(said) = reader.optional::<HoursSaid>(name) else { return HoursTable::default() };
        let spot = said.spot;
        match said.value {
            HoursSaid::Calendar(value) => HoursTable {
                calendar: Some(Said { value, spot: spot.clone() }),
                spot: Some(spot),
                bands: Vec::new(),
            },
            HoursSaid::Bands(bands) => HoursTable { spot: Some(spot), calendar: None, bands },
        }
    }
}

impl CalendarTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        CalendarTable {
            name: reader.required("name", unnamed()),
            weekly: reader.required("weekly", unknown()),
            public_holidays: reader.or("public_holidays", true),
            worked_as: reader.or("worked_as", Weekday::Monday),
            special: reader.sections("special", SpecialTable::read),
        }
    }

    /// Whether public holidays are among its days.
    pub fn has_holidays(&self) -> bool {
        self.public_holidays.as_ref().is_none_or(|said| said.value)
    }
}

impl SpecialTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        SpecialTable {
            day: reader.required("day", unknown()),
            name: reader.or("name", "另行规定".to_owned()),
            hours: reader.or("hours", Vec::new()),
        }
    }
}

impl HolidayTable {
    pub(in super::super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        HolidayTable {
            name: reader.required("name", unnamed()),
            from: reader.required("from", unknown()),
            until: reader.optional("until"),
            worked: reader.or("worked", Vec::new()),
        }
    }
}

impl RoutingTable {
    /// Each `hours` of the file, under whatever name.
    pub fn all_hours(&self) -> impl Iterator<Item = &HoursTable> {
        let numbers = self.numbers.iter().map(|line| &line.hours);
        let seats = self.seats.iter().map(|seat| &seat.hours);
        let groups = self.experts.iter().map(|group| &group.hours);
        let departments = self.asked().map(|department| &department.hours);
        let follow_up = self.follow_up.iter().map(|follow_up| &follow_up.hours);
        let staffing = self.queues.iter().filter_map(|queue| queue.rules.staffing.as_ref());
        let staffing = staffing.map(|staffing| &staffing.hours);
        let flows = self.flows.iter().flat_map(super::script::FlowTable::acts).flat_map(|act| match act {
            super::script::ActTable::Branch(branch) => branch.cases.as_slice(),
            _ => &[],
        });
        let cases = flows.flat_map(|case| [&case.inside, &case.outside]);
        let people = numbers.chain(seats).chain(groups).chain(departments);
        people.chain(follow_up).chain(staffing).chain(cases)
    }
}

fn unknown() -> Text {
    Text::new("谁也不知道何时有人", "nobody could say when somebody is there")
}
