//! What a trunk says of its far side, and groups of trunks.

use std::time::Duration;

use super::super::diagnostic::Spot;
use super::super::source::{Problems, Said};
use super::super::tables::trunk::ProbeSaid;
use super::super::tables::{RoutingTable, TrunkTable};
use super::super::values::out_of_range;
use super::ways;

/// Shorter registrations are refused or cut nearly everywhere, and would be refreshed without end.
const REGISTER_MIN: Duration = Duration::from_secs(60);
/// A registration that a carrier lost is made again within the day.
const REGISTER_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Answers in a row that anybody could want.
const IN_A_ROW_MAX: u32 = 100;

/// Accounts, registrations and probes go with a target, registrations with an account.
pub fn far_sides(table: &RoutingTable, problems: &mut Problems) {
    for trunk in &table.trunks {
        targets(trunk, problems);
        figures(trunk, problems);
        emergency_center(trunk, problems);
        let account = trunk.account.as_ref();
        if let Some(register) = trunk.register.as_ref().filter(|_| account.is_none()) {
            problems
                .error(
                    "E0611",
                    &register.spot,
                    "要登录运营商，却没有 account",
                    "the trunk is to register and has no account",
                )
                .effect("登录会被拒绝，来电送不到这里", "it would be refused, and no call would be sent here")
                .remedy(
                    "加上 account = { user = \"…\", password = { file = \"secrets/…\" } }，或删去 register",
                    "add account = { user = \"…\", password = { file = \"secrets/…\" } }, or remove register",
                );
        }
        if trunk.target.is_some() {
            continue;
        }
        let probed = trunk.probe.as_ref().filter(|said| !matches!(said.value, ProbeSaid::Switch(false)));
        let outward = [
            account.map(|said| &said.spot),
            trunk.register.as_ref().map(|said| &said.spot).filter(|_| account.is_some()),
            probed.map(|said| &said.spot),
        ];
        for spot in outward.into_iter().flatten() {
            problems
                .error(
                    "E0612",
                    spot,
                    format!("{} 要有 target 才有意义", spot.key),
                    format!("{} means nothing without a target", spot.key),
                )
                .effect(
                    "引擎不知道向谁登录或探问，写在这里的意图不会生效",
                    "the engine would not know whom to ask, and what it was meant to say would not happen",
                )
                .remedy("加上 target = \"…\"，或删去这一行", "add target = \"…\", or remove the line");
        }
    }
}

/// Somebody brings the calls.
pub fn bring_calls(table: &RoutingTable, problems: &mut Problems) {
    if !table.is_live() || table.trunks.iter().any(ways::brings) {
        return;
    }
    let spot = Spot { key: "trunk".to_owned(), ..table.spot.clone() };
    problems
        .error(
            "E0636",
            &spot,
            "没有一条中继送来电话：都没有 sources 或 certificate",
            "no trunk brings calls: none has sources or certificate",
        )
        .effect(
            "市民拨不进来：陌生地址的呼叫一律拒绝",
            "nobody could call in: calls from strangers are refused",
        )
        .remedy(
            "为运营商加上 [[trunk]]，sources 写它的信令网段",
            "add a [[trunk]] for the carrier, with its signalling nets as sources",
        );
}

fn targets(trunk: &TrunkTable, problems: &mut Problems) {
    let Some(target) = trunk.target.as_ref().filter(|said| said.value.0.is_empty()) else { return };
    problems
        .error("E0608", &target.spot, "target 是空的", "target is empty")
        .effect("转往那里的来电全部失败", "every call that is put through to it would fail")
        .remedy("至少写一个地址，或删去这一行", "give at least one address, or remove the line");
}

