//! Calendars described: the ordinary week, and each holiday of each year.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::super::calendar::{Calendar, Day, Works};
use super::super::diagnostic::Text;
use super::super::hours_words::bands_words;
use super::super::plan::Plan;
use super::describe::Item;
use super::kind::Kind;

/// A calendar each.
pub(super) fn calendars(plan: &Plan) -> Vec<Item> {
    plan.calendars.values().map(|own| calendar(own)).collect()
}

fn calendar(own: &Calendar) -> Item {
    let Calendar { name, weekly, days, years } = own;
    let weekly = if weekly.is_empty() { Text::new("-", "-") } else { bands_words(weekly) };
    let item = Item::named(Kind::Calendar, name).with_text("每周", "weekly", weekly);
    let mut item = item.rest(years);
    let mut holidays: BTreeMap<(i16, &str), Vec<(Date, &Day)>> = BTreeMap::new();
    for (date, day) in days {
        holidays.entry((date.year(), &day.name)).or_default().push((*date, day));
    }
    for ((year, name), days) in holidays {
        let name = format!("{name} {year}");
        item = item.with_text(&name, &name, words(&days));
    }
    item
}

/// `放假 10-01–10-07；上班 09-20、10-10`.
fn words(days: &[(Date, &Day)]) -> Text {
    let (mut free, mut worked, mut otherwise) = (Vec::new(), Vec::new(), Vec::new());
    for (date, day) in days {
        match &day.works {
            Works::As(_) => worked.push(short(*date)),
            Works::During(spans) if spans.is_empty() => free.push(*date),
            Works::During(spans) => {
                let spans: Vec<String> = spans.iter().map(ToString::to_string).collect();
                otherwise.push(format!("{} {}", short(*date), spans.join(" ")));
            }
        }
    }
    let rows = [("放假", "free", rows(&free)), ("上班", "worked", worked), ("当天", "on", otherwise)];
    let said = rows.into_iter().filter(|(_, _, days)| !days.is_empty());
    let (zh, en): (Vec<String>, Vec<String>) = said
        .map(|(zh, en, days)| (format!("{zh} {}", days.join("、")), format!("{en} {}", days.join(", "))))
        .unzip();
    Text::new(zh.join("；"), en.join("; "))
}

fn short(day: Date) -> String {
    day.strftime("%m-%d").to_string()
}

/// Days in a row as their first and last.
fn rows(days: &[Date]) -> Vec<String> {
    let mut rows: Vec<(Date, Date)> = Vec::new();
    for day in days {
        match rows.last_mut() {
            Some((_, last)) if last.tomorrow().ok() == Some(*day) => *last = *day,
            _ => rows.push((*day, *day)),
        }
    }
    let word = |(first, last): (Date, Date)| match first == last {
        true => short(first),
        false => format!("{}–{}", short(first), short(last)),
    };
    rows.into_iter().map(word).collect()
}
