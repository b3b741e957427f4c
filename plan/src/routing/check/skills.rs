//! What a caller's clerk must know, and whether anybody knows it.

use super::super::people_values::LANGUAGE;
use super::super::queueing::Known;
use super::super::source::{Problems, Said};
use super::super::tables::{QueueTable, RoutingTable, SeatTable};
use super::people::serves;

type Wanted = Said<Vec<Said<Known>>>;

/// A skill that a line asks for is there in its queue.
pub fn of_lines(table: &RoutingTable, problems: &mut Problems) {
    for line in &table.numbers {
        let (Some(queue), Some(skills)) = (&line.queue, &line.skills) else { continue };
        in_queue(table, &queue.value, skills, problems);
    }
}

/// What lanes and policies ask for is known to somebody, whichever queue the caller comes to.
pub fn of_callers(table: &RoutingTable, problems: &mut Problems) {
    let lanes = table.lanes.iter().filter_map(|lane| lane.skills.as_ref());
    let policies = table.policies.iter().filter_map(|policy| policy.skills.as_ref());
    for skills in lanes.chain(policies) {
        let able = |levels| table.seats.iter().any(|seat| knows(seat, skills, levels));
        if able(0) {
            continue;
        }
        let most = table.queues.iter().map(widest).max().unwrap_or(0);
        if able(most) {
            low(skills, problems);
        } else {
            absent(skills, ("座席", "seat"), problems);
        }
    }
}

fn in_queue(table: &RoutingTable, queue: &str, skills: &Wanted, problems: &mut Problems) {
    let own = table.queues.iter().find(|own| own.name.as_ref().is_some_and(|name| name.value == queue));
    let seats: Vec<&SeatTable> = table.seats.iter().filter(|seat| serves(seat, queue)).collect();
    let able = |levels| seats.iter().any(|seat| knows(seat, skills, levels));
    if seats.is_empty() || able(0) {
        return; // A queue that nobody serves at all has its own error.
    }
    if able(own.map_or(0, widest)) {
        low(skills, problems);
    } else {
        absent(
            skills,
            (&format!("队列 \"{queue}\" 里的座席"), &format!("seat of the queue \"{queue}\"")),
            problems,
        );
    }
}

/// By how many levels less is asked for in the end.
fn widest(queue: &QueueTable) -> u8 {
    queue.rules.widen.iter().filter_map(|step| step.levels.as_ref()).map(|said| said.value).max().unwrap_or(0)
}

/// Whether a clerk knows all that is wanted, each by so many levels less.
fn knows(seat: &SeatTable, wanted: &Wanted, levels: u8) -> bool {
    wanted.value.iter().all(|wanted| {
        let less = Known { level: wanted.value.level.saturating_sub(levels), ..wanted.value.clone() };
        less.level == 0 || known(seat).any(|own| own.satisfies(&less))
    })
}

/// What a clerk knows, languages among it.
pub fn known(seat: &SeatTable) -> impl Iterator<Item = Known> {
    let languages = seat.languages.iter().flat_map(|said| &said.value);
    let languages = languages.map(|name| Known::some(format!("{LANGUAGE}{}", name.value).as_str()));
    seat.skills.iter().flat_map(|said| &said.value).map(|said| said.value.clone()).chain(languages)
}

fn names(wanted: &Wanted) -> String {
    let name = |said: &Said<Known>| match said.value.level {
        1 => said.value.skill.to_string(),
        level => format!("{} ({level})", said.value.skill),
    };
    wanted.value.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn absent(skills: &Wanted, (zh, en): (&str, &str), problems: &mut Problems) {
    let wanted = names(skills);
    problems
        .error(
            "E0403",
            &skills.spot,
            format!("没有{zh}同时具备技能 {wanted}"),
            format!("no {en} has the skills {wanted}"),
        )
        .effect("这些来电的市民会一直等到溢出", "its callers would wait until they overflow")
        .remedy(
            "把技能加给该队列的座席，或放宽要求",
            "give the skills to a seat of the queue, or ask for less",
        );
}

fn low(skills: &Wanted, problems: &mut Problems) {
    let wanted = names(skills);
    problems
        .warning(
            "W0113",
            &skills.spot,
            format!("没有座席达到 {wanted} 的水平，放宽之后才有人接"),
            format!("no seat knows {wanted} so well: somebody answers only once less is asked for"),
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
