//! Names: each given once, each reference to one that exists, each one used.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostic::{Diagnostic, Spot};
use super::super::nearest::nearest;
use super::super::prompts::ManifestTable;
use super::super::source::{Problems, Said};
use super::super::tables::script::{ActTable, FlowTable};
use super::super::tables::{GroupTable, ModeWord, RoutingTable};

/// No two things of a kind share a name.
pub fn unique_names(table: &RoutingTable, problems: &mut Problems) {
    let groups = table.groups.iter().map(|group| &group.name);
    once(table.trunks.iter().map(|trunk| &trunk.name).chain(groups), ("中继", "trunk"), problems);
    once(table.queues.iter().map(|queue| &queue.name), ("队列", "queue"), problems);
    once(table.seats.iter().map(|seat| &seat.id), ("座席", "seat"), problems);
    once(table.sinks.iter().map(|sink| &sink.name), ("工单去处", "ticket sink"), problems);
}

/// What was said already, and where.
#[derive(Default)]
pub struct Seen<'a>(BTreeMap<&'a str, &'a Spot>);

impl<'a> Seen<'a> {
    /// Whether it was.
    pub fn has(&self, said: &Said<String>) -> bool {
        self.0.contains_key(said.value.as_str())
    }

    /// Where it was.
    pub fn first(&self, said: &Said<String>) -> Option<&'a Spot> {
        self.0.get(said.value.as_str()).copied()
    }

    /// Where the same was said first; `None`, and remembered, if nowhere.
    pub fn before(&mut self, said: &'a Said<String>) -> Option<&'a Spot> {
        match self.0.entry(&said.value) {
            Entry::Occupied(first) => Some(first.get()),
            Entry::Vacant(place) => {
                place.insert(&said.spot);
                None
            }
        }
    }
}

/// Notes every name that stands a second time.
pub fn once<'a>(
    names: impl Iterator<Item = &'a Option<Said<String>>>,
    (zh, en): (&str, &str),
    problems: &mut Problems,
) {
    let mut seen = Seen::default();
    for said in names.flatten() {
        if let Some(earlier) = seen.before(said) {
            named_twice(said, earlier, (zh, &format!("{en}s")), problems);
        }
    }
}

/// Notes a name that stands a second time; the kind's word in English is a plural.
pub fn named_twice(said: &Said<String>, earlier: &Spot, (zh, en): (&str, &str), problems: &mut Problems) {
    problems
        .error(
            "E0304",
            &said.spot,
            format!("{zh} \"{}\" 重名", said.value),
            format!("there are two {en} called \"{}\"", said.value),
        )
        .effect("引用它的地方不知道指的是哪一个", "whatever refers to it could mean either")
        .remedy("给其中一个改名", "rename one of them")
        .related(earlier, "第一次", "first");
}

/// Every queue, trunk and prompt that is referred to exists.
pub fn defined(table: &RoutingTable, manifest: Option<&ManifestTable>, problems: &mut Problems) {
    let queues = names(table.queues.iter().map(|queue| &queue.name));
    let in_seats = table.seats.iter().flat_map(|seat| seat.queues.iter());
    for said in in_seats.flat_map(|said| &said.value) {
        exists("E0301", said, &queues, ("队列", "queue"), problems);
    }
    for said in used_queues(table) {
        exists("E0301", said, &queues, ("队列", "queue"), problems);
    }
    let groups = names(table.groups.iter().map(|group| &group.name));
    let trunks = names(table.trunks.iter().map(|trunk| &trunk.name));
    let ways = [&trunks[..], &groups[..]].concat();
    for said in called_ways(table) {
        exists("E0303", said, &ways, ("中继", "trunk"), problems);
    }
    for said in members(table).filter(|said| !groups.contains(&said.value.as_str())) {
        exists("E0303", said, &trunks, ("中继", "trunk"), problems);
    }
    for said in table.lanes.iter().flat_map(|lane| lane.trunks.iter()).flat_map(|said| &said.value) {
        exists("E0303", said, &trunks, ("中继", "trunk"), problems);
    }
    let seats = names(table.seats.iter().map(|seat| &seat.id));
    let members = table.experts.iter().flat_map(|group| group.seats.iter()).flat_map(|said| &said.value);
    for said in members.chain(table.tokens.iter().filter_map(|token| token.seat.as_ref())) {
        exists("E0305", said, &seats, ("座席", "seat"), problems);
    }
    let lines = names(table.numbers.iter().map(|line| &line.number));
    let in_lanes = table.lanes.iter().flat_map(|lane| lane.lines.iter()).flat_map(|said| &said.value);
    let experts = table.experts.iter().filter_map(|group| group.number.as_ref());
    let shown = table.calling.iter().filter_map(|calling| calling.line.as_ref());
    for said in in_lanes.chain(experts).chain(shown) {
        exists("E0306", said, &lines, ("号码", "number"), problems);
    }
    if let Some(manifest) = manifest {
        let prompts: Vec<&str> = manifest.ids().collect();
        for said in prompt_references(table) {
            exists("E0302", said, &prompts, ("提示音", "prompt"), problems);
        }
    }
}

