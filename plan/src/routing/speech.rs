//! Numbers, money, dates and times as a clerk of 12345 would say them, in fragments of recorded speech.
//!
//! Which fragments exist is for [`prompts`](super::prompts) to say; playing them is not done here.
//! Figures follow the rule that schools teach for reading them (四位一级，从高位读起; zeros at the end
//! of a group of four are not read, others as one 零), and 两 where it is said for 2 (吕叔湘《现代汉语八百词》, 两).

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::script::Reading;
use crate::id::{PromptId, SeatId};

/// The first number that has no words here: 一万亿.
const WORDS_END: u64 = 1_000_000_000_000;

const DIGITS: [&str; 10] = [
    "digit_0", "digit_1", "digit_2", "digit_3", "digit_4", "digit_5", "digit_6", "digit_7", "digit_8",
    "digit_9",
];

/// A ticket's number digit by digit, 1 as 幺. What is not a digit is passed over.
pub fn ticket_number(number: &str) -> Vec<PromptId> {
    digits(number)
}

/// 工号 7 为您服务.
pub fn seat_greeting(seat: &SeatId) -> Vec<PromptId> {
    let mut said = vec![PromptId::from("gonghao")];
    said.extend(digits(seat.as_str()));
    said.push(PromptId::from("wei_nin_fuwu"));
    said
}

/// Digits one by one, as in a telephone number: 1 is 幺, which cannot be taken for 7.
pub fn digits(text: &str) -> Vec<PromptId> {
    text.chars()
        .filter_map(|letter| letter.to_digit(10))
        .map(|digit| PromptId::from(if digit == 1 { "digit_yao" } else { DIGITS[digit as usize] }))
        .collect()
}

/// A count of things: 两位, 十二分钟, 一百零五, 两千, 三亿零五十万.
pub fn cardinal(n: u32) -> Vec<PromptId> {
    ids(number(u64::from(n)))
}

/// Waits beyond so many minutes are told as this: nobody plans by such figures.
const WAIT_SPOKEN_MAX: u32 = 99;

/// The minutes that a caller is told of a wait that was guessed: begun ones count, and it is never none.
pub fn wait_minutes(wait: Duration) -> u32 {
    let minutes = u32::try_from(wait.as_secs().div_ceil(60).max(1)).unwrap_or(u32::MAX);
    minutes.min(WAIT_SPOKEN_MAX)
}

/// A value read out; `None` where it is not of that kind.
///
/// Digits may be parted by blanks and what else parts a telephone number, with a `+` in front. A count is a whole
/// number, an amount one of yuan and fen, both below 10^12 and as JSON may write them (`12.0`, `12.299999999999999`).
/// A date is `2026-10-01`, a time of day `14:30` or `14:30:00`, and either may stand in a moment of RFC 3339 or ISO 8601,
/// which is told by the clocks of `zone`, the city's.
pub fn reading(reading: Reading, value: &str, zone: &TimeZone) -> Option<Vec<PromptId>> {
    let value = value.trim();
    match reading {
        Reading::Digits => is_dialled(value).then(|| digits(value)),
        Reading::Count => count(value).map(number).map(ids),
        Reading::Amount => amount(value).map(ids),
        Reading::Date => {
            moment(value, zone).map(|at| at.date()).or_else(|| written_date(value)).map(date).map(ids)
        }
        Reading::Time => {
            moment(value, zone).map(|at| at.time()).or_else(|| written_time(value)).map(time).map(ids)
        }
    }
}

/// What a manifest must have for such a reading, beside what every manifest has.
pub fn fragments(reading: Reading) -> &'static [&'static str] {
    match reading {
        Reading::Digits => &[],
        Reading::Count => &["hundred_million"],
        Reading::Amount => &["hundred_million", "yuan", "jiao", "fen"],
        Reading::Date => &["year", "month", "day"],
        Reading::Time => &["hour", "fen", "zheng"],
    }
}

fn ids(said: Vec<&'static str>) -> Vec<PromptId> {
    said.into_iter().map(PromptId::from).collect()
}

fn is_dialled(value: &str) -> bool {
    let value = value.strip_prefix('+').unwrap_or(value);
    value.contains(|letter: char| letter.is_ascii_digit())
        && value.chars().all(|letter| letter.is_ascii_digit() || " -.()".contains(letter))
}

/// Digits and nothing else, below [`WORDS_END`].
fn whole(value: &str) -> Option<u64> {
    let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|n| plain && *n < WORDS_END)
}

/// A whole number; it may have decimals of no value.
fn count(value: &str) -> Option<u64> {
    let (value, parts) = value.split_once('.').unwrap_or((value, "0"));
    whole(value).filter(|_| !parts.is_empty() && parts.bytes().all(|digit| digit == b'0'))
}

