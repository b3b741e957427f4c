//! Callers who are known: lanes that somebody comes by, policies that are about a citizen and end.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostic::Spot;
use super::super::people_values::role_word;
use super::super::script::PERSON_KEY;
use super::super::source::{Problems, Said};
use super::super::tables::callers::{ActWord, LaneTable, PolicyTable};
use super::super::tables::{Field, RoutingTable};
use super::{EMERGENCY, misplaced, needed, references};
use crate::routing::people::Role;
use crate::time::Timestamp;

/// Lanes that can match, of callers who can be known.
pub fn lanes(table: &RoutingTable, problems: &mut Problems) {
    references::once(table.lanes.iter().map(|lane| &lane.name), ("通道", "lane"), problems);
    let mut taken: BTreeSet<(&str, &str)> = BTreeSet::new();
    for lane in &table.lanes {
        for caller in lane.callers.iter().flat_map(|said| &said.value) {
            known(caller, problems);
        }
        untold(lane, table, problems);
        let ways: BTreeSet<(&str, &str)> = ways(lane, table).collect();
        if whole(lane) && ways.is_subset(&taken) {
            unmatched(lane, problems);
        }
        taken.extend(ways);
    }
}

/// Whether nothing of it was said wrongly.
fn whole(lane: &LaneTable) -> bool {
    lane.lines.is_some() && lane.trunks.is_some() && lane.callers.is_some()
}

/// All by which a call can come to the lane. Nobody comes by a trunk that has no sources.
fn ways<'a>(lane: &'a LaneTable, table: &'a RoutingTable) -> impl Iterator<Item = (&'static str, &'a str)> {
    fn each<'a>(
        kind: &'static str,
        said: &'a Field<Vec<Said<String>>>,
    ) -> impl Iterator<Item = (&'static str, &'a str)> {
        said.iter().flat_map(|said| &said.value).map(move |said| (kind, said.value.as_str()))
    }
    let comes = |name: &str| {
        table.trunks.iter().any(|trunk| {
            let own = trunk.name.as_ref().is_some_and(|own| own.value == name);
            let inward = trunk.sources.as_ref().is_none_or(|sources| !sources.value.is_empty());
            own && (inward || trunk.certificate.is_some())
        })
    };
    let trunks = each("trunk", &lane.trunks).filter(move |(_, name)| comes(name));
    each("line", &lane.lines).chain(trunks).chain(each("caller", &lane.callers))
}

/// The greeting says that the call is recorded; who does not hear it, nor a notice, is not told.
fn untold(lane: &LaneTable, table: &RoutingTable, problems: &mut Problems) {
    let recorded =
        table.recording.as_ref().is_some_and(|said| said.value) && table.recording_notice.is_none();
    let Some(straight) = lane.straight.as_ref().filter(|said| said.value && recorded) else { return };
    problems
        .warning(
            "W0118",
            &straight.spot,
            "这个通道听不到问候语，也就没有人告知正在录音",
            "callers by this lane hear no greeting, and nobody tells them that the call is recorded",
        )
        .effect("来电人不知道通话被录音", "they would be recorded without knowing it")
        .remedy(
            "在 [recording] 写 notice，请座席接听时口头告知，或写 straight = false",
            "say notice under [recording], have clerks say so when they answer, or write straight = false",
        );
}

fn unmatched(lane: &LaneTable, problems: &mut Problems) {
    problems
        .error("E0903", &lane.spot, "没有来电会走这个通道", "no call ever takes this lane")
        .effect(
            "该走通道的来电人（如老年人）和别人一样排队，没有人会察觉",
            "those whom it is for (the elderly, say) would wait like others, and nobody would notice",
        )
        .remedy(
            "写上 lines、trunks（有来源网段的中继）或 callers；前面的通道已经包括的，调换先后",
            "give lines, trunks (with sources) or callers; where an earlier lane takes them all, change the order",
        );
}

