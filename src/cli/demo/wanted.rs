//! Which prompts belong to which number, by the notice: the transition on retired numbers only, the
//! greeting before the queue, the clerk's number at the answer.

use super::hear::Wanted;
use crate::id::{LineId, PromptId, SeatId};
use crate::routing::Plan;
use crate::routing::plan::{LineMode, SeatGreeting};
use crate::routing::speech;

fn sound<'a>(plan: &Plan, ids: impl IntoIterator<Item = &'a PromptId>) -> Vec<i16> {
    let prompts = ids.into_iter().filter_map(|id| plan.prompts.get(id));
    prompts.flat_map(|prompt| prompt.samples.iter().copied()).collect()
}

/// What the caller of a number must hear. A sub-center says itself what it has to say.
pub fn caller(plan: &Plan, line: &LineId, seat: Option<&SeatId>, sub_center: bool) -> Vec<Wanted> {
    let Some(line) = plan.lines.get(line).filter(|_| !sub_center) else { return Vec::new() };
    let mut wanted = Vec::new();
    if let LineMode::Merged { .. } = line.mode {
        let transition = &plan.transition_of(line).prompt;
        wanted.push(Wanted { name: "过渡", sound: sound(plan, [transition]), at_once: true });
    }
    if let LineMode::Primary { queue } | LineMode::Merged { queue } | LineMode::Dual { queue } = &line.mode
        && let Some(queue) = plan.queues.get(queue)
    {
        wanted.push(Wanted { name: "问候", sound: sound(plan, [&queue.greeting]), at_once: true });
    }
    wanted.extend(clerk(plan, seat));
    wanted
}

/// What the clerk must hear: 工号 … 为您服务, with one's own number.
pub fn clerk(plan: &Plan, seat: Option<&SeatId>) -> Vec<Wanted> {
    match (seat, plan.seat_greeting) {
        (Some(seat), SeatGreeting::Both) => {
            let words = speech::seat_greeting(seat);
            vec![Wanted { name: "工号", sound: sound(plan, &words), at_once: false }]
        }
        _ => Vec::new(),
    }
}

/// The transition, where it must not be heard.
pub fn forbidden(plan: &Plan, line: &LineId) -> Option<Vec<i16>> {
    let line = plan.lines.get(line)?;
    match line.mode {
        LineMode::Merged { .. } => None,
        _ => Some(sound(plan, [&plan.transition.prompt])),
    }
}