/// So many names that there are stand in a remedy.
const KNOWN_MAX: usize = 12;

/// Notes a name that is not among `names`.
pub fn exists<'p>(
    code: &'static str,
    said: &Said<String>,
    names: &[&str],
    (zh, en): (&str, &str),
    problems: &'p mut Problems,
) -> Option<&'p mut Diagnostic> {
    if names.contains(&said.value.as_str()) {
        return None;
    }
    let (zh_known, en_known) = match names {
        [] => ("现在一个也没有".to_owned(), "there is none yet".to_owned()),
        names if names.len() <= KNOWN_MAX => {
            let names = names.join(", ");
            (format!("已有: {names}"), format!("there are: {names}"))
        }
        names => {
            let names = names[..KNOWN_MAX].join(", ");
            (format!("已有: {names}, …"), format!("there are: {names}, …"))
        }
    };
    let noted = problems
        .error(
            code,
            &said.spot,
            format!("没有名为 \"{}\" 的{zh}", said.value),
            format!("there is no {en} \"{}\"", said.value),
        )
        .effect("来电走到这里无法继续", "a call that comes here could not go on")
        .remedy(
            format!("改为已有的名称，或先定义它；{zh_known}"),
            format!("use a name that exists, or define it first; {en_known}"),
        )
        .nearest(nearest(&said.value, names.iter().copied()));
    Some(noted)
}

/// Trunks and queues that nothing uses are probably a slip.
pub fn used(table: &RoutingTable, problems: &mut Problems) {
    let dialled: BTreeSet<&str> = dialled_trunks(table).map(|said| said.value.as_str()).collect();
    for trunk in &table.trunks {
        let Some(name) = &trunk.name else { continue };
        let inward = trunk.sources.as_ref().is_none_or(|said| !said.value.is_empty());
        if !inward && trunk.target.is_some() && !dialled.contains(name.value.as_str()) {
            problems
                .warning(
                    "W0104",
                    &name.spot,
                    format!("没有号码使用中继 \"{}\"", name.value),
                    format!("no number uses the trunk \"{}\"", name.value),
                )
                .remedy("删去它，或在号码里引用它", "remove it, or refer to it in a number");
        }
    }
    for name in table.groups.iter().filter_map(|group| group.name.as_ref()) {
        if !dialled.contains(name.value.as_str()) {
            problems
                .warning(
                    "W0104",
                    &name.spot,
                    format!("没有号码使用中继组 \"{}\"", name.value),
                    format!("no number uses the trunk group \"{}\"", name.value),
                )
                .remedy("删去它，或在号码里引用它", "remove it, or refer to it in a number");
        }
    }
    let waited: BTreeSet<&str> = used_queues(table).map(|said| said.value.as_str()).collect();
    for name in table.queues.iter().filter_map(|queue| queue.name.as_ref()) {
        if !waited.contains(name.value.as_str()) {
            problems
                .warning(
                    "W0105",
                    &name.spot,
                    format!("没有号码使用队列 \"{}\"", name.value),
                    format!("no number uses the queue \"{}\"", name.value),
                )
                .remedy("删去它，或在号码里引用它", "remove it, or refer to it in a number");
        }
    }
}

/// Trunks and groups that calls are sent to, members of groups included.
pub fn dialled_trunks(table: &RoutingTable) -> impl Iterator<Item = &Said<String>> {
    called_ways(table).chain(members(table))
}