/// A caller's number: digits, perhaps behind a +.
fn known(caller: &Said<String>, problems: &mut Problems) {
    let digits = caller.value.strip_prefix('+').unwrap_or(&caller.value);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && (3..=20).contains(&digits.len()) {
        return;
    }
    problems
        .error(
            "E0902",
            &caller.spot,
            format!("\"{}\" 不是主叫号码", caller.value),
            format!("\"{}\" is no caller's number", caller.value),
        )
        .effect(
            "隐去号码的来电人不止一位，不能当作同一个人；写错的号码谁也对不上",
            "callers who withhold their number are many and not one, and a number written wrongly is nobody's",
        )
        .remedy("只写数字，如 \"13800000000\"", "digits only, like \"13800000000\"");
}

/// Policies are about one caller who is known, say what is done, and end.
pub fn policies(table: &RoutingTable, problems: &mut Problems) {
    one_each(table, problems);
    for policy in &table.policies {
        if let Some(caller) = &policy.caller {
            known(caller, problems);
            of_nobody_urgent(caller, table, problems);
        }
        value_of_act(policy, table, problems);
        unending(policy, table, problems);
    }
}

/// One caller has one policy, in whichever form each of them writes the number.
fn one_each(table: &RoutingTable, problems: &mut Problems) {
    let city = super::rewriting::city(table);
    let form = |caller: &str| match &city {
        Some(city) => city.caller_form(caller).as_str().to_owned(),
        None => caller.to_owned(),
    };
    let mut seen: BTreeMap<String, &Spot> = BTreeMap::new();
    for caller in table.policies.iter().filter_map(|policy| policy.caller.as_ref()) {
        match seen.entry(form(&caller.value)) {
            Entry::Occupied(first) => {
                references::named_twice(caller, first.get(), ("来电人规则", "caller policies"), problems);
            }
            Entry::Vacant(place) => drop(place.insert(&caller.spot)),
        }
    }
}

/// An emergency center that calls is not a citizen who repeats himself.
fn of_nobody_urgent(caller: &Said<String>, table: &RoutingTable, problems: &mut Problems) {
    let peers = table.emergencies.iter().filter_map(|peer| peer.number.as_ref());
    let mut numbers = peers.map(|said| said.value.as_str()).chain(EMERGENCY);
    let area = table.city.as_ref().and_then(|city| city.area_code.as_ref()).map_or("", |code| &code.value);
    let bare = caller.value.strip_prefix(area).unwrap_or(&caller.value);
    if !numbers.any(|number| number == caller.value || number == bare) {
        return;
    }
    problems
        .error(
            "E0901",
            &caller.spot,
            format!("{} 是紧急热线，不能对它定规则", caller.value),
            format!("{} is an emergency number: no policy can be about it", caller.value),
        )
        .effect(
            "110、119 等转来的求助会被压后或改登工单，可能危及生命",
            "what 110 or 119 hand over would be put behind others or turned into a ticket, which can cost a life",
        )
        .remedy("删去这一条", "remove this policy");
}

fn value_of_act(policy: &PolicyTable, table: &RoutingTable, problems: &mut Problems) {
    let Some(act) = &policy.act else { return };
    let (by, skills, pause) = (
        policy.by.as_ref().map(|said| &said.spot),
        policy.skills.as_ref().map(|said| &said.spot),
        policy.pause.as_ref().map(|said| &said.spot),
    );
    let (choice, own) = match act.value {
        ActWord::Behind => ("act = \"behind\"", Some(("by", by))),
        ActWord::To => ("act = \"to\"", Some(("skills", skills))),
        ActWord::CoolDown => ("act = \"cool_down\"", Some(("pause", pause))),
        ActWord::Confidential => ("act = \"confidential\"", None),
    };
    if let Some((key, None)) = own {
        needed(&policy.spot, key, choice, problems);
    }
    if act.value == ActWord::CoolDown && table.urgent_key().is_none() {
        without_a_person(&act.spot, problems);
    }
    for (key, spot) in [("by", by), ("skills", skills), ("pause", pause)] {
        if let Some(spot) = spot.filter(|_| own.is_none_or(|(own, _)| own != key)) {
            misplaced(spot, choice, problems);
        }
    }
}

