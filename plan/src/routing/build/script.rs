//! What callers may do by themselves, and whom that asks.

use std::collections::{BTreeMap, BTreeSet};

use super::super::people_values::Named;
use super::super::plan::Peer;
use super::super::script::{
    Act, Bot, Branch, Case, Collect, Condition, LookUp, LookUpKind, LookUpSource, Menu, Message, Order,
    Relay, Script, Spoken, TICKETS_SAY, Target, Transfer,
};
use super::super::source::Said;
use super::super::tables::calendar::HoursTable;
use super::super::tables::look_up::{BotTable, LookUpTable, LookUpWord};
use super::super::tables::script::{
    ActTable, AskTable, BranchTable, CaseTable, CollectTable, FlowTable, MenuTable, MessageTable, OrderTable,
    PieceTable, TargetTable, TransferTable,
};
use super::super::tables::{Field, ModeWord, RoutingTable};
use super::{calendar, list, peer, people, text, value};
use crate::id::{BotId, LineId, LookUpId, PromptId, QueueId, ScriptId};

/// Made also of a file with faults elsewhere, so that rules can walk along it; `None` where one of its own is.
pub(in super::super) fn script(table: &FlowTable, whole: &RoutingTable) -> Option<Script> {
    let acts = table.steps.iter().map(|step| act(step.act.as_ref()?, whole));
    Some(Script { id: ScriptId::from(text(&table.name)?), acts: acts.collect::<Option<_>>()? })
}

/// One act; `None` where it is not whole.
pub(in super::super) fn act(table: &ActTable, whole: &RoutingTable) -> Option<Act> {
    let prompt = |said: &Field<String>| text(said).map(PromptId::from);
    Some(match table {
        ActTable::Play(said) => Act::Play(prompt(said)?),
        ActTable::Say(pieces) => Act::Say(list(pieces, spoken)?),
        ActTable::Menu(own) => Act::Menu(menu(own)?),
        ActTable::Collect(own) => Act::Collect(collect(own)?),
        ActTable::Message(own) => Act::Message(message(own)?),
        ActTable::LookUp(own) => Act::LookUp(look_up_act(own)?),
        ActTable::Order(own) => Act::Order(order(own)?),
        ActTable::Branch(own) => Act::Branch(branch(own, whole)?),
        ActTable::Queue(queue) => Act::Queue(QueueId::from(text(queue)?)),
        ActTable::Transfer(own) => Act::Transfer(transfer(own, whole)?),
        ActTable::Bot(bot) => Act::Bot(BotId::from(text(bot)?)),
        ActTable::Survey => Act::Survey,
        ActTable::Go(flow) => Act::Go(ScriptId::from(text(flow)?)),
        ActTable::HangUp => Act::HangUp,
    })
}

fn flow(said: &Field<String>) -> Option<ScriptId> {
    text(said).map(ScriptId::from)
}

fn spoken(piece: &PieceTable) -> Spoken {
    let prompt = |said: &Said<String>| PromptId::from(said.value.as_str());
    match piece {
        PieceTable::Prompt(said) => Spoken::Prompt(prompt(said)),
        PieceTable::Value { name, reading } => Spoken::Value { name: name.value.clone(), reading: *reading },
        PieceTable::Choice { name, prompts, otherwise } => Spoken::Choice {
            name: name.value.clone(),
            prompts: prompts.0.iter().map(|(said, id)| (said.value.clone(), prompt(id))).collect(),
            otherwise: otherwise.as_ref().map(prompt),
        },
    }
}

fn menu(table: &MenuTable) -> Option<Menu> {
    let keys = table.keys.as_ref()?.value.0.iter();
    let keys = keys.map(|(key, to)| Some((key.value.chars().next()?, ScriptId::from(to.value.as_str()))));
    Some(Menu {
        prompt: PromptId::from(text(&table.prompt)?),
        keys: keys.collect::<Option<_>>()?,
        wait: value(&table.wait)?,
        tries: value(&table.tries)?,
    })
}

fn collect(table: &CollectTable) -> Option<Collect> {
    Some(Collect {
        into: value(&table.into)?,
        prompt: PromptId::from(text(&table.prompt)?),
        least: u8::try_from(value(&table.least)?).ok()?,
        most: u8::try_from(value(&table.most)?).ok()?,
        wait: value(&table.wait)?,
        tries: value(&table.tries)?,
    })
}

fn message(table: &MessageTable) -> Option<Message> {
    Some(Message {
        into: value(&table.into)?,
        prompt: PromptId::from(text(&table.prompt)?),
        most: value(&table.most)?,
        least: value(&table.least)?,
        tries: value(&table.tries)?,
    })
}

