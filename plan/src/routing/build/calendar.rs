//! Calendars, and the hours that name them or have bands of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::super::calendar::{Calendar, Calendars, Day, Works};
use super::super::holidays::{self, Holiday};
use super::super::hours::{Band, Hours, Span};
use super::super::source::Said;
use super::super::tables::RoutingTable;
use super::super::tables::calendar::{BandTable, CalendarTable, HoursTable, SpanTable, SpecialTable};
use super::{text, value};

impl RoutingTable {
    /// Its calendars, made once. One that is faulty is not among them: an error has been noted.
    pub(in super::super) fn calendars(&self) -> &Calendars {
        self.built.get_or_init(|| {
            let calendars = self.calendars.iter().filter_map(|own| calendar(own, self));
            calendars.map(|own| (own.name.clone(), Arc::new(own))).collect()
        })
    }

    /// Public holidays: those that are shipped, then the file's own.
    pub(in super::super) fn public_holidays(&self) -> Vec<Holiday> {
        let own = self.holidays.iter().filter_map(|table| Holiday::of(table, None));
        holidays::shipped().iter().cloned().chain(own).collect()
    }
}

/// What a day is said to be more closely holds: a special day before a workday that is made up, and that before a
/// holiday; rules see that no list says two things of one day.
fn calendar(table: &CalendarTable, whole: &RoutingTable) -> Option<Calendar> {
    let worked_as = value(&table.worked_as)?;
    let holidays = if table.has_holidays() { whole.public_holidays() } else { Vec::new() };
    let day = |works: Works, of: &Holiday| Day { works, name: of.name.clone(), source: of.source.clone() };
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    for holiday in &holidays {
        days.extend(holiday.days().map(|own| (own, day(Works::During(Vec::new()), holiday))));
    }
    for holiday in &holidays {
        days.extend(holiday.worked.iter().map(|own| (*own, day(Works::As(worked_as), holiday))));
    }
    for own in &table.special {
        let (day, built) = special(own)?;
        days.insert(day, built);
    }
    Some(Calendar {
        name: text(&table.name)?.to_owned(),
        weekly: bands(&table.weekly.as_ref()?.value)?,
        days,
        years: holidays::filled(&holidays),
    })
}

fn special(table: &SpecialTable) -> Option<(Date, Day)> {
    let spans = table.hours.as_ref()?.value.iter().map(|said| span(&said.value));
    let works = Works::During(spans.collect::<Option<_>>()?);
    Some((value(&table.day)?, Day { works, name: value(&table.name)?, source: None }))
}

fn span(table: &SpanTable) -> Option<Span> {
    Some(Span { from: value(&table.from)?.time(), to: value(&table.to)?.time() })
}

fn bands(tables: &[Said<BandTable>]) -> Option<Vec<Band>> {
    let band = |said: &Said<BandTable>| {
        let Span { from, to } = span(&said.value.span)?;
        Some(Band { days: value(&said.value.days)?.0, from, to })
    };
    tables.iter().map(band).collect()
}

/// Hours by their calendar or by their own bands.
pub(super) fn hours(table: &HoursTable, whole: &RoutingTable) -> Option<Hours> {
    match &table.calendar {
        Some(name) => whole.calendars().get(&name.value).cloned().map(Hours::by),
        None => bands(&table.bands).map(Hours::weekly),
    }
}
