//! Human first: behind every queue that callers wait in there is somebody who can answer.

use std::collections::BTreeMap;

use super::super::diagnostic::Spot;
use super::super::people::Role;
use super::super::people_values::role_word;
use super::super::source::{Problems, Said};
use super::super::tables::{NumberTable, RoutingTable, SeatTable};
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
                format!("在至少一个 [[seat]] 的 queues 里写上 \"{}\"；班长席只在高峰时接来电", name.value),
                format!(
                    "put \"{}\" into the queues of at least one [[seat]]; supervisors take callers in a surge only",
                    name.value
                ),
            );
    }
}

/// A seat without a queue waits for nobody, unless its clerk is there for something else.
pub fn seats_serve(table: &RoutingTable, problems: &mut Problems) {
    for seat in &table.seats {
        let (Some(queues), Some(role)) = (&seat.queues, &seat.role) else { continue };
        let otherwise = match role.value {
            Role::Clerk | Role::Leader => false,
            Role::Expert => is_in_a_group(seat, table),
            Role::Observer | Role::Trainee | Role::Supervisor | Role::Admin => true,
        };
        if matches!(role.value, Role::Observer | Role::Trainee) && !queues.value.is_empty() {
            listens_only(&queues.spot, role_word(role.value), problems);
        }
        if role.value == Role::Admin {
            no_telephone(role, problems);
        }
        if otherwise || !queues.value.is_empty() {
            continue;
        }
        problems
            .error("E0402", &queues.spot, "座席没有队列", "a seat without a queue")
            .effect("这位工作人员登录后永远接不到来电", "its clerk would sign in and never be called")
            .remedy("加上 queues = [\"…\"]", "add queues = [\"…\"]");
    }
}

fn is_in_a_group(seat: &SeatTable, table: &RoutingTable) -> bool {
    let own = seat.id.as_ref().map(|said| &said.value);
    let mut members = table.experts.iter().flat_map(|group| &group.seats).flat_map(|said| &said.value);
    own.is_some() && members.any(|said| Some(&said.value) == own)
}

/// Whoever listens takes no callers.
pub fn listens_only(spot: &Spot, role: &str, problems: &mut Problems) {
    problems
        .error(
            "E0408",
            spot,
            format!("role = \"{role}\" 只听不接，不能安排来电"),
            format!("role = \"{role}\" only listens and takes no callers"),
        )
        .effect(
            "来电人会被接到一位不该独自接听的人",
            "callers would be put through to somebody who must not answer alone",
        )
        .remedy("删去 queues，或换一个 role", "remove its queues, or choose another role");
}

fn no_telephone(role: &Said<Role>, problems: &mut Problems) {
    problems
        .error("E0409", &role.spot, "座席不能是 admin", "a seat cannot be admin")
        .effect(
            "管理员只用接口，话机的口令会变成管理员的口令",
            "admins work by API only: the telephone's password would become an admin's",
        )
        .remedy(
            "写 role = \"supervisor\"；管理员写成 [[api_token]]",
            "write role = \"supervisor\"; admins are written as [[api_token]]",
        );
}

/// Whether experts of the line's queue can be told from others: by a group, or by a skill.
pub fn experts_are_told_apart(table: &RoutingTable, line: &NumberTable) -> bool {
    let Some(queue) = &line.queue else { return true };
    let mut seats = table.seats.iter().filter(|seat| serves(seat, &queue.value)).peekable();
    seats.peek().is_none() // A queue that nobody serves at all has its own error.
        || super::experts::has_group(table, line)
        || seats.any(|seat| seat.skills.as_ref().is_none_or(|skills| !skills.value.is_empty()))
}

/// Expert seats can be told from others by a group or a skill.
pub fn experts_are_known(table: &RoutingTable, problems: &mut Problems) {
    for line in &table.numbers {
        let (Some(queue), Some(said)) = (&line.queue, &line.expert_seats) else { continue };
        if !said.value || line.is_elsewhere() || experts_are_told_apart(table, line) {
            continue;
        }
        problems
            .error(
                "E0405",
                &said.spot,
                format!("清单要求设专家座席，队列 \"{}\" 的座席却都没有技能，也没有专家组", queue.value),
                format!(
                    "expert seats are asked for, but no seat of the queue \"{}\" has a skill, nor is there a group",
                    queue.value
                ),
            )
            .effect(
                "专业问题没有专家可接，只能由普通座席应付",
                "nobody could tell an expert from the others, and experts would not be there for their line",
            )
            .remedy(
                "写上 [[expert_group]]，或给专家座席写上技能，如 skills = [\"general\", \"law\"]",
                "add an [[expert_group]], or give the experts' seats a skill, like skills = [\"general\", \"law\"]",
            );
    }
}