fn look_up_act(table: &AskTable) -> Option<LookUp> {
    let with = |with: &Named| -> BTreeMap<String, String> {
        with.0.iter().map(|(theirs, ours)| (theirs.value.clone(), ours.value.clone())).collect()
    };
    Some(LookUp {
        source: LookUpId::from(text(&table.source)?),
        with: with(&table.with.as_ref()?.value),
        music: text(&table.music).map(PromptId::from),
        missing: flow(&table.missing),
        failed: flow(&table.failed),
    })
}

fn order(table: &OrderTable) -> Option<Order> {
    Some(Order {
        category: value(&table.category)?,
        values: list(&table.values, String::clone)?,
        prompt: PromptId::from(text(&table.prompt)?),
        code_prompt: text(&table.code_prompt).map(PromptId::from),
    })
}

fn branch(table: &BranchTable, whole: &RoutingTable) -> Option<Branch> {
    Some(Branch {
        cases: table.cases.iter().map(|own| case(own, whole)).collect::<Option<_>>()?,
        otherwise: flow(&table.otherwise),
    })
}

/// What a case asks for, in the order in which the keys are explained.
pub(in super::super) fn case(table: &CaseTable, whole: &RoutingTable) -> Option<Case> {
    let said = |hours: &HoursTable| hours.spot.is_some();
    let mut when = Vec::new();
    if table.line.is_some() {
        when.push(Condition::Line(list(&table.line, |line| LineId::from(line.as_str()))?));
    }
    if table.caller.is_some() {
        when.push(Condition::Caller(list(&table.caller, |beginning| beginning.0.clone())?));
    }
    if said(&table.inside) {
        when.push(Condition::Inside(calendar::hours(&table.inside, whole)?));
    }
    if said(&table.outside) {
        when.push(Condition::Outside(calendar::hours(&table.outside, whole)?));
    }
    if let Some(name) = &table.value {
        let is = if table.is.is_some() { list(&table.is, String::clone)? } else { Vec::new() };
        when.push(Condition::Value { name: name.value.clone(), is });
    }
    Some(Case { when, to: flow(&table.to)? })
}

fn transfer(table: &TransferTable, whole: &RoutingTable) -> Option<Transfer> {
    let to = match &table.to.as_ref()?.value {
        TargetTable::Number(number) => Target::Peer(named_peer(number, whole)?),
        TargetTable::Value(relay) => {
            let (most, within) = (value(&relay.most)?, value(&relay.within)?);
            Target::Value(Relay { name: relay.name.value.clone(), most, within })
        }
    };
    Some(Transfer { to, failed: flow(&table.failed) })
}

/// The sub-center's, the department's or the platform's way.
fn named_peer(number: &str, whole: &RoutingTable) -> Option<Peer> {
    let center = whole.numbers.iter().find(|line| {
        let is_center = line.mode.as_ref().is_some_and(|mode| mode.value == ModeWord::SubCenter);
        is_center && text(&line.number) == Some(number)
    });
    if let Some(center) = center {
        return peer(center, whole);
    }
    let department = whole.asked().find(|own| text(&own.number) == Some(number))?;
    people::department(department, whole).map(|(_, peer)| peer)
}

pub(super) fn look_up(table: &LookUpTable) -> Option<LookUpSource> {
    let kind = match table.kind.as_ref()?.value {
        LookUpWord::Tickets => LookUpKind::Tickets,
        LookUpWord::Jsonl => LookUpKind::Jsonl { path: value(&table.path)? },
        LookUpWord::Http => LookUpKind::Http { url: value(&table.url)?, secret: value(&table.secret)? },
    };
    let says = match kind {
        LookUpKind::Tickets => TICKETS_SAY.map(str::to_owned).into(),
        LookUpKind::Jsonl { .. } | LookUpKind::Http { .. } => said(&table.says),
    };
    Some(LookUpSource {
        id: LookUpId::from(text(&table.name)?),
        kind,
        says,
        timeout: value(&table.timeout)?,
        misses_max: value(&table.misses_max)?,
        lock: value(&table.lock)?,
    })
}

/// The names in `says`.
fn said(says: &Field<Vec<Said<String>>>) -> BTreeSet<String> {
    says.iter().flat_map(|says| &says.value).map(|name| name.value.clone()).collect()
}

pub(super) fn bot(table: &BotTable) -> Option<Bot> {
    Some(Bot {
        id: BotId::from(text(&table.name)?),
        url: value(&table.url)?,
        secret: value(&table.secret),
        connect: value(&table.connect)?,
        most: value(&table.most)?,
        music: text(&table.music).map(PromptId::from),
        says: said(&table.says),
        rate: value(&table.rate)?,
        show_caller: value(&table.show_caller)?,
    })
}
