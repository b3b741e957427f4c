//! The rows of the notice's list against the plan: what was decided about a number stays decided.
//!
//! The list has three parts, and a row begins with its part: 1 整体并入, 2 双号并行, 3 设分中心. A city
//! whose list is numbered in another way leaves `row` out. A number that was cancelled, by part 1 of the list or
//! by `[retired]`, is not in use again unless somebody answers for it (三(一)2 of the notice).

use std::collections::BTreeSet;

use super::super::diagnostic::Spot;
use super::super::merge_lists::{Listed, MergeList};
use super::super::nearest::nearest;
use super::super::source::{Problems, Said};
use super::super::tables::{ModeWord, NumberTable, RoutingTable};
use super::EMERGENCY;
use super::lines::mode_name;
use super::references::Seen;

/// Each row once, and in the part of the list that the mode belongs to.
pub fn rows(table: &RoutingTable, problems: &mut Problems) {
    let mut seen = Seen::default();
    for line in &table.numbers {
        let Some(row) = line.row.as_ref().filter(|row| !row.is_empty()) else { continue };
        if is_misspelt(row) {
            odd(row, problems);
            continue;
        }
        if let Some(earlier) = seen.before(row) {
            twice(row, earlier, problems);
        }
        let (Some(mode), Some(decided)) = (&line.mode, part(row)) else { continue };
        let excused = decided == ModeWord::Merged && line.restored.is_some();
        if mode.value != decided && !excused {
            undone(row, mode, decided, problems);
        }
    }
}

/// A row of the list as it was meant, where it is written with other digits, other hyphens or blanks: `１－3`. A list
/// that is numbered in quite another way is none of ours.
fn is_misspelt(row: &str) -> bool {
    let meant: String = row.trim().chars().filter(|letter| !letter.is_whitespace()).map(plain).collect();
    let counted = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    meant != row && meant.split_once('-').is_some_and(|(part, place)| counted(part) && counted(place))
}

/// Full-width digits and what looks like a hyphen, as ASCII.
fn plain(letter: char) -> char {
    match letter {
        '０'..='９' => char::from_digit(u32::from(letter) - u32::from('０'), 10).unwrap_or(letter),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '－' | '﹣' | '～' | '~' | '_' => '-',
        _ => letter,
    }
}

/// Such a row is not looked at further.
fn odd(row: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E0217",
            &row.spot,
            format!("\"{}\" 不是清单序号", row.value),
            format!("\"{}\" is no row of the list", row.value),
        )
        .effect(
            "对不上清单，已取消的号码可能悄悄恢复而没有人察觉",
            "it could not be held against the list, and a cancelled number might come back unnoticed",
        )
        .remedy(
            "写“部分-序号”，用半角数字和连字符，如 \"2-11\"；清单不这样编号的，删去 row",
            "write part and place in plain digits with a hyphen, like \"2-11\"; remove row where the list has no such numbers",
        );
}

/// Held against the list that the city names: each number in its row, with the experts that the list asks for, and no row
/// without its number.
pub fn listed(table: &RoutingTable, problems: &mut Problems) {
    let Some(said) = table.city.as_ref().and_then(|city| city.merge_list.as_ref()) else { return };
    let list = said.value;
    for line in &table.numbers {
        let (Some(number), Some(row), Some(mode)) = (&line.number, &line.row, &line.mode) else { continue };
        if matches!(mode.value, ModeWord::Primary | ModeWord::Bench) {
            continue; // What is merged into is in no list.
        }
        if EMERGENCY.contains(&number.value.as_str()) {
            continue; // Has an error of its own.
        }
        match (list.row(row), list.of(number)) {
            (Some(own), _) if own.number == number.value => lacks_experts(line, own, row, problems),
            (_, Some(own)) => misplaced(row, number, own, list, problems),
            (Some(own), None) => mistyped(number, row, own, list, problems),
            (None, None) if !row.is_empty() => rowless(row, list, problems),
            (None, None) => {} // A number that the list does not know: the city's own.
        }
    }
    if table.is_live() {
        without_a_line(said, table, problems);
    }
}

const EFFECT: (&str, &str) = (
    "市民按公布的号码拨不通，或者报表把它算错，逐条验收时对不上",
    "citizens who dial the published number would not get through, or reports would count it wrongly, and no acceptance by the list would come out",
);

fn misplaced(
    row: &Said<String>,
    number: &Said<String>,
    own: &Listed,
    list: &MergeList,
    problems: &mut Problems,
) {
    let Listed { row: right, name, .. } = own;
    let (zh, en) = match row.is_empty() {
        true => ("这里没有写 row".to_owned(), "here no row is said".to_owned()),
        false => (format!("这里写 {}", row.value), format!("here it is {}", row.value)),
    };
    let spot = if row.is_empty() { &number.spot } else { &row.spot };
    problems
        .error(
            "E1120",
            spot,
            format!("{} 是{}清单第 {right} 条（{name}），{zh}", number.value, list.document),
            format!("{} is row {right} of the list of {}, {en}", number.value, list.name),
        )
        .effect(EFFECT.0, EFFECT.1)
        .remedy(format!("写 row = \"{right}\""), format!("write row = \"{right}\""));
}