/// Calls of an emergency center come in: somebody has to know them by something.
fn emergency_center(trunk: &TrunkTable, problems: &mut Problems) {
    let Some(said) = trunk.emergency_center.as_ref().filter(|said| said.value) else { return };
    let Some(sources) = &trunk.sources else { return }; // Said wrongly, and noted.
    if !sources.value.is_empty() || trunk.certificate.is_some() {
        return;
    }
    problems
        .error(
            "E0629",
            &said.spot,
            "中继标明是指挥中心的，却认不出它的来电：既无 sources 也无 certificate",
            "an emergency center's trunk by which no call comes in: it has neither sources nor certificate",
        )
        .effect(
            "拥塞时指挥中心的来电会和别的来电一样被拒绝",
            "under overload the center's calls would be refused like any others",
        )
        .remedy(
            "加上对端的信令网段 sources = [\"…\"]（或 certificate），或删去这一行",
            "add the peer's signalling nets, sources = [\"…\"] (or certificate), or remove the line",
        );
}

fn figures(trunk: &TrunkTable, problems: &mut Problems) {
    let register = trunk.register.as_ref();
    if let Some(said) = register.filter(|said| !(REGISTER_MIN..=REGISTER_MAX).contains(&said.value)) {
        out_of_range(&said.spot, "\"1min\"–\"24h\"", problems);
    }
    if let Some(said) = trunk.calls_per_second.as_ref().filter(|said| said.value == 0) {
        out_of_range(&said.spot, &format!("1–{}", u32::MAX), problems);
    }
    let Some(ProbeSaid::Table(probe)) = trunk.probe.as_ref().map(|said| &said.value) else { return };
    let often = |every: &Said<Duration>| !(Duration::from_secs(1)..=REGISTER_MAX).contains(&every.value);
    if let Some(said) = probe.every.as_ref().filter(|said| often(said)) {
        out_of_range(&said.spot, "\"1s\"–\"24h\"", problems);
    }
    for said in [&probe.down_after, &probe.up_after].into_iter().flatten() {
        if !(1..=IN_A_ROW_MAX).contains(&said.value) {
            out_of_range(&said.spot, &format!("1–{IN_A_ROW_MAX}"), problems);
        }
    }
}

/// Groups hold trunks, at least one, each once, and no groups: there is no way to go round in circles.
pub fn groups(table: &RoutingTable, problems: &mut Problems) {
    for group in &table.groups {
        let Some(trunks) = &group.trunks else { continue };
        if trunks.value.is_empty() {
            problems
                .error("E0608", &trunks.spot, "中继组是空的", "a group without a trunk")
                .effect("转往那里的来电全部失败", "every call that is put through to it would fail")
                .remedy("至少写一条中继", "name at least one trunk");
        }
        let members: Vec<&Said<String>> =
            trunks.value.iter().filter_map(|member| member.trunk.as_ref()).collect();
        for (index, member) in members.iter().enumerate() {
            let is_trunk = table.trunks.iter().any(|trunk| is_called(&trunk.name, member));
            if !is_trunk && table.groups.iter().any(|group| is_called(&group.name, member)) {
                nested(member, problems);
            }
            if let Some(earlier) = members[..index].iter().find(|earlier| earlier.value == member.value) {
                problems
                    .error(
                        "E0614",
                        &member.spot,
                        format!("中继 \"{}\" 在同一组里出现两次", member.value),
                        format!("the trunk \"{}\" stands twice in the group", member.value),
                    )
                    .effect(
                        "它的优先级和权重有两种说法，无从选择",
                        "its priority and weight would be said twice, with no way to choose",
                    )
                    .remedy("只留一处", "keep it once")
                    .related(&earlier.spot, "第一次", "first");
            }
        }
    }
}

fn is_called(own: &Option<Said<String>>, name: &Said<String>) -> bool {
    own.as_ref().is_some_and(|own| own.value == name.value)
}

fn nested(member: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E0613",
            &member.spot,
            format!("\"{}\" 是中继组，组里只能有中继", member.value),
            format!("\"{}\" is a group, and a group holds trunks only", member.value),
        )
        .effect(
            "组中有组，先后就看不清，还可能兜圈子",
            "with groups in groups nobody could see their order, and they might go round in circles",
        )
        .remedy("直接写那一组里的各条中继", "name the trunks of that group instead");
}