/// A number below [`WORDS_END`] in words.
///
/// 2 is 两 alone, and as the first word before 千, 万 and 亿; 二 before 十 and 百, and wherever other words
/// come before it (一万二千, 三亿零二万). 一十 is 十 as the first word only. One 零 stands for the zeros at the
/// beginning or in the middle of a group of four, none for those at its end (十万一千, 十万零一百).
fn number(n: u64) -> Vec<&'static str> {
    match n {
        0 => return vec![DIGITS[0]],
        2 => return vec!["liang"],
        _ => {}
    }
    let groups = [(100_000_000, Some("hundred_million")), (10_000, Some("ten_thousand")), (1, None)];
    let mut said = Vec::new();
    let mut gap = false;
    for (size, name) in groups {
        let group = n / size % 10_000;
        gap |= !said.is_empty() && group < 1_000;
        if group == 0 {
            continue;
        }
        let alone = group == 2 && name.is_some();
        let before = said.len();
        for (place, unit) in [(1_000, Some("thousand")), (100, Some("hundred")), (10, Some("ten")), (1, None)]
        {
            let digit = group / place % 10;
            if digit == 0 {
                gap |= said.len() > before;
                continue;
            }
            if gap {
                said.push(DIGITS[0]);
                gap = false;
            }
            match digit {
                1 if place == 10 && said.is_empty() => {}
                2 if said.is_empty() && (place == 1_000 || alone) => said.push("liang"),
                _ => said.push(DIGITS[digit as usize]),
            }
            said.extend(unit);
        }
        gap = false;
        said.extend(name);
    }
    said
}

/// Money: 十二元五角, 一百零五元, 十二元零五分, 两角.
///
/// Nothing is said for what there is none of, but 零 for 角 between 元 and 分. 2 alone is 两 before 元, 角 and
/// 分, as before measures in general. 整 is not said: it closes amounts that are *written* in characters, so
/// that nobody adds to them (会计基础工作规范 第五十二条), which clerks do not do aloud.
fn amount(value: &str) -> Option<Vec<&'static str>> {
    let (yuan, parts) = value.split_once('.').unwrap_or((value, "0"));
    let written = whole(yuan)? * 100;
    if parts.is_empty() || !parts.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Within a thousandth of a fen: what a program has reckoned with in binary. Money has no smaller coin, and anything
    // else is some other number.
    let behind = format!("0.{parts}").parse::<f64>().ok()? * 100.0;
    if (behind - behind.round()).abs() > 0.001 {
        return None;
    }
    let hundredths = Some(written + behind.round() as u64).filter(|all| *all < WORDS_END * 100)?;
    let (yuan, jiao, fen) = (hundredths / 100, hundredths / 10 % 10, hundredths % 10);
    let mut said = Vec::new();
    if yuan > 0 || (jiao, fen) == (0, 0) {
        said.extend(number(yuan));
        said.push("yuan");
    }
    if jiao > 0 {
        said.extend(number(jiao));
        said.push("jiao");
    } else if fen > 0 && yuan > 0 {
        said.push(DIGITS[0]);
    }
    if fen > 0 {
        said.extend(number(fen));
        said.push("fen");
    }
    Some(said)
}

/// Day and time of the city where a value has both: of an instant with its offset by the clocks of `zone`, of one
/// without as it is written.
fn moment(value: &str, zone: &TimeZone) -> Option<DateTime> {
    value.get(10..).filter(|rest| rest.starts_with(['T', 't', ' ']))?;
    let instant = value.parse::<Timestamp>().map(|at| zone.to_datetime(at));
    instant.or_else(|_| value.parse::<DateTime>()).ok()
}

fn written_date(value: &str) -> Option<Date> {
    let plain = |at: usize, byte: u8| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    let is_written = value.len() == 10 && value.bytes().enumerate().all(|(at, byte)| plain(at, byte));
    value.parse().ok().filter(|_| is_written)
}

/// Hours of one or two digits, minutes, and seconds that are not said.
fn written_time(value: &str) -> Option<Time> {
    let mut parts = value.splitn(3, ':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parts.next().unwrap_or("00");
    if !(1..=2).contains(&hour.len()) || minute.len() != 2 || second.len() != 2 || whole(second)? > 59 {
        return None;
    }
    Time::new(whole(hour)?.try_into().ok()?, whole(minute)?.try_into().ok()?, 0, 0).ok()
}

/// 二〇二六年十月一日: the year digit by digit, 1 as 一; the second month and day are 二.
fn date(date: Date) -> Vec<&'static str> {
    let ordinal = |n: i8| if n == 2 { vec![DIGITS[2]] } else { number(n.unsigned_abs().into()) };
    let year = format!("{:04}", date.year());
    let mut said: Vec<&str> = year.bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect();
    said.push("year");
    said.extend(ordinal(date.month()));
    said.push("month");
    said.extend(ordinal(date.day()));
    said.push("day");
    said
}

/// 十四点三十分, 九点零五分, 两点整, 零点整: by the clock of 24 hours, as the notices of offices have it.
fn time(time: Time) -> Vec<&'static str> {
    let minute = time.minute().unsigned_abs();
    let mut said = number(time.hour().unsigned_abs().into());
    said.push("hour");
    match minute {
        0 => said.push("zheng"),
        1..=9 => said.extend([DIGITS[0], DIGITS[usize::from(minute)], "fen"]),
        _ => {
            said.extend(number(minute.into()));
            said.push("fen");
        }
    }
    said
}

#[cfg(test)]
#[path = "speech_test.rs"]
mod tests;
