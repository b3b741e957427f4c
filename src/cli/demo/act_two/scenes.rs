//! Which scenes the plan has people for, and each as a list of steps: who does what, and who then hears
//! whom. How they are played is for `stage`.

use crate::id::{LineId, SeatId};
use crate::routing::Plan;
use crate::routing::plan::{Line, LineMode};
use crate::routing::reach::Reached;
use crate::switchboard::fact::{Object, ObjectKind};
use crate::telemetry::transfers::Step as Taken;
use crate::time::Timestamp;

/// What a sub-center says that is engaged.
pub const BUSY: u16 = 486;

/// Who is on a scene's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Who called.
    Citizen,
    /// Who answered first.
    Clerk,
    /// Whom the clerk asked.
    Third,
    /// Who takes the caller whom nobody took.
    Second,
}

/// What is done at the beginning of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The citizen dials the scene's line.
    Dial,
    /// These keys of the step are pressed by.
    Press(Role),
    /// Puts the telephone down.
    HangUp(Role),
    /// Says that it is busy.
    Refuse(Role),
}

/// When a step is through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// Each of these hears those, and nobody else, for a second and a half; and this one's telephone is on the hook.
    Hear {
        /// Who, whom.
        who: Vec<(Role, Vec<Role>)>,
        /// Who has gone.
        gone: Option<Role>,
    },
    /// The third party's telephone rings; nobody answers it.
    Rings,
    /// This one's telephone is on the hook.
    Gone(Role),
    /// Some of a question was heard.
    Asked,
    /// The call is over.
    Over,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happens, in both languages.
    pub name: &'static str,
    /// Digits dialled or pressed.
    pub keys: String,
    /// Done first.
    pub order: Order,
    /// Whose telephone may ring for it.
    pub rings: Option<Role>,
    /// What must come of it.
    pub until: Until,
}

/// One call with a third party.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Its heading, in both languages.
    pub title: String,
    /// What the citizen dials.
    pub line: LineId,
    /// Whom the clerk asks, as the plan calls it.
    pub object: Object,
    /// Who that is.
    pub target: Target,
    /// What happens.
    pub steps: Vec<Step>,
    /// The transfers' steps that the record must have, ringing left out.
    pub transfers: Vec<Vec<Taken>>,
    /// The survey's grade, where it is asked for.
    pub grade: Option<u8>,
    /// And the reason's digit.
    pub reason: Option<u8>,
    /// The clerk has left when nobody takes the caller.
    pub lost: bool,
}

/// Whose telephones ring when the scene's third party is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Behind the trunk of this sub-center's line.
    SubCenter(LineId),
    /// These seats.
    Seats(Vec<SeatId>),
}

/// The scenes that the plan gives at this hour, and one line for each that it does not.
pub fn scenes(plan: &Plan, at: Timestamp) -> (Vec<Scene>, Vec<String>) {
    let centers = sub_centers(plan, at);
    let first = centers.first().zip(line(plan, None));
    let second = group(plan, at);
    // Another center than the first scene's, where there is one: both are played at once.
    let third = centers.get(1).or(centers.first()).zip(line(plan, None));
    let mut left_out = Vec::new();
    let mut scenes = Vec::new();
    let mut take = |scene: Option<Scene>, why: &str| match scene {
        Some(scene) => scenes.push(scene),
        None => left_out.push(why.to_owned()),
    };
    let no_center = "本方案此刻没有可请的分中心 / at this hour the plan has no sub-center to be asked";
    take(first.map(|(center, line)| to_sub_center(plan, line, center)), no_center);
    take(
        second.map(|(number, seats)| to_experts(plan, number, seats)),
        "本方案此刻没有可请的专家组，或没有别的座席 / at this hour the plan has no expert group to be asked, or no seat beside it",
    );
    take(third.map(|(center, line)| refused(plan, line, center)), no_center);
    (scenes, left_out)
}

/// Sub-centers that are open and have a telephone of the demo's.
fn sub_centers(plan: &Plan, at: Timestamp) -> Vec<&LineId> {
    let open = |line: &Line| match &line.mode {
        LineMode::SubCenter { peer, .. } => peer.hours.are_open(at, &plan.city.time_zone),
        _ => false,
    };
    let open = plan.lines.values().filter(|line| open(line));
    let mut lines: Vec<&LineId> = open.map(|line| &line.number).collect();
    // As the keys have them; those without a key come last.
    lines.sort_by_key(|line| codes(plan, line.as_str()));
    lines
}

