//! Words against tables of the odd cases, and read back by a reader that knows nothing of how they were made.

use std::collections::BTreeSet;

use super::*;
use crate::routing::prompts::{REQUIRED, SAID_SOMETIMES};

const WORDS: [(&str, char); 27] = [
    ("digit_0", '零'),
    ("digit_1", '一'),
    ("digit_2", '二'),
    ("digit_3", '三'),
    ("digit_4", '四'),
    ("digit_5", '五'),
    ("digit_6", '六'),
    ("digit_7", '七'),
    ("digit_8", '八'),
    ("digit_9", '九'),
    ("digit_yao", '幺'),
    ("liang", '两'),
    ("ten", '十'),
    ("hundred", '百'),
    ("thousand", '千'),
    ("ten_thousand", '万'),
    ("hundred_million", '亿'),
    ("yuan", '元'),
    ("jiao", '角'),
    ("fen", '分'),
    ("year", '年'),
    ("month", '月'),
    ("day", '日'),
    ("hour", '点'),
    ("zheng", '整'),
    ("gonghao", '号'),
    ("wei_nin_fuwu", '您'),
];

fn words(said: &[PromptId]) -> String {
    said.iter()
        .map(|id| WORDS.iter().find(|(name, _)| *name == id.as_str()).expect("a fragment that is known").1)
        .collect()
}

fn read(kind: Reading, value: &str) -> String {
    words(&reading(kind, value, &TimeZone::UTC).unwrap_or_else(|| panic!("{kind:?} {value:?}")))
}

/// What a listener understands: the last of 亿, 万, 千, 百, 十 that is the greatest parts the words in two.
fn understood(words: &str) -> u64 {
    let words = words.trim_start_matches('零');
    for (unit, size) in [('亿', 100_000_000), ('万', 10_000), ('千', 1_000), ('百', 100), ('十', 10)] {
        if let Some((before, after)) = words.split_once(unit) {
            let before = if before.is_empty() { 1 } else { understood(before) };
            return before * size + understood(after);
        }
    }
    match words {
        "" => 0,
        "两" => 2,
        _ => {
            assert_eq!(words.chars().count(), 1, "{words}");
            "零一二三四五六七八九".chars().position(|c| words.starts_with(c)).expect("a digit") as u64
        }
    }
}

/// Numbers of all lengths, with zeros wherever they can stand.
fn numbers() -> impl Iterator<Item = u64> {
    // 2^12 masks over twelve digits: each place is 0, or a digit that depends on the place and the mask.
    (0..4_096_u64).flat_map(|mask| {
        [1_u64, 2, 3, 7].map(|step| {
            (0..12).fold(0, |n, place| {
                let digit = if mask >> place & 1 == 1 { (mask * step + place * 5) % 9 + 1 } else { 0 };
                n * 10 + digit
            })
        })
    })
}

