//! Flows, look-ups and bots: each named once and used, each step whole, and every one of them comes to.
//!
//! Whether callers find a person, and how soon, is proved elsewhere.

mod asked;
mod branches;
mod figures;
mod graph;
mod menus;
mod transfers;
mod values;
mod words;

use std::collections::BTreeSet;

use super::super::build;
use super::super::script::ACTS_MAX;
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::super::tables::script::{ActTable, FlowTable};
use super::references;
use graph::Graph;

/// Runs the rules of this folder.
pub fn scripts(table: &RoutingTable, problems: &mut Problems) {
    names(table, problems);
    defined(table, problems);
    used(table, problems);
    for flow in &table.flows {
        length(flow, problems);
        unreached(flow, table, problems);
        for act in flow.acts() {
            menus::keys(act, table, problems);
            figures::figures(act, problems);
            recorded(act, table, problems);
            transfers::transfers(act, table, problems);
            asked::asks(act, table, problems);
            asked::codes(act, table, problems);
        }
    }
    asked::look_ups(table, problems);
    asked::bots(table, problems);
    values::names(table, problems);
    branches::conditions(table, problems);
    // Where a flow is not whole, that has been noted, and nobody could walk along it.
    if let Some(graph) = Graph::of(table) {
        menus::depth(&graph, problems);
        values::values(&graph, problems);
        branches::lines(&graph, problems);
    }
}

fn names(table: &RoutingTable, problems: &mut Problems) {
    references::once(table.flows.iter().map(|flow| &flow.name), ("流程", "flow"), problems);
    references::once(table.look_ups.iter().map(|own| &own.name), ("查询", "look-up"), problems);
    references::once(table.bots.iter().map(|bot| &bot.name), ("语音助手", "bot"), problems);
}

/// Flows that are led to, by numbers and by steps.
fn flows_led_to(table: &RoutingTable) -> impl Iterator<Item = &Said<String>> {
    let of_numbers = table.numbers.iter().filter_map(|line| line.flow.as_ref());
    of_numbers.chain(acts(table).flat_map(ActTable::flows))
}

fn acts(table: &RoutingTable) -> impl Iterator<Item = &ActTable> {
    table.flows.iter().flat_map(FlowTable::acts)
}

fn look_ups_asked(table: &RoutingTable) -> impl Iterator<Item = &Said<String>> {
    acts(table).filter_map(|act| match act {
        ActTable::LookUp(asked) => asked.source.as_ref(),
        _ => None,
    })
}

fn bots_called(table: &RoutingTable) -> impl Iterator<Item = &Said<String>> {
    acts(table).filter_map(|act| match act {
        ActTable::Bot(bot) => bot.as_ref(),
        _ => None,
    })
}

/// Everything that flows name exists; prompts and queues are looked for among all others that are named.
fn defined(table: &RoutingTable, problems: &mut Problems) {
    let flows = references::names(table.flows.iter().map(|flow| &flow.name));
    for said in flows_led_to(table) {
        references::exists("E1006", said, &flows, ("流程", "flow"), problems);
    }
    let look_ups = references::names(table.look_ups.iter().map(|own| &own.name));
    for said in look_ups_asked(table) {
        references::exists("E1007", said, &look_ups, ("查询", "look-up"), problems);
    }
    let bots = references::names(table.bots.iter().map(|bot| &bot.name));
    for said in bots_called(table) {
        references::exists("E1008", said, &bots, ("语音助手", "bot"), problems);
    }
    let lines = references::names(table.numbers.iter().map(|line| &line.number));
    for act in acts(table) {
        let ActTable::Branch(branch) = act else { continue };
        for said in branch.cases.iter().flat_map(|case| case.line.iter()).flat_map(|said| &said.value) {
            references::exists("E0306", said, &lines, ("号码", "number"), problems);
        }
    }
}