/// The first group whose hours it is, with at least one seat elsewhere that answers callers.
fn group(plan: &Plan, at: Timestamp) -> Option<(&LineId, &[SeatId])> {
    let mut groups: Vec<_> = plan.experts.iter().collect();
    groups.sort_by_key(|(number, _)| codes(plan, number.as_str()));
    let found = groups.into_iter().find(|(_, group)| {
        let answers =
            |seat: &&crate::routing::plan::Seat| !seat.queues.is_empty() && !group.seats.contains(&seat.id);
        group.hours.are_open(at, &plan.city.time_zone)
            && group.seats.iter().any(|seat| plan.seats.contains_key(seat))
            && plan.seats.values().any(|seat| answers(&seat))
    });
    found.map(|(number, group)| (number, group.seats.as_slice()))
}

/// What citizens dial: this number, if it is answered by seats here, else the main one, else any such.
fn line<'a>(plan: &'a Plan, wanted: Option<&LineId>) -> Option<&'a LineId> {
    let here = |mode: &LineMode| matches!(mode, LineMode::Primary { .. } | LineMode::Dual { .. });
    let of = |line: &LineId| plan.lines.get(line).filter(|line| here(&line.mode));
    let main = || plan.lines.values().find(|line| matches!(line.mode, LineMode::Primary { .. }));
    let any = || plan.lines.values().find(|line| here(&line.mode));
    wanted.and_then(of).or_else(main).or_else(any).map(|line| &line.number)
}

/// What a clerk presses to ask a number in: the key that leads to it, or all of it. Keys sort first.
fn codes(plan: &Plan, number: &str) -> (bool, String) {
    let is_it = |to: &Reached| plan.reach(number).as_ref() == Some(to);
    let mut keys = plan.three_way.keys.iter();
    match keys.find(|(_, to)| plan.reach(to).as_ref().is_some_and(is_it)) {
        Some((key, _)) => (false, format!("*{key}")),
        None => (true, format!("**{number}#")),
    }
}

fn to_sub_center(plan: &Plan, line: &LineId, center: &LineId) -> Scene {
    let mut steps = opening(plan, line, center);
    steps.push(step(
        "座席退出 the clerk leaves",
        "##",
        Order::Press(Role::Clerk),
        pair(Role::Citizen, Role::Third, Some(Role::Clerk)),
    ));
    let (grade, reason) = ending(plan, &mut steps, "分中心挂机 the center hangs up", Role::Third, 2);
    Scene {
        title: format!("三方转分中心 three-way to a sub-center: {line} → {center}"),
        line: line.clone(),
        object: Object { kind: ObjectKind::SubCenter, id: center.to_string() },
        target: Target::SubCenter(center.clone()),
        steps,
        transfers: vec![vec![Taken::Requested, Taken::Consulting, Taken::Merged, Taken::Left]],
        grade,
        reason,
        lost: false,
    }
}

fn to_experts(plan: &Plan, number: &LineId, seats: &[SeatId]) -> Scene {
    let line = line(plan, Some(number)).unwrap_or(number);
    let mut steps = opening(plan, line, number);
    steps.push(step(
        "专家退出 the expert leaves",
        "*#",
        Order::Press(Role::Clerk),
        pair(Role::Citizen, Role::Clerk, Some(Role::Third)),
    ));
    let (grade, reason) = ending(plan, &mut steps, "座席挂机 the clerk hangs up", Role::Clerk, 4);
    Scene {
        title: format!("三方请专家 three-way to an expert: {line} → {number}"),
        line: line.clone(),
        object: Object { kind: ObjectKind::ExpertGroup, id: number.to_string() },
        target: Target::Seats(seats.to_vec()),
        steps,
        transfers: vec![vec![Taken::Requested, Taken::Consulting, Taken::Merged, Taken::Returned]],
        grade,
        reason,
        lost: false,
    }
}

