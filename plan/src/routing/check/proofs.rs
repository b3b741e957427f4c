//! What the plan proves to be, told where the file says it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::diagnostic::{Spot, Text};
use super::super::plan::{Line, Plan};
use super::super::proof::hours::LeapYears;
use super::super::proof::outcome::Why;
use super::super::proof::staffing::Need;
use super::super::proof::worst::Worst;
use super::super::proof::year::Year;
use super::super::source::Problems;
use super::super::tables::RoutingTable;
use crate::id::{LineId, QueueId, ScriptId};
use crate::time::Timestamp;

/// Where the parts of a plan are written that proofs are about.
struct Places {
    file: Spot,
    lines: BTreeMap<LineId, Spot>,
    /// What their staffing says.
    staffing: BTreeMap<QueueId, Spot>,
    queues: BTreeMap<QueueId, Spot>,
    call_max: Option<Spot>,
    scripts: BTreeMap<ScriptId, Spot>,
    time_max: Option<Spot>,
    presses_max: Option<Spot>,
}

impl Places {
    fn of(table: &RoutingTable) -> Self {
        let numbers = table.numbers.iter().filter_map(|line| line.number.as_ref());
        let flows = table.flows.iter().filter_map(|flow| flow.name.as_ref());
        let queues = table.queues.iter().filter_map(|queue| queue.name.as_ref());
        let staffed = table.queues.iter().filter_map(|queue| {
            let staffing = queue.rules.staffing.as_ref()?;
            Some((QueueId::from(queue.name.as_ref()?.value.as_str()), staffing.spot.clone()))
        });
        // Where it is not said, the bound stands nowhere.
        let first = table.human_first.as_ref();
        Places {
            file: table.spot.clone(),
            lines: numbers.map(|said| (LineId::from(said.value.as_str()), said.spot.clone())).collect(),
            staffing: staffed.collect(),
            queues: queues.map(|said| (QueueId::from(said.value.as_str()), said.spot.clone())).collect(),
            call_max: table.limits.as_ref().and_then(|own| Some(own.call_max.as_ref()?.spot.clone())),
            scripts: flows.map(|said| (ScriptId::from(said.value.as_str()), said.spot.clone())).collect(),
            time_max: first.and_then(|own| Some(own.time_max.as_ref()?.spot.clone())),
            presses_max: first.and_then(|own| Some(own.presses_max.as_ref()?.spot.clone())),
        }
    }

    fn line(&self, line: &Line) -> &Spot {
        self.lines.get(&line.number).unwrap_or(&self.file)
    }

    fn script(&self, script: &ScriptId) -> Spot {
        let unplaced = || Spot { key: format!("flow {script}"), ..self.file.clone() };
        self.scripts.get(script).cloned().unwrap_or_else(unplaced)
    }
}

/// Proves a plan that no rule has found fault with. Errors are noted like those of the rules.
pub fn prove(plan: &Plan, table: &RoutingTable, problems: &mut Problems) {
    let places = Places::of(table);
    for circle in plan.circles() {
        goes_round(&circle, &places, problems);
    }
    if table.is_live() {
        lines(plan, &places, problems);
    }
    let needs = plan.staffing();
    let short = |need: &&Need| !need.is_met();
    for need in needs.iter().filter(short) {
        // Where one of them has too few by itself, that is told of there.
        let told = |own: &Need| own.queues.len() == 1 && need.queues.contains(&own.queue) && !own.is_met();
        if need.queues.len() == 1 || !needs.iter().any(told) {
            understaffed(plan, need, &places, problems);
        }
    }
}

