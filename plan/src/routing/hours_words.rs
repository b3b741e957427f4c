//! Hours as people say them, in both languages.

use jiff::civil::Weekday;

use super::calendar::weekday_words;
use super::diagnostic::Text;
use super::hours::{Band, Hours};

impl Hours {
    /// `周一至周五 08:30-12:00`; a calendar by its name.
    pub(super) fn words(&self) -> Text {
        match &self.calendar {
            Some(calendar) => {
                let name = &calendar.name;
                Text::new(
                    format!("日历 {name} 的工作时间"),
                    format!("the working hours of the calendar {name}"),
                )
            }
            None if self.are_always() => Text::new("全天", "always"),
            None => bands_words(&self.bands),
        }
    }
}

/// The same of bands.
pub(super) fn bands_words(bands: &[Band]) -> Text {
    let band = |band: &Band| {
        let ((days_zh, days_en), span) = (days_words(&band.days), band.span());
        (format!("{days_zh} {span}"), format!("{days_en} {span}"))
    };
    let (zh, en): (Vec<String>, Vec<String>) = bands.iter().map(band).unzip();
    Text::new(zh.join("、"), en.join(", "))
}

/// Days in a row as their first and last.
fn days_words(days: &[Weekday]) -> (String, String) {
    let mut numbers: Vec<i8> = days.iter().map(|day| day.to_monday_zero_offset()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() == 7 {
        return ("每天".to_owned(), "daily".to_owned());
    }
    let mut rows: Vec<(i8, i8)> = Vec::new();
    for day in numbers {
        match rows.last_mut() {
            Some((_, last)) if *last + 1 == day => *last = day,
            _ => rows.push((day, day)),
        }
    }
    let name = |day: i8| Weekday::from_monday_zero_offset(day).map_or(("", ""), weekday_words);
    let word = |(first, last): &(i8, i8)| {
        let ((zh, en), (zh_last, en_last)) = (name(*first), name(*last));
        match first == last {
            true => (zh.to_owned(), en.to_owned()),
            false => (format!("{zh}至{zh_last}"), format!("{en}–{en_last}")),
        }
    };
    let (zh, en): (Vec<String>, Vec<String>) = rows.iter().map(word).unzip();
    (zh.join("、"), en.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_a_row_are_said_by_their_ends() {
        use Weekday::*;
        for (days, zh, en) in [
            (vec![Monday, Tuesday, Wednesday, Thursday, Friday], "周一至周五", "Mon–Fri"),
            (vec![Saturday, Sunday, Monday], "周一、周六至周日", "Mon, Sat–Sun"),
            (vec![Wednesday], "周三", "Wed"),
            (vec![Sunday, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday], "每天", "daily"),
        ] {
            assert_eq!(days_words(&days), (zh.to_owned(), en.to_owned()));
        }
    }
}
