//! Public holidays: those that come with the engine, by the State Council's notices, and the file's own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::Date;
use toml::de::DeTable;

use super::diagnostic::{Spot, Text};
use super::read::{Reader, read_table};
use super::source::Problems;
use super::tables::calendar::HolidayTable;

/// As they are shipped.
const CHINA: &str = include_str!("holidays/china.toml");

/// No holiday is longer: what is, has a slip in its year.
pub const DAYS_MAX: i32 = 31;

type MonthDay = (i8, i8);

/// The public holidays (全国年节及纪念日放假办法 第二条) and between which days of the year, month and day, one of each is:
/// those of the moon's calendar move. 中秋 is left out: it may fall within the days of 国庆节, and be no holiday of its own.
const FEASTS: [(&str, &str, RangeInclusive<MonthDay>); 6] = [
    ("元旦", "New Year", (1, 1)..=(1, 1)),
    ("春节", "Spring Festival", (1, 20)..=(2, 21)),
    ("清明节", "Tomb-Sweeping Day", (4, 3)..=(4, 6)),
    ("劳动节", "Labour Day", (5, 1)..=(5, 1)),
    ("端午节", "Dragon Boat Festival", (5, 27)..=(6, 26)),
    ("国庆节", "National Day", (10, 1)..=(10, 1)),
];

/// One holiday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// 国庆节.
    pub name: String,
    /// Its first day.
    pub from: Date,
    /// Its last.
    pub until: Date,
    /// Days of a week's end that are worked for it.
    pub worked: Vec<Date>,
    /// The notice; `None`: the file says it.
    pub source: Option<String>,
}

/// Those that come with the engine, in their order.
static SHIPPED: LazyLock<Vec<Holiday>> = LazyLock::new(|| shipped_in(CHINA, &mut Problems::default()));

fn shipped_in(text: &str, problems: &mut Problems) -> Vec<Holiday> {
    let (document, _) = DeTable::parse_recoverable(text);
    let spot = Spot { file: None, span: 0..0, key: String::new() };
    read_table(document.get_ref(), spot, problems, |reader| reader.sections("year", year)).concat()
}

fn year(reader: &mut Reader<'_, '_>) -> Vec<Holiday> {
    let whence = || Text::new("不知道依据是什么", "nobody could say by which notice");
    let _ = reader.required::<u16>("year", whence());
    let source = reader.required::<String>("source", whence()).map(|said| said.value);
    let tables = reader.sections("holiday", HolidayTable::read);
    tables.iter().filter_map(|table| Holiday::of(table, source.clone())).collect()
}

/// The holidays that come with the engine.
pub fn shipped() -> &'static [Holiday] {
    &SHIPPED
}

/// The last year that comes with the engine. When this engine was made, the years before it were over.
pub fn newest() -> i16 {
    shipped().last().map_or(0, |holiday| holiday.from.year())
}

impl Holiday {
    /// `None` where it is not whole, or no length of time.
    pub(super) fn of(table: &HolidayTable, source: Option<String>) -> Option<Self> {
        let from = table.from.as_ref()?.value;
        let until = table.until.as_ref().map_or(from, |said| said.value);
        let worked = table.worked.iter().flat_map(|said| &said.value).map(|said| said.value).collect();
        let holiday = Holiday { name: table.name.as_ref()?.value.clone(), from, until, worked, source };
        holiday.is_sound().then_some(holiday)
    }

    /// Whether it ends after it begins, and soon.
    pub fn is_sound(&self) -> bool {
        let days = self.from.until(self.until).map_or(i32::MAX, |span| span.get_days());
        (0..DAYS_MAX).contains(&days)
    }

    /// Its days.
    pub fn days(&self) -> impl Iterator<Item = Date> {
        let until = self.until;
        self.from.series(1.day()).take_while(move |day| *day <= until)
    }
}

/// The years of which something is known, and which public holidays each of them lacks, in both languages. One that lacks
/// none is filled.
pub fn years<'a>(holidays: impl IntoIterator<Item = &'a Holiday>) -> BTreeMap<i16, Vec<[&'static str; 2]>> {
    let mut known: BTreeMap<i16, BTreeSet<MonthDay>> = BTreeMap::new();
    for day in holidays.into_iter().flat_map(Holiday::days) {
        known.entry(day.year()).or_default().insert((day.month(), day.day()));
    }
    let lacks = |days: &BTreeSet<MonthDay>| {
        let lacking = FEASTS.iter().filter(|(.., span)| days.range(span.clone()).next().is_none());
        lacking.map(|(zh, en, _)| [*zh, *en]).collect()
    };
    known.into_iter().map(|(year, days)| (year, lacks(&days))).collect()
}

/// The years that are filled.
pub fn filled<'a>(holidays: impl IntoIterator<Item = &'a Holiday>) -> BTreeSet<i16> {
    years(holidays).into_iter().filter(|(_, lacks)| lacks.is_empty()).map(|(year, _)| year).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::Weekday;

    use super::*;

    #[test]
    fn the_shipped_lists_are_read_without_a_fault_and_hold_what_the_notices_say() {
        let mut problems = Problems::default();
        let holidays = shipped_in(CHINA, &mut problems);
        assert!(!problems.any_error(), "{}", problems.into_report(Vec::new()).render(false));
        assert_eq!(holidays, shipped());
        assert_eq!(years(&holidays), BTreeMap::from([2021, 2025, 2026].map(|year| (year, vec![]))));
        let count = |year: i16| {
            let own: Vec<&Holiday> = holidays.iter().filter(|own| own.from.year() == year).collect();
            let worked: usize = own.iter().map(|own| own.worked.len()).sum();
            (own.len(), own.iter().flat_map(|own| own.days()).count(), worked)
        };
        // Holidays, their days, and the days that are made up.
        assert_eq!(count(2021), (7, 31, 7));
        assert_eq!(count(2025), (6, 28, 5));
        assert_eq!(count(2026), (7, 33, 6));
        let weekend = |day: &Date| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let worked: BTreeSet<Date> = holidays.iter().flat_map(|own| own.worked.iter().copied()).collect();
        assert!(worked.iter().all(weekend), "who makes up a day does so at a week's end");
        let days: Vec<Date> = holidays.iter().flat_map(Holiday::days).collect();
        assert!(days.is_sorted() && days.iter().all(|day| !worked.contains(day)));
        assert_eq!(days.iter().collect::<BTreeSet<_>>().len(), days.len(), "no day twice");
        assert!(
            holidays.iter().all(|own| own.source.as_ref().is_some_and(|by| by.starts_with("国办发明电〔")))
        );
    }
}