#[test]
fn counts_are_said_as_people_say_them() {
    for (n, expected) in [
        (0_u64, "零"),
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
        (102, "一百零二"),
        (105, "一百零五"),
        (110, "一百一十"),
        (112, "一百一十二"),
        (200, "二百"),
        (222, "二百二十二"),
        (1_000, "一千"),
        (1_002, "一千零二"),
        (1_010, "一千零一十"),
        (1_200, "一千二百"),
        (2_000, "两千"),
        (2_002, "两千零二"),
        (2_222, "两千二百二十二"),
        (10_000, "一万"),
        (10_001, "一万零一"),
        (10_010, "一万零一十"),
        (10_100, "一万零一百"),
        (12_000, "一万二千"),
        (20_000, "两万"),
        (20_202, "两万零二百零二"),
        (99_999, "九万九千九百九十九"),
        (100_000, "十万"),
        (100_001, "十万零一"),
        (100_100, "十万零一百"),
        (101_000, "十万一千"),
        (102_000, "十万二千"),
        (120_000, "十二万"),
        (200_000, "二十万"),
        (1_000_000, "一百万"),
        (1_020_000, "一百零二万"),
        (2_000_000, "二百万"),
        (2_202_000, "二百二十万二千"),
        (10_000_000, "一千万"),
        (20_000_000, "两千万"),
        (20_020_020, "两千零二万零二十"),
        (22_000_000, "两千二百万"),
        (100_000_000, "一亿"),
        (100_000_001, "一亿零一"),
        (100_001_000, "一亿零一千"),
        (100_010_000, "一亿零一万"),
        (100_100_000, "一亿零一十万"),
        (101_000_000, "一亿零一百万"),
        (110_001_000, "一亿一千万一千"),
        (120_000_000, "一亿二千万"),
        (200_000_000, "两亿"),
        (200_002_000, "两亿零二千"),
        (202_020_202, "两亿零二百零二万零二百零二"),
        (222_222_222, "两亿二千二百二十二万二千二百二十二"),
        (999_999_999, "九亿九千九百九十九万九千九百九十九"),
        (1_000_000_000, "十亿"),
        (1_200_000_000, "十二亿"),
        (2_000_000_000, "二十亿"),
        (4_294_967_295, "四十二亿九千四百九十六万七千二百九十五"),
        (200_000_000_000, "两千亿"),
        (999_999_999_999, "九千九百九十九亿九千九百九十九万九千九百九十九"),
    ] {
        assert_eq!(read(Reading::Count, &n.to_string()), expected, "{n}");
        if let Ok(n) = u32::try_from(n) {
            assert_eq!(words(&cardinal(n)), expected, "{n}");
        }
    }
}

#[test]
fn every_count_is_understood_as_itself() {
    for n in (0..=120_000).chain(numbers()) {
        let said = read(Reading::Count, &n.to_string());
        assert_eq!(understood(&said), n, "{n}: {said}");
        assert!(!said.contains("零零") && (n == 0 || !said.ends_with('零')), "{n}: {said}");
        // 2 is 两 at the head only, and never before 十 or 百.
        assert!(!said.chars().skip(1).any(|word| word == '两'), "{n}: {said}");
        assert!(!said.contains("两十") && !said.contains("两百"), "{n}: {said}");
    }
}

#[test]
fn money_is_said_in_yuan_jiao_and_fen_without_what_there_is_none_of() {
    for (value, expected) in [
        ("0", "零元"),
        ("0.00", "零元"),
        ("1", "一元"),
        ("2", "两元"),
        ("2.00", "两元"),
        ("12", "十二元"),
        ("12.5", "十二元五角"),
        ("12.50", "十二元五角"),
        ("12.500", "十二元五角"),
        ("12.05", "十二元零五分"),
        ("12.55", "十二元五角五分"),
        ("2.22", "两元两角两分"),
        ("0.2", "两角"),
        ("0.02", "两分"),
        ("0.12", "一角两分"),
        ("0.50", "五角"),
        ("0.05", "五分"),
        ("10", "十元"),
        ("20", "二十元"),
        ("22.20", "二十二元两角"),
        ("100.05", "一百元零五分"),
        ("105", "一百零五元"),
        ("105.00", "一百零五元"),
        ("200", "二百元"),
        ("1010.5", "一千零一十元五角"),
        ("2000", "两千元"),
        ("12000.01", "一万二千元零一分"),
        ("007.10", "七元一角"),
        ("100000000", "一亿元"),
        ("999999999.99", "九亿九千九百九十九万九千九百九十九元九角九分"),
    ] {
        assert_eq!(read(Reading::Amount, value), expected, "{value}");
    }
}

