//! Numbers as a clerk of 12345 would say them, in fragments of recorded speech.
//!
//! Which fragments exist is for [`prompts`](super::prompts) to say; playing them is not done here.

use super::script::Reading;
use crate::id::{PromptId, SeatId};

/// The largest number that [`cardinal`] says in words.
pub const CARDINAL_MAX: u32 = 99_999;

/// A ticket's number digit by digit, 1 as 幺. What is not a digit is passed over.
pub fn ticket_number(number: &str) -> Vec<PromptId> {
    digits(number)
}

/// A value as a flow reads it out. One that is not of the kind is passed over.
pub fn reading(reading: Reading, value: &str) -> Vec<PromptId> {
    match reading {
        Reading::Digits => digits(value),
        Reading::Count => value.parse().map(cardinal).unwrap_or_default(),
        // Whose words are not among the fragments yet.
        Reading::Amount | Reading::Date | Reading::Time => Vec::new(),
    }
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
        .map(|digit| match digit {
            1 => PromptId::from("digit_yao"),
            other => digit_id(other),
        })
        .collect()
}

/// A count of things: 两位, 十二分钟, 一百零五, 两千.
///
/// 2 is 两 alone and at the head before 千 and 万, else 二; a gap is one 零. Above
/// [`CARDINAL_MAX`] the digits are said one by one.
pub fn cardinal(n: u32) -> Vec<PromptId> {
    match n {
        0 => return vec![digit_id(0)],
        2 => return vec![PromptId::from("liang")],
        _ if n > CARDINAL_MAX => return digits(&n.to_string()),
        _ => {}
    }
    let units = [
        (10_000, Some("ten_thousand")),
        (1_000, Some("thousand")),
        (100, Some("hundred")),
        (10, Some("ten")),
        (1, None),
    ];
    let mut said = Vec::new();
    let mut gap = false;
    for (size, unit) in units {
        let digit = n / size % 10;
        if digit == 0 {
            gap |= !said.is_empty();
            continue;
        }
        if gap {
            said.push(digit_id(0));
            gap = false;
        }
        match digit {
            1 if size == 10 && said.is_empty() => {} // 十二, not 一十二.
            2 if size >= 1_000 && said.is_empty() => said.push(PromptId::from("liang")),
            _ => said.push(digit_id(digit)),
        }
        said.extend(unit.map(PromptId::from));
    }
    said
}

fn digit_id(digit: u32) -> PromptId {
    PromptId::from(format!("digit_{digit}").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(said: &[PromptId]) -> String {
        said.iter()
            .map(|id| match id.as_str() {
                "digit_yao" => '幺',
                "liang" => '两',
                "ten" => '十',
                "hundred" => '百',
                "thousand" => '千',
                "ten_thousand" => '万',
                "gonghao" => '号',
                "wei_nin_fuwu" => '您',
                digit => {
                    let digit: usize = digit.strip_prefix("digit_").unwrap().parse().unwrap();
                    "零一二三四五六七八九".chars().nth(digit).unwrap()
                }
            })
            .collect()
    }

    #[test]
    fn counts_are_said_as_people_say_them() {
        for (n, expected) in [
            (0, "零"),
            (1, "一"),
            (2, "两"),
            (7, "七"),
            (10, "十"),
            (11, "十一"),
            (12, "十二"),
            (20, "二十"),
            (22, "二十二"),
            (99, "九十九"),
            (100, "一百"),
            (101, "一百零一"),
            (105, "一百零五"),
            (110, "一百一十"),
            (112, "一百一十二"),
            (200, "二百"),
            (1_000, "一千"),
            (1_002, "一千零二"),
            (1_010, "一千零一十"),
            (2_000, "两千"),
            (2_222, "两千二百二十二"),
            (10_000, "一万"),
            (10_001, "一万零一"),
            (10_010, "一万零一十"),
            (10_100, "一万零一百"),
            (12_000, "一万二千"),
            (20_000, "两万"),
            (20_202, "两万零二百零二"),
            (99_999, "九万九千九百九十九"),
            (100_001, "幺零零零零幺"),
        ] {
            assert_eq!(words(&cardinal(n)), expected, "{n}");
        }
    }

    #[test]
    fn every_count_reads_back_as_itself() {
        for n in 0..=CARDINAL_MAX {
            let (mut total, mut digit) = (0, 0);
            for word in words(&cardinal(n)).chars() {
                let unit = match word {
                    '十' => 10,
                    '百' => 100,
                    '千' => 1_000,
                    '万' => 10_000,
                    '两' => {
                        digit = 2;
                        continue;
                    }
                    other => {
                        digit = "零一二三四五六七八九".chars().position(|c| c == other).unwrap();
                        continue;
                    }
                };
                total += digit.max(1) * unit;
                digit = 0;
            }
            assert_eq!(total + digit, n as usize);
        }
    }

    #[test]
    fn a_value_is_read_as_its_kind_and_passed_over_where_it_is_of_another() {
        for (kind, value, expected) in [
            (Reading::Digits, "0371-110", "零三七幺幺幺零"),
            (Reading::Digits, "three", ""),
            (Reading::Count, "105", "一百零五"),
            (Reading::Count, "-1", ""),
            (Reading::Count, "many", ""),
            (Reading::Count, "99999999999", ""),
        ] {
            assert_eq!(words(&reading(kind, value)), expected, "{kind:?} {value}");
        }
    }

    #[test]
    fn telephone_numbers_and_clerks_are_said_digit_by_digit_with_yao() {
        assert_eq!(words(&ticket_number("20210901-0012")), "二零二幺零九零幺零零幺二");
        assert_eq!(words(&seat_greeting(&SeatId::from("1007"))), "号幺零零七您");
    }
}