fn goes_round(circle: &[ScriptId], places: &Places, problems: &mut Problems) {
    let Some(first) = circle.first() else { return };
    let names: Vec<&str> = circle.iter().chain([first]).map(|id| id.as_str()).collect();
    let way = names.join(" → ");
    problems
        .error(
            "E1103",
            &places.script(first),
            format!("流程兜圈子：{way}"),
            format!("flows lead round in a circle: {way}"),
        )
        .effect(
            "来电人反复听同样的话，要等引擎数到头才有人接",
            "callers would hear the same again and again, until the engine has had enough and gets a person",
        )
        .remedy(
            "让其中一步转人工（删去它的去处）或结束；要重听一遍，用菜单的 tries",
            "let one of them end or lead to a person, by removing where it goes; to say something again, use the menu's tries",
        );
}

/// What is proved of every line that callers wait on; and of all of them together, once.
fn lines(plan: &Plan, places: &Places, problems: &mut Problems) {
    let mut years = LeapYears::default();
    let mut longest: Option<(Duration, &Line)> = None;
    let mut off_shift: BTreeMap<QueueId, (Duration, Timestamp)> = BTreeMap::new();
    for line in plan.lines.values().filter(|line| line.mode.queue().is_some()) {
        let (year, worst) = (plan.year_of(line, &mut years), plan.worst_of(line, &mut years));
        always_there(plan, line, &year, places, problems);
        if let Some(worst) = &worst {
            soon(plan, line, worst, places, problems);
        }
        if year.is_whole() && worst.is_none_or(|worst| worst.silent.is_none()) {
            never_with_a_person(line, places, problems);
        }
        if let Some(served) = worst.and_then(|worst| worst.served)
            && longest.is_none_or(|(longest, _)| longest < served)
        {
            longest = Some((served, line));
        }
        for (queue, found) in year.off_shift {
            let known = off_shift.entry(queue).or_insert(found);
            *known = (known.0.max(found.0), known.1.min(found.1));
        }
    }
    if let Some((served, line)) = longest.filter(|(served, _)| *served > plan.limits.call_max) {
        cut_off(plan, line, served, places, problems);
    }
    for (queue, (total, first)) in &off_shift {
        nobody_on_shift(plan, queue, *total, *first, places, problems);
    }
}

/// 12345 and every number that leads there or to a sub-center: a person or a ticket at each instant of a leap year.
fn always_there(plan: &Plan, line: &Line, year: &Year, places: &Places, problems: &mut Problems) {
    let Some((first, why)) = &year.first else { return };
    let flow = match why {
        Why::HungUp(script) => places.scripts.get(script),
        Why::Refused(_) | Why::Ends => None,
    };
    let (why, number) = (why.words(), &line.number);
    let noted = if year.is_empty() {
        problems
            .error(
                "E1102",
                places.line(line),
                format!("拨打 {number} 有一条路通不到人：{}", why.zh),
                format!("a way of callers of {number} leads to no person: {}", why.en),
            )
            .effect(
                "走到这一步的市民找不到人，也没有工单，诉求就此丢失",
                "citizens who come that way find nobody, and leave no ticket: their matter is lost",
            )
            .remedy(
                "让这一步转人工（queue）或登记工单（order）；不写去处就是转人工",
                "let it lead to a queue, or open a ticket by order; without a place to go it leads to a person",
            )
    } else {
        let (at, lost) = (local(plan, *first), lost_words(year));
        problems
            .error(
                "E1101",
                places.line(line),
                format!("{number} {}既无人也无工单，最早在 {at}：{}", lost.zh, why.zh),
                format!("{number} has neither a person nor a ticket for {}, first at {at}: {}", lost.en, why.en),
            )
            .effect(
                "这些时间来电的市民找不到人；方案要求“7×24小时”服务",
                "citizens who call at those hours find nobody; the notice asks for service at all hours",
            )
            .remedy(
                "时段之外的去处改为转人工或登记工单；日程只能用来安排人，不能用来关掉热线",
                "let what happens outside of the hours lead to a person or a ticket: hours are for people's shifts, and never close a line",
            )
    };
    if let Some(flow) = flow {
        noted.related(flow, "在这个流程里", "in this flow");
    }
}

