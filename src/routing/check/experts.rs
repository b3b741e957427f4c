//! Experts, departments and the keys that ask them into a call: each leads to somebody, at known hours.

use super::super::diagnostic::Spot;
use super::super::nearest::nearest;
use super::super::people_values::Clock;
use super::super::source::{Problems, Said};
use super::super::tables::people::{BandTable, ExpertGroupTable, HoursTable};
use super::super::tables::{ModeWord, NumberTable, RoutingTable};
use super::{misplaced, references};

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
                format!("写分中心、专家组、部门、紧急热线的号码或工号；已有: {}", reached.join(", ")),
                format!("a sub-center's, a group's, a department's or an emergency number, or a seat; there are: {}", reached.join(", ")),
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
    let departments = table.departments.iter().map(|department| &department.number);
    let emergencies = table.emergencies.iter().map(|peer| &peer.number);
    let seats = table.seats.iter().map(|seat| &seat.id);
    let all = centers.chain(groups).chain(departments).chain(emergencies).chain(seats);
    all.flatten().map(|said| said.value.as_str()).collect()
}

fn line<'a>(table: &'a RoutingTable, number: &str) -> Option<&'a NumberTable> {
    table.numbers.iter().find(|line| line.number.as_ref().is_some_and(|said| said.value == number))
}

/// Bands that are some time long, none of them twice; and a sub-center that is always there.
pub fn hours(table: &RoutingTable, problems: &mut Problems) {
    for line in &table.numbers {
        each(&line.hours, problems);
        let (Some(spot), Some(mode)) = (&line.hours.spot, &line.mode) else { continue };
        if mode.value == ModeWord::SubCenter {
            not_always(spot, problems);
        } else if !line.is_elsewhere() {
            misplaced(spot, super::lines::mode_name(mode.value), problems);
        }
    }
    let groups = table.experts.iter().map(|group| &group.hours);
    let departments = table.departments.iter().map(|department| &department.hours);
    let follow_up = table.follow_up.iter().map(|follow_up| &follow_up.hours);
    for hours in groups.chain(departments).chain(follow_up) {
        each(hours, problems);
    }
}

/// Bands that are not empty and do not overlap.
pub fn each(hours: &HoursTable, problems: &mut Problems) {
    if let Some(spot) = hours.spot.as_ref().filter(|_| hours.bands.is_empty()) {
        empty(spot, problems);
    }
    for (place, band) in hours.bands.iter().enumerate() {
        let (Some(from), Some(to)) = (&band.from, &band.to) else { continue };
        if from.value >= to.value {
            empty(&to.spot, problems);
            continue;
        }
        if let Some(earlier) = hours.bands[..place].iter().find(|earlier| overlap(earlier, band)) {
            problems
                .error("E0412", &band.spot, "时段与前面的重叠", "this band overlaps with an earlier one")
                .effect(
                    "不知道哪一个才对，改其中一个时另一个仍然生效",
                    "nobody could say which of them is meant, and a change to one would leave the other in force",
                )
                .remedy("让各时段互不重叠，或合并成一个", "keep them apart, or make one band of them")
                .related(&earlier.spot, "前面的", "the earlier one");
        }
    }
}

fn overlap(one: &BandTable, other: &BandTable) -> bool {
    fn ends(band: &BandTable) -> Option<(Clock, Clock)> {
        Some((band.from.as_ref()?.value, band.to.as_ref()?.value))
    }
    let (Some(days), Some(others)) = (&one.days, &other.days) else { return false };
    let (Some((from, to)), Some((its_from, its_to))) = (ends(one), ends(other)) else { return false };
    days.value.0.iter().any(|day| others.value.0.contains(day)) && from < its_to && its_from < to
}

fn empty(spot: &Spot, problems: &mut Problems) {
    problems
        .error("E0413", spot, "时段是空的", "these hours are empty")
        .effect("写成这样等于永远没有人，或者永远有人，谁也说不准", "it could mean that nobody is ever there, or always somebody")
        .remedy(
            "from 要早于 to，跨过午夜的分两段写；全天有人就删去 hours",
            "from comes before to, and hours over midnight are two bands; where somebody is always there, remove hours",
        );
}

fn not_always(spot: &Spot, problems: &mut Problems) {
    problems
        .warning("W0111", spot, "分中心不是全天有人", "a sub-center that is not always there")
        .effect(
            "方案要求分中心 7×24 小时服务；这些时间之外来电直接进 12345",
            "the notice asks sub-centers for service at all hours; outside of these its callers go to 12345 at once",
        )
        .remedy("与分中心商定全天值守后删去 hours", "remove hours once the sub-center is there at all hours");
}
