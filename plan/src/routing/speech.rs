//! Numbers, money, dates and times as a clerk of 12345 would say them, in fragments of recorded speech.
//!
//! Which fragments exist is for [`prompts`](super::prompts) to say; playing them is not done here.
//! Figures follow the rule that schools teach for reading them (四位一级，从高位读起; zeros at the end
//! of a group of four are not read, others as one 零), and 两 where it is said for 2 (吕叔湘《现代汉语八百词》, 两).

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

/// A value read out; empty where it is not of that kind.
///
/// Digits may be parted by blanks and `-`, with a `+` in front. A count is a whole number, an amount one of
/// yuan with at most two decimals, both below 10^12; a date is `2026-10-01`, a time of day `14:30`.
pub fn reading(reading: Reading, value: &str) -> Vec<PromptId> {
    let value = value.trim();
    match reading {
        Reading::Digits if is_dialled(value) => digits(value),
        Reading::Digits => Vec::new(),
        Reading::Count => whole(value).map(number).map(ids).unwrap_or_default(),
        Reading::Amount => amount(value).map(ids).unwrap_or_default(),
        Reading::Date => date(value).map(ids).unwrap_or_default(),
        Reading::Time => time(value).map(ids).unwrap_or_default(),
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
    value.chars().all(|letter| letter.is_ascii_digit() || letter == '-' || letter == ' ')
}

/// Digits and nothing else, below [`WORDS_END`].
fn whole(value: &str) -> Option<u64> {
    let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|n| plain && *n < WORDS_END)
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
    let yuan = whole(yuan)?;
    whole(parts)?;
    let (hundredths, rest) = parts.split_at(parts.len().min(2));
    if rest.bytes().any(|digit| digit != b'0') {
        return None; // Money has no smaller coin: it is some other number.
    }
    let digit = |at: usize| hundredths.as_bytes().get(at).map_or(0, |digit| u64::from(digit - b'0'));
    let (jiao, fen) = (digit(0), digit(1));
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

/// 二〇二六年十月一日: the year digit by digit, 1 as 一; the second month and day are 二.
fn date(value: &str) -> Option<Vec<&'static str>> {
    let mut parts = value.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let (month, day) = (whole(month)?, whole(day)?);
    let part = |n: u64| i8::try_from(n).ok();
    jiff::civil::Date::new(i16::try_from(whole(year)?).ok()?, part(month)?, part(day)?).ok()?;
    let ordinal = |n: u64| if n == 2 { vec![DIGITS[2]] } else { number(n) };
    let mut said: Vec<&str> = year.bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect();
    said.push("year");
    said.extend(ordinal(month));
    said.push("month");
    said.extend(ordinal(day));
    said.push("day");
    Some(said)
}

/// 十四点三十分, 九点零五分, 两点整, 零点整: by the clock of 24 hours, as the notices of offices have it.
fn time(value: &str) -> Option<Vec<&'static str>> {
    let (hour, minute) = value.split_once(':')?;
    if !(1..=2).contains(&hour.len()) || minute.len() != 2 {
        return None;
    }
    let (hour, minute) = (whole(hour)?, whole(minute)?);
    if hour > 23 || minute > 59 {
        return None;
    }
    let mut said = number(hour);
    said.push("hour");
    match minute {
        0 => said.push("zheng"),
        1..=9 => said.extend([DIGITS[0], DIGITS[minute as usize], "fen"]),
        _ => {
            said.extend(number(minute));
            said.push("fen");
        }
    }
    Some(said)
}

#[cfg(test)]
#[path = "speech_test.rs"]
mod tests;
