//! Experts, departments and the keys that ask them into a call: each leads to somebody, at known hours.

use super::super::diagnostic::Spot;
use super::super::nearest::nearest;
use super::super::source::{Problems, Said};
use super::super::tables::people::ExpertGroupTable;
use super::super::tables::{ModeWord, NumberTable, RoutingTable};
use super::references;

/// Each group is of a line, and has somebody in it.
pub fn groups(table: &RoutingTable, problems: &mut Problems) {
    let numbers = table.experts.iter().map(|group| &group.number);
    references::once(numbers, ("专家组", "expert group"), problems);
    for group in &table.experts {
        if let Some(seats) = group.seats.as_ref().filter(|said| said.value.is_empty()) {
            problems
                .error("E0410", &seats.spot, "专家组里没有座席", "an expert group without a seat")
                .effect("座席请专家时永远没有人应答", "clerks who ask for an expert would never reach one")
                .remedy("加上 seats = [\"1006\"] 之类的工号", "name its seats, like seats = [\"1006\"]");
        }
        elsewhere(group, table, problems);
    }
}

/// A number that a call is put through to by a trunk is not an expert group's as well.
fn elsewhere(group: &ExpertGroupTable, table: &RoutingTable, problems: &mut Problems) {
    let Some(number) = &group.number else { return };
    let line = line(table, &number.value).filter(|line| line.is_elsewhere());
    let Some(mode) = line.and_then(|line| line.mode.as_ref()) else { return };
    problems
        .error(
            "E0411",
            &number.spot,
            format!("{} 的座席在部门，转到那里的来电轮不到专家组", number.value),
            format!("{} has seats of its own: calls to it would never come to an expert group", number.value),
        )
        .effect("这组专家永远接不到电话", "these experts would never be called")
        .remedy("改为双号并行的号码，或删去这一组", "name a dual number, or remove the group")
        .related(&mode.spot, "座席在部门", "with seats of its own");
}

/// A line with expert seats has experts who can be asked, or whom its callers come to by a skill.
pub fn lines_have_groups(table: &RoutingTable, problems: &mut Problems) {
    if !table.is_live() {
        return;
    }
    for line in &table.numbers {
        let (Some(number), Some(said)) = (&line.number, &line.expert_seats) else { continue };
        if line.mode.as_ref().is_none_or(|mode| mode.value != ModeWord::Dual) {
            continue; // Has an error of its own.
        }
        if line.is_elsewhere() {
            continue; // Its experts sit where its seats are.
        }
        let by_skill = line.skills.as_ref().is_none_or(|skills| !skills.value.is_empty());
        if !said.value
            || by_skill
            || has_group(table, line)
            || !super::people::experts_are_told_apart(table, line)
        {
            continue; // Where nobody can be told from the others, that is an error of its own.
        }
        problems
            .warning(
                "W0110",
                &said.spot,
                format!("{} 设专家座席，却没有专家组，也没有要求技能", number.value),
                format!(
                    "{} has expert seats, but neither an expert group nor skills that it asks for",
                    number.value
                ),
            )
            .effect(
                "座席在通话中请不到该热线的专家，只能登记工单",
                "clerks could not ask its experts into a call, and would have to open a ticket",
            )
            .remedy(
                format!("加上 [[expert_group]]，number = \"{}\"", number.value),
                format!("add an [[expert_group]] with number = \"{}\"", number.value),
            );
    }
}

/// Whether somebody has written down who the line's experts are.
pub fn has_group(table: &RoutingTable, line: &NumberTable) -> bool {
    let own = line.number.as_ref().map(|said| &said.value);
    own.is_some() && table.experts.iter().any(|group| group.number.as_ref().map(|said| &said.value) == own)
}

/// Keys are digits, and lead to a number or a seat that exists.
pub fn keys(table: &RoutingTable, problems: &mut Problems) {
    let Some(keys) = table.three_way.as_ref().and_then(|three_way| three_way.keys.as_ref()) else { return };
    let reached = reached(table);
    for (key, target) in &keys.value.0 {
        if key.value.len() != 1 || !key.value.bytes().all(|byte| matches!(byte, b'1'..=b'9')) {
            no_key(key, problems);
        }
        if reached.contains(&target.value.as_str()) {
            continue;
        }
        problems
            .error(
                "E0414",
                &target.spot,
                format!("按键 {} 指向的 \"{}\" 不在这里", key.value, target.value),
                format!("the key {} leads to \"{}\", which is nobody here", key.value, target.value),
            )
            .effect(
                "座席按了键也请不到人，来电人白等",
                "a clerk who presses it would reach nobody, and the caller would wait for nothing",
            )
            .remedy(
                format!("写分中心、专家组、部门、平台、紧急热线的号码或工号；已有: {}", reached.join(", ")),
                format!("a sub-center's, a group's, a department's, a platform's or an emergency number, or a seat; there are: {}", reached.join(", ")),
            )
            .nearest(nearest(&target.value, reached.iter().copied()));
    }
    if table.is_live() && keys.value.0.len() < KEYS {
        urgent_numbers(table, keys.spot.clone(), problems);
    }
}

/// As many single keys there are: 1 to 9.
const KEYS: usize = 9;

fn no_key(key: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E0117",
            &key.spot,
            format!("\"{}\" 不能作单键", key.value),
            format!("\"{}\" is no key that asks somebody", key.value),
        )
        .effect("座席按了请不到人；*0 是三方合并", "no clerk could ask anybody by it; *0 joins all three")
        .remedy("写 1 到 9 中的一个", "one of 1 to 9");
}

/// Emergency numbers are one key away while there are keys.
fn urgent_numbers(table: &RoutingTable, spot: Spot, problems: &mut Problems) {
    let keys = table.three_way.as_ref().and_then(|three_way| three_way.keys.as_ref());
    let led_to =
        |number: &str| keys.is_some_and(|keys| keys.value.0.iter().any(|(_, target)| target.value == number));
    let numbers = table.emergencies.iter().filter_map(|peer| peer.number.as_ref());
    let missing: Vec<&str> =
        numbers.map(|said| said.value.as_str()).filter(|number| !led_to(number)).collect();
    if missing.is_empty() {
        return;
    }
    let missing = missing.join(", ");
    problems
        .warning(
            "W0112",
            &spot,
            format!("紧急热线 {missing} 没有单键"),
            format!("no single key leads to the emergency numbers {missing}"),
        )
        .effect(
            "危急时座席要拨整个号码，慢几秒",
            "in danger clerks would have to dial the whole number, which costs seconds",
        )
        .remedy("在空着的键上写它，如 \"7\" = \"110\"", "give it a free key, like \"7\" = \"110\"");
}

/// All that a third party can be: sub-centers, groups, departments, emergency numbers, seats.
fn reached(table: &RoutingTable) -> Vec<&str> {
    let centers = table.numbers.iter().filter(|line| line.is_elsewhere());
    let centers = centers.map(|line| &line.number);
    let groups = table.experts.iter().map(|group| &group.number);
    let departments = table.asked().map(|department| &department.number);
    let emergencies = table.emergencies.iter().map(|peer| &peer.number);
    let seats = table.seats.iter().map(|seat| &seat.id);
    let all = centers.chain(groups).chain(departments).chain(emergencies).chain(seats);
    all.flatten().map(|said| said.value.as_str()).collect()
}

fn line<'a>(table: &'a RoutingTable, number: &str) -> Option<&'a NumberTable> {
    table.numbers.iter().find(|line| line.number.as_ref().is_some_and(|said| said.value == number))
}