/// 工号 is read out digit by digit, so it is digits.
pub fn seat_numbers(table: &RoutingTable, problems: &mut Problems) {
    for id in table.seats.iter().filter_map(|seat| seat.id.as_ref()) {
        if id.bytes().all(|byte| byte.is_ascii_digit()) && id.len() <= SEAT_DIGITS_MAX {
            continue;
        }
        problems
            .error(
                "E0407",
                &id.spot,
                format!("工号 \"{}\" 不是数字", id.value),
                format!("\"{}\" is no number of a clerk", id.value),
            )
            .effect(
                "“工号…为您服务”念不出来，来电人不知道是谁接的",
                "it could not be read out, and callers would not know who answered",
            )
            .remedy("写一到八位数字，如 \"1001\"", "one to eight digits, like \"1001\"");
    }
}

/// Whoever dials, or is asked for, by a number is one: a seat has no line's and no emergency number.
pub fn seats_are_alone(table: &RoutingTable, problems: &mut Problems) {
    let lines = table.numbers.iter().map(|line| &line.number);
    let peers = table.emergencies.iter().map(|peer| &peer.number);
    let numbers: BTreeMap<&str, &Spot> =
        lines.chain(peers).flatten().map(|said| (said.value.as_str(), &said.spot)).collect();
    for id in table.seats.iter().filter_map(|seat| seat.id.as_ref()) {
        let Some(other) = numbers.get(id.value.as_str()) else { continue };
        problems
            .error(
                "E0425",
                &id.spot,
                format!("工号 {} 也是一个号码", id.value),
                format!("the seat {} has the number of something else", id.value),
            )
            .effect(
                "拨这个号码的人可能接到座席，找座席的人可能接到别处",
                "whoever dials it could get the seat, and whoever wants the seat somebody else",
            )
            .remedy("给座席另编工号", "give the seat another number")
            .related(other, "已用在这里", "used here");
    }
}

/// Longer numbers nobody remembers, nor hears to the end.
const SEAT_DIGITS_MAX: usize = 8;

/// A live house that does not record says why, and who decided so.
pub fn recording_is_excused(table: &RoutingTable, problems: &mut Problems) {
    let off = table.recording.as_ref().filter(|said| !said.value);
    let Some(off) = off.filter(|_| table.is_live() && table.recording_exception.is_none()) else { return };
    problems
        .error("E0406", &off.spot, "不录音，却没有写明理由", "calls are not recorded, and no reason is given")
        .effect(
            "投诉和质检时没有录音可查，也没有人对此负责",
            "complaints and quality checks would find no recording, and nobody answers for it",
        )
        .remedy(
            "写明理由和决定人，如 exception = \"设备检修至9月1日，张主任批准\"；否则写 enabled = true",
            "say why and who decided, like exception = \"repairs until 1 September, approved by Zhang\", or write enabled = true",
        );
}

/// How recordings are kept is said where there are any.
pub fn recordings_are_made(table: &RoutingTable, problems: &mut Problems) {
    if table.recording.as_ref().is_none_or(|said| said.value) {
        return;
    }
    let tracks = table.recording_tracks.as_ref().filter(|said| said.value).map(|said| &said.spot);
    let format = table.recording_format.as_ref().map(|said| &said.spot);
    for spot in tracks.into_iter().chain(format) {
        super::misplaced(spot, "enabled = false", problems);
    }
}

/// Whether a seat serves a queue, and not only in a surge. (Those who may not take callers at all have an error of
/// their own.)
pub fn serves(seat: &SeatTable, queue: &str) -> bool {
    let in_surges = seat.role.as_ref().is_some_and(|role| role.value == Role::Supervisor);
    !in_surges && seat.queues.iter().flat_map(|said| &said.value).any(|said| said.value == queue)
}
