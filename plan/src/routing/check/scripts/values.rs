//! Values: each named so that records can hold it, and there before it is asked for.
//!
//! Three sets are carried along every way, act by act, until nothing changes: the values that some call has there,
//! those that every call has, and those that some call has from its caller.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::diagnostic::Spot;
use super::super::super::nearest::nearest;
use super::super::super::script::{
    Act, BOT_OUTCOME, Condition, TICKET_STATE, TICKET_STATES, TICKETS_SAY, VALUES_MAX, When,
};
use super::super::super::source::{Problems, Said};
use super::super::super::tables::RoutingTable;
use super::super::super::tables::look_up::{BotTable, LookUpTable};
use super::super::super::tables::script::{ActTable, FlowTable};
use super::asked;
use super::graph::{Graph, Place};
use super::words::{Says, words};

/// Longest name.
const NAME_MAX: usize = 32;

/// Names of values are words that records, tickets and adapters can hold.
pub fn names(table: &RoutingTable, problems: &mut Problems) {
    let given = table.flows.iter().flat_map(FlowTable::acts).filter_map(ActTable::gives);
    let says = table.look_ups.iter().flat_map(|own| own.says.iter()).flat_map(|says| &says.value);
    let bots = table.bots.iter().flat_map(|own| own.says.iter()).flat_map(|says| &says.value);
    for said in given.chain(says).chain(bots).filter(|said| !is_name(&said.value)) {
        problems
            .error(
                "E1026",
                &said.spot,
                format!("\"{}\" 不能作值的名称", said.value),
                format!("\"{}\" is no name for a value", said.value),
            )
            .effect("工单系统和查询接口认不出它", "ticket offices and adapters could not tell what it is")
            .remedy(
                format!("小写字母开头，只用小写字母、数字和 _，至多 {NAME_MAX} 个，如 \"ticket\""),
                format!("a small letter first, then small letters, digits and _, {NAME_MAX} at most, like \"ticket\""),
            );
    }
}

fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(letter)
        && name.len() <= NAME_MAX
}

/// What is known where an act begins.
#[derive(Clone, Default, PartialEq, Eq)]
struct Known {
    /// By some call that comes there, and what it may say.
    some: BTreeMap<String, BTreeSet<Says>>,
    /// By every one.
    every: BTreeSet<String>,
    /// By some call, as its caller gave it.
    given: BTreeSet<String>,
}

/// Each value that is asked for can be there; where nothing works without it, it is there whatever the way.
pub fn values(graph: &Graph<'_>, problems: &mut Problems) {
    let known = known(graph);
    let mut full = false;
    for place in graph.places() {
        let (Some(known), Some(written)) = (known.get(&place), graph.written(place)) else { continue };
        for wanted in written.wants() {
            if !known.some.contains_key(&wanted.value) {
                unset(wanted, &known.some, problems);
            } else if cannot_do_without(written) && !known.every.contains(&wanted.value) {
                sometimes_unset(wanted, problems);
            }
            if matches!(written, ActTable::Transfer(_)) && known.given.contains(&wanted.value) {
                given(wanted, problems);
            }
        }
        words(written, &known.some, problems);
        if known.some.len() > VALUES_MAX && !full {
            full = true;
            too_many(&graph.table.flows[place.0].steps[place.1].spot, known.some.len(), problems);
        }
    }
}

/// Whether an act comes to nothing without a value.
fn cannot_do_without(act: &ActTable) -> bool {
    matches!(act, ActTable::LookUp(_) | ActTable::Transfer(_))
}

/// What is known at each act. Calls begin at the flows of numbers; where no number leads, at flows that nothing leads
/// to, so that what is wrong in them is found before they are used.
fn known(graph: &Graph<'_>) -> BTreeMap<Place, Known> {
    let mut known: BTreeMap<Place, Known> = BTreeMap::new();
    begin(graph, graph.entries().map(|(_, place)| place), &mut known);
    let led_to: BTreeSet<Place> =
        graph.places().flat_map(|place| graph.after(place)).map(|(_, next)| next).collect();
    let firsts: Vec<Place> = graph.places().filter(|(_, act)| *act == 0).collect();
    begin(graph, firsts.iter().copied().filter(|first| !led_to.contains(first)), &mut known);
    for first in firsts {
        begin(graph, [first], &mut known); // A ring of flows that nobody enters.
    }
    known
}

/// Carries what is known from these acts on, where nothing has come yet.
fn begin(graph: &Graph<'_>, from: impl IntoIterator<Item = Place>, known: &mut BTreeMap<Place, Known>) {
    let from = from.into_iter().filter(|place| graph.act(*place).is_some() && !known.contains_key(place));
    let mut ahead: BTreeSet<Place> = from.collect();
    known.extend(ahead.iter().map(|place| (*place, Known::default())));
    while let Some(place) = ahead.pop_first() {
        let Some(now) = known.get(&place).cloned() else { continue };
        for (when, next) in graph.after(place) {
            let coming = behind(graph, place, when, now.clone());
            let before = known.get(&next);
            let both = before.map_or_else(|| coming.clone(), |before| before.with(&coming));
            if before != Some(&both) {
                known.insert(next, both);
                ahead.insert(next);
            }
        }
    }
}

impl Known {
    /// What is known where two ways meet.
    fn with(&self, other: &Known) -> Known {
        let mut some = self.some.clone();
        for (name, says) in &other.some {
            some.entry(name.clone()).or_default().extend(says);
        }
        Known {
            some,
            every: self.every.intersection(&other.every).cloned().collect(),
            given: self.given.union(&other.given).cloned().collect(),
        }
    }
}