fn refused(plan: &Plan, line: &LineId, center: &LineId) -> Scene {
    let (_, keys) = codes(plan, center.as_str());
    let together = || pair(Role::Citizen, Role::Clerk, None);
    let asked = || Step {
        rings: Some(Role::Third),
        ..step("请分中心，振铃 asks a center, it rings", &keys, Order::Press(Role::Clerk), Until::Rings)
    };
    let mut steps = vec![
        dial(line),
        asked(),
        step("占线，回到座席 busy: the clerk again", "486", Order::Refuse(Role::Third), together()),
        asked(),
        step("不等应答就退出 leaves at once", "##", Order::Press(Role::Clerk), Until::Gone(Role::Clerk)),
        Step {
            rings: Some(Role::Second),
            ..step(
                "又占线，排回队首 busy: first in line again",
                "486",
                Order::Refuse(Role::Third),
                pair(Role::Citizen, Role::Second, None),
            )
        },
    ];
    let (grade, reason) = ending(plan, &mut steps, "座席挂机 the clerk hangs up", Role::Second, 1);
    Scene {
        title: format!("转接未成 a transfer that fails: {line} → {center}"),
        line: line.clone(),
        object: Object { kind: ObjectKind::SubCenter, id: center.to_string() },
        target: Target::SubCenter(center.clone()),
        steps,
        transfers: vec![
            vec![Taken::Requested, Taken::Failed],
            vec![Taken::Requested, Taken::Left, Taken::Failed],
        ],
        grade,
        reason,
        lost: true,
    }
}

/// A citizen calls, a clerk answers, asks somebody in, and all three talk.
fn opening(plan: &Plan, line: &LineId, to: &LineId) -> Vec<Step> {
    let (_, keys) = codes(plan, to.as_str());
    let consult = Until::Hear {
        who: vec![
            (Role::Citizen, Vec::new()),
            (Role::Clerk, vec![Role::Third]),
            (Role::Third, vec![Role::Clerk]),
        ],
        gone: None,
    };
    let everybody = Until::Hear {
        who: vec![
            (Role::Citizen, vec![Role::Clerk, Role::Third]),
            (Role::Clerk, vec![Role::Citizen, Role::Third]),
            (Role::Third, vec![Role::Citizen, Role::Clerk]),
        ],
        gone: None,
    };
    let asked = step("请第三方，先商量 asks in, and consults", &keys, Order::Press(Role::Clerk), consult);
    vec![
        dial(line),
        Step { rings: Some(Role::Third), ..asked },
        step("三方通话 all three talk", "*0", Order::Press(Role::Clerk), everybody),
    ]
}

/// Who is left hangs up; the grade, and the reason where the plan asks for one.
fn ending(
    plan: &Plan,
    steps: &mut Vec<Step>,
    name: &'static str,
    leaves: Role,
    grade: u8,
) -> (Option<u8>, Option<u8>) {
    if !plan.survey.enabled {
        steps.push(step(name, "", Order::HangUp(leaves), Until::Over));
        return (None, None);
    }
    steps.push(step(name, "", Order::HangUp(leaves), Until::Asked));
    let press = |name, keys: u8, until| step(name, &keys.to_string(), Order::Press(Role::Citizen), until);
    let reason = Some(3).filter(|_| plan.survey.reason && grade >= 4);
    match reason {
        None => steps.push(press("好差评 the grade", grade, Until::Over)),
        Some(reason) => {
            steps.push(press("好差评 the grade", grade, Until::Asked));
            steps.push(press("原因 the reason", reason, Until::Over));
        }
    }
    (Some(grade), reason)
}

fn dial(line: &LineId) -> Step {
    Step {
        rings: Some(Role::Clerk),
        ..step(
            "来电，座席接听 a call, a clerk answers",
            line.as_str(),
            Order::Dial,
            pair(Role::Citizen, Role::Clerk, None),
        )
    }
}

fn pair(one: Role, other: Role, gone: Option<Role>) -> Until {
    Until::Hear { who: vec![(one, vec![other]), (other, vec![one])], gone }
}

fn step(name: &'static str, keys: &str, order: Order, until: Until) -> Step {
    Step { name, keys: keys.to_owned(), order, rings: None, until }
}

#[cfg(test)]
#[path = "scenes_test.rs"]
mod tests;
