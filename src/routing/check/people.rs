//! Human first: behind every queue that callers wait in there is somebody who can answer.

use super::super::source::Problems;
use super::super::tables::{RoutingTable, SeatTable};
use super::references;

/// A live queue without a seat is a path without a person.
pub fn queues_are_served(table: &RoutingTable, problems: &mut Problems) {
    if !table.is_live() {
        return;
    }
    for name in table.queues.iter().filter_map(|queue| queue.name.as_ref()) {
        let waited = references::used_queues(table).any(|said| said.value == name.value);
        if !waited || table.seats.iter().any(|seat| serves(seat, &name.value)) {
            continue;
        }
        problems
            .error(
                "E0401",
                &name.spot,
                format!("没有座席服务队列 \"{}\"", name.value),
                format!("no seat serves the queue \"{}\"", name.value),
            )
            .effect("排在这里的来电人永远等不到人", "callers who wait in it would never reach a person")
            .remedy(
                format!("在至少一个 [[seat]] 的 queues 里写上 \"{}\"", name.value),
                format!("put \"{}\" into the queues of at least one [[seat]]", name.value),
            );
    }
}

/// A seat without a queue waits for nobody.
pub fn seats_serve(table: &RoutingTable, problems: &mut Problems) {
    for seat in &table.seats {
        let Some(queues) = seat.queues.as_ref().filter(|said| said.value.is_empty()) else {
            continue;
        };
        problems
            .error("E0402", &queues.spot, "座席没有队列", "a seat without a queue")
            .effect("这位工作人员登录后永远接不到来电", "its clerk would sign in and never be called")
            .remedy("加上 queues = [\"…\"]", "add queues = [\"…\"]");
    }
}

/// A skill that a line asks for is there in its queue.
pub fn skills_are_present(table: &RoutingTable, problems: &mut Problems) {
    for line in &table.numbers {
        let (Some(queue), Some(skills)) = (&line.queue, &line.skills) else {
            continue;
        };
        let able = table.seats.iter().any(|seat| {
            serves(seat, &queue.value) && skills.value.iter().all(|skill| has(seat, &skill.value))
        });
        let served = table.seats.iter().any(|seat| serves(seat, &queue.value));
        if able || !served {
            continue; // A queue that nobody serves at all has its own error.
        }
        let wanted: Vec<&str> = skills.value.iter().map(|said| said.value.as_str()).collect();
        let wanted = wanted.join(", ");
        problems
            .error(
                "E0403",
                &skills.spot,
                format!("队列 \"{}\" 里没有座席同时具备技能 {wanted}", queue.value),
                format!("no seat of the queue \"{}\" has the skills {wanted}", queue.value),
            )
            .effect("拨打该号码的市民会一直等到溢出", "its callers would wait until they overflow")
            .remedy(
                "把技能加给该队列的座席，或放宽要求",
                "give the skills to a seat of the queue, or ask for less",
            );
    }
}

fn serves(seat: &SeatTable, queue: &str) -> bool {
    seat.queues.iter().flat_map(|said| &said.value).any(|said| said.value == queue)
}

fn has(seat: &SeatTable, skill: &str) -> bool {
    seat.skills.iter().flat_map(|said| &said.value).any(|said| said.value == skill)
}