fn mistyped(
    number: &Said<String>,
    row: &Said<String>,
    own: &Listed,
    list: &MergeList,
    problems: &mut Problems,
) {
    let Listed { number: right, name, .. } = own;
    problems
        .error(
            "E1120",
            &number.spot,
            format!("{}清单第 {} 条（{name}）是 {right}，这里写 {}", list.document, row.value, number.value),
            format!("row {} of the list of {} is {right}, here it is {}", row.value, list.name, number.value),
        )
        .effect(EFFECT.0, EFFECT.1)
        .remedy(
            format!("写 number = \"{right}\"，或改正 row"),
            format!("write number = \"{right}\", or correct the row"),
        )
        .related(&row.spot, "清单序号", "row of the list");
}

fn rowless(row: &Said<String>, list: &MergeList, problems: &mut Problems) {
    problems
        .error(
            "E1120",
            &row.spot,
            format!("{}清单里没有第 {} 条", list.document, row.value),
            format!("the list of {} has no row {}", list.name, row.value),
        )
        .effect(EFFECT.0, EFFECT.1)
        .remedy(
            "改正 row；清单之外的号码不写 row",
            "correct the row; a number that is not of the list has none",
        )
        .nearest(nearest(row, list.rows.iter().map(|own| own.row.as_str())));
}

fn lacks_experts(line: &NumberTable, own: &Listed, row: &Said<String>, problems: &mut Problems) {
    let asked = line.expert_seats.as_ref().is_none_or(|said| said.value); // Said wrongly: noted.
    if !own.experts || asked || line.is_elsewhere() {
        return;
    }
    problems
        .error(
            "E1121",
            &row.spot,
            format!("清单第 {} 条注明“设专家座席”，这里没有", own.row),
            format!("row {} of the list has the remark of expert seats, and here there are none", own.row),
        )
        .effect(
            "专业问题没有专家可接，与清单不符",
            "no expert would be there for its callers, against the list",
        )
        .remedy(
            "加上 expert_seats = true，并写 [[expert_group]] 或 skills",
            "add expert_seats = true, with an [[expert_group]] or skills",
        );
}

/// Rows of which neither a line nor `[retired]` has the number.
fn without_a_line(said: &Said<&'static MergeList>, table: &RoutingTable, problems: &mut Problems) {
    let retired = table.retired.as_ref().and_then(|retired| retired.numbers.as_ref());
    let retired = retired.iter().flat_map(|said| &said.value);
    let lines = table.numbers.iter().filter_map(|line| line.number.as_ref());
    let here: BTreeSet<&str> = lines.chain(retired).map(|said| said.value.as_str()).collect();
    // Whoever claims a row with another number has an error.
    let rows = table.numbers.iter().filter_map(|line| line.row.as_ref());
    let claimed: BTreeSet<&str> = rows.map(|said| said.value.as_str()).collect();
    let missing = said.value.rows.iter();
    let missing =
        missing.filter(|own| !here.contains(own.number.as_str()) && !claimed.contains(own.row.as_str()));
    let names: Vec<String> = missing.map(|own| format!("{} {}", own.row, own.number)).collect();
    if names.is_empty() {
        return;
    }
    let (count, names) = (names.len(), names.join(", "));
    problems
        .warning(
            "W1120",
            &said.spot,
            format!("{}清单有 {count} 条不在方案里：{names}", said.value.document),
            format!("{count} of the list's rows are not in the plan: {names}"),
        )
        .effect("市民拨打这些号码接不到这里", "citizens who dial these numbers would not be answered here")
        .remedy(
            "为它们加上 [[number]]；已彻底停用的写进 [retired] 的 numbers",
            "add a [[number]] for each; those that are cancelled for good belong into numbers of [retired]",
        );
}