/// Who presses the key for a person wants one, and is not more urgent than others for that.
pub fn urgent(table: &RoutingTable, problems: &mut Problems) {
    let urgent = table.callers.as_ref().and_then(|own| own.urgent_key.as_ref());
    let Some(urgent) = urgent.filter(|urgent| urgent.value.0 == PERSON_KEY) else { return };
    problems
        .error(
            "E0418",
            &urgent.spot,
            format!("紧急键 {PERSON_KEY} 又是转人工键"),
            format!("the key {PERSON_KEY} that says that it is urgent is the key for a person as well"),
        )
        .effect(
            "凡是按 0 找人的来电都排到前面，真有急事的反而排在后面",
            "whoever asks for a person would go before others, and whom it is urgent for would wait behind them",
        )
        .remedy("换一个键，如 urgent_key = \"9\"", "choose another key, like urgent_key = \"9\"");
}

/// Whoever is told to wait must be able to say that it is urgent.
fn without_a_person(spot: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E0906",
            spot,
            "cool_down 要有紧急键，却没有写 urgent_key",
            "cool_down needs the urgent key, but urgent_key is not said",
        )
        .effect(
            "这位市民真有急事时也找不到人，可能危及生命",
            "this citizen could not reach a person even in an emergency, which can cost a life",
        )
        .remedy(
            "在 [callers] 写 urgent_key = \"9\"，或改用 act = \"behind\"",
            "write urgent_key = \"9\" under [callers], or use act = \"behind\"",
        );
}

/// An end beyond the calendar is none.
fn unending(policy: &PolicyTable, table: &RoutingTable, problems: &mut Problems) {
    let zone = table.city.as_ref().and_then(|city| city.time_zone.as_ref());
    let (Some(until), Some(zone)) = (&policy.until, zone) else { return };
    if until.value.end(&zone.value).is_none() {
        super::super::values::out_of_range(&until.spot, "0001-01-01–9999-12-30", problems);
    }
}

/// Whose time is over.
pub fn expired(table: &RoutingTable, now: Timestamp, problems: &mut Problems) {
    let zone = table.city.as_ref().and_then(|city| city.time_zone.as_ref());
    for policy in &table.policies {
        let (Some(until), Some(zone)) = (&policy.until, zone) else { continue };
        if until.value.end(&zone.value).is_none_or(|end| end > now) {
            continue;
        }
        problems
            .warning("W0117", &until.spot, "这条来电人规则已经过期", "this caller policy is over")
            .effect("它已不起作用，来电照常排队", "it does nothing any more: the caller waits like others")
            .remedy(
                "删去它；确需继续的，经批准后写新的 until",
                "remove it, or where it shall go on, have it approved again and give a new until",
            );
    }
}

/// Who comes from an emergency center goes before who says that it is urgent, and both before others.
pub fn order(table: &RoutingTable, problems: &mut Problems) {
    let Some(callers) = &table.callers else { return };
    let (Some(urgent), Some(center)) = (&callers.urgent_priority, &callers.center_priority) else { return };
    if center.value >= urgent.value && urgent.value > 0 {
        return;
    }
    let spot = if urgent.value <= 0 { &urgent.spot } else { &center.spot };
    problems
        .warning(
            "W0114",
            spot,
            "指挥中心、按紧急键者、其他来电人的先后颠倒了",
            "emergency centers, urgent callers and others are not in this order",
        )
        .effect(
            "110、119 转来的求助要排在按键的人后面，或按紧急键毫无用处",
            "what 110 or 119 hand over would wait behind callers who pressed a key, or the key would do nothing",
        )
        .remedy("写 0 < urgent_priority ≤ center_priority", "write 0 < urgent_priority ≤ center_priority");
}

/// Who speaks for a seat names it.
pub fn tokens(table: &RoutingTable, problems: &mut Problems) {
    references::once(table.tokens.iter().map(|token| &token.name), ("接口口令", "API token"), problems);
    for token in &table.tokens {
        let Some(role) = &token.role else { continue };
        if matches!(role.value, Role::Clerk | Role::Expert | Role::Leader) && token.seat.is_none() {
            needed(&token.spot, "seat", &format!("role = \"{}\"", role_word(role.value)), problems);
        }
    }
}
