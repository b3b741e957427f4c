//! What a caller's clerk must know, and whether anybody knows it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::super::build;
use super::super::people_values::LANGUAGE;
use super::super::queueing::Known;
use super::super::script::{Act, Condition, Leads, Script, ScriptWay, When};
use super::super::source::{Problems, Said};
use super::super::tables::callers::LaneTable;
use super::super::tables::{NumberTable, QueueTable, RoutingTable, SeatTable};
use super::people::serves;
use super::references;
use crate::id::{LineId, ScriptId};

type Wanted = Said<Vec<Said<Known>>>;

/// Somebody who has found nobody: the line that was dialled, the queue, and whether somebody answers once less is asked.
struct Found<'t> {
    low: bool,
    line: &'t str,
    queue: String,
    /// All that is asked, by the line, the lane and the policy.
    wanted: Vec<Known>,
}

/// Whatever is asked of a caller's clerk, by the line, the caller's lane and the caller's policy together, one clerk of
/// each queue knows that the caller can come to: there, nobody else takes the call.
pub fn asked(table: &RoutingTable, problems: &mut Problems) {
    let scripts = Scripts::of(table);
    let mut clerks = Clerks::of(table);
    let policies = of_policies(table);
    // Where it is asked, in the order of the file, and the first who finds nobody.
    let mut found: BTreeMap<(Option<usize>, usize), (&Wanted, Found<'_>)> = BTreeMap::new();
    let lines = table.numbers.iter().filter(|line| {
        line.mode.as_ref().is_some_and(|mode| references::waits(mode.value)) // Nobody waits on those of load tools.
    });
    for line in lines {
        let (Some(number), Some(queue)) = (&line.number, &line.queue) else { continue };
        let askings = askings(line, &number.value, &policies, table);
        if askings.is_empty() {
            continue;
        }
        for queue in scripts.queues(line, &number.value, &queue.value) {
            let mut blamed: Vec<&Asking<'_>> = Vec::new();
            for asking in &askings {
                // What one of its parts asks in vain is told of there.
                let told = |known: &&Asking<'_>| known.parts.iter().all(|part| asking.has(part));
                let Some(last) = asking.parts.last().filter(|_| !blamed.iter().any(told)) else { continue };
                let wanted = asking.wanted();
                let Some(low) = clerks.lack(&queue, &wanted) else { continue };
                blamed.push(asking);
                let own = Found { low, line: &number.value, queue: queue.clone(), wanted };
                match found.entry((last.spot.file, last.spot.span.start)) {
                    Entry::Vacant(free) => drop(free.insert((last, own))),
                    Entry::Occupied(mut known) if known.get().1.low && !low => {
                        known.insert((last, own));
                    }
                    Entry::Occupied(_) => {}
                }
            }
        }
    }
    for (said, own) in found.into_values() {
        if own.low { low(said, &own, problems) } else { absent(said, &own, problems) }
    }
}

/// Lists of skills that can be asked of one clerk: the line's first, the policy's last.
struct Asking<'t> {
    parts: Vec<&'t Wanted>,
}

impl Asking<'_> {
    fn has(&self, part: &Wanted) -> bool {
        self.parts.iter().any(|own| own.spot == part.spot)
    }

    fn wanted(&self) -> Vec<Known> {
        let all = self.parts.iter().flat_map(|part| &part.value).map(|said| said.value.clone());
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

fn some(skills: &Option<Wanted>) -> Option<&Wanted> {
    skills.as_ref().filter(|said| !said.value.is_empty())
}

/// What policies ask for, each list once: many callers may be sent to the same clerks.
fn of_policies(table: &RoutingTable) -> Vec<&Wanted> {
    let mut policies: BTreeMap<Vec<&Known>, &Wanted> = BTreeMap::new();
    for skills in table.policies.iter().filter_map(|policy| some(&policy.skills)) {
        policies.entry(skills.value.iter().map(|said| &said.value).collect()).or_insert(skills);
    }
    policies.into_values().collect()
}

/// What can be asked for callers of a line, the least first: by itself, with each lane and each policy, and with both.
fn askings<'t>(
    line: &'t NumberTable,
    number: &str,
    policies: &[&'t Wanted],
    table: &'t RoutingTable,
) -> Vec<Asking<'t>> {
    let own: Vec<&Wanted> = some(&line.skills).into_iter().collect();
    let lanes: Vec<&Wanted> =
        lanes_of(number, table).into_iter().filter_map(|lane| some(&lane.skills)).collect();
    let mut askings = Vec::new();
    let mut ask = |lane: Option<&'t Wanted>, policy: Option<&'t Wanted>| {
        let parts: Vec<&Wanted> = own.iter().copied().chain(lane).chain(policy).collect();
        if !parts.is_empty() {
            askings.push(Asking { parts });
        }
    };
    ask(None, None);
    lanes.iter().for_each(|lane| ask(Some(lane), None));
    policies.iter().for_each(|policy| ask(None, Some(policy)));
    for lane in &lanes {
        policies.iter().for_each(|policy| ask(Some(lane), Some(policy)));
    }
    askings
}

