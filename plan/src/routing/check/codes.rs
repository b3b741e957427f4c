//! Names that clerks choose from: what a call was about, and why they are away.

use std::collections::BTreeMap;

use super::super::diagnostic::Spot;
use super::super::nearest::nearest;
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::references::Seen;

/// Codes that records can hold, each of them once.
pub fn disposition(table: &RoutingTable, problems: &mut Problems) {
    let Some(disposition) = &table.disposition else { return };
    let mut codes = Seen::default();
    for said in disposition.tables() {
        let mut names = Seen::default();
        for (code, name) in &said.value.0 {
            well_formed(code, problems);
            only_once(code, &mut codes, problems);
            only_once(name, &mut names, problems);
        }
    }
}

/// What is handed on at once: by a code that clerks can say, to somebody whom they can ask.
pub fn immediate(table: &RoutingTable, problems: &mut Problems) {
    let Some(disposition) = &table.disposition else { return };
    let matters = [&disposition.fields, &disposition.types].into_iter().flatten();
    let codes: Vec<&str> =
        matters.flat_map(|said| &said.value.0).map(|(code, _)| code.value.as_str()).collect();
    let asked = askable(table);
    let mut seen = Seen::default();
    for own in &disposition.immediate {
        if let Some(code) = &own.code {
            if !codes.contains(&code.value.as_str()) {
                no_matter(code, &codes, problems);
            } else if let Some(earlier) = seen.before(code) {
                handed_twice(code, earlier, problems);
            }
        }
        if let Some(to) = own.to.as_ref().filter(|to| !asked.contains(&to.value.as_str())) {
            not_asked(to, &asked, problems);
        }
    }
}

/// Numbers by which a clerk asks somebody into a call.
fn askable(table: &RoutingTable) -> Vec<&str> {
    let emergencies = table.emergencies.iter().map(|own| &own.number);
    let asked = table.asked().map(|own| &own.number);
    let elsewhere = table.numbers.iter().filter(|line| line.is_elsewhere()).map(|line| &line.number);
    let experts = table.experts.iter().map(|own| &own.number);
    let all = emergencies.chain(asked).chain(elsewhere).chain(experts).flatten();
    all.map(|said| said.value.as_str()).collect()
}

fn no_matter(code: &Said<String>, codes: &[&str], problems: &mut Problems) {
    problems
        .error(
            "E1510",
            &code.spot,
            format!("\"{}\" 不是领域或类型的代码", code.value),
            format!("\"{}\" is no code of a field or a type", code.value),
        )
        .effect(
            "座席说不出这个代码，该立即交办的诉求没有人去办",
            "no clerk can say it: what should be handed on at once would stay where it is",
        )
        .remedy(
            "写 [disposition.fields] 或 [disposition.types] 里的代码；不受理的不交办",
            "name a code of [disposition.fields] or [disposition.types]; what is not accepted is not handed on",
        )
        .nearest(nearest(&code.value, codes.iter().copied()));
}

fn handed_twice(code: &Said<String>, earlier: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E1511",
            &code.spot,
            format!("\"{}\" 的立即交办写了两次", code.value),
            format!("what is done at once about \"{}\" is said twice", code.value),
        )
        .effect("不知道该找谁、何时算迟", "nobody could say whom to ask, and when it is late")
        .remedy("只留一处", "keep one of them")
        .related(earlier, "第一次", "first");
}

fn not_asked(to: &Said<String>, asked: &[&str], problems: &mut Problems) {
    problems
        .error(
            "E1512",
            &to.spot,
            format!("座席无法请 \"{}\" 加入通话", to.value),
            format!("no clerk can ask \"{}\" into a call", to.value),
        )
        .effect(
            "来电人在线等着，三方通话却接不通",
            "the caller would be there, and the three-way call would reach nobody",
        )
        .remedy(
            "写部门、其他平台、分中心、专家组或紧急热线的号码；没有就删去 to，由工单交办",
            "name a department, another platform, a sub-center, an expert group or an emergency number; without one remove to, and the ticket hands it on",
        )
        .nearest(nearest(&to.value, asked.iter().copied()));
}

fn only_once<'a>(said: &'a Said<String>, seen: &mut Seen<'a>, problems: &mut Problems) {
    let Some(earlier) = seen.before(said) else { return };
    problems
        .error(
            "E0415",
            &said.spot,
            format!("\"{}\" 出现两次", said.value),
            format!("\"{}\" stands twice", said.value),
        )
        .effect("报表里两类诉求混在一起，分不开", "reports would count two kinds of matters as one")
        .remedy("给其中一个改名", "rename one of them")
        .related(earlier, "第一次", "first");
}

fn well_formed(code: &Said<String>, problems: &mut Problems) {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !code.value.is_empty() && code.value.bytes().all(letter) {
        return;
    }
    problems
        .error(
            "E0123",
            &code.spot,
            format!("代码 \"{}\" 不合格式", code.value),
            format!("\"{}\" is no code", code.value),
        )
        .effect("工单系统和报表认不出它", "ticket offices and reports would not know it")
        .remedy(
            "只用小写字母、数字和下划线，如 consultation = \"咨询\"",
            "lower-case letters, digits and _ only, like consultation = \"咨询\"",
        );
}

/// Reasons for being away: a digit and a name each, none of them twice.
pub fn away(table: &RoutingTable, problems: &mut Problems) {
    let Some(work) = &table.work else { return };
    let mut digits: BTreeMap<char, &Spot> = BTreeMap::new();
    let mut names = Seen::default();
    for reason in &work.away {
        if let Some(digit) = &reason.digit {
            if digit.value.0 == '0' {
                ready(&digit.spot, problems);
            }
            match digits.get(&digit.value.0) {
                Some(earlier) => twice(&digit.spot, earlier, problems),
                None => drop(digits.insert(digit.value.0, &digit.spot)),
            }
        }
        if let Some(name) = &reason.name
            && let Some(earlier) = names.before(name)
        {
            twice(&name.spot, earlier, problems);
        }
    }
}

fn ready(spot: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E0423",
            spot,
            "0 表示回到座席，不能作离席理由",
            "0 means that a clerk is back, and is no reason for being away",
        )
        .effect(
            "座席按 0 是示闲，永远说不出这个理由",
            "a clerk who dials it becomes ready, and could never say this reason",
        )
        .remedy("写 1 到 9 中的一个", "one of 1 to 9");
}

fn twice(spot: &Spot, earlier: &Spot, problems: &mut Problems) {
    problems
        .error("E0422", spot, "离席理由重复", "two reasons for being away are one")
        .effect("座席按了键，记录里不知道是哪个理由", "records could not say which of them a clerk meant")
        .remedy("换一个数字或名称", "choose another digit or name")
        .related(earlier, "第一次", "first");
}