/// What nothing leads to is probably a slip.
fn used(table: &RoutingTable, problems: &mut Problems) {
    let words = |said: &Said<String>| said.value.clone();
    let led_to: BTreeSet<String> = flows_led_to(table).map(words).collect();
    let asked: BTreeSet<String> = look_ups_asked(table).map(words).collect();
    let called: BTreeSet<String> = bots_called(table).map(words).collect();
    let flows = table.flows.iter().map(|flow| (&flow.name, &led_to, "流程", "flow"));
    let look_ups = table.look_ups.iter().map(|own| (&own.name, &asked, "查询", "look-up"));
    let bots = table.bots.iter().map(|bot| (&bot.name, &called, "语音助手", "bot"));
    for (name, used, zh, en) in flows.chain(look_ups).chain(bots) {
        let Some(name) = name.as_ref().filter(|name| !used.contains(&name.value)) else { continue };
        problems
            .warning(
                "W1001",
                &name.spot,
                format!("没有来电会用到{zh} \"{}\"", name.value),
                format!("no call comes to the {en} \"{}\"", name.value),
            )
            .effect("写在这里的内容没有人听得到", "nobody would ever hear of it")
            .remedy(
                "在号码里写 flow = \"…\"，或由别的步骤引到这里；不用就删去",
                "write flow = \"…\" with a number, or let a step lead here; remove it if it is not wanted",
            );
    }
}

fn length(flow: &FlowTable, problems: &mut Problems) {
    if flow.steps.is_empty() {
        problems
            .error("E1004", &flow.spot, "流程里没有步骤", "a flow without a step")
            .effect(
                "来电人什么也听不到，直接去排队",
                "callers would hear nothing and wait in the queue at once",
            )
            .remedy("加上 [[flow.step]]，或删去这个流程", "add [[flow.step]], or remove the flow");
    }
    if let Some(step) = flow.steps.get(ACTS_MAX) {
        problems
            .error(
                "E1005",
                &step.spot,
                format!("一个流程至多 {ACTS_MAX} 步"),
                format!("a flow has {ACTS_MAX} steps at most"),
            )
            .effect("没有来电人会听完这么多步", "no caller would hear so many of them out")
            .remedy(
                "把后面的步骤移到另一个流程，在这里写 go = \"…\"",
                "move the rest to another flow, and write go = \"…\" here",
            );
    }
}

/// What stands behind a step that never goes on.
fn unreached(flow: &FlowTable, table: &RoutingTable, problems: &mut Problems) {
    // Act by act: one that is not whole hides nothing of the others.
    let mut acts = flow.steps.iter().map(|step| build::script::act(step.act.as_ref()?, table));
    let last = acts.position(|act| act.is_some_and(|act| !act.goes_on()));
    let last = last.and_then(|place| Some((flow.steps.get(place)?, flow.steps.get(place + 1)?)));
    let Some((last, step)) = last else { return };
    let kind = last.act.as_ref().map_or("", ActTable::kind);
    problems
        .error(
            "E1014",
            &step.spot,
            format!("前面的 {kind} 之后不会走到这一步"),
            format!("no call comes here from the {kind} before it"),
        )
        .effect("写在这里的内容没有人听得到", "nobody would ever hear of it")
        .remedy(
            "移到前面，或另写一个流程由按键或条件引到那里",
            "move it in front, or make a flow of it that a key or a condition leads to",
        )
        .related(&last.spot, "到此为止", "it ends here");
}

/// A message is a part of the call's recording.
fn recorded(act: &ActTable, table: &RoutingTable, problems: &mut Problems) {
    let ActTable::Message(message) = act else { return };
    let (Some(recording), Some(prompt)) = (&table.recording, &message.prompt) else { return };
    if recording.value {
        return;
    }
    problems
        .error("E1015", &prompt.spot, "不录音就不能留言", "no message without a recording")
        .effect("来电人说的话没有留下", "what callers say would be kept nowhere")
        .remedy(
            "写 [recording] enabled = true，或删去这一步",
            "write [recording] enabled = true, or remove the step",
        )
        .related(&recording.spot, "不录音", "not recorded");
}
