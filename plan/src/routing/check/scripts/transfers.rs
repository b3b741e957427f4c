//! Transfers of flows: to somebody of the plan, or to a number outside that may be called.

use super::super::super::nearest::nearest;
use super::super::super::source::{Problems, Said};
use super::super::super::tables::script::{ActTable, TargetTable};
use super::super::super::tables::{ModeWord, RoutingTable};
use super::super::super::values::out_of_range;
use super::asked::{LONGEST, bounded};

/// Whom a step rings is there.
pub fn transfers(act: &ActTable, table: &RoutingTable, problems: &mut Problems) {
    let ActTable::Transfer(transfer) = act else { return };
    let Some(to) = &transfer.to else { return };
    match &to.value {
        TargetTable::Number(number) => known(&to.spot, number, table, problems),
        TargetTable::Value(relay) => {
            bounded(&relay.within, LONGEST, "\"1ms\"–\"24h\"", problems);
            if let Some(said) = relay.most.as_ref().filter(|said| said.value == 0) {
                out_of_range(&said.spot, &format!("1–{}", u8::MAX), problems);
            }
            outside(&relay.name, relay.line.as_ref(), table, problems);
        }
    }
}

fn known(
    spot: &super::super::super::diagnostic::Spot,
    number: &str,
    table: &RoutingTable,
    problems: &mut Problems,
) {
    let centers = table.numbers.iter().filter(|line| {
        line.mode.as_ref().is_none_or(|mode| mode.value == ModeWord::SubCenter) // Said wrongly: an error of its own.
    });
    let departments = table.asked().filter_map(|department| department.number.as_ref());
    let all = centers.filter_map(|line| line.number.as_ref()).chain(departments);
    let all: Vec<&str> = all.map(|said| said.value.as_str()).collect();
    if all.contains(&number) {
        return;
    }
    problems
        .error(
            "E1020",
            spot,
            format!("\"{number}\" 不是分中心、部门或平台"),
            format!("\"{number}\" is no sub-center, department or platform"),
        )
        .effect("来电走到这里接不通任何人", "calls that come here would reach nobody")
        .remedy(
            format!("写分中心、[[department]] 或 [[peer]] 的号码；已有: {}；本平台的座席用 queue", all.join(", ")),
            format!(
                "a sub-center's number, a [[department]]'s or a [[peer]]'s; there are: {}; for clerks of this hotline, use queue",
                all.join(", ")
            ),
        )
        .nearest(nearest(number, all.iter().copied()));
}

fn outside(name: &Said<String>, line: Option<&Said<String>>, table: &RoutingTable, problems: &mut Problems) {
    let Some(calling) = &table.calling else {
        problems
            .error(
                "E1021",
                &name.spot,
                "要呼叫外部号码，却没有写 [calling]",
                "it calls a number outside, but there is no [calling]",
            )
            .effect("来电人听不到任何人应答", "nobody would be called, and callers would reach no one")
            .remedy(
                "写上 [calling]（prefix、allowed、trunk、line），或删去这一步",
                "write [calling] with prefix, allowed, trunk and line, or remove the step",
            );
        return;
    };
    let (Some(line), Some(shown)) = (line, &calling.line) else { return };
    if line.value == shown.value {
        return;
    }
    problems
        .error(
            "E1022",
            &line.spot,
            format!("对外显示的号码是 {}，不是 {}", shown.value, line.value),
            format!("the number that is shown outside is {}, not {}", shown.value, line.value),
        )
        .effect(
            "被呼叫的人看到的不是这里写的号码",
            "whoever is called would see another number than this one",
        )
        .remedy(
            format!("写 line = \"{}\" 或不写；要改就改 [calling] line", shown.value),
            format!("write line = \"{}\" or nothing, or change [calling] line", shown.value),
        )
        .related(&shown.spot, "对外显示的号码", "the number that is shown");
}