/// The lanes that callers of a line can be in. The first that fits is a caller's: one for the whole line is the last.
fn lanes_of<'t>(number: &str, table: &'t RoutingTable) -> Vec<&'t LaneTable> {
    let mut lanes = Vec::new();
    for lane in &table.lanes {
        let of_line = lane.lines.iter().flat_map(|said| &said.value).any(|line| line.value == number);
        let some =
            |list: &Option<Said<Vec<Said<String>>>>| list.as_ref().is_some_and(|said| !said.value.is_empty());
        if of_line || some(&lane.trunks) || some(&lane.callers) {
            lanes.push(lane);
        }
        if of_line {
            break;
        }
    }
    lanes
}

/// The flows of a file that are whole.
struct Scripts(BTreeMap<ScriptId, Script>);

impl Scripts {
    fn of(table: &RoutingTable) -> Self {
        let scripts = table.flows.iter().filter_map(|flow| build::script::script(flow, table));
        Scripts(scripts.map(|script| (script.id.clone(), script)).collect())
    }

    /// The queues that callers of a line can wait in. Flows that are not whole lead to a person, as their errors say.
    fn queues(&self, line: &NumberTable, number: &str, own: &str) -> BTreeSet<String> {
        let (number, mut queues) = (LineId::from(number), BTreeSet::new());
        let first = line.flow.as_ref().map(|said| ScriptId::from(said.value.as_str()));
        let mut seen: BTreeSet<&ScriptId> = BTreeSet::new();
        let mut open: Vec<Option<&ScriptId>> = vec![first.as_ref()];
        while let Some(id) = open.pop() {
            let Some(script) = id.and_then(|id| self.0.get(id)) else {
                queues.insert(own.to_owned()); // On, as if the line had no flow.
                continue;
            };
            if !seen.insert(&script.id) {
                continue;
            }
            let acts = script.reached();
            for way in acts.iter().flat_map(|act| ways_of(act, &number)) {
                match way.to {
                    Leads::Script(to) => open.push(Some(to)),
                    Leads::Person => open.push(None),
                    Leads::Queue(queue) => drop(queues.insert(queue.to_string())),
                    Leads::On | Leads::Talk | Leads::End => {}
                }
            }
            if acts.last().is_none_or(Act::goes_on) {
                open.push(None); // Behind the last act there is a person.
            }
        }
        queues
    }
}

/// The ways of an act that callers of a line can take.
fn ways_of<'a>(act: &'a Act, number: &LineId) -> Vec<ScriptWay<'a>> {
    let mut ways = act.ways();
    if let Act::Branch(branch) = act {
        let other =
            |condition: &Condition| matches!(condition, Condition::Line(lines) if !lines.contains(number));
        ways.retain(|way| match way.when {
            When::Case(place) => branch.cases.get(place).is_none_or(|case| !case.when.iter().any(other)),
            _ => true,
        });
    }
    ways
}

/// Who serves which queue; what was asked before is known.
struct Clerks<'t> {
    table: &'t RoutingTable,
    by_queue: BTreeMap<&'t str, Vec<Vec<Known>>>,
    asked: BTreeMap<(String, Vec<Known>), Option<bool>>,
}

