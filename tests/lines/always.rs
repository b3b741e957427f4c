//! 7×24: no hour in which a line has nobody behind it.

use hotline::routing::plan::{Flow, Plan, Step};
use jiff::ToSpan;

use super::city::{at, edited, plan};
use super::list::LIST;

/// Whether the caller is answered, reaches a queue that clerks serve, and leaves a ticket where it
/// overflows; nothing on the way has no end, and nobody is sent away.
fn person_or_ticket(plan: &Plan, flow: &Flow) -> Result<(), String> {
    let queue = flow.steps.iter().position(|step| matches!(step, Step::Queue(_)));
    let queue = queue.ok_or("no queue")?;
    for step in &flow.steps[..queue] {
        match step {
            Step::Ring | Step::Answer | Step::Play(_) | Step::PlayEarly(_) => {}
            Step::Dial { peer, ticket_on_failure: true, .. } if !peer.ring.is_zero() => {}
            other => return Err(format!("{other:?} before the queue")),
        }
    }
    if !flow.steps[..queue].contains(&Step::Answer) {
        return Err("not answered before the queue".to_owned());
    }
    let Step::Queue(name) = &flow.steps[queue] else { unreachable!("it was found as a queue") };
    if !plan.seats.values().any(|seat| seat.queues.contains(name)) {
        return Err(format!("nobody serves {name}"));
    }
    match flow.steps.last() {
        Some(Step::Ticket { .. }) => Ok(()),
        other => Err(format!("ends with {other:?}")),
    }
}

#[test]
fn in_every_hour_of_a_leap_year_every_line_leads_to_a_person_or_a_ticket() {
    // The transition is moved into the year, so that hours before, inside and after it are all there.
    let plan = edited(&[("start = 2021-08-01", "start = 2024-08-01")]);
    let (mut hours, mut at, end) = (0, at("2024-01-01T00:00:00+08:00"), at("2025-01-01T00:00:00+08:00"));
    while at < end {
        for line in plan.lines.values() {
            let flow = plan.flow(line, at);
            person_or_ticket(&plan, &flow).unwrap_or_else(|fault| panic!("{} at {at}: {fault}", line.number));
        }
        at += 1.hour();
        hours += 1;
    }
    assert_eq!(hours, 8_784);
    assert_eq!(plan.lines.len(), LIST.len() + 1);
}

#[test]
fn what_is_not_7_by_24_would_be_seen() {
    let strict = edited(&[("afterwards = \"connect\"", "afterwards = \"release\"")]);
    let retired = strict.flow(&strict.lines["12336"], at("2024-01-01T00:00:00+08:00"));
    assert_eq!(person_or_ticket(&strict, &retired), Err("no queue".to_owned()));
    let mut deserted = plan().clone();
    deserted.seats.clear();
    let flow = deserted.flow(&deserted.lines["12345"], at("2024-01-01T00:00:00+08:00"));
    assert_eq!(person_or_ticket(&deserted, &flow), Err("nobody serves main".to_owned()));
}