/// How much of a year is without anybody; of one that is whole but for its holidays, how much of those.
fn lost_words(year: &Year) -> Text {
    if year.nobody.is_zero() {
        let lost = hours(year.nobody_special);
        return Text::new(
            format!("在日历的节假日、调休日等特殊日期里有 {lost} 小时"),
            format!("{lost} hours of the days that calendars hold special"),
        );
    }
    let (whole, lost) = (year.hours(), hours(year.nobody));
    Text::new(format!("全年 {whole} 小时中有 {lost} 小时"), format!("{lost} of the year's {whole} hours"))
}

/// Tickets alone, at every hour of the year, are no hotline: whoever cannot press keys never speaks with anybody.
fn never_with_a_person(line: &Line, places: &Places, problems: &mut Problems) {
    let number = &line.number;
    let noted = problems
        .error(
            "E1110",
            places.line(line),
            format!("拨打 {number}，什么也不按的人任何时候都轮不到人，只有工单"),
            format!("a caller of {number} who presses nothing never comes to a person at any hour, only to a ticket"),
        )
        .effect(
            "老人和不会按键的人永远和人说不上话",
            "the elderly, and whoever cannot press keys, would never speak with anybody",
        )
        .remedy(
            "让流程最后转人工：删去 hang_up，或加一步 queue；只在夜间登记工单，用 branch 的 outside 分开",
            "let the flow end with a person, by removing hang_up or adding a queue; for tickets at night only, set them apart by a branch with outside",
        );
    if let Some(flow) = line.script.as_ref().and_then(|script| places.scripts.get(script)) {
        noted.related(flow, "在这个流程里", "in this flow");
    }
}

/// No call lasts so long that whoever waits the longest is answered.
fn cut_off(plan: &Plan, line: &Line, served: Duration, places: &Places, problems: &mut Problems) {
    let (number, longest, bound) = (&line.number, seconds(served), seconds(plan.limits.call_max));
    problems
        .error(
            "E1111",
            places.call_max.as_ref().unwrap_or(&places.file),
            format!("通话最长 {bound} 秒，而拨打 {number} 的人最久要 {longest} 秒才有人接"),
            format!("calls end after {bound} s, and a caller of {number} may be answered only after {longest} s"),
        )
        .effect(
            "还在等待的来电人会被挂断，既没有人也没有工单",
            "callers who still wait would be hung up on, with neither a person nor a ticket",
        )
        .remedy(
            "把 call_max 放宽到远大于等待加通话的时间（不写为 4h），或缩短队列的 wait_max",
            "make call_max far longer than wait and talk together (4h where it is not said), or the queue's wait_max shorter",
        )
        .related(places.line(line), "等得最久的号码", "the number with the longest wait");
}

fn nobody_on_shift(
    plan: &Plan,
    queue: &QueueId,
    total: Duration,
    first: Timestamp,
    places: &Places,
    problems: &mut Problems,
) {
    let (at, lost) = (local(plan, first), hours(total));
    problems
        .warning(
            "W1110",
            places.queues.get(queue).unwrap_or(&places.file),
            format!("队列 \"{queue}\" 全年有 {lost} 小时没有一个座席在班，最早在 {at}"),
            format!("the queue \"{queue}\" has no seat on shift for {lost} hours of the year, first at {at}"),
        )
        .effect(
            "这些时间来电的市民若无人签入，只能留下工单",
            "citizens who call at those hours leave a ticket only, unless somebody signs in all the same",
        )
        .remedy(
            "用 [[seat]] 的 hours 排满全天的班，或给值夜班的座席删去 hours",
            "let the hours of [[seat]] cover the day, or remove them from the seats that are there at night",
        );
}