/// Numbers of `[retired]` are in use for nobody, and what is restored had been cancelled.
pub fn retired(table: &RoutingTable, problems: &mut Problems) {
    let numbers = table.retired.as_ref().and_then(|retired| retired.numbers.as_ref());
    let mut cancelled = Seen::default();
    for said in numbers.iter().flat_map(|said| &said.value) {
        super::lines::well_formed(said, problems);
        if let Some(earlier) = cancelled.before(said) {
            super::lines::twice(said, earlier, problems);
        }
    }
    for line in &table.numbers {
        let (Some(number), Some(mode)) = (&line.number, &line.mode) else { continue };
        let by_list = line.row.as_ref().and_then(|row| part(row)) == Some(ModeWord::Merged);
        let by_name = cancelled.first(number);
        match (&line.restored, by_name) {
            (None, Some(named)) if mode.value != ModeWord::Merged => active(number, named, problems),
            (Some(own), named) if mode.value == ModeWord::Merged || (named.is_none() && !by_list) => {
                nothing_to_restore(&own.spot, number, problems);
            }
            _ => {}
        }
    }
    let departments = table.asked().filter_map(|department| department.number.as_ref());
    let peers = table.emergencies.iter().filter_map(|peer| peer.number.as_ref());
    for number in departments.chain(peers) {
        if let Some(named) = cancelled.first(number) {
            active(number, named, problems);
        }
    }
    for meeting in &table.meetings {
        let (Some(prefix), Some(digits)) = (&meeting.prefix, &meeting.digits) else { continue };
        let length = prefix.len() + usize::from(digits.value);
        let mut retired = numbers.iter().flat_map(|said| &said.value);
        let room = |said: &&Said<String>| said.len() == length && said.starts_with(prefix.as_str());
        if let Some(number) = retired.find(room) {
            active(&Said { value: number.value.clone(), spot: prefix.spot.clone() }, &number.spot, problems);
        }
    }
}

fn nothing_to_restore(spot: &Spot, number: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E1108",
            spot,
            format!("号码 {} 没有恢复，不必写 restored", number.value),
            format!("the number {} is not restored: restored has nothing to excuse", number.value),
        )
        .effect(
            "台账会记下一次没有发生的恢复，查账的人会误解",
            "the ledger would tell of a decision that changed nothing, and whoever reads it would be misled",
        )
        .remedy(
            "删去 restored；确有其事的，改正 mode 或 row，或在 [retired] 写上这个号码",
            "remove restored; where it is so, correct mode or row, or name the number under [retired]",
        );
}

fn active(number: &Said<String>, named: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E1107",
            &number.spot,
            format!("号码 {} 已取消，这里又启用了", number.value),
            format!("the number {} was cancelled, and is in use here again", number.value),
        )
        .effect(
            "已取消的号码悄悄恢复，市民又要记两个号码，与方案“原则上不再恢复”不符",
            "a cancelled number would quietly come back, against the notice, which restores none in principle",
        )
        .remedy(
            "写 mode = \"merged\"；确经批准恢复的，加上 restored = { reason = \"…\", approver = \"…\", date = 2026-01-01 }",
            "write mode = \"merged\"; where it was decided that it comes back, add restored = { reason = \"…\", approver = \"…\", date = 2026-01-01 }",
        )
        .related(named, "取消", "cancelled");
}

/// What the list decides about a row; `None` where it has no such part.
fn part(row: &str) -> Option<ModeWord> {
    match row.split_once('-')?.0 {
        "1" => Some(ModeWord::Merged),
        "2" => Some(ModeWord::Dual),
        "3" => Some(ModeWord::SubCenter),
        _ => None,
    }
}

fn twice(row: &Said<String>, earlier: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E0211",
            &row.spot,
            format!("归并清单第 {} 条写了两次", row.value),
            format!("row {} of the notice's list stands twice", row.value),
        )
        .effect(
            "报表里两个号码算作一条，另一条无人负责",
            "reports would count two numbers as one, and a row of the list would be missing",
        )
        .remedy("对照清单改正其中一个 row", "correct one of the rows after the list")
        .related(earlier, "第一次", "first");
}

fn undone(row: &Said<String>, mode: &Said<ModeWord>, decided: ModeWord, problems: &mut Problems) {
    // Only what was cancelled can be restored.
    let restoring = match decided {
        ModeWord::Merged => (
            "；确经批准恢复的，加上 restored = { reason = \"…\", approver = \"…\", date = 2026-01-01 }",
            "; where it was decided that the number comes back, add restored = { reason = \"…\", approver = \"…\", date = 2026-01-01 }",
        ),
        _ => ("", ""),
    };
    problems
        .error(
            "E0207",
            &mode.spot,
            format!("清单第 {} 条是 {}，这里却是 {}", row.value, mode_name(decided), mode_name(mode.value)),
            format!(
                "row {} of the list is {}, but here it is {}",
                row.value,
                mode_name(decided),
                mode_name(mode.value)
            ),
        )
        .effect(
            "已取消的号码会悄悄恢复，或保留的号码被取消，与方案不符",
            "a retired number would come back, or a kept one be retired, against the notice",
        )
        .remedy(
            format!("写 {}，或改正 row{}", mode_name(decided), restoring.0),
            format!("write {}, or correct the row{}", mode_name(decided), restoring.1),
        )
        .related(&row.spot, "清单序号", "row of the list");
}