/// Trunks and groups that numbers name.
fn called_ways(table: &RoutingTable) -> impl Iterator<Item = &Said<String>> {
    let numbers = table.numbers.iter().filter_map(|number| number.trunk.as_ref());
    let peers = table.emergencies.iter().filter_map(|peer| peer.trunk.as_ref());
    let departments = table.asked().filter_map(|department| department.trunk.as_ref());
    let outside = table.calling.iter().filter_map(|calling| calling.trunk.as_ref());
    numbers.chain(peers).chain(departments).chain(outside)
}

/// Trunks that groups name.
fn members(table: &RoutingTable) -> impl Iterator<Item = &Said<String>> {
    let members = table.groups.iter().flat_map(|group| group.trunks.iter().flat_map(|said| &said.value));
    members.filter_map(|member| member.trunk.as_ref())
}

/// The trunks that a group names.
pub fn members_of(group: &GroupTable) -> impl Iterator<Item = &str> {
    let members = group.trunks.iter().flat_map(|said| &said.value);
    members.filter_map(|member| member.trunk.as_ref()).map(|said| said.value.as_str())
}

/// The trunks that a name stands for: a group's, or the one of that name.
pub fn trunks_of<'t>(table: &'t RoutingTable, way: &'t str) -> Vec<&'t str> {
    let is_named = |group: &&GroupTable| group.name.as_ref().is_some_and(|said| said.value == way);
    table.groups.iter().find(is_named).map_or_else(|| vec![way], |group| members_of(group).collect())
}

/// The numbers that are called by a trunk, itself or as a member of a group: as they are at the far side.
pub fn numbers_by<'a>(table: &'a RoutingTable, trunk: &'a str) -> impl Iterator<Item = &'a Said<String>> {
    let leads = move |way: &Option<Said<String>>| {
        way.as_ref().is_some_and(|way| trunks_of(table, &way.value).contains(&trunk))
    };
    let numbers = table.numbers.iter().filter(move |number| leads(&number.trunk));
    let numbers = numbers.filter_map(|number| number.dial.as_ref().or(number.number.as_ref()));
    let departments = table.asked().filter(move |department| leads(&department.trunk));
    numbers.chain(departments.filter_map(|own| own.dial.as_ref().or(own.number.as_ref())))
}

/// Queues that callers are sent to.
pub fn used_queues(table: &RoutingTable) -> impl Iterator<Item = &Said<String>> {
    let of_flows = table.flows.iter().flat_map(FlowTable::acts).filter_map(|act| match act {
        ActTable::Queue(queue) => queue.as_ref(),
        _ => None,
    });
    table.numbers.iter().filter_map(|number| number.queue.as_ref()).chain(of_flows)
}

/// Prompts that the file names.
pub fn prompt_references(table: &RoutingTable) -> impl Iterator<Item = &Said<String>> {
    let queues =
        table.queues.iter().flat_map(|queue| [&queue.greeting, &queue.music, &queue.overflow_prompt]);
    let numbers = table.numbers.iter().flat_map(|number| [&number.prompt, &number.greeting]);
    let own = table.numbers.iter().filter_map(|number| number.transition.as_ref());
    let transitions = own.chain(&table.transition).map(|transition| &transition.prompt);
    let meetings = table.meetings.iter().map(|meeting| &meeting.prompt);
    let surges = table.queues.iter().filter_map(|queue| queue.rules.surge.as_ref());
    let surges = surges.map(|surge| &surge.greeting);
    let failures = table.three_way.iter().map(|three_way| &three_way.failed_prompt);
    let observers = table.work.iter().map(|work| &work.observer_prompt);
    let bots = table.bots.iter().map(|bot| &bot.music);
    let of_people = surges.chain(failures).chain(observers).chain(bots).chain([&table.recording_notice]);
    let of_flows = table.flows.iter().flat_map(FlowTable::acts).flat_map(ActTable::prompts);
    queues.chain(numbers).chain(transitions).chain(meetings).chain(of_people).flatten().chain(of_flows)
}

/// Whether a mode waits in a queue.
pub fn waits(mode: ModeWord) -> bool {
    match mode {
        ModeWord::Primary | ModeWord::Merged | ModeWord::Dual | ModeWord::SubCenter => true,
        ModeWord::Bench => false,
    }
}

/// The names that were said.
pub fn names<'a>(names: impl Iterator<Item = &'a Option<Said<String>>>) -> Vec<&'a str> {
    names.flatten().map(|said| said.value.as_str()).collect()
}