/// Within the bounds of `[human_first]`.
fn soon(plan: &Plan, line: &Line, worst: &Worst, places: &Places, problems: &mut Problems) {
    let (first, number) = (&plan.human_first, &line.number);
    if let Some(silent) = worst.silent.filter(|silent| *silent > first.time_max) {
        let (longest, bound) = (seconds(silent), seconds(first.time_max));
        let noted = problems
            .error(
                "E1105",
                places.line(line),
                format!("拨打 {number}，什么也不按的人最久要 {longest} 秒才排上队，超过 {bound} 秒"),
                format!("a caller of {number} who presses nothing waits for a person only after {longest} s, more than {bound} s"),
            )
            .effect(
                "老人和不会按键的人要听完所有提示、等完所有振铃，才轮到排队",
                "the elderly, and whoever cannot press keys, would hear out every prompt and ring before they even queue",
            )
            .remedy(
                "缩短提示音、wait、tries 或对端的 ring，或放宽 [human_first] 的 time_max",
                "make prompts, wait, tries or the far side's ring shorter, or time_max under [human_first] longer",
            );
        if let Some(spot) = &places.time_max {
            noted.related(spot, "上限", "the bound");
        }
    }
    if worst.presses > u32::from(first.presses_max) {
        let (presses, bound) = (worst.presses, first.presses_max);
        let noted = problems
            .error(
                "E1106",
                places.line(line),
                format!("拨打 {number}，有一条路要选择或输入 {presses} 次才轮到人，超过 {bound} 次"),
                format!("a way of callers of {number} takes {presses} choices and entries to a person, more than {bound}"),
            )
            .effect(
                "来电人在菜单里转来转去，多数人会挂断",
                "callers would get lost among menus, and most of them would hang up",
            )
            .remedy(
                "减少一层菜单或输入，或放宽 [human_first] 的 presses_max",
                "take away a menu or an entry, or let presses_max under [human_first] be more",
            );
        if let Some(spot) = &places.presses_max {
            noted.related(spot, "上限", "the bound");
        }
    }
}

fn understaffed(plan: &Plan, need: &Need, places: &Places, problems: &mut Problems) {
    let first = need.queues.first();
    let spot = first.and_then(|queue| places.staffing.get(queue.as_str())).unwrap_or(&places.file);
    let Need { queue, erlangs, there, reached_percent, within_s, percent, .. } = need;
    let (when_zh, when_en) = match need.fewest_at {
        Some(at) => (format!("（{} 最少）", local(plan, at)), format!(" (fewest at {})", local(plan, at))),
        None => (String::new(), String::new()),
    };
    let (zh, en) = match need.needed {
        Some(needed) => (format!("要 {needed} 个座席"), format!("{needed} seats are needed")),
        None => ("再多座席也不够".to_owned(), "no number of seats suffices".to_owned()),
    };
    let (shared_zh, shared_en) = match need.queues.len() {
        1 => ("", ""),
        _ => ("（合用座席）", " (which share seats)"),
    };
    problems
        .warning(
            "W1101",
            spot,
            format!("队列 \"{queue}\"{shared_zh} 话务量 {erlangs:.1} 厄兰，{within_s:.0} 秒内接起 {percent}% {zh}，现有 {there} 个{when_zh}，只能接起 {reached_percent:.1}%"),
            format!("the queue \"{queue}\"{shared_en} has {erlangs:.1} erlangs: {en} to answer {percent} % within {within_s:.0} s, there are {there}{when_en}, which answer {reached_percent:.1} %"),
        )
        .effect(
            "忙时来电人等得比承诺的久，接通率达不到国家标准",
            "in the busy hour callers wait longer than was promised, and the answer rate misses the national standard",
        )
        .remedy(
            "增加服务这个队列的座席，或按实际改正 calls_per_hour、talk 和 target",
            "add seats that serve the queue, or correct calls_per_hour, talk and target",
        );
}

/// On the city's clock.
fn local(plan: &Plan, at: Timestamp) -> String {
    at.to_zoned_datetime(plan.city.time_zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Whole hours, rounded up: a minute without anybody is not none.
fn hours(length: Duration) -> u64 {
    length.as_secs().div_ceil(3_600)
}

/// Rounded up.
pub(super) fn seconds(length: Duration) -> u64 {
    u64::try_from(length.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "proofs_test.rs"]
mod tests;