/// What is known on a way on from an act.
fn behind(graph: &Graph<'_>, place: Place, when: When, mut known: Known) -> Known {
    let mut learn = |name: &str, says: Says, given: bool| {
        known.some.insert(name.to_owned(), BTreeSet::from([says]));
        known.every.insert(name.to_owned());
        match given {
            true => known.given.insert(name.to_owned()),
            false => known.given.remove(name),
        };
    };
    match (graph.act(place), when) {
        (Some(Act::Branch(branch)), When::Case(case)) => {
            // Who goes this way has the values that the case is about.
            let about = branch.cases[case].when.iter().filter_map(Condition::value);
            known.every.extend(about.map(str::to_owned));
        }
        (Some(act), When::Done) => {
            let says_given = match act {
                Act::Collect(own) => Says::Digits { least: own.least.max(1), most: own.most },
                _ => Says::Anything,
            };
            act.gives().into_iter().for_each(|name| learn(name, says_given, true));
            says(graph, place).for_each(|(name, says)| learn(name, says, false));
            bot_says(graph, place).for_each(|name| learn(name, Says::Anything, true));
        }
        _ => {}
    }
    known
}

/// What the look-up of an act says when it finds something.
fn says<'g>(graph: &'g Graph<'_>, place: Place) -> impl Iterator<Item = (&'g str, Says)> {
    let source = match graph.written(place) {
        Some(ActTable::LookUp(own)) => asked::source(own, graph.table),
        _ => None,
    };
    let of_tickets = source.is_some_and(LookUpTable::is_of_tickets);
    let own = source.into_iter().flat_map(|own| own.says.iter()).flat_map(|says| &says.value);
    let of_tickets = TICKETS_SAY.into_iter().filter(move |_| of_tickets).map(|name| match name {
        TICKET_STATE => (name, Says::Words(&TICKET_STATES)),
        _ => (name, Says::Anything),
    });
    own.map(|said| (said.value.as_str(), Says::Anything)).chain(of_tickets)
}

/// What the bot of an act says when it is done: of what it heard, and so as much the caller's as a key is.
fn bot_says<'g>(graph: &'g Graph<'_>, place: Place) -> impl Iterator<Item = &'g str> {
    let named = match graph.written(place) {
        Some(ActTable::Bot(named)) => named.as_ref(),
        _ => None,
    };
    let is_it = move |own: &&'g BotTable| {
        own.name.as_ref().zip(named).is_some_and(|(name, named)| name.value == named.value)
    };
    let own = graph.table.bots.iter().find(is_it);
    let says = own.into_iter().flat_map(|own| own.says.iter()).flat_map(|says| &says.value);
    says.map(|said| said.value.as_str()).chain(own.map(|_| BOT_OUTCOME))
}

fn unset(wanted: &Said<String>, known: &BTreeMap<String, BTreeSet<Says>>, problems: &mut Problems) {
    let there = if known.is_empty() {
        ("还没有任何值".to_owned(), "there is none yet".to_owned())
    } else {
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        (format!("这里可能有: {}", names.join(", ")), format!("there may be: {}", names.join(", ")))
    };
    problems
        .error(
            "E1017",
            &wanted.spot,
            format!("走到这里还没有值 \"{}\"", wanted.value),
            format!("no call that comes here has the value \"{}\"", wanted.value),
        )
        .effect(
            "该读的读不出、该查的查不到，来电人不明所以",
            "what is to be read or asked by it could not be, and callers would not know why",
        )
        .remedy(
            format!("在前面用 collect、message、look_up 或 bot 取得它（look_up 和 bot 的值写在 says 里）；{}", there.0),
            format!("get it before by collect, message, look_up or bot (what the last two say stands in says); {}", there.1),
        )
        .nearest(nearest(&wanted.value, known.keys().map(String::as_str)));
}

fn sometimes_unset(wanted: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E1018",
            &wanted.spot,
            format!("有的来电走到这里还没有值 \"{}\"", wanted.value),
            format!("some calls that come here do not have the value \"{}\"", wanted.value),
        )
        .effect("那些来电在这里办不成，只能转人工", "for them nothing comes of it, and they go to a person")
        .remedy(
            "让每条路都先取得它；查询没有结果时用 missing 引到别处，或先用 branch 判断",
            "get it on every way; lead elsewhere by missing where nothing is found, or ask for it in a branch before",
        );
}

fn given(wanted: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E1028",
            &wanted.spot,
            format!("\"{}\" 是来电人给的，不能照着呼叫", wanted.value),
            format!("\"{}\" is what the caller gave, and nobody is called by that", wanted.value),
        )
        .effect(
            "否则谁都能借本热线呼叫任何人；引擎不会呼叫，来电按无人接听处理",
            "else anybody could call anybody by way of this hotline; the engine does not, and calls end as unanswered",
        )
        .remedy("呼叫 look_up 查来的值", "call by a value that a look_up said");
}

fn too_many(spot: &Spot, count: usize, problems: &mut Problems) {
    problems
        .error(
            "E1027",
            spot,
            format!("走到这里可能有 {count} 个值，至多 {VALUES_MAX} 个"),
            format!("a call may have {count} values here, and keeps {VALUES_MAX} at most"),
        )
        .effect(
            "多出来的值不会保留，后面用到时没有",
            "those beyond are not kept, and missing where they are used",
        )
        .remedy("少收集几个，或用同一个名称", "collect fewer, or use one name again");
}