#[test]
fn every_amount_is_understood_as_itself() {
    for (index, yuan) in (0..1_000).chain(numbers()).enumerate() {
        for hundredths in [index as u64 % 100, 0, 5, 50] {
            let value = format!("{yuan}.{hundredths:02}");
            let said = read(Reading::Amount, &value);
            let (whole, rest) = said.split_once('元').unwrap_or(("", &said));
            let (jiao, fen) = rest.split_once('角').unwrap_or(("", rest));
            let fen = understood(fen.trim_end_matches('分'));
            let total = (understood(whole) * 10 + understood(jiao)) * 10 + fen;
            assert_eq!(total, yuan * 100 + hundredths, "{value}: {said}");
        }
    }
}

#[test]
fn dates_are_said_with_the_year_digit_by_digit() {
    for (value, expected) in [
        ("2026-10-01", "二零二六年十月一日"),
        ("2021-08-12", "二零二一年八月十二日"),
        ("2022-02-02", "二零二二年二月二日"),
        ("2000-12-31", "二零零零年十二月三十一日"),
        ("2024-02-29", "二零二四年二月二十九日"),
        ("1999-01-10", "一九九九年一月十日"),
        ("2111-11-22", "二一一一年十一月二十二日"),
    ] {
        assert_eq!(read(Reading::Date, value), expected, "{value}");
    }
    let mut day = jiff::civil::date(2023, 1, 1);
    while day.year() < 2029 {
        let said = read(Reading::Date, &day.to_string());
        let (year, rest) = said.split_once('年').expect("a year");
        let (month, rest) = rest.split_once('月').expect("a month");
        let year: u64 = year.chars().map(|word| understood(&word.to_string())).fold(0, |n, d| n * 10 + d);
        let read_back = (year, understood(month), understood(rest.trim_end_matches('日')));
        let expected = (day.year() as u64, day.month() as u64, day.day() as u64);
        assert_eq!(read_back, expected, "{day}: {said}");
        assert!(!said.contains('两') && !said.contains('幺'), "{said}");
        day = day.tomorrow().expect("a day of this century");
    }
}

#[test]
fn times_are_said_by_the_clock_of_24_hours() {
    for (value, expected) in [
        ("14:30", "十四点三十分"),
        ("09:05", "九点零五分"),
        ("9:05", "九点零五分"),
        ("00:00", "零点整"),
        ("02:00", "两点整"),
        ("02:02", "两点零二分"),
        ("12:00", "十二点整"),
        ("12:20", "十二点二十分"),
        ("10:10", "十点十分"),
        ("22:22", "二十二点二十二分"),
        ("23:59", "二十三点五十九分"),
    ] {
        assert_eq!(read(Reading::Time, value), expected, "{value}");
    }
    for minutes in 0..24 * 60_u64 {
        let said = read(Reading::Time, &format!("{:02}:{:02}", minutes / 60, minutes % 60));
        let (hour, minute) = said.split_once('点').expect("an hour");
        let minute = minute.trim_end_matches(['分', '整']);
        assert_eq!(understood(hour) * 60 + understood(minute), minutes, "{said}");
    }
}

#[test]
fn telephone_numbers_and_clerks_are_said_digit_by_digit_with_yao() {
    assert_eq!(words(&ticket_number("20210901-0012")), "二零二幺零九零幺零零幺二");
    assert_eq!(words(&seat_greeting(&SeatId::from("1007"))), "号幺零零七您");
    for (value, expected) in [
        ("12345", "幺二三四五"),
        ("0393-12345", "零三九三幺二三四五"),
        ("+86 393 12345", "八六三九三幺二三四五"),
        ("0", "零"),
    ] {
        assert_eq!(read(Reading::Digits, value), expected, "{value}");
    }
}