impl<'t> Clerks<'t> {
    fn of(table: &'t RoutingTable) -> Self {
        let mut by_queue: BTreeMap<&str, Vec<Vec<Known>>> = BTreeMap::new();
        for seat in &table.seats {
            let mut queues: Vec<&str> =
                seat.queues.iter().flat_map(|said| &said.value).map(|own| own.value.as_str()).collect();
            queues.sort_unstable();
            queues.dedup();
            for queue in queues.into_iter().filter(|queue| serves(seat, queue)) {
                by_queue.entry(queue).or_default().push(known(seat).collect());
            }
        }
        Clerks { table, by_queue, asked: BTreeMap::new() }
    }

    /// Whether no clerk of a queue knows all that, and if so, whether one does once less is asked. A queue that nobody
    /// serves at all has an error of its own.
    fn lack(&mut self, queue: &str, wanted: &[Known]) -> Option<bool> {
        let asked = (queue.to_owned(), wanted.to_vec());
        if let Some(known) = self.asked.get(&asked) {
            return *known;
        }
        let clerks = self.by_queue.get(queue)?;
        let able = |levels| clerks.iter().any(|known| knows(known, wanted, levels));
        let own =
            self.table.queues.iter().find(|own| own.name.as_ref().is_some_and(|name| name.value == queue));
        let lack = (!able(0)).then(|| able(own.map_or(0, widest)));
        self.asked.insert(asked, lack);
        lack
    }
}

/// By how many levels less is asked for in the end.
fn widest(queue: &QueueTable) -> u8 {
    queue.rules.widen.iter().filter_map(|step| step.levels.as_ref()).map(|said| said.value).max().unwrap_or(0)
}

/// Whether a clerk knows all that is wanted, each by so many levels less.
fn knows(known: &[Known], wanted: &[Known], levels: u8) -> bool {
    wanted.iter().all(|wanted| {
        let less = Known { level: wanted.level.saturating_sub(levels), ..wanted.clone() };
        less.level == 0 || known.iter().any(|own| own.satisfies(&less))
    })
}

/// What a clerk knows, languages among it.
pub fn known(seat: &SeatTable) -> impl Iterator<Item = Known> {
    let languages = seat.languages.iter().flat_map(|said| &said.value);
    let languages = languages.map(|name| Known::some(format!("{LANGUAGE}{}", name.value).as_str()));
    seat.skills.iter().flat_map(|said| &said.value).map(|said| said.value.clone()).chain(languages)
}

fn names(wanted: &[Known]) -> String {
    let name = |known: &Known| match known.level {
        1 => known.skill.to_string(),
        level => format!("{} ({level})", known.skill),
    };
    wanted.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn absent(said: &Wanted, found: &Found<'_>, problems: &mut Problems) {
    let Found { line, queue, .. } = found;
    let wanted = names(&found.wanted);
    problems
        .error(
            "E0403",
            &said.spot,
            format!("拨打 {line} 的来电要技能 {wanted}，队列 \"{queue}\" 里没有座席同时具备"),
            format!("callers of {line} need {wanted}, and no seat of the queue \"{queue}\" has all of it"),
        )
        .effect("这些来电的市民会一直等到溢出", "its callers would wait until they overflow")
        .remedy(
            "把技能加给该队列的座席，或放宽要求",
            "give the skills to a seat of the queue, or ask for less",
        );
}

fn low(said: &Wanted, found: &Found<'_>, problems: &mut Problems) {
    let Found { line, queue, .. } = found;
    let wanted = names(&found.wanted);
    problems
        .warning(
            "W0113",
            &said.spot,
            format!("拨打 {line} 的来电要 {wanted}，队列 \"{queue}\" 里没有座席达到这个水平，放宽之后才有人接"),
            format!("callers of {line} need {wanted}, and no seat of the queue \"{queue}\" knows it so well: somebody answers only once less is asked for"),
        )
        .effect(
            "这些来电的市民每次都要白等到放宽",
            "its callers would wait for the widening, every one of them",
        )
        .remedy(
            "降低所要求的 level，或给座席更高的 level",
            "ask for a lower level, or give a seat a higher one",
        );
}