#[test]
fn what_is_not_of_the_kind_is_not_said_at_all() {
    let cases: [(Reading, &[&str]); 5] = [
        (Reading::Digits, &["", "-", "()", "豫J12345", "12a", "１２", "1,5", "1+2"]),
        (
            Reading::Count,
            &[
                "",
                "-1",
                "+1",
                "1.",
                ".0",
                "1.01",
                "1,000",
                "many",
                "１",
                "1000000000000",
                "99999999999999999999",
            ],
        ),
        (
            Reading::Amount,
            &[
                "",
                ".",
                "1.",
                ".5",
                "-1",
                "1.234",
                "1.2.3",
                "1e3",
                "¥5",
                "1,000.00",
                "1000000000000.00",
                "999999999999.999999",
                "0.12499",
                "12.+5",
            ],
        ),
        (
            Reading::Date,
            &[
                "",
                "2026-02-29",
                "2026-13-01",
                "2026-00-10",
                "2026-10-00",
                "2026-1-1",
                "26-10-01",
                "20261001",
                "2026/10/01",
                "2026-10-01T",
                "2026-10-01T25:00:00",
                "2026-10-01 noon",
                "2026-10-01-",
                "+026-10-01",
            ],
        ),
        (
            Reading::Time,
            &[
                "",
                "24:00",
                "12:60",
                "12",
                "12:5",
                "123:00",
                ":30",
                "12:30:60",
                "12:30:0",
                "12:30:00:00",
                "-1:00",
                "１２:30",
                "12：30",
            ],
        ),
    ];
    for (kind, values) in cases {
        for value in values {
            assert_eq!(reading(kind, value, &TimeZone::UTC), None, "{kind:?} {value:?}");
        }
    }
}

#[test]
fn values_are_read_as_programs_write_them() {
    for (kind, value, expected) in [
        (Reading::Digits, "(0393) 442.0000", "零三九三四四二零零零零"),
        (Reading::Count, "12.0", "十二"),
        (Reading::Amount, "12.299999999999999", "十二元三角"),
        (Reading::Amount, "12.300000000000001", "十二元三角"),
        (Reading::Amount, "0.9999999999", "一元"),
        (Reading::Time, "14:30:59", "十四点三十分"),
        (Reading::Date, "2026-10-01 08:00", "二零二六年十月一日"),
        (Reading::Time, "2026-10-01T08:05:00", "八点零五分"),
    ] {
        assert_eq!(read(kind, value), expected, "{value}");
    }
}

#[test]
fn an_instant_is_said_by_the_clocks_of_the_city() {
    let city = TimeZone::get("Asia/Shanghai").expect("a zone");
    for (value, day, clock) in [
        ("2026-10-01T16:30:00Z", "二零二六年十月二日", "零点三十分"),
        ("2026-10-01T08:00:00+08:00", "二零二六年十月一日", "八点整"),
        ("2026-09-30 23:59:59.9-01:00", "二零二六年十月一日", "八点五十九分"),
    ] {
        let said = |kind| words(&reading(kind, value, &city).expect("a moment"));
        assert_eq!((said(Reading::Date).as_str(), said(Reading::Time).as_str()), (day, clock), "{value}");
    }
}

#[test]
fn each_reading_is_made_of_what_manifests_must_have_for_it() {
    let kinds: [(Reading, Vec<String>); 5] = [
        (Reading::Digits, (0..10).map(|digit| digit.to_string()).collect()),
        (Reading::Count, numbers().map(|n| n.to_string()).collect()),
        (Reading::Amount, (0..500).map(|n| format!("{}.{:02}", n * 1_000_003, n % 100)).collect()),
        (Reading::Date, (1..13).map(|month| format!("2026-{month:02}-{:02}", month * 2)).collect()),
        (Reading::Time, (0..24).map(|hour| format!("{hour}:{:02}", hour * 2)).collect()),
    ];
    for (kind, values) in kinds {
        let said: BTreeSet<PromptId> =
            values.iter().flat_map(|value| reading(kind, value, &TimeZone::UTC).expect("readable")).collect();
        let own: BTreeSet<&str> = fragments(kind).iter().copied().collect();
        let beside: BTreeSet<&str> =
            said.iter().map(PromptId::as_str).filter(|id| !REQUIRED.contains(id)).collect();
        assert_eq!(beside, own, "{kind:?}");
        assert!(own.iter().all(|id| SAID_SOMETIMES.contains(id)), "{kind:?}");
    }
}
